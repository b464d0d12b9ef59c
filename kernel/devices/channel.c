/* SPDX-License-Identifier: MIT */
/*
 * The exec channel on serial port 1 (include/baton/channel.h is the contract).
 *
 * Out: writers put whole frames into a ring, in the order of their writes, so that standard output
 * and error keep their true order; the ring flows into the serial port as it takes bytes. A write
 * is cut into frames of up to PIECE bytes, copied from the user first (a fault must not cut a frame
 * in two), and waits while the ring has no room. Echo of the terminal goes the same way without
 * waiting.
 *
 * In: the serial port's interrupt gives bytes to the parser, which passes standard input to the ring
 * that /dev/channel/0 reads, or to the terminal, whichever was opened. Nothing is ever dropped: what
 * has no room, or no reader yet, stays with the serial port and so with the host, until a reader
 * makes room and calls serial_rx_resume.
 *
 * The first open of any of the files claims the port, unless /dev/ttyS1 is open, and says READY to the
 * host, which sends nothing before.
 *
 * Locks: out_lock (a mutex: one writer at a time) and in_lock (one reader), then channel.lock (a
 * spin lock, taken in the interrupt too), then the serial port's. The tty's lock comes before
 * channel.lock (echo).
 */
#include "devices/channel.h"

#include "arch/arch.h"
#include "devices/channel_frames.h"
#include "devices/channel_ring.h"
#include "devices/serial.h"
#include "devices/serial_tty.h"
#include "devices/tty.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"

#define PIECE        4096u /* of a write: a frame */
#define SMALL        256u  /* bytes of a write that are worth a frame */
#define FINISH_LIMIT (60 * NS_PER_SECOND)
#define MAJOR_LOCAL  240u /* Linux's devices.txt: 240-254 are for local use */

static struct {
	struct serial_port *port;
	struct mutex out_lock, in_lock;
	uint8_t *piece; /* PIECE bytes, under out_lock */
	struct wait_queue readable, writable;
	struct spinlock lock; /* guards the rest */
	struct ring in, out;
	struct channel_parser parser;      /* the interrupt's alone */
	bool ready_sent, exit_sent, ended; /* ended: no more standard input */
	bool piped, terminal;              /* /dev/channel/0, /dev/channel/tty was opened */
	bool window;                       /* the host's window is serial port 0's too; set once */
	bool starved;                      /* the serial port holds bytes back */
} channel = {
	.out_lock = MUTEX_INIT(channel.out_lock),
	.in_lock = MUTEX_INIT(channel.in_lock),
	.readable = WAIT_QUEUE_INIT(channel.readable),
	.writable = WAIT_QUEUE_INIT(channel.writable),
};

static struct tty channel_tty;

/* ---- Out ---- */

/* Moves the ring into the serial port as far as that takes it; with channel.lock. */
static void pump(void)
{
	const uint8_t *bytes;
	size_t count, taken;

	while ((count = ring_run(&channel.out, &bytes))) {
		taken = serial_write_some(channel.port, bytes, count);
		channel.out.tail += (uint32_t)taken;
		if (taken < count)
			return; /* on_writable goes on */
	}
}

static void on_writable(void *context)
{
	spin_lock(&channel.lock);
	pump();
	spin_unlock(&channel.lock);
	wake_all(&channel.writable);
}

static bool has_room(size_t count)
{
	bool room;

	spin_lock(&channel.lock);
	room = ring_room(&channel.out) >= count + CHANNEL_HEADER_SIZE;
	spin_unlock(&channel.lock);
	return room;
}

/* A frame of as many of the bytes as fit, at least `least` (or all): how many; 0: no room. */
static size_t send_frame(enum channel_stream stream, const void *bytes, size_t count, size_t least)
{
	uint8_t header[CHANNEL_HEADER_SIZE];
	size_t room;

	spin_lock(&channel.lock);
	room = ring_room(&channel.out);
	if (room < least + CHANNEL_HEADER_SIZE) {
		spin_unlock(&channel.lock);
		return 0;
	}
	if (count > room - CHANNEL_HEADER_SIZE)
		count = room - CHANNEL_HEADER_SIZE;
	channel_header(header, (uint8_t)stream, (uint32_t)count);
	ring_put(&channel.out, header, sizeof(header));
	ring_put(&channel.out, bytes, count);
	if (stream == CHANNEL_EXIT)
		channel.exit_sent = true;
	pump();
	spin_unlock(&channel.lock);
	return count;
}

