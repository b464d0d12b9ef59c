/* SPDX-License-Identifier: MIT */
/*
 * What instruction of UEFI's runtime services a general protection fault was raised by: those that need ring 0, and
 * ports. Pure: from bytes to a description (Intel SDM 2, chapter 2 and the opcode maps of appendix A).
 */
#include "firmware_code.h"

#define REX_R 4
#define REX_B 1

struct reader {
	const uint8_t *bytes;
	size_t count, at;
	bool ended; /* more was asked for than there is */
	bool word, repeated;
	unsigned rex;
};

static uint8_t take(struct reader *r)
{
	if (r->at < r->count)
		return r->bytes[r->at++];
	r->ended = true;
	return 0;
}

/* REX counts only right before the opcode, which is returned. */
static uint8_t take_opcode(struct reader *r)
{
	for (;;) {
		uint8_t byte = take(r);

		if ((byte & 0xf0) == 0x40) {
			r->rex = byte;
			continue;
		}
		switch (byte) {
		case 0x66:
			r->word = true;
			break;
		case 0xf2:
		case 0xf3:
			r->repeated = true;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0x64:
		case 0x65:
		case 0x67:
			break;
		default:
			return byte;
		}
		r->rex = 0;
	}
}

/* The operand in memory that a ModRM byte begins: its bytes are skipped. */
static void skip_operand(struct reader *r, uint8_t mod_rm)
{
	unsigned mod = mod_rm >> 6, rm = mod_rm & 7, size = mod == 1 ? 1 : mod == 2 ? 4 : 0;

	if (mod == 3)
		return;
	if (rm == 4 && (take(r) & 7) == 5 && !mod)
		size = 4;
	else if (rm == 5 && !mod)
		size = 4;
	while (size--)
		(void)take(r);
}

static void decode_port(struct reader *r, uint8_t opcode, struct firmware_instruction *out)
{
	bool string = opcode < 0x70, to_port = opcode & 2;

	out->size = !(opcode & 1) ? 1 : r->word ? 2 : 4;
	out->repeated = string && r->repeated;
	if (string) {
		out->code = to_port ? FIRMWARE_CODE_OUTS : FIRMWARE_CODE_INS;
		return;
	}
	out->code = to_port ? FIRMWARE_CODE_OUT : FIRMWARE_CODE_IN;
	out->immediate = opcode < 0xe8;
	if (out->immediate)
		out->number = take(r);
}

/* 0F 01: by the register field of ModRM, and by the whole byte where that names registers. */
static enum firmware_code decode_group7(struct reader *r)
{
	uint8_t mod_rm = take(r);

	if (mod_rm >> 6 == 3 && (mod_rm >> 3 & 7) != 4 && (mod_rm >> 3 & 7) != 6)
		return FIRMWARE_CODE_OTHER; /* monitor, mwait, xsetbv, swapgs... */
	skip_operand(r, mod_rm);
	return (mod_rm >> 3 & 7) == 7   ? FIRMWARE_CODE_INVLPG
	       : (mod_rm >> 3 & 7) == 5 ? FIRMWARE_CODE_NONE
					: FIRMWARE_CODE_TABLES;
}

/* MOV to and from control and debug registers: ModRM always names two registers. */
static void decode_move(struct reader *r, enum firmware_code code, struct firmware_instruction *out)
{
	uint8_t mod_rm = take(r);

	out->code = code;
	out->number = (mod_rm >> 3 & 7) | (r->rex & REX_R ? 8 : 0);
	out->general = (mod_rm & 7) | (r->rex & REX_B ? 8 : 0);
}

static void decode_two_bytes(struct reader *r, struct firmware_instruction *out)
{
	uint8_t mod_rm;

	switch (take(r)) {
	case 0x00:
		mod_rm = take(r);
		skip_operand(r, mod_rm);
		if ((mod_rm >> 3 & 7) < 4)
			out->code = FIRMWARE_CODE_TABLES;
		break;
	case 0x01:
		out->code = decode_group7(r);
		break;
	case 0x06:
		out->code = FIRMWARE_CODE_CLTS;
		break;
	case 0x08:
	case 0x09:
		out->code = FIRMWARE_CODE_WBINVD;
		break;
	case 0x20:
		decode_move(r, FIRMWARE_CODE_READ_CR, out);
		break;
	case 0x21:
		decode_move(r, FIRMWARE_CODE_READ_DR, out);
		break;
	case 0x22:
		decode_move(r, FIRMWARE_CODE_WRITE_CR, out);
		break;
	case 0x23:
		decode_move(r, FIRMWARE_CODE_WRITE_DR, out);
		break;
	case 0x30:
		out->code = FIRMWARE_CODE_WRMSR;
		break;
	case 0x32:
		out->code = FIRMWARE_CODE_RDMSR;
		break;
	case 0x33:
		out->code = FIRMWARE_CODE_OTHER; /* rdpmc */
		break;
	default:
		break;
	}
}

bool firmware_decode(const uint8_t *bytes, size_t count, struct firmware_instruction *out)
{
	struct reader r = {
		.bytes = bytes, .count = count < FIRMWARE_CODE_MAX ? count : FIRMWARE_CODE_MAX};
	uint8_t opcode = take_opcode(&r);

	*out = (struct firmware_instruction){0};
	switch (opcode) {
	case 0x6c:
	case 0x6d:
	case 0x6e:
	case 0x6f:
	case 0xe4:
	case 0xe5:
	case 0xe6:
	case 0xe7:
	case 0xec:
	case 0xed:
	case 0xee:
	case 0xef:
		decode_port(&r, opcode, out);
		break;
	case 0xf4:
		out->code = FIRMWARE_CODE_HLT;
		break;
	case 0xfa:
		out->code = FIRMWARE_CODE_CLI;
		break;
	case 0xfb:
		out->code = FIRMWARE_CODE_STI;
		break;
	case 0x0f:
		decode_two_bytes(&r, out);
		break;
	default:
		break;
	}
	out->length = (unsigned)r.at;
	if (r.ended)
		out->code = FIRMWARE_CODE_NONE;
	return out->code != FIRMWARE_CODE_NONE;
}

const char *firmware_code_name(enum firmware_code code)
{
	static const char *const names[] = {
		[FIRMWARE_CODE_NONE] = "unknown",
		[FIRMWARE_CODE_IN] = "in",
		[FIRMWARE_CODE_OUT] = "out",
		[FIRMWARE_CODE_INS] = "ins",
		[FIRMWARE_CODE_OUTS] = "outs",
		[FIRMWARE_CODE_CLI] = "cli",
		[FIRMWARE_CODE_STI] = "sti",
		[FIRMWARE_CODE_HLT] = "hlt",
		[FIRMWARE_CODE_RDMSR] = "rdmsr",
		[FIRMWARE_CODE_WRMSR] = "wrmsr",
		[FIRMWARE_CODE_READ_CR] = "mov from cr",
		[FIRMWARE_CODE_WRITE_CR] = "mov to cr",
		[FIRMWARE_CODE_READ_DR] = "mov from dr",
		[FIRMWARE_CODE_WRITE_DR] = "mov to dr",
		[FIRMWARE_CODE_WBINVD] = "wbinvd",
		[FIRMWARE_CODE_INVLPG] = "invlpg",
		[FIRMWARE_CODE_CLTS] = "clts",
		[FIRMWARE_CODE_TABLES] = "descriptor tables",
		[FIRMWARE_CODE_OTHER] = "privileged",
	};

	return names[code];
}
