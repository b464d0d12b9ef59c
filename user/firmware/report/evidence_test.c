/* SPDX-License-Identifier: MIT */
/* Evidence written and read back, every bit of it changed, and records whose sizes lie: run on the host. */
#include <baton/evidence.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROUNDS 200000u

static unsigned failures;

static void expect(const char *what, bool held)
{
	if (!held) {
		printf("not so: %s\n", what);
		failures++;
	}
}

/* A copy of just that size on the heap, so that ASan sees a read beyond it. */
static const char *open_copy(const void *data, size_t size, struct evidence *e, void **copy)
{
	*copy = malloc(size ? size : 1);
	if (!*copy)
		abort();
	memcpy(*copy, data, size);
	return evidence_open(e, *copy, size);
}

static size_t write_good(void *buffer, size_t capacity)
{
	struct evidence_writer w;
	struct evidence_machine machine = {.tsc_hz = 1000};
	struct evidence_blob blob = {0x1000};
	struct evidence_msr msrs[3] = {{0x277, 1}, {0xfe, 2}, {~0ull, 3}};

	evidence_begin(&w, buffer, capacity);
	evidence_add(
		&w, EVIDENCE_MACHINE, EVIDENCE_ENTRY, 0, &machine, sizeof machine, "vendor", 6);
	evidence_add(&w, EVIDENCE_MSRS, EVIDENCE_ENTRY, 0, NULL, 0, msrs, sizeof msrs);
	evidence_add(&w, EVIDENCE_ACPI, EVIDENCE_ENTRY, 0, &blob, sizeof blob, "abc", 3);
	evidence_add(&w, EVIDENCE_ACPI, EVIDENCE_PHYSICAL, 1, &blob, sizeof blob, NULL, 0);
	return evidence_seal(&w);
}

static void test_round_trip(void)
{
	_Alignas(8) uint8_t buffer[512];
	size_t size = write_good(buffer, sizeof buffer);
	const struct evidence_record *record;
	struct evidence e;
	unsigned count = 0;

	expect("what was written opens", !evidence_open(&e, buffer, size));
	record = evidence_find(&e, EVIDENCE_MACHINE, EVIDENCE_ENTRY, 0);
	expect("the tail is what follows the structure",
		record && evidence_tail_size(record) == 6 &&
			!memcmp(evidence_tail(record), "vendor", 6));
	record = evidence_find(&e, EVIDENCE_MSRS, EVIDENCE_ANY_PHASE, 0);
	expect("three elements", record && evidence_count(record) == 3);
	for (record = NULL; (record = evidence_of(&e, EVIDENCE_ACPI, EVIDENCE_ANY_PHASE, record));)
		count++;
	expect("two of a kind", count == 2);
	record = evidence_find(&e, EVIDENCE_ACPI, EVIDENCE_PHYSICAL, 1);
	expect("an empty blob", record && evidence_tail_size(record) == 0);
	expect("not there in another phase",
		!evidence_find(&e, EVIDENCE_ACPI, EVIDENCE_VIRTUAL, 1));
}

static void test_every_bit(void)
{
	_Alignas(8) uint8_t buffer[512];
	size_t size = write_good(buffer, sizeof buffer);
	struct evidence e;

	for (size_t bit = 0; bit < size * 8; bit++) {
		buffer[bit / 8] ^= (uint8_t)(1 << bit % 8);
		expect("a changed bit is refused", evidence_open(&e, buffer, size) != NULL);
		buffer[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (size_t cut = 0; cut < size; cut++)
		expect("a shorter one is refused", evidence_open(&e, buffer, cut) != NULL);
}

/* In a buffer of each size: what has no room is left out whole and counted, and the rest can be read. */
static void test_no_room(void)
{
	_Alignas(8) uint8_t big[512];
	size_t whole = write_good(big, sizeof big);

	for (size_t capacity = 0; capacity <= whole; capacity++) {
		uint64_t *buffer = malloc(capacity ? capacity : 1);
		struct evidence_writer w;
		struct evidence e;
		size_t size;

		if (!buffer)
			abort();
		evidence_begin(&w, buffer, capacity);
		evidence_add(&w, EVIDENCE_EDID, EVIDENCE_ENTRY, 0, NULL, 0, big, 100);
		evidence_add(&w, EVIDENCE_EDID, EVIDENCE_ENTRY, 1, NULL, 0, big, 7);
		evidence_add(&w, EVIDENCE_EDID, EVIDENCE_ENTRY, 2, NULL, 0, big, SIZE_MAX - 8);
		size = evidence_seal(&w);
		expect("no more than its room", size <= capacity);
		expect("all are written or counted", w.records + w.left_out == 3);
		expect("it opens, or there was no room for a header",
			size ? !evidence_open(&e, buffer, size)
			     : capacity < sizeof(struct evidence_header));
		free(buffer);
	}
}

/* Sizes and kinds made up, checksum right: refused or readable within its bounds. */
static void test_lies(void)
{
	_Alignas(8) uint8_t good[512], bad[512];
	size_t size = write_good(good, sizeof good);
	unsigned refused = 0;

	srand(1);
	for (unsigned round = 0; round < ROUNDS; round++) {
		struct evidence_header *header = (void *)bad;
		struct evidence e;
		unsigned sum = 0;
		void *copy;

		memcpy(bad, good, size);
		for (int change = rand() % 3; change >= 0; change--)
			bad[sizeof *header + (size_t)rand() % (size - sizeof *header)] =
				(uint8_t)(rand() % 3 ? rand() % 64 : rand());
		header->crc32 = 0;
		header->crc32 = baton_crc32(0, bad, size);
		if (open_copy(bad, size, &e, &copy)) {
			refused++;
		} else {
			const struct evidence_record *record = NULL;

			while ((record = evidence_next(&e, record))) {
				const uint8_t *byte = evidence_head(record);

				for (size_t i = 0; i < record->size; i++)
					sum += byte[i];
				if (evidence_shape(record->kind) &&
					evidence_shape(record->kind)->element)
					sum += (unsigned)evidence_count(record);
			}
		}
		free(copy);
		(void)sum;
	}
	expect("some lies were refused", refused > ROUNDS / 100);
	expect("some were not", refused < ROUNDS);
}

int main(void)
{
	test_round_trip();
	test_every_bit();
	test_no_room();
	test_lies();
	printf("%s\n", failures ? "failed" : "passed");
	return failures != 0;
}
