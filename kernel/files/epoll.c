/* SPDX-License-Identifier: MIT */
/*
 * epoll (man 7 epoll): waiting for many files at the cost of those that have something to tell.
 *
 * An item is one open file, known by one descriptor, in one epoll. It stands on the file's wait queues as
 * a callback from the day it is added, which puts it on the epoll's list of ready items and
 * wakes one who waits. epoll_wait looks only at that list: it takes it as a batch, asks each file what
 * holds now, and hands out what is wanted. A level-triggered item goes back to the list's end (it is
 * asked again next time, and leaves when there is nothing); an edge-triggered one does not; a one-shot
 * one is left without events until it is changed. Files that are idle cost nothing.
 *
 * Invariants. An item whose file may have something wanted is on the list, on somebody's batch, or is
 * being asked. A wake-up that comes in between puts it on the list anew. So none is lost; one too many
 * is found out by asking.
 *
 * Lives. The open file holds the epoll, and items do not hold files: when the last reference to one is
 * gone, file_put calls epoll_forget, and only then gives up the file with its queues. An epoll that is
 * closed takes its items away itself. Whoever takes an item away holds the epoll's lock, leaves the
 * queues first and file->watchers last: once that is empty nobody touches the file.
 *
 * Locks: nesting_lock (mutex: one edge between epolls at a time); epoll->lock, an outer epoll's before an
 * inner one's, and before what files' poll functions take; watchers_lock, a spin lock. The spin lock of
 * `sleepers` comes after those of files' queues, and that of `pollers` too; see wait.c.
 */
#include "files/epoll.h"

#include <linux/eventpoll.h>

#include "files/anonymous.h"
#include "files/epoll_item.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/current.h"

/* Bits of an item's events that are no events. */
#define TRAITS ((uint32_t)(EPOLLWAKEUP | EPOLLONESHOT | EPOLLET | EPOLLEXCLUSIVE))
/* Told whether they were asked for or not. */
#define ALWAYS ((uint32_t)(EPOLLERR | EPOLLHUP))
/* The share of memory that one user's items may take: Linux's, of /proc/sys/fs/epoll/max_user_watches. */
#define SHARE 25

struct spinlock watchers_lock = SPINLOCK_INIT;
static struct mutex nesting_lock = MUTEX_INIT(nesting_lock);
static struct cache items = CACHE_INIT("epoll item", sizeof(struct epoll_item), 0);

uint64_t epoll_most;

void epoll_init(void)
{
	epoll_most = pages_total() / SHARE * PAGE_SIZE / sizeof(struct epoll_item);
}

/* ---- Ready ---- */

/* With the lock of its epoll's sleepers. */
static bool is_listed(const struct epoll_item *item)
{
	return !list_empty(&item->ready);
}

/* Puts an item on the list and wakes who waits for it. True: somebody. */
static bool make_ready(struct epoll_item *item)
{
	struct epoll *epoll = item->epoll;
	bool woken;

	spin_lock_nested(&epoll->sleepers.lock);
	if (!is_listed(item))
		list_push_back(&epoll->ready, &item->ready);
	woken = wake_one_locked(&epoll->sleepers);
	spin_unlock(&epoll->sleepers.lock);
	/* Who polls stands on its queue first and then looks at the list, with the lock above. */
	if (unlikely(!list_empty(&epoll->pollers.waiters)))
		wake_events_nested(&epoll->pollers, POLLIN | POLLRDNORM);
	return woken;
}

static bool wake_up(struct wait_callback *callback, unsigned events)
{
	struct epoll_on *on = container_of(callback, struct epoll_on, callback);
	uint32_t wanted = __atomic_load_n(&on->item->events, __ATOMIC_RELAXED);

	if (!(wanted & ~TRAITS & events))
		return false;
	return make_ready(on->item);
}

/* What the file says. With epoll->lock. */
static uint32_t ask(struct epoll_item *item, struct wait_queue *queues[EPOLL_QUEUES])
{
	struct file *file = item->file;

	if (!__atomic_load_n(&file->references, __ATOMIC_RELAXED))
		return 0; /* it is about to be forgotten */
	return file->operations->poll(file, queues);
}

/* What is wanted of it and holds. */
static inline uint32_t ask_again(struct epoll_item *item)
{
	struct wait_queue *queues[EPOLL_QUEUES] = {NULL};

	return ask(item, queues) & item->events & ~TRAITS;
}

/* ---- Handing out ---- */

/* To the beginning of another list. */
static void list_move_all(struct list *from, struct list *to)
{
	if (list_empty(from))
		return;
	from->next->prev = to;
	from->prev->next = to->next;
	to->next->prev = from->prev;
	to->next = from->next;
	list_init(from);
}

/* The first of the batch, on no list then; NULL: no more. */
static struct epoll_item *pop(struct list *batch)
{
	struct epoll_item *item;

