/* SPDX-License-Identifier: MIT */
/*
 * PCI configuration space: through the memory that the firmware's MCFG table names (PCI Express 3.0 7.2.2), or by
 * the ports of PCI 3.0 3.2.2.3.2, for segment 0. There are no drivers yet: this only reads.
 *
 * Lock: ports_lock, over the pair of ports; a leaf. The rest is written once, at the start.
 */
#include "devices/pci.h"

#include "arch/arch.h"
#include "firmware/acpi.h"
#include "firmware/acpi_tables.h"
#include "firmware/memory_map.h"
#include "firmware/view.h"
#include "lib/lock.h"

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc };
enum { MCFG_ENTRIES = 44, MCFG_ENTRY = 16 };
enum { SPACE = 256, EXTENDED_SPACE = 4096, EXPRESS = 0x10, HAS_LIST = 0x10 };

static struct spinlock ports_lock = SPINLOCK_INIT;
static phys_t mapped; /* of bus 0; 0: there is no such memory */
static unsigned first_bus, last_bus;

void pci_init(void)
{
	size_t size;
	const uint8_t *table = acpi_open("MCFG", &size);

	for (size_t at = MCFG_ENTRIES; table && at + MCFG_ENTRY <= size; at += MCFG_ENTRY) {
		phys_t base = acpi_get64(table, at);
		uint32_t rest = acpi_get32(table, at + 8); /* segment, first bus, last bus */
		unsigned first = rest >> 16 & 255, last = rest >> 24;

		if (rest & 0xffff || last < first || !base ||
			!memory_map_is_kept(
				base + ((phys_t)first << 20), (uint64_t)(last - first + 1) << 20))
			continue;
		mapped = base;
		first_bus = first;
		last_bus = last;
		break;
	}
	if (table)
		firmware_view_end(table, size);
}

static bool is_mapped(pci_function function)
{
	return mapped && function >> 8 >= first_bus && function >> 8 <= last_bus;
}

/* UINT32_MAX: nothing answers, or there is no memory to look. */
static uint32_t read_memory(pci_function function, unsigned offset)
{
	volatile uint32_t *p = arch_map_device(
		mapped + ((phys_t)function << 12) + offset, sizeof(*p), MAP_UNCACHED);
	uint32_t value = UINT32_MAX;

	if (p) {
		value = *p;
		arch_unmap_device((void *)(uintptr_t)p, sizeof(*p));
	}
	return value;
}

static uint32_t read_ports(pci_function function, unsigned offset)
{
	uint32_t value;

	spin_lock(&ports_lock);
	arch_out32(CONFIG_ADDRESS, 1u << 31 | (uint32_t)function << 8 | offset);
	value = arch_in32(CONFIG_DATA);
	spin_unlock(&ports_lock);
	return value;
}

uint32_t pci_read(pci_function function, unsigned offset, unsigned bytes)
{
	unsigned word = offset & ~3u;
	uint32_t value = UINT32_MAX;

	if (is_mapped(function))
		value = read_memory(function, word);
	else if (word < SPACE)
		value = read_ports(function, word);
	value >>= (offset & 3) * 8;
	return bytes == 4 ? value : value & ((1u << bytes * 8) - 1);
}

bool pci_exists(pci_function function)
{
	uint16_t vendor = (uint16_t)pci_read(function, PCI_ID, 2);

	return vendor && vendor != UINT16_MAX;
}

/* Whether the function has this capability. The list may be broken: it has an end. */
static bool has_capability(pci_function function, uint8_t wanted)
{
	unsigned at, steps = SPACE / 4;
	uint32_t entry;

	if (!(pci_read(function, PCI_STATUS, 2) & HAS_LIST))
		return false;
	at = pci_read(function, PCI_CAPABILITIES, 1) & ~3u;
	for (; at >= 0x40 && steps; at = entry >> 8 & 0xfc, steps--) {
		entry = pci_read(function, at, 4);
		if ((entry & 255) == wanted)
			return true;
	}
	return false;
}

unsigned pci_space(pci_function function)
{
	return is_mapped(function) && has_capability(function, EXPRESS) &&
			       pci_read(function, SPACE, 4) != UINT32_MAX
		       ? EXTENDED_SPACE
		       : SPACE;
}
