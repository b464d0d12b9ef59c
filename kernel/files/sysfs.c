/* SPDX-License-Identifier: MIT */
/*
 * sysfs: a tree of nodes, each a directory with attributes, which are texts that the node's owner makes.
 *
 * The design. Nodes are registered and taken out by those who own what they are about; most stand in static
 * memory. Nothing of them is in the dentry cache: each step of a walk looks for the name among the node's
 * attributes and children and makes an inode that holds the node, so that one that is taken out is not found
 * from then on, and memory is used by those only who look. A text is made whole at each read; what is no text
 * (sysfs_binary) is read piece by piece, a page at most at once, as on Linux. A directory may make its children
 * when it is first looked into (`populate`): what few programs ask for costs nothing before.
 *
 * A node that was taken out stays in memory while inodes hold it, but is no longer asked: reading an attribute
 * of it is ENODEV. sysfs_remove waits for the functions of attributes that run, so the owner may go after it.
 *
 * Invariants: a node with a parent is on its parent's list, in the order of the numbers, by which a directory
 * is read on; the tree holds one reference to it, each inode one.
 *
 * Lock: sysfs_lock, a mutex, over the tree, and held while an attribute is shown or stored.
 */
#include "files/sysfs.h"

#include <linux/capability.h>
#include <linux/magic.h>

#include "files/mount.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/credentials.h"
#include "process/mutex.h"

#define TEXT_MAX      PAGE_SIZE
#define LINK_MAX_SIZE 160u
#define FIRST_NUMBER  (SYSFS_ATTRIBUTES + 2) /* positions below are the attributes' */

struct mutex sysfs_lock = MUTEX_INIT(sysfs_lock);
static uint32_t last_number guarded_by(sysfs_lock) = FIRST_NUMBER;

#define NODE(node, text)                                                                \
	{                                                                               \
		.name = (text), .children = LIST_INIT((node).children), .references = 1 \
	}

struct sysfs_node sysfs_root = NODE(sysfs_root, "");
struct sysfs_node sysfs_bus = {.name = "bus"};
struct sysfs_node sysfs_devices = {.name = "devices"}, sysfs_class = {.name = "class"};
struct sysfs_node sysfs_kernel = {.name = "kernel"},
		  sysfs_firmware = {.name = "firmware", .stays = true};

struct sysfs_inode {
	struct inode inode;
	struct sysfs_node *node;                 /* a reference */
	const struct sysfs_attribute *attribute; /* NULL: the node itself */
	uint64_t size;                           /* of a binary one */
	char text[LINK_MAX_SIZE];                /* a link's */
};

static struct sysfs_inode *sysfs_of(struct inode *inode)
{
	return container_of(inode, struct sysfs_inode, inode);
}

/* ---- Nodes ---- */

static void node_put(struct sysfs_node *node)
{
	if (!__atomic_sub_fetch(&node->references, 1, __ATOMIC_ACQ_REL) && node->release)
		node->release(node);
}

static struct sysfs_node *find_child(
	const struct sysfs_node *parent, const char *name, size_t length) requires(sysfs_lock)
{
	struct sysfs_node *child;

	list_for_each(child, &parent->children, link)
	{
		if (strlen(child->name) == length && !memcmp(child->name, name, length))
			return child;
	}
	return NULL;
}

static void add(struct sysfs_node *parent, struct sysfs_node *node) requires(sysfs_lock)
{
	list_init(&node->children);
	node->references = 1;
	node->number = ++last_number;
	node->parent = parent;
	list_push_back(&parent->children, &node->link);
}

int sysfs_add(struct sysfs_node *parent, struct sysfs_node *node)
{
	int error = 0;

	mutex_lock(&sysfs_lock);
	if (find_child(parent, node->name, strlen(node->name)))
		error = -EEXIST;
	else
		add(parent, node);
	mutex_unlock(&sysfs_lock);
	return error;
}

void sysfs_remove(struct sysfs_node *node)
{
	mutex_lock(&sysfs_lock);
	assert(list_empty(&node->children));
	list_remove(&node->link);
	node->parent = NULL;
	mutex_unlock(&sysfs_lock);
	node_put(node);
}

static void free_node(struct sysfs_node *node)
{
	kfree(node);
}

/* One that is in no tree yet. NULL: no memory. */
static struct sysfs_node *create_node(
	const char *name, const char *target, const struct sysfs_attribute *attributes, void *owner)
{
	size_t name_size = strlen(name) + 1, target_size = target ? strlen(target) + 1 : 0;
	struct sysfs_node *node = kzalloc(sizeof(*node) + name_size + target_size);
	char *texts = (char *)(node + 1);

	if (!node)
		return NULL;
	node->name = memcpy(texts, name, name_size);
	if (target)
		node->target = memcpy(texts + name_size, target, target_size);
	node->attributes = attributes;
	node->owner = owner;
	node->release = free_node;
	return node;
}

