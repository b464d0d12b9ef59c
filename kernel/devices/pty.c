/* SPDX-License-Identifier: MIT */
/*
 * Pseudo-terminals (man 7 pty, man 4 pts, man 2 ioctl_tty).
 *
 * Opening /dev/ptmx makes a pair. The slave is a terminal like any other (tty.c), whose driver is this
 * file: what is written to it goes into a ring that the master reads, and what the master writes is
 * what is typed on it. The slave's node in devpts lives as long as the master is open; it cannot be
 * opened before TIOCSPTLCK has unlocked it.
 *
 * Ends. The master is closed: the slave is hung up for ever (tty_end), its node goes. The slave is
 * closed by all who had it: the master reads what is left, then gets EIO, until it is opened again.
 *
 * Packet mode (TIOCPKT): each read by the master begins with a byte: 0 before data, or what has happened
 * (TIOCPKT_FLUSHREAD...), alone.
 *
 * Lives: the pair is one piece of memory, and the slave's references are its references. The master's
 * file, the slave's files and the session that it controls hold one each.
 *
 * Locks: tty->lock before pty->lock (a spin lock: the ring and the states of the ends), so that echo
 * can be put into the ring. The master's reader is woken after tty->lock (settle). pairs_lock (a
 * leaf) guards the way from a node to its pair.
 */
#include "devices/pty_pair.h"

#include "files/devpts.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/current.h"

#define PIECE      256u  /* of the master's writes */
#define AT_ONCE    2048u /* of them, as on Linux: echo comes after so much */
#define PTMX_MINOR 2u
#define MASTER_HAS \
	4095u /* bytes that lie in the master's own buffer: no flush by the slave takes them back */

struct spinlock pairs_lock = SPINLOCK_INIT; /* inode->driver of the nodes, pty->locked */

static struct pty *pty_of(struct tty *tty)
{
	return container_of(tty, struct pty, tty);
}

/* ---- The ring ---- */

static void put(struct pty *pty, const char *bytes, size_t count) requires(pty->lock)
{
	size_t at = pty->head % RING_SIZE, first = RING_SIZE - at;

	if (first > count)
		first = count;
	memcpy(pty->ring + at, bytes, first);
	memcpy(pty->ring, bytes + first, count - first);
	pty->head += (uint32_t)count;
	pty->wakes_reader = pty->fresh = true;
}

static size_t take(struct pty *pty, uint8_t *to, size_t size) requires(pty->lock)
{
	size_t at = pty->tail % RING_SIZE, count = pty_used(pty), first;

	if (count > size)
		count = size;
	first = RING_SIZE - at;
	if (first > count)
		first = count;
	memcpy(to, pty->ring + at, first);
	memcpy(to + first, pty->ring, count - first);
	pty->tail += (uint32_t)count;
	return count;
}

/* ---- The slave's driver ---- */

static bool fits(struct pty *pty, size_t count)
{
	bool room;

	spin_lock(&pty->lock);
	room = pty->master_closed || RING_SIZE - pty_used(pty) >= count;
	spin_unlock(&pty->lock);
	return room;
}

static ssize_t slave_write(struct tty *tty, const char *bytes, size_t count, bool nonblocking)
{
	struct pty *pty = pty_of(tty);
	bool done, closed;
	int error = 0;

	for (;;) {
		spin_lock(&pty->lock);
		closed = pty->master_closed;
		done = !closed && RING_SIZE - pty_used(pty) >= count;
		if (done) {
			put(pty, bytes, count);
			pty->fresh = false;
		}
		spin_unlock(&pty->lock);
		if (done) {
			wake_all(&pty->readable);
			async_tell(&pty->async, ASYNC_IN);
		}
		if (done || closed)
			return done ? (ssize_t)count : -EIO;
		error = nonblocking ? -EAGAIN : wait_event(&tty->output, fits(pty, count));
		if (error)
			return error;
	}
}

