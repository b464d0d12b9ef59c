/* SPDX-License-Identifier: MIT */
/*
 * Terminals as files (man 4 tty, man 3 termios, man 2 ioctl_tty).
 *
 * Bytes typed come from the driver (in its interrupt) through the line discipline into the line's
 * buffer, from where reads take them; when that is full the driver is told to hold the rest. Bytes
 * written go through output processing in pieces of up to PIECE bytes, so that a line of a program
 * leaves in one piece, and to the driver.
 *
 * A terminal belongs to at most one session, whose leader got it (TIOCSCTTY, or by opening it), and
 * has a foreground group: signals typed go there, and a background process that reads gets SIGTTIN,
 * one that writes with TOSTOP set gets SIGTTOU.
 *
 * Locks: tty->write_lock (a mutex: writers, and changes of settings that wait for output) before
 * tty->lock (a spin lock, taken in interrupts), before ttys_lock and the driver's and the log's
 * locks. Signals are collected under tty->lock and sent after it: process_lock is never taken inside.
 */
#include "devices/tty.h"

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/user.h"
#include "process/current.h"

#include <asm/signal.h>

#define PIECE 512u

static struct spinlock ttys_lock = SPINLOCK_INIT;
static struct list ttys guarded_by(ttys_lock) = LIST_INIT(ttys);

/* ---- From the line discipline ---- */

static void on_echo(void *context, const char *bytes, size_t count)
{
	struct tty *tty = context;

	tty->driver->echo(tty, bytes, count);
}

static void on_signal(void *context, int signal)
{
	struct tty *tty = context;

	tty->signals |= 1u << signal;
}

/* Sends the signals collected; without locks. */
static void send_signals(int group, uint32_t signals)
{
	int signal;

	while (group > 0 && signals) {
		signal = __builtin_ctz(signals);
		signals &= signals - 1;
		if (signal_group(group, signal))
			return; /* nobody is left there */
	}
}

/* Releases tty->lock and sends what was collected under it. */
static void unlock_and_signal(struct tty *tty) releases(tty->lock)
{
	uint32_t signals = tty->signals;
	int group = tty->foreground;

	tty->signals = 0;
	spin_unlock(&tty->lock);
	send_signals(group, signals);
}

/* ---- From the driver ---- */

size_t tty_receive(struct tty *tty, const uint8_t *bytes, size_t count)
{
	bool was_stopped, readable;
	size_t taken = 0;

	spin_lock(&tty->lock);
	was_stopped = tty->line.stopped;
	while (taken < count && line_room(&tty->line))
		line_input(&tty->line, bytes[taken++]);
	tty->starved = taken < count;
	readable = line_readable(&tty->line, 1);
	was_stopped = was_stopped && !tty->line.stopped;
	unlock_and_signal(tty);
	if (readable)
		wake_events(&tty->readable, POLLIN | POLLRDNORM);
	if (was_stopped)
		wake_events(&tty->output, POLLOUT | POLLWRNORM);
	return taken;
}

void tty_resize(struct tty *tty, unsigned int rows, unsigned int columns)
{
	spin_lock(&tty->lock);
	if (tty->size.ws_row != rows || tty->size.ws_col != columns) {
		tty->size.ws_row = (unsigned short)rows;
		tty->size.ws_col = (unsigned short)columns;
		tty->signals |= 1u << SIGWINCH;
	}
	unlock_and_signal(tty);
}

void tty_hang_up(struct tty *tty)
{
	spin_lock(&tty->lock);
	tty->hung_up = true;
	tty->signals |= 1u << SIGHUP | 1u << SIGCONT;
	unlock_and_signal(tty);
	wake_all(&tty->readable);
	wake_all(&tty->output);
}

/* ---- Sessions ---- */

struct tty *tty_of_session(int session)
{
	struct tty *tty, *found = NULL;

	if (session <= 0)
		return NULL;
	spin_lock(&ttys_lock);
	list_for_each(tty, &ttys, link)
	{
		if (__atomic_load_n(&tty->session, __ATOMIC_RELAXED) == session) {
			found = tty;
			break;
		}
	}
	spin_unlock(&ttys_lock);
	return found;
}

