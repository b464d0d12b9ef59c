/* SPDX-License-Identifier: MIT */
/* What the system calls on files share: files from descriptors, paths from users. */
#ifndef SYSCALL_FILES_H
#define SYSCALL_FILES_H

#include "files/file.h"
#include "files/table.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/current.h"
#include "syscall/table.h"

/* The open file of a descriptor of this process, with a reference, or NULL. */
static inline struct file *get_file(int fd)
{
	return files_lookup(current_files(), fd);
}

/* The same for the length of the call: see files_borrow. */
static inline struct borrowed_file borrow_file(int fd)
{
	return files_borrow(current_files(), fd);
}

/* The same, NULL for files opened with O_PATH. */
static inline struct borrowed_file borrow_real_file(int fd)
{
	struct borrowed_file borrowed = borrow_file(fd);

	if (borrowed.file && unlikely(borrowed.file->flags & O_PATH)) {
		file_return(borrowed);
		borrowed = (struct borrowed_file){NULL, false};
	}
	return borrowed;
}

/* As get_file, NULL for files opened with O_PATH too: for all that is not allowed on those. */
struct file *get_real_file(int fd) MUST_CHECK;

/* fallocate(2) of an open file. */
long file_allocate(struct file *file, int mode, int64_t start, int64_t length) MUST_CHECK;

enum direction { MOVE_READ, MOVE_WRITE };

/* Counts a call for /proc/PID/io, with the bytes that it has moved, or its errno. */
static inline void count_move(enum direction way, long moved)
{
	struct usage *usage = &current_thread()->usage;

	usage->calls[way]++;
	usage->moved[way] += moved > 0 ? (uint64_t)moved : 0;
}

#define IO_FAST_RANGES 8
/* A user's ranges, in `fast` (of IO_FAST_RANGES) or, when there are many, in memory of their own, which
 * the caller frees. Their sum, at most IO_MAX; -EINVAL, -EFAULT, -ENOMEM. */
struct iovec;
ssize_t io_get_ranges(user_t from, size_t count, struct iovec *fast, struct iovec **out) MUST_CHECK;

/* fcntl's F_GETLK and its kin. */
long fcntl_lock(int fd, struct file *file, int command, user_t argument) MUST_CHECK;

/* A path that a user gave. Most are short and stand inside; drop_path frees the others. */
struct user_path {
	char *text;
	char small[200];
};

/* 0, -EFAULT, -ENAMETOOLONG (4,096 bytes or more with the NUL), -ENOMEM; -ENOENT for an empty path
 * unless `empty` allows it. */
enum path_empty { PATH_NOT_EMPTY, PATH_MAY_BE_EMPTY };
int get_path(struct user_path *path, user_t from, enum path_empty empty) MUST_CHECK;
static inline void drop_path(struct user_path *path)
{
	if (unlikely(path->text != path->small))
		kfree(path->text);
	path->text = path->small;
}

/* Where a walk with this directory descriptor starts, with references: -EBADF; -ENOTDIR. */
int get_start(int directory_fd, const char *path, struct path *out) MUST_CHECK;
/* What such a path leads to, with references, where one look at the dentry cache tells: see path_find_cached. */
bool find_below(
	int directory_fd, const char *path, struct path *out) MUST_CHECK; /* of a descriptor */
static inline bool MUST_CHECK find_at_once(int directory_fd, const char *path, struct path *out)
{
	struct fs_context *fs = current_fs();

	if (likely(*path == '/' || directory_fd == AT_FDCWD))
		return path_find_cached(fs, &fs->working, path, out);
	return find_below(directory_fd, path, out);
}

/* A walk to the directory of the last component; walk_end in any case. */
int get_walk(struct walk *walk, int directory_fd, const char *path) MUST_CHECK;
/* What an empty path with AT_EMPTY_PATH names, where that lies in no tree (a pipe), with a reference. NULL: anything
 * else, for get_target. */
struct file *get_placeless(int fd, user_t path, unsigned int flags) MUST_CHECK;
/* The file that a path leads to. flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. */
int get_target(int directory_fd, user_t path, unsigned int flags, struct path *out) MUST_CHECK;

#endif
