/* SPDX-License-Identifier: MIT */
/*
 * The serial driver against a register-level model of the 16550: FIFOs of 16 bytes, the interrupt
 * identification with its priorities, the transmit interrupt that reading IIR or writing THR takes
 * away, loop-back, an edge-triggered line to the driver's handler, and a host behind it that sends
 * only while there is room. The model fails the test when the driver does what loses data: writing
 * into a full FIFO, reading an empty one.
 */
#include "devices/serial.h"
#include "arch/arch.h"
#include "devices/console.h"
#include "lib/check.h"
#include "lib/errno.h"

struct uart {
	bool present;
	uint8_t ier, lcr, mcr, scr, fcr, dll, dlm;
	uint8_t tx[16], rx[16];
	unsigned tx_count, rx_count;
	bool thre_pending, line, edge;
	bool overrun, brk;
	unsigned patience; /* reads of LSR until a full FIFO is on the wire; 0: at once */
	unsigned waited;
	bool jammed; /* nothing leaves any more */

	/* the host's end */
	uint8_t out[1 << 20];
	size_t out_count;
	const uint8_t *in;
	size_t in_count;

	irq_handler handler;
	void *context;
	unsigned long interrupts, accesses;
};

static struct uart uarts[2];
static bool attach_fails, panic_mode, in_handler;
static struct console *registered;

static unsigned pending(const struct uart *u)
{
	if ((u->ier & 1) && u->rx_count)
		return u->rx_count >= 14 ? 4 : 0x0c;
	if ((u->ier & 2) && u->thre_pending)
		return 2;
	return 1;
}

static void update(struct uart *u)
{
	bool line = (u->mcr & 8) && !(u->mcr & 16) && pending(u) != 1;

	if (line && !u->line)
		u->edge = true;
	u->line = line;
}

static void drain(struct uart *u)
{
	if (!u->tx_count)
		return;
	if (u->mcr & 16) {
		CHECK(u->tx_count == 1 && u->rx_count < 16);
		u->rx[u->rx_count++] = u->tx[0];
	} else {
		CHECK(u->out_count + u->tx_count <= sizeof(u->out));
		memcpy(u->out + u->out_count, u->tx, u->tx_count);
		u->out_count += u->tx_count;
	}
	u->tx_count = 0;
	u->thre_pending = true;
	u->waited = 0;
}

static void host_sends(struct uart *u)
{
	while (u->in_count && u->rx_count < 16 && u->mcr & 8 && !(u->mcr & 16)) {
		u->rx[u->rx_count++] = *u->in++;
		u->in_count--;
	}
	update(u);
}

/* The wire moves on by itself; the interrupt controller calls the handler for every edge. */
static void run(struct uart *u)
{
	if (!u->jammed)
		drain(u);
	host_sends(u);
	while (u->edge && u->handler) {
		u->edge = false;
		u->interrupts++;
		in_handler = true;
		u->handler(u->context);
		in_handler = false;
		host_sends(u);
	}
}

static struct uart *find(uint16_t port, unsigned *reg)
{
	struct uart *u = port >= 0x3f8 ? &uarts[0] : &uarts[1];

	CHECK((port >= 0x3f8 && port <= 0x3ff) || (port >= 0x2f8 && port <= 0x2ff));
	*reg = port & 7;
	u->accesses++;
	return u;
}

static uint8_t read_iir(struct uart *u)
{
	unsigned id = pending(u);

	if (id == 2)
		u->thre_pending = false;
	update(u);
	return (uint8_t)(id | (u->fcr & 1 ? 0xc0 : 0));
}

static uint8_t read_rbr(struct uart *u)
{
	uint8_t byte = u->rx[0];

	CHECK(u->rx_count > 0);
	memmove(u->rx, u->rx + 1, --u->rx_count);
	u->brk = false;
	host_sends(u);
	return byte;
}

static uint8_t read_lsr(struct uart *u)
{
	unsigned lsr;

	if (u->tx_count && !u->jammed && ++u->waited > u->patience) {
		drain(u);
		update(u);
	}
	lsr = (u->rx_count ? 1 : 0) | (u->tx_count ? 0 : 0x60) | (u->overrun ? 2 : 0) |
	      (u->brk ? 0x10 : 0);
	u->overrun = false;
	return (uint8_t)lsr;
}

ns_t arch_clock(void)
{
	return 0; /* only a debug kernel counts the waits */
}

