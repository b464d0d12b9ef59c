/* SPDX-License-Identifier: MIT */
/* bad_enter(entry, image, system, what): calls an image's entry point with flags (bit 0) or a floating-point unit (bit 1) that
 * are not as they should be. EFI's calling convention. */
	.text
	.globl	bad_enter
	.hidden	bad_enter
bad_enter:
	push	%rbp
	mov	%rsp, %rbp
	sub	$32, %rsp
	mov	%rcx, %rax
	mov	%rdx, %rcx
	mov	%r8, %rdx
	test	$2, %r9
	jz	1f
	fldcw	control(%rip)
	ldmxcsr	status(%rip)
1:	test	$1, %r9
	jz	2f
	cli
	std
2:	call	*%rax
	cld
	sti
	leave
	ret

	.section .rodata
control:
	.long	0x27f		/* 53 bits of precision */
status:
	.long	0x9f80		/* flush to zero */
	.section .note.GNU-stack, "", @progbits
