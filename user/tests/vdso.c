/* SPDX-License-Identifier: MIT */
/*
 * The vDSO (man 7 vdso): a well-formed shared object with the functions that C libraries look for,
 * under the version they ask for; what they give is what the system calls give, in one order with
 * them; nobody in user mode writes its data; and a program may do to it what it likes without harm to
 * another.
 */
#include <elf.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/time.h>

#include "check.h"

#define PAGE 4096ul

struct vdso {
	const Elf64_Ehdr *elf;
	uintptr_t load, end;
	const char *strings;
	const Elf64_Sym *symbols;
	const uint32_t *hash;
	const uint16_t *versions;
	const Elf64_Verdef *definitions;
	bool gnu_hash;
};

static struct vdso vdso;
static int (*v_gettime)(clockid_t, struct timespec *);
static int (*v_getres)(clockid_t, struct timespec *);
static int (*v_gettimeofday)(struct timeval *, struct timezone *);
static time_t (*v_time)(time_t *);
static long (*v_getcpu)(unsigned *, unsigned *, void *);

static void read_dynamic(const Elf64_Dyn *dynamic)
{
	for (; dynamic->d_tag != DT_NULL; dynamic++) {
		const void *at = (const void *)(vdso.load + dynamic->d_un.d_ptr);

		switch (dynamic->d_tag) {
		case DT_STRTAB:
			vdso.strings = at;
			break;
		case DT_SYMTAB:
			vdso.symbols = at;
			break;
		case DT_HASH:
			vdso.hash = at;
			break;
		case DT_GNU_HASH:
			vdso.gnu_hash = true;
			break;
		case DT_VERSYM:
			vdso.versions = at;
			break;
		case DT_VERDEF:
			vdso.definitions = at;
			break;
		default:
			break;
		}
	}
}

static bool parse(void)
{
	const Elf64_Phdr *phdr;
	const Elf64_Dyn *dynamic = NULL;
	int loads = 0;

	vdso.elf = (const void *)getauxval(AT_SYSINFO_EHDR);
	if (!claim(vdso.elf && (uintptr_t)vdso.elf % PAGE == 0, "AT_SYSINFO_EHDR is a page"))
		return false;
	if (!claim(!memcmp(vdso.elf->e_ident, ELFMAG, SELFMAG) && vdso.elf->e_type == ET_DYN &&
			    vdso.elf->e_machine == EM_X86_64,
		    "there is a shared object for x86-64"))
		return false;
	phdr = (const void *)((uintptr_t)vdso.elf + vdso.elf->e_phoff);
	for (int i = 0; i < vdso.elf->e_phnum; i++, phdr++) {
		if (phdr->p_type == PT_LOAD) {
			claim(phdr->p_flags == (PF_R | PF_X), "its segment is R-X");
			vdso.load = (uintptr_t)vdso.elf - phdr->p_vaddr + phdr->p_offset;
			vdso.end = vdso.load + phdr->p_vaddr + phdr->p_memsz;
			loads++;
		} else if (phdr->p_type == PT_DYNAMIC) {
			dynamic = (const void *)((uintptr_t)vdso.elf + phdr->p_offset);
		}
	}
	if (!claim(loads == 1 && dynamic, "one segment, and a dynamic section"))
		return false;
	read_dynamic(dynamic);
	return claim(vdso.strings && vdso.symbols && vdso.hash && vdso.versions && vdso.definitions,
		"with symbols, hash table and versions");
}

static const char *version_of(uint32_t symbol)
{
	const Elf64_Verdef *definition = vdso.definitions;
	uint16_t wanted = vdso.versions[symbol] & 0x7fff;

	for (;;) {
		const Elf64_Verdaux *name =
			(const void *)((uintptr_t)definition + definition->vd_aux);

		if (!(definition->vd_flags & VER_FLG_BASE) && definition->vd_ndx == wanted)
			return vdso.strings + name->vda_name;
		if (!definition->vd_next)
			return "";
		definition = (const void *)((uintptr_t)definition + definition->vd_next);
	}
}

