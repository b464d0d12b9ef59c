/* SPDX-License-Identifier: MIT */
/*
 * The start of the other CPUs.
 *
 * The boot CPU prepares everything that can fail: for each CPU that the MADT names its struct cpu with
 * the idle thread and its stack, its block of the entry area, and the trampoline. Then all get INIT,
 * and 10 ms later all the start-up interrupt; those that have not come after a while get it once
 * more, as Intel SDM 3A 8.4.4.1 wants. They come in any order and at once: trampoline.S finds by the
 * APIC id which smp_start is whose, and claims it, so that a CPU that comes after its time has no
 * stack to run on and halts.
 *
 * A CPU on its way compares itself with the boot CPU. One that lacks something that the kernel uses,
 * or has it otherwise, says in what and halts: programs may move from CPU to CPU at any time. Then it sets its
 * registers as the boot CPU's are, loads its tables, and goes to its idle thread's loop.
 *
 * When all have come or time is up, the boot CPU takes the trampoline away and compares the time stamp
 * counters, one CPU after the other. The machine runs with the CPUs that came; each other one is named
 * in the log.
 */
#include "smp.h"

#include "arch/arch.h"
#include "clock.h"
#include "cpu.h"
#include "entry_area.h"
#include "firmware/acpi.h"
#include "ipi.h"
#include "lapic.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "machine_check.h"
#include "mtrr.h"
#include "paging.h"
#include "process/process.h"
#include "registers.h"
#include "tlb.h"
#include "vdso/vdso.h"

#define AFTER_INIT    (NS_PER_SECOND / 100)
#define AFTER_STARTUP (NS_PER_SECOND / 100)
#define PATIENCE      (30 * NS_PER_SECOND) /* of our clock; an emulated CPU may wait for its turn */

/* Read by trampoline.S. */
struct smp_start smp_starts[CPUS_MAX - 1];
uint32_t smp_start_count;
volatile uint32_t *smp_lapic; /* NULL: x2APIC mode */

static unsigned mtrrs_changed;

extern const char smp_entry[];
void smp_begin(struct smp_start *start) NORETURN;

/* ---- On the CPU that starts ---- */

static void set_state(struct smp_start *start, uint32_t state)
{
	__atomic_store_n(&start->state, state, __ATOMIC_RELEASE);
}

/* On its idle thread's stack and the trampoline's tables; interrupts off. */
void smp_begin(struct smp_start *start)
{
	struct cpu *cpu = start->cpu;

	msr_write(MSR_GS_BASE, (virt_t)cpu->entry);
	start->differs = cpu_differs();
	if (start->differs) {
		cr3_write(paging_kernel_top());
		set_state(start, START_REFUSED);
		arch_halt();
	}
	cpu_control_init();
	if (mtrr_match())
		__atomic_add_fetch(&mtrrs_changed, 1, __ATOMIC_RELAXED);
	/* From here on it is asked to flush what changes in the kernel's half; what it has of that from
	 * before goes with the load of CR3. */
	__atomic_or_fetch(&cpus_up, cpu_bit(cpu), __ATOMIC_SEQ_CST);
	cr3_write(paging_kernel_top());
	if (tlb_uses_pcid())
		tlb_use_pcid();
	entry_area_load(cpu);
	lapic_cpu_init();
	/* Interrupts that came before were lost; the calls that they announced are still there. */
	arch_serve_calls();
	set_state(start, START_UP);
	machine_check_begin();
	cpu_begin(cpu);
}

/* ---- On the boot CPU ---- */

static void wait_until(ns_t when)
{
	while (arch_clock() < when)
		arch_pause();
}

/* What the CPU needs. False: no memory. */
static bool prepare(unsigned index, uint32_t apic_id)
{
	struct smp_start *start = &smp_starts[smp_start_count];
	struct cpu *cpu = cpu_create(index, apic_id);
	struct cpu_entry *entry;

	if (!cpu)
		return false;
	if (entry_area_create(cpu, paging_isolated()))
		return false;
	entry = cpu->entry;
	entry->kernel_stack = cpu->idle->arch.stack + KERNEL_STACK_SIZE;
	if (!entry->isolation)
		entry->tss.rsp[0] = entry->kernel_stack;
	if (tlb_uses_pcid())
		entry_use_pcid(entry);
	*start = (struct smp_start){.apic_id = apic_id,
		.state = START_WAITED_FOR,
		.stack = entry->kernel_stack,
		.cpu = cpu};
	smp_start_count++;
	return true;
}

