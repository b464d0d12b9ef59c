/* SPDX-License-Identifier: MIT */
/* Files in memory without a name, and seals; see memfd.c. */
#ifndef FILES_MEMFD_H
#define FILES_MEMFD_H

#include "lib/types.h"

struct file;
struct name;

#define MEMFD_NAME_MAX 249u /* NAME_MAX without "memfd:" */

void memfd_init(void);
enum memfd_kind { MEMFD_PLAIN, MEMFD_SEALABLE };
/* Open for reading and writing. -ENOMEM. */
int memfd_make(const struct name *name, enum memfd_kind kind, struct file **out) MUST_CHECK;

/* fcntl's F_GET_SEALS and F_ADD_SEALS. -EINVAL: a file that has none. */
long file_seals(const struct file *file) MUST_CHECK;
long file_seal(struct file *file, uintptr_t seals) MUST_CHECK;

#endif
