/* SPDX-License-Identifier: MIT */
/* The volume's files as the loader sees them: each open one is a proxy of the firmware's. */
#include "inject.h"

#define PROXIES 64u

struct proxy {
	EFI_FILE file; /* what the loader has */
	EFI_FILE *real;
};

static struct proxy proxies[PROXIES];
static EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *real_volume, volume;

static EFI_FILE *real_of(EFI_FILE *file)
{
	return ((struct proxy *)file)->real;
}

/* Calls of an open file that are counted, struck, and else the firmware's. */
#define FORWARDED(name, parameters, ...)                                \
	static EFI_STATUS EFIAPI file_##name parameters                 \
	{                                                               \
		if (strikes(SERVICE_##name))                            \
			return struck_status(SERVICE_##name);           \
		return real_of(file)->name(real_of(file), __VA_ARGS__); \
	}

FORWARDED(Write, (EFI_FILE * file, UINTN *size, void *data), size, data)
FORWARDED(GetPosition, (EFI_FILE * file, UINT64 *at), at)
FORWARDED(SetPosition, (EFI_FILE * file, UINT64 at), at)
FORWARDED(GetInfo, (EFI_FILE * file, EFI_GUID *type, UINTN *size, void *data), type, size, data)
FORWARDED(SetInfo, (EFI_FILE * file, EFI_GUID *type, UINTN size, void *data), type, size, data)

static EFI_STATUS EFIAPI file_Flush(EFI_FILE *file)
{
	if (strikes(SERVICE_Flush))
		return struck_status(SERVICE_Flush);
	return real_of(file)->Flush(real_of(file));
}

static EFI_FILE *new_proxy(EFI_FILE *of);

static EFI_STATUS EFIAPI file_Open(
	EFI_FILE *file, EFI_FILE **out, CHAR16 *name, UINT64 mode, UINT64 attributes)
{
	EFI_FILE *opened;
	EFI_STATUS status;

	if (strikes(SERVICE_Open))
		return struck_status(SERVICE_Open);
	status = real_of(file)->Open(real_of(file), &opened, name, mode, attributes);
	if (!EFI_ERROR(status))
		*out = new_proxy(opened);
	return status;
}

static bool is_folder(EFI_FILE *file)
{
	static EFI_GUID guid = EFI_FILE_INFO_ID;
	static union {
		EFI_FILE_INFO info;
		char room[sizeof(EFI_FILE_INFO) + 512];
	} room;
	UINTN size = sizeof(room);

	return !file->GetInfo(file, &guid, &size, &room) &&
	       (room.info.Attribute & EFI_FILE_DIRECTORY);
}

/* A folder's entry comes whole or not at all. */
static EFI_STATUS EFIAPI file_Read(EFI_FILE *file, UINTN *size, void *data)
{
	bool struck = strikes(SERVICE_Read);

	if (struck && trial.mode == MODE_EMPTY) {
		*size = 0;
		trial.at_end |= is_folder(real_of(file));
	} else if (struck && trial.mode != MODE_HALF) {
		return struck_status(SERVICE_Read);
	}
	if (*size && !is_folder(real_of(file))) {
		if (struck)
			*size = (*size + 1) / 2;
		if (trial.most && *size > trial.most)
			*size = trial.most;
	}
	return *size ? real_of(file)->Read(real_of(file), size, data) : EFI_SUCCESS;
}

EFI_STATUS close_really(EFI_FILE *file)
{
	struct proxy *proxy = (struct proxy *)file;
	EFI_FILE *of = proxy->real;

	proxy->real = NULL;
	return of->Close(of);
}

static EFI_STATUS EFIAPI file_Close(EFI_FILE *file)
{
	bool failed = strikes(SERVICE_Close);
	EFI_STATUS status;

	let_go(FILE_HANDLE, (uint64_t)file);
	status = close_really(file);
	return failed ? struck_status(SERVICE_Close) : status;
}

/* A file that cannot be deleted is closed all the same (UEFI 2.10 13.5.4). */
static EFI_STATUS EFIAPI file_Delete(EFI_FILE *file)
{
	EFI_FILE *of = real_of(file);

	let_go(FILE_HANDLE, (uint64_t)file);
	if (strikes(SERVICE_Delete)) {
		close_really(file);
		return struck_status(SERVICE_Delete);
	}
	((struct proxy *)file)->real = NULL;
	return of->Delete(of);
}

static EFI_FILE *new_proxy(EFI_FILE *of)
{
	struct proxy *p = proxies;

	while (p < proxies + PROXIES && p->real)
		p++;
	if (p == proxies + PROXIES) {
		print("not ok the loader has more than %u files open\n", PROXIES);
		p--;
	}
	*p = (struct proxy){.real = of,
		.file = {.Revision = EFI_FILE_PROTOCOL_REVISION,
			.Open = file_Open,
			.Close = file_Close,
			.Delete = file_Delete,
			.Read = file_Read,
			.Write = file_Write,
			.GetPosition = file_GetPosition,
			.SetPosition = file_SetPosition,
			.GetInfo = file_GetInfo,
			.SetInfo = file_SetInfo,
			.Flush = file_Flush}};
	hold(FILE_HANDLE, (uint64_t)&p->file, 1);
	return &p->file;
}

static EFI_STATUS EFIAPI open_volume(EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *of, EFI_FILE **root)
{
	EFI_FILE *opened;
	EFI_STATUS status;

	if (strikes(SERVICE_OpenVolume))
		return struck_status(SERVICE_OpenVolume);
	status = real_volume->OpenVolume(real_volume, &opened);
	if (!EFI_ERROR(status))
		*root = new_proxy(opened);
	return status;
}

void *files_proxy(EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *of)
{
	real_volume = of;
	volume = (EFI_SIMPLE_FILE_SYSTEM_PROTOCOL){
		.Revision = of->Revision, .OpenVolume = open_volume};
	return &volume;
}
