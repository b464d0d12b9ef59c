/* SPDX-License-Identifier: MIT */
/*
 * What programs ask of virtual terminals (man 2 ioctl_console): which are in use, text or graphics, colours, the font,
 * the size. The keyboard: vt_keyboard.c and vt_keymap.c; switching: vt_switch.c.
 *
 * Not there: fonts set by programs (EINVAL, as Linux says to what a console cannot do), sizes other than the screen's,
 * selections of text (TIOCLINUX 2, 3, 5).
 */
#include "devices/vt_ioctl.h"

#include "devices/font.h"
#include "devices/vt.h"
#include "devices/vt_keyboard.h"
#include "devices/vt_switch.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/current.h"

#include <linux/capability.h>
#include <linux/kd.h>
#include <linux/tiocl.h>
#include <linux/vt.h>

static bool is_own(const struct tty *tty)
{
	return tty->session && tty->session == current_session();
}

static bool may_change(const struct tty *tty)
{
	return is_own(tty) || capable(CAP_SYS_TTY_CONFIG);
}

static long put_int(int value, uintptr_t argument)
{
	return copy_to_user(user_pointer(argument), &value, sizeof(value));
}

/* v_signal is not Linux's to write. */
static long get_state(uintptr_t argument)
{
	unsigned short active = (unsigned short)(vt_shown() + 1), state = 1;
	user_t user = user_pointer(argument);

	spin_lock(&vt_lock);
	for (unsigned i = 0; i < VT_COUNT; i++)
		state |= (unsigned short)(vts[i].in_use << (i + 1));
	spin_unlock(&vt_lock);
	if (copy_to_user(
		    user_offset(user, offsetof(struct vt_stat, v_active)), &active, sizeof(active)))
		return -EFAULT;
	return copy_to_user(
		user_offset(user, offsetof(struct vt_stat, v_state)), &state, sizeof(state));
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

static long set_drawing(struct vt *vt, uintptr_t mode)
{
	if (mode > KD_TEXT1)
		return -EINVAL;
	vt_set_graphics((unsigned)(vt - vts), mode == KD_GRAPHICS);
	return 0;
}

/* ---- Sizes ---- */

/* Linux does not say either that a console stays as it is. */
static long resize(size_t size, uintptr_t argument)
{
	struct vt_consize sizes;

	return copy_from_user(&sizes, user_pointer(argument), size) ? -EFAULT : 0;
}

/* ---- Colours and fonts ---- */

#define COLOURS 16u

static long get_colours(uintptr_t argument)
{
	uint8_t bytes[COLOURS * 3];

	spin_lock(&vt_lock);
	for (unsigned i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(screen_usual_palette[i / 3] >> (16 - 8 * (i % 3)));
	spin_unlock(&vt_lock);
	return copy_to_user(user_pointer(argument), bytes, sizeof(bytes));
}

static long set_colours(uintptr_t argument)
{
	uint8_t bytes[COLOURS * 3];
	uint32_t palette[COLOURS];

	if (copy_from_user(bytes, user_pointer(argument), sizeof(bytes)))
		return -EFAULT;
	for (unsigned i = 0; i < COLOURS; i++)
		palette[i] =
			(uint32_t)bytes[3 * i] << 16 | bytes[3 * i + 1] << 8 | bytes[3 * i + 2];
	vt_set_palette(palette);
	return 0;
}

/* The glyphs of the console's font, from where they are for ever. */
#define GLYPH_LINES 32u /* bytes a row that programs get, unless the font is higher */

static long copy_glyphs(const struct font *font, user_t to)
{
	size_t size = (size_t)font->row_bytes * font->height,
	       step = (size_t)font->row_bytes * GLYPH_LINES;

	for (unsigned i = 0; i < font->glyph_count; i++) {
		if (copy_to_user(user_offset(to, i * step), font->bitmaps + i * size, size) ||
			clear_user(user_offset(to, i * step + size), step - size))
			return -EFAULT;
	}
	return 0;
}

static long get_font(struct console_font_op *op, const struct font *font)
{
	if (op->data && (op->charcount < font->glyph_count || op->width < font->width ||
				op->height < font->height))
		return -ENOSPC;
	op->charcount = font->glyph_count;
	op->width = font->width;
	op->height = font->height;
	return op->data ? copy_glyphs(font, user_pointer((uintptr_t)op->data)) : 0;
}

static long font_ioctl(bool may, uintptr_t argument)
{
	const struct font *font = vt_font();
	struct console_font_op op;
	long error;

	if (copy_from_user(&op, user_pointer(argument), sizeof(op)))
		return -EFAULT;
	if (!may && op.op != KD_FONT_OP_GET)
		return -EPERM;
	if (op.op > KD_FONT_OP_COPY || op.op == KD_FONT_OP_COPY)
		return -ENOSYS;
	if (op.op != KD_FONT_OP_GET)
		return -EINVAL;
	error = get_font(&op, font);
	return error ? error : copy_to_user(user_pointer(argument), &op, sizeof(op));
}

static long get_map(uintptr_t argument)
{
	const struct font *font = vt_font();
	struct unimapdesc map;
	unsigned room;

	if (copy_from_user(&map, user_pointer(argument), sizeof(map)))
		return -EFAULT;
	room = map.entry_ct;
	map.entry_ct = font->map_count;
	for (unsigned i = 0; i < font->map_count && i < room; i++) {
		struct unipair pair = {font->map[i].character, font->map[i].glyph};

		if (copy_to_user(user_pointer((uintptr_t)(map.entries + i)), &pair, sizeof(pair)))
			return -EFAULT;
	}
	if (copy_to_user(user_pointer(argument), &map.entry_ct, sizeof(map.entry_ct)))
		return -EFAULT;
	return room < font->map_count ? -ENOMEM : 0;
}

/* More than 256 glyphs: the bit that the upper half has, in a console of VGA's kind. */
static long get_high_mask(uintptr_t argument)
{
	unsigned short mask = vt_font()->glyph_count > 256 ? 0x100 : 0;

	return copy_to_user(user_pointer(argument), &mask, sizeof(mask));
}

static long picture_ioctl(struct tty *tty, unsigned command, uintptr_t argument)
{
	bool may = may_change(tty);

	switch (command) {
	case GIO_CMAP:
		return get_colours(argument);
	case PIO_CMAP:
		return may ? set_colours(argument) : -EPERM;
	case KDFONTOP:
		return font_ioctl(may, argument);
	case GIO_UNIMAP:
		return get_map(argument);
	case PIO_UNIMAP:
	case PIO_UNIMAPCLR:
		return may ? -EINVAL : -EPERM;
	case VT_GETHIFONTMASK:
		return get_high_mask(argument);
	case VT_RESIZE:
		return may ? resize(sizeof(struct vt_sizes), argument) : -EPERM;
	case VT_RESIZEX:
		return may ? resize(sizeof(struct vt_consize), argument) : -EPERM;
	}
	return -ENOTTY;
}

/* ---- Others ---- */

static long kd_ioctl(struct tty *tty, unsigned command, uintptr_t argument)
{
	struct vt *vt = tty->private;

	switch (command) {
	case VT_GETSTATE:
		return get_state(argument);
	case VT_OPENQRY:
		return first_free(argument);
	case KDGETMODE:
		return put_int(vt->graphics ? KD_GRAPHICS : KD_TEXT, argument);
	case KDSETMODE:
		return may_change(tty) ? set_drawing(vt, argument) : -EPERM;
	case KIOCSOUND: /* there is nothing to be heard */
	case KDMKTONE:
		return may_change(tty) ? 0 : -EPERM;
	}
	return -ENOTTY;
}

static long put_byte(unsigned value, uintptr_t argument)
{
	uint8_t byte = (uint8_t)value;

	return copy_to_user(user_pointer(argument), &byte, 1);
}

/* The first byte says what is asked; an answer takes its place. */
static long linux_ioctl(const struct tty *tty, uintptr_t argument)
{
	uint8_t what;

	if (!is_own(tty) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&what, user_pointer(argument), 1))
		return -EFAULT;
	switch (what) {
	case TIOCL_GETSHIFTSTATE:
		return put_byte(vt_keyboard_modifiers(), argument);
	case TIOCL_GETMOUSEREPORTING:
		return put_byte(0, argument);
	case TIOCL_GETFGCONSOLE:
		return vt_shown();
	case TIOCL_UNBLANKSCREEN: /* it is never blanked */
	case TIOCL_BLANKEDSCREEN:
	case TIOCL_GETKMSGREDIRECT:
		return 0;
	}
	return -EINVAL;
}

long vt_ioctl(struct tty *tty, unsigned command, uintptr_t argument)
{
	long result;

	if (command == TIOCLINUX)
		return linux_ioctl(tty, argument);
	result = vt_switch_ioctl(tty->private, may_change(tty), command, argument);
	if (result == -ENOTTY)
		result = kd_ioctl(tty, command, argument);
	if (result == -ENOTTY)
		result = picture_ioctl(tty, command, argument);
	return result == -ENOTTY
		       ? vt_keyboard_ioctl(tty->private, may_change(tty), command, argument)
		       : result;
}
