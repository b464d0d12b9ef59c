/* SPDX-License-Identifier: MIT */
/* Segments of System V shared memory. See segment.c. */
#ifndef MEMORY_SEGMENT_H
#define MEMORY_SEGMENT_H

#include <asm/shmbuf.h>
#include <linux/ipc.h>

#include "lib/lock.h"
#include "lib/types.h"
#include "memory/object.h"

/* <linux/shm.h> cannot be had without a C library. man 2 shmget, shmat, shmctl. */
#define SHMMIN        1ul
#define SHMMNI        4096u
#define SHMMAX        (UINT64_MAX - (1ul << 24))
#define SHMALL        (UINT64_MAX - (1ul << 24))
#define SHM_HUGETLB   04000u
#define SHM_NORESERVE 010000u
#define SHM_RDONLY    010000u
#define SHM_RND       020000u
#define SHM_REMAP     040000u
#define SHM_EXEC      0100000u
#define SHM_LOCK      11
#define SHM_UNLOCK    12
#define SHM_STAT      13
#define SHM_INFO      14
#define SHM_STAT_ANY  15
#define SHM_DEST      01000u /* in a segment's mode: goes with its last attachment */
#define SHM_LOCKED    02000u

extern struct spinlock segments_lock;

struct segment {
	struct object object;    /* its pages */
	struct segment *chained; /* the next with the same hash of its key */
	uint64_t accounted;      /* pages in committed_pages */
	int id;
	int name;    /* the key that it was made by: for /proc/PID/maps */
	bool listed; /* has an id: the table has a reference */
	struct shmid64_ds
		status; /* what IPC_STAT gives; by segments_lock, like all but the object */
};

struct segment_totals {
	unsigned count;
	int last; /* the highest index in use, or 0 */
	uint64_t pages, resident;
};

/* A segment without an id, with one reference to its object. size: 1 to SHMMAX. NULL: no memory. */
struct segment *segment_create(size_t size, unsigned flags) MUST_CHECK;
/* Gives it an id and, unless it is IPC_PRIVATE, its key; the table takes over the reference: the id, or
 * -ENOSPC. */
int segment_publish(struct segment *segment, int key) requires(segments_lock) MUST_CHECK;
/* -ENOSPC: so many pages more are too many for all. */
int segment_room(uint64_t pages) requires(segments_lock) MUST_CHECK;
/* NULL: none. */
struct segment *segment_of_key(int key) requires(segments_lock) MUST_CHECK;
struct segment *segment_of_id(int id) requires(segments_lock) MUST_CHECK;
struct segment *segment_of_index(int index) requires(segments_lock) MUST_CHECK;
void segment_totals(struct segment_totals *out) requires(segments_lock);
/* IPC_RMID: its key is free at once; its id goes with it, when nobody has it attached any more. True:
 * now, and the caller drops the table's reference after the lock. */
bool segment_remove(struct segment *segment) requires(segments_lock) MUST_CHECK;

/* Counts the caller among those who have it attached, for the length of an attach. */
void segment_hold(struct segment *segment) requires(segments_lock);
void segment_release(struct segment *segment);
/* Maps it into the running process: the address, or a negative errno. address 0: anywhere. */
long segment_attach(
	struct segment *segment, uintptr_t address, unsigned access, unsigned flags) MUST_CHECK;
/* Unmaps what is there of the segment that was attached at the address: -EINVAL: none. */
int segment_detach(uintptr_t address) MUST_CHECK;

/* Seconds since the epoch, as the times of a segment. */
long segment_now(void);

#endif
