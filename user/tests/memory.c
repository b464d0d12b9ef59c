/* SPDX-License-Identifier: MIT */
/*
 * Memory: anonymous mappings, their protection, brk, the stack. What a fault must end happens in
 * a child: `touch HOW WHERE` in a mapping that it makes ready first, status 0 when it survived.
 */
#include <sys/mman.h>

#include "check.h"

#define PAGE    4096ul
#define KERNEL  0xffffffff80000000ul
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define RW      (PROT_READ | PROT_WRITE)
#define FIXED   0x20000000ul /* a free place in a program that is linked at 4 MiB */

/* The first address that is nobody's; with 5-level paging Linux has more. */
static unsigned long task_end = 0x00007ffffffff000ul;

static long map(unsigned long at, unsigned long size, int protection, int flags)
{
	return kernel_call(SYS_mmap, at, size, protection, flags, -1, 0);
}

static long unmap(unsigned long at, unsigned long size)
{
	return kernel_call(SYS_munmap, at, size);
}

static long protect(unsigned long at, unsigned long size, int protection)
{
	return kernel_call(SYS_mprotect, at, size, protection);
}

static bool all_zero(const unsigned char *p, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (p[i])
			return false;
	}
	return true;
}

static bool all_are(const unsigned char *p, size_t size, unsigned char byte)
{
	for (size_t i = 0; i < size; i++) {
		if (p[i] != byte)
			return false;
	}
	return true;
}

/* ---- What a child does before it touches ---- */

static void prepare_unmapped(void)
{
	unmap(FIXED + PAGE, PAGE);
}

static void prepare_none(void)
{
	protect(FIXED + PAGE, PAGE, PROT_NONE);
}

static void prepare_read(void)
{
	protect(FIXED + PAGE, PAGE, PROT_READ);
}

static void prepare_write_only(void)
{
	protect(FIXED + PAGE, PAGE, PROT_WRITE);
}

static void prepare_exec(void)
{
	protect(FIXED + PAGE, PAGE, PROT_READ | PROT_EXEC);
}

static void prepare_back(void)
{
	prepare_none();
	protect(FIXED + PAGE, PAGE, RW);
}

static void prepare_replaced(void)
{
	map(FIXED + PAGE, PAGE, PROT_READ, PRIVATE | MAP_FIXED);
}

static void prepare_nothing(void)
{
}

static const struct state {
	const char *name;
	void (*prepare)(void);
	bool read, write, execute; /* what must be allowed of the middle page then */
} states[] = {
	{"untouched", prepare_nothing, true, true, false},
	{"unmapped", prepare_unmapped, false, false, false},
	{"PROT_NONE", prepare_none, false, false, false},
	{"PROT_READ", prepare_read, true, false, false},
	{"PROT_WRITE", prepare_write_only, true, true, false},
	{"PROT_READ|EXEC", prepare_exec, true, false, true},
	{"none and back", prepare_back, true, true, false},
	{"mapped over, PROT_READ", prepare_replaced, true, false, false},
};

/* touch STATE r|w|x PAGE: three pages at FIXED, all written to; then STATE; then one access. */
static int touch(int argc, char **argv)
{
	volatile unsigned char *p = (unsigned char *)FIXED;
	size_t offset = (size_t)(argv[2][0] - '0') * PAGE;

	map(FIXED, 3 * PAGE, RW, PRIVATE | MAP_FIXED);
	for (size_t i = 0; i < 3 * PAGE; i++)
		p[i] = 0xc3; /* ret */
	for (size_t i = 0; i < COUNT(states); i++) {
		if (strcmp(states[i].name, argv[0]) == 0)
			states[i].prepare();
	}
	if (argv[1][0] == 'r')
		(void)p[offset];
	else if (argv[1][0] == 'w')
		p[offset] = 1;
	else
		((void (*)(void))(FIXED + offset))();
	return 0;
}

