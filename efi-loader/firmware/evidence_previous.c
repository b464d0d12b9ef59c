/* SPDX-License-Identifier: MIT */
/*
 * The boot before, as its evidence on this volume has it (evidence_file.c): the ranges that must stay where they were, the monotonic
 * count, and two variables of our own. Before exit one that is non-volatile and one that is not are set to the TSC; that boot's
 * evidence lists them, so the next one knows what it must find, and what not. Where the volume does not take the evidence, the first is put
 * back to what the evidence there says, or goes.
 */
#include "evidence_internal.h"

#include "console.h"
#include "cpu.h"
#include "files.h"

#define PATH       "\\baton\\evidence.bin"
#define AT_RUNTIME (EFI_VARIABLE_BOOTSERVICE_ACCESS | EFI_VARIABLE_RUNTIME_ACCESS)

static EFI_GUID vendor = BATON_FILL_GUID;
static uint64_t kept; /* as the boot before left it; 0: it did not, or it was lost */
static CHAR16 kept_name[] = L"BatonReportKept", gone_name[] = L"BatonReportGone";

static EFI_STATUS set(
	struct loader *l, CHAR16 *name, uint32_t attributes, const void *data, size_t size)
{
	return l->system->RuntimeServices->SetVariable(
		name, &vendor, attributes, size, (void *)data);
}

static void put_back_kept(struct loader *l)
{
	set(l, kept_name, EFI_VARIABLE_NON_VOLATILE | AT_RUNTIME, &kept, kept ? sizeof(kept) : 0);
}

/* What that boot saw of the variable. NULL: it did not. */
static const uint8_t *value_then(
	const struct evidence *then, const CHAR16 *name, size_t name_size, size_t *size)
{
	const struct evidence_record *record = NULL;

	while ((record = evidence_of(then, EVIDENCE_VARIABLE, EVIDENCE_BEFORE_EXIT, record))) {
		const struct evidence_variable *head = evidence_head(record);

		if (head->status || head->name_size != name_size ||
			evidence_tail_size(record) < name_size ||
			__builtin_memcmp(head->guid, &vendor, sizeof(vendor)) != 0 ||
			__builtin_memcmp(evidence_tail(record), name, name_size) != 0)
			continue;
		*size = evidence_tail_size(record) - name_size;
		return (const uint8_t *)evidence_tail(record) + name_size;
	}
	return NULL;
}

/* Looks for the variable, if that boot had it. */
static void look_for(struct loader *l, const struct evidence *then, enum evidence_case test,
	CHAR16 *name, size_t name_size)
{
	struct evidence_call call = {
		.service = EVIDENCE_GET_VARIABLE, .test = test, .outcome = EVIDENCE_RETURNED};
	uint8_t data[16];
	UINTN size = sizeof(data);
	size_t expected_size = 0;
	const uint8_t *expected = value_then(then, name, name_size, &expected_size);
	uint64_t before = read_tsc();

	if (!expected)
		return;
	call.status = l->system->RuntimeServices->GetVariable(name, &vendor, NULL, &size, data);
	call.ticks = read_tsc() - before;
	call.result =
		!call.status && size == expected_size && !__builtin_memcmp(data, expected, size);
	if (test == EVIDENCE_CASE_NEXT_BOOT_KEPT && call.result && size == sizeof(kept))
		__builtin_memcpy(&kept, data, sizeof(kept));
	collect(EVIDENCE_CALL, EVIDENCE_ENTRY, test, &call, sizeof(call), NULL, 0);
}

static void take_over(
	const struct evidence *then, enum evidence_kind kind, enum evidence_phase phase)
{
	const struct evidence_record *record = evidence_of(then, kind, phase, NULL);

	if (record)
		collect(kind, EVIDENCE_PREVIOUS_BOOT, 0, record + 1, record->size, NULL, 0);
}

static bool read_file(struct loader *l, size_t *size)
{
	struct file file;
	bool good;

	if (EFI_ERROR(file_open(l, PATH, &file)))
		return false;
	*size = file.size;
	good = file.size <= collector.scratch_size &&
	       !EFI_ERROR(file_read(&file, 0, collector.scratch, file.size));
	file_close(&file);
	return good;
}

void evidence_previous(struct loader *l)
{
	struct evidence then;
	const char *wrong;
	size_t size;

	if (!read_file(l, &size))
		return;
	wrong = evidence_open(&then, collector.scratch, size);
	if (wrong) {
		say("evidence of the boot before: %s", wrong);
		return;
	}
	take_over(&then, EVIDENCE_MEMORY_MAP, EVIDENCE_ENTRY);
	take_over(&then, EVIDENCE_MONOTONIC, EVIDENCE_BEFORE_EXIT);
	look_for(l, &then, EVIDENCE_CASE_NEXT_BOOT_KEPT, kept_name, sizeof(kept_name));
	look_for(l, &then, EVIDENCE_CASE_NEXT_BOOT_GONE, gone_name, sizeof(gone_name));
}

void evidence_remember(struct loader *l)
{
	uint64_t now = read_tsc();

	if (set(l, kept_name, EFI_VARIABLE_NON_VOLATILE | AT_RUNTIME, &now, sizeof(now)) ||
		set(l, gone_name, AT_RUNTIME, &now, sizeof(now)))
		put_back_kept(l);
}

void evidence_forget(struct loader *l)
{
	put_back_kept(l);
	set(l, gone_name, AT_RUNTIME, NULL, 0);
}
