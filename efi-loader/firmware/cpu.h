/* SPDX-License-Identifier: MIT */
/* The few instructions that C has no words for. */
#ifndef LOADER_CPU_H
#define LOADER_CPU_H

#include <stdbool.h>
#include <stdint.h>

#define CR0_EM      (UINT64_C(1) << 2)
#define CR0_TS      (UINT64_C(1) << 3)
#define CR4_PGE     (UINT64_C(1) << 7)
#define CR4_OSFXSR  (UINT64_C(1) << 9)
#define CR4_LA57    (UINT64_C(1) << 12)
#define CR4_PCIDE   (UINT64_C(1) << 17)
#define CR4_OSXSAVE (UINT64_C(1) << 18)
#define CR4_CET     (UINT64_C(1) << 23)

struct cpuid {
	uint32_t a, b, c, d;
};

/* All zeroes when the CPU does not have the leaf. */
struct cpuid cpuid(uint32_t leaf, uint32_t subleaf);

static inline uint64_t read_tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

#ifdef LOADER_ON_HOST /* the unit tests' own: host/loader_test.c */
uint64_t read_cr3(void);
uint64_t read_cr4(void);
uint64_t read_msr(uint32_t msr);
void out32(uint16_t port, uint32_t value);
uint32_t in32(uint16_t port);
void out8(uint16_t port, uint8_t value);
uint8_t in8(uint16_t port);
void interrupts_off(void);
#else
static inline uint64_t read_cr3(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}

static inline uint64_t read_cr4(void)
{
	uint64_t v;

	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static inline uint64_t read_msr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void out32(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint32_t in32(uint16_t port)
{
	uint32_t value;

	__asm__ volatile("inl %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void out8(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t in8(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

static inline void interrupts_off(void)
{
	__asm__ volatile("cli");
}
#endif

#endif
