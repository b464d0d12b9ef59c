/* SPDX-License-Identifier: MIT */
/* man 2 execve, execveat. */
#include <asm/fcntl.h>

#include "files/open.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/exec.h"
#include "process/signal.h"
#include "syscall/files.h"

#define DEV_FD_MOST 32 /* "/dev/fd/", a number, a slash */

/* A NULL-terminated vector of strings; a NULL vector is an empty one. */
static int add_user_vector(struct exec_strings *strings, user_t vector, unsigned *count)
{
	uintptr_t text;

	for (*count = 0; vector.address; ++*count) {
		int error = copy_from_user(
			&text, user_offset(vector, *count * sizeof(text)), sizeof(text));

		if (error)
			return error;
		if (!text)
			return 0;
		error = exec_strings_add_user(strings, user_pointer(text));
		if (error)
			return error;
		if (signal_kill_pending())
			return -EINTR;
		sched_point();
	}
	return 0;
}

static int copy_vectors(struct exec_strings *strings, user_t argv, user_t envp)
{
	int error = add_user_vector(strings, argv, &strings->argc);

	if (!error && !strings->argc) {
		/* As Linux since 5.18: a program always has an argv[0]. */
		error = exec_strings_add(strings, "");
		strings->argc = 1;
	}
	return error ? error : add_user_vector(strings, envp, &strings->envc);
}

/* What the program is called: the path, or by way of the descriptor that it is relative to. *made is
 * to be freed. */
static int name_program(int directory, const char *path, const char **name, char **made)
{
	size_t size = DEV_FD_MOST + strlen(path) + 1;

	*made = NULL;
	*name = path;
	if (directory == AT_FDCWD || *path == '/')
		return 0;
	*made = kmalloc(size);
	if (!*made)
		return -ENOMEM;
	format(*made, size, "/dev/fd/%d%s%s", directory, *path ? "/" : "", path);
	*name = *made;
	return 0;
}

/* Whether a script's interpreter could not open the script by its name: the descriptor in it will be
 * closed. */
static bool is_hidden(int directory, const char *path)
{
	return directory != AT_FDCWD && *path != '/' &&
	       files_get_close_on_exec(current_files(), directory) > 0;
}

static int open_and_run(int directory, const char *path, const char *name, unsigned flags,
	struct exec_strings *strings)
{
	struct file *file;
	struct path start;
	int error;

	if (flags & ~(unsigned)(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH))
		return -EINVAL;
	file = *path ? NULL : get_file(directory);
	if (file && !file->path.dentry) { /* a pipe or a socket, or what is of no kind at all */
		error = file->inode->mode & S_IFMT ? -EACCES : -ENXIO;
		file_put(file);
		return error;
	}
	if (file)
		file_put(file);
	error = get_start(directory, path, &start);
	if (!error)
		error = file_open_program(start, path, flags, &file);
	if (error)
		return error;
	return process_exec(file, name, is_hidden(directory, path), strings);
}

long sys_execveat(int directory, user_t path, user_t argv, user_t envp, unsigned flags)
{
	enum path_empty empty = flags & AT_EMPTY_PATH ? PATH_MAY_BE_EMPTY : PATH_NOT_EMPTY;
	struct exec_strings strings;
	struct user_path text;
	const char *name;
	char *made = NULL;
	int error;

	error = get_path(&text, path, empty);
	if (error)
		return error;
	error = name_program(directory, text.text, &name, &made);
	exec_strings_init(&strings);
	if (!error)
		error = copy_vectors(&strings, argv, envp);
	if (!error)
		error = open_and_run(directory, text.text, name, flags, &strings);
	exec_strings_free(&strings);
	kfree(made);
	drop_path(&text);
	return error;
}

long sys_execve(user_t path, user_t argv, user_t envp)
{
	return sys_execveat(AT_FDCWD, path, argv, envp, 0);
}
