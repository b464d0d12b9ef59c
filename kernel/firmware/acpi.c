/* SPDX-License-Identifier: MIT */
/*
 * ACPI: from the RSDP over the root table to the few tables that the kernel uses, and what they are
 * used for here: power-off (16.1.5, the S5 state) and reset (4.8.3.6).
 *
 * Each table is looked at in two steps, its header for the length and then all of it for the
 * checksum, through a mapping that lasts only for that. A table whose length, checksum or content is
 * wrong is left out with a line in the log. The root table is the XSDT; the RSDT where there is none
 * or it is bad. Of a signature that appears twice the first good table counts.
 *
 * No locks: `info` and the root are written by acpi_init,
 * before there is a second CPU, and read after.
 */
#include "firmware/acpi.h"
#include "arch/arch.h"
#include "firmware/acpi_tables.h"
#include "firmware/view.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"

#define ROOT_ENTRIES_MAX 1024u
#define WAIT_SPINS       1000000u

static struct acpi_info info;
static phys_t root_table; /* 0: none can be trusted */
static unsigned root_entry_size;

const struct acpi_info *acpi_info(void)
{
	return &info;
}

bool acpi_root(phys_t *table, unsigned *entry_size)
{
	*table = root_table;
	*entry_size = root_entry_size;
	return root_table;
}

/* A whole table, checked, or NULL with a line in the log. */
static const uint8_t *open_table(phys_t phys, size_t *length)
{
	const uint8_t *table = firmware_view(phys, ACPI_HEADER_SIZE);
	char name[5] = "????";
	uint32_t said;

	if (!table)
		goto no_view;
	for (unsigned i = 0; i < 4; i++)
		name[i] = table[i] > ' ' && table[i] < 0x7f ? (char)table[i] : '?';
	said = acpi_get32(table, 4);
	*length = acpi_table_length(table);
	firmware_view_end(table, ACPI_HEADER_SIZE);
	if (!*length) {
		log_warn("ACPI: table %s at %#lx says it has %u bytes, expected %u to %u", name,
			phys, said, ACPI_HEADER_SIZE, ACPI_TABLE_MAX);
		return NULL;
	}
	table = firmware_view(phys, *length);
	if (!table)
		goto no_view;
	if (!acpi_checksum_good(table, *length)) {
		log_warn("ACPI: table %s at %#lx, %zu bytes, has a wrong checksum", name, phys,
			*length);
		firmware_view_end(table, *length);
		return NULL;
	}
	return table;
no_view:
	log_warn("ACPI: table %s at %#lx cannot be mapped", name, phys);
	return NULL;
}

const uint8_t *acpi_open(const char *signature, size_t *length)
{
	const uint8_t *root = root_table ? open_table(root_table, length) : NULL, *table = NULL;
	size_t size = root ? *length : 0, at = ACPI_HEADER_SIZE;

	for (; !table && at + root_entry_size <= size; at += root_entry_size) {
		phys_t phys = root_entry_size == 8 ? acpi_get64(root, at) : acpi_get32(root, at);

		table = phys ? firmware_view(phys, ACPI_HEADER_SIZE) : NULL;
		if (!table)
			continue;
		if (!memcmp(table, signature, 4)) {
			firmware_view_end(table, ACPI_HEADER_SIZE);
			table = open_table(phys, length);
		} else {
			firmware_view_end(table, ACPI_HEADER_SIZE);
			table = NULL;
		}
	}
	if (root)
		firmware_view_end(root, size);
	return table;
}

static void scan_aml(phys_t phys, const char *signature)
{
	size_t length;
	const uint8_t *table;

	if (info.s5.present || !phys)
		return;
	table = open_table(phys, &length);
	if (!table)
		return;
	if (memcmp(table, signature, 4))
		log_warn("ACPI: table at %#lx is no %s", phys, signature);
	else
		acpi_find_s5(table, length, &info.s5);
	firmware_view_end(table, length);
}

/* Does the kernel want this table (still)? */
static bool is_wanted(const uint8_t *signature)
{
	return (!info.madt.present && !memcmp(signature, "APIC", 4)) ||
	       (!info.fadt.present && !memcmp(signature, "FACP", 4)) ||
	       (!info.hpet.present && !memcmp(signature, "HPET", 4));
}

static void take_table(const uint8_t *table, size_t length)
{
	char message[ACPI_MESSAGE_MAX];
	bool good;

	if (!memcmp(table, "APIC", 4))
		good = acpi_parse_madt(table, length, &info.madt, message);
	else if (!memcmp(table, "FACP", 4))
		good = acpi_parse_fadt(table, length, &info.fadt, message);
	else
		good = acpi_parse_hpet(table, length, &info.hpet, message);
	if (!good)
		log_warn("ACPI: %s", message);
}

