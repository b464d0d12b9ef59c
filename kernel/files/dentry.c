/* SPDX-License-Identifier: MIT */
/*
 * The dentry cache: names in directories, found by (parent, name).
 *
 * The table grows by linear hashing (Litwin 1980): whenever there are more than two entries a bucket,
 * one bucket is split in two, so that no insertion ever moves more than one chain and a directory of
 * 100,000 entries is as quick as one of ten. Buckets stand in segments of a page, allocated as the
 * table grows; without memory it merely stays as it is.
 *
 * Invariants: a hashed dentry is in the chain of bucket_of(hash); a dentry with references 0 is in
 * the table (cached) or is being freed; an unhashed dentry is never hashed again but by dentry_move.
 * The count falls to 0 with dentry_lock held only, so a lookup cannot meet a dying entry.
 *
 * Lock: dentry_lock, a leaf (the allocator's locks come after it).
 */
#include "files/vfs.h"

#include "files/inotify.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"

#define SEGMENT_BUCKETS 512u
#define SEGMENTS        512u

struct spinlock dentry_lock = SPINLOCK_INIT;

static struct dentry *first_segment[SEGMENT_BUCKETS];
static struct dentry **segments[SEGMENTS] guarded_by(dentry_lock) = {first_segment};
static uint32_t buckets guarded_by(dentry_lock) = SEGMENT_BUCKETS;
static uint32_t round_buckets guarded_by(dentry_lock) = SEGMENT_BUCKETS; /* <= buckets < 2 * it */
static uint64_t entries guarded_by(dentry_lock);

/* ---- Names, eight bytes at a time ---- */

#define WORD          8u
#define EACH(byte)    (UINT64_C(0x0101010101010101) * (byte))
#define IN_PAGE(text) ((uintptr_t)(text) & (PAGE_SIZE - 1))

/* Of the word's bytes that are 0, the lowest one has its top bit set, and none below has. */
static inline uint64_t zero_bytes(uint64_t word)
{
	return (word - EACH(1)) & ~word & EACH(0x80);
}

/* The lowest `count` bytes, 1 to 8. */
static inline uint64_t low_bytes(uint64_t word, uint32_t count)
{
	return word & (~UINT64_C(0) >> (8 * (WORD - count)));
}

static COLD uint64_t word_by_bytes(const char *text, uint32_t count)
{
	uint64_t word = 0;

	for (uint32_t i = 0; i < count && i < WORD && text[i]; i++)
		word |= (uint64_t)(unsigned char)text[i] << (8 * i);
	return word;
}

/* Up to a NUL or `count` bytes; what follows those in the same page may come with them. */
static inline __attribute__((no_sanitize("address"))) uint64_t word_at(
	const char *text, uint32_t count)
{
	uint64_t word;

	if (unlikely(IN_PAGE(text) > PAGE_SIZE - WORD))
		return word_by_bytes(text, count);
	__builtin_memcpy(&word, text, WORD);
	return word;
}

/* name_is, of names that are longer than short ones. */
static __attribute__((noinline)) bool long_name_is(
	const char *name, const char *text, uint32_t length, uint64_t tail)
{
	uint64_t word;

	for (; length >= WORD; length -= WORD, name += WORD, text += WORD) {
		__builtin_memcpy(&word, name, WORD);
		if (word != word_at(text, WORD))
			return false; /* before the end of the one that is shorter */
	}
	__builtin_memcpy(&word, name, WORD);
	return word == tail;
}

/* Whether `text` is a dentry's name, which has zeros behind it up to a whole word: `length` bytes, of which
 * `tail` is what follows the last whole word. */
static inline bool name_is(const char *name, const char *text, uint32_t length, uint64_t tail)
{
	uint64_t word;

	if (length >= WORD)
		return long_name_is(name, text, length, tail);
	__builtin_memcpy(&word, name, WORD);
	return word == tail;
}

static inline uint64_t hash_start(const struct dentry *parent)
{
	return (uintptr_t)parent;
}

