/* SPDX-License-Identifier: MIT */
/*
 * The virtual terminals as terminals of programs: /dev/tty1 to tty6, and /dev/tty0, the one that is shown. Their ioctls:
 * vt_ioctl.c, keys: vt_keyboard.c, which terminal is shown: vt_switch.c.
 */
#include "devices/vt.h"

#include "devices/keyboard_ps2.h"
#include "devices/vcs.h"
#include "devices/vt_ioctl.h"
#include "devices/vt_keyboard.h"
#include "lib/errno.h"
#include "lib/lock.h"

static unsigned number_of(const struct tty *tty)
{
	return (unsigned)((const struct vt *)tty->private - vts);
}

/* ---- The driver ---- */

static int vt_opened(struct tty *tty, const struct file *file)
{
	unsigned number = number_of(tty);
	int error = vt_prepare(number);

	if (error)
		return error;
	spin_lock(&vt_lock);
	vts[number].in_use = true;
	spin_unlock(&vt_lock);
	vcs_make(number + 1);
	return 0;
}

/* Who opens it next finds the settings of the start, as on Linux. */
static void vt_closed(struct tty *tty)
{
	spin_lock(&vt_lock);
	vts[number_of(tty)].in_use = false;
	spin_unlock(&vt_lock);
	spin_lock(&tty->lock);
	if (!tty->opens) /* nobody came in between */
		line_set_first(&tty->line, IUTF8);
	tty_unlock(tty);
}

static ssize_t vt_driver_write(struct tty *tty, const char *bytes, size_t count, bool nonblocking)
{
	char reply[SCREEN_REPLY];
	unsigned length;

	if (vt_prepare(number_of(tty)))
		return -ENOMEM;
	length = vt_write(number_of(tty), bytes, count, reply);
	if (length)
		tty_receive(tty, (const uint8_t *)reply, length);
	return (ssize_t)count;
}

/* What the screen has to answer waits for the next write: tty->lock is held here. */
static void vt_driver_echo(struct tty *tty, const char *bytes, size_t count)
{
	vt_write(number_of(tty), bytes, count, NULL);
}

/* ---- Start ---- */

static const struct tty_driver vt_driver = {
	.open = vt_opened,
	.close = vt_closed,
	.write = vt_driver_write,
	.echo = vt_driver_echo,
	.ioctl = vt_ioctl,
};

static int register_vt(unsigned number)
{
	static const char *const names[VT_COUNT] = {"tty1", "tty2", "tty3", "tty4", "tty5", "tty6"};
	struct tty *tty = &vts[number].tty;
	int error;

	tty->driver = &vt_driver;
	tty->private = &vts[number];
	tty->name = names[number];
	error = tty_register(tty, device_number(TTY_MAJOR, number + 1), 0620);
	if (error)
		return error;
	spin_lock(&tty->lock);
	vt_geometry(&tty->size);
	tty->line.termios.c_iflag |= IUTF8;
	spin_unlock(&tty->lock);
	return 0;
}

/* /dev/tty0: whichever is shown. */
static int shown_open(struct file *file)
{
	return tty_open_file(file, &vts[vt_shown()].tty, TTY_OWN);
}

static int register_shown(void)
{
	static const struct file_operations operations = {
		.open = shown_open, .traits = FILE_STREAM};
	static struct device device = {.operations = &operations};

	device.number = device_number(TTY_MAJOR, 0);
	return devfs_add("tty0", S_IFCHR | 0620, &device);
}

int vt_init(const char *layout)
{
	int error = 0;

	vt_keyboard_init(layout);
	for (unsigned i = 0; !error && vt_has_screen() && i < VT_COUNT; i++)
		error = register_vt(i);
	if (!error && vt_has_screen())
		error = register_shown();
	if (!error && vt_has_screen())
		vcs_make(0);
	return error ? error : keyboard_ps2_init();
}
