/* SPDX-License-Identifier: MIT */
/*
 * Every way into the kernel and back.
 *
 * There are two forms of each way in. The plain one (pti=off) is entered in the kernel image and
 * runs on the address space's one set of tables. The isolated one (pti=on) stands in the section
 * .entry, which alone is mapped in the user's tables, at ENTRY_TEXT: it runs at another address than
 * it was linked for, so it refers only to itself and to what GS points at, switches CR3, and goes on
 * in the kernel image through pointers in struct cpu_entry. The way out mirrors it.
 *
 * Invariants:
 *  - Interrupts are off from the entry to the C code, and from the last look at the work flags to
 *    user mode.
 *  - GS is the kernel's from SWAPGS on. Entries that may hit between user mode's GS and the kernel's
 *    (NMI, #DB, #MC, #DF) have IST stacks inside the CPU's block; when they came from kernel mode
 *    they find the block by their stack pointer, and restore GS and CR3 exactly as they were.
 *    From user mode they are moved to the thread's stack and go the ordinary way.
 *  - IRET and SYSRET to user mode cannot fault: selectors are constants, RIP was checked.
 */
#include "entry_area.h"
#include "registers.h"
#include "trap_frame.h"

.macro PUSH_REGISTERS
	pushq %rdi
	pushq %rsi
	pushq %rdx
	pushq %rcx
	pushq %rax
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %rbx
	pushq %rbp
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
.endm

.macro POP_REGISTERS
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbp
	popq %rbx
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rax
	popq %rcx
	popq %rdx
	popq %rsi
	popq %rdi
.endm

/* ---- SYSCALL ---- */

	.text
	.globl entry_syscall
	.type entry_syscall, @function
	.balign 64
entry_syscall:
	swapgs
	movq %rsp, %gs:CPU_USER_RSP
	movq %gs:CPU_KERNEL_STACK, %rsp
	.globl entry_syscall_stacked
entry_syscall_stacked:
	pushq $SELECTOR_USER_DATA
	pushq %gs:CPU_USER_RSP
	pushq %r11
	pushq $SELECTOR_USER_CODE
	pushq %rcx
	pushq %rax
	pushq $VECTOR_SYSCALL
	PUSH_REGISTERS
	xorl %ebp, %ebp
	movq %rsp, %rdi
	call syscall_enter
	/* enum way_out: IRET when the frame may have changed, which it alone restores, or TF is set. */
	testl %eax, FRAME_RFLAGS(%rsp)
	jnz return_iret
	movq FRAME_RIP(%rsp), %rcx
	movq %rcx, %rdx
	shrq $47, %rdx
	jnz return_iret
	/* The frame is as it was but for rax: C code has kept rbx and r12 to r15. */
	movq FRAME_RBP(%rsp), %rbp
	movq FRAME_R10(%rsp), %r10
	movq FRAME_R9(%rsp), %r9
	movq FRAME_R8(%rsp), %r8
	movq FRAME_RAX(%rsp), %rax
	movq FRAME_RFLAGS(%rsp), %r11
	movq FRAME_RDX(%rsp), %rdx
	movq FRAME_RSI(%rsp), %rsi
	movq FRAME_RDI(%rsp), %rdi
	cmpb $0, %gs:CPU_ISOLATION
	jne 1f
	movq FRAME_RSP(%rsp), %rsp
	swapgs
	sysretq
1:	movq FRAME_RSP(%rsp), %rsp
	jmpq *%gs:CPU_EXIT_SYSRET
	.size entry_syscall, .-entry_syscall

/* ---- Traps and interrupts, plain ---- */

	.balign 64
	.type trap_plain, @function
trap_plain:
	cld
	testb $3, 24(%rsp)
	jz trap_kernel
	swapgs
	.globl trap_user
trap_user:
	PUSH_REGISTERS
	xorl %ebp, %ebp
	cmpb $0, %gs:CPU_HAS_SMAP
	je 1f
	clac
1:	movq %rsp, %rdi
	call trap_from_user
	.globl return_iret
return_iret:
	/* Interrupts are off and all work is done. */
	POP_REGISTERS
	cmpb $0, %gs:CPU_ISOLATION
	jne 1f
	addq $16, %rsp
	swapgs
	iretq
