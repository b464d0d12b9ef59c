/* SPDX-License-Identifier: MIT */
/* The types of file systems that mount(2) knows, and how one of each comes about. */
#include "files/filesystems.h"

#include "files/devfs.h"
#include "files/devpts.h"
#include "files/efivarfs.h"
#include "files/procfs.h"
#include "files/sysfs.h"
#include "files/tmpfs.h"
#include "lib/errno.h"
#include "lib/string.h"

/* One for all mounts of it, which stays for ever. */
static int mount_the_one(struct superblock *superblock, struct superblock **out)
{
	if (!superblock)
		return -ENOMEM;
	superblock_mounted(superblock);
	*out = superblock;
	return 0;
}

/* Those of proc are known by name, and have no effect: all processes are seen. */
static bool is_proc_option(const char *option, size_t length)
{
	static const char *const names[] = {"hidepid=", "gid=", "subset="};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (length > strlen(names[i]) && !memcmp(option, names[i], strlen(names[i])))
			return true;
	return !length;
}

static int mount_proc(char *options, struct superblock **out)
{
	const char *at = options, *end;

	for (; at; at = end ? end + 1 : NULL) {
		end = strchr(at, ',');
		if (!is_proc_option(at, end ? (size_t)(end - at) : strlen(at)))
			return -EINVAL;
	}
	return mount_the_one(procfs_superblock(), out);
}

static int mount_devtmpfs(char *options, struct superblock **out)
{
	(void)options;
	return mount_the_one(devfs_superblock(), out);
}

static int mount_sysfs(char *options, struct superblock **out)
{
	while (options && *options == ',')
		options++;
	if (options && *options) /* it has none of its own */
		return -EINVAL;
	return mount_the_one(sysfs_superblock(), out);
}

static const struct filesystem types[] = {
	{"sysfs", mount_sysfs},
	{"tmpfs", tmpfs_mount},
	{"proc", mount_proc},
	{"devtmpfs", mount_devtmpfs},
	{"devpts", devpts_mount},
	{"efivarfs", efivarfs_mount},
};

const struct filesystem *filesystem_at(unsigned index)
{
	return index < ARRAY_SIZE(types) ? &types[index] : NULL;
}

const struct filesystem *filesystem_find(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(types[i].name, name))
			return &types[i];
	return NULL;
}
