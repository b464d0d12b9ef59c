/* SPDX-License-Identifier: MIT */
/* Loading another EFI program of the same volume, for the programs of this folder. */
#ifndef CI_CHAIN_H
#define CI_CHAIN_H

#include "firmware/efi.h"

#define CHAIN_OPTIONS_MAX 1024
#define CHAIN_LOADER      "\\EFI\\BOOT\\BATON.EFI"

/* Options of an image that is being started; must live as long as it. */
struct chain_options {
	CHAR16 text[CHAIN_OPTIONS_MAX];
};

/* Loads `path` (from the volume's root) from the volume that `image` came from, and gives it
 * `options` (ASCII). The caller starts it; an image that returns is unloaded by the firmware. */
EFI_STATUS chain_load(EFI_HANDLE image, EFI_BOOT_SERVICES *boot, const char *path,
	const char *options, struct chain_options *room, EFI_HANDLE *loaded);

/* Starts the loader (\EFI\BOOT\BATON.EFI) with a function that is called once it leaves boot services, with the system
 * table: firmware's own services are written over then, since pages of our own would have no executable entry in the memory
 * attributes table. */
EFI_STATUS chain_loader(
	EFI_HANDLE image, EFI_SYSTEM_TABLE *system, EFI_EVENT_NOTIFY at_exit, const char *who);
/* Pages of code that are read-only can be written between these two. */
uint64_t code_writable(void);
void code_protected(uint64_t cr0);

#endif
