/* SPDX-License-Identifier: MIT */
/*
 * ptrace: attaching, stops and how they end, system-call stops, single steps, registers, memory,
 * events of fork, clone, exec and exit, seizing, and all errors. Calls go to the kernel itself.
 */
#include <elf.h>
#include <pthread.h>
#include <stddef.h>
#include <sys/uio.h>

#include "ptrace.h"

#define EVENT_OF(status) ((status) >> 16)
#define SYSCALL_STOP     (SIGTRAP | 0x80)
#define OFFSET_OF_REG(r) offsetof(struct user_regs_struct, r)

static volatile long word = 0x1234;

static void traced_and_ends(void)
{
	traced();
	_exit(5);
}

static pid_t start_traced(void (*act)(void), unsigned long options)
{
	pid_t pid = start(act);

	want_stop(pid, SIGSTOP);
	WANT_IS(trace(PTRACE_SETOPTIONS, pid, 0, options), 0);
	return pid;
}

/* ---- Signals ---- */

static volatile int got;

static void note(int number)
{
	got = number;
}

static void raises_three(void)
{
	handle(SIGUSR1, note, 0);
	handle(SIGUSR2, note, 0);
	traced();
	raise(SIGUSR1);
	WANT_IS(got, 0);
	raise(SIGUSR1);
	WANT_IS(got, SIGUSR1);
	raise(SIGUSR1);
	WANT_IS(got, SIGUSR2);
	raise(SIGKILL);
}

static void signal_stops(void)
{
	pid_t pid = start_traced(raises_three, 0);

	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGUSR1);
	go(pid, PTRACE_CONT, 0); /* taken away */
	want_stop(pid, SIGUSR1);
	go(pid, PTRACE_CONT, SIGUSR1);
	want_stop(pid, SIGUSR1);
	go(pid, PTRACE_CONT, SIGUSR2); /* another instead */
	WANT_IS(next(pid), SIGKILL);   /* SIGKILL asks nobody */
}

static void signal_info(void)
{
	pid_t pid = start_traced(raises_three, 0);
	siginfo_t info;

	WANT_IS(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info), 0);
	WANT(info.si_signo == SIGSTOP && info.si_code == SI_TKILL && info.si_pid == pid);
	go(pid, PTRACE_KILL, 0);
	WANT_IS(next(pid), SIGKILL);
}

/* ---- Attaching ---- */

static void attach(void)
{
	pid_t pid = start(just_wait);

	WANT_IS(trace(PTRACE_ATTACH, pid, 0, 0), 0);
	want_stop(pid, SIGSTOP);
	WANT_IS(trace(PTRACE_ATTACH, pid, 0, 0), -EPERM);
	WANT_IS(trace(PTRACE_DETACH, pid, 0, 0), 0);
	WANT_IS(waitpid(pid, NULL, WNOHANG | WUNTRACED), 0);
	WANT_IS(trace(PTRACE_CONT, pid, 0, 0), -ESRCH);
	WANT_IS(kill(pid, SIGTERM), 0);
	WANT_IS(next(pid), SIGTERM);
}

static void attach_errors(void)
{
	pid_t pid = start(just_wait);

	WANT_IS(trace(PTRACE_ATTACH, getpid(), 0, 0), -EPERM);
	WANT_IS(trace(PTRACE_ATTACH, 0x7ffffff0, 0, 0), -ESRCH);
	WANT_IS(trace(PTRACE_CONT, pid, 0, 0), -ESRCH); /* not traced */
	WANT_IS(trace(PTRACE_SEIZE, pid, 1, 0), -EIO);
	WANT_IS(trace(PTRACE_SEIZE, pid, 0, 1ul << 30), -EIO);
	WANT_IS(trace(PTRACE_SEIZE, pid, 0, 0), 0);
	WANT_IS(trace(PTRACE_CONT, pid, 0, 0), -ESRCH); /* not stopped */
	WANT_IS(trace(PTRACE_GETREGS, pid, 0, 0), -ESRCH);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_IS(next(pid), SIGKILL);
	if (become_nobody())
		WANT_IS(trace(PTRACE_ATTACH, 1, 0, 0), -EPERM);
}

static void *waits_long(void *unused)
{
	just_wait();
	return NULL;
}

static void leader_ends(void)
{
	pthread_t thread;

	WANT_IS(pthread_create(&thread, NULL, waits_long, NULL), 0);
	kernel_call(SYS_exit, 0);
}

