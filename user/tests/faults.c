/* SPDX-License-Identifier: MIT */
/*
 * Faults: each crime that a program can commit against the CPU, and the signal that it ends by, as
 * the parent sees it. One child a crime; one that survives ends with 66.
 */
#include <cpuid.h>
#include <signal.h>
#include <sys/mman.h>

#include "check.h"

#define SURVIVED     66
#define KERNEL_IMAGE 0xffffffff80000000ul
#define DIRECT_MAP   0xffff888000000000ul
/* Neither with 4 nor with 5 levels of page tables. */
#define NON_CANON 0x0100000000000000ul

static const char read_only[] = "constant";

static __attribute__((used)) void read_at(unsigned long address)
{
	(void)*(volatile char *)address;
}

static void write_at(unsigned long address)
{
	*(volatile char *)address = 1;
}

static void jump_to(unsigned long address)
{
	((void (*)(void))address)();
}

static unsigned long page(int protection)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*p = (char)0xc3; /* ret */
	mprotect(p, 4096, protection);
	return (unsigned long)p;
}

#define CRIME(name, body)      \
	static void name(void) \
	{                      \
		body;          \
	}
/* In assembly of its own, so that whatever registers it spoils are those of a call. */
#define ASM_CRIME(name, text)                            \
	static __attribute__((noinline)) void name(void) \
	{                                                \
		__asm__ volatile(text);                  \
	}

CRIME(read_null, read_at(0))
CRIME(write_null, write_at(0))
CRIME(jump_null, jump_to(0))
CRIME(read_kernel, read_at(KERNEL_IMAGE))
CRIME(write_kernel, write_at(KERNEL_IMAGE))
CRIME(jump_kernel, jump_to(KERNEL_IMAGE))
CRIME(read_direct_map, read_at(DIRECT_MAP))
CRIME(write_direct_map, write_at(DIRECT_MAP))
CRIME(jump_direct_map, jump_to(DIRECT_MAP))
CRIME(read_last_byte, read_at(~0ul))
CRIME(read_non_canonical, read_at(NON_CANON))
CRIME(jump_non_canonical, jump_to(NON_CANON))
CRIME(write_code, write_at((unsigned long)read_at))
CRIME(write_rodata, write_at((unsigned long)read_only))
CRIME(write_read_only, write_at(page(PROT_READ)))
CRIME(read_none, read_at(page(PROT_NONE)))
CRIME(jump_no_exec, jump_to(page(PROT_READ | PROT_WRITE)))
CRIME(jump_none, jump_to(page(PROT_NONE)))

ASM_CRIME(jump_stack, "movb $0xc3, -64(%rsp); lea -64(%rsp), %rax; call *%rax")
ASM_CRIME(push_non_canonical, "movabs $0x0100000000000100, %rsp; pushq $1")
ASM_CRIME(push_null, "mov $8, %esp; pushq $1")
ASM_CRIME(call_no_stack, "mov $0x1000, %esp; call 1f; 1: nop")
ASM_CRIME(undefined, "ud2")
ASM_CRIME(resume, "rsm")
ASM_CRIME(divide_zero, "xor %ecx, %ecx; mov $1, %eax; cltd; idiv %ecx")
ASM_CRIME(divide_overflow, "mov $0x80000000, %eax; cltd; mov $-1, %ecx; idiv %ecx")
ASM_CRIME(x87_divide, "fninit; pushq $0x33f; fldcw (%rsp); pushq $0x37b; fldcw (%rsp);"
		      "fld1; fldz; fdivrp; fwait")
ASM_CRIME(sse_divide,
	"movl $0x1d80, -8(%rsp); ldmxcsr -8(%rsp); mov $1, %eax; cvtsi2sd %eax, %xmm0;"
	"xorps %xmm1, %xmm1; divsd %xmm1, %xmm0")
