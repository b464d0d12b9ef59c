/* SPDX-License-Identifier: MIT */
/* The volume that the loader came from, in memory: a list of files; folders are what paths begin with. */
#include "firmware.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILES_MOST 32u
#define NAME_MOST  128u

struct entry {
	char path[NAME_MOST];
	uint8_t *data;
	size_t size;
};

struct handle {
	EFI_FILE file;        /* first */
	struct entry *entry;  /* NULL: a folder */
	char path[NAME_MOST]; /* of a folder, with a backslash at its end */
	uint64_t position;
	bool writable;
};

static struct entry entries[FILES_MOST];
static unsigned entry_count;

void volume_add(const char *path, const void *data, size_t size)
{
	struct entry *entry = &entries[entry_count++];

	if (entry_count > FILES_MOST)
		broken("too many files", entry_count);
	snprintf(entry->path, sizeof(entry->path), "%s", path);
	entry->data = malloc(size ? size : 1);
	memcpy(entry->data, data, size);
	entry->size = size;
}

static struct entry *find(const char *path)
{
	for (unsigned i = 0; i < entry_count; i++)
		if (strcmp(entries[i].path, path) == 0)
			return &entries[i];
	return NULL;
}

const uint8_t *volume_look(const char *path, size_t *size)
{
	struct entry *entry = find(path);

	*size = entry ? entry->size : 0;
	return entry ? entry->data : NULL;
}

static struct handle *handle_of(EFI_FILE *file)
{
	return (struct handle *)file;
}

static EFI_STATUS EFIAPI file_close_(EFI_FILE *file)
{
	EFI_STATUS status = called("Close");

	facts.files--; /* whatever it answers, the handle is gone (UEFI 2.10, 13.5) */
	free(file);
	return status;
}

