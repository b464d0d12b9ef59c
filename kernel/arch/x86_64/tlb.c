/* SPDX-License-Identifier: MIT */
/*
 * TLB shootdown: a CPU changes page tables that other CPUs may have in use.
 *
 * The problem: a CPU keeps translations (and pieces of the walk to them) until it is told that they
 * are gone. A frame or a page table must not be given to anybody else before no CPU can reach it.
 *
 * Who is asked. space->cpus has a bit for each CPU that has the space loaded. tlb_load sets the
 * bit before it loads CR3, and clears the old space's after that. Whoever changes tables first writes
 * the entries, then reads the mask, with a full barrier between. So for each CPU one of two holds:
 *
 *  - the reader sees its bit: the CPU is asked, and answered for before the flush returns;
 *  - it does not: then the CPU loads CR3 after the entries were written (and walks the new ones), or has
 *    loaded another space before it cleared the bit (and has nothing left of this one: CR3 flushes).
 *
 * With PCIDs entries outlive a switch. There the changes of a space are counted (pcid.c), each flush
 * is one, and a CPU that loads the space compares: it sets its bit first and then reads the count,
 * the other side counts first and then reads the mask. A CPU that is asked knows by the number
 * whether it has missed other flushes, and then flushes all of the space.
 *
 * How they are asked: ipi.c, one interrupt for up to FLUSH_BATCH pages. The asker flushes its own TLB meanwhile. With one CPU, or a space that
 * one CPU alone has loaded, nothing is sent.
 *
 * Lazy: a CPU that goes to a kernel thread keeps the last space loaded, as its next thread is often of
 * that space. It uses nothing of it, so when it is asked to flush it leaves for the kernel's
 * own tables instead, and is not asked again. A space that is freed makes the lazy ones leave.
 *
 * Upgrades (the same frame, more allowed) are flushed on this CPU only: a stale entry makes a fault,
 * by which the CPU drops it.
 *
 * The kernel's half is loaded everywhere: what is unmapped there is flushed on every CPU that is up.
 * So kernel stacks are unmapped many at a time (kernel_area.c).
 *
 * Locks: none. A space's tables are changed under its owner's lock, but nothing here relies on that:
 * flushes of one space by two CPUs at once are right too. Invariant: entry->space is the space that
 * CR3 says, and has this CPU's bit, whenever interrupts are on.
 */
#include "tlb.h"

#include "cpu.h"
#include "ipi.h"
#include "lib/log.h"
#include "paging.h"
#include "process/cpu.h"
#include "registers.h"

bool tlb_tagged; /* TLB entries have PCIDs: pcid.c */

struct request {
	const struct flush *flush;
	uint64_t change; /* its number, with PCIDs */
};

static struct cpu_entry *this_entry(void)
{
	return this_cpu()->entry;
}

bool tlb_uses_pcid(void)
{
	return tlb_tagged;
}

void tlb_use_pcid(void)
{
	entry_use_pcid(this_entry());
	cr4_write(cr4_read() | CR4_PCIDE);
	tlb_tagged = true;
}

/* ---- Which space a CPU has ---- */

/* With page-table isolation, PCIDs, or both. */
static COLD void load_special(struct cpu_entry *entry, struct arch_space *space, phys_t top)
{
	phys_t user_top = paging_isolated() && space ? top + PAGE_SIZE : 0;
	struct pcid_load load = {top, top, user_top ? user_top : top};

	if (tlb_tagged)
		load = pcid_switch(
			&entry->pcid, space ? &space->tag : NULL, top, user_top, entry->user_cr3);
	/* An NMI that comes before the load must not keep what the load flushes. */
	entry->kernel_cr3 = load.kernel & ~CR3_NOFLUSH;
	entry->user_cr3 = load.user;
	cr3_write(load.now);
	entry->kernel_cr3 = load.kernel;
}

void tlb_load(struct cpu_entry *entry, struct arch_space *space)
{
	struct arch_space *old = entry->space;
	phys_t top = space ? space->top : paging_kernel_top();

	if (space)
		__atomic_fetch_or(&space->cpus, entry->bit, __ATOMIC_SEQ_CST);
	entry->space = space;
	if (likely(!tlb_tagged && !entry->isolation)) {
		entry->kernel_cr3 = entry->user_cr3 = top;
		cr3_write(top);
	} else {
		load_special(entry, space, top);
	}
	if (old)
		__atomic_fetch_and(&old->cpus, ~entry->bit, __ATOMIC_RELEASE);
}

void arch_space_use(struct arch_space *space)
{
	uint32_t interrupts = arch_irq_save();
	struct cpu_entry *entry = this_entry();

	entry->lazy = false;
	if (entry->space != space)
		tlb_load(entry, space);
	arch_irq_restore(interrupts);
}

static void leave(void *argument)
{
	struct cpu_entry *entry = this_entry();

	if (entry->space == argument)
		tlb_load(entry, NULL);
}

void tlb_space_leave(struct arch_space *space)
{
	uint32_t interrupts = arch_irq_save();

	leave(space);
	ipi_call(__atomic_load_n(&space->cpus, __ATOMIC_SEQ_CST), leave, space);
	assert(!__atomic_load_n(&space->cpus, __ATOMIC_ACQUIRE));
	arch_irq_restore(interrupts);
}

