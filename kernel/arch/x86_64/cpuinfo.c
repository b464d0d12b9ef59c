/* SPDX-License-Identifier: MIT */
/* A CPU in words, as Linux's /proc/cpuinfo has them: by CPUID on the CPU that asks, since all CPUs of a
 * machine are alike but for their numbers. Intel SDM 2A, CPUID; AMD APM 3, appendix E. */
#include "arch/arch.h"

#include "clock.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "process/cpu.h"
#include "registers.h"

/* Linux's names of bits, from bit 0 on; "" has none. */
static const char *const leaf_1_edx[32] = {"fpu", "vme", "de", "pse", "tsc", "msr", "pae", "mce",
	"cx8", "apic", "", "sep", "mtrr", "pge", "mca", "cmov", "pat", "pse36", "pn", "clflush", "",
	"dts", "acpi", "mmx", "fxsr", "sse", "sse2", "ss", "ht", "tm", "ia64", "pbe"};
static const char *const leaf_1_ecx[32] = {"pni", "pclmulqdq", "dtes64", "monitor", "ds_cpl", "vmx",
	"smx", "est", "tm2", "ssse3", "cid", "sdbg", "fma", "cx16", "xtpr", "pdcm", "", "pcid",
	"dca", "sse4_1", "sse4_2", "x2apic", "movbe", "popcnt", "tsc_deadline_timer", "aes",
	"xsave", "", "avx", "f16c", "rdrand", "hypervisor"};
static const char *const extended_edx[32] = {[11] = "syscall",
	[19] = "mp",
	[20] = "nx",
	[22] = "mmxext",
	[25] = "fxsr_opt",
	[26] = "pdpe1gb",
	[27] = "rdtscp",
	[29] = "lm",
	[30] = "3dnowext",
	[31] = "3dnow"};
static const char *const extended_ecx[32] = {"lahf_lm", "cmp_legacy", "svm", "extapic",
	"cr8_legacy", "abm", "sse4a", "misalignsse", "3dnowprefetch", "osvw", "ibs", "xop",
	"skinit", "wdt", "", "lwp", "fma4", "tce", "", "nodeid_msr", "", "tbm", "topoext"};
static const char *const leaf_7_ebx[32] = {"fsgsbase", "tsc_adjust", "sgx", "bmi1", "hle", "avx2",
	"", "smep", "bmi2", "erms", "invpcid", "rtm", "cqm", "", "mpx", "rdt_a", "avx512f",
	"avx512dq", "rdseed", "adx", "smap", "avx512ifma", "", "clflushopt", "clwb", "intel_pt",
	"avx512pf", "avx512er", "avx512cd", "sha_ni", "avx512bw", "avx512vl"};
static const char *const leaf_7_ecx[32] = {"", "avx512vbmi", "umip", "pku", "ospke", "waitpkg",
	"avx512_vbmi2", "", "gfni", "vaes", "vpclmulqdq", "avx512_vnni", "avx512_bitalg", "tme",
	"avx512_vpopcntdq", "",
	"la57", [22] = "rdpid", [25] = "cldemote", [27] = "movdiri", [28] = "movdir64b"};

struct words {
	char *at;
	size_t size, length;
};

static void add(struct words *out, const char *template, ...) PRINTF_LIKE(2, 3);

static void add(struct words *out, const char *template, ...)
{
	size_t used = out->length < out->size ? out->length : out->size;
	va_list arguments;

	va_start(arguments, template);
	out->length += (size_t)format_va(out->at + used, out->size - used, template, arguments);
	va_end(arguments);
}

static void add_bits(struct words *out, uint32_t bits, const char *const names[32])
{
	for (unsigned i = 0; i < 32; i++)
		if (bits >> i & 1 && names[i] && *names[i])
			add(out, " %s", names[i]);
}

static void add_vendor(struct words *out, struct cpuid first)
{
	char name[13] = {0};

	memcpy(name, &first.ebx, 4);
	memcpy(name + 4, &first.edx, 4);
	memcpy(name + 8, &first.ecx, 4);
	add(out, "vendor_id\t: %s\n", name);
}

static void add_model(struct words *out, uint32_t signature, uint32_t most)
{
	uint32_t family = signature >> 8 & 15, model = signature >> 4 & 15;
	struct cpuid part;
	char name[49] = {0}, *start = name;

	if (family == 15 || family == 6)
		model |= (signature >> 16 & 15) << 4;
	if (family == 15)
		family += signature >> 20 & 255;
	for (uint32_t i = 0; i < 3 && most >= 0x80000004; i++) {
		part = cpuid(0x80000002 + i, 0);
		memcpy(name + 16 * i, &part, 16);
	}
	while (*start == ' ')
		start++;
	add(out, "cpu family\t: %u\nmodel\t\t: %u\nmodel name\t: %s\nstepping\t: %u\n", family,
		model, *start ? start : "unknown", signature & 15);
}

static void add_flags(struct words *out, struct cpuid one, uint32_t leaves, uint32_t most)
{
	struct cpuid extended = cpuid(0x80000001, 0), seven = {0};

	if (leaves >= 7)
		seven = cpuid(7, 0);
	add(out, "flags\t\t:");
	add_bits(out, one.edx, leaf_1_edx);
	if (most >= 0x80000001)
		add_bits(out, extended.edx, extended_edx);
	add_bits(out, one.ecx, leaf_1_ecx);
	if (most >= 0x80000001)
		add_bits(out, extended.ecx, extended_ecx);
	add_bits(out, seven.ebx, leaf_7_ebx);
	add_bits(out, seven.ecx, leaf_7_ecx);
	add(out, "\nbugs\t\t:\n");
}

size_t arch_cpu_describe(unsigned index, char *text, size_t size)
{
	struct words out = {.at = text, .size = size};
	struct cpuid first = cpuid(0, 0), one = cpuid(1, 0);
	uint32_t most = cpuid(0x80000000, 0).eax, line = (one.ebx >> 8 & 255) * 8;
	uint32_t widths = most >= 0x80000008 ? cpuid(0x80000008, 0).eax : 36 | 48 << 8;
	uint64_t hertz = clock_tsc_frequency();

	add(&out, "processor\t: %u\n", index);
	add_vendor(&out, first);
	add_model(&out, one.eax, most);
	add(&out, "cpu MHz\t\t: %lu.%03lu\n", hertz / 1000000, hertz / 1000 % 1000);
	add(&out, "physical id\t: 0\nsiblings\t: %u\ncore id\t\t: %u\ncpu cores\t: %u\n", cpu_count,
		index, cpu_count);
	add(&out, "apicid\t\t: %u\ninitial apicid\t: %u\n", cpus[index]->apic_id,
		cpus[index]->apic_id);
	add(&out, "fpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: %u\nwp\t\t: yes\n",
		first.eax);
	add_flags(&out, one, first.eax, most);
	add(&out, "bogomips\t: %lu.%02lu\nclflush size\t: %u\ncache_alignment\t: %u\n",
		hertz * 2 / 1000000, hertz * 2 / 10000 % 100, line, line ? line : 64);
	add(&out, "address sizes\t: %u bits physical, %u bits virtual\npower management:\n\n",
		widths & 255, widths >> 8 & 255);
	return out.length;
}