static void attach_ended(void)
{
	pid_t pid = start(leader_ends);

	until_state(pid, 'Z');
	WANT_IS(trace(PTRACE_SEIZE, pid, 0, 0), -EPERM);
	WANT_IS(trace(PTRACE_ATTACH, pid, 0, 0), -EPERM);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_IS(waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT), 0);
	WANT_IS(trace(PTRACE_SEIZE, pid, 0, 0), -EPERM); /* a zombie */
	WANT_IS(trace(PTRACE_ATTACH, pid, 0, 0), -EPERM);
	WANT_IS(next(pid), SIGKILL);
	WANT_IS(trace(PTRACE_SEIZE, pid, 0, 0), -ESRCH);
}

static void traceme_twice(void)
{
	WANT_IS(trace(PTRACE_TRACEME, 0, 0, 0), 0);
	WANT_IS(trace(PTRACE_TRACEME, 0, 0, 0), -EPERM);
}

static void traceme(void)
{
	WANT_ENDS(start(traceme_twice), 0);
}

static void tracer_ends(void)
{
	pid_t pid = start(just_wait), tracer = fork();

	if (tracer == 0) {
		WANT_IS(trace(PTRACE_ATTACH, pid, 0, 0), 0);
		want_stop(pid, SIGSTOP);
		_exit(0);
	}
	WANT_ENDS(tracer, 0);
	WANT_IS(waitpid(pid, NULL, WNOHANG), 0);
	WANT_IS(kill(pid, SIGTERM), 0);
	WANT_IS(next(pid), SIGTERM);
}

static void tracer_ends_exitkill(void)
{
	pid_t pid = start(just_wait), tracer = fork();

	if (tracer == 0) {
		WANT_IS(trace(PTRACE_SEIZE, pid, 0, PTRACE_O_EXITKILL), 0);
		_exit(0);
	}
	WANT_ENDS(tracer, 0);
	WANT_IS(next(pid), SIGKILL);
}

/* ---- Memory and registers ---- */

static void looks_at_word(void)
{
	traced();
	_exit(word == 0x5678 ? 0 : 1);
}

static void peek_and_poke(void)
{
	pid_t pid = start_traced(looks_at_word, 0);
	long value = 0;

	word = 7; /* its own copy is meant */
	WANT_IS(trace(PTRACE_PEEKDATA, pid, (unsigned long)&word, (unsigned long)&value), 0);
	WANT_IS(value, 0x1234);
	WANT_IS(trace(PTRACE_POKEDATA, pid, (unsigned long)&word, 0x5678), 0);
	WANT_IS(trace(PTRACE_PEEKTEXT, pid, 8, (unsigned long)&value), -EIO);
	WANT_IS(trace(PTRACE_POKETEXT, pid, KERNEL_SPACE, 1), -EIO);
	WANT_IS(trace(PTRACE_PEEKDATA, pid, (unsigned long)&word, (unsigned long)BAD), -EFAULT);
	/* Text is written though the program may not. */
	WANT_IS(trace(PTRACE_PEEKTEXT, pid, (unsigned long)looks_at_word, (unsigned long)&value),
		0);
	WANT_IS(trace(PTRACE_POKETEXT, pid, (unsigned long)looks_at_word, (unsigned long)value), 0);
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), 0);
}

static void calls_getppid(void)
{
	traced();
	_exit((int)kernel_call(SYS_getppid) == 77 ? 0 : 1);
}

static void change_call(void)
{
	pid_t pid = start_traced(calls_getppid, PTRACE_O_TRACESYSGOOD);
	struct user_regs_struct regs;

	do {
		go(pid, PTRACE_SYSCALL, 0);
		want_stop(pid, SYSCALL_STOP);
		regs = registers(pid);
	} while (regs.orig_rax != SYS_getppid);
	WANT_IS(regs.rax, -ENOSYS);
	go(pid, PTRACE_SYSCALL, 0);
	want_stop(pid, SYSCALL_STOP);
	regs = registers(pid);
	WANT_IS(regs.rax, getpid());
	WANT_IS(regs.orig_rax, SYS_getppid);
	regs.rax = 77;
	WANT_IS(trace(PTRACE_SETREGS, pid, 0, (unsigned long)&regs), 0);
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), 0);
}

