/* SPDX-License-Identifier: MIT */
/* The exec channel's frames, taken apart as bytes come (include/baton/channel.h). Pure. */
#ifndef DEVICES_CHANNEL_FRAMES_H
#define DEVICES_CHANNEL_FRAMES_H

#include "lib/types.h"

#include <baton/channel.h>

#define CHANNEL_HEADER_SIZE 5u

/* What becomes of a host's frames. */
struct channel_events {
	/* Bytes of standard input; takes what it has room for and returns how many. */
	size_t (*input)(void *context, const uint8_t *bytes, size_t count);
	void (*end_of_input)(void *context);
	void (*window)(void *context, unsigned int rows, unsigned int columns);
	void (*broken)(void *context, const char *what, unsigned int stream, uint32_t length);
	void *context;
};

struct channel_parser {
	struct channel_events events;
	uint8_t collected[CHANNEL_HEADER_SIZE]; /* of a header, or of a WINDOW frame's data */
	uint32_t have;                          /* bytes collected */
	uint32_t left;                          /* bytes of the present frame still to come */
	uint8_t stream;
	bool in_frame;
	bool dead; /* nonsense came: there is no way to find the next frame */
};

/* Takes bytes of the line; fewer than count when input has no more room. */
size_t channel_parse(struct channel_parser *parser, const uint8_t *bytes, size_t count);
/* Writes a header. */
void channel_header(uint8_t out[CHANNEL_HEADER_SIZE], uint8_t stream, uint32_t length);

#endif
