/* SPDX-License-Identifier: MIT */
/* memfd_create and seals (man 2 memfd_create, fcntl). Where kernels after 6.1 differ, the case says so. */
#include <sys/sendfile.h>
#include <sys/utsname.h>
#include <sys/vfs.h>

#include "mounts.h"

#define PAGE      4096
#define LONGEST   249
#define ALL_SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)

static int make(const char *name, long flags)
{
	int fd = (int)kernel_call(SYS_memfd_create, name, flags);

	WANT(fd >= 0);
	return fd;
}

static long seal(int fd, long seals)
{
	return kernel_call(SYS_fcntl, fd, F_ADD_SEALS, seals);
}

static long seals_of(int fd)
{
	return kernel_call(SYS_fcntl, fd, F_GET_SEALS);
}

static const char *name_of(int fd)
{
	static char text[512];
	char path[64];

	memset(text, 0, sizeof text);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	WANT(readlink(path, text, sizeof text - 1) > 0);
	return text;
}

static int read_only(int fd)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	fd = open(path, O_RDONLY);
	WANT(fd >= 0);
	return fd;
}

static long map(int fd, int protection, int flags)
{
	return kernel_call(SYS_mmap, NULL, PAGE, protection, flags, fd, 0);
}

static bool is_later_than(int major, int minor)
{
	struct utsname name;
	int have[2] = {0, 0};

	WANT_IS(uname(&name), 0);
	sscanf(name.release, "%d.%d", &have[0], &have[1]);
	return have[0] > major || (have[0] == major && have[1] > minor);
}

static void names(void)
{
	char longest[LONGEST + 2], expected[LONGEST + 32];

	WANT(!strcmp(name_of(make("name", 0)), "/memfd:name (deleted)"));
	WANT(!strcmp(name_of(make("", 0)), "/memfd: (deleted)"));
	WANT(!strcmp(name_of(make("a/b", 0)), "/memfd:a/b (deleted)"));
	WANT(make("name", 0) != make("name", 0));
	memset(longest, 'x', sizeof longest);
	longest[LONGEST] = '\0';
	snprintf(expected, sizeof expected, "/memfd:%s (deleted)", longest);
	WANT(!strcmp(name_of(make(longest, 0)), expected));
	longest[LONGEST] = 'x';
	longest[LONGEST + 1] = '\0';
	WANT_IS(kernel_call(SYS_memfd_create, longest, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_memfd_create, BAD, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_memfd_create, NULL, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_memfd_create, "name", 0x20), -EINVAL);
	WANT_IS(kernel_call(SYS_memfd_create, "name", 1l << 26), -EINVAL);
	WANT_IS(kernel_call(SYS_memfd_create, BAD, 0x20), -EINVAL);
	if (!is_later_than(6, 2)) /* MFD_NOEXEC_SEAL and MFD_EXEC came with 6.3 */
		WANT_IS(kernel_call(SYS_memfd_create, "name", 8), -EINVAL);
}

static void as_a_file(void)
{
	int fd = make("file", MFD_CLOEXEC), other;
	struct statfs system;
	struct stat stat;
	char text[8] = "";
	char *memory;

	umask(077);
	WANT_IS(fstat(fd, &stat), 0);
	WANT_IS(stat.st_mode, S_IFREG | 0777);
	WANT_IS(stat.st_nlink, 0);
	WANT_IS(stat.st_size, 0);
	WANT_IS(stat.st_uid, geteuid());
	WANT_IS(fstatfs(fd, &system), 0);
	WANT_IS(system.f_type, 0x01021994);
	WANT_IS(fcntl(fd, F_GETFD), FD_CLOEXEC);
	WANT_IS(fcntl(make("other", 0), F_GETFD), 0);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_GETFL), O_RDWR | 0100000);
	WANT_IS(write(fd, "text", 4), 4);
	WANT_IS(pread(fd, text, 8, 1), 3);
	WANT(!strcmp(text, "ext"));
	WANT_IS(lseek(fd, 0, SEEK_END), 4);
	WANT_IS(ftruncate(fd, 2l * PAGE), 0);
	memory = (void *)map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	WANT(!memcmp(memory, "text", 5));
	memory[1] = 'E';
	other = read_only(fd);
	WANT_IS(read(other, text, 4), 4);
	WANT(!memcmp(text, "tExt", 4));
	WANT_IS(kernel_call(SYS_write, other, "x", 1), -EBADF);
	WANT_IS(kernel_call(SYS_fallocate, fd, 0, 0, 3 * PAGE), 0);
	WANT_IS(fchmod(fd, 0400), 0);
	WANT_IS(fstat(other, &stat), 0);
	WANT_IS(stat.st_mode, S_IFREG | 0400);
	WANT_IS(stat.st_size, 3 * PAGE);
	close(fd);
	WANT_IS(memory[0], 't');
}

