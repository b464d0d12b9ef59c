/* SPDX-License-Identifier: MIT */
/* The tracer's records: bounds, forms, memory that cannot be read, and arguments at random. */
#include "syscall/trace_record.h"

#include <asm/ioctls.h>
#include <asm/unistd_64.h>
#include <linux/futex.h>
#include <linux/prctl.h>

#include "arch/fake/test.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/user.h"

#define BASE 0x10000ul /* where the user's memory begins */

static uint8_t memory[8192]; /* all that can be read */
static struct trace_record record;

size_t arch_user_copy(void *to, const void *from, size_t size)
{
	uintptr_t at = (uintptr_t)from;

	if (at < BASE || size > sizeof(memory) || at - BASE > sizeof(memory) - size)
		return size;
	memcpy(to, memory + (at - BASE), size);
	return 0;
}

ssize_t copy_string_from_user(char *to, user_t from, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (copy_from_user(to + i, user_offset(from, i), 1))
			return -EFAULT;
		if (!to[i])
			return (ssize_t)i;
	}
	return -ENAMETOOLONG;
}

/* The one piece of an argument with this kind; NULL: none was added. Its bytes follow it. */
static const struct trace_piece *piece(
	struct trace_call call, unsigned index, enum trace_how how, uint16_t size)
{
	const struct trace_kind kind = {(uint8_t)how, size};

	trace_record_begin(&record, TRACE_ENTER, 1, 0);
	trace_record_argument(&record, &call, index, &kind);
	CHECK(record.used <= sizeof(record.bytes));
	return record.used == sizeof(struct trace_head)
		       ? NULL
		       : (const void *)(record.bytes + sizeof(struct trace_head));
}

static void expect(const struct trace_piece *found, unsigned form, const void *bytes, size_t size)
{
	CHECK(found != NULL);
	CHECK_EQUAL(found->form, form);
	CHECK_EQUAL(found->length, size);
	CHECK(memcmp(found + 1, bytes, size) == 0);
}

static void test_structures(void)
{
	const struct trace_call in = {.arguments = {BASE + 8, 5}};
	struct trace_call out = in;

	memcpy(memory + 8, "abcdefgh", 8);
	expect(piece(in, 0, TRACE_HOW_IN, 8), TRACE_BYTES, "abcdefgh", 8);
	CHECK(!piece(in, 0, TRACE_HOW_OUT, 8));
	out.leaving = true;
	CHECK(!piece(out, 0, TRACE_HOW_IN, 8));
	expect(piece(out, 0, TRACE_HOW_OUT, 8), TRACE_BYTES, "abcdefgh", 8);
	out.result = -EINVAL;
	CHECK(!piece(out, 0, TRACE_HOW_OUT, 8));
	CHECK(!piece(out, 0, TRACE_HOW_REMAINING, 8));
	out.result = -EINTR;
	expect(piece(out, 0, TRACE_HOW_REMAINING, 8), TRACE_BYTES, "abcdefgh", 8);
	expect(piece(in, 0, TRACE_HOW_NEXT_IN, 0), TRACE_BYTES, "abcde", 5);
}

static void test_unreadable(void)
{
	const uint64_t bad[] = {0, 8, BASE - 1, BASE + sizeof(memory) - 3, UINT64_MAX - 2};

	for (unsigned how = TRACE_HOW_IN; how <= TRACE_HOW_BITS_INOUT; how++) {
		for (unsigned i = 0; i < ARRAY_SIZE(bad); i++) {
			memset(memory + sizeof(memory) - 8, 1, 8);
			CHECK(!piece((struct trace_call){.arguments = {bad[i], 4}}, 0,
				(enum trace_how)how, 8));
		}
	}
}

static void test_strings(void)
{
	struct trace_call call = {.arguments = {BASE, BASE}};
	uint64_t pointers[] = {BASE + 100, BASE + 200, 0};
	const struct trace_piece *found;
	uint32_t count;

	memset(memory, 'x', 5000);
	memory[20] = 0;
	expect(piece(call, 0, TRACE_HOW_PATH, 0), TRACE_STRING, memory, 20);
	memory[20] = 'x';
	found = piece(call, 0, TRACE_HOW_PATH, 0);
	expect(found, TRACE_PART, memory, TRACE_PATHS);
	expect(piece(call, 0, TRACE_HOW_TEXT, 0), TRACE_PART, memory, TRACE_TEXT + 1);
	memcpy(memory, pointers, sizeof(pointers));
	memcpy(memory + 100, "ab", 3);
	found = piece(call, 0, TRACE_HOW_STRINGS, 0);
	CHECK(found && found->form == TRACE_STRINGS);
	memcpy(&count, found + 1, 4);
	CHECK_EQUAL(count, 2);
	CHECK_EQUAL(found->length, 4 + 2 + 2 + 2 + TRACE_TEXT + 1);
	found = piece(call, 1, TRACE_HOW_COUNT, 0);
	expect(found, TRACE_COUNT, &count, 4);
}

