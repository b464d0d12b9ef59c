/* SPDX-License-Identifier: MIT */
/*
 * /proc/sys: what may be written, by whom, and what comes of it. It changes the machine that it runs on, and takes
 * away others' processes, so it is for a machine of its own: never the host. As root.
 */
#include <linux/sched.h>
#include <sys/klog.h>
#include <sys/resource.h>

#include "sysctl.h"

/* ---- Numbers and lines ---- */

static void one_number(void)
{
	static const struct {
		const char *text, *value; /* NULL: EINVAL */
		long taken;               /* 0: all */
	} tries[] = {{"7\n", "7", 0}, {"8", "8", 0}, {"  9 \n\n", "9", 0}, {"0x11", "17", 0},
		{"010", "8", 0}, {"08", NULL, 0}, {"11x", NULL, 0}, {"x", NULL, 0}, {"", "8", 0},
		{" \n", NULL, 0}, {"-3", NULL, 0}, {"- 3", NULL, 0}, {"+3", NULL, 0},
		{"12 13", "12", 3}, {"14\t\n15\n", "14", 4}, {"201", NULL, 0},
		{"00000000000000000000000000000000000000016", NULL, 0}, {"4294967297", NULL, 0},
		{"200", "200", 0}};
	char before[256];

	for (size_t i = 0; i < COUNT(tries); i++) {
		snprintf(before, sizeof before, "%s", get("vm/swappiness"));
		if (tries[i].value)
			WANT_IS(write_to("vm/swappiness", tries[i].text),
				tries[i].taken ? tries[i].taken : (long)strlen(tries[i].text));
		else
			WANT_IS(write_to("vm/swappiness", tries[i].text), -EINVAL);
		want_value("vm/swappiness", tries[i].value ? tries[i].value : before);
	}
	set("vm/swappiness", "60");
}

static void written_in_pieces(void)
{
	int fd = open(file_of("vm/swappiness"), O_RDWR);

	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_write, fd, "4\0", 2), -EINVAL);
	WANT_IS(kernel_call(SYS_write, fd, "4", 1), 1);
	WANT_IS(kernel_call(SYS_write, fd, "5", 1), 1); /* behind the start: taken, and ignored */
	want_value("vm/swappiness", "4");
	WANT_IS(kernel_call(SYS_pwrite64, fd, "6", 1, 0), 1);
	want_value("vm/swappiness", "6");
	WANT_IS(kernel_call(SYS_pwrite64, fd, BAD, 1, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_pwrite64, fd, "7", 0, 0), 0);
	WANT_IS(kernel_call(SYS_lseek, fd, 0, SEEK_SET), 0);
	WANT_IS(kernel_call(SYS_ftruncate, fd, 0), 0);
	want_value("vm/swappiness", "6");
	set("vm/swappiness", "60");
}

/* Several numbers: those that come are set, one by one. */
static void several_numbers(void)
{
	char before[256];

	snprintf(before, sizeof before, "%s", get("kernel/printk"));
	set("kernel/printk", "6 5 2 6\n");
	want_value("kernel/printk", "6\t5\t2\t6");
	set("kernel/printk", "5");
	want_value("kernel/printk", "5\t5\t2\t6");
	WANT_IS(write_to("kernel/printk", "4 4 x"), -EINVAL);
	want_value("kernel/printk", "4\t4\t2\t6");
	WANT_IS(klogctl(8, NULL, 7), 0); /* the console's level by syslog(2) */
	want_value("kernel/printk", "7\t4\t2\t6");
	set("kernel/printk", before);
}

static void lines(void)
{
	char text[300];
	int fd;

	set("kernel/core_pattern", "abc\ndef\n");
	want_value("kernel/core_pattern", "abc");
	fd = open(file_of("kernel/core_pattern"), O_WRONLY);
	WANT_IS(kernel_call(SYS_write, fd, "xyz", 3), 3);
	WANT_IS(kernel_call(SYS_write, fd, "12\n", 3), 3); /* goes on with the line */
	want_value("kernel/core_pattern", "xyz12");
	WANT_IS(kernel_call(SYS_pwrite64, fd, "!", 1, 1), 1);
	want_value("kernel/core_pattern", "x!");
	WANT_IS(kernel_call(SYS_pwrite64, fd, "?", 1, 3), 1); /* not behind its end */
	want_value("kernel/core_pattern", "x!");
	close(fd);
	memset(text, 'a', 299);
	text[299] = '\0';
	set("kernel/core_pattern", text); /* what is too long is cut */
	WANT_IS(strlen(get("kernel/core_pattern")), 127);
	set("kernel/core_pattern", "core");
}

