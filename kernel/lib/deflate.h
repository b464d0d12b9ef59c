/* SPDX-License-Identifier: MIT */
/* Packing of short texts as zlib does (RFC 1950, RFC 1951). Pure: see deflate.c. */
#ifndef LIB_DEFLATE_H
#define LIB_DEFLATE_H

#include "lib/types.h"

#define DEFLATE_IN_MAX 4096u

/* Packs up to DEFLATE_IN_MAX bytes as a zlib stream; its size, 0: it does not fit into `room`. */
size_t zlib_pack(const void *in, size_t size, uint8_t *out, size_t room) MUST_CHECK;

#endif
