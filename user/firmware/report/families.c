/* SPDX-License-Identifier: MIT */
/* All rules, in the order of the report. */
#include "report.h"

const struct family *const report_families[] = {
	&family_entry,
	&family_tables,
	&family_map,
	&family_exit,
	&family_attributes,
	&family_isolation,
	&family_variables,
	&family_services,
	&family_acpi,
	&family_devices,
};
const unsigned report_family_count = sizeof report_families / sizeof *report_families;
