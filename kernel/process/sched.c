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

struct cpu boot_cpu = {
	.queue = {.threads = LIST_INIT(boot_cpu.queue.threads)}, .timer_armed = NS_NEVER};

static struct thread boot_thread = {.name = "idle", .cpu = &boot_cpu};
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

struct thread *sched_boot_thread(void)
{
	list_init(&boot_thread.run);
	list_init(&boot_thread.siblings);
	boot_cpu.idle = boot_cpu.running = &boot_thread;
	tree_init(&boot_cpu.timers);
	return &boot_thread;
}

/* Sets the machine's timer to what comes first: a timer, or the end of the running slice. One that
 * is set for earlier is left: when it fires and nothing is due, it is set anew. That is cheaper than to
 * move it at each switch. An idle CPU's is set exactly, so that nothing disturbs it in vain. */
static void arm(struct cpu *cpu, struct thread *running)
{
	ns_t next = timers_next();

	if (running != cpu->idle && cpu->queue.count && running->slice_end < next)
		next = running->slice_end;
	if (next < cpu->timer_armed || (running == cpu->idle && next != cpu->timer_armed)) {
		cpu->timer_armed = next;
		arch_timer_arm(next);
	}
}

void sched_rearm(void)
{
	uint32_t interrupts = arch_irq_save();

	arm(this_cpu(), this_cpu()->running);
	arch_irq_restore(interrupts);
}

static void enqueue(struct cpu *cpu, struct thread *thread) requires(cpu->queue.lock)
{
	assert(list_empty(&thread->run));
	list_push_back(&cpu->queue.threads, &thread->run);
	cpu->queue.count++;
}

static struct thread *pick(struct cpu *cpu) requires(cpu->queue.lock)
{
	struct thread *next;

	if (list_empty(&cpu->queue.threads))
		return cpu->idle;
	next = list_first(&cpu->queue.threads, struct thread, run);
	list_remove(&next->run);
	cpu->queue.count--;
	return next;
}

void switch_finish(void) no_lock_checks
{
	struct cpu *cpu = this_cpu();
	struct thread *gone = cpu->previous;

	cpu->previous = NULL;
	spin_unlock(&cpu->queue.lock);
	if (gone && gone->state == THREAD_DEAD) {
		arch_thread_destroy(gone);
		kfree(gone);
	}
}

void schedule(void) no_lock_checks
{
	struct cpu *cpu = this_cpu();
	struct thread *self = current_thread(), *next;
	uint32_t interrupts = arch_irq_save();
	ns_t now = arch_clock();

	spin_lock(&cpu->queue.lock);
	__atomic_and_fetch(&self->work, ~(uint32_t)WORK_RESCHEDULE, __ATOMIC_RELAXED);
	if (self->state == THREAD_RUNNABLE && self != cpu->idle)
		enqueue(cpu, self);
	next = pick(cpu);
	next->slice_end = now + slice;
	arm(cpu, next);
	if (next == self) {
		spin_unlock(&cpu->queue.lock);
		arch_irq_restore(interrupts);
		return;
	}
	cpu->running = next;
	self->run_total += now - self->run_since;
	next->run_since = now;
	cpu->switches++;
	cpu->previous = self;
	/* The new thread's interrupt state is its own: the lock must not carry ours over. */
	cpu->queue.lock.irq_state = 0;
	arch_switch(self, next);
	switch_finish();
	arch_irq_restore(interrupts);
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
	if (arch_irq_enabled() && self->state == THREAD_RUNNABLE)
		schedule();
}

/* A thread was queued on this CPU: the idle thread looks at the queue after each interrupt; a busy
 * one's slice now has an end. */
static void queued(struct cpu *cpu)
{
	if (cpu == this_cpu() && cpu->running != cpu->idle)
		arm(cpu, cpu->running);
}

bool thread_wake(struct thread *thread)
{
	struct cpu *cpu = thread->cpu;
	bool woken = false;

	spin_lock(&cpu->queue.lock);
	if (thread->state == THREAD_SLEEPING) {
		thread->state = THREAD_RUNNABLE;
		woken = true;
		/* One that marked itself asleep but still runs just goes on. */
		if (thread != cpu->running) {
			enqueue(cpu, thread);
			queued(cpu);
		}
	}
	spin_unlock(&cpu->queue.lock);
	return woken;
}

void thread_set_work(struct thread *thread, uint32_t flag)
{
	__atomic_or_fetch(&thread->work, flag, __ATOMIC_RELEASE);
}

void timer_expired(void)
{
	struct cpu *cpu = this_cpu();
	struct thread *running = cpu->running;
	ns_t now = arch_clock();

	cpu->ticks++;
	cpu->timer_armed = NS_NEVER;
	timers_run(now);
	if (running != cpu->idle && cpu->queue.count && now >= running->slice_end) {
		running->slice_end = now + slice; /* should the kernel take its time to obey */
		thread_set_work(running, WORK_RESCHEDULE);
	}
	arm(cpu, running);
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
		if (cpu->queue.count) {
			arch_irq_on();
			schedule();
		} else {
			arch_idle();
		}
	}
}

ns_t thread_cpu_time(struct thread *thread)
{
	ns_t total = thread->run_total;

	if (thread == current_thread())
		total += arch_clock() - thread->run_since;
	return total;
}

void sched_report(void)
{
	struct cpu *cpu = this_cpu();

	log_info("%lu timer interrupts, %lu context switches", (unsigned long)cpu->ticks,
		(unsigned long)cpu->switches);
}
