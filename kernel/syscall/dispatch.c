/* SPDX-License-Identifier: MIT */
/*
 * From a number to a handler, by the table that the thread has: the plain one, or the tracer's, so that
 * tracing costs nothing where there is none. The plain table is made from table.h: for each call a small adapter that
 * takes the arguments from the registers with their types (rdi, rsi, rdx, r10, r8, r9). Calls are counted;
 * those that nobody handles by number too, for the log at the end.
 */
#include "arch/arch.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "process/process.h"
#include "syscall/dispatch.h"
#include "syscall/table.h"
#include "trap_frame.h"
#include "traps.h"

#define ARG SYSCALL_ARGUMENT
#define ADAPT(name, ...)                                            \
	static long adapt_##name(const struct trap_frame *f UNUSED) \
	{                                                           \
		return sys_##name(__VA_ARGS__);                     \
	}
#define ADAPT0(nr, name)                 ADAPT(name)
#define ADAPT1(nr, name, t1, a1)         ADAPT(name, ARG(t1, f->rdi))
#define ADAPT2(nr, name, t1, a1, t2, a2) ADAPT(name, ARG(t1, f->rdi), ARG(t2, f->rsi))
#define ADAPT3(nr, name, t1, a1, t2, a2, t3, a3) \
	ADAPT(name, ARG(t1, f->rdi), ARG(t2, f->rsi), ARG(t3, f->rdx))
#define ADAPT4(nr, name, t1, a1, t2, a2, t3, a3, t4, a4) \
	ADAPT(name, ARG(t1, f->rdi), ARG(t2, f->rsi), ARG(t3, f->rdx), ARG(t4, f->r10))
#define ADAPT5(nr, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5)                        \
	ADAPT(name, ARG(t1, f->rdi), ARG(t2, f->rsi), ARG(t3, f->rdx), ARG(t4, f->r10), \
		ARG(t5, f->r8))
#define ADAPT6(nr, name, t1, a1, t2, a2, t3, a3, t4, a4, t5, a5, t6, a6)                \
	ADAPT(name, ARG(t1, f->rdi), ARG(t2, f->rsi), ARG(t3, f->rdx), ARG(t4, f->r10), \
		ARG(t5, f->r8), ARG(t6, f->r9))
SYSCALL_TABLE(ADAPT0, ADAPT1, ADAPT2, ADAPT3, ADAPT4, ADAPT5, ADAPT6)

#define ENTRY(nr, name, ...) [nr] = adapt_##name,
const syscall_adapter syscalls_plain[SYSCALLS_MAX] = {
	SYSCALL_TABLE(ENTRY, ENTRY, ENTRY, ENTRY, ENTRY, ENTRY, ENTRY)};

static const char *const names[SYSCALLS_MAX] = {
#include "syscall_names.h"
};

const char *syscall_name(long number)
{
	return number >= 0 && number < (long)SYSCALLS_MAX ? names[number] : NULL;
}

static uint64_t unhandled[SYSCALLS_MAX], unhandled_beyond;

long syscall_unhandled(uint64_t number)
{
	if (number < SYSCALLS_MAX)
		__atomic_add_fetch(&unhandled[number], 1, __ATOMIC_RELAXED);
	else
		__atomic_add_fetch(&unhandled_beyond, 1, __ATOMIC_RELAXED);
	return -ENOSYS;
}

/* A number beyond the table. A tracer's table has the same adapter everywhere, which looks at it by itself. */
static long call_beyond(const struct trap_frame *frame, uint64_t number)
{
	const syscall_adapter *calls = current_thread()->calls;

	if (number >= SYSCALLS_MAX && calls == ptrace_calls)
		return calls[0](frame);
	return syscall_unhandled(number);
}

enum way_out syscall_enter(struct trap_frame *frame)
{
	uint64_t number = (uint32_t)frame->rax; /* as Linux: the register's lower half counts */
	struct thread *self = current_thread();
	const syscall_adapter *calls = self->calls;

	arch_irq_on();
	if (likely(number < SYSCALLS_MAX && calls[number]))
		frame->rax = (uint64_t)calls[number](frame);
	else
		frame->rax = (uint64_t)call_beyond(frame, number);
	arch_irq_off();
	if (likely(!__atomic_load_n(&self->work_or_changed, __ATOMIC_RELAXED)))
		return BY_SYSRET;
	self->frame_changed = false;
	thread_work();
	return BY_IRET;
}

void syscall_report(void)
{
	for (unsigned i = 0; i < SYSCALLS_MAX; i++) {
		if (unhandled[i])
			log_info("system call %u (%s) is not implemented: called %lu times", i,
				names[i] ? names[i] : "unknown", unhandled[i]);
	}
	if (unhandled_beyond)
		log_info("system calls above %u: called %lu times", SYSCALLS_MAX - 1,
			unhandled_beyond);
}
