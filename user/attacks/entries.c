/* SPDX-License-Identifier: MIT */
/* Ways into the kernel other than SYSCALL: gates, segments, frames for IRET. See attack.h. */
#include "attacks/attack.h"

#include <cpuid.h>

#define NT   0x4000ul
#define TF   0x100ul
#define IOPL 0x3000ul

static const struct outcome gp = GP;

/* Code of these bytes, then ud2. */
static void *code_of(const unsigned char *bytes, size_t size)
{
	unsigned char *code = pages(1, PROT_READ | PROT_WRITE);

	memcpy(code, bytes, size);
	memcpy(code + size, "\x0f\x0b", 2);
	WANT_IS(mprotect(code, PAGE, PROT_READ | PROT_EXEC), 0);
	return code;
}

static void runs(const unsigned char *bytes, size_t size)
{
	void *code = code_of(bytes, size);

	__asm__ volatile("call *%0" : : "r"(code), "a"(-1) : "memory", "rcx", "rdx", "cc");
}

/* ---- Gates ---- */

static void interrupts(long vector)
{
	const unsigned char code[] = {0xcd, (unsigned char)vector, 0xc3};

	runs(code, sizeof code);
}

static void every_vector(long unused)
{
	(void)unused;
	for (long vector = 0; vector < 256; vector++) {
		if (vector != 3 && vector != 4 && vector != 0x80)
			want_fault("int", interrupts, vector, gp);
	}
}

/* With i386's calls there is such a gate: then the call -1 is none, and nothing else changes. */
static void interrupt_0x80(long unused)
{
	long result = -1, kept = 0x1234567812345678;

	(void)unused;
	__asm__ volatile("int $0x80"
			 : "+a"(result), "+r"(kept)
			 :
			 : "memory", "r8", "r9", "r10", "r11");
	WANT_IS(result, -ENOSYS);
	WANT_IS(kept, 0x1234567812345678);
}

static void breakpoint(long unused)
{
	(void)unused;
	__asm__ volatile("int3");
}

static void overflow(long unused)
{
	static const unsigned char code[] = {0xce, 0xc3};

	(void)unused;
	runs(code, sizeof code);
}

static void icebp(long unused)
{
	static const unsigned char code[] = {0xf1, 0xc3};

	(void)unused;
	runs(code, sizeof code);
}

static void sysenter(long unused)
{
	(void)unused;
	__asm__ volatile("sysenter" : : "a"(-1) : "memory", "rcx", "rdx");
}

/* ---- Segments ---- */

struct far {
	uint64_t offset;
	uint16_t selector;
} __attribute__((packed));

static void far_calls(long selector)
{
	struct far target = {0, (uint16_t)selector};

	__asm__ volatile("rex.w lcall *%0" : : "m"(target) : "memory");
}

/* Code of ring 3 may be called: what then becomes of it, at address 0, is its own affair. */
static void every_gate(long unused)
{
	uint32_t rights;
	bool found;

	(void)unused;
	for (long selector = 0; selector < 0x200; selector++) {
		__asm__ volatile("larl %2, %0"
				 : "=r"(rights), "=@ccz"(found)
				 : "r"((uint32_t)selector));
		if (!found || (rights & 0x1800) != 0x1800 || selector < 4) {
			want_fault("far call", far_calls, selector, gp);
			continue;
		}
		if (is_emulated()) /* it pushes as the kernel, which SMAP refuses */
			continue;
		WANT_IS(ended(begin(far_calls, selector)), EXITED(FAULTED));
		WANT(shared->signal == SIGSEGV && shared->address < PAGE);
	}
}

/* What LAR tells at all is a segment of user mode: no gate, no task, nothing of the kernel. */
static void looks_for_gates(long unused)
{
	uint32_t rights;
	bool found;

	(void)unused;
	for (uint32_t selector = 4; selector < 0x10000; selector++) {
		__asm__ volatile("larl %2, %0" : "=r"(rights), "=@ccz"(found) : "r"(selector | 3));
		if (found && ((rights & 0x1000) == 0 || (rights >> 13 & 3) != 3))
			fail("selector %#x has the rights %#x", selector | 3, rights);
	}
}

static void far_jumps(long selector)
{
	struct far target = {0x20000000, (uint16_t)selector};

	__asm__ volatile("rex.w ljmp *%0" : : "m"(target), "a"(SYS_getpid) : "memory");
}

static void loads_ds(long selector)
{
	__asm__ volatile("movw %w0, %%ds" : : "r"(selector));
}

