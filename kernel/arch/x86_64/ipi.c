/* SPDX-License-Identifier: MIT */
/*
 * Interrupts from CPU to CPU.
 *
 * Three kinds. A kick makes a CPU look at its run queue. A call makes CPUs run a function while the
 * caller waits. The stop ends them, for a panic or before power off.
 *
 * Calls. A CPU has at most one call of its own under way: `entry->call`, in its caller's memory. To
 * ask CPU t, CPU c sets bit c in t's `entry->calls`; who sets the first bit of a word sends the interrupt.
 * The CPU asked takes the whole word at once, runs the calls it names, and clears its own bit in each
 * call's `waiting`; after that it does not touch the call again. Only then the caller returns.
 *
 * No deadlock: the caller waits with interrupts off, and so may the CPU it waits for, in a spin lock
 * or in a call of its own. Therefore whoever spins serves: arch_pause looks at `calls`. So calls
 * reach a CPU that holds locks, and must not take any. Two CPUs that call each other serve each other.
 * What is not served is a CPU that works with interrupts off without spinning; that ends by itself,
 * or the caller's patience does, in a panic that names the CPU.
 *
 * The stop. The first CPU to claim it goes on alone. A panic interrupts the others by NMI, so that
 * they stop where they are, and the log takes no lock from then on. Before power off and reset they
 * are asked by an ordinary interrupt, so they hold no spin lock then; who does not answer gets the
 * NMI, and the log goes without locks. An NMI may hit anything, so its handler does nothing but
 * set a bit and halt.
 */
#include "ipi.h"

#include "arch/arch.h"
#include "devices/console.h"
#include "entry_area.h"
#include "irq_count.h"
#include "lapic.h"
#include "lib/log.h"
#include "process/cpu.h"
#include "registers.h"
#include "trap_frame.h"

#define CALL_PATIENCE (60 * NS_PER_SECOND)
#define STOP_PATIENCE (2 * NS_PER_SECOND)
#define NOBODY        UINT32_MAX

uint64_t cpus_up = 1;

static uint32_t stopper = NOBODY; /* index of the CPU that goes on alone */
static uint64_t stopped;

static void send(uint64_t mask, uint32_t command)
{
	for (; mask; mask &= mask - 1)
		lapic_send(cpus[__builtin_ctzll(mask)]->apic_id, command);
}

void arch_kick(struct cpu *cpu)
{
	lapic_send(cpu->apic_id, ICR_FIXED | VECTOR_KICK);
}

/* ---- Calls ---- */

void arch_serve_calls(void)
{
	uint32_t interrupts = arch_irq_save();
	struct cpu *self = this_cpu();
	uint64_t from;

	while ((from = __atomic_exchange_n(&self->entry->calls, 0, __ATOMIC_ACQUIRE))) {
		for (; from; from &= from - 1) {
			struct cpu_call *call = __atomic_load_n(
				&cpus[__builtin_ctzll(from)]->entry->call, __ATOMIC_ACQUIRE);

			irq_count(self, call->flush ? IRQ_TLB : IRQ_CALL);
			call->function(call->argument);
			__atomic_and_fetch(&call->waiting, ~cpu_bit(self), __ATOMIC_RELEASE);
		}
	}
	arch_irq_restore(interrupts);
}

void ipi_post(struct cpu_call *call, uint64_t mask)
{
	struct cpu *self = this_cpu();
	uint64_t wake = 0;

	assert(!(mask & cpu_bit(self)) && !self->entry->call);
	call->waiting = mask;
	__atomic_store_n(&self->entry->call, call, __ATOMIC_RELEASE);
	for (uint64_t rest = mask; rest; rest &= rest - 1) {
		struct cpu_entry *entry = cpus[__builtin_ctzll(rest)]->entry;

		if (!__atomic_fetch_or(&entry->calls, cpu_bit(self), __ATOMIC_ACQ_REL))
			wake |= rest & -rest;
	}
	send(wake, ICR_FIXED | VECTOR_CALL);
}

