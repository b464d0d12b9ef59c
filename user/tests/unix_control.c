/* SPDX-License-Identifier: MIT */
/* UNIX sockets: descriptors and ids that go with the data, several messages at once. */
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "unix.h"

/* ---- With the data ---- */

struct control {
	struct cmsghdr head;
	char data[64];
};

static long send_fds(int socket, const int *fds, size_t count, const char *text)
{
	struct control control = {
		{(socklen_t)CMSG_LEN(count * 4), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS},
		{0}};
	struct iovec vector = {(void *)text, strlen(text)};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = (socklen_t)CMSG_SPACE(count * 4)};

	memcpy(control.data, fds, count * 4);
	return kernel_call(SYS_sendmsg, socket, &message, 0);
}

/* The descriptors that came; *flags are the message's. */
static int receive_fds(int socket, int *fds, size_t room, int *flags, int how)
{
	struct control control = {0};
	char text[8];
	struct iovec vector = {text, sizeof(text)};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = (socklen_t)(room ? CMSG_LEN(room * 4) : 0)};

	WANT(kernel_call(SYS_recvmsg, socket, &message, how) > 0);
	*flags = message.msg_flags;
	if (!message.msg_controllen)
		return 0;
	WANT_IS(control.head.cmsg_type, SCM_RIGHTS);
	memcpy(fds, control.data, room * 4);
	return (int)((control.head.cmsg_len - CMSG_LEN(0)) / 4);
}

static void descriptors(void)
{
	struct gate gate = make_gate();
	int fds[2], got[4], flags, none = -1;

	for (int i = 0; i < 3; i++) {
		pair(kinds[i], fds);
		WANT_IS(send_fds(fds[0], &none, 1, "x"), -EBADF);
		WANT_IS(send_fds(fds[0], (int[]){gate.in, gate.out}, 2, "x"), 1);
		WANT_IS(receive_fds(fds[1], got, 2, &flags, MSG_PEEK), 2);
		close(got[0]);
		close(got[1]);
		WANT_IS(receive_fds(fds[1], got, 2, &flags, MSG_CMSG_CLOEXEC), 2);
		WANT_IS(flags & ~MSG_EOR, MSG_CMSG_CLOEXEC);
		WANT_IS(fcntl(got[0], F_GETFD), FD_CLOEXEC);
		put(got[1]);
		take(gate.in);
		close(got[0]);
		close(got[1]);
		WANT_IS(send_fds(fds[0], (int[]){gate.in, gate.out}, 2, "x"), 1);
		WANT_IS(receive_fds(fds[1], got, 1, &flags, 0), 1);
		WANT(flags & MSG_CTRUNC);
		close(got[0]);
	}
}

static void want_received(int fd, size_t size, int how, const char *text, bool with_fd)
{
	struct control control = {0};
	char found[16] = {0};
	struct iovec vector = {found, size};
	struct msghdr message = {.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control)};
	struct cmsghdr *last = &control.head;
	int passed;

	WANT_IS(kernel_call(SYS_recvmsg, fd, &message, how | MSG_DONTWAIT), strlen(text));
	WANT(memcmp(found, text, strlen(text)) == 0);
	if (message.msg_controllen && last->cmsg_type == SCM_CREDENTIALS)
		last = CMSG_NXTHDR(&message, last);
	WANT_IS(last && message.msg_controllen && last->cmsg_type == SCM_RIGHTS, with_fd);
	if (with_fd) {
		memcpy(&passed, CMSG_DATA(last), sizeof(passed));
		close(passed);
	}
}

/* A stream's read ends after the piece that carries descriptors, and before another sender's if ids are told. */
static void where_reads_end(void)
{
	int fds[2], out = STDOUT_FILENO, on = 1;

	for (int how = 0; how < 4; how++) {
		const int flags = (how & 1 ? MSG_WAITALL : 0) | (how & 2 ? MSG_PEEK : 0);

		pair(SOCK_STREAM, fds);
		WANT_IS(send_text(fds[0], "1234", 0), 4);
		WANT_IS(send_fds(fds[0], &out, 1, "5678"), 4);
		want_received(fds[1], 8, flags, "12345678", true);
		if (how & 2)
			want_received(fds[1], 8, 0, "12345678", true);
		WANT_IS(send_text(fds[0], "xx", 0), 2);
		WANT_IS(send_fds(fds[0], &out, 1, "abc"), 3);
		WANT_IS(send_text(fds[0], "yy", 0), 2);
		want_received(fds[1], 10, flags, "xxabc", true);
		if (how & 2)
			want_received(fds[1], 10, 0, "xxabc", true);
		want_received(fds[1], 10, 0, "yy", false);
		WANT_IS(send_fds(fds[0], &out, 1, "abc"), 3);
		WANT_IS(send_fds(fds[0], &out, 1, "def"), 3);
		want_received(fds[1], 2, 0, "ab", true);
		want_received(fds[1], 10, 0, "cdef", true);
		close(fds[0]);
		close(fds[1]);
	}
	pair(SOCK_STREAM, fds);
	for (int told = 0; told < 2; told++) {
		pid_t child;

		WANT_IS(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &told, sizeof(told)), 0);
		child = fork();
		if (!child)
			_exit(send_text(fds[0], "child", 0) != 5);
		WANT_ENDS(child, 0);
		WANT_IS(send_text(fds[0], "mine", 0), 4);
		want_received(fds[1], 16, 0, told ? "child" : "childmine", false);
		if (told)
			want_received(fds[1], 16, 0, "mine", false);
	}
	WANT_IS(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
	close(fds[0]);
	want_received(fds[1], 16, 0, "", false);
}

