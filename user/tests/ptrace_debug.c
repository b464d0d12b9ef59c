/* SPDX-License-Identifier: MIT */
/*
 * Debug registers by PTRACE_PEEKUSER and PTRACE_POKEUSER: which values are taken, what the traps look
 * like, and whose they are: the thread's alone, not its child's, not its next program's.
 */
#include <stddef.h>

#include "ptrace.h"

#define DEBUG_REGISTER(n) (offsetof(struct user, u_debugreg) + 8 * (size_t)(n))
#define STATUS_NONE       0xffff0ff0l
#define STEPPED           0x4000

enum { EXECUTE, WRITE, IO, ACCESS };
enum { BYTE, TWO, EIGHT, FOUR };
#define FIELDS(slot, type, length) ((unsigned long)((type) | (length) << 2) << (16 + 4 * (slot)))
#define ON(slot, type, length)     (1ul << 2 * (slot) | FIELDS(slot, type, length))

static volatile long word, other __attribute__((aligned(8)));
static volatile char bytes[64] __attribute__((aligned(64)));

static long peek(pid_t pid, int number)
{
	long value = -1;

	WANT_IS(trace(PTRACE_PEEKUSER, pid, DEBUG_REGISTER(number), (unsigned long)&value), 0);
	return value;
}

static long poke(pid_t pid, int number, unsigned long value)
{
	return trace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(number), value);
}

static void set(pid_t pid, int number, const volatile void *address)
{
	WANT_IS(poke(pid, number, (unsigned long)address), 0);
}

/* It goes on and runs into the breakpoints of `hits`. */
static void want_hit(pid_t pid, long hits)
{
	siginfo_t info = {0};

	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGTRAP);
	WANT_IS(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info), 0);
	WANT_IS(info.si_code, TRAP_HWBKPT);
	WANT_IS((long)info.si_addr, (long)registers(pid).rip);
	WANT_IS(peek(pid, 6), STATUS_NONE ^ hits);
}

static void want_end(pid_t pid, int status)
{
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), status);
}

static pid_t start_traced(void (*act)(void))
{
	pid_t pid = start(act);

	want_stop(pid, SIGSTOP);
	return pid;
}

/* ---- Values ---- */

static void fresh(void)
{
	pid_t pid = start_traced(traced);

	for (int i = 0; i < 8; i++)
		WANT_IS(peek(pid, i), i == 6 ? STATUS_NONE : 0);
	WANT_IS(trace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(-1), 0), -EIO);
	WANT_IS(trace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(0) + 4, 0), -EIO);
	WANT_IS(trace(PTRACE_POKEUSER, pid, DEBUG_REGISTER(8), 0), -EIO);
	WANT_IS(poke(pid, 4, 0), -EIO);
	WANT_IS(poke(pid, 5, 1), -EIO);
}

static void addresses(void)
{
	pid_t pid = start_traced(traced);

	for (int i = 0; i < 4; i++) {
		WANT_IS(poke(pid, i, KERNEL_SPACE), -EINVAL);
		WANT_IS(poke(pid, i, 0xfffffffffffffff8ul), -EINVAL);
		WANT_IS(poke(pid, i, 1ul << 63), -EINVAL);
		WANT_IS(peek(pid, i), 0);
		WANT_IS(poke(pid, i, 0x7fffffffeff8ul), 0);
		WANT_IS(peek(pid, i), 0x7fffffffeff8ul);
		set(pid, i, bytes + 1);
		WANT_IS(poke(pid, i, KERNEL_SPACE), -EINVAL);
		WANT_IS(peek(pid, i), bytes + 1);
	}
}

static void lengths(void)
{
	pid_t pid = start_traced(traced);

	set(pid, 0, bytes + 1);
	WANT_IS(poke(pid, 7, ON(0, WRITE, TWO)), -EINVAL);
	set(pid, 0, bytes + 2);
	WANT_IS(poke(pid, 7, ON(0, WRITE, TWO)), 0);
	WANT_IS(poke(pid, 7, ON(0, WRITE, FOUR)), -EINVAL);
	set(pid, 0, bytes + 4);
	WANT_IS(poke(pid, 7, ON(0, ACCESS, FOUR)), 0);
	WANT_IS(poke(pid, 7, ON(0, ACCESS, EIGHT)), -EINVAL);
	set(pid, 0, bytes + 8);
	WANT_IS(poke(pid, 7, ON(0, ACCESS, EIGHT)), 0);
	WANT_IS(poke(pid, 0, (unsigned long)(bytes + 4)), -EINVAL);
	WANT_IS(peek(pid, 0), bytes + 8);
	set(pid, 0, bytes + 16);
}

