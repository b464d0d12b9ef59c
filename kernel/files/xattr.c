/* SPDX-License-Identifier: MIT */
/*
 * Extended attributes (man 7 xattr): names with values that hang on an inode.
 *
 * Kept are those that Linux 6.1's tmpfs keeps: trusted.* and security.*, on files of file systems that say
 * so (superblock->keeps_xattrs). Of all else -EOPNOTSUPP is said: user.*, access control lists
 * (system.posix_acl_*), and security.capability, since execve does not look at it.
 *
 * An inode has them as a list, the newest first, as Linux lists them; a new value takes the old one's place. Only who has
 * CAP_SYS_ADMIN sets any, and only it sees trusted.*: no limit is kept on their number.
 *
 * Lock: inode->lock over the list and what it holds. A change allocates and checks before it unlinks.
 */
#include "files/xattr.h"

#include <linux/capability.h>

#include "files/attributes.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/credentials.h"
#include "process/current.h"

struct xattr {
	struct xattr *next;
	size_t size;
	char *value; /* behind the name */
	char name[];
};

static bool begins(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

/* Whether the caller may read or change an attribute of this name, whatever the file system knows of it. */
static int may_use(const struct inode *inode, const char *name, unsigned int may)
{
	bool plain = S_ISREG(inode->mode) || S_ISDIR(inode->mode);

	if (may == MAY_WRITE && inode_is_fixed(inode))
		return -EPERM;
	if (begins(name, "security.") || begins(name, "system."))
		return 0;
	if (begins(name, "trusted.")) {
		if (has_capability(current_credentials(), CAP_SYS_ADMIN))
			return 0;
		return may == MAY_WRITE ? -EPERM : -ENODATA;
	}
	if (begins(name, "user.") && !plain)
		return may == MAY_WRITE ? -EPERM : -ENODATA;
	if (begins(name, "user.") && S_ISDIR(inode->mode) && inode->mode & S_ISVTX &&
		may == MAY_WRITE && !inode_owned(inode))
		return -EPERM;
	return inode_permission(inode, may);
}

/* Whether the file keeps attributes of this name. */
static int is_kept(const struct inode *inode, const char *name)
{
	static const char *const prefixes[] = {"security.", "trusted."};

	if (!inode->superblock->keeps_xattrs || !strcmp(name, "security.capability"))
		return -EOPNOTSUPP;
	for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		if (begins(name, prefixes[i]))
			return name[strlen(prefixes[i])] ? 0 : -EINVAL;
	return -EOPNOTSUPP;
}

/* The link that leads to the attribute of this name; to NULL: there is none. */
static struct xattr **find(struct inode *inode, const char *name) requires(inode->lock)
{
	struct xattr **link = &inode->xattrs;

	while (*link && strcmp((*link)->name, name))
		link = &(*link)->next;
	return link;
}

static struct xattr *make(const char *name, const void *value, size_t size)
{
	size_t length = strlen(name) + 1;
	struct xattr *xattr = kmalloc(sizeof(*xattr) + length + size);

	if (!xattr)
		return NULL;
	xattr->size = size;
	xattr->value = xattr->name + length;
	memcpy(xattr->name, name, length);
	memcpy(xattr->value, value, size);
	return xattr;
}

ssize_t xattr_get(struct inode *inode, const char *name, void *value, size_t size)
{
	ssize_t result = may_use(inode, name, MAY_READ);
	struct xattr *xattr;

	if (!result)
		result = is_kept(inode, name);
	if (result)
		return result;
	mutex_lock(&inode->lock);
	xattr = *find(inode, name);
	if (!xattr)
		result = -ENODATA;
	else if (size && xattr->size > size)
		result = -ERANGE;
	else
		result = (ssize_t)xattr->size;
	if (result > 0 && size)
		memcpy(value, xattr->value, xattr->size);
	mutex_unlock(&inode->lock);
	return result;
}

/* What a change of any kind needs: to be allowed, and a file that keeps such. */
static int may_change(const struct inode *inode, const char *name)
{
	int error = may_use(inode, name, MAY_WRITE);

	if (!error && begins(name, "security.") && strcmp(name, "security.capability") != 0 &&
		!has_capability(current_credentials(), CAP_SYS_ADMIN))
		error = -EPERM;
	return error ? error : is_kept(inode, name);
}

int xattr_set(
	struct inode *inode, const char *name, const void *value, size_t size, enum xattr_mode mode)
{
	int error = may_change(inode, name);
	struct xattr *new, **link, *old;

	if (error)
		return error;
	new = make(name, value, size);
	if (!new)
		return -ENOMEM;
	mutex_lock(&inode->lock);
	link = find(inode, name);
	old = *link;
	if (old && mode & XATTR_MUST_BE_NEW)
		error = -EEXIST;
	else if (!old && mode & XATTR_MUST_BE_THERE)
		error = -ENODATA;
	if (!error) {
		link = old ? link : &inode->xattrs;
		new->next = old ? old->next : *link;
		*link = new;
	}
	mutex_unlock(&inode->lock);
	kfree(error ? new : old);
	return error;
}

int xattr_remove(struct inode *inode, const char *name)
{
	int error = may_change(inode, name);
	struct xattr **link, *old;

	if (error)
		return error;
	mutex_lock(&inode->lock);
	link = find(inode, name);
	old = *link;
	if (old)
		*link = old->next;
	mutex_unlock(&inode->lock);
	kfree(old);
	return old ? 0 : -ENODATA;
}

ssize_t xattr_list(struct inode *inode, char *names, size_t size)
{
	bool all = has_capability(current_credentials(), CAP_SYS_ADMIN);
	size_t used = 0;

	mutex_lock(&inode->lock);
	for (const struct xattr *xattr = inode->xattrs; xattr; xattr = xattr->next) {
		size_t length = strlen(xattr->name) + 1;

		if (!all && begins(xattr->name, "trusted."))
			continue;
		if (size && length <= size - (used < size ? used : size))
			memcpy(names + used, xattr->name, length);
		used += length;
	}
	mutex_unlock(&inode->lock);
	return size && used > size ? -ERANGE : (ssize_t)used;
}

void xattr_free(struct inode *inode)
{
	struct xattr *xattr = inode->xattrs;

	while (xattr) {
		struct xattr *next = xattr->next;

		kfree(xattr);
		xattr = next;
	}
}
