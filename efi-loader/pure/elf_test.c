/* SPDX-License-Identifier: MIT */
#include "elf.h"

#include "check.h"

#include <baton/handoff.h>
#include <elf.h>

#define FILE_SIZE   0x4000u
#define FUZZ_ROUNDS 200000u

/* A static-pie as the kernel is one: text, rodata with two relocations and three packed ones, data
 * with the dynamic section. */
struct sample {
	Elf64_Ehdr ehdr;
	Elf64_Phdr phdr[4];
	char bytes[FILE_SIZE];
};

/* What the packed relocations slide; each holds its own address. */
static const uint64_t packed_places[] = {0x2080, 0x2088, 0x2278, 0x2280, 0x2580};
#define PACKED (sizeof(packed_places) / sizeof(*packed_places))

static struct sample good(void)
{
	struct sample s = {0};
	Elf64_Rela *rela;
	Elf64_Dyn *dynamic;
	uint64_t *packed;
	uint64_t base = ELF_LOWEST;

	s.ehdr = (Elf64_Ehdr){.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
				      ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = base + 0x10,
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 4,
		.e_shoff = FILE_SIZE - 64,
		.e_shentsize = 64,
		.e_shnum = 1};
	s.phdr[0] = (Elf64_Phdr){PT_LOAD, PF_R | PF_X, 0x1000, base, base, 0x800, 0x800, 0x1000};
	s.phdr[1] = (Elf64_Phdr){PT_LOAD, PF_R, 0x2000, base + 0x1000, 0, 0x400, 0x400, 0x1000};
	s.phdr[2] =
		(Elf64_Phdr){PT_LOAD, PF_R | PF_W, 0x3000, base + 0x2000, 0, 0x600, 0x2600, 0x1000};
	s.phdr[3] = (Elf64_Phdr){PT_DYNAMIC, PF_R | PF_W, 0x3000, base + 0x2000, 0, 0x80, 0x80, 8};
	rela = (Elf64_Rela *)(s.bytes + 0x2100);
	rela[0] = (Elf64_Rela){base + 0x2200, R_X86_64_RELATIVE, (Elf64_Sxword)(base + 0x20)};
	rela[1] = (Elf64_Rela){base + 0x1200, R_X86_64_RELATIVE, (Elf64_Sxword)(base + 0x5000)};
	dynamic = (Elf64_Dyn *)(s.bytes + 0x3000);
	dynamic[0] = (Elf64_Dyn){DT_RELA, {base + 0x1100}};
	dynamic[1] = (Elf64_Dyn){DT_RELASZ, {2 * sizeof(Elf64_Rela)}};
	dynamic[2] = (Elf64_Dyn){DT_RELAENT, {sizeof(Elf64_Rela)}};
	dynamic[3] = (Elf64_Dyn){DT_FLAGS_1, {DF_1_PIE}};
	dynamic[4] = (Elf64_Dyn){DT_RELR, {base + 0x1300}};
	dynamic[5] = (Elf64_Dyn){DT_RELRSZ, {4 * sizeof(uint64_t)}};
	dynamic[6] = (Elf64_Dyn){DT_RELRENT, {sizeof(uint64_t)}};
	packed = (uint64_t *)(s.bytes + 0x2300);
	packed[0] = base + 0x2080;
	packed[1] = (UINT64_C(1) << 63) | 3; /* 0x2088 and 0x2278 */
	packed[2] = 3;                       /* 0x2280 */
	packed[3] = base + 0x2580;
	for (unsigned int i = 0; i < PACKED; i++) {
		uint64_t value = base + packed_places[i];

		memcpy(s.bytes + 0x1000 + packed_places[i], &value, sizeof(value));
	}
	return s;
}

static void write_headers(struct sample *s)
{
	memcpy(s->bytes, &s->ehdr, sizeof(s->ehdr));
	memcpy(s->bytes + sizeof(s->ehdr), s->phdr, sizeof(s->phdr));
}