static void visit_table(phys_t phys)
{
	const uint8_t *table = firmware_view(phys, ACPI_HEADER_SIZE);
	bool wanted, ssdt;
	size_t length;

	if (!table) {
		log_warn("ACPI: table at %#lx cannot be mapped", phys);
		return;
	}
	wanted = is_wanted(table);
	ssdt = !memcmp(table, "SSDT", 4);
	firmware_view_end(table, ACPI_HEADER_SIZE);
	if (ssdt)
		scan_aml(phys, "SSDT");
	if (!wanted)
		return;
	table = open_table(phys, &length);
	if (!table)
		return;
	take_table(table, length);
	firmware_view_end(table, length);
}

/* Visits what an RSDT (entries of 4 bytes) or XSDT (of 8) lists. */
static bool walk_root(phys_t phys, const char *signature, unsigned entry_size)
{
	size_t length, count;
	const uint8_t *root = phys ? open_table(phys, &length) : NULL;

	if (!root)
		return false;
	if (memcmp(root, signature, 4)) {
		log_warn("ACPI: table at %#lx is no %s", phys, signature);
		firmware_view_end(root, length);
		return false;
	}
	count = (length - ACPI_HEADER_SIZE) / entry_size;
	if (count > ROOT_ENTRIES_MAX) {
		log_warn("ACPI: %s lists %zu tables, only %u are looked at", signature, count,
			ROOT_ENTRIES_MAX);
		count = ROOT_ENTRIES_MAX;
	}
	for (size_t i = 0; i < count; i++) {
		size_t at = ACPI_HEADER_SIZE + i * entry_size;
		phys_t table = entry_size == 8 ? acpi_get64(root, at) : acpi_get32(root, at);

		if (table)
			visit_table(table);
	}
	firmware_view_end(root, length);
	root_table = phys;
	root_entry_size = entry_size;
	return true;
}

static bool read_rsdp(phys_t phys, struct acpi_rsdp *rsdp)
{
	char message[ACPI_MESSAGE_MAX] = "RSDP cannot be mapped";
	const uint8_t *bytes = firmware_view(phys, 20);
	size_t length = 20;
	bool good = false;

	if (bytes && bytes[15] >= 2) {
		firmware_view_end(bytes, length);
		length = ACPI_RSDP_SIZE;
		bytes = firmware_view(phys, length);
	}
	if (bytes) {
		good = acpi_parse_rsdp(bytes, length, rsdp, message);
		firmware_view_end(bytes, length);
	}
	if (!good)
		log_warn("ACPI: %s (at %#lx)", message, phys);
	return good;
}

static void report(void)
{
	const struct acpi_madt *madt = &info.madt;

	log_info("ACPI: %u CPU%s, %u IOAPIC%s, PM timer %u bits, HPET %s, power-off %s, reset %s",
		madt->cpu_count, madt->cpu_count == 1 ? "" : "s", madt->ioapic_count,
		madt->ioapic_count == 1 ? "" : "s", info.fadt.pm_timer_bits,
		info.hpet.present ? "yes" : "no", info.s5.present ? "yes" : "no",
		info.fadt.reset.address ? "yes" : "no");
	if (madt->cpus_left_out)
		log_warn("ACPI: %u CPUs beyond the first %u are left out", madt->cpus_left_out,
			ACPI_CPUS_MAX);
}

int acpi_init(phys_t phys)
{
	struct acpi_rsdp rsdp;

	memset(&info, 0, sizeof(info));
	root_table = 0;
	if (!phys)
		return -ENODEV;
	if (!read_rsdp(phys, &rsdp))
		return -EINVAL;
	if (!walk_root(rsdp.xsdt, "XSDT", 8) && !walk_root(rsdp.rsdt, "RSDT", 4))
		return -EINVAL;
	scan_aml(info.fadt.dsdt, "DSDT");
	report();
	return 0;
}

/* ---- Registers ---- */

enum { PCI_CONFIG_ADDRESS = 0xcf8, PCI_CONFIG_DATA = 0xcfc };

static int write_memory(phys_t phys, uint32_t value, unsigned bytes)
{
	volatile void *p = arch_map_device(phys, bytes, MAP_UNCACHED);

	if (!p)
		return -ENOMEM;
	if (bytes == 1)
		*(volatile uint8_t *)p = (uint8_t)value;
	else
		*(volatile uint16_t *)p = (uint16_t)value;
	arch_unmap_device((void *)(uintptr_t)p, bytes);
	return 0;
}

