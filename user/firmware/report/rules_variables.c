/* SPDX-License-Identifier: MIT */
/* Variables: the calls, what is stored, Secure Boot's and the boot manager's. */
#include "cases.h"
#include "lists.h"

typedef unsigned long long ull;

#define INVALID(name)                                                                     \
	{                                                                                 \
		EVIDENCE_CASE_##name, EFI_INVALID_PARAMETER, EFI_INVALID_PARAMETER, false \
	}
#define GIVES(name, status, result)                          \
	{                                                    \
		EVIDENCE_CASE_##name, status, status, result \
	}
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The same case gave another status in another phase. */
static void same_in_phases(struct judgement *j, const struct expected_case *cases, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		const struct evidence_record *record = NULL;
		const struct evidence_call *first = NULL;

		while ((record = evidence_of(
				j->evidence, EVIDENCE_CALL, EVIDENCE_ANY_PHASE, record))) {
			const struct evidence_call *call = evidence_head(record);

			if (call->test != (uint32_t)cases[i].test ||
				call->status == EFI_UNSUPPORTED)
				continue;
			if (!first)
				first = call;
			else if (call->status != first->status)
				wrong(j, "%s: %s at first, then %s", case_text(call->test),
					status_text(first->status).text,
					status_text(call->status).text);
		}
	}
}

static void arguments(struct judgement *j)
{
	static const struct expected_case cases[] = {
		INVALID(GET_NULL_NAME),
		INVALID(GET_NULL_GUID),
		INVALID(GET_NULL_SIZE),
		GIVES(GET_ABSENT, EFI_NOT_FOUND, false),
		GIVES(GET_SMALL, EFI_BUFFER_TOO_SMALL, false),
		INVALID(NEXT_NULL_SIZE),
		INVALID(NEXT_NULL_NAME),
		{EVIDENCE_CASE_NEXT_ABSENT, EFI_INVALID_PARAMETER, EFI_NOT_FOUND, false},
		INVALID(SET_EMPTY_NAME),
		INVALID(SET_RUNTIME_ONLY),
		{EVIDENCE_CASE_SET_HUGE, EFI_INVALID_PARAMETER, EFI_OUT_OF_RESOURCES, false},
		INVALID(QUERY_NULL),
	};

	expect_cases(j, cases, COUNT(cases), EVIDENCE_BEFORE_EXIT);
	same_in_phases(j, cases, COUNT(cases));
}

static void boot_only(struct judgement *j)
{
	static const struct expected_case cases[] = {GIVES(BOOT_ONLY, EFI_NOT_FOUND, false)};

	expect_cases(j, cases, COUNT(cases), EVIDENCE_PHYSICAL);
}

static void set_volatile(struct judgement *j)
{
	static const struct expected_case cases[] = {GIVES(SET_VOLATILE, ANY_ERROR, false)};

	expect_cases(j, cases, COUNT(cases), EVIDENCE_PHYSICAL);
}

static void lifecycle(struct judgement *j)
{
	static const struct expected_case cases[] = {
		GIVES(CREATE, EFI_SUCCESS, false),
		GIVES(READ_CREATED, EFI_SUCCESS, true),
		GIVES(REPLACE, EFI_SUCCESS, false),
		GIVES(READ_REPLACED, EFI_SUCCESS, true),
		GIVES(APPEND, EFI_SUCCESS, false),
		GIVES(READ_APPENDED, EFI_SUCCESS, true),
		INVALID(MISMATCH),
		GIVES(READ_UNCHANGED, EFI_SUCCESS, true),
		GIVES(DELETE, EFI_SUCCESS, false),
		GIVES(READ_DELETED, EFI_NOT_FOUND, false),
	};

	expect_cases(j, cases, COUNT(cases), EVIDENCE_BEFORE_EXIT);
}

