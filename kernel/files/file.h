/* SPDX-License-Identifier: MIT */
/* What the rest of the kernel needs of files: open files, descriptor tables, the root. */
#ifndef FILES_FILE_H
#define FILES_FILE_H

#include "lib/types.h"

struct file;
struct files;      /* a descriptor table, shared by CLONE_FILES */
struct fs_context; /* root, working directory, umask: shared by CLONE_FS */
struct object;

/* Builds the root file system (tmpfs) from the initrd: newc archives, one after the other. Page-
 * aligned file data is adopted in place, the rest copied; what is left of the archive's pages goes
 * back to the allocator. Broken archives: one log line that says where and what, and what came
 * before stays. `initrd` of size 0: an empty root with /dev. */
void files_init(phys_t initrd, uint64_t size);

/* Tables. NULL: no memory. */
struct files *files_create(void) MUST_CHECK;
struct files *files_copy(struct files *from) MUST_CHECK;
void files_get(struct files *files);
void files_put(struct files *files); /* the last one closes all */
void files_close_on_exec(struct files *files);
bool files_shared(const struct files *files);
struct fs_context *fs_context_create(void) MUST_CHECK; /* root and cwd "/", umask 022 */
struct fs_context *fs_context_copy(struct fs_context *from) MUST_CHECK;
void fs_context_get(struct fs_context *fs);
void fs_context_put(struct fs_context *fs);
struct path;
/* Where root or working directory are `from`, they become `to`. */
void fs_replace(struct fs_context *fs, const struct path *from, const struct path *to);
bool fs_context_shared(const struct fs_context *fs);

/* The open file behind a descriptor, with a reference, or NULL (EBADF). */
struct file *files_lookup(struct files *files, int fd) MUST_CHECK;
/* The lowest free descriptor at or above `least`; takes over the reference. -EMFILE, -ENOMEM. */
int files_install(struct files *files, struct file *file, int least, bool close_on_exec) MUST_CHECK;
void file_get(struct file *file);
void file_put(struct file *file);
/* A descriptor of `files` for it is no more: the reference goes, and the records that the table's
 * processes have locked of the file, whatever other descriptors there are. */
void file_close(struct file *file, struct files *files);

/* Opens a path for the kernel itself, relative to `fs`. O_* flags. 0 or a negative errno. */
int file_open(struct fs_context *fs, const char *path, int flags, unsigned mode,
	struct file **out) MUST_CHECK;
/* Bytes of a regular file into kernel memory: the count (short at the end), or a negative errno. */
ssize_t file_read_at(struct file *file, void *to, size_t size, uint64_t offset) MUST_CHECK;
/* Opens a program by its path from the running process's directory: see vfs.h. */
int program_open(const char *path, struct file **out) MUST_CHECK;
/* Whether the caller may read it, however it was opened. */
bool file_may_read(const struct file *file);
/* The ids that a program's set-id bits give; UINT32_MAX: none. */
void file_set_ids(struct file *file, uint32_t *uid, uint32_t *gid);
/* The memory object with the file's data, with a reference; NULL: cannot be mapped. */
struct object *file_object(struct file *file) MUST_CHECK;
/* Its object was mapped: the name by which the file was opened is the one that /proc/PID/maps shows. */
void file_mapped(struct file *file);
/* May a mapping be made through this descriptor (man 2 mmap, EACCES)? 0 or -EACCES. */
/* -EPERM: it is to be executed, from a mount with MS_NOEXEC. */
int file_may_map(struct file *file, bool write, bool shared, bool execute) MUST_CHECK;
/* The path by which it was opened, made absolute: for names in logs and AT_EXECFN. */
const char *file_path(struct file *file);

#endif
