/* SPDX-License-Identifier: MIT */
#ifndef SYSCALL_DISPATCH_H
#define SYSCALL_DISPATCH_H

/* Logs which calls were asked for that nobody handles. */
void syscall_report(void);

#endif
