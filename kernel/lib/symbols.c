/* SPDX-License-Identifier: MIT */
#include "lib/symbols.h"

struct symbol {
	uint32_t offset, name;
};

/* The table is whole, as far as its counts tell. */
static bool is_sound(const uint32_t *header, size_t size)
{
	return size >= 8 && header[0] <= (size - 8) / sizeof(struct symbol) &&
	       header[1] <= size - 8 - header[0] * sizeof(struct symbol);
}

static const char *name_of(const uint32_t *header, uint32_t index)
{
	const struct symbol *symbols = (const void *)(header + 2);

	if (symbols[index].name >= header[1])
		return NULL;
	return (const char *)(symbols + header[0]) + symbols[index].name;
}

const char *symbols_lookup(const void *table, size_t size, uint32_t offset, uint32_t *within)
{
	const uint32_t *header = table;
	const struct symbol *symbols = (const void *)(header + 2);
	uint32_t low = 0, high;
	const char *name;

	if (!is_sound(header, size))
		return NULL;
	high = header[0];
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (symbols[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	name = low ? name_of(header, low - 1) : NULL;
	if (name)
		*within = offset - symbols[low - 1].offset;
	return name;
}

const char *symbols_at(const void *table, size_t size, uint32_t index, uint32_t *offset)
{
	const uint32_t *header = table;
	const struct symbol *symbols = (const void *)(header + 2);

	if (!is_sound(header, size) || index >= header[0])
		return NULL;
	*offset = symbols[index].offset;
	return name_of(header, index);
}
