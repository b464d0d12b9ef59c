/* SPDX-License-Identifier: MIT */
/* The clock: scaling, calibration by each of the three references, monotonic time, and the timer at
 * the time that was asked for, against the model. */
#include "clock.h"

#include "arch/arch.h"
#include "arch/fake/test.h"
#include "firmware/acpi.h"
#include "lapic.h"

#define US  UINT64_C(1000000) /* picoseconds */
#define NS  UINT64_C(1000)
#define MHZ UINT64_C(1000000)

static struct acpi_info acpi;

/* By HPET, PM timer and 8254, as long as they are there. */
static void start(void)
{
	model_start();
	clock_words = (struct clock_words){0};
	acpi = (struct acpi_info){.hpet = {.present = true, .address = 0xfed00000},
		.fadt = {.pm_timer_bits = 24, .pm_timer = {.space = ACPI_IO, .address = 0x608}}};
}

static void init(bool deadline)
{
	model.has_deadline = deadline;
	lapic_init(lapic_mode_found(), model.x2apic ? NULL : model_lapic, deadline);
	clock_init(&acpi, model.tsc_offset);
}

static void check_close(uint64_t found, uint64_t expected, uint64_t parts)
{
	uint64_t difference = found > expected ? found - expected : expected - found;

	if (difference > expected / parts)
		fprintf(stderr, "found %lu, expected %lu\n", found, expected);
	CHECK(difference <= expected / parts);
}

static void test_scale(void)
{
	static const uint64_t rates[] = {
		20 * MHZ, 800 * MHZ, 1000 * MHZ, 2394230123, 5000 * MHZ, 6200 * MHZ};
	const uint64_t century = UINT64_C(100) * 366 * 86400;

	CHECK_EQUAL(clock_scale(0, UINT64_MAX), 0);
	CHECK_EQUAL(clock_scale(1000, UINT64_C(1) << 32), 1000);
	CHECK_EQUAL(clock_multiplier(1000 * MHZ, 1000 * MHZ), UINT64_C(1) << 32);
	for (size_t i = 0; i < ARRAY_SIZE(rates); i++) {
		uint64_t multiplier = clock_multiplier(rates[i], NS_PER_SECOND), last = 0;

		CHECK_EQUAL(multiplier,
			(uint64_t)(((unsigned __int128)NS_PER_SECOND << 32) / rates[i]));
		/* A hundred years do not overflow (the fastest clock wraps after 94). */
		if (rates[i] < 6000 * MHZ)
			check_close(clock_scale(rates[i] * century, multiplier),
				century * NS_PER_SECOND, 100000000);
		for (uint64_t tsc = rates[i] * century / 2; last < 100000; tsc++, last++)
			CHECK(clock_scale(tsc + 1, multiplier) >= clock_scale(tsc, multiplier));
	}
	for (unsigned i = 0; i < 100000; i++) {
		uint64_t from = 1000000 + test_random(7000 * MHZ),
			 to = 1000000 + test_random(7000 * MHZ);

		CHECK_EQUAL(clock_multiplier(from, to),
			(uint64_t)(((unsigned __int128)to << 32) / from));
	}
}

static void check_rates(uint64_t parts)
{
	init(false);
	check_close(clock_tsc_frequency(), model.tsc_hz, parts);
}

static void rates(uint64_t tsc_hz, uint64_t lapic_hz)
{
	model.tsc_hz = tsc_hz;
	model.lapic_hz = lapic_hz;
}

