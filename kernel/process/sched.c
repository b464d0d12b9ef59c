/* SPDX-License-Identifier: MIT */
/*
 * The scheduler: round robin, one run queue a CPU.
 *
 * A runnable thread is either running or on its CPU's queue, never both; a sleeping one is on
 * neither. The running thread's slice is 1/hz; the timer is armed for its end only while another
 * thread waits for the CPU, so a thread that is alone is not disturbed, and an idle CPU halts until
 * the next timer or device.
 *
 * A switch: schedule() takes the queue's lock, picks, calls arch_switch, and the thread switched to
 * drops the lock in switch_finish (a new thread in its first instructions). Going to sleep is two
 * steps, so that no wake-up is lost: the thread marks itself asleep (wait_prepare) while it is still
 * running, looks at its condition, and gives the CPU away; a wake-up in between makes it runnable
 * again, and schedule() then does not take it off.
 *
 * Locks: a queue's lock comes after process_lock and every wait queue's lock, before none.
 * Interrupts are off under it.
 */
#include "process/sched.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "memory/slab.h"
#include "process/current.h"

static struct thread boot_thread = {.name = "idle"};
static ns_t slice = NS_PER_SECOND / 100;
static unsigned rate = 100;

unsigned sched_hz(void)
{
	return rate;
}

void sched_init(unsigned hz)
{
	rate = hz;
	slice = NS_PER_SECOND / hz;
}

void sched_idle_init(struct cpu *cpu, struct thread *idle)
{
	list_init(&idle->sched.run);
	list_init(&idle->siblings);
	idle->sched.cpu = cpu;
	idle->sched.affinity = cpu_bit(cpu);
	cpu->idle = cpu->running = idle;
}

struct thread *sched_boot_thread(void)
{
	tree_init(&boot_cpu.timers);
	sched_idle_init(&boot_cpu, &boot_thread);
	return &boot_thread;
}

void sched_thread_init(struct thread *thread, const struct thread *parent)
{
	struct sched_entity *entity = &thread->sched;

	*entity = (struct sched_entity){.state = THREAD_SLEEPING,
		.cpu = this_cpu(),
		.affinity = parent->process ? parent->sched.affinity : UINT64_MAX};
	list_init(&entity->run);
}

/* Sets the machine's timer of this CPU to what comes first: a timer, or the end of the running slice.
 * One that is set for earlier is left: when it fires and nothing is due, it is set anew. That is cheaper
 * than to move it at each switch. An idle CPU's is set exactly, so that nothing disturbs it in vain. */
static void arm(struct cpu *cpu) requires(cpu->queue.lock)
{
	struct thread *running = cpu->running;
	ns_t next = timers_next();

	if (running != cpu->idle && cpu->queue.count && running->sched.slice_end < next)
		next = running->sched.slice_end;
	if (next < cpu->timer_armed || (running == cpu->idle && next != cpu->timer_armed)) {
		cpu->timer_armed = next;
		arch_timer_arm(next);
	}
}

void sched_rearm(void)
{
	uint32_t interrupts = arch_irq_save();
	struct cpu *cpu = this_cpu();

	spin_lock(&cpu->queue.lock);
	arm(cpu);
	spin_unlock(&cpu->queue.lock);
	arch_irq_restore(interrupts);
}

void cpu_kicked(void)
{
	sched_rearm();
}

/* ---- Queues ---- */

static void enqueue(struct cpu *cpu, struct thread *thread) requires(cpu->queue.lock)
{
	assert(!thread->sched.queued && thread->sched.cpu == cpu);
	thread->sched.queued = true;
	list_push_back(&cpu->queue.threads, &thread->sched.run);
	cpu->queue.count++;
}

static struct thread *pick(struct cpu *cpu) requires(cpu->queue.lock)
{
	struct thread *next;

	if (list_empty(&cpu->queue.threads))
		return cpu->idle;
	next = list_first(&cpu->queue.threads, struct thread, sched.run);
	list_remove(&next->sched.run);
	next->sched.queued = false;
	cpu->queue.count--;
	return next;
}

