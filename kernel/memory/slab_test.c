/* SPDX-License-Identifier: MIT */
/* Slab caches and kmalloc over the real page allocator and the fake machine. Built with and without
 * BATON_DEBUG; what only the debug build notices is tested only there. */
#include "memory/slab.h"

#include "arch/arch.h"
#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "memory/pages.h"

#define MIB (UINT64_C(1) << 20)

static void audit(void)
{
	const char *broken = slab_audit();

	if (!broken)
		broken = pages_audit();
	if (broken)
		fprintf(stderr, "audit: %s\n", broken);
	CHECK(!broken);
}

static void start(uint64_t ram)
{
	fake_memory_init(ram, 0);
	pages_init(fake_frames_virt(), &(struct pages_range){0, ram}, 1);
}

static struct pages_stats stats(void)
{
	struct pages_stats s;

	pages_statistics(&s);
	return s;
}

static bool all_bytes(const void *p, int byte, size_t size)
{
	const unsigned char *bytes = p;

	for (size_t i = 0; i < size; i++) {
		if (bytes[i] != byte)
			return false;
	}
	return true;
}

static struct cache things = CACHE_INIT("things", 40, 0);

static void test_objects(void)
{
	static char *objects[1000];

	start(64 * MIB);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
			objects[i] = cache_alloc(&things);
			CHECK(objects[i] && (uintptr_t)objects[i] % SLAB_DEFAULT_ALIGN == 0);
			CHECK(all_bytes(objects[i], 0, 40));
			memset(objects[i], (int)(i % 251) + 1, 40);
		}
		CHECK_EQUAL(things.objects, ARRAY_SIZE(objects));
		CHECK_EQUAL(things.slabs, DIV_ROUND_UP(ARRAY_SIZE(objects), things.per_slab));
		audit();
		for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
			CHECK(all_bytes(objects[i], (int)(i % 251) + 1, 40));
			cache_free(&things, objects[i]);
		}
		/* What was freed first is in the front, all of the first slab; and there is a spare one. */
		CHECK_EQUAL(things.front_count, FRONT_MOST);
		CHECK_EQUAL(things.objects, FRONT_MOST);
		CHECK_EQUAL(things.slabs, 2);
		CHECK_EQUAL(stats().by_state[FRAME_SLAB], 2);
		audit();
	}
	cache_shrink(&things);
	CHECK_EQUAL(things.front_count, 0);
	CHECK_EQUAL(things.objects, 0);
	cache_shrink(&things);
	CHECK_EQUAL(things.slabs, 0);
	CHECK_EQUAL(stats().by_state[FRAME_SLAB], 0);
	audit();
}

/* What was freed last is given out first, from the front; its slab is not looked at. */
static void test_front(void)
{
	static char *objects[FRONT_MOST + 1];
	void *many[3];

	start(64 * MIB);
	for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
		objects[i] = cache_alloc(&things);
	for (unsigned i = 0; i < ARRAY_SIZE(objects); i++)
		cache_free(&things, objects[i]);
	CHECK_EQUAL(things.front_count, FRONT_MOST); /* the last went to its slab */
	CHECK_EQUAL(things.partial->slab.used, FRONT_MOST);
	CHECK(cache_alloc(&things) == objects[FRONT_MOST - 1]);
	CHECK_EQUAL(cache_alloc_many(&things, many, ARRAY_SIZE(many)), ARRAY_SIZE(many));
	CHECK(many[0] == objects[FRONT_MOST - 2] && many[2] == objects[FRONT_MOST - 4]);
	CHECK_EQUAL(things.partial->slab.used, FRONT_MOST);
	cache_free_many(&things, many, ARRAY_SIZE(many));
	CHECK_EQUAL(things.front_count, FRONT_MOST - 1);
	audit();
}

