/* SPDX-License-Identifier: MIT */
/*
 * bad-services.efi: writes services that break a rule each (bad_services.S) over the firmware's, once the loader
 * (\EFI\BOOT\BATON.EFI), which it starts, leaves boot services. Over them, since pages of our own would have no executable entry in the memory
 * attributes table.
 */
#include "chain.h"

#include "firmware/console.h"

#define CALL_BACK 2 /* where its address stands */

#define CODE(name)                                                         \
	extern const uint8_t name[] __attribute__((visibility("hidden"))), \
		name##_end[] __attribute__((visibility("hidden")))

CODE(wild_write);
CODE(run_data);
CODE(halt_for_ever);
CODE(loop_for_ever);
CODE(smash_stack);
CODE(flood_port);
CODE(call_back);
CODE(divide_by_zero);
CODE(lose_registers);
CODE(write_code);
CODE(ask_for_more);

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

static uint64_t boot_service; /* one's address */

static void put(void *service, const uint8_t *code, const uint8_t *end)
{
	__builtin_memcpy(service, code, (size_t)(end - code));
}

/* At ExitBootServices: until then firmware and loader call them. */
static void EFIAPI spoil(EFI_EVENT event, void *context)
{
	EFI_SYSTEM_TABLE *system = context;
	EFI_RUNTIME_SERVICES *services = system->RuntimeServices;
	uint64_t cr0 = code_writable();

	put(services->GetTime, wild_write, wild_write_end);
	put(services->SetTime, run_data, run_data_end);
	put(services->GetWakeupTime, halt_for_ever, halt_for_ever_end);
	put(services->SetWakeupTime, loop_for_ever, loop_for_ever_end);
	put(services->GetVariable, lose_registers, lose_registers_end);
	put(services->GetNextVariableName, write_code, write_code_end);
	put(services->SetVariable, ask_for_more, ask_for_more_end);
	put(services->GetNextHighMonotonicCount, smash_stack, smash_stack_end);
	put(services->QueryCapsuleCapabilities, flood_port, flood_port_end);
	put(services->QueryVariableInfo, divide_by_zero, divide_by_zero_end);
	put(services->ResetSystem, smash_stack, smash_stack_end);
	put(services->SetVirtualAddressMap, call_back, call_back_end);
	__builtin_memcpy((uint8_t *)services->SetVirtualAddressMap + CALL_BACK, &boot_service,
		sizeof(boot_service));
	code_protected(cr0);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	console_start(system);
	boot_service = (uint64_t)system->BootServices->AllocatePool;
	return chain_loader(image, system, spoil, "bad services");
}
