/* SPDX-License-Identifier: MIT */
/*
 * /proc/PID: what a thread does in the kernel and how it is scheduled: stack, wchan, sched.
 *
 * A stack can be read only while its thread sleeps. Under process_lock the thread cannot go away, but it may
 * wake up and run while its stack is being looked at, so what was read counts only if it slept before and
 * afterwards and was not switched to in between. No address is given away: functions and offsets, as
 * Linux's.
 */
#include "files/procfs.h"

#include <linux/capability.h>

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "lib/symbols.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"

#define FRAMES      32u
#define PRIO_NORMAL 120 /* Linux's, of nice 0 */
#define NAME_WIDTH  45

static uint64_t switches_of(const struct thread *thread)
{
	return __atomic_load_n(&thread->sched.voluntary, __ATOMIC_ACQUIRE) +
	       __atomic_load_n(&thread->sched.involuntary, __ATOMIC_ACQUIRE);
}

/* And has given its CPU away: who is about to sleep says so before. */
static bool sleeps(const struct thread *thread)
{
	const struct cpu *cpu = __atomic_load_n(&thread->sched.cpu, __ATOMIC_ACQUIRE);

	return __atomic_load_n(&thread->sched.state, __ATOMIC_ACQUIRE) == THREAD_SLEEPING &&
	       __atomic_load_n(&cpu->running, __ATOMIC_ACQUIRE) != thread;
}

/* The return addresses from the function that sleeps on; 0: it runs, or there is none. */
static unsigned trace(struct thread *thread, virt_t *out) requires(process_lock)
{
	virt_t all[FRAMES];
	unsigned count, first = 0;
	uint64_t switches;

	if (!thread || (thread != current_thread() && !sleeps(thread)))
		return 0;
	switches = switches_of(thread);
	count = arch_stack_trace(thread, all, FRAMES);
	if (thread != current_thread() && (!sleeps(thread) || switches_of(thread) != switches))
		return 0;
	while (first < count && arch_is_scheduler(all[first]))
		first++;
	for (unsigned i = first; i < count; i++)
		out[i - first] = all[i];
	return count - first;
}

static int trace_of(const struct proc_inode *inode, virt_t *out, unsigned *count)
{
	struct process *process;
	struct thread *thread;
	int error;

	spin_lock(&process_lock);
	error = proc_target(inode, &process, &thread);
	*count = error ? 0 : trace(thread, out);
	spin_unlock(&process_lock);
	return error;
}

int proc_show_stack(struct proc_file *file, struct text *out)
{
	virt_t addresses[FRAMES];
	const char *name;
	unsigned count;
	uint32_t within;
	int error = capable(CAP_SYS_ADMIN) ? trace_of(file->inode, addresses, &count) : -EACCES;

	if (error)
		return error;
	for (unsigned i = 0; i < count; i++) {
		name = symbol_of(addresses[i] - 1, &within);
		if (name)
			text_add(out, "[<0>] %s+%#x/%#x\n", name, within + 1,
				symbol_length(addresses[i] - 1));
	}
	file->cursor = PROC_END;
	return 0;
}

/* Who may not look gets what a running thread gives: "0". */
int proc_show_wchan(struct proc_file *file, struct text *out)
{
	virt_t addresses[FRAMES];
	const char *name = NULL;
	uint32_t within;
	unsigned count;
	int error = trace_of(file->inode, addresses, &count);

	if (error)
		return error;
	if (count && !proc_may(file->inode, PROC_READ))
		name = symbol_of(addresses[0] - 1, &within);
	text_add(out, "%s", name ? name : "0");
	file->cursor = PROC_END;
	return 0;
}

/* ---- sched ---- */

struct schedule_seen {
	char name[NAME_SIZE];
	int tid;
	unsigned threads;
	struct usage usage;
	struct sched_parameters parameters;
	ns_t used;
};

static void add_number(struct text *out, const char *name, uint64_t number)
{
	text_add(out, "%-45s:%21lu\n", name, number);
}

/* Milliseconds with the nanoseconds as their fraction. */
static void add_time(struct text *out, const char *name, ns_t time)
{
	text_add(out, "%-45s:%14lu.%06lu\n", name, time / 1000000, time % 1000000);
}

static int see_schedule(const struct proc_inode *inode, struct schedule_seen *seen)
{
	struct process *process;
	struct thread *thread;
	int error;

	spin_lock(&process_lock);
	error = proc_target(inode, &process, &thread);
	if (!error && !thread)
		error = -ESRCH;
	if (!error) {
		memcpy(seen->name, thread->name, NAME_SIZE);
		seen->tid = thread->tid;
		seen->threads = process->thread_count;
		thread_usage(thread, &seen->usage);
		sched_get_parameters(thread, &seen->parameters);
		seen->used = thread_cpu_time(thread);
	}
	spin_unlock(&process_lock);
	return error;
}

/* What Linux has beyond this is about its own scheduler's insides. */
int proc_show_sched(struct proc_file *file, struct text *out)
{
	struct schedule_seen seen;
	int error = see_schedule(file->inode, &seen);

	if (error)
		return error;
	text_add(out, "%s (%d, #threads: %u)\n", seen.name, seen.tid, seen.threads);
	text_add(out, "-------------------------------------------------------------------\n");
	add_time(out, "se.sum_exec_runtime", seen.used);
	add_number(out, "nr_switches", seen.usage.voluntary + seen.usage.involuntary);
	add_number(out, "nr_voluntary_switches", seen.usage.voluntary);
	add_number(out, "nr_involuntary_switches", seen.usage.involuntary);
	add_number(out, "policy", seen.parameters.policy);
	add_number(out, "prio",
		seen.parameters.rt_priority ? RT_MOST - sched_shown_priority(&seen.parameters)
					    : (uint64_t)(PRIO_NORMAL + seen.parameters.nice));
	file->cursor = PROC_END;
	return 0;
}

/* How long it ran, how long it waited for a CPU (which nobody measures), how often it was given one. */
int proc_show_schedstat(struct proc_file *file, struct text *out)
{
	struct schedule_seen seen;
	int error = see_schedule(file->inode, &seen);

	if (error)
		return error;
	text_add(out, "%lu 0 %lu\n", seen.used, seen.usage.voluntary + seen.usage.involuntary);
	file->cursor = PROC_END;
	return 0;
}

/* ---- io ---- */

/* Of a process all of its threads, those gone too, and the children that it has waited for. */
static int see_usage(const struct proc_inode *inode, struct usage *out)
{
	struct process *process;
	struct thread *thread;
	int error;

	memset(out, 0, sizeof(*out));
	spin_lock(&process_lock);
	error = proc_target(inode, &process, &thread);
	if (!error && inode->of_thread) {
		if (thread)
			*out = thread->usage;
	} else if (!error) {
		usage_add(out, &process->usage);
		usage_add(out, &process->child_usage);
		list_for_each(thread, &process->threads, siblings) usage_add(out, &thread->usage);
	}
	spin_unlock(&process_lock);
	return error;
}

/* Nothing here reads or writes a disk. */
int proc_show_io(struct proc_file *file, struct text *out)
{
	struct usage usage;
	int error = see_usage(file->inode, &usage);

	if (error)
		return error;
	text_add(out,
		"rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\nread_bytes: 0\nwrite_bytes: 0\n"
		"cancelled_write_bytes: 0\n",
		usage.moved[0], usage.moved[1], usage.calls[0], usage.calls[1]);
	file->cursor = PROC_END;
	return 0;
}
