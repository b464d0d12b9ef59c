/* SPDX-License-Identifier: MIT */
/* The line discipline of terminals: bytes typed become lines, signals and echo. Pure: tty_line.c. */
#ifndef DEVICES_TTY_LINE_H
#define DEVICES_TTY_LINE_H

#include "files/abi.h"
#include "lib/types.h"

#define LINE_BUFFER 4096u
#define LINE_ECHO   4096u /* bytes of line->echoes */

/* Where echo and signals go; called by line_input. */
struct line_events {
	void (*echo)(void *context, const char *bytes, size_t count); /* after output processing */
	size_t (*echo_room)(void *context);        /* how much of it may come now. NULL: any */
	void (*signal)(void *context, int signal); /* to the foreground group */
	void (*event)(
		void *context, unsigned int bits); /* TIOCPKT_*, for a master in packet mode */
	void *context;
};

struct line {
	struct termios termios;
	struct line_events events;
	/* Bytes typed, from `tail` on to `head`; those before `ready` are complete lines. The counters
	 * run on; a byte stands at its count modulo LINE_BUFFER. */
	uint32_t head, ready, tail;
	uint8_t bytes[LINE_BUFFER];
	uint64_t ends[LINE_BUFFER / 64];  /* this byte ends a line */
	uint64_t marks[LINE_BUFFER / 64]; /* ... and is an end-of-file mark, not data */
	uint32_t column;                  /* where the cursor is, as far as we know */
	uint32_t line_start;              /* its column when the line being typed began */
	bool literal;                     /* the next byte is taken as it is (LNEXT) */
	bool stopped;                     /* output is held (STOP, TCOOFF) */
	bool erasing;                     /* ECHOPRT's \ was shown */
	bool held;                        /* ... by TCOOFF: START does not let it go */
	/* An editing key whose work goes on, a part for each hold of the owner's lock; `flushing` asks for the next. */
	enum line_edit { EDIT_NONE, EDIT_ERASE, EDIT_REPRINT } edit;
	uint8_t edit_key;
	bool edit_in_word;      /* WERASE has met the word */
	uint32_t edit_position; /* REPRINT: the next byte */
	/* Echo that is not out yet (tty_echo.c). The owner's memory, LINE_ECHO bytes; NULL: no echo. */
	uint8_t *echoes;
	uint32_t echo_head, echo_tail; /* counts that run on */
	bool flushing; /* more of it may go out: the owner calls line_echo_flush before all else */
};

void line_init(struct line *line, const struct line_events *events);
/* How many bytes may be given to line_input now. */
size_t line_room(const struct line *line);
void line_input(struct line *line, uint8_t byte);
/* What came at once ends here: its echo goes out. */
void line_input_end(struct line *line);
/* A byte that came with a wrong parity or frame, or a break. */
enum line_bad { LINE_BREAK, LINE_PARITY };
void line_input_bad(struct line *line, enum line_bad bad, uint8_t byte);
/* Is there anything for a reader: a line, or in raw mode `least` bytes? */
bool line_readable(const struct line *line, uint32_t least);
/* Up to `size` bytes for a reader: one line at most in canonical mode. *end: the read is complete,
 * even with none (end of file). */
size_t line_read(struct line *line, uint8_t *to, size_t size, bool *end);
/* Bytes that a reader can have at once: FIONREAD. */
size_t line_available(const struct line *line);
/* Output processing: up to `room` bytes into `to`; *used is how many of `count` that took. */
size_t line_output(
	struct line *line, const char *from, size_t count, size_t *used, char *to, size_t room);
void line_flush_input(struct line *line);
/* Echo that has waited goes out, as far as there is room: before a program's output. Some of it: as long as
 * line->flushing holds after a call that echoes there is more, and the owner may release its lock before it
 * calls this. */
void line_echo_flush(struct line *line);
/* Holds output, and lets it go. */
void line_stop(struct line *line);
void line_start(struct line *line);
/* After a hang-up: nothing typed, nothing held. */
void line_reset(struct line *line);
/* New settings; what was typed stays and becomes readable when canonical mode ends. */
void line_set(struct line *line, const struct termios *termios);
/* Those that line_init gives, and these of c_iflag. */
void line_set_first(struct line *line, tcflag_t input);

#endif
