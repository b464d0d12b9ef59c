/* SPDX-License-Identifier: MIT */
/*
 * /dev/console: a terminal of its own. Its output goes where the log goes, to all consoles (serial
 * ports and the screen's first terminal); its input is what comes from a console whose own terminal (/dev/ttyS0,
 * /dev/tty1) nobody has open. console_write is whole for the pieces that tty.c makes (a line of a
 * program leaves in one), so log lines come between lines and not within them.
 *
 * `console=` chooses the consoles, as on Linux, but input and output are those of all of them, where
 * Linux takes the last one's.
 */
#include "devices/console_tty.h"

#include "devices/console.h"
#include "devices/serial_tty.h"
#include "devices/tty.h"

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
	serial_tty_resume_consoles();
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

static struct tty console_tty = {.driver = &console_tty_driver, .name = "console"};

static int console_open(struct file *file)
{
	return tty_open_file(file, &console_tty, TTY_CONSOLE);
}

static const struct file_operations console_operations = {
	.open = console_open, .traits = FILE_STREAM};

size_t console_tty_receive(const uint8_t *bytes, size_t count)
{
	return tty_receive(&console_tty, bytes, count);
}

void console_tty_resize(const struct winsize *size)
{
	tty_resize(&console_tty, size);
}

int console_tty_init(void)
{
	static struct device console = {.operations = &console_operations};
	int error = tty_register_own();

	if (error)
		return error;
	console.number = console_tty.device.number = device_number(TTYAUX_MAJOR, 1);
	tty_init(&console_tty);
	return devfs_add("console", S_IFCHR | 0600, &console);
}
