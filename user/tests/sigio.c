/* SPDX-License-Identifier: MIT */
/*
 * Signals of files that can be read or written (man 2 fcntl: F_SETOWN, F_SETSIG, O_ASYNC): who gets them and what they
 * say, by pipes. Other files are in sigio_files.c.
 */
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "sigio.h"

/* ---- Owners ---- */

static void begins_without_owner(void)
{
	int fds[2];

	WANT_IS(pipe(fds), 0);
	WANT_IS(control(fds[0], F_GETOWN, 0), 0);
	WANT_IS(control(fds[0], F_GETSIG, 0), 0);
	WANT_IS(owner_of(fds[0]).type, OWNER_THREAD);
	WANT_IS(owner_of(fds[0]).pid, 0);
}

static void owner_is_kept(void)
{
	int fds[2], copy;

	WANT_IS(pipe(fds), 0);
	WANT_IS(control(fds[0], F_SETOWN, getpid()), 0);
	WANT_IS(control(fds[0], F_GETOWN, 0), getpid());
	WANT_IS(owner_of(fds[0]).type, OWNER_PROCESS);
	WANT_IS(owner_of(fds[0]).pid, getpid());
	copy = dup(fds[0]);
	WANT_IS(control(copy, F_SETOWN, -getpgrp()), 0);
	WANT_IS(control(fds[0], F_GETOWN, 0), -getpgrp());
	WANT_IS(owner_of(fds[0]).type, OWNER_GROUP);
	WANT_IS(owner_of(fds[0]).pid, getpgrp());
	WANT_IS(control(fds[1], F_GETOWN, 0), 0);
	WANT_IS(control(fds[0], F_SETOWN, 0), 0);
	WANT_IS(control(fds[0], F_GETOWN, 0), 0);
	WANT_IS(owner_of(fds[0]).type, OWNER_PROCESS);
	for (int type = OWNER_THREAD; type <= OWNER_GROUP; type++) {
		struct owner owner = {type, getpid()};

		WANT_IS(control(fds[0], SET_OWNER_EX, (long)&owner), 0);
		WANT_IS(owner_of(fds[0]).type, type);
		WANT_IS(owner_of(fds[0]).pid, getpid());
	}
	WANT_IS(control(open("/", O_RDONLY), F_SETOWN, getpid()), 0);
}

