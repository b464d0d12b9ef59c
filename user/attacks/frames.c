/* SPDX-License-Identifier: MIT */
/* rt_sigreturn goes back to whatever the frame says, which is the process's to write. See attack.h. */
#include "attacks/attack.h"

#include <cpuid.h>
#include <ucontext.h>

#define IOPL 0x3000
#define FROM_UNUSED \
	464 /* of the FXSAVE image: what the kernel says about the rest (struct _fpx_sw_bytes) */
#define HEADER 512 /* of XSAVE: state components, compaction, reserved */

enum { CS_ = 100, SS_, MXCSR, COMPONENTS, COMPACTION, RESERVED, MAGIC, SIZE };

static volatile long field, value;

static void forge_fpu(unsigned char *area)
{
	switch (field) {
	case MXCSR:
		memcpy(area + 24, (const void *)&value, 4);
		break;
	case COMPONENTS:
		memcpy(area + HEADER, (const void *)&value, 8);
		break;
	case COMPACTION:
		memcpy(area + HEADER + 8, (const void *)&value, 8);
		break;
	case RESERVED:
		memset(area + HEADER + 16, 0xff, 48);
		break;
	case MAGIC:
		memset(area + FROM_UNUSED, 0xff, 4);
		break;
	case SIZE:
		memset(area + FROM_UNUSED + 4, 0xff, 4);
		memset(area + FROM_UNUSED + 16, 0xff, 4);
		break;
	default:
		fail("no such field");
	}
}

static void forges(int number, siginfo_t *info, void *context)
{
	mcontext_t *machine = &((ucontext_t *)context)->uc_mcontext;
	unsigned long long *selectors = (unsigned long long *)&machine->gregs[REG_CSGSFS];

	(void)number, (void)info;
	if (field == CS_)
		*selectors = (*selectors & ~0xffffull) | (uint16_t)value;
	else if (field == SS_)
		*selectors = (*selectors & ~(0xffffull << 48)) | (unsigned long long)value << 48;
	else if (field > SS_)
		forge_fpu((unsigned char *)machine->fpregs);
	else if (field == REG_CR2 + 1) /* past the registers is the pointer to the FPU's state */
		memcpy(&machine->fpregs, (const void *)&value, sizeof value);
	else if (field == REG_EFL)
		machine->gregs[REG_EFL] = value;
	else
		machine->gregs[field] = value;
}
#define FPU_POINTER (REG_CR2 + 1)

static void need_xsave(void)
{
	unsigned a, b, c = 0, d;

	if (!__get_cpuid(1, &a, &b, &c, &d) || !(c >> 27 & 1))
		skip("this CPU has no XSAVE");
}

static void returns_with(long which, long what)
{
	struct sigaction action = {.sa_sigaction = forges, .sa_flags = SA_SIGINFO};

	field = which;
	value = what;
	if (which > MXCSR)
		need_xsave();
	WANT_IS(sigaction(SIGUSR1, &action, NULL), 0);
	kernel_call(SYS_kill, getpid(), SIGUSR1);
}

static void to_address(long address)
{
	aim((uintptr_t)address);
	returns_with(REG_RIP, address);
}

static void to_stack(long address)
{
	struct sigaction action = {.sa_sigaction = forges, .sa_flags = SA_SIGINFO};

	aim((uintptr_t)address);
	field = REG_RSP;
	value = address;
	WANT_IS(sigaction(SIGUSR1, &action, NULL), 0);
	__asm__ volatile("syscall; popq %%rdx"
			 :
			 : "a"(SYS_kill), "D"(getpid()), "S"(SIGUSR1)
			 : "rcx", "r11", "rdx", "memory");
}

static void with_cs(long selector)
{
	returns_with(CS_, selector);
}

static void with_ss(long selector)
{
	returns_with(SS_, selector);
}

static void with_fpu(long which)
{
	static const long values[] = {[MXCSR - MXCSR] = -1,
		[COMPONENTS - MXCSR] = -1,
		[COMPACTION - MXCSR] = -1,
		[SIZE - MXCSR] = 0};

	returns_with(which, values[which - MXCSR]);
}