static void slave_echo(struct tty *tty, const char *bytes, size_t count)
{
	struct pty *pty = pty_of(tty);

	spin_lock(&pty->lock);
	if (RING_SIZE - pty_used(pty) >= count)
		put(pty, bytes, count);
	spin_unlock(&pty->lock);
}

static size_t slave_echo_room(struct tty *tty)
{
	struct pty *pty = pty_of(tty);
	size_t room;

	spin_lock(&pty->lock);
	room = RING_SIZE - pty_used(pty);
	spin_unlock(&pty->lock);
	return room;
}

static bool slave_writable(struct tty *tty, struct wait_queue **queue)
{
	*queue = &tty->output;
	return fits(pty_of(tty), TTY_PIECE);
}

static void slave_resume(struct tty *tty)
{
	wake_all(&pty_of(tty)->room);
}

static void slave_event(struct tty *tty, unsigned int bits)
{
	struct pty *pty = pty_of(tty);

	spin_lock(&pty->lock);
	if (bits & TIOCPKT_FLUSHWRITE && pty_used(pty) > MASTER_HAS) {
		pty->head = pty->tail + MASTER_HAS;
		pty->dropped = true;
	}
	if (pty->packet) {
		if (bits & (TIOCPKT_STOP | TIOCPKT_START))
			pty->happened &= (uint8_t) ~(TIOCPKT_STOP | TIOCPKT_START);
		if (bits & (TIOCPKT_DOSTOP | TIOCPKT_NOSTOP))
			pty->happened &= (uint8_t) ~(TIOCPKT_DOSTOP | TIOCPKT_NOSTOP);
		pty->happened |= (uint8_t)bits;
		pty->wakes_reader = true;
	}
	spin_unlock(&pty->lock);
}

static void slave_settle(struct tty *tty)
{
	struct pty *pty = pty_of(tty);
	bool wake, fresh, dropped;

	spin_lock(&pty->lock);
	wake = pty->wakes_reader;
	fresh = pty->fresh;
	dropped = pty->dropped;
	pty->wakes_reader = pty->fresh = pty->dropped = false;
	spin_unlock(&pty->lock);
	if (dropped)
		wake_all(&tty->output);
	if (wake)
		wake_all(&pty->readable);
	if (fresh)
		async_tell(&pty->async, ASYNC_IN);
}

/* TIOCSTI at the master: one more byte to be read by it, if its own buffer has room. */
void pty_put_to_master(struct pty *pty, uint8_t byte)
{
	spin_lock(&pty->lock);
	if (pty_used(pty) < MASTER_HAS)
		put(pty, (const char *)&byte, 1);
	spin_unlock(&pty->lock);
	slave_settle(&pty->tty);
}

static void slave_flush(struct tty *tty)
{
	spin_lock(&tty->lock);
	slave_event(tty, TIOCPKT_FLUSHWRITE);
	tty_unlock(tty);
}

static int slave_opened(struct tty *tty, const struct file *file)
{
	struct pty *pty = pty_of(tty);

	spin_lock(&pty->lock);
	pty->slave_closed = false;
	spin_unlock(&pty->lock);
	return 0;
}

/* Nobody has the slave any more: unless somebody opened it meanwhile. */
static void slave_closed(struct tty *tty)
{
	struct pty *pty = pty_of(tty);

	spin_lock(&tty->lock);
	spin_lock(&pty->lock);
	pty->slave_closed = !tty->opens;
	spin_unlock(&pty->lock);
	spin_unlock(&tty->lock);
	wake_all(&pty->readable);
	wake_all(&pty->room);
}

static void release(struct tty *tty)
{
	struct pty *pty = pty_of(tty);

	kfree(pty->tty.line.echoes);
	kfree(pty->ring);
	kfree(pty);
}

static const struct tty_driver slave_driver = {
	.open = slave_opened,
	.close = slave_closed,
	.write = slave_write,
	.echo = slave_echo,
	.echo_room = slave_echo_room,
	.writable = slave_writable,
	.resume = slave_resume,
	.event = slave_event,
	.settle = slave_settle,
	.flush = slave_flush,
	.release = release,
	.pseudo = true,
};

