/* SPDX-License-Identifier: MIT */
/* madvise, msync and mincore on address spaces: what goes, what stays, what is refused. */
#include "memory/space_test.h"

#include <linux/mman.h>

#include <asm/mman.h>
#include <asm/resource.h>

#define BASE   UINT64_C(0x40000000)
#define P(n)   (BASE + (uintptr_t)(n)*PAGE_SIZE)
#define NEW(n) ((size_t)(n)*PAGE_SIZE)

static struct space *space;
static struct object object; /* ten pages, page n full of n + 1 */

static int fill(struct object *of, uint64_t index, struct frame *frame)
{
	(void)of;
	memset(frame_ptr(frame), (int)index + 1, PAGE_SIZE);
	return 0;
}

static const struct object_operations filled = {.fill = fill};

static void map_at(
	uintptr_t at, size_t pages, unsigned access, unsigned vma_flags, struct object *of)
{
	CHECK_EQUAL(space_map(space, at, NEW(pages), access, vma_flags, SPACE_FIXED, of, 0), at);
}

static void start(void)
{
	spaces_start();
	space = space_create();
	CHECK(space);
	space_used = space;
	object_init(&object, &filled, NEW(10));
}

static void end(void)
{
	spaces_audit(&space, 1);
	space_put(space);
	object_put(&object);
	spaces_end();
}

/* Each page from `at` gets its byte, value and up. */
static void store_all(uintptr_t at, size_t pages, uint8_t value)
{
	for (size_t i = 0; i < pages; i++)
		CHECK_EQUAL(store(at + NEW(i), (uint8_t)(value + i)), 0);
}

static int advise(unsigned page, size_t pages, int advice)
{
	return space_advise(space, P(page), NEW(pages), advice);
}

static void test_gone(void)
{
	static const int advice[] = {MADV_DONTNEED, MADV_DONTNEED_LOCKED, MADV_FREE};

	start();
	map_at(P(0), 4, RW, 0, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(advice); i++) {
		store_all(P(0), 4, 50);
		CHECK_EQUAL(space_resident(space), 4);
		CHECK_EQUAL(advise(1, 2, advice[i]), 0);
		CHECK_EQUAL(space_resident(space), 2);
		CHECK_EQUAL(load(P(0)), 50);
		CHECK_EQUAL(load(P(1)), 0);
		CHECK_EQUAL(load(P(2)), 0);
		CHECK_EQUAL(load(P(3)), 53);
		CHECK_EQUAL(store(P(1), 9), 0);
		CHECK_EQUAL(load(P(1)), 9);
	}
	end();
}

static void test_file(void)
{
	struct frame *frame;

	start();
	map_at(P(0), 3, RW, 0, &object);
	map_at(P(10), 3, RW, VMA_SHARED, &object);
	store_all(P(0), 3, 50);
	CHECK_EQUAL(store(P(11), 77), 0);
	CHECK_EQUAL(advise(0, 3, MADV_FREE), -EINVAL); /* only what nobody else has */
	CHECK_EQUAL(advise(10, 3, MADV_FREE), -EINVAL);
	for (unsigned i = 0; i < 3; i++)
		CHECK_EQUAL(load(P(i)), 50 + (int)i);
	CHECK_EQUAL(space_resident(space), 4);
	CHECK_EQUAL(advise(0, 2, MADV_DONTNEED), 0); /* private: the file's own again */
	CHECK_EQUAL(load(P(0)), 1);
	CHECK_EQUAL(load(P(1)), 77);
	CHECK_EQUAL(load(P(2)), 52);
	CHECK_EQUAL(advise(10, 3, MADV_DONTNEED), 0); /* shared: what was written stays */
	CHECK_EQUAL(load(P(11)), 77);
	CHECK_EQUAL(object_page(&object, 1, &frame), 0);
	CHECK_EQUAL(*(uint8_t *)frame_ptr(frame), 77);
	frame_put(frame);
	end();
}

