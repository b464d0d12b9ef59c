/* SPDX-License-Identifier: MIT */
/*
 * Parsers of single ACPI tables. A table is bytes from a stranger: every offset is checked against
 * the table's length before it is read, and a list inside of it ends where the table does. A table
 * that contradicts itself is wrong as a whole: half a list of CPUs is worse than none.
 *
 * AML is not interpreted. \_S5 is found by its bytes, NameOp "_S5_" PackageOp, which no compiler
 * writes in another way when it is a constant package; anything else is "not there".
 */
#include "firmware/acpi_tables.h"
#include "lib/printf.h"
#include "lib/string.h"

#define WRONG(message, ...) (format((message), ACPI_MESSAGE_MAX, __VA_ARGS__), false)

static uint16_t get16(const uint8_t *bytes, size_t offset)
{
	return (uint16_t)(bytes[offset] | bytes[offset + 1] << 8);
}

uint32_t acpi_get32(const uint8_t *bytes, size_t offset)
{
	return get16(bytes, offset) | (uint32_t)get16(bytes, offset + 2) << 16;
}

uint64_t acpi_get64(const uint8_t *bytes, size_t offset)
{
	return acpi_get32(bytes, offset) | (uint64_t)acpi_get32(bytes, offset + 4) << 32;
}

bool acpi_checksum_good(const uint8_t *bytes, size_t length)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < length; i++)
		sum = (uint8_t)(sum + bytes[i]);
	return sum == 0;
}

uint32_t acpi_table_length(const uint8_t header[ACPI_HEADER_SIZE])
{
	uint32_t length = acpi_get32(header, 4);

	return length >= ACPI_HEADER_SIZE && length <= ACPI_TABLE_MAX ? length : 0;
}

/* ---- RSDP, 5.2.5.3 ---- */

bool acpi_parse_rsdp(const uint8_t *bytes, size_t length, struct acpi_rsdp *out, char *message)
{
	*out = (struct acpi_rsdp){0};
	if (length < 20 || memcmp(bytes, "RSD PTR ", 8))
		return WRONG(message, "RSDP does not begin with \"RSD PTR \"");
	if (!acpi_checksum_good(bytes, 20))
		return WRONG(message, "RSDP has a wrong checksum");
	if (bytes[15] >= 2) {
		uint32_t size = length < 24 ? 0 : acpi_get32(bytes, 20);

		if (length < ACPI_RSDP_SIZE || size != ACPI_RSDP_SIZE)
			return WRONG(
				message, "RSDP has %u bytes, expected %u", size, ACPI_RSDP_SIZE);
		if (!acpi_checksum_good(bytes, size))
			return WRONG(message, "RSDP has a wrong extended checksum");
		out->xsdt = acpi_get64(bytes, 24);
	}
	out->revision = bytes[15];
	out->rsdt = acpi_get32(bytes, 16);
	if (!out->rsdt && !out->xsdt)
		return WRONG(message, "RSDP points to no root table");
	return true;
}

/* ---- MADT, 5.2.12 ---- */

enum {
	MADT_LOCAL_APIC = 0,
	MADT_IOAPIC = 1,
	MADT_OVERRIDE = 2,
	MADT_LOCAL_NMI = 4,
	MADT_LOCAL_ADDRESS = 5,
	MADT_X2APIC = 9,
	MADT_X2APIC_NMI = 10,
};

enum { MADT_ENTRIES = 44, MADT_HAS_PICS = 1 };
enum { CPU_ENABLED = 1, CPU_ONLINE_CAPABLE = 2 };
enum { POLARITY_LOW = 3, POLARITY_MASK = 3, TRIGGER_LEVEL = 0x0c, TRIGGER_MASK = 0x0c };

static bool add_cpu(
	struct acpi_madt *madt, uint32_t apic_id, uint32_t uid, uint32_t flags, char *message)
{
	if (!(flags & (CPU_ENABLED | CPU_ONLINE_CAPABLE)))
		return true;
	for (unsigned i = 0; i < madt->cpu_count; i++) {
		if (madt->cpus[i].apic_id == apic_id)
			return WRONG(message, "MADT names APIC id %u twice", apic_id);
	}
	if (madt->cpu_count == ACPI_CPUS_MAX) {
		madt->cpus_left_out++;
		return true;
	}
	madt->cpus[madt->cpu_count++] = (struct acpi_cpu){apic_id, uid, flags & CPU_ENABLED};
	return true;
}

