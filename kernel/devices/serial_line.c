/* SPDX-License-Identifier: MIT */
/*
 * A serial port's line: whether there is one, its frame (baud, bits, parity), modem lines, breaks.
 * See serial.c for the locks and the bytes.
 *
 * A port answers when its modem status follows its modem control in loop-back mode and a byte sent
 * so comes back; only then is it touched further. It is set to 115200 baud, 8 data bits, no parity,
 * FIFOs on. Where nobody drives the bus one read tells; where something else is, it has seen a zero
 * written to its second register.
 *
 * The divisor may not change under a byte that is being sent: what is on its way is waited for, as
 * long as a FIFO takes at the speed so far.
 */
#include "devices/serial_port.h"

#include "files/abi.h"

bool serial_wait_lsr(const struct serial_port *port, unsigned bits, unsigned spins)
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

/* ---- Finding the device ---- */

static bool echoes(const struct serial_port *port, unsigned byte)
{
	set(port, THR, byte);
	return serial_wait_lsr(port, LSR_READY, PROBE_SPINS) && get(port, RBR) == byte;
}

static void set_mcr(struct serial_port *port, unsigned mcr) requires(port->lock)
{
	port->mcr = (uint8_t)mcr;
	set(port, MCR, mcr);
}

static void set_divisor(struct serial_port *port, unsigned divisor) requires(port->lock)
{
	set(port, LCR, port->lcr | LCR_DLAB);
	set(port, DLL, divisor & 0xff);
	set(port, DLM, divisor >> 8);
	set(port, LCR, port->lcr);
}

static bool probe(struct serial_port *port) requires(port->lock)
{
	bool answers;

	if (get(port, LSR) == 0xff) /* nobody drives the bus */
		return false;
	set(port, IER, 0);
	if (get(port, IER) != 0)
		return false;
	serial_wait_lsr(port, LSR_IDLE, PROBE_SPINS); /* the firmware's last words */
	port->lcr = LCR_8N1;
	port->baud = SERIAL_BAUD_MAX;
	set_divisor(port, DIVISOR_115200);
	set_mcr(port, MCR_LOOP | MCR_OUT2 | MCR_RTS);
	set(port, FCR, FCR_ENABLE | FCR_CLEAR_RX | FCR_CLEAR_TX);
	answers = (get(port, MSR) & MSR_LINES) == MSR_LOOPED && echoes(port, 0x5a) &&
		  echoes(port, 0xa5);
	set(port, FCR, FCR_ENABLE | FCR_CLEAR_RX | FCR_CLEAR_TX | FCR_TRIGGER_14);
	set_mcr(port, MCR_DTR | MCR_RTS | MCR_OUT2);
	port->msr = get(port, MSR) & MSR_LINES; /* and so the changes of the loop are gone */
	return answers;
}

struct serial_port *serial_open(unsigned number)
{
	struct serial_port *port;
	bool answers;

	if (number >= SERIAL_PORTS)
		return NULL;
	port = &serial_ports[number];
	lock_port(port);
	if (!port->probed) {
		port->answers = probe(port);
		port->probed = true;
	}
	answers = port->answers;
	unlock_port(port);
	return answers ? port : NULL;
}

uint16_t serial_base(const struct serial_port *port)
{
	return port->base;
}

unsigned serial_irq(const struct serial_port *port)
{
	return port->irq;
}

/* ---- The frame ---- */

static uint8_t lcr_of(const struct serial_frame *frame)
{
	return (uint8_t)((frame->bits - 5) | (frame->two_stop ? LCR_TWO_STOP : 0) |
			 (frame->parity ? LCR_PARITY : 0) | (frame->even ? LCR_EVEN : 0) |
			 (frame->stick ? LCR_STICK : 0));
}

