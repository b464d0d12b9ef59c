/* SPDX-License-Identifier: MIT */
/*
 * Which CPU a thread runs on.
 *
 * A wake-up goes to the CPU where the thread ran last, whose cache may still know it, unless that one
 * is busy and another is idle; a new thread goes to an idle CPU or the one with the fewest waiting. A
 * CPU about to be idle takes a waiting thread from another one: it looks at all of them, those with
 * the most first, until it has one. A busy CPU looks every few ticks whether another has much more to
 * do (by weight) and takes half of the difference. Real-time threads go where something of lower
 * priority runs, by the same occasions.
 *
 * No CPU is idle while a thread that it may run waits on another one, but for the moment in which it
 * is told so. A CPU that is about to be idle sets its bit in cpus_idle, then looks at all queues, and
 * halts only while that bit is set. Who makes a thread wait does it in the other order: puts it on a
 * queue, then looks at cpus_idle (balance_waits); so one of the two sees the other. Whoever has work
 * for an idle CPU clears its bit, which claims it, and kicks it: it looks again. A thread comes to wait
 * when it wakes or begins, when it is preempted, when it moves, and in effect when its affinity
 * changes; and at each switch a CPU with waiting threads looks at cpus_idle. So an idle CPU needs no
 * tick.
 *
 * `fruitless` of a queue keeps idle CPUs from looking in vain again and again, where all who wait are
 * bound to other CPUs: bit n says that CPU n has looked at all of them and may run none. Who comes to
 * wait clears the bits of the CPUs that it may run on; both under the queue's lock.
 *
 * Glances at other CPUs are without their locks: what they tell may be old, which makes a choice less
 * good; where the claim above depends on it, a full barrier stands between the store and the glance.
 * To move a waiting thread both queues are locked, the lower CPU's first. The look of a CPU about to
 * be idle is linear in those that wait on the queue that it looks at, once until somebody new waits
 * there; a busy one's looks are bounded.
 */
#include "lib/log.h"
#include "process/sched.h"
#include "process/sched_queue.h"

#define MOST_LOOKED_AT 32u /* waiting threads of another CPU, by a busy one */

uint64_t cpus_idle;

static uint64_t online(void)
{
	return __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE);
}

/* ---- Wake-ups ---- */

/* CPUs that are idle, have found nothing to do, and for which nobody has anything since. */
static uint64_t idle_cpus(void)
{
	return __atomic_load_n(&cpus_idle, __ATOMIC_RELAXED);
}

/* The priority that a thread must exceed to run on a CPU now: 0 under a fair one, -1 if idle. */
static int priority_of(const struct cpu *cpu)
{
	unsigned waiting = rt_highest(&cpu->queue.rt),
		 runs = __atomic_load_n(&cpu->priority, __ATOMIC_RELAXED);

	if (idle_cpus() & cpu->bit)
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
	struct cpu *last = thread->sched.cpu;
	uint64_t allowed = thread->sched.affinity & online(), idle;

	if (likely(allowed == cpu_bit(last)))
		return last;
	assert(allowed);
	if (sched_is_rt(&thread->sched))
		return choose_rt(thread, allowed);
	idle = idle_cpus() & allowed;
	if (idle)
		return idle & cpu_bit(last) ? last : cpus[__builtin_ctzll(idle)];
	return arrival != FAIR_NEW && (allowed & cpu_bit(last)) ? last : find_least(allowed);
}

/* ---- Idle CPUs ---- */

void balance_set_idle(struct cpu *cpu)
{
	__atomic_store_n(&cpu->called, false, __ATOMIC_RELAXED); /* now it looks */
	if (!(idle_cpus() & cpu->bit))
		__atomic_or_fetch(&cpus_idle, cpu->bit, __ATOMIC_SEQ_CST);
}

bool balance_claim(struct cpu *cpu)
{
	return idle_cpus() & cpu->bit &&
	       __atomic_fetch_and(&cpus_idle, ~cpu->bit, __ATOMIC_SEQ_CST) & cpu->bit;
}

/* Somebody waits on this CPU: one of the idle CPUs among `mask` comes to look, if there is one that
 * has not looked in vain. */
static bool call_idle(const struct cpu *cpu, uint64_t mask)
{
	uint64_t rest = idle_cpus() & mask & ~cpu->bit &
			~__atomic_load_n(&cpu->queue.fruitless, __ATOMIC_RELAXED);

	for (; rest; rest &= rest - 1) {
		struct cpu *idle = cpus[__builtin_ctzll(rest)];

		if (balance_claim(idle)) {
			__atomic_store_n(&idle->called, true, __ATOMIC_RELAXED);
			arch_kick(idle);
			return true;
		}
	}
	return false;
}

/* An idle CPU that was called for one who waits has found another one to run: the next idle CPU comes
 * to look. */
static void call_next_idle(void)
{
	for (uint64_t rest = online(); rest && idle_cpus(); rest &= rest - 1) {
		struct cpu *cpu = cpus[__builtin_ctzll(rest)];

		if (cpu_waiting(cpu) && call_idle(cpu, UINT64_MAX))
			return;
	}
}

/* The CPU that runs what is least important of those that the thread may preempt comes to look. */
static void call_lower(struct cpu *cpu, struct thread *thread) requires(cpu->queue.lock)
{
	uint64_t allowed = thread->sched.affinity & online();
	struct cpu *lowest = allowed ? choose_rt(thread, allowed) : cpu;

	if (lowest == cpu || priority_of(lowest) >= thread->sched.rt_priority)
		return;
	__atomic_store_n(&lowest->asked, true, __ATOMIC_RELEASE);
	arch_kick(lowest);
}

