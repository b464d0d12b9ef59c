/* SPDX-License-Identifier: MIT */
/*
 * Limits. Each process has sixteen (RLIMIT_*), inherited by its children; who wants to know one asks
 * process_limit where the thing happens. Threads are limited thrice: by number of ids (pid.c), for
 * each real user but root (RLIMIT_NPROC), and in all, so that what the kernel keeps for them is at
 * most an eighth of the memory: then clone gives EAGAIN, and the machine goes on.
 *
 * Locks: limits change under process_lock and are read a word at a time without; counts are atomic.
 */
#include "process/rlimit.h"

#include <linux/capability.h>
#include <linux/resource.h>

#include "lib/errno.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/process.h"

#define MIB           (UINT64_C(1) << 20)
#define THREADS_LEAST 20

_Static_assert(LIMITS == RLIM_NLIMITS && LIMIT_UNLIMITED == (uint64_t)RLIM_INFINITY, "as Linux's");

static uint64_t ram;
int limits_threads = THREADS_LEAST;
unsigned limits_files = 1u << 20;
static unsigned thread_count; /* atomic */

void limits_init(uint64_t ram_bytes)
{
	uint64_t most = ram_bytes / (8 * KERNEL_STACK_SIZE);

	ram = ram_bytes;
	limits_threads = most < THREADS_LEAST       ? THREADS_LEAST
			 : most > (uint64_t)pid_max ? pid_max
						    : (int)most;
}

uint64_t limits_ram(void)
{
	return ram;
}

unsigned limits_thread_count(void)
{
	return __atomic_load_n(&thread_count, __ATOMIC_RELAXED);
}

/* Linux's INIT_RLIMITS, and fork_init. */
void limits_first(struct limit limits[LIMITS])
{
	uint64_t threads = (uint64_t)limits_threads / 2;

	for (unsigned i = 0; i < LIMITS; i++)
		limits[i] = (struct limit){LIMIT_UNLIMITED, LIMIT_UNLIMITED};
	limits[RLIMIT_STACK].soft = 8 * MIB;
	limits[RLIMIT_CORE].soft = 0;
	limits[RLIMIT_NPROC] = (struct limit){threads, threads};
	limits[RLIMIT_NOFILE] = (struct limit){1024, 4096};
	limits[RLIMIT_MEMLOCK] = (struct limit){8 * MIB, 8 * MIB};
	limits[RLIMIT_SIGPENDING] = (struct limit){threads, threads};
	limits[RLIMIT_MSGQUEUE] = (struct limit){819200, 819200};
	limits[RLIMIT_NICE] = limits[RLIMIT_RTPRIO] = (struct limit){0, 0};
}

uint64_t process_limit(unsigned which)
{
	struct process *self = current_process();

	return self ? __atomic_load_n(&self->limits[which].soft, __ATOMIC_RELAXED)
		    : LIMIT_UNLIMITED;
}

/* ---- Threads ---- */

bool limits_user_exceeded(void)
{
	const struct user *user = current_credentials()->user;

	return user->uid && !capable(CAP_SYS_RESOURCE) && !capable(CAP_SYS_ADMIN) &&
	       __atomic_load_n(&user->threads, __ATOMIC_RELAXED) > process_limit(RLIMIT_NPROC);
}

int limits_thread_begin(struct user *user)
{
	__atomic_add_fetch(&user->threads, 1, __ATOMIC_RELAXED);
	if (__atomic_add_fetch(&thread_count, 1, __ATOMIC_RELAXED) <=
			(unsigned)__atomic_load_n(&limits_threads, __ATOMIC_RELAXED) &&
		!limits_user_exceeded())
		return 0;
	limits_thread_end(user);
	return -EAGAIN;
}

void limits_thread_end(struct user *user)
{
	__atomic_sub_fetch(&thread_count, 1, __ATOMIC_RELAXED);
	__atomic_sub_fetch(&user->threads, 1, __ATOMIC_RELAXED);
}

/* ---- prlimit ---- */

int limits_change(
	struct process *process, unsigned which, const struct limit *new, struct limit *old)
{
	struct limit *limit;

	if (which >= LIMITS || (new &&new->soft > new->hard))
		return -EINVAL;
	limit = &process->limits[which];
	if (new &&which ==
		RLIMIT_NOFILE &&new->hard > __atomic_load_n(&limits_files, __ATOMIC_RELAXED))
		return -EPERM;
	if (new &&new->hard > limit->hard && !capable(CAP_SYS_RESOURCE))
		return -EPERM;
	if (old)
		*old = *limit;
	if (new) {
		__atomic_store_n(&limit->soft, new->soft, __ATOMIC_RELAXED);
		__atomic_store_n(&limit->hard, new->hard, __ATOMIC_RELAXED);
		if (which == RLIMIT_CPU)
			cpu_limit_changed(process);
		if (which == RLIMIT_RTTIME)
			rt_limit_changed(process);
	}
	return 0;
}
