/* SPDX-License-Identifier: MIT */
/* Section headers of a PE image, Microsoft's PE format, as UEFI 2.10 2.1.1 has it. */
#include "pe.h"

#define SECTION_SIZE 40u

static size_t first_section(struct span headers)
{
	size_t pe = le32(headers, 0x3c);

	if (le16(headers, 0) != 0x5a4d || pe > headers.size || le32(headers, pe) != 0x4550)
		return 0;
	return pe + 24 + le16(headers, pe + 20);
}

unsigned pe_sections(struct span headers)
{
	size_t first = first_section(headers);
	unsigned count = first ? le16(headers, le32(headers, 0x3c) + 6) : 0;

	if (first > headers.size || count > (headers.size - first) / SECTION_SIZE)
		return 0;
	return count;
}

struct pe_section pe_section(struct span headers, unsigned index)
{
	struct span s = span_part(
		headers, first_section(headers) + SECTION_SIZE * (size_t)index, SECTION_SIZE);
	struct pe_section section = {
		.address = le32(s, 12), .size = le32(s, 8), .characteristics = le32(s, 36)};

	for (unsigned i = 0; i < 8; i++)
		section.name[i] = (char)le8(s, i);
	return section;
}
