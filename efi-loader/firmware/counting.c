/* SPDX-License-Identifier: MIT */
#include "counting.h"

#include "console.h"
#include "files.h"

#include "../pure/counter.h"

#include <baton/boot_good.h>

#define NAME_MAX_CHARS 256u /* of a file in a folder: what EFI_FILE_INFO may bring */

static EFI_GUID guid = BOOT_GOOD_GUID;

/* Gives the open file another name in its folder. */
static EFI_STATUS set_name(EFI_FILE *handle, const char *name)
{
	static EFI_GUID info_guid = EFI_FILE_INFO_ID;
	union {
		EFI_FILE_INFO info;
		char room[sizeof(EFI_FILE_INFO) + NAME_MAX_CHARS * sizeof(CHAR16)];
	} file;
	UINTN size = sizeof(file);
	EFI_STATUS status = handle->GetInfo(handle, &info_guid, &size, &file);

	if (EFI_ERROR(status))
		return status;
	path_to_ucs2(name, file.info.FileName, NAME_MAX_CHARS);
	size = __builtin_offsetof(EFI_FILE_INFO, FileName) +
	       (text_length(name) + 1) * sizeof(CHAR16);
	file.info.Size = size;
	return handle->SetInfo(handle, &info_guid, size, &file);
}

static bool rename(struct loader *l, const char *folder, const char *name, const char *to)
{
	char path[2 * LOADER_PATH_MAX];
	CHAR16 path16[2 * LOADER_PATH_MAX];
	EFI_FILE *handle;
	EFI_STATUS status;

	text_format(path, sizeof(path), "%s%s", folder, name);
	path_to_ucs2(path, path16, 2 * LOADER_PATH_MAX);
	status = l->volume->Open(
		l->volume, &handle, path16, EFI_FILE_MODE_READ | EFI_FILE_MODE_WRITE, 0);
	if (!EFI_ERROR(status)) {
		status = set_name(handle, to);
		handle->Close(handle);
	}
	if (EFI_ERROR(status))
		warn("%s: cannot be renamed to %s: %s", path, to, status_name(status));
	return !EFI_ERROR(status);
}

void counting_try(struct loader *l, const char *folder, const char *name)
{
	char next[CONFIG_NAME_MAX];

	if (!counter_read(name).counted)
		return;
	if (!counter_tried(name, next, sizeof(next))) {
		warn("%s%s: the name has no room for its counter: not counted", folder, name);
		return;
	}
	if (!rename(l, folder, name, next))
		return;
	text_format(l->counted_path, sizeof(l->counted_path), "%s%s", folder, next);
	l->handoff.flags |= HANDOFF_COUNTED;
	say("%s: this try is counted, %u left", next, counter_read(next).left);
}

/* The variable's value as a path; false: there is none, or it is no text. */
static bool read_good(struct loader *l, char *path, size_t most)
{
	CHAR16 value[2 * LOADER_PATH_MAX];
	UINTN size = sizeof(value);
	size_t i;

	if (l->system->RuntimeServices->GetVariable(BOOT_GOOD_NAME, &guid, NULL, &size, value))
		return false;
	for (i = 0;
		i < size / sizeof(value[0]) && i + 1 < most && value[i] >= ' ' && value[i] <= '~';
		i++)
		path[i] = (char)value[i];
	path[i] = '\0';
	return i < size / sizeof(value[0]) && !value[i];
}

bool counting_bless(struct loader *l, const char *folder)
{
	char path[2 * LOADER_PATH_MAX], own[CONFIG_NAME_MAX];
	const char *name = path + text_length(folder);
	bool renamed = false;

	if (!read_good(l, path, sizeof(path)))
		return false;
	if (text_starts(path, folder) && counter_read(name).counted &&
		counter_strip(name, own, sizeof(own)))
		renamed = rename(l, folder, name, own);
	if (renamed)
		say("%s came up: it is %s from now on", name, own);
	if (l->system->RuntimeServices->SetVariable(
		    BOOT_GOOD_NAME, &guid, BOOT_GOOD_ATTRIBUTES, 0, NULL))
		warn("the variable that told of it cannot be deleted");
	return renamed;
}
