/* SPDX-License-Identifier: MIT */
/* What stands in the memory that a call reads: paths, times, sets, addresses of sockets, vectors. */
#include "fuzz.h"

#include <linux/capability.h>
#include <linux/sched.h>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "values.h"
#include "worker.h"

/* ---- Strings ---- */

#define LONG_NAME                                                                                  \
	"nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn" \
	"nnnnnnnnnnnnnnnn"

const char *content_path(struct stream *stream)
{
	/* f: files, d: directories, l: links, p: a FIFO, x: programs, s: a socket, n: not there at first. Nothing that would
	 * hit the supervisor's own world: the workers are kept by their rights from the rest. */
	static const char *const paths[] = {"f0", "f0", "f1", "f2", "f3", "d0", "d0", "d1", "d0/f4",
		"d0/d2", "d1/f5", "l0", "l1", "l2", "l3/f4", "p0", "x0", "x0", "x1", "x2", "x3",
		"s0", "n0", "n0", "n1", "n2", "n3", "d0/n4", "d0/n5", "d1/n6", "d1/n7/n8", ".",
		"..", "/", "", "d0/..", "d0/../d1/./f5", "f0/", "d0/", "d0//f4", "f0/x", BASE,
		BASE "/f1", BASE "/d1/n9", "/dev/null", "/dev/zero", "/dev/full", "/dev/urandom",
		"/dev/ptmx", "/dev/tty", "/dev/pts/0", "/dev/pts/1", "/dev/fd/3", "/proc/self",
		"/proc/self/maps", "/proc/self/smaps", "/proc/self/stat", "/proc/self/status",
		"/proc/self/fd", "/proc/self/fd/3", "/proc/self/fd/9", "/proc/self/fdinfo/4",
		"/proc/self/exe", "/proc/self/cwd", "/proc/self/cwd/f0", "/proc/self/root",
		"/proc/self/environ", "/proc/self/auxv", "/proc/self/limits", "/proc/self/task",
		"/proc/self/comm", "/proc/self/mounts", "/proc/self/mountinfo",
		"/proc/self/syscall", "/proc/self/wchan", "/proc/self/oom_score_adj",
		"/proc/self/timerslack_ns", "/proc/self/cmdline", "/proc/thread-self/children",
		"/proc/meminfo", "/proc/stat", "/proc/1/status", "/proc/1/fd", "/proc/1/mem",
		"/proc/mounts", "/proc/sys/kernel/hostname", "/proc/sys/kernel/random/uuid",
		LONG_NAME LONG_NAME LONG_NAME,
		LONG_NAME LONG_NAME "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn",
		"d0/" LONG_NAME, "\x80\xff\x01", "nosuch/f0", "/nosuch"};

	return paths[random_below(&stream->random, COUNT(paths))];
}

const char *content_text(struct stream *stream)
{
	static const char *const texts[] = {"tmpfs", "tmpfs", "tmpfs", "proc", "devpts", "devtmpfs",
		"ramfs", "none", "", "size=64k", "size=1m,nr_inodes=20", "mode=700", "size=0",
		"uid=1000,gid=1000", "nr_inodes=x", "trusted.a", "trusted.b", "security.c",
		"user.d", "system.posix_acl_access", "trusted.", LONG_NAME, "\x80,=\x01"};

	return texts[random_below(&stream->random, COUNT(texts))];
}

/* ---- Plain words ---- */

static uint64_t word(struct stream *stream)
{
	switch (random_below(&stream->random, 8)) {
	case 0:
		return random_next(&stream->random);
	case 1:
		return (uint64_t)-1;
	case 2:
	case 3:
		return address_make(stream);
	case 4:
	case 5:
		return random_below(&stream->random, 64);
	default:
		return 0;
	}
}

static void fill_words(struct stream *stream, uint8_t *at, size_t size)
{
	/* All of a large one costs more than it finds. */
	for (size_t done = 0; done < size && done < 256; done += 8) {
		uint64_t value = word(stream);

		memcpy(at + done, &value, size - done < 8 ? size - done : 8);
	}
}

/* The structure, as much of it as there is room for. */
static void put(uint8_t *at, size_t size, const void *what, size_t what_size)
{
	memcpy(at, what, size < what_size ? size : what_size);
}

/* ---- Structures ---- */

/* Pairs of seconds and a part of them, mostly short. */
static void fill_times(struct stream *stream, uint8_t *at, size_t size)
{
	static const int64_t parts[] = {0, 1, 1000, 20000, 500000, 999999, 1000000, 999999999,
		1000000000, -1, 0x3fffffff, 0x3ffffffe};
	int64_t pair[2];

	for (size_t done = 0; done < size; done += sizeof(pair)) {
		pair[0] = random_one_in(&stream->random, 16) ? (int64_t)word(stream) : 0;
		pair[1] = parts[random_below(
			&stream->random, random_one_in(&stream->random, 4) ? COUNT(parts) : 4)];
		put(at + done, size - done, pair, sizeof(pair));
	}
}

