/* SPDX-License-Identifier: MIT */
/* Boot and runtime services as the loader sees them: each counts its calls and may be struck. */
#include "inject.h"

#define RAW_MOST    (1u << 20)
#define GROWTH      65536u
#define TIMER_SPEED 100 /* a second of the menu is so much shorter */

static EFI_RUNTIME_SERVICES shown_runtime;
static char raw[RAW_MOST];

/* A service that is counted, struck, and else the firmware's. */
#define FORWARDED(name, parameters, call)                     \
	static EFI_STATUS EFIAPI wrapped_##name parameters    \
	{                                                     \
		if (strikes(SERVICE_##name))                  \
			return struck_status(SERVICE_##name); \
		return call;                                  \
	}
/* One that releases: it does so even where it says that it failed. */
#define RELEASING(name, parameters, kind, what, call)                   \
	static EFI_STATUS EFIAPI wrapped_##name parameters              \
	{                                                               \
		bool failed = strikes(SERVICE_##name);                  \
		EFI_STATUS status;                                      \
                                                                        \
		let_go(kind, (uint64_t)(what));                         \
		status = call;                                          \
		return failed ? struck_status(SERVICE_##name) : status; \
	}

/* ---- Memory ---- */

static EFI_STATUS EFIAPI wrapped_AllocatePages(
	EFI_ALLOCATE_TYPE how, EFI_MEMORY_TYPE type, UINTN pages, EFI_PHYSICAL_ADDRESS *base)
{
	EFI_STATUS status;

	if (strikes(SERVICE_AllocatePages))
		return struck_status(SERVICE_AllocatePages);
	status = real.AllocatePages(how, type, pages, base);
	if (!EFI_ERROR(status))
		hold(PAGES, *base, pages);
	return status;
}

static EFI_STATUS EFIAPI wrapped_AllocatePool(EFI_MEMORY_TYPE type, UINTN size, void **out)
{
	EFI_STATUS status;

	if (strikes(SERVICE_AllocatePool))
		return struck_status(SERVICE_AllocatePool);
	status = real.AllocatePool(type, size, out);
	if (!EFI_ERROR(status))
		hold(POOL, (uint64_t)*out, size);
	return status;
}

RELEASING(FreePages, (EFI_PHYSICAL_ADDRESS base, UINTN pages), PAGES, base,
	real.FreePages(base, pages))
RELEASING(FreePool, (void *what), POOL, what, real.FreePool(what))

/* The map in descriptors of another size; what is longer than the firmware's is filled with a pattern. */
static EFI_STATUS other_map(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key,
	UINTN *descriptor_size, UINT32 *version)
{
	UINTN got = sizeof(raw), one = 0, needed;
	EFI_STATUS status =
		real.GetMemoryMap(&got, (EFI_MEMORY_DESCRIPTOR *)raw, key, &one, version);

	if (EFI_ERROR(status))
		return status;
	needed = got / one * trial.stride;
	*descriptor_size = trial.stride;
	if (*size < needed || !map) {
		*size = needed;
		return EFI_BUFFER_TOO_SMALL;
	}
	*size = needed;
	__builtin_memset(map, 0xa5, needed);
	for (UINTN i = 0; i < got / one; i++)
		__builtin_memcpy((char *)map + i * trial.stride, raw + i * one,
			sizeof(EFI_MEMORY_DESCRIPTOR));
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI wrapped_GetMemoryMap(UINTN *size, EFI_MEMORY_DESCRIPTOR *map, UINTN *key,
	UINTN *descriptor_size, UINT32 *version)
{
	if (strikes(SERVICE_GetMemoryMap))
		return struck_status(SERVICE_GetMemoryMap);
	if (trial.grows) {
		*size += GROWTH;
		*descriptor_size = sizeof(EFI_MEMORY_DESCRIPTOR);
		return EFI_BUFFER_TOO_SMALL;
	}
	if (trial.stride)
		return other_map(size, map, key, descriptor_size, version);
	return real.GetMemoryMap(size, map, key, descriptor_size, version);
}

uint64_t current_key(void)
{
	UINTN size = sizeof(raw), key = 0, one;
	UINT32 version;

	if (real.GetMemoryMap(&size, (EFI_MEMORY_DESCRIPTOR *)raw, &key, &one, &version))
		print("not ok the memory map cannot be read\n");
	return key;
}

/* A firmware refuses a key that is not that of the map as it is. In the last trial it is asked itself. */
static EFI_STATUS EFIAPI wrapped_ExitBootServices(EFI_HANDLE image, UINTN key)
{
	EFI_PHYSICAL_ADDRESS page;
	bool made = trial.stale != 0;

	trial.exits++;
	if (made && !real.AllocatePages(AllocateAnyPages, EfiBootServicesData, 1, &page)) {
		hold(PAGES, page, 1);
		trial.stale--;
		trial.stale_made++;
	}
	if (trial.last)
		return real.ExitBootServices(image, key);
	if (key != current_key()) {
		trial.stale_key |= !made;
		return EFI_INVALID_PARAMETER;
	}
	end_trial(BOOTED);
}

/* ---- Events ---- */

static EFI_STATUS EFIAPI wrapped_CreateEvent(
	UINT32 type, EFI_TPL level, EFI_EVENT_NOTIFY notify, void *context, EFI_EVENT *event)
{
	EFI_STATUS status;

	if (strikes(SERVICE_CreateEvent))
		return struck_status(SERVICE_CreateEvent);
	status = real.CreateEvent(type, level, notify, context, event);
	if (!EFI_ERROR(status))
		hold(EVENT, (uint64_t)*event, 1);
	return status;
}

RELEASING(CloseEvent, (EFI_EVENT event), EVENT, event, real.CloseEvent(event))
FORWARDED(SetTimer, (EFI_EVENT event, EFI_TIMER_DELAY type, UINT64 time),
	real.SetTimer(event, type, time / TIMER_SPEED))
FORWARDED(WaitForEvent, (UINTN count, EFI_EVENT *events, UINTN *which),
	real.WaitForEvent(count, events, which))
FORWARDED(Stall, (UINTN time), real.Stall(time))

/* The firmware's own watchdog is left alone: what it was set to is looked at. */
static EFI_STATUS EFIAPI wrapped_SetWatchdogTimer(
	UINTN seconds, UINT64 code, UINTN size, CHAR16 *data)
{
	if (strikes(SERVICE_SetWatchdogTimer))
		return struck_status(SERVICE_SetWatchdogTimer);
	trial.watchdog = (uint32_t)seconds;
	return EFI_SUCCESS;
}

/* ---- Protocols ---- */

static bool is_screen(EFI_GUID *guid)
{
	static const EFI_GUID gop = EFI_GRAPHICS_OUTPUT_PROTOCOL_GUID;

	return guid && guid_equal(guid, &gop);
}

static EFI_STATUS put_between(EFI_GUID *guid, void **interface)
{
	static const EFI_GUID volume = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	static const EFI_GUID rng = EFI_RNG_PROTOCOL_GUID;

	if (trial.last && !is_screen(guid))
		return EFI_SUCCESS;
	if (guid_equal(guid, &volume))
		*interface = files_proxy(*interface);
	else if (is_screen(guid))
		*interface = screen_proxy(*interface);
	else if (guid_equal(guid, &rng))
		*interface = random_proxy(*interface);
	return *interface ? EFI_SUCCESS : EFI_UNSUPPORTED;
}

static EFI_STATUS EFIAPI wrapped_HandleProtocol(EFI_HANDLE handle, EFI_GUID *guid, void **interface)
{
	EFI_STATUS status;

	if (strikes(SERVICE_HandleProtocol))
		return struck_status(SERVICE_HandleProtocol);
	status = real.HandleProtocol(handle, guid, interface);
	return EFI_ERROR(status) ? status : put_between(guid, interface);
}

static EFI_STATUS EFIAPI wrapped_LocateProtocol(EFI_GUID *guid, void *key, void **interface)
{
	static const EFI_GUID tpm = TCG2_PROTOCOL_GUID;
	EFI_STATUS status;

	if (strikes(SERVICE_LocateProtocol))
		return struck_status(SERVICE_LocateProtocol);
	if (trial.tpm && guid_equal(guid, &tpm)) {
		*interface = tpm_proxy();
		return EFI_SUCCESS;
	}
	status = real.LocateProtocol(guid, key, interface);
	return EFI_ERROR(status) ? status : put_between(guid, interface);
}

static EFI_STATUS EFIAPI wrapped_LocateHandleBuffer(
	EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *guid, void *key, UINTN *count, EFI_HANDLE **handles)
{
	EFI_STATUS status;

	if (strikes(SERVICE_LocateHandleBuffer))
		return struck_status(SERVICE_LocateHandleBuffer);
	if (trial.no_screen && is_screen(guid))
		return EFI_NOT_FOUND;
	status = real.LocateHandleBuffer(how, guid, key, count, handles);
	if (!EFI_ERROR(status))
		hold(POOL, (uint64_t)*handles, *count);
	return status;
}

FORWARDED(LocateHandle,
	(EFI_LOCATE_SEARCH_TYPE how, EFI_GUID *guid, void *key, UINTN *size, EFI_HANDLE *handles),
	real.LocateHandle(how, guid, key, size, handles))

/* ---- Runtime services ---- */

#define RUNTIME (firmware->RuntimeServices)

FORWARDED(GetVariable,
	(CHAR16 * name, EFI_GUID *vendor, UINT32 *attributes, UINTN *size, void *data),
	RUNTIME->GetVariable(name, vendor, attributes, size, data))
FORWARDED(SetVariable, (CHAR16 * name, EFI_GUID *vendor, UINT32 attributes, UINTN size, void *data),
	RUNTIME->SetVariable(name, vendor, attributes, size, data))
FORWARDED(GetNextVariableName, (UINTN * size, CHAR16 *name, EFI_GUID *vendor),
	RUNTIME->GetNextVariableName(size, name, vendor))
FORWARDED(QueryVariableInfo, (UINT32 attributes, UINT64 *most, UINT64 *remaining, UINT64 *largest),
	RUNTIME->QueryVariableInfo(attributes, most, remaining, largest))
FORWARDED(GetTime, (EFI_TIME * time, EFI_TIME_CAPABILITIES *can), RUNTIME->GetTime(time, can))
FORWARDED(GetNextHighMonotonicCount, (UINT32 * count), RUNTIME->GetNextHighMonotonicCount(count))

static EFI_STATUS EFIAPI wrapped_ResetSystem(
	EFI_RESET_TYPE type, EFI_STATUS status, UINTN size, CHAR16 *data)
{
	__asm__ volatile("sti");
	end_trial(RESET);
}

static void show_runtime(void)
{
	shown_runtime = *RUNTIME;
	shown_runtime.GetVariable = wrapped_GetVariable;
	shown_runtime.SetVariable = wrapped_SetVariable;
	shown_runtime.GetNextVariableName = wrapped_GetNextVariableName;
	shown_runtime.QueryVariableInfo = wrapped_QueryVariableInfo;
	shown_runtime.GetTime = wrapped_GetTime;
	shown_runtime.GetNextHighMonotonicCount = wrapped_GetNextHighMonotonicCount;
	shown_runtime.ResetSystem = (EFI_RESET_SYSTEM)wrapped_ResetSystem;
	shown.RuntimeServices = &shown_runtime;
}

void services_show(void)
{
	EFI_BOOT_SERVICES *b = &shown_boot;

	shown = *firmware;
	*b = real;
	b->AllocatePages = wrapped_AllocatePages;
	b->FreePages = wrapped_FreePages;
	b->GetMemoryMap = wrapped_GetMemoryMap;
	b->AllocatePool = wrapped_AllocatePool;
	b->FreePool = wrapped_FreePool;
	b->CreateEvent = wrapped_CreateEvent;
	b->SetTimer = wrapped_SetTimer;
	b->WaitForEvent = wrapped_WaitForEvent;
	b->CloseEvent = wrapped_CloseEvent;
	b->HandleProtocol = wrapped_HandleProtocol;
	b->LocateHandle = wrapped_LocateHandle;
	b->LocateHandleBuffer = wrapped_LocateHandleBuffer;
	b->LocateProtocol = wrapped_LocateProtocol;
	b->SetWatchdogTimer = wrapped_SetWatchdogTimer;
	b->Stall = wrapped_Stall;
	b->ExitBootServices = wrapped_ExitBootServices;
	shown.BootServices = b;
	show_runtime();
	console_show();
}

/* The kernel is given the firmware's own system table, so that is what the loader gets then. */
void services_for_good(void)
{
	EFI_BOOT_SERVICES *b = firmware->BootServices;

	b->GetMemoryMap = wrapped_GetMemoryMap;
	b->HandleProtocol = wrapped_HandleProtocol;
	b->LocateHandleBuffer = wrapped_LocateHandleBuffer;
	b->ExitBootServices = wrapped_ExitBootServices;
	if (trial.no_output)
		firmware->ConOut = NULL;
	if (trial.no_input)
		firmware->ConIn = NULL;
}
