/* SPDX-License-Identifier: MIT */
/* Descriptor tables, as the system calls on descriptors see them; file.h has the rest. */
#ifndef FILES_TABLE_H
#define FILES_TABLE_H

#include "files/file.h"
#include "files/vfs.h"
#include "lib/types.h"

/* The running process's descriptors are below (RLIMIT_NOFILE). */
uint64_t files_limit(void);
/* How many descriptors the table has room for now: none at or above that is open. */
uint32_t files_room(struct files *files);
/* Of the 64 descriptors from `first` on, a multiple of 64, those that are open, as bits. */
uint64_t files_open_bits(struct files *files, uint32_t first);

/* The open file behind a descriptor for the length of a system call of the caller's own. Nobody but the
 * caller changes a table that it does not share, so the file stays as long as the descriptor does and needs
 * no reference; of a shared table it gets one. file_return ends it, before the caller may close anything. */
struct borrowed_file {
	struct file *file; /* NULL: not open */
	bool counted;
};

struct file_slots {
	uint32_t count; /* a multiple of 64 */
	uint64_t *used, *close_on_exec;
	struct file *file[];
};

/* See table.c. */
struct files {
	uint32_t references; /* atomic */
	struct spinlock lock;
	struct file_slots *slots; /* guarded by lock, replaced whole */
	uint32_t hint;            /* guarded by lock */
};

/* Whether the caller, whose table it is, shares it with nobody. Who did has let go: what it changed is seen. */
static inline bool files_own(const struct files *files)
{
	return likely(__atomic_load_n(&files->references, __ATOMIC_ACQUIRE) == 1);
}

/* A descriptor's file, with the lock, or of a table of the caller's own. */
static inline struct file *files_slot(const struct files *files, int fd)
{
	return (uint32_t)fd < files->slots->count ? files->slots->file[fd] : NULL;
}

static inline struct borrowed_file MUST_CHECK files_borrow(struct files *files, int fd)
{
	struct file *file;

	if (files_own(files))
		return (struct borrowed_file){files_slot(files, fd), false};
	file = files_lookup(files, fd);
	return (struct borrowed_file){file, file};
}

static inline void file_return(struct borrowed_file borrowed)
{
	if (unlikely(borrowed.counted))
		file_put(borrowed.file);
}

/* What somebody else sees of an open file: references to its name and inode, none to the file itself, whose
 * last close is to be its own process's. */
struct seen_file {
	struct path path; /* of nulls: in no tree */
	struct inode *inode;
	const struct file_operations *operations;
	unsigned flags;
};
bool files_see(struct files *files, int fd, struct seen_file *out) MUST_CHECK; /* false: not open */
/* Only to be compared; NULL: not open. */
const void *files_peek(struct files *files, int fd) MUST_CHECK;
void seen_put(const struct seen_file *seen);

/* A free descriptor at or above `least` that nobody else can get: fill it or give it back.
 * -EMFILE, -ENOMEM. */
int files_reserve(struct files *files, int least, bool close_on_exec) MUST_CHECK;
void files_fill(struct files *files, int fd, struct file *file); /* takes over the reference */
void files_unreserve(struct files *files, int fd);
/* Takes a descriptor's file out of the table, with its reference; NULL: not open. */
struct file *files_remove(struct files *files, int fd) MUST_CHECK;
/* dup2's: puts the file at `fd`; *replaced is what was there. Takes over the reference when 0;
 * -EBADF (fd out of range), -EBUSY (fd is reserved by a call under way), -ENOMEM. */
int files_replace(struct files *files, int fd, struct file *file, bool close_on_exec,
	struct file **replaced) MUST_CHECK;
/* FD_CLOEXEC: 0 or 1, or -EBADF. */
int files_get_close_on_exec(struct files *files, int fd) MUST_CHECK;
int files_set_close_on_exec(struct files *files, int fd, bool on) MUST_CHECK;
/* Closes [first, last], or marks them close-on-exec. */
void files_close_range(struct files *files, unsigned int first, unsigned int last, bool only_mark);

/* For the kernel's audit, the machine standing still: NULL or the first broken invariant in words; each open file is
 * shown. How many hold the table. */
const char *files_audit(
	struct files *files, void (*visit)(void *context, struct file *file), void *context);
uint32_t files_users(const struct files *files);

#endif
