/* SPDX-License-Identifier: MIT */
/*
 * Eve: she shares the machine with Alice and means harm. Each role is one crime that an ordinary
 * program can attempt without anybody's help; the kernel's answer is the lesson.
 *
 *	eve ROLE [ADDRESS]		eve alone lists the roles
 *
 * A crime that the CPU stops ends her by a signal, the same one that Linux gives. If she survives
 * it, the kernel has failed: she says so and ends with status 66. `loop` and `forge` break no rule
 * of the CPU: `loop` goes on until somebody kills her, `forge` ends with 0 when every call refused.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ALICE_SECRET  0x10000000ul         /* demos/alice.c keeps it here */
#define KERNEL_IMAGE  0xffffffff80000000ul /* where kernels are linked */
#define KERNEL_MEMORY 0xffff888000000000ul /* where they keep a view of all RAM */
#define SURVIVED      66

static unsigned long target = ALICE_SECRET;

/* Never yields, never sleeps, never calls the kernel: only the timer can take the CPU from her. */
static void loop(void)
{
	for (;;)
		__asm__ volatile("" ::: "memory");
}

static void peek(void)
{
	unsigned char found = *(volatile unsigned char *)target;

	printf("Eve: I read %#x at %#lx!\n", found, target);
}

static void poke(void)
{
	*(volatile unsigned char *)target = 'E';
	printf("Eve: I wrote to %#lx!\n", target);
}

/* Runs her stack off its end: each call takes a page of it. */
static int deeper(int depth)
{
	volatile char page[4096];

	page[0] = (char)depth;
	return depth < 0 ? 0 : deeper(depth + 1) + page[0];
}

static void smash(void)
{
	printf("Eve: %d levels deep and still here!\n", deeper(0));
}

/* Writes into her own code, which is read-only. */
static void rewrite(void)
{
	*(volatile unsigned char *)(uintptr_t)peek = 0xc3;
}

/* Runs what she wrote on her own stack, which is not executable. */
static void inject(void)
{
	unsigned char ret[16] = {0xc3};
	uintptr_t code = (uintptr_t)ret;

	__asm__ volatile("" ::"r"(ret) : "memory");
	((void (*)(void))code)();
}

/* Privileged instructions: ring 3 may run none of them. (Each uses registers that a call may.) */
#define PRIVILEGED(name, text)                           \
	static __attribute__((noinline)) void name(void) \
	{                                                \
		__asm__ volatile(text);                  \
	}
PRIVILEGED(cli, "cli")
PRIVILEGED(sti, "sti")
PRIVILEGED(hlt, "hlt")
PRIVILEGED(lgdt, "lgdt (%rsp)")
PRIVILEGED(lidt, "lidt (%rsp)")
PRIVILEGED(ltr, "xor %eax, %eax; ltr %ax")
PRIVILEGED(cr0, "mov %cr0, %rax; and $~0x10000, %eax; mov %rax, %cr0")
PRIVILEGED(cr3, "mov %cr3, %rax")
PRIVILEGED(cr4, "xor %eax, %eax; mov %rax, %cr4")
PRIVILEGED(rdmsr, "mov $0xc0000082, %ecx; rdmsr")
PRIVILEGED(wrmsr, "mov $0xc0000082, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr")
PRIVILEGED(invlpg, "invlpg (%rsp)")
PRIVILEGED(wbinvd, "wbinvd")
PRIVILEGED(swapgs, "swapgs")
PRIVILEGED(sysret, "sysretq")
PRIVILEGED(port_in, "in $0x60, %al")
PRIVILEGED(port_out, "mov $0xfe, %al; out %al, $0x64") /* would reset the machine */
PRIVILEGED(interrupt, "int $14")                       /* pretends to be a page fault */

