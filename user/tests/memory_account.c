/* SPDX-License-Identifier: MIT */
/*
 * Accounts that add up, and memory that runs out. On a machine with more than a GiB only the sums are
 * looked at: others move its counters meanwhile, and nobody wants hogs there. Linux has no line for
 * all of its memory, and keeps some of it for later: what is exact is Baton's.
 */
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "memory_map.h"

#define GIB        (1ul << 30)
#define KIB_A_PAGE 4

static bool ours; /* this is Baton */

/* All of /proc/meminfo by one read, so that its lines are of one moment. */
static const char *meminfo_text(void)
{
	static char text[8192];
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t length = read(fd, text, sizeof text - 1);

	text[length > 0 ? length : 0] = '\0';
	close(fd);
	return text;
}

/* A line of it in KiB; -1: there is none. */
static long line_of(const char *text, const char *name)
{
	size_t length = strlen(name);

	for (; text && *text; text = strchr(text, '\n'), text += text != NULL) {
		if (strncmp(text, name, length) == 0 && text[length] == ':')
			return strtol(text + length + 1, NULL, 10);
	}
	return -1;
}

static long meminfo(const char *name)
{
	return line_of(meminfo_text(), name);
}

static void sums(void)
{
	static const char *const parts[] = {"MemFree", "AnonPages", "Cached", "Slab", "KernelStack",
		"PageTables", "KernelHeap", "PageArray", "Initrd", "KernelImage", "KernelOther",
		"Stranded"};
	const char *text = meminfo_text();
	long total = line_of(text, "MemTotal"), free = line_of(text, "MemFree"), sum = 0;
	size_t found = 0;

	claim(total > 0 && free > 0 && free < total, "/proc/meminfo");
	for (size_t i = 0; i < COUNT(parts); i++) {
		long part = line_of(text, parts[i]);

		found += part >= 0;
		sum += part >= 0 ? part : 0;
	}
	claim(!ours || (found == COUNT(parts) && sum == total), "its lines add up to the RAM");
	if (ours && sum != total)
		printf("# %zu lines: %ld KiB of %ld\n", found, sum, total);
}

/* A counter moved by `pages`, exactly where nobody else may move it. */
static bool moved(const char *name, long before, long pages)
{
	long by = meminfo(name) - before;

	if (by == pages * KIB_A_PAGE)
		return true;
	printf("# %s: by %ld KiB, expected %ld\n", name, by, pages * KIB_A_PAGE);
	return !ours && by > pages * KIB_A_PAGE / 2;
}

/* Whoever carries this program's output may take a page of its own meanwhile: once, not at each try. */
static bool moves_once(bool *private_moved, bool *shared_moved)
{
	const size_t pages = 2048;
	long anonymous = meminfo("AnonPages"), shared = meminfo("Shmem");
	unsigned char *p = (unsigned char *)map(0, pages * PAGE, RW, PRIVATE);
	unsigned char *s = (unsigned char *)map(0, pages * PAGE, RW, SHARED);

	memset(p, 1, pages * PAGE);
	memset(s, 1, pages * PAGE);
	*private_moved = moved("AnonPages", anonymous, pages);
	*shared_moved = moved("Shmem", shared, pages);
	unmap((unsigned long)p, pages * PAGE);
	unmap((unsigned long)s, pages * PAGE);
	return !ours || (meminfo("AnonPages") == anonymous && meminfo("Shmem") == shared);
}

static void moves(void)
{
	bool private_moved = false, shared_moved = false, gone = false;

	for (int i = 0; i < 5 && !(private_moved && shared_moved && gone); i++)
		gone = moves_once(&private_moved, &shared_moved);
	claim(private_moved, "private pages are counted as such");
	claim(shared_moved, "shared ones as theirs");
	claim(gone, "and no longer when they are gone");
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

/* What is free, and what the slab caches keep: how many slabs that are depends on which CPU took and
 * gave back an object, so a few more may stay. */
struct pages {
	long free, slab;
};

static struct pages pages_now(void)
{
	const char *text = meminfo_text();

	return (struct pages){
		line_of(text, "MemFree") / KIB_A_PAGE, line_of(text, "Slab") / KIB_A_PAGE};
}

#define SLABS_MORE 16

/* As many pages as were, to the page where nothing may lack. What the dead leave is freed a moment
 * later, by whoever buries them. */
static bool all_back(struct pages before, long may_lack)
{
	struct pages now = {0};
	long lacking;

	for (int i = 0; i < 3000; i++) {
		now = pages_now();
		lacking = before.free + before.slab - now.free - now.slab;
		if (lacking <= may_lack && now.slab <= before.slab + SLABS_MORE + may_lack)
			return true;
		sleep_ms(20);
	}
	printf("# %ld pages are free and %ld of slabs, %ld and %ld were\n", now.free, now.slab,
		before.free, before.slab);
	return false;
}

static void run_out(void)
{
	unsigned char *kept = numbered(256, PRIVATE);
	struct pages before;
	struct sysinfo info;

	sysinfo(&info);
	in_child(hogs, NULL); /* what is made once and kept is made now */
	sleep_ms(200);
	before = pages_now();
	claim_ended(
		in_child(hog, NULL), KILLED(SIGKILL), "a process that takes all memory is killed");
	claim_ended(in_child(hog_by_call, NULL), KILLED(SIGKILL), "so is one that does it by read");
	claim_ended(in_child(hogs, NULL), EXITED(4), "and four of them");
	claim(is_numbered(kept, 250, 1), "who has little is left alone");
	claim_result(kernel_call(SYS_mmap, 0, info.totalram * 2, RW, PRIVATE, -1, 0), -ENOMEM,
		"twice the RAM, to be written: ENOMEM");
	claim(all_back(before, ours ? 0 : (long)(info.totalram / PAGE / 50)),
		"all of their pages are back");
	unmap((unsigned long)kept, 256 * PAGE);
}

static void all(int argc, char **argv)
{
	struct sysinfo info;
	struct utsname name;

	(void)argc;
	(void)argv;
	ours = uname(&name) == 0 && strstr(name.version, "Baton");
	sums();
	sysinfo(&info);
	if (info.totalram * info.mem_unit >= GIB) {
		printf("# more than a GiB of RAM: others use it too\n");
		return;
	}
	moves();
	run_out();
	sums();
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
