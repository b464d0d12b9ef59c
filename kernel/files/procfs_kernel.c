/* SPDX-License-Identifier: MIT */
/* The root of /proc: what the kernel keeps of files and memory: locks, devices, consoles, slabinfo. man 5 proc. */
#include "files/procfs.h"

#include <linux/major.h>

#include "files/devfs.h"
#include "files/file_locks.h"
#include "lib/string.h"
#include "memory/slab.h"

/* ---- /proc/locks ---- */

struct locks_sink {
	struct lock_sink sink;
	struct text *out;
	unsigned number;
};

static void add_lock(
	struct lock_sink *sink, const struct inode *inode, const struct lock_request *lock)
{
	static const char *const kinds[] = {
		[LOCK_FLOCK] = "FLOCK ", [LOCK_PROCESS] = "POSIX ", [LOCK_OPEN_FILE] = "OFDLCK"};
	struct locks_sink *locks = container_of(sink, struct locks_sink, sink);
	uint64_t device = inode->superblock->device;

	text_add(locks->out, "%u: %s ADVISORY  %s %d %02x:%02x:%lu ", ++locks->number,
		kinds[lock->kind], lock->type == F_WRLCK ? "WRITE" : "READ", lock->pid,
		device_major(device), device_minor(device), inode->number);
	if (lock->kind == LOCK_FLOCK)
		text_add(locks->out, "0 EOF\n");
	else if (lock->end == LOCK_TO_THE_END)
		text_add(locks->out, "%ld EOF\n", (long)lock->start);
	else
		text_add(locks->out, "%ld %ld\n", (long)lock->start, (long)lock->end);
}

/* All in one piece: a lock that comes or goes between two would shift the others. */
int proc_show_locks(struct proc_file *file, struct text *out)
{
	struct locks_sink locks = {.sink.add = add_lock, .out = out};

	file_locks_list(&locks.sink);
	file->cursor = PROC_END;
	return 0;
}

/* ---- Devices ---- */

/* Linux's names of major numbers; one is shown when there is a device that has it. */
int proc_show_devices(struct proc_file *file, struct text *out)
{
	static const struct {
		uint32_t major, minor, last;
		const char *name;
	} known[] = {
		{1, 0, 255, "mem"},
		{4, 0, 63, "/dev/vc/0"},
		{4, 0, 255, "tty"},
		{4, 64, 255, "ttyS"},
		{5, 0, 0, "/dev/tty"},
		{5, 1, 1, "/dev/console"},
		{5, 2, 2, "/dev/ptmx"},
		{13, 0, 255, "input"},
		{29, 0, 255, "fb"},
		{136, 0, 255, "pts"},
	};

	text_add(out, "Character devices:\n");
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].major == 136 ||
			device_exists(known[i].major, known[i].minor, known[i].last))
			text_add(out, "%3u %s\n", known[i].major, known[i].name);
	text_add(out, "\nBlock devices:\n");
	file->cursor = PROC_END;
	return 0;
}

/* The log goes to the first serial port and the screen, and /dev/console to both: enabled, for the log. */
int proc_show_consoles(struct proc_file *file, struct text *out)
{
	static const struct {
		const char *name;
		uint32_t major, minor, node;
	} known[] = {{"tty0", 4, 1, 0}, {"ttyS0", 4, 64, 64}};

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++)
		if (device_exists(known[i].major, known[i].node, known[i].node))
			text_add(out, "%-21s-W- (E  p  ) %4u:%u\n", known[i].name, known[i].major,
				known[i].minor);
	file->cursor = PROC_END;
	return 0;
}

/* Drivers of terminals, where there is a device of theirs. */
int proc_show_tty_drivers(struct proc_file *file, struct text *out)
{
	static const struct {
		const char *driver, *path;
		uint32_t major, first, last, most;
		const char *kind;
	} known[] = {
		{"/dev/tty", "/dev/tty", 5, 0, 0, 0, "system:/dev/tty"},
		{"/dev/console", "/dev/console", 5, 1, 1, 1, "system:console"},
		{"/dev/ptmx", "/dev/ptmx", 5, 2, 2, 2, "system"},
		{"/dev/vc/0", "/dev/vc/0", 4, 0, 0, 0, "system:vtmaster"},
		{"serial", "/dev/ttyS", 4, 64, 67, 95, "serial"},
		{"pty_slave", "/dev/pts", 136, 0, 1048575, 1048575, "pty:slave"},
		{"unknown", "/dev/tty", 4, 1, 6, 63, "console"},
	};

	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		if (known[i].major != 136 &&
			!device_exists(known[i].major, known[i].first, known[i].last))
			continue;
		text_add(out, "%-20s %-13s %3u ", known[i].driver, known[i].path, known[i].major);
		if (known[i].first == known[i].most)
			text_add(out, "%7u ", known[i].first);
		else
			text_add(out, "%u-%u ", known[i].first, known[i].most);
		text_add(out, "%s\n", known[i].kind);
	}
	file->cursor = PROC_END;
	return 0;
}

int proc_show_framebuffers(struct proc_file *file, struct text *out)
{
	if (device_exists(FB_MAJOR, 0, 0))
		text_add(out, "0 EFI VGA\n"); /* as fb.c says */
	file->cursor = PROC_END;
	return 0;
}

/* ---- Memory ---- */

static void add_cache(struct text *out, const struct slab_numbers *cache)
{
	size_t start = out->used;

	text_escaped(out, cache->name, "");
	for (size_t i = start; i < out->used; i++)
		if (out->bytes[i] == ' ')
			out->bytes[i] = '-'; /* names are words there */
	text_pad(out, start, 17);
	text_add(out, " %6lu %6lu %6u %4u %4u : tunables %4u %4u %4u", cache->active,
		cache->objects, cache->object_size, cache->per_slab, 1u << cache->slab_order, 0u,
		0u, 0u);
	text_add(out, " : slabdata %6lu %6lu %6lu\n", cache->slabs, cache->slabs, 0ul);
}

int proc_show_slabinfo(struct proc_file *file, struct text *out)
{
	struct slab_numbers cache;

	text_add(out, "slabinfo - version: 2.1\n# name            <active_objs> <num_objs> "
		      "<objsize> <objperslab> <pagesperslab> : tunables <limit> <batchcount> "
		      "<sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n");
	for (unsigned i = 0; slab_numbers(i, &cache); i++)
		add_cache(out, &cache);
	file->cursor = PROC_END;
	return 0;
}
