/* SPDX-License-Identifier: MIT */
/*
 * Waiting for a spin lock, and the watchdog of those who wait for ever.
 *
 * A lock's word says which CPU holds it (arch_lock_owner), and a CPU that waits says for which lock: it
 * stores that where others see it. So who waits long can follow the chain: the lock it wants, that lock's holder, the
 * lock that one waits for, ... If that leads back to the CPU itself, nobody in the circle will ever go on. One look may
 * mix up different moments, for the CPUs that are no part of a circle run; but a CPU that waits for a lock whose
 * holder is stuck is stuck itself. So after the first look at least the last of the circle stands still, after the
 * second one the last two: as many equal looks as the circle has CPUs, and one more, are proof. Time plays no
 * part, so no slow machine is taken for a stuck one.
 *
 * Where the chain ends in a CPU that waits for nothing and keeps a lock for PATIENCE, that is a panic too.
 *
 * Interrupts are off here, and what NMIs and other CPUs' calls run takes no locks, so a CPU waits for one
 * lock at a time.
 */
#include "arch/arch.h"
#include "entry_area.h"
#include "integrity.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "panic.h"
#include "process/cpu.h"

#define PATIENCE    (120 * NS_PER_SECOND)
#define LOOK_ROUNDS (1u << 16) /* turns of the loop from one look to the next */
#define NAME_SIZE   40

extern const char kernel_image_start[], kernel_image_end[];

/* A circle: how many CPUs, 0: none; and what tells it from another one. */
struct chain {
	unsigned length;
	uint64_t cpus, mix;
};

static struct cpu *holder(const uint32_t *held)
{
	uint32_t owner = __atomic_load_n(held, __ATOMIC_ACQUIRE);

	return owner && owner <= cpu_count ? cpus[owner - 1] : NULL;
}

static const uint32_t *wanted_by(const struct cpu *cpu)
{
	return __atomic_load_n(&cpu->entry->waits_for, __ATOMIC_ACQUIRE);
}

static struct chain follow(const uint32_t *held)
{
	struct chain chain = {0};
	const struct cpu *self = this_cpu(), *cpu = NULL;

	for (unsigned i = 0; held && i < cpu_count && cpu != self; i++) {
		cpu = holder(held);
		if (!cpu)
			break;
		chain.length++;
		chain.cpus |= cpu_bit(cpu);
		chain.mix = (chain.mix ^ (uintptr_t)held ^ cpu_bit(cpu)) * 0x9e3779b97f4a7c15;
		held = wanted_by(cpu);
	}
	return cpu == self ? chain : (struct chain){0};
}

static const struct spinlock *lock_of(const uint32_t *held)
{
	return container_of(held, struct spinlock, held);
}

static const char *name_lock(const uint32_t *held, char *text)
{
	const char *name = integrity_lock_name(lock_of(held));
	virt_t at = (virt_t)held;

#if LOCK_CHECKS
	if (!name)
		name = lock_of(held)->identity.name;
#endif
	if (name)
		format(text, NAME_SIZE, "%s", name);
	else if (at >= (virt_t)kernel_image_start && at < (virt_t)kernel_image_end)
		format(text, NAME_SIZE, "kernel+%#lx", at - (virt_t)kernel_image_start);
	else
		format(text, NAME_SIZE, "%#lx", at);
	return text;
}

static void tell_circle(const uint32_t *held, const struct chain *chain) NORETURN;
static void tell_circle(const uint32_t *held, const struct chain *chain)
{
	char name[NAME_SIZE], next[NAME_SIZE];
	const struct cpu *self = this_cpu(), *other = holder(held);

	panic_shows(chain->cpus);
	if (chain->length == 1)
		panic("deadlock: CPU %u waits for the lock %s, which it holds itself", self->index,
			name_lock(held, name));
	if (chain->length == 2)
		panic("deadlock: CPU %u waits for the lock %s of CPU %u, which waits for %s of CPU "
		      "%u",
			self->index, name_lock(held, name), other->index,
			name_lock(wanted_by(other), next), self->index);
	panic("deadlock: the CPUs %#lx wait for each other's locks, CPU %u for %s of CPU %u",
		chain->cpus, self->index, name_lock(held, name), other->index);
}

static void look_for_circle(const uint32_t *held)
{
	struct chain first = follow(held), again;

	for (unsigned i = 0; first.length && i < first.length; i++) {
		again = follow(held);
		if (again.length != first.length || again.mix != first.mix)
			return;
	}
	if (first.length)
		tell_circle(held, &first);
}

/* The lock's word is to stay as it is from `since` on. */
static void look_at_time(const uint32_t *held, uint32_t *seen, ns_t *since)
{
	uint32_t now = __atomic_load_n(held, __ATOMIC_RELAXED);
	char name[NAME_SIZE];
	ns_t time = arch_clock();

	if (now != *seen || !*since) {
		*seen = now;
		*since = time;
	} else if (now && time - *since > PATIENCE) {
		panic_shows(UINT64_C(1) << (now - 1));
		panic("the lock %s was held for %lu s by CPU %u, for which CPU %u waits",
			name_lock(held, name), (time - *since) / NS_PER_SECOND, now - 1,
			this_cpu()->index);
	}
}

static void wait_for(const uint32_t *held)
{
	struct cpu_entry *entry = this_cpu()->entry;
	uint32_t rounds = 0, seen = 0;
	ns_t since = 0;

	__atomic_store_n(&entry->waits_for, held, __ATOMIC_RELEASE);
	while (__atomic_load_n(held, __ATOMIC_RELAXED)) {
		arch_pause();
		if (likely(++rounds % LOOK_ROUNDS))
			continue;
		look_for_circle(held);
		look_at_time(held, &seen, &since);
	}
	__atomic_store_n(&entry->waits_for, NULL, __ATOMIC_RELEASE);
}

/* Called by spin_take_keeping. */
void spin_take(uint32_t *held);

void spin_take(uint32_t *held)
{
	do {
		wait_for(held);
	} while (!spin_try(held));
}