/* The front alone has as many as are asked for: the spare slab is not put on the list for nothing. */
static void test_front_is_enough(void)
{
	static struct cache pairs = CACHE_INIT("pairs", 40, 0);
	static void *objects[200], *many[2];

	start(64 * MIB);
	objects[0] = cache_alloc(&pairs);
	pairs.front_most = 0;
	for (unsigned i = 1; i <= pairs.per_slab; i++)
		objects[i] = cache_alloc(&pairs);
	cache_free(&pairs, objects[pairs.per_slab]);
	CHECK(pairs.spare && !pairs.partial);
	pairs.front_most = ARRAY_SIZE(many);
	cache_free(&pairs, objects[0]);
	cache_free(&pairs, objects[1]);
	CHECK_EQUAL(pairs.front_count, ARRAY_SIZE(many));
	CHECK_EQUAL(cache_alloc_many(&pairs, many, ARRAY_SIZE(many)), ARRAY_SIZE(many));
	CHECK(pairs.spare && !pairs.partial);
	audit();
}

/* One object over the edge of a slab, made and dropped: the spare slab keeps it from the pages. */
static void test_spare(void)
{
	static void *objects[200];
	uint64_t slabs;

	start(64 * MIB);
	objects[0] = cache_alloc(&things);
	things.front_most = 0;
	for (unsigned i = 1; i < things.per_slab; i++)
		objects[i] = cache_alloc(&things);
	CHECK_EQUAL(things.slabs, 1);
	objects[things.per_slab] = cache_alloc(&things);
	cache_free(&things, objects[things.per_slab]);
	CHECK_EQUAL(things.slabs, 2);
	pages_fail_nth(1);
	objects[things.per_slab] = cache_alloc(&things); /* needs no page */
	CHECK(objects[things.per_slab]);
	CHECK(!pages_alloc(0, FRAME_USED, PAGES_NORMAL)); /* the failure was still armed */
	cache_free(&things, objects[things.per_slab]);
	slabs = things.slabs;
	for (unsigned i = 0; i < things.per_slab; i++)
		cache_free(&things, objects[i]);
	CHECK_EQUAL(slabs, 2);
	CHECK_EQUAL(things.slabs, 1);
	audit();
}

static void test_alignment_and_orders(void)
{
	static const struct {
		size_t size, align;
	} shapes[] = {{1, 0}, {8, 8}, {24, 64}, {100, 4096}, {1000, 256}, {2500, 0}, {3000, 64},
		{4096, 4096}, {5000, 0}, {9000, 16}, {16384, 64}};
	static struct cache caches[ARRAY_SIZE(shapes)];

	start(64 * MIB);
	for (unsigned i = 0; i < ARRAY_SIZE(shapes); i++) {
		size_t align = shapes[i].align < 16 ? 16 : shapes[i].align;
		void *objects[9];

		cache_init(&caches[i], "shape", shapes[i].size, shapes[i].align);
		for (unsigned k = 0; k < 9; k++) {
			objects[k] = cache_alloc(&caches[i]);
			CHECK(objects[k] && (uintptr_t)objects[k] % align == 0);
			CHECK(all_bytes(objects[k], 0, shapes[i].size));
			memset(objects[k], 0x40 + (int)k, shapes[i].size);
		}
		audit();
		for (unsigned k = 0; k < 9; k++) {
			CHECK(all_bytes(objects[k], 0x40 + (int)k, shapes[i].size));
			cache_free(&caches[i], objects[k]);
		}
		cache_shrink(&caches[i]);
		audit();
	}
	CHECK_EQUAL(stats().by_state[FRAME_SLAB], 0);
}

