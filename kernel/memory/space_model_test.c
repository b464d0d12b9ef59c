/* SPDX-License-Identifier: MIT */
/*
 * Two address spaces that share two objects, against a model with one record for each page: what is
 * mapped, with which rights, and which byte stands there. Fixed seed; once with memory enough, once
 * with allocations that fail at random, after which nothing may have changed.
 */
#include "memory/space_test.h"

#define SPACES    2
#define OBJECTS   2
#define WINDOW    96u /* pages from USER_MIN on; mmap places in there */
#define OBJECT    40u /* pages that an object may have */
#define AT        123 /* the byte of a page that is looked at */

#define ANONYMOUS OBJECTS

static const unsigned steps = 60000;

struct page {
	bool mapped, shared;
	bool own; /* what stands here is this page's alone */
	unsigned access, object;
	uint64_t index; /* in the object */
	uint8_t value;  /* if own */
	unsigned cell;  /* shared anonymous memory: its byte, which a fork's two have in common */
};

static struct space *spaces[SPACES];
static struct page model[SPACES][WINDOW];
static struct object objects[OBJECTS];
static unsigned object_pages[OBJECTS];
static uint8_t object_values[OBJECTS][OBJECT];
static uint8_t cells[SPACES * WINDOW];
static bool failing; /* an allocation may have failed in this step */

static uint8_t first_value(unsigned object, uint64_t index)
{
	return object ? (uint8_t)(index * 3 + 1) : 0;
}

static int fill(struct object *object, uint64_t index, struct frame *frame)
{
	(void)object;
	memset(frame_ptr(frame), first_value(1, index), PAGE_SIZE);
	return 0;
}

static const struct object_operations filled = {.fill = fill};

static uintptr_t address_of(unsigned page)
{
	return USER_MIN + page * PAGE_SIZE;
}

static void start(void)
{
	spaces_start();
	for (unsigned i = 0; i < SPACES; i++) {
		spaces[i] = space_create();
		CHECK(spaces[i]);
		spaces[i]->map_top = address_of(WINDOW);
	}
	for (unsigned i = 0; i < OBJECTS; i++) {
		object_pages[i] = OBJECT / 2;
		object_init(&objects[i], i ? &filled : NULL, object_pages[i] * PAGE_SIZE);
		for (unsigned index = 0; index < OBJECT; index++)
			object_values[i][index] = first_value(i, index);
	}
}

static void end(void)
{
	for (unsigned i = 0; i < SPACES; i++)
		space_put(spaces[i]);
	for (unsigned i = 0; i < OBJECTS; i++)
		object_put(&objects[i]);
	spaces_end();
}

/* ---- What the model says ---- */

static bool any_mapped(const struct page *pages, unsigned from, unsigned count)
{
	for (unsigned i = from; i < from + count; i++) {
		if (pages[i].mapped)
			return true;
	}
	return false;
}

/* The highest hole; WINDOW: none. */
static unsigned place(const struct page *pages, unsigned count)
{
	for (unsigned from = WINDOW - count + 1; from-- > 0;) {
		if (!any_mapped(pages, from, count))
			return from;
	}
	return WINDOW;
}

static bool has_cell(const struct page *page)
{
	return page->mapped && page->shared && page->object == ANONYMOUS;
}

/* Bytes of shared anonymous memory for new pages. */
static void take_cells(struct page *pages, unsigned count)
{
	bool used[SPACES * WINDOW] = {false};
	unsigned cell = 0;

	for (unsigned i = 0; i < SPACES * WINDOW; i++) {
		const struct page *page = &model[i / WINDOW][i % WINDOW];

		if (has_cell(page) && !(page >= pages && page < pages + count))
			used[page->cell] = true;
	}
	for (unsigned i = 0; i < count; i++) {
		while (used[cell])
			cell++;
		pages[i].cell = cell;
		cells[cell++] = 0;
	}
}

/* What an access gives: a byte, or a negative FAULT. */
static int expected(const struct page *page, unsigned access)
{
	if (!page->mapped)
		return -MAPERR;
	if (access == MAP_READ ? !page->access : !(page->access & access))
		return -ACCERR;
	if (page->object != ANONYMOUS && page->index >= object_pages[page->object])
		return -ADRERR;
	if (has_cell(page))
		return cells[page->cell];
	return page->own ? page->value : object_values[page->object][page->index];
}

/* ---- Steps ---- */

static void step_map(unsigned which, unsigned from, unsigned count)
{
	unsigned access = (unsigned)test_random(8), object = (unsigned)test_random(OBJECTS + 1);
	unsigned flags = (unsigned)test_random(4), wanted = from;
	bool shared = test_random(2);
	uint64_t index = test_random(OBJECT);
	struct page *pages = model[which];
	long error = 0, result;

	flags = flags == 3 ? SPACE_FIXED | SPACE_NO_REPLACE : flags ? SPACE_FIXED : 0;
	if ((flags & SPACE_NO_REPLACE) && any_mapped(pages, from, count))
		error = -EEXIST;
	if (!flags && any_mapped(pages, from, count))
		wanted = place(pages, count);
	result = space_map(spaces[which], address_of(from), count * PAGE_SIZE, access,
		shared ? VMA_SHARED : 0, flags, object == ANONYMOUS ? NULL : &objects[object],
		index * PAGE_SIZE);
	if (failing && result == -ENOMEM)
		return;
	if (wanted == WINDOW) { /* above map_top, then */
		CHECK(result >= (long)address_of(WINDOW));
		CHECK_EQUAL(space_unmap(spaces[which], (uintptr_t)result, count * PAGE_SIZE), 0);
		return;
	}
	CHECK_EQUAL(result, error ? error : (long)address_of(wanted));
	for (unsigned i = 0; i < count && !error; i++)
		pages[wanted + i] = (struct page){.mapped = true,
			.shared = shared,
			.own = object == ANONYMOUS,
			.access = access,
			.object = object,
			.index = index + i};
	if (!error && shared && object == ANONYMOUS)
		take_cells(&pages[wanted], count);
}

