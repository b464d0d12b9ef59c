/* SPDX-License-Identifier: MIT */
/*
 * Through every pointer argument of every call: pointer_calls.h is made of the kernel's own table of system
 * calls, so that a new call is attacked as soon as it is in there. Each call is made with one of its
 * pointers bad in each way, the other arguments being good ones: what a kind of argument wants is in good(), the
 * descriptors that a call needs in descriptor(). EFAULT is expected, and nothing written, but where a
 * call looks at something else first, or does not look at all: answers[], which is what Linux says.
 */
#include "attacks/leaks.h"
#include "attacks/pointers.h"

#include <stddef.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>

struct argument {
	int kind;
	const char *name;
	bool is_pointer, is_written;
	unsigned size; /* 0: not known */
};

struct call {
	long number;
	const char *name;
	int count;
	struct argument arguments[6];
};

#include "pointer_calls.h"

/* ---- Bad pointers ---- */

uintptr_t bad_address(enum bad kind)
{
	static const uintptr_t fixed[] = {[KERNEL] = KERNEL_IMAGE,
		[DIRECT] = KERNEL_DIRECT,
		[HOLE_BEGIN] = FIRST_BAD,
		[HOLE] = MIDDLE_BAD,
		[HOLE_END] = LAST_BAD - 7,
		[TOP] = -8ul,
		[TOP_PAGE] = LAST_USER_PAGE};

	switch (kind) {
	case NOT_MAPPED:
		return unmapped_page();
	case NO_ACCESS:
		return (uintptr_t)pages(1, PROT_NONE);
	case PAGE_END:
		return (uintptr_t)last_bytes(1);
	case READ_ONLY:
		return (uintptr_t)pages(1, PROT_READ);
	default:
		return fixed[kind];
	}
}

static bool applies(enum bad kind, const struct argument *argument)
{
	if (kind == READ_ONLY)
		return argument->is_written && argument->size;
	if (kind == PAGE_END)
		return argument->size > 1 || argument->kind == KIND_PATH;
	return true;
}

/* ---- Good arguments ---- */

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++) {
		if (strcmp(name, *names) == 0)
			return true;
	}
	return false;
}

static int two_of(int fds[2], int which)
{
	close(fds[!which]);
	return fds[which];
}

static int pipe_end(int which)
{
	int fds[2], kept;

	WANT_IS(pipe2(fds, O_NONBLOCK), 0);
	WANT_IS(write(fds[1], "data", 4), 4);
	kept = dup(fds[!which]); /* so that it is no broken pipe */
	(void)kept;
	return two_of(fds, which);
}

/* One with something to receive. */
static int connected(void)
{
	int fds[2];

	WANT_IS(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, fds), 0);
	WANT_IS(write(fds[1], "data", 4), 4);
	dup(fds[1]);
	return two_of(fds, 0);
}

/* One that somebody wants to connect to. */
static int listening(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0),
	    other = socket(AF_UNIX, SOCK_STREAM, 0);
	static unsigned number;
	socklen_t length;

	length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
			     (size_t)snprintf(address.sun_path + 1, 64, "attacks-%d-%u", getpid(),
				     number++));
	WANT_IS(bind(fd, (struct sockaddr *)&address, length), 0);
	WANT_IS(listen(fd, 4), 0);
	WANT_IS(connect(other, (struct sockaddr *)&address, length), 0);
	return fd;
}

static int ready_epoll(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int fd = epoll_create1(0);

	WANT(fd >= 0);
	WANT_IS(epoll_ctl(fd, EPOLL_CTL_ADD, pipe_end(0), &event), 0);
	return fd;
}

