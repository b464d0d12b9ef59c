/* SPDX-License-Identifier: MIT */
/*
 * The frame that a handler gets and rt_sigreturn takes back: where it stands, what registers and
 * FPU state it shows, that a handler's changes to it become the program's state, and that a frame
 * which asks for more than a program may have ends in SIGSEGV or is cut down to what it may.
 */
#include <cpuid.h>
#include <setjmp.h>
#include <ucontext.h>

#include "cases.h"

#define MAGIC1          0x46505853u
#define MAGIC2          0x46505845u
#define UC_FP_XSTATE    1u
#define UC_STRICT_SS    6u /* UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS */
#define PATTERN(i)      (0x1122334455667788ul * ((unsigned long)(i) + 3))
#define FLAG_AC         0x40000ul
#define FLAG_DF         0x400ul
#define FLAG_TF         0x100ul
#define FLAG_IOPL       0x3000ul
#define FLAG_IF         0x200ul
#define FLAG_NT         0x4000ul
#define XMM_OFFSET      160 /* in the FXSAVE area */
#define YMM_HIGH_OFFSET 576 /* in the standard XSAVE area */

/* ud2 between loading and storing: rax rbx rcx rdx rsi rdi rbp r8-r15, xmm0, xmm15. */
struct state {
	uint64_t general[15];                                  /* 0 */
	uint64_t flags;                                        /* 120 */
	unsigned char xmm[2][16] __attribute__((aligned(16))); /* 128, 144 */
};
struct state state_in, state_out;
void crossing(void); /* loads state_in, ud2, stores state_out */
extern const char crossing_ud2[];
__asm__(".globl crossing, crossing_ud2\n"
	".macro each_general do, at\n"
	"	\\do %rax, \\at+0; \\do %rbx, \\at+8; \\do %rcx, \\at+16; \\do %rdx, \\at+24\n"
	"	\\do %rsi, \\at+32; \\do %rdi, \\at+40; \\do %rbp, \\at+48; \\do %r8, \\at+56\n"
	"	\\do %r9, \\at+64; \\do %r10, \\at+72; \\do %r11, \\at+80; \\do %r12, \\at+88\n"
	"	\\do %r13, \\at+96; \\do %r14, \\at+104; \\do %r15, \\at+112\n"
	".endm\n"
	".macro load register, at\n	mov \\at(%rip), \\register\n	.endm\n"
	".macro store register, at\n	mov \\register, \\at(%rip)\n	.endm\n"
	"crossing:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15; push %rax\n"
	"	movdqa state_in+128(%rip), %xmm0\n"
	"	movdqa state_in+144(%rip), %xmm15\n"
	"	pushq state_in+120(%rip); popfq\n"
	"	each_general load, state_in\n"
	"crossing_ud2:\n"
	"	ud2\n"
	"	each_general store, state_out\n"
	"	pushfq; popq state_out+120(%rip); pushq $0x202; popfq\n"
	"	movdqa %xmm0, state_out+128(%rip)\n"
	"	movdqa %xmm15, state_out+144(%rip)\n"
	"	pop %rax; pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n");

static const int order[15] = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_R8,
	REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static volatile int count;
static void (*look)(siginfo_t *info, ucontext_t *context);

static void on_ud2(int number, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	count++;
	look(info, c);
	c->uc_mcontext.gregs[REG_RIP] += 2;
}

static void cross(void (*looking)(siginfo_t *, ucontext_t *))
{
	look = looking;
	handle_info(SIGILL, on_ud2, 0);
	for (int i = 0; i < 15; i++)
		state_in.general[i] = PATTERN(i);
	memset(state_in.xmm[0], 0xa1, 16);
	memset(state_in.xmm[1], 0xa2, 16);
	state_in.flags = 0x202;
	crossing();
	WANT_IS(count, 1);
}

/* ---- Registers ---- */

static void sees_registers(siginfo_t *info, ucontext_t *context)
{
	const greg_t *regs = context->uc_mcontext.gregs;

	for (int i = 0; i < 15; i++)
		WANT_IS(regs[order[i]], PATTERN(i));
	WANT_IS(regs[REG_RIP], (long)crossing_ud2);
	WANT(info->si_addr == crossing_ud2);
	WANT_IS(regs[REG_CSGSFS] & 0xffff, 0x33);
	WANT_IS(regs[REG_CSGSFS] >> 48 & 0xffff, 0x2b);
	WANT_IS(regs[REG_TRAPNO], 6);
	WANT_IS(regs[REG_ERR], 0);
	WANT_IS(regs[REG_EFL] & FLAG_IF, FLAG_IF);
}

