/* SPDX-License-Identifier: MIT */
/* The command line: the rules case by case, and random lines under the sanitizers with invariants
 * that hold for any. */
#include "lib/cmdline.h"
#include "lib/check.h"

static struct cmdline result;
static char *storage;
static char warnings[8000];

static void note(void *context, const char *what, const char *word)
{
	size_t length = strlen(warnings);

	CHECK(context == &result);
	snprintf(warnings + length, sizeof(warnings) - length, "%s: %s\n", word, what);
}

static void parse_bytes(const char *text, size_t length)
{
	free(storage);
	storage = malloc(length + 1); /* exactly what was promised */
	CHECK(storage);
	warnings[0] = 0;
	cmdline_parse(&result, text, length, storage, note, &result);
}

static void parse(const char *text)
{
	parse_bytes(text, strlen(text));
}

static void test_defaults(void)
{
	parse("");
	CHECK_EQUAL(result.hz, 100);
	CHECK_EQUAL(result.loglevel, 7);
	CHECK_STRING(result.init, "/init");
	CHECK(!result.video && !result.initrd && !result.quiet && !result.halt);
	CHECK_EQUAL(result.pti, OPTION_AUTO);
	CHECK_EQUAL(result.pcid, OPTION_OFF);
	CHECK_EQUAL(result.init_argc, 0);
	CHECK_STRING(warnings, "");
}

static void test_known(void)
{
	parse("  hz=1000 quiet\tnokaslr pti=off pcid=on\ninit=/bin/sh video=800x600 maxcpus=0x10 "
	      "halt ");
	CHECK_STRING(warnings, "");
	CHECK_EQUAL(result.hz, 1000);
	CHECK(result.quiet && result.nokaslr && result.halt && !result.nosmp);
	CHECK_EQUAL(result.pti, OPTION_OFF);
	CHECK_EQUAL(result.pcid, OPTION_ON);
	CHECK_STRING(result.init, "/bin/sh");
	CHECK_STRING(result.video, "800x600");
	CHECK_EQUAL(result.maxcpus, 16);
	parse("init=/a rdinit=/b");
	CHECK_STRING(result.init, "/b");
	parse("hz=1 hz=2");
	CHECK_EQUAL(result.hz, 2);
}

