/* SPDX-License-Identifier: MIT */
/*
 * What /dev/efi_test of Baton has beside Linux's ioctls; kernel/firmware/efi_device.c tells of both. For CAP_SYS_ADMIN.
 * The includer has <sys/ioctl.h>, or <asm/ioctl.h>.
 */
#ifndef BATON_EFI_TEST_H
#define BATON_EFI_TEST_H

#include <stdint.h>

/* SetVirtualAddressMap, once; the EFI_STATUS is written. EALREADY: it was done. */
#define BATON_EFI_GO_VIRTUAL _IOR('p', 0x80, uint64_t)
/* What becomes of a call that does what it may not, from now on: for all callers. */
#define BATON_EFI_SET_POLICY _IOW('p', 0x81, uint32_t)
/* How many pages of stack the next call of this open file gets: 1 to 5. */
#define BATON_EFI_SET_STACK _IOW('p', 0x82, uint32_t)
/* How much CPU time each call of this open file gets, in milliseconds: 1 to 60,000. */
#define BATON_EFI_SET_LIMIT _IOW('p', 0x83, uint32_t)

/* SetVirtualAddressMap once more after that, as it was called then: the firmware has to refuse it. The EFI_STATUS is written.
 * EINVAL: there was no first time. */
#define BATON_EFI_MAP_AGAIN _IOR('p', 0x84, uint64_t)
/* UpdateCapsule of no capsule at all; the EFI_STATUS is written. */
#define BATON_EFI_NO_CAPSULE _IOR('p', 0x85, uint64_t)
/* ResetSystem, of which nothing leaves the CPU: no port is written but those that choose a register, no device. */
#define BATON_EFI_SHOW_RESET _IOWR('p', 0x86, struct baton_efi_reset)
/* The runtime services table as it lies there now. */
#define BATON_EFI_RUNTIME_TABLE _IOR('p', 0x87, struct baton_efi_table)

/* The page at physical address 0, which the kernel does not use. ENODEV: there is no RAM. */
#define BATON_EFI_PAGE_0 _IOR('p', 0x88, uint8_t[4096])

struct baton_efi_reset {
	uint32_t type;        /* in: EFI_RESET_TYPE */
	uint32_t taken;       /* out: 1: it came to a step out of the CPU; the last one: */
	uint64_t port, value; /* port ~0: memory of a device */
};

#define BATON_EFI_TABLE_MAX 256
struct baton_efi_table {
	uint64_t address; /* physical */
	uint32_t size, reserved;
	uint8_t bytes[BATON_EFI_TABLE_MAX];
};

enum baton_efi_policy {
	BATON_EFI_STRICT, /* it is ended, and that service never called again */
	BATON_EFI_SURVEY, /* it goes on with a page of zeros in that place, or with the device's */
	BATON_EFI_TRUST, /* ring 0, interrupts off, no limit: nothing is seen of it, and a mistake is a panic */
};

#endif
