/* SPDX-License-Identifier: MIT */
/* A firmware that is made up and well: what the rules' tests spoil, one fault at a time. */
#ifndef REPORT_SAMPLE_H
#define REPORT_SAMPLE_H

#include "bytes.h"
#include "report.h"
#include "uefi_tables.h"

#define SAMPLE_BYTES (256u << 10)
#define BLOB_MAX     1024u

struct blob {
	uint64_t address;
	size_t size; /* 0: not there */
	uint8_t data[BLOB_MAX];
};

struct sample_descriptor {
	uint32_t type, pad;
	uint64_t base, virt, pages, attributes, more;
};

struct sample_map {
	struct evidence_memory_map head;
	struct sample_descriptor at[24];
	unsigned count, more; /* bytes of one more */
};

struct sample_call {
	enum evidence_phase phase;
	struct evidence_call call;
};

struct sample_variable {
	enum evidence_phase phase;
	struct evidence_variable head;
	char name[24]; /* written as UCS-2 */
	uint8_t data[160];
	size_t size;
};

/* The tables' order in `acpi`. */
enum { XSDT, FACP, MADT, HPET, MCFG, SPCR, FPDT, DSDT, FACS, ACPI_TABLES };
/* The entries' order in `map` that faults speak of. */
enum {
	MAP_PAGE0,
	MAP_LOW,
	MAP_FREE,
	MAP_LOADER,
	MAP_BOOT,
	MAP_BOOT_CODE,
	MAP_RECLAIM,
	MAP_NVS,
	MAP_RUNTIME_CODE,
	MAP_RUNTIME_DATA,
	MAP_BOOT_2,
	MAP_ECAM,
	MAP_ENTRIES
};

struct sample {
	uint64_t without; /* kinds, as bits, that are not written */
	struct evidence_machine machine;
	struct evidence_cpu cpu;
	struct evidence_msr msrs[4];
	struct evidence_mapping mappings[12];
	unsigned mapping_count;
	struct sample_map map, map_before, previous; /* at entry, before exit, of the last boot */
	struct evidence_map_call map_calls[2];
	struct blob tables[3], system_after, runtime_after, runtime_virtual;
	struct evidence_configuration configuration[6], configuration_after[6];
	uint64_t configuration_address;
	unsigned configuration_count, configuration_after_count;
	struct blob rsdp, acpi[ACPI_TABLES], attributes, attributes_before, rt_properties, esrt,
		boot_record, anchor, smbios, log, final, edid, headers /* of the image */;
	struct evidence_event_log log_head;
	struct evidence_pcr pcrs[8];
	struct evidence_stamp stamps[3];
	struct evidence_graphics graphics;
	struct evidence_mode modes[2];
	struct evidence_pci pci[3];
	struct evidence_exit_call exits[4];
	unsigned exit_count;
	struct evidence_image image;
	struct evidence_self self;
	uint8_t path[64]; /* the device path that we were loaded from */
	size_t path_size;
	struct sample_call calls[160];
	unsigned call_count;
	struct evidence_trap traps[2];
	struct evidence_violation violation; /* what 0: none */
	enum evidence_phase violation_phase;
	struct evidence_canary canaries[3];
	struct sample_variable variables[20];
	unsigned variable_count;
	struct evidence_enumeration enumeration;
	struct evidence_store_info store[2];
	struct evidence_time times[2];
	struct evidence_count counts[3]; /* before exit, after it, of the last boot */
	struct evidence_probe probes[4];
	struct evidence_processor processors[2];
	struct evidence_store_fill fill; /* writes 0: nobody asked for it */
	struct evidence_reset resets[3];
	struct evidence_watchdog watchdog;
};

void sample_good(struct sample *s);
void sample_good_devices(struct sample *s);  /* ACPI, SMBIOS, event log, graphics */
void sample_good_services(struct sample *s); /* calls and variables */
/* Evidence in `buffer` of SAMPLE_BYTES, aligned to 8; its size. */
size_t sample_write(const struct sample *s, void *buffer);

/* A blob's fields, little-endian. */
void put(struct blob *blob, size_t at, unsigned bytes, uint64_t value);
void put_text(struct blob *blob, size_t at, const char *text);
void seal_table(struct blob *blob);                       /* a UEFI table's CRC32 */
void seal_sum(struct blob *blob, size_t at, size_t size); /* a checksum to 0 */
struct sample_call *sample_call(
	struct sample *s, enum evidence_case test, enum evidence_phase phase);
struct sample_variable *sample_variable(
	struct sample *s, const char *name, enum evidence_phase phase);

/* One fault, and beforehand what it changes: exactly these checks, to these verdicts. */
struct fault {
	const char *name;
	void (*commit)(struct sample *s);
	struct {
		const char *id;
		enum verdict verdict;
	} changes[8];
};

struct fault_list {
	const struct fault *faults;
	unsigned count;
};

extern const struct fault_list faults_entry, faults_tables, faults_map, faults_exit,
	faults_attributes, faults_isolation, faults_variables, faults_services, faults_acpi,
	faults_devices;

#endif
