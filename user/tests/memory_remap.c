/* SPDX-License-Identifier: MIT */
/* mremap, madvise, msync, mincore, and what mmap's flags do. */
#include "memory_map.h"

#define FILE_PATH "/tmp/baton-memory-remap"

/* Room where nothing is: its address, unmapped again. */
static unsigned long room(size_t pages)
{
	unsigned long at = (unsigned long)map(0, pages * PAGE, PROT_NONE, PRIVATE);

	unmap(at, pages * PAGE);
	return at;
}

static bool is_gone(const unsigned char *p)
{
	return touch((volatile unsigned char *)p, false) == SIGSEGV && touch_code == SEGV_MAPERR;
}

/* ---- mremap ---- */

static void remap_sizes(void)
{
	unsigned long at = room(16);
	unsigned char *p = (unsigned char *)map(at, 4 * PAGE, RW, PRIVATE | MAP_FIXED), *q;

	for (size_t i = 0; i < 4; i++)
		memset(p + i * PAGE, (int)i + 1, PAGE);
	claim_result(remap(at, 4 * PAGE, 2 * PAGE, 0, 0), (long)at, "mremap to less");
	claim(is_numbered(p, 2, 1) && is_gone(p + 2 * PAGE), "the rest is gone");
	claim_result(remap(at, 2 * PAGE, 6 * PAGE, 0, 0), (long)at,
		"mremap to more, where there is room");
	claim(is_numbered(p, 2, 1) && p[2 * PAGE] == 0 && p[6 * PAGE - 1] == 0,
		"what is new is zero");
	map(at + 6 * PAGE, PAGE, PROT_READ, PRIVATE | MAP_FIXED);
	claim_result(remap(at, 6 * PAGE, 8 * PAGE, 0, 0), -ENOMEM, "no room, may not move: ENOMEM");
	q = (unsigned char *)remap(at, 6 * PAGE, 8 * PAGE, MREMAP_MAYMOVE, 0);
	claim((long)q > 0 && q != p && is_numbered(q, 2, 1) && q[8 * PAGE - 1] == 0,
		"it moves with its pages");
	claim(is_gone(p), "and is gone where it was");
	claim_result(remap((unsigned long)q, 8 * PAGE, 8 * PAGE, 0, 0), (long)q,
		"the same size: nothing");
	unmap((unsigned long)q, 8 * PAGE);
	unmap(at, 16 * PAGE);
}

