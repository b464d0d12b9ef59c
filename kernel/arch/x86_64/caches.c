/* SPDX-License-Identifier: MIT */
/*
 * The CPUs' caches by CPUID: Intel's leaf 4 and AMD's 0x8000001d say the same in one form; older AMD CPUs have
 * only the sizes in 0x80000005 and 0x80000006. Intel SDM 2A, CPUID; AMD APM 3, appendix E.4.
 */
#include "arch/arch.h"

#include "process/cpu.h"
#include "registers.h"

enum { VENDOR_AMD = 0x68747541 }; /* EBX of leaf 0: "Auth" */
enum { TOPOLOGY_EXTENSIONS = 1 << 22 };

static const char *const types[] = {NULL, "Data", "Instruction", "Unified"};

/* A power of two that is not below. */
static unsigned rounded_up(unsigned count)
{
	unsigned power = 1;

	while (power < count)
		power *= 2;
	return power;
}

static bool by_leaf(uint32_t leaf, unsigned index, struct arch_cache *out)
{
	struct cpuid r = cpuid(leaf, index);

	if (!(r.eax & 31) || (r.eax & 31) >= ARRAY_SIZE(types))
		return false;
	*out = (struct arch_cache){.level = r.eax >> 5 & 7,
		.type = types[r.eax & 31],
		.line = (r.ebx & 0xfff) + 1,
		.ways = (r.ebx >> 22) + 1,
		.sets = r.ecx + 1,
		.sharing = rounded_up((r.eax >> 14 & 0xfff) + 1)};
	return true;
}

/* How 0x80000006 tells associativity; 0xf: fully, as many ways as there are lines. */
static const uint8_t ways_of[16] = {0, 1, 2, 0, 4, 0, 8, 0, 16, 0, 32, 48, 64, 96, 128, 255};

static bool by_sizes(unsigned index, struct arch_cache *out)
{
	struct cpuid one = cpuid(0x80000005, 0), two = cpuid(0x80000006, 0);
	const struct {
		const char *type;
		unsigned level;
		uint32_t kilobytes, ways, line;
	} known[] = {
		{types[1], 1, one.ecx >> 24, one.ecx >> 16 & 255, one.ecx & 255},
		{types[2], 1, one.edx >> 24, one.edx >> 16 & 255, one.edx & 255},
		{types[3], 2, two.ecx >> 16, ways_of[two.ecx >> 12 & 15], two.ecx & 255},
		{types[3], 3, (two.edx >> 18) * 512, ways_of[two.edx >> 12 & 15], two.edx & 255},
	};
	uint32_t lines;

	if (index >= ARRAY_SIZE(known) || !known[index].kilobytes || !known[index].line ||
		!known[index].ways)
		return false;
	lines = known[index].kilobytes * 1024 / known[index].line;
	*out = (struct arch_cache){.level = known[index].level,
		.type = known[index].type,
		.line = known[index].line,
		.ways = known[index].ways == 255 ? lines : known[index].ways,
		.sharing = known[index].level == 3 ? rounded_up(cpu_count) : 1};
	out->sets = lines / out->ways;
	return out->sets;
}

bool arch_cache(unsigned index, struct arch_cache *out)
{
	struct cpuid first = cpuid(0, 0);
	uint32_t most = cpuid(0x80000000, 0).eax;

	if (first.ebx != VENDOR_AMD)
		return first.eax >= 4 && by_leaf(4, index, out);
	if (most >= 0x8000001d && cpuid(0x80000001, 0).ecx & TOPOLOGY_EXTENSIONS)
		return by_leaf(0x8000001d, index, out);
	return most >= 0x80000006 && by_sizes(index, out);
}
