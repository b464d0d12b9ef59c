/* SPDX-License-Identifier: MIT */
/*
 * The system calls of processes and time, one by one: what each gives, and each errno that its
 * manual page names and that can be made to happen. All go through kernel_call, so the answers are
 * the kernel's and not the C library's.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/random.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/utsname.h>

#include "check.h"

#define KERNEL 0xffffffff80000000ul
/* Neither with 4 nor with 5 levels of page tables. */
#define NON_CANON 0x0100000000000000ul
#define BAD_FD    999

/* <asm/prctl.h>, which musl has not */
#define ARCH_SET_GS 0x1001
#define ARCH_SET_FS 0x1002
#define ARCH_GET_FS 0x1003
#define ARCH_GET_GS 0x1004

static char *unmapped; /* a page that is not there, right behind one that is */

/* ---- Entering and leaving the kernel ---- */

/* Every register but rax, rcx and r11 comes back as it was; so do the flags. */
static void registers(void)
{
	static uint64_t before[13], after[13], flags_before, flags_after, rcx, r11, next;

	for (size_t i = 0; i < COUNT(before); i++)
		before[i] = UINT64_C(0x1234567890abcdef) * (i + 3);
	__asm__ volatile("push %%rbp; push %%rbx\n"
			 "mov %[b], %%rbx; mov 8+%[b], %%rbp; mov 16+%[b], %%rdi\n"
			 "mov 24+%[b], %%rsi; mov 32+%[b], %%rdx; mov 40+%[b], %%r8\n"
			 "mov 48+%[b], %%r9; mov 56+%[b], %%r10; mov 64+%[b], %%r12\n"
			 "mov 72+%[b], %%r13; mov 80+%[b], %%r14; mov 88+%[b], %%r15\n"
			 "mov $39, %%eax; stc; std; pushfq; popq %[fb]; syscall; 1:\n"
			 "pushfq; popq %[fa]; cld; mov %%rcx, %[rcx]; mov %%r11, %[r11]\n"
			 "mov %%rbx, %[a]; mov %%rbp, 8+%[a]; mov %%rdi, 16+%[a]\n"
			 "mov %%rsi, 24+%[a]; mov %%rdx, 32+%[a]; mov %%r8, 40+%[a]\n"
			 "mov %%r9, 48+%[a]; mov %%r10, 56+%[a]; mov %%r12, 64+%[a]\n"
			 "mov %%r13, 72+%[a]; mov %%r14, 80+%[a]; mov %%r15, 88+%[a]\n"
			 "lea 1b(%%rip), %%rax; mov %%rax, %[next]; pop %%rbx; pop %%rbp"
			 : [a] "=m"(after), [fb] "=m"(flags_before), [fa] "=m"(flags_after),
			 [rcx] "=m"(rcx), [r11] "=m"(r11), [next] "=m"(next)
			 : [b] "m"(before)
			 : "rax", "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11", "r12",
			 "r13", "r14", "r15", "memory", "cc");
	claim(memcmp(before, after, 12 * 8) == 0, "syscall keeps all registers but rax, rcx, r11");
	claim_equal((long)flags_after, (long)flags_before, "syscall keeps the flags");
	claim_equal((long)rcx, (long)next, "syscall leaves the return address in rcx");
	claim_equal((long)r11, (long)flags_before, "syscall leaves the flags in r11");
}

static void unknown_calls(void)
{
	claim_result(kernel_call(400), -ENOSYS, "call 400, which is none: ENOSYS");
	claim_result(kernel_call(100000), -ENOSYS, "call 100000: ENOSYS");
	claim_result(kernel_call(-1), -ENOSYS, "call -1: ENOSYS");
	claim_result(kernel_call(INT_MIN), -ENOSYS, "call INT_MIN: ENOSYS");
}

/* ---- Reading and writing ---- */

