/* SPDX-License-Identifier: MIT */
/*
 * Two serial ports that are joined by a cable: serial-pair DEVICE DEVICE. Run by ci/serial.py, where QEMU
 * joins the third and the fourth port, each of which shares its interrupt with another.
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "cases.h"

#define MANY        20000
#define PORT_16550A 4

/* Of linux/serial.h, which musl has not got. */
struct serial_struct {
	int type, line;
	unsigned int port;
	int irq, flags, xmit_fifo_size, custom_divisor, baud_base;
	unsigned short close_delay;
	char io_type, reserved_char[1];
	int hub6;
	unsigned short closing_wait, closing_wait2;
	unsigned char *iomem_base;
	unsigned short iomem_reg_shift;
	unsigned int port_high;
	unsigned long iomap_base;
};

struct serial_icounter_struct {
	int cts, dsr, rng, dcd, rx, tx, frame, overrun, parity, brk, buf_overrun, reserved[9];
};

static const char *paths[2];

static int open_port(int which)
{
	struct termios raw = {.c_cflag = CS8 | CREAD | CLOCAL | HUPCL | B115200, .c_cc[VMIN] = 1};
	int fd = open(paths[which], O_RDWR | O_NOCTTY | O_NONBLOCK);

	WANT(fd >= 0);
	WANT_IS(tcsetattr(fd, TCSAFLUSH, &raw), 0);
	return fd;
}

static struct termios settings(int fd)
{
	struct termios got;

	WANT_IS(tcgetattr(fd, &got), 0);
	return got;
}

static void set_frame(int fd, tcflag_t flags, tcflag_t clear)
{
	struct termios wanted = settings(fd);

	wanted.c_cflag = (wanted.c_cflag & ~clear) | flags;
	WANT_IS(tcsetattr(fd, TCSANOW, &wanted), 0);
}

static int lines(int fd)
{
	int got = 0;

	WANT_IS(ioctl(fd, TIOCMGET, &got), 0);
	return got;
}

static void frames(void)
{
	int fd = open_port(0);

	set_frame(fd, B9600 | CS7 | PARENB | PARODD | CSTOPB, CBAUD | CSIZE);
	WANT_IS(settings(fd).c_cflag & (CBAUD | CSIZE | PARENB | PARODD | CSTOPB),
		B9600 | CS7 | PARENB | PARODD | CSTOPB);
	set_frame(fd, B921600, CBAUD); /* more than the port can do: as it was */
	WANT_IS(settings(fd).c_cflag & CBAUD, B9600);
	close(fd);
	fd = open(paths[0], O_RDWR | O_NOCTTY);
	WANT_IS(settings(fd).c_cflag & CBAUD, B9600); /* kept from one opening to the next */
}

static void modem_lines(void)
{
	int fd = open_port(0), bits = TIOCM_DTR;
	int inputs = TIOCM_CTS | TIOCM_DSR | TIOCM_CAR;

	WANT_IS(lines(fd) & (inputs | TIOCM_DTR | TIOCM_RTS), inputs | TIOCM_DTR | TIOCM_RTS);
	WANT_IS(ioctl(fd, TIOCMBIC, &bits), 0);
	WANT_IS(lines(fd) & (TIOCM_DTR | TIOCM_RTS), TIOCM_RTS);
	WANT_IS(ioctl(fd, TIOCMBIS, &bits), 0);
	WANT_IS(lines(fd) & (TIOCM_DTR | TIOCM_RTS), TIOCM_DTR | TIOCM_RTS);
	set_frame(fd, B0, CBAUD); /* hangs the modem up */
	WANT_IS(lines(fd) & (TIOCM_DTR | TIOCM_RTS), 0);
	set_frame(fd, B9600, CBAUD);
	WANT_IS(lines(fd) & (TIOCM_DTR | TIOCM_RTS), TIOCM_DTR | TIOCM_RTS);
}

static void description(void)
{
	struct serial_struct got;
	int fd = open_port(0);

	WANT_IS(ioctl(fd, TIOCGSERIAL, &got), 0);
	WANT_IS(got.type, PORT_16550A);
	WANT_IS(got.port, 0x3e8);
	WANT_IS(got.irq, 4);
	WANT_IS(got.baud_base, 115200);
	WANT_IS(ioctl(fd, TIOCSSERIAL, &got), 0);
}

static void fill(unsigned char *bytes, unsigned seed)
{
	for (int i = 0; i < MANY; i++)
		bytes[i] = (unsigned char)((seed = seed * 1103515245 + 12345) >> 16);
}

