/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables: from small numbers to open files.
 *
 * A table has slots, then a bit map of the descriptors in use and one of those to be closed by exec;
 * the first ones lie in one block with it. It doubles as needed up to RLIMIT_NOFILE. A bit that is
 * set with an empty slot is a descriptor promised to a call under way (open reserves before it walks,
 * as Linux does, so that EMFILE comes first and the file is published only when it is whole).
 *
 * Invariants: a slot that is full has its bit set; close-on-exec bits are a subset of the bits in
 * use; no bit below `hint` is clear.
 *
 * References are those of the threads that use the table, and of nobody else: exec copies a shared table, the
 * last put closes all, and files_borrow goes by the count. Who looks into another process's table holds
 * process_lock meanwhile, under which threads let go of theirs.
 *
 * Locks: files->lock guards all but the reference count. It is a leaf; files are put after it. Who has a table
 * of its own reads it without, marks a descriptor as used, and fills a slot that is promised: others read slots
 * with the lock, and bits as they find them. A slot is emptied, and slots are replaced, with the lock.
 */
#include "files/table.h"

#include <linux/resource.h>

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/current.h"

#define WORD_BITS   64u
#define FIRST_SLOTS 64u

uint64_t files_limit(void)
{
	uint64_t limit = process_limit(RLIMIT_NOFILE);

	return limit < INT32_MAX ? limit : INT32_MAX;
}

uint32_t files_room(struct files *files)
{
	uint32_t count;

	spin_lock(&files->lock);
	count = files->slots->count;
	spin_unlock(&files->lock);
	return count;
}

static bool get_bit(const uint64_t *bits, uint32_t n)
{
	return bits[n / WORD_BITS] >> (n % WORD_BITS) & 1;
}

static void set_bit(uint64_t *bits, uint32_t n, bool on)
{
	uint64_t bit = UINT64_C(1) << (n % WORD_BITS);

	if (on)
		bits[n / WORD_BITS] |= bit;
	else
		bits[n / WORD_BITS] &= ~bit;
}

/* A descriptor comes into use. */
static void use_bit(struct file_slots *slots, uint32_t n, bool close_on_exec)
{
	uint64_t bit = UINT64_C(1) << (n % WORD_BITS),
		 *close = &slots->close_on_exec[n / WORD_BITS];

	slots->used[n / WORD_BITS] |= bit;
	*close = close_on_exec ? *close | bit : *close & ~bit;
}

static size_t slots_size(uint32_t count)
{
	return sizeof(struct file_slots) + count * sizeof(struct file *) +
	       2 * (count / WORD_BITS) * sizeof(uint64_t);
}

/* `slots` are zeroes. */
static struct file_slots *slots_init(struct file_slots *slots, uint32_t count)
{
	slots->count = count;
	slots->used = (uint64_t *)(void *)&slots->file[count];
	slots->close_on_exec = slots->used + count / WORD_BITS;
	return slots;
}

static struct file_slots *make_slots(uint32_t count)
{
	struct file_slots *slots = kzalloc(slots_size(count));

	return slots ? slots_init(slots, count) : NULL;
}

/* Those that lie behind the table itself: enough for most. */
static struct file_slots *first_slots(struct files *files)
{
	return (struct file_slots *)(void *)(files + 1);
}

static void drop_slots(struct files *files, struct file_slots *slots)
{
	if (slots != first_slots(files))
		kfree(slots);
}

/* Copies a table's contents into a larger or equal one. */
static void copy_slots(struct file_slots *to, const struct file_slots *from)
{
	memcpy(to->file, from->file, from->count * sizeof(from->file[0]));
	memcpy(to->used, from->used, from->count / 8);
	memcpy(to->close_on_exec, from->close_on_exec, from->count / 8);
}

uint64_t files_open_bits(struct files *files, uint32_t first)
{
	uint64_t open = 0;

	spin_lock(&files->lock);
	if (first < files->slots->count)
		open = files->slots->used[first / WORD_BITS];
	spin_unlock(&files->lock);
	return open;
}

struct files *files_create(void)
{
	struct files *files = kzalloc(sizeof(*files) + slots_size(FIRST_SLOTS));

