/* SPDX-License-Identifier: MIT */
/*
 * What programs ask of the keyboard's tables (loadkeys, dumpkeys; man 2 ioctl_console): symbols, the strings of
 * function keys, compositions, scan codes.
 *
 * What a program changes is in memory of its own, made before vt_lock is taken and put in place under it: a table of
 * symbols is copied from the layout when the first of its symbols is changed.
 *
 * Locks: vt_lock guards vt_keys.
 */
#include "devices/vt.h"
#include "devices/vt_keyboard.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/credentials.h"

#include <linux/capability.h>
#include <linux/kd.h>
#include <linux/keyboard.h>

#define SCANCODES       128u
#define CHARACTER_LIMIT 0x10000u /* compositions are of characters below it */

/* ---- Symbols ---- */

static bool unicode_mode(struct vt *vt)
{
	bool unicode;

	spin_lock(&vt_lock);
	unicode = vt->keys.mode == KEYBOARD_UNICODE;
	spin_unlock(&vt_lock);
	return unicode;
}

static bool is_typed(unsigned symbol)
{
	return KTYP(symbol) < KEYBOARD_KINDS;
}

static long get_symbol(struct vt *vt, user_t user)
{
	struct kbentry entry;
	int symbol;
	bool unicode;

	if (copy_from_user(&entry, user, sizeof(entry)))
		return -EFAULT;
	spin_lock(&vt_lock);
	symbol = keyboard_symbol(&vt_keys, entry.kb_table, entry.kb_index);
	unicode = vt->keys.mode == KEYBOARD_UNICODE;
	spin_unlock(&vt_lock);
	if (symbol < 0)
		symbol = entry.kb_index ? K_HOLE : K_NOSUCHMAP;
	if (!unicode && !is_typed((unsigned)symbol))
		symbol = K_HOLE;
	entry.kb_value = (unsigned short)symbol;
	return copy_to_user(user, &entry, sizeof(entry));
}

/* The greatest value of each kind. */
static unsigned greatest(unsigned kind)
{
	static const uint8_t values[KEYBOARD_KINDS] = {[KT_LATIN] = 255,
		[KT_FN] = KEYBOARD_STRINGS - 1,
		[KT_SPEC] = KVAL(K_BARENUMLOCK),
		[KT_PAD] = NR_PAD - 1,
		[KT_DEAD] = NR_DEAD - 1,
		[KT_CONS] = 255,
		[KT_CUR] = 3,
		[KT_SHIFT] = NR_SHIFT - 1,
		[KT_META] = 255,
		[KT_ASCII] = NR_ASCII - 1,
		[KT_LOCK] = NR_LOCK - 1,
		[KT_LETTER] = 255,
		[KT_SLOCK] = NR_LOCK - 1,
		[KT_DEAD2] = 255,
		[KT_BRL] = NR_BRL - 1};

	return values[kind];
}

/* A table of its own for `table`; what is not needed of the two stays the caller's. */
static void own_table(unsigned table, struct keyboard_tables **tables, uint16_t **symbols) requires(
	vt_lock)
{
	uint16_t *made = *symbols;

	if (!vt_keys.tables) {
		vt_keys.tables = *tables;
		*tables = NULL;
	}
	if (vt_keys.tables->symbols[table] && vt_keys.tables->symbols[table] != keyboard_no_table)
		return;
	for (unsigned key = 0; key < KEYBOARD_KEYS; key++) {
		int symbol = keyboard_symbol(&vt_keys, table, key);

		made[key] = (uint16_t)(symbol >= 0 ? symbol : key ? K_HOLE : K_ALLOCATED);
	}
	vt_keys.tables->symbols[table] = made;
	*symbols = NULL;
}

enum change { SET_SYMBOL, REMOVE_TABLE };

static long change_table(const struct kbentry *entry, enum change change)
{
	struct keyboard_tables *tables = kzalloc(sizeof(*tables));
	uint16_t *symbols = kmalloc(KEYBOARD_KEYS * sizeof(*symbols));
	bool modifier;

	if (!tables || !symbols) {
		kfree(tables);
		kfree(symbols);
		return -ENOMEM;
	}
	spin_lock(&vt_lock);
	own_table(entry->kb_table, &tables, &symbols);
	if (change == REMOVE_TABLE) {
		kfree(symbols);
		symbols = vt_keys.tables->symbols[entry->kb_table];
		vt_keys.tables->symbols[entry->kb_table] = keyboard_no_table;
	} else {
		uint16_t *symbol = &vt_keys.tables->symbols[entry->kb_table][entry->kb_index];

		modifier = KTYP(*symbol) == KT_SHIFT || KTYP(entry->kb_value) == KT_SHIFT;
		*symbol = entry->kb_value;
		if (!entry->kb_table && modifier)
			keyboard_look(&vt_keys);
	}
	spin_unlock(&vt_lock);
	kfree(tables);
	kfree(symbols);
	return 0;
}

