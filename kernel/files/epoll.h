/* SPDX-License-Identifier: MIT */
/* epoll: man 7 epoll. See epoll.c. */
#ifndef FILES_EPOLL_H
#define FILES_EPOLL_H

#include "files/vfs.h"

struct epoll_event; /* <linux/eventpoll.h> */

extern uint64_t epoll_most; /* fs.epoll.max_user_watches; atomic */
void epoll_init(void);
/* An epoll without files, open. 0 or -ENOMEM. */
int epoll_make(struct file **out) MUST_CHECK;
extern const struct file_operations epoll_file_operations;
static inline bool file_is_epoll(const struct file *file)
{
	return file->operations == &epoll_file_operations;
}

/* The same functions as epoll_ctl's, of an epoll and another open file, known by the descriptor `fd`. */
int epoll_add(
	struct file *epoll, struct file *file, int fd, const struct epoll_event *event) MUST_CHECK;
int epoll_change(
	struct file *epoll, struct file *file, int fd, const struct epoll_event *event) MUST_CHECK;
int epoll_remove(struct file *epoll, struct file *file, int fd) MUST_CHECK;
/* Waits until there are events or the deadline (0: no wait; NS_NEVER) is over, and writes up to `most` of
 * them to an array that lies in the user's half (user_range_ok): how many; -EINTR, -EFAULT. */
int epoll_wait(struct file *epoll, user_t events, int most, ns_t deadline) MUST_CHECK;
/* The last reference to an open file is gone: so it is from all epolls. (file_put) */
void epoll_forget(struct file *file);

#endif
