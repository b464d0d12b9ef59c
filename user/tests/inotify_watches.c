/* SPDX-License-Identifier: MIT */
/* inotify (man 7 inotify): watches and their flags; the queue, its limits; waiting. As root. */
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "inotify.h"

#define LIMITS "/proc/sys/fs/inotify/"

/* ---- Watches ---- */

static void masks(void)
{
	begin();
	make("f");
	WANT_IS(watch("f", IN_OPEN), 1);
	WANT_IS(watch("f", IN_CLOSE), 1); /* instead */
	close(open_file("f", O_RDONLY));
	EVENTS("CLOSE_NOWRITE");
	WANT_IS(watch("f", IN_OPEN | IN_MASK_ADD), 1);
	close(open_file("f", O_RDONLY));
	EVENTS("OPEN | CLOSE_NOWRITE");
	WANT_IS(watch("f", IN_OPEN | IN_MASK_CREATE), -EEXIST);
	WANT_IS(watch("f", IN_OPEN | IN_MASK_CREATE | IN_MASK_ADD), -EINVAL);
	WANT_IS(watch("a", IN_OPEN | IN_MASK_CREATE), 2);
	WANT_IS(kernel_call(SYS_inotify_rm_watch, in, 1), 0);
	EVENTS("IGNORED");
	WANT_IS(kernel_call(SYS_inotify_rm_watch, in, 1), -EINVAL);
	WANT_IS(watch("f", IN_ATTRIB), 3); /* numbers are not used anew */
	close(open_file("f", O_RDONLY));
	EVENTS("");
	end();
}

static void once(void)
{
	begin();
	make("f");
	WANT_IS(watch("f", IN_OPEN | IN_ONESHOT), 1);
	close(open_file("f", O_RDONLY));
	close(open_file("f", O_RDONLY));
	EVENTS("OPEN | IGNORED");
	WANT_IS(kernel_call(SYS_inotify_rm_watch, in, 1), -EINVAL);
	WANT_IS(watch("f", IN_OPEN), 2);
	end();
}

static void refused(void)
{
	int fd, pipes[2];

	begin();
	make("f");
	WANT_IS(symlink("f", "l"), 0);
	WANT_IS(symlink("nowhere", "dangling"), 0);
	WANT_IS(kernel_call(SYS_inotify_init1, 1), -EINVAL);
	WANT_IS(watch("f", 0), -EINVAL);
	WANT_IS(watch("f", 0x00400000), -EINVAL);
	WANT_IS(watch("f", IN_ONLYDIR | IN_OPEN), -ENOTDIR);
	WANT_IS(watch("nothing", IN_OPEN), -ENOENT);
	WANT_IS(watch("", IN_OPEN), -ENOENT);
	WANT_IS(watch("dangling", IN_OPEN), -ENOENT);
	WANT_IS(watch(BAD, IN_OPEN), -EFAULT);
	WANT_IS(watch_of(-1, "f", IN_OPEN), -EBADF);
	WANT_IS(watch_of(-1, "f", 0), -EINVAL);
	fd = open_file("f", O_RDONLY);
	WANT_IS(watch_of(fd, "f", IN_OPEN), -EINVAL);
	WANT_IS(kernel_call(SYS_inotify_rm_watch, fd, 1), -EINVAL);
	WANT_IS(kernel_call(SYS_inotify_rm_watch, -1, 1), -EBADF);
	WANT_IS(kernel_call(SYS_inotify_rm_watch, in, -1), -EINVAL);
	WANT_IS(watch("l", IN_OPEN), 1);
	WANT_IS(watch("f", IN_OPEN), 1);
	WANT_IS(watch("l", IN_OPEN | IN_DONT_FOLLOW), 2);
	WANT_IS(watch("a", IN_OPEN | IN_ONLYDIR), 3);
	WANT_IS(watch("f", IN_ONESHOT), 1); /* no events, but a bit that is known */
	WANT_IS(kernel_call(SYS_write, in, "x", 1), -EBADF);
	WANT_IS(kernel_call(SYS_ioctl, in, TCGETS, 0), -ENOTTY);
	WANT_IS(pipe(pipes), 0);
	close(fd);
	WANT_IS(chmod("f", 0200), 0);
	WANT_IS(chmod(".", 0755), 0);
	WANT_IS(setresuid(1000, 1000, 0), 0);
	WANT_IS(watch("f", IN_OPEN), -EACCES); /* who watches must be allowed to read */
	WANT_IS(setresuid(0, 0, 0), 0);
	end();
}