static void test_locked(void)
{
	static const int refused[] = {
		MADV_DONTNEED, MADV_FREE, MADV_COLD, MADV_PAGEOUT, MADV_REMOVE};

	start();
	map_at(P(0), 3, RW, 0, NULL);
	map_at(P(10), 1, RW, VMA_SHARED, &object);
	store_all(P(0), 3, 50);
	CHECK_EQUAL(space_lock(space, P(1), NEW(1), VMA_LOCKED), 0);
	CHECK_EQUAL(space_lock(space, P(10), NEW(1), VMA_LOCKED), 0);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		CHECK_EQUAL(advise(1, 1, refused[i]), -EINVAL);
		CHECK_EQUAL(advise(10, 1, refused[i]), -EINVAL);
	}
	CHECK_EQUAL(load(P(1)), 51);
	CHECK_EQUAL(load(P(10)), 1);
	CHECK_EQUAL(advise(0, 3, MADV_DONTNEED), -EINVAL); /* up to the locked one, as on Linux */
	CHECK_EQUAL(load(P(0)), 0);
	CHECK_EQUAL(load(P(1)), 51);
	CHECK_EQUAL(load(P(2)), 52);
	CHECK_EQUAL(space_sync(space, P(0), NEW(3), MS_INVALIDATE), -EBUSY);
	CHECK_EQUAL(space_sync(space, P(0), NEW(3), MS_SYNC), 0);
	CHECK_EQUAL(advise(0, 3, MADV_DONTNEED_LOCKED), 0);
	CHECK_EQUAL(load(P(1)), 0);
	CHECK_EQUAL(load(P(2)), 0);
	CHECK_EQUAL(space_lock(space, P(0), NEW(3), 0), 0);
	CHECK_EQUAL(store(P(1), 5), 0);
	CHECK_EQUAL(advise(1, 1, MADV_DONTNEED), 0);
	CHECK_EQUAL(load(P(1)), 0);
	CHECK_EQUAL(space_sync(space, P(0), NEW(3), MS_INVALIDATE), 0);
	end();
}

static void test_holes(void)
{
	start();
	map_at(P(1), 1, RW, 0, NULL);
	map_at(P(3), 1, RW, 0, NULL);
	store_all(P(1), 1, 50);
	store_all(P(3), 1, 53);
	CHECK_EQUAL(advise(1, 3, MADV_DONTNEED), -ENOMEM); /* done all the same */
	CHECK_EQUAL(load(P(1)), 0);
	CHECK_EQUAL(load(P(3)), 0);
	CHECK_EQUAL(advise(0, 2, MADV_WILLNEED), -ENOMEM);
	CHECK_EQUAL(advise(3, 2, MADV_WILLNEED), -ENOMEM);
	CHECK_EQUAL(advise(3, 1, MADV_WILLNEED), 0);
	CHECK_EQUAL(advise(5, 1, MADV_WILLNEED), -ENOMEM);
	CHECK_EQUAL(space_sync(space, P(1), NEW(3), MS_ASYNC), -ENOMEM);
	CHECK_EQUAL(space_sync(space, P(3), NEW(1), MS_ASYNC), 0);
	end();
}

