/* SPDX-License-Identifier: MIT */
/*
 * 16550 serial ports (National Semiconductor PC16550D data sheet): the bytes, both ways.
 *
 * Polled mode, from the first log line on: wait for the transmit FIFO to be empty, fill all 16 bytes
 * of it, again.
 *
 * Interrupt-driven mode, once somebody has claimed the port: bytes go straight into the device as
 * long as it says that it is empty (an emulated one always does: no interrupt at all), the rest into a
 * ring that the transmit interrupt empties, 16 bytes at a time. A log line on the same port queues
 * behind the ring, and only when that is full or held waits for the device; reading LSR takes no
 * interrupt away, and the transmit interrupt stays enabled as long as somebody waits for room.
 *
 * Received bytes are never dropped here. They are read into `held` and given to the receiver, with what
 * was wrong with each; what it does not take stays there, and when `held` is full the receive
 * interrupt is masked, so that the device's FIFO fills and the other side holds its data (a real line
 * without flow control may overrun then: counted). serial_rx_resume unmasks it and makes a transmit
 * interrupt, in whose handler `held` goes first. When the interrupt says that as many bytes are there as
 * its trigger and LSR knows of no error in the FIFO, these are read without a look at LSR for each.
 *
 * The line is edge-triggered at the interrupt controller, and ports 0 and 2, 1 and 3 share one: the
 * handler goes on until no port of its line says that something is pending, or, after MAX_PASSES, makes
 * a new edge by turning the ports' interrupts off and on.
 *
 * Locks: port->lock guards everything but `held`, `held_bad` and `held_count`, which belong to the
 * handler (the interrupt goes to one CPU). Events run without the lock. attach_lock: which of the two
 * lines have their handler. In panic mode no lock is taken.
 */
#include "devices/serial_port.h"

#include "lib/errno.h"
#include "lib/string.h"

#define PIECE      256u /* bytes moved with interrupts off */
#define MAX_PASSES 64u  /* of the interrupt handler */

struct serial_port serial_ports[SERIAL_PORTS] = {
	{.base = 0x3f8, .irq = 4},
	{.base = 0x2f8, .irq = 3},
	{.base = 0x3e8, .irq = 4},
	{.base = 0x2e8, .irq = 3},
};

/* ---- Transmitting ---- */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static uint32_t ring_used(const struct serial_port *port)
{
	return port->head - port->tail;
}

/* May the ring go on? */
static bool may_send(const struct serial_port *port) requires(port->lock)
{
	return !port->tx_held && (!port->cts_flow || port->msr & MSR_CTS);
}

/* Fills the device's empty FIFO from the ring. */
static void fill_from_ring(struct serial_port *port) requires(port->lock)
{
	size_t count = smaller(ring_used(port), SERIAL_FIFO);

	for (size_t i = 0; i < count; i++)
		set(port, THR, port->ring[port->tail++ % SERIAL_RING]);
	port->counts.sent += count;
}

static void fill(struct serial_port *port, const uint8_t *bytes, size_t count) requires(port->lock)
{
	for (size_t i = 0; i < count; i++)
		set(port, THR, bytes[i]);
	port->counts.sent += count;
}

/* Empties the ring into the device as far as it takes the bytes at once. */
static void pump(struct serial_port *port) requires(port->lock)
{
	for (size_t n = 0; n < PIECE && ring_used(port) && may_send(port); n += SERIAL_FIFO) {
		if (!(get(port, LSR) & LSR_THRE))
			break;
		fill_from_ring(port);
	}
}

/* Waits for an empty FIFO. false: it does not get empty, now or since before. */
static bool wait_empty(struct serial_port *port) requires(port->lock)
{
	port->stuck = !serial_wait_lsr(port, LSR_THRE, port->stuck ? 1 : STUCK_SPINS);
	return !port->stuck;
}

/* At most PIECE bytes into device and ring, without waiting. */
static size_t queue_piece(struct serial_port *port, const uint8_t *bytes, size_t count) requires(
	port->lock)
{
	size_t done = 0;

	count = smaller(count, PIECE);
	pump(port);
	while (done < count && !ring_used(port) && may_send(port) && get(port, LSR) & LSR_THRE) {
		size_t n = smaller(count - done, SERIAL_FIFO);

		fill(port, bytes + done, n);
		done += n;
	}
	while (done < count && ring_used(port) < SERIAL_RING)
		port->ring[port->head++ % SERIAL_RING] = bytes[done++];
	if (ring_used(port) && may_send(port))
		set_ier(port, port->ier | IER_TRANSMIT);
	return done;
}

