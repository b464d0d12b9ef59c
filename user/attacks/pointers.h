/* SPDX-License-Identifier: MIT */
/* The ways in which a pointer is bad; addresses of those are in pointers.c. */
#ifndef USER_ATTACKS_POINTERS_H
#define USER_ATTACKS_POINTERS_H

#include "attacks/attack.h"

enum bad {
	KERNEL,
	DIRECT,
	HOLE_BEGIN,
	HOLE,
	HOLE_END,
	TOP,
	TOP_PAGE,
	NOT_MAPPED,
	NO_ACCESS,
	PAGE_END,
	READ_ONLY,
	BAD_KINDS
};

#define ALL       0xffffu
#define ONLY(bad) (1u << (bad))

uintptr_t bad_address(enum bad kind);
pid_t stopped_tracee(void); /* a child, of commands.c */

#endif
