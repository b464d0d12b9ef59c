/* SPDX-License-Identifier: MIT */
#include "text.h"

#include "check.h"

static void formats(void)
{
	const char *volatile nothing = NULL;
	char out[64], small[8];

	CHECK_EQUAL(text_format(out, sizeof(out), "%s=%u/0x%x %c%%", "a", 7u, 0xffu, 'z'), 11);
	CHECK_TEXT(out, "a=7/0xff z%");
	text_format(out, sizeof(out), "%lu %lx %zu", ~0ul, ~0ul, (size_t)0);
	CHECK_TEXT(out, "18446744073709551615 ffffffffffffffff 0");
	CHECK_EQUAL(text_format(small, sizeof(small), "%s", "0123456789"), 7);
	CHECK_TEXT(small, "0123456");
	CHECK_EQUAL(text_format(small, 0, "%s", "x"), 0);
	CHECK_TEXT(small, "0123456");
	text_format(out, sizeof(out), "%s", nothing);
	CHECK_TEXT(out, "(null)");
}

static void numbers(void)
{
	uint32_t v = 99;

	CHECK(text_number("0", NULL, 10, &v) && v == 0);
	CHECK(text_number("10", NULL, 10, &v) && v == 10);
	CHECK(!text_number("11", NULL, 10, &v) && v == 10);
	CHECK(!text_number("", NULL, 10, &v));
	CHECK(!text_number("1 ", NULL, 10, &v));
	CHECK(!text_number("-1", NULL, 10, &v));
	CHECK(!text_number("99999999999999999999999", NULL, UINT32_MAX, &v));
	CHECK(text_number("4294967295", NULL, UINT32_MAX, &v) && v == UINT32_MAX);
}

static void number_ends(void)
{
	const char *s = "12x34";
	uint32_t v;

	CHECK(text_number(s, s + 2, 100, &v) && v == 12);
	CHECK(!text_number(s, s + 3, 100, &v));
	CHECK(!text_number(s, s, 100, &v));
}

static void strings(void)
{
	char out[4];

	CHECK(text_copy(out, sizeof(out), "abc"));
	CHECK(!text_copy(out, sizeof(out), "abcd"));
	CHECK_TEXT(out, "abc");
	CHECK(!text_copy(out, 0, ""));
	CHECK(text_equal("a", "a") && !text_equal("a", "ab") && !text_equal("ab", "a"));
	CHECK(text_starts("abc", "ab") && text_starts("a", "") && !text_starts("a", "ab"));
	CHECK(text_lower('Q') == 'q' && text_lower('1') == '1');
}

int main(void)
{
	formats();
	numbers();
	number_ends();
	strings();
	return 0;
}
