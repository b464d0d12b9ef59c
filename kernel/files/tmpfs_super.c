/* SPDX-License-Identifier: MIT */
/*
 * tmpfs as a whole: its options, what it may hold, and its end (man 5 tmpfs).
 *
 * Limits are counted where pages and inodes come and go: a count is raised first and taken back when
 * it then is above the limit, so no lock is needed. A limit of 0 is none. Without options it is half
 * of the machine's memory, and as many inodes as there are pages in that.
 */
#include "files/mount.h"
#include "files/tmpfs.h"

#include "lib/errno.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "process/credentials.h"

#include <asm/statfs.h>
#include <linux/magic.h>

static int charge(uint64_t *count, const uint64_t *limit)
{
	uint64_t most = __atomic_load_n(limit, __ATOMIC_RELAXED);

	if (__atomic_add_fetch(count, 1, __ATOMIC_RELAXED) <= most || !most)
		return 0;
	__atomic_sub_fetch(count, 1, __ATOMIC_RELAXED);
	return -ENOSPC;
}

int tmpfs_charge_page(struct superblock *superblock)
{
	struct tmpfs *tmpfs = tmpfs_of_superblock(superblock);

	return charge(&tmpfs->pages, &tmpfs->max_pages);
}

bool tmpfs_may_hold(struct superblock *superblock, uint64_t pages)
{
	struct tmpfs *tmpfs = tmpfs_of_superblock(superblock);
	uint64_t most = __atomic_load_n(&tmpfs->max_pages, __ATOMIC_RELAXED);

	return !most || pages <= most;
}

void tmpfs_uncharge_pages(struct superblock *superblock, unsigned count)
{
	__atomic_sub_fetch(&tmpfs_of_superblock(superblock)->pages, count, __ATOMIC_RELAXED);
}

int tmpfs_charge_inode(struct superblock *superblock)
{
	struct tmpfs *tmpfs = tmpfs_of_superblock(superblock);

	return charge(&tmpfs->inodes, &tmpfs->max_inodes);
}

void tmpfs_uncharge_inode(struct superblock *superblock)
{
	__atomic_sub_fetch(&tmpfs_of_superblock(superblock)->inodes, 1, __ATOMIC_RELAXED);
}

static uint64_t default_limit(void)
{
	struct pages_stats pages;

	pages_statistics(&pages);
	return pages.total / 2;
}

void tmpfs_limit_by_memory(struct superblock *superblock)
{
	tmpfs_of_superblock(superblock)->max_pages = default_limit();
}

/* ---- Options ---- */

struct options {
	uint64_t max_pages, max_inodes;
	uint32_t uid, gid, mode;
	bool has_pages, has_inodes, has_owner; /* of the root: uid, gid or mode */
	bool has_numbers, has_huge, has_policy;
	bool short_numbers;        /* inode32 */
	const char *huge, *policy; /* as they are shown; NULL: not at all */
};

enum overflow { OVERFLOW_REFUSED, OVERFLOW_WRAPS };

/* A number in `base`, 0: as C writes it; *end behind it. NULL: there is none. */
static const char *parse_number(
	const char *text, unsigned base, enum overflow overflow, uint64_t *out)
{
	bool over = false;

	const char *at = text;

	if (!base) {
		base = 10;
		if (at[0] == '0' && (at[1] == 'x' || at[1] == 'X')) {
			base = 16;
			at += 2;
		} else if (at[0] == '0') {
			base = 8;
		}
	}
	text = at;
	for (*out = 0;; at++) {
		unsigned digit = *at >= '0' && *at <= '9'   ? (unsigned)(*at - '0')
				 : *at >= 'a' && *at <= 'f' ? (unsigned)(*at - 'a') + 10
				 : *at >= 'A' && *at <= 'F' ? (unsigned)(*at - 'A') + 10
							    : 99;

		if (digit >= base)
			break;
		over |= __builtin_mul_overflow(*out, base, out);
		over |= __builtin_add_overflow(*out, digit, out);
	}
	return at > text && (!over || overflow == OVERFLOW_WRAPS) ? at : NULL;
}

/* Bytes, with k, m, g, t, p or e behind them; % of the machine's memory where that is allowed. What does not fit into 64
 * bits loses its upper ones, as on Linux. */
static int parse_size(const char *text, bool percent, uint64_t *out)
{
	static const char units[] = "kmgtpe";
	struct pages_stats pages;
	const char *at = parse_number(text, 0, OVERFLOW_WRAPS, out), *unit;

	if (!at)
		return -EINVAL;
	if (percent && *at == '%') {
		pages_statistics(&pages);
		*out = *out * PAGE_SIZE * pages.total / 100;
		at++;
	} else if (*at && (unit = strchr(units, *at | 0x20))) {
		unsigned shift = 10 * (unsigned)(unit - units + 1);

		*out <<= shift;
		at++;
	}
	return *at ? -EINVAL : 0;
}

