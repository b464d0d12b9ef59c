/* SPDX-License-Identifier: MIT */
/* What a core file is called: kernel.core_pattern (man 5 core). See core_name.c. */
#ifndef PROCESS_CORE_NAME_H
#define PROCESS_CORE_NAME_H

#include "lib/types.h"

/* What the letters after % stand for. */
struct core_facts {
	int process, thread, signal;
	uint32_t uid, gid, dumpable;
	uint64_t time, limit;
	const char *host, *name, *program; /* the program by its path */
	bool with_process;                 /* .PID at the end, if the pattern does not have it */
};

/* -ENAMETOOLONG. */
int core_name(
	char *out, size_t size, const char *pattern, const struct core_facts *facts) MUST_CHECK;

#endif
