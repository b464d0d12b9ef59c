/* SPDX-License-Identifier: MIT */
/* The entry point: keeps the first TSC stamp and the stack pointer, then goes on in C. */
	.text
	.globl	efi_main
	.hidden	efi_main, loader_main, entry_tsc, entry_rsp
efi_main:
	mov	%rdx, %r8
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, entry_tsc(%rip)
	mov	%rsp, entry_rsp(%rip)
	mov	%r8, %rdx
	jmp	loader_main
	.section .note.GNU-stack, "", @progbits
