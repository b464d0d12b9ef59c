/* SPDX-License-Identifier: MIT */
/* The record of a panic as a QR code on the screen. See panic_code.c. */
#ifndef DEVICES_PANIC_CODE_H
#define DEVICES_PANIC_CODE_H

#include "lib/types.h"

/* Makes it, once the machine is stopped. False: there is no screen, no memory, or it does not fit. */
bool panic_code_make(const char *text, size_t length);
/* Draws it, if there is one: again after whatever may have painted over it. */
void panic_code_show(void);

#endif
