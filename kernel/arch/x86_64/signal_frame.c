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
#include "process/process.h"
#include "process/sched.h"
#include "registers.h"
#include "trap_frame.h"
#include "user_access.h"

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

static inline struct trap_frame *user_frame(struct thread *thread)
{
	return (struct trap_frame *)(thread->arch.stack + KERNEL_STACK_SIZE) - 1;
}

/* ---- To the handler ---- */

/* Where the frame goes; 0: there is no room for it. */
static uintptr_t place_frame(const struct thread_signals *signals, const struct trap_frame *user,
	bool on_stack, uintptr_t *fpu)
{
	bool inside = signals->stack_size && signal_on_stack(signals, user->rsp);
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
	return sp;
}

/* clang-format off */
#define EACH_REGISTER(DO) \
	DO(r8) DO(r9) DO(r10) DO(r11) DO(r12) DO(r13) DO(r14) DO(r15) DO(rdi) DO(rsi) DO(rbp) DO(rbx) \
	DO(rdx) DO(rax) DO(rcx) DO(rsp) DO(rip)
/* clang-format on */

static int write_info(const struct signal_info *info, uintptr_t at)
{
	uint64_t *to = (uint64_t *)at;
	const uint64_t *from = (const uint64_t *)info;

	if (!user_access_begin(at, sizeof(siginfo_t)))
		return -EFAULT;
	for (unsigned i = 0; i < sizeof(*info) / sizeof(*from); i++)
		user_put(to + i, from[i], fault);
	for (unsigned i = sizeof(*info) / sizeof(*from); i < sizeof(siginfo_t) / sizeof(*to); i++)
		user_put(to + i, 0, fault);
	user_access_end();
	return 0;
fault:
	user_access_end();
	return -EFAULT;
}

static int write_frame(const struct signal_delivery *delivery, const struct thread *self,
	const struct trap_frame *user, struct rt_sigframe *to, uintptr_t fpu)
{
	const struct thread_signals *signals = &self->signals;
	struct ucontext *context = &to->context;
	struct sigcontext *registers = &context->uc_mcontext;

	if (!user_access_begin((uintptr_t)to, sizeof(*to)))
		return -EFAULT;
	user_put(&to->return_address, delivery->action.restorer, fault);
	user_put(&context->uc_flags, UC_SIGCONTEXT_SS | UC_STRICT_RESTORE_SS | fpu_user_flags(),
		fault);
	user_put(&context->uc_link, 0, fault);
	user_put(&context->uc_stack.ss_sp, signals->stack_base, fault);
	user_put(&context->uc_stack.ss_flags, signals->stack_flags, fault); /* and padding */
	user_put(&context->uc_stack.ss_size, signals->stack_size, fault);
#define PUT(name) user_put(&registers->name, user->name, fault);
	EACH_REGISTER(PUT)
#undef PUT
	user_put(&registers->eflags, user->rflags, fault);
	user_put(&registers->cs, (user->cs & 0xffff) | (user->ss & 0xffff) << 48, fault);
	user_put(&registers->err, self->arch.trap_error, fault);
	user_put(&registers->trapno, self->arch.trap_number, fault);
	user_put(&registers->oldmask, delivery->mask, fault);
	user_put(&registers->cr2, self->arch.fault_address, fault);
	user_put(&registers->fpstate, fpu, fault);
	user_put(&context->uc_sigmask, delivery->mask, fault);
	user_access_end();
	return delivery->action.flags & SA_SIGINFO
		       ? write_info(&delivery->info, (uintptr_t)&to->info)
		       : 0;
fault:
	user_access_end();
	return -EFAULT;
}

int arch_signal_enter(const struct signal_delivery *delivery)
{
	struct thread *self = current_thread();
	struct trap_frame *user = user_frame(self);
	uintptr_t at, fpu;

	if (!(delivery->action.flags & SA_RESTORER))
		return -EFAULT; /* nothing else would bring the handler back */
	at = place_frame(&self->signals, user, delivery->action.flags & SA_ONSTACK, &fpu);
	if (!at || fpu_save_user(fpu) ||
		write_frame(delivery, self, user, (struct rt_sigframe *)at, fpu))
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
	user->vector = VECTOR_NONE;
	fpu_load_initial();
	return 0;
}

