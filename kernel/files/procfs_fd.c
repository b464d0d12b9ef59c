/* SPDX-License-Identifier: MIT */
/* /proc/PID/fd and fdinfo: the open files of a process, by descriptor. See procfs.c. */
#include "files/procfs.h"

#include "files/file.h"
#include "files/table.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/pid.h"
#include "process/process.h"

#define FD_NUMBERS     (UINT64_C(1) << 32) /* of inodes, with the pid above them */
#define FDINFO_NUMBERS (UINT64_C(1) << 33)
#define PID_SHIFT      40
#define NO_MOUNT       1 /* mnt_id of what is in no tree */

/* The descriptor table, as long as process_lock is held: a reference would make it a shared one. NULL: gone. */
static struct files *files_of(const struct proc_inode *inode) requires(process_lock)
{
	struct process *process;
	struct thread *thread;

	return !proc_target(inode, &process, &thread) && thread ? thread->files : NULL;
}

/* False: not open. */
static bool see(const struct proc_inode *inode, int fd, struct seen_file *out)
{
	struct files *files;
	bool open;

	spin_lock(&process_lock);
	files = files_of(inode);
	open = files && files_see(files, fd, out);
	spin_unlock(&process_lock);
	return open;
}

/* ---- Links ---- */

int proc_nameless_path(struct inode *inode, struct path *out)
{
	struct dentry *dentry = dentry_make_root(inode);

	if (!dentry)
		return -ENOMEM;
	inode_get(inode);
	*out = (struct path){NULL, dentry};
	return 0;
}

static int jump_fd(struct proc_inode *inode, struct path *out)
{
	struct seen_file file;
	int error = 0;

	if (!see(inode, inode->fd, &file))
		return -ENOENT;
	if (file.path.dentry) {
		*out = file.path;
		path_get(out);
	} else {
		error = proc_nameless_path(file.inode, out);
	}
	seen_put(&file);
	return error;
}

static ssize_t nameless_text(const struct seen_file *file, char *buffer)
{
	const char *kind = S_ISFIFO(file->inode->mode)   ? "pipe"
			   : S_ISSOCK(file->inode->mode) ? "socket"
							 : "anon_inode";

	if (file->operations->name)
		return format(buffer, PATH_MAX, "%s", file->operations->name);
	return format(buffer, PATH_MAX, "%s:[%lu]", kind, file->inode->number);
}

static ssize_t fd_text(struct proc_inode *inode, char *buffer)
{
	struct seen_file file;
	const char *text;
	ssize_t length;

	if (!see(inode, inode->fd, &file))
		return -ENOENT;
	if (file.path.mount) {
		text = proc_path_text(&file.path, buffer);
		length = text ? (ssize_t)strlen(text) : -ENAMETOOLONG;
		if (text)
			memmove(buffer, text, (size_t)length + 1);
	} else {
		length = nameless_text(&file, buffer);
	}
	seen_put(&file);
	return length;
}

/* By what the file is open for: nothing (O_PATH), reading, writing, both. */
#define LINK(bits)                                                                          \
	{                                                                                   \
		.name = "", .mode = S_IFLNK | (bits), .jump = jump_fd, .jump_text = fd_text \
	}
static const struct proc_entry link_entries[] = {LINK(0), LINK(0500), LINK(0300), LINK(0700)};

/* ---- fdinfo ---- */

static int show_fdinfo(struct proc_file *proc, struct text *out)
{
	struct file *file = NULL;
	struct files *files;
	unsigned flags = 0;

	proc->cursor = PROC_END;
	spin_lock(&process_lock);
	files = files_of(proc->inode);
	if (files)
		file = files_lookup(files, proc->inode->fd);
	if (file && files_get_close_on_exec(files, proc->inode->fd) == 1)
		flags = O_CLOEXEC;
	spin_unlock(&process_lock);
	if (!file)
		return -ENOENT;
	flags |= __atomic_load_n(&file->flags, __ATOMIC_RELAXED);
	text_add(out, "pos:\t%ld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%lu\n",
		__atomic_load_n(&file->position, __ATOMIC_RELAXED), flags,
		file->path.mount ? file->path.mount->id : NO_MOUNT, file->inode->number);
	if (file->operations->describe && !out->overflow) {
		size_t room = out->size - out->used;
		size_t length = file->operations->describe(file, out->bytes + out->used, room);

		if (length < room)
			out->used += length;
		else
			out->overflow = true;
	}
	file_put(file);
	return 0;
}

