/* SPDX-License-Identifier: MIT */
#include "command_line.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

enum verdict command_line_append(struct command_line *line, const char *text, struct complaint *why)
{
	size_t length = text_length(text), gap = line->length && length ? 1 : 0;

	for (size_t i = 0; i < length; i++)
		if ((text[i] < ' ' || text[i] > '~') && text[i] != '\t')
			return refuse(why, VERDICT_MALFORMED,
				"command line: byte 0x%x, expected printable ASCII",
				(unsigned char)text[i]);
	if (length + gap >= COMMAND_LINE_MAX - line->length)
		return refuse(why, VERDICT_NO_ROOM, "command line: longer than %u bytes",
			COMMAND_LINE_MAX - 1);
	if (gap)
		line->text[line->length++] = ' ';
	__builtin_memcpy(line->text + line->length, text, length + 1);
	line->length += length;
	return VERDICT_OK;
}

bool path_copy(char *out, size_t size, const char *path)
{
	size_t n = 0;

	if (*path != '\\' && *path != '/' && size)
		out[n++] = '\\';
	for (; *path && n + 1 < size; path++)
		out[n++] = *path == '/' ? '\\' : *path;
	if (size)
		out[n] = '\0';
	return *path == '\0' && size > 1;
}

/* The next word into `word`, quotes taken off; false at the end. A longer word is cut. */
static bool next_word(const char **at, char *word, size_t size)
{
	const char *p = *at;
	bool quoted = false;
	size_t n = 0;

	while (is_blank(*p))
		p++;
	if (!*p) {
		*at = p;
		return false;
	}
	for (; *p && (quoted || !is_blank(*p)); p++) {
		if (*p == '"')
			quoted = !quoted;
		else if (n + 1 < size)
			word[n++] = *p;
	}
	word[n] = '\0';
	*at = p;
	return true;
}

static enum verdict take_path(char *out, const char *name, const char *value, struct complaint *why)
{
	if (!*value)
		return refuse(why, VERDICT_MALFORMED, "command line: %s= without a path", name);
	if (!path_copy(out, LOADER_PATH_MAX, value))
		return refuse(why, VERDICT_MALFORMED,
			"command line: %s=: the path is longer than %u bytes", name,
			LOADER_PATH_MAX - 1);
	return VERDICT_OK;
}

static enum verdict take_video(struct loader_options *o, const char *value, struct complaint *why)
{
	const char *x = value;

	while (*x && *x != 'x')
		x++;
	if (*x != 'x' || !text_number(value, x, 65535, &o->video_width) ||
		!text_number(x + 1, NULL, 65535, &o->video_height) || !o->video_width ||
		!o->video_height)
		return refuse(why, VERDICT_MALFORMED,
			"command line: video=%s, expected WIDTHxHEIGHT", value);
	return VERDICT_OK;
}

static enum verdict take_mutant(struct loader_options *o, const char *value, struct complaint *why)
{
	if (!text_number(value, NULL, UINT32_MAX, &o->handoff_mutant))
		return refuse(why, VERDICT_MALFORMED,
			"command line: handoff_mutant=%s, expected a number", value);
	return VERDICT_OK;
}

static enum verdict take_report(struct loader_options *o, const char *value, struct complaint *why)
{
	o->dangerous = text_equal(value, "report,dangerous");
	o->report = o->dangerous || text_equal(value, "report");
	if (!o->report)
		return refuse(why, VERDICT_MALFORMED,
			"command line: firmware=%s, expected report or report,dangerous", value);
	return VERDICT_OK;
}

static enum verdict take_word(struct loader_options *o, const char *word, struct complaint *why)
{
	if (text_equal(word, "nokaslr")) {
		o->nokaslr = true;
		return VERDICT_OK;
	}
	if (text_starts(word, "firmware="))
		return take_report(o, word + 9, why);
	if (text_starts(word, "video="))
		return take_video(o, word + 6, why);
	if (text_starts(word, "kernel="))
		return take_path(o->kernel, "kernel", word + 7, why);
	if (text_starts(word, "config="))
		return take_path(o->config, "config", word + 7, why);
	if (text_starts(word, "entry="))
		return take_path(o->entry, "entry", word + 6, why);
	if (LOADER_DEBUG && text_starts(word, "handoff_mutant="))
		return take_mutant(o, word + 15, why);
	if (!text_starts(word, "initrd="))
		return VERDICT_OK;
	if (o->initrd_count == INITRDS_MAX)
		return refuse(why, VERDICT_NO_ROOM, "command line: more than %u initrd= options",
			INITRDS_MAX);
	return take_path(o->initrds[o->initrd_count++], "initrd", word + 7, why);
}

enum verdict command_line_read(
	const struct command_line *line, struct loader_options *options, struct complaint *why)
{
	const char *at = line->text;
	char word[LOADER_PATH_MAX + 16];
	enum verdict verdict = VERDICT_OK;

	*options = (struct loader_options){0};
	while (!verdict && next_word(&at, word, sizeof(word)) && !text_equal(word, "--"))
		verdict = take_word(options, word, why);
	return verdict;
}

static bool ends_in_efi(const char *word, size_t length)
{
	static const char ending[] = ".efi";

	if (length < 4)
		return false;
	for (size_t i = 0; i < 4; i++)
		if (text_lower(word[length - 4 + i]) != ending[i])
			return false;
	return true;
}

enum verdict load_options_text(const void *options, size_t size, bool from_shell,
	struct command_line *line, struct complaint *why)
{
	size_t n = 0, skip = 0;
	bool quoted = false;

	*line = (struct command_line){0};
	for (; n < size / 2; n++) {
		uint16_t c;

		__builtin_memcpy(&c, (const char *)options + 2 * n, 2);
		if (!c)
			break;
		if ((c < ' ' || c > '~') && c != '\t')
			return refuse(why, VERDICT_MALFORMED,
				"load options: character 0x%x at %zu, expected printable ASCII", c,
				n);
		if (n + 1 >= COMMAND_LINE_MAX)
			return refuse(why, VERDICT_NO_ROOM,
				"load options: longer than %u characters", COMMAND_LINE_MAX - 1);
		line->text[n] = (char)c;
	}
	for (; skip < n && (quoted || !is_blank(line->text[skip])); skip++)
		if (line->text[skip] == '"')
			quoted = !quoted;
	if (!from_shell && !ends_in_efi(line->text, skip))
		skip = 0;
	while (skip < n && is_blank(line->text[skip]))
		skip++;
	line->length = n - skip;
	__builtin_memmove(line->text, line->text + skip, line->length);
	line->text[line->length] = '\0';
	return VERDICT_OK;
}
