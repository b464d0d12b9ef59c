/* SPDX-License-Identifier: MIT */
/*
 * The notes of a core file: Linux's <linux/elfcore.h> and binfmt_elf. The threads other than the
 * running one wait in core_wait, switched away from, so their registers are whole.
 */
#include <elf.h>

#include <asm/siginfo.h>

#include "arch/arch.h"
#include "arch_registers.h"
#include "files/file.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/core.h"
#include "process/credentials.h"
#include "process/process.h"
#include "process/sched.h"

#define NOTE_SIGINFO 0x53494749u /* "SIGI" */
#define NOTE_FILE    0x46494c45u /* "FILE" */
#define AUXV_MAX     (2 * 24 * sizeof(uint64_t))

struct time_value {
	int64_t seconds, microseconds;
};

/* struct elf_prstatus */
struct status_note {
	int signal, code, error;
	short current;
	uint64_t pending, held;
	int pid, parent, group, session;
	struct time_value user, system, child_user, child_system;
	struct user_regs_struct registers;
	int has_fpu;
};

/* struct elf_prpsinfo */
struct info_note {
	char state, state_name, zombie, nice;
	uint64_t flags;
	uint32_t uid, gid;
	int pid, parent, group, session;
	char name[16], arguments[80];
};

_Static_assert(sizeof(struct status_note) == 336, "Linux's elf_prstatus");
_Static_assert(sizeof(struct info_note) == 136, "Linux's elf_prpsinfo");

static void *room(struct core_notes *notes, size_t size)
{
	size_t wanted = notes->capacity ? notes->capacity : 8192;
	char *bytes;

	while (wanted < notes->size + size)
		wanted *= 2;
	if (!notes->failed && wanted != notes->capacity) {
		bytes = kmalloc(wanted);
		notes->failed = !bytes;
		if (bytes) {
			memcpy(bytes, notes->bytes, notes->size);
			kfree(notes->bytes);
			notes->bytes = bytes;
			notes->capacity = wanted;
		}
	}
	if (notes->failed)
		return NULL;
	bytes = notes->bytes + notes->size;
	memset(bytes, 0, size);
	notes->size += size;
	return bytes;
}

/* A note's head; its bytes, zeroed and maybe not aligned for words, are to be filled in. NULL: no memory. */
static void *note(struct core_notes *notes, const char *owner, uint32_t type, size_t size)
{
	size_t name = ALIGN_UP(strlen(owner) + 1, 4);
	char *at = room(notes, sizeof(Elf64_Nhdr) + name + ALIGN_UP(size, 4));

	if (!at)
		return NULL;
	*(Elf64_Nhdr *)at = (Elf64_Nhdr){(uint32_t)strlen(owner) + 1, (uint32_t)size, type};
	memcpy(at + sizeof(Elf64_Nhdr), owner, strlen(owner) + 1);
	return at + sizeof(Elf64_Nhdr) + name;
}

static void put_note(
	struct core_notes *notes, const char *owner, uint32_t type, const void *from, size_t size)
{
	void *out = note(notes, owner, type, size);

	if (out)
		memcpy(out, from, size);
}

static struct time_value to_time(ns_t time)
{
	return (struct time_value){
		(int64_t)(time / NS_PER_SECOND), (int64_t)(time % NS_PER_SECOND / 1000)};
}

static void put_status(
	struct core_notes *notes, struct thread *thread, const struct signal_info *info)
{
	struct status_note out = {0};
	struct process *process = current_process();
	struct usage usage = {0};

	out.signal = out.current = (short)info->number;
	out.code = info->code;
	out.error = info->error;
	spin_lock(&process_lock);
	thread_usage(thread, &usage);
	out.pending = thread->signals.queue.set;
	out.held = thread->signals.blocked;
	out.parent = process->parent ? process->parent->id : 0;
	out.child_user = to_time(process->child_usage.user);
	out.child_system = to_time(process->child_usage.system);
	spin_unlock(&process_lock);
	out.pid = thread->tid;
	out.group = process->group_id;
	out.session = process->session_id;
	out.user = to_time(usage.user);
	out.system = to_time(usage.system);
	out.has_fpu = 1;
	arch_registers_get(thread, &out.registers);
	put_note(notes, "CORE", NT_PRSTATUS, &out, sizeof(out));
}

