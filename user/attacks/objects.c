/* SPDX-License-Identifier: MIT */
/* Objects of the kernel's that somebody else owns, that are gone, that lead to themselves, that hold too much. See attack.h. */
#include "attacks/attack.h"

#include <limits.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>

#ifndef F_ADD_SEALS
#define F_ADD_SEALS 1033
#endif
#define ALL_SEALS   0xf /* SEAL, SHRINK, GROW, WRITE */
#define ALARM_CLOCK 8   /* CLOCK_REALTIME_ALARM */
#define PIDFD_GETFD 438 /* which musl does not know */
#define SENT_MOST   253 /* descriptors in a message: SCM_MAX_FD */
#define QUEUE_MOST  (1 << 17)

/* ---- Two users ---- */

/* Root has made it; Eve comes. Root goes on afterwards, to clean up, with what came of it. */
static int as_eve(void (*act)(long), long argument)
{
	pid_t pid = fork();

	WANT(pid >= 0);
	if (pid == 0) {
		alarm(ATTACK_SECONDS);
		become(stranger(EVE));
		act(argument);
		_exit(0);
	}
	return ended(pid);
}

/* The reason is written already. */
static void must_have_held(int status)
{
	if (status)
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : NOT_HELD);
}

/* ---- System V's ---- */

static key_t key; /* of what root has made */

static void takes_semaphores(long id)
{
	struct sembuf up = {0, 1, IPC_NOWAIT}, look = {1, 0, IPC_NOWAIT};
	struct semid_ds status = {.sem_perm = {.uid = getuid(), .gid = getgid(), .mode = 0666}};
	unsigned short values[2] = {1, 1};

	WANT_IS(kernel_call(SYS_semget, key, 2, 0600), -EACCES);
	WANT_IS(kernel_call(SYS_semop, id, &up, 1), -EACCES);
	WANT_IS(kernel_call(SYS_semop, id, &look, 1), -EACCES);
	WANT_IS(kernel_call(SYS_semctl, id, 0, GETVAL), -EACCES);
	WANT_IS(kernel_call(SYS_semctl, id, 0, GETPID), -EACCES);
	WANT_IS(kernel_call(SYS_semctl, id, 0, GETALL, values), -EACCES);
	WANT_IS(kernel_call(SYS_semctl, id, 0, SETVAL, 1), -EACCES);
	WANT_IS(kernel_call(SYS_semctl, id, 0, SETALL, values), -EACCES);
	WANT_IS(kernel_call(SYS_semctl, id, 0, IPC_STAT, &status), -EACCES);
	WANT_IS(kernel_call(SYS_semctl, id, 0, IPC_SET, &status), -EPERM);
	WANT_IS(kernel_call(SYS_semctl, id, 0, IPC_RMID), -EPERM);
}

static void semaphores(long unused)
{
	int id, status;
	long value;

	(void)unused;
	key = 0x45000000 | getpid();
	id = semget(key, 2, IPC_CREAT | IPC_EXCL | 0600);
	WANT(id >= 0);
	WANT_IS(kernel_call(SYS_semctl, id, 0, SETVAL, 7), 0);
	status = as_eve(takes_semaphores, id);
	value = kernel_call(SYS_semctl, id, 0, GETVAL);
	WANT_IS(semctl(id, 0, IPC_RMID), 0);
	must_have_held(status);
	WANT_IS(value, 7);
}

static void takes_segment(long id)
{
	struct shmid_ds status = {.shm_perm = {.uid = getuid(), .gid = getgid(), .mode = 0666}};

	WANT_IS(kernel_call(SYS_shmget, key, PAGE, 0600), -EACCES);
	WANT_IS(kernel_call(SYS_shmat, id, 0, 0), -EACCES);
	WANT_IS(kernel_call(SYS_shmat, id, 0, SHM_RDONLY), -EACCES);
	WANT_IS(kernel_call(SYS_shmctl, id, IPC_STAT, &status), -EACCES);
	WANT_IS(kernel_call(SYS_shmctl, id, IPC_SET, &status), -EPERM);
	WANT_IS(kernel_call(SYS_shmctl, id, SHM_LOCK, 0), -EPERM);
	WANT_IS(kernel_call(SYS_shmctl, id, IPC_RMID, 0), -EPERM);
}