static void *find(const char *name)
{
	void *found = NULL;

	for (uint32_t i = 0; i < vdso.hash[1]; i++) {
		const Elf64_Sym *symbol = &vdso.symbols[i];

		if (symbol->st_shndx && !strcmp(vdso.strings + symbol->st_name, name) &&
			!strcmp(version_of(i), "LINUX_2.6"))
			found = (void *)(vdso.load + symbol->st_value);
	}
	claim(found && (uintptr_t)found >= vdso.load && (uintptr_t)found < vdso.end,
		"%s, version LINUX_2.6", name);
	return found;
}

/* ---- What the functions give ---- */

static int64_t ns(const struct timespec *t)
{
	return t->tv_sec * INT64_C(1000000000) + t->tv_nsec;
}

static int64_t by_call(clockid_t clock)
{
	struct timespec t = {0, 0};

	return kernel_call(SYS_clock_gettime, clock, &t) ? -1 : ns(&t);
}

static int64_t by_vdso(clockid_t clock)
{
	struct timespec t = {0, 0};

	return v_gettime(clock, &t) ? -1 : ns(&t);
}

/* Taken by turns, times never go back. Coarse clocks are compared among themselves. */
static bool one_order(clockid_t clock)
{
	int64_t last = by_call(clock);

	if (last < 0)
		return false;
	for (int i = 0; i < 2000; i++) {
		int64_t now = i & 1 ? by_call(clock) : by_vdso(clock);

		if (now < last) {
			printf("# clock %d: %lld after %lld\n", clock, (long long)now,
				(long long)last);
			return false;
		}
		last = now;
	}
	return true;
}

static void clocks(void)
{
	static const struct {
		clockid_t clock;
		const char *name;
	} all[] = {{CLOCK_MONOTONIC, "CLOCK_MONOTONIC"}, {CLOCK_REALTIME, "CLOCK_REALTIME"},
		{CLOCK_BOOTTIME, "CLOCK_BOOTTIME"}, {CLOCK_MONOTONIC_RAW, "CLOCK_MONOTONIC_RAW"},
		{CLOCK_TAI, "CLOCK_TAI"}, {CLOCK_REALTIME_COARSE, "CLOCK_REALTIME_COARSE"},
		{CLOCK_MONOTONIC_COARSE, "CLOCK_MONOTONIC_COARSE"},
		{CLOCK_PROCESS_CPUTIME_ID, "CLOCK_PROCESS_CPUTIME_ID"},
		{CLOCK_THREAD_CPUTIME_ID, "CLOCK_THREAD_CPUTIME_ID"}};
	struct timespec a, b;

	for (size_t i = 0; i < COUNT(all); i++)
		claim(one_order(all[i].clock), "%s: vDSO and system calls in one order",
			all[i].name);
	claim(v_gettime(99, &a) == -EINVAL && v_gettime(-1, &a) == -EINVAL,
		"no such clock: EINVAL");
	claim(!v_getres(CLOCK_MONOTONIC, &a) &&
			!kernel_call(SYS_clock_getres, CLOCK_MONOTONIC, &b) && ns(&a) == ns(&b) &&
			ns(&a) == 1,
		"clock_getres: a nanosecond");
	claim(!v_getres(CLOCK_REALTIME, NULL), "clock_getres with no place for the answer");
	claim(v_getres(99, &a) == -EINVAL, "clock_getres: no such clock: EINVAL");
}

static void days(void)
{
	struct timezone zone = {99, 99};
	struct timeval t;
	int64_t before = by_call(CLOCK_REALTIME), now, after;
	time_t stored, seconds;
	bool held = !v_gettimeofday(&t, &zone);

	now = t.tv_sec * INT64_C(1000000000) + t.tv_usec * 1000;
	after = by_call(CLOCK_REALTIME);
	claim(held && now >= before - 1000 && now <= after, "gettimeofday is now");
	claim(t.tv_usec >= 0 && t.tv_usec < 1000000, "with microseconds below a million");
	claim(zone.tz_minuteswest != 99 && zone.tz_dsttime != 99, "and the time zone");
	claim(!v_gettimeofday(NULL, NULL), "gettimeofday asked for nothing");
	before = by_call(CLOCK_REALTIME_COARSE) / 1000000000;
	seconds = v_time(&stored);
	claim(seconds == stored && seconds >= before &&
			seconds <= by_call(CLOCK_REALTIME) / 1000000000,
		"time is now, in seconds");
	claim(v_time(NULL) >= seconds, "time with no place to store it");
}

