/* SPDX-License-Identifier: MIT */
/* Reading and writing what is not one's own, by the CPU's own instructions. See attack.h. */
#include "attacks/attack.h"

#include <cpuid.h>

/* ---- Plain ---- */

static void reads(long address)
{
	aim((uintptr_t)address);
	(void)*(volatile unsigned char *)address;
}

static void writes(long address)
{
	aim((uintptr_t)address);
	*(volatile unsigned char *)address = 'E';
}

static void reads_unmapped(long unused)
{
	(void)unused;
	reads((long)unmapped_page());
}

static void writes_unmapped(long unused)
{
	(void)unused;
	writes((long)unmapped_page());
}

static void writes_text(long unused)
{
	(void)unused;
	writes((long)(uintptr_t)reads);
}

static void writes_constants(long unused)
{
	static const char constant[] = "constant";

	(void)unused;
	writes((long)(uintptr_t)constant);
}

static void touches_none(long write)
{
	char *p = pages(1, PROT_READ | PROT_WRITE);

	memset(p, 'A', PAGE);
	WANT_IS(mprotect(p, PAGE, PROT_NONE), 0);
	(write ? writes : reads)((long)p);
}

static void writes_protected(long unused)
{
	char *p = pages(1, PROT_READ | PROT_WRITE);

	(void)unused;
	*p = 1;
	WANT_IS(mprotect(p, PAGE, PROT_READ), 0);
	writes((long)p);
}

static void writes_read_only_file(long unused)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	char *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);

	(void)unused;
	WANT(p != MAP_FAILED);
	WANT_IS(kernel_call(SYS_mprotect, p, PAGE, PROT_READ | PROT_WRITE), -EACCES);
	writes((long)p);
}

static void writes_behind_file(long unused)
{
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file_of(100), 0);

	(void)unused;
	WANT(p != MAP_FAILED);
	p[0] = 1; /* the first page is there */
	writes((long)(p + PAGE));
}

/* A line of /proc/self/maps by its name; 0: there is none. */
static uintptr_t mapping_of(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	uintptr_t found = 0;

	WANT(maps != NULL);
	while (!found && fgets(line, sizeof line, maps)) {
		if (strstr(line, name))
			found = strtoul(line, NULL, 16);
	}
	fclose(maps);
	return found;
}

static void writes_mapping(long name)
{
	uintptr_t at = mapping_of((const char *)name);

	if (!at)
		skip("there is no %s", (const char *)name);
	writes((long)at);
}

/* ---- At the ends of pages, of the halves and of all addresses ---- */

/* The first bytes are there, the rest is not: none of it is done. */
static void reads_over_end(long unused)
{
	volatile uint64_t *p = last_bytes(3);

	(void)unused;
	aim((uintptr_t)p + 3);
	(void)*p;
}

static void writes_over_end(long unused)
{
	volatile uint64_t *p = last_bytes(3);

	(void)unused;
	aim((uintptr_t)p + 3);
	*p = 0;
}

static void straddles(long address)
{
	aim((uintptr_t)address);
	(void)*(volatile uint64_t *)address;
}

static void copies_into_kernel(long unused)
{
	char *to = (char *)(LAST_USER_PAGE - 4096);

	(void)unused;
	aim(LAST_USER_PAGE);
	if (mmap(to, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		    0) == MAP_FAILED)
		skip("the last page of a process is taken");
	to += PAGE - 8;
	__asm__ volatile("rep stosb" : "+D"(to) : "c"(4096ul), "a"(0) : "memory");
}

/* ---- Odd ways ---- */

static void through_stack_register(long address)
{
	__asm__ volatile("movq %%rbp, %%rdx; movq %0, %%rbp; movb (%%rbp), %%al; movq %%rdx, %%rbp"
			 :
			 : "r"(address)
			 : "rax", "rdx", "memory");
}

static void exchanges(long address)
{
	aim((uintptr_t)address);
	__asm__ volatile("lock cmpxchgq %0, (%1)" : : "r"(1l), "r"(address) : "rax", "memory");
}

static void flushes(long address)
{
	need_hardware("CLFLUSH is not looked at by the emulator");
	aim((uintptr_t)address);
	__asm__ volatile("clflush (%0)" : : "r"(address) : "memory");
}

static void saves_fpu(long address)
{
	aim((uintptr_t)address);
	__asm__ volatile("fxsave64 (%0)" : : "r"(address) : "memory");
}

static void restores_fpu(long address)
{
	aim((uintptr_t)address);
	__asm__ volatile("fxrstor64 (%0)" : : "r"(address) : "memory");
}

static void misaligned_vector(long unused)
{
	char *p = pages(1, PROT_READ | PROT_WRITE);

	(void)unused;
	__asm__ volatile("movaps (%0), %%xmm0" : : "r"(p + 1) : "xmm0", "memory");
}

