/* SPDX-License-Identifier: MIT */
/* Address spaces against what Linux's mmap, munmap, mprotect, brk and page faults do. */
#include "memory/space_test.h"

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
	return index == 9 ? -EIO : 0;
}

static const struct object_operations filled = {.fill = fill};

static void start(void)
{
	spaces_start();
	space = space_create();
	CHECK(space);
	space_used = space;
	object_init(&object, &filled, NEW(10));
}

static void audit(void)
{
	spaces_audit(&space, 1);
}

static void end(void)
{
	audit();
	space_put(space);
	object_put(&object);
	spaces_end();
}

static long map(uintptr_t at, size_t pages, unsigned access, unsigned vma_flags, unsigned map_flags)
{
	return space_map(space, at, NEW(pages), access, vma_flags, map_flags, NULL, 0);
}

static void map_at(uintptr_t at, size_t pages, unsigned access, unsigned vma_flags)
{
	CHECK_EQUAL(map(at, pages, access, vma_flags, SPACE_FIXED), at);
}

static void map_object(
	uintptr_t at, size_t pages, unsigned access, unsigned vma_flags, uint64_t page)
{
	CHECK_EQUAL(space_map(space, at, NEW(pages), access, vma_flags, SPACE_FIXED, &object,
			    NEW(page)),
		at);
}

static void test_map(void)
{
	start();
	CHECK_EQUAL(map(0, 3, RW, 0, 0), USER_END - NEW(3));
	CHECK_EQUAL(map(0, 1, MAP_READ, 0, 0), USER_END - NEW(4));
	CHECK_EQUAL(map(P(3) + 5, 1, RW, 0, 0), P(3)); /* a hint is rounded down */
	CHECK_EQUAL(map(P(3), 1, MAP_READ, 0, 0), USER_END - NEW(5));
	CHECK_EQUAL(space_map(space, 0, 1, RW, 0, 0, NULL, 0), USER_END - NEW(6)); /* rounded up */
	CHECK_EQUAL(map(0, 0, RW, 0, 0), -EINVAL);
	CHECK_EQUAL(space_map(space, 0, SIZE_MAX, RW, 0, 0, NULL, 0), -ENOMEM);
	CHECK_EQUAL(space_map(space, 0, USER_END, RW, 0, 0, NULL, 0), -ENOMEM);
	CHECK_EQUAL(map(P(0) + 1, 1, RW, 0, SPACE_FIXED), -EINVAL);
	CHECK_EQUAL(map(0, 1, RW, 0, SPACE_FIXED), -EPERM);
	CHECK_EQUAL(map(USER_MIN - PAGE_SIZE, 1, RW, 0, SPACE_FIXED), -EPERM);
	CHECK_EQUAL(map(USER_END - PAGE_SIZE, 2, RW, 0, SPACE_FIXED), -ENOMEM);
	CHECK_EQUAL(map(USER_END, 1, RW, 0, SPACE_FIXED), -ENOMEM);
	CHECK_EQUAL(map(ALIGN_DOWN(UINTPTR_MAX, PAGE_SIZE), 2, RW, 0, SPACE_FIXED), -ENOMEM);
	CHECK_EQUAL(map(P(3), 1, RW, 0, SPACE_FIXED | SPACE_NO_REPLACE), -EEXIST);
	CHECK_EQUAL(map(P(2), 2, RW, 0, SPACE_FIXED | SPACE_NO_REPLACE), -EEXIST);
	CHECK_EQUAL(map(P(2), 1, RW, 0, SPACE_FIXED | SPACE_NO_REPLACE), P(2));
	CHECK_EQUAL(map(P(4), 1, RW, 0, SPACE_FIXED | SPACE_NO_REPLACE), P(4));
	CHECK_EQUAL(vma_find(space, P(2))->end, P(5)); /* joined */
	end();
}

