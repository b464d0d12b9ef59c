/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/pagemap, /proc/kpagecount and /proc/kpageflags, as Linux's Documentation/admin-guide/mm/pagemap.rst
 * has them. Root's rules are looked at from both sides; who is not root sees no frame numbers. Bit 55 (soft-dirty) is
 * not in all of Linux's builds and not judged.
 */
#include "procfs.h"

#define PAGE      4096ul
#define FRAMES    ((1ul << 55) - 1)
#define EXCLUSIVE (1ul << 56)
#define FILE_PAGE (1ul << 61)
#define PRESENT   (1ul << 63)
#define SOFT      (1ul << 55)
#define KPF(name) (1ul << KPF_##name)

/* The bits of /proc/kpageflags by that page. */
enum {
	KPF_UPTODATE = 3,
	KPF_SLAB = 7,
	KPF_BUDDY = 10,
	KPF_MMAP = 11,
	KPF_ANON = 12,
	KPF_SWAPBACKED = 14,
	KPF_NOPAGE = 20,
	KPF_ZERO_PAGE = 24,
	KPF_PGTABLE = 26,
};

static uint64_t word_at(int fd, uint64_t index)
{
	uint64_t word;

	WANT_IS(kernel_call(SYS_pread64, fd, &word, 8, index * 8), 8);
	return word;
}

/* Of a process (0: this one), without bit 55. */
static uint64_t page_of(pid_t pid, const void *address)
{
	int fd = proc_open(pid, "pagemap", O_RDONLY);
	uint64_t word;

	WANT(fd >= 0);
	word = word_at(fd, (unsigned long)address / PAGE) & ~SOFT;
	close(fd);
	return word;
}

static uint64_t kernel_word(const char *path, uint64_t frame)
{
	int fd = (int)kernel_call(SYS_open, path, O_RDONLY);
	uint64_t word;

	WANT(fd >= 0);
	word = word_at(fd, frame);
	close(fd);
	return word;
}

static uint64_t count_of(uint64_t page)
{
	return kernel_word("/proc/kpagecount", page & FRAMES);
}

static uint64_t flags_of(uint64_t page)
{
	return kernel_word("/proc/kpageflags", page & FRAMES);
}

static void only_root(void)
{
	if (geteuid() != 0)
		skip("frame numbers are for root");
}

static char *map_pages(unsigned long pages, int flags)
{
	char *area = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);

	WANT(area != MAP_FAILED);
	madvise(area, pages * PAGE, MADV_NOHUGEPAGE);
	return area;
}

/* ---- pagemap ---- */

static void private_pages(void)
{
	char *area = map_pages(8, MAP_PRIVATE);
	uint64_t first, second;

	only_root();
	WANT_IS(page_of(0, area), 0);
	area[0] = area[2 * PAGE] = 1;
	first = page_of(0, area);
	second = page_of(0, area + 2 * PAGE);
	WANT_IS(first & ~FRAMES, PRESENT | EXCLUSIVE);
	WANT_IS(second & ~FRAMES, PRESENT | EXCLUSIVE);
	WANT((first & FRAMES) && (second & FRAMES) && first != second);
	WANT_IS(page_of(0, area + PAGE), 0);
	WANT_IS(madvise(area, PAGE, MADV_DONTNEED), 0);
	WANT_IS(page_of(0, area), 0);
	WANT_IS(mprotect(area, 8 * PAGE, PROT_NONE), 0);
	WANT_IS(page_of(0, area + 2 * PAGE), second);
}

static void holes(void)
{
	char *area = map_pages(3, MAP_PRIVATE);
	int fd = proc_open(0, "pagemap", O_RDONLY);
	uint64_t words[3];

	memset(area, 1, 3 * PAGE);
	WANT_IS(munmap(area + PAGE, PAGE), 0);
	WANT_IS(pread(fd, words, sizeof words, (long)((unsigned long)area / PAGE * 8)), 24);
	WANT((words[0] & PRESENT) && (words[2] & PRESENT));
	WANT_IS(words[1], 0); /* bit 55 neither */
	WANT_IS(word_at(fd, 0), 0);
}

