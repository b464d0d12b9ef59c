/* SPDX-License-Identifier: MIT */
/* Variables of the firmware's and what lies in them. */
#ifndef REPORT_LISTS_H
#define REPORT_LISTS_H

#include "bytes.h"

extern const uint8_t guid_global[16], guid_security[16]; /* EFI_GLOBAL_VARIABLE; of db and dbx */

/* The variable, or NULL. */
const struct evidence_record *variable_find(const struct evidence *e, enum evidence_phase phase,
	const uint8_t guid[16], const char *name);
struct span variable_data(const struct evidence_record *variable);
/* The name with ? for what is no printable ASCII. */
struct name_text {
	char text[64];
};
struct name_text variable_name(const struct evidence_record *variable);

/* EFI_SIGNATURE_LISTs: how many signatures in all; -1: they do not parse. UEFI 2.10 32.4.1. */
long signature_lists(struct span lists);

/* A load option: its device path, without the node that ends it; false: it does not parse. UEFI 2.10 3.1.3. */
bool load_option_path(struct span option, struct span *path);
/* The bytes of a device path before its end node; false: no end, or a node too short or too long. */
bool device_path(struct span bytes, struct span *path);
/* Whether `part` occurs in `whole`. */
bool span_contains(struct span whole, struct span part);

#endif
