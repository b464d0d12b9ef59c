/* SPDX-License-Identifier: MIT */
/* The machine's names, for /proc too; see machine.c. */
#ifndef SYSCALL_MACHINE_H
#define SYSCALL_MACHINE_H

#include "build_id.h"
#include "lib/types.h"

#define MACHINE_RELEASE  "6.1.0-baton"
#define MACHINE_VERSION  "Baton " BATON_BUILD_ID
#define MACHINE_NAME_MAX 64u /* __NEW_UTS_LEN */

enum machine_name { MACHINE_NODE, MACHINE_DOMAIN };

/* NUL-terminated, in MACHINE_NAME_MAX + 1 bytes. */
void machine_name(enum machine_name which, char *out);
void machine_set_name(enum machine_name which, const char *name, size_t length);

#endif
