/* SPDX-License-Identifier: MIT */
/* What a process asks of the kernel for itself: man 2 prctl, arch_prctl, personality, ioprio_set. */
#include <asm/prctl.h>
#include <linux/capability.h>
#include <linux/ioprio.h>
#include <linux/sched.h>
#include <linux/prctl.h>
#include <linux/securebits.h>

#include "lib/errno.h"
#include "lib/string.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/process.h"
#include "process/sched.h"
#include "syscall/table.h"

#define CAPABILITY_BIT(n) (UINT64_C(1) << (n))
#define TIMER_SLACK       (NS_PER_SECOND / 20000)

/* ---- Names ---- */

static long set_name(user_t from)
{
	struct thread *self = current_thread();
	char name[NAME_SIZE] = {0};
	ssize_t length = copy_string_from_user(name, from, sizeof(name) - 1);

	if (length < 0 && length != -ENAMETOOLONG)
		return length;
	name[NAME_SIZE - 1] = 0;
	spin_lock(&process_lock); /* for who looks at other threads' */
	memcpy(self->name, name, sizeof(name));
	if (self->process->leader == self)
		memcpy(self->process->name, name, sizeof(name));
	spin_unlock(&process_lock);
	return 0;
}

static long put_int(user_t out, int value)
{
	return copy_to_user(out, &value, sizeof(value));
}

/* ---- Capabilities ---- */

/* Puts a changed copy in place. */
static long use(struct credentials *new)
{
	if (!new)
		return -ENOMEM;
	credentials_set(new);
	return 0;
}

static long drop_bounding(unsigned long capability)
{
	struct credentials *new;

	if (!capable(CAP_SETPCAP))
		return -EPERM;
	if (capability > CAPABILITY_MAX)
		return -EINVAL;
	new = credentials_copy(current_credentials());
	if (new)
		new->bounding &= ~CAPABILITY_BIT(capability);
	return use(new);
}

static long set_securebits(unsigned long bits)
{
	uint32_t old = current_credentials()->securebits;
	struct credentials *new;

	/* A lock stays, what it locks stays too, no other bits, and not everybody may. */
	if (((old & SECURE_ALL_LOCKS) >> 1) & (old ^ bits) || (old & SECURE_ALL_LOCKS) & ~bits ||
		bits & ~(SECURE_ALL_LOCKS | SECURE_ALL_BITS) || !capable(CAP_SETPCAP))
		return -EPERM;
	new = credentials_copy(current_credentials());
	if (new)
		new->securebits = (uint32_t)bits;
	return use(new);
}

static long set_keep_caps(unsigned long on)
{
	struct credentials *new;

	if (on > 1)
		return -EINVAL;
	if (current_credentials()->securebits & issecure_mask(SECURE_KEEP_CAPS_LOCKED))
		return -EPERM;
	new = credentials_copy(current_credentials());
	if (new &&on)
		new->securebits |= issecure_mask(SECURE_KEEP_CAPS);
	else if (new)
		new->securebits &= ~(uint32_t)issecure_mask(SECURE_KEEP_CAPS);
	return use(new);
}

static long change_ambient(unsigned long what, uint64_t bit)
{
	const struct credentials *self = current_credentials();
	struct credentials *new;

	if (what == PR_CAP_AMBIENT_IS_SET)
		return !!(self->ambient & bit);
	if (what != PR_CAP_AMBIENT_RAISE && what != PR_CAP_AMBIENT_LOWER &&
		what != PR_CAP_AMBIENT_CLEAR_ALL)
		return -EINVAL;
	if (what == PR_CAP_AMBIENT_RAISE &&
		(!(self->permitted & self->inheritable & bit) ||
			self->securebits & issecure_mask(SECURE_NO_CAP_AMBIENT_RAISE)))
		return -EPERM;
	new = credentials_copy(self);
	if (new &&what == PR_CAP_AMBIENT_RAISE)
		new->ambient |= bit;
	else if (new)
		new->ambient &= ~bit;
	return use(new);
}

static long ambient(unsigned long what, unsigned long capability, bool more)
{
	if (what == PR_CAP_AMBIENT_CLEAR_ALL)
		return capability || more ? -EINVAL : change_ambient(what, UINT64_MAX);
	if (capability > CAPABILITY_MAX || more)
		return -EINVAL;
	return change_ambient(what, CAPABILITY_BIT(capability));
}

static long credentials_control(int option, const unsigned long argument[4])
{
	const struct credentials *self = current_credentials();

	switch (option) {
	case PR_CAPBSET_READ:
		return argument[0] > CAPABILITY_MAX ? -EINVAL
						    : (long)(self->bounding >> argument[0] & 1);
	case PR_CAPBSET_DROP:
		return drop_bounding(argument[0]);
	case PR_GET_SECUREBITS:
		return self->securebits;
	case PR_SET_SECUREBITS:
		return set_securebits(argument[0]);
	case PR_GET_KEEPCAPS:
		return !!(self->securebits & issecure_mask(SECURE_KEEP_CAPS));
	case PR_SET_KEEPCAPS:
		return set_keep_caps(argument[0]);
	case PR_CAP_AMBIENT:
		return ambient(argument[0], argument[1], argument[2] || argument[3]);
	default:
		return -EINVAL;
	}
}

