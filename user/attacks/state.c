/* SPDX-License-Identifier: MIT */
/* Flags and traps that are left set when the kernel is entered. See attack.h. */
#include "attacks/attack.h"

#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <ucontext.h>

#define DF 0x400ul
#define AC 0x40000ul
#define NT 0x4000ul
#define TF 0x100ul

/* A call with these flags set; *after are the flags behind it. */
static long call_with(
	unsigned long flags, unsigned long *after, long number, long a, long b, long c)
{
	long result = number;

	__asm__ volatile(
		"pushfq; orq %5, (%%rsp); popfq; syscall; pushfq; popq %1; pushfq; andq $~0x44400, "
		"(%%rsp); popfq; cld"
		: "+&a"(result), "=&r"(*after)
		: "D"(a), "S"(b), "d"(c), "r"(flags)
		: "rcx", "r11", "memory", "cc");
	return result;
}

/* ---- Calls ---- */

/* The kernel's string instructions go upwards, whatever the process left. */
static void direction_at_call(long unused)
{
	unsigned char *buffer = pages(3, PROT_READ | PROT_WRITE);
	struct utsname_bytes {
		char text[390];
	} *name = (void *)(buffer + PAGE);
	unsigned long after;
	int fds[2];

	(void)unused;
	memset(buffer, 'x', 3 * PAGE);
	WANT_IS(call_with(DF, &after, SYS_uname, (long)name, 0, 0), 0);
	WANT_IS(after & DF, DF);
	WANT(buffer[PAGE - 1] == 'x' && buffer[PAGE + 390] == 'x' && name->text[0] != 'x');
	WANT_IS(pipe(fds), 0);
	WANT_IS(write(fds[1], "0123456789", 10), 10);
	WANT_IS(call_with(DF, &after, SYS_read, fds[0], (long)buffer + PAGE, 10), 10);
	WANT(memcmp(buffer + PAGE, "0123456789", 10) == 0 && buffer[PAGE - 1] == 'x');
}

/* The fault fills a page with zeros, or copies one. */
static void direction_at_fault(long unused)
{
	volatile unsigned char *p = pages(64, PROT_READ | PROT_WRITE);
	unsigned char old;

	(void)unused;
	for (size_t i = 0; i < 64; i++) {
		__asm__ volatile("std; movb (%1), %0; movb $1, (%1); cld"
				 : "=&q"(old)
				 : "r"(p + i * PAGE + 100)
				 : "memory");
		WANT_IS(old, 0);
	}
	for (size_t i = 0; i < 64 * PAGE; i++)
		WANT(p[i] == (i % PAGE == 100));
}

static volatile unsigned long handler_flags;

static void notes_flags(int number, siginfo_t *info, void *context)
{
	unsigned long flags;

	(void)number, (void)info, (void)context;
	__asm__ volatile("pushfq; popq %0; cld" : "=r"(flags));
	handler_flags = flags;
}

/* A handler begins with DF clear, as the ABI wants. */
static void direction_at_signal(long unused)
{
	struct sigaction action = {.sa_sigaction = notes_flags, .sa_flags = SA_SIGINFO};
	unsigned long after;

	(void)unused;
	WANT_IS(sigaction(SIGUSR1, &action, NULL), 0);
	handler_flags = DF;
	WANT_IS(call_with(DF, &after, SYS_kill, getpid(), SIGUSR1, 0), 0);
	WANT_IS(handler_flags & (DF | TF), 0);
	WANT_IS(after & DF, DF);
}

/* AC opens SMAP's door: the kernel shuts it before it does anything, and lets no misalignment hurt. */
static void alignment_at_call(long unused)
{
	unsigned char *buffer = pages(1, PROT_READ | PROT_WRITE);
	unsigned long after;
	int fds[2];

	(void)unused;
	WANT_IS(pipe(fds), 0);
	WANT_IS(call_with(AC, &after, SYS_write, fds[1], (long)buffer + 1, 99), 99);
	WANT_IS(after & AC, AC);
	WANT_IS(call_with(AC, &after, SYS_read, fds[0], (long)buffer + 3, 99), 99);
	WANT_IS(call_with(AC, &after, SYS_uname, (long)buffer + 5, 0, 0), 0);
	WANT_IS(call_with(AC, &after, SYS_uname, (long)KERNEL_DIRECT, 0, 0), -EFAULT);
	WANT_IS(after & AC, AC);
}

