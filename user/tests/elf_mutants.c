/* SPDX-License-Identifier: MIT */
/*
 * Thousands of broken programs: two good ELF files, with some fields of their headers changed by a fixed seed, are executed
 * one after the other. Each must be refused with an errno of execve's, or run and end; and the kernel must be whole
 * after it.
 *
 *	elf-mutants list
 *
 * prints what became of each, so that two kernels can be compared. The code of both does nothing but exit, wherever
 * it is entered.
 */
#include "elf_file.h"

#include <limits.h>
#include <sys/resource.h>

#define MUTANTS     3000
#define BATCH       250
#define HEADERS_END (sizeof(Elf64_Ehdr) + 4 * sizeof(Elf64_Phdr))

/* exit_group(42), and in front of it what leads there from every fourth byte */
static const unsigned char exit_42[] = {0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0xb8, 231,
	0, 0, 0, 0xbf, 42, 0, 0, 0, 0x0f, 0x05, 0xf4, 0xf4, 0xf4, 0xf4};
static char *argv_one[] = {"elf", NULL};
static uint64_t state;

static uint64_t next_random(void)
{
	uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static uint64_t below(uint64_t limit)
{
	return next_random() % limit;
}

/* A program with code, data with bss behind it, and a stack that is not executable. */
static void make_good(struct elf_file *elf, bool relocatable)
{
	unsigned long base = relocatable ? 0 : ELF_BASE;

	elf_simple(elf, exit_42, sizeof exit_42);
	elf->header.e_type = relocatable ? ET_DYN : ET_EXEC;
	elf->header.e_entry = base + ELF_CODE;
	elf->segment[0].p_vaddr = elf->segment[0].p_paddr = base;
	elf->segment[1] = (Elf64_Phdr){.p_type = PT_LOAD,
		.p_flags = PF_R | PF_W,
		.p_offset = 0x1000,
		.p_vaddr = base + 0x3000,
		.p_filesz = 0x800,
		.p_memsz = 0x2800,
		.p_align = 4096};
	elf->segment[2] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W};
	elf->segment[3] = (Elf64_Phdr){.p_type = PT_NOTE, .p_offset = 0x200, .p_filesz = 32};
	elf->header.e_phnum = 4;
	elf->size = 0x1800;
}

static uint64_t odd_value(void)
{
	static const uint64_t values[] = {0, 1, 2, 3, 4, 6, 55, 56, 57, 63, 64, 0xfff, 0x1000,
		0x1001, 0x17ff, 0x1800, 0x3000, 0x3fff, ELF_BASE, ELF_BASE + 0x1000, 0xffff,
		0x10000, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7ffffffff000,
		0x7fffffffffff, 0x800000000000, 0xffff800000000000, INT64_MAX, UINT64_C(1) << 63,
		UINT64_MAX - 4095, UINT64_MAX};

	return below(5) ? values[below(COUNT(values))] : next_random();
}

static void mutate(struct elf_file *elf)
{
	for (uint64_t n = 1 + below(3); n > 0; n--) {
		size_t width = (size_t)1 << below(4);
		/* the magic is nearly always left: without it nothing is looked at */
		size_t at = (below(16) ? 16 : 0) / width * width;
		uint64_t value = odd_value();

		at += below((HEADERS_END - at) / width) * width;
		if (below(3))
			memcpy(elf->bytes + at, &value, width);
		else
			elf->bytes[at] ^= (unsigned char)(1u << below(8));
	}
	if (!below(16))
		elf->size = below(elf->size + 1);
}

/* What became of the nth: the wait status, or the negative errno of execve. */
static int run_mutant(unsigned n)
{
	static struct elf_file elf;

	state = n;
	make_good(&elf, below(3) == 0);
	mutate(&elf);
	return elf_run(&elf, argv_one);
}

static bool is_right(int result)
{
	static const int refusals[] = {
		ENOEXEC, EINVAL, ENOMEM, EIO, ENOENT, EACCES, EFAULT, ELIBBAD, EEXIST, EPERM};
	static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGKILL};

	for (size_t i = 0; result < 0 && i < COUNT(refusals); i++)
		if (result == -refusals[i])
			return true;
	for (size_t i = 0; result >= 0 && i < COUNT(signals); i++)
		if (WIFSIGNALED(result) && WTERMSIG(result) == signals[i])
			return true;
	return result >= 0 && WIFEXITED(result) && WEXITSTATUS(result) == 42;
}

/* Baton looks itself over, and panics if something is not as it must be. */
static bool kernel_is_whole(void)
{
	int fd = open("/proc/baton/audit", O_WRONLY | O_CLOEXEC);
	bool whole = fd < 0 || write(fd, "1", 1) == 1;

	if (fd >= 0)
		close(fd);
	return whole;
}

static void prepare(void)
{
	struct rlimit none = {0, 0}, seconds = {60, 60};
	int null = open("/dev/null", O_RDONLY);

	dup2(null, 0);
	close(null);
	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_CPU, &seconds);
}

static void all(int argc, char **argv)
{
	prepare();
	for (unsigned first = 0; first < MUTANTS; first += BATCH) {
		unsigned right = 0;

		for (unsigned n = first; n < first + BATCH; n++) {
			int result = run_mutant(n);

			right += is_right(result);
			if (!is_right(result))
				printf("# mutant %u: %d (%#x)\n", n, result, (unsigned)result);
		}
		claim(right == BATCH && kernel_is_whole(),
			"mutants %u to %u: each refused, or run to its end", first,
			first + BATCH - 1);
	}
}

static int list(void)
{
	prepare();
	for (unsigned n = 0; n < MUTANTS; n++) {
		int result = run_mutant(n);

		if (result < 0)
			printf("%u: %s\n", n, strerror(-result));
		else
			printf("%u: status %#x\n", n, (unsigned)result);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "list") == 0)
		return list();
	return check_main(argc, argv, NULL, 0, all);
}
