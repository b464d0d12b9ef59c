/* SPDX-License-Identifier: MIT */
/*
 * /proc: what it says of processes, threads and descriptors, field by field; whose files they are; what
 * becomes of them when the process ends. procfs_memory.c has what is about address spaces.
 */
#include <grp.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/times.h>
#include <sys/vfs.h>

#include "procfs.h"

#define PROC_MAGIC 0x9fa0

static char text[65536];

/* ---- The numbers of a process ---- */

static void names_itself(void)
{
	struct stat_fields found;

	WANT_IS(prctl(PR_SET_NAME, "a) R (b"), 0);
	stat_of(0, "stat", &found);
	WANT(strcmp(found.name, "a) R (b") == 0);
	WANT_IS(found.field[1], getpid());
	WANT_IS(found.field[4], getppid());
	WANT_IS(found.field[5], getpgrp());
	WANT_IS(found.field[6], getsid(0));
	WANT_IS(found.state, 'R');
	stat_of(getppid(), "stat", &found);
	WANT_IS(found.field[1], getppid());
}

static void stat_numbers(void)
{
	struct stat_fields found;
	struct rlimit limit = {.rlim_cur = 1 << 30, .rlim_max = 1 << 30};

	WANT_IS(setrlimit(RLIMIT_RSS, &limit), 0);
	WANT_IS(setpriority(PRIO_PROCESS, 0, 5), 0);
	stat_of(0, "stat", &found);
	WANT_IS(found.field[18], 25);
	WANT_IS(found.field[19], 5);
	WANT_IS(found.field[20], 1);
	WANT_IS(found.field[25], 1 << 30);
	WANT_IS(found.field[38], SIGCHLD);
	WANT(found.field[23] >= 65536 && found.field[23] % 4096 == 0);
	WANT(found.field[24] >= 0 && found.field[24] * 4096 <= found.field[23]);
	WANT(found.field[39] >= 0 && found.field[39] < 1024);
	WANT_IS(found.field[41], SCHED_OTHER);
	/* code, data, heap and strings lie where they are */
	WANT((unsigned long)found.field[26] <= (unsigned long)stat_numbers);
	WANT((unsigned long)found.field[27] > (unsigned long)stat_numbers);
	WANT(found.field[28] > (long)&found);
	WANT(found.field[45] && found.field[46] >= found.field[45]);
	WANT(found.field[48] && found.field[49] > found.field[48]);
	WANT_IS(found.field[50], found.field[49]);
	WANT(found.field[51] > found.field[50]);
}

static void time_is_counted(void)
{
	struct stat_fields before, after;
	struct tms used;
	volatile unsigned long n = 0;

	stat_of(0, "stat", &before);
	do {
		for (int i = 0; i < 100000; i++)
			n++;
		WANT(times(&used) != (clock_t)-1);
	} while (used.tms_utime + used.tms_stime < 5);
	stat_of(0, "stat", &after);
	WANT(after.field[14] + after.field[15] >= 4);
	WANT(after.field[14] + after.field[15] >= before.field[14] + before.field[15]);
	WANT_IS(after.field[22], before.field[22]);
}

static void starts_in_order(void)
{
	struct stat_fields own, child;
	pid_t pid = start(just_wait);
	struct timespec now;

	stat_of(0, "stat", &own);
	stat_of(pid, "stat", &child);
	clock_gettime(CLOCK_BOOTTIME, &now);
	WANT(child.field[22] >= own.field[22]);
	WANT(child.field[22] <= now.tv_sec * 100 + now.tv_nsec / 10000000);
	kill(pid, SIGKILL);
	WANT_ENDS(pid, SIGKILL);
}

static void want_state(pid_t pid, char state)
{
	struct stat_fields found;

	for (int i = 0; i < 20000; i++) {
		stat_of(pid, "stat", &found);
		if (found.state == state)
			return;
		sleep_ms(1);
	}
	WANT_IS(found.state, state);
}

static void states(void)
{
	pid_t pid = start(just_wait);

	want_state(pid, 'S');
	kill(pid, SIGSTOP);
	want_state(pid, 'T');
	WANT(proc_read(pid, "status", text, sizeof text) > 0);
	WANT(strcmp(line_of(text, "State"), "T (stopped)") == 0);
	kill(pid, SIGCONT);
	want_state(pid, 'S');
	kill(pid, SIGKILL);
	want_state(pid, 'Z');
	WANT(proc_read(pid, "status", text, sizeof text) > 0);
	WANT(strcmp(line_of(text, "State"), "Z (zombie)") == 0);
	WANT(!line_of(text, "VmSize"));
	WANT_ENDS(pid, SIGKILL);
}