/* Who watches a file does not keep its file system from going. */
static void unmounting(void)
{
	begin();
	WANT_IS(mount("other", "a", "tmpfs", 0, NULL), 0);
	make("a/f");
	WANT_IS(watch("a/f", IN_OPEN), 1);
	WANT_IS(umount("a"), 0);
	EVENTS("UNMOUNT | IGNORED");
	WANT_IS(kernel_call(SYS_inotify_rm_watch, in, 1), -EINVAL);
	end();
}

static void root_of_unmounted(void)
{
	begin();
	WANT_IS(mount("other", "a", "tmpfs", 0, NULL), 0);
	WANT_IS(watch("a", IN_OPEN), 1);
	WANT_IS(watch("b", IN_OPEN), 2);
	WANT_IS(umount("a"), 0);
	EVENTS("UNMOUNT,ISDIR | IGNORED");
	close(open_file("b", O_RDONLY));
	EVENTS("2:OPEN,ISDIR");
	end();
}

/* ---- The queue ---- */

static void equal_events(void)
{
	char c;
	int fd, queued;

	begin();
	make("f");
	WANT_IS(truncate("f", 100), 0);
	WANT_IS(watch(".", IN_ALL_EVENTS), 1);
	WANT_IS(watch("f", IN_ALL_EVENTS), 2);
	fd = open_file("f", O_RDWR);
	events_of(in);
	for (int i = 0; i < 10; i++) {
		WANT_IS(kernel_call(SYS_read, fd, &c, 1), 1);
		WANT_IS(kernel_call(SYS_write, fd, "x", 1), 1);
	}
	WANT_IS(ioctl(in, FIONREAD, &queued), 0);
	WANT_IS(queued, 10 * (32 + 16 + 32 + 16)); /* never two alike in a row */
	events_of(in);
	WANT_IS(kernel_call(SYS_inotify_rm_watch, in, 2), 0);
	EVENTS("2:IGNORED");
	for (int i = 0; i < 10; i++)
		WANT_IS(kernel_call(SYS_read, fd, &c, 1), 1);
	WANT_IS(ioctl(in, FIONREAD, &queued), 0);
	WANT_IS(queued, 32);
	EVENTS("ACCESS f");
	WANT_IS(ioctl(in, FIONREAD, &queued), 0);
	WANT_IS(queued, 0);
	close(fd);
	end();
}

static void small_buffers(void)
{
	char buffer[64];

	begin();
	WANT_IS(watch("a", IN_CREATE), 1);
	WANT_IS(kernel_call(SYS_read, in, buffer, 0), -EAGAIN);
	make("a/f");
	make("a/a-name-of-sixteen");
	WANT_IS(kernel_call(SYS_read, in, buffer, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_read, in, buffer, 31), -EINVAL);
	WANT_IS(kernel_call(SYS_read, in, buffer, 64), 32); /* the next one does not fit */
	WANT_IS(kernel_call(SYS_read, in, buffer, 64), 48);
	make("a/g");
	WANT_IS(kernel_call(SYS_read, in, BAD, 64), -EFAULT);
	end();
}

static long read_limit(const char *name)
{
	char path[100], text[32] = "";
	int fd;

	snprintf(path, sizeof path, LIMITS "%s", name);
	fd = open_file(path, O_RDONLY);
	WANT(read(fd, text, sizeof text - 1) > 0);
	close(fd);
	return atol(text);
}

static void write_limit(const char *name, long value)
{
	char path[100], text[32];
	int fd, length = sprintf(text, "%ld\n", value);

	snprintf(path, sizeof path, LIMITS "%s", name);
	fd = open_file(path, O_WRONLY);
	WANT_IS(write(fd, text, (size_t)length), length);
	close(fd);
	WANT_IS(read_limit(name), value);
}

