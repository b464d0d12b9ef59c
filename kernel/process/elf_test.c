/* SPDX-License-Identifier: MIT */
/*
 * elf_parse: good files, each refusal, and a bounded fuzzer (fixed seed) that mutates the headers of
 * two real programs, a static one of musl's and this test itself: whatever is accepted must be safe
 * to map.
 */
#include "process/elf.h"

#include "arch/fake/test.h"
#include "arch_cpu.h"
#include "lib/errno.h"
#include "memory/access.h"

#include <elf.h>

#define MUTATIONS 100000

/* A file as elf_parse sees it: header, up to 40 program headers. */
struct image {
	Elf64_Ehdr header;
	Elf64_Phdr programs[40];
} __attribute__((aligned(4096)));

static struct image file;
static struct elf_image out;
static const char *why;

/* Both steps, for a file whose headers all lie in its first `size` bytes. */
static int parse_file(const void *bytes, size_t size, uint64_t file_size, struct elf_image *to,
	const char **reason)
{
	static struct elf_segment segments[ELF_HEADERS_MOST / sizeof(Elf64_Phdr)];
	struct elf_place programs;
	int error = elf_check(bytes, size, &programs, reason);

	if (error)
		return error;
	if (programs.offset > size || programs.size > size - programs.offset) {
		*reason = "cut off";
		return -ENOEXEC;
	}
	return elf_parse(
		bytes, (const char *)bytes + programs.offset, file_size, segments, to, reason);
}

static Elf64_Phdr load(
	uint64_t offset, uint64_t address, uint64_t size, uint64_t memory, uint32_t flags)
{
	return (Elf64_Phdr){.p_type = PT_LOAD,
		.p_flags = flags,
		.p_offset = offset,
		.p_vaddr = address,
		.p_paddr = address,
		.p_filesz = size,
		.p_memsz = memory,
		.p_align = 4096};
}

/* A program like a linker's: headers and text, then data with bss. */
static void good(uint16_t type, uint64_t base)
{
	memset(&file, 0, sizeof(file));
	memcpy(file.header.e_ident, ELFMAG, SELFMAG);
	file.header.e_ident[EI_CLASS] = ELFCLASS64;
	file.header.e_ident[EI_DATA] = ELFDATA2LSB;
	file.header.e_ident[EI_VERSION] = EV_CURRENT;
	file.header.e_type = type;
	file.header.e_machine = EM_X86_64;
	file.header.e_version = EV_CURRENT;
	file.header.e_entry = base + 0x1000;
	file.header.e_phoff = sizeof(Elf64_Ehdr);
	file.header.e_phentsize = sizeof(Elf64_Phdr);
	file.header.e_phnum = 3;
	file.programs[0] = load(0, base, 0x1800, 0x1800, PF_R | PF_X);
	file.programs[1] = load(0x1e00, base + 0x2e00, 0x300, 0x5000, PF_R | PF_W);
	file.programs[2] = (Elf64_Phdr){.p_type = PT_GNU_STACK, .p_flags = PF_R | PF_W};
}

static int parse(void)
{
	return parse_file(&file, sizeof(file), 0x10000, &out, &why);
}

static void refused(int error, const char *words)
{
	CHECK_EQUAL(parse(), error);
	CHECK_STRING(why, words);
}

/* In its segments. */
static void broken(int error, const char *words)
{
	CHECK_EQUAL(parse(), 0);
	CHECK_EQUAL(out.broken, error);
	CHECK_STRING(why, words);
}

static void accepted(void)
{
	CHECK_EQUAL(parse(), 0);
	CHECK_EQUAL(out.broken, 0);
}

static void test_static(void)
{
	good(ET_EXEC, 0x400000);
	accepted();
	CHECK(!out.relocatable && !out.executable_stack && !out.interpreter_size);
	CHECK_EQUAL(out.entry, 0x401000);
	CHECK_EQUAL(out.low, 0x400000);
	CHECK_EQUAL(out.high, 0x408000); /* bss and all */
	CHECK_EQUAL(out.headers, 0x400040);
	CHECK_EQUAL(out.header_count, 3);
	CHECK_EQUAL(out.header_size, sizeof(Elf64_Phdr));
	CHECK_EQUAL(out.segment_count, 2);
	CHECK_EQUAL(out.segments[0].access, MAP_READ | MAP_EXECUTE);
	CHECK_EQUAL(out.segments[1].access, MAP_READ | MAP_WRITE);
	CHECK_EQUAL(out.segments[1].address, 0x402e00);
	CHECK_EQUAL(out.segments[1].offset, 0x1e00);
	CHECK_EQUAL(out.segments[1].file_size, 0x300);
	CHECK_EQUAL(out.segments[1].memory_size, 0x5000);
}

