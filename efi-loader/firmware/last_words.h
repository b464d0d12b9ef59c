/* SPDX-License-Identifier: MIT */
#ifndef LOADER_LAST_WORDS_H
#define LOADER_LAST_WORDS_H

#include "efi.h"

#include <baton/handoff.h>

/*
 * The end, when boot services are gone and the kernel cannot be entered: says so on the first
 * serial port and in the framebuffer, waits ten seconds, resets the machine. Uses neither memory
 * nor firmware but ResetSystem.
 */
_Noreturn void last_words(EFI_RUNTIME_SERVICES *runtime,
	const struct handoff_framebuffer *framebuffer, const char *what, const char *why);

#endif