static int descriptor(const struct call *call, const char *argument)
{
	static const char *const accepts[] = {"accept", "accept4", NULL};
	static const char *const sockets[] = {"connect", "bind", NULL};
	static const char *const talks[] = {"sendto", "recvfrom", "sendmsg", "recvmsg", "sendmmsg",
		"recvmmsg", "getsockname", "getpeername", "getsockopt", "setsockopt", NULL};

	if (is_one_of(call->name, accepts))
		return listening();
	if (is_one_of(call->name, sockets))
		return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (is_one_of(call->name, talks))
		return connected();
	if (strcmp(argument, "epoll") == 0)
		return ready_epoll();
	if (strncmp(call->name, "timerfd", 7) == 0)
		return timerfd_create(CLOCK_MONOTONIC, 0);
	if (strncmp(call->name, "signalfd", 8) == 0)
		return -1;
	if (strncmp(call->name, "inotify", 7) == 0)
		return inotify_init();
	if (strncmp(call->name, "getdents", 8) == 0)
		return open("/", O_RDONLY | O_DIRECTORY);
	if (strcmp(call->name, "epoll_ctl") == 0 || strcmp(call->name, "vmsplice") == 0 ||
		(strcmp(call->name, "splice") == 0 && strcmp(argument, "out") == 0))
		return pipe_end(1);
	if (strcmp(argument, "pidfd") == 0)
		return (int)kernel_call(SYS_pidfd_open, getpid(), 0);
	return file_of(PAGE);
}

static void ends(long unused)
{
	(void)unused;
}

