/* SPDX-License-Identifier: MIT */
/* The serial driver against serial_model.c's device. */
#include "devices/serial.h"
#include "arch/arch.h"
#include "devices/console.h"
#include "devices/serial_model.h"
#include "files/abi.h"
#include "lib/check.h"
#include "lib/errno.h"

static bool panic_mode;
static struct console *registered;

bool log_panicking(void)
{
	return panic_mode;
}

void console_register(struct console *console)
{
	registered = console;
}

void console_remove(struct console *console)
{
	CHECK(registered == console);
	registered = NULL;
}

static struct serial_events events; /* what the next claim will be with */

static void claim(struct serial_port *port)
{
	serial_release(port);
	CHECK_EQUAL(serial_claim(port, &events, port), 0);
	CHECK_EQUAL(serial_claim(port, &events, port), -EBUSY);
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
	CHECK(!serial_open(4));
	for (unsigned i = 0; i < 4; i++)
		uarts[i].lines = 0xb0;
	uarts[0].present = uarts[2].present = true;
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

	uart_attach_fails = true;
	CHECK_EQUAL(serial_claim(port, &events, port), -ENODEV);
	uart_attach_fails = false;
	CHECK_EQUAL(u->ier, 0);
}

/* An emulated device that takes all at once needs one look per 16 bytes, and no interrupt. */
static void test_fast_device(struct serial_port *port, struct uart *u)
{
	u->patience = 0;
	claim(port);
	uart_run(u);
	forget_output(u);
	CHECK_EQUAL(serial_write_some(port, pattern, 4096), 4096);
	uart_run(u);
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
	CHECK(uart_in_handler);
	writable_calls++;
	writer_at += serial_write_some(context, pattern + writer_at, sizeof(pattern) - writer_at);
}

/* A slow device: the ring fills, the writer is turned away, and called again; nothing is lost. */
static void test_slow_device(struct serial_port *port, struct uart *u)
{
	u->patience = 1000000;
	events.writable = more_room;
	claim(port);
	writer_at = serial_write_some(port, pattern, sizeof(pattern));
	CHECK(writer_at >= 4096 && writer_at < sizeof(pattern));
	CHECK_EQUAL(serial_write_room(port), 0);
	CHECK_EQUAL(serial_write_some(port, pattern + writer_at, 10), 0);
	for (unsigned n = 0; u->out_count < sizeof(pattern) && n < 100000; n++)
		uart_run(u);
	CHECK_EQUAL(u->out_count, sizeof(pattern));
	CHECK(!memcmp(u->out, pattern, sizeof(pattern)));
	CHECK(writable_calls > 2);
	CHECK(u->interrupts <= sizeof(pattern) / 16 + 1); /* the FIFO was full each time */
	uart_run(u);
	CHECK_EQUAL(u->ier & 2, 0); /* and nobody waits any more */
	events.writable = NULL;
	claim(port);
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
	uart_run(u);
	CHECK_EQUAL(u->ier & 2, 0);
	forget_output(u);
}

static uint8_t got[sizeof(pattern)];
static size_t got_count, appetite; /* bytes that the receiver takes before it says stop */
static bool resume_at_once;

static size_t receive(void *context, const uint8_t *bytes, size_t count)
{
	size_t n = count < appetite ? count : appetite;

	CHECK(uart_in_handler && count > 0);
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
	struct serial_counts counts;
	uint64_t seed = 1;

	u->in = pattern;
	u->in_count = sizeof(pattern);
	uart_run(u); /* no receiver yet: the host holds its data */
	CHECK_EQUAL(u->rx_count, 16);
	CHECK_EQUAL(u->in_count, sizeof(pattern) - 16);

	events.received = receive;
	claim(port);
	uart_run(u);
	CHECK_EQUAL(
		got_count, 0); /* appetite 0: stopped, as soon as the driver has no room either */
	CHECK_EQUAL(u->ier & 1, 0);
	CHECK_EQUAL(u->in_count, sizeof(pattern) - 256 - 16);
	for (unsigned n = 0; got_count < sizeof(pattern) && n < 100000; n++) {
		size_t before = got_count;

		appetite = check_random(&seed) % 200;
		resume_at_once = check_random(&seed) % 4 == 0;
		CHECK(appetite == 0 || u->in_count + u->rx_count > 0 ||
			got_count < sizeof(pattern));
		serial_rx_resume(port);
		CHECK_EQUAL(got_count, before); /* never inside the call */
		uart_run(u);
	}
	appetite = SIZE_MAX;
	CHECK_EQUAL(got_count, sizeof(pattern));
	CHECK(!memcmp(got, pattern, sizeof(pattern)));
	serial_get_counts(port, &counts);
	CHECK_EQUAL(counts.overrun, 0);
	CHECK_EQUAL(counts.received, sizeof(pattern));
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
	uart_run(u);
	CHECK_EQUAL(got_count, 1);
	CHECK_EQUAL(u->rx_count, 0);
	appetite = SIZE_MAX;
	serial_rx_resume(port);
	uart_run(u);
	CHECK_EQUAL(got_count, 5);
	CHECK(!memcmp(got, pattern, 5));
	uart_run(u);
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
	uart_run(u);
	CHECK_EQUAL(got_count, 5);
	CHECK_EQUAL(u->ier & 1, 1);
	resume_at_once = false;
	uart_run(u);
}

