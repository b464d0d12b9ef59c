/* SPDX-License-Identifier: MIT */
#include "trust.h"

#include "console.h"
#include "files.h"
#include "measure.h"

#include "../pure/sha256.h"

static bool variable_is_one(struct loader *l, CHAR16 *name)
{
	static EFI_GUID guid = GLOBAL_VARIABLE_GUID;
	UINT8 value = 0;
	UINTN size = sizeof(value);

	return l->system->RuntimeServices->GetVariable(name, &guid, NULL, &size, &value) ==
		       EFI_SUCCESS &&
	       size == sizeof(value) && value == 1;
}

static void read_security_state(struct loader *l)
{
	bool setup = variable_is_one(l, L"SetupMode");

	if (setup)
		l->handoff.flags |= HANDOFF_SETUP_MODE;
	else if (variable_is_one(l, L"SecureBoot"))
		l->handoff.flags |= HANDOFF_SECURE_BOOT;
}

static EFI_STATUS find_section(struct loader *l, const char *name, struct pe_section *found)
{
	struct complaint why;
	enum verdict verdict =
		pe_find(l->loaded_image->ImageBase, l->loaded_image->ImageSize, name, found, &why);

	if (verdict && verdict != VERDICT_NOT_FOUND)
		return fail_verdict(verdict, "the loader's own file", &why);
	return EFI_SUCCESS;
}

EFI_STATUS read_own_file(struct loader *l)
{
	EFI_STATUS status = find_section(l, ".linux", &l->own.kernel);

	if (!EFI_ERROR(status))
		status = find_section(l, ".initrd", &l->own.initrd);
	if (!EFI_ERROR(status))
		status = find_section(l, ".cmdline", &l->own.options);
	if (!EFI_ERROR(status))
		status = find_section(l, ".sha256", &l->own.digests);
	read_security_state(l);
	find_tpm(l);
	if (!EFI_ERROR(status))
		measure_own_file(l);
	return status;
}

/* A text editor's line end, and the NUL that some tools add, are no part of the options. */
static uint64_t options_length(const struct pe_section *options)
{
	uint64_t length = options->size;

	while (length && (options->data[length - 1] == '\0' || options->data[length - 1] == '\n'))
		length--;
	return length;
}

EFI_STATUS use_own_file(struct loader *l)
{
	uint64_t length = options_length(&l->own.options);
	struct complaint why;
	enum verdict verdict;
	static char text[COMMAND_LINE_MAX];

	if (length >= sizeof(text))
		return fail(EFI_LOAD_ERROR, ".cmdline: %lu bytes long, expected at most %u", length,
			COMMAND_LINE_MAX - 1);
	__builtin_memcpy(text, l->own.options.data, length);
	text[length] = '\0';
	text_copy(l->entry_name, sizeof(l->entry_name), "in the loader's own file");
	verdict = command_line_append(&l->entry.options, text, &why);
	return verdict ? fail_verdict(verdict, ".cmdline", &why) : EFI_SUCCESS;
}

EFI_STATUS trust_bytes(struct loader *l, const char *what, const void *data, uint64_t size)
{
	struct sha256 digest;

	if (!(l->handoff.flags & HANDOFF_SECURE_BOOT))
		return EFI_SUCCESS;
	digest = sha256_of(data, size);
	if (sha256_is_listed(&digest, l->own.digests.data, l->own.digests.size)) {
		say("%s: its SHA-256 stands in the signed file", what);
		return EFI_SUCCESS;
	}
	return fail(EFI_SECURITY_VIOLATION,
		"%s: not signed, and under Secure Boot nothing unsigned is used: neither part of "
		"the signed file nor its SHA-256 in there",
		what);
}

EFI_STATUS trust_file(struct loader *l, const char *path, const void *data, uint64_t size)
{
	EFI_STATUS status = trust_bytes(l, path, data, size);

	if (!EFI_ERROR(status))
		measure(l, PCR_FILES, path, data, size);
	return status;
}

EFI_STATUS trust_kernel(struct loader *l)
{
	struct file *file = &l->kernel;
	EFI_PHYSICAL_ADDRESS base = 0;
	UINTN pages = (file->size + MEMORY_PAGE - 1) / MEMORY_PAGE;
	EFI_STATUS status;

	if (file->memory || !file->size ||
		!(l->handoff.flags & (HANDOFF_SECURE_BOOT | HANDOFF_TPM2)))
		return EFI_SUCCESS;
	status = l->boot->AllocatePages(AllocateAnyPages, EfiLoaderData, pages, &base);
	if (EFI_ERROR(status))
		return fail(status, "%s: no %lu bytes of memory to check it in", file->path,
			file->size);
	l->kernel_copy = (struct handoff_range){base, pages * MEMORY_PAGE};
	status = file_read(file, 0, (void *)base, file->size);
	if (EFI_ERROR(status))
		return status;
	file_close(file);
	file->memory = (const char *)base;
	return trust_file(l, file->path, file->memory, file->size);
}

void trust_release(struct loader *l)
{
	if (l->kernel_copy.size)
		l->boot->FreePages(l->kernel_copy.base, l->kernel_copy.size / MEMORY_PAGE);
	l->kernel_copy.size = 0;
}
