/* SPDX-License-Identifier: MIT */
/*
 * 16550 serial ports (National Semiconductor PC16550D data sheet; registers by its names).
 *
 * A port answers when its modem status follows its modem control in loop-back mode and a byte sent
 * so comes back; only then is it touched further. It is set to 115200 baud, 8 data bits, no parity,
 * FIFOs on.
 *
 * Polled mode, from the first log line on: wait for the transmit FIFO to be empty, fill all 16 bytes
 * of it, again.
 *
 * Interrupt-driven mode, once a callback is set: bytes go straight into the device as long as it
 * says that it is empty (an emulated one always does: no interrupt at all), the rest into a ring
 * that the transmit interrupt empties, 16 bytes at a time. A log line on the same port queues behind
 * the ring, and only when that is full waits for the device; reading LSR takes no interrupt away,
 * and the transmit interrupt stays enabled as long as somebody waits for room.
 *
 * Received bytes are never dropped here. They are read into `held` and given to the receiver; what
 * it does not take stays there, and the receive interrupt is masked, so that the device's FIFO fills
 * and the other side holds its data (a real line without flow control may overrun then: counted).
 * serial_rx_resume unmasks it and makes a transmit interrupt, in whose handler `held` goes first.
 *
 * The line is edge-triggered at the interrupt controller: the handler goes on until the device says
 * that nothing is pending, or, after MAX_PASSES, makes a new edge by turning its interrupts off and
 * on.
 *
 * Locks: port->lock guards everything but `held` and `held_count`, which belong to the handler (the
 * interrupt goes to one CPU). Callbacks run without the lock. In panic mode it is not taken.
 */
#include "devices/serial.h"
#include "arch/arch.h"
#include "devices/console.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/string.h"

/* Registers, as offsets from the port's base. */
enum {
	RBR = 0, /* received byte */
	THR = 0, /* byte to transmit */
	DLL = 0, /* divisor, with LCR_DLAB */
	IER = 1,
	DLM = 1,
	IIR = 2,
	FCR = 2,
	LCR = 3,
	MCR = 4,
	LSR = 5,
	MSR = 6,
};

enum { IER_RECEIVE = 1, IER_TRANSMIT = 2 };
enum {
	IIR_NONE = 1,
	IIR_MASK = 0x0f,
	IIR_TRANSMIT = 2,
	IIR_RECEIVE = 4,
	IIR_LINE = 6,
	IIR_TIMEOUT = 0x0c
};
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4, FCR_TRIGGER_14 = 0xc0 };
enum { LCR_8N1 = 3, LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT2 = 8 /* lets the interrupt out */, MCR_LOOP = 0x10 };
enum { LSR_READY = 1, LSR_OVERRUN = 2, LSR_BREAK = 0x10, LSR_THRE = 0x20, LSR_IDLE = 0x40 };
enum { MSR_LINES = 0xf0, MSR_LOOPED = 0x90 /* DCD from OUT2, CTS from RTS */ };

#define FIFO_SIZE      16u
#define RING_SIZE      8192u
#define PIECE          256u     /* bytes moved with interrupts off */
#define MAX_PASSES     64u      /* of the interrupt handler */
#define PROBE_SPINS    100000u  /* reads of LSR: more than 20 ms on any machine */
#define STUCK_SPINS    4000000u /* reads of LSR: seconds */
#define DIVISOR_115200 1u

struct serial_port {
	uint16_t base;
	uint8_t irq;

	struct spinlock lock;
	bool probed, answers; /* guarded by lock, as all that follows */
	bool attached;        /* interrupt-driven */
	bool stuck;           /* the transmitter did not move: output is dropped till it does */
	bool room_wanted;     /* a writer was turned away */
	bool rx_stopped;      /* the receiver did not take all */
	uint8_t ier;          /* as written to the device */
	uint32_t resumes;     /* calls of serial_rx_resume */
	uint64_t overruns;
	serial_received received;
	serial_writable writable;
	void *received_context, *writable_context;
	uint32_t head, tail; /* byte counts: put, taken */
	uint8_t ring[RING_SIZE];

	/* the interrupt handler's */
	uint8_t held[64];
	size_t held_count;
};

static struct serial_port ports[SERIAL_PORTS] = {
	{.base = 0x3f8, .irq = 4},
	{.base = 0x2f8, .irq = 3},
};

static void lock_port(struct serial_port *port) acquires(port->lock) no_lock_checks
{
	if (!log_panicking())
		spin_lock(&port->lock);
}

static void unlock_port(struct serial_port *port) releases(port->lock) no_lock_checks
{
	if (!log_panicking())
		spin_unlock(&port->lock);
}

static uint8_t get(const struct serial_port *port, unsigned reg)
{
	return arch_in8((uint16_t)(port->base + reg));
}

static void set(const struct serial_port *port, unsigned reg, unsigned value)
{
	arch_out8((uint16_t)(port->base + reg), (uint8_t)value);
}

static void set_ier(struct serial_port *port, unsigned ier) requires(port->lock)
{
	if (port->ier != ier) {
		port->ier = (uint8_t)ier;
		set(port, IER, ier);
	}
}

