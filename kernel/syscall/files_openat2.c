/* SPDX-License-Identifier: MIT */
/* openat2: an open that checks all that it is given, and narrows the walk (man 2 openat2). */
#include "files/open.h"
#include "files/resolve.h"
#include "syscall/files.h"
#include "syscall/get_struct.h"

#define HOW_SIZE_VER0 24 /* OPEN_HOW_SIZE_VER0 */
#define OPEN_FLAGS                                                                             \
	((unsigned int)(O_ACCMODE | O_CREAT | O_EXCL | O_NOCTTY | O_TRUNC | O_APPEND |         \
			O_NONBLOCK | O_SYNC | O_ASYNC | O_DIRECT | O_LARGEFILE | O_DIRECTORY | \
			O_NOFOLLOW | O_NOATIME | O_CLOEXEC | O_PATH | OPEN_NAMELESS))
#define PATH_FLAGS ((unsigned int)(O_DIRECTORY | O_NOFOLLOW | O_PATH | O_CLOEXEC))
#define RESOLVES                                                                           \
	(RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS | RESOLVE_BENEATH | \
		RESOLVE_IN_ROOT | RESOLVE_CACHED)

/* Linux's build_open_flags, for who wants to be told of all that is wrong. */
static int check_how(const struct open_how *how, struct open_terms *out)
{
	const bool makes = how->flags & (O_CREAT | OPEN_NAMELESS);

	if (how->flags & ~(uint64_t)OPEN_FLAGS || how->resolve & ~(uint64_t)RESOLVES)
		return -EINVAL;
	if (how->resolve & RESOLVE_BENEATH && how->resolve & RESOLVE_IN_ROOT)
		return -EINVAL;
	if (how->mode & ~(uint64_t)(makes ? MODE_BITS : 0))
		return -EINVAL;
	*out = (struct open_terms){
		(unsigned)how->flags, (unsigned)how->mode, (unsigned)how->resolve};
	if (how->flags & O_PATH && how->flags & ~(uint64_t)PATH_FLAGS)
		return -EINVAL;
	if (open_check_flags(&out->flags))
		return -EINVAL;
	if (how->resolve & RESOLVE_CACHED && how->flags & (O_TRUNC | O_CREAT | OPEN_NAMELESS))
		return -EAGAIN;
	return 0;
}

static long open_so(int directory_fd, const char *path, const struct open_terms *terms)
{
	struct files *files = current_files();
	int error, fd = files_reserve(files, 0, terms->flags & O_CLOEXEC);
	struct path start;
	struct file *file;

	if (fd < 0)
		return fd;
	/* In its own root an absolute path begins at the descriptor, too. */
	error = get_start(directory_fd, terms->resolve & RESOLVE_IN_ROOT ? "" : path, &start);
	if (!error)
		error = file_open_resolved(current_fs(), start, path, terms, &file);
	if (error) {
		files_unreserve(files, fd);
		return error;
	}
	files_fill(files, fd, file);
	return fd;
}

long sys_openat2(int directory_fd, user_t path, user_t from, size_t size)
{
	struct open_terms terms;
	struct user_path text;
	struct open_how how;
	long result;
	int error;

	if (size < HOW_SIZE_VER0)
		return -EINVAL;
	error = get_struct(&how, sizeof(how), from, size);
	if (!error)
		error = check_how(&how, &terms);
	if (!error)
		error = get_path(&text, path, PATH_NOT_EMPTY);
	if (error)
		return error;
	result = open_so(directory_fd, text.text, &terms);
	drop_path(&text);
	return result;
}