/* As the loader does: the first bytes alone, in a block of just their size, so that ASan sees. */
static enum verdict check_file(
	const char *bytes, size_t size, struct elf_image *image, struct complaint *why)
{
	size_t first = size < ELF_HEADER_MAX ? size : ELF_HEADER_MAX;
	char *header = malloc(first ? first : 1);
	enum verdict verdict;

	CHECK(header);
	memcpy(header, bytes, first);
	why->text[0] = '\0';
	verdict = elf_check(header, first, size, image, why);
	CHECK(!verdict == !why->text[0]);
	free(header);
	return verdict;
}

static enum verdict check_sample(struct sample *s, struct elf_image *image)
{
	struct complaint why;

	write_headers(s);
	return check_file(s->bytes, FILE_SIZE, image, &why);
}

static char *load(const char *bytes, size_t size, const struct elf_image *image)
{
	char *memory = calloc(1, image->size);

	CHECK(memory);
	for (uint32_t i = 0; i < image->segment_count; i++) {
		const struct elf_segment *s = &image->segments[i];

		CHECK(s->file_offset + s->file_size <= size);
		CHECK(s->virt - image->base + s->memory_size <= image->size);
		CHECK(s->file_size <= s->memory_size);
		memcpy(memory + (s->virt - image->base), bytes + s->file_offset, s->file_size);
	}
	return memory;
}

static void takes_a_good_one(void)
{
	struct sample s = good();
	struct elf_image image;
	struct complaint why;
	uint64_t value, sum = 0;
	char *memory;

	CHECK_EQUAL(check_sample(&s, &image), VERDICT_OK);
	CHECK_EQUAL(image.segment_count, 3);
	CHECK_EQUAL(image.base, ELF_LOWEST);
	CHECK_EQUAL(image.size, 0x5000);
	CHECK_EQUAL(image.segments[0].access, HANDOFF_READ | HANDOFF_EXECUTE);
	CHECK_EQUAL(image.segments[2].access, HANDOFF_READ | HANDOFF_WRITE);
	CHECK(image.relocatable);
	memory = load(s.bytes, FILE_SIZE, &image);
	CHECK_EQUAL(elf_relocate(&image, memory, 0x200000, &why), VERDICT_OK);
	memcpy(&value, memory + 0x2200, 8);
	CHECK_EQUAL(value, ELF_LOWEST + 0x200020);
	memcpy(&value, memory + 0x1200, 8);
	CHECK_EQUAL(value, ELF_LOWEST + 0x205000);
	for (unsigned int i = 0; i < PACKED; i++) {
		memcpy(&value, memory + packed_places[i], 8);
		CHECK_EQUAL(value, ELF_LOWEST + 0x200000 + packed_places[i]);
	}
	for (unsigned int at = 0x2080; at < 0x2600; at += 8) {
		memcpy(&value, memory + at, 8);
		sum += value != 0;
	}
	CHECK_EQUAL(sum, PACKED + 1);
	free(memory);
}

/* One change to the good file, and the verdict that must come of it. */
#define REFUSED(verdict, change)                                \
	do {                                                    \
		struct sample s = good();                       \
		struct elf_image image;                         \
		change;                                         \
		CHECK_EQUAL(check_sample(&s, &image), verdict); \
	} while (0)

static void refuses_headers(void)
{
	REFUSED(VERDICT_MALFORMED, s.ehdr.e_ident[1] = 'X');
	REFUSED(VERDICT_UNSUPPORTED, s.ehdr.e_ident[EI_CLASS] = ELFCLASS32);
	REFUSED(VERDICT_UNSUPPORTED, s.ehdr.e_ident[EI_DATA] = ELFDATA2MSB);
	REFUSED(VERDICT_UNSUPPORTED, s.ehdr.e_ident[EI_VERSION] = 2);
	REFUSED(VERDICT_UNSUPPORTED, s.ehdr.e_version = 0);
	REFUSED(VERDICT_UNSUPPORTED, s.ehdr.e_machine = EM_AARCH64);
	REFUSED(VERDICT_UNSUPPORTED, s.ehdr.e_type = ET_REL);
	REFUSED(VERDICT_MALFORMED, s.ehdr.e_phentsize = 32);
	REFUSED(VERDICT_MALFORMED, s.ehdr.e_phnum = 0);
	REFUSED(VERDICT_MALFORMED, s.ehdr.e_phnum = PN_XNUM);
	REFUSED(VERDICT_MALFORMED, s.ehdr.e_phoff = UINT64_MAX - 8);
	REFUSED(VERDICT_UNSUPPORTED, s.ehdr.e_phoff = 0x1000);
	REFUSED(VERDICT_MALFORMED, s.ehdr.e_shoff = FILE_SIZE - 63);
}

