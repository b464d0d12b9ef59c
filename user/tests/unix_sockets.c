/* SPDX-License-Identifier: MIT */
/* UNIX sockets: names, connections, what goes through them and with it, readiness, ends. */
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "unix.h"

static int make(int type)
{
	int fd = (int)kernel_call(SYS_socket, AF_UNIX, type, 0);

	WANT(fd >= 0);
	return fd;
}

static char directory[40], suffix[16]; /* of this run: names without a file are all the machine's */

static socklen_t address_of(struct sockaddr_un *address, const char *name)
{
	size_t length = 1 + strlen(name + 1);

	*address = (struct sockaddr_un){.sun_family = AF_UNIX};
	memcpy(address->sun_path, name, length);
	if (name[0] == 0) {
		memcpy(address->sun_path + length, suffix, strlen(suffix));
		length += strlen(suffix);
	}
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + (name[0] ? 1 : 0));
}

static long bind_to(int fd, const char *name)
{
	struct sockaddr_un address;
	socklen_t length = address_of(&address, name);

	return kernel_call(SYS_bind, fd, &address, length);
}

static long connect_to(int fd, const char *name)
{
	struct sockaddr_un address;
	socklen_t length = address_of(&address, name);

	return kernel_call(SYS_connect, fd, &address, length);
}

static int make_listener(int type, const char *name, int backlog)
{
	int fd = make(type);

	WANT_IS(bind_to(fd, name), 0);
	WANT_IS(kernel_call(SYS_listen, fd, backlog), 0);
	return fd;
}

/* ---- Making and names ---- */

