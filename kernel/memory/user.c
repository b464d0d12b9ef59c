/* SPDX-License-Identifier: MIT */
/* Ranges are checked here, once; the machine's copy loops come back with what was left. */
#include "memory/user.h"

#include "arch/arch.h"
#include "lib/errno.h"

int clear_user(user_t to, size_t size)
{
	if (!user_range_ok(to, size))
		return user_none_unless(size);
	return arch_user_clear((void *)to.address, size) ? -EFAULT : 0;
}

size_t clear_user_partial(user_t to, size_t size)
{
	size = user_clip(to, size);
	return size - arch_user_clear((void *)to.address, size);
}

ssize_t copy_string_from_user(char *to, user_t from, size_t size)
{
	return copy_short_string(to, from, size);
}