static enum serial_bad bad_kind;
static unsigned bad_count, bad_byte;

static void hear_bad(void *context, enum serial_bad bad, uint8_t byte)
{
	bad_kind = bad;
	bad_byte = byte;
	bad_count++;
}

static void test_line_errors(struct serial_port *port, struct uart *u)
{
	struct serial_counts counts;

	got_count = 0;
	u->overrun = u->brk = true;
	u->in = (const uint8_t *)"\0ab";
	u->in_count = 3;
	uart_run(u);
	serial_get_counts(port, &counts);
	CHECK_EQUAL(counts.overrun, 1);
	CHECK_EQUAL(counts.breaks, 1);
	CHECK_EQUAL(got_count, 2); /* without the break's zero */
	CHECK(!memcmp(got, "ab", 2));

	events.bad = hear_bad;
	claim(port);
	uart_run(u);
	CHECK_EQUAL(u->ier & 4, 4);
	for (unsigned i = 0; i < 2; i++) {
		got_count = bad_count = 0;
		u->brk = i == 0;
		u->parity = i == 1;
		u->in = (const uint8_t *)"0123456789abcdefgh"; /* as many as the trigger, at once */
		u->in_count = 18;
		uart_run(u);
		CHECK_EQUAL(bad_count, 1);
		CHECK_EQUAL(bad_byte, '0');
		CHECK(bad_kind == (i ? SERIAL_PARITY : SERIAL_BREAK));
		CHECK_EQUAL(got_count, 17);
		CHECK(!memcmp(got, "123456789abcdefgh", 17));
	}
	serial_get_counts(port, &counts);
	CHECK_EQUAL(counts.parity, 1);
	CHECK_EQUAL(counts.breaks, 2);
	events.bad = NULL;
	claim(port);
	uart_run(u);
}

/* A burst of 16 costs few more accesses than bytes. */
static void test_burst(struct uart *u)
{
	got_count = 0;
	u->in = pattern;
	u->in_count = 1600;
	u->accesses = 0;
	uart_run(u);
	CHECK_EQUAL(got_count, 1600);
	CHECK(!memcmp(got, pattern, 1600));
	CHECK(u->accesses < 1600 * 15 / 10);
}

static void test_frame(struct serial_port *port, struct uart *u)
{
	serial_set_frame(port, &(struct serial_frame){.baud = 9600, .bits = 7, .parity = true});
	CHECK_EQUAL(u->dll | u->dlm << 8, 12);
	CHECK_EQUAL(u->lcr, 0x0a);
	CHECK_EQUAL(serial_baud(port), 9600);
	serial_set_break(port, true);
	CHECK_EQUAL(u->lcr, 0x4a);
	serial_set_frame(port, &(struct serial_frame){.baud = 50,
				       .bits = 5,
				       .even = true,
				       .parity = true,
				       .stick = true,
				       .two_stop = true});
	CHECK_EQUAL(u->dll | u->dlm << 8, 2304);
	CHECK_EQUAL(u->lcr, 0x7c);
	serial_set_break(port, false);
	serial_set_frame(port, &(struct serial_frame){.baud = 115200, .bits = 8});
	CHECK_EQUAL(u->lcr, 3);
	CHECK_EQUAL(u->dll | u->dlm << 8, 1);
}

static void test_console_frame(struct uart *u)
{
	static const char *const wrong[] = {"", "n8", "0", "230400", "9600x", "9600n9", "9600n8rr"};

	CHECK(serial_console_frame(0, "9600o7"));
	CHECK_EQUAL(u->dll, 12);
	CHECK_EQUAL(u->lcr, 0x0a);
	for (unsigned i = 0; i < ARRAY_SIZE(wrong); i++)
		CHECK(!serial_console_frame(0, wrong[i]));
	CHECK_EQUAL(u->lcr, 0x0a);
	CHECK(!serial_console_frame(3, "9600"));
	CHECK(serial_console_frame(0, "115200"));
	CHECK_EQUAL(u->dll, 1);
	CHECK_EQUAL(u->lcr, 3);
}

static unsigned heard_changed, heard_now;

static void hear_lines(void *context, unsigned changed, unsigned now)
{
	heard_changed |= changed;
	heard_now = now;
}

