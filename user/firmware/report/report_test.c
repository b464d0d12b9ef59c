/* SPDX-License-Identifier: MIT */
/* What the report says in each of its forms, waivers, comparing, taint; then evidence mutated at random: run on the host. */
#include "hash.h"
#include "sample.h"

#include <stdlib.h>

#define ROUNDS 3000u

static _Alignas(8) uint8_t buffers[2][SAMPLE_BYTES];
static struct sample sample;
static struct report reports[2];
static unsigned failures;

static void expect(const char *what, bool held)
{
	if (!held) {
		printf("not so: %s\n", what);
		failures++;
	}
}

static void judge(unsigned which)
{
	struct evidence e;

	expect("the evidence opens",
		!evidence_open(&e, buffers[which], sample_write(&sample, buffers[which])));
	report_judge(&reports[which], &e);
}

/* Two faults: one E, one W. */
static void judge_bad(unsigned which)
{
	sample_good(&sample);
	sample.cpu.fcw = 0x27f;
	sample.map_before.at[MAP_LOW].type = MEMORY_RESERVED;
	judge(which);
}

static char *text_of(void (*put_text_of)(const struct report *report, FILE *out))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort();
	put_text_of(&reports[0], out);
	if (fclose(out))
		abort();
	return text;
}

static void plain_table(const struct report *report, FILE *out)
{
	report_table(report, out, TABLE_PLAIN);
}

static void coloured_table(const struct report *report, FILE *out)
{
	report_table(report, out, TABLE_COLOURS | TABLE_ALL);
}

static void all_ktap(const struct report *report, FILE *out)
{
	ktap_plan(out, report->count);
	for (unsigned i = 0; i < report->count; i++) {
		ktap_announce(out, i + 1, report->results[i].check);
		ktap_result(out, i + 1, &report->results[i]);
	}
}

static void expect_in(void (*put_text_of)(const struct report *report, FILE *out),
	const char *const wanted[], unsigned count)
{
	char *text = text_of(put_text_of);

	for (unsigned i = 0; i < count; i++)
		expect(wanted[i], strstr(text, wanted[i]) != NULL);
	free(text);
}

