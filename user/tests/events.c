/* SPDX-License-Identifier: MIT */
/* Counters and signals as files: eventfd, signalfd. */
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

#include "epoll.h"

static int event;

static long get(int fd)
{
	uint64_t count = 77;
	long n = kernel_call(SYS_read, fd, &count, 8);

	return n == 8 ? (long)count : n;
}

static long put_count(int fd, uint64_t count)
{
	return kernel_call(SYS_write, fd, &count, 8);
}

static int make_event(unsigned count, int flags)
{
	int fd = (int)kernel_call(SYS_eventfd2, count, flags);

	WANT(fd >= 0);
	return fd;
}

static short polled(int fd)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN | POLLOUT | POLLRDNORM};

	WANT(poll(&poller, 1, 0) >= 0);
	return poller.revents;
}

/* ---- eventfd ---- */

static void event_errors(void)
{
	uint64_t word[2] = {5, 6};
	int fd = make_event(3, EFD_NONBLOCK | EFD_CLOEXEC);

	WANT_IS(kernel_call(SYS_eventfd2, 0, 2), -EINVAL);
	WANT_IS(fcntl(fd, F_GETFD), FD_CLOEXEC);
	WANT_IS(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_NONBLOCK | O_RDWR);
	WANT_IS(fcntl((int)kernel_call(SYS_eventfd, 1), F_GETFD), 0);
	WANT_IS(kernel_call(SYS_read, fd, word, 7), -EINVAL);
	WANT_IS(kernel_call(SYS_write, fd, word, 7), -EINVAL);
	WANT_IS(kernel_call(SYS_write, fd, BAD, 8), -EFAULT);
	WANT_IS(put_count(fd, UINT64_MAX), -EINVAL);
	WANT_IS(kernel_call(SYS_write, fd, word, 8), 8);
	WANT_IS(kernel_call(SYS_read, fd, word, 16), 8);
	WANT_IS(word[0], 8);
	WANT_IS(word[1], 6);
	WANT_IS(get(fd), -EAGAIN);
	WANT_IS(kernel_call(SYS_pread64, fd, word, 8, 0), -ESPIPE);
}

static void event_counts(void)
{
	int fd = make_event(0, EFD_NONBLOCK);

	WANT_IS(polled(fd), POLLOUT);
	WANT_IS(put_count(fd, 0), 8);
	WANT_IS(get(fd), -EAGAIN);
	WANT_IS(put_count(fd, UINT64_MAX - 1), 8);
	WANT_IS(polled(fd), POLLIN);
	WANT_IS(put_count(fd, 0), 8);
	WANT_IS(put_count(fd, 1), -EAGAIN);
	WANT_IS(get(fd), -2);
	WANT_IS(put_count(fd, 2), 8);
	WANT_IS(put_count(fd, 3), 8);
	WANT_IS(polled(fd), POLLIN | POLLOUT);
	WANT_IS(get(fd), 5);
}

static void event_semaphore(void)
{
	int fd = make_event(2, EFD_NONBLOCK | EFD_SEMAPHORE);

	WANT_IS(get(fd), 1);
	WANT_IS(get(fd), 1);
	WANT_IS(get(fd), -EAGAIN);
}

static void *add_later(void *unused)
{
	sleep_ms(40);
	WANT_IS(put_count(event, 9), 8);
	return unused;
}

static void *take_later(void *unused)
{
	sleep_ms(40);
	WANT_IS(get(event), -2);
	return unused;
}

static void event_waits(void)
{
	pthread_t thread;

	event = make_event(0, 0);
	WANT_IS(pthread_create(&thread, NULL, add_later, NULL), 0);
	WANT_IS(get(event), 9);
	pthread_join(thread, NULL);
	WANT_IS(put_count(event, UINT64_MAX - 1), 8);
	WANT_IS(pthread_create(&thread, NULL, take_later, NULL), 0);
	WANT_IS(put_count(event, 4), 8);
	pthread_join(thread, NULL);
	WANT_IS(get(event), 4);
}

static void event_edges(void)
{
	int epoll = make_epoll(), fd = make_event(0, EFD_NONBLOCK);

	add(epoll, fd, EPOLLIN | EPOLLET);
	WANT_IS(told(epoll, fd), 0);
	for (int i = 0; i < 3; i++) {
		WANT_IS(put_count(fd, 1), 8);
		WANT_IS(told(epoll, fd), EPOLLIN);
		WANT_IS(told(epoll, fd), 0);
	}
	WANT_IS(get(fd), 3);
	WANT_IS(told(epoll, fd), 0);
}