static void zero_page(void)
{
	char *area = map_pages(4, MAP_PRIVATE);
	uint64_t first;

	only_root();
	WANT_IS(*(volatile char *)area, 0);
	WANT_IS(*(volatile char *)(area + 3 * PAGE), 0);
	first = page_of(0, area);
	WANT_IS(first & ~FRAMES, PRESENT);
	WANT_IS(page_of(0, area + 3 * PAGE), first);
	WANT(flags_of(first) & KPF(ZERO_PAGE));
	WANT_IS(count_of(first), 0);
	area[0] = 1;
	WANT((page_of(0, area) & FRAMES) != (first & FRAMES));
	WANT_IS(page_of(0, area) & ~FRAMES, PRESENT | EXCLUSIVE);
}

static void file_pages(void)
{
	char name[] = "/tmp/pagemap-XXXXXX", byte = 1;
	int fd = mkstemp(name);
	uint64_t shared, private;
	char *one, *two, *own;

	only_root();
	WANT(fd >= 0);
	unlink(name);
	WANT_IS(ftruncate(fd, 2 * (long)PAGE), 0);
	WANT_IS(pwrite(fd, &byte, 1, 0), 1);
	one = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	two = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	WANT(one != MAP_FAILED && two != MAP_FAILED && own != MAP_FAILED);
	WANT_IS(page_of(0, one), 0);
	one[0] = 2;
	shared = page_of(0, one);
	WANT_IS(shared & ~FRAMES, PRESENT | FILE_PAGE | EXCLUSIVE);
	WANT_IS(count_of(shared), 1);
	WANT_IS(*(volatile char *)two + *(volatile char *)own, 4);
	WANT_IS(page_of(0, two), (shared & FRAMES) | PRESENT | FILE_PAGE);
	WANT_IS(page_of(0, own), page_of(0, two));
	WANT_IS(count_of(shared), 3);
	WANT_IS(flags_of(shared) & (KPF(MMAP) | KPF(ANON) | KPF(SLAB) | KPF(BUDDY) | KPF(NOPAGE)),
		KPF(MMAP));
	own[0] = 3;
	private = page_of(0, own);
	WANT_IS(private & ~FRAMES, PRESENT | EXCLUSIVE);
	WANT(flags_of(private) & KPF(ANON));
	WANT_IS(count_of(shared), 2);
	WANT_IS(munmap(one, PAGE) | munmap(two, PAGE), 0);
	WANT_IS(count_of(shared), 0);
	WANT(!(flags_of(shared) & KPF(MMAP)));
}

/* ---- After a fork ---- */

static struct gate to_child, to_parent;
static char *forked;

static void write_when_told(void)
{
	open_gate(to_parent);
	wait_gate(to_child);
	forked[0] = 2;
	open_gate(to_parent);
	wait_gate(to_child);
}

static void copy_on_write(void)
{
	uint64_t before, after;
	pid_t pid;

	only_root();
	forked = map_pages(2, MAP_PRIVATE);
	forked[0] = forked[PAGE] = 1;
	to_child = make_gate();
	to_parent = make_gate();
	pid = start(write_when_told);
	wait_gate(to_parent);
	before = page_of(0, forked);
	WANT_IS(before & ~FRAMES, PRESENT);
	WANT_IS(page_of(pid, forked), before);
	WANT_IS(count_of(before), 2);
	open_gate(to_child);
	wait_gate(to_parent);
	after = page_of(pid, forked);
	WANT_IS(after & ~FRAMES, PRESENT | EXCLUSIVE);
	WANT((after & FRAMES) != (before & FRAMES));
	WANT_IS(page_of(0, forked), before | EXCLUSIVE);
	WANT_IS(count_of(before), 1);
	WANT_IS(page_of(pid, forked + PAGE), page_of(0, forked + PAGE));
	open_gate(to_child);
	WANT_ENDS(pid, 0);
	WANT_IS(page_of(0, forked + PAGE) & ~FRAMES, PRESENT | EXCLUSIVE);
}

/* ---- kpageflags ---- */

