/* SPDX-License-Identifier: MIT */
/*
 * Opening files, and open files: struct file.
 *
 * An open file is shared by the descriptors that dup and fork make. Its position has a lock of its
 * own, held across a read or write of a file that has positions; streams (pipes, terminals) have
 * none and block without it. flags are read and changed atomically (F_SETFL).
 */
#include "files/open.h"

#include <linux/capability.h>

#include "files/async.h"
#include "files/attributes.h"
#include "files/epoll.h"
#include "files/file.h"
#include "files/file_locks.h"
#include "files/inotify.h"
#include "files/protected.h"
#include "files/resolve.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "process/current.h"

/* What open(2) alone looks at: not part of what F_GETFL shows. */
#define OPEN_ONLY   ((unsigned int)(O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_CLOEXEC))

#define FILES_LEAST 8192u

static const struct file_operations no_operations; /* O_PATH */
static struct cache file_cache = CACHE_INIT("file", sizeof(struct file), 0);

uint64_t files_most = FILES_LEAST;

/* A file takes about a KiB with what belongs to it, and together they may take a tenth of the memory. */
void open_init(void)
{
	uint64_t most = pages_total() * (PAGE_SIZE / 1024) / 10;

	files_most = most > FILES_LEAST ? most : FILES_LEAST;
}

/* As near as it can be told without a lock. */
uint64_t file_count(void)
{
	uint64_t objects = __atomic_load_n(&file_cache.objects, __ATOMIC_RELAXED);
	uint32_t front = __atomic_load_n(&file_cache.front_count, __ATOMIC_RELAXED);

	return objects > front ? objects - front : 0;
}

/* All that a file has, but its flags: it comes as it was left. */
static inline void init_file(struct file *file, struct inode *inode, const struct path *path,
	const struct file_operations *operations)
{
	file->operations = operations;
	file->inode = inode;
	file->path = path ? *path : (struct path){NULL, NULL};
	file->references = 1;
	mutex_init(&file->position_lock, "file->position_lock");
	file->position = 0;
	file->private = NULL;
	file->path_text = NULL;
	file->watchers = NULL;
	file->owner = NULL;
	file->writes = file->forbids = false;
}

/* Takes over the path's references, if 0 is returned. */
static inline int make_file(struct inode *inode, const struct path *path, unsigned int flags,
	const struct file_operations *operations, struct file **out)
{
	struct file *file = cache_alloc_raw(&file_cache);
	int error = 0;

	if (unlikely(!file))
		return -ENOMEM;
	if (unlikely(file_count() > __atomic_load_n(&files_most, __ATOMIC_RELAXED)) &&
		!capable(CAP_SYS_ADMIN)) {
		cache_free(&file_cache, file);
		return -ENFILE;
	}
	init_file(file, inode, path, operations);
	file->flags = flags;
	inode_get(inode);
	if (operations->open) {
		error = operations->open(file);
		flags = file->flags;
	}
	file->flags = flags & ~OPEN_ONLY; /* nobody else knows it yet */
	if (unlikely(error)) {
		inode_put(inode);
		cache_free(&file_cache, file);
		return error;
	}
	*out = file;
	return 0;
}

int file_make(struct inode *inode, const struct path *path, unsigned int flags,
	const struct file_operations *operations, struct file **out)
{
	int error;

	if (path)
		path_get(path);
	error = make_file(inode, path, flags, operations ? operations : &no_operations, out);
	if (error && path)
		path_put(path);
	return error;
}

/* ---- Writers, or running programs: never both ---- */