static void fpu_at(long address)
{
	returns_with(FPU_POINTER, address);
}

static unsigned long flags_now(void)
{
	unsigned long flags;

	__asm__ volatile("pushfq; popq %0" : "=r"(flags));
	return flags;
}

static void with_all_flags(long unused)
{
	unsigned long found;

	(void)unused;
	returns_with(REG_EFL,
		(long)(~0ul & ~0x40100ul)); /* not AC, which C code may not have set, nor TF */
	found = flags_now();
	__asm__ volatile("cld");
	WANT_IS(found & IOPL, 0);
	WANT_IS(found & 0x1b4000, 0); /* NT, RF, VM, VIF, VIP */
	WANT_IS(found & 0x200, 0x200);
}

static void with_no_flags(long unused)
{
	(void)unused;
	returns_with(REG_EFL, 0);
	WANT_IS(flags_now() & 0x202, 0x202);
}

static void with_iopl(long unused)
{
	(void)unused;
	returns_with(REG_EFL, IOPL | 0x202);
	__asm__ volatile("cli");
}

static void with_step(long unused)
{
	(void)unused;
	returns_with(REG_EFL, 0x302);
}

/* ---- Frames that nobody made ---- */

static void frame_at(long address)
{
	__asm__ volatile("movq %0, %%rsp; movl $15, %%eax; syscall"
			 :
			 : "r"(address)
			 : "rax", "rcx", "r11", "memory");
}

static void frame_of_zeros(long unused)
{
	char *p = pages(4, PROT_READ | PROT_WRITE);

	(void)unused;
	frame_at((long)(uintptr_t)p + PAGE);
}

static void frame_at_page_end(long unused)
{
	(void)unused;
	frame_at((long)(uintptr_t)last_bytes(64));
}

/* ---- Handlers ---- */

struct kernel_action {
	uintptr_t handler;
	unsigned long flags;
	uintptr_t restorer;
	unsigned long mask;
};
#define RESTORER 0x04000000ul

static void handler_of_own(int number)
{
	(void)number;
}

static void act_by(uintptr_t handler, unsigned long flags, uintptr_t restorer)
{
	struct kernel_action action = {handler, flags, restorer, 0};

	WANT_IS(kernel_call(SYS_rt_sigaction, SIGUSR1, &action, NULL, 8), 0);
	kernel_call(SYS_kill, getpid(), SIGUSR1);
}

static void handler_at(long address)
{
	aim((uintptr_t)address);
	act_by((uintptr_t)address, RESTORER, (uintptr_t)handler_of_own);
}

static void restorer_at(long address)
{
	aim((uintptr_t)address);
	act_by((uintptr_t)handler_of_own, RESTORER, (uintptr_t)address);
}

static void no_restorer(long unused)
{
	(void)unused;
	act_by((uintptr_t)handler_of_own, 0, 0);
}

#define LEAVES                                                                                  \
	"the CPU refuses to go there: the fault becomes the process's SIGSEGV, and the kernel " \
	"goes on"
#define NO_FPU "XRSTOR refuses it: the fault becomes SIGSEGV"

