/* SPDX-License-Identifier: MIT */
/* User address spaces. See space.c. */
#ifndef MEMORY_SPACE_H
#define MEMORY_SPACE_H

#include "arch/arch.h"
#include "lib/list.h"
#include "lib/tree.h"
#include "lib/types.h"
#include "process/mutex.h"

struct frame;
struct object;

enum vma_flags {
	VMA_SHARED = 1 << 0,     /* writes go to the object; else private, copy-on-write */
	VMA_GROWS_DOWN = 1 << 1, /* a stack */
	VMA_READ_ONLY = 1 << 2,  /* shared, of a file not open for writing: never gets MAP_WRITE */
	VMA_DONT_FORK = 1 << 3,  /* a child does not get it */
	VMA_WIPE_ON_FORK = 1 << 4,  /* a child gets it empty */
	VMA_LOCKED = 1 << 5,        /* by mlock; a child's is not */
	VMA_LOCK_ON_FAULT = 1 << 6, /* ... and not filled beforehand */
	VMA_NO_RESERVE = 1 << 7,    /* MAP_NORESERVE */
	VMA_ACCOUNTED = 1 << 8,     /* its pages are in committed_pages */
	VMA_DONT_DUMP = 1 << 9,     /* not in core files */
	VMA_SEQUENTIAL = 1 << 10,   /* how it will be read: advice without effect so far */
	VMA_RANDOM = 1 << 11,
	VMA_DONT_EXPAND = 1 << 12, /* the vDSO's: mremap may move it, but makes no more of it */
};

struct vma {
	struct tree_node node;
	struct vma *prev, *next; /* in the order of addresses */
	uintptr_t start, end;    /* page-aligned, start < end */
	uintptr_t gap, most_gap; /* free bytes below it; the most below one of its subtree */
	unsigned access;         /* enum map_access */
	unsigned flags;          /* enum vma_flags */
	struct object *object;   /* NULL: anonymous memory; a reference */
	uint64_t offset;         /* bytes into the object at start, page-aligned; 0 without one */
	/* by the object's lock */
	struct space *space;
	struct list mapping; /* on the object's list */
	uint64_t visited;    /* by which object_unmap last */
};

enum resident_kind { RESIDENT_FILE, RESIDENT_ANON, RESIDENT_SHMEM, RESIDENT_KINDS };
/* As Linux counts them: VmExe and libraries, VmStk, VmData, the rest. */
enum vma_kind { VMA_KIND_CODE, VMA_KIND_STACK, VMA_KIND_DATA, VMA_KIND_OTHER, VMA_KINDS };

struct space {
	struct arch_space arch;
	uint32_t references;
	struct mutex lock; /* guards all below and the page tables */
	struct tree vmas;
	struct vma *first, *last;
	struct vma *recent; /* found last; or NULL */
	struct vma *above;  /* below it lies the hole that was found or made last; or NULL */
	/* No VMA that starts above full_start has a gap of full_size bytes that ends by full_high: a search
	 * for as many begins at `full`, the highest of the others. full_start UINTPTR_MAX: nothing is known. */
	struct vma *full;
	uintptr_t full_start;
	size_t full_size;
	uintptr_t full_high;
	struct vma *spare; /* memory for the next one; or NULL */
	unsigned vma_count;
	uint64_t pages; /* of all VMAs */
	uint64_t kind_pages[VMA_KINDS];
	uint64_t locked_pages; /* of VMAs that are VMA_LOCKED */
	unsigned lock_future;  /* flags that new VMAs get: VMA_LOCKED, VMA_LOCK_ON_FAULT */
	/* frames that the tables hold, the zero page not counted */
	uint64_t resident[RESIDENT_KINDS];
	uint64_t resident_most; /* before something was unmapped: see space_resident_peak */
	uintptr_t brk_start, brk;
	uintptr_t map_top; /* mmap searches down from here */
	uintptr_t stack_top;
	uint64_t pages_most; /* before something was unmapped: see space_pages_peak */
	uint32_t membarrier; /* registrations: MEMBARRIER_CMD_REGISTER_*; changed atomically */
	/* for /proc and auxv, set by exec */
	uintptr_t arguments, arguments_end, environment_end, auxv;
	uintptr_t code, code_end, data, data_end; /* of the program's file */
	uintptr_t stack_start;                    /* its first stack pointer */
	bool reaped;                              /* set under the lock: space_reap */
	uint64_t id; /* no other space ever has it: for who may not hold the space itself */
};

/* Others than its one process hold it, or look at it just now. */
static inline bool space_is_shared(const struct space *space)
{
	return __atomic_load_n(&space->references, __ATOMIC_RELAXED) != 1;
}

