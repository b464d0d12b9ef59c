/* SPDX-License-Identifier: MIT */
#ifndef X86_IRQ_H
#define X86_IRQ_H

#include "lib/types.h"

struct acpi_info;

/* Masks the 8259s, maps the IOAPICs and masks all their inputs. */
void irq_init(const struct acpi_info *acpi, uint32_t boot_apic_id);

#endif
