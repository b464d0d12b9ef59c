/* SPDX-License-Identifier: MIT */
/* Linux's error numbers: internally a result is 0 or positive, or a negative errno. */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

#include <asm/errno.h>

/* Results of an interrupted system call that user mode never sees: signal delivery turns them into
 * EINTR or into the same call again (man 7 signal, "Interruption of system calls"). When no signal
 * was delivered after all, the call is always made again. */
#define ERESTARTSYS           512 /* again if the handler has SA_RESTART, else EINTR */
#define ERESTARTNOINTR        513 /* again in any case */
#define ERESTARTNOHAND        514 /* again only where no handler ran, else EINTR */
#define ERESTART_RESTARTBLOCK 516 /* by restart_syscall(2) where no handler ran, else EINTR */

#endif