void balance_waits(struct cpu *cpu, struct thread *thread)
{
	bool called;

	queue_not_fruitless(cpu, thread);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	called = call_idle(cpu, thread->sched.affinity);
	if (unlikely(sched_is_rt(&thread->sched)) && !called)
		call_lower(cpu, thread);
}

void balance_came(struct cpu *cpu, struct thread *thread)
{
	if (!balance_claim(cpu))
		balance_waits(cpu, thread);
}

void balance_switched(struct cpu *cpu, struct thread *self)
{
	if (cpu->running != cpu->idle) {
		balance_claim(cpu);
		if (unlikely(__atomic_load_n(&cpu->called, __ATOMIC_RELAXED))) {
			__atomic_store_n(&cpu->called, false, __ATOMIC_RELAXED);
			call_next_idle();
		}
	}
	if (self->sched.queued)
		balance_waits(cpu, self);
	else if (cpu_waiting(cpu) && idle_cpus())
		call_idle(cpu, UINT64_MAX);
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

/* Moves fair threads that may run on `to` and together weigh `most` at most, `count` at most, of the
 * `looked_at` first; those first whose turn comes last. Returns how many. */
static unsigned move_some(struct cpu *from, struct cpu *to, uint64_t most, unsigned count,
	unsigned looked_at) requires(from->queue.lock, to->queue.lock)
{
	struct tree_node *node = tree_last(&from->queue.fair.tree), *before;
	unsigned moved = 0;

	for (unsigned seen = 0; node && seen < looked_at && moved < count; seen++, node = before) {
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

/* Moves the first of the real-time threads above a priority that may run on `to`. */
static bool move_rt(struct cpu *from, struct cpu *to, unsigned above) requires(
	from->queue.lock, to->queue.lock)
{
	for (unsigned priority = rt_highest(&from->queue.rt); priority > above; priority--) {
		struct thread *thread;

		if (!rt_has(&from->queue.rt, priority))
			continue;
		list_for_each(thread, &from->queue.rt.lists[priority], sched.run)
		{
			if (thread->sched.affinity & cpu_bit(to)) {
				move(thread, from, to);
				return true;
			}
		}
	}
	return false;
}

/* Takes out of `rest` the CPU with the most, by what `measure` says (0: nothing to look for), of
 * those on whose queues this CPU may find something. NULL: none. */
static struct cpu *take_most(
	const struct cpu *cpu, uint64_t *rest, uint64_t (*measure)(const struct cpu *cpu))
{
	struct cpu *best = NULL;
	uint64_t most = 0;

	for (uint64_t left = *rest; left; left &= left - 1) {
		struct cpu *other = cpus[__builtin_ctzll(left)];
		uint64_t found = measure(other);

		if (found > most &&
			!(__atomic_load_n(&other->queue.fruitless, __ATOMIC_RELAXED) & cpu->bit)) {
			best = other;
			most = found;
		}
	}
	if (best)
		*rest &= ~cpu_bit(best);
	return best;
}

static uint64_t waiting_of(const struct cpu *cpu)
{
	return cpu_waiting(cpu);
}

static uint64_t load_if_some_wait(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->queue.fair.count, __ATOMIC_RELAXED) ? load_of(cpu) : 0;
}

static uint64_t rt_of(const struct cpu *cpu)
{
	return rt_highest(&cpu->queue.rt);
}

void balance_before_idle(struct cpu *cpu) no_lock_checks
{
	uint64_t rest = online() & ~cpu->bit;
	struct cpu *from;
	bool moved;

	while (!cpu_waiting(cpu) && (from = take_most(cpu, &rest, waiting_of))) {
		lock_both(cpu, from);
		moved = move_rt(from, cpu, 0) || move_some(from, cpu, UINT64_MAX, 1, UINT32_MAX);
		if (moved) {
			balance_claim(cpu);
		} else {
			queue_fruitless(from, cpu);
			call_idle(from, UINT64_MAX);
		}
		unlock_both(cpu, from);
	}
	if (cpu_waiting(cpu))
		call_next_idle();
}

bool balance_load(struct cpu *cpu) no_lock_checks
{
	uint64_t rest = online() & ~cpu->bit;
	unsigned moved = 0;
	struct cpu *from;

	while (!moved && (from = take_most(cpu, &rest, load_if_some_wait))) {
		uint64_t own, load;

		if (load_of(from) <= load_of(cpu))
			return false;
		lock_both(cpu, from);
		own = load_of(cpu);
		load = load_of(from);
		/* Not if the two would only change places. */
		if (load > own)
			moved = move_some(
				from, cpu, (load - own) / 2, MOST_LOOKED_AT, MOST_LOOKED_AT);
		unlock_both(cpu, from);
	}
	return moved;
}

void balance_rt(struct cpu *cpu, unsigned above) no_lock_checks
{
	uint64_t rest = online() & ~cpu->bit;
	bool moved = false;
	struct cpu *from;

	while (!moved && (from = take_most(cpu, &rest, rt_of))) {
		unsigned own = rt_highest(&cpu->queue.rt);

		above = own > above ? own : above;
		if (rt_highest(&from->queue.rt) <= above)
			return;
		lock_both(cpu, from);
		moved = move_rt(from, cpu, above);
		unlock_both(cpu, from);
	}
}
