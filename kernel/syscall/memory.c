/* SPDX-License-Identifier: MIT */
/* mmap and its kin; man 2 mmap, mprotect, munmap, brk. */
#include <asm/mman.h>
#include <linux/mman.h>

#include "files/file.h"
#include "lib/errno.h"
#include "memory/object.h"
#include "memory/space.h"
#include "process/current.h"
#include "process/process.h"
#include "syscall/table.h"

_Static_assert(PROT_READ == MAP_READ && PROT_WRITE == MAP_WRITE && PROT_EXEC == MAP_EXECUTE,
	"protection is access");

/* The object behind a descriptor, for a mapping with these rights; adds to its VMA's flags. */
static int object_for(
	int fd, unsigned protection, unsigned flags, struct object **out, unsigned *vma_flags)
{
	struct file *file = files_lookup(current_files(), fd);
	bool shared = (flags & MAP_TYPE) != MAP_PRIVATE;
	int error;

	if (!file)
		return -EBADF;
	error = file_may_map(file, protection & PROT_WRITE, shared);
	if (shared && file_may_map(file, true, true))
		*vma_flags |= VMA_READ_ONLY;
	if (!error) {
		*out = file_object(file);
		if (!*out)
			error = -ENODEV;
	}
	file_put(file);
	return error;
}

long sys_mmap(uintptr_t address, size_t length, unsigned protection, unsigned flags, int fd,
	int64_t offset)
{
	unsigned type = flags & MAP_TYPE, map_flags = 0, vma_flags = 0;
	struct object *object = NULL;
	long result;

	if (offset & (int64_t)(PAGE_SIZE - 1))
		return -EINVAL;
	if (!(flags & MAP_ANONYMOUS)) {
		int error = object_for(fd, protection, flags, &object, &vma_flags);

		if (error)
			return error;
	}
	if (type == MAP_SHARED || type == MAP_SHARED_VALIDATE)
		vma_flags |= VMA_SHARED;
	if (flags & MAP_GROWSDOWN)
		vma_flags |= VMA_GROWS_DOWN;
	if (flags & (MAP_FIXED | MAP_FIXED_NOREPLACE))
		map_flags |= SPACE_FIXED;
	if (flags & MAP_FIXED_NOREPLACE)
		map_flags |= SPACE_NO_REPLACE;
	if (!length || (type != MAP_PRIVATE && !(vma_flags & VMA_SHARED)))
		result = -EINVAL;
	else if (object && offset < 0)
		result = -EOVERFLOW;
	else
		result = space_map(current_space(), address, length, protection & 7, vma_flags,
			map_flags, object, object ? (uint64_t)offset : 0);
	if (object)
		object_put(object);
	return result;
}

long sys_munmap(uintptr_t address, size_t length)
{
	return space_unmap(current_space(), address, length);
}

long sys_mprotect(uintptr_t address, size_t length, unsigned protection)
{
	if (protection & ~(unsigned)(PROT_READ | PROT_WRITE | PROT_EXEC | PROT_SEM))
		return -EINVAL;
	return space_protect(current_space(), address, length, protection & 7);
}

long sys_brk(uintptr_t address)
{
	return (long)space_brk(current_space(), address);
}
