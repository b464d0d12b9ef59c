/* SPDX-License-Identifier: MIT */
/*
 * Pseudo-terminals: the multiplexer, devpts, both ends' lives, packet mode, sizes. (tty.c has the line
 * discipline, job.c sessions and groups.)
 */
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "pty.h"

static volatile int handled;

static void on_signal(int number)
{
	handled = number;
}

/* ---- Opening ---- */

static void starts_locked(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), number = -1, on = -1;
	char name[32];

	WANT(master >= 0);
	WANT_IS(ioctl(master, TIOCGPTN, &number), 0);
	snprintf(name, sizeof name, "/dev/pts/%d", number);
	WANT_IS(ioctl(master, TIOCGPTLCK, &on), 0);
	WANT_IS(on, 1);
	WANT_IS(open(name, O_RDWR | O_NOCTTY), -1);
	WANT_IS(errno, EIO);
	on = 0;
	WANT_IS(ioctl(master, TIOCSPTLCK, &on), 0);
	WANT(open(name, O_RDWR | O_NOCTTY) >= 0);
	WANT_IS(ioctl(master, TIOCSPTLCK, NULL), -1);
	WANT_IS(errno, EFAULT);
}

static void library_opens(void)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	char name[64], again[64];
	int slave;

	WANT(master >= 0);
	WANT_IS(grantpt(master), 0);
	WANT_IS(unlockpt(master), 0);
	WANT_IS(ptsname_r(master, name, sizeof name), 0);
	slave = open(name, O_RDWR | O_NOCTTY);
	WANT(slave >= 0);
	WANT(isatty(slave) && isatty(master));
	WANT_IS(ttyname_r(slave, again, sizeof again), 0);
	WANT(!strcmp(name, again));
}

static void node_is_right(void)
{
	struct pair pair = open_pair();
	struct stat by_name, by_fd;
	struct statfs fs;

	WANT_IS(stat(pair.name, &by_name), 0);
	WANT_IS(fstat(pair.slave, &by_fd), 0);
	WANT(S_ISCHR(by_name.st_mode));
	WANT_IS(major(by_name.st_rdev), 136);
	WANT_IS(minor(by_name.st_rdev), atoi(pair.name + 9));
	WANT_IS(by_name.st_uid, geteuid());
	WANT_IS(by_name.st_mode & 0757, 0600); /* as it is mounted */
	WANT_IS(by_name.st_ino, by_fd.st_ino);
	WANT_IS(statfs(pair.name, &fs), 0);
	WANT_IS(fs.f_type, 0x1cd1);
	WANT_IS(chmod(pair.name, 0600), 0);
	WANT_IS(fstat(pair.slave, &by_fd), 0);
	WANT_IS(by_fd.st_mode & 0777, 0600);
	WANT_IS(unlink(pair.name), -1);
	WANT_IS(errno, EPERM);
}

static void node_goes(void)
{
	struct pair pair = open_pair();
	int way = open(pair.name, O_PATH);
	char link[64];

	snprintf(link, sizeof link, "/proc/self/fd/%d", way);
	close(open(link, O_RDWR | O_NOCTTY));
	close(pair.master);
	WANT_IS(open(pair.name, O_RDWR | O_NOCTTY), -1);
	WANT_IS(errno, ENOENT);
	WANT_IS(open(link, O_RDWR | O_NOCTTY), -1);
	WANT_IS(errno, EIO);
}

static void numbers_are_lowest(void)
{
	struct pair a, b = open_master(), again;

	for (int i = 0; i < 1000; i++) { /* where others take the number at once */
		a = open_master();
		close(a.master);
		again = open_master();
		if (atoi(again.name + 9) <= atoi(a.name + 9))
			break;
		close(again.master);
	}
	WANT(atoi(again.name + 9) <= atoi(a.name + 9));
	WANT(strcmp(again.name, b.name) != 0);
}

static void peer_opens(void)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY), slave;
	char name[64], expected[64];
	int number = -1;

	WANT(master >= 0);
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 && errno == EIO) { /* older kernels want it unlocked */
		int off = 0;

		WANT_IS(ioctl(master, TIOCSPTLCK, &off), 0);
		slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	}
	WANT(slave >= 0);
	WANT_IS(fcntl(slave, F_GETFD), FD_CLOEXEC);
	WANT_IS(ioctl(master, TIOCGPTN, &number), 0);
	snprintf(expected, sizeof expected, "/dev/pts/%d", number);
	WANT_IS(ttyname_r(slave, name, sizeof name), 0);
	WANT(!strcmp(name, expected));
	put_text(slave, "x");
	want_text(master, "x");
}