	if (!files)
		return NULL;
	files->references = 1;
	spin_init(&files->lock, "files->lock");
	files->slots = slots_init(first_slots(files), FIRST_SLOTS);
	return files;
}

/* The first bit set at or above `from`; count where there is none. */
static uint32_t next_set(const uint64_t *bits, uint32_t count, uint32_t from)
{
	for (uint32_t n = from; n < count; n = (n / WORD_BITS + 1) * WORD_BITS) {
		uint64_t set = bits[n / WORD_BITS] & (~UINT64_C(0) << (n % WORD_BITS));

		if (set)
			return n / WORD_BITS * WORD_BITS + (uint32_t)__builtin_ctzll(set);
	}
	return count;
}

static uint32_t next_used(const struct file_slots *slots, uint32_t from)
{
	return next_set(slots->used, slots->count, from);
}

/* A copy has every open file once more; descriptors only promised are not copied. */
static void take_files(struct file_slots *slots)
{
	for (uint32_t i = next_used(slots, 0); i < slots->count; i = next_used(slots, i + 1)) {
		if (slots->file[i])
			file_get(slots->file[i]);
		else
			set_bit(slots->used, i, false);
	}
}

struct files *files_copy(struct files *from)
{
	uint32_t count = __atomic_load_n(&from->slots, __ATOMIC_ACQUIRE)->count;
	struct files *files = files_create();
	struct file_slots *slots;

	if (!files)
		return NULL;
	for (;;) { /* until the copy is as large as the table is by then */
		slots = count > FIRST_SLOTS ? make_slots(count) : files->slots;
		if (!slots) {
			kfree(files);
			return NULL;
		}
		spin_lock(&from->lock);
		if (from->slots->count <= slots->count)
			break;
		count = from->slots->count;
		spin_unlock(&from->lock);
		drop_slots(files, slots);
	}
	copy_slots(slots, from->slots);
	take_files(slots);
	spin_unlock(&from->lock);
	files->slots = slots;
	return files;
}

bool files_shared(const struct files *files)
{
	return __atomic_load_n(&files->references, __ATOMIC_RELAXED) > 1;
}

void files_get(struct files *files)
{
	__atomic_add_fetch(&files->references, 1, __ATOMIC_RELAXED);
}

void files_put(struct files *files)
{
	if (__atomic_sub_fetch(&files->references, 1, __ATOMIC_ACQ_REL))
		return;
	for (uint32_t i = next_used(files->slots, 0); i < files->slots->count;
		i = next_used(files->slots, i + 1))
		if (files->slots->file[i])
			file_close(files->slots->file[i], files);
	drop_slots(files, files->slots);
	kfree(files);
}

/* Makes room for descriptor `fd`. With files->lock, which it may give away and take again. */
static int make_room(struct files *files, uint32_t fd) requires(files->lock)
{
	struct file_slots *larger, *old;
	uint32_t count = files->slots->count;

	while (files->slots->count <= fd) {
		while (count <= fd)
			count *= 2;
		spin_unlock(&files->lock);
		larger = make_slots(count);
		spin_lock(&files->lock);
		if (!larger)
			return -ENOMEM;
		old = files->slots;
		if (old->count < count) {
			copy_slots(larger, old);
			__atomic_store_n(&files->slots, larger, __ATOMIC_RELEASE);
			larger = old;
		}
		drop_slots(files, larger);
	}
	return 0;
}

/* The lowest clear bit at or above `least`; slots->count when there is none. */
static uint32_t lowest_free(const struct file_slots *slots, uint32_t least)
{
	for (uint32_t n = least; n < slots->count; n = (n / WORD_BITS + 1) * WORD_BITS) {
		uint64_t free = ~slots->used[n / WORD_BITS] & (~UINT64_C(0) << (n % WORD_BITS));

		if (free)
			return n / WORD_BITS * WORD_BITS + (uint32_t)__builtin_ctzll(free);
	}
	return slots->count > least ? slots->count : least;
}