static void step_unmap(unsigned which, unsigned from, unsigned count)
{
	int error = space_unmap(spaces[which], address_of(from), count * PAGE_SIZE);

	if (failing && error == -ENOMEM)
		return;
	CHECK_EQUAL(error, 0);
	memset(&model[which][from], 0, count * sizeof(struct page));
}

static void step_protect(unsigned which, unsigned from, unsigned count)
{
	unsigned access = (unsigned)test_random(8), covered = 0;
	int error;

	while (covered < count && model[which][from + covered].mapped)
		covered++;
	if (covered < count) { /* ENOMEM must mean the hole */
		pages_fail_nth(0);
		failing = false;
	}
	error = space_protect(spaces[which], address_of(from), count * PAGE_SIZE, access);
	if (failing && error == -ENOMEM)
		return;
	CHECK_EQUAL(error, covered < count ? -ENOMEM : 0);
	for (unsigned i = 0; i < covered; i++)
		model[which][from + i].access = access;
}

static void step_store(unsigned which, unsigned at)
{
	struct page *page = &model[which][at];
	uint8_t value = (uint8_t)test_random(256);
	int fault = expected(page, MAP_WRITE), result;

	space_used = spaces[which];
	result = store(address_of(at) + AT, value);
	if (failing && result == -KILLED)
		return;
	CHECK_EQUAL(result, fault < 0 ? fault : 0);
	if (fault < 0)
		return;
	if (page->shared && page->object != ANONYMOUS) {
		object_values[page->object][page->index] = value;
		return;
	}
	if (has_cell(page)) {
		cells[page->cell] = value;
		return;
	}
	page->own = true;
	page->value = value;
}

static void step_load(unsigned which, unsigned at, unsigned access)
{
	uint8_t *byte;
	int found;

	space_used = spaces[which];
	found = -touch(address_of(at) + AT, (enum fault_access)access, &byte);
	if (failing && found == -KILLED)
		return;
	CHECK_EQUAL(found ? found : *byte, expected(&model[which][at], access));
}

static void step_truncate(void)
{
	unsigned object = (unsigned)test_random(OBJECTS), size = (unsigned)test_random(OBJECT + 1);

	object_unmap(&objects[object], size);
	object_truncate(&objects[object], size * PAGE_SIZE);
	for (unsigned which = 0; which < SPACES; which++) {
		for (unsigned i = 0; i < WINDOW; i++) {
			struct page *page = &model[which][i];

			if (page->mapped && page->object == object && page->index >= size)
				page->own = false;
		}
	}
	for (unsigned index = size; index < OBJECT; index++)
		object_values[object][index] = first_value(object, index);
	object_pages[object] = size;
}

/* The other space ends, and is a copy of this one from now on. */
static void step_fork(unsigned which)
{
	unsigned other = 1 - which;
	struct space *child = space_fork(spaces[which]);

	if (failing && !child)
		return;
	CHECK(child);
	space_put(spaces[other]);
	spaces[other] = child;
	memcpy(model[other], model[which], sizeof(model[other]));
}

static void step(bool may_fail)
{
	unsigned which = (unsigned)test_random(SPACES), from = (unsigned)test_random(WINDOW);
	unsigned count = 1 + (unsigned)test_random(WINDOW - from);
	unsigned kind = (unsigned)test_random(100);

	if (count > 12 && test_random(8))
		count = 12;
	failing = may_fail && !test_random(3);
	pages_fail_nth(failing ? 1 + test_random(4) : 0);
	if (kind < 8)
		step_map(which, from, count);
	else if (kind < 14)
		step_unmap(which, from, count);
	else if (kind < 22)
		step_protect(which, from, count);
	else if (kind < 23)
		step_truncate();
	else if (kind < 25)
		step_fork(which);
	else if (kind < 60)
		step_store(which, from);
	else
		step_load(which, from, kind < 65 ? MAP_EXECUTE : MAP_READ);
	pages_fail_nth(0);
	failing = false;
}

/* Every page, and that neighbours which could be one VMA are one. */
static void check_all(bool joined)
{
	spaces_audit(spaces, SPACES);
	for (unsigned which = 0; which < SPACES; which++) {
		struct vma *vma = vma_find(spaces[which], 0), *next;

		for (unsigned i = 0; i < WINDOW; i++)
			step_load(which, i, MAP_READ);
		for (; joined && vma && (next = vma_next(vma)); vma = next)
			CHECK(vma->end != next->start || vma->access != next->access ||
				vma->flags != next->flags || vma->object != next->object ||
				(vma->object &&
					vma->offset + (vma->end - vma->start) != next->offset));
	}
}

static void run(bool may_fail)
{
	start();
	for (unsigned i = 0; i < steps; i++) {
		step(may_fail);
		if (i % 64 == 0)
			spaces_audit(spaces, SPACES);
		if (i % 512 == 0)
			check_all(!may_fail);
	}
	end();
}

static void test_model(void)
{
	run(false);
}

static void test_model_no_memory(void)
{
	run(true);
}

int main(void)
{
	RUN(test_model);
	RUN(test_model_no_memory);
	return test_result();
}