struct sysfs_node *sysfs_make(struct sysfs_node *parent, const char *name, const char *target,
	const struct sysfs_attribute *attributes, void *owner)
{
	struct sysfs_node *node = create_node(name, target, attributes, owner);

	if (!node || !sysfs_add(parent, node))
		return node;
	kfree(node);
	return NULL;
}

struct sysfs_node *sysfs_grow(struct sysfs_node *parent, const char *name, const char *target,
	const struct sysfs_attribute *attributes, void *owner)
{
	struct sysfs_node *node = find_child(parent, name, strlen(name));

	if (node)
		return node;
	node = create_node(name, target, attributes, owner);
	if (node)
		add(parent, node);
	return node;
}

struct sysfs_node *sysfs_find(struct sysfs_node *parent, const char *name)
{
	struct sysfs_node *node;

	mutex_lock(&sysfs_lock);
	node = find_child(parent, name, strlen(name));
	mutex_unlock(&sysfs_lock);
	return node;
}

struct sysfs_node *sysfs_directory(struct sysfs_node *parent, const char *name)
{
	struct sysfs_node *node = sysfs_find(parent, name);

	return node ? node : sysfs_make(parent, name, NULL, NULL, NULL);
}

/* ---- Attributes as files ---- */

/* NULL: it is a text. */
static const struct sysfs_binary *binary_of(const struct sysfs_attribute *attribute)
{
	return attribute && attribute->mode & SYSFS_BINARY ? attribute->argument : NULL;
}

static int open_attribute(struct file *file)
{
	const struct sysfs_attribute *attribute = sysfs_of(file->inode)->attribute;

	/* What nobody may read or write, root may not either. */
	if ((file_readable(file) && !attribute->show && !binary_of(attribute)) ||
		(file_writable(file) && !attribute->store))
		return -EACCES;
	file->private = capable(CAP_SYS_ADMIN) ? file : NULL; /* admin: not NULL */
	return 0;
}

static bool is_there(const struct sysfs_node *node) requires(sysfs_lock)
{
	return node->parent || node == &sysfs_root;
}

static int show(const struct sysfs_inode *sysfs, char *out, size_t size)
{
	int length = -ENODEV;

	mutex_lock(&sysfs_lock);
	if (is_there(sysfs->node))
		length = sysfs->attribute->show(sysfs->node, sysfs->attribute, out, size);
	mutex_unlock(&sysfs_lock);
	return length < (int)size ? length : -EIO;
}

/* At most a page. */
static ssize_t read_binary(struct file *file, struct io *io, int64_t *position)
{
	const struct sysfs_inode *sysfs = sysfs_of(file->inode);
	const struct sysfs_binary *binary = binary_of(sysfs->attribute);
	struct sysfs_read read = {.offset = (uint64_t)*position, .admin = file->private};
	ssize_t result = -ENODEV;
	size_t put;

	if (read.offset >= sysfs->size || !io->left)
		return 0;
	read.size = io->left < TEXT_MAX ? io->left : TEXT_MAX;
	if (read.size > sysfs->size - read.offset)
		read.size = (size_t)(sysfs->size - read.offset);
	read.out = kmalloc(read.size);
	if (!read.out)
		return -ENOMEM;
	mutex_lock(&sysfs_lock);
	if (is_there(sysfs->node))
		result = binary->read(sysfs->node, binary, &read);
	mutex_unlock(&sysfs_lock);
	if (result > 0) {
		put = io_put(io, read.out, (size_t)result);
		*position += (int64_t)put;
		result = io_result(io, put, 0);
	}
	kfree(read.out);
	return result;
}

static ssize_t read_attribute(struct file *file, struct io *io, int64_t *position)
{
	char *text = kmalloc(TEXT_MAX);
	ssize_t result = -ENOMEM;
	size_t put, left;
	int length;

	if (!text)
		return result;
	length = show(sysfs_of(file->inode), text, TEXT_MAX);
	if (length < 0 || *position >= length) {
		result = length < 0 ? length : 0;
	} else {
		left = (size_t)(length - *position);
		put = io_put(io, text + *position, left < io->left ? left : io->left);
		*position += (int64_t)put;
		result = io_result(io, put, 0);
	}
	kfree(text);
	return result;
}

