/* SPDX-License-Identifier: MIT */
/*
 * The kernel's log and its last words.
 *
 * A line is formatted once, stamped with the time since the loader's entry, kept in a ring in
 * memory and sent to every console registered. Callable from any context, interrupts included;
 * before any console exists the ring keeps the lines and a new console gets them all.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include "lib/types.h"

#include <stdarg.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* One line (no newline in it); lines over 240 bytes are cut, marked by "...". */
void log_line(enum log_level level, const char *format, ...) PRINTF_LIKE(2, 3);

#define log_error(...) log_line(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_DEBUG, __VA_ARGS__)

/* The kernel cannot go on: says why, shows registers and backtrace, stops all CPUs. */
void panic(const char *format, ...) NORETURN PRINTF_LIKE(1, 2);

/* What must be so whatever the input; stays on in release. */
#define assert(condition)      \
	((condition) ? (void)0 \
		     : panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition))

#endif
