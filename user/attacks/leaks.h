/* SPDX-License-Identifier: MIT */
/* What leaks.c looks for, and where pointers.c helps it. */
#ifndef USER_ATTACKS_LEAKS_H
#define USER_ATTACKS_LEAKS_H

#include "attacks/attack.h"

#define POISON      0xa5
#define POISON_WORD 0xa5a5a5a5a5a5a5a5ul

bool is_kernel_address(uint64_t value);
/* Fails the attack when there is one in it. */
void want_no_address(const char *what, const void *memory, size_t size);
/* Makes every call that writes to memory, with good arguments, and looks at all that it has written (pointers.c). */
void scan_outputs(void);

#endif
