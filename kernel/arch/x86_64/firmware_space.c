/* SPDX-License-Identifier: MIT */
#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "paging.h"
#include "registers.h"

static phys_t firmware_top;

int arch_firmware_map(phys_t base, uint64_t size, unsigned access, enum map_cache cache)
{
	uint64_t flags = (access & MAP_WRITE ? PTE_WRITE : 0) |
			 (access & MAP_EXECUTE ? 0 : PTE_NX) |
			 (cache == MAP_WRITE_BACK ? 0 : PTE_PCD | PTE_PWT);

	if (!firmware_top)
		firmware_top = paging_firmware_top();
	if (!firmware_top)
		return -ENOMEM;
	for (phys_t page = ALIGN_DOWN(base, PAGE_SIZE); page < base + size; page += PAGE_SIZE) {
		if (paging_firmware_map(firmware_top, page, flags))
			return -ENOMEM;
	}
	return 0;
}

typedef uint64_t __attribute__((ms_abi)) service(uint64_t a, uint64_t b, uint64_t c, uint64_t d);

uint64_t arch_firmware_call(uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	uint32_t interrupts = arch_irq_save();
	uint64_t before = cr3_read(), result;

	assert(firmware_top);
	cr3_write(firmware_top);
	result = ((service *)function)(a, b, c, d);
	cr3_write(before);
	arch_irq_restore(interrupts);
	return result;
}
