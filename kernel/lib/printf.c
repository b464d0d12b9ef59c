/* SPDX-License-Identifier: MIT */
/*
 * Formatted text, as C11 7.21.6.1 without floating point, wide characters and %n. Pure: from the
 * arguments into the caller's buffer. An unknown conversion is copied as it stands, so that the
 * mistake shows in the text; the compiler's format check finds it before.
 *
 * One conversion is parsed into struct spec, its text is made (at most 64 octal or decimal digits),
 * and then put out with prefix, zeros and padding by one function.
 */
#include "lib/printf.h"
#include "lib/string.h"

/* Where text goes: `length` counts all of it, though only `size` bytes have room. */
struct sink {
	char *out;
	size_t size, length;
};

struct spec {
	bool left, plus, space, alternate, zero;
	bool has_precision;
	size_t width, precision;
	enum { LENGTH_INT, LENGTH_CHAR, LENGTH_SHORT, LENGTH_LONG } length;
	char conversion;
};

static void put(struct sink *sink, const char *text, size_t count)
{
	if (sink->length < sink->size) {
		size_t room = sink->size - sink->length;

		memcpy(sink->out + sink->length, text, count < room ? count : room);
	}
	sink->length += count;
}

static void pad(struct sink *sink, char with, size_t count)
{
	while (count--)
		put(sink, &with, 1);
}

/* Prefix (sign, 0x), zeros, digits; padded to the width. */
static void put_field(struct sink *sink, const struct spec *spec, const char *prefix, size_t zeros,
	const char *text, size_t count)
{
	size_t prefix_length = strlen(prefix);
	size_t all = prefix_length + zeros + count;
	size_t padding = spec->width > all ? spec->width - all : 0;

	if (!spec->left)
		pad(sink, ' ', padding);
	put(sink, prefix, prefix_length);
	pad(sink, '0', zeros);
	put(sink, text, count);
	if (spec->left)
		pad(sink, ' ', padding);
}

static const char *number_prefix(const struct spec *spec, bool negative, bool is_zero)
{
	switch (spec->conversion) {
	case 'd':
	case 'i':
		return negative ? "-" : spec->plus ? "+" : spec->space ? " " : "";
	case 'x':
		return spec->alternate && !is_zero ? "0x" : "";
	case 'X':
		return spec->alternate && !is_zero ? "0X" : "";
	case 'p':
		return "0x";
	default:
		return "";
	}
}

static void put_number(struct sink *sink, const struct spec *spec, uint64_t value, bool negative)
{
	const char *digits = spec->conversion == 'X' ? "0123456789ABCDEF" : "0123456789abcdef";
	const char *prefix = number_prefix(spec, negative, !value);
	char text[24];
	size_t at = sizeof(text), count, zeros = 0;

	for (uint64_t v = value; v;) {
		switch (spec->conversion) {
		case 'o':
			text[--at] = digits[v & 7];
			v >>= 3;
			break;
		case 'x':
		case 'X':
		case 'p':
			text[--at] = digits[v & 15];
			v >>= 4;
			break;
		default:
			text[--at] = digits[v % 10];
			v /= 10;
		}
	}
	count = sizeof(text) - at;
	if (spec->has_precision)
		zeros = spec->precision > count ? spec->precision - count : 0;
	else if (!count)
		zeros = 1;
	if (spec->conversion == 'o' && spec->alternate && !zeros)
		zeros = 1;
	if (spec->zero && !spec->left && !spec->has_precision) {
		size_t used = strlen(prefix) + zeros + count;

		if (spec->width > used)
			zeros += spec->width - used;
	}
	put_field(sink, spec, prefix, zeros, text + at, count);
}

static void put_string(struct sink *sink, const struct spec *spec, const char *text)
{
	if (!text)
		text = "(null)";
	put_field(sink, spec, "", 0, text,
		spec->has_precision ? strnlen(text, spec->precision) : strlen(text));
}

static size_t parse_number(const char **at)
{
	size_t n = 0;

	while (**at >= '0' && **at <= '9') {
		if (n < 1000000)
			n = n * 10 + (size_t)(**at - '0');
		(*at)++;
	}
	return n;
}

static bool parse_flag(struct spec *spec, char c)
{
	switch (c) {
	case '-':
		spec->left = true;
		return true;
	case '+':
		spec->plus = true;
		return true;
	case ' ':
		spec->space = true;
		return true;
	case '#':
		spec->alternate = true;
		return true;
	case '0':
		spec->zero = true;
		return true;
	default:
		return false;
	}
}

