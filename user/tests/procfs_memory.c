/* SPDX-License-Identifier: MIT */
/* /proc: what it says of address spaces, and reading and writing them: maps, mem, auxv, environ, and what
 * exec and the end of a process make of files that are open. */
#include <elf.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "procfs.h"

#define PAGE 4096ul

static char text[65536];
static int global = 5;

/* ---- maps ---- */

static void own_mappings(void)
{
	struct mapping found;
	int local;
	char *heap = (char *)kernel_call(SYS_brk, 0);

	WANT_IS(kernel_call(SYS_brk, heap + 2 * PAGE), heap + 2 * PAGE);
	WANT(find_mapping(0, (void *)(unsigned long)own_mappings, &found));
	WANT(strcmp(found.access, "r-xp") == 0);
	WANT(strcmp(strrchr(found.name, '/'), strrchr(check.self, '/')) == 0);
	WANT(find_mapping(0, &global, &found));
	WANT(strcmp(found.access, "rw-p") == 0);
	WANT(find_mapping(0, &local, &found));
	WANT(strcmp(found.access, "rw-p") == 0 && strcmp(found.name, "[stack]") == 0);
	WANT(find_mapping(0, heap, &found));
	WANT(strcmp(found.name, "[heap]") == 0 && found.inode == 0);
	if (getauxval(AT_SYSINFO_EHDR)) {
		WANT(find_mapping(0, (void *)getauxval(AT_SYSINFO_EHDR), &found));
		WANT(strcmp(found.access, "r-xp") == 0 && strcmp(found.name, "[vdso]") == 0);
	}
}

static void mapping_changes(void)
{
	char *area =
		mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct mapping found;

	WANT(area != MAP_FAILED);
	WANT_IS(munmap(area, PAGE) | munmap(area + 7 * PAGE, PAGE), 0);
	area += PAGE;
	WANT(find_mapping(0, area, &found));
	WANT(found.start == (unsigned long)area && found.end == (unsigned long)area + 6 * PAGE);
	WANT(strcmp(found.access, "rw-p") == 0 && !*found.name);
	WANT(found.inode == 0 && found.major == 0 && found.minor == 0 && found.offset == 0);
	WANT_IS(mprotect(area + 2 * PAGE, 2 * PAGE, PROT_NONE), 0);
	WANT(find_mapping(0, area + 2 * PAGE, &found));
	WANT(found.start == (unsigned long)area + 2 * PAGE && strcmp(found.access, "---p") == 0);
	WANT(found.end == found.start + 2 * PAGE);
	WANT_IS(mprotect(area + 2 * PAGE, 2 * PAGE, PROT_READ | PROT_EXEC), 0);
	WANT(find_mapping(0, area + 2 * PAGE, &found));
	WANT(strcmp(found.access, "r-xp") == 0);
	WANT_IS(munmap(area, 2 * PAGE), 0);
	WANT(!find_mapping(0, area, &found));
}

static void file_mappings(void)
{
	char name[] = "/tmp/procfs with space-XXXXXX", other[sizeof name + 10];
	int fd = mkstemp(name);
	struct mapping found;
	struct stat st;
	char *area;

	snprintf(other, sizeof other, "%s\nline", name);
	WANT(fd >= 0);
	WANT_IS(ftruncate(fd, 8 * (long)PAGE) | fstat(fd, &st), 0);
	area = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 3 * (long)PAGE);
	WANT(area != MAP_FAILED);
	close(fd);
	WANT(find_mapping(0, area, &found));
	WANT(strcmp(found.access, "rw-s") == 0 && strcmp(found.name, name) == 0);
	WANT(found.offset == 3 * PAGE && found.inode == st.st_ino);
	WANT(makedev(found.major, found.minor) == st.st_dev);
	WANT_IS(munmap(area, PAGE), 0);
	area += PAGE;
	WANT(find_mapping(0, area, &found) && found.offset == 4 * PAGE);
	WANT_IS(rename(name, other), 0);
	WANT(find_mapping(0, area, &found));
	WANT(strstr(found.name, "\\012line"));
	WANT_IS(unlink(other), 0);
	WANT(find_mapping(0, area, &found));
	WANT(strstr(found.name, "\\012line (deleted)"));
}

