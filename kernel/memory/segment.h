/* SPDX-License-Identifier: MIT */
/* Segments of System V shared memory. See segment.c. */
#ifndef MEMORY_SEGMENT_H
#define MEMORY_SEGMENT_H

#include <asm/shmbuf.h>

#include "ipc/ipc.h"
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

struct segment {
	struct object object;     /* its pages */
	struct ipc_item item;     /* by ipc_lock, like all that follows */
	uint64_t accounted;       /* pages in committed_pages */
	int name;                 /* the key that it was made by: for /proc/PID/maps */
	bool listed;              /* has an id, which has a reference */
	struct shmid64_ds status; /* what IPC_STAT gives, but for shm_perm, which the item has */
};

struct segment_totals {
	unsigned count;
	int last; /* the highest index in use, or 0 */
	uint64_t pages, resident;
};

extern struct ipc_ids segment_ids;
/* kernel.shmmax (bytes of one), shmall (pages of all), shmmni (segments). Atomic. */
extern uint64_t segment_size_most, segment_pages_most;
extern int32_t segments_most;

/* How ipc_get makes them. */
extern const struct ipc_kind segment_kind;
/* NULL: none. */
struct segment *segment_of_id(int id) requires(ipc_lock) MUST_CHECK;
struct segment *segment_of_index(int index) requires(ipc_lock) MUST_CHECK;
void segment_totals(struct segment_totals *out) requires(ipc_lock);
/* IPC_RMID: its key is free at once; its id goes with it, when nobody has it attached any more. True:
 * now, and the caller drops the table's reference after the lock. */
bool segment_remove(struct segment *segment) requires(ipc_lock) MUST_CHECK;

/* Counts the caller among those who have it attached, for the length of an attach. */
void segment_hold(struct segment *segment) requires(ipc_lock);
void segment_release(struct segment *segment);
/* Maps it into the running process: the address, or a negative errno. address 0: anywhere. */
long segment_attach(
	struct segment *segment, uintptr_t address, unsigned access, unsigned flags) MUST_CHECK;
/* Unmaps what is there of the segment that was attached at the address: -EINVAL: none. */
int segment_detach(uintptr_t address) MUST_CHECK;

#endif
