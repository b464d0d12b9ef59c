/* SPDX-License-Identifier: MIT */
/*
 * UEFI runtime services: ResetSystem, the way to power off where ACPI knows none, and SetVariable, for a
 * panic's last words. Nothing is mapped for them before they are needed.
 *
 * They run in ring 0 in an address space of their own: the kernel's half, for the traps, and below,
 * identity-mapped, the ranges that the firmware marked RUNTIME: code R-X, data and MMIO RW-. Where a
 * memory attributes table (UEFI 2.10 4.6.3) says which pages of the code are data, it is believed.
 * No page is writable and executable at once: a firmware that writes into its own code faults, which
 * is a panic with the address.
 *
 * A variable is set after a panic only. All that the firmware gets a pointer to, and its stack, lies in pages of
 * pages_in_panic, mapped where they physically are: a firmware in physical mode may well hand a pointer
 * on to code that knows nothing of page tables.
 */
#include "firmware/runtime.h"

#include <efi.h>

#include "arch/arch.h"
#include "baton/handoff.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"

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

static const EFI_RUNTIME_SERVICES *services_found(void)
{
	return handoff && handoff->runtime_services ? arch_phys_to_ptr(handoff->runtime_services)
						    : NULL;
}

void firmware_reset_system(enum firmware_reset type)
{
	static const EFI_RESET_TYPE types[] = {
		[FIRMWARE_RESET_COLD] = EfiResetCold,
		[FIRMWARE_RESET_WARM] = EfiResetWarm,
		[FIRMWARE_RESET_SHUTDOWN] = EfiResetShutdown,
	};
	const EFI_RUNTIME_SERVICES *services;

	services = services_found();
	if (!services) {
		log_warn("no UEFI runtime services: ResetSystem cannot be called");
		return;
	}
	if (map_regions() || map_attributes()) {
		log_warn("no memory to map UEFI's runtime services");
		return;
	}
	if (!services->ResetSystem) {
		log_warn("the firmware has no ResetSystem");
		return;
	}
	arch_firmware_call(&(struct arch_firmware_call){
		.function = (uint64_t)services->ResetSystem,
		.arguments = {types[type], EFI_SUCCESS},
	});
	log_warn("ResetSystem came back, which UEFI forbids");
}

/* ---- A variable, in a panic ---- */

#define STACK_PAGES    8u
#define VARIABLE_LIMIT (10 * NS_PER_SECOND) /* flash may be slow, but not that slow */

/* What the firmware is given pointers to. */
struct variable {
	uint16_t name[32];
	EFI_GUID vendor;
	uint8_t data[2048];
};

_Static_assert(sizeof(struct variable) <= PAGE_SIZE, "one page is taken for it");

static void (*too_late)(const char *why);

static void variable_late(void)
{
	too_late("the firmware did not come back from SetVariable");
}

/* Pages that the firmware may write to; 0: none. */
static phys_t take_for_firmware(unsigned count)
{
	phys_t pages = pages_in_panic(count);
	int error = pages ? arch_firmware_map(
				    pages, count * PAGE_SIZE, MAP_READ | MAP_WRITE, MAP_WRITE_BACK)
			  : -ENOMEM;

	return error ? 0 : pages;
}

static const char *status_words(uint64_t status)
{
	switch (status) {
	case EFI_SUCCESS:
		return NULL;
	case EFI_OUT_OF_RESOURCES:
		return "the store of variables is full";
	case EFI_UNSUPPORTED:
		return "the firmware sets no variables once the kernel runs";
	case EFI_WRITE_PROTECTED:
		return "the store of variables is read-only";
	default:
		return "the firmware refuses the variable";
	}
}

const char *firmware_panic_variable(const struct firmware_variable *what)
{
	const EFI_RUNTIME_SERVICES *services = services_found();
	struct arch_firmware_call call = {.limit = VARIABLE_LIMIT, .late = variable_late};
	struct variable *variable;
	phys_t page, stack;

	if (!services || !services->SetVariable)
		return "there are no UEFI runtime services";
	assert(what->name_size <= sizeof(variable->name) && what->size <= sizeof(variable->data));
	page = take_for_firmware(1);
	stack = take_for_firmware(STACK_PAGES);
	if (!page || !stack || map_regions() || map_attributes())
		return "no memory to map UEFI's runtime services";
	variable = arch_phys_to_ptr(page);
	memcpy(variable->name, what->name, what->name_size);
	memcpy(&variable->vendor, what->vendor, sizeof(variable->vendor));
	memcpy(variable->data, what->data, what->size);
	too_late = what->late;
	call.function = (uint64_t)services->SetVariable;
	call.stack = stack + STACK_PAGES * PAGE_SIZE;
	call.arguments[0] = page + offsetof(struct variable, name);
	call.arguments[1] = page + offsetof(struct variable, vendor);
	call.arguments[2] = what->attributes;
	call.arguments[3] = what->size;
	call.arguments[4] = page + offsetof(struct variable, data);
	return status_words(arch_firmware_call(&call));
}