static void test_hpet(void)
{
	start();
	rates(2400 * MHZ, 24 * MHZ);
	check_rates(2000);
	start();
	rates(5000 * MHZ, 100 * MHZ);
	model.hpet_period = 69841279; /* 14.318 MHz */
	model_hpet[0] = (uint64_t)model.hpet_period << 32;
	model.hpet_wide = false;
	model.hpet_start = UINT32_MAX - 5000; /* wraps meanwhile */
	check_rates(2000);
	/* One with a rate that cannot be is left alone: the PM timer. */
	start();
	rates(1500 * MHZ, 25 * MHZ);
	model_hpet[0] = 5ul << 32;
	check_rates(1000);
	CHECK(!(model_hpet[2] & 1));
	/* Nor one that stands: memory that was taken for one. */
	start();
	rates(1500 * MHZ, 25 * MHZ);
	model.hpet_stands = true;
	check_rates(1000);
	CHECK(!(model_hpet[2] & 1));
	/* No memory to map it: likewise. */
	start();
	rates(1500 * MHZ, 25 * MHZ);
	model.hpet_period = 0;
	check_rates(1000);
}

static void test_pm_timer(void)
{
	start();
	acpi.hpet.present = false;
	rates(3700 * MHZ, 133 * MHZ);
	model.pm_start = 0xffffff - 1000; /* wraps meanwhile */
	check_rates(1000);
	start();
	acpi.hpet.present = false;
	acpi.fadt.pm_timer_bits = 32;
	model.pm_bits = 32;
	rates(3700 * MHZ, 133 * MHZ);
	model.pm_start = UINT32_MAX - 1000;
	check_rates(1000);
}

static void test_pit(void)
{
	start();
	acpi.hpet.present = false;
	acpi.fadt.pm_timer_bits = 0;
	rates(1900 * MHZ, 19 * MHZ);
	check_rates(500);
	start();
	acpi.hpet.present = false;
	acpi.fadt.pm_timer.space = ACPI_MEMORY; /* not by a port: not used */
	rates(1900 * MHZ, 19 * MHZ);
	check_rates(500);
}

/* A hypervisor that takes the CPU away for 300 us now and then; not at each reading, which has five looks. */
static void test_pauses(void)
{
	for (unsigned every = 6; every < 40; every++) {
		start();
		rates(2000 * MHZ, 50 * MHZ);
		model.pause_every = every;
		model.pause_ps = 300 * US;
		check_rates(1000);
	}
}

static void dead_pm_timer(void)
{
	start();
	model.stopped = true;
	acpi.hpet.present = false;
	init(false);
}

static void dead_lapic(void)
{
	start();
	model.lapic_hz = 0;
	init(false);
}

/* No hang, but a word. */
static void test_dead(void)
{
	CHECK(test_panics(dead_pm_timer, "clock: the ACPI PM timer does not count"));
	CHECK(test_panics(dead_lapic, "the APIC timer at 0 Hz"));
}

static void test_monotonic(void)
{
	ns_t before, after;

	start();
	model.tsc_offset = 123456789;
	rates(2400 * MHZ, 24 * MHZ);
	init(false);
	before = arch_clock();
	check_close(before, (uint64_t)(model.now / NS), 1000); /* since the loader's entry */
	for (unsigned i = 0; i < 100000; i++) {
		model_pass(test_random(5000));
		after = arch_clock();
		CHECK(after >= before);
		before = after;
	}
	CHECK(arch_cycles() > 123456789);
}

/* The first guess: near enough for a log; and no endless wait for an 8254 that is not there. */
static void test_early(void)
{
	start();
	rates(2400 * MHZ, 24 * MHZ);
	model.tsc_offset = 5000;
	clock_early(5000);
	model_pass(1000 * US);
	check_close(arch_clock(), (uint64_t)(model.now / NS), 100);
	start();
	model.stopped = true;
	clock_early(0);
	CHECK(model.now < 1000000 * US);
}

/* Fires at `when`, not before, and not much later; what comes of a first, early one is told. */
static void check_fires(ns_t when)
{
	ns_t now;

	model.fired = 0;
	arch_timer_arm(when);
	while (!model.fired)
		model_pass(20 * NS);
	now = arch_clock();
	CHECK(now + 100 >= when); /* the two rates were measured, not given */
	CHECK(now < when + 2000);
}