static const struct proc_entry info_entry = {
	.name = "", .mode = S_IFREG | 0444, .access = PROC_READ, .show = show_fdinfo};

/* ---- Directories ---- */

static int lookup_fd(
	struct proc_inode *directory, const struct name *name, struct proc_inode **out, bool info)
{
	long fd = proc_number_of(name);
	uint64_t number = (uint64_t)directory->pid->number << PID_SHIFT | (uint64_t)fd;
	struct seen_file file;
	unsigned open = 0;

	if (fd < 0 || !see(directory, (int)fd, &file))
		return -ENOENT;
	if (!(file.flags & O_PATH)) {
		open |= (file.flags & O_ACCMODE) != O_WRONLY ? 1u : 0;
		open |= (file.flags & O_ACCMODE) != O_RDONLY ? 2u : 0;
	}
	seen_put(&file);
	*out = proc_inode_create(directory, info ? &info_entry : &link_entries[open],
		number | (info ? FDINFO_NUMBERS : FD_NUMBERS), NULL);
	if (!*out)
		return -ENOMEM;
	(*out)->fd = (int)fd;
	return 0;
}

static int lookup_link(
	struct proc_inode *directory, const struct name *name, struct proc_inode **out)
{
	return lookup_fd(directory, name, out, false);
}

static int lookup_info(
	struct proc_inode *directory, const struct name *name, struct proc_inode **out)
{
	return lookup_fd(directory, name, out, true);
}

/* Of the 64 descriptors from `first` on, those that are open, as bits; false: there are no more. */
static bool open_bits(const struct proc_inode *directory, uint32_t first, uint64_t *bits)
{
	struct files *files;
	bool more;

	spin_lock(&process_lock);
	files = files_of(directory);
	more = files && first < files_room(files);
	if (more)
		*bits = files_open_bits(files, first);
	spin_unlock(&process_lock);
	return more;
}

/* Descriptors from *position - 2 on. */
static int iterate_fds(struct file *file, struct entry_sink *sink, int64_t *position, uint32_t mode)
{
	const struct proc_inode *directory = proc_inode_of(file->inode);
	uint64_t numbers = (uint64_t)directory->pid->number << PID_SHIFT |
			   (S_ISLNK(mode) ? FD_NUMBERS : FDINFO_NUMBERS);
	bool more = true;
	uint64_t open;
	char name[16];
	uint32_t fd;

	while (more && *position - 2 <= INT32_MAX) {
		fd = (uint32_t)(*position - 2);
		if (!open_bits(directory, fd & ~63u, &open))
			break;
		open >>= fd % 64;
		if (!open) {
			*position = (int64_t)((fd | 63) + 1) + 2;
			continue;
		}
		fd += (uint32_t)__builtin_ctzll(open);
		more = sink->emit(sink, name, (uint32_t)format(name, sizeof(name), "%u", fd),
			numbers | fd, mode, (int64_t)fd + 3);
		if (more)
			*position = (int64_t)fd + 3;
	}
	return 0;
}

static int iterate_links(struct file *file, struct entry_sink *sink, int64_t *position)
{
	return iterate_fds(file, sink, position, S_IFLNK);
}

static int iterate_infos(struct file *file, struct entry_sink *sink, int64_t *position)
{
	return iterate_fds(file, sink, position, S_IFREG);
}

const struct proc_directory proc_fd_directory = {.lookup = lookup_link, .iterate = iterate_links};
const struct proc_directory proc_fdinfo_directory = {
	.lookup = lookup_info, .iterate = iterate_infos};
