/* SPDX-License-Identifier: MIT */
/* /dev/meminfo: memory/report.c as a file, until /proc is there. */
#include "devices/meminfo.h"

#include "files/devfs.h"
#include "lib/log.h"
#include "memory/report.h"

#define LOCAL_MAJOR \
	241 /* Linux's Documentation/admin-guide/devices.txt: 240-254 are for local use */

static uint64_t ram;

static ssize_t read_report(struct file *file, struct io *io, int64_t *position)
{
	struct memory_report report;
	char text[1024];
	int length;
	size_t moved, left;

	memory_report(&report, ram);
	length = memory_report_text(&report, text, sizeof(text));
	assert(length < (int)sizeof(text));
	if (*position >= length)
		return 0;
	left = (size_t)(length - *position);
	moved = io_put(io, text + *position, left < io->left ? left : io->left);
	*position += (int64_t)moved;
	return io_result(io, moved, 0);
}

static const struct file_operations operations = {.read = read_report};
static struct device device = {.operations = &operations};

void meminfo_init(uint64_t ram_bytes)
{
	int error;

	ram = ram_bytes;
	device.number = device_number(LOCAL_MAJOR, 0);
	error = devfs_add("meminfo", S_IFCHR | 0444, &device);
	if (error)
		log_error("devfs: /dev/meminfo: error %d", -error);
}
