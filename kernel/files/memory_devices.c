/* SPDX-License-Identifier: MIT */
/* /dev/null, zero, full, random, urandom: man 4 null, full, random. */
#include "files/devfs.h"

#include <linux/capability.h>
#include <linux/random.h>

#include "devices/random.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/user.h"
#include "process/current.h"

static ssize_t read_nothing(struct file *file, struct io *io, int64_t *position)
{
	return 0;
}

static ssize_t read_zeros(struct file *file, struct io *io, int64_t *position)
{
	size_t done = 0, part, moved;

	while (io->left) {
		part = io->left < PAGE_SIZE ? io->left : PAGE_SIZE;
		moved = io_put_zeros(io, part);
		done += moved;
		if (moved < part || current_signal_pending())
			break;
		sched_point();
	}
	return io_result(io, done, 0);
}

static ssize_t read_random(struct file *file, struct io *io, int64_t *position)
{
	uint8_t bytes[256];
	size_t done = 0, part, moved;

	while (io->left) {
		part = io->left < sizeof(bytes) ? io->left : sizeof(bytes);
		random_bytes(bytes, part);
		moved = io_put(io, bytes, part);
		done += moved;
		if (moved < part || current_signal_pending())
			break;
		sched_point();
	}
	memset(bytes, 0, sizeof(bytes));
	return io_result(io, done, 0);
}

static ssize_t splice_random(struct file *file, struct io *io, bool nonblocking)
{
	return read_random(file, io, NULL);
}

static ssize_t write_away(struct file *file, struct io *io, int64_t *position)
{
	return (ssize_t)io->left;
}

static ssize_t write_range_away(struct file *file, user_t from, size_t size)
{
	return (ssize_t)size;
}

static ssize_t write_full(struct file *file, struct io *io, int64_t *position)
{
	return -ENOSPC;
}

/* Positions mean nothing here: every seek succeeds and leads to the start. */
static int64_t seek_nowhere(struct file *file, int64_t offset, int whence)
{
	return 0;
}

/* man 4 random. Nothing is counted: there is always enough, and what is added is mixed in. */
static long random_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	const int enough = 256;
	int added;

	if (command == RNDGETENTCNT)
		return copy_to_user(user_pointer(argument), &enough, sizeof(enough));
	if (command != RNDADDTOENTCNT && command != RNDZAPENTCNT && command != RNDCLEARPOOL &&
		command != RNDRESEEDCRNG)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (command != RNDADDTOENTCNT)
		return 0;
	if (copy_from_user(&added, user_pointer(argument), sizeof(added)))
		return -EFAULT;
	return added < 0 ? -EINVAL : 0;
}

static const struct file_operations null_operations = {.read = read_nothing,
	.write = write_away,
	.write_range = write_range_away,
	.seek = seek_nowhere,
	.traits = FILE_NO_POSITION | FILE_NEVER_WAITS};
static const struct file_operations zero_operations = {.read = read_zeros,
	.write = write_away,
	.write_range = write_range_away,
	.seek = seek_nowhere,
	.traits = FILE_NO_POSITION | FILE_NEVER_WAITS | FILE_NO_SPLICE | FILE_ZEROES};
static const struct file_operations full_operations = {.read = read_zeros,
	.write = write_full,
	.seek = seek_nowhere,
	.traits = FILE_NO_POSITION | FILE_NO_SPLICE};
static const struct file_operations random_operations = {.read = read_random,
	.ioctl = random_ioctl,
	.splice = splice_random,
	.write = write_away,
	.write_range = write_range_away,
	.seek = seek_nowhere,
	.traits = FILE_NO_POSITION | FILE_NEVER_WAITS};

static struct {
	const char *name;
	unsigned int minor; /* of MEM_MAJOR: Linux's Documentation/admin-guide/devices.txt */
	struct device device;
} memory_devices[] = {
	{"null", 3, {.operations = &null_operations}},
	{"zero", 5, {.operations = &zero_operations}},
	{"full", 7, {.operations = &full_operations}},
	{"random", 8, {.operations = &random_operations}},
	{"urandom", 9, {.operations = &random_operations}},
};

void memory_devices_init(void)
{
	int error;

	for (size_t i = 0; i < ARRAY_SIZE(memory_devices); i++) {
		memory_devices[i].device.number = device_number(MEM_MAJOR, memory_devices[i].minor);
		error = devfs_add(
			memory_devices[i].name, S_IFCHR | 0666, &memory_devices[i].device);
		if (error)
			log_error("devfs: /dev/%s: error %d", memory_devices[i].name, -error);
	}
}