static void types(void)
{
	pid_t pid = start_traced(traced);

	WANT_IS(poke(pid, 7, ON(1, IO, BYTE)), -EINVAL);
	WANT_IS(poke(pid, 7, ON(1, EXECUTE, TWO)), -EINVAL);
	WANT_IS(poke(pid, 7, FIELDS(1, IO, BYTE)), 0); /* off, and never set */
	WANT_IS(peek(pid, 7), FIELDS(1, IO, BYTE));
	set(pid, 1, bytes);
	WANT_IS(poke(pid, 7, FIELDS(1, IO, BYTE)), -EINVAL); /* off, but set */
	WANT_IS(poke(pid, 7, FIELDS(1, EXECUTE, FOUR)), -EINVAL);
	WANT_IS(poke(pid, 7, ON(1, EXECUTE, BYTE)), 0);
}

static void control(void)
{
	pid_t pid = start_traced(traced);
	unsigned long all = 0x123456780000ffff;

	for (int i = 0; i < 4; i++)
		set(pid, i, bytes + 8);
	WANT_IS(poke(pid, 7, all), 0);
	WANT_IS(peek(pid, 7), all);
	WANT_IS(poke(pid, 7, ON(0, WRITE, EIGHT) | ON(3, IO, BYTE)), -EINVAL);
	WANT_IS(peek(pid, 7), all);
	WANT_IS(poke(pid, 6, 0x1ff), 0); /* anything is taken */
	WANT_IS(peek(pid, 6), 0x1ff);
	WANT_IS(poke(pid, 7, 0), 0);
	want_end(pid, 0);
}

#define ARCH_CONTROL 30
enum { SET_GS = 0x1001, SET_FS, GET_FS, GET_GS };

static void bases(void)
{
	pid_t pid = start_traced(traced);
	unsigned long found = 1;

	WANT_IS(trace(ARCH_CONTROL, pid, (unsigned long)&found, GET_FS), 0);
	WANT_IS(found, registers(pid).fs_base);
	WANT_IS(trace(ARCH_CONTROL, pid, 0x123456000, SET_GS), 0);
	WANT_IS(registers(pid).gs_base, 0x123456000);
	WANT_IS(trace(ARCH_CONTROL, pid, (unsigned long)&found, GET_GS), 0);
	WANT_IS(found, 0x123456000);
	WANT_IS(trace(ARCH_CONTROL, pid, KERNEL_SPACE, SET_FS), -EPERM);
	WANT_IS(trace(ARCH_CONTROL, pid, KERNEL_SPACE, GET_FS), -EFAULT);
	WANT_IS(trace(ARCH_CONTROL, pid, 0, 0x99), -EINVAL);
	want_end(pid, 0);
}

/* ---- Traps ---- */

static void touches(void)
{
	traced();
	word = 1;
	(void)word;
	bytes[9] = 1; /* inside the eight at 8 */
	bytes[16] = 1;
	(void)other;
	other = 1;
	word = 2;
}

static void data(void)
{
	pid_t pid = start_traced(touches);

	set(pid, 0, &word);
	set(pid, 1, bytes + 8);
	set(pid, 3, &other);
	WANT_IS(poke(pid, 7, ON(0, WRITE, EIGHT) | ON(1, WRITE, EIGHT) | ON(3, ACCESS, BYTE)), 0);
	want_hit(pid, 1);
	WANT_IS(trace(PTRACE_PEEKDATA, pid, (unsigned long)&word, (unsigned long)&other), 0);
	WANT_IS(other, 1); /* after the write */
	WANT_IS(poke(pid, 6, STATUS_NONE), 0);
	want_hit(pid, 2);
	want_hit(pid, 8);
	want_hit(pid, 8);
	WANT_IS(poke(pid, 7, 0), 0);
	want_end(pid, 0);
}

