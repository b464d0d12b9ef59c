/* SPDX-License-Identifier: MIT */
/*
 * What stands on the virtual terminals, as files (man 4 vcs): /dev/vcs the glyphs' numbers of the terminal shown, a byte
 * each, /dev/vcsa two bytes each, glyph and attributes, after four that say rows, columns and where the cursor is,
 * /dev/vcsu four bytes, the character; with a number those of that terminal. Attributes are VGA's; a glyph's ninth bit
 * stands below them (VT_GETHIFONTMASK), since the font has more than 256.
 *
 * Those of a terminal are made when it is first opened. Reading and writing go by pieces: vt_lock is held for one, so a screen that changes may be seen in between. Not
 * there: poll tells of no change (always readable).
 */
#include "devices/vcs.h"

#include "devices/font.h"
#include "devices/vt.h"
#include "files/devfs.h"
#include "files/io.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/user.h"

#include <linux/major.h>

#define HEAD  4u   /* bytes before vcsa's cells */
#define PIECE 256u /* bytes at a time; a multiple of each cell's */

/* The order of their minor numbers, 64 apart. */
enum kind { GLYPHS, CHARACTERS, ATTRIBUTES, KINDS };
#define MINORS 64u

struct vcs {
	struct device device;
	unsigned number; /* of the terminal, from 1; 0: the one shown */
	enum kind kind;
};

static unsigned cell_size(enum kind kind)
{
	return kind == CHARACTERS ? 4 : kind == ATTRIBUTES ? 2 : 1;
}

static unsigned terminal_of(const struct vcs *vcs)
{
	return vcs->number ? vcs->number - 1 : vt_shown();
}

/* ---- Cells and bytes ---- */

/* One of the 256 colours as one of VGA's 16: their own, or by what is bright in it. */
static unsigned vga_colour(unsigned colour)
{
	static const uint8_t order[8] = {0, 4, 2, 6, 1, 5, 3, 7};
	unsigned red, green, blue, most;

	if (colour < 16)
		return order[colour & 7] | (colour & 8);
	if (colour >= 232)
		return colour >= 250 ? 15 : colour >= 241 ? 7 : colour >= 235 ? 8 : 0;
	red = (colour - 16) / 36;
	green = (colour - 16) / 6 % 6;
	blue = (colour - 16) % 6;
	most = red > green ? red : green;
	most = most > blue ? most : blue;
	if (!most)
		return 0;
	return (red * 2 > most ? 4u : 0) | (green * 2 > most ? 2u : 0) |
	       (blue * 2 > most ? 1u : 0) | (most > 3 ? 8u : 0);
}

static uint16_t word_of(const struct cell *cell)
{
	const struct font *font = vt_font();
	unsigned glyph = font_glyph(font, cell->character);
	unsigned attributes = vga_colour(cell->background) << 4 | vga_colour(cell->foreground);

	return (uint16_t)(font->glyph_count > 256 ? attributes << 9 | (glyph & 0x1ff)
						  : attributes << 8 | (glyph & 0xff));
}

static uint16_t character_of(unsigned glyph)
{
	const struct font *font = vt_font();

	if (font_glyph(font, glyph) == glyph && glyph >= ' ' && glyph < 0x7f)
		return (uint16_t)glyph;
	for (unsigned i = 0; i < font->map_count; i++) {
		if (font->map[i].glyph == glyph)
			return font->map[i].character;
	}
	return ' ';
}

static void set_word(struct cell *cell, unsigned word)
{
	static const uint8_t order[8] = {0, 4, 2, 6, 1, 5, 3, 7};
	bool wide = vt_font()->glyph_count > 256;
	unsigned attributes = word >> (wide ? 9 : 8);

	cell->character = character_of(word & (wide ? 0x1ff : 0xff));
	cell->foreground = order[attributes & 7] | (attributes & 8);
	cell->background = order[attributes >> 4 & 7] | (attributes >> 4 & 8);
}

/* ---- Pieces ---- */

static size_t size_of(const struct screen *screen, enum kind kind)
{
	return (size_t)screen->rows * screen->columns * cell_size(kind) +
	       (kind == ATTRIBUTES ? HEAD : 0);
}

static uint8_t least(unsigned value)
{
	return (uint8_t)(value < 255 ? value : 255);
}

static struct cell *cell_at(const struct screen *screen, size_t index)
{
	return screen_own_cell(
		screen, (unsigned)(index % screen->columns), (unsigned)(index / screen->columns));
}

/* The bytes of vcsa's head, or of a cell. */
static void bytes_at(const struct screen *screen, enum kind kind, size_t at, uint8_t bytes[HEAD])
{
	const struct cell *cell;
	size_t index = (at - (kind == ATTRIBUTES ? HEAD : 0)) / cell_size(kind);
	uint32_t value;

	if (kind == ATTRIBUTES && at < HEAD) {
		bytes[0] = least(screen->rows);
		bytes[1] = least(screen->columns);
		bytes[2] = least(screen->pen.x);
		bytes[3] = least(screen->pen.y);
		return;
	}
	cell = cell_at(screen, index);
	value = kind == CHARACTERS ? cell->character : word_of(cell);
	memcpy(bytes, &value, HEAD);
}

/* Where the unit begins that the byte at `at` is in, and how long it is. */
static size_t unit_of(enum kind kind, size_t at, unsigned *size)
{
	size_t head = kind == ATTRIBUTES ? HEAD : 0;

	*size = at < head ? HEAD : cell_size(kind);
	return at < head ? 0 : at - (at - head) % *size;
}

