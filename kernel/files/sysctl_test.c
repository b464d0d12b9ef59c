/* SPDX-License-Identifier: MIT */
/* What may be written into settings, with text at the very end of its buffer, as the sanitizers see it. */
#include "files/sysctl.h"

#include <stdlib.h>
#include <string.h>

#include "lib/check.h"
#include "lib/errno.h"

static int32_t ints[4];
static uint32_t number;
static uint64_t longs[2];
static char line[8];
static int answer; /* apply's */
static unsigned applied;

static int apply(void)
{
	applied++;
	return answer;
}

static const struct sysctl four = {
	.value = ints, .type = SYSCTL_INT, .count = 4, .least = -10, .most = 10};
static const struct sysctl any = {
	.value = ints, .type = SYSCTL_INT, .count = 1, .least = INT32_MIN, .most = INT32_MAX};
static const struct sysctl one = {.value = &number,
	.type = SYSCTL_UNSIGNED,
	.count = 1,
	.least = 5,
	.most = -1,
	.apply = apply};
static const struct sysctl two = {.value = longs, .type = SYSCTL_UNSIGNED_LONG, .count = 2};
static const struct sysctl text = {
	.value = line, .type = SYSCTL_TEXT, .count = sizeof(line), .apply = apply};

static ssize_t take_bytes(
	const struct sysctl *knob, const char *bytes, size_t size, int64_t position)
{
	char *copy = malloc(size + 1); /* the kernel's has a NUL behind it, which must not matter */
	ssize_t taken;

	memcpy(copy, bytes, size);
	copy = realloc(copy, size ? size : 1);
	taken = sysctl_take(knob, copy, size, position);
	free(copy);
	return taken;
}

static ssize_t take(const struct sysctl *knob, const char *words)
{
	return take_bytes(knob, words, strlen(words), 0);
}

static void test_ints(void)
{
	CHECK_EQUAL(take(&four, "1 -2\t3\n4 5"), 9);
	CHECK(ints[0] == 1 && ints[1] == -2 && ints[2] == 3 && ints[3] == 4);
	CHECK_EQUAL(take(&four, "10"), 2);
	CHECK_EQUAL(take(&four, "9 11 8"), -EINVAL);
	CHECK(ints[0] == 9 && ints[1] == -2 && ints[2] == 3);
	CHECK_EQUAL(take(&four, "-11"), -EINVAL);
	CHECK_EQUAL(take(&four, "-"), -EINVAL);
	CHECK_EQUAL(take(&four, "0x"), -EINVAL);
	CHECK_EQUAL(take(&four, "-0x7\n"), 5);
	CHECK_EQUAL(ints[0], -7);
	CHECK_EQUAL(take(&any, "-2147483648"), 11);
	CHECK_EQUAL(ints[0], INT32_MIN);
	CHECK_EQUAL(take(&any, "2147483647"), 10);
	CHECK_EQUAL(take(&any, "2147483648"), -EINVAL);
	CHECK_EQUAL(take(&any, "-2147483649"), -EINVAL);
	CHECK_EQUAL(take(&any, "-9223372036854775808"), -EINVAL);
	CHECK_EQUAL(take(&any, "18446744073709551616"), -EINVAL);
	CHECK_EQUAL(ints[0], INT32_MAX);
	CHECK_EQUAL(take(&any, "000000000000000000012"), -EINVAL); /* 21 characters */
	CHECK_EQUAL(take(&any, "00000000000000000012"), 20);
	CHECK_EQUAL(ints[0], 10);
	CHECK_EQUAL(take_bytes(&any, "3", 1, 1), 1);
	CHECK_EQUAL(ints[0], 10);
}

static void test_unsigned(void)
{
	answer = 0;
	CHECK_EQUAL(take(&one, "4294967295 and more"), 19);
	CHECK_EQUAL(number, UINT32_MAX);
	CHECK_EQUAL(applied, 1);
	CHECK_EQUAL(take(&one, "4294967296"), -EINVAL);
	CHECK_EQUAL(take(&one, "4"), -EINVAL);
	CHECK_EQUAL(take(&one, "-5"), -EINVAL);
	CHECK_EQUAL(applied, 1);
	answer = -EPERM;
	CHECK_EQUAL(take(&one, "77"), -EPERM);
	CHECK_EQUAL(number, UINT32_MAX); /* what was is back */
	CHECK_EQUAL(take(&two, "9223372036854775807 1"), 21);
	CHECK(longs[0] == INT64_MAX && longs[1] == 1);
	CHECK_EQUAL(take(&two, "9223372036854775808"), -EINVAL);
	CHECK_EQUAL(take(&two, "-1"), -EINVAL);
	CHECK_EQUAL(longs[0], INT64_MAX);
}

static void test_text(void)
{
	answer = 0;
	CHECK_EQUAL(take(&text, "abcdefghij"), 10);
	CHECK(!strcmp(line, "abcdefg"));
	CHECK_EQUAL(take_bytes(&text, "x\0y", 3, 0), 3);
	CHECK(!strcmp(line, "x"));
	CHECK_EQUAL(take_bytes(&text, "yz\n", 3, 1), 3);
	CHECK(!strcmp(line, "xyz"));
	CHECK_EQUAL(take_bytes(&text, "q", 1, 4), 1);
	CHECK_EQUAL(take_bytes(&text, "q", 1, INT64_MAX), 1);
	CHECK(!strcmp(line, "xyz"));
	answer = -EINVAL;
	CHECK_EQUAL(take(&text, "|"), -EINVAL);
	CHECK(!strcmp(line, "xyz"));
	answer = 0;
	CHECK_EQUAL(take(&text, "\n"), 1);
	CHECK(!strcmp(line, ""));
}

/* Any bytes: nothing outside of the value changes, and nothing out of range comes into it. */
static void test_any_bytes(void)
{
	static const char letters[] = "0123456789-+xXaAfF \t\n\v\0|%,";
	const struct sysctl *const knobs[] = {&four, &one, &two, &text};
	uint64_t state = 1;
	char bytes[48];

	for (unsigned i = 0; i < 200000; i++) {
		size_t size;

		state = state * 6364136223846793005u + 1442695040888963407u;
		size = (size_t)(state >> 33) % sizeof(bytes);
		for (size_t k = 0; k < size; k++) {
			state = state * 6364136223846793005u + 1442695040888963407u;
			bytes[k] = letters[(state >> 33) % (sizeof(letters) - 1)];
		}
		CHECK(take_bytes(knobs[i % 4], bytes, size, (int64_t)(state >> 40 & 3)) <=
			(ssize_t)size);
		for (unsigned k = 0; k < 4; k++)
			CHECK(ints[k] >= -10 && ints[k] <= 10);
		CHECK(number >= 5 && longs[0] <= INT64_MAX && longs[1] <= INT64_MAX);
		CHECK(strnlen(line, sizeof(line)) < sizeof(line));
	}
}

int main(void)
{
	test_ints();
	test_unsigned();
	test_text();
	test_any_bytes();
	return 0;
}
