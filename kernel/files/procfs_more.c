/* SPDX-License-Identifier: MIT */
/* /proc/PID: short files that debuggers, monitors and container tools read. man 5 proc. */
#include "files/procfs.h"

#include <linux/capability.h>

#include "arch_registers.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/fail.h"
#include "memory/pages.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/oom.h"
#include "process/process.h"
#include "process/sched.h"

#define SLACK_STANDARD 50000 /* nanoseconds, Linux's */

int proc_show_constant(struct proc_file *file, struct text *out)
{
	text_add(out, "%s", (const char *)file->inode->entry->argument);
	file->cursor = PROC_END;
	return 0;
}

/* A text that is made under process_lock, of what the file is about. */
static int show_look(struct proc_file *file, struct text *out,
	int (*add)(struct text *out, struct process *process, struct thread *thread))
{
	struct process *process;
	struct thread *thread;
	int error;

	spin_lock(&process_lock);
	error = proc_target(file->inode, &process, &thread);
	if (!error)
		error = add(out, process, thread);
	spin_unlock(&process_lock);
	file->cursor = PROC_END;
	return error;
}

static int add_personality(struct text *out, struct process *process, struct thread *thread)
{
	(void)process;
	text_add(out, "%08x\n", thread ? thread->personality : 0);
	return 0;
}

int proc_show_personality(struct proc_file *file, struct text *out)
{
	return show_look(file, out, add_personality);
}

/* ---- The system call in which it sleeps ---- */

static bool sleeps(const struct thread *thread)
{
	return __atomic_load_n(&thread->sched.state, __ATOMIC_ACQUIRE) == THREAD_SLEEPING;
}

/* A thread cannot go away under process_lock, so its registers may be read though it may wake up; what was
 * read then is not believed. */
static bool registers_of(struct thread *thread, struct user_regs_struct *out) requires(process_lock)
{
	if (thread == current_thread()) {
		arch_registers_sync();
		arch_registers_get(thread, out);
		return true;
	}
	if (!thread || !sleeps(thread))
		return false;
	arch_registers_get(thread, out);
	return sleeps(thread);
}

int proc_show_syscall(struct proc_file *file, struct text *out)
{
	struct user_regs_struct now;
	struct process *process;
	struct thread *thread;
	bool asleep = false;
	int error;

	spin_lock(&process_lock);
	error = proc_target(file->inode, &process, &thread);
	if (!error)
		asleep = registers_of(thread, &now);
	spin_unlock(&process_lock);
	file->cursor = PROC_END;
	if (error)
		return error;
	if (!asleep)
		text_add(out, "running\n");
	else if ((long)now.orig_ax < 0)
		text_add(out, "-1 0x%lx 0x%lx\n", now.sp, now.ip);
	else
		text_add(out, "%ld 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx 0x%lx\n",
			(long)now.orig_ax, now.di, now.si, now.dx, now.r10, now.r8, now.r9, now.sp,
			now.ip);
	return 0;
}

/* ---- Out of memory ---- */

/* Linux's scale: 666 for a small one. */
static int add_oom_score(struct text *out, struct process *process, struct thread *thread) requires(
	process_lock)
{
	int64_t score = 0;

	(void)thread;
	if (process->space && process->id != 1 && process->oom_adjust != -OOM_ADJUST_MOST)
		score = (1000 + oom_badness(process) * 1000 / (int64_t)pages_total()) * 2 / 3;
	text_add(out, "%ld\n", (long)(score > 0 ? score : 0));
	return 0;
}

int proc_show_oom_score(struct proc_file *file, struct text *out)
{
	return show_look(file, out, add_oom_score);
}

static int add_oom_adjust(struct text *out, struct process *process, struct thread *thread)
{
	(void)thread;
	text_add(out, "%d\n", process->oom_adjust);
	return 0;
}

int proc_show_oom_adjust(struct proc_file *file, struct text *out)
{
	return show_look(file, out, add_oom_adjust);
}

int proc_parse_number(const char *text, long *out)
{
	bool minus = false;
	long value = 0;

	while (*text == ' ' || *text == '\t')
		text++;
	if (*text == '-' || *text == '+')
		minus = *text++ == '-';
	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (; *text >= '0' && *text <= '9'; text++)
		if (__builtin_mul_overflow(value, 10, &value) ||
			__builtin_add_overflow(value, *text - '0', &value))
			return -ERANGE;
	while (*text == ' ' || *text == '\t' || *text == '\n')
		text++;
	*out = minus ? -value : value;
	return *text ? -EINVAL : 0;
}