/* Passes `pointer` to one system call after another; true when all of them refused. */
static int forge_at(unsigned long pointer)
{
	static const struct {
		const char *name;
		long number, a, b, c, d;
		int pointer_at; /* which argument is forged */
		int expected;
	} calls[] = {
		{"write", SYS_write, 1, 0, 16, 0, 1, EFAULT},
		{"read", SYS_read, 0, 0, 16, 0, 1, EFAULT},
		{"uname", SYS_uname, 0, 0, 0, 0, 0, EFAULT},
		{"getrandom", SYS_getrandom, 0, 16, 0, 0, 0, EFAULT},
		{"clock_gettime", SYS_clock_gettime, 1, 0, 0, 0, 1, EFAULT},
		{"nanosleep", SYS_nanosleep, 0, 0, 0, 0, 0, EFAULT},
		{"writev", SYS_writev, 1, 0, 1, 0, 1, EFAULT},
		{"execve", SYS_execve, 0, 0, 0, 0, 0, EFAULT},
		{"arch_prctl", SYS_arch_prctl, 0x1002, 0, 0, 0, 1, EPERM},
		{"munmap", SYS_munmap, 0, 4096, 0, 0, 0, EINVAL},
		{"mprotect", SYS_mprotect, 0, 4096, 7, 0, 0, ENOMEM},
	};
	int refused = 1;

	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		long arguments[4] = {calls[i].a, calls[i].b, calls[i].c, calls[i].d};
		long result;

		arguments[calls[i].pointer_at] = (long)pointer;
		result = syscall(
			calls[i].number, arguments[0], arguments[1], arguments[2], arguments[3]);
		if (result == -1 && errno == calls[i].expected)
			continue;
		printf("Eve: %s with %#lx gave %ld (%s)!\n", calls[i].name, pointer, result,
			result == -1 ? strerror(errno) : "success");
		refused = 0;
	}
	return refused;
}

/* The kernel may touch its own memory: will it do so for her, if she passes it the address? */
static void forge(void)
{
	int refused = forge_at(KERNEL_IMAGE) & forge_at(KERNEL_MEMORY);

	if (!refused)
		return;
	printf("Eve: every call refused my forged pointers\n");
	exit(0);
}

static const struct role {
	const char *name;
	void (*act)(void);
	const char *plan;
} roles[] = {
	{"loop", loop, "I keep the CPU and never give it back"},
	{"peek", peek, "I read memory that is not mine"},
	{"poke", poke, "I overwrite memory that is not mine"},
	{"forge", forge, "I pass the kernel its own addresses"},
	{"smash", smash, "I run my stack off its end"},
	{"rewrite", rewrite, "I change my own code"},
	{"inject", inject, "I run code from my stack"},
	{"cli", cli, "I turn interrupts off"},
	{"sti", sti, "I turn interrupts on"},
	{"hlt", hlt, "I halt the CPU"},
	{"lgdt", lgdt, "I load segments of my own"},
	{"lidt", lidt, "I load an interrupt table of my own"},
	{"ltr", ltr, "I load a task register of my own"},
	{"cr0", cr0, "I turn write protection off"},
	{"cr3", cr3, "I ask where the page tables are"},
	{"cr4", cr4, "I turn SMEP and SMAP off"},
	{"rdmsr", rdmsr, "I ask where system calls enter the kernel"},
	{"wrmsr", wrmsr, "I move the door of the system calls"},
	{"invlpg", invlpg, "I drop a translation"},
	{"wbinvd", wbinvd, "I flush the caches of everybody"},
	{"swapgs", swapgs, "I take the kernel's per-CPU data"},
	{"sysret", sysret, "I return from a system call that nobody made"},
	{"in", port_in, "I read the keyboard's port"},
	{"out", port_out, "I reset the machine through the keyboard controller"},
	{"int", interrupt, "I pretend to be a page fault"},
};

static int usage(void)
{
	printf("eve ROLE [alice|kernel|memory|ADDRESS]\n");
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		printf("  %-8s %s\n", roles[i].name, roles[i].plan);
	return 2;
}

static unsigned long parse_target(const char *word)
{
	if (strcmp(word, "alice") == 0)
		return ALICE_SECRET;
	if (strcmp(word, "kernel") == 0)
		return KERNEL_IMAGE;
	if (strcmp(word, "memory") == 0)
		return KERNEL_MEMORY;
	return strtoul(word, NULL, 0);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0); /* a line is one write, whoever else is printing */
	if (argc < 2)
		return usage();
	if (argc > 2)
		target = parse_target(argv[2]);
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++) {
		if (strcmp(argv[1], roles[i].name) != 0)
			continue;
		printf("Eve (pid %d, %s%s%s): %s\n", getpid(), argv[1], argc > 2 ? " " : "",
			argc > 2 ? argv[2] : "", roles[i].plan);
		roles[i].act();
		printf("Eve: I got away with %s!\n", argv[1]);
		return SURVIVED;
	}
	fprintf(stderr, "eve: no role \"%s\"\n", argv[1]);
	return usage();
}
