/* SPDX-License-Identifier: MIT */
/*
 * What a new program finds on its stack: System V ABI, AMD64 supplement, 3.4.1. From the top down:
 * the strings, the program's name the last of them; the name of the machine, 16 random bytes, a gap of
 * random size; then, from the stack pointer up: argc, the pointers to the arguments, those to the environment, the auxiliary vector.
 * All is written through the kernel's own view of the pages: the new space is not in use yet.
 */
#include <elf.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "process/credentials.h"
#include "process/exec.h"

#define PLATFORM      "x86_64"
#define PLATFORM_SIZE sizeof(PLATFORM)
#define AUXV_WORDS    (2 * 22)
#define BUFFER_WORDS  256u
#define MARGIN        (33 * PAGE_SIZE) /* mapped below what is written: 128 KiB and a page */

/* Words on their way to rising addresses. */
struct word_stream {
	struct space *space;
	uintptr_t at;
	size_t count;
	int error;
	uint64_t words[BUFFER_WORDS];
};

static void flush(struct word_stream *stream)
{
	if (!stream->error && stream->count)
		stream->error = space_write(stream->space, stream->at, stream->words,
			stream->count * sizeof(stream->words[0]));
	stream->at += stream->count * sizeof(stream->words[0]);
	stream->count = 0;
}

static void put(struct word_stream *stream, uint64_t word)
{
	if (stream->count == BUFFER_WORDS)
		flush(stream);
	stream->words[stream->count++] = word;
}

/* Where things stand on the stack. */
struct layout {
	uintptr_t name, strings, platform, random, pointer;
};

static void put_auxv(
	struct word_stream *stream, const struct program *program, const struct layout *layout)
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
		{AT_HWCAP2, 0},
		{AT_EXECFN, layout->name},
		{AT_PLATFORM, layout->platform},
		{AT_MINSIGSTKSZ, arch_signal_stack_size()},
		{AT_NULL, 0},
	};

	_Static_assert(ARRAY_SIZE(pairs) * 2 <= AUXV_WORDS, "room for the auxiliary vector");
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		put(stream, pairs[i][0]);
		put(stream, pairs[i][1]);
	}
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
static size_t put_pointers(struct word_stream *stream, const struct exec_strings *strings,
	uintptr_t base, size_t at, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		put(stream, base + at);
		at += string_size(strings, at);
	}
	put(stream, 0);
	return at;
}

static int write_strings(struct space *space, const struct exec_strings *strings, uintptr_t base)
{
	size_t size = exec_strings_size(strings), piece;

	for (size_t at = 0; at < size; at += piece) {
		const char *text = exec_strings_piece(strings, at, &piece);
		int error = space_write(space, base + at, text, piece);

		if (error)
			return error;
	}
	return 0;
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

static int write_stack(struct program *program, const struct exec_strings *strings,
	const struct layout *layout, struct word_stream *stream)
{
	struct space *space = program->space;
	size_t at;

	stream->space = space;
	stream->at = layout->pointer;
	stream->count = 0;
	stream->error = 0;
	put(stream, strings->argc);
	space->arguments = layout->strings;
	at = put_pointers(stream, strings, layout->strings, 0, strings->argc);
	space->arguments_end = layout->strings + at;
	at = put_pointers(stream, strings, layout->strings, at, strings->envc);
	space->environment_end = layout->strings + at;
	program->space->auxv = stream->at + stream->count * sizeof(stream->words[0]);
	put_auxv(stream, program, layout);
	flush(stream);
	return stream->error ? stream->error : write_strings(space, strings, layout->strings);
}

/* What stands between the words and the strings. */
static int write_small(struct program *program, const struct layout *layout)
{
	char bytes[sizeof(program->seed) + PLATFORM_SIZE];

	memcpy(bytes, program->seed, sizeof(program->seed));
	memcpy(bytes + sizeof(program->seed), PLATFORM, PLATFORM_SIZE);
	return space_write(program->space, layout->random, bytes, sizeof(bytes));
}

int program_build_stack(struct program *program, const struct exec_strings *strings)
{
	struct word_stream *stream = kmalloc(sizeof(*stream));
	struct layout layout;
	int error;

	if (!stream)
		return -ENOMEM;
	lay_out(&layout, program, strings);
	error = map_stack(program, layout.pointer);
	if (!error)
		error = write_stack(program, strings, &layout, stream);
	if (!error)
		error = write_small(program, &layout);
	kfree(stream);
	program->stack = program->space->stack_start = layout.pointer;
	return error == -EFAULT ? -ENOMEM : error;
}
