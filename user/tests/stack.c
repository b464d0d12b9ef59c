/* SPDX-License-Identifier: MIT */
/*
 * The initial stack, as the System V ABI for x86-64 (3.4.1) and Linux lay it out: argc, argv, envp,
 * auxiliary vector, alignment; the strings behind them; and that a program starts with clean
 * registers. What the C library got at its entry is found again through argv, which it does not move.
 */
#include <elf.h>
#include <sys/mman.h>

#include "check.h"

extern const char _start[], __ehdr_start[], _end[];

static const Elf64_auxv_t *auxv;
static size_t auxv_count;

static const Elf64_auxv_t *find(uint64_t type)
{
	for (size_t i = 0; i < auxv_count; i++) {
		if (auxv[i].a_type == type)
			return &auxv[i];
	}
	return NULL;
}

static uint64_t value(uint64_t type)
{
	const Elf64_auxv_t *entry = find(type);

	return entry ? entry->a_un.a_val : ~UINT64_C(0);
}

static void layout(int argc, char **argv)
{
	uint64_t *bottom = (uint64_t *)argv - 1;
	char **envp = argv + argc + 1;

	claim((uintptr_t)bottom % 16 == 0, "the stack pointer was aligned to 16 at entry");
	claim_equal((long)*bottom, argc, "argc stands at the stack pointer");
	claim(argv[argc] == NULL, "argv ends with NULL");
	claim(environ == envp, "envp follows");
	while (*envp)
		envp++;
	auxv = (const Elf64_auxv_t *)(envp + 1);
	while (auxv[auxv_count].a_type != AT_NULL && auxv_count < 64)
		auxv_count++;
	claim(auxv_count > 6 && auxv_count < 64, "the auxiliary vector follows and ends");
	claim((uintptr_t)argv[0] > (uintptr_t)&auxv[auxv_count], "the strings stand above");
	claim(argc < 2 || argv[1] == argv[0] + strlen(argv[0]) + 1, "and one behind the other");
}

static void headers(void)
{
	const Elf64_Ehdr *elf = (const Elf64_Ehdr *)__ehdr_start;
	const Elf64_Phdr *phdr = (const Elf64_Phdr *)value(AT_PHDR);

	claim_equal((long)phdr, (long)((uintptr_t)elf + elf->e_phoff), "AT_PHDR");
	claim_equal((long)value(AT_PHENT), sizeof(Elf64_Phdr), "AT_PHENT");
	claim_equal((long)value(AT_PHNUM), elf->e_phnum, "AT_PHNUM");
	claim_equal((long)value(AT_ENTRY), (long)(uintptr_t)_start, "AT_ENTRY");
	claim_equal((long)value(AT_BASE), 0, "AT_BASE: no interpreter");
	claim_equal((long)value(AT_FLAGS), 0, "AT_FLAGS");
	claim_equal((long)value(AT_PAGESZ), 4096, "AT_PAGESZ");
}

static void identity(char **argv)
{
	const char *name = (const char *)find(AT_EXECFN)->a_un.a_val;
	const char *platform = find(AT_PLATFORM) ? (const char *)value(AT_PLATFORM) : "";
	unsigned int a, b, c, d;

	claim(find(AT_EXECFN) && strcmp(name, argv[0]) == 0, "AT_EXECFN is the path");
	claim(strcmp(platform, "x86_64") == 0, "AT_PLATFORM is x86_64");
	claim(find(AT_UID) && value(AT_UID) == value(AT_EUID), "AT_UID and AT_EUID");
	claim(find(AT_GID) && value(AT_GID) == value(AT_EGID), "AT_GID and AT_EGID");
	claim_equal((long)value(AT_SECURE), 0, "AT_SECURE");
	claim_equal((long)value(AT_CLKTCK), 100, "AT_CLKTCK");
	__asm__("cpuid" : "=a"(a), "=b"(b), "=c"(c), "=d"(d) : "0"(1));
	claim_equal((long)value(AT_HWCAP), d, "AT_HWCAP is edx of CPUID 1");
}

/* In the child: argv[0] is the parent's AT_RANDOM in hexadecimal. */
static void random_hex(char *text)
{
	const unsigned char *bytes = (const unsigned char *)value(AT_RANDOM);

	for (int i = 0; i < 16; i++)
		sprintf(text + 2 * i, "%02x", bytes[i]);
}

