/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "check.h"

#define FUZZ_ROUNDS 30000u

static struct complaint why;
static struct loader_config config;
static struct boot_entry entry;

/* In a block of just its size, so that ASan sees a step too far. */
static enum verdict read_loader(const char *text)
{
	size_t size = strlen(text);
	char *copy = malloc(size ? size : 1);
	enum verdict verdict;

	CHECK(copy);
	memcpy(copy, text, size);
	verdict = config_read_loader(copy, size, &config, &why);
	free(copy);
	return verdict;
}

static enum verdict read_entry_bytes(const char *text, size_t size)
{
	char *copy = malloc(size ? size : 1);
	enum verdict verdict;

	CHECK(copy);
	memcpy(copy, text, size);
	verdict = config_read_entry(copy, size, &entry, &why);
	free(copy);
	return verdict;
}

static enum verdict read_entry(const char *text)
{
	return read_entry_bytes(text, strlen(text));
}

static void loader_conf(void)
{
	CHECK_EQUAL(read_loader(""), VERDICT_OK);
	CHECK_EQUAL(config.timeout, 0);
	CHECK_TEXT(config.default_entry, "");
	CHECK_EQUAL(read_loader("\xef\xbb\xbf# comment\r\n\r\n  default\tbaton*  \r\ntimeout 5\r\n"
				"console-mode max\neditor\n"),
		VERDICT_OK);
	CHECK_TEXT(config.default_entry, "baton*");
	CHECK_EQUAL(config.timeout, 5);
	CHECK_EQUAL(read_loader("timeout 3600"), VERDICT_OK);
	CHECK_EQUAL(config.timeout, 3600);
}

static void loader_conf_refused(void)
{
	CHECK_EQUAL(read_loader("\n\ntimeout x\n"), VERDICT_MALFORMED);
	CHECK_TEXT(why.text, "line 3: `timeout x`, expected seconds from 0 to 3600");
	CHECK_EQUAL(read_loader("timeout 3601"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_loader("timeout"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_loader("timeout 1 2"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_loader("default"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_loader("default a\x1b[2J"), VERDICT_MALFORMED);
	CHECK_TEXT(why.text, "line 1, column 10: byte 0x1b, expected text");
	CHECK_EQUAL(config_read_loader("", CONFIG_FILE_MAX + 1, &config, &why), VERDICT_MALFORMED);
}

static void entries(void)
{
	CHECK_EQUAL(read_entry("title  Baton, the first  \nversion 1\nkernel /baton/kernel.elf\n"
			       "initrd /a\ninitrd b\\c\noptions x=1\noptions y=2\nsort-key z"),
		VERDICT_OK);
	CHECK_TEXT(entry.title, "Baton, the first");
	CHECK_TEXT(entry.kernel, "\\baton\\kernel.elf");
	CHECK_EQUAL(entry.initrd_count, 2);
	CHECK_TEXT(entry.initrds[0], "\\a");
	CHECK_TEXT(entry.initrds[1], "\\b\\c");
	CHECK_TEXT(entry.options.text, "x=1 y=2");
	CHECK_EQUAL(read_entry("title Debian\nlinux /vmlinuz\ninitrd /initrd\n"), VERDICT_OK);
	CHECK_TEXT(entry.kernel, "");
	CHECK_EQUAL(read_entry("options\n"), VERDICT_OK);
	CHECK_EQUAL(
		read_entry("a-key-that-is-longer-than-any-key-that-is-known value\n"), VERDICT_OK);
}

static void entries_refused(void)
{
	char line[CONFIG_FILE_MAX];

	CHECK_EQUAL(read_entry("kernel a\nkernel b\n"), VERDICT_MALFORMED);
	CHECK_TEXT(why.text, "line 2: a second `kernel`");
	CHECK_EQUAL(read_entry("kernel \t\n"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_entry("title\n"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_entry("initrd\n"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_entry("options a\xc3\xa9\n"), VERDICT_MALFORMED);
	CHECK_EQUAL(read_entry_bytes("kernel a\0b\n", 11), VERDICT_MALFORMED);
	memset(line, 'x', sizeof(line));
	memcpy(line, "kernel ", 7);
	CHECK_EQUAL(read_entry_bytes(line, 7 + LOADER_PATH_MAX - 2), VERDICT_OK);
	CHECK_EQUAL(read_entry_bytes(line, 7 + LOADER_PATH_MAX - 1), VERDICT_MALFORMED);
	CHECK_EQUAL(read_entry_bytes(line, 4200), VERDICT_MALFORMED);
	CHECK_EQUAL(read_entry_bytes(line, 4100), VERDICT_MALFORMED);
	memcpy(line, "title  ", 7);
	CHECK_EQUAL(read_entry_bytes(line, 300), VERDICT_OK);
	CHECK_EQUAL(strlen(entry.title), CONFIG_NAME_MAX - 1);
	for (int i = 0; i < 9; i++)
		memcpy(line + 9 * i, "initrd a\n", 9);
	CHECK_EQUAL(read_entry_bytes(line, 72), VERDICT_OK);
	CHECK_EQUAL(read_entry_bytes(line, 81), VERDICT_MALFORMED);
}

static void patterns(void)
{
	CHECK(config_name_matches("baton", "baton.conf"));
	CHECK(config_name_matches("BATON.conf", "baton.CONF"));
	CHECK(config_name_matches("b*n*", "baton.conf"));
	CHECK(config_name_matches("*", "x"));
	CHECK(config_name_matches("b?ton", "baton.conf"));
	CHECK(!config_name_matches("bat", "baton.conf"));
	CHECK(!config_name_matches("", "baton.conf"));
	CHECK(!config_name_matches("?", ""));
	CHECK(config_name_matches("*.conf", "a.conf") && !config_name_matches("*.conf", "a.conf~"));
	/* Many stars stay quick. */
	CHECK(!config_name_matches("*a*a*a*a*a*a*a*a*a*a*b",
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	CHECK(config_is_pattern("a*") && config_is_pattern("?") && !config_is_pattern("a.conf"));
}

static void fuzz(void)
{
	static const char *const pieces[] = {"kernel", "initrd", "options", "title", "timeout",
		"default", " ", "\t", "\n", "\r\n", "#", "/a/b", "\\", "5", "\x01", "\xff",
		"x=\"y z\"", "\xef\xbb\xbf", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "*"};
	uint64_t seed = 8, good = 0;
	char text[4096];

	for (unsigned int round = 0; round < FUZZ_ROUNDS; round++) {
		size_t size = 0;

		for (uint64_t n = next_random(&seed) % 60; n; n--) {
			const char *p = pieces[next_random(&seed) % 20];

			memcpy(text + size, p, strlen(p));
			size += strlen(p);
			if (next_random(&seed) % 40 == 0)
				text[size++] = (char)next_random(&seed);
		}
		text[size] = '\0';
		good += read_entry_bytes(text, size) == VERDICT_OK;
		CHECK(entry.initrd_count <= INITRDS_MAX);
		CHECK(strlen(entry.kernel) < LOADER_PATH_MAX);
		CHECK_EQUAL(strlen(entry.options.text), entry.options.length);
		read_loader(text);
	}
	CHECK(good > FUZZ_ROUNDS / 100 && good < FUZZ_ROUNDS);
}

int main(void)
{
	loader_conf();
	loader_conf_refused();
	entries();
	entries_refused();
	patterns();
	fuzz();
	return 0;
}
