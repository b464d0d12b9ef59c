/* SPDX-License-Identifier: MIT */
/* struct rusage; see usage.c. */
#ifndef SYSCALL_USAGE_H
#define SYSCALL_USAGE_H

#include "lib/types.h"

struct usage;

int put_usage(user_t out, const struct usage *usage) MUST_CHECK; /* 0 or -EFAULT */

#endif