static void refuses_segments(void)
{
	REFUSED(VERDICT_MALFORMED, s.phdr[0].p_filesz = 0x801);
	REFUSED(VERDICT_MALFORMED, s.phdr[2].p_offset = FILE_SIZE - 0x1000 + 0x1000);
	REFUSED(VERDICT_MALFORMED, s.phdr[0].p_offset = UINT64_MAX - 0xfff);
	REFUSED(VERDICT_MALFORMED, s.phdr[0].p_align = 0x800);
	REFUSED(VERDICT_MALFORMED, s.phdr[0].p_align = 0x3000);
	REFUSED(VERDICT_MALFORMED, s.phdr[1].p_vaddr += 8);
	REFUSED(VERDICT_UNSUPPORTED, s.phdr[0].p_vaddr = 0x100000);
	REFUSED(VERDICT_UNSUPPORTED, s.phdr[2].p_memsz = UINT64_MAX);
	REFUSED(VERDICT_UNSUPPORTED, s.phdr[2].p_memsz = ELF_HIGHEST - ELF_LOWEST);
	REFUSED(VERDICT_UNSUPPORTED, s.phdr[0].p_flags = PF_X);
	REFUSED(VERDICT_MALFORMED, s.phdr[0].p_flags = PF_R | PF_W | PF_X);
	REFUSED(VERDICT_MALFORMED, s.phdr[1].p_vaddr = ELF_LOWEST);
	REFUSED(VERDICT_MALFORMED, s.phdr[1].p_memsz = 0x1001);
	REFUSED(VERDICT_UNSUPPORTED, s.phdr[3].p_type = PT_INTERP);
	REFUSED(VERDICT_MALFORMED, s.phdr[3].p_vaddr = ELF_LOWEST + 0x5000);
	REFUSED(VERDICT_MALFORMED, s.ehdr.e_entry = ELF_LOWEST + 0x800);
	REFUSED(VERDICT_MALFORMED, s.ehdr.e_entry = ELF_LOWEST + 0x1000);
	REFUSED(VERDICT_MALFORMED,
		s.phdr[0].p_type = s.phdr[1].p_type = s.phdr[2].p_type = PT_NOTE);
}

static enum verdict relocate_sample(struct sample *s, uint64_t slide)
{
	struct elf_image image;
	struct complaint why;
	enum verdict verdict;
	char *memory;

	CHECK_EQUAL(check_sample(s, &image), VERDICT_OK);
	memory = load(s->bytes, FILE_SIZE, &image);
	verdict = elf_relocate(&image, memory, slide, &why);
	free(memory);
	return verdict;
}

#define NOT_RELOCATED(verdict, change)                                \
	do {                                                          \
		struct sample s = good();                             \
		Elf64_Rela *rela = (Elf64_Rela *)(s.bytes + 0x2100);  \
		Elf64_Dyn *dynamic = (Elf64_Dyn *)(s.bytes + 0x3000); \
		uint64_t *packed = (uint64_t *)(s.bytes + 0x2300);    \
		(void)rela;                                           \
		(void)packed;                                         \
		(void)dynamic;                                        \
		change;                                               \
		CHECK_EQUAL(relocate_sample(&s, 0x200000), verdict);  \
	} while (0)

