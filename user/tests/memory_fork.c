/* SPDX-License-Identifier: MIT */
/* Memory over fork, and files in memory: copy-on-write, sharing, coherence, the end of a file. */
#include <sys/syscall.h>

#include "memory_map.h"

#define FILE_PATH "/tmp/baton-memory-fork"

/* ---- fork ---- */

static int child_writes(void *argument)
{
	unsigned char *p = argument;

	if (!is_numbered(p, 8, 1))
		return 1;
	memset(p, 0x99, 8 * PAGE);
	return p[0] == 0x99 && p[8 * PAGE - 1] == 0x99 ? 0 : 2;
}

static int child_sees_old(void *argument)
{
	int *pipes = ((int **)argument)[1];
	unsigned char *p = ((unsigned char **)argument)[0], byte;

	/* The parent writes first. */
	if (read(pipes[0], &byte, 1) != 1)
		return 1;
	return is_numbered(p, 4, 1) ? 0 : 2;
}

static void private_memory(void)
{
	unsigned char *p = numbered(8, PRIVATE);
	int pipes[2];
	pid_t pid;

	claim_ended(
		in_child(child_writes, p), EXITED(0), "a child sees private memory and writes it");
	claim(is_numbered(p, 8, 1), "its parent's is as it was");
	if (pipe(pipes))
		return;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(child_sees_old((void *[]){p, pipes}));
	memset(p, 0x44, 4 * PAGE);
	claim(write(pipes[1], "x", 1) == 1, "the parent writes after the fork");
	claim_ended(wait_status(pid), EXITED(0), "its child sees what was there before");
	close(pipes[0]);
	close(pipes[1]);
	unmap((unsigned long)p, 8 * PAGE);
}

static int grandchild(void *argument)
{
	unsigned char *p = argument;

	p[0]++;
	return p[0] >= 6 ? p[0] : WEXITSTATUS(in_child(grandchild, p));
}

static void generations(void)
{
	unsigned char *p = numbered(1, PRIVATE);

	claim_ended(in_child(grandchild, p), EXITED(6), "five generations, each with its own byte");
	claim(p[0] == 1, "and the first is as it was");
	unmap((unsigned long)p, PAGE);
}

static int child_shares(void *argument)
{
	unsigned char *p = argument;

	if (!is_numbered(p, 4, 1))
		return 1;
	p[0] = 0x77;
	p[6 * PAGE] = 0x78; /* nobody had touched it */
	__atomic_add_fetch((int *)(p + 5 * PAGE), 1, __ATOMIC_SEQ_CST);
	return 0;
}

static void shared_memory(void)
{
	unsigned char *p = (unsigned char *)map(0, 8 * PAGE, RW, SHARED);

	for (size_t i = 0; i < 4; i++)
		memset(p + i * PAGE, (int)i + 1, PAGE);
	claim_ended(in_child(child_shares, p), EXITED(0), "a child sees shared memory");
	claim(p[0] == 0x77 && p[6 * PAGE] == 0x78, "what it writes there its parent sees");
	in_child(child_shares, (p[0] = 1, p));
	claim(*(int *)(p + 5 * PAGE) == 2, "atomics on it count for both");
	unmap((unsigned long)p, 8 * PAGE);
}

static int child_advised(void *argument)
{
	unsigned char *p = argument;

	if (p[0] != 0 || p[2 * PAGE - 1] != 0)
		return 1;
	if (touch(p + 2 * PAGE, false) != SIGSEGV || touch_code != SEGV_MAPERR)
		return 2;
	return p[4 * PAGE] == 5 ? 0 : 3;
}

static void advice(void)
{
	unsigned char *p = numbered(6, PRIVATE), *s = numbered(1, SHARED);

	claim_result(advise((unsigned long)p, 2 * PAGE, MADV_WIPEONFORK), 0, "MADV_WIPEONFORK");
	claim_result(
		advise((unsigned long)p + 2 * PAGE, 2 * PAGE, MADV_DONTFORK), 0, "MADV_DONTFORK");
	claim_ended(
		in_child(child_advised, p), EXITED(0), "a child gets zeroes, nothing, the rest");
	claim(is_numbered(p, 6, 1), "its parent has all");
	claim_result(advise((unsigned long)s, PAGE, MADV_WIPEONFORK), -EINVAL,
		"MADV_WIPEONFORK of shared memory: EINVAL");
	claim_result(advise((unsigned long)p, 2 * PAGE, MADV_KEEPONFORK), 0, "MADV_KEEPONFORK");
	claim_result(advise((unsigned long)p + 2 * PAGE, 2 * PAGE, MADV_DOFORK), 0, "MADV_DOFORK");
	claim_ended(in_child(child_writes, (p[0] = 1, numbered(8, PRIVATE))), EXITED(0),
		"and a fork is as ever then");
	unmap((unsigned long)p, 6 * PAGE);
	unmap((unsigned long)s, PAGE);
}

