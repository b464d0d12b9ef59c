/* SPDX-License-Identifier: MIT */
/*
 * The virtual file system: what path walking, open files, system calls and file systems share.
 *
 * The problem. Names lead to files, files outlive their names, file systems form one tree, and all work on it at once.
 *
 * The design. An inode is a file. A dentry is a name in a directory: (parent, name) -> inode, found by one hash table
 * (dentry.c). tmpfs and devfs keep every entry in that table ("the dentry cache is the directory"): their `lookup` is
 * NULL, and a name that is not in the table does not exist. A file system on a disk will fill the table by `lookup`,
 * with negative entries too (inode == NULL). A mount puts the root dentry of a superblock over a directory; a path is
 * a mount with a dentry. An open file has a path, an inode, operations and a position.
 *
 * Who owns what. A dentry holds its parent and inode, a path its mount and dentry, an open file its path (a pipe's: the
 * inode). tmpfs pins each dentry by a reference, till the entry is removed.
 *
 * Locks, outermost first:
 *	file->position_lock                 one read, write, lseek or getdents of an open file at a time
 *	rename_mutex                        moving between two directories, one at a time
 *	inode->lock of directories          ancestor before descendant, unrelated ones by address
 *	inode->lock of other files          mode, owner, links, times, changes of size, writes
 *	pipe->lock                          a pipe's bytes
 *	the address space's lock            user memory is touched under all of the above
 *	spin locks: fs->lock and mount_lock, inside either dentry_lock; object->lock, files->lock: leaves
 * Fields that are only ever replaced whole (mode, size, times) are read without a lock by stat.
 */
#ifndef FILES_VFS_H
#define FILES_VFS_H

#include "arch/arch.h"
#include "files/abi.h"
#include "files/io.h"
#include "files/times.h"
#include "lib/list.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "memory/object.h"
#include "process/credentials.h"
#include "process/mutex.h"

#include <linux/mount.h>

struct dentry;
struct epoll_item;
struct file;
struct inode;
struct inode_locks;
struct inotify_watch;
struct mount;
struct new_inode;
struct path;
struct superblock;

/* A component of a path; not NUL-terminated. */
struct name {
	const char *text;
	uint32_t length;
};

/* ---- File systems ---- */

/* Functions that change a directory are called with its lock (both for rename), the entry looked up
 * and every general check made: they either do it whole, or fail and change nothing. */
struct inode_operations {
	/* Finds dentry's name in the directory and sets dentry->inode, or leaves it NULL: not there.
	 * NULL: the dentry cache holds all entries. */
	int (*lookup)(struct inode *directory, struct dentry *dentry);
	/* Makes a file under this new dentry and sets dentry->inode. */
	int (*make)(struct inode *directory, struct dentry *dentry, const struct new_inode *what);
	/* The same without a name (O_TMPFILE): an inode that nothing counts yet, with one reference. */
	int (*make_nameless)(
		struct inode *directory, const struct new_inode *what, struct inode **out);
	/* Gives an inode one more name. */
	int (*link)(struct inode *directory, struct dentry *dentry, struct inode *inode);
	/* Removes an entry (of an empty directory too). Cannot fail half way. */
	int (*remove)(struct inode *directory, struct dentry *dentry);
	/* Moves `from` to the place of `to`, which may be a new name or an entry to replace. */
	int (*rename)(struct inode *from_directory, struct dentry *from, struct inode *to_directory,
		struct dentry *to);
	/* Two entries change places, in one directory or two. NULL: it cannot. */
	int (*exchange)(struct inode *a_directory, struct dentry *a, struct inode *b_directory,
		struct dentry *b);
	bool (*is_empty)(struct inode *directory);
	/* Text of a symbolic link, NUL-terminated, valid as long as the inode is held. */
	const char *(*link_text)(struct inode *inode);
	/* A magic link (/proc/PID/fd/N) leads there, with references: 0 or an errno. NULL: it is none. */
	int (*jump)(struct inode *inode, struct path *out);
	/* Such a link's text, in `buffer` of PATH_MAX bytes: its length, or a negative errno. */
	ssize_t (*jump_text)(struct inode *inode, char *buffer);
	/* Sets the size, with the inode's lock held. NULL: EINVAL. */
	int (*truncate)(struct inode *inode, uint64_t size);
	/* fallocate's: FALLOC_FL_*, with the inode's lock held. NULL: EOPNOTSUPP. */
	int (*allocate)(struct inode *inode, int mode, uint64_t start, uint64_t length);
	/* Another size than the object's (directories, links), and blocks of 512 bytes. */
	void (*measure)(struct inode *inode, uint64_t *size, uint64_t *blocks);
	void (*release)(struct inode *inode);      /* the last reference went: free it */
	bool (*is_own)(const struct inode *inode); /* all is open to the caller */
	bool fixed_mode, mode_binds;               /* chmod is refused; capabilities do not help */
	bool immutable; /* all changes are refused, and permission to write: EPERM */
};

