/* SPDX-License-Identifier: MIT */
/* The log: what a console gets and when, the ring's turn-over, cutting and cleaning of lines. */
#include "devices/console.h"
#include "arch/arch.h"
#include "lib/check.h"

#include <stdarg.h>

static ns_t now;

ns_t arch_clock(void)
{
	return now;
}

struct recorder {
	struct console console;
	char text[1 << 18];
	size_t length;
	unsigned flushes;
};

static void record_write(struct console *console, const char *bytes, size_t count)
{
	struct recorder *r = container_of(console, struct recorder, console);

	CHECK(r->length + count < sizeof(r->text));
	memcpy(r->text + r->length, bytes, count);
	r->length += count;
	r->text[r->length] = 0;
}

static void record_colour(struct console *console, enum console_colour colour)
{
	static const char *const names[] = {"<normal>", "<dim>", "<yellow>", "<red>"};

	record_write(console, names[colour], strlen(names[colour]));
}

static void record_flush(struct console *console)
{
	container_of(console, struct recorder, console)->flushes++;
}

static struct recorder plain = {
	.console = {.name = "plain", .write = record_write, .flush = record_flush}};
static struct recorder coloured = {
	.console = {.name = "coloured", .write = record_write, .colour = record_colour}};

static void forget(void)
{
	plain.length = coloured.length = 0;
	plain.text[0] = coloured.text[0] = 0;
}

static void test_replay_and_colours(void)
{
	now = 12345678;
	log_info("before any console: %d", 1);
	console_register(&plain.console);
	CHECK_STRING(plain.text, "[    0.012345] before any console: 1\r\n");
	now = 123456789012345;
	log_warn("careful");
	log_debug("not shown");
	console_register(&coloured.console);
	CHECK_STRING(coloured.text, "[    0.012345] before any console: 1\r\n"
				    "<yellow>[123456.789012] careful\r\n<normal>");
	forget();
	log_error("bad");
	CHECK_STRING(plain.text, "[123456.789012] bad\r\n");
	CHECK_STRING(coloured.text, "<red>[123456.789012] bad\r\n<normal>");
	forget();
}

static void test_levels(void)
{
	now = 0;
	log_set_console_level(4);
	log_warn("w");
	log_error("e");
	CHECK_STRING(plain.text, "[    0.000000] e\r\n");
	forget();
	log_set_console_level(8);
	log_debug("d");
	CHECK_STRING(coloured.text, "<dim>[    0.000000] d\r\n<normal>");
	forget();
	log_set_console_level(0);
	log_error("always");
	CHECK_STRING(plain.text, "[    0.000000] always\r\n");
	log_set_console_level(7);
	forget();
}

static void test_program_output(void)
{
	char big[1000];

	console_write("prompt> ", 8);
	log_info("line");
	console_write("rest\r\n", 6);
	log_info("line");
	CHECK_STRING(
		plain.text, "prompt> \r\n[    0.000000] line\r\nrest\r\n[    0.000000] line\r\n");
	forget();
	memset(big, 'x', sizeof(big));
	console_write(big, sizeof(big));
	CHECK_EQUAL(plain.length, sizeof(big));
	console_write("\n", 1);
	forget();
	console_flush();
	CHECK_EQUAL(plain.flushes, 1);
}

static void test_cleaning(void)
{
	uint64_t sequence = log_next_sequence();
	struct log_record record;
	char text[400];

	log_info("a\x1b[2Jb\nc\x7f\xc3\xa9");
	CHECK(log_read(&sequence, &record));
	CHECK_STRING(record.text, "a?[2Jb?c?\xc3\xa9");
	for (size_t length = LOG_TEXT_MAX - 5; length < LOG_TEXT_MAX + 100; length++) {
		memset(text, 'y', length);
		text[length] = 0;
		log_info("%s", text);
		CHECK(log_read(&sequence, &record));
		if (length <= LOG_TEXT_MAX) {
			CHECK_STRING(record.text, text);
		} else {
			CHECK_EQUAL(record.length, LOG_TEXT_MAX);
			CHECK_STRING(record.text + LOG_TEXT_MAX - 3, "...");
		}
	}
	for (size_t i = 0; i < 150; i++) /* not inside of a UTF-8 character */
		memcpy(text + i * 2, "\xc3\xa9", 3);
	log_info("x%s", text);
	CHECK(log_read(&sequence, &record));
	CHECK_EQUAL(record.length, 1 + 236 + 3);
	log_info("%s", text);
	CHECK(log_read(&sequence, &record));
	CHECK_EQUAL(record.length, 236 + 3);
	CHECK_STRING(record.text + 234, "\xc3\xa9...");
	forget();
}

/* Many lines: the oldest go, what is left is whole and in order. */
static void test_turn_over(void)
{
	uint64_t sequence = log_next_sequence(), first = sequence, seen = 0;
	struct log_record record;
	char dots[201], text[LOG_TEXT_MAX + 1];

	memset(dots, '.', 200);
	dots[200] = 0;
	log_set_console_level(0);
	for (unsigned i = 0; i < 20000; i++)
		log_info("%u %.*s", i, (int)(i % 200), dots);
	CHECK_EQUAL(log_next_sequence(), first + 20000);
	while (log_read(&sequence, &record)) {
		unsigned i = (unsigned)(record.sequence - first);

		snprintf(text, sizeof(text), "%u %.*s", i, (int)(i % 200), dots);
		CHECK_STRING(record.text, text);
		CHECK_EQUAL(record.sequence + 1, sequence);
		seen++;
	}
	CHECK_EQUAL(sequence, first + 20000);
	CHECK(seen > 330 && seen < 450); /* 48 KiB of about 120 bytes each */
}

static void test_panic(void)
{
	CHECK(!log_panicking());
	log_panic_mode();
	CHECK(log_panicking());
	forget();
	log_error("last");
	CHECK_STRING(plain.text, "[    0.000000] last\r\n");
}

int main(void)
{
	test_replay_and_colours();
	test_levels();
	test_program_output();
	test_cleaning();
	test_turn_over();
	test_panic();
	return check_done();
}
