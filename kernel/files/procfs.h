/* SPDX-License-Identifier: MIT */
/* What the files of /proc share: entries, inodes, and text that is made as it is read. See procfs.c. */
#ifndef FILES_PROCFS_H
#define FILES_PROCFS_H

#include "files/vfs.h"
#include "lib/lock.h"
#include "lib/types.h"

struct pid;
struct process;
struct space;
struct sysctl;
struct thread;

extern struct spinlock process_lock;

/* ---- Text ---- */

/* A buffer that text is added to. What does not fit sets `overflow`, and is not added. */
struct text {
	char *bytes;
	size_t used, size;
	bool overflow;
};

void text_add(struct text *text, const char *format, ...) PRINTF_LIKE(2, 3);
void text_bytes(struct text *text, const void *bytes, size_t size);
/* In base 10, with spaces before it up to this width, of at most 32. */
void text_number(struct text *text, uint64_t number, size_t width);
/* A path with the characters in `escaped` as \ooo. */
void text_escaped(struct text *text, const char *string, const char *escaped);
/* Spaces up to this column of the line that began at `start`, and at least one. */
void text_pad(struct text *text, size_t start, size_t column);

/* ---- Entries ---- */

struct proc_file;
struct proc_inode;

/* What a reader must be allowed about the process (process/inspect.h); checked when it opens the file, and the last two
 * whenever the text is made: it is not of the space of then, and the process may have gained rights since. */
enum proc_access { PROC_ANYBODY, PROC_READ, PROC_READ_NOW, PROC_ATTACH };

#define PROC_END UINT64_MAX /* of cursors: all has been shown */

/* A name in a directory of fixed names, which end with a NULL. One of the last members says what it is. */
struct proc_entry {
	const char *name;
	uint32_t mode; /* kind and permissions */
	enum proc_access access;
	bool mode_binds; /* below sys/: no capability helps where the mode refuses */
	/* Text from file->cursor on, into the empty `out`; moves the cursor behind what it added, to
	 * PROC_END at the end. It may stop after any part of it that is whole. Where even the first
	 * part overflows it is called again with a larger `out`. 0 or a negative errno. */
	int (*show)(struct proc_file *file, struct text *out);
	/* Takes what was written, NUL-terminated: the bytes taken, or a negative errno. */
	ssize_t (*store)(struct proc_inode *inode, char *text, size_t size);
	const struct file_operations *operations; /* a file of its own kind */
	const struct proc_directory *directory;   /* a directory whose names are found */
	const struct proc_entry *entries;         /* a directory of fixed names */
	/* A link that leads to: */
	int (*jump)(struct proc_inode *inode, struct path *out);
	ssize_t (*jump_text)(struct proc_inode *inode, char *buffer); /* NULL: the path's */
	void (*target)(struct text *out); /* ... this text, which depends on who asks */
	uintptr_t argument;               /* for its functions */
};

/* A directory whose names are found when they are looked for. */
struct proc_directory {
	/* -ENOENT, -ENOMEM. *out is volatile: looked for again each time. */
	int (*lookup)(
		struct proc_inode *directory, const struct name *name, struct proc_inode **out);
	/* From *position on, which is 2 for the first name. */
	int (*iterate)(struct file *file, struct entry_sink *sink, int64_t *position);
};

struct proc_range {
	uintptr_t start, end;
};

struct proc_inode {
	struct inode inode;
	const struct proc_entry *entry;
	struct pid *pid;           /* a reference; NULL: not about a process */
	bool of_thread;            /* below task/ */
	const struct sysctl *knob; /* below sys/: a file of this; or NULL */
	int fd;                    /* below fd/ and fdinfo/ */
	union {
		char text[32];           /* of a link with `target` */
		struct proc_range range; /* below map_files/ */
	};
};

/* An open text. */
struct proc_file {
	struct mutex lock; /* guards the rest */
	struct proc_inode *inode;
	struct text text;  /* of which `given` bytes were read */
	int64_t start;     /* where in the file `text` begins */
	uint64_t cursor;   /* of the entry's show: 0 at first */
	uint64_t space_id; /* of the process's address space when it was opened; 0: none */
	uint32_t seen;     /* of mounts_changes, by poll; atomic */
	bool frames;       /* pagemap: its opener may see frame numbers; set by open */
	char *scratch;     /* PATH_MAX bytes, made by proc_scratch; or NULL */
};

static inline struct proc_inode *proc_inode_of(const struct inode *inode)
{
	return container_of(inode, struct proc_inode, inode);
}

/* An inode of this entry. pid: takes a reference of its own; NULL: of the directory's process, if any.
 * NULL: no memory. */
