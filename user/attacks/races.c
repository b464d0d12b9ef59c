/* SPDX-License-Identifier: MIT */
/*
 * Time of check against time of use: a second thread changes, unmaps or protects what a call is about while
 * the call goes on. What comes out is one of what was there, or EFAULT, and never anything else.
 */
#include "attacks/attack.h"
#include "tests/futex_abi.h"

#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <ucontext.h>

#define ROUNDS 1500
#define AREA   (8 * PAGE)

static char *area; /* what the two fight over */
static volatile bool over;

static void *changes(void *unused)
{
	for (int i = 0; !over; i++)
		memset(area, i & 1 ? 'A' : 'B', AREA);
	return unused;
}

static void *unmaps(void *unused)
{
	while (!over) {
		munmap(area + AREA / 2, AREA / 2);
		mmap(area + AREA / 2, AREA / 2, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	}
	return unused;
}

static void *protects(void *unused)
{
	while (!over) {
		mprotect(area + AREA / 2, AREA / 2, PROT_NONE);
		mprotect(area + AREA / 2, AREA / 2, PROT_READ);
		mprotect(area + AREA / 2, AREA / 2, PROT_READ | PROT_WRITE);
	}
	return unused;
}

static void *drops(void *unused)
{
	while (!over)
		madvise(area, AREA, MADV_DONTNEED);
	return unused;
}

static pthread_t fight(void *(*opponent)(void *))
{
	pthread_t thread;

	area = pages(8, PROT_READ | PROT_WRITE);
	memset(area, 'A', AREA);
	over = false;
	WANT_IS(pthread_create(&thread, NULL, opponent, NULL), 0);
	return thread;
}

static void end(pthread_t thread)
{
	over = true;
	WANT_IS(pthread_join(thread, NULL), 0);
}

/* ---- The buffer ---- */

static void through_pipe(long opponent)
{
	static char got[AREA];
	pthread_t thread = fight((void *(*)(void *))opponent);
	int fds[2];

	WANT_IS(pipe2(fds, O_NONBLOCK), 0);
	for (int i = 0; i < ROUNDS; i++) {
		long in = kernel_call(SYS_write, fds[1], area, AREA), out;

		WANT(in == -EFAULT || (in > 0 && in <= (long)AREA));
		if (in < 0)
			continue;
		out = kernel_call(SYS_read, fds[0], got, sizeof got);
		WANT_IS(out, in);
		for (long n = 0; n < out; n++)
			WANT(got[n] == 'A' || got[n] == 'B' || got[n] == 0);
		kernel_call(SYS_write, fds[1], got, in);
		out = kernel_call(SYS_read, fds[0], area, AREA);
		WANT(out == -EFAULT || (out > 0 && out <= in));
		while (kernel_call(SYS_read, fds[0], got, sizeof got) > 0)
			;
	}
	end(thread);
}

static void through_file(long opponent)
{
	pthread_t thread = fight((void *(*)(void *))opponent);
	int fd = file_of(2 * AREA);

	for (int i = 0; i < ROUNDS; i++) {
		long done = kernel_call(SYS_pwrite64, fd, area, AREA, i % 5000);

		WANT(done == -EFAULT || (done > 0 && done <= (long)AREA));
		done = kernel_call(SYS_pread64, fd, area, AREA, i % 5000);
		WANT(done == -EFAULT || (done > 0 && done <= (long)AREA));
		done = kernel_call(SYS_getrandom, area, AREA, 0);
		WANT(done == -EFAULT || (done > 0 && done <= (long)AREA));
	}
	end(thread);
}

/* ---- What the call looks at first ---- */

static volatile struct iovec vector;
static char inside[64] = "inside";

static void *changes_vector(void *unused)
{
	while (!over) {
		vector.iov_base = (void *)KERNEL_DIRECT;
		vector.iov_base = inside;
		vector.iov_len = SIZE_MAX / 2;
		vector.iov_len = 6;
	}
	return unused;
}

static void vectors(long unused)
{
	pthread_t thread;
	char got[64];
	int fds[2];

	(void)unused;
	vector.iov_base = inside;
	vector.iov_len = 6;
	thread = fight(changes_vector);
	WANT_IS(pipe2(fds, O_NONBLOCK), 0);
	for (int i = 0; i < ROUNDS * 4; i++) {
		long done = kernel_call(SYS_writev, fds[1], &vector, 1);

		WANT(done == -EFAULT || done == -EINVAL || done > 0);
		memset(got, 0, sizeof got);
		while (done > 0 && kernel_call(SYS_read, fds[0], got, 6) > 0)
			WANT(memcmp(got, "inside", 6) == 0 || done != 6);
	}
	end(thread);
}

static char path[32] = "/dev/null";

static void *changes_path(void *unused)
{
	while (!over) {
		memcpy(path, "/dev/zero", 10);
		memcpy(path, "/dev/null", 10);
	}
	return unused;
}

static void paths(long unused)
{
	pthread_t thread = fight(changes_path);

	(void)unused;
	for (int i = 0; i < ROUNDS * 2; i++) {
		long fd = kernel_call(SYS_open, path, O_RDONLY);

		WANT(fd >= 0 || fd == -ENOENT);
		if (fd >= 0)
			close((int)fd);
	}
	end(thread);
}

static struct pollfd many[64];

static void *changes_polled(void *unused)
{
	for (int i = 0; !over; i++)
		many[i % 64].fd = i % 3 ? 1 : -i;
	return unused;
}

static void polled(long unused)
{
	pthread_t thread = fight(changes_polled);

	(void)unused;
	for (int i = 0; i < ROUNDS; i++) {
		long found = kernel_call(SYS_poll, many, 64, 0);

		WANT(found >= 0 && found <= 64);
	}
	end(thread);
}

static struct msghdr message;
static char control[CMSG_SPACE(sizeof(int) * 4)] __attribute__((aligned(8)));

static void *changes_message(void *unused)
{
	static const socklen_t lengths[] = {CMSG_LEN(sizeof(int) * 4), UINT32_MAX, 3, 0};
	struct cmsghdr *head = (struct cmsghdr *)control;

	for (unsigned i = 0; !over; i++) {
		head->cmsg_len = lengths[i % COUNT(lengths)];
		message.msg_controllen = i & 4 ? sizeof control : i & 8 ? INT32_MAX : 8;
		message.msg_namelen = i & 16 ? 0 : 0xffffffff;
	}
	return unused;
}

static void messages(long unused)
{
	struct iovec data = {inside, 6};
	struct cmsghdr *head = (struct cmsghdr *)control;
	pthread_t thread;
	int pair[2];

	(void)unused;
	WANT_IS(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	message = (struct msghdr){.msg_iov = &data,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control};
	*head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(int) * 4),
		.cmsg_level = SOL_SOCKET,
		.cmsg_type = SCM_RIGHTS};
	for (int i = 0; i < 4; i++)
		((int *)CMSG_DATA(head))[i] = pair[1];
	thread = fight(changes_message);
	for (int i = 0; i < ROUNDS; i++) {
		long done = kernel_call(SYS_sendmsg, pair[0], &message, 0);
		char got[16];

		WANT(done == 6 || (done < 0 && done > -4096));
		while (kernel_call(SYS_read, pair[1], got, sizeof got) > 0)
			;
	}
	end(thread);
}

