/* SPDX-License-Identifier: MIT */
/*
 * What a new program finds on its stack: System V ABI, AMD64 supplement, 3.4.1. From the top down:
 * the strings, the program's name the last of them; the name of the machine, 16 random bytes, a gap of
 * random size; then, from the stack pointer up: argc, the pointers to the arguments, those to the environment, the auxiliary vector.
 * All is written through the kernel's own view of the pages, one after the other as they come: the
 * new space is not in use yet, and nobody else changes it.
 */
#include <elf.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/space.h"
#include "process/credentials.h"
#include "process/exec.h"

#define PLATFORM      "x86_64"
#define PLATFORM_SIZE sizeof(PLATFORM)
#define AUXV_WORDS    (2 * 22)
#define MARGIN        (33 * PAGE_SIZE) /* mapped below what is written: 128 KiB and a page */

/* Writes to rising addresses of the stack, and the page that it is at. */
struct writer {
	struct space *space;
	uintptr_t at;
	struct frame *frame; /* NULL: none yet */
	uintptr_t page;
	int error; /* the first; nothing is written any more then */
};

/* Where the byte at writer->at is. NULL: there was an error. */
static char *view(struct writer *writer)
{
	uintptr_t page = ALIGN_DOWN(writer->at, PAGE_SIZE);

	if (unlikely(!writer->frame || page != writer->page)) {
		if (writer->frame)
			frame_put(writer->frame);
		writer->frame = NULL;
		writer->page = page;
		if (!writer->error)
			writer->error =
				space_frame(writer->space, page, FAULT_WRITE, &writer->frame);
		if (writer->error)
			return NULL;
	}
	return (char *)frame_ptr(writer->frame) + (writer->at - page);
}

static void put_bytes(struct writer *writer, const void *bytes, size_t size)
{
	while (size) {
		size_t room = PAGE_SIZE - writer->at % PAGE_SIZE;
		size_t part = size < room ? size : room;
		char *to = view(writer);

		if (!to)
			return;
		memcpy(to, bytes, part);
		bytes = (const char *)bytes + part;
		writer->at += part;
		size -= part;
	}
}

/* `at` is a word's address. */
static void put(struct writer *writer, uint64_t word)
{
	uint64_t *to = (uint64_t *)(void *)view(writer);

	if (to)
		*to = word;
	writer->at += sizeof(word);
}

/* Where things stand on the stack. */
struct layout {
	uintptr_t name, strings, platform, random, pointer;
};

static void put_auxv(
	struct writer *writer, const struct program *program, const struct layout *layout)
{
	const struct elf_image *image = &program->image;
	const struct credentials *who = program->credentials;
	const uint64_t pairs[][2] = {
		{program->vdso ? AT_SYSINFO_EHDR : AT_IGNORE, program->vdso},
		{AT_HWCAP, arch_hwcap()},
		{AT_PAGESZ, PAGE_SIZE},
		{AT_CLKTCK, 100},
		{AT_PHDR, image->headers ? image->headers + program->bias : 0},
		{AT_PHENT, image->header_size},
		{AT_PHNUM, image->header_count},
		{AT_BASE, program->interpreter},
		{AT_FLAGS, 0},
		{AT_ENTRY, image->entry + program->bias},
		{AT_UID, who->uid},
		{AT_EUID, who->euid},
		{AT_GID, who->gid},
		{AT_EGID, who->egid},
		{AT_SECURE, program->secure},
		{AT_RANDOM, layout->random},
		{AT_HWCAP2, arch_hwcap2()},
		{AT_EXECFN, layout->name},
		{AT_PLATFORM, layout->platform},
		{AT_MINSIGSTKSZ, arch_signal_stack_size()},
		{AT_NULL, 0},
	};

	_Static_assert(ARRAY_SIZE(pairs) * 2 <= AUXV_WORDS, "room for the auxiliary vector");
	put_bytes(writer, pairs, sizeof(pairs));
}

/* A string's bytes, from `at` on, with its NUL. */
static size_t string_size(const struct exec_strings *strings, size_t at)
{
	size_t size = 0, piece;

	for (;;) {
		const char *text = exec_strings_piece(strings, at + size, &piece);
		const char *end = memchr(text, 0, piece);

		if (end)
			return size + (size_t)(end - text) + 1;
		size += piece;
	}
}

/* Pointers to `count` strings from offset `at` on, which lie at `base` in the new space. The offset
 * past them. */
static size_t put_pointers(struct writer *writer, const struct exec_strings *strings,
	uintptr_t base, size_t at, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		put(writer, base + at);
		at += string_size(strings, at);
	}
	put(writer, 0);
	return at;
}

static void put_strings(struct writer *writer, const struct exec_strings *strings)
{
	size_t size = exec_strings_size(strings), piece;

	for (size_t at = 0; at < size && !writer->error; at += piece) {
		const char *text = exec_strings_piece(strings, at, &piece);

		put_bytes(writer, text, piece);
	}
}

static size_t word_count(const struct exec_strings *strings)
{
	return 1 + strings->argc + 1ul + strings->envc + 1 + AUXV_WORDS;
}

static void lay_out(
	struct layout *layout, struct program *program, const struct exec_strings *strings)
{
	uintptr_t at = program->space->stack_top - 8;

	layout->name = at - (strlen(program->name) + 1);
	at = layout->strings = at - exec_strings_size(strings);
	at = layout->platform = ALIGN_DOWN(at - PLATFORM_SIZE, 16);
	at = layout->random = at - sizeof(program->seed);
	at -= program_random(program, 8) << 4;
	layout->pointer = ALIGN_DOWN(at - word_count(strings) * sizeof(uint64_t), 16);
}

static int map_stack(struct program *program, uintptr_t lowest)
{
	struct space *space = program->space;
	size_t size = ALIGN_UP(space->stack_top - lowest, PAGE_SIZE) + MARGIN;
	unsigned access =
		MAP_READ | MAP_WRITE | (program->image.executable_stack ? MAP_EXECUTE : 0);
	long result = space_map(
		space, space->stack_top - size, size, access, VMA_GROWS_DOWN, SPACE_FIXED, NULL, 0);

	return result < 0 ? (int)result : 0;
}

/* Each part goes up from its start; together they go up too. */
static void write_stack(struct writer *writer, const struct program *program,
	const struct exec_strings *strings, const struct layout *layout)
{
	struct space *space = program->space;
	size_t at;

	writer->at = layout->pointer;
	put(writer, strings->argc);
	space->arguments = layout->strings;
	at = put_pointers(writer, strings, layout->strings, 0, strings->argc);
	space->arguments_end = layout->strings + at;
	at = put_pointers(writer, strings, layout->strings, at, strings->envc);
	space->environment_end = layout->strings + at;
	space->auxv = writer->at;
	put_auxv(writer, program, layout);
	writer->at = layout->random;
	put_bytes(writer, program->seed, sizeof(program->seed));
	writer->at = layout->platform;
	put_bytes(writer, PLATFORM, PLATFORM_SIZE);
	writer->at = layout->strings;
	put_strings(writer, strings);
}

int program_build_stack(struct program *program, const struct exec_strings *strings)
{
	struct writer writer = {.space = program->space};
	struct layout layout;
	int error;

	lay_out(&layout, program, strings);
	error = map_stack(program, layout.pointer);
	if (error)
		return error;
	write_stack(&writer, program, strings, &layout);
	if (writer.frame)
		frame_put(writer.frame);
	program->stack = program->space->stack_start = layout.pointer;
	return writer.error == -EFAULT ? -ENOMEM : writer.error;
}