static void registers_shown(void)
{
	cross(sees_registers);
	for (int i = 0; i < 15; i++)
		WANT_IS(state_out.general[i], PATTERN(i));
}

static void changes_registers(siginfo_t *info, ucontext_t *context)
{
	for (int i = 0; i < 15; i++)
		context->uc_mcontext.gregs[order[i]] = (greg_t)~PATTERN(i);
	context->uc_mcontext.gregs[REG_EFL] |= 0x8d5 | FLAG_DF; /* OF SF ZF AF PF CF */
}

static void registers_changed(void)
{
	cross(changes_registers);
	for (int i = 0; i < 15; i++)
		WANT_IS(state_out.general[i], ~PATTERN(i));
	WANT_IS(state_out.flags & 0xcd5, 0xcd5);
}

static void changes_flags(siginfo_t *info, ucontext_t *context)
{
	context->uc_mcontext.gregs[REG_EFL] &= (greg_t)~FLAG_IF;
	context->uc_mcontext.gregs[REG_EFL] |= FLAG_IOPL | FLAG_NT | 1l << 17 | 1l << 19 | 1l << 20;
}

static void system_flags(void)
{
	cross(changes_flags);
	WANT_IS(state_out.flags & (FLAG_IOPL | FLAG_NT | FLAG_IF | 1l << 17 | 1l << 19 | 1l << 20),
		FLAG_IF);
}

static void cli_after_iopl(void)
{
	system_flags();
	__asm__ volatile("cli");
}

static void nothing(siginfo_t *info, ucontext_t *context)
{
}

static void direction_flag(void)
{
	look = nothing;
	handle_info(SIGILL, on_ud2, 0);
	state_in.flags = 0x202 | FLAG_DF | FLAG_AC | 1;
	crossing();
	WANT_IS(state_out.flags & (FLAG_DF | FLAG_AC | 1), FLAG_DF | FLAG_AC | 1);
}

/* ---- Where the frame stands, how the handler begins ---- */

unsigned long entry_sp, entry_flags, entry_info, entry_context, entry_number;
void entry_handler(int number, siginfo_t *info, void *context);
__asm__(".globl entry_handler\n"
	"entry_handler:\n"
	"	mov %rsp, entry_sp(%rip)\n"
	"	pushfq; popq entry_flags(%rip)\n"
	"	mov %rdi, entry_number(%rip)\n"
	"	mov %rsi, entry_info(%rip)\n"
	"	mov %rdx, entry_context(%rip)\n"
	"	ret\n");

static void handler_entry(void)
{
	unsigned long here = (unsigned long)&here;

	handle_info(SIGUSR1, entry_handler, 0);
	__asm__ volatile("std" ::: "cc");
	kernel_call(SYS_kill, kernel_call(SYS_getpid), SIGUSR1);
	__asm__ volatile("cld" ::: "cc");
	WANT_IS(entry_number, SIGUSR1);
	WANT_IS(entry_sp % 16, 8);
	WANT(entry_sp < here && here - entry_sp < 65536);
	WANT(entry_info > entry_sp && entry_context == entry_sp + 8);
	WANT_IS(entry_flags & (FLAG_DF | FLAG_TF), 0);
	WANT_IS(entry_flags & FLAG_IF, FLAG_IF);
}

static bool red_zone_kept(void)
{
	unsigned long kept;

	__asm__ volatile("sub $256, %%rsp\n"
			 "mov %%rsp, %%rdi; mov $32, %%ecx; mov $0x5a5a, %%eax; rep stosq\n"
			 "add $256, %%rsp; sub $128, %%rsp; add $128, %%rsp\n"
			 "mov $39, %%eax; syscall; mov %%eax, %%edi; mov $10, %%esi\n"
			 "mov $62, %%eax; syscall\n"
			 "lea -128(%%rsp), %%rdi; mov $16, %%ecx; mov $0x5a5a, %%eax\n"
			 "repe scasq; sete %%al; movzbl %%al, %%eax"
			 : "=&a"(kept)
			 :
			 : "rcx", "rdx", "rdi", "rsi", "r11", "memory", "cc");
	return kept;
}

static void dirties_stack(int number)
{
	volatile char big[8192];

	memset((char *)big, 0xcc, sizeof big);
	count++;
}

static void red_zone(void)
{
	handle(SIGUSR1, dirties_stack, 0);
	WANT(red_zone_kept());
	WANT_IS(count, 1);
}

