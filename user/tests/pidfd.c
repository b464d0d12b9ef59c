/* SPDX-License-Identifier: MIT */
/*
 * Process descriptors (pidfd_open, pidfd_send_signal; clone and waitid with them are in clone.c,
 * clone3.c and wait.c) and unshare of what threads and clones share.
 */
#include <pthread.h>
#include <sys/stat.h>

#include "cases.h"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

static struct gate gate, back;

static long pidfd_open_raw(long pid, unsigned int flags)
{
	return kernel_call(SYS_pidfd_open, pid, flags);
}

static long send(long fd, int number, const void *info, unsigned int flags)
{
	return kernel_call(SYS_pidfd_send_signal, fd, number, info, flags);
}

static void exits_at_gate(void)
{
	wait_gate(gate);
	_exit(6);
}

static void open_errors(void)
{
	WANT_IS(pidfd_open_raw(getpid(), 1), -EINVAL);
	WANT_IS(pidfd_open_raw(0, 0), -EINVAL);
	WANT_IS(pidfd_open_raw(-1, 0), -EINVAL);
	WANT_IS(pidfd_open_raw(0x7ffffff0, 0), -ESRCH);
}

static void polls(void)
{
	struct pollfd ready = {.events = POLLIN};
	pid_t pid;

	gate = make_gate();
	pid = start(exits_at_gate);
	ready.fd = (int)pidfd_open_raw(pid, 0);
	WANT(ready.fd >= 0);
	WANT_IS(fcntl(ready.fd, F_GETFD), FD_CLOEXEC);
	WANT_IS(poll(&ready, 1, 0), 0);
	open_gate(gate);
	WANT_IS(poll(&ready, 1, -1), 1);
	WANT_IS(waitid(P_PIDFD, (id_t)ready.fd, &(siginfo_t){0}, WEXITED | WNOHANG), 0);
	WANT_IS(poll(&ready, 1, 0), 1);
	WANT_IS(send(ready.fd, 0, NULL, 0), -ESRCH);
}

static void nonblocking(void)
{
	int fd;

	gate = make_gate();
	fd = (int)pidfd_open_raw(start(exits_at_gate), O_NONBLOCK);
	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_waitid, P_PIDFD, fd, NULL, WEXITED, NULL), -EAGAIN);
	open_gate(gate);
	WANT_IS(fcntl(fd, F_SETFL, 0), 0);
	WANT_IS(kernel_call(SYS_waitid, P_PIDFD, fd, NULL, WEXITED, NULL), 0);
}

static volatile int code, sender;

static void note(int number, siginfo_t *info, void *context)
{
	code = info->si_code;
	sender = info->si_pid;
}

static void sends(void)
{
	siginfo_t info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
	long self = pidfd_open_raw(getpid(), 0), fd;
	pid_t pid = start(just_wait);

	handle_info(SIGUSR1, note, 0);
	WANT_IS(send(self, SIGUSR1, NULL, 0), 0);
	WANT_IS(code, SI_USER);
	WANT_IS(sender, getpid());
	WANT_IS(send(self, SIGUSR1, &info, 0), 0);
	WANT_IS(code, SI_QUEUE);
	fd = pidfd_open_raw(pid, 0);
	WANT_IS(send(fd, 0, NULL, 0), 0);
	WANT_IS(send(fd, SIGTERM, NULL, 0), 0);
	WANT_ENDS(pid, SIGTERM);
	WANT_IS(send(fd, SIGTERM, NULL, 0), -ESRCH);
}

