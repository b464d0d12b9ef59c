/* SPDX-License-Identifier: MIT */
/* The kernel's command line: options by the table in options.h, and what goes to process 1. */
#ifndef LIB_CMDLINE_H
#define LIB_CMDLINE_H

#include "lib/options.h"
#include "lib/types.h"

#define CMDLINE_INIT_MAX 32u /* arguments and as many variables for process 1 */
#define CMDLINE_LIST_MAX 4u

enum option_choice { OPTION_OFF, OPTION_ON, OPTION_AUTO };

#define CMDLINE_FLAG(name, help)                       bool name;
#define CMDLINE_INT(name, standard, least, most, help) int64_t name;
#define CMDLINE_STRING(name, standard, help)           const char *name;
#define CMDLINE_SYNONYM(name, of, help)
#define CMDLINE_CHOICE(name, standard, set, help) enum option_choice name;
#define CMDLINE_LIST(name, help)                  const char *name[CMDLINE_LIST_MAX + 1]; /* NULL ends */

struct cmdline {
	OPTIONS(CMDLINE_FLAG, CMDLINE_INT, CMDLINE_STRING, CMDLINE_SYNONYM, CMDLINE_CHOICE,
		CMDLINE_LIST)
	const char *init_argv[CMDLINE_INIT_MAX + 1]; /* without argv[0]; NULL ends */
	const char *init_envp[CMDLINE_INIT_MAX + 1]; /* NULL ends */
	unsigned init_argc, init_envc;
};

/* Says what is wrong with a word; the rest of the line counts all the same. */
typedef void (*cmdline_warning)(void *context, const char *what, const char *word);

/* Parses `length` bytes. `storage` has room for length + 1 bytes and holds what `out` points to: it
 * lives as long. Pure.
 *
 * Words are separated by white space; a part in "double quotes" may hold white space; quotes around
 * a word or a value are taken off (as Linux does). After a word `--` all goes to process 1 as
 * arguments. Before it a word that no option has is warned about and goes to process 1: NAME=VALUE
 * as a variable, a word without `=` as an argument; not so a.b and a.b=c, which on Linux are for modules. */
void cmdline_parse(struct cmdline *out, const char *text, size_t length, char *storage,
	cmdline_warning warning, void *context);

/* Is this console one to use? */
bool cmdline_console(const struct cmdline *cmdline, const char *name);
/* What follows the comma of console=NAME,FRAME; NULL: nothing is said. */
const char *cmdline_console_frame(const struct cmdline *cmdline, const char *name);

#endif