/* ---- status ---- */

static void status_ids(void)
{
	unsigned ids[4];
	gid_t groups[3] = {7, 11, 13};

	if (geteuid())
		skip("needs root");
	WANT_IS(setgroups(3, groups), 0);
	WANT_IS(kernel_call(SYS_setresgid, 21, 22, 23), 0);
	WANT_IS(kernel_call(SYS_setresuid, 31, 32, 33), 0);
	WANT_IS(prctl(PR_SET_DUMPABLE, 1), 0);
	umask(027);
	WANT(proc_read(0, "status", text, sizeof text) > 0);
	WANT(sscanf(line_of(text, "Uid"), "%u\t%u\t%u\t%u", ids, ids + 1, ids + 2, ids + 3) == 4);
	WANT(ids[0] == 31 && ids[1] == 32 && ids[2] == 33 && ids[3] == 32);
	WANT(sscanf(line_of(text, "Gid"), "%u\t%u\t%u\t%u", ids, ids + 1, ids + 2, ids + 3) == 4);
	WANT(ids[0] == 21 && ids[1] == 22 && ids[2] == 23 && ids[3] == 22);
	WANT(strcmp(line_of(text, "Groups"), "7 11 13 ") == 0);
	WANT(strcmp(line_of(text, "Umask"), "0027") == 0);
	WANT_IS(number_of(text, "Tgid"), getpid());
	WANT_IS(number_of(text, "Pid"), getpid());
	WANT_IS(number_of(text, "PPid"), getppid());
	WANT_IS(number_of(text, "TracerPid"), 0);
	WANT(strtoul(line_of(text, "CapEff"), NULL, 16) == 0);
}

static void ignore(int number)
{
	(void)number;
}

static unsigned long mask_of(const char *name)
{
	char *line = line_of(text, name);

	WANT(line && strlen(line) == 16);
	return strtoul(line, NULL, 16);
}

static void status_signals(void)
{
	sigset_t set;

	handle(SIGUSR1, ignore, 0);
	handle(SIGUSR2, SIG_IGN, 0);
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGRTMAX);
	WANT_IS(sigprocmask(SIG_BLOCK, &set, NULL), 0);
	raise(SIGTERM);
	kill(getpid(), SIGRTMAX);
	WANT(proc_read(0, "status", text, sizeof text) > 0);
	WANT(mask_of("SigCgt") & 1ul << (SIGUSR1 - 1));
	WANT(!(mask_of("SigCgt") & 1ul << (SIGUSR2 - 1)));
	WANT(mask_of("SigIgn") & 1ul << (SIGUSR2 - 1));
	WANT(mask_of("SigBlk") == (1ul << (SIGTERM - 1) | 1ul << (SIGRTMAX - 1)));
	WANT(mask_of("SigPnd") == 1ul << (SIGTERM - 1));
	WANT(mask_of("ShdPnd") == 1ul << (SIGRTMAX - 1));
	WANT_IS(number_of(text, "NoNewPrivs"), 0);
	WANT_IS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	WANT(proc_read(0, "status", text, sizeof text) > 0);
	WANT_IS(number_of(text, "NoNewPrivs"), 1);
}

static void status_memory(void)
{
	size_t size = 1 << 20;
	long mapped, resident;
	char *area;

	WANT(proc_read(0, "status", text, sizeof text) > 0);
	mapped = number_of(text, "VmSize");
	resident = number_of(text, "RssAnon");
	area = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	WANT(area != MAP_FAILED);
	memset(area, 1, size);
	WANT(proc_read(0, "status", text, sizeof text) > 0);
	WANT_IS(number_of(text, "VmSize"), mapped + 1024);
	WANT(number_of(text, "RssAnon") >= resident + 1024 - 64 * 4);
	WANT_IS(munmap(area, size), 0);
	WANT(proc_read(0, "status", text, sizeof text) > 0);
	WANT_IS(number_of(text, "VmSize"), mapped);
	WANT(number_of(text, "VmPeak") >= mapped + 1024);
	WANT(number_of(text, "VmHWM") >= number_of(text, "VmRSS"));
	WANT(number_of(text, "VmExe") > 0 && number_of(text, "VmPTE") > 0);
}

