/* SPDX-License-Identifier: MIT */
/* Offsets in UEFI's tables, UEFI 2.10 4.3 and 4.5. */
#ifndef REPORT_UEFI_TABLES_H
#define REPORT_UEFI_TABLES_H

#include "bytes.h"

enum system_table_offset {
	SYSTEM_CONSOLE_FIRST = 40, /* ConsoleInHandle ... StdErr: six pointers */
	SYSTEM_CONSOLE_END = 88,
	SYSTEM_RUNTIME = 88,
	SYSTEM_BOOT = 96,
};

/* Whether the header's CRC32 is that of the table. */
bool table_crc_holds(struct span table);
const char *service_name(uint32_t service);
/* Of a service's pointer in the runtime services table. */
size_t service_offset(uint32_t service);

#endif