static ssize_t write_attribute(struct file *file, struct io *io, int64_t *position)
{
	struct sysfs_inode *sysfs = sysfs_of(file->inode);
	size_t size = io->left < TEXT_MAX ? io->left : TEXT_MAX - 1;
	char *text = kmalloc(TEXT_MAX);
	ssize_t result = -ENODEV;

	if (!text)
		return -ENOMEM;
	if (io_get(io, text, size) < size) {
		kfree(text);
		return -EFAULT;
	}
	text[size] = '\0';
	mutex_lock(&sysfs_lock);
	if (sysfs->node->parent)
		result = sysfs->attribute->store(sysfs->node, sysfs->attribute, text, size);
	mutex_unlock(&sysfs_lock);
	kfree(text);
	if (result > 0)
		*position += result;
	return result;
}

static int64_t seek(struct file *file, int64_t offset, int whence)
{
	if (whence == SEEK_END)
		return seek_from((int64_t)inode_size(file->inode), offset);
	return file_seek(file, offset, whence);
}

static const struct file_operations attribute_file_operations = {
	.open = open_attribute, .read = read_attribute, .write = write_attribute, .seek = seek};
static const struct file_operations binary_file_operations = {
	.open = open_attribute, .read = read_binary, .seek = seek};

/* ---- Inodes ---- */

static int truncate(struct inode *inode, uint64_t size)
{
	return 0; /* by O_TRUNC before a write */
}

static void measure(struct inode *inode, uint64_t *size, uint64_t *blocks)
{
	*size = S_ISREG(inode->mode) ? sysfs_of(inode)->size : 0;
	*blocks = 0;
}

static const char *link_text(struct inode *inode)
{
	return sysfs_of(inode)->text;
}

static void release(struct inode *inode)
{
	node_put(sysfs_of(inode)->node);
	kfree(sysfs_of(inode));
}

static int lookup(struct inode *inode, struct dentry *dentry);
static const struct file_operations directory_operations;

static const struct inode_operations inode_operations = {.truncate = truncate,
	.measure = measure,
	.link_text = link_text,
	.release = release,
	.fixed_mode = true};
static const struct inode_operations directory_inode_operations = {
	.lookup = lookup, .measure = measure, .release = release, .fixed_mode = true};

static uint32_t mode_of(const struct sysfs_node *node, const struct sysfs_attribute *attribute)
{
	if (attribute)
		return attribute->mode & S_IFMT ? attribute->mode
						: S_IFREG | (attribute->mode & ~SYSFS_BINARY);
	if (node->target)
		return S_IFLNK | 0777;
	return S_IFDIR | (node == &sysfs_root ? 0555 : 0755);
}

static uint64_t number_of(const struct sysfs_node *node, const struct sysfs_attribute *attribute)
{
	uint64_t index = attribute ? (uint64_t)(attribute - node->attributes) + 1 : 0;

	return (uint64_t)node->number * FIRST_NUMBER + index;
}

static void set_link(struct sysfs_inode *sysfs) requires(sysfs_lock)
{
	const struct sysfs_attribute *attribute = sysfs->attribute;

	if (attribute)
		attribute->show(sysfs->node, attribute, sysfs->text, sizeof(sysfs->text));
	else
		string_copy(sysfs->text, sysfs->node->target, sizeof(sysfs->text));
}

static void set_file(struct sysfs_inode *sysfs) requires(sysfs_lock)
{
	const struct sysfs_binary *binary = binary_of(sysfs->attribute);

	sysfs->size = binary ? binary->size(sysfs->node, binary) : TEXT_MAX;
	sysfs->inode.file_operations =
		binary ? &binary_file_operations : &attribute_file_operations;
}

/* Makes the children of one that is looked into. */
static int populate(struct sysfs_node *node) requires(sysfs_lock)
{
	int error = node->populate ? node->populate(node) : 0;

	if (!error)
		node->populate = NULL;
	return error;
}

/* NULL: no memory. */
static struct inode *make_inode(struct superblock *superblock, struct sysfs_node *node,
	const struct sysfs_attribute *attribute) requires(sysfs_lock)
{
	const struct new_inode what = {.mode = mode_of(node, attribute)};
	struct sysfs_inode *sysfs;
	struct inode *inode;
	const struct sysfs_node *child;

	if (!attribute && populate(node))
		return NULL;
	sysfs = kzalloc(sizeof(*sysfs));
	if (!sysfs)
		return NULL;
	inode = &sysfs->inode;
	inode_init(inode, superblock, &what);
	inode->number = number_of(node, attribute);
	inode->operations = &inode_operations;
	sysfs->node = node;
	sysfs->attribute = attribute;
	__atomic_add_fetch(&node->references, 1, __ATOMIC_RELAXED);
	if (S_ISREG(what.mode)) {
		set_file(sysfs);
	} else if (S_ISLNK(what.mode)) {
		set_link(sysfs);
	} else {
		inode->operations = &directory_inode_operations;
		inode->file_operations = &directory_operations;
		list_for_each(child, &node->children, link) inode->links += !child->target;
	}
	return inode;
}

