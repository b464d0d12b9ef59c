/* SPDX-License-Identifier: MIT */
#include "cpu.h"

#include "arch/arch.h"
#include "debug_registers.h"
#include "fpu.h"
#include "lib/log.h"
#include "lib/printf.h"
#include "lib/string.h"
#include "registers.h"

bool cpu_has[CPU_FEATURES];
uint64_t cpu_physical_mask;

/* What is on is read back from the registers. */
static const struct {
	uint64_t cr4;
	const char *name;
} cr4_names[] = {
	{CR4_SMEP, "SMEP"},
	{CR4_SMAP, "SMAP"},
	{CR4_UMIP, "UMIP"},
	{CR4_FSGSBASE, "FSGSBASE"},
	{CR4_OSXSAVE, "XSAVE"},
};

/* AMD does not speculate through supervisor pages; Intel says so in IA32_ARCH_CAPABILITIES. */
static bool meltdown_safe(uint32_t leaf7_edx)
{
	struct cpuid vendor = cpuid(0, 0);

	if (vendor.ebx == 0x68747541 && vendor.ecx == 0x444d4163) /* AuthenticAMD */
		return true;
	if (vendor.ebx == 0x6f677948) /* HygonGenuine */
		return true;
	return (leaf7_edx & 1u << 29) && (msr_read(0x10a) & 1); /* RDCL_NO */
}

/* Intel's before Nehalem: the firmware alone knows what to write there (SDM 3B, "Machine-Check Initialization"). */
static bool first_bank_is_firmwares(uint32_t signature)
{
	unsigned family = signature >> 8 & 0xf,
		 model = (signature >> 4 & 0xf) | (signature >> 12 & 0xf0);

	return cpuid(0, 0).ebx == 0x756e6547 /* GenuineIntel */ && family == 6 && model < 0x1a;
}

static void read_features(bool *has)
{
	uint32_t last = cpuid(0, 0).eax, last_extended = cpuid(0x80000000, 0).eax;
	struct cpuid one = cpuid(1, 0), seven = {0}, extended = cpuid(0x80000001, 0);

	if (last >= 7)
		seven = cpuid(7, 0);
	has[CPU_NX] = extended.edx & 1u << 20;
	has[CPU_RDTSCP] = extended.edx & 1u << 27;
	has[CPU_GIGABYTE_PAGES] = extended.edx & 1u << 26;
	has[CPU_SMEP] = seven.ebx & 1u << 7;
	has[CPU_SMAP] = seven.ebx & 1u << 20;
	has[CPU_UMIP] = seven.ecx & 1u << 2;
	has[CPU_FSGSBASE] = seven.ebx & 1u << 0;
	has[CPU_ERMS] = seven.ebx & 1u << 9;
	has[CPU_INVPCID] = seven.ebx & 1u << 10;
	has[CPU_XSAVE] = one.ecx & 1u << 26;
	has[CPU_AVX] = has[CPU_XSAVE] && (one.ecx & 1u << 28);
	has[CPU_PCID] = one.ecx & 1u << 17;
	has[CPU_X2APIC] = one.ecx & 1u << 21;
	has[CPU_TSC_DEADLINE] = one.ecx & 1u << 24;
	has[CPU_RDRAND] = one.ecx & 1u << 30;
	has[CPU_MCA] = one.edx & 1u << 14 && one.edx & 1u << 7;
	has[CPU_MCA_FIRST] = !first_bank_is_firmwares(one.eax);
	has[CPU_INVARIANT_TSC] =
		last_extended >= 0x80000007 && (cpuid(0x80000007, 0).edx & 1u << 8);
	has[CPU_MELTDOWN_SAFE] = meltdown_safe(seven.edx);
}

static uint64_t read_physical_mask(void)
{
	unsigned bits = 36;

	if (cpuid(0x80000000, 0).eax >= 0x80000008)
		bits = cpuid(0x80000008, 0).eax & 0xff;
	return ((1ul << bits) - 1) & ~0xffful;
}

bool arch_phys_exists(phys_t phys)
{
	return !(phys & ~(cpu_physical_mask | (PAGE_SIZE - 1)));
}

/* What programs see by themselves: the instruction sets, and where XSAVE puts AVX's registers. */
static struct instruction_sets {
	uint32_t one_ecx, one_edx, seven_ebx, seven_ecx, avx_size, avx_offset;
} boot_sets;

static struct instruction_sets read_sets(void)
{
	struct cpuid one = cpuid(1, 0), seven = {0}, avx = {0};

