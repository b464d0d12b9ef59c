/* SPDX-License-Identifier: MIT */
/* SHA-256 (FIPS 180-4), and lists of such digests. */
#ifndef LOADER_SHA256_H
#define LOADER_SHA256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SHA256_SIZE 32u

struct sha256 {
	uint8_t bytes[SHA256_SIZE];
};

struct sha256 sha256_of(const void *data, uint64_t size);

/*
 * Whether `list` holds the digest: text of `size` bytes as sha256sum writes it, a line a digest: 64
 * hexadecimal digits, then a blank and whatever follows, or the line's end. Other lines are nothing.
 */
bool sha256_is_listed(const struct sha256 *digest, const char *list, uint64_t size);

#endif