static void nested_at_call(long unused)
{
	unsigned long after;

	(void)unused;
	for (int i = 0; i < 1000; i++) {
		WANT_IS(call_with(NT, &after, SYS_getppid, 0, 0, 0), getppid());
		WANT_IS(after & NT, NT);
	}
	WANT_IS(call_with(NT, &after, SYS_sched_yield, 0, 0, 0), 0);
	for (volatile unsigned char *p = pages(64, PROT_READ | PROT_WRITE), *end = p + 64 * PAGE;
		p < end; p += PAGE) {
		__asm__ volatile("pushfq; orq $0x4000, (%%rsp); popfq; movb $1, (%0); pushfq; andq "
				 "$~0x4000, (%%rsp); "
				 "popfq"
				 :
				 : "r"(p)
				 : "memory", "cc");
	}
}

/* ---- Traps ---- */

static volatile unsigned steps, stops_after;
static volatile bool outside, early;
extern const char behind_stepped_call[];

static void steps_on(int number, siginfo_t *info, void *context)
{
	greg_t *registers = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)number, (void)info;
	steps++;
	early = early || (uintptr_t)registers[REG_RIP] == (uintptr_t)behind_stepped_call;
	outside = outside || (uintptr_t)registers[REG_RIP] >= FIRST_BAD;
	if (steps >= stops_after)
		registers[REG_EFL] &= ~(long long)TF;
}

static void begin_steps(unsigned most)
{
	struct sigaction action = {.sa_sigaction = steps_on, .sa_flags = SA_SIGINFO};

	stops_after = most;
	WANT_IS(sigaction(SIGTRAP, &action, NULL), 0);
}

static __attribute__((noinline)) long stepped_call(long number)
{
	long result;

	__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; syscall\n"
			 "behind_stepped_call: nop; pushfq; andq $~0x100, (%%rsp); popfq"
			 : "=a"(result)
			 : "a"(number)
			 : "rcx", "r11", "memory", "cc");
	return result;
}

/* TF is masked at the call, and set again behind it: no step is the kernel's, and the next one is behind the
 * instruction that follows. Five: NOP, NOP, PUSHF, AND, POPF. */
static void step_over_call(long unused)
{
	static const long made[] = {SYS_getppid, SYS_sched_yield, 511, 1000};

	(void)unused;
	begin_steps(1000);
	for (unsigned i = 0; i < 20; i++) {
		long result = stepped_call(made[i % COUNT(made)]);

		WANT_IS(result, i % 4 == 0 ? getppid() : i % 4 == 1 ? 0 : -ENOSYS);
		WANT_IS(steps, 5 * (i + 1));
	}
	WANT(!outside && !early);
}

static void step_over_fault(long unused)
{
	volatile char *p = pages(16, PROT_READ | PROT_WRITE);

	(void)unused;
	begin_steps(1000);
	for (int i = 0; i < 16; i++)
		__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; movb $1, (%0); nop; pushfq; "
				 "andq $~0x100, (%%rsp); "
				 "popfq"
				 :
				 : "r"(p + i * (long)PAGE)
				 : "memory", "cc");
	WANT(!outside && steps >= 16 * 3);
}

/* After MOV SS the trap waits for one more instruction, which may be an entry to the kernel. */
static void step_over_stack_segment(long how)
{
	uint16_t ss;
	long result = SYS_getppid;

	begin_steps(50);
	__asm__ volatile("movw %%ss, %0" : "=r"(ss));
	if (how == 0)
		__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; movw %w1, %%ss; syscall"
				 : "+a"(result)
				 : "r"(ss)
				 : "rcx", "r11", "memory", "cc");
	else if (how == 1)
		__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; movw %w0, %%ss; int3"
				 :
				 : "r"(ss)
				 : "memory", "cc");
	else
		__asm__ volatile("pushfq; orq $0x100, (%%rsp); popfq; movw %w0, %%ss; .byte 0xcd, 4"
				 :
				 : "r"(ss)
				 : "memory", "cc");
	for (volatile int i = 0; i < 100; i++) /* until the last step is made */
		;
	if (how == 0)
		WANT_IS(result, getppid());
	WANT(!outside && steps > 0);
}

/* ---- With a watchpoint on what MOV SS reads (CVE-2018-8897) ---- */