static void test_bad_values(void)
{
	static const struct {
		const char *line, *warning;
	} cases[] = {
		{"hz=0", "hz=0: is out of range; ignored\n"},
		{"hz=10001", "hz=10001: is out of range; ignored\n"},
		{"hz=99999999999999999999999",
			"hz=99999999999999999999999: needs a number; ignored\n"},
		{"hz=12a", "hz=12a: needs a number; ignored\n"},
		{"hz=-1", "hz=-1: needs a number; ignored\n"},
		{"hz=0x", "hz=0x: needs a number; ignored\n"},
		{"hz=", "hz=: needs a value; ignored\n"},
		{"hz", "hz: needs a value; ignored\n"},
		{"pcid=auto", "pcid=auto: needs on or off; ignored\n"},
		{"pti=maybe", "pti=maybe: needs on, off or auto; ignored\n"},
		{"quiet=1", "quiet=1: takes no value; taken as given\n"},
		{"console=a console=b console=c console=d console=e",
			"console=e: came too often; ignored\n"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		parse(cases[i].line);
		CHECK_STRING(warnings, cases[i].warning);
		CHECK_EQUAL(result.hz, 100);
		CHECK_EQUAL(result.init_argc + result.init_envc, 0);
	}
	CHECK_STRING(result.console[3], "d");
	CHECK(!result.console[4]);
}

static void test_for_init(void)
{
	parse("single TERM=linux htz=7 mod.param=3 mod.flag quiet -- --help hz=5 a.b \"two words\" "
	      "--");
	CHECK_STRING(warnings, "single: unknown option; an argument for process 1\n"
			       "htz=7: unknown option; a variable for process 1\n"
			       "mod.param=3: unknown option; dropped\n"
			       "mod.flag: unknown option; dropped\n");
	CHECK_EQUAL(result.hz, 100);
	CHECK_EQUAL(result.init_argc, 6);
	CHECK_STRING(result.init_argv[0], "single");
	CHECK_STRING(result.init_argv[1], "--help");
	CHECK_STRING(result.init_argv[2], "hz=5");
	CHECK_STRING(result.init_argv[3], "a.b");
	CHECK_STRING(result.init_argv[4], "two words");
	CHECK_STRING(result.init_argv[5], "--");
	CHECK(!result.init_argv[6]);
	CHECK_EQUAL(result.init_envc, 2);
	CHECK_STRING(result.init_envp[0], "TERM=linux");
	CHECK_STRING(result.init_envp[1], "htz=7");
	parse("A=1 AB=2 A=3 x=a.b =5");
	CHECK_EQUAL(result.init_envc, 3);
	CHECK_STRING(result.init_envp[0], "A=3");
	CHECK_STRING(result.init_envp[1], "AB=2");
	CHECK_STRING(result.init_envp[2], "x=a.b");
	CHECK(strstr(warnings, "=5: unknown option; dropped\n"));
}

static void test_quotes(void)
{
	parse("init=\"/bin/a b\" X=\"one two\" \"Y=three four\" \"plain\" a\"b c\"d init_=\"\" "
	      "Z=\"open");
	CHECK_STRING(result.init, "/bin/a b");
	CHECK_STRING(result.init_envp[0], "X=one two");
	CHECK_STRING(result.init_envp[1], "Y=three four");
	CHECK_STRING(result.init_argv[0], "plain");
	CHECK_STRING(result.init_argv[1], "a\"b c\"d");
	CHECK_STRING(result.init_envp[2], "init_=");
	CHECK_STRING(result.init_envp[3], "Z=open");
	parse("\"hz=50\" \"\" \"");
	CHECK_EQUAL(result.hz, 50);
	parse("\"--\" hz=7");
	CHECK_EQUAL(result.hz, 100);
	parse_bytes("hz=7\0halt", 9);
	CHECK(result.hz == 7 && result.halt);
}

static void test_many(void)
{
	char line[4000];
	size_t length = 0;

	for (int i = 0; i < 40; i++)
		length += (size_t)sprintf(line + length, "V%d=x w%d ", i, i);
	parse(line);
	CHECK_EQUAL(result.init_argc, CMDLINE_INIT_MAX);
	CHECK_EQUAL(result.init_envc, CMDLINE_INIT_MAX);
	CHECK(!result.init_argv[CMDLINE_INIT_MAX] && !result.init_envp[CMDLINE_INIT_MAX]);
	CHECK(strstr(warnings, "w39: process 1 has too many arguments; dropped\n"));
	CHECK(strstr(warnings, "V39=x: process 1 has too many variables; dropped\n"));
}

static void test_consoles(void)
{
	parse("");
	CHECK(cmdline_console(&result, "ttyS0") && cmdline_console(&result, "tty0"));
	parse("console=ttyS0,115200n8");
	CHECK(cmdline_console(&result, "ttyS0") && !cmdline_console(&result, "tty0"));
	CHECK(!cmdline_console(&result, "ttyS"));
	CHECK_STRING(cmdline_console_frame(&result, "ttyS0"), "115200n8");
	CHECK(!cmdline_console_frame(&result, "ttyS1"));
	parse("console=tty0 console=ttyS1");
	CHECK(cmdline_console(&result, "tty0") && cmdline_console(&result, "ttyS1"));
	CHECK(!cmdline_console(&result, "ttyS0"));
}

static void test_random_lines(void)
{
	static const char *const parts[] = {"hz", "=", "\"", " ", "--", "quiet", "pti", "on",
		"init", ".", "a", "1", "0x", "console", "\t", "-", "\xff", "X"};
	uint64_t seed = 3;

	for (unsigned n = 0; n < 100000; n++) {
		char line[200];
		size_t length = 0, count = check_random(&seed) % 24;

		while (count--) {
			const char *part = parts[check_random(&seed) % ARRAY_SIZE(parts)];

			memcpy(line + length, part, strlen(part));
			length += strlen(part);
		}
		parse_bytes(line, length);
		CHECK(result.hz >= 1 && result.hz <= 10000);
		CHECK(result.init && result.pti <= OPTION_AUTO && result.pcid <= OPTION_ON);
		for (unsigned i = 0; i < result.init_argc; i++)
			CHECK(strlen(result.init_argv[i]) <= length);
		for (unsigned i = 0; i < result.init_envc; i++)
			CHECK(strchr(result.init_envp[i], '='));
		CHECK(!result.init_argv[result.init_argc] && !result.init_envp[result.init_envc]);
	}
}

int main(void)
{
	test_defaults();
	test_known();
	test_bad_values();
	test_for_init();
	test_quotes();
	test_many();
	test_consoles();
	test_random_lines();
	free(storage);
	return check_done();
}