static const struct attack attacks[] = {
	{"rip-first-bad", "returns to the first address that is not canonical", LEAVES, {GP},
		to_address, (long)FIRST_BAD},
	{"rip-bad", "returns to an address that is not canonical", LEAVES, {GP}, to_address,
		(long)MIDDLE_BAD},
	{"rip-kernel", "returns into the kernel's text", "in ring 3: #PF there", {UNMAPPED},
		to_address, (long)KERNEL_IMAGE},
	{"rip-null", "returns to address 0", "#PF there", {UNMAPPED}, to_address, 0},
	{"cs-kernel", "returns to the kernel's code segment", LEAVES, {GP}, with_cs, 0x10},
	{"cs-null", "returns to no code segment", LEAVES, {GP}, with_cs, 0},
	{"cs-data", "returns to a data segment as code", LEAVES, {GP}, with_cs, 0x2b},
	{"cs-absent", "returns to a code segment that is not there", LEAVES, {GP}, with_cs, 0xffff},
	{"cs-task", "returns to the task state segment as code", LEAVES, {GP}, with_cs, 0x40},
	{"ss-kernel", "returns to the kernel's stack segment",
		LEAVES " (Linux and Baton replace SS in 64-bit code)", {CALM, GP}, with_ss, 0x18},
	{"ss-absent", "returns to a stack segment that is not there", LEAVES, {CALM, GP}, with_ss,
		0xffff},
	{"rsp-kernel", "returns with RSP in the kernel, and pops", "the pop faults as any read",
		{UNMAPPED}, to_stack, (long)KERNEL_DIRECT},
	{"rsp-bad", "returns with RSP not canonical, and pops", "#SS (#GP in the emulator)",
		{SS, GP}, to_stack, (long)MIDDLE_BAD},
	{"flags-all", "returns with all flags set: NT, IOPL 3, RF, VM, VIF, VIP",
		"only the arithmetic ones, DF, AC and TF are taken", {CALM}, with_all_flags},
	{"flags-none", "returns with interrupts off", "IF is not taken from the frame", {CALM},
		with_no_flags},
	{"flags-iopl", "returns with IOPL 3, and turns interrupts off",
		"IOPL is not taken: CLI is #GP", {GP}, with_iopl},
	{"flags-step", "returns with TF set", "it traps after the next instruction",
		{{FAULTS, SIGTRAP, TRAP_TRACE, ANYWHERE}}, with_step},
	{"fpu-mxcsr", "returns with reserved bits in MXCSR", NO_FPU, {GP}, with_fpu, MXCSR,
		.on_linux = "the same, but not under QEMU, whose XRSTOR does not look"},
	{"fpu-components", "returns with state components that no CPU has", NO_FPU, {GP}, with_fpu,
		COMPONENTS},
	{"fpu-compaction", "returns with a compacted state", NO_FPU, {GP}, with_fpu, COMPACTION},
	{"fpu-reserved", "returns with reserved bytes in the state's header", NO_FPU, {GP},
		with_fpu, RESERVED},
	{"fpu-magic", "returns with a state that does not say that it is an extended one",
		"its legacy part alone is loaded", {CALM}, with_fpu, MAGIC},
	{"fpu-size", "returns with a state that says it has 4 GiB",
		"its legacy part alone is loaded", {CALM}, with_fpu, SIZE},
	{"fpu-kernel", "returns with the FPU's state in the kernel",
		"it is read as the process would: SIGSEGV", {GP}, fpu_at, (long)KERNEL_DIRECT},
	{"fpu-bad", "returns with the FPU's state at an address not canonical",
		"it is read as the process would: SIGSEGV", {GP}, fpu_at, (long)MIDDLE_BAD},
	{"fpu-unmapped", "returns with the FPU's state on page 0",
		"it is read as the process would: SIGSEGV", {GP}, fpu_at, 64},
	{"at-kernel", "rt_sigreturn with a frame in the kernel",
		"it is read as the process would: SIGSEGV", {GP}, frame_at, (long)KERNEL_DIRECT},
	{"at-bad", "rt_sigreturn with a frame not canonical",
		"it is read as the process would: SIGSEGV", {GP}, frame_at, (long)MIDDLE_BAD},
	{"at-page-end", "rt_sigreturn with a frame whose end is not mapped",
		"it is read as a whole: SIGSEGV", {GP}, frame_at_page_end},
	{"of-zeros", "rt_sigreturn with a frame of zeros", LEAVES, {GP}, frame_of_zeros},
	{"handler-kernel", "a signal's handler in the kernel's text",
		"it is entered in ring 3: #PF there", {UNMAPPED}, handler_at, (long)KERNEL_IMAGE},
	{"handler-bad", "a signal's handler at an address not canonical", LEAVES, {GP}, handler_at,
		(long)MIDDLE_BAD},
	{"restorer-kernel", "a restorer in the kernel's text",
		"the handler returns there in ring 3: #PF", {UNMAPPED}, restorer_at,
		(long)KERNEL_IMAGE},
	{"restorer-none", "a handler without a restorer", "x86-64 wants one: SIGSEGV", {GP},
		no_restorer},
};
FAMILY(frames, "signal frames", attacks);
