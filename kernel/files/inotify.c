/* SPDX-License-Identifier: MIT */
/*
 * inotify: what happens to files, told to who watches them (man 7 inotify). Here is who watches what, and
 * who is told; the queues of events are in inotify_queue.c.
 *
 * The problem. Any call on any file may be of interest to somebody, hardly one ever is, and those must not
 * pay. A file's event is its directory's too, under the name by which it was reached. A watched file may
 * lose its last name, or its file system its place, while it is being watched.
 *
 * The design. A watch is of one inode and one instance (an open file of inotify_init). It holds a reference
 * to the inode, so that a watched inode stays the same, and stands on three lists: the inode's, its
 * instance's (a radix tree by the watch's number), and that of all. Whether an event is of interest is
 * asked in steps, each without a lock: `inotify_asked` is the union of what all watches ask for; a
 * superblock's `asked_of_names` that of the directories watched in it; an inode's `asked` is exact. Only when
 * directories are watched in the file system is the parent looked up, with dentry_lock; its reference and a
 * copy of the name are then used without it, as a move meanwhile is as well before as after.
 *
 * A union loses bits when its last watch goes, and not before.
 *
 * A file is gone (IN_DELETE_SELF) when it has neither a name nor a dentry in use: where its last dentry
 * goes, dentry.c asks. Each end of a watch is told by IN_IGNORED.
 *
 * Lock: inotify_lock, a spin lock, over all lists, masks and queues; wait_queue->lock and async_lock come after it. What
 * was taken off the lists under it is freed without it, as an inode may go with its last reference.
 */
#include "files/inotify.h"

#include "files/inotify_queue.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "process/credentials.h"

struct inotify_watch {
	struct inotify_watch *next; /* of the inode; then of those to be freed */
	struct list all;
	struct inotify *instance;
	struct inode *inode; /* a reference */
	int number;
	uint32_t mask; /* IN_ALL_EVENTS, IN_EXCL_UNLINK, IN_ONESHOT */
};

#define KEPT (IN_ALL_EVENTS | IN_EXCL_UNLINK | IN_ONESHOT)

struct spinlock inotify_lock = SPINLOCK_INIT;
uint32_t inotify_asked;
struct inotify_limits inotify_limits = {.events = 16384, .instances = 128, .watches = 8192};

static struct list all_watches guarded_by(inotify_lock) = LIST_INIT(all_watches);
static struct cache watches = CACHE_INIT("inotify watch", sizeof(struct inotify_watch), 0);

/* Linux's rule: a hundredth of memory, a watch with two inodes that it keeps. */
void inotify_init(void)
{
	const uint64_t cost = sizeof(struct inotify_watch) + 2 * sizeof(struct inode);
	uint64_t most = pages_total() / 100 * PAGE_SIZE / cost;

	most = most < 8192 ? 8192 : most;
	inotify_limits.watches = (uint32_t)(most > 1048576 ? 1048576 : most);
}

/* ---- What is asked for ---- */

static void set_asked(uint32_t *mask, uint32_t value)
{
	__atomic_store_n(mask, value, __ATOMIC_RELAXED);
}

/* After a watch came to the inode's list, or has another mask. */
static void ask_more(struct inode *inode) requires(inotify_lock)
{
	struct superblock *superblock = inode->superblock;
	uint32_t asked = 0;

	for (struct inotify_watch *watch = inode->watches; watch; watch = watch->next)
		asked |= watch->mask & IN_ALL_EVENTS;
	set_asked(&inode->asked, asked);
	if (is_directory(inode))
		set_asked(&superblock->asked_of_names, superblock->asked_of_names | asked);
	set_asked(&inotify_asked, inotify_asked | asked);
}

/* After one has left it, and the list of all. */
static void ask_less(struct inode *inode) requires(inotify_lock)
{
	struct superblock *superblock = inode->superblock;

	ask_more(inode);
	if (is_directory(inode) && --superblock->watched_directories == 0)
		set_asked(&superblock->asked_of_names, 0);
	if (list_empty(&all_watches))
		set_asked(&inotify_asked, 0);
}

/* ---- Watches come and go ---- */

static void enter(struct inotify_watch *watch) requires(inotify_lock)
{
	struct inode *inode = watch->inode;

	watch->next = inode->watches;
	__atomic_store_n(&inode->watches, watch, __ATOMIC_RELEASE);
	list_push_back(&all_watches, &watch->all);
	if (is_directory(inode))
		inode->superblock->watched_directories++;
	ask_more(inode);
}

