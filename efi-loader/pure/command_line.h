/* SPDX-License-Identifier: MIT */
/*
 * The command line: the entry's `options`, then the load options, joined by a space. Words are
 * separated by spaces and tabs; within double quotes a space separates nothing. The loader reads
 * its own options out of it, leaves them in, and never complains of one that it does not know: the
 * kernel has the table of all. After a word `--` nothing is the loader's.
 */
#ifndef LOADER_COMMAND_LINE_H
#define LOADER_COMMAND_LINE_H

#include "verdict.h"

#define COMMAND_LINE_MAX 4096u
#define LOADER_PATH_MAX  256u
#define INITRDS_MAX      8u

struct command_line {
	char text[COMMAND_LINE_MAX];
	size_t length;
};

struct loader_options {
	bool nokaslr;
	bool report, dangerous;             /* firmware=report[,dangerous]: evidence is collected */
	uint32_t handoff_mutant;            /* debug builds: a seed for handoff_mutate; 0: none */
	uint32_t video_width, video_height; /* 0: as the firmware has it */
	char kernel[LOADER_PATH_MAX];       /* empty: as the entry says */
	char initrds[INITRDS_MAX][LOADER_PATH_MAX];
	size_t initrd_count;
	char config[LOADER_PATH_MAX]; /* another loader.conf; in load options only */
	char entry[LOADER_PATH_MAX];  /* this entry and no other; in load options only */
};

/* Appends `text` (printable ASCII and tabs), after a space unless one of both is empty. */
enum verdict command_line_append(
	struct command_line *line, const char *text, struct complaint *why);

/* Reads the loader's own options. A value out of range is VERDICT_MALFORMED. */
enum verdict command_line_read(
	const struct command_line *line, struct loader_options *options, struct complaint *why);

/*
 * Load options (UEFI 2.10 3.1.3) as text: `size` bytes of UCS-2, up to the first NUL. A first word
 * that is the program's own name is dropped: always when `from_shell`, otherwise if it ends in
 * ".efi". Anything but printable ASCII is VERDICT_MALFORMED.
 */
enum verdict load_options_text(const void *options, size_t size, bool from_shell,
	struct command_line *line, struct complaint *why);

/* A path as the firmware wants it: from the volume's root, with backslashes; false: too long. */
bool path_copy(char *out, size_t size, const char *path);

#endif
