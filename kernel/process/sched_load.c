/* SPDX-License-Identifier: MIT */
/*
 * What the machine did, for /proc/stat, uptime and loadavg.
 *
 * A CPU's time: what it was idle is exact, its idle thread's. The rest is divided as ticks found it: in user mode,
 * in user mode at a positive nice value, in the kernel. What was told once never shrinks.
 *
 * The load is Linux's: every five seconds the count of runnable threads goes into three averages, which
 * forget exponentially (1, 5 and 15 minutes). A CPU that runs something looks at each tick whether it is
 * time; while all are idle nobody does, and who comes next counts the periods missed as idle.
 *
 * Locks: a CPU's queue lock for its times; load_lock, a leaf, for the averages.
 */
#include "lib/log.h"
#include "process/sched.h"
#include "process/sched_queue.h"

/* ---- A CPU's time ---- */

static ns_t part_of(ns_t total, ns_t part, ns_t whole)
{
	while (whole >> 20) {
		part >>= 1;
		whole >>= 1;
	}
	return whole ? total * part / whole : 0;
}

static void grow_to(ns_t *told, ns_t now)
{
	if (now > *told)
		*told = now;
}

void sched_cpu_times(struct cpu *cpu, struct cpu_times *out)
{
	struct cpu_times *told = &cpu->told;
	ns_t now, busy, seen;

	spin_lock(&cpu->queue.lock);
	now = arch_clock();
	queue_account(cpu, now);
	grow_to(&told->idle, cpu->idle->sched.run_total);
	busy = now > told->idle ? now - told->idle : 0;
	seen = cpu->seen.user + cpu->seen.nice + cpu->seen.system;
	grow_to(&told->user, part_of(busy, cpu->seen.user, seen));
	grow_to(&told->nice, part_of(busy, cpu->seen.nice, seen));
	grow_to(&told->system, busy > told->user + told->nice ? busy - told->user - told->nice : 0);
	*out = *told;
	spin_unlock(&cpu->queue.lock);
}

/* ---- The load ---- */

#define PERIOD     (5 * NS_PER_SECOND)
#define FIXED_BITS 11
#define FIXED_ONE  (UINT64_C(1) << FIXED_BITS)
#define FORGOTTEN  1000 /* periods after which nothing is left of any average */

static const uint16_t weights[3] = {1884, 2014, 2037}; /* e^(-5/60), e^(-5/300), e^(-5/900) */

static struct spinlock load_lock = SPINLOCK_INIT;
static uint64_t averages[3] guarded_by(load_lock);
ns_t sched_load_next = PERIOD; /* atomic */

static uint64_t average(uint64_t old, uint64_t weight, uint64_t active)
{
	uint64_t new = old *weight + active *(FIXED_ONE - weight);

	if (active >= old)
		new += FIXED_ONE - 1;
	return new >> FIXED_BITS;
}

unsigned sched_runnable(void)
{
	unsigned count = 0;

	for (unsigned i = 0; i < cpu_count; i++)
		count += cpu_waiting(cpus[i]) +
			 (__atomic_load_n(&cpus[i]->running, __ATOMIC_RELAXED) != cpus[i]->idle);
	return count;
}

void sched_load_update(ns_t now)
{
	uint64_t active = (uint64_t)sched_runnable() << FIXED_BITS, missed;

	spin_lock(&load_lock);
	if (now >= sched_load_next) {
		missed = (now - sched_load_next) / PERIOD;
		for (uint64_t n = missed < FORGOTTEN ? missed : FORGOTTEN; n; n--)
			for (unsigned i = 0; i < 3; i++)
				averages[i] = average(averages[i], weights[i], 0);
		for (unsigned i = 0; i < 3; i++)
			averages[i] = average(averages[i], weights[i], active);
		__atomic_store_n(&sched_load_next, sched_load_next + (missed + 1) * PERIOD,
			__ATOMIC_RELAXED);
	}
	spin_unlock(&load_lock);
}

void sched_load(uint64_t load[3])
{
	sched_load_update(arch_clock());
	spin_lock(&load_lock);
	for (unsigned i = 0; i < 3; i++)
		load[i] = averages[i] << (SCHED_LOAD_BITS - FIXED_BITS);
	spin_unlock(&load_lock);
}
