/* SPDX-License-Identifier: MIT */
/*
 * Where another CPU begins: in real mode, at the start of a page below 1 MiB into which this was
 * copied (trampoline.c, which also filled in the words at the end). From there to protected mode, to
 * long mode in the page's own tables, and into the kernel's text; there the CPU finds by its APIC id
 * what was prepared for it. Nothing in the page is written to: several CPUs run it at once, and its
 * mapping is read-only (the descriptors have their accessed bit set already).
 * Intel SDM 3A 9.8.5 and 9.11, 10.4.
 */
#include "registers.h"
#include "smp.h"

#define CR0_PROTECTED  0x00000001
#define CR0_PAGED      0x80010021 /* PG, WP, NE, PE */
#define CR4_PAE_ONLY   0x00000020
#define EFER_LONG_NX   0x00000900 /* LME, NXE */
#define SELECTOR_32    0x08
#define SELECTOR_DATA  0x10
#define SELECTOR_64    0x18
#define APIC_ENABLED_X2 0xc00

	.section .rodata, "a", @progbits
	.balign 16
	.globl trampoline_start, trampoline_words, trampoline_end
trampoline_start:
	.code16
	cli
	cld
	movw %cs, %ax
	movw %ax, %ds
	xorl %ebx, %ebx
	movw %ax, %bx
	shll $4, %ebx /* where this page is */
	lgdtl trampoline_words - trampoline_start
	movl $CR0_PROTECTED, %eax
	movl %eax, %cr0
	ljmpl *(far_32 - trampoline_start)

	.code32
in_32:
	movw $SELECTOR_DATA, %ax
	movw %ax, %ds
	movw %ax, %es
	movw %ax, %ss
	movl $CR4_PAE_ONLY, %eax
	movl %eax, %cr4
	movl top_table - trampoline_start(%ebx), %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	xorl %edx, %edx
	movl $EFER_LONG_NX, %eax
	wrmsr
	movl $CR0_PAGED, %eax
	movl %eax, %cr0
	ljmpl *(far_64 - trampoline_start)(%ebx)

	.code64
in_64:
	movq kernel_entry_64 - trampoline_start(%rbx), %rax
	jmpq *%rax

	.balign 8
gdt:
	.quad 0, 0x00cf9b000000ffff, 0x00cf93000000ffff, 0x00af9b000000ffff
gdt_end:
	/* struct trampoline_words */
trampoline_words:
	.word gdt_end - gdt - 1
	.long gdt - trampoline_start
far_32:
	.long in_32 - trampoline_start
	.word SELECTOR_32
far_64:
	.long in_64 - trampoline_start
	.word SELECTOR_64
top_table:
	.long 0
kernel_entry_64:
	.quad 0
trampoline_end:

/* ---- In the kernel's text, on the trampoline's tables, without a stack ---- */

	.text
	.globl smp_entry
	.type smp_entry, @function
smp_entry:
	movl $MSR_APIC_BASE, %ecx
	rdmsr
	movq smp_lapic(%rip), %rbx
	testq %rbx, %rbx
	jnz 1f
	/* The boot CPU is in x2APIC mode: this one too. */
	orl $APIC_ENABLED_X2, %eax
	wrmsr
	movl $MSR_X2APIC + 2, %ecx
	rdmsr
	jmp 2f
1:	movl 0x20(%rbx), %eax
	shrl $24, %eax
2:	leaq smp_starts(%rip), %rdi
	movl smp_start_count(%rip), %ecx
3:	testl %ecx, %ecx
	jz smp_park
	cmpl %eax, START_APIC_ID(%rdi)
	je 4f
	addq $START_SIZE, %rdi
	decl %ecx
	jmp 3b
	/* It may be too late: then nobody waits, and the stack is another's. */
4:	movl $START_WAITED_FOR, %eax
	movl $START_CLAIMED, %edx
	lock cmpxchgl %edx, START_STATE(%rdi)
	jne smp_park
	movq START_STACK(%rdi), %rsp
	xorl %ebp, %ebp
	call smp_begin
smp_park:
	cli
	hlt
	jmp smp_park
	.size smp_entry, .-smp_entry

	.section .note.GNU-stack, "", @progbits
