/* SPDX-License-Identifier: MIT */
/* Names of UEFI's variables as files, and which variables a file system lets go. See variable_rules.c. */
#ifndef FIRMWARE_VARIABLE_RULES_H
#define FIRMWARE_VARIABLE_RULES_H

#include "lib/types.h"

#define VENDOR_SIZE       16u
#define VENDOR_TEXT       36u  /* as text */
#define VARIABLE_FILE_MAX 255u /* characters of a file's name */
#define VARIABLE_NAME_WORDS \
	(VARIABLE_FILE_MAX - VENDOR_TEXT) /* of the variable's own, its NUL among them */

struct variable_name {
	uint8_t vendor[VENDOR_SIZE]; /* EFI_GUID */
	uint16_t words[VARIABLE_NAME_WORDS];
};

/* NAME-GUID, the name of a letter or more. */
bool variable_file_is_good(const char *file, size_t length);
/* A good one: letters one by one, as Linux takes them. */
void variable_of_file(const char *file, size_t length, struct variable_name *out);
/* The file's name, UTF-8 with a slash as an exclamation mark, NUL-terminated: its length. 0: it is too long. `bytes`: of
 * the name, with or without a NUL. */
size_t variable_file(const uint8_t vendor[VENDOR_SIZE], const uint16_t *name, size_t bytes,
	char out[VARIABLE_FILE_MAX + 1]);
/* The same file: the GUID in letters of either case. */
bool variable_files_are_same(const char *a, size_t a_length, const char *b, size_t b_length);
/* One that a system may change and remove at will; the others are protected by the immutable flag. */
bool variable_is_removable(const struct variable_name *name);
/* Whether this is what such a variable holds: a malformed Boot#### has kept machines from starting. */
bool variable_data_is_sane(const struct variable_name *name, const void *data, size_t size);

#endif