static void slave_knows_no_master_calls(void)
{
	struct pair pair = open_pair();
	int number = 0;

	WANT_IS(ioctl(pair.slave, TIOCGPTN, &number), -1);
	WANT_IS(errno, ENOTTY);
	WANT_IS(ioctl(pair.slave, TIOCPKT, &number), -1);
	WANT_IS(errno, ENOTTY);
	WANT_IS(ioctl(pair.slave, 0x5499, &number), -1);
	WANT_IS(errno, ENOTTY);
	WANT_IS(lseek(pair.master, 0, SEEK_CUR), -1);
	WANT_IS(errno, ESPIPE);
}

/* ---- Bytes ---- */

static void bytes_both_ways(void)
{
	struct pair pair = open_pair();
	char bytes[16];
	int count = -1;

	put_text(pair.slave, "out\n");
	want_text(pair.master, "out\r\n");
	put_text(pair.master, "in\r");
	want_text(pair.master, "in\r\n");
	WANT_IS(ioctl(pair.slave, FIONREAD, &count), 0);
	WANT_IS(count, 3);
	WANT_IS(read(pair.slave, bytes, sizeof bytes), 3);
	WANT(!memcmp(bytes, "in\n", 3));
	put_text(pair.slave, "1234");
	wait_polls(pair.master, POLLIN, POLLIN);
	WANT_IS(ioctl(pair.master, FIONREAD, &count), 0);
	WANT_IS(count, 4);
}

static void many_bytes(void)
{
	enum { TOTAL = 1 << 20 };
	struct pair pair = open_pair();
	static unsigned char bytes[8192];
	size_t done = 0;
	pid_t pid;

	set_raw(pair.slave, 1, 0);
	pid = fork();
	if (pid == 0) {
		for (size_t i = 0; i < sizeof bytes; i++)
			bytes[i] = (unsigned char)(i * 7 >> 3);
		for (size_t sent = 0; sent < TOTAL; sent += sizeof bytes)
			WANT_IS(write(pair.slave, bytes, sizeof bytes), sizeof bytes);
		_exit(0);
	}
	while (done < TOTAL) {
		ssize_t got = read(pair.master, bytes, sizeof bytes);

		WANT(got > 0);
		for (ssize_t i = 0; i < got; i++, done++)
			WANT(bytes[i] == (unsigned char)(done % sizeof bytes * 7 >> 3));
	}
	WANT_ENDS(pid, 0);
	pid = fork();
	if (pid == 0) {
		for (size_t sent = 0; sent < TOTAL / 4; sent += sizeof bytes)
			WANT_IS(write(pair.master, bytes, sizeof bytes), sizeof bytes);
		_exit(0);
	}
	for (done = 0; done < TOTAL / 4;) {
		ssize_t got = read(pair.slave, bytes, sizeof bytes);

		WANT(got > 0);
		done += (size_t)got;
	}
	WANT_ENDS(pid, 0);
}

static void nonblocking(void)
{
	struct pair pair = open_pair();
	char bytes[1024] = "";
	long total = 0, got = 0;

	set_raw(pair.slave, 1, 0);
	WANT_IS(fcntl(pair.master, F_SETFL, O_NONBLOCK), 0);
	WANT_IS(fcntl(pair.slave, F_SETFL, O_NONBLOCK), 0);
	WANT_IS(read(pair.master, bytes, 1), -1);
	WANT_IS(errno, EAGAIN);
	WANT_IS(read(pair.slave, bytes, 1), -1);
	WANT_IS(errno, EAGAIN);
	WANT_IS(polls(pair.slave, POLLIN | POLLOUT), POLLOUT);
	do { /* what is on its way to the other end makes room */
		while ((got = write(pair.slave, bytes, sizeof bytes)) > 0)
			total += got;
		WANT_IS(errno, EAGAIN);
	} while (polls(pair.slave, POLLIN | POLLOUT));
	WANT(total >= 4096);
	while (total > 0) {
		wait_polls(pair.master, POLLIN, POLLIN);
		got = read(pair.master, bytes, sizeof bytes);
		WANT(got > 0);
		total -= got;
	}
	wait_polls(pair.slave, POLLOUT, POLLOUT);
	for (total = 0; (got = write(pair.master, bytes, sizeof bytes)) > 0;)
		total += got;
	WANT_IS(errno, EAGAIN);
	WANT(total >= 4095);
	for (got = 1; got > 0;)
		got = read(pair.slave, bytes, sizeof bytes);
	wait_polls(pair.master, POLLOUT, POLLOUT);
}

