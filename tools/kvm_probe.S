/* SPDX-License-Identifier: MIT */
/*
 * A guest that shows whether KVM really runs one: a ROM of 64 KiB that goes from the reset vector
 * through protected into long mode with paging, uses SSE, CPUID and an MSR, and says so by QEMU's
 * isa-debug-exit. Linked at 0xf0000, where the ROM is seen below 1 MiB.
 */
#define CR0_PE_MP_WP_PG 0x80010003
#define CR4_PAE_SSE     0x620
#define MSR_EFER        0xc0000080
#define EFER_LME_NXE    0x900
#define PML4            0x1000
#define PDPT            0x2000
#define PD              0x3000
#define EXIT_PORT       0xf4
#define EXIT_VALUE      0x10

	.text
	.globl _start
_start:
	.code16
	cli
	mov	$0xf000, %ax
	mov	%ax, %ds
	lgdtl	gdt_pointer - 0xf0000
	mov	$1, %eax
	mov	%eax, %cr0
	ljmpl	$8, $protected

	.code32
protected:
	mov	$16, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	xor	%eax, %eax
	mov	$PML4, %edi
	mov	$(3 * 4096 / 4), %ecx
	rep stosl
	movl	$(PDPT | 3), PML4
	movl	$(PD | 3), PDPT
	movl	$0x83, PD
	mov	$PML4, %eax
	mov	%eax, %cr3
	mov	$CR4_PAE_SSE, %eax
	mov	%eax, %cr4
	mov	$MSR_EFER, %ecx
	rdmsr
	or	$EFER_LME_NXE, %eax
	wrmsr
	mov	$CR0_PE_MP_WP_PG, %eax
	mov	%eax, %cr0
	ljmp	$24, $long

	.code64
long:
	mov	$0x8000, %esp
	pushq	$EXIT_VALUE
	movups	(%rsp), %xmm0
	movaps	%xmm0, 0x9000
	xor	%eax, %eax
	cpuid
	mov	0x9000, %al
	out	%al, $EXIT_PORT
1:	hlt
	jmp	1b

	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
	.quad	0x00af9b000000ffff
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.org	0xfff0
	.code16
	ljmp	$0xf000, $0
	.org	0x10000
