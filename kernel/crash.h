/* SPDX-License-Identifier: MIT */
#ifndef CRASH_H
#define CRASH_H

/* Commits the crime of that name in the kernel (crash= on the command line), so that its detection
 * can be seen; a name that is none is warned about. */
void crash(const char *crime);

#endif
