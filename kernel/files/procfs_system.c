/* SPDX-License-Identifier: MIT */
/* The root of /proc: files about the machine and the kernel. See procfs.c. */
#include "files/procfs.h"

#include "build_id.h"
#include "devices/realtime.h"
#include "files/filesystems.h"
#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "main.h"
#include "memory/report.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/machine.h"

#define CLOCK_TICK (NS_PER_SECOND / 100)

/* ---- Links to who asks ---- */

static void target_self(struct text *out)
{
	text_add(out, "%d", current_pid());
}

static void target_thread_self(struct text *out)
{
	text_add(out, "%d/task/%d", current_pid(), current_thread()->tid);
}

static void target_mounts(struct text *out)
{
	text_add(out, "self/mounts");
}

static void target_net(struct text *out)
{
	text_add(out, "self/net");
}

/* ---- Texts ---- */

static int show_meminfo(struct proc_file *file, struct text *out)
{
	size_t room = out->size - out->used;
	struct memory_report report;
	int length;

	memory_report(&report, limits_ram());
	length = memory_report_text(&report, out->bytes + out->used, room);
	if ((size_t)length < room)
		out->used += (size_t)length;
	else
		out->overflow = true;
	file->cursor = PROC_END;
	return 0;
}

static void add_hundredths(struct text *out, ns_t time, const char *end)
{
	text_add(out, "%lu.%02lu%s", time / NS_PER_SECOND, time % NS_PER_SECOND / CLOCK_TICK, end);
}

static int show_uptime(struct proc_file *file, struct text *out)
{
	struct cpu_times times;
	ns_t idle = 0;

	for (unsigned i = 0; i < cpu_count; i++) {
		sched_cpu_times(cpus[i], &times);
		idle += times.idle;
	}
	add_hundredths(out, arch_clock(), " ");
	add_hundredths(out, idle, "\n");
	file->cursor = PROC_END;
	return 0;
}

static void add_cpu(struct text *out, const char *name, const struct cpu_times *times)
{
	text_add(out, "%s %lu %lu %lu %lu 0 0 0 0 0 0\n", name, times->user / CLOCK_TICK,
		times->nice / CLOCK_TICK, times->system / CLOCK_TICK, times->idle / CLOCK_TICK);
}

static int show_stat(struct proc_file *file, struct text *out)
{
	struct cpu_times all = {0}, one;
	uint64_t switches = 0;
	char name[16];

	for (unsigned i = 0; i < cpu_count; i++) {
		sched_cpu_times(cpus[i], &one);
		all.user += one.user;
		all.nice += one.nice;
		all.system += one.system;
		all.idle += one.idle;
		switches += __atomic_load_n(&cpus[i]->switches, __ATOMIC_RELAXED);
	}
	add_cpu(out, "cpu ", &all);
	for (unsigned i = 0; i < cpu_count; i++) {
		sched_cpu_times(cpus[i], &one);
		format(name, sizeof(name), "cpu%u", i);
		add_cpu(out, name, &one);
	}
	proc_add_interrupts(out);
	text_add(out,
		"ctxt %lu\nbtime %lu\nprocesses %lu\nprocs_running %u\n"
		"procs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n",
		switches, realtime_offset() / NS_PER_SECOND, process_clone_count(),
		sched_runnable());
	file->cursor = PROC_END;
	return 0;
}

/* Half a hundredth, as Linux rounds it. */
#define LOAD_HALF (10u << (SCHED_LOAD_BITS - 11))

static int show_loadavg(struct proc_file *file, struct text *out)
{
	uint64_t load[3], hundredths;
	int last;

	sched_load(load);
	spin_lock(&process_lock);
	last = pid_last();
	spin_unlock(&process_lock);
	for (unsigned i = 0; i < 3; i++) {
		hundredths = ((load[i] + LOAD_HALF) * 100) >> SCHED_LOAD_BITS;
		text_add(out, "%lu.%02lu ", (unsigned long)(hundredths / 100),
			(unsigned long)(hundredths % 100));
	}
	text_add(out, "%u/%u %d\n", sched_runnable(), limits_thread_count(), last);
	file->cursor = PROC_END;
	return 0;
}

static int show_version(struct proc_file *file, struct text *out)
{
	text_add(out, "Linux version %s (baton@baton) (Baton) %s\n", MACHINE_RELEASE,
		MACHINE_VERSION);
	file->cursor = PROC_END;
	return 0;
}

static int show_filesystems(struct proc_file *file, struct text *out)
{
	const struct filesystem *type;

	for (unsigned i = 0; (type = filesystem_at(i)); i++)
		text_add(out, "nodev\t%s\n", type->name);
	file->cursor = PROC_END;
	return 0;
}

static int show_command_line(struct proc_file *file, struct text *out)
{
	text_add(out, "%s\n", kernel_command_line);
	file->cursor = PROC_END;
	return 0;
}