/* As many of the bytes into the ring as there is room for. */
static void ring_put(struct serial_port *port, const uint8_t *bytes, size_t count) requires(
	port->lock)
{
	size_t at = port->head % SERIAL_RING, first = smaller(count, SERIAL_RING - at);

	memcpy(port->ring + at, bytes, first);
	memcpy(port->ring, bytes + first, count - first);
	port->head += (uint32_t)count;
}

/* At most one FIFO's bytes straight to the device, waiting for it. 0: stuck. */
static size_t send_piece(struct serial_port *port, const uint8_t *bytes, size_t count) requires(
	port->lock)
{
	size_t n = smaller(count, SERIAL_FIFO);

	if (!wait_empty(port))
		return 0;
	fill(port, bytes, n);
	return n;
}

size_t serial_write_some(struct serial_port *port, const void *bytes, size_t count)
{
	const uint8_t *p = bytes;
	size_t done = 0;

	while (done < count) {
		size_t n;

		lock_port(port);
		n = port->attached ? queue_piece(port, p + done, count - done)
				   : send_piece(port, p + done, count - done);
		done += n;
		if (n)
			port->last = p[done - 1];
		if (!n && port->attached) {
			port->room_wanted = true;
			set_ier(port, port->ier | IER_TRANSMIT);
		} else if (!n) {
			done = count; /* stuck: dropped, as serial_write_all does */
		}
		unlock_port(port);
		if (!n)
			break;
	}
	return done;
}

/* Moves what the device takes of the ring, in pieces with interrupts on in between. */
static void pump_all(struct serial_port *port)
{
	uint32_t before, after;

	do {
		lock_port(port);
		before = port->tail;
		pump(port);
		after = port->tail;
		if (after - before < PIECE && ring_used(port) && may_send(port))
			set_ier(port, port->ier | IER_TRANSMIT);
		unlock_port(port);
	} while (after - before >= PIECE);
}

size_t serial_write_whole(struct serial_port *port, const void *bytes, size_t count)
{
	const uint8_t *p = bytes;
	bool fits;

	lock_port(port);
	fits = SERIAL_RING - ring_used(port) >= count;
	if (fits && count) {
		ring_put(port, p, count);
		port->last = p[count - 1];
	} else if (!fits) {
		port->room_wanted = true;
		set_ier(port, port->ier | IER_TRANSMIT);
	}
	unlock_port(port);
	if (!fits)
		return 0;
	pump_all(port);
	return count;
}

size_t serial_write_room(struct serial_port *port)
{
	size_t room;

	lock_port(port);
	room = SERIAL_RING - ring_used(port);
	unlock_port(port);
	return room;
}

size_t serial_pending(struct serial_port *port)
{
	return SERIAL_RING - serial_write_room(port);
}

bool serial_tell_empty(struct serial_port *port)
{
	bool empty;

	lock_port(port);
	empty = !ring_used(port);
	port->empty_wanted = !empty;
	unlock_port(port);
	return empty;
}

bool serial_idle(struct serial_port *port)
{
	bool idle;

	lock_port(port);
	idle = !ring_used(port) && (port->stuck || get(port, LSR) & LSR_IDLE);
	unlock_port(port);
	return idle;
}

void serial_drop_output(struct serial_port *port)
{
	lock_port(port);
	port->tail = port->head;
	set(port, FCR, FCR_ENABLE | FCR_CLEAR_TX | FCR_TRIGGER_14);
	set_ier(port, port->ier | IER_TRANSMIT); /* whoever waits for room is told */
	unlock_port(port);
}

void serial_hold_output(struct serial_port *port, bool hold)
{
	lock_port(port);
	port->tx_held = hold;
	if (!hold)
		set_ier(port, port->ier | IER_TRANSMIT);
	unlock_port(port);
}

/* One step of serial_write_all. 0: the device is stuck. */
static size_t write_piece(struct serial_port *port, const uint8_t *bytes, size_t count) requires(
	port->lock)
{
	if (port->attached && may_send(port) && !log_panicking()) {
		size_t n = queue_piece(port, bytes, count);

		if (n)
			return n;
	}
	while (ring_used(port) && may_send(port)) { /* what was queued before goes first */
		if (!wait_empty(port))
			return 0;
		fill_from_ring(port);
	}
	return send_piece(port, bytes, count);
}

