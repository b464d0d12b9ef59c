/* SPDX-License-Identifier: MIT */
/*
 * The strings of execve: argv and envp, up to 6 MiB, in pages of the kernel. They are copied once
 * from the old program and written once into the new one's stack.
 *
 * How much is allowed (man 2 execve, "Limits on size of arguments and environment"): strings, the
 * program's name and the pointers to all of them together, as Linux counts them.
 */
#include <linux/resource.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/current.h"
#include "process/exec.h"

#define KIB         ((size_t)1024)
#define STRING_MOST (32 * PAGE_SIZE) /* MAX_ARG_STRLEN */
#define LEAST       (128 * KIB)
#define MOST        (6 * 1024 * KIB)
#define FIRST_PAGES ((size_t)8)

void exec_strings_init(struct exec_strings *strings)
{
	uint64_t quarter = process_limit(RLIMIT_STACK) / 4;

	*strings = (struct exec_strings){.most = quarter < MOST ? (size_t)quarter : MOST};
	if (strings->most < LEAST)
		strings->most = LEAST;
}

void exec_strings_free(struct exec_strings *strings)
{
	for (size_t i = 0; i < strings->page_count; i++)
		kfree(strings->pages[i]);
	kfree(strings->pages);
	kfree(strings->head);
	*strings = (struct exec_strings){0};
}

static int add_page(struct exec_strings *strings)
{
	if (strings->page_count == strings->page_room) {
		size_t room = strings->page_room ? 2 * strings->page_room : FIRST_PAGES;
		char **pages = kmalloc(room * sizeof(*pages));

		if (!pages)
			return -ENOMEM;
		if (strings->page_count)
			memcpy(pages, strings->pages, strings->page_count * sizeof(*pages));
		kfree(strings->pages);
		strings->pages = pages;
		strings->page_room = room;
	}
	strings->pages[strings->page_count] = kmalloc(PAGE_SIZE);
	if (!strings->pages[strings->page_count])
		return -ENOMEM;
	strings->page_count++;
	return 0;
}

/* Room at the end in one piece, after a pointer more was counted. 0 bytes: the limit is reached. */
static int room_at_end(struct exec_strings *strings, char **at, size_t *room)
{
	size_t within = strings->size % PAGE_SIZE;
	size_t used = exec_strings_size(strings) + strings->pointers * sizeof(uint64_t);
	int error;

	*room = PAGE_SIZE - within;
	if (used >= strings->most)
		*room = 0;
	else if (*room > strings->most - used)
		*room = strings->most - used;
	if (strings->size == strings->page_count * PAGE_SIZE && *room) {
		error = add_page(strings);
		if (error)
			return error;
	}
	*at = *room ? strings->pages[strings->size / PAGE_SIZE] + within : NULL;
	return 0;
}

int exec_strings_add(struct exec_strings *strings, const char *text)
{
	size_t left = strlen(text) + 1, room;
	char *at;

	if (left > STRING_MOST)
		return -E2BIG;
	strings->pointers++;
	while (left) {
		int error = room_at_end(strings, &at, &room);

		if (error || !room)
			return error ? error : -E2BIG;
		if (room > left)
			room = left;
		memcpy(at, text, room);
		strings->size += room;
		text += room;
		left -= room;
	}
	return 0;
}

int exec_strings_add_name(struct exec_strings *strings, const char *name)
{
	int error = exec_strings_add(strings, name);

	strings->pointers--;
	return error;
}

int exec_strings_add_user(struct exec_strings *strings, user_t text)
{
	size_t done = 0, room;
	ssize_t got;
	char *at;

	strings->pointers++;
	while (done < STRING_MOST) {
		int error = room_at_end(strings, &at, &room);

		if (error || !room)
			return error ? error : -E2BIG;
		if (room > STRING_MOST - done)
			room = STRING_MOST - done;
		got = copy_string_from_user(at, user_offset(text, done), room);
		if (got < 0 && got != -ENAMETOOLONG)
			return (int)got;
		strings->size += got < 0 ? room : (size_t)got + 1;
		if (got >= 0)
			return 0;
		done += room;
	}
	return -E2BIG;
}

const char *exec_strings_piece(const struct exec_strings *strings, size_t at, size_t *size)
{
	size_t within;

	if (at < strings->head_size) {
		*size = strings->head_size - at;
		return strings->head + at;
	}
	at += strings->skipped - strings->head_size;
	within = at % PAGE_SIZE;
	*size = strings->size - at < PAGE_SIZE - within ? strings->size - at : PAGE_SIZE - within;
	return strings->pages[at / PAGE_SIZE] + within;
}

/* Bytes of argv[0], its NUL included. */
static size_t first_size(const struct exec_strings *strings)
{
	size_t size = 0, piece;

	for (;;) {
		const char *text = exec_strings_piece(strings, size, &piece);
		const char *end = memchr(text, 0, piece);

		if (end)
			return size + (size_t)(end - text) + 1;
		size += piece;
	}
}

int exec_strings_replace(
	struct exec_strings *strings, const char *text, size_t size, unsigned count)
{
	size_t gone = first_size(strings), kept = 0;
	char *head;

	if (strings->head)
		kept = strings->head_size - gone;
	if (exec_strings_size(strings) - gone + size +
			(strings->pointers + count - 1) * sizeof(uint64_t) >
		strings->most)
		return -E2BIG;
	head = kmalloc(size + kept);
	if (!head)
		return -ENOMEM;
	memcpy(head, text, size);
	if (kept)
		memcpy(head + size, strings->head + gone, kept);
	if (!strings->head)
		strings->skipped = gone;
	kfree(strings->head);
	strings->head = head;
	strings->head_size = size + kept;
	strings->argc += count - 1;
	strings->pointers += count - 1;
	return 0;
}
