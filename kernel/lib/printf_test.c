/* SPDX-License-Identifier: MIT */
/* The reference is the host's snprintf: every format here must give its text and length, at every
 * buffer size. */
#include "lib/printf.h"
#include "lib/check.h"

#pragma GCC diagnostic ignored "-Wformat"
#pragma GCC diagnostic ignored "-Wformat-security"
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-truncation"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
#pragma GCC diagnostic ignored "-Wformat-zero-length"
#pragma GCC diagnostic ignored "-Wformat-overflow"

#define SAME(...)                                                                       \
	do {                                                                            \
		char ours_[300], theirs_[300];                                          \
		int n_ = snprintf(theirs_, sizeof(theirs_), __VA_ARGS__);               \
		CHECK_EQUAL(format(ours_, sizeof(ours_), __VA_ARGS__), n_);             \
		CHECK_STRING(ours_, theirs_);                                           \
		for (size_t size_ = 0; size_ < (size_t)n_ + 2 && size_ < 40; size_++) { \
			memset(ours_, '~', sizeof(ours_));                              \
			memset(theirs_, '~', sizeof(theirs_));                          \
			CHECK_EQUAL(format(ours_, size_, __VA_ARGS__), n_);             \
			snprintf(theirs_, size_, __VA_ARGS__);                          \
			CHECK(!memcmp(ours_, theirs_, sizeof(ours_)));                  \
		}                                                                       \
	} while (0)

/* Every combination of flags, widths and precisions with edge values. */
static void test_grid(void)
{
	static const char *const flags[] = {
		"", "-", "+", " ", "#", "0", "-0", "+0", "#0", "-#", "+-", " 0", "+ "};
	static const char *const widths[] = {"", "1", "7", "21"};
	static const char *const precisions[] = {"", ".", ".0", ".1", ".5", ".20"};
	static const char conversions[] = "diuxXo";
	static const long values[] = {0, 1, -1, 7, 255, -256, 2147483647, -2147483648l,
		9223372036854775807l, -9223372036854775807l - 1, 65536 + 300};
	static const char *const lengths[] = {"hh", "h", "", "l", "ll", "z", "t", "j"};
	unsigned long n = 0;

	for (size_t f = 0; f < ARRAY_SIZE(flags); f++) {
		for (size_t w = 0; w < ARRAY_SIZE(widths); w++) {
			for (size_t p = 0; p < ARRAY_SIZE(precisions); p++) {
				for (size_t v = 0; v < ARRAY_SIZE(values); v++, n++) {
					char text[40], ours[80], theirs[80];

					snprintf(text, sizeof(text), "%%%s%s%s%s%c", flags[f],
						widths[w], precisions[p],
						lengths[n % ARRAY_SIZE(lengths)],
						conversions[n % 6]);
					CHECK_EQUAL(format(ours, sizeof(ours), text, values[v]),
						snprintf(theirs, sizeof(theirs), text, values[v]));
					CHECK_STRING(ours, theirs);
				}
			}
		}
	}
}

int main(void)
{
	char out[32];

	test_grid();
	SAME("plain");
	SAME("");
	SAME("100%%");
	SAME("%d %i %u", -5, 6, 7u);
	SAME("%x %X %#x %#X %o %#o", 48879, 48879, 48879, 48879, 8, 8);
	SAME("%c%c|%3c|%-3c|", 'a', 'b', 'c', 'd');
	SAME("%s|%10s|%-10s|%.2s|%5.1s|", "abc", "abc", "abc", "abc", "abc");
	SAME("%.*s|%*d|%-*d|%*d", 2, "abcdef", 6, 42, 6, 42, -6, 42);
	SAME("%.*d|%.*s", -1, 5, -3, "abc");
	SAME("%p", (void *)0x1234);
	SAME("%hhd %hd %hhu %hu", 300, 70000, 300u, 70000u);
	SAME("%ld %lld %zd %td %jd", -1l, -2ll, (ssize_t)-3, (ptrdiff_t)-4, (intmax_t)-5);
	SAME("%lx %llx %zx", ~0ul, ~0ull, ~(size_t)0);
	SAME("%016lx", 0xdeadbeeful);
	SAME("[%5lu.%06lu] %s", 12ul, 345ul, "text");

	/* What C leaves open. */
	CHECK_EQUAL(format(out, sizeof(out), "%s", (char *)0), 6);
	CHECK_STRING(out, "(null)");
	CHECK_EQUAL(format(out, sizeof(out), "a%yb"), 4);
	CHECK_STRING(out, "a%yb");
	CHECK_EQUAL(format(out, sizeof(out), "end%"), 4);
	CHECK_STRING(out, "end%");
	CHECK_EQUAL(format(out, sizeof(out), "%p", (void *)0), 3);
	CHECK_STRING(out, "0x0");
	CHECK_EQUAL(format(NULL, 0, "%5d", 1), 5);
	return check_done();
}