/* The lowest descriptor at or above `from` that is free, marked as used; -EMFILE, -ENOMEM. */
static inline int reserve_locked(struct files *files, uint32_t from, uint64_t limit,
	bool close_on_exec) requires(files->lock)
{
	uint32_t fd;
	int error;

	do { /* a descriptor at `hint` that is free is the one: none below is */
		fd = from < files->hint ? files->hint : from;
		if (fd >= files->slots->count || get_bit(files->slots->used, fd))
			fd = lowest_free(files->slots, fd);
		error = fd >= limit ? -EMFILE : 0;
		if (!error && unlikely(fd >= files->slots->count))
			error = make_room(files, fd);
	} while (!error && get_bit(files->slots->used, fd));
	if (error)
		return error;
	use_bit(files->slots, fd, close_on_exec);
	if (from <= files->hint)
		files->hint = fd + 1;
	return (int)fd;
}

/* The descriptor at `hint`, in a table of the caller's own, which nobody else changes: who looks at it finds each
 * word as it was or as it is. False: that one will not do. */
static inline bool reserve_own(
	struct files *files, uint64_t limit, bool close_on_exec) no_lock_checks
{
	struct file_slots *slots = files->slots;
	uint32_t fd = files->hint;
	uint64_t bit = UINT64_C(1) << (fd % WORD_BITS), used, close;

	if (unlikely(fd >= limit || fd >= slots->count))
		return false;
	used = slots->used[fd / WORD_BITS];
	if (used & bit)
		return false;
	close = slots->close_on_exec[fd / WORD_BITS] & ~bit;
	__atomic_store_n(&slots->used[fd / WORD_BITS], used | bit, __ATOMIC_RELAXED);
	__atomic_store_n(&slots->close_on_exec[fd / WORD_BITS], close_on_exec ? close | bit : close,
		__ATOMIC_RELAXED);
	files->hint = fd + 1;
	return true;
}

static __attribute__((noinline)) int reserve_slowly(
	struct files *files, int least, uint64_t limit, bool close_on_exec)
{
	int fd;

	if (least < 0 || (uint32_t)least >= limit)
		return -EMFILE;
	spin_lock(&files->lock);
	fd = reserve_locked(files, (uint32_t)least, limit, close_on_exec);
	spin_unlock(&files->lock);
	return fd;
}

int files_reserve(struct files *files, int least, bool close_on_exec)
{
	uint64_t limit = files_limit();

	if (likely(!least && files_own(files)) && likely(reserve_own(files, limit, close_on_exec)))
		return (int)files->hint - 1;
	return reserve_slowly(files, least, limit, close_on_exec);
}

void files_fill(struct files *files, int fd, struct file *file)
{
	if (files_own(
		    files)) { /* nobody else moves the slots; who looks at them finds the whole file */
		assert(!files->slots->file[fd]);
		__atomic_store_n(&files->slots->file[fd], file, __ATOMIC_RELEASE);
		return;
	}
	spin_lock(&files->lock);
	assert(!files->slots->file[fd]);
	files->slots->file[fd] = file;
	spin_unlock(&files->lock);
}

static void clear_slot(struct files *files, uint32_t fd) requires(files->lock)
{
	struct file_slots *slots = files->slots;
	uint64_t others = ~(UINT64_C(1) << (fd % WORD_BITS));

	slots->file[fd] = NULL;
	slots->used[fd / WORD_BITS] &= others;
	slots->close_on_exec[fd / WORD_BITS] &= others;
	if (fd < files->hint)
		files->hint = fd;
}

void files_unreserve(struct files *files, int fd)
{
	spin_lock(&files->lock);
	clear_slot(files, (uint32_t)fd);
	spin_unlock(&files->lock);
}

int files_install(struct files *files, struct file *file, int least, bool close_on_exec)
{
	int fd = files_reserve(files, least, close_on_exec);

	if (fd >= 0)
		files_fill(files, fd, file);
	return fd;
}

struct file *files_lookup(struct files *files, int fd)
{
	struct file *file;

	spin_lock(&files->lock);
	file = files_slot(files, fd);
	if (file)
		file_get(file);
	spin_unlock(&files->lock);
	return file;
}

bool files_see(struct files *files, int fd, struct seen_file *out)
{
	struct file *file;

	spin_lock(&files->lock);
	file = files_slot(files, fd);
	if (file) {
		*out = (struct seen_file){file->path, file->inode, file->operations,
			__atomic_load_n(&file->flags, __ATOMIC_RELAXED)};
		if (out->path.dentry)
			path_get(&out->path);
		inode_get(out->inode);
	}
	spin_unlock(&files->lock);
	return file;
}