/* By which name a file is mapped: see mapped.c. */
struct mapped_name {
	uint32_t count;      /* mappings; atomic */
	struct mount *mount; /* with references; NULL: no name */
	struct dentry *dentry;
};

struct inode {
	const struct inode_operations *operations;
	const struct file_operations *file_operations; /* of files opened on it */
	struct superblock *superblock;
	struct object *object; /* the data of a regular file, or NULL */
	uint64_t number;
	uint64_t device;     /* of a device node, as makedev gives it */
	uint32_t references; /* atomic */
	int32_t writers;     /* atomic: open for writing; below 0: programs that run forbid it */
	struct mutex lock;
	/* Changed with `lock` held. */
	uint32_t mode; /* kind and permissions; the kind never changes */
	uint32_t uid, gid, links;
	bool linkable;                  /* it has no name yet and may get one */
	uint8_t write_hint, attributes; /* RWH_WRITE_LIFE_*, FS_*_FL (attributes.h); atomic */
	ns_t accessed, modified, changed, created; /* times.h */
	void *driver;                              /* device nodes: the device; FIFOs: the pipe */
	struct inode_locks *locks;                 /* file_locks.c's; NULL: nobody ever locked it */
	struct xattr *xattrs;                      /* xattr.c's, with `lock` held */
	struct mapped_name mapped;                 /* mapped.c's */
	/* inotify.c's, under inotify_lock: who watches it, and the IN_* that they ask for (atomic). */
	struct inotify_watch *watches;
	uint32_t asked;
};

/* What a file to be made is like. */
struct new_inode {
	uint32_t mode; /* kind and permissions */
	uint32_t uid, gid;
	uint64_t device;
	const char *link_text;
};

struct statfs;

struct superblock_operations {
	/* The last mount of it went: lets go of what the file system holds of its own. */
	void (*shutdown)(struct superblock *superblock);
	/* The last reference went: frees it. */
	void (*release)(struct superblock *superblock);
	/* Blocks and files; the rest is there. NULL: zeroes. */
	void (*statistics)(struct superblock *superblock, struct statfs *out);
	/* mount(2)'s MS_REMOUNT: new options, all or none. NULL: none are taken. */
	int (*remount)(struct superblock *superblock, char *options);
	/* The options as /proc/mounts shows them, each with a comma in front. NULL: none. */
	void (*show_options)(struct superblock *superblock, char *out, size_t size);
};

struct superblock {
	const char *type;                               /* "tmpfs" */
	const struct superblock_operations *operations; /* NULL: it stays for ever */
	uint64_t device;                                /* st_dev */
	struct dentry *root;
	uint64_t last_number; /* atomic: inode numbers given */
	uint64_t magic;       /* statfs's f_type */
	uint32_t references;  /* atomic: inodes, and one as long as it is mounted */
	uint32_t mounts;      /* atomic */
	uint32_t flags;       /* atomic: mount.h */
	uint32_t writers;     /* atomic: files open for writing */
	bool keeps_xattrs;    /* trusted.* and security.*: xattr.c */
	bool tells_creation;  /* statx may tell when a file was made */
	/* inotify.c's: the IN_* that who watches one of its directories asks for (atomic); how many do. */
	uint32_t asked_of_names, watched_directories;
};