static void families(void)
{
	int fds[2];

	WANT_IS(kernel_call(SYS_socket, AF_UNIX, SOCK_STREAM, 99), -EPROTONOSUPPORT);
	WANT_IS(kernel_call(SYS_socket, AF_UNIX, SOCK_RDM, 0), -ESOCKTNOSUPPORT);
	WANT_IS(kernel_call(SYS_socket, AF_UNIX, 15, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_socket, AF_UNIX, SOCK_STREAM | 0x100, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_socket, 300, SOCK_STREAM, 0), -EAFNOSUPPORT);
	WANT_IS(kernel_call(SYS_socket, 0, SOCK_STREAM, 0), -EAFNOSUPPORT);
	WANT_IS(kernel_call(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_socketpair, AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
			fds),
		0);
	WANT_IS(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	WANT_IS(fcntl(fds[1], F_GETFL), O_RDWR | O_NONBLOCK);
	WANT_IS(kernel_call(SYS_listen, 0 * open("/", O_RDONLY) + make_gate().in, 1), -ENOTSOCK);
	WANT_IS(kernel_call(SYS_listen, -1, 1), -EBADF);
}

static void names(void)
{
	struct sockaddr_un address, found;
	socklen_t length = address_of(&address, "\0baton-names"), got = sizeof(found);
	int a = make(SOCK_STREAM), b = make(SOCK_STREAM);

	WANT_IS(kernel_call(SYS_getsockname, a, &found, &got), 0);
	WANT_IS(got, 2);
	WANT_IS(kernel_call(SYS_bind, a, &address, 1), -EINVAL);
	WANT_IS(kernel_call(SYS_bind, a, &address, sizeof(address) + 1), -EINVAL);
	WANT_IS(kernel_call(SYS_bind, a, BAD, length), -EFAULT);
	WANT_IS(kernel_call(SYS_bind, a, &address, length), 0);
	WANT_IS(kernel_call(SYS_bind, a, &address, length), -EINVAL);
	WANT_IS(kernel_call(SYS_bind, b, &address, length), -EADDRINUSE);
	WANT_IS(kernel_call(SYS_bind, make(SOCK_DGRAM), &address, length), 0);
	got = sizeof(found);
	WANT_IS(kernel_call(SYS_getsockname, a, &found, &got), 0);
	WANT_IS(got, length);
	WANT(memcmp(&found, &address, length) == 0);
	got = 5;
	WANT_IS(kernel_call(SYS_getsockname, a, &found, &got), 0);
	WANT_IS(got, length);
	WANT_IS(kernel_call(SYS_getpeername, a, &found, &got), -ENOTCONN);
	close(a);
	WANT_IS(kernel_call(SYS_bind, b, &address, length), 0);
	got = sizeof(found);
	a = make(SOCK_STREAM);
	WANT_IS(kernel_call(SYS_bind, a, &address, 2), 0);
	WANT_IS(kernel_call(SYS_getsockname, a, &found, &got), 0);
	WANT_IS(got, 8);
}

static void paths(void)
{
	struct stat stat;
	int listener, fd = make(SOCK_STREAM);

	WANT_IS(mkdir(directory, 0700) && errno != EEXIST, 0);
	WANT_IS(chdir(directory), 0);
	unlink("s");
	umask(022);
	WANT_IS(connect_to(fd, "s"), -ENOENT);
	listener = make_listener(SOCK_STREAM, "s", 1);
	WANT_IS(lstat("s", &stat), 0);
	WANT_IS(stat.st_mode, S_IFSOCK | 0755);
	WANT_IS(open("s", O_RDWR), -1);
	WANT_IS(errno, ENXIO);
	WANT_IS(bind_to(fd, "s"), -EADDRINUSE);
	WANT_IS(connect_to(make(SOCK_DGRAM), "s"), -EPROTOTYPE);
	WANT_IS(connect_to(fd, "."), -ECONNREFUSED);
	WANT_IS(rename("s", "t"), 0);
	WANT_IS(connect_to(fd, "t"), 0);
	close(listener);
	fd = make(SOCK_STREAM);
	WANT_IS(connect_to(fd, "t"), -ECONNREFUSED);
	WANT_IS(unlink("t"), 0);
	listener = make_listener(SOCK_STREAM, "s", 1);
	WANT_IS(unlink("s"), 0);
	WANT_IS(connect_to(fd, "s"), -ENOENT);
	WANT_IS(bind_to(fd, "s"), 0);
	WANT_IS(chmod("s", 0), 0);
	chmod(directory, 0755);
	if (become_nobody())
		WANT_IS(connect_to(make(SOCK_STREAM), "s"), -EACCES);
}

/* A socket that has a name: what is wrong with a path comes first, and nothing is left of it. A path behind a
 * connection is an error, whatever it is, or not looked at. */
static void named_already(void)
{
	static const long wanted[] = {-EISCONN, -EINVAL, 1};
	struct sockaddr_un address;
	struct stat stat;
	int fds[2];

	WANT_IS(mkdir(directory, 0700) && errno != EEXIST, 0);
	WANT_IS(chdir(directory), 0);
	for (int i = 0; i < 3; i++) {
		int fd = make(kinds[i]);

		unlink("n");
		WANT_IS(bind_to(fd, "n"), 0);
		WANT_IS(bind_to(fd, "n"), -EADDRINUSE);
		WANT_IS(bind_to(fd, "none/n"), -ENOENT);
		WANT_IS(bind_to(fd, "o"), -EINVAL);
		WANT_IS(lstat("o", &stat), -1);
		WANT_IS(bind_to(fd, "\0baton-n"), -EINVAL);
	}
	unlink("n");
	address.sun_family = AF_UNIX;
	for (int i = 0; i < 3; i++) {
		pair(kinds[i], fds);
		WANT_IS(kernel_call(SYS_sendto, fds[0], "x", 1, 0, &address, 1), wanted[i]);
		WANT_IS(kernel_call(SYS_sendto, fds[0], "x", 1, 0, &address, -1), -EINVAL);
	}
}

/* ---- Connections ---- */

static void connections(void)
{
	char buffer[16];
	struct ucred who;
	socklen_t size = sizeof(who);
	int listener = make(SOCK_STREAM), fd = make(SOCK_STREAM), end;

	WANT_IS(kernel_call(SYS_listen, listener, 1), -EINVAL);
	WANT_IS(bind_to(listener, "\0baton-c"), 0);
	WANT_IS(connect_to(fd, "\0baton-c"), -ECONNREFUSED);
	WANT_IS(kernel_call(SYS_accept, listener, NULL, NULL), -EINVAL);
	WANT_IS(kernel_call(SYS_listen, listener, 1), 0);
	WANT_IS(polled(fd), POLLOUT | POLLHUP);
	WANT_IS(send_text(fd, "a", MSG_NOSIGNAL), -ENOTCONN);
	WANT_IS(receive(fd, buffer, 9, 0), -EINVAL);
	WANT_IS(connect_to(fd, "\0baton-c"), 0);
	WANT_IS(connect_to(fd, "\0baton-c"), -EISCONN);
	WANT_IS(connect_to(listener, "\0baton-c"), -EINVAL);
	WANT_IS(send_text(fd, "early", 0), 5);
	WANT_IS(polled(listener), POLLIN);
	end = (int)kernel_call(SYS_accept4, listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	WANT(end >= 0);
	WANT_IS(fcntl(end, F_GETFD), FD_CLOEXEC);
	WANT_IS(receive(end, buffer, 16, 0), 5);
	WANT(strcmp(buffer, "early") == 0);
	WANT_IS(receive(end, buffer, 16, 0), -EAGAIN);
	WANT_IS(kernel_call(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, &who, &size), 0);
	WANT_IS(who.pid, getpid());
	WANT_IS(who.uid, getuid());
	WANT_IS(fcntl(listener, F_SETFL, O_NONBLOCK), 0);
	WANT_IS(kernel_call(SYS_accept, listener, NULL, NULL), -EAGAIN);
	close(fd);
	WANT_IS(polled(end), POLLIN | POLLOUT | POLLRDHUP | POLLHUP);
	WANT_IS(receive(end, buffer, 16, 0), 0);
	WANT_IS(send_text(end, "x", MSG_NOSIGNAL), -EPIPE);
	fd = make(SOCK_STREAM);
	WANT_IS(connect_to(fd, "\0baton-c"), 0);
	close(listener);
	WANT_IS(receive(fd, buffer, 16, 0), -ECONNRESET);
	WANT_IS(receive(fd, buffer, 16, 0), 0);
}

static void connect_later(void)
{
	sleep_ms(40);
	WANT_IS(connect_to(make(SOCK_SEQPACKET), "\0baton-b"), 0);
}

static void backlog(void)
{
	int listener = make_listener(SOCK_SEQPACKET, "\0baton-b", 1), fd;
	pid_t pid;

	for (int i = 0; i < 3; i++) {
		fd = make(SOCK_SEQPACKET | SOCK_NONBLOCK);
		WANT_IS(connect_to(fd, "\0baton-b"), i < 2 ? 0 : -EAGAIN);
	}
	pid = start(connect_later);
	for (int i = 0; i < 3; i++) {
		sleep_ms(30);
		WANT(kernel_call(SYS_accept, listener, NULL, NULL) >= 0);
	}
	WANT_ENDS(pid, 0);
}

/* ---- Data ---- */

static void stream_data(void)
{
	char buffer[64];
	int fds[2], count;

	pair(SOCK_STREAM, fds);
	WANT_IS(send_text(fds[0], "abc", 0), 3);
	WANT_IS(send_text(fds[0], "defg", 0), 4);
	WANT_IS(ioctl(fds[1], FIONREAD, &count), 0);
	WANT_IS(count, 7);
	WANT_IS(ioctl(fds[0], TIOCOUTQ, &count), 0);
	WANT(count > 0);
	WANT_IS(receive(fds[1], buffer, 5, MSG_PEEK), 5);
	WANT(strcmp(buffer, "abcde") == 0);
	WANT_IS(receive(fds[1], buffer, 2, 0), 2);
	WANT_IS(receive(fds[1], buffer, 64, 0), 5);
	WANT(strcmp(buffer, "cdefg") == 0);
	WANT_IS(receive(fds[1], buffer, 64, MSG_DONTWAIT), -EAGAIN);
	WANT_IS(kernel_call(SYS_write, fds[1], "back", 4), 4);
	WANT_IS(kernel_call(SYS_read, fds[0], buffer, 64), 4);
	WANT_IS(send_text(fds[0], "x", MSG_OOB | MSG_NOSIGNAL) != 0, 1);
	WANT_IS(connect_to(fds[0], "\0nobody"), -ECONNREFUSED);
}

static void message_data(void)
{
	char buffer[64];
	int fds[2], count;

	for (int i = 1; i < 3; i++) {
		pair(kinds[i], fds);
		WANT_IS(send_text(fds[0], "abc", 0), 3);
		WANT_IS(send_text(fds[0], "defg", 0), 4);
		WANT_IS(receive(fds[1], buffer, 2, MSG_PEEK | MSG_TRUNC), 3);
		WANT_IS(receive(fds[1], buffer, 2, 0), 2);
		WANT_IS(receive(fds[1], buffer, 64, 0), 4);
		WANT(strcmp(buffer, "defg") == 0);
		WANT_IS(receive(fds[1], buffer, 64, MSG_DONTWAIT), -EAGAIN);
		WANT_IS(send_text(fds[0], "", 0), 0);
		WANT_IS(polled(fds[1]), POLLIN | POLLOUT);
		WANT_IS(receive(fds[1], buffer, 64, 0), 0);
		WANT_IS(ioctl(fds[1], FIONREAD, &count), 0);
		WANT_IS(count, 0);
	}
}

static void datagrams(void)
{
	struct sockaddr_un to, from;
	socklen_t length = address_of(&to, "\0baton-d"), size = sizeof(from);
	int a = make(SOCK_DGRAM | SOCK_NONBLOCK), b = make(SOCK_DGRAM | SOCK_NONBLOCK), i;
	char buffer[16];

	WANT_IS(send_text(b, "x", 0), -ENOTCONN);
	WANT_IS(kernel_call(SYS_sendto, b, "x", 1, 0, &to, length), -ECONNREFUSED);
	WANT_IS(kernel_call(SYS_bind, a, &to, length), 0);
	WANT_IS(bind_to(b, "\0baton-e"), 0);
	WANT_IS(kernel_call(SYS_sendto, b, "x", 1, 0, &to, length), 1);
	WANT_IS(kernel_call(SYS_recvfrom, a, buffer, 16, 0, &from, &size), 1);
	WANT_IS(size, length);
	WANT(memcmp(from.sun_path, "\0baton-e", 8) == 0);
	WANT_IS(kernel_call(SYS_connect, b, &to, length), 0);
	for (i = 0; i < 10000 && send_text(b, "y", 0) == 1; i++)
		;
	WANT(i > 5 && i < 10000);
	WANT_IS(send_text(b, "y", 0), -EAGAIN);
	WANT_IS(polled(b), 0);
	while (receive(a, buffer, 16, 0) == 1)
		;
	WANT_IS(polled(b), POLLOUT);
	WANT_IS(connect_to(a, "\0baton-d"), 0); /* to itself */
	from = (struct sockaddr_un){.sun_family = AF_UNSPEC};
	WANT_IS(kernel_call(SYS_connect, b, &from, 2), 0);
	WANT_IS(send_text(b, "x", 0), -ENOTCONN);
	WANT_IS(kernel_call(SYS_listen, b, 1), -EOPNOTSUPP);
	WANT_IS(kernel_call(SYS_accept, b, NULL, NULL), -EOPNOTSUPP);
}

static int big_fd;
static char big[300000], big_received[300000];

static void send_big(void)
{
	size_t done = 0;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 1000);
	while (done < sizeof(big)) {
		long n = write(big_fd, big + done, sizeof(big) - done);

		WANT(n > 0);
		done += (size_t)n;
	}
}

static void wait_all(void)
{
	int fds[2];
	pid_t pid;

	pair(SOCK_STREAM, fds);
	big_fd = fds[0];
	pid = start(send_big);
	WANT_IS(receive(fds[1], big_received, sizeof(big_received), MSG_WAITALL),
		(long)sizeof(big_received));
	for (size_t i = 0; i < sizeof(big); i++)
		WANT(big_received[i] == (char)(i * 7 + i / 1000));
	WANT_ENDS(pid, 0);
}

static void fills(void)
{
	static char page[4096];
	int fds[2];

	pair(SOCK_STREAM | SOCK_NONBLOCK, fds);
	while (write(fds[0], page, sizeof(page)) > 0)
		;
	WANT_IS(errno, EAGAIN);
	WANT_IS(polled(fds[0]), 0);
	while (read(fds[1], page, sizeof(page)) > 0)
		;
	WANT_IS(polled(fds[0]), POLLOUT);
}

static void ends(void)
{
	char buffer[8];
	int fds[2];

	for (int i = 0; i < 3; i += 2) {
		pair(kinds[i], fds);
		WANT_IS(send_text(fds[0], "ab", 0), 2);
		WANT_IS(kernel_call(SYS_shutdown, fds[0], 5), -EINVAL);
		WANT_IS(kernel_call(SYS_shutdown, fds[0], SHUT_WR), 0);
		WANT_IS(send_text(fds[0], "x", MSG_NOSIGNAL), -EPIPE);
		WANT_IS(polled(fds[1]), POLLIN | POLLOUT | POLLRDHUP);
		WANT_IS(receive(fds[1], buffer, 8, 0), 2);
		WANT_IS(receive(fds[1], buffer, 8, 0), 0);
		WANT_IS(send_text(fds[1], "x", 0), 1);
		close(fds[0]); /* with a message that nobody read */
		WANT_IS(polled(fds[1]) & (POLLERR | POLLHUP), POLLERR | POLLHUP);
		if (kinds[i] == SOCK_SEQPACKET)
			WANT_IS(send_text(fds[1], "x", MSG_NOSIGNAL), -ECONNRESET);
		WANT_IS(send_text(fds[1], "x", MSG_NOSIGNAL), -EPIPE);
	}
	pair(SOCK_STREAM, fds);
	close(fds[0]);
	(void)send_text(fds[1], "x", 0);
}

static void options(void)
{
	struct timeval time = {0, 30000};
	socklen_t size = sizeof(int);
	char buffer[8];
	int fds[2], value = 0;

	pair(SOCK_SEQPACKET, fds);
	WANT_IS(kernel_call(SYS_getsockopt, fds[0], SOL_SOCKET, SO_TYPE, &value, &size), 0);
	WANT_IS(value, SOCK_SEQPACKET);
	WANT_IS(kernel_call(SYS_getsockopt, fds[0], SOL_SOCKET, SO_DOMAIN, &value, &size), 0);
	WANT_IS(value, AF_UNIX);
	WANT_IS(kernel_call(SYS_getsockopt, fds[0], SOL_SOCKET, SO_ACCEPTCONN, &value, &size), 0);
	WANT_IS(value, 0);
	WANT_IS(kernel_call(SYS_getsockopt, fds[0], SOL_SOCKET, 999, &value, &size), -ENOPROTOOPT);
	WANT_IS(kernel_call(SYS_setsockopt, fds[0], SOL_SOCKET, SO_TYPE, &value, size),
		-ENOPROTOOPT);
	value = 5000;
	WANT_IS(kernel_call(SYS_setsockopt, fds[0], SOL_SOCKET, SO_SNDBUF, &value, size), 0);
	WANT_IS(kernel_call(SYS_getsockopt, fds[0], SOL_SOCKET, SO_SNDBUF, &value, &size), 0);
	WANT_IS(value, 10000);
	WANT_IS(kernel_call(SYS_sendto, fds[0], big, 10000, 0, NULL, 0), -EMSGSIZE);
	WANT_IS(kernel_call(SYS_setsockopt, fds[0], SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)),
		0);
	WANT_IS(receive(fds[0], buffer, 8, 0), -EAGAIN);
	value = 1;
	WANT_IS(kernel_call(SYS_setsockopt, fds[0], SOL_SOCKET, SO_REUSEADDR, &value, size), 0);
}

