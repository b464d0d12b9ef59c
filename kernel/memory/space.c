/* SPDX-License-Identifier: MIT */
/*
 * User address spaces: which ranges a process has (VMAs), and pages on demand.
 *
 * A space is a tree of VMAs, sorted by address, never overlapping. Each is of a memory object (a
 * file's data) or anonymous. The page tables are a cache of what the VMAs promise for objects, and
 * the truth for private pages: an entry holds one reference on its frame. A private page is written
 * in place only by its sole owner (a FRAME_ANON frame with one reference); otherwise it is copied
 * first. Anonymous reads map the one zero page, which is not counted.
 *
 * Invariants: a page-table entry lies inside a VMA; it allows no more than its VMA's access; it
 * allows writing only when the VMA is shared or the frame is this space's alone; `resident` is the
 * number of entries that hold a frame.
 *
 * Locks: the space's mutex, which may be held while a filler sleeps, and is never held while user
 * memory is touched. Out of memory: an errno where a call asks, the end of the process where a fault
 * asks (space_fault).
 */
#include "memory/space.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "memory/object.h"
#include "memory/slab.h"
#include "memory/space_internal.h"

static struct cache space_cache;

struct frame *zero_frame;

void space_init(void)
{
	cache_init(&space_cache, "address space", sizeof(struct space), 0);
	vma_init();
	zero_frame = pages_alloc(0, FRAME_USED, PAGES_ZERO);
	if (!zero_frame)
		panic("no memory for the zero page");
}

struct space *space_create(void)
{
	struct space *space = cache_alloc(&space_cache);

	if (!space)
		return NULL;
	if (arch_space_init(&space->arch)) {
		cache_free(&space_cache, space);
		return NULL;
	}
	space->references = 1;
	mutex_init(&space->lock);
	tree_init(&space->vmas);
	space->map_top = USER_END;
	space->stack_top = USER_END;
	space->stack_limit = SPACE_STACK_LIMIT;
	return space;
}

void space_get(struct space *space)
{
	__atomic_add_fetch(&space->references, 1, __ATOMIC_RELAXED);
}

void space_put(struct space *space)
{
	if (__atomic_sub_fetch(&space->references, 1, __ATOMIC_ACQ_REL))
		return;
	mutex_lock(&space->lock);
	space_unmap_locked(space, 0, USER_END);
	mutex_unlock(&space->lock);
	assert(!space->vma_count && !space_resident(space) && !space->pages);
	arch_space_destroy(&space->arch);
	cache_free(&space_cache, space);
}

void pages_gone(void *context, const struct arch_gone *pages, unsigned count)
{
	struct space *space = context;

	for (unsigned i = 0; i < count; i++) {
		struct frame *frame = phys_frame(pages[i].phys);

		if (frame == zero_frame)
			continue;
		space->resident[frame_kind(frame)]--;
		frame_put(frame);
	}
}

/* VMAs with less than this between them are unmapped as one: a look at an entry is cheaper than a
 * walk to it. */
#define NEAR (16 * PAGE_SIZE)

/* Unmaps the pages from a VMA to the last one that is near enough and ends before `end`, which is
 * given back. */
static struct vma *unmap_run(struct space *space, struct vma *vma, uintptr_t end)
{
	struct vma *last = vma, *next, *prev = vma_prev(vma);

	while ((next = vma_next(last)) && next->end <= end && next->start - last->end < NEAR)
		last = next;
	arch_unmap(&space->arch, vma->start, last->end, prev ? prev->end : 0,
		next ? next->start : USER_END, pages_gone, space);
	return last;
}

void space_unmap_locked(struct space *space, uintptr_t start, uintptr_t end)
{
	struct vma *vma = vma_find(space, start), *last, *next;

	while (vma && vma->start < end) {
		assert(vma->start >= start && vma->end <= end); /* vma_isolate went before */
		last = unmap_run(space, vma, end);
		for (bool more = true; more; vma = next) {
			more = vma != last;
			next = vma_next(vma);
			vma_remove(space, vma);
		}
	}
}

/* ---- Changing the ranges ---- */

static bool bad_range(uintptr_t address, size_t size)
{
	return (address & (PAGE_SIZE - 1)) || size > USER_END || address > USER_END - size;
}

static long map_locked(struct space *space, uintptr_t address, size_t size, unsigned access,
	unsigned vma_flags, unsigned map_flags, struct object *object, uint64_t offset)
{
	struct vma *vma;

	if (map_flags & SPACE_FIXED) {
		if (bad_range(address, size))
			return address & (PAGE_SIZE - 1) ? -EINVAL : -ENOMEM;
		if (address < USER_MIN)
			return -EPERM;
		vma = vma_find(space, address);
		if ((map_flags & SPACE_NO_REPLACE) && vma && vma->start < address + size)
			return -EEXIST;
	} else {
		address = vma_place(space, ALIGN_DOWN(address, PAGE_SIZE), size);
		if (!address)
			return -ENOMEM;
	}
	/* All that can fail comes first. */
	vma = vma_alloc();
	if (!vma)
		return -ENOMEM;
	if (vma_isolate(space, address, address + size)) {
		vma_free(vma);
		return -ENOMEM;
	}
	space_unmap_locked(space, address, address + size);
	*vma = (struct vma){.start = address,
		.end = address + size,
		.access = access,
		.flags = vma_flags,
		.object = object,
		.offset = offset};
	if (object)
		object_get(object);
	vma_insert(space, vma);
	return (long)address;
}