struct mount {
	struct list link;          /* of all in the tree, mount_lock */
	struct mount *next;        /* in the table, mount_lock */
	struct mount *parent;      /* mount_lock; NULL: the root of the tree, or detached */
	struct dentry *mountpoint; /* mount_lock; in parent */
	struct dentry *root;
	struct superblock *superblock;
	char *source;            /* what mount(2) was told */
	uint32_t references;     /* atomic */
	uint32_t flags;          /* atomic: MS_* */
	uint32_t writers;        /* atomic: files open for writing through it */
	int id, parent_id;       /* id: rising; mount_lock */
	bool attached, expiring; /* mount_lock */
	struct mount *copy;      /* while a tree is copied; mount_changes */
	struct path {
		struct mount *mount;
		struct dentry *dentry;
	} was; /* its place, while it is taken down */
};

static inline bool is_directory(const struct inode *inode)
{
	return S_ISDIR(inode->mode);
}

/* A directory in whose way nobody's permissions stand, so that inode_permission need not be asked. */
static inline bool inode_searched_by_all(const struct inode *inode)
{
	const uint32_t all = S_IXUSR | S_IXGRP | S_IXOTH;

	return (__atomic_load_n(&inode->mode, __ATOMIC_RELAXED) & all) == all;
}

/* ---- inode.c ---- */

enum may { MAY_EXECUTE = 1, MAY_WRITE = 2, MAY_READ = 4 };

void inode_init(struct inode *inode, struct superblock *superblock, const struct new_inode *what);
static inline void inode_get(struct inode *inode)
{
	__atomic_add_fetch(&inode->references, 1, __ATOMIC_RELAXED);
}

void inode_put(struct inode *inode);
/* 0 or -EACCES. */
int inode_permission_of(const struct inode *inode, unsigned int may) MUST_CHECK;
/* The same. What owner, group and others alike may, anybody may; but immutable ones nobody writes. */
static inline int MUST_CHECK inode_permission(const struct inode *inode, unsigned int may)
{
	uint32_t mode = __atomic_load_n(&inode->mode, __ATOMIC_RELAXED);

	if (likely(!(may & MAY_WRITE) && !(may & ~(mode & mode >> 3 & mode >> 6))))
		return 0;
	return inode_permission_of(inode, may);
}
/* Whether the caller may do what owners may. */
bool inode_owned(const struct inode *inode);
/* Its data changes, by somebody without CAP_FSETID: set-id bits go. With its lock. True: there were some. */
bool inode_drop_set_ids(struct inode *inode);
int inode_truncate(struct inode *inode, uint64_t size) MUST_CHECK;
/* The same of a file that was reached by a name, for who watches that; dentry: NULL, where there is none. */
int file_truncate(struct inode *inode, struct dentry *dentry, uint64_t size) MUST_CHECK;
uint64_t inode_size(struct inode *inode);
void inode_stat(struct inode *inode, struct stat *out);
static inline void inode_touch_accessed(struct inode *inode)
{
	ns_t now = vfs_now();

	if (times_want_read(inode->accessed, inode->modified, inode->changed, now))
		__atomic_store_n(&inode->accessed, now, __ATOMIC_RELAXED);
}

static inline void inode_touch_modified(struct inode *inode)
{
	inode->modified = inode->changed = vfs_now();
}

/* ---- mapped.c ---- */

/* For file systems whose files can be mapped: the mapped and unmapped of their objects' operations. */
void inode_mapped(struct inode *inode);
void inode_unmapped(struct inode *inode);
/* By which name it is mapped, with references; false: no name is known. */
bool inode_mapped_name(struct inode *inode, struct path *out) MUST_CHECK;

/* ---- dentry.c ---- */

enum dentry_flags {
	DENTRY_HASHED = 1,  /* in the table */
	DENTRY_MOUNTED = 2, /* something is mounted here (mount_lock) */
	/* by `lookup`: it may be gone at any time, so it is in no table and each walk looks anew */
	DENTRY_UNCACHED = 4,
};

