/* SPDX-License-Identifier: MIT */
#ifndef FIRMWARE_HANDOFF_INTAKE_H
#define FIRMWARE_HANDOFF_INTAKE_H

#include "lib/types.h"

#include <baton/handoff.h>

#define HANDOFF_MESSAGE_MAX 200u

/* A look at physical memory inside of the direct map: arch_phys_to_ptr, or a test's. */
typedef const void *(*handoff_view)(phys_t phys);

/* Checks all of the hand-off but the framebuffer (framebuffer_init does): NULL when it is good,
 * else `message`, which says what is wrong where, what was found and what expected. Looks at nothing
 * before it is known to lie inside of the direct map. `build_id`: the kernel's own. Pure. */
const char *handoff_check(const struct handoff *handoff, const char *build_id, handoff_view view,
	char message[HANDOFF_MESSAGE_MAX]);

/* A memory type by name, for logs. */
const char *handoff_memory_name(uint32_t type);

/* Is memory of this type RAM, and in the direct map? */
bool handoff_is_ram(uint32_t type);

#endif
