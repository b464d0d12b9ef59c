/* SPDX-License-Identifier: MIT */
#ifndef MAIN_H
#define MAIN_H

#include "lib/cmdline.h"

extern struct cmdline options;         /* the command line, read once at start */
extern char kernel_command_line[4096]; /* as it came */

#endif
