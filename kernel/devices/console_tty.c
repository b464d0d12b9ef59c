/* SPDX-License-Identifier: MIT */
/*
 * /dev/console: one terminal whose output goes where the log goes (serial and screen) and whose
 * input is serial port 0's. console_write is whole for the pieces that tty.c makes (a line of a
 * program leaves in one), so log lines come between lines and not within them.
 */
#include "devices/console_tty.h"

#include "devices/console.h"
#include "devices/serial.h"
#include "devices/tty.h"
#include "lib/errno.h"
#include "lib/log.h"

static struct serial_port *port;

static ssize_t console_tty_write(struct tty *tty, const char *bytes, size_t count, bool nonblocking)
{
	console_write(bytes, count);
	return (ssize_t)count;
}

static void console_tty_echo(struct tty *tty, const char *bytes, size_t count)
{
	console_write(bytes, count);
}

static void console_tty_resume(struct tty *tty)
{
	if (port)
		serial_rx_resume(port);
}

static void console_tty_drain(struct tty *tty)
{
	console_flush();
}

static const struct tty_driver console_tty_driver = {
	.write = console_tty_write,
	.echo = console_tty_echo,
	.resume = console_tty_resume,
	.drain = console_tty_drain,
};

static struct tty console_tty = {.driver = &console_tty_driver, .name = "ttyS0"};

static size_t received(void *context, const uint8_t *bytes, size_t count)
{
	return tty_receive(context, bytes, count);
}

static int console_open(struct file *file)
{
	return tty_open_file(file, &console_tty, TTY_CONSOLE);
}

static const struct file_operations console_operations = {
	.open = console_open, .traits = FILE_STREAM};

void console_tty_receive(const uint8_t *bytes, size_t count)
{
	tty_receive(&console_tty, bytes, count);
}

int console_tty_init(void)
{
	static struct device console = {.operations = &console_operations};
	int error;

	console.number = device_number(TTYAUX_MAJOR, 1);
	tty_console_write = console_write;
	error = devfs_add("console", S_IFCHR | 0600, &console);
	if (error)
		return error;
	port = serial_open(0);
	if (!port) {
		log_info("console: no serial port: nothing can be typed");
		tty_init(&console_tty);
		return 0;
	}
	error = tty_register(&console_tty, device_number(TTY_MAJOR, 64), 0600);
	if (!error)
		error = serial_on_receive(port, received, &console_tty);
	return error;
}
