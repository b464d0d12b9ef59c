/* SPDX-License-Identifier: MIT */
/*
 * The vDSO's pages and where they are mapped.
 *
 * Two memory objects, made once: the data page, which the kernel writes through its direct map, and
 * the image of the shared object. Every program maps the data shared and read-only, with no way to
 * make it writable (VMA_READ_ONLY), and behind it the image as a private mapping, R-X, so that a
 * debugger's breakpoint goes into a copy. A program may unmap or move either; the objects stay.
 *
 * Writers of the data are serialised by the clocks' lock; readers find by the sequence that they have
 * read in the middle of a change (data.h).
 *
 * Failure: without memory for the objects the kernel runs without vDSO and says so.
 */
#include "vdso/vdso.h"

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/space.h"
#include "process/clocks.h"
#include "vdso/data.h"

_Static_assert(PAGE_SIZE == VDSO_PAGE_SIZE, "the data's page is a page");

static struct object code_object, data_object;
static struct vdso_data *data; /* NULL: no vDSO */

static size_t code_size(void)
{
	return ALIGN_UP(vdso_image_size, PAGE_SIZE);
}

static int fill_code(void)
{
	for (size_t at = 0; at < vdso_image_size; at += PAGE_SIZE) {
		size_t part = vdso_image_size - at < PAGE_SIZE ? vdso_image_size - at : PAGE_SIZE;
		struct frame *frame;
		int error = object_page(&code_object, at / PAGE_SIZE, &frame);

		if (error)
			return error;
		memcpy(frame_ptr(frame), vdso_image + at, part);
		frame_put(frame); /* the object has its own reference, for ever */
	}
	return 0;
}

void vdso_init(void)
{
	struct frame *frame;

	object_init(&code_object, NULL, code_size());
	object_init(&data_object, NULL, PAGE_SIZE);
	if (fill_code() || object_page(&data_object, 0, &frame)) {
		log_warn("no memory for the vDSO: clocks are read by system calls");
		return;
	}
	data = frame_ptr(frame);
	vdso_update();
}

void vdso_update(void)
{
	struct arch_clock_user clock = {0};
	uint32_t flags = arch_clock_user(&clock) ? VDSO_CLOCK : 0;

	if (!data)
		return;
	if (arch_cpu_number_user())
		flags |= VDSO_CPU_NUMBER;
	__atomic_store_n(&data->sequence, data->sequence + 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	data->flags = flags;
	data->start = clock.start;
	data->multiplier = clock.multiplier;
	data->realtime = realtime_offset();
	data->tai = clocks_tai_offset();
	clocks_zone(data->zone);
	__atomic_store_n(&data->sequence, data->sequence + 1, __ATOMIC_RELEASE);
}

/* Somewhere between the stack and the end of user memory, where a new program has nothing; 0: there is
 * no room. */
static uintptr_t choose_address(const struct space *space, uint64_t random)
{
	uintptr_t low = ALIGN_UP(space->stack_top, PAGE_SIZE) + PAGE_SIZE;
	size_t size = PAGE_SIZE + code_size();

	if (low >= USER_END - size)
		return 0;
	return low + random % ((USER_END - size - low) / PAGE_SIZE) * PAGE_SIZE;
}

long vdso_map(struct space *space, uint64_t random)
{
	size_t size = PAGE_SIZE + code_size();
	uintptr_t at = choose_address(space, random);
	long result;

	if (!data)
		return 0;
	if (!at) { /* a hole for both, so that they come to stand side by side */
		result = space_map(space, 0, size, 0, 0, 0, NULL, 0);
		if (result < 0)
			return result;
		at = (uintptr_t)result;
	}
	result = space_map(space, at, PAGE_SIZE, MAP_READ,
		VMA_SHARED | VMA_READ_ONLY | VMA_DONT_EXPAND, SPACE_FIXED, &data_object, 0);
	if (result < 0)
		return result;
	result = space_map(space, at + PAGE_SIZE, code_size(), MAP_READ | MAP_EXECUTE,
		VMA_DONT_EXPAND, SPACE_FIXED, &code_object, 0);
	return result < 0 ? result : (long)(at + PAGE_SIZE);
}

const char *vdso_name(const struct object *object)
{
	return object == &code_object ? "[vdso]" : object == &data_object ? "[vvar]" : NULL;
}
