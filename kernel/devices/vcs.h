/* SPDX-License-Identifier: MIT */
/* What stands on the virtual terminals, as files. See vcs.c. */
#ifndef DEVICES_VCS_H
#define DEVICES_VCS_H

#include "lib/types.h"

/* Makes /dev/vcs, vcsu and vcsa of terminal `number`, from 1, or of the one shown (0), if it has not been done. Sleeps. */
void vcs_make(unsigned number);

#endif
