/* SPDX-License-Identifier: MIT */
/* Registers, bits and instructions by the names that Intel's SDM gives them. */
#ifndef X86_REGISTERS_H
#define X86_REGISTERS_H

#define CR0_MP             (1ul << 1)
#define CR0_EM             (1ul << 2)
#define CR0_TS             (1ul << 3)
#define CR0_NE             (1ul << 5)
#define CR0_WP             (1ul << 16)
#define CR0_AM             (1ul << 18)
#define CR0_CD             (1ul << 30)
#define CR0_NW             (1ul << 29)

#define CR4_DE             (1ul << 3)
#define CR4_PAE            (1ul << 5)
#define CR4_MCE            (1ul << 6)
#define CR4_PGE            (1ul << 7)
#define CR4_OSFXSR         (1ul << 9)
#define CR4_OSXMMEXCPT     (1ul << 10)
#define CR4_UMIP           (1ul << 11)
#define CR4_FSGSBASE       (1ul << 16)
#define CR4_PCIDE          (1ul << 17)
#define CR4_OSXSAVE        (1ul << 18)
#define CR4_SMEP           (1ul << 20)
#define CR4_SMAP           (1ul << 21)

#define CR3_NOFLUSH        (1ul << 63) /* with PCIDE: keep the TLB entries of that PCID */

#define MSR_APIC_BASE      0x1b
#define MSR_TSC_DEADLINE   0x6e0
#define MSR_SYSENTER_CS    0x174
#define MSR_PAT            0x277
#define MSR_X2APIC         0x800
#define MSR_EFER           0xc0000080
#define MSR_STAR           0xc0000081
#define MSR_LSTAR          0xc0000082
#define MSR_CSTAR          0xc0000083
#define MSR_SFMASK         0xc0000084
#define MSR_FS_BASE        0xc0000100
#define MSR_GS_BASE        0xc0000101
#define MSR_KERNEL_GS_BASE 0xc0000102
#define MSR_TSC_AUX        0xc0000103

#define EFER_SCE           (1ul << 0)
#define EFER_NXE           (1ul << 11)

#define APIC_BASE_ENABLE   (1ul << 11)
#define APIC_BASE_X2APIC   (1ul << 10)

#define RFLAGS_CF          (1ul << 0)
#define RFLAGS_FIXED       (1ul << 1)
#define RFLAGS_PF          (1ul << 2)
#define RFLAGS_AF          (1ul << 4)
#define RFLAGS_ZF          (1ul << 6)
#define RFLAGS_SF          (1ul << 7)
#define RFLAGS_TF          (1ul << 8)
#define RFLAGS_IF          (1ul << 9)
#define RFLAGS_DF          (1ul << 10)
#define RFLAGS_OF          (1ul << 11)
#define RFLAGS_IOPL        (3ul << 12)
#define RFLAGS_NT          (1ul << 14)
#define RFLAGS_RF          (1ul << 16)
#define RFLAGS_AC          (1ul << 18)
#define RFLAGS_ID          (1ul << 21)

#define DR6_TRAPS          15ul /* which of the four breakpoints */
#define DR6_STEP           (1ul << 14)
#define DR6_FIXED          0xffff0ff0ul /* always 1, or 0 for an event: bits 11 and 16 */
#define DR7_FIXED          (1ul << 10)

/* The GDT's selectors: Linux's, which programs see in signal frames and by ptrace (gdb knows 64-bit
 * programs by CS 0x33). SYSRET wants user data right before user code. */
#define SELECTOR_KERNEL_CODE 0x10
#define SELECTOR_KERNEL_DATA 0x18
#define SELECTOR_USER_CODE32 0x20
#define SELECTOR_USER_DATA   0x2b
#define SELECTOR_USER_CODE   0x33
#define SELECTOR_TSS         0x40

#define VECTOR_DB            1
#define VECTOR_NMI           2
#define VECTOR_BP            3
#define VECTOR_OF            4
#define VECTOR_BR            5
#define VECTOR_UD            6
#define VECTOR_NM            7
#define VECTOR_DF            8
#define VECTOR_TS            10
#define VECTOR_NP            11
#define VECTOR_SS            12
#define VECTOR_GP            13
#define VECTOR_PF            14
#define VECTOR_MF            16
#define VECTOR_AC            17
#define VECTOR_MC            18
#define VECTOR_XM            19
#define VECTOR_IRQ           32 /* the first of the interrupt controller's */
#define VECTOR_TIMER         240
#define VECTOR_KICK          241 /* CPU to CPU: ipi.c */
#define VECTOR_CALL          242
#define VECTOR_STOP          243
#define VECTOR_SPURIOUS      255
#define VECTOR_SYSCALL       256 /* in struct trap_frame only */
#define VECTOR_NONE          257 /* the same: the registers are not those of an entry any more */

#define PF_PRESENT           1
#define PF_WRITE             2
#define PF_USER              4
#define PF_RESERVED          8
#define PF_FETCH             16

#ifndef __ASSEMBLER__

#include "lib/types.h"

struct cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct cpuid cpuid(uint32_t leaf, uint32_t subleaf)
{
	struct cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(subleaf));
	return r;
}

static inline uint64_t msr_read(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr) : "memory");
	return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t msr, uint64_t value)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32))
			 : "memory");
}

static inline uint64_t cr0_read(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}

static inline void cr0_write(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr0" : : "r"(v) : "memory");
}

static inline uint64_t cr2_read(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline uint64_t cr3_read(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr3, %0" : "=r"(v) : : "memory");
	return v;
}

static inline void cr3_write(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr3" : : "r"(v) : "memory");
}

static inline uint64_t cr4_read(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static inline void cr4_write(uint64_t v)
{
	__asm__ volatile("mov %0, %%cr4" : : "r"(v) : "memory");
}

static inline uint64_t tsc_read(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

/* INVPCID of one page, type 0. */
static inline void invpcid_address(uint64_t pcid, virt_t address)
{
	const struct {
		uint64_t pcid, address;
	} what = {pcid, address};

	__asm__ volatile("invpcid %0, %1" : : "m"(what), "r"(0ul) : "memory");
}

static inline void invlpg(virt_t address)
{
	__asm__ volatile("invlpg (%0)" : : "r"(address) : "memory");
}

#endif
#endif