static void in_maps(void)
{
	int fd = make("mapped", 0), maps = open("/proc/self/maps", O_RDONLY);
	static char text[65536];
	ssize_t got, used = 0;

	WANT_IS(ftruncate(fd, PAGE), 0);
	WANT(map(fd, PROT_READ, MAP_SHARED) > 0);
	close(fd);
	while ((got = read(maps, text + used, sizeof text - 1 - (size_t)used)) > 0)
		used += got;
	WANT(strstr(text, " /memfd:mapped (deleted)\n"));
}

static int hello(int argc, char **argv)
{
	char text[64] = "";

	WANT_IS(argc, 1);
	WANT(readlink("/proc/self/exe", text, sizeof text - 1) > 0);
	return strcmp(text, "/memfd:program (deleted)") ? 3 : atoi(argv[0]);
}

/* A program that lies in memory alone; that it is open for writing does not matter. */
static void executed(void)
{
	char *const argv[] = {"program", "--role", "hello", "42", NULL};
	int from = open("/proc/self/exe", O_RDONLY), to = make("program", MFD_CLOEXEC);
	struct stat stat;
	pid_t pid;

	WANT_IS(fstat(from, &stat), 0);
	WANT_IS(sendfile(to, from, NULL, (size_t)stat.st_size), stat.st_size);
	pid = fork();
	if (!pid) {
		kernel_call(SYS_execveat, to, "", argv, environ, AT_EMPTY_PATH);
		_exit(9);
	}
	WANT_ENDS(pid, EXITED(42));
}

/* ---- Seals ---- */

static void unsealable(void)
{
	int fd = make("plain", 0), pipes[2];
	int file;

	enter();
	file = open("file", O_CREAT | O_RDWR, 0600);
	WANT_IS(seals_of(fd), F_SEAL_SEAL);
	WANT_IS(seal(fd, F_SEAL_GROW), -EPERM);
	WANT_IS(seal(fd, 0), -EPERM);
	WANT(file >= 0);
	WANT_IS(seals_of(file), F_SEAL_SEAL); /* all files of a tmpfs have that */
	WANT_IS(seal(file, F_SEAL_WRITE), -EPERM);
	close(file);
	leave();
	WANT_IS(pipe(pipes), 0);
	WANT_IS(seals_of(pipes[1]), -EINVAL);
	WANT_IS(seal(pipes[1], F_SEAL_GROW), -EINVAL);
	WANT_IS(seal(pipes[0], F_SEAL_GROW), -EPERM);
	WANT_IS(seals_of(-1), -EBADF);
}

static void refused(void)
{
	int fd = make("sealable", MFD_ALLOW_SEALING);

	WANT_IS(seals_of(fd), 0);
	WANT_IS(seal(fd, 0x40), -EINVAL);
	WANT_IS(seal(fd, F_SEAL_GROW | 0x80), -EINVAL);
	WANT_IS(seal(read_only(fd), F_SEAL_GROW), -EPERM);
	WANT_IS(seals_of(read_only(fd)), 0);
	WANT_IS(seal(fd, 0), 0);
	WANT_IS(seal(fd, F_SEAL_GROW), 0);
	WANT_IS(seal(fd, F_SEAL_SHRINK), 0);
	WANT_IS(seals_of(fd), F_SEAL_GROW | F_SEAL_SHRINK);
	WANT_IS(seal(fd, F_SEAL_SEAL), 0);
	WANT_IS(seal(fd, F_SEAL_SEAL), -EPERM);
	WANT_IS(seal(fd, F_SEAL_WRITE), -EPERM);
	WANT_IS(seals_of(fd), F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL);
}

