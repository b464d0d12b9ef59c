/* SPDX-License-Identifier: MIT */
/*
 * Serial ports as terminals: /dev/ttyS0 to ttyS3 (man 4 ttyS).
 *
 * A port is claimed when it is opened and released when nobody has it open any more; a console's is
 * claimed for ever, and what comes in while its terminal is not open is /dev/console's input. Settings
 * stay from one opening to the next, as on Linux; so does the speed, which a port that cannot have the
 * one asked for keeps.
 *
 * Carrier, as man 3 termios has it: without CLOCAL an open waits for it (not with O_NONBLOCK), and
 * when it goes the terminal is hung up. Opening raises DTR and RTS, B0 and (with HUPCL) the last close or a
 * hang-up drop them, but for a console's.
 *
 * Flow: what has no room stays with the port. Then RTS is dropped (CRTSCTS) and STOP sent (IXOFF) until
 * there is room. STOP received holds what is on its way at once; with CRTSCTS so does CTS.
 *
 * Locks: none of its own but claim_lock (a mutex: opening and closing). Modem events come by the port's
 * interrupt; tty->lock comes before the port's (echo).
 */
#include "devices/serial_tty.h"

#include "arch/arch.h"
#include "devices/console_tty.h"
#include "devices/serial.h"
#include "devices/tty_settings.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/current.h"

#include <linux/capability.h>
#include <linux/serial.h>

#define FIFO_BITS    (17 * 12u) /* a FIFO and what is being sent, at most 12 bits each */
#define LINES_INPUT  (TIOCM_CTS | TIOCM_DSR | TIOCM_RNG | TIOCM_CAR)
#define LINES_OUTPUT (TIOCM_DTR | TIOCM_RTS | TIOCM_OUT1 | TIOCM_OUT2 | TIOCM_LOOP)

struct serial_tty {
	struct tty tty;
	struct serial_port *port;
	struct wait_queue lines; /* who waits for modem lines */
	unsigned number;
	bool console, claimed; /* claimed: under claim_lock */
	bool throttled;        /* the other side was asked to wait */
};

static struct serial_tty terminals[SERIAL_PORTS];
static struct mutex claim_lock = MUTEX_INIT(claim_lock);

static struct serial_tty *of(const struct tty *tty)
{
	return tty->private;
}

static tcflag_t control_flags(const struct tty *tty)
{
	return __atomic_load_n(&tty->line.termios.c_cflag, __ATOMIC_RELAXED);
}

/* ---- Flow of input ---- */

static bool is_throttled(const struct serial_tty *serial)
{
	return __atomic_load_n(&serial->throttled, __ATOMIC_RELAXED);
}

/* Asks the other side to wait, or to go on. */
static void throttle(struct serial_tty *serial, bool on)
{
	struct tty *tty = &serial->tty;
	uint8_t byte;

	if (__atomic_exchange_n(&serial->throttled, on, __ATOMIC_RELAXED) == on)
		return;
	if (control_flags(tty) & CRTSCTS)
		serial_set_lines(serial->port, on ? 0 : TIOCM_RTS, on ? TIOCM_RTS : 0);
	byte = tty->line.termios.c_cc[on ? VSTOP : VSTART];
	if (tty->line.termios.c_iflag & IXOFF && byte)
		(void)serial_write_some(serial->port, &byte, 1);
}

static size_t on_received(void *context, const uint8_t *bytes, size_t count)
{
	struct serial_tty *serial = context;
	struct tty *tty = &serial->tty;
	size_t taken;

	if (!tty_is_open(tty))
		return serial->console ? console_tty_receive(bytes, count) : count;
	if (!(control_flags(tty) & CREAD))
		return count;
	taken = tty_receive(tty, bytes, count);
	if (taken < count)
		throttle(serial, true);
	return taken;
}

static void on_bad(void *context, enum serial_bad bad, uint8_t byte)
{
	struct serial_tty *serial = context;

	if (tty_is_open(&serial->tty) && control_flags(&serial->tty) & CREAD)
		tty_receive_bad(&serial->tty, bad == SERIAL_BREAK ? LINE_BREAK : LINE_PARITY, byte);
}

static void serial_tty_resume(struct tty *tty)
{
	throttle(of(tty), false);
	serial_rx_resume(of(tty)->port);
}

