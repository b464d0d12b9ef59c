/* SPDX-License-Identifier: MIT */
/* Unpacking the initrd: what becomes of each kind of entry, and of every page of the archive. */
#include "files/fake_process.h"

#include "arch/arch.h"
#include "arch/fake/test.h"
#include "files/file.h"
#include "files/initrd.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "process/current.h"

#include <stdio.h>

#define DAMAGED 500u
#define KEPT    (UINT64_C(8) << 20)

static char *archive;
static uint64_t length;

static uint64_t free_pages(void)
{
	struct pages_stats stats;

	pages_statistics(&stats);
	return stats.free;
}

static void begin(void)
{
	fake_process_init(KEPT);
	archive = arch_phys_to_ptr(fake_kept());
	length = 0;
}

struct given {
	uint32_t inode, links; /* 0: a number of its own, one link */
	bool aligned;          /* the data stands at the start of a page */
};

static void add(
	const char *name, uint32_t mode, const void *data, size_t size, const struct given *given)
{
	static const struct given plain;
	static uint32_t number = 1000;
	const struct given *g = given ? given : &plain;
	size_t name_size = strlen(name) + 1;
	char header[120];

	if (g->aligned)
		name_size = ALIGN_UP(length + 110 + name_size, 4096) - length - 110;
	snprintf(header, sizeof(header),
		"070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x",
		g->inode ? g->inode : number++, mode, 5u, 6u, g->links ? g->links : 1u, 1234u,
		(unsigned int)size, 0u, 9u, 1u, 3u, (unsigned int)name_size, 0u);
	memset(archive + length, 0, 110 + name_size + 4);
	memcpy(archive + length, header, 110);
	memcpy(archive + length + 110, name, strlen(name));
	length = ALIGN_UP(length + 110 + name_size, 4);
	if (size)
		memcpy(archive + length, data, size);
	memset(archive + length + size, 0, 4);
	length = ALIGN_UP(length + size, 4);
}

static void unpack(void)
{
	files_init(fake_kept(), length);
	fake_process_start();
}

static uint32_t crc(const uint8_t *bytes, size_t count)
{
	uint32_t value = UINT32_MAX;

	for (size_t i = 0; i < count; i++) {
		value ^= bytes[i];
		for (unsigned int bit = 0; bit < 8; bit++)
			value = value >> 1 ^ (value & 1 ? 0xedb88320u : 0);
	}
	return ~value;
}

