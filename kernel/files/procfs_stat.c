/* SPDX-License-Identifier: MIT */
/* /proc/PID/stat, statm and status: Linux's fs/proc/array.c and task_mmu.c have the fields. */
#include "files/procfs.h"

#include <asm/resource.h>
#include <asm/signal.h>
#include <linux/personality.h>
#include <linux/sched.h>

#include "devices/tty.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/space.h"
#include "files/table.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/inspect.h"
#include "process/process.h"
#include "process/ptrace.h"
#include "process/sched.h"

#define CLOCK_TICK    (NS_PER_SECOND / 100)
#define PF_FORKNOEXEC 0x40u /* Linux's flags of a task */
#define PF_EXITING    0x4u
#define PF_KTHREAD    0x200000u
#define PF_RANDOMIZE  0x400000u

/* ---- What is known of one thread, or of a process with all its threads ---- */

struct snapshot {
	struct space *space; /* with a reference, or NULL */
	uint32_t fd_room;    /* of the descriptor table */
	struct fs_context *fs;
	char name[NAME_SIZE], state;
	int pid, tid, parent, group, session, tracer, terminal_group;
	unsigned threads, flags;
	uint64_t terminal; /* its device number */
	struct usage usage, child_usage;
	struct sched_parameters scheduling;
	unsigned cpu;
	ns_t started;
	uint64_t stack_limit, pending, shared_pending, blocked, ignored, caught, affinity;
	uint64_t resident_limit, queued, queued_limit;
	int exit_status, exit_signal;
	const struct credentials *who; /* with a reference */
	bool may_inspect, no_new_privs, dumping;
};

static char state_of(const struct process *process, const struct thread *thread) requires(
	process_lock)
{
	const struct tracee *tracee;

	if (!thread)
		return process->thread_count || process->zombie ? 'Z' : 'X';
	tracee = thread->signals.tracee;
	if (tracee && tracee->stopped)
		return 't';
	if (thread->signals.stopped)
		return 'T';
	return __atomic_load_n(&thread->sched.state, __ATOMIC_RELAXED) == THREAD_RUNNABLE ? 'R'
											  : 'S';
}

static void take_signals(struct snapshot *out, const struct process *process,
	const struct thread *thread) requires(process_lock)
{
	struct signal_actions *actions = process->signals.actions;

	if (!thread)
		return;
	out->pending = thread->signals.queue.set;
	out->shared_pending = process->signals.queue.set;
	out->blocked = thread->signals.blocked;
	for (uint64_t left = actions->changed; left; left &= left - 1) {
		unsigned index = (unsigned)__builtin_ctzll(left);

		if (actions->of[index].handler == (uintptr_t)SIG_IGN)
			out->ignored |= UINT64_C(1) << index;
		else if (actions->of[index].handler != (uintptr_t)SIG_DFL)
			out->caught |= UINT64_C(1) << index;
	}
}

/* Of one thread, or of all that the process has and had. */
static void take_usage(struct snapshot *out, struct process *process, struct thread *thread,
	bool whole) requires(process_lock)
{
	struct thread *each;
	struct usage usage;

	if (!whole) {
		if (thread)
			thread_usage(thread, &out->usage);
		return;
	}
	out->usage = process->usage;
	out->child_usage = process->child_usage;
	list_for_each(each, &process->threads, siblings)
	{
		thread_usage(each, &usage);
		usage_add(&out->usage, &usage);
	}
}

static void take_thread(struct snapshot *out, struct thread *thread) requires(process_lock)
{
	const struct tracee *tracee = thread->signals.tracee;

	memcpy(out->name, thread->name, NAME_SIZE);
	sched_get_parameters(thread, &out->scheduling);
	out->affinity = sched_affinity(thread);
	out->cpu = thread->sched.cpu->index;
	out->tracer = tracee ? tracee->tracer->id : 0;
	out->no_new_privs = thread->no_new_privs;
	out->started = thread->started;
	if (!(out->flags & PF_KTHREAD) && !(thread->personality & ADDR_NO_RANDOMIZE))
		out->flags |= PF_RANDOMIZE;
	if (thread->signals.leaving)
		out->flags |= PF_EXITING;
	if (thread->files)
		out->fd_room = files_room(thread->files);
	if (thread->fs)
		fs_context_get(out->fs = thread->fs);
}

