/* SPDX-License-Identifier: MIT */
/* Reading cpio archives of the newc kind, as Linux reads an initramfs. Pure: see cpio.c. */
#ifndef FILES_CPIO_H
#define FILES_CPIO_H

#include "lib/types.h"

struct cpio {
	const uint8_t *bytes;
	uint64_t size;
	uint64_t offset; /* of the next header, from the start of all archives */
	bool wrong;      /* the last entry's data have another sum than it says: here it ends */
};

enum cpio_kind {
	CPIO_END,     /* nothing but zeros is left */
	CPIO_ENTRY,   /* a file */
	CPIO_TRAILER, /* the end of one archive: what was known of hard links is void */
	CPIO_SKIP,    /* an entry that Linux passes over in silence; fields are valid */
	CPIO_BROKEN,  /* see struct cpio_error; reading cannot go on */
};

struct cpio_entry {
	uint64_t offset; /* of the header */
	uint32_t inode, mode, uid, gid, links, mtime, device_major, device_minor, node_major,
		node_minor;
	const char *name; /* in the archive, NUL-terminated */
	uint32_t name_length;
	uint64_t data; /* offset of the data */
	uint64_t size; /* bytes of data */
};

/* What is wrong, where, what stood there and what should have. */
struct cpio_error {
	uint64_t offset;
	const char *what;
	char found[48];
	const char *expected;
};

/* Reads the next header and passes over its data. */
enum cpio_kind cpio_next(struct cpio *cpio, struct cpio_entry *entry, struct cpio_error *error);

/* Passes over the zeros before what comes next: true when that is a gzip file, which begins at
 * cpio->offset then. */
bool cpio_at_gzip(struct cpio *cpio);

/* For archives that come in pieces: one header of CPIO_HEADER bytes that stood at `offset`. The name,
 * of `name_size` bytes with its NUL, follows it. */
#define CPIO_HEADER    110u
#define CPIO_ALIGNMENT 4u

struct cpio_header {
	uint32_t name_size;
	bool checked; /* the sum of the data's bytes is given: */
	uint32_t sum;
};

/* CPIO_ENTRY, also for a trailer (see cpio_is_trailer); CPIO_SKIP; CPIO_BROKEN. */
enum cpio_kind cpio_read_header(const uint8_t *bytes, uint64_t offset, struct cpio_header *header,
	struct cpio_entry *entry, struct cpio_error *error);
bool cpio_is_trailer(const char *name);

#endif
