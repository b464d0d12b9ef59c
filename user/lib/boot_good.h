/* SPDX-License-Identifier: MIT */
/* Boot counting: the running system says that the boot entry it came from is a good one. */
#ifndef USER_LIB_BOOT_GOOD_H
#define USER_LIB_BOOT_GOOD_H

/* Tells the loader, where this boot was counted; the first time only. What fails is told on standard error. */
void boot_is_good(void);

#endif
