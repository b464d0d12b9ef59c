/* SPDX-License-Identifier: MIT */
/* System calls on extended attributes: man 2 setxattr, getxattr, listxattr, removexattr. */
#include "syscall/files.h"

#include <linux/limits.h>

#include "files/inotify.h"
#include "files/mount.h"
#include "files/xattr.h"
#include "memory/slab.h"

#define XATTR_FLAGS (XATTR_MUST_BE_NEW | XATTR_MUST_BE_THERE)

/* What a call is made with, from the user. */
struct request {
	char name[XATTR_NAME_MAX + 1];
	char *value; /* of `size` bytes; NULL where there are none */
	size_t size;
};

/* A name has 1 to 255 bytes. */
static int get_name(struct request *request, user_t from)
{
	ssize_t length = copy_string_from_user(request->name, from, sizeof(request->name));

	if (length == -ENAMETOOLONG || !length)
		return -ERANGE;
	return length < 0 ? (int)length : 0;
}

/* Memory for a value or a list of at most `most` bytes. */
static int get_room(struct request *request, size_t size, size_t most)
{
	request->size = size < most ? size : most;
	request->value = request->size ? kmalloc(request->size) : NULL;
	return request->size && !request->value ? -ENOMEM : 0;
}

/* ---- setxattr ---- */

static long set(struct inode *inode, user_t name, user_t value, size_t size, int flags)
{
	struct request request;
	long result;

	if (flags & ~XATTR_FLAGS)
		return -EINVAL;
	result = get_name(&request, name);
	if (result)
		return result;
	if (size > XATTR_SIZE_MAX)
		return -E2BIG;
	result = get_room(&request, size, XATTR_SIZE_MAX);
	if (result)
		return result;
	if (size)
		result = copy_from_user(request.value, value, size);
	if (!result)
		result =
			xattr_set(inode, request.name, request.value, size, (enum xattr_mode)flags);
	kfree(request.value);
	return result;
}

static long set_at(const struct path *path, user_t name, user_t value, size_t size, int flags)
{
	long result = mount_begin_write(path->mount);

	if (result)
		return result;
	result = set(path->dentry->inode, name, value, size, flags);
	if (!result)
		inotify_dentry(path->dentry, IN_ATTRIB);
	mount_end_write(path->mount);
	return result;
}

static long set_path(
	user_t path, user_t name, user_t value, size_t size, int flags, unsigned int walk)
{
	struct path target;
	long result = get_target(AT_FDCWD, path, walk, &target);

	if (result)
		return result;
	result = set_at(&target, name, value, size, flags);
	path_put(&target);
	return result;
}

long sys_setxattr(user_t path, user_t name, user_t value, size_t size, int flags)
{
	return set_path(path, name, value, size, flags, 0);
}

long sys_lsetxattr(user_t path, user_t name, user_t value, size_t size, int flags)
{
	return set_path(path, name, value, size, flags, AT_SYMLINK_NOFOLLOW);
}

long sys_fsetxattr(int fd, user_t name, user_t value, size_t size, int flags)
{
	struct file *file = get_real_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = mount_begin_write(file->path.mount);
	if (!result) {
		result = set(file->inode, name, value, size, flags);
		if (!result)
			inotify_file(file, IN_ATTRIB);
		mount_end_write(file->path.mount);
	}
	file_put(file);
	return result;
}

/* ---- getxattr ---- */

static long get(struct inode *inode, user_t name, user_t value, size_t size)
{
	struct request request;
	long result = get_name(&request, name);

	if (!result)
		result = get_room(&request, size, XATTR_SIZE_MAX);
	if (result)
		return result;
	result = xattr_get(inode, request.name, request.value, request.size);
	if (result > 0 && request.size && copy_to_user(value, request.value, (size_t)result))
		result = -EFAULT;
	kfree(request.value);
	return result;
}

static long get_path_xattr(user_t path, user_t name, user_t value, size_t size, unsigned int walk)
{
	struct path target;
	long result = get_target(AT_FDCWD, path, walk, &target);

	if (result)
		return result;
	result = get(target.dentry->inode, name, value, size);
	path_put(&target);
	return result;
}

long sys_getxattr(user_t path, user_t name, user_t value, size_t size)
{
	return get_path_xattr(path, name, value, size, 0);
}

long sys_lgetxattr(user_t path, user_t name, user_t value, size_t size)
{
	return get_path_xattr(path, name, value, size, AT_SYMLINK_NOFOLLOW);
}

long sys_fgetxattr(int fd, user_t name, user_t value, size_t size)
{
	struct file *file = get_real_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = get(file->inode, name, value, size);
	file_put(file);
	return result;
}

/* ---- listxattr ---- */

static long list(struct inode *inode, user_t names, size_t size)
{
	struct request request;
	long result = get_room(&request, size, XATTR_LIST_MAX);

	if (result)
		return result;
	result = xattr_list(inode, request.value, request.size);
	if (result > 0 && request.size && copy_to_user(names, request.value, (size_t)result))
		result = -EFAULT;
	kfree(request.value);
	return result;
}

static long list_path(user_t path, user_t names, size_t size, unsigned int walk)
{
	struct path target;
	long result = get_target(AT_FDCWD, path, walk, &target);

	if (result)
		return result;
	result = list(target.dentry->inode, names, size);
	path_put(&target);
	return result;
}

long sys_listxattr(user_t path, user_t names, size_t size)
{
	return list_path(path, names, size, 0);
}

long sys_llistxattr(user_t path, user_t names, size_t size)
{
	return list_path(path, names, size, AT_SYMLINK_NOFOLLOW);
}

long sys_flistxattr(int fd, user_t names, size_t size)
{
	struct file *file = get_real_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = list(file->inode, names, size);
	file_put(file);
	return result;
}

/* ---- removexattr ---- */

/* dentry: by which the file was reached, or NULL. */
static long remove_named(
	struct inode *inode, struct dentry *dentry, struct mount *mount, user_t name)
{
	struct request request;
	long result = mount_begin_write(mount);

	if (result)
		return result;
	result = get_name(&request, name);
	if (!result)
		result = xattr_remove(inode, request.name);
	if (!result && dentry)
		inotify_dentry(dentry, IN_ATTRIB);
	mount_end_write(mount);
	return result;
}

static long remove_path(user_t path, user_t name, unsigned int walk)
{
	struct path target;
	long result = get_target(AT_FDCWD, path, walk, &target);

	if (result)
		return result;
	result = remove_named(target.dentry->inode, target.dentry, target.mount, name);
	path_put(&target);
	return result;
}

long sys_removexattr(user_t path, user_t name)
{
	return remove_path(path, name, 0);
}

long sys_lremovexattr(user_t path, user_t name)
{
	return remove_path(path, name, AT_SYMLINK_NOFOLLOW);
}

long sys_fremovexattr(int fd, user_t name)
{
	struct file *file = get_real_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = remove_named(file->inode, file->path.dentry, file->path.mount, name);
	file_put(file);
	return result;
}
