/* SPDX-License-Identifier: MIT */
/*
 * Threads as the machine sees them: stacks, switches, registers.
 *
 * Kernel stacks lie in slots of the dynamic area: 32 KiB each, the upper half mapped, the lower half
 * not, so an overflow faults. A thread's user registers (struct trap_frame) stand at the very top.
 * Slots are found by a bitmap; mapped ones that are freed are kept for the next thread, up to a few.
 */
#include "arch/arch.h"
#include "cpu.h"
#include "debug_registers.h"
#include "entry_area.h"
#include "fpu.h"
#include "kernel_area.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "paging.h"
#include "process/cpu.h"
#include "process/process.h"
#include "registers.h"
#include "tlb.h"
#include "trap_frame.h"

extern const char thread_start[];
void switch_stacks(virt_t *save, virt_t load);

extern const char kernel_sched_start[], kernel_sched_end[];

static struct cache fpu_cache;

void switch_init(void)
{
	cache_init(&fpu_cache, "fpu state", ALIGN_UP(fpu_state_size(), FPU_ALIGN), FPU_ALIGN);
}

struct trap_frame *arch_user_frame(struct thread *thread)
{
	return (struct trap_frame *)(thread->arch.stack + KERNEL_STACK_SIZE) - 1;
}

uintptr_t arch_user_ip(struct thread *thread)
{
	return arch_user_frame(thread)->rip;
}

int arch_thread_init(struct thread *thread, bool user, void (*function)(void *), void *argument)
{
	struct arch_thread *arch = &thread->arch;
	uint64_t *stack;

	arch->fs_base = arch->gs_base = arch->selectors = 0;
	arch->debug = NULL;
	arch->debug_status = 0;
	arch->stack = arch_stack_alloc();
	if (!arch->stack)
		return -ENOMEM;
	arch->fpu = NULL;
	if (user) {
		arch->fpu =
			cache_alloc_raw(&fpu_cache); /* set by arch_user_start or arch_user_clone */
		if (!arch->fpu) {
			arch_stack_free(arch->stack);
			return -ENOMEM;
		}
		fpu_state_prepare(arch->fpu);
	}
	memset(arch_user_frame(thread), 0, sizeof(struct trap_frame));
	/* What switch_stacks pops: r15 r14 r13 r12 rbx rbp, return address. */
	stack = (uint64_t *)arch_user_frame(thread) - 7;
	memset(stack, 0, 7 * sizeof(*stack));
	stack[3] = (uint64_t)argument;
	stack[4] = (uint64_t)function;
	stack[6] = (uint64_t)thread_start;
	arch->saved_rsp = (virt_t)stack;
	return 0;
}

void arch_thread_destroy(struct thread *thread)
{
	debug_clear(thread);
	if (thread->arch.fpu)
		cache_free(&fpu_cache, thread->arch.fpu);
	if (thread->arch.stack)
		arch_stack_free(thread->arch.stack);
	thread->arch.fpu = NULL;
	thread->arch.stack = 0;
}

/* The user's GS base, while in the kernel. */
static uint64_t gs_base_read(void)
{
	return msr_read(MSR_KERNEL_GS_BASE);
}

static void fs_base_write(uint64_t base)
{
	if (cpu_has[CPU_FSGSBASE])
		__asm__ volatile("wrfsbase %0" : : "r"(base));
	else
		msr_write(MSR_FS_BASE, base);
}

static uint64_t fs_base_read(void)
{
	uint64_t base;

	if (!cpu_has[CPU_FSGSBASE])
		return msr_read(MSR_FS_BASE);
	__asm__ volatile("rdfsbase %0" : "=r"(base));
	return base;
}

void arch_set_fs_base(uint64_t base)
{
	fs_base_write(base);
}

uint64_t arch_get_fs_base(void)
{
	return fs_base_read();
}

void arch_set_gs_base(uint64_t base)
{
	msr_write(MSR_KERNEL_GS_BASE, base);
}

uint64_t arch_get_gs_base(void)
{
	return gs_base_read();
}

/* DS, ES, FS and GS: a process may have loaded them, with null selectors or its data segment; nearly
 * always all four are 0. */
struct selectors {
	uint32_t ds, es, fs, gs;
};

static inline struct selectors selectors_get(void)
{
	struct selectors s;

	__asm__ volatile("movl %%ds, %0; movl %%es, %1; movl %%fs, %2; movl %%gs, %3"
			 : "=r"(s.ds), "=r"(s.es), "=r"(s.fs), "=r"(s.gs));
	return s;
}

static inline uint64_t selectors_pack(struct selectors s)
{
	if (likely(!(s.ds | s.es | s.fs | s.gs)))
		return 0;
	return (uint64_t)s.ds | (uint64_t)s.es << 16 | (uint64_t)s.fs << 32 | (uint64_t)s.gs << 48;
}

static __attribute__((always_inline)) inline uint64_t selectors_read(void)
{
	return selectors_pack(selectors_get());
}

