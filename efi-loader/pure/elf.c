/* SPDX-License-Identifier: MIT */
#include "elf.h"

#include <baton/handoff.h>
#include <elf.h>

/* The bytes may stand at any alignment: everything is copied out. */
static void fetch(void *to, const void *from, size_t size)
{
	__builtin_memcpy(to, from, size);
}

static uint64_t page_down(uint64_t address)
{
	return address & ~(ELF_PAGE - 1);
}

static uint64_t page_up(uint64_t address)
{
	return page_down(address + ELF_PAGE - 1);
}

static bool fits(uint64_t offset, uint64_t size, uint64_t whole)
{
	return offset <= whole && size <= whole - offset;
}

static enum verdict check_identity(const Elf64_Ehdr *h, struct complaint *why)
{
	const unsigned char *id = h->e_ident;

	if (id[EI_MAG0] != ELFMAG0 || id[EI_MAG1] != ELFMAG1 || id[EI_MAG2] != ELFMAG2 ||
		id[EI_MAG3] != ELFMAG3)
		return refuse(why, VERDICT_MALFORMED,
			"no ELF file: it begins with %x %x %x %x, expected 7f 45 4c 46", id[0],
			id[1], id[2], id[3]);
	if (id[EI_CLASS] != ELFCLASS64)
		return refuse(why, VERDICT_UNSUPPORTED, "ELF class %u, expected %u (64 bits)",
			id[EI_CLASS], ELFCLASS64);
	if (id[EI_DATA] != ELFDATA2LSB)
		return refuse(why, VERDICT_UNSUPPORTED,
			"ELF byte order %u, expected %u (little-endian)", id[EI_DATA], ELFDATA2LSB);
	if (id[EI_VERSION] != EV_CURRENT || h->e_version != EV_CURRENT)
		return refuse(why, VERDICT_UNSUPPORTED, "ELF version %u/%u, expected %u",
			id[EI_VERSION], h->e_version, EV_CURRENT);
	if (h->e_machine != EM_X86_64)
		return refuse(why, VERDICT_UNSUPPORTED, "ELF machine %u, expected %u (x86-64)",
			h->e_machine, EM_X86_64);
	if (h->e_type != ET_DYN && h->e_type != ET_EXEC)
		return refuse(why, VERDICT_UNSUPPORTED,
			"ELF type %u, expected %u (static-pie) or %u (executable)", h->e_type,
			ET_DYN, ET_EXEC);
	return VERDICT_OK;
}

/* Both header tables within the file, the program headers within what was read. */
static enum verdict check_tables(
	const Elf64_Ehdr *h, size_t size, uint64_t file_size, struct complaint *why)
{
	uint64_t bytes = (uint64_t)h->e_phnum * sizeof(Elf64_Phdr);

	if (h->e_phentsize != sizeof(Elf64_Phdr))
		return refuse(why, VERDICT_MALFORMED, "program headers of %u bytes, expected %zu",
			h->e_phentsize, sizeof(Elf64_Phdr));
	if (h->e_phnum == 0 || h->e_phnum == PN_XNUM)
		return refuse(why, VERDICT_MALFORMED, "%u program headers", h->e_phnum);
	if (!fits(h->e_phoff, bytes, file_size))
		return refuse(why, VERDICT_MALFORMED,
			"program headers at 0x%lx, 0x%lx bytes: past the file's end at 0x%lx",
			h->e_phoff, bytes, file_size);
	if (!fits(h->e_phoff, bytes, size))
		return refuse(why, VERDICT_UNSUPPORTED,
			"program headers at 0x%lx, 0x%lx bytes: expected within the first %u bytes",
			h->e_phoff, bytes, ELF_HEADER_MAX);
	bytes = (uint64_t)h->e_shnum * h->e_shentsize;
	if (!fits(h->e_shoff, bytes, file_size))
		return refuse(why, VERDICT_MALFORMED,
			"section headers at 0x%lx, 0x%lx bytes: past the file's end at 0x%lx "
			"(cut?)",
			h->e_shoff, bytes, file_size);
	return VERDICT_OK;
}