/* What is in a queue that is dropped is closed. */
static void dropped(void)
{
	struct gate gate = make_gate();
	int fds[2], first[2];

	pair(SOCK_STREAM, fds);
	WANT_IS(send_fds(fds[0], &gate.out, 1, "x"), 1);
	close(gate.out);
	WANT_IS(polled(gate.in) & POLLHUP, 0);
	close(fds[0]);
	close(fds[1]);
	WANT_IS(polled(gate.in) & POLLHUP, POLLHUP);
	/* A chain of a thousand sockets, each in the next one's queue. */
	gate = make_gate();
	pair(SOCK_STREAM, first);
	WANT_IS(send_fds(first[0], &gate.out, 1, "x"), 1);
	close(gate.out);
	for (int i = 0; i < 1000; i++) {
		pair(SOCK_STREAM, fds);
		if (send_fds(fds[0], &first[1], 1, "x") != 1) {
			close(fds[0]);
			close(fds[1]);
			break; /* Linux before 6.10: too many */
		}
		close(first[0]);
		close(first[1]);
		memcpy(first, fds, sizeof(fds));
	}
	WANT_IS(polled(gate.in) & POLLHUP, 0);
	close(first[0]);
	close(first[1]);
	for (int i = 0; i < 12000 && !(polled(gate.in) & POLLHUP); i++)
		sleep_ms(10);
	WANT_IS(polled(gate.in) & POLLHUP, POLLHUP);
}

/* Two sockets, each in the other's queue, and a pipe's end with them. */
static void circle(void)
{
	struct gate gate = make_gate();
	int a[2], b[2];

	pair(SOCK_STREAM, a);
	pair(SOCK_DGRAM, b);
	WANT_IS(send_fds(a[0], (int[]){b[1], b[0], gate.out}, 3, "x"), 1);
	WANT_IS(send_fds(b[0], (int[]){a[1], a[0]}, 2, "x"), 1);
	close(gate.out);
	close(a[0]);
	close(a[1]);
	WANT_IS(polled(gate.in) & POLLHUP, 0);
	close(b[0]);
	close(b[1]);
	/* Linux looks for such when another one is closed, and lets a worker do it. */
	for (int i = 0; i < 12000 && !(polled(gate.in) & POLLHUP); i++) {
		pair(SOCK_STREAM, a);
		close(a[0]);
		close(a[1]);
		sleep_ms(10);
	}
	WANT_IS(polled(gate.in) & POLLHUP, POLLHUP);
}

static void credentials(void)
{
	struct control control = {0};
	char text[8];
	struct iovec vector = {text, sizeof(text)};
	struct msghdr message = {.msg_iov = &vector, .msg_iovlen = 1};
	struct ucred *who = (struct ucred *)(void *)control.data;
	int fds[2], on = 1;

	for (int i = 0; i < 3; i++) {
		pair(kinds[i], fds);
		WANT_IS(setsockopt(fds[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)), 0);
		WANT_IS(send_text(fds[0], "x", 0), 1);
		message.msg_control = &control;
		message.msg_controllen = sizeof(control);
		WANT_IS(kernel_call(SYS_recvmsg, fds[1], &message, 0), 1);
		WANT_IS(control.head.cmsg_type, SCM_CREDENTIALS);
		WANT_IS(control.head.cmsg_len, CMSG_LEN(sizeof(struct ucred)));
		WANT_IS(who->pid, getpid());
		WANT_IS(who->gid, getgid());
	}
}

