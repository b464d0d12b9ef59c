/* SPDX-License-Identifier: MIT */
/*
 * SMBIOS: an entry point says where the table is, and that is a row of structures, each with fields, by the
 * length that its second byte says, and then strings, NUL-terminated, up to an empty one. Firmware writes all of
 * that, so nothing is believed: whatever would lead out of the table ends it. Pure.
 */
#include "firmware/smbios.h"

#include "firmware/acpi_tables.h"
#include "lib/string.h"

enum { ENTRY_2 = 31, ENTRY_2_LEAST = 30, ENTRY_3 = 24 };
enum { HEADER = 4, END_OF_TABLE = 127 };

bool smbios_parse_entry(const uint8_t *bytes, size_t size, struct smbios_entry *out)
{
	memset(out, 0, sizeof(*out));
	if (size >= ENTRY_3 && !memcmp(bytes, "_SM3_", 5)) {
		out->size = bytes[6];
		if (out->size < ENTRY_3)
			return false;
		out->table_size = acpi_get32(bytes, 12);
		out->table = acpi_get64(bytes, 16);
	} else if (size >= ENTRY_2 && !memcmp(bytes, "_SM_", 4)) {
		/* Version 2.1 of the specification says 30, and means 31. */
		out->size = bytes[5] == ENTRY_2_LEAST ? ENTRY_2 : bytes[5];
		if (out->size < ENTRY_2 || memcmp(bytes + 16, "_DMI_", 5))
			return false;
		out->table_size = acpi_get32(bytes, 22) & 0xffff;
		out->table = acpi_get32(bytes, 24);
	}
	return out->size && out->size <= size && acpi_checksum_good(bytes, out->size) &&
	       out->table && out->table_size && out->table_size <= SMBIOS_TABLE_MAX;
}

bool smbios_next(const uint8_t *table, size_t size, size_t *at, struct smbios_structure *out)
{
	const uint8_t *start, *strings, *limit = table + size;

	if (*at > size || size - *at < HEADER)
		return false;
	start = table + *at;
	if (start[1] < HEADER || start[1] > size - *at)
		return false;
	for (strings = start + start[1]; limit - strings >= 2; strings++) {
		if (strings[0] || strings[1])
			continue;
		*out = (struct smbios_structure){start, start[0], start[1], strings + 2};
		*at = (size_t)(strings + 2 - table);
		return true;
	}
	return false;
}

bool smbios_find(const uint8_t *table, size_t size, uint8_t type, struct smbios_structure *out)
{
	size_t at = 0;

	while (smbios_next(table, size, &at, out)) {
		if (out->type == type)
			return true;
		if (out->type == END_OF_TABLE)
			break;
	}
	return false;
}

size_t smbios_table_size(const uint8_t *table, size_t size)
{
	struct smbios_structure end;

	return smbios_find(table, size, END_OF_TABLE, &end) ? (size_t)(end.end - table) : size;
}

const char *smbios_string(const struct smbios_structure *structure, unsigned field)
{
	const char *string = (const char *)structure->fields + structure->size, *blank;
	unsigned number;

	if (field >= structure->size)
		return NULL;
	for (number = structure->fields[field]; number > 1 && *string; number--)
		string += strlen(string) + 1;
	if (!number)
		return "";
	for (blank = string; *blank == ' ';)
		blank++;
	return *blank ? string : "";
}