const void *files_peek(struct files *files, int fd)
{
	const struct file *file;

	spin_lock(&files->lock);
	file = files_slot(files, fd);
	spin_unlock(&files->lock);
	return file;
}

void seen_put(const struct seen_file *seen)
{
	if (seen->path.dentry)
		path_put(&seen->path);
	inode_put(seen->inode);
}

struct file *files_remove(struct files *files, int fd)
{
	struct file *file;

	spin_lock(&files->lock);
	file = files_slot(files, fd);
	if (file)
		clear_slot(files, (uint32_t)fd);
	spin_unlock(&files->lock);
	return file;
}

int files_replace(
	struct files *files, int fd, struct file *file, bool close_on_exec, struct file **replaced)
{
	int error;

	if (fd < 0 || (uint32_t)fd >= files_limit())
		return -EBADF;
	spin_lock(&files->lock);
	error = make_room(files, (uint32_t)fd);
	*replaced = error ? NULL : files->slots->file[fd];
	if (!error && !*replaced && get_bit(files->slots->used, (uint32_t)fd))
		error = -EBUSY;
	if (!error) {
		files->slots->file[fd] = file;
		set_bit(files->slots->used, (uint32_t)fd, true);
		set_bit(files->slots->close_on_exec, (uint32_t)fd, close_on_exec);
	}
	spin_unlock(&files->lock);
	return error;
}

int files_get_close_on_exec(struct files *files, int fd)
{
	int on;

	spin_lock(&files->lock);
	on = files_slot(files, fd) ? get_bit(files->slots->close_on_exec, (uint32_t)fd) : -EBADF;
	spin_unlock(&files->lock);
	return on;
}

int files_set_close_on_exec(struct files *files, int fd, bool on)
{
	int error = 0;

	spin_lock(&files->lock);
	if (files_slot(files, fd))
		set_bit(files->slots->close_on_exec, (uint32_t)fd, on);
	else
		error = -EBADF;
	spin_unlock(&files->lock);
	return error;
}

/* The next open descriptor in [fd, last] that exec closes (or any), taken out; NULL: none. */
static struct file *take_next(struct files *files, uint32_t *fd, uint32_t last, bool only_marked)
{
	struct file *file = NULL;

	spin_lock(&files->lock);
	while (!file && *fd <= last) {
		const struct file_slots *slots = files->slots;

		*fd = next_set(only_marked ? slots->close_on_exec : slots->used, slots->count, *fd);
		if (*fd >= slots->count || *fd > last)
			break;
		file = slots->file[*fd];
		if (file)
			clear_slot(files, *fd);
		++*fd;
	}
	spin_unlock(&files->lock);
	return file;
}

void files_close_on_exec(struct files *files)
{
	struct file *file;
	uint32_t fd = 0;

	while ((file = take_next(files, &fd, UINT32_MAX, true)))
		file_close(file, files);
}

void files_close_range(struct files *files, unsigned int first, unsigned int last, bool only_mark)
{
	struct file *file;

	if (!only_mark) {
		while ((file = take_next(files, &first, last, false)))
			file_close(file, files);
		return;
	}
	spin_lock(&files->lock);
	for (uint32_t fd = first; fd <= last && fd < files->slots->count; fd++)
		if (files->slots->file[fd])
			set_bit(files->slots->close_on_exec, fd, true);
	spin_unlock(&files->lock);
}

/* ---- For the audit ---- */

uint32_t files_users(const struct files *files)
{
	return __atomic_load_n(&files->references, __ATOMIC_RELAXED);
}

const char *files_audit(
	struct files *files, void (*visit)(void *context, struct file *file), void *context)
{
	const struct file_slots *slots = files->slots;

	if (!files->references || slots->count % WORD_BITS || files->hint > slots->count)
		return "a descriptor table has no references, or no proper size";
	for (uint32_t i = 0; i < slots->count; i++) {
		bool used = get_bit(slots->used, i);

		if (!used && (slots->file[i] || get_bit(slots->close_on_exec, i)))
			return "a descriptor is open and its bit is clear";
		if (!used && i < files->hint)
			return "a descriptor below the hint is free";
		if (slots->file[i])
			visit(context, slots->file[i]);
	}
	return NULL;
}
