/* SPDX-License-Identifier: MIT */
/* The copy of a space, as fork(2) says it is. */
#include "memory/space_internal.h"
#include "memory/space_test.h"

#define BASE   UINT64_C(0x40000000)
#define P(n)   (BASE + (uintptr_t)(n)*PAGE_SIZE)
#define NEW(n) ((size_t)(n)*PAGE_SIZE)

static struct space *family[2]; /* parent, child */
static struct object object;    /* ten pages, page n full of n + 1 */

static int fill(struct object *of, uint64_t index, struct frame *frame)
{
	(void)of;
	memset(frame_ptr(frame), (int)index + 1, PAGE_SIZE);
	return 0;
}

static const struct object_operations filled = {.fill = fill};

static void make(void)
{
	family[0] = space_create();
	CHECK(family[0]);
	space_used = family[0];
	object_init(&object, &filled, NEW(10));
}

static void start(void)
{
	spaces_start();
	make();
}

static void use(unsigned which)
{
	space_used = family[which];
}

static void map_at(uintptr_t at, size_t pages, unsigned flags, struct object *of)
{
	CHECK_EQUAL(space_map(family[0], at, NEW(pages), RW, flags, SPACE_FIXED, of, 0), at);
}

static void born(void)
{
	family[1] = space_fork(family[0]);
	CHECK(family[1]);
	spaces_audit(family, 2);
}

static void end(void)
{
	spaces_audit(family, 2);
	space_put(family[1]);
	spaces_audit(family, 1);
	space_put(family[0]);
	CHECK_EQUAL(object.references, 1);
	object_put(&object);
	spaces_end();
}

static void test_private(void)
{
	start();
	map_at(P(0), 4, 0, NULL);
	CHECK_EQUAL(store(P(0), 1), 0);
	CHECK_EQUAL(store(P(1), 2), 0);
	CHECK_EQUAL(load(P(2)), 0); /* the zero page */
	born();
	CHECK_EQUAL(space_resident(family[1]), 2);
	use(1);
	CHECK_EQUAL(load(P(0)), 1);
	CHECK_EQUAL(store(P(0), 10), 0);
	CHECK_EQUAL(store(P(2), 11), 0);
	use(0);
	CHECK_EQUAL(load(P(0)), 1);
	CHECK_EQUAL(load(P(2)), 0);
	CHECK_EQUAL(store(P(1), 12), 0);
	use(1);
	CHECK_EQUAL(load(P(1)), 2);
	CHECK_EQUAL(load(P(0)), 10);
	end();
}

/* The last owner writes in place. */
static void test_last_owner(void)
{
	struct arch_mapping before, after;

	start();
	map_at(P(0), 1, 0, NULL);
	CHECK_EQUAL(store(P(0), 1), 0);
	CHECK(arch_lookup(&family[0]->arch, P(0), &before));
	born();
	space_put(family[1]);
	CHECK_EQUAL(store(P(0), 2), 0);
	CHECK(arch_lookup(&family[0]->arch, P(0), &after));
	CHECK_EQUAL(before.phys, after.phys);
	born();
	end();
}

static void test_shared(void)
{
	start();
	map_at(P(0), 2, VMA_SHARED, NULL);
	map_at(P(4), 4, VMA_SHARED, &object);
	map_at(P(8), 4, 0, &object);
	CHECK_EQUAL(store(P(0), 5), 0);
	CHECK_EQUAL(load(P(4)), 1);
	CHECK_EQUAL(load(P(8)), 1);
	CHECK_EQUAL(store(P(9), 7), 0);
	born();
	use(1);
	CHECK_EQUAL(load(P(0)), 5);
	CHECK_EQUAL(store(P(0), 6), 0);
	CHECK_EQUAL(store(P(1), 8), 0); /* was not there at the fork */
	CHECK_EQUAL(store(P(4), 60), 0);
	CHECK_EQUAL(store(P(9), 70), 0);
	use(0);
	CHECK_EQUAL(load(P(0)), 6);
	CHECK_EQUAL(load(P(1)), 8);
	CHECK_EQUAL(load(P(4)), 60);
	CHECK_EQUAL(load(P(8)), 60);
	CHECK_EQUAL(load(P(9)), 7);
	CHECK_EQUAL(object.references, 5);
	end();
}

