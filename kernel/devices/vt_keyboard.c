/* SPDX-License-Identifier: MIT */
/*
 * The way of a key from the keyboard to a virtual terminal, and what programs ask of the keyboard (man 2
 * ioctl_console): its mode, locks, LEDs. The tables: vt_keymap.c.
 *
 * A key goes to the terminal shown. Terminal 1 shows /dev/console as well: as long as nobody has
 * opened /dev/tty1, what is typed there is /dev/console's input.
 *
 * Locks: vt_lock guards the keyboard, the terminals' `keys` and who hears of KeyboardSignal.
 */
#include "devices/vt_keyboard.h"

#include "devices/console_tty.h"
#include "devices/keyboard_ps2.h"
#include "devices/vt.h"
#include "devices/vt_switch.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "memory/user.h"
#include "power.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/pid.h"
#include "process/signal.h"

#include <asm/signal.h>
#include <linux/capability.h>
#include <linux/kd.h>

#define LEDS         (LOCK_SCROLL | LOCK_NUM | LOCK_CAPS)
#define DEFAULT_LEDS 4 /* KDGKBLED's bits from here on */

struct keyboard vt_keys guarded_by(vt_lock);
static void (*leds_function)(unsigned locks);
static struct pid *listener guarded_by(vt_lock); /* KDSIGACCEPT */
static int listener_signal guarded_by(vt_lock);

void vt_set_leds_function(void (*function)(unsigned locks))
{
	leds_function = function;
}

void vt_keyboard_init(const char *layout)
{
	const struct keymap *map = layout ? keymap_find(layout) : &keymaps[0];

	if (!map)
		log_warn("keymap=%s: no such layout; us is taken", layout);
	spin_lock(&vt_lock);
	keyboard_init(&vt_keys, map ? map : &keymaps[0]);
	spin_unlock(&vt_lock);
}

void vt_keyboard_show_leds(void)
{
	unsigned number = vt_shown(), leds;

	spin_lock(&vt_lock);
	leds = keyboard_leds(&vts[number].keys);
	spin_unlock(&vt_lock);
	if (leds_function)
		leds_function(leds);
}

unsigned vt_keyboard_modifiers(void)
{
	unsigned modifiers;

	spin_lock(&vt_lock);
	modifiers = vt_keys.modifiers;
	spin_unlock(&vt_lock);
	return modifiers;
}

/* ---- Keys ---- */

static struct keyboard_terms terms_of(const struct vt *vt)
{
	const struct screen *screen = &vt->screen;

	return (struct keyboard_terms){.cursor_keys = screen->cursor_keys,
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

/* Scroll Lock: the terminal's output is stopped, or goes on. */
static void hold(unsigned number)
{
	bool held = tty_toggle_flow(&vts[number].tty);

	spin_lock(&vt_lock);
	vts[number].keys.locks &= (uint8_t)~LOCK_SCROLL;
	vts[number].keys.locks |= held ? LOCK_SCROLL : 0;
	spin_unlock(&vt_lock);
	vt_keyboard_show_leds();
}

static void tell_listener(void)
{
	struct pid *pid;
	int signal;

	spin_lock(&vt_lock);
	pid = listener;
	signal = listener_signal;
	if (pid)
		pid_get(pid);
	spin_unlock(&vt_lock);
	if (!pid)
		return;
	spin_lock(&process_lock);
	if (pid->process)
		signal_send_kernel(pid->process, signal);
	spin_unlock(&process_lock);
	pid_put(pid);
}

static void act(const struct keys *keys, unsigned number)
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
	case KEYS_LAST:
		vt_switch_last();
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
		vt_keyboard_show_leds();
		break;
	case KEYS_HOLD:
		hold(number);
		break;
	case KEYS_BREAK:
		tty_receive_bad(&vts[number].tty, LINE_BREAK, 0);
		break;
	case KEYS_SIGNAL:
		tell_listener();
		break;
	}
}

void vt_key(unsigned code, enum key_event event)
{
	unsigned number = vt_shown();
	struct vt *vt = &vts[number];
	struct keyboard_terms terms;
	struct keys keys;
	bool in_use;

	spin_lock(&vt_lock);
	terms = terms_of(vt);
	keyboard_key(&vt_keys, code, event, &vt->keys, &terms, &keys);
	in_use = vt->in_use;
	spin_unlock(&vt_lock);
	if (keys.count)
		type(number, in_use, &keys);
	if (in_use || (keys.action != KEYS_HOLD && keys.action != KEYS_BREAK))
		act(&keys, number);
}

