/* SPDX-License-Identifier: MIT */
/* System calls on names: mkdir, mknod, link, symlink, unlink, rmdir, rename, readlink, getcwd,
 * chdir, getdents and getdents64. Each has an old form and one with directory descriptors. */
#include "syscall/files.h"

#include <linux/capability.h>

#include "files/attributes.h"
#include "files/inotify.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/credentials.h"

/* ---- Making ---- */

static long make(int directory_fd, user_t path, struct new_inode *what)
{
	const struct credentials *who = current_credentials();
	struct user_path text;
	struct walk walk;
	int error = get_path(&text, path, PATH_NOT_EMPTY);

	if (error)
		return error;
	what->uid = who->fsuid;
	what->gid = who->fsgid;
	error = get_walk(&walk, directory_fd, text.text);
	if (!error)
		error = vfs_make(&walk, what);
	walk_end(&walk);
	drop_path(&text);
	return error;
}

static uint32_t masked(unsigned int mode, uint32_t allowed)
{
	return mode & allowed & ~__atomic_load_n(&current_fs()->umask, __ATOMIC_RELAXED);
}

long sys_mkdirat(int directory_fd, user_t path, unsigned int mode)
{
	struct new_inode what = {
		.mode = S_IFDIR | masked(mode, S_IRWXU | S_IRWXG | S_IRWXO | S_ISVTX)};

	return make(directory_fd, path, &what);
}

long sys_mkdir(user_t path, unsigned int mode)
{
	return sys_mkdirat(AT_FDCWD, path, mode);
}

