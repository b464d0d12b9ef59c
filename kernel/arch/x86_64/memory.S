/* SPDX-License-Identifier: MIT */
/*
 * Memory block functions, and copies from and to user memory.
 *
 * String instructions by eight bytes, then the rest: on a counted machine a REP MOVSB costs a tick a
 * byte, and on real ones REP MOVSQ is as quick at the sizes that matter here.
 *
 * The user copies return how many bytes were NOT copied. The SMAP window is open only in them. Each
 * instruction that may fault stands in __ex_table with the place to go on at; there rcx tells how
 * much was left.
 */
#include <asm/errno.h>

#if BATON_KASAN /* lib/kasan.c has those of the names */
#define memcpy  plain_memcpy
#define memmove plain_memmove
#define memset  plain_memset
#define memcmp  plain_memcmp
#endif

	.text

	.globl memcpy
	.type memcpy, @function
	.balign 16
memcpy:
	movq %rdi, %rax
	movq %rdx, %rcx
	shrq $3, %rcx
	rep movsq
	movl %edx, %ecx
	andl $7, %ecx
	rep movsb
	ret
	.size memcpy, .-memcpy

	.globl memmove
	.type memmove, @function
	.balign 16
memmove:
	movq %rdi, %rax
	subq %rsi, %rax
	cmpq %rdx, %rax
	jae memcpy /* below the source, or past its end: forwards */
	movq %rdi, %rax
	leaq -1(%rdi,%rdx), %rdi
	leaq -1(%rsi,%rdx), %rsi
	movq %rdx, %rcx
	std
	rep movsb
	cld
	ret
	.size memmove, .-memmove

	.globl memset
	.type memset, @function
	.balign 16
memset:
	movq %rdi, %r8
	movzbl %sil, %eax
	movabsq $0x0101010101010101, %r9
	imulq %r9, %rax
	movq %rdx, %rcx
	shrq $3, %rcx
	rep stosq
	movl %edx, %ecx
	andl $7, %ecx
	rep stosb
	movq %r8, %rax
	ret
	.size memset, .-memset

	.globl memcmp
	.type memcmp, @function
	.balign 16
memcmp:
	movq %rdx, %rcx
	xorl %eax, %eax
	cmpq %rcx, %rcx /* equal, should the size be 0 */
	repe cmpsb
	je 1f
	movzbl -1(%rdi), %eax
	movzbl -1(%rsi), %ecx
	subl %ecx, %eax
1:	ret
	.size memcmp, .-memcmp

.macro EXCEPTION_ENTRY from to
	.pushsection __ex_table, "a", @progbits
	.balign 4
	.long \from - .
	.long \to - .
	.popsection
.endm

/* AC is set by STAC only where SMAP is on: on other CPUs STAC is undefined. */
.macro WINDOW_OPEN
	cmpb $0, user_window(%rip)
	je 9f
	stac
9:
.endm

.macro WINDOW_CLOSE
	cmpb $0, user_window(%rip)
	je 9f
	clac
9:
.endm

/* size_t arch_user_copy(void *to, const void *from, size_t size): one of the two is a user's. */
	.globl arch_user_copy
	.type arch_user_copy, @function
	.balign 16
arch_user_copy:
	WINDOW_OPEN
	movq %rdx, %rcx
	shrq $3, %rcx
1:	rep movsq
	movl %edx, %ecx
	andl $7, %ecx
2:	rep movsb
	xorl %eax, %eax
3:	WINDOW_CLOSE
	ret
4:	/* eight bytes straddled a page end: as many single bytes as go */
	leaq (,%rcx,8), %rcx
	andl $7, %edx
	addq %rdx, %rcx
5:	rep movsb
6:	movq %rcx, %rax
	jmp 3b
	EXCEPTION_ENTRY 1b, 4b
	EXCEPTION_ENTRY 2b, 6b
	EXCEPTION_ENTRY 5b, 6b
	.size arch_user_copy, .-arch_user_copy

/* size_t arch_user_clear(void *to, size_t size) */
	.globl arch_user_clear
	.type arch_user_clear, @function
	.balign 16
arch_user_clear:
	WINDOW_OPEN
	movq %rsi, %rcx
	xorl %eax, %eax
	shrq $3, %rcx
1:	rep stosq
	movl %esi, %ecx
	andl $7, %ecx
2:	rep stosb
3:	WINDOW_CLOSE
	ret
4:	leaq (,%rcx,8), %rcx
	andl $7, %esi
	addq %rsi, %rcx
