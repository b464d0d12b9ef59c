/* SPDX-License-Identifier: MIT */
/*
 * The host as the machine: what stands behind kernel/arch/arch.h in unit tests.
 *
 * RAM is a memory file, mapped once as the direct map and, where arch_map_frames asks for it, once
 * more as the page-frame array, so that a page given away twice shows as corruption. It is sparse:
 * a test may have a tebibyte. Everything that a test may want to replace (ports, device mappings,
 * interrupts, panic, the log) is a weak symbol; a definition in the test wins.
 */
#ifndef FAKE_H
#define FAKE_H

#include "lib/types.h"

/* Makes RAM at [base, base + size), whole pages, and an empty area for the page-frame array.
 * Called again, it starts afresh. Exits with a message when the host has no memory. */
void fake_memory_init(uint64_t size, phys_t base);
virt_t fake_frames_virt(void); /* of the page-frame array: what pages_init wants */

/* What arch_map_frames has done since fake_memory_init. */
uint64_t fake_mapped_bytes(void);
uint64_t fake_mapped_tables(void); /* page tables taken */
/* The nth call of arch_map_frames from now fails with -ENOMEM; 0: none does. */
void fake_map_fail_nth(unsigned n);

/* ---- space.c: address spaces. Tables are pages of FRAME_TABLE, one for each 2 MiB ---- */

struct arch_space;

/* What the CPU would do in user mode: false is a page fault. A write marks the page dirty. */
bool fake_access(struct arch_space *space, uintptr_t address, unsigned access, phys_t *phys);
/* Every page that has an entry, in the order of addresses. */
void fake_each_page(struct arch_space *space,
	void (*visit)(void *context, uintptr_t address, phys_t phys, unsigned access),
	void *context);

/* arch_clock and arch_cycles (one a nanosecond). Time stands still unless it is moved. */
void fake_clock_set(ns_t now);
void fake_clock_advance(ns_t by);

#endif
