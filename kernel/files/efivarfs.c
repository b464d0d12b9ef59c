/* SPDX-License-Identifier: MIT */
/*
 * efivarfs: UEFI's variables as files NAME-GUID, as Linux has them (its Documentation/filesystems/efivarfs.rst; 6.1).
 *
 * A file's bytes are the four of the attributes, then the data; each read asks the firmware, each write is one SetVariable
 * of what that write brings, wherever the file stands. A file that was made and not yet written is empty, and no variable.
 * What was written away (an authenticated write may delete) loses its name. Which files are immutable at first, and
 * what may be written, variable_rules.c says; FS_IOC_SETFLAGS gives and takes that flag.
 *
 * There is one superblock, which stays; the names are asked of the firmware when the first mount of it is made, and are
 * forgotten with the last. Other ways to the variables (/dev/efi_test) are not seen until then. A name's inode
 * is held by the list of all, by who looked it up, and by open files; names are in no dentry cache, since their GUIDs are the
 * same file in letters of either case.
 *
 * Lock: efivarfs_lock, a mutex inside the inodes' locks: the list, and one change of a variable at a time.
 */
#include "files/efivarfs.h"

#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/magic.h>

#include "files/mount.h"
#include "firmware/variables.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/credentials.h"

#include <asm/statfs.h>

#define ATTRIBUTES_SIZE  sizeof(uint32_t)
#define ATTRIBUTES_KNOWN 0x7fu /* up to EFI_VARIABLE_APPEND_WRITE */
#define FIRST_NUMBER     2     /* positions below are the dots */

struct variable {
	struct inode inode;
	struct list link; /* efivarfs_lock; in the order of inode numbers */
	uint64_t size;    /* that stat tells; inode->lock */
	size_t length;    /* of `file` */
	struct variable_name name;
	char file[];
};

static struct mutex efivarfs_lock = MUTEX_INIT(efivarfs_lock);
static struct list all guarded_by(efivarfs_lock) = LIST_INIT(all);
static struct superblock *the_one; /* set once */

static struct variable *variable_of(struct inode *inode)
{
	return container_of(inode, struct variable, inode);
}

static const struct inode_operations free_operations, fixed_operations;
static const struct file_operations variable_files;

/* ---- The list ---- */

/* One that no list has; NULL: no memory. */
static struct variable *make(const char *file, size_t length, uint32_t mode)
{
	const struct new_inode what = {.mode = S_IFREG | (mode & 07777)};
	struct variable *variable = kzalloc(sizeof(*variable) + length + 1);

	if (!variable)
		return NULL;
	memcpy(variable->file, file, length);
	variable->length = length;
	inode_init(&variable->inode, the_one, &what);
	variable->inode.file_operations = &variable_files;
	variable->inode.operations = &free_operations;
	return variable;
}

static void protect(struct variable *variable)
{
	if (!variable_is_removable(&variable->name))
		variable->inode.operations = &fixed_operations;
}

static struct variable *find(const char *file, size_t length) requires(efivarfs_lock)
{
	struct variable *variable;

	list_for_each(variable, &all, link)
	{
		if (variable_files_are_same(file, length, variable->file, variable->length))
			return variable;
	}
	return NULL;
}

static void forget(struct variable *variable) requires(efivarfs_lock)
{
	list_remove(&variable->link);
	list_init(&variable->link);
	variable->inode.links = 0;
	inode_put(&variable->inode);
}

static void forget_all(void) requires(efivarfs_lock)
{
	while (!list_empty(&all))
		forget(list_first(&all, struct variable, link));
}

/* The size that the firmware says; 0 for what it cannot tell. */
static void measure_variable(struct variable *variable)
{
	uint32_t attributes;
	size_t size = 0;
	int error = variable_get(&variable->name, &attributes, NULL, &size);

	variable->size = error && error != -ERANGE ? 0 : size + ATTRIBUTES_SIZE;
}

