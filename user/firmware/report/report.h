/* SPDX-License-Identifier: MIT */
/*
 * The firmware report: what the rules say of the evidence.
 *
 * A check is one rule of the list: an identifier that is kept for ever, what it wants, where that is written, and
 * the evidence that it needs. report_judge() gives each check its verdict:
 *
 *   SKIP      its evidence is not there, or the rule says why it does not apply; never PASS without evidence
 *   TAINTED   a service that it rests on was aborted in some call, so its answers prove nothing
 *   FAIL      it is not so, and the specification says that it must be (severity E)
 *   WARN      it is not so, and others will stumble over it (severity W)
 *   OBSERVED  a record of how it is, neither good nor bad (severity I)
 *   PASS      looked at, and so
 *
 * Rules are pure: evidence in, words out; no I/O, no state, no allocation.
 */
#ifndef REPORT_H
#define REPORT_H

#include <baton/evidence.h>
#include <stdio.h>

enum verdict {
	VERDICT_PASS,
	VERDICT_FAIL,
	VERDICT_WARN,
	VERDICT_OBSERVED,
	VERDICT_SKIP,
	VERDICT_TAINTED,
	VERDICTS,
};

enum severity { SEVERITY_E = 'E', SEVERITY_W = 'W', SEVERITY_I = 'I' };

#define NEEDS_MAX 4
#define FOUND_MAX 480

struct judgement;

struct check {
	const char *id;
	unsigned number; /* in the list of checks */
	enum severity severity;
	const char *rule;     /* what must be so */
	const char *section;  /* of the specification */
	const char *expected; /* in the report's words */
	struct {
		enum evidence_kind kind;
		enum evidence_phase phase;
	} needs[NEEDS_MAX];
	uint32_t services; /* bits of enum evidence_service: aborted ones taint it */
	bool varies;       /* what is found differs from boot to boot: times, addresses, counters */
	void (*judge)(struct judgement *);
};

struct judgement {
	const struct check *check;
	const struct evidence *evidence;
	enum verdict verdict;
	unsigned wrong; /* deviations found; the first few are in `found` */
	bool waived;
	size_t used;
	char found[FOUND_MAX];
};

/* What a rule says. A deviation: the check's severity makes the verdict. */
void wrong(struct judgement *j, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Something to record, whatever the verdict; it leads to none. */
void seen(struct judgement *j, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The rule does not apply, and why. */
void skip(struct judgement *j, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The rules by family; report_check() counts through all of them. */
struct family {
	const char *name;
	const struct check *checks;
	unsigned count;
};

extern const struct family *const report_families[];
extern const unsigned report_family_count;
extern const struct family family_entry, family_tables, family_map, family_exit, family_attributes,
	family_isolation, family_variables, family_services, family_acpi, family_devices;

unsigned report_check_count(void);
const struct check *report_check(unsigned index);
const char *verdict_name(enum verdict verdict);

#define REPORT_CHECKS_MAX 96

struct report {
	struct evidence evidence;
	unsigned count;
	unsigned totals[VERDICTS], waived;
	struct judgement results[REPORT_CHECKS_MAX];
};

/* One check over the evidence. */
void report_judge_one(
	struct judgement *j, const struct check *check, const struct evidence *evidence);
/* All of them; the evidence must outlive the report. */
void report_judge(struct report *report, const struct evidence *evidence);
/* 1 where a FAIL is left that is not waived, or a TAINTED; else 0. */
int report_exit_code(const struct report *report);

/*
 * Waivers: a text of lines, each an identifier and the reason after it; # begins a comment. Marks the results;
 * returns the number of the first line that names no check or gives no reason, or 0.
 */
unsigned report_waive(struct report *report, const char *text);

/* For people; `colours`: with escapes. `all`: what passed too. */
enum table_options { TABLE_PLAIN = 0, TABLE_COLOURS = 1, TABLE_ALL = 2 };
void report_table(const struct report *report, FILE *out, enum table_options options);
/* KTAP in two parts, so that a hang names itself: the plan; each check is announced, then answered. */
void ktap_plan(FILE *out, unsigned count);
void ktap_announce(FILE *out, unsigned number, const struct check *check);
void ktap_result(FILE *out, unsigned number, const struct judgement *result);
void report_junit(const struct report *report, FILE *out);
/* One JSON document: the checks, the totals, and the evidence as base64 for judging again. */
void report_json(const struct report *report, FILE *out);
/* The same between two lines with its length and CRC-32, for a serial line. 0, or -1: no memory. */
int report_json_framed(const struct report *report, FILE *out);

/* What changed from `before` to `after`, in words on `out`; returns the number of changes. */
unsigned report_compare(const struct report *before, const struct report *after, FILE *out);

#endif
