/* SPDX-License-Identifier: MIT */
/*
 * The calls of scheduling: policies, priorities, nice values, affinity, what children inherit, and
 * who may change what. How the CPU is divided is sched_shares.c's. Calls are the kernel's own: musl
 * has none of sched_setscheduler.
 */
#include <sys/resource.h>

#include "cases.h"

#define NORMAL        0
#define FIFO          1
#define RR            2
#define BATCH         3
#define IDLE          5
#define DEADLINE      6
#define RESET_ON_FORK 0x40000000

struct attributes {
	uint32_t size, policy;
	uint64_t flags;
	int32_t nice;
	uint32_t priority;
	uint64_t runtime, deadline, period;
	uint32_t least, most;
};

static long set_policy(pid_t pid, int policy, int priority)
{
	return kernel_call(SYS_sched_setscheduler, pid, policy, &priority);
}

static long policy(pid_t pid)
{
	return kernel_call(SYS_sched_getscheduler, pid);
}

static long set_priority(pid_t pid, int priority)
{
	return kernel_call(SYS_sched_setparam, pid, &priority);
}

static int priority(pid_t pid)
{
	int value = -1;

	WANT_IS(kernel_call(SYS_sched_getparam, pid, &value), 0);
	return value;
}

static long set_nice(int which, int who, int nice)
{
	return kernel_call(SYS_setpriority, which, who, nice);
}

/* As the kernel gives it: 20 - nice. */
static long nice_of(pid_t pid)
{
	long result = kernel_call(SYS_getpriority, PRIO_PROCESS, pid);

	return result < 0 ? result : 20 - result;
}

static long set_limit(int which, unsigned long soft)
{
	struct rlimit limit = {soft, soft};

	return kernel_call(SYS_setrlimit, which, &limit);
}

/* ---- Policies ---- */

static void limits_of_policies(void)
{
	WANT_IS(kernel_call(SYS_sched_get_priority_max, FIFO), 99);
	WANT_IS(kernel_call(SYS_sched_get_priority_max, RR), 99);
	WANT_IS(kernel_call(SYS_sched_get_priority_min, FIFO), 1);
	WANT_IS(kernel_call(SYS_sched_get_priority_min, RR), 1);
	for (int i = 0; i < 3; i++) {
		static const int others[] = {NORMAL, BATCH, IDLE};

		WANT_IS(kernel_call(SYS_sched_get_priority_max, others[i]), 0);
		WANT_IS(kernel_call(SYS_sched_get_priority_min, others[i]), 0);
	}
	WANT_IS(kernel_call(SYS_sched_get_priority_max, DEADLINE), 0);
	WANT_IS(kernel_call(SYS_sched_get_priority_min, DEADLINE), 0);
	WANT_IS(kernel_call(SYS_sched_get_priority_max, 4), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_get_priority_min, -1), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_get_priority_max, 9), -EINVAL);
}

static void policy_default(void)
{
	WANT_IS(policy(0), NORMAL);
	WANT_IS(policy(getpid()), NORMAL);
	WANT_IS(priority(0), 0);
	WANT_IS(nice_of(0), getpriority(PRIO_PROCESS, 0));
}

static void policy_set(void)
{
	static const int policies[] = {BATCH, IDLE, NORMAL};

	for (int i = 0; i < 3; i++) {
		WANT_IS(set_policy(0, policies[i], 0), 0);
		WANT_IS(policy(0), policies[i]);
	}
	WANT_IS(set_policy(0, RR, 3), 0);
	WANT_IS(policy(0), RR);
	WANT_IS(priority(0), 3);
	WANT_IS(set_priority(0, 7), 0);
	WANT_IS(priority(0), 7);
	WANT_IS(set_policy(0, FIFO, 1), 0);
	WANT_IS(policy(0), FIFO);
	WANT_IS(set_policy(0, NORMAL, 0), 0);
	WANT_IS(priority(0), 0);
}

static void policy_of_other(void)
{
	pid_t child = start(just_wait);

	WANT_IS(set_policy(child, FIFO, 5), 0);
	WANT_IS(policy(child), FIFO);
	WANT_IS(priority(child), 5);
	WANT_IS(policy(0), NORMAL);
	WANT_IS(set_policy(child, BATCH, 0), 0);
	WANT_IS(policy(child), BATCH);
	kill(child, SIGKILL);
	WANT_ENDS(child, SIGKILL);
}