static void send_errors(void)
{
	siginfo_t info = {.si_signo = SIGUSR2, .si_code = SI_QUEUE};
	long self = pidfd_open_raw(getpid(), 0);
	pid_t pid = start(just_wait);
	long fd = pidfd_open_raw(pid, 0);

	WANT_IS(send(self, 65, NULL, 0), -EINVAL);
	WANT_IS(send(self, 0, NULL, 0x80000000u), -EINVAL);
	WANT_IS(send(999, 0, NULL, 0), -EBADF);
	WANT_IS(send(open("/dev/null", O_RDONLY), 0, NULL, 0), -EBADF);
	WANT_IS(send(self, SIGUSR1, &info, 0), -EINVAL); /* says another signal */
	WANT_IS(send(self, SIGUSR1, BAD, 0), -EFAULT);
	info.si_code = SI_USER;
	WANT_IS(send(fd, SIGUSR2, &info, 0), -EPERM);
	if (become_nobody())
		WANT_IS(send(pidfd_open_raw(1, 0), 0, NULL, 0), -EPERM);
}

static int proc_directory(pid_t pid, const char *below, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d%s", pid, below);
	return open(path, O_RDONLY | flags);
}

/* killall of psmisc sends so. */
static void proc_sends(void)
{
	pid_t pid = start(just_wait);
	int fd = proc_directory(pid, "", O_DIRECTORY), id;

	WANT(fd >= 0);
	WANT_IS(send(proc_directory(pid, "/task", 0), 0, NULL, 0), -EBADF);
	WANT_IS(send(proc_directory(pid, "/stat", 0), 0, NULL, 0), -EBADF);
	WANT_IS(send(proc_directory(pid, "", O_PATH), 0, NULL, 0), -EBADF);
	WANT_IS(send(open("/proc", O_RDONLY), 0, NULL, 0), -EBADF);
	WANT_IS(kernel_call(SYS_waitid, P_PIDFD, fd, NULL, WEXITED, NULL), -EBADF);
	id = (int)pidfd_open_raw(pid, 0);
	WANT_IS(kernel_call(SYS_pidfd_getfd, fd, 0, 0), -EBADF);
	WANT_IS(send(fd, 0, NULL, 0), 0);
	WANT_IS(send(fd, SIGTERM, NULL, 0), 0);
	WANT_IS(kernel_call(SYS_waitid, P_PIDFD, id, NULL, WEXITED | WNOWAIT, NULL), 0);
	WANT_IS(send(fd, SIGTERM, NULL, 0), 0);
	WANT_ENDS(pid, SIGTERM);
	WANT_IS(send(fd, SIGTERM, NULL, 0), -ESRCH);
}

/* The descriptor stays that process's, and is no other's who gets its number. */
static void inherited(void)
{
	long fd;
	pid_t pid = start(just_wait), other;

	fd = pidfd_open_raw(pid, 0);
	other = fork();
	if (other == 0)
		_exit(send(fd, SIGKILL, NULL, 0) == 0 ? 0 : 1);
	WANT_ENDS(other, 0);
	WANT_ENDS(pid, SIGKILL);
}

/* The same user with a capability more is not to be looked into. */
static void getfd_capable(void)
{
	unsigned int header[2] = {0x20080522}; /* _LINUX_CAPABILITY_VERSION_3 */
	const unsigned int none[6] = {0};
	pid_t pid, other;
	int fd;

	if (geteuid() != 0)
		skip("not root");
	pid = start(just_wait);
	other = start(just_wait);
	fd = (int)pidfd_open_raw(pid, 0);
	WANT(kernel_call(SYS_pidfd_getfd, fd, 0, 0) >= 0);
	WANT_IS(kernel_call(SYS_capset, header, none), 0);
	WANT_IS(kernel_call(SYS_pidfd_getfd, fd, 0, 0), -EPERM);
	WANT_IS(kernel_call(SYS_kcmp, pid, other, 0 /* KCMP_FILE */, 0, 0), -EPERM);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_IS(kill(other, SIGKILL), 0);
	WANT_ENDS(pid, SIGKILL);
	WANT_ENDS(other, SIGKILL);
}

/* ---- unshare ---- */

