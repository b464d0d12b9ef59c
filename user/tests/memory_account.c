/* SPDX-License-Identifier: MIT */
/*
 * Accounts that add up, and memory that runs out. On a machine with more than a GiB only the sums are
 * looked at: others move its counters meanwhile, and nobody wants hogs there.
 */
#include <sys/sysinfo.h>

#include "memory_map.h"

#define GIB (1ul << 30)

/* A line of /proc/meminfo in KiB; -1: there is none. */
static long meminfo(const char *name)
{
	char line[128];
	FILE *file = fopen("/proc/meminfo", "r");
	long value = -1, kib;

	while (file && fgets(line, sizeof line, file)) {
		size_t length = strlen(name);

		if (strncmp(line, name, length) == 0 && line[length] == ':' &&
			sscanf(line + length + 1, "%ld", &kib) == 1)
			value = kib;
	}
	if (file)
		fclose(file);
	return value;
}

static void sums(void)
{
	static const char *const parts[] = {"MemFree", "AnonPages", "Cached", "Slab", "KernelStack",
		"PageTables", "KernelHeap", "PageArray", "Initrd", "KernelImage", "KernelOther",
		"Stranded"};
	long total = meminfo("MemTotal"), sum = 0;
	bool ours = meminfo("PageArray") >= 0;

	claim(total > 0 && meminfo("MemFree") > 0 && meminfo("MemFree") < total, "/proc/meminfo");
	for (size_t i = 0; i < COUNT(parts); i++)
		sum += meminfo(parts[i]) > 0 ? meminfo(parts[i]) : 0;
	/* Linux has no line for all of it. Files are read between two looks, so a little may move. */
	claim(!ours || labs(sum - total) < 64, "its lines add up to the RAM");
	if (ours && sum != total)
		printf("# %ld KiB of %ld\n", sum, total);
}

static void moves(void)
{
	const size_t pages = 2048;
	long anonymous = meminfo("AnonPages"), shared = meminfo("Shmem");
	unsigned char *p = (unsigned char *)map(0, pages * PAGE, RW, PRIVATE);
	unsigned char *s = (unsigned char *)map(0, pages * PAGE, RW, SHARED);

	memset(p, 1, pages * PAGE);
	memset(s, 1, pages * PAGE);
	claim(meminfo("AnonPages") - anonymous > 4096, "private pages are counted as such");
	claim(meminfo("Shmem") - shared > 4096, "shared ones as theirs");
	unmap((unsigned long)p, pages * PAGE);
	unmap((unsigned long)s, pages * PAGE);
}

/* ---- Out of memory ---- */

/* Takes all that there is, by touching it. */
static int hog(void *unused)
{
	(void)unused;
	for (;;) {
		unsigned char *p = (unsigned char *)map(0, 1ul << 20, RW, PRIVATE | MAP_NORESERVE);

		if ((long)p < 0)
			return 1;
		memset(p, 1, 1ul << 20);
	}
}

/* The same by a call, which copies a file's bytes there. */
static int hog_by_call(void *unused)
{
	int fd = open("/dev/zero", O_RDONLY);

	(void)unused;
	for (;;) {
		unsigned char *p = (unsigned char *)map(0, 1ul << 20, RW, PRIVATE | MAP_NORESERVE);

		if ((long)p < 0 || read(fd, p, 1ul << 20) < 0)
			return 1;
	}
}

static int hogs(void *unused)
{
	int killed = 0;

	(void)unused;
	for (int i = 0; i < 4; i++) {
		if (fork() == 0)
			_exit(hog(NULL));
	}
	for (int i = 0; i < 4; i++)
		killed += wait_status(-1) == SIGKILL;
	return killed;
}

static void run_out(void)
{
	unsigned char *kept = numbered(256, PRIVATE);
	struct sysinfo before, after;

	in_child(hog, NULL);
	sysinfo(&before);
	claim_ended(
		in_child(hog, NULL), KILLED(SIGKILL), "a process that takes all memory is killed");
	claim_ended(in_child(hog_by_call, NULL), KILLED(SIGKILL), "so is one that does it by read");
	claim_ended(in_child(hogs, NULL), EXITED(4), "and four of them");
	claim(is_numbered(kept, 250, 1), "who has little is left alone");
	claim_result(kernel_call(SYS_mmap, 0, before.totalram * 2, RW, PRIVATE, -1, 0), -ENOMEM,
		"twice the RAM, to be written: ENOMEM");
	sysinfo(&after);
	claim(after.freeram + before.totalram / 50 > before.freeram, "all of their pages are back");
	unmap((unsigned long)kept, 256 * PAGE);
}

static void all(int argc, char **argv)
{
	struct sysinfo info;

	(void)argc;
	(void)argv;
	sums();
	sysinfo(&info);
	if (info.totalram * info.mem_unit >= GIB) {
		printf("# more than a GiB of RAM: others use it too\n");
		return;
	}
	moves();
	run_out();
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
