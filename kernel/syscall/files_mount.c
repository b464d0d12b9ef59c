/* SPDX-License-Identifier: MIT */
/*
 * mount, umount2 and pivot_root (man 2). What mount does is chosen by its flags, in Linux's order:
 * MS_REMOUNT with MS_BIND (the flags of this mount), MS_REMOUNT (the file system's), MS_BIND, how
 * changes spread, MS_MOVE; without any of them it is a new file system.
 */
#include "syscall/files.h"

#include <linux/capability.h>

#include "files/filesystems.h"
#include "files/mount.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/credentials.h"

/* MS_NOUSER is a negative number: the bits above it are refused too, as on Linux. */
#define NOT_FOR_USERS (~0ul << 31)

#define SPREADING     ((unsigned long)(MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE))

/* What mount(2) is told, in the kernel's memory. */
struct request {
	struct user_path source, type; /* type: as long as any path, and so refused by name */
	bool has_source, has_type;
	char *options; /* a page, or NULL */
	unsigned long flags;
	uint32_t mount_flags, superblock_flags;
};

static int get_text(struct user_path *text, user_t from, bool *there)
{
	*there = from.address;
	return from.address ? get_path(text, from, PATH_MAY_BE_EMPTY) : 0;
}

/* The options: a page's worth, or what of it can be read. */
static int get_options(char **out, user_t from)
{
	size_t got;

	*out = NULL;
	if (!from.address)
		return 0;
	*out = kzalloc(PAGE_SIZE);
	if (!*out)
		return -ENOMEM;
	got = copy_from_user_partial(*out, from, PAGE_SIZE);
	if (!got) {
		kfree(*out);
		*out = NULL;
		return -EFAULT;
	}
	(*out)[PAGE_SIZE - 1] = '\0';
	return 0;
}

/* Words that stand among the options and are about any file system: Linux's vfs_parse_sb_flag. */
static const struct {
	const char *name;
	uint32_t set, clear;
} common_words[] = {{"ro", MS_RDONLY, 0}, {"rw", 0, MS_RDONLY}, {"sync", MS_SYNCHRONOUS, 0},
	{"async", 0, MS_SYNCHRONOUS}, {"dirsync", MS_DIRSYNC, 0}, {"mand", MS_MANDLOCK, 0},
	{"nomand", 0, MS_MANDLOCK}, {"lazytime", MS_LAZYTIME, 0}, {"nolazytime", 0, MS_LAZYTIME}};

/* Such a word, whatever value it is given: what it makes of the flags. */
static bool is_common(const char *word, size_t length, uint32_t *flags)
{
	const char *value = memchr(word, '=', length);

	if (value)
		length = (size_t)(value - word);
	for (size_t i = 0; i < ARRAY_SIZE(common_words); i++) {
		if (strlen(common_words[i].name) != length ||
			memcmp(common_words[i].name, word, length) != 0)
			continue;
		*flags = (*flags & ~common_words[i].clear) | common_words[i].set;
		return true;
	}
	return false;
}

/* Takes those out of the options: the file system's own stay. */
static uint32_t take_common(char *options, uint32_t flags)
{
	char *from = options, *to = options, *end;

	while (from && *from) {
		end = strchr(from, ',');
		end = end ? end + 1 : from + strlen(from);
		if (!is_common(from, (size_t)(end - from) - (end[-1] == ','), &flags)) {
			memmove(to, from, (size_t)(end - from));
			to += end - from;
		}
		from = end;
	}
	if (to)
		*to = '\0';
	return flags;
}

static void drop_request(struct request *request)
{
	if (request->has_source)
		drop_path(&request->source);
	if (request->has_type)
		drop_path(&request->type);
	kfree(request->options);
}

static int get_request(struct request *request, user_t source, user_t type, user_t options)
{
	int error = get_text(&request->type, type, &request->has_type);

	request->options = NULL;
	request->has_source = false;
	if (error) {
		request->has_type = false;
		return error;
	}
	error = get_text(&request->source, source, &request->has_source);
	if (error)
		request->has_source = false;
	else
		error = get_options(&request->options, options);
	if (error)
		drop_request(request);
	return error;
}

static uint32_t mount_flags(unsigned long flags)
{
	uint32_t result = (uint32_t)flags & MOUNT_FLAGS & ~(uint32_t)MS_RELATIME;

	if (flags & MS_STRICTATIME)
		return result & ~(uint32_t)MS_NOATIME;
	return flags & MS_NOATIME ? result : result | MS_RELATIME;
}

static bool is_mount(const struct path *path)
{
	return path->mount &&
	       path->dentry == path->mount->root; /* no mount: a pipe, by /proc/self/fd */
}

/* Without any flags for the times those stay as they were. */
static int set_flags(const struct path *path, const struct request *request)
{
	const unsigned long times = MS_NOATIME | MS_NODIRATIME | MS_RELATIME | MS_STRICTATIME;
	const uint32_t kept = MS_NOATIME | MS_NODIRATIME | MS_RELATIME;
	uint32_t flags = request->mount_flags;

	if (!is_mount(path))
		return -EINVAL;
	if (!(request->flags & times))
		flags = (flags & ~kept) | (path->mount->flags & kept);
	return mount_set_flags(path->mount, flags);
}

static int remount(const struct path *path, const struct request *request)
{
	struct superblock *superblock;
	int error = 0;

	if (!is_mount(path))
		return -EINVAL;
	superblock = path->mount->superblock;
	if (superblock->operations && superblock->operations->remount)
		error = superblock->operations->remount(superblock, request->options);
	if (!error)
		error = superblock_set_flags(superblock, request->superblock_flags);
	return error ? error : set_flags(path, request);
}