static void loads_ss(long selector)
{
	__asm__ volatile("movw %w0, %%ss" : : "r"(selector));
}

static void loads_fs(long selector)
{
	__asm__ volatile("movw %w0, %%fs" : : "r"(selector));
}

static void kernel_segments(long unused)
{
	static const uint16_t selectors[] = {
		0x08, 0x0b, 0x10, 0x13, 0x18, 0x40, 0x43, 0x07, 0xfff8, 0xffff};

	(void)unused;
	for (size_t i = 0; i < COUNT(selectors); i++) {
		want_fault("mov ds", loads_ds, selectors[i], gp);
		want_fault("mov ss", loads_ss, selectors[i], gp);
		want_fault("mov fs", loads_fs, selectors[i], gp);
	}
	want_fault("mov ss", loads_ss, 0, gp);
	want_fault("mov ss", loads_ss, 3, gp);
}

/* ---- Frames for IRET ---- */

struct frame {
	uint64_t rip, cs, flags, rsp, ss;
};

static __attribute__((noinline)) void irets(const struct frame *frame)
{
	__asm__ volatile("movq %0, %%rsp; iretq" : : "r"(frame) : "memory");
}

static void lands(void)
{
	__asm__ volatile("pushq %%rax; popq %%rax" ::: "memory");
	kernel_call(SYS_exit_group, 0);
}

/* Where this program is: what a frame must say to be a good one. */
static struct frame good_frame(void)
{
	static char stack[4096] __attribute__((aligned(16)));
	struct frame frame = {.rip = (uintptr_t)lands, .rsp = (uintptr_t)stack + sizeof stack - 8};

	__asm__ volatile("movq %%cs, %0; movq %%ss, %1; pushfq; popq %2"
			 : "=r"(frame.cs), "=r"(frame.ss), "=r"(frame.flags));
	return frame;
}

enum { RIP, CS, FLAGS, RSP, STACK_SEGMENT };
#define FORGED(field, value) ((long)(field) << 56 | (long)(value))

/* Under SMAP the emulator reads IRET's frame as the kernel, and faults. */
static void need_iret(void)
{
	unsigned a, b = 0, c, d;

	if (__get_cpuid_count(7, 0, &a, &b, &c, &d) && b >> 20 & 1)
		need_hardware("the emulator has no IRET in user mode under SMAP");
}

static void forged(long which)
{
	struct frame frame = good_frame();
	uint64_t value = (uint64_t)which & 0xffffffffffffff;

	need_iret();
	aim(value);
	switch (which >> 56) {
	case RIP:
		frame.rip = value == FIRST_BAD ? value : value | 0xff00000000000000;
		aim(frame.rip);
		break;
	case CS:
		frame.cs = value;
		break;
	case FLAGS:
		frame.flags |= value;
		break;
	case RSP:
		frame.rsp = value | 0xff00000000000000;
		aim(frame.rsp - 8);
		break;
	default:
		frame.ss = value;
	}
	irets(&frame);
}

static void nested(long unused)
{
	struct frame frame = good_frame();

	(void)unused;
	__asm__ volatile("pushfq; orq $0x4000, (%rsp); popfq");
	irets(&frame);
}

static uint64_t flags_after(uint64_t flags)
{
	uint64_t found;

	__asm__ volatile("pushq %1; popfq; pushfq; popq %0"
			 : "=r"(found)
			 : "r"(flags)
			 : "memory", "cc");
	return found;
}

/* POPF does not fail: it leaves alone what is not user mode's. */
static void flags(long unused)
{
	uint64_t mine = flags_after(0x202);

	(void)unused;
	WANT_IS(flags_after(mine & ~0x200ul) & 0x200, 0x200);
	WANT_IS(flags_after(mine | IOPL) & IOPL, 0);
	WANT_IS(flags_after(mine | 0x20000) & 0x20000, 0);   /* VM */
	WANT_IS(flags_after(mine | 0x180000) & 0x180000, 0); /* VIF, VIP */
	flags_after(mine);
}

static void port_rights(long unused)
{
	long result = kernel_call(SYS_iopl, 3);

	(void)unused;
	WANT(result == -EPERM || result == -ENOSYS);
	result = kernel_call(SYS_ioperm, 0x60, 1, 1);
	WANT(result == -EPERM || result == -ENOSYS);
}

static void step_after_call(long unused)
{
	struct frame frame = good_frame();

	(void)unused;
	need_iret();
	frame.flags |= TF;
	aim(0);
	irets(&frame);
}

