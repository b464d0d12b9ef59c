/* SPDX-License-Identifier: MIT */
/* The cpio reader: what Linux accepts, what it refuses, and 200,000 damaged archives. */
#include "files/cpio.h"

#include "files/abi.h"
#include "lib/check.h"

#define ROUNDS 200000

static uint8_t archive[65536];
static uint64_t length;

struct options {
	const char *magic;
	uint32_t links, name_size, checksum;
};

/* Appends an entry as cpio writes it. */
static uint64_t add(const char *name, uint32_t mode, const void *data, uint32_t size,
	const struct options *options)
{
	static const struct options plain = {.magic = "070701", .links = 1};
	const struct options *o = options ? options : &plain;
	uint32_t name_size = o->name_size ? o->name_size : (uint32_t)strlen(name) + 1;
	uint64_t start = length;
	char header[120];

	snprintf(header, sizeof(header), "%s%08X%08X%08x%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		o->magic ? o->magic : "070701", 7u, mode, 1u, 2u, o->links, 0x5eadbeefu, size, 3u,
		4u, 5u, 6u, name_size, o->checksum);
	memcpy(archive + length, header, 110);
	memset(archive + length + 110, 0, name_size);
	memcpy(archive + length + 110, name, strlen(name));
	length = (length + 110 + name_size + 3) & ~3ull;
	if (size)
		memcpy(archive + length, data, size);
	length = (length + size + 3) & ~3ull;
	return start;
}

static struct cpio begin(void)
{
	return (struct cpio){.bytes = archive, .size = length};
}

static void reset(void)
{
	memset(archive, 0, sizeof(archive));
	length = 0;
}

static void test_entries(void)
{
	struct cpio_entry entry;
	struct cpio_error error;
	struct cpio cpio;

	reset();
	add("/etc", S_IFDIR | 0755, NULL, 0, NULL);
	add("etc/motd", S_IFREG | 0644, "hello\n", 6, NULL);
	add("padded", S_IFREG | 0600, "x", 1, &(struct options){.links = 1, .name_size = 4096});
	add("TRAILER!!!", 0, NULL, 0, NULL);
	length += 512; /* zeros between archives */
	add("second", S_IFLNK | 0777, "etc", 3, NULL);
	cpio = begin();
	CHECK_EQUAL(cpio_next(&cpio, &entry, &error), CPIO_ENTRY);
	CHECK_STRING(entry.name, "/etc");
	CHECK_EQUAL(entry.mode, S_IFDIR | 0755);
	CHECK_EQUAL(entry.inode, 7);
	CHECK_EQUAL(entry.uid, 1);
	CHECK_EQUAL(entry.gid, 2);
	CHECK_EQUAL(entry.mtime, 0x5eadbeef);
	CHECK_EQUAL(entry.device_major, 3);
	CHECK_EQUAL(entry.node_minor, 6);
	CHECK_EQUAL(cpio_next(&cpio, &entry, &error), CPIO_ENTRY);
	CHECK_EQUAL(entry.size, 6);
	CHECK(!memcmp(archive + entry.data, "hello\n", 6));
	CHECK_EQUAL(cpio_next(&cpio, &entry, &error), CPIO_ENTRY);
	CHECK_STRING(entry.name, "padded");
	CHECK_EQUAL(archive[entry.data], 'x');
	CHECK_EQUAL(cpio_next(&cpio, &entry, &error), CPIO_TRAILER);
	CHECK_EQUAL(cpio_next(&cpio, &entry, &error), CPIO_ENTRY);
	CHECK_STRING(entry.name, "second");
	CHECK_EQUAL(cpio_next(&cpio, &entry, &error), CPIO_END);
	cpio = (struct cpio){.bytes = archive, .size = 0};
	CHECK_EQUAL(cpio_next(&cpio, &entry, &error), CPIO_END);
}

/* Passed over in silence, with what follows still read. */
static void test_skipped(void)
{
	static char big[5000];
	struct cpio_entry entry;
	struct cpio_error error;
	struct cpio cpio;

	reset();
	add("dir-with-data", S_IFDIR | 0755, "data", 4, NULL);
	add("long-link", S_IFLNK | 0777, big, 4097, NULL);
	add("name", S_IFREG | 0644, "d", 1, &(struct options){.links = 1, .name_size = 4097});
	add("good", S_IFREG | 0644, "d", 1, NULL);
	cpio = begin();
	for (int i = 0; i < 3; i++)
		CHECK_EQUAL(cpio_next(&cpio, &entry, &error), CPIO_SKIP);
	CHECK_EQUAL(cpio_next(&cpio, &entry, &error), CPIO_ENTRY);
	CHECK_STRING(entry.name, "good");
}