/* The path that a bind or a move starts from. */
static int find_source(const struct request *request, struct path *out)
{
	struct fs_context *fs = current_fs();
	int error;

	if (!request->has_source || !*request->source.text)
		return -EINVAL;
	error = path_find(fs, fs_working(fs), request->source.text, WALK_FOLLOW, out);
	if (!error && !out->mount) {
		path_put(out);
		error = -EINVAL;
	}
	return error;
}

static int bind_or_move(const struct path *over, const struct request *request)
{
	struct path what;
	int error = find_source(request, &what);

	if (error)
		return error;
	if (request->flags & MS_BIND)
		error = mount_bind(&what, over, request->flags & MS_REC);
	else
		error = mount_move(&what, over);
	path_put(&what);
	return error;
}

/* There are no other trees to spread to: only whether it may be bound is kept. */
static int set_spreading(const struct path *path, const struct request *request)
{
	unsigned long type = request->flags & ~(unsigned long)(MS_REC | MS_SILENT);

	if (!is_mount(path) || type & ~SPREADING || type & (type - 1))
		return -EINVAL;
	return mount_set_unbindable(path->mount, type == MS_UNBINDABLE);
}

static int new_mount(const struct path *over, struct request *request)
{
	const struct filesystem *type;
	struct superblock *superblock;
	int error;

	if (!request->has_type)
		return -EINVAL;
	type = filesystem_find(request->type.text);
	if (!type)
		return -ENODEV;
	error = type->mount(request->options, &superblock);
	if (error)
		return error;
	if (__atomic_load_n(&superblock->mounts, __ATOMIC_RELAXED) == 1) /* it is new */
		__atomic_or_fetch(&superblock->flags, request->superblock_flags, __ATOMIC_RELAXED);
	error = mount_add(superblock, over, request->has_source ? request->source.text : "none",
		request->mount_flags);
	superblock_unmounted(superblock); /* what create held */
	return error;
}

static int do_mount(const struct path *path, struct request *request)
{
	unsigned long flags = request->flags;

	if (flags & NOT_FOR_USERS)
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!path->mount)
		return -EINVAL;
	if (flags & MS_REMOUNT)
		return flags & MS_BIND ? set_flags(path, request) : remount(path, request);
	if (flags & MS_BIND)
		return bind_or_move(path, request);
	if (flags & SPREADING)
		return set_spreading(path, request);
	if (flags & MS_MOVE)
		return bind_or_move(path, request);
	return new_mount(path, request);
}

long sys_mount(user_t source, user_t target, user_t type, unsigned long flags, user_t options)
{
	struct request *request = kmalloc(sizeof(*request));
	struct path path;
	int error;

	if (!request)
		return -ENOMEM;
	error = get_request(request, source, type, options);
	if (error) {
		kfree(request);
		return error;
	}
	if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
		flags &= ~(unsigned long)MS_MGC_MSK;
	request->flags = flags;
	request->mount_flags = mount_flags(flags);
	request->superblock_flags =
		take_common(request->options, (uint32_t)flags & SUPERBLOCK_FLAGS);
	error = get_target(AT_FDCWD, target, 0, &path);
	if (!error) {
		error = do_mount(&path, request);
		path_put(&path);
	}
	drop_request(request);
	kfree(request);
	return error;
}

/* ---- umount2 ---- */

static int unmount(const struct path *path, unsigned int flags)
{
	struct path root = fs_root(current_fs());
	bool is_root = root.mount == path->mount;

	path_put(&root);
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!is_mount(path))
		return -EINVAL;
	if (flags & MNT_EXPIRE && (is_root || flags & (MNT_FORCE | MNT_DETACH)))
		return -EINVAL;
	if (is_root && !(flags & MNT_DETACH)) /* who ends the system finds it clean */
		return superblock_set_read_only(path->mount->superblock, true);
	return mount_remove(path, flags);
}

long sys_umount2(user_t target, unsigned int flags)
{
	struct path path;
	long result;

	if (flags & ~(MNT_FORCE | MNT_DETACH | MNT_EXPIRE | UMOUNT_NOFOLLOW))
		return -EINVAL;
	result = get_target(
		AT_FDCWD, target, flags & UMOUNT_NOFOLLOW ? AT_SYMLINK_NOFOLLOW : 0, &path);
	if (result)
		return result;
	if (path.mount)
		mount_descend(&path); /* what is over the root, too, below which a path begins */
	result = unmount(&path, flags);
	/* What was taken down goes with this, when nobody else is in it. */
	path_put(&path);
	return result;
}

/* ---- pivot_root ---- */

static int find_directory(user_t from, struct path *out)
{
	int error = get_target(AT_FDCWD, from, 0, out);

	if (!error && !is_directory(out->dentry->inode)) {
		path_put(out);
		error = -ENOTDIR;
	}
	return error;
}

long sys_pivot_root(user_t new_root, user_t put_old)
{
	struct path new, old, root;
	long result;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	result = find_directory(new_root, &new);
	if (result)
		return result;
	result = find_directory(put_old, &old);
	if (!result) {
		root = fs_root(current_fs());
		result = mount_pivot(&root, &new, &old);
		if (!result)
			all_fs_replace(&root, &new);
		path_put(&root);
		path_put(&old);
	}
	path_put(&new);
	return result;
}
