/* SPDX-License-Identifier: MIT */
/*
 * The shapes of evidence.h's records. Addresses are physical unless it says otherwise, sizes are bytes, times are
 * ticks of the TSC, `status` is an EFI_STATUS as it came, GUIDs are 16 bytes as they lie in memory.
 */
#ifndef BATON_EVIDENCE_SHAPES_H
#define BATON_EVIDENCE_SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* When it was seen. */
enum evidence_phase {
	EVIDENCE_ANY_PHASE,     /* of records that belong to no phase, and in searches */
	EVIDENCE_ENTRY,         /* at the loader's entry */
	EVIDENCE_BEFORE_EXIT,   /* the last look before ExitBootServices */
	EVIDENCE_PHYSICAL,      /* after it, the firmware called with physical addresses */
	EVIDENCE_VIRTUAL,       /* after SetVirtualAddressMap */
	EVIDENCE_PREVIOUS_BOOT, /* kept from the boot before this one */
	EVIDENCE_PHASES,
};

/* X(NAME, number, label, bytes of the structure, bytes of each element that follows, what it is) */
#define EVIDENCE_KINDS(X)                                                                          \
	X(MACHINE, 1, "machine", sizeof(struct evidence_machine), 1,                               \
		"clock and revisions; the firmware vendor's name in UTF-8 follows")                \
	X(CPU, 2, "cpu", sizeof(struct evidence_cpu), 0,                                           \
		"registers at the loader's first instruction")                                     \
	X(MSRS, 3, "msrs", 0, sizeof(struct evidence_msr), "model-specific registers, XCR0 as ~0") \
	X(MAPPINGS, 4, "mappings", 0, sizeof(struct evidence_mapping),                             \
		"the firmware's page tables, walked and merged to runs, by virtual address")       \
	X(MEMORY_MAP, 5, "memory map", sizeof(struct evidence_memory_map), 1,                      \
		"GetMemoryMap's answer; the descriptors follow as they came")                      \
	X(MAP_CALLS, 6, "map calls", 0, sizeof(struct evidence_map_call),                          \
		"GetMemoryMap with buffers of several sizes")                                      \
	X(TABLE, 7, "UEFI table", sizeof(struct evidence_blob), 1,                                 \
		"system (index 0), boot (1) or runtime services table (2)")                        \
	X(CONFIGURATION, 8, "configuration table", sizeof(struct evidence_blob),                   \
		sizeof(struct evidence_configuration), "its entries")                              \
	X(RSDP, 9, "RSDP", sizeof(struct evidence_blob), 1, "ACPI's root pointer")                 \
	X(ACPI, 10, "ACPI table", sizeof(struct evidence_blob), 1,                                 \
		"each table, FACS and DSDT too")                                                   \
	X(SMBIOS_ANCHOR, 11, "SMBIOS anchor", sizeof(struct evidence_blob), 1, "index 2 or 3")     \
	X(SMBIOS, 12, "SMBIOS structures", sizeof(struct evidence_blob), 1, "index 2 or 3")        \
	X(EVENT_LOG, 13, "TCG event log", sizeof(struct evidence_event_log), 1,                    \
		"as it came the first time")                                                       \
	X(PCRS, 14, "PCRs", 0, sizeof(struct evidence_pcr), "read from the TPM after the log")     \
	X(ATTRIBUTES, 15, "memory attributes table", sizeof(struct evidence_blob), 1,              \
		"as it came")                                                                      \
	X(RT_PROPERTIES, 16, "RT properties table", sizeof(struct evidence_blob), 1, "as it came") \
	X(ESRT, 17, "ESRT", sizeof(struct evidence_blob), 1, "EFI System Resource Table")          \
	X(BOOT_RECORD, 18, "FPDT boot record", sizeof(struct evidence_blob), 1,                    \
		"the table FBPT that FPDT points to")                                              \
	X(STAMPS, 19, "time stamps", 0, sizeof(struct evidence_stamp), "of our own, by the TSC")   \
	X(EDID, 20, "EDID", 0, 1, "of the display, as it came")                                    \
	X(GRAPHICS, 21, "graphics", sizeof(struct evidence_graphics),                              \
		sizeof(struct evidence_mode), "GOP: the framebuffer and each mode")                \
	X(PCI, 22, "PCI functions", 0, sizeof(struct evidence_pci), "each function that answers")  \
	X(EXIT_CALLS, 23, "ExitBootServices calls", 0, sizeof(struct evidence_exit_call),          \
		"each attempt in order")                                                           \
	X(IMAGE, 24, "runtime image", sizeof(struct evidence_image), 1,                            \
		"an image of runtime code; its PE headers follow, at least 4096 bytes or its "     \
		"size")                                                                            \
	X(SELF, 25, "loader", sizeof(struct evidence_self), 1,                                     \
		"our own image; the device path that it was loaded from follows")                  \
	X(CALL, 26, "runtime service call", sizeof(struct evidence_call), 0,                       \
		"one call behind bars, index running")                                             \
	X(TRAPS, 27, "traps", 0, sizeof(struct evidence_trap),                                     \
		"privileged instructions and ports")                                               \
	X(VIOLATION, 28, "violation", sizeof(struct evidence_violation), 0,                        \
		"an access that a service had no right to")                                        \
	X(CANARIES, 29, "canaries", 0, sizeof(struct evidence_canary),                             \
		"memory that nobody may change, filled and looked at")                             \
	X(VARIABLE, 30, "variable", sizeof(struct evidence_variable), 1,                           \
		"the name in UCS-2 with its NUL follows, then the data")                           \
	X(ENUMERATION, 31, "enumeration", sizeof(struct evidence_enumeration), 0,                  \
		"how GetNextVariableName ended")                                                   \
	X(STORE_INFO, 32, "variable store", 0, sizeof(struct evidence_store_info),                 \
		"QueryVariableInfo's answers, in order")                                           \
	X(TIMES, 33, "times", 0, sizeof(struct evidence_time), "GetTime's answers, in order")      \
	X(MONOTONIC, 34, "monotonic count", 0, sizeof(struct evidence_count),                      \
		"GetNextHighMonotonicCount's answers, in order")                                   \
	X(PROBES, 35, "probes", 0, sizeof(struct evidence_probe), "devices asked by us")           \
	X(PROCESSORS, 36, "processors", 0, sizeof(struct evidence_processor),                      \
		"local APIC identifiers by CPUID, of each CPU that started")                       \
	X(STORE_FILL, 37, "store fill", sizeof(struct evidence_store_fill), 0,                     \
		"the variable store filled; only when asked for")                                  \
	X(RESETS, 38, "resets", 0, sizeof(struct evidence_reset),                                  \
		"ResetSystem up to its last step")                                                 \
	X(WATCHDOG, 39, "watchdog", sizeof(struct evidence_watchdog), 0,                           \
		"SetWatchdogTimer, and after exit")                                                \
	X(FINAL_EVENTS, 40, "TCG final events", 0, 1,                                              \
		"the table of events after the log was read, as it came")                          \
	X(TOUCHED, 41, "touched memory", 0, sizeof(struct evidence_touched),                       \
		"what runtime services read or wrote, in whole pages")

