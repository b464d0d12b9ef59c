/* SPDX-License-Identifier: MIT */
/* Where all of the RAM is: what /proc/meminfo says. See report.c. */
#ifndef MEMORY_REPORT_H
#define MEMORY_REPORT_H

#include "lib/types.h"

/* In pages. free + stranded + anonymous + objects + slab + tables + stacks + heap + array + initrd +
 * other + kernel == ram. */
struct memory_report {
	uint64_t ram;       /* that the firmware left to the kernel */
	uint64_t kernel;    /* never the allocator's: the image, the first tables */
	uint64_t free;      /* can be had at once */
	uint64_t stranded;  /* free, too little in one place to be managed */
	uint64_t anonymous; /* processes' own */
	uint64_t objects;   /* files' pages and shared memory */
	uint64_t shmem;     /* of these: in no file that could be read again */
	uint64_t slab, tables, stacks, heap, array, initrd, other;
	uint64_t committed; /* promised to processes */
};

void memory_report(struct memory_report *out, uint64_t ram_bytes);
/* As Linux's /proc/meminfo, and behind it what else the sum needs. The text's length. */
int memory_report_text(const struct memory_report *report, char *out, size_t size);

#endif