/* ---- signalfd ---- */

static int make_signals(int a, int b)
{
	sigset_t set = set_of(a);
	int fd;

	if (b)
		sigaddset(&set, b);
	WANT_IS(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	fd = (int)kernel_call(SYS_signalfd4, -1, &set, 8, SFD_NONBLOCK | SFD_CLOEXEC);
	WANT(fd >= 0);
	return fd;
}

static struct signalfd_siginfo next_signal(int fd)
{
	struct signalfd_siginfo info;

	memset(&info, 0x55, sizeof(info));
	WANT_IS(kernel_call(SYS_read, fd, &info, sizeof(info)), (long)sizeof(info));
	return info;
}

static void signals_errors(void)
{
	sigset_t set = set_of(SIGUSR1);
	struct signalfd_siginfo info;
	int fd = make_signals(SIGUSR1, 0);

	WANT_IS(kernel_call(SYS_signalfd4, -1, &set, 4, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_signalfd4, -1, &set, 8, 1), -EINVAL);
	WANT_IS(kernel_call(SYS_signalfd4, -1, BAD, 8, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_signalfd4, -2, &set, 8, 0), -EBADF);
	WANT_IS(kernel_call(SYS_signalfd4, make_event(0, 0), &set, 8, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_signalfd4, fd, &set, 8, 0), fd);
	WANT_IS(kernel_call(SYS_signalfd, fd, &set, 8), fd);
	WANT_IS(fcntl(fd, F_GETFD), FD_CLOEXEC);
	WANT_IS(kernel_call(SYS_read, fd, &info, sizeof(info) - 1), -EINVAL);
	WANT_IS(kernel_call(SYS_read, fd, &info, sizeof(info)), -EAGAIN);
	WANT_IS(kernel_call(SYS_write, fd, &info, sizeof(info)), -EINVAL);
}

static void signals_say(void)
{
	int fd = make_signals(SIGUSR1, SIGRTMIN);
	struct signalfd_siginfo info;
	siginfo_t queued = {.si_signo = SIGRTMIN, .si_code = SI_QUEUE};

	WANT_IS(polled(fd), 0);
	kill(getpid(), SIGUSR1);
	WANT_IS(polled(fd), POLLIN);
	info = next_signal(fd);
	WANT_IS(info.ssi_signo, SIGUSR1);
	WANT_IS(info.ssi_code, SI_USER);
	WANT_IS(info.ssi_pid, getpid());
	WANT_IS(info.ssi_uid, getuid());
	WANT_IS(info.ssi_int, 0);
	WANT_IS(info.ssi_status, 0);
	WANT(!is_pending(SIGUSR1));
	queued.si_pid = 1234;
	queued.si_uid = 56;
	queued.si_value.sival_ptr = (void *)0x123456789al;
	WANT_IS(kernel_call(SYS_rt_sigqueueinfo, getpid(), SIGRTMIN, &queued), 0);
	info = next_signal(fd);
	WANT_IS(info.ssi_signo, SIGRTMIN);
	WANT_IS(info.ssi_code, SI_QUEUE);
	WANT_IS(info.ssi_pid, 1234);
	WANT_IS(info.ssi_uid, 56);
	WANT_IS(info.ssi_ptr, 0x123456789al);
	WANT_IS(info.ssi_int, 0x3456789a);
}

static void signals_of_children(void)
{
	int fd = make_signals(SIGCHLD, 0);
	struct signalfd_siginfo info;
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	pid_t pid = fork();

	if (!pid)
		_exit(7);
	WANT_IS(poll(&poller, 1, -1), 1);
	info = next_signal(fd);
	WANT_IS(info.ssi_signo, SIGCHLD);
	WANT_IS(info.ssi_code, CLD_EXITED);
	WANT_IS(info.ssi_pid, pid);
	WANT_IS(info.ssi_status, 7);
	WANT_ENDS(pid, EXITED(7));
}

static void signals_several(void)
{
	struct signalfd_siginfo infos[4];
	sigset_t all;
	int fd = make_signals(SIGUSR1, SIGUSR2);

	raise(SIGUSR2);
	raise(SIGUSR1);
	WANT_IS(kernel_call(SYS_read, fd, infos, sizeof(infos)), 2 * sizeof(infos[0]));
	WANT_IS(infos[0].ssi_signo, SIGUSR1);
	WANT_IS(infos[0].ssi_code, SI_TKILL);
	WANT_IS(infos[1].ssi_signo, SIGUSR2);
	raise(SIGUSR1);
	raise(SIGUSR2);
	WANT_IS(kernel_call(SYS_read, fd, infos, 2 * sizeof(infos[0]) - 1), sizeof(infos[0]));
	WANT_IS(next_signal(fd).ssi_signo, SIGUSR2);
	/* Another mask; SIGKILL in it is no error. */
	sigfillset(&all);
	sigdelset(&all, SIGUSR1);
	WANT_IS(kernel_call(SYS_signalfd4, fd, &all, 8, 0), fd);
	raise(SIGUSR1);
	WANT_IS(polled(fd), 0);
	raise(SIGUSR2);
	WANT_IS(next_signal(fd).ssi_signo, SIGUSR2);
	WANT(is_pending(SIGUSR1));
}

static void send_later(void)
{
	sleep_ms(40);
	kill(getppid(), SIGUSR1);
}

static void signals_wait(void)
{
	int fd = make_signals(SIGUSR1, 0), epoll = make_epoll();
	struct epoll_event told_event;
	pid_t pid = start(send_later);

	WANT_IS(fcntl(fd, F_SETFL, 0), 0);
	WANT_IS(next_signal(fd).ssi_signo, SIGUSR1);
	WANT_ENDS(pid, 0);
	add(epoll, fd, EPOLLIN);
	WANT_IS(told(epoll, fd), 0);
	pid = start(send_later);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, &told_event, 1, -1), 1);
	WANT_IS(told(epoll, fd), EPOLLIN);
	next_signal(fd);
	WANT_IS(told(epoll, fd), 0);
	WANT_ENDS(pid, 0);
}

