/* SPDX-License-Identifier: MIT */
/*
 * The virtual terminals as terminals of programs (/dev/tty1 to tty6), their ioctls (man 2
 * ioctl_console), and the way of a key from the keyboard to one of them.
 *
 * A key goes to the terminal shown. Terminal 1 shows /dev/console as well: as long as nobody has
 * opened /dev/tty1, what is typed there is /dev/console's input.
 *
 * Not there: raw scan codes (K_RAW), fonts and keymaps set by programs: EINVAL, as Linux says to what a
 * console cannot do. Which terminal is shown: vt_switch.c.
 */
#include "devices/vt.h"

#include "devices/console_tty.h"
#include "devices/keyboard_ps2.h"
#include "devices/vt_switch.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "memory/user.h"
#include "power.h"
#include "process/credentials.h"
#include "process/current.h"

#include <asm/signal.h>
#include <linux/capability.h>
#include <linux/kd.h>
#include <linux/tiocl.h>
#include <linux/vt.h>

static struct keyboard keyboard guarded_by(vt_lock);
static void (*leds_function)(unsigned locks);

void vt_set_leds_function(void (*function)(unsigned locks))
{
	leds_function = function;
}

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
	return 0;
}

static void vt_closed(struct tty *tty)
{
	spin_lock(&vt_lock);
	vts[number_of(tty)].in_use = false;
	spin_unlock(&vt_lock);
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

/* ---- Keys ---- */

static struct keyboard_terms terms_of(const struct vt *vt)
{
	const struct screen *screen = &vt->screen;

	return (struct keyboard_terms){.mode = vt->mode,
		.cursor_keys = screen->cursor_keys,
		.keypad = screen->keypad,
		.newline = screen->newline,
		.no_repeat = screen->no_repeat};
}

static void type(unsigned number, bool in_use, const struct keys *keys)
{
	if (in_use)
		tty_receive(&vts[number].tty, keys->bytes, keys->count);
	else if (!number)
		(void)console_tty_receive(keys->bytes, keys->count);
}

static void act(const struct keys *keys, unsigned number, unsigned locks)
{
	switch (keys->action) {
	case KEYS_NOTHING:
		break;
	case KEYS_SWITCH:
		vt_switch(keys->argument - 1);
		break;
	case KEYS_PREVIOUS:
		vt_switch_next(number, VT_COUNT - 1);
		break;
	case KEYS_NEXT:
		vt_switch_next(number, 1);
		break;
	case KEYS_LOOK_BACK:
		vt_look(1);
		break;
	case KEYS_LOOK_FORWARD:
		vt_look(-1);
		break;
	case KEYS_REBOOT:
		machine_ctrl_alt_del();
		break;
	case KEYS_LOCKS:
		if (leds_function)
			leds_function(locks);
		break;
	}
}

void vt_key(unsigned code, enum key_event event)
{
	unsigned number = vt_shown(), locks;
	struct vt *vt = &vts[number];
	struct keyboard_terms terms;
	struct keys keys;
	bool in_use;

	spin_lock(&vt_lock);
	terms = terms_of(vt);
	keys = keyboard_key(&keyboard, code, event, &terms);
	locks = keyboard.locks;
	in_use = vt->in_use;
	spin_unlock(&vt_lock);
	if (keys.count)
		type(number, in_use, &keys);
	act(&keys, number, locks);
}

/* ---- ioctls ---- */

static bool may_change(const struct tty *tty)
{
	return capable(CAP_SYS_TTY_CONFIG) || (tty->session && tty->session == current_session());
}

static long put_int(int value, uintptr_t argument)
{
	return copy_to_user(user_pointer(argument), &value, sizeof(value));
}

static long put_byte(unsigned value, uintptr_t argument)
{
	uint8_t byte = (uint8_t)value;

	return copy_to_user(user_pointer(argument), &byte, 1);
}

static long get_state(uintptr_t argument)
{
	struct vt_stat state = {.v_active = (unsigned short)(vt_shown() + 1), .v_state = 1};

	spin_lock(&vt_lock);
	for (unsigned i = 0; i < VT_COUNT; i++)
		state.v_state |= (unsigned short)(vts[i].in_use << (i + 1));
	spin_unlock(&vt_lock);
	return copy_to_user(user_pointer(argument), &state, sizeof(state));
}

static long first_free(uintptr_t argument)
{
	int number = -1;

	spin_lock(&vt_lock);
	for (int i = VT_COUNT - 1; i >= 0; i--) {
		if (!vts[i].in_use)
			number = i + 1;
	}
	spin_unlock(&vt_lock);
	return put_int(number, argument);
}

/* VT_ ioctls; those that change something need the right to. */
static long vt_ioctl(struct tty *tty, unsigned command, uintptr_t argument)
{
	switch (command) {
	case VT_GETSTATE:
		return get_state(argument);
	case VT_OPENQRY:
		return first_free(argument);
	}
	return vt_switch_ioctl(tty->private, may_change(tty), command, argument);
}

static const int keyboard_modes[] = {[KEYBOARD_UNICODE] = K_UNICODE,
	[KEYBOARD_LATIN1] = K_XLATE,
	[KEYBOARD_CODES] = K_MEDIUMRAW,
	[KEYBOARD_OFF] = K_OFF};

static long set_keyboard_mode(struct vt *vt, uintptr_t mode)
{
	for (unsigned i = 0; i < ARRAY_SIZE(keyboard_modes); i++) {
		if ((uintptr_t)keyboard_modes[i] != mode)
			continue;
		spin_lock(&vt_lock);
		vt->mode = (enum keyboard_mode)i;
		spin_unlock(&vt_lock);
		return 0;
	}
	return -EINVAL;
}

static long set_drawing(struct vt *vt, uintptr_t mode)
{
	if (mode > KD_TEXT1)
		return -EINVAL;
	vt_set_graphics((unsigned)(vt - vts), mode == KD_GRAPHICS);
	return 0;
}

static unsigned keyboard_locks(void)
{
	unsigned locks;

	spin_lock(&vt_lock);
	locks = keyboard.locks;
	spin_unlock(&vt_lock);
	return locks;
}

/* KDGKBLED's bits have caps lock at 4 too, but scroll 1, num 2. */
static long kd_ioctl(struct tty *tty, unsigned command, uintptr_t argument)
{
	struct vt *vt = tty->private;

	switch (command) {
	case KDGETMODE:
		return put_int(vt->graphics ? KD_GRAPHICS : KD_TEXT, argument);
	case KDSETMODE:
		return may_change(tty) ? set_drawing(vt, argument) : -EPERM;
	case KDGKBMODE:
		return put_int(keyboard_modes[vt->mode], argument);
	case KDSKBMODE:
		return may_change(tty) ? set_keyboard_mode(vt, argument) : -EPERM;
	case KDGKBTYPE:
		return put_byte(KB_101, argument);
	case KDGKBMETA:
		return put_int(K_ESCPREFIX, argument);
	case KDGKBLED:
	case KDGETLED:
		return put_byte(keyboard_locks(), argument);
	case KIOCSOUND: /* there is nothing to be heard */
	case KDMKTONE:
		return may_change(tty) ? 0 : -EPERM;
	case PIO_FONT:
	case GIO_FONT:
	case PIO_FONTX:
	case GIO_FONTX:
	case KDFONTOP:
		return -EINVAL;
	}
	return -ENOTTY;
}

static long linux_ioctl(struct tty *tty, uintptr_t argument)
{
	uint8_t what;

	if (!may_change(tty))
		return -EPERM;
	if (copy_from_user(&what, user_pointer(argument), 1))
		return -EFAULT;
	if (what == TIOCL_GETFGCONSOLE)
		return vt_shown();
	return -EINVAL;
}

static long vt_driver_ioctl(struct tty *tty, unsigned command, uintptr_t argument)
{
	long result;

	if (command == TIOCLINUX)
		return linux_ioctl(tty, argument);
	result = vt_ioctl(tty, command, argument);
	return result == -ENOTTY ? kd_ioctl(tty, command, argument) : result;
}

/* ---- Start ---- */

static const struct tty_driver vt_driver = {
	.open = vt_opened,
	.close = vt_closed,
	.write = vt_driver_write,
	.echo = vt_driver_echo,
	.ioctl = vt_driver_ioctl,
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
	const struct keymap *map = layout ? keymap_find(layout) : &keymaps[0];
	int error = 0;

	if (!map)
		log_warn("keymap=%s: no such layout; us is taken", layout);
	spin_lock(&vt_lock);
	keyboard_init(&keyboard, map ? map : &keymaps[0]);
	spin_unlock(&vt_lock);
	for (unsigned i = 0; !error && vt_has_screen() && i < VT_COUNT; i++)
		error = register_vt(i);
	if (!error && vt_has_screen())
		error = register_shown();
	return error ? error : keyboard_ps2_init();
}
