/* SPDX-License-Identifier: MIT */
/* What is measured: bench.c has the loop and the operations of the kernel's core, files.c those on files. */
#ifndef USER_BENCH_OPERATION_H
#define USER_BENCH_OPERATION_H

struct operation {
	const char *name;
	int (*operate)(void); /* 0, or the errno by which the kernel refused */
	int batch;            /* operations in a sample */
	int (*before)(void);  /* before each sample; its errno skips the operation */
	void (*after)(void);
};

extern const char *bench_self; /* this program's path, to start it once more */
extern const struct operation bench_file_operations[]; /* files.c; the last has no name */

/* The other end of the round trips: sends back each byte that comes, from one descriptor to another, until
 * there are no more. */
void bench_echo(int from, int to);
/* Removes the files that file operations made. */
void bench_files_end(void);

/* A system call as it is, without what a library adds. */
static inline long call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

#endif
