/* SPDX-License-Identifier: MIT */
/* Linux's words for input, from its own header, which would bring a C library's along. */
#ifndef DEVICES_INPUT_ABI_H
#define DEVICES_INPUT_ABI_H

#include <linux/ioctl.h>
#include <linux/time.h>
#include <linux/types.h>

#define _SYS_TIME_H  1
#define _SYS_IOCTL_H 1
#define _SYS_TYPES_H 1
#include <linux/input.h>
#undef _SYS_TIME_H
#undef _SYS_IOCTL_H
#undef _SYS_TYPES_H

#endif
