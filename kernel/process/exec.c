/* SPDX-License-Identifier: MIT */
/*
 * execve: a new program in the running process.
 *
 * Everything that can be refused is refused before the old program is touched: the file is opened,
 * its ELF read and checked, the new space built whole, its stack filled through the direct map (the
 * new space is not in use yet). Then comes the commit, which cannot fail: descriptors close, the
 * spaces change places, the registers are set.
 *
 * A new space, from above: stack (8 MiB at most, top random), mmap's area below it, the heap after
 * the program; a static-pie lies at a random place at 2/3 of the half, as on Linux.
 * The initial stack: System V ABI, AMD64 supplement, 3.4.1.
 */
#include <elf.h>
#include <asm/fcntl.h>

#include "devices/random.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "process/current.h"
#include "process/elf.h"
#include "process/futex.h"
#include "process/process.h"
#include "vdso/vdso.h"

#define ARGUMENT_MAX  (32 * PAGE_SIZE)  /* one string: MAX_ARG_STRLEN */
#define ARGUMENTS_MAX ((size_t)4 << 20) /* all, with their pointers: as much as kmalloc gives */
#define SCRIPT_DEPTH  4                 /* #! interpreters of interpreters */
#define SCRIPT_LINE   256
#define AUXV_WORDS    (2 * 22)
#define PIE_BASE      UINT64_C(0x555555554000)
#define STACK_SPAN    UINT64_C(0x800000)
#define MAP_GAP       (STACK_SPAN + UINT64_C(0x8000000)) /* between stack top and mmap's area */

/* ---- Strings ---- */

int exec_strings_init(struct exec_strings *strings)
{
	*strings = (struct exec_strings){.capacity = PAGE_SIZE};
	strings->bytes = kmalloc(strings->capacity);
	return strings->bytes ? 0 : -ENOMEM;
}

void exec_strings_free(struct exec_strings *strings)
{
	kfree(strings->bytes);
	strings->bytes = NULL;
}

/* Room for `more` bytes at the end. */
int exec_strings_room(struct exec_strings *strings, size_t more)
{
	size_t capacity = strings->capacity;
	char *bytes;

	size_t pointers = (strings->argc + strings->envc) * sizeof(uint64_t);

	if (more > ARGUMENT_MAX || strings->size + pointers + more > ARGUMENTS_MAX)
		return -E2BIG;
	while (capacity < strings->size + more)
		capacity *= 2;
	if (capacity == strings->capacity)
		return 0;
	bytes = kmalloc(capacity);
	if (!bytes)
		return -ENOMEM;
	memcpy(bytes, strings->bytes, strings->size);
	kfree(strings->bytes);
	strings->bytes = bytes;
	strings->capacity = capacity;
	return 0;
}

int exec_strings_add(struct exec_strings *strings, const char *text)
{
	size_t length = strlen(text) + 1;
	int error = exec_strings_room(strings, length);

	if (error)
		return error;
	memcpy(strings->bytes + strings->size, text, length);
	strings->size += length;
	return 0;
}

/* Puts `count` strings (NUL-terminated in `text`, `size` bytes) before argv[from]. */
static int strings_replace_first(
	struct exec_strings *strings, const char *text, size_t size, unsigned count)
{
	size_t gone = strings->argc ? strlen(strings->bytes) + 1 : 0;
	int error = size > gone ? exec_strings_room(strings, size - gone) : 0;

	if (error)
		return error;
	memmove(strings->bytes + size, strings->bytes + gone, strings->size - gone);
	memcpy(strings->bytes, text, size);
	strings->size += size - gone;
	strings->argc += count - (gone ? 1 : 0);
	return 0;
}

/* ---- Loading ---- */

struct program {
	struct file *file;
	struct elf_image image;
	uintptr_t bias;        /* added to the image's addresses */
	uintptr_t entry;       /* where the thread starts */
	uintptr_t interpreter; /* base of the interpreter; 0: none */
	uintptr_t vdso;        /* its ELF header; 0: none */
	struct space *space;
};

static uint64_t random_bits(unsigned bits)
{
	uint64_t value;

	random_bytes(&value, sizeof(value));
	return value & ((1ul << bits) - 1);
}