static bool all_came(void)
{
	for (unsigned i = 0; i < smp_start_count; i++) {
		uint32_t state = __atomic_load_n(&smp_starts[i].state, __ATOMIC_ACQUIRE);

		if (state == START_WAITED_FOR || state == START_CLAIMED)
			return false;
	}
	return true;
}

/* To those that have not come yet. */
static void send_all(uint32_t command)
{
	for (unsigned i = 0; i < smp_start_count; i++) {
		if (__atomic_load_n(&smp_starts[i].state, __ATOMIC_ACQUIRE) == START_WAITED_FOR)
			lapic_send(smp_starts[i].apic_id, command);
	}
}

static bool wait_all(ns_t time)
{
	ns_t until = arch_clock() + time;

	while (!all_came() && arch_clock() < until)
		arch_pause();
	return all_came();
}

static void start_up_all(unsigned page)
{
	send_all(ICR_INIT);
	wait_until(arch_clock() + AFTER_INIT);
	send_all(ICR_STARTUP | page);
	if (wait_all(AFTER_STARTUP))
		return;
	send_all(ICR_STARTUP | page);
	wait_all(PATIENCE);
}

/* Names those that did not come; true: all did, or were refused. */
static bool judge(void)
{
	bool whole = true;

	for (unsigned i = 0; i < smp_start_count; i++) {
		struct smp_start *start = &smp_starts[i];
		uint32_t state = START_WAITED_FOR;

		if (__atomic_compare_exchange_n(&start->state, &state, START_GIVEN_UP, false,
			    __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) ||
			state == START_CLAIMED) {
			log_warn("smp: the CPU with APIC id %u %s within %lu s: it is left out",
				start->apic_id,
				state == START_CLAIMED ? "did not get ready" : "did not start",
				(unsigned long)(PATIENCE / NS_PER_SECOND));
			whole = false;
		} else if (state == START_REFUSED) {
			log_warn("smp: the CPU with APIC id %u differs from the boot CPU in %s: "
				 "it is left out",
				start->apic_id, start->differs);
		}
	}
	if (mtrrs_changed)
		log_debug("smp: %u came with MTRRs unlike the boot CPU's, and have its now",
			mtrrs_changed);
	return whole;
}

static void compare_clocks(void)
{
	for (unsigned i = 0; i < smp_start_count && clock_by_tsc(); i++) {
		if (__atomic_load_n(&smp_starts[i].state, __ATOMIC_ACQUIRE) == START_UP &&
			!tsc_agrees(smp_starts[i].cpu)) {
			arch_clock_leave_tsc();
			vdso_clock_changed();
		}
	}
}

static void log_choice(const struct smp_choice *choice)
{
	if (choice->unreachable)
		log_warn("smp: %u CPUs, the first with APIC id %u, cannot be reached without "
			 "x2APIC mode, which the firmware left off: they are left out",
			choice->unreachable, choice->first_unreachable);
	if (choice->too_many)
		log_warn("smp: %u CPUs beyond the first %u are left out", choice->too_many,
			CPUS_MAX);
	if (choice->disabled)
		log_debug("smp: %u CPUs are turned off by the firmware", choice->disabled);
}

static void start_all(void)
{
	int page = trampoline_prepare((uint64_t)smp_entry);

	if (page < 0) {
		log_warn("smp: %s for the other CPUs to start at: one CPU is used",
			page == -ENODEV ? "no two free pages below 1 MiB" : "no memory");
		smp_start_count = 0;
		return;
	}
	mtrr_save();
	smp_lapic = lapic_registers();
	start_up_all((unsigned)page);
	if (judge())
		trampoline_remove();
	else
		log_warn("smp: the page at %#x stays as it is, should one come late",
			(unsigned)page << PAGE_SHIFT);
}

unsigned arch_start_cpus(const struct acpi_info *acpi, unsigned most)
{
	struct smp_choice choice;
	unsigned up = 1;

	machine_check_begin();
	smp_choose(&acpi->madt, boot_cpu.apic_id, most, lapic_reaches, &choice);
	log_choice(&choice);
	for (unsigned i = 0; i < choice.count; i++) {
		if (!prepare(i + 1, choice.ids[i])) {
			log_warn("smp: no memory for more than %u CPUs", i + 1);
			break;
		}
	}
	if (smp_start_count) {
		clock_settle(); /* they are waited for by it, and have a timer each */
		start_all();
	}
	for (unsigned i = 0; i < smp_start_count; i++)
		up += __atomic_load_n(&smp_starts[i].state, __ATOMIC_ACQUIRE) == START_UP;
	if (up > 1)
		compare_clocks();
	log_info("smp: %u %s%s", up, up == 1 ? "CPU" : "CPUs",
		choice.unwanted ? ", as asked for" : "");
	return up;
}