void serial_write_all(struct serial_port *port, const void *bytes, size_t count)
{
	const uint8_t *p = bytes;

	while (count) {
		size_t n;

		lock_port(port);
		n = write_piece(port, p, count);
		if (n)
			port->last = p[n - 1];
		unlock_port(port);
		if (!n)
			return;
		p += n;
		count -= n;
	}
}

void serial_flush(struct serial_port *port)
{
	lock_port(port);
	while (ring_used(port) && may_send(port) && wait_empty(port))
		fill_from_ring(port);
	if (!port->stuck)
		serial_wait_lsr(port, LSR_IDLE, STUCK_SPINS);
	unlock_port(port);
}

/* ---- Interrupts ---- */

static void hold_byte(struct serial_port *port, unsigned lsr) requires(port->lock)
{
	port->held_bad[port->held_count] = lsr & LSR_BAD;
	port->held[port->held_count++] = get(port, RBR);
	port->counts.received++;
	if (lsr & LSR_BREAK)
		port->counts.breaks++;
	else if (lsr & LSR_PARITY)
		port->counts.parity++;
	else if (lsr & LSR_FRAME)
		port->counts.framing++;
}

/* Reads what the device has into `held`, as far as there is room. */
static void read_held(struct serial_port *port) requires(port->lock)
{
	for (;;) {
		unsigned lsr = get(port, LSR);

		if (lsr & LSR_OVERRUN)
			port->counts.overrun++;
		if (!(lsr & LSR_READY) || port->held_count == SERIAL_HELD)
			return;
		hold_byte(port, lsr);
	}
}

/* The trigger's number of bytes is there: takes so many, if they are known to be good. What more there
 * is follows when no interrupt is pending any more. */
static void read_burst(struct serial_port *port) requires(port->lock)
{
	unsigned lsr;

	if (SERIAL_HELD - port->held_count < SERIAL_TRIGGER) {
		read_held(port);
		return;
	}
	lsr = get(port, LSR);
	if (lsr & LSR_OVERRUN)
		port->counts.overrun++;
	hold_byte(port, lsr);
	for (unsigned i = 1; i < SERIAL_TRIGGER && !(lsr & (LSR_FIFO_ERROR | LSR_BAD)); i++)
		hold_byte(port, 0);
	port->rest_wanted = true;
}

/* How many of the bytes at the beginning of `held` came as they were sent, or are taken as such. */
static size_t good_run(const struct serial_port *port, bool tells)
{
	size_t count = 0;

	while (count < port->held_count &&
		(!port->held_bad[count] || (!tells && !(port->held_bad[count] & LSR_BREAK))))
		count++;
	return count;
}

/* Gives the first of `held` to the receiver, without the lock; how many were taken. A break that nobody
 * wants to hear of is. */
static size_t give(struct serial_port *port, const struct serial_events *events, void *context)
{
	size_t run = good_run(port, events->bad);
	unsigned bad = port->held_bad[0];

	if (run)
		return smaller(events->received(context, port->held, run), run);
	if (events->bad)
		events->bad(context,
			bad & LSR_BREAK    ? SERIAL_BREAK
			: bad & LSR_PARITY ? SERIAL_PARITY
					   : SERIAL_FRAMING,
			port->held[0]);
	return 1;
}

/* Called and returns with the lock, which is let go in between. */
static void deliver(struct serial_port *port) requires(port->lock)
{
	while (port->held_count && !port->rx_stopped && port->events.received) {
		struct serial_events events = port->events;
		void *context = port->context;
		uint32_t resumes = port->resumes;
		size_t taken;

		unlock_port(port);
		taken = give(port, &events, context);
		lock_port(port);
		port->held_count -= taken;
		memmove(port->held, port->held + taken, port->held_count);
		memmove(port->held_bad, port->held_bad + taken, port->held_count);
		if (!taken && port->resumes == resumes)
			port->rx_stopped = true;
	}
	if (port->held_count == SERIAL_HELD && !port->rx_masked) {
		port->rx_masked = true;
		set_ier(port, port->ier & ~(unsigned)(IER_RECEIVE | IER_LINE));
	}
}

static void transmit(struct serial_port *port) requires(port->lock)
{
	void (*writable)(void *) = port->events.writable;
	void *context = port->context;
	bool tell;

	pump(port);
	if (!ring_used(port) || !may_send(port))
		set_ier(port, port->ier & ~(unsigned)IER_TRANSMIT);
	tell = port->room_wanted && ring_used(port) <= SERIAL_RING / 2;
	tell = tell || (port->empty_wanted && !ring_used(port));
	if (!tell)
		return;
	port->room_wanted = port->empty_wanted = false;
	if (writable) {
		unlock_port(port);
		writable(context);
		lock_port(port);
	}
}

