/* SPDX-License-Identifier: MIT */
/*
 * What becomes of an exception that a runtime service raises: a page of its own that is not mapped yet, an
 * instruction that is done for it, or something that it may not. See bars.c. Runs in the firmware's thread.
 */
#include <efi.h>

#include "arch/arch.h"
#include "firmware/bars_internal.h"
#include "firmware/memory_map.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "memory/pages.h"
#include "memory/space.h"
#include "process/mutex.h"
#include "process/process.h"

#define PORT_SMI       0xb2 /* where chipsets of Intel's kind raise an SMI */
#define PORT_SMI_DATA  0xb3
#define PORT_RESET     0xcf9 /* of Intel's chipsets: bit 2 resets */
#define PORT_KEYBOARD  0x64
#define KEYBOARD_RESET 0xfe
#define PORT_FAST      0x92
#define PORT_ACPI      0x400 /* where ACPI's blocks begin; bit 13 of PM1 control sends to sleep */
#define ACPI_SLEEP     (1u << 13)

/* ---- Notes ---- */

static void note_trap(enum evidence_trap_of what, uint64_t detail)
{
	struct firmware_record *record = bars.record;

	for (unsigned i = 0; i < record->traps; i++) {
		if (record->trap[i].what == what && record->trap[i].detail == detail) {
			record->trap[i].count++;
			return;
		}
	}
	if (record->traps == FIRMWARE_TRAPS_MAX) {
		record->traps_lost++;
		return;
	}
	record->trap[record->traps++] = (struct evidence_trap){
		.service = bars.call->service, .what = what, .detail = detail, .count = 1};
}

static uint32_t memory_type_at(phys_t phys)
{
	const struct bars_region *region = bars_region_at(&bars.regions, phys);
	const struct handoff_memory *memory;

	static const uint32_t types[HANDOFF_MEMORY_TYPES] = {
		[HANDOFF_MEMORY_FREE] = EfiConventionalMemory,
		[HANDOFF_MEMORY_BOOT_SERVICES] = EfiBootServicesData,
		[HANDOFF_MEMORY_ACPI_RECLAIM] = EfiACPIReclaimMemory,
		[HANDOFF_MEMORY_ACPI_NVS] = EfiACPIMemoryNVS,
		[HANDOFF_MEMORY_RUNTIME_CODE] = EfiRuntimeServicesCode,
		[HANDOFF_MEMORY_RUNTIME_DATA] = EfiRuntimeServicesData,
		[HANDOFF_MEMORY_KERNEL] = EfiLoaderData,
		[HANDOFF_MEMORY_INITRD] = EfiLoaderData,
		[HANDOFF_MEMORY_HANDOFF] = EfiLoaderData,
		[HANDOFF_MEMORY_TABLES] = EfiLoaderData,
		[HANDOFF_MEMORY_STACK] = EfiLoaderData,
		[HANDOFF_MEMORY_MMIO] = EfiMemoryMappedIO,
		[HANDOFF_MEMORY_UNUSABLE] = EfiUnusableMemory,
	};

	if (region)
		return region->type;
	memory = memory_map_find(phys);
	return memory ? types[memory->type] : UINT32_MAX;
}

/* An address that a service has no right to. In the log the first of a call. */
static void note_violation(enum evidence_violation_of what, const struct arch_firmware_trap *trap)
{
	struct firmware_record *record = bars.record;
	phys_t ip =
		bars.is_virtual && trap->ip >= VIRTUAL_BASE ? trap->ip - VIRTUAL_BASE : trap->ip;
	phys_t phys = bars.is_virtual && trap->address >= VIRTUAL_BASE
			      ? trap->address - VIRTUAL_BASE
			      : trap->address;
	struct evidence_violation violation = {
		.service = bars.call->service,
		.what = what,
		.access = trap->access,
		.memory_type = memory_type_at(phys),
		.address = phys,
		.ip = ip,
	};

	if (!record->faults)
		log_warn("firmware: runtime service %u: %s %#lx at %#lx, memory type %d",
			(unsigned)bars.call->service,
			trap->access == FAULT_FETCH   ? "fetch at"
			: trap->access == FAULT_WRITE ? "write to"
						      : "read of",
			phys, ip, (int)violation.memory_type);
	if (record->faults < FIRMWARE_FAULTS_MAX)
		record->fault[record->faults++] = violation;
	else
		record->faults_lost++;
}

/* ---- Pages ---- */

static int map_page(uintptr_t virt, phys_t phys, unsigned access)
{
	int error;

	mutex_lock(&bars.space->lock);
	error = arch_map(&bars.space->arch, virt, phys, access);
	mutex_unlock(&bars.space->lock);
	return error;
}

static enum evidence_outcome mapped(uintptr_t virt, phys_t phys, unsigned access)
{
	return map_page(virt, phys, access) ? EVIDENCE_ABORTED_MEMORY : EVIDENCE_RETURNED;
}

