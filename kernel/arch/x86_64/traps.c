/* SPDX-License-Identifier: MIT */
/*
 * Exceptions. From user mode each becomes a signal with Linux's number and code (man 2 sigaction);
 * from kernel mode a page fault at a user address is resolved or sent to its fixup, and everything
 * else is a panic. Linux's choices: arch/x86/kernel/traps.c is the reference for what programs see.
 */
#include "traps.h"

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "arch/arch.h"
#include "cpu.h"
#include "debug_registers.h"
#include "entry_area.h"
#include "ipi.h"
#include "irq_count.h"
#include "lapic.h"
#include "lib/log.h"
#include "machine_check.h"
#include "paging.h"
#include "process/process.h"
#include "registers.h"
#include "umip.h"

struct exception {
	const char *name;
	int signal, code;
};

static const struct exception exceptions[32] = {
	[0] = {"divide error", SIGFPE, FPE_INTDIV},
	[VECTOR_DB] = {"debug exception", SIGTRAP, TRAP_BRKPT},
	[VECTOR_NMI] = {"non-maskable interrupt", 0, 0},
	[VECTOR_BP] = {"breakpoint", SIGTRAP, SI_KERNEL},
	[VECTOR_OF] = {"overflow", SIGSEGV, SI_KERNEL},
	[VECTOR_BR] = {"bound range exceeded", SIGSEGV, SI_KERNEL},
	[VECTOR_UD] = {"invalid opcode", SIGILL, ILL_ILLOPN},
	[VECTOR_NM] = {"device not available", SIGSEGV, SI_KERNEL},
	[VECTOR_DF] = {"double fault", SIGSEGV, SI_KERNEL},
	[VECTOR_TS] = {"invalid TSS", SIGSEGV, SI_KERNEL},
	[VECTOR_NP] = {"segment not present", SIGBUS, SI_KERNEL},
	[VECTOR_SS] = {"stack segment fault", SIGBUS, SI_KERNEL},
	[VECTOR_GP] = {"general protection fault", SIGSEGV, SI_KERNEL},
	[VECTOR_PF] = {"page fault", SIGSEGV, SEGV_MAPERR},
	[VECTOR_MF] = {"x87 floating-point error", SIGFPE, FPE_FLTINV},
	[VECTOR_AC] = {"alignment check", SIGBUS, BUS_ADRALN},
	[VECTOR_MC] = {"machine check", SIGBUS, BUS_MCEERR_AR},
	[VECTOR_XM] = {"SIMD floating-point error", SIGFPE, FPE_FLTINV},
};

/* Relative to the fields themselves, so that they need no relocation. */
struct exception_entry {
	int32_t from, to;
};

extern const struct exception_entry kernel_exceptions_start[], kernel_exceptions_end[];
extern const char kernel_text_start[], kernel_text_end[];

static const char *exception_name(uint64_t vector)
{
	return vector < ARRAY_SIZE(exceptions) && exceptions[vector].name ? exceptions[vector].name
									  : "reserved exception";
}

/* si_code of an #MF or #XM by its unmasked status bits (Intel SDM 1, 8.1.3 and 10.2.3); 0: none. */
static int float_code(uint32_t unmasked)
{
	if (unmasked & 0x01)
		return FPE_FLTINV;
	if (unmasked & 0x04)
		return FPE_FLTDIV;
	if (unmasked & 0x08)
		return FPE_FLTOVF;
	if (unmasked & 0x12)
		return FPE_FLTUND;
	if (unmasked & 0x20)
		return FPE_FLTRES;
	return 0;
}

static int x87_code(void)
{
	uint16_t control, status;

	__asm__ volatile("fnstcw %0" : "=m"(control));
	__asm__ volatile("fnstsw %0" : "=m"(status));
	return float_code(status & ~(uint32_t)control & 0x3f);
}

static int simd_code(void)
{
	uint32_t mxcsr;

	__asm__ volatile("stmxcsr %0" : "=m"(mxcsr));
	return float_code(mxcsr & ~(mxcsr >> 7) & 0x3f);
}