static void policy_errors(void)
{
	WANT_IS(set_policy(0, NORMAL, 1), -EINVAL);
	WANT_IS(set_policy(0, BATCH, 1), -EINVAL);
	WANT_IS(set_policy(0, FIFO, 0), -EINVAL);
	WANT_IS(set_policy(0, RR, 100), -EINVAL);
	WANT_IS(set_policy(0, RR, -1), -EINVAL);
	WANT_IS(set_policy(0, 4, 0), -EINVAL);
	WANT_IS(set_policy(0, 9, 0), -EINVAL);
	WANT_IS(set_policy(0, -1, 0), -EINVAL);
	WANT_IS(set_policy(-1, NORMAL, 0), -EINVAL);
	WANT_IS(set_policy(0x3ffffff, NORMAL, 0), -ESRCH);
	WANT_IS(kernel_call(SYS_sched_setscheduler, 0, NORMAL, NULL), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_setscheduler, 0, NORMAL, BAD), -EFAULT);
	WANT_IS(set_priority(0, 1), -EINVAL);
	WANT_IS(set_priority(0, 0), 0);
	WANT_IS(set_priority(-1, 0), -EINVAL);
	WANT_IS(set_priority(0x3ffffff, 0), -ESRCH);
	WANT_IS(policy(-1), -EINVAL);
	WANT_IS(policy(0x3ffffff), -ESRCH);
	WANT_IS(kernel_call(SYS_sched_getparam, 0, NULL), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_getparam, 0, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_sched_getparam, -1, BAD), -EINVAL);
	WANT_IS(policy(0), NORMAL);
}

static void interval(void)
{
	struct timespec t = {9, 9};

	WANT_IS(kernel_call(SYS_sched_rr_get_interval, 0, &t), 0);
	WANT(t.tv_sec == 0 && t.tv_nsec < 200000000); /* less than a jiffy is 0 on Linux */
	WANT_IS(set_policy(0, RR, 1), 0);
	WANT_IS(kernel_call(SYS_sched_rr_get_interval, 0, &t), 0);
	WANT(t.tv_sec == 0 && t.tv_nsec == 100000000);
	WANT_IS(set_policy(0, FIFO, 1), 0);
	WANT_IS(kernel_call(SYS_sched_rr_get_interval, 0, &t), 0);
	WANT(t.tv_sec == 0 && t.tv_nsec == 0);
	WANT_IS(kernel_call(SYS_sched_rr_get_interval, -1, &t), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_rr_get_interval, 0x3ffffff, &t), -ESRCH);
	WANT_IS(kernel_call(SYS_sched_rr_get_interval, 0, BAD), -EFAULT);
}

/* ---- Inheritance ---- */

static void child_is_batch(void)
{
	WANT_IS(policy(0), BATCH);
	WANT_IS(nice_of(0), 4);
}

static void child_is_fifo(void)
{
	WANT_IS(policy(0), FIFO);
	WANT_IS(priority(0), 2);
}

static void inherited(void)
{
	WANT_IS(set_policy(0, BATCH, 0), 0);
	WANT_IS(set_nice(PRIO_PROCESS, 0, 4), 0);
	WANT_ENDS(start(child_is_batch), 0);
	WANT_IS(set_policy(0, FIFO, 2), 0);
	WANT_ENDS(start(child_is_fifo), 0);
}

static void child_is_reset(void)
{
	WANT_IS(policy(0), NORMAL);
	WANT_IS(priority(0), 0);
	WANT_IS(nice_of(0), 0);
}

static void child_keeps_nice(void)
{
	WANT_IS(policy(0), BATCH);
	WANT_IS(nice_of(0), 6);
}

