/* SPDX-License-Identifier: MIT */
/*
 * The alternate signal stack, and frames that a program forges or that find no place: whatever
 * rt_sigreturn is given, the program gains nothing by it.
 */
#include <setjmp.h>
#include <ucontext.h>

#include "cases.h"

#define SIZE              32768
#define NON_CANONICAL     0x0100000000000000l
#define SELECTORS(cs, ss) ((greg_t)(cs) | (greg_t)(ss) << 48)

static unsigned char area[SIZE] __attribute__((aligned(64)));
static volatile int count;

static bool inside(const volatile void *p)
{
	return (unsigned char *)p >= area && (unsigned char *)p < area + SIZE;
}

static void use_area(int flags)
{
	stack_t own = {.ss_sp = area, .ss_size = SIZE, .ss_flags = flags};

	WANT_IS(kernel_call(SYS_sigaltstack, &own, NULL), 0);
}

/* ---- sigaltstack ---- */

static void errors(void)
{
	stack_t own = {.ss_sp = area, .ss_size = 2047};

	WANT_IS(kernel_call(SYS_sigaltstack, &own, NULL), -ENOMEM);
	own.ss_size = SIZE;
	own.ss_flags = 4;
	WANT_IS(kernel_call(SYS_sigaltstack, &own, NULL), -EINVAL);
	WANT_IS(kernel_call(SYS_sigaltstack, BAD, NULL), -EFAULT);
	WANT_IS(kernel_call(SYS_sigaltstack, NULL, BAD), -EFAULT);
	own.ss_flags = 0;
	WANT_IS(kernel_call(SYS_sigaltstack, &own, BAD), -EFAULT);
}

static void set_and_get(void)
{
	stack_t own = {.ss_sp = area, .ss_size = 2048}, old;

	WANT_IS(kernel_call(SYS_sigaltstack, NULL, &old), 0);
	WANT(old.ss_flags == SS_DISABLE && old.ss_size == 0);
	WANT_IS(kernel_call(SYS_sigaltstack, &own, NULL), 0);
	WANT_IS(kernel_call(SYS_sigaltstack, NULL, &old), 0);
	WANT(old.ss_sp == area && old.ss_size == 2048 && old.ss_flags == 0);
	own = (stack_t){.ss_sp = (void *)5, .ss_size = 1, .ss_flags = SS_DISABLE};
	WANT_IS(kernel_call(SYS_sigaltstack, &own, &old), 0);
	WANT(old.ss_sp == area);
	WANT_IS(kernel_call(SYS_sigaltstack, NULL, &old), 0);
	WANT(old.ss_sp == NULL && old.ss_size == 0 && old.ss_flags == SS_DISABLE);
}

static void on_area(int number, siginfo_t *info, void *context)
{
	stack_t now, other = {.ss_sp = area, .ss_size = 4096};

	count++;
	WANT(inside(&now) && inside(info) && inside(context));
	WANT_IS(kernel_call(SYS_sigaltstack, NULL, &now), 0);
	WANT_IS(now.ss_flags, SS_ONSTACK);
	WANT_IS(kernel_call(SYS_sigaltstack, &other, NULL), -EPERM);
	other.ss_flags = SS_DISABLE;
	WANT_IS(kernel_call(SYS_sigaltstack, &other, NULL), -EPERM);
	WANT(((ucontext_t *)context)->uc_stack.ss_sp == area);
}

static void runs_on_it(void)
{
	stack_t now;

	use_area(0);
	handle_info(SIGUSR1, on_area, SA_ONSTACK);
	raise(SIGUSR1);
	raise(SIGUSR1);
	WANT_IS(count, 2);
	WANT_IS(kernel_call(SYS_sigaltstack, NULL, &now), 0);
	WANT_IS(now.ss_flags, 0);
}

static void not_on_area(int number)
{
	char here;

	count++;
	WANT(!inside(&here));
}

static void without_onstack(void)
{
	use_area(0);
	handle(SIGUSR1, not_on_area, 0);
	raise(SIGUSR1);
	WANT_IS(count, 1);
}

static volatile char *outer;

static void inner(int number)
{
	char here;

	WANT(inside(&here) && &here < outer);
	count++;
}

static void outer_handler(int number)
{
	char here;

	outer = &here;
	WANT(inside(&here));
	raise(SIGUSR2); /* with SA_ONSTACK */
	raise(SIGTERM); /* without */
	count++;
}

static void nested(void)
{
	use_area(0);
	handle(SIGUSR1, outer_handler, SA_ONSTACK);
	handle(SIGUSR2, inner, SA_ONSTACK);
	handle(SIGTERM, inner, 0);
	raise(SIGUSR1);
	WANT_IS(count, 3);
}

static unsigned char second[SIZE];

static void disarmed(int number, siginfo_t *info, void *context)
{
	stack_t now, other = {.ss_sp = second, .ss_size = SIZE};

	count++;
	WANT(inside(&now));
	WANT_IS(kernel_call(SYS_sigaltstack, NULL, &now), 0);
	WANT_IS(now.ss_flags, SS_DISABLE);
	WANT_IS(kernel_call(SYS_sigaltstack, &other, NULL), 0);
}

