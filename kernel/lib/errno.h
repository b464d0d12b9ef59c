/* SPDX-License-Identifier: MIT */
/* Linux's error numbers, from its own header; the kernel returns them negative. */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

#include <asm/errno.h>

#endif