struct proc_inode *proc_inode_create(const struct proc_inode *directory,
	const struct proc_entry *entry, uint64_t number, struct pid *pid) MUST_CHECK;
/* The number of a name in a table, in its directory. */
uint64_t proc_entry_number(const struct proc_inode *directory, unsigned index);
/* Names of a table; *position counts them from 2 on. */
int proc_emit_entries(struct file *file, const struct proc_entry *entries, struct entry_sink *sink,
	int64_t *position);
const struct proc_entry *proc_find_entry(
	const struct proc_entry *entries, const struct name *name, unsigned *index);
/* A number written in full, as directories of numbers have them; -1: none. */
long proc_number_of(const struct name *name);
/* A decimal number, perhaps with a sign, and white space around it; nothing else. -EINVAL, -ERANGE. */
int proc_parse_number(const char *text, long *out) MUST_CHECK;
char *proc_scratch(struct proc_file *file) MUST_CHECK; /* NULL: no memory */

/* For operations of files that are no text: file->private is a struct proc_file. */
int proc_open(struct file *file);
void proc_close(struct file *file);
ssize_t proc_read(struct file *file, struct io *io, int64_t *position);
extern const struct file_operations proc_mounts_operations;
extern const struct file_operations proc_text_operations, proc_directory_operations;
extern const struct file_operations
	proc_process_text_operations; /* of a process: not to be spliced */
/* procfs_pages.c */
extern const struct file_operations proc_kpagecount_operations, proc_kpageflags_operations;
extern const struct file_operations proc_frames_operations, proc_pagemap_operations;
extern const struct proc_entry proc_root_entries[], proc_baton_entries[];
/* procfs_sysvipc.c */
extern const struct proc_entry proc_sysvipc_entries[];
/* procfs_sys.c */
extern const struct proc_entry proc_sys_entries[];
extern const struct file_operations proc_sysctl_operations;
extern int proc_kptr_restrict; /* kernel.kptr_restrict; atomic */
extern const struct proc_directory proc_root_directory;

/* ---- Processes (procfs_process.c) ---- */

/* Who an inode is about, looked up by its pid. *thread is NULL where the view is of a process, whose leader
 * may have ended, or of a thread that has ended, but is not gone. -ESRCH: gone. */
int proc_target(const struct proc_inode *inode, struct process **process,
	struct thread **thread) requires(process_lock) MUST_CHECK;
/* The same for one who may be gone while it is looked at, with a reference. */
int proc_process(const struct proc_inode *inode, struct process **out) MUST_CHECK;
/* Its address space, with a reference; NULL: none. id: only if it is this one; 0: any. */
struct space *proc_space(const struct proc_inode *inode, uint64_t id) MUST_CHECK;
struct space *proc_file_space(const struct proc_file *file) MUST_CHECK;
/* Whether the caller may look so: 0, -ESRCH, -EACCES. And which space it is that it may look into, of one moment with
 * that: an execve gives the process another one, and other rights; 0: none. */
int proc_may_see(
	const struct proc_inode *inode, enum proc_access access, uint64_t *space_id) MUST_CHECK;
int proc_may(const struct proc_inode *inode, enum proc_access access) MUST_CHECK;
/* Whether it is about the running process. */
bool proc_is_own(const struct inode *inode) MUST_CHECK;

/* The id of an open /proc/PID, with a reference; NULL: the file is nothing of that kind. */
struct pid *proc_pid_of(const struct file *file) MUST_CHECK;
/* /proc/PID, /proc/PID/task/TID. */
extern const struct proc_entry proc_process_entries[], proc_thread_entries[];
extern const struct proc_entry proc_process_entry, proc_thread_entry;

/* procfs_stat.c */
int proc_show_stat(struct proc_file *file, struct text *out);
int proc_show_statm(struct proc_file *file, struct text *out);
int proc_show_status(struct proc_file *file, struct text *out);
/* procfs_memory.c */
int proc_show_maps(struct proc_file *file, struct text *out);
struct vma;
/* A line of maps; file->scratch is there. */
void proc_add_mapping(struct proc_file *file, struct text *out, const struct vma *vma);
/* The file that a mapping is of, as maps names it; file->scratch is there. */
void proc_add_mapped_file(struct proc_file *file, struct text *out, const struct vma *vma);
/* A piece of text for each mapping, as many as fit. */
int proc_show_mappings(struct proc_file *file, struct text *out,
	void (*add)(struct proc_file *file, struct text *out, const struct vma *vma));
