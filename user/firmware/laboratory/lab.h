/* SPDX-License-Identifier: MIT */
/* The firmware report as it is made in the machine: gather.c has the evidence, calls.c and services.c make the calls,
 * pages.c shows it. main.c tells of the whole. */
#ifndef USER_FIRMWARE_LAB_H
#define USER_FIRMWARE_LAB_H

#include <baton/evidence.h>
#include <stdio.h>

#include "firmware/efi_services.h"

#define EFI_RUNTIME_ACCESS 4u

#define LAB_ANSWERS_MAX    16
#define LAB_TRAPS_MAX      128
#define LAB_FAULTS_MAX     256
#define LAB_PAGES_MAX      4096

struct lab_page {
	uint64_t base;
	uint32_t service, written;
};

struct lab {
	struct evidence_writer writer;
	enum evidence_phase phase;
	int services;   /* /dev/efi_test; -1: there are none */
	FILE *announce; /* gets a line before each call */
	bool dangerous; /* asked for: what has bricked boards */
	bool thorough;  /* asked for: every canary after each call */

	/* The loader's records that more is known of at the end, or NULL. */
	const struct evidence_record *machine, *watchdog;
	uint64_t entered,
		exited; /* the TSC at the loader's entry, when boot services had ended; 0: not known */
	uint64_t tsc, nanosecond; /* when this began, by both clocks */
	uint64_t tsc_hz;          /* known at the end */

	/* The call under way, and how many there were. */
	enum evidence_case test;
	enum evidence_service service;
	uint32_t calls;

	/* What becomes one record of all calls. */
	struct evidence_time times[LAB_ANSWERS_MAX];
	struct evidence_store_info stores[LAB_ANSWERS_MAX];
	struct evidence_trap traps[LAB_TRAPS_MAX];
	struct evidence_violation faults[LAB_FAULTS_MAX];
	struct lab_page pages[LAB_PAGES_MAX];
	unsigned time_count, store_count, trap_count, fault_count, page_count;
	unsigned left_out; /* of all these, where there was no room */
};

/* ---- gather.c ---- */

/* With the loader's evidence, if there is any. false: no memory. */
bool lab_begin(struct lab *lab);
/* What is known at the end only; the evidence is in `out` then. NULL, or what is wrong. */
const char *lab_end(struct lab *lab, struct evidence *out);
/* A record of the phase. */
void lab_add(struct lab *lab, enum evidence_kind kind, uint32_t index, const void *head,
	size_t head_size, const void *tail, size_t tail_size);
uint64_t lab_ticks(void);
/* Milliseconds since the loader's entry, by the TSC; 0: not known. */
uint64_t lab_age(const struct lab *lab);
/* Of the loader's, the name of a variable that was there before exit for boot services alone, and its GUID (16 bytes);
 * NULL: there was none. */
const uint16_t *lab_boot_variable(const struct lab *lab, const uint8_t **guid);

/* ---- calls.c: around each call ---- */

/* Says what is called, before it is. */
void call_begin(struct lab *lab, enum evidence_case test, enum evidence_service service);
/* Takes what the kernel saw of it. `error` is the errno. */
void call_end(struct lab *lab, int error, uint64_t result);

/* ---- variables.c, services.c: each case of the phase ---- */

void call_variables(struct lab *lab);
/* The variable store filled and emptied: only when asked for. */
void fill_store(struct lab *lab);
/* Every call, in the order physical, SetVirtualAddressMap, virtual, resets shown. */
void call_services(struct lab *lab);

/* ---- watch.c: memory that nobody may change ---- */

void watch_begin(struct lab *lab);
void watch_look(struct lab *lab, uint32_t service);
/* All of it; it becomes evidence, and is free again. */
void watch_end(struct lab *lab);

/* ---- pages.c ---- */

/* Shows the text on standard output, by keys of standard input or by itself, until q is pressed. */
void show_pages(const char *text);

#endif