static int other_random(int argc, char **argv)
{
	char mine[33];
	char **end = environ;

	while (*end)
		end++;
	auxv = (const Elf64_auxv_t *)(end + 1);
	while (auxv[auxv_count].a_type != AT_NULL)
		auxv_count++;
	random_hex(mine);
	return strcmp(mine, argv[0]) == 0;
}

static void randomness(void)
{
	char mine[33], zeros[33] = {0};

	memset(zeros, '0', 32);
	if (!claim(find(AT_RANDOM) != NULL, "AT_RANDOM"))
		return;
	random_hex(mine);
	claim(strcmp(mine, zeros) != 0, "AT_RANDOM points to 16 bytes that are not 0");
	claim_ended(run_role("random", mine), EXITED(0), "the next program gets other ones");
}

/* A program of 30 instructions that exits with the number of registers that were not clean. */
static const unsigned char probe[] = {
	/* or rax,rbx ... into rax: all but rsp */
	0x48, 0x09, 0xd8, 0x48, 0x09, 0xc8, 0x48, 0x09, 0xd0, 0x48, 0x09, 0xf0, 0x48, 0x09, 0xf8,
	0x48, 0x09, 0xe8, 0x4c, 0x09, 0xc0, 0x4c, 0x09, 0xc8, 0x4c, 0x09, 0xd0, 0x4c, 0x09, 0xd8,
	0x4c, 0x09, 0xe0, 0x4c, 0x09, 0xe8, 0x4c, 0x09, 0xf0, 0x4c, 0x09, 0xf8, 0x31,
	0xff,                                     /* xor edi, edi */
	0x48, 0x85, 0xc0,                         /* test rax, rax */
	0x40, 0x0f, 0x95, 0xc7,                   /* setne dil: 1 a general register */
	0x0f, 0xae, 0x5c, 0x24, 0xf8,             /* stmxcsr [rsp-8] */
	0x81, 0x7c, 0x24, 0xf8, 0x80, 0x1f, 0, 0, /* cmp dword [rsp-8], 0x1f80 */
	0x74, 0x03, 0x83, 0xcf, 0x02,             /* je +3; or edi, 2: MXCSR */
	0xd9, 0x7c, 0x24, 0xf8,                   /* fnstcw [rsp-8] */
	0x66, 0x81, 0x7c, 0x24, 0xf8, 0x7f, 0x03, /* cmp word [rsp-8], 0x37f */
	0x74, 0x03, 0x83, 0xcf, 0x04,             /* je +3; or edi, 4: x87 control word */
	0x66, 0x0f, 0xeb, 0xc1,                   /* por xmm0, xmm1 */
	0x66, 0x41, 0x0f, 0xeb, 0xc7,             /* por xmm0, xmm15 */
	0x66, 0x48, 0x0f, 0x7e, 0xc0,             /* movq rax, xmm0 */
	0x48, 0x85, 0xc0,                         /* test rax, rax */
	0x74, 0x03, 0x83, 0xcf, 0x08,             /* je +3; or edi, 8: SSE */
	0x9c, 0x58,                               /* pushfq; pop rax */
	0xa9, 0x00, 0x05, 0x04, 0x00,             /* test eax, AC | DF | TF */
	0x74, 0x03, 0x83, 0xcf, 0x10,             /* je +3; or edi, 16: flags */
	0xf6, 0xc4, 0x02,                         /* test ah, 2 */
	0x75, 0x03, 0x83, 0xcf, 0x20,             /* jne +3; or edi, 32: interrupts off */
	0x40, 0xf6, 0xc4, 0x0f,                   /* test spl, 15 */
	0x74, 0x03, 0x83, 0xcf, 0x40,             /* je +3; or edi, 64: alignment */
	0xb8, 0xe7, 0, 0, 0, 0x0f, 0x05,          /* mov eax, exit_group; syscall */
};

#include "elf_file.h"

static void clean_registers(void)
{
	struct elf_file elf;
	char *argv[] = {"probe", NULL};

	/* Dirt that must not come through. */
	__asm__ volatile(
		"pcmpeqd %%xmm0, %%xmm0; pcmpeqd %%xmm1, %%xmm1; pcmpeqd %%xmm15, %%xmm15" ::
			: "xmm0", "xmm1", "xmm15");
	elf_simple(&elf, probe, sizeof probe);
	claim_ended(elf_run(&elf, argv), EXITED(0), "a program starts with clean registers");
}

static void all(int argc, char **argv)
{
	layout(argc, argv);
	headers();
	identity(argv);
	randomness();
	clean_registers();
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"random", other_random}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
