/* SPDX-License-Identifier: MIT */
/*
 * Stopping the machine: for who must see everything at one moment.
 *
 * An interrupt from CPU to CPU does not serve: it finds CPUs inside spin locks, between two steps of a change. So each
 * CPU has a kernel thread of a priority above all programs', made when it is first wanted; neither its CPU nor its
 * priority can be changed by anybody (sched_is_bound), and real-time limits are not for it: where that runs, whoever
 * ran before has come to a place where it may be preempted, and holds no spin lock. The threads come together with
 * interrupts off, wait for the function's end, and sleep again. Mutexes may be held by who was preempted.
 *
 * One at a time (stop_mutex). No deadlock: who waits with interrupts off serves other CPUs' calls (arch_pause),
 * and holds no lock that a CPU on its way to its thread could want.
 */
#include "process/stop.h"

#include <linux/sched.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "process/mutex.h"
#include "process/sched.h"

struct stopper {
	struct thread *thread; /* NULL: not made yet */
	struct wait_queue asked_queue;
	bool asked; /* atomic */
};

static struct mutex stop_mutex = MUTEX_INIT(stop_mutex);
static struct stopper stoppers[CPUS_MAX];
static unsigned arrived, left; /* atomic */
static bool over;              /* atomic: the function has returned */

static void stand_still(void)
{
	uint32_t state = arch_irq_save();

	__atomic_add_fetch(&arrived, 1, __ATOMIC_ACQ_REL);
	while (!__atomic_load_n(&over, __ATOMIC_ACQUIRE))
		arch_pause();
	__atomic_add_fetch(&left, 1, __ATOMIC_ACQ_REL);
	arch_irq_restore(state);
}

static void stopper_run(void *argument)
{
	struct stopper *self = argument;
	struct waiter waiter;

	for (;;) {
		wait_prepare(&self->asked_queue, &waiter);
		if (!__atomic_load_n(&self->asked, __ATOMIC_ACQUIRE))
			wait_sleep_uninterruptible();
		wait_finish(&self->asked_queue, &waiter);
		if (__atomic_exchange_n(&self->asked, false, __ATOMIC_ACQ_REL))
			stand_still();
	}
}

static int make_stopper(unsigned index)
{
	static const struct sched_parameters first = {
		.policy = SCHED_FIFO, .rt_priority = RT_KERNEL};
	struct stopper *stopper = &stoppers[index];
	char name[NAME_SIZE];

	if (stopper->thread)
		return 0;
	format(name, sizeof(name), "stopper/%u", index);
	wait_queue_init(&stopper->asked_queue);
	stopper->thread = thread_create(name, stopper_run, stopper);
	if (!stopper->thread)
		return -ENOMEM;
	if (sched_set_affinity(stopper->thread, UINT64_C(1) << index))
		panic("CPU %u takes no thread", index);
	sched_set_parameters(stopper->thread, &first);
	thread_wake(stopper->thread);
	return 0;
}

static void call(void (*function)(void *argument), void *argument, unsigned count)
{
	uint32_t state = arch_irq_save();
	unsigned self = this_cpu()->index;

	arrived = left = 0;
	__atomic_store_n(&over, false, __ATOMIC_RELEASE);
	for (unsigned i = 0; i < count; i++) {
		if (i == self)
			continue;
		__atomic_store_n(&stoppers[i].asked, true, __ATOMIC_RELEASE);
		wake_all(&stoppers[i].asked_queue);
	}
	while (__atomic_load_n(&arrived, __ATOMIC_ACQUIRE) < count - 1)
		arch_pause();
	function(argument);
	__atomic_store_n(&over, true, __ATOMIC_RELEASE);
	while (__atomic_load_n(&left, __ATOMIC_ACQUIRE) < count - 1)
		arch_pause();
	arch_irq_restore(state);
}

int machine_pause(void (*function)(void *argument), void *argument)
{
	unsigned count = cpu_count;
	int error = 0;

	mutex_lock(&stop_mutex);
	for (unsigned i = 0; count > 1 && i < count && !error; i++)
		error = make_stopper(i);
	if (!error)
		call(function, argument, count);
	mutex_unlock(&stop_mutex);
	return error;
}