static void test_replace(void)
{
	start();
	map_at(P(0), 10, RW, 0);
	for (unsigned i = 0; i < 10; i++)
		CHECK_EQUAL(store(P(i), 9), 0);
	CHECK_EQUAL(space_resident(space), 10);
	map_at(P(3), 4, MAP_READ, 0);
	CHECK_EQUAL(space_resident(space), 6);
	CHECK_EQUAL(space->vma_count, 3);
	CHECK_EQUAL(load(P(2)), 9);
	CHECK_EQUAL(load(P(3)), 0);
	CHECK_EQUAL(store(P(6), 1), -ACCERR);
	CHECK_EQUAL(load(P(7)), 9);
	end();
}

static void test_unmap(void)
{
	start();
	map_at(P(0), 10, RW, 0);
	CHECK_EQUAL(store(P(5), 9), 0);
	CHECK_EQUAL(space_unmap(space, P(4), NEW(2)), 0);
	CHECK_EQUAL(space->vma_count, 2);
	CHECK_EQUAL(load(P(5)), -MAPERR);
	CHECK_EQUAL(load(P(3)), 0);
	CHECK_EQUAL(load(P(6)), 0);
	audit();
	map_at(P(4), 2, RW, 0);
	CHECK_EQUAL(space->vma_count, 1);
	CHECK_EQUAL(load(P(5)), 0);
	CHECK_EQUAL(space_unmap(space, P(20), NEW(2)), 0); /* nothing there is fine */
	CHECK_EQUAL(space_unmap(space, P(0) + 1, NEW(1)), -EINVAL);
	CHECK_EQUAL(space_unmap(space, P(0), 0), -EINVAL);
	CHECK_EQUAL(space_unmap(space, P(0), SIZE_MAX), -EINVAL);
	CHECK_EQUAL(space_unmap(space, P(0), USER_END), -EINVAL);
	CHECK_EQUAL(space_unmap(space, 0, USER_END), 0);
	CHECK_EQUAL(space->vma_count, 0);
	CHECK_EQUAL(space->pages, 0);
	end();
}

static void test_protect(void)
{
	uint8_t *byte;

	start();
	map_at(P(0), 4, RW, 0);
	map_at(P(4), 4, MAP_READ, 0);
	CHECK_EQUAL(store(P(3), 3), 0);
	CHECK_EQUAL(load(P(4)), 0);
	CHECK_EQUAL(space_protect(space, P(3), NEW(2), MAP_READ | MAP_EXECUTE), 0);
	CHECK_EQUAL(space->vma_count, 4); /* what could be written stays accounted for */
	CHECK_EQUAL(store(P(3), 4), -ACCERR);
	CHECK_EQUAL(touch(P(3), FAULT_FETCH, &byte), 0);
	CHECK_EQUAL(*byte, 3);
	CHECK_EQUAL(touch(P(2), FAULT_FETCH, &byte), ACCERR);
	CHECK_EQUAL(space_protect(space, P(0), NEW(8), RW), 0);
	CHECK_EQUAL(space->vma_count, 1);
	CHECK_EQUAL(load(P(3)), 3);
	CHECK_EQUAL(store(P(4), 4), 0); /* the zero page was there, and is not written */
	CHECK_EQUAL(load(P(5)), 0);
	CHECK_EQUAL(space_protect(space, P(0), NEW(8), 0), 0);
	CHECK_EQUAL(load(P(3)), -ACCERR);
	CHECK_EQUAL(load(P(6)), -ACCERR); /* not present yet */
	audit();
	CHECK_EQUAL(space_protect(space, P(0), NEW(8), MAP_READ), 0);
	CHECK_EQUAL(load(P(3)), 3);
	CHECK_EQUAL(space_protect(space, P(0) + 1, NEW(1), MAP_READ), -EINVAL);
	CHECK_EQUAL(space_protect(space, P(0), 0, MAP_READ), 0);
	CHECK_EQUAL(space_protect(space, P(0), SIZE_MAX, MAP_READ), -ENOMEM);
	CHECK_EQUAL(space_protect(space, P(0), USER_END, MAP_READ), -ENOMEM);
	CHECK_EQUAL(space_protect(space, ALIGN_DOWN(UINTPTR_MAX, PAGE_SIZE), NEW(1), MAP_READ),
		-ENOMEM);
	end();
}

