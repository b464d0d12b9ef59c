/* SPDX-License-Identifier: MIT */
/*
 * The registers of a thread that does not run, as ptrace(2) and core files show them: Linux's struct
 * user_regs_struct and the FPU's state in XSAVE's form. What is set is checked as Linux checks it;
 * what the CPU would refuse at IRET is found on the way to user mode (arch_frame_fault), and
 * selectors that do not exist are refused here, since loading them would fault in the kernel.
 */
#include <asm/sigcontext.h>

#include "arch/arch.h"
#include "arch_registers.h"
#include "fpu.h"
#include "fpu_user.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "process/process.h"
#include "registers.h"
#include "trap_frame.h"

#define FLAGS_SETTABLE                                                                       \
	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_TF | RFLAGS_DF | \
		RFLAGS_OF | RFLAGS_NT | RFLAGS_RF | RFLAGS_AC)

void arch_single_step(struct thread *thread, bool on)
{
	struct trap_frame *user = arch_user_frame(thread);

	if (on && !(user->rflags & RFLAGS_TF)) {
		user->rflags |= RFLAGS_TF;
		thread->arch.step_forced = true;
	} else if (!on && thread->arch.step_forced) {
		user->rflags &= ~RFLAGS_TF;
		thread->arch.step_forced = false;
	}
}

void arch_registers_sync(void)
{
	struct arch_thread *self = &current_thread()->arch;
	uint32_t state = arch_irq_save();

	fpu_save(self->fpu);
	self->fs_base = arch_get_fs_base();
	self->gs_base = arch_get_gs_base();
	arch_irq_restore(state);
}

static uint64_t selector(const struct thread *thread, unsigned index)
{
	return thread->arch.selectors >> 16 * index & 0xffff;
}

void arch_registers_get(struct thread *thread, struct user_regs_struct *out)
{
	const struct trap_frame *user = arch_user_frame(thread);

	*out = (struct user_regs_struct){
		.r15 = user->r15,
		.r14 = user->r14,
		.r13 = user->r13,
		.r12 = user->r12,
		.bp = user->rbp,
		.bx = user->rbx,
		.r11 = user->r11,
		.r10 = user->r10,
		.r9 = user->r9,
		.r8 = user->r8,
		.ax = user->rax,
		.cx = user->rcx,
		.dx = user->rdx,
		.si = user->rsi,
		.di = user->rdi,
		.orig_ax = user->vector == VECTOR_SYSCALL ? user->error : UINT64_MAX,
		.ip = user->rip,
		.cs = user->cs,
		.flags = user->rflags,
		.sp = user->rsp,
		.ss = user->ss,
		.fs_base = thread->arch.fs_base,
		.gs_base = thread->arch.gs_base,
		.ds = selector(thread, 0),
		.es = selector(thread, 1),
		.fs = selector(thread, 2),
		.gs = selector(thread, 3),
	};
	if (thread->arch.step_forced)
		out->flags &= ~RFLAGS_TF;
}

static bool loadable(uint64_t value)
{
	return value < 4 || value == SELECTOR_USER_DATA;
}

int arch_registers_set(struct thread *thread, const struct user_regs_struct *from)
{
	struct trap_frame *user = arch_user_frame(thread);

	if (from->fs_base >= USER_END || from->gs_base >= USER_END || !loadable(from->ds) ||
		!loadable(from->es) || !loadable(from->fs) || !loadable(from->gs) ||
		(from->cs & 3) != 3 || (from->ss & 3) != 3)
		return -EIO;
	user->r15 = from->r15, user->r14 = from->r14, user->r13 = from->r13;
	user->r12 = from->r12, user->rbp = from->bp, user->rbx = from->bx;
	user->r11 = from->r11, user->r10 = from->r10, user->r9 = from->r9;
	user->r8 = from->r8, user->rax = from->ax, user->rcx = from->cx;
	user->rdx = from->dx, user->rsi = from->si, user->rdi = from->di;
	user->rip = from->ip, user->rsp = from->sp;
	user->cs = from->cs & 0xffff, user->ss = from->ss & 0xffff;
	if (from->flags & RFLAGS_TF)
		thread->arch.step_forced = false; /* it is the program's own now */
	user->rflags = (user->rflags & ~FLAGS_SETTABLE) | (from->flags & FLAGS_SETTABLE);
	if (thread->arch.step_forced)
		user->rflags |= RFLAGS_TF;
	if ((long)from->orig_ax == -1) {
		user->vector = VECTOR_NONE;
	} else {
		user->vector = VECTOR_SYSCALL;
		user->error = from->orig_ax;
	}
	thread->arch.fs_base = from->fs_base;
	thread->arch.gs_base = from->gs_base;
	thread->arch.selectors = from->ds | from->es << 16 | from->fs << 32 | from->gs << 48;
	thread->signals.check_frame = true;
	return 0;
}

size_t arch_fpu_size(void)
{
	return fpu_state_size();
}

void arch_fpu_get(struct thread *thread, void *out)
{
	struct _fpstate_64 *state = out;

	memcpy(out, thread->arch.fpu, fpu_state_size());
	/* gdb finds XCR0 there. */
	memset(&state->sw_reserved, 0, sizeof(state->sw_reserved));
	*(uint64_t *)&state->sw_reserved = fpu_features();
}

int arch_fpu_set(struct thread *thread, const void *from, size_t size)
{
	const struct _xstate *new = from;
	struct _xstate *state = thread->arch.fpu;
	bool whole = size > sizeof(struct _fpstate_64);

	if (new->fpstate.mxcsr & ~fpu_mxcsr_mask())
		return -EINVAL;
	if (whole) {
		if (size != fpu_state_size() || (new->xstate_hdr.xfeatures & ~fpu_features()))
			return -EINVAL;
		for (unsigned i = 0; i < ARRAY_SIZE(new->xstate_hdr.reserved1); i++) {
			if (new->xstate_hdr.reserved1[i])
				return -EINVAL;
		}
		for (unsigned i = 0; i < ARRAY_SIZE(new->xstate_hdr.reserved2); i++) {
			if (new->xstate_hdr.reserved2[i])
				return -EINVAL;
		}
	}
	memcpy(state, from, size);
	memset(&state->fpstate.sw_reserved, 0, sizeof(state->fpstate.sw_reserved));
	if (!whole && fpu_features())
		state->xstate_hdr.xfeatures |= 3; /* x87 and SSE are not in their first state */
	return 0;
}