/* ---- And back ---- */

/* The frame's registers, unchecked; in one step of many, so that most are read once. */
static ANY_ALIGNMENT int read_frame(const struct ucontext *context, struct trap_frame *user,
	struct signal_return *out, uintptr_t *fpu)
{
	const struct sigcontext *registers = &context->uc_mcontext;
	uint64_t flags, eflags, selectors, word;
	int error = 0;

	if (!user_access_begin((uintptr_t)context, sizeof(*context)))
		return -EFAULT;
	user_get(flags, &context->uc_flags, error);
	user_get(out->mask, &context->uc_sigmask, error);
	if (unlikely(error)) { /* the first and the last word: with them goes what is between */
		user_access_end();
		return error;
	}
	user_get(out->stack_base, &context->uc_stack.ss_sp, error);
	user_get(word, &context->uc_stack.ss_flags, error);
	user_get(out->stack_size, &context->uc_stack.ss_size, error);
#define GET(name) user_get(user->name, &registers->name, error);
	EACH_REGISTER(GET)
#undef GET
	user_get(eflags, &registers->eflags, error);
	user_get(selectors, &registers->cs, error);
	user_get(*fpu, &registers->fpstate, error);
	user_access_end();
	out->stack_flags = (unsigned)word;
	user->rflags = (user->rflags & ~FLAGS_USER) | (eflags & FLAGS_USER);
	user->cs = (selectors & 0xffff) | 3;
	user->ss = flags & UC_STRICT_RESTORE_SS ? selectors >> 48 | 3 : SELECTOR_USER_DATA;
	return error;
}

static bool canonical(uint64_t address)
{
	return (uint64_t)((int64_t)(address << 16) >> 16) == address;
}

static bool acceptable(const struct trap_frame *user)
{
	return user->cs == SELECTOR_USER_CODE && user->ss == SELECTOR_USER_DATA &&
	       canonical(user->rip);
}

ANY_ALIGNMENT int arch_signal_return(struct signal_return *out)
{
	struct thread *self = current_thread();
	struct trap_frame *user = user_frame(self);
	/* The handler's RET took the restorer. */
	const struct rt_sigframe *frame =
		(const struct rt_sigframe *)(user->rsp - sizeof(frame->return_address));
	uintptr_t fpu;

	user->vector = VECTOR_NONE;
	self->frame_changed = true;
	if (unlikely(read_frame(&frame->context, user, out, &fpu)))
		return -EFAULT;
	out->result = (long)user->rax;
	out->refused = !acceptable(user);
	return fpu_load_user(fpu);
}

bool arch_frame_fault(struct thread *thread)
{
	const struct trap_frame *user = user_frame(thread);
	uint64_t error = 0;

	if (likely(acceptable(user)))
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

long arch_syscall_number(struct thread *thread, long *result)
{
	const struct trap_frame *user = user_frame(thread);

	*result = (long)user->rax;
	/* the lower half of RAX is the number, whatever the upper one was */
	return user->vector == VECTOR_SYSCALL ? (int32_t)user->error : -1;
}

void arch_syscall_forget(struct thread *thread)
{
	user_frame(thread)->vector = VECTOR_NONE;
}

void arch_syscall_again(struct thread *thread, long number)
{
	struct trap_frame *user = user_frame(thread);

	user->rax = (uint64_t)number;
	user->rip -= 2;                    /* SYSCALL's length */
	if (unlikely(!acceptable(user))) { /* a tracer set it, and now it is over the edge */
		thread->signals.check_frame = true;
		thread_set_work(thread, WORK_SIGNAL);
	}
}

long arch_result(struct thread *thread)
{
	return (long)user_frame(thread)->rax;
}

void arch_set_result(struct thread *thread, long result)
{
	user_frame(thread)->rax = (uint64_t)result;
}

uintptr_t arch_user_sp(struct thread *thread)
{
	return user_frame(thread)->rsp;
}
