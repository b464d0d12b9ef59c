/* SPDX-License-Identifier: MIT */
/* Instructions of UMIP: the bytes are GNU as's. */
#include "arch/fake/test.h"
#include "lib/string.h"
#include "trap_frame.h"
#include "umip.h"

static struct umip_instruction in;
static struct trap_frame frame;

static bool decode(const char *bytes, size_t count)
{
	return umip_decode((const uint8_t *)bytes, count, &in);
}
#define DECODE(bytes) decode(bytes, sizeof(bytes) - 1)

static void start(void)
{
	frame = (struct trap_frame){.rip = 0x401000,
		.rax = 0x1000,
		.rcx = 0x20,
		.rsp = 0x7000,
		.rbp = 0x8000,
		.r12 = 0x300000000,
		.r13 = 0x9000,
		.r15 = 5};
}

static void test_kinds(void)
{
	CHECK(DECODE("\x0f\x01\x00") && in.kind == UMIP_SGDT && in.length == 3); /* sgdt (%rax) */
	CHECK(DECODE("\x0f\x01\x08") && in.kind == UMIP_SIDT);                   /* sidt (%rax) */
	CHECK(DECODE("\x0f\x01\x20") && in.kind == UMIP_SMSW && !in.to_register);
	CHECK(DECODE("\x0f\x00\x00") && in.kind == UMIP_SLDT);
	CHECK(DECODE("\x0f\x00\x08") && in.kind == UMIP_STR);
	CHECK(!DECODE("\x0f\x01\xc0")); /* enclv */
	CHECK(!DECODE("\x0f\x01\xc8")); /* monitor */
	CHECK(!DECODE("\x0f\x01\x10")); /* lgdt */
	CHECK(!DECODE("\x0f\x01\x38")); /* invlpg */
	CHECK(!DECODE("\x0f\x00\x10")); /* lldt */
	CHECK(!DECODE("\xf4"));         /* hlt */
	CHECK(!DECODE("\x0f\x02\x00")); /* lar */
}

static void test_registers(void)
{
	uint8_t value[10];

	CHECK(DECODE("\x0f\x01\xe0") && in.to_register && in.base == 0 &&
		in.operand_size == 4); /* smsw %eax */
	CHECK_EQUAL(umip_value(&in, value), 4);
	CHECK(!memcmp(value, "\x33\x00\x05\x80", 4));
	CHECK(DECODE("\x66\x41\x0f\x01\xe7") && in.base == 15 &&
		in.operand_size == 2); /* smsw %r15w */
	CHECK_EQUAL(in.length, 5);
	CHECK(DECODE("\x48\x0f\x00\xcb") && in.kind == UMIP_STR && in.base == 3); /* str %rbx */
	CHECK_EQUAL(umip_value(&in, value), 8);
	CHECK(!memcmp(value, "\x40\0\0\0\0\0\0\0", 8));
	CHECK(DECODE("\x41\x66\x0f\x01\xe7") && in.base == 7); /* a REX before a prefix is none */
}

static void test_addresses(void)
{
	start();
	CHECK(DECODE("\x0f\x01\x40\xf8")); /* sgdt -8(%rax) */
	CHECK_EQUAL(umip_address(&in, &frame), 0xff8);
	CHECK(DECODE("\x0f\x01\x44\xc8\x10")); /* sgdt 16(%rax,%rcx,8) */
	CHECK_EQUAL(umip_address(&in, &frame), 0x1110);
	CHECK(DECODE("\x0f\x01\x04\x24")); /* sgdt (%rsp) */
	CHECK_EQUAL(umip_address(&in, &frame), 0x7000);
	CHECK(DECODE("\x0f\x01\x4d\x00")); /* sidt (%rbp) */
	CHECK_EQUAL(umip_address(&in, &frame), 0x8000);
	CHECK(DECODE("\x41\x0f\x01\x4d\x00")); /* sidt (%r13) */
	CHECK_EQUAL(umip_address(&in, &frame), 0x9000);
	CHECK(DECODE("\x41\x0f\x01\x0c\x24")); /* sidt (%r12) */
	CHECK_EQUAL(umip_address(&in, &frame), 0x300000000);
	CHECK(DECODE("\x67\x41\x0f\x01\x0c\x24")); /* sidt (%r12d) */
	CHECK_EQUAL(umip_address(&in, &frame), 0);
	CHECK(DECODE("\x42\x0f\x01\x0c\x3d\x00\x10\x00\x00")); /* sidt 0x1000(,%r15) */
	CHECK_EQUAL(umip_address(&in, &frame), 0x1005);
	CHECK(DECODE("\x0f\x01\x0d\x00\x01\x00\x00") && in.length == 7); /* sidt 0x100(%rip) */
	CHECK_EQUAL(umip_address(&in, &frame), 0x401107);
	CHECK(DECODE("\x65\x0f\x01\x0c\x25\xf0\xff\xff\xff") &&
		in.segment == 0x65); /* sidt %gs:-16 */
	CHECK_EQUAL(umip_address(&in, &frame), -16);
	CHECK(DECODE("\x0f\x01\x80\x00\x00\x00\x80")); /* sgdt -0x80000000(%rax) */
	CHECK_EQUAL(umip_address(&in, &frame), -0x7ffff000l);
}

static void test_ends(void)
{
	static const char whole[] = "\x65\x42\x0f\x01\x0c\x3d\x00\x10\x00\x00";

	for (size_t i = 0; i < sizeof(whole) - 1; i++)
		CHECK(!decode(whole, i));
	CHECK(decode(whole, sizeof(whole) - 1) && in.length == 10);
	/* 15 bytes are the most. */
	CHECK(DECODE("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\x01\x00"));
	CHECK(!DECODE("\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x66\x0f\x01\x00"));
}

static void test_anything(void)
{
	for (int i = 0; i < 1000000; i++) {
		size_t count = test_random(INSTRUCTION_MAX + 1);
		uint8_t *bytes = malloc(count ? count : 1);
		uint8_t value[10];

		for (size_t k = 0; k < count; k++)
			bytes[k] = (uint8_t)(test_random(3) ? test_random(256)
							    : test_random(2) * 0x0f);
		if (umip_decode(bytes, count, &in)) {
			CHECK(in.length >= 3 && in.length <= count);
			CHECK(in.base >= -1 && in.base < 16 && in.index >= -1 && in.index < 16);
			CHECK(umip_value(&in, value) <= sizeof(value));
			umip_address(&in, &frame);
		}
		free(bytes);
	}
}

int main(void)
{
	RUN(test_kinds);
	RUN(test_registers);
	RUN(test_addresses);
	RUN(test_ends);
	RUN(test_anything);
	return test_result();
}
