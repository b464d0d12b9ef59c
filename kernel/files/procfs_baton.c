/* SPDX-License-Identifier: MIT */
/*
 * /proc/baton: what Linux has no file for. `integrity` is for root between two attacks (integrity.h); it has two
 * lines, and neither tells an address:
 *
 *	kernel HASH	of the kernel's text and read-only data, the same until the machine stops
 *	locks N free	or `locks NAME held`
 */
#include "files/procfs.h"
#include "audit.h"
#include "integrity.h"

static int show_integrity(struct proc_file *file, struct text *out)
{
	const char *held;
	unsigned count = integrity_locks(&held);

	text_add(out, "kernel %016lx\n", integrity_hash());
	if (held)
		text_add(out, "locks %s held\n", held);
	else
		text_add(out, "locks %u free\n", count);
	file->cursor = PROC_END;
	return 0;
}

/* Writing anything has the kernel look itself over: it panics if something is not as it must be. */
static ssize_t store_audit(struct proc_inode *inode, char *text, size_t size)
{
	int error;

	(void)inode;
	(void)text;
	error = audit_all();
	return error ? error : (ssize_t)size;
}

static int show_audit(struct proc_file *file, struct text *out)
{
	struct audit_counts counts;

	audit_last(&counts);
	text_add(out, "audits %lu\n", counts.audits);
	file->cursor = PROC_END;
	return 0;
}

const struct proc_entry proc_baton_entries[] = {
	{"audit", S_IFREG | 0600, .show = show_audit, .store = store_audit},
	{"integrity", S_IFREG | 0400, .show = show_integrity},
	{.name = NULL},
};