/* ---- What the process and the thread have ---- */

static long set_no_new_privs(const unsigned long argument[4])
{
	if (argument[0] != 1 || argument[1] || argument[2] || argument[3])
		return -EINVAL;
	current_thread()->no_new_privs = true;
	return 0;
}

/* Yama's: who may trace in spite of its scope. Debian's scope is 0, in which everybody may trace whom man
 * 2 ptrace lets him, so there is nothing to keep; only that there is such a process is looked at. */
static long set_tracer(unsigned long tracer)
{
	struct thread *thread;

	if (!tracer || (int)tracer == -1)
		return 0;
	spin_lock(&process_lock);
	thread = thread_find((int)tracer);
	spin_unlock(&process_lock);
	return thread ? 0 : -EINVAL;
}

static long process_control(int option, const unsigned long argument[4])
{
	struct process *process = current_process();
	bool more = argument[0] || argument[1] || argument[2] || argument[3];

	switch (option) {
	case PR_GET_DUMPABLE:
		return process->dumpable;
	case PR_SET_DUMPABLE:
		if (argument[0] > 1)
			return -EINVAL;
		process->dumpable = (uint32_t)argument[0];
		return 0;
	case PR_SET_PTRACER:
		return set_tracer(argument[0]);
	case PR_SET_CHILD_SUBREAPER:
		process->subreaper = argument[0] != 0;
		return 0;
	case PR_GET_CHILD_SUBREAPER:
		return put_int(user_pointer(argument[0]), process->subreaper);
	case PR_GET_THP_DISABLE:
		return more ? -EINVAL : process->no_huge_pages;
	case PR_SET_THP_DISABLE:
		if (argument[1] || argument[2] || argument[3])
			return -EINVAL;
		process->no_huge_pages = argument[0] != 0;
		return 0;
	default:
		return credentials_control(option, argument);
	}
}

static long set_death_signal(unsigned long signal)
{
	if (signal > SIGNALS)
		return -EINVAL;
	current_thread()->parent_death_signal = (int)signal;
	return 0;
}

long sys_prctl(int option, uintptr_t a, uintptr_t b, uintptr_t c, uintptr_t d)
{
	const unsigned long argument[4] = {a, b, c, d};
	struct thread *self = current_thread();

	switch (option) {
	case PR_SET_NAME:
		return set_name(user_pointer(a));
	case PR_GET_NAME:
		return copy_to_user(user_pointer(a), self->name, sizeof(self->name));
	case PR_SET_PDEATHSIG:
		return set_death_signal(a);
	case PR_GET_PDEATHSIG:
		return put_int(user_pointer(a), self->parent_death_signal);
	case PR_SET_NO_NEW_PRIVS:
		return set_no_new_privs(argument);
	case PR_GET_NO_NEW_PRIVS:
		return a || b || c || d ? -EINVAL : self->no_new_privs;
	case PR_SET_TIMERSLACK:
		self->timer_slack = (long)a <= 0 ? TIMER_SLACK : a;
		return 0;
	case PR_GET_TIMERSLACK:
		return (long)self->timer_slack;
	case PR_GET_TIMING:
		return PR_TIMING_STATISTICAL;
	case PR_SET_TIMING:
		return a == PR_TIMING_STATISTICAL ? 0 : -EINVAL;
	case PR_GET_TSC:
		return put_int(user_pointer(a), PR_TSC_ENABLE);
	case PR_SET_TSC:
		return a == PR_TSC_ENABLE ? 0 : -EINVAL;
	case PR_GET_TID_ADDRESS:
		return copy_to_user(
			user_pointer(a), &self->clear_tid.address, sizeof(self->clear_tid.address));
	case PR_GET_SECCOMP:
	case PR_TASK_PERF_EVENTS_DISABLE: /* it has none */
	case PR_TASK_PERF_EVENTS_ENABLE:
		return 0;
	case PR_MCE_KILL_GET:
		return a || b || c || d ? -EINVAL : PR_MCE_KILL_DEFAULT;
	default:
		return process_control(option, argument);
	}
}

/* ---- The machine ---- */

