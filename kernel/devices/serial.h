/* SPDX-License-Identifier: MIT */
/*
 * 16550 serial ports: probing, polled output for the log, and an interrupt-driven stream both ways,
 * with the frame and the modem lines. See serial.c and serial_line.c.
 *
 * The events run in the port's interrupt handler with interrupts off and with no lock of the port
 * held, so they may call the functions below and log. They never run inside a call of these.
 */
#ifndef DEVICES_SERIAL_H
#define DEVICES_SERIAL_H

#include "lib/types.h"

#define SERIAL_PORTS    4u
#define SERIAL_BAUD_MAX 115200u /* by the 1.8432 MHz of a PC's ports */

struct serial_port;

enum serial_bad { SERIAL_BREAK, SERIAL_PARITY, SERIAL_FRAMING };

struct serial_events {
	/* Takes up to `count` received bytes and returns how many it took. Fewer than count: the port
	 * keeps the rest, at last masks its receive interrupt (the other side then holds its data) and
	 * calls again with those bytes first after serial_rx_resume. */
	size_t (*received)(void *context, const uint8_t *bytes, size_t count);
	/* A byte with an error, or a break. NULL: a break is passed over, the rest is taken as it is. */
	void (*bad)(void *context, enum serial_bad bad, uint8_t byte);
	/* There is room again after a call that took less than it was given, or the ring is empty after
	 * serial_tell_empty. */
	void (*writable)(void *context);
	/* These modem lines (TIOCM_CTS, _DSR, _CAR, _RNG) changed; `now` are those on. */
	void (*lines)(void *context, unsigned changed, unsigned now);
};

/* As struct serial_icounter_struct counts. */
struct serial_counts {
	uint64_t cts, dsr, ring, carrier; /* changes of lines */
	uint64_t received, sent;
	uint64_t framing, overrun, parity, breaks;
};

/* Port 0 (0x3f8, IRQ 4), 1 (0x2f8, IRQ 3), 2 (0x3e8, IRQ 4) or 3 (0x2e8, IRQ 3), set to 115200 8N1 by
 * the first call; the same pointer by every later one. NULL: no such number, or nothing answers. */
struct serial_port *serial_open(unsigned number);
uint16_t serial_base(const struct serial_port *port);
unsigned serial_irq(const struct serial_port *port);

/* The port is the caller's alone, interrupt-driven, and these are its events. -EBUSY: somebody
 * has it. -ENODEV and -EBUSY of the interrupt: it is not claimed then and stays polled. The events are
 * never taken away again but by serial_release, which leaves the rest of output to be sent. */
int serial_claim(
	struct serial_port *port, const struct serial_events *events, void *context) MUST_CHECK;
void serial_release(struct serial_port *port);

/* Hands over as many bytes as the device and the software ring take now, and returns that count.
 * Never waits in interrupt-driven mode; in polled mode it waits for the device and takes all. */
size_t serial_write_some(struct serial_port *port, const void *bytes, size_t count);
/* All bytes (no more than the ring has at most) or none; the count or 0. A claimed port's. */
size_t serial_write_whole(struct serial_port *port, const void *bytes, size_t count);
size_t serial_write_room(struct serial_port *port); /* bytes that fit into the ring now */
size_t serial_pending(struct serial_port *port);    /* bytes that wait in the ring */
/* Is the ring empty? If not, the event `writable` tells. */
bool serial_tell_empty(struct serial_port *port);
bool serial_idle(struct serial_port *port); /* ring and device are empty */
void serial_drop_output(struct serial_port *port);
void serial_hold_output(struct serial_port *port, bool hold);
void serial_rx_resume(struct serial_port *port);

/* All bytes, after those in the ring, waiting for the device where needed: for consoles. */
void serial_write_all(struct serial_port *port, const void *bytes, size_t count);
/* Waits until ring and device are empty (before power-off). */
void serial_flush(struct serial_port *port);

/* ---- The line ---- */

struct serial_frame {
	uint32_t baud;            /* 1 to SERIAL_BAUD_MAX */
	unsigned bits;            /* 5 to 8 */
	bool parity, even, stick; /* stick: the parity bit is 0 with `even`, else 1 */
	bool two_stop;
	bool cts_flow; /* the ring waits while CTS is off */
};

void serial_set_frame(struct serial_port *port, const struct serial_frame *frame);
uint32_t serial_baud(struct serial_port *port);
/* The lines that are on: TIOCM_ bits. */
unsigned serial_lines(struct serial_port *port);
/* TIOCM_DTR, _RTS, _OUT1, _OUT2, _LOOP: those on and off. OUT2 stays on: it is the interrupt's. */
void serial_set_lines(struct serial_port *port, unsigned on, unsigned off);
void serial_set_break(struct serial_port *port, bool on);
void serial_get_counts(struct serial_port *port, struct serial_counts *out);

/* Registers port `number` as a console of the log. -ENODEV: nothing answers there. */
int serial_console_init(unsigned number) MUST_CHECK;
void serial_console_remove(unsigned number);
/* The frame of console=NAME,FRAME, as Linux's: 115200n8r (speed; n, o or e; bits; r: CTS). False: it is
 * none, and nothing has changed. */
bool serial_console_frame(unsigned number, const char *words) MUST_CHECK;
bool serial_is_console(unsigned number);

#endif