static int parse_id(const char *text, unsigned base, uint64_t most, uint32_t *out)
{
	uint64_t number;
	const char *end = parse_number(text, base, OVERFLOW_REFUSED, &number);

	if (!end || *end || number > most)
		return -EINVAL;
	*out = (uint32_t)number;
	return 0;
}

struct word {
	const char *given, *shown;
};

/* *shown as the table says it for the value. */
static int find_word(const struct word *words, const char *value, const char **shown)
{
	for (; words->given; words++) {
		if (strcmp(words->given, value))
			continue;
		*shown = words->shown;
		return 0;
	}
	return -EINVAL;
}

/* There are no huge pages, and there is one node of memory, whose number is 0: what is asked for is kept and told. */
static int parse_memory(struct options *options, const char *name, const char *value)
{
	static const struct word huge[] = {{"never", NULL}, {"always", "always"},
		{"within_size", "within_size"}, {"advise", "advise"}, {NULL, NULL}};
	static const struct word policies[] = {{"default", NULL}, {"local", "local"},
		{"prefer", "local"}, {"prefer:0", "prefer:0"}, {"bind:0", "bind:0"},
		{"interleave", "interleave:0"}, {"interleave:0", "interleave:0"},
		{"prefer=static:0", "prefer=static:0"}, {"bind=static:0", "bind=static:0"},
		{"interleave=static:0", "interleave=static:0"}, {NULL, NULL}};

	if (!strcmp(name, "huge")) {
		options->has_huge = true;
		return find_word(huge, value, &options->huge);
	}
	if (!strcmp(name, "mpol")) {
		options->has_policy = true;
		return find_word(policies, value, &options->policy);
	}
	return -EINVAL;
}

/* inode32, inode64: how large inodes' numbers may grow. */
static int parse_flag(struct options *options, const char *name)
{
	if (strcmp(name, "inode32") && strcmp(name, "inode64"))
		return -EINVAL;
	options->has_numbers = true;
	options->short_numbers = !strcmp(name, "inode32");
	return 0;
}

static int parse_option(struct options *options, const char *name, const char *value)
{
	int error;

	if (!strcmp(name, "size")) {
		error = parse_size(value, true, &options->max_pages);
		options->max_pages = (options->max_pages + PAGE_SIZE - 1) / PAGE_SIZE;
		options->has_pages = true;
	} else if (!strcmp(name, "nr_blocks")) {
		error = parse_size(value, false, &options->max_pages);
		options->has_pages = true;
	} else if (!strcmp(name, "nr_inodes")) {
		error = parse_size(value, false, &options->max_inodes);
		options->has_inodes = true;
	} else if (!strcmp(name, "mode")) {
		error = parse_id(value, 8, UINT32_MAX, &options->mode);
		options->mode &= MODE_BITS;
	} else if (!strcmp(name, "uid")) {
		error = parse_id(value, 0, UINT32_MAX - 1, &options->uid);
	} else if (!strcmp(name, "gid")) {
		error = parse_id(value, 0, UINT32_MAX - 1, &options->gid);
	} else {
		error = parse_memory(options, name, value);
	}
	return error;
}

/* name=value,name=value */
static int parse_options(struct options *options, char *text)
{
	char *end, *value;
	int error = 0;

	for (; text && !error; text = end) {
		end = strchr(text, ',');
		if (end)
			*end++ = '\0';
		value = strchr(text, '=');
		if (value)
			*value++ = '\0';
		if (!*text && value)
			error = -EINVAL;
		if (*text)
			error = value ? parse_option(options, text, value)
				      : parse_flag(options, text);
	}
	return error;
}

/* ---- The operations ---- */

static void tmpfs_shutdown(struct superblock *superblock)
{
	tmpfs_clear(superblock);
	dentry_put(superblock->root);
	superblock_put(superblock);
}

static void tmpfs_release_superblock(struct superblock *superblock)
{
	kfree(tmpfs_of_superblock(superblock));
}

static void tmpfs_statistics(struct superblock *superblock, struct statfs *out)
{
	struct tmpfs *tmpfs = tmpfs_of_superblock(superblock);
	uint64_t pages = __atomic_load_n(&tmpfs->pages, __ATOMIC_RELAXED);
	uint64_t inodes = __atomic_load_n(&tmpfs->inodes, __ATOMIC_RELAXED);

	if (tmpfs->max_pages) {
		out->f_blocks = (long)tmpfs->max_pages;
		out->f_bfree = out->f_bavail =
			(long)(pages < tmpfs->max_pages ? tmpfs->max_pages - pages : 0);
	}
	if (tmpfs->max_inodes) {
		out->f_files = (long)tmpfs->max_inodes;
		out->f_ffree = (long)(inodes < tmpfs->max_inodes ? tmpfs->max_inodes - inodes : 0);
	}
}

/* A limit may not go below what is there, nor come where there was none (Linux's rules). */
static int check_limit(bool given, uint64_t old, uint64_t new, uint64_t used)
{
	return given && new && (!old || new < used) ? -EINVAL : 0;
}

