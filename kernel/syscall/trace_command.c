/* SPDX-License-Identifier: MIT */
/* Arguments whose meaning depends on another: of ioctl, fcntl, futex and prctl. Pure. */
#include "syscall/trace_record.h"

#include <asm/fcntl.h>
#include <asm/ioctls.h>
#include <asm/unistd_64.h>
#include <linux/futex.h>
#include <linux/prctl.h>

#define TERMIOS_SIZE 36u /* the kernel's struct termios */

struct command {
	uint32_t command;
	struct trace_kind kind;
};

static const struct command ioctls[] = {
	{TCGETS, {TRACE_HOW_OUT, TERMIOS_SIZE}},
	{TCSETS, {TRACE_HOW_IN, TERMIOS_SIZE}},
	{TCSETSW, {TRACE_HOW_IN, TERMIOS_SIZE}},
	{TCSETSF, {TRACE_HOW_IN, TERMIOS_SIZE}},
	{TIOCGWINSZ, {TRACE_HOW_OUT, 8}},
	{TIOCSWINSZ, {TRACE_HOW_IN, 8}},
	{TIOCGPGRP, {TRACE_HOW_OUT, 4}},
	{TIOCSPGRP, {TRACE_HOW_IN, 4}},
	{TIOCGSID, {TRACE_HOW_OUT, 4}},
	{TIOCGPTN, {TRACE_HOW_OUT, 4}},
	{TIOCSPTLCK, {TRACE_HOW_IN, 4}},
	{TIOCGPTLCK, {TRACE_HOW_OUT, 4}},
	{FIONREAD, {TRACE_HOW_OUT, 4}},
	{FIONBIO, {TRACE_HOW_IN, 4}},
};

static const struct command fcntls[] = {
	{F_GETLK, {TRACE_HOW_INOUT, 32}},
	{F_SETLK, {TRACE_HOW_IN, 32}},
	{F_SETLKW, {TRACE_HOW_IN, 32}},
	{F_OFD_GETLK, {TRACE_HOW_INOUT, 32}},
	{F_OFD_SETLK, {TRACE_HOW_IN, 32}},
	{F_OFD_SETLKW, {TRACE_HOW_IN, 32}},
	{F_GETOWN_EX, {TRACE_HOW_OUT, 8}},
	{F_SETOWN_EX, {TRACE_HOW_IN, 8}},
};

static const struct command futexes[] = {
	{FUTEX_WAIT, {TRACE_HOW_IN, 16}},
	{FUTEX_WAIT_BITSET, {TRACE_HOW_IN, 16}},
	{FUTEX_LOCK_PI, {TRACE_HOW_IN, 16}},
	{FUTEX_LOCK_PI2, {TRACE_HOW_IN, 16}},
	{FUTEX_WAIT_REQUEUE_PI, {TRACE_HOW_IN, 16}},
};

static const struct command prctls[] = {
	{PR_SET_NAME, {TRACE_HOW_TEXT, 0}},
	{PR_GET_NAME, {TRACE_HOW_OUT, 16}},
	{PR_GET_PDEATHSIG, {TRACE_HOW_OUT, 4}},
	{PR_GET_CHILD_SUBREAPER, {TRACE_HOW_OUT, 4}},
};

static struct trace_kind look_up(const struct command *table, size_t count, uint32_t command)
{
	for (size_t i = 0; i < count; i++) {
		if (table[i].command == command)
			return table[i].kind;
	}
	return (struct trace_kind){TRACE_HOW_NONE, 0};
}

static const struct decision {
	uint64_t number;
	unsigned index, by; /* the argument, and the one that decides about it */
	uint32_t mask;      /* of what that says */
	const struct command *table;
	size_t count;
} decisions[] = {
	{__NR_ioctl, 2, 1, UINT32_MAX, ioctls, ARRAY_SIZE(ioctls)},
	{__NR_fcntl, 2, 1, UINT32_MAX, fcntls, ARRAY_SIZE(fcntls)},
	{__NR_futex, 3, 1, (uint32_t)FUTEX_CMD_MASK, futexes, ARRAY_SIZE(futexes)},
	{__NR_prctl, 1, 0, UINT32_MAX, prctls, ARRAY_SIZE(prctls)},
};

struct trace_kind trace_by_command(uint64_t number, unsigned index, const uint64_t arguments[6])
{
	for (size_t i = 0; i < ARRAY_SIZE(decisions); i++) {
		const struct decision *d = &decisions[i];

		if (d->number == number && d->index == index)
			return look_up(d->table, d->count, (uint32_t)arguments[d->by] & d->mask);
	}
	return (struct trace_kind){TRACE_HOW_NONE, 0};
}