static void several_messages(void)
{
	char text[3][4] = {"ab", "cd", "ef"}, got[4][4];
	struct iovec out[3], in[4];
	struct mmsghdr messages[4] = {{{0}, 0}};
	int fds[2];

	pair(SOCK_DGRAM, fds);
	for (int i = 0; i < 3; i++) {
		out[i] = (struct iovec){text[i], 2};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &out[i], .msg_iovlen = 1};
	}
	WANT_IS(kernel_call(SYS_sendmmsg, fds[0], messages, 3, 0), 3);
	for (int i = 0; i < 4; i++) {
		in[i] = (struct iovec){got[i], 4};
		messages[i].msg_hdr = (struct msghdr){.msg_iov = &in[i], .msg_iovlen = 1};
	}
	WANT_IS(kernel_call(SYS_recvmmsg, fds[1], messages, 4, MSG_WAITFORONE, NULL), 3);
	WANT_IS(messages[2].msg_len, 2);
	WANT(memcmp(got[1], "cd", 2) == 0);
}

/* ---- What /proc tells ---- */

/* How many lines of /proc/net/unix end so; the last of them is in `line`. */
static int listed(const char *end, char *line, size_t size)
{
	FILE *file = fopen("/proc/net/unix", "r");
	char one[256];
	int count = 0;

	WANT(file != NULL);
	while (fgets(one, sizeof one, file)) {
		one[strcspn(one, "\n")] = '\0';
		if (strlen(one) < strlen(end) || strcmp(one + strlen(one) - strlen(end), end) != 0)
			continue;
		snprintf(line, size, "%s", one);
		count++;
	}
	fclose(file);
	return count;
}

static int named(int type, const char *name, size_t length)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = (int)kernel_call(SYS_socket, AF_UNIX, type, 0);

	memcpy(address.sun_path, name, length);
	WANT_IS(kernel_call(SYS_bind, fd, &address, sizeof(sa_family_t) + length), 0);
	return fd;
}

static void shown(void)
{
	char line[256], end[128], path[48], name[32] = {0};
	struct stat st;
	int fd, fds[2];

	snprintf(path, sizeof path, "/tmp/unix-control-told-%d", (int)getpid());
	unlink(path);
	fd = named(SOCK_STREAM, path, strlen(path) + 1);
	WANT_IS(listed(path, line, sizeof line), 1);
	WANT_IS(fstat(fd, &st), 0);
	snprintf(end, sizeof end, " 00000000 00000000 0001 01 %5lu %s", (unsigned long)st.st_ino,
		path);
	WANT(strstr(line, ": 0000000") && strstr(line, end));
	WANT_IS(kernel_call(SYS_listen, fd, 1), 0);
	WANT_IS(listed(path, line, sizeof line), 1);
	WANT(strstr(line, " 00000000 00010000 0001 01 "));
	close(fd);
	WANT_IS(listed(path, line, sizeof line), 0);
	unlink(path);
	snprintf(name, sizeof name, "%ctold%cso-%d", 0, 0, (int)getpid());
	snprintf(end, sizeof end, " @told@so-%d", (int)getpid());
	fd = named(SOCK_DGRAM, name, strlen(end) - 1);
	WANT_IS(listed(end, line, sizeof line), 1);
	WANT(strstr(line, " 0002 01 "));
	close(fd);
	pair(SOCK_SEQPACKET, fds);
	WANT_IS(fstat(fds[1], &st), 0);
	snprintf(end, sizeof end, " 0005 03 %5lu", (unsigned long)st.st_ino);
	WANT_IS(listed(end, line, sizeof line), 1);
}

static void many_are_shown(void)
{
	char line[256], end[32];
	int fds[300], length;

	snprintf(end, sizeof end, "-are-told-%d", (int)getpid());
	for (int i = 0; i < 300; i++) {
		char name[32] = {0};

		length = snprintf(name + 1, sizeof name - 1, "many-%03d%s", i, end);
		fds[i] = named(SOCK_STREAM, name, (size_t)length + 1);
	}
	WANT_IS(listed(end, line, sizeof line), 300);
	for (int i = 0; i < 300; i++)
		close(fds[i]);
	WANT_IS(listed(end, line, sizeof line), 0);
}

static const struct test_case cases[] = {
	CASE(descriptors, "SCM_RIGHTS: taken, peeked, cut"),
	CASE(where_reads_end, "SCM_RIGHTS, SCM_CREDENTIALS: where a stream's read ends"),
	CASE(dropped, "SCM_RIGHTS: dropped with the queue, in a long chain"),
	CASE(circle, "SCM_RIGHTS: a circle that nobody can reach"),
	CASE(credentials, "SCM_CREDENTIALS"),
	CASE(several_messages, "sendmmsg, recvmmsg"),
	CASE(shown, "/proc/net/unix: type, state, inode, name"),
	CASE(many_are_shown, "/proc/net/unix: 300 sockets, each once"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
