/* SPDX-License-Identifier: MIT */
/* What the tests of memory share: the calls without the C library, and children by fork. */
#ifndef USER_TESTS_MEMORY_MAP_H
#define USER_TESTS_MEMORY_MAP_H

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "check.h"

#define PAGE    4096ul
#define PRIVATE (MAP_PRIVATE | MAP_ANONYMOUS)
#define SHARED  (MAP_SHARED | MAP_ANONYMOUS)
#define RW      (PROT_READ | PROT_WRITE)

/* New mmap flags and advice that musl does not know. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

static inline long map(unsigned long at, unsigned long size, int protection, int flags)
{
	return kernel_call(SYS_mmap, at, size, protection, flags, -1, 0);
}

static inline long map_file(unsigned long size, int protection, int flags, int fd, long offset)
{
	return kernel_call(SYS_mmap, 0, size, protection, flags, fd, offset);
}

static inline long unmap(unsigned long at, unsigned long size)
{
	return kernel_call(SYS_munmap, at, size);
}

static inline long advise(unsigned long at, unsigned long size, int advice)
{
	return kernel_call(SYS_madvise, at, size, advice);
}

static inline long remap(
	unsigned long at, unsigned long from, unsigned long to, int flags, unsigned long place)
{
	return kernel_call(SYS_mremap, at, from, to, flags, place);
}

/* Anonymous private memory, each page full of its number + 1. */
static inline unsigned char *numbered(size_t pages, int flags)
{
	unsigned char *p = (unsigned char *)map(0, pages * PAGE, RW, flags);

	if ((long)p < 0 && (long)p > -4096)
		exit(97);
	for (size_t i = 0; i < pages; i++)
		memset(p + i * PAGE, (int)i + 1, PAGE);
	return p;
}

static inline bool is_numbered(const unsigned char *p, size_t pages, unsigned first)
{
	for (size_t i = 0; i < pages; i++) {
		if (p[i * PAGE] != (unsigned char)(first + i) ||
			p[i * PAGE + PAGE - 1] != (unsigned char)(first + i))
			return false;
	}
	return true;
}

/* Runs a function in a child made by fork: how it ended. */
static inline int in_child(int (*act)(void *), void *argument)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(act(argument));
	return pid < 0 ? -1 : wait_status(pid);
}

/* ---- Touching what may not be there ---- */

static sigjmp_buf touch_way_out;
static volatile sig_atomic_t touch_signal, touch_code;

static inline void touch_caught(int number, siginfo_t *info, void *context)
{
	(void)context;
	touch_signal = number;
	touch_code = info->si_code;
	siglongjmp(touch_way_out, 1);
}

/* 0, or the signal that a read (or a write) of the byte gives; touch_code is its si_code. */
static inline int touch(volatile unsigned char *p, bool write)
{
	struct sigaction action = {
		.sa_sigaction = touch_caught, .sa_flags = SA_SIGINFO | SA_NODEFER};
	struct sigaction old_segv, old_bus;

	sigaction(SIGSEGV, &action, &old_segv);
	sigaction(SIGBUS, &action, &old_bus);
	touch_signal = touch_code = 0;
	if (!sigsetjmp(touch_way_out, 1)) {
		if (write)
			*p = 0x5c;
		else
			(void)*p;
	}
	sigaction(SIGSEGV, &old_segv, NULL);
	sigaction(SIGBUS, &old_bus, NULL);
	return touch_signal;
}

/* An open file without a name, of `pages` pages, each full of its number + 1. */
static inline int numbered_file(size_t pages, int flags, const char *path)
{
	unsigned char page[PAGE];
	char own[100]; /* of this run */
	int fd, again;

	snprintf(own, sizeof own, "%s-%d", path, (int)getpid());
	fd = open(own, O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (fd < 0)
		exit(96);
	for (size_t i = 0; i < pages; i++) {
		memset(page, (int)i + 1, PAGE);
		if (write(fd, page, PAGE) != (ssize_t)PAGE)
			exit(95);
	}
	again = open(own, flags);
	unlink(own);
	close(fd);
	return again;
}

#endif
