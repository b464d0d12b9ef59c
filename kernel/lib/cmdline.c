/* SPDX-License-Identifier: MIT */
/*
 * The command line's parser. It goes over a copy of the text, word by word, putting NULs at the ends
 * and taking quotes off in place: nothing is allocated, and every string handed out points into the
 * copy. An option is looked up in an array made from the table; a value that does not fit leaves the
 * default and is warned about.
 */
#include "lib/cmdline.h"
#include "lib/string.h"

enum option_kind { KIND_FLAG, KIND_INT, KIND_STRING, KIND_CHOICE, KIND_LIST };

struct option {
	const char *name;
	enum option_kind kind;
	size_t offset;                 /* of the field in struct cmdline */
	int64_t standard, least, most; /* INT; CHOICE: the most is the last one allowed */
	const char *text;              /* STRING */
};

#define ON_OFF                  OPTION_ON /* the last choice of the set */
#define ON_OFF_AUTO             OPTION_AUTO

#define FIELD(name)             offsetof(struct cmdline, name)
#define OPTION_FLAG(name, help) {#name, KIND_FLAG, FIELD(name), 0, 0, 0, NULL},
#define OPTION_INT(name, standard, least, most, help) \
	{#name, KIND_INT, FIELD(name), standard, least, most, NULL},
#define OPTION_STRING(name, standard, help) {#name, KIND_STRING, FIELD(name), 0, 0, 0, standard},
#define OPTION_SYNONYM(name, of, help)      {#name, KIND_STRING, FIELD(of), 0, 0, 0, NULL},
#define OPTION_CHOICE(name, standard, set, help) \
	{#name, KIND_CHOICE, FIELD(name), standard, 0, set, NULL},
#define OPTION_LIST(name, help) {#name, KIND_LIST, FIELD(name), 0, 0, 0, NULL},

static const struct option options[] = {OPTIONS(
	OPTION_FLAG, OPTION_INT, OPTION_STRING, OPTION_SYNONYM, OPTION_CHOICE, OPTION_LIST)};

static const char *const choices[] = {
	[OPTION_OFF] = "off", [OPTION_ON] = "on", [OPTION_AUTO] = "auto"};

struct parser {
	struct cmdline *out;
	cmdline_warning warning;
	void *context;
};

static void warn(const struct parser *parser, const char *what, const char *word)
{
	parser->warning(parser->context, what, word);
}

static void *field(const struct parser *parser, const struct option *option)
{
	return (char *)parser->out + option->offset;
}

static void set_defaults(const struct parser *parser)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const struct option *option = &options[i];

		if (option->kind == KIND_INT)
			*(int64_t *)field(parser, option) = option->standard;
		else if (option->kind == KIND_CHOICE)
			*(enum option_choice *)field(parser, option) =
				(enum option_choice)option->standard;
		else if (option->kind == KIND_STRING && option->text)
			*(const char **)field(parser, option) = option->text;
	}
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
}

/* A whole non-negative number, decimal or 0x. */
static bool parse_int(const char *text, int64_t *out)
{
	int base = 10;
	int64_t value = 0;

	if (text[0] == '0' && (text[1] | 0x20) == 'x') {
		base = 16;
		text += 2;
	}
	if (!*text)
		return false;
	for (; *text; text++) {
		if (digit(*text) >= base || value > (INT64_MAX - 15) / base)
			return false;
		value = value * base + digit(*text);
	}
	*out = value;
	return true;
}

static bool set_choice(const struct parser *parser, const struct option *option, const char *value)
{
	for (int64_t i = 0; i <= option->most; i++) {
		if (!strcmp(value, choices[i])) {
			*(enum option_choice *)field(parser, option) = (enum option_choice)i;
			return true;
		}
	}
	return false;
}

static bool add_to_list(const char **list, unsigned most, const char *value)
{
	for (unsigned i = 0; i < most; i++) {
		if (!list[i]) {
			list[i] = value;
			return true;
		}
	}
	return false;
}

/* Sets an option; NULL, or what is wrong with the value (NULL itself without a `=`). */
static const char *set_option(
	const struct parser *parser, const struct option *option, const char *value)
{
	int64_t number;

	if (option->kind == KIND_FLAG) {
		*(bool *)field(parser, option) = true;
		return value ? "takes no value; taken as given" : NULL;
	}
	if (!value || !*value)
		return "needs a value; ignored";
	switch (option->kind) {
	case KIND_INT:
		if (!parse_int(value, &number))
			return "needs a number; ignored";
		if (number < option->least || number > option->most)
			return "is out of range; ignored";
		*(int64_t *)field(parser, option) = number;
		return NULL;
	case KIND_CHOICE:
		if (set_choice(parser, option, value))
			return NULL;
		return option->most == ON_OFF ? "needs on or off; ignored"
					      : "needs on, off or auto; ignored";
	case KIND_LIST:
		return add_to_list(field(parser, option), CMDLINE_LIST_MAX, value)
			       ? NULL
			       : "came too often; ignored";
	default:
		*(const char **)field(parser, option) = value;
		return NULL;
	}
}

