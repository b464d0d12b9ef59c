/* SPDX-License-Identifier: MIT */
#ifndef X86_PANIC_H
#define X86_PANIC_H

#include "lib/types.h"

/* The panic that follows shows the way of these CPUs too, once they are stopped. */
void panic_shows(uint64_t which);

#endif
