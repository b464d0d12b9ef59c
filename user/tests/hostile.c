/* SPDX-License-Identifier: MIT */
/*
 * Races and excesses that once led the kernel astray: objects freed under those who still used them,
 * work without bound for one call. Some show themselves only in a debug kernel, or now and then.
 */
#include <elf.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/user.h>

#include "cases.h"

/* ---- Tracers ---- */

static void be_traced(void)
{
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0), 0);
	raise(SIGSTOP);
	_exit(7);
}

/* Tells its tracee to go on and is gone before that has run. */
static void trace_and_leave(void)
{
	pid_t tracee = start(be_traced);
	int status;

	WANT_IS(waitpid(tracee, &status, 0), tracee);
	WANT_IS(status, SIGSTOP << 8 | 0x7f);
	kernel_call(SYS_ptrace, PTRACE_CONT, tracee, 0, 0);
	kernel_call(SYS_exit_group, 3);
}

static void tracer_leaves(void)
{
	WANT_IS(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	for (int i = 0; i < 50; i++) {
		pid_t tracer = start(trace_and_leave);

		WANT_ENDS(tracer, 3 << 8);
		WANT_IS(ended(-1), 7 << 8);
	}
}

/* ---- Registers that no CPU takes to user mode ---- */

static const struct {
	size_t field;
	unsigned long value;
} registers[] = {
	{offsetof(struct user_regs_struct, cs), 0x10},
	{offsetof(struct user_regs_struct, cs), 0x23},
	{offsetof(struct user_regs_struct, cs), 0xffff},
	{offsetof(struct user_regs_struct, cs), 3},
	{offsetof(struct user_regs_struct, ss), 0x18},
	{offsetof(struct user_regs_struct, ss), 0x33},
	{offsetof(struct user_regs_struct, ss), 0xfffb},
	{offsetof(struct user_regs_struct, rip), 0x800000000000},
	{offsetof(struct user_regs_struct, rip), 0x8000000000000000},
	{offsetof(struct user_regs_struct, rip), 0xffff800000000000},
	{offsetof(struct user_regs_struct, rip), KERNEL_SPACE},
	{offsetof(struct user_regs_struct, rsp), 0x8000000000000000},
	{offsetof(struct user_regs_struct, rsp), KERNEL_SPACE},
	{offsetof(struct user_regs_struct, eflags), ~0ul},
	{offsetof(struct user_regs_struct, orig_rax), ~0ul},
	{offsetof(struct user_regs_struct, orig_rax), 1ul << 40},
	{offsetof(struct user_regs_struct, orig_rax), 15},
	{offsetof(struct user_regs_struct, fs_base), KERNEL_SPACE},
	{offsetof(struct user_regs_struct, gs_base), 0x800000000000},
	{offsetof(struct user_regs_struct, ds), 0x10},
	{offsetof(struct user_regs_struct, gs), 0x1b},
	{offsetof(struct user_regs_struct, fs), 0xffff},
};

static void calls(void)
{
	be_traced();
}

static void at_stop(int stop, size_t field, unsigned long value)
{
	struct user_regs_struct regs;
	pid_t tracee = start(calls);
	int status;

	WANT_IS(waitpid(tracee, &status, 0), tracee);
	for (int i = 0; i < stop; i++) {
		WANT_IS(kernel_call(SYS_ptrace, PTRACE_SYSCALL, tracee, 0, 0), 0);
		WANT_IS(waitpid(tracee, &status, 0), tracee);
	}
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_GETREGS, tracee, 0, &regs), 0);
	*(unsigned long *)((char *)&regs + field) = value;
	kernel_call(SYS_ptrace, PTRACE_SETREGS, tracee, 0, &regs);
	kernel_call(SYS_ptrace, PTRACE_POKEUSER, tracee, field, value);
	kernel_call(SYS_ptrace, PTRACE_SINGLESTEP, tracee, 0, 0);
	WANT_IS(waitpid(tracee, &status, 0), tracee);
	kill(tracee, SIGKILL);
	kernel_call(SYS_ptrace, PTRACE_CONT, tracee, 0, 0);
	if (WIFSTOPPED(status))
		WANT_IS(waitpid(tracee, &status, 0), tracee);
}

