/* SPDX-License-Identifier: MIT */
/*
 * /proc/baton/frames: what each page of RAM is for, beyond what Linux's /proc/kpageflags and kpagecount
 * tell. For root alone. It tells kinds and counts, never an address of the kernel's.
 *
 * The file is an array of 64-bit words, one a page frame from frame 0 on, up to the highest RAM.
 * Offset and size of a read are multiples of 8 (EINVAL otherwise). Each piece of 128 frames is of one
 * moment; the whole is not.
 */
#ifndef BATON_FRAMES_H
#define BATON_FRAMES_H

#define BATON_FRAME_KIND(word)  ((unsigned)((word)&0xff))
#define BATON_FRAME_ORDER(word) ((unsigned)((word) >> 8 & 0xf)) /* of the block it lies in */
#define BATON_FRAME_FIRST       (UINT64_C(1) << 12)             /* of its block */
#define BATON_FRAME_ZERO        (UINT64_C(1) << 13) /* the page of zeroes that all share */
#define BATON_FRAME_MAPPINGS(word) \
	((unsigned)((word) >> 16 & 0xffff)) /* in processes, at most 65535 */
#define BATON_FRAME_REFERENCES(word) ((uint32_t)((word) >> 32))

enum baton_frame_kind {
	BATON_FRAME_HOLE, /* no RAM */
	BATON_FRAME_FREE,
	BATON_FRAME_KERNEL, /* the kernel's, for no purpose told apart below */
	BATON_FRAME_SLAB,   /* small objects */
	BATON_FRAME_TABLE,  /* a page table */
	BATON_FRAME_FILE,   /* a page of a file, or of memory that processes share */
	BATON_FRAME_PRIVATE, /* a process's own; mapped by several after a fork: copied when written */
	BATON_FRAME_INITRD,   /* not unpacked yet */
	BATON_FRAME_STACK,    /* a kernel stack */
	BATON_FRAME_HEAP,     /* large objects */
	BATON_FRAME_ARRAY,    /* the records of the page frames themselves */
	BATON_FRAME_IMAGE,    /* the kernel's image, its first tables and stack, the hand-off */
	BATON_FRAME_FIRMWARE, /* the firmware's for ever: runtime services, ACPI */
	BATON_FRAME_RESERVED, /* RAM that is used by nobody: the first MiB, unusable, persistent */
	BATON_FRAME_KINDS,
};

#endif
