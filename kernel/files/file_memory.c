/* SPDX-License-Identifier: MIT */
/*
 * What exec and mmap ask of an open file: may it be read, may it be mapped so, its memory object, its name.
 *
 * The name is made when it is first asked for and kept with the file; who comes second throws his own away.
 */
#include "files/attributes.h"
#include "files/file.h"
#include "files/open.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/slab.h"

bool file_may_read(const struct file *file)
{
	return !inode_permission(file->inode, MAY_READ);
}

int file_may_map(struct file *file, bool write, bool shared, bool execute)
{
	const bool writes = write && shared;

	if (!file_readable(file) || (writes && !file_writable(file)))
		return -EACCES;
	if (shared && file_writable(file) && inode_has(file->inode, FS_APPEND_FL))
		return -EACCES; /* to be read, too: mprotect could make it writable */
	if (execute && file->path.mount && mount_has(file->path.mount, MS_NOEXEC))
		return -EPERM;
	return 0;
}

struct object *file_object(struct file *file)
{
	struct object *object = file->inode->object;

	if (file->operations->object)
		return file->operations->object(file);
	if (object)
		object_get(object);
	return object;
}

/* Made when first asked for, and kept: the name at that time. */
const char *file_path(struct file *file)
{
	char *text = __atomic_load_n(&file->path_text, __ATOMIC_ACQUIRE), *none = NULL, *buffer;
	struct path root = {NULL, NULL};
	const char *made;
	size_t size;

	if (text)
		return text;
	if (!file->path.dentry)
		return "";
	buffer = kmalloc(PATH_MAX);
	made = buffer ? path_text(&file->path, &root, buffer, PATH_MAX) : NULL;
	size = made ? strlen(made) + 1 : 0;
	text = made ? kmalloc(size) : NULL;
	if (text)
		memcpy(text, made, size);
	kfree(buffer);
	if (!text)
		return "?";
	if (__atomic_compare_exchange_n(
		    &file->path_text, &none, text, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return text;
	kfree(text);
	return none;
}