/* Emulators may tell one of them alone. */
static void two_at_once(void)
{
	pid_t pid = start_traced(touches);
	long status;

	set(pid, 0, &word);
	set(pid, 2, &word);
	WANT_IS(poke(pid, 7, ON(0, WRITE, EIGHT) | ON(2, ACCESS, FOUR)), 0);
	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGTRAP);
	status = peek(pid, 6) ^ STATUS_NONE;
	WANT(status && !(status & ~5l));
	want_hit(pid, 4);
	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGTRAP);
	want_end(pid, 0);
}

static __attribute__((noinline, noclone)) void called(void)
{
	__asm__ volatile("nop; nop");
}

static void calls(void)
{
	traced();
	called();
	called();
}

static void instruction(void)
{
	pid_t pid = start_traced(calls);
	siginfo_t info = {0};

	set(pid, 2, (void *)called);
	WANT_IS(poke(pid, 7, ON(2, EXECUTE, BYTE)), 0);
	want_hit(pid, 4);
	WANT_IS(registers(pid).rip, (long)called);
	WANT(registers(pid).eflags & 1ul << 16); /* RF: it does not hit again at once */
	WANT_IS(trace(PTRACE_SINGLESTEP, pid, 0, 0), 0);
	want_stop(pid, SIGTRAP);
	WANT_IS(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info), 0);
	WANT_IS(info.si_code, TRAP_TRACE);
	WANT_IS(registers(pid).rip, (long)called + 1);
	WANT_IS(peek(pid, 6), STATUS_NONE ^ STEPPED);
	want_hit(pid, 4);
	want_end(pid, 0);
}

/* The step that writes is told as both. */
static void step_and_watch(void)
{
	pid_t pid = start_traced(touches);
	siginfo_t info = {0};
	long status = 0;

	set(pid, 0, &word);
	WANT_IS(poke(pid, 7, ON(0, WRITE, EIGHT)), 0);
	for (int i = 0; i < 2000 && !(status & 1); i++) {
		WANT_IS(trace(PTRACE_SINGLESTEP, pid, 0, 0), 0);
		want_stop(pid, SIGTRAP);
		status = peek(pid, 6);
		WANT_IS(poke(pid, 6, STATUS_NONE), 0);
	}
	WANT_IS(status, STATUS_NONE ^ (STEPPED | 1));
	WANT_IS(trace(PTRACE_GETSIGINFO, pid, 0, (unsigned long)&info), 0);
	WANT_IS(info.si_code, TRAP_TRACE);
	want_hit(pid, 1);
	want_end(pid, 0);
}

/* A program whose first single step of its own is into a watchpoint: emulators lose their way there, and
 * may end it. */
static void steps_itself(void)
{
	traced();
	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq\n\t"
			 "movq $7, %0\n\t"
			 "nop\n\t"
			 "pushfq; andq $~0x100, (%%rsp); popfq"
			 : "=m"(word)
			 :
			 : "memory");
}

static void own_steps(void)
{
	pid_t pid = start_traced(steps_itself);
	int status;

	set(pid, 0, &word);
	WANT_IS(poke(pid, 7, ON(0, WRITE, EIGHT)), 0);
	do {
		go(pid, PTRACE_CONT, 0);
		status = next(pid);
	} while (status == (SIGTRAP << 8 | 0x7f));
	WANT(status == 0 || status == (SIGSEGV << 8 | 0x7f));
}

static void kernel_copies(void)
{
	struct gate gate = make_gate();

	traced();
	/* One byte at a time and many: the kernel writes all of them, and reads what it sends. */
	WANT_IS(write(gate.out, (void *)bytes, 64), 64);
	WANT_IS(read(gate.in, (void *)bytes, 1), 1);
	WANT_IS(read(gate.in, (void *)(bytes + 1), 63), 63);
	WANT_IS(kernel_call(SYS_clock_gettime, 1, bytes), 0);
	bytes[8] = 7;
}

static void kernel_access(void)
{
	pid_t pid = start_traced(kernel_copies);

	set(pid, 0, bytes);
	set(pid, 1, bytes + 8);
	WANT_IS(poke(pid, 7, ON(0, ACCESS, EIGHT) | ON(1, WRITE, EIGHT)), 0);
	want_hit(pid, 2); /* only the program's own */
	want_end(pid, 0);
}

/* MOV SS holds the watchpoint of its operand back over the next instruction, which is SYSCALL. Whether
 * it is told is the machine's affair; the kernel goes on. */