static void processor(void)
{
	unsigned cpu = 999, node = 999;

	claim(!v_getcpu(&cpu, &node, NULL) && cpu < 4096, "getcpu gives a CPU");
	claim_equal(node, 0, "of node 0, where there is one only");
	claim(!v_getcpu(NULL, NULL, NULL), "getcpu asked for nothing");
}

/* The C library's own functions lead here: they give the same and never go back. */
static void library(void)
{
	struct timespec t;
	int64_t last = by_vdso(CLOCK_MONOTONIC);
	bool held = true;

	for (int i = 0; i < 1000; i++) {
		int64_t now;

		held &= !clock_gettime(CLOCK_MONOTONIC, &t) && ns(&t) >= last;
		now = by_vdso(CLOCK_MONOTONIC);
		held &= now >= ns(&t);
		last = now;
	}
	claim(held, "the C library's clock_gettime is in the same order");
}

/* ---- Attacks ---- */

static int role_write_code(int argc, char **argv)
{
	*(volatile char *)getauxval(AT_SYSINFO_EHDR) = 0;
	return 0;
}

static int role_write_data(int argc, char **argv)
{
	volatile char *data = (volatile char *)getauxval(AT_SYSINFO_EHDR) - PAGE;

	if (!data[0] && !data[4] && !data[8])
		*data = 0;
	*data = 1;
	return 0;
}

/* All of it: Linux does not split it (EINVAL). */
static size_t whole_size(void)
{
	const Elf64_Ehdr *elf = (const void *)getauxval(AT_SYSINFO_EHDR);
	size_t size = elf->e_shoff + (size_t)elf->e_shnum * elf->e_shentsize;

	return (size + PAGE - 1) / PAGE * PAGE;
}

static int role_unmap(int argc, char **argv)
{
	/* Linux seals it, where it was built to (CONFIG_MSEAL_SYSTEM_MAPPINGS): EPERM. */
	return !munmap((void *)getauxval(AT_SYSINFO_EHDR), whole_size()) || errno == EPERM ? 42 : 1;
}

static int role_breakpoint(int argc, char **argv)
{
	char *page = (char *)getauxval(AT_SYSINFO_EHDR);
	char before = page[5];

	if (mprotect(page, whole_size(), PROT_READ | PROT_WRITE))
		return errno == EPERM ? 43 : 1; /* sealed */
	page[5] = (char)0xcc;
	return page[5] == (char)0xcc && before != (char)0xcc ? 43 : 2;
}

static void attacks(void)
{
	void *data = (char *)vdso.elf - PAGE;
	int status;

	claim_ended(run_role("write-code"), KILLED(SIGSEGV), "writing the code: SIGSEGV");
	status = run_role("write-data") & ~0x80;
	claim(status == SIGSEGV || status == SIGBUS, "writing the data: SIGSEGV, or SIGBUS");
	claim_result(kernel_call(SYS_mprotect, data, PAGE, PROT_READ | PROT_WRITE), -EACCES,
		"the data cannot be made writable: EACCES");
	claim_result(kernel_call(SYS_mremap, vdso.elf, PAGE, 8 * PAGE, MREMAP_MAYMOVE), -EFAULT,
		"mremap does not make the code longer");
	claim_result(kernel_call(SYS_mremap, data, PAGE, 8 * PAGE, MREMAP_MAYMOVE), -EFAULT,
		"nor the data");
	claim_ended(run_role("unmap"), EXITED(42), "a program may unmap it");
	claim_ended(run_role("breakpoint"), EXITED(43), "and write into a copy of the code");
	claim(((const char *)vdso.elf)[5] == ELFDATA2LSB, "which other programs do not see");
	claim(by_vdso(CLOCK_MONOTONIC) > 0, "and the clock goes on here");
}

