/* SPDX-License-Identifier: MIT */
/*
 * What the kernel lets out: addresses of its own in what it copies out, in text and in registers; bytes that nobody
 * has set; what others left in pages, FPU and debug registers. Memory is filled with POISON before a call, so that what
 * was not written can be told from what was. See attack.h.
 */
#include "attacks/attack.h"

#include <dirent.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/time.h>
#include <sys/user.h>
#include <ucontext.h>

#include "attacks/leaks.h"

#define MANY_PAGES 2048u

/* Small negative numbers and all-ones are no addresses; the page of old calls is Linux's and public. */
bool is_kernel_address(uint64_t value)
{
	return value >= 0xffff800000000000 && value < 0xfffffffff0000000 &&
	       (value & ~0xfffull) != 0xffffffffff600000 && (uint32_t)value != 0;
}

void want_no_address(const char *what, const void *memory, size_t size)
{
	const unsigned char *bytes = memory;
	uint64_t value;

	for (size_t i = 0; i + 8 <= size; i++) {
		memcpy(&value, bytes + i, 8);
		if (value != POISON_WORD && is_kernel_address(value) && i % 4 == 0)
			fail("%s: %#lx at offset %zu", what, (unsigned long)value, i);
	}
}

/* Nobody has set them: not written, or 0. */
static void want_padding(const char *what, const void *memory, size_t from, size_t to)
{
	const unsigned char *bytes = memory;

	for (size_t i = from; i < to; i++) {
		if (bytes[i] != 0 && bytes[i] != POISON)
			fail("%s: byte %zu is %#x", what, i, bytes[i]);
	}
}

/* ---- Structures ---- */

static void every_output(long unused)
{
	(void)unused;
	scan_outputs();
}

static void ends(long unused)
{
	(void)unused;
}