static void fill_vector(struct stream *stream, uint8_t *at, size_t size)
{
	struct iovec vector;

	for (size_t done = 0; done < size; done += sizeof(vector)) {
		vector.iov_base = (void *)(uintptr_t)address_make(stream);
		vector.iov_len = random_one_in(&stream->random, 16)
					 ? word(stream)
					 : random_below(&stream->random, 5000);
		put(at + done, size - done, &vector, sizeof(vector));
	}
}

static void fill_polls(struct stream *stream, uint8_t *at, size_t size)
{
	struct pollfd poll;

	for (size_t done = 0; done < size; done += sizeof(poll)) {
		poll.fd = (int)value_make(stream, KIND_FD);
		poll.events = (short)random_below(&stream->random, 0x4000);
		poll.revents = 0;
		put(at + done, size - done, &poll, sizeof(poll));
	}
}

static void fill_action(struct stream *stream, uint8_t *at, size_t size)
{
	struct kernel_action action = {
		.flags = SA_RESTORER_FLAG | (random_next(&stream->random) & 0xd8000007),
		.restorer = (uintptr_t)invoke_restorer,
		.mask = random_one_in(&stream->random, 2) ? 0 : random_next(&stream->random),
	};

	switch (random_below(&stream->random, 8)) {
	case 0:
		action.handler = 0;
		break;
	case 1:
		action.handler = 1;
		break;
	case 2:
		action.handler = word(stream);
		break;
	default:
		action.handler = (uintptr_t)worker_handler;
	}
	put(at, size, &action, sizeof(action));
}

static void fill_event(struct stream *stream, uint8_t *at, size_t size)
{
	static const int ways[] = {0, 0, 1, 1, 2, 4, 3};
	struct {
		uint64_t value;
		int signal, how, tid;
	} event = {word(stream), (int)value_make(stream, KIND_SIGNAL),
		ways[random_below(&stream->random, COUNT(ways))],
		(int)value_make(stream, KIND_PID)};

	fill_words(stream, at, size);
	put(at, size, &event, sizeof(event));
}

static void fill_clone(struct stream *stream, uint8_t *at, size_t size)
{
	struct clone_args args = {
		.flags = value_make(stream, KIND_CLONE_FLAGS) & ~0xffull,
		.pidfd = address_make(stream),
		.child_tid = address_make(stream),
		.parent_tid = address_make(stream),
		.exit_signal = random_one_in(&stream->random, 2)
				       ? SIGCHLD
				       : random_below(&stream->random, 70),
		.stack = random_one_in(&stream->random, 2) ? 0 : address_make(stream),
		.stack_size = random_one_in(&stream->random, 2) ? 0 : PAGE,
		.tls = word(stream),
	};

	fill_words(stream, at, size);
	put(at, size, &args, sizeof(args));
}

static void fill_limit(struct stream *stream, uint8_t *at, size_t size)
{
	uint64_t limit[2] = {value_make(stream, KIND_SIZE), value_make(stream, KIND_SIZE)};

	if (!random_one_in(&stream->random, 4))
		limit[1] = 1u << 25;
	put(at, size, limit, sizeof(limit));
}

static void fill_capabilities(struct stream *stream, uint8_t *at, size_t size)
{
	static const uint32_t versions[] = {_LINUX_CAPABILITY_VERSION_3,
		_LINUX_CAPABILITY_VERSION_3, _LINUX_CAPABILITY_VERSION_1,
		_LINUX_CAPABILITY_VERSION_2, 0};
	uint32_t header[2] = {versions[random_below(&stream->random, COUNT(versions))],
		random_one_in(&stream->random, 2) ? 0 : (uint32_t)value_make(stream, KIND_PID)};

	put(at, size, header, sizeof(header));
}

/* IN, OUT, INOUT: whatever the call may want of sockets' addresses, messages, vectors, words. */
static void fill_address(struct stream *stream, uint8_t *at, size_t size)
{
	static const char *const names[] = {
		"s0", "s0", "s1", "d0/s2", "\0abstract", "\0other", "f0", ""};
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	unsigned which = random_below(&stream->random, COUNT(names));

	memcpy(address.sun_path, names[which], names[which][0] ? strlen(names[which]) + 1 : 9);
	if (random_one_in(&stream->random, 16))
		address.sun_family = (sa_family_t)random_next(&stream->random);
	put(at, size, &address, sizeof(address));
}

static void fill_message(struct stream *stream, uint8_t *at, size_t size)
{
	uint64_t message[8] = {random_one_in(&stream->random, 2) ? 0 : address_make(stream),
		random_below(&stream->random, 120), address_make(stream),
		random_below(&stream->random, 4),
		random_one_in(&stream->random, 2) ? 0 : address_make(stream),
		random_below(&stream->random, 80), 0, 0};

	put(at, size, message, sizeof(message));
	/* what its pointers lead to: a vector, and a descriptor or two to send */
	if (message[2] >= SCRATCH && message[2] < SCRATCH + SCRATCH_SIZE / 2)
		memcpy((void *)(uintptr_t)message[2],
			(uint64_t[]){address_make(stream), random_below(&stream->random, 300)}, 16);
	if (message[4] >= SCRATCH && message[4] < SCRATCH + SCRATCH_SIZE / 2) {
		uint64_t length = 16 + 4 * (uint64_t)random_below(&stream->random, 3);
		uint32_t control[6] = {(uint32_t)length, 0, SOL_SOCKET,
			1 + random_below(&stream->random, 2), (uint32_t)value_make(stream, KIND_FD),
			(uint32_t)value_make(stream, KIND_FD)};

		memcpy((void *)(uintptr_t)message[4], control, sizeof(control));
	}
}