static void owner_ends(void)
{
	struct gate gate = make_gate();
	int fds[2];
	pid_t pid = fork();

	if (pid == 0) {
		wait_gate(gate);
		_exit(0);
	}
	WANT_IS(pipe(fds), 0);
	WANT_IS(control(fds[0], F_SETOWN, pid), 0);
	WANT_IS(control(fds[0], F_GETOWN, 0), pid);
	open_gate(gate);
	WANT_ENDS(pid, 0);
	WANT_IS(control(fds[0], F_GETOWN, 0), 0);
	WANT_IS(owner_of(fds[0]).pid, 0);
	WANT_IS(control(fds[0], F_SETFL, O_ASYNC), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
}

static void owner_errors(void)
{
	struct owner owner = {3, getpid()};
	int fds[2], path = open("/", O_PATH);

	WANT_IS(pipe(fds), 0);
	WANT_IS(control(fds[0], F_SETOWN, 0x3ffffff0), -ESRCH);
	WANT_IS(control(fds[0], F_SETOWN, -0x3ffffff0), -ESRCH);
	WANT_IS(control(fds[0], F_SETOWN, INT_MIN), -EINVAL);
	WANT_IS(control(fds[0], SET_OWNER_EX, (long)&owner), -EINVAL);
	owner = (struct owner){-1, getpid()};
	WANT_IS(control(fds[0], SET_OWNER_EX, (long)&owner), -EINVAL);
	owner = (struct owner){OWNER_PROCESS, 0x3ffffff0};
	WANT_IS(control(fds[0], SET_OWNER_EX, (long)&owner), -ESRCH);
	owner = (struct owner){OWNER_PROCESS, -1};
	WANT_IS(control(fds[0], SET_OWNER_EX, (long)&owner), -ESRCH);
	WANT_IS(control(fds[0], SET_OWNER_EX, (long)BAD), -EFAULT);
	WANT_IS(control(fds[0], GET_OWNER_EX, (long)BAD), -EFAULT);
	WANT_IS(control(fds[0], F_SETSIG, 65), -EINVAL);
	WANT_IS(control(fds[0], F_SETSIG, -1), -EINVAL);
	WANT_IS(control(fds[0], F_GETOWN, 0), 0);
	WANT_IS(control(path, F_SETOWN, getpid()), -EBADF);
	WANT_IS(control(path, F_GETOWN, 0), -EBADF);
	WANT_IS(control(path, F_GETSIG, 0), -EBADF);
	WANT_IS(control(path, GET_OWNER_EX, 0), -EBADF);
	WANT_IS(control(99, F_SETOWN, getpid()), -EBADF);
	WANT_IS(control(fds[0], F_SETSIG, 64), 0);
	WANT_IS(control(fds[0], F_GETSIG, 0), 64);
	WANT_IS(control(fds[0], F_SETSIG, 0), 0);
	WANT_IS(control(fds[0], F_GETSIG, 0), 0);
}

static void owner_ids(void)
{
	unsigned ids[2] = {7, 7};
	int fds[2];

	WANT_IS(pipe(fds), 0);
	WANT_IS(control(fds[0], GET_OWNER_UIDS, (long)ids), 0);
	WANT(ids[0] == 0 && ids[1] == 0);
	if (!become_nobody())
		skip("only root can become somebody else");
	WANT_IS(control(fds[0], F_SETOWN, getpid()), 0);
	WANT_IS(control(fds[0], GET_OWNER_UIDS, (long)ids), 0);
	WANT(ids[0] == NOBODY && ids[1] == NOBODY);
	WANT_IS(control(fds[0], GET_OWNER_UIDS, (long)BAD), -EFAULT);
}

/* ---- O_ASYNC ---- */

static void flag_by_ioctl(void)
{
	int fds[2], on = 1, file = open("/proc/self/exe", O_RDONLY);

	WANT_IS(pipe(fds), 0);
	WANT(!is_async(fds[0]));
	WANT_IS(kernel_call(SYS_ioctl, fds[0], FIOASYNC, &on), 0);
	WANT(is_async(fds[0]) && !is_async(fds[1]));
	WANT_IS(kernel_call(SYS_ioctl, fds[0], FIOASYNC, &on), 0);
	on = 0;
	WANT_IS(kernel_call(SYS_ioctl, file, FIOASYNC, &on), 0);
	WANT_IS(kernel_call(SYS_ioctl, fds[0], FIOASYNC, &on), 0);
	WANT(!is_async(fds[0]));
	on = 1;
	WANT_IS(kernel_call(SYS_ioctl, file, FIOASYNC, &on), -ENOTTY);
	WANT_IS(kernel_call(SYS_ioctl, eventfd(0, 0), FIOASYNC, &on), -ENOTTY);
	WANT_IS(kernel_call(SYS_ioctl, fds[0], FIOASYNC, BAD), -EFAULT);
}

static void flag_by_fcntl(void)
{
	int fds[2], file = open("/proc/self/exe", O_RDONLY);

	WANT_IS(pipe(fds), 0);
	WANT_IS(control(fds[1], F_SETFL, O_ASYNC | O_NONBLOCK), 0);
	WANT_IS(control(fds[1], F_GETFL, 0), O_ASYNC | O_NONBLOCK | O_WRONLY);
	WANT_IS(control(fds[1], F_SETFL, O_NONBLOCK), 0);
	WANT(!is_async(fds[1]));
	WANT_IS(control(file, F_SETFL, O_ASYNC), 0);
	WANT(!is_async(file));
	file = eventfd(0, 0);
	WANT_IS(control(file, F_SETFL, O_ASYNC), 0);
	WANT(!is_async(file));
	file = open("/proc/self/exe", O_RDONLY | O_ASYNC);
	WANT(is_async(file)); /* told, though it means nothing */
	WANT_IS(kernel_call(SYS_pipe2, fds, O_ASYNC), -EINVAL);
}

/* ---- What is sent ---- */

static void plain_signal(void)
{
	siginfo_t info;
	int fds[2];

	block(SIGIO);
	WANT_IS(pipe(fds), 0);
	WANT_IS(control(fds[0], F_SETFL, O_ASYNC), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT(!is_pending(SIGIO)); /* nobody owns it */
	WANT_IS(control(fds[0], F_SETOWN, getpid()), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT(got(SIGIO, &info));
	WANT_IS(info.si_code, SI_KERNEL);
	WANT_IS(info.si_pid, 0);
	WANT_IS(info.si_uid, 0);
	WANT(!got(SIGIO, &info));
	WANT_IS(control(fds[0], F_SETFL, 0), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT(!is_pending(SIGIO));
}

static void told_codes(void)
{
	siginfo_t info;
	int fds[2];

	WANT_IS(pipe(fds), 0);
	ask(fds[0]);
	block(SIGCHLD);
	WANT_IS(control(fds[0], F_SETSIG, SIGIO), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT(got(SIGIO, &info));
	WANT_IS(info.si_code, POLL_IN);
	WANT_IS(info.si_fd, fds[0]);
	WANT_IS(info.si_band, IN_BAND);
	WANT_IS(control(fds[0], F_SETSIG, SIGCHLD), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT(got(SIGCHLD, &info));
	WANT_IS(info.si_code, SI_SIGIO);
	WANT_IS(control(fds[0], F_SETSIG, SIGUSR1), 0);
	block(SIGUSR1);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT(got(SIGUSR1, &info));
	WANT_IS(info.si_code, POLL_IN);
}

static void pipe_tells(void)
{
	static char bytes[65536];
	int fds[2];

	WANT_IS(pipe2(fds, O_NONBLOCK), 0);
	ask(fds[0]);
	WANT_IS(write(fds[1], "xyz", 3), 3);
	WANT_TOLD(fds[0], POLL_IN, IN_BAND);
	WANT_IS(write(fds[1], "xyz", 3), 3); /* each write, though there was something already */
	WANT_TOLD(fds[0], POLL_IN, IN_BAND);
	WANT_IS(write(fds[1], "", 0), 0);
	WANT_SILENCE();
	WANT_IS(read(fds[0], bytes, 6), 6);
	WANT_SILENCE();
	ask(fds[1]);
	WANT_IS(write(fds[1], bytes, sizeof bytes), (long)sizeof bytes);
	WANT_TOLD(fds[0], POLL_IN, IN_BAND);
	WANT_IS(read(fds[0], bytes, 4096), 4096);
	WANT_TOLD(fds[1], POLL_OUT, OUT_BAND);
	WANT_IS(control(fds[0], F_SETFL, O_NONBLOCK), 0);
	WANT_IS(close(fds[0]), 0);
	WANT_TOLD(fds[1], POLL_OUT, OUT_BAND);
}

static void pipe_end(void)
{
	int fds[2];

	WANT_IS(pipe(fds), 0);
	ask(fds[0]);
	WANT_IS(close(fds[1]), 0);
	WANT_TOLD(fds[0], POLL_IN, IN_BAND);
}

static void splices_tell(void)
{
	int from[2], to[2];
	siginfo_t info;

	WANT_IS(pipe(from), 0);
	WANT_IS(pipe(to), 0);
	WANT_IS(write(from[1], "abc", 3), 3);
	ask(to[0]);
	ask(from[1]);
	WANT_IS(kernel_call(SYS_tee, from[0], to[1], 3, 0), 3);
	WANT_TOLD(to[0], POLL_IN, IN_BAND);
	WANT_IS(kernel_call(SYS_splice, from[0], NULL, to[1], NULL, 3, 0), 3);
	WANT(got(SIGNAL, &info) && info.si_fd == to[0] && info.si_code == POLL_IN);
	WANT_TOLD(from[1], POLL_OUT, OUT_BAND);
}

static void fifo_tells(void)
{
	char path[] = "/tmp/sigio-XXXXXX", name[40];
	int fd;

	WANT(mkdtemp(path));
	snprintf(name, sizeof name, "%s/f", path);
	WANT_IS(mkfifo(name, 0600), 0);
	fd = open(name, O_RDWR | O_NONBLOCK);
	WANT(fd >= 0);
	unlink(name);
	rmdir(path);
	ask(fd);
	WANT_IS(write(fd, "x", 1), 1);
	WANT_TOLD(fd, POLL_IN, IN_BAND);
	WANT_IS(read(fd, path, 1), 1);
	WANT_TOLD(fd, POLL_OUT, OUT_BAND);
}

/* ---- Which descriptor, whose file ---- */

static void number_of_the_asker(void)
{
	int fds[2], copy;

	WANT_IS(pipe(fds), 0);
	ask(fds[0]);
	copy = dup2(fds[0], 77);
	WANT_IS(close(fds[0]), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT_TOLD(fds[0], POLL_IN, IN_BAND); /* the number by which it was asked */
	WANT_IS(control(copy, F_SETFL, 0), 0);
	WANT_IS(control(copy, F_SETFL, O_ASYNC), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT_TOLD(copy, POLL_IN, IN_BAND);
}

static void close_ends_it(void)
{
	int fds[2], other;
	char path[40];

	WANT_IS(pipe(fds), 0);
	ask(fds[0]);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
	other = open(path, O_RDONLY);
	WANT(other >= 0 && !is_async(other));
	WANT_IS(close(fds[0]), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT_SILENCE();
}

/* ---- Who gets it ---- */

static pid_t thread_id;
static struct gate began, go;
static bool in_thread;

static void *waits_blocked(void *argument)
{
	thread_id = gettid();
	open_gate(began);
	wait_gate(go);
	in_thread = is_pending(SIGNAL);
	return argument;
}

static void one_thread(void)
{
	struct owner owner = {OWNER_THREAD};
	pthread_t thread;
	int fds[2];

	began = make_gate();
	go = make_gate();
	WANT_IS(pipe(fds), 0);
	ask(fds[0]);
	thread = begin_thread(waits_blocked, NULL);
	wait_gate(began);
	owner.pid = thread_id;
	WANT_IS(control(fds[0], SET_OWNER_EX, (long)&owner), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT(!is_pending(SIGNAL));
	open_gate(go);
	join_thread(thread);
	WANT(in_thread);
	while (control(fds[0], F_GETOWN, 0) != 0) /* it is still ending */
		sleep_ms(1);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT_SILENCE();
}

/* F_SETOWN of a thread's number is its process. */
static void thread_as_process(void)
{
	pthread_t thread;
	int fds[2];

	began = make_gate();
	go = make_gate();
	WANT_IS(pipe(fds), 0);
	ask(fds[0]);
	thread = begin_thread(waits_blocked, NULL);
	wait_gate(began);
	WANT_IS(control(fds[0], F_SETOWN, thread_id), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT(is_pending(SIGNAL));
	open_gate(go);
	join_thread(thread);
}

static int result_of_child;
static void waits_for_signal(void)
{
	open_gate(began);
	wait_gate(go);
	_exit(is_pending(SIGNAL) ? result_of_child : 1);
}

static void whole_group(void)
{
	int fds[2];
	pid_t pid;

	began = make_gate();
	go = make_gate();
	WANT_IS(pipe(fds), 0);
	ask(fds[0]);
	result_of_child = 9;
	pid = start(waits_for_signal);
	wait_gate(began);
	WANT_IS(control(fds[0], F_SETOWN, -getpgrp()), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT_TOLD(fds[0], POLL_IN, IN_BAND);
	open_gate(go);
	WANT_ENDS(pid, EXITED(9));
}

/* The owner's ids count as they were at F_SETOWN: who could not kill then, does not now. */
static void needs_permission(void)
{
	pid_t parent = getpid(), child;
	int fds[2];

	if (geteuid() != 0)
		skip("only root can become somebody else");
	WANT_IS(pipe(fds), 0);
	ask(fds[0]);
	child = fork();
	if (child == 0) {
		WANT(become_nobody());
		WANT_IS(control(fds[0], F_SETOWN, parent), 0);
		_exit(0);
	}
	WANT_ENDS(child, 0);
	WANT_IS(control(fds[0], F_GETOWN, 0), parent);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT_SILENCE();
	WANT_IS(control(fds[0], F_SETOWN, parent), 0);
	WANT(become_nobody()); /* who asked was root, and its ids were kept */
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT_TOLD(fds[0], POLL_IN, IN_BAND);
}

/* A signal that cannot be queued is lost, but SIGIO says that there was one. */
static void queue_overflows(void)
{
	struct rlimit none = {0, 0};
	siginfo_t info;
	int fds[2];

	WANT_IS(pipe(fds), 0);
	ask(fds[0]);
	WANT_IS(setrlimit(RLIMIT_SIGPENDING, &none), 0);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT(!is_pending(SIGNAL));
	WANT(got(SIGIO, &info));
	WANT_IS(info.si_code, SI_KERNEL);
}

static void by_signalfd(void)
{
	struct signalfd_siginfo info;
	sigset_t set;
	int fds[2], fd;

	WANT_IS(pipe(fds), 0);
	ask(fds[0]);
	WANT_IS(control(fds[0], F_SETSIG, SIGIO), 0);
	set = set_of(SIGIO);
	fd = signalfd(-1, &set, SFD_NONBLOCK);
	WANT_IS(write(fds[1], "x", 1), 1);
	WANT_IS(read(fd, &info, sizeof info), (long)sizeof info);
	WANT_IS(info.ssi_code, POLL_IN);
	WANT_IS(info.ssi_band, IN_BAND);
	WANT_IS(info.ssi_fd, fds[0]);
	WANT_IS(info.ssi_pid, 0);
}

static const struct test_case cases[] = {
	CASE(begins_without_owner, "owner: nobody at first"),
	CASE(owner_is_kept, "owner: a process, a group, a thread, nobody"),
	CASE(owner_ends, "owner: one that has ended is 0, and gets nothing"),
	CASE(owner_errors, "owner: ESRCH, EINVAL, EFAULT, EBADF"),
	CASE(owner_ids, "owner: F_GETOWNER_UIDS"),
	CASE(flag_by_ioctl, "FIOASYNC sets O_ASYNC, where a file sends signals"),
	CASE(flag_by_fcntl, "F_SETFL sets O_ASYNC, where a file sends signals"),
	CASE(plain_signal, "SIGIO without F_SETSIG says nothing"),
	CASE(told_codes, "F_SETSIG: si_code by signal"),
	CASE(pipe_tells, "pipe: each write and read"),
	CASE(pipe_end, "pipe: its writer's end"),
	CASE(splices_tell, "pipe: splice"),
	CASE(fifo_tells, "FIFO opened for both"),
	CASE(number_of_the_asker, "si_fd is the number by which it was asked"),
	CASE(close_ends_it, "the last close ends it"),
	CASE(one_thread, "a thread gets it"),
	CASE(thread_as_process, "F_SETOWN of a thread is its process"),
	CASE(whole_group, "a group gets it"),
	CASE(needs_permission, "the owner's ids at F_SETOWN decide"),
	CASE(queue_overflows, "a full queue gives SIGIO"),
	CASE(by_signalfd, "signalfd tells descriptor and band"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
