/* SPDX-License-Identifier: MIT */
/*
 * Text in fixed buffers, for messages: no allocation, no state, the same on firmware and host.
 * Every function ends its output by a NUL and cuts what does not fit.
 */
#ifndef LOADER_TEXT_H
#define LOADER_TEXT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Knows %s %c %u %x %lu %lx %zu %%, nothing else; returns the length written, without the NUL. */
size_t text_format(char *out, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
size_t text_format_v(char *out, size_t size, const char *format, va_list arguments)
	__attribute__((format(printf, 3, 0)));

size_t text_length(const char *s);
bool text_equal(const char *a, const char *b);
bool text_starts(const char *s, const char *prefix);
/* Copies; false (and a cut copy) when it does not fit with its NUL. */
bool text_copy(char *out, size_t size, const char *s);
/* ASCII only. */
char text_lower(char c);

/*
 * Decimal digits, nothing else, up to `end` (or the NUL when it is NULL); false when there are
 * none, others follow, or the value passes `most`.
 */
bool text_number(const char *s, const char *end, uint32_t most, uint32_t *value);

#endif