1:	jmpq *%gs:CPU_EXIT_IRET

	.globl trap_kernel
trap_kernel:
	PUSH_REGISTERS
	cmpb $0, %gs:CPU_HAS_SMAP
	je 1f
	clac
1:	movq %rsp, %rdi
	movq %rsp, %rbx
	cmpq $VECTOR_IRQ, FRAME_VECTOR(%rdi)
	jb 2f
	movq %gs:CPU_IRQ_STACK, %rsp
2:	call trap_from_kernel
	movq %rbx, %rsp
	POP_REGISTERS
	addq $16, %rsp
	iretq
	.size trap_plain, .-trap_plain

/* From an IST or entry stack in user mode: go on at the thread's kernel stack. GS is the kernel's,
 * the tables are the kernel's. */
.macro MOVE_TO_THREAD_STACK
	movq %rdi, %gs:CPU_SCRATCH
	movq %rsp, %rdi
	movq %gs:CPU_KERNEL_STACK, %rsp
	pushq 48(%rdi)
	pushq 40(%rdi)
	pushq 32(%rdi)
	pushq 24(%rdi)
	pushq 16(%rdi)
	pushq 8(%rdi)
	pushq (%rdi)
	movq %gs:CPU_SCRATCH, %rdi
.endm

/* NMI, #DF, #MC, #DB. */
.macro PARANOID_BODY isolated
	cld
	testb $3, 24(%rsp)
	jz 1f
	swapgs
	.if \isolated
	movq %rdi, %gs:CPU_SCRATCH
	movq %gs:CPU_KERNEL_CR3, %rdi
	movq %rdi, %cr3
	movq %gs:CPU_SCRATCH, %rdi
	.endif
	MOVE_TO_THREAD_STACK
	.if \isolated
	jmpq *%gs:CPU_TRAP_USER
	.else
	jmp trap_user
	.endif
1:	PUSH_REGISTERS
	movq %rsp, %r12
	andq $-ENTRY_CPU_SIZE, %r12
	cmpb $0, CPU_HAS_SMAP(%r12)
	je 2f
	clac
2:	movl $MSR_GS_BASE, %ecx
	rdmsr
	movl %eax, %r14d
	movl %edx, %r15d
	movl %r12d, %eax
	movq %r12, %rdx
	shrq $32, %rdx
	wrmsr
	.if \isolated
	movq %cr3, %r13
	movq CPU_KERNEL_CR3(%r12), %rax
	movq %rax, %cr3
	.endif
	movq %rsp, %rdi
	xorl %ebp, %ebp
	callq *CPU_PARANOID(%r12)
	.if \isolated
	movq %r13, %cr3
	.endif
	movl $MSR_GS_BASE, %ecx
	movl %r14d, %eax
	movl %r15d, %edx
	wrmsr
	POP_REGISTERS
	addq $16, %rsp
	iretq
.endm

	.balign 64
	.type paranoid_plain, @function
paranoid_plain:
	PARANOID_BODY 0
	.size paranoid_plain, .-paranoid_plain

/* ---- The isolated forms: position-independent, GS-relative, mapped at ENTRY_TEXT ---- */

	.section .entry, "ax", @progbits
	.balign 4096
	.globl entry_section_start
entry_section_start:

	.globl isolated_syscall
	.balign 64
isolated_syscall:
	swapgs
	movq %rsp, %gs:CPU_USER_RSP
	movq %gs:CPU_KERNEL_CR3, %rsp
	movq %rsp, %cr3
	movq %gs:CPU_KERNEL_STACK, %rsp
	jmpq *%gs:CPU_SYSCALL

/* The ways out load the user's CR3; with PCIDs (tagged) that may flush, which is then done for this
 * space: CR3_NOFLUSH, bit 63, stays set until pcid.c takes it away. */
.macro LOAD_USER_CR3 tagged
	movq %gs:CPU_USER_CR3, %rdi
	movq %rdi, %cr3
	.if \tagged
	btsq $63, %gs:CPU_USER_CR3
	.endif
	movq %gs:CPU_SCRATCH, %rdi