static void reset_on_fork(void)
{
	WANT_IS(set_policy(0, FIFO | RESET_ON_FORK, 2), 0);
	WANT_IS(policy(0), FIFO | RESET_ON_FORK);
	WANT_ENDS(start(child_is_reset), 0);
	WANT_IS(set_policy(0, NORMAL | RESET_ON_FORK, 0), 0);
	WANT_IS(set_nice(PRIO_PROCESS, 0, -5), 0);
	WANT_ENDS(start(child_is_reset), 0);
	WANT_IS(set_policy(0, BATCH | RESET_ON_FORK, 0), 0);
	WANT_IS(set_nice(PRIO_PROCESS, 0, 6), 0);
	WANT_ENDS(start(child_keeps_nice), 0);
	WANT_IS(set_policy(0, BATCH, 0), 0);
	WANT_IS(policy(0), BATCH);
}

/* ---- sched_setattr, sched_getattr ---- */

static void attributes(void)
{
	struct attributes a = {.size = 48, .policy = BATCH, .nice = 7, .flags = 1};

	WANT_IS(kernel_call(SYS_sched_setattr, 0, &a, 0), 0);
	memset(&a, 0xff, sizeof(a));
	WANT_IS(kernel_call(SYS_sched_getattr, 0, &a, 48, 0), 0);
	WANT(a.size == 48 && a.policy == BATCH && a.flags == 1 && a.nice == 7 && a.priority == 0);
	WANT(a.least == UINT32_MAX);
	a = (struct attributes){.size = 48, .policy = RR, .priority = 9, .nice = 3};
	WANT_IS(kernel_call(SYS_sched_setattr, 0, &a, 0), 0);
	WANT_IS(kernel_call(SYS_sched_getattr, 0, &a, sizeof(a), 0), 0);
	WANT(a.policy == RR && a.priority == 9 && a.flags == 0);
	WANT_IS(nice_of(0), 7);
	a = (struct attributes){.size = 0, .policy = NORMAL, .nice = 100};
	WANT_IS(kernel_call(SYS_sched_setattr, 0, &a, 0), 0);
	WANT_IS(nice_of(0), 19);
}

static void attributes_kept(void)
{
	struct attributes a = {.size = 48, .policy = NORMAL, .flags = 0x8, .nice = 5};

	WANT_IS(set_policy(0, BATCH, 0), 0);
	WANT_IS(kernel_call(SYS_sched_setattr, 0, &a, 0), 0);
	WANT_IS(policy(0), BATCH);
	WANT_IS(nice_of(0), 5);
	a = (struct attributes){.size = 48, .policy = IDLE, .flags = 0x10, .nice = 11};
	WANT_IS(kernel_call(SYS_sched_setattr, 0, &a, 0), 0);
	WANT_IS(policy(0), BATCH); /* a parameter too */
	WANT_IS(nice_of(0), 5);
}

static void attribute_errors(void)
{
	struct {
		struct attributes a;
		uint64_t more[2];
	} big = {.a = {.size = 72, .nice = 1}};
	struct attributes a = {.size = 48};

	WANT_IS(kernel_call(SYS_sched_setattr, 0, &big, 0), 0);
	big.more[1] = 1;
	big.a.size = 72;
	WANT_IS(kernel_call(SYS_sched_setattr, 0, &big, 0), -E2BIG);
	WANT_IS(big.a.size, 56);
	a.size = 47;
	WANT_IS(kernel_call(SYS_sched_setattr, 0, &a, 0), -E2BIG);
	WANT_IS(a.size, 56);
	a = (struct attributes){.size = 48};
	WANT_IS(kernel_call(SYS_sched_setattr, 0, &a, 1), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_setattr, -1, &a, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_setattr, 0, NULL, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_setattr, 0, BAD, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_sched_setattr, 0x3ffffff, &a, 0), -ESRCH);
	a.flags = 0x100;
	WANT_IS(kernel_call(SYS_sched_setattr, 0, &a, 0), -EINVAL);
	a = (struct attributes){.size = 48, .policy = FIFO};
	WANT_IS(kernel_call(SYS_sched_setattr, 0, &a, 0), -EINVAL);
	a = (struct attributes){.size = 48, .policy = 0x80000000};
	WANT_IS(kernel_call(SYS_sched_setattr, 0, &a, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_getattr, 0, &a, 47, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_getattr, 0, &a, 48, 1), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_getattr, 0, &a, 5000, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_getattr, 0, NULL, 48, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_getattr, 0, BAD, 48, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_sched_getattr, 0x3ffffff, &a, 48, 0), -ESRCH);
}