static void give_argument(const struct parser *parser, const char *word)
{
	struct cmdline *out = parser->out;

	if (out->init_argc < CMDLINE_INIT_MAX)
		out->init_argv[out->init_argc++] = word;
	else
		warn(parser, "process 1 has too many arguments; dropped", word);
}

/* As in Linux, a second value of a variable takes the first one's place. */
static void give_variable(const struct parser *parser, const char *word, size_t name_length)
{
	struct cmdline *out = parser->out;
	unsigned i = 0;

	while (i < out->init_envc && strncmp(out->init_envp[i], word, name_length + 1))
		i++;
	if (i == CMDLINE_INIT_MAX) {
		warn(parser, "process 1 has too many variables; dropped", word);
		return;
	}
	out->init_envp[i] = word;
	if (i == out->init_envc)
		out->init_envc++;
}

/* As the names of variables are by custom, and those of options are not. */
static bool is_upper_case(const char *name, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		if (name[i] >= 'a' && name[i] <= 'z')
			return false;
	}
	return true;
}

static void unknown_word(const struct parser *parser, char *word, size_t name_length)
{
	bool has_value = word[name_length] == '=';
	char end = word[name_length];
	bool dotted;

	word[name_length] = 0;
	dotted = strchr(word, '.') != NULL;
	word[name_length] = end;
	if (dotted || !name_length) {
		warn(parser, "unknown option; dropped", word);
	} else if (has_value) {
		if (!is_upper_case(word, name_length))
			warn(parser, "unknown option; a variable for process 1", word);
		give_variable(parser, word, name_length);
	} else {
		warn(parser, "unknown option; an argument for process 1", word);
		give_argument(parser, word);
	}
}

/* A word without the quotes around it; name_length is up to its first `=` or end. */
static void take_word(const struct parser *parser, char *word, size_t name_length, char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		const char *name = options[i].name;

		if (strlen(name) == name_length && !memcmp(name, word, name_length)) {
			const char *wrong = set_option(parser, &options[i], value);

			if (wrong)
				warn(parser, wrong, word);
			return;
		}
	}
	unknown_word(parser, word, name_length);
}

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

struct word {
	char *start, *end;  /* end: where the NUL was put */
	size_t name_length; /* up to the first `=`, or all of it */
	char *value;        /* NULL: no `=` */
};

/* Takes the quotes around a value off: NAME="VALUE" becomes NAME=VALUE in its place. */
static void unquote_value(struct word *word)
{
	char *value = word->value;
	size_t length;

	if (!value || *value != '"')
		return;
	length = (size_t)(word->end - value) - 1;
	if (length && value[length] == '"')
		length--;
	memmove(value, value + 1, length);
	value[length] = 0;
}

/* Cuts the next word out of the text; false: there is none. *at moves behind it. */
static bool next_word(char **at, struct word *word)
{
	char *p = *at, *equals = NULL;
	bool in_quotes = false, quoted;

	while (is_space(*p))
		p++;
	if (!*p)
		return false;
	quoted = *p == '"';
	if (quoted) {
		p++;
		in_quotes = true;
	}
	word->start = p;
	for (; *p && (in_quotes || !is_space(*p)); p++) {
		if (*p == '=' && !equals)
			equals = p;
		if (*p == '"')
			in_quotes = !in_quotes;
	}
	*at = *p ? p + 1 : p;
	*p = 0;
	if (quoted && p > word->start && p[-1] == '"')
		*--p = 0;
	word->end = p;
	word->value = equals && equals < p ? equals + 1 : NULL;
	word->name_length = (size_t)((word->value ? equals : p) - word->start);
	unquote_value(word);
	return true;
}

void cmdline_parse(struct cmdline *out, const char *text, size_t length, char *storage,
	cmdline_warning warning, void *context)
{
	struct parser parser = {out, warning, context};
	bool options_ended = false;
	struct word word;
	char *at = storage;

	*out = (struct cmdline){0};
	set_defaults(&parser);
	for (size_t i = 0; i < length; i++) /* an embedded NUL would hide what follows */
		storage[i] = text[i] ? text[i] : ' ';
	storage[length] = 0;
	while (next_word(&at, &word)) {
		if (options_ended)
			give_argument(&parser, word.start);
		else if (!strcmp(word.start, "--"))
			options_ended = true;
		else
			take_word(&parser, word.start, word.name_length, word.value);
	}
}

const char *cmdline_console_frame(const struct cmdline *cmdline, const char *name)
{
	size_t length = strlen(name);

	for (unsigned i = 0; cmdline->console[i]; i++) {
		const char *wanted = cmdline->console[i];

		if (!strncmp(wanted, name, length) && wanted[length] == ',')
			return wanted + length + 1;
	}
	return NULL;
}

bool cmdline_console(const struct cmdline *cmdline, const char *name)
{
	size_t length = strlen(name);

	if (!cmdline->console[0])
		return true;
	for (unsigned i = 0; cmdline->console[i]; i++) {
		const char *wanted = cmdline->console[i];

		if (!strncmp(wanted, name, length) && (!wanted[length] || wanted[length] == ','))
			return true;
	}
	return false;
}
