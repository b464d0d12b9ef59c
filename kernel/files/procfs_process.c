/* SPDX-License-Identifier: MIT */
/* /proc/PID and /proc/PID/task/TID: which names there are, how their process is found, and the short
 * files. See procfs.c. */
#include "files/procfs.h"

#include <asm/resource.h>

#include "files/file.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/inspect.h"
#include "process/process.h"

#define PID_SHIFT 40 /* of inode numbers */

/* ---- Whose ---- */

int proc_target(const struct proc_inode *inode, struct process **process, struct thread **thread)
{
	struct pid *pid = inode->pid;

	*thread = pid->thread;
	*process = pid->process ? pid->process : pid->thread ? pid->thread->process : NULL;
	return *process ? 0 : -ESRCH;
}

int proc_process(const struct proc_inode *inode, struct process **out)
{
	struct thread *thread;
	int error;

	spin_lock(&process_lock);
	error = proc_target(inode, out, &thread);
	if (!error)
		process_get(*out);
	spin_unlock(&process_lock);
	return error;
}

struct space *proc_space(const struct proc_inode *inode, uint64_t id)
{
	struct space *space = NULL;
	struct process *process;
	struct thread *thread;

	spin_lock(&process_lock);
	if (!proc_target(inode, &process, &thread))
		space = process->space;
	if (space && id && space->id != id)
		space = NULL;
	if (space)
		space_get(space);
	spin_unlock(&process_lock);
	return space;
}

struct space *proc_file_space(const struct proc_file *file)
{
	return file->space_id ? proc_space(file->inode, file->space_id) : NULL;
}

int proc_may_see(const struct proc_inode *inode, enum proc_access access, uint64_t *space_id)
{
	struct process *process;
	struct thread *thread;
	int error;

	*space_id = 0;
	spin_lock(&process_lock);
	error = proc_target(inode, &process, &thread);
	if (!error && process->space)
		*space_id = process->space->id;
	if (access == PROC_ANYBODY)
		error = 0;
	else if (!error && process_may_inspect(process, thread, INSPECT_FILE_IDS))
		error = -EACCES;
	spin_unlock(&process_lock);
	return error;
}

int proc_may(const struct proc_inode *inode, enum proc_access access)
{
	uint64_t space_id;

	return access == PROC_ANYBODY ? 0 : proc_may_see(inode, access, &space_id);
}

bool proc_is_own(const struct inode *inode)
{
	struct process *process;
	struct thread *thread;
	bool own;

	spin_lock(&process_lock);
	own = !proc_target(proc_inode_of(inode), &process, &thread) && process == current_process();
	spin_unlock(&process_lock);
	return own;
}

struct pid *proc_pid_of(const struct file *file)
{
	struct proc_inode *inode;

	if (file->operations != &proc_directory_operations)
		return NULL;
	inode = proc_inode_of(file->inode);
	if (inode->entry != &proc_process_entry)
		return NULL;
	pid_get(inode->pid);
	return inode->pid;
}

/* ---- Links ---- */

static int jump_program(struct proc_inode *inode, struct path *out)
{
	struct process *process;
	struct thread *thread;
	struct file *program = NULL;

	spin_lock(&process_lock);
	if (!proc_target(inode, &process, &thread))
		program = process->program;
	if (program)
		file_get(program);
	spin_unlock(&process_lock);
	if (!program)
		return -ENOENT;
	*out = program->path;
	path_get(out);
	file_put(program);
	return 0;
}

/* Of the leader, or of any thread where that ended: Linux then says ENOENT, and so do we. */
static struct fs_context *context_of(struct proc_inode *inode)
{
	struct fs_context *fs = NULL;
	struct process *process;
	struct thread *thread;

	spin_lock(&process_lock);
	if (!proc_target(inode, &process, &thread) && thread)
		fs = thread->fs;
	if (fs)
		fs_context_get(fs);
	spin_unlock(&process_lock);
	return fs;
}

enum { JUMP_WORKING, JUMP_ROOT };

static int jump_context(struct proc_inode *inode, struct path *out)
{
	struct fs_context *fs = context_of(inode);

	if (!fs)
		return -ENOENT;
	*out = inode->entry->argument == JUMP_ROOT ? fs_root(fs) : fs_working(fs);
	fs_context_put(fs);
	return 0;
}

/* ---- Short texts ---- */

static int show_name(struct proc_file *file, struct text *out)
{
	struct process *process;
	struct thread *thread;
	int error;

	spin_lock(&process_lock);
	error = proc_target(file->inode, &process, &thread);
	if (!error)
		text_add(out, "%s\n", thread ? thread->name : process->name);
	spin_unlock(&process_lock);
	file->cursor = PROC_END;
	return error;
}