static size_t get_piece(unsigned number, enum kind kind, size_t at, uint8_t *to, size_t count)
{
	const struct screen *screen = &vts[number].screen;
	size_t done = 0;

	spin_lock(&vt_lock);
	while (done < count && vts[number].memory && at < size_of(screen, kind)) {
		uint8_t bytes[HEAD];
		unsigned size;
		size_t first = unit_of(kind, at, &size);

		bytes_at(screen, kind, first, bytes);
		while (done < count && at < first + size)
			to[done++] = bytes[at++ - first];
	}
	spin_unlock(&vt_lock);
	return done;
}

static void put_byte(struct screen *screen, enum kind kind, size_t at, uint8_t byte)
{
	unsigned size;
	size_t first = unit_of(kind, at, &size), index;
	uint8_t bytes[HEAD];
	struct cell *cell;
	uint16_t word;

	bytes_at(screen, kind, first, bytes);
	bytes[at - first] = byte;
	if (kind == ATTRIBUTES && at < HEAD) {
		screen_move_to(screen, bytes[2], bytes[3]);
		return;
	}
	index = (first - (kind == ATTRIBUTES ? HEAD : 0)) / size;
	cell = cell_at(screen, index);
	if (kind == GLYPHS) {
		cell->character = character_of(byte);
		return;
	}
	memcpy(&word, bytes, sizeof(word));
	set_word(cell, word);
}

static size_t put_piece(
	unsigned number, enum kind kind, size_t at, const uint8_t *from, size_t count)
{
	struct screen *screen = &vts[number].screen;
	size_t done = 0;

	spin_lock(&vt_lock);
	for (; done < count && vts[number].memory && at + done < size_of(screen, kind); done++)
		put_byte(screen, kind, at + done, from[done]);
	if (done)
		screen_touch_all(screen);
	spin_unlock(&vt_lock);
	vt_paint(number);
	return done;
}

/* ---- Files ---- */

static int vcs_open(struct file *file)
{
	const struct vcs *vcs = file->private;
	bool there;

	spin_lock(&vt_lock);
	there = !vcs->number || vts[vcs->number - 1].memory;
	spin_unlock(&vt_lock);
	return there ? 0 : -ENXIO;
}

static bool is_whole(const struct vcs *vcs, int64_t position, size_t count)
{
	return vcs->kind != CHARACTERS || !((uint64_t)position % 4 || count % 4);
}

static ssize_t vcs_read(struct file *file, struct io *io, int64_t *position)
{
	const struct vcs *vcs = file->private;
	unsigned number = terminal_of(vcs);
	uint8_t bytes[PIECE];
	size_t done = 0, count, moved;

	if (!is_whole(vcs, *position, io->left))
		return -EINVAL;
	while (io->left && !io_failed(io)) {
		count = get_piece(number, vcs->kind, (size_t)*position, bytes,
			io->left < PIECE ? io->left : PIECE);
		if (!count)
			break;
		moved = io_put(io, bytes, count);
		done += moved;
		*position += (int64_t)moved;
	}
	return io_result(io, done, 0);
}

static ssize_t vcs_write(struct file *file, struct io *io, int64_t *position)
{
	const struct vcs *vcs = file->private;
	unsigned number = terminal_of(vcs);
	uint8_t bytes[PIECE];
	size_t done = 0, count, moved;

	if (vcs->kind == CHARACTERS)
		return -EOPNOTSUPP;
	while (io->left && !io_failed(io)) {
		count = io_get(io, bytes, io->left < PIECE ? io->left : PIECE);
		moved = put_piece(number, vcs->kind, (size_t)*position, bytes, count);
		done += moved;
		*position += (int64_t)moved;
		if (moved < count || !count)
			break;
	}
	return io_result(io, done, 0);
}

static int64_t vcs_seek(struct file *file, int64_t offset, int whence)
{
	const struct vcs *vcs = file->private;
	unsigned number = terminal_of(vcs);
	int64_t size, base;

	spin_lock(&vt_lock);
	size = (int64_t)size_of(&vts[number].screen, vcs->kind);
	spin_unlock(&vt_lock);
	base = whence == SEEK_SET   ? 0
	       : whence == SEEK_CUR ? file->position
	       : whence == SEEK_END ? size
				    : -1;
	if (base < 0 || offset < -base || offset > size - base)
		return -EINVAL;
	return file->position = base + offset;
}

static const struct file_operations vcs_operations = {
	.open = vcs_open,
	.read = vcs_read,
	.write = vcs_write,
	.seek = vcs_seek,
};

static int make_node(unsigned number, enum kind kind)
{
	static const char *const names[KINDS] = {"vcs", "vcsu", "vcsa"};
	static struct vcs files[VT_COUNT + 1][KINDS];
	struct vcs *vcs = &files[number][kind];
	char name[8];

	format(name, sizeof(name), number ? "%s%u" : "%s", names[kind], number);
	*vcs = (struct vcs){.number = number, .kind = kind};
	vcs->device.operations = &vcs_operations;
	vcs->device.driver = vcs;
	vcs->device.number = device_number(VCS_MAJOR, kind * MINORS + number);
	return devfs_add(name, S_IFCHR | 0600, &vcs->device);
}

void vcs_make(unsigned number)
{
	static bool made[VT_COUNT + 1];

	if (__atomic_exchange_n(&made[number], true, __ATOMIC_RELAXED))
		return;
	for (unsigned kind = 0; kind < KINDS; kind++) {
		int error = make_node(number, (enum kind)kind);

		if (error)
			log_warn("vcs: terminal %u: error %d", number, -error);
	}
}
