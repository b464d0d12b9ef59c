/* SPDX-License-Identifier: MIT */
/* Paths as /proc shows them, and /proc/PID/mounts and mountinfo: one line a mount, by rising ids. */
#include "files/procfs.h"

#include "files/mount.h"

#include "files/file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/current.h"
#include "process/process.h"

#define DELETED        " (deleted)"
#define UNREACHABLE    "(unreachable)"
#define ESCAPED        " \t\n\\"
#define ESCAPED_SOURCE ESCAPED "#" /* or it would begin a comment */

/* Removed from its directory, though somebody has it still. */
static bool is_deleted(const struct dentry *dentry)
{
	return dentry->parent != dentry && !(__atomic_load_n(&dentry->flags, __ATOMIC_RELAXED) &
						   (DENTRY_HASHED | DENTRY_UNCACHED));
}

static const char *text_below(const struct path *path, const struct path *root, char *buffer)
{
	size_t size = PATH_MAX;
	const char *text;

	if (is_deleted(path->dentry))
		size -= sizeof(DELETED) - 1;
	text = path_text(path, root, buffer, size);
	if (text && size < PATH_MAX)
		memcpy(buffer + size - 1, DELETED, sizeof(DELETED));
	return text;
}

/* From the caller's root on; from the tree's for what is not below that. */
const char *proc_path_text(const struct path *path, char *buffer)
{
	struct path root = fs_root(current_fs());
	const char *text = path->mount ? text_below(path, &root, buffer) : "/";

	path_put(&root);
	if (text && !strncmp(text, UNREACHABLE, sizeof(UNREACHABLE) - 1))
		text += sizeof(UNREACHABLE) - 1;
	return text;
}

/* ---- Mounts ---- */

/* The root of whom the file is about. False: gone. */
static bool root_of(struct proc_file *file, struct path *out)
{
	struct fs_context *fs = NULL;
	struct process *process;
	struct thread *thread;

	spin_lock(&process_lock);
	if (!proc_target(file->inode, &process, &thread) && thread)
		fs = thread->fs;
	if (fs)
		fs_context_get(fs);
	spin_unlock(&process_lock);
	if (!fs)
		return false;
	*out = fs_root(fs);
	fs_context_put(fs);
	return true;
}

static void add_flags(struct text *out, const struct mount *mount)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {{MS_NOSUID, ",nosuid"}, {MS_NODEV, ",nodev"}, {MS_NOEXEC, ",noexec"},
		{MS_NOATIME, ",noatime"}, {MS_NODIRATIME, ",nodiratime"},
		{MS_RELATIME, ",relatime"}, {MS_NOSYMFOLLOW, ",nosymfollow"}};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (mount_has(mount, names[i].flag))
			text_add(out, "%s", names[i].name);
}

/* Those of the file system. */
static void add_common(struct text *out, const struct superblock *superblock)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} names[] = {{MS_SYNCHRONOUS, ",sync"}, {MS_DIRSYNC, ",dirsync"}, {MS_MANDLOCK, ",mand"},
		{MS_LAZYTIME, ",lazytime"}};
	uint32_t flags = __atomic_load_n(&superblock->flags, __ATOMIC_RELAXED);

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			text_add(out, "%s", names[i].name);
}

static void add_options(struct text *out, struct superblock *superblock)
{
	char options[256] = "";

	if (superblock->operations && superblock->operations->show_options)
		superblock->operations->show_options(superblock, options, sizeof(options));
	text_add(out, "%s", options);
}

static const char *may_write(const struct mount *mount)
{
	return mount_read_only(mount) ? "ro" : "rw";
}

static int add_mount(struct text *out, const struct mount *mount, const char *where)
{
	text_escaped(out, mount->source, ESCAPED_SOURCE);
	text_add(out, " ");
	text_escaped(out, where, ESCAPED);
	text_add(out, " %s %s", mount->superblock->type, may_write(mount));
	add_common(out, mount->superblock);
	add_flags(out, mount);
	add_options(out, mount->superblock);
	text_add(out, " 0 0\n");
	return 0;
}

