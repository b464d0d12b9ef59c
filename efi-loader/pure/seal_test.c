/* SPDX-License-Identifier: MIT */
#include "seal.h"

#include "check.h"

#include <baton/crc32.h>

static struct complaint why;

static void crc_is_the_standard_one(void)
{
	CHECK_EQUAL(baton_crc32(0, "123456789", 9), 0xcbf43926);
}

static void every_byte_counts(void)
{
	struct handoff h = {0};
	unsigned char *bytes = (unsigned char *)&h;

	h.rsdp = 0x1234;
	handoff_seal(&h, "0.1.0-0123456789ab");
	CHECK_EQUAL(h.magic, HANDOFF_MAGIC);
	CHECK_EQUAL(h.size, sizeof(h));
	CHECK_TEXT(h.build_id, "0.1.0-0123456789ab");
	CHECK_EQUAL(handoff_verify(&h, sizeof(h), &why), VERDICT_OK);
	for (size_t i = 0; i < sizeof(h); i++) {
		bytes[i] ^= 0x10;
		CHECK(handoff_verify(&h, sizeof(h), &why) != VERDICT_OK);
		bytes[i] ^= 0x10;
	}
	CHECK_EQUAL(handoff_verify(&h, sizeof(h) - 1, &why), VERDICT_MALFORMED);
	CHECK_EQUAL(handoff_verify(&h, sizeof(h) + 8, &why), VERDICT_OK);
}

/* A longer one of the same version has fields at the end that we do not know. */
static void longer_ones_pass(void)
{
	struct {
		struct handoff h;
		uint64_t more;
	} l = {.more = 7};
	const size_t at = offsetof(struct handoff, crc32);

	handoff_seal(&l.h, "x");
	l.h.size = sizeof(l);
	l.h.crc32 = 0;
	l.h.crc32 = baton_crc32(0, &l, sizeof(l));
	CHECK(at < sizeof(l.h));
	CHECK_EQUAL(handoff_verify(&l.h, sizeof(l), &why), VERDICT_OK);
	CHECK_EQUAL(handoff_verify(&l.h, sizeof(l.h), &why), VERDICT_MALFORMED);
	l.h.version++;
	CHECK_EQUAL(handoff_verify(&l.h, sizeof(l), &why), VERDICT_UNSUPPORTED);
}

static void long_build_ids_are_cut(void)
{
	struct handoff h = {0};

	handoff_seal(&h, "0123456789012345678901234567890123456789");
	CHECK_EQUAL(strlen(h.build_id), HANDOFF_BUILD_ID_MAX - 1);
}

int main(void)
{
	crc_is_the_standard_one();
	every_byte_counts();
	longer_ones_pass();
	long_build_ids_are_cut();
	return 0;
}
