/* SPDX-License-Identifier: MIT */
/* The log and panic of unit tests that do not link the kernel's own log: both go to stderr. */
#include "lib/log.h"

#include <stdio.h>
#include <stdlib.h>

#define WEAK __attribute__((weak))

static const char *const level_names[] = {"error", "warning", "info", "debug"};

WEAK void log_line(enum log_level level, const char *text, ...)
{
	va_list arguments;

	va_start(arguments, text);
	fprintf(stderr, "%s: ", level_names[level]);
	vfprintf(stderr, text, arguments);
	fputc('\n', stderr);
	va_end(arguments);
}

WEAK void panic(const char *text, ...)
{
	va_list arguments;

	va_start(arguments, text);
	fputs("panic: ", stderr);
	vfprintf(stderr, text, arguments);
	fputc('\n', stderr);
	va_end(arguments);
	abort();
}