static void refuses_relocations(void)
{
	NOT_RELOCATED(VERDICT_OK, (void)0);
	NOT_RELOCATED(VERDICT_UNSUPPORTED, rela[1].r_info = R_X86_64_64);
	NOT_RELOCATED(VERDICT_MALFORMED, rela[0].r_offset = ELF_LOWEST);
	NOT_RELOCATED(VERDICT_MALFORMED, rela[0].r_offset = ELF_LOWEST + 0x4600 - 7);
	NOT_RELOCATED(VERDICT_MALFORMED, rela[1].r_offset = ELF_LOWEST + 0x45fa);
	NOT_RELOCATED(VERDICT_MALFORMED, rela[0].r_offset = UINT64_MAX - 4);
	NOT_RELOCATED(VERDICT_MALFORMED, rela[0].r_offset = ELF_LOWEST + 0x1100);
	NOT_RELOCATED(VERDICT_MALFORMED, rela[0].r_addend = 0);
	NOT_RELOCATED(VERDICT_MALFORMED, rela[0].r_addend = (Elf64_Sxword)(ELF_LOWEST + 0x5001));
	NOT_RELOCATED(VERDICT_MALFORMED, dynamic[0].d_un.d_ptr = 0x1000);
	NOT_RELOCATED(VERDICT_MALFORMED, dynamic[1].d_un.d_val = 25);
	NOT_RELOCATED(VERDICT_MALFORMED, dynamic[1].d_un.d_val = UINT64_MAX / 24 * 24);
	NOT_RELOCATED(VERDICT_MALFORMED, dynamic[2].d_un.d_val = 16);
	NOT_RELOCATED(VERDICT_UNSUPPORTED, dynamic[2].d_tag = DT_NEEDED);
	NOT_RELOCATED(VERDICT_OK, s.ehdr.e_type = ET_EXEC);
	NOT_RELOCATED(VERDICT_UNSUPPORTED, s.ehdr.e_type = ET_EXEC; dynamic[3].d_un.d_val = 0);
}

static void refuses_packed_relocations(void)
{
	NOT_RELOCATED(VERDICT_MALFORMED, dynamic[4].d_un.d_ptr = 0x1000);
	NOT_RELOCATED(VERDICT_MALFORMED, dynamic[5].d_un.d_val = 33);
	NOT_RELOCATED(VERDICT_MALFORMED, dynamic[5].d_un.d_val = UINT64_MAX / 8 * 8);
	NOT_RELOCATED(VERDICT_MALFORMED, dynamic[6].d_un.d_val = 4);
	/* A map first; an address that goes back; one that a map has covered. */
	NOT_RELOCATED(VERDICT_MALFORMED, packed[0] = 1; dynamic[5].d_un.d_val = 8);
	NOT_RELOCATED(VERDICT_MALFORMED, packed[3] = ELF_LOWEST + 0x2080);
	NOT_RELOCATED(VERDICT_MALFORMED, packed[3] = ELF_LOWEST + 0x2470);
	/* Text; across the end of .bss; past the address space. */
	NOT_RELOCATED(VERDICT_MALFORMED, packed[0] = ELF_LOWEST;
		      memcpy(s.bytes + 0x1000, s.bytes + 0x3080, 8));
	NOT_RELOCATED(VERDICT_MALFORMED, packed[3] = ELF_LOWEST + 0x45fa);
	NOT_RELOCATED(VERDICT_MALFORMED, packed[3] = UINT64_MAX - 5);
	/* Either table. */
	NOT_RELOCATED(VERDICT_MALFORMED, packed[0] = ELF_LOWEST + 0x1300);
	NOT_RELOCATED(VERDICT_MALFORMED, packed[0] = ELF_LOWEST + 0x12fa);
	NOT_RELOCATED(VERDICT_MALFORMED, packed[0] = ELF_LOWEST + 0x1120);
	NOT_RELOCATED(VERDICT_MALFORMED, rela[0].r_offset = ELF_LOWEST + 0x1310);
	NOT_RELOCATED(VERDICT_MALFORMED, rela[0].r_offset = ELF_LOWEST + 0x12fa);
	/* A map's bit for a word that holds no address. */
	NOT_RELOCATED(VERDICT_MALFORMED, packed[1] = 7);
	NOT_RELOCATED(VERDICT_MALFORMED, packed[2] = 5);
	/* Values: below the image, above it. */
	NOT_RELOCATED(VERDICT_MALFORMED, memset(s.bytes + 0x3580, 0, 8));
	NOT_RELOCATED(VERDICT_MALFORMED, s.bytes[0x3280] = 1; s.bytes[0x3281] = 0x50);
	NOT_RELOCATED(VERDICT_OK, s.bytes[0x3280] = 0; s.bytes[0x3281] = 0x50);
}

