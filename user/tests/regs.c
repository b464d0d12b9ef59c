/* SPDX-License-Identifier: MIT */
/*
 * Registers under preemption: processes that fill all of theirs with patterns of their own and look
 * at them in a tight loop, never calling the kernel, so that only timer interrupts switch between
 * them. Whoever finds another's bits, or its own gone, says in which register.
 *
 *	regs [SECONDS]		2 by default; at hz=10000, 10 seconds are 100,000 interrupts
 *
 * One loop of the hammer (assembly below) compares the 16 general registers (the stack pointer
 * is one of them: nothing needs a stack there) and 16 SSE or AVX registers with their patterns in
 * memory, and the flags. After some thousand loops, C looks at the rest: x87 registers and control
 * word, MXCSR, FS and GS base; makes new patterns and goes on. The processes differ in what they
 * use: AVX, SSE only, neither: a kernel that saves lazily must not mix them either.
 */
#include <cpuid.h>

#include "check.h"

#define LOOPS       4096ul
#define ARCH_SET_GS 0x1001
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004
#define FLAGS_KEPT  0x40400ul /* AC and DF: set by the hammer */

enum kind {
	GENERAL = 1,
	SSE2, /* vectors are loaded, and compared only after the loops: no ptest */
	SSE,
	AVX
};

/* What the hammer works on; the assembly below knows the offsets. */
struct hammer {
	uint64_t general[16]; /* 0: rax rbx rcx rdx rsi rdi rbp rsp r8.. */
	uint64_t loops;       /* 128: to go */
	uint64_t saved_sp;    /* 136 */
	uint64_t kind;        /* 144 */
	uint64_t bad;         /* 152: 1: a general register, 2: a vector, 3: flags */
	uint64_t stack[4];    /* 160: for pushf */
	unsigned char vector[16][32] __attribute__((aligned(32))); /* 192 */
	unsigned char found[16][32];                               /* 704: after a run */
	uint64_t found_general[16];                                /* 1216 */
};
struct hammer hammer_data __attribute__((aligned(64)));
void hammer_run(void);

