/* SPDX-License-Identifier: MIT */
/*
 * Measured boot: what is used goes into the TPM's PCRs by EFI_TCG2_PROTOCOL, each with an event of type
 * EV_IPL whose data is its name, in UCS-2. Which PCR: UAPI.7, the Linux TPM PCR registry. Without a TPM
 * all of this does nothing; what cannot be measured is told, and the boot goes on.
 */
#ifndef LOADER_MEASURE_H
#define LOADER_MEASURE_H

#include "loader.h"

enum pcr {
	PCR_FILES = 9,     /* all files read, as GRUB has it: configuration, kernel, initrds */
	PCR_OWN_FILE = 11, /* the sections of a Unified Kernel Image, as systemd-stub has it */
	PCR_OPTIONS = 12,  /* a command line that is not in there, as systemd-boot has it */
};

/* Finds the TPM: l->tpm. */
void find_tpm(struct loader *l);

void measure(struct loader *l, enum pcr pcr, const char *name, const void *data, uint64_t size);

/* Name and content of each section that UAPI.5 names, in its order. */
void measure_own_file(struct loader *l);

/* The command line, in UCS-2 with its NUL. */
void measure_options(struct loader *l);

#endif
