/* SPDX-License-Identifier: MIT */
/* The types of file systems that mount(2) knows, and how one of each comes about. */
#include "files/filesystems.h"

#include "files/devfs.h"
#include "files/procfs.h"
#include "lib/errno.h"
#include "lib/string.h"

static int mount_proc(const char *data, struct superblock **out)
{
	(void)data;
	*out = procfs_superblock();
	return *out ? 0 : -ENOMEM;
}

static int mount_tmpfs(const char *data, struct superblock **out)
{
	static uint32_t last_device =
		64; /* minor number of st_dev, above those of what is mounted at start */

	(void)data;
	*out = tmpfs_create(
		"tmpfs", device_number(0, __atomic_add_fetch(&last_device, 1, __ATOMIC_RELAXED)));
	return *out ? 0 : -ENOMEM;
}

static int mount_devtmpfs(const char *data, struct superblock **out)
{
	(void)data;
	*out = devfs_superblock();
	return *out ? 0 : -ENODEV;
}

static const struct filesystem types[] = {
	{"tmpfs", mount_tmpfs},
	{"proc", mount_proc},
	{"devtmpfs", mount_devtmpfs},
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