#define DENTRY_INLINE 32u

struct dentry {
	struct dentry *hash_next; /* dentry_lock */
	struct dentry *parent;    /* itself: a root or an orphan; dentry_lock */
	struct inode *inode;      /* NULL: negative */
	char *name;               /* NUL-terminated; dentry_lock */
	uint64_t cookie;          /* the file system's: the place in the directory */
	uint32_t references;      /* atomic; falls to 0 under dentry_lock only */
	uint32_t hash;
	uint32_t length; /* of name */
	uint32_t flags;  /* dentry_flags; atomic */
	char short_name[DENTRY_INLINE];
};

extern struct spinlock mount_lock, dentry_lock;

/* A name that each walk makes anew (/proc/PID/...): nobody would find what is mounted there, nor unmount it. */
static inline bool dentry_is_fleeting(const struct dentry *dentry)
{
	return __atomic_load_n(&dentry->flags, __ATOMIC_RELAXED) & DENTRY_UNCACHED;
}

/* A new dentry, not in the table, with a reference to its parent. NULL: no memory. */
struct dentry *dentry_make(struct dentry *parent, const struct name *name) MUST_CHECK;
struct dentry *dentry_make_root(struct inode *inode) MUST_CHECK; /* takes over the inode */
static inline void dentry_get(struct dentry *dentry)
{
	__atomic_add_fetch(&dentry->references, 1, __ATOMIC_RELAXED);
}
void dentry_put(struct dentry *dentry); /* NULL is fine */
/* From the table, with a reference, or NULL. */
struct dentry *dentry_find(struct dentry *parent, const struct name *name) MUST_CHECK;
/* Goes down a path that begins with a name, through directories that are in the table, that everybody may
 * search and that nothing is mounted over, as far as there are such; never through the path's last component,
 * nor one that begins with a dot. Where it came, with a reference unless that is `directory`; *path is what is
 * still to be walked from there. One hold of dentry_lock, no reference on the way: nothing in the table goes
 * meanwhile. */
struct dentry *dentry_descend(struct dentry *directory, const char **path) MUST_CHECK;
/* The same through all of a path, which is not empty, to a last component that is no link: with references.
 * False: a step needs another look. `from` may be a context's, which dentry_lock keeps. */
bool dentry_find_path(const struct path *from, const char *path, struct path *out) MUST_CHECK;
void dentry_hash(struct dentry *dentry);
void dentry_unhash(struct dentry *dentry);
/* Gives `from` the place (parent and name) of `to`, which leaves the table if it was in it. */
void dentry_move(struct dentry *from, struct dentry *to);
/* Two in the table change places. */
void dentry_exchange(struct dentry *a, struct dentry *b);
bool dentry_is_below(struct dentry *dentry, struct dentry *ancestor); /* or is it */
struct dentry *dentry_parent(struct dentry *dentry) MUST_CHECK;       /* with a reference */
/* The directory, with a reference, if who watches that asks for such an event (inotify.h), and the name in
 * it, NUL-terminated; else NULL. */
struct dentry *dentry_parent_asking(
	struct dentry *dentry, uint32_t events, char name[NAME_MAX + 1]) MUST_CHECK;
/* As dentry_find, then by the file system; with directory->lock. A negative dentry, new and unhashed
 * for file systems without `lookup`, where there is no such name. 0, -ENAMETOOLONG, -ENOMEM. */
int dentry_lookup_locked(
	struct dentry *directory, const struct name *name, struct dentry **out) MUST_CHECK;
uint64_t dentry_count(void);
/* Pages that the table has grown to; it keeps them. */
uint64_t dentry_table_pages(void);

/* ---- mount.c ---- */

struct fs_context {
	uint32_t references;       /* atomic */
	struct spinlock lock;      /* guards the rest */
	struct path root, working; /* changed with dentry_lock too: either one keeps them */
	uint32_t umask;
};

