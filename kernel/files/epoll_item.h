/* SPDX-License-Identifier: MIT */
/* What epoll.c and epoll_nesting.c share. */
#ifndef FILES_EPOLL_ITEM_H
#define FILES_EPOLL_ITEM_H

#include "files/epoll.h"
#include "lib/tree.h"

#define EPOLL_QUEUES 2

struct epoll {
	uint32_t references; /* atomic: the open file's, and who forgets a file */
	struct mutex lock;   /* of the items; held while events are handed out */
	struct tree items;   /* by lock: by file and descriptor */
	/* In epoll_wait. Its lock guards the list, and items' ready links. */
	struct wait_queue sleepers;
	struct list ready;         /* items that may have something to tell, in order */
	struct wait_queue pollers; /* poll, and the epolls that this one is in */
	struct file *file;         /* not counted */
	struct list nested;        /* by watchers_lock: items whose files are epolls */
	const struct credentials *owner;
};

/* One file in one epoll. */
struct epoll_item {
	struct tree_node node;
	struct epoll *epoll;
	struct file *file; /* not counted: when it goes, the item goes before */
	int fd;
	uint32_t events; /* changed with the epoll's lock, read by callbacks */
	uint64_t data;
	struct list ready; /* on epoll->ready, or a batch of who hands out; else empty */
	/* by watchers_lock */
	struct epoll_item *next_watcher, **watcher; /* on file->watchers */
	struct list nested;                         /* on epoll->nested */
	struct epoll_on {
		struct wait_callback callback;
		struct wait_queue *queue; /* NULL: none */
		struct epoll_item *item;
	} on[EPOLL_QUEUES];
};

/* Which epolls watch a file; a leaf but for nothing. */
extern struct spinlock watchers_lock;

/* Would `inner`, an epoll, in `outer` be too deep, or a circle (-ELOOP), or one event be told by too many
 * ways (-EINVAL)? 0: neither. */
int epoll_check_nesting(struct epoll *outer, struct epoll *inner) MUST_CHECK;

#endif
