/* SPDX-License-Identifier: MIT */
#ifndef REPORT_PE_H
#define REPORT_PE_H

#include "bytes.h"

#define PE_EXECUTE 0x20000000u
#define PE_WRITE   0x80000000u

struct pe_section {
	char name[9];
	uint32_t address, size, characteristics; /* address relative to the image's base */
};

/* How many sections the PE headers name; 0: they are none. */
unsigned pe_sections(struct span headers);
struct pe_section pe_section(struct span headers, unsigned index);

#endif
