/* SPDX-License-Identifier: MIT */
/*
 * What an attack must not have changed, for /proc/baton/integrity (docs/isolation.md), which root
 * reads between two attacks.
 *
 * The hash goes over all that is mapped read-only of the kernel's image: text and read-only data. The
 * loader has relocated that, so its bytes tell where the kernel lies: the hash is keyed with random
 * words that never leave the kernel, and so is another one at each boot. Each step folds the 128-bit
 * product of state and key, so that a word changed anywhere changes the result but by chance, 1 in 2^63. It
 * is no defence against who can choose the words: who can write there has won already.
 *
 * A lock whose holder has left the kernel stays held for ever, so one that is seen free once is fine. They are
 * looked at and not taken: a broken one must not take the reader along.
 */
#include "integrity.h"

#include "devices/random.h"
#include "devices/vt.h"
#include "files/vfs.h"
#include "ipc/ipc.h"
#include "lib/lock.h"
#include "memory/pages_internal.h"
#include "memory/slab_internal.h"
#include "process/cpu.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"

#define WORDS_AT_ONCE 8192u
/* Who holds it may be a virtual CPU that its host has put aside. */
#define LOCK_PATIENCE (5 * NS_PER_SECOND)

/* kernel.ld: the image begins with its text, and its symbols are the last of what is read-only. */
extern const uint64_t kernel_image_start[], kernel_symbols_end[];

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static const uint64_t *key(void)
{
	static uint64_t words[2];
	uint64_t drawn, none = 0;

	for (unsigned i = 0; i < 2; i++) {
		drawn = random_u64() | 1;
		__atomic_compare_exchange_n(
			&words[i], &none, drawn, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
		none = 0;
	}
	return words;
}

uint64_t integrity_hash(void)
{
	const uint64_t *words = key(), *at = kernel_image_start, *end;
	uint64_t hash = words[1];

	while (at < kernel_symbols_end) {
		end = at + WORDS_AT_ONCE;
		for (; at < end && at < kernel_symbols_end; at++)
			hash = fold(hash ^ *at ^ words[0], words[1]) + 1;
		sched_point();
	}
	return fold(hash ^ words[0], words[1]);
}

/* ---- Locks ---- */

static bool is_free(const struct spinlock *lock)
{
	ns_t until = arch_clock() + LOCK_PATIENCE;

	while (__atomic_load_n(&lock->held, __ATOMIC_RELAXED)) {
		if (arch_clock() > until)
			return false;
		arch_pause();
	}
	return true;
}

static const struct {
	const char *name;
	const struct spinlock *lock;
} shared[] = {
	{"process_lock", &process_lock},
	{"pages_lock", &pages_lock},
	{"caches_lock", &caches_lock},
	{"dentry_lock", &dentry_lock},
	{"mount_lock", &mount_lock},
	{"ipc_lock", &ipc_lock},
	{"vt_lock", &vt_lock},
};

const char *integrity_lock_name(const struct spinlock *lock)
{
	for (unsigned i = 0; i < ARRAY_SIZE(shared); i++) {
		if (shared[i].lock == lock)
			return shared[i].name;
	}
	for (unsigned i = 0; i < cpu_count; i++) {
		if (lock == &cpus[i]->queue.lock)
			return "queue.lock of a CPU";
		if (lock == &cpus[i]->timer_lock)
			return "timer_lock of a CPU";
	}
	return NULL;
}

unsigned integrity_locks(const char **held)
{
	unsigned looked_at = 0;

	*held = NULL;
	for (unsigned i = 0; i < ARRAY_SIZE(shared); i++, looked_at++) {
		if (!is_free(shared[i].lock)) {
			*held = shared[i].name;
			return looked_at;
		}
	}
	for (unsigned i = 0; i < cpu_count; i++, looked_at += 2) {
		if (!is_free(&cpus[i]->queue.lock) || !is_free(&cpus[i]->timer_lock)) {
			*held = "a CPU's queue.lock or timer_lock";
			return looked_at;
		}
	}
	return looked_at;
}
