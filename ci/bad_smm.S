/* SPDX-License-Identifier: MIT */
/*
 * smi: what bad_memory.c puts where a CPU enters System Management Mode that no firmware has moved, 8000h behind SMBASE. Of two
 * ranges of memory it writes to the first page that user/firmware/laboratory/canaries.c has filled, and, if told so, to page 0; or it never comes back.
 * ask_smi: an UpdateCapsule that raises the SMI and refuses what it was given. do_nothing: a ResetSystem that comes back.
 * refuse: a SetVirtualAddressMap that is EFI_UNSUPPORTED.
 */
#define ENTRY    0x8000
#define MARK     0x0badbad0
#define STEP_LOW  0x7f4a7c15 /* of the canaries' words */
#define STEP_HIGH 0x9e3779b9
#define PAGE     4096
#define IN_PAGE  8
#define IN_PAGE0 0x10
#define VALUE(name) %cs:ENTRY + name - smi

	.section .rodata
	.irp	name, smi, smi_end, smi_ranges, smi_page_0, smi_hangs, ask_smi, ask_smi_end, do_nothing, do_nothing_end, refuse, refuse_end
	.globl	\name
	.hidden	\name
	.endr
	.code16
smi:
	cmpl	$0, VALUE(smi_hangs)
1:	jne	1b
	xorl	%edi, %edi	/* of the range */
range:
	movl	VALUE(smi_ranges)(%edi), %ebx
	movl	VALUE(smi_ranges) + 4(%edi), %ecx
page:
	cmpl	%ecx, %ebx
	jae	next
	movl	$STEP_LOW, %eax
	mull	%ebx
	imull	$STEP_HIGH, %ebx, %esi
	addl	%esi, %edx
	cmpl	%eax, (%ebx)
	jne	1f
	cmpl	%edx, 4(%ebx)
	je	found
1:	addl	$PAGE, %ebx
	jmp	page
found:
	movl	$MARK, IN_PAGE(%ebx)
next:
	addl	$8, %edi
	cmpl	$16, %edi
	jb	range
	cmpl	$0, VALUE(smi_page_0)
	je	1f
	xorl	%ebx, %ebx
	movl	$MARK, IN_PAGE0(%ebx)
1:	rsm

	.balign	4
smi_ranges:
	.long	0, 0, 0, 0
smi_page_0:
	.long	0
smi_hangs:
	.long	0
smi_end:

	.code64
ask_smi:
	movb	$0x5a, %al
	outb	%al, $0xb2
	movabsq	$0x8000000000000002, %rax
	ret
ask_smi_end:

do_nothing:
	ret
do_nothing_end:

refuse:
	movabsq	$0x8000000000000003, %rax
	ret
refuse_end:
	.section .note.GNU-stack, "", @progbits
