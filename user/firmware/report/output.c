/* SPDX-License-Identifier: MIT */
/* The report for people and for machines: the table, KTAP, JUnit's XML. */
#include "report.h"

#include <string.h>

static const char *colour(enum verdict verdict)
{
	static const char *const colours[VERDICTS] = {
		"\33[32m", "\33[1;31m", "\33[33m", "\33[36m", "\33[2m", "\33[35m"};

	return colours[verdict];
}

static void put_verdict(FILE *out, const struct judgement *result, bool colours)
{
	const char *name = result->waived ? "waived" : verdict_name(result->verdict);

	if (colours)
		fprintf(out, "%s%-8s\33[0m", result->waived ? "\33[2m" : colour(result->verdict),
			name);
	else
		fprintf(out, "%-8s", name);
}

static void put_summary(const struct report *report, FILE *out, bool colours)
{
	static const enum verdict order[] = {VERDICT_FAIL, VERDICT_TAINTED, VERDICT_WARN,
		VERDICT_PASS, VERDICT_OBSERVED, VERDICT_SKIP};

	fprintf(out, "%u checks:", report->count);
	for (unsigned i = 0; i < VERDICTS; i++) {
		enum verdict verdict = order[i];

		if (colours && report->totals[verdict])
			fprintf(out, " %s%u %s\33[0m", colour(verdict), report->totals[verdict],
				verdict_name(verdict));
		else
			fprintf(out, " %u %s", report->totals[verdict], verdict_name(verdict));
	}
	if (report->waived)
		fprintf(out, " %u waived", report->waived);
	fputc('\n', out);
}

/* What fails is spelt out; what is well has one line. */
static void put_row(const struct judgement *result, FILE *out, bool colours)
{
	const struct check *check = result->check;

	put_verdict(out, result, colours);
	fprintf(out, " %c %-28s %s\n", check->severity, check->id, check->rule);
	if (result->used)
		fprintf(out, "%11sfound:    %s\n", "", result->found);
	if (result->verdict == VERDICT_FAIL || result->verdict == VERDICT_WARN)
		fprintf(out, "%11sexpected: %s (%s)\n", "", check->expected, check->section);
}

void report_table(const struct report *report, FILE *out, enum table_options options)
{
	bool colours = options & TABLE_COLOURS;
	unsigned at = 0;

	put_summary(report, out, colours);
	for (unsigned f = 0; f < report_family_count; f++) {
		bool headed = false;

		for (unsigned i = 0; i < report_families[f]->count; i++, at++) {
			const struct judgement *result = &report->results[at];

			if (result->verdict == VERDICT_PASS && !(options & TABLE_ALL))
				continue;
			if (!headed)
				fprintf(out, "\n%s\n", report_families[f]->name);
			headed = true;
			put_row(result, out, colours);
		}
	}
	fputc('\n', out);
	put_summary(report, out, colours);
}

void ktap_plan(FILE *out, unsigned count)
{
	fprintf(out, "KTAP version 1\n1..%u\n", count);
	fflush(out);
}

void ktap_announce(FILE *out, unsigned number, const struct check *check)
{
	fprintf(out, "# %u %s: %s\n", number, check->id, check->rule);
	fflush(out);
}

/* What is waived or a warning is no failure of the test, and says so. */
void ktap_result(FILE *out, unsigned number, const struct judgement *result)
{
	bool bad = result->verdict == VERDICT_FAIL || result->verdict == VERDICT_TAINTED;

	if (result->used)
		fprintf(out, "# found: %s\n", result->found);
	if (bad)
		fprintf(out, "# expected: %s (%s)\n", result->check->expected,
			result->check->section);
	fprintf(out, "%s %u %s", bad ? "not ok" : "ok", number, result->check->id);
	if (result->waived)
		fputs(" # TODO waived", out);
	else if (result->verdict == VERDICT_SKIP)
		fprintf(out, " # SKIP %s", result->found);
	else if (result->verdict != VERDICT_PASS && result->verdict != VERDICT_FAIL)
		fprintf(out, " # %s", verdict_name(result->verdict));
	fputc('\n', out);
	fflush(out);
}

static void put_xml(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;

		if (strchr("<>&\"'", c))
			fprintf(out, "&#%u;", c);
		else
			fputc(c < ' ' || c == 0x7f ? '?' : c, out);
	}
}

static void put_case(const struct judgement *result, const char *family, FILE *out)
{
	bool bad = result->verdict == VERDICT_FAIL || result->verdict == VERDICT_TAINTED;
	const char *element = result->verdict == VERDICT_SKIP || (bad && result->waived) ? "skipped"
			      : bad                                                      ? "failure"
											 : NULL;

	fprintf(out, "  <testcase classname=\"firmware.%s\" name=\"%s\">\n", family,
		result->check->id);
	if (element) {
		fprintf(out, "    <%s message=\"%s%s: ", element, result->waived ? "waived, " : "",
			verdict_name(result->verdict));
		put_xml(out, result->found);
		fputs("\">", out);
		put_xml(out, "expected: ");
		put_xml(out, result->check->expected);
		fprintf(out, "</%s>\n", element);
	} else if (result->used) {
		fprintf(out, "    <system-out>%s: ", verdict_name(result->verdict));
		put_xml(out, result->found);
		fputs("</system-out>\n", out);
	}
	fputs("  </testcase>\n", out);
}

void report_junit(const struct report *report, FILE *out)
{
	unsigned at = 0, bad = report->totals[VERDICT_FAIL] + report->totals[VERDICT_TAINTED];
	unsigned skipped = report->totals[VERDICT_SKIP];

	for (unsigned i = 0; i < report->count; i++)
		skipped += report->results[i].waived && report->results[i].verdict != VERDICT_WARN;
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuite name=\"firmware\" tests=\"%u\" failures=\"%u\" skipped=\"%u\">\n",
		report->count, bad, skipped);
	for (unsigned f = 0; f < report_family_count; f++)
		for (unsigned i = 0; i < report_families[f]->count; i++, at++)
			put_case(&report->results[at], report_families[f]->name, out);
	fputs("</testsuite>\n", out);
}
