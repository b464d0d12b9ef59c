/* SPDX-License-Identifier: MIT */
/*
 * Taking the host's frames apart: a header is collected byte by byte, standard input is passed on as
 * it comes and only as far as there is room, small frames are collected whole. Frames of streams that
 * the guest does not expect are reported once and passed over; a length that no frame may have means
 * that the line is out of step, and everything after it is dropped.
 */
#include "devices/channel_frames.h"

#include "lib/string.h"

#define WINDOW_SIZE 4u

static uint32_t read32(const uint8_t *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
	       (uint32_t)at[3] << 24;
}

void channel_header(uint8_t out[CHANNEL_HEADER_SIZE], uint8_t stream, uint32_t length)
{
	out[0] = stream;
	for (unsigned int i = 0; i < 4; i++)
		out[1 + i] = (uint8_t)(length >> 8 * i);
}

/* Up to `wanted` bytes into `collected`; how many were taken. */
static size_t collect(
	struct channel_parser *parser, const uint8_t *bytes, size_t count, uint32_t wanted)
{
	size_t part = wanted - parser->have;

	if (part > count)
		part = count;
	memcpy(parser->collected + parser->have, bytes, part);
	parser->have += (uint32_t)part;
	return part;
}

static void begin_frame(struct channel_parser *parser)
{
	const struct channel_events *events = &parser->events;

	parser->stream = parser->collected[0];
	parser->left = read32(parser->collected + 1);
	parser->have = 0;
	parser->in_frame = true;
	if (parser->left > CHANNEL_FRAME_MAX) {
		parser->dead = true;
		events->broken(events->context, "a frame longer than any may be", parser->stream,
			parser->left);
	} else if (parser->stream == CHANNEL_WINDOW && parser->left != WINDOW_SIZE) {
		events->broken(events->context, "a window size that is not 4 bytes", parser->stream,
			parser->left);
		parser->stream = UINT8_MAX; /* passed over */
	} else if (parser->stream != CHANNEL_STDIN && parser->stream != CHANNEL_WINDOW) {
		events->broken(events->context, "a stream that only the guest sends, or unknown",
			parser->stream, parser->left);
	}
	if (parser->stream == CHANNEL_STDIN && !parser->left)
		events->end_of_input(events->context);
}

/* Bytes within a frame; how many were taken. */
static size_t frame_bytes(struct channel_parser *parser, const uint8_t *bytes, size_t count)
{
	const struct channel_events *events = &parser->events;
	size_t part = count < parser->left ? count : parser->left;

	if (parser->stream == CHANNEL_STDIN) {
		part = events->input(events->context, bytes, part);
	} else if (parser->stream == CHANNEL_WINDOW) {
		part = collect(parser, bytes, part, WINDOW_SIZE);
		if (parser->have == WINDOW_SIZE)
			events->window(events->context,
				(unsigned int)(parser->collected[0] | parser->collected[1] << 8),
				(unsigned int)(parser->collected[2] | parser->collected[3] << 8));
	}
	parser->left -= (uint32_t)part;
	return part;
}

size_t channel_parse(struct channel_parser *parser, const uint8_t *bytes, size_t count)
{
	size_t taken = 0, part;

	while (taken < count && !parser->dead) {
		if (!parser->in_frame) {
			taken += collect(parser, bytes + taken, count - taken, CHANNEL_HEADER_SIZE);
			if (parser->have == CHANNEL_HEADER_SIZE)
				begin_frame(parser);
		} else if (parser->left) {
			part = frame_bytes(parser, bytes + taken, count - taken);
			if (!part)
				return taken;
			taken += part;
		}
		if (parser->in_frame && !parser->left) {
			parser->in_frame = false;
			parser->have = 0;
		}
	}
	return parser->dead ? count : taken;
}