/* What a call that is only shown would have done; `last`: it is over there. */
static enum evidence_outcome step_out(uint64_t port, uint64_t value, bool last)
{
	bars.record->step = (struct firmware_step){.taken = true, .port = port, .value = value};
	return last ? EVIDENCE_ABORTED_TIME : EVIDENCE_RETURNED;
}

static unsigned wanted_access(enum fault_access access)
{
	return MAP_READ | (access == FAULT_WRITE          ? MAP_WRITE
				  : access == FAULT_FETCH ? MAP_EXECUTE
							  : 0);
}

/* A page of the call's own block: its stack and its arguments. */
static enum evidence_outcome map_lent(const struct arch_firmware_trap *trap, size_t at)
{
	size_t lowest = STACK_END - bars.stack_pages * PAGE_SIZE;

	if (at < lowest || (at >= STACK_END && at < ARGUMENTS_AT)) {
		note_violation(EVIDENCE_OUTSIDE, trap);
		return EVIDENCE_ABORTED_STACK;
	}
	if (trap->access == FAULT_FETCH) {
		note_violation(EVIDENCE_PERMISSION, trap);
		return EVIDENCE_ABORTED_ACCESS;
	}
	return mapped(ALIGN_DOWN(trap->address, PAGE_SIZE), bars.block + ALIGN_DOWN(at, PAGE_SIZE),
		MAP_READ | MAP_WRITE);
}

bool bars_may_write_code(const struct bars_region *region)
{
	return region->type == EfiRuntimeServicesCode && (!region->told || bars.moving);
}

/* A page of a region: with its access, or, where that is not enough, with what is wanted alone. */
static enum evidence_outcome map_own(
	const struct arch_firmware_trap *trap, const struct bars_region *region, phys_t phys)
{
	unsigned wanted = wanted_access(trap->access), access = region->access;

	if (bars.call->shown && region->type == EfiMemoryMappedIO) {
		access &= ~MAP_WRITE;
		if (trap->access == FAULT_WRITE)
			return step_out(UINT64_MAX, 0, true);
	}
	if (wanted & ~access) {
		if (!(trap->access == FAULT_WRITE && bars_may_write_code(region))) {
			note_violation(EVIDENCE_PERMISSION, trap);
			if (__atomic_load_n(&firmware_policy, __ATOMIC_RELAXED) == FIRMWARE_STRICT)
				return EVIDENCE_ABORTED_ACCESS;
		}
		access = wanted;
		/* Who writes the page that it runs in needs both rights at once. */
		if (ALIGN_DOWN(trap->ip, PAGE_SIZE) == ALIGN_DOWN(trap->address, PAGE_SIZE))
			access |= MAP_WRITE | MAP_EXECUTE;
	}
	return mapped(ALIGN_DOWN(trap->address, PAGE_SIZE), phys, access);
}

/* The kernel's memory is never shown: a page of zeros stands there. */
static int map_shadow(uintptr_t virt)
{
	struct frame *frame;

	if (bars.shadow_count == SHADOWS_MAX)
		return -E2BIG;
	frame = pages_alloc(0, FRAME_USED, PAGES_ZERO);
	if (!frame)
		return -ENOMEM;
	bars.shadows[bars.shadow_count++] = frame_phys(frame);
	return map_page(virt, frame_phys(frame), MAP_READ | MAP_WRITE);
}

static enum evidence_outcome map_strange(const struct arch_firmware_trap *trap, phys_t phys)
{
	bool stale = bars.is_virtual && trap->address < VIRTUAL_BASE &&
		     bars_region_at(&bars.regions, trap->address);
	const struct handoff_memory *memory = memory_map_find(phys);
	uintptr_t virt = ALIGN_DOWN(trap->address, PAGE_SIZE);
	bool device = !memory || memory->type == HANDOFF_MEMORY_MMIO ||
		      memory->type == HANDOFF_MEMORY_RESERVED;
	int error;

	note_violation(stale ? EVIDENCE_STALE : EVIDENCE_OUTSIDE, trap);
	if (__atomic_load_n(&firmware_policy, __ATOMIC_RELAXED) == FIRMWARE_STRICT ||
		trap->access == FAULT_FETCH || trap->address >= USER_END)
		return EVIDENCE_ABORTED_ACCESS;
	if (stale)
		error = map_page(virt, virt, MAP_READ | MAP_WRITE);
	else if (device && !bars.call->shown && phys >= PAGE_SIZE && arch_phys_exists(phys))
		error = map_page(virt, ALIGN_DOWN(phys, PAGE_SIZE), MAP_READ | MAP_WRITE);
	else
		error = map_shadow(virt);
	return error == -ENOMEM ? EVIDENCE_ABORTED_MEMORY
	       : error          ? EVIDENCE_ABORTED_ACCESS
				: EVIDENCE_RETURNED;
}

