/* SPDX-License-Identifier: MIT */
/*
 * Evidence: what the loader, the kernel and a user program saw of the firmware, as they saw it. Nothing here is
 * judged; the rules (user/firmware/report/) are functions over it, so that newer rules can judge it again.
 *
 * A header, then records one after the other, each a header and `size` bytes, padded with zeros to 8 bytes. A
 * record has a kind, the phase in which it was seen and an index among those of its kind. Its bytes begin with
 * the kind's structure (evidence_shapes.h); an array or a blob may follow. Little-endian, natural alignment.
 *
 * Versioning: a number once given to a kind, phase, case or field keeps its meaning for ever. A reader passes
 * over kinds that it does not know and refuses a version that it does not know. `crc32` is over all `size`
 * bytes with the field itself 0.
 */
#ifndef BATON_EVIDENCE_H
#define BATON_EVIDENCE_H

#include "crc32.h"
#include "evidence_shapes.h"

#define EVIDENCE_MAGIC   UINT64_C(0x444956454e544142) /* "BATNEVID" */
#define EVIDENCE_VERSION 1u
#define EVIDENCE_MAX     (64u << 20) /* bytes: longer is damaged */

struct evidence_header {
	uint64_t magic;
	uint32_t version, size; /* bytes, this header and the padding included */
	uint32_t crc32, records;
};

struct evidence_record {
	uint16_t kind;  /* enum evidence_kind */
	uint16_t phase; /* enum evidence_phase */
	uint32_t index;
	uint32_t size; /* bytes that follow, without the padding */
	uint32_t reserved;
};

/* ---- Writing: into a buffer that the caller owns. A record that has no room is left out whole, and counted. */
struct evidence_writer {
	uint8_t *data;
	size_t capacity, used;
	uint32_t records, left_out;
};

static inline void evidence_bytes_(uint8_t *to, const void *from, size_t size)
{
	const uint8_t *p = from;

	while (size--)
		*to++ = *p++;
}

