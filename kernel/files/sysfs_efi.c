/* SPDX-License-Identifier: MIT */
/*
 * /sys/firmware/efi, as Linux has it (its Documentation/ABI/testing/sysfs-firmware-efi, -efi-runtime-map): where the firmware has
 * its tables, the ranges that its runtime services use, and a directory for efivarfs to be mounted on.
 *
 * Addresses are those of before SetVirtualAddressMap; a range's virt_addr is where the services see it now.
 */
#include <efi.h>

#include "arch/arch.h"
#include "baton/handoff.h"
#include "files/sysfs.h"
#include "firmware/bars.h"
#include "firmware/view.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

static const struct handoff *machine;
static uint64_t vendor_at, tables_at;

static int show_size(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "64\n");
}

static int show_address(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	const uint64_t *address =
		attribute->argument ? attribute->argument : &machine->runtime_services;

	return format(out, size, "0x%lx\n", *address);
}

/* Of the tables, by what its GUID says; 0: there is none. */
static uint64_t table_of(const EFI_GUID *guid)
{
	const uint8_t *at = arch_phys_to_ptr(machine->configuration_tables.base);
	EFI_CONFIGURATION_TABLE entry;

	for (uint64_t i = 0; i < machine->configuration_tables.size / sizeof(entry); i++) {
		memcpy(&entry, at + i * sizeof(entry), sizeof(entry));
		if (!memcmp(&entry.VendorGuid, guid, sizeof(*guid)))
			return (uint64_t)entry.VendorTable;
	}
	return 0;
}

static int show_tables(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	static const struct {
		const char *name;
		EFI_GUID guid;
	} known[] = {{"ACPI20", ACPI_20_TABLE_GUID}, {"ACPI", ACPI_TABLE_GUID},
		{"SMBIOS3", SMBIOS3_TABLE_GUID}, {"SMBIOS", SMBIOS_TABLE_GUID}};
	uint64_t address;
	int used = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
		address = table_of(&known[i].guid);
		if (address)
			used += format(out + used, size - (size_t)used, "%s=0x%lx\n", known[i].name,
				address);
	}
	return used;
}

/* ---- runtime-map ---- */

/* `owner` is the descriptor, `argument` the field's place in it. */
static int show_field(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	const uint8_t *descriptor = node->owner;
	size_t at = (uintptr_t)attribute->argument;
	uint64_t value;

	if (at == offsetof(EFI_MEMORY_DESCRIPTOR, VirtualStart)) {
		memcpy(&value, descriptor + offsetof(EFI_MEMORY_DESCRIPTOR, PhysicalStart),
			sizeof(value));
		value = bars_address(value);
	} else {
		memcpy(&value, descriptor + at, sizeof(value));
	}
	if (at == offsetof(EFI_MEMORY_DESCRIPTOR, Type))
		value = (uint32_t)value;
	return format(out, size, "0x%lx\n", value);
}

#define FIELD(text, field)                                                       \
	{                                                                        \
		.name = (text), .mode = 0400, .show = show_field,                \
		.argument = (const void *)offsetof(EFI_MEMORY_DESCRIPTOR, field) \
	}

static const struct sysfs_attribute range_attributes[] = {FIELD("attribute", Attribute),
	FIELD("num_pages", NumberOfPages), FIELD("phys_addr", PhysicalStart), FIELD("type", Type),
	FIELD("virt_addr", VirtualStart), {NULL}};

static int find_ranges(struct sysfs_node *node) requires(sysfs_lock)
{
	uint8_t *map = arch_phys_to_ptr(machine->raw_memory.base);
	uint64_t stride = machine->raw_descriptor_size, attributes;
	unsigned count = 0;
	char name[12];

	for (uint64_t at = 0; stride && at + stride <= machine->raw_memory.size; at += stride) {
		memcpy(&attributes, map + at + offsetof(EFI_MEMORY_DESCRIPTOR, Attribute),
			sizeof(attributes));
		if (!(attributes & EFI_MEMORY_RUNTIME))
			continue;
		format(name, sizeof(name), "%u", count++);
		if (!sysfs_grow(node, name, NULL, range_attributes, map + at))
			return -ENOMEM;
	}
	return 0;
}

bool sysfs_efi_add(const struct handoff *handoff)
{
	static const struct sysfs_attribute attributes[] = {
		{"config_table", 0444, .show = show_address, .argument = &tables_at},
		{"fw_platform_size", 0444, .show = show_size},
		{"fw_vendor", 0444, .show = show_address, .argument = &vendor_at},
		{"runtime", 0444, .show = show_address},
		{"systab", 0400, .show = show_tables},
		{NULL},
	};
	const EFI_SYSTEM_TABLE *system;
	struct sysfs_node *efi, *variables, *ranges;

	machine = handoff;
	if (handoff->source != HANDOFF_SOURCE_UEFI || !handoff->system_table)
		return true;
	system = firmware_view(handoff->system_table, sizeof(*system));
	if (!system)
		return false;
	vendor_at = (uint64_t)system->FirmwareVendor;
	tables_at = (uint64_t)system->ConfigurationTable;
	firmware_view_end(system, sizeof(*system));
	efi = sysfs_make(&sysfs_firmware, "efi", NULL, attributes, NULL);
	variables = efi ? sysfs_make(efi, "efivars", NULL, NULL, NULL) : NULL;
	ranges = variables ? sysfs_make(efi, "runtime-map", NULL, NULL, NULL) : NULL;
	if (!ranges)
		return false;
	efi->stays = variables->stays = true;
	ranges->populate = find_ranges;
	return true;
}
