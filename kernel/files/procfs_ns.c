/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID/ns: links to the namespaces of a process. There is one namespace of each type, so all processes'
 * links lead to the same files, with the numbers that Linux's first namespaces have: programs (lsns,
 * systemd, container tools) tell by device and number whether two processes share one.
 */
#include "files/procfs.h"

#include <linux/magic.h>

#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"

enum space_type { NS_CGROUP, NS_IPC, NS_MNT, NS_NET, NS_PID, NS_TIME, NS_USER, NS_UTS, NS_TYPES };

#define NAMED(type, number)                           \
	{                                             \
		number,                               \
		{                                     \
			.name = type ":[" #number "]" \
		}                                     \
	}

/* linux/proc_ns.h has the numbers. An open namespace can be held and looked at, no more. */
static const struct {
	uint64_t number;
	struct file_operations operations;
} spaces[NS_TYPES] = {
	[NS_CGROUP] = NAMED("cgroup", 4026531835),
	[NS_IPC] = NAMED("ipc", 4026531839),
	[NS_MNT] = NAMED("mnt", 4026531841),
	[NS_NET] = NAMED("net", 4026531840),
	[NS_PID] = NAMED("pid", 4026531836),
	[NS_TIME] = NAMED("time", 4026531834),
	[NS_USER] = NAMED("user", 4026531837),
	[NS_UTS] = NAMED("uts", 4026531838),
};

static struct superblock nsfs = {.type = "nsfs", .device = 4, .magic = NSFS_MAGIC};

static void release(struct inode *inode)
{
	kfree(inode);
}

static int jump(struct proc_inode *link, struct path *out)
{
	static const struct inode_operations operations = {.release = release, .immutable = true};
	static const struct new_inode what = {.mode = S_IFREG | 0444};
	enum space_type type = (enum space_type)link->entry->argument;
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
