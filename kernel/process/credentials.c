/* SPDX-License-Identifier: MIT */
/* See credentials.h. Nothing here asks who is running: it is built for the tests of files too. */
#include "process/credentials.h"

#include "memory/slab.h"

#define CAPABILITIES_ALL ((UINT64_C(1) << 41) - 1) /* up to CAP_CHECKPOINT_RESTORE */

/* What process 1 starts with, and kernel threads have. Its own reference is never dropped. */
static struct credentials root = {.references = 1,
	.permitted = CAPABILITIES_ALL,
	.effective = CAPABILITIES_ALL,
	.bounding = CAPABILITIES_ALL};

const struct credentials *credentials_of_root(void)
{
	return &root;
}

/* Only the count of a set that is in use ever changes. */
static uint32_t *count_of(const struct credentials *credentials)
{
	return &((struct credentials *)credentials)->references;
}

void credentials_get(const struct credentials *credentials)
{
	__atomic_add_fetch(count_of(credentials), 1, __ATOMIC_RELAXED);
}

static void groups_put(struct groups *groups)
{
	if (groups && !__atomic_sub_fetch(&groups->references, 1, __ATOMIC_ACQ_REL))
		kfree(groups);
}

void credentials_put(const struct credentials *credentials)
{
	if (__atomic_sub_fetch(count_of(credentials), 1, __ATOMIC_ACQ_REL))
		return;
	groups_put(credentials->groups);
	kfree((struct credentials *)credentials);
}

bool credentials_in_group(const struct credentials *credentials, uint32_t group)
{
	const struct groups *groups = credentials->groups;
	uint32_t low = 0, high = groups ? groups->count : 0;

	if (credentials->fsgid == group)
		return true;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (groups->ids[middle] == group)
			return true;
		if (groups->ids[middle] < group)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