ASM_CRIME(mxcsr_reserved, "movl $0x80001f80, -8(%rsp); ldmxcsr -8(%rsp)")
ASM_CRIME(breakpoint, "int3")
ASM_CRIME(int_3, ".byte 0xcd, 3")
ASM_CRIME(icebp, ".byte 0xf1")
ASM_CRIME(single_step, "pushfq; orl $0x100, (%rsp); popfq; nop")
ASM_CRIME(int_4, "int $4")
ASM_CRIME(int_0, "int $0")
ASM_CRIME(int_8, "int $8")
ASM_CRIME(int_13, "int $13")
ASM_CRIME(int_14, "int $14")
ASM_CRIME(int_32, "int $32")
ASM_CRIME(int_255, "int $255")
ASM_CRIME(cli, "cli")
ASM_CRIME(sti, "sti")
ASM_CRIME(hlt, "hlt")
ASM_CRIME(lgdt, "lgdt (%rsp)")
ASM_CRIME(lidt, "lidt (%rsp)")
ASM_CRIME(lldt, "xor %eax, %eax; lldt %ax")
ASM_CRIME(ltr, "xor %eax, %eax; ltr %ax")
ASM_CRIME(lmsw, "xor %eax, %eax; lmsw %ax")
ASM_CRIME(clts, "clts")
ASM_CRIME(read_cr0, "mov %cr0, %rax")
ASM_CRIME(write_cr0, "xor %eax, %eax; mov %rax, %cr0")
ASM_CRIME(read_cr2, "mov %cr2, %rax")
ASM_CRIME(read_cr3, "mov %cr3, %rax")
ASM_CRIME(write_cr3, "xor %eax, %eax; mov %rax, %cr3")
ASM_CRIME(write_cr4, "xor %eax, %eax; mov %rax, %cr4")
ASM_CRIME(write_cr8, "xor %eax, %eax; mov %rax, %cr8")
ASM_CRIME(write_dr7, "xor %eax, %eax; mov %rax, %dr7")
ASM_CRIME(rdmsr, "mov $0xc0000080, %ecx; rdmsr")
ASM_CRIME(wrmsr, "mov $0xc0000080, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr")
ASM_CRIME(invlpg, "invlpg (%rsp)")
ASM_CRIME(invd, "invd")
ASM_CRIME(wbinvd, "wbinvd")
ASM_CRIME(swapgs, "swapgs")
ASM_CRIME(sysret, "sysretq")
ASM_CRIME(port_in, "in $0x60, %al")
ASM_CRIME(port_out, "mov $0xfe, %al; out %al, $0x64")
ASM_CRIME(port_ins, "mov $0x60, %edx; mov %rsp, %rdi; insb")
ASM_CRIME(load_kernel_cs, "pushq $0x10; pushq $0; lretq")
ASM_CRIME(load_bad_ds, "mov $0xfff8, %eax; mov %eax, %ds")
ASM_CRIME(load_null_ss, "xor %eax, %eax; mov %eax, %ss")
ASM_CRIME(
	iret_ring_0, "mov %rsp, %rax; pushq $0x18; push %rax; pushfq; pushq $0x10; pushq $0; iretq")
ASM_CRIME(iopl_then_cli, "pushfq; orl $0x3000, (%rsp); popfq; cli")
ASM_CRIME(unaligned_sse, "movaps 1(%rsp), %xmm0; movaps 2(%rsp), %xmm0")
ASM_CRIME(alignment_check, "pushfq; orl $0x40000, (%rsp); popfq; mov 1(%rsp), %rax")

/* Deeper until the stack's end. */
static int overflow_at(int depth)
{
	volatile char big[4096];

	big[0] = (char)depth;
	return depth < 0 ? 0 : overflow_at(depth + 1) + big[0];
}

static void stack_overflow(void)
{
	overflow_at(0);
}