/* ---- Finding the device ---- */

static bool wait_lsr(const struct serial_port *port, unsigned bits, unsigned spins)
{
	bool ready = (get(port, LSR) & bits) == bits;
	ns_t since = ready ? 0 : arch_clock();

	if (ready)
		return true;
	while (!ready && spins--) {
		arch_pause();
		ready = (get(port, LSR) & bits) == bits;
	}
	lock_check_excuse(arch_clock() - since);
	return ready;
}

static bool echoes(const struct serial_port *port, unsigned byte)
{
	set(port, THR, byte);
	return wait_lsr(port, LSR_READY, PROBE_SPINS) && get(port, RBR) == byte;
}

static bool probe(const struct serial_port *port)
{
	bool answers;

	if (get(port, LSR) == 0xff) /* nobody drives the bus */
		return false;
	set(port, IER, 0);
	if (get(port, IER) != 0)
		return false;
	wait_lsr(port, LSR_IDLE, PROBE_SPINS); /* the firmware's last words */
	set(port, LCR, LCR_DLAB);
	set(port, DLL, DIVISOR_115200);
	set(port, DLM, 0);
	set(port, LCR, LCR_8N1);
	set(port, MCR, MCR_LOOP | MCR_OUT2 | MCR_RTS);
	set(port, FCR, FCR_ENABLE | FCR_CLEAR_RX | FCR_CLEAR_TX);
	answers = (get(port, MSR) & MSR_LINES) == MSR_LOOPED && echoes(port, 0x5a) &&
		  echoes(port, 0xa5);
	set(port, FCR, FCR_ENABLE | FCR_CLEAR_RX | FCR_CLEAR_TX | FCR_TRIGGER_14);
	set(port, MCR, MCR_DTR | MCR_RTS | MCR_OUT2);
	return answers;
}

struct serial_port *serial_open(unsigned number)
{
	struct serial_port *port;
	bool answers;

	if (number >= SERIAL_PORTS)
		return NULL;
	port = &ports[number];
	lock_port(port);
	if (!port->probed) {
		port->answers = probe(port);
		port->probed = true;
	}
	answers = port->answers;
	unlock_port(port);
	return answers ? port : NULL;
}

/* ---- Transmitting ---- */

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

static uint32_t ring_used(const struct serial_port *port)
{
	return port->head - port->tail;
}

/* Fills the device's empty FIFO from the ring. */
static void fill_from_ring(struct serial_port *port) requires(port->lock)
{
	size_t count = smaller(ring_used(port), FIFO_SIZE);

	for (size_t i = 0; i < count; i++)
		set(port, THR, port->ring[port->tail++ % RING_SIZE]);
}

static void fill(const struct serial_port *port, const uint8_t *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		set(port, THR, bytes[i]);
}

/* Empties the ring into the device as far as it takes the bytes at once. */
static void pump(struct serial_port *port) requires(port->lock)
{
	for (size_t n = 0; n < PIECE && ring_used(port) && get(port, LSR) & LSR_THRE;
		n += FIFO_SIZE)
		fill_from_ring(port);
}

/* Waits for an empty FIFO. false: it does not get empty, now or since before. */
static bool wait_empty(struct serial_port *port) requires(port->lock)
{
	port->stuck = !wait_lsr(port, LSR_THRE, port->stuck ? 1 : STUCK_SPINS);
	return !port->stuck;
}

/* At most PIECE bytes into device and ring, without waiting. */
static size_t queue_piece(struct serial_port *port, const uint8_t *bytes, size_t count) requires(
	port->lock)
{
	size_t done = 0;

	count = smaller(count, PIECE);
	pump(port);
	while (done < count && !ring_used(port) && get(port, LSR) & LSR_THRE) {
		size_t n = smaller(count - done, FIFO_SIZE);

		fill(port, bytes + done, n);
		done += n;
	}
	while (done < count && ring_used(port) < RING_SIZE)
		port->ring[port->head++ % RING_SIZE] = bytes[done++];
	if (ring_used(port))
		set_ier(port, port->ier | IER_TRANSMIT);
	return done;
}