static void writes(long address)
{
	aim((uintptr_t)address);
	*(volatile char *)address = 1;
}

static void reads_segment(long id)
{
	char *p;

	WANT_IS(kernel_call(SYS_shmat, id, 0, 0), -EACCES);
	WANT_IS(kernel_call(SYS_shmat, id, 0, SHM_RDONLY | SHM_EXEC), -EACCES);
	p = shmat((int)id, NULL, SHM_RDONLY);
	WANT(p != (void *)-1);
	WANT_IS(*p, 'r');
	WANT_IS(kernel_call(SYS_mprotect, p, PAGE, PROT_READ | PROT_WRITE), -EACCES);
	want_fault("writes to it", writes, (long)p, (struct outcome)DENIED);
	WANT_IS(*p, 'r');
}

static void segment(long mode)
{
	char *p, found;
	int id, status;

	key = 0x45000000 | getpid();
	id = shmget(key, PAGE, IPC_CREAT | IPC_EXCL | (int)mode);
	WANT(id >= 0);
	p = shmat(id, NULL, 0);
	WANT(p != (void *)-1);
	*p = 'r';
	status = as_eve(mode == 0600 ? takes_segment : reads_segment, id);
	found = *p;
	WANT_IS(shmctl(id, IPC_RMID, NULL), 0);
	must_have_held(status);
	WANT_IS(found, 'r');
}

static void removed(long unused)
{
	struct sembuf up = {0, 1, IPC_NOWAIT};
	int sems = semget(IPC_PRIVATE, 1, 0600), memory = shmget(IPC_PRIVATE, PAGE, 0600);

	(void)unused;
	WANT(sems >= 0 && memory >= 0);
	for (int i = 0; i < 50; i++) {
		int old_sems = sems, old_memory = memory;

		WANT_IS(kernel_call(SYS_semctl, sems, 0, IPC_RMID), 0);
		WANT_IS(kernel_call(SYS_shmctl, memory, IPC_RMID, 0), 0);
		sems = semget(IPC_PRIVATE, 1, 0600);
		memory = shmget(IPC_PRIVATE, PAGE, 0600);
		WANT(sems >= 0 && sems != old_sems && memory >= 0 && memory != old_memory);
		WANT_IS(kernel_call(SYS_semop, old_sems, &up, 1), -EINVAL);
		WANT_IS(kernel_call(SYS_semctl, old_sems, 0, IPC_RMID), -EINVAL);
		WANT_IS(kernel_call(SYS_shmat, old_memory, 0, 0), -EINVAL);
		WANT_IS(kernel_call(SYS_shmctl, old_memory, IPC_RMID, 0), -EINVAL);
	}
	WANT_IS(kernel_call(SYS_semctl, sems, 0, IPC_RMID), 0);
	WANT_IS(kernel_call(SYS_shmctl, memory, IPC_RMID, 0), 0);
}

/* ---- Process descriptors ---- */

static void waits(long unused)
{
	(void)unused;
	for (;;)
		pause();
}

static void number_again(long unused)
{
	pid_t first = begin(waits, 0), wanted = first;
	struct clone3 arguments = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1};
	long fd = kernel_call(SYS_pidfd_open, first, 0), second;

	(void)unused;
	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0), 0);
	WANT_IS(ended(first), SIGKILL);
	WANT_IS(kernel_call(SYS_pidfd_send_signal, fd, 0, NULL, 0), -ESRCH);
	second = kernel_call(CLONE3, &arguments, sizeof arguments);
	if (second == 0)
		waits(0);
	if (second == -EPERM)
		skip("a number cannot be chosen here");
	WANT_IS(second, first);
	WANT_IS(kernel_call(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0), -ESRCH);
	WANT_IS(kernel_call(SYS_waitid, P_PIDFD, fd, NULL, WEXITED | WNOHANG, NULL), -ECHILD);
	WANT_IS(kernel_call(SYS_wait4, second, NULL, WNOHANG, NULL), 0); /* it lives */
	WANT_IS(kill((pid_t)second, SIGTERM), 0);
	WANT_IS(ended((pid_t)second), SIGTERM);
}

