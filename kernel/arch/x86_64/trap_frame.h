/* SPDX-License-Identifier: MIT */
/*
 * The registers that an entry into the kernel saves: at the top of the thread's kernel stack when it
 * came from user mode. 22 words, so that the stack stays aligned to 16 for the C that follows.
 */
#ifndef X86_TRAP_FRAME_H
#define X86_TRAP_FRAME_H

#define FRAME_RBP    0x20
#define FRAME_R10    0x38
#define FRAME_R9     0x40
#define FRAME_R8     0x48
#define FRAME_RAX    0x50
#define FRAME_RCX    0x58
#define FRAME_RDX    0x60
#define FRAME_RSI    0x68
#define FRAME_RDI    0x70
#define FRAME_VECTOR 0x78
#define FRAME_ERROR  0x80
#define FRAME_RIP    0x88
#define FRAME_CS     0x90
#define FRAME_RFLAGS 0x98
#define FRAME_RSP    0xa0
#define FRAME_SS     0xa8
#define FRAME_SIZE   0xb0

#ifndef __ASSEMBLER__

#include "lib/types.h"

struct trap_frame {
	uint64_t r15, r14, r13, r12, rbp, rbx, r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
	uint64_t vector; /* VECTOR_* */
	uint64_t
		error; /* the CPU's error code, 0 where it gives none; the call's number for a SYSCALL */
	uint64_t rip, cs, rflags, rsp, ss;
};

_Static_assert(sizeof(struct trap_frame) == FRAME_SIZE, "entry.S");
_Static_assert(offsetof(struct trap_frame, vector) == FRAME_VECTOR, "entry.S");
_Static_assert(offsetof(struct trap_frame, rbp) == FRAME_RBP, "entry.S");
_Static_assert(offsetof(struct trap_frame, r10) == FRAME_R10, "entry.S");
_Static_assert(offsetof(struct trap_frame, r9) == FRAME_R9, "entry.S");
_Static_assert(offsetof(struct trap_frame, r8) == FRAME_R8, "entry.S");
_Static_assert(offsetof(struct trap_frame, rax) == FRAME_RAX, "entry.S");
_Static_assert(offsetof(struct trap_frame, rcx) == FRAME_RCX, "entry.S");
_Static_assert(offsetof(struct trap_frame, rdx) == FRAME_RDX, "entry.S");
_Static_assert(offsetof(struct trap_frame, rsi) == FRAME_RSI, "entry.S");
_Static_assert(offsetof(struct trap_frame, rdi) == FRAME_RDI, "entry.S");
_Static_assert(offsetof(struct trap_frame, rip) == FRAME_RIP, "entry.S");

#endif
#endif
