/* SPDX-License-Identifier: MIT */
/* System calls of the fuzzer: with every register known before and looked at after. */
	.text

/* Which is which in *changed: bit n for the n-th of rbx, rbp, r12, r13, r14, r15, rdi, rsi, rdx, r10, r8, r9; 12:
 * the direction flag is set. */
#define PATTERN(n) (0x5a5a00+(n))

	.macro kept register, value, bit
	cmp	\value, \register
	je	88f
	or	$(1 << \bit), %eax
88:
	.endm

	.globl invoke
	.type invoke, @function
invoke:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rsi
	push	%rdi
	mov	%rdi, %rax
	mov	8(%rax), %rdi
	mov	16(%rax), %rsi
	mov	24(%rax), %rdx
	mov	32(%rax), %r10
	mov	40(%rax), %r8
	mov	48(%rax), %r9
	mov	0(%rax), %rax
	mov	$PATTERN(1), %ebx
	cmp	$56, %eax		/* clone, vfork, clone3: who is new ends */
	je	1f
	cmp	$58, %eax
	je	1f
	cmp	$435, %eax
	je	1f
	mov	$PATTERN(0), %ebx
1:	mov	$PATTERN(2), %ebp
	mov	$PATTERN(3), %r12d
	mov	$PATTERN(4), %r13d
	mov	$PATTERN(5), %r14d
	mov	$PATTERN(6), %r15d
	syscall
	test	%rax, %rax
	jnz	2f
	cmp	$PATTERN(1), %rbx
	je	9f
2:	/* the words again, and what differs from them */
	pushf
	pop	%r11
	mov	0(%rsp), %rcx
	push	%rax
	and	$-2, %rbx
	xor	%eax, %eax
	kept	%rbx, $PATTERN(0), 0
	kept	%rbp, $PATTERN(2), 1
	kept	%r12, $PATTERN(3), 2
	kept	%r13, $PATTERN(4), 3
	kept	%r14, $PATTERN(5), 4
	kept	%r15, $PATTERN(6), 5
	kept	%rdi, 8(%rcx), 6
	kept	%rsi, 16(%rcx), 7
	kept	%rdx, 24(%rcx), 8
	kept	%r10, 32(%rcx), 9
	kept	%r8, 40(%rcx), 10
	kept	%r9, 48(%rcx), 11
	bt	$10, %r11
	jnc	5f
	or	$(1 << 12), %eax
5:	cld
	mov	16(%rsp), %rcx
	mov	%rax, (%rcx)
	pop	%rax
	pop	%rdi
	pop	%rsi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
9:	xor	%edi, %edi
	mov	$60, %eax
	syscall
	ud2

	.globl invoke_thread
	.type invoke_thread, @function
invoke_thread:
	push	%r12
	push	%r13
	mov	%rdx, %r12
	mov	%ecx, %r13d
	xor	%edx, %edx
	xor	%r10d, %r10d
	xor	%r8d, %r8d
	mov	$56, %eax
	syscall
	test	%rax, %rax
	jz	1f
	pop	%r13
	pop	%r12
	ret
1:	xor	%ebp, %ebp
	mov	%r13d, %edi
	call	*%r12
	ud2

/* Where handlers of signals return to. */
	.globl invoke_restorer
	.type invoke_restorer, @function
invoke_restorer:
	mov	$15, %eax
	syscall
	ud2

	.section .note.GNU-stack, "", @progbits