static void reader_wakes(void)
{
	struct pair pair = open_pair();
	pid_t pid = fork();

	if (pid == 0) {
		sleep_ms(50);
		put_text(pair.slave, "late");
		_exit(0);
	}
	want_text(pair.master, "late");
	WANT_ENDS(pid, 0);
}

/* ---- Ends ---- */

static void slave_closed(void)
{
	struct pair pair = open_pair();
	char byte;

	put_text(pair.slave, "last");
	close(pair.slave);
	wait_polls(pair.master, POLLIN, POLLHUP);
	want_text(pair.master, "last");
	WANT_IS(read(pair.master, &byte, 1), -1);
	WANT_IS(errno, EIO);
	WANT(polls(pair.master, POLLIN) & POLLHUP);
	pair.slave = open_slave(&pair);
	WANT(!(polls(pair.master, POLLIN) & POLLHUP));
	put_text(pair.slave, "again");
	want_text(pair.master, "again");
}

static void slave_not_yet_open(void)
{
	struct pair pair = open_master();

	WANT(!(polls(pair.master, POLLIN) & POLLHUP));
	put_text(pair.master, "before\r");
	want_text(pair.master, "before\r\n");
	pair.slave = open_slave(&pair);
	want_text(pair.slave, "before\n");
}

static void slave_closes_under_reader(void)
{
	struct pair pair = open_pair();
	pid_t self = getpid(), pid = fork();
	char byte;

	if (pid == 0) {
		until_asleep(self);
		_exit(0);
	}
	close(pair.slave);
	WANT_IS(read(pair.master, &byte, 1), -1);
	WANT_IS(errno, EIO);
	WANT_ENDS(pid, 0);
}

static void master_closed(void)
{
	struct pair pair = open_pair();
	struct termios termios;
	char byte;
	int group = 1;

	put_text(pair.master, "lost\r");
	close(pair.master);
	WANT_IS(read(pair.slave, &byte, 1), 0);
	WANT_IS(write(pair.slave, "x", 1), -1);
	WANT_IS(errno, EIO);
	WANT_IS(tcgetattr(pair.slave, &termios), -1);
	WANT_IS(errno, EIO);
	WANT_IS(ioctl(pair.slave, TIOCSPGRP, &group), -1);
	WANT_IS(errno, ENOTTY);
	WANT_IS(polls(pair.slave, POLLIN | POLLOUT), POLLIN | POLLOUT | POLLERR | POLLHUP);
}

static void master_closes_under_reader(void)
{
	struct pair pair = open_pair();
	pid_t self = getpid(), pid = fork();
	char byte;

	if (pid == 0) {
		until_asleep(self);
		_exit(0);
	}
	close(pair.master);
	WANT_IS(read(pair.slave, &byte, 1), -1);
	WANT_IS(errno, EIO);
	WANT_ENDS(pid, 0);
}

static void master_closes_under_writer(void)
{
	struct pair pair = open_pair();
	static char bytes[65536];
	pid_t self = getpid(), pid = fork();
	long got;

	if (pid == 0) {
		until_asleep(self);
		_exit(0);
	}
	close(pair.master);
	do {
		got = write(pair.slave, bytes, sizeof bytes);
	} while (got > 0);
	WANT_IS(errno, EIO);
	WANT_ENDS(pid, 0);
}

/* ---- Sizes ---- */

