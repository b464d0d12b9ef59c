/* SPDX-License-Identifier: MIT */
/* Ranges are checked here, once; the machine's copy loops come back with what was left. */
#include "memory/user.h"

#include "arch/arch.h"
#include "lib/errno.h"

/* As much of [p, p + size) as lies in the user half. */
static size_t clip(user_t p, size_t size)
{
	if (p.address >= USER_END)
		return 0;
	return size < USER_END - p.address ? size : USER_END - p.address;
}

/* Of a range that is not the user's nothing can be copied; and nothing, from wherever, is no error. */
static int none_unless(size_t size)
{
	return size ? -EFAULT : 0;
}

int copy_from_user(void *to, user_t from, size_t size)
{
	if (!user_range_ok(from, size))
		return none_unless(size);
	return arch_user_copy(to, (const void *)from.address, size) ? -EFAULT : 0;
}

int copy_to_user(user_t to, const void *from, size_t size)
{
	if (!user_range_ok(to, size))
		return none_unless(size);
	return arch_user_copy((void *)to.address, from, size) ? -EFAULT : 0;
}

int clear_user(user_t to, size_t size)
{
	if (!user_range_ok(to, size))
		return none_unless(size);
	return arch_user_clear((void *)to.address, size) ? -EFAULT : 0;
}

size_t copy_from_user_partial(void *to, user_t from, size_t size)
{
	size = clip(from, size);
	return size - arch_user_copy(to, (const void *)from.address, size);
}

size_t copy_to_user_partial(user_t to, const void *from, size_t size)
{
	size = clip(to, size);
	return size - arch_user_copy((void *)to.address, from, size);
}

ssize_t copy_string_from_user(char *to, user_t from, size_t size)
{
	size_t limit = clip(from, size);
	ssize_t length;

	if (!limit)
		return -EFAULT;
	length = arch_user_string(to, (const char *)from.address, limit);
	if (length < 0)
		return -EFAULT;
	if ((size_t)length < limit)
		return length;
	return limit < size ? -EFAULT : -ENAMETOOLONG;
}
