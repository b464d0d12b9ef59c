/* SPDX-License-Identifier: MIT */
/* splice and sendfile from and to UNIX sockets and terminals; poll on /proc/mounts. */
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <termios.h>

#include "mounts.h"

#define NOW      2 /* SPLICE_F_NONBLOCK */
#define MUCH     65536
#define PIPE_MAX 65536

static char bytes[MUCH], back[MUCH];
static int sockets[2], pipes[2];

static long splice_of(int in, int out, size_t count, long flags)
{
	return kernel_call(SYS_splice, in, NULL, out, NULL, count, flags);
}

static void begin(int type)
{
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (char)(i * 7 + i / 251);
	WANT_IS(socketpair(AF_UNIX, type, 0, sockets), 0);
	WANT_IS(pipe(pipes), 0);
}

/* `size` bytes come out of `fd`, the first ones of `bytes`. */
static void want_bytes(int fd, size_t size)
{
	size_t done = 0;
	long got;

	while (done < size && (got = read(fd, back + done, size - done)) > 0)
		done += (size_t)got;
	WANT_IS(done, size);
	WANT(!memcmp(back, bytes, size));
}

static void splice_all(int in, int out, size_t size)
{
	long got;

	for (; size; size -= (size_t)got) {
		got = splice_of(in, out, size, 0);
		WANT(got > 0);
	}
}

static void from_stream(void)
{
	begin(SOCK_STREAM);
	WANT_IS(splice_of(sockets[1], pipes[1], MUCH, NOW), -EAGAIN);
	WANT_IS(write(sockets[0], bytes, 10000), 10000);
	splice_all(sockets[1], pipes[1], 10000);
	want_bytes(pipes[0], 10000);
	WANT_IS(write(sockets[0], bytes, 100), 100);
	WANT_IS(splice_of(sockets[1], pipes[1], 60, 0), 60); /* the rest stays */
	WANT_IS(splice_of(sockets[1], pipes[1], 100, NOW), 40);
	want_bytes(pipes[0], 100);
	close(sockets[0]);
	WANT_IS(splice_of(sockets[1], pipes[1], MUCH, 0), 0);
}

static void to_stream(void)
{
	begin(SOCK_STREAM);
	WANT_IS(write(pipes[1], bytes, 10000), 10000);
	splice_all(pipes[0], sockets[0], 10000);
	want_bytes(sockets[1], 10000);
	WANT_IS(splice_of(pipes[0], sockets[0], 10, NOW), -EAGAIN);
	close(sockets[1]);
	signal(SIGPIPE, SIG_IGN);
	WANT_IS(write(pipes[1], bytes, 10), 10);
	WANT_IS(splice_of(pipes[0], sockets[0], 10, 0), -EPIPE);
}

/* A message is not cut in two, nor are two put together. */
static void messages(void)
{
	begin(SOCK_SEQPACKET);
	WANT_IS(write(sockets[0], bytes, 6000), 6000);
	WANT_IS(write(sockets[0], bytes, 10), 10);
	WANT_IS(splice_of(sockets[1], pipes[1], MUCH, 0), 6000);
	want_bytes(pipes[0], 6000);
	WANT_IS(splice_of(sockets[1], pipes[1], MUCH, 0), 10);
	want_bytes(pipes[0], 10);
}

static void when_full(void)
{
	int waiting;

	begin(SOCK_STREAM);
	WANT_IS(fcntl(pipes[1], F_SETFL, O_NONBLOCK), 0);
	while (write(pipes[1], bytes, 4096) > 0)
		;
	WANT_IS(write(sockets[0], bytes, 100), 100);
	WANT_IS(splice_of(sockets[1], pipes[1], 100, NOW), -EAGAIN);
	WANT_IS(ioctl(sockets[1], FIONREAD, &waiting), 0);
	WANT_IS(waiting, 100);
	WANT_IS(read(pipes[0], back, PIPE_MAX), PIPE_MAX);
	WANT_IS(splice_of(sockets[1], pipes[1], 100, 0), 100);
	want_bytes(pipes[0], 100);
}

static void write_later(void)
{
	sleep_ms(100);
	WANT_IS(write(sockets[0], bytes, 10), 10);
}

static void on_alarm(int number)
{
	(void)number;
}

