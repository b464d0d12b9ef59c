/* SPDX-License-Identifier: MIT */
#ifndef MEMVIEW_JSON_H
#define MEMVIEW_JSON_H

#include "look.h"

/* 0, or -1: standard output takes no more. */
int json_put(const struct look *look);

#endif
