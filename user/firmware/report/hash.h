/* SPDX-License-Identifier: MIT */
#ifndef REPORT_HASH_H
#define REPORT_HASH_H

#include <stddef.h>
#include <stdint.h>

enum { HASH_SHA1 = 4, HASH_SHA256 = 0xb }; /* TPM_ALG_* */

/* Bytes of a digest of an algorithm that is known here; 0: it is not. */
size_t hash_size(unsigned algorithm);
/* The digest of at most 128 bytes: what a PCR and what it is extended with take. */
void hash(unsigned algorithm, const uint8_t *data, size_t size, uint8_t *digest);

#endif
