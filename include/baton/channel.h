/* SPDX-License-Identifier: MIT */
/*
 * The exec channel: frames over the second serial port, between `tools/baton exec` on the host and
 * the kernel (kernel/devices/channel.c) or, on Linux, the runner in user space.
 *
 * A frame is one byte of stream, four of length (little-endian), then that many bytes; at most
 * CHANNEL_FRAME_MAX of them. The guest's first frame is READY; the host sends nothing before it.
 *
 * What to run stands in the initrd, as CHANNEL_SPEC_PATH: NUL-terminated strings `key=value`:
 *	path=/bin/NAME    the program (once)
 *	arg=TEXT          argv, from argv[0] on, in order
 *	env=K=V           environment, in order
 *	stdio=pipes|tty   fds 0-2
 *	trace=0|1         1: its system calls become TRACE frames (baton/trace.h)
 *	init=0|1          1: the program takes the runner's place as process 1
 * The runner is CHANNEL_RUNNER_PATH, started as process 1 by `init=` on the command line.
 *
 * In the guest the channel is seen as files: CHANNEL_DEV/0, /1, /2 (ends of pipes to fstat: stdin to
 * read, stdout and stderr to write, frames in the order of the writes), CHANNEL_DEV/tty (a terminal
 * whose bytes are STDIN and STDOUT frames) and CHANNEL_DEV/trace (whoever writes to it is traced
 * from its next system call on, with all its children) and CHANNEL_DEV/control (a write of 4 bytes, a wait
 * status as wait4 gives it, becomes an EXIT frame; a longer one, the payload of a FAILED frame,
 * becomes that). With init=1 there is no runner left when the program ends: when process 1 ends and
 * no EXIT frame was sent, the kernel sends one with its wait status.
 */
#ifndef BATON_CHANNEL_H
#define BATON_CHANNEL_H

#define CHANNEL_SPEC_PATH   "/etc/baton/exec"
#define CHANNEL_RUNNER_PATH "/sbin/exec-runner"
#define CHANNEL_DEV         "/dev/channel"
#define CHANNEL_FRAME_MAX   65536

enum channel_stream {
	CHANNEL_STDIN = 0,  /* host -> guest; length 0: end of file */
	CHANNEL_STDOUT = 1, /* guest -> host */
	CHANNEL_STDERR = 2, /* guest -> host */
	CHANNEL_WINDOW = 3, /* host -> guest: u16 rows, u16 columns, little-endian */
	CHANNEL_EXIT = 4,   /* guest -> host: u32 wait status; nothing follows */
	CHANNEL_READY = 5,  /* guest -> host: u32 protocol version, 1 */
	CHANNEL_TRACE = 7,  /* guest -> host: one record of include/baton/trace.h */
	CHANNEL_FAILED = 6, /* guest -> host: why the program could not be started, in words, and as
			     * the first four bytes the errno; an EXIT frame follows (126 or 127 << 8) */
};

#endif