static void kinds_of_pages(void)
{
	char *area = map_pages(1, MAP_PRIVATE), *shared = map_pages(1, MAP_SHARED);
	uint64_t flags;

	only_root();
	area[0] = shared[0] = 1;
	flags = flags_of(page_of(0, area));
	WANT_IS(flags & (KPF(ANON) | KPF(MMAP) | KPF(SWAPBACKED) | KPF(UPTODATE)),
		KPF(ANON) | KPF(MMAP) | KPF(SWAPBACKED) | KPF(UPTODATE));
	WANT_IS(flags & (KPF(SLAB) | KPF(BUDDY) | KPF(NOPAGE) | KPF(ZERO_PAGE) | KPF(PGTABLE)), 0);
	flags = flags_of(page_of(0, shared));
	WANT_IS(flags & (KPF(ANON) | KPF(MMAP) | KPF(SWAPBACKED) | KPF(UPTODATE)),
		KPF(MMAP) | KPF(SWAPBACKED) | KPF(UPTODATE));
	WANT_IS(page_of(0, shared) & ~FRAMES, PRESENT | FILE_PAGE | EXCLUSIVE);
}

/* All of RAM at once: there are slabs, page tables and free blocks. */
static void all_frames(void)
{
	static uint64_t words[4096];
	int fd = (int)kernel_call(SYS_open, "/proc/kpageflags", O_RDONLY);
	uint64_t slabs = 0, tables = 0, free = 0, anonymous = 0, frames = 0;
	long got;

	only_root();
	WANT(fd >= 0);
	while ((got = read(fd, words, sizeof words)) > 0) {
		WANT_IS(got % 8, 0);
		for (long i = 0; i < got / 8; i++, frames++) {
			slabs += words[i] >> KPF_SLAB & 1;
			tables += words[i] >> KPF_PGTABLE & 1;
			free += words[i] >> KPF_BUDDY & 1;
			anonymous += words[i] >> KPF_ANON & 1;
			if (words[i] & KPF(NOPAGE))
				WANT_IS(words[i], KPF(NOPAGE));
		}
	}
	WANT_IS(got, 0);
	WANT(slabs && tables && free && anonymous);
	WANT(frames * PAGE >= (uint64_t)sysconf(_SC_PHYS_PAGES) * PAGE);
}

/* ---- Reading ---- */

static void bad_reads(void)
{
	static const char *const files[] = {
		"/proc/self/pagemap", "/proc/kpageflags", "/proc/kpagecount"};
	uint64_t words[2];

	only_root();
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		int fd = (int)kernel_call(SYS_open, files[i], O_RDONLY);

		WANT(fd >= 0);
		WANT_IS(kernel_call(SYS_pread64, fd, words, 7, 0), -EINVAL);
		WANT_IS(kernel_call(SYS_pread64, fd, words, 12, 0), -EINVAL);
		WANT_IS(kernel_call(SYS_pread64, fd, words, 8, 4), -EINVAL);
		WANT_IS(kernel_call(SYS_pread64, fd, words, 0, 8), 0);
		WANT_IS(kernel_call(SYS_pread64, fd, words, 8, 1ul << 62), 0);
		WANT_IS(kernel_call(SYS_pread64, fd, BAD, 8, 0), -EFAULT);
		WANT_IS(kernel_call(SYS_lseek, fd, 0, SEEK_END), -EINVAL);
		WANT_IS(kernel_call(SYS_lseek, fd, 80, SEEK_SET), 80);
		WANT_IS(read(fd, words, 16), 16);
		WANT_IS(kernel_call(SYS_lseek, fd, 0, SEEK_CUR), 96);
		WANT_IS(kernel_call(SYS_open, files[i], O_RDWR) >= 0 ? write(3, words, 8) : -1, -1);
		close(fd);
	}
}