static void writing(void)
{
	char text[] = "# written by write\n";
	struct iovec parts[2] = {{"# written ", 10}, {"by writev\n", 10}};
	struct iovec bad[2] = {{"x", 1}, {(void *)KERNEL, 1}};
	struct iovec huge[2] = {{text, LONG_MAX}, {text, LONG_MAX}};

	claim_result(kernel_call(SYS_write, 1, text, sizeof text - 1), sizeof text - 1, "write");
	claim_result(kernel_call(SYS_write, 1, text, 0), 0, "write of nothing");
	claim_result(kernel_call(SYS_write, BAD_FD, text, 1), -EBADF, "write, no such fd: EBADF");
	claim_result(kernel_call(SYS_write, -1, text, 1), -EBADF, "write, fd -1: EBADF");
	claim_result(kernel_call(SYS_write, 1, unmapped, 1), -EFAULT, "write, unmapped: EFAULT");
	claim_result(kernel_call(SYS_write, 1, KERNEL, 1), -EFAULT, "write, kernel memory: EFAULT");
	claim_result(
		kernel_call(SYS_write, 1, NON_CANON, 1), -EFAULT, "write, not canonical: EFAULT");
	claim_result(kernel_call(SYS_write, 1, -8, 16), -EFAULT, "write, wrapping: EFAULT");
	claim_result(kernel_call(SYS_writev, 1, parts, 2), 20, "writev");
	claim_result(kernel_call(SYS_writev, 1, parts, 0), 0, "writev of no parts");
	claim_result(kernel_call(SYS_writev, 1, parts, -1), -EINVAL, "writev, count -1: EINVAL");
	claim_result(
		kernel_call(SYS_writev, 1, parts, 1025), -EINVAL, "writev, count 1025: EINVAL");
	claim_result(kernel_call(SYS_writev, 1, unmapped, 1), -EFAULT, "writev, unmapped: EFAULT");
	claim_result(
		kernel_call(SYS_writev, 1, bad + 1, 1), -EFAULT, "writev, part kernel's: EFAULT");
	huge[0].iov_len = (size_t)-1;
	claim_result(kernel_call(SYS_writev, 1, huge, 2), -EINVAL, "writev, length -1: EINVAL");
	claim_result(
		kernel_call(SYS_writev, BAD_FD, parts, 2), -EBADF, "writev, no such fd: EBADF");
}

static void reading(void)
{
	char buffer[16];

	claim_result(kernel_call(SYS_read, BAD_FD, buffer, 1), -EBADF, "read, no such fd: EBADF");
	claim_result(
		kernel_call(SYS_read, 0, KERNEL, 1), -EFAULT, "read into kernel memory: EFAULT");
	claim_result(kernel_call(SYS_read, 0, buffer, 0), 0, "read of nothing");
}

/* ---- Who is who ---- */

static int child_identity(int argc, char **argv)
{
	if (kernel_call(SYS_getppid) != atol(argv[0]))
		return 1;
	return kernel_call(SYS_getpid) == kernel_call(SYS_gettid) ? 0 : 2;
}

static void identity(void)
{
	long pid = kernel_call(SYS_getpid);
	char text[24];
	int word = 0;
	pid_t child;

	claim(pid > 0, "getpid is positive");
	claim_result(kernel_call(SYS_getpid), pid, "getpid again");
	claim_result(kernel_call(SYS_gettid), pid, "gettid of the first thread is the pid");
	claim_result(kernel_call(SYS_set_tid_address, &word), pid, "set_tid_address gives the tid");
	snprintf(text, sizeof text, "%ld", pid);
	child = start_role("identity", text, NULL);
	claim(child > 0 && child != pid, "a child's pid is another");
	claim_ended(wait_status(child), EXITED(0), "a child's getppid is the parent");
	claim_result(kernel_call(SYS_sched_yield), 0, "sched_yield");
}

static void names(void)
{
	struct utsname name;

	memset(&name, 0xee, sizeof name);
	claim_result(kernel_call(SYS_uname, &name), 0, "uname");
	claim(memchr(name.sysname, 0, 65) && name.sysname[0], "uname: sysname");
	claim(memchr(name.release, 0, 65) && name.release[0] >= '0' && name.release[0] <= '9',
		"uname: release starts with a number");
	claim(memchr(name.version, 0, 65) != NULL, "uname: version");
	claim(strcmp(name.machine, "x86_64") == 0, "uname: machine is x86_64");
	claim_result(kernel_call(SYS_uname, KERNEL), -EFAULT, "uname into kernel memory: EFAULT");
	claim_result(kernel_call(SYS_uname, unmapped), -EFAULT, "uname, unmapped: EFAULT");
	claim_result(kernel_call(SYS_uname, unmapped - 8), -EFAULT, "uname, half mapped: EFAULT");
}

/* ---- Time ---- */

static void clocks(void)
{
	static const struct {
		long id;
		const char *name;
	} ids[] = {{CLOCK_REALTIME, "CLOCK_REALTIME"}, {CLOCK_MONOTONIC, "CLOCK_MONOTONIC"}};
	struct timespec t, u;

	for (size_t i = 0; i < COUNT(ids); i++) {
		long result = kernel_call(SYS_clock_gettime, ids[i].id, &t);
		bool never_back = true;
		char text[64];

		snprintf(text, sizeof text, "clock_gettime: %s", ids[i].name);
		claim_result(result, 0, text);
		for (int turn = 0; turn < 1000; turn++) {
			kernel_call(SYS_clock_gettime, ids[i].id, &u);
			never_back &= u.tv_sec > t.tv_sec ||
				      (u.tv_sec == t.tv_sec && u.tv_nsec >= t.tv_nsec);
			never_back &= u.tv_nsec >= 0 && u.tv_nsec < 1000000000;
			t = u;
		}
		claim(never_back, "%s never goes back", ids[i].name);
	}
	claim_result(
		kernel_call(SYS_clock_gettime, 99, &t), -EINVAL, "clock_gettime, no clock: EINVAL");
	claim_result(kernel_call(SYS_clock_gettime, 1, KERNEL), -EFAULT, "clock_gettime: EFAULT");
}

