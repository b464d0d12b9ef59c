/* SPDX-License-Identifier: MIT */
/*
 * Runtime services that break a rule each: what bad_services.c writes over the firmware's. Each runs at any address
 * and knows only its own arguments (RCX, RDX, R8, R9). user/tests/efi_faults.c says what must come of each.
 */

.macro begin name
.globl \name, \name\()_end
\name:
.endm
.macro end name
\name\()_end:
.endm

.section .rodata

/* RAM that was free at ExitBootServices is written; an address is read that has more bits than the CPU. */
begin wild_write
	movl	$0x02000000, %ecx
	movl	$0x0badbad0, (%rcx)
	movabsq	$0x300000000000, %rcx
	addl	(%rcx), %eax
	xorl	%eax, %eax
	ret
end wild_write

/* Its argument is executed. */
begin run_data
	jmp	*%rcx
end run_data

begin halt_for_ever
	cli
	hlt
	jmp	halt_for_ever
end halt_for_ever

begin loop_for_ever
	jmp	loop_for_ever
end loop_for_ever

begin smash_stack
	pushq	%rax
	jmp	smash_stack
end smash_stack

begin flood_port
	movl	$0x80, %edx
1:	outb	%al, %dx
	jmp	1b
end flood_port

/* bad_services.c puts the address of a boot service there. */
begin call_back
	movabsq	$0x1122334455667788, %rax
	callq	*%rax
	ret
end call_back

begin divide_by_zero
	xorl	%ecx, %ecx
	divl	%ecx
	ret
end divide_by_zero

/* Returns, and has kept nothing. */
begin lose_registers
	movl	$1, %ebx
	movl	$2, %ebp
	movl	$3, %esi
	movl	$4, %r12d
	xorps	%xmm6, %xmm6
	std
	cli
	xorl	%eax, %eax
	ret
end lose_registers

/* Writes its own code, which the attributes table says is read-only: what stands there. */
begin write_code
	movb	$0xc6, write_code(%rip)
	xorl	%eax, %eax
	ret
end write_code

/* Asks a kernel for things, and the CPU for what is the kernel's: 2 is what it must not get. */
begin ask_for_more
	movl	$231, %eax
	xorl	%edi, %edi
	syscall
	movq	%cr0, %rdx
	movq	%rdx, %cr0
	movl	$0x1b, %ecx
	rdmsr
	wrmsr
	movl	$0x80, %edx
	inb	%dx, %al
	sti
	xorl	%eax, %eax
	movl	$0x5afe5afe, %edi
	shlq	$32, %rdi
	orq	$2, %rdi
	ret
end ask_for_more

.section .note.GNU-stack, "", @progbits