static void test_static_pie(void)
{
	good(ET_DYN, 0);
	accepted();
	CHECK(out.relocatable);
	CHECK_EQUAL(out.low, 0);
	CHECK_EQUAL(out.high, 0x8000);
	CHECK_EQUAL(out.headers, 0x40);
	CHECK_EQUAL(out.entry, 0x1000);
}

static void test_segments(void)
{
	good(ET_EXEC, 0x400000);
	/* In any order. */
	file.programs[3] = file.programs[0];
	file.programs[0] = file.programs[1];
	file.programs[1] = file.programs[3];
	accepted();
	CHECK(out.low == 0x400000 && out.high == 0x408000);
	CHECK_EQUAL(out.headers, 0x400040);
	/* All bss, without a byte in the file. */
	good(ET_EXEC, 0x400000);
	file.programs[1] = load(0x1000, 0x500000, 0, 0x1001, PF_R | PF_W);
	accepted();
	CHECK_EQUAL(out.high, 0x502000);
	/* Empty ones do not count. */
	file.programs[1] = load(0x1001, 0x500123, 0, 0, PF_R | PF_W);
	accepted();
	CHECK_EQUAL(out.segment_count, 1);
	/* Beyond the file's end: reads as SIGBUS or zeroes later, as on Linux. */
	file.programs[1] = load(0x100000, 0x500000, 16, 16, PF_R);
	accepted();
	/* Headers that are not in a segment. */
	good(ET_EXEC, 0x400000);
	file.programs[0] = load(0x1000, 0x400000, 0x800, 0x800, PF_R);
	accepted();
	CHECK_EQUAL(out.headers, 0);
	file.programs[0] = load(0, 0x400000, 0x40, 0x1000, PF_R);
	accepted();
	CHECK_EQUAL(out.headers, 0); /* in its bss, where zeroes are */
	/* Up to the last byte of the user half. */
	file.programs[0] = load(0x1000, USER_END - PAGE_SIZE, 0x1000, 0x1000, PF_R);
	accepted();
	CHECK_EQUAL(out.high, USER_END);
	/* An executable stack is asked for, or not said. */
	file.programs[2].p_flags = PF_R | PF_W | PF_X;
	accepted();
	CHECK(out.executable_stack);
}

static void test_interpreter(void)
{
	good(ET_DYN, 0);
	file.programs[2] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 0x200, .p_filesz = 28};
	accepted();
	CHECK_EQUAL(out.interpreter_offset, 0x200);
	CHECK_EQUAL(out.interpreter_size, 28);
	/* The first one counts, as on Linux. */
	file.programs[3] = (Elf64_Phdr){.p_type = PT_INTERP, .p_offset = 0x300, .p_filesz = 5};
	file.header.e_phnum = 4;
	accepted();
	CHECK_EQUAL(out.interpreter_offset, 0x200);
	file.programs[2].p_filesz = 1;
	refused(-ENOEXEC, "PT_INTERP is empty or longer than a path");
	file.programs[2].p_filesz = 4097;
	refused(-ENOEXEC, "PT_INTERP is empty or longer than a path");
	file.programs[2].p_filesz = 28;
	file.programs[2].p_offset = 0x10000 - 27;
	refused(-EIO, "PT_INTERP lies outside the file");
	file.programs[2].p_offset = ~0ul - 3;
	refused(-EIO, "PT_INTERP lies outside the file");
}

static void test_bad_header(void)
{
	good(ET_EXEC, 0x400000);
	CHECK_EQUAL(parse_file(&file, sizeof(Elf64_Ehdr) - 1, 0x10000, &out, &why), -ENOEXEC);
	CHECK_STRING(why, "not an ELF file");
	CHECK_EQUAL(parse_file("", 0, 0, &out, &why), -ENOEXEC);
	file.header.e_ident[0] = 'M';
	refused(-ENOEXEC, "not an ELF file");
	good(ET_EXEC, 0x400000);
	file.header.e_ident[EI_CLASS] = ELFCLASS32;
	refused(-ENOEXEC, "not for this machine (ELF64, x86-64)");
	good(ET_EXEC, 0x400000);
	file.header.e_machine = EM_AARCH64;
	refused(-ENOEXEC, "not for this machine (ELF64, x86-64)");
	good(ET_EXEC, 0x400000);
	file.header.e_ident[EI_DATA] = ELFDATA2MSB;
	refused(-ENOEXEC, "not little-endian");
	good(ET_REL, 0x400000);
	refused(-ENOEXEC, "e_type is neither ET_EXEC nor ET_DYN");
	good(ET_EXEC, 0x400000);
	file.header.e_phentsize = 32;
	refused(-ENOEXEC, "e_phentsize is not that of Elf64_Phdr");
}

