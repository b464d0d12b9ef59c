/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/io and schedstat: what a process has read and written, and how long it ran; iomem, ioports, softirqs,
 * tty/drivers and other files about the machine. As root; nothing that one machine has and another has not.
 */
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "cases.h"

struct io {
	unsigned long rchar, wchar, syscr, syscw;
};

static char text[1 << 18];

static char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t got, used = 0;

	if (fd < 0)
		dprintf(1, "# %s: %s\n", path, strerror(errno));
	WANT(fd >= 0);
	while ((got = read(fd, text + used, sizeof text - 1 - (size_t)used)) > 0)
		used += got;
	WANT_IS(got, 0);
	text[used] = '\0';
	close(fd);
	return text;
}

/* ---- io ---- */

static struct io io_of(const char *format, int id)
{
	struct io io;
	char path[100];
	int end = 0;

	snprintf(path, sizeof path, format, id);
	WANT_IS(sscanf(read_file(path),
			"rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\nread_bytes: %*u\n"
			"write_bytes: %*u\ncancelled_write_bytes: %*u\n%n",
			&io.rchar, &io.wchar, &io.syscr, &io.syscw, &end),
		4);
	WANT(end > 0);
	return io;
}

static int file_with(size_t size)
{
	int fd = memfd_create("io", 0);

	WANT(fd >= 0);
	WANT_IS(ftruncate(fd, (off_t)size), 0);
	return fd;
}

/* 1,000 + 7 + 30 + 100 bytes are written by 6 calls that count, 4 + 3 + 5 + 100 read by 6. */
static void move_bytes(int file, int reader, int writer, int closed)
{
	struct iovec parts[2] = {{text, 10}, {text, 20}};

	WANT_IS(write(writer, text, 1000), 1000);
	WANT_IS(read(reader, text, 4), 4);
	WANT_IS(pwrite(file, text, 7, 50), 7);
	WANT_IS(pread(file, text, 3, 60), 3);
	WANT_IS(writev(writer, parts, 2), 30);
	parts[0].iov_len = 5;
	WANT_IS(readv(reader, parts, 1), 5);
	WANT_IS(pread(file, text, 3, 5000), 0);                  /* the end: counted */
	WANT_IS(kernel_call(SYS_read, writer, text, 3), -EBADF); /* not */
	WANT_IS(kernel_call(SYS_read, 999, text, 3), -EBADF);
	WANT_IS(kernel_call(SYS_write, writer, BAD, 3), -EFAULT);
	WANT_IS(kernel_call(SYS_write, closed, text, 3), -EPIPE); /* counted */
	WANT_IS(kernel_call(SYS_readv, 999, parts, 1), -EBADF);   /* even so */
	WANT_IS(sendfile(writer, file, NULL, 100), 100);
	WANT_IS(kernel_call(SYS_write, writer, text, 0), 0); /* counted */
}

static void io_is_counted(void)
{
	struct io before, after, own;
	int pipes[2], broken[2], status, file = file_with(4096);
	pid_t child;

	signal(SIGPIPE, SIG_IGN);
	WANT_IS(pipe(pipes), 0);
	WANT_IS(pipe(broken), 0);
	close(broken[0]);
	child = fork();
	if (!child) {
		raise(SIGSTOP);
		move_bytes(file, pipes[0], pipes[1], broken[1]);
		raise(SIGSTOP);
		_exit(0);
	}
	WANT_IS(waitpid(child, &status, WUNTRACED), child);
	WANT(WIFSTOPPED(status));
	before = io_of("/proc/%d/io", child);
	kill(child, SIGCONT);
	WANT_IS(waitpid(child, &status, WUNTRACED), child);
	WANT(WIFSTOPPED(status));
	after = io_of("/proc/%d/io", child);
	WANT_IS(after.wchar - before.wchar, 1000 + 7 + 30 + 100);
	WANT_IS(after.rchar - before.rchar, 4 + 3 + 5 + 100);
	WANT_IS(after.syscw - before.syscw, 6);
	WANT_IS(after.syscr - before.syscr, 6);
	/* The child's is its parent's when that has waited for it. */
	kill(child, SIGCONT);
	WANT_IS(waitid(P_PID, (id_t)child, NULL, WEXITED | WNOWAIT), 0);
	before = io_of("/proc/%d/io", getpid());
	WANT_IS(waitpid(child, &status, 0), child);
	own = io_of("/proc/%d/io", getpid());
	WANT_IS(own.wchar - before.wchar, after.wchar);
	WANT(own.rchar - before.rchar > after.rchar);
}

static pid_t thread_id;
static int thread_stage;

static void *write_some(void *unused)
{
	int file = file_with(0);

	WANT_IS(write(file, text, 300), 300);
	thread_id = gettid();
	__atomic_store_n(&thread_stage, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&thread_stage, __ATOMIC_SEQ_CST) < 2)
		usleep(1000);
	return unused;
}

static void io_of_threads(void)
{
	struct io before = io_of("/proc/%d/io", getpid()), now;
	pthread_t thread;

	WANT_IS(pthread_create(&thread, NULL, write_some, NULL), 0);
	while (!__atomic_load_n(&thread_stage, __ATOMIC_SEQ_CST))
		usleep(1000);
	now = io_of("/proc/self/task/%d/io", thread_id);
	WANT_IS(now.wchar, 300);
	WANT_IS(now.syscw, 1);
	now = io_of("/proc/%d/io", getpid());
	WANT_IS(now.wchar - before.wchar, 300);
	__atomic_store_n(&thread_stage, 2, __ATOMIC_SEQ_CST);
	pthread_join(thread, NULL);
	now = io_of("/proc/%d/io", getpid());
	WANT_IS(now.wchar - before.wchar, 300);
	WANT_IS(now.syscw - before.syscw, 1);
}

