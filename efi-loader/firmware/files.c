/* SPDX-License-Identifier: MIT */
#include "files.h"

#include "console.h"

#define CHUNK (UINT64_C(1) << 20)

EFI_STATUS volume_open(struct loader *l)
{
	static EFI_GUID image_guid = EFI_LOADED_IMAGE_PROTOCOL_GUID;
	static EFI_GUID volume_guid = EFI_SIMPLE_FILE_SYSTEM_PROTOCOL_GUID;
	EFI_SIMPLE_FILE_SYSTEM_PROTOCOL *fs;
	EFI_STATUS status;

	status = l->boot->HandleProtocol(l->image, &image_guid, (void **)&l->loaded_image);
	if (EFI_ERROR(status))
		return fail(status, "the loader's own image: no loaded image protocol");
	status = l->boot->HandleProtocol(l->loaded_image->DeviceHandle, &volume_guid, (void **)&fs);
	if (EFI_ERROR(status))
		return fail(status, "the device that the loader came from has no file system to "
				    "read the kernel from");
	status = fs->OpenVolume(fs, &l->volume);
	if (EFI_ERROR(status)) {
		l->volume = NULL;
		return fail(status, "the volume that the loader came from cannot be opened");
	}
	return EFI_SUCCESS;
}

void path_to_ucs2(const char *path, CHAR16 *out, size_t size)
{
	size_t i;

	for (i = 0; i + 1 < size && path[i]; i++)
		out[i] = (CHAR16)(unsigned char)path[i];
	out[i] = 0;
}

/* What an open file answers. EFI_NOT_FOUND would tell the callers that there is no such file, and they would go on
 * without it. */
static EFI_STATUS of_open_file(EFI_STATUS status)
{
	return status == EFI_NOT_FOUND ? EFI_DEVICE_ERROR : status;
}

/* The size by seeking to the end: cheaper than GetInfo. A folder cannot be sought in. */
static EFI_STATUS measure(struct file *file)
{
	EFI_STATUS status = file->handle->SetPosition(file->handle, UINT64_MAX);

	if (status == EFI_UNSUPPORTED)
		return fail(EFI_LOAD_ERROR, "%s: is a folder, expected a file", file->path);
	if (!EFI_ERROR(status))
		status = file->handle->GetPosition(file->handle, &file->size);
	if (EFI_ERROR(status))
		return fail(of_open_file(status), "%s: its size cannot be found", file->path);
	return EFI_SUCCESS;
}

EFI_STATUS file_open(struct loader *l, const char *path, struct file *file)
{
	CHAR16 name[LOADER_PATH_MAX];
	EFI_STATUS status;

	*file = (struct file){0};
	text_copy(file->path, sizeof(file->path), path);
	path_to_ucs2(path, name, LOADER_PATH_MAX);
	status = l->volume->Open(l->volume, &file->handle, name, EFI_FILE_MODE_READ, 0);
	if (EFI_ERROR(status)) {
		file->handle = NULL;
		return status == EFI_NOT_FOUND ? status
					       : fail(status, "%s: cannot be opened", path);
	}
	status = measure(file);
	if (EFI_ERROR(status))
		file_close(file);
	return status;
}

void file_in_memory(const char *path, const void *data, uint64_t size, struct file *file)
{
	*file = (struct file){.memory = data, .size = size};
	text_copy(file->path, sizeof(file->path), path);
}

void file_close(struct file *file)
{
	if (file->handle)
		file->handle->Close(file->handle);
	file->handle = NULL;
}

EFI_STATUS file_read(struct file *file, uint64_t offset, void *to, uint64_t size)
{
	char *at = to;
	EFI_STATUS status;

	if (file->memory) {
		__builtin_memcpy(to, file->memory + offset, size);
		return EFI_SUCCESS;
	}
	status = file->handle->SetPosition(file->handle, offset);
	while (size && !EFI_ERROR(status)) {
		UINTN part = size < CHUNK ? size : CHUNK;

		status = file->handle->Read(file->handle, &part, at);
		if (!EFI_ERROR(status) && (part == 0 || part > size))
			return fail(EFI_LOAD_ERROR, "%s: ends at byte %lu, expected %lu bytes more",
				file->path, offset, size);
		at += part;
		offset += part;
		size -= part;
	}
	if (EFI_ERROR(status))
		return fail(
			of_open_file(status), "%s: reading at byte %lu failed", file->path, offset);
	return EFI_SUCCESS;
}

EFI_STATUS file_read_text(struct loader *l, const char *path, char *to, size_t most, size_t *size)
{
	struct file file;
	EFI_STATUS status = file_open(l, path, &file);

	if (EFI_ERROR(status))
		return status;
	if (file.size > most)
		status = fail(EFI_LOAD_ERROR, "%s: %lu bytes long, expected at most %zu", path,
			file.size, most);
	else
		status = file_read(&file, 0, to, file.size);
	*size = file.size;
	file_close(&file);
	return status;
}

static void name_to_ascii(const CHAR16 *from, char *name, size_t size)
{
	size_t i;

	for (i = 0; from[i] && i + 1 < size && from[i] > ' ' && from[i] <= '~'; i++)
		name[i] = (char)from[i];
	if (from[i]) {
		name[0] = '?';
		i = 1;
	}
	name[i] = '\0';
}

EFI_STATUS folder_next(EFI_FILE *folder, char *name, size_t size)
{
	union {
		EFI_FILE_INFO info;
		char room[sizeof(EFI_FILE_INFO) + 512];
	} entry;
	UINTN length = sizeof(entry);
	EFI_STATUS status = folder->Read(folder, &length, &entry);

	name[0] = '\0';
	if (EFI_ERROR(status))
		return fail(of_open_file(status), "the folder of boot entries cannot be read");
	if (length == 0)
		return EFI_SUCCESS;
	if (entry.info.Attribute & EFI_FILE_DIRECTORY)
		text_copy(name, size, "?");
	else
		name_to_ascii(entry.info.FileName, name, size);
	return EFI_SUCCESS;
}