/* Compares in the order of struct hammer; leaves by 2f with `bad` set. */
__asm__(".text\n"
	".macro general register, index\n"
	"	cmp %\\register, hammer_data + 8 * \\index(%rip)\n"
	"	jne 2f\n"
	".endm\n"
	".macro each_general do\n"
	"	\\do rax, 0; \\do rbx, 1; \\do rcx, 2; \\do rdx, 3; \\do rsi, 4; \\do rdi, 5\n"
	"	\\do rbp, 6; \\do rsp, 7; \\do r8, 8; \\do r9, 9; \\do r10, 10; \\do r11, 11\n"
	"	\\do r12, 12; \\do r13, 13; \\do r14, 14; \\do r15, 15\n"
	".endm\n"
	".macro load_general register, index\n"
	"	mov hammer_data + 8 * \\index(%rip), %\\register\n"
	".endm\n"
	".macro store_general register, index\n"
	"	mov %\\register, hammer_data + 1216 + 8 * \\index(%rip)\n"
	".endm\n"
	/* Carry: every bit of the pattern is in the register. Half of a pattern is the complement of
	 * the other half, so another's pattern never covers this one; all the rest memcmp finds. */
	".macro sse index\n"
	"	ptest hammer_data + 192 + 32 * \\index(%rip), %xmm\\index\n"
	"	jnc 3f\n"
	".endm\n"
	".macro avx index\n"
	"	vptest hammer_data + 192 + 32 * \\index(%rip), %ymm\\index\n"
	"	jnc 3f\n"
	".endm\n"
	".macro each_vector do\n"
	"	.irp index, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15\n"
	"	\\do \\index\n"
	"	.endr\n"
	".endm\n"
	".macro load_sse index\n"
	"	movdqa hammer_data + 192 + 32 * \\index(%rip), %xmm\\index\n"
	".endm\n"
	".macro load_avx index\n"
	"	vmovdqa hammer_data + 192 + 32 * \\index(%rip), %ymm\\index\n"
	".endm\n"
	".macro store_sse index\n"
	"	movdqa %xmm\\index, hammer_data + 704 + 32 * \\index(%rip)\n"
	".endm\n"
	".macro store_avx index\n"
	"	vmovdqa %ymm\\index, hammer_data + 704 + 32 * \\index(%rip)\n"
	".endm\n"
	".globl hammer_run\n"
	"hammer_run:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, hammer_data + 136(%rip)\n"
	"	movq $0, hammer_data + 152(%rip)\n"
	"	cmpq $2, hammer_data + 144(%rip)\n"
	"	jb 1f\n"
	"	cmpq $4, hammer_data + 144(%rip)\n"
	"	je 4f\n"
	"	each_vector load_sse\n"
	"	jmp 1f\n"
	"4:	each_vector load_avx\n"
	"1:	pushfq; orq $0x40400, (%rsp); popfq\n" /* AC, DF */
	"	each_general load_general\n"
	"5:	each_general general\n"
	"	cmpq $3, hammer_data + 144(%rip)\n"
	"	jb 7f\n"
	"	ja 6f\n"
	"	each_vector sse\n"
	"	jmp 7f\n"
	"6:	each_vector avx\n"
	"7:	lea hammer_data + 192(%rip), %rsp\n"
	"	pushfq\n"
	"	andq $0x40400, (%rsp)\n"
	"	cmpq $0x40400, (%rsp)\n"
	"	mov hammer_data + 56(%rip), %rsp\n"
	"	jne 8f\n"
	"	decq hammer_data + 128(%rip)\n"
	"	jnz 5b\n"
	"	jmp 9f\n"
	"2:	movq $1, hammer_data + 152(%rip)\n"
	"	jmp 9f\n"
	"3:	movq $2, hammer_data + 152(%rip)\n"
	"	jmp 9f\n"
	"8:	movq $3, hammer_data + 152(%rip)\n"
	"9:	each_general store_general\n"
	"	mov hammer_data + 136(%rip), %rsp\n"
	"	cmpq $2, hammer_data + 144(%rip)\n"
	"	jb 1f\n"
	"	cmpq $4, hammer_data + 144(%rip)\n"
	"	je 4f\n"
	"	each_vector store_sse\n"
	"	jmp 1f\n"
	"4:	each_vector store_avx\n"
	"	vzeroupper\n"
	"1:	pushfq; andq $~0x40400, (%rsp); popfq\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n");

static uint64_t random_state;

static uint64_t next_random(void) /* xorshift64* */
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * UINT64_C(0x2545f4914f6cdd1d);
}

static void new_patterns(void)
{
	struct hammer *h = &hammer_data;

	for (int i = 0; i < 16; i++) {
		uint64_t half[2] = {next_random(), next_random()};

		h->general[i] = next_random();
		for (int part = 0; part < 2; part++) {
			uint64_t word = half[part], opposite = ~half[part];

			memcpy(h->vector[i] + 16 * part, &word, 8);
			memcpy(h->vector[i] + 16 * part + 8, &opposite, 8);
		}
	}
	h->loops = LOOPS;
}

/* x87 and control words: what C sets before a run and finds after it. */
struct extra {
	uint16_t fcw;
	uint32_t mxcsr;
	double x87[8];
	unsigned long fs, gs;
};

static void load_extra(struct extra *e, bool gs)
{
	*e = (struct extra){.fcw = (uint16_t)(0x37f & ~(next_random() & 0xc00)),
		.mxcsr = 0x1f80 | (uint32_t)(next_random() & 0xe000)}; /* rounding, flush to zero */
	for (int i = 0; i < 8; i++)
		e->x87[i] = (double)(int64_t)next_random();
	kernel_call(SYS_arch_prctl, ARCH_GET_FS, &e->fs);
	e->gs = gs ? next_random() & 0x7ffffffff000 : 0;
	kernel_call(SYS_arch_prctl, ARCH_SET_GS, e->gs);
	__asm__ volatile("fninit; fldcw %0; ldmxcsr %1" ::"m"(e->fcw), "m"(e->mxcsr));
	for (int i = 0; i < 8; i++)
		__asm__ volatile("fldl %0" ::"m"(e->x87[i]));
}

