/* SPDX-License-Identifier: MIT */
#ifndef CRASH_H
#define CRASH_H

#include "lib/types.h"

/* Commits the crime of that name in the kernel (crash= on the command line), so that its detection
 * can be seen; a name that is none is warned about. */
void crash(const char *crime);

/* Those of crash_audit.c, in the debug build; false: it is none of them. */
#if BATON_DEBUG
bool crash_audit(const char *crime);
#else
static inline bool crash_audit(const char *crime)
{
	(void)crime;
	return false;
}
#endif

#endif