uint8_t arch_in8(uint16_t port)
{
	unsigned reg;
	struct uart *u = find(port, &reg);

	if (!u->present)
		return 0xff;
	switch (reg) {
	case 0:
		return u->lcr & 0x80 ? u->dll : read_rbr(u);
	case 1:
		return u->lcr & 0x80 ? u->dlm : u->ier;
	case 2:
		return read_iir(u);
	case 3:
		return u->lcr;
	case 4:
		return u->mcr;
	case 5:
		return read_lsr(u);
	case 6:
		return u->mcr & 16 ? (uint8_t)((u->mcr & 2 ? 0x10 : 0) | (u->mcr & 1 ? 0x20 : 0) |
					       (u->mcr & 4 ? 0x40 : 0) | (u->mcr & 8 ? 0x80 : 0))
				   : 0xb0;
	default:
		return u->scr;
	}
}

static void write_thr(struct uart *u, uint8_t value)
{
	CHECK(u->tx_count < 16); /* a byte more would be lost */
	u->tx[u->tx_count++] = value;
	u->thre_pending = false;
	if (u->mcr & 16)
		drain(u);
	update(u);
}

void arch_out8(uint16_t port, uint8_t value)
{
	unsigned reg;
	struct uart *u = find(port, &reg);

	if (!u->present)
		return;
	switch (reg) {
	case 0:
		if (u->lcr & 0x80)
			u->dll = value;
		else
			write_thr(u, value);
		return;
	case 1:
		if (u->lcr & 0x80) {
			u->dlm = value;
			return;
		}
		if ((value & 2) && !(u->ier & 2) && !u->tx_count)
			u->thre_pending = true;
		u->ier = value & 15;
		break;
	case 2:
		u->fcr = value;
		if (value & 2)
			u->rx_count = 0;
		if (value & 4)
			u->tx_count = 0;
		break;
	case 3:
		u->lcr = value;
		break;
	case 4:
		u->mcr = value & 31;
		break;
	case 7:
		u->scr = value;
		break;
	}
	update(u);
}

int arch_irq_attach(unsigned isa_irq, irq_handler handler, void *context)
{
	struct uart *u = isa_irq == 4 ? &uarts[0] : &uarts[1];

	CHECK(isa_irq == 4 || isa_irq == 3);
	if (attach_fails)
		return -ENODEV;
	CHECK(!u->handler);
	u->handler = handler;
	u->context = context;
	return 0;
}

bool log_panicking(void)
{
	return panic_mode;
}

void console_register(struct console *console)
{
	registered = console;
}

/* ---- Tests ---- */

static uint8_t pattern[1 << 18];

static void forget_output(struct uart *u)
{
	u->out_count = 0;
	u->interrupts = u->accesses = 0;
}

static void test_probe(void)
{
	CHECK(!serial_open(2));
	uarts[0].present = true;
	CHECK(!serial_open(1)); /* nothing there */
	CHECK(serial_open(0));
	CHECK(serial_open(0) == serial_open(0));
	CHECK_EQUAL(uarts[0].dll, 1);
	CHECK_EQUAL(uarts[0].dlm, 0);
	CHECK_EQUAL(uarts[0].lcr, 3);
	CHECK_EQUAL(uarts[0].fcr & 0xc1, 0xc1);
	CHECK_EQUAL(uarts[0].mcr, 0x0b);
	CHECK_EQUAL(uarts[0].out_count, 0); /* nothing of the probe is on the wire */
	CHECK_EQUAL(uarts[0].rx_count, 0);
}

static void test_polled(struct serial_port *port, struct uart *u)
{
	u->patience = 7;
	CHECK_EQUAL(serial_write_some(port, pattern, 1000), 1000);
	serial_flush(port);
	CHECK_EQUAL(u->out_count, 1000);
	CHECK(!memcmp(u->out, pattern, 1000));
	forget_output(u);

	attach_fails = true;
	CHECK_EQUAL(serial_on_receive(port, NULL, NULL), -ENODEV);
	attach_fails = false;
	CHECK_EQUAL(u->ier, 0);
}

/* An emulated device that takes all at once needs one look per 16 bytes, and no interrupt. */
static void test_fast_device(struct serial_port *port, struct uart *u)
{
	u->patience = 0;
	CHECK_EQUAL(serial_on_writable(port, NULL, NULL), 0);
	forget_output(u);
	CHECK_EQUAL(serial_write_some(port, pattern, 4096), 4096);
	run(u);
	CHECK_EQUAL(u->out_count, 4096);
	CHECK(!memcmp(u->out, pattern, 4096));
	CHECK_EQUAL(u->interrupts, 0);
	CHECK(u->accesses < 4096 + 4096 / 16 * 2 + 64);
	forget_output(u);
}

