/* SPDX-License-Identifier: MIT */
/*
 * /proc: what the kernel knows of processes and of itself, as files (man 5 proc).
 *
 * The problem. The names in /proc are of things that come and go by themselves: a process may end between
 * the look at its directory and the read of a file in it, its number may go to another, a thread may
 * execute another program while its memory is being read. And text must be had in pieces, from any
 * offset, though what it is about changes meanwhile.
 *
 * The design. Directories are tables of struct proc_entry (procfs_process.c, procfs_system.c,
 * procfs_sys.c), or have functions that find their names (numbers of processes, threads and
 * descriptors). An inode is made for each look-up. It holds a reference to the struct pid of the process
 * or thread, never to the process: that is found by the pid at each access, under process_lock, and who
 * needs it longer takes a reference there. A pid means one process for ever, so a number that is given
 * anew cannot be mistaken. The address space is not held by open files either: they keep its id, take a
 * reference for the length of a read, and read nothing once the process has another one or none.
 *
 * Gone processes: a name below a process that is gone is ENOENT, by way of a directory that is still
 * open too (ESRCH in /proc/PID itself); reading a file that is open still is ESRCH, or the end of the file for those about memory
 * (mem, maps, environ, auxv), as on Linux.
 *
 * The dentry cache. Names that may go (processes, threads, descriptors, and all below) are never put into it
 * (DENTRY_UNCACHED), so nothing in it can be stale; no negative entry is ever made. The fixed names are
 * put there, so that they can be mounted over.
 *
 * Text (struct proc_file). `show` makes it piece by piece into a buffer that grows as one piece needs it,
 * never with the file; a read that goes on where the last one ended goes on from the cursor, one at
 * another offset makes the text anew from the start and skips. At offset 0 it is always made anew.
 *
 * Permissions. Owner and mode are Linux's: a process's files are its effective user's, root's where it is
 * not dumpable. What would tell secrets (proc_entry.access, links, descriptors) asks
 * process_may_inspect too.
 *
 * Locks, outermost first: proc_file->lock, space->lock (maps), process_lock, dentry_lock and other
 * leaves. User memory is touched under proc_file->lock alone.
 *
 * Failure: out of memory is ENOMEM; nothing is left half done, since nothing here changes state but
 * the few files that can be written, each by one step.
 */
#include "files/procfs.h"

#include <linux/magic.h>

#include "files/file.h"
#include "files/mount.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/credentials.h"
#include "process/process.h"

#define PROC_DEVICE device_number(0, 21)
#define ROOT_NUMBER 1u
/* Numbers of inodes: of fixed names by the table that they stand in; of processes' by the pid. */
#define FIXED_NUMBERS UINT64_C(0xf0000000)
#define TABLE_SIZE    256u

/* ---- Inodes ---- */

static void proc_release(struct inode *inode)
{
	struct proc_inode *proc = proc_inode_of(inode);

	if (proc->pid)
		pid_put(proc->pid);
	kfree(proc);
}

static int proc_truncate(struct inode *inode, uint64_t size)
{
	(void)inode;
	(void)size;
	return 0;
}

static const char *proc_link_text(struct inode *inode)
{
	return proc_inode_of(inode)->text;
}

static int proc_jump(struct inode *inode, struct path *out)
{
	struct proc_inode *proc = proc_inode_of(inode);
	int error = proc->pid ? proc_may(proc, PROC_READ) : 0;

	if (error)
		return error == -ESRCH ? -ENOENT : error;
	return proc->entry->jump(proc, out);
}

static ssize_t proc_jump_text(struct inode *inode, char *buffer)
{
	struct proc_inode *proc = proc_inode_of(inode);
	struct path path;
	const char *text;
	size_t length;
	int error;

	if (proc->entry->jump_text) {
		error = proc_may(proc, PROC_READ);
		return error ? error : proc->entry->jump_text(proc, buffer);
	}
	error = proc_jump(inode, &path);
	if (error)
		return error;
	text = proc_path_text(&path, buffer);
	path_put(&path);
	if (!text)
		return -ENAMETOOLONG;
	length = strlen(text);
	memmove(buffer, text, length + 1);
	return (ssize_t)length;
}

/* A link to an open file says as much in its size, and where it leads in its text. */
static void proc_measure(struct inode *inode, uint64_t *size, uint64_t *blocks)
{
	*size = S_ISLNK(inode->mode) && proc_inode_of(inode)->fd >= 0 ? 64 : 0;
	*blocks = 0;
}

static int proc_lookup(struct inode *inode, struct dentry *dentry);

static const struct inode_operations directory_operations = {.lookup = proc_lookup,
	.measure = proc_measure,
	.release = proc_release,
	.fixed_mode = true};
/* Linux's proc_fd_permission: its own descriptors a process may look at whoever it has become. */
static const struct inode_operations fd_directory_operations = {.lookup = proc_lookup,
	.measure = proc_measure,
	.release = proc_release,
	.is_own = proc_is_own,
	.fixed_mode = true};