void tty_session_ended(int session)
{
	struct tty *tty = tty_of_session(session);

	if (!tty)
		return;
	spin_lock(&tty->lock);
	if (tty->session == session) {
		tty->signals |= 1u << SIGHUP | 1u << SIGCONT;
		tty->session = 0;
	}
	unlock_and_signal(tty);
	spin_lock(&tty->lock);
	if (!tty->session)
		tty->foreground = 0;
	spin_unlock(&tty->lock);
}

int tty_take_control(struct tty *tty, bool steal)
{
	int session = current_session(), error = 0;

	if (session != current_pid())
		return -EPERM;
	if (__atomic_load_n(&tty->session, __ATOMIC_RELAXED) == session)
		return 0;
	if (tty_of_session(session))
		return -EPERM;
	spin_lock(&tty->lock);
	if (tty->session && !steal) {
		error = -EPERM;
	} else {
		__atomic_store_n(&tty->session, session, __ATOMIC_RELAXED);
		tty->foreground = current_group();
	}
	spin_unlock(&tty->lock);
	return error;
}

int tty_check_foreground(struct tty *tty, int signal)
{
	int group = current_group();
	bool background;

	spin_lock(&tty->lock);
	background = tty->session && tty->session == current_session() && tty->foreground &&
		     tty->foreground != group;
	spin_unlock(&tty->lock);
	return background ? signal_from_background(signal) : 0;
}

/* ---- Reading ---- */

/* What a read waits for: man 3 termios on MIN and TIME. */
struct read_terms {
	bool canonical;
	uint32_t least; /* bytes; 0: what there is */
	ns_t time;      /* between bytes, or for the first; 0: no limit */
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
	return terms;
}

static bool has_input(struct tty *tty)
{
	bool has;

	spin_lock(&tty->lock);
	has = line_readable(&tty->line, 1) || tty->hung_up;
	spin_unlock(&tty->lock);
	return has;
}

/* Takes what is there, up to `size`; tells the driver when there is room again. */
static size_t take_input(struct tty *tty, uint8_t *to, size_t size, bool *end)
{
	bool resume;
	size_t count;

	spin_lock(&tty->lock);
	count = line_read(&tty->line, to, size, end);
	if (!count && tty->hung_up)
		*end = true;
	resume = tty->starved && line_room(&tty->line);
	if (resume)
		tty->starved = false;
	spin_unlock(&tty->lock);
	if (resume && tty->driver->resume)
		tty->driver->resume(tty);
	return count;
}

static int wait_for_input(struct tty *tty, const struct read_terms *terms, size_t done)
{
	ns_t deadline = NS_NEVER;

	if (terms->time && (done || !terms->least))
		deadline = arch_clock() + terms->time;
	else if (!terms->canonical && !terms->least)
		return -ETIMEDOUT; /* MIN 0, TIME 0: never waits */
	return wait_event_until(&tty->readable, has_input(tty), deadline);
}

static ssize_t tty_read(struct file *file, struct io *io, int64_t *position)
{
	struct tty *tty = file->private;
	struct read_terms terms = terms_of(tty, io->left);
	uint8_t bytes[256];
	size_t done = 0, count, moved;
	bool end = false;
	int error = tty_check_foreground(tty, SIGTTIN);

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
		if (file_nonblocking(file))
			error = -EAGAIN;
		else
			error = wait_for_input(tty, &terms, done);
	}
	return io_result(io, done, error == -ETIMEDOUT ? 0 : error);
}

/* ---- Writing ---- */

static bool is_running(struct tty *tty)
{
	bool running;

	spin_lock(&tty->lock);
	running = !tty->line.stopped || tty->hung_up;
	spin_unlock(&tty->lock);
	return running;
}

/* Sends one piece after output processing; with write_lock. How much of it went out. */
static ssize_t send_piece(struct tty *tty, const char *bytes, size_t count, bool nonblocking)
{
	char out[TTY_PIECE];
	size_t done = 0, used, made;
	ssize_t sent = 0;

	while (done < count && sent >= 0) {
		spin_lock(&tty->lock);
		made = line_output(&tty->line, bytes + done, count - done, &used, out, sizeof(out));
		spin_unlock(&tty->lock);
		sent = made ? tty->driver->write(tty, out, made, nonblocking) : 0;
		if (sent >= 0)
			done += used;
	}
	return done ? (ssize_t)done : sent;
}