static uint32_t access_of(uint32_t flags)
{
	return (flags & PF_R ? (uint32_t)HANDOFF_READ : 0) |
	       (flags & PF_W ? (uint32_t)HANDOFF_WRITE : 0) |
	       (flags & PF_X ? (uint32_t)HANDOFF_EXECUTE : 0);
}

/* Program header `i`, a PT_LOAD with bytes in memory, by itself. */
static enum verdict check_load(
	const Elf64_Phdr *p, unsigned int i, uint64_t file_size, struct complaint *why)
{
	if (p->p_filesz > p->p_memsz)
		return refuse(why, VERDICT_MALFORMED,
			"program header %u: 0x%lx bytes in the file, only 0x%lx in memory", i,
			p->p_filesz, p->p_memsz);
	if (!fits(p->p_offset, p->p_filesz, file_size))
		return refuse(why, VERDICT_MALFORMED,
			"program header %u: 0x%lx bytes at 0x%lx are past the file's end at 0x%lx",
			i, p->p_filesz, p->p_offset, file_size);
	if (p->p_align < ELF_PAGE || (p->p_align & (p->p_align - 1)))
		return refuse(why, VERDICT_MALFORMED,
			"program header %u: alignment 0x%lx, expected a power of two from 0x1000",
			i, p->p_align);
	if ((p->p_vaddr - p->p_offset) & (ELF_PAGE - 1))
		return refuse(why, VERDICT_MALFORMED,
			"program header %u: address 0x%lx and offset 0x%lx differ within a page", i,
			p->p_vaddr, p->p_offset);
	if (p->p_vaddr < ELF_LOWEST ||
		!fits(p->p_vaddr - ELF_LOWEST, p->p_memsz, ELF_HIGHEST - ELF_LOWEST))
		return refuse(why, VERDICT_UNSUPPORTED,
			"program header %u: 0x%lx bytes at 0x%lx, expected within 0x%lx-0x%lx", i,
			p->p_memsz, p->p_vaddr, ELF_LOWEST, ELF_HIGHEST);
	if (!(p->p_flags & PF_R))
		return refuse(why, VERDICT_UNSUPPORTED,
			"program header %u: flags 0x%x without PF_R", i, p->p_flags);
	if ((p->p_flags & (PF_W | PF_X)) == (PF_W | PF_X))
		return refuse(why, VERDICT_MALFORMED,
			"program header %u: flags 0x%x, writable and executable: expected one of "
			"them",
			i, p->p_flags);
	return VERDICT_OK;
}

static enum verdict add_load(
	struct elf_image *image, const Elf64_Phdr *p, unsigned int i, struct complaint *why)
{
	uint64_t end = image->base + image->size;

	if (image->segment_count == ELF_SEGMENTS_MAX)
		return refuse(why, VERDICT_UNSUPPORTED,
			"program header %u: more than %u segments to load", i, ELF_SEGMENTS_MAX);
	if (image->segment_count && page_down(p->p_vaddr) < end)
		return refuse(why, VERDICT_MALFORMED,
			"program header %u: begins in page 0x%lx, the segment before it ends at "
			"0x%lx "
			"(overlap, or not in ascending order)",
			i, page_down(p->p_vaddr), end);
	if (!image->segment_count)
		image->base = page_down(p->p_vaddr);
	image->size = page_up(p->p_vaddr + p->p_memsz) - image->base;
	image->segments[image->segment_count++] = (struct elf_segment){
		.virt = p->p_vaddr,
		.memory_size = p->p_memsz,
		.file_offset = p->p_offset,
		.file_size = p->p_filesz,
		.access = access_of(p->p_flags),
	};
	return VERDICT_OK;
}

