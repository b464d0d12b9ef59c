/* SPDX-License-Identifier: MIT */
/*
 * /proc/interrupts, loadavg, stat's intr, buddyinfo, zoneinfo, kallsyms, kmsg, PID/ns: what programs read by columns.
 * As root; what a kernel does not have or a container hides is left out.
 */
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>

#include "cases.h"

#define NSFS 0x6e736673

static char text[1 << 20];

static char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t got, used = 0;

	WANT(fd >= 0);
	while ((got = read(fd, text + used, sizeof text - 1 - (size_t)used)) > 0)
		used += got;
	WANT(got >= 0);
	text[used] = '\0';
	close(fd);
	return text;
}

/* ---- Interrupts ---- */

/* The sum over the CPUs of the line that begins with this; the columns are as wide as the header's. */
static unsigned long interrupts(const char *name, unsigned *cpus)
{
	char *line = read_file("/proc/interrupts"), *at;
	size_t length = strlen(name), column = strspn(line, " ");
	unsigned long sum = 0;

	for (*cpus = 0, at = line; *at != '\n'; at += strcspn(at, " \n"), at += strspn(at, " "))
		*cpus += !strncmp(at, "CPU", 3);
	for (line = at + 1; *line; line += strcspn(line, "\n") + 1) {
		at = line + strspn(line, " ");
		if (strncmp(at, name, length) != 0 || at[length] != ':')
			continue;
		WANT_IS(at + length + 1 - line, (long)column - 7);
		for (unsigned cpu = 0; cpu < *cpus; cpu++) {
			at = line + column - 6 + 11 * cpu;
			WANT(strspn(at, " 0123456789") >= 11);
			sum += strtoul(at, NULL, 10);
		}
		WANT(!strncmp(line + column - 6 + 11 * *cpus, "  ", 2));
		return sum;
	}
	return 0;
}

static unsigned long all_interrupts(void)
{
	const char *line = strstr(read_file("/proc/stat"), "\nintr ");

	WANT(line);
	return strtoul(line + 6, NULL, 10);
}

static void timer(void)
{
	unsigned cpus, same;
	unsigned long before = interrupts("LOC", &cpus), all = all_interrupts();
	struct timespec nap = {.tv_nsec = 1000000};

	WANT(cpus >= 1 && cpus <= (unsigned)sysconf(_SC_NPROCESSORS_CONF));
	/* A nap that was over before it began had no interrupt. */
	for (int i = 0; i < 5000 && interrupts("LOC", &same) < before + 20; i++)
		nanosleep(&nap, NULL);
	WANT(interrupts("LOC", &same) >= before + 20);
	WANT_IS(same, cpus);
	WANT(all_interrupts() > all);
}

static void *on_another(void *gate)
{
	char byte;

	do
		WANT_IS(read(((int *)gate)[0], &byte, 1), 1);
	while (byte != 'q');
	return NULL;
}

/* A thread that sleeps on another CPU is woken through that CPU's interrupt, or found by it as it spins. */
static void between_cpus(void)
{
	unsigned cpus;
	unsigned long before = interrupts("RES", &cpus) + interrupts("CAL", &cpus);
	cpu_set_t mine, other;
	pthread_t thread;
	int gate[2];

	if (cpus < 2 || sched_getaffinity(0, sizeof mine, &mine) || CPU_COUNT(&mine) < 2)
		return; /* one CPU */
	CPU_ZERO(&other);
	for (size_t cpu = 0; CPU_COUNT(&other) < 1; cpu++)
		if (CPU_ISSET(cpu, &mine))
			CPU_SET(cpu, &other);
	CPU_XOR(&mine, &mine, &other);
	WANT_IS(pipe(gate), 0);
	WANT_IS(sched_setaffinity(0, sizeof other, &other), 0);
	thread = begin_thread(on_another, gate);
	WANT_IS(sched_setaffinity(0, sizeof mine, &mine), 0);
	/* Who is awake already when the byte comes needs no interrupt. */
	for (int i = 0; i < 20000; i++) {
		WANT_IS(write(gate[1], "x", 1), 1);
		usleep(1000);
		if (i >= 50 && i % 50 == 0 &&
			interrupts("RES", &cpus) + interrupts("CAL", &cpus) > before)
			break;
	}
	WANT_IS(write(gate[1], "q", 1), 1);
	join_thread(thread);
	WANT(interrupts("RES", &cpus) + interrupts("CAL", &cpus) > before);
}

