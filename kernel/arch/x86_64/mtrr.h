/* SPDX-License-Identifier: MIT */
/* Memory type range registers: the same on every CPU. */
#ifndef X86_MTRR_H
#define X86_MTRR_H

#include "lib/types.h"

void mtrr_save(void);  /* the boot CPU's, as the firmware set them */
bool mtrr_match(void); /* on another CPU, interrupts off: true when they had to be changed */

#endif
