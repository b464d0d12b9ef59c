/* SPDX-License-Identifier: MIT */
/* The host's end of inflate_test.py: cases come in (u32 size, bytes), answers go out (u32 bytes used
 * or UINT32_MAX where the input was refused, u32 size, bytes; or the sentence). */
#include "lib/inflate.h"

#include <stdio.h>
#include <stdlib.h>

struct output {
	uint8_t *bytes;
	size_t size, most;
};

static bool take(void *context, const uint8_t *bytes, size_t count)
{
	struct output *out = context;

	if (!count || count > INFLATE_WINDOW)
		abort();
	while (out->size + count > out->most) {
		out->most = out->most * 2 + INFLATE_WINDOW;
		out->bytes = realloc(out->bytes, out->most);
		if (!out->bytes)
			abort();
	}
	__builtin_memcpy(out->bytes + out->size, bytes, count);
	out->size += count;
	return true;
}

static void answer(uint32_t used, const void *bytes, size_t size)
{
	uint32_t head[2] = {used, (uint32_t)size};

	fwrite(head, sizeof(head), 1, stdout);
	if (size)
		fwrite(bytes, 1, size, stdout);
	fflush(stdout);
}

int main(void)
{
	static struct inflate inflate;
	struct gunzip_result result;
	struct output out = {0};
	uint8_t *in;
	uint32_t size;

	while (fread(&size, sizeof(size), 1, stdin) == 1) {
		in = malloc(size); /* of just that size: a byte too many is seen */
		if (!in || fread(in, 1, size, stdin) != size)
			return 1;
		out.size = 0;
		__builtin_memset(&inflate, 0xa5, sizeof(inflate));
		result = gunzip(&inflate, in, size, take, &out);
		if (result.error)
			answer(UINT32_MAX, result.error, __builtin_strlen(result.error));
		else if (result.produced != out.size)
			return 1;
		else
			answer((uint32_t)result.used, out.bytes, out.size);
		free(in);
	}
	free(out.bytes);
	return 0;
}
