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

struct trace_kind trace_by_command(uint64_t number, uint64_t command)
{
	const uint32_t asked = (uint32_t)command;

	switch (number) {
	case __NR_ioctl:
		return look_up(ioctls, ARRAY_SIZE(ioctls), asked);
	case __NR_fcntl:
		return look_up(fcntls, ARRAY_SIZE(fcntls), asked);
	case __NR_futex:
		return look_up(futexes, ARRAY_SIZE(futexes), asked & FUTEX_CMD_MASK);
	case __NR_prctl:
		return look_up(prctls, ARRAY_SIZE(prctls), asked);
	default:
		return (struct trace_kind){TRACE_HOW_NONE, 0};
	}
}