/* ---- Memory ---- */

static void memory(void)
{
	unsigned long bytes = 0, count, total;
	char zone[32], *line = read_file("/proc/buddyinfo"), *at;
	int node, used;

	WANT(*line);
	for (; *line; line = at + 1) {
		WANT_IS(sscanf(line, "Node %d, zone %31s%n", &node, zone, &used), 2);
		at = line + used;
		for (unsigned order = 0; *at != '\n'; order++) {
			WANT_IS(sscanf(at, "%lu%n", &count, &used), 1);
			WANT(used >= 7);
			bytes += count * (4096ul << order);
			at += used;
			at += strspn(at, " ") == 1 && at[1] == '\n';
		}
	}
	WANT_IS(sscanf(read_file("/proc/meminfo"), "MemTotal: %lu", &total), 1);
	WANT(bytes && bytes / 1024 <= total);
	WANT(strstr(read_file("/proc/zoneinfo"), "Node 0, zone"));
	WANT(strstr(text, "\n        managed  "));
}

/* ---- The kernel's symbols and log ---- */

static void look_at_symbols(bool must_hide)
{
	unsigned long address;
	char kind, name[200], *line = read_file("/proc/kallsyms");

	for (int i = 0; i < 100 && *line; i++, line += strcspn(line, "\n") + 1) {
		WANT_IS(sscanf(line, "%16lx %c %199s", &address, &kind, name), 3);
		WANT_IS(line[16], ' ');
		WANT(!must_hide || !address);
	}
}

static void as_nobody(void)
{
	WANT_IS(setgid(NOBODY), 0);
	WANT_IS(setuid(NOBODY), 0);
	look_at_symbols(true);
	WANT(open("/proc/kmsg", O_RDONLY) < 0 && errno == EACCES);
}

static void symbols(void)
{
	if (access("/proc/kallsyms", F_OK))
		return; /* a kernel without */
	look_at_symbols(false);
	WANT_ENDS(start(as_nobody), 0);
}

static void log_file(void)
{
	int fd = open("/proc/kmsg", O_RDONLY | O_NONBLOCK);
	struct stat stat;

	if (fd < 0 && (errno == EPERM || errno == ENOENT || errno == EACCES))
		return; /* a container, for which the log is not */
	WANT(fd >= 0);
	WANT_IS(fstat(fd, &stat), 0);
	WANT_IS(stat.st_mode, S_IFREG | 0400);
	WANT_IS(read(fd, text, 0), 0);
	WANT_IS(kernel_call(SYS_write, fd, "x", 1), -EBADF);
}

/* ---- Namespaces ---- */

#define NS_GET_USERNS    0xb701
#define NS_GET_PARENT    0xb702
#define NS_GET_NSTYPE    0xb703
#define NS_GET_OWNER_UID 0xb704

/* Of the first namespaces, as lsns asks for it. */
static void related_spaces(int fd, long type)
{
	bool is_user = type == CLONE_NEWUSER;
	struct stat owner, user;
	unsigned uid = 5;
	long found;

	WANT_IS(kernel_call(SYS_ioctl, fd, NS_GET_NSTYPE, 0), type);
	WANT_IS(kernel_call(SYS_ioctl, fd, NS_GET_PARENT, 0),
		is_user || type == CLONE_NEWPID ? -EPERM : -EINVAL);
	WANT_IS(kernel_call(SYS_ioctl, fd, NS_GET_OWNER_UID, &uid), is_user ? 0 : -EINVAL);
	WANT_IS(uid, is_user ? 0 : 5);
	if (is_user)
		WANT_IS(kernel_call(SYS_ioctl, fd, NS_GET_OWNER_UID, BAD), -EFAULT);
	found = kernel_call(SYS_ioctl, fd, NS_GET_USERNS, 0);
	if (is_user) {
		WANT_IS(found, -EPERM);
		return;
	}
	WANT(found >= 0);
	WANT_IS(fcntl((int)found, F_GETFD), FD_CLOEXEC);
	WANT_IS(fstat((int)found, &owner) | stat("/proc/self/ns/user", &user), 0);
	WANT(owner.st_ino == user.st_ino && owner.st_dev == user.st_dev);
	close((int)found);
}

