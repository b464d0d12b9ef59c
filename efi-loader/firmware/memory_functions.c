/* SPDX-License-Identifier: MIT */
/*
 * The functions that GCC calls by itself in freestanding code. Eight bytes an instruction: the
 * byte-wise string instructions are slow where they are emulated, whatever CPUID says of them.
 */
#include <stddef.h>
#include <stdint.h>

void *memcpy(void *restrict to, const void *restrict from, size_t size);
void *memmove(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);
int memcmp(const void *a, const void *b, size_t size);

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
	void *result = to;
	size_t words = size / 8, rest = size % 8;

	__asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words) : : "memory");
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(rest) : : "memory");
	return result;
}

void *memmove(void *to, const void *from, size_t size)
{
	char *t = to;
	const char *f = from;
	uint64_t word;

	if ((uintptr_t)t - (uintptr_t)f >= size)
		return memcpy(to, from, size);
	for (; size >= 8; size -= 8) {
		__builtin_memcpy(&word, f + size - 8, 8);
		__builtin_memcpy(t + size - 8, &word, 8);
	}
	while (size--) {
		t[size] = f[size];
		__asm__ volatile("" : : : "memory"); /* or GCC makes this loop a memmove */
	}
	return to;
}

void *memset(void *to, int value, size_t size)
{
	void *result = to;
	size_t words = size / 8, rest = size % 8;
	uint64_t pattern = (uint8_t)value * UINT64_C(0x0101010101010101);

	__asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
	__asm__ volatile("rep stosb" : "+D"(to), "+c"(rest) : "a"(pattern) : "memory");
	return result;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *p = a, *q = b;

	for (; size; size--, p++, q++)
		if (*p != *q)
			return *p - *q;
	return 0;
}
