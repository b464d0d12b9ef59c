/* SPDX-License-Identifier: MIT */
/*
 * firmware-report: judges evidence, compares two of it, lists the checks.
 *
 *	firmware-report judge EVIDENCE [--all] [--colours] [--waivers F] [--json F] [--framed F] [--ktap F] [--junit F]
 *	firmware-report compare BEFORE AFTER
 *	firmware-report checks | kinds | cases	tables for docs/
 *
 * EVIDENCE is a file of include/baton/evidence.h, F may be - for standard output (then no table is printed there).
 * Exit code: 0 nothing failed, or nothing changed; 1 something did; 2 it could not be done.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "report.h"

#define EXIT_TROUBLE 2

static struct report reports[2];

static void die(const char *path, const char *why)
{
	fprintf(stderr, "firmware-report: %s: %s\n", path, why);
	exit(EXIT_TROUBLE);
}

/* The whole file with a NUL after it; the caller never frees it. */
static char *read_file(const char *path, size_t *size)
{
	FILE *in = fopen(path, "rb");
	size_t room = 1 << 16, used = 0, got;
	char *text = malloc(room);

	if (!in)
		die(path, strerror(errno));
	while (text && (got = fread(text + used, 1, room - used - 1, in)) > 0) {
		used += got;
		if (used > EVIDENCE_MAX)
			die(path, "it is too long");
		if (used == room - 1)
			text = realloc(text, room *= 2);
	}
	if (!text)
		die(path, "no memory");
	if (ferror(in))
		die(path, "it cannot be read");
	fclose(in);
	text[used] = 0;
	*size = used;
	return text;
}

static void open_evidence(const char *path, struct evidence *e)
{
	size_t size;
	char *data = read_file(path, &size);
	const char *error = evidence_open(e, data, size);

	if (error)
		die(path, error);
}

static FILE *open_output(const char *path)
{
	FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");

	if (!out)
		die(path, strerror(errno));
	return out;
}

static void close_output(FILE *out, const char *path)
{
	if (ferror(out) || (out == stdout ? fflush(out) : fclose(out)))
		die(path, "it could not be written whole");
}

static void put_ktap(const struct report *report, FILE *out)
{
	ktap_plan(out, report->count);
	for (unsigned i = 0; i < report->count; i++) {
		ktap_announce(out, i + 1, report->results[i].check);
		ktap_result(out, i + 1, &report->results[i]);
	}
}

static void put_framed(const struct report *report, FILE *out)
{
	if (report_json_framed(report, out) < 0)
		die("--framed", "no memory");
}

static const struct {
	const char *option;
	void (*put)(const struct report *report, FILE *out);
} outputs[] = {{"--json", report_json}, {"--framed", put_framed}, {"--ktap", put_ktap},
	{"--junit", report_junit}};

static int usage(void)
{
	fputs("usage: firmware-report judge EVIDENCE [--all] [--colours] [--waivers F] [--json F] "
	      "[--framed F] [--ktap F] [--junit F]\n"
	      "       firmware-report compare BEFORE AFTER\n"
	      "       firmware-report checks | kinds | cases\n",
		stderr);
	return EXIT_TROUBLE;
}

static void waive(struct report *report, const char *path)
{
	size_t size;
	unsigned line = report_waive(report, read_file(path, &size));

	if (!line)
		return;
	fprintf(stderr, "firmware-report: %s:%u: expected a check's identifier and a reason\n",
		path, line);
	exit(EXIT_TROUBLE);
}

/* An option that goes with a file; false: none of them. */
static bool with_file(struct report *report, const char *option, const char *path, bool *table)
{
	if (strcmp(option, "--waivers") == 0)
		return true;
	for (unsigned i = 0; i < sizeof outputs / sizeof *outputs; i++) {
		FILE *out;

		if (strcmp(option, outputs[i].option) != 0)
			continue;
		out = open_output(path);
		if (out == stdout)
			*table = false;
		outputs[i].put(report, out);
		close_output(out, path);
		return true;
	}
	return false;
}

static int judge(int count, char **arguments)
{
	enum table_options options = TABLE_PLAIN;
	struct evidence e;
	bool table = true;

	if (count < 1)
		return usage();
	open_evidence(arguments[0], &e);
	report_judge(&reports[0], &e);
	for (int i = 1; i + 1 < count; i++)
		if (strcmp(arguments[i], "--waivers") == 0)
			waive(&reports[0], arguments[i + 1]);
	for (int i = 1; i < count; i++) {
		if (strcmp(arguments[i], "--all") == 0)
			options |= TABLE_ALL;
		else if (strcmp(arguments[i], "--colours") == 0)
			options |= TABLE_COLOURS;
		else if (i + 1 < count &&
			 with_file(&reports[0], arguments[i], arguments[i + 1], &table))
			i++;
		else
			return usage();
	}
	if (table) {
		report_table(&reports[0], stdout, options);
		close_output(stdout, "standard output");
	}
	return report_exit_code(&reports[0]);
}

static int compare(int count, char **arguments)
{
	struct evidence e;
	unsigned changes;

	if (count != 2)
		return usage();
	for (int i = 0; i < 2; i++) {
		open_evidence(arguments[i], &e);
		report_judge(&reports[i], &e);
	}
	changes = report_compare(&reports[0], &reports[1], stdout);
	if (!changes)
		puts("nothing changed");
	close_output(stdout, "standard output");
	return changes != 0;
}

static void put_needs(const struct check *check)
{
	static const char *const phases[EVIDENCE_PHASES] = {
		"", " at entry", " before exit", " after exit", " virtual", " of the boot before"};

	for (unsigned i = 0; i < NEEDS_MAX && check->needs[i].kind; i++)
		printf("%s%s%s", i ? ", " : "", evidence_shape(check->needs[i].kind)->name,
			phases[check->needs[i].phase]);
}

static int list_checks(void)
{
	for (unsigned i = 0; i < report_check_count(); i++) {
		const struct check *check = report_check(i);

		printf("| %u | `%s` | %c | %s | %s | %s | ", check->number, check->id,
			check->severity, check->rule, check->expected, check->section);
		put_needs(check);
		printf(" | %s |\n", check->varies ? "no" : "yes");
	}
	return 0;
}

static int list_kinds(void)
{
	for (unsigned kind = 0; kind < EVIDENCE_KIND_END; kind++) {
		const struct evidence_shape *shape = evidence_shape(kind);

		if (shape)
			printf("| %u | %s | %u | %u | %s |\n", kind, shape->name, shape->head,
				shape->element, shape->text);
	}
	return 0;
}

static int list_cases(void)
{
#define X(name, number, service, text) printf("| %u | %s |\n", number, text);
	EVIDENCE_CASES(X)
#undef X
	return 0;
}

int main(int count, char **arguments)
{
	if (count >= 2 && strcmp(arguments[1], "judge") == 0)
		return judge(count - 2, arguments + 2);
	if (count >= 2 && strcmp(arguments[1], "compare") == 0)
		return compare(count - 2, arguments + 2);
	if (count == 2 && strcmp(arguments[1], "checks") == 0)
		return list_checks();
	if (count == 2 && strcmp(arguments[1], "kinds") == 0)
		return list_kinds();
	if (count == 2 && strcmp(arguments[1], "cases") == 0)
		return list_cases();
	return usage();
}
