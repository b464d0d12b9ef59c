/* SPDX-License-Identifier: MIT */
/*
 * Core files: man 5 core.
 *
 * The thread that dies by a signal which dumps decides the end of its process, tells the other threads to end,
 * and waits until each is in its end or at core_wait, where it stays with the registers that it had.
 * Then it writes the file that kernel.core_pattern names, `core` in its working directory unless root says
 * otherwise (core_name.c): ELF header, one PT_NOTE (core_notes.c), a PT_LOAD for
 * each mapping, and the memory: of anonymous and of written private memory all, of mapped files the
 * first page where an ELF header may stand. Pages that were never touched are holes in the file.
 * No core: RLIMIT_CORE below a page, a process that is not dumpable, a file that is not a plain one of
 * the process's own. Who runs with others' rights (process->dumpable is 2, see core.h) writes as root, and
 * neither over a file that is there nor below a directory of its choice. What does not fit into RLIMIT_CORE is cut off.
 *
 * Locks: process_lock for who waits; the space's mutex for its mappings. No thread of the process runs
 * meanwhile; another that shares the memory may, and gives the core what it gives.
 */
#include <elf.h>
#include <linux/resource.h>

#include <asm/fcntl.h>

#include "files/file.h"
#include "files/sysctl.h"
#include "files/vfs.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/object.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/vma.h"
#include "process/core.h"
#include "process/core_name.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/machine.h"

#define NAME_BYTES     4096u /* PATH_MAX */
#define SUID_DUMP_ROOT 2u

int core_of_set_ids, core_uses_pid;

struct core {
	struct file *file;
	int64_t position;
	uint64_t limit;
	bool full; /* the limit, or an error */
	int signal;
	struct core_mapping *mappings;
	size_t count;
	struct core_notes notes;
};

/* ---- The other threads ---- */

void core_wait(struct thread *self)
{
	struct process *process = self->process;

	spin_lock(&process_lock);
	while (process->core && process->core != self) {
		if (!self->signals.core_waits) {
			self->signals.core_waits = true;
			process->core_waiting++;
			thread_wake(process->core);
		}
		thread_prepare_sleep();
		spin_unlock(&process_lock);
		schedule();
		spin_lock(&process_lock);
	}
	if (self->signals.core_waits) {
		self->signals.core_waits = false;
		process->core_waiting--;
	}
	spin_unlock(&process_lock);
}

/* False: the process ends already, by something else. */
static bool stop_others(struct process *process, int signal)
{
	struct thread *self = current_thread();
	bool first;

	spin_lock(&process_lock);
	first = !process->exiting && !process->exec;
	if (first) {
		process->core = self;
		signal_end_group(process, signal);
	}
	while (first && process->core_waiting + process->ending + 1 < process->thread_count) {
		thread_prepare_sleep();
		spin_unlock(&process_lock);
		schedule();
		spin_lock(&process_lock);
	}
	spin_unlock(&process_lock);
	return first;
}

static void release_others(struct process *process, bool dumped)
{
	struct thread *thread;

	spin_lock(&process_lock);
	if (dumped)
		process->exit_status |= CORE_DUMPED;
	process->core = NULL;
	list_for_each(thread, &process->threads, siblings)
	{
		if (thread->signals.core_waits)
			thread_wake(thread);
	}
	spin_unlock(&process_lock);
}

/* ---- The file ---- */

static void emit(struct core *core, const void *bytes, size_t size)
{
	while (size && !core->full) {
		struct io io = io_kernel((char *)bytes, size);
		ssize_t done = -EFBIG;

		if ((uint64_t)core->position + size <= core->limit)
			done = file_write(core->file, &io, &core->position);
		if (done <= 0) {
			core->full = true;
			return;
		}
		bytes = (const char *)bytes + done;
		size -= (size_t)done;
	}
}

static void skip(struct core *core, size_t size)
{
	if ((uint64_t)core->position + size > core->limit)
		core->full = true;
	if (!core->full)
		core->position += (int64_t)size;
}