static enum verdict take_header(struct elf_image *image, const Elf64_Phdr *p, unsigned int i,
	uint64_t file_size, struct complaint *why)
{
	enum verdict verdict;

	switch (p->p_type) {
	case PT_LOAD:
		if (p->p_memsz == 0)
			return VERDICT_OK;
		verdict = check_load(p, i, file_size, why);
		return verdict ? verdict : add_load(image, p, i, why);
	case PT_INTERP:
		return refuse(why, VERDICT_UNSUPPORTED,
			"program header %u: asks for an interpreter, expected a static file", i);
	case PT_DYNAMIC:
		image->dynamic = p->p_vaddr;
		image->dynamic_size = p->p_filesz;
		return VERDICT_OK;
	default:
		return VERDICT_OK;
	}
}

static const struct elf_segment *segment_of(
	const struct elf_image *image, uint64_t virt, uint64_t size)
{
	for (uint32_t i = 0; i < image->segment_count; i++) {
		const struct elf_segment *s = &image->segments[i];

		if (virt >= s->virt && fits(virt - s->virt, size, s->memory_size))
			return s;
	}
	return NULL;
}

static enum verdict check_whole(const struct elf_image *image, struct complaint *why)
{
	const struct elf_segment *s = segment_of(image, image->entry, 1);

	if (!image->segment_count)
		return refuse(why, VERDICT_MALFORMED, "no segment to load");
	if (!s || !(s->access & HANDOFF_EXECUTE))
		return refuse(why, VERDICT_MALFORMED,
			"entry point 0x%lx: expected in an executable segment", image->entry);
	if (image->dynamic_size && !segment_of(image, image->dynamic, image->dynamic_size))
		return refuse(why, VERDICT_MALFORMED,
			"dynamic section, 0x%lx bytes at 0x%lx: expected in a loaded segment",
			image->dynamic_size, image->dynamic);
	return VERDICT_OK;
}

enum verdict elf_check(const void *header, size_t size, uint64_t file_size, struct elf_image *image,
	struct complaint *why)
{
	enum verdict verdict;
	Elf64_Ehdr h;

	*image = (struct elf_image){0};
	if (size < sizeof(h))
		return refuse(why, VERDICT_MALFORMED, "%zu bytes long, an ELF header has %zu", size,
			sizeof(h));
	fetch(&h, header, sizeof(h));
	verdict = check_identity(&h, why);
	if (!verdict)
		verdict = check_tables(&h, size, file_size, why);
	if (verdict)
		return verdict;
	image->must_say_pie = h.e_type == ET_EXEC;
	image->entry = h.e_entry;
	for (unsigned int i = 0; i < h.e_phnum; i++) {
		Elf64_Phdr p;

		fetch(&p, (const char *)header + h.e_phoff + i * sizeof(p), sizeof(p));
		verdict = take_header(image, &p, i, file_size, why);
		if (verdict)
			return verdict;
	}
	image->relocatable = h.e_type == ET_DYN || image->dynamic_size;
	return check_whole(image, why);
}

struct rela_table {
	uint64_t virt, size;
	uint64_t flags; /* DT_FLAGS_1 */
};

/* DT_RELA and friends out of the dynamic section; other kinds of linking are refused. */
static enum verdict read_dynamic(const struct elf_image *image, const char *memory,
	struct rela_table *table, struct complaint *why)
{
	uint64_t entry_size = sizeof(Elf64_Rela), i;
	Elf64_Dyn d;