static void victims_pidfd(long unused)
{
	long fd = kernel_call(SYS_pidfd_open, shared->victim, 0);

	(void)unused;
	WANT(fd >= 0); /* whoever sees a process may have that */
	WANT_IS(kernel_call(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0), -EPERM);
	WANT_IS(kernel_call(SYS_pidfd_send_signal, fd, SIGSTOP, NULL, 0), -EPERM);
	WANT_IS(kernel_call(SYS_pidfd_send_signal, fd, 0, NULL, 0), -EPERM);
	WANT_IS(kernel_call(PIDFD_GETFD, fd, 0, 0), -EPERM);
	WANT_IS(kernel_call(SYS_waitid, P_PIDFD, fd, NULL, WEXITED | WNOHANG, NULL), -ECHILD);
}

/* ---- Sockets ---- */

struct parcel {
	struct msghdr message;
	struct iovec vector;
	char byte, control[CMSG_SPACE((SENT_MOST + 1) * sizeof(int))]
		__attribute__((aligned(sizeof(struct cmsghdr))));
};

/* A message with `size` bytes of that kind. */
static long send_control(int fd, int type, const void *bytes, size_t size)
{
	static struct parcel parcel;
	struct cmsghdr *header = (struct cmsghdr *)parcel.control;

	parcel.vector = (struct iovec){&parcel.byte, 1};
	parcel.message = (struct msghdr){.msg_iov = &parcel.vector,
		.msg_iovlen = 1,
		.msg_control = parcel.control,
		.msg_controllen = (socklen_t)CMSG_SPACE(size)};
	header->cmsg_len = (socklen_t)CMSG_LEN(size);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = type;
	memcpy(CMSG_DATA(header), bytes, size);
	return kernel_call(SYS_sendmsg, fd, &parcel.message, MSG_DONTWAIT);
}

/* Pairs that are under way in themselves and in each other, ten at a time, and that nobody else holds. */
static void circle(int i, int before[2])
{
	int pair[2];

	WANT_IS(socketpair(AF_UNIX, i % 2 ? SOCK_STREAM : SOCK_DGRAM, 0, pair), 0);
	WANT_IS(send_control(pair[0], SCM_RIGHTS, pair, sizeof pair), 1);
	WANT_IS(send_control(pair[1], SCM_RIGHTS, pair, sizeof pair), 1);
	if (i % 10) {
		WANT_IS(send_control(pair[0], SCM_RIGHTS, before, sizeof pair), 1);
		WANT_IS(send_control(before[0], SCM_RIGHTS, pair, sizeof pair), 1);
		close(before[0]);
		close(before[1]);
	}
	memcpy(before, pair, sizeof pair);
}

static void circles(long unused)
{
	int last[2] = {-1, -1};

	(void)unused;
	for (int i = 0; i < 100; i++) {
		circle(i, last);
		if (i % 10 < 9)
			continue;
		close(last[0]);
		close(last[1]);
		/* When a socket goes that is not under way the others are looked at. */
		close(socket(AF_UNIX, SOCK_STREAM, 0));
	}
}

static void in_flight(long unused)
{
	static const struct rlimit few = {16, 16};
	int many[SENT_MOST + 1], pair[2];
	long sent, result = 0;

	(void)unused;
	WANT_IS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = pair[0];
	WANT_IS(send_control(pair[0], SCM_RIGHTS, many, sizeof many), -EINVAL);
	WANT_IS(setrlimit(RLIMIT_NOFILE, &few), 0);
	for (sent = 0; sent < 40 && result >= 0; sent++)
		result = send_control(pair[0], SCM_RIGHTS, many, sizeof(int));
	WANT_IS(result, -ETOOMANYREFS);
}

