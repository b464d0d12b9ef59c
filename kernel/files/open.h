/* SPDX-License-Identifier: MIT */
/* Opening files by path; see open.c. Open files themselves stand in vfs.h. */
#ifndef FILES_OPEN_H
#define FILES_OPEN_H

#include "files/vfs.h"
#include "lib/errno.h"

/* fs.file-max: ENFILE for who has not CAP_SYS_ADMIN. Atomic. */
extern uint64_t files_most;
uint64_t file_count(void); /* open files; and inode.c has: */
uint64_t inode_count(void);
void open_init(void); /* file-max by how much memory there is */

/* What a walk has found, with its references, which are consumed; made: by this call. The rest as below. */
int file_open_found(
	const struct path *path, unsigned int flags, bool made, struct file **out) MUST_CHECK;
/* Consumes `start`; flags: as open_check_flags leaves them. */
int file_open_at(struct fs_context *fs, struct path start, const char *path, unsigned int flags,
	unsigned int mode, struct file **out) MUST_CHECK;

/* The same for openat2. */
struct open_terms {
	unsigned int flags, mode, resolve; /* resolve: RESOLVE_* */
};
int file_open_resolved(struct fs_context *fs, struct path start, const char *path,
	const struct open_terms *terms, struct file **out) MUST_CHECK;

#define OPEN_NAMELESS ((unsigned int)__O_TMPFILE)
/* What open refuses before it looks at the path: -EINVAL. Drops what O_PATH does not heed. Linux's
 * build_open_flags; O_CREAT with O_DIRECTORY is refused, as it is since Linux 6.4. */
static inline int MUST_CHECK open_check_flags(unsigned int *flags)
{
	*flags |= O_LARGEFILE;
	if (unlikely(*flags & O_PATH))
		*flags &= O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC;
	if (unlikely((*flags & (O_CREAT | O_DIRECTORY)) == (O_CREAT | O_DIRECTORY)))
		return -EINVAL;
	if (unlikely(*flags & OPEN_NAMELESS) &&
		(!(*flags & O_DIRECTORY) || (*flags & O_ACCMODE) == O_RDONLY))
		return -EINVAL;
	return 0;
}

/* Opens a program to be run: a regular file that the caller may execute (reading is not asked for),
 * and that nobody has open for writing, nor can as long as this file is there. Consumes `start`.
 * at_flags: AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH. -EACCES, -ETXTBSY, -ELOOP, or the walk's errno. */
int file_open_program(
	struct path start, const char *path, unsigned int at_flags, struct file **out) MUST_CHECK;

#endif