/* ---- Flushing this CPU ---- */

/* The user's view, when it is loaded next. */
static void flush_user_view(struct cpu_entry *entry)
{
	if (entry->isolation)
		entry->user_cr3 &= ~CR3_NOFLUSH;
}

static void flush_all(struct cpu_entry *entry)
{
	cr3_write(entry->kernel_cr3 & ~CR3_NOFLUSH);
	if (tlb_tagged)
		flush_user_view(entry);
}

static void flush_one(struct cpu_entry *entry, uintptr_t address)
{
	invlpg(address);
	if (likely(!tlb_tagged))
		return; /* isolated or not: the way out loads CR3, or there is one view */
	if (entry->isolation && cpu_has[CPU_INVPCID])
		invpcid_address(entry->user_cr3 & PCID_MASK, address);
	else
		flush_user_view(entry);
}

/* Interrupts are off. */
static void flush_here(void *argument)
{
	const struct request *request = argument;
	const struct flush *flush = request->flush;
	struct cpu_entry *entry = this_entry();
	bool all = flush->all;

	if (entry->space != flush->space)
		return;
	if (entry->lazy) {
		tlb_load(entry, NULL);
		return;
	}
	if (tlb_tagged) {
		enum pcid_missed missed =
			pcid_catch_up(&entry->pcid, &flush->space->tag, request->change);

		if (missed == PCID_MISSED_NOTHING)
			return;
		all |= missed == PCID_MISSED_MORE;
	}
	if (all) {
		flush_all(entry);
		return;
	}
	for (unsigned i = 0; i < flush->count; i++)
		flush_one(entry, flush->addresses[i]);
	/* INVLPG of any address drops what the kernel's view has of the tables (SDM 3A 4.10.4.1). */
	if (flush->tables && tlb_tagged)
		flush_user_view(entry);
}

/* ---- Flushing all CPUs that have the space ---- */

/* Others than this one, of those that are not stopped by a panic. */
static uint64_t others_of(uint64_t mask)
{
	return mask & ~this_entry()->bit & __atomic_load_n(&cpus_up, __ATOMIC_ACQUIRE);
}

static void run_everywhere(uint64_t others, void (*function)(void *), void *argument)
{
	struct cpu_call call = {.function = function, .argument = argument, .flush = true};

	if (unlikely(others))
		ipi_post(&call, others);
	function(argument);
	if (unlikely(others))
		ipi_wait(&call);
}

static COLD void flush_everywhere(const struct flush *flush)
{
	struct request request = {.flush = flush};
	struct arch_space *space = flush->space;
	uint32_t interrupts = arch_irq_save();

	if (tlb_tagged)
		request.change = pcid_change(&space->tag);
	run_everywhere(
		others_of(__atomic_load_n(&space->cpus, __ATOMIC_SEQ_CST)), flush_here, &request);
	arch_irq_restore(interrupts);
}

void flush_batch(const struct flush *flush)
{
	uint64_t loaded;

	if (!flush->count && !flush->all)
		return;
	__atomic_thread_fence(__ATOMIC_SEQ_CST); /* the entries, then the mask */
	loaded = __atomic_load_n(&flush->space->cpus, __ATOMIC_RELAXED);
	if (unlikely(tlb_tagged || (loaded & ~this_entry()->bit) || flush->all)) {
		if (tlb_tagged || loaded)
			flush_everywhere(flush);
		return;
	}
	for (unsigned i = 0; loaded && i < flush->count; i++)
		invlpg(flush->addresses[i]);
}

static COLD void flush_page_everywhere(struct arch_space *space, uintptr_t address)
{
	struct flush flush;

	flush.space = space;
	flush.all = flush.tables = false;
	flush.count = 1;
	flush.addresses[0] = address;
	flush_batch(&flush);
}

void flush_page(struct arch_space *space, uintptr_t address)
{
	uint64_t loaded;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	loaded = __atomic_load_n(&space->cpus, __ATOMIC_RELAXED);
	if (unlikely(tlb_tagged || (loaded & ~this_entry()->bit)))
		flush_page_everywhere(space, address);
	else if (likely(loaded))
		invlpg(address);
}

void flush_space(struct arch_space *space)
{
	struct flush flush;

	flush.space = space;
	flush.all = true;
	flush.tables = false;
	flush.count = 0;
	flush_batch(&flush);
}

void flush_upgrade(struct arch_space *space, uintptr_t address)
{
	if (this_entry()->space == space)
		invlpg(address);
}

/* ---- The kernel's half ---- */

static void flush_kernel_here(void *argument)
{
	const struct flush *flush = argument;
	struct cpu_entry *entry = this_entry();

	/* INVLPG reaches the current PCID, and what is cached of the walk in every one. */
	for (unsigned i = 0; i < flush->count; i++)
		invlpg(flush->addresses[i]);
	if (unlikely(tlb_tagged)) {
		pcid_kernel_changed(&entry->pcid);
		flush_user_view(entry);
	}
}

void flush_kernel(const struct flush *flush)
{
	uint32_t interrupts = arch_irq_save();

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	run_everywhere(others_of(UINT64_MAX), flush_kernel_here, (void *)flush);
	arch_irq_restore(interrupts);
}
