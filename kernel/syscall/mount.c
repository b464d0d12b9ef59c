/* SPDX-License-Identifier: MIT */
/* man 2 mount: a new file system over a directory. */
#include <linux/capability.h>
#include <linux/mount.h>

#include "files/filesystems.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/credentials.h"
#include "syscall/files.h"

#define TYPE_MAX 64u

/* A string that may be absent; longer than a page is what Linux refuses too. */
static int get_string(struct user_path *out, user_t from)
{
	int error;

	out->text = out->small;
	out->small[0] = '\0';
	if (!from.address)
		return 0;
	error = get_path(out, from, PATH_MAY_BE_EMPTY);
	return error == -ENAMETOOLONG ? -EINVAL : error;
}

static int mount_new(const struct path *over, const char *type, const char *data)
{
	const struct filesystem *found = filesystem_find(type);
	struct superblock *superblock;
	int error;

	if (!found)
		return -ENODEV;
	if (!is_directory(over->dentry->inode))
		return -ENOTDIR;
	error = found->mount(data, &superblock);
	return error ? error : mount_add(superblock, over);
}

static int mount_at(user_t target, const char *type, unsigned long flags, const char *data)
{
	struct path over;
	int error = get_target(AT_FDCWD, target, 0, &over);

	if (error)
		return error;
	if (!capable(CAP_SYS_ADMIN))
		error = -EPERM;
	else if (flags & (MS_REMOUNT | MS_BIND | MS_MOVE | MS_RDONLY) || !type)
		error = -EINVAL;
	else
		error = mount_new(&over, type, data);
	path_put(&over);
	return error;
}

long sys_mount(user_t source, user_t target, user_t type, unsigned long flags, user_t data)
{
	struct user_path type_text, data_text;
	long result;

	(void)source;
	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~(unsigned long)MS_MGC_MSK;
	result = get_string(&type_text, type);
	if (result)
		return result;
	result = get_string(&data_text, data);
	if (!result) {
		result = mount_at(
			target, type.address ? type_text.text : NULL, flags, data_text.text);
		drop_path(&data_text);
	}
	drop_path(&type_text);
	return result;
}
