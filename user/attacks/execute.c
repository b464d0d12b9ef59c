/* SPDX-License-Identifier: MIT */
/* Executing what is no code. See attack.h. */
#include "attacks/attack.h"

#define RETURN 0xc3

static void calls(uintptr_t address)
{
	aim(address);
	__asm__ volatile("call *%0" : : "r"(address) : "memory", "rax", "rcx", "rdx", "cc");
}

static void jumps(long address)
{
	calls((uintptr_t)address);
}

static unsigned char in_data[16] = {RETURN};
static const unsigned char in_constants[16] = {RETURN};

static void data(long unused)
{
	(void)unused;
	calls((uintptr_t)in_data);
}

static void constants(long unused)
{
	(void)unused;
	calls((uintptr_t)in_constants);
}

static void stack(long unused)
{
	volatile unsigned char code[16] = {RETURN};

	(void)unused;
	calls((uintptr_t)code);
}

static void heap(long unused)
{
	unsigned char *code = malloc(16);

	(void)unused;
	WANT(code != NULL);
	code[0] = RETURN;
	calls((uintptr_t)code);
}

static void anonymous(long flags)
{
	unsigned char *code =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, (int)flags | MAP_ANONYMOUS, -1, 0);

	WANT(code != MAP_FAILED);
	code[0] = RETURN;
	calls((uintptr_t)code);
}

/* It was executable, and its translation is in the TLB. */
static void no_longer(long unused)
{
	unsigned char *code = pages(1, PROT_READ | PROT_WRITE);

	(void)unused;
	code[0] = RETURN;
	WANT_IS(mprotect(code, PAGE, PROT_READ | PROT_EXEC), 0);
	calls((uintptr_t)code);
	WANT_IS(mprotect(code, PAGE, PROT_READ), 0);
	calls((uintptr_t)code);
}

static void none(long unused)
{
	unsigned char *code = pages(1, PROT_READ | PROT_WRITE);

	(void)unused;
	code[0] = RETURN;
	WANT_IS(mprotect(code, PAGE, PROT_NONE), 0);
	calls((uintptr_t)code);
}

static void unmapped(long unused)
{
	(void)unused;
	calls(unmapped_page());
}

static void file(long unused)
{
	unsigned char *code =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, file_of(PAGE), 0);

	(void)unused;
	WANT(code != MAP_FAILED);
	code[0] = RETURN;
	calls((uintptr_t)code);
}

/* The last byte of the page begins an instruction whose rest is on a page that may not be executed. */
static void straddles(long unused)
{
	unsigned char *code = pages(2, PROT_READ | PROT_WRITE);

	(void)unused;
	memset(code, 0x90, PAGE); /* nop */
	code[PAGE - 1] = 0x0f;    /* nopl (%rax) */
	code[PAGE] = 0x1f;
	code[PAGE + 1] = 0;
	code[PAGE + 2] = RETURN;
	WANT_IS(mprotect(code, PAGE, PROT_READ | PROT_EXEC), 0);
	aim((uintptr_t)code + PAGE);
	__asm__ volatile("call *%0" : : "r"(code + PAGE - 8) : "memory");
}

static void returns(long address)
{
	aim((uintptr_t)address);
	__asm__ volatile("pushq %0; ret" : : "r"(address) : "memory");
}

#define NX         "the page has the NX bit: #PF, SEGV_ACCERR"
#define SUPERVISOR "the page is the kernel's alone (no U bit): #PF; told as not mapped"
#define EMULATED \
	"Linux answers the three calls of old there in the kernel; elsewhere SI_KERNEL, address 0"

static const struct attack attacks[] = {
	{"data", "executes its data", NX, {DENIED}, data},
	{"constants", "executes its constants", NX, {DENIED}, constants},
	{"stack", "executes what it wrote on its stack", NX, {DENIED}, stack},
	{"heap", "executes what it wrote on the heap", NX, {DENIED}, heap},
	{"private", "executes a private mapping", NX, {DENIED}, anonymous, MAP_PRIVATE},
	{"shared", "executes shared memory", NX, {DENIED}, anonymous, MAP_SHARED},
	{"no-longer", "executes a page that was executable, the TLB being warm",
		NX ", and mprotect flushed the TLB", {DENIED}, no_longer},
	{"none", "executes a page without any access", NX, {DENIED}, none},
	{"file", "executes a file's page that is mapped without PROT_EXEC", NX, {DENIED}, file},
	{"straddling", "executes an instruction whose end is on a page without PROT_EXEC",
		"each byte is fetched from its own page; " NX, {DENIED}, straddles},
	{"unmapped", "jumps to where nothing is", "no VMA is there: SEGV_MAPERR", {UNMAPPED},
		unmapped},
	{"null", "calls a null pointer", "no VMA is there: SEGV_MAPERR", {UNMAPPED}, jumps, 0},
	{"kernel-text", "jumps into the kernel's text", SUPERVISOR, {UNMAPPED}, jumps,
		(long)KERNEL_IMAGE},
	{"kernel-direct", "jumps into the kernel's view of all RAM", SUPERVISOR, {UNMAPPED}, jumps,
		(long)KERNEL_DIRECT},
	{"kernel-entry", "jumps into the entry area, whose text is mapped even with pti=on",
		SUPERVISOR, {UNMAPPED}, jumps, (long)KERNEL_ENTRY},
	{"return-kernel", "returns into the kernel's text", SUPERVISOR, {UNMAPPED}, returns,
		(long)KERNEL_IMAGE},
	{"first-bad", "jumps to the first address that is not canonical",
		"the jump itself is refused: #GP", {GP}, jumps, (long)FIRST_BAD},
	{"return-bad", "returns to an address that is not canonical",
		"the return itself is refused: #GP", {GP}, returns, (long)MIDDLE_BAD},
	{"vsyscall-inside", "jumps into the middle of the page of old calls, 0xffffffffff600000",
		SUPERVISOR "; only its three entries ever answered", {UNMAPPED, GP}, jumps,
		(long)0xffffffffff600123, .on_linux = EMULATED},
	{"vsyscall-end", "jumps behind the third entry of the page of old calls", SUPERVISOR,
		{UNMAPPED, GP}, jumps, (long)0xffffffffff600c00, .on_linux = EMULATED},
};
FAMILY(execute, "executing what is no code", attacks);
