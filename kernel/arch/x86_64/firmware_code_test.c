/* SPDX-License-Identifier: MIT */
/* The instructions of ring 0: the bytes are GNU as's. And random ones. */
#include "firmware_code.h"

#include <stdlib.h>

#include "arch/fake/test.h"
#include "lib/string.h"

#define ROUNDS 1000000

static struct firmware_instruction in;

static bool decode(const char *bytes, size_t count)
{
	return firmware_decode((const uint8_t *)bytes, count, &in);
}
#define DECODE(bytes) decode(bytes, sizeof(bytes) - 1)
#define IS(bytes, kind) \
	(DECODE(bytes) && in.code == FIRMWARE_CODE_##kind && in.length == sizeof(bytes) - 1)

static void test_ports(void)
{
	CHECK(IS("\xec", IN) && in.size == 1 && !in.immediate);          /* in %dx, %al */
	CHECK(IS("\xed", IN) && in.size == 4);                           /* in %dx, %eax */
	CHECK(IS("\x66\xed", IN) && in.size == 2);                       /* in %dx, %ax */
	CHECK(IS("\xe4\x71", IN) && in.immediate && in.number == 0x71);  /* in $0x71, %al */
	CHECK(IS("\xe6\x80", OUT) && in.size == 1 && in.number == 0x80); /* out %al, $0x80 */
	CHECK(IS("\xe7\xb2", OUT) && in.size == 4);                      /* out %eax, $0xb2 */
	CHECK(IS("\x66\xef", OUT) && in.size == 2 && !in.immediate);     /* out %ax, %dx */
	CHECK(IS("\xf3\x6c", INS) && in.size == 1 && in.repeated);       /* rep insb */
	CHECK(IS("\x66\xf3\x6d", INS) && in.size == 2 && in.repeated);   /* rep insw */
	CHECK(IS("\x6f", OUTS) && in.size == 4 && !in.repeated);         /* outsl */
	CHECK(IS("\xf3\xec", IN) && !in.repeated);                       /* rep means nothing */
}

static void test_registers(void)
{
	CHECK(IS("\x0f\x20\xc0", READ_CR) && in.number == 0 && in.general == 0);
	CHECK(IS("\x0f\x20\xe3", READ_CR) && in.number == 4 && in.general == 3);
	CHECK(IS("\x41\x0f\x22\xd9", WRITE_CR) && in.number == 3 && in.general == 9);
	CHECK(IS("\x44\x0f\x22\xc0", WRITE_CR) && in.number == 8 && in.general == 0);
	CHECK(IS("\x0f\x21\xf8", READ_DR) && in.number == 7);
	CHECK(IS("\x0f\x23\xf9", WRITE_DR) && in.number == 7 && in.general == 1);
	CHECK(IS("\x0f\x32", RDMSR));
	CHECK(IS("\x0f\x30", WRMSR));
}

static void test_others(void)
{
	CHECK(IS("\xfa", CLI) && IS("\xfb", STI) && IS("\xf4", HLT));
	CHECK(IS("\x0f\x09", WBINVD) && IS("\x0f\x08", WBINVD) && IS("\x0f\x06", CLTS));
	CHECK(IS("\x0f\x01\x38", INVLPG));                             /* (%rax) */
	CHECK(IS("\x0f\x01\x7c\x24\x08", INVLPG));                     /* 8(%rsp) */
	CHECK(IS("\x0f\x01\x15\x01\x02\x03\x04", TABLES));             /* lgdt 0x4030201(%rip) */
	CHECK(IS("\x0f\x01\x1c\x25\x01\x02\x03\x04", TABLES));         /* lidt 0x4030201 */
	CHECK(IS("\x0f\x01\x98\x01\x02\x03\x04", TABLES));             /* lidt 0x4030201(%rax) */
	CHECK(IS("\x0f\x00\xd8", TABLES));                             /* ltr %ax */
	CHECK(IS("\x0f\x01\xf0", TABLES));                             /* lmsw %ax */
	CHECK(IS("\x0f\x01\xf8", OTHER) && IS("\x0f\x01\xd1", OTHER)); /* swapgs, xsetbv */
	CHECK(IS("\x0f\x33", OTHER));
	CHECK(!DECODE("\x90") && !DECODE("\x0f\x0b") && !DECODE("\x0f\x00\xe0")); /* verr */
	CHECK(!DECODE("\x0f\x01") && !DECODE("\xe4") && !DECODE("\x66\x66\x66") && !DECODE(""));
	CHECK(!DECODE("\x0f\x01\x15\x01\x02\x03")); /* not whole */
}

static void test_anything(void)
{
	uint8_t bytes[16];

	srand(1);
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t count = (size_t)(rand() % 17);

		for (size_t i = 0; i < count; i++)
			bytes[i] =
				(uint8_t)(rand() % 4 ? rand() : "\x0f\x66\xf3\x48\x01"[rand() % 5]);
		if (firmware_decode(bytes, count, &in)) {
			CHECK(in.length && in.length <= count && in.length <= FIRMWARE_CODE_MAX);
			CHECK(in.general < 16 && firmware_code_name(in.code));
		}
	}
}

int main(void)
{
	RUN(test_ports);
	RUN(test_registers);
	RUN(test_others);
	RUN(test_anything);
	return test_result();
}