static void autodisarm(void)
{
	stack_t now;

	use_area((int)SS_AUTODISARM);
	handle_info(SIGUSR1, disarmed, SA_ONSTACK);
	raise(SIGUSR1);
	WANT_IS(count, 1);
	WANT_IS(kernel_call(SYS_sigaltstack, NULL, &now), 0);
	WANT(now.ss_sp == area && now.ss_size == SIZE && now.ss_flags == (int)SS_AUTODISARM);
}

static sigjmp_buf jump;

static void leaves(int number, siginfo_t *info, void *context)
{
	WANT(inside(&number));
	WANT(info->si_code == SEGV_MAPERR || info->si_code == SEGV_ACCERR);
	siglongjmp(jump, 1);
}

static int deeper(int depth)
{
	volatile char big[65536];

	big[0] = (char)depth;
	return depth < 0 ? 0 : deeper(depth + 1) + big[0];
}

static void stack_overflow(void)
{
	use_area(0);
	handle_info(SIGSEGV, leaves, SA_ONSTACK);
	if (sigsetjmp(jump, 1) == 0)
		deeper(0);
	else
		count++;
	WANT_IS(count, 1);
}

static void stack_overflow_no_place(void)
{
	handle_info(SIGSEGV, leaves, 0);
	deeper(0);
}

static void raises_for_ever(int number)
{
	raise(SIGUSR1);
}

static void alternate_overflow(void)
{
	use_area(0);
	handle(SIGUSR1, raises_for_ever, SA_ONSTACK | SA_NODEFER);
	raise(SIGUSR1);
}

/* ---- Frames that have no place, handlers that cannot be ---- */

static void returns(int number)
{
	count++;
}

static void bad_stack_pointer(void)
{
	handle(SIGUSR1, returns, 0);
	handle(SIGSEGV, returns, 0);
	__asm__ volatile("mov $39, %%eax; syscall; mov %%eax, %%edi; mov $10, %%esi\n"
			 "mov $62, %%eax; mov $0x1000, %%esp; syscall; ud2" ::
				 : "memory");
}

static void handler_in_data(void)
{
	handle(SIGUSR1, (void (*)(int))(uintptr_t)area, 0);
	raise(SIGUSR1);
}

static void handler_in_kernel(void)
{
	handle(SIGUSR1, (void (*)(int))(uintptr_t)KERNEL_SPACE, 0);
	raise(SIGUSR1);
}

static void no_restorer(void)
{
	struct {
		void *handler;
		unsigned long flags;
		void *restorer;
		uint64_t mask;
	} action = {.handler = returns};

	WANT_IS(kernel_call(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8), 0);
	kernel_call(SYS_kill, kernel_call(SYS_getpid), SIGUSR1);
	_exit(count);
}

/* ---- Forged frames ---- */

static void (*forge)(greg_t *regs, ucontext_t *context);

static void forging(int number, siginfo_t *info, void *context)
{
	count++;
	forge(((ucontext_t *)context)->uc_mcontext.gregs, context);
}

static void forged(void (*how)(greg_t *, ucontext_t *))
{
	forge = how;
	handle_info(SIGUSR1, forging, 0);
	kernel_call(SYS_kill, kernel_call(SYS_getpid), SIGUSR1);
}