/* Puts what stands from `from` on into a gzip file of stored blocks. */
static void compress(uint64_t from)
{
	static uint8_t plain[KEPT];
	size_t size = length - from, at = 0, block;
	uint32_t numbers[2];
	uint8_t *out = (uint8_t *)archive + from;

	memcpy(plain, archive + from, size);
	memcpy(out, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
	out += 10;
	do {
		block = size - at < 65535 ? size - at : 65535;
		*out++ = at + block == size;
		*out++ = (uint8_t)block;
		*out++ = (uint8_t)(block >> 8);
		*out++ = (uint8_t)~block;
		*out++ = (uint8_t)(~block >> 8);
		memcpy(out, plain + at, block);
		out += block;
		at += block;
	} while (at < size);
	numbers[0] = crc(plain, size);
	numbers[1] = (uint32_t)size;
	memcpy(out, numbers, sizeof(numbers));
	length = (uint64_t)(out + sizeof(numbers) - (uint8_t *)archive);
	memset(archive + length, 0, 4);
	length = ALIGN_UP(length, 4);
}

static struct file *open_file(const char *path)
{
	struct file *file;

	CHECK_EQUAL(file_open(current_fs(), path, O_RDONLY | O_NOFOLLOW, 0, &file), 0);
	return file;
}

static bool exists(const char *path)
{
	struct file *file;

	if (file_open(current_fs(), path, O_PATH | O_NOFOLLOW, 0, &file))
		return false;
	file_put(file);
	return true;
}

static void has_content(const char *path, const void *data, size_t size)
{
	static char read[1 << 20];
	struct file *file = open_file(path);

	CHECK_EQUAL(file_read_at(file, read, sizeof(read), 0), size);
	CHECK(!memcmp(read, data, size));
	file_put(file);
}

static struct stat stat_of(const char *path)
{
	struct file *file;
	struct stat stat;

	CHECK_EQUAL(file_open(current_fs(), path, O_PATH | O_NOFOLLOW, 0, &file), 0);
	inode_stat(file->inode, &stat);
	file_put(file);
	return stat;
}

static void check_kinds(bool gzip)
{
	begin();
	add(".", S_IFDIR | 0700, NULL, 0, NULL);
	add("/etc", S_IFDIR | 0751, NULL, 0, NULL);
	add("etc/motd", S_IFREG | 04755, "welcome", 7, NULL);
	add("etc/link", S_IFLNK | 0777, "motd", 4, NULL);
	add("etc/null", S_IFCHR | 0666, NULL, 0, NULL);
	add("etc/fifo", S_IFIFO | 0600, NULL, 0, NULL);
	add("none/file", S_IFREG | 0644, "lost", 4, NULL);
	add("etc/motd/x", S_IFREG | 0644, "lost", 4, NULL);
	add("TRAILER!!!", 0, NULL, 0, NULL);
	length += 200;
	add("second", S_IFREG | 0644, "archive", 7, NULL);
	if (gzip)
		compress(0);
	unpack();
	has_content("/etc/motd", "welcome", 7);
	CHECK_EQUAL(stat_of("/").st_mode, S_IFDIR | 0700);
	CHECK_EQUAL(stat_of("/etc").st_mode, S_IFDIR | 0751);
	CHECK_EQUAL(stat_of("/etc").st_mtime, 1234);
	CHECK_EQUAL(stat_of("/etc/motd").st_mode, S_IFREG | 04755);
	CHECK_EQUAL(stat_of("/etc/motd").st_uid, 5);
	CHECK_EQUAL(stat_of("/etc/motd").st_gid, 6);
	CHECK_EQUAL(stat_of("/etc/motd").st_mtime, 1234);
	CHECK_EQUAL(stat_of("/etc/link").st_size, 4);
	CHECK_EQUAL(stat_of("/etc/null").st_rdev, 0x103);
	CHECK_EQUAL(stat_of("/etc/fifo").st_mode, S_IFIFO | 0600);
	CHECK(!exists("/none"));
	has_content("/second", "archive", 7);
	CHECK(!pages_audit());
}

static void test_kinds(void)
{
	check_kinds(false);
}

static void test_kinds_in_gzip(void)
{
	check_kinds(true);
}

static void test_replacing(void)
{
	begin();
	add("a", S_IFREG | 0644, "first", 5, NULL);
	add("b", S_IFDIR | 0755, NULL, 0, NULL);
	add("c", S_IFLNK | 0777, "a", 1, NULL);
	add("full", S_IFDIR | 0755, NULL, 0, NULL);
	add("full/x", S_IFREG | 0644, "x", 1, NULL);
	add("a", S_IFREG | 0600, "2", 1, NULL);
	add("b", S_IFREG | 0644, "now a file", 10, NULL);
	add("c", S_IFREG | 0644, "not through the link", 20, NULL);
	add("full", S_IFREG | 0644, "in the way", 10, NULL);
	unpack();
	has_content("/a", "2", 1);
	CHECK_EQUAL(stat_of("/a").st_mode, S_IFREG | 0600);
	has_content("/b", "now a file", 10);
	has_content("/c", "not through the link", 20);
	has_content("/full/x", "x", 1);
}

static void check_hard_links(bool gzip)
{
	static const struct given pair = {.inode = 50, .links = 2};

	begin();
	add("one", S_IFREG | 0644, NULL, 0, &pair);
	add("two", S_IFREG | 0644, "shared", 6, &pair);
	add("TRAILER!!!", 0, NULL, 0, NULL);
	add("three", S_IFREG | 0644, "apart", 5, &pair); /* another archive: another file */
	if (gzip)
		compress(0);
	unpack();
	has_content("/one", "shared", 6);
	has_content("/two", "shared", 6);
	CHECK_EQUAL(stat_of("/one").st_nlink, 2);
	CHECK_EQUAL(stat_of("/one").st_ino, stat_of("/two").st_ino);
	has_content("/three", "apart", 5);
	CHECK_EQUAL(stat_of("/three").st_nlink, 1);
}

static void test_hard_links(void)
{
	check_hard_links(false);
}

static void test_hard_links_in_gzip(void)
{
	check_hard_links(true);
}

/* A plain archive, two gzip files, a plain one whose data is adopted. */
static void test_plain_and_gzip(void)
{
	static const struct given aligned = {.aligned = true};
	static char big[200000];
	uint64_t from;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7 + i / 4096);
	begin();
	add("first", S_IFREG | 0644, "plain", 5, NULL);
	add("TRAILER!!!", 0, NULL, 0, NULL);
	from = length;
	add("second", S_IFREG | 0644, big, sizeof(big), NULL);
	add("link", S_IFLNK | 0777, "second", 6, NULL);
	compress(from);
	from = length;
	add("third", S_IFREG | 0644, big, 70001, NULL);
	add("TRAILER!!!", 0, NULL, 0, NULL);
	compress(from);
	add("fourth", S_IFREG | 0644, big, sizeof(big), &aligned);
	add("fifth", S_IFREG | 0644, big, 100, NULL);
	unpack();
	has_content("/first", "plain", 5);
	has_content("/second", big, sizeof(big));
	CHECK_EQUAL(stat_of("/link").st_size, 6);
	has_content("/third", big, 70001);
	has_content("/fourth", big, sizeof(big));
	has_content("/fifth", big, 100);
	CHECK(!pages_audit());
	CHECK(!slab_audit());
}