static const struct crime {
	const char *name;
	void (*commit)(void);
	int signal;
	int emulated; /* wait status that QEMU's emulated CPU may lead to instead; 0: none */
} crimes[] = {
#define C(name, signal)                \
	{                              \
#name, name, signal, 0 \
	}
#define EMULATED(name, signal, status)      \
	{                                   \
#name, name, signal, status \
	}
	C(read_null, SIGSEGV),
	C(write_null, SIGSEGV),
	C(jump_null, SIGSEGV),
	C(read_kernel, SIGSEGV),
	C(write_kernel, SIGSEGV),
	C(jump_kernel, SIGSEGV),
	C(read_direct_map, SIGSEGV),
	C(write_direct_map, SIGSEGV),
	C(jump_direct_map, SIGSEGV),
	C(read_last_byte, SIGSEGV),
	C(read_non_canonical, SIGSEGV),
	C(jump_non_canonical, SIGSEGV),
	C(write_code, SIGSEGV),
	C(write_rodata, SIGSEGV),
	C(write_read_only, SIGSEGV),
	C(read_none, SIGSEGV),
	C(jump_no_exec, SIGSEGV),
	C(jump_none, SIGSEGV),
	C(jump_stack, SIGSEGV),
	EMULATED(push_non_canonical, SIGBUS, KILLED(SIGSEGV)),
	C(push_null, SIGSEGV),
	C(call_no_stack, SIGSEGV),
	C(stack_overflow, SIGSEGV),
	C(undefined, SIGILL),
	C(resume, SIGILL),
	C(divide_zero, SIGFPE),
	C(divide_overflow, SIGFPE),
	C(x87_divide, SIGFPE),
	EMULATED(sse_divide, SIGFPE, EXITED(SURVIVED)),
	EMULATED(mxcsr_reserved, SIGSEGV, EXITED(SURVIVED)),
	C(breakpoint, SIGTRAP),
	C(int_3, SIGTRAP),
	EMULATED(icebp, SIGTRAP, KILLED(SIGILL)),
	C(single_step, SIGTRAP),
	C(int_4, SIGSEGV),
	C(int_0, SIGSEGV),
	C(int_8, SIGSEGV),
	C(int_13, SIGSEGV),
	C(int_14, SIGSEGV),
	C(int_32, SIGSEGV),
	C(int_255, SIGSEGV),
	C(cli, SIGSEGV),
	C(sti, SIGSEGV),
	C(hlt, SIGSEGV),
	C(lgdt, SIGSEGV),
	C(lidt, SIGSEGV),
	C(lldt, SIGSEGV),
	C(ltr, SIGSEGV),
	C(lmsw, SIGSEGV),
	C(clts, SIGSEGV),
	C(read_cr0, SIGSEGV),
	C(write_cr0, SIGSEGV),
	C(read_cr2, SIGSEGV),
	C(read_cr3, SIGSEGV),
	C(write_cr3, SIGSEGV),
	C(write_cr4, SIGSEGV),
	C(write_cr8, SIGSEGV),
	C(write_dr7, SIGSEGV),
	C(rdmsr, SIGSEGV),
	C(wrmsr, SIGSEGV),
	C(invlpg, SIGSEGV),
	C(invd, SIGSEGV),
	C(wbinvd, SIGSEGV),
	C(swapgs, SIGSEGV),
	C(sysret, SIGSEGV),
	C(port_in, SIGSEGV),
	C(port_out, SIGSEGV),
	C(port_ins, SIGSEGV),
	EMULATED(load_kernel_cs, SIGSEGV, KILLED(SIGKILL)),
	C(load_bad_ds, SIGSEGV),
	C(load_null_ss, SIGSEGV),
	EMULATED(iret_ring_0, SIGSEGV, KILLED(SIGKILL)),
	C(iopl_then_cli, SIGSEGV),
	C(unaligned_sse, SIGSEGV),
	EMULATED(alignment_check, SIGBUS, EXITED(SURVIVED)),
#undef C
#undef EMULATED
};

static int commit(int argc, char **argv)
{
	for (size_t i = 0; argc > 0 && i < COUNT(crimes); i++) {
		if (strcmp(crimes[i].name, argv[0]) == 0)
			crimes[i].commit();
	}
	_exit(SURVIVED);
}

/* QEMU's emulated CPU (TCG) checks no alignment and raises no SSE exceptions, takes a non-canonical
 * stack for a general protection fault, knows no icebp in its place, and reads the stack of a far
 * return with the kernel's rights, so that SMAP stops it in a way that Linux does not forgive. */
static bool emulated(void)
{
	unsigned int a, b, c, d;

	__cpuid(0x40000000, a, b, c, d);
	return b == 0x54474354; /* "TCGT" of TCGTCGTCGTCG */
}

static void all(int argc, char **argv)
{
	for (size_t i = 0; i < COUNT(crimes); i++) {
		int status = run_role("commit", crimes[i].name) & ~0x80;
		int expected = KILLED(crimes[i].signal);
		char name[64];

		if (crimes[i].emulated && emulated() && status == crimes[i].emulated)
			expected = status;
		snprintf(
			name, sizeof name, "%s: %s", crimes[i].name, signal_name(crimes[i].signal));
		claim_ended(status, expected, name);
	}
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"commit", commit}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