/* The bases of FS and GS are written afterwards. Loading GS overwrites the base in use, the kernel's:
 * it is the user's for that moment. Interrupts are off; an NMI finds the kernel's by its stack. */
static void selectors_write(uint64_t selectors)
{
	__asm__ volatile("movl %0, %%ds; movl %1, %%es; movl %2, %%fs\n\t"
			 "swapgs; movl %3, %%gs; swapgs"
			 :
			 : "r"((uint32_t)selectors & 0xffff),
			 "r"((uint32_t)(selectors >> 16) & 0xffff),
			 "r"((uint32_t)(selectors >> 32) & 0xffff), "r"((uint32_t)(selectors >> 48))
			 : "memory");
}

void arch_switch(struct thread *from, struct thread *to)
{
	struct cpu_entry *entry = this_cpu()->entry;
	uint64_t selectors = selectors_read();
	struct space *space;
	bool reload = false;

	if (from->arch.fpu) {
		fpu_save(from->arch.fpu);
		from->arch.selectors = selectors;
		from->arch.fs_base = fs_base_read();
		from->arch.gs_base = gs_base_read();
	}
	if (to->arch.fpu) {
		fpu_load(to->arch.fpu);
		reload = to->arch.selectors != selectors;
		if (unlikely(reload))
			selectors_write(to->arch.selectors);
		fs_base_write(to->arch.fs_base);
		if (to->arch.gs_base != from->arch.gs_base || !from->arch.fpu || reload)
			msr_write(MSR_KERNEL_GS_BASE, to->arch.gs_base);
	}
	entry->current = to;
	entry->kernel_stack = to->arch.stack + KERNEL_STACK_SIZE;
	if (!entry->isolation)
		entry->tss.rsp[0] = entry->kernel_stack;
	space = to->process ? to->process->space : NULL;
	tlb_switch(entry, space ? &space->arch : NULL);
	switch_stacks(&from->arch.saved_rsp, to->arch.saved_rsp);
}

/* What switch_stacks saved begins with r15 r14 r13 r12 rbx; then rbp, then where it returns to. */
unsigned arch_stack_trace(struct thread *thread, virt_t *out, unsigned most)
{
	virt_t lowest = thread->arch.stack, end = lowest + KERNEL_STACK_SIZE - 2 * sizeof(virt_t);
	const virt_t *frame;
	unsigned count = 0;

	if (thread == current_thread())
		frame = __builtin_frame_address(0);
	else
		frame = (const virt_t *)__atomic_load_n(&thread->arch.saved_rsp, __ATOMIC_RELAXED) +
			5;
	while (count < most && (virt_t)frame >= lowest && (virt_t)frame <= end &&
		!((virt_t)frame & 7)) {
		out[count++] = frame[1];
		lowest = (virt_t)frame + sizeof(virt_t);
		frame = (const virt_t *)frame[0];
	}
	return count;
}

bool arch_is_scheduler(virt_t address)
{
	return address >= (virt_t)kernel_sched_start && address < (virt_t)kernel_sched_end;
}

void arch_user_start(struct thread *thread, uintptr_t entry, uintptr_t stack)
{
	struct trap_frame *frame = arch_user_frame(thread);
	uint64_t vector = frame->vector, error = frame->error;

	memset(frame, 0, sizeof(*frame));
	frame->vector = vector; /* that it is in execve, and by which number, tracers see */
	frame->error = error;
	/* IRET to an address that is not canonical faults in kernel mode; one of the kernel's half
	 * faults in user mode, at the first fetch. */
	frame->rip = entry < USER_END ? entry : UINTPTR_MAX;
	frame->rsp = stack;
	frame->cs = SELECTOR_USER_CODE;
	frame->ss = SELECTOR_USER_DATA;
	frame->rflags = RFLAGS_IF | RFLAGS_FIXED;
	thread->frame_changed = true;
	fpu_state_init(thread->arch.fpu);
	debug_clear(thread);
	if (thread == current_thread()) {
		uint32_t state = arch_irq_save();

		fpu_load(thread->arch.fpu);
		if (selectors_read())
			selectors_write(0);
		fs_base_write(0);
		msr_write(MSR_KERNEL_GS_BASE, 0);
		thread->arch.gs_base = 0;
		arch_irq_restore(state);
	}
	thread->arch.fs_base = thread->arch.gs_base = thread->arch.selectors = 0;
}

void arch_user_clone(struct thread *child, struct thread *parent, uintptr_t stack)
{
	struct trap_frame *frame = arch_user_frame(child);
	uint32_t state = arch_irq_save();

	assert(parent == current_thread());
	fpu_save(child->arch.fpu);
	child->arch.fs_base = fs_base_read();
	child->arch.gs_base = gs_base_read();
	child->arch.selectors = selectors_read();
	arch_irq_restore(state);
	*frame = *arch_user_frame(parent);
	frame->rax = 0;
	if (parent->arch.step_forced) /* the tracer steps the parent, not the child */
		frame->rflags &= ~RFLAGS_TF;
	if (stack)
		frame->rsp = stack;
}