static void test_advised(void)
{
	start();
	map_at(P(0), 2, VMA_GROWS_DOWN, NULL);
	map_at(P(2), 2, VMA_WIPE_ON_FORK, NULL);
	map_at(P(4), 2, VMA_DONT_FORK, NULL);
	map_at(P(6), 2, VMA_LOCKED, NULL);
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQUAL(store(P(i), 1), 0);
	family[0]->brk_start = family[0]->brk = P(100);
	born();
	CHECK_EQUAL(family[1]->vma_count, 3);
	CHECK_EQUAL(family[1]->pages, 6);
	CHECK_EQUAL(family[1]->brk, P(100));
	use(1);
	CHECK_EQUAL(load(P(1)), 1);
	CHECK_EQUAL(load(P(2)), 0);
	CHECK_EQUAL(load(P(3)), 0);
	CHECK_EQUAL(load(P(4)), -MAPERR);
	CHECK_EQUAL(load(P(5)), -MAPERR);
	CHECK_EQUAL(load(P(6)), 1);
	CHECK(!(vma_find(family[1], P(6))->flags & VMA_LOCKED));
	CHECK(vma_find(family[1], P(2))->flags & VMA_WIPE_ON_FORK);
	CHECK(vma_find(family[1], P(0))->flags & VMA_GROWS_DOWN);
	end();
}

static void test_protected(void)
{
	start();
	map_at(P(0), 2, 0, NULL);
	CHECK_EQUAL(store(P(0), 1), 0);
	CHECK_EQUAL(space_protect(family[0], P(0), NEW(1), 0), 0);
	born();
	use(1);
	CHECK_EQUAL(load(P(0)), -ACCERR);
	CHECK_EQUAL(space_protect(family[1], P(0), NEW(1), RW), 0);
	CHECK_EQUAL(load(P(0)), 1);
	CHECK_EQUAL(store(P(0), 2), 0);
	use(0);
	CHECK_EQUAL(space_protect(family[0], P(0), NEW(1), RW), 0);
	CHECK_EQUAL(load(P(0)), 1);
	end();
}

/* The pages of a file that is cut go from the child too. */
static void test_cut(void)
{
	start();
	map_at(P(0), 4, VMA_SHARED, &object);
	CHECK_EQUAL(load(P(3)), 4);
	born();
	object_unmap(&object, 2);
	object_truncate(&object, NEW(2));
	spaces_audit(family, 2);
	use(1);
	CHECK_EQUAL(load(P(3)), -ADRERR);
	CHECK_EQUAL(load(P(1)), 2);
	end();
}

/* Many VMAs, near and far, so that batches and coalesced ranges come out right; then generations. */
static void test_many(void)
{
	start();
	for (unsigned i = 0; i < 300; i++) {
		map_at(P(i * (i % 7 == 0 ? 900 : 3)), 1, i % 3 ? 0 : VMA_DONT_FORK, NULL);
		CHECK_EQUAL(store(P(i * (i % 7 == 0 ? 900 : 3)), (uint8_t)i), 0);
	}
	for (unsigned generation = 0; generation < 3; generation++) {
		born();
		use(1);
		for (unsigned i = 0; i < 300; i++) {
			if (i % 3)
				CHECK_EQUAL(load(P(i * (i % 7 == 0 ? 900 : 3))), (uint8_t)i);
		}
		space_put(family[0]);
		family[0] = family[1];
	}
	born();
	end();
}

/* Whichever allocation fails, nothing is lost. */
static void test_no_memory(void)
{
	unsigned failed = 0;

	spaces_start();
	for (unsigned n = 1; n < 10; n++) {
		make();
		map_at(P(0), 3, 0, NULL);
		map_at(P(5000), 3, VMA_SHARED, &object);
		map_at(P(50000), 3, VMA_GROWS_DOWN, NULL);
		for (unsigned i = 0; i < 3; i++) {
			CHECK_EQUAL(store(P(i), 1), 0);
			CHECK_EQUAL(store(P(5000 + i), 1), 0);
			CHECK_EQUAL(store(P(50000 + i), 1), 0);
		}
		pages_fail_nth(n);
		family[1] = space_fork(family[0]);
		pages_fail_nth(0);
		if (family[1])
			space_put(family[1]);
		else
			failed++;
		spaces_audit(family, 1);
		CHECK_EQUAL(store(P(0), 9), 0);
		CHECK_EQUAL(load(P(1)), 1);
		born();
		end();
	}
	CHECK(failed >= 4); /* the top table and those below it */
}

int main(void)
{
	RUN(test_private);
	RUN(test_last_owner);
	RUN(test_shared);
	RUN(test_advised);
	RUN(test_protected);
	RUN(test_cut);
	RUN(test_many);
	RUN(test_no_memory);
	return test_result();
}