/* As prctl(PR_SET_NAME), by a thread of the same process for any of its threads. */
static ssize_t store_name(struct proc_inode *inode, char *text, size_t size)
{
	struct process *process;
	struct thread *thread;
	ssize_t result;

	spin_lock(&process_lock);
	result = proc_target(inode, &process, &thread);
	if (!result && (process != current_process() || !thread)) {
		result = -EINVAL;
	} else if (!result) {
		string_copy(thread->name, text, NAME_SIZE);
		if (thread == process->leader)
			memcpy(process->name, thread->name, NAME_SIZE);
		result = (ssize_t)size;
	}
	spin_unlock(&process_lock);
	return result;
}

static void add_limit(struct text *out, uint64_t limit)
{
	if (limit == LIMIT_UNLIMITED)
		text_add(out, "%-20s ", "unlimited");
	else
		text_add(out, "%-20lu ", limit);
}

static int show_limits(struct proc_file *file, struct text *out)
{
	static const struct {
		const char *name, *unit;
	} names[LIMITS] = {
		[RLIMIT_CPU] = {"Max cpu time", "seconds"},
		[RLIMIT_FSIZE] = {"Max file size", "bytes"},
		[RLIMIT_DATA] = {"Max data size", "bytes"},
		[RLIMIT_STACK] = {"Max stack size", "bytes"},
		[RLIMIT_CORE] = {"Max core file size", "bytes"},
		[RLIMIT_RSS] = {"Max resident set", "bytes"},
		[RLIMIT_NPROC] = {"Max processes", "processes"},
		[RLIMIT_NOFILE] = {"Max open files", "files"},
		[RLIMIT_MEMLOCK] = {"Max locked memory", "bytes"},
		[RLIMIT_AS] = {"Max address space", "bytes"},
		[RLIMIT_LOCKS] = {"Max file locks", "locks"},
		[RLIMIT_SIGPENDING] = {"Max pending signals", "signals"},
		[RLIMIT_MSGQUEUE] = {"Max msgqueue size", "bytes"},
		[RLIMIT_NICE] = {"Max nice priority", ""},
		[RLIMIT_RTPRIO] = {"Max realtime priority", ""},
		[RLIMIT_RTTIME] = {"Max realtime timeout", "us"},
	};
	struct limit limits[LIMITS];
	struct process *process;
	struct thread *thread;
	int error;

	spin_lock(&process_lock);
	error = proc_target(file->inode, &process, &thread);
	if (!error)
		memcpy(limits, process->limits, sizeof(limits));
	spin_unlock(&process_lock);
	file->cursor = PROC_END;
	if (error)
		return error;
	text_add(out, "%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
	for (unsigned i = 0; i < LIMITS; i++) {
		text_add(out, "%-25s ", names[i].name);
		add_limit(out, limits[i].soft);
		add_limit(out, limits[i].hard);
		text_add(out, "%-10s\n", names[i].unit);
	}
	return 0;
}

/* ---- Threads ---- */

static int lookup_thread(
	struct proc_inode *directory, const struct name *name, struct proc_inode **out)
{
	long number = proc_number_of(name);
	struct process *process, *other;
	struct thread *thread;
	struct pid *pid = NULL;

	spin_lock(&process_lock);
	if (number > 0 && !proc_target(directory, &process, &thread)) {
		pid = pid_find((int)number);
		other = !pid           ? NULL
			: pid->process ? pid->process
			: pid->thread  ? pid->thread->process
				       : NULL;
		if (other != process)
			pid = NULL;
		else
			pid_get(pid);
	}
	spin_unlock(&process_lock);
	if (!pid)
		return -ENOENT;
	*out = proc_inode_create(directory, &proc_thread_entry,
		(uint64_t)number << PID_SHIFT | UINT64_C(1) << (PID_SHIFT - 1), pid);
	pid_put(pid);
	if (!*out)
		return -ENOMEM;
	(*out)->of_thread = true;
	return 0;
}

#define TIDS_AT_ONCE 32u

/* Ids of threads, `skip` after the start of the list: how many. A leader that ended counts. */
static unsigned take_tids(const struct proc_inode *directory, int64_t skip, int *tids)
{
	struct process *process;
	struct thread *thread;
	unsigned count = 0;

	spin_lock(&process_lock);
	if (!proc_target(directory, &process, &thread)) {
		if (!process->leader && skip-- <= 0)
			tids[count++] = process->id;
		list_for_each(thread, &process->threads, siblings)
		{
			if (skip-- > 0)
				continue;
			if (count == TIDS_AT_ONCE)
				break;
			tids[count++] = thread->tid;
		}
	}
	spin_unlock(&process_lock);
	return count;
}

static bool emit_number(
	struct entry_sink *sink, int number, uint64_t inode_number, uint32_t mode, int64_t next)
{
	char name[16];
	int length = format(name, sizeof(name), "%d", number);

	return sink->emit(sink, name, (uint32_t)length, inode_number, mode, next);
}

static int iterate_threads(struct file *file, struct entry_sink *sink, int64_t *position)
{
	int tids[TIDS_AT_ONCE];
	unsigned count;

	do {
		count = take_tids(proc_inode_of(file->inode), *position - 2, tids);
		for (unsigned i = 0; i < count; i++) {
			if (!emit_number(sink, tids[i],
				    (uint64_t)tids[i] << PID_SHIFT | UINT64_C(1) << (PID_SHIFT - 1),
				    S_IFDIR, *position + 1))
				return 0;
			++*position;
		}
	} while (count == TIDS_AT_ONCE);
	return 0;
}

static const struct proc_directory task_directory = {
	.lookup = lookup_thread, .iterate = iterate_threads};

/* ---- Processes ---- */

static int lookup_process(
	struct proc_inode *directory, const struct name *name, struct proc_inode **out)
{
	long number = proc_number_of(name);
	struct pid *pid;

	if (number <= 0)
		return -ENOENT;
	spin_lock(&process_lock);
	pid = pid_find((int)number);
	if (pid && (pid->process || pid->thread)) /* threads are found, but not listed */
		pid_get(pid);
	else
		pid = NULL;
	spin_unlock(&process_lock);
	if (!pid)
		return -ENOENT;
	*out = proc_inode_create(
		directory, &proc_process_entry, (uint64_t)number << PID_SHIFT, pid);
	pid_put(pid);
	return *out ? 0 : -ENOMEM;
}

/* Positions of processes: their numbers on top of this. */
#define FIRST_PROCESS 256

static int iterate_processes(struct file *file, struct entry_sink *sink, int64_t *position)
{
	struct pid *pid;
	int number;

	(void)file;
	if (*position < FIRST_PROCESS)
		*position = FIRST_PROCESS;
	if (*position > FIRST_PROCESS + PID_MOST)
		return 0;
	for (number = (int)(*position - FIRST_PROCESS);; number++) {
		spin_lock(&process_lock);
		while ((pid = pid_next(&number)) && !pid->process)
			number++;
		spin_unlock(&process_lock);
		if (!pid)
			return 0;
		if (!emit_number(sink, number, (uint64_t)number << PID_SHIFT, S_IFDIR,
			    FIRST_PROCESS + number + 1))
			return 0;
		*position = FIRST_PROCESS + number + 1;
	}
}

const struct proc_directory proc_root_directory = {
	.lookup = lookup_process, .iterate = iterate_processes};

/* ---- Tables ---- */

/* What a process and a thread have alike. */
#define CONSTANT(name, mode, text)                                                                \
	{                                                                                         \
		name, S_IFREG | (mode), .show = proc_show_constant, .argument = (uintptr_t)(text) \
	}
#define ID_MAP "         0          0 4294967295\n"

/* What a security module would tell and be told: there is none. */
#define ATTRIBUTE(name)                                                                      \
	{                                                                                    \
		name, S_IFREG | 0666, .show = proc_show_refused, .store = proc_store_refused \
	}
static const struct proc_entry attribute_entries[] = {ATTRIBUTE("current"), ATTRIBUTE("exec"),
	ATTRIBUTE("fscreate"), ATTRIBUTE("keycreate"), ATTRIBUTE("sockcreate"),
	{"prev", S_IFREG | 0444, .show = proc_show_refused}, {.name = NULL}};

#define COMMON_ENTRIES                                                                            \
	{"fd", S_IFDIR | 0500, .directory = &proc_fd_directory},                                  \
		{"fdinfo", S_IFDIR | 0555, PROC_READ, .directory = &proc_fdinfo_directory},       \
		{"environ", S_IFREG | 0400, PROC_READ, .show = proc_show_environ},                \
		{"auxv", S_IFREG | 0400, PROC_READ, .show = proc_show_auxv},                      \
		{"status", S_IFREG | 0444, .show = proc_show_status},                             \
		{"personality", S_IFREG | 0400, PROC_ATTACH, .show = proc_show_personality},      \
		{"limits", S_IFREG | 0444, .show = show_limits},                                  \
		{"comm", S_IFREG | 0644, .show = show_name, .store = store_name},                 \
		{"syscall", S_IFREG | 0400, PROC_ATTACH, .show = proc_show_syscall},              \
		{"cmdline", S_IFREG | 0444, .show = proc_show_cmdline},                           \
		{"stat", S_IFREG | 0444, .show = proc_show_stat},                                 \
		{"statm", S_IFREG | 0444, .show = proc_show_statm},                               \
		{"maps", S_IFREG | 0444, PROC_READ, .show = proc_show_maps},                      \
		{"mem", S_IFREG | 0600, PROC_ATTACH, .operations = &proc_mem_operations},         \
		{"pagemap", S_IFREG | 0400, PROC_READ, .operations = &proc_pagemap_operations},   \
		{"cwd", S_IFLNK | 0777, .jump = jump_context, .argument = JUMP_WORKING},          \
		{"root", S_IFLNK | 0777, .jump = jump_context, .argument = JUMP_ROOT},            \
		{"exe", S_IFLNK | 0777, .jump = jump_program},                                    \
		{"net", S_IFDIR | 0555, .entries = proc_net_entries},                             \
		{"ns", S_IFDIR | 0511, .entries = proc_ns_entries},                               \
		{"mounts", S_IFREG | 0444, .show = proc_show_mounts,                              \
			.operations = &proc_mounts_operations},                                   \
		{"mountinfo", S_IFREG | 0444, .show = proc_show_mountinfo,                        \
			.operations = &proc_mounts_operations},                                   \
		{"smaps", S_IFREG | 0444, PROC_READ, .show = proc_show_smaps},                    \
		{"smaps_rollup", S_IFREG | 0444, PROC_READ, .show = proc_show_smaps_rollup},      \
		{"mountstats", S_IFREG | 0400, PROC_READ, .show = proc_show_mountstats},          \
		{"sched", S_IFREG | 0444, .show = proc_show_sched},                               \
		{"schedstat", S_IFREG | 0444, .show = proc_show_schedstat},                       \
		{"io", S_IFREG | 0400, PROC_READ_NOW, .show = proc_show_io},                      \
		{"stack", S_IFREG | 0400, PROC_READ_NOW, .show = proc_show_stack},                \
		{"wchan", S_IFREG | 0444, .show = proc_show_wchan}, CONSTANT("cgroup", 0444, ""), \
		{"numa_maps", S_IFREG | 0444, PROC_READ, .show = proc_show_numa_maps},            \
		{"clear_refs", S_IFREG | 0200, .show = proc_show_refused,                         \
			.store = proc_store_clear_refs},                                          \
		{"attr", S_IFDIR | 0555, .entries = attribute_entries},                           \
		{"oom_score", S_IFREG | 0444, .show = proc_show_oom_score},                       \
		{"oom_score_adj", S_IFREG | 0644, .show = proc_show_oom_adjust,                   \
			.store = proc_store_oom_adjust},                                          \
		{"fail-nth", S_IFREG | 0644, .show = proc_show_fail_nth,                          \
			.store = proc_store_fail_nth},                                            \
		CONSTANT("loginuid", 0444, "4294967295"),                                         \
		CONSTANT("sessionid", 0444, "4294967295"), CONSTANT("uid_map", 0444, ID_MAP),     \
		CONSTANT("gid_map", 0444, ID_MAP)

const struct proc_entry proc_process_entries[] = {
	{"task", S_IFDIR | 0555, .directory = &task_directory},
	{"map_files", S_IFDIR | 0500, .directory = &proc_map_files_directory},
	{"timers", S_IFREG | 0444, .show = proc_show_timers},
	COMMON_ENTRIES,
	CONSTANT("coredump_filter", 0444, "00000033\n"),
	CONSTANT("setgroups", 0444, "allow\n"),
	{"timerslack_ns", S_IFREG | 0666, .show = proc_show_timer_slack,
		.store = proc_store_timer_slack},
	{.name = NULL},
};

const struct proc_entry proc_thread_entries[] = {
	COMMON_ENTRIES,
	{"children", S_IFREG | 0444, .show = proc_show_children},
	{.name = NULL},
};

const struct proc_entry proc_process_entry = {
	.mode = S_IFDIR | 0555, .entries = proc_process_entries};
const struct proc_entry proc_thread_entry = {
	.mode = S_IFDIR | 0555, .entries = proc_thread_entries};
