/* SPDX-License-Identifier: MIT */
/* Files of the volume that the loader came from. */
#ifndef LOADER_FILES_H
#define LOADER_FILES_H

#include "loader.h"

EFI_STATUS volume_open(struct loader *l) CHECKED;

/* Opens and measures. Says nothing of a file that is not there: EFI_NOT_FOUND is the caller's to
 * judge; any other failure has been told. */
EFI_STATUS file_open(struct loader *l, const char *path, struct file *file) CHECKED;
void file_close(struct file *file);

/* A file that lies in memory already. */
void file_in_memory(const char *path, const void *data, uint64_t size, struct file *file);

/* Reads exactly `size` bytes from `offset` (within the file), in pieces of 1 MiB. */
EFI_STATUS file_read(struct file *file, uint64_t offset, void *to, uint64_t size) CHECKED;

/* Opens `path`, reads all of it (at most `most` bytes) into `to`, closes it. As file_open on a
 * missing file. */
EFI_STATUS file_read_text(
	struct loader *l, const char *path, char *to, size_t most, size_t *size) CHECKED;

/* Next name in an open folder, in ASCII; an empty one at the end. Names that are not ASCII or
 * longer than `size` come as "?". */
EFI_STATUS folder_next(EFI_FILE *folder, char *name, size_t size) CHECKED;

/* The path as UCS-2. */
void path_to_ucs2(const char *path, CHAR16 *out, size_t size);

#endif