void superblock_get(struct superblock *superblock);
void superblock_put(struct superblock *superblock);
void superblock_mounted(struct superblock *superblock);
void superblock_unmounted(struct superblock *superblock);
void mount_get(struct mount *mount);
void mount_put(struct mount *mount);
void path_get(const struct path *path);
void path_put(const struct path *path);
/* Goes down into what is mounted over *path, as often as needed; up to what *path's root covers. */
void mount_descend_mounted(struct path *path);
bool mount_ascend(struct path *path);
struct superblock *superblock_root(void);
/* The mount with the least id above `id`, with its place in the tree as a path (of the mount that it is
 * over; its own root, where it is over nothing); references to both. False: no more. */
bool mount_next(int id, struct path *root, struct path *over) MUST_CHECK;
struct path tree_root(void); /* with references */
/* A file is opened for writing through it, until mount_end_write: -EROFS. Here and in the two below NULL
 * is the mount of what lies in no tree. */
int mount_begin_write(struct mount *mount) MUST_CHECK;
void mount_end_write(struct mount *mount);

static inline void mount_descend(struct path *path)
{
	if (unlikely(__atomic_load_n(&path->dentry->flags, __ATOMIC_RELAXED) & DENTRY_MOUNTED))
		mount_descend_mounted(path);
}

static inline bool mount_read_only(const struct mount *mount)
{
	return mount && (__atomic_load_n(&mount->flags, __ATOMIC_SEQ_CST) |
				__atomic_load_n(&mount->superblock->flags, __ATOMIC_SEQ_CST)) &
				MS_RDONLY;
}

static inline bool mount_has(const struct mount *mount, uint32_t flag)
{
	return mount && __atomic_load_n(&mount->flags, __ATOMIC_RELAXED) & flag;
}

/* ---- fs_context.c ---- */

struct path fs_working(struct fs_context *fs); /* with references */
struct path fs_root(struct fs_context *fs);
void fs_set_working(struct fs_context *fs, const struct path *path); /* takes its own references */
void fs_set_root(struct fs_context *fs, const struct path *path);    /* the same */
/* The path from `root` to `path`, ends at the end of `buffer`; NULL: -ERANGE, does not fit. What is
 * not below `root` gets "(unreachable)" in front of the path from the tree's root; an empty `root`
 * is the tree's. */
const char *path_text(
	const struct path *path, const struct path *root, char *buffer, size_t size) MUST_CHECK;

/* The path within its file system, at the end of `buffer`; NULL: does not fit. */
const char *dentry_text(struct dentry *dentry, char *buffer, size_t size) MUST_CHECK;

/* ---- path.c ---- */

/* LAST_JUMP: the last component was a magic link, and `at` is what it led to. */
enum last_kind { LAST_NORMAL, LAST_DOT, LAST_DOTDOT, LAST_ROOT, LAST_JUMP };

#define LINKS_MAX 40u

/* A walk along a path. After walk_parent, `at` is the directory of the last component. */
struct walk {
	struct path root, at; /* with references */
	const char *rest;     /* what is still to be walked */
	struct name last;
	enum last_kind kind;
	bool directory; /* a slash followed the last component: it must be a directory */
	bool jumped;    /* what was walked last was a magic link */
	unsigned int links, depth, pending, resolve; /* resolve: openat2's RESOLVE_* */
	struct {
		struct inode *link; /* holds the text that is being walked */
		const char *rest;   /* what follows when it is done */
	} stack[LINKS_MAX];
};

enum walk_flags { WALK_FOLLOW = 1, WALK_EMPTY = 2 };

static inline const char *skip_slashes(const char *text)
{
	while (*text == '/')
		text++;
	return text;
}

/* Most paths go through directories alone: those are found by one look at the dentry cache. False: by a walk;
 * *out has nothing then. With references. start: as that of dentry_find_path; of a path that begins with a
 * slash it may be anything. */
static inline bool MUST_CHECK path_find_cached(
	struct fs_context *fs, const struct path *start, const char *path, struct path *out)
{
	if (*path == '/') {
		start = &fs->root;
		path = skip_slashes(path + 1);
	}
	return *path && dentry_find_path(start, path, out);
}
/* Starts a walk at `start` (consumed) or, for absolute paths, at the root of `fs`. */
int walk_start(
	struct walk *walk, struct fs_context *fs, struct path start, const char *path) MUST_CHECK;