static void test_bad_headers(void)
{
	static const char *const words = "no program headers, or more than 64 KiB of them";

	good(ET_EXEC, 0x400000);
	file.header.e_phnum = 0;
	refused(-ENOEXEC, words);
	file.header.e_phnum = 65536 / 56 + 1;
	refused(-ENOEXEC, words);
	file.header.e_phnum = 65536 / 56;
	refused(-ENOEXEC, "cut off");
	file.header.e_phnum = 0xffff;
	refused(-ENOEXEC, words);
	file.header.e_phnum = 3;
	file.header.e_phoff = ~0ul - 8;
	refused(-ENOEXEC, "cut off");
	file.header.e_phoff = sizeof(file) + 1;
	refused(-ENOEXEC, "cut off");
	file.header.e_phoff = sizeof(file) - 3 * 56 + 1;
	refused(-ENOEXEC, "cut off");
	file.header.e_phnum = 1;
	file.header.e_phoff = sizeof(file) - 56 - 3; /* not aligned, but there, and of type 0 */
	broken(-ENOEXEC, "no PT_LOAD segment");
}

static void test_bad_segments(void)
{
	good(ET_EXEC, 0x400000);
	file.programs[1].p_filesz = 0x5001;
	broken(-ENOEXEC, "p_filesz is above p_memsz");
	file.programs[1].p_memsz = 0;
	broken(-ENOEXEC, "p_filesz is above p_memsz");
	good(ET_EXEC, 0x400000);
	file.programs[1].p_offset++;
	broken(-ENOEXEC, "p_vaddr and p_offset differ modulo the page size");
	good(ET_EXEC, 0x400000);
	file.programs[1].p_offset = ~0ul - 0x1ff; /* congruent to p_vaddr */
	broken(-ENOEXEC, "p_offset + p_filesz is past the end of any file");
	good(ET_EXEC, 0x400000);
	file.programs[1].p_vaddr = USER_END + 0xe00;
	broken(-ENOMEM, "a segment lies outside the user half");
	file.programs[1].p_vaddr = USER_END - 0x4200;
	broken(-ENOMEM, "a segment lies outside the user half");
	file.programs[1].p_vaddr = 0xffffffff80000e00;
	broken(-ENOMEM, "a segment lies outside the user half");
	file.programs[1].p_vaddr = 0x402e00;
	file.programs[1].p_memsz = ~0ul;
	broken(-ENOMEM, "a segment lies outside the user half");
	good(ET_EXEC, 0);
	broken(-EPERM, "a segment lies below the lowest address that may be mapped");
	good(ET_EXEC, 0x400000);
	file.programs[0].p_type = file.programs[1].p_type = PT_NULL;
	broken(-ENOEXEC, "no PT_LOAD segment");
	good(ET_EXEC, 0x400000);
	for (unsigned i = 0; i < 40; i++)
		file.programs[i] = load(0, 0x400000 + i * 0x1000, 1, 1, PF_R);
	file.header.e_phnum = 40;
	CHECK_EQUAL(parse(), 0);
	CHECK_EQUAL(out.segment_count, 40);
}

/* ---- The fuzzer ---- */

static unsigned char original[(size_t)4096], mutated[(size_t)4096] __attribute__((aligned(16)));
static size_t original_size;

/* What exec leans on. */
static void check_accepted(size_t size, uint64_t file_size)
{
	CHECK(out.segment_count >= 1 && out.segment_count <= ELF_HEADERS_MOST / sizeof(Elf64_Phdr));
	CHECK(!(out.low % PAGE_SIZE) && !(out.high % PAGE_SIZE));
	CHECK(out.low < out.high && out.high <= USER_END);
	CHECK(out.relocatable || out.low >= USER_MIN);
	CHECK(out.header_count && out.header_size == sizeof(Elf64_Phdr));
	CHECK(out.header_count * out.header_size <= size);
	for (unsigned i = 0; i < out.segment_count; i++) {
		const struct elf_segment *s = &out.segments[i];

		CHECK(s->memory_size && s->file_size <= s->memory_size);
		CHECK(s->address >= out.low && s->memory_size <= out.high - s->address);
		CHECK_EQUAL(s->address % PAGE_SIZE, s->offset % PAGE_SIZE);
		CHECK(s->offset + s->file_size >= s->offset);
		CHECK(!(s->access & ~7u));
	}
	CHECK(!out.headers || (out.headers >= out.low && out.headers < out.high));
	CHECK(!out.interpreter_size ||
		(out.interpreter_size >= 2 && out.interpreter_size <= 4096 &&
			out.interpreter_offset <= file_size &&
			out.interpreter_size <= file_size - out.interpreter_offset));
}