#define EXPECT_IN(put_text_of, ...)                                \
	expect_in(put_text_of, (const char *const[]){__VA_ARGS__}, \
		sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void test_outputs(void)
{
	judge_bad(0);
	EXPECT_IN(plain_table, ": 1 FAIL 0 TAINTED 1 WARN", "FAIL     E entry.fpu ",
		"found:    FCW is 0x27f", "expected: FCW 0x37f, MXCSR 0x1f80 (UEFI 2.10 2.3.4)",
		"WARN     W map.low-memory");
	EXPECT_IN(coloured_table, "\33[1;31mFAIL", "\33[32mPASS");
	EXPECT_IN(all_ktap, "KTAP version 1\n1..", "# 6 entry.fpu: x87", "not ok 6 entry.fpu\n",
		"ok 1 entry.cr0-em-ts\n", "map.low-memory # WARN\n", "# OBSERVED\n");
	EXPECT_IN(report_junit, "failures=\"1\"",
		"name=\"entry.fpu\">\n    <failure message=\"FAIL: FCW");
	EXPECT_IN(report_json, "{\"schema\": 1,", "\"id\": \"entry.fpu\"", "\"verdict\": \"FAIL\"",
		"\"observed\": \"FCW is 0x27f\"", "\"evidence\": [");
	expect("a FAIL is exit code 1", report_exit_code(&reports[0]) == 1);
}

/* An image whose name would be a result, a colour and no UTF-8. */
static void test_hostile_name(void)
{
	sample_good(&sample);
	strcpy(sample.image.name, "x\nok 38 \33[31m\xff");
	sample.violation = (struct evidence_violation){.service = EVIDENCE_GET_TIME,
		.what = EVIDENCE_OUTSIDE,
		.access = EVIDENCE_WRITE,
		.memory_type = MEMORY_BOOT_DATA,
		.ip = sample.image.base};
	sample.violation_phase = EVIDENCE_PHYSICAL;
	judge(0);
	EXPECT_IN(all_ktap, "by x?ok 38 ?[31m? (", "not ok 38 isolation.outside\n");
	EXPECT_IN(plain_table, "by x?ok 38 ?[31m? (");
}

static void test_waivers(void)
{
	judge_bad(0);
	expect("a waiver file is read",
		!report_waive(
			&reports[0], "# known\n\n  entry.fpu: ticket 12 # later\nentry.flags x\n"));
	expect("what is waived does not fail", report_exit_code(&reports[0]) == 0);
	expect("one is waived, what passes is not", reports[0].waived == 1);
	EXPECT_IN(plain_table, "waived   E entry.fpu", " 1 waived");
	EXPECT_IN(all_ktap, "not ok 6 entry.fpu # TODO waived");
	EXPECT_IN(report_junit, "failures=\"0\"", "<skipped message=\"waived, FAIL");
	expect("a line without a reason is named", report_waive(&reports[0], "\nentry.fpu\n") == 2);
	expect("a line of no check is named", report_waive(&reports[0], "entry.fp x") == 1);
}

static unsigned compare(char **text)
{
	size_t size;
	FILE *out = open_memstream(text, &size);
	unsigned changes;

	if (!out)
		abort();
	changes = report_compare(&reports[0], &reports[1], out);
	if (fclose(out))
		abort();
	return changes;
}

static void test_compare(void)
{
	char *text;

	sample_good(&sample);
	judge(0);
	judge(1);
	expect("nothing changed", compare(&text) == 0 && !*text);
	free(text);
	judge_bad(1);
	expect("two verdicts, one region that went and one that came", compare(&text) == 4);
	expect("a verdict", strstr(text, "entry.fpu: FAIL, was PASS: FCW is 0x27f\n"));
	expect("a region", strstr(text, "memory map: went: 0x1000-0x9ffff conventional"));
	expect("another", strstr(text, "memory map: came: 0x1000-0x9ffff reserved"));
	free(text);
	sample_good(&sample);
	sample.acpi[HPET].size = 0;
	sample.acpi[DSDT].data[38] ^= 1;
	sample.acpi[DSDT].data[39] ^= 1;
	judge(1);
	compare(&text);
	expect("a table that went", strstr(text, "ACPI table HPET went\n"));
	expect("a table that changed", strstr(text, "ACPI table DSDT has other content"));
	free(text);
}

static void test_framed(void)
{
	size_t length;
	unsigned crc;
	char *text = NULL, *json;
	FILE *out = open_memstream(&text, &length);

	judge_bad(0);
	if (!out || report_json_framed(&reports[0], out) || fclose(out))
		abort();
	json = strchr(text, '\n') + 1;
	expect("the frame's head", sscanf(text, "BATON-REPORT-BEGIN %zu %8x", &length, &crc) == 2);
	expect("its length", !strcmp(json + length, "BATON-REPORT-END\n"));
	expect("its checksum", crc == baton_crc32(0, json, length));
	free(text);
}

static bool is_header[SAMPLE_BYTES]; /* bytes of buffers[0] that belong to no record's content */

static void find_headers(size_t size)
{
	const struct evidence_record *record = NULL;
	struct evidence e = {buffers[0], size};

	memset(is_header, true, size);
	while ((record = evidence_next(&e, record)))
		memset(is_header + ((const uint8_t *)evidence_head(record) - buffers[0]), false,
			record->size);
}

/* A few bytes of the content, a record's header once in a while; the checksum is right. */
static void mutate(uint8_t *copy, size_t size)
{
	struct evidence_header *header = (void *)copy;

	for (int change = rand() % 40; change >= 0; change--) {
		size_t at = sizeof *header + (size_t)rand() % (size - sizeof *header);

		if (!is_header[at] || rand() % 256 == 0)
			copy[at] = (uint8_t)(rand() % 4 ? rand() : rand() % 2 ? 0xff : 0);
	}
	header->crc32 = 0;
	header->crc32 = baton_crc32(0, copy, size);
}

/* Every rule and every output over evidence with bytes changed: no crash, no endless loop, no read outside. */
static void test_mutated(void)
{
	FILE *null = fopen("/dev/null", "w");
	unsigned opened = 0;
	size_t size;

	if (!null)
		abort();
	sample_good(&sample);
	size = sample_write(&sample, buffers[0]);
	find_headers(size);
	srand(6);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct evidence e;
		uint8_t *copy = malloc(size);

		if (!copy)
			abort();
		memcpy(copy, buffers[0], size);
		mutate(copy, size);
		if (!evidence_open(&e, copy, size)) {
			opened++;
			report_judge(&reports[1], &e);
			if (round % 50 == 0) {
				report_json(&reports[1], null);
				report_junit(&reports[1], null);
				coloured_table(&reports[1], null);
			}
			if (round % 50 == 1)
				report_compare(&reports[0], &reports[1], null);
		}
		free(copy);
	}
	expect("most of what was changed still opens", opened > ROUNDS / 2);
	fclose(null);
}

/* FIPS 180's "abc", and 64 zeros, whose padding is a block of its own. */
static void test_hash(void)
{
	static const uint8_t sha1_abc[] = {0xa9, 0x99, 0x3e, 0x36},
			     sha1_zeros[] = {0xc8, 0xd7, 0xd0, 0xef},
			     sha256_abc[] = {0xba, 0x78, 0x16, 0xbf},
			     sha256_zeros[] = {0xf5, 0xa5, 0xfd, 0x42};
	static const uint8_t zeros[64];
	uint8_t digest[32];

	hash(HASH_SHA1, (const uint8_t *)"abc", 3, digest);
	expect("SHA-1 of abc", !memcmp(digest, sha1_abc, 4));
	hash(HASH_SHA1, zeros, 64, digest);
	expect("SHA-1 of zeros", !memcmp(digest, sha1_zeros, 4));
	hash(HASH_SHA256, (const uint8_t *)"abc", 3, digest);
	expect("SHA-256 of abc", !memcmp(digest, sha256_abc, 4));
	hash(HASH_SHA256, zeros, 64, digest);
	expect("SHA-256 of zeros", !memcmp(digest, sha256_zeros, 4));
}

int main(void)
{
	test_hash();
	test_outputs();
	test_hostile_name();
	test_waivers();
	test_compare();
	test_framed();
	sample_good(&sample);
	judge(0);
	test_mutated();
	printf("%s\n", failures ? "failed" : "passed");
	return failures != 0;
}