static void free_object(struct object *object)
{
	kfree(object);
}

/* What shared anonymous memory is of, so that all who map it see the same pages. */
static struct object *zeroes_create(size_t size)
{
	static const struct object_operations zeroes = {.release = free_object};
	struct object *object = kmalloc(sizeof(*object));

	if (object)
		object_init(object, &zeroes, size);
	return object;
}

long space_map(struct space *space, uintptr_t address, size_t size, unsigned access,
	unsigned vma_flags, unsigned map_flags, struct object *object, uint64_t offset)
{
	struct object *zeroes = NULL;
	long result;

	if (!size)
		return -EINVAL;
	if (size > USER_END)
		return -ENOMEM;
	size = ALIGN_UP(size, PAGE_SIZE);
	if (!object && (vma_flags & VMA_SHARED)) {
		object = zeroes = zeroes_create(size);
		if (!zeroes)
			return -ENOMEM;
		offset = 0;
	}
	mutex_lock(&space->lock);
	if (space->vma_count >= SPACE_VMAS_MAX)
		result = -ENOMEM;
	else
		result = map_locked(
			space, address, size, access, vma_flags, map_flags, object, offset);
	mutex_unlock(&space->lock);
	if (zeroes)
		object_put(zeroes);
	return result;
}

int space_unmap(struct space *space, uintptr_t address, size_t size)
{
	int error;

	if (!size || size > USER_END)
		return -EINVAL;
	size = ALIGN_UP(size, PAGE_SIZE);
	if (bad_range(address, size))
		return -EINVAL;
	mutex_lock(&space->lock);
	error = vma_isolate(space, address, address + size);
	if (!error)
		space_unmap_locked(space, address, address + size);
	mutex_unlock(&space->lock);
	return error;
}

/* May a page of a private mapping be written without a copy? */
bool sole_owner(void *context, phys_t phys)
{
	const struct vma *vma = context;
	struct frame *frame = phys_frame(phys);

	if (vma->flags & VMA_SHARED)
		return true;
	return frame != zero_frame && frame->state == FRAME_ANON &&
	       __atomic_load_n(&frame->references, __ATOMIC_ACQUIRE) == 1;
}

static int protect_locked(struct space *space, uintptr_t start, uintptr_t end, unsigned access)
{
	struct vma *vma = vma_find(space, start);
	uintptr_t covered = start;
	int stop = -ENOMEM; /* a hole */

	for (; vma && vma->start <= covered && covered < end; vma = vma_next(vma)) {
		if ((access & MAP_WRITE) && (vma->flags & VMA_READ_ONLY)) {
			stop = -EACCES;
			break;
		}
		covered = vma->end;
	}
	if (covered == start)
		return stop;
	/* Linux changes what comes before the hole, then says ENOMEM. */
	if (vma_isolate(space, start, covered < end ? covered : end))
		return -ENOMEM;
	for (vma = vma_find(space, start); vma && vma->start < end && vma->start < covered;
		vma = vma_next(vma)) {
		vma->access = access;
		arch_protect(
			&space->arch, vma->start, vma->end, table_access(vma), sole_owner, vma);
	}
	vma_merge_range(space, start, end);
	return covered < end ? stop : 0;
}

int space_protect(struct space *space, uintptr_t address, size_t size, unsigned access)
{
	int error;

	if (address & (PAGE_SIZE - 1))
		return -EINVAL;
	if (!size)
		return 0;
	if (size > USER_END || bad_range(address, ALIGN_UP(size, PAGE_SIZE)))
		return -ENOMEM;
	size = ALIGN_UP(size, PAGE_SIZE);
	mutex_lock(&space->lock);
	error = protect_locked(space, address, address + size, access);
	mutex_unlock(&space->lock);
	return error;
}

static uintptr_t brk_locked(struct space *space, uintptr_t brk)
{
	uintptr_t old = ALIGN_UP(space->brk, PAGE_SIZE), new;
	struct vma *next;

	if (brk < space->brk_start || brk >= USER_END)
		return space->brk;
	new = ALIGN_UP(brk, PAGE_SIZE);
	if (new < old) {
		if (vma_isolate(space, new, old))
			return space->brk;
		space_unmap_locked(space, new, old);
	} else if (new > old) {
		next = vma_find(space, old);
		if (next && next->start < new + PAGE_SIZE)
			return space->brk;
		if (map_locked(space, old, new - old, MAP_READ | MAP_WRITE, VMA_HEAP, SPACE_FIXED,
			    NULL, 0) < 0)
			return space->brk;
	}
	space->brk = brk;
	return brk;
}

uintptr_t space_brk(struct space *space, uintptr_t brk)
{
	mutex_lock(&space->lock);
	brk = brk_locked(space, brk);
	mutex_unlock(&space->lock);
	return brk;
}
