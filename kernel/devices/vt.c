/* SPDX-License-Identifier: MIT */
/*
 * The screens of the virtual terminals, one of which is shown. Terminal 1 is the log's and
 * /dev/console's too; it is there from the first lines of the log on. The others' screens are made
 * when they are first opened. Terminals are numbered from 0 here, from 1 for programs.
 *
 * What is written goes into the model in pieces of bounded work (SCREEN_WORK), and what is painted follows at
 * once, by whoever has written, a row at a time: vt_lock, and with it the interrupts, is let go in between. So somebody else may write in between; his rows are
 * painted by him or by the one who is at it. The painter compares with what is shown, so showing
 * another terminal paints only what differs between the two.
 *
 * Locks: vt_lock guards all screens, which of them is shown, the painter and the keyboard's state.
 * It comes after the log's lock (console_write) and a terminal's (echo); nothing is taken under it.
 * A panic does not take it.
 */
#include "devices/vt.h"

#include "devices/console.h"
#include "devices/framebuffer.h"
#include "devices/painter.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/string.h"
#include "memory/slab.h"

#define HISTORY       200u /* lines */
#define HISTORY_FIRST 1u   /* until a program may scroll it: a screen then takes half the memory */

struct vt vts[VT_COUNT];
struct spinlock vt_lock = SPINLOCK_INIT;

static struct painter painter guarded_by(vt_lock);
static unsigned shown guarded_by(vt_lock);
static bool drawn_over guarded_by(vt_lock);
static unsigned columns, rows; /* 0: there is no framebuffer; set once */

static void lock_vt(void) acquires(vt_lock) no_lock_checks
{
	if (!log_panicking())
		spin_lock(&vt_lock);
}

static void unlock_vt(void) releases(vt_lock) no_lock_checks
{
	if (!log_panicking())
		spin_unlock(&vt_lock);
}

bool vt_has_screen(void)
{
	return columns;
}

unsigned vt_shown(void)
{
	unsigned number;

	lock_vt();
	number = shown;
	unlock_vt();
	return number;
}

