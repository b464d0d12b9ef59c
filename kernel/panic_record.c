/* SPDX-License-Identifier: MIT */
/*
 * The short form of a panic: what the next boot shows, and what the QR code holds.
 *
 * It is text of PANIC_TEXT_MAX bytes at most: the reason, build and place of the image, who ran and in which call, where,
 * the nearest frames of the backtrace; and of the log as many of its last lines as fit. `tools/baton
 * symbolise` reads it as it reads the log. It is made line by line as the panic is reported, in memory that
 * is always there, so that whatever stops the report later, what was noted stays.
 *
 * One CPU panics (arch/x86_64/panic.c), so there are no locks.
 */
#include "panic_record.h"

#include <baton/handoff.h>
#include <baton/panic_record.h>

#include "arch/arch.h"
#include "devices/console.h"
#include "files/sysfs.h"
#include "firmware/runtime.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "power.h"

#define LOG_LINES_MAX 16u /* of the log's last lines, that are looked at */

static struct panic_record record;

static void note_line(const char *line, size_t length)
{
	if (length + 1 > PANIC_TEXT_MAX - record.length)
		return;
	memcpy(record.text + record.length, line, length);
	record.text[record.length + length] = '\n';
	record.length = (uint16_t)(record.length + length + 1);
}

void panic_note(const char *text, ...)
{
	char line[LOG_TEXT_MAX];
	va_list arguments;
	size_t length;

	va_start(arguments, text);
	length = (size_t)format_va(line, sizeof(line), text, arguments);
	va_end(arguments);
	note_line(line, length < sizeof(line) ? length : sizeof(line) - 1);
}

const char *panic_noted(size_t *length)
{
	*length = record.length;
	return record.text;
}

/* As a line of the record; its length, as format gives it. */
static size_t log_line_text(const struct log_record *from, char *out, size_t size)
{
	return (size_t)format(out, size, "[%lu.%03lu] %s", from->time / NS_PER_SECOND,
		from->time / 1000000 % 1000, from->text);
}

void panic_note_log(uint64_t before)
{
	uint64_t first = before > LOG_LINES_MAX ? before - LOG_LINES_MAX : 0, sequence;
	size_t left = PANIC_TEXT_MAX - record.length, lengths[LOG_LINES_MAX] = {0};
	char line[LOG_TEXT_MAX + 40];
	struct log_record from;

	for (sequence = first; sequence < before && log_read(&sequence, &from);) {
		if (from.sequence >= before)
			break;
		lengths[from.sequence - first] = log_line_text(&from, line, sizeof(line)) + 1;
	}
	/* From the last one back, as long as they fit. */
	for (sequence = before; sequence > first; sequence--) {
		size_t length = lengths[sequence - 1 - first];

		if (!length || length > left)
			break;
		left -= length;
	}
	while (sequence < before && log_read(&sequence, &from))
		note_line(line, log_line_text(&from, line, sizeof(line)));
}

static void say_not_saved(const char *why)
{
	log_warn("no record is kept for the next boot: %s", why);
}

static void stop_late(const char *why)
{
	say_not_saved(why);
	machine_stop();
}

void panic_record_save(void)
{
	static const uint16_t name[] = PANIC_VARIABLE_NAME;
	static const struct {
		uint32_t first;
		uint16_t second, third;
		uint8_t rest[8];
	} vendor = PANIC_VARIABLE_GUID;
	size_t size = panic_record_seal(&record);
	const char *wrong = firmware_panic_variable(&(struct firmware_variable){
		.name = name,
		.name_size = sizeof(name),
		.vendor = &vendor,
		.attributes = PANIC_VARIABLE_ATTRIBUTES,
		.data = &record,
		.size = size,
		.late = stop_late,
	});

	if (wrong)
		say_not_saved(wrong);
	else
		log_info("a record of %zu bytes is kept for the next boot", size);
}

/* ---- In the next run ---- */

static const struct panic_record *last; /* in memory of the hand-off's own; NULL: there is none */

void last_panic_init(const struct handoff *handoff)
{
	const struct panic_record *found = arch_phys_to_ptr(handoff->panic_record.base);
	const char *wrong;

	if (!handoff->panic_record.size)
		return;
	wrong = panic_record_check(found, handoff->panic_record.size);
	if (wrong) {
		log_warn("the last panic's record is lost: %s", wrong);
		return;
	}
	last = found;
	log_warn("the last run ended in a panic, \"%.*s\"", (int)panic_record_reason(last),
		last->text);
	log_info("all that is known of it is in /sys/firmware/baton/last_panic");
}

static int show_last(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size)
{
	(void)node;
	(void)attribute;
	return format(out, size, "%.*s", (int)last->length, last->text);
}

void last_panic_show(void)
{
	static const struct sysfs_attribute attribute = {"last_panic", 0400, .show = show_last};

	if (last)
		sysfs_baton_add(&attribute);
}
