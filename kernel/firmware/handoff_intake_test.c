/* SPDX-License-Identifier: MIT */
/*
 * The hand-off's check: a good one passes; each field spoilt in turn is told by its own message;
 * then spoilt at random, with a right checksum, under the sanitizers: the physical memory is a block
 * of the host's, and a look outside of it ends the test.
 */
#include "firmware/handoff_intake.h"
#include "arch/arch.h"
#include "lib/check.h"

#include <baton/crc32.h>

#define MUTANTS 1000000u
#define RAM     0x100000u /* physical memory: 1 MiB */
#define BUILD   "0.1.0-0123456789ab"

#define DIRECT  0xffff888000000000
#define DYNAMIC 0xffffc90000000000
#define FRAMES  0xffffea0000000000
#define IMAGE   0xffffffff80600000
#define SELF    0x10100u /* physical */
#define h       (*handoff)

static uint8_t *ram;
static struct handoff *handoff; /* in RAM, as the loader's */
static struct handoff_memory *map;
static char *line;
static char message[HANDOFF_MESSAGE_MAX];

/* The tables that the loader of make_good() has made. */
static bool maps(virt_t direct_map, virt_t virt, phys_t *phys)
{
	if (direct_map != DIRECT)
		return false;
	if (virt - DIRECT < RAM)
		*phys = virt - DIRECT;
	else if (virt - IMAGE < 0xe000)
		*phys = virt - IMAGE + 0x20000;
	else if (virt - (DYNAMIC + PAGE_SIZE) < HANDOFF_STACK_SIZE)
		*phys = virt - (DYNAMIC + PAGE_SIZE) + 0x30000;
	else
		return false;
	return true;
}

static const void *view(virt_t direct_map, phys_t phys)
{
	CHECK(direct_map == DIRECT && phys < RAM);
	return ram + phys;
}

static const struct handoff_machine machine = {.build_id = BUILD,
	.self = DIRECT + SELF,
	.image = IMAGE,
	.slide = 0x600000,
	.stack = DYNAMIC + 0x4f00,
	.tables = 0x40000,
	.areas_end = 0xfffffe0000000000,
	.dynamic_size = UINT64_C(1) << 39,
	.maps = maps,
	.view = view};

static void seal(void)
{
	h.crc32 = 0;
	h.crc32 = baton_crc32(0, &h, h.size);
}

/* Of a mutant: no further than RAM goes. */
static void seal_again(void)
{
	if (h.size <= RAM - SELF)
		seal();
}

static const struct handoff_memory good_map[] = {
	{0x0, 0x1000, HANDOFF_MEMORY_FREE, 0, 15},
	{0x10000, 0x8000, HANDOFF_MEMORY_HANDOFF, 0, 15},
	{0x20000, 0x10000, HANDOFF_MEMORY_KERNEL, 0, 15},
	{0x30000, 0x4000, HANDOFF_MEMORY_STACK, 0, 15},
	{0x40000, 0x6000, HANDOFF_MEMORY_TABLES, 0, 15},
	{0x46000, 0x1000, HANDOFF_MEMORY_INITRD, 0, 15},
	{0x47000, 0x2000, HANDOFF_MEMORY_INITRD, 0, 7}, /* other attributes: not merged */
	{0xfe000000, 0x1000, HANDOFF_MEMORY_MMIO, 0, 1},
	{0xfffffffffffff000, 0x1000, HANDOFF_MEMORY_RESERVED, 0, 1},
};

static void make_good(void)
{
	memset(ram + 0x10000, 0, 0x8000);
	handoff = (struct handoff *)(ram + SELF);
	map = (struct handoff_memory *)(ram + 0x11000);
	line = (char *)ram + 0x12000;
	memcpy(map, good_map, sizeof(good_map));
	strcpy(line, "hz=100 quiet");
	h = (struct handoff){.magic = HANDOFF_MAGIC,
		.version = HANDOFF_VERSION,
		.size = sizeof(h),
		.source = HANDOFF_SOURCE_UEFI,
		.build_id = BUILD,
		.kernel_slide = 0x600000,
		.direct_map_virt = DIRECT,
		.direct_map_size = RAM,
		.dynamic_virt = DYNAMIC,
		.frames_virt = FRAMES,
		.stack_virt = DYNAMIC + PAGE_SIZE,
		.stack = {0x30000, HANDOFF_STACK_SIZE},
		.tables = {0x40000, 0x6000},
		.jump_page = 0x10000,
		.kernel = {0x20000, 0xe000},
		.segment_count = 3,
		.segments = {{0xffffffff80600000, 0x20000, 0x8000, HANDOFF_READ | HANDOFF_EXECUTE,
				     0},
			{0xffffffff80608000, 0x28000, 0x3000, HANDOFF_READ, 0},
			{0xffffffff8060b000, 0x2b000, 0x3000, HANDOFF_READ | HANDOFF_WRITE, 0}},
		.initrd = {0x46000, 0x2345},
		.command_line = {0x12000, 12},
		.memory = {0x11000, sizeof(good_map)},
		.raw_memory = {0x13000, 480},
		.raw_descriptor_size = 48,
		.configuration_tables = {0x14000, 240},
		.memory_attributes = {0x15000, 1000},
		.panic_record = {0x16000, 300},
		.evidence = {0x17000, 4000},
		.seed_sources = HANDOFF_SEED_RDRAND,
		.exit_attempts = 1,
		.stage_tsc = {1, 2, 3, 3, 4, 5, 6, 7, 8}};
	seal();
}

