/* SPDX-License-Identifier: MIT */
/*
 * select, pselect6, ppoll (man 2 select, ppoll): poll in other clothes.
 *
 * A set of descriptors becomes an array for poll_kernel and back. The time that is left is written
 * when they end, whatever the result, as Linux does. Interrupted, they are made again only where no
 * handler ran; where the time left could not be written not even then, since the caller's has not
 * changed.
 */
#include <linux/posix_types.h>

#include "arch/arch.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/process.h"
#include "process/signal.h"
#include "syscall/files.h"
#include "syscall/table.h"
#include "syscall/timespec.h"

#define WORD_BITS     64u
#define SETS          3u

#define READ_EVENTS   (POLLRDNORM | POLLRDBAND | POLLIN | POLLHUP | POLLERR)
#define WRITE_EVENTS  (POLLWRBAND | POLLWRNORM | POLLOUT | POLLERR)
#define EXCEPT_EVENTS POLLPRI

static const short events[SETS] = {READ_EVENTS, WRITE_EVENTS, EXCEPT_EVENTS};

struct selection {
	unsigned int limit;   /* descriptors are below */
	size_t words;         /* of each set */
	uint64_t *sets[SETS]; /* in; then out */
	struct pollfd *fds;
	unsigned int count;
};

static bool has(const struct selection *selection, unsigned int set, unsigned int fd)
{
	return selection->sets[set][fd / WORD_BITS] >> fd % WORD_BITS & 1;
}

static int get_sets(struct selection *selection, const user_t *users)
{
	size_t size = selection->words * sizeof(uint64_t);

	for (unsigned int set = 0; set < SETS; set++) {
		selection->sets[set] = kzalloc(size + 1);
		if (!selection->sets[set])
			return -ENOMEM;
		if (users[set].address && copy_from_user(selection->sets[set], users[set], size))
			return -EFAULT;
	}
	selection->fds = kmalloc(selection->limit * sizeof(struct pollfd) + 1);
	return selection->fds ? 0 : -ENOMEM;
}

static void make_array(struct selection *selection)
{
	for (unsigned int fd = 0; fd < selection->limit; fd++) {
		short wanted = 0;

		for (unsigned int set = 0; set < SETS; set++)
			wanted |= has(selection, set, fd) ? events[set] : 0;
		if (wanted)
			selection->fds[selection->count++] =
				(struct pollfd){.fd = (int)fd, .events = wanted};
	}
}

/* The sets as the answer has them: how many bits, or -EBADF. */
static long answer(struct selection *selection)
{
	long bits = 0;

	for (unsigned int i = 0; i < selection->count; i++) {
		const struct pollfd *fd = &selection->fds[i];
		unsigned int at = (unsigned int)fd->fd;

		if (fd->revents & POLLNVAL)
			return -EBADF;
		for (unsigned int set = 0; set < SETS; set++) {
			if (!has(selection, set, at))
				continue;
			if (fd->revents & events[set])
				bits++;
			else
				selection->sets[set][at / WORD_BITS] &=
					~(UINT64_C(1) << at % WORD_BITS);
		}
	}
	return bits;
}

static int put_sets(const struct selection *selection, const user_t *users)
{
	for (unsigned int set = 0; set < SETS; set++) {
		if (users[set].address && copy_to_user(users[set], selection->sets[set],
						  selection->words * sizeof(uint64_t)))
			return -EFAULT;
	}
	return 0;
}

static void free_all(struct selection *selection)
{
	for (unsigned int set = 0; set < SETS; set++)
		kfree(selection->sets[set]);
	kfree(selection->fds);
}

static bool any_bad(const struct selection *selection)
{
	for (unsigned int i = 0; i < selection->count; i++) {
		struct file *file = get_file(selection->fds[i].fd);

		if (!file)
			return true;
		file_put(file);
	}
	return false;
}

static long select_until(int limit, const user_t *users, ns_t deadline)
{
	struct selection selection = {0};
	long result;

	if (limit < 0)
		return -EINVAL;
	selection.limit = (unsigned int)limit;
	if (selection.limit > files_limit())
		selection.limit = (unsigned int)files_limit();
	selection.words = DIV_ROUND_UP(selection.limit, WORD_BITS);
	result = get_sets(&selection, users);
	if (!result) {
		make_array(&selection);
		result = any_bad(&selection) ? -EBADF : 0;
	}
	if (!result)
		result = poll_kernel(selection.fds, selection.count, deadline);
	if (result >= 0)
		result = answer(&selection);
	if (result >= 0 && put_sets(&selection, users))
		result = -EFAULT;
	free_all(&selection);
	return result;
}

/* ---- Time and mask ---- */

static int deadline_of(user_t time, bool micro, ns_t *deadline)
{
	struct __kernel_timespec spec;
	ns_t span;
	int error;

	*deadline = NS_NEVER;
	if (!time.address)
		return 0;
	if (copy_from_user(&spec, time, sizeof(spec)))
		return -EFAULT;
	if (micro) {
		if (spec.tv_sec < 0 || spec.tv_nsec < 0)
			return -EINVAL;
		spec.tv_sec += spec.tv_nsec / 1000000;
		spec.tv_nsec = spec.tv_nsec % 1000000 * 1000;
	}
	error = timespec_to_ns(&spec, &span);
	if (!error)
		*deadline = clock_add(arch_clock(), span);
	return error;
}

/* The end of each: the mask, the time that is left. */
static long finish(long result, user_t time, bool micro, ns_t deadline)
{
	ns_t now = arch_clock(), left = deadline > now ? deadline - now : 0;
	bool written = true;

	if (result == -ERESTARTSYS)
		result = -ERESTARTNOHAND;
	if (time.address)
		written = !(micro ? put_timeval(time, left) : put_timespec(time, left));
	if (!written && result == -ERESTARTNOHAND)
		result = -EINTR;
	signal_mask_return(result == -ERESTARTNOHAND || result == -EINTR);
	return result;
}

long sys_select(int limit, user_t read, user_t write, user_t except, user_t time)
{
	const user_t users[SETS] = {read, write, except};
	ns_t deadline;
	int error = deadline_of(time, true, &deadline);

	return error ? error : finish(select_until(limit, users, deadline), time, true, deadline);
}

long sys_pselect6(int limit, user_t read, user_t write, user_t except, user_t time, user_t sized)
{
	const user_t users[SETS] = {read, write, except};
	struct {
		uint64_t address, size;
	} mask = {0};
	ns_t deadline;
	int error;

	if (sized.address && copy_from_user(&mask, sized, sizeof(mask)))
		return -EFAULT;
	error = deadline_of(time, false, &deadline);
	if (!error)
		error = signal_mask_borrow(user_pointer(mask.address), mask.size);
	return error ? error : finish(select_until(limit, users, deadline), time, false, deadline);
}

long sys_ppoll(user_t fds, unsigned int count, user_t time, user_t mask, size_t size)
{
	ns_t deadline;
	int error = deadline_of(time, false, &deadline);

	if (!error)
		error = signal_mask_borrow(mask, size);
	return error ? error : finish(poll_until(fds, count, deadline), time, false, deadline);
}