static void ranges(void)
{
	static const struct {
		const char *name, *good[2], *bad[2];
	} tries[] = {{"kernel/dmesg_restrict", {"0", "1"}, {"-1", "2"}},
		{"kernel/kptr_restrict", {"0", "2"}, {"-1", "3"}},
		{"kernel/pid_max", {"301", "4194304"}, {"300", "4194305"}},
		{"kernel/threads-max", {"1000", "1073741823"}, {"0", "1073741824"}},
		{"kernel/overflowuid", {"0", "65535"}, {"-1", "65536"}},
		{"kernel/randomize_va_space", {"0", "2"}, {"a", "2147483648"}},
		{"kernel/sched_rt_period_us", {"1000000", "2000000"}, {"0", "-1"}},
		{"kernel/sched_rt_runtime_us", {"900000", "-1"}, {"-2", "1000001"}},
		{"vm/overcommit_memory", {"1", "0"}, {"-1", "3"}},
		{"vm/dirty_ratio", {"1", "100"}, {"101", "-1"}},
		{"vm/panic_on_oom", {"2", "0"}, {"-1", "3"}},
		{"vm/watermark_scale_factor", {"1", "3000"}, {"0", "3001"}},
		{"vm/max_map_count", {"1000", "2147483647"}, {"-1", "2147483648"}},
		{"fs/nr_open", {"64", "2147483584"}, {"63", "-1"}},
		{"fs/pipe-max-size", {"4096", "2147483648"}, {"2147483649", "-1"}},
		{"fs/protected_symlinks", {"0", "1"}, {"-1", "2"}},
		{"fs/protected_hardlinks", {"0", "1"}, {"-1", "2"}},
		{"fs/protected_fifos", {"1", "2"}, {"-1", "3"}},
		{"fs/protected_regular", {"1", "2"}, {"-1", "3"}},
		{"fs/suid_dumpable", {"1", "2"}, {"-1", "3"}}};
	char before[256];

	for (size_t i = 0; i < COUNT(tries); i++) {
		const char *name = tries[i].name;

		snprintf(before, sizeof before, "%s", get(name));
		for (int k = 0; k < 2; k++) {
			set(name, tries[i].good[k]);
			want_value(name, tries[i].good[k]);
		}
		for (int k = 0; k < 2; k++) {
			if (write_to(name, tries[i].bad[k]) != -EINVAL)
				dprintf(1, "# %s takes %s\n", name, tries[i].bad[k]);
			WANT_IS(write_to(name, tries[i].bad[k]), -EINVAL);
		}
		want_value(name, tries[i].good[1]);
		set(name, before);
	}
}

static void who_may(void)
{
	int fd = open(file_of("vm/swappiness"), O_RDWR);

	WANT(fd >= 0);
	WANT_IS(write_to("kernel/ostype", "x"), -EACCES);
	WANT_IS(write_to("kernel/random/uuid", "x"), -EACCES);
	WANT_IS(kernel_call(SYS_open, file_of("vm/drop_caches"), O_RDONLY), -EACCES);
	WANT_IS(write_to("vm/drop_caches", "3"), 1);
	WANT_IS(write_to("vm/drop_caches", "0"), -EINVAL);
	WANT_IS(write_to("vm/drop_caches", "5"), -EINVAL);
	WANT_IS(kernel_call(SYS_chmod, file_of("vm/swappiness"), 0666), -EPERM);
	WANT_IS(kernel_call(SYS_mkdir, file_of("vm/new"), 0700), -ENOENT);
	WANT_IS(kernel_call(SYS_open, file_of("vm/new"), O_CREAT | O_RDWR, 0600), -ENOENT);
	WANT(become_nobody());
	WANT_IS(write_to("vm/swappiness", "1"), -EACCES);
	WANT_IS(kernel_call(SYS_write, fd, "1", 1), -EPERM); /* root opened it */
	want_value("vm/swappiness", "60");
}

static void counts(void)
{
	long before[2], after[2];
	const char *text = get("fs/file-nr");

	WANT(sscanf(text, "%*d\t0\t%ld", before) == 1);
	set("fs/file-max", "123456");
	WANT(sscanf(get("fs/file-nr"), "%*d\t0\t%ld", after) == 1);
	WANT_IS(after[0], 123456);
	WANT_IS(write_to("fs/file-max", "-5"), -EINVAL);
	want_value("fs/file-max", "123456");
	WANT_IS(write_to("fs/file-max", "9223372036854775808"), -EINVAL);
	snprintf(path, sizeof path, "%ld", before[0]);
	set("fs/file-max", strdup(path));
	WANT(sscanf(get("fs/inode-nr"), "%ld\t%ld", &after[0], &after[1]) == 2 && after[0] > 20);
	WANT(sscanf(get("fs/inode-state"), "%ld\t%ld\t0\t0\t0\t0\t0", &after[0], &after[1]) == 2);
	WANT(sscanf(get("fs/dentry-state"), "%ld\t%ld\t45\t0", &after[0], &after[1]) == 2);
}

