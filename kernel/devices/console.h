/* SPDX-License-Identifier: MIT */
/*
 * Consoles: where the log and the output of /dev/console go; and the control of the log
 * (lib/log.h has what everybody calls). See log.c.
 *
 * A console's functions but settle are called with the log's lock held and interrupts off, one call at
 * a time; in panic mode without the lock. They must neither log nor sleep.
 */
#ifndef DEVICES_CONSOLE_H
#define DEVICES_CONSOLE_H

#include "lib/list.h"
#include "lib/log.h"
#include "lib/types.h"

enum console_colour { CONSOLE_NORMAL, CONSOLE_DIM, CONSOLE_YELLOW, CONSOLE_RED };

struct console {
	struct list link;
	const char *name;
	/* Called after `write` without the log's lock, and with interrupts on where its caller has them
	 * on: what takes long. NULL: nothing. */
	void (*settle)(struct console *console);
	/* Bytes as for a terminal: UTF-8, \r\n at line ends, escape sequences. */
	void (*write)(struct console *console, const char *bytes, size_t count);
	/* The colour of what follows; NULL: a console without colours. */
	void (*colour)(struct console *console, enum console_colour colour);
	/* Waits until all is out; NULL: it always is. */
	void (*flush)(struct console *console);
	/* Is the device at the beginning of a line? NULL: when what console_write wrote last ended one. */
	bool (*fresh)(struct console *console);
};

/* Adds a console and shows it the log so far. */
void console_register(struct console *console);
void console_remove(struct console *console);

/* Output of programs, as it is, to every console. In pieces: the log may come in between. */
void console_write(const char *bytes, size_t count);

/* Waits until every console has sent all: before power-off, reset and halt. */
void console_flush(void);

/* From now on no locks are taken and consoles are written directly. There is no way back. */
void log_panic_mode(void);
bool log_panicking(void);

/* Lines of Linux's levels below `level` are shown on consoles (error 3, warning 4, info 6,
 * debug 7); 7 by default, `quiet` is 4. The ring keeps all. */
void log_set_console_level(unsigned level);
unsigned log_console_level(void); /* what was set last */

/* ---- Reading the log ---- */

#define LOG_TEXT_MAX 240u

struct log_record {
	uint64_t sequence; /* of the line, from 0 */
	ns_t time;
	enum log_level level;
	uint32_t length;
	char text[LOG_TEXT_MAX + 1]; /* without stamp and newline, NUL-terminated */
};

/* The first line kept whose sequence is at least *sequence; *sequence becomes the one after it.
 * false: there is none yet. */
bool log_read(uint64_t *sequence, struct log_record *out);
uint64_t log_next_sequence(void);

#endif
