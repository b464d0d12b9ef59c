/* SPDX-License-Identifier: MIT */
/* Instructions that ring 3 may not have, each alone. See attack.h. */
#include "attacks/attack.h"

#include <cpuid.h>

/* Registers that a call may change are all that these do. */
#define INSTRUCTION(name, text)                                 \
	static __attribute__((noinline)) void name(long unused) \
	{                                                       \
		(void)unused;                                   \
		__asm__ volatile(text);                         \
	}

INSTRUCTION(cli, "cli")
INSTRUCTION(sti, "sti")
INSTRUCTION(hlt, "hlt")
INSTRUCTION(clts, "clts")
INSTRUCTION(invd, "invd")
INSTRUCTION(wbinvd, "wbinvd")
INSTRUCTION(invlpg, "invlpg (%rsp)")
INSTRUCTION(lgdt, "lgdt (%rsp)")
INSTRUCTION(lidt, "lidt (%rsp)")
INSTRUCTION(lldt, "xorl %eax, %eax; lldt %ax")
INSTRUCTION(ltr, "movl $0x40, %eax; ltr %ax")
INSTRUCTION(lmsw, "xorl %eax, %eax; lmsw %ax")
INSTRUCTION(read_cr0, "movq %cr0, %rax")
INSTRUCTION(read_cr2, "movq %cr2, %rax")
INSTRUCTION(read_cr3, "movq %cr3, %rax")
INSTRUCTION(read_cr4, "movq %cr4, %rax")
INSTRUCTION(read_cr8, "movq %cr8, %rax")
INSTRUCTION(write_cr0, "xorl %eax, %eax; movq %rax, %cr0")
INSTRUCTION(write_cr2, "xorl %eax, %eax; movq %rax, %cr2")
INSTRUCTION(write_cr3, "xorl %eax, %eax; movq %rax, %cr3")
INSTRUCTION(write_cr4, "xorl %eax, %eax; movq %rax, %cr4")
INSTRUCTION(write_cr8, "xorl %eax, %eax; movq %rax, %cr8")
INSTRUCTION(read_dr0, "movq %dr0, %rax")
INSTRUCTION(read_dr7, "movq %dr7, %rax")
INSTRUCTION(write_dr0, "xorl %eax, %eax; movq %rax, %dr0")
INSTRUCTION(write_dr7, "xorl %eax, %eax; movq %rax, %dr7")
INSTRUCTION(rdmsr_lstar, "movl $0xc0000082, %ecx; rdmsr")
INSTRUCTION(rdmsr_gs, "movl $0xc0000102, %ecx; rdmsr")
INSTRUCTION(wrmsr_lstar, "movl $0xc0000082, %ecx; xorl %eax, %eax; xorl %edx, %edx; wrmsr")
INSTRUCTION(wrmsr_efer, "movl $0xc0000080, %ecx; xorl %eax, %eax; xorl %edx, %edx; wrmsr")
INSTRUCTION(wrmsr_apic, "movl $0x1b, %ecx; xorl %eax, %eax; xorl %edx, %edx; wrmsr")
INSTRUCTION(in_byte, "inb $0x60, %al")
INSTRUCTION(in_word, "movw $0x1f0, %dx; inw %dx, %ax")
INSTRUCTION(in_long, "movw $0xcf8, %dx; inl %dx, %eax")
INSTRUCTION(out_byte, "movb $0xfe, %al; outb %al, $0x64") /* would reset the machine */
INSTRUCTION(out_reset, "movw $0xcf9, %dx; movb $6, %al; outb %al, %dx")
INSTRUCTION(out_pic, "movb $0xff, %al; outb %al, $0x21")
INSTRUCTION(in_string, "leaq -256(%rsp), %rdi; movw $0x60, %dx; insb")
INSTRUCTION(out_string, "leaq -256(%rsp), %rsi; movw $0x3f8, %dx; outsb")
INSTRUCTION(swapgs, "swapgs")
INSTRUCTION(sysret, "sysretq")
INSTRUCTION(sysret_32, "sysretl")
INSTRUCTION(sysexit, "rex.w sysexit")
INSTRUCTION(monitor, "leaq -256(%rsp), %rax; xorl %ecx, %ecx; xorl %edx, %edx; monitor")
INSTRUCTION(mwait, "xorl %eax, %eax; xorl %ecx, %ecx; mwait")
INSTRUCTION(rdpmc, "movl $0, %ecx; rdpmc")
INSTRUCTION(rsm, "rsm")
INSTRUCTION(clac, "clac")
INSTRUCTION(stac, "stac")
INSTRUCTION(vmrun, "vmrun")
INSTRUCTION(vmlaunch, "vmlaunch")
INSTRUCTION(vmxon, "vmxon -256(%rsp)")
INSTRUCTION(clgi, "clgi")
INSTRUCTION(stgi, "stgi")
INSTRUCTION(skinit, "skinit")
INSTRUCTION(undefined, "ud2")