static bool add_ioapic(struct acpi_madt *madt, const uint8_t *entry, char *message)
{
	if (madt->ioapic_count == ACPI_IOAPICS_MAX)
		return WRONG(message, "MADT has more than %u IOAPICs", ACPI_IOAPICS_MAX);
	madt->ioapics[madt->ioapic_count++] =
		(struct acpi_ioapic){entry[2], acpi_get32(entry, 4), acpi_get32(entry, 8)};
	return true;
}

/* Only the ISA bus (0) has overrides; others are for buses that nobody has any more. */
static bool add_override(struct acpi_madt *madt, const uint8_t *entry)
{
	uint16_t flags = get16(entry, 8);

	if (entry[2] == 0 && entry[3] < ACPI_ISA_IRQS)
		madt->isa[entry[3]] = (struct acpi_isa_irq){acpi_get32(entry, 4),
			(flags & POLARITY_MASK) == POLARITY_LOW,
			(flags & TRIGGER_MASK) == TRIGGER_LEVEL};
	return true;
}

static bool madt_entry(struct acpi_madt *madt, const uint8_t *entry, char *message)
{
	switch (entry[0]) {
	case MADT_LOCAL_APIC:
		return entry[3] == 0xff ||
		       add_cpu(madt, entry[3], entry[2], acpi_get32(entry, 4), message);
	case MADT_X2APIC:
		return add_cpu(madt, acpi_get32(entry, 4), acpi_get32(entry, 12),
			acpi_get32(entry, 8), message);
	case MADT_IOAPIC:
		return add_ioapic(madt, entry, message);
	case MADT_OVERRIDE:
		return add_override(madt, entry);
	case MADT_LOCAL_NMI:
		if (entry[2] == 0xff && entry[5] < 2)
			madt->nmi_lint = entry[5];
		return true;
	case MADT_X2APIC_NMI:
		if (acpi_get32(entry, 4) == UINT32_MAX && entry[8] < 2)
			madt->nmi_lint = entry[8];
		return true;
	case MADT_LOCAL_ADDRESS:
		madt->local_apic = acpi_get64(entry, 4);
		return true;
	default:
		return true;
	}
}

static bool madt_entries(const uint8_t *table, size_t length, struct acpi_madt *out, char *message)
{
	/* What an entry of a known type has at least. */
	static const uint8_t sizes[] = {[MADT_LOCAL_APIC] = 8,
		[MADT_IOAPIC] = 12,
		[MADT_OVERRIDE] = 10,
		[MADT_LOCAL_NMI] = 6,
		[MADT_LOCAL_ADDRESS] = 12,
		[MADT_X2APIC] = 16,
		[MADT_X2APIC_NMI] = 12};

	for (size_t at = MADT_ENTRIES; at < length; at += table[at + 1]) {
		const uint8_t *entry = table + at;
		size_t left = length - at, least = 2;

		if (left >= 2 && entry[0] < ARRAY_SIZE(sizes) && sizes[entry[0]])
			least = sizes[entry[0]];
		if (left < 2 || entry[1] < least || entry[1] > left)
			return WRONG(message,
				"MADT entry at offset %zu, type %u, has %u bytes, expected %zu to "
				"%zu",
				at, entry[0], left < 2 ? 1u : entry[1], least, left);
		if (!madt_entry(out, entry, message))
			return false;
	}
	return true;
}

bool acpi_parse_madt(const uint8_t *table, size_t length, struct acpi_madt *out, char *message)
{
	memset(out, 0, sizeof(*out));
	if (length < MADT_ENTRIES)
		return WRONG(
			message, "MADT has %zu bytes, expected %u or more", length, MADT_ENTRIES);
	out->local_apic = acpi_get32(table, 36);
	out->has_pics = acpi_get32(table, 40) & MADT_HAS_PICS;
	out->nmi_lint = -1;
	for (unsigned irq = 0; irq < ACPI_ISA_IRQS; irq++)
		out->isa[irq].gsi = irq;
	if (!madt_entries(table, length, out, message)) {
		memset(out, 0, sizeof(*out));
		return false;
	}
	out->present = true;
	return true;
}

