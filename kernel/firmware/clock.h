/* SPDX-License-Identifier: MIT */
/* The firmware's clock, as the date of last resort and as /dev/rtc0. See clock.c. */
#ifndef FIRMWARE_CLOCK_H
#define FIRMWARE_CLOCK_H

/* Makes /dev/rtc0 where the firmware has a clock; asks it for the date where no other clock has told one. By process 1 before
 * its program starts: it sleeps. */
void firmware_clock_init(void);

#endif
