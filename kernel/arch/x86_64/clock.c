/* SPDX-License-Identifier: MIT */
/*
 * Time: the TSC, scaled to nanoseconds since the loader's entry; and the APIC timer as one-shot
 * alarm. Their rates are measured together over one millisecond or more of a clock whose rate is fixed:
 * the HPET, the ACPI PM timer, or the 8254. A reading is taken several times, and the one between
 * whose TSC stamps the least time passed counts, so that a hypervisor's pause does no harm.
 *
 * That millisecond is not waited for: clock_init takes the first reading, the kernel goes on starting by a first guess at
 * the rate (clock_early), and clock_settle takes the second before other CPUs are started, or user mode. Until
 * then nobody sleeps, and the timer is not armed: for when it was to be is kept.
 * Counters wrap; so if more than a second has passed by then, it measures anew. Where the guess was too fast, the clock's
 * start is moved so that it does not go back.
 *
 * Where the CPUs' TSCs disagree (tsc.c) the HPET or the PM timer itself is the clock, which all CPUs see
 * alike. Its counter may be as short as 24 bits (4.7 s), so the count is kept in 64 bits: `counted`
 * is moved forward by whoever reads late enough, and a CPU's timer is armed for a quarter of the
 * counter's span at most, so that somebody does.
 */
#include "clock.h"

#include "arch/arch.h"
#include "cpu.h"
#include "firmware/acpi.h"
#include "lapic.h"
#include "lib/log.h"
#include "registers.h"

#define CALIBRATION_NS UINT64_C(1000000)
#define LONGEST_SPAN   NS_PER_SECOND /* between two readings: nothing has wrapped */
#define READINGS       5
#define PATIENCE       (UINT64_C(1) << 32) /* TSC ticks: most of a second on the fastest CPUs */
#define LONGEST_WAIT   (UINT64_C(1000) * NS_PER_SECOND)
#define PM_TIMER_HZ    3579545u
#define PIT_HZ         1193182u
#define EARLY_PARTS    4000u /* of a second */
#define HPET_PATIENCE  UINT64_C(10000000)
#define EARLY_TSC_MOST UINT64_C(100000000)
#define HPET_CONFIG    0x10
#define HPET_COUNTER   0xf0

struct clock_words clock_words;
static uint64_t tsc_hz, lapic_hz;
static uint64_t ns_to_lapic, ns_to_tsc; /* multipliers, 32 fractional bits */

uint64_t clock_scale(uint64_t value, uint64_t multiplier)
{
	return (uint64_t)((unsigned __int128)value * multiplier >> 32);
}

uint64_t clock_multiplier(uint64_t from, uint64_t to)
{
	unsigned __int128 dividend = (unsigned __int128)to << 32;

	/* 128 by 64 bits without the compiler's library: the quotient fits for from >= to / 2^31. */
	uint64_t high = (uint64_t)(dividend >> 64), low = (uint64_t)dividend, quotient, remainder;

	__asm__("divq %4" : "=a"(quotient), "=d"(remainder) : "a"(low), "d"(high), "rm"(from));
	return quotient;
}

uint64_t arch_cycles(void)
{
	return tsc_read();
}

uint64_t clock_tsc_frequency(void)
{
	return tsc_hz;
}

/* ---- Clocks to measure by ---- */

struct reference {
	const char *name;
	uint64_t hz;
	uint64_t mask; /* of the counter's bits */
	uint64_t (*read)(const struct reference *reference);
	uint16_t port;
	volatile uint64_t *registers;
};

struct reading {
	uint64_t tsc, count;
	uint32_t lapic;
};

static struct reference measured_by;
static uint64_t reference_started; /* its count then, and */
static ns_t reference_base;        /* the time */
static uint64_t reference_to_ns;   /* 32 fractional bits */
static uint64_t counted;           /* its last count that was kept */
static struct reading begun;       /* the first reading; CLOCK_UNSETTLED */
static ns_t waiting = NS_NEVER;    /* for when the timer was to be armed meanwhile */

static uint64_t read_hpet(const struct reference *reference)
{
	return reference->registers[HPET_COUNTER / 8];
}

static uint64_t read_pm_timer(const struct reference *reference)
{
	return arch_in32(reference->port);
}

/* The 8254's channel 2 counts down from 65535, started by pit_start. */
static uint64_t read_pit(const struct reference *reference)
{
	uint8_t low, high;

	(void)reference;
	arch_out8(0x43, 0x80); /* latch channel 2 */
	low = arch_in8(0x42);
	high = arch_in8(0x42);
	return 0xffff - (uint64_t)(high << 8 | low);
}

static bool hpet_counts(volatile const uint64_t *counter)
{
	uint64_t since = tsc_read(), first = *counter;

	while (*counter == first)
		/* Who was held up between the looks looks again. */
		if (tsc_read() - since > HPET_PATIENCE && *counter == first)
			return false;
	return true;
}

