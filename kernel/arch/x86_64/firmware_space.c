/* SPDX-License-Identifier: MIT */
/*
 * The address space in which UEFI's runtime services run, and the calls.
 *
 * A call in a panic has a limit: nobody can say what a firmware does to a machine that is broken, and the panic must
 * end nevertheless. So interrupts are on then, diverted (traps.c), and the CPU's timer is set; the services may be
 * interrupted (UEFI 2.10 8.1). A firmware that hangs with interrupts off hangs the machine, after all else is
 * said.
 */
#include "arch/arch.h"
#include "devices/console.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "paging.h"
#include "registers.h"
#include "traps.h"

static phys_t firmware_top;
static bool in_call;
static const struct arch_firmware_call *limited;
static ns_t limited_until;

int arch_firmware_map(virt_t at, phys_t base, uint64_t size, unsigned access, enum map_cache cache)
{
	uint64_t flags = (access & MAP_WRITE ? PTE_WRITE : 0) |
			 (access & MAP_EXECUTE ? 0 : PTE_NX) |
			 (cache == MAP_WRITE_BACK ? 0 : PTE_PCD | PTE_PWT);

	if (!firmware_top)
		firmware_top = paging_firmware_top();
	if (!firmware_top)
		return -ENOMEM;
	for (phys_t page = ALIGN_DOWN(base, PAGE_SIZE); page < base + size; page += PAGE_SIZE) {
		if (paging_firmware_map(firmware_top, page - base + at, page, flags))
			return -ENOMEM;
	}
	return 0;
}

/* Arguments in RCX, RDX, R8, R9 and above 32 bytes that are the callee's. RBX is the callee's to keep. */
static uint64_t enter(const struct arch_firmware_call *call)
{
	register uint64_t third __asm__("r8") = call->arguments[2];
	register uint64_t fourth __asm__("r9") = call->arguments[3];
	uint64_t result = call->function, first = call->arguments[0], second = call->arguments[1];
	uint64_t stack = call->stack;

	__asm__ volatile("movq %%rsp, %%rbx\n\t"
			 "testq %[stack], %[stack]\n\t"
			 "cmovnzq %[stack], %%rsp\n\t"
			 "andq $-16, %%rsp\n\t"
			 "subq $48, %%rsp\n\t"
			 "movq %[fifth], 32(%%rsp)\n\t"
			 "call *%%rax\n\t"
			 "movq %%rbx, %%rsp"
			 : "+a"(result), "+c"(first), "+d"(second), "+r"(third), "+r"(fourth)
			 : [stack] "r"(stack), [fifth] "r"(call->arguments[4])
			 : "rbx", "r10", "r11", "memory", "cc");
	return result;
}

bool arch_firmware_abandon(void)
{
	if (!in_call)
		return false;
	arch_irq_off();
	trap_divert(NULL);
	in_call = false;
	return true;
}

static void limit_tick(void)
{
	if (arch_clock() < limited_until) {
		arch_timer_arm(limited_until);
		return;
	}
	arch_firmware_abandon();
	limited->late();
}

static void limit_begin(const struct arch_firmware_call *call)
{
	assert(log_panicking());
	limited = call;
	clock_settle(); /* a panic may come while its rate is measured */
	limited_until = arch_clock() + call->limit;
	trap_divert(limit_tick);
	arch_timer_arm(limited_until);
	arch_irq_on();
}

uint64_t arch_firmware_call(const struct arch_firmware_call *call)
{
	uint32_t interrupts = arch_irq_save();
	uint64_t before = cr3_read(), result;

	assert(firmware_top && !in_call);
	in_call = true;
	cr3_write(firmware_top);
	if (call->limit)
		limit_begin(call);
	result = enter(call);
	arch_firmware_abandon();
	cr3_write(before);
	arch_irq_restore(interrupts);
	return result;
}