static void forged_registers(void)
{
	for (size_t i = 0; i < COUNT(registers); i++) {
		for (int stop = 0; stop < 3; stop++)
			at_stop(stop, registers[i].field, registers[i].value);
	}
}

/* What only shows after the look at the registers: in a child that has them too, in a call that is
 * made again from before the edge of the kernel's half. */
static void forks(void)
{
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0), 0);
	raise(SIGSTOP);
	_exit(kernel_call(SYS_fork) < 0);
}

static void to_call(pid_t tracee, long number, struct user_regs_struct *regs)
{
	int status;

	WANT_IS(waitpid(tracee, &status, 0), tracee);
	do {
		WANT_IS(kernel_call(SYS_ptrace, PTRACE_SYSCALL, tracee, 0, 0), 0);
		WANT_IS(waitpid(tracee, &status, 0), tracee);
		WANT(WIFSTOPPED(status));
		WANT_IS(kernel_call(SYS_ptrace, PTRACE_GETREGS, tracee, 0, regs), 0);
	} while ((long)regs->orig_rax != number);
}

static void forged_child(void)
{
	struct user_regs_struct regs;
	pid_t tracee = start(forks);
	int status;

	WANT_IS(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	to_call(tracee, SYS_fork, &regs);
	regs.cs = 0x13;
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_SETREGS, tracee, 0, &regs), 0);
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_DETACH, tracee, 0, 0), 0);
	WANT_ENDS(tracee, SIGSEGV);
	while (waitpid(-1, &status, 0) > 0) /* the child may not have come to be */
		WANT_IS(status & 0x7f, SIGSEGV);
}

static void forged_restart(void)
{
	struct user_regs_struct regs;
	pid_t tracee = start(forks);

	to_call(tracee, SYS_fork, &regs);
	regs.orig_rax = -1ul;
	regs.rax = -512ul; /* ERESTARTSYS */
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_SETREGS, tracee, 0, &regs), 0);
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_SYSCALL, tracee, 0, 0), 0);
	WANT_IS(waitpid(tracee, NULL, 0), tracee);
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_GETREGS, tracee, 0, &regs), 0);
	WANT_IS(regs.rax, -512ul); /* the end of the call that was skipped */
	regs.rip = 0xffff800000000000;
	regs.orig_rax = SYS_getppid;
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_SETREGS, tracee, 0, &regs), 0);
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_DETACH, tracee, 0, SIGURG), 0);
	WANT_ENDS(tracee, SIGSEGV);
}

/* A frame with a forged segment whose FPU state cannot be read; the tracer keeps SIGSEGV back. */
static void returns_badly(void)
{
	static unsigned long frame[64];

	/* struct ucontext: flags, link, stack, then struct sigcontext */
	frame[5 + 18] = 0x10; /* cs */
	frame[5 + 23] = 1;    /* fpstate */
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0), 0);
	raise(SIGSTOP);
	__asm__ volatile("movq %0, %%rsp; movl $15, %%eax; syscall"
			 :
			 : "r"(frame)
			 : "rax", "rcx", "r11", "memory");
}

static void forged_frame(void)
{
	pid_t tracee = start(returns_badly);
	int status;

	WANT_IS(waitpid(tracee, &status, 0), tracee);
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_CONT, tracee, 0, 0), 0);
	for (int i = 0; i < 3; i++) {
		WANT_IS(waitpid(tracee, &status, 0), tracee);
		WANT_IS(status, SIGSEGV << 8 | 0x7f);
		WANT_IS(kernel_call(SYS_ptrace, PTRACE_CONT, tracee, 0, 0), 0);
	}
	kill(tracee, SIGKILL);
	while (waitpid(tracee, &status, 0) == tracee && WIFSTOPPED(status))
		kernel_call(SYS_ptrace, PTRACE_CONT, tracee, 0, 0);
}

