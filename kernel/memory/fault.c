/* SPDX-License-Identifier: MIT */
/*
 * Page faults: what is touched is made present, if the VMA there allows it.
 *
 * The space's lock is held from the look at the VMA to the new entry, so that what is found holds
 * till the end; a filler may sleep meanwhile. Out of memory: see process/oom.c; the fault is tried
 * again as long as another process's end may bring pages.
 */
#include <asm/resource.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/fail.h"
#include "memory/object.h"
#include "memory/space_internal.h"
#include "process/current.h"
#include "process/oom.h"
#include "process/process.h"

#define OOM_TRIES 500 /* of some 2 ms: for a killed process to give up its pages */

enum fault_verdict { FAULT_DONE, FAULT_NO_MEMORY, FAULT_BUS };

/* What a fault is about. */
struct fault {
	struct space *space;
	struct vma *vma;
	uintptr_t page;
	enum fault_access access;
	struct arch_mapping now; /* what the tables say */
};

/* Puts a page into the tables, whose reference is taken over. */
static enum fault_verdict install(struct fault *fault, struct frame *frame, unsigned access)
{
	if (arch_map_at(&fault->space->arch, &fault->now, fault->page, frame_phys(frame), access)) {
		if (frame != zero_frame)
			frame_put(frame);
		return FAULT_NO_MEMORY;
	}
	if (frame != zero_frame)
		fault->space->resident[frame_kind(frame)]++;
	return FAULT_DONE;
}

static enum fault_verdict anonymous_fault(struct fault *fault)
{
	struct frame *frame;

	if (fault->access != FAULT_WRITE)
		return install(fault, zero_frame, table_access(fault->vma) & ~(unsigned)MAP_WRITE);
	frame = pages_alloc(0, FRAME_ANON, PAGES_ZERO);
	return frame ? install(fault, frame, table_access(fault->vma)) : FAULT_NO_MEMORY;
}

static struct frame *private_copy(struct frame *from)
{
	struct frame *frame =
		pages_alloc(0, FRAME_ANON, from == zero_frame ? PAGES_ZERO : PAGES_NORMAL);

	if (frame && from != zero_frame)
		memcpy(frame_ptr(frame), frame_ptr(from), PAGE_SIZE);
	return frame;
}

static enum fault_verdict object_fault(struct fault *fault)
{
	const struct vma *vma = fault->vma;
	uint64_t at = vma->offset + (fault->page - vma->start);
	struct frame *frame, *copy;
	int error;

	if (at >= ALIGN_UP(__atomic_load_n(&vma->object->size, __ATOMIC_ACQUIRE), PAGE_SIZE))
		return FAULT_BUS;
	error = object_page(vma->object, at / PAGE_SIZE, &frame);
	if (error)
		return error == -ENOMEM ? FAULT_NO_MEMORY : FAULT_BUS;
	if (vma->flags & VMA_SHARED) {
		if (fault->access == FAULT_WRITE && vma->object->operations &&
			vma->object->operations->written)
			vma->object->operations->written(vma->object);
		if (vma->object->operations && vma->object->operations->touched)
			vma->object->operations->touched(vma->object, at / PAGE_SIZE);
		return install(fault, frame, table_access(vma));
	}
	if (fault->access != FAULT_WRITE)
		return install(fault, frame, table_access(vma) & ~(unsigned)MAP_WRITE);
	copy = private_copy(frame);
	frame_put(frame);
	return copy ? install(fault, copy, table_access(vma)) : FAULT_NO_MEMORY;
}

/* A write to a page that is mapped without the right to: copy-on-write, or its last owner. */
static enum fault_verdict write_fault(struct fault *fault)
{
	struct frame *old = phys_frame(fault->now.phys), *copy;
	unsigned access = table_access(fault->vma);

	if (sole_owner(fault->vma, fault->now.phys))
		return arch_map_at(&fault->space->arch, &fault->now, fault->page, fault->now.phys,
			       access)
			       ? FAULT_NO_MEMORY
			       : FAULT_DONE;
	copy = private_copy(old);
	if (!copy || install(fault, copy, access) != FAULT_DONE)
		return FAULT_NO_MEMORY;
	if (old != zero_frame) {
		fault->space->resident[frame_kind(old)]--;
		frame_put(old);
	}
	return FAULT_DONE;
}

