/* SPDX-License-Identifier: MIT */
/*
 * Debug registers: breakpoints and watchpoints that a tracer sets in a thread (PTRACE_POKEUSER).
 *
 * Threads have none but under a debugger, so nobody else pays: a switch of threads does not know of
 * them. A thread that has some keeps WORK_DEBUG set, so that each of its ways to user mode ends in
 * arch_debug_load, which looks whether this CPU has them. Nothing takes them off when it leaves: the
 * next thread may run into them, at the same address of another space or with the same space. Then the
 * exception, and only then, finds that they are not the running thread's, empties DR7, and the thread
 * goes on.
 *
 * What a CPU has is known by a generation: each change of any thread's registers gives it a new number
 * that was never used before, and cpu_entry.debug_loaded says which one the CPU has.
 *
 * The kernel has no breakpoints of its own, and a tracer's lie in user space. So in kernel mode it is
 * a copy from or to user memory that runs into one (after the access: nothing is undone), or user
 * mode's last instruction, delayed by MOV SS. It is not reported, as on Linux. The paths on which a
 * debug exception would find its own stack in use touch no user memory.
 *
 * QEMU's emulation (7.2) makes two exceptions of a single step into a watchpoint, the second at the
 * first one's first instruction: on the same stack, over the same words. The user's RIP, RSP and RFLAGS
 * are lost, and the way back leads to itself for ever. There
 *  - a step is made without watchpoints, and their values are compared before and after: a value
 *    that changes is told; a read, or a write of what was there before, is not;
 *  - where a program sets TF by itself, the second exception is known by its RIP: it goes back to user
 *    mode at an address that does not exist, and the thread gets a SIGSEGV.
 */
#include "debug_registers.h"

#include "arch/arch.h"
#include "arch_registers.h"
#include "debug_state.h"
#include "entry_area.h"
#include "lib/errno.h"
#include "memory/slab.h"
#include "process/cpu.h"
#include "process/process.h"
#include "process/sched.h"
#include "registers.h"
#include "trap_frame.h"

#include <asm/siginfo.h>

static void control_write(uint64_t value)
{
	__asm__ volatile("movq %0, %%dr7" : : "r"(value) : "memory");
}

/* The events since it was read last: 1 is one. */
static uint64_t take_status(void)
{
	uint64_t status;

	__asm__ volatile("movq %%dr6, %0" : "=r"(status));
	__asm__ volatile("movq %0, %%dr6" : : "r"(DR6_FIXED));
	return status ^ DR6_FIXED;
}

/* See above: steps and watchpoints must not meet. */
static bool steps_apart;

void debug_cpu_init(void)
{
	struct cpuid hypervisor = cpuid(0x40000000, 0);

	steps_apart = cpuid(1, 0).ecx & 1u << 31 && hypervisor.ebx == 0x54474354; /* TCGT */
	control_write(DR7_FIXED);
	take_status();
}

static uint64_t new_generation(void)
{
	static uint64_t generations;

	return __atomic_add_fetch(&generations, 1, __ATOMIC_RELAXED);
}

/* ---- By the tracer ---- */

uint64_t arch_debug_get(const struct thread *thread, unsigned number)
{
	const struct debug_state *state = thread->arch.debug;

	if (number == 6)
		return thread->arch.debug_status ^ DR6_FIXED;
	if (!state)
		return 0;
	return number < DEBUG_SLOTS ? state->slots[number].address
	       : number == 7        ? state->control
				    : 0;
}

int arch_debug_set(struct thread *thread, unsigned number, uint64_t value)
{
	struct debug_state *state = thread->arch.debug;
	int error;

	if (number == 6) {
		thread->arch.debug_status = value ^ DR6_FIXED;
		return 0;
	}
	if (number >= DEBUG_SLOTS && number != 7)
		return -EIO;
	if (!state) {
		state = kzalloc(sizeof(*state));
		if (!state)
			return -ENOMEM;
		thread->arch.debug = state;
	}
	error = number == 7 ? debug_set_control(state, value)
			    : debug_set_address(state, number, value);
	state->generation = new_generation();
	if (debug_hardware_control(state))
		thread_set_work(thread, WORK_DEBUG);
	else
		__atomic_and_fetch(&thread->work, ~(uint32_t)WORK_DEBUG, __ATOMIC_RELAXED);
	return error;
}

