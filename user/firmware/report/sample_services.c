/* SPDX-License-Identifier: MIT */
/* The made-up firmware's runtime services: what each call gave, and its variables. */
#include "lists.h"
#include "sample.h"

#include <stdlib.h>

struct sample_call *sample_call(
	struct sample *s, enum evidence_case test, enum evidence_phase phase)
{
	for (unsigned i = 0; i < s->call_count; i++)
		if (s->calls[i].call.test == (uint32_t)test && s->calls[i].phase == phase)
			return &s->calls[i];
	abort();
}

struct sample_variable *sample_variable(
	struct sample *s, const char *name, enum evidence_phase phase)
{
	for (unsigned i = 0; i < s->variable_count; i++)
		if (!strcmp(s->variables[i].name, name) && s->variables[i].phase == phase)
			return &s->variables[i];
	abort();
}

#define BEFORE 1u
#define AFTER  2u /* physical and virtual */
#define ALWAYS (BEFORE | AFTER)

static const enum evidence_service case_services[] = {[EVIDENCE_CASE_PLAIN] = EVIDENCE_GET_TIME,
#define X(name, number, service, text) [EVIDENCE_CASE_##name] = EVIDENCE_##service,
	EVIDENCE_CASES(X)
#undef X
};

static const struct {
	enum evidence_case test;
	uint64_t status, result;
	unsigned when;
} good_calls[] = {
	{EVIDENCE_CASE_PLAIN, EFI_SUCCESS, 0, ALWAYS},
	{EVIDENCE_CASE_GET_NULL_NAME, EFI_INVALID_PARAMETER, 0, ALWAYS},
	{EVIDENCE_CASE_GET_NULL_GUID, EFI_INVALID_PARAMETER, 0, ALWAYS},
	{EVIDENCE_CASE_GET_NULL_SIZE, EFI_INVALID_PARAMETER, 0, ALWAYS},
	{EVIDENCE_CASE_GET_ABSENT, EFI_NOT_FOUND, 0, ALWAYS},
	{EVIDENCE_CASE_GET_SMALL, EFI_BUFFER_TOO_SMALL, 0, ALWAYS},
	{EVIDENCE_CASE_NEXT_NULL_SIZE, EFI_INVALID_PARAMETER, 0, ALWAYS},
	{EVIDENCE_CASE_NEXT_NULL_NAME, EFI_INVALID_PARAMETER, 0, ALWAYS},
	{EVIDENCE_CASE_NEXT_ABSENT, EFI_INVALID_PARAMETER, 0, ALWAYS},
	{EVIDENCE_CASE_SET_EMPTY_NAME, EFI_INVALID_PARAMETER, 0, ALWAYS},
	{EVIDENCE_CASE_SET_RUNTIME_ONLY, EFI_INVALID_PARAMETER, 0, ALWAYS},
	{EVIDENCE_CASE_SET_HUGE, EFI_INVALID_PARAMETER, 0, ALWAYS},
	{EVIDENCE_CASE_QUERY_NULL, EFI_INVALID_PARAMETER, 0, ALWAYS},
	{EVIDENCE_CASE_BOOT_ONLY, EFI_SUCCESS, 0, BEFORE},
	{EVIDENCE_CASE_BOOT_ONLY, EFI_NOT_FOUND, 0, AFTER},
	{EVIDENCE_CASE_SET_VOLATILE, EFI_INVALID_PARAMETER, 0, AFTER},
	{EVIDENCE_CASE_CREATE, EFI_SUCCESS, 0, ALWAYS},
	{EVIDENCE_CASE_READ_CREATED, EFI_SUCCESS, 1, ALWAYS},
	{EVIDENCE_CASE_REPLACE, EFI_SUCCESS, 0, ALWAYS},
	{EVIDENCE_CASE_READ_REPLACED, EFI_SUCCESS, 1, ALWAYS},
	{EVIDENCE_CASE_APPEND, EFI_SUCCESS, 0, ALWAYS},
	{EVIDENCE_CASE_READ_APPENDED, EFI_SUCCESS, 1, ALWAYS},
	{EVIDENCE_CASE_MISMATCH, EFI_INVALID_PARAMETER, 0, ALWAYS},
	{EVIDENCE_CASE_READ_UNCHANGED, EFI_SUCCESS, 1, ALWAYS},
	{EVIDENCE_CASE_DELETE, EFI_SUCCESS, 0, ALWAYS},
	{EVIDENCE_CASE_READ_DELETED, EFI_NOT_FOUND, 0, ALWAYS},
	{EVIDENCE_CASE_NEXT_BOOT_KEPT, EFI_SUCCESS, 1, BEFORE},
	{EVIDENCE_CASE_NEXT_BOOT_GONE, EFI_NOT_FOUND, 0, BEFORE},
	{EVIDENCE_CASE_UNSIGNED_DB, UINT64_C(0x800000000000001a), 0, AFTER},
	{EVIDENCE_CASE_TIME_NULL, EFI_INVALID_PARAMETER, 0, AFTER},
	{EVIDENCE_CASE_SET_TIME_MONTH, EFI_INVALID_PARAMETER, 0, AFTER},
	{EVIDENCE_CASE_SET_TIME_DAY, EFI_INVALID_PARAMETER, 0, AFTER},
	{EVIDENCE_CASE_SET_TIME_HOUR, EFI_INVALID_PARAMETER, 0, AFTER},
	{EVIDENCE_CASE_SET_TIME_ZONE, EFI_INVALID_PARAMETER, 0, AFTER},
	{EVIDENCE_CASE_WAKEUP_NULL, EFI_INVALID_PARAMETER, 0, AFTER},
	{EVIDENCE_CASE_WAKEUP_MONTH, EFI_INVALID_PARAMETER, 0, AFTER},
	{EVIDENCE_CASE_COUNT_NULL, EFI_INVALID_PARAMETER, 0, AFTER},
	{EVIDENCE_CASE_CAPSULE_NONE, EFI_INVALID_PARAMETER, 0, AFTER},
	{EVIDENCE_CASE_CAPSULE_QUERY_NONE, EFI_INVALID_PARAMETER, 0, AFTER},
	{EVIDENCE_CASE_CAPSULE_QUERY_FLAGS, EFI_INVALID_PARAMETER, 0, AFTER},
};

