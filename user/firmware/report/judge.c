/* SPDX-License-Identifier: MIT */
/* Gives each check its verdict: first what holds for all of them, then the rule itself. */
#include <stdarg.h>
#include <string.h>

#include "report.h"

#define SAID_MAX 3 /* deviations that are spelt out */

unsigned report_check_count(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < report_family_count; i++)
		count += report_families[i]->count;
	return count;
}

const struct check *report_check(unsigned index)
{
	for (unsigned i = 0; i < report_family_count; i++) {
		if (index < report_families[i]->count)
			return &report_families[i]->checks[index];
		index -= report_families[i]->count;
	}
	return NULL;
}

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[VERDICTS] = {
		"PASS", "FAIL", "WARN", "OBSERVED", "SKIP", "TAINTED"};

	return names[verdict];
}

/* Names come from the firmware: what is no printable ASCII could break a line of KTAP, or a terminal. */
static __attribute__((format(printf, 2, 0))) void say(
	struct judgement *j, const char *format, va_list arguments)
{
	size_t room = sizeof j->found - j->used;
	int length;

	if (j->used && room > 3) {
		memcpy(j->found + j->used, "; ", 3);
		j->used += 2;
		room -= 2;
	}
	length = vsnprintf(j->found + j->used, room, format, arguments);
	if (length > 0)
		j->used += (size_t)length < room ? (size_t)length : room - 1;
	for (size_t i = 0; i < j->used; i++)
		if (j->found[i] < ' ' || j->found[i] > '~')
			j->found[i] = '?';
}

void wrong(struct judgement *j, const char *format, ...)
{
	va_list arguments;

	j->verdict = j->check->severity == SEVERITY_E   ? VERDICT_FAIL
		     : j->check->severity == SEVERITY_W ? VERDICT_WARN
							: VERDICT_OBSERVED;
	if (j->wrong++ >= SAID_MAX)
		return;
	va_start(arguments, format);
	say(j, format, arguments);
	va_end(arguments);
}

void seen(struct judgement *j, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(j, format, arguments);
	va_end(arguments);
}

void skip(struct judgement *j, const char *format, ...)
{
	va_list arguments;

	if (j->wrong)
		return;
	j->verdict = VERDICT_SKIP;
	j->used = 0;
	va_start(arguments, format);
	say(j, format, arguments);
	va_end(arguments);
}

static const char *phase_name(enum evidence_phase phase)
{
	static const char *const names[EVIDENCE_PHASES] = {"", " at entry", " before exit",
		" after exit", " after SetVirtualAddressMap", " of the boot before"};

	return phase < EVIDENCE_PHASES ? names[phase] : "";
}

static bool all_there(struct judgement *j)
{
	for (unsigned i = 0; i < NEEDS_MAX && j->check->needs[i].kind; i++) {
		enum evidence_kind kind = j->check->needs[i].kind;
		enum evidence_phase phase = j->check->needs[i].phase;

		if (evidence_of(j->evidence, kind, phase, NULL))
			continue;
		skip(j, "no evidence: %s%s", evidence_shape(kind)->name, phase_name(phase));
		return false;
	}
	return true;
}

/* An aborted call leaves its service in a state that nobody knows. */
static bool tainted(struct judgement *j)
{
	const struct evidence_record *record = NULL;

	while ((record = evidence_of(j->evidence, EVIDENCE_CALL, EVIDENCE_ANY_PHASE, record))) {
		const struct evidence_call *call = evidence_head(record);

		if (call->outcome == EVIDENCE_RETURNED || call->service >= EVIDENCE_SERVICES ||
			!(j->check->services >> call->service & 1))
			continue;
		j->verdict = VERDICT_TAINTED;
		seen(j, "call %u was aborted: what this service says proves nothing",
			record->index);
		return true;
	}
	return false;
}

void report_judge_one(
	struct judgement *j, const struct check *check, const struct evidence *evidence)
{
	*j = (struct judgement){.check = check, .evidence = evidence};
	if (!all_there(j) || tainted(j))
		return;
	j->verdict = check->severity == SEVERITY_I ? VERDICT_OBSERVED : VERDICT_PASS;
	check->judge(j);
	if (j->wrong > SAID_MAX)
		seen(j, "and %u more", j->wrong - SAID_MAX);
}

static void count_up(struct report *report)
{
	memset(report->totals, 0, sizeof report->totals);
	report->waived = 0;
	for (unsigned i = 0; i < report->count; i++) {
		if (report->results[i].waived)
			report->waived++;
		else
			report->totals[report->results[i].verdict]++;
	}
}

void report_judge(struct report *report, const struct evidence *evidence)
{
	report->evidence = *evidence;
	report->count = report_check_count();
	for (unsigned i = 0; i < report->count; i++)
		report_judge_one(&report->results[i], report_check(i), &report->evidence);
	count_up(report);
}

int report_exit_code(const struct report *report)
{
	return report->totals[VERDICT_FAIL] || report->totals[VERDICT_TAINTED];
}

/* A line of a waiver file: 0 where it says nothing or was understood. */
static int waive_line(struct report *report, const char *line, size_t length)
{
	size_t id = 0, reason;

	for (size_t i = 0; i < length; i++)
		if (line[i] == '#')
			length = i;
	while (length && strchr(" \t\r", line[length - 1]))
		length--;
	while (length && strchr(" \t", *line))
		line++, length--;
	if (!length)
		return 0;
	while (id < length && !strchr(" \t:", line[id]))
		id++;
	for (reason = id; reason < length && strchr(" \t:", line[reason]);)
		reason++;
	if (reason == length)
		return -1;
	for (unsigned i = 0; i < report->count; i++) {
		struct judgement *result = &report->results[i];

		if (strlen(result->check->id) != id || memcmp(result->check->id, line, id) != 0)
			continue;
		result->waived = result->verdict == VERDICT_FAIL ||
				 result->verdict == VERDICT_WARN ||
				 result->verdict == VERDICT_TAINTED;
		return 0;
	}
	return -1;
}

unsigned report_waive(struct report *report, const char *text)
{
	unsigned bad = 0;

	for (unsigned number = 1; *text; number++) {
		size_t length = strcspn(text, "\n");

		if (waive_line(report, text, length) && !bad)
			bad = number;
		text += length + (text[length] == '\n');
	}
	count_up(report);
	return bad;
}