void serial_tty_resume_consoles(void)
{
	for (unsigned i = 0; i < SERIAL_PORTS; i++) {
		if (terminals[i].console)
			serial_rx_resume(terminals[i].port);
	}
}

/* ---- Output ---- */

static bool has_room(struct serial_tty *serial)
{
	return serial_write_room(serial->port) >= TTY_PIECE;
}

static ssize_t serial_tty_write(struct tty *tty, const char *bytes, size_t count, bool nonblocking)
{
	struct serial_tty *serial = of(tty);
	int error;

	while (!serial_write_whole(serial->port, bytes, count)) {
		error = nonblocking ? -EAGAIN
				    : wait_event(&tty->output, has_room(serial) || tty->hang_ups);
		if (error)
			return error;
	}
	return (ssize_t)count;
}

static void serial_tty_echo(struct tty *tty, const char *bytes, size_t count)
{
	(void)serial_write_some(of(tty)->port, bytes, count);
}

static bool serial_tty_writable(struct tty *tty, struct wait_queue **queue)
{
	*queue = &tty->output;
	return has_room(of(tty));
}

static void on_writable(void *context)
{
	struct serial_tty *serial = context;

	tty_tell_room(&serial->tty);
}

/* The ring by an interrupt, the rest by the time that it takes at this speed. */
static void serial_tty_drain(struct tty *tty)
{
	struct serial_port *port = of(tty)->port;
	ns_t wait = FIFO_BITS * NS_PER_SECOND / serial_baud(port), limit;

	if (wait_event(&tty->output, serial_tell_empty(port)))
		return;
	for (limit = arch_clock() + 2 * wait; !serial_idle(port) && arch_clock() < limit;) {
		if (wait_event_until(&tty->output, false, arch_clock() + wait / 16) != -ETIMEDOUT)
			return;
	}
}

static void serial_tty_event(struct tty *tty, unsigned bits)
{
	struct serial_port *port = of(tty)->port;

	if (bits & TIOCPKT_FLUSHWRITE)
		serial_drop_output(port);
	if (bits & (TIOCPKT_STOP | TIOCPKT_START))
		serial_hold_output(port, bits & TIOCPKT_STOP);
}

static void serial_tty_flush(struct tty *tty)
{
	serial_drop_output(of(tty)->port);
}

static size_t serial_tty_pending(struct tty *tty)
{
	return serial_pending(of(tty)->port);
}

static void serial_tty_set_break(struct tty *tty, bool on)
{
	serial_set_break(of(tty)->port, on);
}

/* ---- Settings ---- */

/* DTR and RTS as the settings have them. */
static void raise_lines(struct serial_tty *serial)
{
	unsigned rts =
		control_flags(&serial->tty) & CRTSCTS && is_throttled(serial) ? 0 : TIOCM_RTS;

	serial_set_lines(serial->port, TIOCM_DTR | rts, 0);
}

static void drop_lines(struct serial_tty *serial)
{
	if (!serial->console)
		serial_set_lines(serial->port, 0, TIOCM_DTR | TIOCM_RTS);
}

static void configure(struct tty *tty)
{
	struct serial_tty *serial = of(tty);
	struct serial_frame frame;
	tcflag_t flags;
	bool hung;

	spin_lock(&tty->lock);
	hung = (tty->line.termios.c_cflag & CBAUD) == B0;
	frame.baud = hung ? 9600 : tty->output_speed;
	if (!frame.baud || frame.baud > SERIAL_BAUD_MAX)
		frame.baud = serial_baud(serial->port);
	if (!hung)
		tty_set_speed(tty, frame.baud);
	flags = tty->line.termios.c_cflag;
	spin_unlock(&tty->lock);
	frame.bits = 5 + (flags & CSIZE) / CS6;
	frame.parity = flags & PARENB;
	frame.even = !(flags & PARODD);
	frame.stick = flags & CMSPAR;
	frame.two_stop = flags & CSTOPB;
	frame.cts_flow = flags & CRTSCTS;
	serial_set_frame(serial->port, &frame);
	if (hung)
		serial_set_lines(serial->port, 0, TIOCM_DTR | TIOCM_RTS);
	else
		raise_lines(serial);
}