/* The FPU's state with each byte of its head wrong in turn. */
static void forged_fpu(void)
{
	static unsigned char state[16384], forged[16384];
	struct iovec area = {state, sizeof state};
	pid_t tracee = start(be_traced);
	int status;

	WANT_IS(waitpid(tracee, &status, 0), tracee);
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_GETREGSET, tracee, NT_X86_XSTATE, &area), 0);
	for (size_t at = 0; at < 640 && at < area.iov_len; at++) {
		struct iovec wrong = {forged, area.iov_len};

		memcpy(forged, state, sizeof state);
		forged[at] ^= 0xff;
		kernel_call(SYS_ptrace, PTRACE_SETREGSET, tracee, NT_X86_XSTATE, &wrong);
		wrong.iov_len = at & ~7ul;
		kernel_call(SYS_ptrace, PTRACE_SETREGSET, tracee, NT_X86_XSTATE, &wrong);
	}
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_CONT, tracee, 0, 0), 0);
	WANT_ENDS(tracee, 7 << 8);
}

/* ---- Threads that end before they begin ---- */

#define THREADS 128

static char stacks[THREADS][4096] __attribute__((aligned(16)));
static char *flicker; /* a page that comes and goes */

static int thread_main(void *argument)
{
	(void)argument;
	kernel_call(SYS_exit, 0);
	return 0;
}

static void *flickers(void *argument)
{
	for (;;) {
		madvise(flicker, 64 * 4096, MADV_DONTNEED);
		madvise(flicker, 64 * 4096, 23 /* MADV_POPULATE_WRITE */);
	}
	return argument;
}

static void *ends_all(void *argument)
{
	usleep((useconds_t)(uintptr_t)argument);
	kernel_call(SYS_exit_group, 9);
	return NULL;
}

static long delay;

/* clone(2) waits for the page of the tid while exit_group ends the child. */
static void clones_and_ends(void)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			  CLONE_SYSVSEM | CLONE_PARENT_SETTID;
	pthread_t thread;

	flicker = mmap(NULL, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	WANT(flicker != MAP_FAILED);
	WANT_IS(pthread_create(&thread, NULL, flickers, NULL), 0);
	WANT_IS(pthread_create(&thread, NULL, ends_all, (void *)(uintptr_t)delay), 0);
	for (int i = 0; i < THREADS; i++)
		clone(thread_main, stacks[i] + sizeof stacks[i], flags, NULL,
			flicker + i % 64 * 4096);
	just_wait();
}

static void killed_at_birth(void)
{
	for (int i = 0; i < 60; i++) {
		delay = 200 + i * 37 % 5000;
		WANT_ENDS(start(clones_and_ends), 9 << 8);
	}
}

/* ---- What a process may pile up ---- */

static void silent_timers(void)
{
	struct sigevent event = {.sigev_notify = SIGEV_NONE};
	struct rlimit limit = {20, 20};
	long error = 0;
	int id, count;

	WANT_IS(setrlimit(RLIMIT_SIGPENDING, &limit), 0);
	become_nobody();
	for (count = 0; count < 100 && !error; count++)
		error = kernel_call(SYS_timer_create, CLOCK_MONOTONIC, &event, &id);
	WANT_IS(error, -EAGAIN);
	WANT(count <= 21);
}

static const struct test_case cases[] = {
	CASE(tracer_leaves, "ptrace: a tracer ends before its tracee goes on"),
	CASE(forged_registers, "ptrace: registers that no CPU takes to user mode"),
	CASE(forged_child, "ptrace: a forked child has its parent's forged registers"),
	CASE(forged_restart, "ptrace: a call made again over the edge of the kernel's half"),
	CASE(forged_frame, "ptrace: SIGSEGV of a forged frame is kept back"),
	CASE(forged_fpu, "ptrace: a forged FPU state"),
	CASE(killed_at_birth, "clone: a thread is killed while clone still writes its tid"),
	CASE(silent_timers, "timer_create: RLIMIT_SIGPENDING counts timers that send nothing"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