/* A container may not; nothing is to be seen there then. */
static bool limits_are_writable(void)
{
	return access(LIMITS "max_user_watches", W_OK) == 0;
}

static void overflow(void)
{
	long most = read_limit("max_queued_events");
	int small;

	WANT(most >= 16384);
	if (!limits_are_writable())
		return;
	begin();
	write_limit("max_queued_events", 3);
	small = make_instance(IN_NONBLOCK);
	write_limit("max_queued_events", most);
	WANT_IS(watch_of(small, ".", IN_CREATE | IN_DELETE), 1);
	for (const char *name = "0\0001\0002\0003\0004\0005\0"; *name; name += 2)
		make(name);
	EVENTS_OF(small, "CREATE 0 | CREATE 1 | CREATE 2 | -1:Q_OVERFLOW");
	WANT_IS(unlink("0"), 0);
	EVENTS_OF(small, "DELETE 0");
	close(small);
	end();
}

static void many_instances(void)
{
	long most = read_limit("max_user_instances");
	int fds[5], count = 0;

	WANT(most >= 128);
	become_lone();
	/* As many as a user may have: all that this one has are here. */
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){(rlim_t)most + 20, (rlim_t)most + 20});
	while ((fds[0] = make_instance(0)) >= 0)
		count++;
	WANT_IS(fds[0], -EMFILE);
	WANT(count <= most);
	close(3);
	WANT(make_instance(0) >= 0);
}

static void watch_too_many(void)
{
	begin();
	write_limit("max_user_watches", 3);
	for (const char *name = "0\0001\0002\0003\0"; *name; name += 2) {
		make(name);
		WANT_IS(watch(name, IN_OPEN), *name == '3' ? -ENOSPC : *name - '0' + 1);
	}
	WANT_IS(watch("0", IN_CLOSE), 1); /* one that is there */
	WANT_IS(kernel_call(SYS_inotify_rm_watch, in, 2), 0);
	WANT_IS(watch("3", IN_OPEN), 5); /* the refused one had a number */
	end();
}

static void many_watches(void)
{
	long most = read_limit("max_user_watches");
	int status;

	WANT(most >= 8192 && most <= 1048576);
	if (!limits_are_writable())
		return;
	status = ended(start(watch_too_many));
	write_limit("max_user_watches", most);
	WANT_IS(status, 0);
}

/* ---- Waiting ---- */

static void make_later(void)
{
	sleep_ms(100);
	make("a/f");
}

static void waiting(void)
{
	struct pollfd polled;
	char buffer[64];
	int blocking;
	pid_t pid;

	begin();
	blocking = make_instance(IN_CLOEXEC);
	WANT_IS(fcntl(blocking, F_GETFD), FD_CLOEXEC);
	WANT_IS(fcntl(in, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	WANT_IS(watch_of(blocking, "a", IN_CREATE), 1);
	polled = (struct pollfd){blocking, POLLIN | POLLOUT, 0};
	WANT_IS(poll(&polled, 1, 0), 0);
	pid = start(make_later);
	WANT_IS(kernel_call(SYS_read, blocking, buffer, 64), 32);
	WANT_ENDS(pid, 0);
	WANT_IS(unlink("a/f"), 0);
	pid = start(make_later);
	WANT_IS(poll(&polled, 1, -1), 1);
	WANT_IS(polled.revents, POLLIN);
	WANT_ENDS(pid, 0);
	WANT_IS(kernel_call(SYS_read, blocking, buffer, 64), 32);
	close(blocking);
	end();
}

static void by_epoll(void)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = 7};
	int epoll = epoll_create1(0);
	pid_t pid;

	begin();
	WANT_IS(watch("a", IN_CREATE), 1);
	WANT_IS(epoll_ctl(epoll, EPOLL_CTL_ADD, in, &event), 0);
	WANT_IS(epoll_wait(epoll, &event, 1, 0), 0);
	pid = start(make_later);
	WANT_IS(epoll_wait(epoll, &event, 1, -1), 1);
	WANT_IS(event.data.u32, 7);
	WANT_IS(event.events, EPOLLIN);
	WANT_IS(epoll_wait(epoll, &event, 1, 0), 0);
	WANT_ENDS(pid, 0);
	EVENTS("CREATE f");
	close(epoll);
	end();
}

