/* SPDX-License-Identifier: MIT */
/* File locks: flock, and fcntl's records of processes and of open files. */
#include <sys/file.h>

#include "cases.h"

static char path[100];
static int fd;

static void open_file(void)
{
	snprintf(path, sizeof path, "%s/file-locks-%d",
		access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
	fd = open(path, O_CREAT | O_RDWR | O_TRUNC, 0644);
	WANT(fd >= 0);
	WANT_IS(ftruncate(fd, 1000), 0);
}

static int again(int flags)
{
	int other = open(path, flags);

	WANT(other >= 0);
	return other;
}

static long record(int of, int command, short type, long start, long length)
{
	struct flock lock = {.l_type = type, .l_start = start, .l_len = length};

	return kernel_call(SYS_fcntl, of, command, &lock);
}

static long set(short type, long start, long length)
{
	return record(fd, F_SETLK, type, start, length);
}

/* What another process sees of [start, start + length): the first lock that contradicts a write, as
 * text; "-": none. */
static const char *seen(long start, long length)
{
	static char *text;
	pid_t pid;

	if (!text)
		text = shared_memory(4096);
	pid = fork();
	if (pid == 0) {
		struct flock lock = {.l_type = F_WRLCK, .l_start = start, .l_len = length};

		WANT_IS(fcntl(fd, F_GETLK, &lock), 0);
		if (lock.l_type == F_UNLCK)
			strcpy(text, "-");
		else
			snprintf(text, 4096, "%c %ld+%ld %s", lock.l_type == F_RDLCK ? 'r' : 'w',
				(long)lock.l_start, (long)lock.l_len,
				lock.l_pid == getppid() ? "parent"
				: lock.l_pid == -1      ? "file"
							: "other");
		_exit(0);
	}
	WANT_ENDS(pid, 0);
	return text;
}
#define SEEN(start, length, text) WANT(strcmp(seen(start, length), text) == 0)

/* ---- flock ---- */

static void flocks(void)
{
	int other, copy;

	open_file();
	other = again(O_RDONLY);
	WANT_IS(kernel_call(SYS_flock, fd, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_flock, fd, LOCK_SH | LOCK_EX), -EINVAL);
	WANT_IS(kernel_call(SYS_flock, 99, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_flock, 99, LOCK_SH), -EBADF);
	WANT_IS(flock(fd, LOCK_SH), 0);
	WANT_IS(flock(other, LOCK_SH | LOCK_NB), 0);
	WANT_IS(kernel_call(SYS_flock, other, LOCK_EX | LOCK_NB), -EAGAIN);
	/* The failed conversion has cost the shared one. */
	WANT_IS(flock(fd, LOCK_EX | LOCK_NB), 0);
	WANT_IS(flock(fd, LOCK_EX), 0);
	WANT_IS(kernel_call(SYS_flock, other, LOCK_SH | LOCK_NB), -EAGAIN);
	copy = dup(fd); /* the same open file */
	WANT_IS(flock(copy, LOCK_SH), 0);
	WANT_IS(flock(other, LOCK_SH | LOCK_NB), 0);
	WANT_IS(flock(other, LOCK_UN), 0);
	WANT_IS(flock(copy, LOCK_EX), 0);
	close(fd);
	WANT_IS(kernel_call(SYS_flock, other, LOCK_SH | LOCK_NB), -EAGAIN);
	close(copy); /* the last one */
	WANT_IS(flock(other, LOCK_EX | LOCK_NB), 0);
	unlink(path);
}

static void flock_of_a_child(void)
{
	int other;
	pid_t pid;

	open_file();
	WANT_IS(flock(fd, LOCK_EX), 0);
	pid = fork();
	if (pid == 0) {
		other = again(O_RDWR);
		WANT_IS(flock(fd, LOCK_EX | LOCK_NB), 0); /* shared with the parent */
		WANT_IS(kernel_call(SYS_flock, other, LOCK_SH | LOCK_NB), -EAGAIN);
		WANT_IS(flock(fd, LOCK_UN), 0);
		WANT_IS(flock(other, LOCK_EX | LOCK_NB), 0);
		_exit(0);
	}
	WANT_ENDS(pid, 0);
	WANT_IS(flock(fd, LOCK_SH | LOCK_NB), 0); /* the child's went with it */
	/* Records and flock know nothing of each other. */
	WANT_IS(set(F_WRLCK, 0, 0), 0);
	WANT_IS(flock(fd, LOCK_EX | LOCK_NB), 0);
	unlink(path);
}

static struct gate gate;

static void flock_waits(void)
{
	int other, status;
	pid_t pid;

	open_file();
	gate = make_gate();
	WANT_IS(flock(fd, LOCK_EX), 0);
	pid = fork();
	if (pid == 0) {
		close(fd);
		other = again(O_RDWR);
		open_gate(gate);
		WANT_IS(flock(other, LOCK_SH), 0);
		_exit(5);
	}
	wait_gate(gate);
	sleep_ms(30);
	WANT_IS(waitpid(pid, &status, WNOHANG), 0);
	close(fd);
	WANT_ENDS(pid, 5 << 8);
	unlink(path);
}

static volatile sig_atomic_t handled;

static void on_signal(int number)
{
	handled++;
}

static void flock_interrupted(void)
{
	int other;

	open_file();
	other = again(O_RDWR);
	WANT_IS(flock(fd, LOCK_EX), 0);
	handle(SIGALRM, on_signal, 0);
	tick(20000);
	WANT_IS(kernel_call(SYS_flock, other, LOCK_EX), -EINTR);
	tick(0);
	WANT(handled > 0);
	unlink(path);
}

/* ---- Records ---- */

static void record_errors(void)
{
	struct flock lock = {.l_type = F_WRLCK};
	int reader, writer, named;

	open_file();
	reader = again(O_RDONLY);
	writer = again(O_WRONLY);
	named = again(O_PATH);
	WANT_IS(record(reader, F_SETLK, F_WRLCK, 0, 1), -EBADF);
	WANT_IS(record(writer, F_SETLK, F_RDLCK, 0, 1), -EBADF);
	WANT_IS(record(named, F_SETLK, F_RDLCK, 0, 1), -EBADF);
	WANT_IS(record(99, F_SETLK, F_RDLCK, 0, 1), -EBADF);
	WANT_IS(record(reader, F_GETLK, F_WRLCK, 0, 1), 0);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_SETLK, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_GETLK, BAD), -EFAULT);
	WANT_IS(set(3, 0, 1), -EINVAL);
	WANT_IS(set(F_WRLCK, -1, 1), -EINVAL);
	WANT_IS(set(F_WRLCK, 10, -11), -EINVAL);
	WANT_IS(set(F_WRLCK, LONG_MAX, 2), -EOVERFLOW);
	WANT_IS(set(F_WRLCK, LONG_MAX, 1), 0);
	WANT_IS(record(fd, F_GETLK, F_UNLCK, 0, 1), -EINVAL);
	lock.l_whence = 3;
	WANT_IS(kernel_call(SYS_fcntl, fd, F_SETLK, &lock), -EINVAL);
	lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = LONG_MAX};
	WANT_IS(kernel_call(SYS_fcntl, fd, F_SETLK, &lock), -EOVERFLOW);
	unlink(path);
}