static int add_found(void *context, const uint8_t vendor[VENDOR_SIZE], const uint16_t *name,
	size_t bytes) requires(efivarfs_lock)
{
	char file[VARIABLE_FILE_MAX + 1];
	size_t length = variable_file(vendor, name, bytes, file);
	struct variable *variable;

	(void)context;
	if (!length)
		return 0; /* too long for a file's name */
	if (find(file, length)) {
		log_warn("efivarfs: the firmware names %s twice: the rest is left out", file);
		return -ENOENT;
	}
	variable = make(file, length, 0644);
	if (!variable)
		return -ENOMEM;
	memcpy(variable->name.vendor, vendor, VENDOR_SIZE);
	for (size_t i = 0; name[i]; i++) /* variable_file has seen that there is room */
		variable->name.words[i] = name[i];
	protect(variable);
	list_push_back(&all, &variable->link);
	return 0;
}

/* Names first: a call in the midst of the enumeration may disturb it. */
static int find_all(void) requires(efivarfs_lock)
{
	struct variable *variable;
	int error = variables_each(add_found, NULL);

	if (error) {
		forget_all();
		return error;
	}
	list_for_each(variable, &all, link) measure_variable(variable);
	return 0;
}

/* ---- Files ---- */

static ssize_t read_variable(struct file *file, struct io *io, int64_t *position)
{
	struct variable *variable = variable_of(file->inode);
	size_t size = VARIABLE_DATA_MAX, done = 0;
	uint8_t *bytes = kmalloc(ATTRIBUTES_SIZE + size);
	uint32_t attributes;
	int error;

	if (!bytes)
		return -ENOMEM;
	mutex_lock(&efivarfs_lock);
	error = variable_get(&variable->name, &attributes, bytes + ATTRIBUTES_SIZE, &size);
	mutex_unlock(&efivarfs_lock);
	memcpy(bytes, &attributes, ATTRIBUTES_SIZE);
	size += ATTRIBUTES_SIZE;
	if (error == -ENOENT)
		error = 0; /* not yet written */
	else if (!error && (uint64_t)*position < size) {
		size -= (size_t)*position;
		done = io_put(io, bytes + *position, size < io->left ? size : io->left);
		*position += (int64_t)done;
	}
	kfree(bytes);
	return io_result(io, done, error == -ERANGE ? -EIO : error);
}

/* After a write: what there is now. */
static void look_again(struct variable *variable) requires(efivarfs_lock)
{
	uint32_t attributes;
	size_t size = 0;
	int error = variable_get(&variable->name, &attributes, NULL, &size);

	if (error == -ENOENT && !list_empty(&variable->link))
		forget(variable);
	else if (!error || error == -ERANGE)
		__atomic_store_n(&variable->size, size + ATTRIBUTES_SIZE, __ATOMIC_RELAXED);
}

static int set(struct variable *variable, const uint8_t *bytes, size_t size) requires(efivarfs_lock)
{
	uint32_t attributes;
	int error;

	memcpy(&attributes, bytes, sizeof(attributes));
	bytes += ATTRIBUTES_SIZE;
	size -= ATTRIBUTES_SIZE;
	if (attributes & ~ATTRIBUTES_KNOWN || !variable_data_is_sane(&variable->name, bytes, size))
		return -EINVAL;
	error = variable_set(&variable->name, attributes, bytes, size);
	if (error == -ENOENT)
		return -EIO;
	if (!error)
		look_again(variable);
	return error == -EOPNOTSUPP ? -EINVAL : error;
}

static ssize_t write_variable(struct file *file, struct io *io, int64_t *position)
{
	struct variable *variable = variable_of(file->inode);
	size_t size = io->left;
	uint8_t *bytes;
	int error;

	if (size < ATTRIBUTES_SIZE)
		return -EINVAL;
	if (size > ATTRIBUTES_SIZE + VARIABLE_DATA_MAX) /* as firmware says of what is too long */
		return -EINVAL;
	bytes = kmalloc(size);
	if (!bytes)
		return -ENOMEM;
	if (io_get(io, bytes, size) < size) {
		kfree(bytes);
		return -EFAULT;
	}
	mutex_lock(&efivarfs_lock);
	error = set(variable, bytes, size);
	mutex_unlock(&efivarfs_lock);
	kfree(bytes);
	return error ? error : (ssize_t)size;
}