/* Linux changes what comes before the hole, and says ENOMEM. */
static void test_protect_holes(void)
{
	start();
	map_at(P(0), 2, RW, 0);
	map_at(P(3), 2, RW, 0);
	CHECK_EQUAL(space_protect(space, P(1), NEW(4), MAP_READ), -ENOMEM);
	CHECK_EQUAL(store(P(0), 1), 0);
	CHECK_EQUAL(store(P(1), 1), -ACCERR);
	CHECK_EQUAL(store(P(3), 1), 0);
	CHECK_EQUAL(space_protect(space, P(2), NEW(2), MAP_READ), -ENOMEM);
	CHECK_EQUAL(store(P(3), 1), 0);
	CHECK_EQUAL(space_protect(space, P(4), NEW(2), MAP_READ), -ENOMEM);
	CHECK_EQUAL(store(P(4), 1), -ACCERR);
	CHECK_EQUAL(space_protect(space, P(9), NEW(2), MAP_READ), -ENOMEM);
	end();
}

/* Shared, of a file that is not open for writing. */
static void test_protect_read_only(void)
{
	start();
	map_at(P(0), 1, MAP_READ, 0);
	map_object(P(1), 1, MAP_READ, VMA_SHARED | VMA_READ_ONLY, 1);
	map_at(P(2), 1, MAP_READ, 0);
	CHECK_EQUAL(load(P(1)), 2);
	CHECK_EQUAL(space_protect(space, P(1), NEW(1), RW), -EACCES);
	CHECK_EQUAL(store(P(1), 1), -ACCERR);
	CHECK_EQUAL(space_protect(space, P(0), NEW(3), RW), -EACCES);
	CHECK_EQUAL(store(P(0), 1), 0); /* what comes before was changed */
	CHECK_EQUAL(store(P(1), 1), -ACCERR);
	CHECK_EQUAL(store(P(2), 1), -ACCERR);
	CHECK_EQUAL(space_protect(space, P(1), NEW(1), MAP_READ | MAP_EXECUTE), 0);
	end();
}

/* What may be written may be read, on x86: no page faults for ever. */
static void test_write_only(void)
{
	uint8_t *byte;

	start();
	map_at(P(0), 2, MAP_WRITE, 0);
	CHECK_EQUAL(load(P(0)), 0);
	CHECK_EQUAL(store(P(0), 5), 0);
	CHECK_EQUAL(load(P(0)), 5);
	map_object(P(2), 1, MAP_WRITE, 0, 4);
	CHECK_EQUAL(load(P(2)), 5);
	map_at(P(3), 1, MAP_READ, 0);
	CHECK_EQUAL(load(P(3)), 0);
	CHECK_EQUAL(space_protect(space, P(3), NEW(1), MAP_WRITE), 0);
	CHECK_EQUAL(load(P(3)), 0);
	map_at(P(4), 1, MAP_WRITE | MAP_EXECUTE, 0);
	CHECK_EQUAL(touch(P(4), FAULT_FETCH, &byte), 0);
	end();
}

