/* SPDX-License-Identifier: MIT */
/*
 * The terminal of a pty: reads by VMIN and VTIME, flow control, the settings' ioctls, what only root may.
 * (The line discipline byte by byte: kernel/devices/tty_line_test.c.)
 */
#include <sys/stat.h>

#include "pty.h"

static char bytes[64];

static void lines(void)
{
	struct pair pair = open_pair();

	put_text(pair.master, "one\rtwo\rpart");
	wait_polls(pair.slave, POLLIN, POLLIN);
	WANT_IS(read(pair.slave, bytes, 2), 2);
	WANT_IS(read(pair.slave, bytes, 60), 2);
	WANT_IS(read(pair.slave, bytes, 60), 4);
	want_nothing(pair.slave);
	put_text(pair.master, "\004\004");
	WANT_IS(read(pair.slave, bytes, 60), 4);
	WANT_IS(read(pair.slave, bytes, 60), 0);
}

static void least_without_time(void)
{
	struct pair pair = open_pair();
	int64_t began = now_ns();
	pid_t pid;

	set_raw(pair.slave, 3, 0);
	put_text(pair.master, "ab");
	want_nothing(pair.slave); /* poll waits for MIN too */
	pid = fork();
	if (pid == 0) {
		sleep_ms(100);
		put_text(pair.master, "c");
		_exit(0);
	}
	WANT_IS(read(pair.slave, bytes, 10), 3);
	WANT(now_ns() - began >= 100000000);
	put_text(pair.master, "d");
	WANT_IS(read(pair.slave, bytes, 1), 1); /* no more than asked for is waited for */
	WANT_ENDS(pid, 0);
}

static void least_with_time(void)
{
	struct pair pair = open_pair();
	pid_t pid;

	set_raw(pair.slave, 5, 2);
	pid = fork();
	if (pid == 0) {
		sleep_ms(400); /* longer than TIME, which starts with the first byte */
		put_text(pair.master, "ab");
		_exit(0);
	}
	want_text(pair.slave, "ab");
	WANT_ENDS(pid, 0);
}

static void time_alone(void)
{
	struct pair pair = open_pair();
	int64_t began = now_ns();

	set_raw(pair.slave, 0, 2);
	WANT_IS(read(pair.slave, bytes, 10), 0);
	WANT(now_ns() - began >= 190000000);
	put_text(pair.master, "ab");
	wait_polls(pair.slave, POLLIN, POLLIN);
	WANT_IS(read(pair.slave, bytes, 10), 2);
}

static void neither(void)
{
	struct pair pair = open_pair();

	set_raw(pair.slave, 0, 0);
	WANT_IS(read(pair.slave, bytes, 10), 0);
	WANT_IS(fcntl(pair.slave, F_SETFL, O_NONBLOCK), 0);
	WANT_IS(read(pair.slave, bytes, 10), 0);
	put_text(pair.master, "ab");
	wait_polls(pair.slave, POLLIN, POLLIN);
	WANT_IS(read(pair.slave, bytes, 10), 2);
	set_raw(pair.slave, 1, 0);
	WANT_IS(read(pair.slave, bytes, 10), -1);
	WANT_IS(errno, EAGAIN);
}

static void flow(void)
{
	struct pair pair = open_pair();
	pid_t pid;

	put_text(pair.master, "\023");
	wait_polls_none(pair.slave, POLLOUT);
	pid = fork();
	if (pid == 0) {
		put_text(pair.slave, "held");
		_exit(0);
	}
	want_nothing(pair.master);
	put_text(pair.master, "\021");
	want_text(pair.master, "held");
	WANT_ENDS(pid, 0);
	WANT_IS(tcflow(pair.slave, TCOOFF), 0);
	put_text(pair.master, "\021"); /* not for this stop */
	sleep_ms(30);
	WANT_IS(polls(pair.slave, POLLOUT), 0);
	WANT_IS(tcflow(pair.slave, TCOON), 0);
	WANT_IS(polls(pair.slave, POLLOUT), POLLOUT);
	WANT_IS(tcflow(pair.slave, TCIOFF), 0);
	want_text(pair.master, "\023");
	WANT_IS(tcflow(pair.slave, TCION), 0);
	want_text(pair.master, "\021");
	WANT_IS(ioctl(pair.slave, TCXONC, 7), -1);
	WANT_IS(errno, EINVAL);
}

/* What comes in one write: a signal key drops what was typed before it, echo too. (On Linux the first 256 bytes of
 * echo leave before it, and are dropped only if the master has not got them yet.) */
