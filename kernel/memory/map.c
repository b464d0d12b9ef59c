/* SPDX-License-Identifier: MIT */
/*
 * mmap, munmap, mprotect and brk on a space: man 2 mmap, munmap, mprotect, brk.
 *
 * Each looks first, then takes the memory that it needs, then changes; only mprotect over several
 * VMAs stops half way, as Linux's does. What is asked may be refused for the process's limits and
 * for the machine's memory: limits.c.
 */
#include <asm/resource.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "memory/object.h"
#include "memory/slab.h"
#include "memory/space_internal.h"

#define LOW_START UINT64_C(0x40000000) /* MAP_32BIT */
#define LOW_END   UINT64_C(0x80000000)

static bool bad_range(uintptr_t address, size_t size)
{
	return (address & (PAGE_SIZE - 1)) || size > USER_END || address > USER_END - size;
}

/* ---- Unmapping ---- */

void unmap_pages(struct space *space, const struct vma *vma, uintptr_t start, uintptr_t end)
{
	uintptr_t low, high;

	vma_bounds(vma, start, end, &low, &high);
	arch_unmap(&space->arch, start, end, low, high, pages_gone, space);
}

int unmap_range_locked(struct space *space, uintptr_t start, uintptr_t end)
{
	struct vma *vma = vma_find(space, start);

	if (!vma || vma->start >= end)
		return 0;
	if (start <= vma->start && end < vma->end) {
		unmap_pages(space, vma, vma->start, end);
		vma_trim(space, vma, end, vma->end);
		return 0;
	}
	if (start > vma->start && end == vma->end) {
		unmap_pages(space, vma, start, end);
		vma_trim(space, vma, vma->start, start);
		return 0;
	}
	if (start <= vma->start && end == vma->end) {
		unmap_pages(space, vma, vma->start, end);
		vma_remove(space, vma);
		return 0;
	}
	if (start > vma->start || end < vma->end || vma_next(vma)) {
		if (vma_isolate(space, start, end)) {
			vma_merge_range(space, start, start);
			return -ENOMEM;
		}
	}
	space_unmap_locked(space, start, end);
	return 0;
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
	space->pages_most = space_pages_peak(space);
	error = unmap_range_locked(space, address, address + size);
	mutex_unlock(&space->lock);
	return error;
}

/* ---- Mapping ---- */

/* How many pages of a range are mapped. */
static uint64_t pages_in(struct space *space, uintptr_t start, uintptr_t end)
{
	uint64_t pages = 0;

	for (struct vma *vma = vma_find(space, start); vma && vma->start < end;
		vma = vma_next(vma)) {
		uintptr_t low = vma->start > start ? vma->start : start;
		uintptr_t high = vma->end < end ? vma->end : end;

		pages += (high - low) / PAGE_SIZE;
	}
	return pages;
}

/* Where it goes: the address, or a negative errno. */
static long find_place(struct space *space, uintptr_t address, size_t size, unsigned map_flags)
{
	struct vma *vma;

	if (map_flags & SPACE_FIXED) {
		if (bad_range(address, size))
			return address & (PAGE_SIZE - 1) ? -EINVAL : -ENOMEM;
		if (!memory_may_map(address))
			return -EPERM;
		if (map_flags & SPACE_NO_REPLACE) {
			vma = vma_find(space, address);
			if (vma && vma->start < address + size)
				return -EEXIST;
		}
		return (long)address;
	}
	if (address && address < memory_least())
		address = memory_least();
	address = ALIGN_DOWN(address, PAGE_SIZE);
	if (!(map_flags & SPACE_LOW)) {
		address = vma_place(space, address, size);
	} else {
		/* As on Linux the hint may lie below the second GiB. */
		address = vma_place_hint(space, address, size, LOW_END);
		if (!address)
			address = vma_place_in(space, size, LOW_START, LOW_END);
	}
	return address ? (long)address : -ENOMEM;
}