/* ---- Processes ---- */

static pid_t start_as(int number)
{
	pid_t wanted = number;
	struct clone_args args = {
		.exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&wanted, .set_tid_size = 1};
	long pid = kernel_call(SYS_clone3, &args, sizeof args);

	if (pid == 0)
		just_wait();
	return (pid_t)pid;
}

static void pid_max(void)
{
	int started = 0;
	pid_t pids[320];

	WANT_IS(start_as(39999), -EINVAL);
	set("kernel/pid_max", "40000");
	WANT_IS(start_as(40000), -EINVAL);
	WANT_IS(start_as(39999), 39999);
	set("kernel/pid_max", "310");
	WANT_IS(kill(39999, 0), 0); /* it keeps its number */
	end(39999);
	while (started < 320 && (pids[started] = fork()) >= 0) {
		if (!pids[started])
			just_wait();
		WANT(pids[started] < 310);
		started++;
	}
	WANT(started < 320 && errno == EAGAIN);
	for (int i = 0; i < started; i++)
		end(pids[i]);
	set("kernel/pid_max", "32768");
	WANT_IS(start_as(32767), 32767);
	end(32767);
}

static void threads_max(void)
{
	char before[256];
	pid_t pid;

	snprintf(before, sizeof before, "%s", get("kernel/threads-max"));
	set("kernel/threads-max", "1");
	pid = fork();
	if (!pid)
		_exit(0);
	WANT(pid < 0 && errno == EAGAIN);
	set("kernel/threads-max", before);
	pid = fork();
	if (!pid)
		_exit(0);
	WANT_ENDS(pid, 0);
}

static void nr_open(void)
{
	struct rlimit limit = {1000, 100001};

	set("fs/nr_open", "100000");
	WANT_IS(kernel_call(SYS_setrlimit, RLIMIT_NOFILE, &limit), -EPERM);
	limit.rlim_max = 100000;
	WANT_IS(kernel_call(SYS_setrlimit, RLIMIT_NOFILE, &limit), 0);
	set("fs/nr_open", "1048576");
	limit.rlim_max = 1048576;
	WANT_IS(kernel_call(SYS_setrlimit, RLIMIT_NOFILE, &limit), 0);
}

/* Where the stack and the heap of a new process are. */
static int role_places(int argc, char **argv)
{
	int out = argc > 0 ? atoi(argv[0]) : 1;
	unsigned long places[2] = {(unsigned long)&argc & ~0xfffful, (unsigned long)sbrk(0)};

	return write(out, places, sizeof places) != sizeof places;
}

static void places_of_new(unsigned long places[2])
{
	struct gate gate = make_gate();
	char number[12];

	snprintf(number, sizeof number, "%d", gate.out);
	WANT_IS(run_role("places", number), 0);
	WANT_IS(read(gate.in, places, 2 * sizeof *places), (long)(2 * sizeof *places));
}

static void random_places(void)
{
	unsigned long a[2], b[2];

	set("kernel/randomize_va_space", "0");
	places_of_new(a);
	places_of_new(b);
	WANT_IS(a[0], b[0]);
	WANT_IS(a[1], b[1]);
	set("kernel/randomize_va_space", "2");
	for (int tries = 0; tries < 8 && (a[0] == b[0] || a[1] == b[1]); tries++)
		places_of_new(b);
	WANT(a[0] != b[0] && a[1] != b[1]);
}

static void round_robin(void)
{
	struct sched_param parameter = {.sched_priority = 1};
	struct timespec slice;

	WANT_IS(kernel_call(SYS_sched_setscheduler, 0, SCHED_RR, &parameter), 0);
	set("kernel/sched_rr_timeslice_ms", "40");
	WANT_IS(kernel_call(SYS_sched_rr_get_interval, 0, &slice), 0);
	WANT_IS(slice.tv_nsec, 40000000);
	set("kernel/sched_rr_timeslice_ms", "0"); /* as at first */
	want_value("kernel/sched_rr_timeslice_ms", "100");
	WANT_IS(kernel_call(SYS_sched_rr_get_interval, 0, &slice), 0);
	WANT_IS(slice.tv_nsec, 100000000);
}

/* ---- Cores ---- */

static void die(void)
{
	struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};

	WANT_IS(setrlimit(RLIMIT_CORE, &limit), 0);
	abort();
}

/* A child that dumps: whether it left this file, whose owner is uid; it goes. */
static bool leaves(void (*act)(void), const char *format, uid_t uid)
{
	struct stat stat;
	pid_t pid = start(act);
	bool there;

	WANT_ENDS(pid, KILLED(SIGABRT));
	snprintf(path, sizeof path, format, (int)pid);
	there = !lstat(path, &stat);
	if (there)
		WANT(stat.st_uid == uid && S_ISREG(stat.st_mode) && stat.st_size > 4096);
	unlink(path);
	return there;
}

