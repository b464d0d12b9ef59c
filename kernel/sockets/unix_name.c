/* SPDX-License-Identifier: MIT */
/*
 * Names of UNIX sockets (man 7 unix): a path, whose inode leads to the socket, or bytes that begin with
 * 0, which live in a table here as long as the socket does.
 *
 * Locks: names_lock, a spin lock, over the table and inodes' pointers to sockets; references are taken
 * under it. socket->setup is held by who binds.
 */
#include "files/file.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "process/current.h"
#include "sockets/unix.h"

#define BUCKETS   256u
#define AUTO_BITS 0xfffffu

static struct spinlock names_lock = SPINLOCK_INIT;
static struct list buckets[BUCKETS] guarded_by(names_lock);

static struct list *bucket_of(const struct unix_name *name, int type) requires(names_lock)
{
	uint32_t hash = 2166136261u + (uint32_t)type; /* FNV-1a */
	struct list *bucket;

	for (uint32_t i = 0; i < name->length; i++)
		hash = (hash ^ (uint8_t)name->path[i]) * 16777619u;
	bucket = &buckets[hash % BUCKETS];
	if (!bucket->next)
		list_init(bucket);
	return bucket;
}

static struct unix_socket *find_abstract(const struct unix_name *name, int type) requires(
	names_lock)
{
	struct unix_socket *socket;

	list_for_each(socket, bucket_of(name, type), name_link)
	{
		if (socket->type == type && socket->name.length == name->length &&
			memcmp(socket->name.path, name->path, name->length) == 0)
			return socket;
	}
	return NULL;
}

static int bind_abstract(struct unix_socket *socket, const struct unix_name *name)
{
	int error = 0;

	spin_lock(&names_lock);
	if (find_abstract(name, socket->type)) {
		error = -EADDRINUSE;
	} else {
		socket->name = *name;
		list_push_back(bucket_of(name, socket->type), &socket->name_link);
		__atomic_store_n(&socket->named, true, __ATOMIC_RELEASE);
	}
	spin_unlock(&names_lock);
	return error;
}

/* A name that nobody has: a 0 and five hexadecimal digits. */
static int bind_any(struct unix_socket *socket)
{
	static uint32_t next;
	static const char digits[] = "0123456789abcdef";
	struct unix_name name = {.length = 6};
	int error = -ENOSPC;

	for (uint32_t tries = 0; tries <= AUTO_BITS; tries++) {
		uint32_t number = __atomic_add_fetch(&next, 1, __ATOMIC_RELAXED) & AUTO_BITS;

		for (int i = 5; i > 0; i--, number >>= 4)
			name.path[i] = digits[number & 15];
		error = bind_abstract(socket, &name);
		if (error != -EADDRINUSE)
			break;
	}
	return error;
}

/* A socket that has a name gets no other, but is told first what would be wrong with that one (Linux's order). */
static int bind_path(struct unix_socket *socket, const struct unix_name *name)
{
	const struct credentials *who = current_credentials();
	const uint32_t mask = __atomic_load_n(&current_fs()->umask, __ATOMIC_RELAXED);
	const struct new_inode what = {.mode = S_IFSOCK | (socket->inode->mode & 0777 & ~mask),
		.uid = who->fsuid,
		.gid = who->fsgid};
	struct path made;
	struct walk walk;
	int error;

	error = walk_start(&walk, current_fs(), fs_working(current_fs()), name->path);
	if (error)
		return error;
	error = walk_parent(&walk);
	if (!error)
		error = vfs_make(&walk, &what);
	if (!error && socket->named)
		error = vfs_remove(&walk, VFS_UNLINK) ? -EIO : -EINVAL;
	if (!error)
		error = walk_last(&walk, 0, &made);
	walk_end(&walk);
	if (error)
		return error == -EEXIST ? -EADDRINUSE : error;
	inode_get(made.dentry->inode);
	spin_lock(&names_lock);
	socket->name = *name;
	socket->bound = made.dentry->inode;
	socket->bound->driver = socket;
	__atomic_store_n(&socket->named, true, __ATOMIC_RELEASE);
	spin_unlock(&names_lock);
	path_put(&made);
	return 0;
}

int unix_bind(struct unix_socket *socket, const struct unix_name *name)
{
	int error;

	mutex_lock(&socket->setup);
	if (!name->length)
		error = socket->named ? 0 : bind_any(socket);
	else if (name->path[0])
		error = bind_path(socket, name);
	else
		error = socket->named ? -EINVAL : bind_abstract(socket, name);
	mutex_unlock(&socket->setup);
	return error;
}

void unix_forget_name(struct unix_socket *socket)
{
	spin_lock(&names_lock);
	list_remove(&socket->name_link);
	if (socket->bound && socket->bound->driver == socket)
		socket->bound->driver = NULL;
	spin_unlock(&names_lock);
	if (socket->bound)
		inode_put(socket->bound);
	socket->bound = NULL;
}

static int find_path(const struct unix_name *name, int type, struct unix_socket **out)
{
	struct path path;
	struct inode *inode;
	int error =
		path_find(current_fs(), fs_working(current_fs()), name->path, WALK_FOLLOW, &path);

	if (error)
		return error;
	inode = path.dentry->inode;
	error = inode_permission(inode, MAY_WRITE);
	if (!error && !S_ISSOCK(inode->mode))
		error = -ECONNREFUSED;
	if (!error) {
		spin_lock(&names_lock);
		*out = inode->driver;
		if (!*out)
			error = -ECONNREFUSED;
		else if ((*out)->type != type)
			error = -EPROTOTYPE;
		else
			unix_get(*out);
		spin_unlock(&names_lock);
	}
	path_put(&path);
	return error;
}

int unix_find(const struct unix_name *name, int type, struct unix_socket **out)
{
	if (name->path[0])
		return find_path(name, type, out);
	spin_lock(&names_lock);
	*out = find_abstract(name, type);
	if (*out)
		unix_get(*out);
	spin_unlock(&names_lock);
	return *out ? 0 : -ECONNREFUSED;
}
