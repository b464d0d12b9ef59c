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

#define CR0_WP      (UINT64_C(1) << 16)
#define LOADER_PATH "\\EFI\\BOOT\\BATON.EFI"

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);

/* At ExitBootServices: until then firmware and loader set variables. */
static void EFIAPI spoil(EFI_EVENT event, void *context)
{
	static const uint8_t code[] = {BAD_CODE};
	EFI_SYSTEM_TABLE *system = context;
	uint64_t cr0;

	__asm__("movq %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("movq %0, %%cr0" : : "r"(cr0 & ~CR0_WP) : "memory");
	__builtin_memcpy((void *)system->RuntimeServices->SetVariable, code, sizeof(code));
	__asm__ volatile("movq %0, %%cr0" : : "r"(cr0) : "memory");
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	static struct chain_options room;
	EFI_BOOT_SERVICES *boot = system->BootServices;
	EFI_HANDLE loaded;
	EFI_EVENT event;
	EFI_STATUS status;

	console_start(system);
	status =
		boot->CreateEvent(EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_NOTIFY, spoil, system, &event);
	if (!EFI_ERROR(status))
		status = chain_load(image, boot, LOADER_PATH, "", &room, &loaded);
	if (EFI_ERROR(status))
		return fail(status, "bad variable: %s cannot be loaded", LOADER_PATH);
	return boot->StartImage(loaded, NULL, NULL);
}