enum evidence_kind {
#define X(name, number, label, head, element, text) EVIDENCE_##name = number,
	EVIDENCE_KINDS(X)
#undef X
		EVIDENCE_KIND_END = 42,
};

struct evidence_machine {
	uint64_t tsc_hz; /* 0: unknown */
	uint32_t firmware_revision, reserved;
};

struct evidence_cpu {
	uint64_t cr0, cr2, cr3, cr4, efer, rflags, rsp, xcr0 /* 0 without OSXSAVE */;
	uint64_t gdt_base, idt_base;
	uint64_t code, stack, data, extra; /* descriptors of CS, SS, DS, ES; 0: a null selector */
	uint16_t gdt_limit, idt_limit, cs, ss, ds, es, fs, gs, tr, ldtr, fcw, reserved;
	uint32_t mxcsr, reserved2[2];
};

struct evidence_msr {
	uint64_t index, value;
};

enum evidence_access { EVIDENCE_READ = 1, EVIDENCE_WRITE = 2, EVIDENCE_EXECUTE = 4 };

struct evidence_mapping {
	uint64_t virt, phys, size;
	uint32_t access, reserved; /* enum evidence_access, or-ed */
};

struct evidence_memory_map {
	uint64_t key, status;
	uint32_t descriptor_size, descriptor_version;
};

struct evidence_map_call {
	uint64_t given, returned, status, descriptor_size;
};

struct evidence_blob {
	uint64_t address; /* where it lay */
};

enum evidence_table { EVIDENCE_SYSTEM_TABLE, EVIDENCE_BOOT_TABLE, EVIDENCE_RUNTIME_TABLE };

struct evidence_configuration {
	uint8_t guid[16];
	uint64_t pointer;
};

