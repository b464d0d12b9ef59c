/* SPDX-License-Identifier: MIT */
/*
 * What a firmware does behind the system's back: in System Management Mode it writes to memory that is not its own, long after
 * ExitBootServices. UpdateCapsule raises the SMI (bad_smm.S), which on the chipset of QEMU's q35 enters at SMBASE's first value
 * as long as no firmware has moved that. And services that do nothing.
 */
#include "bad_firmware.h"

#include "chain.h"

#define PAGE        4096u
#define SMI_ENTRY   0x38000u
#define SMI_PAGES   8u     /* with the state that the CPU keeps at their end */
#define SMI_ENABLE  0x630u /* ICH9's SMI_EN, where OVMF puts it */
#define SMI_BY_PORT 0x21u  /* GBL_SMI_EN, APMC_EN */
#define FREED_PAGES 8192u
#define FREE_FROM   0x1000000u
#define FREE_TO     0x8000000u

#define CODE(name)                                                         \
	extern const uint8_t name[] __attribute__((visibility("hidden"))), \
		name##_end[] __attribute__((visibility("hidden")))

CODE(smi);
CODE(ask_smi);
CODE(do_nothing);
CODE(refuse);
extern const uint32_t smi_ranges[] __attribute__((visibility("hidden"))),
	smi_page_0[] __attribute__((visibility("hidden"))),
	smi_hangs[] __attribute__((visibility("hidden")));

static bool has_smi;

static void set(const uint32_t *what, uint32_t value)
{
	uint32_t *at = (uint32_t *)(SMI_ENTRY + (uint64_t)((const uint8_t *)what - smi));

	*at = value;
}

static void put_smi(void)
{
	EFI_BOOT_SERVICES *boot = bad_system->BootServices;
	EFI_PHYSICAL_ADDRESS at = SMI_ENTRY, freed = FREE_TO;
	uint32_t enabled;

	if (boot->AllocatePages(AllocateAddress, EfiReservedMemoryType, SMI_PAGES, &at))
		return;
	__builtin_memcpy((void *)(uint64_t)SMI_ENTRY, smi, (size_t)(smi_end - smi));
	if (chosen(FAULT_smm_free)) {
		set(&smi_ranges[0], FREE_FROM);
		set(&smi_ranges[1], FREE_TO);
	}
	if (chosen(FAULT_smm_freed) && !boot->AllocatePages(AllocateMaxAddress, EfiBootServicesData,
					       FREED_PAGES, &freed)) {
		set(&smi_ranges[2], (uint32_t)freed);
		set(&smi_ranges[3], (uint32_t)freed + FREED_PAGES * PAGE);
	}
	set(smi_page_0, chosen(FAULT_smm_page_0));
	set(smi_hangs, chosen(FAULT_smm_hang));
	__asm__ volatile("inl %1, %0" : "=a"(enabled) : "Nd"((uint16_t)SMI_ENABLE));
	__asm__ volatile("outl %0, %1" : : "a"(enabled | SMI_BY_PORT), "Nd"((uint16_t)SMI_ENABLE));
	has_smi = true;
}

void spoil_memory(void)
{
	if (chosen(FAULT_smm_free) || chosen(FAULT_smm_freed) || chosen(FAULT_smm_page_0) ||
		chosen(FAULT_smm_hang))
		put_smi();
}

static void put(void *service, const uint8_t *code, const uint8_t *end)
{
	__builtin_memcpy(service, code, (size_t)(end - code));
}

void spoil_memory_at_exit(void)
{
	EFI_RUNTIME_SERVICES *services = bad_system->RuntimeServices;
	uint64_t cr0 = code_writable();

	if (has_smi)
		put(services->UpdateCapsule, ask_smi, ask_smi_end);
	if (chosen(FAULT_reset))
		put(services->ResetSystem, do_nothing, do_nothing_end);
	if (chosen(FAULT_virtual_map))
		put(services->SetVirtualAddressMap, refuse, refuse_end);
	code_protected(cr0);
}
