/* SPDX-License-Identifier: MIT */
/* The dynamic area of the kernel's half: kernel stacks and device memory. */
#ifndef X86_KERNEL_AREA_H
#define X86_KERNEL_AREA_H

#include "lib/types.h"

void kernel_area_init(virt_t dynamic);
void switch_init(void);

#endif