/* A child that has ended, for those who wait. */
static void leave_zombie(void)
{
	siginfo_t info;
	pid_t pid = begin(ends, 0);

	WANT_IS(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
}

static long timer(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	int id = -1;

	WANT_IS(kernel_call(SYS_timer_create, CLOCK_MONOTONIC, &event, &id), 0);
	return id;
}

/* Memory that a pointer may well lead to. */
static long good_memory(const struct call *call, const struct argument *argument)
{
	uint64_t *words = pages(2, PROT_READ | PROT_WRITE);
	bool vector = argument->kind == KIND_VECTOR_IN || argument->kind == KIND_VECTOR_OUT ||
		      strncmp(call->name, "process_vm", 10) == 0;

	if (argument->kind == KIND_PATH)
		strcpy((char *)words, "/proc/self/exe");
	else if (argument->kind == KIND_TEXT)
		strcpy((char *)words, "user.attack");
	else if (argument->kind == KIND_STRINGS) /* should the call succeed, its end tells */
		words[0] = (uintptr_t) "attacks", words[1] = (uintptr_t) "--none";
	else if (vector)
		words[0] = (uintptr_t)words + PAGE, words[1] = 8;
	else if (argument->kind == KIND_CAPABILITIES_HEADER)
		words[0] = 0x20080522; /* _LINUX_CAPABILITY_VERSION_3 */
	else if (argument->kind == KIND_POLL_FDS)
		words[0] = UINT32_MAX; /* the descriptor -1 */
	else if (argument->kind == KIND_SIGNAL_SET)
		words[0] = 1ul << (SIGUSR2 - 1);
	else if (argument->kind == KIND_SIGNAL_STACK)
		words[1] = 2; /* SS_DISABLE */
	else if (strcmp(argument->name, "length") == 0)
		words[0] = 16;
	return (long)(uintptr_t)words;
}

static long good_size(const struct call *call, const char *argument)
{
	static const char *const of_set[] = {
		"ppoll", "epoll_pwait", "epoll_pwait2", "signalfd", "signalfd4", NULL};
	static const char *const of_items[] = {"readv", "writev", "preadv", "pwritev", "vmsplice",
		"process_vm_readv", "process_vm_writev", NULL};

	if (strncmp(call->name, "rt_sig", 6) == 0 || is_one_of(call->name, of_set))
		return 8;
	if (is_one_of(call->name, of_items))
		return 1;
	if (strcmp(call->name, "set_robust_list") == 0)
		return 24;
	(void)argument;
	return 64;
}

/* Where another number is wanted than its kind's. */
static const struct {
	const char *call, *argument;
	long value;
} numbers[] = {
	{"poll", "timeout", 0},
	{"epoll_wait", "timeout", 0},
	{"epoll_pwait", "timeout", 0},
	{"epoll_ctl", "operation", EPOLL_CTL_ADD},
	{"getdents", "count", 4096},
	{"getdents64", "count", 4096},
	{"sched_getaffinity", "size", 64},
	{"sched_setaffinity", "size", 64},
	{"getgroups", "size", 64},
	{"getsockopt", "option", SO_TYPE},
	{"setsockopt", "option", SO_SNDBUF},
	{"setsockopt", "length", 4},
	{"socketpair", "protocol", 0},
	{"connect", "length", 16},
	{"bind", "length", 16},
	{"sendto", "length", 16},
	{"readlink", "size", 64},
	{"readlinkat", "size", 64},
	{"futex", "operation", 3}, /* FUTEX_REQUEUE looks at both words */
	{"futex", "value", 0},
	{"shmctl", "command", 1}, /* IPC_SET reads before it looks for the id */
	{"msgctl", "command", 1},
	{"msgrcv", "flags", 044000}, /* MSG_COPY | IPC_NOWAIT: so does it */
	{"syslog", "action", 3},
	{"syslog", "size", 64},
	{"sched_getattr", "size", 64},
	{"sendto", "address", 0},
	{"timer_create", "event", 0},
	{"clock_settime", "clock", CLOCK_REALTIME},
	{"inotify_add_watch", "mask", IN_ACCESS},
	{"accept4", "flags", 0},
	{"splice", "out_offset", 0},
	{"sendto", "flags", MSG_DONTWAIT},
	{"recvfrom", "flags", MSG_DONTWAIT},
	{"recvmmsg", "flags", MSG_DONTWAIT},
};

static long good(const struct call *call, const struct argument *argument)
{
	for (size_t i = 0; i < COUNT(numbers); i++) {
		if (strcmp(numbers[i].call, call->name) == 0 &&
			strcmp(numbers[i].argument, argument->name) == 0)
			return numbers[i].value;
	}
	if (argument->is_pointer)
		return good_memory(call, argument);
	switch (argument->kind) {
	case KIND_FD:
		return descriptor(call, argument->name);
	case KIND_DIRFD:
		return AT_FDCWD;
	case KIND_PID:
		return strncmp(call->name, "wait", 4) == 0 ? -1 : getpid();
	case KIND_SIGNAL:
		return SIGUSR1;
	case KIND_SIZE:
		return good_size(call, argument->name);
	case KIND_ADDRESS:
		return (long)(uintptr_t)pages(1, PROT_READ | PROT_WRITE);
	case KIND_CLOCK:
		return CLOCK_MONOTONIC;
	case KIND_WAITID_OPTIONS:
		return WEXITED;
	case KIND_RESOURCE:
		return 4; /* RLIMIT_CORE: no harm in any value */
	case KIND_INT:
		return strncmp(call->name, "timer_", 6) == 0 ? timer() : 1;
	case KIND_UINT:
		return 1;
	default:
		return 0;
	}
}

/* ---- What Linux says ---- */

#define ANY_ERROR 10000 /* who may ask at all is the machine's to say */
#define ANYTHING \
	10001 /* the pointer is a number, or what is there to copy depends on the file system */

/* Where it is not -EFAULT; bads: for which bad pointers. */
static const struct {
	const char *call, *argument;
	unsigned bads;
	long result;
} answers[] = {
	/* What is left of the time is only told where it can be. */
	{"select", "timeout", ONLY(READ_ONLY), 0},
	{"pselect6", "timeout", ONLY(READ_ONLY), 0},
	{"ppoll", "timeout", ONLY(READ_ONLY), 0},
	{"nanosleep", "remaining", ALL, 0},
	{"clock_nanosleep", "remaining", ALL, 0},
	/* There is nothing to copy: a peer without a name, a user without groups, files without attributes. */
	{"recvfrom", "address", ALL, 4},
	{"getgroups", "list", ALL, 0},
	{"getxattr", "value", ALL, ANY_ERROR},
	{"lgetxattr", "value", ALL, ANY_ERROR},
	{"fgetxattr", "value", ALL, ANY_ERROR},
	{"listxattr", "names", ALL, ANYTHING},
	{"llistxattr", "names", ALL, ANYTHING},
	{"flistxattr", "names", ALL, ANYTHING},
	/* Who asks is nobody. */
	{"syslog", "buffer", ALL, ANY_ERROR},
	{"setgroups", "list", ALL, -EPERM},
	{"pivot_root", "new_root", ALL, -EPERM},
	{"pivot_root", "put_old", ALL, -EPERM},
	{"reboot", "argument", ALL, -EPERM},
	{"sethostname", "name", ALL, -EPERM},
	{"setdomainname", "name", ALL, -EPERM},
	/* A pipe has no position. */
	{"splice", "out_offset", ALL, -ESPIPE},
	/* Kept as numbers until the thread ends; then nothing is written there. */
	{"set_tid_address", "tid", ALL, ANYTHING},
	{"set_robust_list", "head", ALL, 0},
};

static long answer(const struct call *call, const struct argument *argument, enum bad bad)
{
	for (size_t i = 0; i < COUNT(answers); i++) {
		if (strcmp(answers[i].call, call->name) == 0 &&
			strcmp(answers[i].argument, argument->name) == 0 &&
			(answers[i].bads >> bad & 1))
			return answers[i].result;
	}
	return -EFAULT;
}

/* ---- The attack ---- */

static void one(const struct call *call, int at, enum bad bad)
{
	const struct argument *argument = &call->arguments[at];
	long expected = answer(call, argument, bad), found, words[6] = {0};

	for (int i = 0; i < call->count; i++)
		words[i] = i == at ? 0 : good(call, &call->arguments[i]);
	words[at] = (long)bad_address(bad); /* last, so that nothing is mapped there */
	if (strncmp(call->name, "wait", 4) == 0)
		leave_zombie();
	if (strcmp(call->name, "rt_sigtimedwait") == 0)
		kernel_call(SYS_kill, getpid(), SIGUSR2);
	found = kernel_call6(
		call->number, words[0], words[1], words[2], words[3], words[4], words[5]);
	if (found != expected && expected != ANYTHING &&
		!(expected == ANY_ERROR && found < 0 && found > -4096)) {
#ifdef EXPLORE
		dprintf(2, "%s.%s %d: %ld\n", call->name, argument->name, bad, found);
#else
		fail("%s, %s = %#lx: %ld, expected %ld", call->name, argument->name,
			(unsigned long)words[at], found, expected);
#endif
	}
}

/* Each trial in a process of its own, which takes its descriptors along. */
static void one_argument(long which)
{
	const struct call *call = &calls[which >> 8];
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (enum bad bad = 0; bad < BAD_KINDS; bad++) {
		if (applies(bad, &call->arguments[which & 0xff]))
			one(call, (int)which & 0xff, bad);
	}
}

/* ---- What good ones bring ---- */

static void look_at_outputs(long which)
{
	const struct call *call = &calls[which];
	long words[6] = {0};

	for (int i = 0; i < call->count; i++) {
		words[i] = good(call, &call->arguments[i]);
		if (call->arguments[i].is_written && words[i] &&
			call->arguments[i].kind != KIND_INOUT &&
			call->arguments[i].kind != KIND_FD_SET &&
			call->arguments[i].kind != KIND_POLL_FDS)
			memset((void *)words[i], POISON, 2 * PAGE);
	}
	if (strncmp(call->name, "wait", 4) == 0)
		leave_zombie();
	kernel_call6(call->number, words[0], words[1], words[2], words[3], words[4], words[5]);
	for (int i = 0; i < call->count; i++) {
		if (call->arguments[i].is_written && words[i] &&
			strcmp(call->name, "getrandom") != 0)
			want_no_address(call->name, (void *)words[i], 2 * PAGE);
	}
}

void scan_outputs(void)
{
	static const char *const left_out[] = {
		"execve", "execveat", "rt_sigsuspend", "clone3", "set_tid_address", NULL};

	for (size_t i = 0; i < COUNT(calls); i++) {
		if (is_one_of(calls[i].name, left_out))
			continue;
		for (int n = 0; n < calls[i].count; n++) {
			if (!calls[i].arguments[n].is_written)
				continue;
			WANT_IS(ended(begin(look_at_outputs, (long)i)), 0);
			break;
		}
	}
}

static void pointers_of(long which)
{
	int status;

	for (int i = 0; i < calls[which].count; i++) {
		if (!calls[which].arguments[i].is_pointer)
			continue;
		status = ended(begin(one_argument, which << 8 | i));
		if (status == EXITED(NOT_HELD))
			_exit(NOT_HELD); /* it has said why */
		WANT_IS(status, 0);
	}
}

#define ON_CALL(index, name, arguments) \
	{name, "gives " name " bad addresses as " arguments, REFUSES, {CALM}, pointers_of, (index)},
#define REFUSES                                                                           \
	"the range is checked and a fault on the way is resolved or EFAULT: kernel, not " \
	"canonical, top page, not mapped, "                                               \
	"no access, page end, read-only"

static const struct attack attacks[] = {POINTER_CALLS(ON_CALL)};
FAMILY(pointers, "bad pointers through every call", attacks);
