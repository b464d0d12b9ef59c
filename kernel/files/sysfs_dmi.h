/* SPDX-License-Identifier: MIT */
/* class/dmi/id. See sysfs_dmi.c. */
#ifndef FILES_SYSFS_DMI_H
#define FILES_SYSFS_DMI_H

#include "lib/types.h"

/* SMBIOS's table, until dmi_view_end. NULL: no memory. (sysfs_firmware.c) */
const uint8_t *dmi_view(size_t *size) MUST_CHECK;
void dmi_view_end(const uint8_t *table);

/* False: no memory. */
bool dmi_add(void) MUST_CHECK;

#endif
