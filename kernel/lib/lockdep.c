/* SPDX-License-Identifier: MIT */
/*
 * Checks of locks at run time, in debug builds (-Ddebug_kernel=true).
 *
 * Order: a lock belongs to a class. Those that were made with a name (spin_init, mutex_init) are of the
 * class of that name; the others of a class for the file and the expression by which each was first
 * taken. Each time a lock is taken under another, the pair of their classes is an edge: "this one
 * before that one". Should the new edge close a circle, two CPUs could wait for each other for ever,
 * whether they do now or not: that is a panic, which names the places of the edge and of the one it
 * contradicts. Two locks of one class are taken by rising address, or by spin_lock_nested, whose caller
 * knows an order. Mutexes have the same among themselves, by what the running thread holds.
 *
 * Sleeping: who gives up the CPU, or may, as by taking a mutex, holds no spin lock but the run queue's,
 * which is handed over. So no mutex comes after a spin lock, and pairs of the two kinds need no edges.
 * A thread that goes to user mode or ends holds no mutex.
 *
 * Time: how long each class of spin locks was held at most, and how long interrupts were off, by the
 * machine's clock. lock_limit_us= makes longer ones a panic: that is for machines whose clock counts
 * instructions (QEMU's -icount), since an emulated CPU may otherwise be stopped in between. Without it
 * the longest times are told when the machine stops, with all edges. What a CPU waits for the lock
 * counts among interrupts that are off, as it should.
 *
 * What a CPU holds is a stack of its own, reached with interrupts off; what a thread holds is in the
 * thread. The edges are guarded by a lock that is not checked itself; a known edge is seen without it.
 * The checks begin when this_cpu() works, and end with the first that fails: a panic takes locks
 * itself, in whatever order.
 */
#include "arch/arch.h"
#include "lib/lock.h"
#include "lib/log.h"
#include "lib/string.h"
#include "lib/symbols.h"
#include "process/cpu.h"
#include "process/mutex.h"
#include "process/process.h"

#define CLASSES_MAX 192u
#define HELD_MAX    12u

struct lock_class {
	const char *name;                 /* by spin_init, mutex_init; else NULL, and by site */
	const struct lock_site *site;     /* where a lock of it was first taken */
	uint64_t after[CLASSES_MAX / 64]; /* bit n: class n was taken while this was held */
	const struct lock_site *outer[CLASSES_MAX], *inner[CLASSES_MAX]; /* of those edges */
	ns_t longest;                                                    /* held */
	const struct lock_site *longest_at;
};

struct held {
	struct spinlock *lock;
	const struct lock_site *site;
	ns_t since;
};

static struct {
	struct held locks[HELD_MAX];
	unsigned count;
	ns_t off_since; /* 0: interrupts are on, or were off before the checks began */
	ns_t longest_off;
	ns_t excused;                  /* of all time so far: see lock_check_excuse */
	virt_t off_at, longest_off_at; /* by whom they were turned off */
} held[CPUS_MAX];

static struct lock_class classes[CLASSES_MAX];
static unsigned class_count;
static uint32_t table_lock; /* edges and classes */
static bool started, failed;
static ns_t time_limit; /* 0: none */

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
static const char *last_name(const struct lock_site *site)
{
	const char *name = site->what;

	for (const char *at = name; *at; at++) {
		if (*at == '.' || *at == '>')
			name = at + 1;
	}
	return name;
}

/* What docs/locks.md calls it. */
static const char *class_name(const struct lock_class *class)
{
	if (class->name)
		return class->name;
	return class->site->what + (class->site->what[0] == '&');
}

static bool is_of_class(
	const struct lock_class *class, const char *name, const struct lock_site *site)
{
	if (name || class->name)
		return name && class->name && !strcmp(name, class->name);
	return !strcmp(class->site->file, site->file) &&
	       !strcmp(last_name(class->site), last_name(site));
}

static struct lock_class *class_of(struct lock_identity *lock, const struct lock_site *site)
{
	struct lock_class *class = NULL;

