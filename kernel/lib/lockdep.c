/* SPDX-License-Identifier: MIT */
/*
 * Checks of spin locks at run time, in debug builds (-Ddebug_kernel=true).
 *
 * Order: a lock belongs to a class: all that were first taken in the same file under the same name (the
 * last member of the expression). Each time a lock is taken under another, the pair of their classes is
 * an edge: "this one before that one". Should the new edge close a circle, two CPUs could wait for each
 * other for ever, whether they do now or not: that is a panic, which names the places of the edge and
 * of the one it contradicts. Two locks of one class are taken by rising address, or by
 * spin_lock_nested, whose caller knows an order.
 *
 * Sleeping: who gives up the CPU, or may, holds no spin lock but the run queue's, which is handed over.
 *
 * Time: how long each class was held at most, and how often longer than the limit; told when the
 * machine stops. It is not an error: an emulated CPU may be stopped in between.
 *
 * What a CPU holds is a stack of its own, reached with interrupts off. The edges are guarded by a lock
 * that is not checked itself; a known edge is seen without it. The checks begin when this_cpu() works.
 */
#include "arch/arch.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/string.h"
#include "process/cpu.h"

#define CLASSES_MAX 192u
#define HELD_MAX    12u
#define HELD_LIMIT  (NS_PER_SECOND / 20)

struct lock_class {
	const struct lock_site *site;     /* where a lock of it was first taken */
	uint64_t after[CLASSES_MAX / 64]; /* bit n: class n was taken while this was held */
	const struct lock_site *outer[CLASSES_MAX], *inner[CLASSES_MAX]; /* of those edges */
	ns_t longest;
	const struct lock_site *longest_at;
	uint64_t too_long;
};

struct held {
	struct spinlock *lock;
	const struct lock_site *site;
	ns_t since;
};

static struct {
	struct held locks[HELD_MAX];
	unsigned count;
} held[CPUS_MAX];

static struct lock_class classes[CLASSES_MAX];
static unsigned class_count;
static uint32_t table_lock; /* edges and classes */
static bool started, failed;

static void take_table(void)
{
	while (__atomic_exchange_n(&table_lock, 1, __ATOMIC_ACQUIRE))
		arch_pause();
}

static void give_table(void)
{
	__atomic_store_n(&table_lock, 0, __ATOMIC_RELEASE);
}

static bool is_on(void)
{
	return __atomic_load_n(&started, __ATOMIC_RELAXED) &&
	       !__atomic_load_n(&failed, __ATOMIC_RELAXED);
}

/* A panic takes locks itself, in whatever order. */
static void stop_checks(void)
{
	__atomic_store_n(&failed, true, __ATOMIC_RELAXED);
	give_table();
}

static unsigned index_of(const struct lock_class *class)
{
	return (unsigned)(class - classes);
}

static bool has_edge(const struct lock_class *from, unsigned to)
{
	return __atomic_load_n(&from->after[to / 64], __ATOMIC_RELAXED) >> to % 64 & 1;
}

/* "lock" of "a < b ? &a->lock : &b->lock". */
static const char *name_of(const struct lock_site *site)
{
	const char *name = site->what;

	for (const char *at = name; *at; at++) {
		if (*at == '.' || *at == '>')
			name = at + 1;
	}
	return name;
}

static struct lock_class *class_of(struct spinlock *lock, const struct lock_site *site)
{
	struct lock_class *class = NULL;

	if (lock->class)
		return lock->class;
	take_table();
	for (unsigned i = 0; i < class_count && !class; i++) {
		if (!strcmp(classes[i].site->file, site->file) &&
			!strcmp(name_of(classes[i].site), name_of(site)))
			class = &classes[i];
	}
	if (!class) {
		if (class_count == CLASSES_MAX) {
			stop_checks();
			log_warn("lockdep: more than %u classes of locks: no more checks",
				CLASSES_MAX);
			return NULL;
		}
		class = &classes[class_count++];
		class->site = site;
	}
	lock->class = class;
	give_table();
	return class;
}

/* Which class, taken under `from` by whatever way, was taken right before `to`; NULL: there is no way. */
static struct lock_class *way(struct lock_class *from, struct lock_class *to)
{
	static uint8_t state[CLASSES_MAX]; /* 1: to be looked at, 2: done */
	bool more = true;

	memset(state, 0, sizeof(state));
	state[index_of(from)] = 1;
	while (more) {
		more = false;
		for (unsigned i = 0; i < class_count; i++) {
			if (state[i] != 1)
				continue;
			if (has_edge(&classes[i], index_of(to)))
				return &classes[i];
			state[i] = 2;
			for (unsigned n = 0; n < class_count; n++) {
				if (!state[n] && has_edge(&classes[i], n)) {
					state[n] = 1;
					more = true;
				}
			}
		}
	}
	return NULL;
}