/* NULL, or what was wrong. */
static const char *check_extra(const struct extra *e)
{
	struct extra found = {0};
	uint32_t plain_mxcsr = 0x1f80;

	for (int i = 7; i >= 0; i--)
		__asm__ volatile("fstpl %0" : "=m"(found.x87[i]));
	__asm__ volatile("fnstcw %0; stmxcsr %1" : "=m"(found.fcw), "=m"(found.mxcsr));
	__asm__ volatile("fninit; ldmxcsr %0" ::"m"(plain_mxcsr));
	kernel_call(SYS_arch_prctl, ARCH_GET_FS, &found.fs);
	kernel_call(SYS_arch_prctl, ARCH_GET_GS, &found.gs);
	if (memcmp(found.x87, e->x87, sizeof e->x87) != 0)
		return "an x87 register";
	if (found.fcw != e->fcw)
		return "the x87 control word";
	if (found.mxcsr != e->mxcsr)
		return "MXCSR";
	if (found.fs != e->fs)
		return "the FS base";
	return found.gs == e->gs ? NULL : "the GS base";
}

/* Says what the hammer found; true when it was all right. */
static bool judge(enum kind kind, uint64_t round)
{
	static const char names[16][4] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
		"r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"};
	const struct hammer *h = &hammer_data;
	size_t width = kind == AVX ? 32 : 16;
	bool good = h->bad == 0;

	for (int i = 0; i < 16; i++) {
		if (h->found_general[i] != h->general[i]) {
			printf("# round %llu: %s: found %#llx, expected %#llx\n",
				(unsigned long long)round, names[i],
				(unsigned long long)h->found_general[i],
				(unsigned long long)h->general[i]);
			good = false;
		}
		if (kind != GENERAL && memcmp(h->found[i], h->vector[i], width) != 0) {
			printf("# round %llu: %s%d is another's\n", (unsigned long long)round,
				kind == AVX ? "ymm" : "xmm", i);
			good = false;
		}
	}
	if (h->bad == 3)
		printf("# round %llu: flags AC and DF were lost\n", (unsigned long long)round);
	return good;
}

/* hammer KIND SECONDS SEED */
static int hammer(int argc, char **argv)
{
	enum kind kind = (enum kind)atoi(argv[0]);
	int64_t until = now_ns() + strtol(argv[1], NULL, 10) * 1000000000l;

	random_state = strtoul(argv[2], NULL, 0);
	hammer_data.kind = kind;
	for (uint64_t round = 0; now_ns() < until; round++) {
		const char *wrong = NULL;
		struct extra extra;

		new_patterns();
		if (kind != GENERAL)
			load_extra(&extra, round & 1);
		hammer_run();
		if (kind != GENERAL)
			wrong = check_extra(&extra);
		if (wrong)
			printf("# round %llu: %s was lost\n", (unsigned long long)round, wrong);
		if (!judge(kind, round) || wrong)
			return 1;
	}
	return 0;
}

static enum kind widest(void)
{
	unsigned int a, b, c, d, low, high;

	__cpuid(1, a, b, c, d);
	if (!(c & bit_SSE4_1))
		return SSE2;
	if (!(c & bit_OSXSAVE) || !(c & bit_AVX))
		return SSE;
	__asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (low & 6) == 6 ? AVX : SSE;
}

static void all(int argc, char **argv)
{
	static const struct {
		enum kind kind;
		const char *seed, *name;
	} workers[] = {
		{AVX, "0x9e3779b97f4a7c15", "the first with AVX"},
		{AVX, "0xdeadbeefcafef00d", "the second with AVX"},
		{SSE, "0x0123456789abcdef", "one with SSE"},
		{GENERAL, "0xfedcba9876543210", "one with general registers alone"},
	};
	const char *seconds = argc > 1 ? argv[1] : "2";
	enum kind most = widest();
	pid_t pids[COUNT(workers)];

	for (size_t i = 0; i < COUNT(workers); i++) {
		char kind[8];

		snprintf(kind, sizeof kind, "%d",
			(int)(workers[i].kind > most ? most : workers[i].kind));
		pids[i] = start_role("hammer", kind, seconds, workers[i].seed, NULL);
	}
	printf("# %s seconds, vectors: %s\n", seconds,
		most == AVX   ? "AVX"
		: most == SSE ? "SSE4"
			      : "SSE2");
	for (size_t i = 0; i < COUNT(workers); i++)
		claim_ended(wait_status(pids[i]), EXITED(0), workers[i].name);
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"hammer", hammer}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
