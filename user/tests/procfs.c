/* SPDX-License-Identifier: MIT */
/*
 * /proc: what it says of processes and threads, field by field, and of the machine. procfs_files.c has what
 * is about files and permissions, procfs_memory.c what is about address spaces.
 */
#include <grp.h>
#include <sys/resource.h>
#include <sys/sysmacros.h>
#include <sys/times.h>
#include <sys/vfs.h>

#include "procfs.h"

#define CAP_SYS_RESOURCE_BIT 24

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

/* ---- Short files ---- */

static void become_other(void)
{
	WANT_IS(kernel_call(SYS_setgroups, 0, NULL), 0);
	WANT_IS(kernel_call(SYS_setresgid, NOBODY, NOBODY, NOBODY), 0);
	WANT_IS(kernel_call(SYS_setresuid, NOBODY, NOBODY, NOBODY), 0);
}

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
	guarded = mask_of("CapEff") >> CAP_SYS_RESOURCE_BIT & 1;
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
	CASE(syscall_is_told, "syscall: what a process sleeps in"),
	CASE(oom_score_adjust, "oom_score_adj: inherited, moves oom_score, lowered by root alone"),
	CASE(children_are_listed, "task/TID/children"),
	CASE(kernel_files, "files about the machine"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
