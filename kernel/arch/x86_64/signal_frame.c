/* SPDX-License-Identifier: MIT */
/*
 * Signal frames, as Linux's for x86-64: from the handler's RSP upwards the return address (the
 * restorer), struct ucontext, siginfo, a gap, and the FPU state at a multiple of 64. A program may
 * build one itself and call rt_sigreturn, so nothing in it is believed: the segments must be those
 * of user mode, of the flags only those count that user mode may change itself, and what the CPU
 * would refuse (arch_frame_fault) becomes a SIGSEGV instead of a fault in the kernel's IRET.
 *
 * System V ABI, AMD64 supplement, 3.2.2: 128 bytes below RSP are the interrupted function's; at a
 * function's entry RSP + 8 is a multiple of 16.
 */
#include <asm/sigcontext.h>
#include <asm/siginfo.h>
#include <asm/signal.h>
#include <asm/ucontext.h>

#include "arch/arch.h"
#include "fpu.h"
#include "fpu_user.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/user.h"
#include "process/process.h"
#include "registers.h"
#include "trap_frame.h"

#define RED_ZONE    128u
#define FRAME_ALIGN 16u
/* What sigreturn takes over of RFLAGS. */
#define FLAGS_USER                                                                           \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF | \
		RFLAGS_OF | RFLAGS_RF | RFLAGS_AC)

struct rt_sigframe {
	uint64_t return_address;
	struct ucontext context;
	siginfo_t info;
};

_Static_assert(sizeof(struct ucontext) == 304, "Linux's ucontext");
_Static_assert(sizeof(struct rt_sigframe) == 440, "Linux's rt_sigframe");

uint64_t arch_signal_stack_size(void)
{
	return ALIGN_UP(
		sizeof(struct rt_sigframe) + FRAME_ALIGN - 1 + fpu_user_size() + FPU_ALIGN - 1,
		FRAME_ALIGN);
}

/* ---- To the handler ---- */

static void put_registers(struct sigcontext *to, const struct thread *self,
	const struct trap_frame *from, uintptr_t fpu, uint64_t mask)
{
	*to = (struct sigcontext){
		.r8 = from->r8,
		.r9 = from->r9,
		.r10 = from->r10,
		.r11 = from->r11,
		.r12 = from->r12,
		.r13 = from->r13,
		.r14 = from->r14,
		.r15 = from->r15,
		.rdi = from->rdi,
		.rsi = from->rsi,
		.rbp = from->rbp,
		.rbx = from->rbx,
		.rdx = from->rdx,
		.rax = from->rax,
		.rcx = from->rcx,
		.rsp = from->rsp,
		.rip = from->rip,
		.eflags = from->rflags,
		.cs = (uint16_t)from->cs,
		.ss = (uint16_t)from->ss,
		.err = self->arch.trap_error,
		.trapno = self->arch.trap_number,
		.oldmask = mask,
		.cr2 = self->arch.fault_address,
		.fpstate = (struct _fpstate *)fpu,
	};
}

/* Where the frame goes; 0: there is no room for it. */
static uintptr_t place_frame(const struct thread_signals *signals, const struct trap_frame *user,
	bool on_stack, uintptr_t *fpu)
{
	bool inside = signal_on_stack(signals, user->rsp);
	uintptr_t sp = user->rsp - RED_ZONE;

	if (on_stack && signals->stack_size && !signal_on_stack(signals, sp)) {
		sp = signals->stack_base + signals->stack_size;
		inside = true;
	}
	*fpu = ALIGN_DOWN(sp - fpu_user_size(), (uintptr_t)FPU_ALIGN);
	sp = ALIGN_DOWN(*fpu - sizeof(struct rt_sigframe), (uintptr_t)FRAME_ALIGN) - 8;
	/* Past the lower end of the alternate stack something else lies. */
	if (inside && (sp <= signals->stack_base || sp - signals->stack_base > signals->stack_size))
		return 0;
	return user_range_ok(user_pointer(sp), sizeof(struct rt_sigframe)) ? sp : 0;
}

/* Writes the frame at `at`: all but siginfo as one piece. */
static int write_frame(
	const struct signal_delivery *delivery, struct thread *self, uintptr_t at, uintptr_t fpu)
{
	const struct trap_frame *user = arch_user_frame(self);
	struct {
		uint64_t return_address;
		struct ucontext context;
	} frame;
	int error;

	frame.return_address = delivery->action.restorer;
	frame.context.uc_flags = UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | fpu_user_flags();
	frame.context.uc_link = NULL;
	frame.context.uc_stack = (stack_t){.ss_sp = (void *)self->signals.stack_base,
		.ss_flags = (int)self->signals.stack_flags,
		.ss_size = self->signals.stack_size};
	put_registers(&frame.context.uc_mcontext, self, user, fpu, delivery->mask);
	frame.context.uc_sigmask = delivery->mask;
	error = copy_to_user(user_pointer(at), &frame, sizeof(frame));
	if (error || !(delivery->action.flags & SA_SIGINFO))
		return error;
	at += offsetof(struct rt_sigframe, info);
	error = copy_to_user(user_pointer(at), &delivery->info, sizeof(delivery->info));
	return error ? error
		     : clear_user(user_pointer(at + sizeof(delivery->info)),
			       sizeof(siginfo_t) - sizeof(delivery->info));
}

