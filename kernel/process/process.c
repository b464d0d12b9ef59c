/* SPDX-License-Identifier: MIT */
/* The tree of processes: making, ending, waiting. See process.h. */
#include "process/process.h"

#include <linux/wait.h>

#include <asm/signal.h>

#include "devices/tty.h"
#include "files/file.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/radix.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/current.h"
#include "process/sched.h"

struct spinlock process_lock;
static struct radix pids; /* pid -> struct process *; by process_lock */
static int last_pid;
static struct process *first; /* process 1 */
static struct cache process_cache;

void process_init(void)
{
	cache_init(&process_cache, "process", sizeof(struct process), 0);
	radix_init(&pids);
}

void process_get(struct process *process)
{
	__atomic_add_fetch(&process->references, 1, __ATOMIC_RELAXED);
}

void process_put(struct process *process)
{
	if (__atomic_sub_fetch(&process->references, 1, __ATOMIC_ACQ_REL))
		return;
	assert(!process->space && !process->files && list_empty(&process->threads));
	kfree(process->path);
	cache_free(&process_cache, process);
}

struct process *process_find(int pid)
{
	return pid > 0 ? radix_get(&pids, (uint64_t)pid) : NULL;
}

/* Takes the next free pid for `process`. */
static int pid_take(struct process *process) requires(process_lock)
{
	for (int tries = 0; tries < PID_MAX; tries++) {
		int error;

		last_pid = last_pid + 1 < PID_MAX ? last_pid + 1 : 2;
		error = radix_put(&pids, (uint64_t)last_pid, process);
		if (error == -EEXIST)
			continue;
		if (!error)
			process->pid = last_pid;
		return error;
	}
	return -EAGAIN;
}

struct process *process_create(struct process *parent, int *error)
{
	struct process *process = cache_alloc(&process_cache);

	*error = -ENOMEM;
	if (!process)
		return NULL;
	process->references = 1;
	list_init(&process->children);
	list_init(&process->sibling);
	list_init(&process->threads);
	wait_queue_init(&process->child_wait);
	wait_queue_init(&process->vfork_wait);
	process->exit_signal = SIGCHLD;
	process->started = arch_clock();
	spin_lock(&process_lock);
	*error = pid_take(process);
	if (!*error && parent) {
		process->parent = parent;
		process->group = parent->group;
		process->session = parent->session;
		process->ignored = parent->ignored;
		memcpy(process->name, parent->name, NAME_SIZE);
		list_push_back(&parent->children, &process->sibling);
	} else if (!*error) {
		assert(process->pid == 1);
		first = process;
	}
	spin_unlock(&process_lock);
	if (*error) {
		process_put(process);
		return NULL;
	}
	return process;
}

struct thread *thread_create(
	struct process *process, const char *name, void (*function)(void *), void *argument)
{
	struct thread *thread = kzalloc(sizeof(*thread));

	if (!thread)
		return NULL;
	list_init(&thread->siblings);
	thread->process = process;
	sched_thread_init(thread, current_thread());
	thread_sleep_init(thread);
	string_copy(thread->name, name, sizeof(thread->name));
	if (arch_thread_init(thread, process != NULL, function, argument)) {
		kfree(thread);
		return NULL;
	}
	if (process) {
		spin_lock(&process_lock);
		thread->tid = process->pid;
		list_push_back(&process->threads, &thread->siblings);
		process->thread_count++;
		if (process->pending)
			thread_set_work(thread, WORK_SIGNAL);
		spin_unlock(&process_lock);
	}
	return thread;
}

void thread_discard(struct thread *thread)
{
	if (thread->process) {
		spin_lock(&process_lock);
		list_remove(&thread->siblings);
		thread->process->thread_count--;
		spin_unlock(&process_lock);
	}
	arch_thread_destroy(thread);
	kfree(thread);
}

/* Undoes process_create of one that never got a running thread. */
void process_discard(struct process *process)
{
	spin_lock(&process_lock);
	radix_remove(&pids, (uint64_t)process->pid);
	list_remove(&process->sibling);
	spin_unlock(&process_lock);
	process_give_up(process);
	process_put(process);
}

/* Lets go of what the process holds; the caller is its last thread, or it has none. */
void process_give_up(struct process *process)
{
	struct space *space;

	if (process->files)
		files_put(process->files);
	if (process->fs)
		fs_context_put(process->fs);
	process->files = NULL;
	process->fs = NULL;
	spin_lock(&process_lock);
	space = process->space;
	process->space = NULL;
	spin_unlock(&process_lock);
	if (space) {
		if (process == current_process())
			arch_space_use(NULL);
		space_put(space);
	}
}

