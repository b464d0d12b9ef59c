/* SPDX-License-Identifier: MIT */
#include "counter.h"

#include "text.h"

#define DIGITS_MOST 9u

static const char ending[] = ".conf";

/* Where `.conf` begins, in whatever case; 0: the name does not end so, or has nothing else. */
static size_t find_ending(const char *name)
{
	size_t length = text_length(name), size = sizeof(ending) - 1;

	if (length <= size)
		return 0;
	for (size_t i = 0; i < size; i++)
		if (text_lower(name[length - size + i]) != ending[i])
			return 0;
	return length - size;
}

/* The number whose digits end before name[*at], which moves to its first one; false: there are none, or too many. */
static bool number_before(const char *name, size_t *at, uint32_t *value)
{
	size_t end = *at, first = end;

	while (first > 0 && name[first - 1] >= '0' && name[first - 1] <= '9')
		first--;
	if (first == end || end - first > DIGITS_MOST)
		return false;
	*value = 0;
	for (size_t i = first; i < end; i++)
		*value = *value * 10 + (uint32_t)(name[i] - '0');
	*at = first;
	return true;
}

/* The counter, and in *base the length of what is before its `+`. */
static struct boot_counter find(const char *name, size_t *base)
{
	struct boot_counter none = {0}, counter = {.counted = true};
	size_t at = find_ending(name);

	if (!at || !number_before(name, &at, &counter.left) || !at)
		return none;
	if (name[at - 1] == '-') {
		counter.done = counter.left;
		at--;
		if (!number_before(name, &at, &counter.left) || !at)
			return none;
	}
	if (name[at - 1] != '+' || at == 1)
		return none;
	*base = at - 1;
	return counter;
}

struct boot_counter counter_read(const char *name)
{
	size_t base;

	return find(name, &base);
}

bool counter_is_bad(const char *name)
{
	struct boot_counter counter = counter_read(name);

	return counter.counted && !counter.left;
}

/* The first `length` bytes of the name, and the text. */
static bool put_together(const char *name, size_t length, const char *text, char *out, size_t size)
{
	if (length >= size)
		return false;
	__builtin_memcpy(out, name, length);
	return text_copy(out + length, size - length, text);
}

bool counter_strip(const char *name, char *out, size_t size)
{
	size_t base;

	if (!find(name, &base).counted)
		return text_copy(out, size, name);
	return put_together(name, base, name + find_ending(name), out, size);
}

bool counter_tried(const char *name, char *out, size_t size)
{
	char text[2 * DIGITS_MOST + sizeof("+-.conf")];
	size_t base;
	struct boot_counter counter = find(name, &base);

	if (!counter.counted)
		return false;
	text_format(text, sizeof(text), "+%u-%u%s", counter.left ? counter.left - 1 : 0,
		counter.done + (counter.done < 999999999), name + find_ending(name));
	return put_together(name, base, text, out, size);
}