static void record_ranges(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = -10, .l_len = 5};

	open_file();
	WANT_IS(set(F_WRLCK, 100, 100), 0);
	SEEN(0, 0, "w 100+100 parent");
	SEEN(0, 100, "-");
	SEEN(199, 1, "w 100+100 parent");
	SEEN(200, 0, "-");
	WANT_IS(set(F_WRLCK, 200, 50), 0); /* beside it: one */
	SEEN(0, 0, "w 100+150 parent");
	WANT_IS(set(F_RDLCK, 150, 10), 0); /* in the middle: three */
	SEEN(0, 0, "w 100+50 parent");
	SEEN(150, 1, "r 150+10 parent");
	SEEN(160, 0, "w 160+90 parent");
	WANT_IS(set(F_UNLCK, 120, 60), 0);
	SEEN(0, 0, "w 100+20 parent");
	SEEN(120, 0, "w 180+70 parent");
	SEEN(120, 60, "-");
	WANT_IS(set(F_RDLCK, 0, 0), 0); /* over all */
	SEEN(500, 1, "r 0+0 parent");
	WANT_IS(set(F_UNLCK, 10, 0), 0);
	SEEN(0, 0, "r 0+10 parent");
	WANT_IS(set(F_WRLCK, 20, -10), 0); /* backwards: 10 to 19 */
	SEEN(10, 0, "w 10+10 parent");
	WANT_IS(set(F_UNLCK, 0, 0), 0);
	SEEN(0, 0, "-");
	WANT_IS(fcntl(fd, F_SETLK, &lock), 0);
	SEEN(0, 0, "w 990+5 parent");
	WANT_IS(lseek(fd, 500, SEEK_SET), 500);
	lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = -5, .l_len = 1};
	WANT_IS(fcntl(fd, F_SETLK, &lock), 0);
	SEEN(0, 0, "w 495+1 parent");
	unlink(path);
}

