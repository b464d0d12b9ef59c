/* SPDX-License-Identifier: MIT */
/*
 * The kernel's ELF file, checked in full from its first bytes before anything is allocated, and
 * relocated once it stands in memory.
 *
 * What is asked: ELF64, little-endian, x86-64; a static-pie with RELATIVE relocations only, in
 * RELA entries or packed as RELR (ET_DYN, or ET_EXEC with a dynamic section that says DF_1_PIE: so
 * ld marks one that is linked at an address of its own), or an ET_EXEC without relocations, which
 * is not slid; program headers within the first ELF_HEADER_MAX bytes; at most ELF_SEGMENTS_MAX
 * PT_LOADs, ascending, no two sharing a page, none writable and executable, all between ELF_LOWEST
 * and ELF_HIGHEST; the entry point in an executable one. The section headers are not used, but must
 * lie in the file: they are its end, so a cut file shows.
 */
#ifndef LOADER_ELF_H
#define LOADER_ELF_H

#include "verdict.h"

#define ELF_HEADER_MAX   4096u
#define ELF_SEGMENTS_MAX 8u
#define ELF_PAGE         UINT64_C(4096)
#define ELF_LOWEST       UINT64_C(0xffffffff80000000)
#define ELF_HIGHEST      (ELF_LOWEST + (UINT64_C(512) << 20))

struct elf_segment {
	uint64_t virt;        /* p_vaddr */
	uint64_t memory_size; /* bytes, above 0 */
	uint64_t file_offset;
	uint64_t file_size; /* at most memory_size; the rest is zero */
	uint32_t access;    /* enum handoff_access */
};

struct elf_image {
	uint32_t segment_count;
	bool relocatable;
	bool must_say_pie; /* ET_EXEC: only DF_1_PIE makes it a static-pie */
	struct elf_segment segments[ELF_SEGMENTS_MAX];
	uint64_t base; /* lowest page's virtual address */
	uint64_t size; /* whole pages, gaps between segments included */
	uint64_t entry;
	uint64_t dynamic, dynamic_size; /* PT_DYNAMIC's virtual address and bytes; size 0: none */
};

/*
 * Checks the file by its first bytes: `size` of them at `header`, the smaller of ELF_HEADER_MAX
 * and `file_size`. Fills `image` and answers VERDICT_OK; otherwise says why.
 */
enum verdict elf_check(const void *header, size_t size, uint64_t file_size, struct elf_image *image,
	struct complaint *why);

/*
 * Adds `slide` to all that the relocation tables name. `memory` holds the image's `size` bytes as
 * loaded, gaps and .bss zeroed. Every entry is checked before the first is applied. With an image
 * that is not relocatable, `slide` must be 0.
 */
enum verdict elf_relocate(
	const struct elf_image *image, void *memory, uint64_t slide, struct complaint *why);

#endif