static void test_data(void)
{
	struct trace_call call = {.arguments = {1, BASE, 100, BASE}, .result = 3};

	memset(memory, 'd', 200);
	expect(piece(call, 1, TRACE_HOW_DATA_IN, 0), TRACE_PART, memory, TRACE_TEXT + 1);
	call.leaving = true;
	expect(piece(call, 1, TRACE_HOW_DATA_OUT, 0), TRACE_BYTES, memory, 3);
	call.result = 150;
	expect(piece(call, 1, TRACE_HOW_DATA_OUT, 0), TRACE_PART, memory, TRACE_TEXT + 1);
	expect(piece(call, 1, TRACE_HOW_DATA_OUT, TRACE_PATHS), TRACE_BYTES, memory, 150);
}

static void test_vector(void)
{
	const uint64_t items[] = {BASE + 100, 3, BASE + 200, 50};
	struct trace_call call = {.arguments = {1, BASE, 2}, .result = 4};
	const struct trace_piece *found, *texts;

	memcpy(memory, items, sizeof(items));
	memset(memory + 100, 'v', 200);
	found = piece(call, 1, TRACE_HOW_VECTOR_IN, 0);
	expect(found, TRACE_BYTES, items, sizeof(items));
	texts = (const void *)((const uint8_t *)(found + 1) + found->length);
	CHECK_EQUAL(texts->form, TRACE_DATA);
	CHECK_EQUAL(texts->length, 2 + 3 + 2 + TRACE_TEXT + 1);
	call.leaving = true; /* four bytes were read: three and one */
	found = piece(call, 1, TRACE_HOW_VECTOR_OUT, 0);
	texts = (const void *)((const uint8_t *)(found + 1) + found->length);
	CHECK_EQUAL(texts->length, 2 + 3 + 2 + 1);
}

static void test_entries(void)
{
	struct trace_call call = {.arguments = {3, BASE, 4096}, .result = 56, .leaving = true};
	const uint16_t lengths[] = {24, 32};
	uint32_t two = 2;

	memcpy(memory + 16, &lengths[0], 2);
	memcpy(memory + 24 + 16, &lengths[1], 2);
	expect(piece(call, 1, TRACE_HOW_ENTRIES_OUT, 0), TRACE_COUNT, &two, 4);
	memset(memory + 16, 0, 2); /* one that would never end */
	CHECK(!piece(call, 1, TRACE_HOW_ENTRIES_OUT, 0));
}

static uint8_t how(uint64_t number, unsigned index, uint64_t first, uint64_t second)
{
	return trace_by_command(number, index, (uint64_t[6]){first, second}).how;
}

static void test_commands(void)
{
	CHECK_EQUAL(how(__NR_ioctl, 2, 0, TCGETS), TRACE_HOW_OUT);
	CHECK_EQUAL(how(__NR_ioctl, 2, 0, TIOCSWINSZ), TRACE_HOW_IN);
	CHECK_EQUAL(how(__NR_ioctl, 2, 0, 0x12345), TRACE_HOW_NONE);
	CHECK_EQUAL(how(__NR_futex, 3, 0, FUTEX_WAIT_PRIVATE), TRACE_HOW_IN);
	CHECK_EQUAL(how(__NR_futex, 3, 0, FUTEX_WAKE_PRIVATE), TRACE_HOW_NONE);
	CHECK_EQUAL(how(__NR_prctl, 1, PR_GET_NAME, 0), TRACE_HOW_OUT);
	CHECK_EQUAL(how(__NR_prctl, 2, 0, PR_GET_NAME), TRACE_HOW_NONE);
	CHECK_EQUAL(how(__NR_read, 1, 0, TCGETS), TRACE_HOW_NONE);
}

/* Whatever the user gives, the record keeps its bounds; ASan looks at the memory's. */
static void test_random_arguments(void)
{
	test_seed(7);
	for (unsigned i = 0; i < sizeof(memory); i++)
		memory[i] = (uint8_t)test_random(256);
	for (unsigned round = 0; round < 20000; round++) {
		struct trace_call call = {.number = test_random(512),
			.result = (long)test_random(5000) - 500,
			.leaving = test_random(2)};
		const struct trace_kind kind = {
			(uint8_t)test_random(TRACE_HOW_BY_COMMAND + 1), (uint16_t)test_random(400)};

		for (unsigned i = 0; i < 6; i++)
			call.arguments[i] = test_random(2) ? BASE + test_random(sizeof(memory))
							   : test_random(UINT64_MAX);
		trace_record_begin(&record, TRACE_ENTER, 1, 0);
		for (unsigned i = 0; i < 6; i++)
			trace_record_argument(&record, &call, i, &kind);
		CHECK(record.used <= sizeof(record.bytes));
	}
}

int main(void)
{
	RUN(test_structures);
	RUN(test_unreadable);
	RUN(test_strings);
	RUN(test_data);
	RUN(test_vector);
	RUN(test_entries);
	RUN(test_commands);
	RUN(test_random_arguments);
	return test_result();
}
