/* SPDX-License-Identifier: MIT */
/*
 * The record of a panic as a QR code on the screen, for machines of which one has nothing but a picture.
 *
 * What it says is `BATON1:` and then, in Base45 (RFC 9285), the record packed by zlib: characters of the code's
 * alphanumeric mode, which every reader gives back as they are. `tools/baton symbolise` takes them. The code stands
 * at the top right, where lines seldom reach; the panic's own are at the bottom by then.
 *
 * Memory comes from pages_in_panic: nothing is set aside while all is well.
 */
#include "devices/panic_code.h"

#include "arch/arch.h"
#include "devices/framebuffer.h"
#include "lib/deflate.h"
#include "lib/log.h"
#include "lib/qr.h"
#include "lib/string.h"
#include "memory/pages.h"

#define MARGIN     4u /* modules: the standard's quiet zone */
#define PREFIX     "BATON1:"
#define PACKED_MAX ((QR_TEXT_MAX - (sizeof(PREFIX) - 1)) / 3 * 2)

struct work {
	struct qr qr;
	uint8_t packed[PACKED_MAX];
	char text[QR_TEXT_MAX + 1];
};

static struct work *work; /* NULL: there is no code */

/* Two bytes are three characters, the lowest digit first; a last one is two. Characters written. */
static size_t base45(const uint8_t *in, size_t size, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i += 2) {
		unsigned value = i + 1 < size ? in[i] * 256u + in[i + 1] : in[i];

		out[n++] = qr_characters[value % 45];
		out[n++] = qr_characters[value / 45 % 45];
		if (i + 1 < size)
			out[n++] = qr_characters[value / 2025];
	}
	return n;
}

bool panic_code_make(const char *text, size_t length)
{
	unsigned pages = DIV_ROUND_UP(sizeof(*work), PAGE_SIZE);
	phys_t memory = framebuffer_get() ? pages_in_panic(pages) : 0;
	struct work *made = memory ? arch_phys_to_ptr(memory) : NULL;
	size_t size = made ? zlib_pack(text, length, made->packed, sizeof(made->packed)) : 0;

	if (!size)
		return false;
	memcpy(made->text, PREFIX, sizeof(PREFIX) - 1);
	size = sizeof(PREFIX) - 1 + base45(made->packed, size, made->text + sizeof(PREFIX) - 1);
	if (!qr_make(&made->qr, made->text, size))
		return false;
	work = made;
	return true;
}

static void draw(const struct framebuffer *fb, const struct qr *qr, unsigned scale)
{
	unsigned side = (qr->side + 2 * MARGIN) * scale, left = fb->width - side;
	uint32_t light = fb->red | fb->green | fb->blue;

	for (unsigned y = 0; y < side; y++) {
		volatile uint32_t *line = (volatile uint32_t *)(fb->pixels + y * fb->pitch);

		for (unsigned x = 0; x < side; x++) {
			unsigned column = x / scale - MARGIN, row = y / scale - MARGIN;
			bool dark = column < qr->side && row < qr->side && qr_dark(qr, column, row);

			line[left + x] = dark ? 0 : light;
		}
	}
}

void panic_code_show(void)
{
	const struct framebuffer *fb = framebuffer_get();
	unsigned modules, room;

	if (!work || !fb)
		return;
	modules = work->qr.side + 2 * MARGIN;
	room = fb->width * 3 / 8 < fb->height / 2 ? fb->width * 3 / 8 : fb->height / 2;
	if (modules <= room)
		draw(fb, &work->qr, room / modules);
}
