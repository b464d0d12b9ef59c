/* SPDX-License-Identifier: MIT */
/*
 * The evidence as a file. It is written under another name and then renamed, the one of the run before kept as
 * evidence.old: when power goes, an old or a new one is whole. A firmware that cannot rename leaves evidence.new.
 */
#include "evidence_internal.h"

#include "console.h"

#define FOLDER   L"\\baton\\"
#define NAME     L"evidence.bin"
#define NAME_NEW L"evidence.new"
#define NAME_OLD L"evidence.old"
#define CHUNK    (UINT64_C(1) << 20)
#define WRITABLE (EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE)

static EFI_STATUS open(struct loader *l, CHAR16 *path, uint64_t mode, EFI_FILE **file)
{
	return l->volume->Open(l->volume, file, path, mode, 0);
}

/* Gone, or never there. */
static EFI_STATUS delete (struct loader *l, CHAR16 *path)
{
	EFI_FILE *file;
	EFI_STATUS status = open(l, path, WRITABLE, &file);

	return status ? status : file->Delete(file);
}

static EFI_STATUS rename(struct loader *l, CHAR16 *path, const CHAR16 *name, UINTN name_size)
{
	static EFI_GUID guid = EFI_FILE_INFO_ID;
	EFI_FILE_INFO *info = (EFI_FILE_INFO *)collector.scratch;
	UINTN size = collector.scratch_size;
	EFI_FILE *file;
	EFI_STATUS status = open(l, path, WRITABLE, &file);

	if (status)
		return status;
	status = file->GetInfo(file, &guid, &size, info);
	if (!status) {
		__builtin_memcpy(info->FileName, name, name_size);
		info->Size = SIZE_OF_EFI_FILE_INFO + name_size;
		status = file->SetInfo(file, &guid, info->Size, info);
	}
	file->Close(file);
	return status;
}

static EFI_STATUS write_all(EFI_FILE *file, const uint8_t *data, size_t size)
{
	while (size) {
		UINTN part = size < CHUNK ? size : CHUNK;
		EFI_STATUS status = file->Write(file, &part, (void *)data);

		if (status)
			return status;
		if (!part || part > size)
			return EFI_DEVICE_ERROR;
		data += part;
		size -= part;
	}
	return file->Flush(file);
}

static EFI_STATUS write_new(struct loader *l)
{
	static CHAR16 path[] = FOLDER NAME_NEW;
	size_t size = evidence_seal(&collector.writer);
	EFI_STATUS status, closed;
	EFI_FILE *file;

	status = delete (l, path);
	if (status && status != EFI_NOT_FOUND)
		return status;
	status = open(l, path, WRITABLE | EFI_FILE_MODE_CREATE, &file);
	if (status)
		return status;
	status = write_all(file, collector.writer.data, size);
	closed = file->Close(file);
	return status ? status : closed;
}

bool evidence_write_file(struct loader *l)
{
	static CHAR16 path[] = FOLDER NAME, new_path[] = FOLDER NAME_NEW,
		      old_path[] = FOLDER NAME_OLD;
	static const CHAR16 name[] = NAME, old[] = NAME_OLD;
	EFI_STATUS status = write_new(l);

	if (status) {
		say("evidence of the firmware: no file of it on this volume: %s",
			status_name(status));
		return false;
	}
	status = delete (l, old_path);
	if (!status || status == EFI_NOT_FOUND)
		status = rename(l, path, old, sizeof(old));
	if (!status || status == EFI_NOT_FOUND)
		status = rename(l, new_path, name, sizeof(name));
	if (status)
		say("evidence of the firmware: \\baton\\evidence.new, which cannot be renamed: %s",
			status_name(status));
	else
		say("evidence of the firmware: \\baton\\evidence.bin");
	return !status;
}
