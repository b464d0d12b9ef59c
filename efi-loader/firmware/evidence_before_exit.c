/* SPDX-License-Identifier: MIT */
/*
 * The last look before exit: what may have changed since the entry, and what takes the firmware's protocols to know.
 * The memory attributes table comes last: firmware makes it anew when runtime memory is allocated.
 */
#include "evidence_internal.h"

#include "console.h"

#define NAMES_MOST    4096u
#define NAME_BYTES    2048u /* of a variable's name, its NUL included */
#define MODES_MOST    512u
#define PATH_MOST     4096u
#define IMAGES_MOST   256u
#define EXIT_ROOM     (UINT64_C(256) << 10) /* bytes that evidence_exit.c may add to the maps */
#define FIRMWARE_ALL  7u                    /* non-volatile, boot and runtime access */
#define VOLUME_LENGTH 32u                   /* in its header */

/* ---- Images ---- */

static EFI_LOADED_IMAGE *image_of(struct loader *l, EFI_HANDLE handle)
{
	static EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_LOADED_IMAGE *image;

	return l->boot->HandleProtocol(handle, &guid, (void **)&image) ? NULL : image;
}

static size_t path_size(const void *path)
{
	size_t most = PATH_MOST - ((uint64_t)path & (MEMORY_PAGE - 1)) % PATH_MOST;

	/* By the page: it may be the last one that can be read. */
	if (!readable((uint64_t)path, most))
		return 0;
	return evidence_path_size(path, readable((uint64_t)path, PATH_MOST) ? PATH_MOST : most);
}

/* PI 1.7 volume 3, 3.4.2: as far as it is used here. */
struct volume_block {
	void *get_attributes, *set_attributes;
	EFI_STATUS(EFIAPI *get_physical_address)
	(const struct volume_block *volume, EFI_PHYSICAL_ADDRESS *address);
};

/* Where the volume that an image came from has its file; 0: not known. */
static uint64_t offset_in_volume(
	struct loader *l, const EFI_LOADED_IMAGE *image, const uint8_t *file)
{
	static EFI_GUID guid = FIRMWARE_VOLUME_BLOCK2_GUID;
	struct volume_block *volume;
	EFI_PHYSICAL_ADDRESS base;
	uint64_t size;

	if (l->boot->HandleProtocol(image->DeviceHandle, &guid, (void **)&volume) ||
		volume->get_physical_address(volume, &base) || !readable(base, MEMORY_PAGE))
		return 0;
	__builtin_memcpy(&size, (const uint8_t *)base + VOLUME_LENGTH, sizeof(size));
	return readable(base, size) ? evidence_volume_file((const uint8_t *)base, size, file) : 0;
}

static void collect_image(struct loader *l, const EFI_LOADED_IMAGE *image, uint32_t index)
{
	struct evidence_image head = {.base = (uint64_t)image->ImageBase, .size = image->ImageSize};
	const uint8_t *base = image->ImageBase, *file;
	size_t size = path_size(image->FilePath);

	if (!readable(head.base, head.size))
		return;
	evidence_image_name(base, head.size, head.name);
	file = size ? evidence_path_file((const uint8_t *)image->FilePath, size) : NULL;
	if (file) {
		__builtin_memcpy(head.file, file, sizeof(head.file));
		head.offset = offset_in_volume(l, image, file);
	}
	collect(EVIDENCE_IMAGE, EVIDENCE_BEFORE_EXIT, index, &head, sizeof(head), base,
		evidence_image_headers(base, head.size));
}

static void collect_images(struct loader *l)
{
	static EFI_GUID guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	EFI_HANDLE *handles;
	uint32_t index = 0;
	UINTN count;

	if (l->boot->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles))
		return;
	for (UINTN i = 0; i < count && index < IMAGES_MOST; i++) {
		const EFI_LOADED_IMAGE *image = image_of(l, handles[i]);

		if (image && image->ImageCodeType == EfiRuntimeServicesCode)
			collect_image(l, image, index++);
	}
	l->boot->FreePool(handles);
}

static void collect_self(struct loader *l)
{
	static EFI_GUID guid = LOADED_IMAGE_DEVICE_PATH_GUID;
	struct evidence_self self = {.image_base = (uint64_t)l->loaded_image->ImageBase,
		.image_size = l->loaded_image->ImageSize};
	void *path = NULL;

	if (l->boot->HandleProtocol(l->image, &guid, &path))
		path = NULL;
	collect(EVIDENCE_SELF, EVIDENCE_BEFORE_EXIT, 0, &self, sizeof(self), path,
		path ? path_size(path) : 0);
}

/* ---- Graphics ---- */

static void collect_modes(struct loader *l, EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, uint32_t index)
{
	struct evidence_graphics head = {.base = gop->Mode->FrameBufferBase,
		.size = gop->Mode->FrameBufferSize,
		.mode = gop->Mode->Mode};
	struct evidence_mode *modes = (struct evidence_mode *)collector.scratch;
	uint32_t count = 0;

	for (uint32_t i = 0; i < gop->Mode->MaxMode && count < MODES_MOST; i++) {
		EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info;
		UINTN size;

		if (gop->QueryMode(gop, i, &size, &info))
			continue;
		if (size >= sizeof(*info))
			modes[count++] = (struct evidence_mode){.number = i,
				.width = info->HorizontalResolution,
				.height = info->VerticalResolution,
				.pitch = info->PixelsPerScanLine,
				.format = info->PixelFormat,
				.masks = {info->PixelInformation.RedMask,
					info->PixelInformation.GreenMask,
					info->PixelInformation.BlueMask,
					info->PixelInformation.ReservedMask}};
		l->boot->FreePool(info);
	}
	collect(EVIDENCE_GRAPHICS, EVIDENCE_BEFORE_EXIT, index, &head, sizeof(head), modes,
		count * sizeof(*modes));
}

