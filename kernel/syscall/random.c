/* SPDX-License-Identifier: MIT */
/* getrandom (man 2 getrandom). */
#include "devices/random.h"
#include "lib/errno.h"
#include "memory/user.h"
#include "process/current.h"
#include "syscall/table.h"

#define GRND_EXCLUSIVE 6u /* GRND_RANDOM, GRND_INSECURE: not both */
#define GRND_ALL       7u /* GRND_NONBLOCK, GRND_RANDOM, GRND_INSECURE: the pool is always ready */

long sys_getrandom(user_t buffer, size_t size, unsigned flags)
{
	uint8_t bytes[256];
	size_t done = 0;

	if ((flags & ~GRND_ALL) || (flags & GRND_EXCLUSIVE) == GRND_EXCLUSIVE)
		return -EINVAL;
	if (size > INT32_MAX)
		size = INT32_MAX;
	while (done < size) {
		size_t part = size - done < sizeof(bytes) ? size - done : sizeof(bytes), copied;

		random_bytes(bytes, part);
		copied = copy_to_user_partial(user_offset(buffer, done), bytes, part);
		done += copied;
		if (copied < part)
			return done ? (long)done : -EFAULT;
		if (current_signal_pending())
			break;
		sched_point();
	}
	return (long)done;
}
