/* SPDX-License-Identifier: MIT */
/*
 * Terminals as files (man 4 tty, man 3 termios, man 2 ioctl_tty).
 *
 * Bytes typed come from the driver (in its interrupt; tty_input.c) through the line discipline into the line's
 * buffer, from where reads take them; when that is full the driver is told to hold the rest. Bytes
 * written go through output processing in pieces of up to PIECE bytes, so that a line of a program
 * leaves in one piece, and to the driver.
 *
 * Sessions and hang-ups are tty_session.c's. A hang-up is counted in tty->hang_ups, and a file that was
 * opened before the last one is dead: it reads as ended and takes no output. Files of /dev/console never die.
 *
 * /dev/console (console_tty.c) is a terminal of its own whose output TIOCCONS may send elsewhere.
 *
 * Lives: a terminal of hardware is there for ever. A pty's is freed with its last reference: open
 * files, its session and the pair's other end hold one each.
 *
 * Locks: tty->write_lock (a mutex: writers) before tty->lock (a spin lock, taken in interrupts), before
 * ttys_lock and the driver's and the log's locks. Signals are collected under tty->lock and sent
 * after it, and waiters are woken after it: process_lock and queues' locks are never taken inside.
 */
#include "devices/tty.h"

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/current.h"

#include <asm/signal.h>
#include <linux/capability.h>

#define PIECE 512u

static struct spinlock redirect_lock = SPINLOCK_INIT;
static struct tty *redirect guarded_by(redirect_lock); /* with a reference */

/* ---- Life ---- */

void tty_get(struct tty *tty)
{
	__atomic_add_fetch(&tty->references, 1, __ATOMIC_RELAXED);
}

void tty_put(struct tty *tty)
{
	if (__atomic_sub_fetch(&tty->references, 1, __ATOMIC_ACQ_REL) == 0 && tty->driver->release)
		tty->driver->release(tty);
}

bool tty_file_dead(const struct tty_file *file)
{
	return file->view != TTY_CONSOLE &&
	       __atomic_load_n(&file->tty->hang_ups, __ATOMIC_ACQUIRE) != file->hang_ups;
}

/* ---- From the line discipline ---- */

static void on_echo(void *context, const char *bytes, size_t count)
{
	struct tty *tty = context;

	tty->driver->echo(tty, bytes, count);
}

static size_t echo_room(void *context)
{
	struct tty *tty = context;

	return tty->driver->echo_room ? tty->driver->echo_room(tty) : SIZE_MAX;
}

static void on_signal(void *context, int signal)
{
	struct tty *tty = context;

	tty->signals |= 1u << signal;
}

static void on_event(void *context, unsigned int bits)
{
	struct tty *tty = context;

	if (tty->driver->event)
		tty->driver->event(tty, bits);
}

void tty_init(struct tty *tty)
{
	const struct line_events events = {.echo = on_echo,
		.echo_room = echo_room,
		.signal = on_signal,
		.event = on_event,
		.context = tty};

	mutex_init(&tty->write_lock, "tty->write_lock");
	spin_init(&tty->lock, "tty->lock");
	wait_queue_init(&tty->readable);
	wait_queue_init(&tty->output);
	line_init(&tty->line, &events);
	tty->references = 1;
	tty->input_speed = tty->output_speed = 38400;
}

int tty_ready_echo(struct tty *tty)
{
	uint8_t *echoes;

	if (likely(tty->line.echoes))
		return 0;
	echoes = kmalloc(LINE_ECHO);
	if (!echoes)
		return -ENOMEM;
	spin_lock(&tty->lock);
	if (!tty->line.echoes) {
		tty->line.echoes = echoes;
		echoes = NULL;
	}
	spin_unlock(&tty->lock);
	kfree(echoes);
	return 0;
}

/* ---- Reading ---- */

