/* SPDX-License-Identifier: MIT */
/*
 * ELF64 as Linux's execve takes it (System V ABI, chapters 4 and 5; AMD64 supplement). Nothing in the
 * file is trusted: every sum is checked for wrapping, every range against the user half. What Linux
 * accepts is accepted, bss past the file's end and segments in any order included; a file whose
 * segments lie outside the file reads as zeroes or SIGBUS there, as on Linux. So is the moment at which it finds
 * a mistake: headers and the interpreter are read while the old program can be told of it, segments are looked at when they
 * are mapped, and who executes a file with a broken one ends by SIGSEGV.
 */
#include "process/elf.h"

#include <elf.h>

#include "arch_cpu.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/access.h"

static int refuse(const char **why, const char *what)
{
	*why = what;
	return -ENOEXEC;
}

static int check_header(const Elf64_Ehdr *header, size_t size, const char **why)
{
	if (size < sizeof(*header) || memcmp(header->e_ident, ELFMAG, SELFMAG))
		return refuse(why, "not an ELF file");
	if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_machine != EM_X86_64)
		return refuse(why, "not for this machine (ELF64, x86-64)");
	if (header->e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(why, "not little-endian");
	if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
		return refuse(why, "e_type is neither ET_EXEC nor ET_DYN");
	if (header->e_phentsize != sizeof(Elf64_Phdr))
		return refuse(why, "e_phentsize is not that of Elf64_Phdr");
	if (!header->e_phnum || header->e_phnum > ELF_HEADERS_MOST / sizeof(Elf64_Phdr))
		return refuse(why, "no program headers, or more than 64 KiB of them");
	return 0;
}

static unsigned access_of(uint32_t flags)
{
	return (flags & PF_R ? MAP_READ : 0) | (flags & PF_W ? MAP_WRITE : 0) |
	       (flags & PF_X ? MAP_EXECUTE : 0);
}

static int add_segment(struct elf_image *out, const Elf64_Phdr *program, const char **why)
{
	struct elf_segment *segment = &out->segments[out->segment_count];
	uintptr_t end;

	if (program->p_filesz > program->p_memsz)
		return refuse(why, "p_filesz is above p_memsz");
	if (program->p_vaddr >= USER_END || program->p_memsz > USER_END - program->p_vaddr) {
		*why = "a segment lies outside the user half";
		return -ENOMEM;
	}
	if (!program->p_memsz)
		return 0;
	if ((program->p_vaddr ^ program->p_offset) & (PAGE_SIZE - 1))
		return refuse(why, "p_vaddr and p_offset differ modulo the page size");
	if (program->p_offset > INT64_MAX || program->p_filesz > INT64_MAX - program->p_offset)
		return refuse(why, "p_offset + p_filesz is past the end of any file");
	if (!out->relocatable && program->p_vaddr < USER_MIN) {
		*why = "a segment lies below the lowest address that may be mapped";
		return -EPERM;
	}
	end = ALIGN_UP(program->p_vaddr + program->p_memsz, PAGE_SIZE);
	if (!out->segment_count || ALIGN_DOWN(program->p_vaddr, PAGE_SIZE) < out->low)
		out->low = ALIGN_DOWN(program->p_vaddr, PAGE_SIZE);
	if (end > out->high)
		out->high = end;
	*segment = (struct elf_segment){.address = program->p_vaddr,
		.offset = program->p_offset,
		.file_size = program->p_filesz,
		.memory_size = program->p_memsz,
		.access = access_of(program->p_flags)};
	out->segment_count++;
	return 0;
}

static int read_program(
	struct elf_image *out, const Elf64_Phdr *program, uint64_t file_size, const char **why)
{
	switch (program->p_type) {
	case PT_LOAD:
		if (!out->broken)
			out->broken = add_segment(out, program, why);
		return 0;
	case PT_INTERP:
		if (out->interpreter_size)
			return 0;
		if (program->p_filesz < 2 || program->p_filesz > 4096)
			return refuse(why, "PT_INTERP is empty or longer than a path");
		if (program->p_offset > file_size ||
			program->p_filesz > file_size - program->p_offset) {
			*why = "PT_INTERP lies outside the file";
			return -EIO;
		}
		out->interpreter_offset = program->p_offset;
		out->interpreter_size = program->p_filesz;
		return 0;
	case PT_GNU_STACK:
		out->executable_stack = program->p_flags & PF_X;
		return 0;
	default:
		return 0;
	}
}

/* Where the program headers are mapped: in the segment that holds their file offset. */
static void find_headers(struct elf_image *out, uint64_t offset)
{
	for (unsigned i = 0; i < out->segment_count; i++) {
		const struct elf_segment *s = &out->segments[i];

		if (offset >= s->offset && offset - s->offset < s->file_size) {
			out->headers = s->address + (offset - s->offset);
			return;
		}
	}
}

int elf_check(const void *bytes, size_t size, struct elf_place *programs, const char **why)
{
	const Elf64_Ehdr *header = bytes;
	int error;

	*why = "";
	error = check_header(header, size, why);
	if (!error)
		*programs = (struct elf_place){
			header->e_phoff, header->e_phnum * sizeof(Elf64_Phdr), header->e_phnum};
	return error;
}

int elf_parse(const void *bytes, const void *programs, uint64_t file_size,
	struct elf_segment *segments, struct elf_image *out, const char **why)
{
	const Elf64_Ehdr *header = bytes;
	int error;

	*why = "";
	*out = (struct elf_image){.segments = segments,
		.relocatable = header->e_type == ET_DYN,
		.entry = header->e_entry,
		.header_count = header->e_phnum,
		.header_size = header->e_phentsize};
	for (unsigned i = 0; i < header->e_phnum; i++) {
		Elf64_Phdr program;

		memcpy(&program, (const char *)programs + i * sizeof(program), sizeof(program));
		error = read_program(out, &program, file_size, why);
		if (error)
			return error;
	}
	if (!out->segment_count && !out->broken)
		out->broken = refuse(why, "no PT_LOAD segment");
	find_headers(out, header->e_phoff);
	return 0;
}