static int child_protected(void *argument)
{
	unsigned char *p = argument;

	if (touch(p, false) != SIGSEGV || touch_code != SEGV_ACCERR)
		return 1;
	if (mprotect(p, PAGE, RW) || p[0] != 1)
		return 2;
	p[0] = 9;
	return touch(p + PAGE, true) == SIGSEGV && touch_code == SEGV_ACCERR ? 0 : 3;
}

static void protection(void)
{
	unsigned char *p = numbered(2, PRIVATE);

	mprotect(p, PAGE, PROT_NONE);
	mprotect(p + PAGE, PAGE, PROT_READ);
	claim_ended(in_child(child_protected, p), EXITED(0), "protections go along");
	mprotect(p, PAGE, RW);
	claim(p[0] == 1, "and are each one's own");
	unmap((unsigned long)p, 2 * PAGE);
}

static void heap(void)
{
	unsigned char *start = (unsigned char *)kernel_call(SYS_brk, 0), *end;
	int status;

	end = (unsigned char *)kernel_call(SYS_brk, ((unsigned long)start + 2 * PAGE) & -PAGE);
	end[-1] = 0x31;
	claim(end > start, "the break goes up");
	fflush(stdout);
	if (fork() == 0) {
		int code = kernel_call(SYS_brk, 0) == (long)end && end[-1] == 0x31 ? 0 : 1;

		if (kernel_call(SYS_brk, end + PAGE) != (long)(end + PAGE))
			code = 2;
		_exit(code);
	}
	wait(&status);
	claim_ended(status, EXITED(0), "a child has the heap, and its own break");
	claim(kernel_call(SYS_brk, 0) == (long)end, "the parent's break has not moved");
	kernel_call(SYS_brk, start);
}

/* ---- Files ---- */

static void file_coherence(void)
{
	int fd = numbered_file(4, O_RDWR, FILE_PATH);
	unsigned char *shared = (unsigned char *)map_file(4 * PAGE, RW, MAP_SHARED, fd, 0);
	unsigned char *private = (unsigned char *)map_file(4 * PAGE, RW, MAP_PRIVATE, fd, 0);
	unsigned char byte = 0;

	claim(is_numbered(shared, 4, 1) && is_numbered(private, 4, 1), "a file, mapped twice");
	shared[10] = 0xaa;
	claim(pread(fd, &byte, 1, 10) == 1 && byte == 0xaa,
		"read sees what was stored in shared memory");
	claim(private[10] == 0xaa, "so does a private mapping that has not written");
	byte = 0xbb;
	claim(pwrite(fd, &byte, 1, (off_t)PAGE + 5) == 1 && shared[PAGE + 5] == 0xbb &&
			private[PAGE + 5] == 0xbb,
		"both see what was written");
	private[2 * PAGE] = 0xcc;
	claim(shared[2 * PAGE] == 3 && pread(fd, &byte, 1, 2 * (off_t)PAGE) == 1 && byte == 3,
		"a store in private memory stays there");
	shared[2 * PAGE + 1] = 0xdd;
	claim(private[2 * PAGE + 1] == 3, "whose page no longer follows the file");
	unmap((unsigned long)shared, 4 * PAGE);
	claim(pread(fd, &byte, 1, 10) == 1 && byte == 0xaa, "after munmap the file has it");
	claim_result(map_file(PAGE, PROT_READ, MAP_PRIVATE, fd, 100), -EINVAL,
		"offset not of pages: EINVAL");
	claim_result(map_file(PAGE, PROT_READ, MAP_PRIVATE, fd, -(long)PAGE), -EOVERFLOW,
		"negative offset: EOVERFLOW");
	unmap((unsigned long)private, 4 * PAGE);
	close(fd);
}