/* The next file that stands right in the folder. */
static EFI_STATUS read_folder(struct handle *handle, UINTN *size, void *buffer)
{
	size_t length = strlen(handle->path);
	EFI_FILE_INFO info = {0};

	for (; handle->position < entry_count; handle->position++) {
		const char *path = entries[handle->position].path, *name = path + length;
		size_t chars, bytes;

		if (strncmp(path, handle->path, length) != 0 || strchr(name, '\\'))
			continue;
		chars = strlen(name) + 1;
		bytes = offsetof(EFI_FILE_INFO, FileName) + chars * sizeof(CHAR16);
		if (*size < bytes) {
			*size = bytes;
			return EFI_BUFFER_TOO_SMALL;
		}
		info.Size = bytes;
		info.FileSize = entries[handle->position].size;
		memcpy(buffer, &info, offsetof(EFI_FILE_INFO, FileName));
		for (size_t i = 0; i < chars; i++)
			((EFI_FILE_INFO *)buffer)->FileName[i] = (CHAR16)name[i];
		*size = bytes;
		handle->position++;
		return EFI_SUCCESS;
	}
	*size = 0;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_read_(EFI_FILE *file, UINTN *size, void *buffer)
{
	struct handle *handle = handle_of(file);
	EFI_STATUS status = called("Read");
	size_t left;

	if (status)
		return status;
	if (!handle->entry)
		return read_folder(handle, size, buffer);
	left = handle->position < handle->entry->size ? handle->entry->size - handle->position : 0;
	if (*size > left)
		*size = left;
	left = read_length(*size);
	if (left < *size)
		*size = left;
	memcpy(buffer, handle->entry->data + handle->position, *size);
	handle->position += *size;
	*size = left; /* one that lies says more than it brought */
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_write_(EFI_FILE *file, UINTN *size, void *buffer)
{
	struct handle *handle = handle_of(file);
	EFI_STATUS status = called("Write");

	if (status)
		return status;
	if (!handle->writable || handle->position + *size > handle->entry->size)
		broken("a write that would make a file longer, or to one that was opened to be "
		       "read",
			*size);
	memcpy(handle->entry->data + handle->position, buffer, *size);
	handle->position += *size;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_get_position(EFI_FILE *file, UINT64 *position)
{
	EFI_STATUS status = called("GetPosition");

	if (!status)
		*position = handle_of(file)->position;
	return status;
}

static EFI_STATUS EFIAPI file_set_position(EFI_FILE *file, UINT64 position)
{
	struct handle *handle = handle_of(file);
	EFI_STATUS status = called("SetPosition");

	if (status)
		return status;
	if (!handle->entry && position)
		return EFI_UNSUPPORTED;
	handle->position = position == UINT64_MAX ? handle->entry->size : position;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_get_info(EFI_FILE *file, EFI_GUID *type, UINTN *size, void *buffer)
{
	struct handle *handle = handle_of(file);
	EFI_STATUS status = called("GetInfo");
	const char *name = strrchr(handle->entry->path, '\\') + 1;
	size_t bytes = offsetof(EFI_FILE_INFO, FileName) + (strlen(name) + 1) * sizeof(CHAR16);
	EFI_FILE_INFO *info = buffer;

	(void)type;
	if (status)
		return status;
	if (*size < bytes)
		return EFI_BUFFER_TOO_SMALL;
	memset(info, 0, bytes);
	info->Size = bytes;
	info->FileSize = handle->entry->size;
	for (size_t i = 0; name[i]; i++)
		info->FileName[i] = (CHAR16)name[i];
	*size = bytes;
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_set_info(EFI_FILE *file, EFI_GUID *type, UINTN size, void *buffer)
{
	struct handle *handle = handle_of(file);
	EFI_STATUS status = called("SetInfo");
	const EFI_FILE_INFO *info = buffer;
	char *name = strrchr(handle->entry->path, '\\') + 1;

	(void)type;
	if (status)
		return status;
	if (info->Size != size || !handle->writable)
		broken("SetInfo of another size, or of a file that was opened to be read", size);
	for (size_t i = 0; name + i < handle->entry->path + NAME_MOST; i++) {
		name[i] = (char)info->FileName[i];
		if (!name[i])
			break;
	}
	return EFI_SUCCESS;
}

static EFI_STATUS EFIAPI file_flush(EFI_FILE *file)
{
	(void)file;
	return called("Flush");
}

static EFI_STATUS EFIAPI file_delete(EFI_FILE *file)
{
	(void)file;
	broken("a file is deleted", 0);
}

static EFI_STATUS EFIAPI file_open_(
	EFI_FILE *file, EFI_FILE **out, CHAR16 *name, UINT64 mode, UINT64 attributes);

static EFI_FILE *make(struct entry *entry, const char *path, bool writable)
{
	struct handle *handle = calloc(1, sizeof(*handle));

	handle->file = (EFI_FILE){.Revision = EFI_FILE_HANDLE_REVISION,
		.Open = file_open_,
		.Close = file_close_,
		.Delete = file_delete,
		.Read = file_read_,
		.Write = file_write_,
		.GetPosition = file_get_position,
		.SetPosition = file_set_position,
		.GetInfo = file_get_info,
		.SetInfo = file_set_info,
		.Flush = file_flush};
	handle->entry = entry;
	handle->writable = writable;
	snprintf(handle->path, sizeof(handle->path), "%s", path);
	facts.files++;
	return &handle->file;
}

static EFI_STATUS EFIAPI file_open_(
	EFI_FILE *file, EFI_FILE **out, CHAR16 *name, UINT64 mode, UINT64 attributes)
{
	EFI_STATUS status = called("Open");
	char path[NAME_MOST];
	size_t i, length;
	struct entry *entry;

	(void)file;
	(void)attributes;
	*out = (EFI_FILE *)(uintptr_t)1; /* what nobody may use after an error */
	if (status)
		return status;
	if (mode & EFI_FILE_MODE_CREATE)
		broken("a file is made", mode);
	for (i = 0; name[i] && i + 2 < sizeof(path); i++)
		path[i] = (char)name[i];
	path[i] = '\0';
	entry = find(path);
	if (entry) {
		*out = make(entry, path, mode & EFI_FILE_MODE_WRITE);
		return EFI_SUCCESS;
	}
	path[i++] = '\\';
	path[i] = '\0';
	length = i;
	for (unsigned n = 0; n < entry_count; n++)
		if (strncmp(entries[n].path, path, length) == 0) {
			*out = make(NULL, path, false);
			return EFI_SUCCESS;
		}
	return EFI_NOT_FOUND;
}

EFI_STATUS EFIAPI volume_open_root(EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *self, EFI_FILE **root)
{
	EFI_STATUS status = called("OpenVolume");

	(void)self;
	*root = (EFI_FILE *)(uintptr_t)1;
	if (!status)
		*root = make(NULL, "\\", false);
	return status;
}