/* Both directions at once, each end read as it comes. */
static void both_ways(void)
{
	static unsigned char sent[2][MANY], got[2][MANY];
	struct serial_icounter_struct before[2], after[2];
	int fds[2], out[2] = {0, 0}, in[2] = {0, 0};

	for (int i = 0; i < 2; i++) {
		fds[i] = open_port(i);
		fill(sent[i], (unsigned)i + 1);
		WANT_IS(ioctl(fds[i], TIOCGICOUNT, &before[i]), 0);
	}
	while (in[0] < MANY || in[1] < MANY) {
		struct pollfd polled[2];
		ssize_t n;

		for (int i = 0; i < 2; i++)
			polled[i] = (struct pollfd){
				fds[i], (short)(POLLIN | (out[i] < MANY ? POLLOUT : 0)), 0};
		WANT(poll(polled, 2, 600000) > 0);
		for (int i = 0; i < 2; i++) {
			n = polled[i].revents & POLLIN
				    ? read(fds[i], got[i] + in[i], (size_t)(MANY - in[i]))
				    : 0;
			in[i] += n > 0 ? (int)n : 0;
			n = polled[i].revents & POLLOUT
				    ? write(fds[i], sent[i] + out[i], (size_t)(MANY - out[i]))
				    : 0;
			out[i] += n > 0 ? (int)n : 0;
		}
	}
	for (int i = 0; i < 2; i++) {
		WANT(memcmp(got[i], sent[1 - i], MANY) == 0);
		WANT_IS(ioctl(fds[i], TIOCGICOUNT, &after[i]), 0);
		WANT_IS(after[i].rx - before[i].rx, MANY);
		WANT_IS(after[i].tx - before[i].tx, MANY);
		WANT_IS(after[i].overrun, 0);
	}
}

/* Nobody reads: the writer is held at last, and nothing is lost. */
static void held_back(void)
{
	static unsigned char sent[MANY], got[MANY];
	int from = open_port(0), to = open_port(1), out = 0, in = 0;
	ssize_t n;

	fill(sent, 7);
	while (out < MANY && (n = write(from, sent + out, (size_t)(MANY - out))) > 0)
		out += (int)n;
	WANT(out > 4000);
	while (in < out) {
		struct pollfd polled = {to, POLLIN, 0};

		WANT_IS(poll(&polled, 1, 600000), 1);
		n = read(to, got + in, sizeof got - (size_t)in);
		WANT(n > 0);
		in += (int)n;
	}
	WANT(memcmp(got, sent, (size_t)out) == 0);
	WANT_IS(ioctl(from, TCSBRK, 1), 0); /* tcdrain */
	WANT_IS(ioctl(from, TIOCOUTQ, &out), 0);
	WANT_IS(out, 0);
}

static void stopped(void)
{
	int from = open_port(0), to = open_port(1);
	struct pollfd polled = {to, POLLIN, 0};
	char byte;

	WANT_IS(ioctl(from, TCXONC, TCOOFF), 0);
	WANT_IS(write(from, "x", 1) == 1 || errno == EAGAIN, 1);
	WANT_IS(poll(&polled, 1, 500), 0);
	WANT_IS(ioctl(from, TCXONC, TCOON), 0);
	WANT(write(from, "y", 1) == 1);
	WANT_IS(poll(&polled, 1, 600000), 1);
	WANT_IS(read(to, &byte, 1), 1);
}

static void breaks(void)
{
	int fd = open_port(0);

	WANT_IS(ioctl(fd, TCSBRK, 0), 0);
	WANT_IS(ioctl(fd, TCSBRKP, 1), 0);
	WANT_IS(ioctl(fd, TIOCSBRK, 0), 0);
	WANT_IS(ioctl(fd, TIOCCBRK, 0), 0);
}

/* The leader of a session ends: its terminal is hung up, DTR falls. */
static void session_ends(void)
{
	int fd = open_port(0), again, status;
	pid_t pid = fork();
	char byte;

	if (pid == 0) {
		setsid();
		WANT_IS(ioctl(fd, TIOCSCTTY, 0), 0);
		_exit(0);
	}
	WANT_IS(waitpid(pid, &status, 0), pid);
	WANT_IS(read(fd, &byte, 1), 0);
	WANT_IS(write(fd, "x", 1), -1);
	WANT_IS(errno, EIO);
	again = open_port(0);
	WANT_IS(lines(again) & TIOCM_DTR, TIOCM_DTR);
	WANT_IS(write(again, "x", 1), 1);
}

static const struct test_case cases[] = {
	CASE(frames, "speed, bits, parity and stop bits; a speed that cannot be had; kept"),
	CASE(modem_lines, "TIOCMGET, TIOCMBIS, TIOCMBIC; B0 drops DTR and RTS"),
	CASE(description, "TIOCGSERIAL and TIOCSSERIAL"),
	CASE(both_ways, "20,000 bytes each way at once; TIOCGICOUNT"),
	CASE(held_back, "a reader that does not read holds the writer; tcdrain, TIOCOUTQ"),
	CASE(stopped, "TCOOFF holds output, TCOON lets it go"),
	CASE(breaks, "breaks are sent"),
	CASE(session_ends, "the session's leader ends: end of file, EIO; opened again"),
};

int main(int argc, char **argv)
{
	if (argc < 3)
		return 2;
	paths[0] = argv[1];
	paths[1] = argv[2];
	check.self = argv[0];
	run_cases(cases, COUNT(cases), argc - 2, argv + 2);
	printf("1..%d\n", check.done);
	return check.failed ? 1 : 0;
}