static long get_flags(const struct inode *inode, user_t out)
{
	uint32_t flags = inode->operations->immutable ? FS_IMMUTABLE_FL : 0;

	return copy_to_user(out, &flags, sizeof(flags));
}

static long set_flags(struct file *file, user_t from)
{
	struct inode *inode = file->inode;
	uint32_t flags;
	int error;

	if (copy_from_user(&flags, from, sizeof(flags)))
		return -EFAULT;
	error = mount_begin_write(file->path.mount);
	if (error)
		return error;
	mutex_lock(&inode->lock);
	if (!inode_owned(inode) || (!(flags & FS_IMMUTABLE_FL) == inode->operations->immutable &&
					   !capable(CAP_LINUX_IMMUTABLE)))
		error = -EPERM;
	else if (flags & ~(uint32_t)FS_IMMUTABLE_FL)
		error = -EOPNOTSUPP;
	else
		__atomic_store_n(&inode->operations,
			flags & FS_IMMUTABLE_FL ? &fixed_operations : &free_operations,
			__ATOMIC_RELEASE);
	mutex_unlock(&inode->lock);
	mount_end_write(file->path.mount);
	return error;
}

static long variable_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	switch (command) {
	case FS_IOC_GETFLAGS:
		return get_flags(file->inode, user_pointer(argument));
	case FS_IOC_SETFLAGS:
		return set_flags(file, user_pointer(argument));
	default:
		return -ENOTTY;
	}
}

static const struct file_operations variable_files = {
	.read = read_variable, .write = write_variable, .ioctl = variable_ioctl};

static void measure(struct inode *inode, uint64_t *size, uint64_t *blocks)
{
	*size = __atomic_load_n(&variable_of(inode)->size, __ATOMIC_RELAXED);
	*blocks = 0;
}

/* By O_TRUNC before a write: what stat says, until then. */
static int truncate(struct inode *inode, uint64_t size)
{
	__atomic_store_n(&variable_of(inode)->size, size, __ATOMIC_RELAXED);
	return 0;
}

static void release(struct inode *inode)
{
	kfree(variable_of(inode));
}

static const struct inode_operations free_operations = {
	.truncate = truncate, .measure = measure, .release = release};
static const struct inode_operations fixed_operations = {
	.truncate = truncate, .measure = measure, .release = release, .immutable = true};

/* ---- The directory ---- */

static int lookup(struct inode *directory, struct dentry *dentry)
{
	struct variable *variable;

	(void)directory;
	dentry->flags |= DENTRY_UNCACHED;
	mutex_lock(&efivarfs_lock);
	variable = find(dentry->name, dentry->length);
	if (variable) {
		inode_get(&variable->inode);
		dentry->inode = &variable->inode;
	}
	mutex_unlock(&efivarfs_lock);
	return 0;
}

static int make_variable(
	struct inode *directory, struct dentry *dentry, const struct new_inode *what)
{
	struct variable *variable;

	(void)directory;
	if (!S_ISREG(what->mode))
		return -EPERM;
	if (!variable_file_is_good(dentry->name, dentry->length))
		return -EINVAL;
	variable = make(dentry->name, dentry->length, what->mode);
	if (!variable)
		return -ENOMEM;
	variable_of_file(dentry->name, dentry->length, &variable->name);
	protect(variable);
	inode_get(&variable->inode);
	dentry->inode = &variable->inode;
	mutex_lock(&efivarfs_lock);
	list_push_back(&all, &variable->link);
	mutex_unlock(&efivarfs_lock);
	return 0;
}

static int remove_variable(struct inode *directory, struct dentry *dentry)
{
	struct variable *variable = variable_of(dentry->inode);
	int error;

	(void)directory;
	mutex_lock(&efivarfs_lock);
	error = variable_set(&variable->name, 0, NULL, 0);
	if (error == -ENOENT)
		error = 0;
	if (!error && !list_empty(&variable->link))
		forget(variable);
	mutex_unlock(&efivarfs_lock);
	return error ? -EINVAL : 0;
}