static void makes_directory(void)
{
	traced();
	_exit(kernel_call(SYS_rmdir, "/no/such") == -ENOSYS ? 0 : 1);
}

static void skip_call(void)
{
	pid_t pid = start_traced(makes_directory, PTRACE_O_TRACESYSGOOD);
	struct user_regs_struct regs;

	do {
		go(pid, PTRACE_SYSCALL, 0);
		want_stop(pid, SYSCALL_STOP);
		regs = registers(pid);
	} while (regs.orig_rax != SYS_rmdir);
	regs.orig_rax = ~0ul;
	WANT_IS(trace(PTRACE_SETREGS, pid, 0, (unsigned long)&regs), 0);
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), 0);
}

static void register_calls(void)
{
	pid_t pid = start_traced(traced_and_ends, 0);
	struct user_regs_struct regs = registers(pid), set;
	struct iovec vector = {&set, sizeof set};
	long value = 0;

	WANT_IS(regs.cs, 0x33);
	WANT_IS(trace(PTRACE_PEEKUSER, pid, OFFSET_OF_REG(rip), (unsigned long)&value), 0);
	WANT_IS(value, regs.rip);
	WANT_IS(trace(PTRACE_PEEKUSER, pid, 1, (unsigned long)&value), -EIO);
	WANT_IS(trace(PTRACE_PEEKUSER, pid, 1 << 20, (unsigned long)&value), -EIO);
	WANT_IS(trace(PTRACE_POKEUSER, pid, OFFSET_OF_REG(r12), 99), 0);
	WANT_IS(trace(PTRACE_GETREGSET, pid, NT_PRSTATUS, (unsigned long)&vector), 0);
	WANT_IS(vector.iov_len, sizeof set);
	WANT_IS(set.r12, 99);
	WANT_IS(trace(PTRACE_GETREGSET, pid, 0x9999, (unsigned long)&vector), -EINVAL);
	regs.cs = 0x10; /* the kernel's */
	WANT_IS(trace(PTRACE_SETREGS, pid, 0, (unsigned long)&regs), -EIO);
	WANT_IS(trace(PTRACE_POKEUSER, pid, OFFSET_OF_REG(fs_base), KERNEL_SPACE), -EIO);
	WANT_IS(trace(PTRACE_GETREGS, pid, 0, (unsigned long)BAD), -EFAULT);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_IS(next(pid), SIGKILL);
}

static void forged_flags(void)
{
	pid_t pid = start_traced(traced_and_ends, 0);
	struct user_regs_struct regs = registers(pid);

	regs.eflags |= 0x3000; /* IOPL */
	regs.eflags &= ~0x200ul;
	WANT_IS(trace(PTRACE_SETREGS, pid, 0, (unsigned long)&regs), 0);
	regs = registers(pid);
	WANT_IS(regs.eflags & 0x3200, 0x200);
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), EXITED(5));
}

static void stops_with_xmm(void)
{
	static const unsigned char mark[16] = "0123456789abcdef";

	WANT_IS(trace(PTRACE_TRACEME, 0, 0, 0), 0);
	__asm__ volatile("movdqu %0, %%xmm7; int3; movdqu %%xmm7, %0; mov %0, %%rax" ::"m"(mark)
			 : "xmm7", "rax");
}

static void fpu_registers(void)
{
	pid_t pid = start(stops_with_xmm);
	struct user_fpregs_struct fpu;

	want_stop(pid, SIGTRAP);
	WANT_IS(trace(PTRACE_GETFPREGS, pid, 0, (unsigned long)&fpu), 0);
	WANT(memcmp((char *)fpu.xmm_space + 7 * 16, "0123456789abcdef", 16) == 0);
	WANT_IS(trace(PTRACE_SETFPREGS, pid, 0, (unsigned long)&fpu), 0);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_IS(next(pid), SIGKILL);
}

extern const char step_begin[], step_end[];

static void steps_through(void)
{
	traced();
	__asm__ volatile(
		".globl step_begin, step_end\nstep_begin: nop; nop; xor %%eax, %%eax; nop\n"
		"step_end: nop" ::
			: "rax");
	_exit(6);
}