static void sees_context(siginfo_t *info, ucontext_t *context)
{
	const uint64_t usr2 = 1ul << (SIGUSR2 - 1);

	WANT(!context->uc_link);
	WANT_IS(context->uc_flags & UC_STRICT_SS, UC_STRICT_SS);
	WANT_IS(context->uc_stack.ss_size, 0);
	WANT(memcmp(&context->uc_sigmask, &usr2, 8) == 0);
	WANT(info->si_signo == SIGILL && info->si_code == ILL_ILLOPN && info->si_errno == 0);
}

static void context_fields(void)
{
	block(SIGUSR2);
	cross(sees_context);
}

static void blocks_usr1(siginfo_t *info, ucontext_t *context)
{
	sigfillset(&context->uc_sigmask);
}

static void mask_by_frame(void)
{
	sigset_t mask;

	cross(blocks_usr1);
	WANT_IS(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	WANT(sigismember(&mask, SIGUSR1) && sigismember(&mask, SIGRTMAX));
	WANT(!sigismember(&mask, SIGKILL) && !sigismember(&mask, SIGSTOP));
}

static volatile int at_restart, at_error; /* frames that were seen */
static struct gate gate;

/* A tick may come outside of the call, too: what counts are frames of the call. */
static void sees_restart(int number, siginfo_t *info, void *context)
{
	const greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	const unsigned char *code = (void *)regs[REG_RIP];

	at_restart += regs[REG_RAX] == SYS_read && code[0] == 0x0f && code[1] == 0x05;
	at_error += regs[REG_RAX] == -EINTR;
	if (++count == 1000 || at_restart == 3)
		open_gate(gate);
}

static void restart_in_frame(void)
{
	char c;

	gate = make_gate();
	handle_info(SIGALRM, sees_restart, SA_RESTART);
	tick(5000);
	WANT_IS(kernel_call(SYS_read, gate.in, &c, 1), 1);
	tick(0);
	WANT(at_restart >= 3);
	handle_info(SIGALRM, sees_restart, 0);
	tick(5000);
	WANT_IS(kernel_call(SYS_read, gate.in, &c, 1), -EINTR);
	tick(0);
	WANT(at_error > 0);
}

static sigjmp_buf jump;

static void jumps(int number)
{
	siglongjmp(jump, 5);
}

static void leave_by_longjmp(void)
{
	sigset_t mask;

	handle(SIGUSR1, jumps, 0);
	for (volatile int i = 0; i < 3; i++) {
		if (sigsetjmp(jump, 1) == 0) {
			raise(SIGUSR1);
			WANT(!"the handler returned");
		}
	}
	WANT_IS(sigprocmask(SIG_BLOCK, NULL, &mask), 0);
	WANT(!sigismember(&mask, SIGUSR1));
}

/* ---- FPU state ---- */

static bool cpu_has_avx(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE) && (c & bit_AVX);
}

static uint32_t word_at(const void *base, size_t offset)
{
	uint32_t value;

	memcpy(&value, (const char *)base + offset, 4);
	return value;
}

static void sees_fpu(siginfo_t *info, ucontext_t *context)
{
	const char *area = (const char *)context->uc_mcontext.fpregs;

	WANT(area && (uintptr_t)area % 16 == 0);
	WANT(memcmp(area + XMM_OFFSET, state_in.xmm[0], 16) == 0);
	WANT(memcmp(area + XMM_OFFSET + 15 * 16, state_in.xmm[1], 16) == 0);
	if (!cpu_has_avx())
		return;
	WANT_IS(context->uc_flags & UC_FP_XSTATE, UC_FP_XSTATE);
	WANT((uintptr_t)area % 64 == 0);
	WANT_IS(word_at(area, 464), MAGIC1);
	WANT_IS(word_at(area, 472) & 7, 7); /* xfeatures */
	WANT(word_at(area, 480) >= 832);    /* xstate_size */
	WANT_IS(word_at(area, 468), word_at(area, 480) + 4);
	WANT_IS(word_at(area, word_at(area, 480)), MAGIC2);
	WANT_IS(word_at(area, 512) & 2, 2); /* XSTATE_BV: SSE in use */
}

static void fpu_shown(void)
{
	cross(sees_fpu);
	WANT(memcmp(state_out.xmm, state_in.xmm, sizeof state_in.xmm) == 0);
}

static void spoils_fpu(siginfo_t *info, ucontext_t *context)
{
	uint32_t mxcsr = 0x7f80;

	__asm__ volatile(
		"pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm15, %%xmm15; ldmxcsr %0; fld1; fld1" ::"m"(
			mxcsr)
		: "xmm0", "xmm15");
}