static inline size_t evidence_padded_(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

/* `buffer` is aligned to 8. */
static inline void evidence_begin(struct evidence_writer *w, void *buffer, size_t capacity)
{
	*w = (struct evidence_writer){.data = buffer,
		.capacity = capacity < EVIDENCE_MAX ? capacity : EVIDENCE_MAX,
		.used = sizeof(struct evidence_header)};
	if (w->capacity < w->used)
		w->capacity = w->used = 0;
}

/* One record of two parts: the kind's structure, and what follows it (may be NULL with 0). */
static inline void evidence_add(struct evidence_writer *w, enum evidence_kind kind,
	enum evidence_phase phase, uint32_t index, const void *head, size_t head_size,
	const void *tail, size_t tail_size)
{
	struct evidence_record record = {.kind = (uint16_t)kind,
		.phase = (uint16_t)phase,
		.index = index,
		.size = (uint32_t)(head_size + tail_size)};
	size_t padded, room = w->capacity - w->used;
	uint8_t *to = w->data + w->used;

	if (room < sizeof record || head_size > room || tail_size > room - head_size ||
		evidence_padded_(head_size + tail_size) > room - sizeof record) {
		w->left_out++;
		return;
	}
	padded = evidence_padded_(record.size);
	evidence_bytes_(to, &record, sizeof record);
	evidence_bytes_(to + sizeof record, head, head_size);
	evidence_bytes_(to + sizeof record + head_size, tail, tail_size);
	for (size_t i = record.size; i < padded; i++)
		to[sizeof record + i] = 0;
	w->used += sizeof record + padded;
	w->records++;
}

/* Bytes of the whole; 0: the buffer had no room for a header. More may be added and sealed again. */
static inline size_t evidence_seal(struct evidence_writer *w)
{
	struct evidence_header header = {.magic = EVIDENCE_MAGIC,
		.version = EVIDENCE_VERSION,
		.size = (uint32_t)w->used,
		.records = w->records};

	if (!w->used)
		return 0;
	evidence_bytes_(w->data, &header, sizeof header);
	header.crc32 = baton_crc32(0, w->data, w->used);
	evidence_bytes_(w->data, &header, sizeof header);
	return w->used;
}

/* ---- Reading: nothing is copied; what is found points into the evidence. */
struct evidence {
	const uint8_t *data;
	size_t size;
};

struct evidence_shape {
	const char *name, *text;
	uint32_t head,
		element; /* bytes of the structure; of each element after it, 0: nothing follows */
};

/* The shape of a kind, or NULL: unknown. */
static inline const struct evidence_shape *evidence_shape(unsigned kind)
{
	static const struct evidence_shape shapes[EVIDENCE_KIND_END] = {
#define X(name, number, label, head, element, text) [number] = {label, text, head, element},
		EVIDENCE_KINDS(X)
#undef X
	};

	return kind < EVIDENCE_KIND_END && shapes[kind].name ? &shapes[kind] : NULL;
}

static inline bool evidence_fits_(const struct evidence_record *record)
{
	const struct evidence_shape *shape = evidence_shape(record->kind);

	if (!shape)
		return true;
	if (record->size < shape->head)
		return false;
	return shape->element ? (record->size - shape->head) % shape->element == 0
			      : record->size == shape->head;
}

/* NULL, or what is wrong. `data` is aligned to 8. Afterwards every record of a known kind has its kind's shape. */
static inline const char *evidence_open(struct evidence *e, const void *data, size_t size)
{
	const struct evidence_header *header = data;
	uint8_t zero[4] = {0};
	size_t at = sizeof *header;
	uint32_t crc, records = 0;

	if (size < sizeof *header || header->magic != EVIDENCE_MAGIC)
		return "it is no evidence of Baton's";
	if (header->version != EVIDENCE_VERSION)
		return "its version is unknown";
	if (header->size != size || size > EVIDENCE_MAX)
		return "its length is wrong";
	crc = baton_crc32(0, data, offsetof(struct evidence_header, crc32));
	crc = baton_crc32(crc, zero, sizeof zero);
	crc = baton_crc32(crc, &header->records, size - offsetof(struct evidence_header, records));
	if (crc != header->crc32)
		return "its checksum is wrong";
	for (; at < size; records++) {
		const struct evidence_record *record = (const void *)((const uint8_t *)data + at);

		if (size - at < sizeof *record || record->size > size - at - sizeof *record ||
			evidence_padded_(record->size) > size - at - sizeof *record)
			return "a record is longer than what is left";
		if (!evidence_fits_(record))
			return "a record has not the size of its kind";
		at += sizeof *record + evidence_padded_(record->size);
	}
	*e = (struct evidence){data, size};
	return records == header->records ? NULL : "the number of records is wrong";
}

/* The record after `record` (NULL: the first), or NULL. */
static inline const struct evidence_record *evidence_next(
	const struct evidence *e, const struct evidence_record *record)
{
	size_t at = record ? (size_t)((const uint8_t *)record - e->data) + sizeof *record +
				     evidence_padded_(record->size)
			   : sizeof(struct evidence_header);

	return at < e->size ? (const void *)(e->data + at) : NULL;
}

/* The next of a kind and a phase (EVIDENCE_ANY_PHASE: of each). */
static inline const struct evidence_record *evidence_of(const struct evidence *e,
	enum evidence_kind kind, enum evidence_phase phase, const struct evidence_record *after)
{
	while ((after = evidence_next(e, after)))
		if (after->kind == kind && (phase == EVIDENCE_ANY_PHASE || after->phase == phase))
			break;
	return after;
}

static inline const struct evidence_record *evidence_find(const struct evidence *e,
	enum evidence_kind kind, enum evidence_phase phase, uint32_t index)
{
	const struct evidence_record *record = NULL;

	while ((record = evidence_of(e, kind, phase, record)))
		if (record->index == index)
			break;
	return record;
}

/* The structure of a record; what follows it, and its bytes. */
static inline const void *evidence_head(const struct evidence_record *record)
{
	return record + 1;
}

static inline const void *evidence_tail(const struct evidence_record *record)
{
	return (const uint8_t *)(record + 1) + evidence_shape(record->kind)->head;
}

static inline size_t evidence_tail_size(const struct evidence_record *record)
{
	return record->size - evidence_shape(record->kind)->head;
}

/* How many elements follow. */
static inline size_t evidence_count(const struct evidence_record *record)
{
	return evidence_tail_size(record) / evidence_shape(record->kind)->element;
}

#endif
