/* SPDX-License-Identifier: MIT */
/*
 * devpts: a directory with one node for each pseudo-terminal's slave, named by its number, and the
 * multiplexer `ptmx` (Linux's Documentation/filesystems/devpts.rst).
 *
 * There is one, which every mount of it shows; options given to a later mount or remount change it for all.
 * `newinstance` is taken and makes no other, so a container sees its host's terminals.
 *
 * Nodes come and go with their pairs (devices/pty.c), so their names are never kept in the dentry cache
 * (DENTRY_UNCACHED). A node's inode stays the same as long as the pair lives, with the owner and mode
 * that programs gave it, and holds nothing of the pair.
 *
 * Lock: devpts_lock, a leaf: the nodes by number, and the options.
 */
#include "files/devpts.h"

#include "files/procfs.h"
#include "files/mount.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/radix.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/current.h"

#include <linux/magic.h>

#define DEVPTS_DEVICE device_number(0, 22)
#define PTMX_NUMBER   2u /* of inodes, and the position after the dots */
#define FIRST_NUMBER  3u
#define MOST          4096u /* Linux's kernel.pty.max */
#define PTMX_MINOR    2u
#define NOBODY        UINT32_MAX

struct options {
	uint32_t uid, gid; /* NOBODY: the opener's */
	uint32_t mode, ptmx_mode, most;
};

static const struct options defaults = {NOBODY, NOBODY, 0600, 0, MOST};

static struct spinlock devpts_lock = SPINLOCK_INIT;
static struct radix nodes guarded_by(devpts_lock);        /* number -> struct inode */
static uint64_t taken[MOST / 64] guarded_by(devpts_lock); /* numbers, as bits */
static uint32_t count guarded_by(devpts_lock);
static struct options options guarded_by(devpts_lock) = {NOBODY, NOBODY, 0600, 0, MOST};
static struct superblock *the_one; /* set once, by create */

static void release_inode(struct inode *inode)
{
	kfree(inode);
}

/* ---- Names ---- */

static struct inode *find_node(const struct name *name)
{
	long number = proc_number_of(name);
	struct inode *inode;

	if (number < 0)
		return NULL;
	spin_lock(&devpts_lock);
	inode = radix_get(&nodes, (uint64_t)number);
	if (inode)
		inode_get(inode);
	spin_unlock(&devpts_lock);
	return inode;
}

static const struct inode_operations node_operations = {.release = release_inode};

static struct inode *make_inode(uint32_t mode, uint64_t number, uint64_t device,
	const struct inode_operations *operations, const struct file_operations *file_operations)
{
	const struct new_inode what = {.mode = mode, .device = device};
	struct inode *inode = kzalloc(sizeof(*inode));

	if (!inode)
		return NULL;
	inode_init(inode, the_one, &what);
	inode->number = number;
	inode->operations = operations;
	inode->file_operations = file_operations;
	return inode;
}

/* It is kept by the dentry cache, and so made once. */
static struct inode *make_ptmx(void)
{
	struct inode *inode = make_inode(S_IFCHR, PTMX_NUMBER,
		device_number(TTYAUX_MAJOR, PTMX_MINOR), &node_operations, &device_file_operations);

	if (!inode)
		return NULL;
	spin_lock(&devpts_lock);
	inode->mode = S_IFCHR | options.ptmx_mode;
	spin_unlock(&devpts_lock);
	return inode;
}

static int lookup(struct inode *directory, struct dentry *dentry)
{
	const struct name name = {dentry->name, dentry->length};

	(void)directory;
	if (!strcmp(dentry->name, "ptmx")) {
		dentry->inode = make_ptmx();
		return dentry->inode ? 0 : -ENOMEM;
	}
	dentry->inode = find_node(&name);
	dentry->flags |= DENTRY_UNCACHED;
	return dentry->inode ? 0 : -ENOENT;
}

static const struct inode_operations directory_operations = {
	.lookup = lookup, .release = release_inode};