static void fpu_kept(void)
{
	uint32_t mxcsr = 0x3f80, found;
	uint16_t control = 0x77f, found_control, status;

	__asm__ volatile("fninit; fldcw %0; ldmxcsr %1" ::"m"(control), "m"(mxcsr));
	cross(spoils_fpu);
	__asm__ volatile("stmxcsr %0; fnstcw %1; fnstsw %2"
			 : "=m"(found), "=m"(found_control), "=m"(status));
	WANT(memcmp(state_out.xmm, state_in.xmm, sizeof state_in.xmm) == 0);
	WANT_IS(found & 0xffc0, 0x3f80);
	WANT_IS(found_control, control);
	WANT_IS(status >> 11 & 7, 0); /* nothing on the x87 stack */
}

static void begins_clean(siginfo_t *info, ucontext_t *context)
{
	uint32_t mxcsr;
	uint16_t control;

	__asm__ volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(control));
	WANT_IS(mxcsr, 0x1f80);
	WANT_IS(control, 0x37f);
}

static void fpu_clean(void)
{
	uint32_t mxcsr = 0x7f80;
	uint16_t control = 0xf7f;

	__asm__ volatile("fldcw %0; ldmxcsr %1" ::"m"(control), "m"(mxcsr));
	cross(begins_clean);
}

static void changes_fpu(siginfo_t *info, ucontext_t *context)
{
	char *area = (char *)context->uc_mcontext.fpregs;
	uint32_t mxcsr = 0x5f80;

	memset(area + XMM_OFFSET, 0xb1, 16);
	memset(area + XMM_OFFSET + 15 * 16, 0xb2, 16);
	memcpy(area + 24, &mxcsr, 4);
}

static void fpu_changed(void)
{
	uint32_t found;

	cross(changes_fpu);
	__asm__ volatile("stmxcsr %0" : "=m"(found));
	WANT(state_out.xmm[0][3] == 0xb1 && state_out.xmm[1][15] == 0xb2);
	WANT_IS(found & 0xffc0, 0x5f80);
}

static void no_fpu(siginfo_t *info, ucontext_t *context)
{
	context->uc_mcontext.fpregs = NULL;
}

static void fpu_dropped(void)
{
	static const unsigned char zero[16];

	cross(no_fpu);
	WANT(memcmp(state_out.xmm[0], zero, 16) == 0);
}

static void changes_avx(siginfo_t *info, ucontext_t *context)
{
	char *area = (char *)context->uc_mcontext.fpregs;

	WANT(area[YMM_HIGH_OFFSET + 5] == 0x31);
	memset(area + YMM_HIGH_OFFSET, 0x32, 16);
	__asm__ volatile("vzeroall" ::: "xmm0", "xmm15");
}

static void avx_state(void)
{
	static unsigned char out[32];

	if (!cpu_has_avx())
		return;
	memset(out, 0x31, sizeof out);
	look = changes_avx;
	handle_info(SIGILL, on_ud2, 0);
	__asm__ volatile("vmovdqu %0, %%ymm0; ud2; vmovdqu %%ymm0, %0" : "+m"(out)::"xmm0");
	WANT(out[0] == 0x31 && out[15] == 0x31 && out[16] == 0x32 && out[31] == 0x32);
}

static const struct test_case cases[] = {
	CASE(registers_shown, "frame: all registers as they were at the fault"),
	CASE(registers_changed, "frame: registers and flags that the handler changes"),
	CASE(system_flags, "frame: IOPL, NT, VM, IF are not the handler's to change"),
	CASE_ENDS(cli_after_iopl, SIGSEGV, "frame: cli after an IOPL of 3 in the frame: SIGSEGV"),
	CASE(direction_flag, "frame: direction, alignment and carry flag come back"),
	CASE(handler_entry, "frame: arguments, 16-byte alignment as after a call, DF clear"),
	CASE(red_zone, "frame: the red zone below the stack pointer is untouched"),
	CASE(context_fields, "frame: uc_flags, uc_link, uc_stack, uc_sigmask, siginfo"),
	CASE(mask_by_frame, "frame: uc_sigmask becomes the mask, but for KILL and STOP"),
	CASE(restart_in_frame, "frame of a call: to be restarted, or -EINTR in rax"),
	CASE(leave_by_longjmp, "a handler may leave by siglongjmp"),
	CASE(fpu_shown, "FPU frame: XMM registers, XSAVE header, magic words"),
	CASE(fpu_kept, "FPU: a handler's own use of it is undone"),
	CASE(fpu_clean, "FPU: a handler begins with the initial state"),
	CASE(fpu_changed, "FPU frame: XMM and MXCSR that the handler changes"),
	CASE(fpu_dropped, "FPU frame: none at all gives the initial state"),
	CASE(avx_state, "FPU frame: upper halves of YMM, read and changed"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
