/* SPDX-License-Identifier: MIT */
/*
 * Boot counting: entries whose file name says how often they may still be tried (pure/counter.h).
 *
 * The loader renames such a file before it loads what the entry names, so that a boot that ends anywhere is a try
 * that was used. When the system has come up it says so in the variable of include/baton/boot_good.h, for it has no
 * driver of the ESP's file system; the next time that the loader lists the folder it takes the counter out of that
 * file's name. A program of the running system may do it sooner, as systemd-bless-boot does: the file's path is in
 * LoaderBootCountPath.
 *
 * An ESP that cannot be written makes the boot no worse: it is told, and nothing is counted.
 */
#ifndef LOADER_COUNTING_H
#define LOADER_COUNTING_H

#include "loader.h"

/* Notes that this entry, `name` in `folder`, is tried, where it has a counter. */
void counting_try(struct loader *l, const char *folder, const char *name);
/* The entry that came up, if one did, loses its counter; true: a file of `folder` has another name now. */
bool counting_bless(struct loader *l, const char *folder);

#endif
