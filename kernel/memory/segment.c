/* SPDX-License-Identifier: MIT */
/*
 * Segments of System V shared memory: man 7 sysvipc, man 2 shmget, shmop.
 *
 * A segment is a memory object with an id, perhaps a key, an owner and permissions. Attached it is a
 * shared mapping like any other. How many attachments there are is how many VMAs there are of it,
 * as on Linux: a fork, a split by mprotect, exec and exit count by themselves, because the VMAs
 * tell the object (object_operations.mapped, unmapped).
 *
 * Ids are places in a table of SHMMNI, with a sequence number that grows whenever the places have been
 * gone through, so that an id is not soon somebody else's.
 *
 * Invariants: a listed segment is in the table, and the table has a reference to its object; it has a
 * key that is not IPC_PRIVATE if and only if it is in the chain of that key. A segment that is to go
 * (SHM_DEST) has no key, and is listed as long as it is attached. One that is not listed any more may
 * still have VMAs for a moment, while mremap moves them.
 *
 * Lock: segments_lock, a leaf but for the allocator; taken under spaces' locks.
 */
#include "memory/segment.h"

#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/radix.h"
#include "memory/slab.h"
#include "memory/space_internal.h"
#include "process/clocks.h"
#include "process/current.h"

#define KEY_CHAINS  256u
#define SEQUENCE    32768 /* an id is sequence number * this + index */
#define SEQUENCES   (INT32_MAX / SEQUENCE + 1)
#define CYCLE_LEAST 64u /* so many indices are used before one comes again */

struct spinlock segments_lock = SPINLOCK_INIT;

static struct radix table guarded_by(segments_lock); /* by index, below SHMMNI */
static struct segment *keys[KEY_CHAINS] guarded_by(segments_lock);
static unsigned listed guarded_by(segments_lock);
static unsigned last_index guarded_by(segments_lock) = SHMMNI;
static int sequence guarded_by(segments_lock);
static uint64_t all_pages guarded_by(segments_lock);

static struct segment *segment_of(struct object *object)
{
	return container_of(object, struct segment, object);
}

long segment_now(void)
{
	return (long)((realtime_offset() + arch_clock()) / NS_PER_SECOND);
}

static uint64_t pages_of(const struct segment *segment)
{
	return DIV_ROUND_UP(segment->status.shm_segsz, PAGE_SIZE);
}

/* ---- Ids and keys ---- */

static struct segment **chain_of(int key) requires(segments_lock)
{
	return &keys[(uint32_t)key * UINT32_C(0x9e3779b1) >> 24];
}

struct segment *segment_of_key(int key)
{
	struct segment *segment = *chain_of(key);

	while (segment && segment->status.shm_perm.key != key)
		segment = segment->chained;
	return segment;
}

struct segment *segment_of_index(int index)
{
	return index >= 0 ? radix_get(&table, (uint64_t)index) : NULL;
}

struct segment *segment_of_id(int id)
{
	struct segment *segment = id >= 0 ? segment_of_index(id % SEQUENCE) : NULL;

	return segment && segment->id == id ? segment : NULL;
}

static void drop_key(struct segment *segment) requires(segments_lock)
{
	struct segment **link = chain_of(segment->status.shm_perm.key);

	if (segment->status.shm_perm.key == IPC_PRIVATE)
		return;
	while (*link != segment)
		link = &(*link)->chained;
	*link = segment->chained;
	segment->status.shm_perm.key = IPC_PRIVATE;
}

/* The next free index, round and round in somewhat more than are in use. There is one. */
static unsigned next_index(void) requires(segments_lock)
{
	unsigned cycle = listed * 3 / 2, index = last_index;

	cycle = cycle < CYCLE_LEAST ? CYCLE_LEAST : cycle > SHMMNI ? SHMMNI : cycle;
	do {
		index = index + 1 < cycle ? index + 1 : 0;
	} while (radix_get(&table, index));
	return index;
}

int segment_room(uint64_t pages)
{
	return listed < SHMMNI && all_pages + pages >= pages && all_pages + pages <= SHMALL
		       ? 0
		       : -ENOSPC;
}

int segment_publish(struct segment *segment, int key)
{
	struct segment **chain = chain_of(key);
	int error = segment_room(pages_of(segment));
	unsigned index;

	if (error)
		return error;
	index = next_index();
	error = radix_put(&table, index, segment);
	if (error)
		return error;
	if (last_index < SHMMNI && index <= last_index)
		sequence = (sequence + 1) % SEQUENCES;
	last_index = index;
	listed++;
	all_pages += pages_of(segment);
	segment->listed = true;
	segment->id = sequence * SEQUENCE + (int)index;
	segment->status.shm_perm.seq = (unsigned short)sequence;
	segment->status.shm_perm.key = segment->name = key;
	if (key != IPC_PRIVATE) {
		segment->chained = *chain;
		*chain = segment;
	}
	return segment->id;
}

/* True: the table's reference is the caller's now. */
static bool unlist(struct segment *segment) requires(segments_lock)
{
	if (!segment->listed)
		return false;
	drop_key(segment);
	segment->listed = false;
	(void)radix_remove(&table, (uint64_t)(segment->id % SEQUENCE));
	listed--;
	all_pages -= pages_of(segment);
	return true;
}

