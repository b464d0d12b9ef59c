/* SPDX-License-Identifier: MIT */
/* Counters in the names of boot entries: what is one and what is not; what a try makes of it; and, of random names, that
 * tries end and that what is left is the entry's own name. */
#include "counter.h"

#include "check.h"

#define FUZZ_ROUNDS 20000u

static char out[64];

static void is_counted(
	const char *name, uint32_t left, uint32_t done, const char *own, const char *next)
{
	struct boot_counter counter = counter_read(name);

	CHECK(counter.counted);
	CHECK_EQUAL(counter.left, left);
	CHECK_EQUAL(counter.done, done);
	CHECK_EQUAL(counter_is_bad(name), left == 0);
	CHECK(counter_strip(name, out, sizeof(out)));
	CHECK_TEXT(out, own);
	CHECK(counter_tried(name, out, sizeof(out)));
	CHECK_TEXT(out, next);
}

static void counted(void)
{
	is_counted("baton+3.conf", 3, 0, "baton.conf", "baton+2-1.conf");
	is_counted("baton+3-0.conf", 3, 0, "baton.conf", "baton+2-1.conf");
	is_counted("baton+1-2.conf", 1, 2, "baton.conf", "baton+0-3.conf");
	is_counted("baton+0-3.conf", 0, 3, "baton.conf", "baton+0-4.conf");
	is_counted("BATON+07-12.CONF", 7, 12, "BATON.CONF", "BATON+6-13.CONF");
	is_counted("a+b-c+2.conf", 2, 0, "a+b-c.conf", "a+b-c+1-1.conf");
	is_counted("a+1+2-3.conf", 2, 3, "a+1.conf", "a+1+1-4.conf");
	is_counted("x+999999999-999999999.conf", 999999999, 999999999, "x.conf",
		"x+999999998-999999999.conf");
}

static void not_counted(void)
{
	static const char *const names[] = {"", "a", ".conf", "+3.conf", "+3-1.conf", "baton.conf",
		"baton+.conf", "baton+-1.conf", "baton+3-.conf", "baton-3.conf", "baton+3",
		"baton+3.con", "baton+3x.conf", "baton+x3.conf", "baton+3--1.conf",
		"baton+3-1-1.conf", "baton+1234567890.conf", "baton+ 3.conf"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		CHECK(!counter_read(names[i]).counted);
		CHECK(!counter_is_bad(names[i]));
		CHECK(counter_strip(names[i], out, sizeof(out)));
		CHECK_TEXT(out, names[i]);
		CHECK(!counter_tried(names[i], out, sizeof(out)));
	}
}

/* In blocks of just their size, so that ASan sees a byte too much. */
static void too_long(void)
{
	const char *name = "abc+9-9.conf", *own = "abc.conf", *next = "abc+8-10.conf";

	for (size_t size = 1; size < 20; size++) {
		char *room = malloc(size);

		CHECK(room);
		CHECK_EQUAL(counter_strip(name, room, size), size > strlen(own));
		CHECK_EQUAL(counter_tried(name, room, size), size > strlen(next));
		free(room);
	}
}

static void fuzz(void)
{
	static const char letters[] = "+-0123.confCX";
	char name[24], next[64], before[64];
	uint64_t random = 7;

	for (unsigned round = 0; round < FUZZ_ROUNDS; round++) {
		size_t length = next_random(&random) % (sizeof(name) - 5);
		struct boot_counter counter;

		for (size_t i = 0; i < length; i++)
			name[i] = letters[next_random(&random) % (sizeof(letters) - 1)];
		strcpy(name + length, ".conf");
		counter = counter_read(name);
		CHECK_EQUAL(counter_tried(name, next, sizeof(next)), counter.counted);
		CHECK(counter_strip(name, before, sizeof(before)));
		if (!counter.counted)
			continue;
		CHECK_EQUAL(counter_read(next).left, counter.left ? counter.left - 1 : 0);
		CHECK_EQUAL(counter_read(next).done, counter.done + (counter.done < 999999999));
		CHECK(counter_strip(next, out, sizeof(out)));
		CHECK_TEXT(out, before);
	}
}

int main(void)
{
	counted();
	not_counted();
	too_long();
	fuzz();
	return 0;
}
