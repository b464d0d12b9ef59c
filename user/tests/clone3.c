/* SPDX-License-Identifier: MIT */
/*
 * clone3: its structure's sizes, every refusal, and what it has beyond clone: stacks by size, a
 * pidfd beside the tid, handlers cleared.
 */
#include "cases.h"

#define CLONE_CLEAR_SIGHAND  0x100000000ull
#define CLONE_INTO_CGROUP    0x200000000ull
#define CLONE_ARGS_SIZE_VER0 64

struct clone_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size, cgroup;
};

static unsigned char stack[16384] __attribute__((aligned(16)));
static struct clone_args plain = {.exit_signal = SIGCHLD};

static long clone3(const void *args, size_t size)
{
	long pid = kernel_call(SYS_clone3, args, size);

	if (pid == 0)
		kernel_call(SYS_exit_group, 40);
	return pid;
}

/* With a stack of its own: the child does act(argument) and ends with its result. */
long clone3_act(const struct clone_args *args, size_t size, int (*act)(void *), void *argument);
__asm__(".globl clone3_act\n"
	"clone3_act:\n"
	"	mov %rcx, %r8\n"
	"	mov $435, %eax\n"
	"	syscall\n"
	"	test %rax, %rax\n"
	"	jnz 1f\n"
	"	xor %ebp, %ebp\n"
	"	mov %r8, %rdi\n"
	"	call *%rdx\n"
	"	mov %eax, %edi\n"
	"	mov $60, %eax\n"
	"	syscall\n"
	"	ud2\n"
	"1:	ret\n");

static void no_child_is_left(void)
{
	WANT_IS(kernel_call(SYS_wait4, -1, NULL, __WALL, NULL), -ECHILD);
}

static void as_fork(void)
{
	long pid = clone3(&plain, sizeof plain);

	WANT(pid > 0);
	WANT_ENDS((pid_t)pid, EXITED(40));
}

static void sizes(void)
{
	static unsigned char big[8192];

	memcpy(big, &plain, sizeof plain);
	WANT_ENDS((pid_t)clone3(big, CLONE_ARGS_SIZE_VER0), EXITED(40));
	WANT_ENDS((pid_t)clone3(big, 4096), EXITED(40));
	WANT_IS(clone3(big, CLONE_ARGS_SIZE_VER0 - 1), -EINVAL);
	WANT_IS(clone3(big, 0), -EINVAL);
	WANT_IS(clone3(big, 4097), -E2BIG);
	big[4095] = 1;
	WANT_IS(clone3(big, 4096), -E2BIG);
	no_child_is_left();
}

static void bad_address(void)
{
	WANT_IS(clone3(BAD, sizeof plain), -EFAULT);
	WANT_IS(clone3(NULL, sizeof plain), -EFAULT);
	no_child_is_left();
}

static void refused(struct clone_args args)
{
	WANT_IS(clone3(&args, sizeof args), -EINVAL);
	no_child_is_left();
}

static void unknown_flags(void)
{
	refused((struct clone_args){.flags = 1ull << 34, .exit_signal = SIGCHLD});
	refused((struct clone_args){.flags = 1ull << 63, .exit_signal = SIGCHLD});
}

static void detached(void)
{
	refused((struct clone_args){.flags = CLONE_DETACHED, .exit_signal = SIGCHLD});
}

static void signal_in_flags(void)
{
	refused((struct clone_args){.flags = SIGCHLD});
}

static void exit_signal(void)
{
	refused((struct clone_args){.exit_signal = 65});
	refused((struct clone_args){.exit_signal = 0x100000011});
	refused((struct clone_args){
		.flags = CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, .exit_signal = SIGCHLD});
	refused((struct clone_args){.flags = CLONE_PARENT, .exit_signal = SIGCHLD});
}

static void half_a_stack(void)
{
	refused((struct clone_args){.exit_signal = SIGCHLD, .stack = (uint64_t)(uintptr_t)stack});
	refused((struct clone_args){.exit_signal = SIGCHLD, .stack_size = sizeof stack});
	refused((struct clone_args){
		.exit_signal = SIGCHLD, .stack = KERNEL_SPACE, .stack_size = sizeof stack});
}

static void combinations(void)
{
	static const uint64_t bad[] = {CLONE_SIGHAND, CLONE_THREAD, CLONE_THREAD | CLONE_VM,
		CLONE_THREAD | CLONE_SIGHAND, CLONE_NEWNS | CLONE_FS,
		CLONE_CLEAR_SIGHAND | CLONE_SIGHAND | CLONE_VM};

	for (size_t i = 0; i < COUNT(bad); i++)
		refused((struct clone_args){.flags = bad[i]});
}