bool segment_remove(struct segment *segment)
{
	if (!segment->status.shm_nattch)
		return unlist(segment);
	drop_key(segment);
	segment->status.shm_perm.mode |= SHM_DEST;
	return false;
}

void segment_totals(struct segment_totals *out)
{
	struct radix_walk walk = {0};
	struct segment *segment;

	*out = (struct segment_totals){listed, 0, all_pages, 0};
	for (; (segment = radix_walk_next(&table, &walk)); walk.index++) {
		out->last = (int)walk.index;
		out->resident += __atomic_load_n(&segment->object.page_count, __ATOMIC_RELAXED);
	}
}

/* ---- Attachments ---- */

void segment_hold(struct segment *segment)
{
	segment->status.shm_nattch++;
}

/* One less; true: that was the last, and the table's reference is to be dropped. */
static bool leave(struct segment *segment) requires(segments_lock)
{
	segment->status.shm_nattch--;
	return !segment->status.shm_nattch && segment->status.shm_perm.mode & SHM_DEST &&
	       unlist(segment);
}

void segment_release(struct segment *segment)
{
	bool gone;

	spin_lock(&segments_lock);
	gone = leave(segment);
	spin_unlock(&segments_lock);
	if (gone)
		object_put(&segment->object);
}

static void mapped(struct object *object)
{
	struct segment *segment = segment_of(object);

	spin_lock(&segments_lock);
	segment_hold(segment);
	segment->status.shm_atime = segment_now();
	segment->status.shm_lpid = current_pid();
	spin_unlock(&segments_lock);
}

/* The VMA still has its reference. */
static void unmapped(struct object *object)
{
	struct segment *segment = segment_of(object);
	bool gone;

	spin_lock(&segments_lock);
	segment->status.shm_dtime = segment_now();
	segment->status.shm_lpid = current_pid();
	gone = leave(segment);
	spin_unlock(&segments_lock);
	if (gone)
		object_put(object);
}

static void free_segment(struct object *object)
{
	struct segment *segment = segment_of(object);

	__atomic_sub_fetch(&committed_pages, segment->accounted, __ATOMIC_RELAXED);
	kfree(segment);
}

/* Linux makes a file of tmpfs for it, by this name. */
static void describe(struct object *object, struct object_name *out)
{
	const struct segment *segment = container_of(object, struct segment, object);

	out->device = 1;
	out->number = (uint64_t)segment->id;
	format(out->text, sizeof(out->text), "/SYSV%08x (deleted)", (unsigned)segment->name);
}

static const struct object_operations operations = {
	.release = free_segment, .mapped = mapped, .unmapped = unmapped, .describe = describe};

struct segment *segment_create(size_t size, unsigned flags)
{
	bool counts = !(flags & SHM_NORESERVE) || overcommit_is(OVERCOMMIT_NEVER);
	uint64_t pages = counts ? DIV_ROUND_UP(size, PAGE_SIZE) : 0;
	struct segment *segment = memory_enough(pages) ? kzalloc(sizeof(*segment)) : NULL;

	if (!segment)
		return NULL;
	object_init(&segment->object, &operations, ALIGN_UP(size, PAGE_SIZE));
	segment->status.shm_segsz = size;
	segment->accounted = pages;
	__atomic_add_fetch(&committed_pages, pages, __ATOMIC_RELAXED);
	return segment;
}

long segment_attach(struct segment *segment, uintptr_t address, unsigned access, unsigned flags)
{
	unsigned map_flags = address ? SPACE_FIXED : 0;
	unsigned vma_flags = VMA_SHARED | (flags & SHM_RDONLY ? VMA_READ_ONLY : 0);
	long result;

	if (address && !(flags & SHM_REMAP))
		map_flags |= SPACE_NO_REPLACE;
	result = space_map(current_space(), address, segment->status.shm_segsz, access, vma_flags,
		map_flags, &segment->object, 0);
	return result == -EEXIST ? -EINVAL : result;
}

/* Is this VMA where an attachment at the address has it? */
static bool attached_at(const struct vma *vma, uintptr_t address)
{
	return vma->object && vma->object->operations == &operations && vma->start >= address &&
	       vma->start - address == vma->offset;
}

int segment_detach(uintptr_t address)
{
	struct space *space = current_space();
	struct object *object = NULL;
	uintptr_t end = USER_END;
	struct vma *vma;
	int error = 0;

	if (address & (PAGE_SIZE - 1))
		return -EINVAL;
	mutex_lock(&space->lock);
	vma = vma_find(space, address);
	while (vma && vma->start < end && !error) {
		uintptr_t above = vma->end;

		if (!attached_at(vma, address) || (object && vma->object != object)) {
			vma = vma_next(vma);
			continue;
		}
		if (!object) {
			object = vma->object;
			end = address + ALIGN_UP(segment_of(object)->status.shm_segsz, PAGE_SIZE);
		}
		error = unmap_range_locked(space, vma->start, above);
		vma = vma_find(space, above);
	}
	mutex_unlock(&space->lock);
	return object ? error : -EINVAL;
}