/* ---- Nice values ---- */

static void nice_set(void)
{
	WANT_IS(set_nice(PRIO_PROCESS, 0, 5), 0);
	WANT_IS(nice_of(0), 5);
	WANT_IS(kernel_call(SYS_getpriority, PRIO_PROCESS, 0), 15);
	WANT_IS(set_nice(PRIO_PROCESS, getpid(), -20), 0);
	WANT_IS(kernel_call(SYS_getpriority, PRIO_PROCESS, getpid()), 40);
	WANT_IS(set_nice(PRIO_PROCESS, 0, 100), 0);
	WANT_IS(nice_of(0), 19);
	WANT_IS(set_nice(PRIO_PROCESS, 0, -100), 0);
	WANT_IS(nice_of(0), -20);
}

static void nice_errors(void)
{
	WANT_IS(set_nice(3, 0, 0), -EINVAL);
	WANT_IS(set_nice(-1, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_getpriority, 3, 0), -EINVAL);
	WANT_IS(set_nice(PRIO_PROCESS, 0x3ffffff, 0), -ESRCH);
	WANT_IS(set_nice(PRIO_PGRP, 0x3ffffff, 0), -ESRCH);
	WANT_IS(kernel_call(SYS_getpriority, PRIO_PROCESS, 0x3ffffff), -ESRCH);
	WANT_IS(kernel_call(SYS_getpriority, PRIO_PGRP, 0x3ffffff), -ESRCH);
	WANT_IS(kernel_call(SYS_getpriority, PRIO_USER, 54321), -ESRCH);
	WANT_IS(kernel_call(SYS_getpriority, PRIO_PROCESS, -1), -ESRCH);
}

/* A case leads a process group of its own. */
static void nice_of_group(void)
{
	pid_t a = start(just_wait), b = start(just_wait);

	WANT_IS(set_nice(PRIO_PROCESS, a, 8), 0);
	WANT_IS(set_nice(PRIO_PROCESS, b, 3), 0);
	WANT_IS(set_nice(PRIO_PROCESS, 0, 10), 0);
	/* The highest priority of all. */
	WANT_IS(kernel_call(SYS_getpriority, PRIO_PGRP, 0), 17);
	WANT_IS(kernel_call(SYS_getpriority, PRIO_PGRP, getpid()), 17);
	WANT_IS(set_nice(PRIO_PGRP, 0, 12), 0);
	WANT_IS(nice_of(a), 12);
	WANT_IS(nice_of(b), 12);
	WANT_IS(nice_of(0), 12);
	kill(a, SIGKILL);
	kill(b, SIGKILL);
	WANT_ENDS(a, SIGKILL);
	WANT_ENDS(b, SIGKILL);
}

static void nice_of_user(void)
{
	unsigned user;

	if (geteuid() != 0)
		return;
	user = become_lone();
	WANT_IS(set_nice(PRIO_PROCESS, 0, 9), 0);
	pid_t child = start(just_wait);

	WANT_IS(set_nice(PRIO_USER, user, 11), 0);
	WANT_IS(nice_of(child), 11);
	WANT_IS(kernel_call(SYS_getpriority, PRIO_USER, 0), 9);
	kill(child, SIGKILL);
	WANT_ENDS(child, SIGKILL);
}

static void nice_unprivileged(void)
{
	pid_t parent = getppid();

	WANT_IS(set_limit(RLIMIT_NICE, 0), 0);
	if (!become_nobody())
		return;
	WANT_IS(set_nice(PRIO_PROCESS, 0, 5), 0);
	WANT_IS(set_nice(PRIO_PROCESS, 0, 4), -EACCES);
	WANT_IS(set_nice(PRIO_PROCESS, 0, 5), 0);
	WANT_IS(set_nice(PRIO_PROCESS, parent, 6), -EPERM);
	WANT_IS(nice_of(0), 5);
}