static bool has(unsigned leaf, char where, unsigned bit)
{
	unsigned a = 0, b = 0, c = 0, d = 0;

	if (!__get_cpuid_count(leaf, 0, &a, &b, &c, &d))
		return false;
	return (where == 'b' ? b : where == 'c' ? c : d) >> bit & 1;
}

static void xsetbv(long unused)
{
	(void)unused;
	if (!has(1, 'c', 27))
		skip("this CPU has no XSAVE");
	__asm__ volatile("xgetbv; xsetbv" : : "c"(0) : "rax", "rdx");
}

static void invpcid(long unused)
{
	struct {
		uint64_t pcid, address;
	} what = {0, 0};

	(void)unused;
	if (!has(7, 'b', 10))
		skip("this CPU has no INVPCID");
	__asm__ volatile("invpcid %0, %1" : : "m"(what), "r"(2l) : "memory");
}

static void xsaves(long unused)
{
	static char area[16384] __attribute__((aligned(64)));

	(void)unused;
	if (!has(1, 'c', 27))
		skip("this CPU has no XSAVE");
	__asm__ volatile("xsaves64 %0" : "=m"(area) : "a"(-1), "d"(-1) : "memory");
}

/* ---- What tells where the kernel's tables are ---- */

struct table {
	uint16_t limit;
	uint64_t address;
} __attribute__((packed));

static void need_umip(void)
{
	if (!has(7, 'c', 2))
		skip("this CPU has no UMIP");
}

/* Linux answers in the CPU's place, with addresses of nothing. */
static void sgdt(long unused)
{
	struct table table = {1, 1};

	(void)unused;
	need_umip();
	__asm__ volatile("sgdt %0" : "=m"(table));
	WANT_IS(table.address, 0xfffffffffffe0000);
	WANT_IS(table.limit, 0);
}

static void sidt(long unused)
{
	struct table table = {1, 1};

	(void)unused;
	need_umip();
	__asm__ volatile("sidt %0" : "=m"(table));
	WANT_IS(table.address, 0xffffffffffff0000);
	WANT_IS(table.limit, 0);
}

static void sldt(long unused)
{
	unsigned long selector = 0;

	(void)unused;
	need_umip();
	__asm__ volatile("sldt %0" : "+r"(selector));
	WANT_IS(selector & 0xffff, 0);
}

static void str(long unused)
{
	unsigned long selector = 0;

	(void)unused;
	need_umip();
	__asm__ volatile("str %0" : "+r"(selector));
	WANT_IS(selector & 0xffff, 0x40);
}

static void smsw(long unused)
{
	unsigned long word = 0;

	(void)unused;
	need_umip();
	__asm__ volatile("smsw %0" : "+r"(word));
	WANT_IS(word & 0xffffffff, 0x80050033);
}

/* The answer is written as user mode would. */
static void sgdt_into_kernel(long unused)
{
	(void)unused;
	need_umip();
	aim(KERNEL_IMAGE);
	__asm__ volatile("sgdt (%0)" : : "r"(KERNEL_IMAGE) : "memory");
}

#define CPL0   "for CPL 0 alone: #GP"
#define IO     "CPL > IOPL and no bit in the TSS's I/O map: #GP"
#define ABSENT "the feature is off, or for CPL 0 alone"
#define UMIP   "UMIP makes it #GP; the kernel answers with constants"

#define ONE(name, tries)                        \
	{                                       \
#name, tries, CPL0, {GP }, name \
	}
#define NAMED(word, function, tries)              \
	{                                         \
		word, tries, CPL0, {GP}, function \
	}
#define NOT_KNOWN(name, tries)                        \
	{                                             \
#name, tries, ABSENT, {UD, GP }, name \
	}

