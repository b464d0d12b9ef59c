/* SPDX-License-Identifier: MIT */
/*
 * clone: what a child shares with its parent for each flag, where thread ids go, who learns of its
 * end, and which flags are refused. Threads and clone3 have files of their own.
 */
#include <sys/stat.h>

#include "cases.h"

#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define STACK_SIZE  16384

static volatile int word; /* private memory */
static volatile int *common;
static struct gate gate;
static unsigned char stack[STACK_SIZE] __attribute__((aligned(16)));
#define STACK_TOP (stack + STACK_SIZE)

static long clone_raw(unsigned long flags, int *parent_tid, int *child_tid, unsigned long tls)
{
	return kernel_call(SYS_clone, flags, 0, parent_tid, child_tid, tls);
}

/* ---- What is shared ---- */

static void moves_away(void)
{
	umask(077);
	WANT_IS(chdir("/tmp"), 0);
}

static void clone_vfork_copy(void)
{
	int code = 1;
	long pid;

	common = shared_memory(4096);
	word = 1;
	pid = clone_raw(CLONE_VFORK | SIGCHLD, NULL, NULL, 0);
	if (pid == 0) {
		word = 2;
		*common = 1;
		_exit(0);
	}
	code = *common;
	WANT_IS(code, 1);
	WANT_IS(word, 1);
	WANT_ENDS((pid_t)pid, 0);
}

static int in_clone_memory(void *argument)
{
	word = 9;
	return 3;
}

static void clone_vm(void)
{
	pid_t pid;

	word = 1;
	pid = clone(in_clone_memory, STACK_TOP, CLONE_VM | SIGCHLD, NULL);
	WANT(pid > 0);
	WANT_ENDS(pid, EXITED(3));
	WANT_IS(word, 9);
}

static int in_clone_stack(void *argument)
{
	char here;

	return &here >= (char *)stack && &here < (char *)STACK_TOP && argument == stack ? 0 : 1;
}

static void clone_stack(void)
{
	WANT_ENDS(clone(in_clone_stack, STACK_TOP, SIGCHLD, stack), 0);
}

static void opens_and_closes(long flags, int *opened, int *closed)
{
	int fd = open("/dev/null", O_RDONLY);
	long pid;

	common = shared_memory(4096);
	pid = clone_raw(flags | SIGCHLD, NULL, NULL, 0);
	if (pid == 0) {
		*common = dup(fd);
		close(fd);
		_exit(0);
	}
	WANT_ENDS((pid_t)pid, 0);
	*opened = fcntl(*common, F_GETFD);
	*closed = fcntl(fd, F_GETFD);
}

static void clone_files(void)
{
	int opened, closed;

	opens_and_closes(CLONE_FILES, &opened, &closed);
	WANT_IS(opened, 0);
	WANT_IS(closed, -1);
}

static void clone_no_files(void)
{
	int opened, closed;

	opens_and_closes(0, &opened, &closed);
	WANT_IS(opened, -1);
	WANT_IS(closed, 0);
}

static void clone_fs(void)
{
	char path[PATH_MAX];
	long pid;

	umask(022);
	WANT_IS(chdir("/"), 0);
	pid = clone_raw(CLONE_FS | SIGCHLD, NULL, NULL, 0);
	if (pid == 0) {
		moves_away();
		_exit(0);
	}
	WANT_ENDS((pid_t)pid, 0);
	WANT_IS(umask(022), 077);
	WANT(getcwd(path, sizeof path) && strcmp(path, "/tmp") == 0);
}

static int sets_handler(void *argument)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		unsigned long mask;
	} ignore = {.handler = SIG_IGN};
	unsigned long mask = 1ul << (SIGUSR2 - 1);

	kernel_call(SYS_rt_sigprocmask, SIG_BLOCK, &mask, NULL, 8);
	return (int)kernel_call(SYS_rt_sigaction, SIGUSR1, &ignore, NULL, 8);
}