static void is_broken(uint64_t offset, const char *what)
{
	struct cpio_entry entry;
	struct cpio_error error = {.found = ""};
	struct cpio cpio = begin();
	enum cpio_kind kind;

	while ((kind = cpio_next(&cpio, &entry, &error)) == CPIO_ENTRY)
		;
	CHECK_EQUAL(kind, CPIO_BROKEN);
	CHECK_STRING(error.what, what);
	CHECK_EQUAL(error.offset, offset);
	CHECK(error.found[0] && error.expected);
}

static void test_broken(void)
{
	uint64_t at;

	reset();
	add("fine", S_IFREG | 0644, "d", 1, NULL);
	at = add("old", S_IFREG, NULL, 0, &(struct options){.magic = "070707", .links = 1});
	is_broken(at, "the old octal cpio format");
	memcpy(archive + at, "\x1f\x8b\x08", 3);
	is_broken(at, "a gzip file");
	memcpy(archive + at, "garbage", 7);
	is_broken(at, "no cpio header");
	memcpy(archive + at, "070701g", 7);
	is_broken(at + 6, "a header field");
	reset();
	at = add("file", S_IFREG | 0644, "0123456789", 10, NULL);
	length -= 4;
	is_broken(at, "cut off within a file's data");
	length = 112;
	is_broken(at, "cut off within a name");
	length = 50;
	is_broken(at, "cut off within a header");
	reset();
	at = add("nameX", S_IFREG | 0644, NULL, 0, &(struct options){.links = 1, .name_size = 5});
	is_broken(at, "the name's last byte");
	reset();
	add("ok", S_IFREG | 0644, "abc", 3,
		&(struct options){.magic = "070702", .links = 1, .checksum = 'a' + 'b' + 'c'});
	at = add("bad", S_IFREG | 0644, "abc", 3,
		&(struct options){.magic = "070702", .links = 1, .checksum = 5});
	is_broken(at, "the data's checksum");
	reset();
	add("file", S_IFREG | 0644, "abcd", 4, NULL);
	memmove(archive + 1, archive, length);
	archive[0] = 0;
	length++;
	is_broken(1, "padding");
}

/* Bytes changed, cut, moved: never an access outside (the sanitizer watches), never a hang, and
 * every entry that comes lies within the archive. */
static void test_damage(void)
{
	uint64_t state = 20240607, original_length;
	static uint8_t original[4096];
	unsigned long entries = 0, broken = 0;

	reset();
	add("d", S_IFDIR | 0755, NULL, 0, NULL);
	add("d/file", S_IFREG | 0644, "some data here", 14, NULL);
	add("d/sum", S_IFREG | 0644, "ab", 2,
		&(struct options){.magic = "070702", .links = 2, .checksum = 'a' + 'b'});
	add("d/link", S_IFLNK | 0777, "file", 4, NULL);
	add("TRAILER!!!", 0, NULL, 0, NULL);
	original_length = length;
	memcpy(original, archive, length);
	for (int round = 0; round < ROUNDS; round++) {
		/* Of exactly this size, so that one byte too far is seen. */
		uint64_t size = original_length -
				check_random(&state) % 8 % 3 * (check_random(&state) % 100);
		uint8_t *copy = malloc(size);
		struct cpio cpio = {.bytes = copy, .size = size};
		struct cpio_entry entry;
		struct cpio_error error;
		enum cpio_kind kind;
		int steps = 0;

		memcpy(copy, original, size);
		for (uint64_t n = check_random(&state) % 4; n; n--)
			copy[check_random(&state) % size] =
				check_random(&state) % 2
					? (uint8_t)check_random(&state)
					: (uint8_t) "0123456789abcdefF"[check_random(&state) % 17];
		while ((kind = cpio_next(&cpio, &entry, &error)) != CPIO_END &&
			kind != CPIO_BROKEN) {
			CHECK(++steps < 100);
			CHECK(entry.data <= size && entry.size <= size - entry.data);
			if (kind != CPIO_SKIP)
				CHECK(entry.name[entry.name_length] == '\0');
			entries += kind == CPIO_ENTRY;
		}
		broken += kind == CPIO_BROKEN;
		free(copy);
	}
	CHECK(entries > ROUNDS && broken > ROUNDS / 4);
}

int main(void)
{
	test_entries();
	test_skipped();
	test_broken();
	test_damage();
	return check_done();
}
