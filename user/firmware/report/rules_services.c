/* SPDX-License-Identifier: MIT */
/* Time, monotonic count, capsules, reset, virtual addresses. */
#include "cases.h"
#include "uefi_tables.h"

typedef unsigned long long ull;

#define INVALID(name)                                                                     \
	{                                                                                 \
		EVIDENCE_CASE_##name, EFI_INVALID_PARAMETER, EFI_INVALID_PARAMETER, false \
	}
#define COUNT(array)  (sizeof(array) / sizeof *(array))
#define ZONE_NONE     2047 /* EFI_UNSPECIFIED_TIMEZONE */
#define DRIFT_SECONDS 2    /* GetTime counts whole seconds, and may be read just before one ends */
#define DRIFT_PART    50   /* and one in 50 of the interval */

#define SECONDS_MAX   INT64_C(1000000000000) /* longer than any boot: the TSC went back */

static bool is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned days_in(unsigned year, unsigned month)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

	return days[month - 1] + (month == 2 && is_leap(year));
}

/* UEFI 2.10 8.3.1. */
static bool is_valid(const struct evidence_time *t)
{
	return t->year >= 1900 && t->year <= 9999 && t->month >= 1 && t->month <= 12 &&
	       t->day >= 1 && t->day <= days_in(t->year, t->month) && t->hour < 24 &&
	       t->minute < 60 && t->second < 60 && t->nanosecond < 1000000000 &&
	       (t->zone == ZONE_NONE || (t->zone >= -1440 && t->zone <= 1440)) &&
	       !(t->daylight & ~3u);
}

static uint64_t seconds_of(const struct evidence_time *t)
{
	uint64_t days = 0;

	for (unsigned year = 1900; year < t->year; year++)
		days += is_leap(year) ? 366 : 365;
	for (unsigned month = 1; month < t->month; month++)
		days += days_in(t->year, month);
	return ((days + t->day) * 24 + t->hour) * 3600 + t->minute * 60u + t->second;
}

static void get_time(struct judgement *j)
{
	const struct evidence_machine *machine =
		evidence_head(evidence_of(j->evidence, EVIDENCE_MACHINE, EVIDENCE_ANY_PHASE, NULL));
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_TIMES, EVIDENCE_ANY_PHASE, NULL);
	const struct evidence_time *t = evidence_tail(record);
	size_t count = evidence_count(record);
	int64_t passed, ticked;
	uint64_t ticks;

	while (count && says_unsupported(j->evidence, EVIDENCE_GET_TIME, t[count - 1].status))
		count--; /* the last are those after exit */
	if (!count)
		skip(j, "not there after exit");
	for (size_t i = 0; i < count; i++) {
		if (t[i].status != EFI_SUCCESS)
			wrong(j, "GetTime gives %s", status_text(t[i].status).text);
		else if (!is_valid(&t[i]))
			wrong(j, "%u-%02u-%02u %02u:%02u:%02u.%09u, zone %d, daylight %#x",
				t[i].year, t[i].month, t[i].day, t[i].hour, t[i].minute,
				t[i].second, t[i].nanosecond, t[i].zone, t[i].daylight);
	}
	if (j->wrong || count < 2 || !machine->tsc_hz)
		return;
	passed = (int64_t)(seconds_of(&t[count - 1]) - seconds_of(&t[0]));
	ticks = (t[count - 1].tsc - t[0].tsc) / machine->tsc_hz;
	ticked = ticks < SECONDS_MAX ? (int64_t)ticks : SECONDS_MAX;
	if (passed < ticked - DRIFT_SECONDS - ticked / DRIFT_PART ||
		passed > ticked + DRIFT_SECONDS + ticked / DRIFT_PART)
		wrong(j, "%lld s by GetTime, %lld s by the TSC", (long long)passed,
			(long long)ticked);
	else
		seen(j, "%lld s by both clocks", (long long)passed);
}

static void bad_fields(struct judgement *j)
{
	static const struct expected_case cases[] = {INVALID(TIME_NULL), INVALID(SET_TIME_MONTH),
		INVALID(SET_TIME_DAY), INVALID(SET_TIME_HOUR), INVALID(SET_TIME_ZONE),
		INVALID(WAKEUP_NULL), INVALID(WAKEUP_MONTH)};

	expect_cases(j, cases, COUNT(cases), EVIDENCE_BEFORE_EXIT);
}

static void monotonic(struct judgement *j)
{
	static const enum evidence_phase order[] = {
		EVIDENCE_PREVIOUS_BOOT, EVIDENCE_BEFORE_EXIT, EVIDENCE_PHYSICAL, EVIDENCE_VIRTUAL};
	bool has_last = false;
	uint64_t last = 0;

	for (unsigned i = 0; i < COUNT(order); i++) {
		const struct evidence_record *record =
			evidence_of(j->evidence, EVIDENCE_MONOTONIC, order[i], NULL);
		const struct evidence_count *count = record ? evidence_tail(record) : NULL;

		for (size_t k = 0; record && k < evidence_count(record); k++) {
			if (says_unsupported(j->evidence, EVIDENCE_GET_NEXT_HIGH_MONOTONIC_COUNT,
				    count[k].status))
				continue;
			if (count[k].status != EFI_SUCCESS) {
				wrong(j, "%s", status_text(count[k].status).text);
				continue;
			}
			if (has_last && count[k].count <= last)
				wrong(j, "%llu after %llu", (ull)count[k].count, (ull)last);
			last = count[k].count;
			has_last = true;
		}
	}
	if (!has_last)
		skip(j, "no answer");
}

