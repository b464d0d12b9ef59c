/* SPDX-License-Identifier: MIT */
/*
 * The kernel's log and the consoles that show it.
 *
 * A line is formatted into a buffer on the caller's stack, before any lock, then kept in a ring of
 * LOG_RING_SIZE bytes (a header of fixed size, the text, no padding; both may wrap) and written to
 * every console whose level admits it. The oldest lines make room for new ones; every line has a
 * sequence number, so a reader that was too slow can tell what it missed. Control characters in a
 * line become `?`: a program's name must not be able to speak to the terminal.
 *
 * One lock, `log_lock`, guards ring, console list and what consoles know, so lines come whole. It is
 * taken with interrupts off, after any other lock and before the consoles' own (a serial port's).
 * Programs' output goes the same way in pieces of CONSOLE_PIECE bytes; a log line after a piece that
 * did not end a line begins on a new one.
 *
 * Panic mode: the CPU that panics may hold the lock itself, and the others are stopped wherever they
 * were. So no lock is taken any more; at worst a line of the ring is torn.
 */
#include "devices/console.h"
#include "arch/arch.h"
#include "lib/lock.h"
#include "lib/printf.h"
#include "lib/string.h"

#define LOG_RING_SIZE (48u * 1024u)
#define CONSOLE_PIECE 256u
#define LINE_MAX_SIZE (LOG_TEXT_MAX + 40u)

struct header {
	ns_t time;
	uint16_t length;
	uint8_t level;
	uint8_t unused[5];
};

static struct spinlock log_lock = SPINLOCK_INIT;
static bool panicking; /* set once, by the CPU that panics */

static struct list consoles guarded_by(log_lock) = LIST_INIT(consoles);
static bool at_line_start guarded_by(log_lock) = true;
static enum log_level shown_level guarded_by(log_lock) = LOG_INFO;
static unsigned console_level guarded_by(log_lock) = 7; /* what shown_level was made of */

static uint8_t ring[LOG_RING_SIZE] guarded_by(log_lock);
static uint64_t ring_start guarded_by(log_lock), ring_end guarded_by(log_lock); /* byte counts */
static uint64_t first_sequence guarded_by(log_lock), next_sequence guarded_by(log_lock);
/* Where the line after the one read last begins: who reads on need not search. */
static uint64_t read_sequence guarded_by(log_lock), read_position guarded_by(log_lock);

static void lock_log(void) acquires(log_lock) no_lock_checks
{
	if (!log_panicking())
		spin_lock(&log_lock);
}

static void unlock_log(void) releases(log_lock) no_lock_checks
{
	if (!log_panicking())
		spin_unlock(&log_lock);
}

void log_panic_mode(void)
{
	__atomic_store_n(&panicking, true, __ATOMIC_RELEASE);
}

bool log_panicking(void)
{
	return __atomic_load_n(&panicking, __ATOMIC_ACQUIRE);
}

static void ring_put(const void *from, size_t size) requires(log_lock)
{
	size_t at = ring_end % LOG_RING_SIZE;
	size_t first = size < LOG_RING_SIZE - at ? size : LOG_RING_SIZE - at;

	memcpy(ring + at, from, first);
	memcpy(ring, (const uint8_t *)from + first, size - first);
	ring_end += size;
}

static void ring_get(uint64_t position, void *to, size_t size) requires(log_lock)
{
	size_t at = position % LOG_RING_SIZE;
	size_t first = size < LOG_RING_SIZE - at ? size : LOG_RING_SIZE - at;

	memcpy(to, ring + at, first);
	memcpy((uint8_t *)to + first, ring, size - first);
}

static void keep_line(const struct log_record *record) requires(log_lock)
{
	struct header header = {.time = record->time,
		.length = (uint16_t)record->length,
		.level = (uint8_t)record->level};
	size_t size = sizeof(header) + record->length;

	while (ring_end + size - ring_start > LOG_RING_SIZE) {
		struct header oldest;

		ring_get(ring_start, &oldest, sizeof(oldest));
		ring_start += sizeof(oldest) + oldest.length;
		first_sequence++;
	}
	ring_put(&header, sizeof(header));
	ring_put(record->text, record->length);
	next_sequence++;
}

/* Reads the record at a position of the ring; the position after it. */
static uint64_t read_record(uint64_t position, struct log_record *out) requires(log_lock)
{
	struct header header;

	ring_get(position, &header, sizeof(header));
	if (header.length > LOG_TEXT_MAX) /* torn by a panic */
		header.length = LOG_TEXT_MAX;
	out->time = header.time;
	out->level = (enum log_level)header.level;
	out->length = header.length;
	ring_get(position + sizeof(header), out->text, header.length);
	out->text[header.length] = 0;
	return position + sizeof(header) + header.length;
}

