/* SPDX-License-Identifier: MIT */
/*
 * A program's file becomes mappings in a new address space.
 *
 * A new space, from above: stack (8 MiB at most, top random), mmap's area below it, the heap after
 * the program; a position-independent program lies at a random place at 2/3 of the half, as on Linux.
 */
#include <elf.h>

#include "files/file.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "process/exec.h"

#define FIRST_BYTES ((size_t)1024) /* read at once: the header, and most files' program headers */
#define PATH_MOST   4096u
#define PIE_BASE    UINT64_C(0x555555554000)
#define STACK_SPAN  UINT64_C(0x800000)
#define MAP_GAP     (STACK_SPAN + UINT64_C(0x8000000)) /* between stack top and mmap's area */

uint64_t program_random(struct program *program, unsigned bits)
{
	uint64_t value = program->random[0] & ((UINT64_C(1) << bits) - 1);

	if (program->fixed)
		return 0;
	program->random[0] = program->random[0] >> bits | program->random[1] << (64 - bits);
	program->random[1] >>= bits;
	return value;
}

/* ---- Headers ---- */

/* The program headers, in `first` or read into memory of their own, which is the caller's then. */
static int get_program_headers(struct file *file, const char *first, size_t size,
	const struct elf_place *place, const void **out, void **own)
{
	ssize_t got;

	*own = NULL;
	if (place->offset <= size && place->size <= size - place->offset) {
		*out = first + place->offset;
		return 0;
	}
	*own = kmalloc(place->size);
	if (!*own)
		return -ENOMEM;
	got = file_read_at(file, *own, place->size, place->offset);
	*out = *own;
	if (got == (ssize_t)place->size)
		return 0;
	kfree(*own);
	*own = NULL;
	return got < 0 && got != -EINVAL ? (int)got : -ENOEXEC;
}

static int parse(struct file *file, const char *first, size_t size, struct elf_image *image)
{
	struct object *object = file_object(file);
	struct elf_segment *segments;
	const char *why = "";
	const void *programs;
	struct elf_place place;
	uint64_t file_size = object ? object->size : 0;
	void *own = NULL;
	int error = elf_check(first, size, &place, &why);

	if (object)
		object_put(object);
	if (!error)
		error = get_program_headers(file, first, size, &place, &programs, &own);
	if (error)
		return error;
	segments = kmalloc(place.count * sizeof(*segments));
	error = segments ? elf_parse(first, programs, file_size, segments, image, &why) : -ENOMEM;
	kfree(own);
	if (error || image->broken)
		log_debug("exec %s: %s", file_path(file), why);
	if (error) {
		kfree(segments);
		image->segments = NULL;
	}
	return error;
}

int program_read_image(struct file *file, struct elf_image *image)
{
	char first[FIRST_BYTES];
	ssize_t got = file_read_at(file, first, sizeof(first), 0);

	image->segments = NULL;
	return got < 0 ? (int)got : parse(file, first, (size_t)got, image);
}

/* ---- Mappings ---- */

static int map_segment(struct space *space, struct object *object,
	const struct elf_segment *segment, uintptr_t bias)
{
	uintptr_t start = ALIGN_DOWN(segment->address + bias, PAGE_SIZE);
	uintptr_t file_end = segment->address + bias + segment->file_size;
	uintptr_t end = ALIGN_UP(segment->address + bias + segment->memory_size, PAGE_SIZE);
	uintptr_t file_pages_end = segment->file_size ? ALIGN_UP(file_end, PAGE_SIZE) : start;
	long result;

	if (segment->file_size) {
		result = space_map(space, start, file_pages_end - start, segment->access, 0,
			SPACE_FIXED, object, ALIGN_DOWN(segment->offset, PAGE_SIZE));
		if (result < 0)
			return (int)result;
	}
	if (file_pages_end < end) {
		result = space_map(space, file_pages_end, end - file_pages_end, segment->access, 0,
			SPACE_FIXED, NULL, 0);
		if (result < 0)
			return (int)result;
	}
	if (segment->file_size && segment->memory_size > segment->file_size &&
		(segment->access & MAP_WRITE))
		return space_clear_tail(space, file_end);
	return 0;
}

/* Where a position-independent interpreter goes: a hole to put it over. */
static long place_image(struct space *space, const struct elf_image *image)
{
	long base;

	if (!image->relocatable)
		return 0;
	base = space_map(space, 0, image->high - image->low, 0, 0, 0, NULL, 0);
	return base < 0 ? base : (long)((uintptr_t)base - image->low);
}