/* May the process have it? 0 with the VMA's flags complete, or the errno. */
static int check_limits(struct space *space, struct vma *like, unsigned map_flags)
{
	uint64_t pages = vma_pages(like);
	enum vma_kind kind = vma_kind(like);

	like->flags |= space->lock_future;
	if (unlikely(like->flags & VMA_LOCKED)) {
		int error = memory_lock_more(space, like->flags, pages);

		if (error)
			return error;
	}
	if (unlikely(!memory_may_expand(space, kind, pages)) &&
		(!(map_flags & SPACE_FIXED) ||
			!memory_may_expand(
				space, kind, pages - pages_in(space, like->start, like->end))))
		return -ENOMEM;
	if (accountable(like->access, like->flags)) {
		if (unlikely(!memory_enough(pages)))
			return -ENOMEM;
		like->flags |= VMA_ACCOUNTED;
	}
	return 0;
}

/* Over what is there. */
static int replace_locked(struct space *space, const struct vma *like)
{
	struct vma *spare = vma_alloc(space);
	int error = spare ? unmap_range_locked(space, like->start, like->end) : -ENOMEM;

	if (!error)
		vma_add_spare(space, like, spare);
	else if (spare)
		vma_free(space, spare);
	return error;
}

/* like: the VMA that is wanted, at start; its end is to be found. */
static long map_locked(struct space *space, struct vma *like, size_t size, unsigned map_flags)
{
	long address;
	int error;

	if (unlikely(space->vma_count > vma_most()))
		return -ENOMEM;
	address = find_place(space, like->start, size, map_flags);
	if (address < 0)
		return address;
	like->start = (uintptr_t)address;
	like->end = like->start + size;
	error = check_limits(space, like, map_flags);
	if (error)
		return error;
	if ((map_flags & (SPACE_FIXED | SPACE_NO_REPLACE)) == SPACE_FIXED)
		error = replace_locked(space, like);
	else
		error = vma_add(space, like);
	return error ? error : address;
}

/* What shared anonymous memory is of, so that all who map it see the same pages. */
struct zeroes {
	struct object object;
	uint64_t accounted; /* pages in committed_pages */
	uint64_t number;    /* as a file has one */
};

static void free_zeroes(struct object *object)
{
	struct zeroes *zeroes = container_of(object, struct zeroes, object);

	__atomic_sub_fetch(&committed_pages, zeroes->accounted, __ATOMIC_RELAXED);
	kfree(zeroes);
}

/* Linux makes a file of tmpfs for it, by this name. */
static void describe_zeroes(struct object *object, struct object_name *out)
{
	static const char name[] = "/dev/zero (deleted)";

	_Static_assert(sizeof(name) <= sizeof(out->text), "it fits");
	out->device = 1;
	out->number = container_of(object, struct zeroes, object)->number;
	for (size_t i = 0; i < sizeof(name); i++)
		out->text[i] = name[i];
}

static struct object *zeroes_create(size_t size, unsigned vma_flags)
{
	static const struct object_operations operations = {
		.release = free_zeroes, .describe = describe_zeroes};
	static uint64_t last_number;
	uint64_t pages = vma_flags & VMA_NO_RESERVE ? 0 : size / PAGE_SIZE;
	struct zeroes *zeroes = memory_enough(pages) ? kmalloc(sizeof(*zeroes)) : NULL;

	if (!zeroes)
		return NULL;
	object_init(&zeroes->object, &operations, size);
	zeroes->accounted = pages;
	zeroes->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
	__atomic_add_fetch(&committed_pages, pages, __ATOMIC_RELAXED);
	return &zeroes->object;
}

long space_map(struct space *space, uintptr_t address, size_t size, unsigned access,
	unsigned vma_flags, unsigned map_flags, struct object *object, uint64_t offset)
{
	struct object *zeroes = NULL;
	struct vma like;
	long result;

	if (!size)
		return -EINVAL;
	if (size > USER_END)
		return -ENOMEM;
	if ((vma_flags & VMA_LOCKED) && !memory_may_lock())
		return -EPERM;
	size = ALIGN_UP(size, PAGE_SIZE);
	if (!object && (vma_flags & VMA_SHARED)) {
		object = zeroes = zeroes_create(size, vma_flags);
		if (!zeroes)
			return -ENOMEM;
		offset = 0;
	}
	like.start = address;
	like.access = access;
	like.flags = vma_flags;
	like.object = object;
	like.offset = object ? offset : 0;
	mutex_lock(&space->lock);
	result = map_locked(space, &like, size, map_flags);
	mutex_unlock(&space->lock);
	if (zeroes)
		object_put(zeroes);
	if (result >= 0 && ((map_flags & SPACE_POPULATE) ||
				   (like.flags & (VMA_LOCKED | VMA_LOCK_ON_FAULT)) == VMA_LOCKED))
		(void)!populate_range(space, like.start, like.end, POPULATE_AS_ALLOWED);
	return result;
}