static void single_step(void)
{
	pid_t pid = start_traced(steps_through, 0);
	siginfo_t info;
	int inside = 0;

	for (int i = 0; i < 5000 && registers(pid).rip != (unsigned long)step_end; i++) {
		unsigned long rip = registers(pid).rip;

		inside += rip >= (unsigned long)step_begin && rip < (unsigned long)step_end;
		go(pid, PTRACE_SINGLESTEP, 0);
		want_stop(pid, SIGTRAP);
	}
	WANT_IS(inside, 4);
	WANT_IS(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info), 0);
	WANT_IS(info.si_code, TRAP_TRACE);
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), EXITED(6));
}

/* ---- Events ---- */

static long message(pid_t pid)
{
	long value = -1;

	WANT_IS(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&value), 0);
	return value;
}

/* At an event in the middle of a call. */
static void want_in_call(pid_t pid, long number)
{
	struct user_regs_struct regs = registers(pid);

	WANT_IS(regs.orig_rax, number);
	WANT_IS(regs.rax, -ENOSYS);
}

static void forks(void)
{
	pid_t pid;

	traced();
	pid = (pid_t)kernel_call(SYS_fork);
	if (pid == 0)
		_exit(8);
	WANT_ENDS(pid, EXITED(8));
}

static void fork_event(void)
{
	pid_t pid = start_traced(forks, PTRACE_O_TRACEFORK), child;

	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGTRAP | PTRACE_EVENT_FORK << 8);
	want_in_call(pid, SYS_fork);
	child = (pid_t)message(pid);
	want_stop(child, SIGSTOP);
	go(pid, PTRACE_CONT, 0);
	go(child, PTRACE_CONT, 0);
	WANT_IS(next(child), EXITED(8));
	want_stop(pid, SIGCHLD);
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), 0);
}

static void vforks(void)
{
	pid_t pid;

	traced();
	pid = vfork();
	if (pid == 0)
		_exit(8);
	_exit(0);
}

static void vfork_event(void)
{
	pid_t pid = start_traced(vforks, PTRACE_O_TRACEVFORK | PTRACE_O_TRACEVFORKDONE), child;
	int status;

	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGTRAP | PTRACE_EVENT_VFORK << 8);
	child = (pid_t)message(pid);
	want_stop(child, SIGSTOP);
	go(pid, PTRACE_CONT, 0);
	go(child, PTRACE_CONT, 0);
	WANT_IS(next(child), EXITED(8));
	status = next(pid);
	if (status >> 8 == SIGCHLD) {
		go(pid, PTRACE_CONT, 0);
		status = next(pid);
	}
	WANT_IS(status >> 8, SIGTRAP | PTRACE_EVENT_VFORK_DONE << 8);
	WANT_IS(message(pid), child);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_IS(next(pid), SIGKILL);
}

static int exit_9(void *unused)
{
	return 9;
}

static unsigned char stack[16384] __attribute__((aligned(16)));

static void clones(void)
{
	pid_t pid;

	traced();
	pid = clone(exit_9, stack + sizeof stack, CLONE_VM, NULL);
	WANT_IS(waitpid(pid, NULL, __WALL), pid);
}

static void clone_event(void)
{
	pid_t pid = start_traced(clones, PTRACE_O_TRACECLONE), child;

	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGTRAP | PTRACE_EVENT_CLONE << 8);
	want_in_call(pid, SYS_clone);
	child = (pid_t)message(pid);
	want_stop(child, SIGSTOP);
	go(child, PTRACE_CONT, 0);
	WANT_IS(next(child), EXITED(9));
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), 0);
}

static int nothing(int argc, char **argv)
{
	return 4;
}

static void executes(void)
{
	char *argv[] = {(char *)check.self, "--role", "nothing", NULL};

	traced();
	execve(check.self, argv, environ);
}

static void exec_event(void)
{
	pid_t pid = start_traced(executes, PTRACE_O_TRACEEXEC);

	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGTRAP | PTRACE_EVENT_EXEC << 8);
	want_in_call(pid, SYS_execve);
	WANT_IS(message(pid), pid);
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), EXITED(4));
}

static void exec_trap(void)
{
	pid_t pid = start_traced(executes, 0);
	struct user_regs_struct regs;

	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGTRAP); /* without the option: as if by a signal */
	regs = registers(pid);
	WANT_IS(regs.orig_rax, SYS_execve);
	WANT_IS(regs.rax, 0);
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), EXITED(4));
}