static void protections(void)
{
	char name[96];

	for (size_t i = 0; i < COUNT(states); i++) {
		const struct state *s = &states[i];
		const bool allowed[3] = {s->read, s->write, s->execute};

		for (int way = 0; way < 3; way++) {
			const char letter[2] = {"rwx"[way], 0};

			snprintf(name, sizeof name, "%s: %s", s->name,
				(const char *[]){"read", "write", "execute"}[way]);
			claim_ended(run_role("touch", s->name, letter, "1"),
				allowed[way] ? EXITED(0) : KILLED(SIGSEGV), name);
		}
		snprintf(name, sizeof name, "%s: the page before is as it was", s->name);
		claim_ended(run_role("touch", s->name, "w", "0"), EXITED(0), name);
		snprintf(name, sizeof name, "%s: the page behind is as it was", s->name);
		claim_ended(run_role("touch", s->name, "w", "2"), EXITED(0), name);
	}
}

/* ---- mmap ---- */

static void mapping(void)
{
	unsigned char *p = (unsigned char *)map(0, 16 * PAGE, RW, PRIVATE), *q;

	claim((unsigned long)p % PAGE == 0 && (unsigned long)p < task_end, "mmap");
	claim(all_zero(p, 16 * PAGE), "mmap: zeroes");
	memset(p, 0x5a, 16 * PAGE);
	q = (unsigned char *)map(0, 16 * PAGE, RW, PRIVATE);
	claim(q + 16 * PAGE <= p || p + 16 * PAGE <= q, "a second mapping is elsewhere");
	claim(all_zero(q, 16 * PAGE) && all_are(p, 16 * PAGE, 0x5a), "and is its own");
	claim_result(unmap((unsigned long)p + 4 * PAGE, 8 * PAGE), 0, "munmap of the middle");
	claim(all_are(p, 4 * PAGE, 0x5a) && all_are(p + 12 * PAGE, 4 * PAGE, 0x5a),
		"munmap of the middle leaves the rest");
	claim_result(map((unsigned long)p + 4 * PAGE, 8 * PAGE, RW, PRIVATE | MAP_FIXED),
		(long)p + 4 * (long)PAGE, "mmap MAP_FIXED into the hole");
	claim(all_zero(p + 4 * PAGE, 8 * PAGE), "and it is zero again");
	memset(p, 0x77, 16 * PAGE);
	claim_result(map((unsigned long)p + PAGE, PAGE, RW, PRIVATE | MAP_FIXED), (long)(p + PAGE),
		"mmap MAP_FIXED over a mapping");
	claim(all_zero(p + PAGE, PAGE) && all_are(p, PAGE, 0x77) &&
			all_are(p + 2 * PAGE, PAGE, 0x77),
		"replaces that page alone");
	claim_result(unmap((unsigned long)p, 16 * PAGE), 0, "munmap across several mappings");
	claim_result(unmap((unsigned long)p, 16 * PAGE), 0, "munmap of nothing: 0");
	claim_result(map((unsigned long)p, PAGE, RW, PRIVATE), (long)p,
		"a hint at a free page is taken");
	claim(map((unsigned long)p, PAGE, RW, PRIVATE) != (long)p, "a hint at a used page is not");
	claim_result(unmap((unsigned long)q + 1, PAGE), -EINVAL, "munmap, unaligned: EINVAL");
	claim_result(unmap((unsigned long)q, 1), 0, "munmap of one byte takes the page");
}

