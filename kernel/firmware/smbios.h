/* SPDX-License-Identifier: MIT */
/* The firmware's SMBIOS tables as bytes (DMTF DSP0134): pure parsers of what may be broken. See smbios.c. */
#ifndef FIRMWARE_SMBIOS_H
#define FIRMWARE_SMBIOS_H

#include "lib/types.h"

#define SMBIOS_ENTRY_SIZE 32u             /* at most, of an entry point that is known here */
#define SMBIOS_TABLE_MAX  (1024u * 1024u) /* more than that nobody believes */

struct smbios_entry {
	uint32_t size; /* of the entry point */
	phys_t table;
	uint32_t table_size; /* at most */
};

/* An entry point, "_SM_" (5.2.1) or "_SM3_" (5.2.2), of which `size` bytes may be looked at. */
bool smbios_parse_entry(const uint8_t *bytes, size_t size, struct smbios_entry *out);

/* A structure: `size` bytes of fields, then its strings, up to `end`. */
struct smbios_structure {
	const uint8_t *fields;
	uint8_t type, size;
	const uint8_t *end;
};

/* The structure at *at, which moves behind it; false: there is no (whole) one. */
bool smbios_next(const uint8_t *table, size_t size, size_t *at, struct smbios_structure *out);
/* The first structure of a type. */
bool smbios_find(const uint8_t *table, size_t size, uint8_t type, struct smbios_structure *out);
/* What the table really is: up to the end of the structure 127, if there is one. */
size_t smbios_table_size(const uint8_t *table, size_t size);
/* The string that the byte at `field` names: "" where there is none, or only blanks. NULL: the structure is too
 * short for the field. */
const char *smbios_string(const struct smbios_structure *structure, unsigned field);

#endif
