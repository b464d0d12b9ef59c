/* SPDX-License-Identifier: MIT */
/*
 * The kernel's look at itself: whether the invariants of its tables hold, all of them, at one moment.
 *
 * The problem. A reference too few or a link that leads astray shows long after the mistake, and elsewhere. The
 * fuzzer and the tests want to know at once.
 *
 * The design. Each room has an audit of its own, which gives NULL or the first broken invariant in words; here they
 * are run one after the other. Root asks for it by writing to /proc/baton/audit. What is broken is a panic,
 * whose log shows who ran last.
 */
#include "audit.h"

#include "lib/log.h"
#include "memory/pages.h"
#include "memory/slab.h"

static uint64_t audits; /* atomic */

static void check(const char *broken)
{
	if (broken)
		panic("audit: %s", broken);
}

int audit_all(void)
{
	check(pages_audit());
	check(slab_audit());
	__atomic_add_fetch(&audits, 1, __ATOMIC_RELAXED);
	return 0;
}

void audit_last(struct audit_counts *out)
{
	*out = (struct audit_counts){.audits = __atomic_load_n(&audits, __ATOMIC_RELAXED)};
}