static void expect_good(void)
{
	const char *wrong;

	seal();
	wrong = handoff_check(&h, &machine, message);
	if (wrong)
		fprintf(stderr, "%s\n", wrong);
	CHECK(!wrong);
}

static void expect(const char *part)
{
	const char *wrong = handoff_check(&h, &machine, message);

	if (!wrong || !strstr(wrong, part))
		fprintf(stderr, "found \"%s\", expected ... %s ...\n", wrong ? wrong : "good",
			part);
	CHECK(wrong && strstr(wrong, part));
	CHECK(strlen(wrong) < HANDOFF_MESSAGE_MAX - 1);
	CHECK(!strncmp(wrong, "hand-off: ", 10));
}

/* Sets one field of a good one and expects this message. */
#define SPOIL(field, value, part)  \
	do {                       \
		make_good();       \
		h.field = (value); \
		seal();            \
		expect(part);      \
	} while (0)

#define SPOIL_MAP(i, field, value, part) \
	do {                             \
		make_good();             \
		map[i].field = (value);  \
		expect(part);            \
	} while (0)

static void test_header(void)
{
	SPOIL(magic, 1, "magic is 0x1, expected 0x464f444e48544142");
	SPOIL(version, 2, "version is 2, expected 1");
	make_good();
	h.size = sizeof(h) - 1; /* not sealed: nothing says how far the checksum goes */
	expect("size is");
	h.size = 0xffffffff;
	expect("size is");
	make_good();
	h.crc32 ^= 1;
	expect("crc32 is");
	make_good();
	h.seed[63] ^= 1;
	expect("crc32 is");
	SPOIL(source, 0, "source is 0");
	SPOIL(source, 4, "source is 4");
	SPOIL(build_id[0], '9', "build id is \"9.1.0-0123456789ab\", the kernel's \"" BUILD "\"");
	SPOIL(build_id[2], '\x1b', "build id has byte 0x1b at 2, expected \"" BUILD "\"");
	make_good();
	memset(h.build_id, 'x', sizeof(h.build_id));
	seal();
	expect("build id does not end");
}

static void test_layout(void)
{
	SPOIL(kernel_slide, 0x1000, "kernel_slide is 0x1000");
	SPOIL(kernel_slide, 0x800000, "kernel_slide is 0x800000, expected 0x600000");
	SPOIL(direct_map_virt, 0xffff888000001000, "direct_map_virt is 0xffff888000001000");
	SPOIL(direct_map_virt, 0xffff888040000000, "direct_map_virt is 0xffff888040000000");
	SPOIL(direct_map_virt, 0x40000000, "direct_map_virt is 0x40000000");
	SPOIL(dynamic_virt, 0, "dynamic_virt");
	SPOIL(dynamic_virt, 0xffffff8000000000,
		"dynamic_virt is 0xffffff8000000000 for 0x8000000000");
	SPOIL(frames_virt, 0xffffea0000000001, "frames_virt");
	SPOIL(frames_virt, 0xfffffe0000000000, "frames_virt is 0xfffffe0000000000 for 0x");
	SPOIL(direct_map_size, 0, "direct_map_virt");
	SPOIL(direct_map_size, UINT64_MAX, "direct_map_virt");
	SPOIL(dynamic_virt, h.direct_map_virt, "areas overlap");
	SPOIL(dynamic_virt, h.direct_map_virt - 0x4000000000, "areas overlap");
	SPOIL(frames_virt, h.direct_map_virt, "areas overlap");
	SPOIL(frames_virt, h.dynamic_virt, "areas overlap");
	SPOIL(frames_virt, h.dynamic_virt + 0x4000000000, "areas overlap");
	SPOIL(direct_map_size, 0x420000000000, "areas overlap");
	SPOIL(tables.base, 0x41000, "tables is at 0x41000, expected 0x40000");
}

