/* SPDX-License-Identifier: MIT */
/* UEFI runtime services after ExitBootServices. See runtime.c. */
#ifndef FIRMWARE_RUNTIME_H
#define FIRMWARE_RUNTIME_H

#include "lib/types.h"

struct handoff;

enum firmware_reset { FIRMWARE_RESET_COLD, FIRMWARE_RESET_WARM, FIRMWARE_RESET_SHUTDOWN };

/* Remembers what the services need of the hand-off. */
void firmware_runtime_init(const struct handoff *handoff);
/* ResetSystem, UEFI 2.10 8.5.1, in ring 0 and with whatever locks held. Returns only when it cannot be called; the log says
 * why. */
void firmware_reset_system(enum firmware_reset type);
/* The same behind bars (bars.h), by who may sleep, with everything still running. Returns when it did not work; the log
 * says why. */
void firmware_ask_reset(enum firmware_reset type);

struct firmware_variable {
	const uint16_t *name; /* UCS-2, NUL-terminated; at most 32 words */
	size_t name_size;     /* bytes */
	const void *vendor;   /* GUID */
	uint32_t attributes;
	const void *data;
	size_t size; /* bytes, at most 2,048 */
	/* Called in the place of a return, when the firmware takes too long; does not return. */
	void (*late)(const char *why);
};

/* SetVariable, UEFI 2.10 8.2, once the machine is stopped by a panic. NULL, or why it failed. */
const char *firmware_panic_variable(const struct firmware_variable *variable) MUST_CHECK;

#endif