static void test_brk(void)
{
	start();
	space->brk_start = space->brk = P(0) + 100;
	CHECK_EQUAL(space_brk(space, 0), P(0) + 100);
	CHECK_EQUAL(space_brk(space, P(0) + 99), P(0) + 100);
	CHECK_EQUAL(space_brk(space, P(1)), P(1)); /* within the page: nothing of it is ours */
	CHECK_EQUAL(space->vma_count, 0);
	CHECK_EQUAL(space_brk(space, P(3) + 1), P(3) + 1);
	CHECK_EQUAL(space->pages, 3);
	CHECK_EQUAL(store(P(3), 3), 0);
	CHECK_EQUAL(store(P(4), 3), -MAPERR);
	CHECK_EQUAL(space_brk(space, P(3)), P(3));
	CHECK_EQUAL(load(P(3)), -MAPERR);
	CHECK_EQUAL(space_brk(space, P(5)), P(5));
	CHECK_EQUAL(load(P(3)), 0);
	CHECK_EQUAL(space->vma_count, 1);
	map_at(P(10), 1, RW, 0);
	CHECK_EQUAL(space_brk(space, P(10)), P(5)); /* a page stays free between */
	CHECK_EQUAL(space_brk(space, P(9)), P(9));
	CHECK_EQUAL(space_brk(space, USER_END), P(9));
	CHECK_EQUAL(space_brk(space, UINTPTR_MAX), P(9));
	CHECK_EQUAL(space_brk(space, P(0) + 100), P(0) + 100);
	CHECK_EQUAL(space->vma_count, 1);
	end();
}

static void test_stack(void)
{
	start();
	map_at(P(10000), 4, RW, VMA_GROWS_DOWN);
	CHECK_EQUAL(store(P(9999) + 8, 7), 0);
	CHECK_EQUAL(load(P(9999) + 8), 7);
	CHECK_EQUAL(store(P(10004) - STACK_LIMIT, 1), 0);
	CHECK_EQUAL(store(P(10004) - STACK_LIMIT - 1, 1), -MAPERR);
	CHECK_EQUAL(space_resident(space), 2); /* what lies between is not touched */
	limit_set(RLIMIT_STACK, 2 * STACK_LIMIT);
	map_at(P(7000), 1, RW, 0);
	CHECK_EQUAL(store(P(7001 + 255), 1), -MAPERR); /* the guard gap */
	CHECK_EQUAL(store(P(7001 + 256), 1), 0);
	audit();
	CHECK_EQUAL(space_protect(space, P(7000), NEW(1), 0), 0);
	CHECK_EQUAL(store(P(7001), 1), 0);
	CHECK_EQUAL(store(P(7000), 1), -ACCERR);
	CHECK_EQUAL(store(P(6999), 1), -MAPERR); /* the area above it does not grow */
	/* A stack that may not be written does not grow by writes, but by reads. */
	map_at(P(20000), 1, MAP_READ, VMA_GROWS_DOWN);
	CHECK_EQUAL(load(P(19999)), 0);
	CHECK_EQUAL(store(P(19999), 1), -ACCERR);
	end();
}

static void test_anonymous(void)
{
	start();
	map_at(P(0), 8, RW, 0);
	for (unsigned i = 0; i < 8; i++)
		CHECK_EQUAL(load(P(i)), 0);
	CHECK_EQUAL(space_resident(space), 0); /* the zero page, eight times */
	CHECK_EQUAL(store(P(1) + 7, 9), 0);
	CHECK_EQUAL(space_resident(space), 1);
	CHECK_EQUAL(load(P(1) + 6), 0);
	CHECK_EQUAL(load(P(1) + 7), 9);
	CHECK_EQUAL(load(P(2) + 7), 0);
	CHECK_EQUAL(load(P(8)), -MAPERR);
	CHECK_EQUAL(load(P(0) - 1), -MAPERR);
	CHECK_EQUAL(load(0), -MAPERR);
	CHECK_EQUAL(load(USER_END), -MAPERR);
	CHECK_EQUAL(load(UINTPTR_MAX), -MAPERR);
	end();
}

/* Shared anonymous memory: no page of it is the zero page. */
static void test_shared_anonymous(void)
{
	start();
	map_at(P(0), 4, RW, VMA_SHARED);
	CHECK_EQUAL(load(P(0)), 0);
	CHECK_EQUAL(store(P(0), 1), 0);
	CHECK_EQUAL(load(P(0)), 1);
	CHECK_EQUAL(load(P(1)), 0);
	map_at(P(8), 1, MAP_READ, VMA_SHARED);
	CHECK_EQUAL(load(P(8)), 0);
	CHECK_EQUAL(space_protect(space, P(8), NEW(1), RW), 0);
	CHECK_EQUAL(store(P(8), 1), 0);
	map_at(P(9), 1, RW, 0);
	CHECK_EQUAL(load(P(9)), 0);
	CHECK_EQUAL(space_unmap(space, P(1), NEW(1)), 0);
	end();
}

