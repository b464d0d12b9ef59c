/* SPDX-License-Identifier: MIT */
/*
 * man 2 membarrier: a barrier in every thread that runs at this moment, so that the quick side of some
 * pattern needs none. Threads that do not run have had one when they were switched away. Others' CPUs
 * are interrupted, in the forms that Linux calls expedited and in the plain one alike.
 *
 * Registrations belong to the address space: a child has them too, a new program none. There are no
 * restartable sequences (rseq), so neither are their commands, which QUERY says.
 */
#include <linux/membarrier.h>

#include "lib/errno.h"
#include "memory/space.h"
#include "process/process.h"
#include "syscall/table.h"

#define COMMANDS                                                                              \
	(MEMBARRIER_CMD_GLOBAL | MEMBARRIER_CMD_GLOBAL_EXPEDITED |                            \
		MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED | MEMBARRIER_CMD_PRIVATE_EXPEDITED | \
		MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED |                                   \
		MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE |                                  \
		MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE)

static long private_barrier(struct space *space, int registration)
{
	if (!(__atomic_load_n(&space->membarrier, __ATOMIC_RELAXED) & (unsigned)registration))
		return -EPERM;
	arch_barrier_others(&space->arch);
	return 0;
}

long sys_membarrier(int command, unsigned int flags, int cpu UNUSED)
{
	struct space *space = current_space();

	if (flags)
		return -EINVAL;
	switch (command) {
	case MEMBARRIER_CMD_QUERY:
		return COMMANDS;
	case MEMBARRIER_CMD_GLOBAL:
	case MEMBARRIER_CMD_GLOBAL_EXPEDITED:
		arch_barrier_others(NULL);
		return 0;
	case MEMBARRIER_CMD_REGISTER_GLOBAL_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED:
	case MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE:
		__atomic_or_fetch(&space->membarrier, (unsigned)command, __ATOMIC_RELAXED);
		return 0;
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED:
		return private_barrier(space, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED);
	case MEMBARRIER_CMD_PRIVATE_EXPEDITED_SYNC_CORE:
		return private_barrier(space, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_SYNC_CORE);
	default:
		return -EINVAL;
	}
}
