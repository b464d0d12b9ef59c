/* SPDX-License-Identifier: MIT */
#include "cpu_state.h"

#include "../pure/paging.h"
#include "cpu.h"

#define MSR_EFER     0xc0000080u
#define MSR_PAT      0x277u
#define STACK_AROUND UINT64_C(0x20000) /* UEFI 2.10 2.3.4: 128 KiB of stack or more */
#define NEAR         UINT64_C(0x10000)
#define TABLES_MAX   8192u

uint64_t entry_tsc, entry_rsp, entry_rflags;

struct __attribute__((packed)) descriptor_table {
	uint16_t limit;
	uint64_t base;
};

#define READ_SEGMENT(name)                                          \
	({                                                          \
		uint16_t v_;                                        \
		__asm__ volatile("mov %%" #name ", %0" : "=r"(v_)); \
		v_;                                                 \
	})

static void read_tables(struct handoff_cpu *s)
{
	struct descriptor_table t;

	__asm__ volatile("sgdt %0" : "=m"(t));
	s->gdt_base = t.base;
	s->gdt_limit = t.limit;
	__asm__ volatile("sidt %0" : "=m"(t));
	s->idt_base = t.base;
	s->idt_limit = t.limit;
	__asm__ volatile("str %0" : "=r"(s->tr));
	__asm__ volatile("sldt %0" : "=r"(s->ldtr));
}

static void read_float_state(struct handoff_cpu *s)
{
	uint32_t low, high;

	if (!(s->cr0 & (CR0_EM | CR0_TS))) {
		__asm__ volatile("fnstcw %0" : "=m"(s->fcw));
		if (s->cr4 & CR4_OSFXSR)
			__asm__ volatile("stmxcsr %0" : "=m"(s->mxcsr));
	}
	if (s->cr4 & CR4_OSXSAVE) {
		__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
		s->xcr0 = (uint64_t)high << 32 | low;
	}
}

void cpu_state_read(struct handoff_cpu *s)
{
	*s = (struct handoff_cpu){.rsp = entry_rsp, .rflags = entry_rflags};
	__asm__ volatile("mov %%cr0, %0" : "=r"(s->cr0));
	__asm__ volatile("mov %%cr2, %0" : "=r"(s->cr2));
	s->cr3 = read_cr3();
	s->cr4 = read_cr4();
	s->efer = read_msr(MSR_EFER);
	s->pat = read_msr(MSR_PAT);
	s->cs = READ_SEGMENT(cs);
	s->ss = READ_SEGMENT(ss);
	s->ds = READ_SEGMENT(ds);
	s->es = READ_SEGMENT(es);
	s->fs = READ_SEGMENT(fs);
	s->gs = READ_SEGMENT(gs);
	read_tables(s);
	read_float_state(s);
}

unsigned int cpu_paging_features(void)
{
	uint32_t d = cpuid(0x80000001, 0).d;

	return (d & 1u << 26 ? (unsigned int)PAGING_GIGABYTE_PAGES : 0) |
	       (d & 1u << 20 ? (unsigned int)PAGING_NO_EXECUTE : 0);
}

static bool is_free(const struct memory_list *map, uint64_t address)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct handoff_memory *m = &map->entries[i];

		if (address >= m->base && address - m->base < m->size)
			return m->type == HANDOFF_MEMORY_FREE;
	}
	return false;
}

struct table_walk {
	struct handoff_range *ranges;
	size_t count, visited;
};

/* Joins a table to a range near by, to any at all when there is no room for one more. */
static void note_table(struct table_walk *w, uint64_t table)
{
	for (size_t i = 0; i < w->count; i++) {
		struct handoff_range *r = &w->ranges[i];
		uint64_t end = r->base + r->size;
		bool full = w->count == PLACEMENT_AVOID_MAX && i + 1 == w->count;

		if (!full && (table + NEAR < r->base || table > end + NEAR))
			continue;
		if (table < r->base)
			r->base = table;
		if (table + MEMORY_PAGE > end)
			end = table + MEMORY_PAGE;
		r->size = end - r->base;
		return;
	}
	w->ranges[w->count++] = (struct handoff_range){table, MEMORY_PAGE};
}

static void walk_tables(struct table_walk *w, uint64_t table, unsigned int level)
{
	const uint64_t *entries = (const uint64_t *)table; /* UEFI maps all memory 1:1 */

	note_table(w, table);
	if (level == 1 || ++w->visited > TABLES_MAX)
		return;
	for (unsigned int i = 0; i < 512; i++) {
		bool is_table = (entries[i] & 1) && !(level <= 3 && (entries[i] & 0x80));

		if (is_table)
			walk_tables(w, entries[i] & UINT64_C(0x000ffffffffff000), level - 1);
	}
}

size_t cpu_memory_in_use(
	const struct memory_list *map, struct handoff_range ranges[PLACEMENT_AVOID_MAX])
{
	struct table_walk w = {.ranges = ranges};
	uint64_t top = read_cr3() & UINT64_C(0x000ffffffffff000);
	uint64_t low = entry_rsp > STACK_AROUND ? entry_rsp - STACK_AROUND : 0;

	if (is_free(map, entry_rsp))
		ranges[w.count++] =
			(struct handoff_range){low & ~(MEMORY_PAGE - 1), 2 * STACK_AROUND};
	if (is_free(map, top))
		walk_tables(&w, top, read_cr4() & CR4_LA57 ? 5 : 4);
	return w.count;
}