static void test_kmalloc_sizes(void)
{
	uint64_t free;

	start(64 * MIB);
	free = stats().free;
	for (size_t size = 0; size <= 5000; size++) {
		char *p = kmalloc(size), *q = kzalloc(size);

		CHECK(p && q && p != q && (uintptr_t)p % 16 == 0);
		CHECK(all_bytes(q, 0, size));
		memset(p, 0xee, size);
		CHECK(all_bytes(q, 0, size));
		kfree(p);
		kfree(q);
	}
	for (size_t size = 8192; size <= 4 * MIB; size += size / 2) {
		char *p = kzalloc(size);

		CHECK(p && (uintptr_t)p % PAGE_SIZE == 0);
		CHECK(all_bytes(p, 0, size));
		CHECK(stats().by_state[FRAME_HEAP] * PAGE_SIZE >= size);
		CHECK(stats().by_state[FRAME_HEAP] * PAGE_SIZE < 2 * size);
		memset(p, 0xee, size);
		kfree(p);
	}
	CHECK(!kmalloc(4 * MIB + 1));
	CHECK(!kmalloc(SIZE_MAX));
	kfree(NULL);
	CHECK_EQUAL(stats().by_state[FRAME_HEAP], 0);
	/* For each size a spare slab, and the slabs of what is in the front. */
	CHECK(free - stats().free <= 10 * (1 + FRONT_MOST));
	audit();
}

static void test_failing(void)
{
	void *object;

	start(64 * MIB);
	pages_fail_nth(1);
	CHECK(!cache_alloc(&things));
	object = cache_alloc(&things);
	CHECK(object);
	pages_fail_nth(1);
	CHECK(!kmalloc(3000));
	pages_fail_nth(1);
	CHECK(!kzalloc(77));
	CHECK_EQUAL(things.slabs, 1);
	cache_free(&things, object);
	audit();
}

static void test_exhaustion(void)
{
	void *last = NULL, *object;
	uint64_t count = 0;

	start(8 * MIB);
	while ((object = kmalloc(64))) {
		*(void **)object = last;
		last = object;
		count++;
	}
	CHECK(count > 30000);
	CHECK_EQUAL(stats().free, 0);
	audit();
	for (; last; last = object) {
		object = *(void **)last;
		kfree(last);
	}
	CHECK(stats().by_state[FRAME_SLAB] <= 2); /* the front's, and a spare one */
	audit();
}

/* ---- Crimes ---- */

static char *victim;

static void crime_free_twice(void)
{
	cache_free(&things, victim);
	cache_free(&things, victim);
}

/* With others freed between, and the slab not empty. */
static void crime_free_twice_later(void)
{
	char *more[3];

	for (unsigned i = 0; i < 3; i++)
		more[i] = cache_alloc(&things);
	cache_free(&things, victim);
	cache_free(&things, more[0]);
	cache_free(&things, more[1]);
	cache_free(&things, victim);
}

/* Neither in the front: both are in the slab. */
static void crime_free_twice_in_slab(void)
{
	char *more = cache_alloc(&things);

	CHECK(more);
	things.front_most = 0;
	crime_free_twice();
}

static void crime_free_middle(void)
{
	cache_free(&things, victim + 8);
}

static void crime_free_never_given(void)
{
	cache_free(&things, victim + things.stride);
}

static void crime_wrong_cache(void)
{
	static struct cache other = CACHE_INIT("other", 40, 0);
	void *object = cache_alloc(&other);

	CHECK(object);
	cache_free(&other, victim);
}

static void crime_kfree_object(void)
{
	kfree(victim);
}

static void crime_kfree_middle_of_pages(void)
{
	char *p = kmalloc(10000);

	kfree(p + 8);
}

static void crime_kfree_twice(void)
{
	char *p = kmalloc(100);

	kfree(p);
	kfree(p);
}

static void crime_kfree_pages_twice(void)
{
	char *p = kmalloc(10000);

	kfree(p);
	kfree(p);
}

static void crime_overwrite_link(void)
{
	cache_free(&things, victim);
	memset(victim, 0x41, 16);
	CHECK(cache_alloc(&things));
}

static void crime_write_after_free(void)
{
	cache_free(&things, victim);
	victim[30] = 1;
	CHECK(cache_alloc(&things));
}

static void crime_write_past_end(void)
{
	victim[40] = 1;
	cache_free(&things, victim);
}

static void crime(void (*commit)(void), const char *words)
{
	start(64 * MIB);
	victim = cache_alloc(&things);
	CHECK(victim);
	CHECK(test_panics(commit, words));
}

/* A test of each, in a process of its own, since it leaves the caches broken. */
#define CRIME(name, words)            \
	static void test_##name(void) \
	{                             \
		crime(name, words);   \
	}
