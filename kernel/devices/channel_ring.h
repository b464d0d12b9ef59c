/* SPDX-License-Identifier: MIT */
/* The exec channel's rings of bytes, one for each direction. The caller locks. */
#ifndef DEVICES_CHANNEL_RING_H
#define DEVICES_CHANNEL_RING_H

#include "lib/string.h"
#include "lib/types.h"

#define RING_SIZE 16384u /* a power of two */

struct ring {
	uint8_t *bytes;
	uint32_t head, tail; /* counts that run on */
};

static inline uint32_t ring_room(const struct ring *ring)
{
	return RING_SIZE - (ring->head - ring->tail);
}

static inline void ring_put(struct ring *ring, const uint8_t *bytes, size_t count)
{
	size_t at = ring->head % RING_SIZE, first = RING_SIZE - at;

	if (first > count)
		first = count;
	memcpy(ring->bytes + at, bytes, first);
	memcpy(ring->bytes, bytes + first, count - first);
	ring->head += (uint32_t)count;
}

/* The bytes at the tail that stand together. */
static inline size_t ring_run(const struct ring *ring, const uint8_t **bytes)
{
	size_t at = ring->tail % RING_SIZE, count = ring->head - ring->tail;

	*bytes = ring->bytes + at;
	return count < RING_SIZE - at ? count : RING_SIZE - at;
}

#endif
