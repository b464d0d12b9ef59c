/* SPDX-License-Identifier: MIT */
/* The banks of machine checks against a model of their registers: what is told, what is cleared, what is turned on. */
#include "machine_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/arch.h"
#include "arch/fake/test.h"
#include "cpu.h"
#include "lib/log.h"
#include "process/cpu.h"
#include "trap_frame.h"
#include "traps.h"

#define COUNT     6u
#define RECOVERY  (UINT64_C(1) << 24)
#define CONTROL   (UINT64_C(1) << 8)
#define CORRECTED UINT64_C(0x8c00000000000090)
#define LEFT      UINT64_C(0xb400000000000135) /* VAL UC EN ADDRV */
#define SIGNALLED (LEFT | UINT64_C(1) << 56)
#define MINUTES_5 (300 * NS_PER_SECOND)

bool cpu_has[CPU_FEATURES] = {[CPU_MCA] = true, [CPU_MCA_FIRST] = true};
static struct cpu own = {.index = 3, .apic_id = 0x17};
struct cpu *fake_cpu = &own;
struct thread *fake_thread;

static uint64_t capabilities, control, banks[COUNT][4];
static ns_t now, armed;
static char told[4096];

uint64_t msr_read(uint32_t msr)
{
	if (msr == 0x179)
		return capabilities | COUNT;
	if (msr == 0x17a)
		return 0;
	CHECK(msr >= 0x400 && msr < 0x400 + 4 * COUNT); /* else #GP */
	msr -= 0x400;
	/* Without their bits in the status they need not exist. */
	CHECK(msr % 4 != 2 || banks[msr / 4][1] & UINT64_C(1) << 58);
	CHECK(msr % 4 != 3 || banks[msr / 4][1] & UINT64_C(1) << 59);
	return banks[msr / 4][msr % 4];
}

void msr_write(uint32_t msr, uint64_t value)
{
	if (msr == 0x17b) {
		CHECK(capabilities & CONTROL);
		control = value;
		return;
	}
	CHECK(msr >= 0x400 && msr < 0x400 + 4 * COUNT);
	msr -= 0x400;
	CHECK(msr % 4 == 0 || (msr % 4 == 1 && value == 0)); /* else #GP */
	banks[msr / 4][msr % 4] = value;
}

uint64_t tsc_read(void)
{
	return 0x1234;
}

ns_t arch_clock(void)
{
	return now;
}

void timer_init(struct timer *timer, void (*function)(struct timer *timer))
{
	timer->function = function;
}

void timer_arm(struct timer *timer, ns_t when)
{
	CHECK(timer == &own.machine_timer);
	armed = when;
}

void log_line(enum log_level level, const char *text, ...)
{
	va_list arguments;

	CHECK(level == LOG_ERROR);
	va_start(arguments, text);
	vsnprintf(told + strlen(told), sizeof told - strlen(told), text, arguments);
	va_end(arguments);
}

void panic_at(const struct trap_frame *frame, const char *format, ...)
{
	va_list arguments;

	(void)frame;
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	abort();
}

static void put(unsigned bank, uint64_t status)
{
	banks[bank][1] = status;
	banks[bank][2] = 0xabc000;
	banks[bank][3] = 0x86;
}

static bool is_told(const char *line)
{
	return strstr(told, line) != NULL;
}

static void test_start(void)
{
	capabilities = CONTROL | RECOVERY;
	put(1, CORRECTED);
	put(4, SIGNALLED); /* from before a reset */
	now = 77;
	machine_check_begin();
	CHECK(is_told("CPU 3: Machine Check: 0 Bank 1: 8c00000000000090"));
	CHECK(is_told("TSC 1234 ADDR abc000 MISC 86 APIC 17"));
	CHECK(is_told("Bank 4: b500000000000135"));
	CHECK(is_told("ADDR abc000 MISC 0 ")); /* it has none */
	CHECK_EQUAL(control, UINT64_MAX);
	for (unsigned n = 0; n < COUNT; n++) {
		CHECK_EQUAL(banks[n][0], UINT64_MAX);
		CHECK_EQUAL(banks[n][1], 0);
	}
	CHECK_EQUAL(armed, 77 + MINUTES_5);
}

static void test_looks(void)
{
	capabilities = RECOVERY;
	machine_check_begin();
	put(0, SIGNALLED); /* its exception comes */
	put(2, LEFT);      /* none does */
	put(5, CORRECTED);
	now = MINUTES_5 + 5;
	own.machine_timer.function(&own.machine_timer);
	CHECK(!is_told("Bank 0") && is_told("Bank 2") && is_told("Bank 5"));
	CHECK_EQUAL(banks[0][1], SIGNALLED);
	CHECK_EQUAL(banks[2][1], 0);
	CHECK_EQUAL(armed, 2 * MINUTES_5 + 5);
	capabilities = 0; /* where the bit means nothing each uncorrected one has an exception */
	put(2, LEFT);
	told[0] = 0;
	own.machine_timer.function(&own.machine_timer);
	CHECK_EQUAL(told[0], 0);
	CHECK_EQUAL(banks[2][1], LEFT);
}

static void test_old(void)
{
	cpu_has[CPU_MCA_FIRST] = false;
	banks[0][0] = 0x5a;
	machine_check_begin();
	CHECK_EQUAL(banks[0][0], 0x5a);
	CHECK_EQUAL(banks[1][0], UINT64_MAX);
	CHECK_EQUAL(control, 0);
}

static void test_none(void)
{
	cpu_has[CPU_MCA] = false;
	put(1, CORRECTED);
	machine_check_begin();
	CHECK_EQUAL(banks[1][1], CORRECTED);
	CHECK_EQUAL(armed, 0);
}

int main(void)
{
	RUN(test_start);
	RUN(test_looks);
	RUN(test_old);
	RUN(test_none);
	return test_result();
}
