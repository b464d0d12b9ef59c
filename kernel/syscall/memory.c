/* SPDX-License-Identifier: MIT */
/* mmap and its kin; man 2 mmap, mprotect, munmap, brk, mremap, madvise, mlock, msync, mincore. */
#include <linux/mman.h>

#include <asm/mman.h>

#include "files/file.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "memory/object.h"
#include "memory/overcommit.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/current.h"
#include "process/process.h"
#include "syscall/table.h"

_Static_assert(PROT_READ == MAP_READ && PROT_WRITE == MAP_WRITE && PROT_EXEC == MAP_EXECUTE,
	"protection is access");

#define ACCESS (PROT_READ | PROT_WRITE | PROT_EXEC)

/* What MAP_SHARED_VALIDATE takes: Linux's LEGACY_MAP_MASK. */
#define KNOWN_FLAGS                                                                              \
	(MAP_SHARED | MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS | MAP_DENYWRITE | MAP_EXECUTABLE | \
		MAP_UNINITIALIZED | MAP_GROWSDOWN | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE |  \
		MAP_NONBLOCK | MAP_STACK | MAP_HUGETLB | MAP_32BIT | MAP_HUGE_2MB | MAP_HUGE_1GB)

/* What a mapping is to be. */
struct mapping {
	struct object *object; /* NULL: anonymous; a reference */
	unsigned vma_flags, map_flags;
	bool sharing; /* a file can be written by it */
};

static void read_flags(struct mapping *mapping, unsigned flags)
{
	if (flags & MAP_GROWSDOWN)
		mapping->vma_flags |= VMA_GROWS_DOWN;
	if (flags & MAP_LOCKED)
		mapping->vma_flags |= VMA_LOCKED;
	if (flags & MAP_NORESERVE && !overcommit_is(OVERCOMMIT_NEVER))
		mapping->vma_flags |= VMA_NO_RESERVE;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		mapping->map_flags |= SPACE_FIXED;
	if (flags & MAP_FIXED_NOREPLACE)
		mapping->map_flags |= SPACE_NO_REPLACE;
	if (flags & MAP_32BIT)
		mapping->map_flags |= SPACE_LOW;
	if ((flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE)
		mapping->map_flags |= SPACE_POPULATE;
}

static int check_anonymous(struct mapping *mapping, unsigned flags)
{
	switch (flags & MAP_TYPE) {
	case MAP_SHARED:
		if (flags & MAP_GROWSDOWN)
			return -EINVAL;
		mapping->vma_flags |= VMA_SHARED;
		break;
	case MAP_PRIVATE:
		break;
	default:
		return -EINVAL;
	}
	return flags & MAP_HUGETLB ? -ENOMEM : 0; /* there are no huge pages */
}

static int check_file(
	struct mapping *mapping, struct file *file, unsigned protection, unsigned flags)
{
	bool shared = (flags & MAP_TYPE) != MAP_PRIVATE;
	int error;

	switch (flags & MAP_TYPE) {
	case MAP_SHARED_VALIDATE:
		if (flags & ~(unsigned)KNOWN_FLAGS & ~(unsigned)MAP_TYPE)
			return -EOPNOTSUPP;
		break;
	case MAP_SHARED:
	case MAP_PRIVATE:
		break;
	default:
		return -EINVAL;
	}
	error = file_may_map(file, protection & PROT_WRITE, shared, protection & PROT_EXEC);
	if (error)
		return error;
	mapping->object = file_object(file);
	if (!mapping->object && !(file->operations->traits & FILE_ZEROES))
		return -ENODEV;
	if (flags & MAP_GROWSDOWN)
		return -EINVAL;
	if (shared)
		mapping->vma_flags |= VMA_SHARED;
	if (shared && file_may_map(file, true, true, false))
		mapping->vma_flags |= VMA_READ_ONLY;
	if (!shared || mapping->vma_flags & VMA_READ_ONLY || !mapping->object)
		return 0;
	mapping->sharing = object_begin_sharing(mapping->object);
	if (!mapping->sharing)
		mapping->vma_flags |= VMA_READ_ONLY;
	return !mapping->sharing && protection & PROT_WRITE ? -EPERM : 0;
}

/* All that can be said before the space is looked at; `file` is NULL for anonymous memory. */
static int check_mapping(struct mapping *mapping, struct file *file, size_t length,
	unsigned protection, unsigned flags, int64_t offset)
{
	if (file && (flags & MAP_HUGETLB))
		return -EINVAL;
	if (!length)
		return -EINVAL;
	if (!ALIGN_UP(length, PAGE_SIZE))
		return -ENOMEM;
	if (length > USER_END)
		return -ENOMEM;
	if (file && (offset < 0 || length > (uint64_t)INT64_MAX - (uint64_t)offset))
		return -EOVERFLOW;
	read_flags(mapping, flags);
	return file ? check_file(mapping, file, protection, flags)
		    : check_anonymous(mapping, flags);
}

long sys_mmap(uintptr_t address, size_t length, unsigned protection, unsigned flags, int fd,
	int64_t offset)
{
	struct mapping mapping = {.object = NULL};
	struct file *file = NULL;
	long result;

	if (offset & (int64_t)(PAGE_SIZE - 1))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		file = files_lookup(current_files(), fd);
		if (file && file->flags & O_PATH) {
			file_put(file);
			file = NULL;
		}
		if (!file)
			return -EBADF;
	}
	result = check_mapping(&mapping, file, length, protection, flags, offset);
	if (!result)
		result = space_map(current_space(), address, length, protection & ACCESS,
			mapping.vma_flags, mapping.map_flags, mapping.object,
			file ? (uint64_t)offset : 0);
	if (mapping.sharing)
		object_end_sharing(mapping.object);
	if (mapping.object) {
		file_mapped(file);
		object_put(mapping.object);
	}
	if (file)
		file_put(file);
	return result;
}