static void waits(void)
{
	pid_t pid;

	begin(SOCK_STREAM);
	pid = start(write_later);
	WANT_IS(splice_of(sockets[1], pipes[1], MUCH, 0), 10);
	WANT_ENDS(pid, 0);
	want_bytes(pipes[0], 10);
	handle(SIGALRM, on_alarm, 0);
	tick(20000);
	WANT_IS(splice_of(sockets[1], pipes[1], MUCH, 0), -EINTR);
	tick(0);
	WANT_IS(write(pipes[1], bytes, 10), 10); /* the pipe is as it was */
	want_bytes(pipes[0], 10);
}

/* Until a thread sleeps in this system call, or `over` is set. */
static void wait_in_call(int tid, const char *number, const int *over)
{
	char path[64], text[200];
	ssize_t got;
	int fd;

	snprintf(path, sizeof path, "/proc/self/task/%d/syscall", tid);
	do {
		usleep(1000);
		fd = open(path, O_RDONLY);
		got = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
		if (fd >= 0)
			close(fd);
		text[got > 0 ? got : 0] = '\0';
	} while (strncmp(text, number, strlen(number)) != 0 &&
		 !__atomic_load_n(over, __ATOMIC_SEQ_CST));
}

static int splicer, writer; /* thread ids, atomic */
static int spliced, written;

