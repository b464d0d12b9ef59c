/* SPDX-License-Identifier: MIT */
#ifndef REPORT_SMBIOS_H
#define REPORT_SMBIOS_H

#include "bytes.h"

struct smbios_structure {
	uint8_t type;
	uint16_t handle;
	struct span formatted;
};

/*
 * The structure at *at, and *at moves behind it and its strings. 1: here it is; 0: the table ends here; -1: it is
 * cut off. DSP0134 6.1.
 */
int smbios_next(struct span table, size_t *at, struct smbios_structure *structure);
/* NULL, or what is wrong with an entry point (`version` 2 or 3), DSP0134 5.2. */
const char *smbios_anchor(struct span anchor, unsigned version);

#endif