/* Headers, names, texts and data that lie across the border of two windows, at each place. */
static void test_borders_in_gzip(void)
{
	static const char data[] = "0123456789abcdefghijklmnopqrstuvwxyz";
	static char filler[32768];
	char name[32];
	uint64_t from;

	begin();
	for (size_t size = sizeof(filler) - 700; size <= sizeof(filler); size += 4) {
		from = length;
		snprintf(name, sizeof(name), "filler%zu", size);
		add(name, S_IFREG | 0644, filler, size, NULL);
		snprintf(name, sizeof(name), "data%zu", size);
		add(name, S_IFREG | 0644, data, sizeof(data), NULL);
		snprintf(name, sizeof(name), "link%zu", size);
		add(name, S_IFLNK | 0777, "the text of a link", 18, NULL);
		add("TRAILER!!!", 0, NULL, 0, NULL);
		compress(from);
	}
	unpack();
	for (size_t size = sizeof(filler) - 700; size <= sizeof(filler); size += 4) {
		snprintf(name, sizeof(name), "/filler%zu", size);
		has_content(name, filler, size);
		snprintf(name, sizeof(name), "/data%zu", size);
		has_content(name, data, sizeof(data));
		snprintf(name, sizeof(name), "/link%zu", size);
		CHECK_EQUAL(stat_of(name).st_size, 18);
	}
	CHECK(!pages_audit());
}

/* What came before what is wrong stays; nothing after it is made, and no page is lost. */
static void check_broken_gzip(uint64_t damage, bool cut)
{
	uint64_t size;

	begin();
	add("kept", S_IFREG | 0644, "stays", 5, NULL);
	add("data", S_IFREG | 0644, "0123456789", 10, NULL);
	if (cut)
		length -= 8;
	size = 10 + 5 + length + 8;
	compress(0);
	if (damage)
		archive[size - damage] ^= 1;
	add("after", S_IFREG | 0644, "x", 1, NULL);
	unpack();
	has_content("/kept", "stays", 5);
	CHECK(!exists("/after"));
	CHECK(!pages_audit());
	CHECK(!slab_audit());
}

static void test_gzip_check_value(void)
{
	check_broken_gzip(8, false);
}

static void test_gzip_length(void)
{
	check_broken_gzip(4, false);
}

static void test_gzip_ends_within_data(void)
{
	check_broken_gzip(0, true);
}