/* All of it, in as many frames as it takes. The count, less when a signal came, or an error. */
static ssize_t send_all(
	enum channel_stream stream, const void *bytes, size_t count, bool nonblocking)
{
	const char *at = bytes;
	size_t done = 0, sent, least;
	int error = 0;

	while (done < count && !error) {
		least = count - done < SMALL ? count - done : SMALL;
		sent = send_frame(stream, at + done, count - done, least);
		done += sent;
		if (sent)
			continue;
		error = nonblocking ? -EAGAIN : wait_event(&channel.writable, has_room(least));
	}
	return done ? (ssize_t)done : error;
}

static ssize_t write_stream(struct file *file, struct io *io, enum channel_stream stream)
{
	size_t done = 0, count;
	ssize_t sent;
	int error = 0;

	while (io->left && !error) {
		error = mutex_lock_interruptible(&channel.out_lock);
		if (error)
			break;
		count = io_get(io, channel.piece, io->left < PIECE ? io->left : PIECE);
		sent = count ? send_all(stream, channel.piece, count, file_nonblocking(file)) : 0;
		mutex_unlock(&channel.out_lock);
		if (sent > 0)
			done += (size_t)sent;
		if (sent < 0)
			error = (int)sent;
		else if ((size_t)sent < count || !count)
			break;
	}
	return io_result(io, done, error);
}

static enum channel_stream stream_of(const struct file *file)
{
	return (enum channel_stream)(uintptr_t)file->inode->driver;
}

static ssize_t stream_write(struct file *file, struct io *io, int64_t *position)
{
	return write_stream(file, io, stream_of(file));
}

/* A frame that must go out whole: waits whatever signals come. */
void channel_send(enum channel_stream stream, const void *bytes, size_t count)
{
	struct waiter self;

	while (!send_frame(stream, bytes, count, count)) {
		wait_prepare(&channel.writable, &self);
		if (!has_room(count))
			wait_sleep_uninterruptible();
		wait_finish(&channel.writable, &self);
	}
}

/* The control file: a wait status, or why the program could not be started. */
static ssize_t control_write(struct file *file, struct io *io, int64_t *position)
{
	uint8_t bytes[1024];
	size_t count = io->left;

	if (count < 4 || count > sizeof(bytes))
		return -EINVAL;
	if (io_get(io, bytes, count) < count)
		return -EFAULT;
	channel_send(count == 4 ? CHANNEL_EXIT : CHANNEL_FAILED, bytes, count);
	return (ssize_t)count;
}

/* ---- In ---- */

/* Readers are woken at the end of a frame or when the ring is half full, not for each few bytes that
 * an interrupt brings: the host sends frames whole. */
static size_t on_input(void *context, const uint8_t *bytes, size_t count)
{
	size_t room;
	bool terminal, wake;

	spin_lock(&channel.lock);
	terminal = channel.terminal;
	if (!terminal) {
		room = channel.piped ? ring_room(&channel.in) : 0;
		if (count > room) {
			count = room;
			channel.starved = true;
		}
		ring_put(&channel.in, bytes, count);
	}
	wake = count == channel.parser.left || ring_room(&channel.in) < RING_SIZE / 2;
	spin_unlock(&channel.lock);
	if (terminal)
		return tty_receive(&channel_tty, bytes, count);
	if (wake)
		wake_all(&channel.readable);
	return count;
}

static void on_end(void *context)
{
	bool terminal;

	spin_lock(&channel.lock);
	channel.ended = true;
	terminal = channel.terminal;
	spin_unlock(&channel.lock);
	wake_all(&channel.readable);
	if (terminal)
		tty_hang_up(&channel_tty);
}

static void on_window(void *context, unsigned int rows, unsigned int columns)
{
	const struct winsize size = {(uint16_t)rows, (uint16_t)columns, 0, 0};

	tty_resize(&channel_tty, &size);
	if (channel.window)
		serial_tty_resize(&size);
}

static void on_broken(void *context, const char *what, unsigned int stream, uint32_t length)
{
	log_error(
		"channel: the host sent %s: stream %u, %u bytes; expected standard input (0) or a "
		"window size (3), up to %u bytes",
		what, stream, length, CHANNEL_FRAME_MAX);
}

static size_t on_received(void *context, const uint8_t *bytes, size_t count)
{
	return channel_parse(&channel.parser, bytes, count);
}

