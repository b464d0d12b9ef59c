/* SPDX-License-Identifier: MIT */
/*
 * The exec channel against a model of the serial port that takes few bytes at a time: millions of
 * bytes both ways, in order and unharmed, with the other side reading and sending only when ours
 * sleeps; frames of the host taken apart at every boundary; the terminal; the end.
 */
#include "devices/channel.h"

#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "devices/channel_frames.h"
#include "devices/serial.h"
#include "devices/serial_tty.h"
#include "devices/tty.h"
#include "files/fake_process.h"
#include "files/file.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "process/current.h"

#include <stdlib.h>

#define PORT_ROOM 64u /* bytes that the port takes before the host reads */

struct serial_port {
	struct serial_events events;
	size_t pending;  /* taken and not yet read by the host */
	bool wants_room; /* a write was cut short */
	bool held_back;  /* the receiver took less than it was given */
};

static struct serial_port port;
static unsigned console_rows; /* what serial port 0's terminal was told */
static uint8_t *sent;         /* all that the host has got */
static size_t sent_size, sent_room;
static uint8_t *to_guest; /* what the host still sends */
static size_t to_guest_size, to_guest_at;

struct serial_port *serial_open(unsigned number)
{
	return number == 1 ? &port : NULL;
}

int serial_claim(struct serial_port *p, const struct serial_events *events, void *context)
{
	CHECK(!p->events.received);
	p->events = *events;
	return 0;
}

void serial_tty_resize(const struct winsize *size)
{
	console_rows = size->ws_row;
}

size_t serial_write_some(struct serial_port *p, const void *bytes, size_t count)
{
	size_t taken = PORT_ROOM - p->pending;

	if (taken > count)
		taken = count;
	p->wants_room = taken < count;
	if (sent_size + taken > sent_room) {
		sent_room = 2 * (sent_size + taken);
		sent = realloc(sent, sent_room);
	}
	memcpy(sent + sent_size, bytes, taken);
	sent_size += taken;
	p->pending += taken;
	return taken;
}

void serial_rx_resume(struct serial_port *p)
{
	p->held_back = false;
}

void serial_flush(struct serial_port *p)
{
	p->pending = 0;
}

/* The host gives some bytes if they are wanted; false: it has none, or they are not. */
static bool host_sends(void)
{
	size_t count = 1 + test_random(200), taken;

	if (!port.events.received || port.held_back || to_guest_at == to_guest_size)
		return false;
	if (count > to_guest_size - to_guest_at)
		count = to_guest_size - to_guest_at;
	taken = port.events.received(NULL, to_guest + to_guest_at, count);
	CHECK(taken <= count);
	to_guest_at += taken;
	port.held_back = taken < count;
	return taken > 0;
}

static bool host_reads(void)
{
	if (!port.pending)
		return false;
	port.pending -= 1 + test_random(port.pending);
	if (port.wants_room)
		port.events.writable(NULL);
	return true;
}

static bool host_acts(void)
{
	bool read = host_reads();

	return host_sends() || read;
}

static void host_frame(uint8_t stream, const void *bytes, uint32_t size)
{
	to_guest = realloc(to_guest, to_guest_size + CHANNEL_HEADER_SIZE + size);
	channel_header(to_guest + to_guest_size, stream, size);
	if (size)
		memcpy(to_guest + to_guest_size + CHANNEL_HEADER_SIZE, bytes, size);
	to_guest_size += CHANNEL_HEADER_SIZE + size;
}

/* The next frame that the host got: its stream, or -1 when there is none. */
static size_t frame_at;

static int next_frame(const uint8_t **bytes, uint32_t *size)
{
	const uint8_t *header = sent + frame_at;

	if (frame_at == sent_size)
		return -1;
	CHECK(sent_size - frame_at >= CHANNEL_HEADER_SIZE);
	*size = header[1] | (uint32_t)header[2] << 8 | (uint32_t)header[3] << 16;
	CHECK_EQUAL(header[4], 0);
	CHECK(*size <= CHANNEL_FRAME_MAX && sent_size - frame_at >= CHANNEL_HEADER_SIZE + *size);
	*bytes = header + CHANNEL_HEADER_SIZE;
	frame_at += CHANNEL_HEADER_SIZE + *size;
	return header[0];
}

static void is_ready(void)
{
	const uint8_t *bytes;
	uint32_t size;

	CHECK_EQUAL(next_frame(&bytes, &size), CHANNEL_READY);
	CHECK_EQUAL(size, 4);
	CHECK(!memcmp(bytes, "\1\0\0\0", 4));
}

static void start(void)
{
	test_seed(1);
	fake_process_init(0);
	files_init(0, 0);
	fake_process_start();
	CHECK_EQUAL(tty_register_own(), 0);
	CHECK_EQUAL(channel_init(), 0);
	CHECK_EQUAL(sent_size, 0);
	fake_on_sleep = host_acts;
}

