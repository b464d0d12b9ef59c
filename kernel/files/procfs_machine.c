/* SPDX-License-Identifier: MIT */
/*
 * The root of /proc: what the machine's parts are and did: interrupts, free blocks of memory, symbols of the
 * kernel. In Linux's formats, which programs read by columns. man 5 proc.
 */
#include "files/procfs.h"

#include <linux/capability.h>

#include "arch/arch.h"
#include "lib/symbols.h"
#include "memory/pages.h"
#include "memory/report.h"
#include "process/cpu.h"
#include "process/credentials.h"
#include "process/rlimit.h"
#include "process/sched.h"

/* ---- Interrupts ---- */

static void add_interrupt(struct text *out, unsigned index, const struct arch_interrupt *interrupt,
	unsigned cpus_told)
{
	if (interrupt->number >= 0)
		text_add(out, "%3d: ", interrupt->number);
	else
		text_add(out, "%3s: ", interrupt->name);
	for (unsigned cpu = 0; cpu < cpus_told; cpu++)
		text_add(out, "%10u ", (uint32_t)arch_interrupt_count(index, cpu));
	text_add(out, " %s\n", interrupt->text);
}

/* The cursor counts the lines. A CPU that comes between two pieces is not in the later one's columns. */
int proc_show_interrupts(struct proc_file *file, struct text *out)
{
	struct arch_interrupt interrupt;
	unsigned index = (unsigned)file->cursor;

	if (!index) {
		text_add(out, "%11s", "");
		for (unsigned cpu = 0; cpu < cpu_count; cpu++)
			text_add(out, "CPU%-8u", cpu);
		text_add(out, "\n");
	}
	for (;; index++) {
		if (!arch_interrupt(index, &interrupt)) {
			file->cursor = PROC_END;
			return 0;
		}
		if (interrupt.name)
			break;
	}
	add_interrupt(out, index, &interrupt, cpu_count);
	file->cursor = index + 1;
	return 0;
}

/* The line `intr` of stat: all of them, then those of each number. */
void proc_add_interrupts(struct text *out)
{
	struct arch_interrupt interrupt;
	uint64_t count, all = 0;

	for (unsigned index = 0; arch_interrupt(index, &interrupt); index++)
		for (unsigned cpu = 0; cpu < cpu_count; cpu++)
			all += arch_interrupt_count(index, cpu);
	text_add(out, "intr %lu", all);
	for (unsigned index = 0; arch_interrupt(index, &interrupt) && interrupt.number >= 0;
		index++) {
		count = 0;
		for (unsigned cpu = 0; cpu < cpu_count; cpu++)
			count += arch_interrupt_count(index, cpu);
		text_add(out, " %lu", count);
	}
	text_add(out, "\n");
}

/* Work that Linux puts off at the end of an interrupt: all is done at once here, or by threads. */
int proc_show_softirqs(struct proc_file *file, struct text *out)
{
	static const char names[][9] = {"HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL",
		"TASKLET", "SCHED", "HRTIMER", "RCU"};

	text_add(out, "%20s", "");
	for (unsigned cpu = 0; cpu < cpu_count; cpu++)
		text_add(out, "CPU%-8u", cpu);
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
		text_add(out, "\n%12s:", names[i]);
		for (unsigned cpu = 0; cpu < cpu_count; cpu++)
			text_add(out, " %10u", 0u);
	}
	text_add(out, "\n");
	file->cursor = PROC_END;
	return 0;
}

/* Version 15: of the numbers of a CPU the three last are told: how long it ran threads, how long those had waited
 * for it (which nobody measures), and how many turns there were. No domains. */
int proc_show_schedstats(struct proc_file *file, struct text *out)
{
	struct cpu_times times;

	text_add(out, "version 15\ntimestamp %lu\n", arch_clock() / (NS_PER_SECOND / 250));
	for (unsigned i = 0; i < cpu_count; i++) {
		sched_cpu_times(cpus[i], &times);
		text_add(out, "cpu%u 0 0 0 0 0 0 %lu 0 %lu\n", i,
			times.user + times.nice + times.system,
			__atomic_load_n(&cpus[i]->switches, __ATOMIC_RELAXED));
	}
	file->cursor = PROC_END;
	return 0;
}

/* ---- Memory ---- */

/* One node with one zone. */
int proc_show_buddyinfo(struct proc_file *file, struct text *out)
{
	uint64_t blocks[PAGES_MAX_ORDER + 1];

	pages_free_blocks(blocks);
	text_add(out, "Node 0, zone %8s ", "Normal");
	for (unsigned order = 0; order <= PAGES_MAX_ORDER; order++)
		text_add(out, "%6lu ", blocks[order]);
	text_add(out, "\n");
	file->cursor = PROC_END;
	return 0;
}

int proc_show_zoneinfo(struct proc_file *file, struct text *out)
{
	struct memory_report report;

	memory_report(&report, limits_ram());
	text_add(out, "Node 0, zone   Normal\n  per-node stats\n");
	text_add(out,
		"      nr_anon_pages %lu\n      nr_file_pages %lu\n      nr_shmem     %lu\n"
		"      nr_slab_unreclaimable %lu\n      nr_kernel_stack %lu\n"
		"      nr_page_table_pages %lu\n",
		report.anonymous, report.objects, report.shmem, report.slab,
		report.stacks * (PAGE_SIZE / 1024), report.tables);
	text_add(out,
		"  pages free     %lu\n        boost    0\n        min      0\n        low      0\n"
		"        high     0\n        spanned  %lu\n        present  %lu\n"
		"        managed  %lu\n        cma      0\n        protection: (0)\n"
		"      nr_free_pages %lu\n",
		report.free, report.ram, report.ram, report.ram - report.kernel, report.free);
	file->cursor = PROC_END;
	return 0;
}

/* ---- Symbols ---- */

int proc_kptr_restrict = 1;

/* Addresses are for who may read the log, where they stand too; with kernel.kptr_restrict 2 for nobody. */
int proc_show_kallsyms(struct proc_file *file, struct text *out)
{
	bool may =
		__atomic_load_n(&proc_kptr_restrict, __ATOMIC_RELAXED) < 2 && capable(CAP_SYSLOG);
	const char *name;
	virt_t address;

	while ((name = symbol_at((uint32_t)file->cursor, &address))) {
		size_t before = out->used;

		text_add(out, "%016lx t %s\n", may ? address : 0, name);
		if (out->overflow) {
			if (before) {
				out->used = before;
				out->overflow = false;
			}
			return 0;
		}
		file->cursor++;
	}
	file->cursor = PROC_END;
	return 0;
}
