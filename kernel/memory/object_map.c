/* SPDX-License-Identifier: MIT */
/*
 * Pages that go from under their mappings: a file is cut, and whoever maps its end must fault anew.
 *
 * Who maps an object is on its list of VMAs. A space that is found there is locked without the
 * object's lock, so each call has a number, and VMAs that it has seen carry it. A VMA that comes to
 * the list later (a fork's) is at its end and does not carry it.
 *
 * A file may be sealed against being written, which no mapping may then be able to do. Whoever makes such a
 * mapping says so first and counts as one until it is on the list; a mapping that is moved, split or forked
 * comes of one that is there.
 */
#include <linux/fcntl.h>

#include "lib/errno.h"
#include "memory/object.h"
#include "memory/space_internal.h"

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

/* Unmaps a part of a VMA. */
static void unmap_part(struct space *space, const struct vma *vma, uintptr_t start, uintptr_t end,
	enum unmap_copies copies)
{
	struct arch_mapping now;

	if (copies == UNMAP_COPIES || (vma->flags & VMA_SHARED)) {
		arch_unmap(&space->arch, start, end, USER_END, 0, pages_gone, space);
		return;
	}
	for (; start < end; start += PAGE_SIZE) {
		if (arch_lookup(&space->arch, start, &now) &&
			phys_frame(now.phys)->state != FRAME_ANON)
			arch_unmap(&space->arch, start, start + PAGE_SIZE, USER_END, 0, pages_gone,
				space);
	}
}

/* All of the space's VMAs of the object count as visited, so that the space's turn comes once. */
static void unmap_object_pages(struct space *space, struct object *object, uint64_t first,
	uint64_t last, enum unmap_copies copies, uint64_t round)
{
	for (struct vma *vma = vma_first(space); vma; vma = vma_next(vma)) {
		uint64_t low = vma->offset / PAGE_SIZE, high = low + vma_pages(vma);

		if (vma->object != object)
			continue;
		spin_lock(&object->lock);
		vma->visited = round;
		spin_unlock(&object->lock);
		if (first > low)
			low = first;
		if (last < high)
			high = last;
		if (low < high)
			unmap_part(space, vma, vma->start + low * PAGE_SIZE - vma->offset,
				vma->start + high * PAGE_SIZE - vma->offset, copies);
	}
}

void object_unmap_range(
	struct object *object, uint64_t first, uint64_t count, enum unmap_copies copies)
{
	static uint64_t rounds;
	uint64_t round = __atomic_add_fetch(&rounds, 1, __ATOMIC_RELAXED);
	uint64_t last = first + count < first ? UINT64_MAX : first + count;
	struct space *space;

	while ((space = next_mapper(object, round))) {
		mutex_lock(&space->lock);
		unmap_object_pages(space, object, first, last, copies, round);
		mutex_unlock(&space->lock);
		space_put(space);
	}
}

void object_unmap(struct object *object, uint64_t first)
{
	object_unmap_range(object, first, UINT64_MAX, UNMAP_COPIES);
}

int object_punch(struct object *object, uint64_t first, uint64_t count)
{
	if (object->operations && object->operations->fill)
		return -EOPNOTSUPP;
	object_unmap_range(object, first, count, KEEP_COPIES);
	object_drop(object, first, count);
	/* Once more, for what was touched in between: its page is no longer the object's. */
	object_unmap_range(object, first, count, KEEP_COPIES);
	return 0;
}

/* ---- Seals ---- */

bool object_begin_sharing(struct object *object)
{
	bool may;

	spin_lock(&object->lock);
	may = !(object->seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE));
	object->sharing += may;
	spin_unlock(&object->lock);
	return may;
}

void object_end_sharing(struct object *object)
{
	spin_lock(&object->lock);
	object->sharing--;
	spin_unlock(&object->lock);
}

static bool may_be_written(const struct object *object) requires(object->lock)
{
	const struct vma *vma;

	list_for_each(vma, &object->mappings, mapping)
	{
		if ((vma->flags & (VMA_SHARED | VMA_READ_ONLY)) == VMA_SHARED)
			return true;
	}
	return object->sharing;
}

int object_seal(struct object *object, uint32_t seals)
{
	int error = 0;

	spin_lock(&object->lock);
	if (seals & ~object->seals & F_SEAL_WRITE && may_be_written(object))
		error = -EBUSY;
	else
		__atomic_or_fetch(&object->seals, seals, __ATOMIC_RELAXED);
	spin_unlock(&object->lock);
	return error;
}
