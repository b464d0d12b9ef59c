/* SPDX-License-Identifier: MIT */
/*
 * Messages. A printed line costs 10,000 instructions on a firmware's serial console and 334,000 on
 * its graphical one (OVMF), so the log goes to the first UART directly, and the console sees errors
 * only, or one line when there is no UART.
 */
#ifndef LOADER_CONSOLE_H
#define LOADER_CONSOLE_H

#include "efi.h"

#include "../pure/verdict.h"

void console_start(EFI_SYSTEM_TABLE *system);

/* A line of the log, without its "\n". */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* As `say`, on the console too: for what the person at the machine should know. */
void warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Says what failed, on console and serial, and gives `status` back. */
EFI_STATUS fail(EFI_STATUS status, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* As `fail`, for a refusal of the pure half: `where` is the file or thing that was looked at. */
EFI_STATUS fail_verdict(enum verdict verdict, const char *where, const struct complaint *why);

/* Text on the firmware's console alone; "\n" goes out as "\r\n". */
void console_write(const char *text);

const char *status_name(EFI_STATUS status);

#endif
