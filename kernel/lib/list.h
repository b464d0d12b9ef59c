/* SPDX-License-Identifier: MIT */
/* Circular doubly linked lists with the links inside the elements; a head is a link too.
 * A link that is on no list points to itself, so list_remove may be called twice. */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/types.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)          \
	{                        \
		&(name), &(name) \
	}
#define list_entry(link, type, member) container_of(link, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_for_each(pos, head, member)                                                       \
	for (pos = list_entry((head)->next, __typeof__(*pos), member); &pos->member != (head); \
		pos = list_entry(pos->member.next, __typeof__(*pos), member))
/* The same where the body may remove `pos`; `next` is another cursor. */
#define list_for_each_safe(pos, nxt, head, member)                        \
	for (pos = list_entry((head)->next, __typeof__(*pos), member),    \
	    nxt = list_entry(pos->member.next, __typeof__(*pos), member); \
		&pos->member != (head);                                   \
		pos = nxt, nxt = list_entry(nxt->member.next, __typeof__(*nxt), member))

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *head)
{
	return head->next == head;
}

static inline void list_add_after(struct list *link, struct list *where)
{
	link->next = where->next;
	link->prev = where;
	where->next->prev = link;
	where->next = link;
}

static inline void list_push_front(struct list *head, struct list *link)
{
	list_add_after(link, head);
}

static inline void list_push_back(struct list *head, struct list *link)
{
	list_add_after(link, head->prev);
}

static inline void list_remove(struct list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	list_init(link);
}

#endif
