/* SPDX-License-Identifier: MIT */
/* UEFI runtime services after ExitBootServices. See runtime.c. */
#ifndef FIRMWARE_RUNTIME_H
#define FIRMWARE_RUNTIME_H

#include "lib/types.h"

struct handoff;

enum firmware_reset { FIRMWARE_RESET_COLD, FIRMWARE_RESET_WARM, FIRMWARE_RESET_SHUTDOWN };

/* Remembers what the services need of the hand-off. */
void firmware_runtime_init(const struct handoff *handoff);
/* ResetSystem, UEFI 2.10 8.5.1. Returns only when it cannot be called; the log says why. */
void firmware_reset_system(enum firmware_reset type);

#endif