void vt_geometry(struct winsize *size)
{
	*size = (struct winsize){.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
}

/* Without vt_lock. Ends when nothing is left, or when others have written so much meanwhile that they are
 * painting as well. */
void vt_paint(unsigned number)
{
	struct vt *vt = &vts[number];
	bool more = true;

	for (unsigned steps = 0; more && steps < 3 * rows; steps++) {
		lock_vt();
		more = number == shown && vt->memory && !vt->graphics &&
		       painter_step(&painter, &vt->screen);
		unlock_vt();
	}
}

int vt_prepare(unsigned number)
{
	struct vt *vt = &vts[number];
	void *memory = NULL;
	bool there;

	lock_vt();
	there = vt->memory;
	unlock_vt();
	if (there)
		return 0;
	memory = kmalloc(screen_memory(columns, rows, HISTORY_FIRST));
	if (!memory)
		return -ENOMEM;
	lock_vt();
	if (!vt->memory) {
		vt->memory = memory;
		screen_init(&vt->screen, memory, columns, rows, HISTORY_FIRST);
		memory = NULL;
	}
	unlock_vt();
	kfree(memory);
	return 0;
}

/* Takes the screen of a terminal that nobody has open, but not the first one's, the console's. */
static int take_unused(unsigned number, void **memory)
{
	struct vt *vt = &vts[number];
	bool busy;

	lock_vt();
	busy = vt->in_use || number == shown;
	if (!busy && number) {
		*memory = vt->memory;
		vt->memory = NULL;
	}
	unlock_vt();
	return busy ? -EBUSY : 0;
}

int vt_discard(unsigned number)
{
	unsigned first = number ? number - 1 : 0, end = number ? number : VT_COUNT;
	int error = 0;

	for (unsigned i = first; i < end && i < VT_COUNT; i++) {
		void *memory = NULL;

		error = take_unused(i, &memory);
		kfree(memory);
	}
	return number ? error : 0;
}

/* Has it the short history still, and may these bytes scroll it? */
static bool may_scroll(const struct vt *vt, const char *bytes, size_t count) requires(vt_lock)
{
	size_t lines;

	if (!vt->memory || vt->screen.history_size >= HISTORY)
		return false;
	lines = 1 + count / columns;
	for (size_t i = 0; i < count; i++)
		lines += bytes[i] == '\n';
	return vt->screen.pen.y + lines > rows;
}

/* Gives a terminal the whole history. Without memory it stays as it is. */
static void grow_history(struct vt *vt)
{
	void *memory = kmalloc(screen_memory(columns, rows, HISTORY)), *old = memory;

	if (!memory)
		return;
	lock_vt();
	if (vt->memory && vt->screen.history_size < HISTORY) {
		screen_grow(&vt->screen, memory, HISTORY);
		old = vt->memory;
		vt->memory = memory;
	}
	unlock_vt();
	kfree(old);
}

/* Somebody else's bytes may come between two pieces: each writer's sequences are his own matter, as they
 * are between two writes. */
static void write_model(struct vt *vt, const char *bytes, size_t count)
{
	for (size_t done = 0; done < count;) {
		lock_vt();
		done = vt->memory
			       ? done + screen_write_some(&vt->screen, bytes + done, count - done)
			       : count;
		unlock_vt();
	}
}

unsigned vt_write(unsigned number, const char *bytes, size_t count, char *reply)
{
	struct vt *vt = &vts[number];
	unsigned length = 0;
	bool scrolls;

	if (reply) { /* echo, which has none, cannot take memory */
		lock_vt();
		scrolls = may_scroll(vt, bytes, count);
		unlock_vt();
		if (scrolls)
			grow_history(vt);
	}
	write_model(vt, bytes, count);
	lock_vt();
	if (vt->memory && reply) {
		length = vt->screen.reply_length;
		memcpy(reply, vt->screen.reply, length);
		vt->screen.reply_length = 0;
	}
	unlock_vt();
	vt_paint(number);
	return length;
}

/* All of it may differ, the palette too. */
static void show_afresh(unsigned number) requires(vt_lock)
{
	struct screen *screen = &vts[number].screen;

	screen->palette_changed = true;
	screen_touch_all(screen);
}

bool vt_show(unsigned number)
{
	bool there;

	lock_vt();
	there = number < VT_COUNT && vts[number].memory;
	if (there && number != shown) {
		if (drawn_over && !vts[number].graphics) {
			painter_clear(&painter, &vts[number].screen);
			drawn_over = false;
		}
		shown = number;
		show_afresh(number);
	}
	unlock_vt();
	if (there)
		vt_paint(number);
	return there;
}

void vt_drawn_over(void)
{
	lock_vt();
	drawn_over = true;
	unlock_vt();
}

void vt_look(int screens_halved)
{
	unsigned number;

	lock_vt();
	number = shown;
	if (vts[number].memory && !vts[number].graphics)
		screen_look(&vts[number].screen, screens_halved * (int)(rows + 1) / 2);
	unlock_vt();
	vt_paint(number);
}

void vt_set_graphics(unsigned number, bool graphics)
{
	struct vt *vt = &vts[number];

	lock_vt();
	if (vt->memory && vt->graphics != graphics) {
		vt->graphics = graphics;
		if (!graphics && number == shown)
			painter_clear(&painter, &vt->screen);
		if (!graphics)
			show_afresh(number);
	}
	unlock_vt();
	vt_paint(number);
}

static void reset_palette(struct screen *screen) requires(vt_lock)
{
	screen_reset_palette(screen);
	screen_touch_all(screen);
}

void vt_set_palette(const uint32_t palette[16])
{
	lock_vt();
	memcpy(screen_usual_palette, palette, sizeof(screen_usual_palette));
	for (unsigned i = 0; i < VT_COUNT; i++) {
		if (vts[i].memory)
			reset_palette(&vts[i].screen);
	}
	unlock_vt();
	vt_paint(vt_shown());
}

const struct font *vt_font(void) no_lock_checks
{
	return painter.font; /* set once */
}

/* ---- The console ---- */

/* The log's lock is held: painting comes after it. */
static void console_bytes(struct console *console, const char *bytes, size_t count)
{
	write_model(&vts[0], bytes, count);
}

static void console_settle(struct console *console)
{
	vt_paint(0);
}

static void set_colour(struct console *console, enum console_colour colour)
{
	static const int foregrounds[] = {
		[CONSOLE_NORMAL] = -1, [CONSOLE_DIM] = 8, [CONSOLE_YELLOW] = 11, [CONSOLE_RED] = 9};

	lock_vt();
	screen_override(&vts[0].screen, foregrounds[colour]);
	unlock_vt();
}

static bool console_fresh(struct console *console)
{
	bool fresh;

	lock_vt();
	fresh = vts[0].screen.pen.x == 0;
	unlock_vt();
	return fresh;
}

int vt_console_init(const struct handoff_framebuffer *fb, const char *font)
{
	static struct console console = {.name = "tty0",
		.write = console_bytes,
		.settle = console_settle,
		.colour = set_colour,
		.fresh = console_fresh};
	struct painter target;
	int error = framebuffer_init(fb, font, &target);

	if (error)
		return error;
	columns = target.width / target.font->width;
	rows = target.height / target.font->height;
	error = vt_prepare(0);
	if (!error) {
		target.painted = kmalloc(sizeof(struct cell) * columns * rows);
		error = target.painted ? 0 : -ENOMEM;
	}
	if (error) {
		kfree(vts[0].memory);
		vts[0].memory = NULL;
		columns = rows = 0;
		return error;
	}
	lock_vt();
	painter = target;
	painter_clear(&painter, &vts[0].screen);
	unlock_vt();
	console_register(&console);
	return 0;
}
