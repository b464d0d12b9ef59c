/* SPDX-License-Identifier: MIT */
/*
 * What a panic leaves for the next boot: a UEFI variable that the kernel writes as its last act, and
 * that the loader shows, deletes and hands over.
 *
 * A header, then text: lines, the first of which is the reason. The text can be read in any dump of the
 * variable. The checksum is over the header's first eight bytes and the text, so that a record that the
 * firmware cut off, or wrote while the power failed, is told from a whole one.
 */
#ifndef BATON_PANIC_RECORD_H
#define BATON_PANIC_RECORD_H

#include "crc32.h"

#define PANIC_RECORD_MAGIC   UINT32_C(0x434e5042) /* "BPNC" */
#define PANIC_RECORD_VERSION 1u
#define PANIC_TEXT_MAX       1000u /* bytes: what any variable store has room for */

struct panic_record {
	uint32_t magic;
	uint16_t version, length; /* of the text, without a NUL */
	uint32_t crc32;
	char text[PANIC_TEXT_MAX];
};

#define PANIC_RECORD_HEADER (offsetof(struct panic_record, text))

/* The variable's name in UCS-2, its vendor's GUID and its attributes: it survives, and both the kernel and
 * the loader reach it (UEFI 2.10 8.2). */
#define PANIC_VARIABLE_NAME                                         \
	{                                                           \
		'B', 'a', 't', 'o', 'n', 'P', 'a', 'n', 'i', 'c', 0 \
	}
#define PANIC_VARIABLE_GUID                                            \
	{                                                              \
		0xfca614f8, 0xd396, 0x4130,                            \
		{                                                      \
			0xb6, 0x3c, 0x1c, 0xbe, 0x66, 0x16, 0xf7, 0x03 \
		}                                                      \
	}
#define PANIC_VARIABLE_ATTRIBUTES 7u /* non-volatile, boot services, runtime */

static inline uint32_t panic_record_sum(const struct panic_record *record)
{
	return baton_crc32(baton_crc32(0, record, offsetof(struct panic_record, crc32)),
		record->text, record->length);
}

/* The size of the whole record, whose text and length are there. */
static inline size_t panic_record_seal(struct panic_record *record)
{
	record->magic = PANIC_RECORD_MAGIC;
	record->version = PANIC_RECORD_VERSION;
	record->crc32 = panic_record_sum(record);
	return PANIC_RECORD_HEADER + record->length;
}

/* NULL, or what is wrong with a record of so many bytes. */
static inline const char *panic_record_check(const struct panic_record *record, size_t size)
{
	if (size < PANIC_RECORD_HEADER || record->magic != PANIC_RECORD_MAGIC)
		return "it is no record of a panic";
	if (record->version != PANIC_RECORD_VERSION)
		return "its version is unknown";
	if (record->length > PANIC_TEXT_MAX || size != PANIC_RECORD_HEADER + record->length)
		return "its length is wrong";
	return record->crc32 == panic_record_sum(record) ? NULL : "its checksum is wrong";
}

/* Bytes of the first line: the reason. */
static inline size_t panic_record_reason(const struct panic_record *record)
{
	size_t n = 0;

	while (n < record->length && record->text[n] != '\n')
		n++;
	return n;
}

#endif