static unsigned writable_calls;
static size_t writer_at;

static void more_room(void *context)
{
	CHECK(in_handler);
	writable_calls++;
	writer_at += serial_write_some(context, pattern + writer_at, sizeof(pattern) - writer_at);
}

/* A slow device: the ring fills, the writer is turned away, and called again; nothing is lost. */
static void test_slow_device(struct serial_port *port, struct uart *u)
{
	u->patience = 1000000;
	CHECK_EQUAL(serial_on_writable(port, more_room, port), 0);
	writer_at = serial_write_some(port, pattern, sizeof(pattern));
	CHECK(writer_at >= 4096 && writer_at < sizeof(pattern));
	CHECK_EQUAL(serial_write_room(port), 0);
	CHECK_EQUAL(serial_write_some(port, pattern + writer_at, 10), 0);
	for (unsigned n = 0; u->out_count < sizeof(pattern) && n < 100000; n++)
		run(u);
	CHECK_EQUAL(u->out_count, sizeof(pattern));
	CHECK(!memcmp(u->out, pattern, sizeof(pattern)));
	CHECK(writable_calls > 2);
	CHECK(u->interrupts <= sizeof(pattern) / 16 + 1); /* the FIFO was full each time */
	run(u);
	CHECK_EQUAL(u->ier & 2, 0); /* and nobody waits any more */
	CHECK_EQUAL(serial_on_writable(port, NULL, NULL), 0);
	forget_output(u);
}

/* Log lines in between keep the order and wait only when the ring is full. */
static void test_log_between(struct serial_port *port, struct uart *u)
{
	static const char line[] = "[    1.000000] a line of the log\r\n";
	size_t taken;

	u->patience = 3;
	u->jammed = true;
	taken = serial_write_some(port, pattern, 5000);
	CHECK_EQUAL(taken, 5000);
	serial_write_all(port, line, sizeof(line) - 1); /* fits the ring: does not wait */
	taken = serial_write_some(port, pattern, sizeof(pattern));
	CHECK(taken < sizeof(pattern));
	u->jammed = false;
	serial_write_all(port, line, sizeof(line) - 1); /* the ring is full: waits */
	serial_flush(port);
	CHECK_EQUAL(u->out_count, 5000 + taken + 2 * (sizeof(line) - 1));
	CHECK(!memcmp(u->out, pattern, 5000));
	CHECK(!memcmp(u->out + 5000, line, sizeof(line) - 1));
	CHECK(!memcmp(u->out + 5000 + sizeof(line) - 1, pattern, taken));
	CHECK(!memcmp(u->out + u->out_count - sizeof(line) + 1, line, sizeof(line) - 1));
	run(u);
	CHECK_EQUAL(u->ier & 2, 0);
	forget_output(u);
}

static uint8_t got[sizeof(pattern)];
static size_t got_count, appetite; /* bytes that the receiver takes before it says stop */
static bool resume_at_once;

static size_t receive(void *context, const uint8_t *bytes, size_t count)
{
	size_t n = count < appetite ? count : appetite;

	CHECK(in_handler && count > 0);
	CHECK(got_count + n <= sizeof(got));
	memcpy(got + got_count, bytes, n);
	got_count += n;
	appetite -= n;
	if (n < count && resume_at_once) { /* the race: room comes while the callback returns */
		appetite = SIZE_MAX;
		serial_rx_resume(context);
	}
	return n;
}

static void test_receive(struct serial_port *port, struct uart *u)
{
	uint64_t seed = 1;

	u->in = pattern;
	u->in_count = sizeof(pattern);
	run(u); /* no receiver yet: the host holds its data */
	CHECK_EQUAL(u->rx_count, 16);
	CHECK_EQUAL(u->in_count, sizeof(pattern) - 16);

	CHECK_EQUAL(serial_on_receive(port, receive, port), 0);
	run(u);
	CHECK_EQUAL(got_count, 0); /* appetite 0: stopped at once */
	CHECK_EQUAL(u->ier & 1, 0);
	for (unsigned n = 0; got_count < sizeof(pattern) && n < 100000; n++) {
		size_t before = got_count;

		appetite = check_random(&seed) % 200;
		resume_at_once = check_random(&seed) % 4 == 0;
		CHECK(appetite == 0 || u->in_count + u->rx_count > 0 ||
			got_count < sizeof(pattern));
		serial_rx_resume(port);
		CHECK_EQUAL(got_count, before); /* never inside the call */
		run(u);
	}
	appetite = SIZE_MAX;
	CHECK_EQUAL(got_count, sizeof(pattern));
	CHECK(!memcmp(got, pattern, sizeof(pattern)));
	CHECK_EQUAL(serial_overruns(port), 0);
}