static void test_map(void)
{
	SPOIL(memory.size, 0, "memory has 0 bytes");
	SPOIL(memory.size, 33, "memory has 33 bytes");
	SPOIL(memory.size, UINT64_MAX / 32 * 32, "memory has");
	SPOIL(memory.base, RAM, "memory is at");
	SPOIL(memory.base, RAM - 32, "memory is at");
	SPOIL(memory.base, 0x11004, "memory is at");
	SPOIL(memory.base, UINT64_MAX - 7, "memory is at");
	SPOIL_MAP(1, size, 0, "memory[1] is 0x10000 + 0");
	SPOIL_MAP(1, base, 0x10800, "memory[1] is");
	SPOIL_MAP(1, size, 0x800, "memory[1] is");
	SPOIL_MAP(1, size, 0x10001000, "memory[1], 0x10000 + 0x10001000 of RAM, is past");
	SPOIL_MAP(1, size, 0x11000, "memory[2] begins at 0x20000, before the end 0x21000");
	SPOIL_MAP(2, base, 0, "memory[2] begins at 0, before");
	SPOIL_MAP(2, type, 0, "memory[2] at 0x20000 has type 0");
	SPOIL_MAP(2, type, HANDOFF_MEMORY_TYPES, "memory[2] at 0x20000 has type 17");
	SPOIL_MAP(8, size, 0x2000, "memory[8] is");
	SPOIL_MAP(7, size, UINT64_MAX - 0xfe000000 + 1, "memory[8]");
	SPOIL(memory.base, 0x11000 + RAM, "memory is at");
	make_good();
	map[7] = (struct handoff_memory){RAM, 0x1000, HANDOFF_MEMORY_FREE, 0, 15};
	h.direct_map_size = 2 * RAM;
	seal();
	expect("memory[7], 0x100000 + 0x1000 of RAM (free), is not what the page tables show");
	SPOIL(direct_map_size, 0x48000, "memory[6], 0x47000 + 0x2000 of RAM, is past");
}

static void test_loaded(void)
{
	SPOIL(kernel.base, 0x1f000,
		"kernel is at 0x1f000 + 0xe000, expected inside of \"kernel\" memory");
	SPOIL(kernel.base, 0x20001, "kernel is at 0x20001, expected a page");
	SPOIL(kernel.size, 0x11000, "kernel is at");
	SPOIL(kernel.size, UINT64_MAX, "kernel is at");
	SPOIL(kernel.size, 0, "kernel is at");
	SPOIL(segment_count, 0, "segment_count is 0");
	SPOIL(segment_count, 9, "segment_count is 9");
	SPOIL(segment_count, 4, "segments[3]");
	SPOIL(segments[1].size, 0, "segments[1]");
	SPOIL(segments[1].size, 0x3800, "segments[1]");
	SPOIL(segments[1].virt, 0x600000, "segments[1]");
	SPOIL(segments[1].phys, 0x1f000, "segments[1] at 0x1f000 + 0x3000 is outside of the image");
	SPOIL(segments[2].phys, 0x2c000, "segments[2] at 0x2c000 + 0x3000 is outside");
	SPOIL(segments[2].access, 7, "segments[2] has access 0x7");
	SPOIL(segments[2].access, 2, "segments[2] has access 0x2");
	SPOIL(segments[2].access, 9, "segments[2] has access 0x9");
	SPOIL(segments[2].virt, 0xffffffff8060a000, "begins before the end 0xffffffff8060b000");
	SPOIL(segments[1].phys, 0x27000, "segments[1], 0xffffffff80608000 at 0x27000");
	make_good();
	h.segments[0].virt += 0x1000;
	h.segments[0].phys += 0x1000;
	h.segments[0].size -= 0x1000;
	seal();
	expect("segments[0] is at 0xffffffff80601000, expected 0xffffffff80600000");
	SPOIL(segments[0].access, 1, "none of 3 segments is executable");
	SPOIL(stack.base, 0x31000, "stack is at");
	SPOIL(stack.size, 0x3000, "stack has 0x3000 bytes, expected 0x4000");
	SPOIL(stack_virt, 0xffffc90000001800, "stack_virt is");
	SPOIL(stack_virt, 0xffff888000001000, "stack_virt is");
	SPOIL(stack_virt, 0xffffc90000002000, "stack_virt is 0xffffc90000002000, where");
	SPOIL(tables.size, 0x7000, "tables is at");
	SPOIL(jump_page, 0x20000, "jump_page is at");
	SPOIL(jump_page, 0x10800, "jump_page is at");
	SPOIL(initrd.base, 0x46001, "initrd is at");
	SPOIL(initrd.size, 0x3001, "initrd is at");
}