static void statm_agrees(void)
{
	unsigned long field[7];

	WANT(proc_read(0, "statm", text, sizeof text) > 0);
	WANT(sscanf(text, "%lu %lu %lu %lu %lu %lu %lu\n", field, field + 1, field + 2, field + 3,
		     field + 4, field + 5, field + 6) == 7);
	WANT(proc_read(0, "status", text, sizeof text) > 0);
	WANT_IS(field[0] * 4, number_of(text, "VmSize"));
	WANT(field[1] <= field[0] && field[2] <= field[1]);
	WANT_IS(field[3] * 4, number_of(text, "VmExe"));
	WANT_IS(field[5] * 4, number_of(text, "VmData") + number_of(text, "VmStk"));
}

/* ---- Threads ---- */

static struct gate gate;
static volatile pid_t thread_id;

static void *thread(void *unused)
{
	prctl(PR_SET_NAME, "second");
	thread_id = (pid_t)kernel_call(SYS_gettid);
	open_gate(gate);
	just_wait();
	return unused;
}

static void begin_second(void)
{
	gate = make_gate();
	begin_thread(thread, NULL);
	wait_gate(gate);
}

static void threads_are_listed(void)
{
	char name[64], path[64];
	struct stat_fields found;
	struct stat st;
	int count;

	begin_second();
	snprintf(name, sizeof name, "%d", thread_id);
	WANT(has_entry("/proc/self/task", name, &count));
	WANT_IS(count, 2);
	stat_of(0, "stat", &found);
	WANT_IS(found.field[20], 2);
	WANT(strcmp(found.name, "second") != 0);
	snprintf(path, sizeof path, "task/%d/stat", thread_id);
	stat_of(0, path, &found);
	WANT_IS(found.field[1], thread_id);
	WANT(strcmp(found.name, "second") == 0);
	snprintf(path, sizeof path, "task/%d/status", thread_id);
	WANT(proc_read(0, path, text, sizeof text) > 0);
	WANT_IS(number_of(text, "Tgid"), getpid());
	WANT_IS(number_of(text, "Pid"), thread_id);
	WANT_IS(number_of(text, "Threads"), 2);
	/* found by its number, but not listed among processes */
	snprintf(path, sizeof path, "/proc/%d", thread_id);
	WANT_IS(stat(path, &st), 0);
	WANT(!has_entry("/proc", name, &count));
	snprintf(path, sizeof path, "/proc/self/task/%d", getppid());
	WANT_IS(kernel_call(SYS_access, path, F_OK), -ENOENT);
}

static void thread_self(void)
{
	char link[64], wanted[64];

	WANT(kernel_call(SYS_readlink, "/proc/self", link, sizeof link) > 0);
	WANT_IS(atoi(link), getpid());
	memset(link, 0, sizeof link);
	WANT(kernel_call(SYS_readlink, "/proc/thread-self", link, sizeof link) > 0);
	snprintf(wanted, sizeof wanted, "%d/task/%d", getpid(), getpid());
	WANT(strcmp(link, wanted) == 0);
}

static void comm_is_written(void)
{
	struct stat_fields found;
	char path[64];
	int fd;

	begin_second();
	fd = proc_open(0, "comm", O_WRONLY | O_TRUNC);
	WANT(fd >= 0);
	WANT_IS(write(fd, "a name that is too long", 23), 23);
	WANT(proc_read(0, "comm", text, sizeof text) == 16);
	WANT(strcmp(text, "a name that is \n") == 0);
	stat_of(0, "stat", &found);
	WANT(strcmp(found.name, "a name that is ") == 0);
	snprintf(path, sizeof path, "task/%d/comm", thread_id);
	fd = proc_open(0, path, O_RDWR);
	WANT(fd >= 0);
	WANT_IS(write(fd, "other", 5), 5);
	WANT_IS(pread(fd, text, 10, 0), 6);
	WANT(memcmp(text, "other\n", 6) == 0);
	WANT_IS(prctl(PR_GET_NAME, text), 0);
	WANT(strcmp(text, "a name that is ") == 0);
	fd = proc_open(getppid(), "comm", O_WRONLY);
	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_write, fd, "x", 1), -EINVAL);
}

/* ---- Descriptors and links ---- */