static void forged_sender(long unused)
{
	const struct ucred forged[] = {{1, getuid(), getgid()},
		{shared->victim, getuid(), getgid()}, {getpid(), 0, getgid()},
		{getpid(), stranger(VICTIM), getgid()}, {getpid(), getuid(), 0}};
	int pair[2];

	(void)unused;
	WANT_IS(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	for (size_t i = 0; i < COUNT(forged); i++)
		WANT_IS(send_control(pair[0], SCM_CREDENTIALS, &forged[i], sizeof forged[i]),
			-EPERM);
}

/* ---- Files that are none ---- */

static void epoll_depth(long unused)
{
	struct epoll_event event = {.events = EPOLLIN};
	int below = eventfd(0, 0);
	long result = 0, depth;

	(void)unused;
	for (depth = 0; depth < 20 && result == 0; depth++) {
		int fd = epoll_create1(0);

		WANT(fd >= 0);
		result = kernel_call(SYS_epoll_ctl, fd, EPOLL_CTL_ADD, below, &event);
		below = fd;
	}
	WANT_IS(result, -ELOOP);
}

static void event_overflow(long unused)
{
	uint64_t most = UINT64_MAX - 1, over = UINT64_MAX, one = 1, found = 0;
	int fd = eventfd(0, EFD_NONBLOCK);

	(void)unused;
	WANT_IS(kernel_call(SYS_write, fd, &over, 8), -EINVAL);
	WANT_IS(kernel_call(SYS_write, fd, &one, 7), -EINVAL);
	WANT_IS(kernel_call(SYS_write, fd, &most, 8), 8);
	WANT_IS(kernel_call(SYS_write, fd, &one, 8), -EAGAIN);
	WANT_IS(kernel_call(SYS_write, fd, &most, 8), -EAGAIN);
	WANT_IS(kernel_call(SYS_read, fd, &found, 7), -EINVAL);
	WANT_IS(kernel_call(SYS_read, fd, &found, 8), 8);
	WANT_IS(found, most);
	WANT_IS(kernel_call(SYS_read, fd, &found, 8), -EAGAIN);
}

static void timer_overflow(long unused)
{
	static const struct itimerspec wrong[] = {{{0, 0}, {0, 1000000000}}, {{0, -1}, {1, 0}},
		{{-1, 0}, {1, 0}}, {{0, 0}, {-1, 0}}, {{0, LONG_MAX}, {0, 1}}},
				       furthest = {{LONG_MAX, 999999999}, {LONG_MAX, 999999999}},
				       densest = {{0, 1}, {0, 1}};
	int fd = timerfd_create(CLOCK_MONOTONIC, 0);
	struct itimerspec found;
	uint64_t count = 0;

	(void)unused;
	WANT_IS(kernel_call(SYS_timerfd_create, ALARM_CLOCK, 0), -EPERM);
	for (size_t i = 0; i < COUNT(wrong); i++)
		WANT_IS(kernel_call(SYS_timerfd_settime, fd, 0, &wrong[i], NULL), -EINVAL);
	WANT_IS(timerfd_settime(fd, 0, &furthest, NULL), 0);
	WANT_IS(timerfd_gettime(fd, &found), 0);
	WANT(found.it_value.tv_sec > 1l << 30);
	WANT_IS(timerfd_settime(fd, 0, &densest, NULL), 0);
	for (int i = 0; i < 100; i++) {
		WANT_IS(kernel_call(SYS_read, fd, &count, 8), 8);
		WANT(count > 0);
	}
}

/* Two kinds of events in turn, since one that is as the last is left out. */
static void notices(long unused)
{
	static char bytes[65536] __attribute__((aligned(8)));
	const struct inotify_event *event;
	int fd = inotify_init1(IN_NONBLOCK), file = file_of(1), overflows = 0;
	long events = 0, got;
	char path[32];

	(void)unused;
	snprintf(path, sizeof path, "/proc/self/fd/%d", file);
	WANT(inotify_add_watch(fd, path, IN_ACCESS | IN_MODIFY) >= 0);
	for (int i = 0; i < QUEUE_MOST / 4; i++) {
		WANT_IS(kernel_call(SYS_pwrite64, file, "x", 1, 0), 1);
		WANT_IS(kernel_call(SYS_pread64, file, bytes, 1, 0), 1);
	}
	while ((got = kernel_call(SYS_read, fd, bytes, sizeof bytes)) > 0) {
		for (long at = 0; at < got; at += (long)sizeof *event + event->len, events++) {
			event = (const struct inotify_event *)(bytes + at);
			overflows += (event->mask & IN_Q_OVERFLOW) != 0;
		}
	}
	WANT_IS(got, -EAGAIN);
	WANT_IS(overflows, 1);
	WANT(events < QUEUE_MOST / 2);
}

static void seals(long unused)
{
	int fd = (int)kernel_call(SYS_memfd_create, "x", 2 /* MFD_ALLOW_SEALING */), again;
	char path[32];

	(void)unused;
	WANT_IS(kernel_call(SYS_write, fd, "sealed", 6), 6);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_ADD_SEALS, ALL_SEALS), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	again = open(path, O_RDWR);
	WANT(again >= 0);
	for (int i = 0; i < 2; i++, fd = again) {
		WANT_IS(kernel_call(SYS_pwrite64, fd, "x", 1, 0), -EPERM);
		WANT_IS(kernel_call(SYS_pwrite64, fd, "x", 1, PAGE), -EPERM);
		WANT_IS(kernel_call(SYS_ftruncate, fd, 0), -EPERM);
		WANT_IS(kernel_call(SYS_ftruncate, fd, 2 * PAGE), -EPERM);
		WANT_IS(kernel_call(SYS_fallocate, fd, 3, 0, PAGE), -EPERM);
		WANT_IS(kernel_call(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0),
			-EPERM);
		WANT_IS(kernel_call(SYS_fcntl, fd, F_ADD_SEALS, 0), -EPERM);
	}
	WANT_IS(kernel_call(SYS_lseek, fd, 0, SEEK_END), 6);
}

