/* SPDX-License-Identifier: MIT */
/*
 * What comes to a terminal from its driver. Locks: tty.c.
 *
 * Much echo may go out at once (after START, or of a large write by a pty's master), so it goes in parts, each
 * under a hold of tty->lock of its own; no byte is looked at between them.
 */
#include "devices/tty.h"

#include "lib/string.h"

#include <asm/signal.h>

ns_t tty_prompted;

static COLD void note_prompt(const struct tty *tty)
{
	ns_t none = 0, written = __atomic_load_n(&tty->written, __ATOMIC_RELAXED);

	__atomic_compare_exchange_n(
		&tty_prompted, &none, written, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
}

/* Of each complete line; without lines, once. */
static void tell_input(struct tty *tty, uint32_t news, bool canonical)
{
	for (; news; news = canonical ? news - 1 : 0)
		async_tell(&tty->async, ASYNC_IN);
}

void tty_tell_room(struct tty *tty)
{
	wake_all(&tty->output);
	if (unlikely(__atomic_load_n(&tty->wants_room, __ATOMIC_RELAXED)) &&
		__atomic_exchange_n(&tty->wants_room, false, __ATOMIC_RELAXED))
		async_tell(&tty->async, ASYNC_OUT);
}

/* Of one hold of the lock: ends early where echo is to go out before the next byte is looked at. */
static size_t receive_some(
	struct tty *tty, const uint8_t *bytes, size_t count, enum tty_part part, bool *over)
{
	struct line *line = &tty->line;
	bool was_stopped, readable, canonical;
	uint32_t ready, news = 0;
	size_t taken = 0;

	spin_lock(&tty->lock);
	was_stopped = line->stopped;
	if (line->flushing)
		line_echo_flush(line);
	while (taken < count && !line->flushing && line_room(line)) {
		ready = line->ready;
		line_input(line, bytes[taken++]);
		news += line->ready != ready;
	}
	if (!line->flushing && (part == TTY_LAST || taken < count))
		line_input_end(line);
	*over = !line->flushing;
	canonical = line->termios.c_lflag & ICANON;
	if (*over)
		tty->starved = taken < count;
	readable = line_readable(line, 1);
	was_stopped = was_stopped && !line->stopped;
	tty_unlock(tty);
	if (readable)
		wake_events(&tty->readable, POLLIN | POLLRDNORM);
	tell_input(tty, news, canonical);
	if (was_stopped)
		wake_events(&tty->output, POLLOUT | POLLWRNORM);
	return taken;
}

size_t tty_receive_part(struct tty *tty, const uint8_t *bytes, size_t count, enum tty_part part)
{
	size_t taken = 0;
	bool over;

	if (unlikely(!__atomic_load_n(&tty_prompted, __ATOMIC_RELAXED)))
		note_prompt(tty);
	do
		taken += receive_some(tty, bytes + taken, count - taken, part, &over);
	while (!over);
	return taken;
}

size_t tty_receive(struct tty *tty, const uint8_t *bytes, size_t count)
{
	return tty_receive_part(tty, bytes, count, TTY_LAST);
}

void tty_flush_echo(struct tty *tty)
{
	while (__atomic_load_n(&tty->line.flushing, __ATOMIC_RELAXED)) {
		spin_lock(&tty->lock);
		line_echo_flush(&tty->line);
		tty_unlock(tty);
	}
}

void tty_receive_bad(struct tty *tty, enum line_bad bad, uint8_t byte)
{
	spin_lock(&tty->lock);
	line_input_bad(&tty->line, bad, byte);
	tty_unlock(tty);
	tty_flush_echo(tty);
	wake_events(&tty->readable, POLLIN | POLLRDNORM);
}

bool tty_is_open(const struct tty *tty)
{
	return __atomic_load_n(&tty->opens, __ATOMIC_RELAXED) > 0;
}

bool tty_has_room(struct tty *tty)
{
	bool has;

	spin_lock(&tty->lock);
	has = tty->gone || line_room(&tty->line);
	spin_unlock(&tty->lock);
	return has;
}

void tty_resize(struct tty *tty, const struct winsize *size)
{
	spin_lock(&tty->lock);
	if (memcmp(&tty->size, size, sizeof(*size))) {
		tty->size = *size;
		tty->signals |= 1u << SIGWINCH;
	}
	tty_unlock(tty);
}
