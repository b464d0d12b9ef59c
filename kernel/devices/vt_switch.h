/* SPDX-License-Identifier: MIT */
/* Which virtual terminal is shown. See vt_switch.c. */
#ifndef DEVICES_VT_SWITCH_H
#define DEVICES_VT_SWITCH_H

#include "lib/types.h"

struct vt;

/* Shows terminal `number` if it has a screen; who controls the one that is shown is asked first. Any context. */
void vt_switch(unsigned number);
/* The next one that has a screen, in steps (modulo VT_COUNT). */
void vt_switch_next(unsigned from, unsigned step);
/* The one that was shown before. */
void vt_switch_last(void);
/* may: the caller may change something. */
long vt_switch_ioctl(struct vt *vt, bool may, unsigned command, uintptr_t argument);

#endif
