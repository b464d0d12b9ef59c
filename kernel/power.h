/* SPDX-License-Identifier: MIT */
/* How the machine ends. */
#ifndef POWER_H
#define POWER_H

#include "lib/types.h"

/* With the log flushed first. What one way cannot do the next one tries: ACPI, the firmware's
 * ResetSystem, and at last a halt. `why` goes to the log. */
void machine_power_off(const char *why) NORETURN;
void machine_reset(const char *why) NORETURN;
void machine_halt(const char *why) NORETURN;
void machine_stop(void) NORETURN; /* at once, in silence: after a panic */

#endif
