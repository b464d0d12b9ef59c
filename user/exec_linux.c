/* SPDX-License-Identifier: MIT */
/*
 * exec-runner on Linux: the frames of include/baton/channel.h in user space, over a serial line.
 *
 * One loop over poll. What the program writes goes into frames and waits in `out` for the line; what
 * the line brings waits in `in` for the program. The line has no flow control, so it is always
 * read, and `in` grows as it must; the program is read only while `out` is short, so it
 * waits for the line as it would for a slow terminal. SIGCHLD becomes a byte in a pipe of ours, so
 * that no child is missed between a look and a poll. SIGPIPE has a handler too: one that is
 * ignored would stay so in the program.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <baton/channel.h>

#include "exec_runner.h"

#define OUT_MAX     (128u * 1024u) /* bytes waiting for the line before the program must wait */
#define HEADER_SIZE 5u

/* Bytes that wait: data[start .. end). */
struct queue {
	unsigned char *data;
	size_t start, end, capacity;
};

struct pump {
	int serial;
	int to_program;       /* its stdin or the terminal; -1: closed */
	int from_program[2];  /* stdout and stderr, or the terminal and -1; -1: ended */
	int child_ended;      /* readable after SIGCHLD */
	bool tty, input_ends; /* no more will come for to_program */
	struct queue in;      /* for the program */
	struct queue out;     /* frames for the line */
	struct queue frames;  /* from the line, not taken apart yet */
};

static int child_pipe = -1; /* the signal handler's end */

static void on_signal(int number)
{
	int saved = errno;

	if (number == SIGCHLD && write(child_pipe, "", 1) < 0) {
		/* the pipe is full: then it is readable anyway */
	}
	errno = saved;
}

