/* SPDX-License-Identifier: MIT */
/*
 * /proc/iomem and ioports: what physical addresses and ports are, in Linux's words, for who may administrate;
 * others see zeros. Memory is the hand-off's map, with the kernel's image and the interrupt controllers in it;
 * ports are those of devices that the kernel uses.
 *
 * Ranges are put in order, a larger one before those inside of it, which are shown two columns further in.
 */
#include "files/procfs.h"

#include <linux/capability.h>

#include "baton/handoff.h"
#include "devices/serial.h"
#include "files/devfs.h"
#include "firmware/acpi.h"
#include "firmware/memory_map.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/credentials.h"

#define MORE_RANGES (HANDOFF_SEGMENTS_MAX + ACPI_IOAPICS_MAX + 2)
#define DEPTH_MAX   8u

struct range {
	uint64_t first, last;
	const char *name;
};

struct ranges {
	unsigned count, room;
	struct range *at;
};

static const struct handoff *machine;

void proc_resources_init(const struct handoff *handoff)
{
	machine = handoff;
}

/* Where it belongs; most come in order. */
static void add(struct ranges *ranges, uint64_t first, uint64_t size, const char *name)
{
	struct range new = {first, first + size - 1, name}, *at = ranges->at + ranges->count;

	if (!size || ranges->count == ranges->room)
		return;
	for (; at > ranges->at &&
		(at[-1].first > new.first || (at[-1].first == new.first &&at[-1].last < new.last));
		at--)
		at[0] = at[-1];
	*at = new;
	ranges->count++;
}

static void show(const struct ranges *ranges, int width, struct text *out)
{
	bool may = capable(CAP_SYS_ADMIN);
	uint64_t ends[DEPTH_MAX];
	unsigned depth = 0;

	for (const struct range *at = ranges->at; at < ranges->at + ranges->count; at++) {
		while (depth && ends[depth - 1] < at->first)
			depth--;
		text_add(out, "%*s%0*lx-%0*lx : %s\n", (int)depth * 2, "", width,
			may ? at->first : 0, width, may ? at->last : 0, at->name);
		if (depth < DEPTH_MAX)
			ends[depth++] = at->last;
	}
}

/* ---- Memory ---- */

static const char *name_of(uint32_t type)
{
	if (memory_map_is_usable(type))
		return "System RAM";
	switch (type) {
	case HANDOFF_MEMORY_ACPI_RECLAIM:
		return "ACPI Tables";
	case HANDOFF_MEMORY_ACPI_NVS:
		return "ACPI Non-volatile Storage";
	case HANDOFF_MEMORY_UNUSABLE:
		return "Unusable memory";
	case HANDOFF_MEMORY_PERSISTENT:
		return "Persistent Memory";
	case HANDOFF_MEMORY_UNACCEPTED:
		return "Unaccepted Memory";
	default:
		return "Reserved";
	}
}

/* Neighbours of one name are one. */
static void add_map(struct ranges *ranges)
{
	const struct handoff_memory *entry;
	struct range *last = NULL;
	const char *name;

	for (size_t i = 0; (entry = memory_map_entry(i)); i++) {
		name = name_of(entry->type);
		if (last && !strcmp(last->name, name) && last->last + 1 == entry->base)
			last->last += entry->size;
		else
			add(ranges, entry->base, entry->size, name);
		last = ranges->count ? &ranges->at[ranges->count - 1] : NULL;
	}
}

static void add_devices(struct ranges *ranges)
{
	const struct acpi_info *acpi = acpi_info();

	for (unsigned i = 0; i < machine->segment_count; i++) {
		const struct handoff_segment *segment = &machine->segments[i];

		add(ranges, segment->phys, segment->size,
			segment->access & HANDOFF_EXECUTE ? "Kernel code"
			: segment->access & HANDOFF_WRITE ? "Kernel data"
							  : "Kernel rodata");
	}
	for (unsigned i = 0; i < acpi->madt.ioapic_count; i++)
		add(ranges, acpi->madt.ioapics[i].address, 0x400, "IOAPIC");
	if (acpi->hpet.present)
		add(ranges, acpi->hpet.address, 0x400, "HPET");
	if (acpi->madt.present)
		add(ranges, acpi->madt.local_apic, PAGE_SIZE, "Local APIC");
}

int proc_show_iomem(struct proc_file *file, struct text *out)
{
	struct ranges ranges = {.room = MORE_RANGES};

	while (memory_map_entry(ranges.room - MORE_RANGES))
		ranges.room++;
	ranges.at = kmalloc(ranges.room * sizeof(*ranges.at));
	if (!ranges.at)
		return -ENOMEM;
	add_map(&ranges);
	add_devices(&ranges);
	show(&ranges, 8, out);
	kfree(ranges.at);
	file->cursor = PROC_END;
	return 0;
}

/* ---- Ports ---- */

static void add_register(
	struct ranges *ranges, const struct acpi_register *reg, uint64_t size, const char *name)
{
	if (reg->space == ACPI_IO && reg->address)
		add(ranges, reg->address, size, name);
}

int proc_show_ioports(struct proc_file *file, struct text *out)
{
	struct range at[SERIAL_PORTS + 12];
	struct ranges ranges = {.room = ARRAY_SIZE(at), .at = at};
	const struct acpi_info *acpi = acpi_info();
	struct serial_port *port;

	if (acpi->madt.has_pics || !acpi->madt.present) {
		add(&ranges, 0x20, 2, "pic1");
		add(&ranges, 0xa0, 2, "pic2");
	}
	if (device_exists(13, 64, 64)) {
		add(&ranges, 0x60, 1, "keyboard");
		add(&ranges, 0x64, 1, "keyboard");
	}
	add(&ranges, 0x70, 2, "rtc");
	for (unsigned i = 0; i < SERIAL_PORTS; i++) {
		port = serial_open(i);
		if (port)
			add(&ranges, serial_base(port), 8, "serial");
	}
	add_register(&ranges, &acpi->fadt.pm1a_control, 2, "ACPI PM1a_CNT_BLK");
	add_register(&ranges, &acpi->fadt.pm1b_control, 2, "ACPI PM1b_CNT_BLK");
	add_register(&ranges, &acpi->fadt.pm_timer, 4, "ACPI PM_TMR");
	add(&ranges, 0xcf8, 8, "PCI conf1");
	show(&ranges, 4, out);
	file->cursor = PROC_END;
	return 0;
}