/* At most one FIFO's bytes straight to the device, waiting for it. 0: stuck. */
static size_t send_piece(struct serial_port *port, const uint8_t *bytes, size_t count) requires(
	port->lock)
{
	size_t n = smaller(count, FIFO_SIZE);

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

size_t serial_write_room(struct serial_port *port)
{
	size_t room;

	lock_port(port);
	room = RING_SIZE - ring_used(port);
	unlock_port(port);
	return room;
}

/* One step of serial_write_all. 0: the device is stuck. */
static size_t write_piece(struct serial_port *port, const uint8_t *bytes, size_t count) requires(
	port->lock)
{
	if (port->attached && !log_panicking()) {
		size_t n = queue_piece(port, bytes, count);

		if (n)
			return n;
	}
	while (ring_used(port)) { /* what was queued before goes first */
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
	while (ring_used(port) && wait_empty(port))
		fill_from_ring(port);
	if (!port->stuck)
		wait_lsr(port, LSR_IDLE, STUCK_SPINS);
	unlock_port(port);
}

/* ---- Interrupts ---- */

/* Reads what the device has into `held`, as far as there is room. */
static void read_held(struct serial_port *port) requires(port->lock)
{
	while (port->held_count < sizeof(port->held)) {
		unsigned lsr = get(port, LSR);
		uint8_t byte;

		if (lsr & LSR_OVERRUN)
			port->overruns++;
		if (!(lsr & LSR_READY))
			return;
		byte = get(port, RBR);
		if (!(lsr & LSR_BREAK)) /* a break comes with a zero byte that nobody sent */
			port->held[port->held_count++] = byte;
	}
}

/* Gives `held` to the receiver. Called and returns with the lock, which is let go in between. */
static void deliver(struct serial_port *port) requires(port->lock)
{
	while (port->held_count && !port->rx_stopped && port->received) {
		serial_received received = port->received;
		void *context = port->received_context;
		uint32_t resumes = port->resumes;
		size_t taken;

		unlock_port(port);
		taken = smaller(received(context, port->held, port->held_count), port->held_count);
		lock_port(port);
		port->held_count -= taken;
		memmove(port->held, port->held + taken, port->held_count);
		if (port->held_count && port->resumes == resumes) {
			port->rx_stopped = true;
			set_ier(port, port->ier & ~(unsigned)IER_RECEIVE);
		}
	}
}

static void transmit(struct serial_port *port) requires(port->lock)
{
	pump(port);
	if (!ring_used(port))
		set_ier(port, port->ier & ~(unsigned)IER_TRANSMIT);
	if (port->room_wanted && ring_used(port) <= RING_SIZE / 2) {
		serial_writable writable = port->writable;
		void *context = port->writable_context;

		port->room_wanted = false;
		if (writable) {
			unlock_port(port);
			writable(context);
			lock_port(port);
		}
	}
}

static void handle_interrupt(void *context)
{
	struct serial_port *port = context;

	lock_port(port);
	for (unsigned pass = 0; pass < MAX_PASSES; pass++) {
		unsigned pending = get(port, IIR) & IIR_MASK;

		deliver(port);
		if (pending & IIR_NONE) {
			unlock_port(port);
			return;
		}
		if (pending == IIR_RECEIVE || pending == IIR_TIMEOUT) {
			read_held(port);
			deliver(port);
		} else if (pending == IIR_TRANSMIT) {
			transmit(port);
		} else {
			get(port, pending == IIR_LINE ? LSR : MSR);
		}
	}
	set(port, IER, 0);
	set(port, IER, port->ier);
	unlock_port(port);
}

/* Without the lock: the interrupt controller has its own, and attaching happens once. */
static int attach(struct serial_port *port)
{
	int error;

	if (port->attached)
		return 0;
	error = arch_irq_attach(port->irq, handle_interrupt, port);
	if (!error)
		port->attached = true;
	return error;
}

int serial_on_receive(struct serial_port *port, serial_received received, void *context)
{
	int error = attach(port);

	if (error)
		return error;
	lock_port(port);
	port->received = received;
	port->received_context = context;
	if (!received)
		set_ier(port, port->ier & ~(unsigned)IER_RECEIVE);
	unlock_port(port);
	if (received)
		serial_rx_resume(port);
	return 0;
}

int serial_on_writable(struct serial_port *port, serial_writable writable, void *context)
{
	int error = attach(port);

	if (error)
		return error;
	lock_port(port);
	port->writable = writable;
	port->writable_context = context;
	unlock_port(port);
	return 0;
}

void serial_rx_resume(struct serial_port *port)
{
	lock_port(port);
	port->resumes++;
	port->rx_stopped = false;
	/* The transmit interrupt comes at once when the device is idle: `held` may wait for it. */
	if (port->received)
		set_ier(port, port->ier | IER_RECEIVE | IER_TRANSMIT);
	unlock_port(port);
}

uint64_t serial_overruns(const struct serial_port *port)
{
	return __atomic_load_n(&port->overruns, __ATOMIC_RELAXED);
}

/* ---- As a console ---- */

struct serial_console {
	struct console console;
	struct serial_port *port;
};

static void console_out(struct console *console, const char *bytes, size_t count)
{
	serial_write_all(container_of(console, struct serial_console, console)->port, bytes, count);
}

static void console_drain(struct console *console)
{
	serial_flush(container_of(console, struct serial_console, console)->port);
}

int serial_console_init(unsigned number)
{
	static struct serial_console consoles[SERIAL_PORTS];
	static const char *const names[SERIAL_PORTS] = {"ttyS0", "ttyS1"};
	struct serial_port *port = serial_open(number);

	if (!port)
		return -ENODEV;
	if (consoles[number].port)
		return 0;
	consoles[number].port = port;
	consoles[number].console.name = names[number];
	consoles[number].console.write = console_out;
	consoles[number].console.flush = console_drain;
	console_register(&consoles[number].console);
	return 0;
}