	if (list_empty(batch))
		return NULL;
	item = list_first(batch, struct epoll_item, ready);
	list_remove(&item->ready);
	return item;
}

/* Others may go on with what is listed. */
static void pass_on(struct epoll *epoll) requires(epoll->sleepers.lock)
{
	if (!list_empty(&epoll->ready) && unlikely(!list_empty(&epoll->sleepers.waiters)))
		(void)wake_one_locked(&epoll->sleepers);
}

/* Takes a batch, and its first. */
static struct epoll_item *first_of(struct epoll *epoll, struct list *batch)
{
	struct epoll_item *item;

	list_init(batch);
	spin_lock(&epoll->sleepers.lock);
	item = pop(&epoll->ready);
	list_move_all(&epoll->ready, batch);
	spin_unlock(&epoll->sleepers.lock);
	return item;
}

/* The next of the batch; NULL: no more, and all is given back. `again` was asked and goes back to the list. */
static struct epoll_item *next_of(struct epoll *epoll, struct list *batch, struct epoll_item *again)
{
	struct epoll_item *item;

	spin_lock(&epoll->sleepers.lock);
	if (again && !is_listed(again))
		list_push_back(&epoll->ready, &again->ready);
	item = pop(batch);
	if (!item)
		pass_on(epoll);
	spin_unlock(&epoll->sleepers.lock);
	return item;
}

/* An item that was asked is the batch's first again, if it was not made ready meanwhile. */
static void keep_first(struct epoll *epoll, struct list *batch, struct epoll_item *item)
{
	spin_lock(&epoll->sleepers.lock);
	if (!is_listed(item))
		list_push_front(batch, &item->ready);
	spin_unlock(&epoll->sleepers.lock);
}

/* Gives back before the batch's end: what was not asked comes first again; `again` was, and comes last. */
static void give_back(struct epoll *epoll, struct list *batch, struct epoll_item *again)
{
	spin_lock(&epoll->sleepers.lock);
	if (again && !is_listed(again))
		list_push_back(&epoll->ready, &again->ready);
	list_move_all(batch, &epoll->ready);
	pass_on(epoll);
	spin_unlock(&epoll->sleepers.lock);
}

/* `to` has been found to be the user's. */
static inline int put_event(user_t to, uint32_t events, uint64_t data)
{
	const struct epoll_event event = {.events = events, .data = data};

	return arch_user_copy((void *)to.address, &event, sizeof(event)) ? -EFAULT : 0;
}

/* Of an item that was handed out: whether it is to be asked again next time. */
static bool stays(struct epoll_item *item)
{
	if (item->events & EPOLLONESHOT)
		__atomic_store_n(&item->events, item->events & TRAITS, __ATOMIC_RELAXED);
	return !(item->events & (EPOLLONESHOT | EPOLLET));
}

/* How many events were written; -EFAULT where that failed with the first. */
static int hand_out(struct epoll *epoll, user_t out, int most)
{
	struct epoll_item *item, *again;
	struct list batch;
	uint32_t events;
	int count = 0, error = 0;

	mutex_lock(&epoll->lock);
	for (item = first_of(epoll, &batch); item; item = next_of(epoll, &batch, again)) {
		again = NULL;
		events = ask_again(item);
		if (events)
			error = put_event(user_offset(out, count * sizeof(struct epoll_event)),
				events, item->data);
		if (error)
			keep_first(epoll, &batch, item);
		else if (events && ++count && stays(item))
			again = item;
		if (error || count == most) {
			give_back(epoll, &batch, again);
			break;
		}
	}
	mutex_unlock(&epoll->lock);
	return count ? count : error;
}

static bool has_ready(const struct epoll *epoll)
{
	return __atomic_load_n(&epoll->ready.next, __ATOMIC_ACQUIRE) != &epoll->ready;
}

int epoll_wait(struct file *file, user_t events, int most, ns_t deadline)
{
	struct epoll *epoll = file->private;
	struct waiter self;
	int error = 0, count;

	for (;;) {
		count = has_ready(epoll) ? hand_out(epoll, events, most) : 0;
		if (count || !deadline || error == -ETIMEDOUT)
			return count;
		if (error)
			return -EINTR;
		wait_prepare(&epoll->sleepers, &self);
		if (!has_ready(epoll))
			error = wait_sleep(deadline);
		wait_finish(&epoll->sleepers, &self);
	}
}

