/* SPDX-License-Identifier: MIT */
/* 16550s for the driver's unit test, register by register. See serial_model.c. */
#ifndef DEVICES_SERIAL_MODEL_H
#define DEVICES_SERIAL_MODEL_H

#include "lib/types.h"

struct uart {
	bool present;
	uint8_t ier, lcr, mcr, scr, fcr, dll, dlm;
	uint8_t tx[16], rx[16];
	unsigned tx_count, rx_count;
	bool thre_pending, line, edge;
	bool overrun, brk, parity;
	uint8_t lines, changed; /* MSR's upper and lower half */
	unsigned patience;      /* reads of LSR until a full FIFO is on the wire; 0: at once */
	unsigned waited;
	bool jammed; /* nothing leaves any more */

	/* the host's end */
	uint8_t out[1 << 20];
	size_t out_count;
	const uint8_t *in;
	size_t in_count;

	unsigned long interrupts, accesses;
};

extern struct uart uarts[4];
extern bool uart_attach_fails; /* there is no interrupt to be had */
extern bool uart_in_handler;

void uart_update(struct uart *u);     /* after a change: the interrupt's line follows */
void uart_host_sends(struct uart *u); /* what the FIFO has room for */
/* The wire moves on by itself; the interrupt controller calls the handler for every edge. */
void uart_run(struct uart *u);

#endif