struct evidence_event_log {
	uint32_t format; /* EFI_TCG2_EVENT_LOG_FORMAT_* */
	uint32_t truncated;
};

struct evidence_pcr {
	uint32_t pcr;
	uint16_t algorithm, size; /* TPM_ALG_*; bytes of the digest */
	uint8_t digest[64];
};

enum evidence_stamp_of {
	EVIDENCE_STAMP_ENTRY = 1, /* the loader's first instruction */
	EVIDENCE_STAMP_EXIT,      /* before the ExitBootServices call that succeeded */
	EVIDENCE_STAMP_EXITED,    /* after it */
};

struct evidence_stamp {
	uint32_t what, reserved; /* enum evidence_stamp_of */
	uint64_t tsc;
};

struct evidence_graphics {
	uint64_t base, size; /* of the framebuffer */
	uint32_t mode, reserved;
};

struct evidence_mode {
	uint32_t number, width, height, pitch /* pixels */, format /* EFI_GRAPHICS_PIXEL_FORMAT */;
	uint32_t masks[4], reserved;
};

struct evidence_pci {
	uint16_t segment, vendor, device, command;
	uint8_t bus, slot, function, header;
	uint32_t class; /* class, subclass, interface: 24 bits */
	struct {
		uint64_t base, size; /* size 0: none, or I/O ports */
	} bars[6];
};

struct evidence_exit_call {
	uint64_t key, status, ticks;
	uint32_t entries;    /* of the memory map then */
	uint32_t deliberate; /* 1: with a key that we had made stale */
};

struct evidence_image {
	uint64_t base, size, offset; /* offset: of the file in its firmware volume, 0: unknown */
	uint8_t file[16];            /* FvFile's GUID; zeros: unknown */
	char name[64];               /* of its PE debug entry; may be empty */
};

struct evidence_self {
	uint64_t image_base, image_size;
	uint64_t stack_base,
		stack_size; /* as the firmware made it; 0: not known but by the memory map */
};

/* In the order of the bits of EFI_RT_PROPERTIES_TABLE. */
enum evidence_service {
	EVIDENCE_GET_TIME,
	EVIDENCE_SET_TIME,
	EVIDENCE_GET_WAKEUP_TIME,
	EVIDENCE_SET_WAKEUP_TIME,
	EVIDENCE_GET_VARIABLE,
	EVIDENCE_GET_NEXT_VARIABLE_NAME,
	EVIDENCE_SET_VARIABLE,
	EVIDENCE_SET_VIRTUAL_ADDRESS_MAP,
	EVIDENCE_CONVERT_POINTER,
	EVIDENCE_GET_NEXT_HIGH_MONOTONIC_COUNT,
	EVIDENCE_RESET_SYSTEM,
	EVIDENCE_UPDATE_CAPSULE,
	EVIDENCE_QUERY_CAPSULE_CAPABILITIES,
	EVIDENCE_QUERY_VARIABLE_INFO,
	EVIDENCE_SERVICES,
};