static void parse_length(struct spec *spec, const char **at)
{
	for (;; (*at)++) {
		switch (**at) {
		case 'h':
			spec->length = spec->length == LENGTH_SHORT ? LENGTH_CHAR : LENGTH_SHORT;
			break;
		case 'l':
		case 'z':
		case 't':
		case 'j':
			spec->length = LENGTH_LONG;
			break;
		default:
			return;
		}
	}
}

/* A va_list by pointer: as a parameter it would be an array that has decayed. */
struct arguments {
	va_list list;
};

static void parse_spec(struct spec *spec, const char **at, struct arguments *arguments)
{
	while (parse_flag(spec, **at))
		(*at)++;
	if (**at == '*') {
		int width = va_arg(arguments->list, int);

		(*at)++;
		spec->left |= width < 0;
		spec->width = width < 0 ? 0 - (size_t)width : (size_t)width;
	} else {
		spec->width = parse_number(at);
	}
	if (**at == '.') {
		(*at)++;
		spec->has_precision = true;
		if (**at == '*') {
			int precision = va_arg(arguments->list, int);

			(*at)++;
			spec->has_precision = precision >= 0;
			spec->precision = precision >= 0 ? (size_t)precision : 0;
		} else {
			spec->precision = parse_number(at);
		}
	}
	parse_length(spec, at);
	spec->conversion = **at;
}

static int64_t signed_argument(const struct spec *spec, struct arguments *arguments)
{
	switch (spec->length) {
	case LENGTH_LONG:
		return va_arg(arguments->list, long);
	case LENGTH_SHORT:
		return (short)va_arg(arguments->list, int);
	case LENGTH_CHAR:
		return (signed char)va_arg(arguments->list, int);
	default:
		return va_arg(arguments->list, int);
	}
}

static uint64_t unsigned_argument(const struct spec *spec, struct arguments *arguments)
{
	switch (spec->length) {
	case LENGTH_LONG:
		return va_arg(arguments->list, unsigned long);
	case LENGTH_SHORT:
		return (unsigned short)va_arg(arguments->list, unsigned);
	case LENGTH_CHAR:
		return (unsigned char)va_arg(arguments->list, unsigned);
	default:
		return va_arg(arguments->list, unsigned);
	}
}

/* false: there is no such conversion. */
static bool convert(struct sink *sink, const struct spec *spec, struct arguments *arguments)
{
	int64_t number;
	char c;

	switch (spec->conversion) {
	case 'd':
	case 'i':
		number = signed_argument(spec, arguments);
		put_number(sink, spec, number < 0 ? 0 - (uint64_t)number : (uint64_t)number,
			number < 0);
		return true;
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		put_number(sink, spec, unsigned_argument(spec, arguments), false);
		return true;
	case 'p':
		put_number(sink, spec, (uintptr_t)va_arg(arguments->list, void *), false);
		return true;
	case 'c':
		c = (char)va_arg(arguments->list, int);
		put_field(sink, spec, "", 0, &c, 1);
		return true;
	case 's':
		put_string(sink, spec, va_arg(arguments->list, const char *));
		return true;
	case '%':
		put(sink, "%", 1);
		return true;
	default:
		return false;
	}
}

int format_va(char *out, size_t size, const char *text, va_list list)
{
	struct sink sink = {out, size, 0};
	struct arguments arguments;

	va_copy(arguments.list, list);
	while (*text) {
		const char *percent = strchr(text, '%');
		struct spec spec = {0};
		const char *at;

		if (!percent) {
			put(&sink, text, strlen(text));
			break;
		}
		put(&sink, text, (size_t)(percent - text));
		at = percent + 1;
		parse_spec(&spec, &at, &arguments);
		if (*at)
			at++;
		if (!convert(&sink, &spec, &arguments))
			put(&sink, percent, (size_t)(at - percent));
		text = at;
	}
	va_end(arguments.list);
	if (size)
		out[sink.length < size ? sink.length : size - 1] = 0;
	return (int)sink.length;
}

int format(char *out, size_t size, const char *text, ...)
{
	va_list list;
	int length;

	va_start(list, text);
	length = format_va(out, size, text, list);
	va_end(list);
	return length;
}
