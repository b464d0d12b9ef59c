/* SPDX-License-Identifier: MIT */
/*
 * Spoiling a good hand-off, for tests of the kernel's check: the debug build's loader does it just before the jump when
 * the command line has handoff_mutant=SEED. One field, entry of the memory map or character of the command line is
 * another afterwards, by the seed alone: a bit of it, or all of it. Three of four mutants are sealed again, so that the
 * checksum is right and the value itself has to be found wrong, or to do no harm.
 */
#ifndef LOADER_MUTATE_H
#define LOADER_MUTATE_H

#include <baton/handoff.h>

/* `map` and `line`: what h->memory and h->command_line lead to, where the loader can write them. */
void handoff_mutate(struct handoff *h, struct handoff_memory *map, char *line, uint32_t seed);

#endif
