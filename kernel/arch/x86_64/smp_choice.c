/* SPDX-License-Identifier: MIT */
/* Which CPUs of the MADT are started. Pure. */
#include "firmware/acpi.h"
#include "smp.h"

void smp_choose(const struct acpi_madt *madt, uint32_t boot_id, unsigned most,
	bool (*reaches)(uint32_t id), struct smp_choice *out)
{
	*out = (struct smp_choice){0};
	for (unsigned i = 0; i < madt->cpu_count; i++) {
		const struct acpi_cpu *cpu = &madt->cpus[i];

		if (cpu->apic_id == boot_id)
			continue;
		if (!cpu->enabled) {
			out->disabled++;
		} else if (!reaches(cpu->apic_id)) {
			if (!out->unreachable++)
				out->first_unreachable = cpu->apic_id;
		} else if (most && out->count + 1 >= most) {
			out->unwanted++;
		} else if (out->count + 1 >= CPUS_MAX) {
			out->too_many++;
		} else {
			out->ids[out->count++] = cpu->apic_id;
		}
	}
}
