/* SPDX-License-Identifier: MIT */
/*
 * /proc/sys: what can be asked, and what root can set, about the kernel by name (man 5 proc, sysctl.conf).
 *
 * A directory has files of its own kind (struct proc_entry: names, ids, counts) and settings (struct sysctl): a
 * variable of who goes by it, its type and its limits. A setting stands here if the kernel goes by it, or if Linux's
 * programs set it and nothing here could go by it: those are the ones whose variable has no name, KEPT, and
 * docs/procfs.md lists them.
 *
 * What the mode of a file refuses, root may not do either, as on Linux (mode_binds).
 *
 * Lock: sysctl_lock, while a setting is written or a text is read.
 */
#include "files/procfs.h"

#include <linux/capability.h>
#include <linux/utsname.h>

#include "devices/console.h"
#include "devices/kmsg.h"
#include "devices/random.h"
#include "files/epoll.h"
#include "files/inotify.h"
#include "files/open.h"
#include "files/pipe.h"
#include "files/protected.h"
#include "files/sysctl.h"
#include "ipc/message.h"
#include "ipc/semaphore.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "main.h"
#include "memory/overcommit.h"
#include "memory/segment.h"
#include "memory/slab.h"
#include "memory/vma.h"
#include "process/core.h"
#include "process/credentials.h"
#include "process/exec.h"
#include "process/oom.h"
#include "process/pid.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/machine.h"

#define WRITE_MOST (PAGE_SIZE - 1)

static struct mutex sysctl_lock = MUTEX_INIT(sysctl_lock);

/* ---- Settings as files ---- */

static void add_numbers(const struct sysctl *knob, struct text *out)
{
	const char *end = "\n";

	for (unsigned i = 0; i < knob->count; i++) {
		end = i + 1 < knob->count ? "\t" : "\n";
		if (knob->type == SYSCTL_INT)
			text_add(out, "%d%s",
				__atomic_load_n((int32_t *)knob->value + i, __ATOMIC_RELAXED), end);
		else if (knob->type == SYSCTL_UNSIGNED)
			text_add(out, "%u%s",
				__atomic_load_n((uint32_t *)knob->value + i, __ATOMIC_RELAXED),
				end);
		else
			text_add(out, "%lu%s",
				__atomic_load_n((uint64_t *)knob->value + i, __ATOMIC_RELAXED),
				end);
	}
}

static int show_knob(struct proc_file *file, struct text *out)
{
	const struct sysctl *knob = file->inode->knob;

	mutex_lock(&sysctl_lock);
	if (knob->load)
		knob->load();
	if (knob->type == SYSCTL_TEXT)
		text_add(out, "%s\n", (const char *)knob->value);
	else
		add_numbers(knob, out);
	mutex_unlock(&sysctl_lock);
	file->cursor = PROC_END;
	return 0;
}

static ssize_t write_knob(struct file *file, struct io *io, int64_t *position)
{
	const struct sysctl *knob = proc_inode_of(file->inode)->knob;
	size_t size = io->left < WRITE_MOST ? io->left : WRITE_MOST;
	ssize_t result = -EFAULT;
	char *text;

	/* Whoever opened it: who writes must be allowed to. */
	if (inode_permission(file->inode, MAY_WRITE) ||
		(knob->capability && !capable(knob->capability)))
		return -EPERM;
	text = kmalloc(size + 1);
	if (!text)
		return -ENOMEM;
	if (io_get(io, text, size) == size) {
		mutex_lock(&sysctl_lock);
		if (knob->load)
			knob->load();
		result = sysctl_take(knob, text, size, *position);
		mutex_unlock(&sysctl_lock);
	}
	kfree(text);
	if (result > 0)
		*position += result;
	return result;
}

const struct file_operations proc_sysctl_operations = {.open = proc_open,
	.release = proc_close,
	.read = proc_read,
	.write = write_knob,
	.seek = file_seek};

/* Of every setting's file; its mode is the setting's. */
static const struct proc_entry readable_entry = {.mode = S_IFREG | 0644,
	.show = show_knob,
	.operations = &proc_sysctl_operations,
	.mode_binds = true};