static void delays(void)
{
	long result = SYS_getppid;

	word = 0x2b;
	traced();
	for (int i = 0; i < 100; i++) {
		result = SYS_getppid;
		__asm__ volatile("movw (%1), %%ss; syscall"
				 : "+a"(result)
				 : "r"(&word)
				 : "rcx", "r11", "memory");
		WANT(result == getppid());
	}
	__asm__ volatile("movw (%0), %%ss; int3" : : "r"(&word) : "memory");
}

static void delayed(void)
{
	pid_t pid = start_traced(delays);
	int status, traps = 0;

	set(pid, 0, &word);
	WANT_IS(poke(pid, 7, ON(0, ACCESS, TWO)), 0);
	do {
		go(pid, PTRACE_CONT, 0);
		status = next(pid);
		traps++;
	} while (status == (SIGTRAP << 8 | 0x7f));
	WANT_IS(status, 0);
	WANT(traps <= 1 + 100 + 1 + 1);
}

/* ---- Whose they are ---- */

static void forks(void)
{
	pid_t pid;

	traced();
	pid = fork();
	if (pid == 0) {
		for (int i = 0; i < 1000; i++)
			word = i;
		_exit(3);
	}
	WANT_ENDS(pid, EXITED(3));
	word = 5;
}

static void not_inherited(void)
{
	pid_t pid = start_traced(forks), child;
	unsigned long message = 0;

	WANT_IS(trace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEFORK), 0);
	set(pid, 0, &word);
	WANT_IS(poke(pid, 7, ON(0, WRITE, EIGHT)), 0);
	go(pid, PTRACE_CONT, 0);
	WANT_IS(next(pid), (SIGTRAP | PTRACE_EVENT_FORK << 8) << 8 | 0x7f);
	WANT_IS(trace(PTRACE_GETEVENTMSG, pid, 0, (unsigned long)&message), 0);
	child = (pid_t)message;
	want_stop(child, SIGSTOP);
	WANT_IS(peek(child, 0), 0);
	want_end(child, EXITED(3));
	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGCHLD);
	want_hit(pid, 1);
	want_end(pid, 0);
}

static void executes(void)
{
	char path[200], *argv[] = {path, (char *)"--role", (char *)"nothing", NULL};

	traced();
	snprintf(path, sizeof path, "%s", check.self);
	execv(path, argv);
	_exit(9);
}

static void gone_with_exec(void)
{
	pid_t pid = start_traced(executes);

	set(pid, 0, &word);
	set(pid, 1, (void *)called);
	WANT_IS(poke(pid, 7, ON(0, ACCESS, EIGHT) | ON(1, EXECUTE, BYTE)), 0);
	go(pid, PTRACE_CONT, 0);
	want_stop(pid, SIGTRAP);
	for (int i = 0; i < 8; i++)
		WANT_IS(peek(pid, i), i == 6 ? STATUS_NONE : 0);
	want_end(pid, EXITED(6));
}

/* In the new program: at the same addresses, if it was not moved. */
static int nothing(int argc, char **argv)
{
	(void)argc, (void)argv;
	word++;
	called();
	return 6;
}

static int *shared;

static int thread_body(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&shared[0], __ATOMIC_ACQUIRE)) {
		word++;
		called();
		kernel_call(SYS_sched_yield);
	}
	__atomic_store_n(&shared[1], 1, __ATOMIC_RELEASE);
	return 0;
}

/* Another thread with the same memory on the same CPU, in turns. */
static void with_thread(void)
{
	static char stack[16384] __attribute__((aligned(16)));
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	WANT_IS(sched_setaffinity(0, sizeof cpus, &cpus), 0);
	WANT(clone(thread_body, stack + sizeof stack,
		     CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
			     CLONE_SYSVSEM,
		     NULL) > 0);
	traced();
	for (int i = 0; i < 50; i++) {
		kernel_call(SYS_sched_yield);
		called();
		kernel_call(SYS_sched_yield);
	}
	__atomic_store_n(&shared[0], 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&shared[1], __ATOMIC_ACQUIRE))
		kernel_call(SYS_sched_yield);
	word = 1;
}

static void one_thread(void)
{
	pid_t pid;

	shared = shared_memory(4096);
	pid = start_traced(with_thread);
	set(pid, 0, &word);
	set(pid, 1, (void *)called);
	WANT_IS(poke(pid, 7, ON(0, ACCESS, EIGHT) | ON(1, EXECUTE, BYTE)), 0);
	for (int i = 0; i < 50; i++)
		want_hit(pid, 2);
	want_hit(pid, 1);
	want_end(pid, 0);
}

