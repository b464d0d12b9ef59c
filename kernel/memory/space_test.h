/* SPDX-License-Identifier: MIT */
/* What the tests of address spaces share: a machine with memory, the CPU's way to a byte, and the
 * audit of the invariants that space.c opens with. */
#ifndef MEMORY_SPACE_TEST_H
#define MEMORY_SPACE_TEST_H

#include "arch/fake/fake.h"
#include "arch/fake/test.h"
#include "lib/errno.h"
#include "memory/object.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "memory/vma.h"

#include <signal.h>

/* What fault says: one number for signal and si_code. */
#define FAULT(signal, code) ((signal) << 8 | (code))
#define MAPERR              FAULT(SIGSEGV, SEGV_MAPERR)
#define ACCERR              FAULT(SIGSEGV, SEGV_ACCERR)
#define ADRERR              FAULT(SIGBUS, BUS_ADRERR)
#define KILLED              FAULT(SIGKILL, SI_KERNEL)

#define RW                  (MAP_READ | MAP_WRITE)

/* 64 MiB of RAM, spaces started, none made. */
void spaces_start(void);
/* No frame, table, VMA or space is left that was not there after spaces_start. */
void spaces_end(void);

/* The process's: unlimited at first, but for the stack. */
#define STACK_LIMIT UINT64_C(0x800000)
void limit_set(unsigned which, uint64_t limit);
void capabilities_drop(void); /* until spaces_start */

/* Which space the CPU uses. */
extern struct space *space_used;

/* What user mode does: touches the byte, faulting as often as it must. 0 and the byte, or the
 * FAULT() that ends the process. */
int touch(uintptr_t address, enum fault_access access, uint8_t **byte);
int load(uintptr_t address);                 /* the byte, or -FAULT() */
int store(uintptr_t address, uint8_t value); /* 0, or -FAULT() */

/* The invariants, over all spaces that share frames. */
void spaces_audit(struct space *const *spaces, size_t count);

#endif
