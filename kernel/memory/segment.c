/* SPDX-License-Identifier: MIT */
/*
 * Segments of System V shared memory: man 7 sysvipc, man 2 shmget, shmop.
 *
 * A segment is a memory object with an id, perhaps a key, an owner and permissions. Attached it is a
 * shared mapping like any other. How many attachments there are is how many VMAs there are of it,
 * as on Linux: a fork, a split by mprotect, exec and exit count by themselves, because the VMAs
 * tell the object (object_operations.mapped, unmapped).
 *
 * Invariants: a listed segment has an id (ipc/ipc.c), which has a reference to its object. A segment that is to go
 * (SHM_DEST) has no key, and is listed as long as it is attached. One that is not listed any more may
 * still have VMAs for a moment, while mremap moves them.
 *
 * Lock: ipc_lock, taken under spaces' locks.
 */
#include "memory/segment.h"

#include "lib/errno.h"
#include "lib/printf.h"
#include "memory/slab.h"
#include "memory/space_internal.h"
#include "process/current.h"

struct ipc_ids segment_ids = {.most = IPC_MOST};
uint64_t segment_size_most = SHMMAX, segment_pages_most = SHMALL;
int32_t segments_most = SHMMNI;
static uint64_t all_pages guarded_by(ipc_lock);

static struct segment *segment_of(struct object *object)
{
	return container_of(object, struct segment, object);
}

static uint64_t pages_of(const struct segment *segment)
{
	return DIV_ROUND_UP(segment->status.shm_segsz, PAGE_SIZE);
}

static struct segment *segment_of_item(struct ipc_item *item)
{
	return item ? container_of(item, struct segment, item) : NULL;
}

struct segment *segment_of_index(int index)
{
	return segment_of_item(ipc_of_index(&segment_ids, index));
}

struct segment *segment_of_id(int id)
{
	return segment_of_item(ipc_of_id(&segment_ids, id));
}

/* True: its id's reference is the caller's now. */
static bool unlist(struct segment *segment) requires(ipc_lock)
{
	if (!segment->listed)
		return false;
	segment->listed = false;
	ipc_remove(&segment_ids, &segment->item);
	all_pages -= pages_of(segment);
	return true;
}

bool segment_remove(struct segment *segment)
{
	if (!segment->status.shm_nattch)
		return unlist(segment);
	ipc_drop_key(&segment_ids, &segment->item);
	segment->item.perm.mode |= SHM_DEST;
	return false;
}

void segment_totals(struct segment_totals *out)
{
	struct radix_walk walk = {0};
	struct ipc_item *item;

	*out = (struct segment_totals){segment_ids.listed, 0, all_pages, 0};
	for (; (item = radix_walk_next(&segment_ids.items, &walk)); walk.index++) {
		out->last = (int)walk.index;
		out->resident += __atomic_load_n(
			&segment_of_item(item)->object.page_count, __ATOMIC_RELAXED);
	}
}

/* ---- Attachments ---- */

void segment_hold(struct segment *segment)
{
	segment->status.shm_nattch++;
}

/* One less; true: that was the last, and its id's reference is to be dropped. */
static bool leave(struct segment *segment) requires(ipc_lock)
{
	segment->status.shm_nattch--;
	return !segment->status.shm_nattch && segment->item.perm.mode & SHM_DEST && unlist(segment);
}

void segment_release(struct segment *segment)
{
	bool gone;

	spin_lock(&ipc_lock);
	gone = leave(segment);
	spin_unlock(&ipc_lock);
	if (gone)
		object_put(&segment->object);
}

static void mapped(struct object *object)
{
	struct segment *segment = segment_of(object);

	spin_lock(&ipc_lock);
	segment_hold(segment);
	segment->status.shm_atime = ipc_now();
	segment->status.shm_lpid = current_pid();
	spin_unlock(&ipc_lock);
}

/* The VMA still has its reference. */
static void unmapped(struct object *object)
{
	struct segment *segment = segment_of(object);
	bool gone;

	spin_lock(&ipc_lock);
	segment->status.shm_dtime = ipc_now();
	segment->status.shm_lpid = current_pid();
	gone = leave(segment);
	spin_unlock(&ipc_lock);
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
	out->number = (uint64_t)segment->item.id;
	format(out->text, sizeof(out->text), "/SYSV%08x (deleted)", (unsigned)segment->name);
}

static const struct object_operations operations = {
	.release = free_segment, .mapped = mapped, .unmapped = unmapped, .describe = describe};

/* ---- How they are made ---- */

static int make(size_t size, unsigned flags, struct ipc_item **out)
{
	bool counts = !(flags & SHM_NORESERVE) || overcommit_is(OVERCOMMIT_NEVER);
	uint64_t pages = counts ? DIV_ROUND_UP(size, PAGE_SIZE) : 0;
	struct segment *segment;

	if (flags & SHM_HUGETLB)
		return -EINVAL;
	segment = memory_enough(pages) ? kzalloc(sizeof(*segment)) : NULL;
	if (!segment)
		return -ENOMEM;
	object_init(&segment->object, &operations, ALIGN_UP(size, PAGE_SIZE));
	segment->status.shm_segsz = size;
	segment->status.shm_cpid = current_pid();
	segment->status.shm_ctime = ipc_now();
	segment->accounted = pages;
	__atomic_add_fetch(&committed_pages, pages, __ATOMIC_RELAXED);
	*out = &segment->item;
	return 0;
}

static int fits(const struct ipc_item *item, size_t size)
{
	return size > container_of(item, struct segment, item)->status.shm_segsz ? -EINVAL : 0;
}

static int may_add(size_t size) requires(ipc_lock)
{
	const uint64_t pages = DIV_ROUND_UP(size, PAGE_SIZE);

	if (size < SHMMIN || size > __atomic_load_n(&segment_size_most, __ATOMIC_RELAXED))
		return -EINVAL;
	return (int)segment_ids.listed < __atomic_load_n(&segments_most, __ATOMIC_RELAXED) &&
			       all_pages + pages >= pages &&
			       all_pages + pages <=
				       __atomic_load_n(&segment_pages_most, __ATOMIC_RELAXED)
		       ? 0
		       : -ENOSPC;
}

static void added(struct ipc_item *item) requires(ipc_lock)
{
	struct segment *segment = segment_of_item(item);

	all_pages += pages_of(segment);
	segment->listed = true;
	segment->name = item->perm.key;
}

static void destroy(struct ipc_item *item)
{
	object_put(&segment_of_item(item)->object);
}

const struct ipc_kind segment_kind = {.ids = &segment_ids,
	.make = make,
	.fits = fits,
	.may_add = may_add,
	.added = added,
	.destroy = destroy};

/* ---- Attaching and detaching ---- */

long segment_attach(struct segment *segment, uintptr_t address, unsigned access, unsigned flags)
{
	unsigned map_flags = address ? SPACE_FIXED : 0;
	unsigned vma_flags = VMA_SHARED | (flags & SHM_RDONLY ? VMA_READ_ONLY : 0);
	long result;

	if (address && !(flags & SHM_REMAP)) {
		if (address + segment->status.shm_segsz < address)
			return -EINVAL;
		map_flags |= SPACE_NO_REPLACE;
	}
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
