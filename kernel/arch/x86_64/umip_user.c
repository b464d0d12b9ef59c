/* SPDX-License-Identifier: MIT */
/* Does for user mode what UMIP forbids it: umip.c. */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "arch/arch.h"
#include "lib/string.h"
#include "memory/user.h"
#include "process/process.h"
#include "registers.h"
#include "trap_frame.h"
#include "umip.h"

bool umip_emulate(struct trap_frame *frame)
{
	uint8_t bytes[INSTRUCTION_MAX], value[10];
	struct umip_instruction in;
	struct thread *self = current_thread();
	uintptr_t address;
	size_t count, size;

	if (frame->cs != SELECTOR_USER_CODE)
		return false;
	count = copy_from_user_partial(bytes, user_pointer(frame->rip), sizeof(bytes));
	if (!umip_decode(bytes, count, &in))
		return false;
	size = umip_value(&in, value);
	if (in.to_register) {
		/* Of a register as much as the operand has, as Linux. */
		memcpy(umip_register(frame, in.base), value, size);
		frame->rip += in.length;
		return true;
	}
	address = umip_address(&in, frame);
	if (in.segment)
		address += in.segment == 0x64 ? arch_get_fs_base() : arch_get_gs_base();
	if (copy_to_user(user_pointer(address), value, size)) {
		self->arch.trap_number = VECTOR_PF;
		self->arch.trap_error = PF_USER | PF_WRITE;
		self->arch.fault_address = address;
		thread_fault(SIGSEGV, SEGV_MAPERR, address, "write to");
		return true;
	}
	frame->rip += in.length;
	return true;
}
