/* SPDX-License-Identifier: MIT */
/*
 * 16550 serial ports: probing, polled output for the log, and an interrupt-driven stream both ways.
 * See serial.c.
 *
 * Callbacks run in the port's interrupt handler with interrupts off and with no lock of the port
 * held, so they may call serial_write_some, serial_rx_resume and log. They never run inside a call
 * of the functions below.
 */
#ifndef DEVICES_SERIAL_H
#define DEVICES_SERIAL_H

#include "lib/types.h"

#define SERIAL_PORTS 2u

struct serial_port;

/* Takes up to `count` received bytes and returns how many it took. Fewer than count: the port keeps
 * the rest, masks its receive interrupt (the other side then holds its data) and calls again with
 * those bytes first after serial_rx_resume. */
typedef size_t (*serial_received)(void *context, const uint8_t *bytes, size_t count);
/* There is room again, after a serial_write_some that took less than it was given. */
typedef void (*serial_writable)(void *context);

/* Port 0 (0x3f8, IRQ 4) or 1 (0x2f8, IRQ 3), set to 115200 8N1 by the first call; the same pointer by
 * every later one. NULL: no such number, or nothing answers there. */
struct serial_port *serial_open(unsigned number);

/* Interrupt-driven mode. The first call attaches the interrupt: -ENODEV or -EBUSY when that fails
 * (the port then stays in polled mode: writes work, nothing is received). NULL: no callback any
 * more; without a receiver, received bytes stay in the device. */
int serial_on_receive(struct serial_port *port, serial_received received, void *context) MUST_CHECK;
int serial_on_writable(
	struct serial_port *port, serial_writable writable, void *context) MUST_CHECK;

/* Hands over as many bytes as the device and the software ring take now, and returns that count.
 * Never waits in interrupt-driven mode; in polled mode it waits for the device and takes all. */
size_t serial_write_some(struct serial_port *port, const void *bytes, size_t count);
size_t serial_write_room(struct serial_port *port); /* bytes that fit into the ring now */
void serial_rx_resume(struct serial_port *port);

/* All bytes, after those in the ring, waiting for the device where needed: for consoles. */
void serial_write_all(struct serial_port *port, const void *bytes, size_t count);
/* Waits until ring and device are empty (before power-off). */
void serial_flush(struct serial_port *port);
/* Receive overruns that the device reported: bytes lost in hardware. */
uint64_t serial_overruns(const struct serial_port *port);

/* Registers port `number` as a console of the log. -ENODEV: nothing answers there. */
int serial_console_init(unsigned number) MUST_CHECK;

#endif
