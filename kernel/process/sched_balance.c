/* SPDX-License-Identifier: MIT */
/*
 * Which CPU a thread runs on.
 *
 * Work moves at four occasions. A wake-up goes to the CPU where the thread ran last, whose cache may
 * still know it, unless that one is busy and another is idle; a new thread goes to an idle CPU or the
 * one with the least to do. A CPU about to be idle takes a waiting thread from the one with the most.
 * A busy CPU looks every few ticks whether another has much more to do (by weight) and takes half of
 * the difference. Real-time threads go where something of lower priority runs, by the same occasions.
 * So an idle CPU needs no tick.
 *
 * What it misses: each look is at the one busiest CPU alone. When all who wait there are bound to it,
 * nothing moves, and an idle CPU stays idle though it might run what waits on a third one.
 *
 * Glances at other CPUs are without their locks: what they tell may be old, which makes a choice less
 * good and never wrong. To move a waiting thread both queues are locked, the lower CPU's first.
 */
#include "lib/log.h"
#include "process/sched.h"
#include "process/sched_queue.h"

#define MOST_LOOKED_AT 32u /* waiting threads of another CPU, in one go */

static uint64_t online(void)
{
	return __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE);
}

/* ---- Wake-ups ---- */

/* The priority that a thread must exceed to run on a CPU now: 0 under a fair one, -1 if idle. */
static int priority_of(const struct cpu *cpu)
{
	unsigned waiting = rt_highest(&cpu->queue.rt),
		 runs = __atomic_load_n(&cpu->priority, __ATOMIC_RELAXED);

	if (cpu_is_idle(cpu))
		return -1;
	return (int)(waiting > runs ? waiting : runs);
}

static struct cpu *choose_rt(const struct thread *thread, uint64_t allowed)
{
	struct cpu *last = thread->sched.cpu, *best = NULL;
	int least = thread->sched.rt_priority, priority;

	if (allowed & cpu_bit(last)) {
		best = last;
		least = priority_of(last);
		if (least < 0)
			return last;
	}
	for (uint64_t rest = allowed; rest; rest &= rest - 1) {
		struct cpu *cpu = cpus[__builtin_ctzll(rest)];

		priority = priority_of(cpu);
		if (!best || priority < least) {
			best = cpu;
			least = priority;
		}
	}
	return best;
}

static struct cpu *find_idle(uint64_t allowed)
{
	for (uint64_t rest = allowed; rest; rest &= rest - 1) {
		struct cpu *cpu = cpus[__builtin_ctzll(rest)];

		if (cpu_is_idle(cpu))
			return cpu;
	}
	return NULL;
}

static struct cpu *find_least(uint64_t allowed)
{
	struct cpu *best = NULL;

	for (uint64_t rest = allowed; rest; rest &= rest - 1) {
		struct cpu *cpu = cpus[__builtin_ctzll(rest)];

		if (!best || cpu_waiting(cpu) < cpu_waiting(best))
			best = cpu;
	}
	return best;
}

struct cpu *balance_choose(struct thread *thread, enum fair_arrival arrival)
{
	struct cpu *last = thread->sched.cpu, *idle;
	uint64_t allowed = thread->sched.affinity & online();

	if (likely(allowed == cpu_bit(last)))
		return last;
	assert(allowed);
	if (sched_is_rt(&thread->sched))
		return choose_rt(thread, allowed);
	if ((allowed & cpu_bit(last)) && cpu_is_idle(last))
		return last;
	idle = find_idle(allowed);
	if (idle)
		return idle;
	return arrival != FAIR_NEW && (allowed & cpu_bit(last)) ? last : find_least(allowed);
}

/* ---- Moving those that wait ---- */

static void lock_both(struct cpu *a, struct cpu *b) no_lock_checks
{
	spin_lock(&(a->index < b->index ? a : b)->queue.lock);
	spin_lock_nested(&(a->index < b->index ? b : a)->queue.lock);
}