ssize_t proc_store_oom_adjust(struct proc_inode *inode, char *text, size_t size)
{
	bool may = capable(CAP_SYS_RESOURCE);
	struct process *process;
	struct thread *thread;
	long value;
	int error = proc_parse_number(text, &value);

	if (error)
		return error;
	if (value < -OOM_ADJUST_MOST || value > OOM_ADJUST_MOST)
		return -EINVAL;
	spin_lock(&process_lock);
	error = proc_target(inode, &process, &thread);
	if (!error && value < process->oom_adjust_least && !may)
		error = -EACCES;
	if (!error) {
		process->oom_adjust = (int)value;
		if (may)
			process->oom_adjust_least = (int)value;
	}
	spin_unlock(&process_lock);
	return error ? error : (ssize_t)size;
}

/* ---- Timer slack: kept and told ---- */

static int may_see_slack(const struct thread *thread)
{
	if (!thread)
		return -ESRCH;
	return thread == current_thread() || capable(CAP_SYS_NICE) ? 0 : -EPERM;
}

static int add_timer_slack(struct text *out, struct process *process, struct thread *thread)
{
	int error = may_see_slack(thread);

	(void)process;
	if (!error)
		text_add(out, "%lu\n", thread->timer_slack);
	return error;
}

int proc_show_timer_slack(struct proc_file *file, struct text *out)
{
	return show_look(file, out, add_timer_slack);
}

ssize_t proc_store_timer_slack(struct proc_inode *inode, char *text, size_t size)
{
	struct process *process;
	struct thread *thread;
	long value;
	int error = proc_parse_number(text, &value);

	if (error || value < 0)
		return error ? error : -EINVAL;
	spin_lock(&process_lock);
	error = proc_target(inode, &process, &thread);
	if (!error)
		error = may_see_slack(thread);
	if (!error)
		thread->timer_slack = value ? (ns_t)value : SLACK_STANDARD;
	spin_unlock(&process_lock);
	return error ? error : (ssize_t)size;
}

/* ---- fail-nth ---- */

static int add_fail_nth(struct text *out, struct process *process, struct thread *thread)
{
	(void)process;
	text_add(out, "%u\n", thread ? fail_nth(thread) : 0);
	return 0;
}

int proc_show_fail_nth(struct proc_file *file, struct text *out)
{
	return show_look(file, out, add_fail_nth);
}

ssize_t proc_store_fail_nth(struct proc_inode *inode, char *text, size_t size)
{
	struct process *process;
	struct thread *thread;
	long value;
	int error = proc_parse_number(text, &value);

	if (error || value < 0 || value > INT32_MAX)
		return error ? error : -EINVAL;
	spin_lock(&process_lock);
	error = proc_target(inode, &process, &thread);
	if (!error)
		error = thread ? fail_set_nth(thread, (uint32_t)value) : -ESRCH;
	spin_unlock(&process_lock);
	return error ? error : (ssize_t)size;
}

/* ---- Timers ---- */

int proc_show_timers(struct proc_file *file, struct text *out)
{
	struct timer_told timer;
	struct process *process;
	struct thread *thread;
	size_t whole;
	uint64_t next;
	int error;

	spin_lock(&process_lock);
	error = proc_target(file->inode, &process, &thread);
	while (!error && file->cursor != PROC_END) {
		whole = out->used;
		next = file->cursor;
		if (!posix_timer_next(process, &next, &timer)) {
			file->cursor = PROC_END;
			break;
		}
		text_add(out, "ID: %d\nsignal: %d/%016lx\nnotify: %s/%s.%d\nClockID: %d\n",
			timer.id, timer.signal, timer.value,
			timer.notify == NOTIFY_NOTHING ? "none" : "signal",
			timer.target ? "tid" : "pid", timer.target ? timer.target : process->id,
			timer.clock);
		if (out->overflow) {
			out->used = whole;
			out->overflow = !whole;
			break;
		}
		file->cursor = next;
	}
	spin_unlock(&process_lock);
	return error;
}

/* ---- task/TID/children ---- */

/* Those that the thread made, from the cursor's place in the list on, as many as fit. */
int proc_show_children(struct proc_file *file, struct text *out)
{
	struct process *process, *child;
	struct thread *thread;
	uint64_t place = 0;
	int error;

	spin_lock(&process_lock);
	error = proc_target(file->inode, &process, &thread);
	if (!error && thread) {
		list_for_each(child, &process->children, sibling)
		{
			size_t whole = out->used;

			if (place++ < file->cursor || child->maker != thread)
				continue;
			text_add(out, "%d ", child->id);
			if (out->overflow && whole) {
				out->used = whole;
				out->overflow = false;
				file->cursor = place - 1;
				spin_unlock(&process_lock);
				return 0;
			}
		}
	}
	spin_unlock(&process_lock);
	file->cursor = PROC_END;
	return error;
}
