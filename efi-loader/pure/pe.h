/* SPDX-License-Identifier: MIT */
/*
 * Sections of a PE32+ image that the firmware has loaded (Microsoft PE/COFF specification): found by
 * name, as they lie in memory. The loader looks into its own image with it, where a Unified Kernel
 * Image (UAPI.5) keeps kernel, initrd and command line.
 */
#ifndef LOADER_PE_H
#define LOADER_PE_H

#include "verdict.h"

struct pe_section {
	const char *data; /* NULL: there is none */
	uint64_t size;    /* bytes, VirtualSize: without the file's padding */
};

/*
 * The section `name` (at most 8 bytes) of the image of `size` bytes at `image`. VERDICT_NOT_FOUND:
 * there is none. VERDICT_MALFORMED: headers that contradict themselves, a section outside of the image
 * or one that is there twice (such are not for a UKI: each is a singleton). The outcome is the image's
 * own memory.
 */
enum verdict pe_find(const void *image, uint64_t size, const char *name, struct pe_section *found,
	struct complaint *why);

#endif