static void records_of_two(void)
{
	pid_t pid;

	open_file();
	WANT_IS(set(F_RDLCK, 0, 10), 0);
	pid = fork();
	if (pid == 0) {
		WANT_IS(set(F_RDLCK, 5, 10), 0);
		WANT_IS(set(F_WRLCK, 9, 1), -EAGAIN);
		WANT_IS(set(F_WRLCK, 10, 5), 0);
		WANT_IS(set(F_UNLCK, 0, 5), 0);
		_exit(0);
	}
	WANT_ENDS(pid, 0);
	WANT_IS(set(F_WRLCK, 0, 0), 0); /* the child's are gone */
	unlink(path);
}

static void gone_with_any_descriptor(void)
{
	int other;

	open_file();
	other = again(O_RDONLY);
	WANT_IS(set(F_WRLCK, 0, 10), 0);
	SEEN(0, 0, "w 0+10 parent");
	close(other);
	SEEN(0, 0, "-");
	other = again(O_RDONLY);
	WANT_IS(set(F_WRLCK, 0, 10), 0);
	WANT_IS(dup2(0, other), other); /* closes it */
	SEEN(0, 0, "-");
	close(again(O_PATH));
	WANT_IS(set(F_WRLCK, 0, 10), 0);
	close(again(O_PATH)); /* is no open file */
	SEEN(0, 0, "w 0+10 parent");
	other = again(O_RDONLY);
	WANT_IS(kernel_call(SYS_close_range, other, other, 0), 0);
	SEEN(0, 0, "-");
	unlink(path);
}

static void record_waits(void)
{
	int status;
	pid_t pid;

	open_file();
	gate = make_gate();
	WANT_IS(set(F_WRLCK, 0, 10), 0);
	pid = fork();
	if (pid == 0) {
		open_gate(gate);
		WANT_IS(record(fd, F_SETLKW, F_WRLCK, 5, 10), 0);
		_exit(5);
	}
	wait_gate(gate);
	sleep_ms(30);
	WANT_IS(set(F_UNLCK, 0, 5), 0); /* not enough */
	sleep_ms(30);
	WANT_IS(waitpid(pid, &status, WNOHANG), 0);
	WANT_IS(set(F_UNLCK, 5, 5), 0);
	WANT_ENDS(pid, 5 << 8);
	unlink(path);
}

static void deadlock(void)
{
	pid_t pid;
	int status;

	open_file();
	gate = make_gate();
	WANT_IS(set(F_WRLCK, 0, 1), 0);
	pid = fork();
	if (pid == 0) {
		WANT_IS(set(F_WRLCK, 1, 1), 0);
		open_gate(gate);
		WANT_IS(record(fd, F_SETLKW, F_WRLCK, 0, 1), 0);
		_exit(5);
	}
	wait_gate(gate);
	until_asleep(pid);
	WANT_IS(waitpid(pid, &status, WNOHANG), 0);
	WANT_IS(record(fd, F_SETLKW, F_WRLCK, 1, 1), -EDEADLK);
	WANT_IS(set(F_UNLCK, 0, 1), 0);
	WANT_ENDS(pid, 5 << 8);
	unlink(path);
}