static bool try_hpet(struct reference *out, const struct acpi_info *acpi)
{
	volatile uint64_t *registers;
	uint64_t period;

	if (!acpi->hpet.present)
		return false;
	registers = arch_map_device(acpi->hpet.address, 1024, MAP_UNCACHED);
	if (!registers)
		return false;
	period = registers[0] >> 32; /* femtoseconds; at most 100 ns (HPET specification 2.3.4) */
	if (period < 100000 || period > 100000000)
		return false;
	registers[HPET_CONFIG / 8] |= 1;
	if (!hpet_counts(&registers[HPET_COUNTER / 8])) {
		registers[HPET_CONFIG / 8] &= ~UINT64_C(1);
		log_warn("clock: the HPET at %#lx does not count", acpi->hpet.address);
		return false;
	}
	*out = (struct reference){.name = "HPET",
		.hz = 1000000000000000 / period,
		.mask = registers[0] & 1u << 13 ? UINT64_MAX : UINT32_MAX,
		.read = read_hpet,
		.registers = registers};
	return true;
}

static struct reference pit_start(void)
{
	arch_out8(0x61, (uint8_t)((arch_in8(0x61) & ~2u) | 1)); /* speaker off, gate on */
	arch_out8(0x43, 0xb4);                                  /* channel 2, rate generator */
	arch_out8(0x42, 0xff);
	arch_out8(0x42, 0xff);
	return (struct reference){.name = "8254", .hz = PIT_HZ, .mask = 0xffff, .read = read_pit};
}

static void find_reference(struct reference *out, const struct acpi_info *acpi)
{
	if (try_hpet(out, acpi))
		return;
	if (acpi->fadt.pm_timer_bits && acpi->fadt.pm_timer.space == ACPI_IO) {
		*out = (struct reference){.name = "ACPI PM timer",
			.hz = PM_TIMER_HZ,
			.mask = acpi->fadt.pm_timer_bits == 32 ? UINT32_MAX : 0xffffff,
			.read = read_pm_timer,
			.port = (uint16_t)acpi->fadt.pm_timer.address};
		return;
	}
	*out = pit_start();
}

/* ---- The clock ---- */

/* The reference's count in 64 bits. The counter is read after `counted`, so it is ahead of it. */
static uint64_t reference_count(void)
{
	uint64_t last = __atomic_load_n(&counted, __ATOMIC_ACQUIRE);
	uint64_t now = last + ((measured_by.read(&measured_by) - last) & measured_by.mask);

	if (now - last > measured_by.mask / 8)
		__atomic_compare_exchange_n(
			&counted, &last, now, false, __ATOMIC_RELEASE, __ATOMIC_RELAXED);
	return now;
}

static enum clock_way way(void)
{
	return __atomic_load_n(&clock_words.way, __ATOMIC_ACQUIRE);
}

static ns_t reference_clock(void)
{
	return reference_base + clock_scale(reference_count() - reference_started, reference_to_ns);
}

ns_t arch_clock(void)
{
	if (unlikely(way() == CLOCK_BY_REFERENCE))
		return reference_clock();
	return clock_scale(tsc_read() - clock_words.start, clock_words.to_ns);
}

bool clock_by_tsc(void)
{
	return way() == CLOCK_BY_TSC;
}

bool arch_clock_user(struct arch_clock_user *out)
{
	*out = (struct arch_clock_user){clock_words.start, clock_words.to_ns};
	return clock_by_tsc();
}

void arch_clock_leave_tsc(void)
{
	clock_settle();
	if (!clock_by_tsc())
		return;
	if (measured_by.read == read_pit) {
		log_warn("clock: there is neither an HPET nor an ACPI PM timer: the TSC stays");
		return;
	}
	counted = reference_started = measured_by.read(&measured_by) & measured_by.mask;
	reference_base = arch_clock();
	reference_to_ns = clock_multiplier(measured_by.hz, NS_PER_SECOND);
	__atomic_store_n(&clock_words.way, CLOCK_BY_REFERENCE, __ATOMIC_RELEASE);
	log_info("clock: by the %s", measured_by.name);
}

/* How long a CPU's timer may be left alone. */
static ns_t longest_wait(void)
{
	ns_t span;

	if (way() != CLOCK_BY_REFERENCE || measured_by.mask > UINT32_MAX)
		return LONGEST_WAIT;
	span = clock_scale(measured_by.mask, reference_to_ns);
	return span / 4 < LONGEST_WAIT ? span / 4 : LONGEST_WAIT;
}

/* ---- Measuring ---- */

static struct reading take_reading(const struct reference *reference)
{
	struct reading best = {0};
	uint64_t shortest = UINT64_MAX;

