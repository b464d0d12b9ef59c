/* SPDX-License-Identifier: MIT */
/* man 2 ptrace: the requests. What they work on is process/ptrace.c. */
#include "syscall/table.h" /* first: <asm/ptrace-abi.h> has names for registers that are ours */

#include <elf.h>
#include <linux/audit.h>
#include <linux/ptrace.h>
#include <linux/uio.h>

#include <asm/prctl.h>
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "arch_registers.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/pages.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/process.h"
#include "process/ptrace.h"
#include "process/sched.h"

#define OPTIONS                                                                                   \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | \
		PTRACE_O_TRACEEXEC | PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT |               \
		PTRACE_O_EXITKILL)

/* ---- Memory ---- */

static struct space *space_of(struct tracee *tracee)
{
	return tracee->thread->process->space;
}

/* A program that its tracer may not read, or one with other rights, keeps its memory to itself. */
static bool may_touch(const struct tracee *tracee)
{
	return tracee->capable ||
	       __atomic_load_n(&tracee->thread->process->dumpable, __ATOMIC_RELAXED) == 1;
}

static int peek(struct tracee *tracee, uintptr_t address, uint64_t *word)
{
	uint8_t *to = (uint8_t *)word;

	if (!may_touch(tracee))
		return -EIO;
	for (size_t done = 0; done < sizeof(*word);) {
		size_t within = (address + done) & (PAGE_SIZE - 1);
		size_t part = sizeof(*word) - done;
		struct frame *frame;

		if (part > PAGE_SIZE - within)
			part = PAGE_SIZE - within;
		if (space_frame(space_of(tracee), address + done, FAULT_READ, &frame))
			return -EIO;
		memcpy(to + done, (char *)frame_ptr(frame) + within, part);
		frame_put(frame);
		done += part;
	}
	return 0;
}

static int poke(struct tracee *tracee, uintptr_t address, uint64_t word)
{
	if (!may_touch(tracee))
		return -EIO;
	return space_write_forced(space_of(tracee), address, &word, sizeof(word)) ? -EIO : 0;
}

/* ---- struct user ---- */

static bool in_debug_registers(uintptr_t offset)
{
	return offset >= USER_AREA_DEBUG &&
	       offset < USER_AREA_DEBUG + USER_AREA_DEBUGS * sizeof(uint64_t);
}

static long peek_user(struct tracee *tracee, uintptr_t offset, uint64_t *word)
{
	struct user_regs_struct registers;

	if (offset % sizeof(*word) || offset >= USER_AREA_SIZE)
		return -EIO;
	*word = 0; /* what lies between is not used on this machine */
	if (in_debug_registers(offset)) {
		*word = arch_debug_get(
			tracee->thread, (unsigned)((offset - USER_AREA_DEBUG) / sizeof(*word)));
	} else if (offset < sizeof(registers)) {
		arch_registers_get(tracee->thread, &registers);
		*word = ((uint64_t *)&registers)[offset / sizeof(*word)];
	}
	return 0;
}

static long poke_user(struct tracee *tracee, uintptr_t offset, uint64_t word)
{
	struct user_regs_struct registers;

	if (offset % sizeof(word) || offset >= USER_AREA_SIZE)
		return -EIO;
	if (in_debug_registers(offset))
		return arch_debug_set(tracee->thread,
			(unsigned)((offset - USER_AREA_DEBUG) / sizeof(word)), word);
	if (offset >= sizeof(registers))
		return -EIO;
	arch_registers_get(tracee->thread, &registers);
	((uint64_t *)&registers)[offset / sizeof(word)] = word;
	return arch_registers_set(tracee->thread, &registers);
}

/* ---- Registers ---- */

static long get_fpu(struct tracee *tracee, user_t to, size_t size)
{
	void *state = kmalloc(arch_fpu_size());
	long result = -ENOMEM;

	if (state) {
		arch_fpu_get(tracee->thread, state);
		result = copy_to_user(to, state, size);
	}
	kfree(state);
	return result;
}

