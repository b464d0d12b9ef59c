/* SPDX-License-Identifier: MIT */
/*
 * Signals of files that can be read or written: F_SETOWN, F_SETSIG, O_ASYNC (man 2 fcntl). See async.c.
 *
 * A file that sends such signals has a list for each kind of news, which its `async` operation gives to
 * async_change; who changes it calls async_tell, after who waits was woken.
 */
#ifndef FILES_ASYNC_H
#define FILES_ASYNC_H

#include "lib/types.h"

struct async_entry;
struct file;

/* Open files that ask to be told. Zeroed: none. */
struct async_list {
	struct async_entry *first; /* async_lock; atomic */
};

/* What happened: siginfo's POLL_IN and its like. */
enum async_news {
	ASYNC_IN = 1,
	ASYNC_OUT,
	ASYNC_MESSAGE,
	ASYNC_ERROR,
	ASYNC_URGENT,
	ASYNC_HANG_UP,
};

/* What F_OWNER_* says. */
enum owner_kind { OWNER_THREAD, OWNER_PROCESS, OWNER_GROUP, OWNER_KINDS };

/* The open file, by this descriptor, is to stand on the list or not; O_ASYNC is set by that. Above 0: it does,
 * and did not; 0; -ENOMEM. */
int async_change(struct file *file, int fd, bool on, struct async_list *list) MUST_CHECK;
/* All leave the list. */
void async_drop_all(struct async_list *list);
/* The open file goes: off all lists, its owner is let go. Before its release. */
void async_forget(struct file *file);

/* In any context, with no lock but those that stand before async_lock. */
void async_send(struct async_list *list, enum async_news news);
static inline void async_tell(struct async_list *list, enum async_news news)
{
	if (unlikely(__atomic_load_n(&list->first, __ATOMIC_RELAXED)))
		async_send(list, news);
}

/* Asks for signals or no longer, by this descriptor; `none`: what it is where the file sends none. */
int async_set(struct file *file, int fd, bool on, int none) MUST_CHECK;
/* Who gets them; number 0: nobody. 0, -ESRCH, -EINVAL (no such kind), -ENOMEM. */
int async_set_owner(struct file *file, unsigned kind, int number) MUST_CHECK;
/* As F_SETOWN and F_GETOWN have it: below 0 a group. */
int async_set_owner_number(struct file *file, int number) MUST_CHECK;
int async_owner_number(struct file *file);
/* The same for a file that stands on a list, and only if it has no owner. */
void async_offer_owner(struct file *file, enum owner_kind kind, int number);
/* fcntl(F_SETOWN ... F_GETOWNER_UIDS); -EINVAL: not one of these. */
long async_control(struct file *file, int command, uintptr_t argument);

#endif
