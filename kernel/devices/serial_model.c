/* SPDX-License-Identifier: MIT */
/*
 * A register-level model of the 16550: FIFOs of 16 bytes, the interrupt identification with its
 * priorities, the transmit interrupt that reading IIR or writing THR takes away, loop-back, an
 * edge-triggered line to the driver's handler, and a host behind it that sends only while there is room.
 * It fails the test when the driver does what loses data: writing into a full FIFO, reading an empty one.
 */
#include "devices/serial_model.h"

#include "arch/arch.h"
#include "lib/check.h"
#include "lib/errno.h"

static struct {
	irq_handler handler;
	void *context;
} handlers[16];

struct uart uarts[4];
bool uart_attach_fails, uart_in_handler;

static unsigned irq_of(const struct uart *u)
{
	return (u - uarts) % 2 ? 3 : 4;
}

static unsigned pending(const struct uart *u)
{
	if ((u->ier & 4) && (u->overrun || (u->rx_count && (u->brk || u->parity))))
		return 6;
	if ((u->ier & 1) && u->rx_count)
		return u->rx_count >= 14 ? 4 : 0x0c;
	if ((u->ier & 2) && u->thre_pending)
		return 2;
	if ((u->ier & 8) && u->changed)
		return 0;
	return 1;
}

void uart_update(struct uart *u)
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

void uart_host_sends(struct uart *u)
{
	while (u->in_count && u->rx_count < 16 && u->mcr & 8 && !(u->mcr & 16)) {
		u->rx[u->rx_count++] = *u->in++;
		u->in_count--;
	}
	uart_update(u);
}

/* The wire moves on by itself; the interrupt controller calls the handler for every edge. */
void uart_run(struct uart *u)
{
	if (!u->jammed)
		drain(u);
	uart_host_sends(u);
	while (u->edge && handlers[irq_of(u)].handler) {
		u->edge = false;
		u->interrupts++;
		uart_in_handler = true;
		handlers[irq_of(u)].handler(handlers[irq_of(u)].context);
		uart_in_handler = false;
		uart_host_sends(u);
	}
}

static struct uart *find(uint16_t port, unsigned *reg)
{
	static const uint16_t bases[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
	struct uart *u = NULL;

	for (unsigned i = 0; i < 4; i++)
		u = (port & ~7u) == bases[i] ? &uarts[i] : u;
	CHECK(u);
	*reg = port & 7;
	u->accesses++;
	return u;
}

static uint8_t read_iir(struct uart *u)
{
	unsigned id = pending(u);

	if (id == 2)
		u->thre_pending = false;
	uart_update(u);
	return (uint8_t)(id | (u->fcr & 1 ? 0xc0 : 0));
}

static uint8_t read_rbr(struct uart *u)
{
	uint8_t byte = u->rx[0];

	CHECK(u->rx_count > 0);
	memmove(u->rx, u->rx + 1, --u->rx_count);
	u->brk = u->parity = false;
	uart_host_sends(u);
	return byte;
}

static uint8_t read_lsr(struct uart *u)
{
	unsigned lsr;

	if (u->tx_count && !u->jammed && ++u->waited > u->patience) {
		drain(u);
		uart_update(u);
	}
	lsr = (u->rx_count ? 1 : 0) | (u->tx_count ? 0 : 0x60) | (u->overrun ? 2 : 0) |
	      (u->brk && u->rx_count ? 0x90 : 0) | (u->parity && u->rx_count ? 0x84 : 0);
	u->overrun = false;
	return (uint8_t)lsr;
}

ns_t arch_clock(void)
{
	return 0; /* only a debug kernel counts the waits */
}

static uint8_t read_msr(struct uart *u)
{
	uint8_t msr = u->lines | u->changed;

	u->changed = 0;
	uart_update(u);
	return msr;
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
				   : read_msr(u);
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
	uart_update(u);
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
	uart_update(u);
}

int arch_irq_attach(unsigned isa_irq, const char *name, irq_handler handler, void *context)
{
	(void)name;
	CHECK(isa_irq == 4 || isa_irq == 3);
	if (uart_attach_fails)
		return -ENODEV;
	CHECK(!handlers[isa_irq].handler);
	handlers[isa_irq].handler = handler;
	handlers[isa_irq].context = context;
	return 0;
}