/* The parent of a vfork child may go on. */
void process_vfork_done(struct process *process)
{
	if (!process->vfork)
		return;
	__atomic_store_n(&process->vfork, false, __ATOMIC_RELEASE);
	wake_all(&process->vfork_wait);
}

static void wake_parent(struct process *process) requires(process_lock)
{
	struct process *parent = process->parent;

	if (!parent)
		return;
	if (process->exit_signal)
		signal_send(parent, process->exit_signal);
	wake_all(&parent->child_wait);
}

/* Children go to process 1, which is told of those that are gone already. */
static void reparent(struct process *process) requires(process_lock)
{
	struct process *child, *next;

	list_for_each_safe(child, next, &process->children, sibling)
	{
		list_remove(&child->sibling);
		child->parent = first;
		list_push_back(&first->children, &child->sibling);
		if (child->zombie)
			wake_parent(child);
	}
}

static void thread_die(struct process *process, int status)
{
	struct thread *self = current_thread();
	bool last;

	spin_lock(&process_lock);
	last = process->thread_count == 1;
	if (!process->exiting) {
		process->exiting = true;
		process->exit_status = status;
	}
	spin_unlock(&process_lock);
	if (last) {
		process_vfork_done(process);
		process_give_up(process);
		if (process->session == process->pid)
			tty_session_ended(process->session);
	}
	spin_lock(&process_lock);
	list_remove(&self->siblings);
	process->thread_count--;
	process->cpu_time += thread_cpu_time(self);
	self->process = NULL;
	if (last) {
		process->zombie = true;
		if (process == first) {
			status = process->exit_status;
			spin_unlock(&process_lock);
			process_one_ended(status);
			spin_lock(&process_lock);
		} else {
			reparent(process);
			wake_parent(process);
		}
	}
	spin_unlock(&process_lock);
}

void thread_free(struct thread *thread)
{
	arch_thread_destroy(thread);
	kfree(thread);
}

void thread_exit(int status)
{
	struct thread *self = current_thread();

	if (self->clear_tid.address) {
		uint32_t zero = 0;

		if (copy_to_user(self->clear_tid, &zero, sizeof(zero)))
			log_debug("%s: clear_child_tid %#lx is not writable", self->name,
				self->clear_tid.address);
	}
	if (self->process)
		thread_die(self->process, status);
	timer_cancel(&self->sleep_timer);
	sched_die();
}

void process_exit(int status)
{
	thread_exit(status);
}

/* ---- wait4 ---- */

static bool matches(const struct process *child, int which, int own_group)
{
	if (which > 0)
		return child->pid == which;
	if (which == 0)
		return child->group == own_group;
	return which == -1 || child->group == -which;
}

/* A zombie that matches, taken off the tree; NULL, with *any saying whether a child matches at all. */
static struct process *zombie_take(struct process *self, int which, bool *any)
{
	struct process *child, *found = NULL;

	*any = false;
	spin_lock(&process_lock);
	list_for_each(child, &self->children, sibling)
	{
		if (!matches(child, which, self->group))
			continue;
		*any = true;
		if (child->zombie) {
			found = child;
			break;
		}
	}
	if (found) {
		list_remove(&found->sibling);
		radix_remove(&pids, (uint64_t)found->pid);
		self->child_time += found->cpu_time + found->child_time;
	}
	spin_unlock(&process_lock);
	return found;
}

/* wait4: the pid, 0 for WNOHANG with nothing to tell, or a negative errno. */
long process_wait(int which, unsigned options, int *status, ns_t *cpu_time)
{
	struct process *self = current_process(), *child = NULL;
	bool any = false;
	int error, pid;

	/* The condition may be looked at again after it held: a child once taken is kept. */
	error = wait_event(&self->child_wait,
		child || (child = zombie_take(self, which, &any)) || !any || (options & WNOHANG));
	if (error)
		return error;
	if (!child)
		return any ? 0 : -ECHILD;
	pid = child->pid;
	*status = child->exit_status;
	*cpu_time = child->cpu_time + child->child_time;
	process_put(child);
	return pid;
}

/* ---- What other rooms ask (current.h) ---- */

struct files *current_files(void)
{
	return current_process()->files;
}

struct fs_context *current_fs(void)
{
	return current_process()->fs;
}

int current_pid(void)
{
	return current_process()->pid;
}

int current_group(void)
{
	return current_process()->group;
}

int current_session(void)
{
	return current_process()->session;
}

struct space *thread_space(struct thread *thread)
{
	return thread->process ? thread->process->space : NULL;
}

struct space *current_space(void)
{
	return thread_space(current_thread());
}

void process_for_each(void (*visit)(struct process *process, void *context), void *context)
{
	uint64_t pid = 1;

	for (struct process *p; (p = radix_next(&pids, &pid)); pid++)
		visit(p, context);
}
