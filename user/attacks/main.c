/* SPDX-License-Identifier: MIT */
/*
 * attacks: runs the attacks one after the other and prints the report card. See attack.h.
 *
 *	attacks [--json FILE | --records] [--wait] [NAME | FAMILY]...
 *	attacks --list	one attack a line: name, family, its title, what is tried, why it fails, what is expected,
 *			what Linux does; tabs between
 *
 * Standard output is KTAP, an `ok N name` or `not ok N name` for each, `# SKIP why` behind what cannot
 * be tried here; then a table by families, whose last line is `N held of N`. FILE gets the same as JSON,
 * one attack a line, written as it goes; --records has it on standard error. --wait: at the end a key is waited for (on a stick the machine
 * goes off after that). Status: 0 all held, 1 not all, 2 wrong use.
 */
#include "attacks/attack.h"

#include <sys/utsname.h>
#include <termios.h>

extern const struct family control_family, leaks_family, calls_family, monopoly_family,
	races_family, entries_family, frames_family, pointers_family, state_family, stack_family,
	memory_family, execute_family, privileged_family, objects_family, messages_family,
	commands_family, nested_family;

static const struct family *const families[] = {
	&memory_family, &pointers_family, &commands_family, &nested_family, &calls_family,
	&objects_family, &messages_family, &execute_family, &privileged_family, &entries_family,
	&frames_family, &state_family, &stack_family, &monopoly_family, &races_family,
	&leaks_family, &control_family, /* run when named only */
};

struct tally {
	unsigned held, broken, skipped;
};

static struct tally tallies[COUNT(families)];
static FILE *json;

/* ---- JSON ---- */

static void json_string(const char *name, const char *value, const char *behind)
{
	fprintf(json, "\"%s\": \"", name);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fprintf(json, "\\%c", *value);
		else if ((unsigned char)*value < ' ')
			fprintf(json, "\\u%04x", *value);
		else
			fputc(*value, json);
	}
	fprintf(json, "\"%s", behind);
}

static void json_begin(void)
{
	struct utsname name = {0};

	uname(&name);
	fprintf(json, "{\"schema\": 1, ");
	json_string("kernel", name.release, ", ");
	json_string("version", name.version, ", ");
	fprintf(json, "\"cpus\": %u, \"attacks\": [\n", shared->counting);
	fflush(json);
}

static void json_attack(const struct family *family, const struct attack *attack,
	const struct verdict *verdict, bool first)
{
	static const char *const words[] = {"held", "not held", "skipped"};
	char expected[160];

	expected_text(attack, expected, sizeof expected);
	fprintf(json, "%s{\"name\": \"%s-%s\", ", first ? "" : ",\n", family->name, attack->name);
	json_string("family", family->name, ", ");
	json_string("verdict", words[verdict->is], ", ");
	json_string("tries", attack->tries, ", ");
	json_string("why", attack->why, ", ");
	json_string("linux", attack->on_linux ? attack->on_linux : "the same", ", ");
	json_string("expected", expected, ", ");
	json_string("observed", verdict->observed, ", ");
	json_string("reason", verdict->reason, "}");
	fflush(json);
}

/* ---- Which ---- */

static bool is_named(const struct family *family, const struct attack *attack, const char *word)
{
	size_t length = strlen(family->name);

	if (strcmp(word, family->name) == 0)
		return true;
	return strncmp(word, family->name, length) == 0 && word[length] == '-' &&
	       strcmp(word + length + 1, attack->name) == 0;
}

static bool is_chosen(
	const struct family *family, const struct attack *attack, char **words, int count)
{
	for (int i = 0; i < count; i++) {
		if (is_named(family, attack, words[i]))
			return true;
	}
	return count == 0 && family != &control_family;
}

static bool exists(char *word)
{
	for (size_t f = 0; f < COUNT(families); f++) {
		for (size_t i = 0; i < families[f]->count; i++) {
			if (is_named(families[f], &families[f]->attacks[i], word))
				return true;
		}
	}
	fprintf(stderr, "attacks: no attack or family %s; --list lists them\n", word);
	return false;
}

static unsigned chosen(char **words, int count)
{
	unsigned found = 0;

	for (size_t f = 0; f < COUNT(families); f++) {
		for (size_t i = 0; i < families[f]->count; i++)
			found += is_chosen(families[f], &families[f]->attacks[i], words, count);
	}
	return found;
}

