/* SPDX-License-Identifier: MIT */
/*
 * Failing allocations, as Linux's fault injection has them (Documentation/fault-injection): a number N written to
 * /proc/self/task/TID/fail-nth makes that thread's Nth allocation from then on fail, of an object or of pages. It reads
 * as what is left, 0 once it has happened. exec keeps it, a child does not inherit it.
 *
 * A whole tree of processes is followed beside that, one at a time: a process named in /proc/baton/fail-tree and all
 * that it makes from then on have one count, and the Nth of it fails; or each way to an allocation fails the first time
 * it is gone. A way is all return addresses from the allocator to the entry of the kernel: one place in the code is reached by
 * many calls, and each has an error path of its own. The ways are remembered by their hashes with the round in which
 * they failed, so that a tree may be started again and fail elsewhere. Threads of the tree have its number,
 * which they inherit; a new tree has a new one.
 *
 * The allocators ask at their entrances (ALLOC_FAILS, pages.h): one look at a word that is 0 as long as no thread has
 * a number. Where a thread with one allocates is counted by return address, and so is where one failed: read from
 * /proc/baton/allocations, so that a sweep can say which places it has never seen fail. What came of it, the system call
 * and its errno or the thread's end, is counted there too, so that the sweep can judge it: a thread whose
 * allocation has failed gets WORK_FAILED, and tells on its way to user mode, before signals are delivered.
 *
 * Locks: sites_lock, a leaf, since allocators are entered with other locks held. What interrupts allocate counts
 * as the interrupted thread's.
 */
#include "memory/fail.h"

#include <asm/signal.h>

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "process/process.h"

#define SITES    2048u /* a power of two, of which a quarter stays free */
#define OUTCOMES 4096u
#define WAYS     16384u /* likewise a power of two */
#define DEEPEST  24u    /* return addresses of a way */
#define ROUNDS   0xffffu

static struct spinlock sites_lock = SPINLOCK_INIT;
static struct fail_site *sites guarded_by(sites_lock); /* by address; NULL: nobody ever asked */
static unsigned site_count guarded_by(sites_lock);
static struct fail_outcome *outcomes guarded_by(sites_lock); /* as they came */
static unsigned outcome_count guarded_by(sites_lock);

static struct {
	uint32_t number; /* its threads' fail_tree */
	bool any;        /* there is one */
	uint32_t round;  /* each way fails once in it; 0: the nth allocation fails */
	uint64_t nth;
	uint64_t reached, failed;
} tree guarded_by(sites_lock);
static uint64_t *ways guarded_by(sites_lock); /* hashes, with the round below ROUNDS; 0: free */
static unsigned way_count guarded_by(sites_lock);

static void count(uint64_t address, bool failed) requires(sites_lock)
{
	uint64_t at = address * UINT64_C(0x9e3779b97f4a7c15) >> 40;

	while (sites[at % SITES].address != address && sites[at % SITES].address)
		at++;
	if (!sites[at % SITES].address && site_count < SITES / 4 * 3) {
		sites[at % SITES].address = address;
		site_count++;
	}
	if (sites[at % SITES].address) {
		sites[at % SITES].reached++;
		sites[at % SITES].failed += failed;
	}
}

/* How the running thread came to allocate; never 0, and free where the round is kept. */
static uint64_t way_to(uint64_t site)
{
	virt_t trace[DEEPEST];
	unsigned depth = arch_stack_trace(current_thread(), trace, DEEPEST);
	uint64_t hash = site; /* the allocator may do without a frame */

	for (unsigned i = 0; i < depth; i++) {
		hash = (hash ^ trace[i]) * UINT64_C(0x9e3779b97f4a7c15);
		hash ^= hash >> 32;
	}
	return hash | (ROUNDS + 1);
}