static void namespaces(void)
{
	static const char *const names[] = {"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"};
	static const long types[] = {CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNS, CLONE_NEWNET,
		CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS};
	char path[64], link[64], expected[64];
	struct stat own, opened;
	struct statfs system;
	ssize_t length;
	int fd;

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof path, "/proc/self/ns/%s", names[i]);
		WANT_IS(stat(path, &own), 0);
		WANT_IS(own.st_mode, S_IFREG | 0444);
		snprintf(expected, sizeof expected, "%s:[%lu]", names[i], own.st_ino);
		length = readlink(path, link, sizeof link - 1);
		WANT(length > 0);
		link[length] = '\0';
		WANT(!strcmp(link, expected));
		fd = open(path, O_RDONLY);
		WANT(fd >= 0);
		WANT_IS(fstat(fd, &opened), 0);
		WANT(opened.st_ino == own.st_ino && opened.st_dev == own.st_dev);
		WANT_IS(fstatfs(fd, &system), 0);
		WANT_IS(system.f_type, NSFS);
		WANT_IS(kernel_call(SYS_read, fd, link, 1), -EINVAL);
		WANT_IS(kernel_call(SYS_ioctl, fd, TCGETS, link), -ENOTTY);
		related_spaces(fd, types[i]);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		WANT_IS(readlink(path, link, sizeof link), length);
		WANT(!memcmp(link, expected, (size_t)length));
		snprintf(path, sizeof path, "/proc/%d/task/%d/ns/%s", (int)getpid(), (int)getpid(),
			names[i]);
		WANT_IS(stat(path, &opened), 0);
		WANT_IS(opened.st_ino, own.st_ino);
		WANT(open(path, O_WRONLY) < 0 && errno == EPERM);
		close(fd);
	}
	WANT_IS(lstat("/proc/self/ns", &own), 0);
	WANT_IS(own.st_mode, S_IFDIR | 0511);
	WANT(access("/proc/self/ns/none", F_OK) < 0 && errno == ENOENT);
}

/* ---- What a sleeping process does in the kernel ---- */

static char *file_of(pid_t pid, const char *name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	return read_file(path);
}

static unsigned long number_after(const char *from, const char *name)
{
	const char *at = strstr(from, name);

	WANT(at);
	at += strlen(name);
	return strtoul(at + strspn(at, " :\t"), NULL, 10);
}

/* It sleeps for good once it is in the call: until then it may be seen as it goes there. */
static pid_t sleeper(void)
{
	pid_t pid = start(just_wait);

	while (strncmp(file_of(pid, "syscall"), "34 ", 3) != 0)
		usleep(1000);
	return pid;
}

static void looks_as_nobody(pid_t pid)
{
	char path[64];

	WANT_IS(setgid(NOBODY), 0);
	WANT_IS(setuid(NOBODY), 0);
	snprintf(path, sizeof path, "/proc/%d/stack", (int)pid);
	WANT(open(path, O_RDONLY) < 0 && errno == EACCES);
	WANT(!strcmp(file_of(pid, "wchan"), "0"));
}

static void where_it_sleeps(void)
{
	pid_t pid = sleeper(), other;
	char name[200], first[200] = "";
	unsigned offset, size;
	char *line;

	line = file_of(pid, "wchan");
	for (int i = 0; i < 60000 && !strcmp(line, "0"); i++) { /* it is still on its way */
		usleep(1000);
		line = file_of(pid, "wchan");
	}
	WANT(strcmp(line, "0") != 0 &&
		strspn(line, "abcdefghijklmnopqrstuvwxyz_.0123456789ABCDEFGHI"
			     "JKLMNOPQRSTUVWXYZ") == strlen(line));
	snprintf(first, sizeof first, "%s", line);
	snprintf(name, sizeof name, "/proc/%d/stack", (int)pid);
	if (access(name, F_OK) == 0 && *(line = file_of(pid, "stack"))) {
		for (int lines = 0; *line; line += strcspn(line, "\n") + 1, lines++) {
			WANT_IS(sscanf(line, "[<0>] %199[^+]+%x/%x", name, &offset, &size), 3);
			WANT(offset <= size);
			WANT(lines || !strcmp(name, first));
		}
		WANT(!strstr(text, "ffff"));
	}
	other = fork();
	WANT(other >= 0);
	if (!other) {
		looks_as_nobody(pid);
		_exit(0);
	}
	WANT_ENDS(other, 0);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, SIGKILL);
}

