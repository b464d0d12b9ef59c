/* SPDX-License-Identifier: MIT */
/*
 * Clocks and devices that ACPI's tables speak of. The TSC's rate is counted against ACPI's PM timer for a millisecond,
 * until two counts agree: a virtual machine may stand still within one. The HPET is read in the same moments; one that
 * stands is set going and stopped again.
 */
#include "evidence_internal.h"

#include "cpu.h"

#define PM_HZ        UINT64_C(3579545) /* ACPI 6.5 4.8.2.1 */
#define PM_MASK      0xffffffu
#define PM_TICKS     3580u /* a millisecond */
#define SAMPLES      8u    /* of which the quickest counts */
#define COUNTS       5u
#define TURNS        10000000u /* of a timer that stands */
#define AGREE_PART   64u
#define FADT_PM      76u
#define FADT_X_PM    208u
#define HPET_ADDRESS 44u /* in its table */
#define HPET_PERIOD  4u  /* registers; IA-PC HPET 1.0a 2.3 */
#define HPET_CONFIG  16u
#define HPET_COUNTER 240u
#define FEMTOSECONDS UINT64_C(1000000000000000)
#define MCFG_ENTRIES 44u
#define SPCR_KIND    36u
#define SPCR_ADDRESS 40u
#define UART_SCRATCH 7u
#define UART_BYTE    0x5au

struct clocks {
	uint16_t pm; /* port; 0: none */
	volatile uint8_t *hpet;
};

struct sample {
	uint64_t tsc;
	uint32_t pm, hpet;
};

static uint32_t table32(const uint8_t *table, uint32_t at)
{
	uint32_t value;

	__builtin_memcpy(&value, table + at, sizeof(value));
	return value;
}

static uint64_t table64(const uint8_t *table, uint32_t at)
{
	return table32(table, at) | (uint64_t)table32(table, at + 4) << 32;
}

static const uint8_t *find(const char *signature, uint64_t least)
{
	return evidence_acpi_find(collector.acpi, collector.acpi_count, signature, least);
}

static volatile uint32_t *hpet_register(const struct clocks *c, uint32_t at)
{
	return (volatile uint32_t *)(c->hpet + at);
}

static struct sample take_sample(const struct clocks *c)
{
	struct sample best = {0};
	uint64_t shortest = UINT64_MAX;

	for (unsigned int i = 0; i < SAMPLES; i++) {
		struct sample s = {.tsc = read_tsc()};
		uint64_t took;

		s.pm = in32(c->pm);
		s.hpet = c->hpet ? *hpet_register(c, HPET_COUNTER) : 0;
		took = read_tsc() - s.tsc;
		if (took < shortest) {
			shortest = took;
			s.tsc += took / 2;
			best = s;
		}
	}
	return best;
}

/* The TSC's ticks in a second; 0: the PM timer stands still. */
static uint64_t count(const struct clocks *c, struct sample *a, struct sample *b)
{
	unsigned int turns = 0;

	*a = take_sample(c);
	while (((in32(c->pm) - a->pm) & PM_MASK) < PM_TICKS)
		if (++turns == TURNS)
			return 0;
	*b = take_sample(c);
	return (b->tsc - a->tsc) * PM_HZ / ((b->pm - a->pm) & PM_MASK);
}

static bool agree(uint64_t a, uint64_t b)
{
	return a > b ? a - b <= a / AGREE_PART : b - a <= b / AGREE_PART;
}

static bool count_tsc(const struct clocks *c, struct sample *a, struct sample *b)
{
	uint64_t last = 0, hz;

	for (unsigned int i = 0; i < COUNTS; i++) {
		hz = count(c, a, b);
		if (hz && agree(hz, last)) {
			collector.tsc_hz = hz;
			return true;
		}
		last = hz;
	}
	return false;
}

