/* SPDX-License-Identifier: MIT */
/*
 * The kernel's look at itself: whether the invariants of its tables hold, all of them, at one moment.
 *
 * The problem. A reference too few or a link that leads astray shows long after the mistake, and elsewhere. The
 * fuzzer and the tests want to know at once.
 *
 * The design. Each room has an audit of its own, which gives NULL or the first broken invariant in words; here they
 * are run one after the other, while every CPU but this one stands still (process/stop.h): so what two rooms say of
 * the same thing can be compared. Root asks for it by writing to /proc/baton/audit. What is broken is a panic,
 * whose log shows who ran last.
 */
#include "audit.h"

#include "ipc/message.h"
#include "lib/log.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/space_audit.h"
#include "process/process_audit.h"
#include "process/stop.h"

struct audit {
	struct space_audit spaces;
	struct process_audit processes;
	const char *broken;
};

static struct spinlock audit_lock = SPINLOCK_INIT;
static struct audit_counts last guarded_by(audit_lock);

static void audit_space(void *context, struct space *space)
{
	space_audit_one(context, space);
}

/* The machine stands still. */
static void look(void *argument)
{
	struct audit *audit = argument;
	struct arch_mappings mappings;

	audit->broken = arch_mappings_audit(&mappings);
	if (!audit->broken)
		audit->broken = pages_audit();
	if (!audit->broken)
		audit->broken = slab_audit();
	if (!audit->broken)
		audit->broken = msg_audit();
	if (audit->broken)
		return;
	process_audit_run(&audit->processes);
	space_audit_frames(&audit->spaces);
	audit->broken = audit->processes.broken ? audit->processes.broken : audit->spaces.broken;
}

static void remember(const struct audit *audit)
{
	spin_lock(&audit_lock);
	last.audits++;
	last.processes = audit->processes.processes;
	last.threads = audit->processes.threads;
	last.open_files = audit->processes.open_files;
	last.unexplained = audit->spaces.unexplained;
	spin_unlock(&audit_lock);
}

static int run(struct audit *audit)
{
	int error = process_audit_begin(&audit->processes);

	if (error)
		return error;
	audit->processes.space = audit_space;
	audit->processes.context = &audit->spaces;
	error = machine_pause(look, audit);
	process_audit_end(&audit->processes);
	if (!error && audit->broken)
		panic("audit: %s", audit->broken);
	if (!error)
		remember(audit);
	return error;
}

int audit_all(void)
{
	struct audit audit = {.broken = NULL};
	int error = space_audit_begin(&audit.spaces);

	if (error)
		return error;
	error = run(&audit);
	space_audit_end(&audit.spaces);
	return error;
}

void audit_last(struct audit_counts *out)
{
	spin_lock(&audit_lock);
	*out = last;
	spin_unlock(&audit_lock);
}