/* An epoll is readable when one of its files has something to tell. Those that have not leave the list. */
static unsigned int epoll_poll(struct file *file, struct wait_queue *queues[2])
{
	struct epoll *epoll = file->private;
	struct epoll_item *item;
	struct list batch;

	queues[0] = &epoll->pollers;
	mutex_lock_nested(&epoll->lock);
	item = first_of(epoll, &batch);
	while (item && !ask_again(item))
		item = next_of(epoll, &batch, NULL);
	if (item) {
		keep_first(epoll, &batch, item);
		give_back(epoll, &batch, NULL);
	}
	mutex_unlock(&epoll->lock);
	return item ? POLLIN | POLLRDNORM : 0;
}

/* ---- Items ---- */

/* Those of a file before those of the next, by descriptor. */
static bool comes_before(const struct epoll_item *item, const struct file *file, int fd)
{
	return item->file != file ? item->file < file : item->fd < fd;
}

static bool item_less(const struct tree_node *a, const struct tree_node *b)
{
	const struct epoll_item *second = tree_entry(b, struct epoll_item, node);

	return comes_before(tree_entry(a, struct epoll_item, node), second->file, second->fd);
}

/* The first of the file with at least that descriptor; NULL: none. */
static struct epoll_item *find_from(
	const struct epoll *epoll, const struct file *file, int fd) requires(epoll->lock)
{
	struct tree_node *node = epoll->items.root;
	struct epoll_item *item, *found = NULL;

	while (node) {
		item = tree_entry(node, struct epoll_item, node);
		if (comes_before(item, file, fd)) {
			node = node->right;
		} else {
			found = item;
			node = node->left;
		}
	}
	return found && found->file == file ? found : NULL;
}

static struct epoll_item *find(const struct epoll *epoll, const struct file *file, int fd) requires(
	epoll->lock)
{
	struct epoll_item *item = find_from(epoll, file, fd);

	return item && item->fd == fd ? item : NULL;
}

/* Counted against the epoll's owner. NULL: *error is -ENOSPC, -ENOMEM. */
static struct epoll_item *alloc_item(struct epoll *epoll, int *error)
{
	const uint64_t most = __atomic_load_n(&epoll_most, __ATOMIC_RELAXED);
	uint32_t *count = &epoll->owner->user->watches;
	struct epoll_item *item = NULL;

	*error = -ENOSPC;
	if (__atomic_add_fetch(count, 1, __ATOMIC_RELAXED) <= most) {
		*error = -ENOMEM;
		item = cache_alloc(&items);
	}
	if (!item)
		__atomic_sub_fetch(count, 1, __ATOMIC_RELAXED);
	return item;
}

static void link_watcher(struct epoll_item *item)
{
	struct file *file = item->file;

	spin_lock(&watchers_lock);
	item->next_watcher = file->watchers;
	if (item->next_watcher)
		item->next_watcher->watcher = &item->next_watcher;
	item->watcher = &file->watchers;
	__atomic_store_n(&file->watchers, item, __ATOMIC_RELEASE);
	if (file_is_epoll(file))
		list_push_back(&item->epoll->nested, &item->nested);
	spin_unlock(&watchers_lock);
}

/* The last thing that is done to the item's file. */
static void unlink_watcher(struct epoll_item *item)
{
	spin_lock(&watchers_lock);
	list_remove(&item->nested);
	if (item->next_watcher)
		item->next_watcher->watcher = item->watcher;
	__atomic_store_n(item->watcher, item->next_watcher, __ATOMIC_RELEASE);
	spin_unlock(&watchers_lock);
}

/* Stands on the file's queues from now on; -ENOMEM: on none. */
static int stand(struct epoll_item *item)
{
	struct wait_queue *queues[EPOLL_QUEUES] = {NULL};

	if (ask(item, queues) & POLL_NO_MEMORY)
		return -ENOMEM;
	for (unsigned i = 0; i < EPOLL_QUEUES; i++) {
		struct epoll_on *on = &item->on[i];

		on->item = item;
		on->queue = queues[i];
		on->callback.call = wake_up;
		on->callback.exclusive = item->events & EPOLLEXCLUSIVE;
		if (on->queue)
			wait_add(on->queue, &on->callback);
	}
	return 0;
}

static void remove_item(struct epoll *epoll, struct epoll_item *item) requires(epoll->lock)
{
	for (unsigned i = 0; i < EPOLL_QUEUES; i++)
		if (item->on[i].queue)
			wait_remove(item->on[i].queue, &item->on[i].callback);
	unlink_watcher(item);
	tree_remove(&epoll->items, &item->node);
	spin_lock(&epoll->sleepers.lock);
	list_remove(&item->ready);
	spin_unlock(&epoll->sleepers.lock);
	__atomic_sub_fetch(&epoll->owner->user->watches, 1, __ATOMIC_RELAXED);
	cache_free(&items, item);
}

