/* SPDX-License-Identifier: MIT */
#include "config.h"

#define LINE_MAX (COMMAND_LINE_MAX + 64u)

struct line {
	char key[32];
	char value[COMMAND_LINE_MAX];
	unsigned int number;
};

struct reader {
	const char *text;
	size_t size, at;
	unsigned int number;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static enum verdict check_bytes(const struct reader *r, size_t end, struct complaint *why)
{
	if (end - r->at >= LINE_MAX)
		return refuse(why, VERDICT_MALFORMED, "line %u: %zu bytes, expected at most %u",
			r->number, end - r->at, LINE_MAX - 1);
	for (size_t i = r->at; i < end; i++) {
		unsigned char c = (unsigned char)r->text[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return refuse(why, VERDICT_MALFORMED,
				"line %u, column %zu: byte 0x%x, expected text", r->number,
				i - r->at + 1, c);
	}
	return VERDICT_OK;
}

static bool copy_range(char *out, size_t size, const char *from, size_t length)
{
	if (length >= size)
		return false;
	__builtin_memcpy(out, from, length);
	out[length] = '\0';
	return true;
}

/* Splits the bytes from r->at to `end`, which hold a key. A key too long is none of ours. */
static enum verdict split(
	const struct reader *r, size_t at, size_t end, struct line *line, struct complaint *why)
{
	size_t key = at, value;

	while (at < end && !is_blank(r->text[at]))
		at++;
	if (!copy_range(line->key, sizeof(line->key), r->text + key, at - key))
		line->key[0] = '\0';
	while (at < end && is_blank(r->text[at]))
		at++;
	value = at;
	while (end > value && is_blank(r->text[end - 1]))
		end--;
	line->number = r->number;
	if (!copy_range(line->value, sizeof(line->value), r->text + value, end - value))
		return refuse(why, VERDICT_MALFORMED,
			"line %u: a value of %zu bytes, expected at most %zu", r->number,
			end - value, sizeof(line->value) - 1);
	return VERDICT_OK;
}

/* The next line with a key; an empty key in `line` with VERDICT_OK means the end. */
static enum verdict next_line(
	struct reader *r, struct line *line, bool *more, struct complaint *why)
{
	*more = false;
	while (r->at < r->size) {
		size_t end = r->at, start = r->at, next;
		enum verdict verdict;

		r->number++;
		while (end < r->size && r->text[end] != '\n')
			end++;
		next = end < r->size ? end + 1 : end;
		if (end > r->at && r->text[end - 1] == '\r')
			end--;
		verdict = check_bytes(r, end, why);
		if (verdict)
			return verdict;
		while (start < end && is_blank(r->text[start]))
			start++;
		if (start < end && r->text[start] != '#') {
			verdict = split(r, start, end, line, why);
			r->at = next;
			*more = true;
			return verdict;
		}
		r->at = next;
	}
	return VERDICT_OK;
}

static enum verdict begin(struct reader *r, const char *text, size_t size, struct complaint *why)
{
	*r = (struct reader){.text = text, .size = size};
	if (size > CONFIG_FILE_MAX)
		return refuse(why, VERDICT_MALFORMED, "%zu bytes long, expected at most %u", size,
			CONFIG_FILE_MAX);
	/* The byte order mark that Windows' editors put before UTF-8. */
	if (size >= 3 && (unsigned char)text[0] == 0xef && (unsigned char)text[1] == 0xbb &&
		(unsigned char)text[2] == 0xbf)
		r->at = 3;
	return VERDICT_OK;
}

static enum verdict no_value(const struct line *line, struct complaint *why)
{
	return refuse(
		why, VERDICT_MALFORMED, "line %u: `%s` without a value", line->number, line->key);
}

static enum verdict too_long(const struct line *line, size_t most, struct complaint *why)
{
	return refuse(why, VERDICT_MALFORMED, "line %u: `%s` of %zu bytes, expected at most %zu",
		line->number, line->key, text_length(line->value), most);
}

static enum verdict take_loader_line(
	struct loader_config *config, const struct line *line, struct complaint *why)
{
	if (text_equal(line->key, "timeout")) {
		if (!*line->value)
			return no_value(line, why);
		if (!text_number(line->value, NULL, CONFIG_TIMEOUT_MAX, &config->timeout))
			return refuse(why, VERDICT_MALFORMED,
				"line %u: `timeout %s`, expected seconds from 0 to %u",
				line->number, line->value, CONFIG_TIMEOUT_MAX);
	} else if (text_equal(line->key, "default")) {
		if (!*line->value)
			return no_value(line, why);
		if (!text_copy(config->default_entry, sizeof(config->default_entry), line->value))
			return too_long(line, sizeof(config->default_entry) - 1, why);
	}
	return VERDICT_OK;
}

enum verdict config_read_loader(
	const char *text, size_t size, struct loader_config *config, struct complaint *why)
{
	static struct line line; /* too big for the firmware's stack */
	struct reader r;
	enum verdict verdict = begin(&r, text, size, why);
	bool more = true;

	*config = (struct loader_config){0};
	while (!verdict && more) {
		verdict = next_line(&r, &line, &more, why);
		if (!verdict && more)
			verdict = take_loader_line(config, &line, why);
	}
	return verdict;
}

static enum verdict take_options(
	struct boot_entry *entry, const struct line *line, struct complaint *why)
{
	struct complaint inner;
	enum verdict verdict = command_line_append(&entry->options, line->value, &inner);

	if (verdict)
		return refuse(why, verdict, "line %u: %s", line->number, inner.text);
	return VERDICT_OK;
}

static enum verdict take_entry_line(
	struct boot_entry *entry, const struct line *line, struct complaint *why)
{
	bool is_initrd = text_equal(line->key, "initrd"),
	     is_kernel = text_equal(line->key, "kernel");

	if (text_equal(line->key, "options"))
		return take_options(entry, line, why);
	if (text_equal(line->key, "title")) {
		/* Only shown: cut rather than refused. */
		text_copy(entry->title, sizeof(entry->title), line->value);
		return *line->value ? VERDICT_OK : no_value(line, why);
	}
	if (!is_initrd && !is_kernel)
		return VERDICT_OK;
	if (!*line->value)
		return no_value(line, why);
	if (is_kernel && entry->kernel[0])
		return refuse(why, VERDICT_MALFORMED, "line %u: a second `kernel`", line->number);
	if (is_initrd && entry->initrd_count == INITRDS_MAX)
		return refuse(why, VERDICT_MALFORMED, "line %u: more than %u `initrd` lines",
			line->number, INITRDS_MAX);
	if (!path_copy(is_kernel ? entry->kernel : entry->initrds[entry->initrd_count++],
		    LOADER_PATH_MAX, line->value))
		return too_long(line, LOADER_PATH_MAX - 2, why);
	return VERDICT_OK;
}

enum verdict config_read_entry(
	const char *text, size_t size, struct boot_entry *entry, struct complaint *why)
{
	static struct line line;
	struct reader r;
	enum verdict verdict = begin(&r, text, size, why);
	bool more = true;

	*entry = (struct boot_entry){0};
	while (!verdict && more) {
		verdict = next_line(&r, &line, &more, why);
		if (!verdict && more)
			verdict = take_entry_line(entry, &line, why);
	}
	return verdict;
}

bool config_is_pattern(const char *name)
{
	for (; *name; name++)
		if (*name == '*' || *name == '?')
			return true;
	return false;
}

/* * and ? with one place to come back to, so that the time is bounded by the product. */
static bool glob(const char *pattern, const char *name)
{
	const char *star = NULL, *back = NULL;

	while (*name) {
		if (*pattern == '*') {
			star = ++pattern;
			back = name;
		} else if (*pattern == '?' || text_lower(*pattern) == text_lower(*name)) {
			pattern++;
			name++;
		} else if (star) {
			pattern = star;
			name = ++back;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return !*pattern;
}

bool config_name_matches(const char *pattern, const char *name)
{
	char with_ending[CONFIG_NAME_MAX + sizeof(".conf")];

	if (glob(pattern, name))
		return true;
	text_format(with_ending, sizeof(with_ending), "%s.conf", pattern);
	return glob(with_ending, name);
}