/* What of the file system is mounted, its root or what lies below. */
static int add_root(struct text *out, const struct mount *mount)
{
	char *buffer = kmalloc(PATH_MAX);
	const char *root;

	if (!buffer)
		return -ENOMEM;
	root = dentry_text(mount->root, buffer, PATH_MAX);
	if (root)
		text_escaped(out, root, ESCAPED);
	if (is_deleted(mount->root))
		text_add(out, "//deleted");
	kfree(buffer);
	return 0;
}

static int add_mountinfo(struct text *out, const struct mount *mount, const char *where)
{
	uint64_t device = mount->superblock->device;
	int error;

	text_add(out, "%d %d %u:%u ", mount->id, mount->parent_id, device_major(device),
		device_minor(device));
	error = add_root(out, mount);
	if (error)
		return error;
	text_add(out, " ");
	text_escaped(out, where, ESCAPED);
	text_add(out, " %s", mount_has(mount, MS_RDONLY) ? "ro" : "rw");
	add_flags(out, mount);
	text_add(out, " - %s ", mount->superblock->type);
	text_escaped(out, mount->source, ESCAPED_SOURCE);
	text_add(out, " %s", mount->superblock->flags & MS_RDONLY ? "ro" : "rw");
	add_common(out, mount->superblock);
	add_options(out, mount->superblock);
	text_add(out, "\n");
	return 0;
}

/* The next mount that can be seen from there. */
static int show_next(struct proc_file *file, struct text *out,
	int (*add)(struct text *out, const struct mount *mount, const char *where))
{
	struct path root, over, top;
	const char *where;
	int error = 0;

	if (!proc_scratch(file))
		return -ENOMEM;
	if (!root_of(file, &top))
		return -ESRCH;
	do {
		where = NULL;
		if (!mount_next((int)file->cursor, &root, &over)) {
			file->cursor = PROC_END;
			break;
		}
		file->cursor = (uint64_t)root.mount->id;
		if (root.mount == top.mount)
			where = "/";
		else
			where = path_text(&over, &top, file->scratch, PATH_MAX);
		if (where && strncmp(where, UNREACHABLE, sizeof(UNREACHABLE) - 1))
			error = add(out, root.mount, where);
		path_put(&root);
		path_put(&over);
	} while (!error && !out->used && !out->overflow);
	path_put(&top);
	return error;
}

int proc_show_mounts(struct proc_file *file, struct text *out)
{
	return show_next(file, out, add_mount);
}

int proc_show_mountinfo(struct proc_file *file, struct text *out)
{
	return show_next(file, out, add_mountinfo);
}

static int add_mountstats(struct text *out, const struct mount *mount, const char *where)
{
	text_add(out, "device ");
	text_escaped(out, mount->source, ESCAPED_SOURCE);
	text_add(out, " mounted on ");
	text_escaped(out, where, ESCAPED);
	text_add(out, " with fstype %s\n", mount->superblock->type);
	return 0;
}

int proc_show_mountstats(struct proc_file *file, struct text *out)
{
	return show_next(file, out, add_mountstats);
}

/* ---- Changes, for poll ---- */

static int open_mounts(struct file *file)
{
	struct proc_file *proc;
	int error = proc_open(file);

	if (error)
		return error;
	proc = file->private;
	proc->seen = __atomic_load_n(&mounts_changes, __ATOMIC_SEQ_CST);
	return 0;
}

/* A change is told once to each open file. */
static unsigned int poll_mounts(struct file *file, struct wait_queue *queues[2])
{
	struct proc_file *proc = file->private;
	uint32_t now = __atomic_load_n(&mounts_changes, __ATOMIC_SEQ_CST);
	uint32_t seen = __atomic_exchange_n(&proc->seen, now, __ATOMIC_RELAXED);

	queues[0] = &mounts_watchers;
	return POLLIN | POLLRDNORM | (seen != now ? POLLERR | POLLPRI : 0u);
}

const struct file_operations proc_mounts_operations = {
	.open = open_mounts,
	.release = proc_close,
	.read = proc_read,
	.seek = file_seek,
	.poll = poll_mounts,
};