static void switches(void)
{
	pid_t pid = sleeper();
	unsigned long voluntary = 0, all = 0;
	char expected[64];

	if (access("/proc/self/sched", F_OK))
		return; /* a kernel without */
	snprintf(expected, sizeof expected, " (%d, #threads: 1)\n-----", (int)pid);
	/* The switch away from it comes a little after it is said to sleep. */
	for (int i = 0; i < 60000; i++) {
		WANT(strstr(file_of(pid, "sched"), expected));
		voluntary = number_after(text, "\nnr_voluntary_switches");
		all = number_after(text, "\nnr_switches");
		if (number_after(file_of(pid, "status"), "\nvoluntary_ctxt_switches") == voluntary)
			break;
		usleep(1000);
	}
	WANT(strstr(file_of(pid, "sched"), expected));
	WANT_IS(all, voluntary + number_after(text, "\nnr_involuntary_switches"));
	WANT_IS(number_after(text, "\nprio"), 120);
	WANT_IS(number_after(text, "\npolicy"), 0);
	WANT_IS(number_after(file_of(pid, "status"), "\nvoluntary_ctxt_switches"), voluntary);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, SIGKILL);
	WANT(strstr(read_file("/proc/self/mountstats"), " mounted on / with fstype "));
}

/* What a shell's uptime and the C library's getloadavg are told is what /proc/loadavg says. */
static void load(void)
{
	char before[64], after[64], expected[64];
	struct sysinfo info;

	do /* this thread runs, so it rises */
		snprintf(before, sizeof before, "%.14s", read_file("/proc/loadavg"));
	while (!strncmp(before, "0.00", 4));
	do {
		snprintf(before, sizeof before, "%.14s", read_file("/proc/loadavg"));
		WANT_IS(sysinfo(&info), 0);
		snprintf(after, sizeof after, "%.14s", read_file("/proc/loadavg"));
	} while (strcmp(before, after) != 0);
	for (int i = 0, at = 0; i < 3; i++) {
		unsigned long parts = (info.loads[i] + 320) * 100 >> 16; /* 320: Linux rounds so */

		at += snprintf(expected + at, sizeof expected - (size_t)at, "%lu.%02lu ",
			parts / 100, parts % 100);
	}
	WANT(!strncmp(expected, before, strlen(before)));
}

/* ...and free's memory that is shared is what meminfo says. */
static void shared_ram(void)
{
	unsigned long before, after;
	struct sysinfo info;
	int fd = memfd_create("shared", 0);

	WANT_IS(write(fd, text, 64 << 10), 64 << 10);
	do {
		before = number_after(read_file("/proc/meminfo"), "\nShmem");
		WANT_IS(sysinfo(&info), 0);
		after = number_after(read_file("/proc/meminfo"), "\nShmem");
	} while (before != after);
	WANT(after >= 64);
	WANT_IS(info.sharedram * info.mem_unit, after << 10);
	close(fd);
}

static const struct test_case cases[] = {
	CASE(timer, "procfs: interrupts of the timer are counted"),
	CASE(between_cpus, "procfs: interrupts between CPUs are counted"),
	CASE(memory, "procfs: buddyinfo, zoneinfo"),
	CASE(symbols, "procfs: kallsyms hides addresses from nobody"),
	CASE(log_file, "procfs: kmsg"),
	CASE(namespaces, "procfs: ns"),
	CASE(where_it_sleeps, "procfs: wchan, stack"),
	CASE(load, "procfs: loadavg, and sysinfo's loads"),
	CASE(shared_ram, "procfs: meminfo's Shmem, and sysinfo's"),
	CASE(switches, "procfs: sched, mountstats"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
