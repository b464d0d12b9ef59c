/* SPDX-License-Identifier: MIT */
/*
 * /proc/baton: what Linux has no file for. `integrity` is for root between two attacks (integrity.h); it has two
 * lines, and neither tells an address:
 *
 *	kernel HASH	of the kernel's text and read-only data, the same until the machine stops
 *	locks N free	or `locks NAME held`
 *
 * `audit` is for root too: writing has the kernel look itself over (audit.h), reading tells what is in use.
 * `mappings` (root's) has what the kernel itself has mapped, a range a line, and at the end whether nothing of it is
 * both writable and executable, or user mode's.
 * `boot` has a line `prompt NS`: when the last output was written before anybody typed, in nanoseconds since the
 * loader was entered; 0 as long as nobody has.
 */
#include "files/procfs.h"

#include "audit.h"
#include "devices/tty.h"
#include "files/vfs.h"
#include "integrity.h"
#include "lib/symbols.h"
#include "memory/fail.h"
#include "memory/pages.h"
#include "memory/slab.h"

#define MAPPINGS_SHOWN 1u /* a cursor that is no address */

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

/* Pages of processes and files, then objects by cache: who asks twice, with nothing going on, gets the same. */
static void add_uses(struct text *out)
{
	static const struct {
		const char *name;
		enum frame_state state;
	} states[] = {{"anonymous pages", FRAME_ANON}, {"file pages", FRAME_OBJECT},
		{"tables", FRAME_TABLE}, {"stacks", FRAME_STACK}, {"blocks", FRAME_HEAP},
		{"other pages", FRAME_USED}};
	struct slab_numbers cache;
	struct pages_stats stats;

	pages_statistics(&stats);
	/* the table of names keeps what it has grown to once */
	stats.by_state[FRAME_HEAP] -= dentry_table_pages();
	for (size_t i = 0; i < ARRAY_SIZE(states); i++)
		text_add(out, "%s: %lu\n", states[i].name, stats.by_state[states[i].state]);
	for (unsigned i = 0; slab_numbers(i, &cache); i++)
		text_add(out, "%s: %lu\n", cache.name, cache.active);
}

static int show_audit(struct proc_file *file, struct text *out)
{
	struct audit_counts counts;

	audit_last(&counts);
	text_add(out,
		"audits: %lu\nprocesses: %lu\nthreads: %lu\nopen files: %lu\nunexplained: %lu\n",
		counts.audits, counts.processes, counts.threads, counts.open_files,
		counts.unexplained);
	add_uses(out);
	file->cursor = PROC_END;
	return 0;
}

static int show_boot(struct proc_file *file, struct text *out)
{
	text_add(out, "prompt %lu\n", __atomic_load_n(&tty_prompted, __ATOMIC_RELAXED));
	file->cursor = PROC_END;
	return 0;
}

static void add_outcomes(struct text *out, uint64_t address)
{
	struct fail_outcome outcome;

	for (unsigned i = 0; fail_outcome(address, i, &outcome); i++)
		text_add(out, " %d %d %lu\n", outcome.call, outcome.result, outcome.count);
}

/* Where threads with a fail-nth have allocated: function, offset in it, how often, how often it failed; then what came
 * of the failures, indented: the number of the system call and its errno (fail.h), how often. */
static int show_allocations(struct proc_file *file, struct text *out)
{
	struct fail_site site;
	uint32_t within;

	while (fail_site((unsigned)file->cursor, &site)) {
		const char *name = symbol_of(site.address, &within);
		size_t before = out->used;

		text_add(out, "%s+%#x %lu %lu\n", name ? name : "?", name ? within : 0,
			site.reached, site.failed);
		add_outcomes(out, site.address);
		if (out->overflow) {
			if (before) {
				out->used = before;
				out->overflow = false;
			}
			return 0;
		}
		file->cursor++;
	}
	file->cursor = PROC_END;
	return 0;
}

/* ---- A tree of processes whose allocations fail (memory/fail.h) ---- */

static int show_fail_tree(struct proc_file *file, struct text *out)
{
	uint64_t reached, failed;

	fail_tree_counts(&reached, &failed);
	text_add(out, "reached %lu\nfailed %lu\n", reached, failed);
	file->cursor = PROC_END;
	return 0;
}

/* A number and a blank, which become the rest of the text. */
static int take_number(char **text, long *out)
{
	char *end = *text;
	int error;

	while (*end && *end != ' ')
		end++;
	if (!*end)
		return -EINVAL;
	*end = 0;
	error = proc_parse_number(*text, out);
	*text = end + 1;
	return error;
}

/* `PID N ROUND`: that process, which of its tree's allocations fails, or in which round each way to one. `0`: none. */
static ssize_t store_fail_tree(struct proc_inode *inode, char *text, size_t size)
{
	long id, nth, round;
	int error;

	(void)inode;
	if (!proc_parse_number(text, &id) && !id) {
		fail_tree_end();
		return (ssize_t)size;
	}
	error = take_number(&text, &id);
	if (!error)
		error = take_number(&text, &nth);
	if (!error)
		error = proc_parse_number(text, &round);
	if (error || id <= 0 || id > INT32_MAX || nth < 0 || round < 0 || round > INT32_MAX)
		return error ? error : -EINVAL;
	error = fail_tree_start((int)id, (uint64_t)nth, (uint32_t)round);
	return error ? error : (ssize_t)size;
}

/* A line for each range; when all are shown, whether they are as they must be. */
static int show_mappings(struct proc_file *file, struct text *out)
{
	struct arch_range range;
	const char *broken;
	struct arch_mappings mappings;

	if (file->cursor != MAPPINGS_SHOWN &&
		arch_kernel_range(file->cursor ? file->cursor : KERNEL_HALF, &range)) {
		text_add(out, "%016lx-%016lx r%c%c%c%s\n", range.start, range.start + range.size,
			range.write ? 'w' : '-', range.execute ? 'x' : '-', range.user ? 'u' : 'k',
			range.uncached ? " device" : "");
		file->cursor = range.start + range.size;
		if (!file->cursor)
			file->cursor = MAPPINGS_SHOWN;
		return 0;
	}
	broken = arch_mappings_audit(&mappings);
	if (broken)
		text_add(out, "broken: %s, at %016lx\n", broken, mappings.broken_at);
	else
		text_add(out, "ok\n");
	file->cursor = PROC_END;
	return 0;
}

const struct proc_entry proc_baton_entries[] = {
	{"allocations", S_IFREG | 0400, .show = show_allocations},
	{"audit", S_IFREG | 0600, .show = show_audit, .store = store_audit},
	{"boot", S_IFREG | 0444, .show = show_boot},
	{"fail-tree", S_IFREG | 0600, .show = show_fail_tree, .store = store_fail_tree},
	{"frames", S_IFREG | 0400, .operations = &proc_frames_operations},
	{"integrity", S_IFREG | 0400, .show = show_integrity},
	{"mappings", S_IFREG | 0400, .show = show_mappings},
	{.name = NULL},
};
