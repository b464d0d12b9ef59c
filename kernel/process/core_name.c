/* SPDX-License-Identifier: MIT */
/*
 * The name of a core file, made from kernel.core_pattern as man 5 core says. A letter after % that nothing stands
 * for, and a % at the end, leave nothing. In names that others choose (the program's, the host's) a slash becomes
 * an exclamation mark, and so does a whole name that is a dot, or two, or nothing, so that they lead nowhere else.
 * Pure.
 */
#include "process/core_name.h"

#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"

struct name_out {
	char *out;
	size_t size, used;
	bool full;
};

static void add(struct name_out *to, const char *format_text, ...) PRINTF_LIKE(2, 3);

static void add(struct name_out *to, const char *format_text, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format_text);
	length = format_va(to->out + to->used, to->size - to->used, format_text, arguments);
	va_end(arguments);
	if ((size_t)length >= to->size - to->used)
		to->full = true;
	else
		to->used += (size_t)length;
}

static void add_name(struct name_out *to, const char *name)
{
	size_t start = to->used;

	add(to, "%s", name);
	if (to->full)
		return;
	for (size_t i = start; i < to->used; i++)
		if (to->out[i] == '/')
			to->out[i] = '!';
	if (!*name)
		add(to, "!");
	else if (!strcmp(name, ".") || !strcmp(name, ".."))
		to->out[start] = '!';
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_letter(struct name_out *to, char letter, const struct core_facts *facts)
{
	switch (letter) {
	case '%':
		return add(to, "%%");
	case 'p':
	case 'P':
		return add(to, "%d", facts->process);
	case 'i':
	case 'I':
		return add(to, "%d", facts->thread);
	case 'u':
		return add(to, "%u", facts->uid);
	case 'g':
		return add(to, "%u", facts->gid);
	case 'd':
		return add(to, "%u", facts->dumpable);
	case 's':
		return add(to, "%d", facts->signal);
	case 't':
		return add(to, "%lu", facts->time);
	case 'c':
		return add(to, "%lu", facts->limit);
	case 'h':
		return add_name(to, facts->host);
	case 'e':
		return add_name(to, facts->name);
	case 'f':
		return add_name(to, base_of(facts->program));
	case 'E':
		return add_name(to, facts->program);
	default:
		return;
	}
}

int core_name(char *out, size_t size, const char *pattern, const struct core_facts *facts)
{
	struct name_out to = {.out = out, .size = size};
	bool has_process = false;

	for (; *pattern; pattern++) {
		if (*pattern != '%') {
			add(&to, "%c", *pattern);
			continue;
		}
		if (!*++pattern)
			break;
		has_process |= *pattern == 'p';
		add_letter(&to, *pattern, facts);
	}
	if (facts->with_process && !has_process)
		add(&to, ".%d", facts->process);
	return to.full ? -ENAMETOOLONG : 0;
}