/* Bytes in `held` alone, with the device empty, come after a resume too. */
static void test_held_alone(struct serial_port *port, struct uart *u)
{
	got_count = 0;
	resume_at_once = false;
	appetite = 1;
	u->in = pattern;
	u->in_count = 5;
	serial_rx_resume(port);
	run(u);
	CHECK_EQUAL(got_count, 1);
	CHECK_EQUAL(u->rx_count, 0);
	appetite = SIZE_MAX;
	serial_rx_resume(port);
	run(u);
	CHECK_EQUAL(got_count, 5);
	CHECK(!memcmp(got, pattern, 5));
	run(u);
	CHECK_EQUAL(u->ier, 1);
}

/* Room that comes while the callback is on its way back is not forgotten. */
static void test_resume_race(struct serial_port *port, struct uart *u)
{
	got_count = 0;
	resume_at_once = true;
	appetite = 1;
	u->in = pattern;
	u->in_count = 5;
	run(u);
	CHECK_EQUAL(got_count, 5);
	CHECK_EQUAL(u->ier & 1, 1);
	resume_at_once = false;
	run(u);
}

static void test_line_errors(struct serial_port *port, struct uart *u)
{
	got_count = 0;
	u->overrun = u->brk = true;
	u->in = (const uint8_t *)"\0ab";
	u->in_count = 3;
	run(u);
	CHECK_EQUAL(serial_overruns(port), 1);
	CHECK_EQUAL(got_count, 2); /* without the break's zero */
	CHECK(!memcmp(got, "ab", 2));
}

/* Both directions at once, against a device of changing speed. */
static void test_both(struct serial_port *port, struct uart *u)
{
	uint64_t seed = 2;
	size_t sent = 0;

	got_count = 0;
	u->in = pattern;
	u->in_count = sizeof(pattern);
	for (unsigned n = 0; n < 200000 && (sent < sizeof(pattern) || u->out_count < sent); n++) {
		size_t want = check_random(&seed) % 300;

		u->patience = (unsigned)(check_random(&seed) % 40);
		u->jammed = check_random(&seed) % 3 == 0;
		want = want < sizeof(pattern) - sent ? want : sizeof(pattern) - sent;
		sent += serial_write_some(port, pattern + sent, want);
		run(u);
	}
	u->jammed = false;
	run(u);
	CHECK_EQUAL(u->out_count, sizeof(pattern));
	CHECK(!memcmp(u->out, pattern, sizeof(pattern)));
	CHECK_EQUAL(got_count, sizeof(pattern));
	CHECK(!memcmp(got, pattern, sizeof(pattern)));
	forget_output(u);
}

static void test_console_and_panic(struct uart *u)
{
	CHECK_EQUAL(serial_console_init(1), -ENODEV);
	CHECK_EQUAL(serial_console_init(0), 0);
	CHECK_STRING(registered->name, "ttyS0");
	u->patience = 3;
	registered->write(registered, "hello\r\n", 7);
	registered->flush(registered);
	CHECK_EQUAL(u->out_count, 7);
	CHECK(!memcmp(u->out, "hello\r\n", 7));
	forget_output(u);

	u->jammed = true;
	CHECK_EQUAL(serial_write_some(serial_open(0), "queued ", 7), 7);
	u->jammed = false;
	panic_mode = true; /* out at once, after what was queued */
	registered->write(registered, "last words\r\n", 12);
	registered->flush(registered);
	CHECK_EQUAL(u->out_count, 19);
	CHECK(!memcmp(u->out, "queued last words\r\n", 19));

	u->jammed = true; /* a dead transmitter stops nobody for ever */
	for (int i = 0; i < 100; i++)
		registered->write(registered, "gone\r\n", 6);
	panic_mode = false;
}

int main(void)
{
	struct uart *u = &uarts[0];
	struct serial_port *port;
	uint64_t seed = 42;

	for (size_t i = 0; i < sizeof(pattern); i++)
		pattern[i] = (uint8_t)check_random(&seed);
	test_probe();
	port = serial_open(0);
	test_polled(port, u);
	test_fast_device(port, u);
	test_slow_device(port, u);
	test_log_between(port, u);
	test_receive(port, u);
	test_held_alone(port, u);
	test_resume_race(port, u);
	test_line_errors(port, u);
	test_both(port, u);
	test_console_and_panic(u);
	return check_done();
}
