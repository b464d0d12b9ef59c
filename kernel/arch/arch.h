/* SPDX-License-Identifier: MIT */
/*
 * The seam to the machine. Everything that knows the CPU is behind these declarations; page tables
 * are opaque and no constant of the address space stands elsewhere. arch_cpu.h (one per arch, found
 * by the include path) adds what must be inline: PAGE_SIZE, interrupt state, the current thread.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include "arch_cpu.h"
#include "lib/types.h"

struct handoff;

/* ---- Physical memory ---- */

/* RAM through the direct map: valid for every range of RAM in the hand-off's map. */
void *arch_phys_to_ptr(phys_t phys);
phys_t arch_ptr_to_phys(const void *p); /* of a pointer into the direct map */

/* Maps RAM pages at a kernel virtual address for the page-frame array, RW and NX. Page tables that
 * are missing come from take_table (one zeroed page's physical address; 0: none left).
 * 0 or -ENOMEM (nothing is undone then). */
int arch_map_frames(virt_t virt, phys_t phys, size_t size, phys_t (*take_table)(void *), void *context) MUST_CHECK;

enum map_cache { MAP_WRITE_BACK, MAP_WRITE_COMBINING, MAP_UNCACHED };

/* Maps a physical range that need not be RAM (device registers, framebuffer, firmware tables) into
 * the dynamic area, RW and NX; any alignment; the pointer is to the very first byte.
 * NULL: no memory. */
void *arch_map_device(phys_t phys, size_t size, enum map_cache cache) MUST_CHECK;
void arch_unmap_device(void *p, size_t size);

/* ---- Ports and interrupts ---- */

uint8_t arch_in8(uint16_t port);
uint16_t arch_in16(uint16_t port);
uint32_t arch_in32(uint16_t port);
void arch_out8(uint16_t port, uint8_t value);
void arch_out16(uint16_t port, uint16_t value);
void arch_out32(uint16_t port, uint32_t value);

typedef void (*irq_handler)(void *context);

/* Routes a legacy (ISA) interrupt to this handler, unmasked; it runs with interrupts off.
 * -ENODEV: no interrupt controller knows it; -EBUSY: taken. */
int arch_irq_attach(unsigned isa_irq, irq_handler handler, void *context) MUST_CHECK;

/* ---- Time ---- */

ns_t arch_clock(void);       /* monotonic, since the loader's entry */
uint64_t arch_cycles(void);  /* the raw counter (TSC) behind it */

#endif
