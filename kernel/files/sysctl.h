/* SPDX-License-Identifier: MIT */
/* What stands in a file below /proc/sys: where it is kept, and what may be written. See sysctl.c. */
#ifndef FILES_SYSCTL_H
#define FILES_SYSCTL_H

#include "lib/types.h"

enum sysctl_type {
	SYSCTL_INT,           /* int32_t[count] */
	SYSCTL_UNSIGNED,      /* one uint32_t */
	SYSCTL_UNSIGNED_LONG, /* uint64_t[count] */
	SYSCTL_TEXT,          /* char[count], NUL-terminated: a line */
};

#define SYSCTL_COUNT_MOST 128u /* of SYSCTL_TEXT; of numbers 16 */

/* Numbers are read without a lock, text and all writing under the lock that procfs_sys.c has. */
struct sysctl {
	const char *name;
	void *value;
	/* Called before the value is read, if it stands elsewhere. NULL: it does not. */
	void (*load)(void);
	/* Called when a write has changed the value: 0, or the errno, and the old value comes back. */
	int (*apply)(void);
	int32_t least,
		most; /* of an int, or an unsigned one; most -1: no limit, of a long: beyond INT64_MAX, too */
	uint16_t mode;
	uint8_t type, count;
	uint8_t capability; /* that a writer needs besides; 0: none */
};

/* Takes what was written at this offset: the bytes taken, or -EINVAL (some numbers of several may be
 * changed then), or what apply says. */
ssize_t sysctl_take(const struct sysctl *knob, const char *text, size_t size, int64_t position);

/* kernel.core_pattern, as it is now (procfs_sys.c). */
#define CORE_PATTERN_SIZE 128u
void core_pattern_get(char out[CORE_PATTERN_SIZE]);

#endif
