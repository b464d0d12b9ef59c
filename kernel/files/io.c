/* SPDX-License-Identifier: MIT */
/* Moving bytes between the kernel and a caller's buffers; see io.h. */
#include "files/io.h"

#include "lib/string.h"
#include "memory/user.h"

enum io_way { IO_PUT, IO_ZERO, IO_GET };

/* Moves up to `size` bytes at the present user range. */
static size_t move_user(struct io *io, void *kernel, size_t size, enum io_way way)
{
	size_t moved = 0;

	switch (way) {
	case IO_PUT:
		moved = copy_to_user_partial(io->user, kernel, size);
		break;
	case IO_GET:
		moved = copy_from_user_partial(kernel, io->user, size);
		break;
	case IO_ZERO:
		moved = clear_user_partial(io->user, size);
		break;
	}
	io->user = user_offset(io->user, moved);
	io->range -= moved;
	io->failed = moved < size;
	return moved;
}

static void move_kernel(struct io *io, void *other, size_t size, enum io_way way)
{
	if (way == IO_PUT)
		memcpy(io->kernel, other, size);
	else if (way == IO_GET)
		memcpy(other, io->kernel, size);
	else
		memset(io->kernel, 0, size);
	io->kernel += size;
}

static size_t move(struct io *io, char *other, size_t size, enum io_way way)
{
	size_t done = 0, part, moved;

	if (size > io->left)
		size = io->left;
	if (io->kernel) {
		move_kernel(io, other, size, way);
		io->left -= size;
		return size;
	}
	while (done < size && !io->failed) {
		if (!io->range) {
			io->user = user_pointer((uintptr_t)io->next->iov_base);
			io->range = io->next->iov_len;
			io->next++;
			io->ranges--;
			continue;
		}
		part = io->range < size - done ? io->range : size - done;
		moved = move_user(io, other ? other + done : NULL, part, way);
		done += moved;
		io->left -= moved;
	}
	return done;
}

size_t io_put_any(struct io *io, const void *from, size_t size)
{
	return move(io, (char *)(uintptr_t)from, size, IO_PUT);
}

size_t io_put_zeros(struct io *io, size_t size)
{
	return move(io, NULL, size, IO_ZERO);
}

size_t io_get_any(struct io *io, void *to, size_t size)
{
	return move(io, to, size, IO_GET);
}
