/* SPDX-License-Identifier: MIT */
/* See space_test.h. */
#include "memory/fail.h"
#include "memory/space_test.h"

#include <asm/resource.h>

#include "memory/space_internal.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/oom.h"
#include "process/process.h"

#define MIB  (UINT64_C(1) << 20)
#define SIZE (64 * MIB)

static struct process process = {.id = 7};
static struct thread thread = {.name = "tester", .process = &process};

struct thread *fake_thread = &thread;
struct space *space_used;

static struct cache *vma_cache, *space_cache;
static struct pages_stats at_start;

static bool privileged;

bool capable(unsigned capability)
{
	return privileged;
}

void capabilities_drop(void)
{
	privileged = false;
}

bool current_signal_pending(void)
{
	return false;
}

bool signal_kill_pending(void)
{
	return false;
}

struct space *current_space(void)
{
	return space_used;
}

/* One thread: who finds a mutex held would wait for ever. */
void mutex_lock_slow(struct mutex *mutex)
{
	(void)mutex;
	fputs("a mutex is taken twice\n", stderr);
	abort();
}

void wake_one(struct wait_queue *queue)
{
	(void)queue;
	abort();
}

static struct cache *cache_of(void *object)
{
	struct frame *frame = phys_frame(ALIGN_DOWN(arch_ptr_to_phys(object), PAGE_SIZE));

	CHECK_EQUAL(frame->state, FRAME_SLAB);
	return frame->slab.cache;
}

static void find_caches(void)
{
	struct space *space = space_create();

	CHECK(space);
	space_cache = cache_of(space);
	CHECK_EQUAL(
		space_map(space, USER_MIN, PAGE_SIZE, MAP_READ, 0, SPACE_FIXED, NULL, 0), USER_MIN);
	vma_cache = cache_of(vma_find(space, 0));
	space_put(space);
}

void limit_set(unsigned which, uint64_t limit)
{
	process.limits[which].soft = limit;
}

static void default_limits(void)
{
	for (unsigned i = 0; i < LIMITS; i++)
		limit_set(i, LIMIT_UNLIMITED);
	limit_set(RLIMIT_STACK, STACK_LIMIT);
	privileged = true;
}

void spaces_start(void)
{
	default_limits();
	fake_memory_init(SIZE, 0);
	pages_init(fake_frames_virt(), &(struct pages_range){0, SIZE}, 1);
	space_init();
	find_caches();
	pages_statistics(&at_start);
}

void spaces_end(void)
{
	static const char zeroes[PAGE_SIZE];
	struct pages_stats now;

	slab_shrink();
	CHECK_EQUAL(vma_cache->objects, 0);
	CHECK_EQUAL(space_cache->objects, 0);
	CHECK(!memcmp(frame_ptr(zero_frame), zeroes, PAGE_SIZE));
	CHECK_EQUAL(zero_frame->references, 1);
	pages_statistics(&now);
	CHECK_EQUAL(now.by_state[FRAME_ANON], 0);
	CHECK_EQUAL(now.by_state[FRAME_OBJECT], 0);
	CHECK_EQUAL(now.by_state[FRAME_TABLE], at_start.by_state[FRAME_TABLE]);
	CHECK_EQUAL(now.by_state[FRAME_USED], 1);
	CHECK_EQUAL(
		now.free + now.by_state[FRAME_SLAB], at_start.free + at_start.by_state[FRAME_SLAB]);
	CHECK(!pages_audit() && !slab_audit());
}

int touch(uintptr_t address, enum fault_access access, uint8_t **byte)
{
	struct fault_result result;
	phys_t phys;

	for (int tries = 0; tries < 4; tries++) {
		if (fake_access(&space_used->arch, address, access, &phys)) {
			*byte = arch_phys_to_ptr(phys);
			return 0;
		}
		if (space_fault(address, access, true, &result))
			return FAULT(result.signal, result.code);
	}
	fprintf(stderr, "%#lx faults for ever\n", address);
	abort();
}

int load(uintptr_t address)
{
	uint8_t *byte;
	int fault = touch(address, FAULT_READ, &byte);

	return fault ? -fault : *byte;
}