static ssize_t write_locked(struct file *file, struct io *io)
{
	struct tty *tty = file->private;
	char bytes[PIECE];
	size_t done = 0, count;
	ssize_t sent;
	int error = 0;

	while (io->left && !error) {
		if (!is_running(tty)) {
			error = file_nonblocking(file) ? -EAGAIN
						       : wait_event(&tty->output, is_running(tty));
			continue;
		}
		if (tty->hung_up) {
			error = -EIO;
			break;
		}
		count = io_get(io, bytes, io->left < PIECE ? io->left : PIECE);
		if (!count)
			break;
		sent = send_piece(tty, bytes, count, file_nonblocking(file));
		if (sent > 0)
			done += (size_t)sent;
		if (sent < (ssize_t)count)
			error = sent < 0 ? (int)sent : -ERESTARTSYS;
	}
	return io_result(io, done, error);
}

static ssize_t tty_write(struct file *file, struct io *io, int64_t *position)
{
	struct tty *tty = file->private;
	ssize_t result = 0;
	int error;

	if (tty->line.termios.c_lflag & TOSTOP)
		result = tty_check_foreground(tty, SIGTTOU);
	if (result)
		return result;
	error = mutex_lock_interruptible(&tty->write_lock);
	if (error)
		return error;
	result = write_locked(file, io);
	mutex_unlock(&tty->write_lock);
	return result;
}

static unsigned int tty_poll(struct file *file, struct wait_queue *queues[2])
{
	struct tty *tty = file->private;
	unsigned int mask = 0;
	uint32_t least;

	queues[0] = &tty->readable;
	queues[1] = &tty->output;
	spin_lock(&tty->lock);
	least = tty->line.termios.c_cc[VTIME] ? 1 : tty->line.termios.c_cc[VMIN];
	if (line_readable(&tty->line, least))
		mask |= POLLIN | POLLRDNORM;
	if (tty->hung_up)
		mask |= POLLIN | POLLHUP;
	if (!tty->line.stopped)
		mask |= POLLOUT | POLLWRNORM;
	spin_unlock(&tty->lock);
	if (tty->driver->writable && !tty->driver->writable(tty, &queues[1]))
		mask &= ~(unsigned int)(POLLOUT | POLLWRNORM);
	return mask;
}

/* ---- Opening ---- */

static int tty_open(struct file *file)
{
	struct tty *tty = file->private;

	/* Whoever leads a session without a terminal gets this one; that is no reason to fail. */
	if (!(file->flags & O_NOCTTY) && !tty->never_controls && file_readable(file) &&
		current_session() > 0 && current_session() == current_pid())
		(void)!tty_take_control(tty, false);
	if (tty->driver->open)
		tty->driver->open(tty);
	return 0;
}

static const struct file_operations tty_operations = {
	.open = tty_open,
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
	.traits = FILE_STREAM,
};

/* /dev/tty: whichever is the caller's. */
static int own_tty_open(struct file *file)
{
	file->private = tty_of_session(current_session());
	if (!file->private)
		return -ENXIO;
	file->operations = &tty_operations;
	return 0;
}

static const struct file_operations own_tty_operations = {.open = own_tty_open};

static int register_own_tty(void)
{
	static struct device own = {.operations = &own_tty_operations};
	static bool done;

	if (done)
		return 0;
	done = true;
	own.number = device_number(TTYAUX_MAJOR, 0);
	return devfs_add("tty", S_IFCHR | 0666, &own);
}

int tty_alias(
	struct tty *tty, struct device *device, const char *name, uint64_t number, uint32_t mode)
{
	device->number = number;
	device->operations = &tty_operations;
	device->driver = tty;
	return devfs_add(name, S_IFCHR | mode, device);
}

int tty_register(struct tty *tty, uint64_t number, uint32_t mode)
{
	const struct line_events events = {on_echo, on_signal, tty};
	int error = register_own_tty();

	if (error)
		return error;
	mutex_init(&tty->write_lock, "tty->write_lock");
	spin_init(&tty->lock, "tty->lock");
	wait_queue_init(&tty->readable);
	wait_queue_init(&tty->output);
	line_init(&tty->line, &events);
	spin_lock(&ttys_lock);
	list_push_back(&ttys, &tty->link);
	spin_unlock(&ttys_lock);
	return tty_alias(tty, &tty->device, tty->name, number, mode);
}
