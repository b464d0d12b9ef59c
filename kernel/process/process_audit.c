/* SPDX-License-Identifier: MIT */
/*
 * The invariants of process.c, table.c and the run queues, checked while the machine stands still (stop.h), so without
 * locks.
 *
 * Of each process: its parent, children, group, session, threads and numbers know it as it knows them; a zombie has no
 * thread. Of each descriptor table: its bits and slots agree; no more threads use it than it has references, and an open
 * file has at least as many as descriptors lead to it. Of each CPU: the threads on its queue are as many as
 * it counts, runnable, and its own.
 */
#include "process/process_audit.h"

#include "files/table.h"
#include "lib/errno.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "process/cpu.h"
#include "process/process.h"
#include "process/sched_queue.h"

int process_audit_begin(struct process_audit *audit)
{
	audit->tallies = kzalloc(PROCESS_AUDIT_TALLIES * sizeof(*audit->tallies));
	return audit->tallies ? 0 : -ENOMEM;
}

void process_audit_end(struct process_audit *audit)
{
	kfree(audit->tallies);
}

/* One more of it: how many by now; 0: there is no room to count. */
static uint32_t tally(struct process_audit *audit, const void *what)
{
	uint64_t at = (uintptr_t)what * UINT64_C(0x9e3779b97f4a7c15) >> 40;

	for (;; at++) {
		struct tally *tally = &audit->tallies[at % PROCESS_AUDIT_TALLIES];

		if (tally->what == what)
			return ++tally->count;
		if (tally->what)
			continue;
		if (audit->tallied >= PROCESS_AUDIT_TALLIES / 2)
			return 0;
		audit->tallied++;
		*tally = (struct tally){what, 1};
		return 1;
	}
}

static void broken(struct process_audit *audit, const char *what)
{
	if (!audit->broken)
		audit->broken = what;
}

/* ---- Threads ---- */

static void audit_file(void *context, struct file *file)
{
	struct process_audit *audit = context;

	audit->open_files++;
	if (tally(audit, file) > file->references)
		broken(audit, "more descriptors lead to an open file than it has references");
}

static void audit_thread(
	struct process_audit *audit, struct process *process, struct thread *thread)
{
	const char *wrong;
	uint32_t users;

	audit->threads++;
	if (thread->process != process)
		broken(audit, "a thread is of another process than the one that lists it");
	if (!thread->pid || thread->pid->thread != thread || thread->pid->number != thread->tid)
		broken(audit, "a thread's number is not its own");
	if (thread->sched.state == THREAD_DEAD)
		broken(audit, "a dead thread is listed");
	if (thread->sched.queued && thread->sched.state != THREAD_RUNNABLE)
		broken(audit, "a thread that sleeps is on a run queue");
	if (!thread->files)
		return;
	users = tally(audit, thread->files);
	if (users > files_users(thread->files))
		broken(audit, "more threads use a descriptor table than it has references");
	wrong = users == 1 ? files_audit(thread->files, audit_file, audit) : NULL;
	if (wrong)
		broken(audit, wrong);
}

/* ---- Processes ---- */

static void audit_children(struct process_audit *audit, struct process *process)
{
	struct process *child;

	list_for_each(child, &process->children, sibling)
	{
		audit->children++;
		if (child->parent != process)
			broken(audit, "a child has another parent than the one that lists it");
	}
	audit->has_parent += process->parent != NULL;
	if (process->zombie && !list_empty(&process->children))
		broken(audit, "a zombie has children");
}

static void audit_threads(struct process_audit *audit, struct process *process)
{
	bool leads = !process->leader;
	struct thread *thread;
	unsigned count = 0;

	list_for_each(thread, &process->threads, siblings)
	{
		count++;
		leads |= thread == process->leader;
		audit_thread(audit, process, thread);
	}
	if (count != process->thread_count || process->ending > count)
		broken(audit, "the threads of a process are miscounted");
	if (!leads)
		broken(audit, "the leader of a process is none of its threads");
	if (process->zombie != !count)
		broken(audit, "a process without threads is no zombie, or one with threads is");
}

static bool is_listed(struct pid *pid, struct process *process)
{
	struct process *member;

	list_for_each(member, &pid->group, group_link)
	{
		if (member == process)
			return true;
	}
	return false;
}

static void audit_process(struct process *process, void *context)
{
	struct process_audit *audit = context;

	audit->processes++;
	if (!process->references || process->pid->process != process ||
		process->pid->number != process->id)
		broken(audit, "a process's number is not its own");
	if (!process->group || process->group->number != process->group_id ||
		!is_listed(process->group, process))
		broken(audit, "a process is not in its group");
	if (!process->session || process->session->number != process->session_id)
		broken(audit, "a process is not in its session");
	audit_children(audit, process);
	audit_threads(audit, process);
	if (process->space && !process->kernel && tally(audit, process->space) == 1)
		audit->space(audit->context, process->space);
}

/* ---- Run queues ---- */

static void audit_waiting(
	struct process_audit *audit, const struct cpu *cpu, const struct thread *thread)
{
	if (thread->sched.cpu != cpu || !thread->sched.queued || thread->sched.state == THREAD_DEAD)
		broken(audit, "a thread on a run queue is not that CPU's");
	if (!(thread->sched.affinity & cpu->bit))
		broken(audit, "a thread waits for a CPU that it may not run on");
}

static void audit_queue(struct process_audit *audit, struct cpu *cpu) no_lock_checks
{
	struct fair_queue *fair = &cpu->queue.fair;
	uint64_t weight = 0;
	unsigned count = 0;
	struct thread *thread;

	for (struct tree_node *node = tree_first(&fair->tree); node; node = tree_next(node)) {
		struct fair_entity *entity = tree_entry(node, struct fair_entity, node);

		count++;
		weight += entity->weight;
		audit_waiting(audit, cpu, queue_thread(entity));
	}
	if (count != fair->count || weight != fair->weight)
		broken(audit, "the fair threads of a run queue are miscounted");
	count = 0;
	for (unsigned i = 0; i < RT_PRIORITIES; i++) {
		bool used = cpu->queue.rt.used[i / 64] >> (i % 64) & 1;

		if (used == list_empty(&cpu->queue.rt.lists[i]))
			broken(audit, "the map of real-time priorities is wrong");
		list_for_each(thread, &cpu->queue.rt.lists[i], sched.run)
		{
			count++;
			audit_waiting(audit, cpu, thread);
		}
	}
	if (count != cpu->queue.rt.count)
		broken(audit, "the real-time threads of a run queue are miscounted");
	if (cpu->running->sched.cpu != cpu || cpu->running->sched.queued)
		broken(audit, "a CPU runs a thread that is not its own");
}

void process_audit_run(struct process_audit *audit) no_lock_checks
{
	process_for_each(audit_process, audit);
	if (audit->children != audit->has_parent)
		broken(audit, "parents do not list as many children as there are");
	for (unsigned i = 0; i < cpu_count; i++)
		audit_queue(audit, cpus[i]);
}
