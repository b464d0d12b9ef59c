/* SPDX-License-Identifier: MIT */
/*
 * /sys/firmware: the ACPI tables (acpidump) and SMBIOS's (dmidecode) as the firmware left them; class/dmi/id, what SMBIOS says of the machine, as texts.
 *
 * The bytes are read from where the firmware has them, each time. A table is shown only where that is memory of
 * the firmware's own to the last byte (memory_map_is_kept): what it left in memory that is the kernel's by now is
 * not a table any more. Lengths are those of the first look. Numbers of tables and names are found when somebody
 * looks into the directory.
 *
 * /sys/firmware/baton has what the loader saw of the firmware (evidence.h), when it was asked to look, and the panic
 * of the run before.
 *
 * Lock: sysfs_lock, over what is found late; the rest is written at the start.
 */
#include "files/sysfs.h"

#include "baton/handoff.h"
#include "files/abi.h"
#include "files/sysfs_dmi.h"
#include "firmware/acpi.h"
#include "firmware/acpi_tables.h"
#include "firmware/memory_map.h"
#include "firmware/smbios.h"
#include "firmware/view.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"

/* A file of the firmware's bytes. */
struct firmware_file {
	struct sysfs_binary binary;
	phys_t phys;
	uint32_t size;
	char name[8]; /* an ACPI table's: its signature and, of several, the number */
};

static uint64_t file_size(const struct sysfs_node *node, const struct sysfs_binary *binary)
{
	return container_of(binary, const struct firmware_file, binary)->size;
}

static ssize_t read_file(const struct sysfs_node *node, const struct sysfs_binary *binary,
	const struct sysfs_read *read)
{
	const struct firmware_file *file = container_of(binary, const struct firmware_file, binary);
	const void *view = firmware_view(file->phys + read->offset, read->size);

	if (!view)
		return -ENOMEM;
	memcpy(read->out, view, read->size);
	firmware_view_end(view, read->size);
	return (ssize_t)read->size;
}

#define FIRMWARE_FILE                              \
	{                                          \
		.binary = { file_size, read_file } \
	}

/* ---- ACPI ---- */

#define TABLES_MAX (SYSFS_ATTRIBUTES - 1)

enum { FADT_FACS = 36, FADT_X_FACS = 132 };

struct acpi_files {
	unsigned count;
	struct firmware_file files[TABLES_MAX];
	struct sysfs_attribute attributes[TABLES_MAX + 1];
};

static bool is_name(const uint8_t *signature)
{
	for (unsigned i = 0; i < 4; i++)
		if (signature[i] <= ' ' || signature[i] >= 0x7f || signature[i] == '/')
			return false;
	return true;
}

/* A table, if it is one and is still there. */
static void add_table(struct acpi_files *found, phys_t phys)
{
	struct firmware_file *file = &found->files[found->count];
	const uint8_t *header;

	if (!phys || found->count == TABLES_MAX || !memory_map_is_kept(phys, ACPI_HEADER_SIZE))
		return;
	header = firmware_view(phys, ACPI_HEADER_SIZE);
	if (!header)
		return;
	*file = (struct firmware_file)FIRMWARE_FILE;
	file->phys = phys;
	file->size = acpi_table_length(header);
	memcpy(file->name, header, 4);
	if (file->size && is_name(header) && memory_map_is_kept(phys, file->size))
		found->count++;
	firmware_view_end(header, ACPI_HEADER_SIZE);
}

/* What the root table does not list. */
static void add_of_fadt(struct acpi_files *found)
{
	const struct firmware_file *fadt = &found->files[found->count - 1];
	const uint8_t *table;
	phys_t facs = 0;

	if (!found->count || memcmp(fadt->name, "FACP", 4))
		return;
	table = firmware_view(fadt->phys, fadt->size);
	if (!table)
		return;
	if (fadt->size >= FADT_X_FACS + 8)
		facs = acpi_get64(table, FADT_X_FACS);
	if (!facs && fadt->size >= FADT_FACS + 4)
		facs = acpi_get32(table, FADT_FACS);
	firmware_view_end(table, fadt->size);
	add_table(found, acpi_info()->fadt.dsdt);
	add_table(found, facs);
}

static void add_tables(struct acpi_files *found, const uint8_t *root, size_t size, unsigned step)
{
	unsigned before;

	for (size_t at = ACPI_HEADER_SIZE; at + step <= size; at += step) {
		before = found->count;
		add_table(found, step == 8 ? acpi_get64(root, at) : acpi_get32(root, at));
		if (found->count > before)
			add_of_fadt(found);
	}
}

/* Of several tables of one kind each has a number. */
static void name_tables(struct acpi_files *found)
{
	unsigned same, number;

	for (unsigned i = 0; i < found->count; i++) {
		same = number = 0;
		for (unsigned k = 0; k < found->count; k++) {
			if (memcmp(found->files[k].name, found->files[i].name, 4))
				continue;
			same++;
			number += k <= i;
		}
		if (same > 1)
			format(found->files[i].name + 4, 4, "%u", number);
		found->attributes[i] = (struct sysfs_attribute){.name = found->files[i].name,
			.mode = SYSFS_BINARY | 0400,
			.argument = &found->files[i].binary};
	}
}