static long set_fpu(struct tracee *tracee, user_t from, size_t size)
{
	void *state = kmalloc(arch_fpu_size());
	long result = -ENOMEM;

	if (state)
		result = copy_from_user(state, from, size);
	if (!result)
		result = arch_fpu_set(tracee->thread, state, size);
	kfree(state);
	return result;
}

static long get_registers(struct tracee *tracee, user_t to, size_t size)
{
	struct user_regs_struct registers;

	arch_registers_get(tracee->thread, &registers);
	return copy_to_user(to, &registers, size);
}

static long set_registers(struct tracee *tracee, user_t from, size_t size)
{
	struct user_regs_struct registers;

	arch_registers_get(tracee->thread, &registers);
	if (copy_from_user(&registers, from, size))
		return -EFAULT;
	return arch_registers_set(tracee->thread, &registers);
}

static long register_set(struct tracee *tracee, bool set, uintptr_t type, user_t vector)
{
	struct iovec area;
	size_t whole;
	user_t base;
	long result;

	if (copy_from_user(&area, vector, sizeof(area)))
		return -EFAULT;
	if (type == NT_PRSTATUS)
		whole = sizeof(struct user_regs_struct);
	else if (type == NT_FPREGSET)
		whole = FPU_LEGACY_SIZE;
	else if (type == NT_X86_XSTATE)
		whole = arch_fpu_size();
	else
		return -EINVAL;
	if (area.iov_len % sizeof(uint64_t))
		return -EINVAL;
	if (area.iov_len > whole)
		area.iov_len = whole;
	base = user_pointer((uintptr_t)area.iov_base);
	if (type == NT_PRSTATUS)
		result = set ? set_registers(tracee, base, area.iov_len)
			     : get_registers(tracee, base, area.iov_len);
	else if (set && area.iov_len != whole)
		result = -EINVAL;
	else
		result = set ? set_fpu(tracee, base, area.iov_len)
			     : get_fpu(tracee, base, area.iov_len);
	if (!result)
		result = copy_to_user(vector, &area, sizeof(area));
	return result;
}

/* man 2 arch_prctl on the tracee: the bases of FS and GS. */
static long arch_control(struct tracee *tracee, unsigned long code, uintptr_t value)
{
	struct user_regs_struct registers;

	arch_registers_get(tracee->thread, &registers);
	switch (code) {
	case ARCH_GET_FS:
		return copy_to_user(user_pointer(value), &registers.fs_base, sizeof(uint64_t));
	case ARCH_GET_GS:
		return copy_to_user(user_pointer(value), &registers.gs_base, sizeof(uint64_t));
	case ARCH_SET_FS:
		registers.fs_base = value;
		break;
	case ARCH_SET_GS:
		registers.gs_base = value;
		break;
	default:
		return -EINVAL;
	}
	return arch_registers_set(tracee->thread, &registers) ? -EPERM : 0;
}

/* ---- Signals ---- */

static long get_info(struct tracee *tracee, user_t to)
{
	siginfo_t whole = {0};

	if (!tracee->has_info)
		return -EINVAL;
	memcpy(&whole, &tracee->info, sizeof(tracee->info));
	return copy_to_user(to, &whole, sizeof(whole));
}

static long set_info(struct tracee *tracee, user_t from)
{
	struct signal_info info;

	if (copy_from_user(&info, from, sizeof(info)))
		return -EFAULT;
	if (!tracee->has_info)
		return -EINVAL;
	tracee->info = info;
	return 0;
}

static long get_mask(struct tracee *tracee, size_t size, user_t to)
{
	const struct thread_signals *signals = &tracee->thread->signals;
	uint64_t mask = signals->restore ? signals->saved : signals->blocked;

	return size == sizeof(mask) ? copy_to_user(to, &mask, sizeof(mask)) : -EINVAL;
}

