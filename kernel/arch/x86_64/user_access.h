/* SPDX-License-Identifier: MIT */
/*
 * Single words of user memory, many at a time: between user_access_begin and user_access_end the SMAP
 * window is open, and each write that cannot be done goes to a label. Pages are faulted in on the
 * way, so no lock is held. Nothing else is called while the window is open.
 *
 *	if (!user_access_begin(at, sizeof(*frame)))
 *		return -EFAULT;
 *	user_put(&frame->word, value, fault);
 *	user_access_end();
 *	return 0;
 * fault:
 *	user_access_end();
 *	return -EFAULT;
 */
#ifndef X86_USER_ACCESS_H
#define X86_USER_ACCESS_H

#include "arch_cpu.h"
#include "lib/errno.h"
#include "lib/types.h"

extern uint8_t user_window; /* memory.S: SMAP is on */

static inline bool user_access_begin(uintptr_t at, size_t size)
{
	if (unlikely(at >= USER_END || size > USER_END - at))
		return false;
	if (user_window)
		__asm__ volatile("stac" : : : "memory");
	return true;
}

static inline void user_access_end(void)
{
	if (user_window)
		__asm__ volatile("clac" : : : "memory");
}

#define USER_FAULT_TO(label)                            \
	".pushsection __ex_table, \"a\", @progbits\n\t" \
	".balign 4\n\t.long 1b - .\n\t.long %l[" #label "] - .\n\t.popsection"

/* Words of 64 bits; user_put32: of 32. */
#define user_put(address, value, label)                                             \
	__asm__ goto("1: movq %[v], %[m]\n\t" USER_FAULT_TO(label)                  \
		     :                                                              \
		     : [m] "m"(*(uint64_t *)(address)), [v] "er"((uint64_t)(value)) \
		     : "memory"                                                     \
		     : label)
#define user_put32(address, value, label)                                           \
	__asm__ goto("1: movl %[v], %[m]\n\t" USER_FAULT_TO(label)                  \
		     :                                                              \
		     : [m] "m"(*(uint32_t *)(address)), [v] "ir"((uint32_t)(value)) \
		     : "memory"                                                     \
		     : label)
/* Reads cannot go to a label (an asm goto with results crashes GCC 12): what cannot be read is 0, and
 * `error` becomes -EFAULT, or stays what it is. */
#define USER_GET(move, target, type, address, error)                                \
	__asm__ volatile("1: " move " %[m], %[v]\n"                                 \
			 "2:\n\t"                                                   \
			 ".subsection 1\n"                                          \
			 "3: movl %[code], %[e]\n\t"                                \
			 "xorl %k[v], %k[v]\n\t"                                    \
			 "jmp 2b\n\t"                                               \
			 ".previous\n\t"                                            \
			 ".pushsection __ex_table, \"a\", @progbits\n\t"            \
			 ".balign 4\n\t.long 1b - .\n\t.long 3b - .\n\t.popsection" \
			 : [v] "=&r"(target), [e] "+r"(error)                       \
			 : [m] "m"(*(const type *)(address)), [code] "i"(-EFAULT)   \
			 : "memory")
#define user_get(target, address, error)   USER_GET("movq", target, uint64_t, address, error)
#define user_get32(target, address, error) USER_GET("movl", target, uint32_t, address, error)
/* An FPU instruction on an area; the features as edx:eax. */
#define user_fpu(instruction, area, features, label)                      \
	__asm__ goto("1: " instruction " (%[a])\n\t" USER_FAULT_TO(label) \
		     :                                                    \
		     : [a] "r"(area), "a"((uint32_t)(features)),          \
		     "d"((uint32_t)((uint64_t)(features) >> 32))          \
		     : "memory"                                           \
		     : label)

#endif
