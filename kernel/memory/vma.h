/* SPDX-License-Identifier: MIT */
/* The tree of VMAs of a space: finding, splitting, joining, placing. The space's lock is held. Plain
 * data: tested on the host. */
#ifndef MEMORY_VMA_H
#define MEMORY_VMA_H

#include "memory/space.h"

#define SPACE_STACK_LIMIT UINT64_C(0x800000) /* RLIMIT_STACK as Linux starts with */
#define SPACE_VMAS_MAX    65530u             /* vm.max_map_count */
#define STACK_GUARD_GAP   (256 * PAGE_SIZE)  /* kept free below a stack that grows */

void vma_init(void);
struct vma *vma_alloc(void) MUST_CHECK;
void vma_free(struct vma *vma);

/* The VMA that holds `address`, or the first above it; NULL: none. */
struct vma *vma_find(struct space *space, uintptr_t address);
struct vma *vma_next(struct vma *vma);
struct vma *vma_prev(struct vma *vma);
/* Inserts (and joins with neighbours that continue it); takes the VMA and its reference over. */
void vma_insert(struct space *space, struct vma *vma);
/* Gives `to`, which has none, copies of the VMAs that a fork copies, each on its object's list; pages are
 * not touched. -ENOMEM: `to` has none still. */
int vma_copy_all(struct space *to, struct space *from) MUST_CHECK;
/* Takes off the tree, drops the object's reference, frees. */
void vma_remove(struct space *space, struct vma *vma);
/* Splits so that no VMA straddles start or end. -ENOMEM: nothing but a split may have happened. */
int vma_isolate(struct space *space, uintptr_t start, uintptr_t end) MUST_CHECK;
/* Joins what can be joined in and around [start, end). */
void vma_merge_range(struct space *space, uintptr_t start, uintptr_t end);
/* Where `size` free bytes are: at `hint` when that is free, else the highest place below map_top.
 * 0: nowhere. */
uintptr_t vma_place(struct space *space, uintptr_t hint, size_t size);
/* Extends a stack down to `page`, within its limit and with the guard gap kept. */
bool vma_grow_down(struct space *space, struct vma *vma, uintptr_t page);
/* The hole that would be left without this VMA. */
void vma_bounds(struct vma *vma, uintptr_t *low, uintptr_t *high);

#endif