static long set_mask(struct tracee *tracee, size_t size, user_t from)
{
	uint64_t mask;

	if (size != sizeof(mask))
		return -EINVAL;
	if (copy_from_user(&mask, from, sizeof(mask)))
		return -EFAULT;
	spin_lock(&process_lock);
	tracee->thread->signals.blocked = mask & ~SIGNALS_UNBLOCKABLE;
	tracee->thread->signals.restore = false;
	thread_set_work(tracee->thread, WORK_SIGNAL);
	spin_unlock(&process_lock);
	return 0;
}

/* The entry `index` of a queue; false: there are fewer. */
static bool queued_info(const struct signal_queue *queue, uint64_t index, siginfo_t *out) requires(
	process_lock)
{
	const struct signal_entry *entry;

	list_for_each(entry, &queue->entries, link)
	{
		if (index--)
			continue;
		memset(out, 0, sizeof(*out));
		memcpy(out, &entry->info, sizeof(entry->info));
		return true;
	}
	return false;
}

static long peek_queue(struct tracee *tracee, user_t arguments, user_t to)
{
	struct thread *thread = tracee->thread;
	struct ptrace_peeksiginfo_args args;
	siginfo_t info;
	bool found;
	int done;

	if (copy_from_user(&args, arguments, sizeof(args)))
		return -EFAULT;
	if (args.nr < 0 || (args.flags & ~(uint32_t)PTRACE_PEEKSIGINFO_SHARED))
		return -EINVAL;
	for (done = 0; done < args.nr; done++) {
		spin_lock(&process_lock);
		found = queued_info(
			args.flags ? &thread->process->signals.queue : &thread->signals.queue,
			args.off + (uint64_t)done, &info);
		spin_unlock(&process_lock);
		if (!found)
			break;
		if (copy_to_user(user_offset(to, (size_t)done * sizeof(info)), &info, sizeof(info)))
			return done ? done : -EFAULT;
	}
	return done;
}

static long call_info(struct tracee *tracee, size_t size, user_t to)
{
	struct ptrace_syscall_info info = {.op = PTRACE_SYSCALL_INFO_NONE};
	size_t length = offsetof(struct ptrace_syscall_info, entry);
	struct user_regs_struct r;

	arch_registers_get(tracee->thread, &r);
	info.arch = AUDIT_ARCH_X86_64;
	info.instruction_pointer = r.ip;
	info.stack_pointer = r.sp;
	if (tracee->in_call && tracee->entering) {
		info.op = PTRACE_SYSCALL_INFO_ENTRY;
		info.entry.nr = r.orig_ax;
		info.entry.args[0] = r.di;
		info.entry.args[1] = r.si;
		info.entry.args[2] = r.dx;
		info.entry.args[3] = r.r10;
		info.entry.args[4] = r.r8;
		info.entry.args[5] = r.r9;
		length = offsetof(struct ptrace_syscall_info, entry.args) + sizeof(info.entry.args);
	} else if (tracee->in_call) {
		info.op = PTRACE_SYSCALL_INFO_EXIT;
		info.exit.rval = (int64_t)r.ax;
		info.exit.is_error = info.exit.rval < 0 && info.exit.rval > -4096;
		length = offsetof(struct ptrace_syscall_info, exit.is_error) +
			 sizeof(info.exit.is_error);
	}
	if (copy_to_user(to, &info, size < length ? size : length))
		return -EFAULT;
	return (long)length;
}

static long set_options(struct tracee *tracee, unsigned long options)
{
	if (options & ~(unsigned long)OPTIONS)
		return -EINVAL;
	tracee->options = (unsigned)options;
	return 0;
}

/* ---- The call ---- */

