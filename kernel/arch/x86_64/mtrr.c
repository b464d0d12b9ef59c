/* SPDX-License-Identifier: MIT */
/*
 * The firmware sets the MTRRs of the boot CPU, and should have set the others'. A CPU that has other
 * ones would cache what another does not; so those of the boot CPU are what counts, and are written
 * where they differ, by the steps of Intel SDM 3A 11.11.7.2. The CPU runs nothing else then.
 */
#include "mtrr.h"

#include "registers.h"

#define MTRR_CAP      0xfe
#define MTRR_VARIABLE 0x200 /* base and mask of each */
#define MTRR_DEFAULT  0x2ff
#define DEFAULT_ON    (1u << 11)
#define CAP_FIXED     (1u << 8)
#define VARIABLE_MAX  32u

static const uint32_t fixed_registers[] = {
	0x250, 0x258, 0x259, 0x268, 0x269, 0x26a, 0x26b, 0x26c, 0x26d, 0x26e, 0x26f};

static struct mtrrs {
	bool present;
	unsigned variable_count;
	uint64_t cap, type;
	uint64_t fixed[ARRAY_SIZE(fixed_registers)];
	uint64_t variable[2 * VARIABLE_MAX];
} boot;

static void read_all(struct mtrrs *out)
{
	*out = (struct mtrrs){.present = cpuid(1, 0).edx & 1u << 12};
	if (!out->present)
		return;
	out->cap = msr_read(MTRR_CAP);
	out->variable_count = out->cap & 0xff;
	if (out->variable_count > VARIABLE_MAX)
		out->variable_count = VARIABLE_MAX;
	out->type = msr_read(MTRR_DEFAULT);
	for (unsigned i = 0; (out->cap & CAP_FIXED) && i < ARRAY_SIZE(fixed_registers); i++)
		out->fixed[i] = msr_read(fixed_registers[i]);
	for (unsigned i = 0; i < 2 * out->variable_count; i++)
		out->variable[i] = msr_read(MTRR_VARIABLE + i);
}

static bool same(const struct mtrrs *a, const struct mtrrs *b)
{
	bool equal = a->type == b->type;

	for (unsigned i = 0; i < ARRAY_SIZE(a->fixed); i++)
		equal &= a->fixed[i] == b->fixed[i];
	for (unsigned i = 0; i < ARRAY_SIZE(a->variable); i++)
		equal &= a->variable[i] == b->variable[i];
	return equal;
}

static void write_all(const struct mtrrs *mtrrs)
{
	uint64_t cr0 = cr0_read(), cr4 = cr4_read();

	cr0_write((cr0 & ~CR0_NW) | CR0_CD);
	__asm__ volatile("wbinvd" : : : "memory");
	cr4_write(cr4 & ~CR4_PGE);
	cr3_write(cr3_read());
	msr_write(MTRR_DEFAULT, mtrrs->type & ~(uint64_t)DEFAULT_ON);
	for (unsigned i = 0; (mtrrs->cap & CAP_FIXED) && i < ARRAY_SIZE(fixed_registers); i++)
		msr_write(fixed_registers[i], mtrrs->fixed[i]);
	for (unsigned i = 0; i < 2 * mtrrs->variable_count; i++)
		msr_write(MTRR_VARIABLE + i, mtrrs->variable[i]);
	msr_write(MTRR_DEFAULT, mtrrs->type);
	__asm__ volatile("wbinvd" : : : "memory");
	cr3_write(cr3_read());
	cr0_write(cr0);
	cr4_write(cr4);
}

void mtrr_save(void)
{
	read_all(&boot);
}

bool mtrr_match(void)
{
	struct mtrrs own;

	read_all(&own);
	if (!boot.present || !own.present || own.cap != boot.cap || same(&own, &boot))
		return false;
	write_all(&boot);
	return true;
}
