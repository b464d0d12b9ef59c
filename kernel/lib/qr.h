/* SPDX-License-Identifier: MIT */
/* QR codes (ISO/IEC 18004:2015), versions 1 to 20, of text in the alphanumeric mode. Pure: see qr.c. */
#ifndef LIB_QR_H
#define LIB_QR_H

#include "lib/types.h"

#define QR_VERSION_MAX   20u
#define QR_SIDE_MAX      (17u + 4u * QR_VERSION_MAX)
#define QR_CODEWORDS_MAX 1085u /* of version 20 */
#define QR_TEXT_MAX      1249u /* characters in version 20, level L */

enum qr_level { QR_LEVEL_M, QR_LEVEL_L }; /* as the format's bits have them */

struct qr {
	unsigned version, side; /* modules; a margin of 4 light ones is the drawer's */
	enum qr_level level;
	uint8_t cells[QR_SIDE_MAX][QR_SIDE_MAX]; /* by qr_dark alone */
	/* while it is made: data and its correction, in blocks, then as they are interleaved */
	uint8_t blocks[QR_CODEWORDS_MAX], codewords[QR_CODEWORDS_MAX];
};

/* Digits, capitals and " $%*+-./:". The smallest version that holds it at level M, else at level L.
 * False: it is too long, or has another character. */
bool qr_make(struct qr *qr, const char *text, size_t length) MUST_CHECK;

static inline bool qr_dark(const struct qr *qr, unsigned x, unsigned y)
{
	return qr->cells[y][x] & 1;
}

/* The character's value, 0 to 44, which is its value in Base45 (RFC 9285) too; -1: it has none. */
int qr_value(char character);
extern const char qr_characters[46];

#endif