/* What a read waits for: man 3 termios on MIN and TIME. */
struct read_terms {
	bool canonical;
	uint32_t least; /* bytes; 0: what there is */
	ns_t time;      /* between bytes, or for the first; 0: no limit */
	ns_t deadline;  /* for the first, where TIME counts from the call */
};

static struct read_terms terms_of(struct tty *tty, size_t size)
{
	const struct termios *termios = &tty->line.termios;
	struct read_terms terms = {.canonical = termios->c_lflag & ICANON, .least = 1};

	if (terms.canonical)
		return terms;
	terms.least = termios->c_cc[VMIN];
	if (terms.least > size)
		terms.least = (uint32_t)size;
	terms.time = termios->c_cc[VTIME] * (NS_PER_SECOND / 10);
	terms.deadline = arch_clock() + terms.time;
	return terms;
}

static bool has_input(const struct tty_file *file)
{
	struct tty *tty = file->tty;
	bool has;

	spin_lock(&tty->lock);
	has = line_readable(&tty->line, 1) || tty->gone;
	spin_unlock(&tty->lock);
	return has || tty_file_dead(file);
}

/* Takes what is there, up to `size`; tells the driver when there is room again. */
static size_t take_input(struct tty *tty, uint8_t *to, size_t size, bool *end)
{
	bool resume;
	size_t count;

	spin_lock(&tty->lock);
	count = line_read(&tty->line, to, size, end);
	resume = tty->starved && line_room(&tty->line);
	if (resume)
		tty->starved = false;
	tty_unlock(tty);
	if (resume && tty->driver->resume)
		tty->driver->resume(tty);
	return count;
}

/* Nothing is there: waits, or says why there is no use. -ETIMEDOUT: the read is over. */
static int wait_for_input(struct file *file, const struct read_terms *terms, size_t done)
{
	const struct tty_file *open = file->private;
	ns_t deadline = NS_NEVER;

	if (open->tty->gone)
		return -EIO;
	if (tty_file_dead(open))
		return -ETIMEDOUT;
	if (terms->time && (done || !terms->least))
		deadline = done ? arch_clock() + terms->time : terms->deadline;
	else if (!terms->canonical && !terms->least)
		return -ETIMEDOUT; /* MIN 0, TIME 0: never waits */
	if (file_nonblocking(file))
		return -EAGAIN;
	return wait_event_until(&open->tty->readable, has_input(open), deadline);
}

static ssize_t tty_read(struct file *file, struct io *io, int64_t *position)
{
	const struct tty_file *open = file->private;
	struct tty *tty = open->tty;
	struct read_terms terms = terms_of(tty, io->left);
	uint8_t bytes[256];
	size_t done = 0, count, moved;
	bool end = false;
	int error = 0;

	if (tty_file_dead(open))
		return 0;
	if (open->view != TTY_CONSOLE)
		error = tty_check_foreground(tty, SIGTTIN);
	while (!error && io->left && !end) {
		count = take_input(
			tty, bytes, io->left < sizeof(bytes) ? io->left : sizeof(bytes), &end);
		moved = io_put(io, bytes, count);
		done += moved;
		if (moved < count)
			break;
		if (count == sizeof(bytes) || end)
			continue;
		if (terms.canonical ? done > 0 : done && done >= terms.least)
			break;
		error = wait_for_input(file, &terms, done);
	}
	return io_result(io, done, error == -ETIMEDOUT ? 0 : error);
}

/* ---- Writing ---- */

static bool is_running(const struct tty_file *file)
{
	struct tty *tty = file->tty;
	bool running;

	spin_lock(&tty->lock);
	running = !tty->line.stopped;
	spin_unlock(&tty->lock);
	return running || tty_file_dead(file);
}

