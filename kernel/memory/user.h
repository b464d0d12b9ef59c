/* SPDX-License-Identifier: MIT */
/* Safe copying from and to user memory of the current process. May fault pages in, so no spin lock
 * may be held. Addresses outside the user half are refused, wrapping sizes too. */
#ifndef MEMORY_USER_H
#define MEMORY_USER_H

#include "arch/arch.h"
#include "lib/kasan.h"
#include "lib/errno.h"
#include "lib/types.h"

/* Linux's access_ok: the range lies in the user half (whether anything is mapped there or not). */
static inline bool user_range_ok(user_t p, size_t size)
{
	uintptr_t last;

	return !__builtin_sub_overflow(USER_END, size, &last) && p.address <= last;
}

/* Of a range that is not the user's nothing can be copied; and nothing, from wherever, is no error. */
static inline int user_none_unless(size_t size)
{
	return size ? -EFAULT : 0;
}

/* 0 or -EFAULT. */
static inline int MUST_CHECK copy_from_user(void *to, user_t from, size_t size)
{
	if (unlikely(!user_range_ok(from, size)))
		return user_none_unless(size);
	kasan_check((uintptr_t)to, size, true);
	return arch_user_copy(to, (const void *)from.address, size) ? -EFAULT : 0;
}

static inline int MUST_CHECK copy_to_user(user_t to, const void *from, size_t size)
{
	if (unlikely(!user_range_ok(to, size)))
		return user_none_unless(size);
	kasan_check((uintptr_t)from, size, false);
	return arch_user_copy((void *)to.address, from, size) ? -EFAULT : 0;
}

/* Two words side by side, as most small structures of times are. 0 or -EFAULT. */
static inline long MUST_CHECK put_user_pair(user_t to, uint64_t first, uint64_t second)
{
	if (to.address > USER_END - 2 * sizeof(first))
		return -EFAULT;
	return arch_user_store_pair((void *)to.address, first, second);
}
int clear_user(user_t to, size_t size) MUST_CHECK; /* 0 or -EFAULT */
/* As much of [p, p + size) as lies in the user half. */
static inline size_t user_clip(user_t p, size_t size)
{
	if (unlikely(p.address >= USER_END))
		return 0;
	return size < USER_END - p.address ? size : USER_END - p.address;
}

/* As far as it goes: the number of bytes copied before the first one that could not be. */
static inline size_t MUST_CHECK copy_from_user_partial(void *to, user_t from, size_t size)
{
	if (unlikely(!user_range_ok(from, size)))
		size = user_clip(from, size);
	kasan_check((uintptr_t)to, size, true);
	return size - arch_user_copy(to, (const void *)from.address, size);
}

static inline size_t MUST_CHECK copy_to_user_partial(user_t to, const void *from, size_t size)
{
	if (unlikely(!user_range_ok(to, size)))
		size = user_clip(to, size);
	kasan_check((uintptr_t)from, size, false);
	return size - arch_user_copy((void *)to.address, from, size);
}

size_t clear_user_partial(user_t to, size_t size) MUST_CHECK;
/* Copies a string with its NUL into `size` bytes. Its length without NUL, -EFAULT, or
 * -ENAMETOOLONG when no NUL stands among the first `size` bytes. */
static inline ssize_t MUST_CHECK copy_short_string(char *to, user_t from, size_t size)
{
	size_t limit = user_clip(from, size);
	ssize_t length;

	if (unlikely(!limit))
		return -EFAULT;
	length = arch_user_string(to, (const char *)from.address, limit);
	if (unlikely(length < 0))
		return -EFAULT;
	if (likely((size_t)length < limit))
		return length;
	return limit < size ? -EFAULT : -ENAMETOOLONG;
}

ssize_t copy_string_from_user(char *to, user_t from, size_t size) MUST_CHECK; /* the same */

#endif
