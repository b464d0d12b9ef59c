/* SPDX-License-Identifier: MIT */
/* UNIX sockets: their options (man 7 socket), what a queue holds, and who is at the other end. */
#include <grp.h>
#include <sys/ioctl.h>
#include <sys/un.h>

#include "unix.h"

#ifndef SIOCATMARK
#define SIOCATMARK 0x8905
#endif

static long set(int fd, int option, int value)
{
	return kernel_call(SYS_setsockopt, fd, SOL_SOCKET, option, &value, sizeof(value));
}

static long get(int fd, int option)
{
	int value = -1;
	socklen_t length = sizeof(value);
	long result = kernel_call(SYS_getsockopt, fd, SOL_SOCKET, option, &value, &length);

	return result ? result : value;
}

static int make_socket(int type)
{
	int fd = (int)kernel_call(SYS_socket, AF_UNIX, type, 0);

	WANT(fd >= 0);
	return fd;
}

static socklen_t name_of(struct sockaddr_un *address, const char *word)
{
	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	return (socklen_t)(sizeof(sa_family_t) + 1 +
			   (size_t)snprintf(address->sun_path + 1, sizeof address->sun_path - 1,
				   "%s-%d", word, (int)getpid()));
}

/* ---- Options that are kept ---- */

static void switches(void)
{
	static const int options[] = {SO_DEBUG, SO_REUSEADDR, SO_DONTROUTE, SO_BROADCAST,
		SO_KEEPALIVE, SO_OOBINLINE, SO_NO_CHECK, SO_PASSCRED, SO_PASSSEC, SO_RXQ_OVFL,
		SO_WIFI_STATUS, SO_NOFCS, SO_SELECT_ERR_QUEUE, 69 /* SO_PREFER_BUSY_POLL */,
		75 /* SO_RCVMARK */};
	int fds[2];

	for (int i = 0; i < 3; i++) {
		pair(kinds[i], fds);
		for (size_t j = 0; j < COUNT(options); j++) {
			WANT_IS(get(fds[0], options[j]), 0);
			WANT_IS(set(fds[0], options[j], 2), 0);
			WANT_IS(get(fds[0], options[j]), 1);
			WANT_IS(set(fds[0], options[j], 0), 0);
			WANT_IS(get(fds[0], options[j]), 0);
		}
	}
	WANT_IS(set(fds[0], SO_DETACH_FILTER, 0), -ENOENT);
	WANT_IS(set(fds[0], SO_LOCK_FILTER, 1), 0);
	WANT_IS(set(fds[0], SO_DETACH_FILTER, 0), -EPERM);
	WANT_IS(set(fds[0], SO_LOCK_FILTER, 0), -EPERM);
	WANT_IS(set(fds[0], SO_REUSEPORT, 0), 0);
	WANT_IS(set(fds[0], SO_REUSEPORT, 1), -EOPNOTSUPP);
	WANT_IS(set(fds[0], SO_ZEROCOPY, 0), -EOPNOTSUPP);
	WANT_IS(set(fds[0], SO_TYPE, SOCK_DGRAM), -ENOPROTOOPT);

	WANT_IS(set(fds[0], 90, 0), -ENOPROTOOPT);
	WANT_IS(get(fds[0], 90), -ENOPROTOOPT);
}

