/* SPDX-License-Identifier: MIT */
#include "pe.h"

#include "check.h"

#define PE      0x80u
#define HEADERS (PE + 24u + 240u)
#define SIZE    0x3000u

static struct complaint why;
static unsigned char image[SIZE];

static void put(uint32_t at, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		image[at + i] = (unsigned char)(value >> 8 * i);
}

static void add(uint32_t index, const char *name, uint32_t address, uint32_t size)
{
	uint32_t at = HEADERS + 40 * index;

	memset(image + at, 0, 40);
	memcpy(image + at, name, strlen(name));
	put(at + 8, size, 4);
	put(at + 12, address, 4);
	put(PE + 6, index + 1, 2);
}

static void make(void)
{
	memset(image, 0, sizeof(image));
	memcpy(image, "MZ", 2);
	put(0x3c, PE, 4);
	memcpy(image + PE, "PE", 2);
	put(PE + 20, 240, 2);
	add(0, ".text", 0x1000, 0x234);
	add(1, ".cmdline", 0x2000, 5);
	add(2, ".linux", 0x2800, 0x800);
	memcpy(image + 0x2000, "quiet", 5);
}

static void finds_by_whole_name(void)
{
	struct pe_section found;

	make();
	CHECK_EQUAL(pe_find(image, SIZE, ".cmdline", &found, &why), VERDICT_OK);
	CHECK(found.size == 5 && !memcmp(found.data, "quiet", 5));
	CHECK_EQUAL(pe_find(image, SIZE, ".linux", &found, &why), VERDICT_OK);
	CHECK(found.data == (char *)image + 0x2800 &&
		found.size == 0x800); /* up to the last byte */
	CHECK_EQUAL(pe_find(image, SIZE, ".lin", &found, &why), VERDICT_NOT_FOUND);
	CHECK(!found.data);
	CHECK_EQUAL(pe_find(image, SIZE, ".linuxx", &found, &why), VERDICT_NOT_FOUND);
	CHECK_EQUAL(pe_find(image, SIZE, ".cmdlines", &found, &why), VERDICT_NOT_FOUND);
	CHECK_EQUAL(pe_find(image, SIZE, ".text", &found, &why), VERDICT_OK);
}

static void refuses(void)
{
	struct pe_section found;

	make();
	CHECK_EQUAL(pe_find(image, SIZE - 1, ".linux", &found, &why), VERDICT_MALFORMED);
	CHECK(strstr(why.text, ".linux: 0x800 bytes at 0x2800, expected within 0x2fff"));
	add(3, ".linux", 0x1000, 4);
	CHECK_EQUAL(pe_find(image, SIZE, ".linux", &found, &why), VERDICT_MALFORMED);
	CHECK(strstr(why.text, "twice"));
	make();
	add(1, ".cmdline", 0xfffffff0, 0x20); /* past 32 bits */
	CHECK_EQUAL(pe_find(image, SIZE, ".cmdline", &found, &why), VERDICT_MALFORMED);
	make();
	image[0] = 'm';
	CHECK_EQUAL(pe_find(image, SIZE, ".linux", &found, &why), VERDICT_MALFORMED);
	make();
	image[PE] = 'p';
	CHECK_EQUAL(pe_find(image, SIZE, ".linux", &found, &why), VERDICT_MALFORMED);
	make();
	put(0x3c, 0xfffffff0, 4);
	CHECK_EQUAL(pe_find(image, SIZE, ".linux", &found, &why), VERDICT_MALFORMED);
	make();
	put(PE + 6, 0xffff, 2); /* as many headers as do not fit */
	CHECK_EQUAL(pe_find(image, SIZE, ".linux", &found, &why), VERDICT_MALFORMED);
	for (uint32_t size = 0; size < HEADERS + 3 * 40; size++)
		CHECK_EQUAL(pe_find(image, size, ".linux", &found, &why), VERDICT_MALFORMED);
}

/* Whatever stands in the headers: an answer, and one within the image. The copy has its exact size, so
 * that the address sanitiser sees each byte too far. */
static void fuzz(void)
{
	uint64_t state = 5;

	for (int round = 0; round < 200000; round++) {
		uint64_t size = next_random(&state) % 4
					? HEADERS + 3 * 40 + next_random(&state) % 64
					: next_random(&state) % (HEADERS + 120);
		unsigned char *copy = malloc(size + !size);
		struct pe_section found;

		make();
		for (uint64_t i = next_random(&state) % 5; i; i--)
			image[next_random(&state) % 3 ? next_random(&state) % (HEADERS + 120)
						      : PE + next_random(&state) % 24] =
				(unsigned char)next_random(&state);
		memcpy(copy, image, size);
		if (pe_find(copy, size, round % 2 ? ".linux" : ".text", &found, &why) == VERDICT_OK)
			CHECK((unsigned char *)found.data >= copy &&
				(uint64_t)(found.data - (char *)copy) + found.size <= size);
		else
			CHECK(why.text[0]);
		free(copy);
	}
}

int main(void)
{
	finds_by_whole_name();
	refuses();
	fuzz();
	return 0;
}
