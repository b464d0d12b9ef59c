/* SPDX-License-Identifier: MIT */
/*
 * Alice: a well-behaved process. She says who she is, counts her turns, and gives the CPU away after
 * each. She keeps a block of memory at an address that Eve knows, and looks in every turn whether it
 * is still as she left it: if ever it is not, isolation is broken, and she ends with status 3.
 *
 *	alice [TURNS [quiet]]
 *
 * Status: 0 after TURNS turns, 1 she could not start, 3 somebody wrote into her memory.
 */
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define SECRET_ADDRESS ((void *)0x10000000) /* demos/eve.c looks here */
#define SECRET_SIZE    65536u
#define TURN_NS        50000000L

static const char secret[] = "Alice's secret. Eve must never read this, nor change it. ";

/* FNV-1a, 64 bits. */
static uint64_t hash(const unsigned char *p, size_t size)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	while (size--)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return h;
}

int main(int argc, char **argv)
{
	long turns = argc > 1 ? strtol(argv[1], NULL, 0) : 10;
	bool quiet = argc > 2 && strcmp(argv[2], "quiet") == 0;
	unsigned char *block = mmap(SECRET_ADDRESS, SECRET_SIZE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	uint64_t before;

	setvbuf(stdout, NULL, _IOLBF, 0); /* a line is one write, whoever else is printing */
	if (block == MAP_FAILED) {
		perror("Alice: no memory for my secret: mmap");
		return 1;
	}
	for (size_t i = 0; i < SECRET_SIZE; i++)
		block[i] = (unsigned char)secret[i % (sizeof secret - 1)];
	before = hash(block, SECRET_SIZE);
	if (!quiet)
		printf("Alice (pid %d): hello, I keep a secret at %p\n", getpid(), (void *)block);

	for (long turn = 1; turn <= turns; turn++) {
		if (hash(block, SECRET_SIZE) != before) {
			printf("Alice: turn %ld: SOMEBODY WROTE INTO MY MEMORY\n", turn);
			return 3;
		}
		if (!quiet)
			printf("Alice: turn %ld, my memory is as I left it\n", turn);
		sched_yield(); /* whoever else is ready runs now */
		nanosleep(&(struct timespec){.tv_nsec = TURN_NS}, NULL);
	}
	if (!quiet)
		printf("Alice: done after %ld turns, and nobody harmed me\n", turns);
	return 0;
}
