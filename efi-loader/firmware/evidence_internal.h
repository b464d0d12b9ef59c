/* SPDX-License-Identifier: MIT */
/* What the files evidence*.c share. */
#ifndef LOADER_EVIDENCE_INTERNAL_H
#define LOADER_EVIDENCE_INTERNAL_H

#include "evidence.h"

#include "../pure/evidence_parse.h"
#include "../pure/evidence_walk.h"

#include <baton/evidence.h>

#define COLLECTOR_TABLES 256u
#define COLLECTOR_EXITS  16u

/* One: there is one firmware. */
struct collector {
	bool active;
	struct handoff_range block;
	struct evidence_writer writer;
	struct evidence_walk walk; /* its runs lie in the block */
	struct evidence_memory memory;
	uint8_t *scratch; /* in the block; each function's while it runs */
	size_t scratch_size;
	struct evidence_range acpi[COLLECTOR_TABLES];
	size_t acpi_count;
	uint64_t boot_record, tsc_hz, claim;
	struct evidence_time times[2];
	struct evidence_watchdog watchdog;
	struct evidence_exit_call exits[COLLECTOR_EXITS];
	unsigned int exit_count;
	uint64_t exit_stamps[2];
	bool stale_tried;
};

extern struct collector collector;

static inline void collect(enum evidence_kind kind, enum evidence_phase phase, uint32_t index,
	const void *head, size_t head_size, const void *tail, size_t tail_size)
{
	evidence_add(&collector.writer, kind, phase, index, head, head_size, tail, tail_size);
}

static inline bool readable(uint64_t address, uint64_t size)
{
	return address && evidence_is_mapped(&collector.walk, address, size);
}

/* Memory of the firmware's, with where it lies; nothing where it cannot be read. */
static inline void collect_blob(enum evidence_kind kind, enum evidence_phase phase, uint32_t index,
	uint64_t address, uint64_t size)
{
	struct evidence_blob head = {address};

	if (readable(address, size))
		collect(kind, phase, index, &head, sizeof(head), (const void *)address, size);
}

/* A configuration table's address; 0: there is none. */
uint64_t evidence_table(struct loader *l, const EFI_GUID *guid);
/* The system, boot and runtime services tables; the configuration table. */
void evidence_collect_table(
	enum evidence_phase phase, enum evidence_table which, const EFI_TABLE_HEADER *table);
void evidence_collect_configuration(struct loader *l, enum evidence_phase phase);
void evidence_collect_attributes(struct loader *l, enum evidence_phase phase);
/* GetTime's answer. */
void evidence_get_time(struct loader *l, struct evidence_time *out);

/* evidence_clocks.c: the TSC's rate, and the devices that ACPI's tables speak of, asked. */
void evidence_clocks(void);
/* evidence_tpm.c */
void evidence_tpm(struct loader *l);
/* evidence_fill.c: only with firmware=report,dangerous. */
void evidence_fill_store(struct loader *l);
/* evidence_file.c: what was collected, as a file of the volume that the loader came from. */
bool evidence_write_file(struct loader *l); /* false: the volume did not take it */
/* evidence_previous.c: what is known of the boot before; what this one leaves to the next, and that it does not. */
void evidence_previous(struct loader *l);
void evidence_remember(struct loader *l);
void evidence_forget(struct loader *l);

/* PCI's configuration by ports CF8 and CFC; `register_offset` a multiple of 4. */
uint32_t evidence_pci_read(uint32_t function, uint32_t register_offset);
void evidence_pci_write(uint32_t function, uint32_t register_offset, uint32_t value);

#endif
