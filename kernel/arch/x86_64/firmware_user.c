/* SPDX-License-Identifier: MIT */
/*
 * UEFI's runtime services in user mode, as the machine sees them: the registers of a call by Microsoft's x64
 * convention, what is left of them afterwards, and what a service does that user mode may not: ports, and the
 * instructions of ring 0. firmware/bars.c decides; this file reads registers and acts.
 *
 * Of an instruction the kernel does what does the machine no harm: ports are really read and written, caches
 * really flushed; the interrupt flag is the call's own; control and model-specific registers are shown and not
 * changed. What comes of each is told to bars.c.
 */
#include "arch/arch.h"
#include "baton/evidence_shapes.h"
#include "firmware_code.h"
#include "lib/string.h"
#include "memory/user.h"
#include "process/process.h"
#include "registers.h"
#include "trap_frame.h"
#include "umip.h"

#define KEPT_VALUE(n) (0x5afe5afe00000000ul + (n))
#define SHADOW_WORDS  4u      /* the callee's, above the return address */
#define MXCSR_CONTROL 0xffc0u /* the rest are flags, which may change */
#define FCW_START     0x037fu
#define MXCSR_START   0x1f80u

struct xmm {
	uint64_t low, high;
};

/* ---- A call ---- */

static void xmm_load(const struct xmm xmm[10])
{
	__asm__ volatile("movups 0(%0), %%xmm6; movups 16(%0), %%xmm7; movups 32(%0), %%xmm8\n\t"
			 "movups 48(%0), %%xmm9; movups 64(%0), %%xmm10; movups 80(%0), %%xmm11\n\t"
			 "movups 96(%0), %%xmm12; movups 112(%0), %%xmm13\n\t"
			 "movups 128(%0), %%xmm14; movups 144(%0), %%xmm15"
			 :
			 : "r"(xmm)
			 : "memory");
}

static void xmm_store(struct xmm xmm[10])
{
	__asm__ volatile("movups %%xmm6, 0(%0); movups %%xmm7, 16(%0); movups %%xmm8, 32(%0)\n\t"
			 "movups %%xmm9, 48(%0); movups %%xmm10, 64(%0); movups %%xmm11, 80(%0)\n\t"
			 "movups %%xmm12, 96(%0); movups %%xmm13, 112(%0)\n\t"
			 "movups %%xmm14, 128(%0); movups %%xmm15, 144(%0)"
			 :
			 : "r"(xmm)
			 : "memory");
}

void arch_firmware_enter(const struct arch_firmware_entry *entry)
{
	struct trap_frame *frame = arch_user_frame(current_thread());
	uint64_t *stack = (uint64_t *)entry->stack_memory - (SHADOW_WORDS + 4);
	struct xmm kept[10];
	uint32_t state;

	/* At the function's first instruction RSP is 8 past a multiple of 16. */
	stack[0] = entry->back;
	stack[SHADOW_WORDS + 1] = entry->arguments[4];
	arch_user_start(current_thread(), entry->function,
		entry->stack - (SHADOW_WORDS + 4) * sizeof(uint64_t));
	frame->rcx = entry->arguments[0];
	frame->rdx = entry->arguments[1];
	frame->r8 = entry->arguments[2];
	frame->r9 = entry->arguments[3];
	frame->rbx = KEPT_VALUE(0);
	frame->rbp = KEPT_VALUE(1);
	frame->rdi = KEPT_VALUE(2);
	frame->rsi = KEPT_VALUE(3);
	frame->r12 = KEPT_VALUE(4);
	frame->r13 = KEPT_VALUE(5);
	frame->r14 = KEPT_VALUE(6);
	frame->r15 = KEPT_VALUE(7);
	for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
		kept[i] = (struct xmm){KEPT_VALUE(16 + i), KEPT_VALUE(32 + i)};
	state = arch_irq_save();
	xmm_load(kept); /* the registers are this thread's: the kernel has no use for them */
	arch_irq_restore(state);
}

static uint32_t float_lost(void)
{
	struct xmm now[10];
	uint16_t fcw;
	uint32_t mxcsr, lost = 0;

	xmm_store(now);
	__asm__ volatile("fnstcw %0; stmxcsr %1" : "=m"(fcw), "=m"(mxcsr));
	for (unsigned i = 0; i < ARRAY_SIZE(now); i++)
		if (now[i].low != KEPT_VALUE(16 + i) || now[i].high != KEPT_VALUE(32 + i))
			lost |= EVIDENCE_LOST_XMM6_15;
	if (fcw != FCW_START)
		lost |= EVIDENCE_LOST_FCW;
	if ((mxcsr ^ MXCSR_START) & MXCSR_CONTROL)
		lost |= EVIDENCE_LOST_MXCSR;
	return lost;
}