static void find_pm(struct clocks *c)
{
	const uint8_t *fadt = find("FACP", FADT_PM + 4);

	if (!fadt)
		return;
	c->pm = (uint16_t)table32(fadt, FADT_PM);
	if (table32(fadt, 4) >= FADT_X_PM + 12 && table64(fadt, FADT_X_PM + 4))
		c->pm = fadt[FADT_X_PM] == 1 ? (uint16_t)table64(fadt, FADT_X_PM + 4) : 0;
}

static void find_hpet(struct clocks *c)
{
	const uint8_t *table = find("HPET", HPET_ADDRESS + 8);
	uint64_t address = table ? table64(table, HPET_ADDRESS) : 0;

	if (table && table[HPET_ADDRESS - 4] == 0 && readable(address, 1024))
		c->hpet = (volatile uint8_t *)address;
}

/* Returns how many probes it added. */
static size_t ask_hpet(const struct clocks *c, const struct sample *a, const struct sample *b,
	struct evidence_probe *out)
{
	uint32_t period = *hpet_register(c, HPET_PERIOD);

	if (!period || !collector.tsc_hz)
		return 0;
	*out = (struct evidence_probe){.what = EVIDENCE_PROBE_HPET,
		.expected = (b->tsc - a->tsc) * (FEMTOSECONDS / period) / collector.tsc_hz,
		.found = b->hpet - a->hpet};
	return 1;
}

static size_t ask_clocks(struct evidence_probe *out)
{
	struct clocks c = {0};
	struct sample a, b;
	uint32_t config = 0;
	size_t count = 0;

	find_pm(&c);
	find_hpet(&c);
	if (!c.pm)
		return 0;
	if (c.hpet) {
		config = *hpet_register(&c, HPET_CONFIG);
		*hpet_register(&c, HPET_CONFIG) = config | 1;
	}
	if (count_tsc(&c, &a, &b) && c.hpet)
		count = ask_hpet(&c, &a, &b, out);
	if (c.hpet)
		*hpet_register(&c, HPET_CONFIG) = config;
	return count;
}

static uint32_t read_ecam(uint64_t address)
{
	return *(volatile uint32_t *)address;
}

/* Of segment 0, which alone the ports know. */
static size_t ask_ecam(struct evidence_probe *out, size_t most)
{
	const uint8_t *mcfg = find("MCFG", MCFG_ENTRIES);
	uint32_t size = mcfg ? table32(mcfg, 4) : 0;
	size_t count = 0;

	for (uint32_t at = MCFG_ENTRIES; at + 16 <= size && count < most; at += 16) {
		uint32_t segment = table32(mcfg, at + 8) & 0xffff, bus = mcfg[at + 10];
		uint64_t address = table64(mcfg, at) + ((uint64_t)bus << 20);

		if (segment || !readable(address, 4))
			continue;
		out[count++] = (struct evidence_probe){.what = EVIDENCE_PROBE_ECAM,
			.index = segment,
			.expected = evidence_pci_read(bus << 8, 0),
			.found = read_ecam(address)};
	}
	return count;
}

/* A 16550 by its scratch register, which is put back. */
static size_t ask_uart(struct evidence_probe *out)
{
	const uint8_t *spcr = find("SPCR", SPCR_ADDRESS + 12);
	uint64_t address = spcr ? table64(spcr, SPCR_ADDRESS + 4) : 0;
	uint8_t held;

	if (!address || spcr[SPCR_KIND] > 1 || spcr[SPCR_ADDRESS] != 1)
		return 0;
	address += UART_SCRATCH;
	held = in8((uint16_t)address);
	out8((uint16_t)address, UART_BYTE);
	*out = (struct evidence_probe){.what = EVIDENCE_PROBE_UART,
		.expected = UART_BYTE,
		.found = in8((uint16_t)address)};
	out8((uint16_t)address, held);
	return 1;
}

void evidence_clocks(void)
{
	struct evidence_probe probes[16];
	size_t count = ask_clocks(probes);

	count += ask_uart(probes + count);
	count += ask_ecam(probes + count, 16 - count);
	if (count)
		collect(EVIDENCE_PROBES, EVIDENCE_ENTRY, 0, NULL, 0, probes,
			count * sizeof(probes[0]));
}