/* Clears from the end of the file's bytes to the end of that page, where the segment goes on. */
static int clear_tail(struct space *space, uintptr_t at, uintptr_t end)
{
	static const char zeroes[256];
	uintptr_t stop = ALIGN_UP(at, PAGE_SIZE);

	if (stop > end)
		stop = ALIGN_UP(end, PAGE_SIZE);
	while (at < stop) {
		size_t part = stop - at < sizeof(zeroes) ? stop - at : sizeof(zeroes);
		int error = space_write(space, at, zeroes, part);

		if (error)
			return error;
		at += part;
	}
	return 0;
}

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
		return clear_tail(space, file_end, segment->address + bias + segment->memory_size);
	return 0;
}

/* Where a position-independent file goes. */
static long place_image(struct space *space, const struct elf_image *image, uintptr_t preferred)
{
	size_t size = image->high - image->low;

	if (!image->relocatable)
		return 0;
	if (preferred)
		return (long)(preferred - image->low);
	long base = space_map(space, 0, size, 0, 0, 0, NULL, 0); /* a hole to put it over */

	return base < 0 ? base : (long)((uintptr_t)base - image->low);
}

static int load_image(
	struct space *space, struct file *file, const struct elf_image *image, uintptr_t bias)
{
	struct object *object = file_object(file);
	int error = 0;

	if (!object)
		return -EACCES;
	for (unsigned i = 0; i < image->segment_count && !error; i++)
		error = map_segment(space, object, &image->segments[i], bias);
	object_put(object);
	return error;
}

static int read_image(struct file *file, struct elf_image *image)
{
	struct object *object = file_object(file);
	char *bytes = kmalloc(ELF_HEADERS_SIZE);
	const char *why = "";
	uint64_t size = 0;
	ssize_t got;
	int error;

	if (object) {
		size = object->size;
		object_put(object);
	}
	if (!bytes)
		return -ENOMEM;
	got = file_read_at(file, bytes, ELF_HEADERS_SIZE, 0);
	error = got < 0 ? (int)got : elf_parse(bytes, (size_t)got, size, image, &why);
	if (error && got > 4 && !memcmp(bytes, ELFMAG, SELFMAG))
		log_debug("exec %s: %s", file_path(file), why);
	kfree(bytes);
	return error;
}

static int open_program(const char *path, struct file **out)
{
	int error = file_open(current_fs(), path, O_RDONLY, 0, out);

	if (error)
		return error;
	error = file_may_execute(*out);
	if (error)
		file_put(*out);
	return error;
}

static int load_interpreter(struct program *program)
{
	const struct elf_image *image = &program->image;
	char path[256];
	struct elf_image *interpreter;
	struct file *file;
	ssize_t got;
	long bias;
	int error;

	if (image->interpreter_size > sizeof(path))
		return -ENAMETOOLONG;
	got = file_read_at(program->file, path, image->interpreter_size, image->interpreter_offset);
	if (got != (ssize_t)image->interpreter_size || path[got - 1])
		return -ENOEXEC;
	error = open_program(path, &file);
	if (error)
		return error;
	interpreter = kmalloc(sizeof(*interpreter));
	error = interpreter ? read_image(file, interpreter) : -ENOMEM;
	if (error == -ENOEXEC)
		error = -ELIBBAD;
	if (!error) {
		bias = place_image(program->space, interpreter, 0);
		error = bias < 0 && bias > -4096
				? (int)bias
				: load_image(program->space, file, interpreter, (uintptr_t)bias);
		program->interpreter = (uintptr_t)bias;
		program->entry = interpreter->entry + (uintptr_t)bias;
	}
	kfree(interpreter);
	file_put(file);
	return error;
}

static int load_program(struct program *program)
{
	const struct elf_image *image = &program->image;
	struct space *space = program->space;
	int error;

	space->stack_top = USER_END - (random_bits(22) << PAGE_SHIFT);
	space->map_top = space->stack_top - MAP_GAP - (random_bits(28) << PAGE_SHIFT);
	if (image->relocatable && !image->interpreter_size && image->low == 0)
		program->bias = PIE_BASE + (random_bits(28) << PAGE_SHIFT);
	else if (image->relocatable)
		program->bias = PIE_BASE + (random_bits(28) << PAGE_SHIFT) - image->low;
	error = load_image(space, program->file, image, program->bias);
	if (error)
		return error;
	space->brk_start = space->brk =
		image->high + program->bias + PAGE_SIZE + (random_bits(13) << PAGE_SHIFT);
	program->entry = image->entry + program->bias;
	return image->interpreter_size ? load_interpreter(program) : 0;
}