/* Bus 0; the address is device, function and offset in words of 16 bits, 5.2.3.2. */
static int write_pci_config(uint64_t address, uint32_t value)
{
	uint32_t device = address >> 32 & 0x1f, function = address >> 16 & 7,
		 offset = address & 0xff;

	arch_out32(PCI_CONFIG_ADDRESS, 1u << 31 | device << 11 | function << 8 | (offset & 0xfc));
	arch_out8((uint16_t)(PCI_CONFIG_DATA + (offset & 3)), (uint8_t)value);
	return 0;
}

/* Writes 1 or 2 bytes. -ENODEV: in a space that is not known here. */
static int write_register(const struct acpi_register *reg, uint32_t value, unsigned bytes)
{
	if (reg->space == ACPI_MEMORY)
		return write_memory(reg->address, value, bytes);
	if (reg->space == ACPI_PCI_CONFIG && bytes == 1)
		return write_pci_config(reg->address, value);
	if (reg->space != ACPI_IO || reg->address > 0xffff)
		return -ENODEV;
	if (bytes == 1)
		arch_out8((uint16_t)reg->address, (uint8_t)value);
	else
		arch_out16((uint16_t)reg->address, (uint16_t)value);
	return 0;
}

/* PM1 control has always been in I/O space or memory; 0 where it cannot be read. */
static uint16_t read_control(const struct acpi_register *reg)
{
	volatile uint16_t *p;
	uint16_t value = 0;

	if (reg->space == ACPI_IO && reg->address <= 0xffff)
		return arch_in16((uint16_t)reg->address);
	if (reg->space != ACPI_MEMORY)
		return 0;
	p = arch_map_device(reg->address, sizeof(*p), MAP_UNCACHED);
	if (p) {
		value = *p;
		arch_unmap_device((void *)(uintptr_t)p, sizeof(*p));
	}
	return value;
}

/* ---- Power-off and reset ---- */

/* PM1 control, 4.8.3.2.1, and sleep control, 4.8.3.7. */
enum { SCI_EN = 1, SLP_TYP = 7 << 10, SLP_TYP_SHIFT = 10, SLP_EN = 1 << 13 };
enum { SLEEP_TYP_SHIFT = 2, SLEEP_EN = 1 << 5 };

static void wait_a_while(void)
{
	for (unsigned i = 0; i < WAIT_SPINS; i++)
		arch_pause();
}

/* Leaves legacy mode: the firmware's SMI handler hands the PM registers over. */
static void enable_acpi(void)
{
	const struct acpi_fadt *fadt = &info.fadt;

	if (!fadt->smi_command || !fadt->acpi_enable || read_control(&fadt->pm1a_control) & SCI_EN)
		return;
	arch_out8(fadt->smi_command, fadt->acpi_enable);
	for (unsigned i = 0; i < WAIT_SPINS && !(read_control(&fadt->pm1a_control) & SCI_EN); i++)
		arch_pause();
}

static int enter_s5(const struct acpi_register *reg, uint8_t type)
{
	uint16_t value = read_control(reg) & (uint16_t) ~(SLP_TYP | SLP_EN);
	int error;

	value = (uint16_t)(value | type << SLP_TYP_SHIFT);
	error = write_register(reg, value, 2);
	return error ? error : write_register(reg, value | SLP_EN, 2);
}

int acpi_power_off(void)
{
	const struct acpi_fadt *fadt = &info.fadt;
	int error;

	if (!fadt->present || !info.s5.present)
		return -ENODEV;
	if (fadt->hardware_reduced) {
		if (!fadt->sleep_control.address)
			return -ENODEV;
		error = write_register(&fadt->sleep_control,
			(uint32_t)info.s5.type_a << SLEEP_TYP_SHIFT | SLEEP_EN, 1);
	} else {
		if (!fadt->pm1a_control.address)
			return -ENODEV;
		enable_acpi();
		error = enter_s5(&fadt->pm1a_control, info.s5.type_a);
		if (!error && fadt->pm1b_control.address)
			error = enter_s5(&fadt->pm1b_control, info.s5.type_b);
	}
	if (error)
		return error;
	wait_a_while();
	return -EIO;
}

int acpi_reset(void)
{
	const struct acpi_fadt *fadt = &info.fadt;
	int error;

	if (!fadt->present || !fadt->reset.address)
		return -ENODEV;
	error = write_register(&fadt->reset, fadt->reset_value, 1);
	if (error)
		return error;
	wait_a_while();
	return -EIO;
}
