/* SPDX-License-Identifier: MIT */
/*
 * The Boot Loader Interface: volatile variables that tell the running system who booted it, from where
 * and when (systemd's documents of that name, and systemd-stub's for a signed file).
 */
#ifndef LOADER_INTERFACE_H
#define LOADER_INTERFACE_H

#include "loader.h"

#define INTERFACE_GUID                                                 \
	{                                                              \
		0x4a67b082, 0x0a4c, 0x41cf,                            \
		{                                                      \
			0xb6, 0xc7, 0x44, 0x0b, 0x29, 0xbb, 0x8c, 0x4f \
		}                                                      \
	}

/* The TSC's rate, by the ACPI timer, from what passes between these two anyway. */
void clock_begin(struct loader *l);
void clock_end(struct loader *l);

/* Sets the variables; what cannot be set is told, and no harm. Last before boot services end. */
void publish(struct loader *l);

/* seed.c: the seed file \loader\random-seed goes into the pool, and is replaced before that is used. */
void turn_seed(struct loader *l);

#endif