static enum evidence_outcome resolve_page(const struct arch_firmware_trap *trap)
{
	phys_t phys = trap->address;
	const struct bars_region *region = NULL;

	if (!bars.is_virtual || trap->address >= VIRTUAL_BASE) {
		phys = bars.is_virtual ? trap->address - VIRTUAL_BASE : trap->address;
		if (phys >= bars.block && phys < bars.block + BLOCK_SIZE)
			return map_lent(trap, phys - bars.block);
		region = bars_region_at(&bars.regions, phys);
	}
	return region ? map_own(trap, region, ALIGN_DOWN(phys, PAGE_SIZE))
		      : map_strange(trap, phys);
}

/* ---- Instructions ---- */

/* The kernel copies to or from it in the service's place: it has to be there, as for the service itself. */
static enum evidence_outcome resolve_operand(const struct arch_firmware_trap *trap)
{
	struct arch_firmware_trap access = *trap;
	struct arch_mapping found;

	access.kind = FIRMWARE_TRAP_PAGE;
	access.address = trap->memory;
	access.access = trap->out ? FAULT_READ : FAULT_WRITE;
	if (trap->memory < USER_END &&
		arch_lookup(&bars.space->arch, ALIGN_DOWN(trap->memory, PAGE_SIZE), &found) &&
		!(wanted_access(access.access) & ~found.access))
		return EVIDENCE_RETURNED;
	return resolve_page(&access);
}

/* Nothing goes out of a call that is only shown, but what chooses the register to be read next. */
static enum evidence_outcome withhold(struct arch_firmware_trap *trap)
{
	uint64_t value = trap->value & (UINT64_MAX >> (64 - 8 * trap->size));
	bool chooses = trap->address == 0x70 || trap->address == 0x72 ||
		       (trap->address == 0xcf8 && trap->size == 4);

	if (chooses)
		return EVIDENCE_RETURNED;
	trap->withheld = true;
	return step_out(trap->address, value,
		(trap->address == PORT_RESET && value & 4) ||
			(trap->address == PORT_KEYBOARD && value == KEYBOARD_RESET) ||
			(trap->address == PORT_FAST && value & 1) ||
			(trap->address >= PORT_ACPI && trap->size > 1 && value & ACPI_SLEEP));
}

static enum evidence_outcome resolve_instruction(struct arch_firmware_trap *trap)
{
	enum evidence_outcome outcome;

	switch (trap->kind) {
	case FIRMWARE_TRAP_PORT:
		note_trap(trap->out && (trap->address == PORT_SMI || trap->address == PORT_SMI_DATA)
				  ? EVIDENCE_TRAP_SMI
			  : trap->out ? EVIDENCE_TRAP_OUT
				      : EVIDENCE_TRAP_IN,
			trap->address);
		outcome = trap->memory ? resolve_operand(trap) : EVIDENCE_RETURNED;
		if (outcome == EVIDENCE_RETURNED && trap->out && bars.call->shown)
			outcome = withhold(trap);
		if (outcome != EVIDENCE_RETURNED)
			return outcome;
		break;
	case FIRMWARE_TRAP_OFF:
	case FIRMWARE_TRAP_ON:
		note_trap(EVIDENCE_TRAP_INTERRUPTS, trap->kind == FIRMWARE_TRAP_ON);
		bars.interrupts = trap->kind == FIRMWARE_TRAP_ON;
		break;
	case FIRMWARE_TRAP_HALT:
		note_trap(EVIDENCE_TRAP_HALT, !bars.interrupts);
		if (!bars.interrupts)
			return EVIDENCE_ABORTED_TIME; /* for ever */
		break;
	default:
		note_trap(trap->control   ? EVIDENCE_TRAP_CONTROL
			  : trap->has_msr ? EVIDENCE_TRAP_MSR
					  : EVIDENCE_TRAP_OTHER,
			trap->address);
	}
	return arch_firmware_emulate(trap) ? EVIDENCE_RETURNED : EVIDENCE_ABORTED_EXCEPTION;
}

void bars_trap(void)
{
	enum evidence_outcome outcome = EVIDENCE_ABORTED_EXCEPTION;
	struct arch_firmware_trap trap;

	arch_firmware_trap(&trap);
	if (trap.kind == FIRMWARE_TRAP_PAGE && trap.address == RETURN_ADDRESS &&
		trap.access == FAULT_FETCH) {
		bars_finish(EVIDENCE_RETURNED);
		return;
	}
	if (trap.kind == FIRMWARE_TRAP_PAGE)
		outcome = resolve_page(&trap);
	else if (trap.kind != FIRMWARE_TRAP_EXCEPTION)
		outcome = resolve_instruction(&trap);
	else
		log_warn("firmware: runtime service %u: exception %u at %#lx",
			(unsigned)bars.call->service, trap.vector, trap.ip);
	if (outcome != EVIDENCE_RETURNED)
		bars_finish(outcome);
}
