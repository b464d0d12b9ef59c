/* SPDX-License-Identifier: MIT */
/*
 * /sys: what there is in the machine, as directories of small texts; see sysfs.c.
 *
 * Who has something to show makes a node, a directory with attributes, and adds it:
 *
 *	static const struct sysfs_attribute attributes[] = {{"speed", 0444, show_speed}, {NULL}};
 *	static struct sysfs_node node = {.name = "link", .attributes = attributes, .owner = &link};
 *	error = sysfs_add(&sysfs_firmware, &node);
 */
#ifndef FILES_SYSFS_H
#define FILES_SYSFS_H

#include "lib/list.h"
#include "lib/types.h"

struct superblock;
struct sysfs_node;

/* A table of them ends with a name NULL, after at most SYSFS_ATTRIBUTES. */
struct sysfs_attribute {
	const char *name;
	uint32_t mode; /* permissions; with S_IFLNK its text is where a link leads */
	/* The whole text, of less than a page: its length, as format gives it. Sleeps if it likes, but adds
	 * and removes no nodes. */
	int (*show)(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
		char *out, size_t size);
	/* Takes what was written, NUL-terminated: the bytes taken, or a negative errno. The same. */
	ssize_t (*store)(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
		const char *text, size_t size);
	const void *argument; /* for its functions */
};

#define SYSFS_ATTRIBUTES 62u

struct sysfs_node {
	const char *name;
	const struct sysfs_attribute *attributes; /* NULL: none */
	const char *target;                       /* it is a link that leads there */
	void *owner;                              /* for the attributes' functions */
	/* Nobody uses it any more. NULL: it stays in memory for ever. */
	void (*release)(struct sysfs_node *node);
	/* The rest is sysfs.c's. */
	struct sysfs_node *parent; /* NULL: it is not in the tree */
	struct list link, children;
	uint32_t references; /* atomic */
	uint32_t number;     /* rising, of nodes as they come */
};

/* Puts a node that the caller has filled into the tree. -EEXIST. */
int sysfs_add(struct sysfs_node *parent, struct sysfs_node *node) MUST_CHECK;
/* A directory or (target) a link in memory of its own, with copies of the texts. NULL: no memory, or the name
 * is taken. */
struct sysfs_node *sysfs_make(struct sysfs_node *parent, const char *name, const char *target,
	const struct sysfs_attribute *attributes, void *owner) MUST_CHECK;
/* Takes a node without children out of the tree, after its attributes' last use: the owner may go then. */
void sysfs_remove(struct sysfs_node *node);
/* The directory of this name, made if there is none. NULL: no memory. */
struct sysfs_node *sysfs_directory(struct sysfs_node *parent, const char *name) MUST_CHECK;

/* A character device: devices/virtual/CLASS/NAME and what leads there. */
void sysfs_add_device(const char *name, uint64_t number, uint32_t mode);

extern struct sysfs_node sysfs_root, sysfs_devices, sysfs_class, sysfs_kernel, sysfs_firmware;

void sysfs_init(void);
/* sysfs_machine.c: the CPUs, the memory, the firmware. */
void sysfs_machine_init(void);
/* The one superblock. NULL: no memory. */
struct superblock *sysfs_superblock(void) MUST_CHECK;

#endif