static void *unshares_files(void *fd)
{
	WANT_IS(kernel_call(SYS_unshare, CLONE_FILES), 0);
	WANT_IS(close((int)(long)fd), 0);
	return NULL;
}

static void unshare_files(void)
{
	pthread_t thread;
	int fd = open("/dev/null", O_RDONLY);

	WANT_IS(pthread_create(&thread, NULL, unshares_files, (void *)(long)fd), 0);
	WANT_IS(pthread_join(thread, NULL), 0);
	WANT_IS(fcntl(fd, F_GETFD), 0);
}

static void *unshares_fs(void *unused)
{
	WANT_IS(kernel_call(SYS_unshare, CLONE_FS), 0);
	umask(077);
	WANT_IS(chdir("/tmp"), 0);
	return NULL;
}

static void unshare_fs(void)
{
	pthread_t thread;
	char path[PATH_MAX];

	umask(022);
	WANT_IS(chdir("/"), 0);
	WANT_IS(pthread_create(&thread, NULL, unshares_fs, NULL), 0);
	WANT_IS(pthread_join(thread, NULL), 0);
	WANT_IS(umask(022), 022);
	WANT(getcwd(path, sizeof path) && strcmp(path, "/") == 0);
}

static void *at_gate(void *unused)
{
	open_gate(back);
	wait_gate(gate);
	return NULL;
}

static void unshare_threads(void)
{
	pthread_t thread;

	gate = make_gate();
	back = make_gate();
	WANT_IS(kernel_call(SYS_unshare, CLONE_THREAD), 0);
	WANT_IS(kernel_call(SYS_unshare, CLONE_SIGHAND), 0);
	WANT_IS(kernel_call(SYS_unshare, CLONE_VM), 0);
	WANT_IS(kernel_call(SYS_unshare, 0), 0);
	WANT_IS(kernel_call(SYS_unshare, CLONE_SYSVSEM), 0);
	WANT_IS(pthread_create(&thread, NULL, at_gate, NULL), 0);
	wait_gate(back);
	WANT_IS(kernel_call(SYS_unshare, CLONE_THREAD), -EINVAL);
	WANT_IS(kernel_call(SYS_unshare, CLONE_SIGHAND), -EINVAL);
	WANT_IS(kernel_call(SYS_unshare, CLONE_VM), -EINVAL);
	WANT_IS(kernel_call(SYS_unshare, CLONE_FILES | CLONE_FS), 0);
	_exit(0);
}

static void unshare_errors(void)
{
	WANT_IS(kernel_call(SYS_unshare, CLONE_PARENT), -EINVAL);
	WANT_IS(kernel_call(SYS_unshare, CLONE_VFORK), -EINVAL);
	WANT_IS(kernel_call(SYS_unshare, SIGCHLD), -EINVAL);
}

static const struct test_case cases[] = {
	CASE(open_errors, "pidfd_open: EINVAL, ESRCH"),
	CASE(polls, "pidfd_open: close-on-exec, readable at the end, and after the reaping"),
	CASE(nonblocking, "pidfd_open NONBLOCK: waitid gives EAGAIN"),
	CASE(sends, "pidfd_send_signal: with and without siginfo; ESRCH"),
	CASE(send_errors, "pidfd_send_signal: EINVAL, EBADF, EFAULT, EPERM"),
	CASE(proc_sends, "pidfd_send_signal: by an open /proc/PID, and by nothing else of /proc"),
	CASE(inherited, "a process descriptor is inherited by fork"),
	CASE(getfd_capable, "pidfd_getfd, kcmp: EPERM where the other has a capability more"),
	CASE(unshare_files, "unshare FILES: a thread with descriptors of its own"),
	CASE(unshare_fs, "unshare FS: a thread with a directory and umask of its own"),
	CASE(unshare_threads, "unshare THREAD, SIGHAND, VM: alone 0, among threads EINVAL"),
	CASE(unshare_errors, "unshare: other flags: EINVAL"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