static void test_arguments(void)
{
	start();
	map_at(P(0), 2, RW, 0, NULL);
	store_all(P(0), 2, 50);
	CHECK_EQUAL(advise(0, 2, 12345), -EINVAL);
	CHECK_EQUAL(space_advise(space, P(0) + 1, NEW(1), MADV_DONTNEED), -EINVAL);
	CHECK_EQUAL(
		space_advise(space, P(0), SIZE_MAX, MADV_DONTNEED), -EINVAL); /* rounded up: 0 */
	CHECK_EQUAL(space_advise(space, P(0), -P(0) + NEW(1), MADV_DONTNEED), -EINVAL);
	CHECK_EQUAL(advise(0, 0, MADV_DONTNEED), 0);
	CHECK_EQUAL(load(P(0)), 50);
	CHECK_EQUAL(space_advise(space, P(0), 1, MADV_DONTNEED), 0); /* a whole page */
	CHECK_EQUAL(load(P(0)), 0);
	CHECK_EQUAL(load(P(1)), 51);
	CHECK_EQUAL(space_sync(space, P(0), NEW(1), MS_SYNC | MS_ASYNC), -EINVAL);
	CHECK_EQUAL(space_sync(space, P(0), NEW(1), 0x100), -EINVAL);
	CHECK_EQUAL(space_sync(space, P(0) + 1, NEW(1), MS_SYNC), -EINVAL);
	CHECK_EQUAL(space_sync(space, P(0), 0, MS_SYNC), 0);
	end();
}

/* A hole is everybody's: the pages of the object go, and with them each mapping of them. A file
 * whose content comes from elsewhere has none. */
static void test_remove(void)
{
	static const struct object_operations zeroes = {0};

	start();
	map_at(P(0), 2, RW, VMA_SHARED, &object);
	CHECK_EQUAL(advise(0, 1, MADV_REMOVE), -EOPNOTSUPP);
	object.operations = &zeroes;
	map_at(P(10), 2, RW, 0, &object);
	map_at(P(20), 2, MAP_READ, VMA_SHARED, &object);
	map_at(P(30), 1, RW, 0, NULL);
	store_all(P(0), 2, 50);
	CHECK_EQUAL(load(P(20)), 50);
	CHECK_EQUAL(advise(10, 2, MADV_REMOVE), -EACCES); /* private */
	CHECK_EQUAL(advise(20, 2, MADV_REMOVE), -EACCES); /* read-only */
	CHECK_EQUAL(advise(30, 1, MADV_REMOVE), -EINVAL); /* nobody else's */
	CHECK_EQUAL(load(P(20)), 50);
	CHECK_EQUAL(advise(0, 1, MADV_REMOVE), 0);
	CHECK_EQUAL(load(P(20)), 0);
	CHECK_EQUAL(load(P(0)), 0);
	CHECK_EQUAL(load(P(1)), 51);
	end();
}

static void test_in_core(void)
{
	uint8_t there[4];

	start();
	map_at(P(0), 2, RW, 0, NULL);
	map_at(P(2), 2, RW, 0, &object);
	CHECK_EQUAL(store(P(1), 1), 0);
	CHECK_EQUAL(load(P(3)), 2);
	CHECK_EQUAL(space_in_core(space, P(0), 4, there), 0);
	CHECK(!there[0] && there[1] && !there[2] && there[3]);
	CHECK_EQUAL(advise(0, 4, MADV_DONTNEED), 0);
	CHECK_EQUAL(space_in_core(space, P(0), 4, there), 0);
	CHECK(!there[0] && !there[1] && !there[2] && there[3]); /* the file's page is still there */
	CHECK_EQUAL(space_in_core(space, P(3), 2, there), -ENOMEM);
	end();
}

static void test_populate(void)
{
	start();
	map_at(P(0), 2, RW, 0, NULL);
	map_at(P(4), 1, MAP_READ, 0, NULL);
	CHECK_EQUAL(advise(0, 2, MADV_POPULATE_WRITE), 0);
	CHECK_EQUAL(space_resident(space), 2);
	CHECK_EQUAL(advise(4, 1, MADV_POPULATE_READ), 0);
	CHECK_EQUAL(advise(4, 1, MADV_POPULATE_WRITE), -EINVAL);
	CHECK_EQUAL(advise(0, 3, MADV_POPULATE_WRITE), -ENOMEM);
	end();
}

int main(void)
{
	RUN(test_gone);
	RUN(test_file);
	RUN(test_locked);
	RUN(test_holes);
	RUN(test_arguments);
	RUN(test_remove);
	RUN(test_in_core);
	RUN(test_populate);
	return test_result();
}