static void mapping_errors(void)
{
	claim_result(map(0, 0, RW, PRIVATE), -EINVAL, "mmap of nothing: EINVAL");
	claim_result(map(0, PAGE, RW, MAP_ANONYMOUS), -EINVAL, "mmap, neither kind: EINVAL");
	claim_result(
		map(FIXED + 1, PAGE, RW, PRIVATE | MAP_FIXED), -EINVAL, "mmap FIXED + 1: EINVAL");
	claim_result(
		map(task_end, PAGE, RW, PRIVATE | MAP_FIXED), -ENOMEM, "mmap at the end: ENOMEM");
	claim_result(map(KERNEL, PAGE, RW, PRIVATE | MAP_FIXED), -ENOMEM, "mmap, kernel: ENOMEM");
	claim_result(map(task_end - PAGE, 2 * PAGE, RW, PRIVATE | MAP_FIXED), -ENOMEM,
		"mmap across the end: ENOMEM");
	claim_result(map(0, 1ul << 56, RW, PRIVATE), -ENOMEM, "mmap of 64 PiB: ENOMEM");
	claim_result(map(0, -PAGE, RW, PRIVATE), -ENOMEM, "mmap of 2^64 - 4096: ENOMEM");
	claim_result(map(0, ~0ul, RW, PRIVATE), -ENOMEM, "mmap of 2^64 - 1: ENOMEM");
	claim_result(kernel_call(SYS_mmap, 0, PAGE, RW, MAP_PRIVATE, 999, 0), -EBADF,
		"mmap of a file, no such fd: EBADF");
	claim_result(kernel_call(SYS_mmap, 0, PAGE, RW, MAP_PRIVATE, 999, 1), -EINVAL,
		"mmap of a file, odd offset: EINVAL");
	claim_result(unmap(0, 0), -EINVAL, "munmap of nothing: EINVAL");
	claim_result(unmap(KERNEL, PAGE), -EINVAL, "munmap, kernel: EINVAL");
	claim_result(unmap(task_end - PAGE, 2 * PAGE), -EINVAL, "munmap across the end: EINVAL");
	claim_result(unmap(0, ~0ul), -EINVAL, "munmap of all: EINVAL");
}

static void protecting_errors(void)
{
	unsigned long p = (unsigned long)map(0, 4 * PAGE, RW, PRIVATE);

	unmap(p + 2 * PAGE, PAGE);
	claim_result(protect(p, 2 * PAGE, PROT_READ), 0, "mprotect");
	claim_result(protect(p, 4 * PAGE, PROT_READ), -ENOMEM, "mprotect over a hole: ENOMEM");
	claim_result(protect(p + 1, PAGE, PROT_READ), -EINVAL, "mprotect, unaligned: EINVAL");
	claim_result(protect(p, 0, PROT_READ), 0, "mprotect of nothing: 0");
	claim_result(protect(p, PAGE, 0x80), -EINVAL, "mprotect, bad protection: EINVAL");
	claim_result(protect(KERNEL, PAGE, PROT_READ), -ENOMEM, "mprotect, kernel: ENOMEM");
	claim_result(protect(p, ~0ul - 2 * PAGE, PROT_READ), -ENOMEM, "mprotect, wrapping: ENOMEM");
	claim_result(protect(p, PAGE, RW | PROT_EXEC), 0, "mprotect, all three when asked for");
	unmap(p, 4 * PAGE);
}

/* A mapping larger than the memory costs only what is touched. */
static void large(void)
{
	unsigned long size = 8ul << 30, step = size / 64;
	unsigned char *p = (unsigned char *)map(0, size, RW, PRIVATE | MAP_NORESERVE);
	bool good = true;

	if (!claim((long)p > 0, "mmap of 8 GiB, NORESERVE"))
		return;
	for (unsigned long at = 0; at < size; at += step)
		p[at] = (unsigned char)(at / step + 1);
	for (unsigned long at = 0; at < size; at += step)
		good &= p[at] == at / step + 1 && p[at + 1] == 0;
	claim(good, "64 pages of it hold what was written");
	claim_result(unmap((unsigned long)p, size), 0, "munmap of 8 GiB");
}

/* Memory comes back: 768 MiB in turn, through a machine that may have less. */
static void reuse(void)
{
	bool good = true;

	for (int turn = 0; turn < 48 && good; turn++) {
		unsigned char *p = (unsigned char *)map(0, 16ul << 20, RW, PRIVATE);

		good = (long)p > 0;
		for (unsigned long at = 0; good && at < 16ul << 20; at += PAGE) {
			good = p[at] == 0 && p[at + PAGE - 1] == 0;
			p[at] = p[at + PAGE - 1] = (unsigned char)turn | 1;
		}
		good = good && unmap((unsigned long)p, 16ul << 20) == 0;
	}
	claim(good, "48 times 16 MiB, mapped, found zero, written, unmapped");
}

