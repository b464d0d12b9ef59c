/* SPDX-License-Identifier: MIT */
/*
 * UEFI runtime services: ResetSystem, the way to power off where ACPI knows none, and SetVariable, for a
 * panic's last words. Nothing is mapped for them before they are needed.
 *
 * They run in ring 0 in an address space of their own: the kernel's half, for the traps, and below,
 * the ranges that the firmware marked RUNTIME, where its own pointers say (at their physical addresses until
 * SetVirtualAddressMap was called: bars.h), with the rights that bars_regions.c found.
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
#include "firmware/bars.h"
#include "firmware/bars_regions.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"

#define RESET_LIMIT (3 * NS_PER_SECOND) /* of CPU time, most of which it waits */

static const struct handoff *handoff;

void firmware_runtime_init(const struct handoff *from)
{
	handoff = from;
}

static int map_ranges(void)
{
	const struct bars_regions *ranges = bars_ranges();

	for (size_t i = 0; i < ranges->count; i++) {
		const struct bars_region *r = &ranges->all[i];
		enum map_cache cache =
			r->attributes & EFI_MEMORY_WB ? MAP_WRITE_BACK : MAP_UNCACHED;

		if (arch_firmware_map(bars_address(r->phys), r->phys, r->size, r->access, cache))
			return -ENOMEM;
	}
	return ranges->count ? 0 : -ENODEV;
}

static const EFI_RUNTIME_SERVICES *services_found(void)
{
	return handoff && handoff->runtime_services ? arch_phys_to_ptr(handoff->runtime_services)
						    : NULL;
}

static const EFI_RESET_TYPE types[] = {
	[FIRMWARE_RESET_COLD] = EfiResetCold,
	[FIRMWARE_RESET_WARM] = EfiResetWarm,
	[FIRMWARE_RESET_SHUTDOWN] = EfiResetShutdown,
};

void firmware_ask_reset(enum firmware_reset type)
{
	struct firmware_record *record = kzalloc(sizeof(*record));
	struct firmware_call call = {
		.service = EVIDENCE_RESET_SYSTEM, .record = record, .limit = RESET_LIMIT};
	int error;

	call.arguments[0].value = types[type];
	error = record ? firmware_call(&call) : -ENOMEM;
	if (error)
		log_warn("firmware: ResetSystem did not reset: error %d", error);
	else
		log_warn("firmware: ResetSystem came back, which UEFI forbids");
	kfree(record);
}

void firmware_reset_system(enum firmware_reset type)
{
	const EFI_RUNTIME_SERVICES *services;

	services = services_found();
	if (!services) {
		log_warn("no UEFI runtime services: ResetSystem cannot be called");
		return;
	}
	if (map_ranges()) {
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
	int error = pages ? arch_firmware_map(pages, pages, count * PAGE_SIZE, MAP_READ | MAP_WRITE,
				    MAP_WRITE_BACK)
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
	if (!page || !stack || map_ranges())
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
