/* SPDX-License-Identifier: MIT */
/* Around each call: it is announced, so that a hang names itself; what the kernel saw of it becomes evidence. */
#include <string.h>
#include <unistd.h>

#include "cases.h"
#include "lab.h"
#include "uefi_tables.h"

#define PAGE 4096u

void call_begin(struct lab *lab, enum evidence_case test, enum evidence_service service)
{
	lab->test = test;
	lab->service = service;
	fprintf(lab->announce, "# call %u, %s: %s\n", (unsigned)lab->calls,
		lab->phase == EVIDENCE_VIRTUAL ? "virtual" : "physical",
		test ? case_text(test) : service_name(service));
	fflush(lab->announce);
}

static void take_call(struct lab *lab, const void *bytes, uint64_t result)
{
	struct evidence_call call;

	memcpy(&call, bytes, sizeof call);
	if (call.outcome == EVIDENCE_ABORTED_MEMORY) {
		lab->left_out++;
		return;
	}
	call.test = lab->test;
	call.result = result;
	lab_add(lab, EVIDENCE_CALL, lab->calls++, &call, sizeof call, NULL, 0);
}

static void take_trap(struct lab *lab, const struct evidence_trap *trap)
{
	for (unsigned i = 0; i < lab->trap_count; i++) {
		struct evidence_trap *seen = &lab->traps[i];

		if (seen->service == trap->service && seen->what == trap->what &&
			seen->detail == trap->detail) {
			seen->count += trap->count;
			return;
		}
	}
	if (lab->trap_count < LAB_TRAPS_MAX)
		lab->traps[lab->trap_count++] = *trap;
	else
		lab->left_out++;
}

/* The same instruction at the same place of memory is said once. */
static void take_violation(struct lab *lab, const struct evidence_violation *fault)
{
	for (unsigned i = 0; i < lab->fault_count; i++)
		if (!memcmp(&lab->faults[i], fault, sizeof *fault))
			return;
	if (lab->fault_count < LAB_FAULTS_MAX)
		lab->faults[lab->fault_count++] = *fault;
	else
		lab->left_out++;
}

static void take_page(struct lab *lab, uint32_t service, uint64_t base, uint32_t written)
{
	for (unsigned i = 0; i < lab->page_count; i++) {
		if (lab->pages[i].service == service && lab->pages[i].base == base) {
			lab->pages[i].written |= written;
			return;
		}
	}
	if (lab->page_count < LAB_PAGES_MAX)
		lab->pages[lab->page_count++] = (struct lab_page){base, service, written};
	else
		lab->left_out++;
}

static void take(struct lab *lab, const struct evidence_record *record, uint64_t result)
{
	const struct evidence_trap *trap = evidence_head(record);
	const struct evidence_touched *touched = evidence_head(record);

	if (record->kind == EVIDENCE_CALL)
		take_call(lab, evidence_head(record), result);
	if (record->kind == EVIDENCE_VIOLATION)
		take_violation(lab, evidence_head(record));
	for (size_t i = 0; record->kind == EVIDENCE_TRAPS && i < evidence_count(record); i++)
		take_trap(lab, &trap[i]);
	for (size_t i = 0; record->kind == EVIDENCE_TOUCHED && i < evidence_count(record); i++)
		for (uint64_t at = 0; at < touched[i].size; at += PAGE)
			take_page(
				lab, touched[i].service, touched[i].base + at, touched[i].written);
}

void call_end(struct lab *lab, int error, uint64_t result)
{
	static uint64_t bytes[1024];
	ssize_t size = pread(lab->services, bytes, sizeof bytes, 0);
	const struct evidence_record *record;

	for (ssize_t at = 0; at + (ssize_t)sizeof *record <= size;
		at += (ssize_t)(sizeof *record + evidence_padded_(record->size))) {
		record = (const void *)((const char *)bytes + at);
		take(lab, record, result);
	}
	watch_look(lab, lab->service);
	if (error == EIO)
		fprintf(lab->announce, "# %s is not called again\n", service_name(lab->service));
	else if (error && error != EINVAL)
		fprintf(lab->announce, "# not called: %s\n", strerror(error));
}
