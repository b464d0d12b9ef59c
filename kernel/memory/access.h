/* SPDX-License-Identifier: MIT */
#ifndef MEMORY_ACCESS_H
#define MEMORY_ACCESS_H

/* What a mapping allows; PROT_* of Linux have the same values. */
enum map_access { MAP_READ = 1, MAP_WRITE = 2, MAP_EXECUTE = 4 };

#endif