static struct file *open_node(const char *path, int flags)
{
	struct file *file;

	CHECK_EQUAL(file_open(current_fs(), path, flags, 0, &file), 0);
	return file;
}

static ssize_t write_file(struct file *file, const void *bytes, size_t size)
{
	struct io io = io_kernel((void *)(uintptr_t)bytes, size);
	int64_t position = 0;

	return file_write(file, &io, &position);
}

static ssize_t read_file(struct file *file, void *bytes, size_t size)
{
	struct io io = io_kernel(bytes, size);
	int64_t position = 0;

	return file_read(file, &io, &position);
}

#define MUCH (4u << 20)

/* Random bytes to both outputs in random pieces: the frames have them all, in the true order. */
static void test_output(void)
{
	uint8_t *random = malloc(MUCH);
	uint8_t *order = calloc(MUCH, 1); /* which stream each byte went to */
	const uint8_t *bytes;
	uint32_t size;
	struct file *out[2];
	size_t done = 0, at = 0, part;
	struct stat stat;
	int stream;

	start();
	for (size_t i = 0; i < MUCH; i++)
		random[i] = (uint8_t)test_random(256);
	out[0] = open_node("/dev/channel/1", O_WRONLY);
	out[1] = open_node("/dev/channel/2", O_WRONLY);
	inode_stat(out[0]->inode, &stat);
	CHECK_EQUAL(stat.st_mode & S_IFMT, S_IFIFO);
	while (done < MUCH) {
		part = 1 + test_random(20000);
		part = part < MUCH - done ? part : MUCH - done;
		stream = (int)test_random(2);
		CHECK_EQUAL(write_file(out[stream], random + done, part), part);
		memset(order + done, CHANNEL_STDOUT + stream, part);
		done += part;
	}
	file_put(out[0]);
	file_put(out[1]);
	fake_on_sleep = NULL;
	while (host_reads())
		;
	is_ready();
	while ((stream = next_frame(&bytes, &size)) >= 0) {
		CHECK(!memcmp(bytes, random + at, size));
		for (uint32_t i = 0; i < size; i++)
			CHECK(order[at + i] == stream);
		at += size;
	}
	CHECK_EQUAL(at, MUCH);
}

/* Bytes in frames of every size, window sizes between, a slow reader: nothing is lost. */
static void test_input(void)
{
	uint8_t *random = malloc(MUCH), *got = malloc(MUCH);
	struct file *in;
	size_t done = 0, part;
	ssize_t count;

	start();
	for (size_t i = 0; i < MUCH; i++)
		random[i] = (uint8_t)test_random(256);
	while (done < MUCH) {
		part = 1 + test_random(done % 5 ? 300 : CHANNEL_FRAME_MAX);
		part = part < MUCH - done ? part : MUCH - done;
		host_frame(CHANNEL_STDIN, random + done, (uint32_t)part);
		if (test_random(10) == 0)
			host_frame(CHANNEL_WINDOW, "\30\0\120\0", 4);
		done += part;
	}
	host_frame(CHANNEL_STDIN, NULL, 0);
	while (host_sends()) /* nobody reads yet: it is held back */
		;
	in = open_node("/dev/channel/0", O_RDONLY);
	for (done = 0; (count = read_file(in, got + done, 1 + test_random(5000))) > 0;)
		done += (size_t)count;
	CHECK_EQUAL(count, 0);
	CHECK_EQUAL(done, MUCH);
	CHECK(!memcmp(got, random, MUCH));
	CHECK_EQUAL(read_file(in, got, 1), 0);
	CHECK_EQUAL(to_guest_at, to_guest_size);
	file_put(in);
}

static void test_nonblocking(void)
{
	static char big[100000];
	struct file *in, *out, *none;
	char byte;

	start();
	fake_on_sleep = NULL;
	in = open_node("/dev/channel/0", O_RDONLY | O_NONBLOCK);
	out = open_node("/dev/channel/1", O_WRONLY | O_NONBLOCK);
	CHECK_EQUAL(read_file(in, &byte, 1), -EAGAIN);
	CHECK(write_file(out, big, sizeof(big)) < (ssize_t)sizeof(big));
	while (write_file(out, big, 1) > 0)
		;
	CHECK_EQUAL(write_file(out, big, 1), -EAGAIN);
	CHECK_EQUAL(file_open(current_fs(), "/dev/channel/1", O_RDWR, 0, &none), -EACCES);
	CHECK_EQUAL(write_file(in, big, 1), -EBADF);
}