static void signal_keys_drop_echo(void)
{
	struct pair pair = open_pair();
	char text[200];

	put_text(pair.master, "abc\003");
	want_text(pair.master, "^C");
	put_text(pair.master, "\034\003\032");
	want_text(pair.master, "^Z");
	set_local(pair.slave, NOFLSH, 0);
	put_text(pair.master, "abc\003d\032");
	want_text(pair.master, "abc^Cd^Z");
	put_text(pair.master, "\025");
	want_text(pair.master, "\b \b");
	pair = open_pair();
	memset(text, 'x', sizeof text);
	strcpy(text + 190, "\003yy");
	put_text(pair.master, text);
	want_text(pair.master, "^Cyy");
}

static void wait_available(int fd, int wanted)
{
	int count = -1;

	while (count != wanted) {
		WANT_IS(ioctl(fd, FIONREAD, &count), 0);
		sleep_ms(1);
	}
}

static void held_echo(void)
{
	struct pair pair = open_pair();

	put_text(pair.master, "ab\023cd\r");
	wait_polls(pair.slave, POLLIN, POLLIN);
	want_nothing(pair.master);
	put_text(pair.master, "\021ef");
	want_text(pair.master, "abcd\r\nef");
	WANT_IS(tcflow(pair.slave, TCOOFF), 0);
	put_text(pair.master, "\003gh\r");
	wait_available(pair.slave, 3);
	WANT_IS(tcflow(pair.slave, TCOON), 0);
	want_nothing(pair.master);
	put_text(pair.slave, "written");
	want_text(pair.master, "^Cgh\r\nwritten");
}

/* More than is kept: the newest 3,807 bytes stay; two of them say that a line begins. */
static void much_held_echo(void)
{
	struct pair pair = open_pair();
	char line[1001], found[3807 - 3 * 2 + 4 + 2];

	put_text(pair.master, "\023");
	for (int i = 0; i < 4; i++) {
		memset(line, 'a' + i, 999);
		strcpy(line + 999, "\n");
		put_text(pair.master, line);
		wait_available(pair.slave, 1000 * (i + 1));
	}
	put_text(pair.master, "\021yz");
	for (size_t have = 0; have < sizeof found;) {
		ssize_t got = read(pair.master, found + have, sizeof found - have);

		WANT(got > 0);
		have += (size_t)got;
	}
	WANT(found[0] == 'a' && found[800] == '\r');
	WANT(!memcmp(found + sizeof found - 5, "d\r\nyz", 5));
}

/* Echo that finds the master's buffer full waits for room. */
static void echo_without_room(void)
{
	struct pair pair = open_pair();
	char text[4096];
	long full = 0, got;

	memset(text, 'o', sizeof text);
	WANT_IS(fcntl(pair.slave, F_SETFL, O_NONBLOCK), 0);
	while ((got = write(pair.slave, text, sizeof text)) > 0)
		full += got;
	WANT_IS(errno, EAGAIN);
	put_text(pair.master, "abc\r");
	wait_polls(pair.slave, POLLIN, POLLIN);
	for (; full; full -= got) {
		got = read(pair.master, text, full < 4096 ? (size_t)full : sizeof text);
		WANT(got > 0 && !memchr(text, 'a', (size_t)got));
	}
	put_text(pair.master, "d");
	want_text(pair.master, "abc\r\nd");
}

static void flushed_after_literal(void)
{
	struct pair pair = open_pair();

	put_text(pair.master, "\026");
	want_text(pair.master, "^\b");
	WANT_IS(tcflush(pair.slave, TCIFLUSH), 0);
	put_text(pair.master, "\003\r");
	WANT_IS(read(pair.slave, bytes, 10), 2);
	WANT(!memcmp(bytes, "\003\n", 2));
}

static void flushes(void)
{
	struct pair pair = open_pair();
	struct termios termios = settings_of(pair.slave);
	int count = -1;

	put_text(pair.master, "line\r");
	wait_polls(pair.slave, POLLIN, POLLIN);
	WANT_IS(tcsetattr(pair.slave, TCSADRAIN, &termios), 0);
	WANT_IS(ioctl(pair.slave, FIONREAD, &count), 0);
	WANT_IS(count, 5);
	WANT_IS(tcsetattr(pair.slave, TCSAFLUSH, &termios), 0);
	WANT_IS(ioctl(pair.slave, FIONREAD, &count), 0);
	WANT_IS(count, 0);
	put_text(pair.master, "line\r");
	wait_polls(pair.slave, POLLIN, POLLIN);
	WANT_IS(tcflush(pair.slave, TCIFLUSH), 0);
	WANT_IS(ioctl(pair.slave, FIONREAD, &count), 0);
	WANT_IS(count, 0);
	WANT_IS(ioctl(pair.slave, TIOCOUTQ, &count), 0);
	WANT_IS(count, 0);
	WANT_IS(ioctl(pair.slave, TCFLSH, 3), -1);
	WANT_IS(errno, EINVAL);
	WANT_IS(tcdrain(pair.slave), 0);
}