static const struct inode_operations fixed_directory_operations = {
	.lookup = proc_lookup, .measure = proc_measure, .release = proc_release, .immutable = true};
static const struct inode_operations file_operations = {.truncate = proc_truncate,
	.measure = proc_measure,
	.release = proc_release,
	.fixed_mode = true};
static const struct inode_operations bound_operations = {.truncate = proc_truncate,
	.measure = proc_measure,
	.release = proc_release,
	.fixed_mode = true,
	.mode_binds = true};
static const struct inode_operations bound_directory_operations = {.lookup = proc_lookup,
	.measure = proc_measure,
	.release = proc_release,
	.fixed_mode = true,
	.mode_binds = true};
static const struct inode_operations link_operations = {.link_text = proc_link_text,
	.measure = proc_measure,
	.release = proc_release,
	.fixed_mode = true};
static const struct inode_operations jump_operations = {.jump = proc_jump,
	.jump_text = proc_jump_text,
	.measure = proc_measure,
	.release = proc_release,
	.fixed_mode = true};

static const struct inode_operations *operations_for(const struct proc_entry *entry)
{
	if (entry == &proc_process_entry || entry == &proc_thread_entry)
		return &fixed_directory_operations;
	if (entry->mode_binds)
		return S_ISDIR(entry->mode) ? &bound_directory_operations : &bound_operations;
	if (entry->directory == &proc_fd_directory)
		return &fd_directory_operations;
	if (S_ISDIR(entry->mode))
		return &directory_operations;
	if (S_ISLNK(entry->mode))
		return entry->jump ? &jump_operations : &link_operations;
	return &file_operations;
}

static const struct file_operations *file_operations_for(const struct proc_entry *entry)
{
	if (S_ISDIR(entry->mode))
		return &proc_directory_operations;
	if (S_ISLNK(entry->mode))
		return NULL;
	return entry->operations ? entry->operations : &proc_text_operations;
}

/* Linux's task_dump_owner: the files of a process that may not be dumped are root's, its directory is its
 * user's in any case. */
static void set_owner(struct proc_inode *proc)
{
	struct process *process;
	struct thread *thread;
	const struct credentials *who;

	spin_lock(&process_lock);
	if (!proc_target(proc, &process, &thread)) {
		who = thread ? thread->credentials : process_credentials(process);
		if (proc->inode.mode == (S_IFDIR | 0555) ||
			(process->space && process->dumpable == 1)) {
			proc->inode.uid = who->euid;
			proc->inode.gid = who->egid;
		}
	}
	spin_unlock(&process_lock);
}

static unsigned count_directories(const struct proc_entry *entries)
{
	unsigned count = 0;

	for (; entries && entries->name; entries++)
		count += S_ISDIR(entries->mode);
	return count;
}

static struct proc_inode *make_inode(
	struct superblock *superblock, const struct proc_entry *entry, uint64_t number)
{
	const struct new_inode what = {.mode = entry->mode};
	struct proc_inode *proc = kzalloc(sizeof(*proc));

	if (!proc)
		return NULL;
	inode_init(&proc->inode, superblock, &what);
	proc->inode.number = number;
	proc->inode.operations = operations_for(entry);
	proc->inode.file_operations = file_operations_for(entry);
	proc->inode.links += count_directories(entry->entries);
	proc->entry = entry;
	proc->fd = -1;
	if (entry->target) {
		struct text text = {.bytes = proc->text, .size = sizeof(proc->text) - 1};

		entry->target(&text);
	}
	return proc;
}

struct proc_inode *proc_inode_create(const struct proc_inode *directory,
	const struct proc_entry *entry, uint64_t number, struct pid *pid)
{
	struct proc_inode *proc = make_inode(directory->inode.superblock, entry, number);

	if (!proc)
		return NULL;
	proc->of_thread = directory->of_thread;
	proc->pid = pid ? pid : directory->pid;
	if (proc->pid) {
		pid_get(proc->pid);
		set_owner(proc);
		if (proc->inode.file_operations == &proc_text_operations)
			proc->inode.file_operations = &proc_process_text_operations;
	}
	return proc;
}

uint64_t proc_entry_number(const struct proc_inode *directory, unsigned index)
{
	if (directory->pid) /* bit 40 on: the pid; the same names are below a process and below task/ */
		return (uint64_t)directory->pid->number << 40 |
		       (uint64_t)directory->of_thread << 39 | (index + 1);
	return FIXED_NUMBERS + (directory->inode.number % FIXED_NUMBERS) * TABLE_SIZE + index;
}

/* ---- Names ---- */

