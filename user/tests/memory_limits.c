/* SPDX-License-Identifier: MIT */
/*
 * Locked memory, limits, and what is left over: mlock and its kin, RLIMIT_AS, DATA, STACK, MEMLOCK,
 * and that a process that ends gives all its pages back. Each test of a limit runs in a child.
 */
#include <sys/sysinfo.h>

#include "memory_map.h"

static void limit(int which, unsigned long value)
{
	struct rlimit limits = {value, RLIM_INFINITY};

	getrlimit(which, &limits);
	limits.rlim_cur = value;
	if (setrlimit(which, &limits))
		_exit(90);
}

/* As nobody, who may not pass over limits. */
static void become_nobody(void)
{
	if (geteuid() == 0 && (kernel_call(SYS_setgid, 65534) || kernel_call(SYS_setuid, 65534)))
		_exit(91);
}

/* ---- Locking ---- */

static void locking(void)
{
	unsigned char *p = (unsigned char *)map(0, 4 * PAGE, RW, PRIVATE), present[4];
	unsigned long at = (unsigned long)p;

	claim_result(kernel_call(SYS_mlock, at + 5, PAGE), 0, "mlock of an odd range");
	claim(kernel_call(SYS_mincore, at, 4 * PAGE, present) == 0 &&
			(present[0] & present[1] & 1) && !(present[2] & 1),
		"its pages are there");
	claim_result(
		advise(at, PAGE, MADV_DONTNEED), -EINVAL, "MADV_DONTNEED of locked memory: EINVAL");
	claim_result(kernel_call(SYS_msync, at, PAGE, MS_INVALIDATE), -EBUSY,
		"msync to invalidate it: EBUSY");
	claim_result(kernel_call(SYS_munlock, at, 2 * PAGE), 0, "munlock");
	claim_result(advise(at, PAGE, MADV_DONTNEED), 0, "and it may go");
	claim_result(kernel_call(SYS_mlock2, at + 2 * PAGE, 2 * PAGE, 1), 0, "mlock2, on fault");
	claim(kernel_call(SYS_mincore, at, 4 * PAGE, present) == 0 && !(present[2] & 1),
		"fills nothing");
	claim_result(kernel_call(SYS_mlock2, at, PAGE, 2), -EINVAL, "mlock2, unknown flag: EINVAL");
	unmap(at + PAGE, PAGE);
	claim_result(kernel_call(SYS_mlock, at, 4 * PAGE), -ENOMEM, "mlock over a hole: ENOMEM");
	claim_result(
		kernel_call(SYS_munlock, at, 4 * PAGE), -ENOMEM, "munlock over a hole: ENOMEM");
	claim_result(kernel_call(SYS_mlock, at, 0), 0, "mlock of nothing: 0");
	claim_result(kernel_call(SYS_mlock, at, -2 * PAGE), -EINVAL, "mlock, wrapping: EINVAL");
	unmap(at, 4 * PAGE);
	p = (unsigned char *)map(0, PAGE, PROT_NONE, PRIVATE);
	claim_result(
		kernel_call(SYS_mlock, p, PAGE), -ENOMEM, "mlock of what nobody may touch: ENOMEM");
	unmap((unsigned long)p, PAGE);
	claim_result(kernel_call(SYS_mlockall, 0), -EINVAL, "mlockall of nothing: EINVAL");
	claim_result(kernel_call(SYS_mlockall, 4), -EINVAL, "mlockall, on fault alone: EINVAL");
	claim_result(kernel_call(SYS_mlockall, 8), -EINVAL, "mlockall, unknown flag: EINVAL");
}