static void numbers(void)
{
	static const struct {
		int option, value, result, then;
	} steps[] = {
		{SO_PRIORITY, -1, 0, -1},
		{SO_PRIORITY, 7, 0, 7},
		{SO_MARK, 5, 0, 5},
		{SO_MARK, -1, 0, -1},
		{SO_INCOMING_CPU, 9, 0, 9},
		{62 /* SO_BINDTOIFINDEX */, -1, -EINVAL, 0},
		{62, 4, 0, 4},
		{SO_RCVLOWAT, 0, 0, 1},
		{SO_RCVLOWAT, -1, 0, INT_MAX},
		{SO_RCVLOWAT, 9, 0, 9},
		{SO_SNDLOWAT, 9, -ENOPROTOOPT, 1},
		{SO_SNDBUF, 0, 0, 4608},
		{SO_SNDBUF, 5000, 0, 10000},

		{SO_RCVBUF, 0, 0, 2304},

		{SO_SNDBUFFORCE, 300000, 0, -ENOPROTOOPT},
		{SO_SNDBUF, 4096, 0, 8192},
		{72 /* SO_BUF_LOCK */, 0, 0, 0},
		{72, 4, -EINVAL, 0},
		{72, 3, 0, 3},
		{SO_PEEK_OFF, 3, 0, 3},
	};
	int fd = make_socket(SOCK_STREAM);

	WANT_IS(get(fd, SO_INCOMING_CPU), -1);
	WANT_IS(get(fd, SO_PEEK_OFF), -1);
	WANT_IS(get(fd, SO_RCVLOWAT), 1);
	for (size_t i = 0; i < COUNT(steps); i++) {
		WANT_IS(set(fd, steps[i].option, steps[i].value), steps[i].result);
		WANT_IS(get(fd, steps[i].option), steps[i].then);
	}
	WANT_IS(set(fd, SO_SNDBUFFORCE, 300000), 0);
	WANT_IS(get(fd, SO_SNDBUF), 600000);
	WANT_IS(set(fd, SO_RCVBUFFORCE, -1), 0);
	WANT_IS(get(fd, SO_RCVBUF), 2304);
	WANT_IS(get(fd, SO_BPF_EXTENSIONS), 64);
}