#define DPL     "the gate's DPL is 0: #GP"
#define NO_GATE "there is no call gate, no task gate and no code segment of another ring"
#define RING    "user mode's IRET changes no ring and loads no such segment: #GP"

static const struct attack attacks[] = {
	{"int-n",
		"all interrupts by number but 3, 4 and 0x80, as if it were an exception or a "
		"device",
		DPL " for each", {CALM}, every_vector},
	{"int-0x80", "i386's system calls", "there is no such gate: #GP", {CALM, GP},
		interrupt_0x80,
		.on_linux = "with IA32 emulation it is a call of i386: -1 is ENOSYS"},
	{"int3", "a breakpoint", "its gate is for user mode: SIGTRAP",
		{{FAULTS, SIGTRAP, SI_KERNEL, AT_ZERO}}, breakpoint},
	{"int-4", "the overflow gate by its number", "its gate is for user mode: SIGSEGV", {GP},
		interrupts, 4},
	{"into", "INTO, which long mode does not have", "#UD", {UD}, overflow},
	{"icebp", "ICEBP, which raises #DB past all DPLs",
		"the kernel tells it as a trap of the process",
		{{FAULTS, SIGTRAP, TRAP_BRKPT, ANYWHERE}, UD}, icebp,
		.on_linux = "the same; QEMU's emulated CPUs do not have it: #UD"},
	{"sysenter", "the other fast call", "its MSRs are 0: #GP (#UD on AMD's in long mode)",
		{GP, UD}, sysenter,
		.on_linux = "on Intel's with IA32 emulation a call of i386, which then goes on "
			    "nowhere"},
	{"call-gates", "a far call through each of the first 512 selectors", NO_GATE, {CALM},
		every_gate},
	{"look-for-gates", "asks by LAR for each of 65,536 selectors",
		NO_GATE ", and LAR tells of ring 3's alone", {CALM}, looks_for_gates},
	{"far-jump", "a far jump to where SYSRET's arithmetic wants a 32-bit code segment", NO_GATE,
		{GP}, far_jumps, 0x1b},
	{"segments", "loads kernel, system and absent segments into DS, SS and FS",
		"DPL 0, or no segment: #GP", {CALM}, kernel_segments},
	{"iret-rip-bad", "IRET to an address that is not canonical", "#GP", {GP}, forged,
		FORGED(RIP, FIRST_BAD)},
	{"iret-rip-kernel", "IRET into the kernel's text", "it stays in ring 3: #PF there",
		{UNMAPPED}, forged, FORGED(RIP, 0xffffff81000000)},
	{"iret-cs-kernel", "IRET to the kernel's code segment", RING, {GP}, forged,
		FORGED(CS, 0x10)},
	{"iret-cs-rpl", "the same with RPL 3", RING, {GP}, forged, FORGED(CS, 0x13)},
	{"iret-cs-null", "IRET to no code segment", RING, {GP}, forged, FORGED(CS, 0)},
	{"iret-ss-kernel", "IRET to the kernel's stack segment", RING, {GP}, forged,
		FORGED(STACK_SEGMENT, 0x18)},
	{"iret-ss-null", "IRET to no stack segment", RING, {GP}, forged, FORGED(STACK_SEGMENT, 3)},
	{"iret-rsp-kernel", "IRET with RSP in the kernel, and a push",
		"the push faults as any write", {UNMAPPED}, forged, FORGED(RSP, 0xffffff81000000)},
	{"iret-flags", "IRET with IOPL 3 and interrupts off",
		"CPL 3 cannot change them; they stay as they are", {CALM}, forged,
		FORGED(FLAGS, IOPL | 0x20000)},
	{"iret-nested", "IRET with NT set, to go back to another task",
		"no tasks in long mode: #GP", {GP}, nested},
	{"iret-step", "IRET with TF set",
		"it traps after the next instruction: SIGTRAP, TRAP_TRACE",
		{{FAULTS, SIGTRAP, TRAP_TRACE, ANYWHERE}}, step_after_call},
	{"popf", "POPF with interrupts off, IOPL 3, VM, VIF",
		"CPL 3 cannot change them; they stay as they are", {CALM}, flags},
	{"port-rights", "asks for ports by iopl and ioperm",
		"it is nobody: EPERM; Baton has neither call", {CALM}, port_rights},
};
FAMILY(entries, "ways into the kernel", attacks);
