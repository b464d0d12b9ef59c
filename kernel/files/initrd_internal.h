/* SPDX-License-Identifier: MIT */
/* What initrd.c and initrd_gzip.c share: the state of one unpacking. */
#ifndef FILES_INITRD_INTERNAL_H
#define FILES_INITRD_INTERNAL_H

#include "files/cpio.h"
#include "files/vfs.h"

#define LINK_BUCKETS 64u

struct known_link {
	struct known_link *next;
	uint32_t device_major, device_minor, inode, kind;
	struct path path;
};

struct directory_time {
	struct directory_time *next;
	struct path path;
	uint32_t time;
};

struct unpack {
	struct fs_context *fs;
	struct cpio cpio;
	struct cpio_entry entry; /* the present one */
	const uint8_t *data;     /* of a link: its text */
	bool gzip;               /* what is wrong is within the gzip file at cpio.offset */
	phys_t base;
	bool claimed;   /* the frames are ours to give out */
	uint64_t given; /* offset: frames before it are given away */
	char *tail;     /* bytes to be cleared once read, or NULL */
	size_t tail_size;
	uint64_t tail_end; /* offset of their end */
	struct known_link *links[LINK_BUCKETS];
	struct directory_time *times;
	uint64_t files, adopted, copied; /* entries; pages; bytes */
	int error;                       /* -ENOMEM: unpacking ends */
};

/* Makes what the present entry says. A regular file's data must be in cpio.bytes. */
void initrd_entry(struct unpack *unpack);
/* A regular file whose data comes in pieces: made and empty; written; its attributes set and *path put.
 * False: there is nothing to be written (unpack->error is set where memory ran out). */
bool initrd_file_begin(struct unpack *unpack, struct path *path);
int initrd_file_data(struct unpack *unpack, struct inode *inode, uint64_t from, const void *bytes,
	uint64_t size);
void initrd_file_end(struct unpack *unpack, struct path *path);
void initrd_forget_links(struct unpack *unpack);

/* Unpacks the gzip file at cpio.offset and goes past it. False: *error says what is wrong. */
bool initrd_gzip(struct unpack *unpack, struct cpio_error *error);

#endif
