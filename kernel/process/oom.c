/* SPDX-License-Identifier: MIT */
/*
 * Out of memory: who has the most goes.
 *
 * A call that asks for memory gets an errno; a page fault has nobody to give one to. Then the process
 * with the most pages (resident ones and page tables) is killed, whoever asked, and who asked waits
 * for its pages and tries again. Process 1 is never chosen. A process that is chosen twice, because
 * it has not ended yet, is just waited for. Who is chosen while it asks ends at once: a fault in
 * user mode by its result, one in the middle of a call (which gets EFAULT) by the signal.
 *
 * The chosen one may be slow to end, or wait for a mutex that who asked holds. So its private anonymous
 * pages are taken back after a while by a kernel thread, the reaper (space_reap): from then on its accesses to
 * what is not there fail, so that no call of its goes on with zeroes. A space that another process uses
 * too is left alone.
 *
 * /proc/PID/oom_score_adj moves the choice: each point counts as a thousandth of all RAM, and who has -1000 is
 * never chosen.
 *
 * A signal that is not deadly does not end the wait: the fault is tried again for as long as others
 * may bring pages, and the signal is delivered after it. Locks: process_lock, under which a process's space does
 * not go away.
 */
#include "process/oom.h"

#include <asm/signal.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"
#include "process/work.h"

#define WAIT_NS    (NS_PER_SECOND / 500)

#define REAP_DELAY (NS_PER_SECOND / 4) /* it may end by itself, and see to its robust futexes */

int oom_panics, oom_kills_asker;

static struct work_queue reaper;
static struct delayed_work reap_work;
static struct process *reaping; /* by process_lock; with a reference; NULL: none */

/* With a reference. NULL: there is nothing to take, or it is still looked at. */
static struct space *space_to_reap(struct process *victim)
{
	struct space *space;

	spin_lock(&process_lock);
	space = victim->space;
	if (space && (victim->core || space_is_shared(space)))
		space = NULL;
	if (space)
		space_get(space);
	spin_unlock(&process_lock);
	return space;
}

static void reap(struct work *unused)
{
	struct process *victim = reaping; /* and nobody changes it until it is NULL */
	struct space *space = space_to_reap(victim);

	(void)unused;
	if (space) {
		uint64_t pages = space_resident(space);

		space_reap(space);
		log_info("out of memory: %lu KiB are taken back before their process has ended",
			(pages - space_resident(space)) * 4);
		space_put(space);
	}
	spin_lock(&process_lock);
	reaping = NULL;
	spin_unlock(&process_lock);
	process_put(victim);
}

int oom_init(void)
{
	delayed_work_init(&reap_work, reap);
	return work_queue_start(&reaper, "oom_reaper");
}

/* One at a time; who is not taken now may be at the next try. */
static void reap_later(struct process *victim) requires(process_lock)
{
	if (reaping || space_is_reaped(victim->space))
		return;
	process_get(victim);
	reaping = victim;
	work_queue_add_later(&reaper, &reap_work, REAP_DELAY);
}

struct choice {
	struct process *victim;
	uint64_t pages;
};

static uint64_t pages_of(const struct process *process) requires(process_lock)
{
	return space_resident(process->space) + process->space->arch.tables;
}

int64_t oom_badness(const struct process *process)
{
	return (int64_t)pages_of(process) +
	       process->oom_adjust * (int64_t)pages_total() / OOM_ADJUST_MOST;
}

static void consider(struct process *process, void *context) requires(process_lock)
{
	struct choice *best = context;
	uint64_t pages;
	int64_t badness;

	if (process->id == 1 || !process->space || process->kernel || process->zombie ||
		process->oom_adjust == -OOM_ADJUST_MOST)
		return;
	badness = oom_badness(process);
	pages = badness > 0 ? (uint64_t)badness : 0;
	if (process == reaping) /* its pages will come back: nobody else need go */
		pages = UINT64_MAX;
	if (!best->victim || pages > best->pages)
		*best = (struct choice){process, pages};
}

/* vm.oom_kill_allocating_task: who asks, unless it may not be chosen. */
static void consider_self(struct process *self, struct choice *best) requires(process_lock)
{
	if (__atomic_load_n(&oom_kills_asker, __ATOMIC_RELAXED) && self->id != 1 && self->space &&
		self->oom_adjust != -OOM_ADJUST_MOST)
		*best = (struct choice){self, UINT64_MAX};
}

bool oom_relieve(void)
{
	struct process *self = current_process();
	struct choice best = {0};
	bool fresh, own;

	slab_shrink();
	if (__atomic_load_n(&oom_panics, __ATOMIC_RELAXED))
		panic("out of memory, and vm.panic_on_oom is set");
	spin_lock(&process_lock);
	consider_self(self, &best);
	if (!best.victim)
		process_for_each(consider, &best);
	own = !best.victim || best.victim == self;
	fresh = best.victim && !best.victim->exiting;
	if (fresh) {
		signal_send_kernel(best.victim, SIGKILL);
		log_warn(
			"out of memory: %s[%d] wanted a page; %s[%d], which has %lu KiB, is killed",
			self->name, self->id, best.victim->name, best.victim->id,
			pages_of(best.victim) * 4);
	}
	if (!own)
		reap_later(best.victim);
	spin_unlock(&process_lock);
	if (own || signal_kill_pending())
		return false;
	if (sched_sleep(arch_clock() + WAIT_NS))
		sched_point(); /* a signal is pending: it cannot sleep, but it can let others run */
	return true;
}
