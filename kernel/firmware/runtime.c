/* SPDX-License-Identifier: MIT */
/*
 * UEFI runtime services, so far ResetSystem alone: the way to power off where ACPI knows none.
 *
 * They run in ring 0 in an address space of their own: the kernel's half, for the traps, and below,
 * identity-mapped, the ranges that the firmware marked RUNTIME: code R-X, data and MMIO RW-. Where a
 * memory attributes table (UEFI 2.10 4.6.3) says which pages of the code are data, it is believed.
 * No page is writable and executable at once: a firmware that writes into its own code faults, which
 * is a panic with the address.
 */
#include "firmware/runtime.h"

#include <efi.h>

#include "arch/arch.h"
#include "baton/handoff.h"
#include "lib/errno.h"
#include "lib/log.h"

#ifndef EFI_MEMORY_RO
#define EFI_MEMORY_RO 0x20000 /* UEFI 2.10 7.2.3; younger than gnu-efi's header */
#endif

static const struct handoff *handoff;

void firmware_runtime_init(const struct handoff *from)
{
	handoff = from;
}

/* Descriptors of whatever size the firmware gave, inside [range.base, range.base + range.size). */
static const EFI_MEMORY_DESCRIPTOR *descriptor(
	phys_t base, uint64_t size, uint64_t stride, uint64_t index)
{
	if (stride < sizeof(EFI_MEMORY_DESCRIPTOR) || (index + 1) * stride > size)
		return NULL;
	return arch_phys_to_ptr(base + index * stride);
}

static int map_one(const EFI_MEMORY_DESCRIPTOR *d, unsigned access)
{
	enum map_cache cache = d->Attribute & EFI_MEMORY_WB ? MAP_WRITE_BACK : MAP_UNCACHED;

	return arch_firmware_map(d->PhysicalStart, d->NumberOfPages * PAGE_SIZE, access, cache);
}

static int map_regions(void)
{
	const EFI_MEMORY_DESCRIPTOR *d;

	for (uint64_t i = 0; (d = descriptor(handoff->raw_memory.base, handoff->raw_memory.size,
				      handoff->raw_descriptor_size, i));
		i++) {
		unsigned access =
			MAP_READ | (d->Type == EfiRuntimeServicesCode ? MAP_EXECUTE : MAP_WRITE);

		if ((d->Attribute & EFI_MEMORY_RUNTIME) && map_one(d, access))
			return -ENOMEM;
	}
	return 0;
}

/* EFI_MEMORY_ATTRIBUTES_TABLE: version, count, descriptor size, flags; then the descriptors. */
static int map_attributes(void)
{
	const struct handoff_range *table = &handoff->memory_attributes;
	const uint32_t *header = table->size >= 16 ? arch_phys_to_ptr(table->base) : NULL;
	const EFI_MEMORY_DESCRIPTOR *d;

	for (uint64_t i = 0; header && i < header[1] &&
			     (d = descriptor(table->base + 16, table->size - 16, header[2], i));
		i++) {
		unsigned access = MAP_READ | (d->Attribute & EFI_MEMORY_RO ? 0 : MAP_WRITE) |
				  (d->Attribute & EFI_MEMORY_XP ? 0 : MAP_EXECUTE);

		if (access == (MAP_READ | MAP_WRITE | MAP_EXECUTE))
			access = MAP_READ | MAP_EXECUTE;
		if (map_one(d, access))
			return -ENOMEM;
	}
	return 0;
}

void firmware_reset_system(enum firmware_reset type)
{
	static const EFI_RESET_TYPE types[] = {
		[FIRMWARE_RESET_COLD] = EfiResetCold,
		[FIRMWARE_RESET_WARM] = EfiResetWarm,
		[FIRMWARE_RESET_SHUTDOWN] = EfiResetShutdown,
	};
	const EFI_RUNTIME_SERVICES *services;

	if (!handoff || !handoff->runtime_services) {
		log_warn("no UEFI runtime services: ResetSystem cannot be called");
		return;
	}
	if (map_regions() || map_attributes()) {
		log_warn("no memory to map UEFI's runtime services");
		return;
	}
	services = arch_phys_to_ptr(handoff->runtime_services);
	if (!services->ResetSystem) {
		log_warn("the firmware has no ResetSystem");
		return;
	}
	arch_firmware_call((uint64_t)services->ResetSystem, types[type], EFI_SUCCESS, 0, 0);
	log_warn("ResetSystem came back, which UEFI forbids");
}
