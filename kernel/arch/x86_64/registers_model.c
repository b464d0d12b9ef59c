/* SPDX-License-Identifier: MIT */
/* See registers_model.h. */
#include "registers_model.h"

#include "arch/arch.h"
#include "lib/check.h"

#define PS_PER_SECOND    UINT64_C(1000000000000)

#define ID               0x020
#define EOI              0x0b0
#define SPURIOUS         0x0f0
#define ICR              0x300
#define LVT              0x320
#define INITIAL          0x380
#define CURRENT          0x390

#define SPURIOUS_ENABLED (1u << 8)

#define LVT_MASKED       (1u << 16)
#define LVT_PERIODIC     (1u << 17)
#define LVT_DEADLINE     (1u << 18)
#define NOT_WRITTEN      0xfeedbeef /* in the place of EOI and the initial count */

#define PM_PORT          0x608
#define PIT_HZ           1193182u
#define PM_HZ            3579545u

struct model model;
volatile uint32_t model_lapic[1024];
volatile uint64_t model_hpet[128];

static uint32_t lapic[1024];            /* what the APIC has taken in */
static unsigned __int128 counter_start; /* model.now when the timer was loaded */
static bool counting;
static struct {
	unsigned __int128 since; /* when channel 2 was loaded */
	uint16_t reload, latch;
	unsigned reads, writes;
	bool gate, latched;
} pit;

static uint64_t ticks(unsigned __int128 ps, uint64_t hz)
{
	return (uint64_t)(ps * hz / PS_PER_SECOND);
}

static uint64_t tsc_now(void)
{
	return model.tsc_offset + ticks(model.now, model.tsc_hz);
}

/* ---- The APIC's timer ---- */

static void expire(void)
{
	uint32_t lvt = lapic[LVT / 4];

	if (!(lvt & LVT_MASKED) && (lvt & 0xff) == VECTOR_TIMER)
		model.fired++;
}

static uint32_t current_count(void)
{
	uint64_t passed = ticks(model.now - counter_start, model.lapic_hz);

	if (!counting || (lapic[LVT / 4] & LVT_DEADLINE))
		return 0;
	return passed >= lapic[INITIAL / 4] ? 0 : lapic[INITIAL / 4] - (uint32_t)passed;
}

static void timer_look(void)
{
	if (counting && !current_count()) {
		counting = false;
		expire();
	}
	if (model.deadline && tsc_now() >= model.deadline) {
		model.deadline = 0;
		expire();
	}
	model_lapic[CURRENT / 4] = current_count();
}

static void lapic_take(unsigned reg, uint32_t value)
{
	if (reg == EOI) {
		CHECK_EQUAL(value, 0);
		model.eois++;
	} else if (reg == LVT) {
		CHECK(!(value & ~(0xffu | LVT_MASKED | LVT_PERIODIC | LVT_DEADLINE)));
		CHECK(!(value & LVT_DEADLINE) || model.has_deadline);
		if (!(lapic[SPURIOUS / 4] & SPURIOUS_ENABLED)) /* turned off: masked it stays */
			value |= LVT_MASKED;
		if ((value ^ lapic[LVT / 4]) & LVT_DEADLINE) {
			counting = false;
			model.deadline = 0;
		}
	} else if (reg == INITIAL && !(lapic[LVT / 4] & LVT_DEADLINE)) {
		counting = value != 0;
		counter_start = model.now;
	}
	lapic[reg / 4] = value;
}

/* In xAPIC mode writes are seen afterwards; the LVT comes first, as the code does it. */
static void lapic_poll(void)
{
	if (model_lapic[EOI / 4] != NOT_WRITTEN) {
		lapic_take(EOI, model_lapic[EOI / 4]);
		model_lapic[EOI / 4] = NOT_WRITTEN;
	}
	for (unsigned reg = 0; reg < 0x400; reg += 16) {
		if (reg != EOI && reg != INITIAL && reg != CURRENT &&
			model_lapic[reg / 4] != lapic[reg / 4])
			lapic_take(reg, model_lapic[reg / 4]);
	}
	if (model_lapic[INITIAL / 4] != NOT_WRITTEN) {
		lapic_take(INITIAL, model_lapic[INITIAL / 4]);
		model_lapic[INITIAL / 4] = NOT_WRITTEN;
	}
}

uint32_t model_lapic_register(unsigned reg)
{
	if (!model.x2apic)
		lapic_poll();
	return lapic[reg / 4];
}

/* ---- Time ---- */

static void references_look(void)
{
	unsigned __int128 at = model.stopped ? 0 : model.now;
	uint64_t count = model.hpet_start;

	if (model.hpet_period && !model.hpet_stands && (model_hpet[2] & 1))
		count += (uint64_t)(at * 1000 / model.hpet_period);
	model_hpet[0xf0 / 8] = model.hpet_wide ? count : (uint32_t)count;
}

