/* SPDX-License-Identifier: MIT */
/* Records of include/baton/trace.h, with the memory that belongs to a call's arguments. */
#ifndef SYSCALL_TRACE_RECORD_H
#define SYSCALL_TRACE_RECORD_H

#include "lib/types.h"

#include <baton/trace.h>

enum trace_how {
	TRACE_HOW_NONE,
	TRACE_HOW_IN,
	TRACE_HOW_OUT,
	TRACE_HOW_INOUT,
	TRACE_HOW_REMAINING,
	TRACE_HOW_PATH,
	TRACE_HOW_TEXT,
	TRACE_HOW_STRINGS,
	TRACE_HOW_COUNT,
	TRACE_HOW_DATA_IN,
	TRACE_HOW_DATA_OUT,
	TRACE_HOW_NEXT_IN,
	TRACE_HOW_NEXT_OUT,
	TRACE_HOW_LAST_IN,
	TRACE_HOW_LAST_OUT,
	TRACE_HOW_ARRAY_IN,
	TRACE_HOW_ARRAY_OUT,
	TRACE_HOW_ARRAY_INOUT,
	TRACE_HOW_LAST_ARRAY_IN,
	TRACE_HOW_RESULT_ARRAY_OUT,
	TRACE_HOW_VECTOR_IN,
	TRACE_HOW_VECTOR_OUT,
	TRACE_HOW_BITS_INOUT,
	TRACE_HOW_ENTRIES_OUT,
	TRACE_HOW_BY_COMMAND,
};

/* One argument's memory: how to find out which, and the size of it or of an item. */
struct trace_kind {
	uint8_t how; /* enum trace_how */
	uint16_t size;
};

#define TRACE_RECORD_MAX 15000u

struct trace_record {
	uint8_t bytes[TRACE_RECORD_MAX];
	size_t used;
};

/* What the kernel looks at when it adds pieces. */
struct trace_call {
	uint64_t number;
	uint64_t arguments[6];
	long result;
	bool leaving;
};

void trace_record_begin(struct trace_record *record, enum trace_event event, int tid, ns_t time);
/* Adds bytes as they are. False: no room. */
bool trace_record_add(struct trace_record *record, const void *bytes, size_t size);
/* Adds what belongs to argument `index` at this end of the call. What cannot be read is left out. */
void trace_record_argument(struct trace_record *record, const struct trace_call *call,
	unsigned index, const struct trace_kind *kind);

/* trace_command.c: which memory argument `index` of a call means, where another argument decides about it:
 * NONE, IN, OUT, INOUT or TEXT. */
struct trace_kind trace_by_command(uint64_t number, unsigned index, const uint64_t arguments[6]);

#endif
