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
	VMA_SHARED = 1,        /* writes go to the object; else private, copy-on-write */
	VMA_GROWS_DOWN = 2,    /* a stack */
	VMA_HEAP = 4,          /* made by brk */
	VMA_READ_ONLY = 8,     /* shared, of a file not open for writing: never gets MAP_WRITE */
	VMA_DONT_FORK = 16,    /* a child does not get it */
	VMA_WIPE_ON_FORK = 32, /* a child gets it empty */
	VMA_LOCKED = 64,       /* by mlock; a child's is not */
};

struct vma {
	struct tree_node node;
	uintptr_t start, end;  /* page-aligned, start < end */
	unsigned access;       /* enum map_access */
	unsigned flags;        /* enum vma_flags */
	struct object *object; /* NULL: anonymous memory; a reference */
	uint64_t offset;       /* bytes into the object at start, page-aligned */
	/* by the object's lock */
	struct space *space;
	struct list mapping; /* on the object's list */
	uint64_t visited;    /* by which object_unmap last */
};

enum resident_kind { RESIDENT_FILE, RESIDENT_ANON, RESIDENT_SHMEM, RESIDENT_KINDS };

struct space {
	struct arch_space arch;
	uint32_t references;
	struct mutex lock; /* guards all below and the page tables */
	struct tree vmas;
	unsigned vma_count;
	uint64_t pages; /* pages of all VMAs */
	/* frames that the tables hold, the zero page not counted */
	uint64_t resident[RESIDENT_KINDS];
	uintptr_t brk_start, brk;
	uintptr_t map_top; /* mmap searches down from here */
	uintptr_t stack_top;
	uint64_t stack_limit; /* bytes */
	/* for /proc and auxv, set by exec */
	uintptr_t arguments, arguments_end, environment_end;
};

static inline uint64_t space_resident(const struct space *space)
{
	return space->resident[RESIDENT_FILE] + space->resident[RESIDENT_ANON] +
	       space->resident[RESIDENT_SHMEM];
}

enum space_map_flags {
	SPACE_FIXED = 1,      /* at the address, over what is there */
	SPACE_NO_REPLACE = 2, /* with FIXED: -EEXIST when something is there */
};

void space_init(void);
struct space *space_create(void) MUST_CHECK; /* NULL: no memory */
/* A copy for a child: private pages are shared until one of the two writes. NULL: no memory. */
struct space *space_fork(struct space *parent) MUST_CHECK;
void space_get(struct space *space);
void space_put(struct space *space);

/* Maps `size` bytes (rounded up to pages) of `object` (NULL: anonymous; else a reference is taken)
 * from byte `offset` on. The address, or -ENOMEM, -EEXIST, -EINVAL. */
long space_map(struct space *space, uintptr_t address, size_t size, unsigned access,
	unsigned vma_flags, unsigned map_flags, struct object *object, uint64_t offset) MUST_CHECK;
/* 0 or a negative errno, as munmap, mprotect (-EACCES: write access to a VMA_READ_ONLY). */
int space_unmap(struct space *space, uintptr_t address, size_t size) MUST_CHECK;
int space_protect(struct space *space, uintptr_t address, size_t size, unsigned access) MUST_CHECK;
/* brk(2) as the kernel has it: the new break, or the old one where that cannot be. */
uintptr_t space_brk(struct space *space, uintptr_t brk);

/* The frame behind an address of any space, faulted in for `access`, with a reference.
 * 0 or -EFAULT. */
int space_frame(struct space *space, uintptr_t address, enum fault_access access,
	struct frame **out) MUST_CHECK;
/* Writes into a space that need not be in use. 0 or -EFAULT. */
int space_write(struct space *space, uintptr_t address, const void *bytes, size_t size) MUST_CHECK;

#endif