/* ---- A word, a frame, a descriptor ---- */

static void futex_word(long opponent)
{
	pthread_t thread = fight((void *(*)(void *))opponent);
	struct timespec soon = {0, 1000};

	for (int i = 0; i < ROUNDS; i++) {
		long found = kernel_call(SYS_futex, area + AREA / 2, FUTEX_WAIT, 0, &soon);

		WANT(found == 0 || found == -EFAULT || found == -EAGAIN || found == -ETIMEDOUT);
		found = kernel_call(SYS_futex, area + AREA / 2, FUTEX_WAKE, 1);
		WANT(found == 0 || found == -EFAULT);
	}
	end(thread);
}

static volatile greg_t *volatile frame_selectors;

static void *changes_frame(void *unused)
{
	for (unsigned i = 0; !over; i++) {
		volatile greg_t *at = frame_selectors;

		if (at)
			*at = (*at & ~0xffffll) | (i % 64 ? 0x33 : 0x10);
	}
	return unused;
}

static void keeps_frame(int number, siginfo_t *info, void *context)
{
	(void)number, (void)info;
	frame_selectors = &((ucontext_t *)context)->uc_mcontext.gregs[REG_CSGSFS];
	for (volatile int i = 0; i < 200; i++)
		;
}

/* A code segment is right or wrong at once; a wrong one is the end. */
static void frames(long unused)
{
	struct sigaction action = {.sa_sigaction = keeps_frame, .sa_flags = SA_SIGINFO};
	pthread_t thread;

	(void)unused;
	WANT_IS(sigaction(SIGUSR1, &action, NULL), 0);
	thread = fight(changes_frame);
	for (int i = 0; i < ROUNDS; i++) {
		kernel_call(SYS_tgkill, getpid(), kernel_call(SYS_gettid), SIGUSR1);
		frame_selectors = NULL;
	}
	end(thread);
}