/* Takes a watch off all lists, onto `gone`. */
static void leave(struct inotify_watch *watch, struct inotify_watch **gone) requires(inotify_lock)
{
	struct inotify_watch **link = &watch->inode->watches;
	void *was = radix_remove(&watch->instance->watches, (uint64_t)watch->number);

	assert(was == watch);
	while (*link != watch)
		link = &(*link)->next;
	__atomic_store_n(link, watch->next, __ATOMIC_RELEASE);
	list_remove(&watch->all);
	ask_less(watch->inode);
	__atomic_sub_fetch(&watch->instance->owner->user->inotify_watches, 1, __ATOMIC_RELAXED);
	watch->next = *gone;
	*gone = watch;
}

/* The same with a last event. */
static void end(struct inotify_watch *watch, struct inotify_watch **gone) requires(inotify_lock)
{
	inotify_queue(watch->instance, watch->number, IN_IGNORED, 0, NULL);
	leave(watch, gone);
}

static void free_all(struct inotify_watch *gone)
{
	while (gone) {
		struct inotify_watch *next = gone->next;

		inode_put(gone->inode);
		cache_free(&watches, gone);
		gone = next;
	}
}

static struct inotify_watch *find(
	const struct inotify *instance, const struct inode *inode) requires(inotify_lock)
{
	struct inotify_watch *watch = inode->watches;

	while (watch && watch->instance != instance)
		watch = watch->next;
	return watch;
}

/* Numbers rise, and are not given anew before all have been. A number is used up by a watch that is then
 * refused, too. */
static int take_number(struct inotify *instance, struct inotify_watch *watch) requires(inotify_lock)
{
	int error;

	do {
		instance->last_number = instance->last_number % INT32_MAX + 1;
		watch->number = instance->last_number;
		error = radix_put(&instance->watches, (uint64_t)watch->number, watch);
	} while (error == -EEXIST);
	return error;
}

static int add(struct inotify *instance, struct inotify_watch *watch) requires(inotify_lock)
{
	uint32_t *count = &instance->owner->user->inotify_watches;
	uint32_t most = __atomic_load_n(&inotify_limits.watches, __ATOMIC_RELAXED);
	int error = take_number(instance, watch);

	if (error)
		return error;
	if (__atomic_add_fetch(count, 1, __ATOMIC_RELAXED) > most) {
		__atomic_sub_fetch(count, 1, __ATOMIC_RELAXED);
		(void)radix_remove(&instance->watches, (uint64_t)watch->number);
		return -ENOSPC;
	}
	enter(watch);
	return watch->number;
}

static int change(struct inotify_watch *watch, uint32_t mask) requires(inotify_lock)
{
	if (mask & IN_MASK_CREATE)
		return -EEXIST;
	watch->mask = (mask & IN_MASK_ADD ? watch->mask : 0) | (mask & KEPT);
	ask_more(watch->inode);
	return watch->number;
}

int inotify_watch(struct file *file, struct inode *inode, uint32_t mask)
{
	struct inotify *instance = file->private;
	struct inotify_watch *new = cache_alloc(&watches), *old;
	int result;

	if (!new)
		return -ENOMEM;
	new->instance = instance;
	new->inode = inode;
	new->mask = mask &KEPT;
	spin_lock(&inotify_lock);
	old = find(instance, inode);
	result = old ? change(old, mask) : add(instance, new);
	if (!old && result > 0)
		inode_get(inode);
	spin_unlock(&inotify_lock);
	if (old || result < 0)
		cache_free(&watches, new);
	return result;
}

int inotify_unwatch(struct file *file, int number)
{
	struct inotify *instance = file->private;
	struct inotify_watch *watch, *gone = NULL;

	spin_lock(&inotify_lock);
	watch = number > 0 ? radix_get(&instance->watches, (uint64_t)number) : NULL;
	if (watch)
		end(watch, &gone);
	spin_unlock(&inotify_lock);
	free_all(gone);
	return watch ? 0 : -EINVAL;
}

/* The instance goes: nobody is told of the ends. */
void inotify_unwatch_all(struct inotify *instance)
{
	struct inotify_watch *watch, *gone = NULL;
	uint64_t number = 0;

	spin_lock(&inotify_lock);
	while ((watch = radix_next(&instance->watches, &number)))
		leave(watch, &gone);
	spin_unlock(&inotify_lock);
	free_all(gone);
}

bool inotify_next_watch(struct inotify *instance, int *number, struct inotify_state *out)
{
	uint64_t at = (uint64_t)*number + 1;
	struct inotify_watch *watch;

	spin_lock(&inotify_lock);
	watch = radix_next(&instance->watches, &at);
	if (watch) {
		*number = watch->number;
		*out = (struct inotify_state){watch->inode->number,
			watch->inode->superblock->device, watch->mask & ~IN_ONESHOT};
	}
	spin_unlock(&inotify_lock);
	return watch;
}

/* ---- Telling ---- */