static void take_process(struct snapshot *out, struct process *process) requires(process_lock)
{
	const struct limit *limits = process->limits;

	out->pid = process->id;
	out->parent = process->parent ? process->parent->id : 0;
	if (process->kernel) { /* on Linux they are in no group and no session */
		out->flags = PF_KTHREAD;
	} else {
		out->group = process->group_id;
		out->session = process->session_id;
	}
	out->threads = process->thread_count;
	out->exit_status = process->exit_status;
	out->exit_signal = process->exit_signal;
	out->resident_limit = limits[RLIMIT_RSS].soft;
	out->queued_limit = limits[RLIMIT_SIGPENDING].soft;
	out->dumping = process->core;
	out->space = process->space;
	if (out->space)
		space_get(out->space);
}

enum whose { WHOLE_PROCESS, ONE_THREAD };

/* What is there to tell; snapshot_end in any case but an error. */
static int snapshot(const struct proc_inode *inode, enum whose whose, struct snapshot *out)
{
	struct process *process;
	struct thread *thread;
	int error;

	memset(out, 0, sizeof(*out));
	spin_lock(&process_lock);
	error = proc_target(inode, &process, &thread);
	if (error) {
		spin_unlock(&process_lock);
		return error;
	}
	memcpy(out->name, process->name, NAME_SIZE);
	out->started = process->started;
	take_process(out, process);
	if (thread)
		take_thread(out, thread);
	if (!process->has_executed && !process->kernel)
		out->flags |= PF_FORKNOEXEC;
	out->tid = inode->pid->number;
	out->state = state_of(process, thread);
	take_usage(out, process, thread, whose == WHOLE_PROCESS);
	take_signals(out, process, thread);
	out->who = thread ? thread->credentials : process_credentials(process);
	credentials_get(out->who);
	out->queued = signal_entries_of(out->who->uid);
	out->may_inspect = !process_may_inspect(process, thread, INSPECT_FILE_IDS);
	spin_unlock(&process_lock);
	tty_numbers_of_session(out->session, &out->terminal, &out->terminal_group);
	return 0;
}

static void snapshot_end(struct snapshot *taken)
{
	credentials_put(taken->who);
	if (taken->space)
		space_put(taken->space);
	if (taken->fs)
		fs_context_put(taken->fs);
}

/* ---- stat ---- */

static unsigned long ticks(ns_t time)
{
	return time / CLOCK_TICK;
}

static long priority_of(const struct sched_parameters *scheduling)
{
	return scheduling->rt_priority ? -1 - (long)sched_shown_priority(scheduling)
				       : 20 + scheduling->nice;
}

/* Fields 1 to 22. */
static void add_stat_times(struct text *out, const struct snapshot *from)
{
	const struct usage *used = &from->usage, *children = &from->child_usage;
	uint64_t device = from->terminal;

	text_add(out, "%d (%s) %c %d %d %d %d %d %u ", from->tid, from->name, from->state,
		from->parent, from->group, from->session, (int)device, from->terminal_group,
		from->flags);
	text_add(out, "%lu %lu %lu %lu ", used->minor_faults, children->minor_faults,
		used->major_faults, children->major_faults);
	text_add(out, "%lu %lu %ld %ld %ld %d %u 0 %lu ", ticks(used->user), ticks(used->system),
		(long)ticks(children->user), (long)ticks(children->system),
		priority_of(&from->scheduling), from->scheduling.nice, from->threads,
		ticks(from->started));
}

/* Fields 23 to 37. */
static void add_stat_memory(struct text *out, const struct snapshot *from)
{
	static const struct space none;
	const struct space *space = from->space ? from->space : &none;
	const struct space *shown = from->may_inspect ? space : &none;
	uint64_t low = 0x7fffffff; /* of signals: an old field, of 31 of them */

	text_add(out, "%lu %lu %lu ", space->pages * PAGE_SIZE, space_resident(space),
		from->resident_limit);
	text_add(out, "%lu %lu %lu 0 0 ", from->space ? (shown->code ? shown->code : 1) : 0,
		from->space ? (shown->code_end ? shown->code_end : 1) : 0, shown->stack_start);
	text_add(out, "%lu %lu %lu %lu 0 0 0 ", from->pending & low, from->blocked & low,
		from->ignored & low, from->caught & low);
}

