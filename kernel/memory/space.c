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

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/vma.h"
#include "process/oom.h"
#include "process/process.h"

static struct cache space_cache;
#define OOM_TRIES 500 /* of some 2 ms: for a killed process to give up its pages */

static struct frame *zero_frame;

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
	assert(!space->vma_count && !space->resident && !space->pages);
	arch_space_destroy(&space->arch);
	cache_free(&space_cache, space);
}

static void page_gone(void *context, phys_t phys, bool dirty)
{
	struct space *space = context;
	struct frame *frame = phys_frame(phys);

	(void)dirty;
	if (frame == zero_frame)
		return;
	space->resident--;
	frame_put(frame);
}

void space_unmap_locked(struct space *space, uintptr_t start, uintptr_t end)
{
	struct vma *vma = vma_find(space, start), *next;

	for (; vma && vma->start < end; vma = next) {
		uintptr_t low, high;

		next = vma_next(vma);
		assert(vma->start >= start && vma->end <= end); /* vma_isolate went before */
		vma_bounds(vma, &low, &high);
		arch_unmap(&space->arch, vma->start, vma->end, low, high, page_gone, space);
		vma_remove(space, vma);
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

/* What page-table entries of a VMA may allow: x86 has no memory that can be written or executed but
 * not read. */
static unsigned table_access(const struct vma *vma)
{
	return vma->access ? vma->access | MAP_READ : 0;
}

/* May a page of a private mapping be written without a copy? */
static bool sole_owner(void *context, phys_t phys)
{
	const struct vma *vma = context;
	struct frame *frame = phys_frame(phys);

	if (vma->flags & VMA_SHARED)
		return true;
	return frame != zero_frame && frame->state == FRAME_ANON && frame->references == 1;
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

/* ---- Pages that go from under their mappings ---- */

/* The next space that maps the object and was not visited by `round`; with a reference. A space that
 * is being torn down has none left, and lets go of its pages by itself. */
static struct space *next_mapper(struct object *object, uint64_t round)
{
	struct space *space = NULL;
	struct vma *vma;

	spin_lock(&object->lock);
	list_for_each(vma, &object->mappings, mapping)
	{
		uint32_t references;

		if (vma->visited == round)
			continue;
		vma->visited = round;
		references = __atomic_load_n(&vma->space->references, __ATOMIC_RELAXED);
		while (references &&
			!__atomic_compare_exchange_n(&vma->space->references, &references,
				references + 1, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			;
		if (references) {
			space = vma->space;
			break;
		}
	}
	spin_unlock(&object->lock);
	return space;
}

/* All of the space's VMAs of the object count as visited, so that the space's turn comes once. */
static void unmap_object_pages(
	struct space *space, struct object *object, uint64_t first, uint64_t round)
{
	for (struct vma *vma = vma_find(space, 0); vma; vma = vma_next(vma)) {
		uint64_t skipped = first * PAGE_SIZE;
		uintptr_t start = vma->start;

		if (vma->object != object)
			continue;
		spin_lock(&object->lock);
		vma->visited = round;
		spin_unlock(&object->lock);
		if (skipped > vma->offset)
			start = skipped - vma->offset < vma->end - vma->start
					? vma->start + (skipped - vma->offset)
					: vma->end;
		if (start < vma->end)
			arch_unmap(&space->arch, start, vma->end, USER_END, 0, page_gone, space);
	}
}

void object_unmap(struct object *object, uint64_t first)
{
	static uint64_t rounds;
	uint64_t round = __atomic_add_fetch(&rounds, 1, __ATOMIC_RELAXED);
	struct space *space;

	while ((space = next_mapper(object, round))) {
		mutex_lock(&space->lock);
		unmap_object_pages(space, object, first, round);
		mutex_unlock(&space->lock);
		space_put(space);
	}
}

/* ---- Faults ---- */

enum fault_verdict { FAULT_DONE, FAULT_NO_MEMORY, FAULT_BUS };

static enum fault_verdict install(struct space *space, const struct vma *vma, uintptr_t page,
	struct frame *frame, unsigned access)
{
	(void)vma;
	if (arch_map(&space->arch, page, frame_phys(frame), access)) {
		if (frame != zero_frame)
			frame_put(frame);
		return FAULT_NO_MEMORY;
	}
	if (frame != zero_frame)
		space->resident++;
	return FAULT_DONE;
}

static enum fault_verdict anonymous_fault(
	struct space *space, const struct vma *vma, uintptr_t page, enum fault_access access)
{
	struct frame *frame;

	if (access != FAULT_WRITE)
		return install(
			space, vma, page, zero_frame, table_access(vma) & ~(unsigned)MAP_WRITE);
	frame = pages_alloc(0, FRAME_ANON, PAGES_ZERO);
	if (!frame)
		return FAULT_NO_MEMORY;
	return install(space, vma, page, frame, table_access(vma));
}

static struct frame *private_copy(struct frame *from)
{
	struct frame *frame =
		pages_alloc(0, FRAME_ANON, from == zero_frame ? PAGES_ZERO : PAGES_NORMAL);

	if (frame && from != zero_frame)
		memcpy(frame_ptr(frame), frame_ptr(from), PAGE_SIZE);
	return frame;
}

static enum fault_verdict object_fault(
	struct space *space, const struct vma *vma, uintptr_t page, enum fault_access access)
{
	uint64_t at = vma->offset + (page - vma->start);
	struct frame *frame, *copy;
	int error;

	if (at >= ALIGN_UP(vma->object->size, PAGE_SIZE))
		return FAULT_BUS;
	error = object_page(vma->object, at / PAGE_SIZE, &frame);
	if (error)
		return error == -ENOMEM ? FAULT_NO_MEMORY : FAULT_BUS;
	if (vma->flags & VMA_SHARED)
		return install(space, vma, page, frame, table_access(vma));
	if (access != FAULT_WRITE)
		return install(space, vma, page, frame, table_access(vma) & ~(unsigned)MAP_WRITE);
	copy = private_copy(frame);
	frame_put(frame);
	return copy ? install(space, vma, page, copy, table_access(vma)) : FAULT_NO_MEMORY;
}

/* A write to a page that is mapped without the right to: copy-on-write, or its last owner. */
static enum fault_verdict write_fault(
	struct space *space, struct vma *vma, uintptr_t page, const struct arch_mapping *now)
{
	struct frame *old = phys_frame(now->phys), *copy;

	if (sole_owner(vma, now->phys))
		return arch_map(&space->arch, page, now->phys, table_access(vma)) ? FAULT_NO_MEMORY
										  : FAULT_DONE;
	copy = private_copy(old);
	if (!copy)
		return FAULT_NO_MEMORY;
	if (arch_map(&space->arch, page, frame_phys(copy), table_access(vma))) {
		frame_put(copy);
		return FAULT_NO_MEMORY;
	}
	if (old == zero_frame)
		space->resident++;
	else
		frame_put(old);
	return FAULT_DONE;
}

/* Makes the page present for `access`, which the VMA allows. */
static enum fault_verdict make_present(
	struct space *space, struct vma *vma, uintptr_t page, enum fault_access access)
{
	struct arch_mapping now;

	if (!arch_lookup(&space->arch, page, &now)) {
		return vma->object ? object_fault(space, vma, page, access)
				   : anonymous_fault(space, vma, page, access);
	}
	if (access == FAULT_WRITE && !(now.access & MAP_WRITE))
		return write_fault(space, vma, page, &now);
	return FAULT_DONE; /* another thread was quicker, or a stale TLB entry */
}

static bool allows(const struct vma *vma, enum fault_access access)
{
	if (access == FAULT_READ)
		return vma
			->access; /* x86 has no memory that can be written or executed but not read */
	return vma->access & (unsigned)access;
}

/* Finds the VMA and checks access, growing a stack where need be. */
static struct vma *fault_vma(struct space *space, uintptr_t address, enum fault_access access,
	struct fault_result *result)
{
	struct vma *vma = vma_find(space, address);

	*result = (struct fault_result){SIGSEGV, SEGV_MAPERR};
	if (!vma)
		return NULL;
	if (address < vma->start &&
		(!(vma->flags & VMA_GROWS_DOWN) ||
			!vma_grow_down(space, vma, ALIGN_DOWN(address, PAGE_SIZE))))
		return NULL;
	if (!allows(vma, access)) {
		result->code = SEGV_ACCERR;
		return NULL;
	}
	return vma;
}

static int fault_locked(struct space *space, uintptr_t address, enum fault_access access,
	struct fault_result *result)
{
	struct vma *vma = fault_vma(space, address, access, result);

	if (!vma)
		return -EFAULT;
	switch (make_present(space, vma, ALIGN_DOWN(address, PAGE_SIZE), access)) {
	case FAULT_DONE:
		return 0;
	case FAULT_BUS:
		*result = (struct fault_result){SIGBUS, BUS_ADRERR};
		return -EFAULT;
	default:
		*result = (struct fault_result){SIGKILL, SI_KERNEL};
		return -EFAULT;
	}
}

int space_fault(uintptr_t address, enum fault_access access, bool user, struct fault_result *result)
{
	struct space *space = current_space();
	int error = -EFAULT;

	*result = (struct fault_result){SIGSEGV, SEGV_MAPERR};
	if (address >= USER_END || !space)
		return -EFAULT;
	for (int tries = 0; tries < OOM_TRIES; tries++) {
		mutex_lock(&space->lock);
		error = fault_locked(space, address, access, result);
		mutex_unlock(&space->lock);
		if (!error || result->signal != SIGKILL || !oom_relieve())
			break;
	}
	if (error && result->signal == SIGKILL && user)
		log_warn("out of memory: %s[%d] wanted the page at %#lx and has %lu resident pages",
			current_thread()->name, current_process()->pid, address, space->resident);
	return error;
}

int space_frame(
	struct space *space, uintptr_t address, enum fault_access access, struct frame **out)
{
	struct fault_result result;
	struct arch_mapping now;
	int error;

	if (address >= USER_END)
		return -EFAULT;
	mutex_lock(&space->lock);
	error = fault_locked(space, address, access, &result);
	if (!error && arch_lookup(&space->arch, ALIGN_DOWN(address, PAGE_SIZE), &now)) {
		*out = phys_frame(now.phys);
		frame_get(*out);
	}
	mutex_unlock(&space->lock);
	return error;
}

int space_write(struct space *space, uintptr_t address, const void *bytes, size_t size)
{
	while (size) {
		size_t within = address & (PAGE_SIZE - 1);
		size_t part = size < PAGE_SIZE - within ? size : PAGE_SIZE - within;
		struct frame *frame;
		int error = space_frame(space, address, FAULT_WRITE, &frame);

		if (error)
			return error;
		memcpy((char *)frame_ptr(frame) + within, bytes, part);
		frame_put(frame);
		bytes = (const char *)bytes + part;
		address += part;
		size -= part;
	}
	return 0;
}