static void record_interrupted(void)
{
	pid_t pid;

	open_file();
	gate = make_gate();
	pid = fork();
	if (pid == 0) {
		WANT_IS(set(F_WRLCK, 0, 1), 0);
		open_gate(gate);
		just_wait();
	}
	wait_gate(gate);
	handle(SIGALRM, on_signal, 0);
	tick(20000);
	WANT_IS(record(fd, F_SETLKW, F_WRLCK, 0, 1), -EINTR);
	tick(0);
	WANT_IS(kill(pid, SIGKILL), 0); /* and the dead have no locks */
	WANT_IS(record(fd, F_SETLKW, F_WRLCK, 0, 1), 0);
	unlink(path);
}

static void kept_by_exec(void)
{
	open_file();
	fcntl(fd, F_SETFD, 0);
	WANT_IS(set(F_WRLCK, 0, 10), 0);
	{
		char text[20];

		snprintf(text, sizeof text, "%d", fd);
		execl(check.self, check.self, "--role", "see", text, path, NULL);
	}
	_exit(9);
}

static int see_after_exec(int argc, char **argv)
{
	if (argc < 2)
		return 1;
	fd = atoi(argv[0]);
	SEEN(0, 0, "w 0+10 parent");
	unlink(argv[1]);
	return 0;
}

/* ---- Of open files ---- */

static void open_file_records(void)
{
	struct flock lock = {.l_type = F_WRLCK, .l_len = 10, .l_pid = 1};
	int other, copy;

	open_file();
	other = again(O_RDWR);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_OFD_SETLK, &lock), -EINVAL);
	WANT_IS(kernel_call(SYS_fcntl, fd, F_OFD_GETLK, &lock), -EINVAL);
	WANT_IS(record(fd, F_OFD_SETLK, F_WRLCK, 0, 10), 0);
	SEEN(0, 0, "w 0+10 file");
	WANT_IS(record(other, F_OFD_SETLK, F_RDLCK, 0, 10), -EAGAIN);
	WANT_IS(record(fd, F_SETLK, F_RDLCK, 0, 10), -EAGAIN); /* the process is another owner */
	lock.l_pid = 0;
	WANT_IS(fcntl(other, F_OFD_GETLK, &lock), 0);
	WANT_IS(lock.l_pid, -1);
	WANT_IS(lock.l_type, F_WRLCK);
	close(again(O_RDONLY)); /* is no matter for them */
	copy = dup(fd);
	close(fd);
	WANT_IS(record(other, F_OFD_SETLK, F_RDLCK, 0, 10), -EAGAIN);
	close(copy);
	WANT_IS(record(other, F_OFD_SETLKW, F_WRLCK, 0, 10), 0);
	unlink(path);
}

static const struct test_case cases[] = {
	CASE(flocks, "flock: shared, exclusive, conversion, the last close"),
	CASE(flock_of_a_child, "flock: shared with a child; no record"),
	CASE(flock_waits, "flock: waits"),
	CASE(flock_interrupted, "flock: EINTR"),
	CASE(record_errors, "fcntl locks: errors"),
	CASE(record_ranges, "fcntl locks: ranges are split and joined"),
	CASE(records_of_two, "fcntl locks: two processes"),
	CASE(gone_with_any_descriptor, "fcntl locks: gone with any descriptor of the file"),
	CASE(record_waits, "F_SETLKW: waits"),
	CASE(deadlock, "F_SETLKW: EDEADLK"),
	CASE(record_interrupted, "F_SETLKW: EINTR; a dead process's locks"),
	CASE(kept_by_exec, "fcntl locks: kept by execve"),
	CASE(open_file_records, "F_OFD_SETLK"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

static const struct role roles[] = {{"see", see_after_exec}};

int main(int argc, char **argv)
{
	return check_main(argc, argv, roles, COUNT(roles), all);
}
