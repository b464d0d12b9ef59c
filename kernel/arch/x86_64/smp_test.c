/* SPDX-License-Identifier: MIT */
/* Which CPUs are started, and what is made of their time stamp counters. */
#include "arch/fake/test.h"
#include "firmware/acpi.h"
#include "smp.h"
#include "tsc.h"

static struct acpi_madt madt;
static struct smp_choice choice;

static bool everyone(uint32_t id)
{
	return id != UINT32_MAX;
}

static bool below_255(uint32_t id)
{
	return id < 255;
}

static void names(unsigned count)
{
	madt = (struct acpi_madt){.present = true, .cpu_count = count};
	for (unsigned i = 0; i < count; i++)
		madt.cpus[i] = (struct acpi_cpu){.apic_id = 2 * i, .uid = i, .enabled = true};
}

static void test_all(void)
{
	names(8);
	smp_choose(&madt, 6, 0, below_255, &choice); /* the boot CPU need not be the first */
	CHECK_EQUAL(choice.count, 7);
	for (unsigned i = 0; i < 7; i++)
		CHECK_EQUAL(choice.ids[i], 2 * (i < 3 ? i : i + 1));
	CHECK(!choice.unwanted && !choice.too_many && !choice.disabled && !choice.unreachable);
}

static void test_none(void)
{
	madt = (struct acpi_madt){0};
	smp_choose(&madt, 0, 0, below_255, &choice);
	CHECK_EQUAL(choice.count, 0);
	names(1);
	smp_choose(&madt, 0, 0, below_255, &choice);
	CHECK_EQUAL(choice.count, 0);
}

static void test_most(void)
{
	names(8);
	for (unsigned most = 1; most <= 10; most++) {
		smp_choose(&madt, 0, most, below_255, &choice);
		CHECK_EQUAL(choice.count, (most < 8 ? most : 8) - 1);
		CHECK_EQUAL(choice.count + choice.unwanted, 7);
	}
}

static void test_left_out(void)
{
	names(200);
	madt.cpus[3].enabled = madt.cpus[100].enabled = false;
	smp_choose(&madt, 0, 0, below_255, &choice);
	CHECK_EQUAL(choice.count, CPUS_MAX - 1);
	CHECK_EQUAL(choice.disabled, 2);
	CHECK_EQUAL(choice.unreachable, 200 - 128); /* ids from 256 on */
	CHECK_EQUAL(choice.first_unreachable, 256);
	CHECK_EQUAL(choice.count + choice.too_many + choice.disabled + choice.unreachable, 199);
	smp_choose(&madt, 0, 0, everyone, &choice);
	CHECK_EQUAL(choice.unreachable, 0);
	CHECK_EQUAL(choice.too_many, 199 - 2 - (CPUS_MAX - 1));
}

/* Rounds of random lengths; the other counter is ahead by `offset` and drifts by `drift` a round. */
static struct tsc_bounds talk(int64_t offset, int64_t drift)
{
	struct tsc_bounds bounds;
	uint64_t now = UINT64_C(1) << 40;

	tsc_bounds_start(&bounds);
	for (int round = 0; round < 8; round++, offset += drift) {
		uint64_t there = 50 + test_random(300), back = 50 + test_random(300);

		tsc_bounds_add(&bounds, now, now + there + (uint64_t)offset, now + there + back);
		now += 10000;
	}
	return bounds;
}

static void test_tsc(void)
{
	for (int i = 0; i < 10000; i++) {
		int64_t offset = (int64_t)test_random(20000) - 10000;
		struct tsc_bounds bounds = talk(0, 0);

		CHECK(tsc_bounds_agree(&bounds));
		bounds = talk(offset, 0);
		CHECK(bounds.low <= offset && offset <= bounds.high);
		CHECK(bounds.high - bounds.low < 700);
		if (offset > 350 || offset < -350)
			CHECK(!tsc_bounds_agree(&bounds));
		bounds = talk(-3500, 1000); /* through 0, but not the same clock */
		CHECK(!tsc_bounds_agree(&bounds));
	}
}

int main(void)
{
	RUN(test_all);
	RUN(test_none);
	RUN(test_most);
	RUN(test_left_out);
	RUN(test_tsc);
	return test_result();
}