/* ---- FADT, 5.2.9 ---- */

enum {
	FADT_DSDT = 40,
	FADT_SCI_INT = 46,
	FADT_SMI_CMD = 48,
	FADT_ACPI_ENABLE = 52,
	FADT_PM1A_CNT = 64,
	FADT_PM1B_CNT = 68,
	FADT_PM_TMR = 76,
	FADT_PM_TMR_LEN = 91,
	FADT_CENTURY = 108,
	FADT_BOOT_ARCH = 109, /* of two bytes; bit 5: no CMOS clock */
	FADT_FLAGS = 112,
	FADT_SIZE_1 = 116, /* of ACPI 1.0 */
	FADT_RESET_REG = 116,
	FADT_RESET_VALUE = 128,
	FADT_X_DSDT = 140,
	FADT_X_PM1A_CNT = 172,
	FADT_X_PM1B_CNT = 184,
	FADT_X_PM_TMR = 208,
	FADT_SLEEP_CONTROL_REG = 244,
	GAS_SIZE = 12,
};

enum { FADT_TMR_VAL_EXT = 1u << 8, FADT_RESET_REG_SUP = 1u << 10, FADT_HW_REDUCED = 1u << 20 };

static struct acpi_register get_gas(const uint8_t *table, size_t length, size_t offset)
{
	if (offset + GAS_SIZE > length)
		return (struct acpi_register){0};
	return (struct acpi_register){
		table[offset], table[offset + 1], table[offset + 2], acpi_get64(table, offset + 4)};
}

/* The extended field where it is there and not 0, else the old one, a port. */
static struct acpi_register get_block(
	const uint8_t *table, size_t length, size_t extended, size_t old, uint8_t bits)
{
	struct acpi_register gas = get_gas(table, length, extended);

	if (gas.address)
		return gas;
	return (struct acpi_register){ACPI_IO, bits, 0, acpi_get32(table, old)};
}

static bool usable(const struct acpi_register *reg)
{
	return reg->address &&
	       ((reg->space == ACPI_IO && reg->address <= 0xfffc) || reg->space == ACPI_MEMORY);
}

bool acpi_parse_fadt(const uint8_t *table, size_t length, struct acpi_fadt *out, char *message)
{
	struct acpi_fadt fadt = {.present = true};
	uint32_t flags;

	memset(out, 0, sizeof(*out));
	if (length < FADT_SIZE_1)
		return WRONG(
			message, "FADT has %zu bytes, expected %u or more", length, FADT_SIZE_1);
	flags = acpi_get32(table, FADT_FLAGS);
	fadt.hardware_reduced = flags & FADT_HW_REDUCED;
	if (length >= FADT_X_DSDT + 8)
		fadt.dsdt = acpi_get64(table, FADT_X_DSDT);
	if (!fadt.dsdt)
		fadt.dsdt = acpi_get32(table, FADT_DSDT);
	fadt.sci_irq = get16(table, FADT_SCI_INT);
	if (acpi_get32(table, FADT_SMI_CMD) > 0xffff)
		return WRONG(message, "FADT has SMI_CMD %#x, expected a port",
			acpi_get32(table, FADT_SMI_CMD));
	fadt.smi_command = get16(table, FADT_SMI_CMD);
	fadt.acpi_enable = table[FADT_ACPI_ENABLE];
	fadt.century = table[FADT_CENTURY];
	fadt.no_cmos_clock = get16(table, FADT_BOOT_ARCH) & 1u << 5;
	if (fadt.hardware_reduced) {
		fadt.sleep_control = get_gas(table, length, FADT_SLEEP_CONTROL_REG);
	} else {
		fadt.pm1a_control = get_block(table, length, FADT_X_PM1A_CNT, FADT_PM1A_CNT, 16);
		fadt.pm1b_control = get_block(table, length, FADT_X_PM1B_CNT, FADT_PM1B_CNT, 16);
		fadt.pm_timer = get_block(table, length, FADT_X_PM_TMR, FADT_PM_TMR, 32);
		if (usable(&fadt.pm_timer) && table[FADT_PM_TMR_LEN] == 4)
			fadt.pm_timer_bits = flags & FADT_TMR_VAL_EXT ? 32 : 24;
	}
	if (flags & FADT_RESET_REG_SUP && length > FADT_RESET_VALUE) {
		fadt.reset = get_gas(table, length, FADT_RESET_REG);
		fadt.reset_value = table[FADT_RESET_VALUE];
	}
	*out = fadt;
	return true;
}