/* ---- The initial stack ---- */

struct stack_words {
	uint64_t *words;
	size_t count;
};

static void put(struct stack_words *stack, uint64_t word)
{
	stack->words[stack->count++] = word;
}

static void put_auxv(struct stack_words *stack, const struct program *program, uintptr_t random,
	uintptr_t name, uintptr_t platform)
{
	const struct elf_image *image = &program->image;
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
		{AT_UID, 0},
		{AT_EUID, 0},
		{AT_GID, 0},
		{AT_EGID, 0},
		{AT_SECURE, 0},
		{AT_RANDOM, random},
		{AT_HWCAP2, 0},
		{AT_EXECFN, name},
		{AT_PLATFORM, platform},
		{AT_MINSIGSTKSZ, arch_signal_stack_size()},
		{AT_NULL, 0},
	};

	_Static_assert(ARRAY_SIZE(pairs) * 2 <= AUXV_WORDS, "room for the auxiliary vector");
	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		put(stack, pairs[i][0]);
		put(stack, pairs[i][1]);
	}
}

/* Pointers to the strings, which lie at `at` in the new space; returns the address past them. */
static uintptr_t put_pointers(
	struct stack_words *stack, const char **text, uintptr_t at, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		size_t length = strlen(*text) + 1;

		put(stack, at);
		at += length;
		*text += length;
	}
	put(stack, 0);
	return at;
}

static int build_stack(struct program *program, const char *name,
	const struct exec_strings *strings, uintptr_t *stack_pointer)
{
	static const char platform_name[] = "x86_64";
	struct space *space = program->space;
	size_t words = 1 + strings->argc + 1 + strings->envc + 1 + AUXV_WORDS;
	struct stack_words stack = {.words = kmalloc(words * sizeof(uint64_t))};
	uintptr_t at = space->stack_top - 8, name_at, platform, random, pointer;
	const char *text = strings->bytes;
	uint8_t seed[16];
	int error;

	if (!stack.words)
		return -ENOMEM;
	at = name_at = at - (strlen(name) + 1);
	at = space->arguments = at - strings->size;
	at = platform = ALIGN_DOWN(at - sizeof(platform_name), 16);
	at = random = at - sizeof(seed) - (random_bits(8) << 4);
	put(&stack, strings->argc);
	space->arguments_end = put_pointers(&stack, &text, space->arguments, strings->argc);
	space->environment_end = put_pointers(&stack, &text, space->arguments_end, strings->envc);
	put_auxv(&stack, program, random, name_at, platform);
	pointer = ALIGN_DOWN(at - stack.count * sizeof(uint64_t), 16);
	random_bytes(seed, sizeof(seed));
	error = space_write(space, name_at, name, strlen(name) + 1);
	if (!error)
		error = space_write(space, space->arguments, strings->bytes, strings->size);
	if (!error)
		error = space_write(space, platform, platform_name, sizeof(platform_name));
	if (!error)
		error = space_write(space, random, seed, sizeof(seed));
	if (!error)
		error = space_write(space, pointer, stack.words, stack.count * sizeof(uint64_t));
	kfree(stack.words);
	*stack_pointer = pointer;
	return error == -EFAULT ? -E2BIG : error;
}

static int map_stack(struct program *program, const struct exec_strings *strings)
{
	struct space *space = program->space;
	size_t size =
		ALIGN_UP(strings->size + (strings->argc + strings->envc + 128) * 8ul, PAGE_SIZE) +
		33 * PAGE_SIZE;
	unsigned access =
		MAP_READ | MAP_WRITE | (program->image.executable_stack ? MAP_EXECUTE : 0);
	long result = space_map(
		space, space->stack_top - size, size, access, VMA_GROWS_DOWN, SPACE_FIXED, NULL, 0);

	return result < 0 ? (int)result : 0;
}

static int map_vdso(struct program *program)
{
	long result = vdso_map(program->space);

	program->vdso = result < 0 ? 0 : (uintptr_t)result;
	return result < 0 ? (int)result : 0;
}

/* ---- Scripts ---- */