static void show_line(struct console *console, const struct log_record *record,
	bool fresh_line) requires(log_lock)
{
	static const enum console_colour colours[] = {[LOG_ERROR] = CONSOLE_RED,
		[LOG_WARN] = CONSOLE_YELLOW,
		[LOG_INFO] = CONSOLE_NORMAL,
		[LOG_DEBUG] = CONSOLE_DIM};
	enum console_colour colour = CONSOLE_NORMAL;
	char line[LINE_MAX_SIZE];
	uint64_t us = record->time / 1000;
	int length = format(line, sizeof(line), "%s[%5lu.%06lu] %s\r\n", fresh_line ? "\r\n" : "",
		us / 1000000, us % 1000000, record->text);

	if ((size_t)length >= sizeof(line))
		length = sizeof(line) - 1;
	if ((unsigned)record->level < ARRAY_SIZE(colours))
		colour = colours[record->level];
	if (console->colour && colour != CONSOLE_NORMAL)
		console->colour(console, colour);
	console->write(console, line, (size_t)length);
	if (console->colour && colour != CONSOLE_NORMAL)
		console->colour(console, CONSOLE_NORMAL);
}

/* Has nothing been written to its line? Programs may have other ways to the device than this file. */
static bool is_fresh(struct console *console) requires(log_lock)
{
	return console->fresh ? console->fresh(console) : at_line_start;
}

/* Consoles come and go at the start only, when one CPU runs. */
static void settle(void) no_lock_checks
{
	struct console *console;

	list_for_each(console, &consoles, link)
	{
		if (console->settle)
			console->settle(console);
	}
}

static void keep_and_show(struct log_record *record)
{
	struct console *console;

	lock_log();
	record->time = arch_clock();
	keep_line(record);
	if (record->level <= shown_level) {
		list_for_each(console, &consoles, link)
			show_line(console, record, !is_fresh(console));
		at_line_start = true;
	}
	unlock_log();
	settle();
}

/* Cuts a text that was `length` bytes long to LOG_TEXT_MAX, not inside a UTF-8 sequence. */
static uint32_t cut(char *text, size_t length)
{
	size_t end = LOG_TEXT_MAX - 3;

	if (length <= LOG_TEXT_MAX)
		return (uint32_t)length;
	while (end && ((uint8_t)text[end] & 0xc0) == 0x80)
		end--;
	memcpy(text + end, "...", 4);
	return (uint32_t)end + 3;
}

void log_line(enum log_level level, const char *text, ...)
{
	struct log_record record = {.level = level};
	va_list arguments;
	int length;

	va_start(arguments, text);
	length = format_va(record.text, sizeof(record.text), text, arguments);
	va_end(arguments);
	record.length = cut(record.text, (size_t)length);
	for (uint32_t i = 0; i < record.length; i++) {
		if ((uint8_t)record.text[i] < ' ' || record.text[i] == 0x7f)
			record.text[i] = '?';
	}
	keep_and_show(&record);
}

void log_set_console_level(unsigned level)
{
	enum log_level shown = LOG_DEBUG;

	if (level <= 4) /* errors cannot be turned off */
		shown = LOG_ERROR;
	else if (level <= 6)
		shown = LOG_WARN;
	else if (level == 7)
		shown = LOG_INFO;
	lock_log();
	shown_level = shown;
	console_level = level;
	unlock_log();
}

unsigned log_console_level(void)
{
	unsigned level;

	lock_log();
	level = console_level;
	unlock_log();
	return level;
}

bool log_read(uint64_t *sequence, struct log_record *out)
{
	uint64_t position, at;
	bool found;

	lock_log();
	position = ring_start;
	at = first_sequence;
	if (read_sequence >= first_sequence && read_sequence <= *sequence) {
		position = read_position;
		at = read_sequence;
	}
	found = *sequence < next_sequence;
	if (found) {
		while (at < *sequence) {
			position = read_record(position, out);
			at++;
		}
		read_position = read_record(position, out);
		read_sequence = at + 1;
		out->sequence = at;
		*sequence = at + 1;
	}
	unlock_log();
	return found;
}

uint64_t log_next_sequence(void)
{
	uint64_t next;

	lock_log();
	next = next_sequence;
	unlock_log();
	return next;
}

void console_register(struct console *console)
{
	struct log_record record;
	uint64_t position;

	lock_log();
	for (position = ring_start; position < ring_end;) {
		position = read_record(position, &record);
		if (record.level <= shown_level)
			show_line(console, &record, false);
	}
	list_push_back(&consoles, &console->link);
	unlock_log();
	settle();
}

void console_remove(struct console *console)
{
	lock_log();
	list_remove(&console->link);
	unlock_log();
}

void console_write(const char *bytes, size_t count)
{
	struct console *console;

	while (count) {
		size_t piece = count < CONSOLE_PIECE ? count : CONSOLE_PIECE;

		lock_log();
		list_for_each(console, &consoles, link) console->write(console, bytes, piece);
		at_line_start = bytes[piece - 1] == '\n';
		unlock_log();
		bytes += piece;
		count -= piece;
	}
	settle();
}

void console_flush(void)
{
	struct console *console;

	lock_log();
	list_for_each(console, &consoles, link)
	{
		if (console->flush)
			console->flush(console);
	}
	unlock_log();
}