static void nice_limit(void)
{
	/* Down to 2; root may lack CAP_SYS_RESOURCE for that. */
	if (set_limit(RLIMIT_NICE, 18) || !become_nobody())
		return;
	WANT_IS(set_nice(PRIO_PROCESS, 0, 9), 0);
	WANT_IS(set_nice(PRIO_PROCESS, 0, 2), 0);
	WANT_IS(set_nice(PRIO_PROCESS, 0, 1), -EACCES);
	WANT_IS(nice_of(0), 2);
}

/* ---- Who may ---- */

static void rt_unprivileged(void)
{
	pid_t parent = getppid();

	WANT_IS(set_limit(RLIMIT_RTPRIO, 0), 0);
	WANT_IS(set_limit(RLIMIT_NICE, 0), 0);
	if (!become_nobody())
		return;
	WANT_IS(set_policy(0, FIFO, 1), -EPERM);
	WANT_IS(set_policy(0, RR, 1), -EPERM);
	WANT_IS(set_policy(parent, NORMAL, 0), -EPERM);
	WANT_IS(set_policy(0, BATCH, 0), 0);
	WANT_IS(set_policy(0, IDLE, 0), 0);
	WANT_IS(set_policy(0, NORMAL, 0), -EPERM);
	WANT_IS(policy(0), IDLE);
}

static void rt_limit(void)
{
	if (set_limit(RLIMIT_RTPRIO, 10) || !become_nobody())
		return;
	WANT_IS(set_policy(0, FIFO, 11), -EPERM);
	WANT_IS(set_policy(0, FIFO, 10), 0);
	WANT_IS(set_priority(0, 4), 0);
	WANT_IS(set_priority(0, 10), 0);
	WANT_IS(set_priority(0, 11), -EPERM);
	WANT_IS(set_policy(0, NORMAL | RESET_ON_FORK, 0), 0);
	WANT_IS(set_policy(0, NORMAL, 0), -EPERM);
	WANT_IS(policy(0), NORMAL | RESET_ON_FORK);
}

/* ---- CPUs ---- */

static unsigned cpu(void)
{
	unsigned index = 999, node = 999;

	WANT_IS(kernel_call(SYS_getcpu, &index, &node, NULL), 0);
	return index;
}

static unsigned long mask(void)
{
	unsigned long bits[16] = {0};
	long size = kernel_call(SYS_sched_getaffinity, 0, sizeof(bits), bits);

	WANT(size >= 8 && size % 8 == 0);
	return bits[0];
}

static void affinity(void)
{
	unsigned long all = mask(), one;

	WANT(all);
	for (unsigned i = 0; i < 64; i++) {
		one = 1ul << i;
		if (!(all & one))
			continue;
		WANT_IS(kernel_call(SYS_sched_setaffinity, 0, sizeof(one), &one), 0);
		WANT_IS(cpu(), i);
		WANT(mask() == one);
	}
	WANT_IS(kernel_call(SYS_sched_setaffinity, 0, sizeof(all), &all), 0);
	WANT(mask() == all);
}

static unsigned long narrow;

static void child_stays(void)
{
	WANT(mask() == narrow);
	WANT(1ul << cpu() & narrow);
}

static void affinity_inherited(void)
{
	unsigned long all = mask();

	narrow = all & -all;
	WANT_IS(kernel_call(SYS_sched_setaffinity, 0, sizeof(narrow), &narrow), 0);
	WANT_ENDS(start(child_stays), 0);
}

static int *places; /* where the spinning child saw itself */

static void spin(void)
{
	for (;;)
		__atomic_store_n(places, (int)cpu(), __ATOMIC_RELAXED);
}

/* A thread that runs is moved by another. */
static void affinity_of_running(void)
{
	unsigned long all = mask(), one;
	pid_t child;

	places = shared_memory(4096);
	*places = -1;
	child = start(spin);
	for (unsigned round = 0; round < 20; round++) {
		for (unsigned i = 0; i < 64; i++) {
			one = 1ul << i;
			if (!(all & one))
				continue;
			WANT_IS(kernel_call(SYS_sched_setaffinity, child, sizeof(one), &one), 0);
			while (__atomic_load_n(places, __ATOMIC_RELAXED) != (int)i)
				sched_yield();
		}
	}
	kill(child, SIGKILL);
	WANT_ENDS(child, SIGKILL);
}