static volatile int closed, another;

static void *closes(void *unused)
{
	while (!over) {
		close(closed);
		dup2(another, closed);
	}
	return unused;
}

static void closing(long unused)
{
	pthread_t thread;
	int fds[2];

	(void)unused;
	WANT_IS(pipe2(fds, O_NONBLOCK), 0);
	closed = dup(fds[0]);
	another = open("/dev/null", O_RDONLY); /* which no read waits for */
	WANT(another >= 0);
	thread = fight(closes);
	for (int i = 0; i < ROUNDS; i++) {
		struct pollfd one = {.fd = closed, .events = POLLIN};

		dup2(fds[0], closed);
		kernel_call(SYS_read, closed, area, 10);
		kernel_call(SYS_poll, &one, 1, 0);
		kernel_call(SYS_fcntl, closed, F_GETFL);
	}
	end(thread);
}

static void forks(long opponent)
{
	pthread_t thread = fight((void *(*)(void *))opponent);

	for (int i = 0; i < 50; i++) {
		long pid = kernel_call(SYS_fork);

		if (pid == 0)
			kernel_call(SYS_exit_group, 0);
		WANT(pid > 0);
		WANT_IS(ended((pid_t)pid), 0);
	}
	end(thread);
}

/* The process ends while its threads are in calls. */
static void ends_at_once(long opponent)
{
	pthread_t second;

	fight((void *(*)(void *))opponent);
	pthread_create(&second, NULL, (void *(*)(void *))opponent, NULL);
	kernel_call(SYS_getrandom, area, AREA, 0);
	kernel_call(SYS_exit_group, 0);
}

static void endings(long opponent)
{
	for (int i = 0; i < 50; i++)
		WANT_IS(ended(begin(ends_at_once, opponent)), 0);
}

#define COPY                                                                                      \
	"each byte is copied once and checked as it is; a fault on the way is EFAULT or a short " \
	"count"
#define ONCE              "it is copied before it is checked, and not looked at again"
#define AGAINST(opponent) (long)(opponent)

static const struct attack attacks[] = {
	{"change-pipe", "changes a buffer while it is written to a pipe", COPY, {CALM},
		through_pipe, AGAINST(changes)},
	{"unmap-pipe", "unmaps half of a buffer while it goes through a pipe", COPY, {CALM},
		through_pipe, AGAINST(unmaps)},
	{"protect-pipe", "protects half of a buffer while it goes through a pipe", COPY, {CALM},
		through_pipe, AGAINST(protects)},
	{"drop-pipe", "drops a buffer's pages while it goes through a pipe", COPY, {CALM},
		through_pipe, AGAINST(drops)},
	{"unmap-file", "unmaps half of a buffer while a file is read and written", COPY, {CALM},
		through_file, AGAINST(unmaps)},
	{"protect-file", "protects half of a buffer while a file is read and written", COPY, {CALM},
		through_file, AGAINST(protects)},
	{"vector", "changes a vector between a good address and the kernel's", ONCE, {CALM},
		vectors},
	{"path", "changes a path while it is opened", ONCE, {CALM}, paths},
	{"poll", "changes what is polled", ONCE, {CALM}, polled},
	{"message", "changes the sizes of a message and of its control data", ONCE, {CALM},
		messages},
	{"futex-unmap", "unmaps a futex's word while it is waited for",
		"the word is read as it is then: EFAULT", {CALM}, futex_word, AGAINST(unmaps)},
	{"futex-protect", "protects a futex's word while it is waited for",
		"the word is read as it is then: EFAULT", {CALM}, futex_word, AGAINST(protects)},
	{"frame", "puts the kernel's code segment into a frame that is being returned from", ONCE,
		{CALM, GP}, frames},
	{"close", "closes and replaces a descriptor that is being used",
		"the call holds the file: it stays until that is done", {CALM}, closing},
	{"fork-unmap", "unmaps while another thread forks", "both take the address space's lock",
		{CALM}, forks, AGAINST(unmaps)},
	{"fork-protect", "protects while another thread forks",
		"both take the address space's lock", {CALM}, forks, AGAINST(protects)},
	{"exit-unmap", "ends while threads map and unmap",
		"the address space stays until the last one has left it", {CALM}, endings,
		AGAINST(unmaps)},
};
FAMILY(races, "time of check against time of use", attacks);
