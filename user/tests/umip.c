/* SPDX-License-Identifier: MIT */
/*
 * SGDT, SIDT, SMSW, SLDT and STR in user mode: they go on, whether the CPU forbids them there (UMIP) or
 * not. Where it does, the kernel's answers are constants, the same on every Linux.
 */
#include <cpuid.h>

#include "cases.h"

static bool has_umip(void)
{
	unsigned a, b, c = 0, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && c & 1u << 2;
}

struct table {
	uint16_t limit;
	uint64_t address;
} __attribute__((packed));

static void tables(void)
{
	struct table gdt = {1, 1}, idt = {1, 1};
	struct table many[3] = {{0, 0}};

	__asm__ volatile("sgdt %0; sidt %1" : "=m"(gdt), "=m"(idt));
	__asm__ volatile("sidt (%0,%1,2)" : : "r"(many), "r"(5ul) : "memory");
	WANT(many[1].address == idt.address && many[1].limit == idt.limit);
	WANT(!many[0].address && !many[2].address && !many[2].limit);
	if (!has_umip())
		return;
	WANT_IS(gdt.address, 0xfffffffffffe0000l);
	WANT_IS(idt.address, 0xffffffffffff0000l);
	WANT(!gdt.limit && !idt.limit);
}

static void status_word(void)
{
	unsigned long whole = 0x1111111122222222, part = whole, half = whole;
	uint16_t memory[2] = {1, 0x7777};

	__asm__ volatile("smsw %0" : "+r"(whole));
	__asm__ volatile("smsw %w0" : "+r"(half));
	__asm__ volatile("smsw %0" : "=m"(memory[0]));
	__asm__ volatile("smsw %%r15d; movq %%r15, %0" : "+r"(part) : : "r15");
	WANT_IS(memory[1], 0x7777);
	WANT_IS(memory[0] & 1, 1);
	WANT_IS(half, 0x1111111122220000 | memory[0]);
	WANT_IS(part & 0xffffffff, whole & 0xffffffff);
	if (has_umip())
		WANT_IS(whole, 0x80050033);
}

static void selectors(void)
{
	unsigned long ldt = 0x1111111122222222, task = ldt;
	uint16_t memory[2] = {1, 0x7777};

	__asm__ volatile("sldt %0; str %1" : "+r"(ldt), "+r"(task));
	WANT_IS(ldt & 0xffffffff, 0);
	WANT_IS(task & 0xffffffff, 0x40);
	__asm__ volatile("str %0" : "=m"(memory[0]));
	WANT(memory[0] == 0x40 && memory[1] == 0x7777);
}

static struct table *volatile nowhere;
static volatile uintptr_t fault;

static void note(int number, siginfo_t *info, void *context)
{
	(void)number, (void)context;
	WANT_IS(info->si_code, SEGV_MAPERR);
	WANT_IS((uintptr_t)info->si_addr, fault);
	_exit(4);
}

static void no_memory(void)
{
	handle_info(SIGSEGV, note, 0);
	nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	WANT_IS(munmap(nowhere, 4096), 0);
	fault = (uintptr_t)nowhere;
	__asm__ volatile("sgdt (%0)" : : "r"(nowhere) : "memory");
}

/* Others that user mode may not do stay what they are. */
static void others(void)
{
	struct table table = {0, 0};

	__asm__ volatile("lgdt %0" : : "m"(table));
}

static const struct test_case cases[] = {
	CASE(tables, "SGDT and SIDT"),
	CASE(status_word, "SMSW to registers and memory"),
	CASE(selectors, "SLDT and STR"),
	CASE_ENDS(
		no_memory, EXITED(4), "where nothing is mapped: SIGSEGV, SEGV_MAPERR, the address"),
	CASE_ENDS(others, KILLED(SIGSEGV), "LGDT is refused"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
