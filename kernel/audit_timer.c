/* SPDX-License-Identifier: MIT */
/*
 * The audit every N timer interrupts (audit=N), in debug builds.
 *
 * A timer interrupt may find its CPU anywhere, so it only counts, over all CPUs, and hands the audit to a kernel thread
 * when N are over. One that comes due while the last is still to be done is left out. What is broken is a panic
 * (audit.c).
 */
#include "audit.h"

#include "lib/log.h"
#include "process/work.h"

static void audit_now(struct work *work);

static struct work_queue auditor;
static struct work look = WORK_INIT(look, audit_now);
static uint32_t every; /* 0: never; written before there are other CPUs' interrupts to see it */
static uint32_t interrupts, done; /* atomic */

static void audit_now(struct work *work)
{
	(void)work;
	if (!audit_all()) /* or there is no memory for it: the next time */
		__atomic_add_fetch(&done, 1, __ATOMIC_RELAXED);
}

void audit_start(uint32_t n)
{
	if (!n)
		return;
	if (work_queue_start(&auditor, "auditor"))
		panic("audit=%u: no memory for its thread", n);
	__atomic_store_n(&every, n, __ATOMIC_RELEASE);
	log_info("audit: every %u timer interrupts", n);
}

void audit_timer_interrupt(void)
{
	uint32_t n = __atomic_load_n(&every, __ATOMIC_ACQUIRE);

	if (n && __atomic_add_fetch(&interrupts, 1, __ATOMIC_RELAXED) % n == 0)
		work_queue_add(&auditor, &look);
}

void audit_report(void)
{
	if (every)
		log_info("audit: %u times, every %u of %u timer interrupts",
			__atomic_load_n(&done, __ATOMIC_RELAXED), every,
			__atomic_load_n(&interrupts, __ATOMIC_RELAXED));
}
