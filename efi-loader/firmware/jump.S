/* SPDX-License-Identifier: MIT */
/*
 * The way from the firmware's page tables to the kernel's.
 *
 * jump_enter, in the loader's text, goes to the tables of the jump, which identity-map only that
 * code and the jump page, both executable: a firmware may have made either of them unexecutable in
 * its own tables. The jump page holds a copy of jump_page_code and, behind it, struct jump; from it
 * the kernel's tables are loaded, which map it at the same address.
 *
 * Out of 5-level paging one gets only by turning paging off, hence through 32-bit code; jump page
 * and tables lie below 4 GiB then. The upper halves of registers do not survive that, so everything
 * is read from struct jump by its address.
 */
#define JUMP_CR3     0
#define JUMP_CR4     8
#define JUMP_STACK   16
#define JUMP_HANDOFF 24
#define JUMP_ENTRY   32
#define JUMP_LA57    40
#define JUMP_GDTR    48
#define JUMP_FAR32   64
#define JUMP_FAR64   72
#define JUMP_GDT     80

#define CR0_PG    0x80000000
#define CR0_WP    0x10000
#define CR4_PGE   0x80
#define CR4_OFF   (1 << 17 | 1 << 23) /* PCIDE, CET */
#define CR4_LA57  0x1000
#define MSR_EFER  0xc0000080
#define EFER_NXE  0x800

	.text
	.globl	jump_enter, jump_page_code, jump_page_code_end, jump_page_data
	.globl	jump_page_code32, jump_page_code64, jump_page_middle
	.hidden	jump_enter, jump_page_code, jump_page_code_end, jump_page_data
	.hidden	jump_page_code32, jump_page_code64, jump_page_middle

/* void jump_enter(uint64_t middle_cr3, uint64_t jump_page) */
jump_enter:
	cli
	cld
	mov	%cr4, %rax
	and	$~(CR4_PGE | CR4_OFF), %rax
	mov	%rax, %cr4
	jmp	jump_page_middle
	.balign	16
jump_page_middle:
	mov	%rdi, %cr3
	jmp	*%rsi

jump_page_code:
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_NXE, %eax
	wrmsr
	lea	jump_page_data(%rip), %rbx
	cmpq	$0, JUMP_LA57(%rbx)
	je	1f
	lgdt	JUMP_GDTR(%rbx)
	ljmpl	*JUMP_FAR32(%rbx)
1:	mov	JUMP_CR3(%rbx), %rax
	mov	%rax, %cr3
jump_page_code64:
	lea	jump_page_data(%rip), %rbx
	mov	%cr0, %rax
	or	$CR0_WP, %rax
	mov	%rax, %cr0
	mov	JUMP_CR4(%rbx), %rax
	mov	%rax, %cr4
	mov	JUMP_STACK(%rbx), %rsp
	mov	JUMP_HANDOFF(%rbx), %rdi
	mov	JUMP_ENTRY(%rbx), %rax
	xor	%ebx, %ebx
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	push	$0
	jmp	*%rax

	.code32
jump_page_code32:
	mov	%cr0, %eax
	and	$~CR0_PG, %eax
	mov	%eax, %cr0
	mov	%cr4, %eax
	and	$~CR4_LA57, %eax
	mov	%eax, %cr4
	mov	%cs:JUMP_CR3(%ebx), %eax
	mov	%eax, %cr3
	mov	%cr0, %eax
	or	$CR0_PG, %eax
	mov	%eax, %cr0
	ljmpl	*%cs:JUMP_FAR64(%ebx)
	.code64

	.balign	16
jump_page_data:
	.fill	128, 1, 0
jump_page_code_end:
	.section .note.GNU-stack, "", @progbits