static void collect_edid(struct loader *l, EFI_HANDLE handle, uint32_t index)
{
	static EFI_GUID active = EFI_EDID_ACTIVE_PROTOCOL_GUID,
			discovered = EFI_EDID_DISCOVERED_PROTOCOL_GUID;
	EFI_EDID_ACTIVE_PROTOCOL *edid; /* both have one structure */

	if (l->boot->HandleProtocol(handle, &active, (void **)&edid) &&
		l->boot->HandleProtocol(handle, &discovered, (void **)&edid))
		return;
	if (readable((uint64_t)edid->Edid, edid->SizeOfEdid))
		collect(EVIDENCE_EDID, EVIDENCE_BEFORE_EXIT, index, NULL, 0, edid->Edid,
			edid->SizeOfEdid);
}

/* Each screen; not the console that joins them when there is one of its own. */
static void collect_graphics(struct loader *l)
{
	static EFI_GUID guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop;
	EFI_HANDLE *handles;
	uint32_t index = 0;
	UINTN count;

	if (l->boot->LocateHandleBuffer(ByProtocol, &guid, NULL, &count, &handles))
		return;
	for (UINTN i = 0; i < count; i++) {
		if (count > 1 && handles[i] == l->system->ConsoleOutHandle)
			continue;
		if (l->boot->HandleProtocol(handles[i], &guid, (void **)&gop) || !gop->Mode)
			continue;
		collect_modes(l, gop, index);
		collect_edid(l, handles[i], index++);
	}
	l->boot->FreePool(handles);
}

/* ---- Runtime services, while the firmware is whole ---- */

static uint32_t name_bytes(const CHAR16 *name)
{
	uint32_t n = 0;

	while (n + 1 < NAME_BYTES / 2 && name[n])
		n++;
	return 2 * (n + 1);
}

/* The data is read to where the name ends. */
static void collect_variable(
	EFI_RUNTIME_SERVICES *services, const EFI_GUID *guid, CHAR16 *name, uint32_t index)
{
	struct evidence_variable head = {.name_size = name_bytes(name)};
	uint8_t *data = (uint8_t *)name + head.name_size;
	UINTN size = collector.scratch_size - head.name_size;
	EFI_GUID its = *guid;

	__builtin_memcpy(head.guid, guid, sizeof(head.guid));
	head.status = services->GetVariable(name, &its, &head.attributes, &size, data);
	collect(EVIDENCE_VARIABLE, EVIDENCE_BEFORE_EXIT, index, &head, sizeof(head), name,
		head.name_size + (head.status ? 0 : size));
}

static void collect_variables(EFI_RUNTIME_SERVICES *services)
{
	struct evidence_enumeration end = {.limit = NAMES_MOST};
	CHAR16 *name = (CHAR16 *)collector.scratch;
	EFI_GUID guid = {0};

	name[0] = 0;
	while (end.names < end.limit) {
		UINTN size = NAME_BYTES;

		end.status = services->GetNextVariableName(&size, name, &guid);
		if (end.status)
			break;
		collect_variable(services, &guid, name, end.names++);
	}
	collect(EVIDENCE_ENUMERATION, EVIDENCE_BEFORE_EXIT, 0, &end, sizeof(end), NULL, 0);
}

static void ask_services(struct loader *l)
{
	EFI_RUNTIME_SERVICES *services = l->system->RuntimeServices;
	struct evidence_store_info info = {.attributes = FIRMWARE_ALL};
	struct evidence_count count = {0};
	UINT32 high = 0;

	info.status = services->QueryVariableInfo(
		FIRMWARE_ALL, &info.maximum, &info.remaining, &info.largest);
	collect(EVIDENCE_STORE_INFO, EVIDENCE_BEFORE_EXIT, 0, NULL, 0, &info, sizeof(info));
	count.status = services->GetNextHighMonotonicCount(&high);
	count.count = high;
	collect(EVIDENCE_MONOTONIC, EVIDENCE_BEFORE_EXIT, 0, NULL, 0, &count, sizeof(count));
	evidence_get_time(l, &collector.times[1]);
	collect(EVIDENCE_TIMES, EVIDENCE_BEFORE_EXIT, 0, NULL, 0, collector.times,
		sizeof(collector.times));
}

/* What exit may add has to be claimed before: the last map, the tables, the devices. */
static void keep_room(struct loader *l)
{
	struct evidence_writer *w = &collector.writer;
	uint64_t most = w->used + l->areas.raw_memory.size + EXIT_ROOM;

	if (most > w->capacity)
		most = w->capacity;
	collector.claim = (most + MEMORY_PAGE - 1) & ~(MEMORY_PAGE - 1);
	w->capacity = collector.claim;
	if (w->left_out)
		warn("evidence of the firmware: %u records had no room", w->left_out);
	say("evidence of the firmware: %u records, %zu bytes, at 0x%lx", w->records, w->used,
		collector.block.base);
}

void evidence_before_exit(struct loader *l)
{
	if (!collector.active)
		return;
	collect_images(l);
	collect_self(l);
	collect_graphics(l);
	evidence_remember(l);
	collect_variables(l->system->RuntimeServices);
	ask_services(l);
	evidence_fill_store(l);
	evidence_tpm(l);
	evidence_collect_configuration(l, EVIDENCE_BEFORE_EXIT);
	evidence_collect_attributes(l, EVIDENCE_BEFORE_EXIT);
	if (!evidence_write_file(l))
		evidence_forget(l);
	keep_room(l);
}