static void test_private_file(void)
{
	struct frame *frame;

	start();
	map_object(P(0), 12, RW, 0, 2); /* pages 2 to 13 of ten */
	CHECK_EQUAL(load(P(0)), 3);
	CHECK_EQUAL(load(P(1) + 5), 4);
	CHECK_EQUAL(store(P(0), 77), 0);
	CHECK_EQUAL(load(P(0)), 77);
	CHECK_EQUAL(load(P(0) + 1), 3);
	CHECK_EQUAL(object_page(&object, 2, &frame), 0);
	CHECK_EQUAL(*(uint8_t *)frame_ptr(frame), 3);
	frame_put(frame);
	CHECK_EQUAL(store(P(3), 5), 0); /* written without having been read */
	CHECK_EQUAL(load(P(3) + 1), 6);
	CHECK_EQUAL(space_resident(space), 3);
	CHECK_EQUAL(load(P(8)), -ADRERR); /* past the end */
	CHECK_EQUAL(store(P(11), 1), -ADRERR);
	CHECK_EQUAL(load(P(7)), -ADRERR); /* page 9 cannot be read: EIO */
	CHECK_EQUAL(load(P(12)), -MAPERR);
	CHECK_EQUAL(space_protect(space, P(0), NEW(2), MAP_READ), 0);
	CHECK_EQUAL(space_protect(space, P(0), NEW(2), RW), 0);
	CHECK_EQUAL(store(P(1), 8), 0); /* still a copy of the file's page */
	CHECK_EQUAL(object_page(&object, 3, &frame), 0);
	CHECK_EQUAL(*(uint8_t *)frame_ptr(frame), 4);
	frame_put(frame);
	end();
}

/* The end of a program's data: the file's bytes up to a place, zeroes from there on. */
static void test_clear_tail(void)
{
	struct frame *frame;

	start();
	map_object(P(0), 12, RW, 0, 2);
	CHECK_EQUAL(space_clear_tail(space, P(1) + 100), 0); /* not there before */
	CHECK_EQUAL(load(P(1) + 99), 4);
	CHECK_EQUAL(load(P(1) + 100), 0);
	CHECK_EQUAL(load(P(2) - 1), 0);
	CHECK_EQUAL(load(P(2)), 5);
	CHECK_EQUAL(store(P(3), 7), 0);
	CHECK_EQUAL(space_clear_tail(space, P(3) + 1), 0); /* there, and written */
	CHECK_EQUAL(load(P(3)), 7);
	CHECK_EQUAL(load(P(3) + 1), 0);
	CHECK_EQUAL(object_page(&object, 3, &frame), 0);
	CHECK_EQUAL(((uint8_t *)frame_ptr(frame))[100], 4); /* the file's is as it was */
	frame_put(frame);
	CHECK_EQUAL(space_clear_tail(space, P(7) + 1), -EFAULT); /* cannot be read */
	CHECK_EQUAL(space_clear_tail(space, P(8) + 1), -EFAULT); /* past the end */
	end();
}