/* A structure's length is looked at, and no more is told than there is room for. */
static void lengths(void)
{
	struct {
		int on, seconds;
	} linger = {1, 7}, found = {0, 0};
	int fd = make_socket(SOCK_DGRAM), value = 1;
	socklen_t length = sizeof(found);
	uint64_t wide[2] = {77, 0};

	for (socklen_t i = 0; i < 4; i++) {
		WANT_IS(kernel_call(SYS_setsockopt, fd, SOL_SOCKET, SO_BROADCAST, &value, i),
			-EINVAL);
		WANT_IS(kernel_call(SYS_setsockopt, fd, SOL_SOCKET, 90, &value, i), -EINVAL);
	}
	WANT_IS(kernel_call(SYS_setsockopt, fd, SOL_SOCKET, 90, BAD, 4), -EFAULT);
	WANT_IS(set(fd, SO_LINGER, 1), -EINVAL);
	WANT_IS(kernel_call(SYS_setsockopt, fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	WANT_IS(kernel_call(SYS_getsockopt, fd, SOL_SOCKET, SO_LINGER, &found, &length), 0);
	WANT(length == 8 && found.on == 1 && found.seconds == 7);
	length = 2;
	value = -1;
	WANT_IS(kernel_call(SYS_getsockopt, fd, SOL_SOCKET, SO_DOMAIN, &value, &length), 0);
	WANT(length == 2 && value == (int)0xffff0001);
	WANT_IS(set(fd, SO_RCVTIMEO, 1), -EINVAL);
	WANT_IS(kernel_call(SYS_setsockopt, fd, SOL_SOCKET, 66 /* SO_RCVTIMEO_NEW */, wide,
			sizeof(wide)),
		0);
	wide[0] = 0;
	length = sizeof(wide);
	WANT_IS(kernel_call(SYS_getsockopt, fd, SOL_SOCKET, SO_RCVTIMEO, wide, &length), 0);
	WANT(length == 16 && wide[0] == 77);
	length = 4;
	WANT_IS(kernel_call(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, &value, &length), -EINVAL);
	length = 8;
	WANT_IS(kernel_call(SYS_getsockopt, fd, SOL_SOCKET, SO_COOKIE, wide, &length), 0);
	WANT(wide[0] != 0);
	WANT_IS(kernel_call(SYS_setsockopt, fd, SOL_SOCKET, SO_BINDTODEVICE, "none", 4), -ENODEV);
	WANT_IS(kernel_call(SYS_setsockopt, fd, SOL_SOCKET, SO_BINDTODEVICE, "", 0), 0);
}

static void privileges(void)
{
	static const struct {
		int option, value, result;
	} steps[] = {{SO_DEBUG, 1, -EACCES}, {SO_DEBUG, 0, 0}, {SO_PRIORITY, 6, 0},
		{SO_PRIORITY, 7, -EPERM}, {SO_MARK, 0, -EPERM}, {SO_SNDBUFFORCE, 1, -EPERM},
		{SO_RCVBUFFORCE, 1, -EPERM}, {69, 1, -EPERM}, {70, 1, -EPERM}, {70, 0, 0},
		{SO_RCVLOWAT, 8, 0}};
	int fd;

	if (!become_nobody())
		skip("not root");
	fd = make_socket(SOCK_SEQPACKET);
	for (size_t i = 0; i < COUNT(steps); i++)
		WANT_IS(set(fd, steps[i].option, steps[i].value), steps[i].result);
}

/* ---- What they do ---- */

static int low_socket;

static void receive_eight(void)
{
	char text[32];

	WANT_IS(receive(low_socket, text, sizeof text, 0), 8);
}

static void low_water(void)
{
	char text[32];
	pid_t reader;
	int fds[2];

	pair(SOCK_STREAM, fds);
	low_socket = fds[1];
	WANT_IS(set(fds[1], SO_RCVLOWAT, 5), 0);
	WANT_IS(send_text(fds[0], "ab", 0), 2);
	WANT(polled(fds[1]) & POLLIN);
	reader = start(receive_eight);
	until_asleep(reader);
	WANT_IS(send_text(fds[0], "cdefgh", 0), 6);
	WANT_ENDS(reader, 0);
	WANT_IS(send_text(fds[0], "ab", 0), 2);
	WANT_IS(receive(fds[1], text, sizeof text, MSG_DONTWAIT), 2);
	WANT_IS(send_text(fds[0], "ab", 0), 2);
	WANT_IS(receive(fds[1], text, 2, 0), 2); /* no more is asked for */
}

static void want_peek(int fd, size_t size, const char *text)
{
	char found[16];

	WANT_IS(receive(fd, found, size, MSG_PEEK | MSG_DONTWAIT),
		text ? (long)strlen(text) : -EAGAIN);
	WANT(!text || memcmp(found, text, strlen(text)) == 0);
}

static void peek_offset(void)
{
	char text[16];
	int fds[2];

	for (int i = 0; i < 3; i++) {
		const bool stream = kinds[i] == SOCK_STREAM;

		pair(kinds[i], fds);
		WANT_IS(set(fds[1], SO_PEEK_OFF, 1), 0);
		WANT_IS(send_text(fds[0], "abcd", 0), 4);
		WANT_IS(send_text(fds[0], "efgh", 0), 4);
		want_peek(fds[1], 2, "bc");
		WANT_IS(get(fds[1], SO_PEEK_OFF), 3);
		want_peek(fds[1], 2, stream ? "de" : "d");
		want_peek(fds[1], 2, stream ? "fg" : "ef");
		WANT_IS(get(fds[1], SO_PEEK_OFF), stream ? 7 : 6);
		WANT_IS(receive(fds[1], text, 2, 0), 2);
		WANT_IS(get(fds[1], SO_PEEK_OFF), stream ? 5 : 2);
		want_peek(fds[1], 9, stream ? "h" : "gh");
		want_peek(fds[1], 9, NULL);
		WANT_IS(set(fds[1], SO_PEEK_OFF, -1), 0);
		want_peek(fds[1], 9, stream ? "cdefgh" : "efgh");
	}
}

static int64_t in_ns(struct timespec time)
{
	return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void stamps(void)
{
	static const int options[] = {29, 35, 63, 64}; /* SO_TIMESTAMP and _NS, the same as _NEW */
	char control[128], text[8];
	struct iovec vector = {text, sizeof text};
	int fds[2];

	for (int i = 0; i < 3; i++) {
		for (size_t j = 0; j < COUNT(options); j++) {
			struct msghdr message = {.msg_iov = &vector,
				.msg_iovlen = 1,
				.msg_control = control,
				.msg_controllen = sizeof control};
			struct cmsghdr *head = (struct cmsghdr *)(void *)control;
			struct timespec before, after;
			int64_t time[2];

			clock_gettime(CLOCK_REALTIME, &before);
			pair(kinds[i], fds);
			WANT_IS(set(fds[1], options[j], 1), 0);
			for (size_t k = 0; k < COUNT(options); k++)
				WANT_IS(get(fds[1], options[k]), k == j || (k == 2 && j == 3));
			WANT_IS(send_text(fds[0], "x", 0), 1);
			WANT_IS(kernel_call(SYS_recvmsg, fds[1], &message, 0), 1);
			WANT_IS(message.msg_controllen, kinds[i] == SOCK_STREAM ? 0 : 32);
			if (kinds[i] != SOCK_STREAM) {
				WANT_IS(head->cmsg_type, options[j]);
				memcpy(time, CMSG_DATA(head), sizeof time);
				clock_gettime(CLOCK_REALTIME, &after);
				time[1] *= j % 2 ? 1 : 1000;
				WANT(in_ns(before) / 1000 <=
					(time[0] * 1000000000 + time[1]) / 1000);
				WANT(in_ns(after) >= time[0] * 1000000000 + time[1]);
			}
			close(fds[0]);
			close(fds[1]);
		}
	}
}

/* ---- Queues ---- */

static int charged(int fd)
{
	int bytes = -1;

	WANT_IS(ioctl(fd, TIOCOUTQ, &bytes), 0);
	return bytes;
}

static void room(void)
{
	/* How many go in, and what one takes: by types. */
	static const struct {
		size_t size;
		long count[3];
		int charge[3];
	} rows[] = {
		{1, {278, 278, 278}, {768, 768, 768}},
		{192, {278, 278, 278}, {768, 768, 768}},
		{193, {167, 167, 167}, {1280, 1280, 1280}},
		{705, {93, 93, 93}, {2304, 2304, 2304}},
		{1729, {49, 49, 49}, {4352, 4352, 4352}},
		{3777, {44, 26, 26}, {4864, 8448, 8448}},
		{16064, {13, 13, 13}, {16640, 16640, 16640}},
		{16065, {13, 11, 11}, {17152, 20736, 20736}},
		{32768, {7, 6, 6}, {33536, 37120, 37120}},
		{40000, {6, 6, 6}, {41472, 41216, 41216}},
		{100000, {3, 3, 3}, {103168, 102656, 102656}},
	};
	static char bytes[100000];
	long count;
	int fds[2];

	for (size_t i = 0; i < COUNT(rows); i++) {
		for (int j = 0; j < 3; j++) {
			pair(kinds[j], fds);
			for (count = 0; kernel_call(SYS_sendto, fds[0], bytes, rows[i].size,
						MSG_DONTWAIT, NULL, 0) > 0;
				count++) {
				if (!count)
					WANT_IS(charged(fds[0]), rows[i].charge[j]);
			}
			WANT_IS(count, rows[i].count[j]);
			close(fds[0]);
			close(fds[1]);
		}
	}
}

/* Eleven from strangers, and as many as the sender may have under way from itself. */
static void room_for_strangers(void)
{
	struct sockaddr_un address;
	socklen_t length = name_of(&address, "strangers");
	int fd = make_socket(SOCK_DGRAM | SOCK_NONBLOCK),
	    other = make_socket(SOCK_DGRAM | SOCK_NONBLOCK), count;

	WANT_IS(kernel_call(SYS_bind, fd, &address, length), 0);
	for (count = 0; kernel_call(SYS_sendto, other, "x", 1, 0, &address, length) == 1; count++)
		;
	WANT_IS(count, 11);
	for (; kernel_call(SYS_sendto, fd, "x", 1, 0, &address, length) == 1; count++)
		;
	WANT_IS(count, 11 + 278);
}

/* What waits from one that is gone is lost when that is found out, and so for one that is left. */
static void lost_with_the_peer(void)
{
	struct sockaddr_un address;
	socklen_t length = name_of(&address, "lost");
	int fds[2], fd = make_socket(SOCK_DGRAM), other = make_socket(SOCK_DGRAM);
	char text[8];

	pair(SOCK_DGRAM, fds);
	WANT_IS(send_text(fds[1], "wait", 0), 4);
	close(fds[1]);
	WANT_IS(send_text(fds[0], "x", 0), -ECONNREFUSED);
	WANT_IS(receive(fds[0], text, sizeof text, MSG_DONTWAIT), -EAGAIN);
	WANT_IS(send_text(fds[0], "x", 0), -ENOTCONN);
	WANT_IS(kernel_call(SYS_bind, fd, &address, length), 0);
	WANT_IS(kernel_call(SYS_connect, other, &address, length), 0);
	length = name_of(&address, "lost-too");
	WANT_IS(kernel_call(SYS_bind, other, &address, length), 0);
	WANT_IS(kernel_call(SYS_connect, fd, &address, length), 0);
	WANT_IS(send_text(other, "wait", 0), 4);
	WANT_IS(kernel_call(SYS_connect, fd, &address, length), 0); /* to the same one: it stays */
	WANT_IS(receive(fd, text, sizeof text, MSG_DONTWAIT), 4);
	WANT_IS(send_text(other, "wait", 0), 4);
	WANT_IS(kernel_call(
			SYS_connect, fd, &(struct sockaddr){AF_UNSPEC}, sizeof(struct sockaddr)),
		0);
	WANT_IS(receive(fd, text, sizeof text, MSG_DONTWAIT), -EAGAIN);
	WANT_IS(get(other, SO_ERROR), ECONNRESET);
	WANT_IS(get(other, SO_ERROR), 0);
	WANT_IS(send_text(other, "again", 0), 5);
	WANT_IS(receive(fd, text, sizeof text, MSG_DONTWAIT), 5);
}

static void full_backlog(void)
{
	struct sockaddr_un address;
	socklen_t length = name_of(&address, "backlog");

	for (int i = 0; i < 3; i += 2) {
		int listener = make_socket(kinds[i]), fd = make_socket(kinds[i] | SOCK_NONBLOCK);
		int other = make_socket(kinds[i] | SOCK_NONBLOCK);

		WANT_IS(kernel_call(SYS_bind, listener, &address, length), 0);
		WANT_IS(kernel_call(SYS_listen, listener, 1), 0);
		WANT_IS(kernel_call(SYS_connect, fd, &address, length), 0);
		WANT_IS(kernel_call(SYS_connect, fd, &address, length), -EISCONN);
		WANT_IS(kernel_call(SYS_connect, other, &address, length), 0);
		WANT_IS(kernel_call(SYS_connect, fd, &address, length), -EAGAIN);
		WANT_IS(kernel_call(SYS_connect, make_socket(kinds[i] | SOCK_NONBLOCK), &address,
				length),
			-EAGAIN);
		WANT(kernel_call(SYS_accept, listener, NULL, NULL) >= 0);
		WANT_IS(kernel_call(SYS_connect, fd, &address, length),
			-EISCONN); /* and takes no place */
		WANT_IS(kernel_call(SYS_connect, make_socket(kinds[i] | SOCK_NONBLOCK), &address,
				length),
			0);
		close(listener);
	}
}

/* Nothing to send, nothing to receive, and what is asked of a mark. */
static void nothing(void)
{
	char text[8];
	int fds[2], mark;

	for (int i = 0; i < 3; i++) {
		pair(kinds[i], fds);
		WANT_IS(receive(fds[0], text, 0, MSG_DONTWAIT), -EAGAIN);
		WANT_IS(kernel_call(SYS_read, fds[0], text, 0), 0);
		mark = -1;
		WANT_IS(kernel_call(SYS_ioctl, fds[0], SIOCATMARK, &mark),
			kinds[i] == SOCK_STREAM ? 0 : -EOPNOTSUPP);
		WANT_IS(mark, kinds[i] == SOCK_STREAM ? 0 : -1);
		close(fds[1]);
		WANT_IS(send_text(fds[0], "", MSG_NOSIGNAL),
			kinds[i] == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE);
	}
}

/* ---- The other end ---- */

static void want_peer(int fd, pid_t pid, uid_t uid, long groups)
{
	struct ucred who = {.pid = -2};
	gid_t ids[8] = {0};
	socklen_t length = sizeof(who);

	WANT_IS(kernel_call(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &who, &length), 0);
	WANT_IS(who.pid, pid);
	WANT_IS(who.uid, uid);
	length = sizeof(ids);
	WANT_IS(kernel_call(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERGROUPS, ids, &length),
		groups < 0 ? groups : 0);
	if (groups < 0)
		return;
	WANT_IS(length, groups * (long)sizeof(gid_t));
	for (long i = 0; i < groups; i++)
		WANT_IS(ids[i], 300 + i);
	length = 4;
	if (groups > 1)
		WANT_IS(kernel_call(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERGROUPS, ids, &length),
			-ERANGE);
}

static void other_end(void)
{
	struct sockaddr_un address;
	socklen_t length = name_of(&address, "who");
	int fds[2], status;

	if (getuid() != 0)
		skip("not root");
	WANT_IS(setgroups(3, (gid_t[]){302, 300, 301}), 0);
	for (int i = 0; i < 3; i++) {
		int fd = make_socket(kinds[i]), client = make_socket(kinds[i]);
		pid_t pid;

		want_peer(fd, 0, UINT32_MAX, -ENODATA);
		WANT_IS(kernel_call(SYS_bind, fd, &address, length), 0);
		pair(kinds[i], fds);
		want_peer(fds[0], getpid(), 0, 3);
		if (kinds[i] == SOCK_DGRAM) {
			WANT_IS(kernel_call(SYS_connect, client, &address, length), 0);
			want_peer(client, 0, UINT32_MAX, -ENODATA);
			close(fd);
			continue;
		}
		WANT_IS(kernel_call(SYS_listen, fd, 1), 0);
		want_peer(fd, getpid(), 0, 3);
		pid = fork();
		WANT(pid >= 0);
		if (!pid) {
			WANT_IS(setgroups(1, (gid_t[]){300}), 0);
			WANT_IS(setuid(44), 0);
			WANT_IS(kernel_call(SYS_connect, client, &address, length), 0);
			_exit(0);
		}
		WANT_IS(waitpid(pid, &status, 0), pid);
		WANT_IS(status, 0);
		want_peer((int)kernel_call(SYS_accept, fd, NULL, NULL), pid, 44, 1);
		want_peer(client, getpid(), 0, 3);
		close(fd);
	}
}

static const struct test_case cases[] = {
	CASE(switches, "options: on and off"),
	CASE(numbers, "options: numbers, and which may be"),
	CASE(lengths, "options: lengths"),
	CASE(privileges, "options: what needs a privilege"),
	CASE(low_water, "SO_RCVLOWAT: a reader waits for as much"),
	CASE(peek_offset, "SO_PEEK_OFF: peeks go on"),
	CASE(stamps, "SO_TIMESTAMP and its kin"),
	CASE(room, "queues: how many of which size, and what they cost"),
	CASE(room_for_strangers, "queues: of strangers, and of oneself"),
	CASE(lost_with_the_peer, "datagrams: what waits is lost with the peer"),
	CASE(full_backlog, "connect: a full backlog comes before one's own state"),
	CASE(nothing, "no bytes; SIOCATMARK"),
	CASE(other_end, "SO_PEERCRED, SO_PEERGROUPS"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