static int change_writers(struct inode *inode, int32_t by)
{
	int32_t now = __atomic_load_n(&inode->writers, __ATOMIC_RELAXED);

	do {
		if (by > 0 ? now < 0 : now > 0)
			return -ETXTBSY;
	} while (!__atomic_compare_exchange_n(
		&inode->writers, &now, now + by, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
	return 0;
}

int inode_begin_write(struct inode *inode)
{
	return change_writers(inode, 1);
}

void inode_end_write(struct inode *inode)
{
	__atomic_sub_fetch(&inode->writers, 1, __ATOMIC_RELEASE);
}

static int inode_forbid_write(struct inode *inode)
{
	return change_writers(inode, -1);
}

static void inode_allow_write(struct inode *inode)
{
	__atomic_add_fetch(&inode->writers, 1, __ATOMIC_RELEASE);
}

void file_get(struct file *file)
{
	__atomic_add_fetch(&file->references, 1, __ATOMIC_RELAXED);
}

void file_put(struct file *file)
{
	if (__atomic_sub_fetch(&file->references, 1, __ATOMIC_ACQ_REL))
		return;
	if (inotify_is_asked(IN_CLOSE))
		inotify_tell_file(file, file_writable(file) ? IN_CLOSE_WRITE : IN_CLOSE_NOWRITE);
	if (file->inode->locks)
		file_locks_drop(file->inode, file);
	if (unlikely(__atomic_load_n(&file->watchers, __ATOMIC_ACQUIRE)))
		epoll_forget(file);
	if (unlikely(file->owner))
		async_forget(file);
	if (file->operations->release)
		file->operations->release(file);
	if (file->writes) {
		inode_end_write(file->inode);
		mount_end_write(file->path.mount);
	}
	if (file->forbids)
		inode_allow_write(file->inode);
	path_put(&file->path);
	inode_put(file->inode);
	if (unlikely(file->path_text))
		kfree(file->path_text);
	cache_free(&file_cache, file);
}

void file_close(struct file *file, struct files *files)
{
	if (__atomic_load_n(&file->inode->locks, __ATOMIC_ACQUIRE) && !(file->flags & O_PATH))
		file_locks_drop(file->inode, files);
	file_put(file);
}

/* ---- open ---- */

static unsigned int may_of(unsigned int flags)
{
	/* by O_ACCMODE, four bits each: reading, writing, both, both */
	const unsigned int by_access = MAY_READ | MAY_WRITE << 4 | (MAY_READ | MAY_WRITE) << 8 |
				       (MAY_READ | MAY_WRITE) << 12;

	return (by_access >> (flags & O_ACCMODE) * 4 & 7u) | (flags & O_TRUNC ? MAY_WRITE : 0u);
}

static bool may_write(unsigned int flags)
{
	return may_of(flags & O_ACCMODE) & MAY_WRITE;
}

/* May this file be opened so? `made`: by this very call, so its mode does not matter. */
static inline int may_open(const struct path *path, unsigned int flags, bool made)
{
	const struct inode *inode = path->dentry->inode;
	uint32_t type = inode->mode & S_IFMT;
	int error;

	if (type != S_IFREG) {
		if (type == S_IFLNK)
			return -ELOOP;
		if (type == S_IFDIR && may_of(flags) & MAY_WRITE)
			return -EISDIR;
		if ((type == S_IFCHR || type == S_IFBLK) && mount_has(path->mount, MS_NODEV))
			return -EACCES;
		if (type == S_IFSOCK)
			return -ENXIO;
	}
	if (unlikely(!inode->file_operations))
		return -ENXIO;
	if (made)
		return 0;
	if (flags & O_TRUNC && type == S_IFREG && mount_read_only(path->mount))
		return -EROFS;
	error = inode_permission(inode, may_of(flags));
	return unlikely(flags & (O_ACCMODE | O_TRUNC | O_NOATIME)) && !error
		       ? inode_may_open_more(inode, flags)
		       : error;
}

static int begin_write(const struct path *path)
{
	int error = mount_begin_write(path->mount);

	if (error)
		return error;
	error = inode_begin_write(path->dentry->inode);
	if (error)
		mount_end_write(path->mount);
	return error;
}

static void end_write(const struct path *path)
{
	inode_end_write(path->dentry->inode);
	mount_end_write(path->mount);
}

/* What an open may ask for that has no more to it than that the file may be read. */
#define PLAIN_READ ((unsigned int)(O_CLOEXEC | O_LARGEFILE | O_NONBLOCK))

/* May it be opened so, whatever it asks for? OPEN_WRITES: yes, and writing has begun; 0; or a negative errno. */
#define OPEN_WRITES 1
static __attribute__((noinline)) int begin_open(
	const struct path *path, unsigned int flags, bool made)
{
	struct inode *inode = path->dentry->inode;
	int error;

	if (flags & O_DIRECTORY && !made && !is_directory(inode))
		return -ENOTDIR;
	if (flags & O_PATH)
		return 0;
	error = may_open(path, flags, made);
	if (error || !S_ISREG(inode->mode) || !may_write(flags))
		return error;
	error = begin_write(path);
	return error ? error : OPEN_WRITES;
}

/* What comes last, since it cannot be undone. */
static __attribute__((noinline)) int end_open(
	const struct path *path, struct file *file, unsigned int flags, bool made)
{
	if (flags & O_PATH)
		return 0;
	if (flags & O_DIRECT && !(file->operations->traits & FILE_DIRECT))
		return -EINVAL;
	if (flags & O_TRUNC && !made && S_ISREG(file->inode->mode))
		return file_truncate(file->inode, path->dentry, 0);
	return 0;
}

/* Takes over the path's references, if 0 is returned. */
static ALWAYS_INLINE int open_path(
	const struct path *path, unsigned int flags, bool made, struct file **out)
{
	struct inode *inode = path->dentry->inode;
	const bool plain = likely(
		!made && !(flags & ~PLAIN_READ) && S_ISREG(inode->mode) && inode->file_operations);
	bool writes;
	int error;

	error = plain ? inode_permission(inode, MAY_READ) : begin_open(path, flags, made);
	if (unlikely(error < 0))
		return error;
	writes = error == OPEN_WRITES;
	error = make_file(
		inode, path, flags, flags & O_PATH ? &no_operations : inode->file_operations, out);
	if (unlikely(error)) {
		if (writes)
			end_write(path);
		return error;
	}
	(*out)->writes = writes;
	if (!plain)
		error = end_open(path, *out, flags, made);
	if (unlikely(error)) {
		path_get(path);
		file_put(*out);
		return error;
	}
	if (!(flags & O_PATH))
		inotify_file(*out, IN_OPEN);
	return 0;
}

int file_open_found(const struct path *path, unsigned int flags, bool made, struct file **out)
{
	int error = open_path(path, flags, made, out);

	if (unlikely(error))
		path_put(path);
	return error;
}

/* The last component of open(O_CREAT): finds it or makes it. *made says which. */
static int find_or_make(struct walk *walk, unsigned int mode, struct dentry **out, bool *made)
{
	struct inode *directory = walk->at.dentry->inode;
	const struct credentials *who = current_credentials();
	const struct new_inode what = {
		.mode = S_IFREG | mode, .uid = who->fsuid, .gid = who->fsgid};
	int error;

	mutex_lock(&directory->lock);
	error = dentry_lookup_locked(walk->at.dentry, &walk->last, out);
	*made = !error && !(*out)->inode;
	if (*made) {
		if (mount_read_only(walk->at.mount))
			error = -EROFS;
		else if (!directory->operations->make)
			error = -EACCES;
		else
			error = vfs_make_at(*out, directory, &what);
		if (error)
			dentry_put(*out);
	}
	mutex_unlock(&directory->lock);
	return error;
}

/* Follows links up to the file, which is made if it isn't there; consumes nothing. */
static int walk_create(
	struct walk *walk, unsigned int flags, unsigned int mode, struct path *out, bool *made)
{
	struct dentry *dentry;
	int error;

	for (;;) {
		if (walk->kind == LAST_JUMP && !is_directory(walk->at.dentry->inode)) {
			*out = walk->at;
			path_get(out);
			*made = false;
			return 0;
		}
		if (walk->kind != LAST_NORMAL && flags & O_EXCL)
			return -EEXIST;
		if (walk->kind != LAST_NORMAL || walk->directory)
			return -EISDIR;
		error = find_or_make(walk, mode, &dentry, made);
		if (error)
			return error;
		if (flags & O_EXCL && !*made)
			error = -EEXIST;
		else if (*made || !S_ISLNK(dentry->inode->mode) || flags & O_NOFOLLOW)
			break;
		if (error) {
			dentry_put(dentry);
			return error;
		}
		error = walk_follow(walk, dentry);
		if (error)
			return error;
	}
	mount_get(walk->at.mount);
	*out = (struct path){walk->at.mount, dentry};
	mount_descend(out);
	if (!*made && is_directory(out->dentry->inode))
		error = -EISDIR;
	if (!error)
		error = walk_check_mount(walk, walk->at.mount, out->mount);
	if (!error && !*made)
		error = protected_may_create(walk->at.dentry->inode, out->dentry->inode);
	if (error)
		path_put(out);
	return error;
}

/* O_TMPFILE: the path leads to the directory; the file may get a name unless O_EXCL is given. */
static int open_nameless(
	const struct path *directory, unsigned int flags, unsigned int mode, struct file **out)
{
	const struct credentials *who = current_credentials();
	const struct new_inode what = {
		.mode = S_IFREG | mode, .uid = who->fsuid, .gid = who->fsgid};
	struct path made;
	int error;

	if (!is_directory(directory->dentry->inode))
		return -ENOTDIR;
	if (mount_read_only(directory->mount))
		return -EROFS;
	error = vfs_make_nameless(directory, &what, &made);
	if (error)
		return error;
	made.dentry->inode->linkable = !(flags & O_EXCL);
	error = file_open_found(&made, flags & ~OPEN_NAMELESS, true, out);
	if (!error)
		__atomic_or_fetch(&(*out)->flags, OPEN_NAMELESS, __ATOMIC_RELAXED);
	return error;
}

/* Consumes `start`. */
static int find_and_create(struct fs_context *fs, struct path start, const char *path,
	const struct open_terms *how, struct path *found, bool *made)
{
	struct walk walk;
	int error = walk_start_resolved(&walk, fs, start, path, how->resolve);

	if (!error)
		error = walk_parent(&walk);
	if (!error)
		error = walk_create(&walk, how->flags, how->mode, found, made);
	walk_end(&walk);
	return error;
}

int file_open_resolved(struct fs_context *fs, struct path start, const char *path,
	const struct open_terms *terms, struct file **out)
{
	const struct open_terms how = {.flags = terms->flags,
		.mode = terms->mode & MODE_BITS & ~__atomic_load_n(&fs->umask, __ATOMIC_RELAXED),
		.resolve = terms->resolve};
	enum walk_flags follow = how.flags & O_NOFOLLOW ? 0 : WALK_FOLLOW;
	const unsigned int flags = how.flags;
	struct path found;
	bool made = false;
	int error;

	if (flags & O_CREAT)
		error = find_and_create(fs, start, path, &how, &found, &made);
	else
		error = path_walk_resolved(fs, start, path, follow, how.resolve, &found);
	if (error)
		return error;
	if (unlikely(flags & OPEN_NAMELESS)) {
		error = open_nameless(&found, flags, how.mode, out);
		path_put(&found);
		return error;
	}
	return file_open_found(&found, flags, made, out);
}

int file_open_at(struct fs_context *fs, struct path start, const char *path, unsigned int flags,
	unsigned int mode, struct file **out)
{
	const struct open_terms terms = {.flags = flags, .mode = mode};

	return file_open_resolved(fs, start, path, &terms, out);
}

int file_open(
	struct fs_context *fs, const char *path, int flags, unsigned int mode, struct file **out)
{
	unsigned int checked = (unsigned int)flags;
	int error = open_check_flags(&checked);

	return error ? error : file_open_at(fs, fs_working(fs), path, checked, mode, out);
}

/* ---- Reading and writing ---- */

ssize_t file_read(struct file *file, struct io *io, int64_t *position)
{
	return file_readable(file) ? file_read_allowed(file, io, position) : -EBADF;
}

ssize_t file_write(struct file *file, struct io *io, int64_t *position)
{
	return file_writable(file) ? file_write_allowed(file, io, position) : -EBADF;
}

ssize_t file_read_at(struct file *file, void *to, size_t size, uint64_t offset)
{
	struct io io = io_kernel(to, size < IO_MAX ? size : IO_MAX);
	int64_t position = (int64_t)offset;

	ssize_t got;

	if (offset > INT64_MAX)
		return -EINVAL;
	got = file_read(file, &io, &position);
	if (got > 0)
		inotify_file(file, IN_ACCESS);
	return got;
}

/* ---- What exec and mmap ask ---- */

int file_open_program(struct path start, const char *path, unsigned int at_flags, struct file **out)
{
	enum walk_flags walk = at_flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct inode *inode;
	struct path found;
	int error;

	if (at_flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	error = path_find(current_fs(), start, path, walk, &found);
	if (error)
		return error;
	inode = found.dentry->inode;
	if (S_ISLNK(inode->mode))
		error = -ELOOP;
	else if (!S_ISREG(inode->mode) || mount_has(found.mount, MS_NOEXEC))
		error = -EACCES;
	else
		error = inode_permission(inode, MAY_EXECUTE);
	if (!error)
		error = inode_forbid_write(inode);
	if (!error) {
		error = file_make(inode, &found, O_RDONLY, inode->file_operations, out);
		if (error)
			inode_allow_write(inode);
		else
			(*out)->forbids = true;
	}
	if (!error)
		inotify_file(*out, IN_OPEN);
	path_put(&found);
	return error;
}

int program_open(const char *path, struct file **out)
{
	return file_open_program(fs_working(current_fs()), path, 0, out);
}

int64_t file_seek(struct file *file, int64_t offset, int whence)
{
	if (whence != SEEK_SET && whence != SEEK_CUR)
		return -EINVAL;
	return seek_from(whence == SEEK_CUR ? file->position : 0, offset);
}