static void test_gzip_without_memory(void)
{
	static char big[1 << 20];

	begin();
	add("kept", S_IFREG | 0644, "stays", 5, NULL);
	add("big", S_IFREG | 0644, big, sizeof(big), NULL);
	compress(0);
	files_init(0, 0);
	fake_process_start();
	pages_fail_nth(80);
	initrd_unpack(current_fs(), fake_kept(), length);
	pages_fail_nth(0);
	has_content("/kept", "stays", 5);
	CHECK(stat_of("/big").st_size < (off_t)sizeof(big));
	CHECK(!pages_audit());
	CHECK(!slab_audit());
}

/* Pages that stand aligned are the file's own afterwards, and what follows in the last is cleared. */
static void test_adoption(void)
{
	static const struct given aligned = {.aligned = true};
	static char big[300000], page[4096];
	struct object *object;
	struct frame *frame;
	struct file *file;
	void *where;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 13 + i / 4096);
	begin();
	add("dir", S_IFDIR | 0755, NULL, 0, NULL);
	add("dir/small", S_IFREG | 0644, "tiny", 4, &aligned);
	add("dir/between", S_IFREG | 0644, "copied out of the tail", 22, NULL);
	add("dir/link", S_IFLNK | 0777, "text in the tail", 16, NULL);
	add("dir/big", S_IFREG | 0644, big, sizeof(big), &aligned);
	where = archive + length - sizeof(big);
	add("dir/exact", S_IFREG | 0644, big, 8192, &aligned);
	add("dir/unaligned", S_IFREG | 0644, big, 10000, NULL);
	add("dir/last", S_IFREG | 0644, big, 4097, &aligned);
	unpack();
	has_content("/dir/small", "tiny", 4);
	has_content("/dir/between", "copied out of the tail", 22);
	has_content("/dir/big", big, sizeof(big));
	has_content("/dir/exact", big, 8192);
	has_content("/dir/unaligned", big, 10000);
	has_content("/dir/last", big, 4097);
	file = open_file("/dir/big");
	object = file_object(file);
	CHECK_EQUAL(object_page(object, 0, &frame), 0);
	CHECK(frame_ptr(frame) == where);
	CHECK_EQUAL(frame->state, FRAME_OBJECT);
	frame_put(frame);
	CHECK_EQUAL(object_page(object, sizeof(big) / 4096, &frame), 0);
	CHECK(!memcmp(
		(char *)frame_ptr(frame) + sizeof(big) % 4096, page, 4096 - sizeof(big) % 4096));
	frame_put(frame);
	object_put(object);
	file_put(file);
	file = open_file("/dir/small");
	object = file_object(file);
	CHECK_EQUAL(object_page(object, 0, &frame), 0);
	CHECK(!memcmp((char *)frame_ptr(frame) + 4, page, 4092));
	frame_put(frame);
	object_put(object);
	file_put(file);
	CHECK(!pages_audit());
}

static void unlink_in_root(const char *name)
{
	struct walk walk;

	CHECK_EQUAL(walk_start(&walk, current_fs(), fs_root(current_fs()), name), 0);
	CHECK_EQUAL(walk_parent(&walk), 0);
	CHECK_EQUAL(vfs_remove(&walk, VFS_UNLINK), 0);
	walk_end(&walk);
}

/* Every page of the archive is either the file's or the allocator's. */
static void test_pages_come_back(void)
{
	static const struct given aligned = {.aligned = true};
	static char big[1 << 20];
	uint64_t with, empty;

	begin();
	files_init(0, 0);
	fake_process_start();
	empty = free_pages();
	add("big", S_IFREG | 0644, big, sizeof(big), &aligned);
	add("copied", S_IFREG | 0644, big, 5000, NULL);
	initrd_unpack(current_fs(), fake_kept(), length);
	with = free_pages();
	unlink_in_root("big");
	CHECK_EQUAL(free_pages() - with, sizeof(big) / 4096);
	unlink_in_root("copied");
	/* All of the archive is RAM now; what the files' own structures hold is a few slabs. */
	CHECK(free_pages() >= empty + ALIGN_UP(length, 4096) / 4096 - 16);
	CHECK(!pages_audit());
}