static void sizes(void)
{
	const struct winsize size = {.ws_row = 33, .ws_col = 77, .ws_xpixel = 5, .ws_ypixel = 6};
	struct pair pair = open_pair();
	struct winsize found;

	WANT_IS(ioctl(pair.slave, TIOCGWINSZ, &found), 0);
	WANT(!found.ws_row && !found.ws_col && !found.ws_xpixel);
	WANT_IS(ioctl(pair.master, TIOCSWINSZ, &size), 0);
	WANT_IS(ioctl(pair.slave, TIOCGWINSZ, &found), 0);
	WANT(!memcmp(&found, &size, sizeof size));
	WANT_IS(ioctl(pair.master, TIOCGWINSZ, &found), 0);
	WANT(!memcmp(&found, &size, sizeof size));
}

static void resize_tells(void)
{
	const struct winsize size = {.ws_row = 10, .ws_col = 20};
	struct pair pair = open_pair();
	struct gate ready = make_gate();
	pid_t pid = fork();

	if (pid == 0) {
		lead_session(pair.slave);
		handle(SIGWINCH, on_signal, 0);
		block(SIGWINCH);
		open_gate(ready);
		while (!handled)
			sigsuspend(&(sigset_t){0});
		WANT_IS(ioctl(pair.master, TIOCSWINSZ, &size), 0); /* the same: no signal */
		handled = 0;
		WANT(!is_pending(SIGWINCH));
		_exit(0);
	}
	wait_gate(ready);
	WANT_IS(ioctl(pair.master, TIOCSWINSZ, &size), 0);
	WANT_ENDS(pid, 0);
}

/* ---- Packet mode ---- */

static void want_packet(int fd, int bits, const char *text)
{
	char found[64];
	long got = read(fd, found, sizeof found);

	WANT_IS(got, 1 + (long)strlen(text));
	WANT_IS((unsigned char)found[0], bits);
	WANT(!memcmp(found + 1, text, strlen(text)));
}

static void packets(void)
{
	struct pair pair = open_pair();
	int on = 1;

	WANT_IS(ioctl(pair.master, TIOCPKT, &on), 0);
	on = 0;
	WANT_IS(ioctl(pair.master, TIOCGPKT, &on), 0);
	WANT_IS(on, 1);
	put_text(pair.slave, "data");
	wait_polls(pair.master, POLLIN | POLLPRI, POLLIN);
	WANT_IS(polls(pair.master, POLLIN | POLLPRI), POLLIN);
	want_packet(pair.master, TIOCPKT_DATA, "data");
	WANT_IS(tcflow(pair.slave, TCOOFF), 0);
	WANT_IS(polls(pair.master, POLLIN | POLLPRI), POLLIN | POLLPRI);
	want_packet(pair.master, TIOCPKT_STOP, "");
	WANT_IS(tcflow(pair.slave, TCOON), 0);
	want_packet(pair.master, TIOCPKT_START, "");
	WANT_IS(tcflush(pair.slave, TCIFLUSH), 0);
	want_packet(pair.master, TIOCPKT_FLUSHREAD, "");
	WANT_IS(tcflush(pair.slave, TCOFLUSH), 0);
	want_packet(pair.master, TIOCPKT_FLUSHWRITE, "");
	put_text(pair.slave, "kept");
	wait_polls(pair.master, POLLIN | POLLPRI, POLLIN);
	WANT_IS(tcflush(pair.slave, TCOFLUSH), 0); /* it has arrived */
	want_packet(pair.master, TIOCPKT_FLUSHWRITE, "");
	want_packet(pair.master, TIOCPKT_DATA, "kept");
	WANT_IS(tcflush(pair.master, TCIOFLUSH), 0); /* it is the slave's that is told */
	set_flags(pair.slave, 0, 0, 0);
	want_packet(pair.master, TIOCPKT_NOSTOP, "");
	set_flags(pair.slave, IXON, 0, 0);
	want_packet(pair.master, TIOCPKT_DOSTOP, "");
	set_flags(pair.slave, IXON, 0, EXTPROC);
	want_packet(pair.master, TIOCPKT_IOCTL, "");
}

/* By which rlogind and telnetd know that what the user does not want to see any more may be dropped. */
static void device_numbers(void)
{
	struct pair pair = open_pair();
	unsigned number = 0;
	struct stat st;

	WANT_IS(fstat(pair.slave, &st), 0);
	WANT_IS(ioctl(pair.slave, TIOCGDEV, &number), 0);
	WANT_IS(number, st.st_rdev);
}