/* The pattern's name, made from who dies; `out` has NAME_BYTES. */
static int make_name(const struct core *core, char *out)
{
	const struct process *process = current_process();
	const struct credentials *who = current_credentials();
	char pattern[CORE_PATTERN_SIZE], host[MACHINE_NAME_MAX + 1];
	const struct core_facts facts = {.process = process->id,
		.thread = current_thread()->tid,
		.signal = core->signal,
		.uid = who->uid,
		.gid = who->gid,
		.dumpable = process->dumpable,
		.time = (uint64_t)vfs_now() / NS_PER_SECOND,
		.limit = core->limit,
		.host = host,
		.name = current_thread()->name,
		.program = process->program ? file_path(process->program) : "",
		.with_process = __atomic_load_n(&core_uses_pid, __ATOMIC_RELAXED)};

	core_pattern_get(pattern);
	machine_name(MACHINE_NODE, host);
	return core_name(out, NAME_BYTES, pattern, &facts);
}

static int open_named(struct core *core, const char *name)
{
	bool as_root = current_process()->dumpable == SUID_DUMP_ROOT;
	struct credentials root = *current_credentials();
	const struct credentials *before = NULL;
	struct inode *inode;
	int error;

	if (as_root && name[0] != '/')
		return -EPERM;
	if (as_root) {
		root.fsuid = 0;
		before = credentials_override(&root);
	}
	error = file_open(current_thread()->fs, name,
		O_CREAT | O_WRONLY | O_NOFOLLOW | O_NONBLOCK | (as_root ? O_EXCL : 0), 0600,
		&core->file);
	if (before)
		credentials_override(before);
	if (error)
		return error;
	inode = core->file->inode;
	if (!S_ISREG(inode->mode) || inode->links != 1 ||
		inode->uid != (as_root ? 0 : current_credentials()->fsuid))
		error = -EPERM;
	if (!error)
		error = inode_truncate(inode, 0);
	if (error)
		file_put(core->file);
	return error;
}

static int open_core(struct core *core)
{
	char *name = kmalloc(NAME_BYTES);
	int error = name ? make_name(core, name) : -ENOMEM;

	if (!error)
		error = open_named(core, name);
	kfree(name);
	return error;
}

/* ---- Memory ---- */

/* Whether private memory of a file was ever written, though it may not be any more: where a dynamic
 * linker keeps what debuggers find libraries by. */
static bool has_own_page(struct space *space, const struct vma *vma)
{
	struct arch_mapping now;

	for (uintptr_t at = vma->start;
		(at = arch_next_page(&space->arch, at, vma->end)) < vma->end; at += PAGE_SIZE) {
		if (arch_lookup(&space->arch, at, &now) &&
			phys_frame(now.phys)->state == FRAME_ANON)
			return true;
	}
	return false;
}

static size_t dumped_size(struct space *space, const struct vma *vma)
{
	if (vma->flags & VMA_DONT_DUMP)
		return 0;
	if (!vma->object || !vma->object->operations)
		return vma->end - vma->start;
	if (!(vma->flags & VMA_SHARED) && (vma->access & MAP_WRITE || has_own_page(space, vma)))
		return vma->end - vma->start;
	return vma->offset == 0 && vma->access & MAP_READ ? PAGE_SIZE : 0;
}

static int take_mappings(struct core *core)
{
	struct space *space = current_space();
	struct process *process = current_process();
	struct object *program = process->program ? file_object(process->program) : NULL;
	int error = -ENOMEM;

	mutex_lock(&space->lock);
	core->mappings = kmalloc(space->vma_count * sizeof(*core->mappings) + 1);
	if (core->mappings) {
		for (struct vma *vma = vma_first(space); vma; vma = vma_next(vma))
			core->mappings[core->count++] = (struct core_mapping){.start = vma->start,
				.end = vma->end,
				.dumped = dumped_size(space, vma),
				.access = vma->access,
				.offset = vma->offset,
				.anonymous = !vma->object,
				.of_program = program && vma->object == program};
		error = 0;
	}
	mutex_unlock(&space->lock);
	if (program)
		object_put(program);
	return error;
}

/* The first page that is there, from *address on and before `end`, where that is, and its frame with
 * a reference; NULL: none. */
