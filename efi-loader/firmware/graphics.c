/* SPDX-License-Identifier: MIT */
/*
 * The screen: the Graphics Output Protocol that ConOut uses, or else any with a linear framebuffer.
 * SetMode is dear (17 million instructions on OVMF), so it is called only to change something.
 */
#include "console.h"
#include "loader.h"

#include "../pure/video.h"

#define MODES_MAX 128u

static EFI_GRAPHICS_OUTPUT_PROTOCOL *changed; /* NULL: no mode was set */
static uint32_t mode_before;

static EFI_GUID gop_guid = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;

_Static_assert(sizeof(struct video_mode) == sizeof(EFI_GRAPHICS_OUTPUT_MODE_INFORMATION) &&
		       offsetof(struct video_mode, pixels_per_line) ==
			       offsetof(EFI_GRAPHICS_OUTPUT_MODE_INFORMATION, PixelsPerScanLine),
	"one structure, two names");

static struct video_mode current_mode(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop)
{
	struct video_mode mode = {.format = VIDEO_BLT_ONLY};

	if (gop->Mode && gop->Mode->Info && gop->Mode->SizeOfInfo >= sizeof(mode))
		__builtin_memcpy(&mode, gop->Mode->Info, sizeof(mode));
	return mode;
}

/* A mode set now tells best whether there is a linear framebuffer at all. */
static bool usable(EFI_GRAPHICS_OUTPUT_PROTOCOL *gop)
{
	struct video_mode mode = current_mode(gop);

	return gop->Mode && gop->Mode->FrameBufferBase && video_mode_usable(&mode);
}

static EFI_GRAPHICS_OUTPUT_PROTOCOL *find_gop(struct loader *l)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, *found = NULL;
	EFI_HANDLE *handles;
	UINTN count;

	if (l->system->ConsoleOutHandle &&
		l->boot->HandleProtocol(l->system->ConsoleOutHandle, &gop_guid, (void **)&gop) ==
			EFI_SUCCESS &&
		usable(gop))
		return gop;
	if (l->boot->LocateHandleBuffer(ByProtocol, &gop_guid, NULL, &count, &handles))
		return NULL;
	for (UINTN i = 0; i < count && !found; i++)
		if (l->boot->HandleProtocol(handles[i], &gop_guid, (void **)&gop) == EFI_SUCCESS &&
			usable(gop))
			found = gop;
	l->boot->FreePool(handles);
	return found;
}

static uint32_t read_modes(
	struct loader *l, EFI_GRAPHICS_OUTPUT_PROTOCOL *gop, struct video_mode *modes)
{
	uint32_t count = gop->Mode->MaxMode < MODES_MAX ? gop->Mode->MaxMode : MODES_MAX;

	for (uint32_t i = 0; i < count; i++) {
		EFI_GRAPHICS_OUTPUT_MODE_INFORMATION *info;
		UINTN size;

		modes[i] = (struct video_mode){.format = VIDEO_BLT_ONLY};
		if (gop->QueryMode(gop, i, &size, &info))
			continue;
		if (size >= sizeof(modes[i]))
			__builtin_memcpy(&modes[i], info, sizeof(modes[i]));
		l->boot->FreePool(info);
	}
	return count;
}

static bool needs_change(const struct loader *l, const struct video_mode *now)
{
	if (l->options.video_width)
		return now->width != l->options.video_width ||
		       now->height != l->options.video_height;
	return now->width < VIDEO_LEAST_WIDTH || now->height < VIDEO_LEAST_HEIGHT;
}

static void change_mode(struct loader *l, EFI_GRAPHICS_OUTPUT_PROTOCOL *gop)
{
	static struct video_mode modes[MODES_MAX];
	uint32_t count = read_modes(l, gop, modes), chosen;
	EFI_STATUS status;
	bool found;

	chosen = video_choose(modes, count, gop->Mode->Mode, l->options.video_width,
		l->options.video_height, &found);
	if (!found)
		warn("video=%ux%u: not among the screen's %u modes", l->options.video_width,
			l->options.video_height, count);
	if (chosen == gop->Mode->Mode || chosen >= count)
		return;
	mode_before = gop->Mode->Mode;
	status = gop->SetMode(gop, chosen);
	if (!EFI_ERROR(status))
		changed = gop;
	else
		warn("graphics: mode %u (%ux%u) cannot be set: %s", chosen, modes[chosen].width,
			modes[chosen].height, status_name(status));
}

void choose_graphics(struct loader *l)
{
	EFI_GRAPHICS_OUTPUT_PROTOCOL *gop = find_gop(l);
	struct video_mode mode;
	struct complaint why;

	if (!gop)
		return;
	mode = current_mode(gop);
	if (needs_change(l, &mode)) {
		change_mode(l, gop);
		mode = current_mode(gop);
	}
	if (video_describe(&mode, gop->Mode->FrameBufferBase, gop->Mode->FrameBufferSize,
		    &l->handoff.framebuffer, &why))
		warn("%s", why.text);
}

void release_graphics(void)
{
	if (changed && EFI_ERROR(changed->SetMode(changed, mode_before)))
		warn("graphics: mode %u cannot be set again", mode_before);
}
