/* SPDX-License-Identifier: MIT */
/* Whether address spaces and page frames agree, while the machine stands still. See space_audit.c. */
#ifndef MEMORY_SPACE_AUDIT_H
#define MEMORY_SPACE_AUDIT_H

#include "lib/types.h"
#include "memory/pages.h"

struct space;

struct section_count {
	uint64_t section;
	uint32_t *entries; /* page-table entries that lead to each frame */
};

struct space_audit {
	struct section_count *sections;
	size_t count;
	/* references to pages that neither page tables nor objects account for: who is in the middle of something
	 * has some; and pages that nobody has mapped */
	uint64_t unexplained;
	const char *broken;
};

/* Memory for it. -ENOMEM. */
int space_audit_begin(struct space_audit *audit) MUST_CHECK;
void space_audit_end(struct space_audit *audit);
/* Machine stopped: a space, each once; at the end all frames. audit->broken is the first broken invariant. */
void space_audit_one(struct space_audit *audit, struct space *space);
void space_audit_frames(struct space_audit *audit);

#endif
