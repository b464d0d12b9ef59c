/* SPDX-License-Identifier: MIT */
/*
 * Which futex an address means. Private: the address in this space. Shared: the memory object that
 * is mapped there and the place in it, so that all who map it meet; where the mapping is private, it
 * is the space's own word after all, though not the one that FUTEX_PRIVATE_FLAG means (as on Linux).
 *
 * Locks: the space's, over the look at its VMAs. The words are read and changed under buckets' locks,
 * where nothing is faulted in (arch.h).
 */
#include "process/futex_key.h"

#include <linux/futex.h>

#include "arch/arch.h"
#include "lib/errno.h"
#include "memory/object.h"
#include "memory/user.h"
#include "memory/vma.h"
#include "process/process.h"

#define CHANGE_TRIES 64 /* of a word that others change all the time, under locks */

/* The object behind an address of a shared mapping, or a read-only mapping of a file, with a reference;
 * NULL in *object: the memory is the space's own. */
static int find_object(
	struct space *space, uintptr_t address, struct object **object, uint64_t *offset)
{
	struct vma *vma;
	int error = -EFAULT;

	mutex_lock(&space->lock);
	vma = vma_find(space, address);
	if (vma && address >= vma->start && vma->access) {
		uint64_t at = vma->offset + (address - vma->start);

		error = 0;
		*object = NULL;
		if (vma->object && ((vma->flags & VMA_SHARED) || !(vma->access & MAP_WRITE))) {
			if (at < ALIGN_UP(vma->object->size, PAGE_SIZE)) {
				object_get(vma->object);
				*object = vma->object;
				*offset = at;
			} else {
				error = -EFAULT;
			}
		} else if (!(vma->access & MAP_WRITE)) {
			error = -EFAULT; /* a word that nobody can change, as on Linux */
		}
	}
	mutex_unlock(&space->lock);
	return error;
}

int futex_key_get(user_t address, bool shared, struct futex_key *key)
{
	struct space *space = current_space();
	struct object *object;
	int error;

	if (address.address % sizeof(uint32_t))
		return -EINVAL;
	if (!user_range_ok(address, sizeof(uint32_t)))
		return -EFAULT;
	*key = (struct futex_key){(uintptr_t)space | FUTEX_OF_SPACE, address.address};
	if (!shared)
		return 0;
	error = find_object(space, address.address, &object, &key->offset);
	if (error)
		return error;
	key->owner = object ? (uintptr_t)object | FUTEX_OF_OBJECT
			    : (uintptr_t)space | FUTEX_OF_SPACE_SHARED;
	return 0;
}

void futex_key_put(const struct futex_key *key)
{
	struct object *object = futex_object(key);

	if (object)
		object_put(object);
}

int futex_word_touch(user_t address, bool write)
{
	void *at = (void *)address.address;
	uint32_t value = 0;

	if (!write)
		return arch_user_load32(&value, at) ? -EFAULT : 0;
	/* Zero for zero, if that is what stands there: a write, whatever the outcome. */
	return arch_user_exchange32(at, &value, 0) < 0 ? -EFAULT : 0;
}

static int changed(uint32_t operation, uint32_t now, uint32_t operand, uint32_t *out)
{
	switch (operation) {
	case FUTEX_OP_SET:
		*out = operand;
		return 0;
	case FUTEX_OP_ADD:
		*out = now + operand;
		return 0;
	case FUTEX_OP_OR:
		*out = now | operand;
		return 0;
	case FUTEX_OP_ANDN:
		*out = now & ~operand;
		return 0;
	case FUTEX_OP_XOR:
		*out = now ^ operand;
		return 0;
	default:
		return -ENOSYS;
	}
}

/* -EAGAIN: others change it all the time. */
int futex_word_change(user_t address, uint32_t operation, uint32_t operand, uint32_t *before)
{
	void *at = (void *)address.address;
	uint32_t now, next = 0;
	long result;

	if (changed(operation, 0, operand, &next))
		return -ENOSYS;
	if (arch_user_load32(&now, at))
		return -EFAULT;
	for (int i = 0; i < CHANGE_TRIES; i++) {
		*before = now;
		if (changed(operation, now, operand, &next))
			return -ENOSYS;
		result = arch_user_exchange32(at, &now, next);
		if (result <= 0)
			return (int)result;
	}
	return -EAGAIN;
}