static void store_info(struct judgement *j)
{
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_STORE_INFO, EVIDENCE_ANY_PHASE, NULL);
	const struct evidence_store_info *info = evidence_tail(record);

	for (size_t i = 0; i < evidence_count(record); i++) {
		if (says_unsupported(j->evidence, EVIDENCE_QUERY_VARIABLE_INFO, info[i].status))
			continue;
		if (info[i].status != EFI_SUCCESS) {
			wrong(j, "answer %zu: %s", i, status_text(info[i].status).text);
			continue;
		}
		if (info[i].remaining > info[i].maximum || info[i].largest > info[i].maximum)
			wrong(j, "%llu bytes remain and the largest variable has %llu of %llu",
				(ull)info[i].remaining, (ull)info[i].largest, (ull)info[i].maximum);
		if (i && info[i].written && info[i].attributes == info[i - 1].attributes &&
			info[i].remaining >= info[i - 1].remaining)
			wrong(j, "%llu bytes remain after %u more were written, %llu before",
				(ull)info[i].remaining, info[i].written,
				(ull)info[i - 1].remaining);
	}
	if (evidence_count(record))
		seen(j, "%llu of %llu bytes remain", (ull)info[0].remaining, (ull)info[0].maximum);
	else
		skip(j, "not asked");
}

static void across_reset(struct judgement *j)
{
	static const struct expected_case cases[] = {GIVES(NEXT_BOOT_KEPT, EFI_SUCCESS, true),
		GIVES(NEXT_BOOT_GONE, EFI_NOT_FOUND, false)};

	expect_cases(j, cases, COUNT(cases), EVIDENCE_ENTRY);
}