static uint16_t watched __attribute__((aligned(8)));

static void reads_watched(long how)
{
	long result = SYS_getppid;

	WANT_IS(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
	__asm__ volatile("movw %%ss, %0" : "=m"(watched));
	raise(SIGSTOP);
	if (how == 0)
		__asm__ volatile("movw %1, %%ss; syscall"
				 : "+a"(result)
				 : "m"(watched)
				 : "rcx", "r11", "memory");
	else
		__asm__ volatile("movw %0, %%ss; int3" : : "m"(watched) : "memory");
	kernel_call(SYS_exit_group, how == 0 && result != getppid());
}

static void watchpoint(long how)
{
	pid_t pid = begin(reads_watched, how);
	int status, traps = 0;

	WANT_IS(waitpid(pid, &status, 0), pid);
	WANT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
	WANT_IS(ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user, u_debugreg[0]),
			&watched),
		0);
	WANT_IS(ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user, u_debugreg[7]),
			(void *)0x70001ul),
		0);
	for (;;) {
		WANT_IS(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
		WANT_IS(waitpid(pid, &status, 0), pid);
		if (!WIFSTOPPED(status))
			break;
		WANT_IS(WSTOPSIG(status), SIGTRAP);
		WANT(++traps < 10);
	}
	WANT_IS(status, 0);
	WANT(traps >= how); /* before SYSCALL it comes in the kernel, and is dropped */
}

/* A watchpoint in the kernel would trap there, or tell what it does. */
static void watches_kernel(long address)
{
	pid_t pid = begin(reads_watched, 0);
	bool refused;
	int status;

	WANT_IS(waitpid(pid, &status, 0), pid);
	refused = ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user, u_debugreg[0]),
			  (void *)address) < 0 &&
		  errno == EINVAL;
	if (!refused)
		refused = ptrace(PTRACE_POKEUSER, pid, (void *)offsetof(struct user, u_debugreg[7]),
				  (void *)0xf0001ul) < 0 &&
			  errno == EINVAL;
	WANT(refused);
	WANT_IS(ptrace(PTRACE_KILL, pid, NULL, NULL), 0);
	ended(pid);
}

#define FMASK "the CPU clears it at SYSCALL, by the FMASK register"

static const struct attack attacks[] = {
	{"direction-call", "enters the kernel by a call with DF set: its copies would go down",
		FMASK, {CALM}, direction_at_call},
	{"direction-fault", "enters the kernel by page faults with DF set",
		"the entry clears it before any C code", {CALM}, direction_at_fault},
	{"direction-signal", "gets a signal with DF set",
		"a handler begins with DF clear, and the frame keeps it", {CALM},
		direction_at_signal},
	{"alignment-call",
		"enters the kernel by calls with AC set: SMAP's door open, misaligned copies",
		FMASK "; an address of the kernel is EFAULT as ever", {CALM}, alignment_at_call},
	{"nested", "enters the kernel by calls, switches and faults with NT set: IRET would fail",
		FMASK "; gates clear it", {CALM}, nested_at_call},
	{"step-call", "single-steps over a system call",
		FMASK "; the next trap is behind the instruction after the call", {CALM},
		step_over_call},
	{"step-fault", "single-steps over page faults",
		"gates clear TF; the trap comes behind the instruction", {CALM}, step_over_fault},
	{"step-mov-ss-call", "single-steps over MOV SS with SYSCALL behind it",
		"the #DB that comes in the kernel is "
		"taken on a stack of its own, and dropped",
		{CALM}, step_over_stack_segment, 0},
	{"step-mov-ss-int3", "single-steps over MOV SS with INT3 behind it", "the same", {CALM},
		step_over_stack_segment, 1},
	{"watch-mov-ss-call",
		"a watchpoint on what MOV SS reads, SYSCALL behind it (CVE-2018-8897)",
		"the #DB that waits comes at the kernel's first instruction, on a stack of its own",
		{CALM}, watchpoint, 0},
	{"watch-mov-ss-int3", "the same with INT3 behind it", "the same", {CALM}, watchpoint, 1},
	{"watch-kernel", "a watchpoint on the kernel's memory",
		"ptrace takes addresses of a process only: EINVAL", {CALM}, watches_kernel,
		(long)KERNEL_DIRECT},
};
FAMILY(state, "flags and traps taken into the kernel", attacks);