/* Fields 38 to 52. */
static void add_stat_rest(struct text *out, const struct snapshot *from)
{
	static const struct space none;
	const struct space *space = from->space && from->may_inspect ? from->space : &none;

	text_add(out, "%d %u %u %u 0 0 0 ", from->exit_signal, from->cpu,
		sched_shown_priority(&from->scheduling), from->scheduling.policy);
	text_add(out, "%lu %lu %lu %lu %lu %lu %lu %d\n", space->data, space->data_end,
		space->brk_start, space->arguments, space->arguments_end, space->arguments_end,
		space->environment_end, from->may_inspect ? from->exit_status : 0);
}

int proc_show_stat(struct proc_file *file, struct text *out)
{
	struct snapshot *taken = (struct snapshot *)proc_scratch(file);
	int error;

	_Static_assert(sizeof(*taken) <= PATH_MAX, "a snapshot fits into the scratch");
	error = taken ? snapshot(file->inode, file->inode->of_thread ? ONE_THREAD : WHOLE_PROCESS,
				taken)
		      : -ENOMEM;
	if (error)
		return error;
	add_stat_times(out, taken);
	add_stat_memory(out, taken);
	add_stat_rest(out, taken);
	snapshot_end(taken);
	file->cursor = PROC_END;
	return 0;
}

int proc_show_statm(struct proc_file *file, struct text *out)
{
	struct space *space = proc_space(file->inode, 0);
	struct process *process;
	int error = proc_process(file->inode, &process);

	if (!error)
		process_put(process);
	if (!space) {
		text_add(out, "0 0 0 0 0 0 0\n");
	} else {
		text_add(out, "%lu %lu %lu %lu 0 %lu 0\n", space->pages, space_resident(space),
			space->resident[RESIDENT_FILE] + space->resident[RESIDENT_SHMEM],
			(ALIGN_UP(space->code_end, PAGE_SIZE) -
				ALIGN_DOWN(space->code, PAGE_SIZE)) /
				PAGE_SIZE,
			space->kind_pages[VMA_KIND_DATA] + space->kind_pages[VMA_KIND_STACK]);
		space_put(space);
	}
	file->cursor = PROC_END;
	return error;
}

/* ---- status ---- */

static const char *state_name(char state)
{
	switch (state) {
	case 'R':
		return "R (running)";
	case 'S':
		return "S (sleeping)";
	case 'T':
		return "T (stopped)";
	case 't':
		return "t (tracing stop)";
	case 'Z':
		return "Z (zombie)";
	default:
		return "X (dead)";
	}
}

static void add_who(struct text *out, const struct snapshot *from)
{
	const struct credentials *who = from->who;

	text_add(out, "Name:\t");
	text_escaped(out, from->name, "\n\\");
	text_add(out, "\n");
	if (from->fs)
		text_add(
			out, "Umask:\t%04o\n", __atomic_load_n(&from->fs->umask, __ATOMIC_RELAXED));
	text_add(out, "State:\t%s\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n",
		state_name(from->state), from->pid, from->tid, from->parent, from->tracer);
	text_add(out, "Uid:\t%u\t%u\t%u\t%u\nGid:\t%u\t%u\t%u\t%u\n", who->uid, who->euid,
		who->suid, who->fsuid, who->gid, who->egid, who->sgid, who->fsgid);
	text_add(out, "FDSize:\t%u\nGroups:\t", from->fd_room);
	for (uint32_t i = 0; who->groups && i < who->groups->count; i++)
		text_add(out, "%s%u", i ? " " : "", who->groups->ids[i]);
	text_add(out, " \nNStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", from->pid, from->tid,
		from->group, from->session);
}

static void add_pages(struct text *out, const char *name, uint64_t pages)
{
	text_add(out, "%s:\t%8lu kB\n", name, pages * (PAGE_SIZE / 1024));
}