static void enumeration(struct judgement *j)
{
	const struct evidence_record *record = NULL, *a = NULL, *b;
	uint32_t names = 0;

	while ((record = evidence_of(
			j->evidence, EVIDENCE_ENUMERATION, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_enumeration *end = evidence_head(record);

		if (says_unsupported(j->evidence, EVIDENCE_GET_NEXT_VARIABLE_NAME, end->status))
			continue;
		if (end->names >= end->limit)
			wrong(j, "no end after %u names", end->names);
		else if (end->status != EFI_NOT_FOUND)
			wrong(j, "it ends with %s", status_text(end->status).text);
		names = names ? names : end->names;
	}
	while ((a = evidence_of(j->evidence, EVIDENCE_VARIABLE, EVIDENCE_BEFORE_EXIT, a))) {
		const struct evidence_variable *head = evidence_head(a), *other;

		if (head->status != EFI_SUCCESS)
			wrong(j, "%s cannot be read: %s", variable_name(a).text,
				status_text(head->status).text);
		for (b = a; (b = evidence_of(
				     j->evidence, EVIDENCE_VARIABLE, EVIDENCE_BEFORE_EXIT, b));) {
			other = evidence_head(b);
			if (!memcmp(head->guid, other->guid, 16) &&
				head->name_size == other->name_size &&
				a->size >= sizeof *head + head->name_size &&
				b->size >= sizeof *head + head->name_size &&
				!memcmp(head + 1, other + 1, head->name_size))
				wrong(j, "%s comes twice", variable_name(a).text);
		}
	}
	seen(j, "%u names", names);
}

static const struct evidence_record *global(const struct judgement *j, const char *name)
{
	return variable_find(j->evidence, EVIDENCE_BEFORE_EXIT, guid_global, name);
}

static unsigned byte_of(const struct evidence_record *variable)
{
	return variable ? le8(variable_data(variable), 0) : 0;
}

static void secure_boot(struct judgement *j)
{
	static const struct {
		const char *name;
		const uint8_t *guid;
	} lists[] = {{"PK", guid_global}, {"KEK", guid_global}, {"db", guid_security},
		{"dbx", guid_security}};
	const struct evidence_record *setup = global(j, "SetupMode"),
				     *secure = global(j, "SecureBoot");
	unsigned there = 0;

	if (!setup && !secure) {
		skip(j, "the firmware has no Secure Boot");
		return;
	}
	if (!setup || !secure || variable_data(setup).size != 1 ||
		variable_data(secure).size != 1 || byte_of(setup) > 1 || byte_of(secure) > 1)
		wrong(j, "SetupMode and SecureBoot are not both one byte of 0 or 1");
	for (unsigned i = 0; i < COUNT(lists); i++) {
		const struct evidence_record *variable = variable_find(
			j->evidence, EVIDENCE_BEFORE_EXIT, lists[i].guid, lists[i].name);
		long count = variable ? signature_lists(variable_data(variable)) : 0;

		there |= (variable && count != 0) << i;
		if (count < 0)
			wrong(j, "%s does not parse", lists[i].name);
		if (i == 0 && count > 1)
			wrong(j, "PK has %ld keys", count);
	}
	if (byte_of(setup) == (there & 1))
		wrong(j, "SetupMode is %u and PK is %sthere", byte_of(setup),
			there & 1 ? "" : "not ");
	if (byte_of(secure) && byte_of(setup))
		wrong(j, "SecureBoot is 1 in setup mode");
	if (byte_of(secure) && !(there & 4))
		wrong(j, "SecureBoot is 1 and db is empty");
	seen(j, "SecureBoot %u, SetupMode %u", byte_of(secure), byte_of(setup));
}

static void unsigned_db(struct judgement *j)
{
	static const struct expected_case cases[] = {GIVES(UNSIGNED_DB, ANY_ERROR, false)};
	const struct evidence_record *setup = global(j, "SetupMode");

	if (!setup || byte_of(setup))
		skip(j, "not in user mode");
	else
		expect_cases(j, cases, COUNT(cases), EVIDENCE_BEFORE_EXIT);
}

static const struct evidence_record *boot_option(const struct judgement *j, unsigned number)
{
	char name[16];

	snprintf(name, sizeof name, "Boot%04X", number & 0xffff);
	return global(j, name);
}

static void is_us(struct judgement *j, unsigned current)
{
	const struct evidence_record *option = boot_option(j, current), *self;
	struct span path, ours;

	if (!option) {
		wrong(j, "BootCurrent is %04X, which is not there", current);
		return;
	}
	self = evidence_of(j->evidence, EVIDENCE_SELF, EVIDENCE_ANY_PHASE, NULL);
	if (!self || !device_path(span_of(self), &ours))
		return;
	if (load_option_path(variable_data(option), &path) && !span_contains(ours, path))
		wrong(j, "BootCurrent is %04X, which is not what we were loaded from", current);
}

static void boot_order(struct judgement *j)
{
	const struct evidence_record *order = global(j, "BootOrder"),
				     *current = global(j, "BootCurrent");
	struct span s, path;

	if (!order) {
		skip(j, "no BootOrder");
		return;
	}
	s = variable_data(order);
	if (s.size % 2)
		wrong(j, "BootOrder has %zu bytes", s.size);
	for (size_t i = 0; i + 2 <= s.size; i += 2) {
		const struct evidence_record *option = boot_option(j, le16(s, i));

		if (!option)
			wrong(j, "Boot%04X is not there", le16(s, i));
		else if (!load_option_path(variable_data(option), &path))
			wrong(j, "Boot%04X does not parse", le16(s, i));
		for (size_t k = 0; k < i; k += 2)
			if (le16(s, k) == le16(s, i))
				wrong(j, "Boot%04X comes twice", le16(s, i));
	}
	if (!current)
		wrong(j, "no BootCurrent");
	else
		is_us(j, le16(variable_data(current), 0));
}

static void store_fill(struct judgement *j)
{
	const struct evidence_store_fill *fill = evidence_head(
		evidence_of(j->evidence, EVIDENCE_STORE_FILL, EVIDENCE_ANY_PHASE, NULL));

	if (!EFI_IS_ERROR(fill->full_status))
		wrong(j, "no error when full: %s", status_text(fill->full_status).text);
	if (fill->after_delete_status != EFI_SUCCESS)
		wrong(j, "after all were deleted: %s", status_text(fill->after_delete_status).text);
	seen(j, "%llu bytes in %llu writes", (ull)fill->written, (ull)fill->writes);
}

#define CALLS                                     \
	{                                         \
		EVIDENCE_CALL, EVIDENCE_ANY_PHASE \
	}
#define LIST                                            \
	{                                               \
		EVIDENCE_VARIABLE, EVIDENCE_BEFORE_EXIT \
	}
#define VARIABLE_SERVICES \
	(SERVICE(GET_VARIABLE) | SERVICE(GET_NEXT_VARIABLE_NAME) | SERVICE(SET_VARIABLE))

static const struct check checks[] = {
	{"variables.arguments", 45, SEVERITY_E,
		"bad arguments are refused, the same before exit, physical and virtual",
		"UEFI 2.10 8.2", "the status that the specification names, in each phase", {CALLS},
		VARIABLE_SERVICES | SERVICE(QUERY_VARIABLE_INFO), .judge = arguments},
	{"variables.boot-only", 46, SEVERITY_E,
		"variables of boot services cannot be seen after exit", "UEFI 2.10 8.2",
		"NOT_FOUND", {CALLS}, SERVICE(GET_VARIABLE), .judge = boot_only},
	{"variables.volatile", 47, SEVERITY_E, "no volatile variable can be made after exit",
		"UEFI 2.10 8.2.3", "an error", {CALLS}, SERVICE(SET_VARIABLE),
		.judge = set_volatile},
	{"variables.lifecycle", 48, SEVERITY_E,
		"create, replace, append and delete; other attributes are refused",
		"UEFI 2.10 8.2.3", "what was written is read back; INVALID_PARAMETER, unchanged",
		{CALLS}, VARIABLE_SERVICES, .judge = lifecycle},
	{"variables.store-info", 49, SEVERITY_W, "QueryVariableInfo's figures fit one another",
		"UEFI 2.10 8.2", "remaining and largest at most maximum, less after a write",
		{{EVIDENCE_STORE_INFO, EVIDENCE_ANY_PHASE}}, SERVICE(QUERY_VARIABLE_INFO),
		.varies = true, .judge = store_info},
	{"variables.across-reset", 50, SEVERITY_E,
		"non-volatile variables survive a reset, volatile ones do not", "UEFI 2.10 8.2.3",
		"the first with its data, the second NOT_FOUND", {CALLS}, VARIABLE_SERVICES,
		.judge = across_reset},
	{"variables.enumeration", 51, SEVERITY_E,
		"the enumeration ends, names each once, and each can be read", "UEFI 2.10 8.2",
		"NOT_FOUND at its end, no name twice",
		{{EVIDENCE_ENUMERATION, EVIDENCE_ANY_PHASE}, LIST}, VARIABLE_SERVICES,
		.varies = true, .judge = enumeration},
	{"variables.secure-boot", 52, SEVERITY_E,
		"SetupMode, SecureBoot, PK, KEK, db and dbx fit one another",
		"UEFI 2.10 3.3 *, 32.3 *", "PK if and only if SetupMode is 0; lists parse", {LIST},
		VARIABLE_SERVICES, .judge = secure_boot},
	{"variables.unsigned-db", 53, SEVERITY_E, "an unsigned write of db is refused in user mode",
		"UEFI 2.10 8.2.3, 32.3 *", "an error", {CALLS, LIST}, SERVICE(SET_VARIABLE),
		.judge = unsigned_db},
	{"variables.boot-order", 54, SEVERITY_W,
		"BootOrder's options are there, once each; BootCurrent is us", "UEFI 2.10 3.3 *",
		"each Boot#### there and parsed; ours is what we were loaded from", {LIST},
		VARIABLE_SERVICES, .judge = boot_order},
	{"variables.store-fill", 55, SEVERITY_E, "a full store is an error, and can be emptied",
		"UEFI 2.10 8.2.3", "an error when full, SUCCESS after all were deleted",
		{{EVIDENCE_STORE_FILL, EVIDENCE_ANY_PHASE}}, SERVICE(SET_VARIABLE), .varies = true,
		.judge = store_fill},
};

const struct family family_variables = {"variables", checks, sizeof checks / sizeof *checks};