static void sleeping(void)
{
	struct timespec t = {0, 30000000}, left = {7, 7};
	int64_t before = now_ns(), slept;

	claim_result(kernel_call(SYS_nanosleep, &t, &left), 0, "nanosleep");
	slept = now_ns() - before;
	if (!claim(slept >= 30000000 && slept < 300000000000, "nanosleep: as long as asked"))
		printf("# slept %lld ns of 30000000\n", (long long)slept);
	claim_equal(left.tv_sec, 7, "nanosleep: the rest is not written");
	t = (struct timespec){0, 1000000000};
	claim_result(kernel_call(SYS_nanosleep, &t, NULL), -EINVAL, "nanosleep, 10^9 ns: EINVAL");
	t = (struct timespec){0, -1};
	claim_result(kernel_call(SYS_nanosleep, &t, NULL), -EINVAL, "nanosleep, -1 ns: EINVAL");
	t = (struct timespec){-1, 0};
	claim_result(kernel_call(SYS_nanosleep, &t, NULL), -EINVAL, "nanosleep, -1 s: EINVAL");
	t = (struct timespec){0, 0};
	claim_result(kernel_call(SYS_nanosleep, &t, NULL), 0, "nanosleep of 0");
	claim_result(kernel_call(SYS_nanosleep, unmapped, NULL), -EFAULT, "nanosleep: EFAULT");
}

/* ---- Random numbers, thread pointer ---- */

static void randomness(void)
{
	unsigned char a[256] = {0}, b[256] = {0};
	int seen[256] = {0}, different = 0;

	claim_result(kernel_call(SYS_getrandom, a, 256, 0), 256, "getrandom");
	claim_result(kernel_call(SYS_getrandom, b, 256, GRND_NONBLOCK), 256, "getrandom, NONBLOCK");
	claim(memcmp(a, b, 256) != 0, "getrandom: two draws differ");
	for (int i = 0; i < 256; i++)
		different += !seen[a[i]]++;
	claim(different > 100, "getrandom: many different bytes"); /* 162 are to be expected */
	claim_result(kernel_call(SYS_getrandom, a, 0, 0), 0, "getrandom of nothing");
	claim_result(
		kernel_call(SYS_getrandom, a, 1, 0x80), -EINVAL, "getrandom, bad flag: EINVAL");
	claim_result(kernel_call(SYS_getrandom, KERNEL, 16, 0), -EFAULT, "getrandom: EFAULT");
}

static void thread_pointer(void)
{
	static __thread int mine = 5;
	unsigned long base = 0;

	claim_result(kernel_call(SYS_arch_prctl, ARCH_GET_FS, &base), 0, "arch_prctl GET_FS");
	claim(*(unsigned long *)base == base && mine == 5, "FS base is the thread's block");
	claim_result(kernel_call(SYS_arch_prctl, ARCH_SET_FS, base), 0, "arch_prctl SET_FS");
	claim_result(
		kernel_call(SYS_arch_prctl, ARCH_SET_FS, KERNEL), -EPERM, "SET_FS, kernel: EPERM");
	claim_result(
		kernel_call(SYS_arch_prctl, ARCH_SET_FS, NON_CANON), -EPERM, "SET_FS, bad: EPERM");
	claim_result(kernel_call(SYS_arch_prctl, ARCH_SET_GS, 0x1234000), 0, "arch_prctl SET_GS");
	claim_result(kernel_call(SYS_arch_prctl, ARCH_GET_GS, &base), 0, "arch_prctl GET_GS");
	claim_equal((long)base, 0x1234000, "GS base is what was set");
	claim_result(kernel_call(SYS_arch_prctl, ARCH_SET_GS, 0), 0, "arch_prctl SET_GS 0");
	claim_result(kernel_call(SYS_arch_prctl, 0x1, 0), -EINVAL, "arch_prctl, bad code: EINVAL");
	claim_result(kernel_call(SYS_arch_prctl, ARCH_GET_FS, KERNEL), -EFAULT, "GET_FS: EFAULT");
}

static void all(int argc, char **argv)
{
	unmapped = (char *)mmap(
			   NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) +
		   4096;
	munmap(unmapped, 4096);
	registers();
	unknown_calls();
	writing();
	reading();
	identity();
	names();
	clocks();
	sleeping();
	randomness();
	thread_pointer();
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"identity", child_identity}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