static const struct proc_entry hidden_entry = {
	.mode = S_IFREG | 0200, .operations = &proc_sysctl_operations, .mode_binds = true};

#define FIRST_KNOB \
	64u /* number of the first setting's inode in its directory: behind the entries' */

static int lookup_knob(
	struct proc_inode *directory, const struct name *name, struct proc_inode **out)
{
	const struct sysctl *table = (const struct sysctl *)directory->entry->argument;

	for (unsigned i = 0; table[i].name; i++) {
		if (strlen(table[i].name) != name->length ||
			memcmp(table[i].name, name->text, name->length))
			continue;
		*out = proc_inode_create(directory,
			table[i].mode & 0400 ? &readable_entry : &hidden_entry,
			proc_entry_number(directory, FIRST_KNOB + i), NULL);
		if (!*out)
			return -ENOMEM;
		(*out)->knob = &table[i];
		return 0;
	}
	return -ENOENT;
}

/* Behind the entries, which proc_emit_entries counts from 2 on. */
static int iterate_knobs(struct file *file, struct entry_sink *sink, int64_t *position)
{
	const struct proc_inode *directory = proc_inode_of(file->inode);
	const struct sysctl *table = (const struct sysctl *)directory->entry->argument;
	int64_t first = FIRST_KNOB + 2, i;

	if (*position < first)
		*position = first;
	for (i = 0; table[i].name; i++) {
		if (first + i < *position)
			continue;
		if (!sink->emit(sink, table[i].name, (uint32_t)strlen(table[i].name),
			    proc_entry_number(directory, FIRST_KNOB + (unsigned)i), S_IFREG,
			    first + i + 1))
			return 0;
		*position = first + i + 1;
	}
	return 0;
}

static const struct proc_directory knobs = {.lookup = lookup_knob, .iterate = iterate_knobs};

/* ---- Texts ---- */

static int show_number(struct proc_file *file, struct text *out)
{
	text_add(out, "%lu\n", file->inode->entry->argument);
	file->cursor = PROC_END;
	return 0;
}

static int show_string(struct proc_file *file, struct text *out)
{
	text_add(out, "%s\n", (const char *)file->inode->entry->argument);
	file->cursor = PROC_END;
	return 0;
}

/* ---- Names of the machine ---- */

static int show_machine_name(struct proc_file *file, struct text *out)
{
	char name[__NEW_UTS_LEN + 1];

	machine_name((enum machine_name)file->inode->entry->argument, name);
	text_add(out, "%s\n", name);
	file->cursor = PROC_END;
	return 0;
}

/* One line of it; Linux cuts what is too long. */
static ssize_t store_machine_name(struct proc_inode *inode, char *text, size_t size)
{
	size_t length = 0;

	while (length < size && length < __NEW_UTS_LEN && text[length] && text[length] != '\n')
		length++;
	machine_set_name((enum machine_name)inode->entry->argument, text, length);
	return (ssize_t)size;
}

/* ---- Random ids ---- */