static int find_tables(struct sysfs_node *node) requires(sysfs_lock)
{
	struct acpi_files *found;
	const uint8_t *root;
	unsigned step;
	phys_t phys;
	size_t size;

	if (!acpi_root(&phys, &step) || !memory_map_is_kept(phys, ACPI_HEADER_SIZE))
		return 0;
	/* Tables that programs load: there are none. acpidump looks there. */
	if (!sysfs_grow(node, "dynamic", NULL, NULL, NULL))
		return -ENOMEM;
	found = kzalloc(sizeof(*found));
	root = found ? firmware_view(phys, ACPI_HEADER_SIZE) : NULL;
	size = root ? acpi_table_length(root) : 0;
	if (root)
		firmware_view_end(root, ACPI_HEADER_SIZE);
	root = size && memory_map_is_kept(phys, size) ? firmware_view(phys, size) : NULL;
	if (!root) {
		kfree(found);
		return -ENOMEM;
	}
	add_tables(found, root, size, step);
	firmware_view_end(root, size);
	name_tables(found);
	node->attributes = found->attributes;
	return 0;
}

static bool add_acpi(void)
{
	struct sysfs_node *acpi = sysfs_directory(&sysfs_firmware, "acpi");
	struct sysfs_node *tables = acpi ? sysfs_directory(acpi, "tables") : NULL;

	if (tables)
		tables->populate = find_tables;
	return tables;
}

/* ---- SMBIOS ---- */

static struct firmware_file smbios_entry = FIRMWARE_FILE, smbios_table = FIRMWARE_FILE;

const uint8_t *dmi_view(size_t *size)
{
	*size = smbios_table.size;
	return firmware_view(smbios_table.phys, smbios_table.size);
}

void dmi_view_end(const uint8_t *table)
{
	firmware_view_end(table, smbios_table.size);
}

/* False: there is no such thing, or it is not to be believed. */
static bool find_smbios(phys_t phys)
{
	const uint8_t *view;
	struct smbios_entry entry;
	bool good;

	if (!phys || !memory_map_is_kept(phys, SMBIOS_ENTRY_SIZE))
		return false;
	view = firmware_view(phys, SMBIOS_ENTRY_SIZE);
	good = view && smbios_parse_entry(view, SMBIOS_ENTRY_SIZE, &entry) &&
	       memory_map_is_kept(entry.table, entry.table_size);
	if (view)
		firmware_view_end(view, SMBIOS_ENTRY_SIZE);
	if (!good) {
		log_warn("SMBIOS: the entry point at %#lx cannot be used", phys);
		return false;
	}
	smbios_entry.phys = phys;
	smbios_entry.size = entry.size;
	smbios_table.phys = entry.table;
	smbios_table.size = entry.table_size;
	return true;
}

/* An entry point of version 3 says no more than how long the table is at most. */
static bool measure_smbios(void)
{
	size_t size;
	const uint8_t *table = dmi_view(&size);

	if (!table)
		return false;
	smbios_table.size = (uint32_t)smbios_table_size(table, size);
	firmware_view_end(table, size);
	return true;
}

static bool add_smbios(const struct handoff *handoff)
{
	static const struct sysfs_attribute attributes[] = {
		{"DMI", SYSFS_BINARY | 0400, .argument = &smbios_table.binary},
		{"smbios_entry_point", SYSFS_BINARY | 0400, .argument = &smbios_entry.binary},
		{NULL},
	};
	struct sysfs_node *dmi;

	if (!find_smbios(handoff->smbios3) && !find_smbios(handoff->smbios2))
		return true;
	dmi = measure_smbios() ? sysfs_directory(&sysfs_firmware, "dmi") : NULL;
	return dmi && sysfs_make(dmi, "tables", NULL, attributes, NULL) && dmi_add();
}

/* ---- What the loader and the run before left ---- */

#define BATON_FILES 3u

void sysfs_baton_add(const struct sysfs_attribute *attribute)
{
	static struct sysfs_attribute attributes[BATON_FILES + 1];
	struct sysfs_node *node = sysfs_directory(&sysfs_firmware, "baton");
	unsigned i = 0;

	while (attributes[i].name)
		i++;
	assert(i < BATON_FILES);
	attributes[i] = *attribute;
	if (node)
		node->attributes = attributes;
	else
		log_warn("no memory for /sys/firmware/baton/%s", attribute->name);
}

static struct firmware_file evidence = FIRMWARE_FILE;

static void add_evidence(const struct handoff *handoff)
{
	static const struct sysfs_attribute attribute = {
		"evidence", SYSFS_BINARY | 0400, .argument = &evidence.binary};

	evidence.phys = handoff->evidence.base;
	evidence.size = (uint32_t)handoff->evidence.size;
	if (evidence.size)
		sysfs_baton_add(&attribute);
}

static int show_counted(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "1\n");
}

/* Its being there is what it says. */
static void add_counted(const struct handoff *handoff)
{
	static const struct sysfs_attribute attribute = {
		"boot_counted", 0444, show_counted, NULL, NULL};

	if (handoff->flags & HANDOFF_COUNTED)
		sysfs_baton_add(&attribute);
}

void sysfs_firmware_init(const struct handoff *handoff)
{
	add_evidence(handoff);
	add_counted(handoff);
	if (!add_acpi() || !add_smbios(handoff) || !sysfs_efi_add(handoff))
		log_error("sysfs: no memory for all of the firmware");
}
