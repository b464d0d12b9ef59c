/* SPDX-License-Identifier: MIT */
/* For qr_test.py: reads (u32 kind, u32 size, bytes) and answers (u32 size, bytes). Kind 0: a text's QR code, as side, version, level and
 * a byte a module; 1: packed by zlib_pack. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/deflate.h"
#include "lib/qr.h"

static void answer(const void *bytes, uint32_t size)
{
	fwrite(&size, sizeof(size), 1, stdout);
	fwrite(bytes, 1, size, stdout);
	fflush(stdout);
}

static void answer_qr(const uint8_t *text, size_t size)
{
	static struct qr qr;
	static uint8_t out[3 + sizeof(qr.cells)];
	uint32_t n = 0;

	if (!qr_make(&qr, (const char *)text, size)) {
		answer(out, 0);
		return;
	}
	out[n++] = (uint8_t)qr.side;
	out[n++] = (uint8_t)qr.version;
	out[n++] = (uint8_t)qr.level;
	for (unsigned y = 0; y < qr.side; y++) {
		for (unsigned x = 0; x < qr.side; x++)
			out[n++] = qr_dark(&qr, x, y);
	}
	answer(out, n);
}

int main(void)
{
	static uint8_t out[8192];
	uint32_t head[2];

	while (fread(head, sizeof(head), 1, stdin) == 1) {
		uint8_t *bytes = malloc(head[1] ? head[1] : 1); /* ASan sees a look past its end */

		if (fread(bytes, 1, head[1], stdin) != head[1])
			return 1;
		if (head[0])
			answer(out, (uint32_t)zlib_pack(bytes, head[1], out, sizeof(out)));
		else
			answer_qr(bytes, head[1]);
		free(bytes);
	}
	return 0;
}