static void set_tid(void)
{
	refused((struct clone_args){.exit_signal = SIGCHLD, .set_tid_size = 1});
	refused((struct clone_args){.exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)stack});
	refused((struct clone_args){.exit_signal = SIGCHLD,
		.set_tid = (uint64_t)(uintptr_t)stack,
		.set_tid_size = 1000});
}

static volatile int ran;

static int on_given_stack(void *argument)
{
	unsigned char here;

	ran = 1;
	return &here >= stack && &here < stack + sizeof stack && argument == stack ? 12 : 13;
}

static void own_stack(void)
{
	struct clone_args args = {.flags = CLONE_VM,
		.exit_signal = SIGCHLD,
		.stack = (uint64_t)(uintptr_t)stack,
		.stack_size = sizeof stack};
	long pid = clone3_act(&args, sizeof args, on_given_stack, stack);

	WANT(pid > 0);
	WANT_ENDS((pid_t)pid, EXITED(12));
}

static void vfork_with_stack(void)
{
	struct clone_args args = {.flags = CLONE_VM | CLONE_VFORK,
		.exit_signal = SIGCHLD,
		.stack = (uint64_t)(uintptr_t)stack,
		.stack_size = sizeof stack};
	long pid = clone3_act(&args, sizeof args, on_given_stack, stack);

	WANT(pid > 0);
	WANT_IS(ran, 1);
	WANT_ENDS((pid_t)pid, EXITED(12));
}

static void pidfd_and_tid(void)
{
	int fd = -1, tid = 0;
	struct clone_args args = {.flags = CLONE_PIDFD | CLONE_PARENT_SETTID,
		.pidfd = (uint64_t)(uintptr_t)&fd,
		.parent_tid = (uint64_t)(uintptr_t)&tid,
		.exit_signal = SIGCHLD};
	siginfo_t info = {0};
	long pid = clone3(&args, sizeof args);

	WANT(pid > 0);
	WANT_IS(tid, pid);
	WANT_IS(fcntl(fd, F_GETFD), FD_CLOEXEC);
	WANT_IS(kernel_call(SYS_waitid, P_PIDFD, fd, &info, WEXITED, NULL), 0);
	WANT_IS(info.si_pid, pid);
	WANT_IS(info.si_status, 40);
}

static void no_handler(int number)
{
}

static int handlers_are_cleared(void *argument)
{
	struct sigaction action;

	if (sigaction(SIGUSR1, NULL, &action) != 0 || action.sa_handler != SIG_DFL)
		return 1;
	if (sigaction(SIGUSR2, NULL, &action) != 0 || action.sa_handler != SIG_IGN)
		return 2;
	return 0;
}

static void clear_sighand(void)
{
	struct clone_args args = {.flags = CLONE_CLEAR_SIGHAND,
		.exit_signal = SIGCHLD,
		.stack = (uint64_t)(uintptr_t)stack,
		.stack_size = sizeof stack};
	struct sigaction action;

	handle(SIGUSR1, no_handler, 0);
	handle(SIGUSR2, SIG_IGN, 0);
	WANT_ENDS((pid_t)clone3_act(&args, sizeof args, handlers_are_cleared, NULL), 0);
	WANT_IS(sigaction(SIGUSR1, NULL, &action), 0);
	WANT(action.sa_handler == no_handler);
}

static const struct test_case cases[] = {
	CASE(as_fork, "clone3: without flags it is fork"),
	CASE(sizes, "clone3: sizes: too small EINVAL, too large or unknown fields set E2BIG"),
	CASE(bad_address, "clone3: bad address: EFAULT"),
	CASE(unknown_flags, "clone3: unknown flags: EINVAL"),
	CASE(detached, "clone3: DETACHED: EINVAL"),
	CASE(signal_in_flags, "clone3: a signal in the flags: EINVAL"),
	CASE(exit_signal, "clone3: exit signal 65, or one for THREAD or PARENT: EINVAL"),
	CASE(half_a_stack,
		"clone3: stack without size, size without stack, kernel's stack: EINVAL"),
	CASE(combinations, "clone3: flags that need others or exclude them: EINVAL"),
	CASE(set_tid, "clone3: set_tid without size, size without set_tid, too many: EINVAL"),
	CASE(own_stack, "clone3 VM: the child runs at the end of the stack that was given"),
	CASE(vfork_with_stack,
		"clone3 VM|VFORK with a stack: the parent waits for the child's end"),
	CASE(pidfd_and_tid, "clone3 PIDFD|PARENT_SETTID: both are written"),
	CASE(clear_sighand, "clone3 CLEAR_SIGHAND: handlers become default, ignored stay ignored"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