	if (cpuid(0, 0).eax >= 7)
		seven = cpuid(7, 0);
	if (one.ecx & 1u << 26)
		avx = cpuid(0xd, 2);
	/* OSXSAVE and OSPKE say what is turned on, and not yet here. */
	return (struct instruction_sets){one.ecx & ~(1u << 27), one.edx, seven.ebx,
		seven.ecx & ~(1u << 4), avx.eax, avx.ebx};
}

void cpu_detect(void)
{
	read_features(cpu_has);
	cpu_physical_mask = read_physical_mask();
	boot_sets = read_sets();
}

const char *cpu_differs(void)
{
	static const char *const names[CPU_FEATURES] = {[CPU_NX] = "NX",
		[CPU_SMEP] = "SMEP",
		[CPU_SMAP] = "SMAP",
		[CPU_UMIP] = "UMIP",
		[CPU_FSGSBASE] = "FSGSBASE",
		[CPU_XSAVE] = "XSAVE",
		[CPU_AVX] = "AVX",
		[CPU_ERMS] = "ERMS",
		[CPU_PCID] = "PCID",
		[CPU_INVPCID] = "INVPCID",
		[CPU_X2APIC] = "x2APIC",
		[CPU_TSC_DEADLINE] = "TSC deadline",
		[CPU_RDRAND] = "RDRAND",
		[CPU_RDTSCP] = "RDTSCP",
		[CPU_GIGABYTE_PAGES] = "1 GiB pages",
		[CPU_INVARIANT_TSC] = "invariant TSC",
		[CPU_MCA] = "machine checks",
		[CPU_MCA_FIRST] = "the first bank of machine checks",
		[CPU_MELTDOWN_SAFE] = "safety from Meltdown"};
	struct instruction_sets sets = read_sets();
	bool has[CPU_FEATURES];

	read_features(has);
	for (unsigned i = 0; i < CPU_FEATURES; i++) {
		if (has[i] != cpu_has[i])
			return names[i];
	}
	if (read_physical_mask() != cpu_physical_mask)
		return "the size of physical addresses";
	if (memcmp(&sets, &boot_sets, sizeof(sets)))
		return "its instruction sets";
	return NULL;
}

void cpu_control_init(void)
{
	uint64_t cr4 = cr4_read() & (CR4_PAE | CR4_MCE);

	cr0_write((cr0_read() & ~(CR0_EM | CR0_TS | CR0_CD | CR0_NW)) | CR0_MP | CR0_NE | CR0_WP |
		  CR0_AM);
	cr4 |= CR4_DE | CR4_PGE | CR4_MCE | CR4_OSFXSR | CR4_OSXMMEXCPT;
	if (cpu_has[CPU_SMEP])
		cr4 |= CR4_SMEP;
	if (cpu_has[CPU_SMAP])
		cr4 |= CR4_SMAP;
	if (cpu_has[CPU_UMIP])
		cr4 |= CR4_UMIP;
	if (cpu_has[CPU_FSGSBASE])
		cr4 |= CR4_FSGSBASE;
	if (cpu_has[CPU_XSAVE])
		cr4 |= CR4_OSXSAVE;
	cr4_write(cr4);
	msr_write(MSR_EFER, msr_read(MSR_EFER) | EFER_SCE | EFER_NXE);
	/* PAT: as at reset, but entry 1 (PWT) is write-combining. */
	msr_write(MSR_PAT, 0x0007040600070106);
	fpu_cpu_init();
	debug_cpu_init();
}

bool arch_cpu_number_user(void)
{
	return cpu_has[CPU_RDTSCP];
}

void cpu_log_features(bool isolation)
{
	char line[160] = "";
	int length = 0;
	uint64_t cr4 = cr4_read();

	if (msr_read(MSR_EFER) & EFER_NXE)
		length = format(line, sizeof(line), " NX");
	for (unsigned i = 0; i < ARRAY_SIZE(cr4_names); i++) {
		if (cr4 & cr4_names[i].cr4)
			length += format(line + length, sizeof(line) - (size_t)length, " %s",
				cr4_names[i].name);
	}
	if (cpu_has[CPU_AVX])
		format(line + length, sizeof(line) - (size_t)length, " AVX");
	log_info("cpu: on:%s%s, page-table isolation %s, FPU state %u bytes",
		cr0_read() & CR0_WP ? " WP" : "", line, isolation ? "on" : "off", fpu_state_size());
}