int arch_signal_enter(const struct signal_delivery *delivery)
{
	struct thread *self = current_thread();
	struct trap_frame *user = arch_user_frame(self);
	uintptr_t at, fpu;

	if (!(delivery->action.flags & SA_RESTORER))
		return -EFAULT; /* nothing else would bring the handler back */
	at = place_frame(&self->signals, user, delivery->action.flags & SA_ONSTACK, &fpu);
	if (!at || fpu_save_user(fpu) || write_frame(delivery, self, at, fpu))
		return -EFAULT;
	user->rdi = (uint64_t)delivery->info.number;
	user->rsi = at + offsetof(struct rt_sigframe, info);
	user->rdx = at + offsetof(struct rt_sigframe, context);
	user->rax = 0;
	user->rsp = at;
	user->rip = delivery->action.handler;
	user->cs = SELECTOR_USER_CODE;
	user->ss = SELECTOR_USER_DATA;
	user->rflags &= ~(RFLAGS_DF | RFLAGS_RF | RFLAGS_TF);
	arch_syscall_forget(self);
	fpu_load_initial();
	return 0;
}

/* ---- And back ---- */

static void get_registers(struct trap_frame *to, const struct sigcontext *from)
{
	to->r8 = from->r8;
	to->r9 = from->r9;
	to->r10 = from->r10;
	to->r11 = from->r11;
	to->r12 = from->r12;
	to->r13 = from->r13;
	to->r14 = from->r14;
	to->r15 = from->r15;
	to->rdi = from->rdi;
	to->rsi = from->rsi;
	to->rbp = from->rbp;
	to->rbx = from->rbx;
	to->rdx = from->rdx;
	to->rax = from->rax;
	to->rcx = from->rcx;
	to->rsp = from->rsp;
	to->rip = from->rip;
	to->rflags = (to->rflags & ~FLAGS_USER) | (from->eflags & FLAGS_USER);
	to->cs = from->cs | 3;
	to->ss = from->ss | 3;
}

int arch_signal_return(struct signal_return *out)
{
	struct thread *self = current_thread();
	struct trap_frame *user = arch_user_frame(self);
	struct ucontext context;
	uintptr_t at = user->rsp - sizeof(uint64_t); /* the handler's RET took the restorer */

	at += offsetof(struct rt_sigframe, context);
	if (copy_from_user(&context, user_pointer(at), sizeof(context)))
		return -EFAULT;
	out->mask = context.uc_sigmask;
	out->stack_base = (uintptr_t)context.uc_stack.ss_sp;
	out->stack_size = context.uc_stack.ss_size;
	out->stack_flags = (unsigned)context.uc_stack.ss_flags;
	get_registers(user, &context.uc_mcontext);
	if (!(context.uc_flags & UC_STRICT_RESTORE_SS))
		user->ss = SELECTOR_USER_DATA;
	arch_syscall_forget(self);
	self->frame_changed = true;
	return fpu_load_user((uintptr_t)context.uc_mcontext.fpstate);
}

static bool canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

bool arch_frame_fault(struct thread *thread)
{
	const struct trap_frame *user = arch_user_frame(thread);
	uint64_t error = 0;

	if (likely(user->cs == SELECTOR_USER_CODE && user->ss == SELECTOR_USER_DATA &&
		    canonical(user->rip)))
		return false;
	if (user->cs != SELECTOR_USER_CODE)
		error = user->cs & 0xfffc;
	else if (user->ss != SELECTOR_USER_DATA)
		error = user->ss & 0xfffc;
	thread->arch.trap_number = VECTOR_GP;
	thread->arch.trap_error = error;
	return true;
}

/* ---- System calls that are interrupted ---- */

long arch_syscall_number(struct thread *thread)
{
	const struct trap_frame *user = arch_user_frame(thread);

	return user->vector == VECTOR_SYSCALL ? (long)user->error : -1;
}

void arch_syscall_forget(struct thread *thread)
{
	arch_user_frame(thread)->vector = VECTOR_NONE;
}

void arch_syscall_again(struct thread *thread, long number)
{
	struct trap_frame *user = arch_user_frame(thread);

	user->rax = (uint64_t)number;
	user->rip -= 2; /* SYSCALL's length */
}

long arch_result(struct thread *thread)
{
	return (long)arch_user_frame(thread)->rax;
}

void arch_set_result(struct thread *thread, long result)
{
	arch_user_frame(thread)->rax = (uint64_t)result;
}

uintptr_t arch_user_sp(struct thread *thread)
{
	return arch_user_frame(thread)->rsp;
}