static void fatal(const char *what)
{
	dprintf(2, "exec-runner: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Room for `size` more bytes at the end. */
static unsigned char *queue_room(struct queue *q, size_t size)
{
	if (q->start == q->end)
		q->start = q->end = 0;
	if (q->capacity - q->end < size) {
		memmove(q->data, q->data + q->start, q->end - q->start);
		q->end -= q->start;
		q->start = 0;
	}
	if (q->capacity - q->end < size) {
		q->capacity = 2 * (q->end + size);
		q->data = realloc(q->data, q->capacity);
		if (!q->data)
			fatal("no memory for bytes on their way");
	}
	return q->data + q->end;
}

static void queue_put(struct queue *q, const void *bytes, size_t size)
{
	memcpy(queue_room(q, size), bytes, size);
	q->end += size;
}

/* Writes what it can to a non-blocking descriptor. False: nobody will ever read it. */
static bool queue_write(struct queue *q, int fd)
{
	ssize_t n = write(fd, q->data + q->start, q->end - q->start);

	if (n > 0)
		q->start += (size_t)n;
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

static void put_frame(struct pump *p, enum channel_stream stream, const void *bytes, uint32_t size)
{
	unsigned char header[HEADER_SIZE] = {(unsigned char)stream};

	memcpy(header + 1, &size, 4);
	queue_put(&p->out, header, sizeof header);
	queue_put(&p->out, bytes, size);
}

static void take_frame(
	struct pump *p, unsigned char stream, const unsigned char *bytes, uint32_t size)
{
	if (stream == CHANNEL_WINDOW && size == 4 && p->tty && p->to_program >= 0) {
		struct winsize window = {.ws_row = (unsigned short)(bytes[0] | bytes[1] << 8),
			.ws_col = (unsigned short)(bytes[2] | bytes[3] << 8)};

		ioctl(p->to_program, TIOCSWINSZ, &window);
	}
	if (stream != CHANNEL_STDIN || p->input_ends)
		return;
	queue_put(&p->in, bytes, size);
	if (size == 0 && p->tty)
		queue_put(&p->in, "\004", 1); /* a terminal's end of file */
	else if (size == 0)
		p->input_ends = true;
}

/* Reads the line and takes whole frames apart. */
static void read_serial(struct pump *p)
{
	ssize_t n = read(p->serial, queue_room(&p->frames, 4096), 4096);

	if (n == 0)
		errno = EIO; /* hung up: nobody is there any more */
	if (n <= 0 && errno != EAGAIN && errno != EINTR)
		fatal("cannot read the serial line");
	if (n > 0)
		p->frames.end += (size_t)n;
	while (p->frames.end - p->frames.start >= HEADER_SIZE) {
		unsigned char *frame = p->frames.data + p->frames.start;
		uint32_t size;

		memcpy(&size, frame + 1, 4);
		if (size > CHANNEL_FRAME_MAX) {
			errno = EPROTO;
			fatal("a frame from the host is too long");
		}
		if (p->frames.end - p->frames.start < HEADER_SIZE + size)
			return;
		take_frame(p, frame[0], frame + HEADER_SIZE, size);
		p->frames.start += HEADER_SIZE + size;
	}
}

/* One read of what the program wrote. False: nothing there now, or never again. */
static bool read_program(struct pump *p, int which)
{
	unsigned char bytes[16384];
	ssize_t n =
		p->from_program[which] < 0 ? -1 : read(p->from_program[which], bytes, sizeof bytes);

	if (n > 0) {
		put_frame(p, which ? CHANNEL_STDERR : CHANNEL_STDOUT, bytes, (uint32_t)n);
		return true;
	}
	if (p->from_program[which] >= 0 && (n == 0 || (errno != EAGAIN && errno != EINTR))) {
		if (!p->tty) /* a terminal's other end may be opened again; poll it no more though */
			close(p->from_program[which]);
		p->from_program[which] = -1;
	}
	return false;
}

static void feed_program(struct pump *p)
{
	bool gone = false;

	if (p->to_program < 0)
		return;
	if (p->in.start < p->in.end)
		gone = !queue_write(&p->in, p->to_program);
	if (gone || (p->input_ends && p->in.start == p->in.end)) {
		close(p->to_program);
		p->to_program = -1;
		p->in.start = p->in.end = 0;
	}
}

/* Waits until something can go on, and lets it. */
static void pump_once(struct pump *p)
{
	bool waiting = p->out.start < p->out.end, room = p->out.end - p->out.start < OUT_MAX;
	struct pollfd polled[5] = {
		{.fd = p->serial, .events = (short)(POLLIN | (waiting ? POLLOUT : 0))},
		{.fd = p->in.start < p->in.end ? p->to_program : -1, .events = POLLOUT},
		{.fd = room ? p->from_program[0] : -1, .events = POLLIN},
		{.fd = room ? p->from_program[1] : -1, .events = POLLIN},
		{.fd = p->child_ended, .events = POLLIN},
	};
	unsigned char drained[64];

	if (poll(polled, 5, -1) < 0) {
		if (errno != EINTR)
			fatal("poll");
		return;
	}
	if (polled[4].revents && read(p->child_ended, drained, sizeof drained) < 0 &&
		errno != EAGAIN)
		fatal("cannot read the pipe of SIGCHLD");
	if (polled[0].revents & (POLLIN | POLLHUP | POLLERR))
		read_serial(p);
	feed_program(p);
	for (int which = 0; which < 2; which++) {
		if (polled[2 + which].revents)
			read_program(p, which);
	}
	if (p->out.start < p->out.end && !queue_write(&p->out, p->serial))
		fatal("cannot write to the serial line");
}

/* Reaps all children that have ended. True: `pid` was among them. */
static bool reap(pid_t pid, int *status)
{
	pid_t ended;
	int how;
	bool found = false;

	while ((ended = waitpid(-1, &how, WNOHANG)) > 0) {
		if (ended == pid) {
			*status = how;
			found = true;
		}
	}
	return found;
}

static void flush_line(struct pump *p)
{
	while (p->out.start < p->out.end) {
		struct pollfd polled = {.fd = p->serial, .events = POLLOUT};

		if (poll(&polled, 1, -1) > 0 && !queue_write(&p->out, p->serial))
			fatal("cannot write to the serial line");
	}
	tcdrain(p->serial);
}

static int open_serial(const char *path)
{
	int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct termios line;

	if (fd < 0 || tcgetattr(fd, &line) < 0)
		fatal(path);
	cfmakeraw(&line);
	line.c_cflag |= CLOCAL | CREAD;
	cfsetspeed(&line, B115200);
	if (tcsetattr(fd, TCSANOW, &line) < 0)
		fatal(path);
	return fd;
}

/* Three pipes: ends[0..2] are the program's. */
static void make_pipes(struct pump *p, int ends[3])
{
	int pair[3][2];

	for (int i = 0; i < 3; i++) {
		if (pipe2(pair[i], O_CLOEXEC) < 0)
			fatal("pipe");
	}
	ends[0] = pair[0][0];
	ends[1] = pair[1][1];
	ends[2] = pair[2][1];
	p->to_program = pair[0][1];
	p->from_program[0] = pair[1][0];
	p->from_program[1] = pair[2][0];
	fcntl(p->to_program, F_SETFL, O_NONBLOCK);
	fcntl(p->from_program[0], F_SETFL, O_NONBLOCK);
	fcntl(p->from_program[1], F_SETFL, O_NONBLOCK);
}

/* One pseudo-terminal; its name goes to `name`, and *slave keeps it from hanging up early. */
static void make_terminal(struct pump *p, char *name, size_t size, int *slave)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);

	if (master < 0 || unlockpt(master) < 0 || ptsname_r(master, name, size) != 0)
		fatal("cannot make a terminal");
	*slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0)
		fatal(name);
	p->to_program = p->from_program[0] = master;
	p->from_program[1] = -1;
}