/* There is room, or a reader, where there was none. */
static void resume(void)
{
	bool starved;

	spin_lock(&channel.lock);
	starved = channel.starved;
	channel.starved = false;
	spin_unlock(&channel.lock);
	if (starved)
		serial_rx_resume(channel.port);
}

/* Copies without taking; channel.in_lock keeps other readers away. */
static size_t peek_input(uint8_t *to, size_t size)
{
	const uint8_t *bytes;
	size_t count;

	spin_lock(&channel.lock);
	count = ring_run(&channel.in, &bytes);
	if (count > size)
		count = size;
	memcpy(to, bytes, count);
	spin_unlock(&channel.lock);
	return count;
}

static void take_input(size_t count)
{
	spin_lock(&channel.lock);
	channel.in.tail += (uint32_t)count;
	spin_unlock(&channel.lock);
	resume();
}

static bool has_input(void)
{
	bool has;

	spin_lock(&channel.lock);
	has = channel.in.head != channel.in.tail || channel.ended;
	spin_unlock(&channel.lock);
	return has;
}

/* What is there now, with in_lock. */
static size_t read_some(struct io *io)
{
	uint8_t bytes[512];
	size_t done = 0, count, moved;

	while (io->left && !io_failed(io)) {
		count = peek_input(bytes, io->left < sizeof(bytes) ? io->left : sizeof(bytes));
		if (!count)
			break;
		moved = io_put(io, bytes, count);
		take_input(moved);
		done += moved;
	}
	return done;
}

static ssize_t stdin_read(struct file *file, struct io *io, int64_t *position)
{
	size_t done = 0;
	int error = 0;

	while (io->left && !done && !error && !io_failed(io)) {
		bool over;

		error = mutex_lock_interruptible(&channel.in_lock);
		if (error)
			break;
		over = has_input(); /* bytes, or the end: looked at before the bytes are taken */
		done = read_some(io);
		mutex_unlock(&channel.in_lock);
		if (done || over)
			break;
		error = file_nonblocking(file) ? -EAGAIN
					       : wait_event(&channel.readable, has_input());
	}
	return io_result(io, done, error);
}

/* ---- The files ---- */

int channel_use(void)
{
	static const struct serial_events events = {
		.received = on_received, .writable = on_writable};
	const uint32_t version = 1;
	int error = 0;
	bool first;

	spin_lock(&channel.lock);
	first = !channel.ready_sent;
	if (first)
		error = serial_claim(channel.port, &events, NULL);
	channel.ready_sent = !error;
	spin_unlock(&channel.lock);
	if (first && !error)
		channel_send(CHANNEL_READY, &version, sizeof(version));
	return error;
}

static int stream_open(struct file *file)
{
	enum channel_stream stream = stream_of(file);
	bool reads = stream == CHANNEL_STDIN;
	int error;

	/* As of a pipe: the other direction is not there. */
	if (reads ? file_writable(file) : file_readable(file))
		return -EACCES;
	error = channel_use();
	if (error)
		return error;
	if (reads) {
		spin_lock(&channel.lock);
		channel.piped = true;
		spin_unlock(&channel.lock);
	}
	resume();
	return 0;
}

static unsigned int stream_poll(struct file *file, struct wait_queue *queues[2])
{
	unsigned int mask = 0;

	queues[0] = &channel.readable;
	queues[1] = &channel.writable;
	if (stream_of(file) != CHANNEL_STDIN)
		return has_room(SMALL) ? POLLOUT | POLLWRNORM : 0;
	spin_lock(&channel.lock);
	if (channel.in.head != channel.in.tail)
		mask |= POLLIN | POLLRDNORM;
	if (channel.ended)
		mask |= POLLHUP;
	spin_unlock(&channel.lock);
	return mask;
}

static long stream_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	int count;

	if (command != FIONREAD)
		return -ENOTTY;
	spin_lock(&channel.lock);
	count = stream_of(file) == CHANNEL_STDIN ? (int)(channel.in.head - channel.in.tail) : 0;
	spin_unlock(&channel.lock);
	return copy_to_user(user_pointer(argument), &count, sizeof(count));
}

static int control_open(struct file *file)
{
	return channel_use();
}

static const struct file_operations stdin_operations = {
	.open = stream_open,
	.read = stdin_read,
	.poll = stream_poll,
	.ioctl = stream_ioctl,
	.traits = FILE_STREAM,
};