void ipi_wait(struct cpu_call *call)
{
	struct cpu *self = this_cpu();
	ns_t until = 0;

	while (__atomic_load_n(&call->waiting, __ATOMIC_ACQUIRE)) {
		ns_t now = arch_clock();

		if (!until)
			until = now + CALL_PATIENCE;
		if (now > until)
			panic("the CPUs %#lx do not answer CPU %u's call", call->waiting,
				self->index);
		for (int i = 0; i < 100 && __atomic_load_n(&call->waiting, __ATOMIC_ACQUIRE); i++)
			arch_pause();
	}
	self->entry->call = NULL;
}

void ipi_call(uint64_t mask, void (*function)(void *), void *argument)
{
	struct cpu_call call = {.function = function, .argument = argument};

	mask &= __atomic_load_n(&cpus_up, __ATOMIC_ACQUIRE) & ~cpu_bit(this_cpu());
	if (!mask)
		return;
	ipi_post(&call, mask);
	ipi_wait(&call);
}

static void serialise(void *unused UNUSED)
{
	cpuid(0, 0);
}

void arch_barrier_others(struct arch_space *space)
{
	uint64_t mask = UINT64_MAX;
	uint32_t state = arch_irq_save();

	/* A CPU that loads the space from here on does so behind a barrier of its own. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (space)
		mask = __atomic_load_n(&space->cpus, __ATOMIC_SEQ_CST);
	ipi_call(mask, serialise, NULL);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	arch_irq_restore(state);
}

/* ---- The stop ---- */

static void stop_here(const struct trap_frame *frame) NORETURN;
static void stop_here(const struct trap_frame *frame)
{
	if (frame && !(frame->cs & 3)) {
		this_cpu()->entry->stopped_at = frame->rip;
		this_cpu()->entry->stopped_frame = frame->rbp;
	}
	__atomic_or_fetch(&stopped, cpu_bit(this_cpu()), __ATOMIC_RELEASE);
	arch_halt();
}

/* Of several that want to go on alone the first does. */
static void claim_stop(void)
{
	uint32_t self = this_cpu()->index, found = NOBODY;

	if (!__atomic_compare_exchange_n(
		    &stopper, &found, self, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE) &&
		found != self)
		stop_here(NULL);
}

void ipi_look_for_stop(const struct trap_frame *frame)
{
	uint32_t found = __atomic_load_n(&stopper, __ATOMIC_ACQUIRE);

	if (found != NOBODY && found != this_cpu()->index)
		stop_here(frame);
}

/* The CPUs of the mask that run on when time is up. */
static uint64_t wait_stopped(uint64_t mask)
{
	ns_t until = arch_clock() + STOP_PATIENCE;
	uint64_t rest;

	while ((rest = mask & ~__atomic_load_n(&stopped, __ATOMIC_ACQUIRE)) && arch_clock() < until)
		arch_pause();
	return rest;
}

static uint64_t others_up(void)
{
	return __atomic_load_n(&cpus_up, __ATOMIC_ACQUIRE) & ~cpu_bit(this_cpu());
}

void ipi_stop_now(void)
{
	uint64_t others;

	arch_irq_off();
	claim_stop();
	others = others_up();
	send(others, ICR_NMI);
	wait_stopped(others);
	__atomic_store_n(&cpus_up, cpu_bit(this_cpu()), __ATOMIC_RELEASE);
}

void arch_stop_others(void)
{
	uint64_t others, rest;

	arch_irq_off();
	claim_stop();
	others = others_up();
	send(others, ICR_FIXED | VECTOR_STOP);
	rest = wait_stopped(others);
	if (rest) { /* stuck with interrupts off, perhaps in the log */
		send(rest, ICR_NMI);
		rest = wait_stopped(rest);
		log_panic_mode();
		if (rest)
			log_warn("the CPUs %#lx do not stop", rest);
	}
	__atomic_store_n(&cpus_up, cpu_bit(this_cpu()), __ATOMIC_RELEASE);
}

void ipi_dispatch(unsigned vector)
{
	lapic_eoi();
	if (vector == VECTOR_KICK) {
		irq_count(this_cpu(), IRQ_KICK);
		cpu_kicked();
	}
	if (vector == VECTOR_CALL)
		arch_serve_calls();
	else if (vector == VECTOR_STOP)
		ipi_look_for_stop(NULL);
}