static void capsule(struct judgement *j)
{
	static const struct expected_case cases[] = {
		INVALID(CAPSULE_NONE), INVALID(CAPSULE_QUERY_NONE), INVALID(CAPSULE_QUERY_FLAGS)};

	expect_cases(j, cases, COUNT(cases), EVIDENCE_BEFORE_EXIT);
}

static void reset(struct judgement *j)
{
	static const char *const names[] = {"cold", "warm", "shutdown"};
	const struct evidence_record *record =
		evidence_of(j->evidence, EVIDENCE_RESETS, EVIDENCE_ANY_PHASE, NULL);
	const struct evidence_reset *r = evidence_tail(record);
	unsigned known = 0;

	for (size_t i = 0; i < evidence_count(record); i++) {
		if (r[i].type >= COUNT(names))
			continue;
		known |= 1u << r[i].type;
		if (!r[i].tried)
			wrong(j, "%s: nothing was done", names[r[i].type]);
		else if (r[i].port == UINT64_MAX)
			seen(j, "%s: by memory", names[r[i].type]);
		else
			seen(j, "%s: %#llx to port %#llx", names[r[i].type], (ull)r[i].value,
				(ull)r[i].port);
	}
	for (unsigned i = 0; i < COUNT(names); i++)
		if (!(known >> i & 1))
			wrong(j, "%s: not seen", names[i]);
}

static void virtual_map(struct judgement *j)
{
	static const struct expected_case cases[] = {
		{EVIDENCE_CASE_FIRST_MAP, EFI_SUCCESS, EFI_SUCCESS, false},
		{EVIDENCE_CASE_SECOND_MAP, EFI_UNSUPPORTED, EFI_UNSUPPORTED, false}};
	const struct evidence_record *before = evidence_find(
		j->evidence, EVIDENCE_TABLE, EVIDENCE_PHYSICAL, EVIDENCE_RUNTIME_TABLE);
	const struct evidence_record *after = evidence_find(
		j->evidence, EVIDENCE_TABLE, EVIDENCE_VIRTUAL, EVIDENCE_RUNTIME_TABLE);

	expect_cases(j, cases, COUNT(cases), EVIDENCE_PHYSICAL);
	if (!before || !after) {
		skip(j, "no evidence: the runtime services table before and after");
		return;
	}
	for (uint32_t i = 0; i < EVIDENCE_SERVICES; i++)
		if (i != EVIDENCE_SET_VIRTUAL_ADDRESS_MAP && i != EVIDENCE_CONVERT_POINTER &&
			le64(span_of(before), service_offset(i)) ==
				le64(span_of(after), service_offset(i)))
			wrong(j, "%s has not moved", service_name(i));
	if (!table_crc_holds(span_of(after)))
		wrong(j, "the table's CRC32 %#x is wrong", le32(span_of(after), 16));
}

#define CALLS                                     \
	{                                         \
		EVIDENCE_CALL, EVIDENCE_ANY_PHASE \
	}

static const struct check checks[] = {
	{"time.get", 56, SEVERITY_E, "GetTime's fields are valid, and it goes as the TSC does",
		"UEFI 2.10 8.3", "fields in their ranges; as many seconds as the TSC counts",
		{{EVIDENCE_TIMES, EVIDENCE_ANY_PHASE}, {EVIDENCE_MACHINE, EVIDENCE_ANY_PHASE}},
		SERVICE(GET_TIME), .varies = true, .judge = get_time},
	{"time.bad-fields", 57, SEVERITY_E, "SetTime and SetWakeupTime refuse bad fields",
		"UEFI 2.10 8.3", "INVALID_PARAMETER", {CALLS},
		SERVICE(GET_TIME) | SERVICE(SET_TIME) | SERVICE(SET_WAKEUP_TIME),
		.judge = bad_fields},
	{"services.monotonic", 58, SEVERITY_E, "the high monotonic count rises, across resets too",
		"UEFI 2.10 8.5", "each answer above the last",
		{{EVIDENCE_MONOTONIC, EVIDENCE_ANY_PHASE}}, SERVICE(GET_NEXT_HIGH_MONOTONIC_COUNT),
		.varies = true, .judge = monotonic},
	{"services.capsule", 59, SEVERITY_E, "capsule services refuse bad arguments",
		"UEFI 2.10 8.5.3", "INVALID_PARAMETER", {CALLS},
		SERVICE(UPDATE_CAPSULE) | SERVICE(QUERY_CAPSULE_CAPABILITIES), .judge = capsule},
	{"services.reset", 60, SEVERITY_E, "ResetSystem does something for each type",
		"UEFI 2.10 8.5", "cold, warm and shutdown each reach a mechanism",
		{{EVIDENCE_RESETS, EVIDENCE_ANY_PHASE}}, SERVICE(RESET_SYSTEM), .judge = reset},
	{"services.virtual-map", 61, SEVERITY_E,
		"SetVirtualAddressMap moves the pointers, once, and mends the CRC", "UEFI 2.10 8.4",
		"SUCCESS, UNSUPPORTED the second time; pointers moved, CRC32 right",
		{CALLS, {EVIDENCE_TABLE, EVIDENCE_PHYSICAL}}, SERVICE(SET_VIRTUAL_ADDRESS_MAP),
		.judge = virtual_map},
};

const struct family family_services = {"services", checks, sizeof checks / sizeof *checks};
