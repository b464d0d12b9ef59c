/* SPDX-License-Identifier: MIT */
/* The words that all of the kernel shares: plain types, no state. */
#ifndef LIB_TYPES_H
#define LIB_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t phys_t;  /* a physical address */
typedef uintptr_t virt_t; /* a kernel virtual address as a number */
typedef uint64_t ns_t;    /* nanoseconds; NS_NEVER: no such time */
typedef long ssize_t;     /* a byte count or a negative errno, as Linux's */

/* A pointer that a user process gave: a type of its own, which the compiler won't dereference.
 * Only copy_from_user and its kin (memory/user.h) look through it. */
typedef struct {
	uintptr_t address;
} user_t;

#define NS_NEVER                 UINT64_MAX
#define NS_PER_SECOND            UINT64_C(1000000000)

#define ARRAY_SIZE(a)            (sizeof(a) / sizeof((a)[0]))
#define ALIGN_DOWN(x, a)         ((x) & ~((__typeof__(x))(a)-1))
#define ALIGN_UP(x, a)           ALIGN_DOWN((x) + ((__typeof__(x))(a)-1), a)
#define DIV_ROUND_UP(x, a)       (((x) + (a)-1) / (a))
#define container_of(p, type, m) ((type *)((char *)(p)-offsetof(type, m)))
#define likely(x)                __builtin_expect(!!(x), 1)
#define unlikely(x)              __builtin_expect(!!(x), 0)
#define MUST_CHECK               __attribute__((warn_unused_result))
#define NORETURN                 __attribute__((noreturn))
#define PRINTF_LIKE(f, a)        __attribute__((format(printf, f, a)))
#define COLD                     __attribute__((cold, noinline)) /* not in the quick path's way */
/* Computes addresses of user memory, which may be misaligned, and never looks through them itself. */
#define ANY_ALIGNMENT __attribute__((no_sanitize("alignment")))
/* Functions of the scheduler that stand between a sleeper and what it sleeps for: wchan does not name them. */
#define SCHED_TEXT    __attribute__((section(".text.sched")))
#define UNUSED        __attribute__((unused))
#define ALWAYS_INLINE inline __attribute__((always_inline))

static inline user_t user_pointer(uintptr_t address)
{
	return (user_t){address};
}

static inline user_t user_offset(user_t p, size_t bytes)
{
	return (user_t){p.address + bytes};
}

#endif
