/* SPDX-License-Identifier: MIT */
/* Devices as files. See devfs.c. */
#ifndef FILES_DEVFS_H
#define FILES_DEVFS_H

#include "files/vfs.h"

/* A character device: what opening a node with its number gives. The caller's memory, for ever. */
struct device {
	struct list link;
	uint64_t number; /* device_number(major, minor) */
	const struct file_operations *operations;
	void *driver; /* becomes file->private */
};

/* Makes /dev/NAME (directories on the way too) with this mode; for character devices the device is
 * registered under its number, others (FIFO-like ends of the channel) open the operations directly,
 * with file->inode->driver. 0 or a negative errno. */
int devfs_add(const char *name, uint32_t mode, struct device *device) MUST_CHECK;

/* Whether there is a device with this major number and one of these minor ones. */
bool device_exists(uint32_t major, uint32_t first, uint32_t last);

/* Mounts /dev with null, zero, full, random and urandom. */
int devfs_init(struct fs_context *fs) MUST_CHECK;
/* What is mounted at /dev; NULL: there is none. */
struct superblock *devfs_superblock(void);
void memory_devices_init(void);

#endif