/* X(NAME, number, service, what is called with what) */
#define EVIDENCE_CASES(X)                                                                          \
	X(GET_NULL_NAME, 1, GET_VARIABLE, "GetVariable, name NULL")                                \
	X(GET_NULL_GUID, 2, GET_VARIABLE, "GetVariable, GUID NULL")                                \
	X(GET_NULL_SIZE, 3, GET_VARIABLE, "GetVariable, size NULL")                                \
	X(GET_ABSENT, 4, GET_VARIABLE, "GetVariable of a name that is not there")                  \
	X(GET_SMALL, 5, GET_VARIABLE, "GetVariable of our variable with a buffer of 0 bytes")      \
	X(NEXT_NULL_SIZE, 6, GET_NEXT_VARIABLE_NAME, "GetNextVariableName, size NULL")             \
	X(NEXT_NULL_NAME, 7, GET_NEXT_VARIABLE_NAME, "GetNextVariableName, name NULL")             \
	X(NEXT_ABSENT, 8, GET_NEXT_VARIABLE_NAME,                                                  \
		"GetNextVariableName after a name that is not there")                              \
	X(SET_EMPTY_NAME, 9, SET_VARIABLE, "SetVariable, name empty")                              \
	X(SET_RUNTIME_ONLY, 10, SET_VARIABLE,                                                      \
		"SetVariable, RUNTIME_ACCESS without BOOTSERVICE_ACCESS")                          \
	X(SET_HUGE, 11, SET_VARIABLE, "SetVariable, more bytes than the store's largest variable") \
	X(QUERY_NULL, 12, QUERY_VARIABLE_INFO, "QueryVariableInfo, a result pointer NULL")         \
	X(BOOT_ONLY, 20, GET_VARIABLE, "GetVariable of our variable without RUNTIME_ACCESS")       \
	X(SET_VOLATILE, 21, SET_VARIABLE, "SetVariable of a new volatile variable")                \
	X(CREATE, 30, SET_VARIABLE, "SetVariable: a new non-volatile variable")                    \
	X(READ_CREATED, 31, GET_VARIABLE,                                                          \
		"GetVariable: result 1 where data and attributes are those")                       \
	X(REPLACE, 32, SET_VARIABLE, "SetVariable: other data, longer")                            \
	X(READ_REPLACED, 33, GET_VARIABLE, "GetVariable: result 1 where the data is the other")    \
	X(APPEND, 34, SET_VARIABLE, "SetVariable with APPEND_WRITE")                               \
	X(READ_APPENDED, 35, GET_VARIABLE, "GetVariable: result 1 where the data is both parts")   \
	X(MISMATCH, 36, SET_VARIABLE, "SetVariable with other attributes")                         \
	X(READ_UNCHANGED, 37, GET_VARIABLE,                                                        \
		"GetVariable: result 1 where the data is still both parts")                        \
	X(DELETE, 38, SET_VARIABLE, "SetVariable, size 0")                                         \
	X(READ_DELETED, 39, GET_VARIABLE, "GetVariable of the deleted variable")                   \
	X(NEXT_BOOT_KEPT, 40, GET_VARIABLE, "the next boot: our non-volatile variable")            \
	X(NEXT_BOOT_GONE, 41, GET_VARIABLE, "the next boot: our volatile variable")                \
	X(UNSIGNED_DB, 42, SET_VARIABLE, "SetVariable of db without a signature")                  \
	X(TIME_NULL, 50, GET_TIME, "GetTime, NULL")                                                \
	X(SET_TIME_MONTH, 51, SET_TIME, "SetTime, month 13")                                       \
	X(SET_TIME_DAY, 52, SET_TIME, "SetTime, 30 February")                                      \
	X(SET_TIME_HOUR, 53, SET_TIME, "SetTime, hour 24")                                         \
	X(SET_TIME_ZONE, 54, SET_TIME, "SetTime, time zone 1441")                                  \
	X(WAKEUP_NULL, 55, SET_WAKEUP_TIME, "SetWakeupTime, enabled with time NULL")               \
	X(WAKEUP_MONTH, 56, SET_WAKEUP_TIME, "SetWakeupTime, month 13")                            \
	X(COUNT_NULL, 60, GET_NEXT_HIGH_MONOTONIC_COUNT, "GetNextHighMonotonicCount, NULL")        \
	X(CAPSULE_NONE, 61, UPDATE_CAPSULE, "UpdateCapsule, no capsule")                           \
	X(CAPSULE_QUERY_NONE, 62, QUERY_CAPSULE_CAPABILITIES,                                      \
		"QueryCapsuleCapabilities, no capsule")                                            \
	X(CAPSULE_QUERY_FLAGS, 63, QUERY_CAPSULE_CAPABILITIES,                                     \
		"QueryCapsuleCapabilities, POPULATE_SYSTEM_TABLE without PERSIST_ACROSS_RESET")    \
	X(SECOND_MAP, 70, SET_VIRTUAL_ADDRESS_MAP, "SetVirtualAddressMap, a second time")          \
	X(FIRST_MAP, 71, SET_VIRTUAL_ADDRESS_MAP, "SetVirtualAddressMap")

enum evidence_case {
	EVIDENCE_CASE_PLAIN, /* the ordinary call with good arguments */
#define X(name, number, service, text) EVIDENCE_CASE_##name = number,
	EVIDENCE_CASES(X)
#undef X
};

/* How a call ended. All but the first and the last mean: aborted, and its service is tainted from then on. */
enum evidence_outcome {
	EVIDENCE_RETURNED,
	EVIDENCE_ABORTED_ACCESS,    /* a violation under the strict policy */
	EVIDENCE_ABORTED_EXCEPTION, /* any other exception */
	EVIDENCE_ABORTED_TIME,      /* longer than the limit */
	EVIDENCE_ABORTED_STACK,     /* into the guard page */
	EVIDENCE_ABORTED_MEMORY,    /* the kernel had no page for it: nothing of the service's */
};

