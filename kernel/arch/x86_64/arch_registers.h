/* SPDX-License-Identifier: MIT */
/* A thread's registers as user mode's structures have them: see ptrace_registers.c. */
#ifndef ARCH_REGISTERS_H
#define ARCH_REGISTERS_H

#include "lib/types.h"

struct thread;

/* As Linux's <asm/user.h>, which only C libraries have. */
struct user_regs_struct {
	uint64_t r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip, cs,
		flags, sp, ss, fs_base, gs_base, ds, es, fs, gs;
};

#define USER_AREA_SIZE   928u /* struct user, in which PTRACE_PEEKUSER looks */
#define USER_AREA_DEBUG  848u /* its u_debugreg: DR0 to DR7 */
#define USER_AREA_DEBUGS 8u
#define FPU_LEGACY_SIZE  512u

/* Of a thread that does not run; or of the running one, after this. */
void arch_registers_sync(void);
void arch_registers_get(struct thread *thread, struct user_regs_struct *out);
int arch_registers_set(
	struct thread *thread, const struct user_regs_struct *from) MUST_CHECK; /* -EIO */
size_t arch_fpu_size(void); /* at least FPU_LEGACY_SIZE */
void arch_fpu_get(struct thread *thread, void *out);
/* size: FPU_LEGACY_SIZE or arch_fpu_size(). -EINVAL: the CPU would refuse it. */
int arch_fpu_set(struct thread *thread, const void *from, size_t size) MUST_CHECK;
/* Debug registers, by their number, 0 to 7, with Linux's checks: -EINVAL: an address of the kernel,
 * bits of DR7 that ask for what is not there; -EIO: DR4 and DR5; -ENOMEM. */
uint64_t arch_debug_get(const struct thread *thread, unsigned number);
int arch_debug_set(struct thread *thread, unsigned number, uint64_t value) MUST_CHECK;

#endif