static void file_end(void)
{
	int fd = numbered_file(3, O_RDWR, FILE_PATH);
	unsigned char *p = (unsigned char *)map_file(4 * PAGE, RW, MAP_SHARED, fd, 0);

	claim(touch(p + 3 * PAGE, false) == SIGBUS && touch_code == BUS_ADRERR,
		"past the end: SIGBUS, ADRERR");
	claim(touch(p + 3 * PAGE, true) == SIGBUS, "for a write too");
	claim(ftruncate(fd, PAGE + 100) == 0 && p[PAGE + 99] == 2 && p[PAGE + 100] == 0,
		"cut: the rest of the last page is zero");
	claim(touch(p + 2 * PAGE, false) == SIGBUS, "cut: what was mapped is gone");
	claim(ftruncate(fd, 4 * (off_t)PAGE) == 0 && touch(p + 3 * PAGE, true) == 0 &&
			p[2 * PAGE] == 0,
		"made longer again: zeroes");
	unmap((unsigned long)p, 4 * PAGE);
	p = (unsigned char *)map_file(PAGE, RW, MAP_PRIVATE, fd, 0);
	p[0] = 0x66;
	claim(ftruncate(fd, 0) == 0 && touch(p, false) == SIGBUS, "cut: private copies go too");
	unmap((unsigned long)p, PAGE);
	close(fd);
}

static void file_rights(void)
{
	int reader = numbered_file(1, O_RDONLY, FILE_PATH),
	    writer = numbered_file(1, O_WRONLY, FILE_PATH);
	int null = open("/dev/null", O_RDWR), directory = open("/", O_RDONLY);
	unsigned char *p;

	claim_result(map_file(PAGE, RW, MAP_SHARED, reader, 0), -EACCES,
		"shared, writable, of a reader: EACCES");
	claim_result(map_file(PAGE, PROT_READ, MAP_SHARED, writer, 0), -EACCES,
		"of a writer alone: EACCES");
	claim_result(map_file(PAGE, PROT_READ, MAP_PRIVATE, writer, 0), -EACCES,
		"privately too: EACCES");
	p = (unsigned char *)map_file(PAGE, PROT_READ, MAP_SHARED, reader, 0);
	claim((long)p > 0 && p[0] == 1, "shared, to be read: fine");
	claim_result(
		kernel_call(SYS_mprotect, p, PAGE, RW), -EACCES, "mprotect to write to it: EACCES");
	unmap((unsigned long)p, PAGE);
	p = (unsigned char *)map_file(PAGE, RW, MAP_PRIVATE, reader, 0);
	claim((long)p > 0 && touch(p, true) == 0, "private, writable, of a reader: fine");
	unmap((unsigned long)p, PAGE);
	claim_result(map_file(PAGE, PROT_READ, MAP_PRIVATE, directory, 0), -ENODEV,
		"a directory: ENODEV");
	claim_result(map_file(PAGE, PROT_READ, MAP_SHARED_VALIDATE | 0x80000, reader, 0),
		-EOPNOTSUPP, "MAP_SYNC: EOPNOTSUPP");
	claim_result(map_file(PAGE, PROT_READ, MAP_PRIVATE | MAP_GROWSDOWN, reader, 0), -EINVAL,
		"a stack of a file: EINVAL");
	claim_result(map_file(PAGE, PROT_READ, 0, reader, 0), -EINVAL,
		"neither shared nor private: EINVAL");
	close(reader);
	close(writer);
	close(null);
	close(directory);
}

static int child_file(void *argument)
{
	unsigned char **p = argument;

	p[0][0] = 0x21;
	p[1][0] = 0x22;
	return p[0][1] == 1 && p[1][1] == 1 ? 0 : 1;
}

static void file_fork(void)
{
	int fd = numbered_file(1, O_RDWR, FILE_PATH);
	unsigned char *p[2] = {(unsigned char *)map_file(PAGE, RW, MAP_SHARED, fd, 0),
		(unsigned char *)map_file(PAGE, RW, MAP_PRIVATE, fd, 0)};

	p[1][2] = 7;
	claim_ended(in_child(child_file, p), EXITED(0), "a child stores in a file's mappings");
	claim(p[0][0] == 0x21 && p[1][0] == 1, "its parent sees the shared one");
	unmap((unsigned long)p[0], PAGE);
	unmap((unsigned long)p[1], PAGE);
	close(fd);
}

static void all(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	private_memory();
	generations();
	shared_memory();
	advice();
	protection();
	heap();
	file_coherence();
	file_end();
	file_rights();
	file_fork();
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
