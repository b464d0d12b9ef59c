/* SPDX-License-Identifier: MIT */
/* Structures of a user that grew over time and come with their size. */
#ifndef SYSCALL_GET_STRUCT_H
#define SYSCALL_GET_STRUCT_H

#include "lib/errno.h"
#include "lib/string.h"
#include "memory/user.h"

/* `known` bytes of it into `to`: what the caller does not know is 0, and what only the caller knows must be, or
 * it is -E2BIG. -EFAULT. */
static inline int MUST_CHECK get_struct(void *to, size_t known, user_t from, size_t size)
{
	char more[64];

	for (size_t at = known; at < size; at += sizeof(more)) {
		size_t part = size - at < sizeof(more) ? size - at : sizeof(more);

		if (copy_from_user(more, user_offset(from, at), part))
			return -EFAULT;
		for (size_t i = 0; i < part; i++)
			if (more[i])
				return -E2BIG;
	}
	memset(to, 0, known);
	return copy_from_user(to, from, size < known ? size : known);
}

#endif