	if (lock->class)
		return lock->class;
	take_table();
	for (unsigned i = 0; i < class_count && !class; i++) {
		if (is_of_class(&classes[i], lock->name, site))
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
		class->name = lock->name;
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

static void add_edge(struct lock_class *from, const struct lock_site *outer,
	struct lock_class *class, const struct lock_site *site)
{
	struct lock_class *before;
	unsigned to = index_of(class);

	take_table();
	before = way(class, from);
	if (before) {
		const struct lock_site *a = before->outer[index_of(from)],
				       *b = before->inner[index_of(from)];

		stop_checks();
		panic("lock order: %s (%s:%d) is taken under %s (%s:%d), but %s (%s:%d) was taken "
		      "under %s (%s:%d)",
			site->what, site->file, site->line, outer->what, outer->file, outer->line,
			b->what, b->file, b->line, a->what, a->file, a->line);
	}
	from->outer[to] = outer;
	from->inner[to] = site;
	__atomic_or_fetch(&from->after[to / 64], UINT64_C(1) << to % 64, __ATOMIC_RELEASE);
	give_table();
}

/* One is held, another about to be taken: both spin locks, or both mutexes. */
static void check_pair(const void *outer, struct lock_class *from,
	const struct lock_site *outer_site, const void *inner, struct lock_class *class,
	const struct lock_site *site, bool nested)
{
	if (outer == inner) {
		stop_checks();
		panic("%s (%s:%d) is held already, since %s:%d", site->what, site->file, site->line,
			outer_site->file, outer_site->line);
	}
	if (from == class) {
		if (nested || (uintptr_t)inner > (uintptr_t)outer)
			return;
		stop_checks();
		panic("%s (%s:%d) is taken under another of its class (%s:%d), against the order "
		      "of their addresses",
			site->what, site->file, site->line, outer_site->file, outer_site->line);
	}
	if (!has_edge(from, index_of(class)))
		add_edge(from, outer_site, class, site);
}

void lock_check_order(struct spinlock *lock, const struct lock_site *site, bool nested)
{
	struct lock_class *class;
	unsigned cpu;

	if (!is_on())
		return;
	class = class_of(&lock->identity, site);
	cpu = this_cpu()->index;
	for (unsigned i = 0; class && i < held[cpu].count; i++) {
		const struct held *outer = &held[cpu].locks[i];

		if (outer->lock->identity.class)
			check_pair(outer->lock, outer->lock->identity.class, outer->site, lock,
				class, site, nested);
	}
}

/* The machine's clock without the time that was spent waiting for a device's other end. */
static ns_t clock_of(unsigned cpu)
{
	return arch_clock() - held[cpu].excused;
}

void lock_check_excuse(ns_t time)
{
	if (is_on())
		held[this_cpu()->index].excused += time;
}

void lock_check_taken(struct spinlock *lock, const struct lock_site *site)
{
	unsigned cpu;

	if (!is_on())
		return;
	cpu = this_cpu()->index;
	assert(held[cpu].count < HELD_MAX);
	held[cpu].locks[held[cpu].count++] = (struct held){lock, site, clock_of(cpu)};
}

static void check_held_time(const struct held *lock)
{
	struct lock_class *class = lock->lock->identity.class;
	ns_t time = clock_of(this_cpu()->index) - lock->since;

	if (!class || time <= class->longest)
		return;
	class->longest =
		time; /* two CPUs at once: one of the two stays, the next longer one comes */
	class->longest_at = lock->site;
	if (time_limit && time > time_limit) {
		__atomic_store_n(&failed, true, __ATOMIC_RELAXED);
		panic("%s was held for %lu us since %s:%d, the limit is %lu us", class_name(class),
			time / 1000, lock->site->file, lock->site->line, time_limit / 1000);
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
	check_held_time(&held[cpu].locks[i - 1]);
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

/* ---- Mutexes ---- */

void lock_check_mutex(struct mutex *mutex, const struct lock_site *site, bool nested)
{
	const struct mutexes_held *mine;
	struct lock_class *class;

	if (!is_on())
		return;
	lock_check_may_sleep();
	mine = &current_thread()->mutexes_held;
	class = class_of(&mutex->identity, site);
	for (unsigned i = 0; class && i < mine->count; i++) {
		struct lock_class *outer = mine->at[i].mutex->identity.class;

		if (outer)
			check_pair(mine->at[i].mutex, outer, mine->at[i].site, mutex, class, site,
				nested);
	}
}

void lock_check_mutex_taken(struct mutex *mutex, const struct lock_site *site)
{
	struct mutexes_held *mine;

	if (!is_on())
		return;
	mine = &current_thread()->mutexes_held;
	assert(mine->count < MUTEXES_HELD_MAX);
	mine->at[mine->count].mutex = mutex;
	mine->at[mine->count++].site = site;
}

void lock_check_mutex_released(struct mutex *mutex)
{
	struct mutexes_held *mine;
	unsigned i;

	if (!is_on())
		return;
	mine = &current_thread()->mutexes_held;
	for (i = mine->count; i > 0 && mine->at[i - 1].mutex != mutex; i--)
		;
	if (!i)
		return; /* taken before the checks began */
	for (mine->count--, i--; i < mine->count; i++)
		mine->at[i] = mine->at[i + 1];
}

void lock_check_no_mutex(void)
{
	const struct mutexes_held *mine;

	if (!is_on())
		return;
	mine = &current_thread()->mutexes_held;
	if (mine->count) {
		const struct lock_site *site = mine->at[mine->count - 1].site;

		__atomic_store_n(&failed, true, __ATOMIC_RELAXED);
		panic("the running thread leaves the kernel with %s, held since %s:%d", site->what,
			site->file, site->line);
	}
}

/* ---- Interrupts ---- */

void lock_check_irqs_off(void)
{
	unsigned cpu;

	if (!is_on())
		return;
	cpu = this_cpu()->index;
	held[cpu].off_since = clock_of(cpu);
	held[cpu].off_at = (virt_t)__builtin_return_address(0);
}

void lock_check_irqs_on(void)
{
	const char *name;
	uint32_t within = 0;
	unsigned cpu;
	ns_t time;

	if (!is_on())
		return;
	cpu = this_cpu()->index;
	if (!held[cpu].off_since)
		return;
	time = clock_of(cpu) - held[cpu].off_since;
	held[cpu].off_since = 0;
	if (time <= held[cpu].longest_off)
		return;
	held[cpu].longest_off = time;
	held[cpu].longest_off_at = held[cpu].off_at;
	if (time_limit && time > time_limit) {
		__atomic_store_n(&failed, true, __ATOMIC_RELAXED);
		name = symbol_of(held[cpu].off_at, &within);
		panic("interrupts were off for %lu us since %s+%#x, the limit is %lu us",
			time / 1000, name ? name : "?", within, time_limit / 1000);
	}
}

/* ---- Start and report ---- */

void lock_check_start(ns_t limit)
{
	time_limit = limit;
	__atomic_store_n(&started, true, __ATOMIC_RELAXED);
	log_info("lockdep: lock order, sleeping and times held are checked");
}

static unsigned report_orders(void)
{
	unsigned edges = 0;

	for (unsigned i = 0; i < class_count; i++) {
		for (unsigned n = 0; n < class_count; n++) {
			if (!has_edge(&classes[i], n))
				continue;
			edges++;
			log_info("lockdep: %s before %s", class_name(&classes[i]),
				class_name(&classes[n]));
		}
	}
	return edges;
}

static void report_times(void)
{
	const struct lock_class *longest = NULL;
	const char *name;
	uint32_t within = 0;
	unsigned cpu = 0;

	for (unsigned i = 0; i < class_count; i++) {
		if (!longest || classes[i].longest > longest->longest)
			longest = &classes[i];
	}
	for (unsigned i = 1; i < CPUS_MAX; i++) {
		if (held[i].longest_off > held[cpu].longest_off)
			cpu = i;
	}
	if (longest && longest->longest_at)
		log_info("lockdep: held longest: %s, %lu us (%s:%d)", class_name(longest),
			longest->longest / 1000, longest->longest_at->file,
			longest->longest_at->line);
	name = symbol_of(held[cpu].longest_off_at, &within);
	log_info("lockdep: interrupts off longest: %lu us (%s+%#x)", held[cpu].longest_off / 1000,
		name ? name : "?", within);
}

void lock_check_report(void)
{
	unsigned edges = report_orders();

	report_times();
	log_info("lockdep: %u classes, %u pairs in order", class_count, edges);
}
