/* SPDX-License-Identifier: MIT */
/*
 * class/dmi/id: what SMBIOS says of the firmware, the machine, its board and its case, a text each, by Linux's
 * names, and all together as a modalias. A text is there if the firmware's structure has its field. The serial
 * numbers are root's to read.
 */
#include "files/sysfs_dmi.h"

#include "files/abi.h"
#include "files/sysfs.h"
#include "firmware/smbios.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"

enum dmi_kind { STRING, RELEASE, UUID, CHASSIS };
enum { OF_BIOS, OF_SYSTEM, OF_BOARD, OF_CHASSIS }; /* types of structures, DSP0134 7.1 to 7.4 */

struct dmi_field {
	char name[19], prefix[4]; /* prefix: in the modalias; "": it is not in it */
	uint8_t type, offset, kind;
	bool secret;
};

/* In the order of the modalias. */
static const struct dmi_field fields[] = {
	{"bios_vendor", "bvn", OF_BIOS, 4, STRING, false},
	{"bios_version", "bvr", OF_BIOS, 5, STRING, false},
	{"bios_date", "bd", OF_BIOS, 8, STRING, false},
	{"bios_release", "br", OF_BIOS, 20, RELEASE, false},
	{"ec_firmware_release", "efr", OF_BIOS, 22, RELEASE, false},
	{"sys_vendor", "svn", OF_SYSTEM, 4, STRING, false},
	{"product_name", "pn", OF_SYSTEM, 5, STRING, false},
	{"product_version", "pvr", OF_SYSTEM, 6, STRING, false},
	{"product_serial", "", OF_SYSTEM, 7, STRING, true},
	{"product_uuid", "", OF_SYSTEM, 8, UUID, true},
	{"product_family", "", OF_SYSTEM, 26, STRING, false},
	{"board_vendor", "rvn", OF_BOARD, 4, STRING, false},
	{"board_name", "rn", OF_BOARD, 5, STRING, false},
	{"board_version", "rvr", OF_BOARD, 6, STRING, false},
	{"board_serial", "", OF_BOARD, 7, STRING, true},
	{"board_asset_tag", "", OF_BOARD, 8, STRING, false},
	{"chassis_vendor", "cvn", OF_CHASSIS, 4, STRING, false},
	{"chassis_type", "ct", OF_CHASSIS, 5, CHASSIS, false},
	{"chassis_version", "cvr", OF_CHASSIS, 6, STRING, false},
	{"chassis_serial", "", OF_CHASSIS, 7, STRING, true},
	{"chassis_asset_tag", "", OF_CHASSIS, 8, STRING, false},
	{"product_sku", "sku", OF_SYSTEM, 25, STRING, false},
};

/* ---- One text ---- */

/* The first three parts are little endian numbers, since SMBIOS 2.6 (7.2.1). -ENOENT: it is not set. */
static int show_uuid(const uint8_t *b, char *out, size_t size)
{
	uint8_t all = b[0], any = b[0];

	for (unsigned i = 1; i < 16; i++) {
		all &= b[i];
		any |= b[i];
	}
	if (!any || all == 0xff)
		return -ENOENT;
	return format(out, size,
		"%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[3], b[2],
		b[1], b[0], b[5], b[4], b[7], b[6], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
		b[15]);
}

/* A field's text, its length; -ENOENT: the machine has none. */
static int show_in(
	const uint8_t *table, size_t size, const struct dmi_field *field, char *out, size_t room)
{
	static const uint8_t sizes[] = {[STRING] = 1, [RELEASE] = 2, [UUID] = 16, [CHASSIS] = 1};
	struct smbios_structure found;
	const uint8_t *value;

	if (!smbios_find(table, size, field->type, &found) ||
		field->offset + sizes[field->kind] > found.size)
		return -ENOENT;
	value = found.fields + field->offset;
	if (field->kind == RELEASE)
		return value[0] == 0xff && value[1] == 0xff
			       ? -ENOENT
			       : format(out, room, "%u.%u", value[0], value[1]);
	if (field->kind == UUID)
		return show_uuid(value, out, room);
	if (field->kind == CHASSIS)
		return format(out, room, "%u", value[0] & 0x7f);
	return format(out, room, "%s", smbios_string(&found, field->offset));
}

static int show_field(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	size_t table_size;
	const uint8_t *table = dmi_view(&table_size);
	int length;

	if (!table)
		return -ENOMEM;
	length = show_in(table, table_size, attribute->argument, out, size);
	dmi_view_end(table);
	if (length >= 0 && (size_t)length < size)
		length += format(out + length, size - (size_t)length, "\n");
	return length;
}

/* ---- All of them ---- */

/* The bytes of a name that a pattern can have. */
static int filtered(char *text)
{
	char *to = text;

	for (const char *from = text; *from; from++)
		if (*from > ' ' && *from < 127 && *from != ':')
			*to++ = *from;
	*to = '\0';
	return (int)(to - text);
}

static int show_alias(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	size_t table_size;
	const uint8_t *table = dmi_view(&table_size);
	int used, length, prefix;

	if (!table)
		return -ENOMEM;
	used = format(out, size, "%sdmi:", (const char *)attribute->argument);
	for (unsigned i = 0; i < ARRAY_SIZE(fields) && (size_t)used + 8 < size; i++) {
		if (!fields[i].prefix[0])
			continue;
		prefix = format(out + used, size - (size_t)used, "%s", fields[i].prefix);
		length = show_in(table, table_size, &fields[i], out + used + prefix,
			size - (size_t)(used + prefix));
		if (length < 0)
			continue;
		used += prefix + filtered(out + used + prefix);
		used += format(out + used, size - (size_t)used, ":");
	}
	dmi_view_end(table);
	return used + format(out + used, size - (size_t)used, "\n");
}

static int show_class(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	return format(out, size, "../../../../class/dmi");
}

/* ---- The directory ---- */

static const struct sysfs_attribute always[] = {
	{"modalias", 0444, .show = show_alias, .argument = ""},
	{"subsystem", S_IFLNK | 0777, .show = show_class},
	{"uevent", 0444, .show = show_alias, .argument = "MODALIAS="},
};

/* The texts that this machine has. */
static int find_fields(struct sysfs_node *node)
{
	struct sysfs_attribute *all =
		kzalloc((ARRAY_SIZE(fields) + ARRAY_SIZE(always) + 1) * sizeof(*all));
	size_t count = ARRAY_SIZE(always), size;
	const uint8_t *table = all ? dmi_view(&size) : NULL;
	char text[64];

	if (!table) {
		kfree(all);
		return -ENOMEM;
	}
	memcpy(all, always, sizeof(always));
	for (unsigned i = 0; i < ARRAY_SIZE(fields); i++) {
		if (show_in(table, size, &fields[i], text, sizeof(text)) < 0)
			continue;
		all[count++] = (struct sysfs_attribute){.name = fields[i].name,
			.mode = fields[i].secret ? 0400 : 0444,
			.show = show_field,
			.argument = &fields[i]};
	}
	dmi_view_end(table);
	node->attributes = all;
	return 0;
}

bool dmi_add(void)
{
	struct sysfs_node *virtual = sysfs_directory(&sysfs_devices, "virtual");
	struct sysfs_node *devices = virtual ? sysfs_directory(virtual, "dmi") : NULL;
	struct sysfs_node *class = sysfs_directory(&sysfs_class, "dmi");
	struct sysfs_node *id = devices ? sysfs_make(devices, "id", NULL, NULL, NULL) : NULL;

	if (id)
		id->populate = find_fields;
	return id && class && sysfs_make(class, "id", "../../devices/virtual/dmi/id", NULL, NULL);
}
