/* SPDX-License-Identifier: MIT */
/*
 * The kernel's own threads: process 2 and those below it are there, have names, take no signals and
 * cannot be traced; and the one that takes memory back from a process that is killed and does not get
 * to end. For a machine of 2 CPUs with little memory, of which the first process is the kernel's: not
 * for the host, but for Debian's kernel in the same machine. See ci/system.py.
 */
#include <dirent.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

#include "cases.h"

#define FIFO 1

static bool has_procfs(void)
{
	return access("/proc/1/stat", F_OK) == 0;
}

/* A line of /proc/PID/status behind its name; NULL: there is none. */
static const char *status_of(int pid, const char *field)
{
	static char line[256];
	char path[64];
	FILE *file;

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	file = fopen(path, "r");
	while (file && fgets(line, sizeof line, file)) {
		size_t length = strlen(field);

		if (strncmp(line, field, length) || line[length] != ':')
			continue;
		fclose(file);
		line[strcspn(line, "\n")] = '\0';
		return line + length + 2;
	}
	if (file)
		fclose(file);
	return NULL;
}

static void names(void)
{
	struct dirent *entry;
	const char *text;
	bool reaper = false;
	DIR *folder;

	if (!has_procfs())
		return;
	text = status_of(2, "Name");
	WANT(text && strcmp(text, "kthreadd") == 0);
	text = status_of(2, "PPid");
	WANT(text && atoi(text) == 0);
	folder = opendir("/proc");
	WANT(folder);
	while ((entry = readdir(folder))) {
		int pid = atoi(entry->d_name);

		text = pid ? status_of(pid, "Name") : NULL;
		if (!text || strcmp(text, "oom_reaper"))
			continue;
		text = status_of(pid, "PPid");
		reaper |= text && atoi(text) == 2;
	}
	closedir(folder);
	WANT(reaper);
}

static void signals(void)
{
	const int numbers[] = {SIGKILL, SIGTERM, SIGSTOP, SIGUSR1, SIGSEGV, SIGRTMIN};

	for (size_t i = 0; i < COUNT(numbers); i++)
		WANT_IS(kernel_call(SYS_kill, 2, numbers[i]), 0);
	WANT_IS(kernel_call(SYS_tgkill, 2, 2, SIGKILL), 0);
	sleep_ms(50);
	WANT_IS(kernel_call(SYS_kill, 2, 0), 0);
	WANT_IS(kernel_call(SYS_getpriority, PRIO_PROCESS, 2), 20);
	WANT_IS(kernel_call(SYS_wait4, 2, NULL, WNOHANG, NULL), -ECHILD);
}

/* They are in group and session 0, as process 1 is until it makes its own. */
static void groups(void)
{
	WANT_IS(kernel_call(SYS_getpgid, 2), 0);
	WANT_IS(kernel_call(SYS_getsid, 2), 0);
	WANT_IS(kernel_call(SYS_kill, -2, 0), -ESRCH);
	WANT_IS(kernel_call(SYS_setpgid, 2, 0), -ESRCH);
	WANT_IS(kernel_call(SYS_getpriority, PRIO_PGRP, 2), -ESRCH);
}

static void tracing(void)
{
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_ATTACH, 2, 0, 0), -EPERM);
	WANT_IS(kernel_call(SYS_ptrace, PTRACE_SEIZE, 2, 0, 0), -EPERM);
}

/* ---- Threads that belong to a CPU ---- */

#define AUDIT "/proc/baton/audit"

/* All CPUs come together: Baton's own. */
static void stop_all(void)
{
	int fd = open(AUDIT, O_WRONLY);

	if (fd < 0)
		return;
	WANT_IS(write(fd, "1", 1), 1);
	close(fd);
}

/* The one that CPU 1's others stand still by. */
static int bound_thread(void)
{
	struct dirent *entry;
	const char *text;
	int found = 0;
	DIR *folder = opendir("/proc");

	WANT(folder);
	while (!found && (entry = readdir(folder))) {
		text = atoi(entry->d_name) ? status_of(atoi(entry->d_name), "Name") : NULL;
		if (text && (!strcmp(text, "stopper/1") || !strcmp(text, "migration/1")))
			found = atoi(entry->d_name);
	}
	closedir(folder);
	return found;
}

/* Whoever asks. */
static void bound(void)
{
	unsigned long mask = 1;
	int priority = 0, thread;

	if (!has_procfs())
		return;
	stop_all();
	thread = bound_thread();
	WANT(thread);
	WANT_IS(kernel_call(SYS_sched_setaffinity, thread, sizeof(mask), &mask), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_setscheduler, thread, 0, &priority), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_getscheduler, thread), FIFO);
	WANT_IS(kernel_call(SYS_sched_getparam, thread, &priority), 0);
	WANT_IS(priority, 99);
	stop_all();
}

/* ---- A process that is killed for its memory and does not get to run ---- */

static void pin(unsigned long mask)
{
	WANT_IS(kernel_call(SYS_sched_setaffinity, 0, sizeof(mask), &mask), 0);
}

static unsigned long free_at_first;

static void take(unsigned long size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	WANT(p != MAP_FAILED);
	for (unsigned long at = 0; at < size; at += 4096)
		p[at] = 1;
}

static struct gate ready;

static void victim(void)
{
	pin(2);
	take(free_at_first / 100 * 60);
	open_gate(ready);
	for (;;)
		;
}

/* Nothing else runs on CPU 1. */
static void blocker(void)
{
	int priority = 10;

	pin(2);
	WANT_IS(kernel_call(SYS_sched_setscheduler, 0, FIFO, &priority), 0);
	open_gate(ready);
	for (;;)
		;
}

/* With all that a program can have. */
static void best_blocker(void)
{
	int priority = 99;

	pin(2);
	WANT_IS(kernel_call(SYS_sched_setscheduler, 0, FIFO, &priority), 0);
	open_gate(ready);
	for (;;)
		;
}

static void above_all(void)
{
	pid_t blocks;

	pin(1);
	ready = make_gate();
	blocks = start(best_blocker);
	wait_gate(ready);
	stop_all();
	kill(blocks, SIGKILL);
	WANT_ENDS(blocks, SIGKILL);
}

static void asker(void)
{
	pin(1);
	take(free_at_first / 100 * 55);
}

static void reaped(void)
{
	struct sysinfo info;
	pid_t killed, blocks;

	WANT_IS(sysinfo(&info), 0);
	free_at_first = info.freeram;
	WANT(free_at_first < 512ul << 20);
	pin(1);
	ready = make_gate();
	killed = start(victim);
	wait_gate(ready);
	blocks = start(blocker);
	wait_gate(ready);
	WANT_ENDS(start(asker), 0);
	kill(blocks, SIGKILL);
	WANT_ENDS(blocks, SIGKILL);
	WANT_ENDS(killed, SIGKILL);
}

static const struct test_case cases[] = {
	CASE(names, "kthreadd is process 2, and the parent of oom_reaper"),
	CASE(signals, "kill, tgkill: a kernel thread takes no signal"),
	CASE(groups, "getpgid, getsid: kernel threads have 0"),
	CASE(tracing, "ptrace: EPERM for a kernel thread"),
	CASE(bound, "a thread that belongs to a CPU: EINVAL for other CPUs and policies"),
	CASE(above_all, "it comes before a real-time process of the highest priority"),
	CASE(reaped, "out of memory: what a killed process has comes back though it cannot run"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