static const struct file_operations output_operations = {
	.open = stream_open,
	.write = stream_write,
	.poll = stream_poll,
	.ioctl = stream_ioctl,
	.traits = FILE_STREAM,
};

static const struct file_operations control_operations = {
	.open = control_open,
	.write = control_write,
	.traits = FILE_STREAM,
};

/* ---- The terminal ---- */

static int terminal_open(struct tty *tty, const struct file *file)
{
	int error = channel_use();

	if (error)
		return error;
	spin_lock(&channel.lock);
	channel.terminal = true;
	spin_unlock(&channel.lock);
	resume();
	return 0;
}

/* All or nothing, so that the terminal knows how much of its caller's bytes went out. */
static ssize_t terminal_write(struct tty *tty, const char *bytes, size_t count, bool nonblocking)
{
	int error = 0;

	while (!send_frame(CHANNEL_STDOUT, bytes, count, count)) {
		error = nonblocking ? -EAGAIN : wait_event(&channel.writable, has_room(count));
		if (error)
			return error;
	}
	return (ssize_t)count;
}

static void terminal_echo(struct tty *tty, const char *bytes, size_t count)
{
	(void)send_frame(CHANNEL_STDOUT, bytes, count, count);
}

static bool terminal_writable(struct tty *tty, struct wait_queue **queue)
{
	*queue = &channel.writable;
	return has_room(SMALL);
}

static void terminal_resume(struct tty *tty)
{
	serial_rx_resume(channel.port);
}

static bool is_sent(void)
{
	bool sent;

	spin_lock(&channel.lock);
	pump();
	sent = channel.out.head == channel.out.tail;
	spin_unlock(&channel.lock);
	return sent;
}

static void terminal_drain(struct tty *tty)
{
	if (wait_event(&channel.writable, is_sent()) == 0)
		serial_flush(channel.port);
}

static const struct tty_driver terminal_driver = {
	.open = terminal_open,
	.write = terminal_write,
	.echo = terminal_echo,
	.writable = terminal_writable,
	.resume = terminal_resume,
	.drain = terminal_drain,
};

static struct tty channel_tty = {.driver = &terminal_driver, .name = "channel/tty"};

/* ---- Start and end ---- */

static struct device nodes[] = {
	{.driver = (void *)CHANNEL_STDIN, .operations = &stdin_operations},
	{.driver = (void *)CHANNEL_STDOUT, .operations = &output_operations},
	{.driver = (void *)CHANNEL_STDERR, .operations = &output_operations},
	{.operations = &control_operations},
};

static int make_nodes(void)
{
	static const char *const names[] = {
		"channel/0", "channel/1", "channel/2", "channel/control"};
	int error = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(nodes) && !error; i++)
		error = devfs_add(names[i], S_IFIFO | 0600, &nodes[i]);
	return error ? error : tty_register(&channel_tty, device_number(MAJOR_LOCAL, 0), 0600);
}

int channel_follow_window(void)
{
	if (!channel.port)
		return -ENODEV;
	channel.window = true;
	return channel_use();
}

bool channel_exists(void)
{
	return channel.port;
}

int channel_init(void)
{
	channel.port = serial_open(1);
	if (!channel.port)
		return 0;
	channel.in.bytes = kmalloc(RING_SIZE);
	channel.out.bytes = kmalloc(RING_SIZE);
	channel.piece = kmalloc(PIECE);
	if (!channel.in.bytes || !channel.out.bytes || !channel.piece)
		return -ENOMEM;
	channel.parser.events = (struct channel_events){.input = on_input,
		.end_of_input = on_end,
		.window = on_window,
		.broken = on_broken};
	return make_nodes();
}

void channel_finish(int wait_status)
{
	const ns_t limit = arch_clock() + FINISH_LIMIT;
	bool used, exit;

	if (!channel.port)
		return;
	spin_lock(&channel.lock);
	used = channel.ready_sent;
	exit = used && !channel.exit_sent;
	spin_unlock(&channel.lock);
	if (!used)
		return;
	while (exit &&
		!send_frame(CHANNEL_EXIT, &wait_status, sizeof(wait_status), sizeof(wait_status)) &&
		arch_clock() < limit)
		(void)is_sent();
	while (!is_sent() && arch_clock() < limit)
		arch_pause();
	if (is_sent())
		serial_flush(channel.port);
	else
		log_error("channel: the host did not take the last bytes within %llu s",
			(unsigned long long)(FINISH_LIMIT / NS_PER_SECOND));
}
