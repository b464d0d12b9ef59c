/* SPDX-License-Identifier: MIT */
/* UEFI's variables for the rest of the kernel: calls behind bars, with errno values. See variables.c. */
#ifndef FIRMWARE_VARIABLES_H
#define FIRMWARE_VARIABLES_H

#include "firmware/variable_rules.h"

#define VARIABLE_DATA_MAX (32u << 10) /* bytes that a call can carry */
/* Space that a write of a non-volatile variable must leave: boards have been bricked by a full store. */
#define VARIABLE_RESERVE 5120u

struct variable_store {
	uint64_t maximum, remaining, largest;
};

/* All return 0, an errno as Linux makes of an EFI_STATUS, -EIO where the service was ended or is tainted, -EOPNOTSUPP where
 * it is not there, or -ENOMEM. All sleep. */

/* Whether variables can be read, and written. */
bool variables_are_there(void);
bool variables_are_writable(void);
/* -ENOENT. *size: bytes at `data` and then those of the variable, which are not copied where there are more (-ERANGE). */
int variable_get(const struct variable_name *name, uint32_t *attributes, void *data,
	size_t *size) MUST_CHECK;
/* -ENOSPC, where what is left would be less than the reserve, too. */
int variable_set(const struct variable_name *name, uint32_t attributes, const void *data,
	size_t size) MUST_CHECK;
/* Of non-volatile variables. */
int variable_store(struct variable_store *out) MUST_CHECK;
/* Calls `take` for each variable, until that does not return 0, which is returned. `bytes`: of the name. */
int variables_each(int (*take)(void *context, const uint8_t vendor[VENDOR_SIZE],
			   const uint16_t *name, size_t bytes),
	void *context) MUST_CHECK;

#endif
