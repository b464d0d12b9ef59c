/* SPDX-License-Identifier: MIT */
#include "text.h"

struct writer {
	char *out;
	size_t size, used;
};

static void put(struct writer *w, char c)
{
	if (w->used + 1 < w->size)
		w->out[w->used++] = c;
}

static void put_text(struct writer *w, const char *s)
{
	for (s = s ? s : "(null)"; *s; s++)
		put(w, *s);
}

static void put_number(struct writer *w, uint64_t value, unsigned int base)
{
	char digits[20];
	size_t n = 0;

	do {
		digits[n++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (n)
		put(w, digits[--n]);
}

size_t text_format_v(char *out, size_t size, const char *format, va_list arguments)
{
	struct writer w = {.out = out, .size = size};

	if (size == 0)
		return 0;
	for (; *format; format++) {
		bool is_long = false;

		if (*format != '%') {
			put(&w, *format);
			continue;
		}
		format++;
		if (*format == 'l' || *format == 'z') {
			is_long = true;
			format++;
		}
		switch (*format) {
		case 's':
			put_text(&w, va_arg(arguments, const char *));
			break;
		case 'c':
			put(&w, (char)va_arg(arguments, int));
			break;
		case 'u':
		case 'x':
			put_number(&w,
				is_long ? va_arg(arguments, unsigned long)
					: va_arg(arguments, unsigned int),
				*format == 'u' ? 10 : 16);
			break;
		default:
			put(&w, *format);
			break;
		}
	}
	out[w.used] = '\0';
	return w.used;
}

size_t text_format(char *out, size_t size, const char *format, ...)
{
	va_list arguments;
	size_t n;

	va_start(arguments, format);
	n = text_format_v(out, size, format, arguments);
	va_end(arguments);
	return n;
}

size_t text_length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

bool text_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

bool text_starts(const char *s, const char *prefix)
{
	while (*prefix)
		if (*s++ != *prefix++)
			return false;
	return true;
}

bool text_copy(char *out, size_t size, const char *s)
{
	size_t i;

	if (size == 0)
		return false;
	for (i = 0; i + 1 < size && s[i]; i++)
		out[i] = s[i];
	out[i] = '\0';
	return s[i] == '\0';
}

char text_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool text_number(const char *s, const char *end, uint32_t most, uint32_t *value)
{
	uint64_t v = 0;

	if (s == end || !*s)
		return false;
	for (; s != end && *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (uint64_t)(*s - '0');
		if (v > most)
			return false;
	}
	*value = (uint32_t)v;
	return true;
}