long sys_mknodat(int directory_fd, user_t path, unsigned int mode, unsigned int device)
{
	struct new_inode what = {.mode = (mode & S_IFMT) | masked(mode, MODE_BITS)};

	switch (mode & S_IFMT) {
	case 0:
		what.mode |= S_IFREG;
		break;
	case S_IFREG:
	case S_IFIFO:
	case S_IFSOCK:
		break;
	case S_IFCHR:
	case S_IFBLK:
		what.device = device;
		break;
	case S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
	return make(directory_fd, path, &what);
}

long sys_mknod(user_t path, unsigned int mode, unsigned int device)
{
	return sys_mknodat(AT_FDCWD, path, mode, device);
}

long sys_symlinkat(user_t target, int directory_fd, user_t path)
{
	struct new_inode what = {.mode = S_IFLNK | 0777};
	struct user_path text;
	long result = get_path(&text, target, PATH_NOT_EMPTY);

	if (result)
		return result;
	what.link_text = text.text;
	result = make(directory_fd, path, &what);
	drop_path(&text);
	return result;
}

long sys_symlink(user_t target, user_t path)
{
	return sys_symlinkat(target, AT_FDCWD, path);
}

/* What gets one more name. What lies in no tree is on no mount, so on another than any name. */
static int get_linked(int fd, user_t path, unsigned int flags, struct path *out)
{
	const unsigned int follow = flags & AT_SYMLINK_FOLLOW ? 0u : AT_SYMLINK_NOFOLLOW;
	struct file *placeless = get_placeless(fd, path, flags);

	if (!placeless)
		return get_target(fd, path, follow | (flags & AT_EMPTY_PATH), out);
	file_put(placeless);
	*out = (struct path){NULL, NULL};
	return 0;
}

long sys_linkat(int old_fd, user_t old, int new_fd, user_t new, unsigned int flags)
{
	struct user_path text;
	struct walk walk;
	struct path target;
	int error;

	if (flags & ~(unsigned int)(AT_SYMLINK_FOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	if (flags & AT_EMPTY_PATH && !capable(CAP_DAC_READ_SEARCH))
		return -ENOENT;
	error = get_linked(old_fd, old, flags, &target);
	if (error)
		return error;
	error = get_path(&text, new, PATH_NOT_EMPTY);
	if (!error) {
		error = get_walk(&walk, new_fd, text.text);
		if (!error)
			error = vfs_link(&walk, &target);
		walk_end(&walk);
		drop_path(&text);
	}
	path_put(&target);
	return error;
}

long sys_link(user_t old, user_t new)
{
	return sys_linkat(AT_FDCWD, old, AT_FDCWD, new, 0);
}

/* ---- Removing and moving ---- */

static long remove(int directory_fd, user_t path, enum vfs_remove what)
{
	struct user_path text;
	struct walk walk;
	int error = get_path(&text, path, PATH_NOT_EMPTY);

	if (error)
		return error;
	error = get_walk(&walk, directory_fd, text.text);
	if (!error)
		error = vfs_remove(&walk, what);
	walk_end(&walk);
	drop_path(&text);
	return error;
}

long sys_unlinkat(int directory_fd, user_t path, unsigned int flags)
{
	if (flags & ~(unsigned int)AT_REMOVEDIR)
		return -EINVAL;
	return remove(directory_fd, path, flags & AT_REMOVEDIR ? VFS_RMDIR : VFS_UNLINK);
}

long sys_unlink(user_t path)
{
	return remove(AT_FDCWD, path, VFS_UNLINK);
}

long sys_rmdir(user_t path)
{
	return remove(AT_FDCWD, path, VFS_RMDIR);
}

/* Two walks are large: they are kept off the stack. */
struct two_walks {
	struct walk from, to;
};

static int rename_texts(
	int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	struct two_walks *walks = kzalloc(sizeof(*walks));
	int error;

	if (!walks)
		return -ENOMEM;
	error = get_walk(&walks->from, from_fd, from);
	if (!error)
		error = get_walk(&walks->to, to_fd, to);
	if (!error)
		error = vfs_rename(&walks->from, &walks->to, flags);
	walk_end(&walks->from);
	walk_end(&walks->to);
	kfree(walks);
	return error;
}

long sys_renameat2(int from_fd, user_t from, int to_fd, user_t to, unsigned int flags)
{
	struct user_path from_text, to_text;
	int error;

	if (flags & ~(unsigned int)(RENAME_NOREPLACE | RENAME_EXCHANGE | RENAME_WHITEOUT) ||
		(flags & RENAME_EXCHANGE && flags & ~(unsigned int)RENAME_EXCHANGE))
		return -EINVAL;
	error = get_path(&from_text, from, PATH_NOT_EMPTY);
	if (error)
		return error;
	error = get_path(&to_text, to, PATH_NOT_EMPTY);
	if (!error) {
		error = rename_texts(from_fd, from_text.text, to_fd, to_text.text, flags);
		drop_path(&to_text);
	}
	drop_path(&from_text);
	return error;
}

long sys_renameat(int from_fd, user_t from, int to_fd, user_t to)
{
	return sys_renameat2(from_fd, from, to_fd, to, 0);
}

long sys_rename(user_t from, user_t to)
{
	return sys_renameat2(AT_FDCWD, from, AT_FDCWD, to, 0);
}

/* ---- Reading links and directories ---- */

static long give_link(user_t buffer, int size, const char *text, size_t length)
{
	if (length > (size_t)size)
		length = (size_t)size;
	return copy_to_user(buffer, text, length) ? -EFAULT : (long)length;
}

static long read_magic_link(struct inode *inode, user_t buffer, int size)
{
	char *text = kmalloc(PATH_MAX);
	ssize_t length = text ? inode->operations->jump_text(inode, text) : -ENOMEM;
	long result = length < 0 ? length : give_link(buffer, size, text, (size_t)length);

	kfree(text);
	return result;
}

static long read_link(struct inode *inode, user_t buffer, int size)
{
	const char *text;

	if (!S_ISLNK(inode->mode))
		return -EINVAL;
	if (inode->operations->jump_text)
		return read_magic_link(inode, buffer, size);
	text = inode->operations->link_text(inode);
	inode_touch_accessed(inode);
	return give_link(buffer, size, text, strlen(text));
}

long sys_readlinkat(int directory_fd, user_t path, user_t buffer, int size)
{
	struct path target;
	long result;
	char first;

	if (size <= 0)
		return -EINVAL;
	result = get_target(directory_fd, path, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH, &target);
	if (!result) {
		result = read_link(target.dentry->inode, buffer, size);
		path_put(&target);
	}
	/* By a descriptor alone, of what is no link. */
	if ((result == -EINVAL || result == -ENOTDIR) && !copy_from_user(&first, path, 1) && !first)
		result = -ENOENT;
	return result;
}

long sys_readlink(user_t path, user_t buffer, int size)
{
	return sys_readlinkat(AT_FDCWD, path, buffer, size);
}

/* getdents has the name where getdents64 has the kind, and the kind in the last byte. */
struct old_entry {
	unsigned long ino, off;
	unsigned short reclen;
	char name[];
};

struct getdents {
	struct entry_sink sink;
	bool old;
	user_t at;
	size_t left;
	int error;
};

/* Writes one struct linux_dirent64, or an old one; the name's NUL and padding up to eight bytes with it. */
static bool emit_entry(struct entry_sink *sink, const char *name, uint32_t length, uint64_t number,
	uint32_t mode, int64_t next)
{
	struct getdents *out = container_of(sink, struct getdents, sink);
	size_t header = out->old ? offsetof(struct old_entry, name)
				 : offsetof(struct linux_dirent64, d_name);
	size_t size = ALIGN_UP(header + length + 1 + out->old, 8);
	struct {
		struct linux_dirent64 entry;
		char name[ALIGN_UP(NAME_MAX + 1, 8)];
	} record;

	if (size > out->left) {
		out->error = -EINVAL; /* what the caller gives when not even one fits */
		return false;
	}
	/* The name's NUL and the padding lie in the last eight bytes; of an old one in the last nine. */
	*(uint64_t *)(void *)((char *)&record + size - 8) = 0;
	if (out->old)
		*(uint64_t *)(void *)((char *)&record + size - 16) = 0;
	record.entry.d_ino = number;
	record.entry.d_off = next;
	record.entry.d_reclen = (unsigned short)size;
	*(out->old ? (unsigned char *)&record + size - 1 : &record.entry.d_type) =
		(unsigned char)(mode >> 12 & 15);
	memcpy((char *)&record + header, name, length);
	if (copy_to_user(out->at, &record, size)) {
		out->error = -EFAULT;
		return false;
	}
	out->at = user_offset(out->at, size);
	out->left -= size;
	return true;
}

static long get_entries(struct file *file, user_t buffer, size_t count, bool old)
{
	struct getdents out = {.sink.emit = emit_entry, .old = old, .at = buffer, .left = count};
	struct inode *directory = file->inode;
	int error = -ENOENT;

	mutex_lock(&file->position_lock);
	mutex_lock(&directory->lock);
	if (directory->links) {
		error = file->operations->iterate(file, &out.sink, &file->position);
		file_touch_accessed(file);
	}
	mutex_unlock(&directory->lock);
	mutex_unlock(&file->position_lock);
	if (error != -ENOENT)
		inotify_file(file, IN_ACCESS);
	if (out.left < count)
		return (long)(count - out.left);
	return error ? error : out.error;
}

static long get_entries_of(int fd, user_t buffer, unsigned int count, bool old)
{
	struct borrowed_file borrowed = borrow_real_file(fd);
	long result = -ENOTDIR;

	if (!borrowed.file)
		return -EBADF;
	if (borrowed.file->operations->iterate)
		result = get_entries(borrowed.file, buffer, count, old);
	file_return(borrowed);
	return result;
}

long sys_getdents64(int fd, user_t buffer, unsigned int count)
{
	return get_entries_of(fd, buffer, count, false);
}

/* AddressSanitizer's leak check asks by this one. */
long sys_getdents(int fd, user_t buffer, unsigned int count)
{
	return get_entries_of(fd, buffer, count, true);
}

/* ---- The working directory ---- */

long sys_getcwd(user_t buffer, size_t size)
{
	struct fs_context *fs = current_fs();
	struct path working = fs_working(fs), root = fs_root(fs);
	char *page = kmalloc(PATH_MAX);
	const char *text = NULL;
	size_t length;
	long result;

	if (!page)
		result = -ENOMEM;
	else if (!working.dentry->inode->links)
		result = -ENOENT;
	else
		result = (text = path_text(&working, &root, page, PATH_MAX)) ? 0 : -ENAMETOOLONG;
	if (!result) {
		length = strlen(text) + 1;
		if (length > size)
			result = -ERANGE;
		else
			result = copy_to_user(buffer, text, length) ? -EFAULT : (long)length;
	}
	kfree(page);
	path_put(&working);
	path_put(&root);
	return result;
}

static long change_directory(const struct path *path)
{
	struct inode *inode = path->dentry->inode;
	int error = -ENOTDIR;

	if (is_directory(inode))
		error = inode_permission(inode, MAY_EXECUTE);
	if (!error)
		fs_set_working(current_fs(), path);
	return error;
}

long sys_chdir(user_t path)
{
	struct path target;
	long result = get_target(AT_FDCWD, path, 0, &target);

	if (result)
		return result;
	result = change_directory(&target);
	path_put(&target);
	return result;
}

long sys_fchdir(int fd)
{
	struct file *file = get_file(fd);
	long result;

	if (!file)
		return -EBADF;
	result = file->path.dentry ? change_directory(&file->path) : -ENOTDIR;
	file_put(file);
	return result;
}

/* ---- The root directory ---- */

/* The working directory stays where it is, outside perhaps. */
long sys_chroot(user_t path)
{
	struct path target;
	long result = get_target(AT_FDCWD, path, 0, &target);

	if (result)
		return result;
	if (!is_directory(target.dentry->inode))
		result = -ENOTDIR;
	else
		result = inode_permission(target.dentry->inode, MAY_EXECUTE);
	if (!result && !capable(CAP_SYS_CHROOT))
		result = -EPERM;
	if (!result)
		fs_set_root(current_fs(), &target);
	path_put(&target);
	return result;
}