int store(uintptr_t address, uint8_t value)
{
	uint8_t *byte;
	int fault = touch(address, FAULT_WRITE, &byte);

	if (!fault)
		*byte = value;
	return -fault;
}

/* ---- The audit ---- */

static void audit_ranges(struct space *space)
{
	uintptr_t end = USER_MIN;
	uint64_t pages = 0, locked = 0, kinds[VMA_KINDS] = {0};
	unsigned count = 0;

	for (struct vma *vma = vma_find(space, 0); vma; vma = vma_next(vma)) {
		bool listed = !vma->object;
		struct vma *other;

		CHECK(vma->start >= end && vma->end > vma->start && vma->end <= USER_END);
		CHECK(!((vma->start | vma->end | vma->offset) % PAGE_SIZE));
		CHECK(vma->space == space);
		if (vma->object) {
			list_for_each(other, &vma->object->mappings, mapping) listed |=
				other == vma;
		}
		CHECK(listed);
		CHECK_EQUAL(vma->gap, vma_gap_above(vma_prev(vma), vma));
		end = vma->end;
		kinds[vma_kind(vma)] += vma_pages(vma);
		locked += vma->flags & VMA_LOCKED ? vma_pages(vma) : 0;
		pages += (vma->end - vma->start) / PAGE_SIZE;
		count++;
	}
	CHECK_EQUAL(space->vma_count, count);
	CHECK_EQUAL(space->pages, pages);
	CHECK_EQUAL(space->locked_pages, locked);
	for (unsigned kind = 0; kind < VMA_KINDS; kind++)
		CHECK_EQUAL(space->kind_pages[kind], kinds[kind]);
}

struct page_audit {
	struct space *space;
	uint64_t resident[RESIDENT_KINDS];
};

/* In a frame's flags, above the kernel's own: how many entries hold it. */
#define COUNT_ONE 16u

static void audit_page(void *context, uintptr_t address, phys_t phys, unsigned access)
{
	struct page_audit *audit = context;
	const struct vma *vma = vma_find(audit->space, address);
	struct frame *frame = phys_frame(phys);
	bool shared, sole;

	CHECK(vma && vma->start <= address);
	CHECK(!(access & ~(vma->access ? vma->access | MAP_READ : 0)));
	shared = vma->flags & VMA_SHARED;
	sole = frame != zero_frame && frame->state == FRAME_ANON && frame->references == 1;
	CHECK(!(access & MAP_WRITE) || shared || sole);
	if (frame == zero_frame) {
		CHECK(!vma->object);
		return;
	}
	CHECK(frame->state == FRAME_ANON || frame->state == FRAME_OBJECT);
	CHECK(frame->state == FRAME_OBJECT || !shared);
	if (frame->state == FRAME_OBJECT) {
		CHECK(frame->page.object == vma->object);
		CHECK_EQUAL(frame->page.index, (vma->offset + (address - vma->start)) / PAGE_SIZE);
	}
	frame->flags = (uint16_t)(frame->flags + COUNT_ONE);
	audit->resident[frame_kind(frame)]++;
}

static void audit_references(void *context, uintptr_t address, phys_t phys, unsigned access)
{
	struct frame *frame = phys_frame(phys);

	(void)context;
	(void)address;
	(void)access;
	if (frame->flags < COUNT_ONE) /* the zero page, or seen already */
		return;
	CHECK_EQUAL(frame->references, frame->flags / COUNT_ONE + (frame->state == FRAME_OBJECT));
	frame->flags %= COUNT_ONE;
}

void spaces_audit(struct space *const *spaces, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct page_audit audit = {.space = spaces[i]};

		CHECK(!spaces[i]->lock.state);
		audit_ranges(spaces[i]);
		fake_each_page(&spaces[i]->arch, audit_page, &audit);
		for (unsigned kind = 0; kind < RESIDENT_KINDS; kind++)
			CHECK_EQUAL(spaces[i]->resident[kind], audit.resident[kind]);
	}
	for (size_t i = 0; i < count; i++)
		fake_each_page(&spaces[i]->arch, audit_references, NULL);
}

void fail_tell_apart(void)
{
}

bool oom_relieve(void)
{
	return false; /* there is one process, the one that asks */
}