/* ---- Protecting ---- */

/* [start, end) of one VMA. */
static int protect_part(
	struct space *space, struct vma *vma, uintptr_t start, uintptr_t end, unsigned access)
{
	uint64_t pages = (end - start) / PAGE_SIZE;
	struct vma like;

	if (access == vma->access)
		return 0;
	if ((access & MAP_WRITE) && (vma->flags & VMA_READ_ONLY))
		return -EACCES;
	like.access = access;
	like.flags = vma->flags;
	if ((access & MAP_WRITE) && vma_kind(&like) == VMA_KIND_DATA &&
		vma_kind(vma) != VMA_KIND_DATA && !memory_may_expand(space, VMA_KIND_DATA, pages) &&
		memory_may_expand(space, VMA_KIND_OTHER, pages))
		return -ENOMEM;
	if (accountable(access, vma->flags) && !(vma->flags & VMA_ACCOUNTED)) {
		if (!memory_enough(pages))
			return -ENOMEM;
		like.flags |= VMA_ACCOUNTED;
	}
	vma = vma_change(space, vma, start, end, access, like.flags);
	if (!vma)
		return -ENOMEM;
	arch_protect(&space->arch, start, end, table_access(vma), sole_owner, vma);
	return 0;
}

static int protect_locked(struct space *space, uintptr_t start, uintptr_t end, unsigned access)
{
	struct vma *vma = vma_find(space, start);
	int error;

	if (!vma || (!(access & SPACE_PROTECT_DOWN) && vma->start > start))
		return -ENOMEM;
	if (access & SPACE_PROTECT_DOWN) {
		if (vma->start >= end)
			return -ENOMEM;
		if (!(vma->flags & VMA_GROWS_DOWN))
			return -EINVAL;
		start = vma->start;
		access &= ~SPACE_PROTECT_DOWN;
	}
	/* Linux changes what comes before a hole, then says ENOMEM. */
	for (;;) {
		uintptr_t stop = vma->end < end ? vma->end : end;

		error = protect_part(space, vma, start, stop, access);
		if (error || stop == end)
			return error;
		start = stop;
		vma = vma_find(space, start);
		if (!vma || vma->start > start)
			return -ENOMEM;
	}
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

/* ---- The break ---- */

static bool brk_grow(struct space *space, uintptr_t old, uintptr_t new)
{
	struct vma *prev, *next = vma_neighbours(space, old, &prev);
	struct vma like;

	like.start = old;
	like.end = new;
	like.access = MAP_READ | MAP_WRITE;
	like.flags = 0;
	like.object = NULL;
	like.offset = 0;
	if (next && next->start < new + PAGE_SIZE)
		return false;
	if (next && (next->flags & VMA_GROWS_DOWN) &&
		next->start < new + PAGE_SIZE + STACK_GUARD_GAP)
		return false;
	if (new - space->brk_start > memory_limit(RLIMIT_DATA))
		return false;
	if (check_limits(space, &like, 0))
		return false;
	return !vma_add_between(space, &like, prev, next);
}

static uintptr_t brk_locked(struct space *space, uintptr_t brk)
{
	uintptr_t old = ALIGN_UP(space->brk, PAGE_SIZE), new = ALIGN_UP(brk, PAGE_SIZE);

	if (brk < space->brk_start || brk >= USER_END)
		return space->brk;
	if (new < old && unmap_range_locked(space, new, old))
		return space->brk;
	if (new > old && !brk_grow(space, old, new))
		return space->brk;
	space->brk = brk;
	return brk;
}

uintptr_t space_brk(struct space *space, uintptr_t brk)
{
	uintptr_t before, after;
	bool fill;

	mutex_lock(&space->lock);
	before = space->brk;
	after = brk_locked(space, brk);
	fill = after > before &&
	       (space->lock_future & (VMA_LOCKED | VMA_LOCK_ON_FAULT)) == VMA_LOCKED;
	mutex_unlock(&space->lock);
	if (fill)
		(void)!populate_range(space, ALIGN_UP(before, PAGE_SIZE),
			ALIGN_UP(after, PAGE_SIZE), POPULATE_AS_ALLOWED);
	return after;
}