/* "#! interpreter argument": the strings become interpreter, argument, path, argv[1...]. */
static int script_line(
	struct file *file, const char *path, struct exec_strings *strings, char *interpreter)
{
	char line[SCRIPT_LINE + 1], *start, *end, *argument;
	ssize_t got = file_read_at(file, line, SCRIPT_LINE, 0);
	char *text;
	size_t length, path_length = strlen(path) + 1;
	int error;

	if (got < 2 || line[0] != '#' || line[1] != '!')
		return -ENOEXEC;
	line[got] = 0;
	end = strchr(line, '\n');
	if (!end && got == SCRIPT_LINE)
		return -ENOEXEC; /* the interpreter's name may be cut off */
	if (end)
		*end = 0;
	else
		end = line + got;
	while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
		*--end = 0;
	for (start = line + 2; *start == ' ' || *start == '\t'; start++)
		;
	if (!*start)
		return -ENOEXEC;
	for (argument = start; *argument && *argument != ' ' && *argument != '\t'; argument++)
		;
	length = (size_t)(argument - start);
	memcpy(interpreter, start, length);
	interpreter[length] = 0;
	while (*argument == ' ' || *argument == '\t')
		argument++;
	text = kmalloc(length + 1 + strlen(argument) + 1 + path_length);
	if (!text)
		return -ENOMEM;
	memcpy(text, interpreter, length + 1);
	length++;
	if (*argument) {
		memcpy(text + length, argument, strlen(argument) + 1);
		length += strlen(argument) + 1;
	}
	memcpy(text + length, path, path_length);
	error = strings_replace_first(strings, text, length + path_length, *argument ? 3 : 2);
	kfree(text);
	return error;
}

/* Opens the file, following #! lines, and reads its ELF headers. */
static int find_program(struct program *program, const char *path, struct exec_strings *strings)
{
	char name[2][SCRIPT_LINE];
	int error;

	for (int depth = 0; depth <= SCRIPT_DEPTH; depth++) {
		error = open_program(path, &program->file);
		if (error)
			return error;
		error = read_image(program->file, &program->image);
		if (error != -ENOEXEC) {
			if (error)
				file_put(program->file);
			return error;
		}
		error = script_line(program->file, path, strings, name[depth & 1]);
		file_put(program->file);
		if (error)
			return error;
		path = name[depth & 1];
	}
	return -ELOOP;
}

/* ---- The whole ---- */

static void base_name(char *out, const char *path)
{
	const char *slash = strrchr(path, '/');

	string_copy(out, slash ? slash + 1 : path, NAME_SIZE);
}

static void commit(
	struct program *program, const char *path, char *kept_path, uintptr_t stack_pointer)
{
	struct process *process = current_process();
	struct thread *self = current_thread();
	struct space *old = process->space;
	char *old_path;

	base_name(self->name, path);
	memcpy(process->name, self->name, NAME_SIZE);
	futex_thread_exit(self);
	files_close_on_exec(self->files);
	spin_lock(&process_lock); /* for who looks at other processes */
	old_path = process->path;
	process->path = kept_path;
	process->space = program->space;
	process->has_executed = true;
	spin_unlock(&process_lock);
	arch_space_use(&program->space->arch);
	arch_user_start(self, program->entry, stack_pointer);
	signal_exec();
	process_vfork_done(self);
	kfree(old_path);
	if (old)
		space_put(old);
}

int process_exec(const char *path, struct exec_strings *strings)
{
	struct program *program = kzalloc(sizeof(*program));
	uintptr_t stack_pointer = 0;
	char *kept_path;
	int error;

	if (!program)
		return -ENOMEM;
	error = find_program(program, path, strings);
	if (error) {
		kfree(program);
		return error;
	}
	kept_path = kmalloc(strlen(path) + 1);
	program->space = space_create();
	error = program->space && kept_path ? load_program(program) : -ENOMEM;
	if (!error)
		error = map_stack(program, strings);
	if (!error)
		error = map_vdso(program);
	if (!error)
		error = build_stack(program, path, strings, &stack_pointer);
	if (!error)
		error = signal_exec_prepare();
	file_put(program->file);
	if (error) {
		if (program->space)
			space_put(program->space);
		kfree(kept_path);
	} else {
		memcpy(kept_path, path, strlen(path) + 1);
		commit(program, path, kept_path, stack_pointer);
	}
	kfree(program);
	return error;
}
