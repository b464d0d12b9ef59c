/* SPDX-License-Identifier: MIT */
/* The host's stand-in for the machine. See fake.h. */
#define _GNU_SOURCE
#include "fake.h"

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "process/current.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define WEAK __attribute__((weak))

/* 32 bytes for each page of the 16 TiB that 32-bit frame numbers reach. */
#define FRAMES_AREA  ((size_t)128 << 30)
#define TABLE_LEVELS 3
#define SLOT_BITS    9

static struct {
	int file; /* RAM; -1: none */
	char *direct;
	uint64_t size;
	phys_t base;
	char *frames;
	uint64_t mapped, tables;
	unsigned fail_nth;
	/* One bit for each page table that the frame area has needed, by level. */
	uint8_t *have_table[TABLE_LEVELS];
} ram = {.file = -1};

static ns_t now;

static void *reserve(size_t size)
{
	void *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED) {
		perror("fake: reserving addresses");
		exit(99);
	}
	return p;
}

static void drop_ram(void)
{
	if (ram.file < 0)
		return;
	munmap(ram.direct, ram.size);
	munmap(ram.frames, FRAMES_AREA);
	close(ram.file);
	for (unsigned level = 0; level < TABLE_LEVELS; level++)
		free(ram.have_table[level]);
}

void fake_memory_init(uint64_t size, phys_t base)
{
	drop_ram();
	memset(&ram, 0, sizeof(ram));
	ram.size = size;
	ram.base = base;
	ram.file = memfd_create("ram", 0);
	if (ram.file < 0 || ftruncate(ram.file, (off_t)size)) {
		perror("fake: making RAM");
		exit(99);
	}
	ram.direct =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, ram.file, 0);
	if (ram.direct == MAP_FAILED) {
		perror("fake: mapping RAM");
		exit(99);
	}
	ram.frames = reserve(FRAMES_AREA);
	for (unsigned level = 0; level < TABLE_LEVELS; level++) {
		ram.have_table[level] =
			calloc(1, (FRAMES_AREA >> (PAGE_SHIFT + SLOT_BITS * (level + 1))) / 8 + 1);
		if (!ram.have_table[level])
			exit(99);
	}
}

virt_t fake_frames_virt(void)
{
	return (virt_t)ram.frames;
}

uint64_t fake_mapped_bytes(void)
{
	return ram.mapped;
}

uint64_t fake_mapped_tables(void)
{
	return ram.tables;
}

void fake_map_fail_nth(unsigned n)
{
	ram.fail_nth = n;
}

WEAK void *arch_phys_to_ptr(phys_t phys)
{
	assert(phys >= ram.base && phys - ram.base < ram.size);
	return ram.direct + (phys - ram.base);
}

WEAK phys_t arch_ptr_to_phys(const void *p)
{
	uint64_t offset = (uint64_t)((const char *)p - ram.direct);

	assert(offset < ram.size);
	return ram.base + offset;
}

/* Takes the page tables that a page of the frame area needs and that are not there yet. */
static int take_tables(uint64_t page, phys_t (*take_table)(void *), void *context)
{
	for (unsigned level = TABLE_LEVELS; level-- > 0;) {
		uint64_t slot = page >> (SLOT_BITS * (level + 1));
		uint8_t bit = (uint8_t)(1u << (slot % 8));
		static const char zeroes[PAGE_SIZE];
		phys_t table;

		if (ram.have_table[level][slot / 8] & bit)
			continue;
		table = take_table(context);
		if (!table)
			return -ENOMEM;
		assert(!memcmp(arch_phys_to_ptr(table), zeroes, PAGE_SIZE));
		memset(arch_phys_to_ptr(table), 0xd7, PAGE_SIZE);
		ram.have_table[level][slot / 8] |= bit;
		ram.tables++;
	}
	return 0;
}

int arch_map_frames(
	virt_t virt, phys_t phys, size_t size, phys_t (*take_table)(void *), void *context)
{
	uint64_t offset = virt - (virt_t)ram.frames;
	void *p;

	assert(offset + size <= FRAMES_AREA && phys >= ram.base);
	assert((virt | phys | size) % PAGE_SIZE == 0 && phys - ram.base + size <= ram.size);
	if (ram.fail_nth && --ram.fail_nth == 0)
		return -ENOMEM;
	for (uint64_t page = offset >> PAGE_SHIFT; page < (offset + size) >> PAGE_SHIFT; page++) {
		if (take_tables(page, take_table, context))
			return -ENOMEM;
	}
	p = mmap((void *)virt, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram.file,
		(off_t)(phys - ram.base));
	if (p == MAP_FAILED)
		return -ENOMEM;
	ram.mapped += size;
	return 0;
}

WEAK void *arch_map_device(phys_t phys, size_t size, enum map_cache cache)
{
	(void)cache;
	return phys >= ram.base && phys - ram.base + size <= ram.size ? arch_phys_to_ptr(phys)
								      : NULL;
}

WEAK void arch_unmap_device(void *p, size_t size)
{
	(void)p;
	(void)size;
}

/* Ports: nothing answers. */
WEAK uint8_t arch_in8(uint16_t port)
{
	(void)port;
	return 0xff;
}

WEAK uint16_t arch_in16(uint16_t port)
{
	(void)port;
	return 0xffff;
}

WEAK uint32_t arch_in32(uint16_t port)
{
	(void)port;
	return 0xffffffff;
}

WEAK void arch_out8(uint16_t port, uint8_t value)
{
	(void)port;
	(void)value;
}

WEAK void arch_out16(uint16_t port, uint16_t value)
{
	(void)port;
	(void)value;
}

WEAK void arch_out32(uint16_t port, uint32_t value)
{
	(void)port;
	(void)value;
}

WEAK int arch_irq_attach(unsigned isa_irq, const char *name, irq_handler handler, void *context)
{
	(void)isa_irq;
	(void)name;
	(void)handler;
	(void)context;
	return -ENODEV;
}

void fake_clock_set(ns_t to)
{
	now = to;
}

void fake_clock_advance(ns_t by)
{
	now += by;
}

WEAK ns_t arch_clock(void)
{
	return now;
}

WEAK uint64_t arch_cycles(void)
{
	return now;
}

WEAK void sched_point(void)
{
}

/* ---- Several CPUs: a test with threads of its own defines these anew ---- */

WEAK unsigned arch_start_cpus(const struct acpi_info *acpi, unsigned most)
{
	(void)acpi;
	(void)most;
	return 1;
}

WEAK void arch_kick(struct cpu *cpu)
{
	(void)cpu;
}

WEAK void arch_stop_others(void)
{
}
