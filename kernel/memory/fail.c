/* SPDX-License-Identifier: MIT */
/*
 * Failing allocations, as Linux's fault injection has them (Documentation/fault-injection): a number N written to
 * /proc/self/task/TID/fail-nth makes that thread's Nth allocation from then on fail, of an object or of pages. It reads
 * as what is left, 0 once it has happened. exec keeps it, a child does not inherit it.
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

#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/lock.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "process/process.h"

#define SITES    2048u /* a power of two, of which a quarter stays free */
#define OUTCOMES 1024u

static struct spinlock sites_lock = SPINLOCK_INIT;
static struct fail_site *sites guarded_by(sites_lock); /* by address; NULL: nobody ever asked */
static unsigned site_count guarded_by(sites_lock);
static struct fail_outcome *outcomes guarded_by(sites_lock); /* as they came */
static unsigned outcome_count guarded_by(sites_lock);

static void count(uint64_t address, bool failed)
{
	uint64_t at = address * UINT64_C(0x9e3779b97f4a7c15) >> 40;

	spin_lock(&sites_lock);
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
	spin_unlock(&sites_lock);
}

/* alloc_fail_hook. */
static bool fails(const void *site)
{
	struct thread *self = current_thread();
	uint32_t n = __atomic_load_n(&self->fail_nth, __ATOMIC_RELAXED);

	do {
		if (!n)
			return false;
	} while (!__atomic_compare_exchange_n(
		&self->fail_nth, &n, n - 1, false, __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	if (n == 1) {
		__atomic_sub_fetch(&alloc_fail_armed, 1, __ATOMIC_RELAXED);
		self->failed_at = (uintptr_t)site;
		__atomic_or_fetch(&self->work, WORK_FAILED, __ATOMIC_RELAXED);
	}
	count((uintptr_t)site, n == 1);
	return n == 1;
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
	if (number < 0)
		count_outcome(self->failed_at, FAIL_NO_CALL, 0);
	else
		count_outcome(self->failed_at, (int32_t)number,
			result < 0 && result >= -4095 ? (int32_t)result : 0);
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

	if (!table || !list) {
		kfree(table);
		kfree(list);
		return -ENOMEM;
	}
	spin_lock(&sites_lock);
	if (!sites) {
		sites = table;
		outcomes = list;
		table = NULL;
		list = NULL;
	}
	spin_unlock(&sites_lock);
	kfree(table);
	kfree(list);
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