/* ---- The slave's node ---- */

/* The pair whose slave a node is, with a reference. -EIO: it has no master any more, or is locked. */
static int find_pair(struct inode *node, bool even_locked, struct pty **out)
{
	struct pty *pty;
	int error = 0;

	spin_lock(&pairs_lock);
	pty = node->driver;
	if (!pty || (pty->locked && !even_locked))
		error = -EIO;
	else
		tty_get(&pty->tty);
	spin_unlock(&pairs_lock);
	*out = pty;
	return error;
}

static int open_slave(struct file *file, bool even_locked)
{
	struct pty *pty;
	int error = find_pair(file->inode, even_locked, &pty);

	if (error)
		return error;
	error = tty_open_file(file, &pty->tty, TTY_OWN);
	tty_put(&pty->tty);
	return error;
}

static int node_open(struct file *file)
{
	return open_slave(file, false);
}

static const struct file_operations node_operations = {.open = node_open, .traits = FILE_STREAM};

static int peer_open(struct file *file)
{
	return open_slave(file, true);
}

const struct file_operations pty_peer_operations = {.open = peer_open, .traits = FILE_STREAM};

/* ---- The master ---- */

struct master_state {
	bool readable, closed, happened;
};

static struct master_state state_of(struct pty *pty)
{
	struct master_state state;

	spin_lock(&pty->lock);
	state.happened = pty->packet && pty->happened;
	state.readable = state.happened || pty_used(pty);
	state.closed = pty->slave_closed;
	spin_unlock(&pty->lock);
	return state;
}

static bool has_news(struct pty *pty)
{
	struct master_state state = state_of(pty);

	return state.readable || state.closed;
}

/* What there is for one read; in packet mode, where `start` is its start, with the byte in front. */
static size_t take_news(struct pty *pty, uint8_t *to, size_t size, bool start, bool *alone)
{
	size_t count = 0;

	spin_lock(&pty->lock);
	*alone = pty->packet && pty->happened;
	if (*alone && start) {
		to[0] = pty->happened;
		pty->happened = 0;
		count = 1;
	} else if (!*alone && pty_used(pty)) {
		if (pty->packet && start)
			to[count++] = TIOCPKT_DATA;
		count += take(pty, to + count, size - count);
	}
	spin_unlock(&pty->lock);
	return count;
}

static ssize_t master_read(struct file *file, struct io *io, int64_t *position)
{
	struct pty *pty = file->private;
	uint8_t bytes[512];
	size_t done = 0, count, moved, size;
	bool alone = false;
	int error = 0;

	while (io->left && !error && !alone) {
		size = io->left < sizeof(bytes) ? io->left : sizeof(bytes);
		count = take_news(pty, bytes, size, !done, &alone);
		if (count)
			tty_tell_room(&pty->tty);
		moved = io_put(io, bytes, count);
		done += moved;
		if (moved < count || (!count && done))
			break;
		if (count)
			continue;
		if (state_of(pty).closed)
			error = state_of(pty).readable ? 0 : -EIO;
		else
			error = file_nonblocking(file) ? -EAGAIN
						       : wait_event(&pty->readable, has_news(pty));
	}
	return io_result(io, done, error);
}

/* Types these bytes. How many went; fewer: why, in *error. */
static size_t type_bytes(struct file *file, struct pty *pty, const uint8_t *bytes, size_t count,
	enum tty_part part, int *error)
{
	size_t done = 0;

	while (done < count && !*error) {
		done += tty_receive_part(&pty->tty, bytes + done, count - done, part);
		if (done == count)
			break;
		*error = file_nonblocking(file) ? -EAGAIN
						: wait_event(&pty->room, tty_has_room(&pty->tty));
	}
	return done;
}