/* Sends one piece after output processing; with write_lock. How much of it went out. */
static ssize_t send_piece(
	const struct tty_file *file, const char *bytes, size_t count, bool nonblocking)
{
	struct tty *tty = file->tty;
	char out[TTY_PIECE];
	size_t done = 0, used, made;
	ssize_t sent = 0;

	while (done < count && sent >= 0) {
		spin_lock(&tty->lock);
		line_echo_flush(&tty->line);
		if (unlikely(tty->line.flushing)) {
			tty_unlock(tty);
			continue;
		}
		made = line_output(&tty->line, bytes + done, count - done, &used, out, sizeof(out));
		spin_unlock(&tty->lock);
		if (made)
			sent = tty->driver->write(tty, out, made, nonblocking);
		if (sent >= 0)
			done += used;
	}
	return done ? (ssize_t)done : sent;
}

static ssize_t write_locked(struct file *file, const struct tty_file *open, struct io *io)
{
	char bytes[PIECE];
	size_t done = 0, count;
	ssize_t sent;
	int error = 0;

	while (io->left && !error) {
		if (!is_running(open)) {
			error = file_nonblocking(file)
					? -EAGAIN
					: wait_event(&open->tty->output, is_running(open));
			continue;
		}
		if (tty_file_dead(open)) {
			error = -EIO;
			break;
		}
		count = io_get(io, bytes, io->left < PIECE ? io->left : PIECE);
		if (!count)
			break;
		sent = send_piece(open, bytes, count, file_nonblocking(file));
		if (sent > 0)
			done += (size_t)sent;
		if (sent < (ssize_t)count)
			error = sent < 0 ? (int)sent : -ERESTARTSYS;
	}
	if (error && open->tty->async.first)
		__atomic_store_n(&open->tty->wants_room, true, __ATOMIC_RELAXED);
	return io_result(io, done, error);
}

static ssize_t write_to(
	struct file *file, const struct tty_file *open, struct io *io) no_lock_checks
{
	struct mutex *lock = &open->tty->write_lock;
	ssize_t result;
	int error;

	if (file_nonblocking(file))
		error = mutex_trylock(lock) ? 0 : -EAGAIN;
	else
		error = mutex_lock_interruptible(lock);
	if (error)
		return error;
	result = write_locked(file, open, io);
	__atomic_store_n(&open->tty->written, arch_clock_now(), __ATOMIC_RELAXED);
	mutex_unlock(lock);
	return result;
}

static ssize_t write_redirected(struct file *file, struct tty *tty, struct io *io)
{
	const struct tty_file open = {
		.tty = tty, .hang_ups = __atomic_load_n(&tty->hang_ups, __ATOMIC_ACQUIRE)};
	ssize_t result = write_to(file, &open, io);

	tty_put(tty);
	return result;
}

static struct tty *redirected(void)
{
	struct tty *tty;

	spin_lock(&redirect_lock);
	tty = redirect;
	if (tty)
		tty_get(tty);
	spin_unlock(&redirect_lock);
	return tty;
}

int tty_redirect_console(struct tty *tty)
{
	struct tty *was;

	spin_lock(&redirect_lock);
	was = redirect;
	if (tty && was) {
		spin_unlock(&redirect_lock);
		return -EBUSY;
	}
	redirect = tty;
	if (tty)
		tty_get(tty);
	spin_unlock(&redirect_lock);
	if (was)
		tty_put(was);
	return 0;
}

static ssize_t tty_write(struct file *file, struct io *io, int64_t *position)
{
	const struct tty_file *open = file->private;
	struct tty *other = open->view == TTY_CONSOLE ? redirected() : NULL;
	int error = 0;

	if (other)
		return write_redirected(file, other, io);
	if (tty_file_dead(open))
		return -EIO;
	if (open->view != TTY_CONSOLE && open->tty->line.termios.c_lflag & TOSTOP)
		error = tty_check_foreground(open->tty, SIGTTOU);
	return error ? error : write_to(file, open, io);
}