static bool handler_after(int flags)
{
	struct sigaction action;
	sigset_t mask;

	WANT_ENDS(clone(sets_handler, STACK_TOP, flags | SIGCHLD, NULL), 0);
	WANT_IS(sigaction(SIGUSR1, NULL, &action), 0);
	WANT_IS(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	WANT(!sigismember(&mask, SIGUSR2));
	return action.sa_handler == SIG_IGN;
}

static void clone_sighand(void)
{
	WANT(handler_after(CLONE_VM | CLONE_SIGHAND));
}

static void clone_no_sighand(void)
{
	WANT(!handler_after(CLONE_VM));
}

static int has_no_alternate_stack(void *argument)
{
	stack_t now;

	return kernel_call(SYS_sigaltstack, NULL, &now) == 0 && now.ss_flags == SS_DISABLE ? 0 : 1;
}

static void clone_vm_alternate_stack(void)
{
	static unsigned char own_stack[STACK_SIZE];
	stack_t own = {.ss_sp = own_stack, .ss_size = STACK_SIZE};

	WANT_IS(sigaltstack(&own, NULL), 0);
	WANT_ENDS(clone(has_no_alternate_stack, STACK_TOP, CLONE_VM | SIGCHLD, NULL), 0);
}

/* ---- Thread ids and TLS ---- */

static void clone_parent_settid(void)
{
	int tid = 0;
	long pid = clone_raw(CLONE_PARENT_SETTID | SIGCHLD, &tid, NULL, 0);

	if (pid == 0)
		_exit(0);
	WANT_IS(tid, pid);
	WANT_ENDS((pid_t)pid, 0);
}

static void clone_child_settid(void)
{
	volatile int tid = 0;
	long pid = clone_raw(CLONE_CHILD_SETTID | SIGCHLD, NULL, (int *)&tid, 0);

	if (pid == 0)
		_exit(tid == kernel_call(SYS_gettid) ? 0 : 1);
	WANT_ENDS((pid_t)pid, 0);
	WANT_IS(tid, 0);
}

static void clone_bad_settid(void)
{
	long pid =
		clone_raw(CLONE_CHILD_SETTID | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD,
			BAD, BAD, 0);

	if (pid == 0)
		_exit(4);
	WANT(pid > 0);
	WANT_ENDS((pid_t)pid, EXITED(4));
}

static int returns_at_once(void *argument)
{
	return 0;
}

static void clone_child_cleartid(void)
{
	static volatile int tid = 77;
	pid_t pid = clone(returns_at_once, STACK_TOP, CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD,
		NULL, NULL, NULL, &tid);

	WANT(pid > 0);
	while (tid == 77)
		kernel_call(SYS_futex, &tid, 0 /* FUTEX_WAIT */, 77, NULL);
	WANT_IS(tid, 0);
	WANT_ENDS(pid, 0);
}

static void clone_settls(void)
{
	unsigned long found = 0, tls = (unsigned long)stack;
	long pid = clone_raw(CLONE_SETTLS | SIGCHLD, NULL, NULL, tls);

	if (pid == 0) {
		kernel_call(SYS_arch_prctl, ARCH_GET_FS, &found);
		kernel_call(SYS_exit_group, found == tls ? 0 : 1);
	}
	WANT_ENDS((pid_t)pid, 0);
}

static void clone_settls_bad(void)
{
	WANT_IS(clone_raw(CLONE_SETTLS | SIGCHLD, NULL, NULL, KERNEL_SPACE), -EPERM);
	WANT_IS(kernel_call(SYS_wait4, -1, NULL, 0, NULL), -ECHILD);
}

static void clone_pidfd(void)
{
	struct pollfd ready = {.fd = -1, .events = POLLIN};
	siginfo_t info = {0};
	long pid;

	gate = make_gate();
	pid = clone_raw(CLONE_PIDFD | SIGCHLD, &ready.fd, NULL, 0);
	if (pid == 0) {
		wait_gate(gate);
		_exit(6);
	}
	WANT(pid > 0 && ready.fd >= 0);
	WANT_IS(fcntl(ready.fd, F_GETFD), FD_CLOEXEC);
	WANT_IS(poll(&ready, 1, 0), 0);
	open_gate(gate);
	WANT_IS(poll(&ready, 1, -1), 1);
	WANT_IS(ready.revents & POLLIN, POLLIN);
	WANT_IS(kernel_call(SYS_waitid, P_PIDFD, ready.fd, &info, WEXITED, NULL), 0);
	WANT(info.si_pid == pid && info.si_status == 6 && info.si_code == CLD_EXITED);
}

/* ---- Parents and exit signals ---- */

static void clone_parent(void)
{
	pid_t self = getpid(), pid, middle;

	common = shared_memory(4096);
	middle = fork();
	if (middle == 0) {
		pid = (pid_t)clone_raw(CLONE_PARENT | SIGCHLD, NULL, NULL, 0);
		if (pid == 0)
			_exit(getppid() == self ? 5 : 6);
		*common = pid;
		_exit(kernel_call(SYS_wait4, pid, NULL, 0, NULL) == -ECHILD ? 0 : 1);
	}
	WANT_ENDS(middle, 0);
	WANT_ENDS(*common, EXITED(5));
}

static volatile int got_signal, got_code, got_pid, got_status;

static void note(int number, siginfo_t *info, void *context)
{
	got_signal = number;
	got_code = info->si_code;
	got_pid = info->si_pid;
	got_status = info->si_status;
}

static void clone_exit_signal(void)
{
	long pid;

	handle_info(SIGUSR1, note, 0);
	pid = clone_raw(SIGUSR1, NULL, NULL, 0);
	if (pid == 0)
		_exit(21);
	WANT_IS(kernel_call(SYS_wait4, pid, NULL, WNOHANG, NULL), -ECHILD);
	WANT_ENDS((pid_t)pid, EXITED(21));
	WANT_IS(got_signal, SIGUSR1);
	WANT_IS(got_code, CLD_EXITED);
	WANT(got_pid == pid && got_status == 21);
}

static void clone_no_exit_signal(void)
{
	int status;
	long pid;

	handle_info(SIGCHLD, note, 0);
	pid = clone_raw(0, NULL, NULL, 0);
	if (pid == 0)
		_exit(22);
	WANT_IS(kernel_call(SYS_wait4, -1, NULL, 0, NULL), -ECHILD);
	WANT_IS(kernel_call(SYS_wait4, pid, &status, __WCLONE, NULL), pid);
	WANT_IS(status, EXITED(22));
	WANT_IS(got_signal, 0);
}

static void wait_wclone_excludes_normal(void)
{
	pid_t pid = start(just_wait);

	WANT_IS(kernel_call(SYS_wait4, pid, NULL, __WCLONE | WNOHANG, NULL), -ECHILD);
	WANT_IS(kernel_call(SYS_wait4, pid, NULL, __WALL | WNOHANG, NULL), 0);
	kill(pid, SIGKILL);
	WANT_ENDS(pid, SIGKILL);
}

/* ---- Refusals ---- */

static void clone_refusals(void)
{
	static const struct refusal {
		unsigned long flags;
	} refusals[] = {
		{CLONE_SIGHAND},
		{CLONE_THREAD},
		{CLONE_THREAD | CLONE_SIGHAND},
		{CLONE_THREAD | CLONE_VM},
		{CLONE_NEWNS | CLONE_FS},
		{CLONE_PIDFD | CLONE_PARENT_SETTID},
		{CLONE_PIDFD | CLONE_DETACHED},
	};
	int tid;

	for (size_t i = 0; i < COUNT(refusals); i++) {
		long result = clone_raw(refusals[i].flags | SIGCHLD, &tid, NULL, 0);

		if (result == 0)
			_exit(99);
		WANT_IS(result, -EINVAL);
	}
	WANT_IS(kernel_call(SYS_wait4, -1, NULL, 0, NULL), -ECHILD);
}

static void clone_pidfd_fault(void)
{
	WANT_IS(clone_raw(CLONE_PIDFD | SIGCHLD, BAD, NULL, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_wait4, -1, NULL, 0, NULL), -ECHILD);
}

static void clone_ignored_flags(void)
{
	long pid =
		clone_raw(CLONE_DETACHED | CLONE_UNTRACED | CLONE_SYSVSEM | SIGCHLD, NULL, NULL, 0);

	if (pid == 0)
		_exit(0);
	WANT_ENDS((pid_t)pid, 0);
}

static const struct test_case cases[] = {
	CASE(clone_vfork_copy, "clone VFORK without VM: the parent waits, memory is a copy"),
	CASE(clone_vm, "clone VM: memory is shared, the function's result is the exit code"),
	CASE(clone_stack, "clone: the child runs on the stack that was given"),
	CASE(clone_files, "clone FILES: descriptors opened and closed are seen by both"),
	CASE(clone_no_files, "clone without FILES: descriptors are a copy"),
	CASE(clone_fs, "clone FS: working directory and umask are shared"),
	CASE(clone_sighand, "clone VM|SIGHAND: handlers are shared, masks are not"),
	CASE(clone_no_sighand, "clone VM without SIGHAND: handlers are copies"),
	CASE(clone_vm_alternate_stack, "clone VM: the child has no alternate signal stack"),
	CASE(clone_parent_settid, "clone PARENT_SETTID: the tid in the parent's memory"),
	CASE(clone_child_settid, "clone CHILD_SETTID: the tid in the child's memory alone"),
	CASE(clone_bad_settid, "clone: bad addresses for the tids are no error"),
	CASE(clone_child_cleartid,
		"clone VM|CHILD_CLEARTID: the word is cleared and woken at the end"),
	CASE(clone_settls, "clone SETTLS: the child's FS base"),
	CASE(clone_settls_bad, "clone SETTLS with a kernel address: EPERM, and no child"),
	CASE(clone_pidfd,
		"clone PIDFD: a close-on-exec descriptor, readable when the child has ended"),
	CASE(clone_pidfd_fault, "clone PIDFD, bad address: EFAULT, and no child"),
	CASE(clone_parent, "clone PARENT: the child is a sibling"),
	CASE(clone_exit_signal,
		"clone with SIGUSR1: sent at the end, and only __WALL or __WCLONE wait"),
	CASE(clone_no_exit_signal,
		"clone with no exit signal: none is sent, __WCLONE waits for it"),
	CASE(wait_wclone_excludes_normal, "wait4 __WCLONE: no child with SIGCHLD: ECHILD"),
	CASE(clone_refusals, "clone: flags that need others or exclude them: EINVAL"),
	CASE(clone_ignored_flags, "clone: DETACHED, UNTRACED and SYSVSEM are accepted"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