/* Many mappings in one address space, every other one taken away again. */
static void splitting(void)
{
	unsigned long p = (unsigned long)map(0, 1000 * PAGE, RW, PRIVATE);
	bool good = true;

	for (unsigned long i = 0; i < 1000; i++)
		*(unsigned long *)(p + i * PAGE) = i;
	for (unsigned long i = 0; i < 1000; i += 2)
		good &= unmap(p + i * PAGE, PAGE) == 0;
	for (unsigned long i = 1; i < 1000; i += 2)
		good &= *(unsigned long *)(p + i * PAGE) == i;
	for (unsigned long i = 0; i < 1000; i += 2)
		good &= map(p + i * PAGE, PAGE, RW, PRIVATE | MAP_FIXED) == (long)(p + i * PAGE);
	for (unsigned long i = 0; i < 1000; i++)
		good &= *(unsigned long *)(p + i * PAGE) == (i & 1 ? i : 0);
	claim(good, "500 holes made and filled again");
	claim_result(unmap(p, 1000 * PAGE), 0, "munmap of them all");
}

/* ---- brk ---- */

static void breaking(void)
{
	unsigned long start = (unsigned long)kernel_call(SYS_brk, 0), top = start + 10 * PAGE;

	claim(start > 0 && start < task_end, "brk(0) tells the break");
	claim_result(kernel_call(SYS_brk, top), (long)top, "brk up");
	claim(all_zero((unsigned char *)start, 10 * PAGE), "brk: zeroes");
	memset((unsigned char *)start, 0x33, 10 * PAGE);
	claim_result(kernel_call(SYS_brk, start + PAGE), (long)(start + PAGE), "brk down");
	claim(all_are((unsigned char *)start, PAGE, 0x33), "brk down leaves what is below");
	claim_result(kernel_call(SYS_brk, top), (long)top, "brk up again");
	claim(all_zero((unsigned char *)(start + 2 * PAGE), 8 * PAGE), "brk up again: zeroes");
	claim_result(kernel_call(SYS_brk, start + 5), (long)(start + 5), "brk to an odd byte");
	claim_result(
		kernel_call(SYS_brk, KERNEL), (long)(start + 5), "brk to the kernel: no change");
	claim_result(
		kernel_call(SYS_brk, 4096), (long)(start + 5), "brk below its start: no change");
	claim_result(
		kernel_call(SYS_brk, start + (1ul << 56)), (long)(start + 5), "brk by 64 PiB: no");
	kernel_call(SYS_brk, start);
	map((start + PAGE - 1) & ~(PAGE - 1), PAGE, PROT_NONE,
		PRIVATE | MAP_FIXED); /* as musl's malloc does */
	claim_result(kernel_call(SYS_brk, start + 2 * PAGE), (long)start,
		"brk into a mapping: no change");
}

/* ---- The stack ---- */

/* grow BYTES: touches the stack that far down, page by page. */
static int grow(int argc, char **argv)
{
	unsigned long bytes = strtoul(argv[0], NULL, 0);
	volatile char *top = (volatile char *)__builtin_frame_address(0);

	for (unsigned long down = 0; down < bytes; down += PAGE) {
		top[-(long)down] = 1; /* far below the stack pointer: allowed since Linux 4.20 */
	}
	return 0;
}

static void stack(void)
{
	claim_ended(run_role("grow", "0x100000"), EXITED(0), "the stack grows to 1 MiB");
	claim_ended(run_role("grow", "0x700000"), EXITED(0), "the stack grows to 7 MiB");
	claim_ended(run_role("grow", "0x900000"), KILLED(SIGSEGV), "the stack ends at 8 MiB");
}

static void all(int argc, char **argv)
{
	if (map(1ul << 50, PAGE, RW, PRIVATE | MAP_FIXED) == 1l << 50)
		task_end = 0x00fffffffffff000ul;
	mapping();
	mapping_errors();
	protections();
	protecting_errors();
	large();
	reuse();
	splitting();
	breaking();
	stack();
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"touch", touch}, {"grow", grow}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