static void fd_links(void)
{
	char link[4096], path[64], name[] = "/tmp/procfs-XXXXXX";
	struct stat through, direct, itself;
	int fd = mkstemp(name), again, count, pipes[2];

	WANT(fd >= 0);
	snprintf(path, sizeof path, "fd/%d", fd);
	WANT(proc_link(0, path, link, sizeof link) > 0);
	WANT(strcmp(link, name) == 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	WANT_IS(stat(path, &through) | fstat(fd, &direct) | lstat(path, &itself), 0);
	WANT(through.st_ino == direct.st_ino && through.st_dev == direct.st_dev);
	WANT_IS(itself.st_mode, S_IFLNK | 0700);
	WANT_IS(itself.st_size, 64);
	WANT_IS(write(fd, "content", 7), 7);
	again = open(path, O_RDONLY); /* another open file, at its start */
	WANT_IS(read(again, text, 20), 7);
	WANT_IS(unlink(name), 0);
	snprintf(path, sizeof path, "fd/%d", fd);
	WANT(proc_link(0, path, link, sizeof link) > 0);
	WANT(strstr(link, " (deleted)") && !strncmp(link, name, strlen(name)));
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	WANT(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600) >= 0);
	WANT_IS(lseek(fd, 0, SEEK_END), 0);
	snprintf(path, sizeof path, "%d", fd);
	WANT(has_entry("/proc/self/fd", path, &count));
	WANT(count >= 5);
	close(fd);
	snprintf(path, sizeof path, "fd/%d", fd);
	WANT_IS(proc_link(0, path, link, sizeof link), -ENOENT);
	WANT_IS(pipe(pipes), 0);
	snprintf(path, sizeof path, "fd/%d", pipes[0]);
	WANT(proc_link(0, path, link, sizeof link) > 0);
	WANT_IS(fstat(pipes[0], &direct), 0);
	snprintf(text, sizeof text, "pipe:[%lu]", (unsigned long)direct.st_ino);
	WANT(strcmp(link, text) == 0);
}

