/* SPDX-License-Identifier: MIT */
/*
 * newc archives: a header of 110 characters ("070701", thirteen hexadecimal numbers of eight digits),
 * a name, data; name and data are each filled up to a multiple of four bytes. "070702" is the same
 * with a checksum over the data. Several archives may follow one another, with zeros between them.
 *
 * This accepts what Linux's init/initramfs.c accepts, and refuses what it refuses: the old octal
 * format, a name without its NUL, a wrong checksum, zeros between archives that leave a header
 * unaligned. Names longer than PATH_MAX, links whose text is, and data on what has none are passed
 * over as there. Everything is counted from the start of the first archive, which lies page-aligned,
 * so "aligned" means the same for offsets and addresses. No memory is taken, nothing is changed.
 */
#include "files/cpio.h"

#include "files/abi.h"
#include "lib/printf.h"
#include "lib/string.h"

#define MAGIC_SIZE 6u
#define FIELD_SIZE 8u
#define FIELDS     13u

static const char TRAILER[] = "TRAILER!!!";

enum field {
	FIELD_INODE,
	FIELD_MODE,
	FIELD_UID,
	FIELD_GID,
	FIELD_LINKS,
	FIELD_MTIME,
	FIELD_DATA_SIZE,
	FIELD_DEVICE_MAJOR,
	FIELD_DEVICE_MINOR,
	FIELD_NODE_MAJOR,
	FIELD_NODE_MINOR,
	FIELD_NAME_SIZE,
	FIELD_CHECKSUM,
};

static enum cpio_kind broken(
	struct cpio_error *error, uint64_t offset, const char *what, const char *expected)
{
	error->offset = offset;
	error->what = what;
	error->expected = expected;
	return CPIO_BROKEN;
}

/* The bytes at `at`, those that are no plain characters as dots. */
static void show_bytes(struct cpio_error *error, const uint8_t *at, size_t count)
{
	char text[9];

	for (size_t i = 0; i < count; i++)
		text[i] = at[i] >= ' ' && at[i] < 0x7f ? (char)at[i] : '.';
	text[count] = '\0';
	format(error->found, sizeof(error->found), "\"%s\"", text);
}

static int digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_number(const uint8_t *at, uint32_t *out)
{
	uint32_t value = 0;
	int d;

	for (unsigned int i = 0; i < FIELD_SIZE; i++) {
		d = digit(at[i]);
		if (d < 0)
			return false;
		value = value << 4 | (uint32_t)d;
	}
	*out = value;
	return true;
}

/* To the next byte that is not zero, which must stand where a header may. */
static bool skip_zeros(struct cpio *cpio, struct cpio_error *error)
{
	while (cpio->offset < cpio->size && !cpio->bytes[cpio->offset])
		cpio->offset++;
	if (cpio->offset == cpio->size || cpio->offset % CPIO_ALIGNMENT == 0)
		return true;
	format(error->found, sizeof(error->found), "byte %#x at an offset of %u modulo 4",
		cpio->bytes[cpio->offset], (unsigned int)(cpio->offset % CPIO_ALIGNMENT));
	broken(error, cpio->offset, "padding", "zeros up to a multiple of 4");
	return false;
}