.endm

/* rsp is the user's already; rcx and r11 hold RIP and RFLAGS. */
.macro EXIT_SYSRET tagged
	movq %rdi, %gs:CPU_SCRATCH
	LOAD_USER_CR3 \tagged
	swapgs
	sysretq
.endm

/* rsp points to the vector in the frame on the thread's stack: copy the rest to the entry stack. */
.macro EXIT_IRET tagged
	movq %rdi, %gs:CPU_SCRATCH
	movq %rsp, %rdi
	movq %gs:CPU_SELF, %rsp
	leaq 0x4000(%rsp), %rsp /* the top of the entry stack: page 3 of the block */
	pushq 48(%rdi)
	pushq 40(%rdi)
	pushq 32(%rdi)
	pushq 24(%rdi)
	pushq 16(%rdi)
	LOAD_USER_CR3 \tagged
	swapgs
	iretq
.endm

	.globl isolated_exit_sysret
	.balign 64
isolated_exit_sysret:
	EXIT_SYSRET 0

	.globl isolated_exit_iret
	.balign 64
isolated_exit_iret:
	EXIT_IRET 0

	.globl tagged_exit_sysret
	.balign 64
tagged_exit_sysret:
	EXIT_SYSRET 1

	.globl tagged_exit_iret
	.balign 64
tagged_exit_iret:
	EXIT_IRET 1

	.balign 64
trap_isolated:
	cld
	testb $3, 24(%rsp)
	jnz 1f
	jmpq *%gs:CPU_TRAP_KERNEL
1:	swapgs
	movq %rdi, %gs:CPU_SCRATCH
	movq %gs:CPU_KERNEL_CR3, %rdi
	movq %rdi, %cr3
	movq %gs:CPU_SCRATCH, %rdi
	MOVE_TO_THREAD_STACK
	jmpq *%gs:CPU_TRAP_USER

	.balign 64
paranoid_isolated:
	PARANOID_BODY 1

/* ---- One stub for each vector, in both forms: STUB_SIZE bytes each ---- */

.macro STUBS plain_common, paranoid_common
	.set vector, 0
	.rept 256
	.balign 16
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
	.else
	pushq $0
	.endif
	pushq $vector
	.if vector == VECTOR_DB || vector == VECTOR_NMI || vector == VECTOR_DF || vector == VECTOR_MC
	jmp \paranoid_common
	.else
	jmp \plain_common
	.endif
	.set vector, vector + 1
	.endr
.endm

	.balign 4096
	.globl isolated_stubs
isolated_stubs:
	STUBS trap_isolated, paranoid_isolated
	.balign 4096
	.globl entry_section_end
entry_section_end:

	.text
	.balign 16
	.globl plain_stubs
	.type plain_stubs, @function
plain_stubs:
	STUBS trap_plain, paranoid_plain
	.size plain_stubs, .-plain_stubs

/* ---- Where the loader jumps to: include/baton/handoff.h ---- */

	.globl kernel_entry
	.type kernel_entry, @function
kernel_entry:
	xorl %ebp, %ebp
	cld
	jmp kernel_start
	.size kernel_entry, .-kernel_entry

/* A new thread's first instructions: switch.c laid the stack so that arch_switch returns here.
 * rbx: the function, r12: its argument. When it returns, the thread enters user mode by its frame. */
	.globl thread_start
	.type thread_start, @function
thread_start:
	xorl %ebp, %ebp
	call switch_finish
	sti
	movq %r12, %rdi
	callq *%rbx
	/* An interrupt between the next two would lay its frame over the thread's. */
	cli
	movq %gs:CPU_KERNEL_STACK, %rsp
	subq $FRAME_SIZE, %rsp
	movq %rsp, %rdi
	call return_from_start
	jmp return_iret
	.size thread_start, .-thread_start

/* void switch_stacks(virt_t *save, virt_t load): the callee-saved registers go with the stack. */
	.globl switch_stacks
	.type switch_stacks, @function
switch_stacks:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
	.size switch_stacks, .-switch_stacks

	.section .note.GNU-stack, "", @progbits
