/* SPDX-License-Identifier: MIT */
/* How the machine ends. */
#ifndef POWER_H
#define POWER_H

#include "lib/types.h"

/* With the log flushed first. What one way cannot do the next one tries: the firmware's ResetSystem behind bars, while all
 * still runs; then, with the other CPUs stopped, ACPI, ResetSystem in ring 0, and at last a halt. By who may sleep and holds no
 * lock. `why` goes to the log. */
void machine_power_off(const char *why) NORETURN;
void machine_reset(const char *why) NORETURN;
void machine_halt(const char *why) NORETURN;
void machine_stop(void) NORETURN; /* at once, in silence: after a panic */
/* What Ctrl-Alt-Del does (man 2 reboot): resets the machine, or sends SIGINT to process 1. */
enum ctrl_alt_del { CTRL_ALT_DEL_RESETS, CTRL_ALT_DEL_TELLS };
void machine_set_ctrl_alt_del(enum ctrl_alt_del does);
void machine_ctrl_alt_del(void); /* it was pressed. Any context, no locks held */

#endif
