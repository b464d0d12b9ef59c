/* SPDX-License-Identifier: MIT */
/*
 * Pages that go from under their mappings: a file is cut, and whoever maps its end must fault anew.
 *
 * Who maps an object is on its list of VMAs. A space that is found there is locked without the
 * object's lock, so each call has a number, and VMAs that it has seen carry it. A VMA that comes to
 * the list later (a fork's) is at its end and does not carry it.
 */
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
			arch_unmap(&space->arch, start, vma->end, USER_END, 0, pages_gone, space);
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
