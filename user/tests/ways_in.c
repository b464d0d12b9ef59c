/* SPDX-License-Identifier: MIT */
/*
 * Attacks that once worked, or nearly: ways into the kernel by odd segments and entry points, and
 * ways to keep the machine from everybody else. A kernel that falls for one ends here, in a panic
 * or a time-out, rather than with a `not ok`.
 */
#include <cpuid.h>
#include <sys/mman.h>

#include "elf_file.h"

#define SELECTOR_CODE_32 0x1b /* where SYSRET's arithmetic wants a 32-bit code segment */
#define LOW              0x20000000ul
#define KERNEL           0xffffffff80000000ul
#define BIG              ((size_t)16 << 20)
#define STRINGS          700000ul

/* ---- The CPU ---- */

/* syscall: a 32-bit program's SYSCALL goes to CSTAR on AMD's CPUs, with the user's stack. */
static int far_jump(int argc, char **argv)
{
	static const unsigned char code[] = {0xbc, 0x00, 0x18, 0x00,
		0x20,        /* mov esp, LOW + 0x1800 */
		0x0f, 0x05,  /* syscall */
		0x0f, 0x0b}; /* ud2 */
	struct {
		uint64_t offset;
		uint16_t selector;
	} __attribute__((packed)) target = {LOW, SELECTOR_CODE_32};
	void *p = mmap((void *)LOW, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	(void)argc, (void)argv;
	if (p == MAP_FAILED)
		return 1;
	memcpy(p, code, sizeof code);
	__asm__ volatile("rex.w ljmp *%0" : : "m"(target), "a"(SYS_getpid) : "memory");
	return 2;
}

/* sidt and sgdt tell where the kernel's tables are, unless UMIP forbids it. */
static int table_address(int argc, char **argv)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idt = {0, 0}, gdt = {0, 0};

	(void)argc, (void)argv;
	__asm__ volatile("sidt %0; sgdt %1" : "=m"(idt), "=m"(gdt));
	/* Linux answers in the CPU's place, with addresses of nothing. */
	return idt.base == 0xffffffffffff0000 && gdt.base == 0xfffffffffffe0000 ? 3 : 2;
}

static int has_umip(void)
{
	uint32_t a, b, c, d;

	__cpuid_count(7, 0, a, b, c, d);
	return c >> 2 & 1;
}

static void tables(void)
{
	int status = run_role("table_address");

	claim(!has_umip() || (status & ~0x80) == KILLED(SIGSEGV) || status == 3 << 8,
		"sidt and sgdt tell no address where the CPU has UMIP");
}

static void segments(void)
{
	claim_ended(run_role("far_jump"), KILLED(SIGSEGV), "no 32-bit code segment to call from");
}

/* ---- Where a program starts ---- */

static void entry_points(void)
{
	static const struct {
		unsigned long entry;
		const char *name;
	} entries[] = {
		{0x0000800000000000, "the first address that is not canonical"},
		{0x8000000000000000, "an address that is not canonical"},
		{0xffff7fffffffffff, "the last address that is not canonical"},
		{KERNEL, "the kernel"},
		{0xffffffffffffffff, "the last address"},
		{0x00007ffffffff000, "the last page below the hole"},
		{0, "address 0"},
	};
	static const unsigned char code[] = {0x0f, 0x0b};
	static char *argv[] = {"attack", NULL};
	static struct elf_file elf;

	for (size_t i = 0; i < COUNT(entries); i++) {
		char name[96];
		int status;

		elf_simple(&elf, code, sizeof code);
		elf.header.e_entry = entries[i].entry;
		status = elf_run(&elf, argv);
		snprintf(name, sizeof name, "a program that starts at %s", entries[i].name);
		claim_ended(status < 0 ? EXITED(-status) : status, KILLED(SIGSEGV), name);
	}
}

/* ---- More than its share ---- */

/* hold FD: one long call, with a byte before it and one after it. */
static int hold(int argc, char **argv)
{
	int fd = atoi(argv[0]);
	void *p = mmap(NULL, BIG, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)argc;
	if (p == MAP_FAILED || write(fd, "a", 1) != 1)
		return 1;
	for (size_t done = 0; done < BIG;) {
		long got = kernel_call(SYS_getrandom, (char *)p + done, BIG - done, 0);

		if (got <= 0)
			return 2;
		done += (size_t)got;
	}
	return write(fd, "b", 1) != 1;
}

/* One that asks for 16 MiB: how often this one napped meanwhile; -1: no such child. */
static int turns_beside(int *status)
{
	int ends[2], turns = 0;
	char number[16], byte = 0;
	pid_t child;

	if (pipe(ends))
		return -1;
	snprintf(number, sizeof number, "%d", ends[1]);
	child = start_role("hold", number, NULL);
	close(ends[1]); /* so that the child's end ends the loop below */
	if (read(ends[0], &byte, 1) != 1 || byte != 'a')
		turns = -1;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	for (; turns >= 0 && read(ends[0], &byte, 1) < 0 && errno == EAGAIN; turns++)
		sleep_ms(1);
	*status = wait_status(child);
	close(ends[0]);
	return turns;
}

static void long_call(void)
{
	int turns = 0, status = 0;

	/* Who is held up has no turns, at one try or another. */
	for (int i = 0; i < 50 && turns >= 0 && turns < 5 && !status; i++)
		turns = turns_beside(&status);
	claim(turns >= 0, "a child is about to ask for 16 MiB");
	claim(turns >= 5, "others run while one is inside a long call");
	claim_ended(status, EXITED(0), "and it gets all it asked for");
}

/* Every other page of a range with another protection: two more VMAs each time. */
static void many_areas(void)
{
	size_t size = (size_t)1 << 40, count = 0;
	long result = 0;
	char *p = mmap(NULL, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (!claim(p != MAP_FAILED, "a terabyte of address space"))
		return;
	while (!result && count < size / 8192)
		result = kernel_call(SYS_mprotect, p + count++ * 8192, 4096, PROT_READ);
	claim_result(result, -ENOMEM, "the number of areas has a limit");
	claim_result(kernel_call(SYS_munmap, p, size), 0, "and they can go");
}

static void many_arguments(void)
{
	char **argv = calloc(STRINGS + 1, sizeof(char *));

	if (!claim(argv != NULL, "a long vector"))
		return;
	for (size_t i = 0; i < STRINGS; i++)
		argv[i] = "";
	claim_result(kernel_call(SYS_execve, check.self, argv, environ), -E2BIG,
		"pointers to arguments count as arguments");
	free(argv);
}

/* ---- Numbers ---- */

static void numbers(void)
{
	claim_result(
		kernel_call(SYS_kill, 0x80000000, 0), -ESRCH, "kill of -2^31, which has no group");
	claim_result(kernel_call(0x100000000 + SYS_getppid), getppid(),
		"a call's number is 32 bits of its register");
}

static void all(int argc, char **argv)
{
	(void)argc, (void)argv;
	segments();
	tables();
	entry_points();
	long_call();
	many_areas();
	many_arguments();
	numbers();
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {
		{"far_jump", far_jump}, {"table_address", table_address}, {"hold", hold}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