static void add_edge(
	const struct held *outer, struct lock_class *class, const struct lock_site *site)
{
	struct lock_class *from = outer->lock->class, *before;
	unsigned to = index_of(class);

	take_table();
	before = way(class, from);
	if (before) {
		const struct lock_site *a = before->outer[index_of(from)],
				       *b = before->inner[index_of(from)];

		stop_checks();
		panic("lock order: %s (%s:%d) is taken under %s (%s:%d), but %s (%s:%d) was taken "
		      "under %s (%s:%d)",
			site->what, site->file, site->line, outer->site->what, outer->site->file,
			outer->site->line, b->what, b->file, b->line, a->what, a->file, a->line);
	}
	from->outer[to] = outer->site;
	from->inner[to] = site;
	__atomic_or_fetch(&from->after[to / 64], UINT64_C(1) << to % 64, __ATOMIC_RELEASE);
	give_table();
}

void lock_check_order(struct spinlock *lock, const struct lock_site *site, bool nested)
{
	struct lock_class *class;
	unsigned cpu;

	if (!is_on())
		return;
	class = class_of(lock, site);
	cpu = this_cpu()->index;
	for (unsigned i = 0; class && i < held[cpu].count; i++) {
		const struct held *outer = &held[cpu].locks[i];

		if (outer->lock == lock) {
			stop_checks();
			panic("%s (%s:%d) is held already, since %s:%d", site->what, site->file,
				site->line, outer->site->file, outer->site->line);
		}
		if (!outer->lock->class)
			continue;
		if (outer->lock->class == class) {
			if (nested || lock > outer->lock)
				continue;
			stop_checks();
			panic("%s (%s:%d) is taken under another of its class (%s:%d), against "
			      "the order of their addresses",
				site->what, site->file, site->line, outer->site->file,
				outer->site->line);
		}
		if (!has_edge(outer->lock->class, index_of(class)))
			add_edge(outer, class, site);
	}
}

void lock_check_taken(struct spinlock *lock, const struct lock_site *site)
{
	unsigned cpu;

	if (!is_on())
		return;
	cpu = this_cpu()->index;
	assert(held[cpu].count < HELD_MAX);
	held[cpu].locks[held[cpu].count++] = (struct held){lock, site, arch_clock()};
}

static void note_time(const struct held *lock)
{
	struct lock_class *class = lock->lock->class;
	ns_t time = arch_clock() - lock->since;

	if (!class)
		return;
	if (time > HELD_LIMIT)
		__atomic_add_fetch(&class->too_long, 1, __ATOMIC_RELAXED);
	if (time > class->longest) {
		class->longest = time;
		class->longest_at = lock->site;
	}
}

void lock_check_released(struct spinlock *lock)
{
	unsigned cpu, i;

	if (!is_on())
		return;
	cpu = this_cpu()->index;
	for (i = held[cpu].count; i > 0 && held[cpu].locks[i - 1].lock != lock; i--)
		;
	if (!i)
		return; /* taken before the checks began */
	note_time(&held[cpu].locks[i - 1]);
	held[cpu].count--;
	for (i--; i < held[cpu].count; i++)
		held[cpu].locks[i] = held[cpu].locks[i + 1];
}

void lock_check_may_sleep(void)
{
	uint32_t interrupts;
	unsigned cpu;

	if (!is_on())
		return;
	interrupts = arch_irq_save();
	cpu = this_cpu()->index;
	if (held[cpu].count) {
		const struct lock_site *site = held[cpu].locks[held[cpu].count - 1].site;

		stop_checks();
		panic("the running thread may sleep under %s, held since %s:%d", site->what,
			site->file, site->line);
	}
	arch_irq_restore(interrupts);
}

void lock_check_start(void)
{
	__atomic_store_n(&started, true, __ATOMIC_RELAXED);
	log_info("lockdep: lock order, sleeping and times held are checked");
}

void lock_check_report(void)
{
	unsigned edges = 0;

	for (unsigned i = 0; i < class_count; i++) {
		const struct lock_class *class = &classes[i];

		for (unsigned n = 0; n < class_count; n++)
			edges += has_edge(class, n);
		if (class->too_long)
			log_info("lockdep: %s (%s:%d): held for %lu us at most, %lu times for more "
				 "than %lu ms",
				class->site->what, class->longest_at->file, class->longest_at->line,
				class->longest / 1000, class->too_long, HELD_LIMIT / 1000000);
	}
	log_info("lockdep: %u classes, %u pairs in order", class_count, edges);
}