void serial_set_frame(struct serial_port *port, const struct serial_frame *frame)
{
	unsigned divisor = (SERIAL_BAUD_MAX + frame->baud / 2) / frame->baud;
	uint8_t lcr = lcr_of(frame);

	lock_port(port);
	lcr |= port->lcr & LCR_BREAK;
	if (port->baud != frame->baud || port->lcr != lcr) {
		serial_wait_lsr(port, LSR_IDLE, PROBE_SPINS);
		port->lcr = lcr;
		port->baud = frame->baud;
		set_divisor(port, divisor);
	}
	port->cts_flow = frame->cts_flow;
	if (port->attached) /* the ring may go on */
		set_ier(port, port->ier | IER_TRANSMIT);
	unlock_port(port);
}

uint32_t serial_baud(struct serial_port *port)
{
	uint32_t baud;

	lock_port(port);
	baud = port->baud;
	unlock_port(port);
	return baud;
}

/* ---- Modem lines ---- */

static const struct {
	uint8_t line, changed;
	uint16_t name;
} inputs[] = {{MSR_CTS, MSR_CTS_CHANGED, TIOCM_CTS}, {MSR_DSR, MSR_DSR_CHANGED, TIOCM_DSR},
	{MSR_RING, MSR_RING_ENDED, TIOCM_RNG}, {MSR_CARRIER, MSR_CARRIER_CHANGED, TIOCM_CAR}};

static const struct {
	uint8_t bit;
	uint16_t name;
} outputs[] = {{MCR_DTR, TIOCM_DTR}, {MCR_RTS, TIOCM_RTS}, {MCR_OUT1, TIOCM_OUT1},
	{MCR_OUT2, TIOCM_OUT2}, {MCR_LOOP, TIOCM_LOOP}};

unsigned serial_line_names(const struct serial_port *port)
{
	unsigned names = 0;

	for (unsigned i = 0; i < ARRAY_SIZE(inputs); i++)
		names |= port->msr & inputs[i].line ? inputs[i].name : 0u;
	return names;
}

void serial_read_lines(struct serial_port *port)
{
	uint64_t *counts[] = {
		&port->counts.cts, &port->counts.dsr, &port->counts.ring, &port->counts.carrier};
	unsigned msr = get(port, MSR);

	for (unsigned i = 0; i < ARRAY_SIZE(inputs); i++) {
		if (!(msr & inputs[i].changed))
			continue;
		(*counts[i])++;
		port->changed |= inputs[i].name;
	}
	port->msr = msr & MSR_LINES;
}

unsigned serial_lines(struct serial_port *port)
{
	unsigned names;

	lock_port(port);
	serial_read_lines(port);
	if (port->changed &&
		port->attached) /* of which this has taken the interrupt: another one */
		set_ier(port, port->ier | IER_TRANSMIT);
	names = serial_line_names(port);
	for (unsigned i = 0; i < ARRAY_SIZE(outputs); i++)
		names |= port->mcr & outputs[i].bit ? outputs[i].name : 0u;
	unlock_port(port);
	return names;
}

void serial_set_lines(struct serial_port *port, unsigned on, unsigned off)
{
	unsigned mcr;

	lock_port(port);
	mcr = port->mcr;
	for (unsigned i = 0; i < ARRAY_SIZE(outputs); i++) {
		if (off & outputs[i].name)
			mcr &= ~(unsigned)outputs[i].bit;
		if (on & outputs[i].name)
			mcr |= outputs[i].bit;
	}
	set_mcr(port, mcr | MCR_OUT2);
	unlock_port(port);
}

void serial_set_break(struct serial_port *port, bool on)
{
	lock_port(port);
	port->lcr = (uint8_t)(on ? port->lcr | LCR_BREAK : port->lcr & ~LCR_BREAK);
	set(port, LCR, port->lcr);
	unlock_port(port);
}

void serial_get_counts(struct serial_port *port, struct serial_counts *out)
{
	lock_port(port);
	*out = port->counts;
	unlock_port(port);
}
