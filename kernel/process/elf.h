/* SPDX-License-Identifier: MIT */
/* The user's ELF files: checked and turned into what exec maps. Pure. See elf.c. */
#ifndef PROCESS_ELF_H
#define PROCESS_ELF_H

#include "lib/types.h"

#define ELF_HEADERS_MOST 65536u /* bytes of program headers */

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
	int broken; /* a segment cannot be mapped, or none is there: the errno; Linux finds it when the old program is gone */
	unsigned segment_count;
	struct elf_segment *segments; /* the caller's memory */
};

/* Where in the file the program headers stand. */
struct elf_place {
	uint64_t offset;
	size_t size;
	unsigned count;
};

/* `bytes`: the file's first `size` bytes, the ELF header at least. 0, or -ENOEXEC, and *why says what
 * is wrong. */
int elf_check(
	const void *bytes, size_t size, struct elf_place *programs, const char **why) MUST_CHECK;
/* A header that was checked, and its program headers; `segments` has room for as many. 0 (look at out->broken then),
 * -ENOEXEC, or Linux's other errno for it. */
int elf_parse(const void *header, const void *programs, uint64_t file_size,
	struct elf_segment *segments, struct elf_image *out, const char **why) MUST_CHECK;

#endif
