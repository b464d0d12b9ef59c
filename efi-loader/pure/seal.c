/* SPDX-License-Identifier: MIT */
#include "seal.h"

#include <baton/crc32.h>

static uint32_t checksum(const struct handoff *h, uint32_t size)
{
	const size_t at = offsetof(struct handoff, crc32), after = at + sizeof(h->crc32);
	const char *bytes = (const char *)h;
	uint32_t zero = 0, crc;

	crc = baton_crc32(0, bytes, at);
	crc = baton_crc32(crc, &zero, sizeof(zero));
	return baton_crc32(crc, bytes + after, size - after);
}

void handoff_seal(struct handoff *handoff, const char *build_id)
{
	handoff->magic = HANDOFF_MAGIC;
	handoff->version = HANDOFF_VERSION;
	handoff->size = sizeof(*handoff);
	text_copy(handoff->build_id, sizeof(handoff->build_id), build_id);
	handoff->crc32 = checksum(handoff, sizeof(*handoff));
}

void handoff_seal_again(struct handoff *handoff)
{
	if (handoff->size == sizeof(*handoff))
		handoff->crc32 = checksum(handoff, sizeof(*handoff));
}

enum verdict handoff_verify(
	const struct handoff *handoff, uint64_t available, struct complaint *why)
{
	if (available < sizeof(*handoff))
		return refuse(why, VERDICT_MALFORMED, "hand-off: %lu bytes, expected %zu",
			available, sizeof(*handoff));
	if (handoff->magic != HANDOFF_MAGIC)
		return refuse(why, VERDICT_MALFORMED, "hand-off: magic 0x%lx, expected 0x%lx",
			handoff->magic, HANDOFF_MAGIC);
	if (handoff->version != HANDOFF_VERSION)
		return refuse(why, VERDICT_UNSUPPORTED, "hand-off: version %u, expected %u",
			handoff->version, HANDOFF_VERSION);
	if (handoff->size < sizeof(*handoff) || handoff->size > available)
		return refuse(why, VERDICT_MALFORMED, "hand-off: size %u, expected %zu to %lu",
			handoff->size, sizeof(*handoff), available);
	if (handoff->crc32 != checksum(handoff, handoff->size))
		return refuse(why, VERDICT_MALFORMED, "hand-off: CRC 0x%x, expected 0x%x",
			handoff->crc32, checksum(handoff, handoff->size));
	return VERDICT_OK;
}
