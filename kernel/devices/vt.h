/* SPDX-License-Identifier: MIT */
/* Virtual terminals: several screens and one keyboard. See vt.c and vt_tty.c. */
#ifndef DEVICES_VT_H
#define DEVICES_VT_H

#include "devices/keyboard.h"
#include "devices/screen.h"
#include "devices/tty.h"
#include "lib/types.h"

#include <linux/vt.h>

#define VT_COUNT 6u

struct handoff_framebuffer;

/* Makes the framebuffer a console, on terminal 1: maps it, clears it, shows the log so far. font: small,
 * large, or (NULL) what its width asks for. Needs kmalloc. -ENODEV: there is none. -EINVAL: its description is wrong (a log line says how). -ENOMEM. */
int vt_console_init(const struct handoff_framebuffer *fb, const char *font) MUST_CHECK;
/* /dev/tty1 to tty6 if there is a screen, and the keyboard with this layout (NULL: us). */
int vt_init(const char *layout) MUST_CHECK;

/* The input layer: key `code` (Linux's number) of any keyboard. Any context, no locks held. */
void vt_key(unsigned code, enum key_event event);
/* Where keyboards hear of locks that changed: bits of enum keyboard_lock. Called without locks. */
void vt_set_leds_function(void (*function)(unsigned locks));

/* A program has drawn on the screen by itself: the next terminal to be shown is painted anew. */
void vt_drawn_over(void);

/* ---- Between vt.c, vt_tty.c and vt_switch.c ---- */

struct pid;

struct vt {
	struct tty tty;
	/* under vt_lock: */
	struct screen screen;
	void *memory;  /* of the screen; NULL: there is none yet */
	bool in_use;   /* somebody has opened its node */
	bool graphics; /* a program draws by itself: nothing is painted */
	struct keyboard_terminal keys;
	struct vt_mode switching; /* as VT_SETMODE's caller has it; vt_switch.c */
	struct pid *controller;   /* that caller, a reference; NULL: none */
	unsigned wanted;          /* the terminal that it was asked to leave for, from 1; 0: none */
};

extern struct vt vts[VT_COUNT];
extern struct spinlock vt_lock;

bool vt_has_screen(void); /* is there a framebuffer? */
/* Makes the screen of terminal `number` if there is none. -ENOMEM. Without vt_lock. */
int vt_prepare(unsigned number) MUST_CHECK;
/* Frees the screen of terminal `number` (as programs count, from 1), or of all that are unused (0).
 * -EBUSY: it is in use. */
int vt_discard(unsigned number);
/* Bytes to a screen. Answers to the program are in `reply` (SCREEN_REPLY bytes); how many. */
unsigned vt_write(unsigned number, const char *bytes, size_t count, char *reply);
/* Paints what differs, if it is shown. Without vt_lock. */
void vt_paint(unsigned number);
unsigned vt_shown(void);
/* Shows another one. false: it has no screen. */
bool vt_show(unsigned number);
void vt_look(int screens_halved); /* back by so many half screens; negative: forward */
void vt_set_graphics(unsigned number, bool graphics);
/* The colours of all, also after a reset. */
void vt_set_palette(const uint32_t palette[16]);
const struct font *vt_font(void);
void vt_geometry(struct winsize *size);

#endif