static inline bool space_is_reaped(const struct space *space)
{
	return __atomic_load_n(&space->reaped, __ATOMIC_RELAXED);
}

static inline uint64_t space_resident(const struct space *space)
{
	return space->resident[RESIDENT_FILE] + space->resident[RESIDENT_ANON] +
	       space->resident[RESIDENT_SHMEM];
}

/* The most that was ever resident, in pages. Without the lock: a figure for getrusage. */
static inline uint64_t space_resident_peak(const struct space *space)
{
	uint64_t now = space_resident(space);

	return now > space->resident_most ? now : space->resident_most;
}

/* The most that was ever mapped, in pages. */
static inline uint64_t space_pages_peak(const struct space *space)
{
	return space->pages > space->pages_most ? space->pages : space->pages_most;
}

enum space_map_flags {
	SPACE_FIXED = 1,      /* at the address, over what is there */
	SPACE_NO_REPLACE = 2, /* with FIXED: -EEXIST when something is there */
	SPACE_LOW = 4,        /* in the second GiB (MAP_32BIT) */
	SPACE_POPULATE = 8,   /* the pages are made at once, as far as they can be */
};

void space_init(void);
struct space *space_create(void) MUST_CHECK; /* NULL: no memory */
/* A copy for a child: private pages are shared until one of the two writes. NULL: no memory. */
struct space *space_fork(struct space *parent) MUST_CHECK;
void space_get(struct space *space);
void space_put(struct space *space);
/* Takes the private anonymous pages of a space, whose process is being killed: from then on no fault in
 * it is served. Sleeps. */
void space_reap(struct space *space);

/* ---- map.c: the limits are the running process's ---- */

/* Maps `size` bytes (rounded up to pages) of `object` (NULL: anonymous; else a reference is taken)
 * from byte `offset` on. The address, or -ENOMEM, -EEXIST, -EINVAL, -EPERM, -EAGAIN (locked). */
long space_map(struct space *space, uintptr_t address, size_t size, unsigned access,
	unsigned vma_flags, unsigned map_flags, struct object *object, uint64_t offset) MUST_CHECK;
/* 0 or a negative errno, as munmap, mprotect (-EACCES: write access to a VMA_READ_ONLY). `access` may
 * have SPACE_PROTECT_DOWN: from the start of the stack in which the range lies. */
#define SPACE_PROTECT_DOWN 0x100u
int space_unmap(struct space *space, uintptr_t address, size_t size) MUST_CHECK;
int space_protect(struct space *space, uintptr_t address, size_t size, unsigned access) MUST_CHECK;
/* brk(2) as the kernel has it: the new break, or the old one where that cannot be. */
uintptr_t space_brk(struct space *space, uintptr_t brk);

/* ---- remap.c, advice.c, lock.c: as the system calls; flags and advice are Linux's ---- */

long space_remap(struct space *space, uintptr_t address, size_t old_size, size_t new_size,
	unsigned flags, uintptr_t new_address) MUST_CHECK;
int space_advise(struct space *space, uintptr_t address, size_t size, int advice) MUST_CHECK;
int space_sync(struct space *space, uintptr_t address, size_t size, unsigned flags) MUST_CHECK;
/* One byte a page, 1: it is in memory. Up to `count` pages from the address on. */
int space_in_core(struct space *space, uintptr_t address, size_t count, uint8_t *out) MUST_CHECK;
/* vma_flags: VMA_LOCKED, perhaps with VMA_LOCK_ON_FAULT; 0: unlocks. */
int space_lock(struct space *space, uintptr_t address, size_t size, unsigned vma_flags) MUST_CHECK;
/* `future`: flags of VMAs to come. */
enum space_lock_which { SPACE_LOCK_FUTURE, SPACE_LOCK_CURRENT };
int space_lock_all(struct space *space, enum space_lock_which which, unsigned vma_flags,
	unsigned future) MUST_CHECK;

/* ---- fault.c ---- */

/* The frame behind an address of any space, faulted in for `access`, with a reference.
 * 0 or -EFAULT. */
int space_frame(struct space *space, uintptr_t address, enum fault_access access,
	struct frame **out) MUST_CHECK;
/* Writes into a space that need not be in use. 0 or -EFAULT. */
int space_write(struct space *space, uintptr_t address, const void *bytes, size_t size) MUST_CHECK;
/* Clears from `address` to the end of its page. 0 or -EFAULT. */
int space_clear_tail(struct space *space, uintptr_t address) MUST_CHECK;
/* The same as space_write by a debugger: private memory that may be read is written even where the process itself
 * may not, in a copy of its own. */
int space_write_forced(
	struct space *space, uintptr_t address, const void *bytes, size_t size) MUST_CHECK;

#endif
