/* SPDX-License-Identifier: MIT */
/*
 * Core files: which signals leave one, by RLIMIT_CORE, with the bit in the wait status that says
 * so; and what is in it: an ELF core with the notes of each thread and the memory as it was. It is
 * `core` in the working directory of who dies, a directory of the test's own.
 */
#include <elf.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "cases.h"

#define CORE_BIT   0x80
#define MARK       0x4241544f4e434f52ul
#define NT_SIGINFO 0x53494749
#define PAGE       4096ul

static char directory[64];
static volatile unsigned long mark_place;
static unsigned long *heap_place;

struct prstatus { /* <linux/elfcore.h> */
	int si_signo, si_code, si_errno;
	short cursig;
	unsigned long sigpend, sighold;
	int pid, ppid, pgrp, sid;
	long times[8];
	unsigned long regs[27];
	int fpvalid;
};

enum {
	R15,
	R14,
	R13,
	R12,
	RBP,
	RBX,
	R11,
	R10,
	R9,
	R8,
	RAX,
	RCX,
	RDX,
	RSI,
	RDI,
	ORIG_RAX,
	RIP,
	CS,
	EFLAGS,
	RSP,
	SS,
	FS_BASE
};

static void core_limit(rlim_t size)
{
	struct rlimit limit = {size, size};

	WANT_IS(setrlimit(RLIMIT_CORE, &limit), 0);
}

/* Goes to an empty directory and allows cores of any size, if that may be. */
static void prepare(void)
{
	struct rlimit limit;

	WANT_IS(chdir(directory), 0);
	unlink("core");
	WANT_IS(getrlimit(RLIMIT_CORE, &limit), 0);
	limit.rlim_cur = limit.rlim_max;
	WANT(limit.rlim_max >= 64 << 20);
	WANT_IS(setrlimit(RLIMIT_CORE, &limit), 0);
}

static int status_with_core(pid_t pid)
{
	int status = -1;

	WANT_IS(waitpid(pid, &status, 0), pid);
	return status;
}

static bool core_exists(void)
{
	struct stat now;

	return stat("core", &now) == 0 && now.st_size > 0;
}

static int deadly;

static void dies(void)
{
	signal(deadly, SIG_DFL);
	raise(deadly);
}

static void with_signal(int number, bool core)
{
	deadly = number;
	unlink("core");
	WANT_IS(status_with_core(start(dies)), number | (core ? CORE_BIT : 0));
	WANT_IS(core_exists(), core);
}

static void which_signals(void)
{
	static const int with[] = {SIGQUIT, SIGILL, SIGABRT, SIGFPE, SIGSEGV, SIGBUS, SIGTRAP,
		SIGSYS, SIGXCPU, SIGXFSZ};
	static const int without[] = {SIGHUP, SIGINT, SIGKILL, SIGPIPE, SIGALRM, SIGTERM, SIGUSR1,
		SIGSTKFLT, SIGIO, SIGPWR, SIGVTALRM};

	prepare();
	for (size_t i = 0; i < COUNT(with); i++)
		with_signal(with[i], true);
	for (size_t i = 0; i < COUNT(without); i++)
		with_signal(without[i], false);
}

static void no_limit_no_core(void)
{
	prepare();
	core_limit(0);
	with_signal(SIGSEGV, false);
}

static void not_dumpable(void)
{
	prepare();
	WANT_IS(prctl(PR_SET_DUMPABLE, 0), 0);
	with_signal(SIGABRT, false);
}

static void dumped_code(void)
{
	siginfo_t info;
	pid_t pid;

	prepare();
	deadly = SIGABRT;
	pid = start(dies);
	WANT_IS(waitid(P_PID, (id_t)pid, &info, WEXITED), 0);
	WANT_IS(info.si_code, CLD_DUMPED);
	WANT_IS(info.si_status, SIGABRT);
}

static void no_place(void)
{
	prepare();
	WANT_IS(mkdir("closed", 0555), 0);
	WANT_IS(chdir("closed"), 0);
	if (become_nobody()) {
		WANT_IS(prctl(PR_SET_DUMPABLE, 1), 0);
		deadly = SIGSEGV;
		WANT_IS(status_with_core(start(dies)), SIGSEGV);
	}
}

static void truncated(void)
{
	struct stat now;

	prepare();
	core_limit(16384);
	deadly = SIGQUIT;
	status_with_core(start(dies));
	WANT(stat("core", &now) != 0 || now.st_size <= 16384);
}

/* ---- What is in it ---- */

static unsigned char *core;
static size_t core_size;
static const Elf64_Ehdr *header;
static const Elf64_Phdr *segments;

