/* SPDX-License-Identifier: MIT */
#include "command_line.h"

#include "check.h"

#define FUZZ_ROUNDS 50000u

static struct complaint why;
static struct loader_options options;

static enum verdict read_text(const char *text)
{
	static struct command_line line;

	line = (struct command_line){0};
	CHECK_EQUAL(command_line_append(&line, text, &why), VERDICT_OK);
	return command_line_read(&line, &options, &why);
}

static void appends(void)
{
	static struct command_line line;
	char much[COMMAND_LINE_MAX];

	CHECK_EQUAL(command_line_append(&line, "", &why), VERDICT_OK);
	CHECK_EQUAL(command_line_append(&line, "a=1", &why), VERDICT_OK);
	CHECK_EQUAL(command_line_append(&line, "", &why), VERDICT_OK);
	CHECK_EQUAL(command_line_append(&line, "b", &why), VERDICT_OK);
	CHECK_TEXT(line.text, "a=1 b");
	CHECK_EQUAL(command_line_append(&line, "\n", &why), VERDICT_MALFORMED);
	CHECK_EQUAL(command_line_append(&line, "\xc3\xa9", &why), VERDICT_MALFORMED);
	memset(much, 'x', sizeof(much));
	much[COMMAND_LINE_MAX - 6] = '\0';
	CHECK_EQUAL(command_line_append(&line, much, &why), VERDICT_NO_ROOM);
	much[COMMAND_LINE_MAX - 7] = '\0';
	CHECK_EQUAL(command_line_append(&line, much, &why), VERDICT_OK);
	CHECK_EQUAL(line.length, COMMAND_LINE_MAX - 1);
	CHECK_EQUAL(strlen(line.text), line.length);
}

static void reads(void)
{
	CHECK_EQUAL(read_text("quiet nokaslr video=1024x768 kernel=/a/b.elf initrd=x "
			      "initrd=\\y\\z entry=e config=c foo=\"a initrd=no\""),
		VERDICT_OK);
	CHECK(options.nokaslr);
	CHECK_EQUAL(options.video_width, 1024);
	CHECK_EQUAL(options.video_height, 768);
	CHECK_TEXT(options.kernel, "\\a\\b.elf");
	CHECK_EQUAL(options.initrd_count, 2);
	CHECK_TEXT(options.initrds[0], "\\x");
	CHECK_TEXT(options.initrds[1], "\\y\\z");
	CHECK_TEXT(options.entry, "\\e");
	CHECK_TEXT(options.config, "\\c");
	CHECK_EQUAL(read_text("kernel=\"/with blank.elf\" -- nokaslr"), VERDICT_OK);
	CHECK_TEXT(options.kernel, "\\with blank.elf");
	CHECK(!options.nokaslr);
	CHECK(!options.report && !options.dangerous);
	CHECK_EQUAL(read_text("firmware=report"), VERDICT_OK);
	CHECK(options.report && !options.dangerous);
	CHECK_EQUAL(read_text("firmware=report,dangerous"), VERDICT_OK);
	CHECK(options.report && options.dangerous);
	CHECK_EQUAL(read_text("firmware=reports"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_text("firmware="), VERDICT_MALFORMED);
	CHECK_EQUAL(read_text("xnokaslr nokaslrx"), VERDICT_OK);
	CHECK(!options.nokaslr);
}

static void refuses(void)
{
	char path[LOADER_PATH_MAX + 16] = "kernel=";

	CHECK_EQUAL(read_text("video=1024"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_text("video=x"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_text("video=0x0"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_text("video=99999x1"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_text("video=1x1x1"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_text("kernel="), VERDICT_MALFORMED);
	CHECK_EQUAL(read_text("initrd=a initrd=a initrd=a initrd=a initrd=a initrd=a initrd=a "
			      "initrd=a"),
		VERDICT_OK);
	CHECK_EQUAL(read_text("initrd=a initrd=a initrd=a initrd=a initrd=a initrd=a initrd=a "
			      "initrd=a initrd=a"),
		VERDICT_NO_ROOM);
	memset(path + 7, 'p', LOADER_PATH_MAX - 2);
	CHECK_EQUAL(read_text(path), VERDICT_OK);
	path[7 + LOADER_PATH_MAX - 2] = 'p';
	CHECK_EQUAL(read_text(path), VERDICT_MALFORMED);
}

static enum verdict convert(const char *text, size_t extra, bool shell, struct command_line *line)
{
	size_t n = strlen(text) + extra;
	uint16_t *wide = calloc(n + 1, 2);
	enum verdict verdict;

	CHECK(wide);
	for (size_t i = 0; text[i]; i++)
		wide[i] = (unsigned char)text[i];
	verdict = load_options_text(wide, 2 * n, shell, line, &why);
	free(wide);
	return verdict;
}

static void converts_load_options(void)
{
	static struct command_line line;

	CHECK_EQUAL(convert("a b=c", 1, false, &line), VERDICT_OK);
	CHECK_TEXT(line.text, "a b=c");
	CHECK_EQUAL(convert("a b=c", 0, true, &line), VERDICT_OK);
	CHECK_TEXT(line.text, "b=c");
	CHECK_EQUAL(convert("fs0:\\EFI\\BOOT\\BootX64.EFI  x ", 1, false, &line), VERDICT_OK);
	CHECK_TEXT(line.text, "x ");
	CHECK_EQUAL(convert("\"fs0:\\a b.efi\" y", 1, true, &line), VERDICT_OK);
	CHECK_TEXT(line.text, "y");
	CHECK_EQUAL(convert("loader.efi", 3, false, &line), VERDICT_OK);
	CHECK_TEXT(line.text, "");
	CHECK_EQUAL(convert("", 0, true, &line), VERDICT_OK);
	CHECK_EQUAL(line.length, 0);
	CHECK_EQUAL(convert("bad \x01", 1, false, &line), VERDICT_MALFORMED);
	CHECK_EQUAL(load_options_text("abc", 3, false, &line, &why), VERDICT_MALFORMED);
	CHECK_EQUAL(load_options_text("a\0b", 3, false, &line, &why), VERDICT_OK);
	CHECK_TEXT(line.text, "a");
}

static void fuzz(void)
{
	static const char *const words[] = {"video=", "initrd=", "kernel=", "nokaslr", "\"", " ",
		"--", "x", "1024x768", "/", "\t", "config=", "99999999999", "entry="};
	static struct command_line line;
	uint64_t seed = 7, good = 0;

	for (unsigned int round = 0; round < FUZZ_ROUNDS; round++) {
		line = (struct command_line){0};
		for (uint64_t n = next_random(&seed) % 20; n; n--) {
			const char *word = words[next_random(&seed) % 14];

			if (next_random(&seed) % 3) {
				memcpy(line.text + line.length, word, strlen(word) + 1);
				line.length += strlen(word);
			} else {
				CHECK_EQUAL(command_line_append(&line, word, &why), VERDICT_OK);
			}
		}
		CHECK_EQUAL(strlen(line.text), line.length);
		good += command_line_read(&line, &options, &why) == VERDICT_OK;
		CHECK(options.initrd_count <= INITRDS_MAX);
	}
	CHECK(good > FUZZ_ROUNDS / 10 && good < FUZZ_ROUNDS);
}

int main(void)
{
	appends();
	reads();
	refuses();
	converts_load_options();
	fuzz();
	return 0;
}
