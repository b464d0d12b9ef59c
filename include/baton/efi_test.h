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

enum baton_efi_policy {
	BATON_EFI_STRICT, /* it is ended, and that service never called again */
	BATON_EFI_SURVEY, /* it goes on with a page of zeros in that place, or with the device's */
};

#endif
