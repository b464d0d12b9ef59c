/* SPDX-License-Identifier: MIT */
/* What the system-call fuzzer (user/fuzz) has found, one by one. */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "check.h"

#define HIGH_BITS (0x80000001l << 32)

static volatile int *handled; /* shared */

static void count(int signal)
{
	(void)signal;
	(*handled)++;
}

/* A child that signals its parent, which reads from an empty pipe, and then writes. */
static pid_t disturb(int out)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	until_asleep(parent);
	kill(parent, SIGUSR1);
	while (!*handled)
		sleep_ms(1);
	if (write(out, "x", 1) != 1)
		_exit(1);
	_exit(0);
}

/* RAX's upper half is no part of the number, when the call is interrupted neither. */
static void high_bits(void)
{
	struct sigaction action = {.sa_handler = count};
	int fds[2];
	char byte;

	if (!claim(pipe(fds) == 0, "a pipe"))
		return;
	handled = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (!claim(handled != MAP_FAILED, "shared memory"))
		return;
	sigaction(SIGUSR1, &action, NULL);
	pid_t pid = disturb(fds[1]);
	claim_result(kernel_call(SYS_read | HIGH_BITS, fds[0], &byte, 1), -EINTR,
		"an interrupted read with high bits");
	claim_ended(wait_status(pid), EXITED(0), "its writer");
	claim_result(
		kernel_call(SYS_read | HIGH_BITS, fds[0], &byte, 1), 1, "a read with high bits");
	action.sa_flags = SA_RESTART;
	sigaction(SIGUSR1, &action, NULL);
	*handled = 0;
	pid = disturb(fds[1]);
	claim_result(
		kernel_call(SYS_read | HIGH_BITS, fds[0], &byte, 1), 1, "one that is made again");
	claim_ended(wait_status(pid), EXITED(0), "its writer");
	claim_equal(*handled, 1, "the handler ran");
	close(fds[0]);
	close(fds[1]);
}

/* clone(2) takes every number as the signal of the child's end; those that are none are sent to nobody. */
static void strange_end_signals(void)
{
	static const int signals[] = {65, 128, 145, 255};
	uint64_t pending = 1;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	for (size_t i = 0; i < COUNT(signals); i++) {
		long pid = kernel_call(SYS_clone, signals[i], 0, 0, 0, 0);
		int status;

		if (pid == 0)
			kernel_call(SYS_exit_group, 7);
		claim(pid > 0, "a child whose end is signalled by %d", signals[i]);
		claim_result(kernel_call(SYS_wait4, pid, &status, 0, NULL), -ECHILD,
			"it is no ordinary child");
		claim(kernel_call(SYS_wait4, pid, &status, __WCLONE, NULL) == pid &&
				status == EXITED(7),
			"it is waited for");
		kernel_call(SYS_rt_sigpending, &pending, 8);
		claim_equal((long)pending, 0, "no signal came");
	}
	sigprocmask(SIG_UNBLOCK, &all, NULL);
}

/* Newer kernels do not even look behind such a link. */
static void refused(long result, const char *name)
{
	claim(result == -EINVAL || result == -ENOENT, "%s", name);
}

/* What has no place in the tree is no place for a mount, nor one. */
static void nameless_mounts(void)
{
	char path[64];
	int fds[2];

	if (!claim(pipe(fds) == 0, "a pipe"))
		return;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fds[0]);
	refused(kernel_call(SYS_umount2, path, 0), "umount of a pipe");
	refused(kernel_call(SYS_umount2, path, MNT_DETACH), "umount of a pipe, lazily");
	refused(kernel_call(SYS_mount, "none", path, "tmpfs", 0, NULL), "mount over a pipe");
	refused(kernel_call(SYS_mount, path, path, NULL, MS_BIND, NULL), "bind of a pipe");
	refused(kernel_call(SYS_mount, path, "/", NULL, MS_MOVE, NULL), "move of a pipe");
	refused(kernel_call(SYS_mount, "none", path, NULL, MS_REMOUNT, NULL), "remount of a pipe");
	refused(kernel_call(SYS_mount, "none", path, NULL, MS_PRIVATE, NULL),
		"spreading of a pipe");
	close(fds[0]);
	close(fds[1]);
}

static void all(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	high_bits();
	strange_end_signals();
	nameless_mounts();
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
