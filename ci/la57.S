/* SPDX-License-Identifier: MIT */
/*
 * From 4-level to 5-level paging: only with paging off, hence through 32-bit code. The code and its
 * data are copied to a page below 4 GiB. All that must survive is on the stack or in the page, for
 * the upper halves of registers do not.
 */
#define LA57_CR3   0
#define LA57_RSP   8
#define LA57_BACK  16
#define LA57_GDTR  24
#define LA57_FAR32 40
#define LA57_FAR64 48
#define LA57_OLD   56
#define LA57_CS    72

#define CR0_PG   0x80000000
#define CR4_LA57 0x1000

	.text
	.globl	efi_main
	.hidden	efi_main, la57_main
efi_main:
	jmp	la57_main

	.globl	la57_switch, la57_code, la57_code32, la57_code64, la57_data, la57_end
	.hidden	la57_switch, la57_code, la57_code32, la57_code64, la57_data, la57_end
/* void la57_switch(uint64_t page, struct la57 *data_in_page) */
la57_switch:
	pushfq
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	cli
	mov	%rsi, %rbx
	sgdt	LA57_OLD(%rbx)
	mov	%cs, %eax
	mov	%rax, LA57_CS(%rbx)
	lea	1f(%rip), %rax
	mov	%rax, LA57_BACK(%rbx)
	mov	%rsp, LA57_RSP(%rbx)
	jmp	*%rdi
1:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	popfq
	ret

la57_code:
	lgdt	LA57_GDTR(%rbx)
	ljmpl	*LA57_FAR32(%rbx)
la57_code64:
	lea	la57_data(%rip), %rbx
	lgdt	LA57_OLD(%rbx)
	mov	LA57_RSP(%rbx), %rsp
	pushq	LA57_CS(%rbx)
	pushq	LA57_BACK(%rbx)
	lretq

	.code32
la57_code32:
	mov	%cr0, %eax
	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	mov	%cr4, %eax
	or	$CR4_LA57, %eax
	mov	%eax, %cr4
	mov	%cs:LA57_CR3(%ebx), %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	ljmpl	*%cs:LA57_FAR64(%ebx)
	.code64

	.balign	16
la57_data:
	.fill	128, 1, 0
la57_end:
	.section .note.GNU-stack, "", @progbits