/* Makes the page present for an access that the VMA allows. */
static enum fault_verdict make_present(struct fault *fault)
{
	if (!arch_lookup(&fault->space->arch, fault->page, &fault->now))
		return fault->vma->object ? object_fault(fault) : anonymous_fault(fault);
	if (fault->access == FAULT_WRITE && !(fault->now.access & MAP_WRITE))
		return write_fault(fault);
	return FAULT_DONE; /* another thread was quicker, or a stale TLB entry */
}

/* ---- Stacks ---- */

/* Extends a stack down to a page, as far as the process's limits allow. */
static COLD bool grow_stack(struct space *space, struct vma *vma, uintptr_t page)
{
	uint64_t more = (vma->start - page) / PAGE_SIZE;

	if (!(vma->flags & VMA_GROWS_DOWN) || vma->end - page > memory_limit(RLIMIT_STACK))
		return false;
	if (!memory_may_expand(space, VMA_KIND_STACK, more) || !memory_enough(more))
		return false;
	return !memory_lock_more(space, vma->flags, more) && vma_grow_down(space, vma, page);
}

static bool allows(const struct vma *vma, enum fault_access access)
{
	/* x86 has no memory that can be written or executed but not read. */
	return access == FAULT_READ ? vma->access != 0 : (vma->access & (unsigned)access) != 0;
}

int fault_locked(struct space *space, uintptr_t address, enum fault_access access,
	struct fault_result *result)
{
	struct fault fault;