static void exit_event(void)
{
	pid_t pid = start_traced(traced_and_ends, PTRACE_O_TRACEEXIT);

	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGTRAP | PTRACE_EVENT_EXIT << 8);
	want_in_call(pid, SYS_exit_group);
	WANT_IS(message(pid), EXITED(5));
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), EXITED(5));
}

static void bad_options(void)
{
	pid_t pid = start_traced(traced_and_ends, 0);

	WANT_IS(trace(PTRACE_SETOPTIONS, pid, 0, 1ul << 30), -EINVAL);
	WANT_IS(trace(0x7777, pid, 0, 0), -EIO);
	WANT_IS(trace(PTRACE_CONT, pid, 0, 65), -EIO);
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), EXITED(5));
}

/* ---- Seizing ---- */

static void seize(void)
{
	pid_t pid = start(just_wait);

	WANT_IS(trace(PTRACE_SEIZE, pid, 0, 0), 0);
	WANT_IS(waitpid(pid, NULL, WNOHANG), 0); /* it is not stopped */
	WANT_IS(trace(PTRACE_INTERRUPT, pid, 0, 0), 0);
	want_stop(pid, SIGTRAP | PTRACE_EVENT_STOP << 8);
	go(pid, PTRACE_CONT, 0);
	WANT_IS(kill(pid, SIGSTOP), 0);
	want_stop(pid, SIGSTOP); /* the signal, then the group stop */
	go(pid, PTRACE_CONT, SIGSTOP);
	want_stop(pid, SIGSTOP | PTRACE_EVENT_STOP << 8);
	WANT_IS(trace(PTRACE_LISTEN, pid, 0, 0), 0);
	WANT_IS(kill(pid, SIGCONT), 0);
	want_stop(pid, SIGTRAP | PTRACE_EVENT_STOP << 8);
	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGCONT);
	go(pid, PTRACE_DETACH, 0);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_IS(next(pid), SIGKILL);
}

static void interrupt_errors(void)
{
	pid_t pid = start_traced(traced_and_ends, 0);

	WANT_IS(trace(PTRACE_INTERRUPT, pid, 0, 0), -EIO); /* not seized */
	WANT_IS(trace(PTRACE_LISTEN, pid, 0, 0), -EIO);
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), EXITED(5));
}

static const struct test_case cases[] = {
	CASE(signal_stops, "a traced one stops for each signal, which is kept, dropped or changed"),
	CASE(signal_info, "GETSIGINFO; KILL"),
	CASE(attach, "ATTACH stops, DETACH lets go"),
	CASE(attach_errors, "ATTACH, SEIZE, CONT: EPERM, ESRCH, EIO"),
	CASE(attach_ended, "ATTACH, SEIZE of a zombie, and of a leader that ended first: EPERM"),
	CASE(traceme, "TRACEME twice: EPERM"),
	CASE(tracer_ends, "the tracer's end lets the traced go"),
	CASE(tracer_ends_exitkill, "the tracer's end kills the traced with EXITKILL"),
	CASE(peek_and_poke, "PEEK and POKE; EIO, EFAULT"),
	CASE(change_call, "SYSCALL: stops at entry and exit, the result is changed"),
	CASE(skip_call, "SYSCALL: a call that is taken away: ENOSYS"),
	CASE(register_calls, "GETREGS, SETREGS, GETREGSET, PEEKUSER, POKEUSER; EIO, EINVAL"),
	CASE(forged_flags, "SETREGS: IOPL and IF are not the tracer's to change"),
	CASE(fpu_registers, "GETFPREGS, SETFPREGS"),
	CASE(single_step, "SINGLESTEP: one instruction each, TRAP_TRACE"),
	CASE(fork_event, "TRACEFORK: event, message, the child is traced too"),
	CASE(vfork_event, "TRACEVFORK, TRACEVFORKDONE"),
	CASE(clone_event, "TRACECLONE: event, message, the child is traced too"),
	CASE(exec_event, "TRACEEXEC: event, message"),
	CASE(exec_trap, "execve without TRACEEXEC: SIGTRAP"),
	CASE(exit_event, "TRACEEXIT: event, the status as message"),
	CASE(bad_options, "SETOPTIONS, unknown requests, bad signals: EINVAL, EIO"),
	CASE(seize, "SEIZE, INTERRUPT, group stops, LISTEN"),
	CASE(interrupt_errors, "INTERRUPT of one that is not seized: EIO"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"nothing", nothing}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
