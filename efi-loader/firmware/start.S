/* SPDX-License-Identifier: MIT */
/* The entry point: keeps the first TSC stamp, the stack pointer and the flags, then goes on in C, whose direction flag is 0. */
	.text
	.globl	efi_main
	.hidden	efi_main, loader_main, entry_tsc, entry_rsp, entry_rflags
efi_main:
	mov	%rdx, %r8
	rdtsc
	shl	$32, %rdx
	or	%rdx, %rax
	mov	%rax, entry_tsc(%rip)
	mov	%rsp, entry_rsp(%rip)
	pushfq
	popq	entry_rflags(%rip)
	cld
	mov	%r8, %rdx
	jmp	loader_main
	.section .note.GNU-stack, "", @progbits