static void load_core(void)
{
	struct stat now;
	int fd = open("core", O_RDONLY);

	WANT(fd >= 0 && fstat(fd, &now) == 0);
	core_size = (size_t)now.st_size;
	core = malloc(core_size);
	WANT(core);
	for (size_t at = 0; at < core_size;) {
		ssize_t n = read(fd, core + at, core_size - at);

		WANT(n > 0);
		at += (size_t)n;
	}
	header = (const Elf64_Ehdr *)core;
	segments = (const Elf64_Phdr *)(core + header->e_phoff);
}

/* The index-th note of this type, or NULL. */
static const void *note(unsigned int type, unsigned int index, size_t *size)
{
	for (int i = 0; i < header->e_phnum; i++) {
		const Elf64_Phdr *s = &segments[i];
		size_t at = s->p_offset;

		if (s->p_type != PT_NOTE)
			continue;
		while (at + 12 <= s->p_offset + s->p_filesz) {
			const Elf64_Nhdr *n = (const Elf64_Nhdr *)(core + at);
			size_t data = at + sizeof *n + ((n->n_namesz + 3) & ~3u);

			if (n->n_type == type && index-- == 0) {
				*size = n->n_descsz;
				return core + data;
			}
			at = data + ((n->n_descsz + 3) & ~3u);
		}
	}
	return NULL;
}

/* What the core has at an address of the dead; NULL: nothing. */
static const void *memory(unsigned long at, size_t size)
{
	for (int i = 0; i < header->e_phnum; i++) {
		const Elf64_Phdr *s = &segments[i];

		if (s->p_type == PT_LOAD && at >= s->p_vaddr &&
			at + size <= s->p_vaddr + s->p_filesz)
			return core + s->p_offset + (at - s->p_vaddr);
	}
	return NULL;
}

static void faults(void)
{
	mark_place = MARK;
	heap_place[0] = MARK + 1;
	heap_place[511] = MARK + 2;
	WANT_IS(kernel_call(SYS_prctl, PR_SET_NAME, "dying"), 0);
	__asm__ volatile(
		"mov %0, %%r12; mov $77, %%r15d; xor %%eax, %%eax; mov %%eax, 8(%%rax)" ::"r"(
			MARK + 3)
		: "r12", "r15", "rax", "memory");
}

static pid_t dump_fault(void)
{
	pid_t pid;

	prepare();
	heap_place = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid = start(faults);
	WANT_IS(status_with_core(pid), SIGSEGV | CORE_BIT);
	load_core();
	return pid;
}

static void elf_header(void)
{
	dump_fault();
	WANT(memcmp(header->e_ident, "\177ELF\2\1\1", 7) == 0);
	WANT_IS(header->e_type, ET_CORE);
	WANT_IS(header->e_machine, EM_X86_64);
	WANT_IS(header->e_phentsize, sizeof(Elf64_Phdr));
	WANT(header->e_phnum > 3 && segments[0].p_type == PT_NOTE);
	for (int i = 0; i < header->e_phnum; i++)
		WANT(segments[i].p_offset + segments[i].p_filesz <= core_size);
}

static void prstatus_note(void)
{
	pid_t pid = dump_fault();
	size_t size;
	const struct prstatus *status = note(NT_PRSTATUS, 0, &size);

	WANT(status);
	WANT_IS(size, sizeof *status);
	WANT_IS(status->cursig, SIGSEGV);
	WANT_IS(status->si_signo, SIGSEGV);
	WANT_IS(status->pid, pid);
	WANT_IS(status->ppid, getpid());
	WANT_IS(status->pgrp, getpgrp());
	WANT_IS(status->regs[R12], MARK + 3);
	WANT_IS(status->regs[R15], 77);
	WANT_IS(status->regs[RAX], 0);
	WANT_IS(status->regs[CS], 0x33);
	WANT(memory(status->regs[RSP], 8) != NULL);
	WANT(status->regs[RIP] != 0);
	WANT(status->regs[FS_BASE] != 0);
	WANT(!note(NT_PRSTATUS, 1, &size));
}

static void other_notes(void)
{
	size_t size;
	const char *info;
	const Elf64_auxv_t *auxv;
	const siginfo_t *signal_note;

	dump_fault();
	info = note(NT_PRPSINFO, 0, &size);
	WANT(info && size == 136);
	WANT(strncmp(info + 40, "dying", 16) == 0); /* pr_fname */
	auxv = note(NT_AUXV, 0, &size);
	WANT(auxv && size >= 2 * sizeof *auxv);
	signal_note = note(NT_SIGINFO, 0, &size);
	WANT(signal_note && size == 128);
	WANT(signal_note->si_signo == SIGSEGV && signal_note->si_code == SEGV_MAPERR);
	WANT(signal_note->si_addr == (void *)8);
	WANT(note(NT_PRFPREG, 0, &size) && size == 512);
	WANT(note(NT_FILE, 0, &size));
}