/* ---- Opening and closing ---- */

static void on_lines(void *context, unsigned changed, unsigned now)
{
	struct serial_tty *serial = context;
	struct tty *tty = &serial->tty;

	wake_all(&serial->lines);
	if (changed & TIOCM_CAR && !(now & TIOCM_CAR) && !(control_flags(tty) & CLOCAL) &&
		tty_is_open(tty))
		tty_hang_up(tty);
}

static int claim(struct serial_tty *serial)
{
	static const struct serial_events events = {
		.received = on_received, .bad = on_bad, .writable = on_writable, .lines = on_lines};
	int error = 0;

	mutex_lock(&claim_lock);
	if (!serial->claimed)
		error = serial_claim(serial->port, &events, serial);
	serial->claimed = serial->claimed || !error;
	mutex_unlock(&claim_lock);
	return error;
}

static bool has_carrier(struct serial_tty *serial)
{
	return control_flags(&serial->tty) & CLOCAL || serial_lines(serial->port) & TIOCM_CAR;
}

static int serial_tty_open(struct tty *tty, const struct file *file)
{
	struct serial_tty *serial = of(tty);
	int error = claim(serial);

	if (error)
		return error;
	configure(tty);
	serial_rx_resume(serial->port); /* what was not for this terminal until now */
	return file_nonblocking(file) ? 0 : wait_event(&serial->lines, has_carrier(serial));
}

static void serial_tty_close(struct tty *tty)
{
	struct serial_tty *serial = of(tty);

	if (serial->console)
		return;
	serial_tty_drain(tty);
	mutex_lock(&claim_lock);
	if (!tty_is_open(tty) && serial->claimed) {
		if (control_flags(tty) & HUPCL)
			drop_lines(serial);
		serial_release(serial->port);
		serial->claimed = false;
	}
	mutex_unlock(&claim_lock);
}

static void serial_tty_hung_up(struct tty *tty)
{
	struct serial_tty *serial = of(tty);

	serial_hold_output(serial->port, false);
	if (control_flags(tty) & HUPCL)
		drop_lines(serial);
	__atomic_store_n(&serial->throttled, false, __ATOMIC_RELAXED);
	serial_rx_resume(serial->port);
	wake_all(&serial->lines);
}

/* ---- ioctls ---- */

static long put_lines(struct serial_tty *serial, user_t out)
{
	int lines = (int)serial_lines(serial->port);

	return copy_to_user(out, &lines, sizeof(lines));
}

static long set_lines(struct serial_tty *serial, unsigned command, user_t from)
{
	unsigned lines;

	if (copy_from_user(&lines, from, sizeof(lines)))
		return -EFAULT;
	lines &= LINES_OUTPUT;
	if (command == TIOCMBIS)
		serial_set_lines(serial->port, lines, 0);
	else if (command == TIOCMBIC)
		serial_set_lines(serial->port, 0, lines);
	else
		serial_set_lines(serial->port, lines, LINES_OUTPUT & ~lines);
	return 0;
}

static bool have_changed(
	struct serial_tty *serial, const struct serial_counts *before, unsigned long which)
{
	struct serial_counts now;

	serial_get_counts(serial->port, &now);
	return (which & TIOCM_CTS && now.cts != before->cts) ||
	       (which & TIOCM_DSR && now.dsr != before->dsr) ||
	       (which & TIOCM_RNG && now.ring != before->ring) ||
	       (which & TIOCM_CAR && now.carrier != before->carrier);
}

static long wait_lines(struct serial_tty *serial, unsigned long which)
{
	struct serial_counts before;

	serial_get_counts(serial->port, &before);
	return wait_event(&serial->lines, have_changed(serial, &before, which));
}

static long put_counts(struct serial_tty *serial, user_t out)
{
	struct serial_counts counts;
	struct serial_icounter_struct icounter;

	serial_get_counts(serial->port, &counts);
	icounter = (struct serial_icounter_struct){.cts = (int)counts.cts,
		.dsr = (int)counts.dsr,
		.rng = (int)counts.ring,
		.dcd = (int)counts.carrier,
		.rx = (int)counts.received,
		.tx = (int)counts.sent,
		.frame = (int)counts.framing,
		.overrun = (int)counts.overrun,
		.parity = (int)counts.parity,
		.brk = (int)counts.breaks};
	return copy_to_user(out, &icounter, sizeof(icounter));
}