static void misaligned_checked(long unused)
{
	char *p = pages(1, PROT_READ | PROT_WRITE);

	(void)unused;
	need_hardware("EFLAGS.AC is not looked at by the emulator");
	*p = 1;
	aim((uintptr_t)p + 1);
	__asm__ volatile("pushfq; orl $0x40000, (%%rsp); popfq; movl 1(%0), %%eax"
			 :
			 : "r"(p)
			 : "rax", "memory");
}

static void gs_into_kernel(long unused)
{
	(void)unused;
	WANT_IS(kernel_call(SYS_arch_prctl, 0x1001 /* ARCH_SET_GS */, KERNEL_IMAGE), -EPERM);
	WANT_IS(kernel_call(SYS_arch_prctl, 0x1002 /* ARCH_SET_FS */, KERNEL_IMAGE), -EPERM);
	WANT_IS(kernel_call(SYS_arch_prctl, 0x1001, FIRST_BAD), -EPERM);
	WANT_IS(kernel_call(SYS_arch_prctl, 0x1002, MIDDLE_BAD), -EPERM);
}

/* FSGSBASE lets a program load any canonical base: the page's own bits must stop it. */
static void segment_into_kernel(long unused)
{
	unsigned a, b, c, d;

	(void)unused;
	if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(b & 1))
		skip("this CPU has no WRGSBASE");
	aim(KERNEL_DIRECT);
	__asm__ volatile("wrgsbase %0; movb %%gs:0, %%al" : : "r"(KERNEL_DIRECT) : "rax", "memory");
}

/* ---- The victim's ---- */

static void reads_secret(long unused)
{
	(void)unused;
	munmap((void *)VICTIM_SECRET, SECRET_PAGES * PAGE);
	reads((long)VICTIM_SECRET);
}

static void writes_secret(long unused)
{
	(void)unused;
	munmap((void *)VICTIM_SECRET, SECRET_PAGES * PAGE);
	writes((long)VICTIM_SECRET);
}