static bool emit_node(struct entry_sink *sink, uint64_t number)
{
	char name[16];
	int length = format(name, sizeof(name), "%llu", (unsigned long long)number);

	return sink->emit(sink, name, (uint32_t)length, number + FIRST_NUMBER, S_IFCHR,
		(int64_t)(number + FIRST_NUMBER) + 1);
}

/* Positions: the dots, ptmx, then a node's number and FIRST_NUMBER. */
static int iterate(struct file *file, struct entry_sink *sink, int64_t *position)
{
	uint64_t number, parent;
	struct dentry *above;
	bool found;

	above = dentry_parent(file->path.dentry);
	parent = above->inode->number;
	dentry_put(above);
	if (*position == 0 && sink->emit(sink, ".", 1, file->inode->number, S_IFDIR, 1))
		*position = 1;
	if (*position == 1 && sink->emit(sink, "..", 2, parent, S_IFDIR, 2))
		*position = 2;
	if (*position == 2 && sink->emit(sink, "ptmx", 4, PTMX_NUMBER, S_IFCHR, 3))
		*position = 3;
	while (*position >= FIRST_NUMBER) {
		number = (uint64_t)*position - FIRST_NUMBER;
		spin_lock(&devpts_lock);
		found = radix_next(&nodes, &number);
		spin_unlock(&devpts_lock);
		if (!found || !emit_node(sink, number))
			break;
		*position = (int64_t)(number + FIRST_NUMBER) + 1;
	}
	return 0;
}

static const struct file_operations directory_files = {.iterate = iterate, .seek = file_seek};

/* ---- Nodes ---- */

unsigned int devpts_number(const struct inode *inode)
{
	return (unsigned int)(inode->number - FIRST_NUMBER);
}

/* The lowest number that nobody has; MOST: there is none. */
static uint32_t free_number(void) requires(devpts_lock)
{
	uint32_t word = 0;

	while (word < MOST / 64 && !~taken[word])
		word++;
	return word == MOST / 64 ? MOST : word * 64 + (uint32_t)__builtin_ctzll(~taken[word]);
}

static int enter(struct inode *inode) requires(devpts_lock)
{
	const struct credentials *who = current_credentials();
	uint32_t number = free_number();
	int error;

	if (count >= options.most || number == MOST)
		return -ENOSPC;
	error = radix_put(&nodes, number, inode);
	if (error)
		return error;
	count++;
	taken[number / 64] |= UINT64_C(1) << number % 64;
	inode->number = number + FIRST_NUMBER;
	inode->device = device_number(UNIX98_PTY_SLAVE_MAJOR, number);
	inode->mode = S_IFCHR | options.mode;
	inode->uid = options.uid == NOBODY ? who->fsuid : options.uid;
	inode->gid = options.gid == NOBODY ? who->fsgid : options.gid;
	return 0;
}

static struct superblock *find_superblock(void);

int devpts_add(const struct file_operations *operations, void *driver, struct inode **out)
{
	struct inode *inode;
	int error;

	if (!find_superblock())
		return -ENOMEM;
	inode = make_inode(S_IFCHR, 0, 0, &node_operations, operations);
	if (!inode)
		return -ENOMEM;
	inode->driver = driver;
	spin_lock(&devpts_lock);
	error = enter(inode);
	spin_unlock(&devpts_lock);
	if (error)
		inode_put(inode);
	else
		*out = inode;
	return error;
}

void devpts_remove(struct inode *inode)
{
	unsigned int number = devpts_number(inode);
	void *was;

	spin_lock(&devpts_lock);
	was = radix_remove(&nodes, number);
	taken[number / 64] &= ~(UINT64_C(1) << number % 64);
	count--;
	spin_unlock(&devpts_lock);
	assert(was == inode);
	inode->links = 0;
	inode_put(inode);
}

/* ---- The whole ---- */

static bool parse_number(const char *text, unsigned int base, uint32_t *out)
{
	uint64_t number = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		unsigned int digit = (unsigned int)*text - '0';

		if (digit >= base)
			return false;
		number = number * base + digit;
		if (number >= NOBODY)
			return false;
	}
	*out = (uint32_t)number;
	return true;
}