static void test_shared_file(void)
{
	struct space *other;

	start();
	other = space_create();
	CHECK(other);
	map_object(P(0), 4, RW, VMA_SHARED, 0);
	CHECK_EQUAL(space_map(other, P(5), NEW(4), MAP_READ, VMA_SHARED, SPACE_FIXED, &object, 0),
		P(5));
	space_used = other;
	CHECK_EQUAL(load(P(5)), 1);
	space_used = space;
	CHECK_EQUAL(store(P(0), 50), 0);
	map_object(P(10), 1, RW, 0, 0); /* and privately, elsewhere */
	CHECK_EQUAL(load(P(10)), 50);
	CHECK_EQUAL(store(P(10), 51), 0);
	CHECK_EQUAL(load(P(0)), 50);
	space_used = other;
	CHECK_EQUAL(load(P(5)), 50);
	CHECK_EQUAL(store(P(5), 1), -ACCERR);
	spaces_audit((struct space *[]){space, other}, 2);
	space_put(other);
	space_used = space;
	end();
}

static void test_object_unmap(void)
{
	struct space *other;

	start();
	other = space_create();
	CHECK(other);
	map_object(P(0), 4, RW, VMA_SHARED, 1);
	map_object(P(10), 4, RW, 0, 1);
	map_at(P(20), 1, RW, 0);
	CHECK_EQUAL(space_map(other, P(0), NEW(9), MAP_READ, VMA_SHARED, SPACE_FIXED, &object, 0),
		P(0));
	for (unsigned i = 0; i < 4; i++) {
		CHECK_EQUAL(load(P(i)), (int)i + 2);
		CHECK_EQUAL(store(P(10 + i), 90), 0);
		space_used = other;
		CHECK_EQUAL(load(P(i)), (int)i + 1);
		space_used = space;
	}
	CHECK_EQUAL(store(P(20), 5), 0);
	object_unmap(&object, 3);
	CHECK_EQUAL(space_resident(space), 5);
	CHECK_EQUAL(space_resident(other), 3);
	object_truncate(&object, NEW(3));
	spaces_audit((struct space *[]){space, other}, 2);
	CHECK_EQUAL(load(P(1)), 3);
	CHECK_EQUAL(load(P(2)), -ADRERR);
	CHECK_EQUAL(load(P(11)), 90);
	CHECK_EQUAL(load(P(12)), -ADRERR); /* private copies go too */
	CHECK_EQUAL(load(P(20)), 5);
	object_truncate(&object, NEW(10));
	CHECK_EQUAL(load(P(2)), 4);
	CHECK_EQUAL(load(P(12)), 4);
	object_unmap(&object, 0);
	CHECK_EQUAL(space_resident(space), 1);
	CHECK_EQUAL(space->references, 1);
	space_put(other);
	object_unmap(&object, 0);
	end();
}

static void test_write_and_frame(void)
{
	char text[3 * PAGE_SIZE];
	struct frame *frame;
	struct space *other;

	start();
	other = space_create();
	CHECK(other);
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + i / 256);
	CHECK_EQUAL(space_map(other, P(0), NEW(4), RW, 0, SPACE_FIXED, NULL, 0), P(0));
	CHECK_EQUAL(space_write(other, P(0) + 100, text, sizeof(text)), 0);
	space_used = other;
	for (size_t i = 0; i < sizeof(text); i++)
		CHECK_EQUAL((char)load(P(0) + 100 + i), text[i]);
	CHECK_EQUAL(load(P(0) + 99), 0);
	space_used = space;
	CHECK_EQUAL(space_write(other, P(4) - 1, text, 2), -EFAULT);
	CHECK_EQUAL(space_write(other, USER_END, text, 1), -EFAULT);
	CHECK_EQUAL(space_write(other, P(0), text, 0), 0);
	CHECK_EQUAL(space_frame(other, P(9), FAULT_READ, &frame), -EFAULT);
	CHECK_EQUAL(space_frame(other, P(1) + 3, FAULT_READ, &frame), 0);
	CHECK_EQUAL(frame->references, 2);
	CHECK_EQUAL(((char *)frame_ptr(frame))[3], text[PAGE_SIZE + 3 - 100]);
	CHECK_EQUAL(space_protect(other, P(0), NEW(4), MAP_READ), 0);
	CHECK_EQUAL(space_frame(other, P(1), FAULT_WRITE, &frame), -EFAULT);
	/* While somebody else holds the page, a write makes a copy. */
	CHECK_EQUAL(space_protect(other, P(0), NEW(4), RW), 0);
	CHECK_EQUAL(space_write(other, P(1), "new", 3), 0);
	CHECK_EQUAL(frame->references, 1);
	CHECK_EQUAL(((char *)frame_ptr(frame))[0], text[PAGE_SIZE - 100]);
	frame_put(frame);
	CHECK_EQUAL(space_clear_tail(other, P(2) + 5), 0);
	CHECK_EQUAL(space_frame(other, P(2), FAULT_READ, &frame), 0);
	CHECK_EQUAL(((char *)frame_ptr(frame))[4], text[2 * PAGE_SIZE + 4 - 100]);
	CHECK_EQUAL(((char *)frame_ptr(frame))[5], 0);
	CHECK_EQUAL(((char *)frame_ptr(frame))[PAGE_SIZE - 1], 0);
	frame_put(frame);
	CHECK_EQUAL(space_clear_tail(other, P(9)), 0); /* nothing to clear */
	CHECK_EQUAL(space_clear_tail(other, P(9) + 1), -EFAULT);
	spaces_audit(&other, 1);
	space_put(other);
	end();
}

