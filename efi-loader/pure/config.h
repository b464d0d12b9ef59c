/* SPDX-License-Identifier: MIT */
/*
 * Configuration in the syntax of the Boot Loader Specification: a line is a key, blanks, and its
 * value up to the end; empty lines and those that begin with # are nothing.
 *
 *	\loader\loader.conf		default PATTERN, timeout SECONDS
 *	\loader\entries\NAME.conf	title, kernel, initrd (several), options (several, joined)
 *
 * Keys that are not ours are left alone (version, sort-key, machine-id, console-mode...), for other
 * loaders read the same files; an entry without `kernel` is another loader's. A line that is ours
 * and wrong is refused with its number.
 */
#ifndef LOADER_CONFIG_H
#define LOADER_CONFIG_H

#include "command_line.h"

#define CONFIG_FILE_MAX    (64u * 1024u) /* bytes of a configuration file */
#define CONFIG_NAME_MAX    80u
#define CONFIG_TIMEOUT_MAX 3600u

struct loader_config {
	char default_entry[CONFIG_NAME_MAX]; /* file name with * and ?; empty: the first */
	uint32_t timeout;                    /* seconds */
};

struct boot_entry {
	char title[CONFIG_NAME_MAX];  /* empty: none given */
	char kernel[LOADER_PATH_MAX]; /* empty: not an entry of ours */
	char initrds[INITRDS_MAX][LOADER_PATH_MAX];
	size_t initrd_count;
	struct command_line options;
};

/* `text` of `size` bytes; the outputs start from their defaults, not from what they held. */
enum verdict config_read_loader(
	const char *text, size_t size, struct loader_config *config, struct complaint *why);
enum verdict config_read_entry(
	const char *text, size_t size, struct boot_entry *entry, struct complaint *why);

/* Whether `name` (an entry's file name) is meant by `pattern`: * and ?, case ignored, and the
 * ending ".conf" may be left out of the pattern. */
bool config_name_matches(const char *pattern, const char *name);
bool config_is_pattern(const char *name);

#endif
