/* SPDX-License-Identifier: MIT */
/* Output and echo of the line discipline, between tty_line.c and tty_echo.c. */
#ifndef DEVICES_TTY_ECHO_H
#define DEVICES_TTY_ECHO_H

#include "devices/tty_line.h"

#define DISABLED 0u /* a c_cc that is off: _POSIX_VDISABLE */
#define TAB_STOP 8u

static inline bool in_flag(const struct line *line, tcflag_t flag)
{
	return line->termios.c_iflag & flag;
}

static inline bool out_flag(const struct line *line, tcflag_t flag)
{
	return line->termios.c_oflag & flag;
}

static inline bool local_flag(const struct line *line, tcflag_t flag)
{
	return line->termios.c_lflag & flag;
}

static inline bool is_special(const struct line *line, uint8_t byte, unsigned int which)
{
	return line->termios.c_cc[which] != DISABLED && line->termios.c_cc[which] == byte;
}

static inline bool is_continuation(const struct line *line, uint8_t byte)
{
	return in_flag(line, IUTF8) && (byte & 0xc0) == 0x80;
}

static inline bool is_control(uint8_t byte)
{
	return byte < 0x20 || byte == 0x7f;
}

/* Letters of Latin-1, as Linux's tables have them. */
static inline bool is_upper(uint8_t byte)
{
	return (byte >= 'A' && byte <= 'Z') || (byte >= 0xc0 && byte <= 0xde && byte != 0xd7);
}

static inline bool is_lower(uint8_t byte)
{
	return (byte >= 'a' && byte <= 'z') || (byte >= 0xdf && byte != 0xf7);
}

static inline uint8_t at(const struct line *line, uint32_t position)
{
	return line->bytes[position % LINE_BUFFER];
}

/* Bytes that go through output processing, when what came at once has been looked at. */
void line_echo(struct line *line, const char *bytes, size_t count);
/* One that was typed: a control character as ^X with ECHOCTL. */
void line_echo_byte(struct line *line, uint8_t byte);
/* Takes the character at line->head, `size` bytes that are no longer in the line, off the screen. */
void line_echo_erase(struct line *line, uint8_t first, uint32_t size, uint8_t eraser);
/* ECHOPRT: the end of what was erased. */
void line_echo_erased(struct line *line);
/* The line being typed begins at the column that is reached then. */
void line_echo_start(struct line *line);
/* The next part of what an editing key has begun; tty_line.c. */
void line_edit_on(struct line *line);
/* What is not out yet is dropped. */
void line_echo_drop(struct line *line);

#endif