static enum fault_access fault_access_of(uint64_t error)
{
	return error & PF_FETCH ? FAULT_FETCH : error & PF_WRITE ? FAULT_WRITE : FAULT_READ;
}

/* What signal frames and core files tell of the thread's last exception, as Linux has it there. */
static void note_exception(const struct trap_frame *frame)
{
	struct thread *self = current_thread();

	self->arch.trap_number = frame->vector;
	self->arch.trap_error = frame->error;
}

static void note_page_fault(const struct trap_frame *frame, uintptr_t address)
{
	struct thread *self = current_thread();

	self->arch.trap_number = VECTOR_PF;
	/* Nothing is told of what is mapped in the kernel's half. */
	self->arch.trap_error = frame->error | PF_USER | (address >= USER_END ? PF_PRESENT : 0);
	self->arch.fault_address = address;
}

static void user_page_fault(struct trap_frame *frame, uintptr_t address)
{
	struct fault_result result;

	if (frame->error & PF_RESERVED)
		panic_at(frame, "reserved bit set in the page tables for %#lx", address);
	arch_irq_on();
	if (!(frame->error & PF_USER)) {
		/* The CPU itself touched a table or a stack with the kernel's rights. A far return or
		 * iret does so in QEMU's emulation, and SMAP stops it for ever: no entry helps. */
		note_page_fault(frame, address);
		thread_fault(SIGSEGV, SEGV_MAPERR, address, "implicit access to");
	} else if (space_fault(address, fault_access_of(frame->error), true, &result)) {
		/* The kernel's half is unmapped to user mode, whatever is there. */
		note_page_fault(frame, address);
		thread_fault(result.signal, result.code, address,
			frame->error & PF_FETCH   ? "fetch at"
			: frame->error & PF_WRITE ? "write to"
						  : "read of");
	}
	arch_irq_off();
}

static void user_exception(struct trap_frame *frame)
{
	const struct exception *exception = &exceptions[frame->vector & 31];
	uintptr_t address = frame->rip;
	int signal = exception->signal, code = exception->code;

	if (!exception->name)
		signal = SIGSEGV, code = SI_KERNEL;
	switch (frame->vector) {
	case VECTOR_DB:
		code = debug_user_exception(frame);
		if (!code)
			return;
		break;
	case VECTOR_MF:
		code = x87_code();
		break;
	case VECTOR_XM:
		code = simd_code();
		break;
	case VECTOR_GP:
	case VECTOR_SS:
	case VECTOR_NP:
	case VECTOR_OF:
	case VECTOR_BP:
	case VECTOR_AC:
		address = 0;
		break;
	default:
		break;
	}
	if (signal == SIGFPE && !code)
		return; /* what raised it is gone: try again */
	arch_irq_on();
	if (frame->vector == VECTOR_GP && cpu_has[CPU_UMIP] && !current_process()->kernel &&
		umip_emulate(frame)) {
		arch_irq_off();
		return;
	}
	note_exception(frame);
	thread_fault(signal, code, address, exception_name(frame->vector));
	arch_irq_off();
}

/* What the next interrupt is to look at first. NMIs that hit the kernel, which may have held the log's lock, are
 * counted here and told by it. */
#define DIVERTED 0x80000000u
static uint32_t kernel_nmis;
static void (*diverted_tick)(void);

void trap_divert(void (*tick)(void))
{
	diverted_tick = tick;
	if (tick)
		__atomic_or_fetch(&kernel_nmis, DIVERTED, __ATOMIC_RELEASE);
	else
		__atomic_and_fetch(&kernel_nmis, ~DIVERTED, __ATOMIC_RELEASE);
}

static void non_maskable(const struct trap_frame *frame)
{
	irq_count(this_cpu(), IRQ_NMI);
	ipi_look_for_stop(frame);
	if (frame->cs & 3)
		log_warn("NMI in user mode, at %#lx", frame->rip);
	else
		__atomic_add_fetch(&kernel_nmis, 1, __ATOMIC_RELAXED);
}

