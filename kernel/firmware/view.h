/* SPDX-License-Identifier: MIT */
/* A look at memory that firmware wrote, wherever it lies: inside or outside of the memory map. */
#ifndef FIRMWARE_VIEW_H
#define FIRMWARE_VIEW_H

#include "arch/arch.h"

/* NULL: no memory for the mapping, or the range wraps. firmware_view_end takes the same size. */
static inline const void *firmware_view(phys_t phys, size_t size)
{
	if (!size || phys + size < phys)
		return NULL;
	return arch_map_device(phys, size, MAP_WRITE_BACK);
}

static inline void firmware_view_end(const void *p, size_t size)
{
	arch_unmap_device((void *)(uintptr_t)p, size);
}

#endif
