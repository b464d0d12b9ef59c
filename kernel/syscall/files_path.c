/* SPDX-License-Identifier: MIT */
/* Descriptors and paths of the system calls on files; see files.h. */
#include "syscall/files.h"

#include "lib/string.h"
#include "memory/slab.h"

struct file *get_real_file(int fd)
{
	struct file *file = get_file(fd);

	if (!file || !(file->flags & O_PATH))
		return file;
	file_put(file);
	return NULL;
}

int get_path(struct user_path *path, user_t from, enum path_empty empty)
{
	ssize_t length = copy_short_string(path->small, from, sizeof(path->small));

	path->text = path->small;
	if (length == -ENAMETOOLONG) {
		path->text = kmalloc(PATH_MAX);
		if (!path->text)
			return -ENOMEM;
		length = copy_string_from_user(path->text, from, PATH_MAX);
	}
	if (!length && empty == PATH_NOT_EMPTY)
		length = -ENOENT;
	if (length < 0) {
		drop_path(path);
		return (int)length;
	}
	return 0;
}

int get_start(int directory_fd, const char *path, struct path *out)
{
	struct file *file;
	int error = 0;

	if (*path == '/') { /* nowhere: walks of such paths start at the root */
		*out = (struct path){NULL, NULL};
		return 0;
	}
	if (directory_fd == AT_FDCWD) {
		*out = fs_working(current_fs());
		return 0;
	}
	file = get_file(directory_fd);
	if (!file)
		return -EBADF;
	if (file->path.dentry) {
		*out = file->path;
		path_get(out);
	} else {
		error = -ENOTDIR;
	}
	file_put(file);
	return error;
}

int get_walk(struct walk *walk, int directory_fd, const char *path)
{
	struct path start;
	int error = get_start(directory_fd, path, &start);

	if (error) { /* so that walk_end has nothing to do */
		memset(walk, 0, sizeof(*walk));
		return error;
	}
	error = walk_start(walk, current_fs(), start, path);
	return error ? error : walk_parent(walk);
}

bool find_below(int directory_fd, const char *path, struct path *out)
{
	struct borrowed_file borrowed = borrow_file(directory_fd);
	bool found = borrowed.file && borrowed.file->path.dentry &&
		     path_find_cached(current_fs(), &borrowed.file->path, path, out);

	file_return(borrowed);
	return found;
}

/* By a walk. */
static int find_target(int directory_fd, const char *path, enum walk_flags flags, struct path *out)
{
	struct path start;
	int error = get_start(directory_fd, path, &start);

	return error ? error : path_walk(current_fs(), start, path, flags, out);
}

struct file *get_placeless(int fd, user_t path, unsigned int flags)
{
	struct file *file;
	char first;

	if (!(flags & AT_EMPTY_PATH) || fd < 0 || copy_from_user(&first, path, 1) || first)
		return NULL;
	file = get_file(fd);
	if (!file || !file->path.dentry)
		return file;
	file_put(file);
	return NULL;
}

int get_target(int directory_fd, user_t path, unsigned int flags, struct path *out)
{
	enum path_empty empty = flags & AT_EMPTY_PATH ? PATH_MAY_BE_EMPTY : PATH_NOT_EMPTY;
	unsigned int walk = flags & AT_SYMLINK_NOFOLLOW ? 0 : WALK_FOLLOW;
	struct user_path text;
	int error = get_path(&text, path, empty);

	if (error)
		return error;
	if (flags & AT_EMPTY_PATH)
		walk |= WALK_EMPTY;
	if (!find_at_once(directory_fd, text.text, out))
		error = find_target(directory_fd, text.text, walk, out);
	drop_path(&text);
	return error;
}