static void end_of_space(void)
{
	int fd = proc_open(0, "pagemap", O_RDONLY);
	/* A kernel with five levels of tables maps above 2^47 who asks for it. */
	void *high = mmap((void *)(1ul << 50), PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t words[4], last = (1ul << ((unsigned long)high >> 47 ? 56 : 47)) / PAGE - 1;

	WANT_IS(pread(fd, words, 32, (long)(last - 2) * 8), 16);
	WANT_IS(pread(fd, words, 32, (long)last * 8), 0);
}

/* As many words as pages, over a piece of memory that takes many reads within. */
static void long_reads(void)
{
	const unsigned long pages = 3000;
	char *area = map_pages(pages, MAP_PRIVATE);
	uint64_t *words = malloc(pages * 8);
	int fd = proc_open(0, "pagemap", O_RDONLY);

	for (unsigned long i = 0; i < pages; i += 7)
		area[i * PAGE] = 1;
	WANT_IS(pread(fd, words, pages * 8, (long)((unsigned long)area / PAGE * 8)), pages * 8);
	for (unsigned long i = 0; i < pages; i++)
		WANT_IS(words[i] >> 63, i % 7 == 0);
}

/* What smaps counts is what pagemap shows. */
static void as_smaps(void)
{
	static char text[1 << 18];
	char *area = map_pages(64, MAP_PRIVATE), start[40], *line;
	uint64_t present = 0;

	for (unsigned i = 0; i < 20; i++)
		area[i * 3 * PAGE] = 1;
	for (unsigned i = 0; i < 64; i++)
		present += page_of(0, area + i * PAGE) >> 63;
	WANT_IS(present, 20);
	WANT_IS(mprotect(area, 64 * PAGE, PROT_READ), 0); /* a mapping of its own */
	WANT(proc_read(0, "smaps", text, sizeof text) > 0);
	snprintf(start, sizeof start, "%lx-", (unsigned long)area);
	line = strstr(text, start);
	WANT(line);
	WANT_IS(number_of(line, "Rss"), 20 * 4);
}

/* ---- Who may ---- */

static void rights(void)
{
	char *area = map_pages(1, MAP_PRIVATE);
	int opened = proc_open(0, "pagemap", O_RDONLY);
	uint64_t index = (unsigned long)area / PAGE;

	area[0] = 1;
	only_root();
	WANT(word_at(opened, index) & FRAMES);
	WANT(become_nobody());
	WANT(word_at(opened, index) & FRAMES); /* opened with the right to */
	WANT_IS(kernel_call(SYS_open, "/proc/kpageflags", O_RDONLY), -EACCES);
	WANT_IS(kernel_call(SYS_open, "/proc/kpagecount", O_RDONLY), -EACCES);
	WANT_IS(kernel_call(SYS_open, "/proc/1/pagemap", O_RDONLY), -EACCES);
	/* Not dumpable since the change of user, and so root's; as another program it would be its own. */
	WANT_IS(prctl(PR_SET_DUMPABLE, 1), 0);
	opened = proc_open(0, "pagemap", O_RDONLY);
	WANT(opened >= 0);
	WANT_IS(word_at(opened, index) & ~SOFT, PRESENT | EXCLUSIVE);
}

static void gone(void)
{
	pid_t pid = start(just_wait);
	int fd = proc_open(pid, "pagemap", O_RDONLY);
	uint64_t word;

	WANT(fd >= 0);
	kill(pid, SIGKILL);
	WANT_ENDS(pid, SIGKILL);
	WANT_IS(kernel_call(SYS_pread64, fd, &word, 8, 0x1000), 0);
}

static const struct test_case cases[] = {
	CASE(private_pages,
		"pagemap: a page is present once it is written, one's own, until it is given back"),
	CASE(holes, "pagemap: nothing where nothing is mapped"),
	CASE(zero_page, "pagemap: what was only read is the page of zeroes, which nobody counts"),
	CASE(file_pages, "pagemap, kpagecount: one frame for all mappings of a file's page"),
	CASE(copy_on_write, "pagemap, kpagecount: shared by parent and child until one writes"),
	CASE(kinds_of_pages, "kpageflags: private and shared memory"),
	CASE(all_frames, "kpageflags: all of RAM"),
	CASE(bad_reads, "pagemap, kpage*: whole words at whole words' offsets"),
	CASE(end_of_space, "pagemap: ends where the address space does"),
	CASE(long_reads, "pagemap: thousands of pages in one read"),
	CASE(as_smaps, "pagemap: as many pages as smaps says"),
	CASE(rights,
		"pagemap: frame numbers for who opened it with CAP_SYS_ADMIN; kpage* for root"),
	CASE(gone, "pagemap: of a process that has ended"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
