/* SPDX-License-Identifier: MIT */
/* What the system calls on sockets share. */
#ifndef SYSCALL_SOCKETS_H
#define SYSCALL_SOCKETS_H

#include "sockets/unix.h"
#include "syscall/files.h"

#define STORAGE_SIZE 128 /* struct sockaddr_storage */

/* The socket of a descriptor, with a reference: -EBADF, -ENOTSOCK. */
int get_socket(int fd, struct file **out) MUST_CHECK;
/* An address as a user gave it. -EINVAL, -EFAULT. *family is all that is looked at of AF_UNSPEC's. */
int get_address(user_t from, int length, struct unix_name *name, int *family) MUST_CHECK;
/* Writes an address and its whole length, as far as the length there says. */
int put_address(const struct unix_name *name, user_t to, user_t length) MUST_CHECK;
/* The same where the room is known; *length becomes the whole length. */
int put_address_sized(const struct unix_name *name, user_t to, int *length) MUST_CHECK;

#endif