long proc_number_of(const struct name *name)
{
	long number = 0;

	if (!name->length || name->length > 9 || (name->length > 1 && name->text[0] == '0'))
		return -1;
	for (uint32_t i = 0; i < name->length; i++) {
		if (name->text[i] < '0' || name->text[i] > '9')
			return -1;
		number = number * 10 + (name->text[i] - '0');
	}
	return number;
}

const struct proc_entry *proc_find_entry(
	const struct proc_entry *entries, const struct name *name, unsigned *index)
{
	for (unsigned i = 0; entries && entries[i].name; i++) {
		if (strlen(entries[i].name) == name->length &&
			!memcmp(entries[i].name, name->text, name->length)) {
			*index = i;
			return &entries[i];
		}
	}
	return NULL;
}

/* Is there still what the directory is about? */
static bool is_there(const struct proc_inode *directory)
{
	struct process *process;
	struct thread *thread;
	bool there;

	if (!directory->pid)
		return true;
	spin_lock(&process_lock);
	there = !proc_target(directory, &process, &thread);
	spin_unlock(&process_lock);
	return there;
}

static int proc_lookup(struct inode *inode, struct dentry *dentry)
{
	struct proc_inode *directory = proc_inode_of(inode), *found = NULL;
	const struct name name = {dentry->name, dentry->length};
	const struct proc_entry *entry;
	unsigned index;
	int error = -ENOENT;

	if (!is_there(directory)) /* by Linux's check whether /proc/PID may be searched at all */
		return directory->entry == &proc_process_entry ? -ESRCH : -ENOENT;
	entry = proc_find_entry(directory->entry->entries, &name, &index);
	if (entry) {
		found = proc_inode_create(
			directory, entry, proc_entry_number(directory, index), NULL);
		error = found ? 0 : -ENOMEM;
	} else if (directory->entry->directory) {
		error = directory->entry->directory->lookup(directory, &name, &found);
	}
	if (error)
		return error;
	if (found->pid || found->entry->target)
		dentry->flags |= DENTRY_UNCACHED;
	dentry->inode = &found->inode;
	return 0;
}

/* ---- Directories ---- */

static bool emit_dot(struct file *file, struct entry_sink *sink, int64_t position)
{
	struct dentry *parent;
	uint64_t number;

	if (position == 0)
		return sink->emit(sink, ".", 1, file->inode->number, S_IFDIR, 1);
	parent = dentry_parent(file->path.dentry);
	number = parent->inode->number;
	dentry_put(parent);
	return sink->emit(sink, "..", 2, number, S_IFDIR, 2);
}

int proc_emit_entries(struct file *file, const struct proc_entry *entries, struct entry_sink *sink,
	int64_t *position)
{
	const struct proc_inode *directory = proc_inode_of(file->inode);
	int64_t index = 0;

	for (; entries && entries[index].name; index++) {
		if (index + 2 < *position)
			continue;
		if (!sink->emit(sink, entries[index].name, (uint32_t)strlen(entries[index].name),
			    proc_entry_number(directory, (unsigned)index), entries[index].mode,
			    index + 3))
			return 0;
		*position = index + 3;
	}
	return 1;
}

/* Fixed names come first, found ones after them. */
static int iterate(struct file *file, struct entry_sink *sink, int64_t *position)
{
	const struct proc_inode *directory = proc_inode_of(file->inode);
	const struct proc_entry *entry = directory->entry;

	if (!is_there(directory))
		return -ENOENT;
	for (; *position < 2; ++*position)
		if (!emit_dot(file, sink, *position))
			return 0;
	if (entry->entries && !proc_emit_entries(file, entry->entries, sink, position))
		return 0;
	return entry->directory ? entry->directory->iterate(file, sink, position) : 0;
}

static int open_directory(struct file *file)
{
	const struct proc_inode *directory = proc_inode_of(file->inode);
	int error = 0;

	if (directory->entry->access != PROC_ANYBODY)
		error = proc_may(directory, directory->entry->access);
	return error;
}

const struct file_operations proc_directory_operations = {
	.open = open_directory,
	.iterate = iterate,
	.seek = file_seek,
};

/* ---- The whole ---- */

static const struct proc_entry root_entry = {
	.mode = S_IFDIR | 0555,
	.entries = proc_root_entries,
	.directory = &proc_root_directory,
};

static struct superblock *create(void)
{
	struct superblock *superblock = kzalloc(sizeof(*superblock));
	struct proc_inode *root;

	if (!superblock)
		return NULL;
	superblock->type = "proc";
	superblock->device = PROC_DEVICE;
	superblock->magic = PROC_SUPER_MAGIC;
	root = make_inode(superblock, &root_entry, ROOT_NUMBER);
	if (root)
		superblock->root = dentry_make_root(&root->inode);
	if (superblock->root)
		return superblock;
	if (root)
		inode_put(&root->inode);
	kfree(superblock);
	return NULL;
}

struct superblock *procfs_superblock(void)
{
	static struct superblock *superblock;

	return superblock_once(&superblock, create);
}
