/* SPDX-License-Identifier: MIT */
/*
 * What the kernel's tracer sends: one record a CHANNEL_TRACE frame, little-endian, packed.
 * tools/command/strace.py makes lines of them.
 *
 * An ENTER record is a head, the call's number, its six arguments; a LEAVE record a head, the number,
 * the result. Both go on with pieces of memory that belong to arguments, as kernel/syscall/kinds.h says:
 * u8 argument (0-5), u8 form, u16 length, that many bytes.
 */
#ifndef BATON_TRACE_H
#define BATON_TRACE_H

#include <stdint.h>

enum trace_event {
	TRACE_ENTER = 1,
	TRACE_LEAVE = 2,
	TRACE_SIGNAL = 3, /* a head, then a siginfo_t: about to be delivered */
	TRACE_EXIT = 4,   /* a head, then u32 wait status: the thread is gone */
};

struct __attribute__((packed)) trace_head {
	uint8_t event; /* enum trace_event */
	uint8_t reserved[3];
	uint32_t tid;
	uint64_t time; /* nanoseconds since boot */
};

struct __attribute__((packed)) trace_enter {
	struct trace_head head;
	uint64_t number;
	uint64_t arguments[6];
};

struct __attribute__((packed)) trace_leave {
	struct trace_head head;
	uint64_t number;
	int64_t result;
};

enum trace_form {
	TRACE_BYTES = 1,  /* the memory as it was */
	TRACE_STRING = 2, /* the same without its NUL, which came after it */
	TRACE_PART = 3,   /* the beginning of a longer string or memory */
	TRACE_STRINGS =
		4,       /* u32 how many there are, then of the first ones u16 length and bytes; one
			    * of more than TRACE_TEXT bytes is longer than what was taken along */
	TRACE_DATA = 5,  /* of a vector: u16 length and bytes for each item */
	TRACE_COUNT = 6, /* u32 how many there are */
};

struct __attribute__((packed)) trace_piece {
	uint8_t argument;
	uint8_t form; /* enum trace_form */
	uint16_t length;
};

#define TRACE_TEXT        32u /* bytes of a string, items of an array that are shown */
#define TRACE_PATHS       4095u
#define TRACE_SIGNAL_INFO 128u

#endif