static void test_the_rest(void)
{
	SPOIL(command_line.size, 65536, "command_line has 65536 bytes");
	SPOIL(command_line.size, 11, "command_line ends after");
	SPOIL(command_line.base, 0x20000, "command_line is at");
	SPOIL(command_line.base, 0x18000 - 12, "command_line is at");
	make_good();
	line[3] = 0;
	expect("command_line ends after 3 bytes, expected 12");
	SPOIL(kernel_file.size, 5, "kernel_file is at");
	SPOIL(raw_memory.base, 0x20000, "raw_memory is at");
	SPOIL(raw_descriptor_size, 0, "raw_descriptor_size is 0 for 480 bytes");
	SPOIL(raw_descriptor_size, 49, "raw_descriptor_size is 49");
	SPOIL(configuration_tables.size, 0x4001, "configuration_tables is at");
	SPOIL(memory_attributes.base, 0, "memory_attributes is at");
	SPOIL(runtime_services, 0x20000, "runtime_services is 0x20000, expected 0 or");
	SPOIL(panic_record.base, 0x20000, "panic_record is at");
	SPOIL(evidence.base, 0x20000, "evidence is at");
	SPOIL(evidence.size, 0x100000000, "evidence is at");
	SPOIL(seed_sources, 0, "seed_sources is 0");
	SPOIL(seed_sources, 16, "seed_sources is 0x10");
	SPOIL(exit_attempts, 0, "exit_attempts is 0");
	SPOIL(stage_tsc[4], 2, "stage_tsc[4] is 2, before the 3");
}

static void test_good(void)
{
	make_good();
	expect_good();
	h.initrd.size = h.raw_memory.size = h.configuration_tables.size = h.memory_attributes.size =
		0;
	expect_good();
	h.command_line.size = h.command_line.base = 0;
	expect_good();
	h.source = HANDOFF_SOURCE_PVH;
	h.exit_attempts = 0;
	expect_good();
	CHECK_STRING(handoff_memory_name(HANDOFF_MEMORY_FREE), "free");
	CHECK_STRING(handoff_memory_name(0), "unknown");
	CHECK_STRING(handoff_memory_name(HANDOFF_MEMORY_TYPES), "unknown");
	for (uint32_t type = 1; type < HANDOFF_MEMORY_TYPES; type++)
		CHECK(handoff_memory_name(type) != NULL);
}

/* A longer structure of the same version is fine, its checksum over all of it. */
static void test_longer(void)
{
	uint64_t *more;

	make_good();
	more = (uint64_t *)(handoff + 1);
	h.size = sizeof(h) + 4 * sizeof(*more);
	for (unsigned i = 0; i < 4; i++)
		more[i] = i + 1;
	expect_good();
	more[3] ^= 1;
	expect("crc32 is");
}

/* What the debug build's loader does (efi-loader/pure/mutate.c) and more: up to three words of the structure, its map and
 * its command line. */
static void spoil(uint64_t *seed)
{
	static const uint64_t values[] = {0, 1, 0x1000, 0xfff, 0xffffffff, UINT64_MAX,
		0xffff800000000000, RAM, RAM - 1, 0x11000, 0x10000, DIRECT, DYNAMIC, IMAGE};
	uint64_t r = check_random(seed), word;
	uint64_t value =
		r & 1 ? values[(r >> 8) % ARRAY_SIZE(values)] : check_random(seed) >> (r >> 8) % 64;
	bool in_map = (r & 6) == 0;
	size_t size = in_map ? sizeof(good_map) : sizeof(h);
	uint8_t *at = (in_map ? (uint8_t *)map : (uint8_t *)&h) + (r >> 16) % (size / 8) * 8;

	memcpy(&word, at, 8);
	word = r & 0x80 ? word ^ UINT64_C(1) << (r >> 32) % 64 : value;
	memcpy(at, &word, 8);
	if ((r & 0x70) == 0)
		line[(r >> 40) % 13] = (char)(r >> 48);
}

static void test_random(void)
{
	uint64_t seed = 11;
	unsigned long bad = 0, unsealed = 0;

	for (unsigned n = 0; n < MUTANTS; n++) {
		make_good();
		for (uint64_t k = 1 + check_random(&seed) % 3; k; k--)
			spoil(&seed);
		if (check_random(&seed) % 4)
			seal_again();
		else
			unsealed++;
		if (!handoff_check(&h, &machine, message))
			continue;
		bad++;
		CHECK(!strncmp(message, "hand-off: ", 10));
		CHECK(strlen(message) < HANDOFF_MESSAGE_MAX - 1);
	}
	printf("%u mutants, %lu of them with the old checksum: %lu refused\n", MUTANTS, unsealed,
		bad);
	CHECK(bad > unsealed * 9 / 10 && bad < MUTANTS);
}

int main(void)
{
	ram = aligned_alloc(4096, RAM);
	CHECK(ram);
	memset(ram, 0, RAM);
	test_good();
	test_header();
	test_layout();
	test_map();
	test_loaded();
	test_the_rest();
	test_longer();
	test_random();
	free(ram);
	return check_done();
}
