/* SPDX-License-Identifier: MIT */
/* The ioctls of a pty's master (man 2 ioctl_tty): its own, and the slave's through it. See pty.c. */
#include "devices/pty_pair.h"

#include "files/devpts.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/current.h"

#include <asm/signal.h>
#include <linux/capability.h>

static long set_lock(struct pty *pty, user_t from)
{
	int on;

	if (copy_from_user(&on, from, sizeof(on)))
		return -EFAULT;
	spin_lock(&pairs_lock);
	pty->locked = on;
	spin_unlock(&pairs_lock);
	return 0;
}

static long set_packet(struct pty *pty, user_t from)
{
	int on;

	if (copy_from_user(&on, from, sizeof(on)))
		return -EFAULT;
	spin_lock(&pty->lock);
	if (on && !pty->packet)
		pty->happened = 0;
	pty->packet = on;
	spin_unlock(&pty->lock);
	return 0;
}

static long put_number(int number, user_t out)
{
	return copy_to_user(out, &number, sizeof(number));
}

static long count_readable(struct pty *pty, user_t out)
{
	uint32_t count;

	spin_lock(&pty->lock);
	count = pty_used(pty);
	spin_unlock(&pty->lock);
	return put_number((int)count, out);
}

/* Queues of the master's: what it has not read. What it wrote is the slave's input at once, and stays. */
static long flush(struct pty *pty, uintptr_t which)
{
	if (which > TCIOFLUSH)
		return -EINVAL;
	if (which != TCOFLUSH) {
		spin_lock(&pty->lock);
		pty->tail = pty->head;
		spin_unlock(&pty->lock);
		tty_tell_room(&pty->tty);
	}
	return 0;
}

/* As if the slave had written it. A master is nobody's controlling terminal. */
static long simulate_input(struct pty *pty, user_t from)
{
	uint8_t byte;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&byte, from, 1))
		return -EFAULT;
	pty_put_to_master(pty, byte);
	return 0;
}

static long send_signal(struct pty *pty, uintptr_t signal)
{
	if (signal != SIGINT && signal != SIGQUIT && signal != SIGTSTP)
		return -EINVAL;
	tty_signal_foreground(&pty->tty, 1u << signal);
	return 0;
}

/* The slave's path: in the devpts that the master was opened in, or that is beside its ptmx. */
static int find_peer(struct file *master, struct pty *pty, struct path *out)
{
	bool inside = master->inode->superblock == pty->node->superblock;
	struct path start = {master->path.mount, dentry_parent(master->path.dentry)};
	char text[24];
	int error;

	mount_get(start.mount);
	format(text, sizeof(text), inside ? "%u" : "pts/%u", devpts_number(pty->node));
	error = path_find(current_fs(), start, text, 0, out);
	if (!error && out->dentry->inode != pty->node) {
		path_put(out);
		error = -ENODEV;
	}
	return error == -ENOENT || error == -ENOTDIR ? -ENODEV : error;
}

/* TIOCGPTPEER: opens the slave without a look at names, permissions and the lock. */
static long open_peer(struct file *master, struct pty *pty, unsigned int flags)
{
	struct path path;
	struct file *file;
	int error = find_peer(master, pty, &path), fd;

	if (error)
		return error;
	error = file_make(pty->node, &path, (flags & ~(unsigned int)O_CLOEXEC) | O_LARGEFILE,
		&pty_peer_operations, &file);
	path_put(&path);
	if (error)
		return error;
	fd = files_install(current_files(), file, 0, flags & O_CLOEXEC);
	if (fd < 0)
		file_put(file);
	return fd;
}

long pty_master_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	struct pty *pty = file->private;
	user_t user = user_pointer(argument);

	switch (command) {
	case TIOCGPTN:
		return put_number((int)devpts_number(pty->node), user);
	case TIOCSPTLCK:
		return set_lock(pty, user);
	case TIOCGPTLCK:
		return put_number(pty->locked, user);
	case TIOCPKT:
		return set_packet(pty, user);
	case TIOCGPKT:
		return put_number(pty->packet, user);
	case TIOCSIG:
		return send_signal(pty, argument);
	case TIOCGPTPEER:
		return open_peer(file, pty, (unsigned int)argument);
	case FIONREAD:
		return count_readable(pty, user);
	case TCFLSH:
		return flush(pty, argument);
	case TIOCSTI:
		return simulate_input(pty, user);
	case TIOCCONS:
		return -EIO;
	default:
		return tty_ioctl_by(file, &pty->tty, TTY_MASTER, command, argument);
	}
}
