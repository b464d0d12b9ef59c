/* SPDX-License-Identifier: MIT */
/* Against the C library, on all short strings over a small alphabet. string.c is compiled with
 * names of its own (see meson.build), and only it. */
#undef strlen
#undef strnlen
#undef strcmp
#undef strncmp
#undef strchr
#undef strrchr
#undef strstr
#undef memchr

#include "lib/check.h"
#include "lib/types.h"

size_t baton_strlen(const char *s);
size_t baton_strnlen(const char *s, size_t max);
int baton_strcmp(const char *a, const char *b);
int baton_strncmp(const char *a, const char *b, size_t max);
char *baton_strchr(const char *s, int c);
char *baton_strrchr(const char *s, int c);
char *baton_strstr(const char *haystack, const char *needle);
void *baton_memchr(const void *at, int byte, size_t size);
size_t string_copy(char *to, const char *from, size_t size);

#define STRINGS 121 /* over {a, b, \xff}, up to four long */

static char strings[STRINGS][8];

static void make_strings(void)
{
	static const char alphabet[] = {'a', 'b', '\xff'};
	size_t made = 1; /* the empty one */

	for (size_t from = 0; made < STRINGS; from++) {
		for (size_t i = 0; i < sizeof(alphabet) && made < STRINGS; i++, made++) {
			strcpy(strings[made], strings[from]);
			strings[made][strlen(strings[made])] = alphabet[i];
		}
	}
}

static int sign(int x)
{
	return (x > 0) - (x < 0);
}

static void check_pair(const char *a, const char *b)
{
	CHECK_EQUAL(sign(baton_strcmp(a, b)), sign(strcmp(a, b)));
	for (size_t n = 0; n < 6; n++)
		CHECK_EQUAL(sign(baton_strncmp(a, b, n)), sign(strncmp(a, b, n)));
	CHECK(baton_strstr(a, b) == strstr(a, b));
}

static void check_one(const char *a)
{
	static const int searched[] = {'a', 'b', 0, 0xff, 'z', 'a' + 256};
	size_t length = strlen(a);

	CHECK_EQUAL(baton_strlen(a), length);
	for (size_t n = 0; n < 6; n++) {
		char found[8], *exact = malloc(n ? n : 1);

		CHECK(exact); /* of exactly n bytes: the sanitizer sees any byte too many */
		CHECK_EQUAL(baton_strnlen(a, n), strnlen(a, n));
		CHECK_EQUAL(string_copy(exact, a, n), length);
		if (n) {
			snprintf(found, sizeof(found), "%.*s", (int)n - 1, a);
			CHECK_STRING(exact, found);
		}
		free(exact);
	}
	for (size_t i = 0; i < ARRAY_SIZE(searched); i++) {
		CHECK(baton_strchr(a, searched[i]) == strchr(a, searched[i]));
		CHECK(baton_strrchr(a, searched[i]) == strrchr(a, searched[i]));
		CHECK(baton_memchr(a, searched[i], length) == memchr(a, searched[i], length));
	}
}

int main(void)
{
	make_strings();
	for (size_t i = 0; i < STRINGS; i++) {
		check_one(strings[i]);
		for (size_t j = 0; j < STRINGS; j++)
			check_pair(strings[i], strings[j]);
	}
	return check_done();
}