/* True: it has not failed in this round yet, and has now. */
static bool fails_in_round(uint64_t way) requires(sites_lock)
{
	uint64_t at = way >> 32;

	way &= ~(uint64_t)ROUNDS;
	while (ways[at % WAYS] && (ways[at % WAYS] & ~(uint64_t)ROUNDS) != way)
		at++;
	if (ways[at % WAYS] == (way | tree.round) ||
		(!ways[at % WAYS] && way_count == WAYS / 4 * 3))
		return false;
	way_count += !ways[at % WAYS];
	ways[at % WAYS] = way | tree.round;
	return true;
}

/* For a thread of the tree. Where one call meets two failures what comes of it is told of the second. */
static bool fails_in_tree(struct thread *self, uint64_t site)
{
	uint64_t way = way_to(site);
	bool failed = false;

	spin_lock(&sites_lock);
	if (tree.any && self->fail_tree == tree.number) {
		tree.reached++;
		if (!tree.round)
			failed = tree.reached == tree.nth;
		else
			failed = fails_in_round(way);
		tree.failed += failed;
		count(site, failed);
	}
	spin_unlock(&sites_lock);
	return failed;
}

static void note_failure(struct thread *self, uint64_t site)
{
	self->failed_at = site;
	__atomic_or_fetch(&self->work, WORK_FAILED, __ATOMIC_RELAXED);
}