static void add_uuid(struct text *out, uint8_t bytes[16])
{
	bytes[6] = (uint8_t)((bytes[6] & 0x0f) | 0x40); /* RFC 4122: version 4, random */
	bytes[8] = (uint8_t)((bytes[8] & 0x3f) | 0x80);
	for (unsigned i = 0; i < 16; i++)
		text_add(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x", bytes[i]);
	text_add(out, "\n");
}

static int show_uuid(struct proc_file *file, struct text *out)
{
	uint8_t bytes[16];

	random_bytes(bytes, sizeof(bytes));
	add_uuid(out, bytes);
	file->cursor = PROC_END;
	return 0;
}

/* The same until the machine stops. */
static int show_boot_id(struct proc_file *file, struct text *out)
{
	static struct mutex boot_id_once = MUTEX_INIT(boot_id_once);
	static bool made;
	static uint8_t bytes[16];

	mutex_lock(&boot_id_once);
	if (!made)
		random_bytes(bytes, sizeof(bytes));
	made = true;
	mutex_unlock(&boot_id_once);
	add_uuid(out, bytes);
	file->cursor = PROC_END;
	return 0;
}

/* ---- Counts of files ---- */

static int show_file_count(struct proc_file *file, struct text *out)
{
	text_add(
		out, "%lu\t0\t%lu\n", file_count(), __atomic_load_n(&files_most, __ATOMIC_RELAXED));
	file->cursor = PROC_END;
	return 0;
}

/* None is kept that nobody uses. */
static int show_inode_count(struct proc_file *file, struct text *out)
{
	text_add(out, "%lu\t0%s\n", inode_count(), (const char *)file->inode->entry->argument);
	file->cursor = PROC_END;
	return 0;
}

static int show_dentry_state(struct proc_file *file, struct text *out)
{
	text_add(out, "%lu\t0\t45\t0\t0\t0\n", dentry_count());
	file->cursor = PROC_END;
	return 0;
}

/* ---- Settings that are more than a variable ---- */

static char core_pattern[CORE_PATTERN_SIZE] = "core";

void core_pattern_get(char out[CORE_PATTERN_SIZE])
{
	mutex_lock(&sysctl_lock);
	memcpy(out, core_pattern, CORE_PATTERN_SIZE);
	mutex_unlock(&sysctl_lock);
}

/* The kernel starts no programs for cores: rather no such pattern than one that nothing comes of. */
static int apply_core_pattern(void)
{
	return core_pattern[0] == '|' ? -EINVAL : 0;
}

/* Of a console, of lines without a level, the least of a console, a console's at first: the first one counts. */
static int printk_levels[4] = {7, 4, 1, 7};

static void load_printk(void)
{
	printk_levels[0] = (int)log_console_level();
}

static int apply_printk(void)
{
	log_set_console_level(printk_levels[0] > 0 ? (unsigned)printk_levels[0] : 0);
	return 0;
}

static int panic_seconds;

static void load_panic(void)
{
	panic_seconds = (int)options.panic;
}

static int apply_panic(void)
{
	options.panic = panic_seconds;
	return 0;
}

/* A whole power of two of pages. */
static int apply_pipe_size(void)
{
	uint32_t size = PAGE_SIZE;

	if (pipe_size_most > UINT32_C(1) << 31)
		return -EINVAL;
	while (size < pipe_size_most)
		size *= 2;
	pipe_size_most = size;
	return 0;
}

static int apply_rr_slice(void)
{
	if (sched_rr_ms <= 0)
		sched_rr_ms = 100;
	return 0;
}

static int apply_ratio(void)
{
	overcommit.kbytes = 0;
	return 0;
}

static int apply_kbytes(void)
{
	overcommit.ratio = 0;
	return 0;
}

static int apply_rt(void)
{
	return sched_rt_runtime_us > sched_rt_period_us ? -EINVAL : 0;
}

/* ---- Tables ---- */

#define SHOWN(name, function, value)                                                    \
	{                                                                               \
		name, S_IFREG | 0444, .show = function, .argument = (uintptr_t)(value), \
				      .mode_binds = true                                \
	}
#define NUMBER(name, value) SHOWN(name, show_number, value)
#define STRING(name, value) SHOWN(name, show_string, value)
#define NAMED(name, which)                                                                    \
	{                                                                                     \
		name, S_IFREG | 0644, .show = show_machine_name, .store = store_machine_name, \
				      .argument = (which), .mode_binds = true                 \
	}
#define DIRECTORY(name, table, settings)                                                    \
	{                                                                                   \
		name, S_IFDIR | 0555, .entries = (table), .directory = &knobs,              \
				      .argument = (uintptr_t)(settings), .mode_binds = true \
	}
#define KNOB(text, kind, many, variable, low, high, ...)                               \
	{                                                                              \
		.name = (text), .value = &(variable), .type = (kind), .count = (many), \
		.least = (low), .most = (high), .mode = 0644, ##__VA_ARGS__            \
	}
#define INT(text, variable, low, high, ...) \
	KNOB(text, SYSCTL_INT, 1, variable, low, high, ##__VA_ARGS__)
#define UNSIGNED(text, variable, low, ...) \
	KNOB(text, SYSCTL_UNSIGNED, 1, variable, low, -1, ##__VA_ARGS__)
#define LONG(text, variable, ...)    KNOB(text, SYSCTL_UNSIGNED_LONG, 1, variable, 0, 0, ##__VA_ARGS__)
#define LARGE(text, variable)        KNOB(text, SYSCTL_UNSIGNED_LONG, 1, variable, 0, -1)
#define KEPT(text, first, low, high) KNOB(text, SYSCTL_INT, 1, (int){first}, low, high)
#define ANY(text, variable, ...)     INT(text, variable, INT32_MIN, INT32_MAX, ##__VA_ARGS__)
#define KEPT_ANY(text, first)        KEPT(text, first, INT32_MIN, INT32_MAX)
#define END                  \
	{                    \
		.name = NULL \
	}

static const struct proc_entry random_entries[] = {
	SHOWN("boot_id", show_boot_id, 0),
	NUMBER("entropy_avail", 256),
	NUMBER("poolsize", 256),
	SHOWN("uuid", show_uuid, 0),
	END,
};

/* Linux's take no writes either, without saying so. */
static const struct sysctl random_knobs[] = {
	KEPT("urandom_min_reseed_secs", 60, 60, 60),
	KEPT("write_wakeup_threshold", 256, 256, 256),
	END,
};

static const struct proc_entry kernel_entries[] = {
	NUMBER("cap_last_cap", CAPABILITY_MAX),
	NAMED("domainname", MACHINE_DOMAIN),
	NAMED("hostname", MACHINE_NODE),
	NUMBER("ngroups_max", GROUPS_MAX),
	STRING("osrelease", MACHINE_RELEASE),
	STRING("ostype", "Linux"),
	DIRECTORY("random", random_entries, random_knobs),
	NUMBER("tainted", 0),
	STRING("version", MACHINE_VERSION),
	END,
};

static const struct sysctl kernel_knobs[] = {
	KNOB("core_pattern", SYSCTL_TEXT, CORE_PATTERN_SIZE, core_pattern, 0, 0,
		.apply = apply_core_pattern),
	ANY("core_uses_pid", core_uses_pid),
	INT("dmesg_restrict", kmsg_restricted, 0, 1, .capability = CAP_SYS_ADMIN),
	INT("kptr_restrict", proc_kptr_restrict, 0, 2, .capability = CAP_SYS_ADMIN),
	KEPT("overflowgid", 65534, 0, 65535),
	KEPT("overflowuid", 65534, 0, 65535),
	ANY("panic", panic_seconds, .load = load_panic, .apply = apply_panic),
	KEPT_ANY("panic_on_oops", 1),
	INT("msgmax", msg_size_most, 0, INT32_MAX),
	INT("msgmnb", msg_queue_most, 0, INT32_MAX),
	INT("msgmni", msg_queues_most, 0, (int)IPC_MOST),
	INT("pid_max", pid_max, 301, PID_MOST),
	KNOB("printk", SYSCTL_INT, 4, printk_levels, INT32_MIN, INT32_MAX, .load = load_printk,
		.apply = apply_printk),
	KEPT("printk_delay", 0, 0, 10000),
	KEPT_ANY("printk_ratelimit", 5),
	KEPT_ANY("printk_ratelimit_burst", 10),
	ANY("randomize_va_space", exec_randomize),
	ANY("sched_rr_timeslice_ms", sched_rr_ms, .apply = apply_rr_slice),
	INT("sched_rt_period_us", sched_rt_period_us, 1, INT32_MAX, .apply = apply_rt),
	INT("sched_rt_runtime_us", sched_rt_runtime_us, -1, INT32_MAX, .apply = apply_rt),
	KNOB("sem", SYSCTL_INT, SEM_LIMITS, sem_limits, INT32_MIN, INT32_MAX,
		.apply = sem_check_limits),
	LARGE("shmall", segment_pages_most),
	LARGE("shmmax", segment_size_most),
	INT("shmmni", segments_most, 0, (int)IPC_MOST),
	KEPT_ANY("sysrq", 0),
	INT("threads-max", limits_threads, 1, 0x3fffffff),
	END,
};

static const struct sysctl vm_knobs[] = {
	KEPT("dirty_background_ratio", 10, 0, 100),
	KEPT("dirty_expire_centisecs", 3000, 0, INT32_MAX),
	KEPT("dirty_ratio", 20, 0, 100),
	KEPT("dirty_writeback_centisecs", 500, 0, INT32_MAX),
	{.name = "drop_caches",
		.value = &(int){0},
		.least = 1,
		.most = 4,
		.mode = 0200,
		.type = SYSCTL_INT,
		.count = 1},
	INT("max_map_count", vmas_max, 0, INT32_MAX),
	KEPT("min_free_kbytes", 0, 0, INT32_MAX),
	LONG("mmap_min_addr", mmap_least, .capability = CAP_SYS_RAWIO),
	KEPT_ANY("oom_dump_tasks", 0),
	ANY("oom_kill_allocating_task", oom_kills_asker),
	LONG("overcommit_kbytes", overcommit.kbytes, .apply = apply_kbytes),
	INT("overcommit_memory", overcommit.policy, 0, 2),
	ANY("overcommit_ratio", overcommit.ratio, .apply = apply_ratio),
	KEPT("page-cluster", 3, 0, INT32_MAX),
	INT("panic_on_oom", oom_panics, 0, 2),
	KEPT("stat_interval", 1, 0, INT32_MAX),
	KEPT("swappiness", 60, 0, 200),
	KEPT("vfs_cache_pressure", 100, 0, INT32_MAX),
	KEPT("watermark_scale_factor", 10, 1, 3000),
	END,
};

static const struct sysctl epoll_knobs[] = {
	LONG("max_user_watches", epoll_most),
	END,
};

static const struct sysctl inotify_knobs[] = {
	INT("max_queued_events", inotify_limits.events, 0, INT32_MAX),
	INT("max_user_instances", inotify_limits.instances, 0, INT32_MAX),
	INT("max_user_watches", inotify_limits.watches, 0, INT32_MAX),
	END,
};

static const struct proc_entry fs_entries[] = {
	SHOWN("dentry-state", show_dentry_state, 0),
	DIRECTORY("epoll", NULL, epoll_knobs),
	SHOWN("file-nr", show_file_count, 0),
	SHOWN("inode-nr", show_inode_count, ""),
	SHOWN("inode-state", show_inode_count, "\t0\t0\t0\t0\t0"),
	DIRECTORY("inotify", NULL, inotify_knobs),
	END,
};

/* RLIMIT_NOFILE's slots are counted by words of 64 bits, and in an int. */
static const struct sysctl fs_knobs[] = {
	LONG("file-max", files_most),
	KNOB("nr_open", SYSCTL_UNSIGNED, 1, limits_files, 64, INT32_MAX - 63),
	KEPT("overflowgid", 65534, 0, 65535),
	KEPT("overflowuid", 65534, 0, 65535),
	UNSIGNED("pipe-max-size", pipe_size_most, 0, .apply = apply_pipe_size),
	INT("protected_fifos", protected_fifos, 0, 2),
	INT("protected_hardlinks", protected_hardlinks, 0, 1),
	INT("protected_regular", protected_regular, 0, 2),
	INT("protected_symlinks", protected_symlinks, 0, 1),
	INT("suid_dumpable", core_of_set_ids, 0, 2),
	END,
};

const struct proc_entry proc_sys_entries[] = {
	DIRECTORY("fs", fs_entries, fs_knobs),
	DIRECTORY("kernel", kernel_entries, kernel_knobs),
	DIRECTORY("vm", NULL, vm_knobs),
	END,
};
