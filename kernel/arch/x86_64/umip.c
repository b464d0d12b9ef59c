/* SPDX-License-Identifier: MIT */
/*
 * User-Mode Instruction Prevention makes the instructions that show the kernel's tables fault in user
 * mode (Intel SDM 2, SGDT). A few programs use them nevertheless, so they get an answer, as from
 * Linux: the addresses and the machine status word are constants. This file has what is pure: which
 * instruction it is (Intel SDM 2, chapter 2) and what its answer is.
 */
#include "umip.h"

#include "lib/string.h"
#include "registers.h"
#include "trap_frame.h"

#define GDT_ADDRESS   0xfffffffffffe0000ul
#define IDT_ADDRESS   0xffffffffffff0000ul
#define STATUS_WORD   0x80050033ul /* CR0: PE MP ET NE WP AM PG */

#define REX_W         8
#define REX_X         2
#define REX_B         1

#define REGISTER_NONE (-1)

struct reader {
	const uint8_t *bytes;
	size_t count, at;
	bool ended; /* more was asked for than there is */
};

static uint8_t take(struct reader *r)
{
	if (r->at < r->count)
		return r->bytes[r->at++];
	r->ended = true;
	return 0;
}

static int64_t take_displacement(struct reader *r, unsigned size)
{
	uint32_t value = 0;

	for (unsigned i = 0; i < size; i++)
		value |= (uint32_t)take(r) << 8 * i;
	return size == 1 ? (int8_t)value : (int32_t)value;
}

/* REX counts only right before the opcode. Its low four bits; the first opcode byte in *next. */
static unsigned take_prefixes(struct reader *r, struct umip_instruction *out, uint8_t *next)
{
	unsigned rex = 0;

	for (;;) {
		uint8_t byte = take(r);

		switch (byte) {
		case 0x66:
			out->operand_size = 2;
			break;
		case 0x67:
			out->address32 = true;
			break;
		case 0x64:
		case 0x65:
			out->segment = byte;
			break;
		case 0x26:
		case 0x2e:
		case 0x36:
		case 0x3e:
		case 0xf2:
		case 0xf3:
			break;
		default:
			if ((byte & 0xf0) == 0x40 && !r->ended) {
				rex = 0x40 | byte;
				continue;
			}
			*next = byte;
			return rex;
		}
		rex = 0;
	}
}

static bool find_kind(uint8_t opcode, unsigned extension, bool to_register, enum umip_kind *kind)
{
	if (opcode == 0 && extension < 2) {
		*kind = extension ? UMIP_STR : UMIP_SLDT;
		return true;
	}
	if (opcode != 1)
		return false;
	if (extension == 4)
		*kind = UMIP_SMSW;
	else if (extension < 2 && !to_register)
		*kind = extension ? UMIP_SIDT : UMIP_SGDT;
	else
		return false;
	return true;
}

static void take_operand(
	struct reader *r, uint8_t mod_rm, unsigned rex, struct umip_instruction *out)
{
	unsigned mod = mod_rm >> 6, rm = mod_rm & 7;
	int extra = rex & REX_B ? 8 : 0;

	out->base = out->index = REGISTER_NONE;
	if (mod == 3) {
		out->to_register = true;
		out->base = (int)rm + extra;
		return;
	}
	if (rm == 4) {
		uint8_t sib = take(r);
		int index = (sib >> 3 & 7) | (rex & REX_X ? 8 : 0);

		out->scale = sib >> 6;
		if (index != 4)
			out->index = index;
		rm = sib & 7;
		if (rm != 5 || mod)
			out->base = (int)rm + extra;
	} else if (rm == 5 && !mod) {
		out->relative = true;
	} else {
		out->base = (int)rm + extra;
	}
	if (mod == 1)
		out->displacement = take_displacement(r, 1);
	else if (mod == 2 || (rm == 5 && !mod))
		out->displacement = take_displacement(r, 4);
}

bool umip_decode(const uint8_t *bytes, size_t count, struct umip_instruction *out)
{
	struct reader r = {
		.bytes = bytes, .count = count < INSTRUCTION_MAX ? count : INSTRUCTION_MAX};
	uint8_t first, opcode, mod_rm;
	unsigned rex;

	*out = (struct umip_instruction){.operand_size = 4};
	rex = take_prefixes(&r, out, &first);
	if (rex & REX_W)
		out->operand_size = 8;
	opcode = take(&r);
	mod_rm = take(&r);
	if (first != 0x0f || !find_kind(opcode, mod_rm >> 3 & 7, mod_rm >> 6 == 3, &out->kind))
		return false;
	take_operand(&r, mod_rm, rex, out);
	out->length = (unsigned)r.at;
	return !r.ended;
}

uint64_t *umip_register(struct trap_frame *frame, int number)
{
	uint64_t *const registers[16] = {&frame->rax, &frame->rcx, &frame->rdx, &frame->rbx,
		&frame->rsp, &frame->rbp, &frame->rsi, &frame->rdi, &frame->r8, &frame->r9,
		&frame->r10, &frame->r11, &frame->r12, &frame->r13, &frame->r14, &frame->r15};

	return registers[number];
}

uintptr_t umip_address(const struct umip_instruction *in, struct trap_frame *frame)
{
	uintptr_t address = (uintptr_t)in->displacement;

	if (in->relative)
		address += frame->rip + in->length;
	if (in->base != REGISTER_NONE)
		address += *umip_register(frame, in->base);
	if (in->index != REGISTER_NONE)
		address += *umip_register(frame, in->index) << in->scale;
	return in->address32 ? (uint32_t)address : address;
}

size_t umip_value(const struct umip_instruction *in, uint8_t value[10])
{
	uint64_t word = in->kind == UMIP_SGDT   ? GDT_ADDRESS
			: in->kind == UMIP_SIDT ? IDT_ADDRESS
			: in->kind == UMIP_SMSW ? STATUS_WORD
			: in->kind == UMIP_STR  ? SELECTOR_TSS
						: 0;

	memset(value, 0, 10);
	if (in->kind == UMIP_SGDT || in->kind == UMIP_SIDT) { /* behind a limit of 0 */
		memcpy(value + 2, &word, sizeof(word));
		return 10;
	}
	memcpy(value, &word, sizeof(word));
	return in->to_register ? in->operand_size : 2;
}
