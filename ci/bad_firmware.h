/* SPDX-License-Identifier: MIT */
/*
 * What bad-firmware.efi does to the firmware before it starts the loader: each fault with the checks that it changes and
 * the verdicts of those, declared beforehand. ci/firmware.py reads the list here and demands them, and no other change.
 * The first number is the boot that it is done in: what would hide another fault has a boot of its own.
 */
#ifndef CI_BAD_FIRMWARE_H
#define CI_BAD_FIRMWARE_H

#include "firmware/efi.h"

#define BAD_FIRMWARE_FAULTS(F)                                                        \
	/* The CPU at entry: bad_entry.S, bad_tables.c. */                            \
	F(1, entry_flags, "entry.flags FAIL")                                         \
	F(1, entry_fpu, "entry.fpu FAIL")                                             \
	F(1, entry_selectors, "entry.selectors FAIL")                                 \
	F(1, entry_mapping, "entry.identity-map FAIL")                                \
	/* Tables: bad_tables.c. */                                                   \
	F(1, headers, "tables.headers FAIL")                                          \
	F(1, runtime_pointer, "tables.runtime-pointers FAIL")                         \
	F(1, configuration_twice, "tables.configuration-unique FAIL")                 \
	F(1, configuration_moves, "exit.configuration WARN")                          \
	F(1, acpi_memory, "tables.acpi-memory FAIL")                                  \
	F(1, acpi_checksum, "acpi.tables FAIL")                                       \
	F(1, fadt, "acpi.fadt FAIL")                                                  \
	F(1, madt, "acpi.madt FAIL")                                                  \
	F(1, mcfg, "acpi.mcfg FAIL")                                                  \
	F(1, smbios, "smbios.structures FAIL")                                        \
	F(1, esrt, "esrt.entries FAIL")                                               \
	F(1, rt_properties, "services.rt-properties FAIL")                            \
	/* Boot services: bad_calls.c. */                                             \
	F(1, map_descriptor, "map.descriptor FAIL")                                   \
	F(1, map_overlap, "map.no-overlap FAIL")                                      \
	F(1, map_type, "map.types FAIL")                                              \
	F(1, map_runtime, "map.runtime-attribute FAIL")                               \
	F(1, map_cacheability, "map.cacheability WARN")                               \
	F(1, map_low_memory, "map.low-memory WARN")                                   \
	F(1, exit_stale_key, "exit.stale-key FAIL")                                   \
	F(1, exit_attempts, "exit.attempts WARN")                                     \
	F(1, exit_system_table, "exit.system-table WARN")                             \
	F(1, watchdog, "exit.watchdog FAIL")                                          \
	F(1, boot_order, "variables.boot-order WARN")                                 \
	F(1, setup_mode, "variables.secure-boot FAIL, tables.runtime-pointers FAIL")  \
	F(1, framebuffer, "graphics.gop FAIL")                                        \
	/* The memory attributes table: bad_tables.c. */                              \
	F(1, attributes_sorted, "attributes.sorted FAIL")                             \
	F(1, attributes_cover, "attributes.cover FAIL")                               \
	F(1, attributes_permissions, "attributes.permissions WARN")                   \
	F(2, attributes_inside, "attributes.inside FAIL")                             \
	F(2, attributes_images, "attributes.images FAIL, isolation.permissions FAIL") \
	/* System Management Mode, a service: bad_memory.c. */                        \
	F(3, smm_free, "exit.canaries FAIL")                                          \
	F(3, smm_page_0, "map.page-0 WARN")                                           \
	F(3, reset, "services.reset FAIL")                                            \
	F(4, virtual_map, "services.virtual-map FAIL, isolation.stale-pointers SKIP") \
	F(4, smm_freed, "exit.canaries FAIL")                                         \
	F(5, event_log, "tcg.event-log FAIL")                                         \
	F(0, smm_hang, "") /* no report comes: firmware-report_hang */                \
	/* Devices that are none, times that are not so: bad_tables.c. */             \
	F(3, hpet, "map.devices-not-free FAIL, acpi.hpet-spcr WARN")                  \
	F(3, fpdt, "acpi.fpdt WARN")                                                  \
	F(4, spcr, "acpi.hpet-spcr WARN")

#define FAULT_NUMBER(boot, name, verdicts) FAULT_##name,
enum fault { BAD_FIRMWARE_FAULTS(FAULT_NUMBER) FAULTS };

extern EFI_SYSTEM_TABLE *bad_system;

/* Whether it is to be done in this boot. */
bool chosen(enum fault fault);
/* Makes a table's CRC32 right. */
void seal_header(EFI_TABLE_HEADER *header);

/* Each does those of its file that were chosen; `at_exit` in ExitBootServices. */
void spoil_tables(void);
void spoil_tables_at_exit(void);
void spoil_attributes(void);
void spoil_memory(void);
void spoil_memory_at_exit(void);
void spoil_calls(void);
void spoil_calls_at_exit(void);

#endif