void walk_end(struct walk *walk);
/* Up to the last component. */
int walk_parent(struct walk *walk) MUST_CHECK;
/* After it has been found to be a symbolic link (link: consumed): up to where that leads. */
int walk_follow(struct walk *walk, struct dentry *link) MUST_CHECK;
/* The last component itself, with references. */
int walk_last(struct walk *walk, enum walk_flags flags, struct path *out) MUST_CHECK;
/* All of it, step by step: `start` is consumed. WALK_EMPTY: an empty path is `start` itself. */
int path_walk(struct fs_context *fs, struct path start, const char *path, enum walk_flags flags,
	struct path *out) MUST_CHECK;
/* All of it: by one look, where that will do. */
int path_find(struct fs_context *fs, struct path start, const char *path, enum walk_flags flags,
	struct path *out) MUST_CHECK;

/* ---- names.c: the calls that change directories ---- */

int vfs_make(struct walk *walk, const struct new_inode *what) MUST_CHECK;
int vfs_link(struct walk *walk, const struct path *old) MUST_CHECK;
enum vfs_remove { VFS_UNLINK, VFS_RMDIR };
int vfs_remove(struct walk *walk, enum vfs_remove what) MUST_CHECK;
int vfs_rename(struct walk *from, struct walk *to, unsigned int flags) MUST_CHECK;
/* In a directory that the caller has locked: makes what is not there. */
int vfs_make_at(
	struct dentry *dentry, struct inode *directory, const struct new_inode *what) MUST_CHECK;
/* A file in this directory that has no name (O_TMPFILE), with a path that names nothing. */
int vfs_make_nameless(
	const struct path *directory, const struct new_inode *what, struct path *out) MUST_CHECK;

/* ---- Open files: open.c ---- */

/* Where getdents puts entries: false when there is no more room. */
struct entry_sink {
	bool (*emit)(struct entry_sink *sink, const char *name, uint32_t length, uint64_t number,
		uint32_t mode, int64_t next);
};

struct file_operations {
	int (*open)(struct file *file);
	void (*release)(struct file *file);
	/* Bytes moved, or a negative errno. *position is where; the operation moves it on. */
	ssize_t (*read)(struct file *file, struct io *io, int64_t *position);
	ssize_t (*write)(struct file *file, struct io *io, int64_t *position);
	/* The same, at the file's own position, if it has one, for one range of user memory: where that is quicker; or NULL. */
	ssize_t (*read_range)(struct file *file, user_t to, size_t size);
	ssize_t (*write_range)(struct file *file, user_t from, size_t size);
	int64_t (*seek)(struct file *file, int64_t offset, int whence);
	int (*iterate)(struct file *file, struct entry_sink *sink, int64_t *position);
	long (*ioctl)(struct file *file, unsigned int command, uintptr_t argument);
	/* POLL* bits that hold now (and POLL_NO_MEMORY); the queues whose wake-ups may change it, or NULL. No function: ready. */
	unsigned int (*poll)(struct file *file, struct wait_queue *queues[2]);
	/* As read, for splice into a pipe, of what is neither a pipe nor a regular file. NULL: it cannot be. */
	ssize_t (*splice)(struct file *file, struct io *io, bool nonblocking);
	/* O_ASYNC is to be set, by this descriptor, or not: async_change, by its own lists. NULL: no signals. */
	int (*async)(struct file *file, int fd, bool on);
	/* What a mapping of it is of, with a reference. NULL: the inode's object, if there is one. */
	struct object *(*object)(struct file *file);
	/* What /proc/PID/fdinfo says beyond the common lines, in `out` of `size` bytes: the length. */
	size_t (*describe)(struct file *file, char *out, size_t size);
	const char *name;    /* of files without a path, in /proc/PID/fd: "anon_inode:[timerfd]" */
	unsigned int traits; /* enum file_traits */
};