static void keep_words(struct tmpfs *tmpfs, const struct options *options)
{
	if (options->has_numbers)
		tmpfs->short_numbers = options->short_numbers;
	if (options->has_huge)
		tmpfs->huge = options->huge;
	if (options->has_policy)
		tmpfs->policy = options->policy;
}

static int tmpfs_remount(struct superblock *superblock, char *text)
{
	struct tmpfs *tmpfs = tmpfs_of_superblock(superblock);
	struct options options = {0};
	int error = parse_options(&options, text);

	if (!error)
		error = check_limit(options.has_pages, tmpfs->max_pages, options.max_pages,
			__atomic_load_n(&tmpfs->pages, __ATOMIC_RELAXED));
	if (!error)
		error = check_limit(options.has_inodes, tmpfs->max_inodes, options.max_inodes,
			__atomic_load_n(&tmpfs->inodes, __ATOMIC_RELAXED));
	if (error)
		return error;
	if (options.has_pages)
		__atomic_store_n(&tmpfs->max_pages, options.max_pages, __ATOMIC_RELAXED);
	if (options.has_inodes)
		__atomic_store_n(&tmpfs->max_inodes, options.max_inodes, __ATOMIC_RELAXED);
	keep_words(tmpfs, &options);
	return 0;
}

/* Those that are not what they are by default. */
static void tmpfs_show_options(struct superblock *superblock, char *out, size_t size)
{
	struct tmpfs *tmpfs = tmpfs_of_superblock(superblock);
	uint64_t standard = default_limit();
	int at = 0;

	*out = '\0';
	if (tmpfs->max_pages != standard)
		at += format(out + at, size - (size_t)at, ",size=%lluk",
			(unsigned long long)(tmpfs->max_pages * (PAGE_SIZE / 1024)));
	if (tmpfs->max_inodes != standard)
		at += format(out + at, size - (size_t)at, ",nr_inodes=%llu",
			(unsigned long long)tmpfs->max_inodes);
	if (tmpfs->mode != (S_ISVTX | 0777))
		at += format(out + at, size - (size_t)at, ",mode=%03o", tmpfs->mode);
	if (tmpfs->uid)
		at += format(out + at, size - (size_t)at, ",uid=%u", tmpfs->uid);
	if (tmpfs->gid)
		at += format(out + at, size - (size_t)at, ",gid=%u", tmpfs->gid);
	at += format(out + at, size - (size_t)at, ",inode%d", tmpfs->short_numbers ? 32 : 64);
	if (tmpfs->huge)
		at += format(out + at, size - (size_t)at, ",huge=%s", tmpfs->huge);
	if (tmpfs->policy)
		format(out + at, size - (size_t)at, ",mpol=%s", tmpfs->policy);
}

static const struct superblock_operations superblock_operations = {
	.shutdown = tmpfs_shutdown,
	.release = tmpfs_release_superblock,
	.statistics = tmpfs_statistics,
	.remount = tmpfs_remount,
	.show_options = tmpfs_show_options,
};

/* ---- Making one ---- */

static struct superblock *make(const char *type, uint64_t device, const struct options *options)
{
	const struct new_inode root = {
		.mode = S_IFDIR | options->mode, .uid = options->uid, .gid = options->gid};
	struct tmpfs *tmpfs = kzalloc(sizeof(*tmpfs));
	struct superblock *superblock = &tmpfs->superblock;
	struct inode *inode;

	if (!tmpfs)
		return NULL;
	*tmpfs = (struct tmpfs){
		.superblock = {.type = type,
			.operations = &superblock_operations,
			.device = device,
			.magic = TMPFS_MAGIC,
			.keeps_xattrs = true,
			.tells_creation = true,
			.references = 1,
			.mounts = 1},
		.uid = options->uid,
		.gid = options->gid,
		.mode = options->mode,
	};
	if (tmpfs_inode_create(superblock, &root, &inode)) {
		kfree(tmpfs);
		return NULL;
	}
	superblock->root = dentry_make_root(inode);
	if (!superblock->root) {
		inode_put(inode);
		kfree(tmpfs);
		return NULL;
	}
	tmpfs->max_pages = options->max_pages;
	tmpfs->max_inodes = options->max_inodes;
	keep_words(tmpfs, options);
	return superblock;
}

struct superblock *tmpfs_create(const char *type, uint64_t device)
{
	return make(type, device, &(struct options){.mode = 0755});
}

int tmpfs_mount(char *text, struct superblock **out)
{
	const struct credentials *who = current_credentials();
	struct options options = {.mode = S_ISVTX | 0777, .uid = who->fsuid, .gid = who->fsgid};
	int error = parse_options(&options, text);

	if (error)
		return error;
	if (!options.has_pages)
		options.max_pages = default_limit();
	if (!options.has_inodes)
		options.max_inodes = default_limit();
	*out = make("tmpfs", superblock_device(), &options);
	return *out ? 0 : -ENOMEM;
}
