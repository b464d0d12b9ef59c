/* SPDX-License-Identifier: MIT */
/* Which files send signals when they can be read or written, and when: sockets, terminals, inotify. See sigio.c. */
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#include "sigio.h"

static struct gate began, go;

/* ---- Sockets ---- */

static void stream_tells(void)
{
	char byte;
	int fds[2];

	WANT_IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	ask(fds[0]);
	WANT_IS(write(fds[1], "xy", 2), 2);
	WANT_TOLD(fds[0], POLL_IN, IN_BAND);
	WANT_IS(write(fds[1], "xy", 2), 2);
	WANT_TOLD(fds[0], POLL_IN, IN_BAND);
	WANT_IS(read(fds[0], &byte, 1), 1);
	WANT_IS(shutdown(fds[1], SHUT_WR), 0);
	WANT_TOLD(fds[0], POLL_IN, IN_BAND);
	WANT_IS(shutdown(fds[1], SHUT_RDWR), 0);
	WANT_TOLD(fds[0], POLL_HUP, HUP_BAND);
	WANT_IS(close(fds[1]), 0);
	WANT_TOLD(fds[0], POLL_HUP, HUP_BAND);
}

/* Room is told of to who found none. */
static void stream_room(void)
{
	static char bytes[65536];
	int fds[2];

	WANT_IS(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
	ask(fds[0]);
	WANT_IS(write(fds[0], "x", 1), 1);
	WANT_IS(read(fds[1], bytes, 1), 1);
	WANT_SILENCE();
	while (write(fds[0], bytes, sizeof bytes) > 0)
		;
	WANT_IS(errno, EAGAIN);
	WANT_SILENCE();
	while (read(fds[1], bytes, sizeof bytes) > 0)
		;
	WANT_TOLD(fds[0], POLL_OUT, OUT_BAND);
}

static void datagrams_tell(void)
{
	int fds[2];

	WANT_IS(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	ask(fds[0]);
	WANT_IS(write(fds[1], "xy", 2), 2);
	WANT_TOLD(fds[0], POLL_IN, IN_BAND);
	WANT_IS(close(fds[1]), 0);
	WANT_SILENCE();
}

static void packets_tell(void)
{
	int fds[2];

	WANT_IS(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	ask(fds[0]);
	WANT_IS(write(fds[1], "xy", 2), 2);
	WANT_TOLD(fds[0], POLL_IN, IN_BAND);
	WANT_IS(close(fds[1]), 0);
	WANT_TOLD(fds[0], POLL_HUP, HUP_BAND);
}

static void listener_tells(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(sa_family_t);
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);

	WANT_IS(bind(server, (void *)&name, length), 0); /* by a number that is free */
	length = sizeof name;
	WANT_IS(getsockname(server, (void *)&name, &length), 0);
	WANT_IS(listen(server, 3), 0);
	ask(server);
	WANT_IS(connect(client, (void *)&name, length), 0);
	WANT_TOLD(server, POLL_IN, IN_BAND);
	WANT(accept(server, NULL, NULL) >= 0);
	WANT_SILENCE();
}

static void socket_ioctls(void)
{
	int fds[2], pid = getpid(), none = 0x3ffffff0;

	WANT_IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	WANT_IS(kernel_call(SYS_ioctl, fds[0], 0x8902 /* SIOCSPGRP */, &pid), 0);
	WANT_IS(control(fds[0], F_GETOWN, 0), pid);
	pid = -getpgrp();
	WANT_IS(kernel_call(SYS_ioctl, fds[0], 0x8901 /* FIOSETOWN */, &pid), 0);
	pid = 0;
	WANT_IS(kernel_call(SYS_ioctl, fds[0], 0x8903 /* FIOGETOWN */, &pid), 0);
	WANT_IS(pid, -getpgrp());
	pid = 0;
	WANT_IS(kernel_call(SYS_ioctl, fds[0], 0x8904 /* SIOCGPGRP */, &pid), 0);
	WANT_IS(pid, -getpgrp());
	WANT_IS(kernel_call(SYS_ioctl, fds[0], 0x8901, &none), -ESRCH);
	WANT_IS(kernel_call(SYS_ioctl, fds[0], 0x8901, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_ioctl, fds[0], 0x8903, BAD), -EFAULT);
	WANT_IS(pipe(fds), 0);
	WANT_IS(kernel_call(SYS_ioctl, fds[0], 0x8901, &pid), -ENOTTY);
}

/* What nginx's master does: a worker is told of what comes through its channel. */
static void worker_is_told(void)
{
	int fds[2], on = 1;
	pid_t pid;

	block(SIGIO);
	began = make_gate();
	go = make_gate();
	WANT_IS(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	WANT_IS(control(fds[0], F_SETFL, O_NONBLOCK), 0);
	WANT_IS(kernel_call(SYS_ioctl, fds[0], FIOASYNC, &on), 0);
	WANT_IS(control(fds[0], F_SETOWN, getpid()), 0);
	pid = fork();
	if (pid == 0) {
		open_gate(began);
		wait_gate(go);
		WANT(!is_pending(SIGIO));
		_exit(0);
	}
	wait_gate(began);
	WANT_IS(write(fds[1], "quit", 4), 4);
	WANT(is_pending(SIGIO));
	open_gate(go);
	WANT_ENDS(pid, 0);
}

/* ---- Terminals ---- */

static int open_pair(int *slave)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), unlock = 0, number;
	char path[32];

	WANT(master >= 0);
	WANT_IS(ioctl(master, TIOCSPTLCK, &unlock), 0);
	WANT_IS(ioctl(master, TIOCGPTN, &number), 0);
	snprintf(path, sizeof path, "/dev/pts/%d", number);
	*slave = open(path, O_RDWR | O_NOCTTY);
	WANT(*slave >= 0);
	return master;
}

/* As got, of what a work of the kernel's own may send a little later. */
static void want_later(int fd, int code, long band)
{
	sigset_t set = set_of(SIGNAL);
	siginfo_t info;

	while (sigwaitinfo(&set, &info) != SIGNAL)
		;
	WANT_IS(info.si_code, code);
	WANT_IS(info.si_fd, fd);
	WANT_IS(info.si_band, band);
}

static void slave_tells(void)
{
	struct termios termios;
	char line[8];
	int slave, master = open_pair(&slave);

	ask(slave);
	WANT_IS(write(master, "ab", 2), 2);
	WANT_IS(write(master, "c\n", 2), 2);
	want_later(slave, POLL_IN, IN_BAND);
	WANT_IS(read(slave, line, sizeof line), 4);
	WANT_SILENCE(); /* of half a line there was none */
	WANT_IS(tcgetattr(slave, &termios), 0);
	termios.c_lflag &= ~(tcflag_t)ICANON;
	WANT_IS(tcsetattr(slave, TCSANOW, &termios), 0);
	WANT_IS(write(master, "x", 1), 1);
	want_later(slave, POLL_IN, IN_BAND);
}

static void master_tells(void)
{
	int slave, master = open_pair(&slave);

	ask(master);
	WANT_IS(write(slave, "abc", 3), 3);
	want_later(master, POLL_IN, IN_BAND);
}

/* Who asks owns it, where nobody does: the group in the foreground, if there is one. */
static void terminal_owner(void)
{
	int slave, master = open_pair(&slave);

	WANT_IS(control(slave, F_SETFL, O_RDWR | O_ASYNC), 0);
	WANT_IS(control(slave, F_GETOWN, 0), getpid());
	WANT_IS(owner_of(slave).type, OWNER_PROCESS);
	WANT_IS(control(slave, F_SETFL, O_RDWR), 0);
	WANT_IS(control(slave, F_SETOWN, -getpgrp()), 0);
	WANT_IS(control(slave, F_SETFL, O_RDWR | O_ASYNC), 0);
	WANT_IS(owner_of(slave).type, OWNER_GROUP); /* it had one */
	WANT_IS(control(master, F_SETFL, O_RDWR | O_ASYNC), 0);
	WANT_IS(control(master, F_GETOWN, 0), getpid());
}

static void leader_asks(void)
{
	int slave;

	WANT(setsid() > 0);
	open_pair(&slave);
	WANT_IS(ioctl(slave, TIOCSCTTY, 0), 0);
	WANT_IS(control(slave, F_SETFL, O_RDWR | O_ASYNC), 0);
	WANT_IS(owner_of(slave).type, OWNER_GROUP);
	WANT_IS(owner_of(slave).pid, getpgrp());
}

static void foreground_owns(void)
{
	WANT_ENDS(start(leader_asks), 0);
}

/* A terminal that has been hung up tells nobody, and cannot be asked. */
static void hang_up_ends_it(void)
{
	int slave, master = open_pair(&slave), on = 1;

	ask(slave);
	WANT_IS(close(master), 0);
	WANT(!is_async(slave));
	WANT_IS(kernel_call(SYS_ioctl, slave, FIOASYNC, &on), -ENOTTY);
	WANT_IS(control(slave, F_SETFL, O_RDWR | O_ASYNC), -ENOTTY);
}

/* A write that found too little room is told when there is some. */
static void slave_room(void)
{
	static char bytes[4096];
	struct termios termios;
	int slave, master = open_pair(&slave);
	siginfo_t info = {.si_code = 0};

	WANT_IS(tcgetattr(slave, &termios), 0);
	termios.c_oflag &= ~(tcflag_t)OPOST;
	WANT_IS(tcsetattr(slave, TCSANOW, &termios), 0);
	ask(slave);
	WANT_IS(control(slave, F_SETFL, O_RDWR | O_ASYNC | O_NONBLOCK), 0);
	while (write(slave, bytes, sizeof bytes) == (long)sizeof bytes)
		;
	WANT_IS(control(master, F_SETFL, O_RDWR | O_NONBLOCK), 0);
	while (!got(SIGNAL, &info))
		WANT(read(master, bytes, sizeof bytes) > 0 || errno == EAGAIN);
	WANT_IS(info.si_code, POLL_OUT);
	WANT_IS(info.si_fd, slave);
}

/* ---- inotify ---- */

static void inotify_tells(void)
{
	char path[] = "/tmp/sigio-XXXXXX";
	int fd = inotify_init1(IN_NONBLOCK);

	WANT(mkdtemp(path));
	WANT(inotify_add_watch(fd, path, IN_DELETE_SELF) >= 0);
	ask(fd);
	WANT_IS(rmdir(path), 0);
	/* IN_DELETE_SELF and IN_IGNORED */
	for (int i = 0; i < 2; i++) {
		siginfo_t info;

		WANT(got(SIGNAL, &info));
		WANT_IS(info.si_code, POLL_IN);
		WANT_IS(info.si_fd, fd);
	}
	WANT_SILENCE();
}

static const struct test_case cases[] = {
	CASE(stream_tells, "stream socket: bytes, shutdown, end"),
	CASE(stream_room, "stream socket: room, to who found none"),
	CASE(datagrams_tell, "datagram socket"),
	CASE(packets_tell, "packet socket"),
	CASE(listener_tells, "listening socket: a connection"),
	CASE(socket_ioctls, "FIOSETOWN, SIOCSPGRP, FIOGETOWN, SIOCGPGRP"),
	CASE(worker_is_told, "a channel as nginx makes it"),
	CASE(slave_tells, "terminal: a line, a byte"),
	CASE(master_tells, "pty's master: output"),
	CASE(terminal_owner, "terminal: who asks owns it"),
	CASE(foreground_owns, "terminal: the foreground group owns it"),
	CASE(hang_up_ends_it, "terminal: a hang-up ends it"),
	CASE(slave_room, "terminal: room, to who found none"),
	CASE(inotify_tells, "inotify: each event"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
