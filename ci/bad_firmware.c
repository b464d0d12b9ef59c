/* SPDX-License-Identifier: MIT */
/*
 * bad-firmware.efi: makes a faulty firmware of the one that it runs on, and starts the loader (\EFI\BOOT\BATON.EFI) on it. Which
 * faults, \baton\faults says: one name of bad_firmware.h after the other.
 */
#include "bad_firmware.h"

#include "chain.h"

#include "firmware/console.h"

#define FAULTS_PATH L"\\baton\\faults"
#define TEXT_MAX    4096
#define PE_OFFSET   0x3c /* of the PE header's place */
#define PE_ENTRY    40   /* AddressOfEntryPoint, from that header on */
#define ENTER_FLAGS 1u
#define ENTER_FPU   2u

EFI_SYSTEM_TABLE *bad_system;

static bool is_chosen[FAULTS];

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system);
EFI_STATUS EFIAPI bad_enter(
	uint64_t entry, EFI_HANDLE image, EFI_SYSTEM_TABLE *system, uint64_t what);

bool chosen(enum fault fault)
{
	return is_chosen[fault];
}

void seal_header(EFI_TABLE_HEADER *header)
{
	UINT32 crc = 0;

	header->CRC32 = 0;
	bad_system->BootServices->CalculateCrc32(header, header->HeaderSize, &crc);
	header->CRC32 = crc;
}

static bool has_word(const char *text, const char *word)
{
	size_t length = text_length(word);

	for (const char *at = text; *at; at++)
		if ((at == text || at[-1] <= ' ') && text_starts(at, word) && at[length] <= ' ')
			return true;
	return false;
}

static EFI_STATUS read_choice(EFI_HANDLE image, char *text)
{
	static EFI_GUID loaded = EFI_LOADED_IMAGE_PROTOCOL_GUID,
			files = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_BOOT_SERVICES *boot = bad_system->BootServices;
	EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *volume;
	EFI_FILE_PROTOCOL *root, *file;
	EFI_LOADED_IMAGE *self;
	UINTN size = TEXT_MAX - 1;
	EFI_STATUS status = boot->HandleProtocol(image, &loaded, (void **)&self);

	if (!EFI_ERROR(status))
		status = boot->HandleProtocol(self->DeviceHandle, &files, (void **)&volume);
	if (!EFI_ERROR(status))
		status = volume->OpenVolume(volume, &root);
	if (!EFI_ERROR(status))
		status = root->Open(root, &file, FAULTS_PATH, EFI_FILE_MODE_READ, 0);
	if (!EFI_ERROR(status))
		status = file->Read(file, &size, text);
	return status;
}

static EFI_STATUS choose(EFI_HANDLE image)
{
#define FAULT_NAME(boot, name, verdicts) #name,
	static const char *const names[] = {BAD_FIRMWARE_FAULTS(FAULT_NAME)};
	static char text[TEXT_MAX];
	EFI_STATUS status = read_choice(image, text);

	for (unsigned i = 0; i < FAULTS; i++)
		is_chosen[i] = has_word(text, names[i]);
	return status;
}

static void EFIAPI at_exit(EFI_EVENT event, void *context)
{
	spoil_calls_at_exit();
	spoil_tables_at_exit();
	spoil_memory_at_exit();
}

/* Not by StartImage, which puts the flags right. */
static EFI_STATUS enter(EFI_HANDLE image, EFI_HANDLE loader)
{
	static EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *loaded;
	uint32_t header, entry;
	const uint8_t *base;
	EFI_STATUS status =
		bad_system->BootServices->HandleProtocol(loader, &guid, (void **)&loaded);

	if (EFI_ERROR(status))
		return status;
	base = loaded->ImageBase;
	__builtin_memcpy(&header, base + PE_OFFSET, sizeof(header));
	__builtin_memcpy(&entry, base + header + PE_ENTRY, sizeof(entry));
	return bad_enter((uint64_t)base + entry, loader, bad_system,
		(chosen(FAULT_entry_flags) ? ENTER_FLAGS : 0) |
			(chosen(FAULT_entry_fpu) ? ENTER_FPU : 0));
}

EFI_STATUS EFIAPI efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system)
{
	static struct chain_options room;
	EFI_BOOT_SERVICES *boot = system->BootServices;
	EFI_HANDLE loader;
	EFI_EVENT event;
	EFI_STATUS status;

	console_start(system);
	bad_system = system;
	status = choose(image);
	if (!EFI_ERROR(status))
		status = boot->CreateEvent(
			EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_NOTIFY, at_exit, system, &event);
	if (!EFI_ERROR(status))
		status = chain_load(image, boot, CHAIN_LOADER, "", &room, &loader);
	if (EFI_ERROR(status))
		return fail(status, "bad firmware: the faults, or %s", CHAIN_LOADER);
	spoil_calls();
	spoil_memory();
	spoil_tables();
	spoil_attributes();
	return enter(image, loader);
}
