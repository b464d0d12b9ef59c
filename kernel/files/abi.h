/* SPDX-License-Identifier: MIT */
/* Linux's words for files, from its own headers. <linux/stat.h> keeps the mode bits to itself where
 * it sees a C library, which the unit tests have. */
#ifndef FILES_ABI_H
#define FILES_ABI_H

#pragma push_macro("__GLIBC__")
#undef __GLIBC__
#include <linux/stat.h>
#pragma pop_macro("__GLIBC__")

#include "lib/types.h"

#include <asm/ioctls.h>
#include <asm/poll.h>
#include <asm/stat.h>
#include <asm/termios.h>
#include <linux/fcntl.h>
#include <linux/fs.h>
#include <linux/limits.h>
#include <linux/major.h>

#ifndef O_ASYNC
#define O_ASYNC FASYNC
#endif

#define MODE_BITS 07777u /* permissions, set-id and sticky: all of a mode but the kind */

/* A device number as stat gives it: man 3 makedev, in Linux's 32 bits. */
static inline uint64_t device_number(uint32_t major, uint32_t minor)
{
	return (minor & 0xff) | (uint64_t)major << 8 | (uint64_t)(minor & ~0xffu) << 12;
}

static inline uint32_t device_major(uint64_t device)
{
	return (uint32_t)(device >> 8) & 0xfff;
}

static inline uint32_t device_minor(uint64_t device)
{
	return (uint32_t)((device & 0xff) | (device >> 12 & ~UINT64_C(0xff)));
}

/* Of Linux's ABI, but in none of its exported headers: man 2 getdents64. */
struct linux_dirent64 {
	unsigned long long d_ino;
	long long d_off;
	unsigned short d_reclen;
	unsigned char d_type;
	char d_name[];
};

#endif
