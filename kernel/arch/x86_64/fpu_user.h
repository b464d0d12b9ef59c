/* SPDX-License-Identifier: MIT */
/*
 * The running thread's FPU state in user memory, as signal frames have it: Linux's struct _fpstate,
 * followed by XSAVE's header and components, with the "software-reserved" words that say so
 * (<asm/sigcontext.h>).
 */
#ifndef X86_FPU_USER_H
#define X86_FPU_USER_H

#include "lib/types.h"

void fpu_user_init(void); /* once, after fpu_cpu_init */
/* Of a frame, since then: bytes, which FPU_ALIGN aligns, and uc_flags. */
extern uint32_t fpu_frame_size, fpu_frame_flags;
static inline size_t fpu_user_size(void)
{
	return fpu_frame_size;
}
static inline unsigned fpu_user_flags(void)
{
	return fpu_frame_flags;
}
/* Both 0 or -EFAULT; the area may be paged in, so no lock is held. */
int fpu_save_user(uintptr_t area) MUST_CHECK;
/* Whatever stands there, the kernel takes no fault from it: what the CPU refuses is -EFAULT, and the
 * state is then as after exec. 0 as area: that too. */
int fpu_load_user(uintptr_t area) MUST_CHECK;
void fpu_load_initial(void);
uint32_t fpu_mxcsr_mask(void); /* the bits of MXCSR that may be set */

#endif