/* What a call did not keep, of what the caller owns. */
enum evidence_lost {
	EVIDENCE_LOST_RBX = 1,
	EVIDENCE_LOST_RBP = 2,
	EVIDENCE_LOST_RSI = 4,
	EVIDENCE_LOST_RDI = 8,
	EVIDENCE_LOST_R12_R15 = 16,
	EVIDENCE_LOST_RSP = 32,
	EVIDENCE_LOST_XMM6_15 = 64,
	EVIDENCE_LOST_DF = 128, /* set on return */
	EVIDENCE_LOST_IF = 256,
	EVIDENCE_LOST_MXCSR = 512,
	EVIDENCE_LOST_FCW = 1024,
};

struct evidence_call {
	uint32_t service, test;  /* enum evidence_service, enum evidence_case */
	uint32_t outcome, lost;  /* enum evidence_outcome; enum evidence_lost, or-ed */
	uint64_t status, result; /* result: the case says what */
	uint64_t ticks, stack;   /* stack: bytes used */
};

enum evidence_trap_of {
	EVIDENCE_TRAP_IN = 1,
	EVIDENCE_TRAP_OUT,
	EVIDENCE_TRAP_SMI,
	EVIDENCE_TRAP_MSR,
	EVIDENCE_TRAP_CONTROL,
	EVIDENCE_TRAP_INTERRUPTS, /* cli, sti */
	EVIDENCE_TRAP_HALT,
	EVIDENCE_TRAP_OTHER,
};

struct evidence_trap {
	uint32_t service, what; /* enum evidence_trap_of */
	uint64_t detail, count; /* the port, the MSR, the control register */
};

struct evidence_touched {
	uint32_t service, written; /* written: 1, else read or executed only */
	uint64_t base, size;
};

enum evidence_violation_of {
	EVIDENCE_OUTSIDE = 1, /* neither a runtime region nor an argument */
	EVIDENCE_PERMISSION,  /* against the memory attributes table */
	EVIDENCE_STALE,       /* a physical address after SetVirtualAddressMap */
};

struct evidence_violation {
	uint32_t service, what;       /* enum evidence_violation_of */
	uint32_t access, memory_type; /* enum evidence_access; EFI_MEMORY_TYPE there, ~0: none */
	uint64_t address, ip;         /* ip: physical */
};

struct evidence_canary {
	uint64_t base, size;
	uint64_t changed; /* bytes; 0: whole */
	uint64_t first;   /* address of the first that changed */
	uint32_t service; /* after which call, ~0: between exit and the first one */
	uint32_t page0;   /* 1: this is page 0 */
};

struct evidence_variable {
	uint8_t guid[16];
	uint64_t status;
	uint32_t attributes, name_size; /* bytes, with the NUL */
};

struct evidence_enumeration {
	uint64_t status;       /* of the last call */
	uint32_t names, limit; /* found; where we would have given up */
};

struct evidence_store_info {
	uint64_t status, maximum, remaining, largest;
	uint32_t attributes, written; /* written: bytes that we wrote since the answer before */
};

struct evidence_time {
	uint64_t status, tsc;
	uint16_t year;
	uint8_t month, day, hour, minute, second, pad1;
	uint32_t nanosecond;
	int16_t zone;
	uint8_t daylight, pad2;
};

struct evidence_count {
	uint64_t status, count;
};

enum evidence_probe_of {
	EVIDENCE_PROBE_HPET =
		1, /* found: ticks of its counter in 1 ms by the TSC; expected: by its period */
	EVIDENCE_PROBE_UART, /* SPCR's: found = expected where its scratch register keeps a byte */
	EVIDENCE_PROBE_ECAM, /* function 0's identifier by ECAM and by CF8/CFC; index: segment */
	EVIDENCE_PROBE_BUS_MASTERS, /* found: functions that still were bus masters after exit */
};

struct evidence_probe {
	uint32_t what, index;
	uint64_t expected, found;
};

struct evidence_processor {
	uint32_t apic_id, reserved;
};

struct evidence_store_fill {
	uint64_t full_status,
		after_delete_status; /* of the last write; of one after all were deleted */
	uint64_t written, writes;
};

struct evidence_reset {
	uint32_t type, tried; /* EFI_RESET_TYPE; 1: a mechanism was seen */
	uint64_t port, value; /* the last step; port ~0: memory */
};

struct evidence_watchdog {
	uint64_t disable_status; /* SetWatchdogTimer(0) */
	uint64_t after_exit;     /* ticks that we ran after exit, at the report's end */
};

#endif