/* By a first guess, which is wrong by so many parts of a thousand; ps pass before it is settled. */
static void settle_after(int wrong, unsigned __int128 ps)
{
	ns_t before;

	clock_words.to_ns = clock_multiplier(
		(uint64_t)((int64_t)model.tsc_hz / 1000 * (1000 + wrong)), NS_PER_SECOND);
	init(false);
	CHECK(!clock_by_tsc());
	model_pass(ps);
	before = arch_clock();
	clock_settle();
	CHECK(clock_by_tsc());
	CHECK(arch_clock() >= before);
	check_close(clock_tsc_frequency(), model.tsc_hz, 1000);
}

/* The kernel goes on while the rates are measured: no time is waited that has passed. */
static void test_settled_later(void)
{
	unsigned __int128 begun;
	ns_t when;

	for (int wrong = -20; wrong <= 20; wrong += 10) {
		start();
		rates(2400 * MHZ, 24 * MHZ);
		settle_after(wrong, 3000 * US);
		CHECK(model.now < 3100 * US);
		check_close(arch_clock(), (uint64_t)(model.now / NS), wrong < 0 ? 40 : 1000);
		check_fires(arch_clock() + 50000);
	}
	/* At once: a millisecond is waited for. */
	start();
	rates(2400 * MHZ, 24 * MHZ);
	settle_after(0, 0);
	CHECK(model.now >= 1000 * US);
	/* So late that the counter has wrapped: once more. */
	start();
	acpi.hpet.present = false;
	rates(3700 * MHZ, 100 * MHZ);
	begun = (unsigned __int128)UINT64_C(47) * NS_PER_SECOND / 10 * NS;
	settle_after(0, begun);
	CHECK(model.now >= begun + 1000 * US);
	/* A timer that is armed before it is settled fires. */
	start();
	rates(2400 * MHZ, 24 * MHZ);
	clock_words.to_ns = clock_multiplier(2400 * MHZ, NS_PER_SECOND);
	init(false);
	when = arch_clock() + 5000000;
	arch_timer_arm(when);
	clock_settle();
	CHECK_EQUAL(model.fired, 0);
	model_pass(4900 * US);
	CHECK_EQUAL(model.fired, 1);
	CHECK(arch_clock() + 100 >= when);
	/* An 8254 wraps too soon to be left alone. */
	start();
	acpi.hpet.present = false;
	acpi.fadt.pm_timer_bits = 0;
	rates(1900 * MHZ, 19 * MHZ);
	clock_words.to_ns = clock_multiplier(1900 * MHZ, NS_PER_SECOND);
	init(false);
	CHECK(clock_by_tsc());
}

static void test_timer(void)
{
	for (unsigned kind = 0; kind < 4; kind++) {
		start();
		model.x2apic = kind & 2;
		rates(2400 * MHZ, 100 * MHZ);
		init(kind & 1);
		CHECK_EQUAL(lapic_uses_deadline(), kind & 1);
		for (unsigned i = 0; i < 200; i++)
			check_fires(arch_clock() + test_random(100000));
		model.fired = 0;
		arch_timer_arm(arch_clock() - 5000); /* in the past: at once */
		model_pass(1 * US);
		CHECK_EQUAL(model.fired, 1);
		arch_timer_arm(0);
		model_pass(1 * US);
		CHECK_EQUAL(model.fired, 2);
		arch_timer_arm(arch_clock() + 5000);
		arch_timer_arm(NS_NEVER);
		model_pass(100 * US);
		CHECK_EQUAL(model.fired, 2);
	}
}

/* After years of uptime it still fires when arch_clock says so: the errors of the two multipliers
 * must not add up over the whole time. */
static void test_timer_years_later(void)
{
	for (unsigned kind = 0; kind < 2; kind++) {
		start();
		rates(2394230123, 99999991);
		init(kind);
		model_pass((unsigned __int128)3 * 366 * 86400 * 1000000 * US);
		for (unsigned i = 0; i < 100; i++)
			check_fires(arch_clock() + 1000 + test_random(100000));
	}
}