/* ---- HPET ---- */

bool acpi_parse_hpet(const uint8_t *table, size_t length, struct acpi_hpet *out, char *message)
{
	struct acpi_register gas = get_gas(table, length, 40);

	memset(out, 0, sizeof(*out));
	if (length < 56)
		return WRONG(message, "HPET has %zu bytes, expected 56 or more", length);
	if (gas.space != ACPI_MEMORY || !gas.address || gas.address % 8)
		return WRONG(message, "HPET lies in space %u at %#lx, expected memory, 8-aligned",
			gas.space, gas.address);
	*out = (struct acpi_hpet){true, gas.address, get16(table, 53)};
	return true;
}

/* ---- \_S5, 7.4.2.6 and 20.2 ---- */

enum { AML_NAME = 0x08, AML_ROOT = '\\', AML_PACKAGE = 0x12 };
enum { AML_ZERO = 0, AML_ONE = 1, AML_BYTE = 0x0a, AML_WORD = 0x0b, AML_DWORD = 0x0c };

struct aml {
	const uint8_t *at, *end;
};

static int next_byte(struct aml *aml)
{
	return aml->at < aml->end ? *aml->at++ : -1;
}

/* An integer constant; -1: it is none. */
static int64_t next_integer(struct aml *aml)
{
	unsigned size;
	int64_t value = 0;
	int op = next_byte(aml);

	if (op == AML_ZERO || op == AML_ONE)
		return op;
	if (op != AML_BYTE && op != AML_WORD && op != AML_DWORD)
		return -1;
	size = 1u << (op - AML_BYTE);
	if ((size_t)(aml->end - aml->at) < size)
		return -1;
	for (unsigned i = 0; i < size; i++)
		value |= (int64_t)*aml->at++ << 8 * i;
	return value;
}

/* Behind the name: PackageOp PkgLength NumElements integer integer. */
static bool parse_s5(struct aml aml, struct acpi_sleep *out)
{
	const uint8_t *start;
	int lead, count;
	size_t size;
	int64_t a, b;

	if (next_byte(&aml) != AML_PACKAGE)
		return false;
	start = aml.at;
	lead = next_byte(&aml);
	if (lead < 0)
		return false;
	size = (size_t)lead & (lead >> 6 ? 0x0f : 0x3f);
	for (int i = 0; i < lead >> 6; i++) {
		int byte = next_byte(&aml);

		if (byte < 0)
			return false;
		size |= (size_t)byte << (4 + 8 * i);
	}
	if (size > (size_t)(aml.end - start))
		return false;
	aml.end = start + size;
	if (aml.at > aml.end)
		return false;
	count = next_byte(&aml);
	a = next_integer(&aml);
	b = count >= 2 ? next_integer(&aml) : 0;
	if (count < 1 || a < 0 || a > 7 || b < 0 || b > 7)
		return false;
	*out = (struct acpi_sleep){true, (uint8_t)a, (uint8_t)b};
	return true;
}

bool acpi_find_s5(const uint8_t *table, size_t length, struct acpi_sleep *out)
{
	struct aml aml = {table + ACPI_HEADER_SIZE, table + length};

	*out = (struct acpi_sleep){0};
	if (length < ACPI_HEADER_SIZE)
		return false;
	for (; aml.end - aml.at >= 5; aml.at++) {
		struct aml name = aml;

		if (*name.at++ != AML_NAME)
			continue;
		if (*name.at == AML_ROOT)
			name.at++;
		if (name.end - name.at < 4 || memcmp(name.at, "_S5_", 4))
			continue;
		name.at += 4;
		if (parse_s5(name, out))
			return true;
	}
	return false;
}