/* Locks the queue of the CPU that a thread belongs to, which may change until it is locked. */
static struct cpu *lock_cpu_of(struct thread *thread) no_lock_checks
{
	for (;;) {
		struct cpu *cpu = __atomic_load_n(&thread->sched.cpu, __ATOMIC_ACQUIRE);

		spin_lock(&cpu->queue.lock);
		if (likely(cpu == thread->sched.cpu))
			return cpu;
		spin_unlock(&cpu->queue.lock);
	}
}

/* Where a thread that is to run should: an idle CPU, best the one it ran on last; else that one. */
static struct cpu *choose_cpu(struct thread *thread)
{
	struct cpu *last = thread->sched.cpu;
	uint64_t allowed = thread->sched.affinity & __atomic_load_n(&cpus_online, __ATOMIC_ACQUIRE);

	if (likely(allowed == cpu_bit(last)))
		return last;
	assert(allowed);
	if ((allowed & cpu_bit(last)) && last->running == last->idle && !last->queue.count)
		return last;
	for (uint64_t rest = allowed; rest; rest &= rest - 1) {
		struct cpu *cpu = cpus[__builtin_ctzll(rest)];

		if (__atomic_load_n(&cpu->running, __ATOMIC_RELAXED) == cpu->idle &&
			!__atomic_load_n(&cpu->queue.count, __ATOMIC_RELAXED))
			return cpu;
	}
	return allowed & cpu_bit(last) ? last : cpus[__builtin_ctzll(allowed)];
}

/* A thread was queued on `cpu`: an idle CPU looks at its queue after each interrupt; a busy one's
 * slice now has an end. */
static void queued(struct cpu *cpu) requires(cpu->queue.lock)
{
	if (cpu != this_cpu())
		arch_kick(cpu);
	else if (cpu->running != cpu->idle)
		arm(cpu);
}

/* Puts a runnable thread, which runs nowhere, on the queue of a CPU that it may run on. The lock of
 * its CPU's queue is held, and released here. */
static void place(struct thread *thread, struct cpu *cpu) no_lock_checks
{
	struct cpu *target;

	while ((target = choose_cpu(thread)) != cpu) {
		thread->sched.moving = true;
		__atomic_store_n(&thread->sched.cpu, target, __ATOMIC_RELEASE);
		spin_unlock(&cpu->queue.lock);
		spin_lock(&target->queue.lock);
		cpu = target;
		/* The mask may be another one now, or the CPU busy. */
		if (thread->sched.affinity & cpu_bit(cpu))
			break;
	}
	thread->sched.moving = false;
	enqueue(cpu, thread);
	queued(cpu);
	spin_unlock(&cpu->queue.lock);
}

/* ---- Switches ---- */

void switch_finish(void) no_lock_checks
{
	struct cpu *cpu = this_cpu();
	struct thread *gone = cpu->previous;

	cpu->previous = NULL;
	if (likely(gone->sched.state != THREAD_DEAD)) {
		if (unlikely(gone->sched.moving))
			place(gone, cpu);
		else
			spin_unlock(&cpu->queue.lock);
		return;
	}
	spin_unlock(&cpu->queue.lock);
	thread_free(gone);
}

/* What becomes of the thread that gives up its CPU. */
static void put_back(struct cpu *cpu, struct thread *self) requires(cpu->queue.lock)
{
	if (self->sched.state != THREAD_RUNNABLE || self == cpu->idle)
		return;
	if (likely(self->sched.affinity & cpu_bit(cpu)))
		enqueue(cpu, self);
	else
		self->sched.moving = true; /* switch_finish places it */
}