long sys_arch_prctl(int code, uintptr_t address)
{
	uint64_t base;

	switch (code) {
	case ARCH_SET_FS:
	case ARCH_SET_GS:
		if (address >= USER_END)
			return -EPERM;
		if (code == ARCH_SET_FS)
			arch_set_fs_base(address);
		else
			arch_set_gs_base(address);
		return 0;
	case ARCH_GET_FS:
	case ARCH_GET_GS:
		base = code == ARCH_GET_FS ? arch_get_fs_base() : arch_get_gs_base();
		return copy_to_user(user_pointer(address), &base, sizeof(base));
	case ARCH_GET_CPUID:
		return 1; /* the instruction works */
	case ARCH_SET_CPUID:
		return -ENODEV; /* and cannot be made not to */
	default:
		return -EINVAL;
	}
}

/* What it changes here is whether addresses are random (ADDR_NO_RANDOMIZE); the rest is kept. */
long sys_personality(unsigned long persona)
{
	struct thread *self = current_thread();
	uint32_t old = self->personality;

	if ((uint32_t)persona != UINT32_MAX)
		self->personality = (uint32_t)persona;
	return old;
}

/* ---- I/O priorities: kept and told; nothing queues by them ---- */

static int check_io_priority(int priority)
{
	unsigned level = IOPRIO_PRIO_DATA((unsigned)priority);

	switch (IOPRIO_PRIO_CLASS((unsigned)priority)) {
	case IOPRIO_CLASS_RT:
		if (!capable(CAP_SYS_ADMIN) && !capable(CAP_SYS_NICE))
			return -EPERM;
		return level >= IOPRIO_NR_LEVELS ? -EINVAL : 0;
	case IOPRIO_CLASS_BE:
		return level >= IOPRIO_NR_LEVELS ? -EINVAL : 0;
	case IOPRIO_CLASS_IDLE:
		return 0;
	case IOPRIO_CLASS_NONE:
		return level ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

static bool may_set(const struct thread *thread) requires(process_lock)
{
	const struct credentials *self = current_credentials(), *other = thread->credentials;

	return other->uid == self->euid || other->uid == self->uid ||
	       has_capability(self, CAP_SYS_NICE);
}

/* Visits the threads that `which` and `who` name: all of a group or user by their leaders. */
struct io_priority {
	bool set, of_many; /* of a group or a user the best is told */
	uint32_t uid;
	int value;
	long result; /* -ESRCH until one is found */
};

/* What a thread that never said so has: by its policy and its nice value. */
static uint32_t effective_io_priority(struct thread *thread) requires(process_lock)
{
	struct sched_parameters sched;
	int class;

	if (IOPRIO_PRIO_CLASS(thread->io_priority) != IOPRIO_CLASS_NONE)
		return thread->io_priority;
	sched_get_parameters(thread, &sched);
	class = sched.policy == SCHED_IDLE                               ? IOPRIO_CLASS_IDLE
		: sched.policy == SCHED_FIFO || sched.policy == SCHED_RR ? IOPRIO_CLASS_RT
									 : IOPRIO_CLASS_BE;
	return (uint32_t)IOPRIO_PRIO_VALUE(class, (sched.nice + 20) / 5);
}

static void io_priority_of(struct thread *thread, struct io_priority *io) requires(process_lock)
{
	uint32_t value;

	if (io->set && !may_set(thread)) {
		io->result = -EPERM;
		return;
	}
	if (io->set)
		thread->io_priority = (uint32_t)io->value;
	value = io->of_many ? effective_io_priority(thread) : thread->io_priority;
	if (io->result < 0 || (!io->set && value < io->result))
		io->result = io->set ? 0 : value;
}

static void io_priority_of_user(struct process *process, void *context) no_lock_checks
{
	struct io_priority *io = context;

	if (process->leader && process->leader->credentials->uid == io->uid)
		io_priority_of(process->leader, io);
}

static long io_priority(int which, int who, struct io_priority *io)
{
	struct process *process;
	struct thread *thread;
	struct pid *group;

	io->result = -ESRCH;
	io->of_many = which != IOPRIO_WHO_PROCESS;
	spin_lock(&process_lock);
	if (which == IOPRIO_WHO_PROCESS) {
		thread = who ? thread_find(who) : current_thread();
		if (thread)
			io_priority_of(thread, io);
	} else if (which == IOPRIO_WHO_PGRP) {
		group = who ? pid_find(who) : current_process()->group;
		if (group)
			list_for_each(process, &group->group, group_link) if (process->leader)
				io_priority_of(process->leader, io);
	} else if (which == IOPRIO_WHO_USER) {
		io->uid = who ? (uint32_t)who : current_credentials()->uid;
		process_for_each(io_priority_of_user, io);
	} else {
		io->result = -EINVAL;
	}
	spin_unlock(&process_lock);
	return io->result;
}

long sys_ioprio_set(int which, int who, int priority)
{
	struct io_priority io = {.set = true, .value = priority};
	int error = check_io_priority(priority);

	return error ? error : io_priority(which, who, &io);
}

long sys_ioprio_get(int which, int who)
{
	struct io_priority io = {0};

	return io_priority(which, who, &io);
}