static void test_control(void)
{
	struct file *control;
	const uint8_t *bytes;
	uint32_t size;

	start();
	control = open_node("/dev/channel/control", O_WRONLY);
	is_ready();
	CHECK_EQUAL(write_file(control, "abc", 3), -EINVAL);
	CHECK_EQUAL(write_file(control, "\2\0\0\0cannot run /bin/x", 21), 21);
	CHECK_EQUAL(next_frame(&bytes, &size), CHANNEL_FAILED);
	CHECK_EQUAL(size, 21);
	CHECK_EQUAL(write_file(control, "\0\7\0\0", 4), 4);
	CHECK_EQUAL(next_frame(&bytes, &size), CHANNEL_EXIT);
	CHECK(size == 4 && bytes[1] == 7);
	channel_finish(0x900);
	CHECK_EQUAL(next_frame(&bytes, &size), -1); /* it had been sent */
}

static void test_finish(void)
{
	static char big[10000];
	const uint8_t *bytes;
	uint32_t size;
	struct file *out;

	start();
	out = open_node("/dev/channel/1", O_WRONLY);
	CHECK_EQUAL(write_file(out, big, sizeof(big)), sizeof(big));
	fake_clock_set(1);
	while (host_reads())
		;
	channel_finish(0x2a00);
	is_ready();
	size = 0;
	for (size_t total = 0; total < sizeof(big); total += size)
		CHECK_EQUAL(next_frame(&bytes, &size), CHANNEL_STDOUT);
	CHECK_EQUAL(next_frame(&bytes, &size), CHANNEL_EXIT);
	CHECK_EQUAL(bytes[1], 0x2a);
}

/* Nobody opened the channel: nothing may be said on it. */
static void test_unused(void)
{
	start();
	channel_finish(0);
	CHECK_EQUAL(sent_size, 0);
}

static void test_terminal(void)
{
	const struct {
		unsigned short rows, columns;
	} window = {30, 100};
	struct winsize size;
	struct file *tty, *own;
	const uint8_t *bytes;
	uint32_t length;
	char text[32] = "";

	start();
	host_frame(CHANNEL_WINDOW, &window, 4);
	host_frame(CHANNEL_STDIN, "line\r", 5);
	CHECK_EQUAL(file_open(current_fs(), "/dev/tty", O_RDWR, 0, &own), -ENXIO);
	tty = open_node("/dev/channel/tty", O_RDWR);
	is_ready();
	CHECK_EQUAL(file_open(current_fs(), "/dev/tty", O_RDWR, 0, &own), 0);
	CHECK_EQUAL(read_file(own, text, sizeof(text)), 5);
	CHECK(!memcmp(text, "line\n", 5));
	host_frame(CHANNEL_STDIN, "x", 1); /* at once with the key it would not be echoed */
	host_frame(CHANNEL_STDIN, "\3", 1);
	while (host_acts())
		;
	CHECK(fake_signals & UINT64_C(1) << 2);  /* SIGINT */
	CHECK(fake_signals & UINT64_C(1) << 28); /* SIGWINCH */
	CHECK_EQUAL(console_rows, 0);
	CHECK_EQUAL(channel_follow_window(), 0);
	host_frame(CHANNEL_WINDOW, &window, 4);
	while (host_sends())
		;
	CHECK_EQUAL(console_rows, 30);
	CHECK_EQUAL(tty->operations->ioctl(tty, TIOCGWINSZ, (uintptr_t)&size), 0);
	CHECK_EQUAL(size.ws_row, 30);
	CHECK_EQUAL(size.ws_col, 100);
	CHECK_EQUAL(write_file(tty, "out\n", 4), 4);
	while (host_reads())
		;
	memset(text, 0, sizeof(text));
	for (size_t at = 0; next_frame(&bytes, &length) == CHANNEL_STDOUT; at += length)
		memcpy(text + at, bytes, length);
	CHECK(!strcmp(text, "line\r\nx^Cout\r\n"));
	file_put(own);
	file_put(tty);
}

/* What no host sends: said, passed over where there is a way on. */
static void test_nonsense(void)
{
	struct file *in;
	char text[8];

	start();
	host_frame(99, "abc", 3);
	host_frame(CHANNEL_WINDOW, "toolong", 7);
	host_frame(CHANNEL_STDIN, "fine", 4);
	in = open_node("/dev/channel/0", O_RDONLY);
	CHECK_EQUAL(read_file(in, text, 8), 4);
	host_frame(CHANNEL_STDIN, "", 0);
	to_guest[to_guest_size - 1] = 1; /* a length of 16 MiB */
	host_frame(CHANNEL_STDIN, "lost", 4);
	while (host_sends())
		;
	CHECK_EQUAL(to_guest_at, to_guest_size);
	fake_on_sleep = NULL;
	CHECK_EQUAL(read_file(in, text, 8), -ERESTARTSYS);
}

int main(void)
{
	RUN(test_output);
	RUN(test_input);
	RUN(test_nonblocking);
	RUN(test_control);
	RUN(test_finish);
	RUN(test_unused);
	RUN(test_terminal);
	RUN(test_nonsense);
	return test_result();
}