/* What compressed it, where that is neither gzip nor nothing; or NULL. */
static const char *other_compression(const uint8_t *at, uint64_t left)
{
	static const struct {
		const char *magic, *name;
	} known[] = {
		{"\x28\xb5\x2f\xfd", "a zstd file"},
		{"\xfd"
		 "7zXZ",
			"an xz file"},
		{"\x02\x21\x4c\x18", "an lz4 file"},
		{"BZh", "a bzip2 file"},
		{"\x1f\x8b", "a gzip file"},
		{"\x89LZO", "an lzo file"},
	};

	for (unsigned int i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (left >= strlen(known[i].magic) &&
			!memcmp(at, known[i].magic, strlen(known[i].magic)))
			return known[i].name;
	return NULL;
}

static bool check_magic(struct cpio *cpio, bool *checksum, struct cpio_error *error)
{
	const uint8_t *at = cpio->bytes + cpio->offset;
	uint64_t left = cpio->size - cpio->offset;
	const char *expected = "\"070701\" or \"070702\", with 110 bytes of header";

	*checksum = left >= CPIO_HEADER && !memcmp(at, "070702", MAGIC_SIZE);
	if (*checksum || (left >= CPIO_HEADER && !memcmp(at, "070701", MAGIC_SIZE)))
		return true;
	show_bytes(error, at, left < MAGIC_SIZE ? left : MAGIC_SIZE);
	if (left >= MAGIC_SIZE && !memcmp(at, "070707", MAGIC_SIZE))
		broken(error, cpio->offset, "the old octal cpio format", "newc (cpio -H newc)");
	else if (other_compression(at, left))
		broken(error, cpio->offset, other_compression(at, left),
			"a newc archive, plain or in one gzip file");
	else if (left < CPIO_HEADER && !memcmp(at, "07070", left < 5 ? left : 5))
		broken(error, cpio->offset, "cut off within a header", expected);
	else
		broken(error, cpio->offset, "no cpio header", expected);
	return false;
}

static bool read_fields(const struct cpio *cpio, uint32_t *fields, struct cpio_error *error)
{
	const uint8_t *at = cpio->bytes + cpio->offset + MAGIC_SIZE;

	for (unsigned int i = 0; i < FIELDS; i++, at += FIELD_SIZE) {
		if (read_number(at, &fields[i]))
			continue;
		show_bytes(error, at, FIELD_SIZE);
		broken(error, (uint64_t)(at - cpio->bytes), "a header field",
			"8 hexadecimal digits");
		return false;
	}
	return true;
}

/* Name and data must lie within what is there. */
static bool check_extent(const struct cpio *cpio, const struct cpio_entry *entry,
	uint32_t name_size, struct cpio_error *error)
{
	uint64_t name = entry->offset + CPIO_HEADER, left = cpio->size - name;

	if (name_size > left) {
		format(error->found, sizeof(error->found), "a name of %u bytes, %llu are left",
			name_size, (unsigned long long)left);
		broken(error, entry->offset, "cut off within a name", "all of the name");
		return false;
	}
	if (entry->data > cpio->size || entry->size > cpio->size - entry->data) {
		format(error->found, sizeof(error->found), "%llu bytes of data, %llu are left",
			(unsigned long long)entry->size,
			(unsigned long long)(entry->data > cpio->size ? 0
								      : cpio->size - entry->data));
		broken(error, entry->offset, "cut off within a file's data", "all of it");
		return false;
	}
	return true;
}

static bool check_sum(const struct cpio *cpio, const struct cpio_entry *entry, uint32_t expected,
	struct cpio_error *error)
{
	uint32_t sum = 0;

	for (uint64_t i = 0; i < entry->size; i++)
		sum += cpio->bytes[entry->data + i];
	if (sum == expected)
		return true;
	format(error->found, sizeof(error->found), "%#x, the header says %#x", sum, expected);
	broken(error, entry->offset, "the data's checksum", "the sum of all bytes");
	return false;
}

/* Entries that Linux skips: see its do_header. */
static bool is_skipped(const struct cpio_entry *entry, uint32_t name_size)
{
	if (!name_size || name_size > PATH_MAX)
		return true;
	if (S_ISLNK(entry->mode))
		return entry->size > PATH_MAX;
	return !S_ISREG(entry->mode) && entry->size;
}

static void fill_entry(struct cpio_entry *entry, const struct cpio *cpio, const uint32_t *fields)
{
	uint64_t name_end = cpio->offset + CPIO_HEADER + fields[FIELD_NAME_SIZE];

	*entry = (struct cpio_entry){
		.offset = cpio->offset,
		.inode = fields[FIELD_INODE],
		.mode = fields[FIELD_MODE],
		.uid = fields[FIELD_UID],
		.gid = fields[FIELD_GID],
		.links = fields[FIELD_LINKS],
		.mtime = fields[FIELD_MTIME],
		.device_major = fields[FIELD_DEVICE_MAJOR],
		.device_minor = fields[FIELD_DEVICE_MINOR],
		.node_major = fields[FIELD_NODE_MAJOR],
		.node_minor = fields[FIELD_NODE_MINOR],
		.name = (const char *)cpio->bytes + cpio->offset + CPIO_HEADER,
		.data = ALIGN_UP(name_end, CPIO_ALIGNMENT),
		.size = fields[FIELD_DATA_SIZE],
	};
}

enum cpio_kind cpio_next(struct cpio *cpio, struct cpio_entry *entry, struct cpio_error *error)
{
	uint32_t fields[FIELDS], name_size;
	uint64_t end;
	bool checksum, skipped;

	if (cpio->wrong || !skip_zeros(cpio, error))
		return CPIO_BROKEN;
	if (cpio->offset == cpio->size)
		return CPIO_END;
	if (!check_magic(cpio, &checksum, error) || !read_fields(cpio, fields, error))
		return CPIO_BROKEN;
	fill_entry(entry, cpio, fields);
	name_size = fields[FIELD_NAME_SIZE];
	/* The last entry's padding may be missing. */
	if (!entry->size && entry->data > cpio->size &&
		name_size <= cpio->size - entry->offset - CPIO_HEADER)
		entry->data = cpio->size;
	if (!check_extent(cpio, entry, name_size, error))
		return CPIO_BROKEN;
	skipped = is_skipped(entry, name_size);
	if (!skipped) {
		entry->name_length = (uint32_t)strnlen(entry->name, name_size);
		if (entry->name[name_size - 1]) {
			show_bytes(error, (const uint8_t *)entry->name + name_size - 1, 1);
			return broken(error, entry->offset, "the name's last byte", "a NUL");
		}
		/* As on Linux the file is made, and nothing after it. */
		if (checksum && S_ISREG(entry->mode))
			cpio->wrong = !check_sum(cpio, entry, fields[FIELD_CHECKSUM], error);
	}
	end = ALIGN_UP(entry->data + entry->size, CPIO_ALIGNMENT);
	cpio->offset = end < cpio->size ? end : cpio->size;
	if (skipped)
		return CPIO_SKIP;
	return cpio_is_trailer(entry->name) ? CPIO_TRAILER : CPIO_ENTRY;
}

bool cpio_is_trailer(const char *name)
{
	return !strcmp(name, TRAILER);
}

bool cpio_at_gzip(struct cpio *cpio)
{
	uint64_t at = cpio->offset;

	if (cpio->wrong)
		return false;
	while (at < cpio->size && !cpio->bytes[at])
		at++;
	if (cpio->size - at < 2 || cpio->bytes[at] != 0x1f || cpio->bytes[at + 1] != 0x8b)
		return false;
	cpio->offset = at;
	return true;
}

enum cpio_kind cpio_read_header(const uint8_t *bytes, uint64_t offset, struct cpio_header *header,
	struct cpio_entry *entry, struct cpio_error *error)
{
	struct cpio cpio = {.bytes = bytes, .size = CPIO_HEADER};
	uint32_t fields[FIELDS];

	if (!check_magic(&cpio, &header->checked, error) || !read_fields(&cpio, fields, error)) {
		error->offset += offset;
		return CPIO_BROKEN;
	}
	fill_entry(entry, &cpio, fields);
	entry->name = NULL;
	entry->offset += offset;
	entry->data += offset;
	header->name_size = fields[FIELD_NAME_SIZE];
	header->sum = fields[FIELD_CHECKSUM];
	return is_skipped(entry, header->name_size) ? CPIO_SKIP : CPIO_ENTRY;
}