static void defaults(void)
{
	struct pair pair = open_pair();
	struct termios termios = settings_of(pair.slave), by_master = settings_of(pair.master);

	WANT_IS(termios.c_iflag, ICRNL | IXON);
	WANT_IS(termios.c_oflag, OPOST | ONLCR);
	WANT_IS(termios.c_cflag, B38400 | CS8 | CREAD);
	WANT_IS(termios.c_lflag, ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN);
	WANT_IS(by_master.c_lflag, termios.c_lflag);
	WANT_IS(termios.c_cc[VERASE], 127);
	WANT_IS(cfgetospeed(&termios), B38400);
}

static void frame_is_fixed(void)
{
	struct pair pair = open_pair();
	struct termios termios = settings_of(pair.slave);

	termios.c_cflag = B9600 | CS5 | PARENB;
	WANT_IS(tcsetattr(pair.slave, TCSANOW, &termios), 0);
	termios = settings_of(pair.slave);
	WANT_IS(termios.c_cflag & (CSIZE | PARENB | CREAD), CS8 | CREAD);
	WANT_IS(cfgetospeed(&termios), B9600);
}

/* The kernel's own struct termios2. */
struct settings2 {
	unsigned int in, out, control, local;
	unsigned char line, cc[19];
	unsigned int in_speed, out_speed;
};
#define GET2   _IOR('T', 0x2a, struct settings2)
#define SET2   _IOW('T', 0x2b, struct settings2)
#define OTHER  0010000
#define SPEEDS 0010017

static void speeds(void)
{
	struct pair pair = open_pair();
	struct settings2 settings;

	WANT_IS(ioctl(pair.slave, GET2, &settings), 0);
	WANT_IS(settings.out_speed, 38400);
	WANT_IS(settings.in_speed, 38400);
	settings.control = (settings.control & ~(unsigned)SPEEDS) | OTHER;
	settings.out_speed = 12345;
	settings.in_speed = 0;
	WANT_IS(ioctl(pair.slave, SET2, &settings), 0);
	WANT_IS(ioctl(pair.slave, GET2, &settings), 0);
	WANT_IS(settings.out_speed, 12345);
	WANT_IS(settings.in_speed, 12345);
}

static void old_form(void)
{
	struct pair pair = open_pair();
	struct {
		unsigned short in, out, control, local;
		unsigned char line, cc[8];
	} termio;

	WANT_IS(ioctl(pair.slave, 0x5405 /* TCGETA */, &termio), 0);
	WANT_IS(termio.in, ICRNL | IXON);
	WANT_IS(termio.cc[VERASE], 127);
	termio.local &= (unsigned short)~ECHO;
	WANT_IS(ioctl(pair.slave, 0x5406 /* TCSETA */, &termio), 0);
	WANT(!(settings_of(pair.slave).c_lflag & ECHO));
}

static void exclusive(void)
{
	struct pair pair = open_pair();
	int on = -1, fd;

	WANT_IS(ioctl(pair.slave, TIOCEXCL), 0);
	WANT_IS(ioctl(pair.slave, 0x80045440 /* TIOCGEXCL */, &on), 0);
	WANT_IS(on, 1);
	chmod(pair.name, 0666);
	fd = open(pair.name, O_RDWR | O_NOCTTY);
	if (geteuid() == 0)
		WANT(fd >= 0);
	if (become_nobody()) {
		WANT_IS(open(pair.name, O_RDWR | O_NOCTTY), -1);
		WANT_IS(errno, EBUSY);
	}
	WANT_IS(ioctl(pair.slave, TIOCNXCL), 0);
}