static int parse_option(struct options *into, const char *name, const char *value)
{
	bool good = false;

	if (!strcmp(name, "newinstance"))
		return value ? -EINVAL : 0;
	if (!value)
		return -EINVAL;
	if (!strcmp(name, "uid"))
		good = parse_number(value, 10, &into->uid);
	else if (!strcmp(name, "gid"))
		good = parse_number(value, 10, &into->gid);
	else if (!strcmp(name, "mode"))
		good = parse_number(value, 8, &into->mode);
	else if (!strcmp(name, "ptmxmode"))
		good = parse_number(value, 8, &into->ptmx_mode);
	else if (!strcmp(name, "max"))
		good = parse_number(value, 10, &into->most) && into->most <= MOST;
	into->mode &= 07777;
	into->ptmx_mode &= 07777;
	return good ? 0 : -EINVAL;
}

/* Those that are not given are the defaults, as on Linux. */
static int parse(struct options *into, char *text)
{
	char *end, *value;
	int error = 0;

	*into = defaults;
	for (; text && !error; text = end) {
		end = strchr(text, ',');
		if (end)
			*end++ = '\0';
		value = strchr(text, '=');
		if (value)
			*value++ = '\0';
		if (*text)
			error = parse_option(into, text, value);
	}
	return error;
}

static void show_options(struct superblock *superblock, char *out, size_t size)
{
	struct options now;
	int at = 0;

	(void)superblock;
	spin_lock(&devpts_lock);
	now = options;
	spin_unlock(&devpts_lock);
	if (now.uid != NOBODY)
		at += format(out + at, size - (size_t)at, ",uid=%u", now.uid);
	if (now.gid != NOBODY)
		at += format(out + at, size - (size_t)at, ",gid=%u", now.gid);
	at += format(
		out + at, size - (size_t)at, ",mode=%03o,ptmxmode=%03o", now.mode, now.ptmx_mode);
	if (now.most != MOST)
		format(out + at, size - (size_t)at, ",max=%u", now.most);
}

/* ptmx's mode too, which may have been looked for before. */
static void set_options(struct superblock *superblock, const struct options *new)
{
	static const struct name ptmx = {"ptmx", 4};
	struct dentry *dentry;

	spin_lock(&devpts_lock);
	options = *new;
	spin_unlock(&devpts_lock);
	dentry = dentry_find(superblock->root, &ptmx);
	if (!dentry)
		return;
	if (dentry->inode)
		__atomic_store_n(&dentry->inode->mode, S_IFCHR | new->ptmx_mode, __ATOMIC_RELAXED);
	dentry_put(dentry);
}

static int remount(struct superblock *superblock, char *text)
{
	struct options new;
	int error = parse(&new, text);

	if (!error)
		set_options(superblock, &new);
	return error;
}

static const struct superblock_operations superblock_operations = {
	.remount = remount, .show_options = show_options};

static struct superblock *create(void)
{
	struct superblock *superblock = kzalloc(sizeof(*superblock));
	struct inode *root;

	if (!superblock)
		return NULL;
	*superblock = (struct superblock){.type = "devpts",
		.operations = &superblock_operations,
		.device = DEVPTS_DEVICE,
		.magic = DEVPTS_SUPER_MAGIC,
		.references = 2, /* and so it stays for ever */
		.mounts = 1};
	the_one = superblock;
	root = make_inode(S_IFDIR | 0755, 1, 0, &directory_operations, &directory_files);
	if (root)
		superblock->root = dentry_make_root(root);
	if (superblock->root)
		return superblock;
	if (root)
		inode_put(root);
	kfree(superblock);
	the_one = NULL;
	return NULL;
}

static struct superblock *find_superblock(void)
{
	static struct superblock *superblock;

	return superblock_once(&superblock, create);
}

int devpts_mount(char *text, struct superblock **out)
{
	struct superblock *superblock = find_superblock();
	struct options new;
	int error;

	if (!superblock)
		return -ENOMEM;
	error = parse(&new, text);
	if (error)
		return error;
	set_options(superblock, &new);
	superblock_mounted(superblock);
	*out = superblock;
	return 0;
}
