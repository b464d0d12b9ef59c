/* SPDX-License-Identifier: MIT */
/*
 * What is trusted. The loader's own file may carry kernel, initrd and command line in sections, as a
 * Unified Kernel Image does (UAPI.5); the firmware has checked the signature over all of it. Under
 * Secure Boot nothing else is used, but what has its SHA-256 in the section .sha256 of that file (lines
 * as sha256sum writes them): then a kernel, an initrd, a configuration file, typed options.
 */
#ifndef LOADER_TRUST_H
#define LOADER_TRUST_H

#include "loader.h"

/* Finds and measures the sections; whether Secure Boot is on, and whether there is a TPM. */
EFI_STATUS read_own_file(struct loader *l) CHECKED;

/* The boot that the own file holds (l->own.kernel is there): its command line. */
EFI_STATUS use_own_file(struct loader *l) CHECKED;

/* EFI_SECURITY_VIOLATION, told, when these bytes may not be used; `what` names them. */
EFI_STATUS trust_bytes(struct loader *l, const char *what, const void *data, uint64_t size) CHECKED;

/* The same of a file that is used; measures it. */
EFI_STATUS trust_file(struct loader *l, const char *path, const void *data, uint64_t size) CHECKED;

/* The kernel's file just opened: where it must be checked or measured it is read as a whole, once, and
 * what is checked is what is loaded. */
EFI_STATUS trust_kernel(struct loader *l) CHECKED;
void trust_release(struct loader *l);

#endif
