/* SPDX-License-Identifier: MIT */
/* The user's ELF files: checked and turned into what exec maps. Pure. See elf.c. */
#ifndef PROCESS_ELF_H
#define PROCESS_ELF_H

#include "lib/types.h"

#define ELF_SEGMENTS_MAX 32u
#define ELF_HEADERS_SIZE \
	((size_t)4096) /* bytes from the file's start that elf_parse wants to see */

struct elf_segment {
	uintptr_t address; /* of the first byte; file-relative for a static-pie */
	uint64_t offset;   /* in the file, congruent to address modulo the page size */
	uint64_t file_size, memory_size;
	unsigned access; /* enum map_access */
};

struct elf_image {
	bool relocatable; /* ET_DYN: addresses are relative to where it is put */
	uintptr_t entry;
	uintptr_t low, high; /* page-aligned extent of all segments */
	uintptr_t headers;   /* address of the program headers in memory; 0: not mapped */
	unsigned header_count, header_size;
	bool executable_stack;
	uint64_t interpreter_offset, interpreter_size; /* PT_INTERP in the file; size 0: none */
	unsigned segment_count;
	struct elf_segment segments[ELF_SEGMENTS_MAX];
};

/* `bytes`: the file's first `size` bytes (ELF_HEADERS_SIZE, or all of a shorter file); `file_size`
 * of the whole. 0, -ENOEXEC (*why says what and where), or Linux's other errno for it. */
int elf_parse(const void *bytes, size_t size, uint64_t file_size, struct elf_image *out,
	const char **why) MUST_CHECK;

#endif
