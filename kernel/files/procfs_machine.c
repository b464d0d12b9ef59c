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