static struct frame *present_page(uintptr_t *address, uintptr_t end)
{
	struct space *space = current_space();
	struct frame *frame = NULL;
	struct arch_mapping now;

	mutex_lock(&space->lock);
	*address = arch_next_page(&space->arch, *address, end);
	if (*address < end && arch_lookup(&space->arch, *address, &now)) {
		frame = phys_frame(now.phys);
		frame_get(frame);
	}
	mutex_unlock(&space->lock);
	return frame;
}

/* As present_page; of a file also what was not touched, up to its end. */
static struct frame *next_page(
	const struct core_mapping *mapping, uintptr_t *address, uintptr_t end)
{
	struct frame *frame;

	if (!mapping->anonymous && !space_frame(current_space(), *address, FAULT_READ, &frame))
		return frame;
	return present_page(address, end);
}

static void write_memory(struct core *core, const struct core_mapping *mapping)
{
	uintptr_t end = mapping->start + mapping->dumped, at, from;

	for (at = from = mapping->start; at < end && !core->full; from = at) {
		struct frame *frame = next_page(mapping, &at, end);

		skip(core, at - from);
		if (frame) {
			emit(core, frame_ptr(frame), PAGE_SIZE);
			frame_put(frame);
			at += PAGE_SIZE;
		}
		if (__atomic_load_n(&current_process()->core_ends, __ATOMIC_RELAXED))
			core->full = true;
		sched_point();
	}
}

/* ---- The whole ---- */

static void write_headers(struct core *core)
{
	Elf64_Ehdr header = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(header),
		.e_ehsize = sizeof(header),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)(core->count + 1)};
	uint64_t offset = sizeof(header) + (core->count + 1) * sizeof(Elf64_Phdr);
	Elf64_Phdr segment = {
		.p_type = PT_NOTE, .p_offset = offset, .p_filesz = core->notes.size, .p_align = 4};

	emit(core, &header, sizeof(header));
	emit(core, &segment, sizeof(segment));
	offset = ALIGN_UP(offset + core->notes.size, PAGE_SIZE);
	for (size_t i = 0; i < core->count; i++) {
		const struct core_mapping *mapping = &core->mappings[i];

		segment = (Elf64_Phdr){.p_type = PT_LOAD,
			.p_flags = (mapping->access & MAP_READ ? PF_R : 0u) |
				   (mapping->access & MAP_WRITE ? PF_W : 0u) |
				   (mapping->access & MAP_EXECUTE ? PF_X : 0u),
			.p_offset = offset,
			.p_vaddr = mapping->start,
			.p_filesz = mapping->dumped,
			.p_memsz = mapping->end - mapping->start,
			.p_align = PAGE_SIZE};
		emit(core, &segment, sizeof(segment));
		offset += mapping->dumped;
	}
	emit(core, core->notes.bytes, core->notes.size);
	skip(core, (size_t)(-core->position & (int64_t)(PAGE_SIZE - 1)));
}

static bool write_core(struct core *core, const struct signal_info *info)
{
	if (take_mappings(core))
		return false;
	core_notes_make(&core->notes, info, core->mappings, core->count);
	if (core->notes.failed || open_core(core))
		return false;
	write_headers(core);
	for (size_t i = 0; i < core->count && !core->full; i++)
		write_memory(core, &core->mappings[i]);
	/* A hole at the end counts as well. */
	if (!core->full && (uint64_t)core->position > inode_size(core->file->inode) &&
		inode_truncate(core->file->inode, (uint64_t)core->position))
		log_debug("a core's last hole is missing");
	file_put(core->file);
	return true;
}

void core_dump(const struct signal_info *info)
{
	struct process *process = current_process();
	struct core core = {.signal = info->number,
		.limit = __atomic_load_n(&process->limits[RLIMIT_CORE].soft, __ATOMIC_RELAXED)};
	bool dumped;

	if (core.limit < PAGE_SIZE || !process->dumpable || !process->space ||
		!stop_others(process, info->number))
		return;
	dumped = write_core(&core, info);
	kfree(core.mappings);
	kfree(core.notes.bytes);
	release_others(process, dumped);
}