static void flushed_by_signal_keys(void)
{
	struct pair pair = open_pair();
	char byte, found[8];
	int on = 1, bits = 0;

	set_flags(pair.slave, 0, 0, ISIG);
	WANT_IS(ioctl(pair.master, TIOCPKT, &on), 0);
	put_text(pair.slave, "output");
	wait_polls(pair.master, POLLIN | POLLPRI, POLLIN);
	put_text(pair.master, "\003");
	while (bits != (TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE)) {
		WANT(read(pair.master, found, sizeof found) >= 1);
		byte = found[0];
		WANT(byte & (TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE) || byte == TIOCPKT_DATA);
		bits |= byte;
	}
}

static void typed_at_master(void)
{
	struct pair pair = open_pair();
	char byte = 'X';

	if (geteuid() != 0)
		skip("only root may");
	WANT_IS(ioctl(pair.master, TIOCSTI, BAD), -1);
	WANT_IS(errno, EFAULT);
	put_text(pair.slave, "one");
	wait_polls(pair.master, POLLIN, POLLIN);
	WANT_IS(ioctl(pair.master, TIOCSTI, &byte), 0);
	want_text(pair.master, "oneX");
	close(pair.slave);
	byte = '\003';
	WANT_IS(ioctl(pair.master, TIOCSTI, &byte), 0);
	want_text(pair.master, "\003");
	WANT_IS(read(pair.master, &byte, 1), -1);
	WANT_IS(errno, EIO);
	if (setresuid(NOBODY, NOBODY, NOBODY))
		skip("no other user");
	WANT_IS(ioctl(open_pair().master, TIOCSTI, &byte), -1);
	WANT(errno == EPERM || errno == EIO); /* newer kernels forbid it before */
}

static void signals_by_master(void)
{
	struct pair pair = open_pair();
	struct gate ready = make_gate();
	pid_t pid = fork();

	if (pid == 0) {
		lead_session(pair.slave);
		open_gate(ready);
		just_wait();
	}
	wait_gate(ready);
	WANT_IS(ioctl(pair.master, TIOCSIG, SIGKILL), -1);
	WANT_IS(errno, EINVAL);
	WANT_IS(ioctl(pair.master, TIOCSIG, SIGQUIT), 0);
	WANT_ENDS(pid, SIGQUIT);
}

static const struct test_case cases[] = {
	CASE(starts_locked, "ptmx: the slave is locked until TIOCSPTLCK"),
	CASE(library_opens, "posix_openpt, grantpt, unlockpt, ptsname, ttyname"),
	CASE(node_is_right, "devpts: number, owner, mode, file system; chmod; no unlink"),
	CASE(node_goes, "devpts: the node goes with the master"),
	CASE(numbers_are_lowest, "devpts: the lowest free number is given"),
	CASE(peer_opens, "TIOCGPTPEER opens the slave"),
	CASE(slave_knows_no_master_calls, "ioctls that an end does not know: ENOTTY"),
	CASE(bytes_both_ways, "bytes both ways, FIONREAD at both ends"),
	CASE(many_bytes, "a megabyte out, and in, with nothing lost"),
	CASE(nonblocking, "O_NONBLOCK: EAGAIN at both ends, empty and full; poll says so"),
	CASE(reader_wakes, "a sleeping reader of the master wakes"),
	CASE(slave_closed, "the slave closed: data, then EIO and POLLHUP; opened again"),
	CASE(slave_not_yet_open, "the slave not yet opened: no hang-up, what is typed is kept"),
	CASE(slave_closes_under_reader, "the slave closes while the master reads: EIO"),
	CASE(master_closed, "the master closed: end of file, EIO, POLLHUP"),
	CASE(master_closes_under_reader, "the master closes while the slave reads: EIO"),
	CASE(master_closes_under_writer, "the master closes while the slave writes: EIO"),
	CASE(sizes, "window sizes are the same at both ends"),
	CASE(resize_tells, "a new size: SIGWINCH to the foreground group"),
	CASE(packets, "packet mode: data, stop, start, flushes, settings"),
	CASE(device_numbers, "TIOCGDEV"),
	CASE(flushed_by_signal_keys, "packet mode: signal keys flush both ways"),
	CASE(typed_at_master, "TIOCSTI at the master: it reads the byte itself"),
	CASE(signals_by_master, "TIOCSIG: three signals by the master"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
