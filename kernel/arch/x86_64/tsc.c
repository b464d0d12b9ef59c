/* SPDX-License-Identifier: MIT */
/*
 * Are the time stamp counters of two CPUs the same?
 *
 * One CPU asks, the other one answers with its counter; each round gives the asker's counter before
 * and after. If the other's runs ahead by d, then before <= answer - d <= after, so each round bounds d from
 * both sides, and all rounds together bound it best. Where 0 lies between the bounds nobody can have seen
 * time go back from one CPU to the other; where it does not, or the bounds contradict each other
 * (another rate), the counters are not one clock.
 */
#include "tsc.h"

#include "arch/arch.h"
#include "ipi.h"
#include "lib/log.h"
#include "registers.h"
#include "smp.h"

#define ROUNDS 8u

struct talk {
	uint32_t asked __attribute__((aligned(64)));
	uint32_t answered __attribute__((aligned(64)));
	uint64_t answer;
};

/* Not earlier than what comes before in the program. */
static uint64_t stamp(void)
{
	__asm__ volatile("lfence" : : : "memory");
	return tsc_read();
}

static void answer(void *argument)
{
	struct talk *talk = argument;

	for (uint32_t round = 1; round <= ROUNDS; round++) {
		while (__atomic_load_n(&talk->asked, __ATOMIC_ACQUIRE) != round)
			__asm__ volatile("pause");
		talk->answer = stamp();
		__atomic_store_n(&talk->answered, round, __ATOMIC_RELEASE);
	}
}

bool tsc_agrees(struct cpu *other)
{
	struct talk talk = {0};
	struct cpu_call call = {.function = answer, .argument = &talk};
	uint32_t interrupts = arch_irq_save();
	struct tsc_bounds bounds;

	tsc_bounds_start(&bounds);
	ipi_post(&call, cpu_bit(other));
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		uint64_t before = stamp();

		__atomic_store_n(&talk.asked, round, __ATOMIC_RELEASE);
		while (__atomic_load_n(&talk.answered, __ATOMIC_ACQUIRE) != round)
			arch_pause();
		tsc_bounds_add(&bounds, before, talk.answer, stamp());
	}
	ipi_wait(&call);
	arch_irq_restore(interrupts);
	if (tsc_bounds_agree(&bounds))
		return true;
	log_warn("clock: the TSC of CPU %u is off by %ld to %ld ticks: TSCs are not used as the "
		 "clock",
		other->index, (long)bounds.low, (long)bounds.high);
	return false;
}