static int role_where(int argc, char **argv)
{
	uint64_t address = getauxval(AT_SYSINFO_EHDR);

	return write(atoi(argv[0]), &address, sizeof(address)) == sizeof(address) ? 0 : 1;
}

static uint64_t where(void)
{
	uint64_t address = 0;
	int ends[2];
	char word[16];

	if (pipe(ends))
		return 0;
	snprintf(word, sizeof(word), "%d", ends[1]);
	if (run_role("where", word) || read(ends[0], &address, sizeof(address)) != sizeof(address))
		address = 0;
	close(ends[0]);
	close(ends[1]);
	return address;
}

static void place(void)
{
	uint64_t a = where(), b = where(), c = where();

	claim(a && b && c && (a != b || b != c), "it stands elsewhere in each program");
}

/* ---- What may be done to the mappings ---- */

struct mapping {
	char *start;
	size_t size;
};

/* By its name in /proc/self/maps. */
static struct mapping mapping_of(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	struct mapping found = {0};
	char line[256];
	uintptr_t start, end;

	while (maps && fgets(line, sizeof(line), maps)) {
		if (strstr(line, name) && sscanf(line, "%lx-%lx", &start, &end) == 2)
			found = (struct mapping){(char *)start, end - start};
	}
	if (maps)
		fclose(maps);
	return found;
}

static int wrong;

static void want(long found, long expected, const char *what)
{
	if (found == expected)
		return;
	printf("# %s: %ld, expected %ld\n", what, found, expected);
	wrong++;
}

static void try_mapping(const char *name, bool is_data)
{
	char *to = mmap(NULL, 64 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mapping it = mapping_of(name);
	const int fixed = MREMAP_MAYMOVE | MREMAP_FIXED;

	want(it.size > 0, true, name);
	want(kernel_call(SYS_mremap, it.start, 0, PAGE, MREMAP_MAYMOVE), -EINVAL,
		"it is mapped once");
	want(kernel_call(SYS_mremap, it.start, it.size, it.size, fixed | 4, to), -EINVAL,
		"it does not stay behind (MREMAP_DONTUNMAP)");
	want(kernel_call(SYS_mremap, it.start, it.size, it.size + PAGE, MREMAP_MAYMOVE), -EFAULT,
		"it does not grow");
	want(kernel_call(SYS_madvise, it.start, it.size, MADV_DONTNEED), is_data ? -EINVAL : 0,
		"MADV_DONTNEED");
	want(kernel_call(SYS_madvise, it.start, it.size, MADV_FREE), -EINVAL, "MADV_FREE");
	want(kernel_call(SYS_madvise, it.start, it.size, MADV_DOFORK), is_data ? -EINVAL : 0,
		"MADV_DOFORK");
	want(kernel_call(SYS_madvise, it.start, it.size, MADV_DODUMP), -EINVAL, "MADV_DODUMP");
	want(kernel_call(SYS_madvise, it.start, it.size, MADV_WIPEONFORK), 0, "MADV_WIPEONFORK");
	want(kernel_call(SYS_mremap, it.start, it.size, it.size, fixed, to), (long)to, "but moves");
}

static int role_move(int argc, char **argv)
{
	try_mapping(argv[0], strcmp(argv[0], "[vvar]") == 0);
	return wrong ? 1 : 0;
}

static void mappings(void)
{
	claim_ended(run_role("move", "[vvar]"), 0, "what may be done to the data");
	claim_ended(run_role("move", "[vdso]"), 0, "what may be done to the code");
}

static void all(int argc, char **argv)
{
	if (!parse())
		return;
	v_gettime = find("__vdso_clock_gettime");
	v_getres = find("__vdso_clock_getres");
	v_gettimeofday = find("__vdso_gettimeofday");
	v_time = find("__vdso_time");
	v_getcpu = find("__vdso_getcpu");
	if (check.failed)
		return;
	clocks();
	days();
	processor();
	library();
	attacks();
	place();
	mappings();
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"write-code", role_write_code},
		{"write-data", role_write_data}, {"unmap", role_unmap},
		{"breakpoint", role_breakpoint}, {"where", role_where}, {"move", role_move}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