static int symbol_now(const struct kbentry *entry)
{
	int symbol;

	spin_lock(&vt_lock);
	symbol = keyboard_symbol(&vt_keys, entry->kb_table, entry->kb_index);
	spin_unlock(&vt_lock);
	return symbol;
}

static long set_symbol(struct vt *vt, user_t user)
{
	struct kbentry entry;
	int now;

	if (copy_from_user(&entry, user, sizeof(entry)))
		return -EFAULT;
	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	now = symbol_now(&entry);
	if (!entry.kb_index && entry.kb_value == K_NOSUCHMAP)
		return now < 0 ? 0 : change_table(&entry, REMOVE_TABLE);
	if (is_typed(entry.kb_value) ? KVAL(entry.kb_value) > greatest(KTYP(entry.kb_value))
				     : !unicode_mode(vt))
		return -EINVAL;
	if (!entry.kb_index || now == entry.kb_value)
		return 0;
	if ((now == K_SAK || entry.kb_value == K_SAK) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	return change_table(&entry, SET_SYMBOL);
}

/* ---- Strings ---- */

static long get_string(user_t user)
{
	struct kbsentry *entry = kzalloc(sizeof(*entry));
	const char *text;
	size_t length = 0;
	long error;

	if (!entry)
		return -ENOMEM;
	error = copy_from_user(&entry->kb_func, user, 1);
	if (!error) {
		spin_lock(&vt_lock);
		text = keyboard_string(&vt_keys, entry->kb_func);
		if (text)
			length = strlen(text);
		memcpy(entry->kb_string, text ? text : "", length + 1);
		spin_unlock(&vt_lock);
		error = copy_to_user(user_offset(user, offsetof(struct kbsentry, kb_string)),
			entry->kb_string, length + 1);
	}
	kfree(entry);
	return error;
}

/* Its place is `number`; text is the keyboard's from then on. */
static long put_string(unsigned number, char *text)
{
	struct keyboard_strings *strings = kzalloc(sizeof(*strings));
	char *old;

	if (!strings)
		return -ENOMEM;
	spin_lock(&vt_lock);
	if (!vt_keys.strings) {
		vt_keys.strings = strings;
		strings = NULL;
	}
	old = vt_keys.strings->text[number];
	vt_keys.strings->text[number] = text;
	spin_unlock(&vt_lock);
	kfree(strings);
	kfree(old);
	return 0;
}

static long set_string(user_t user)
{
	uint8_t number;
	char *text;
	long length, error;

	if (copy_from_user(&number, user, 1))
		return -EFAULT;
	if (!capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	text = kmalloc(KEYBOARD_STRING);
	if (!text)
		return -ENOMEM;
	length = copy_string_from_user(
		text, user_offset(user, offsetof(struct kbsentry, kb_string)), KEYBOARD_STRING);
	error = length == -ENAMETOOLONG ? -EINVAL : length < 0 ? length : put_string(number, text);
	if (error)
		kfree(text);
	return error;
}

/* ---- Compositions ---- */

static uint8_t latin1(unsigned character)
{
	return (uint8_t)(character < 0x100 ? character : 0xff);
}

static unsigned copy_compositions(struct kbdiacruc *to)
{
	unsigned count;

	spin_lock(&vt_lock);
	count = vt_keys.composition_count;
	for (unsigned i = 0; i < count; i++) {
		const struct composition *from = &vt_keys.compositions[i];

		to[i] = (struct kbdiacruc){from->first, from->second, from->result};
	}
	spin_unlock(&vt_lock);
	return count;
}

enum width { NARROW, WIDE }; /* KDGKBDIACR, KDGKBDIACRUC */

static long get_compositions(user_t user, enum width width)
{
	struct kbdiacrsuc *all = kmalloc(sizeof(*all));
	struct kbdiacrs *narrow = kmalloc(sizeof(*narrow));
	long error = -ENOMEM;

	if (all && narrow) {
		all->kb_cnt = narrow->kb_cnt = copy_compositions(all->kbdiacruc);
		for (unsigned i = 0; i < all->kb_cnt; i++) {
			const struct kbdiacruc *from = &all->kbdiacruc[i];

			narrow->kbdiacr[i] = (struct kbdiacr){
				latin1(from->diacr), latin1(from->base), latin1(from->result)};
		}
		error = width == WIDE ? copy_to_user(user, all,
						4 + all->kb_cnt * sizeof(struct kbdiacruc))
				      : copy_to_user(user, narrow,
						4 + narrow->kb_cnt * sizeof(struct kbdiacr));
	}
	kfree(all);
	kfree(narrow);
	return error;
}

/* The caller's, in memory of the keyboard's. */
static long read_compositions(user_t user, enum width width, unsigned count, struct composition *to)
{
	for (unsigned i = 0; i < count; i++) {
		struct kbdiacruc wide;
		struct kbdiacr narrow;

		if (width == WIDE) {
			if (copy_from_user(
				    &wide, user_offset(user, 4 + i * sizeof(wide)), sizeof(wide)))
				return -EFAULT;
		} else {
			if (copy_from_user(&narrow, user_offset(user, 4 + i * sizeof(narrow)),
				    sizeof(narrow)))
				return -EFAULT;
			wide = (struct kbdiacruc){narrow.diacr, narrow.base, narrow.result};
		}
		if ((wide.diacr | wide.base | wide.result) >= CHARACTER_LIMIT)
			return -EINVAL;
		to[i] = (struct composition){
			(uint16_t)wide.diacr, (uint16_t)wide.base, (uint16_t)wide.result};
	}
	return 0;
}

static long set_compositions(user_t user, enum width width)
{
	struct composition *made, *old = NULL;
	unsigned count;
	long error;

	if (copy_from_user(&count, user, sizeof(count)))
		return -EFAULT;
	if (count >= KEYBOARD_COMPOSITIONS)
		return -EINVAL;
	made = kmalloc(KEYBOARD_COMPOSITIONS * sizeof(*made));
	if (!made)
		return -ENOMEM;
	error = read_compositions(user, width, count, made);
	if (error) {
		kfree(made);
		return error;
	}
	spin_lock(&vt_lock);
	if (vt_keys.compositions != compositions)
		old = (struct composition *)(uintptr_t)vt_keys.compositions;
	vt_keys.compositions = made;
	vt_keys.composition_count = count;
	spin_unlock(&vt_lock);
	kfree(old);
	return 0;
}

/* ---- Scan codes ---- */

static int key_of(unsigned scan)
{
	struct scancodes state = {.extended = scan >= SCANCODES};
	bool up;

	if (scan >= 2 * SCANCODES)
		return -EINVAL;
	return (int)scancode_key(&state, scan & (SCANCODES - 1), &up);
}

/* They can be asked for, not changed. */
static long scan_ioctl(unsigned command, user_t user)
{
	struct kbkeycode entry;
	int key;

	if (copy_from_user(&entry, user, sizeof(entry)))
		return -EFAULT;
	if (command == KDSETKEYCODE && !capable(CAP_SYS_TTY_CONFIG))
		return -EPERM;
	key = key_of(entry.scancode);
	if (key < 0)
		return key;
	if (command == KDSETKEYCODE)
		return (unsigned)key == entry.keycode ? 0 : -EINVAL;
	entry.keycode = (unsigned)key;
	return copy_to_user(user, &entry, sizeof(entry));
}

/* -ENOTTY: it is about something else. */
long vt_keymap_ioctl(struct vt *vt, bool may, unsigned command, uintptr_t argument)
{
	user_t user = user_pointer(argument);

	switch (command) {
	case KDGKBENT:
		return get_symbol(vt, user);
	case KDSKBENT:
		return set_symbol(vt, user);
	case KDGKBSENT:
		return get_string(user);
	case KDSKBSENT:
		return set_string(user);
	case KDGKBDIACR:
		return get_compositions(user, NARROW);
	case KDGKBDIACRUC:
		return get_compositions(user, WIDE);
	case KDSKBDIACR:
		return may ? set_compositions(user, NARROW) : -EPERM;
	case KDSKBDIACRUC:
		return may ? set_compositions(user, WIDE) : -EPERM;
	case KDGETKEYCODE:
	case KDSETKEYCODE:
		return scan_ioctl(command, user);
	}
	return -ENOTTY;
}