static void fill_last_resort(
	struct stream *stream, const struct call *call, uint8_t *at, size_t size)
{
	uint32_t length;

	switch (call->number) {
	case SYS_connect:
	case SYS_bind:
	case SYS_sendto:
		fill_address(stream, at, size);
		return;
	case SYS_sendmsg:
	case SYS_recvmsg:
	case SYS_sendmmsg:
	case SYS_recvmmsg:
		fill_message(stream, at, size);
		return;
	case SYS_process_vm_readv:
	case SYS_process_vm_writev:
		fill_vector(stream, at, size);
		return;
	case FUTEX_WAITV_NUMBER: {
		uint64_t waiter[3] = {
			random_below(&stream->random, 3), address_make(stream) & ~3ull, 2};

		fill_words(stream, at, size);
		put(at, size, waiter, sizeof(waiter));
		return;
	}
	default:
		length = (uint32_t)value_make(stream, KIND_SIZE);
		fill_words(stream, at, size);
		if (random_one_in(&stream->random, 2))
			put(at, size, &length, sizeof(length));
	}
}

static void fill_strings(struct stream *stream, uint8_t *at, size_t size)
{
	uint64_t strings[4] = {SCRATCH, SCRATCH + 100,
		random_one_in(&stream->random, 2) ? 0 : address_make(stream), 0};

	put(at, size, strings, sizeof(strings));
}

/* An array of small numbers, or a set. */
static void fill_small(struct stream *stream, uint8_t *at, size_t size)
{
	for (size_t done = 0; done < size && done < 256; done += 4) {
		uint32_t value = random_one_in(&stream->random, 2)
					 ? random_below(&stream->random, 100)
					 : (uint32_t)random_next(&stream->random);

		put(at + done, size - done, &value, sizeof(value));
	}
}

static void fill_stack(struct stream *stream, uint8_t *at, size_t size)
{
	uint64_t stack[3] = {address_make(stream), random_below(&stream->random, 3),
		PAGE * random_below(&stream->random, 5)};

	put(at, size, stack, sizeof(stack));
}

static void fill_offset(struct stream *stream, uint8_t *at, size_t size)
{
	uint64_t offset = value_make(stream, KIND_OFFSET);

	put(at, size, &offset, sizeof(offset));
}

/* Those of which nothing is known but words have none. */
static void (*const fillers[])(struct stream *stream, uint8_t *at, size_t size) = {
	[KIND_TIMESPEC] = fill_times,
	[KIND_TIMESPEC_INOUT] = fill_times,
	[KIND_TIMESPEC_PAIR] = fill_times,
	[KIND_TIMEVAL] = fill_times,
	[KIND_TIMEVAL_INOUT] = fill_times,
	[KIND_ITIMERSPEC] = fill_times,
	[KIND_ITIMERVAL] = fill_times,
	[KIND_VECTOR_IN] = fill_vector,
	[KIND_VECTOR_OUT] = fill_vector,
	[KIND_POLL_FDS] = fill_polls,
	[KIND_SIGNAL_ACTION] = fill_action,
	[KIND_SIGNAL_EVENT] = fill_event,
	[KIND_SIGNAL_STACK] = fill_stack,
	[KIND_CLONE_ARGS] = fill_clone,
	[KIND_RESOURCE_LIMIT] = fill_limit,
	[KIND_CAPABILITIES_HEADER] = fill_capabilities,
	[KIND_STRINGS] = fill_strings,
	[KIND_ENVIRONMENT] = fill_strings,
	[KIND_OFFSET_INOUT] = fill_offset,
	[KIND_SCHED_PARAMETER] = fill_small,
	[KIND_SCHED_ATTRIBUTES] = fill_small,
	[KIND_CPU_MASK] = fill_small,
	[KIND_GROUPS] = fill_small,
	[KIND_FD_SET] = fill_small,
	[KIND_EPOLL_EVENT] = fill_small,
};

void content_fill(
	struct stream *stream, const struct call *call, enum kind kind, uint8_t *at, size_t size)
{
	if (kind == KIND_IN || kind == KIND_OUT || kind == KIND_INOUT)
		fill_last_resort(stream, call, at, size);
	else if (kind < COUNT(fillers) && fillers[kind])
		fillers[kind](stream, at, size);
	else
		fill_words(stream, at, size);
}

size_t content_size(enum kind kind)
{
	switch (kind) {
	case KIND_VECTOR_IN:
	case KIND_VECTOR_OUT:
		return 8 * sizeof(struct iovec);
	case KIND_STRINGS:
	case KIND_ENVIRONMENT:
		return 32;
	case KIND_IN:
	case KIND_OUT:
	case KIND_INOUT:
		return 128;
	default:
		return 512;
	}
}