/* An interrupt comes only where they are on, so no lock of this CPU is held. True: it is dealt with. */
static bool look_first(uint64_t vector)
{
	uint32_t count;

	if (__atomic_load_n(&kernel_nmis, __ATOMIC_ACQUIRE) & DIVERTED) {
		lapic_eoi();
		if (vector == VECTOR_TIMER)
			diverted_tick();
		return true;
	}
	count = __atomic_exchange_n(&kernel_nmis, 0, __ATOMIC_RELAXED);
	if (count)
		log_warn("NMI in kernel mode: %u since the last report", count);
	return false;
}

static void interrupt(const struct trap_frame *frame)
{
	lock_check_irqs_off();
	if (unlikely(__atomic_load_n(&kernel_nmis, __ATOMIC_RELAXED)) && look_first(frame->vector))
		return;
	interrupt_dispatch((unsigned)frame->vector, frame->cs & 3);
	lock_check_irqs_on();
}

void trap_from_user(struct trap_frame *frame)
{
	if (frame->vector == VECTOR_PF)
		user_page_fault(frame, cr2_read());
	else if (frame->vector == VECTOR_NMI)
		non_maskable(frame);
	else if (frame->vector == VECTOR_MC)
		machine_check_panic(frame);
	else if (frame->vector < VECTOR_IRQ)
		user_exception(frame);
	else
		interrupt(frame);
	thread_work();
}

void return_from_start(struct trap_frame *frame)
{
	(void)frame;
	arch_irq_off();
	thread_work();
}

static bool fix_up(struct trap_frame *frame)
{
	for (const struct exception_entry *e = kernel_exceptions_start; e < kernel_exceptions_end;
		e++) {
		if ((uintptr_t)&e->from + (intptr_t)e->from == frame->rip) {
			frame->rip = (uintptr_t)&e->to + (intptr_t)e->to;
			return true;
		}
	}
	return false;
}

static bool in_fixup_range(const struct trap_frame *frame)
{
	struct trap_frame copy = *frame;

	return fix_up(&copy);
}

/* A page fault in kernel mode: of a user copy, or a bug. Where interrupts are off a spin lock may be
 * held: nothing is faulted in, the copy fails. */
static void kernel_page_fault(struct trap_frame *frame, uintptr_t address)
{
	struct fault_result result;
	int error;

	if (address < USER_END && (frame->rflags & RFLAGS_IF) && in_fixup_range(frame) &&
		current_thread() && current_space()) {
		arch_irq_on();
		error = space_fault(address, fault_access_of(frame->error), false, &result);
		arch_irq_off();
		if (!error)
			return;
	}
	if ((address < USER_END || paging_peeks) && fix_up(frame))
		return;
	if (stack_guard_hit(address))
		panic_at(frame, "kernel stack overflow: %#lx", address);
	panic_at(frame, "kernel page fault: %s %#lx, error %#lx",
		frame->error & PF_FETCH   ? "fetch at"
		: frame->error & PF_WRITE ? "write to"
					  : "read of",
		address, frame->error);
}

void trap_from_kernel(struct trap_frame *frame)
{
	if (frame->vector >= VECTOR_IRQ)
		interrupt(frame);
	else if (frame->vector == VECTOR_PF)
		kernel_page_fault(frame, cr2_read());
	else if (frame->vector == VECTOR_GP && fix_up(frame))
		return; /* a non-canonical user address */
	else if (frame->vector == VECTOR_NMI)
		non_maskable(frame);
	else
		panic_at(frame, "%s in kernel mode, error %#lx", exception_name(frame->vector),
			frame->error);
}

void trap_paranoid(struct trap_frame *frame)
{
	switch (frame->vector) {
	case VECTOR_NMI:
		non_maskable(frame);
		return;
	case VECTOR_DB:
		/* A tracer's watchpoint that a user copy ran into, or one that MOV SS before
		 * SYSCALL delayed to the kernel's first instruction. */
		debug_kernel_exception(frame);
		return;
	case VECTOR_DF:
		if (stack_guard_hit(cr2_read()))
			panic_at(frame, "kernel stack overflow: %#lx", cr2_read());
		panic_at(frame, "double fault, cr2 %#lx", cr2_read());
	case VECTOR_MC:
		machine_check_panic(frame);
	default:
		panic_at(frame, "%s in kernel mode", exception_name(frame->vector));
	}
}
