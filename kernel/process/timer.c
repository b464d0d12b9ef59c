/* SPDX-License-Identifier: MIT */
/*
 * Timers: a tree a CPU, ordered by time; the machine's timer is armed for the first by the scheduler
 * (sched_rearm). Locks: the CPU's timer_lock over the tree and the timers on it; functions are called
 * without it. A timer fires on the CPU it was armed on. timer_running is the one whose function runs, so
 * that a cancel from another CPU can wait for it.
 */
#include "process/timer.h"

#include "process/cpu.h"
#include "process/sched.h"

static bool sooner(const struct tree_node *a, const struct tree_node *b)
{
	return tree_entry(a, struct timer, node)->when < tree_entry(b, struct timer, node)->when;
}

void timer_init(struct timer *timer, void (*function)(struct timer *timer))
{
	*timer = (struct timer){.when = NS_NEVER, .function = function};
}

/* After each change of the tree: who only wants to know when takes no lock. */
static void note_first(struct cpu *cpu) requires(cpu->timer_lock)
{
	struct tree_node *node = tree_first(&cpu->timers);

	if (node)
		__atomic_store_n(&cpu->timer_first, tree_entry(node, struct timer, node)->when,
			__ATOMIC_RELAXED);
}

/* Takes the timer off the tree it may be on. False: its function runs on another CPU; it may have been
 * armed anew when that is over. */
static bool try_cancel(struct timer *timer) no_lock_checks
{
	struct cpu *cpu = __atomic_load_n(&timer->cpu, __ATOMIC_ACQUIRE);
	bool done;

	if (!cpu)
		return true;
	spin_lock(&cpu->timer_lock);
	done = timer->cpu == cpu && (cpu->timer_running != timer || cpu == this_cpu());
	if (timer->cpu == cpu && timer->armed) {
		tree_remove(&cpu->timers, &timer->node);
		timer->armed = false;
		note_first(cpu);
	}
	spin_unlock(&cpu->timer_lock);
	return done;
}

void timer_cancel(struct timer *timer)
{
	while (unlikely(!try_cancel(timer)))
		arch_pause();
}

static void insert(struct cpu *cpu, struct timer *timer, ns_t when) requires(cpu->timer_lock)
{
	timer->when = when;
	timer->armed = true;
	__atomic_store_n(&timer->cpu, cpu, __ATOMIC_RELEASE);
	tree_insert(&cpu->timers, &timer->node, sooner);
	note_first(cpu);
}

/* While its function runs on another CPU the timer stays there: that one looks again when the function is
 * over. So nobody waits for it, who may hold a lock that it takes. False: it does not run. */
static bool arm_where_it_runs(struct timer *timer, ns_t when) no_lock_checks
{
	struct cpu *cpu = __atomic_load_n(&timer->cpu, __ATOMIC_ACQUIRE);
	bool runs;

	if (!cpu || cpu == this_cpu())
		return false;
	spin_lock(&cpu->timer_lock);
	runs = timer->cpu == cpu && cpu->timer_running == timer;
	if (runs && timer->armed)
		tree_remove(&cpu->timers, &timer->node);
	if (runs)
		insert(cpu, timer, when);
	spin_unlock(&cpu->timer_lock);
	return runs;
}

void timer_arm(struct timer *timer, ns_t when)
{
	uint32_t interrupts = arch_irq_save();
	struct cpu *cpu = this_cpu();

	while (!arm_where_it_runs(timer, when)) {
		if (unlikely(!try_cancel(timer)))
			continue; /* it came this moment */
		spin_lock(&cpu->timer_lock);
		insert(cpu, timer, when);
		spin_unlock(&cpu->timer_lock);
		sched_rearm();
		break;
	}
	arch_irq_restore(interrupts);
}

/* The first timer that is due, off the tree; NULL: none. */
static struct timer *take_due(struct cpu *cpu, ns_t now)
{
	struct timer *timer = NULL;
	struct tree_node *node;

	spin_lock(&cpu->timer_lock);
	node = tree_first(&cpu->timers);
	if (node && tree_entry(node, struct timer, node)->when <= now) {
		timer = tree_entry(node, struct timer, node);
		tree_remove(&cpu->timers, node);
		timer->armed = false;
		note_first(cpu);
	}
	cpu->timer_running = timer;
	spin_unlock(&cpu->timer_lock);
	return timer;
}

ns_t timers_run(ns_t now)
{
	struct timer *timer;

	/* Each look says that the function before is over, under the lock. */
	while ((timer = take_due(this_cpu(), now)))
		timer->function(timer);
	return timers_next();
}

ns_t timers_next(void)
{
	struct cpu *cpu = this_cpu();

	if (!__atomic_load_n(&cpu->timers.root, __ATOMIC_RELAXED))
		return NS_NEVER;
	return __atomic_load_n(&cpu->timer_first, __ATOMIC_RELAXED);
}