static void io_of_others(void)
{
	char path[64];
	pid_t child = fork();
	struct stat stat;
	int fd;

	if (!child)
		for (;;)
			pause();
	snprintf(path, sizeof path, "/proc/%d/io", child);
	WANT_IS(lstat(path, &stat), 0);
	WANT_IS(stat.st_mode, S_IFREG | 0400);
	WANT_IS(setuid(NOBODY), 0);
	fd = open(path, O_RDONLY);
	WANT(fd < 0 && errno == EACCES);
	WANT(open("/proc/1/io", O_RDONLY) < 0 && errno == EACCES);
}

/* ---- schedstat ---- */

static void schedstat(void)
{
	unsigned long ran, waited, turns, before;
	struct timespec now;
	int end = 0;

	WANT_IS(sscanf(read_file("/proc/self/schedstat"), "%lu %lu %lu\n%n", &before, &waited,
			&turns, &end),
		3);
	WANT_IS(text[end], 0);
	do
		WANT_IS(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now), 0);
	while (!now.tv_sec && now.tv_nsec < 50000000);
	WANT_IS(sscanf(read_file("/proc/self/schedstat"), "%lu %lu %lu\n", &ran, &waited, &turns),
		3);
	WANT(ran >= 40000000);
	WANT(ran > before);
}

/* ---- The machine ---- */

/* Every range lies after the one before it or inside of one; how many. */
static int ranges(const char *path, bool shown, const char *wanted)
{
	unsigned long first, last, ends[16], sum = 0;
	int count = 0, indent, found = 0;
	char name[200];

	for (char *line = read_file(path); *line; line += strcspn(line, "\n") + 1, count++) {
		indent = (int)strspn(line, " ");
		WANT(indent % 2 == 0 && indent / 2 < 16);
		WANT_IS(sscanf(line, " %lx-%lx : %199[^\n]", &first, &last, name), 3);
		found += !strcmp(name, wanted);
		sum += first + last;
		if (!shown)
			continue;
		WANT(first <= last);
		WANT(indent == 0 || last <= ends[indent / 2 - 1]);
		ends[indent / 2] = last;
	}
	WANT(found > 0);
	WANT(!sum == !shown);
	return count;
}

static void addresses(void)
{
	int memory = ranges("/proc/iomem", true, "System RAM"), ports;

	WANT(memory > 3);
	ports = ranges("/proc/ioports", true, "PCI conf1");
	WANT(ports > 5);
	WANT_IS(setuid(NOBODY), 0);
	WANT_IS(ranges("/proc/iomem", false, "System RAM"), memory);
	WANT_IS(ranges("/proc/ioports", false, "PCI conf1"), ports);
}

static int words_of(const char *line, const char *stop)
{
	int words = 0;

	for (line += strspn(line, " "); *line && !strchr(stop, *line); words++) {
		line += strcspn(line, " \n");
		line += strspn(line, " ");
	}
	return words;
}

static void softirqs(void)
{
	int cpus = words_of(read_file("/proc/interrupts"), "\n"), lines = 0;
	char *line = read_file("/proc/softirqs");

	WANT_IS(words_of(line, "\n"), cpus);
	while (line += strcspn(line, "\n") + 1, *line) {
		WANT_IS(words_of(line, "\n"), cpus + 1);
		WANT_IS(line[12], ':');
		lines++;
	}
	WANT_IS(lines, 10);
}

static void terminals(void)
{
	char driver[64], device[64], minors[64], kind[64];
	unsigned major;
	char *line = read_file("/proc/tty/drivers");

	for (; *line; line += strcspn(line, "\n") + 1) {
		WANT_IS(sscanf(line, "%63s %63s %u %63s %63s", driver, device, &major, minors,
				kind),
			5);
		WANT(!strncmp(device, "/dev/", 5));
	}
	line = read_file("/proc/tty/drivers");
	WANT(strstr(line, "/dev/ptmx            /dev/ptmx       5       2 system\n"));
	WANT(strstr(line, "pty_slave            /dev/pts      136 0-1048575 pty:slave\n"));
	WANT(!strncmp(read_file("/proc/tty/ldiscs"), "n_tty       0\n", 14));
	WANT(!strncmp(
		read_file("/proc/cgroups"), "#subsys_name\thierarchy\tnum_cgroups\tenabled\n", 43));
	WANT(!strcmp(read_file("/proc/execdomains"), "0-0\tLinux           \t[kernel]\n"));
	read_file("/proc/misc");
	read_file("/proc/crypto");
	read_file("/proc/key-users");
}

static const struct test_case cases[] = {
	CASE(io_is_counted, "procfs: io counts calls and bytes, and those of children waited for"),
	CASE(io_of_threads, "procfs: io of threads, of those gone too"),
	CASE(io_of_others, "procfs: io is for who may look"),
	CASE(schedstat, "procfs: schedstat"),
	CASE(addresses, "procfs: iomem, ioports, which others see as zeros"),
	CASE(softirqs, "procfs: softirqs"),
	CASE(terminals, "procfs: tty/drivers and what there may be none of"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
