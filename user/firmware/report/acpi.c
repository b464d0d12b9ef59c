/* SPDX-License-Identifier: MIT */
#include "acpi.h"

struct span acpi_find(const struct evidence *e, const char *name, unsigned n, uint64_t *address)
{
	const struct evidence_record *record = NULL;

	while ((record = evidence_of(e, EVIDENCE_ACPI, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_blob *head = evidence_head(record);

		if (!span_starts(span_of(record), name) || n--)
			continue;
		if (address)
			*address = head->address;
		return span_of(record);
	}
	return (struct span){NULL, 0};
}

bool acpi_madt(struct span madt, void (*each)(void *context, struct span entry), void *context)
{
	size_t at = ACPI_HEADER + 8, length;

	for (; at < madt.size; at += length) {
		length = le8(madt, at + 1);
		if (length < 2 || length > madt.size - at)
			return false;
		each(context, span_part(madt, at, length));
	}
	return true;
}

struct device_visit {
	void (*each)(void *context, const char *name, uint64_t base, uint64_t size);
	void *context;
};

static void madt_device(void *context, struct span entry)
{
	struct device_visit *visit = context;

	if (le8(entry, 0) == 1) /* I/O APIC, ACPI 6.5 5.2.12.3 */
		visit->each(visit->context, "an I/O APIC", le32(entry, 4), MEMORY_PAGE);
	if (le8(entry, 0) == 5) /* local APIC address override, 5.2.12.8 */
		visit->each(visit->context, "the local APIC", le64(entry, 4), MEMORY_PAGE);
}

void acpi_devices(const struct evidence *e,
	void (*each)(void *context, const char *name, uint64_t base, uint64_t size), void *context)
{
	struct device_visit visit = {each, context};
	struct span madt = acpi_find(e, "APIC", 0, NULL), hpet = acpi_find(e, "HPET", 0, NULL),
		    mcfg = acpi_find(e, "MCFG", 0, NULL);

	if (madt.size >= ACPI_HEADER + 8) {
		each(context, "the local APIC", le32(madt, ACPI_HEADER), MEMORY_PAGE);
		acpi_madt(madt, madt_device, &visit);
	}
	if (hpet.size >= 56)
		each(context, "the HPET", le64(hpet, 44), 1024);
	for (size_t at = MCFG_ENTRIES; at + 16 <= mcfg.size; at += 16) {
		uint64_t base = le64(mcfg, at);
		unsigned first = le8(mcfg, at + 10), last = le8(mcfg, at + 11);

		if (last >= first)
			each(context, "ECAM", base + ((uint64_t)first << 20),
				((uint64_t)last - first + 1) << 20);
	}
}