	for (int i = 0; i < READINGS; i++) {
		uint64_t before = tsc_read(), count = reference->read(reference),
			 after = tsc_read();
		uint32_t lapic = lapic_timer_count();
		uint64_t span = tsc_read() - before;

		if (span < shortest) {
			shortest = span;
			best = (struct reading){before + (after - before) / 2, count, lapic};
		}
	}
	return best;
}

static void begin(void)
{
	lapic_timer_free_run();
	begun = take_reading(&measured_by);
}

/* The rates, from the first reading to now, a millisecond after it at least. */
static void measure(void)
{
	const struct reference *reference = &measured_by;
	uint64_t wanted = reference->hz / (NS_PER_SECOND / CALIBRATION_NS), passed,
		 since = tsc_read();
	struct reading end;

	while (((reference->read(reference) - begun.count) & reference->mask) < wanted) {
		/* A CPU that was held up for so long has not looked: it looks again. */
		if (tsc_read() - since > PATIENCE && reference->read(reference) == begun.count)
			panic("clock: the %s does not count", reference->name);
		arch_pause();
	}
	end = take_reading(reference);
	passed = (end.count - begun.count) & reference->mask;
	tsc_hz = (end.tsc - begun.tsc) * reference->hz / passed;
	lapic_hz = (uint64_t)(begun.lapic - end.lapic) * reference->hz / passed;
	if (tsc_hz < 1000000 || lapic_hz < 100000)
		panic("clock: the TSC runs at %lu Hz and the APIC timer at %lu Hz by the %s",
			tsc_hz, lapic_hz, reference->name);
}

void clock_early(uint64_t start)
{
	struct reference pit = pit_start();
	uint64_t before = tsc_read(), first = pit.read(&pit), passed, span;

	do {
		passed = (pit.read(&pit) - first) & pit.mask;
		span = tsc_read() - before;
	} while (passed < PIT_HZ / EARLY_PARTS && span < EARLY_TSC_MOST);
	clock_words.start = start;
	if (passed >= PIT_HZ / EARLY_PARTS)
		clock_words.to_ns = clock_multiplier(span * PIT_HZ / passed, NS_PER_SECOND);
}

void clock_init(const struct acpi_info *acpi, uint64_t start)
{
	find_reference(&measured_by, acpi);
	clock_words.start = start;
	__atomic_store_n(&clock_words.way, CLOCK_UNSETTLED, __ATOMIC_RELEASE);
	begin();
	if (!clock_words.to_ns || measured_by.read == read_pit)
		clock_settle();
}

void clock_settle(void)
{
	ns_t before, after;

	if (way() != CLOCK_UNSETTLED)
		return;
	if (clock_scale(tsc_read() - begun.tsc, clock_words.to_ns) > LONGEST_SPAN)
		begin();
	measure();
	ns_to_tsc = clock_multiplier(NS_PER_SECOND, tsc_hz);
	ns_to_lapic = clock_multiplier(NS_PER_SECOND, lapic_hz);
	before = arch_clock();
	clock_words.to_ns = clock_multiplier(tsc_hz, NS_PER_SECOND);
	after = arch_clock();
	if (after < before)
		clock_words.start -= clock_scale(before - after, ns_to_tsc) + 1;
	__atomic_store_n(&clock_words.way, CLOCK_BY_TSC, __ATOMIC_RELEASE);
	lapic_timer_ready();
	log_info("clock: TSC %lu.%03lu MHz, APIC timer %lu.%03lu MHz, by the %s", tsc_hz / 1000000,
		tsc_hz / 1000 % 1000, lapic_hz / 1000000, lapic_hz / 1000 % 1000, measured_by.name);
	arch_timer_arm(waiting);
}

void arch_clock_settle(void)
{
	clock_settle();
}

void arch_timer_arm(ns_t when)
{
	uint64_t tsc = tsc_read();
	ns_t now, wait, longest = longest_wait();

	if (unlikely(way() == CLOCK_UNSETTLED)) {
		waiting = when;
		return;
	}
	if (when == NS_NEVER && longest == LONGEST_WAIT) {
		lapic_timer_set(0);
		return;
	}
	now = unlikely(!clock_by_tsc()) ? reference_clock()
					: clock_scale(tsc - clock_words.start, clock_words.to_ns);
	wait = when > now ? when - now : 0;
	/* From now on, not from the start: the multipliers' errors would add up over the uptime. What
	 * is too far away fires early, and is armed anew. */
	if (wait > longest)
		wait = longest;
	/* A tick more than exact, so that it does not fire before its time. */
	if (lapic_uses_deadline())
		lapic_timer_set(tsc + clock_scale(wait + 1, ns_to_tsc) + 1);
	else
		lapic_timer_set(clock_scale(wait, ns_to_lapic) + 1);
}
