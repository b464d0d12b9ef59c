/* SPDX-License-Identifier: MIT */
/* The vDSO as the kernel sees it; its code is in vdso.c, its data in data.h. See map.c. */
#ifndef VDSO_VDSO_H
#define VDSO_VDSO_H

#include "lib/types.h"

struct object;
struct space;

extern const uint8_t vdso_image[]; /* the shared object */
extern const size_t vdso_image_size;

void vdso_init(void);
/* Maps it, at an address that follows from `random`, into a space that has its stack already
 * (space->stack_top). The
 * address of its ELF header, for AT_SYSINFO_EHDR; 0: there is no vDSO; or -ENOMEM. */
long vdso_map(struct space *space, uint64_t random) MUST_CHECK;
/* Writes the clocks' words anew; for clocks.c, which serialises it. */
void vdso_update(void);
/* arch_clock_user says something else than before. Any context. */
void vdso_clock_changed(void);
/* What a mapping of this object is called in /proc/PID/maps: "[vdso]", "[vvar]"; NULL: neither. */
const char *vdso_name(const struct object *object);

#endif
