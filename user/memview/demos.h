/* SPDX-License-Identifier: MIT */
/* The demos that one watches: starting, stopping, holding them still. See demos.c. */
#ifndef MEMVIEW_DEMOS_H
#define MEMVIEW_DEMOS_H

#include <stdbool.h>
#include <sys/types.h>

/* Stops what runs and starts the demo of this key; false: there is none, nothing has changed. */
bool demos_start(char key);
bool demos_know(char key);
void demos_stop(void);
/* What is to be seen in it, a line of 78 columns at most; "" without one. */
const char *demos_tells(void);
const char *demos_name(void); /* of what runs, or "" */
bool demos_has(pid_t pid);    /* one of them, or a child of theirs */
void demos_hold(bool still);
void demos_reap(void); /* those that have ended */

#endif