uint64_t arch_firmware_left(const struct arch_firmware_entry *entry, uint32_t *out_lost)
{
	const struct trap_frame *frame = arch_user_frame(current_thread());
	const uint64_t kept[] = {frame->rbx, frame->rbp, frame->rdi, frame->rsi, frame->r12,
		frame->r13, frame->r14, frame->r15};
	static const uint32_t bits[] = {EVIDENCE_LOST_RBX, EVIDENCE_LOST_RBP, EVIDENCE_LOST_RDI,
		EVIDENCE_LOST_RSI, EVIDENCE_LOST_R12_R15, EVIDENCE_LOST_R12_R15,
		EVIDENCE_LOST_R12_R15, EVIDENCE_LOST_R12_R15};
	uint32_t lost = float_lost();

	for (unsigned i = 0; i < ARRAY_SIZE(kept); i++)
		if (kept[i] != KEPT_VALUE(i))
			lost |= bits[i];
	if (frame->rsp != entry->stack - (SHADOW_WORDS + 3) * sizeof(uint64_t))
		lost |= EVIDENCE_LOST_RSP;
	if (frame->rflags & RFLAGS_DF)
		lost |= EVIDENCE_LOST_DF;
	*out_lost = lost;
	return frame->rax;
}

/* ---- A trap ---- */

static void name_instruction(struct arch_firmware_trap *trap, const struct trap_frame *frame)
{
	uint8_t bytes[FIRMWARE_CODE_MAX];
	struct firmware_instruction in;
	size_t count = copy_from_user_partial(bytes, user_pointer(frame->rip), sizeof(bytes));

	if (!firmware_decode(bytes, count, &in))
		return;
	trap->name = firmware_code_name(in.code);
	trap->code = in.code;
	trap->kind = in.code <= FIRMWARE_CODE_OUTS  ? FIRMWARE_TRAP_PORT
		     : in.code == FIRMWARE_CODE_CLI ? FIRMWARE_TRAP_OFF
		     : in.code == FIRMWARE_CODE_STI ? FIRMWARE_TRAP_ON
		     : in.code == FIRMWARE_CODE_HLT ? FIRMWARE_TRAP_HALT
						    : FIRMWARE_TRAP_PRIVILEGED;
	trap->size = in.size;
	trap->control = in.code >= FIRMWARE_CODE_READ_CR && in.code <= FIRMWARE_CODE_WRITE_DR;
	trap->has_msr = in.code == FIRMWARE_CODE_RDMSR || in.code == FIRMWARE_CODE_WRMSR;
	if (trap->kind == FIRMWARE_TRAP_PORT) {
		trap->address = in.immediate ? in.number : frame->rdx & 0xffff;
		trap->out = in.code == FIRMWARE_CODE_OUT || in.code == FIRMWARE_CODE_OUTS;
		trap->value = frame->rax;
		trap->memory = in.code == FIRMWARE_CODE_INS    ? frame->rdi
			       : in.code == FIRMWARE_CODE_OUTS ? frame->rsi
							       : 0;
	} else if (trap->has_msr) {
		trap->address = (uint32_t)frame->rcx;
		trap->value = frame->rdx << 32 | (uint32_t)frame->rax;
	} else {
		trap->address = in.number;
	}
}

void arch_firmware_trap(struct arch_firmware_trap *out)
{
	const struct thread *self = current_thread();
	const struct trap_frame *frame = arch_user_frame(current_thread());
	uint64_t error = self->arch.trap_error;

	*out = (struct arch_firmware_trap){
		.kind = FIRMWARE_TRAP_EXCEPTION,
		.ip = frame->rip,
		.sp = frame->rsp,
		.vector = (unsigned)self->arch.trap_number,
	};
	if (out->vector == VECTOR_PF) {
		out->kind = FIRMWARE_TRAP_PAGE;
		out->address = self->arch.fault_address;
		out->access = error & PF_FETCH   ? FAULT_FETCH
			      : error & PF_WRITE ? FAULT_WRITE
						 : FAULT_READ;
	} else if (out->vector == VECTOR_GP && frame->cs == SELECTOR_USER_CODE) {
		name_instruction(out, frame);
	}
}