static ssize_t master_write(struct file *file, struct io *io, int64_t *position)
{
	struct pty *pty = file->private;
	uint8_t bytes[PIECE];
	size_t done = 0, count;
	enum tty_part part = TTY_LAST;
	int error = 0;

	while (io->left && !error) {
		count = io_get(io, bytes, io->left < PIECE ? io->left : PIECE);
		if (!count)
			break;
		part = io->left && (done + count) % AT_ONCE ? TTY_MORE : TTY_LAST;
		done += type_bytes(file, pty, bytes, count, part, &error);
	}
	if (part == TTY_MORE) /* the memory to write from ended before */
		(void)tty_receive(&pty->tty, bytes, 0);
	return io_result(io, done, error);
}

static unsigned int master_poll(struct file *file, struct wait_queue *queues[2])
{
	struct pty *pty = file->private;
	struct master_state state = state_of(pty);
	unsigned int mask = 0;

	queues[0] = &pty->readable;
	queues[1] = &pty->room;
	if (state.readable)
		mask |= POLLIN | POLLRDNORM;
	if (state.happened)
		mask |= POLLPRI;
	if (state.closed)
		mask |= POLLHUP;
	if (tty_has_room(&pty->tty))
		mask |= POLLOUT | POLLWRNORM;
	return mask;
}

static int master_async(struct file *file, int fd, bool on)
{
	struct pty *pty = file->private;
	int result = async_change(file, fd, on, &pty->async);

	if (result > 0)
		async_offer_owner(file, OWNER_PROCESS, current_pid());
	return result;
}

/* ---- Pairs ---- */

static struct pty *create(void)
{
	struct pty *pty = kzalloc(sizeof(*pty));

	if (!pty)
		return NULL;
	pty->ring = kmalloc(RING_SIZE);
	if (!pty->ring) {
		kfree(pty);
		return NULL;
	}
	pty->tty.driver = &slave_driver;
	pty->tty.name = "pts";
	tty_init(&pty->tty);
	pty->tty.line.termios.c_cflag &= ~(tcflag_t)HUPCL; /* there is no modem */
	spin_init(&pty->lock, "pty->lock");
	wait_queue_init(&pty->readable);
	wait_queue_init(&pty->room);
	pty->locked = true;
	if (tty_ready_echo(&pty->tty)) {
		tty_put(&pty->tty);
		return NULL;
	}
	return pty;
}

static void master_close(struct file *file)
{
	struct pty *pty = file->private;

	spin_lock(&pairs_lock);
	pty->node->driver = NULL;
	spin_unlock(&pairs_lock);
	devpts_remove(pty->node);
	spin_lock(&pty->lock);
	pty->master_closed = true;
	spin_unlock(&pty->lock);
	tty_end(&pty->tty);
	tty_put(&pty->tty);
}

/* As Linux's, by the file's own O_NONBLOCK alone. */
static ssize_t master_splice(struct file *file, struct io *io, bool nonblocking)
{
	int64_t none = 0;

	(void)nonblocking;
	return master_read(file, io, &none);
}

static const struct file_operations master_operations = {
	.splice = master_splice,
	.release = master_close,
	.read = master_read,
	.write = master_write,
	.poll = master_poll,
	.async = master_async,
	.ioctl = pty_master_ioctl,
	.traits = FILE_STREAM,
};

static int master_open(struct file *file)
{
	struct pty *pty = create();
	int error;

	if (!pty)
		return -ENOMEM;
	error = devpts_add(&node_operations, pty, &pty->node);
	if (error) {
		tty_put(&pty->tty);
		return error;
	}
	pty->tty.device.number = pty->node->device;
	file->private = pty;
	file->operations = &master_operations;
	return 0;
}

static const struct file_operations ptmx_operations = {.open = master_open, .traits = FILE_STREAM};

int pty_init(void)
{
	static struct device ptmx = {.operations = &ptmx_operations};

	ptmx.number = device_number(TTYAUX_MAJOR, PTMX_MINOR);
	return devfs_add("ptmx", S_IFCHR | 0666, &ptmx);
}
