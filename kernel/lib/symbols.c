/* SPDX-License-Identifier: MIT */
#include "lib/symbols.h"

struct symbol {
	uint32_t offset, name;
};

const char *symbols_lookup(const void *table, size_t size, uint32_t offset, uint32_t *within)
{
	const uint32_t *header = table;
	const struct symbol *symbols = (const void *)(header + 2);
	uint32_t low = 0, high;

	if (size < 8 || header[0] > (size - 8) / sizeof(*symbols) ||
		header[1] > size - 8 - header[0] * sizeof(*symbols))
		return NULL;
	high = header[0];
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (symbols[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || symbols[low - 1].name >= header[1])
		return NULL;
	*within = offset - symbols[low - 1].offset;
	return (const char *)(symbols + header[0]) + symbols[low - 1].name;
}
