/* SPDX-License-Identifier: MIT */
/* The note by which C libraries know whose vDSO this is: name, type 0, the Linux version that the
 * system-call ABI is of (docs/time.md). */
	.section .note.Linux, "a", @note
	.balign 4
	.long 2f - 1f
	.long 4f - 3f
	.long 0
1:	.asciz "Linux"
2:	.balign 4
3:	.long 6 << 16 | 1 << 8
4:	.balign 4

	.section .note.GNU-stack, "", @progbits
