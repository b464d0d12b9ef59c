/* SPDX-License-Identifier: MIT */
#ifndef DEVICES_MEMINFO_H
#define DEVICES_MEMINFO_H

#include "lib/types.h"

/* Makes /dev/meminfo, which reads as Linux's /proc/meminfo of a machine with that much RAM. */
void meminfo_init(uint64_t ram_bytes);

#endif