enum name_state { NAME_THERE, NAME_GONE };

/* Who watches this inode: `name` is one in it. */
static void tell(struct inode *inode, uint32_t events, const char *name, uint32_t cookie,
	enum name_state state)
{
	struct inotify_watch *watch, *next, *gone = NULL;

	if (!(__atomic_load_n(&inode->asked, __ATOMIC_RELAXED) & events))
		return;
	spin_lock(&inotify_lock);
	for (watch = inode->watches; watch; watch = next) {
		next = watch->next;
		if (!(watch->mask & events & IN_ALL_EVENTS) ||
			(state == NAME_GONE && watch->mask & IN_EXCL_UNLINK))
			continue;
		inotify_queue(watch->instance, watch->number, events, cookie, name);
		if (watch->mask & IN_ONESHOT)
			end(watch, &gone);
	}
	spin_unlock(&inotify_lock);
	free_all(gone);
}

static uint32_t kind_of(const struct inode *inode)
{
	return is_directory(inode) ? IN_ISDIR : 0;
}

static COLD void tell_parent(struct dentry *dentry, uint32_t events, enum name_state state)
{
	char name[NAME_MAX + 1];
	struct dentry *parent = dentry_parent_asking(dentry, events, name);

	if (!parent)
		return;
	tell(parent->inode, events, name, 0, state);
	dentry_put(parent);
}

static void tell_both(struct dentry *dentry, uint32_t events, enum name_state state)
{
	struct inode *inode = dentry->inode;

	events |= kind_of(inode);
	if (__atomic_load_n(&inode->superblock->asked_of_names, __ATOMIC_RELAXED) & events)
		tell_parent(dentry, events, state);
	tell(inode, events, NULL, 0, state);
}

COLD void inotify_tell_file(const struct file *file, uint32_t events)
{
	struct dentry *dentry = file->path.dentry;
	uint32_t flags;

	if (file->flags & O_PATH)
		return;
	if (!dentry) {
		tell(file->inode, events, NULL, 0, NAME_THERE);
		return;
	}
	flags = __atomic_load_n(&dentry->flags, __ATOMIC_RELAXED);
	tell_both(dentry, events,
		flags & (DENTRY_HASHED | DENTRY_UNCACHED) || dentry->parent == dentry ? NAME_THERE
										      : NAME_GONE);
}

COLD void inotify_tell_dentry(struct dentry *dentry, uint32_t events)
{
	tell_both(dentry, events, NAME_THERE);
}

COLD void inotify_tell_self(struct inode *inode, uint32_t events)
{
	tell(inode, events | kind_of(inode), NULL, 0, NAME_THERE);
}

COLD void inotify_tell_name(
	struct inode *directory, const struct dentry *name, uint32_t events, uint32_t cookie)
{
	tell(directory, events | kind_of(name->inode), name->name, cookie, NAME_THERE);
}

/* As from Linux's first days, the ends of directories do not say that they are such. */
COLD void inotify_tell_gone(struct inode *inode)
{
	struct inotify_watch *gone = NULL;

	tell(inode, IN_DELETE_SELF, NULL, 0, NAME_THERE);
	spin_lock(&inotify_lock);
	while (inode->watches)
		end(inode->watches, &gone);
	spin_unlock(&inotify_lock);
	free_all(gone);
}

void inotify_moved(struct inode *from, struct inode *to, const struct dentry *was,
	const struct dentry *moved, struct inode *replaced)
{
	static uint32_t last_cookie;
	uint32_t cookie, kind = kind_of(moved->inode);

	if (!inotify_is_asked(IN_MOVE | IN_MOVE_SELF | IN_ATTRIB))
		return;
	do
		cookie = __atomic_add_fetch(&last_cookie, 1, __ATOMIC_RELAXED);
	while (!cookie);
	tell(from, IN_MOVED_FROM | kind, was->name, cookie, NAME_THERE);
	tell(to, IN_MOVED_TO | kind, moved->name, cookie, NAME_THERE);
	if (replaced)
		tell(replaced, IN_ATTRIB | kind_of(replaced), NULL, 0, NAME_THERE);
	tell(moved->inode, IN_MOVE_SELF, NULL, 0, NAME_THERE);
}

void inotify_unmounted(struct superblock *superblock)
{
	struct inotify_watch *watch, *next, *gone = NULL;

	spin_lock(&inotify_lock);
	list_for_each_safe(watch, next, &all_watches, all)
	{
		if (watch->inode->superblock != superblock)
			continue;
		inotify_queue(watch->instance, watch->number, IN_UNMOUNT | kind_of(watch->inode), 0,
			NULL);
		end(watch, &gone);
	}
	spin_unlock(&inotify_lock);
	free_all(gone);
}