static void catch_signals(struct pump *p)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	int pair[2];

	if (pipe2(pair, O_CLOEXEC | O_NONBLOCK) < 0)
		fatal("pipe");
	p->child_ended = pair[0];
	child_pipe = pair[1];
	if (sigaction(SIGCHLD, &action, NULL) < 0 || sigaction(SIGPIPE, &action, NULL) < 0)
		fatal("sigaction");
}

int linux_prepare(void)
{
	static const struct {
		const char *type, *where, *options;
	} mounts[] = {{"devtmpfs", "/dev", ""}, {"devpts", "/dev/pts", "ptmxmode=666,mode=620"},
		{"proc", "/proc", ""}, {"sysfs", "/sys", ""}};
	int failed = 0, fd;

	for (size_t i = 0; i < sizeof mounts / sizeof *mounts; i++) {
		mkdir(mounts[i].where, 0755); /* most exist; where not, the mount says so */
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, mounts[i].options) <
				0 &&
			errno != EBUSY)
			failed = errno;
	}
	do /* fds 0-2 may be closed: an initramfs without /dev/console */
		fd = open("/dev/console", O_RDWR);
	while (fd >= 0 && fd < 2);
	if (fd > 2)
		close(fd);
	if (failed)
		dprintf(2, "exec-runner: cannot mount what belongs in /dev, /proc, /sys: %s\n",
			strerror(failed));
	return failed != 0;
}

/* What the program leaves when it is gone: all that it wrote, then how it ended. */
static void finish(struct pump *p, int status)
{
	bool more = true;

	while (more) {
		more = read_program(p, 0);
		more = read_program(p, 1) || more;
	}
	put_frame(p, CHANNEL_EXIT, &status, sizeof status);
	flush_line(p);
}

int linux_run(const struct exec_spec *spec, const char *serial)
{
	struct pump p = {.serial = open_serial(serial), .tty = spec->tty};
	int ends[3] = {-1, -1, -1}, slave = -1, status = 0;
	char name[64];
	struct exec_failure failure;
	pid_t pid;

	catch_signals(&p);
	put_frame(&p, CHANNEL_READY, &(uint32_t){1}, 4);
	if (spec->tty)
		make_terminal(&p, name, sizeof name, &slave);
	else
		make_pipes(&p, ends);
	/* Only a new PID namespace has another process 1: the real one must outlive the program. */
	if (spec->init && unshare(CLONE_NEWPID) < 0)
		fatal("cannot make a PID namespace");
	pid = start(spec, ends, spec->tty ? name : NULL, &failure);
	if (pid < 0) {
		unsigned char message[512];
		size_t length = failure_message(spec, &failure, message, sizeof message);

		put_frame(&p, CHANNEL_FAILED, message, (uint32_t)length);
		finish(&p, failure_status(&failure));
		return 0;
	}
	for (int i = 0; i < 3; i++) {
		if (ends[i] >= 0)
			close(ends[i]);
	}
	while (!reap(pid, &status))
		pump_once(&p);
	finish(&p, status);
	return 0;
}