static void put_info(struct core_notes *notes)
{
	struct info_note out = {0};
	const struct credentials *who = current_credentials();
	struct process *process = current_process();
	const struct space *space = process->space;
	size_t size = space->arguments_end - space->arguments;

	out.state_name = 'R';
	out.uid = who->uid;
	out.gid = who->gid;
	out.pid = process->id;
	spin_lock(&process_lock);
	out.parent = process->parent ? process->parent->id : 0;
	spin_unlock(&process_lock);
	out.group = process->group_id;
	out.session = process->session_id;
	string_copy(out.name, current_thread()->name, sizeof(out.name));
	if (size > sizeof(out.arguments) - 1)
		size = sizeof(out.arguments) - 1;
	size = copy_from_user_partial(out.arguments, user_pointer(space->arguments), size);
	for (size_t i = 0; i < size; i++) {
		if (!out.arguments[i])
			out.arguments[i] = ' ';
	}
	put_note(notes, "CORE", NT_PRPSINFO, &out, sizeof(out));
}

static void put_siginfo(struct core_notes *notes, const struct signal_info *info)
{
	siginfo_t out = {0};

	memcpy(&out, info, sizeof(*info));
	put_note(notes, "CORE", NOTE_SIGINFO, &out, sizeof(out));
}

/* As it stands on the program's stack. */
static void put_auxv(struct core_notes *notes)
{
	uint64_t words[AUXV_MAX / sizeof(uint64_t)];
	size_t got = copy_from_user_partial(
		words, user_pointer(current_process()->space->auxv), sizeof(words));
	size_t count = 0;

	while ((count + 2) * sizeof(words[0]) <= got) {
		count += 2;
		if (words[count - 2] == AT_NULL)
			break;
	}
	put_note(notes, "CORE", NT_AUXV, words, count * sizeof(words[0]));
}

static char *put_words(char *to, const uint64_t *words, size_t count)
{
	memcpy(to, words, count * sizeof(*words));
	return to + count * sizeof(*words);
}

/* Which parts of the program's file are mapped where. */
static void put_files(struct core_notes *notes, const struct core_mapping *mappings, size_t count)
{
	struct file *program = current_process()->program;
	const char *path = program ? file_path(program) : "";
	size_t length = strlen(path) + 1, files = 0, i;
	char *words, *names;

	for (i = 0; i < count; i++)
		files += mappings[i].of_program;
	words = note(notes, "CORE", NOTE_FILE, (2 + 3 * files) * sizeof(uint64_t) + files * length);
	if (!words)
		return;
	names = words + (2 + 3 * files) * sizeof(uint64_t);
	words = put_words(words, (uint64_t[]){files, PAGE_SIZE}, 2);
	for (i = 0; i < count; i++) {
		if (!mappings[i].of_program)
			continue;
		words = put_words(words,
			(uint64_t[]){
				mappings[i].start, mappings[i].end, mappings[i].offset / PAGE_SIZE},
			3);
		memcpy(names, path, length);
		names += length;
	}
}

static void put_fpu(struct core_notes *notes, struct thread *thread)
{
	char *state = kmalloc(arch_fpu_size());

	if (!state) {
		notes->failed = true;
		return;
	}
	arch_fpu_get(thread, state);
	put_note(notes, "CORE", NT_FPREGSET, state, FPU_LEGACY_SIZE);
	if (arch_fpu_size() > FPU_LEGACY_SIZE)
		put_note(notes, "LINUX", NT_X86_XSTATE, state, arch_fpu_size());
	kfree(state);
}

/* The thread with the least tid above `tid` that waits; NULL: no more. It stays, until the core is
 * written. */
static struct thread *next_waiting(int tid)
{
	struct thread *thread, *next = NULL;

	spin_lock(&process_lock);
	list_for_each(thread, &current_process()->threads, siblings)
	{
		if (thread->signals.core_waits && thread->tid > tid &&
			(!next || thread->tid < next->tid))
			next = thread;
	}
	spin_unlock(&process_lock);
	if (next)
		thread_wait_switched(next);
	return next;
}

void core_notes_make(struct core_notes *notes, const struct signal_info *info,
	const struct core_mapping *mappings, size_t count)
{
	struct thread *self = current_thread();

	arch_registers_sync();
	put_status(notes, self, info);
	put_info(notes);
	put_siginfo(notes, info);
	put_auxv(notes);
	put_files(notes, mappings, count);
	put_fpu(notes, self);
	for (struct thread *t = next_waiting(0); t && !notes->failed; t = next_waiting(t->tid)) {
		put_status(notes, t, info);
		put_fpu(notes, t);
	}
}
