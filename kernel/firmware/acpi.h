/* SPDX-License-Identifier: MIT */
/* What the kernel takes from the firmware's ACPI tables (ACPI 6.5), and power-off and reset by them.
 * See acpi.c and acpi_tables.c. */
#ifndef FIRMWARE_ACPI_H
#define FIRMWARE_ACPI_H

#include "lib/types.h"

#define ACPI_CPUS_MAX    256u
#define ACPI_IOAPICS_MAX 16u
#define ACPI_ISA_IRQS    16u

/* A Generic Address Structure, ACPI 6.5 5.2.3.2. address 0: absent. */
enum acpi_space { ACPI_MEMORY, ACPI_IO, ACPI_PCI_CONFIG };

struct acpi_register {
	uint8_t space; /* enum acpi_space, or what else the firmware says */
	uint8_t bit_width, bit_offset;
	uint64_t address;
};

struct acpi_cpu {
	uint32_t apic_id;
	uint32_t uid;
	bool enabled; /* false: may be turned on later (online capable) */
};

struct acpi_ioapic {
	uint8_t id;
	phys_t address;
	uint32_t gsi_base;
};

/* Where an ISA interrupt arrives; without an override by its own number, edge, active high. */
struct acpi_isa_irq {
	uint32_t gsi;
	bool active_low, level;
};

/* From the MADT, 5.2.12. */
struct acpi_madt {
	bool present;
	bool has_pics; /* two 8259s are there too, and want masking */
	phys_t local_apic;
	unsigned cpu_count, cpus_left_out; /* left out: beyond ACPI_CPUS_MAX */
	struct acpi_cpu cpus[ACPI_CPUS_MAX];
	unsigned ioapic_count;
	struct acpi_ioapic ioapics[ACPI_IOAPICS_MAX];
	struct acpi_isa_irq isa[ACPI_ISA_IRQS];
	int nmi_lint; /* the LINT pin of every CPU that NMI comes by; -1: unsaid */
};

/* From the FADT, 5.2.9. */
struct acpi_fadt {
	bool present;
	bool hardware_reduced;
	phys_t dsdt;
	uint16_t sci_irq;
	uint16_t smi_command; /* port; 0: ACPI mode is always on */
	uint8_t acpi_enable;  /* what to write there */
	struct acpi_register pm1a_control, pm1b_control, pm_timer, sleep_control, reset;
	uint8_t pm_timer_bits; /* 24 or 32; 0: no timer */
	uint8_t reset_value;
	uint8_t century; /* index in CMOS; 0: none */
	bool no_cmos_clock;
};

/* From the HPET table (IA-PC HPET 1.0a, 3.2.4). */
struct acpi_hpet {
	bool present;
	phys_t address;
	uint16_t least_ticks; /* between two interrupts in periodic mode */
};

/* The sleep types of \_S5, 7.4.2.6. */
struct acpi_sleep {
	bool present;
	uint8_t type_a, type_b;
};

struct acpi_info {
	struct acpi_madt madt;
	struct acpi_fadt fadt;
	struct acpi_hpet hpet;
	struct acpi_sleep s5;
};

/* Reads the tables; bad ones are left out with a warning. Once, when devices can be mapped.
 * -ENODEV: rsdp is 0; -EINVAL: no root table can be trusted; then all is absent. */
int acpi_init(phys_t rsdp) MUST_CHECK;

/* What was found; never NULL. */
const struct acpi_info *acpi_info(void);

/* The root table that was trusted: its address, and how many bytes an entry of it has. False: there was none. */
bool acpi_root(phys_t *table, unsigned *entry_size);

/* The first table of this kind that the root lists, to be given back by firmware_view_end; checked. NULL: there is
 * none. */
const uint8_t *acpi_open(const char *signature, size_t *length) MUST_CHECK;

/* Return only when it did not work: -ENODEV, the tables do not say how; -EIO, the machine did not
 * do it. */
int acpi_power_off(void);
int acpi_reset(void);

#endif