/* Locked bits and characters stay, whoever sets; the master asks for and sets the slave's. */
static void locked(void)
{
	struct pair pair = open_pair();
	struct termios wanted, termios;
	uint32_t words[9] = {
		0}; /* the kernel's struct termios: four words of flags, c_line, 19 characters */
	uint8_t *characters = (uint8_t *)words + 17;

	WANT_IS(ioctl(pair.slave, TIOCGLCKTRMIOS, words), 0);
	for (int i = 0; i < 9; i++)
		WANT_IS(words[i], 0);
	words[3] = ECHO | ICANON;
	characters[VERASE] = 1;
	if (geteuid() != 0) {
		WANT_IS(ioctl(pair.slave, TIOCSLCKTRMIOS, words), -1);
		WANT_IS(errno, EPERM);
		skip("only root may lock settings");
	}
	WANT_IS(ioctl(pair.master, TIOCSLCKTRMIOS, words), 0);
	memset(words, 0, sizeof(words));
	WANT_IS(ioctl(pair.master, TIOCGLCKTRMIOS, words), 0);
	WANT_IS(words[3], ECHO | ICANON);
	WANT_IS(characters[VERASE], 1);
	WANT_IS(tcgetattr(pair.slave, &wanted), 0);
	wanted.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
	wanted.c_cc[VERASE] = 'e';
	wanted.c_cc[VKILL] = 'k';
	WANT_IS(tcsetattr(pair.slave, TCSANOW, &wanted), 0);
	WANT_IS(tcgetattr(pair.slave, &termios), 0);
	WANT_IS(termios.c_lflag & (ECHO | ICANON | ISIG), ECHO | ICANON);
	WANT_IS(termios.c_cc[VERASE], 0177);
	WANT_IS(termios.c_cc[VKILL], 'k');
	WANT_IS(ioctl(pair.slave, TIOCSLCKTRMIOS, 8), -1);
	WANT_IS(errno, EFAULT);
	if (become_nobody()) {
		WANT_IS(ioctl(pair.slave, TIOCSLCKTRMIOS, words), -1);
		WANT_IS(errno, EPERM);
	}
}

static void disciplines(void)
{
	struct pair pair = open_pair();
	int number = -1;

	WANT_IS(ioctl(pair.slave, TIOCGETD, &number), 0);
	WANT_IS(number, 0);
	WANT_IS(ioctl(pair.slave, TIOCSETD, &number), 0);
	number = 1000;
	WANT_IS(ioctl(pair.slave, TIOCSETD, &number), -1);
	WANT_IS(errno, EINVAL);
}

static void bad_pointers(void)
{
	struct pair pair = open_pair();

	WANT_IS(ioctl(pair.slave, TCGETS, BAD), -1);
	WANT_IS(errno, EFAULT);
	WANT_IS(ioctl(pair.slave, TCSETS, BAD), -1);
	WANT_IS(errno, EFAULT);
	WANT_IS(ioctl(pair.slave, TIOCGWINSZ, BAD), -1);
	WANT_IS(errno, EFAULT);
	WANT_IS(write(pair.slave, BAD, 5), -1);
	WANT_IS(errno, EFAULT);
}

static void hung_up(void)
{
	struct pair pair = open_pair();
	struct termios termios;
	int again;

	if (geteuid() != 0)
		skip("only root may hang up");
	WANT_IS(ioctl(pair.slave, 0x5437 /* TIOCVHANGUP */), 0);
	WANT_IS(read(pair.slave, bytes, 1), 0);
	WANT_IS(write(pair.slave, "x", 1), -1);
	WANT_IS(errno, EIO);
	WANT_IS(tcgetattr(pair.slave, &termios), -1);
	WANT_IS(errno, EIO);
	again = open_slave(&pair); /* a new file is alive */
	WANT_IS(tcgetattr(again, &termios), 0);
	put_text(again, "new");
	want_text(pair.master, "new");
}

static const struct test_case cases[] = {
	CASE(lines, "canonical reads: a line at a time, end of file"),
	CASE(least_without_time, "MIN without TIME"),
	CASE(least_with_time, "MIN with TIME, which counts from the first byte"),
	CASE(time_alone, "TIME without MIN"),
	CASE(neither, "neither MIN nor TIME; O_NONBLOCK"),
	CASE(flow, "STOP and START, TCXONC"),
	CASE(signal_keys_drop_echo,
		"a signal key drops the echo of what came with it, but for NOFLSH"),
	CASE(held_echo, "echo waits for START, a write after TCOON"),
	CASE(much_held_echo, "the newest of much echo is kept"),
	CASE(echo_without_room, "echo waits for room at the master"),
	CASE(flushed_after_literal, "LNEXT holds over TCFLSH"),
	CASE(flushes, "TCSETSW, TCSETSF, TCFLSH, TIOCOUTQ"),
	CASE(defaults, "the settings of a new terminal"),
	CASE(frame_is_fixed, "a pty has 8 bits and no parity"),
	CASE(speeds, "termios2: speeds as numbers"),
	CASE(old_form, "termio"),
	CASE(exclusive, "TIOCEXCL: EBUSY but for root"),
	CASE(locked, "TIOCSLCKTRMIOS: locked settings stay; EPERM but for root"),
	CASE(disciplines, "TIOCGETD, TIOCSETD"),
	CASE(bad_pointers, "EFAULT"),
	CASE(hung_up, "TIOCVHANGUP: open files are dead, new ones live"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
