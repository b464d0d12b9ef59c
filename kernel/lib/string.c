/* SPDX-License-Identifier: MIT */
/*
 * The string functions of C11 7.24 that the kernel uses, byte by byte: strings here are short names
 * and paths, and what moves much data uses the arch's mem* functions.
 *
 * Compiled under other names (-Dstrlen=baton_strlen ...) for its unit test on the host.
 */
#include "lib/string.h"

/* Keeps GCC from recognising a loop as the very function that it stands in. */
#define KEEP_LOOP() __asm__ volatile("")

size_t strlen(const char *s)
{
	size_t n = 0;

	while (s[n]) {
		n++;
		KEEP_LOOP();
	}
	return n;
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n]) {
		n++;
		KEEP_LOOP();
	}
	return n;
}

int strcmp(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return (unsigned char)*a - (unsigned char)*b;
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (; max; a++, b++, max--) {
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	}
	return 0;
}

char *strchr(const char *s, int c)
{
	for (;; s++) {
		if (*s == (char)c)
			return (char *)(uintptr_t)s;
		if (!*s)
			return NULL;
	}
}

char *strrchr(const char *s, int c)
{
	const char *found = NULL;

	do {
		if (*s == (char)c)
			found = s;
	} while (*s++);
	return (char *)(uintptr_t)found;
}

char *strstr(const char *haystack, const char *needle)
{
	size_t length = strlen(needle);

	for (;; haystack++) {
		if (!strncmp(haystack, needle, length))
			return (char *)(uintptr_t)haystack;
		if (!*haystack)
			return NULL;
	}
}

void *memchr(const void *at, int byte, size_t size)
{
	const uint64_t ones = UINT64_C(0x0101010101010101), pattern = ones * (unsigned char)byte;
	const unsigned char *p = at;

	for (; size >= sizeof(pattern); p += sizeof(pattern), size -= sizeof(pattern)) {
		uint64_t word, found;

		__builtin_memcpy(&word, p, sizeof(word));
		word ^= pattern; /* where a byte is 0 now, the lowest bit of `found` is */
		found = (word - ones) & ~word & (ones << 7);
		if (found)
			return (void *)(uintptr_t)(p + __builtin_ctzll(found) / 8);
	}
	for (; size; p++, size--) {
		if (*p == (unsigned char)byte)
			return (void *)(uintptr_t)p;
	}
	return NULL;
}

size_t string_copy(char *to, const char *from, size_t size)
{
	size_t length = strlen(from);

	if (size) {
		size_t n = length < size ? length : size - 1;

		memcpy(to, from, n);
		to[n] = 0;
	}
	return length;
}
