/* SPDX-License-Identifier: MIT */
#include "chain.h"

#include "firmware/console.h"
#include "firmware/files.h"

#define NODE_END   0x7f
#define NODE_MEDIA 4
#define MEDIA_FILE 4
#define CR0_WP     (UINT64_C(1) << 16)

static size_t path_size(const uint8_t *path)
{
	const uint8_t *p = path;

	while (p[0] != NODE_END)
		p += (size_t)p[2] | (size_t)p[3] << 8;
	return (size_t)(p - path);
}

/* The device's path, one node with the file's, the end. */
static EFI_STATUS file_device_path(
	EFI_BOOT_SERVICES *boot, EFI_HANDLE device, const char *path, uint8_t **out)
{
	static EFI_GUID guid = EFI_DEVICE_PATH_PROTOCOL_GUID;
	static const uint8_t end[4] = {NODE_END, 0xff, 4, 0};
	size_t length = text_length(path) + 1, node = 4 + 2 * length, head;
	uint8_t *of_device;
	EFI_STATUS status = boot->HandleProtocol(device, &guid, (void **)&of_device);

	if (EFI_ERROR(status))
		return status;
	head = path_size(of_device);
	status = boot->AllocatePool(EfiLoaderData, head + node + sizeof(end), (void **)out);
	if (EFI_ERROR(status))
		return status;
	__builtin_memcpy(*out, of_device, head);
	(*out)[head] = NODE_MEDIA;
	(*out)[head + 1] = MEDIA_FILE;
	(*out)[head + 2] = (uint8_t)node;
	(*out)[head + 3] = (uint8_t)(node >> 8);
	path_to_ucs2(path, (CHAR16 *)(*out + head + 4), length);
	__builtin_memcpy(*out + head + node, end, sizeof(end));
	return EFI_SUCCESS;
}

EFI_STATUS chain_load(EFI_HANDLE image, EFI_BOOT_SERVICES *boot, const char *path,
	const char *options, struct chain_options *room, EFI_HANDLE *loaded)
{
	static EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *self, *other;
	uint8_t *device_path;
	EFI_STATUS status = boot->HandleProtocol(image, &guid, (void **)&self);

	if (!EFI_ERROR(status))
		status = file_device_path(boot, self->DeviceHandle, path, &device_path);
	if (EFI_ERROR(status))
		return status;
	status = boot->LoadImage(FALSE, image, (EFI_DEVICE_PATH *)device_path, NULL, 0, loaded);
	boot->FreePool(device_path);
	if (!EFI_ERROR(status))
		status = boot->HandleProtocol(*loaded, &guid, (void **)&other);
	if (EFI_ERROR(status))
		return status;
	path_to_ucs2(options, room->text, CHAIN_OPTIONS_MAX);
	other->LoadOptions = room->text;
	other->LoadOptionsSize = (UINT32)(2 * (text_length(options) + 1));
	return EFI_SUCCESS;
}

uint64_t code_writable(void)
{
	uint64_t cr0;

	__asm__("movq %%cr0, %0" : "=r"(cr0));
	__asm__ volatile("movq %0, %%cr0" : : "r"(cr0 & ~CR0_WP) : "memory");
	return cr0;
}

void code_protected(uint64_t cr0)
{
	__asm__ volatile("movq %0, %%cr0" : : "r"(cr0) : "memory");
}

EFI_STATUS chain_loader(
	EFI_HANDLE image, EFI_SYSTEM_TABLE *system, EFI_EVENT_NOTIFY at_exit, const char *who)
{
	static struct chain_options room;
	EFI_BOOT_SERVICES *boot = system->BootServices;
	EFI_HANDLE loaded;
	EFI_EVENT event;
	EFI_STATUS status = boot->CreateEvent(
		EVT_SIGNAL_EXIT_BOOT_SERVICES, TPL_NOTIFY, at_exit, system, &event);

	if (!EFI_ERROR(status))
		status = chain_load(image, boot, CHAIN_LOADER, "", &room, &loaded);
	if (EFI_ERROR(status))
		return fail(status, "%s: %s cannot be loaded", who, CHAIN_LOADER);
	return boot->StartImage(loaded, NULL, NULL);
}