static void sizes(void)
{
	int fd = make("sealable", MFD_ALLOW_SEALING);
	static char bytes[2 * PAGE];

	WANT_IS(ftruncate(fd, 2l * PAGE), 0);
	WANT_IS(seal(fd, F_SEAL_SHRINK), 0);
	WANT_IS(kernel_call(SYS_ftruncate, fd, PAGE), -EPERM);
	WANT_IS(ftruncate(fd, 2l * PAGE), 0);
	WANT_IS(ftruncate(fd, 2l * PAGE + 1000), 0);
	WANT_IS(kernel_call(SYS_open, "/proc/self/fd/3", O_RDWR | O_TRUNC), -EPERM);
	WANT_IS(seal(fd, F_SEAL_GROW), 0);
	WANT_IS(kernel_call(SYS_ftruncate, fd, 3l * PAGE), -EPERM);
	WANT_IS(kernel_call(SYS_fallocate, fd, 0, 0, 3 * PAGE), -EPERM);
	WANT_IS(kernel_call(SYS_fallocate, fd, FALLOC_FL_KEEP_SIZE, 0, 3 * PAGE), -EPERM);
	WANT_IS(kernel_call(SYS_fallocate, fd, 0, 0, 2 * PAGE), 0);
	WANT_IS(kernel_call(SYS_pwrite64, fd, bytes, 1000, 2 * PAGE), 1000);
	WANT_IS(kernel_call(SYS_pwrite64, fd, bytes, 1001, 2 * PAGE), -EPERM);
	/* What lies in whole pages before the end is written. */
	WANT_IS(kernel_call(SYS_pwrite64, fd, bytes, 2 * PAGE, PAGE + 500), PAGE - 500);
	WANT_IS(kernel_call(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE),
		0);
}

static void writing(void)
{
	int fd = make("sealable", MFD_ALLOW_SEALING), other;
	char *private;
	long shared;
	pid_t pid;

	WANT_IS(write(fd, "text", 4), 4);
	WANT_IS(ftruncate(fd, PAGE), 0);
	shared = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	WANT_IS(seal(fd, F_SEAL_WRITE), -EBUSY);
	WANT_IS(seals_of(fd), 0);
	pid = start(just_wait); /* it has the mapping, too */
	WANT_IS(munmap((void *)shared, PAGE), 0);
	WANT_IS(seal(fd, F_SEAL_WRITE), -EBUSY);
	kill(pid, SIGKILL);
	WANT_ENDS(pid, KILLED(SIGKILL));
	private = (void *)map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
	other = read_only(fd);
	WANT(map(other, PROT_READ, MAP_SHARED) > 0);
	WANT_IS(seal(fd, F_SEAL_WRITE), 0);
	WANT_IS(kernel_call(SYS_write, fd, "x", 1), -EPERM);
	WANT_IS(kernel_call(SYS_pwrite64, fd, "x", 1, 0), -EPERM);
	WANT_IS(kernel_call(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE),
		-EPERM);
	WANT_IS(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED), -EPERM);
	WANT(map(other, PROT_READ, MAP_SHARED) > 0);
	shared = map(fd, PROT_READ, MAP_SHARED); /* so in Debian's 6.1, not in the first ones */
	WANT(shared > 0);
	WANT_IS(kernel_call(SYS_mprotect, shared, PAGE, PROT_READ | PROT_WRITE), -EACCES);
	private[0] = 'T';
	WANT(map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE) > 0);
	WANT_IS(ftruncate(fd, 2l * PAGE), 0);
	WANT_IS(seal(fd, F_SEAL_WRITE | F_SEAL_GROW), 0);
	WANT_IS(seals_of(fd), F_SEAL_WRITE | F_SEAL_GROW);
}

