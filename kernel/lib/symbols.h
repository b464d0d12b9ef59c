/* SPDX-License-Identifier: MIT */
/*
 * The kernel's function names, for backtraces. kernel/symbols.py makes the table from the first of
 * two links and it goes into the second, behind everything whose address it names:
 *
 *	u32 count, u32 size of the names
 *	count times: u32 offset from the image's start, u32 offset of the name   (sorted by address)
 *	the names, NUL-terminated
 */
#ifndef LIB_SYMBOLS_H
#define LIB_SYMBOLS_H

#include "lib/types.h"

/* The function that holds image offset `offset` and how far in: pure, for tests. NULL: none, or the
 * table (`size` bytes) is broken. */
const char *symbols_lookup(const void *table, size_t size, uint32_t offset, uint32_t *within);

/* How long it is, up to the next one; 0: there is none, or it is the last. */
uint32_t symbols_length(const void *table, size_t size, uint32_t offset);

/* The nth of the table, in the order of the addresses, and its offset: pure. NULL: there are not so many, or the
 * table is broken. */
const char *symbols_at(const void *table, size_t size, uint32_t index, uint32_t *offset);

/* The same in the running kernel. */
uint32_t symbol_length(virt_t address);
const char *symbol_at(uint32_t index, virt_t *address);

/* The first for an address in the running kernel. */
const char *symbol_of(virt_t address, uint32_t *within);

#endif
