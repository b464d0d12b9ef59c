/* SPDX-License-Identifier: MIT */
/*
 * Where the firmware's tables lie and how long they are, for the evidence. Nothing is judged: of what contradicts itself
 * as much is found as can be read. Every address is asked for before it is looked at, since any may be wrong.
 */
#ifndef LOADER_EVIDENCE_PARSE_H
#define LOADER_EVIDENCE_PARSE_H

#include <baton/evidence_shapes.h>

/* Who knows which addresses can be read; memory is looked at by its address. */
struct evidence_memory {
	bool (*readable)(const void *context, uint64_t address, uint64_t size);
	const void *context;
};

struct evidence_range {
	uint64_t address, size;
};

#define EVIDENCE_TABLE_MAX (UINT64_C(16) << 20) /* bytes of a table: longer is damaged */

/* ---- ACPI 6.5 ---- */

/* 5.2.5.3: 0 where not even 20 bytes can be read. */
uint64_t evidence_rsdp_size(const struct evidence_memory *m, uint64_t rsdp);
/* XSDT, RSDT, what they list, and what FADT points to: each once, `most` at most. Of one whose length cannot be, the
 * header. Returns how many. */
size_t evidence_acpi_tables(
	const struct evidence_memory *m, uint64_t rsdp, struct evidence_range *out, size_t most);
/* The first of these with this signature; NULL: there is none, or it has no `least` bytes. */
const uint8_t *evidence_acpi_find(
	const struct evidence_range *tables, size_t count, const char *signature, uint64_t least);
/* 5.2.24.3: where FPDT says that the boot performance table is; 0: nowhere. */
uint64_t evidence_boot_record(const uint8_t *fpdt, uint64_t size);
/* Of a table with signature and length at its start; 0: it has none that can be read. */
uint64_t evidence_table_size(const struct evidence_memory *m, uint64_t address);

/* ---- SMBIOS, DSP0134 5.2 and 6.1 ---- */

/* The entry point, and the structures up to that of type 127; size 0: it cannot be read. */
void evidence_smbios(const struct evidence_memory *m, unsigned int version, uint64_t address,
	struct evidence_range *anchor, struct evidence_range *structures);

/* ---- PE, as UEFI 2.10 2.1.1 has it ---- */

/* Bytes of an image's headers for the evidence: 4096 or more, or the image's. */
uint64_t evidence_image_headers(const uint8_t *image, uint64_t size);
/* The file name that its debug entry has, without folders and ending; empty: none. */
void evidence_image_name(const uint8_t *image, uint64_t size, char name[64]);

/* ---- Device paths, UEFI 2.10 10.2 ---- */

/* Bytes with the end node; 0: there is no end within `most`. */
size_t evidence_path_size(const uint8_t *path, size_t most);
/* The GUID of its last node but the end, when that is a file of a firmware volume (10.3.5.6); NULL. */
const uint8_t *evidence_path_file(const uint8_t *path, size_t size);

/* ---- Firmware volumes, PI 1.7 volume 3, 3.2 ---- */

/* Where a volume has the file with this GUID (its header), from its beginning; 0: it has none, or is no volume. */
uint64_t evidence_volume_file(const uint8_t *volume, uint64_t size, const uint8_t *file);

/* ---- TCG ---- */

/* Bytes of a log whose last event begins at `last`, by the event's own sizes; `crypto_agile`: events with a digest for
 * each bank. 0: it cannot be read. TCG PC Client Platform Firmware Profile 1.05, 10.2. */
uint64_t evidence_log_size(
	const struct evidence_memory *m, uint64_t log, uint64_t last, bool crypto_agile);
/* Bytes of EFI_TCG2_FINAL_EVENTS_TABLE at `table`, with the banks of `log`; 0. TCG EFI Protocol 1.00, 7. */
uint64_t evidence_final_size(const struct evidence_memory *m, uint64_t table, uint64_t log);

#define EVIDENCE_PCR_COMMAND 20u
/* TPM2_PCR_Read of `count` PCRs from `first` on (within the same 8), TPM 2.0 part 3, 22.4. */
void evidence_pcr_command(
	uint8_t command[EVIDENCE_PCR_COMMAND], uint16_t algorithm, unsigned int first);
/* Its answer's digests, 8 at most; returns how many. */
size_t evidence_pcr_answer(const uint8_t *answer, size_t size, uint16_t algorithm,
	unsigned int first, struct evidence_pcr out[8]);

/* ---- PCI ---- */

/* A memory BAR by what it held and what it holds after ones were written: PCI 3.0 6.2.5.1. The upper halves are 0 where
 * it has none. Size 0: none, or ports. */
struct evidence_range evidence_bar(uint64_t held, uint64_t ones);

#endif