void model_pass(unsigned __int128 picoseconds)
{
	if (!model.x2apic)
		lapic_poll();
	model.now += picoseconds;
	timer_look();
	references_look();
}

static void step(void)
{
	model_pass(model.stopped ? 1000 * MODEL_STEP_PS : MODEL_STEP_PS);
	if (model.pause_every && ++model.accesses % model.pause_every == 0)
		model_pass(model.pause_ps);
}

void model_start(void)
{
	memset(&model, 0, sizeof(model));
	memset((void *)model_lapic, 0, sizeof(model_lapic));
	memset(lapic, 0, sizeof(lapic));
	memset((void *)model_hpet, 0, sizeof(model_hpet));
	memset(&pit, 0, sizeof(pit));
	counting = false;
	model.tsc_hz = model.lapic_hz = 1000000000;
	model.hpet_period = 10000000;
	model.pm_bits = 24;
	model.apic_base = 0xfee00000 | APIC_BASE_ENABLE;
	model.apic_id = 3;
	model_lapic[EOI / 4] = model_lapic[INITIAL / 4] = NOT_WRITTEN;
	model_lapic[ID / 4] = lapic[ID / 4] = 3u << 24;
	model_lapic[SPURIOUS / 4] = lapic[SPURIOUS / 4] = 0xff;
	model_lapic[LVT / 4] = lapic[LVT / 4] = LVT_MASKED;
	model_hpet[0] = (uint64_t)model.hpet_period << 32 | 1u << 13;
	model.hpet_wide = true;
}

/* ---- What replaces the instructions ---- */

uint64_t tsc_read(void)
{
	step();
	return tsc_now();
}

uint64_t msr_read(uint32_t msr)
{
	step();
	if (msr == MSR_APIC_BASE)
		return model.apic_base | (model.x2apic ? APIC_BASE_X2APIC : 0);
	if (msr == MSR_TSC_DEADLINE)
		return model.deadline;
	CHECK(model.x2apic && msr >= MSR_X2APIC && msr < MSR_X2APIC + 0x40); /* else #GP */
	if (msr == MSR_X2APIC + ID / 16)
		return model.apic_id;
	return msr == MSR_X2APIC + CURRENT / 16 ? current_count() : lapic[(msr - MSR_X2APIC) * 4];
}

void msr_write(uint32_t msr, uint64_t value)
{
	step();
	if (msr == MSR_APIC_BASE) {
		model.apic_base = value;
	} else if (msr == MSR_TSC_DEADLINE) {
		CHECK(model.has_deadline);
		if (lapic[LVT / 4] & LVT_DEADLINE)
			model.deadline = value;
		timer_look();
	} else if (msr == MSR_X2APIC + ICR / 16) {
		CHECK(model.x2apic);
		model.icr = value;
	} else {
		CHECK(model.x2apic && msr > MSR_X2APIC + ID / 16 && msr < MSR_X2APIC + 0x40);
		CHECK(value <= UINT32_MAX);
		lapic_take((msr - MSR_X2APIC) * 16, (uint32_t)value);
	}
}

/* ---- Devices ---- */

void *arch_map_device(phys_t phys, size_t size, enum map_cache cache)
{
	CHECK(phys == 0xfed00000 && size == 1024 && cache == MAP_UNCACHED);
	return model.hpet_period ? (void *)model_hpet : NULL;
}

uint32_t arch_in32(uint16_t port)
{
	uint64_t mask = model.pm_bits == 32 ? UINT32_MAX : 0xffffff;

	step();
	CHECK_EQUAL(port, PM_PORT);
	return (uint32_t)((model.pm_start + ticks(model.stopped ? 0 : model.now, PM_HZ)) & mask);
}

/* Mode 2: from the reload value down to 1, and again. */
static uint16_t pit_count(void)
{
	uint64_t passed = model.stopped || !pit.gate ? 0 : ticks(model.now - pit.since, PIT_HZ);

	return (uint16_t)(pit.reload - passed % pit.reload);
}

uint8_t arch_in8(uint16_t port)
{
	step();
	if (port == 0x61)
		return 0x32;
	CHECK(port == 0x42 && pit.latched);
	if (pit.reads++ == 0)
		return (uint8_t)pit.latch;
	pit.latched = false;
	return (uint8_t)(pit.latch >> 8);
}

void arch_out8(uint16_t port, uint8_t value)
{
	step();
	if (port == 0x61) {
		CHECK(!(value & 2)); /* the speaker */
		pit.gate = value & 1;
	} else if (port == 0x43 && value == 0x80) {
		pit.latch = pit_count();
		pit.latched = true;
		pit.reads = 0;
	} else if (port == 0x43) {
		CHECK_EQUAL(value, 0xb4);
		pit.writes = 0;
	} else {
		CHECK_EQUAL(port, 0x42);
		pit.reload = (uint16_t)(pit.writes ? pit.reload | value << 8 : value);
		if (pit.writes++)
			pit.since = model.now;
	}
}