static int load_image(
	struct space *space, struct file *file, const struct elf_image *image, uintptr_t bias)
{
	struct object *object = file_object(file);
	int error = 0;

	if (!object)
		return -EACCES;
	error = image->broken;
	for (unsigned i = 0; i < image->segment_count && !error; i++)
		error = map_segment(space, object, &image->segments[i], bias);
	file_mapped(file);
	object_put(object);
	return error;
}

/* ---- The interpreter ---- */

/* PT_INTERP's path, to be freed. */
static int interpreter_path(struct program *program, char **out)
{
	size_t size = program->image.interpreter_size;
	char *path = kmalloc(size);
	ssize_t got;

	_Static_assert(PATH_MOST == 4096, "what elf_parse lets through is a path");
	if (!path)
		return -ENOMEM;
	got = file_read_at(program->file, path, size, program->image.interpreter_offset);
	if (got == (ssize_t)size && !path[size - 1]) {
		*out = path;
		return 0;
	}
	kfree(path);
	return got < 0 ? (int)got : got < (ssize_t)size ? -EIO : -ENOEXEC;
}

struct interpreter {
	struct file *file; /* NULL: there is none */
	struct elf_image image;
};

static int map_interpreter(struct program *program, const struct interpreter *interpreter)
{
	const struct elf_image *image = &interpreter->image;
	long bias = image->broken ? image->broken : place_image(program->space, image);

	program->interpreter = (uintptr_t)bias;
	program->entry = image->entry + (uintptr_t)bias;
	return bias < 0 && bias > -4096
		       ? (int)bias
		       : load_image(program->space, interpreter->file, image, (uintptr_t)bias);
}

static int open_interpreter(struct program *program, struct interpreter *out)
{
	char *path = NULL;
	int error = interpreter_path(program, &path);

	if (error)
		return error;
	/* An empty path is the working directory here, which is no program. */
	error = *path ? program_open(path, &out->file) : -EACCES;
	kfree(path);
	if (error)
		return error;
	error = program_read_image(out->file, &out->image);
	if (!error) {
		program->unreadable |= !file_may_read(out->file);
		return 0;
	}
	file_put(out->file);
	out->file = NULL;
	return error == -ENOEXEC ? -ELIBBAD : error;
}

/* Where the program's own parts lie: for /proc. */
static void note_parts(struct space *space, const struct elf_image *image, uintptr_t bias)
{
	for (unsigned i = 0; i < image->segment_count; i++) {
		const struct elf_segment *segment = &image->segments[i];
		uintptr_t start = segment->address + bias, end = start + segment->file_size;

		if (segment->access & MAP_EXECUTE) {
			if (!space->code || start < space->code)
				space->code = start;
			if (end > space->code_end)
				space->code_end = end;
		}
		if (start > space->data)
			space->data = start;
		if (end > space->data_end)
			space->data_end = end;
	}
}

/* Where Linux can no longer tell anybody: doomed, until all is mapped. */
static int map_all(struct program *program, const struct interpreter *interpreter)
{
	const struct elf_image *image = &program->image;
	struct space *space = program->space;
	int error;

	program->doomed = true;
	error = load_image(space, program->file, image, program->bias);
	if (error)
		return error;
	note_parts(space, image, program->bias);
	space->brk_start = space->brk = image->high + program->bias + PAGE_SIZE;
	if (__atomic_load_n(&exec_randomize, __ATOMIC_RELAXED) >= 2)
		space->brk_start = space->brk += program_random(program, 13) << PAGE_SHIFT;
	program->entry = image->entry + program->bias;
	if (interpreter->file)
		error = map_interpreter(program, interpreter);
	program->doomed = error;
	return error;
}

int program_load(struct program *program)
{
	const struct elf_image *image = &program->image;
	struct space *space = program->space;
	struct interpreter interpreter = {.file = NULL};
	int error = image->interpreter_size ? open_interpreter(program, &interpreter) : 0;

	if (error)
		return error;
	space->stack_top = USER_END - (program_random(program, 22) << PAGE_SHIFT);
	space->map_top = space->stack_top - MAP_GAP - (program_random(program, 28) << PAGE_SHIFT);
	if (image->relocatable)
		program->bias = PIE_BASE + (program_random(program, 28) << PAGE_SHIFT) - image->low;
	error = map_all(program, &interpreter);
	if (interpreter.file) {
		kfree(interpreter.image.segments);
		file_put(interpreter.file);
	}
	return error;
}
