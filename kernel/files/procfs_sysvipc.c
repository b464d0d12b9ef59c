/* SPDX-License-Identifier: MIT */
/* /proc/sysvipc: System V's objects, one a line, whoever asks (man 5 proc). */
#include "files/procfs.h"

#include "ipc/message.h"
#include "ipc/semaphore.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/segment.h"

#define LINE_MOST 384u

static void add_owners(struct text *line, const struct ipc64_perm *perm)
{
	text_add(line, " %5u %5u %5u %5u", perm->uid, perm->gid, perm->cuid, perm->cgid);
}

static void add_name(struct text *line, const struct ipc_item *item)
{
	text_add(line, "%10d %10d  %4o", item->perm.key, item->id, item->perm.mode);
}

static void add_queue(struct text *line, const struct ipc_item *item) requires(ipc_lock)
{
	const struct msg_queue *queue = container_of(item, struct msg_queue, item);

	text_add(line, "  %10lu %10lu %5u %5u", queue->bytes, queue->count,
		(unsigned)queue->last_sender, (unsigned)queue->last_receiver);
	add_owners(line, &item->perm);
	text_add(line, " %10lu %10lu %10lu\n", (uint64_t)queue->sent, (uint64_t)queue->received,
		(uint64_t)queue->changed);
}

static void add_set(struct text *line, const struct ipc_item *item) requires(ipc_lock)
{
	const struct sem_set *set = container_of(item, struct sem_set, item);

	text_add(line, " %10u", set->count);
	add_owners(line, &item->perm);
	text_add(line, " %10lu %10lu\n", (uint64_t)set->operated, (uint64_t)set->changed);
}

static void add_segment(struct text *line, const struct ipc_item *item) requires(ipc_lock)
{
	const struct segment *segment = container_of(item, struct segment, item);
	const struct shmid64_ds *status = &segment->status;

	text_add(line, " %21lu %5u %5u  %5lu", (uint64_t)status->shm_segsz,
		(unsigned)status->shm_cpid, (unsigned)status->shm_lpid,
		(uint64_t)status->shm_nattch);
	add_owners(line, &item->perm);
	text_add(line, " %10lu %10lu %10lu", (uint64_t)status->shm_atime,
		(uint64_t)status->shm_dtime, (uint64_t)status->shm_ctime);
	text_add(line, " %21lu %21lu\n",
		__atomic_load_n(&segment->object.page_count, __ATOMIC_RELAXED) * PAGE_SIZE, 0ul);
}

static const struct sysv_table {
	const char *heading;
	const struct ipc_ids *ids;
	void (*add)(struct text *line, const struct ipc_item *item);
} tables[] = {
	{"       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid   "
	 "   stime"
	 "      rtime      ctime\n",
		&msg_ids, add_queue},
	{"       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n",
		&sem_ids, add_set},
	{"       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  "
	 "cgid      atime"
	 "      dtime      ctime                   rss                  swap\n",
		&segment_ids, add_segment},
};

/* The line of the first object from this index on: its index; below 0: there is none. */
static long next_line(const struct sysv_table *table, uint64_t from, struct text *line)
{
	struct radix_walk walk = {.index = from};
	const struct ipc_item *item;

	spin_lock(&ipc_lock);
	item = radix_walk_next(&table->ids->items, &walk);
	if (item) {
		add_name(line, item);
		table->add(line, item);
	}
	spin_unlock(&ipc_lock);
	return item ? (long)walk.index : -1;
}

/* The cursor: 0 at first, then the next index and 1. */
static int show(struct proc_file *file, struct text *out)
{
	const struct sysv_table *table = &tables[file->inode->entry->argument];
	char bytes[LINE_MOST];
	long index;

	if (!file->cursor) {
		text_add(out, "%s", table->heading);
		if (out->overflow)
			return 0;
		file->cursor = 1;
	}
	for (;;) {
		struct text line = {.bytes = bytes, .size = sizeof(bytes)};

		index = next_line(table, file->cursor - 1, &line);
		if (index < 0)
			break;
		if (out->size - out->used < line.used) {
			out->overflow = !out->used;
			return 0;
		}
		text_bytes(out, bytes, line.used);
		file->cursor = (uint64_t)index + 2;
	}
	file->cursor = PROC_END;
	return 0;
}

const struct proc_entry proc_sysvipc_entries[] = {
	{"msg", S_IFREG | 0444, .show = show, .argument = 0},
	{"sem", S_IFREG | 0444, .show = show, .argument = 1},
	{"shm", S_IFREG | 0444, .show = show, .argument = 2},
	{.name = NULL},
};
