/* SPDX-License-Identifier: MIT */
/* Handles and their protocols: the loader's own image and its device, a screen, random numbers, a TPM. */
#include "firmware.h"

#include <string.h>

#define SCREEN_MODES 3u

/* ---- The screen ---- */

static EFI_GRAPHICS_OUTPUT_MODE_INFORMATION modes[SCREEN_MODES] = {
	{0, 640, 480, PixelBlueGreenRedReserved8BitPerColor, {0, 0, 0, 0}, 640},
	{0, 1280, 800, PixelBlueGreenRedReserved8BitPerColor, {0, 0, 0, 0}, 1280},
	{0, 800, 600, PixelBlueGreenRedReserved8BitPerColor, {0, 0, 0, 0}, 832}};
static EFI_GRAPHICS_OUTPUT_PROTOCOL_MODE screen_mode = {.MaxMode = SCREEN_MODES,
	.SizeOfInfo = sizeof(modes[0]),
	.FrameBufferBase = UINT64_C(0xe0000000),
	.FrameBufferSize = 16 << 20};

static EFI_STATUS EFIAPI query_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *self, UINT32 mode, UINTN *size,
	EFI_GRAPHICS_OUTPUT_MODE_INFORMATION **info)
{
	EFI_STATUS status = called("QueryMode");

	(void)self;
	if (status)
		return status;
	*size = sizeof(modes[0]);
	*info = take_pool(sizeof(modes[0]));
	**info = modes[mode];
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI set_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *self, UINT32 mode)
{
	EFI_STATUS status = called("SetMode");

	(void)self;
	if (status)
		return status;
	facts.screen_mode = screen_mode.Mode = mode;
	screen_mode.Info = &modes[mode];
	return EFI_SUCCESS;
}

static EFI_GRAPHICS_OUTPUT_PROTOCOL screen = {
	.QueryMode = query_mode, .SetMode = set_mode, .Mode = &screen_mode};

/* ---- Random numbers, TPM ---- */

static EFI_STATUS EFIAPI get_random(
	EFI_RNG_PROTOCOL *self, EFI_RNG_ALGORITHM *algorithm, UINTN size, UINT8 *bytes)
{
	EFI_STATUS status = called("GetRNG");

	(void)self, (void)algorithm;
	if (!status)
		memset(bytes, 0x5c, size);
	return status;
}

static EFI_RNG_PROTOCOL rng = {.GetRNG = get_random};

static EFI_STATUS EFIAPI tpm_capability(
	struct tcg2_protocol *self, struct tcg2_capability *capability)
{
	EFI_STATUS status = called("TpmCapability");

	(void)self;
	if (!status)
		capability->tpm_present = 1;
	return status;
}

static EFI_STATUS EFIAPI tpm_extend(struct tcg2_protocol *self, uint64_t flags,
	EFI_PHYSICAL_ADDRESS data, uint64_t size, void *event)
{
	volatile const uint8_t *bytes = (const uint8_t *)(uintptr_t)data, *name = event;
	volatile uint8_t sum = 0;
	uint32_t length;

	(void)self, (void)flags;
	for (uint64_t i = 0; i < size; i++)
		sum = (uint8_t)(sum + bytes[i]);
	memcpy(&length, event, sizeof(length));
	for (uint32_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + name[i]);
	return called("TpmExtend");
}

static struct tcg2_protocol tpm = {
	.get_capability = tpm_capability, .hash_log_extend_event = tpm_extend};

/* ---- Handles ---- */

static int image_tag, device_tag, screen_tag;
static EFI_LOADED_IMAGE loaded_image;
static EFI_SIMPLE_FILE_SYSTEM_PROTOCOL file_system = {.OpenVolume = volume_open_root};
/* A PE without sections: no signed file. */
static uint8_t image_bytes[4096] = {
	[0] = 'M', 'Z', [60] = 64, [64] = 'P', 'E', [68] = 0x64, 0x86, [84] = 240, [88] = 0x0b, 2};
/* PciRoot, then a GPT partition; and a file's path. */
static struct __attribute__((packed)) {
	uint8_t header[4];
	uint32_t number;
	uint64_t start, size;
	uint8_t signature[16], format, kind;
	uint8_t end[4];
} device_path = {{4, 1, 42, 0}, 1, 2048, 65536,
	{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, 2, 2, {0x7f, 0xff, 4, 0}};
static struct __attribute__((packed)) {
	uint8_t header[4];
	CHAR16 name[8];
	uint8_t end[4];
} file_path_node = {{4, 4, 20, 0}, L"\\B.EFI", {0x7f, 0xff, 4, 0}};

static bool is(const EFI_GUID *guid, EFI_GUID other)
{
	return guid_equal(guid, &other);
}

static void *protocol_of(EFI_HANDLE handle, const EFI_GUID *guid)
{
	if (handle == &image_tag && is(guid, (EFI_GUID)EFI_LOADED_IMAGE_PROTOCOL_GUID))
		return &loaded_image;
	if (handle == &device_tag && is(guid, (EFI_GUID)EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID))
		return &file_system;
	if (handle == &device_tag && is(guid, (EFI_GUID)EFI_DEVICE_PATH_PROTOCOL_GUID))
		return &device_path;
	if (handle == &screen_tag && !firmware_plan.no_screen &&
		is(guid, (EFI_GUID)EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID))
		return &screen;
	return NULL;
}

EFI_STATUS EFIAPI handle_protocol(EFI_HANDLE handle, EFI_GUID *guid, void **out)
{
	EFI_STATUS status = called("HandleProtocol");

	*out = NULL;
	if (status)
		return status;
	*out = protocol_of(handle, guid);
	return *out ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

EFI_STATUS EFIAPI locate_protocol(EFI_GUID *guid, void *key, void **out)
{
	EFI_STATUS status = called("LocateProtocol");

	(void)key;
	*out = NULL;
	if (status)
		return status;
	if (is(guid, (EFI_GUID)EFI_RNG_PROTOCOL_GUID))
		*out = &rng;
	if (firmware_plan.tpm && is(guid, (EFI_GUID)TCG2_PROTOCOL_GUID))
		*out = &tpm;
	return *out ? EFI_SUCCESS : EFI_NOT_FOUND;
}

EFI_STATUS EFIAPI locate_handles(
	EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *guid, void *key, UINTN *count, EFI_HANDLE **out)
{
	EFI_STATUS status = called("LocateHandleBuffer");

	(void)how, (void)key;
	if (status)
		return status;
	if (firmware_plan.no_screen || !is(guid, (EFI_GUID)EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID))
		return EFI_NOT_FOUND;
	*out = take_pool(sizeof(**out));
	**out = &screen_tag;
	*count = 1;
	return EFI_SUCCESS;
}

void devices_start(EFI_HANDLE *console, EFI_HANDLE *image)
{
	loaded_image = (EFI_LOADED_IMAGE){.DeviceHandle = &device_tag,
		.FilePath = (EFI_DEVICE_PATH *)&file_path_node,
		.ImageBase = image_bytes,
		.ImageSize = sizeof(image_bytes)};
	screen_mode.Mode = facts.screen_mode = firmware_plan.small_screen ? 0 : 1;
	screen_mode.Info = &modes[screen_mode.Mode];
	if (firmware_plan.small_screen)
		modes[0].HorizontalResolution = 320, modes[0].VerticalResolution = 200;
	if (firmware_plan.blt_only)
		for (unsigned i = 0; i < SCREEN_MODES; i++)
			modes[i].PixelFormat = PixelBltOnly;
	*console = &screen_tag;
	*image = &image_tag;
}
