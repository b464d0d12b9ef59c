/* SPDX-License-Identifier: MIT */
/*
 * /proc: descriptors and links; text from any offset; whose files they are, and what others may see; what
 * becomes of them when the process ends; looking at a process does not change it.
 */
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/vfs.h>

#include "procfs.h"

#define PROC_MAGIC 0x9fa0

static char text[65536];

static void become_other(void)
{
	WANT_IS(kernel_call(SYS_setgroups, 0, NULL), 0);
	WANT_IS(kernel_call(SYS_setresgid, NOBODY, NOBODY, NOBODY), 0);
	WANT_IS(kernel_call(SYS_setresuid, NOBODY, NOBODY, NOBODY), 0);
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
	char link[4096], wanted[4096], gone[64];
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
	snprintf(gone, sizeof gone, "/tmp/procfs-gone-%d", (int)getpid());
	WANT_IS(mkdir(gone, 0700) | chdir(gone), 0);
	WANT_IS(rmdir(gone), 0);
	strcat(gone, " (deleted)");
	WANT(proc_link(0, "cwd", link, sizeof link) > 0);
	WANT(strcmp(link, gone) == 0);
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

/* Not dumpable, so all is root's: its own descriptors are open to it still, but not to a child. */
static void own_descriptors(void)
{
	int pipes[2];
	char path[64], thread_path[64], link[64];
	pid_t parent = getpid(), pid;

	if (geteuid())
		skip("needs root");
	become_other();
	WANT_IS(pipe(pipes), 0);
	snprintf(path, sizeof path, "fd/%d", pipes[1]);
	snprintf(thread_path, sizeof thread_path, "task/%d/fd/%d", parent, pipes[1]);
	WANT(proc_open(parent, "fd", O_RDONLY | O_DIRECTORY) >= 0);
	WANT(proc_open(parent, path, O_WRONLY) >= 0);
	WANT(proc_open(parent, thread_path, O_WRONLY) >= 0);
	WANT(proc_open(parent, "fdinfo/0", O_RDONLY) >= 0);
	WANT(proc_link(parent, path, link, sizeof link) > 0);
	WANT_IS(access("/proc/self/fd", R_OK | X_OK), 0);
	WANT_IS(proc_open(parent, "environ", O_RDONLY), -EACCES);
	pid = fork();
	if (!pid) {
		WANT(proc_open(getpid(), path, O_WRONLY) >= 0);
		WANT_IS(proc_open(parent, "fd", O_RDONLY), -EACCES);
		WANT_IS(proc_open(parent, path, O_WRONLY), -EACCES);
		WANT_IS(proc_link(parent, path, link, sizeof link), -EACCES);
		_exit(0);
	}
	WANT_ENDS(pid, 0);
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
	WANT_IS(kernel_call(SYS_chmod, "/proc/self", 0555), -EPERM);
	WANT_IS(kernel_call(SYS_chown, "/proc/self", 0, 0), -EPERM);
	WANT_IS(kernel_call(SYS_chown, "/proc/thread-self", 0, 0), -EPERM);
	WANT_IS(kernel_call(SYS_utimensat, AT_FDCWD, "/proc/self", NULL, 0), -EPERM);
	WANT_IS(kernel_call(SYS_access, "/proc/self", W_OK), -EPERM);
	WANT_IS(kernel_call(SYS_utimensat, AT_FDCWD, "/proc/self/status", NULL, 0), 0);
	WANT_IS(kernel_call(SYS_link, "/proc/self/net", "/new"), -EXDEV);
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

/* ---- Looking changes nothing ---- */

#define LOOKERS 2

static volatile struct {
	pid_t at; /* whom to look at */
	int looked;
} * looking;

/* Looks at descriptor 0 only: on Linux each look holds on to the file itself for a moment, so a look at a pipe's
 * end may be what closes it. */
static void look_for_ever(void)
{
	char link[256];

	for (;;) {
		pid_t pid = looking->at;

		if (!pid)
			continue;
		proc_link(pid, "fd/0", link, sizeof link);
		proc_link(pid, "fd/9", link, sizeof link);
		proc_read(pid, "fdinfo/0", text, sizeof text);
		proc_read(pid, "status", text, sizeof text);
		kernel_call(SYS_kcmp, getpid(), pid, 0 /* KCMP_FILE */, 0, 0);
		__atomic_add_fetch(&looking->looked, 1, __ATOMIC_RELAXED);
	}
}

static void begin_looking(pid_t lookers[LOOKERS])
{
	looking = shared_memory(4096);
	for (int i = 0; i < LOOKERS; i++)
		lookers[i] = start(look_for_ever);
}

static void end_looking(const pid_t lookers[LOOKERS])
{
	for (int i = 0; i < LOOKERS; i++) {
		kill(lookers[i], SIGKILL);
		WANT_ENDS(lookers[i], SIGKILL);
	}
}

static int make_file(char *name)
{
	int fd = mkstemp(name);

	WANT(fd >= 0);
	return fd;
}

static void exec_again(int times, int out)
{
	char count[16], fd[16];

	snprintf(count, sizeof count, "%d", times);
	snprintf(fd, sizeof fd, "%d", out);
	execl(check.self, check.self, "--role", "again", count, fd, NULL);
	_exit(9);
}

static int again(int argc, char **argv)
{
	if (argc < 2)
		return 1;
	alarm(CASE_SECONDS);
	if (atoi(argv[0]))
		exec_again(atoi(argv[0]) - 1, atoi(argv[1]));
	if (write(atoi(argv[1]), "x", 1) != 1)
		return 2;
	just_wait();
	return 0;
}

static void looked_at_in_exec(void)
{
	char name[] = "/tmp/procfs-XXXXXX";
	int fd = make_file(name);
	struct gate gate = make_gate();
	pid_t lookers[LOOKERS], pid;

	begin_looking(lookers);
	for (int i = 0; i < 8; i++) {
		struct flock lock = {.l_type = F_WRLCK};

		pid = fork();
		if (pid == 0) {
			WANT_IS(fcntl(fd, F_SETLK, &lock), 0);
			looking->at = getpid();
			exec_again(12, gate.out);
		}
		wait_gate(gate);
		WANT_IS(fcntl(fd, F_GETLK, &lock), 0);
		WANT_IS(lock.l_type, F_WRLCK);
		WANT_IS(lock.l_pid, pid);
		kill(pid, SIGKILL);
		WANT_ENDS(pid, SIGKILL);
	}
	end_looking(lookers);
	unlink(name);
}

static void looked_at_in_exit(void)
{
	char name[] = "/tmp/procfs-XXXXXX", c;
	int fd = make_file(name), pipes[2];
	pid_t lookers[LOOKERS], pid;

	begin_looking(lookers);
	for (int i = 0; i < 200; i++) {
		WANT_IS(pipe2(pipes, O_NONBLOCK), 0);
		pid = fork();
		if (pid == 0) {
			int seen = looking->looked;

			WANT_IS(flock(open(name, O_RDWR), LOCK_EX | LOCK_NB), 0);
			looking->at = getpid();
			while (looking->looked - seen < 4)
				sched_yield();
			_exit(0);
		}
		close(pipes[1]);
		WANT_ENDS(pid, 0);
		WANT_IS(kernel_call(SYS_read, pipes[0], &c, 1), 0);
		WANT_IS(kernel_call(SYS_flock, fd, LOCK_EX | LOCK_NB), 0);
		WANT_IS(flock(fd, LOCK_UN), 0);
		close(pipes[0]);
	}
	end_looking(lookers);
	unlink(name);
}

static const struct test_case cases[] = {
	CASE(fd_links, "fd: links lead to the files, deleted ones too"),
	CASE(pipe_is_opened_again, "fd: a pipe is opened again; links that are not followed"),
	CASE(fdinfo, "fdinfo: position, flags, mount, inode"),
	CASE(links_of_the_process, "cwd, root, exe"),
	CASE(offsets, "text is read from any offset"),
	CASE(limits_are_told, "limits"),
	CASE(strings, "cmdline and environ"),
	CASE(of_others, "another user may see little"),
	CASE(own_descriptors, "fd: its own are open to a process that has become another user"),
	CASE(owners, "files are their user's, root's where not dumpable"),
	CASE(modes, "modes, and what cannot be made or removed"),
	CASE(ends, "a process that is gone: ESRCH, ENOENT, end of file"),
	CASE(zombie, "a zombie has no memory and no files"),
	CASE(looked_at_in_exec, "a process that is looked at keeps its record locks in execve"),
	CASE(looked_at_in_exit, "a process that was looked at leaves nothing open"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

static const struct role roles[] = {{"again", again}};

int main(int argc, char **argv)
{
	return check_main(argc, argv, roles, COUNT(roles), all);
}