static void unlock_both(struct cpu *a, struct cpu *b) no_lock_checks
{
	spin_unlock(&(a->index < b->index ? b : a)->queue.lock);
	spin_unlock(&(a->index < b->index ? a : b)->queue.lock);
}

static void move(struct thread *thread, struct cpu *from, struct cpu *to) requires(
	from->queue.lock, to->queue.lock)
{
	queue_remove(from, thread);
	__atomic_store_n(&thread->sched.cpu, to, __ATOMIC_RELEASE);
	queue_add(to, thread, FAIR_MOVED);
}

static uint64_t load_of(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->queue.fair.weight, __ATOMIC_RELAXED) +
	       __atomic_load_n(&cpu->weight, __ATOMIC_RELAXED);
}

/* Moves fair threads that may run on `to` and together weigh `most` at most, `count` at most; those
 * first whose turn comes last. Returns how many. */
static unsigned move_some(struct cpu *from, struct cpu *to, uint64_t most, unsigned count) requires(
	from->queue.lock, to->queue.lock)
{
	struct tree_node *node = tree_last(&from->queue.fair.tree), *before;
	unsigned moved = 0;

	for (unsigned seen = 0; node && seen < MOST_LOOKED_AT && moved < count;
		seen++, node = before) {
		struct thread *thread = container_of(node, struct thread, sched.fair.node);

		before = tree_prev(node);
		if (!(thread->sched.affinity & cpu_bit(to)) || thread->sched.fair.weight > most)
			continue;
		most -= thread->sched.fair.weight;
		move(thread, from, to);
		moved++;
	}
	return moved;
}

void balance_before_idle(struct cpu *cpu) no_lock_checks
{
	struct cpu *busiest = NULL;

	for (uint64_t rest = online() & ~cpu_bit(cpu); rest; rest &= rest - 1) {
		struct cpu *other = cpus[__builtin_ctzll(rest)];

		if (other->queue.fair.count &&
			(!busiest || other->queue.fair.count > busiest->queue.fair.count))
			busiest = other;
	}
	if (!busiest)
		return;
	lock_both(cpu, busiest);
	move_some(busiest, cpu, UINT64_MAX, 1);
	unlock_both(cpu, busiest);
}

bool balance_load(struct cpu *cpu) no_lock_checks
{
	struct cpu *busiest = NULL;
	uint64_t own = load_of(cpu), load;
	unsigned moved = 0;

	for (uint64_t rest = online() & ~cpu_bit(cpu); rest; rest &= rest - 1) {
		struct cpu *other = cpus[__builtin_ctzll(rest)];

		if (other->queue.fair.count && (!busiest || load_of(other) > load_of(busiest)))
			busiest = other;
	}
	if (!busiest || load_of(busiest) <= own)
		return false;
	lock_both(cpu, busiest);
	own = load_of(cpu);
	load = load_of(busiest);
	/* Not if the two would only change places. */
	if (load > own)
		moved = move_some(busiest, cpu, (load - own) / 2, MOST_LOOKED_AT);
	unlock_both(cpu, busiest);
	return moved;
}

void balance_rt(struct cpu *cpu) no_lock_checks
{
	unsigned highest = rt_highest(&cpu->queue.rt);
	struct cpu *from = NULL;
	struct thread *thread;

	for (uint64_t rest = online() & ~cpu_bit(cpu); rest; rest &= rest - 1) {
		struct cpu *other = cpus[__builtin_ctzll(rest)];
		unsigned priority = rt_highest(&other->queue.rt);

		if (priority > highest) {
			highest = priority;
			from = other;
		}
	}
	if (!from)
		return;
	lock_both(cpu, from);
	list_for_each(thread, &from->queue.rt.lists[highest], sched.run)
	{
		if (thread->sched.affinity & cpu_bit(cpu)) {
			move(thread, from, cpu);
			break;
		}
	}
	unlock_both(cpu, from);
}
