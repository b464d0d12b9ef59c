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

struct table {
	uint64_t virt, size, entry_size;
};

struct tables {
	struct table rela; /* Elf64_Rela each */
	struct table relr; /* words: see check_packed() */
	uint64_t flags;    /* DT_FLAGS_1 */
};

static enum verdict check_table(const struct elf_image *image, const char *name,
	const struct table *table, uint64_t entry_size, struct complaint *why)
{
	if (table->entry_size != entry_size || table->size % entry_size)
		return refuse(why, VERDICT_MALFORMED,
			"%s: 0x%lx bytes in entries of 0x%lx, expected entries of 0x%lx", name,
			table->size, table->entry_size, entry_size);
	if (table->size && !segment_of(image, table->virt, table->size))
		return refuse(why, VERDICT_MALFORMED,
			"%s, 0x%lx bytes at 0x%lx: expected in a loaded segment", name, table->size,
			table->virt);
	return VERDICT_OK;
}

static enum verdict take_dynamic(
	struct tables *tables, uint64_t tag, uint64_t value, struct complaint *why)
{
	switch (tag) {
	case DT_RELA:
		tables->rela.virt = value;
		break;
	case DT_RELASZ:
		tables->rela.size = value;
		break;
	case DT_RELAENT:
		tables->rela.entry_size = value;
		break;
	case DT_RELR:
		tables->relr.virt = value;
		break;
	case DT_RELRSZ:
		tables->relr.size = value;
		break;
	case DT_RELRENT:
		tables->relr.entry_size = value;
		break;
	case DT_FLAGS_1:
		tables->flags = value;
		break;
	case DT_NEEDED:
	case DT_REL:
	case DT_JMPREL:
	case DT_TEXTREL:
		return refuse(why, VERDICT_UNSUPPORTED,
			"dynamic section: tag %lu, expected RELA and RELR relocations only",
			(unsigned long)tag);
	default:
		break;
	}
	return VERDICT_OK;
}

/* DT_RELA, DT_RELR and friends out of the dynamic section; other kinds of linking are refused. */
static enum verdict read_dynamic(const struct elf_image *image, const char *memory,
	struct tables *tables, struct complaint *why)
{
	enum verdict verdict;
	Elf64_Dyn d;

	*tables = (struct tables){
		.rela.entry_size = sizeof(Elf64_Rela), .relr.entry_size = sizeof(uint64_t)};
	for (uint64_t i = 0; i + sizeof(d) <= image->dynamic_size; i += sizeof(d)) {
		fetch(&d, memory + (image->dynamic - image->base) + i, sizeof(d));
		if (d.d_tag == DT_NULL)
			break;
		verdict = take_dynamic(tables, (uint64_t)d.d_tag, d.d_un.d_val, why);
		if (verdict)
			return verdict;
	}
	if (image->must_say_pie && !(tables->flags & DF_1_PIE))
		return refuse(why, VERDICT_UNSUPPORTED,
			"dynamic section: flags 0x%lx, expected 0x%x (position-independent)",
			tables->flags, (unsigned int)DF_1_PIE);
	verdict = check_table(image, "relocations", &tables->rela, sizeof(Elf64_Rela), why);
	return verdict ? verdict
		       : check_table(
				 image, "packed relocations", &tables->relr, sizeof(uint64_t), why);
}

/* What is asked of each relocation, and the stretch that the last one was found in. */
struct check {
	const struct elf_image *image;
	const struct tables *tables;
	const char *memory;
	uint64_t low, high; /* targets may begin at `low` and must end by `high` */
	struct complaint *why;
};

/* Makes [low, high) what lies around `at` outside `table`; false: `at` lies in it. */
static bool keep_off(struct check *c, const struct table *table, uint64_t at)
{
	if (!table->size)
		return true;
	if (at >= table->virt + table->size) {
		c->low = c->low > table->virt + table->size ? c->low : table->virt + table->size;
		return true;
	}
	c->high = c->high < table->virt ? c->high : table->virt;
	return at + sizeof(uint64_t) <= table->virt;
}

static enum verdict find_stretch(struct check *c, uint64_t i, uint64_t at)
{
	const struct elf_segment *s = segment_of(c->image, at, sizeof(uint64_t));

	c->low = c->high = 0;
	if (!s || (s->access & HANDOFF_EXECUTE))
		return refuse(c->why, VERDICT_MALFORMED,
			"relocation %lu: target 0x%lx, expected in a segment that is not "
			"executable",
			i, at);
	c->low = s->virt;
	c->high = s->virt + s->memory_size;
	if (!keep_off(c, &c->tables->rela, at) || !keep_off(c, &c->tables->relr, at))
		return refuse(c->why, VERDICT_MALFORMED,
			"relocation %lu: target 0x%lx lies in a relocation table", i, at);
	return VERDICT_OK;
}

static inline enum verdict check_target(struct check *c, uint64_t i, uint64_t at)
{
	if (at >= c->low && at < c->high && c->high - at >= sizeof(uint64_t))
		return VERDICT_OK;
	return find_stretch(c, i, at);
}