static void pipe_is_opened_again(void)
{
	char path[64];
	int pipes[2], writer;

	WANT_IS(pipe(pipes), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", pipes[1]);
	writer = open(path, O_WRONLY);
	WANT(writer >= 0);
	WANT_IS(write(writer, "x", 1), 1);
	close(pipes[1]);
	WANT_IS(read(pipes[0], text, 10), 1);
	close(writer);
	WANT_IS(read(pipes[0], text, 10), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d/x", pipes[0]);
	WANT_IS(kernel_call(SYS_open, path, O_RDONLY), -ENOTDIR);
	snprintf(path, sizeof path, "/proc/self/fd/%d", pipes[0]);
	WANT_IS(kernel_call(SYS_open, path, O_RDONLY | O_NOFOLLOW), -ELOOP);
	WANT_IS(kernel_call(SYS_open, path, O_CREAT | O_EXCL | O_RDONLY, 0600), -EEXIST);
}

static void fdinfo(void)
{
	char path[64], name[] = "/tmp/procfs-XXXXXX";
	int fd = mkstemp(name);
	struct stat st;

	WANT(fd >= 0);
	WANT_IS(unlink(name), 0);
	WANT_IS(lseek(fd, 1234, SEEK_SET), 1234);
	WANT_IS(fcntl(fd, F_SETFL, O_APPEND), 0);
	WANT_IS(fcntl(fd, F_SETFD, FD_CLOEXEC), 0);
	snprintf(path, sizeof path, "fdinfo/%d", fd);
	WANT(proc_read(0, path, text, sizeof text) > 0);
	WANT_IS(number_of(text, "pos"), 1234);
	WANT_IS(strtol(line_of(text, "flags"), NULL, 8) & ~0100000, O_RDWR | O_APPEND | O_CLOEXEC);
	WANT(number_of(text, "mnt_id") > 0);
	WANT_IS(fstat(fd, &st), 0);
	WANT_IS(number_of(text, "ino"), st.st_ino);
}

static void links_of_the_process(void)
{
	char link[4096], wanted[4096];
	struct stat there, own;

	WANT_IS(chdir("/tmp"), 0);
	WANT(proc_link(0, "cwd", link, sizeof link) > 0);
	WANT(getcwd(wanted, sizeof wanted));
	WANT(strcmp(link, wanted) == 0);
	WANT(proc_link(0, "root", link, sizeof link) == 1 && link[0] == '/');
	WANT(proc_link(0, "exe", link, sizeof link) > 0);
	WANT_IS(stat("/proc/self/exe", &there) | stat(link, &own), 0);
	WANT(there.st_ino == own.st_ino && S_ISREG(own.st_mode));
	WANT_IS(kernel_call(SYS_open, "/proc/self/exe", O_WRONLY), -ETXTBSY);
	WANT_IS(stat("/proc/self/cwd/../proc/self/root/tmp", &there) | stat("/tmp", &own), 0);
	WANT(there.st_ino == own.st_ino);
	WANT_IS(mkdir("/tmp/procfs-gone", 0700) | chdir("/tmp/procfs-gone"), 0);
	WANT_IS(rmdir("/tmp/procfs-gone"), 0);
	WANT(proc_link(0, "cwd", link, sizeof link) > 0);
	WANT(strcmp(link, "/tmp/procfs-gone (deleted)") == 0);
}

/* ---- Text and offsets ---- */

static void offsets(void)
{
	char whole[8192], part[8192];
	int fd = proc_open(0, "limits", O_RDONLY);
	long size = read_all(fd, whole, sizeof whole);

	WANT(size > 800);
	for (long at = size; at >= 0; at -= 37) {
		long got = pread(fd, part, 100, at);

		WANT_IS(got, size - at < 100 ? size - at : 100);
		WANT(memcmp(part, whole + at, (size_t)got) == 0);
	}
	for (long at = 0; at < size; at++) { /* byte by byte */
		WANT_IS(read(fd, part, 1), 1);
		WANT(part[0] == whole[at]);
	}
	WANT_IS(read(fd, part, 1), 0);
	WANT_IS(lseek(fd, 10, SEEK_SET), 10);
	WANT_IS(lseek(fd, 5, SEEK_CUR), 15);
	WANT_IS(read(fd, part, 4), 4);
	WANT(memcmp(part, whole + 15, 4) == 0);
	WANT_IS(kernel_call(SYS_lseek, fd, 0, SEEK_END), -EINVAL);
	WANT_IS(kernel_call(SYS_pread64, fd, BAD, 10, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_write, fd, "x", 1), -EBADF);
}

static void limits_are_told(void)
{
	struct rlimit limit = {.rlim_cur = 77, .rlim_max = 99};

	WANT_IS(setrlimit(RLIMIT_NOFILE, &limit), 0);
	limit = (struct rlimit){.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
	setrlimit(RLIMIT_FSIZE, &limit);
	WANT(proc_read(0, "limits", text, sizeof text) > 0);
	WANT(strstr(text, "Limit                     Soft Limit           Hard Limit           "
			  "Units     \n") == text);
	WANT(strstr(text, "Max open files            77                   99                   "
			  "files     \n"));
	WANT(strstr(text, "Max file size             4096                 unlimited            "
			  "bytes     \n"));
}

static void strings(void)
{
	long size = proc_read(0, "cmdline", text, sizeof text);

	WANT(size > 0 && text[size - 1] == 0);
	WANT(strcmp(strrchr(text, '/'), strrchr(check.self, '/')) == 0);
	WANT(proc_read(0, "environ", text, sizeof text) >= 0);
}

/* ---- Who may ---- */

static void become_other(void)
{
	WANT_IS(kernel_call(SYS_setgroups, 0, NULL), 0);
	WANT_IS(kernel_call(SYS_setresgid, NOBODY, NOBODY, NOBODY), 0);
	WANT_IS(kernel_call(SYS_setresuid, NOBODY, NOBODY, NOBODY), 0);
}

static void of_others(void)
{
	static const char *const closed[] = {"environ", "auxv", "maps", "mem", "fdinfo"};
	static const char *const open_to_all[] = {
		"stat", "status", "statm", "cmdline", "limits", "comm"};
	struct stat_fields found;
	char link[64];
	pid_t pid;

	if (geteuid())
		skip("needs root");
	pid = start(just_wait);
	become_other();
	for (size_t i = 0; i < COUNT(closed); i++)
		WANT_IS(proc_open(pid, closed[i], O_RDONLY), -EACCES);
	WANT_IS(proc_open(pid, "fd", O_RDONLY), -EACCES);
	WANT_IS(proc_open(pid, "comm", O_WRONLY), -EACCES);
	WANT_IS(proc_link(pid, "exe", link, sizeof link), -EACCES);
	WANT_IS(proc_link(pid, "cwd", link, sizeof link), -EACCES);
	WANT_IS(proc_link(pid, "fd/0", link, sizeof link), -EACCES);
	for (size_t i = 0; i < COUNT(open_to_all); i++)
		WANT(proc_read(pid, open_to_all[i], text, sizeof text) > 0);
	stat_of(pid, "stat", &found); /* without addresses */
	WANT(found.field[28] == 0 && found.field[47] == 0 && found.field[48] == 0);
	WANT(found.field[26] == 1 && found.field[27] == 1);
	WANT(proc_read(getpid(), "environ", text, sizeof text) < 0); /* not dumpable: root's */
}

static void owners(void)
{
	struct stat st;
	char path[64];
	pid_t pid;

	if (geteuid())
		skip("needs root");
	pid = fork();
	WANT(pid >= 0);
	if (!pid) {
		become_other();
		raise(SIGSTOP);
		prctl(PR_SET_DUMPABLE, 1);
		raise(SIGSTOP);
		_exit(0);
	}
	WANT_IS(waitpid(pid, NULL, WUNTRACED), pid);
	snprintf(path, sizeof path, "/proc/%d", pid);
	WANT_IS(stat(path, &st), 0);
	WANT_IS(st.st_uid, NOBODY);
	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	WANT_IS(stat(path, &st), 0);
	WANT_IS(st.st_uid, 0); /* not dumpable */
	kill(pid, SIGCONT);
	WANT_IS(waitpid(pid, NULL, WUNTRACED), pid);
	WANT_IS(stat(path, &st), 0);
	WANT_IS(st.st_uid, NOBODY);
	WANT_IS(st.st_gid, NOBODY);
	WANT_IS(st.st_mode, S_IFREG | 0444);
	kill(pid, SIGCONT);
	WANT_ENDS(pid, 0);
}

static void modes(void)
{
	static const struct {
		const char *name;
		mode_t mode;
	} wanted[] = {{"stat", S_IFREG | 0444}, {"environ", S_IFREG | 0400},
		{"mem", S_IFREG | 0600}, {"fd", S_IFDIR | 0500}, {"fdinfo", S_IFDIR | 0555},
		{"task", S_IFDIR | 0555}, {"exe", S_IFLNK | 0777}, {"cwd", S_IFLNK | 0777},
		{"comm", S_IFREG | 0644}, {"maps", S_IFREG | 0444}, {"auxv", S_IFREG | 0400}};
	struct statfs fs;
	char path[64];
	struct stat st;

	for (size_t i = 0; i < COUNT(wanted); i++) {
		snprintf(path, sizeof path, "/proc/self/%s", wanted[i].name);
		WANT_IS(lstat(path, &st), 0);
		WANT_IS(st.st_mode, wanted[i].mode);
		WANT_IS(S_ISLNK(st.st_mode) ? 0 : st.st_size & ~0xff, 0);
	}
	WANT_IS(statfs("/proc", &fs), 0);
	WANT_IS(fs.f_type, PROC_MAGIC);
	WANT_IS(kernel_call(SYS_chmod, "/proc/self/stat", 0777), -EPERM);
	WANT_IS(kernel_call(SYS_mkdir, "/proc/new", 0777), -ENOENT);
	WANT_IS(kernel_call(SYS_open, "/proc/self/new", O_CREAT | O_WRONLY, 0600), -ENOENT);
	WANT_IS(kernel_call(SYS_unlink, "/proc/self/stat"), -EPERM);
	WANT_IS(kernel_call(SYS_open, "/proc/self/statx", O_RDONLY), -ENOENT);
	WANT_IS(kernel_call(SYS_open, "/proc/0", O_RDONLY), -ENOENT);
	WANT_IS(kernel_call(SYS_open, "/proc/01", O_RDONLY), -ENOENT);
}

/* ---- The end ---- */

static void ends(void)
{
	static const char *const text_files[] = {"stat", "status", "statm", "comm", "limits"};
	static const char *const memory_files[] = {"environ", "mem"};
	int fds[8], memory[2], directory, fd_directory, count = 0;
	char path[64];
	pid_t pid = start(just_wait);

	snprintf(path, sizeof path, "/proc/%d", pid);
	directory = open(path, O_RDONLY | O_DIRECTORY);
	fd_directory = proc_open(pid, "fd", O_RDONLY | O_DIRECTORY);
	WANT(directory >= 0 && fd_directory >= 0);
	for (size_t i = 0; i < COUNT(text_files); i++)
		WANT((fds[i] = proc_open(pid, text_files[i], O_RDONLY)) >= 0);
	for (size_t i = 0; i < COUNT(memory_files); i++)
		WANT((memory[i] = proc_open(pid, memory_files[i], O_RDONLY)) >= 0);
	snprintf(path, sizeof path, "%d", pid);
	WANT(has_entry("/proc", path, &count));
	kill(pid, SIGKILL);
	WANT_ENDS(pid, SIGKILL);
	WANT(!has_entry("/proc", path, &count));
	for (size_t i = 0; i < COUNT(text_files); i++)
		WANT_IS(kernel_call(SYS_read, fds[i], text, 100), -ESRCH);
	for (size_t i = 0; i < COUNT(memory_files); i++)
		WANT_IS(kernel_call(SYS_read, memory[i], text, 100), 0);
	WANT_IS(kernel_call(SYS_openat, directory, "stat", O_RDONLY), -ESRCH);
	WANT_IS(kernel_call(SYS_openat, fd_directory, "0", O_RDONLY), -ENOENT);
	WANT_IS(kernel_call(SYS_getdents64, directory, text, 4096), -ENOENT);
	WANT_IS(kernel_call(SYS_getdents64, fd_directory, text, 4096), -ENOENT);
	WANT_IS(proc_open(pid, "stat", O_RDONLY), -ENOENT);
	WANT_IS(proc_link(pid, "exe", text, 100), -ENOENT);
}

static void zombie(void)
{
	struct stat_fields found;
	char link[64];
	pid_t pid = fork();
	siginfo_t info;

	WANT(pid >= 0);
	if (!pid)
		_exit(3);
	WANT_IS(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	stat_of(pid, "stat", &found);
	WANT_IS(found.state, 'Z');
	WANT_IS(found.field[23], 0);
	WANT_IS(found.field[52], 3 << 8);
	WANT_IS(proc_read(pid, "cmdline", text, sizeof text), 0);
	WANT_IS(proc_read(pid, "maps", text, sizeof text), 0);
	WANT(proc_read(pid, "statm", text, sizeof text) > 0);
	WANT(strcmp(text, "0 0 0 0 0 0 0\n") == 0);
	WANT_IS(proc_link(pid, "exe", link, sizeof link), -ENOENT);
	WANT_IS(proc_link(pid, "cwd", link, sizeof link), -ENOENT);
	WANT_ENDS(pid, 3 << 8);
}

/* ---- Short files ---- */

static void sleeps_in_read(void)
{
	char c;

	if (kernel_call(SYS_read, gate.in, &c, 1) != 1)
		_exit(1);
}

static void syscall_is_told(void)
{
	unsigned long number, first, second, third;
	pid_t pid;

	gate = make_gate();
	pid = start(sleeps_in_read);
	want_state(pid, 'S');
	WANT(proc_read(pid, "syscall", text, sizeof text) > 0);
	WANT(sscanf(text, "%lu 0x%lx 0x%lx 0x%lx", &number, &first, &second, &third) == 4);
	WANT_IS(number, SYS_read);
	WANT_IS(first, gate.in);
	WANT_IS(third, 1);
	open_gate(gate);
	WANT_ENDS(pid, 0);
}

static void oom_score_adjust(void)
{
	int fd = proc_open(0, "oom_score_adj", O_RDWR);
	bool guarded;
	pid_t pid;

	if (geteuid())
		skip("needs root");
	WANT(fd >= 0);
	WANT(proc_read(0, "status", text, sizeof text) > 0);
	guarded = mask_of("CapEff") >> CAP_SYS_RESOURCE & 1;
	WANT_IS(kernel_call(SYS_write, fd, "1001", 4), -EINVAL);
	WANT_IS(kernel_call(SYS_write, fd, "x", 1), -EINVAL);
	WANT_IS(kernel_call(SYS_write, fd, "300\n", 4), 4);
	pid = start(just_wait);
	WANT(proc_read(pid, "oom_score_adj", text, sizeof text) > 0);
	WANT(strcmp(text, "300\n") == 0);
	WANT(proc_read(pid, "oom_score", text, sizeof text) > 0);
	WANT(atoi(text) >= 666 + 150 && atoi(text) <= 2000);
	kill(pid, SIGKILL);
	WANT_ENDS(pid, SIGKILL);
	become_other();
	WANT_IS(kernel_call(SYS_write, fd, "400", 3), 3);
	if (guarded) /* who has it set the least that others may set */
		WANT_IS(kernel_call(SYS_write, fd, "299", 3), -EACCES);
	WANT_IS(kernel_call(SYS_write, fd, "300", 3), 3);
}

static void children_are_listed(void)
{
	char name[64], wanted[64];
	pid_t first = start(just_wait), second = start(just_wait);

	snprintf(name, sizeof name, "task/%d/children", getpid());
	WANT(proc_read(0, name, text, sizeof text) > 0);
	snprintf(wanted, sizeof wanted, "%d %d ", first, second);
	WANT(strcmp(text, wanted) == 0);
	kill(first, SIGKILL);
	kill(second, SIGKILL);
	WANT_ENDS(first, SIGKILL);
	WANT_ENDS(second, SIGKILL);
	WANT_IS(proc_read(0, name, text, sizeof text), 0);
}

static void kernel_files(void)
{
	double up, idle, one, five, fifteen;
	unsigned running, all, last;
	char first[64], second[64];
	long long cpu[10];

	WANT(proc_read(0, "../uptime", text, sizeof text) > 0);
	WANT(sscanf(text, "%lf %lf\n", &up, &idle) == 2 && up > 0);
	WANT(proc_read(0, "../loadavg", text, sizeof text) > 0);
	WANT(sscanf(text, "%lf %lf %lf %u/%u %u\n", &one, &five, &fifteen, &running, &all, &last) ==
		6);
	WANT(running >= 1 && all >= running && last >= 1);
	WANT(proc_read(0, "../stat", text, sizeof text) > 0);
	WANT(sscanf(text, "cpu  %lld %lld %lld %lld %lld %lld %lld %lld %lld %lld\ncpu0 ", cpu,
		     cpu + 1, cpu + 2, cpu + 3, cpu + 4, cpu + 5, cpu + 6, cpu + 7, cpu + 8,
		     cpu + 9) == 10);
	WANT(strstr(text, "\nbtime ") && strstr(text, "\nctxt ") && strstr(text, "\nprocesses "));
	WANT(proc_read(0, "../meminfo", text, sizeof text) > 0);
	WANT(number_of(text, "MemTotal") > number_of(text, "MemFree"));
	WANT(number_of(text, "MemAvailable") > 0 && number_of(text, "SReclaimable") >= 0);
	WANT(proc_read(0, "../sys/kernel/random/boot_id", first, sizeof first) == 37);
	WANT(proc_read(0, "../sys/kernel/random/boot_id", second, sizeof second) == 37);
	WANT(strcmp(first, second) == 0);
	WANT(proc_read(0, "../sys/kernel/random/uuid", first, sizeof first) == 37);
	WANT(proc_read(0, "../sys/kernel/random/uuid", second, sizeof second) == 37);
	WANT(strcmp(first, second) != 0 && first[14] == '4');
	WANT(proc_read(0, "../sys/kernel/pid_max", text, sizeof text) > 0);
	WANT(atoi(text) >= getpid());
	WANT(proc_read(0, "../filesystems", text, sizeof text) > 0);
	WANT(strstr(text, "nodev\tproc\n"));
	WANT(proc_read(0, "../cpuinfo", text, sizeof text) > 0);
	WANT(strstr(text, "processor\t: 0\n") == text && strstr(text, "\nflags\t\t:"));
	WANT(proc_read(0, "mountinfo", text, sizeof text) > 0);
	WANT(strstr(text, " /proc ") && strstr(text, " - proc "));
}

static const struct test_case cases[] = {
	CASE(names_itself, "stat: ids and the name, whatever is in it"),
	CASE(stat_numbers, "stat: priority, limits, addresses"),
	CASE(time_is_counted, "stat: time used"),
	CASE(starts_in_order, "stat: start times"),
	CASE(states, "stat and status: running, sleeping, stopped, zombie"),
	CASE(status_ids, "status: ids, groups, umask, capabilities"),
	CASE(status_signals, "status: signal masks"),
	CASE(status_memory, "status: memory grows and shrinks, its peak stays"),
	CASE(statm_agrees, "statm says what status says"),
	CASE(threads_are_listed, "task: threads are listed, and tell of themselves"),
	CASE(thread_self, "self and thread-self"),
	CASE(comm_is_written, "comm: written by threads of the process alone"),
	CASE(fd_links, "fd: links lead to the files, deleted ones too"),
	CASE(pipe_is_opened_again, "fd: a pipe is opened again; links that are not followed"),
	CASE(fdinfo, "fdinfo: position, flags, mount, inode"),
	CASE(links_of_the_process, "cwd, root, exe"),
	CASE(offsets, "text is read from any offset"),
	CASE(limits_are_told, "limits"),
	CASE(strings, "cmdline and environ"),
	CASE(of_others, "another user may see little"),
	CASE(owners, "files are their user's, root's where not dumpable"),
	CASE(modes, "modes, and what cannot be made or removed"),
	CASE(syscall_is_told, "syscall: what a process sleeps in"),
	CASE(oom_score_adjust, "oom_score_adj: inherited, moves oom_score, lowered by root alone"),
	CASE(children_are_listed, "task/TID/children"),
	CASE(kernel_files, "files about the machine"),
	CASE(ends, "a process that is gone: ESRCH, ENOENT, end of file"),
	CASE(zombie, "a zombie has no memory and no files"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
