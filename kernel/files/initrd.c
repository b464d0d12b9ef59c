/* SPDX-License-Identifier: MIT */
/*
 * Making the root's files from the initrd, as Linux makes those of an initramfs: a file whose parent
 * is missing is passed over; a name that exists is replaced when the kinds differ and else written
 * anew; hard links are found by (device, inode number, kind) within one archive, their data comes
 * with whichever entry has some; owners, modes and times are the archive's.
 *
 * Page-aligned data is not copied: its frames become the file's. Frames are claimed from the start
 * and given out in the order of the archive: what lies before the page just adopted has been read
 * and goes to the allocator. The last page of a file usually has the following headers behind the
 * file's end: those bytes are cleared when the reading has passed them (the "tail"; there is one at
 * a time, since the next adoption lies further on). Where the page-frame array cannot be backed for
 * the archive, everything is copied and the whole range handed over at the end. What is compressed by
 * gzip is unpacked as it is read, and copied: see initrd_gzip.c.
 *
 * Runs once, at start, before any process: no locks but those of the functions called.
 */
#include "files/initrd.h"

#include "arch/arch.h"
#include "files/file.h"
#include "files/initrd_internal.h"
#include "files/tmpfs.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/slab.h"

/* ---- Names ---- */

static int walk_to(struct unpack *unpack, struct walk *walk)
{
	int error = walk_start(walk, unpack->fs, fs_root(unpack->fs), unpack->entry.name);

	return error ? error : walk_parent(walk);
}

static int find(struct unpack *unpack, struct path *out)
{
	return path_find(unpack->fs, fs_root(unpack->fs), unpack->entry.name, 0, out);
}

/* Removes what has the entry's name but is of another kind (of any kind: 0). */
static void clear_the_way(struct unpack *unpack, uint32_t kind)
{
	struct path path;
	struct walk walk;
	uint32_t mode;

	if (find(unpack, &path))
		return;
	mode = path.dentry->inode->mode;
	path_put(&path);
	if ((mode & S_IFMT) == kind)
		return;
	if (!walk_to(unpack, &walk) && vfs_remove(&walk, S_ISDIR(mode) ? VFS_RMDIR : VFS_UNLINK))
		log_debug("initrd: %s stays as it is", unpack->entry.name);
	walk_end(&walk);
}

/* As chown has it: the largest number changes nothing. */
static uint32_t owner(uint32_t given, uint32_t now)
{
	return given == UINT32_MAX ? now : given;
}

/* Twelve bits and twenty, as Linux puts them together: what is too large runs over. */
static uint64_t entry_device(const struct cpio_entry *entry)
{
	const uint32_t number = entry->node_major << 20 | entry->node_minor;

	return device_number(number >> 20, number & 0xfffff);
}

/* Makes the entry's file, if it is not there, and finds it. */
static int make(struct unpack *unpack, const char *link_text, struct path *out)
{
	const struct cpio_entry *entry = &unpack->entry;
	const struct new_inode what = {
		.mode = S_ISLNK(entry->mode) ? S_IFLNK | 0777 : entry->mode,
		.uid = owner(entry->uid, 0),
		.gid = owner(entry->gid, 0),
		.device = entry_device(entry),
		.link_text = link_text,
	};
	struct walk walk;
	int error = walk_to(unpack, &walk);

	if (!error)
		error = vfs_make(&walk, &what);
	walk_end(&walk);
	return error && error != -EEXIST ? error : find(unpack, out);
}

static void set_attributes(struct unpack *unpack, struct inode *inode)
{
	const struct cpio_entry *entry = &unpack->entry;

	mutex_lock(&inode->lock);
	inode->uid = owner(entry->uid, inode->uid);
	inode->gid = owner(entry->gid, inode->gid);
	if (!S_ISLNK(inode->mode) &&
		!S_ISLNK(entry->mode)) /* a link may have found its place taken */
		inode->mode = (inode->mode & S_IFMT) | (entry->mode & MODE_BITS);
	inode->accessed = inode->modified = entry->mtime * NS_PER_SECOND;
	mutex_unlock(&inode->lock);
}

