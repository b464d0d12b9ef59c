/* SPDX-License-Identifier: MIT */
/*
 * man 2 process_vm_readv: copies between this process and another, page by page, with no lock held and
 * a reference on the other's space. It ends at the first byte of either side that cannot be touched; what
 * was moved until then counts, and is exact to the byte.
 */
#include <linux/uio.h>

#include "files/io.h"
#include "lib/errno.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/process.h"
#include "process/ptrace.h"
#include "syscall/files.h"
#include "syscall/table.h"

#define FAST_RANGES 8

enum way { WAY_READ, WAY_WRITE };

/* The space of a process or thread, with a reference. */
static int get_space(int id, struct space **out)
{
	struct thread *thread;
	int error = -ESRCH;

	spin_lock(&process_lock);
	thread = thread_find(id);
	*out = thread ? thread_space(thread) : NULL;
	if (*out) {
		error = ptrace_may_attach(thread->process) ? 0 : -EPERM;
		if (!error)
			space_get(*out);
	}
	spin_unlock(&process_lock);
	return error;
}

/* One range of the other's memory; how much was moved. */
static size_t move_range(
	struct space *space, const struct iovec *range, struct io *io, enum way way)
{
	uintptr_t address = (uintptr_t)range->iov_base;
	size_t done = 0, moved, part;

	while (done < range->iov_len && io->left) {
		size_t within = (address + done) & (PAGE_SIZE - 1);
		struct frame *frame;

		part = PAGE_SIZE - within;
		if (part > range->iov_len - done)
			part = range->iov_len - done;
		if (part > io->left)
			part = io->left;
		if (space_frame(space, address + done, way == WAY_WRITE ? FAULT_WRITE : FAULT_READ,
			    &frame))
			break;
		moved = way == WAY_WRITE ? io_get(io, (char *)frame_ptr(frame) + within, part)
					 : io_put(io, (char *)frame_ptr(frame) + within, part);
		frame_put(frame);
		done += moved;
		if (moved < part)
			break;
		sched_point();
	}
	return done;
}

static long move(int id, const struct iovec *ranges, size_t count, struct io *io, enum way way)
{
	struct space *space;
	size_t done = 0, some = 0;
	int error;

	for (size_t i = 0; i < count && !some; i++)
		some = ranges[i].iov_len;
	if (!some)
		return 0;
	error = get_space(id, &space);
	if (error)
		return error;
	for (size_t i = 0; i < count && io->left && !error; i++) {
		size_t most = ranges[i].iov_len < io->left ? ranges[i].iov_len : io->left;
		size_t moved = move_range(space, &ranges[i], io, way);

		done += moved;
		if (moved < most)
			error = -EFAULT;
	}
	space_put(space);
	return done ? (long)done : error;
}

/* The other's ranges: they are looked at when they are used. */
static long get_remote(user_t from, size_t count, struct iovec *fast, struct iovec **out)
{
	long error;

	*out = fast;
	if (count > UIO_MAXIOV)
		return -EINVAL;
	if (count > FAST_RANGES)
		*out = kmalloc(count * sizeof(struct iovec));
	if (!*out)
		return -ENOMEM;
	error = copy_from_user(*out, from, count * sizeof(struct iovec));
	for (size_t i = 0; !error && i < count; i++) {
		if ((ssize_t)(*out)[i].iov_len < 0)
			error = -EINVAL;
	}
	if (error && *out != fast)
		kfree(*out);
	return error;
}

struct request {
	user_t local, remote;
	size_t local_count, remote_count;
};

static long process_vm(int id, const struct request *request, unsigned long flags, enum way way)
{
	struct iovec local_fast[IO_FAST_RANGES], remote_fast[FAST_RANGES], *local, *remote;
	struct io io;
	ssize_t sum;
	long result = 0;

	if (flags)
		return -EINVAL;
	sum = io_get_ranges(request->local, request->local_count, local_fast, &local);
	if (sum < 0)
		return sum;
	if (sum)
		result = get_remote(request->remote, request->remote_count, remote_fast, &remote);
	if (sum && !result) {
		io = io_vector(local, (unsigned int)request->local_count, (size_t)sum);
		result = move(id, remote, request->remote_count, &io, way);
		if (remote != remote_fast)
			kfree(remote);
	}
	if (local != local_fast)
		kfree(local);
	return result;
}

long sys_process_vm_readv(int id, user_t local, size_t local_count, user_t remote,
	size_t remote_count, unsigned long flags)
{
	return process_vm(
		id, &(struct request){local, remote, local_count, remote_count}, flags, WAY_READ);
}

long sys_process_vm_writev(int id, user_t local, size_t local_count, user_t remote,
	size_t remote_count, unsigned long flags)
{
	return process_vm(
		id, &(struct request){local, remote, local_count, remote_count}, flags, WAY_WRITE);
}