static int lock_all(void *unused)
{
	unsigned char *p, present;

	(void)unused;
	if (kernel_call(SYS_mlockall, MCL_CURRENT | MCL_FUTURE))
		return 1;
	p = (unsigned char *)map(0, PAGE, RW, PRIVATE);
	if (kernel_call(SYS_mincore, p, PAGE, &present) || !(present & 1))
		return 2;
	if (advise((unsigned long)p, PAGE, MADV_DONTNEED) != -EINVAL)
		return 3;
	if (kernel_call(SYS_munlockall))
		return 4;
	if (advise((unsigned long)p, PAGE, MADV_DONTNEED))
		return 5;
	p = (unsigned char *)map(0, PAGE, RW, PRIVATE);
	return kernel_call(SYS_mincore, p, PAGE, &present) || (present & 1) ? 6 : 0;
}

static int lock_limit(void *unused)
{
	unsigned char *p;

	(void)unused;
	limit(RLIMIT_MEMLOCK, 4 * PAGE);
	become_nobody();
	p = (unsigned char *)map(0, 8 * PAGE, RW, PRIVATE);
	if (kernel_call(SYS_mlock, p, 4 * PAGE))
		return 1;
	if (kernel_call(SYS_mlock, p, 4 * PAGE)) /* the same pages again */
		return 2;
	if (kernel_call(SYS_mlock, p + 4 * PAGE, PAGE) != -ENOMEM)
		return 3;
	if (map(0, PAGE, RW, PRIVATE | MAP_LOCKED) != -EAGAIN)
		return 4;
	if (kernel_call(SYS_mlockall, MCL_CURRENT) != -ENOMEM)
		return 5;
	if (kernel_call(SYS_munlock, p, PAGE) || kernel_call(SYS_mlock, p + 4 * PAGE, PAGE))
		return 6;
	if (remap((unsigned long)p + 4 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE, 0) != -EAGAIN)
		return 7;
	limit(RLIMIT_MEMLOCK, 0);
	if (kernel_call(SYS_mlock, p, PAGE) != -EPERM ||
		map(0, PAGE, RW, PRIVATE | MAP_LOCKED) != -EPERM)
		return 8;
	return kernel_call(SYS_munlock, p, 8 * PAGE) ? 9 : 0;
}

static int not_inherited(void *unused)
{
	unsigned char *p = numbered(1, PRIVATE);

	(void)unused;
	if (kernel_call(SYS_mlock, p, PAGE))
		return 1;
	if (fork() == 0)
		_exit(advise((unsigned long)p, PAGE, MADV_DONTNEED) ? 2 : 0);
	return wait_status(-1) ? 3 : 0;
}

/* ---- Limits ---- */

static int address_space(void *unused)
{
	unsigned long at;

	(void)unused;
	limit(RLIMIT_AS, 64ul << 20);
	if (map(0, 128ul << 20, RW, PRIVATE) != -ENOMEM)
		return 1;
	at = (unsigned long)map(0, 32ul << 20, PROT_NONE, PRIVATE);
	if ((long)at < 0)
		return 2;
	if (map(0, 48ul << 20, PROT_NONE, PRIVATE) != -ENOMEM)
		return 3;
	/* Over what is there it is no more than before. */
	if (map(at, 32ul << 20, RW, PRIVATE | MAP_FIXED) != (long)at)
		return 4;
	if (remap(at, 32ul << 20, 96ul << 20, MREMAP_MAYMOVE, 0) != -ENOMEM)
		return 5;
	return unmap(at, 32ul << 20) ? 6 : 0;
}

static int data(void *unused)
{
	unsigned long at, top = (unsigned long)kernel_call(SYS_brk, 0);

	(void)unused;
	limit(RLIMIT_DATA, 16ul << 20);
	if (kernel_call(SYS_brk, top + (32ul << 20)) != (long)top)
		return 1;
	if (map(0, 32ul << 20, RW, PRIVATE) != -ENOMEM)
		return 2;
	at = (unsigned long)map(0, 32ul << 20, PROT_READ, PRIVATE);
	if ((long)at < 0)
		return 3;
	if (kernel_call(SYS_mprotect, at, 32ul << 20, RW) != -ENOMEM)
		return 4;
	return map(0, 32ul << 20, RW, SHARED) < 0 ? 5 : 0;
}

