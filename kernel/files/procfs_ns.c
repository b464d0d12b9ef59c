/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/ns: links to the namespaces of a process. There is one namespace of each type, so all processes'
 * links lead to the same files, with the numbers that Linux's first namespaces have: programs (lsns,
 * systemd, container tools) tell by device and number whether two processes share one.
 */
#include "files/procfs.h"

#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sched.h>

#include "files/file.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/current.h"

enum space_type { NS_CGROUP, NS_IPC, NS_MNT, NS_NET, NS_PID, NS_TIME, NS_USER, NS_UTS, NS_TYPES };

static long ioctl_space(struct file *file, unsigned int command, uintptr_t argument);

#define NAMED(type, number, flag)                                           \
	{                                                                   \
		number, flag,                                               \
		{                                                           \
			.name = type ":[" #number "]", .ioctl = ioctl_space \
		}                                                           \
	}

/* linux/proc_ns.h has the numbers. An open namespace can be held and looked at, no more. */
static const struct {
	uint64_t number;
	long flag; /* CLONE_NEW* */
	struct file_operations operations;
} spaces[NS_TYPES] = {
	[NS_CGROUP] = NAMED("cgroup", 4026531835, CLONE_NEWCGROUP),
	[NS_IPC] = NAMED("ipc", 4026531839, CLONE_NEWIPC),
	[NS_MNT] = NAMED("mnt", 4026531841, CLONE_NEWNS),
	[NS_NET] = NAMED("net", 4026531840, CLONE_NEWNET),
	[NS_PID] = NAMED("pid", 4026531836, CLONE_NEWPID),
	[NS_TIME] = NAMED("time", 4026531834, CLONE_NEWTIME),
	[NS_USER] = NAMED("user", 4026531837, CLONE_NEWUSER),
	[NS_UTS] = NAMED("uts", 4026531838, CLONE_NEWUTS),
};

static struct superblock nsfs = {.type = "nsfs", .device = 4, .magic = NSFS_MAGIC};

static void release(struct inode *inode)
{
	kfree(inode);
}

static int find_space(enum space_type type, struct path *out)
{
	static const struct inode_operations operations = {.release = release, .immutable = true};
	static const struct new_inode what = {.mode = S_IFREG | 0444};
	struct inode *inode = kzalloc(sizeof(*inode));
	int error;

	if (!inode)
		return -ENOMEM;
	inode_init(inode, &nsfs, &what);
	inode->number = spaces[type].number;
	inode->operations = &operations;
	inode->file_operations = &spaces[type].operations;
	error = proc_nameless_path(inode, out);
	inode_put(inode);
	return error;
}

static int jump(struct proc_inode *link, struct path *out)
{
	return find_space((enum space_type)link->entry->argument, out);
}

/* A descriptor of the one user namespace, to which all others belong. */
static int open_owner(void)
{
	struct path path;
	struct file *file;
	int error = find_space(NS_USER, &path), fd;

	if (error)
		return error;
	error = file_make(path.dentry->inode, &path, O_RDONLY | O_LARGEFILE,
		&spaces[NS_USER].operations, &file);
	path_put(&path);
	if (error)
		return error;
	fd = files_install(current_files(), file, 0, O_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

/* man 2 ioctl_ns. The first namespaces have no parent, and the user namespace belongs to none. */
static long ioctl_space(struct file *file, unsigned int command, uintptr_t argument)
{
	enum space_type type = NS_CGROUP;
	uint32_t root = 0;

	while (spaces[type].number != file->inode->number)
		type++;
	switch (command) {
	case NS_GET_USERNS:
		return type == NS_USER ? -EPERM : open_owner();
	case NS_GET_PARENT:
		return type == NS_USER || type == NS_PID ? -EPERM : -EINVAL;
	case NS_GET_NSTYPE:
		return spaces[type].flag;
	case NS_GET_OWNER_UID:
		return type != NS_USER ? -EINVAL
				       : copy_to_user(user_pointer(argument), &root, sizeof(root));
	default:
		return -ENOTTY;
	}
}

static ssize_t text(struct proc_inode *link, char *buffer)
{
	return format(buffer, PATH_MAX, "%s", spaces[link->entry->argument].operations.name);
}

#define LINK(name, type)                                                                  \
	{                                                                                 \
		name, S_IFLNK | 0777, .jump = jump, .jump_text = text, .argument = (type) \
	}

const struct proc_entry proc_ns_entries[] = {
	LINK("cgroup", NS_CGROUP),
	LINK("ipc", NS_IPC),
	LINK("mnt", NS_MNT),
	LINK("net", NS_NET),
	LINK("pid", NS_PID),
	LINK("pid_for_children", NS_PID),
	LINK("time", NS_TIME),
	LINK("time_for_children", NS_TIME),
	LINK("user", NS_USER),
	LINK("uts", NS_UTS),
	{.name = NULL},
};