/* Tells of lines that changed; with CTS the ring may go on. */
static void tell_lines(struct serial_port *port) requires(port->lock)
{
	unsigned changed = port->changed, now = serial_line_names(port);
	void (*lines)(void *, unsigned, unsigned) = port->events.lines;
	void *context = port->context;

	if (!changed)
		return;
	port->changed = 0;
	if (port->cts_flow && port->msr & MSR_CTS && ring_used(port))
		set_ier(port, port->ier | IER_TRANSMIT);
	if (lines) {
		unlock_port(port);
		lines(context, changed, now);
		lock_port(port);
	}
}

/* One thing that is pending; false: nothing is. */
static bool serve(struct serial_port *port)
{
	unsigned pending;

	lock_port(port);
	pending = port->attached ? get(port, IIR) & IIR_MASK : IIR_NONE;
	deliver(port);
	if (pending == IIR_RECEIVE) {
		read_burst(port);
		deliver(port);
	} else if (pending == IIR_TIMEOUT || pending == IIR_LINE ||
		   (pending & IIR_NONE && port->rest_wanted)) {
		port->rest_wanted = false;
		read_held(port);
		deliver(port);
	} else if (pending == IIR_TRANSMIT) {
		transmit(port);
	} else if (!(pending & IIR_NONE)) {
		serial_read_lines(port);
	}
	tell_lines(port);
	unlock_port(port);
	return !(pending & IIR_NONE);
}

static void new_edge(struct serial_port *port)
{
	lock_port(port);
	if (port->attached) {
		set(port, IER, 0);
		set(port, IER, port->ier);
	}
	unlock_port(port);
}

/* context: a port; those of the same interrupt are served too. */
static void handle_interrupt(void *context)
{
	const struct serial_port *one = context;
	bool any = true;

	for (unsigned pass = 0; any && pass < MAX_PASSES; pass++) {
		any = false;
		for (unsigned i = 0; i < SERIAL_PORTS; i++) {
			if (serial_ports[i].irq == one->irq)
				any = serve(&serial_ports[i]) || any;
		}
	}
	for (unsigned i = 0; any && i < SERIAL_PORTS; i++) {
		if (serial_ports[i].irq == one->irq)
			new_edge(&serial_ports[i]);
	}
}

/* ---- Whose it is ---- */

static struct spinlock attach_lock = SPINLOCK_INIT;
static uint16_t attached_irqs guarded_by(attach_lock); /* bits */

static int attach(struct serial_port *port)
{
	static const char *const names[SERIAL_PORTS] = {"ttyS0", "ttyS1", "ttyS2", "ttyS3"};
	int error = 0;

	spin_lock(&attach_lock);
	if (!(attached_irqs & 1u << port->irq))
		error = arch_irq_attach(
			port->irq, names[port - serial_ports], handle_interrupt, port);
	if (!error)
		attached_irqs |= (uint16_t)(1u << port->irq);
	spin_unlock(&attach_lock);
	return error;
}

int serial_claim(struct serial_port *port, const struct serial_events *events, void *context)
{
	int error;

	lock_port(port);
	error = port->claimed ? -EBUSY : 0;
	port->claimed = true;
	unlock_port(port);
	if (error)
		return error;
	error = attach(port);
	lock_port(port);
	if (error) {
		port->claimed = false;
	} else {
		port->events = *events;
		port->context = context;
		port->attached = true;
		serial_read_lines(port);
		port->changed = 0;
		set_ier(port,
			port->ier | (events->bad ? IER_LINE : 0) | (events->lines ? IER_MODEM : 0));
	}
	unlock_port(port);
	if (!error)
		serial_rx_resume(port);
	return error;
}

void serial_release(struct serial_port *port)
{
	lock_port(port);
	port->claimed = false;
	port->events = (struct serial_events){0};
	port->tx_held = port->cts_flow = false;
	set_ier(port, ring_used(port) ? IER_TRANSMIT : 0);
	unlock_port(port);
}

void serial_rx_resume(struct serial_port *port)
{
	lock_port(port);
	port->resumes++;
	port->rx_stopped = port->rx_masked = false;
	/* The transmit interrupt comes at once when the device is idle: `held` may wait for it. */
	if (port->events.received)
		set_ier(port,
			port->ier | IER_RECEIVE | IER_TRANSMIT | (port->events.bad ? IER_LINE : 0));
	unlock_port(port);
}