static void shared_anonymous(void)
{
	char *area = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int id = shmget(0x1234abcd, PAGE, IPC_CREAT | 0600);
	struct mapping found;
	char *segment;

	WANT(area != MAP_FAILED);
	WANT(find_mapping(0, area, &found));
	WANT(strcmp(found.access, "rw-s") == 0 && found.inode != 0);
	WANT(strcmp(found.name, "/dev/zero (deleted)") == 0);
	WANT(id >= 0);
	segment = shmat(id, NULL, SHM_RDONLY);
	WANT(segment != (void *)-1);
	WANT_IS(shmctl(id, IPC_RMID, NULL), 0);
	WANT(find_mapping(0, segment, &found));
	WANT(strcmp(found.access, "r--s") == 0 && found.inode == (unsigned long)id);
	WANT(strcmp(found.name, "/SYSV1234abcd (deleted)") == 0);
}

static void many_mappings(void)
{
	char *area = mmap(NULL, 4000 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	static char whole[1 << 19], part[1 << 19];
	struct mapping found;
	long size, got = 0;
	int fd;

	WANT(area != MAP_FAILED);
	for (int i = 0; i < 4000; i += 2)
		WANT_IS(mprotect(area + (unsigned long)i * PAGE, PAGE, PROT_NONE), 0);
	for (int i = 0; i < 4000; i += 199) {
		WANT(find_mapping(0, area + (unsigned long)i * PAGE, &found));
		WANT(found.start == (unsigned long)area + (unsigned long)i * PAGE);
	}
	fd = proc_open(0, "maps", O_RDONLY);
	size = read_all(fd, whole, sizeof whole);
	while ((size_t)got < sizeof part) {
		long piece = pread(fd, part + got, 777, got);

		WANT(piece >= 0);
		if (!piece)
			break;
		got += piece;
	}
	WANT_IS(got, size);
	WANT(memcmp(whole, part, (size_t)size) == 0);
}

static void smaps(void)
{
	char *area =
		mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char wanted[64], *at;
	static char whole[1 << 19];

	WANT(area != MAP_FAILED);
	WANT_IS(munmap(area, PAGE) | munmap(area + 15 * PAGE, PAGE), 0);
	memset(area + PAGE, 1, 5 * PAGE);
	WANT(proc_read(0, "smaps", whole, sizeof whole) > 0);
	snprintf(wanted, sizeof wanted, "%lx-%lx rw-p ", (unsigned long)area + PAGE,
		(unsigned long)area + 15 * PAGE);
	at = strstr(whole, wanted);
	WANT(at);
	WANT_IS(number_of(at, "Size"), 14 * 4);
	WANT_IS(number_of(at, "Rss"), 5 * 4);
	WANT_IS(number_of(at, "Pss"), 5 * 4);
	WANT_IS(number_of(at, "Private_Dirty"), 5 * 4);
	WANT_IS(number_of(at, "Anonymous"), 5 * 4);
	WANT_IS(number_of(at, "Locked"), 0);
	WANT(strncmp(line_of(at, "VmFlags"), "rd wr mr mw me ", 15) == 0);
	WANT(proc_read(0, "smaps_rollup", text, sizeof text) > 0);
	WANT(strstr(text, " ---p 00000000 00:00 0 ") && strstr(text, "[rollup]\n"));
	WANT(number_of(text, "Anonymous") >= 5 * 4);
}

/* ---- mem ---- */

static void mem_of_itself(void)
{
	static const char constant[] = "read-only";
	int fd = proc_open(0, "mem", O_RDWR), value = 77;
	char *page = mmap(NULL, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char buffer[64];

	WANT(fd >= 0 && page != MAP_FAILED);
	WANT_IS(pread(fd, buffer, sizeof global, (off_t)&global), sizeof global);
	WANT(memcmp(buffer, &global, sizeof global) == 0);
	WANT_IS(pwrite(fd, &value, sizeof value, (off_t)&global), sizeof value);
	WANT_IS(*(volatile int *)&global, 77);
	/* A private page is written whatever its protection, in a copy. */
	WANT_IS(pwrite(fd, "READ", 4, (off_t)constant), 4);
	WANT(((volatile const char *)constant)[0] == 'R');
	WANT_IS(pwrite(fd, "x", 1, (off_t)page), 1);
	WANT_IS(*(volatile char *)page, 'x');
	/* As far as it goes. */
	WANT_IS(munmap(page + PAGE, PAGE), 0);
	WANT_IS(pread(fd, buffer, 20, (off_t)page + (off_t)PAGE - 8), 8);
	WANT_IS(kernel_call(SYS_pread64, fd, buffer, 8, page + PAGE), -EIO);
	WANT_IS(kernel_call(SYS_pwrite64, fd, buffer, 8, page + PAGE), -EIO);
	WANT_IS(kernel_call(SYS_pread64, fd, buffer, 8, 0), -EIO);
	WANT_IS(kernel_call(SYS_pread64, fd, BAD, 8, &global), -EFAULT);
	WANT_IS(lseek(fd, (off_t)&global, SEEK_SET), (off_t)&global);
	WANT_IS(read(fd, buffer, sizeof value), sizeof value);
	WANT(memcmp(buffer, &value, sizeof value) == 0);
	WANT_IS(lseek(fd, 0, SEEK_CUR), (off_t)(&global + 1));
	WANT_IS(kernel_call(SYS_lseek, fd, 0, SEEK_END), -EINVAL);
}

static void shared_read_only(void)
{
	char name[] = "/tmp/procfs-XXXXXX";
	int fd = mkstemp(name), mem = proc_open(0, "mem", O_RDWR);
	char *area;

	WANT(fd >= 0 && mem >= 0);
	WANT_IS(unlink(name) | ftruncate(fd, (long)PAGE), 0);
	area = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	WANT(area != MAP_FAILED);
	WANT_IS(kernel_call(SYS_pwrite64, mem, "x", 1, area), -EIO);
	WANT_IS(*(volatile char *)area, 0);
}

static volatile int *shared;

static void child_with_value(void)
{
	global = 1234;
	raise(SIGSTOP);
	shared[0] = *(volatile int *)&global;
}

static void mem_of_another(void)
{
	int value = 0, other = 4321;
	pid_t pid;
	int fd;

	shared = shared_memory(PAGE);
	pid = start(child_with_value);
	WANT_IS(waitpid(pid, NULL, WUNTRACED), pid);
	fd = proc_open(pid, "mem", O_RDWR);
	WANT(fd >= 0);
	WANT_IS(pread(fd, &value, sizeof value, (off_t)&global), sizeof value);
	WANT_IS(value, 1234);
	WANT_IS(global, 5);
	WANT_IS(pwrite(fd, &other, sizeof other, (off_t)&global), sizeof other);
	kill(pid, SIGCONT);
	WANT_ENDS(pid, 0);
	WANT_IS(shared[0], 4321);
	WANT_IS(global, 5);
	WANT_IS(kernel_call(SYS_pread64, fd, &value, sizeof value, &global), 0);
	WANT_IS(kernel_call(SYS_pwrite64, fd, &value, sizeof value, &global), 0);
}

/* ---- exec ---- */

static struct gate gate;

static void executes(void)
{
	char *argv[] = {(char *)check.self, "--role", "wait", NULL};
	char *envp[] = {"A=first", "B=second", NULL};

	wait_gate(gate);
	execve(check.self, argv, envp);
}

static int role_wait(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	raise(SIGSTOP);
	return 0;
}

static void exec_gives_another_space(void)
{
	int mem, environ_fd, maps, status_fd, fresh, value;
	pid_t pid;

	gate = make_gate();
	pid = start(executes);
	mem = proc_open(pid, "mem", O_RDONLY);
	maps = proc_open(pid, "maps", O_RDONLY);
	environ_fd = proc_open(pid, "environ", O_RDONLY);
	status_fd = proc_open(pid, "status", O_RDONLY);
	WANT(mem >= 0 && maps >= 0 && environ_fd >= 0 && status_fd >= 0);
	WANT_IS(pread(mem, &value, sizeof value, (off_t)&global), sizeof value);
	open_gate(gate);
	WANT_IS(waitpid(pid, NULL, WUNTRACED), pid);
	WANT_IS(kernel_call(SYS_pread64, mem, &value, sizeof value, &global), 0);
	WANT_IS(kernel_call(SYS_pread64, environ_fd, text, 100, 0), 0);
	WANT_IS(kernel_call(SYS_pread64, maps, text, 100, 0), 0);
	WANT(read_all(status_fd, text, sizeof text) > 0); /* the process's */
	fresh = proc_open(pid, "environ", O_RDONLY);
	WANT_IS(read_all(fresh, text, sizeof text), 17);
	WANT(memcmp(text, "A=first\0B=second", 17) == 0);
	WANT(proc_read(pid, "cmdline", text, sizeof text) > 12);
	WANT(strcmp(text + strlen(text) + 1, "--role") == 0);
	kill(pid, SIGCONT);
	WANT_ENDS(pid, 0);
}

static void strings_are_changed(void)
{
	struct stat_fields found;
	char *arguments;
	size_t size;

	stat_of(0, "stat", &found);
	arguments = (char *)found.field[48];
	size = (size_t)(found.field[49] - found.field[48]);
	arguments[0] = 'X';
	WANT_IS(proc_read(0, "cmdline", text, sizeof text), size);
	WANT(text[0] == 'X');
	/* A title that goes on where the environment was: up to its NUL. */
	memset(arguments, 'T', size + 2);
	arguments[size + 2] = 0;
	WANT_IS(proc_read(0, "cmdline", text, sizeof text), size + 3);
	WANT(strspn(text, "T") == size + 2);
}

static void auxv(void)
{
	unsigned long words[128];
	int fd = proc_open(0, "auxv", O_RDONLY);
	long size = read(fd, words, sizeof words), count = size / 16;

	WANT(size > 0 && size % 16 == 0);
	WANT_IS(read(fd, words, sizeof words), 0);
	WANT_IS(words[count * 2 - 2], AT_NULL);
	for (long i = 0; i < count - 1; i++)
		if (words[2 * i] != AT_IGNORE)
			WANT_IS(words[2 * i + 1], getauxval(words[2 * i]));
	WANT(getauxval(AT_ENTRY) && getauxval(AT_PHDR));
}

/* A thread ends; the files of its process go on. */
static void *nothing(void *unused)
{
	return unused;
}

static void space_of_a_thread(void)
{
	char path[64];
	struct mapping found;

	join_thread(begin_thread(nothing, NULL));
	snprintf(path, sizeof path, "task/%d/maps", getpid());
	WANT(proc_read(0, path, text, sizeof text) > 0);
	WANT(find_mapping(0, &global, &found));
}

static const struct test_case cases[] = {
	CASE(own_mappings, "maps: code, data, heap, stack, vdso"),
	CASE(mapping_changes, "maps: mmap, mprotect and munmap are seen exactly"),
	CASE(file_mappings, "maps: a file's path, offset, device, inode; renamed and deleted"),
	CASE(shared_anonymous, "maps: shared anonymous memory and segments"),
	CASE(many_mappings, "maps: thousands of mappings, read in pieces"),
	CASE(smaps, "smaps and smaps_rollup"),
	CASE(mem_of_itself, "mem: read and written, read-only pages too, as far as it goes"),
	CASE(shared_read_only, "mem: shared memory that is read-only stays so"),
	CASE(mem_of_another, "mem of another process, until it ends"),
	CASE(exec_gives_another_space,
		"exec: files about the old memory end, new ones tell of the new"),
	CASE(strings_are_changed, "cmdline: as it stands in memory; a title"),
	CASE(auxv, "auxv"),
	CASE(space_of_a_thread, "task/TID/maps"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"wait", role_wait}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