static void add_call(struct sample *s, enum evidence_phase phase, enum evidence_case test,
	uint64_t status, uint64_t result)
{
	if (s->call_count == sizeof s->calls / sizeof *s->calls)
		abort();
	s->calls[s->call_count++] = (struct sample_call){phase, {.service = case_services[test],
									.test = test,
									.status = status,
									.result = result,
									.ticks = 50000,
									.stack = 1200}};
}

static void good_calls_of(struct sample *s, enum evidence_phase phase, unsigned when)
{
	for (unsigned i = 0; i < sizeof good_calls / sizeof *good_calls; i++)
		if (good_calls[i].when & when)
			add_call(s, phase, good_calls[i].test, good_calls[i].status,
				good_calls[i].result);
}

static struct sample_variable *add_variable(
	struct sample *s, const uint8_t guid[16], const char *name, const void *data, size_t size)
{
	struct sample_variable *variable = &s->variables[s->variable_count++];

	if (s->variable_count > sizeof s->variables / sizeof *s->variables)
		abort();
	variable->phase = EVIDENCE_BEFORE_EXIT;
	variable->head.attributes = 7;
	variable->size = size;
	memcpy(variable->head.guid, guid, 16);
	memcpy(variable->data, data, size);
	snprintf(variable->name, sizeof variable->name, "%s", name);
	return variable;
}

/* One list with one signature of 32 bytes after its owner. */
static size_t signature_list(uint8_t *list)
{
	memset(list, 0x5a, 28 + 48);
	memset(list + 16, 0, 12);
	list[16] = 28 + 48;
	list[24] = 48;
	return 28 + 48;
}

/* A load option of a file on the partition that we were loaded from. */
static void good_boot_option(struct sample *s)
{
	static const uint8_t path[] = {2, 1, 12, 0, 0xd0, 0x41, 3, 0xa, 0, 0, 0, 0, 1, 1, 6, 0, 0,
		2, 4, 4, 10, 0, 'B', 0, 'X', 0, 0, 0, 0x7f, 0xff, 4, 0};
	uint8_t option[6 + 4 + sizeof path] = {1, 0, 0, 0, sizeof path, 0, 'U', 0, 0, 0};
	uint8_t zero[2] = {0};

	memcpy(option + 10, path, sizeof path);
	memcpy(s->path, path, sizeof path);
	s->path_size = sizeof path;
	add_variable(s, guid_global, "BootOrder", zero, 2);
	add_variable(s, guid_global, "BootCurrent", zero, 2);
	add_variable(s, guid_global, "Boot0000", option, sizeof option);
}

static void good_variables(struct sample *s)
{
	uint8_t list[28 + 48], zero = 0, one = 1;
	size_t size = signature_list(list);

	add_variable(s, guid_global, "SetupMode", &zero, 1);
	add_variable(s, guid_global, "SecureBoot", &one, 1);
	add_variable(s, guid_global, "PK", list, size);
	add_variable(s, guid_global, "KEK", list, size);
	add_variable(s, guid_security, "db", list, size);
	add_variable(s, guid_security, "dbx", list, size);
	good_boot_option(s);
	s->enumeration = (struct evidence_enumeration){EFI_NOT_FOUND, s->variable_count, 4096};
	s->store[0] = (struct evidence_store_info){EFI_SUCCESS, 262044, 200000, 33000, 7, 0};
	s->store[1] = (struct evidence_store_info){EFI_SUCCESS, 262044, 199800, 33000, 7, 100};
}

void sample_good_services(struct sample *s)
{
	good_calls_of(s, EVIDENCE_BEFORE_EXIT, BEFORE);
	good_calls_of(s, EVIDENCE_PHYSICAL, AFTER);
	add_call(s, EVIDENCE_PHYSICAL, EVIDENCE_CASE_FIRST_MAP, EFI_SUCCESS, 0);
	good_calls_of(s, EVIDENCE_VIRTUAL, AFTER);
	add_call(s, EVIDENCE_VIRTUAL, EVIDENCE_CASE_SECOND_MAP, EFI_UNSUPPORTED, 0);
	good_variables(s);
	s->times[0] = (struct evidence_time){.tsc = 1000000000,
		.year = 2024,
		.month = 2,
		.day = 29,
		.hour = 23,
		.minute = 59,
		.second = 58,
		.zone = 2047};
	s->times[1] = (struct evidence_time){
		.tsc = 4000000000, .year = 2024, .month = 3, .day = 1, .second = 1, .zone = 2047};
	for (unsigned i = 0; i < 3; i++)
		s->counts[i].count = i == 2 ? 6 : 7 + i;
	for (uint32_t i = 0; i < 3; i++)
		s->resets[i] = (struct evidence_reset){i, 1, i == 2 ? 0x604 : 0xcf9, 6};
}
