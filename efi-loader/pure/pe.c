/* SPDX-License-Identifier: MIT */
#include "pe.h"

#define DOS_HEADER_SIZE     64u
#define DOS_PE_OFFSET       0x3cu
#define PE_HEADER_SIZE      24u /* signature and COFF header */
#define PE_SECTION_COUNT    6u
#define PE_OPTIONAL_SIZE    20u
#define SECTION_HEADER_SIZE 40u
#define SECTION_SIZE        8u
#define SECTION_ADDRESS     12u
#define NAME_SIZE           8u

static uint32_t read32(const unsigned char *at)
{
	return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint32_t read16(const unsigned char *at)
{
	return at[0] | (uint32_t)at[1] << 8;
}

/* Where the section headers begin, and how many there are; all of them lie in the image. */
static enum verdict find_headers(const unsigned char *image, uint64_t size, uint64_t *at,
	uint32_t *count, struct complaint *why)
{
	uint64_t pe;

	if (size < DOS_HEADER_SIZE || image[0] != 'M' || image[1] != 'Z')
		return refuse(why, VERDICT_MALFORMED, "PE image: does not begin with MZ");
	pe = read32(image + DOS_PE_OFFSET);
	if (pe + PE_HEADER_SIZE > size)
		return refuse(why, VERDICT_MALFORMED,
			"PE image: header at 0x%lx, expected within 0x%lx bytes", pe, size);
	if (read32(image + pe) != 0x4550)
		return refuse(why, VERDICT_MALFORMED, "PE image: no PE at 0x%lx", pe);
	*count = read16(image + pe + PE_SECTION_COUNT);
	*at = pe + PE_HEADER_SIZE + read16(image + pe + PE_OPTIONAL_SIZE);
	if (*at + (uint64_t)*count * SECTION_HEADER_SIZE > size)
		return refuse(why, VERDICT_MALFORMED,
			"PE image: %u sections at 0x%lx, expected within 0x%lx bytes", *count, *at,
			size);
	return VERDICT_OK;
}

static bool is_named(const unsigned char *header, const char *name)
{
	size_t length = text_length(name);

	for (size_t i = 0; i < NAME_SIZE; i++)
		if (header[i] != (i < length ? (unsigned char)name[i] : 0))
			return false;
	return length <= NAME_SIZE;
}

enum verdict pe_find(const void *image, uint64_t size, const char *name, struct pe_section *found,
	struct complaint *why)
{
	const unsigned char *bytes = image;
	uint64_t at = 0;
	uint32_t count = 0;
	enum verdict verdict = find_headers(bytes, size, &at, &count, why);

	*found = (struct pe_section){0};
	for (; !verdict && count; count--, at += SECTION_HEADER_SIZE) {
		uint64_t start = read32(bytes + at + SECTION_ADDRESS);
		uint64_t length = read32(bytes + at + SECTION_SIZE);

		if (!is_named(bytes + at, name))
			continue;
		if (found->data)
			return refuse(why, VERDICT_MALFORMED, "section %s: is there twice", name);
		if (start + length > size)
			return refuse(why, VERDICT_MALFORMED,
				"section %s: 0x%lx bytes at 0x%lx, expected within 0x%lx", name,
				length, start, size);
		*found = (struct pe_section){(const char *)bytes + start, length};
	}
	if (!verdict && !found->data)
		return refuse(why, VERDICT_NOT_FOUND, "section %s: is not there", name);
	return verdict;
}