/* Both halves of the product, so that every bit of the word has a part in each of the lower 32. */
static inline uint64_t hash_add(uint64_t hash, uint64_t word)
{
	unsigned __int128 product = (unsigned __int128)(hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of a name: its whole words, then what is left, be it nothing; that in *tail. */
static uint32_t hash_name(const struct dentry *parent, const struct name *name, uint64_t *tail)
{
	uint64_t hash = hash_start(parent);
	const char *text = name->text;
	uint32_t left = name->length;

	for (; left >= WORD; left -= WORD, text += WORD)
		hash = hash_add(hash, word_at(text, WORD));
	*tail = left ? low_bytes(word_at(text, left), left) : 0;
	return (uint32_t)hash_add(hash, *tail);
}

/* A path's component: its hash; its bytes behind the last whole word, and where they end. By value, in registers. */
struct component {
	uint64_t tail;
	uint32_t hash;
	uint32_t length; /* PATH_MAX at most */
};

/* Where the word has a NUL or a slash: of the lowest one the top bit is set, and no bit below. */
static inline uint64_t component_stop(uint64_t word)
{
	return zero_bytes(word) | zero_bytes(word ^ EACH('/'));
}

/* Of a component that ends in `word`, at `stop`, with `before` bytes in whole words. */
static inline struct component component_end(
	uint64_t hash, uint64_t word, uint64_t stop, uint32_t before)
{
	struct component made;

	made.tail = word & (stop ^ (stop - 1)) >> 8; /* the bytes below the lowest that stops */
	made.hash = (uint32_t)hash_add(hash, made.tail);
	made.length = before + (uint32_t)__builtin_ctzll(stop) / 8;
	return made;
}

/* hash_component, of one that is longer than a short name. */
static __attribute__((noinline)) struct component hash_long_component(
	const char *text, const struct dentry *parent)
{
	uint64_t hash = hash_start(parent), word, stop;
	uint32_t before = 0;

	for (;; before += WORD) {
		word = word_at(text + before, WORD);
		stop = component_stop(word);
		if (stop)
			return component_end(hash, word, stop, before);
		hash = hash_add(hash, word);
	}
}

/* As hash_name, of a path's component that begins with `text`. */
static inline struct component hash_component(const char *text, const struct dentry *parent)
{
	uint64_t word = word_at(text, WORD), stop = component_stop(word);

	if (!stop)
		return hash_long_component(text, parent);
	return component_end(hash_start(parent), word, stop, 0);
}

static struct dentry **bucket_of(uint32_t hash) requires(dentry_lock)
{
	uint32_t bucket = hash & (2 * round_buckets - 1);

	if (bucket >= buckets)
		bucket = hash & (round_buckets - 1);
	return &segments[bucket / SEGMENT_BUCKETS][bucket % SEGMENT_BUCKETS];
}

/* Splits the next bucket in turn. */
static void grow(void) requires(dentry_lock)
{
	uint32_t segment = buckets / SEGMENT_BUCKETS;
	struct dentry **old = bucket_of(buckets - round_buckets), **fresh;
	struct dentry *entry;

	if (segment >= SEGMENTS)
		return;
	if (!segments[segment])
		segments[segment] = kzalloc(SEGMENT_BUCKETS * sizeof(struct dentry *));
	if (!segments[segment])
		return;
	fresh = &segments[segment][buckets % SEGMENT_BUCKETS];
	while ((entry = *old)) {
		if ((entry->hash & (2 * round_buckets - 1)) != buckets) {
			old = &entry->hash_next;
			continue;
		}
		*old = entry->hash_next;
		entry->hash_next = *fresh;
		*fresh = entry;
	}
	if (++buckets == 2 * round_buckets)
		round_buckets = buckets;
}

static void insert(struct dentry *dentry) requires(dentry_lock)
{
	struct dentry **bucket = bucket_of(dentry->hash);

	dentry->hash_next = *bucket;
	*bucket = dentry;
	__atomic_or_fetch(&dentry->flags, DENTRY_HASHED, __ATOMIC_RELAXED);
	if (++entries > 2 * (uint64_t)buckets)
		grow();
}

static void take_out(struct dentry *dentry) requires(dentry_lock)
{
	struct dentry **link = bucket_of(dentry->hash);

	while (*link != dentry)
		link = &(*link)->hash_next;
	*link = dentry->hash_next;
	dentry->hash_next = NULL;
	__atomic_and_fetch(&dentry->flags, ~(uint32_t)DENTRY_HASHED, __ATOMIC_RELAXED);
	entries--;
}

static struct dentry *make(const struct name *name)
{
	struct dentry *dentry = kzalloc(sizeof(*dentry));

	if (!dentry)
		return NULL;
	dentry->name = dentry->short_name;
	if (name->length >= DENTRY_INLINE)
		dentry->name = kzalloc(ALIGN_DOWN(name->length, WORD) + WORD);
	if (!dentry->name) {
		kfree(dentry);
		return NULL;
	}
	memcpy(dentry->name, name->text, name->length);
	dentry->length = name->length;
	dentry->references = 1;
	dentry->parent = dentry;
	return dentry;
}

struct dentry *dentry_make(struct dentry *parent, const struct name *name)
{
	struct dentry *dentry = make(name);
	uint64_t tail;

	if (!dentry)
		return NULL;
	dentry_get(parent);
	dentry->parent = parent;
	dentry->hash = hash_name(parent, name, &tail);
	return dentry;
}

struct dentry *dentry_make_root(struct inode *inode)
{
	struct dentry *dentry = make(&(struct name){"", 0});

	if (dentry)
		dentry->inode = inode;
	return dentry;
}

/* Gives a reference back that is not the last one; false: it may be. */
static inline bool put_one_of_many(struct dentry *dentry)
{
	uint32_t count = __atomic_load_n(&dentry->references, __ATOMIC_RELAXED);

	while (count > 1)
		if (__atomic_compare_exchange_n(&dentry->references, &count, count - 1, true,
			    __ATOMIC_RELEASE, __ATOMIC_RELAXED))
			return true;
	return false;
}

/* Gives a reference back; true: it was the last one of a dentry that nobody can find. */
static bool put_last(struct dentry *dentry)
{
	bool last;

	if (put_one_of_many(dentry))
		return false;
	spin_lock(&dentry_lock);
	last = __atomic_sub_fetch(&dentry->references, 1, __ATOMIC_ACQ_REL) == 0 &&
	       !(dentry->flags & DENTRY_HASHED);
	spin_unlock(&dentry_lock);
	return last;
}

static COLD void put_and_free(struct dentry *dentry)
{
	struct dentry *parent;

	while (dentry && put_last(dentry)) {
		parent = dentry->parent == dentry ? NULL : dentry->parent;
		if (dentry->inode) {
			inotify_gone(dentry->inode);
			inode_put(dentry->inode);
		}
		if (dentry->name != dentry->short_name)
			kfree(dentry->name);
		kfree(dentry);
		dentry = parent;
	}
}

void dentry_put(struct dentry *dentry)
{
	if (dentry && unlikely(!put_one_of_many(dentry)))
		put_and_free(dentry);
}

/* With hash and tail as of hash_name. */
static inline struct dentry *find(const struct dentry *parent, const char *text, uint32_t length,
	uint32_t hash, uint64_t tail) requires(dentry_lock)
{
	struct dentry *entry;

	for (entry = *bucket_of(hash); entry; entry = entry->hash_next)
		if (likely(entry->hash == hash && entry->parent == parent) &&
			likely(name_is(entry->name, text, length, tail)))
			break;
	return entry;
}

enum descent { DESCEND_TO_LAST, DESCEND_WHOLE };

/* A directory through which everybody may go. */
static inline bool is_open_way(const struct inode *inode)
{
	const uint32_t all = S_IXUSR | S_IXGRP | S_IXOTH;

	return (__atomic_load_n(&inode->mode, __ATOMIC_RELAXED) & (S_IFMT | all)) ==
	       (S_IFDIR | all);
}

/* Whether a walk comes to this entry without another look: one that is there, with nothing mounted over it, and
 * an open way unless the path ends here; then it is no link, and no slash follows. */
static inline bool is_plain(const struct dentry *entry, bool ends) requires(dentry_lock)
{
	if (unlikely(!entry || !entry->inode ||
		     __atomic_load_n(&entry->flags, __ATOMIC_RELAXED) & DENTRY_MOUNTED))
		return false;
	return ends ? !S_ISLNK(entry->inode->mode) : is_open_way(entry->inode);
}

/* Down from `at`, as far as all is plain; with DESCEND_WHOLE up to the path's end, otherwise not through its
 * last component. *path is what is left. */
static inline struct dentry *descend(
	struct dentry *at, const char **path, enum descent how) requires(dentry_lock)
{
	const char *text = *path, *end, *next;
	struct component name;
	struct dentry *entry;

	if (!inode_searched_by_all(at->inode))
		return at;
	for (; *text && *text != '.'; text = next) {
		name = hash_component(text, at);
		next = end = text + name.length;
		if (*end) {
			do {
				next++;
			} while (unlikely(*next == '/'));
		}
		if (!*next && (how == DESCEND_TO_LAST || next != end))
			break;
		entry = find(at, text, name.length, name.hash, name.tail);
		if (!is_plain(entry, !*next))
			break;
		at = entry;
	}
	*path = text;
	return at;
}

struct dentry *dentry_descend(struct dentry *directory, const char **path)
{
	struct dentry *at;

	spin_lock(&dentry_lock);
	at = descend(directory, path, DESCEND_TO_LAST);
	if (at != directory)
		dentry_get(at);
	spin_unlock(&dentry_lock);
	return at;
}

bool dentry_find_path(const struct path *from, const char *path, struct path *out)
{
	struct dentry *at;

	spin_lock(&dentry_lock);
	at = descend(from->dentry, &path, DESCEND_WHOLE);
	if (!*path) {
		dentry_get(at);
		mount_get(from->mount);
		*out = (struct path){from->mount, at};
	}
	spin_unlock(&dentry_lock);
	return !*path;
}

struct dentry *dentry_find(struct dentry *parent, const struct name *name)
{
	struct dentry *entry;
	uint64_t tail;
	uint32_t hash = hash_name(parent, name, &tail);

	spin_lock(&dentry_lock);
	entry = find(parent, name->text, name->length, hash, tail);
	if (entry)
		dentry_get(entry);
	spin_unlock(&dentry_lock);
	return entry;
}

void dentry_hash(struct dentry *dentry)
{
	spin_lock(&dentry_lock);
	assert(!(dentry->flags & DENTRY_HASHED));
	insert(dentry);
	spin_unlock(&dentry_lock);
}

void dentry_unhash(struct dentry *dentry)
{
	spin_lock(&dentry_lock);
	if (dentry->flags & DENTRY_HASHED)
		take_out(dentry);
	spin_unlock(&dentry_lock);
}

/* The two change names; a short one lies inside the dentry. */
static void swap_names(struct dentry *a, struct dentry *b) requires(dentry_lock)
{
	char *a_long = a->name == a->short_name ? NULL : a->name;
	char *b_long = b->name == b->short_name ? NULL : b->name;
	char text[DENTRY_INLINE];
	uint32_t length = a->length;

	memcpy(text, a->short_name, DENTRY_INLINE);
	memcpy(a->short_name, b->short_name, DENTRY_INLINE);
	memcpy(b->short_name, text, DENTRY_INLINE);
	a->name = b_long ? b_long : a->short_name;
	b->name = a_long ? a_long : b->short_name;
	a->length = b->length;
	b->length = length;
}

void dentry_move(struct dentry *from, struct dentry *to)
{
	struct dentry *parent;
	uint32_t hash;

	spin_lock(&dentry_lock);
	if (to->flags & DENTRY_HASHED)
		take_out(to);
	if (from->flags & DENTRY_HASHED)
		take_out(from);
	swap_names(from, to);
	hash = from->hash;
	from->hash = to->hash;
	to->hash = hash;
	parent = from->parent; /* each keeps the other's reference to its parent */
	from->parent = to->parent;
	to->parent = parent;
	insert(from);
	spin_unlock(&dentry_lock);
}

void dentry_exchange(struct dentry *a, struct dentry *b)
{
	struct dentry *parent;
	uint32_t hash;

	spin_lock(&dentry_lock);
	take_out(a);
	take_out(b);
	swap_names(a, b);
	hash = a->hash;
	a->hash = b->hash;
	b->hash = hash;
	parent = a->parent; /* each takes over the other's reference */
	a->parent = b->parent;
	b->parent = parent;
	insert(a);
	insert(b);
	spin_unlock(&dentry_lock);
}

bool dentry_is_below(struct dentry *dentry, struct dentry *ancestor)
{
	bool below;

	spin_lock(&dentry_lock);
	while (dentry != ancestor && dentry->parent != dentry)
		dentry = dentry->parent;
	below = dentry == ancestor;
	spin_unlock(&dentry_lock);
	return below;
}

struct dentry *dentry_parent(struct dentry *dentry)
{
	struct dentry *parent;

	spin_lock(&dentry_lock);
	parent = dentry->parent;
	dentry_get(parent);
	spin_unlock(&dentry_lock);
	return parent;
}

struct dentry *dentry_parent_asking(struct dentry *dentry, uint32_t events, char name[NAME_MAX + 1])
{
	struct dentry *parent;

	spin_lock(&dentry_lock);
	parent = dentry->parent;
	if (parent == dentry ||
		!(__atomic_load_n(&parent->inode->asked, __ATOMIC_RELAXED) & events)) {
		parent = NULL;
	} else {
		dentry_get(parent);
		memcpy(name, dentry->name, dentry->length + 1);
	}
	spin_unlock(&dentry_lock);
	return parent;
}

int dentry_lookup_locked(struct dentry *directory, const struct name *name, struct dentry **out)
{
	struct inode *inode = directory->inode;
	struct dentry *dentry;
	int error;

	if (name->length > NAME_MAX)
		return -ENAMETOOLONG;
	*out = dentry_find(directory, name);
	if (*out)
		return 0;
	dentry = dentry_make(directory, name);
	if (!dentry)
		return -ENOMEM;
	if (inode->operations->lookup) {
		error = inode->operations->lookup(inode, dentry);
		if (error) {
			dentry_put(dentry);
			return error;
		}
		if (!(dentry->flags & DENTRY_UNCACHED))
			dentry_hash(dentry);
	}
	*out = dentry;
	return 0;
}

/* The first segment is no page of its own. */
uint64_t dentry_table_pages(void)
{
	uint64_t pages;

	spin_lock(&dentry_lock);
	pages = DIV_ROUND_UP(buckets, SEGMENT_BUCKETS) - 1;
	spin_unlock(&dentry_lock);
	return pages;
}

uint64_t dentry_count(void)
{
	uint64_t count;

	spin_lock(&dentry_lock);
	count = entries;
	spin_unlock(&dentry_lock);
	return count;
}