/* ---- Modes, locks, LEDs ---- */

static const int modes[] = {[KEYBOARD_UNICODE] = K_UNICODE,
	[KEYBOARD_LATIN1] = K_XLATE,
	[KEYBOARD_CODES] = K_MEDIUMRAW,
	[KEYBOARD_RAW] = K_RAW,
	[KEYBOARD_OFF] = K_OFF};

static long set_mode(struct vt *vt, uintptr_t mode)
{
	for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
		if ((unsigned)modes[i] != (unsigned)mode)
			continue;
		spin_lock(&vt_lock);
		vt->keys.mode = (enum keyboard_mode)i;
		if (i == KEYBOARD_UNICODE || i == KEYBOARD_LATIN1)
			keyboard_look(&vt_keys);
		spin_unlock(&vt_lock);
		return 0;
	}
	return -EINVAL;
}

static long set_meta(struct vt *vt, uintptr_t mode)
{
	if ((unsigned)mode != K_METABIT && (unsigned)mode != K_ESCPREFIX)
		return -EINVAL;
	spin_lock(&vt_lock);
	vt->keys.meta_bit = mode == K_METABIT;
	spin_unlock(&vt_lock);
	return 0;
}

static long set_locks(struct vt *vt, uintptr_t locks)
{
	if (locks & ~(uintptr_t)(LEDS | LEDS << DEFAULT_LEDS))
		return -EINVAL;
	spin_lock(&vt_lock);
	vt->keys.locks = locks & LEDS;
	vt->keys.default_locks = locks >> DEFAULT_LEDS & LEDS;
	spin_unlock(&vt_lock);
	vt_keyboard_show_leds();
	return 0;
}

/* More than the LEDs there are: they show the locks again. */
static long set_leds(struct vt *vt, uintptr_t leds)
{
	spin_lock(&vt_lock);
	vt->keys.own_leds = !(leds & ~(uintptr_t)LEDS);
	vt->keys.leds = leds & LEDS;
	spin_unlock(&vt_lock);
	vt_keyboard_show_leds();
	return 0;
}

static struct keyboard_terminal state_of(struct vt *vt)
{
	struct keyboard_terminal state;

	spin_lock(&vt_lock);
	state = vt->keys;
	spin_unlock(&vt_lock);
	return state;
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

/* -ENOTTY: it is about something else. */
static long state_ioctl(struct vt *vt, bool may, unsigned command, uintptr_t argument)
{
	struct keyboard_terminal state = state_of(vt);

	switch (command) {
	case KDGKBTYPE:
		return put_byte(KB_101, argument);
	case KDGKBMODE:
		return put_int(modes[state.mode], argument);
	case KDSKBMODE:
		return may ? set_mode(vt, argument) : -EPERM;
	case KDGKBMETA:
		return put_int(state.meta_bit ? K_METABIT : K_ESCPREFIX, argument);
	case KDSKBMETA:
		return may ? set_meta(vt, argument) : -EPERM;
	case KDGKBLED:
		return put_byte(state.locks | state.default_locks << DEFAULT_LEDS, argument);
	case KDSKBLED:
		return may ? set_locks(vt, argument) : -EPERM;
	case KDGETLED:
		return put_byte(keyboard_leds(&state), argument);
	case KDSETLED:
		return may ? set_leds(vt, argument) : -EPERM;
	}
	return -ENOTTY;
}

/* ---- Signals ---- */

static long listen(bool may, uintptr_t signal)
{
	struct pid *pid = current_process()->pid, *old;

	if (!may || !capable(CAP_KILL))
		return -EPERM;
	if (!signal || signal > SIGNALS || signal == SIGKILL)
		return -EINVAL;
	pid_get(pid);
	spin_lock(&vt_lock);
	old = listener;
	listener = pid;
	listener_signal = (int)signal;
	spin_unlock(&vt_lock);
	if (old)
		pid_put(old);
	return 0;
}

long vt_keyboard_ioctl(struct vt *vt, bool may, unsigned command, uintptr_t argument)
{
	long result = state_ioctl(vt, may, command, argument);

	if (command == KDSIGACCEPT)
		return listen(may, argument);
	return result == -ENOTTY ? vt_keymap_ioctl(vt, may, command, argument) : result;
}