/* Far away is not soon, by no overflow. */
static void test_timer_far_away(void)
{
	static const ns_t waits[] = {UINT64_C(1) << 40, UINT64_C(1) << 50, UINT64_C(1) << 62,
		UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX / 5, UINT64_MAX / 5 + 12345};

	for (unsigned kind = 0; kind < 2; kind++) {
		for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
			start();
			rates(5000 * MHZ, 2500 * MHZ);
			init(kind);
			arch_timer_arm(waits[i]);
			model_pass(1000000 * US); /* a second */
			CHECK_EQUAL(model.fired, 0);
		}
	}
}

/* The TSC jumps as if another CPU's were read; the clock does not. */
static void check_reference(ns_t step)
{
	ns_t last = arch_clock(), real = (ns_t)(model.now / NS), first = last - real, now;

	for (unsigned i = 0; i < 200; i++) {
		model.tsc_offset = test_random(UINT64_C(1) << 40);
		model_pass((unsigned __int128)test_random(step) * NS);
		now = arch_clock();
		CHECK(now >= last);
		last = now;
	}
	real = (ns_t)(model.now / NS);
	check_close(last - first, real, 5000);
}

static void test_without_tsc(void)
{
	start();
	rates(2400 * MHZ, 24 * MHZ);
	init(false);
	CHECK(clock_by_tsc());
	arch_clock_leave_tsc();
	CHECK(!clock_by_tsc());
	check_reference(NS_PER_SECOND * 100);
	arch_timer_arm(NS_NEVER); /* 64 bits need nobody to look */
	model_pass((unsigned __int128)100 * NS_PER_SECOND * NS);
	CHECK_EQUAL(model.fired, 0);
}

/* Counters that wrap: read as often as the timers are armed for, at the latest. */
static void test_short_reference(void)
{
	struct arch_clock_user user;

	start();
	rates(2400 * MHZ, 24 * MHZ);
	model.hpet_period = 69841279;
	model_hpet[0] = (uint64_t)model.hpet_period << 32;
	model.hpet_wide = false;
	model.hpet_start = UINT32_MAX - 500000;
	init(false);
	arch_clock_leave_tsc();
	check_reference(NS_PER_SECOND * 70); /* of 300 */
	start();
	acpi.hpet.present = false;
	rates(2400 * MHZ, 24 * MHZ);
	model.pm_start = 0xffffff - 9000;
	init(false);
	CHECK(arch_clock_user(&user));
	arch_clock_leave_tsc();
	CHECK(!arch_clock_user(&user));
	check_reference(NS_PER_SECOND); /* of 4.7 */
	for (unsigned i = 0; i < 20; i++) {
		model.fired = 0;
		arch_timer_arm(NS_NEVER);
		model_pass((unsigned __int128)NS_PER_SECOND * 12 / 10 * NS);
		CHECK_EQUAL(model.fired, 1); /* so that somebody looks */
		check_reference(1000);
	}
}

static void test_no_reference(void)
{
	start();
	acpi.hpet.present = false;
	acpi.fadt.pm_timer_bits = 0;
	rates(1900 * MHZ, 19 * MHZ);
	init(false);
	arch_clock_leave_tsc();
	CHECK(clock_by_tsc());
}

int main(void)
{
	RUN(test_without_tsc);
	RUN(test_short_reference);
	RUN(test_no_reference);
	RUN(test_scale);
	RUN(test_hpet);
	RUN(test_pm_timer);
	RUN(test_pit);
	RUN(test_early);
	RUN(test_pauses);
	RUN(test_settled_later);
	RUN(test_dead);
	RUN(test_monotonic);
	RUN(test_timer);
	RUN(test_timer_years_later);
	RUN(test_timer_far_away);
	return test_result();
}