enum file_traits {
	FILE_STREAM = 1,        /* no position: lseek, pread, pwrite give ESPIPE */
	FILE_DIRECT = 2,        /* may be opened with O_DIRECT */
	FILE_NO_POSITION = 4,   /* reads and writes get 0, and need no lock for it */
	FILE_SEEKS_NOWHERE = 8, /* a stream, and yet lseek gives 0 */
	FILE_NO_SPLICE = 16,    /* nothing can be spliced into it, nor out of it */
	FILE_ZEROES = 32,       /* a mapping of it is of zeroes, as without a file */
	FILE_NEVER_WAITS = 64,  /* takes RWF_NOWAIT */
};

struct file {
	const struct file_operations *operations;
	struct inode *inode;
	struct path path;    /* empty for pipes */
	uint32_t references; /* atomic */
	uint32_t flags;      /* O_*; atomic */
	struct mutex position_lock;
	int64_t position;            /* under position_lock */
	void *private;               /* the operations' */
	char *path_text;             /* made by file_path */
	struct epoll_item *watchers; /* of epolls: epoll.c */
	struct file_owner *owner;    /* of its signals; NULL: nobody asked yet: async.c. Atomic */
	bool writes;                 /* counts among inode->writers */
	bool forbids;                /* the other way: nobody writes a program that runs */
};

/* Where a seek by `offset` from `base` leads: -EINVAL below 0 and past INT64_MAX. */
static inline int64_t MUST_CHECK seek_from(int64_t base, int64_t offset)
{
	return __builtin_add_overflow(base, offset, &offset) || offset < 0 ? -EINVAL : offset;
}

/* The operation of files without an end: SEEK_SET and SEEK_CUR, to whatever offset. */
int64_t file_seek(struct file *file, int64_t offset, int whence);

/* An open file on an inode, without a path unless given (takes its own references). Calls
 * operations->open. 0 or a negative errno. */
int file_make(struct inode *inode, const struct path *path, unsigned int flags,
	const struct file_operations *operations, struct file **out) MUST_CHECK;
/* One more who writes: -ETXTBSY while a program of it runs. */
int inode_begin_write(struct inode *inode) MUST_CHECK;
void inode_end_write(struct inode *inode);
ssize_t file_read(struct file *file, struct io *io, int64_t *position) MUST_CHECK;
ssize_t file_write(struct file *file, struct io *io, int64_t *position) MUST_CHECK;

static inline bool file_readable(const struct file *file)
{
	return (file->flags & (O_ACCMODE | O_PATH)) != O_WRONLY && !(file->flags & O_PATH);
}

static inline bool file_writable(const struct file *file)
{
	return file->flags & O_ACCMODE; /* of O_PATH it has none: open.h */
}

/* Where nothing can be: before 0, or past the largest position there is. */
static inline bool file_is_nowhere(const struct file *file, const struct io *io, int64_t position)
{
	return !(file->operations->traits & FILE_STREAM) &&
	       (position < 0 || io->left > (uint64_t)(INT64_MAX - position));
}

/* file_read and file_write of a file that has been found to allow it. */
static inline ssize_t MUST_CHECK file_read_allowed(
	struct file *file, struct io *io, int64_t *position)
{
	if (unlikely(!file->operations->read))
		return is_directory(file->inode) ? -EISDIR : -EINVAL;
	if (unlikely(file_is_nowhere(file, io, *position)))
		return is_directory(file->inode) ? -EISDIR : -EINVAL;
	return file->operations->read(file, io, position);
}

static inline ssize_t MUST_CHECK file_write_allowed(
	struct file *file, struct io *io, int64_t *position)
{
	if (unlikely(!file->operations->write || file_is_nowhere(file, io, *position)))
		return -EINVAL;
	return file->operations->write(file, io, position);
}

static inline bool file_nonblocking(const struct file *file)
{
	return __atomic_load_n(&file->flags, __ATOMIC_RELAXED) & O_NONBLOCK;
}

/* ---- File systems that are built in ---- */

/* Held as if it were mounted; no limits. NULL: no memory. */
struct superblock *tmpfs_create(const char *type, uint64_t device) MUST_CHECK;
extern const struct file_operations directory_file_operations, fifo_file_operations,
	device_file_operations;

#endif