static struct serial_struct description(const struct serial_tty *serial)
{
	return (struct serial_struct){.type = PORT_16550A,
		.line = (int)serial->number,
		.port = serial_base(serial->port),
		.irq = (int)serial_irq(serial->port),
		.flags = ASYNC_SKIP_TEST,
		.xmit_fifo_size = 16,
		.baud_base = (int)SERIAL_BAUD_MAX,
		.close_delay = 50,
		.closing_wait = 3000};
}

/* What a program gets may be set again; nothing of it can be another. */
static long set_description(struct serial_tty *serial, user_t from)
{
	struct serial_struct now = description(serial), wanted;

	if (copy_from_user(&wanted, from, sizeof(wanted)))
		return -EFAULT;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	return wanted.type == now.type && wanted.port == now.port && wanted.irq == now.irq &&
			       wanted.baud_base == now.baud_base
		       ? 0
		       : -EINVAL;
}

static long put_idle(struct serial_tty *serial, user_t out)
{
	unsigned idle = serial_idle(serial->port) ? TIOCSER_TEMT : 0;

	return copy_to_user(out, &idle, sizeof(idle));
}

static long serial_tty_ioctl(struct tty *tty, unsigned command, uintptr_t argument)
{
	struct serial_tty *serial = of(tty);
	user_t user = user_pointer(argument);
	struct serial_struct described;

	switch (command) {
	case TIOCMGET:
		return put_lines(serial, user);
	case TIOCMSET:
	case TIOCMBIS:
	case TIOCMBIC:
		return set_lines(serial, command, user);
	case TIOCMIWAIT:
		return wait_lines(serial, argument);
	case TIOCGICOUNT:
		return put_counts(serial, user);
	case TIOCGSERIAL:
		described = description(serial);
		return copy_to_user(user, &described, sizeof(described));
	case TIOCSSERIAL:
		return set_description(serial, user);
	case TIOCSERGETLSR:
		return put_idle(serial, user);
	default:
		return -ENOTTY;
	}
}

/* ---- Start ---- */

static const struct tty_driver serial_driver = {
	.open = serial_tty_open,
	.close = serial_tty_close,
	.hung_up = serial_tty_hung_up,
	.write = serial_tty_write,
	.echo = serial_tty_echo,
	.writable = serial_tty_writable,
	.resume = serial_tty_resume,
	.drain = serial_tty_drain,
	.event = serial_tty_event,
	.flush = serial_tty_flush,
	.pending = serial_tty_pending,
	.set_break = serial_tty_set_break,
	.configure = configure,
	.ioctl = serial_tty_ioctl,
};

static int register_terminal(unsigned number, struct serial_port *port)
{
	static const char *const names[SERIAL_PORTS] = {"ttyS0", "ttyS1", "ttyS2", "ttyS3"};
	struct serial_tty *serial = &terminals[number];
	struct tty *tty = &serial->tty;
	int error;

	serial->port = port;
	serial->number = number;
	wait_queue_init(&serial->lines);
	tty->driver = &serial_driver;
	tty->private = serial;
	tty->name = names[number];
	error = tty_register(tty, device_number(TTY_MAJOR, 64 + number), 0600);
	if (error)
		return error;
	serial->console = serial_is_console(number);
	spin_lock(&tty->lock);
	tty->line.termios.c_cflag |= CLOCAL;
	tty_set_speed(tty, serial->console ? serial_baud(port) : 9600);
	spin_unlock(&tty->lock);
	return serial->console ? claim(serial) : 0;
}

int serial_tty_init(void)
{
	int error = 0;

	for (unsigned i = 0; !error && i < SERIAL_PORTS; i++) {
		struct serial_port *port = serial_open(i);

		if (!port)
			continue;
		error = register_terminal(i, port);
		if (!error)
			log_info("ttyS%u: 16550 at %#x, interrupt %u", i, serial_base(port),
				serial_irq(port));
	}
	return error;
}

void serial_tty_resize(const struct winsize *size)
{
	console_tty_resize(size);
	if (terminals[0].port)
		tty_resize(&terminals[0].tty, size);
}