static void memory_kept(void)
{
	const unsigned long *heap;

	dump_fault();
	heap = memory((unsigned long)heap_place, PAGE);
	WANT(heap && heap[0] == MARK + 1 && heap[511] == MARK + 2 && heap[5] == 0);
	heap = memory((unsigned long)&mark_place, 8);
	WANT(heap && *heap == MARK);
}

static void *sleeps(void *barrier)
{
	pthread_barrier_wait(barrier);
	just_wait();
	return NULL;
}

static void dies_with_threads(void)
{
	static pthread_barrier_t barrier;
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 4);
	for (int i = 0; i < 3; i++)
		WANT_IS(pthread_create(&thread, NULL, sleeps, &barrier), 0);
	pthread_barrier_wait(&barrier);
	abort();
}

static void all_threads(void)
{
	const struct prstatus *first;
	size_t size;
	pid_t pid;

	prepare();
	pid = start(dies_with_threads);
	WANT_IS(status_with_core(pid), SIGABRT | CORE_BIT);
	load_core();
	first = note(NT_PRSTATUS, 0, &size);
	WANT(first && first->pid == pid); /* who died comes first */
	for (unsigned int i = 1; i < 4; i++) {
		const struct prstatus *other = note(NT_PRSTATUS, i, &size);

		WANT(other && other->pid != pid);
	}
	WANT(!note(NT_PRSTATUS, 4, &size));
}

/* A reservation as large as sanitizers and garbage collectors make them. */
static void reserves_and_dies(void)
{
	WANT(mmap(NULL, 32ul << 40, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		     0) != MAP_FAILED);
	abort();
}

static void large_hole(void)
{
	prepare();
	WANT_IS(status_with_core(start(reserves_and_dies)), SIGABRT | CORE_BIT);
}

/* Pages beyond a file's end: they are not there, and the dump can be cut short. */
static void maps_and_dies(void)
{
	int fd = open("sparse", O_RDWR | O_CREAT, 0600);

	WANT(mmap(NULL, 32ul << 40, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, fd, 0) !=
		MAP_FAILED);
	unlink("sparse");
	abort();
}

static void beyond_a_file(void)
{
	prepare();
	WANT_IS(status_with_core(start(maps_and_dies)), SIGABRT | CORE_BIT);
}

static const struct test_case cases[] = {
	CASE(which_signals,
		"core: ten signals leave one, with the bit in the status; others do not"),
	CASE(no_limit_no_core, "core: RLIMIT_CORE 0: none, and no bit"),
	CASE(not_dumpable, "core: not dumpable: none"),
	CASE(dumped_code, "core: CLD_DUMPED"),
	CASE(no_place, "core: a directory that one may not write: none, and no bit"),
	CASE(truncated, "core: never larger than RLIMIT_CORE"),
	CASE(elf_header, "core: an ELF core file of x86-64, all segments within"),
	CASE(prstatus_note, "core: NT_PRSTATUS: signal, ids, registers"),
	CASE(other_notes, "core: NT_PRPSINFO, NT_AUXV, NT_SIGINFO, NT_PRFPREG, NT_FILE"),
	CASE(memory_kept, "core: the memory as it was"),
	CASE(large_hole, "core: a reserved 32 TiB cost nothing"),
	CASE(beyond_a_file, "core: 32 TiB beyond a file's end cost nothing"),
	CASE(all_threads, "core: NT_PRSTATUS of all threads, who died first"),
};

static void all(int argc, char **argv)
{
	char path[80];

	snprintf(directory, sizeof directory, "/tmp/baton-core-%d", getpid());
	mkdir(directory, 0777);
	run_cases(cases, COUNT(cases), argc, argv);
	snprintf(path, sizeof path, "%s/closed", directory);
	rmdir(path);
	snprintf(path, sizeof path, "%s/core", directory);
	unlink(path);
	rmdir(directory);
}

/* Where the administrator sends core files elsewhere, there is nothing to look at. */
static bool elsewhere(void)
{
	char pattern[8] = "";
	int fd = open("/proc/sys/kernel/core_pattern", O_RDONLY);

	if (fd < 0)
		return false;
	if (read(fd, pattern, sizeof pattern - 1) < 0)
		pattern[0] = 0;
	close(fd);
	return strcmp(pattern, "core\n") != 0;
}

int main(int argc, char **argv)
{
	if (elsewhere()) {
		printf("# coredump: skipped: core files do not go to `core` here\n");
		return 77;
	}
	return check_main(argc, argv, NULL, 0, all);
}
