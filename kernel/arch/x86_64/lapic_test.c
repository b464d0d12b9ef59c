/* SPDX-License-Identifier: MIT */
/* The local APIC's registers, in both modes, against the model. */
#include "lapic.h"

#include "arch/fake/test.h"

#define TASK_PRIORITY 0x080
#define SPURIOUS      0x0f0
#define IN_SERVICE    0x100
#define LVT_TIMER     0x320
#define LVT_LINT0     0x350
#define LVT_ERROR     0x370
#define INITIAL       0x380
#define DIVIDE        0x3e0

#define US            1000000 /* picoseconds */

static void start(bool x2apic, bool deadline)
{
	model_start();
	model.x2apic = x2apic;
	model.has_deadline = deadline;
	lapic_init(lapic_mode_found(), x2apic ? NULL : model_lapic, deadline);
}

static void check_ready(void)
{
	CHECK_EQUAL(model_lapic_register(TASK_PRIORITY), 0);
	CHECK_EQUAL(model_lapic_register(LVT_LINT0), 1 << 16);
	CHECK_EQUAL(model_lapic_register(LVT_ERROR), 1 << 16);
	CHECK_EQUAL(model_lapic_register(DIVIDE), 0xb);
	CHECK_EQUAL(model_lapic_register(SPURIOUS), 0x100 | VECTOR_SPURIOUS);
	CHECK(model.apic_base & APIC_BASE_ENABLE);
}

static void test_xapic(void)
{
	start(false, false);
	CHECK_EQUAL(lapic_mode_found(), LAPIC_XAPIC);
	CHECK_EQUAL(lapic_base(), 0xfee00000);
	CHECK_EQUAL(lapic_id(), 3);
	check_ready();
	CHECK_EQUAL(model_lapic_register(LVT_TIMER), VECTOR_TIMER);
	CHECK(!lapic_uses_deadline());
	lapic_eoi();
	model_pass(1);
	lapic_eoi();
	model_pass(1);
	CHECK_EQUAL(model.eois, 2);
	model_lapic[(IN_SERVICE + 0x70) / 4] = 1u << 31;
	CHECK(lapic_in_service(255));
	CHECK(!lapic_in_service(254));
	CHECK(!lapic_in_service(31));
}

static void test_x2apic(void)
{
	start(true, false);
	model.apic_id = 0x12345678; /* all 32 bits count here */
	CHECK_EQUAL(lapic_mode_found(), LAPIC_X2APIC);
	CHECK_EQUAL(lapic_id(), 0x12345678);
	check_ready();
	CHECK_EQUAL(model_lapic_register(LVT_TIMER), VECTOR_TIMER);
	lapic_eoi();
	CHECK_EQUAL(model.eois, 1);
}

static void test_turned_off(void)
{
	model_start();
	model.apic_base = 0xfee00000 | 1 << 8;
	lapic_init(LAPIC_XAPIC, model_lapic, false);
	CHECK_EQUAL(model.apic_base, 0xfee00000 | 1 << 8 | APIC_BASE_ENABLE);
	check_ready();
}

static void check_one_shot(void)
{
	lapic_timer_set(5000); /* 5 us */
	model_pass(4 * US);
	CHECK_EQUAL(model.fired, 0);
	model_pass(1 * US);
	CHECK_EQUAL(model.fired, 1);
	model_pass(100 * US);
	CHECK_EQUAL(model.fired, 1);
	lapic_timer_set(5000);
	model_pass(1 * US);
	lapic_timer_set(0);
	model_pass(100 * US);
	CHECK_EQUAL(model.fired, 1);
	lapic_timer_set(UINT64_C(1) << 40); /* as long as it can */
	CHECK_EQUAL(model_lapic_register(INITIAL), UINT32_MAX);
	lapic_timer_set((UINT64_C(1) << 32) + 5);
	CHECK_EQUAL(model_lapic_register(INITIAL), UINT32_MAX);
}

static void test_one_shot(void)
{
	start(false, false);
	check_one_shot();
	start(true, false);
	check_one_shot();
}

static void check_free_run(void)
{
	uint32_t before, after;

	lapic_timer_free_run();
	model_pass(1 * US);
	before = lapic_timer_count();
	model_pass(10 * US);
	after = lapic_timer_count();
	CHECK(before - after >= 10000 && before - after < 10100);
	model_pass(10000000ul * US); /* it runs out, masked */
	CHECK_EQUAL(model.fired, 0);
}

static void test_free_run(void)
{
	start(false, false);
	check_free_run();
	start(true, false);
	check_free_run();
	start(false, true);
	check_free_run();
}

static void check_deadline(void)
{
	uint64_t tsc = tsc_read();

	CHECK(lapic_uses_deadline());
	lapic_timer_set(tsc + 5000);
	CHECK_EQUAL(model.deadline, tsc + 5000);
	model_pass(4 * US);
	CHECK_EQUAL(model.fired, 0);
	model_pass(1 * US);
	CHECK_EQUAL(model.fired, 1);
	lapic_timer_set(tsc_read() + 5000);
	lapic_timer_set(0);
	model_pass(100 * US);
	CHECK_EQUAL(model.fired, 1);
	lapic_timer_set(tsc); /* in the past: at once */
	CHECK_EQUAL(model.fired, 2);
}

static void test_deadline(void)
{
	for (int x2apic = 0; x2apic < 2; x2apic++) {
		start(x2apic, true);
		check_ready();
		lapic_timer_ready();
		CHECK_EQUAL(model_lapic_register(LVT_TIMER), VECTOR_TIMER | 2 << 17);
		check_deadline();
		/* After calibration it works again. */
		lapic_timer_free_run();
		model_pass(1);
		lapic_timer_ready();
		model_pass(1);
		model.fired = 0;
		check_deadline();
	}
}

static void test_send(void)
{
	start(false, false);
	lapic_send(5, ICR_FIXED | VECTOR_KICK);
	CHECK_EQUAL(model_lapic_register(0x310), 5 << 24);
	CHECK_EQUAL(model_lapic_register(0x300), 1 << 14 | VECTOR_KICK);
	lapic_send(254, ICR_INIT);
	CHECK_EQUAL(model_lapic_register(0x310), 254u << 24);
	CHECK_EQUAL(model_lapic_register(0x300), 1 << 14 | 5 << 8);
	lapic_send(1, ICR_STARTUP | 0x9f);
	CHECK_EQUAL(model_lapic_register(0x300), 1 << 14 | 6 << 8 | 0x9f);
	CHECK(lapic_reaches(254) && !lapic_reaches(255) && !lapic_reaches(0x12345));
	start(true, false);
	lapic_send(0x12345, ICR_NMI); /* one write, all 32 bits of the id */
	CHECK_EQUAL(model.icr, UINT64_C(0x12345) << 32 | 1 << 14 | 4 << 8);
	CHECK(lapic_reaches(255) && lapic_reaches(0x12345) && !lapic_reaches(UINT32_MAX));
}

int main(void)
{
	RUN(test_send);
	RUN(test_xapic);
	RUN(test_x2apic);
	RUN(test_turned_off);
	RUN(test_one_shot);
	RUN(test_free_run);
	RUN(test_deadline);
	return test_result();
}
