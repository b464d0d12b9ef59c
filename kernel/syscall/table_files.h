/* SPDX-License-Identifier: MIT */
/* The system calls on files; see table.h. Included by it alone. */
#ifndef SYSCALL_TABLE_FILES_H
#define SYSCALL_TABLE_FILES_H

#define SYSCALL_TABLE_FILES(CALL0, CALL1, CALL2, CALL3, CALL4, CALL5, CALL6)                       \
	CALL3(0, read, FD, fd, OUT, buffer, SIZE, count)                                           \
	CALL3(1, write, FD, fd, IN, buffer, SIZE, count)

#endif
