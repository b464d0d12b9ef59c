/* SPDX-License-Identifier: MIT */
/*
 * Archives compressed by gzip: unpacked through inflate's window of 32 KiB, and made into files as
 * the bytes come, so memory holds the compressed archive and the files, never a second copy. As on
 * Linux, one gzip file may hold several archives, offsets (and so alignment) count from the start of
 * what it unpacks to, and it must end where an entry ends.
 *
 * The reader is a machine of five states that takes pieces of any size: what it must see whole (a
 * header, a name, a link's text) it collects in a buffer, which the largest of them fits.
 */
#include "files/initrd_internal.h"

#include "files/abi.h"
#include "lib/errno.h"
#include "lib/inflate.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "memory/slab.h"

enum state {
	STATE_GAP,    /* zeros before the next header */
	STATE_HEADER, /* collecting it */
	STATE_NAME,   /* and the name, the padding, a link's text */
	STATE_DATA,   /* a regular file's */
	STATE_SKIP,   /* nothing that matters */
};

struct reader {
	struct unpack *unpack;
	struct cpio_error *error;
	bool broken; /* *error is set */
	enum state state;
	uint64_t position; /* of the next byte */
	struct cpio_header header;
	uint32_t sum;
	struct path path; /* in STATE_DATA */
	uint64_t left;    /* bytes that the state is waiting for */
	size_t have;      /* bytes in the buffer */
	uint8_t buffer[CPIO_HEADER + 2 * (PATH_MAX + CPIO_ALIGNMENT)];
	struct inflate inflate;
};

static bool broken(struct reader *reader, const char *what, const char *expected)
{
	reader->error->what = what;
	reader->error->expected = expected;
	reader->broken = true;
	return false;
}

/* Passes over what is left of the entry, up to `end`. */
static void skip_to(struct reader *reader, uint64_t end)
{
	reader->left = ALIGN_UP(end, CPIO_ALIGNMENT) - reader->position;
	reader->state = reader->left ? STATE_SKIP : STATE_GAP;
}

static uint64_t data_end(const struct reader *reader)
{
	return reader->unpack->entry.data + reader->unpack->entry.size;
}

/* ---- What is done when a state has all that it waited for ---- */

static bool header_read(struct reader *reader)
{
	struct cpio_entry *entry = &reader->unpack->entry;
	enum cpio_kind kind = cpio_read_header(reader->buffer, reader->position - CPIO_HEADER,
		&reader->header, entry, reader->error);

	if (kind == CPIO_BROKEN) {
		reader->broken = true;
		return false;
	}
	if (kind == CPIO_SKIP) {
		skip_to(reader, data_end(reader));
		return true;
	}
	reader->left = entry->data - reader->position;
	if (S_ISLNK(entry->mode))
		reader->left += entry->size;
	reader->state = STATE_NAME;
	return true;
}

static bool begin_data(struct reader *reader)
{
	struct unpack *unpack = reader->unpack;

	unpack->files++;
	if (!initrd_file_begin(unpack, &reader->path)) {
		skip_to(reader, data_end(reader));
		return !unpack->error;
	}
	if (!unpack->entry.size) {
		initrd_file_end(unpack, &reader->path);
		skip_to(reader, data_end(reader));
		return !unpack->error;
	}
	reader->sum = 0;
	reader->left = unpack->entry.size;
	reader->state = STATE_DATA;
	return true;
}

static bool name_read(struct reader *reader)
{
	struct unpack *unpack = reader->unpack;
	struct cpio_entry *entry = &unpack->entry;
	uint8_t last = reader->buffer[CPIO_HEADER + reader->header.name_size - 1];

	if (last) {
		reader->error->offset = entry->offset;
		format(reader->error->found, sizeof(reader->error->found), "byte %#x", last);
		return broken(reader, "the name's last byte", "a NUL");
	}
	entry->name = (const char *)reader->buffer + CPIO_HEADER;
	entry->name_length = (uint32_t)strlen(entry->name);
	unpack->data = reader->buffer + (entry->data - entry->offset);
	if (cpio_is_trailer(entry->name)) {
		initrd_forget_links(unpack);
	} else if (S_ISREG(entry->mode)) {
		return begin_data(reader);
	} else {
		initrd_entry(unpack);
	}
	skip_to(reader, data_end(reader) > reader->position ? data_end(reader) : reader->position);
	return !unpack->error;
}