5:	rep stosb
6:	movq %rcx, %rax
	jmp 3b
	EXCEPTION_ENTRY 1b, 4b
	EXCEPTION_ENTRY 2b, 6b
	EXCEPTION_ENTRY 5b, 6b
	.size arch_user_clear, .-arch_user_clear

/* ssize_t arch_user_string(char *to, const char *from, size_t size): bytes before the NUL; size
 * when there is none; -1 when a byte could not be read. Eight bytes at a time: one of them is 0 if
 * (x - 0x01...01) & ~x & 0x80...80 is not, whose lowest bit is then in the first such byte. What
 * follows the NUL in its eight bytes is copied along. The last bytes, and those before a page's end,
 * are taken one by one. */
	.globl arch_user_string
	.type arch_user_string, @function
	.balign 16
arch_user_string:
	WINDOW_OPEN
	xorl %eax, %eax
	movabsq $-0x0101010101010101, %r8
	movabsq $0x8080808080808080, %r9
5:	leaq 8(%rax), %r10
	cmpq %rdx, %r10
	ja 7f
	leal (%rsi,%rax), %ecx
	andl $4095, %ecx
	cmpl $4088, %ecx
	ja 2f /* the next page may be another's */
6:	movq (%rsi,%rax), %rcx
	movq %rcx, (%rdi,%rax)
	leaq (%rcx,%r8), %r11
	notq %rcx
	andq %r9, %r11
	andq %rcx, %r11
	jne 8f
	movq %r10, %rax
	jmp 5b
8:	bsfq %r11, %r11
	shrl $3, %r11d
	addq %r11, %rax
	jmp 3f
7:	cmpq %rdx, %rax
	jae 3f
2:	movb (%rsi,%rax), %cl
	movb %cl, (%rdi,%rax)
	testb %cl, %cl
	je 3f
	incq %rax
	jmp 5b
3:	WINDOW_CLOSE
	ret
4:	movq $-1, %rax
	jmp 3b
	EXCEPTION_ENTRY 6b, 4b
	EXCEPTION_ENTRY 2b, 4b
	.size arch_user_string, .-arch_user_string

/* long arch_user_store_pair(void *to, uint64_t first, uint64_t second): 0, or -EFAULT. */
	.globl arch_user_store_pair
	.type arch_user_store_pair, @function
	.balign 16
arch_user_store_pair:
	cmpb $0, user_window(%rip)
	je 3f
	stac
1:	movq %rsi, (%rdi)
2:	movq %rdx, 8(%rdi)
	clac
	xorl %eax, %eax
	ret
3:	movq %rsi, (%rdi)
4:	movq %rdx, 8(%rdi)
	xorl %eax, %eax
	ret
5:	clac
6:	movq $-EFAULT, %rax
	ret
	EXCEPTION_ENTRY 1b, 5b
	EXCEPTION_ENTRY 2b, 5b
	EXCEPTION_ENTRY 3b, 6b
	EXCEPTION_ENTRY 4b, 6b
	.size arch_user_store_pair, .-arch_user_store_pair

/* long arch_user_load32(uint32_t *out, const void *from): 0, or -EFAULT. */
	.globl arch_user_load32
	.type arch_user_load32, @function
	.balign 16
arch_user_load32:
	WINDOW_OPEN
1:	movl (%rsi), %ecx
	movl %ecx, (%rdi)
	xorl %eax, %eax
2:	WINDOW_CLOSE
	ret
3:	movq $-EFAULT, %rax
	jmp 2b
	EXCEPTION_ENTRY 1b, 3b
	.size arch_user_load32, .-arch_user_load32

/* long arch_user_exchange32(void *at, uint32_t *expected, uint32_t desired): 0: done; 1: *expected was
 * not there, and is now what was; or -EFAULT. */
	.globl arch_user_exchange32
	.type arch_user_exchange32, @function
	.balign 16
arch_user_exchange32:
	WINDOW_OPEN
	movl (%rsi), %eax
1:	lock cmpxchgl %edx, (%rdi)
	movl %eax, (%rsi)
	setne %al
	movzbl %al, %eax
2:	WINDOW_CLOSE
	ret
3:	movq $-EFAULT, %rax
	jmp 2b
	EXCEPTION_ENTRY 1b, 3b
	.size arch_user_exchange32, .-arch_user_exchange32

/* void spin_take(uint32_t *held), for arch_spin_take: all registers stay as they are. */
	.globl spin_take_keeping
	.type spin_take_keeping, @function
	.balign 16
spin_take_keeping:
	pushq %rbp
	movq %rsp, %rbp
	pushq %rax
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	call spin_take
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rax
	popq %rbp
	ret
	.size spin_take_keeping, .-spin_take_keeping

	.section .note.GNU-stack, "", @progbits
