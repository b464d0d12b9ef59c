/* SPDX-License-Identifier: MIT */
/*
 * What is written into a file of /proc/sys: numbers and lines, by Linux's rules (its proc_dointvec and
 * relatives), which programs rely on more than they know.
 *
 * A number is decimal, octal after 0 or hexadecimal after 0x, perhaps negative, in at most 20 characters; white
 * space may stand around it, anything else is -EINVAL. A vector's numbers are stored one by one, so a write of
 * fewer leaves the rest, and an error leaves what came before it changed. What is written behind the file's start
 * is taken and ignored, unless it goes on with a line.
 *
 * Pure, but for the knob's own value and `apply`. Whoever calls keeps other writers away.
 */
#include "files/sysctl.h"

#include "lib/errno.h"
#include "lib/string.h"

#define DIGITS_MOST 21u /* with the sign and 0x; one more is too long */

struct words {
	const char *at;
	size_t left;
};

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

static void skip_spaces(struct words *words)
{
	for (; words->left && is_space(*words->at); words->left--)
		words->at++;
}

static unsigned digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10 : 16;
}

/* Reads digits up to the first other character, whose place is in *length. */
static bool read_digits(const char *text, size_t *length, uint64_t *value)
{
	unsigned base = 10;
	size_t at = 0;

	if (text[0] == '0')
		base = 8;
	if (text[0] == '0' && (text[1] | 0x20) == 'x' && digit_of(text[2]) < 16) {
		base = 16;
		at = 2;
	}
	*value = 0;
	for (; digit_of(text[at]) < base; at++)
		if (__builtin_mul_overflow(*value, base, value) ||
			__builtin_add_overflow(*value, digit_of(text[at]), value))
			return false;
	*length = at;
	return true;
}

/* The next number, which stands at the start of `words`. */
static bool take_number(struct words *words, bool *minus, uint64_t *value)
{
	char text[DIGITS_MOST + 1];
	size_t size = words->left < DIGITS_MOST ? words->left : DIGITS_MOST, length;
	char next;

	memcpy(text, words->at, size);
	text[size] = '\0';
	*minus = size > 1 && text[0] == '-';
	if (digit_of(text[*minus]) > 9 || !read_digits(text + *minus, &length, value))
		return false;
	length += *minus;
	if (length == DIGITS_MOST)
		return false;
	if (length < words->left) {
		next = words->at[length];
		if (next != ' ' && next != '\t' && next != '\n')
			return false;
	}
	words->at += length;
	words->left -= length;
	return true;
}

static bool store_int(const struct sysctl *knob, unsigned index, bool minus, uint64_t value)
{
	int64_t number;

	if (value > (uint64_t)INT32_MAX + minus)
		return false;
	number = minus ? -(int64_t)value : (int64_t)value;
	if (number < knob->least || number > knob->most)
		return false;
	__atomic_store_n((int32_t *)knob->value + index, (int32_t)number, __ATOMIC_RELAXED);
	return true;
}

static bool store_unsigned(const struct sysctl *knob, bool minus, uint64_t value)
{
	if (minus || value > (uint32_t)knob->most || value < (uint32_t)knob->least)
		return false;
	__atomic_store_n((uint32_t *)knob->value, (uint32_t)value, __ATOMIC_RELAXED);
	return true;
}

static bool store_long(const struct sysctl *knob, unsigned index, bool minus, uint64_t value)
{
	if (minus || (knob->most != -1 && value > INT64_MAX))
		return false;
	__atomic_store_n((uint64_t *)knob->value + index, value, __ATOMIC_RELAXED);
	return true;
}

static bool store_number(const struct sysctl *knob, unsigned index, bool minus, uint64_t value)
{
	switch (knob->type) {
	case SYSCTL_INT:
		return store_int(knob, index, minus, value);
	case SYSCTL_UNSIGNED:
		return store_unsigned(knob, minus, value);
	default:
		return store_long(knob, index, minus, value);
	}
}

static ssize_t take_numbers(const struct sysctl *knob, const char *text, size_t size)
{
	struct words words = {text, size};
	uint64_t value;
	unsigned index = 0;
	bool minus;

	for (; index < knob->count; index++) {
		skip_spaces(&words);
		if (!words.left)
			break;
		if (!take_number(&words, &minus, &value) ||
			!store_number(knob, index, minus, value))
			return -EINVAL;
	}
	skip_spaces(&words);
	if (!index)
		return -EINVAL;
	return (ssize_t)(knob->type == SYSCTL_UNSIGNED ? size : size - words.left);
}

/* A line, or what goes on with it. */
static void take_line(const struct sysctl *knob, const char *text, size_t size, size_t position)
{
	char *line = knob->value;
	size_t length = strlen(line);

	if (position > length)
		return;
	length = position;
	for (size_t i = 0; i < size && length < knob->count - 1u; i++) {
		if (!text[i] || text[i] == '\n')
			break;
		line[length++] = text[i];
	}
	line[length] = '\0';
}

static size_t size_of(const struct sysctl *knob)
{
	switch (knob->type) {
	case SYSCTL_TEXT:
		return knob->count;
	case SYSCTL_UNSIGNED_LONG:
		return knob->count * sizeof(uint64_t);
	default:
		return knob->count * sizeof(uint32_t);
	}
}

ssize_t sysctl_take(const struct sysctl *knob, const char *text, size_t size, int64_t position)
{
	char old[SYSCTL_COUNT_MOST];
	ssize_t taken = (ssize_t)size;
	int error;

	if (!size)
		return 0;
	memcpy(old, knob->value, size_of(knob));
	if (knob->type == SYSCTL_TEXT)
		take_line(knob, text, size, (size_t)position);
	else if (position)
		return taken;
	else
		taken = take_numbers(knob, text, size);
	if (!knob->apply || (taken < 0 && !memcmp(old, knob->value, size_of(knob))))
		return taken;
	error = knob->apply();
	if (!error)
		return taken;
	memcpy(knob->value, old, size_of(knob));
	return error;
}
