/* SPDX-License-Identifier: MIT */
/*
 * The first serial port (16550), straight: no firmware below, so it works before and after
 * ExitBootServices. Silent when nothing answers there.
 */
#ifndef LOADER_SERIAL_H
#define LOADER_SERIAL_H

#include <stdbool.h>

/* Finds out whether a UART answers; sets it to 115200 8N1 unless somebody has set it up. */
bool serial_probe(void);
bool serial_present(void);
/* "\n" goes out as "\r\n". A UART that never takes a byte is given up. */
void serial_write(const char *text);

#endif