static void test_lines(struct serial_port *port, struct uart *u)
{
	struct serial_counts counts;

	events.lines = hear_lines;
	claim(port);
	uart_run(u);
	heard_changed = 0;
	CHECK_EQUAL(serial_lines(port),
		TIOCM_CTS | TIOCM_DSR | TIOCM_CAR | TIOCM_DTR | TIOCM_RTS | TIOCM_OUT2);
	serial_set_lines(port, TIOCM_LOOP, TIOCM_DTR | TIOCM_OUT2);
	CHECK_EQUAL(u->mcr, 0x1a); /* the interrupt stays */
	serial_set_lines(port, TIOCM_DTR, TIOCM_LOOP);
	CHECK_EQUAL(u->mcr, 0x0b);
	CHECK_EQUAL(heard_changed, 0);

	u->lines = 0x30;
	u->changed = 8;
	uart_update(u);
	uart_run(u);
	CHECK_EQUAL(heard_changed, TIOCM_CAR);
	CHECK_EQUAL(heard_now, TIOCM_CTS | TIOCM_DSR);
	heard_changed = 0;
	u->lines = 0xb0;
	u->changed = 8;
	CHECK(serial_lines(port) & TIOCM_CAR); /* takes the device's word of the change */
	uart_run(u);
	CHECK_EQUAL(heard_changed, TIOCM_CAR);
	serial_get_counts(port, &counts);
	CHECK_EQUAL(counts.carrier, 2);
	CHECK_EQUAL(counts.cts, 0);
}

static void run_all(struct uart *u)
{
	for (unsigned i = 0; i < 4; i++)
		uart_run(u);
}

/* STOP and CTS hold the ring, not the log; going on sends the rest. */
static void test_holding(struct serial_port *port, struct uart *u)
{
	u->patience = 0;
	forget_output(u);
	serial_hold_output(port, true);
	CHECK_EQUAL(serial_write_whole(port, pattern, 300), 300);
	run_all(u);
	CHECK_EQUAL(u->out_count, 0);
	CHECK_EQUAL(serial_pending(port), 300);
	serial_write_all(port, "log", 3);
	run_all(u);
	CHECK_EQUAL(u->out_count, 3);
	serial_hold_output(port, false);
	run_all(u);
	CHECK_EQUAL(u->out_count, 303);
	CHECK(!memcmp(u->out + 3, pattern, 300));
	CHECK(serial_tell_empty(port) && serial_idle(port));

	forget_output(u);
	serial_set_frame(port, &(struct serial_frame){.baud = 115200, .bits = 8, .cts_flow = true});
	u->lines = 0xa0;
	u->changed = 1;
	uart_update(u);
	run_all(u);
	CHECK_EQUAL(serial_write_whole(port, pattern, 300), 300);
	run_all(u);
	CHECK_EQUAL(u->out_count, 0);
	CHECK_EQUAL(u->ier & 2, 0);
	u->lines = 0xb0;
	u->changed = 1;
	uart_update(u);
	run_all(u);
	CHECK_EQUAL(u->out_count, 300);
	serial_set_frame(port, &(struct serial_frame){.baud = 115200, .bits = 8});
}

/* All or nothing; what is dropped makes room. */
static void test_whole(struct serial_port *port, struct uart *u)
{
	unsigned wholes = 0;

	forget_output(u);
	u->jammed = true;
	while (serial_write_whole(port, pattern, 1000))
		wholes++;
	CHECK_EQUAL(wholes, 8);
	CHECK_EQUAL(serial_pending(port), 8000 - 16);
	serial_drop_output(port);
	CHECK_EQUAL(serial_pending(port), 0);
	CHECK_EQUAL(serial_write_whole(port, pattern, 8192), 8192);
	u->jammed = false;
	for (unsigned i = 0; i < 40; i++)
		uart_run(u);
	CHECK_EQUAL(u->out_count, 8192);
	CHECK(!memcmp(u->out, pattern, 8192));
	forget_output(u);
}

/* Two ports, one interrupt: each gets its own. */
static void test_shared(struct uart *u)
{
	struct serial_port *other = serial_open(2);
	struct uart *theirs = &uarts[2];

	CHECK(other && other != serial_open(0));
	claim(other);
	appetite = SIZE_MAX;
	uart_run(theirs);
	got_count = 0;
	u->in = theirs->in = pattern;
	u->in_count = 100;
	theirs->in_count = 50;
	uart_host_sends(u);
	uart_host_sends(theirs);
	u->edge = false; /* they had one edge together */
	uart_run(theirs);
	run_all(u);
	CHECK_EQUAL(got_count, 150);
	CHECK_EQUAL(theirs->in_count + theirs->rx_count + u->in_count + u->rx_count, 0);
	serial_release(other);
	uart_run(theirs);
	CHECK_EQUAL(theirs->ier, 0);
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
		uart_run(u);
	}
	u->jammed = false;
	uart_run(u);
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
	CHECK(serial_is_console(0) && !serial_is_console(1));
	CHECK(registered->fresh(registered));
	registered->write(registered, "he", 2);
	CHECK(!registered->fresh(registered));
	registered->flush(registered);
	forget_output(u);
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
	test_burst(u);
	test_frame(port, u);
	test_console_frame(u);
	test_lines(port, u);
	test_holding(port, u);
	test_whole(port, u);
	test_shared(u);
	test_both(port, u);
	test_console_and_panic(u);
	return check_done();
}