static void core_names(void)
{
	enter_directory("cores", 0755);
	WANT(leaves(die, "core", 0));
	set("kernel/core_pattern", "a.%p.%s.%u.%%.%q%e.b%");
	WANT_IS(prctl(PR_SET_NAME, "x/y"), 0);
	WANT(leaves(die, "a.%d.6.0.%%.x!y.b", 0));
	set("kernel/core_uses_pid", "1");
	set("kernel/core_pattern", "%h-%g");
	set("kernel/hostname", "host");
	WANT(leaves(die, "host-0.%d", 0));
	set("kernel/core_pattern", "c%p"); /* is there: not once more */
	WANT(leaves(die, "c%d", 0));
	set("kernel/core_uses_pid", "0");
	set("kernel/core_pattern", "core");
}

static void die_as_nobody(void)
{
	WANT(become_nobody());
	die();
}

static void want_dumpable_1(void)
{
	WANT(become_nobody());
	WANT_IS(prctl(PR_GET_DUMPABLE), atoi(get("fs/suid_dumpable")));
}

static void suid_dumpable(void)
{
	char pattern[128], here[100];

	enter_directory("dumpable", 0777);
	WANT(getcwd(here, sizeof here));
	for (int i = 0; i < 3; i++) {
		set("fs/suid_dumpable", i == 0 ? "0" : i == 1 ? "1" : "2");
		WANT_ENDS(start(want_dumpable_1), 0);
	}
	WANT(!leaves(die_as_nobody, "core", 0)); /* 2: by an absolute name alone */
	snprintf(pattern, sizeof pattern, "%s/c", here);
	set("kernel/core_pattern", pattern);
	WANT(leaves(die_as_nobody, pattern, 0)); /* root's */
	set("fs/suid_dumpable", "1");
	WANT(leaves(die_as_nobody, pattern, NOBODY));
	set("fs/suid_dumpable", "0");
	WANT(!leaves(die_as_nobody, pattern, 0));
	set("kernel/core_pattern", "core");
}

/* ---- Who may see the kernel ---- */

static bool log_is_readable(void)
{
	char text[64];

	return klogctl(3, text, sizeof text) >= 0;
}

static void read_as_nobody(void)
{
	WANT(become_nobody());
	WANT_IS(log_is_readable(), get("kernel/dmesg_restrict")[0] == '0');
	WANT(klogctl(5, NULL, 0) < 0 && errno == EPERM);
	WANT_IS(write_to("kernel/dmesg_restrict", "0"), -EACCES);
}

static void log_readers(void)
{
	set("kernel/dmesg_restrict", "0");
	WANT_ENDS(start(read_as_nobody), 0);
	set("kernel/dmesg_restrict", "1");
	WANT_ENDS(start(read_as_nobody), 0);
	WANT(log_is_readable());
}

static void addresses(void)
{
	char before[256];

	snprintf(before, sizeof before, "%s", get("kernel/kptr_restrict"));
	set("kernel/kptr_restrict", "1");
	WANT(strncmp(get("/proc/kallsyms"), "ffffffff", 8) == 0 ||
		strstr(get("/proc/kallsyms"), "A fixed_percpu_data"));
	set("kernel/kptr_restrict", "2");
	WANT(!strncmp(get("/proc/kallsyms"), "0000000000000000", 16));
	set("kernel/kptr_restrict", before);
}

static const struct test_case cases[] = {
	CASE(one_number, "sysctl: a number, and what is none"),
	CASE(written_in_pieces, "sysctl: writes behind the start"),
	CASE(several_numbers, "sysctl: several numbers"),
	CASE(lines, "sysctl: lines"),
	CASE(ranges, "sysctl: ranges"),
	CASE(who_may, "sysctl: what the mode refuses root may not either"),
	CASE(counts, "sysctl: files, inodes and names are counted"),
	CASE(pid_max, "kernel.pid_max: numbers are below it"),
	CASE(threads_max, "kernel.threads-max: no thread more"),
	CASE(nr_open, "fs.nr_open: no RLIMIT_NOFILE is above"),
	CASE(random_places, "kernel.randomize_va_space: places that differ, or do not"),
	CASE(round_robin, "kernel.sched_rr_timeslice_ms"),
	CASE(core_names, "kernel.core_pattern, core_uses_pid: what a core is called"),
	CASE(suid_dumpable, "fs.suid_dumpable: cores of who changed its user"),
	CASE(log_readers, "kernel.dmesg_restrict: who may read the log"),
	CASE(addresses, "kernel.kptr_restrict: 2 hides addresses from root"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
	run_cases(memory_cases, MEMORY_CASES, argc, argv);
	run_cases(file_cases, FILE_CASES, argc, argv);
	run_cases(ipc_cases, IPC_CASES, argc, argv);
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"places", role_places}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
