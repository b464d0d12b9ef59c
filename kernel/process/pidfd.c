/* SPDX-License-Identifier: MIT */
/*
 * Descriptors of processes. The open file holds a reference to the id's object, so it means that
 * process for ever, though the number may go to another. It becomes readable when the process ends.
 */
#include "process/pidfd.h"

#include "files/file.h"
#include "files/procfs.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "memory/slab.h"
#include "process/current.h"
#include "process/process.h"

#define ANON_MAGIC  0x09041934 /* ANON_INODE_FS_MAGIC */
#define ANON_DEVICE 14

static struct superblock anonymous = {
	.type = "anon_inodefs", .device = ANON_DEVICE, .magic = ANON_MAGIC};

static void release_inode(struct inode *inode)
{
	kfree(inode);
}

static const struct inode_operations inode_operations = {.release = release_inode};

static void release(struct file *file)
{
	if (file->private)
		pid_put(file->private);
}

static unsigned int poll(struct file *file, struct wait_queue *queues[2])
{
	struct pid *pid = file->private;
	unsigned int events;

	queues[0] = &pid->ended;
	spin_lock(&process_lock);
	events = !pid->process || pid->process->zombie ? POLLIN | POLLRDNORM : 0;
	spin_unlock(&process_lock);
	return events;
}

static const struct file_operations pidfd_operations = {
	.release = release,
	.poll = poll,
	.name = "anon_inode:[pidfd]",
	.traits = FILE_STREAM,
};

int pidfd_create(struct pid *pid, unsigned flags, struct file **out)
{
	const struct new_inode what = {.mode = 0600};
	struct inode *inode = kzalloc(sizeof(*inode));
	int error;

	if (!inode)
		return -ENOMEM;
	inode_init(inode, &anonymous, &what);
	inode->operations = &inode_operations;
	error = file_make(inode, NULL, O_RDWR | flags, &pidfd_operations, out);
	inode_put(inode); /* the file holds it now */
	if (error)
		return error;
	pid_get(pid);
	(*out)->private = pid;
	return 0;
}

struct pid *pidfd_lookup(int fd, unsigned *flags)
{
	struct file *file = files_lookup(current_files(), fd);
	struct pid *pid = NULL;

	if (!file)
		return NULL;
	if (file->operations == &pidfd_operations) {
		pid = file->private;
		pid_get(pid);
		if (flags)
			*flags = __atomic_load_n(&file->flags, __ATOMIC_RELAXED);
	}
	file_put(file);
	return pid;
}

struct pid *pidfd_lookup_or_proc(int fd)
{
	struct pid *pid = pidfd_lookup(fd, NULL);
	struct file *file;

	if (pid)
		return pid;
	file = files_lookup(current_files(), fd);
	if (!file)
		return NULL;
	pid = proc_pid_of(file);
	file_put(file);
	return pid;
}