/* The process has no memory, or not the one that the file was opened for: the text's end, or -ESRCH. */
int proc_no_space(struct proc_file *file) MUST_CHECK;
int proc_show_cmdline(struct proc_file *file, struct text *out);
int proc_show_environ(struct proc_file *file, struct text *out);
int proc_show_auxv(struct proc_file *file, struct text *out);
extern const struct file_operations proc_mem_operations;
/* procfs_maps.c */
extern const struct proc_directory proc_map_files_directory;
int proc_show_numa_maps(struct proc_file *file, struct text *out);
int proc_show_refused(struct proc_file *file, struct text *out); /* -EINVAL */
ssize_t proc_store_refused(struct proc_inode *inode, char *text, size_t size);
ssize_t proc_store_clear_refs(struct proc_inode *inode, char *text, size_t size);
/* procfs_smaps.c */
int proc_show_smaps(struct proc_file *file, struct text *out);
int proc_show_smaps_rollup(struct proc_file *file, struct text *out);
/* procfs_more.c */
int proc_show_personality(struct proc_file *file, struct text *out);
int proc_show_syscall(struct proc_file *file, struct text *out);
int proc_show_oom_score(struct proc_file *file, struct text *out);
int proc_show_oom_adjust(struct proc_file *file, struct text *out);
ssize_t proc_store_oom_adjust(struct proc_inode *inode, char *text, size_t size);
int proc_show_timer_slack(struct proc_file *file, struct text *out);
ssize_t proc_store_timer_slack(struct proc_inode *inode, char *text, size_t size);
int proc_show_fail_nth(struct proc_file *file, struct text *out);
ssize_t proc_store_fail_nth(struct proc_inode *inode, char *text, size_t size);
int proc_show_timers(struct proc_file *file, struct text *out);
int proc_show_children(struct proc_file *file, struct text *out);
int proc_show_constant(struct proc_file *file, struct text *out); /* the entry's argument */
/* procfs_sched.c */
int proc_show_stack(struct proc_file *file, struct text *out);
int proc_show_wchan(struct proc_file *file, struct text *out);
int proc_show_sched(struct proc_file *file, struct text *out);
int proc_show_schedstat(struct proc_file *file, struct text *out);
int proc_show_io(struct proc_file *file, struct text *out);
/* procfs_resources.c */
struct handoff;
void proc_resources_init(const struct handoff *handoff);
int proc_show_iomem(struct proc_file *file, struct text *out);
int proc_show_ioports(struct proc_file *file, struct text *out);
/* procfs_kernel.c */
int proc_show_locks(struct proc_file *file, struct text *out);
int proc_show_devices(struct proc_file *file, struct text *out);
int proc_show_consoles(struct proc_file *file, struct text *out);
int proc_show_tty_drivers(struct proc_file *file, struct text *out);
int proc_show_framebuffers(struct proc_file *file, struct text *out);
int proc_show_slabinfo(struct proc_file *file, struct text *out);
/* procfs_machine.c */
int proc_show_interrupts(struct proc_file *file, struct text *out);
void proc_add_interrupts(struct text *out);
int proc_show_softirqs(struct proc_file *file, struct text *out);
int proc_show_schedstats(struct proc_file *file, struct text *out);
int proc_show_buddyinfo(struct proc_file *file, struct text *out);
int proc_show_zoneinfo(struct proc_file *file, struct text *out);
int proc_show_kallsyms(struct proc_file *file, struct text *out);
/* devices/kmsg.c: a file of its own kind, with nothing of procfs's */
extern const struct file_operations proc_kmsg_operations;
/* procfs_fd.c */
extern const struct proc_directory proc_fd_directory, proc_fdinfo_directory;
/* What has no name in any tree gets a dentry of its own for the walk, with a reference to the inode. -ENOMEM. */
int proc_nameless_path(struct inode *inode, struct path *out) MUST_CHECK;
/* procfs_ns.c */
extern const struct proc_entry proc_ns_entries[];
/* sockets/unix_proc.c */
extern const struct proc_entry proc_net_entries[];
/* procfs_mounts.c */
int proc_show_mounts(struct proc_file *file, struct text *out);
int proc_show_mountinfo(struct proc_file *file, struct text *out);
int proc_show_mountstats(struct proc_file *file, struct text *out);
/* What an open file or a path is called, at the end of `buffer` of PATH_MAX bytes. A negative errno
 * as a pointer never comes: NULL is -ENAMETOOLONG. */
const char *proc_path_text(const struct path *path, char *buffer);

/* The one superblock. NULL: no memory. */
struct superblock *procfs_superblock(void) MUST_CHECK;

#endif