static int __attribute__((noinline)) eat_stack(size_t bytes)
{
	volatile char *here = __builtin_alloca(bytes);

	for (size_t i = 0; i < bytes; i += PAGE)
		here[bytes - 1 - i] = 1;
	return here[bytes - 1] - 1;
}

static int stack_fits(void *unused)
{
	(void)unused;
	limit(RLIMIT_STACK, 2ul << 20);
	return eat_stack(1ul << 20);
}

static int stack_overflows(void *unused)
{
	(void)unused;
	limit(RLIMIT_STACK, 1ul << 20);
	return eat_stack(2ul << 20);
}

/* ---- What is left over ---- */

static unsigned long free_pages(void)
{
	struct sysinfo info;

	sysinfo(&info);
	return (info.freeram + info.bufferram) * info.mem_unit / PAGE;
}

/* A process with many mappings, shared and private, written, forked and cut. */
static int busy(void *unused)
{
	unsigned char *p = (unsigned char *)map(0, 2048 * PAGE, RW, PRIVATE),
		      *s = numbered(64, SHARED);

	(void)unused;
	for (size_t i = 0; i < 2048; i += 2)
		p[i * PAGE] = 1;
	for (size_t i = 0; i < 2048; i += 16)
		mprotect(p + i * PAGE, PAGE, PROT_READ);
	for (int i = 0; i < 4; i++) {
		if (fork() == 0) {
			for (size_t page = 0; page < 512; page++) {
				if (page % 16)
					p[page * PAGE] = 2;
			}
			s[0]++;
			_exit(0);
		}
	}
	for (int i = 0; i < 4; i++)
		wait(NULL);
	return s[0] == 5 ? 0 : 1;
}

static int hog(void *unused)
{
	(void)unused;
	limit(RLIMIT_AS, 96ul << 20);
	for (int count = 0;; count++) {
		unsigned char *p = (unsigned char *)map(0, 1ul << 20, RW, PRIVATE);

		if ((long)p < 0)
			return (long)p == -ENOMEM && count > 16 ? 0 : 1;
		memset(p, 1, 1ul << 20);
	}
}

/* Linux's own counters move by what other processes do; a leak of a fiftieth of the RAM would not
 * hide behind that. */
static void nothing_left(void)
{
	struct sysinfo info;
	unsigned long before, after = 0, slack;
	bool good = true, back = false;
	int hogged = 0;

	sysinfo(&info);
	slack = info.totalram * info.mem_unit / PAGE / 50;
	in_child(busy, NULL);
	/* On a host where others work they may take as much at the same time, though not each time. */
	for (int tries = 0; tries < 10 && !back; tries++) {
		before = free_pages();
		for (int i = 0; i < 20; i++)
			good &= in_child(busy, NULL) == 0;
		hogged |= in_child(hog, NULL);
		for (int i = 0; i < 50 && !back; i++) {
			after = free_pages();
			back = after + slack > before;
			if (!back)
				sleep_ms(100);
		}
		if (!back)
			printf("# %lu pages were free, %lu are\n", before, after);
	}
	claim(good, "20 busy processes");
	claim_ended(hogged, EXITED(0), "a hog meets its limit: ENOMEM");
	claim(back, "the machine has its pages back");
}

static void all(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	locking();
	claim_ended(in_child(lock_all, NULL), EXITED(0),
		"mlockall, now and for the future; munlockall");
	claim_ended(in_child(lock_limit, NULL), EXITED(0), "RLIMIT_MEMLOCK");
	claim_ended(in_child(not_inherited, NULL), EXITED(0), "a child's memory is not locked");
	claim_ended(in_child(address_space, NULL), EXITED(0), "RLIMIT_AS");
	claim_ended(in_child(data, NULL), EXITED(0), "RLIMIT_DATA");
	claim_ended(in_child(stack_fits, NULL), EXITED(0), "RLIMIT_STACK: as much fits");
	claim_ended(
		in_child(stack_overflows, NULL), KILLED(SIGSEGV), "RLIMIT_STACK: more does not");
	nothing_left();
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
