/* SPDX-License-Identifier: MIT */
/*
 * What the pure functions answer, and in which words they refuse. The firmware half turns a
 * verdict into an EFI_STATUS and prints the complaint: what, where, found, expected.
 */
#ifndef LOADER_VERDICT_H
#define LOADER_VERDICT_H

#include "text.h"

enum verdict {
	VERDICT_OK,
	VERDICT_MALFORMED,   /* contradicts its own format */
	VERDICT_UNSUPPORTED, /* well-formed, but not for this loader or machine */
	VERDICT_NO_ROOM,     /* a buffer or the machine's memory is too small */
	VERDICT_NOT_FOUND,
};

struct complaint {
	char text[240];
};

/* Fills `why`, gives back `verdict`: `return refuse(why, VERDICT_MALFORMED, "...", ...);` */
__attribute__((format(printf, 3, 4))) static inline enum verdict refuse(
	struct complaint *why, enum verdict verdict, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	text_format_v(why->text, sizeof(why->text), format, arguments);
	va_end(arguments);
	return verdict;
}

#endif