static void test_broken(void)
{
	begin();
	add("kept", S_IFREG | 0644, "stays", 5, NULL);
	add("cut", S_IFREG | 0644, "0123456789", 10, NULL);
	length -= 8;
	unpack();
	has_content("/kept", "stays", 5);
	CHECK(!exists("/cut"));
	CHECK(exists("/dev/null"));
	CHECK(!pages_audit());
}

static void test_without_memory(void)
{
	static char big[1 << 20];

	begin();
	add("kept", S_IFREG | 0644, "stays", 5, NULL);
	add("big", S_IFREG | 0644, big, sizeof(big), NULL);
	add("after", S_IFREG | 0644, "x", 1, NULL);
	files_init(0, 0);
	fake_process_start();
	pages_fail_nth(50);
	initrd_unpack(current_fs(), fake_kept(), length);
	pages_fail_nth(0);
	has_content("/kept", "stays", 5);
	CHECK(!exists("/after"));
	CHECK(!pages_audit());
	CHECK(!slab_audit());
}

/* One change: of a bit, to a digit, a cut, bytes put in or taken out. */
static void damage(uint64_t *seed, uint64_t from)
{
	uint64_t at = from + check_random(seed) % (length - from), n = 1 + check_random(seed) % 40;

	switch (check_random(seed) % 8) {
	case 0:
	case 1:
		archive[at] = (char)(archive[at] ^ 1 << check_random(seed) % 8);
		return;
	case 2:
		length = at + 1;
		return;
	case 3:
		memmove(archive + at + n, archive + at, length - at);
		memset(archive + at, 0, n);
		length += n;
		return;
	case 4:
		n = n < length - at ? n : length - at - 1;
		memmove(archive + at, archive + at + n, length - at - n);
		length -= n;
		return;
	default:
		archive[at] = "0123456789abcdefF"[check_random(seed) % 17];
	}
}

static void add_all_kinds(void)
{
	static const struct given aligned = {.aligned = true}, pair = {.inode = 50, .links = 2};
	static char big[20000];
	uint64_t from;

	add("d", S_IFDIR | 0755, NULL, 0, NULL);
	add("d/file", S_IFREG | 0644, big, 300, NULL);
	add("d/aligned", S_IFREG | 0755, big, 5000, &aligned);
	add("link", S_IFLNK | 0777, "d/file", 6, NULL);
	add("one", S_IFREG | 0644, NULL, 0, &pair);
	add("two", S_IFREG | 0644, "shared", 6, &pair);
	add("null", S_IFCHR | 0666, NULL, 0, NULL);
	add("TRAILER!!!", 0, NULL, 0, NULL);
	from = length;
	add("packed", S_IFREG | 0644, big, sizeof(big), NULL);
	add("d", S_IFREG | 0644, "in the way", 10, NULL);
	compress(from);
	add("last", S_IFREG | 0644, big, sizeof(big), &aligned);
}

static uint64_t damage_seed;

/* A damaged archive, unpacked into files: the start stays, no page and no object is lost or in two places. */
static void test_damage(void)
{
	uint64_t seed = damage_seed, from;

	begin();
	add("kept", S_IFREG | 0644, "stays", 5, NULL);
	from = length;
	add_all_kinds();
	for (uint64_t n = 1 + check_random(&seed) % 3; n; n--)
		damage(&seed, from);
	unpack();
	has_content("/kept", "stays", 5);
	CHECK(!pages_audit());
	CHECK(!slab_audit());
}

int main(void)
{
	for (damage_seed = 1; damage_seed <= DAMAGED; damage_seed++)
		RUN(test_damage);
	RUN(test_kinds);
	RUN(test_replacing);
	RUN(test_hard_links);
	RUN(test_kinds_in_gzip);
	RUN(test_hard_links_in_gzip);
	RUN(test_plain_and_gzip);
	RUN(test_borders_in_gzip);
	RUN(test_gzip_check_value);
	RUN(test_gzip_length);
	RUN(test_gzip_ends_within_data);
	RUN(test_gzip_without_memory);
	RUN(test_adoption);
	RUN(test_pages_come_back);
	RUN(test_broken);
	RUN(test_without_memory);
	return test_result();
}