/* The file takes the signals of who reads it. */
static void signals_of_reader(void)
{
	int fd = make_signals(SIGUSR1, 0), epoll = make_epoll();
	pid_t pid;

	add(epoll, fd, EPOLLIN);
	raise(SIGUSR1);
	pid = fork();
	if (!pid) {
		struct signalfd_siginfo info;

		WANT_IS(polled(fd), 0);
		WANT_IS(kernel_call(SYS_read, fd, &info, sizeof(info)), -EAGAIN);
		raise(SIGUSR1);
		WANT_IS(polled(fd), POLLIN);
		WANT_IS(next_signal(fd).ssi_pid, getpid());
		raise(SIGUSR1);
		_exit(0);
	}
	WANT_ENDS(pid, 0);
	WANT_IS(told(epoll, fd), EPOLLIN);
	WANT_IS(next_signal(fd).ssi_pid, getpid());
	WANT_IS(told(epoll, fd), 0);
}

/* The process that put it into an epoll is gone; others have both. */
static void signals_orphaned(void)
{
	int epoll = make_epoll();

	for (int i = 0; i < 20; i++) {
		int fd = make_signals(SIGUSR1, 0);
		pid_t pid = fork();

		if (!pid) {
			add(epoll, fd, EPOLLIN);
			_exit(0);
		}
		WANT_ENDS(pid, 0);
		raise(SIGUSR1);
		WANT_IS(polled(fd), POLLIN);
		next_signal(fd);
		WANT_IS(polled(fd), 0);
		close(fd);
	}
	WANT_IS(kernel_call(SYS_epoll_wait, epoll, &(struct epoll_event){0}, 1, 0), 0);
}

static const struct test_case cases[] = {
	CASE(event_errors, "eventfd: errors, flags, sizes"),
	CASE(event_counts, "eventfd: counts up to the largest"),
	CASE(event_semaphore, "eventfd: a semaphore gives one at a time"),
	CASE(event_waits, "eventfd: reads of 0 wait, and writes that do not fit"),
	CASE(event_edges, "eventfd: each write is an edge"),
	CASE(signals_errors, "signalfd: errors, flags, sizes"),
	CASE(signals_say, "signalfd: what it says of kill and sigqueue"),
	CASE(signals_of_children, "signalfd: what it says of children"),
	CASE(signals_several, "signalfd: several at once, another mask"),
	CASE(signals_wait, "signalfd: read and epoll_wait wait for it"),
	CASE(signals_of_reader, "signalfd: gives the signals of who reads"),
	CASE(signals_orphaned, "signalfd: in an epoll longer than the process that added it"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