/* ---- Memory that runs out, everywhere ---- */

/* Each step may fail for want of memory alone; false then. */
static bool failed(long result, bool *clean)
{
	CHECK(result >= 0 || result == -ENOMEM || result == -KILLED || result == -EFAULT);
	if (result < 0)
		*clean = false;
	return result < 0;
}

static bool everything(void)
{
	struct space *made = space_create();
	bool clean = true;

	if (!made)
		return false;
	space = space_used = made;
	space->brk_start = space->brk = P(5000);
	if (failed(map(P(0), 6, RW, 0, SPACE_FIXED), &clean))
		return false;
	for (unsigned i = 0; i < 6; i++) {
		failed(load(P(i)), &clean);
		failed(store(P(i), 1), &clean);
		audit();
	}
	failed(space_protect(space, P(1), NEW(2), MAP_READ), &clean);
	audit();
	failed(space_unmap(space, P(4), NEW(1)), &clean);
	failed(map(P(600), 3, RW, VMA_SHARED, SPACE_FIXED), &clean);
	if (!failed(space_map(space, P(1), NEW(2), RW, VMA_SHARED, SPACE_FIXED, &object, 0),
		    &clean))
		failed(store(P(1), 1), &clean);
	if (!failed(space_map(space, P(2), NEW(3), RW, 0, SPACE_FIXED, &object, 0), &clean)) {
		failed(load(P(2)), &clean);
		failed(store(P(2), 2), &clean);
		failed(store(P(3), 2), &clean);
	}
	audit();
	if (space_brk(space, P(5003)) != P(5003))
		clean = false;
	else
		failed(space_write(space, P(5000), "across", 6), &clean);
	object_unmap(&object, 0);
	audit();
	return clean;
}

static void test_no_memory(void)
{
	unsigned n = 1;
	bool clean;

	spaces_start();
	do {
		space = NULL;
		object_init(&object, &filled, NEW(10));
		pages_fail_nth(n++);
		clean = everything();
		pages_fail_nth(0);
		if (space) {
			audit();
			space_put(space);
		}
		object_put(&object);
		spaces_end();
	} while (!clean || n < 20);
	CHECK(n < 100);
}

int main(void)
{
	RUN(test_map);
	RUN(test_replace);
	RUN(test_unmap);
	RUN(test_protect);
	RUN(test_protect_holes);
	RUN(test_protect_read_only);
	RUN(test_write_only);
	RUN(test_brk);
	RUN(test_stack);
	RUN(test_anonymous);
	RUN(test_shared_anonymous);
	RUN(test_private_file);
	RUN(test_clear_tail);
	RUN(test_shared_file);
	RUN(test_object_unmap);
	RUN(test_write_and_frame);
	RUN(test_no_memory);
	return test_result();
}