static void release_root(struct inode *inode)
{
	kfree(inode);
}

static const struct inode_operations directory_operations = {.lookup = lookup,
	.make = make_variable,
	.remove = remove_variable,
	.release = release_root};

/* Positions: the dots, then inode numbers. */
static int iterate(struct file *file, struct entry_sink *sink, int64_t *position)
{
	struct variable *variable;
	struct dentry *above = dentry_parent(file->path.dentry);
	uint64_t parent = above->inode->number;

	dentry_put(above);
	if (*position == 0 && sink->emit(sink, ".", 1, file->inode->number, S_IFDIR, 1))
		*position = 1;
	if (*position == 1 && sink->emit(sink, "..", 2, parent, S_IFDIR, 2))
		*position = FIRST_NUMBER;
	if (*position < FIRST_NUMBER)
		return 0;
	mutex_lock(&efivarfs_lock);
	list_for_each(variable, &all, link)
	{
		int64_t number = (int64_t)variable->inode.number;

		if (number < *position)
			continue;
		if (!sink->emit(sink, variable->file, (uint32_t)variable->length,
			    variable->inode.number, S_IFREG, number + 1))
			break;
		*position = number + 1;
	}
	mutex_unlock(&efivarfs_lock);
	return 0;
}

static const struct file_operations directory_files = {.iterate = iterate, .seek = file_seek};

/* ---- The whole ---- */

/* As from Linux 6.6 on: bytes, and what of those a write may take. */
static void statistics(struct superblock *superblock, struct statfs *out)
{
	struct variable_store store;

	(void)superblock;
	if (variable_store(&store))
		return;
	out->f_bsize = out->f_frsize = 1;
	out->f_blocks = store.maximum;
	out->f_bfree = store.remaining;
	out->f_bavail = store.remaining > VARIABLE_RESERVE ? store.remaining - VARIABLE_RESERVE : 0;
}

static void shutdown(struct superblock *superblock)
{
	mutex_lock(&efivarfs_lock);
	if (!__atomic_load_n(&superblock->mounts, __ATOMIC_RELAXED))
		forget_all();
	mutex_unlock(&efivarfs_lock);
}

static const struct superblock_operations superblock_operations = {
	.shutdown = shutdown, .statistics = statistics};

static struct superblock *create(void)
{
	const struct new_inode what = {.mode = S_IFDIR | 0755};
	struct superblock *superblock = kzalloc(sizeof(*superblock));
	struct inode *root = superblock ? kzalloc(sizeof(*root)) : NULL;

	if (!root) {
		kfree(superblock);
		return NULL;
	}
	*superblock = (struct superblock){.type = "efivarfs",
		.operations = &superblock_operations,
		.device = superblock_device(),
		.magic = EFIVARFS_MAGIC,
		.references = 1}; /* and so it stays for ever */
	inode_init(root, superblock, &what);
	root->operations = &directory_operations;
	root->file_operations = &directory_files;
	superblock->root = dentry_make_root(root);
	if (!superblock->root) {
		inode_put(root);
		kfree(superblock);
		return NULL;
	}
	the_one = superblock;
	return superblock;
}

int efivarfs_mount(char *options, struct superblock **out)
{
	static struct superblock *slot;
	struct superblock *superblock;
	int error = 0;

	if (options && *options)
		return -EINVAL;
	if (!variables_are_there())
		return -EOPNOTSUPP;
	superblock = superblock_once(&slot, create);
	if (!superblock)
		return -ENOMEM;
	mutex_lock(&efivarfs_lock);
	if (!__atomic_load_n(&superblock->mounts, __ATOMIC_RELAXED)) {
		/* As new: no flags of an earlier mount. */
		__atomic_store_n(&superblock->flags, variables_are_writable() ? 0 : MS_RDONLY,
			__ATOMIC_RELAXED);
		forget_all();
		error = find_all();
	}
	if (!error)
		superblock_mounted(superblock);
	mutex_unlock(&efivarfs_lock);
	*out = superblock;
	return error;
}