static void padding(long unused)
{
	unsigned char bytes[512];
	siginfo_t *info = (siginfo_t *)bytes;
	sigset_t set;

	(void)unused;
	memset(bytes, POISON, sizeof bytes);
	WANT_IS(kernel_call(SYS_stat, "/proc/self/exe", bytes), 0);
	want_padding("stat", bytes, 36, 40);
	want_padding("stat", bytes, 120, 144);
	memset(bytes, POISON, sizeof bytes);
	WANT_IS(kernel_call(SYS_sysinfo, bytes), 0);
	want_padding("sysinfo", bytes, 82, 88);
	want_padding("sysinfo", bytes, 108, 112);
	memset(bytes, POISON, sizeof bytes);
	WANT_IS(kernel_call(SYS_sigaltstack, NULL, bytes), 0);
	want_padding("sigaltstack", bytes, 12, 16);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	WANT_IS(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	kernel_call(SYS_kill, getpid(), SIGUSR1);
	memset(bytes, POISON, sizeof bytes);
	WANT_IS(kernel_call(SYS_rt_sigtimedwait, &set, info, NULL, 8), SIGUSR1);
	want_padding("siginfo", bytes, 12, 16);
	want_padding("siginfo", bytes, 24, sizeof(siginfo_t));
	memset(bytes, POISON, sizeof bytes);
	WANT_IS(kernel_call(SYS_waitid, P_PID, begin(ends, 0), info, WEXITED, NULL), 0);
	want_padding("waitid", bytes, 12, 16);
	want_padding("waitid", bytes, 28, sizeof(siginfo_t));
	memset(bytes, POISON, sizeof bytes);
	WANT_IS(kernel_call(SYS_uname, bytes), 0);
	for (size_t i = 0; i < 6; i++)
		want_padding("uname", bytes, i * 65 + strlen((char *)bytes + i * 65), i * 65 + 65);
}

static void directory_entries(long unused)
{
	unsigned char bytes[4096];
	int fd = open("/proc/self", O_RDONLY | O_DIRECTORY);
	long length;

	(void)unused;
	memset(bytes, POISON, sizeof bytes);
	while ((length = kernel_call(SYS_getdents64, fd, bytes, sizeof bytes)) > 0) {
		for (long at = 0; at < length;) {
			uint16_t size;

			memcpy(&size, bytes + at + 16, 2);
			want_padding("getdents64", bytes + at, 19 + strlen((char *)bytes + at + 19),
				size);
			at += size;
		}
		want_padding("getdents64", bytes, (size_t)length, sizeof bytes);
		memset(bytes, POISON, sizeof bytes);
	}
	WANT_IS(length, 0);
}

/* ---- Registers ---- */

struct registers {
	uint64_t rbx, rcx, rdx, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
};

static void call_and_look(long number, long a, long b, long c)
{
	register uint64_t r8 __asm__("r8") = 0x88, r9 __asm__("r9") = 0x99,
			     r10 __asm__("r10") = 0xaa, r12 __asm__("r12") = 0xcc,
			     r13 __asm__("r13") = 0xdd, r14 __asm__("r14") = 0xee,
			     r15 __asm__("r15") = 0xff;
	uint64_t rcx, r11, rbx = 0xbb, rdx = (uint64_t)c, rsi = (uint64_t)b, rdi = (uint64_t)a,
			   flags;
	long result = number;

	__asm__ volatile("syscall; movq %%rcx, %1; movq %%r11, %2; pushfq; popq %3"
			 : "+a"(result), "=m"(rcx), "=m"(r11), "=m"(flags), "+b"(rbx), "+d"(rdx),
			 "+S"(rsi), "+D"(rdi), "+r"(r8), "+r"(r9), "+r"(r10), "+r"(r12), "+r"(r13),
			 "+r"(r14), "+r"(r15)
			 :
			 : "rcx", "r11", "memory");
	WANT(rdi == (uint64_t)a && rsi == (uint64_t)b && rdx == (uint64_t)c && rbx == 0xbb);
	WANT(r8 == 0x88 && r9 == 0x99 && r10 == 0xaa && r12 == 0xcc && r13 == 0xdd && r14 == 0xee &&
		r15 == 0xff);
	WANT(!is_kernel_address(rcx) && !is_kernel_address(r11) &&
		!is_kernel_address((uint64_t)result));
	WANT((r11 & ~0xfffffull) == 0);
	(void)flags;
}

static void registers(long unused)
{
	static const struct timespec soon = {0, 1000000};

	(void)unused;
	call_and_look(SYS_getppid, 1, 2, 3);
	call_and_look(-1, 1, 2, 3);
	call_and_look(SYS_read, -1, 2, 3);
	call_and_look(SYS_uname, (long)KERNEL_DIRECT, 2, 3);
	call_and_look(SYS_sched_yield, 1, 2, 3);
	call_and_look(SYS_nanosleep, (long)(uintptr_t)&soon, 0, 3);
	call_and_look(SYS_mmap, 0, 0, 3);
	call_and_look(SYS_kill, getpid(), 0, 3);
}

static void becomes_program(long unused)
{
	static char *argv[] = {"attacks", "--list", NULL}, *none[] = {NULL};

	(void)unused;
	WANT_IS(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
	__asm__ volatile("movdqu %0, %%xmm3; movdqu %0, %%xmm12"
			 :
			 : "m"(*(const char(*)[16])shared->secret)
			 : "xmm3", "xmm12");
	kernel_call(SYS_execve, "/proc/self/exe", argv, none);
	kernel_call(SYS_exit_group, 9);
}

/* At its first instruction a program has nothing of what was there before. */
static void new_program(long unused)
{
	struct user_regs_struct registers;
	struct user_fpregs_struct fpu;
	pid_t pid = begin(becomes_program, 0);
	int status;

	(void)unused;
	WANT_IS(waitpid(pid, &status, 0), pid);
	WANT(WIFSTOPPED(status));
	WANT_IS(ptrace(PTRACE_GETREGS, pid, NULL, &registers), 0);
	WANT_IS(registers.rbx | registers.rcx | registers.rdx | registers.rsi | registers.rdi |
			registers.rbp,
		0);
	WANT_IS(registers.r8 | registers.r9 | registers.r10 | registers.r11 | registers.r12 |
			registers.r13,
		0);
	WANT_IS(registers.r14 | registers.r15 | registers.fs_base | registers.gs_base, 0);
	WANT_IS(registers.rax, 0);
	WANT_IS(ptrace(PTRACE_GETFPREGS, pid, NULL, &fpu), 0);
	for (size_t i = 0; i < sizeof fpu.xmm_space / 4; i++)
		WANT_IS(fpu.xmm_space[i], 0);
	for (size_t i = 0; i < sizeof fpu.st_space / 4; i++)
		WANT_IS(fpu.st_space[i], 0);
	WANT_IS(fpu.mxcsr, 0x1f80);
	for (size_t i = 0; i < 8; i++) {
		void *at = (void *)(offsetof(struct user, u_debugreg) + i * 8);

		if (i != 4 && i != 5) /* 6: as the CPU has it when nothing was met */
			WANT_IS(ptrace(PTRACE_PEEKUSER, pid, at, NULL), i == 6 ? 0xffff0ff0 : 0);
	}
	kill(pid, SIGKILL);
	ended(pid);
}

/* The victim has its secret in registers whenever it sleeps; who runs next must not find it there. */
static void fpu_of_victim(long unused)
{
	static const struct timespec soon = {0, 100000};
	uint64_t found[2][2];

	(void)unused;
	for (int turn = 0; turn < 300; turn++) {
		__asm__ volatile("pxor %%xmm7, %%xmm7; pxor %%xmm15, %%xmm15" ::: "xmm7", "xmm15");
		kernel_call(SYS_nanosleep, &soon, NULL);
		__asm__ volatile("movdqu %%xmm7, %0; movdqu %%xmm15, %1"
				 : "=m"(found[0]), "=m"(found[1]));
		WANT(!found[0][0] && !found[0][1] && !found[1][0] && !found[1][1]);
	}
}

/* ---- Pages ---- */

static void fills_with_secret(long unused)
{
	uint64_t *words = pages(MANY_PAGES, PROT_READ | PROT_WRITE);
	int fd = file_of(0), fds[2];

	(void)unused;
	for (size_t i = 0; i < MANY_PAGES * PAGE / 8; i++)
		words[i] = shared->secret[i % SECRET_WORDS];
	WANT(write(fd, words, 64 * PAGE) == (ssize_t)(64 * PAGE));
	WANT_IS(pipe2(fds, O_NONBLOCK), 0);
	WANT(write(fds[1], words, 16 * PAGE) > 0);
}

static void want_zero(const char *what, const volatile void *memory, size_t size)
{
	const volatile uint64_t *words = memory;

	for (size_t i = 0; i < size / 8; i++) {
		if (words[i])
			fail("%s: %#lx at offset %zu", what, (unsigned long)words[i], i * 8);
	}
}

static void fresh_pages(long flags)
{
	char *p;

	WANT_IS(ended(begin(fills_with_secret, 0)), 0);
	p = mmap(
		NULL, MANY_PAGES * PAGE, PROT_READ | PROT_WRITE, (int)flags | MAP_ANONYMOUS, -1, 0);
	WANT(p != MAP_FAILED);
	for (size_t i = 0; i < MANY_PAGES; i++)
		p[i * PAGE + 4095] = 0; /* a page of its own, not the one of zeros */
	want_zero("fresh memory", p, MANY_PAGES * PAGE);
}

static void fresh_break(long unused)
{
	long old = kernel_call(SYS_brk, 0), start = (old + (long)PAGE - 1) & -(long)PAGE;

	(void)unused;
	WANT_IS(ended(begin(fills_with_secret, 0)), 0);
	WANT_IS(kernel_call(SYS_brk, start + 256 * (long)PAGE), start + 256 * (long)PAGE);
	for (int i = 0; i < 256; i++)
		*(volatile char *)(start + i * (long)PAGE + 1) = 0;
	want_zero("the break", (void *)start, 256 * PAGE);
}

static void fresh_file(long unused)
{
	static char read_back[64 * 4096];
	char *p;
	int fd;

	(void)unused;
	WANT_IS(ended(begin(fills_with_secret, 0)), 0);
	fd = file_of(64 * PAGE - 1000);
	WANT(pread(fd, read_back, sizeof read_back, 0) == (ssize_t)(64 * PAGE - 1000));
	want_zero("a hole", read_back, sizeof read_back);
	WANT(pwrite(fd, "x", 1, 5) == 1);
	WANT_IS(ftruncate(fd, 4), 0);
	WANT_IS(ftruncate(fd, (off_t)(2 * PAGE - 8)), 0);
	p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	WANT(p != MAP_FAILED);
	p[PAGE] = 0;
	want_zero("a file that was cut and grown, and the rest of its last page", p, 2 * PAGE);
}

static void fresh_stack(long unused)
{
	volatile char *below = (volatile char *)__builtin_frame_address(0) - 64 * PAGE;

	(void)unused;
	WANT_IS(ended(begin(fills_with_secret, 0)), 0);
	want_zero("the stack", (void *)((uintptr_t)below & -PAGE), 32 * PAGE);
}

/* ---- Text ---- */

/* A number in it that is an address of the kernel, in base 16 or 10; 0: none. */
static uint64_t address_in(const char *text)
{
	for (const char *at = text; *at;) {
		size_t digits = strspn(at, "0123456789abcdef");
		char *end;
		uint64_t value;

		if (digits == 16 && is_kernel_address(value = strtoull(at, NULL, 16)))
			return value;
		if ((digits == 19 || digits == 20) && strspn(at, "0123456789") == digits) {
			value = strtoull(at, &end, 10);
			if (is_kernel_address(value))
				return value;
		}
		at += digits ? digits : 1;
	}
	return 0;
}

static void look_into(const char *path)
{
	static char text[1 << 16];
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	long length;

	while (fd >= 0 && (length = read(fd, text, sizeof text - 1)) > 0) {
		uint64_t found;

		text[length] = '\0';
		found = address_in(text);
		if (found)
			fail("%s: %#lx", path, (unsigned long)found);
	}
	if (fd >= 0)
		close(fd);
}

static void texts(long folder)
{
	char path[512];
	DIR *directory = opendir((const char *)folder);
	struct dirent *entry;

	WANT(directory != NULL);
	while ((entry = readdir(directory))) {
		snprintf(path, sizeof path, "%s/%s", (const char *)folder, entry->d_name);
		if (entry->d_type == DT_REG && strcmp(entry->d_name, "mem") != 0 &&
			strcmp(entry->d_name, "pagemap") != 0)
			look_into(path);
	}
	closedir(directory);
}

static void given_at_start(long unused)
{
	char **at = environ;
	const char *random, *end;
	const unsigned long *auxv;

	(void)unused;
	while (*at++)
		;
	for (auxv = (const unsigned long *)at; auxv[0]; auxv += 2) {
		if (is_kernel_address(auxv[1]))
			fail("the auxiliary vector: %lu is %#lx", auxv[0], auxv[1]);
	}
	/* What the kernel has put on the stack, up to the program's name, but for the random bytes. */
	random = (const char *)getauxval(AT_RANDOM);
	end = (const char *)getauxval(AT_EXECFN);
	WANT((const char *)environ < random && random < end);
	want_no_address(
		"below the random bytes", environ, (size_t)(random - (const char *)environ));
	want_no_address("above the random bytes", random + 16, (size_t)(end - random) - 16);
}

static volatile bool looked;

static void looks_at_frame(int number, siginfo_t *info, void *context)
{
	const ucontext_t *frame = context;

	(void)number;
	want_no_address("siginfo", info, sizeof *info);
	want_no_address("ucontext", frame, offsetof(ucontext_t, __fpregs_mem));
	if (frame->uc_mcontext.fpregs)
		want_no_address("the FPU's state in the frame", frame->uc_mcontext.fpregs, 512);
	looked = true;
}

static void signal_frame(long unused)
{
	struct sigaction action = {.sa_sigaction = looks_at_frame, .sa_flags = SA_SIGINFO};

	(void)unused;
	WANT_IS(sigaction(SIGUSR1, &action, NULL), 0);
	kernel_call(SYS_kill, getpid(), SIGUSR1);
	WANT(looked);
}

#define SET   "what is copied out is set as a whole, or written member by member"
#define CLEAR "a page is cleared before a process gets it"
#define TEXT_ "no text is made of the kernel's addresses"

static const struct attack attacks[] = {
	{"outputs", "looks for addresses of the kernel in what every call writes", SET, {CALM},
		every_output},
	{"padding", "looks at the padding of structures that calls write", SET, {CALM}, padding},
	{"directory-entries", "looks at the padding behind names in a directory", SET, {CALM},
		directory_entries},
	{"registers", "looks at all registers after calls",
		"they are the process's; RCX is where it goes on, R11 its flags", {CALM},
		registers},
	{"new-program", "looks at a new program's registers: general, FPU, debug",
		"exec clears them", {CALM}, new_program},
	{"fpu-victim", "looks for the victim's secret in the FPU",
		"a switch saves and loads all of it", {CALM}, fpu_of_victim},
	{"pages", "looks for what another left in fresh private pages", CLEAR, {CALM}, fresh_pages,
		MAP_PRIVATE},
	{"shared-pages", "looks for what another left in fresh shared pages", CLEAR, {CALM},
		fresh_pages, MAP_SHARED},
	{"break", "looks for what another left behind the break", CLEAR, {CALM}, fresh_break},
	{"file", "looks for what another left in holes and behind the end of files",
		CLEAR ", and a cut page's rest again", {CALM}, fresh_file},
	{"stack", "looks for what another left below the stack", CLEAR, {CALM}, fresh_stack},
	{"proc", "looks for addresses of the kernel in /proc", TEXT_, {CALM}, texts, (long)"/proc"},
	{"proc-self", "looks for addresses of the kernel in /proc/self", TEXT_, {CALM}, texts,
		(long)"/proc/self"},
	{"proc-sys", "looks for addresses of the kernel in /proc/sys/kernel", TEXT_, {CALM}, texts,
		(long)"/proc/sys/kernel"},
	{"start", "looks for addresses of the kernel in what a program gets at its start", SET,
		{CALM}, given_at_start},
	{"frame", "looks for addresses of the kernel in a signal's frame", SET, {CALM},
		signal_frame},
};
FAMILY(leaks, "what the kernel lets out", attacks);