static const struct attack attacks[] = {
	ONE(cli, "turns interrupts off"),
	ONE(sti, "turns interrupts on"),
	ONE(hlt, "halts the CPU"),
	ONE(clts, "clears CR0.TS"),
	ONE(invd, "drops the caches without writing them back"),
	ONE(wbinvd, "flushes everybody's caches"),
	ONE(invlpg, "drops a translation"),
	ONE(lgdt, "loads segments of its own"),
	ONE(lidt, "loads an interrupt table of its own"),
	ONE(lldt, "loads a local descriptor table"),
	ONE(ltr, "loads a task register"),
	ONE(lmsw, "writes the machine status word"),
	NAMED("read-cr0", read_cr0, "reads CR0"),
	NAMED("read-cr2", read_cr2, "reads the address of the last page fault"),
	NAMED("read-cr3", read_cr3, "reads where the page tables are"),
	NAMED("read-cr4", read_cr4, "reads CR4"),
	NAMED("read-cr8", read_cr8, "reads the interrupt priority"),
	NAMED("write-cr0", write_cr0, "turns paging and write protection off"),
	NAMED("write-cr2", write_cr2, "writes CR2"),
	NAMED("write-cr3", write_cr3, "loads page tables of its own"),
	NAMED("write-cr4", write_cr4, "turns SMEP and SMAP off"),
	NAMED("write-cr8", write_cr8, "lowers the interrupt priority"),
	NAMED("read-dr0", read_dr0, "reads a debug register"),
	NAMED("read-dr7", read_dr7, "reads which debug registers are on"),
	NAMED("write-dr0", write_dr0, "writes a debug register"),
	NAMED("write-dr7", write_dr7, "switches debug registers"),
	NAMED("rdmsr-lstar", rdmsr_lstar, "reads where system calls enter the kernel"),
	NAMED("rdmsr-gs", rdmsr_gs, "reads the kernel's GS base"),
	NAMED("wrmsr-lstar", wrmsr_lstar, "moves the door of the system calls"),
	NAMED("wrmsr-efer", wrmsr_efer, "turns NX off"),
	NAMED("wrmsr-apic", wrmsr_apic, "turns the local APIC off"),
	{"in-byte", "reads the keyboard's port", IO, {GP}, in_byte},
	{"in-word", "reads a disk's port", IO, {GP}, in_word},
	{"in-long", "reads PCI's address port", IO, {GP}, in_long},
	{"out-byte", "resets the machine through the keyboard controller", IO, {GP}, out_byte},
	{"out-reset", "resets the machine through the chipset", IO, {GP}, out_reset},
	{"out-pic", "masks the interrupt controller", IO, {GP}, out_pic},
	{"in-string", "reads a port by INS", IO, {GP}, in_string},
	{"out-string", "writes to the serial port by OUTS", IO, {GP}, out_string},
	ONE(swapgs, "takes the kernel's per-CPU data"),
	ONE(sysret, "returns from a system call that nobody made"),
	NAMED("sysret-32", sysret_32, "the same to 32-bit code"),
	{"sysexit", "returns from a SYSENTER that nobody made", CPL0 " (#UD in AMD's long mode)",
		{GP, UD}, sysexit},
	{"rdpmc", "reads a performance counter", "CR4.PCE is clear: #GP", {GP}, rdpmc},
	{"xsetbv", "switches the FPU's state components", CPL0, {GP}, xsetbv},
	{"invpcid", "flushes all translations", CPL0, {GP}, invpcid},
	{"xsaves", "saves the supervisor's state components", CPL0 " (#UD without the feature)",
		{GP, UD}, xsaves},
	{"monitor", "watches memory for MWAIT", "for CPL 0 alone: #UD", {UD, GP}, monitor},
	{"mwait", "sleeps until memory changes", "for CPL 0 alone: #UD", {UD, GP}, mwait},
	NOT_KNOWN(rsm, "returns from system management mode"),
	NOT_KNOWN(clac, "clears AC as the kernel does for SMAP"),
	NOT_KNOWN(stac, "sets AC as the kernel does for SMAP"),
	NOT_KNOWN(vmrun, "starts a guest (AMD)"),
	NOT_KNOWN(vmlaunch, "starts a guest (Intel)"),
	NOT_KNOWN(vmxon, "turns VMX on"),
	NOT_KNOWN(clgi, "turns all interrupts off (AMD)"),
	NOT_KNOWN(stgi, "turns all interrupts on (AMD)"),
	NOT_KNOWN(skinit, "starts a secure loader (AMD)"),
	{"undefined", "executes an opcode that is none", "#UD", {UD}, undefined},
	{"sgdt", "asks where the segment table is", UMIP, {CALM}, sgdt},
	{"sidt", "asks where the interrupt table is", UMIP, {CALM}, sidt},
	{"sldt", "asks for the local descriptor table", UMIP, {CALM}, sldt},
	{"str", "asks for the task register", UMIP, {CALM}, str},
	{"smsw", "reads CR0 as the machine status word", UMIP, {CALM}, smsw},
	{"sgdt-kernel", "has the answer of SGDT written into the kernel",
		"the kernel writes it as the process would", {UNMAPPED}, sgdt_into_kernel},
};
FAMILY(privileged, "privileged and sensitive instructions", attacks);
