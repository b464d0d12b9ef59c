/* SPDX-License-Identifier: MIT */
/*
 * What the tests of inotify share: an instance in a tmpfs of its own, and what it tells, in words.
 *
 * "CREATE,ISDIR d" is of the first watch of the instance, "2:OPEN" of the second; the cookies of moves are
 * compared by numbers that count from 1: "MOVED_FROM#1 a".
 */
#ifndef USER_TESTS_INOTIFY_H
#define USER_TESTS_INOTIFY_H

#include <sys/inotify.h>

#include "mounts.h"

static int in; /* the instance that most cases have */

static inline int make_instance(long flags)
{
	return (int)kernel_call(SYS_inotify_init1, flags);
}

static inline long watch_of(int instance, const char *path, uint32_t mask)
{
	return kernel_call(SYS_inotify_add_watch, instance, path, mask);
}

static inline long watch(const char *path, uint32_t mask)
{
	return watch_of(in, path, mask);
}

static inline void begin(void)
{
	enter();
	in = make_instance(IN_NONBLOCK);
	WANT(in >= 0);
}

static inline void end(void)
{
	close(in);
	leave();
}

/* ---- What comes, in words ---- */

static const struct {
	uint32_t bit;
	const char *name;
} bits[] = {
	{IN_ACCESS, "ACCESS"},
	{IN_MODIFY, "MODIFY"},
	{IN_ATTRIB, "ATTRIB"},
	{IN_CLOSE_WRITE, "CLOSE_WRITE"},
	{IN_CLOSE_NOWRITE, "CLOSE_NOWRITE"},
	{IN_OPEN, "OPEN"},
	{IN_MOVED_FROM, "MOVED_FROM"},
	{IN_MOVED_TO, "MOVED_TO"},
	{IN_CREATE, "CREATE"},
	{IN_DELETE, "DELETE"},
	{IN_DELETE_SELF, "DELETE_SELF"},
	{IN_MOVE_SELF, "MOVE_SELF"},
	{IN_UNMOUNT, "UNMOUNT"},
	{IN_Q_OVERFLOW, "Q_OVERFLOW"},
	{IN_IGNORED, "IGNORED"},
	{IN_ISDIR, "ISDIR"},
};

static inline char *add_mask(char *at, uint32_t mask)
{
	const char *comma = "";

	for (size_t i = 0; i < COUNT(bits); i++) {
		if (!(mask & bits[i].bit))
			continue;
		at += sprintf(at, "%s%s", comma, bits[i].name);
		comma = ",";
		mask &= ~bits[i].bit;
	}
	return mask ? at + sprintf(at, "+%#x", mask) : at;
}

static inline char *add_event(char *at, const struct inotify_event *event, uint32_t *first_cookie)
{
	if (event->wd != 1)
		at += sprintf(at, "%d:", event->wd);
	at = add_mask(at, event->mask);
	if (event->cookie) {
		if (!*first_cookie)
			*first_cookie = event->cookie;
		at += sprintf(at, "#%u", event->cookie - *first_cookie + 1);
	}
	if (event->len)
		at += sprintf(at, " %s", event->name);
	/* A name has a NUL, and is filled up to a multiple of the event's own size. */
	WANT_IS(event->len, event->len ? (strlen(event->name) + 1 + 15) / 16 * 16 : 0);
	for (size_t i = event->len ? strlen(event->name) : 0; i < event->len; i++)
		WANT_IS(event->name[i], 0);
	return at;
}

/* All that is queued, its parts with a blank and a stroke between. */
static inline const char *events_of(int instance)
{
	static char buffer[16384] __attribute__((aligned(8))), text[16384];
	uint32_t first_cookie = 0;
	char *at = text;
	long got;

	*at = '\0';
	while ((got = kernel_call(SYS_read, instance, buffer, sizeof buffer)) > 0) {
		for (long i = 0; i < got;) {
			const struct inotify_event *event = (const void *)(buffer + i);

			if (at > text)
				at += sprintf(at, " | ");
			at = add_event(at, event, &first_cookie);
			i += (long)sizeof *event + event->len;
		}
	}
	WANT_IS(got, -EAGAIN);
	return text;
}

/* `later`: what newer kernels than 6.1 say. */
static inline void want_events(int line, int instance, const char *expected, const char *later)
{
	const char *found = events_of(instance);

	if (!strcmp(found, expected) || !strcmp(found, later))
		return;
	dprintf(1, "# line %d: found    %s\n# line %d: expected %s\n", line, found, line, expected);
	_exit(1);
}
#define EVENTS(expected)              want_events(__LINE__, in, expected, expected)
#define EVENTS_OR(expected, later)    want_events(__LINE__, in, expected, later)
#define EVENTS_OF(instance, expected) want_events(__LINE__, instance, expected, expected)

static inline int open_file(const char *path, int flags)
{
	int fd = open(path, flags, 0644);

	WANT(fd >= 0);
	return fd;
}

static inline void make(const char *path)
{
	close(open_file(path, O_CREAT | O_WRONLY));
}

#endif
