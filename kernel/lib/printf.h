/* SPDX-License-Identifier: MIT */
#ifndef LIB_PRINTF_H
#define LIB_PRINTF_H

#include "lib/types.h"

#include <stdarg.h>

/* As C11's snprintf without floating point, wide characters and %n. Conversions: d i u x X o c s p
 * %, flags `-+ #0`, width and precision (also `*`), lengths hh h l ll z t j. Returns the length
 * that the whole text has; always ends `out` with NUL when size > 0. Pure. */
int format(char *out, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
int format_va(char *out, size_t size, const char *format, va_list arguments) PRINTF_LIKE(3, 0);

#endif