static int show_cpuinfo(struct proc_file *file, struct text *out)
{
	size_t room = out->size - out->used, length;

	if (file->cursor >= cpu_count) {
		file->cursor = PROC_END;
		return 0;
	}
	length = arch_cpu_describe((unsigned)file->cursor, out->bytes + out->used, room);
	if (length < room)
		out->used += length;
	else
		out->overflow = true;
	file->cursor++;
	return 0;
}

static int show_vmstat(struct proc_file *file, struct text *out)
{
	struct memory_report report;

	memory_report(&report, limits_ram());
	text_add(out, "nr_free_pages %lu\nnr_anon_pages %lu\nnr_file_pages %lu\nnr_shmem %lu\n",
		report.free, report.anonymous, report.objects, report.shmem);
	text_add(out,
		"nr_slab_reclaimable 0\nnr_slab_unreclaimable %lu\nnr_page_table_pages %lu\n"
		"nr_kernel_stack %lu\n",
		report.slab, report.tables, report.stacks * (PAGE_SIZE / 1024));
	text_add(out, "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\n"); /* no disk, no swap */
	file->cursor = PROC_END;
	return 0;
}

/* What there is none of: the names of the columns alone, or nothing. */
#define CONSTANT(name, text)                                                                    \
	{                                                                                       \
		name, S_IFREG | 0444, .show = proc_show_constant, .argument = (uintptr_t)(text) \
	}

static const struct proc_entry tty_entries[] = {
	{"drivers", S_IFREG | 0444, .show = proc_show_tty_drivers},
	CONSTANT("ldiscs", "n_tty       0\n"),
	{.name = NULL},
};

#define SWAPS "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"

const struct proc_entry proc_root_entries[] = {
	{"baton", S_IFDIR | 0555, .entries = proc_baton_entries},
	{"buddyinfo", S_IFREG | 0444, .show = proc_show_buddyinfo},
	CONSTANT("cgroups", "#subsys_name\thierarchy\tnum_cgroups\tenabled\n"),
	{"cmdline", S_IFREG | 0444, .show = show_command_line},
	{"consoles", S_IFREG | 0444, .show = proc_show_consoles},
	{"cpuinfo", S_IFREG | 0444, .show = show_cpuinfo},
	CONSTANT("crypto", ""),
	{"devices", S_IFREG | 0444, .show = proc_show_devices},
	/* no disks, no modules */
	{"diskstats", S_IFREG | 0444, .show = proc_show_constant, .argument = (uintptr_t) ""},
	CONSTANT("execdomains", "0-0\tLinux           \t[kernel]\n"),
	{"fb", S_IFREG | 0444, .show = proc_show_framebuffers},
	{"filesystems", S_IFREG | 0444, .show = show_filesystems},
	{"kpagecount", S_IFREG | 0400, .operations = &proc_kpagecount_operations},
	{"kpageflags", S_IFREG | 0400, .operations = &proc_kpageflags_operations},
	{"iomem", S_IFREG | 0444, .show = proc_show_iomem},
	{"ioports", S_IFREG | 0444, .show = proc_show_ioports},
	CONSTANT("key-users", ""),
	{"interrupts", S_IFREG | 0444, .show = proc_show_interrupts},
	{"kallsyms", S_IFREG | 0444, .show = proc_show_kallsyms},
	{"kmsg", S_IFREG | 0400, .operations = &proc_kmsg_operations},
	{"loadavg", S_IFREG | 0444, .show = show_loadavg},
	{"locks", S_IFREG | 0444, .show = proc_show_locks},
	{"meminfo", S_IFREG | 0444, .show = show_meminfo},
	{"modules", S_IFREG | 0444, .show = proc_show_constant, .argument = (uintptr_t) ""},
	CONSTANT("misc", ""),
	{"mounts", S_IFLNK | 0777, .target = target_mounts},
	{"net", S_IFLNK | 0777, .target = target_net},
	{"partitions", S_IFREG | 0444, .show = proc_show_constant,
		.argument = (uintptr_t) "major minor  #blocks  name\n\n"},
	{"schedstat", S_IFREG | 0444, .show = proc_show_schedstats},
	{"self", S_IFLNK | 0777, .target = target_self},
	{"slabinfo", S_IFREG | 0400, .show = proc_show_slabinfo},
	{"softirqs", S_IFREG | 0444, .show = proc_show_softirqs},
	{"stat", S_IFREG | 0444, .show = show_stat},
	{"swaps", S_IFREG | 0444, .show = proc_show_constant, .argument = (uintptr_t)SWAPS},
	{"sys", S_IFDIR | 0555, .entries = proc_sys_entries},
	{"sysvipc", S_IFDIR | 0555, .entries = proc_sysvipc_entries},
	{"thread-self", S_IFLNK | 0777, .target = target_thread_self},
	{"tty", S_IFDIR | 0555, .entries = tty_entries},
	{"uptime", S_IFREG | 0444, .show = show_uptime},
	{"version", S_IFREG | 0444, .show = show_version},
	{"vmstat", S_IFREG | 0444, .show = show_vmstat},
	{"zoneinfo", S_IFREG | 0444, .show = proc_show_zoneinfo},
	{.name = NULL},
};