/* Two processes with breakpoints of their own, on whichever CPUs. */
static void migrates(void)
{
	int count = (int)sysconf(_SC_NPROCESSORS_ONLN);
	cpu_set_t cpus;

	traced();
	for (int i = 0; i < 20; i++) {
		CPU_ZERO(&cpus);
		CPU_SET(i % count, &cpus);
		sched_setaffinity(0, sizeof cpus, &cpus);
		word = i;
		other = i;
	}
}

static void own_cpu_own_registers(void)
{
	pid_t a = start_traced(migrates), b = start_traced(migrates);

	set(a, 0, &word);
	set(b, 0, &other);
	WANT_IS(poke(a, 7, ON(0, WRITE, EIGHT)), 0);
	WANT_IS(poke(b, 7, ON(0, WRITE, EIGHT)), 0);
	for (int i = 0; i < 20; i++) {
		long seen = -1;

		want_hit(a, 1);
		want_hit(b, 1);
		WANT_IS(trace(PTRACE_PEEKDATA, a, (unsigned long)&word, (unsigned long)&seen), 0);
		WANT_IS(seen, i);
		WANT_IS(trace(PTRACE_PEEKDATA, b, (unsigned long)&other, (unsigned long)&seen), 0);
		WANT_IS(seen, i);
	}
	want_end(a, 0);
	want_end(b, 0);
}

static void left_behind(void)
{
	pid_t pid = start_traced(touches);

	set(pid, 0, &word);
	WANT_IS(poke(pid, 7, ON(0, WRITE, EIGHT)), 0);
	WANT_IS(trace(PTRACE_DETACH, pid, 0, 0), 0);
	WANT_ENDS(pid, KILLED(SIGTRAP));
}

/* Behind them are two words that are 0 here; and all flags but the system's can be set. */
static void around_them(void)
{
	const unsigned long all = 0x54dd5, /* CF PF AF ZF SF TF DF OF NT RF AC */ system = 0x202;
	struct user_regs_struct regs;
	pid_t pid = start_traced(traced);

	WANT_IS(peek(pid, 8), 0);
	WANT_IS(peek(pid, 9), 0);
	WANT_IS(poke(pid, 8, 0), -EIO);
	WANT_IS(poke(pid, 10, 0), -EIO);
	regs = registers(pid);
	regs.eflags = ~0ul;
	WANT_IS(trace(PTRACE_SETREGS, pid, 0, (unsigned long)&regs), 0);
	WANT_IS(registers(pid).eflags, all | system);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, KILLED(SIGKILL));
}

static const struct test_case cases[] = {
	CASE(fresh, "debug registers are empty at first; DR4, DR5 and what lies beside: EIO"),
	CASE(addresses, "DR0 to DR3 take addresses of user space, others are EINVAL"),
	CASE(lengths, "lengths and alignment fit together or are EINVAL"),
	CASE(types, "execute and data, no I/O: EINVAL"),
	CASE(control, "DR7 is taken whole or not; it and DR6 are read as written"),
	CASE(bases, "PTRACE_ARCH_PRCTL: the bases of FS and GS"),
	CASE(data, "watchpoints trap after the access, as TRAP_HWBKPT with DR6"),
	CASE(two_at_once, "two watchpoints at once"),
	CASE(instruction, "a breakpoint traps before its instruction, which then runs once"),
	CASE(step_and_watch, "a single step into a watchpoint is both"),
	CASE(own_steps, "a program's own single steps into one do no harm"),
	CASE(kernel_access, "the kernel's copies do not trap"),
	CASE(delayed, "a watchpoint delayed by MOV SS into the kernel does no harm"),
	CASE(not_inherited, "a child has none"),
	CASE(gone_with_exec, "a new program has none"),
	CASE(one_thread, "another thread of the process has none"),
	CASE(own_cpu_own_registers, "two processes have their own, on every CPU"),
	CASE(left_behind, "they stay after PTRACE_DETACH"),
	CASE(around_them, "PEEKUSER to the end of struct user; SETREGS of all flags"),
};

static const struct role roles[] = {{"nothing", nothing}};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, roles, COUNT(roles), all);
}