void schedule(void) no_lock_checks
{
	struct thread *self = current_thread(), *next;
	uint32_t interrupts = arch_irq_save();
	struct cpu *cpu = this_cpu();
	ns_t now = arch_clock();

	spin_lock(&cpu->queue.lock);
	__atomic_and_fetch(&self->work, ~(uint32_t)WORK_RESCHEDULE, __ATOMIC_RELAXED);
	put_back(cpu, self);
	next = pick(cpu);
	next->sched.slice_end = now + slice;
	cpu->running = next;
	arm(cpu);
	if (next == self) {
		spin_unlock(&cpu->queue.lock);
		arch_irq_restore(interrupts);
		return;
	}
	self->sched.run_total += now - self->sched.run_since;
	next->sched.run_since = now;
	cpu->switches++;
	cpu->previous = self;
	/* The new thread's interrupt state is its own: the lock must not carry ours over. */
	cpu->queue.lock.irq_state = 0;
	arch_switch(self, next);
	switch_finish();
	arch_irq_restore(interrupts);
}

void sched_die(void)
{
	arch_irq_off();
	current_thread()->sched.state = THREAD_DEAD;
	schedule();
	panic("a dead thread runs");
}

void sched_yield(void)
{
	schedule();
}

void sched_point(void)
{
	struct thread *self = current_thread();

	if (likely(!(__atomic_load_n(&self->work, __ATOMIC_RELAXED) & WORK_RESCHEDULE)))
		return;
	/* Under a spin lock, or between wait_prepare and wait_finish: later. */
	if (arch_irq_enabled() && self->sched.state == THREAD_RUNNABLE)
		schedule();
}

bool thread_wake(struct thread *thread) no_lock_checks
{
	struct cpu *cpu = lock_cpu_of(thread);

	if (thread->sched.state != THREAD_SLEEPING) {
		spin_unlock(&cpu->queue.lock);
		return false;
	}
	thread->sched.state = THREAD_RUNNABLE;
	/* One that marked itself asleep but still runs just goes on. */
	if (thread == cpu->running)
		spin_unlock(&cpu->queue.lock);
	else
		place(thread, cpu);
	return true;
}

void thread_set_work(struct thread *thread, uint32_t flag)
{
	__atomic_or_fetch(&thread->work, flag, __ATOMIC_RELEASE);
}

void timer_expired(bool user)
{
	struct cpu *cpu = this_cpu();
	struct thread *running;
	ns_t now = arch_clock();

	(void)user;
	cpu->ticks++;
	cpu->timer_armed = NS_NEVER;
	timers_run(now);
	spin_lock(&cpu->queue.lock);
	running = cpu->running;
	if (running != cpu->idle && cpu->queue.count && now >= running->sched.slice_end) {
		running->sched.slice_end =
			now + slice; /* should the kernel take its time to obey */
		thread_set_work(running, WORK_RESCHEDULE);
	}
	arm(cpu);
	spin_unlock(&cpu->queue.lock);
}

void thread_work(void)
{
	struct thread *self = current_thread();
	uint32_t work;

	while (unlikely(work = __atomic_load_n(&self->work, __ATOMIC_ACQUIRE))) {
		arch_irq_on();
		if (work & WORK_SIGNAL)
			signal_deliver();
		if (work & WORK_RESCHEDULE)
			schedule();
		arch_irq_off();
	}
}

void sched_idle(void)
{
	struct cpu *cpu = this_cpu();

	for (;;) {
		arch_irq_off();
		if (__atomic_load_n(&cpu->queue.count, __ATOMIC_RELAXED)) {
			arch_irq_on();
			schedule();
		} else {
			arch_idle();
		}
	}
}

ns_t thread_cpu_time(struct thread *thread) no_lock_checks
{
	struct cpu *cpu = lock_cpu_of(thread);
	ns_t total = thread->sched.run_total;

	if (thread == cpu->running)
		total += arch_clock() - thread->sched.run_since;
	spin_unlock(&cpu->queue.lock);
	return total;
}

void sched_report(void)
{
	uint64_t ticks = 0, switches = 0;

	for (unsigned i = 0; i < cpu_count; i++) {
		ticks += __atomic_load_n(&cpus[i]->ticks, __ATOMIC_RELAXED);
		switches += __atomic_load_n(&cpus[i]->switches, __ATOMIC_RELAXED);
	}
	log_info("%lu timer interrupts, %lu context switches", (unsigned long)ticks,
		(unsigned long)switches);
}