/* ---- Directories ---- */

static const struct sysfs_attribute *find_attribute(const struct sysfs_node *node, const char *name)
{
	const struct sysfs_attribute *attribute = node->attributes;

	for (; attribute && attribute->name; attribute++)
		if (!strcmp(attribute->name, name))
			return attribute;
	return NULL;
}

/* A name that is not there is left negative, and looked for again next time. */
static int lookup(struct inode *inode, struct dentry *dentry)
{
	struct sysfs_node *node = sysfs_of(inode)->node, *child = NULL;
	const struct sysfs_attribute *attribute;
	bool found;

	mutex_lock(&sysfs_lock);
	attribute = find_attribute(node, dentry->name);
	if (!attribute)
		child = find_child(node, dentry->name, dentry->length);
	if (!child || !child->stays)
		dentry->flags |= DENTRY_UNCACHED;
	found = attribute || child;
	if (found)
		dentry->inode = make_inode(inode->superblock, child ? child : node, attribute);
	mutex_unlock(&sysfs_lock);
	return found && !dentry->inode ? -ENOMEM : 0;
}

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

static bool emit(const struct sysfs_node *node, const struct sysfs_attribute *attribute,
	struct entry_sink *sink, int64_t next)
{
	const char *name = attribute ? attribute->name : node->name;

	return sink->emit(sink, name, (uint32_t)strlen(name), number_of(node, attribute),
		mode_of(node, attribute), next);
}

/* From *position on: attributes by their place, children by their numbers. */
static void emit_node(const struct sysfs_node *node, struct entry_sink *sink,
	int64_t *position) requires(sysfs_lock)
{
	const struct sysfs_attribute *attribute = node->attributes;
	const struct sysfs_node *child;
	int64_t at;

	for (; attribute && attribute->name; attribute++) {
		at = attribute - node->attributes + 2;
		if (at < *position)
			continue;
		if (!emit(node, attribute, sink, at + 1))
			return;
		*position = at + 1;
	}
	list_for_each(child, &node->children, link)
	{
		if (child->number < *position)
			continue;
		if (!emit(child, NULL, sink, (int64_t)child->number + 1))
			return;
		*position = (int64_t)child->number + 1;
	}
}

static int iterate(struct file *file, struct entry_sink *sink, int64_t *position)
{
	for (; *position < 2; ++*position)
		if (!emit_dot(file, sink, *position))
			return 0;
	mutex_lock(&sysfs_lock);
	emit_node(sysfs_of(file->inode)->node, sink, position);
	mutex_unlock(&sysfs_lock);
	return 0;
}

static const struct file_operations directory_operations = {.iterate = iterate, .seek = seek};

/* ---- The whole ---- */

void sysfs_init(void)
{
	static struct sysfs_node block = {.name = "block"}, dev = {.name = "dev"},
				 fs = {.name = "fs"}, module = {.name = "module"};
	struct sysfs_node *const nodes[] = {&block, &sysfs_bus, &sysfs_class, &dev, &sysfs_devices,
		&sysfs_firmware, &fs, &sysfs_kernel, &module};

	for (unsigned i = 0; i < ARRAY_SIZE(nodes); i++) {
		int error = sysfs_add(&sysfs_root, nodes[i]);

		assert(!error);
	}
	if (!sysfs_directory(&dev, "block") || !sysfs_directory(&dev, "char"))
		log_error("sysfs: no memory");
}

static struct superblock *create(void)
{
	struct superblock *superblock = kzalloc(sizeof(*superblock));
	struct inode *root;

	if (!superblock)
		return NULL;
	superblock->type = "sysfs";
	superblock->device = superblock_device();
	superblock->magic = SYSFS_MAGIC;
	mutex_lock(&sysfs_lock);
	root = make_inode(superblock, &sysfs_root, NULL);
	mutex_unlock(&sysfs_lock);
	if (root)
		superblock->root = dentry_make_root(root);
	if (superblock->root)
		return superblock;
	if (root)
		inode_put(root);
	kfree(superblock);
	return NULL;
}

struct superblock *sysfs_superblock(void)
{
	static struct superblock *superblock;

	return superblock_once(&superblock, create);
}
