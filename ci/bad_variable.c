/* SPDX-License-Identifier: MIT */
/*
 * bad-variable-*.efi: writes another SetVariable over the firmware's, once the loader (\EFI\BOOT\BATON.EFI), which it
 * starts, leaves boot services.
 * BAD_CODE is its machine code, as the bytes of an array; ci/meson.build has one program for each way to
 * fail. So a panic's record meets a firmware that fails. Over it, since a page of its own would have no
 * executable entry in the memory attributes table.
 */
#include "chain.h"

#include "firmware/console.h"

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

/* At ExitBootServices: until then firmware and loader set variables. */
static void EFIAPI spoil(EFI_EVENT event, void *context)
{
	static const uint8_t code[] = {BAD_CODE};
	EFI_SYSTEM_TABLE *system = context;
	uint64_t cr0 = code_writable();

	__builtin_memcpy((void *)system->RuntimeServices->SetVariable, code, sizeof(code));
	code_protected(cr0);
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	console_start(system);
	return chain_loader(image, system, spoil, "bad variable");
}
