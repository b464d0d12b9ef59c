/* SPDX-License-Identifier: MIT */
/* The jump itself (jump.S). */
#ifndef LOADER_JUMP_H
#define LOADER_JUMP_H

#include <stdint.h>

/* What the jump page's code reads; the offsets stand in jump.S. */
struct jump {
	uint64_t cr3, cr4; /* the kernel's tables; CR4 as the kernel finds it */
	uint64_t stack;    /* virtual: its end */
	uint64_t handoff;  /* virtual */
	uint64_t entry;    /* virtual */
	uint64_t la57;     /* 1: 5-level paging is on */
	uint8_t gdtr[16];  /* limit and base, for LGDT */
	uint32_t far32[2]; /* where 32-bit code begins: offset, selector */
	uint32_t far64[2]; /* and where 64-bit code goes on */
	uint64_t gdt[4];   /* null, 32-bit code, 64-bit code, data */
};

/* Puts the code and its data into the page at `page` (physical, mapped 1:1). */
void jump_page_fill(uint64_t page, const struct jump *jump);

extern const char jump_page_middle[];

_Noreturn void jump_enter(uint64_t middle_cr3, uint64_t jump_page);

#endif
