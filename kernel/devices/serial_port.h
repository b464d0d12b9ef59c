/* SPDX-License-Identifier: MIT */
/*
 * A 16550's registers and what the driver knows of a port: between serial.c (bytes) and serial_line.c
 * (probing, frame, modem lines). Registers by the names of National Semiconductor's PC16550D data sheet.
 */
#ifndef DEVICES_SERIAL_PORT_H
#define DEVICES_SERIAL_PORT_H

#include "arch/arch.h"
#include "devices/console.h"
#include "devices/serial.h"
#include "lib/lock.h"

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

enum { IER_RECEIVE = 1, IER_TRANSMIT = 2, IER_LINE = 4, IER_MODEM = 8 };
enum {
	IIR_NONE = 1,
	IIR_MASK = 0x0f,
	IIR_TRANSMIT = 2,
	IIR_RECEIVE = 4, /* the trigger's number of bytes is there */
	IIR_LINE = 6,
	IIR_TIMEOUT = 0x0c
};
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4, FCR_TRIGGER_14 = 0xc0 };
enum {
	LCR_TWO_STOP = 4,
	LCR_PARITY = 8,
	LCR_EVEN = 0x10,
	LCR_STICK = 0x20,
	LCR_BREAK = 0x40,
	LCR_DLAB = 0x80,
	LCR_8N1 = 3
};
enum {
	MCR_DTR = 1,
	MCR_RTS = 2,
	MCR_OUT1 = 4,
	MCR_OUT2 = 8, /* lets the interrupt out */
	MCR_LOOP = 0x10
};
enum {
	LSR_READY = 1,
	LSR_OVERRUN = 2,
	LSR_PARITY = 4,
	LSR_FRAME = 8,
	LSR_BREAK = 0x10,
	LSR_THRE = 0x20,
	LSR_IDLE = 0x40,
	LSR_FIFO_ERROR = 0x80, /* somewhere in the FIFO */
	LSR_BAD = LSR_PARITY | LSR_FRAME | LSR_BREAK
};
enum {
	MSR_CTS_CHANGED = 1,
	MSR_DSR_CHANGED = 2,
	MSR_RING_ENDED = 4,
	MSR_CARRIER_CHANGED = 8,
	MSR_CHANGES = 0x0f,
	MSR_CTS = 0x10,
	MSR_DSR = 0x20,
	MSR_RING = 0x40,
	MSR_CARRIER = 0x80,
	MSR_LINES = 0xf0,
	MSR_LOOPED = MSR_CARRIER | MSR_CTS /* from OUT2 and RTS */
};

#define SERIAL_FIFO    16u
#define SERIAL_TRIGGER 14u
#define SERIAL_RING    8192u
#define SERIAL_HELD    256u
#define PROBE_SPINS    100000u  /* reads of LSR: more than 20 ms on any machine */
#define STUCK_SPINS    4000000u /* reads of LSR: seconds */
#define DIVISOR_115200 1u

struct serial_port {
	uint16_t base;
	uint8_t irq;

	struct spinlock lock;
	bool probed, answers;  /* guarded by lock, as all that follows */
	bool claimed;          /* a terminal or the channel has it */
	bool attached;         /* interrupt-driven */
	bool stuck;            /* the transmitter did not move: output is dropped till it does */
	bool room_wanted;      /* a writer was turned away */
	bool empty_wanted;     /* somebody waits for the ring's end */
	bool rx_stopped;       /* the receiver did not take all */
	bool rx_masked;        /* ... and `held` is full */
	bool rest_wanted;      /* fewer bytes than the trigger may be left in the device */
	bool tx_held;          /* STOP: the ring waits */
	bool cts_flow;         /* the ring waits while CTS is off */
	uint8_t ier, lcr, mcr; /* as written to the device */
	uint8_t msr;           /* lines as last read */
	unsigned changed;      /* lines that changed, until the event told: TIOCM_ bits */
	uint32_t baud;
	uint32_t resumes; /* calls of serial_rx_resume */
	struct serial_counts counts;
	struct serial_events events;
	void *context;       /* of the events */
	uint32_t head, tail; /* byte counts: put, taken */
	uint8_t last;        /* byte sent, to know whether a line has begun */
	uint8_t ring[SERIAL_RING];

	/* The interrupt handler's: bytes read, and what was wrong with each (LSR_BAD). */
	uint8_t held[SERIAL_HELD], held_bad[SERIAL_HELD];
	size_t held_count;
};

extern struct serial_port serial_ports[SERIAL_PORTS];

static inline void lock_port(struct serial_port *port) acquires(port->lock) no_lock_checks
{
	if (!log_panicking())
		spin_lock(&port->lock);
}

static inline void unlock_port(struct serial_port *port) releases(port->lock) no_lock_checks
{
	if (!log_panicking())
		spin_unlock(&port->lock);
}

static inline uint8_t get(const struct serial_port *port, unsigned reg)
{
	return arch_in8((uint16_t)(port->base + reg));
}

static inline void set(const struct serial_port *port, unsigned reg, unsigned value)
{
	arch_out8((uint16_t)(port->base + reg), (uint8_t)value);
}

static inline void set_ier(struct serial_port *port, unsigned ier) requires(port->lock)
{
	if (port->ier != ier) {
		port->ier = (uint8_t)ier;
		set(port, IER, ier);
	}
}

/* Waits until all these bits of LSR are set. */
bool serial_wait_lsr(const struct serial_port *port, unsigned bits, unsigned spins);
/* Reads MSR: keeps the lines, counts and keeps their changes. */
void serial_read_lines(struct serial_port *port) requires(port->lock);
unsigned serial_line_names(const struct serial_port *port) requires(port->lock);

#endif