	*table = (struct rela_table){0};
	for (i = 0; i + sizeof(d) <= image->dynamic_size; i += sizeof(d)) {
		fetch(&d, memory + (image->dynamic - image->base) + i, sizeof(d));
		if (d.d_tag == DT_NULL)
			break;
		switch (d.d_tag) {
		case DT_RELA:
			table->virt = d.d_un.d_ptr;
			break;
		case DT_RELASZ:
			table->size = d.d_un.d_val;
			break;
		case DT_RELAENT:
			entry_size = d.d_un.d_val;
			break;
		case DT_FLAGS_1:
			table->flags = d.d_un.d_val;
			break;
		case DT_NEEDED:
		case DT_REL:
		case DT_JMPREL:
		case DT_TEXTREL:
		case 36: /* DT_RELR, not in every <elf.h> */
			return refuse(why, VERDICT_UNSUPPORTED,
				"dynamic section: tag %lu, expected RELA relocations only",
				(unsigned long)d.d_tag);
		default:
			break;
		}
	}
	if (image->must_say_pie && !(table->flags & DF_1_PIE))
		return refuse(why, VERDICT_UNSUPPORTED,
			"dynamic section: flags 0x%lx, expected 0x%x (position-independent)",
			table->flags, (unsigned int)DF_1_PIE);
	if (entry_size != sizeof(Elf64_Rela) || table->size % sizeof(Elf64_Rela))
		return refuse(why, VERDICT_MALFORMED,
			"relocations: 0x%lx bytes in entries of 0x%lx, expected entries of 0x%lx",
			table->size, entry_size, sizeof(Elf64_Rela));
	if (table->size && !segment_of(image, table->virt, table->size))
		return refuse(why, VERDICT_MALFORMED,
			"relocations, 0x%lx bytes at 0x%lx: expected in a loaded segment",
			table->size, table->virt);
	return VERDICT_OK;
}

static enum verdict check_relocation(const struct elf_image *image, const Elf64_Rela *r,
	const struct rela_table *table, uint64_t i, struct complaint *why)
{
	const struct elf_segment *s = segment_of(image, r->r_offset, sizeof(uint64_t));

	if (ELF64_R_TYPE(r->r_info) != R_X86_64_RELATIVE)
		return refuse(why, VERDICT_UNSUPPORTED,
			"relocation %lu: type %lu, expected %u (RELATIVE)", i,
			(unsigned long)ELF64_R_TYPE(r->r_info), R_X86_64_RELATIVE);
	if (!s || (s->access & HANDOFF_EXECUTE))
		return refuse(why, VERDICT_MALFORMED,
			"relocation %lu: target 0x%lx, expected in a segment that is not "
			"executable",
			i, r->r_offset);
	if (r->r_offset < table->virt + table->size && r->r_offset + sizeof(uint64_t) > table->virt)
		return refuse(why, VERDICT_MALFORMED,
			"relocation %lu: target 0x%lx lies in the relocation table", i,
			r->r_offset);
	if ((uint64_t)r->r_addend - image->base > image->size)
		return refuse(why, VERDICT_MALFORMED,
			"relocation %lu: value 0x%lx, expected within the image 0x%lx-0x%lx", i,
			(unsigned long)r->r_addend, image->base, image->base + image->size);
	return VERDICT_OK;
}

enum verdict elf_relocate(
	const struct elf_image *image, void *memory, uint64_t slide, struct complaint *why)
{
	struct rela_table table;
	enum verdict verdict;
	const char *entries;
	uint64_t count;
	Elf64_Rela r;

	if (!image->relocatable) {
		if (slide)
			return refuse(why, VERDICT_UNSUPPORTED, "ET_EXEC cannot be slid");
		return VERDICT_OK;
	}
	if (!image->dynamic_size)
		return VERDICT_OK;
	verdict = read_dynamic(image, memory, &table, why);
	if (verdict || !table.size)
		return verdict;
	entries = (char *)memory + (table.virt - image->base);
	count = table.size / sizeof(r);
	for (uint64_t i = 0; i < count; i++) {
		fetch(&r, entries + i * sizeof(r), sizeof(r));
		verdict = check_relocation(image, &r, &table, i, why);
		if (verdict)
			return verdict;
	}
	for (uint64_t i = 0; i < count; i++) {
		uint64_t value;

		fetch(&r, entries + i * sizeof(r), sizeof(r));
		value = (uint64_t)r.r_addend + slide;
		fetch((char *)memory + (r.r_offset - image->base), &value, sizeof(value));
	}
	return VERDICT_OK;
}
