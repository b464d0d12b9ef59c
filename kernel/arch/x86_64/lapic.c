/* SPDX-License-Identifier: MIT */
/* Intel SDM 3A chapter 11. x2APIC and TSC-deadline mode never ran on hardware here: they are tested
 * against a model of the registers (lapic_test.c). */
#include "lapic.h"

#include "arch/arch.h"
#include "registers.h"

#define LAPIC_ID            0x020
#define LAPIC_TASK_PRIORITY 0x080
#define LAPIC_EOI           0x0b0
#define LAPIC_SPURIOUS      0x0f0
#define LAPIC_IN_SERVICE    0x100 /* 256 bits, 32 in each register */
#define LAPIC_ICR           0x300
#define LAPIC_ICR_HIGH      0x310
#define LAPIC_LVT_TIMER     0x320
#define LAPIC_LVT_LINT0     0x350
#define LAPIC_LVT_ERROR     0x370
#define LAPIC_TIMER_INITIAL 0x380
#define LAPIC_TIMER_CURRENT 0x390
#define LAPIC_TIMER_DIVIDE  0x3e0

#define SPURIOUS_ENABLE     (1u << 8)
#define LVT_MASKED          (1u << 16)
#define LVT_TSC_DEADLINE    (2u << 17)
#define DIVIDE_BY_1         0xbu
#define ICR_PENDING         (1u << 12)
#define ICR_ASSERT          (1u << 14)
#define XAPIC_BROADCAST     0xffu
#define PENDING_SPINS       1000000

static enum lapic_mode mode;
static volatile uint32_t *registers;
static bool deadline;

static uint32_t lapic_read(unsigned reg)
{
	return mode == LAPIC_X2APIC ? (uint32_t)msr_read(MSR_X2APIC + reg / 16)
				    : registers[reg / 4];
}

static void lapic_write(unsigned reg, uint32_t value)
{
	if (mode == LAPIC_X2APIC)
		msr_write(MSR_X2APIC + reg / 16, value);
	else
		registers[reg / 4] = value;
}

enum lapic_mode lapic_mode_found(void)
{
	return msr_read(MSR_APIC_BASE) & APIC_BASE_X2APIC ? LAPIC_X2APIC : LAPIC_XAPIC;
}

volatile uint32_t *lapic_registers(void)
{
	return mode == LAPIC_X2APIC ? NULL : registers;
}

phys_t lapic_base(void)
{
	return msr_read(MSR_APIC_BASE) & 0x000ffffffffff000;
}

void lapic_init(enum lapic_mode which, volatile uint32_t *at, bool tsc_deadline)
{
	mode = which;
	registers = at;
	deadline = tsc_deadline;
	lapic_cpu_init();
}

void lapic_cpu_init(void)
{
	uint64_t base = msr_read(MSR_APIC_BASE);

	if (!(base & APIC_BASE_ENABLE))
		msr_write(MSR_APIC_BASE, base | APIC_BASE_ENABLE);
	lapic_write(LAPIC_TASK_PRIORITY, 0);
	lapic_write(LAPIC_LVT_LINT0, LVT_MASKED); /* the old interrupt controller is not used */
	lapic_write(LAPIC_LVT_ERROR, LVT_MASKED);
	lapic_write(LAPIC_TIMER_DIVIDE, DIVIDE_BY_1);
	lapic_write(LAPIC_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
	/* Only now: while the APIC is turned off, its interrupts stay masked (11.4.7.2). */
	lapic_timer_ready();
}

/* Until the one before has left this APIC; x2APIC needs no such wait (11.12.9). */
static void wait_sent(void)
{
	for (int i = 0; i < PENDING_SPINS && (lapic_read(LAPIC_ICR) & ICR_PENDING); i++)
		__asm__ volatile("pause");
}

void lapic_send(uint32_t id, uint32_t command)
{
	uint32_t interrupts;

	command |= ICR_ASSERT;
	if (mode == LAPIC_X2APIC) {
		/* The write is not serialising: what was stored before must be seen first (11.12.3). */
		__asm__ volatile("mfence; lfence" : : : "memory");
		msr_write(MSR_X2APIC + LAPIC_ICR / 16, (uint64_t)id << 32 | command);
		return;
	}
	interrupts = arch_irq_save();
	wait_sent();
	lapic_write(LAPIC_ICR_HIGH, id << 24);
	lapic_write(LAPIC_ICR, command);
	arch_irq_restore(interrupts);
}

bool lapic_in_service(unsigned vector)
{
	return lapic_read(LAPIC_IN_SERVICE + vector / 32 * 16) >> vector % 32 & 1;
}

bool lapic_reaches(uint32_t id)
{
	return mode == LAPIC_X2APIC ? id != UINT32_MAX : id < XAPIC_BROADCAST;
}

uint32_t lapic_id(void)
{
	uint32_t id = lapic_read(LAPIC_ID);

	return mode == LAPIC_X2APIC ? id : id >> 24;
}

void lapic_eoi(void)
{
	lapic_write(LAPIC_EOI, 0);
}

void lapic_timer_free_run(void)
{
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | LVT_MASKED);
	lapic_write(LAPIC_TIMER_INITIAL, UINT32_MAX);
}

void lapic_timer_ready(void)
{
	lapic_write(LAPIC_LVT_TIMER, VECTOR_TIMER | (deadline ? LVT_TSC_DEADLINE : 0));
	if (deadline) /* before the first deadline (11.5.4.1) */
		__asm__ volatile("mfence" : : : "memory");
	lapic_timer_set(0);
}

uint32_t lapic_timer_count(void)
{
	return lapic_read(LAPIC_TIMER_CURRENT);
}

bool lapic_uses_deadline(void)
{
	return deadline;
}

void lapic_timer_set(uint64_t ticks)
{
	if (deadline) {
		msr_write(MSR_TSC_DEADLINE, ticks);
		return;
	}
	lapic_write(LAPIC_TIMER_INITIAL, ticks > UINT32_MAX ? UINT32_MAX : (uint32_t)ticks);
}