static int add_locked(struct epoll *epoll, struct file *file, int fd,
	const struct epoll_event *event) requires(epoll->lock)
{
	struct epoll_item *item;
	int error;

	if (find(epoll, file, fd))
		return -EEXIST;
	if (file_is_epoll(file)) {
		error = epoll_check_nesting(epoll, file->private);
		if (error)
			return error;
	}
	item = alloc_item(epoll, &error);
	if (!item)
		return error;
	item->epoll = epoll;
	item->file = file;
	item->fd = fd;
	item->events = event->events | ALWAYS;
	item->data = event->data;
	list_init(&item->ready);
	list_init(&item->nested);
	tree_insert(&epoll->items, &item->node, item_less);
	link_watcher(item);
	error = stand(item);
	if (error)
		remove_item(epoll, item);
	else if (ask_again(item))
		(void)make_ready(item);
	return error;
}

static int lock_and_add(
	struct epoll *epoll, struct file *file, int fd, const struct epoll_event *event)
{
	int error;

	mutex_lock(&epoll->lock);
	error = add_locked(epoll, file, fd, event);
	mutex_unlock(&epoll->lock);
	return error;
}

int epoll_add(struct file *file, struct file *other, int fd, const struct epoll_event *event)
{
	int error;

	if (!file_is_epoll(other))
		return lock_and_add(file->private, other, fd, event);
	mutex_lock(&nesting_lock);
	error = lock_and_add(file->private, other, fd, event);
	mutex_unlock(&nesting_lock);
	return error;
}

int epoll_change(struct file *file, struct file *other, int fd, const struct epoll_event *event)
{
	struct epoll *epoll = file->private;
	struct epoll_item *item;
	int error = 0;

	mutex_lock(&epoll->lock);
	item = find(epoll, other, fd);
	if (!item) {
		error = -ENOENT;
	} else if (item->events & EPOLLEXCLUSIVE) {
		error = -EINVAL;
	} else {
		item->data = event->data;
		/* Before the file is asked: what comes after that finds the new events. */
		__atomic_exchange_n(&item->events, event->events | ALWAYS, __ATOMIC_SEQ_CST);
		if (ask_again(item))
			(void)make_ready(item);
	}
	mutex_unlock(&epoll->lock);
	return error;
}

int epoll_remove(struct file *file, struct file *other, int fd)
{
	struct epoll *epoll = file->private;
	struct epoll_item *item;

	mutex_lock(&epoll->lock);
	item = find(epoll, other, fd);
	if (item)
		remove_item(epoll, item);
	mutex_unlock(&epoll->lock);
	return item ? 0 : -ENOENT;
}

/* ---- Life ---- */

static void epoll_put(struct epoll *epoll)
{
	if (__atomic_sub_fetch(&epoll->references, 1, __ATOMIC_ACQ_REL))
		return;
	credentials_put(epoll->owner);
	kfree(epoll);
}

static void epoll_release(struct file *file)
{
	struct epoll *epoll = file->private;
	struct tree_node *node;

	mutex_lock(&epoll->lock);
	while ((node = epoll->items.root))
		remove_item(epoll, tree_entry(node, struct epoll_item, node));
	mutex_unlock(&epoll->lock);
	epoll_put(epoll);
}

/* An epoll that the file is in, with a reference. */
static struct epoll *epoll_of_watcher(const struct file *file)
{
	struct epoll *epoll = NULL;

	spin_lock(&watchers_lock);
	if (file->watchers) {
		epoll = file->watchers->epoll;
		__atomic_add_fetch(&epoll->references, 1, __ATOMIC_RELAXED);
	}
	spin_unlock(&watchers_lock);
	return epoll;
}

void epoll_forget(struct file *file)
{
	struct epoll_item *item;
	struct epoll *epoll;

	while ((epoll = epoll_of_watcher(file))) {
		mutex_lock(&epoll->lock);
		while ((item = find_from(epoll, file, 0)))
			remove_item(epoll, item);
		mutex_unlock(&epoll->lock);
		epoll_put(epoll);
	}
}

const struct file_operations epoll_file_operations = {
	.name = "anon_inode:[eventpoll]",
	.release = epoll_release,
	.poll = epoll_poll,
	.traits = FILE_STREAM | FILE_SEEKS_NOWHERE,
};

int epoll_make(struct file **out)
{
	struct epoll *epoll = kzalloc(sizeof(*epoll));
	int error;

	if (!epoll)
		return -ENOMEM;
	epoll->references = 1;
	mutex_init(&epoll->lock, "epoll->lock");
	wait_queue_init(&epoll->sleepers);
	wait_queue_init(&epoll->pollers);
	list_init(&epoll->ready);
	list_init(&epoll->nested);
	tree_init(&epoll->items);
	epoll->owner = current_credentials();
	credentials_get(epoll->owner);
	error = anonymous_file(&epoll_file_operations, epoll, O_RDWR, out);
	if (error)
		epoll_put(epoll);
	else
		epoll->file = *out;
	return error;
}