/* A descriptor to read from, of a file that is root's, opened again by way of /proc. */
static void opens_again(long unused)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char path[32];

	(void)unused;
	WANT(fd >= 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	WANT_IS(kernel_call(SYS_open, path, O_RDWR), -EACCES);
	WANT_IS(kernel_call(SYS_open, path, O_WRONLY | O_TRUNC), -EACCES);
	WANT_IS(kernel_call(SYS_write, fd, "x", 1), -EBADF);
	WANT_IS(kernel_call(SYS_ftruncate, fd, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_fchmod, fd, 0777), -EPERM);
	WANT_IS(kernel_call(SYS_fchown, fd, getuid(), getgid()), -EPERM);
	WANT_IS(kernel_call(SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), -EACCES);
}

/* ---- Terminals ---- */

static int open_terminal(int *master)
{
	int unlocked = 0, fd;

	*master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	WANT(*master >= 0);
	WANT_IS(ioctl(*master, TIOCSPTLCK, &unlocked), 0);
	fd = ioctl(*master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	WANT(fd >= 0);
	return fd;
}

/* In a session of its own. */
static void steals(long fd)
{
	pid_t group = getpid();
	long typed;

	WANT(setsid() > 0);
	typed = kernel_call(SYS_ioctl, fd, TIOCSTI, "x");
	WANT(typed == -EPERM ||
		typed == -EIO); /* EIO: there is none at all (dev.tty.legacy_tiocsti) */
	WANT_IS(kernel_call(SYS_ioctl, fd, TIOCSCTTY, 0), -EPERM);
	WANT_IS(kernel_call(SYS_ioctl, fd, TIOCSCTTY, 1), -EPERM);
	WANT_IS(kernel_call(SYS_ioctl, fd, TIOCSPGRP, &group), -ENOTTY);
	WANT_IS(kernel_call(SYS_ioctl, fd, TIOCGSID, &group), -ENOTTY);
	WANT_IS(kernel_call(SYS_ioctl, fd, TIOCNOTTY, 0), -ENOTTY);
}

static void owns_terminal(long unused)
{
	int master, fd = open_terminal(&master), waiting = -1, session = 0;

	(void)unused;
	WANT(setsid() > 0);
	WANT_IS(ioctl(fd, TIOCSCTTY, 0), 0);
	must_have_held(ended(begin(steals, fd)));
	WANT_IS(ioctl(fd, FIONREAD, &waiting), 0);
	WANT_IS(waiting, 0); /* nothing was typed */
	WANT_IS(ioctl(fd, TIOCGSID, &session), 0);
	WANT_IS(session, getpid());
}

static void terminal(long unused)
{
	(void)unused;
	must_have_held(ended(begin(owns_terminal, 0)));
}

static void opens_terminal(long number)
{
	char path[32];

	snprintf(path, sizeof path, "/dev/pts/%ld", number);
	WANT_IS(kernel_call(SYS_open, path, O_RDONLY | O_NOCTTY), -EACCES);
	WANT_IS(kernel_call(SYS_open, path, O_WRONLY | O_NOCTTY), -EACCES);
	WANT_IS(kernel_call(SYS_chmod, path, 0666), -EPERM);
}

static void others_terminal(long unused)
{
	unsigned number = 0;
	int master, fd = open_terminal(&master);

	(void)unused;
	WANT_IS(ioctl(master, TIOCGPTN, &number), 0);
	WANT_IS(fchmod(fd, 0600), 0);
	must_have_held(as_eve(opens_terminal, number));
}

/* ---- What is not there ---- */

static void absent(long unused)
{
	static const uint64_t words[32] = {1, 8, 0x95, KERNEL_DIRECT};

	(void)unused;
	WANT(kernel_call(SYS_bpf, 5 /* BPF_PROG_LOAD */, words, sizeof words) < 0);
	WANT(kernel_call(SYS_perf_event_open, words, -1, 0, -1, 0) < 0); /* all of a CPU */
	WANT(kernel_call(SYS_keyctl, 11 /* KEYCTL_READ */, 1, words, 8) < 0);
	WANT(kernel_call(SYS_keyctl, 5 /* KEYCTL_SETPERM */, 1, -1) < 0);
}

static const struct attack attacks[] = {
	{"semaphores", "takes, sets, reads and removes root's semaphores",
		"mode 0600: EACCES; not its owner: EPERM", {CALM}, semaphores, 0, AS_ROOT},
	{"segment", "attaches, locks, gives itself and removes root's segment",
		"mode 0600: EACCES; not its owner: EPERM", {CALM}, segment, 0600, AS_ROOT},
	{"segment-write", "writes to a segment that it may only read, and makes it writable",
		"mode 0644: EACCES, and the page's entry is read-only", {CALM}, segment, 0644,
		AS_ROOT},
	{"removed",
		"uses ids of semaphores and segments that were removed, and whose place was used "
		"again",
		"an id counts how often: EINVAL", {CALM}, removed},
	{"pidfd-again",
		"signals a process that has the number of the one that its descriptor was for",
		"a descriptor is for a process, not for a number: ESRCH", {CALM}, number_again, 0,
		AS_ROOT},
	{"pidfd-victim", "signals the victim and takes its descriptors, by a process descriptor",
		"another user's: EPERM", {CALM}, victims_pidfd},
	{"circles", "sends sockets over each other in circles, and closes them",
		"what only circles hold is found when a socket is closed, and freed", {CALM},
		circles},
	{"in-flight", "hides descriptors in messages that nobody receives",
		"those count: ETOOMANYREFS, EINVAL", {CALM}, in_flight},
	{"sender", "sends as process 1, as the victim, as root", "one's own ids alone: EPERM",
		{CALM}, forged_sender},
	{"epoll-depth", "has epolls watch each other, 20 deep", "five deep at most: ELOOP", {CALM},
		epoll_depth},
	{"event-overflow", "lets an event counter wrap", "EINVAL, EAGAIN; it stays", {CALM},
		event_overflow},
	{"timer-overflow", "timers beyond all times, before them, and every nanosecond",
		"EINVAL; the far ones are far; expirations are counted, not queued", {CALM},
		timer_overflow},
	{"notices", "has 65,536 notices queued that nobody reads",
		"the queue is bounded, and says once that it ran over", {CALM}, notices},
	{"seals", "changes a sealed file, and by another opening of it",
		"seals are the file's: EPERM", {CALM}, seals},
	{"open-again", "makes a descriptor for reading one for writing by /proc/self/fd",
		"the file's mode is asked again: EACCES", {CALM}, opens_again},
	{"terminal", "types into another session's terminal and takes it over",
		"not its own: EPERM, ENOTTY", {CALM}, terminal},
	{"terminal-open", "opens root's terminal", "mode 0600: EACCES; not its owner: EPERM",
		{CALM}, others_terminal, 0, AS_ROOT},
	{"absent",
		"loads a program into the kernel, counts a whole CPU, takes a key that is not its "
		"own",
		"there is no such call, or it is root's", {CALM}, absent},
};
FAMILY(objects, "objects that are another's, gone, or too much", attacks);
