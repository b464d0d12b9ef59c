/* SPDX-License-Identifier: MIT */
/*
 * Page faults: what is touched is made present, if the VMA there allows it.
 *
 * The space's lock is held from the look at the VMA to the new entry, so that what is found holds
 * till the end; a filler may sleep meanwhile. Out of memory: see process/oom.c; the fault is tried
 * again as long as another process's end may bring pages.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/space_internal.h"
#include "process/oom.h"
#include "process/process.h"

#define OOM_TRIES 500 /* of some 2 ms: for a killed process to give up its pages */

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
		space->resident[frame_kind(frame)]++;
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
	space->resident[RESIDENT_ANON]++;
	if (old != zero_frame) {
		space->resident[frame_kind(old)]--;
		frame_put(old);
	}
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

int fault_locked(struct space *space, uintptr_t address, enum fault_access access,
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
			current_thread()->name, current_process()->id, address,
			space_resident(space));
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
