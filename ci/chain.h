/* SPDX-License-Identifier: MIT */
/* Loading another EFI program of the same volume, for the programs of this folder. */
#ifndef CI_CHAIN_H
#define CI_CHAIN_H

#include "firmware/efi.h"

#define CHAIN_OPTIONS_MAX 1024

/* Options of an image that is being started; must live as long as it. */
struct chain_options {
	CHAR16 text[CHAIN_OPTIONS_MAX];
};

/* Loads `path` (from the volume's root) from the volume that `image` came from, and gives it
 * `options` (ASCII). The caller starts it; an image that returns is unloaded by the firmware. */
EFI_STATUS chain_load(EFI_HANDLE image, EFI_BOOT_SERVICES *boot, const char *path,
	const char *options, struct chain_options *room, EFI_HANDLE *loaded);

#endif