/* ---- Hard links ---- */

static struct known_link **bucket(struct unpack *unpack)
{
	const struct cpio_entry *entry = &unpack->entry;

	return &unpack->links[(entry->inode ^ entry->device_minor) % LINK_BUCKETS];
}

static struct known_link *find_link(struct unpack *unpack)
{
	const struct cpio_entry *entry = &unpack->entry;
	struct known_link *link;

	for (link = *bucket(unpack); link; link = link->next)
		if (link->inode == entry->inode && link->device_major == entry->device_major &&
			link->device_minor == entry->device_minor &&
			link->kind == (entry->mode & S_IFMT))
			break;
	return link;
}

static void remember_link(struct unpack *unpack, const struct path *path)
{
	const struct cpio_entry *entry = &unpack->entry;
	struct known_link *link = kzalloc(sizeof(*link));

	if (!link) {
		unpack->error = -ENOMEM;
		return;
	}
	link->device_major = entry->device_major;
	link->device_minor = entry->device_minor;
	link->inode = entry->inode;
	link->kind = entry->mode & S_IFMT;
	link->path = *path;
	path_get(path);
	link->next = *bucket(unpack);
	*bucket(unpack) = link;
}

void initrd_forget_links(struct unpack *unpack)
{
	struct known_link *link;

	for (unsigned int i = 0; i < LINK_BUCKETS; i++) {
		while ((link = unpack->links[i])) {
			unpack->links[i] = link->next;
			path_put(&link->path);
			kfree(link);
		}
	}
}

/* One more name for a file known from this archive. */
static int make_link(struct unpack *unpack, const struct known_link *link, struct path *out)
{
	struct walk walk;
	int error;

	clear_the_way(unpack, 0);
	error = walk_to(unpack, &walk);
	if (!error)
		error = vfs_link(&walk, &link->path);
	walk_end(&walk);
	return error ? error : find(unpack, out);
}

/* ---- Data ---- */

static void clear_tail(struct unpack *unpack)
{
	if (unpack->tail)
		memset(unpack->tail, 0, unpack->tail_size);
	unpack->tail = NULL;
}

/* Gives the frames from unpack->given up to `offset` to the allocator. */
static void free_frames(struct unpack *unpack, uint64_t offset)
{
	if (!unpack->claimed)
		return;
	for (; unpack->given < offset; unpack->given += PAGE_SIZE)
		frame_put(phys_frame(unpack->base + unpack->given));
}

int initrd_file_data(
	struct unpack *unpack, struct inode *inode, uint64_t from, const void *bytes, uint64_t size)
{
	struct io io = io_kernel((char *)(uintptr_t)bytes, size);
	ssize_t written;

	mutex_lock(&inode->lock);
	written = tmpfs_write(inode, &io, from);
	mutex_unlock(&inode->lock);
	unpack->copied += size;
	return written == (ssize_t)size ? 0 : -ENOMEM;
}

/* Makes the data's frames the file's; *done is how many bytes that were when it ends. */
static int adopt_data(struct unpack *unpack, struct inode *inode, uint64_t *done)
{
	const struct cpio_entry *entry = &unpack->entry;
	uint64_t end = entry->data + entry->size;
	int error;

	clear_tail(unpack);
	free_frames(unpack, entry->data);
	for (*done = 0; *done < entry->size; *done += PAGE_SIZE) {
		error = object_adopt(inode->object, *done / PAGE_SIZE,
			phys_frame(unpack->base + entry->data + *done));
		if (error)
			return error;
		unpack->given += PAGE_SIZE;
		unpack->adopted++;
	}
	*done = entry->size;
	tmpfs_grow(inode, entry->size);
	unpack->tail_end = ALIGN_UP(end, PAGE_SIZE);
	unpack->tail_size = unpack->tail_end - end;
	if (unpack->tail_size)
		unpack->tail = (char *)(uintptr_t)unpack->cpio.bytes + end;
	return 0;
}