static int list(void)
{
	char expected[160];

	for (size_t f = 0; f < COUNT(families) && families[f] != &control_family; f++) {
		for (size_t i = 0; i < families[f]->count; i++) {
			const struct attack *attack = &families[f]->attacks[i];

			expected_text(attack, expected, sizeof expected);
			printf("%s-%s\t%s\t%s\t%s\t%s\t%s\t%s\n", families[f]->name, attack->name,
				families[f]->name, families[f]->title, attack->tries, attack->why,
				expected, attack->on_linux ? attack->on_linux : "the same");
		}
	}
	return 0;
}

/* ---- Running ---- */

static void count(struct tally *tally, const struct verdict *verdict)
{
	tally->held += verdict->is == HELD;
	tally->broken += verdict->is == BROKEN;
	tally->skipped += verdict->is == LEFT_OUT;
}

static void run_one(size_t f, const struct attack *attack)
{
	static unsigned number;
	struct verdict verdict;

	try_attack(attack, &verdict);
	count(&tallies[f], &verdict);
	number++;
	printf("%sok %u %s-%s", verdict.is == BROKEN ? "not " : "", number, families[f]->name,
		attack->name);
	if (verdict.is == LEFT_OUT)
		printf(" # SKIP %s", verdict.reason);
	putchar('\n');
	if (verdict.is == BROKEN)
		printf("# %s\n", verdict.reason);
	fflush(stdout);
	if (json)
		json_attack(families[f], attack, &verdict, number == 1);
}

/* The whole's tally. */
static struct tally print_table(void)
{
	struct tally all = {0, 0, 0};

	printf("\n%-44s %5s %5s %8s\n", "family", "held", "of", "skipped");
	for (size_t f = 0; f < COUNT(families); f++) {
		const struct tally *one = &tallies[f];

		if (one->held + one->broken + one->skipped)
			printf("%-44s %5u %5u %8u\n", families[f]->title, one->held,
				one->held + one->broken, one->skipped);
		all.held += one->held;
		all.broken += one->broken;
		all.skipped += one->skipped;
	}
	printf("%u held of %u", all.held, all.held + all.broken);
	if (all.skipped)
		printf(", %u skipped", all.skipped);
	printf("\n");
	fflush(stdout);
	return all;
}

static int run_all(char **words, int count)
{
	struct tally all;

	integrity_start();
	victim_start();
	printf("KTAP version 1\n1..%u\n", chosen(words, count));
	if (json)
		json_begin();
	for (size_t f = 0; f < COUNT(families); f++) {
		for (size_t i = 0; i < families[f]->count; i++) {
			if (is_chosen(families[f], &families[f]->attacks[i], words, count))
				run_one(f, &families[f]->attacks[i]);
		}
	}
	victim_end();
	all = print_table();
	if (json)
		fprintf(json, "\n], \"held\": %u, \"of\": %u, \"skipped\": %u}\n", all.held,
			all.held + all.broken, all.skipped);
	return all.broken || !all.held;
}

static void wait_for_key(void)
{
	struct termios before, raw;
	char key;

	if (tcgetattr(0, &before) < 0)
		return;
	raw = before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	tcsetattr(0, TCSAFLUSH, &raw); /* what was typed before does not count */
	printf("\nA key ends it.\n");
	fflush(stdout);
	(void)!read(0, &key, 1);
	tcsetattr(0, TCSANOW, &before);
}

struct options {
	bool wait, list;
	int first; /* of the names; 0: wrong use */
};

static struct options parse(int argc, char **argv)
{
	struct options options = {false, false, 1};
	int at;

	for (at = 1; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--list") == 0) {
			options.list = true;
		} else if (strcmp(argv[at], "--wait") == 0) {
			options.wait = true;
		} else if (strcmp(argv[at], "--records") == 0) {
			json = stderr;
		} else if (strcmp(argv[at], "--json") == 0 && at + 1 < argc) {
			json = fopen(argv[++at], "we");
			if (!json) {
				fprintf(stderr, "attacks: %s: %s\n", argv[at], strerror(errno));
				return (struct options){0};
			}
		} else {
			fprintf(stderr, "usage: attacks [--json FILE | --records] [--wait] "
					"[NAME | FAMILY]..., attacks --list\n");
			return (struct options){0};
		}
	}
	options.first = at;
	return options;
}

int main(int argc, char **argv)
{
	struct options options = parse(argc, argv);
	int status;

	if (!options.first)
		return 2;
	if (options.list)
		return list();
	for (int i = options.first; i < argc; i++) {
		if (!exists(argv[i]))
			return 2;
	}
	shared = mmap(
		NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		return 2;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	stranger(EVE);
	status = run_all(argv + options.first, argc - options.first);
	if (options.wait)
		wait_for_key();
	return status;
}