static void *splice_thread(void *unused)
{
	(void)unused;
	__atomic_store_n(&splicer, (int)kernel_call(SYS_gettid), __ATOMIC_SEQ_CST);
	WANT_IS(splice_of(sockets[1], pipes[1], 4096, 0), 4096);
	__atomic_store_n(&spliced, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void *write_thread(void *unused)
{
	(void)unused;
	__atomic_store_n(&writer, (int)kernel_call(SYS_gettid), __ATOMIC_SEQ_CST);
	WANT_IS(write(pipes[1], "writer", 6), 6);
	__atomic_store_n(&written, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

/* The room that a splice found stays its own while it waits for the socket's bytes. */
static void room_is_kept(void)
{
	char page[4096] = "full";
	pthread_t threads[2];

	begin(SOCK_STREAM);
	for (int i = 0; i < 15; i++) /* of 16 pages */
		WANT_IS(write(pipes[1], page, sizeof page), (long)sizeof page);
	threads[0] = begin_thread(splice_thread, NULL);
	while (!__atomic_load_n(&splicer, __ATOMIC_SEQ_CST))
		sched_yield();
	wait_in_call(splicer, "275 ", &spliced);
	threads[1] = begin_thread(write_thread, NULL);
	while (!__atomic_load_n(&writer, __ATOMIC_SEQ_CST))
		sched_yield();
	wait_in_call(writer, "1 ", &written);
	WANT(!__atomic_load_n(&written, __ATOMIC_SEQ_CST));
	WANT_IS(write(sockets[0], bytes, 4096), 4096);
	join_thread(threads[0]);
	for (int i = 0; i < 15; i++)
		WANT_IS(read(pipes[0], page, sizeof page), (long)sizeof page);
	want_bytes(pipes[0], 4096);
	join_thread(threads[1]);
	WANT_IS(read(pipes[0], page, sizeof page), 6);
	WANT(!memcmp(page, "writer", 6));
}

static void refused(void)
{
	int64_t offset = 0;
	int file;

	begin(SOCK_STREAM);
	enter();
	file = open("file", O_CREAT | O_RDWR, 0600);
	WANT_IS(write(sockets[0], bytes, 10), 10);
	WANT_IS(kernel_call(SYS_splice, sockets[1], &offset, pipes[1], NULL, 10, 0), -EINVAL);
	WANT_IS(splice_of(sockets[1], sockets[1], 10, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_sendfile, file, sockets[1], NULL, 10), -EINVAL);
	WANT_IS(kernel_call(SYS_sendfile, file, sockets[1], &offset, 10), -ESPIPE);
	WANT_IS(read(sockets[1], back, 20), 10);
	close(file);
	leave();
}

static void by_sendfile(void)
{
	int file;

	begin(SOCK_STREAM);
	enter();
	file = open("file", O_CREAT | O_RDWR, 0600);
	WANT_IS(write(file, bytes, 10000), 10000);
	WANT_IS(lseek(file, 0, SEEK_SET), 0);
	WANT_IS(sendfile(sockets[0], file, NULL, 10000), 10000);
	want_bytes(sockets[1], 10000);
	WANT_IS(write(sockets[0], bytes, 10), 10);
	WANT_IS(kernel_call(SYS_sendfile, pipes[1], sockets[1], NULL, 10), 10);
	want_bytes(pipes[0], 10);
	close(file);
	leave();
}

static void terminals(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), slave, zero = 0, number;
	struct termios settings;
	char name[32];

	begin(SOCK_STREAM);
	WANT(master >= 0);
	WANT_IS(ioctl(master, TIOCSPTLCK, &zero), 0);
	WANT_IS(ioctl(master, (int)TIOCGPTN, &number), 0);
	snprintf(name, sizeof name, "/dev/pts/%d", number);
	slave = open(name, O_RDWR | O_NOCTTY);
	WANT(slave >= 0);
	WANT_IS(tcgetattr(slave, &settings), 0);
	cfmakeraw(&settings);
	WANT_IS(tcsetattr(slave, TCSANOW, &settings), 0);
	WANT_IS(write(master, bytes, 100), 100);
	splice_all(slave, pipes[1], 100);
	want_bytes(pipes[0], 100);
	WANT_IS(write(pipes[1], bytes, 200), 200);
	splice_all(pipes[0], slave, 200);
	splice_all(master, pipes[1], 200);
	want_bytes(pipes[0], 200);
	settings.c_lflag |= ICANON;
	WANT_IS(tcsetattr(slave, TCSANOW, &settings), 0);
	WANT_IS(write(master, "one\ntwo\n", 8), 8);
	WANT_IS(splice_of(slave, pipes[1], MUCH, 0), 4); /* a line at a time */
	WANT_IS(read(pipes[0], back, 100), 4);
	WANT(!memcmp(back, "one\n", 4));
}

/* ---- poll on /proc/mounts ---- */

static void mount_later(void)
{
	sleep_ms(100);
	WANT_IS(mount("other", "a", "tmpfs", 0, NULL), 0);
}

static void mounts_polled(void)
{
	struct epoll_event event = {.events = EPOLLPRI};
	struct pollfd polled;
	int epoll = epoll_create1(0);
	pid_t pid;

	enter();
	polled = (struct pollfd){open("/proc/self/mountinfo", O_RDONLY), POLLPRI, 0};
	WANT_IS(poll(&polled, 1, 0), 0);
	polled.events = POLLIN | POLLPRI;
	WANT_IS(poll(&polled, 1, 0), 1);
	WANT_IS(polled.revents, POLLIN);
	polled.events = POLLPRI;
	pid = start(mount_later);
	WANT_IS(poll(&polled, 1, -1), 1);
	WANT_IS(polled.revents, POLLPRI | POLLERR);
	WANT_ENDS(pid, 0);
	WANT_IS(poll(&polled, 1, 0), 0); /* told once */
	WANT_IS(umount("a"), 0);
	WANT_IS(poll(&polled, 1, 0), 1);
	WANT_IS(poll(&polled, 1, 0), 0);
	WANT_IS(epoll_ctl(epoll, EPOLL_CTL_ADD, polled.fd, &event), 0);
	WANT_IS(epoll_wait(epoll, &event, 1, 0), 0);
	pid = start(mount_later);
	WANT_IS(epoll_wait(epoll, &event, 1, -1), 1);
	WANT_IS(event.events, EPOLLPRI | EPOLLERR);
	WANT_ENDS(pid, 0);
	WANT_IS(umount("a"), 0);
	close(polled.fd);
	close(epoll);
	leave();
}

static const struct test_case cases[] = {
	CASE(from_stream, "splice: from a stream socket"),
	CASE(to_stream, "splice: to a stream socket"),
	CASE(messages, "splice: messages"),
	CASE(when_full, "splice: a full pipe leaves the socket's bytes"),
	CASE(waits, "splice: waits for bytes, or a signal"),
	CASE(room_is_kept, "splice: a pipe's room is kept while it waits"),
	CASE(refused, "splice: what is refused of sockets"),
	CASE(by_sendfile, "sendfile: to and from sockets"),
	CASE(terminals, "splice: terminals"),
	CASE(mounts_polled, "mounts: a change is told to poll and epoll"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