static inline enum verdict check_value(struct check *c, uint64_t i, uint64_t value)
{
	if (value - c->image->base <= c->image->size)
		return VERDICT_OK;
	return refuse(c->why, VERDICT_MALFORMED,
		"relocation %lu: value 0x%lx, expected within the image 0x%lx-0x%lx", i, value,
		c->image->base, c->image->base + c->image->size);
}

static const char *entries_of(const struct check *c, const struct table *table)
{
	return table->size ? c->memory + (table->virt - c->image->base) : c->memory;
}

static enum verdict check_rela(struct check *c)
{
	const char *entries = entries_of(c, &c->tables->rela);
	enum verdict verdict;
	Elf64_Rela r;

	for (uint64_t i = 0; i < c->tables->rela.size / sizeof(r); i++) {
		fetch(&r, entries + i * sizeof(r), sizeof(r));
		if (ELF64_R_TYPE(r.r_info) != R_X86_64_RELATIVE)
			return refuse(c->why, VERDICT_UNSUPPORTED,
				"relocation %lu: type %lu, expected %u (RELATIVE)", i,
				(unsigned long)ELF64_R_TYPE(r.r_info), R_X86_64_RELATIVE);
		verdict = check_target(c, i, r.r_offset);
		if (!verdict)
			verdict = check_value(c, i, (uint64_t)r.r_addend);
		if (verdict)
			return verdict;
	}
	return VERDICT_OK;
}

static inline enum verdict check_place(struct check *c, uint64_t i, uint64_t at)
{
	enum verdict verdict = check_target(c, i, at);
	uint64_t value;

	if (verdict)
		return verdict;
	fetch(&value, c->memory + (at - c->image->base), sizeof(value));
	return check_value(c, i, value);
}

/*
 * Packed relocations (generic ABI, "Relative Relocation Table"): an even word is the address of a
 * place that holds its value unslid; an odd one is a map of the next 63 words behind what the last
 * one covered, bit 1 being the first. Ascending, as linkers write them, so that none is slid twice.
 */
#define MAP_BITS 63u

static enum verdict check_packed(struct check *c)
{
	const char *words = entries_of(c, &c->tables->relr);
	enum verdict verdict = VERDICT_OK;
	uint64_t next = 0, word;

	for (uint64_t i = 0; i < c->tables->relr.size / sizeof(word); i++) {
		fetch(&word, words + i * sizeof(word), sizeof(word));
		if (!(word & 1)) {
			if (word < next)
				return refuse(c->why, VERDICT_MALFORMED,
					"packed relocation %lu: 0x%lx, expected 0x%lx or above", i,
					word, next);
			verdict = check_place(c, i, word);
			next = word + sizeof(word);
		} else if (!next) {
			return refuse(c->why, VERDICT_MALFORMED,
				"packed relocation %lu: a map, expected an address first", i);
		} else {
			uint64_t at = next;

			for (uint64_t map = word >> 1; map && !verdict;
				map >>= 1, at += sizeof(word))
				if (map & 1)
					verdict = check_place(c, i, at);
			next += MAP_BITS * sizeof(word);
		}
		if (verdict)
			return verdict;
	}
	return VERDICT_OK;
}

static inline void slide_word(char *at, uint64_t slide)
{
	uint64_t value;

	fetch(&value, at, sizeof(value));
	value += slide;
	fetch(at, &value, sizeof(value));
}

static void apply_packed(const struct check *c, char *memory, uint64_t slide)
{
	const char *words = entries_of(c, &c->tables->relr);
	uint64_t next = 0, word;

	for (uint64_t i = 0; i < c->tables->relr.size / sizeof(word); i++) {
		fetch(&word, words + i * sizeof(word), sizeof(word));
		if (!(word & 1)) {
			next = word - c->image->base;
			slide_word(memory + next, slide);
			next += sizeof(word);
		} else {
			uint64_t at = next;

			for (uint64_t map = word >> 1; map; map >>= 1, at += sizeof(word))
				if (map & 1)
					slide_word(memory + at, slide);
			next += MAP_BITS * sizeof(word);
		}
	}
}

static void apply_rela(const struct check *c, char *memory, uint64_t slide)
{
	const char *entries = entries_of(c, &c->tables->rela);
	uint64_t value;
	Elf64_Rela r;

	for (uint64_t i = 0; i < c->tables->rela.size / sizeof(r); i++) {
		fetch(&r, entries + i * sizeof(r), sizeof(r));
		value = (uint64_t)r.r_addend + slide;
		fetch(memory + (r.r_offset - c->image->base), &value, sizeof(value));
	}
}

enum verdict elf_relocate(
	const struct elf_image *image, void *memory, uint64_t slide, struct complaint *why)
{
	struct tables tables;
	struct check check = {.image = image, .tables = &tables, .memory = memory, .why = why};
	enum verdict verdict;

	if (!image->relocatable) {
		if (slide)
			return refuse(why, VERDICT_UNSUPPORTED, "ET_EXEC cannot be slid");
		return VERDICT_OK;
	}
	if (!image->dynamic_size)
		return VERDICT_OK;
	verdict = read_dynamic(image, memory, &tables, why);
	if (!verdict)
		verdict = check_rela(&check);
	if (!verdict)
		verdict = check_packed(&check);
	if (verdict)
		return verdict;
	apply_packed(&check, memory, slide);
	apply_rela(&check, memory, slide); /* sets where the others add */
	return VERDICT_OK;
}