static void on_alarm(int number)
{
	(void)number;
}

static void interrupted(void)
{
	char buffer[64];
	int blocking = make_instance(0);

	WANT(blocking >= 0);
	handle(SIGALRM, on_alarm, 0);
	tick(20000);
	WANT_IS(kernel_call(SYS_read, blocking, buffer, 64), -EINTR);
	tick(0);
}

static void described(void)
{
	char path[64], text[512] = "", expected[64];
	struct stat stat;
	int fd;

	begin();
	make("f");
	WANT_IS(lstat("f", &stat), 0);
	WANT_IS(watch("f", IN_OPEN | IN_CLOSE_WRITE), 1);
	snprintf(path, sizeof path, "/proc/self/fdinfo/%d", in);
	fd = open_file(path, O_RDONLY);
	WANT(read(fd, text, sizeof text - 1) > 0);
	snprintf(expected, sizeof expected, "inotify wd:1 ino:%lx sdev:", (long)stat.st_ino);
	WANT(strstr(text, expected));
	WANT(strstr(text, " mask:28 ignored_mask:0"));
	close(fd);
	snprintf(path, sizeof path, "/proc/self/fd/%d", in);
	memset(text, 0, sizeof text);
	WANT(readlink(path, text, sizeof text) > 0);
	WANT(!strcmp(text, "anon_inode:inotify"));
	end();
}

/* Many files are made and removed by several while others come and go that watch them: nothing is lost
 * of what one watch asked for from beginning to end. */
#define CHURNERS 4
#define CHURNS   150

static void churn(void)
{
	char name[32];
	int own;

	for (int i = 0; i < CHURNS; i++) {
		snprintf(name, sizeof name, "a/%d-%d", (int)getpid(), i);
		own = make_instance(IN_NONBLOCK);
		WANT(own >= 0);
		WANT(watch_of(own, "a", IN_ALL_EVENTS) > 0);
		make(name);
		WANT(watch_of(own, name, IN_ALL_EVENTS) > 0);
		WANT_IS(unlink(name), 0);
		close(own);
	}
}

static void churning(void)
{
	static char buffer[65536] __attribute__((aligned(8)));
	int created = 0, deleted = 0;
	pid_t pids[CHURNERS];
	long got;

	begin();
	WANT_IS(watch("a", IN_CREATE | IN_DELETE), 1);
	for (int i = 0; i < CHURNERS; i++)
		pids[i] = start(churn);
	for (int i = 0; i < CHURNERS; i++)
		WANT_ENDS(pids[i], 0);
	while ((got = kernel_call(SYS_read, in, buffer, sizeof buffer)) > 0) {
		for (long i = 0; i < got;) {
			const struct inotify_event *event = (const void *)(buffer + i);

			created += event->mask == IN_CREATE;
			deleted += event->mask == IN_DELETE;
			i += (long)sizeof *event + event->len;
		}
	}
	WANT_IS(created, CHURNERS * CHURNS);
	WANT_IS(deleted, CHURNERS * CHURNS);
	end();
}

static const struct test_case cases[] = {
	CASE(masks, "inotify: masks replaced and added"),
	CASE(once, "inotify: IN_ONESHOT"),
	CASE(refused, "inotify: what is refused"),
	CASE(unmounting, "inotify: a file system goes"),
	CASE(root_of_unmounted, "inotify: a root goes"),
	CASE(equal_events, "inotify: equal events are one"),
	CASE(small_buffers, "inotify: buffers too small"),
	CASE(overflow, "inotify: a full queue"),
	CASE(many_instances, "inotify: EMFILE"),
	CASE(many_watches, "inotify: ENOSPC"),
	CASE(waiting, "inotify: read and poll wait"),
	CASE(by_epoll, "inotify: epoll"),
	CASE(interrupted, "inotify: a signal ends the wait"),
	CASE(described, "inotify: fdinfo"),
	CASE(churning, "inotify: four make and remove while watches come and go"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
