/* SPDX-License-Identifier: MIT */
/*
 * Memory objects: pages by index.
 *
 * The design. A radix tree maps the index to the page's frame; the frame knows object and index
 * back. The object holds one reference to each of its pages, and whoever looks one up gets another,
 * so that a page that is being read or mapped outlives its removal from the object; its frame says
 * object NULL then.
 *
 * A page that is missing is filled outside all locks, since filling may wait for a disk: take a
 * page, fill it, and only then put it in. Two threads may fill the same page; the second one to
 * come finds the first one's and drops its own. A page that was being filled while the object was
 * cut shorter may hold what is no longer there: it is dropped too, and filled again.
 *
 * Invariants: each frame in the tree has state FRAME_OBJECT, this object and its index; page_count
 * is the number of them.
 *
 * Locks. object->lock; inside it the slab's and the page allocator's. It is held for one step of
 * the tree, never over fill or over more than a batch of pages. The reference count is atomic.
 *
 * Failure. -ENOMEM for the page or the tree's nodes, or what fill returns; the object is then as it
 * was.
 */
#include "memory/object.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "process/current.h"

/* Pages that are dropped between two holds of the lock. */
#define BATCH 16

uint64_t object_shmem_pages;

void object_init(struct object *object, const struct object_operations *operations, uint64_t size)
{
	*object = (struct object){.operations = operations, .references = 1, .size = size};
	spin_init(&object->lock, "object->lock");
	radix_init(&object->pages);
	list_init(&object->mappings);
}

void object_get(struct object *object)
{
	uint32_t before = __atomic_fetch_add(&object->references, 1, __ATOMIC_RELAXED);

	assert(before != 0 && before != UINT32_MAX);
}

static bool has_filler(const struct object *object)
{
	return object->operations && object->operations->fill;
}

static int charge(struct object *object)
{
	return object->operations && object->operations->charge ? object->operations->charge(object)
								: 0;
}

static void uncharge(struct object *object, unsigned count)
{
	if (count && object->operations && object->operations->uncharge)
		object->operations->uncharge(object, count);
}

/* ---- Into the object ---- */

static int insert(struct object *object, uint64_t index, struct frame *frame) requires(object->lock)
{
	int error = radix_put(&object->pages, index, frame);

	if (error)
		return error;
	frame->page.object = object;
	frame->page.index = index;
	frame->flags = (uint16_t)(has_filler(object) ? 0 : FRAME_SHMEM);
	object->page_count++;
	if (!has_filler(object))
		__atomic_add_fetch(&object_shmem_pages, 1, __ATOMIC_RELAXED);
	return 0;
}

/* The page if it is there, with a reference for the caller; *cuts is the object's at that moment. */
static struct frame *lookup(struct object *object, uint64_t index, uint64_t *cuts)
{
	struct frame *frame;

	spin_lock(&object->lock);
	frame = radix_get(&object->pages, index);
	if (frame)
		frame_get(frame);
	*cuts = object->cuts;
	spin_unlock(&object->lock);
	return frame;
}

/* Puts a filled page in, with a second reference for the caller. -EEXIST: somebody was faster;
 * -EAGAIN: the object was cut since `cuts` was read. */
static int publish(struct object *object, uint64_t index, struct frame *frame, uint64_t cuts)
{
	int error = -EAGAIN;

	spin_lock(&object->lock);
	if (object->cuts == cuts || !has_filler(object))
		error = insert(object, index, frame);
	if (!error)
		frame_get(frame);
	spin_unlock(&object->lock);
	return error;
}

/* Makes a page that was missing. *again: somebody else was faster, or it was cut meanwhile. */
static int make_page(
	struct object *object, uint64_t index, uint64_t cuts, struct frame **out, bool *again)
{
	struct frame *frame;
	int error = charge(object);