	if (unlikely(space->reaped)) { /* its process is killed, and gets to hear of no signal */
		*result = (struct fault_result){SIGBUS, BUS_ADRERR};
		return -EFAULT;
	}
	fault.space = space;
	fault.page = ALIGN_DOWN(address, PAGE_SIZE);
	fault.access = access;
	fault.vma = vma_find(space, address);
	if (unlikely(!fault.vma ||
		     (address < fault.vma->start && !grow_stack(space, fault.vma, fault.page)))) {
		*result = (struct fault_result){SIGSEGV, SEGV_MAPERR};
		return -EFAULT;
	}
	if (unlikely(!allows(fault.vma, access))) {
		*result = (struct fault_result){SIGSEGV, SEGV_ACCERR};
		return -EFAULT;
	}
	switch (make_present(&fault)) {
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

/* No page was left: others may give some up. */
static COLD int fault_without_memory(struct space *space, uintptr_t address,
	enum fault_access access, bool user, struct fault_result *result)
{
	int error = -EFAULT;

	for (int tries = 0; tries < OOM_TRIES && result->signal == SIGKILL && oom_relieve();
		tries++) {
		mutex_lock(&space->lock);
		error = fault_locked(space, address, access, result);
		mutex_unlock(&space->lock);
		if (!error) {
			fail_tell_apart();
			return 0;
		}
	}
	if (result->signal == SIGKILL && user)
		log_warn("out of memory: %s[%d] wanted the page at %#lx and has %lu resident pages",
			current_thread()->name, current_process()->id, address,
			space_resident(space));
	return error;
}

int space_fault(uintptr_t address, enum fault_access access, bool user, struct fault_result *result)
{
	struct space *space = current_space();
	int error;

	if (unlikely(address >= USER_END || !space)) {
		*result = (struct fault_result){SIGSEGV, SEGV_MAPERR};
		return -EFAULT;
	}
	mutex_lock(&space->lock);
	error = fault_locked(space, address, access, result);
	mutex_unlock(&space->lock);
	current_thread()->usage.minor_faults++;
	if (unlikely(error && result->signal == SIGKILL))
		return fault_without_memory(space, address, access, user, result);
	return error;
}

/* ---- Faults without an access ---- */

#define POPULATE_BATCH 32u

/* One page: 0 or what populate_range gives. */
static int populate_page(struct space *space, uintptr_t page, enum populate_how how)
{
	struct fault fault = {.space = space, .page = page};

	fault.vma = vma_find(space, page);
	if (!fault.vma || fault.vma->start > page)
		return -ENOMEM;
	if (how == POPULATE_AS_ALLOWED)
		how = (fault.vma->access & MAP_WRITE) && !(fault.vma->flags & VMA_SHARED)
			      ? POPULATE_WRITE
			      : POPULATE_READ;
	fault.access = how == POPULATE_WRITE ? FAULT_WRITE : FAULT_READ;
	if (!allows(fault.vma, fault.access))
		return -EINVAL;
	switch (make_present(&fault)) {
	case FAULT_DONE:
		return 0;
	case FAULT_BUS:
		return -EFAULT;
	default:
		return -EAGAIN;
	}
}

int populate_range(struct space *space, uintptr_t start, uintptr_t end, enum populate_how how)
{
	uintptr_t page = start;
	int error = 0;

	while (page < end && !error) {
		mutex_lock(&space->lock);
		for (unsigned i = 0; i < POPULATE_BATCH && page < end && !error; i++) {
			error = populate_page(space, page, how);
			page += PAGE_SIZE;
		}
		mutex_unlock(&space->lock);
		if (!error && current_signal_pending() && signal_kill_pending())
			error = -EINTR;
		sched_point();
	}
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

/* As space_frame for a write that the VMA need not allow. */
static int forced_frame(struct space *space, uintptr_t address, struct frame **out)
{
	struct fault fault = {.space = space, .access = FAULT_WRITE};
	struct fault_result result;
	int error = -EFAULT;

	if (address >= USER_END)
		return -EFAULT;
	fault.page = ALIGN_DOWN(address, PAGE_SIZE);
	mutex_lock(&space->lock);
	fault.vma = vma_find(space, address);
	if (fault.vma && (fault.vma->access & MAP_WRITE)) {
		error = fault_locked(space, address, FAULT_WRITE, &result);
	} else if (fault.vma && !(fault.vma->flags & VMA_SHARED)) {
		error = fault_locked(space, address, FAULT_READ, &result);
		if (!error && arch_lookup(&space->arch, fault.page, &fault.now) &&
			write_fault(&fault) != FAULT_DONE)
			error = -EFAULT;
	}
	if (!error && arch_lookup(&space->arch, fault.page, &fault.now)) {
		*out = phys_frame(fault.now.phys);
		frame_get(*out);
	} else {
		error = -EFAULT;
	}
	mutex_unlock(&space->lock);
	return error;
}

int space_write_forced(struct space *space, uintptr_t address, const void *bytes, size_t size)
{
	while (size) {
		size_t within = address & (PAGE_SIZE - 1);
		size_t part = size < PAGE_SIZE - within ? size : PAGE_SIZE - within;
		struct frame *frame;
		int error = forced_frame(space, address, &frame);

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

/* Makes a private file page of which only the first bytes are the file's. 1: it must be cleared by a
 * write, since it is there already, or none of that kind. */
static int make_head(struct space *space, uintptr_t page, size_t keep)
{
	struct fault fault = {.space = space, .page = page, .access = FAULT_WRITE};
	const struct vma *vma = fault.vma = vma_find(space, page);
	struct frame *file, *frame;
	uint64_t at;

	if (!vma || vma->start > page || !vma->object || (vma->flags & VMA_SHARED) ||
		!(vma->access & MAP_WRITE) || arch_lookup(&space->arch, page, &fault.now))
		return 1;
	at = vma->offset + (page - vma->start);
	if (at >= ALIGN_UP(__atomic_load_n(&vma->object->size, __ATOMIC_ACQUIRE), PAGE_SIZE) ||
		object_page(vma->object, at / PAGE_SIZE, &file))
		return -EFAULT;
	frame = pages_alloc(0, FRAME_ANON, PAGES_NORMAL);
	if (frame) {
		memcpy(frame_ptr(frame), frame_ptr(file), keep);
		memset((char *)frame_ptr(frame) + keep, 0, PAGE_SIZE - keep);
	}
	frame_put(file);
	return frame && install(&fault, frame, table_access(vma)) == FAULT_DONE ? 0 : -EFAULT;
}

int space_clear_tail(struct space *space, uintptr_t address)
{
	size_t keep = address % PAGE_SIZE;
	int error;

	if (!keep)
		return 0;
	if (address >= USER_END)
		return -EFAULT;
	mutex_lock(&space->lock);
	error = make_head(space, address - keep, keep);
	mutex_unlock(&space->lock);
	return error > 0 ? space_write(space, address, frame_ptr(zero_frame), PAGE_SIZE - keep)
			 : error;
}
