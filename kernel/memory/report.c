/* SPDX-License-Identifier: MIT */
/*
 * Where all of the RAM is. Every page of the allocator's is free or has a state, and pages by state
 * are counted where the state changes (pages.c), so the sum is the whole by construction; that it is
 * is asserted here, each time somebody asks.
 */
#include "memory/report.h"

#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/overcommit.h"
#include "memory/pages.h"
#include "memory/vma.h"

void memory_report(struct memory_report *out, uint64_t ram_bytes)
{
	struct pages_stats stats;
	uint64_t sum = 0;

	pages_statistics(&stats);
	for (unsigned state = 0; state < FRAME_STATES; state++)
		sum += stats.by_state[state];
	assert(stats.free + stats.stranded + sum == stats.total);
	*out = (struct memory_report){
		.ram = ram_bytes / PAGE_SIZE,
		.free = stats.free,
		.stranded = stats.stranded,
		.anonymous = stats.by_state[FRAME_ANON],
		.objects = stats.by_state[FRAME_OBJECT],
		.shmem = __atomic_load_n(&object_shmem_pages, __ATOMIC_RELAXED),
		.slab = stats.by_state[FRAME_SLAB],
		.tables = stats.by_state[FRAME_TABLE],
		.stacks = stats.by_state[FRAME_STACK],
		.heap = stats.by_state[FRAME_HEAP],
		.array = stats.by_state[FRAME_ARRAY],
		.initrd = stats.by_state[FRAME_INITRD],
		.other = stats.by_state[FRAME_USED],
		.committed = __atomic_load_n(&committed_pages, __ATOMIC_RELAXED),
	};
	/* What the firmware lent may come back later than it was counted. */
	if (out->ram < stats.total)
		out->ram = stats.total;
	out->kernel = out->ram - stats.total;
	if (out->shmem > out->objects)
		out->shmem = out->objects; /* counted at another moment */
}

int memory_report_text(const struct memory_report *report, char *out, size_t size)
{
	const struct line {
		const char *name;
		uint64_t pages;
	} lines[] = {
		{"MemTotal", report->ram},
		{"MemFree", report->free},
		{"MemAvailable", report->free + report->objects - report->shmem},
		{"Buffers", 0},
		{"Cached", report->objects},
		{"SwapCached", 0},
		/* Nothing is ever found to be inactive: there is no reclaim. */
		{"Active", report->anonymous + report->objects},
		{"Inactive", 0},
		{"Active(anon)", report->anonymous + report->shmem},
		{"Inactive(anon)", 0},
		{"Active(file)", report->objects - report->shmem},
		{"Inactive(file)", 0},
		{"SwapTotal", 0},
		{"SwapFree", 0},
		{"Dirty", 0},
		{"Writeback", 0},
		{"AnonPages", report->anonymous},
		{"Shmem", report->shmem},
		{"Slab", report->slab},
		{"SReclaimable", 0},
		{"SUnreclaim", report->slab},
		{"KernelStack", report->stacks},
		{"PageTables", report->tables},
		{"CommitLimit", overcommit_limit()},
		{"Committed_AS", report->committed},
		{"KernelHeap", report->heap},
		{"PageArray", report->array},
		{"Initrd", report->initrd},
		{"KernelImage", report->kernel},
		{"KernelOther", report->other},
		{"Stranded", report->stranded},
	};
	int length = 0;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		size_t at = (size_t)length < size ? (size_t)length : size;

		length += format(out + at, size - at, "%s:%*llu kB\n", lines[i].name,
			(int)(23 - strlen(lines[i].name)),
			(unsigned long long)(lines[i].pages * (PAGE_SIZE / 1024)));
	}
	return length;
}