static int fill(struct unpack *unpack, struct inode *inode)
{
	const struct cpio_entry *entry = &unpack->entry;
	uint64_t done = 0;
	int error;

	if (unpack->claimed && entry->data % PAGE_SIZE == 0) {
		error = adopt_data(unpack, inode, &done);
		if (error)
			tmpfs_grow(inode, done);
	}
	return done < entry->size
		       ? initrd_file_data(unpack, inode, done,
				 unpack->cpio.bytes + entry->data + done, entry->size - done)
		       : 0;
}

/* ---- Entries ---- */

bool initrd_file_begin(struct unpack *unpack, struct path *path)
{
	struct known_link *link = unpack->entry.links >= 2 ? find_link(unpack) : NULL;
	int error;

	if (link) {
		error = make_link(unpack, link, path);
	} else {
		clear_the_way(unpack, S_IFREG);
		error = make(unpack, NULL, path);
	}
	if (!error && (!link || unpack->entry.size)) {
		error = inode_truncate(path->dentry->inode, 0);
		if (error)
			path_put(path);
	}
	if (error) {
		unpack->error = error == -ENOMEM ? error : 0;
		return false;
	}
	if (!link && unpack->entry.links >= 2)
		remember_link(unpack, path);
	return true;
}

void initrd_file_end(struct unpack *unpack, struct path *path)
{
	set_attributes(unpack, path->dentry->inode);
	path_put(path);
}

static void do_file(struct unpack *unpack)
{
	struct path path;
	int error;

	if (!initrd_file_begin(unpack, &path))
		return;
	error = unpack->error ? 0 : fill(unpack, path.dentry->inode);
	if (error)
		unpack->error = error;
	initrd_file_end(unpack, &path);
}

/* A directory's time is set when all is in it. */
static void remember_time(struct unpack *unpack, const struct path *path)
{
	struct directory_time *time = kzalloc(sizeof(*time));

	if (!time) {
		unpack->error = -ENOMEM;
		return;
	}
	time->path = *path;
	path_get(path);
	time->time = unpack->entry.mtime;
	time->next = unpack->times;
	unpack->times = time;
}

static void set_times(struct unpack *unpack)
{
	struct directory_time *time;
	struct inode *inode;

	while ((time = unpack->times)) {
		unpack->times = time->next;
		inode = time->path.dentry->inode;
		inode->accessed = inode->modified = time->time * NS_PER_SECOND;
		path_put(&time->path);
		kfree(time);
	}
}

static void do_directory(struct unpack *unpack)
{
	struct path path;
	int error;

	clear_the_way(unpack, S_IFDIR);
	error = make(unpack, NULL, &path);
	if (error) {
		unpack->error = error == -ENOMEM ? error : 0;
		return;
	}
	set_attributes(unpack, path.dentry->inode);
	remember_time(unpack, &path);
	path_put(&path);
}

/* A symbolic link, whose text is the data, without a NUL. */
static void do_link(struct unpack *unpack)
{
	const struct cpio_entry *entry = &unpack->entry;
	char *text = kmalloc(entry->size + 1);
	struct path path;
	int error = -ENOMEM;

	if (text) {
		memcpy(text, unpack->data, entry->size);
		text[entry->size] = '\0';
		clear_the_way(unpack, 0);
		error = make(unpack, text, &path);
	}
	if (!error) {
		set_attributes(unpack, path.dentry->inode);
		path_put(&path);
	}
	unpack->error = error == -ENOMEM ? error : 0;
	kfree(text);
}

/* A device node, a FIFO or a socket. */
static void do_node(struct unpack *unpack)
{
	struct known_link *link = unpack->entry.links >= 2 ? find_link(unpack) : NULL;
	struct path path;
	int error;

	clear_the_way(unpack, 0);
	error = link ? make_link(unpack, link, &path) : make(unpack, NULL, &path);
	if (!error) {
		if (!link) /* another name changes nothing of what it names */
			set_attributes(unpack, path.dentry->inode);
		if (!link && unpack->entry.links >= 2)
			remember_link(unpack, &path);
		path_put(&path);
	}
	unpack->error = error == -ENOMEM ? error : 0;
}

