/* SPDX-License-Identifier: MIT */
/* The kernel's log for programs: syslog(2) and /dev/kmsg, as root. It clears the log, so it is run in machines of our own
 * alone, Debian's kernel among them (BATON_ON=linux python3 ci/system.py kernel_log). */
#include <sys/klog.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cases.h"

#define MARK "baton-kmsg-test"

static char text[1 << 20];

static int open_kmsg(int flags)
{
	return open("/dev/kmsg", flags | O_CLOEXEC);
}

/* Writes one line; its number is part of it, so that it is known again. */
static bool say(int number)
{
	int fd = open_kmsg(O_WRONLY);
	char line[64];
	int length = snprintf(line, sizeof(line), "<6>" MARK " %d\n", number);
	bool done = fd >= 0 && write(fd, line, (size_t)length) == length;

	if (fd >= 0)
		close(fd);
	return done;
}

/* Reads records until the marked one; its first fields. */
static bool find(int fd, int number, unsigned *priority, unsigned long long *sequence)
{
	char record[8192], wanted[64];
	ssize_t size;

	snprintf(wanted, sizeof(wanted), ";" MARK " %d\n", number);
	for (;;) {
		size = read(fd, record, sizeof(record) - 1);
		if (size < 0 && errno == EPIPE)
			continue;
		if (size <= 0)
			return false;
		record[size] = '\0';
		if (strstr(record, wanted))
			return sscanf(record, "%u,%llu,", priority, sequence) == 2;
	}
}

/* A read that has no room for a record loses it. The kernel may say something of its own in between: another try. */
static bool loses_record(int fd)
{
	char byte;

	for (int i = 0; i < 20; i++) {
		if (lseek(fd, 0, SEEK_END) || !say(3) || read(fd, &byte, 1) != -1 ||
			errno != EINVAL)
			return false;
		memset(text, 0, 200);
		if (say(8) && read(fd, text, sizeof(text)) > 0 && strstr(text, MARK " 8\n"))
			return true;
	}
	return false;
}

static void records(void)
{
	int fd = open_kmsg(O_RDONLY | O_NONBLOCK);
	unsigned long long first = 0, second = 0;
	unsigned priority = 0;

	WANT(fd >= 0 && lseek(fd, 0, SEEK_END) == 0);
	WANT(say(1) && say(2));
	WANT(find(fd, 1, &priority, &first) && (priority & 7) == 6);
	WANT(find(fd, 2, &priority, &second) && second > first);
	WANT(lseek(fd, 0, SEEK_SET) == 0 && find(fd, 1, &priority, &second) && second == first);
	WANT(loses_record(fd));
	WANT(lseek(fd, 1, SEEK_SET) == -1 && errno == ESPIPE);
	WANT(lseek(fd, 0, SEEK_CUR) == -1 && errno == EINVAL);
	close(fd);
}

/* A child writes while the parent waits. */
static void waiting(void)
{
	int fd = open_kmsg(O_RDONLY), status;
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	unsigned long long sequence;
	unsigned priority;
	pid_t child;

	WANT(lseek(fd, 0, SEEK_END) == 0);
	child = fork();
	if (!child) {
		usleep(100000);
		_exit(!say(4));
	}
	WANT(poll(&poll_fd, 1, 600000) == 1 && poll_fd.revents & POLLIN);
	WANT(find(fd, 4, &priority, &sequence));
	WANT(waitpid(child, &status, 0) == child && status == 0);
	child = fork();
	if (!child) {
		usleep(100000);
		_exit(!say(5));
	}
	WANT(find(fd, 5, &priority, &sequence));
	WANT(waitpid(child, &status, 0) == child && status == 0);
	close(fd);
}

static void limits(void)
{
	static char line[2000];
	int fd = open_kmsg(O_WRONLY);

	memset(line, 'x', sizeof(line));
	WANT(write(fd, line, sizeof(line)) == -1 && errno == EINVAL);
	WANT(write(fd, (void *)8, 10) == -1 && errno == EFAULT);
	WANT(read(fd, line, sizeof(line)) == -1 && errno == EBADF);
	close(fd);
}

static void by_call(void)
{
	int size = klogctl(10, NULL, 0), got;

	WANT(size >= 4096);
	WANT(say(6));
	got = klogctl(3, text, sizeof(text) - 1);
	WANT(got > 0);
	text[got > 0 ? got : 0] = '\0';
	WANT(strstr(text, MARK " 6\n") && text[0] == '<');
	got = klogctl(3, text, 200);
	WANT(got > 0 && got <= 200 && text[0] == '<' && text[got - 1] == '\n');
	WANT(klogctl(5, NULL, 0) == 0 && say(7));
	got = klogctl(3, text, sizeof(text) - 1);
	text[got > 0 ? got : 0] = '\0';
	WANT(!strstr(text, MARK " 6\n") && strstr(text, MARK " 7\n"));
	got = klogctl(4, text, sizeof(text) - 1);
	text[got > 0 ? got : 0] = '\0';
	WANT(strstr(text, MARK " 7\n"));
	got = klogctl(3, text, sizeof(text) - 1);
	text[got > 0 ? got : 0] = '\0';
	WANT(!strstr(text, MARK " 7\n"));
}

static void errors(void)
{
	int status;
	pid_t child;

	WANT(klogctl(11, NULL, 0) == -1 && errno == EINVAL);
	WANT(klogctl(-1, NULL, 0) == -1 && errno == EINVAL);
	WANT(klogctl(3, NULL, 10) == -1 && errno == EINVAL);
	WANT(klogctl(3, text, -1) == -1 && errno == EINVAL);
	WANT(klogctl(3, text, 0) == 0);
	WANT(say(9));
	WANT(klogctl(3, (char *)8, 4096) == -1 && errno == EFAULT);
	WANT(klogctl(8, NULL, 0) == -1 && errno == EINVAL);
	WANT(klogctl(8, NULL, 9) == -1 && errno == EINVAL);
	WANT(klogctl(0, NULL, 0) == 0 && klogctl(1, NULL, 0) == 0);
	child = fork();
	if (!child) {
		if (setuid(65534))
			_exit(2);
		_exit(klogctl(5, NULL, 0) == -1 && errno == EPERM ? 0 : 1);
	}
	WANT(waitpid(child, &status, 0) == child && status == 0);
}

static const struct test_case cases[] = {
	CASE(records, "/dev/kmsg: records, seeking, a buffer too small"),
	CASE(waiting, "/dev/kmsg: poll and read wait for a line"),
	CASE(limits, "/dev/kmsg: EINVAL, EFAULT, EBADF"),
	CASE(by_call, "syslog: read all, the last, clear, read and clear"),
	CASE(errors, "syslog: EINVAL, EFAULT, EPERM"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
