/* SPDX-License-Identifier: MIT */
/*
 * Each rule against a made-up firmware that is well, then against one with a single fault: exactly the checks that
 * the fault declares change, to exactly those verdicts. Each check has a fault, and none passes without evidence.
 */
#include "sample.h"

#include <stdlib.h>

static const struct fault_list *const lists[] = {
	&faults_entry,
	&faults_tables,
	&faults_map,
	&faults_exit,
	&faults_attributes,
	&faults_isolation,
	&faults_variables,
	&faults_services,
	&faults_acpi,
	&faults_devices,
};

static _Alignas(8) uint8_t buffer[SAMPLE_BYTES];
static struct sample sample;
static struct report good, bad;
static bool touched[REPORT_CHECKS_MAX];
static unsigned failures;

static void fail(const char *what, const char *id, const char *found)
{
	printf("%s: %s: %s\n", what, id, found);
	failures++;
}

static void judge(struct report *report, const char *what)
{
	struct evidence e;
	const char *error = evidence_open(&e, buffer, sample_write(&sample, buffer));

	if (error)
		fail(what, "the evidence", error);
	else
		report_judge(report, &e);
}

/* What the firmware that is well gets: what is only done when asked for is not there. */
static enum verdict well(const struct check *check)
{
	if (!strcmp(check->id, "variables.store-fill"))
		return VERDICT_SKIP;
	return check->severity == SEVERITY_I ? VERDICT_OBSERVED : VERDICT_PASS;
}

static void test_good(void)
{
	sample_good(&sample);
	judge(&good, "the firmware that is well");
	for (unsigned i = 0; i < good.count; i++)
		if (good.results[i].verdict != well(good.results[i].check))
			fail(verdict_name(good.results[i].verdict), good.results[i].check->id,
				good.results[i].found);
}

static enum verdict declared(const struct fault *fault, const struct judgement *before)
{
	for (unsigned i = 0; i < sizeof fault->changes / sizeof *fault->changes; i++)
		if (fault->changes[i].id && !strcmp(fault->changes[i].id, before->check->id))
			return fault->changes[i].verdict;
	return before->verdict;
}

static void test_fault(const struct fault *fault)
{
	unsigned known = 0, wanted = 0;

	sample_good(&sample);
	fault->commit(&sample);
	judge(&bad, fault->name);
	while (wanted < sizeof fault->changes / sizeof *fault->changes && fault->changes[wanted].id)
		wanted++;
	for (unsigned i = 0; i < bad.count; i++) {
		enum verdict expected = declared(fault, &good.results[i]);

		known += expected != good.results[i].verdict;
		if (bad.results[i].verdict != expected) {
			printf("expected %s: ", verdict_name(expected));
			fail(fault->name, bad.results[i].check->id, bad.results[i].found);
		}
		if (bad.results[i].wrong && bad.results[i].verdict == expected)
			touched[i] = true;
		if (bad.results[i].check->severity == SEVERITY_I &&
			strcmp(bad.results[i].found, good.results[i].found) != 0)
			touched[i] = true;
	}
	if (known != wanted)
		fail(fault->name, "its declaration", "names a check that is none, or no change");
}

/* Without any evidence nothing passes and nothing fails. */
static void test_nothing(void)
{
	sample_good(&sample);
	sample.without = UINT64_MAX;
	judge(&bad, "no evidence");
	for (unsigned i = 0; i < bad.count; i++)
		if (bad.results[i].verdict != VERDICT_SKIP || !bad.results[i].used)
			fail("no evidence", bad.results[i].check->id, "is not skipped");
}

/* Without one kind of evidence: a check that needs it is skipped, any other as before. */
static void test_without_one(void)
{
	for (unsigned kind = 1; kind < EVIDENCE_KIND_END; kind++) {
		sample_good(&sample);
		sample.without = UINT64_C(1) << kind;
		judge(&bad, "evidence left out");
		for (unsigned i = 0; i < bad.count; i++) {
			const struct check *check = bad.results[i].check;

			for (unsigned n = 0; n < NEEDS_MAX; n++)
				if (check->needs[n].kind == kind &&
					bad.results[i].verdict != VERDICT_SKIP)
					fail("evidence left out", check->id, "is not skipped");
		}
	}
}

static void test_list(void)
{
	for (unsigned i = 0; i < good.count; i++) {
		const struct check *check = report_check(i);

		if (!check->needs[0].kind)
			fail("the list", check->id, "needs no evidence");
		for (unsigned k = 0; k < i; k++)
			if (!strcmp(check->id, report_check(k)->id) ||
				check->number == report_check(k)->number)
				fail("the list", check->id, "stands there twice");
		if (!touched[i])
			fail("the list", check->id, "no fault changes what it says");
	}
}

int main(void)
{
	unsigned count = 0;

	if (report_check_count() > REPORT_CHECKS_MAX)
		abort();
	test_good();
	for (unsigned i = 0; i < sizeof lists / sizeof *lists; i++)
		for (unsigned k = 0; k < lists[i]->count; k++, count++)
			test_fault(&lists[i]->faults[k]);
	test_nothing();
	test_without_one();
	test_list();
	printf("%u checks, %u faults: %s\n", good.count, count, failures ? "failed" : "passed");
	return failures != 0;
}