CRIME(crime_free_twice, "freed twice")
CRIME(crime_free_twice_later, "freed twice")
CRIME(crime_free_twice_in_slab, "freed twice")
CRIME(crime_free_middle, "not an object of it")
CRIME(crime_free_never_given, "not an object of it")
CRIME(crime_wrong_cache, "slab other")
CRIME(crime_kfree_object, "did not come from kmalloc")
CRIME(crime_kfree_middle_of_pages, "did not come from kmalloc")
CRIME(crime_kfree_twice, "freed twice")
CRIME(crime_kfree_pages_twice, "did not come from kmalloc")
CRIME(crime_overwrite_link, "was written")
CRIME(crime_write_after_free, "after it was freed, at byte 30")
CRIME(crime_write_past_end, "past its end, at byte 40")

static void test_audit_finds(void)
{
	char *a, *b;

	start(64 * MIB);
	a = cache_alloc(&things);
	b = cache_alloc(&things);
	CHECK(a && b);
	things.objects++;
	CHECK(slab_audit());
	things.objects--;
	cache_free(&things, a);
	audit();
	a[9] ^= 1; /* the mark */
	CHECK(slab_audit());
	a[9] ^= 1;
	cache_shrink(&things); /* to its slab */
	audit();
	a[9] ^= 1;
	CHECK(slab_audit());
	a[9] ^= 1;
	things.partial->slab.used++;
	CHECK(slab_audit());
	things.partial->slab.used--;
	things.partial->slab.prev = 3;
	CHECK(slab_audit());
	things.partial->slab.prev = 0;
	audit();
}

/* ---- The model ---- */

#define MODEL_HELD 4000

static struct {
	unsigned char *p;
	size_t size;
	int fill;
} model[MODEL_HELD];

static void model_step(unsigned step)
{
	unsigned slot = (unsigned)test_random(MODEL_HELD);

	if (model[slot].p) {
		CHECK(all_bytes(model[slot].p, model[slot].fill, model[slot].size));
		kfree(model[slot].p);
		model[slot].p = NULL;
		return;
	}
	model[slot].size = test_random(20) ? test_random(300) : test_random(10000);
	model[slot].p = kmalloc(model[slot].size);
	if (!model[slot].p)
		return;
	model[slot].fill = (int)(step % 255) + 1;
	memset(model[slot].p, model[slot].fill, model[slot].size);
}

static void test_model(void)
{
	test_seed(77);
	start(4 * MIB);
	for (unsigned step = 0; step < 200000; step++) {
		if (step % 97 == 0)
			pages_fail_nth(1 + test_random(3));
		model_step(step);
		if (step % 5000 == 0)
			audit();
	}
	for (unsigned slot = 0; slot < MODEL_HELD; slot++)
		kfree(model[slot].p);
	audit();
	CHECK_EQUAL(stats().by_state[FRAME_HEAP], 0);
	CHECK(stats().by_state[FRAME_SLAB] <= 10 * (1 + FRONT_MOST));
}

int main(void)
{
	RUN(test_objects);
	RUN(test_front);
	RUN(test_front_is_enough);
	RUN(test_spare);
	RUN(test_alignment_and_orders);
	RUN(test_kmalloc_sizes);
	RUN(test_failing);
	RUN(test_exhaustion);
	RUN(test_crime_free_twice);
	RUN(test_crime_free_twice_later);
	RUN(test_crime_free_twice_in_slab);
	RUN(test_crime_free_middle);
	RUN(test_crime_free_never_given);
	RUN(test_crime_wrong_cache);
	RUN(test_crime_kfree_object);
	RUN(test_crime_kfree_middle_of_pages);
	RUN(test_crime_kfree_twice);
	RUN(test_crime_kfree_pages_twice);
	RUN(test_crime_overwrite_link);
	if (BATON_DEBUG) {
		RUN(test_crime_write_after_free);
		RUN(test_crime_write_past_end);
	}
	RUN(test_audit_finds);
	RUN(test_model);
	return test_result();
}