static uint32_t port_read(uint16_t port, unsigned size)
{
	return size == 1 ? arch_in8(port) : size == 2 ? arch_in16(port) : arch_in32(port);
}

static void port_write(uint16_t port, unsigned size, uint32_t value)
{
	if (size == 1)
		arch_out8(port, (uint8_t)value);
	else if (size == 2)
		arch_out16(port, (uint16_t)value);
	else
		arch_out32(port, value);
}

/* One element: the instruction is met again while RCX says so. False: the memory is not there. */
static bool string_step(struct trap_frame *frame, const struct firmware_instruction *in,
	uint32_t *value, bool withheld)
{
	uint64_t *pointer = in->code == FIRMWARE_CODE_INS ? &frame->rdi : &frame->rsi;
	uint64_t step = frame->rflags & RFLAGS_DF ? -(uint64_t)in->size : in->size;

	if (in->repeated && !frame->rcx)
		return true;
	if (in->code == FIRMWARE_CODE_INS) {
		*value = port_read((uint16_t)frame->rdx, in->size);
		if (copy_to_user(user_pointer(*pointer), value, in->size))
			return false;
	} else {
		*value = 0;
		if (copy_from_user(value, user_pointer(*pointer), in->size))
			return false;
		if (!withheld)
			port_write((uint16_t)frame->rdx, in->size, *value);
	}
	*pointer += step;
	if (in->repeated)
		frame->rcx--;
	return true;
}

static void merge_accumulator(struct trap_frame *frame, unsigned size, uint32_t value)
{
	if (size == 1)
		frame->rax = (frame->rax & ~0xfful) | (value & 0xff);
	else if (size == 2)
		frame->rax = (frame->rax & ~0xfffful) | (value & 0xffff);
	else
		frame->rax = value;
}

/* What is shown of registers that a service may not change. */
static uint64_t control_value(unsigned number)
{
	switch (number) {
	case 0:
		return cr0_read();
	case 2:
		return current_thread()->arch.fault_address;
	case 4:
		return cr4_read();
	default:
		return 0; /* CR3, CR8: the tables are not the service's business */
	}
}

static uint64_t model_value(uint32_t msr)
{
	switch (msr) {
	case MSR_APIC_BASE:
	case MSR_PAT:
	case MSR_EFER:
		return msr_read(msr);
	case 0x10: /* IA32_TIME_STAMP_COUNTER */
		return arch_cycles();
	default:
		return 0;
	}
}

bool arch_firmware_emulate(struct arch_firmware_trap *trap)
{
	struct trap_frame *frame = arch_user_frame(current_thread());
	uint8_t bytes[FIRMWARE_CODE_MAX];
	struct firmware_instruction in;
	size_t count = copy_from_user_partial(bytes, user_pointer(frame->rip), sizeof(bytes));
	uint32_t value = 0;

	/* The code may have changed since it was looked at: that is another instruction then. */
	if (!firmware_decode(bytes, count, &in) || (unsigned)in.code != trap->code)
		return false;
	switch (in.code) {
	case FIRMWARE_CODE_IN:
		value = port_read((uint16_t)trap->address, in.size);
		merge_accumulator(frame, in.size, value);
		trap->value = value;
		break;
	case FIRMWARE_CODE_OUT:
		if (!trap->withheld)
			port_write((uint16_t)trap->address, in.size, (uint32_t)frame->rax);
		break;
	case FIRMWARE_CODE_INS:
	case FIRMWARE_CODE_OUTS:
		if (!string_step(frame, &in, &value, trap->withheld))
			return false;
		trap->value = value;
		if (in.repeated && frame->rcx)
			return true; /* once more */
		break;
	case FIRMWARE_CODE_RDMSR:
		trap->value = model_value((uint32_t)frame->rcx);
		frame->rax = (uint32_t)trap->value;
		frame->rdx = trap->value >> 32;
		break;
	case FIRMWARE_CODE_READ_CR:
		trap->value = control_value(in.number);
		*umip_register(frame, (int)in.general) = trap->value;
		break;
	case FIRMWARE_CODE_WRITE_CR:
		trap->value = *umip_register(frame, (int)in.general);
		break;
	case FIRMWARE_CODE_READ_DR:
		*umip_register(frame, (int)in.general) = 0;
		break;
	case FIRMWARE_CODE_WBINVD:
		__asm__ volatile("wbinvd" : : : "memory");
		break;
	default:
		break; /* stepped over */
	}
	frame->rip += in.length;
	return true;
}