static uint64_t interesting(void)
{
	static const uint64_t values[] = {0, 1, 2, 0xfff, 0x1000, 0x1001, 0xffff, 0x10000,
		0x7fffffff, 0x80000000, 0xffffffff, USER_END - 1, USER_END, USER_END + 1,
		0x800000000000, 0xffff800000000000, INT64_MAX, 1ul << 63, UINT64_MAX - 0xfff,
		UINT64_MAX};

	return test_random(4) ? values[test_random(ARRAY_SIZE(values))] : test_random(UINT64_MAX);
}

/* Mostly in the headers, where it matters. */
static void mutate(void)
{
	static const unsigned widths[] = {1, 2, 4, 8};

	memcpy(mutated, original, sizeof(original));
	for (unsigned n = 1 + (unsigned)test_random(4); n > 0; n--) {
		uint64_t value = interesting();
		unsigned width = widths[test_random(4)];
		size_t at = test_random(test_random(8) ? 64 + 8 * 56 : original_size - 8);

		if (test_random(3))
			at &= ~(size_t)(width - 1);
		memcpy(mutated + at, &value, width);
		if (!test_random(4))
			mutated[at] ^= (unsigned char)(1u << test_random(8));
	}
}

/* What readelf says of a demo that musl-gcc -static made. */
static void musl_static(void)
{
	static const Elf64_Phdr programs[] = {
		{PT_LOAD, PF_R, 0, 0x400000, 0x400000, 0x190, 0x190, 0x1000},
		{PT_LOAD, PF_R | PF_X, 0x1000, 0x401000, 0x401000, 0x4e88, 0x4e88, 0x1000},
		{PT_LOAD, PF_R, 0x6000, 0x406000, 0x406000, 0xeac, 0xeac, 0x1000},
		{PT_LOAD, PF_R | PF_W, 0x6fb8, 0x407fb8, 0x407fb8, 0x258, 0x900, 0x1000},
		{PT_GNU_STACK, PF_R | PF_W, 0, 0, 0, 0, 0, 0x10},
		{PT_GNU_RELRO, PF_R, 0x6fb8, 0x407fb8, 0x407fb8, 0x48, 0x48, 1},
	};

	good(ET_EXEC, 0x400000);
	file.header.e_entry = 0x4011f8;
	file.header.e_phnum = ARRAY_SIZE(programs);
	memcpy(file.programs, programs, sizeof(programs));
	memcpy(original, &file, sizeof(original));
	original_size = sizeof(original);
}

static void myself(void)
{
	FILE *in = fopen("/proc/self/exe", "rb");

	CHECK(in);
	original_size = fread(original, 1, sizeof(original), in);
	CHECK_EQUAL(original_size, sizeof(original));
	fclose(in);
}

static void fuzz(void)
{
	unsigned accepted = 0;

	CHECK_EQUAL(parse_file(original, original_size, 1 << 20, &out, &why), 0);
	CHECK_EQUAL(out.broken, 0);
	for (unsigned i = 0; i < MUTATIONS; i++) {
		size_t size = test_random(16) ? original_size : test_random(original_size + 1);
		uint64_t file_size = test_random(16) ? 0x10000 : size + test_random(0x1000);
		unsigned char *exact = malloc(size ? size : 1); /* one byte too far is seen */
		int error;

		mutate();
		memcpy(exact, mutated, size);
		memset(&out, 0xa5, sizeof(out));
		error = parse_file(exact, size, file_size, &out, &why);
		if (!error)
			error = out.broken;
		CHECK(error == 0 || error == -ENOEXEC || error == -ENOMEM || error == -EPERM ||
			error == -EIO);
		if (error)
			CHECK(*why);
		else
			check_accepted(size, file_size);
		accepted += !error;
		free(exact);
	}
	CHECK(accepted > MUTATIONS / 100 && accepted < MUTATIONS / 100 * 99);
}

static void test_fuzz_static(void)
{
	musl_static();
	fuzz();
}

static void test_fuzz_dynamic(void)
{
	myself();
	fuzz();
}

int main(void)
{
	RUN(test_static);
	RUN(test_static_pie);
	RUN(test_segments);
	RUN(test_interpreter);
	RUN(test_bad_header);
	RUN(test_bad_headers);
	RUN(test_bad_segments);
	RUN(test_fuzz_static);
	RUN(test_fuzz_dynamic);
	return test_result();
}
