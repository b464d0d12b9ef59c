/* SPDX-License-Identifier: MIT */
/* ACPI's tables in the evidence. */
#ifndef REPORT_ACPI_H
#define REPORT_ACPI_H

#include "bytes.h"

#define ACPI_HEADER 36u /* bytes before a table's own fields, ACPI 6.5 5.2.6 */

/* The table of this name (the n-th of them), or an empty span; *address, where not NULL: where it lay. */
struct span acpi_find(const struct evidence *e, const char *name, unsigned n, uint64_t *address);

/* MADT's structures: calls with each one's bytes, its two-byte header included; false: a length is wrong. */
bool acpi_madt(struct span madt, void (*each)(void *context, struct span entry), void *context);

/* Where MADT, HPET and MCFG say that devices are. */
void acpi_devices(const struct evidence *e,
	void (*each)(void *context, const char *name, uint64_t base, uint64_t size), void *context);

#define MCFG_ENTRIES 44u /* offset of the first; 16 bytes each */

#endif
