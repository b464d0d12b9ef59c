/* SPDX-License-Identifier: MIT */
/*
 * Kernel and initrd: opened, measured and checked first, so that their place can be chosen; then
 * read straight to where they stay. Of the kernel's file only what is loaded is read.
 */
#include "console.h"
#include "files.h"
#include "loader.h"
#include "trust.h"

static uint64_t page_up(uint64_t size)
{
	return (size + MEMORY_PAGE - 1) & ~(MEMORY_PAGE - 1);
}

static EFI_STATUS open_kernel(struct loader *l)
{
	const char *path = l->options.kernel[0] ? l->options.kernel : l->entry.kernel;
	EFI_STATUS status;

	if (l->own.kernel.data && !l->options.kernel[0]) {
		file_in_memory(".linux", l->own.kernel.data, l->own.kernel.size, &l->kernel);
		return EFI_SUCCESS;
	}
	status = file_open(l, path, &l->kernel);
	if (status == EFI_NOT_FOUND)
		return fail(status, "%s: no such file, expected the kernel", path);
	return EFI_ERROR(status) ? status : trust_kernel(l);
}

static EFI_STATUS check_kernel(struct loader *l)
{
	static char header[ELF_HEADER_MAX];
	struct complaint why;
	enum verdict verdict;
	EFI_STATUS status;
	size_t size;

	size = l->kernel.size < sizeof(header) ? l->kernel.size : sizeof(header);
	status = file_read(&l->kernel, 0, header, size);
	if (EFI_ERROR(status))
		return status;
	verdict = elf_check(header, size, l->kernel.size, &l->elf, &why);
	return verdict ? fail_verdict(verdict, l->kernel.path, &why) : EFI_SUCCESS;
}

/* Each archive begins at a page of its own. */
static EFI_STATUS add_initrd(struct loader *l)
{
	struct file *file = &l->initrds[l->initrd_count++];
	uint64_t start = page_up(l->initrd_size);

	if (file->size == 0)
		return fail(EFI_LOAD_ERROR, "%s: 0 bytes long, expected an initrd", file->path);
	if (file->size >= MEMORY_PHYS_END - start)
		return fail(EFI_OUT_OF_RESOURCES, "%s: %lu bytes long", file->path, file->size);
	l->initrd_size = start + file->size;
	return EFI_SUCCESS;
}

static EFI_STATUS open_initrd(struct loader *l, const char *path, bool may_be_missing)
{
	struct file *file = &l->initrds[l->initrd_count];
	EFI_STATUS status = file_open(l, path, file);

	if (status == EFI_NOT_FOUND && may_be_missing) {
		warn("%s: no such file: booting without initrd", path);
		return EFI_SUCCESS;
	}
	if (status == EFI_NOT_FOUND)
		return fail(status, "%s: no such file, expected an initrd", path);
	return EFI_ERROR(status) ? status : add_initrd(l);
}

EFI_STATUS open_images(struct loader *l)
{
	EFI_STATUS status = open_kernel(l);

	if (!EFI_ERROR(status))
		status = check_kernel(l);
	if (!EFI_ERROR(status) && l->own.kernel.data && l->own.initrd.data) {
		file_in_memory(".initrd", l->own.initrd.data, l->own.initrd.size, &l->initrds[0]);
		status = add_initrd(l);
	}
	for (size_t i = 0; i < l->entry.initrd_count && !EFI_ERROR(status); i++)
		status = open_initrd(l, l->entry.initrds[i], l->default_initrd);
	for (size_t i = 0; i < l->options.initrd_count && !EFI_ERROR(status); i++)
		status = open_initrd(l, l->options.initrds[i], false);
	return status;
}

/* Reads the segments; what lies between them and behind their bytes in the file becomes zero. */
static EFI_STATUS read_segments(struct loader *l, char *memory)
{
	uint64_t done = 0;

	for (uint32_t i = 0; i < l->elf.segment_count; i++) {
		const struct elf_segment *s = &l->elf.segments[i];
		uint64_t at = s->virt - l->elf.base;
		EFI_STATUS status = EFI_SUCCESS;

		__builtin_memset(memory + done, 0, at - done);
		if (s->file_size)
			status = file_read(&l->kernel, s->file_offset, memory + at, s->file_size);
		if (EFI_ERROR(status))
			return status;
		done = at + s->file_size;
	}
	__builtin_memset(memory + done, 0, l->elf.size - done);
	return EFI_SUCCESS;
}

static void describe_segments(struct loader *l)
{
	uint64_t phys = l->pieces[PIECE_KERNEL].base;

	l->handoff.kernel = (struct handoff_range){phys, l->elf.size};
	l->handoff.kernel_slide = l->slides.kernel;
	l->handoff.segment_count = l->elf.segment_count;
	for (uint32_t i = 0; i < l->elf.segment_count; i++) {
		const struct elf_segment *s = &l->elf.segments[i];
		uint64_t first = s->virt & ~(MEMORY_PAGE - 1);

		l->handoff.segments[i] = (struct handoff_segment){
			.virt = first + l->slides.kernel,
			.phys = phys + (first - l->elf.base),
			.size = page_up(s->virt + s->memory_size) - first,
			.access = s->access,
		};
	}
}

EFI_STATUS load_kernel(struct loader *l)
{
	void *memory = (void *)l->pieces[PIECE_KERNEL].base;
	struct complaint why;
	enum verdict verdict;
	EFI_STATUS status = read_segments(l, memory);

	if (EFI_ERROR(status))
		return status;
	verdict = elf_relocate(&l->elf, memory, l->slides.kernel, &why);
	if (verdict)
		return fail_verdict(verdict, l->kernel.path, &why);
	describe_segments(l);
	file_close(&l->kernel);
	return EFI_SUCCESS;
}

EFI_STATUS load_initrd(struct loader *l)
{
	char *memory = (char *)l->pieces[PIECE_INITRD].base;
	uint64_t at = 0;

	for (size_t i = 0; i < l->initrd_count; i++) {
		struct file *file = &l->initrds[i];
		EFI_STATUS status = file_read(file, 0, memory + at, file->size);
		uint64_t end = page_up(at + file->size);

		if (!EFI_ERROR(status) && !file->memory)
			status = trust_file(l, file->path, memory + at, file->size);
		if (EFI_ERROR(status))
			return status;
		__builtin_memset(memory + at + file->size, 0, end - at - file->size);
		at = end;
		file_close(file);
	}
	if (l->initrd_count)
		l->handoff.initrd = (struct handoff_range){(uint64_t)memory, l->initrd_size};
	return EFI_SUCCESS;
}
