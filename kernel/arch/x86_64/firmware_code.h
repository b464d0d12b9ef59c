/* SPDX-License-Identifier: MIT */
/* The instructions of ring 0 that UEFI's runtime services use, and ports: firmware_code.c. */
#ifndef X86_FIRMWARE_CODE_H
#define X86_FIRMWARE_CODE_H

#include "lib/types.h"

#define FIRMWARE_CODE_MAX 15 /* bytes of an instruction, at most */

enum firmware_code {
	FIRMWARE_CODE_NONE, /* not one of these, or not whole */
	FIRMWARE_CODE_IN,   /* to AL, AX, EAX */
	FIRMWARE_CODE_OUT,
	FIRMWARE_CODE_INS, /* to memory at RDI, RCX times with REP */
	FIRMWARE_CODE_OUTS,
	FIRMWARE_CODE_CLI,
	FIRMWARE_CODE_STI,
	FIRMWARE_CODE_HLT,
	FIRMWARE_CODE_RDMSR,
	FIRMWARE_CODE_WRMSR,
	FIRMWARE_CODE_READ_CR,  /* number: which; general: the register */
	FIRMWARE_CODE_WRITE_CR, /* the same */
	FIRMWARE_CODE_READ_DR,
	FIRMWARE_CODE_WRITE_DR,
	FIRMWARE_CODE_WBINVD, /* INVD too */
	FIRMWARE_CODE_INVLPG,
	FIRMWARE_CODE_CLTS,
	FIRMWARE_CODE_TABLES, /* LGDT, LIDT, LLDT, LTR, LMSW, SGDT and its kin under UMIP */
	FIRMWARE_CODE_OTHER,  /* SWAPGS, XSETBV, MONITOR, MWAIT, RDPMC */
};

struct firmware_instruction {
	enum firmware_code code;
	unsigned length;
	unsigned size;    /* of IN, OUT, INS, OUTS: 1, 2, 4 bytes */
	bool immediate;   /* the port is `number`; else it is DX */
	bool repeated;    /* REP */
	unsigned number;  /* a port, or which control or debug register */
	unsigned general; /* a general register by its number in an instruction */
};

/* Which one the bytes begin with, in 64-bit mode (Intel SDM 2). False: FIRMWARE_CODE_NONE. */
bool firmware_decode(const uint8_t *bytes, size_t count, struct firmware_instruction *out);
const char *firmware_code_name(enum firmware_code code);

#endif