static void future_writing(void)
{
	int fd = make("sealable", MFD_ALLOW_SEALING);
	char *before, *after, text[2];

	WANT_IS(ftruncate(fd, PAGE), 0);
	before = (void *)map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
	WANT_IS(seal(fd, F_SEAL_FUTURE_WRITE), 0);
	before[0] = 'b';
	WANT_IS(pread(fd, text, 1, 0), 1);
	WANT_IS(text[0], 'b');
	WANT_IS(kernel_call(SYS_write, fd, "x", 1), -EPERM);
	WANT_IS(kernel_call(SYS_fallocate, fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, PAGE),
		-EPERM);
	WANT_IS(kernel_call(SYS_madvise, before, PAGE, MADV_REMOVE), -EPERM);
	WANT_IS(before[0], 'b');
	WANT_IS(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED), -EPERM);
	after = (void *)map(fd, PROT_READ, MAP_SHARED);
	WANT_IS(after[0], 'b');
	WANT_IS(kernel_call(SYS_mprotect, after, PAGE, PROT_READ | PROT_WRITE), -EACCES);
	WANT(map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE) > 0);
	WANT_IS(seals_of(fd), F_SEAL_FUTURE_WRITE);
}

/*
 * Who seals and who maps at the same time. When the seal is there no mapping that can write is, and none can be
 * made: who holds one and sees that it is there has found a hole. Who maps pauses now and then, and stops at
 * last: however slow the machine, the seal has its turn.
 */
#define ROUNDS 100
#define MAPS   50

static int raced;
static int sealed, go_on; /* atomic */

static void *map_and_write(void *unused)
{
	struct timespec pause = {0, 20000};
	char *memory;

	(void)unused;
	for (int k = 0; k < MAPS && __atomic_load_n(&go_on, __ATOMIC_SEQ_CST); k++) {
		memory = (void *)map(raced, PROT_READ | PROT_WRITE, MAP_SHARED);
		if ((long)memory < 0) {
			WANT_IS((long)memory, -EPERM);
			sched_yield();
			continue;
		}
		++*(volatile long *)memory;
		sched_yield();
		WANT(!__atomic_load_n(&sealed, __ATOMIC_SEQ_CST));
		++*(volatile long *)memory;
		WANT_IS(munmap(memory, PAGE), 0);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void racing(void)
{
	pthread_t threads[2];
	long result;

	for (int i = 0; i < ROUNDS; i++) {
		raced = make("raced", MFD_ALLOW_SEALING);
		WANT_IS(ftruncate(raced, PAGE), 0);
		__atomic_store_n(&sealed, 0, __ATOMIC_SEQ_CST);
		__atomic_store_n(&go_on, 1, __ATOMIC_SEQ_CST);
		for (size_t k = 0; k < COUNT(threads); k++)
			threads[k] = begin_thread(map_and_write, NULL);
		while ((result = seal(raced, F_SEAL_WRITE)) == -EBUSY)
			sched_yield();
		WANT_IS(result, 0);
		__atomic_store_n(&sealed, 1, __ATOMIC_SEQ_CST);
		for (int k = 0; k < 5; k++)
			sched_yield();
		__atomic_store_n(&go_on, 0, __ATOMIC_SEQ_CST);
		for (size_t k = 0; k < COUNT(threads); k++)
			join_thread(threads[k]);
		close(raced);
	}
}

static const struct test_case cases[] = {
	CASE(names, "memfd: names and flags"),
	CASE(as_a_file, "memfd: a file like others"),
	CASE(in_maps, "memfd: its name in maps"),
	CASE(executed, "memfd: executed"),
	CASE(unsealable, "memfd: what cannot be sealed"),
	CASE(refused, "memfd: seals that are refused"),
	CASE(sizes, "memfd: F_SEAL_SHRINK and F_SEAL_GROW"),
	CASE(writing, "memfd: F_SEAL_WRITE"),
	CASE(future_writing, "memfd: F_SEAL_FUTURE_WRITE"),
	CASE(racing, "memfd: sealing while others map"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

static const struct role roles[] = {{"hello", hello}};

int main(int argc, char **argv)
{
	return check_main(argc, argv, roles, COUNT(roles), all);
}