static void affinity_errors(void)
{
	unsigned long bits[16] = {0}, all = mask();

	WANT_IS(kernel_call(SYS_sched_setaffinity, 0, sizeof(bits), bits), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_setaffinity, 0, 0, &all), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_setaffinity, 0, 8, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_sched_setaffinity, 0x3ffffff, 8, &all), -ESRCH);
	WANT_IS(kernel_call(SYS_sched_getaffinity, 0, 0, bits), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_getaffinity, 0, 12, bits), -EINVAL);
	WANT_IS(kernel_call(SYS_sched_getaffinity, 0, 128, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_sched_getaffinity, 0x3ffffff, 128, bits), -ESRCH);
	WANT_IS(kernel_call(SYS_getcpu, BAD, NULL, NULL), -EFAULT);
	WANT_IS(kernel_call(SYS_getcpu, NULL, BAD, NULL), -EFAULT);
	WANT_IS(kernel_call(SYS_getcpu, NULL, NULL, NULL), 0);
	WANT(mask() == all);
	all |= all << 1 | 1ul << 63; /* CPUs that are not there do not matter */
	WANT_IS(kernel_call(SYS_sched_setaffinity, 0, 8, &all), 0);
}

static void affinity_unprivileged(void)
{
	unsigned long all = mask();
	pid_t parent = getppid();

	if (!become_nobody())
		return;
	WANT_IS(kernel_call(SYS_sched_setaffinity, parent, 8, &all), -EPERM);
	WANT_IS(kernel_call(SYS_sched_setaffinity, 0, 8, &all), 0);
}

static void yields(void)
{
	for (int i = 0; i < 100; i++)
		WANT_IS(kernel_call(SYS_sched_yield), 0);
}

static const struct test_case cases[] = {
	CASE(limits_of_policies, "sched_get_priority_max, _min: by policy; EINVAL for none"),
	CASE(policy_default, "a program starts as SCHED_OTHER at its parent's nice value"),
	CASE(policy_set, "sched_setscheduler, sched_setparam: each policy is told back"),
	CASE(policy_of_other, "sched_setscheduler: of another process"),
	CASE(policy_errors, "sched_setscheduler, ...: EINVAL, ESRCH, EFAULT"),
	CASE(interval, "sched_rr_get_interval: 100 ms for SCHED_RR, 0 for SCHED_FIFO"),
	CASE(inherited, "fork: policy, priority and nice are inherited"),
	CASE(reset_on_fork, "fork: SCHED_RESET_ON_FORK keeps privileges from the child"),
	CASE(attributes, "sched_setattr, sched_getattr: each field is told back"),
	CASE(attributes_kept, "sched_setattr: KEEP_POLICY, KEEP_PARAMS"),
	CASE(attribute_errors, "sched_setattr, sched_getattr: E2BIG, EINVAL, EFAULT, ESRCH"),
	CASE(nice_set, "setpriority: sets, clamps; getpriority gives 20 - nice"),
	CASE(nice_errors, "setpriority, getpriority: EINVAL, ESRCH"),
	CASE(nice_of_group, "setpriority, getpriority: of a process group"),
	CASE(nice_of_user, "setpriority, getpriority: of a user"),
	CASE(nice_unprivileged, "setpriority: EACCES, EPERM without CAP_SYS_NICE"),
	CASE(nice_limit, "setpriority: down to what RLIMIT_NICE allows"),
	CASE(rt_unprivileged, "sched_setscheduler: EPERM without CAP_SYS_NICE"),
	CASE(rt_limit, "sched_setscheduler: up to what RLIMIT_RTPRIO allows"),
	CASE(affinity, "sched_setaffinity: the caller is on the CPU at once"),
	CASE(affinity_inherited, "fork: affinity is inherited"),
	CASE(affinity_of_running, "sched_setaffinity: moves a running process"),
	CASE(affinity_errors,
		"sched_setaffinity, sched_getaffinity, getcpu: EINVAL, EFAULT, ESRCH"),
	CASE(affinity_unprivileged, "sched_setaffinity: EPERM for another user's process"),
	CASE(yields, "sched_yield: 0"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