static unsigned int tty_poll(struct file *file, struct wait_queue *queues[2])
{
	const struct tty_file *open = file->private;
	struct tty *tty = open->tty;
	unsigned int mask = 0;
	uint32_t least;
	bool stopped;

	queues[0] = &tty->readable;
	queues[1] = &tty->output;
	if (tty_file_dead(open))
		return POLLIN | POLLOUT | POLLERR | POLLHUP | POLLRDNORM | POLLWRNORM;
	spin_lock(&tty->lock);
	least = tty->line.termios.c_cc[VTIME] ? 1 : tty->line.termios.c_cc[VMIN];
	if (line_readable(&tty->line, least))
		mask |= POLLIN | POLLRDNORM;
	stopped = tty->line.stopped;
	spin_unlock(&tty->lock);
	if (!stopped && (!tty->driver->writable || tty->driver->writable(tty, &queues[1])))
		mask |= POLLOUT | POLLWRNORM;
	return mask;
}

/* ---- Opening ---- */

/* Counts an open file; -EIO or -EBUSY when it may not be. */
static int count_open(struct tty *tty, struct tty_file *open)
{
	int error = 0;

	spin_lock(&tty->lock);
	if (tty->gone)
		error = -EIO;
	else if (tty->exclusive && tty->opens && !capable(CAP_SYS_ADMIN))
		error = -EBUSY;
	else
		__atomic_store_n(&tty->opens, tty->opens + 1, __ATOMIC_RELAXED);
	open->hang_ups = tty->hang_ups;
	spin_unlock(&tty->lock);
	return error;
}

static void count_close(struct tty *tty)
{
	bool last;

	spin_lock(&tty->lock);
	last = tty->opens == 1;
	__atomic_store_n(&tty->opens, tty->opens - 1, __ATOMIC_RELAXED);
	if (last) {
		tty->exclusive = false;
		tty->locked = (struct termios){0};
	}
	spin_unlock(&tty->lock);
	if (last && tty->driver->close)
		tty->driver->close(tty);
}

int tty_open_file(struct file *file, struct tty *tty, enum tty_view view)
{
	struct tty_file *open = kmalloc(sizeof(*open));
	int error = open ? tty_ready_echo(tty) : -ENOMEM;

	if (error) {
		kfree(open);
		return error;
	}
	*open = (struct tty_file){.tty = tty, .view = view};
	error = count_open(tty, open);
	if (!error && tty->driver->open) {
		error = tty->driver->open(tty, file);
		if (error)
			count_close(tty);
	}
	if (error) {
		kfree(open);
		return error;
	}
	tty_get(tty);
	file->private = open;
	file->operations = &tty_operations;
	/* Whoever leads a session without a terminal gets this one; that is no reason to fail. */
	if (!(file->flags & O_NOCTTY) && view != TTY_CONSOLE && file_readable(file) &&
		current_session() > 0 && current_session() == current_pid())
		(void)!tty_take_control(tty, false);
	return 0;
}

static void tty_close(struct file *file)
{
	struct tty_file *open = file->private;
	struct tty *tty = open->tty;

	count_close(tty);
	kfree(open);
	tty_put(tty);
}

/* As Linux's, by the file's own O_NONBLOCK alone. */
static ssize_t tty_splice(struct file *file, struct io *io, bool nonblocking)
{
	int64_t none = 0;

	(void)nonblocking;
	return tty_read(file, io, &none);
}

const struct file_operations tty_operations = {
	.splice = tty_splice,
	.release = tty_close,
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_ioctl,
	.async = tty_async,
	.poll = tty_poll,
	.traits = FILE_STREAM,
};

/* A node of a terminal of hardware: `private` is what the device says. */
static int node_open(struct file *file)
{
	return tty_open_file(file, file->private, TTY_OWN);
}

static const struct file_operations node_operations = {.open = node_open, .traits = FILE_STREAM};

int tty_register(struct tty *tty, uint64_t number, uint32_t mode)
{
	tty_init(tty);
	tty->device.number = number;
	tty->device.operations = &node_operations;
	tty->device.driver = tty;
	return devfs_add(tty->name, S_IFCHR | mode, &tty->device);
}