void debug_clear(struct thread *thread)
{
	thread->arch.debug_status = 0;
	if (likely(!thread->arch.debug))
		return;
	__atomic_and_fetch(&thread->work, ~(uint32_t)WORK_DEBUG, __ATOMIC_RELAXED);
	kfree(thread->arch.debug);
	thread->arch.debug = NULL;
}

/* ---- On the CPU ---- */

/* What a watchpoint covers now; 0 where nothing is mapped. Interrupts are off: nothing is faulted in. */
static uint64_t value_of(const struct debug_slot *slot)
{
	uint64_t value = 0;

	if (slot->enabled && slot->type != DEBUG_EXECUTE &&
		arch_user_copy(&value, (const void *)slot->address, debug_slot_length(slot)))
		return 0;
	return value;
}

static uint64_t changed_values(const struct debug_state *state)
{
	uint64_t changed = 0;

	for (unsigned i = 0; i < DEBUG_SLOTS; i++) {
		if (value_of(&state->slots[i]) != state->values[i])
			changed |= 1ul << i;
	}
	return changed;
}

static void load(struct debug_state *state)
{
	control_write(DR7_FIXED);
	__asm__ volatile("movq %0, %%dr0" : : "r"(state->slots[0].address));
	__asm__ volatile("movq %0, %%dr1" : : "r"(state->slots[1].address));
	__asm__ volatile("movq %0, %%dr2" : : "r"(state->slots[2].address));
	__asm__ volatile("movq %0, %%dr3" : : "r"(state->slots[3].address));
	for (unsigned i = 0; state->apart && i < DEBUG_SLOTS; i++)
		state->values[i] = value_of(&state->slots[i]);
	control_write(state->apart ? debug_execute_control(state) : debug_hardware_control(state));
	this_cpu()->entry->debug_loaded = state->generation;
}

void arch_debug_load(void)
{
	struct thread *self = current_thread();
	struct debug_state *state = self->arch.debug;
	bool apart = steps_apart && arch_user_frame(self)->rflags & RFLAGS_TF;

	if (apart != state->apart)
		state->generation = new_generation();
	state->apart = apart;
	if (apart || this_cpu()->entry->debug_loaded != state->generation)
		load(state);
}

/* Whether this CPU has the running thread's; otherwise it has none afterwards. */
static bool loaded_are_own(void)
{
	const struct thread *self = current_thread();
	struct cpu_entry *entry = this_cpu()->entry;

	if (self && self->arch.debug && (self->work & WORK_DEBUG) &&
		self->arch.debug->generation == entry->debug_loaded)
		return true;
	control_write(DR7_FIXED);
	entry->debug_loaded = 0;
	return false;
}

int debug_user_exception(struct trap_frame *frame)
{
	uint64_t status = take_status(), seen = status & DR6_STEP;
	struct arch_thread *self = &current_thread()->arch;

	if (status & DR6_TRAPS && !loaded_are_own()) {
		status &= ~DR6_TRAPS;
		if (!(status & DR6_STEP))
			return 0;
	}
	if (unlikely(self->debug && self->debug->apart && status & DR6_STEP))
		status |= changed_values(self->debug);
	for (unsigned i = 0; i < DEBUG_SLOTS; i++) {
		const struct debug_slot *slot = self->debug ? &self->debug->slots[i] : NULL;

		if (!(status & 1ul << i) || !slot->enabled)
			continue;
		if (slot->type == DEBUG_EXECUTE) {
			if (status & DR6_STEP)
				continue;           /* a fault: it comes again by itself */
			frame->rflags |= RFLAGS_RF; /* the instruction is to run this time */
		}
		seen |= 1ul << i;
	}
	self->debug_status = seen;
	return status & DR6_STEP ? TRAP_TRACE : status & DR6_TRAPS ? TRAP_HWBKPT : TRAP_BRKPT;
}

void debug_kernel_exception(struct trap_frame *frame)
{
	if (take_status() & DR6_TRAPS)
		loaded_are_own();
	frame->rflags &= ~RFLAGS_TF;
	if (unlikely(frame->rip == this_cpu()->entry->debug_stub)) {
		/* Of this very exception, which came from user mode: its frame lay here. The tables
		 * and GS are still, and will be again, the user's. */
		frame->rip = 0;
		frame->rsp = 0;
		frame->cs = SELECTOR_USER_CODE;
		frame->ss = SELECTOR_USER_DATA;
		frame->rflags = RFLAGS_IF | RFLAGS_FIXED;
	}
}
