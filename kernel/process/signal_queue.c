/* SPDX-License-Identifier: MIT */
/*
 * Signals that wait: sets and queues.
 *
 * A queue is a set of numbers and a list of entries with their siginfo, oldest first. Standard
 * signals (1 to 31) have at most one entry each; of real-time signals each one sent has its own, and
 * they are taken in the order in which they were sent. Invariant: an entry's number is in the set; a
 * number of the set has no entry only where it was sent without one (SIGKILL, no memory), and what
 * the receiver then learns is SI_USER from nobody, as on Linux.
 *
 * A standard signal that no limit keeps back uses its process's slot, when that is free, and no memory.
 * The other entries count against RLIMIT_SIGPENDING of the receiver's real user: one struct signal_account a
 * user, which exists while its count is not 0 (root's is static). Locks: process_lock for all of it.
 */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/radix.h"
#include "memory/slab.h"
#include "process/signal.h"

#define FAULT_SIGNALS                                                                          \
	(SIGNAL_BIT(SIGSEGV) | SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGTRAP) | \
		SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSYS))

struct signal_account {
	uint32_t uid;
	uint64_t count; /* entries */
};

static struct cache entries = CACHE_INIT("signal", sizeof(struct signal_entry), 0);
static struct signal_account root_account;
static struct radix accounts guarded_by(process_lock); /* uid -> account, but root's */

void signal_queue_init(struct signal_queue *queue)
{
	queue->set = 0;
	list_init(&queue->entries);
}

void signal_queue_add(struct signal_queue *queue, struct signal_entry *entry)
{
	list_push_back(&queue->entries, &entry->link);
	queue->set |= SIGNAL_BIT(entry->info.number);
}

int signal_queue_next(const struct signal_queue *queue, uint64_t blocked)
{
	uint64_t ready = queue->set & ~blocked;

	if (ready & FAULT_SIGNALS)
		ready &= FAULT_SIGNALS;
	return ready ? __builtin_ctzl(ready) + 1 : 0;
}

/* The first entry of this number, from `at` on; NULL: none. */
static struct signal_entry *find(const struct signal_queue *queue, struct list *at, int signal)
{
	for (; at != &queue->entries; at = at->next) {
		struct signal_entry *entry = list_entry(at, struct signal_entry, link);

		if (entry->info.number == signal)
			return entry;
	}
	return NULL;
}

void signal_queue_take(struct signal_queue *queue, int signal, struct signal_info *info)
{
	struct signal_entry *entry = find(queue, queue->entries.next, signal);

	if (unlikely(!entry)) {
		queue->set &= ~SIGNAL_BIT(signal);
		*info = (struct signal_info){.number = signal, .code = SI_USER};
		return;
	}
	if (signal < SIGRTMIN || !find(queue, entry->link.next, signal))
		queue->set &= ~SIGNAL_BIT(signal);
	list_remove(&entry->link);
	if (unlikely(entry->taken))
		entry->taken(entry);
	*info = entry->info;
	if (!entry->taken)
		signal_entry_free(entry);
}

void signal_queue_discard(struct signal_queue *queue, uint64_t set)
{
	struct signal_entry *entry, *next;

	if (!(queue->set & set))
		return;
	queue->set &= ~set;
	list_for_each_safe(entry, next, &queue->entries, link)
	{
		if (!(SIGNAL_BIT(entry->info.number) & set))
			continue;
		list_remove(&entry->link);
		if (!entry->taken)
			signal_entry_free(entry);
	}
}

/* ---- Entries and their accounts ---- */

static struct signal_account *account_of(uint32_t uid) requires(process_lock)
{
	struct signal_account *account;

	if (!uid)
		return &root_account;
	account = radix_get(&accounts, uid);
	if (account)
		return account;
	account = kzalloc(sizeof(*account));
	if (!account)
		return NULL;
	account->uid = uid;
	if (radix_put(&accounts, uid, account)) {
		kfree(account);
		return NULL;
	}
	return account;
}

static void account_release(struct signal_account *account) requires(process_lock)
{
	if (account->count || account == &root_account)
		return;
	radix_remove(&accounts, account->uid);
	kfree(account);
}

struct signal_entry *signal_entry_alloc(uint32_t uid, uint64_t limit)
{
	struct signal_account *account = account_of(uid);
	struct signal_entry *entry = NULL;

	if (!account)
		return NULL;
	if (account->count < limit)
		entry = cache_alloc(&entries);
	if (!entry) {
		account_release(account);
		return NULL;
	}
	list_init(&entry->link);
	entry->account = account;
	account->count++;
	return entry;
}

void signal_entry_free(struct signal_entry *entry)
{
	if (likely(!entry->account)) /* a process's slot, which is free by being on no queue */
		return;
	entry->account->count--;
	account_release(entry->account);
	cache_free(&entries, entry);
}

uint64_t signal_entries_of(uint32_t uid)
{
	struct signal_account *account = uid ? radix_get(&accounts, uid) : &root_account;

	return account ? account->count : 0;
}
