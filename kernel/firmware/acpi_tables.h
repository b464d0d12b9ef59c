/* SPDX-License-Identifier: MIT */
/* ACPI tables as bytes: pure parsers. They return true, or false with `message` saying what is wrong
 * where; `out` is then absent (all zero). `length` is the table's, its checksum already right. */
#ifndef FIRMWARE_ACPI_TABLES_H
#define FIRMWARE_ACPI_TABLES_H

#include "firmware/acpi.h"

#define ACPI_HEADER_SIZE 36u
#define ACPI_MESSAGE_MAX 120u
#define ACPI_TABLE_MAX   (16u * 1024u * 1024u)
#define ACPI_RSDP_SIZE   36u /* 20 for revision 0 */

struct acpi_rsdp {
	uint8_t revision;
	phys_t rsdt, xsdt; /* 0: absent */
};

bool acpi_checksum_good(const uint8_t *bytes, size_t length);

/* The first 20 bytes say how much there is: `length` is 20, or ACPI_RSDP_SIZE with revision 2. */
bool acpi_parse_rsdp(const uint8_t *bytes, size_t length, struct acpi_rsdp *out, char *message);
/* The length that a table's header says, 0 when it cannot be one. */
uint32_t acpi_table_length(const uint8_t header[ACPI_HEADER_SIZE]);

bool acpi_parse_madt(const uint8_t *table, size_t length, struct acpi_madt *out, char *message);
bool acpi_parse_fadt(const uint8_t *table, size_t length, struct acpi_fadt *out, char *message);
bool acpi_parse_hpet(const uint8_t *table, size_t length, struct acpi_hpet *out, char *message);
/* Looks for Name (\_S5, Package () {a, b ...}) in a DSDT or SSDT; false: it is not there. */
bool acpi_find_s5(const uint8_t *table, size_t length, struct acpi_sleep *out);

uint32_t acpi_get32(const uint8_t *bytes, size_t offset);
uint64_t acpi_get64(const uint8_t *bytes, size_t offset);

#endif
