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
#include "lib/lock.h"
#include "lib/types.h"

struct handoff;
struct superblock;
struct sysfs_node;

extern struct mutex sysfs_lock;

/* A table of them ends with a name NULL, after at most SYSFS_ATTRIBUTES. */
struct sysfs_attribute {
	const char *name;
	/* Permissions; with S_IFLNK its text is where a link leads, with SYSFS_BINARY its `argument` is a struct
	 * sysfs_binary and the functions are NULL. */
	uint32_t mode;
	/* The whole text, of less than a page: its length, as format gives it. Sleeps if it likes, but adds
	 * and removes no nodes. */
	int (*show)(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
		char *out, size_t size);
	/* Takes what was written, NUL-terminated: the bytes taken, or a negative errno. The same. */
	ssize_t (*store)(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
		const char *text, size_t size);
	const void *argument; /* for its functions */
};

#define SYSFS_BINARY     (1u << 31)
#define SYSFS_ATTRIBUTES 62u

/* Bytes of [offset, offset + size) into `out`; both lie inside of the attribute's size. */
struct sysfs_read {
	char *out;
	size_t size;
	uint64_t offset;
	bool admin; /* who opened it has CAP_SYS_ADMIN */
};

/* An attribute that is no text; a part of what it is about. Its functions are called as `show` is. */
struct sysfs_binary {
	/* Asked when somebody looks up the name, for all that is done by that inode. */
	uint64_t (*size)(const struct sysfs_node *node, const struct sysfs_binary *binary);
	/* The bytes read, at least 1; or a negative errno. */
	ssize_t (*read)(const struct sysfs_node *node, const struct sysfs_binary *binary,
		const struct sysfs_read *read);
};

struct sysfs_node {
	const char *name;
	const struct sysfs_attribute *attributes; /* NULL: none */
	const char *target;                       /* it is a link that leads there */
	void *owner;                              /* for the attributes' functions */
	/* Makes the children, by sysfs_grow, or `attributes` before the directory is first looked into. -ENOMEM:
	 * it is called again next time. NULL: they are there. */
	int (*populate)(struct sysfs_node *node);
	/* It and those above it are never taken out, so it is kept in the dentry cache, and something can be mounted there. */
	bool stays;
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
/* For `populate`: the same, or the node that has the name already. NULL: no memory. */
struct sysfs_node *sysfs_grow(struct sysfs_node *parent, const char *name, const char *target,
	const struct sysfs_attribute *attributes, void *owner) requires(sysfs_lock) MUST_CHECK;
/* NULL: there is none of that name. */
struct sysfs_node *sysfs_find(struct sysfs_node *parent, const char *name);
/* Takes a node without children out of the tree, after its attributes' last use: the owner may go then. */
void sysfs_remove(struct sysfs_node *node);
/* The directory of this name, made if there is none. NULL: no memory. */
struct sysfs_node *sysfs_directory(struct sysfs_node *parent, const char *name) MUST_CHECK;

/* A character device: devices/virtual/CLASS/NAME and what leads there. */
void sysfs_add_device(const char *name, uint64_t number, uint32_t mode);

int sysfs_show_number(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size);
int sysfs_show_event(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size);
int sysfs_show_subsystem(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size);
/* What every device has, for tables of those with more. */
#define SYSFS_DEVICE_ATTRIBUTES                                              \
	{"dev", 0444, .show = sysfs_show_number},                            \
		{"subsystem", S_IFLNK | 0777, .show = sysfs_show_subsystem}, \
	{                                                                    \
		"uevent", 0444, .show = sysfs_show_event                     \
	}
/* The argument, a text. */
int sysfs_show_text(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	char *out, size_t size);

extern struct sysfs_node sysfs_root, sysfs_bus, sysfs_devices, sysfs_class, sysfs_kernel,
	sysfs_firmware;

void sysfs_init(void);
/* sysfs_machine.c, sysfs_memory.c: the CPUs, the memory. */
void sysfs_machine_init(void);
bool sysfs_memory_add(struct sysfs_node *system) MUST_CHECK; /* false: no memory */
/* sysfs_firmware.c: what the firmware's tables say. */
void sysfs_firmware_init(const struct handoff *handoff);
/* sysfs_efi.c: where UEFI has its tables, and what is its own. False: no memory. */
bool sysfs_efi_add(const struct handoff *handoff) MUST_CHECK;
/* One more file of /sys/firmware/baton, at the start. */
void sysfs_baton_add(const struct sysfs_attribute *attribute);
/* sysfs_class.c: what terminals and the framebuffer have beside a number; after those. */
void sysfs_class_init(void);
/* sysfs_pci.c */
void sysfs_pci_init(void);
/* The one superblock. NULL: no memory. */
struct superblock *sysfs_superblock(void) MUST_CHECK;

#endif
