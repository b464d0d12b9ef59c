/* SPDX-License-Identifier: MIT */
/*
 * UEFI's runtime services through /dev/efi_test: Linux's ioctls (its drivers/firmware/efi/test/efi_test.h), a function each.
 * Every pointer may be NULL and goes to the service so. The result is 0 or an errno; *status is the service's EFI_STATUS.
 */
#ifndef USER_FIRMWARE_EFI_SERVICES_H
#define USER_FIRMWARE_EFI_SERVICES_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "baton/efi_test.h"

#define EFI_WORDS __attribute__((packed))

struct efi_get_variable {
	const uint16_t *name;
	const void *guid;
	uint32_t *attributes;
	uint64_t *size;
	void *data;
	uint64_t *status;
} EFI_WORDS;

struct efi_set_variable {
	const uint16_t *name;
	const void *guid;
	uint32_t attributes;
	uint64_t size;
	const void *data;
	uint64_t *status;
} EFI_WORDS;

struct efi_next_name {
	uint64_t *size;
	uint16_t *name;
	void *guid;
	uint64_t *status;
} EFI_WORDS;

struct efi_variable_info {
	uint32_t attributes;
	uint64_t *maximum, *remaining, *largest, *status;
} EFI_WORDS;

/* UEFI 2.10 8.3.1 */
struct efi_time {
	uint16_t year;
	uint8_t month, day, hour, minute, second, pad1;
	uint32_t nanosecond;
	int16_t zone; /* minutes; 2047: none */
	uint8_t daylight, pad2;
};

struct efi_get_time {
	struct efi_time *time;
	void *capabilities; /* 12 bytes */
	uint64_t *status;
} EFI_WORDS;

struct efi_set_time {
	const struct efi_time *time;
	uint64_t *status;
} EFI_WORDS;

struct efi_get_wakeup {
	uint8_t *enabled, *pending;
	struct efi_time *time;
	uint64_t *status;
} EFI_WORDS;

struct efi_set_wakeup {
	uint8_t enabled;
	const struct efi_time *time;
	uint64_t *status;
} EFI_WORDS;

struct efi_next_count {
	uint32_t *count;
	uint64_t *status;
} EFI_WORDS;

struct efi_capsule_query {
	void *headers;
	uint64_t count;
	uint64_t *maximum;
	int *reset_type;
	uint64_t *status;
} EFI_WORDS;

static inline int efi_ioctl_(int fd, unsigned long command, void *argument)
{
	return ioctl(fd, (int)command, argument) ? errno : 0;
}

static inline int efi_get_variable(int fd, struct efi_get_variable call)
{
	return efi_ioctl_(fd, _IOWR('p', 0x01, struct efi_get_variable), &call);
}

static inline int efi_set_variable(int fd, struct efi_set_variable call)
{
	return efi_ioctl_(fd, _IOW('p', 0x02, struct efi_set_variable), &call);
}

static inline int efi_get_time(int fd, struct efi_get_time call)
{
	return efi_ioctl_(fd, _IOR('p', 0x03, struct efi_get_time), &call);
}

static inline int efi_set_time(int fd, struct efi_set_time call)
{
	return efi_ioctl_(fd, _IOW('p', 0x04, struct efi_set_time), &call);
}

static inline int efi_get_wakeup(int fd, struct efi_get_wakeup call)
{
	return efi_ioctl_(fd, _IOR('p', 0x05, struct efi_get_wakeup), &call);
}

static inline int efi_set_wakeup(int fd, struct efi_set_wakeup call)
{
	return efi_ioctl_(fd, _IOW('p', 0x06, struct efi_set_wakeup), &call);
}

static inline int efi_next_name(int fd, struct efi_next_name call)
{
	return efi_ioctl_(fd, _IOWR('p', 0x07, struct efi_next_name), &call);
}

static inline int efi_variable_info(int fd, struct efi_variable_info call)
{
	return efi_ioctl_(fd, _IOR('p', 0x08, struct efi_variable_info), &call);
}

static inline int efi_next_count(int fd, struct efi_next_count call)
{
	return efi_ioctl_(fd, _IOR('p', 0x09, struct efi_next_count), &call);
}

static inline int efi_capsule_query(int fd, struct efi_capsule_query call)
{
	return efi_ioctl_(fd, _IOR('p', 0x0a, struct efi_capsule_query), &call);
}

/* Bit n: service n is there, in EFI_RT_PROPERTIES_TABLE's order. */
static inline int efi_supported(int fd, uint32_t *mask)
{
	return efi_ioctl_(fd, _IOR('p', 0x0c, uint32_t), mask);
}

/* UEFI 2.10, appendix D */
#define EFI_STATUS_SUCCESS           UINT64_C(0)
#define EFI_STATUS_ERROR_(n)         (UINT64_C(1) << 63 | (n))
#define EFI_STATUS_INVALID_PARAMETER EFI_STATUS_ERROR_(2)
#define EFI_STATUS_UNSUPPORTED       EFI_STATUS_ERROR_(3)
#define EFI_STATUS_BUFFER_TOO_SMALL  EFI_STATUS_ERROR_(5)
#define EFI_STATUS_NOT_FOUND         EFI_STATUS_ERROR_(14)
#define EFI_STATUS_ABORTED           EFI_STATUS_ERROR_(21)

#endif