static void edges(void)
{
	char buffer[8];
	int fds[2], epoll = make_epoll();

	pair(SOCK_STREAM, fds);
	add(epoll, fds[1], EPOLLIN | EPOLLRDHUP | EPOLLET);
	WANT_IS(told(epoll, fds[1]), 0);
	WANT_IS(send_text(fds[0], "a", 0), 1);
	WANT_IS(told(epoll, fds[1]), EPOLLIN);
	WANT_IS(told(epoll, fds[1]), 0);
	WANT_IS(receive(fds[1], buffer, 8, 0), 1);
	WANT_IS(told(epoll, fds[1]), 0);
	WANT_IS(kernel_call(SYS_shutdown, fds[0], SHUT_WR), 0);
	WANT_IS(told(epoll, fds[1]), EPOLLIN | EPOLLRDHUP);
	close(fds[0]);
	WANT_IS(told(epoll, fds[1]), EPOLLIN | EPOLLRDHUP | EPOLLHUP);
}

static const struct test_case cases[] = {
	CASE(families, "socket, socketpair: families, types, flags"),
	CASE(names, "bind: names that are no paths"),
	CASE(paths, "bind, connect: paths, rights, unlink"),
	CASE(named_already, "bind, sendto: of what has a name already"),
	CASE(connections, "listen, connect, accept, and their ends"),
	CASE(backlog, "a full backlog"),
	CASE(stream_data, "stream: data"),
	CASE(message_data, "datagrams, packets: data"),
	CASE(datagrams, "datagrams: to a name, to a peer, room"),
	CASE(wait_all, "MSG_WAITALL of 300,000 bytes"),
	CASE(fills, "a full stream, and room"),
	CASE_ENDS(ends, KILLED(SIGPIPE), "shutdown, close: EPIPE, ECONNRESET, SIGPIPE"),
	CASE(options, "options"),
	CASE(edges, "edges"),
};

static void all(int argc, char **argv)
{
	char path[64];

	snprintf(suffix, sizeof suffix, "-%d", (int)getpid());
	snprintf(directory, sizeof directory, "/tmp/baton-unix%s", suffix);
	run_cases(cases, COUNT(cases), argc, argv);
	snprintf(path, sizeof path, "%s/s", directory);
	unlink(path);
	rmdir(directory);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
