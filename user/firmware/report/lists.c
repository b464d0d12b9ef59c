/* SPDX-License-Identifier: MIT */
#include "lists.h"

const uint8_t guid_global[16] = {0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00,
	0xe0, 0x98, 0x03, 0x2b, 0x8c};
const uint8_t guid_security[16] = {0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc, 0xda,
	0xd0, 0x0e, 0x67, 0x65, 0x6f};

static struct span name_of(const struct evidence_record *variable)
{
	const struct evidence_variable *head = evidence_head(variable);

	return span_part(span_of(variable), 0, head->name_size);
}

struct span variable_data(const struct evidence_record *variable)
{
	const struct evidence_variable *head = evidence_head(variable);

	return span_part(span_of(variable), head->name_size, SIZE_MAX);
}

static bool is_named(struct span name, const char *text)
{
	size_t length = strlen(text);

	if (name.size != 2 * length + 2)
		return false;
	for (size_t i = 0; i <= length; i++)
		if (le16(name, 2 * i) != (unsigned char)text[i])
			return false;
	return true;
}

const struct evidence_record *variable_find(const struct evidence *e, enum evidence_phase phase,
	const uint8_t guid[16], const char *name)
{
	const struct evidence_record *record = NULL;

	while ((record = evidence_of(e, EVIDENCE_VARIABLE, phase, record))) {
		const struct evidence_variable *head = evidence_head(record);

		if (!memcmp(head->guid, guid, 16) && is_named(name_of(record), name))
			break;
	}
	return record;
}

struct name_text variable_name(const struct evidence_record *variable)
{
	struct span name = name_of(variable);
	struct name_text out;
	size_t used = 0;

	for (size_t i = 0; i + 2 <= name.size && used + 1 < sizeof out.text; i += 2) {
		uint16_t letter = le16(name, i);

		if (!letter)
			break;
		out.text[used++] = letter > ' ' && letter < 0x7f ? (char)letter : '?';
	}
	out.text[used] = 0;
	return out;
}

#define LIST_HEADER 28u /* type, list size, header size, signature size */

long signature_lists(struct span lists)
{
	long count = 0;

	while (lists.size) {
		uint32_t size = le32(lists, 16), header = le32(lists, 20), each = le32(lists, 24);

		if (lists.size < LIST_HEADER || size > lists.size || size < LIST_HEADER ||
			header > size - LIST_HEADER || each < 16 ||
			(size - LIST_HEADER - header) % each)
			return -1;
		count += (size - LIST_HEADER - header) / each;
		lists = span_part(lists, size, SIZE_MAX);
	}
	return count;
}

bool device_path(struct span bytes, struct span *path)
{
	size_t at = 0, length;

	for (; at + 4 <= bytes.size; at += length) {
		length = le16(bytes, at + 2);
		if (length < 4 || length > bytes.size - at)
			return false;
		if (le8(bytes, at) == 0x7f && le8(bytes, at + 1) == 0xff) {
			*path = span_part(bytes, 0, at);
			return true;
		}
	}
	return false;
}

bool load_option_path(struct span option, struct span *path)
{
	size_t length = le16(option, 4), at = 6;

	while (at + 2 <= option.size && le16(option, at))
		at += 2;
	at += 2;
	if (at > option.size || length > option.size - at)
		return false;
	return device_path(span_part(option, at, length), path);
}

bool span_contains(struct span whole, struct span part)
{
	for (size_t i = 0; i + part.size <= whole.size; i++)
		if (!memcmp(whole.data + i, part.data, part.size))
			return true;
	return false;
}
