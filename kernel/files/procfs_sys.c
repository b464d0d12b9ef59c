/* SPDX-License-Identifier: MIT */
/*
 * /proc/sys: what can be asked, and now and then set, about the kernel by name (man 5 proc, sysctl).
 *
 * A file is here where the kernel really has what it is about, or where it tells what the kernel does
 * and cannot be told otherwise (read-only then, though Linux lets root write it).
 */
#include "files/procfs.h"

#include <linux/utsname.h>

#include "devices/random.h"
#include "files/inotify.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/vma.h"
#include "process/credentials.h"
#include "process/pid.h"
#include "process/process.h"
#include "syscall/machine.h"

static int show_number(struct proc_file *file, struct text *out)
{
	text_add(out, "%lu\n", file->inode->entry->argument);
	file->cursor = PROC_END;
	return 0;
}

/* A limit that root may change, of 32 bits: at most INT_MAX, as on Linux. */
static int show_limit(struct proc_file *file, struct text *out)
{
	const uint32_t *limit = (const uint32_t *)file->inode->entry->argument;

	text_add(out, "%u\n", __atomic_load_n(limit, __ATOMIC_RELAXED));
	file->cursor = PROC_END;
	return 0;
}

static ssize_t store_limit(struct proc_inode *inode, char *text, size_t size)
{
	uint32_t *limit = (uint32_t *)inode->entry->argument;
	long value;
	int error = proc_parse_number(text, &value);

	if (error || value < 0 || value > INT32_MAX)
		return -EINVAL;
	__atomic_store_n(limit, (uint32_t)value, __ATOMIC_RELAXED);
	return (ssize_t)size;
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

static int show_threads_max(struct proc_file *file, struct text *out)
{
	text_add(out, "%u\n", limits_threads_max());
	file->cursor = PROC_END;
	return 0;
}

/* ---- Tables ---- */

#define NUMBER(name, value)                                                               \
	{                                                                                 \
		name, S_IFREG | 0444, .show = show_number, .argument = (uintptr_t)(value) \
	}
#define LIMIT(name, value)                                                      \
	{                                                                       \
		name, S_IFREG | 0644, .show = show_limit, .store = store_limit, \
				      .argument = (uintptr_t) & (value)         \
	}
#define STRING(name, value)                                                               \
	{                                                                                 \
		name, S_IFREG | 0444, .show = show_string, .argument = (uintptr_t)(value) \
	}
#define DIRECTORY(name, table)                           \
	{                                                \
		name, S_IFDIR | 0555, .entries = (table) \
	}
#define END                  \
	{                    \
		.name = NULL \
	}

static const struct proc_entry random_entries[] = {
	{"boot_id", S_IFREG | 0444, .show = show_boot_id},
	NUMBER("entropy_avail", 256),
	NUMBER("poolsize", 256),
	{"uuid", S_IFREG | 0444, .show = show_uuid},
	END,
};

static const struct proc_entry kernel_entries[] = {
	NUMBER("cap_last_cap", CAPABILITY_MAX),
	STRING("core_pattern", "core"),
	NUMBER("core_uses_pid", 0),
	{"domainname", S_IFREG | 0644, .show = show_machine_name, .store = store_machine_name,
		.argument = MACHINE_DOMAIN},
	{"hostname", S_IFREG | 0644, .show = show_machine_name, .store = store_machine_name,
		.argument = MACHINE_NODE},
	NUMBER("ngroups_max", GROUPS_MAX),
	STRING("osrelease", MACHINE_RELEASE),
	STRING("ostype", "Linux"),
	NUMBER("pid_max", PID_MAX),
	DIRECTORY("random", random_entries),
	NUMBER("randomize_va_space", 2),
	{"threads-max", S_IFREG | 0444, .show = show_threads_max},
	STRING("version", MACHINE_VERSION),
	END,
};

static const struct proc_entry vm_entries[] = {
	NUMBER("max_map_count", SPACE_VMAS_MAX),
	NUMBER("mmap_min_addr", USER_MIN),
	NUMBER("overcommit_memory", 0),
	NUMBER("overcommit_ratio", 50),
	NUMBER("swappiness", 0),
	END,
};

static const struct proc_entry inotify_entries[] = {
	LIMIT("max_queued_events", inotify_limits.events),
	LIMIT("max_user_instances", inotify_limits.instances),
	LIMIT("max_user_watches", inotify_limits.watches),
	END,
};

static const struct proc_entry fs_entries[] = {
	DIRECTORY("inotify", inotify_entries),
	NUMBER("nr_open", FILES_MOST),
	NUMBER("pipe-max-size", 65536),
	END,
};

const struct proc_entry proc_sys_entries[] = {
	DIRECTORY("fs", fs_entries),
	DIRECTORY("kernel", kernel_entries),
	DIRECTORY("vm", vm_entries),
	END,
};