long sys_munmap(uintptr_t address, size_t length)
{
	return space_unmap(current_space(), address, length);
}

long sys_mprotect(uintptr_t address, size_t length, unsigned protection)
{
	unsigned grows = protection & (PROT_GROWSDOWN | PROT_GROWSUP);

	if (grows == (PROT_GROWSDOWN | PROT_GROWSUP) || (address & (PAGE_SIZE - 1)))
		return -EINVAL;
	if (!length)
		return 0;
	protection &= ~grows;
	if (!ALIGN_UP(length, PAGE_SIZE) || address + ALIGN_UP(length, PAGE_SIZE) <= address)
		return -ENOMEM;
	if (protection & ~(unsigned)(ACCESS | PROT_SEM))
		return -EINVAL;
	if (grows == PROT_GROWSUP)
		return -EINVAL; /* no VMA does on this machine */
	return space_protect(current_space(), address, length,
		(protection & ACCESS) | (grows ? SPACE_PROTECT_DOWN : 0));
}

long sys_brk(uintptr_t address)
{
	return (long)space_brk(current_space(), address);
}

long sys_mremap(uintptr_t address, size_t old_size, size_t new_size, unsigned long flags,
	uintptr_t new_address)
{
	if (flags > UINT32_MAX)
		return -EINVAL;
	return space_remap(
		current_space(), address, old_size, new_size, (unsigned)flags, new_address);
}

long sys_madvise(uintptr_t address, size_t length, int advice)
{
	return space_advise(current_space(), address, length, advice);
}

long sys_msync(uintptr_t address, size_t length, int flags)
{
	return space_sync(current_space(), address, length, (unsigned)flags);
}

/* Pages that are looked at between two copies to user memory, which may fault. */
#define LOOK_BATCH 256u

long sys_mincore(uintptr_t address, size_t length, user_t vector)
{
	size_t pages = length / PAGE_SIZE + (length % PAGE_SIZE != 0), part;
	uint8_t present[LOOK_BATCH];
	int error;

	if (address & (PAGE_SIZE - 1))
		return -EINVAL;
	if (!user_range_ok(user_pointer(address), length))
		return -ENOMEM;
	if (!user_range_ok(vector, pages))
		return -EFAULT;
	for (; pages; pages -= part) {
		part = pages < LOOK_BATCH ? pages : LOOK_BATCH;
		error = space_in_core(current_space(), address, part, present);
		if (error)
			return error;
		if (copy_to_user(vector, present, part))
			return -EFAULT;
		address += part * PAGE_SIZE;
		vector.address += part;
		sched_point();
	}
	return 0;
}

/* ---- Locking ---- */

long sys_mlock(uintptr_t address, size_t length)
{
	return space_lock(current_space(), address, length, VMA_LOCKED);
}

long sys_mlock2(uintptr_t address, size_t length, int flags)
{
	if (flags & ~MLOCK_ONFAULT)
		return -EINVAL;
	return space_lock(current_space(), address, length,
		flags ? VMA_LOCKED | VMA_LOCK_ON_FAULT : VMA_LOCKED);
}

long sys_munlock(uintptr_t address, size_t length)
{
	return space_lock(current_space(), address, length, 0);
}

long sys_mlockall(int flags)
{
	unsigned locked = flags & MCL_ONFAULT ? VMA_LOCKED | VMA_LOCK_ON_FAULT : VMA_LOCKED;
	bool current = flags & MCL_CURRENT, future = flags & MCL_FUTURE;

	if (!(current || future) || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
		return -EINVAL;
	return space_lock_all(current_space(), current ? SPACE_LOCK_CURRENT : SPACE_LOCK_FUTURE,
		current ? locked : 0, future ? locked : 0);
}

long sys_munlockall(void)
{
	return space_lock_all(current_space(), SPACE_LOCK_CURRENT, 0, 0);
}