void initrd_entry(struct unpack *unpack)
{
	unpack->files++;
	switch (unpack->entry.mode & S_IFMT) {
	case S_IFREG:
		do_file(unpack);
		break;
	case S_IFDIR:
		do_directory(unpack);
		break;
	case S_IFLNK:
		do_link(unpack);
		break;
	case S_IFCHR:
	case S_IFBLK:
	case S_IFIFO:
	case S_IFSOCK:
		do_node(unpack);
		break;
	default:
		break; /* Linux ignores other kinds */
	}
}

static enum cpio_kind unpack_all(struct unpack *unpack, struct cpio_error *error)
{
	enum cpio_kind kind;

	while (!unpack->error) {
		if (cpio_at_gzip(&unpack->cpio)) {
			if (!initrd_gzip(unpack, error))
				return CPIO_BROKEN;
			clear_tail(unpack);
			free_frames(unpack, ALIGN_DOWN(unpack->cpio.offset, PAGE_SIZE));
			continue;
		}
		kind = cpio_next(&unpack->cpio, &unpack->entry, error);
		if (kind == CPIO_END || kind == CPIO_BROKEN)
			return kind;
		if (kind == CPIO_TRAILER) {
			initrd_forget_links(unpack);
		} else if (kind == CPIO_ENTRY) {
			unpack->data = unpack->cpio.bytes + unpack->entry.data;
			initrd_entry(unpack);
		}
		if (unpack->tail && unpack->cpio.offset >= unpack->tail_end)
			clear_tail(unpack);
	}
	return CPIO_END;
}

static void report(const struct unpack *unpack, enum cpio_kind kind, const struct cpio_error *error)
{
	if (kind == CPIO_BROKEN && unpack->gzip)
		log_error("initrd: the gzip file at byte %llu, byte %llu unpacked: %s: found %s, "
			  "expected %s; what came before stays",
			(unsigned long long)unpack->cpio.offset, (unsigned long long)error->offset,
			error->what, error->found, error->expected);
	else if (kind == CPIO_BROKEN)
		log_error("initrd: byte %llu of %llu: %s: found %s, expected %s; what came before "
			  "stays",
			(unsigned long long)error->offset, (unsigned long long)unpack->cpio.size,
			error->what, error->found, error->expected);
	if (unpack->error)
		log_error("initrd: no memory for %s (%llu bytes) at byte %llu; what came before "
			  "stays",
			unpack->entry.name, (unsigned long long)unpack->entry.size,
			(unsigned long long)unpack->entry.offset);
	log_info("initrd: %llu entries, %llu pages adopted, %llu bytes copied",
		(unsigned long long)unpack->files, (unsigned long long)unpack->adopted,
		(unsigned long long)unpack->copied);
}

void initrd_unpack(struct fs_context *fs, phys_t base, uint64_t size)
{
	struct unpack *unpack = kzalloc(sizeof(*unpack));
	struct cpio_error error = {.found = ""};
	enum cpio_kind kind;

	if (!unpack) {
		log_error("initrd: no memory to unpack it");
		return;
	}
	unpack->fs = fs;
	unpack->base = base;
	unpack->cpio = (struct cpio){.bytes = arch_phys_to_ptr(base), .size = size};
	unpack->claimed = pages_claim(base, size, FRAME_INITRD) == 0;
	kind = unpack_all(unpack, &error);
	report(unpack, kind, &error);
	initrd_forget_links(unpack);
	clear_tail(unpack);
	set_times(unpack);
	if (unpack->claimed)
		free_frames(unpack, ALIGN_UP(size, PAGE_SIZE));
	else
		pages_donate(base, ALIGN_UP(size, PAGE_SIZE));
	kfree(unpack);
}
