/* SPDX-License-Identifier: MIT */
/* Boot services that answer wrongly, and what they leave: functions of ours in the places of the firmware's. */
#include "bad_firmware.h"

#define MAP_MAX  (64u << 10) /* bytes of a memory map */
#define MIB      (1u << 20)
#define PAGE     4096u
#define BAD_TYPE 0x20u       /* neither UEFI's nor an OEM's */
#define NOWHERE  0xfd000000u /* where nothing is */
#define WATCHED  3           /* tries that come to nothing: the deliberate one, and two */

static EFI_GET_MEMORY_MAP get_map;
static EFI_EXIT_BOOT_SERVICES leave;
static EFI_GET_VARIABLE get_variable;
static unsigned leaving;

/* ---- The memory map ---- */

struct map {
	uint8_t *bytes;
	UINTN size, stride;
};

static void append(struct map *map, uint32_t type, uint64_t base, uint64_t pages)
{
	EFI_MEMORY_DESCRIPTOR *d = (EFI_MEMORY_DESCRIPTOR *)(map->bytes + map->size);

	__builtin_memset(d, 0, map->stride);
	d->Type = type;
	d->PhysicalStart = base;
	d->NumberOfPages = pages;
	d->Attribute = EFI_MEMORY_UC;
	map->size += map->stride;
}

/* Page 0 stays, which is watched. */
static void take_low(struct map *map, EFI_MEMORY_DESCRIPTOR *d)
{
	if (d->Type != EfiConventionalMemory || d->PhysicalStart >= MIB)
		return;
	if (d->PhysicalStart) {
		d->Type = EfiReservedMemoryType;
	} else if (d->NumberOfPages > 1) {
		append(map, EfiReservedMemoryType, PAGE, d->NumberOfPages - 1);
		d->NumberOfPages = 1;
	}
}

static void spoil_map(struct map *map)
{
	bool overlaps = false, runtime = false, cached = false;
	UINTN end = map->size;

	for (UINTN at = 0; at < end; at += map->stride) {
		EFI_MEMORY_DESCRIPTOR *d = (EFI_MEMORY_DESCRIPTOR *)(map->bytes + at);

		if (chosen(FAULT_map_low_memory))
			take_low(map, d);
		if (chosen(FAULT_map_overlap) && !overlaps && d->Type == EfiBootServicesData &&
			d->PhysicalStart > MIB) {
			append(map, EfiReservedMemoryType, d->PhysicalStart, 1);
			overlaps = true;
		}
		if (d->Type != EfiACPIMemoryNVS)
			continue;
		if (chosen(FAULT_map_runtime) && !runtime) {
			d->Attribute |= EFI_MEMORY_RUNTIME;
			runtime = true;
		} else if (chosen(FAULT_map_cacheability) && !cached) {
			d->Attribute &= ~(uint64_t)EFI_MEMORY_WB;
			cached = true;
		}
	}
	if (chosen(FAULT_map_type))
		append(map, BAD_TYPE, NOWHERE, 1);
}

static EFI_STATUS EFIAPI bad_get_map(
	UINTN *size, EFI_MEMORY_DESCRIPTOR *out, UINTN *key, UINTN *stride, UINT32 *version)
{
	static uint8_t bytes[MAP_MAX] __attribute__((aligned(16)));
	struct map map = {.bytes = bytes, .size = MAP_MAX - 16 * 64};
	UINTN given = *size;
	EFI_STATUS status =
		get_map(&map.size, (EFI_MEMORY_DESCRIPTOR *)bytes, key, stride, version);

	if (EFI_ERROR(status))
		return status;
	map.stride = *stride;
	spoil_map(&map);
	*size = map.size;
	if (chosen(FAULT_map_descriptor) && given == map.stride)
		return EFI_INVALID_PARAMETER;
	if (given < map.size)
		return EFI_BUFFER_TOO_SMALL;
	__builtin_memcpy(out, bytes, map.size);
	return EFI_SUCCESS;
}

/* ---- The end ---- */

static EFI_STATUS EFIAPI bad_leave(EFI_HANDLE image, UINTN key)
{
	EFI_STATUS status;

	leaving++;
	if (leaving == 1 && chosen(FAULT_exit_stale_key))
		return EFI_UNSUPPORTED;
	if (leaving > 1 && leaving <= WATCHED && chosen(FAULT_exit_attempts))
		return EFI_INVALID_PARAMETER;
	status = leave(image, key);
	if (!EFI_ERROR(status) && chosen(FAULT_exit_system_table))
		bad_system->ConOut = (void *)bad_system;
	return status;
}

static EFI_STATUS EFIAPI bad_watchdog(UINTN timeout, UINT64 code, UINTN size, CHAR16 *data)
{
	return EFI_DEVICE_ERROR;
}

/* ---- Variables ---- */

static bool name_is(const CHAR16 *name, const CHAR16 *wanted)
{
	while (*name && *name == *wanted) {
		name++;
		wanted++;
	}
	return *name == *wanted;
}

static EFI_STATUS EFIAPI bad_get_variable(
	CHAR16 *name, EFI_GUID *vendor, UINT32 *attributes, UINTN *size, void *data)
{
	EFI_STATUS status = get_variable(name, vendor, attributes, size, data);

	if (!EFI_ERROR(status) && name_is(name, L"SetupMode"))
		*(uint8_t *)data = 2;
	return status;
}

static void forget_boot_option(void)
{
	static EFI_GUID vendor = GLOBAL_VARIABLE_GUID;
	uint16_t missing = 0x7777;

	bad_system->RuntimeServices->SetVariable(L"BootOrder", &vendor,
		EFI_VARIABLE_NON_VOLATILE | EFI_VARIABLE_BOOTSERVICE_ACCESS |
			EFI_VARIABLE_RUNTIME_ACCESS,
		sizeof(missing), &missing);
}

static void shrink_framebuffer(void)
{
	static EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_BOOT_SERVICES *boot = bad_system->BootServices;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
	EFI_HANDLE *handles;
	UINTN count;

	if (boot->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles))
		return;
	for (UINTN i = 0; i < count; i++)
		if (!boot->HandleProtocol(handles[i], &guid, (void **)&gop))
			gop->Mode->FrameBufferSize = PAGE;
	boot->FreePool(handles);
}

void spoil_calls(void)
{
	EFI_BOOT_SERVICES *boot = bad_system->BootServices;

	get_map = boot->GetMemoryMap;
	leave = boot->ExitBootServices;
	get_variable = bad_system->RuntimeServices->GetVariable;
	boot->GetMemoryMap = bad_get_map;
	boot->ExitBootServices = bad_leave;
	if (chosen(FAULT_watchdog))
		boot->SetWatchdogTimer = bad_watchdog;
	if (chosen(FAULT_boot_order))
		forget_boot_option();
	if (chosen(FAULT_setup_mode))
		bad_system->RuntimeServices->GetVariable = bad_get_variable;
	if (chosen(FAULT_framebuffer))
		shrink_framebuffer();
	seal_header(&boot->Hdr);
	seal_header(&bad_system->RuntimeServices->Hdr);
}

void spoil_calls_at_exit(void)
{
	bad_system->RuntimeServices->GetVariable = get_variable;
	seal_header(&bad_system->RuntimeServices->Hdr);
}
