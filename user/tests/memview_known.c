/* SPDX-License-Identifier: MIT */
/*
 * Memory of which all is known, for ci/memview.py: a line of JSON that tells it, then what memview makes of it.
 *
 * Private pages of this process; pages that it shares with a child by a mapping; pages that both have since the fork
 * and neither has written. Of each how often /proc/kpagecount says that it is mapped; and what /proc/meminfo says.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
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

/* ---- What the kernel's other files say ---- */

static uint64_t word_of(const char *file, uint64_t index)
{
	uint64_t word = 0;
	int fd = open(file, O_RDONLY);

	if (fd < 0 || pread(fd, &word, sizeof word, (off_t)(index * sizeof word)) != sizeof word) {
		perror(file);
		_exit(1);
	}
	close(fd);
	return word;
}

static uint64_t mappings_of(const char *address)
{
	uint64_t page = word_of("/proc/self/pagemap", (uintptr_t)address / PAGE);

	return word_of("/proc/kpagecount", page & ((UINT64_C(1) << 55) - 1));
}

static void tell_counts(const char *name, const char *area, int pages)
{
	printf(", \"%s_counts\": [", name);
	for (int i = 0; i < pages; i++)
		printf("%s%lu", i ? ", " : "", mappings_of(area + i * (long)PAGE));
	printf("]");
}

/* Names without brackets, as Baton has them; values in KiB. */
static void tell_meminfo(void)
{
	char line[128], name[64];
	unsigned long value;
	FILE *file = fopen("/proc/meminfo", "r");

	printf(", \"meminfo\": {");
	for (bool first = true; file && fgets(line, sizeof line, file); first = false)
		if (sscanf(line, "%63[^:]: %lu", name, &value) == 2)
			printf("%s\"%s\": %lu", first ? "" : ", ", name, value);
	printf("}");
	if (file)
		fclose(file);
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
	       "\"copies\": [%lu, %d]",
		getpid(), child, (unsigned long)private, PRIVATE, (unsigned long)shared, SHARED,
		(unsigned long)copies, COPIES);
	tell_counts("private", private, PRIVATE);
	tell_counts("shared", shared, SHARED);
	tell_counts("copies", copies, COPIES);
	tell_meminfo();
	printf("}\n");
	fflush(stdout);
	viewer = vfork();
	if (viewer == 0) {
		execl("/bin/memview", "memview", "--json", (char *)NULL);
		_exit(127);
	}
	waitpid(viewer, NULL, 0);
	return 0;
}
