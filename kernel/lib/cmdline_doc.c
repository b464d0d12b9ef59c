/* SPDX-License-Identifier: MIT */
/*
 * A program for the host: prints docs/cmdline.md from the table of options; with a path as its
 * argument it compares that file with what it would print, and fails where they differ.
 */
#include "lib/cmdline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char intro[] =
	"<!-- SPDX-License-Identifier: MIT -->\n"
	"# The kernel's command line\n"
	"\n"
	"<!-- Made from kernel/lib/options.h by build/kernel/lib/cmdline-doc; do not edit. -->\n"
	"\n"
	"Options come from the boot entry's `options`, from the loader's own load options (a "
	"shell, a\n"
	"Boot#### entry) and from `tools/baton run --cmdline`, one after the other; of an option "
	"given\n"
	"twice the last one counts. A word that is no option is warned about in the log and goes "
	"to\n"
	"process 1, `NAME=VALUE` as an environment variable and a word without `=` as an "
	"argument;\n"
	"everything after `--` is an argument for process 1. `\"Double quotes\"` hold white space\n"
	"together. Words like `module.option=x` are dropped, with a warning.\n"
	"\n"
	"| option | default | what it does |\n"
	"|---|---|---|\n";

#define ON_OFF      "on\\|off"
#define ON_OFF_AUTO "on\\|off\\|auto"

static const char *choice(enum option_choice value)
{
	return value == OPTION_ON ? "on" : value == OPTION_OFF ? "off" : "auto";
}

static const char *or_none(const char *text)
{
	return text ? text : "none";
}

#define DOC_FLAG(name, help) fprintf(to, "| `" #name "` | off | %s |\n", help);
#define DOC_INT(name, standard, least, most, help) \
	fprintf(to, "| `" #name "=`NUMBER | %d | %s (%d to %d) |\n", standard, help, least, most);
#define DOC_STRING(name, standard, help) \
	fprintf(to, "| `" #name "=`TEXT | %s | %s |\n", or_none(standard), help);
#define DOC_SYNONYM(name, of, help) \
	fprintf(to, "| `" #name "=`TEXT | as `" #of "=` | %s |\n", help);
#define DOC_CHOICE(name, standard, set, help) \
	fprintf(to, "| `" #name "=`" set " | %s | %s |\n", choice(standard), help);
#define DOC_LIST(name, help) \
	fprintf(to, "| `" #name "=`TEXT, up to %u times | none | %s |\n", CMDLINE_LIST_MAX, help);

static void print(FILE *to)
{
	fputs(intro, to);
	OPTIONS(DOC_FLAG, DOC_INT, DOC_STRING, DOC_SYNONYM, DOC_CHOICE, DOC_LIST)
}

static int compare(const char *path)
{
	char expected[256], found[256], *text;
	size_t size;
	FILE *file = fopen(path, "r"), *made = open_memstream(&text, &size);
	int line = 0, different = 0;

	if (!file || !made) {
		perror(path);
		return 1;
	}
	print(made);
	fclose(made);
	made = fmemopen(text, size, "r");
	while (made && !different) {
		char *e = fgets(expected, sizeof(expected), made),
		     *f = fgets(found, sizeof(found), file);

		line++;
		if (!e && !f)
			break;
		different = !e || !f || strcmp(expected, found);
		if (different)
			fprintf(stderr, "%s:%d: found %sexpected %s", path, line,
				f ? f : "the end\n", e ? e : "the end\n");
	}
	if (different)
		fprintf(stderr, "make it anew: build/kernel/lib/cmdline-doc > docs/cmdline.md\n");
	fclose(file);
	free(text);
	return !made || different;
}

int main(int argc, char **argv)
{
	if (argc == 2)
		return compare(argv[1]);
	print(stdout);
	return 0;
}