	*again = false;
	if (error)
		return error;
	frame = pages_alloc(0, FRAME_OBJECT, PAGES_ZERO);
	if (!frame) {
		uncharge(object, 1);
		return -ENOMEM;
	}
	error = has_filler(object) ? object->operations->fill(object, index, frame) : 0;
	if (!error) {
		error = publish(object, index, frame, cuts);
		*again = error == -EEXIST || error == -EAGAIN;
	}
	if (!error) {
		*out = frame;
		return 0;
	}
	frame_put(frame);
	uncharge(object, 1);
	return error;
}

int object_page(struct object *object, uint64_t index, struct frame **out)
{
	uint64_t cuts;
	bool again;
	int error;

	do {
		*out = lookup(object, index, &cuts);
		if (*out)
			return 0;
		error = make_page(object, index, cuts, out, &again);
	} while (again);
	return error;
}

int object_peek(struct object *object, uint64_t index, struct frame **out)
{
	if (has_filler(object))
		return object_page(object, index, out);
	*out = object_peek_memory(object, index);
	return 0;
}

bool object_has(struct object *object, uint64_t index)
{
	bool there;

	spin_lock(&object->lock);
	there = radix_get(&object->pages, index);
	spin_unlock(&object->lock);
	return there;
}

int object_adopt(struct object *object, uint64_t index, struct frame *frame)
{
	int error = charge(object);

	assert(frame->order == 0);
	if (error)
		return error;
	spin_lock(&object->lock);
	error = insert(object, index, frame);
	if (!error && frame->state != FRAME_OBJECT)
		frame_set_state(frame, FRAME_OBJECT);
	spin_unlock(&object->lock);
	if (error)
		uncharge(object, 1);
	return error;
}

/* ---- Out of it ---- */

/* Takes up to BATCH pages of [*index, end) out of the tree: how many. */
static unsigned take_batch(struct object *object, uint64_t *index, uint64_t end,
	struct frame **batch) requires(object->lock)
{
	unsigned count = 0;
	struct frame *frame;

	while (count < BATCH && (frame = radix_next(&object->pages, index)) && *index < end) {
		radix_remove(&object->pages, *index);
		frame->page.object = NULL;
		object->page_count--;
		if (!has_filler(object))
			__atomic_sub_fetch(&object_shmem_pages, 1, __ATOMIC_RELAXED);
		batch[count++] = frame;
	}
	return count;
}

static void drop_range(struct object *object, uint64_t index, uint64_t end)
{
	struct frame *batch[BATCH];
	unsigned count;

	do {
		spin_lock(&object->lock);
		count = take_batch(object, &index, end, batch);
		spin_unlock(&object->lock);
		for (unsigned i = 0; i < count; i++)
			frame_put(batch[i]);
		uncharge(object, count);
		sched_point();
	} while (count == BATCH);
}

/* Clears what stands behind the end in the last page. */
static void clear_tail(struct object *object, uint64_t size) requires(object->lock)
{
	size_t within = size % PAGE_SIZE;
	struct frame *last = within ? radix_get(&object->pages, size / PAGE_SIZE) : NULL;

	if (last)
		memset((char *)frame_ptr(last) + within, 0, PAGE_SIZE - within);
}

void object_truncate(struct object *object, uint64_t size)
{
	bool shorter;

	spin_lock(&object->lock);
	shorter = size < object->size;
	__atomic_store_n(&object->size, size, __ATOMIC_RELEASE);
	if (shorter) {
		object->cuts++;
		clear_tail(object, size);
	}
	spin_unlock(&object->lock);
	if (shorter)
		drop_range(object, size / PAGE_SIZE + (size % PAGE_SIZE != 0), UINT64_MAX);
}

void object_drop(struct object *object, uint64_t first, uint64_t count)
{
	drop_range(object, first, first + count);
}

void object_put(struct object *object)
{
	uint32_t before = __atomic_fetch_sub(&object->references, 1, __ATOMIC_ACQ_REL);

	assert(before != 0);
	if (before > 1)
		return;
	assert(list_empty(&object->mappings));
	drop_range(object, 0, UINT64_MAX);
	assert(!object->page_count);
	if (object->operations && object->operations->release)
		object->operations->release(object);
}
