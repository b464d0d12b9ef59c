/* SPDX-License-Identifier: MIT */
/* execve: arguments and environment on their way into a new program, and the change. See exec.c. */
#ifndef PROCESS_EXEC_H
#define PROCESS_EXEC_H

#include "lib/types.h"
#include "process/elf.h"

struct file;
struct space;

/* ---- exec_strings.c ---- */

/* argv, envp, the program's name, NUL-terminated one after the other, as kernel copies: what stands in `head`, then
 * what stands in the pages from `skipped` on. */
struct exec_strings {
	char **pages; /* PAGE_SIZE each */
	size_t page_count, page_room;
	size_t size;      /* bytes used in the pages */
	size_t skipped;   /* at their start: an argv[0] that a script's first line replaced */
	char *head;       /* what it was replaced by; NULL: nothing */
	size_t head_size; /* bytes */
	size_t most;      /* of strings and the pointers to them, in bytes: see exec_strings_init */
	size_t pointers;  /* how many there will be */
	unsigned argc, envc;
};

/* With as much room as Linux gives: a quarter of RLIMIT_STACK, but 128 KiB at least and 6 MiB at
 * most. */
void exec_strings_init(struct exec_strings *strings);
/* One more at the end. -E2BIG, -ENOMEM; -EFAULT. */
int exec_strings_add(struct exec_strings *strings, const char *text) MUST_CHECK;
int exec_strings_add_user(struct exec_strings *strings, user_t text) MUST_CHECK;
/* The program's own name, after all others. -E2BIG, -ENOMEM. */
int exec_strings_add_name(struct exec_strings *strings, const char *name) MUST_CHECK;
/* Puts `count` strings (`size` bytes with their NULs) in argv[0]'s place. -E2BIG, -ENOMEM. */
int exec_strings_replace(
	struct exec_strings *strings, const char *text, size_t size, unsigned count) MUST_CHECK;
void exec_strings_free(struct exec_strings *strings);

static inline size_t exec_strings_size(const struct exec_strings *strings)
{
	return strings->head_size + strings->size - strings->skipped;
}

/* A stretch of the strings from byte `at` on that lies in one piece; *size is how long it is. */
const char *exec_strings_piece(const struct exec_strings *strings, size_t at, size_t *size);

/* ---- The program to be ---- */

struct program {
	struct file *file;
	struct elf_image image;
	const char *name;      /* by which it was asked for: AT_EXECFN */
	uintptr_t bias;        /* added to the image's addresses */
	uintptr_t entry;       /* where the thread starts */
	uintptr_t interpreter; /* base of the interpreter; 0: none */
	uintptr_t vdso;        /* its ELF header; 0: none */
	uintptr_t stack;       /* the stack pointer it starts with */
	struct space *space;
	bool doomed;     /* what goes wrong now goes wrong on Linux when the old program is gone */
	unsigned unsafe; /* EXEC_*: why it gains no rights */
	bool secure;     /* AT_SECURE */
	bool unreadable; /* the caller may not read it, and so not look into the process either */
	uint64_t random[2];                    /* for addresses: program_random takes from it */
	uint8_t seed[16];                      /* AT_RANDOM */
	bool fixed;                            /* addresses are not random (ADDR_NO_RANDOMIZE) */
	const struct credentials *credentials; /* that it will have */
};

/* exec_load.c: reads the ELF headers. 0; -ENOEXEC (*why says what) or another errno. On success
 * image->segments is the caller's, for kfree. */
int program_read_image(struct file *file, struct elf_image *image) MUST_CHECK;
/* Maps the program and its interpreter into program->space. */
int program_load(struct program *program) MUST_CHECK;
/* kernel.randomize_va_space: 0: addresses are fixed, 1: the heap follows the program, 2: all is random. Atomic. */
extern int exec_randomize;
/* So many of its random bits, which are never used again (128 in all); 0 where fixed. */
uint64_t program_random(struct program *program, unsigned bits);
/* exec_stack.c: maps the stack and writes what it starts with. */
int program_build_stack(struct program *program, const struct exec_strings *strings) MUST_CHECK;

/* ---- exec.c ---- */

/* Replaces the running process's program; takes over the reference to `file`, which
 * file_open_program gave. `hidden`: `name` does not lead to it once the new program runs. On success
 * the thread's user registers are those of the new program. */
int process_exec(
	struct file *file, const char *name, bool hidden, struct exec_strings *strings) MUST_CHECK;

#endif
