/* SPDX-License-Identifier: MIT */
/*
 * Memory of which all is known, for ci/memview.py: a line of JSON that tells it, then what memview makes of it.
 *
 * Private pages of this process; pages that it shares with a child by a mapping; pages that both have since the fork
 * and neither has written.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE    4096ul
#define PRIVATE 5
#define SHARED  3
#define COPIES  2

static char *map(unsigned long pages, int flags)
{
	char *area = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED) {
		perror("mmap");
		_exit(1);
	}
	for (unsigned long i = 0; i < pages; i++)
		area[i * PAGE] = (char)(i + 1);
	return area;
}

int main(void)
{
	char *shared = map(SHARED, MAP_SHARED), *copies = map(COPIES, MAP_PRIVATE), *private;
	int told[2];
	pid_t child, viewer;
	char byte;

	if (pipe(told) < 0 || (child = fork()) < 0)
		return 1;
	if (child == 0) {
		for (int i = 0; i < SHARED; i++)
			byte = *(volatile char *)(shared + i * (long)PAGE);
		if (write(told[1], &byte, 1) != 1)
			return 1;
		for (;;)
			pause();
	}
	if (read(told[0], &byte, 1) != 1)
		return 1;
	private = map(PRIVATE, MAP_PRIVATE);
	printf("{\"pid\": %d, \"child\": %d, \"private\": [%lu, %d], \"shared\": [%lu, %d], "
	       "\"copies\": [%lu, %d]}\n",
		getpid(), child, (unsigned long)private, PRIVATE, (unsigned long)shared, SHARED,
		(unsigned long)copies, COPIES);
	fflush(stdout);
	viewer = vfork();
	if (viewer == 0) {
		execl("/bin/memview", "memview", "--json", (char *)NULL);
		_exit(127);
	}
	waitpid(viewer, NULL, 0);
	return 0;
}