static bool data_read(struct reader *reader)
{
	struct cpio_error *error = reader->error;

	initrd_file_end(reader->unpack, &reader->path);
	skip_to(reader, reader->position);
	if (!reader->header.checked || reader->sum == reader->header.sum)
		return true;
	error->offset = reader->unpack->entry.offset;
	format(error->found, sizeof(error->found), "%#x, the header says %#x", reader->sum,
		reader->header.sum);
	return broken(reader, "the data's checksum", "the sum of all bytes");
}

/* ---- Bytes ---- */

/* Each takes some of the bytes, at least one. */
static size_t collect(struct reader *reader, const uint8_t *bytes, size_t count)
{
	if (count > reader->left)
		count = reader->left;
	assert(count <= sizeof(reader->buffer) - reader->have);
	memcpy(reader->buffer + reader->have, bytes, count);
	reader->have += count;
	return count;
}

static size_t write_data(struct reader *reader, const uint8_t *bytes, size_t count)
{
	struct unpack *unpack = reader->unpack;

	if (count > reader->left)
		count = reader->left;
	if (reader->header.checked)
		for (size_t i = 0; i < count; i++)
			reader->sum += bytes[i];
	unpack->error = initrd_file_data(unpack, reader->path.dentry->inode,
		unpack->entry.size - reader->left, bytes, count);
	return count;
}

static bool skip_zeros(struct reader *reader, const uint8_t *bytes, size_t count, size_t *taken)
{
	for (*taken = 0; *taken < count && !bytes[*taken]; (*taken)++)
		reader->position++;
	if (*taken == count)
		return true;
	if (reader->position % CPIO_ALIGNMENT) {
		reader->error->offset = reader->position;
		format(reader->error->found, sizeof(reader->error->found),
			"byte %#x at an offset of %u modulo 4", bytes[*taken],
			(unsigned int)(reader->position % CPIO_ALIGNMENT));
		return broken(reader, "padding", "zeros up to a multiple of 4");
	}
	reader->state = STATE_HEADER;
	reader->left = CPIO_HEADER;
	reader->have = 0;
	return true;
}

/* A state that has got all goes on to the next; a name of no length has all at once. */
static bool advance(struct reader *reader)
{
	while (!reader->left) {
		switch (reader->state) {
		case STATE_HEADER:
			if (!header_read(reader))
				return false;
			break;
		case STATE_NAME:
			if (!name_read(reader))
				return false;
			break;
		case STATE_DATA:
			if (!data_read(reader))
				return false;
			break;
		case STATE_SKIP:
			reader->state = STATE_GAP;
			return true;
		case STATE_GAP:
			return true;
		}
	}
	return true;
}

static bool take(void *context, const uint8_t *bytes, size_t count)
{
	struct reader *reader = context;
	size_t taken;

	for (; count; bytes += taken, count -= taken) {
		if (reader->state == STATE_GAP) {
			if (!skip_zeros(reader, bytes, count, &taken))
				return false;
			continue;
		}
		if (reader->state == STATE_DATA)
			taken = write_data(reader, bytes, count);
		else if (reader->state == STATE_SKIP)
			taken = count < reader->left ? count : reader->left;
		else
			taken = collect(reader, bytes, count);
		reader->left -= taken;
		reader->position += taken;
		if (reader->unpack->error || !advance(reader))
			return false;
	}
	return true;
}

/* What the end of the gzip file, good or bad, leaves open. */
static bool finish(struct reader *reader, const struct gunzip_result *result)
{
	bool whole = reader->state == STATE_GAP;

	if (reader->state == STATE_DATA)
		initrd_file_end(reader->unpack, &reader->path);
	if (reader->unpack->error)
		return true; /* no memory: initrd.c says so */
	if (reader->broken)
		return false;
	reader->error->offset = reader->position;
	if (result->error) {
		format(reader->error->found, sizeof(reader->error->found), "%s", result->error);
		return broken(reader, "the compression", "a whole gzip file");
	}
	if (whole)
		return true;
	format(reader->error->found, sizeof(reader->error->found), "its end within an entry");
	return broken(reader, "the archive", "all of the entry");
}

bool initrd_gzip(struct unpack *unpack, struct cpio_error *error)
{
	struct reader *reader = kzalloc(sizeof(*reader));
	struct gunzip_result result;
	bool well;

	if (!reader) {
		unpack->error = -ENOMEM;
		return true;
	}
	reader->unpack = unpack;
	reader->error = error;
	unpack->gzip = true;
	result = gunzip(&reader->inflate, unpack->cpio.bytes + unpack->cpio.offset,
		unpack->cpio.size - unpack->cpio.offset, take, reader);
	well = finish(reader, &result);
	if (well) {
		unpack->cpio.offset += result.used;
		unpack->gzip = false;
		initrd_forget_links(unpack);
	}
	kfree(reader);
	return well;
}