#define FORGED(name, body)                                        \
	static void name##_how(greg_t *regs, ucontext_t *context) \
	{                                                         \
		body;                                             \
	}                                                         \
	static void name(void)                                    \
	{                                                         \
		forged(name##_how);                               \
	}
FORGED(rip_in_kernel, regs[REG_RIP] = (greg_t)KERNEL_SPACE)
FORGED(rip_not_canonical, regs[REG_RIP] = NON_CANONICAL)
FORGED(rip_zero, regs[REG_RIP] = 0)
FORGED(kernel_code_segment, regs[REG_CSGSFS] = SELECTORS(0x10, 0x2b))
FORGED(kernel_stack_segment, regs[REG_CSGSFS] = SELECTORS(0x33, 0x18))
FORGED(null_code_segment, regs[REG_CSGSFS] = SELECTORS(0, 0x2b))
FORGED(data_code_segment, regs[REG_CSGSFS] = SELECTORS(0x2b, 0x2b))
FORGED(task_state_segment, regs[REG_CSGSFS] = SELECTORS(0x43, 0x2b))
FORGED(huge_code_segment, regs[REG_CSGSFS] = SELECTORS(0xfff3, 0x2b))
FORGED(fpu_in_kernel, context->uc_mcontext.fpregs = (void *)KERNEL_SPACE)
FORGED(fpu_not_canonical, context->uc_mcontext.fpregs = (void *)NON_CANONICAL)
FORGED(fpu_unmapped, context->uc_mcontext.fpregs = (void *)0x1000)
FORGED(trap_flag, regs[REG_EFL] |= 0x100)

static void bad_fpu_how(greg_t *regs, ucontext_t *context)
{
	char *fpu = (char *)context->uc_mcontext.fpregs;

	memset(fpu + 512, 0xff, 64); /* the XSAVE header: features that nobody has */
	memset(fpu + 24, 0xff, 4);   /* MXCSR */
}

/* Either refused or cut down: what MXCSR must not have, it never has. */
static void bad_fpu_child(void)
{
	uint32_t mxcsr;

	forged(bad_fpu_how);
	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	_exit(mxcsr & 0xffff0000 ? 1 : 0);
}

static void bad_fpu(void)
{
	int status = ended(start(bad_fpu_child));

	WANT(status == 0 || status == SIGSEGV);
}

static void sigreturn_nowhere(void)
{
	__asm__ volatile("mov $15, %%eax; mov $0x1000, %%esp; syscall; ud2" ::: "memory");
}

static void sigreturn_kernel(void)
{
	__asm__ volatile("mov $15, %%eax; mov %0, %%rsp; syscall; ud2" ::"r"(KERNEL_SPACE)
			 : "memory");
}

/* A frame of zeroes: no code segment, no address. */
static void sigreturn_zeroes(void)
{
	__asm__ volatile("mov $15, %%eax; mov %0, %%rsp; syscall; ud2" ::"r"(area + SIZE / 2)
			 : "memory");
}

static const struct test_case cases[] = {
	CASE(errors, "sigaltstack: ENOMEM, EINVAL, EFAULT"),
	CASE(set_and_get, "sigaltstack: set, get, disable"),
	CASE(runs_on_it, "SA_ONSTACK: the handler runs there, SS_ONSTACK is seen, changes: EPERM"),
	CASE(without_onstack, "without SA_ONSTACK the handler runs on the ordinary stack"),
	CASE(nested, "nested handlers go on below on the alternate stack"),
	CASE(autodisarm, "SS_AUTODISARM: disabled in the handler, back after it"),
	CASE(stack_overflow, "an overflown stack is survived on the alternate stack"),
	CASE_ENDS(stack_overflow_no_place, SIGSEGV, "an overflown stack without another: SIGSEGV"),
	CASE_ENDS(alternate_overflow, SIGSEGV, "an overflown alternate stack: SIGSEGV"),
	CASE_ENDS(bad_stack_pointer, SIGSEGV, "no place for the frame: SIGSEGV, handled or not"),
	CASE_ENDS(handler_in_data, SIGSEGV, "a handler in data: SIGSEGV"),
	CASE_ENDS(handler_in_kernel, SIGSEGV, "a handler in the kernel: SIGSEGV"),
	CASE_ENDS(no_restorer, SIGSEGV, "a handler without SA_RESTORER: SIGSEGV"),
	CASE_ENDS(rip_in_kernel, SIGSEGV, "rt_sigreturn into the kernel: SIGSEGV"),
	CASE_ENDS(rip_not_canonical, SIGSEGV, "rt_sigreturn, rip not canonical: SIGSEGV"),
	CASE_ENDS(rip_zero, SIGSEGV, "rt_sigreturn to address 0: SIGSEGV"),
	CASE_ENDS(kernel_code_segment, SIGSEGV, "rt_sigreturn, the kernel's cs: SIGSEGV"),
	CASE_ENDS(kernel_stack_segment, SIGSEGV, "rt_sigreturn, the kernel's ss: SIGSEGV"),
	CASE_ENDS(null_code_segment, SIGSEGV, "rt_sigreturn, cs 0: SIGSEGV"),
	CASE_ENDS(data_code_segment, SIGSEGV, "rt_sigreturn, a data segment as cs: SIGSEGV"),
	CASE_ENDS(
		task_state_segment, SIGSEGV, "rt_sigreturn, the task state segment as cs: SIGSEGV"),
	CASE_ENDS(huge_code_segment, SIGSEGV, "rt_sigreturn, cs behind the table: SIGSEGV"),
	CASE_ENDS(fpu_in_kernel, SIGSEGV, "rt_sigreturn, FPU state in the kernel: SIGSEGV"),
	CASE_ENDS(fpu_not_canonical, SIGSEGV, "rt_sigreturn, FPU state not canonical: SIGSEGV"),
	CASE_ENDS(fpu_unmapped, SIGSEGV, "rt_sigreturn, FPU state not there: SIGSEGV"),
	CASE(bad_fpu, "rt_sigreturn, reserved bits in the FPU state: refused or cleared"),
	CASE_ENDS(trap_flag, SIGTRAP, "rt_sigreturn with the trap flag: SIGTRAP"),
	CASE_ENDS(sigreturn_nowhere, SIGSEGV, "rt_sigreturn without a frame: SIGSEGV"),
	CASE_ENDS(sigreturn_kernel, SIGSEGV, "rt_sigreturn with a stack in the kernel: SIGSEGV"),
	CASE_ENDS(sigreturn_zeroes, SIGSEGV, "rt_sigreturn of a frame of zeroes: SIGSEGV"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