/* A request that looks at a stopped tracee, or changes it. */
static long look(struct tracee *tracee, long request, uintptr_t address, uintptr_t data)
{
	user_t to = user_pointer(data);
	uint64_t word;
	long error;

	switch (request) {
	case PTRACE_PEEKTEXT:
	case PTRACE_PEEKDATA:
		error = peek(tracee, address, &word);
		return error ? error : copy_to_user(to, &word, sizeof(word));
	case PTRACE_PEEKUSR:
		error = peek_user(tracee, address, &word);
		return error ? error : copy_to_user(to, &word, sizeof(word));
	case PTRACE_POKETEXT:
	case PTRACE_POKEDATA:
		return poke(tracee, address, data);
	case PTRACE_POKEUSR:
		return poke_user(tracee, address, data);
	case PTRACE_GETREGS:
		return get_registers(tracee, to, sizeof(struct user_regs_struct));
	case PTRACE_SETREGS:
		return set_registers(tracee, to, sizeof(struct user_regs_struct));
	case PTRACE_GETFPREGS:
		return get_fpu(tracee, to, FPU_LEGACY_SIZE);
	case PTRACE_SETFPREGS:
		return set_fpu(tracee, to, FPU_LEGACY_SIZE);
	case PTRACE_GETREGSET:
	case PTRACE_SETREGSET:
		return register_set(tracee, request == PTRACE_SETREGSET, address, to);
	case PTRACE_GETSIGINFO:
		return get_info(tracee, to);
	case PTRACE_SETSIGINFO:
		return set_info(tracee, to);
	case PTRACE_GETSIGMASK:
		return get_mask(tracee, address, to);
	case PTRACE_SETSIGMASK:
		return set_mask(tracee, address, to);
	case PTRACE_PEEKSIGINFO:
		return peek_queue(tracee, user_pointer(address), to);
	case PTRACE_GETEVENTMSG:
		word = tracee->message;
		return copy_to_user(to, &word, sizeof(word));
	case PTRACE_SETOPTIONS:
	case PTRACE_OLDSETOPTIONS:
		return set_options(tracee, data);
	case PTRACE_ARCH_PRCTL:
		return arch_control(tracee, data, address);
	case PTRACE_GET_SYSCALL_INFO:
		return call_info(tracee, address, to);
	default:
		return -EIO;
	}
}

static long attach(int tid, bool seize, uintptr_t address, uintptr_t data)
{
	if (seize && (address || (data & ~(uintptr_t)OPTIONS)))
		return -EIO;
	return ptrace_attach(tid, seize, seize ? (unsigned)data : 0);
}

long sys_ptrace(long request, long tid, uintptr_t address, uintptr_t data)
{
	struct tracee *tracee;
	long result;
	int error;

	switch (request) {
	case PTRACE_TRACEME:
		return ptrace_trace_me();
	case PTRACE_ATTACH:
	case PTRACE_SEIZE:
		return attach((int)tid, request == PTRACE_SEIZE, address, data);
	case PTRACE_INTERRUPT:
		return ptrace_interrupt((int)tid);
	case PTRACE_KILL:
		return ptrace_kill((int)tid);
	default:
		break;
	}
	tracee = ptrace_take((int)tid, &error);
	if (!tracee)
		return error;
	switch (request) {
	case PTRACE_CONT:
		return ptrace_continue(tracee, RESUME_RUN, data);
	case PTRACE_SYSCALL:
		return ptrace_continue(tracee, RESUME_SYSCALL, data);
	case PTRACE_SINGLESTEP:
		return ptrace_continue(tracee, RESUME_STEP, data);
	case PTRACE_SYSEMU:
		return ptrace_continue(tracee, RESUME_EMULATE, data);
	case PTRACE_SYSEMU_SINGLESTEP:
		return ptrace_continue(tracee, RESUME_EMULATE_STEP, data);
	case PTRACE_DETACH:
		return ptrace_detach(tracee, data);
	case PTRACE_LISTEN:
		return ptrace_listen(tracee);
	default:
		result = look(tracee, request, address, data);
		ptrace_release(tracee);
		return result;
	}
}