static void add_memory(struct text *out, const struct space *space)
{
	uint64_t code = (ALIGN_UP(space->code_end, PAGE_SIZE) -
				ALIGN_DOWN(space->code, PAGE_SIZE)) /
			PAGE_SIZE,
		 all_code = space->kind_pages[VMA_KIND_CODE];

	if (code > all_code)
		code = all_code;
	add_pages(out, "VmPeak", space_pages_peak(space));
	add_pages(out, "VmSize", space->pages);
	add_pages(out, "VmLck", space->locked_pages);
	add_pages(out, "VmPin", 0);
	add_pages(out, "VmHWM", space_resident_peak(space));
	add_pages(out, "VmRSS", space_resident(space));
	add_pages(out, "RssAnon", space->resident[RESIDENT_ANON]);
	add_pages(out, "RssFile", space->resident[RESIDENT_FILE]);
	add_pages(out, "RssShmem", space->resident[RESIDENT_SHMEM]);
	add_pages(out, "VmData", space->kind_pages[VMA_KIND_DATA]);
	add_pages(out, "VmStk", space->kind_pages[VMA_KIND_STACK]);
	add_pages(out, "VmExe", code);
	add_pages(out, "VmLib", all_code - code);
	add_pages(out, "VmPTE", space->arch.tables);
	add_pages(out, "VmSwap", 0);
	add_pages(out, "HugetlbPages", 0);
}

static void add_signals(struct text *out, const struct snapshot *from)
{
	text_add(out, "Threads:\t%u\nSigQ:\t%lu/%lu\n", from->threads, from->queued,
		from->queued_limit);
	text_add(out, "SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\n", from->pending,
		from->shared_pending, from->blocked);
	text_add(out, "SigIgn:\t%016lx\nSigCgt:\t%016lx\n", from->ignored, from->caught);
}

/* A mask of CPUs or nodes as a list of ranges. */
static void add_list(struct text *out, uint64_t mask)
{
	const char *comma = "";

	while (mask) {
		unsigned first = (unsigned)__builtin_ctzll(mask);
		uint64_t rest = ~(mask >> first);
		unsigned count = rest ? (unsigned)__builtin_ctzll(rest) : 64 - first;

		text_add(out, count > 1 ? "%s%u-%u" : "%s%u", comma, first, first + count - 1);
		comma = ",";
		mask = first + count < 64 ? mask & (~UINT64_C(0) << (first + count)) : 0;
	}
}

static void add_rest(struct text *out, const struct snapshot *from)
{
	const struct credentials *who = from->who;

	text_add(out,
		"CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%"
		"016lx\n",
		who->inheritable, who->permitted, who->effective, who->bounding, who->ambient);
	text_add(out, "NoNewPrivs:\t%d\nSeccomp:\t0\nSeccomp_filters:\t0\n", from->no_new_privs);
	text_add(out, "Speculation_Store_Bypass:\tvulnerable\n"
		      "SpeculationIndirectBranch:\talways enabled\n");
	if (cpu_count > 32)
		text_add(out, "Cpus_allowed:\t%08x,%08x\nCpus_allowed_list:\t",
			(unsigned)(from->affinity >> 32), (unsigned)from->affinity);
	else
		text_add(out, "Cpus_allowed:\t%0*lx\nCpus_allowed_list:\t",
			(int)DIV_ROUND_UP(cpu_count, 4), from->affinity);
	add_list(out, from->affinity);
	text_add(out, "\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
	text_add(out, "voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n",
		from->usage.voluntary, from->usage.involuntary);
}

int proc_show_status(struct proc_file *file, struct text *out)
{
	struct snapshot *taken = (struct snapshot *)proc_scratch(file);
	int error = taken ? snapshot(file->inode, ONE_THREAD, taken) : -ENOMEM;

	if (error)
		return error;
	add_who(out, taken);
	if (taken->space) {
		add_memory(out, taken->space);
		text_add(out, "CoreDumping:\t%d\nTHP_enabled:\t0\n", taken->dumping);
	}
	add_signals(out, taken);
	add_rest(out, taken);
	snapshot_end(taken);
	file->cursor = PROC_END;
	return 0;
}