/* By the thread's own number. */
static bool fails_by_number(struct thread *self, uint64_t site)
{
	uint32_t n = __atomic_load_n(&self->fail_nth, __ATOMIC_RELAXED);

	do {
		if (!n)
			return false;
	} while (!__atomic_compare_exchange_n(
		&self->fail_nth, &n, n - 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	if (n == 1)
		__atomic_sub_fetch(&alloc_fail_armed, 1, __ATOMIC_RELAXED);
	spin_lock(&sites_lock);
	count(site, n == 1);
	spin_unlock(&sites_lock);
	return n == 1;
}

/* alloc_fail_hook. */
static bool fails(const void *site)
{
	struct thread *self = current_thread();
	bool failed = fails_by_number(self, (uintptr_t)site);

	if (!failed && self->fail_tree)
		failed = fails_in_tree(self, (uintptr_t)site);
	if (failed)
		note_failure(self, (uintptr_t)site);
	return failed;
}

static void set(struct thread *thread, uint32_t n)
{
	uint32_t before = __atomic_exchange_n(&thread->fail_nth, n, __ATOMIC_RELAXED);

	if (n && !before)
		__atomic_add_fetch(&alloc_fail_armed, 1, __ATOMIC_RELAXED);
	else if (!n && before)
		__atomic_sub_fetch(&alloc_fail_armed, 1, __ATOMIC_RELAXED);
}

/* ---- What came of it ---- */

static void count_outcome(uint64_t address, int32_t call, int32_t result)
{
	unsigned i;

	spin_lock(&sites_lock);
	for (i = 0; i < outcome_count; i++)
		if (outcomes[i].address == address && outcomes[i].call == call &&
			outcomes[i].result == result)
			break;
	if (i == outcome_count && outcome_count < OUTCOMES)
		outcomes[outcome_count++] = (struct fail_outcome){address, 0, call, result};
	if (i < outcome_count)
		outcomes[i].count++;
	spin_unlock(&sites_lock);
}

void fail_tell(void)
{
	struct thread *self = current_thread();
	long result, number = arch_syscall_number(self, &result);

	__atomic_and_fetch(&self->work, ~(uint32_t)WORK_FAILED, __ATOMIC_RELAXED);
	if (self->signals.queue.set & SIGNAL_BIT(SIGKILL)) /* it ends here: nobody gets a result */
		count_outcome(self->failed_at, FAIL_NO_CALL, FAIL_ENDED);
	else if (number < 0)
		count_outcome(self->failed_at, FAIL_NO_CALL, 0);
	else
		count_outcome(self->failed_at, (int32_t)number,
			result < 0 && result >= -4095 ? (int32_t)result : 0);
	self->failed_at = 0;
}

void fail_tell_apart(void)
{
	struct thread *self = current_thread();

	if (!self->failed_at)
		return;
	__atomic_and_fetch(&self->work, ~(uint32_t)WORK_FAILED, __ATOMIC_RELAXED);
	count_outcome(self->failed_at, FAIL_NO_CALL, 0);
	self->failed_at = 0;
}

bool fail_outcome(uint64_t address, unsigned nth, struct fail_outcome *out)
{
	bool found = false;

	spin_lock(&sites_lock);
	for (unsigned i = 0; i < outcome_count && !found; i++) {
		if (outcomes[i].address != address || nth-- > 0)
			continue;
		*out = outcomes[i];
		found = true;
	}
	spin_unlock(&sites_lock);
	return found;
}

/* ---- Threads with a number ---- */

static int make_tables(void)
{
	struct fail_site *table = kzalloc(SITES * sizeof(*table));
	struct fail_outcome *list = kzalloc(OUTCOMES * sizeof(*list));
	uint64_t *hashes = kzalloc(WAYS * sizeof(*hashes));
	bool made = table && list && hashes, needed;

	spin_lock(&sites_lock);
	needed = made && !sites;
	if (needed) {
		sites = table;
		outcomes = list;
		ways = hashes;
	}
	spin_unlock(&sites_lock);
	if (!needed) {
		kfree(table);
		kfree(list);
		kfree(hashes);
	}
	if (!made)
		return -ENOMEM;
	__atomic_store_n(&alloc_fail_hook, fails, __ATOMIC_RELEASE);
	return 0;
}

int fail_set_nth(struct thread *thread, uint32_t n)
{
	int error = alloc_fail_hook ? 0 : make_tables();

	if (!error)
		set(thread, n);
	return error;
}

uint32_t fail_nth(const struct thread *thread)
{
	return __atomic_load_n(&thread->fail_nth, __ATOMIC_RELAXED);
}

void fail_forget(struct thread *thread)
{
	if (thread->failed_at)
		count_outcome(thread->failed_at, FAIL_NO_CALL, FAIL_ENDED);
	set(thread, 0);
}

/* ---- A tree of processes ---- */

static void set_tree(uint32_t number, uint64_t nth, uint32_t round)
{
	spin_lock(&sites_lock);
	if (number && !tree.any)
		__atomic_add_fetch(&alloc_fail_armed, 1, __ATOMIC_RELAXED);
	else if (!number && tree.any)
		__atomic_sub_fetch(&alloc_fail_armed, 1, __ATOMIC_RELAXED);
	tree.any = number;
	tree.number = number ? number : tree.number;
	tree.nth = nth;
	tree.round = round;
	tree.reached = tree.failed = 0;
	spin_unlock(&sites_lock);
}

int fail_tree_start(int id, uint64_t nth, uint32_t round)
{
	int error = alloc_fail_hook ? 0 : make_tables();
	struct process *process;
	struct thread *thread;
	static uint32_t last guarded_by(process_lock);

	if (error || round > ROUNDS)
		return error ? error : -EINVAL;
	spin_lock(&process_lock);
	process = process_find(id);
	if (process) {
		last += last + 1 ? 1 : 2; /* never 0 */
		list_for_each(thread, &process->threads, siblings) thread->fail_tree = last;
		set_tree(last, nth, round);
	}
	spin_unlock(&process_lock);
	return process ? 0 : -ESRCH;
}

void fail_tree_end(void)
{
	set_tree(0, 0, 0);
}

void fail_tree_counts(uint64_t *reached, uint64_t *failed)
{
	spin_lock(&sites_lock);
	*reached = tree.reached;
	*failed = tree.failed;
	spin_unlock(&sites_lock);
}

/* ---- What there is to tell ---- */

bool fail_site(unsigned nth, struct fail_site *out)
{
	bool found = false;

	spin_lock(&sites_lock);
	for (unsigned i = 0; sites && i < SITES && !found; i++) {
		if (!sites[i].address || nth-- > 0)
			continue;
		*out = sites[i];
		found = true;
	}
	spin_unlock(&sites_lock);
	return found;
}