/* From place to place within one page table, with nothing else in it. */
static void remap_nearby(void)
{
	unsigned long base = 0x300000000000, at = base;
	unsigned char *p = (unsigned char *)map(at, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE);
	bool moved = true;

	memset(p, 1, PAGE);
	for (unsigned long to = base + PAGE; to <= base + 8 * PAGE; to += PAGE) {
		moved &= remap(at, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == (long)to;
		moved &= is_gone((unsigned char *)at) && is_numbered((unsigned char *)to, 1, 1);
		at = to;
	}
	claim(moved, "a page that moves to the next place eight times stays as it is");
	unmap(at, PAGE);
	p = (unsigned char *)map(base, 512 * PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE);
	moved = true;
	for (size_t i = 0; i < 512 * PAGE; i++)
		moved &= !p[i];
	claim(moved, "memory mapped there afterwards is zero");
	unmap(base, 512 * PAGE);
}

static void remap_fixed(void)
{
	unsigned char *p = numbered(6, PRIVATE);
	unsigned long from = (unsigned long)p, to = room(8);

	map(to + PAGE, PAGE, RW, PRIVATE | MAP_FIXED);
	*(unsigned char *)(to + PAGE) = 0xee;
	claim_result(remap(from + 2 * PAGE, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to),
		(long)to, "the middle, to a place, longer");
	claim(is_numbered((unsigned char *)to, 2, 3) && *(unsigned char *)(to + 2 * PAGE) == 0,
		"over what was there");
	claim(is_gone(p + 2 * PAGE) && is_numbered(p, 2, 1) && is_numbered(p + 4 * PAGE, 2, 5),
		"its neighbours stay");
	claim_result(remap(from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, from + 2 * PAGE),
		(long)from + 2 * PAGE, "to the place right behind");
	claim(p[2 * PAGE] == 1 && is_gone(p), "moved");
	claim_result(remap(from + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			     from + 2 * PAGE),
		-EINVAL, "the places overlap: EINVAL");
	claim_result(remap(from + PAGE, PAGE, PAGE, MREMAP_FIXED, to), -EINVAL,
		"FIXED without MAYMOVE: EINVAL");
	claim_result(remap(from + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to + 1), -EINVAL,
		"to an odd place: EINVAL");
	claim_result(
		remap(from + PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, 0xffffffff80000000),
		-EINVAL, "into the kernel: EINVAL");
	unmap(from, 6 * PAGE);
	unmap(to, 8 * PAGE);
}

static void remap_errors(void)
{
	unsigned char *p = numbered(2, PRIVATE);
	unsigned long at = (unsigned long)p, hole = room(4);

	claim_result(remap(at + 1, PAGE, PAGE, 0, 0), -EINVAL, "mremap, unaligned: EINVAL");
	claim_result(kernel_call(SYS_mremap, at, -PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			     0x7f00000000),
		-EINVAL, "mremap, an old size beyond all addresses: EINVAL");
	claim_result(remap(at, PAGE, 0, 0, 0), -EINVAL, "mremap to nothing: EINVAL");
	claim_result(remap(at, PAGE, PAGE, 64, 0), -EINVAL, "mremap, unknown flag: EINVAL");
	claim_result(remap(hole, PAGE, 2 * PAGE, 0, 0), -EFAULT, "mremap of nothing: EFAULT");
	mprotect(p + PAGE, PAGE, PROT_READ);
	claim_result(remap(at, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE, 0), -EFAULT,
		"mremap of two mappings to more: EFAULT");
	claim_result(remap(at, 0, PAGE, MREMAP_MAYMOVE, 0), -EINVAL,
		"a second view of private memory: EINVAL");
	claim_result(remap(at, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0), -EINVAL,
		"DONTUNMAP with another size: EINVAL");
	claim_result(remap(at, PAGE, PAGE, MREMAP_DONTUNMAP, 0), -EINVAL,
		"DONTUNMAP without MAYMOVE: EINVAL");
	claim_result(
		remap(at, PAGE, 1ul << 46, MREMAP_MAYMOVE, 0), -ENOMEM, "mremap to 64 TiB: ENOMEM");
	unmap(at, 2 * PAGE);
}

static void remap_kinds(void)
{
	unsigned char *shared = numbered(2, SHARED), *p = numbered(3, PRIVATE), *q;
	int fd = numbered_file(4, O_RDWR, FILE_PATH);

	q = (unsigned char *)remap((unsigned long)shared, 0, 2 * PAGE, MREMAP_MAYMOVE, 0);
	claim((long)q > 0 && q != shared && is_numbered(q, 2, 1), "a second view of shared memory");
	q[0] = 0x55;
	claim(shared[0] == 0x55, "of the same pages");
	unmap((unsigned long)q, 2 * PAGE);
	q = (unsigned char *)remap(
		(unsigned long)p, 3 * PAGE, 3 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, 0);
	claim((long)q > 0 && q != p && is_numbered(q, 3, 1), "DONTUNMAP: the pages move");
	claim(p[0] == 0 && p[3 * PAGE - 1] == 0, "and zeroes are where they were");
	unmap((unsigned long)q, 3 * PAGE);
	unmap((unsigned long)p, 3 * PAGE);
	unmap((unsigned long)shared, 2 * PAGE);
	p = (unsigned char *)map_file(PAGE, PROT_READ, MAP_SHARED, fd, PAGE);
	q = (unsigned char *)remap((unsigned long)p, PAGE, 3 * PAGE, MREMAP_MAYMOVE, 0);
	claim((long)q > 0 && is_numbered(q, 3, 2), "a file's mapping made longer shows more of it");
	unmap((unsigned long)q, 3 * PAGE);
	close(fd);
}

/* ---- madvise ---- */

static void dontneed(void)
{
	unsigned char *p = numbered(4, PRIVATE), *s = numbered(2, SHARED), *f;
	unsigned long at = (unsigned long)p;
	int fd = numbered_file(2, O_RDWR, FILE_PATH);

	claim_result(advise(at + PAGE, 2 * PAGE, MADV_DONTNEED), 0, "MADV_DONTNEED");
	claim(p[0] == 1 && p[PAGE] == 0 && p[3 * PAGE - 1] == 0 && p[3 * PAGE] == 4,
		"zeroes there, no more");
	claim_result(advise((unsigned long)s, 2 * PAGE, MADV_DONTNEED), 0, "of shared memory");
	claim(is_numbered(s, 2, 1), "which keeps its pages");
	f = (unsigned char *)map_file(2 * PAGE, RW, MAP_PRIVATE, fd, 0);
	f[0] = 0x99;
	claim_result(advise((unsigned long)f, 2 * PAGE, MADV_DONTNEED), 0,
		"of a file's private mapping");
	claim(is_numbered(f, 2, 1), "which shows the file again");
	claim_result(advise(at, 4 * PAGE, MADV_FREE), 0, "MADV_FREE");
	p[0] = 0x42;
	claim(p[0] == 0x42, "a store after it stays");
	claim_result(
		advise((unsigned long)f, PAGE, MADV_FREE), -EINVAL, "MADV_FREE of a file: EINVAL");
	claim_result(advise(at + 1, PAGE, MADV_DONTNEED), -EINVAL, "madvise, unaligned: EINVAL");
	claim_result(advise(at, PAGE, 12345), -EINVAL, "unknown advice: EINVAL");
	claim_result(advise(at, 0, MADV_DONTNEED), 0, "madvise of nothing: 0");
	claim_result(advise(at, -PAGE, MADV_DONTNEED), -EINVAL, "madvise, wrapping: EINVAL");
	memset(p, 1, 4 * PAGE);
	unmap(at + PAGE, PAGE);
	claim_result(advise(at, 4 * PAGE, MADV_DONTNEED), -ENOMEM, "madvise over a hole: ENOMEM");
	claim(p[0] == 0 && p[2 * PAGE] == 0, "all but the hole is done nevertheless");
	unmap(at, 4 * PAGE);
	unmap((unsigned long)s, 2 * PAGE);
	unmap((unsigned long)f, 2 * PAGE);
	close(fd);
}

static void harmless_advice(void)
{
	static const int harmless[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED,
		MADV_COLD, MADV_PAGEOUT, MADV_DONTDUMP, MADV_DODUMP, MADV_NORMAL};
	unsigned char *p = numbered(3, PRIVATE);

	for (size_t i = 0; i < COUNT(harmless); i++)
		claim(advise((unsigned long)p + PAGE, PAGE, harmless[i]) == 0 &&
				is_numbered(p, 3, 1),
			"advice %d changes no byte", harmless[i]);
	unmap((unsigned long)p, 3 * PAGE);
}

static void populate(void)
{
	unsigned char *p = (unsigned char *)map(0, 3 * PAGE, RW, PRIVATE), present[3] = {9, 9, 9};
	unsigned long at = (unsigned long)p;

	claim_result(kernel_call(SYS_mincore, at, 3 * PAGE, present), 0, "mincore");
	claim(!(present[0] & 1) && !(present[1] & 1) && !(present[2] & 1), "nothing is there yet");
	p[PAGE] = 1;
	claim(kernel_call(SYS_mincore, at, 3 * PAGE, present) == 0 && !(present[0] & 1) &&
			(present[1] & 1) && !(present[2] & 1),
		"but what was touched");
	claim_result(advise(at, 3 * PAGE, MADV_POPULATE_WRITE), 0, "MADV_POPULATE_WRITE");
	claim(kernel_call(SYS_mincore, at, 3 * PAGE, present) == 0 &&
			(present[0] & present[1] & present[2] & 1),
		"all is there");
	mprotect(p, PAGE, PROT_READ);
	claim_result(advise(at, PAGE, MADV_POPULATE_WRITE), -EINVAL,
		"of what may not be written: EINVAL");
	claim_result(advise(at, PAGE, MADV_POPULATE_READ), 0, "MADV_POPULATE_READ");
	claim_result(kernel_call(SYS_mincore, at + 1, PAGE, present), -EINVAL,
		"mincore, unaligned: EINVAL");
	claim_result(kernel_call(SYS_mincore, at, PAGE, 0xffffffff80000000), -EFAULT,
		"mincore into the kernel: EFAULT");
	unmap(at + PAGE, PAGE);
	claim_result(kernel_call(SYS_mincore, at, 3 * PAGE, present), -ENOMEM,
		"mincore over a hole: ENOMEM");
	claim_result(
		advise(at, 3 * PAGE, MADV_POPULATE_READ), -ENOMEM, "populating a hole: ENOMEM");
	unmap(at, 3 * PAGE);
	p = (unsigned char *)map(0, 2 * PAGE, RW, PRIVATE | MAP_POPULATE);
	claim(kernel_call(SYS_mincore, p, 2 * PAGE, present) == 0 && (present[0] & present[1] & 1),
		"MAP_POPULATE");
	unmap((unsigned long)p, 2 * PAGE);
}

static void remove_pages(void)
{
	unsigned char *s = numbered(3, SHARED), *p = numbered(1, PRIVATE);

	claim_result(advise((unsigned long)s + PAGE, PAGE, MADV_REMOVE), 0, "MADV_REMOVE");
	claim(s[0] == 1 && s[PAGE] == 0 && s[2 * PAGE] == 3, "a hole of zeroes");
	claim_result(advise((unsigned long)p, PAGE, MADV_REMOVE), -EINVAL,
		"MADV_REMOVE of private memory: EINVAL");
	unmap((unsigned long)s, 3 * PAGE);
	unmap((unsigned long)p, PAGE);
}

/* ---- msync, and mmap's flags ---- */

static void sync_calls(void)
{
	unsigned char *p = numbered(3, PRIVATE);
	unsigned long at = (unsigned long)p;

	claim_result(kernel_call(SYS_msync, at, 3 * PAGE, MS_SYNC), 0, "msync");
	claim_result(kernel_call(SYS_msync, at, 3 * PAGE, MS_ASYNC | MS_INVALIDATE), 0,
		"msync, asynchronous");
	claim_result(kernel_call(SYS_msync, at, PAGE, MS_SYNC | MS_ASYNC), -EINVAL,
		"msync, both: EINVAL");
	claim_result(kernel_call(SYS_msync, at, PAGE, 8), -EINVAL, "msync, unknown flag: EINVAL");
	claim_result(
		kernel_call(SYS_msync, at + 1, PAGE, MS_SYNC), -EINVAL, "msync, unaligned: EINVAL");
	unmap(at + PAGE, PAGE);
	claim_result(kernel_call(SYS_msync, at, 3 * PAGE, MS_SYNC), -ENOMEM,
		"msync over a hole: ENOMEM");
	unmap(at, 3 * PAGE);
}

/* `at`: a page that is free, below 2 GiB. sbcl asks so for the place of its heap. */
static void low_hints(unsigned long at)
{
	unsigned long low = 0x20000000, other;

	claim_result(map(at + 5, PAGE, RW, PRIVATE | MAP_32BIT), (long)at,
		"MAP_32BIT with a hint: there");
	other = (unsigned long)map(at, PAGE, RW, PRIVATE | MAP_32BIT);
	claim(other != at && other < 0x80000000, "where something is: elsewhere, below 2 GiB");
	unmap(other, PAGE);
	unmap(at, PAGE);
	claim_result(map(low, PAGE, RW, PRIVATE | MAP_32BIT), (long)low,
		"MAP_32BIT with a hint in the first GiB: there");
	unmap(low, PAGE);
	other = (unsigned long)map(0x7ffff000, 2 * PAGE, RW, PRIVATE | MAP_32BIT);
	claim(other < 0x7ffff000, "a hint whose end is above 2 GiB is not taken");
	unmap(other, 2 * PAGE);
	other = (unsigned long)map(0x123400000000, PAGE, RW, PRIVATE | MAP_32BIT);
	claim(other < 0x80000000, "nor is one above it");
	unmap(other, PAGE);
}

static void map_flags(void)
{
	unsigned char *p = (unsigned char *)map(0, PAGE, RW, PRIVATE | MAP_32BIT);
	unsigned long at = (unsigned long)p;

	claim(at >= 0x10000 && at < 0x80000000, "MAP_32BIT is below 2 GiB");
	claim_result(map(at, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE), -EEXIST,
		"MAP_FIXED_NOREPLACE: EEXIST");
	unmap(at, PAGE);
	claim_result(map(at, PAGE, RW, PRIVATE | MAP_FIXED_NOREPLACE), (long)at,
		"and where nothing is: there");
	unmap(at, PAGE);
	low_hints(at);
	claim_result(map(0, PAGE, RW, SHARED | MAP_GROWSDOWN), -EINVAL, "a shared stack: EINVAL");
	claim_result(map(0, PAGE, RW, MAP_SHARED_VALIDATE | MAP_ANONYMOUS), -EINVAL,
		"MAP_SHARED_VALIDATE of no file: EINVAL");
	p = (unsigned char *)map(0, PAGE, RW, PRIVATE | MAP_STACK | MAP_NORESERVE);
	claim((long)p > 0 && touch(p, true) == 0, "MAP_STACK, MAP_NORESERVE");
	unmap((unsigned long)p, PAGE);
	claim_result(map(0, 1ul << 46, RW, PRIVATE), -ENOMEM, "64 TiB of private memory: ENOMEM");
	p = (unsigned char *)map(0, 1ul << 40, PROT_NONE, PRIVATE);
	claim((long)p > 0, "1 TiB of addresses alone");
	unmap((unsigned long)p, 1ul << 40);
}

static void growing_stack(void)
{
	unsigned long at = room(1024);
	unsigned char *p = (unsigned char *)map(
		at + 1000 * PAGE, 4 * PAGE, RW, PRIVATE | MAP_FIXED | MAP_GROWSDOWN);

	claim(touch(p - 1, true) == 0 && touch(p - 5 * PAGE, true) == 0,
		"MAP_GROWSDOWN grows by a touch");
	claim_result(kernel_call(SYS_mprotect, p, PAGE, PROT_READ | PROT_GROWSDOWN), 0,
		"PROT_GROWSDOWN");
	claim(touch(p - 5 * PAGE, true) == SIGSEGV && touch_code == SEGV_ACCERR,
		"from the stack's start on");
	claim_result(kernel_call(SYS_mprotect, p, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP),
		-EINVAL, "down and up: EINVAL");
	unmap(at, 1024 * PAGE);
	p = numbered(1, PRIVATE);
	claim_result(kernel_call(SYS_mprotect, p, PAGE, PROT_READ | PROT_GROWSDOWN), -EINVAL,
		"no stack: EINVAL");
	unmap((unsigned long)p, PAGE);
}

static void all(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	remap_sizes();
	remap_nearby();
	remap_fixed();
	remap_errors();
	remap_kinds();
	dontneed();
	harmless_advice();
	populate();
	remove_pages();
	sync_calls();
	map_flags();
	growing_stack();
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