/* The same address is one's own page then. */
static void maps_over_secret(long unused)
{
	uint64_t *p = mmap((void *)VICTIM_SECRET, SECRET_PAGES * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	(void)unused;
	WANT(p == (void *)VICTIM_SECRET);
	for (size_t i = 0; i < SECRET_PAGES * PAGE / 8; i++) {
		WANT(p[i] == 0);
		p[i] = 0x455645;
	}
}

/* Kernel mappings are there, but not for user mode: Linux tells everything up there as not mapped. */
#define SUPERVISOR                                                                                \
	"the page is the kernel's alone (no U bit): #PF; told as not mapped, so that nothing is " \
	"learnt"
#define NEAR                                              \
	{                                                 \
		FAULTS, SIGSEGV, SEGV_MAPERR, NEAR_TARGET \
	}
#define NOT_THERE "no VMA is there: #PF, SEGV_MAPERR"
#define NO_WRITE  "the VMA does not allow it: #PF, SEGV_ACCERR"
#define HOLE      "addresses are 48 bits wide, with the top ones equal: #GP, which tells no address"

#define KERNEL_READ(name, address, what)                                                    \
	{                                                                                   \
		"read-" name, "reads " what, SUPERVISOR, {UNMAPPED}, reads, (long)(address) \
	}
#define KERNEL_WRITE(name, address, what)                                                         \
	{                                                                                         \
		"write-" name, "writes to " what, SUPERVISOR, {UNMAPPED}, writes, (long)(address) \
	}

static const struct attack attacks[] = {
	KERNEL_READ("kernel-image", KERNEL_IMAGE, "the kernel's image"),
	KERNEL_WRITE("kernel-image", KERNEL_IMAGE, "the kernel's image"),
	KERNEL_READ("kernel-direct", KERNEL_DIRECT, "the kernel's view of all RAM"),
	KERNEL_WRITE("kernel-direct", KERNEL_DIRECT, "the kernel's view of all RAM"),
	KERNEL_READ("kernel-stacks", KERNEL_STACKS, "where kernel stacks lie"),
	KERNEL_WRITE("kernel-stacks", KERNEL_STACKS, "where kernel stacks lie"),
	KERNEL_READ("page-frames", KERNEL_FRAMES, "the array of page frames"),
	KERNEL_WRITE("page-frames", KERNEL_FRAMES, "the array of page frames"),
	KERNEL_READ("entry-area", KERNEL_ENTRY, "the entry area, mapped even with pti=on"),
	KERNEL_WRITE("entry-area", KERNEL_ENTRY, "the entry area, mapped even with pti=on"),
	KERNEL_READ("last-byte", ~0ul, "the last byte of all addresses"),
	KERNEL_WRITE("last-byte", ~0ul, "the last byte of all addresses"),
	{"read-null", "reads address 0", NOT_THERE, {UNMAPPED}, reads, 0},
	{"write-null", "writes to address 0", NOT_THERE, {UNMAPPED}, writes, 0},
	{"read-unmapped", "reads where a page was unmapped", NOT_THERE, {UNMAPPED}, reads_unmapped},
	{"write-unmapped", "writes where a page was unmapped", NOT_THERE, {UNMAPPED},
		writes_unmapped},
	{"read-last-page", "reads the last page below the hole", NOT_THERE, {UNMAPPED}, reads,
		(long)LAST_USER_PAGE},
	{"write-last-page", "writes to the last page below the hole", NOT_THERE, {UNMAPPED}, writes,
		(long)LAST_USER_PAGE},
	{"read-first-bad", "reads the first address that is not canonical", HOLE, {GP}, reads,
		(long)FIRST_BAD},
	{"write-first-bad", "writes to the first address that is not canonical", HOLE, {GP}, writes,
		(long)FIRST_BAD},
	{"read-bad", "reads an address that is not canonical", HOLE, {GP}, reads, (long)MIDDLE_BAD},
	{"write-bad", "writes to an address that is not canonical", HOLE, {GP}, writes,
		(long)MIDDLE_BAD},
	{"read-last-bad", "reads the last address that is not canonical", HOLE, {GP}, reads,
		(long)LAST_BAD},
	{"bad-by-rbp", "reads an address that is not canonical through RBP",
		"through the stack segment it is #SS: SIGBUS (#GP in the emulator)", {SS, GP},
		through_stack_register, (long)MIDDLE_BAD},
	{"write-text", "writes into its own code", NO_WRITE, {DENIED}, writes_text},
	{"write-constants", "writes into its own constants", NO_WRITE, {DENIED}, writes_constants},
	{"read-none", "reads a page without any access", NO_WRITE, {DENIED}, touches_none, 0},
	{"write-none", "writes to a page without any access", NO_WRITE, {DENIED}, touches_none, 1},
	{"write-protected", "writes to a page that was made read-only, the TLB being warm",
		NO_WRITE ", and mprotect flushed the TLB", {DENIED}, writes_protected},
	{"write-file", "writes to a shared mapping of a program that it may only read",
		"the file is open for reading: mprotect gives EACCES; " NO_WRITE, {DENIED},
		writes_read_only_file},
	{"write-behind-file", "writes to a mapped page behind a file's end",
		"the object has no such page: SIGBUS, BUS_ADRERR",
		{{FAULTS, SIGBUS, BUS_ADRERR, AT_TARGET}}, writes_behind_file},
	{"write-vdso", "writes into the vDSO, which all processes share", NO_WRITE, {DENIED},
		writes_mapping, (long)"[vdso]"},
	{"write-vvar", "writes into the vDSO's data, from which others read the time", NO_WRITE,
		{DENIED}, writes_mapping, (long)"[vvar]"},
	{"read-page-end", "reads 8 bytes of which 3 are there",
		"the fault is told for the first byte that is not there", {UNMAPPED},
		reads_over_end},
	{"write-page-end", "writes 8 bytes of which 3 are there",
		"the fault is told for the first byte that is not there", {UNMAPPED},
		writes_over_end},
	{"straddle-hole", "reads 8 bytes over the edge of the hole", HOLE, {GP, UNMAPPED},
		straddles, (long)(FIRST_BAD - 4),
		.on_linux = "the same; which of the two pages is told is the CPU's choice"},
	{"copy-into-hole", "fills memory by one rep stosb that runs off the end of user space",
		"each byte is checked: it stops at the first page that no process may have",
		{UNMAPPED}, copies_into_kernel},
	{"exchange", "writes into the kernel by a locked cmpxchg", SUPERVISOR, {UNMAPPED},
		exchanges, (long)KERNEL_IMAGE},
	{"flush", "flushes a line of the kernel out of the caches", SUPERVISOR, {UNMAPPED}, flushes,
		(long)KERNEL_IMAGE},
	{"fxsave", "saves the FPU's state into the kernel", SUPERVISOR, {NEAR}, saves_fpu,
		(long)KERNEL_DIRECT},
	{"fxrstor", "loads the FPU's state out of the kernel", SUPERVISOR, {NEAR}, restores_fpu,
		(long)KERNEL_DIRECT},
	{"misaligned-vector", "reads 16 bytes from an odd address by movaps",
		"the instruction wants them aligned: #GP", {GP}, misaligned_vector},
	{"misaligned-checked", "reads from an odd address with EFLAGS.AC set",
		"the kernel sets CR0.AM: #AC, SIGBUS", {{FAULTS, SIGBUS, BUS_ADRALN, AT_ZERO}},
		misaligned_checked},
	{"segment-base-call", "asks for FS and GS in the kernel's half, or nowhere",
		"arch_prctl takes addresses of a process only: EPERM", {CALM}, gs_into_kernel},
	{"segment-base", "loads GS with an address of the kernel by WRGSBASE and reads",
		"the CPU takes any base; " SUPERVISOR, {UNMAPPED}, segment_into_kernel},
	{"read-secret", "reads the victim's secret at its address",
		"another address space: " NOT_THERE, {UNMAPPED}, reads_secret},
	{"write-secret", "writes over the victim's secret at its address",
		"another address space: " NOT_THERE, {UNMAPPED}, writes_secret},
	{"map-over-secret", "maps pages at the address of the victim's secret and fills them",
		"the pages are its own, and zero", {CALM}, maps_over_secret},
};
FAMILY(memory, "reading and writing memory", attacks);