/* A map may reach over a table and into the next segment: only its set bits count. */
static void maps_reach_over(void)
{
	struct sample s = good();
	uint64_t *packed = (uint64_t *)(s.bytes + 0x2300), value = ELF_LOWEST + 0x40;

	packed[0] = ELF_LOWEST + 0x12f8;
	packed[1] = 1 | UINT64_C(1) << 5; /* 0x1300 to 0x1318 are the table itself; 0x1320 */
	packed[2] = 1;
	packed[3] = 1;
	memcpy(s.bytes + 0x22f8, &value, 8);
	memcpy(s.bytes + 0x2320, &value, 8);
	CHECK_EQUAL(relocate_sample(&s, 0x200000), VERDICT_OK);
	packed[1] = 1 | UINT64_C(1) << 4;
	CHECK_EQUAL(relocate_sample(&s, 0x200000), VERDICT_MALFORMED);
}

/* A place that both tables name is slid once. */
static void slides_once(void)
{
	struct sample s = good();
	Elf64_Rela *rela = (Elf64_Rela *)(s.bytes + 0x2100);
	struct elf_image image;
	struct complaint why;
	uint64_t value;
	char *memory;

	rela[0].r_offset = ELF_LOWEST + 0x2080;
	CHECK_EQUAL(check_sample(&s, &image), VERDICT_OK);
	memory = load(s.bytes, FILE_SIZE, &image);
	CHECK_EQUAL(elf_relocate(&image, memory, 0x200000, &why), VERDICT_OK);
	memcpy(&value, memory + 0x2080, 8);
	CHECK_EQUAL(value, ELF_LOWEST + 0x200020);
	free(memory);
}

static void takes_an_executable(void)
{
	struct sample s = good();
	struct elf_image image;
	struct complaint why;

	s.ehdr.e_type = ET_EXEC;
	s.phdr[3].p_type = PT_NULL;
	CHECK_EQUAL(check_sample(&s, &image), VERDICT_OK);
	CHECK(!image.relocatable);
	CHECK_EQUAL(elf_relocate(&image, NULL, 0, &why), VERDICT_OK);
	CHECK_EQUAL(elf_relocate(&image, NULL, 0x200000, &why), VERDICT_UNSUPPORTED);
}

/* Cut anywhere, it is refused: the section headers are its end. */
static void refuses_cut_files(void)
{
	struct sample s = good();
	struct elf_image image;
	struct complaint why;

	write_headers(&s);
	for (size_t size = 0; size < FILE_SIZE; size++)
		CHECK(check_file(s.bytes, size, &image, &why) != VERDICT_OK);
}

/* Changed bytes in headers, dynamic section and relocations: no crash, and what is taken loads. */
static void fuzz(void)
{
	static const size_t places[] = {
		0, 64, 120, 176, 232, 0x2100, 0x2118, 0x2300, 0x3000, 0x3010, 0x3030, 0x3080};
	struct sample original = good();
	uint64_t seed = 1, taken = 0;

	write_headers(&original);
	for (unsigned int round = 0; round < FUZZ_ROUNDS; round++) {
		struct sample s = original;
		struct elf_image image;
		struct complaint why;

		for (uint64_t n = next_random(&seed) % 4 + 1; n; n--) {
			size_t place = places[next_random(&seed) % 12] + next_random(&seed) % 64;
			uint64_t kind = next_random(&seed) % 3, v = next_random(&seed);

			s.bytes[place] = (char)(kind == 0 ? (int)v : kind == 1 ? 0 : 255);
		}
		if (check_file(s.bytes, FILE_SIZE, &image, &why) == VERDICT_OK &&
			image.size < 0x100000) {
			char *memory = load(s.bytes, FILE_SIZE, &image);

			taken += elf_relocate(&image, memory, 0x200000, &why) == VERDICT_OK;
			free(memory);
		}
	}
	CHECK(taken > FUZZ_ROUNDS / 100);
	CHECK(taken < FUZZ_ROUNDS / 2);
}

int main(void)
{
	takes_a_good_one();
	takes_an_executable();
	refuses_headers();
	refuses_segments();
	refuses_relocations();
	refuses_packed_relocations();
	maps_reach_over();
	slides_once();
	refuses_cut_files();
	fuzz();
	return 0;
}
