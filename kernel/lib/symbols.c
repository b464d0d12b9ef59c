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

/* How many symbols are at this offset or before it. */
static uint32_t count_up_to(const uint32_t *header, uint32_t offset)
{
	const struct symbol *symbols = (const void *)(header + 2);
	uint32_t low = 0, high = header[0];

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (symbols[middle].offset <= offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const char *symbols_lookup(const void *table, size_t size, uint32_t offset, uint32_t *within)
{
	const uint32_t *header = table;
	const struct symbol *symbols = (const void *)(header + 2);
	const char *name;
	uint32_t count;

	if (!is_sound(header, size))
		return NULL;
	count = count_up_to(header, offset);
	name = count ? name_of(header, count - 1) : NULL;
	if (name)
		*within = offset - symbols[count - 1].offset;
	return name;
}

uint32_t symbols_length(const void *table, size_t size, uint32_t offset)
{
	const uint32_t *header = table;
	const struct symbol *symbols = (const void *)(header + 2);
	uint32_t count = is_sound(header, size) ? count_up_to(header, offset) : 0;

	return count && count < header[0] ? symbols[count].offset - symbols[count - 1].offset : 0;
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
