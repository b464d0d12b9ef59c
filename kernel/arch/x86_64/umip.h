/* SPDX-License-Identifier: MIT */
/* SGDT, SIDT, SMSW, SLDT, STR in user mode under UMIP: see umip.c. */
#ifndef X86_UMIP_H
#define X86_UMIP_H

#include "lib/types.h"

struct trap_frame;

enum umip_kind { UMIP_SGDT, UMIP_SIDT, UMIP_SMSW, UMIP_SLDT, UMIP_STR };

#define INSTRUCTION_MAX 15

struct umip_instruction {
	enum umip_kind kind;
	unsigned length;
	bool to_register;
	unsigned operand_size; /* of a register: 2, 4, 8 */
	int base, index;       /* registers by their number in an instruction; -1: none */
	unsigned scale;        /* log2 */
	int64_t displacement;
	bool relative;   /* to the next instruction */
	bool address32;  /* the sum is cut to 32 bits */
	uint8_t segment; /* prefix: 0x64 FS, 0x65 GS, 0: neither */
};

/* False: it is none of them, or it is not whole. */
bool umip_decode(const uint8_t *bytes, size_t count, struct umip_instruction *out);
/* Of an operand in memory, without the segment's base. */
uintptr_t umip_address(const struct umip_instruction *in, struct trap_frame *frame);
/* What Linux gives: constants that tell nothing of this machine. The bytes of it. */
size_t umip_value(const struct umip_instruction *in, uint8_t value[10]);
uint64_t *umip_register(struct trap_frame *frame, int number);

/* A general protection fault in user mode, interrupts on: does the instruction that raised it, if it is one of
 * these. False: it is not, and nothing has changed. A result that cannot be written is a SIGSEGV. */
bool umip_emulate(struct trap_frame *frame);

#endif
