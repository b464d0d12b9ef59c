/* SPDX-License-Identifier: MIT */
/*
 * Serial ports as consoles of the log. What the kernel says queues behind what programs have written
 * to the port; a line of the log begins a new line there if theirs was not ended.
 */
#include "devices/serial_port.h"

#include "lib/errno.h"

struct serial_console {
	struct console console;
	struct serial_port *port;
};

static struct serial_console serial_consoles[SERIAL_PORTS];

static struct serial_port *port_of(struct console *console)
{
	return container_of(console, struct serial_console, console)->port;
}

static void console_out(struct console *console, const char *bytes, size_t count)
{
	serial_write_all(port_of(console), bytes, count);
}

static void console_drain(struct console *console)
{
	serial_flush(port_of(console));
}

static bool console_fresh(struct console *console)
{
	return port_of(console)->last == '\n';
}

int serial_console_init(unsigned number)
{
	static const char *const names[SERIAL_PORTS] = {"ttyS0", "ttyS1", "ttyS2", "ttyS3"};
	struct serial_port *port = serial_open(number);
	struct serial_console *console;

	if (!port)
		return -ENODEV;
	console = &serial_consoles[number];
	if (console->port)
		return 0;
	console->port = port;
	console->console.name = names[number];
	console->console.write = console_out;
	console->console.flush = console_drain;
	console->console.fresh = console_fresh;
	port->last = '\n';
	console_register(&console->console);
	return 0;
}

void serial_console_remove(unsigned number)
{
	struct serial_console *console = &serial_consoles[number];

	if (!console->port)
		return;
	console_remove(&console->console);
	console->port = NULL;
}

static bool read_frame(const char *words, struct serial_frame *frame)
{
	*frame = (struct serial_frame){.bits = 8};
	for (; *words >= '0' && *words <= '9' && frame->baud <= SERIAL_BAUD_MAX; words++)
		frame->baud = frame->baud * 10 + (uint32_t)(*words - '0');
	if (!frame->baud || frame->baud > SERIAL_BAUD_MAX)
		return false;
	if (*words == 'n' || *words == 'o' || *words == 'e') {
		frame->parity = *words != 'n';
		frame->even = *words == 'e';
		words++;
	}
	if (*words >= '5' && *words <= '8')
		frame->bits = (unsigned)(*words++ - '0');
	if (*words == 'r') {
		frame->cts_flow = true;
		words++;
	}
	return !*words;
}

bool serial_console_frame(unsigned number, const char *words)
{
	struct serial_port *port = serial_open(number);
	struct serial_frame frame;

	if (!port || !read_frame(words, &frame))
		return false;
	serial_set_frame(port, &frame);
	return true;
}

bool serial_is_console(unsigned number)
{
	return number < SERIAL_PORTS && serial_consoles[number].port;
}
