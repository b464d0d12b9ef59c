/* SPDX-License-Identifier: MIT */
/*
 * Making threads and processes. man 2 clone, vfork.
 *
 * Everything that can fail comes first, on objects that nobody else sees: the thread with its kernel
 * stack, the process, copies of what is not shared. Then, in one step under process_lock, the child
 * gets its number and its place in the tree; that fails only where no number is free. What comes
 * after cannot fail.
 */
#include <linux/capability.h>
#include <linux/ptrace.h>
#include <linux/resource.h>
#include <linux/sched.h>

#include <asm/signal.h>

#include "files/file.h"
#include "files/table.h"
#include "ipc/semaphore.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "memory/fail.h"
#include "memory/slab.h"
#include "memory/space.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/current.h"
#include "process/pidfd.h"
#include "process/process.h"
#include "process/ptrace.h"
#include "process/sched.h"

#define TIMER_SLACK (NS_PER_SECOND / 20000) /* of process 1, and so of all */

static struct cache process_cache, thread_cache;

void process_init(void)
{
	cache_init(&process_cache, "process", sizeof(struct process), 0);
	cache_init(&thread_cache, "thread", sizeof(struct thread), 0);
	pid_init();
}

/* ---- Objects ---- */

/* parent: whose child it is, from which it inherits; NULL: it is the kernel's. user: it has user registers. */
static struct thread *thread_new(const char *name, bool user, struct thread *parent,
	void (*function)(void *), void *argument)
{
	struct thread *thread = cache_alloc(&thread_cache);

	if (!thread)
		return NULL;
	list_init(&thread->siblings);
	thread->calls = current_thread()->calls; /* a traced one's are traced too */
	thread->fail_tree = parent ? parent->fail_tree : 0;
	sched_thread_init(thread, parent);
	thread_sleep_init(thread);
	string_copy(thread->name, name, sizeof(thread->name));
	if (arch_thread_init(thread, user, function, argument)) {
		cache_free(&thread_cache, thread);
		return NULL;
	}
	return thread;
}

void thread_free(struct thread *thread)
{
	fail_forget(thread);
	arch_thread_destroy(thread);
	if (thread->credentials)
		credentials_put(thread->credentials);
	cache_free(&thread_cache, thread);
}

static struct process *process_new(void)
{
	struct process *process = cache_alloc(&process_cache);

	if (!process)
		return NULL;
	process->references = 1;
	list_init(&process->children);
	list_init(&process->tracees);
	list_init(&process->sibling);
	list_init(&process->events);
	list_init(&process->event_link);
	list_init(&process->threads);
	list_init(&process->group_link);
	list_init(&process->session_link);
	wait_queue_init(&process->child_wait);
	process_timers_init(process);
	process->started = arch_clock();
	return process;
}

void process_put(struct process *process)
{
	if (__atomic_sub_fetch(&process->references, 1, __ATOMIC_ACQ_REL))
		return;
	assert(!process->space && list_empty(&process->threads) && list_empty(&process->children));
	signal_process_free(process);
	if (process->credentials)
		credentials_put(process->credentials);
	if (process->pid)
		pid_put(process->pid);
	cache_free(&process_cache, process);
}

/* ---- Linking ---- */

static uint64_t clones guarded_by(process_lock); /* threads ever linked */

static void link_thread(struct thread *thread, struct process *process, struct pid *pid) requires(
	process_lock)
{
	thread->process = process;
	thread->pid = pid;
	thread->tid = pid->number;
	thread->started = process->thread_count ? arch_clock() : process->started;
	pid->thread = thread;
	list_push_back(&process->threads, &thread->siblings);
	process->thread_count++;
	clones++;
}

uint64_t process_clone_count(void)
{
	return __atomic_load_n(&clones, __ATOMIC_RELAXED);
}

static void link_process(struct process *process, struct pid *pid, struct process *parent) requires(
	process_lock)
{
	pid_get(pid);
	process->pid = pid;
	process->id = pid->number;
	pid->process = process;
	process_set_session(process, parent ? parent->session : &pid_zero);
	process_set_group(process, parent ? parent->group : &pid_zero);
}

/* ---- clone ---- */

/* What a call makes, until it is linked. */
struct child {
	struct thread *thread;
	struct process *process; /* NULL: the caller's */
	struct pid *pid;
	bool counted;          /* among the user's threads */
	struct file *pidfd;    /* NULL: none is wanted */
	int fd;                /* reserved for it */
	struct tracee *tracee; /* room for it to be traced; NULL: it is not, or it has it */
	int event;             /* what the caller tells its tracer of it; 0: nothing */
};

static void discard(struct child *child)
{
	if (child->thread) {
		if (child->thread->files)
			files_put(child->thread->files);
		sem_undos_leave(child->thread);
		if (child->thread->fs)
			fs_context_put(child->thread->fs);
		thread_free(child->thread);
	}
	if (child->pidfd) {
		files_unreserve(current_files(), child->fd);
		file_put(child->pidfd);
	}
	if (child->process) {
		process_give_up_space(child->process);
		process_put(child->process);
	}
	if (child->pid)
		pid_put(child->pid);
	if (child->counted)
		limits_thread_end(current_credentials()->user);
}

static int share_own(struct thread *child, struct thread *self, uint64_t flags)
{
	if (flags & CLONE_FILES)
		files_get(child->files = self->files);
	else
		child->files = files_copy(self->files);
	if (flags & CLONE_FS)
		fs_context_get(child->fs = self->fs);
	else
		child->fs = fs_context_copy(self->fs);
	if (!child->files || !child->fs || sem_undos_clone(child, flags & CLONE_SYSVSEM))
		return -ENOMEM;
	credentials_get(self->credentials);
	child->credentials = self->credentials;
	child->no_new_privs = self->no_new_privs;
	child->personality = self->personality;
	child->io_priority = self->io_priority;
	child->timer_slack = self->timer_slack;
	return signal_thread_clone(child, self, flags);
}

static int share_process(struct process *child, struct process *self, uint64_t flags)
{
	if (flags & CLONE_VM)
		space_get(child->space = self->space);
	else
		child->space = space_fork(self->space);
	if (!child->space)
		return -ENOMEM;
	spin_lock(&process_lock); /* for the limits */
	memcpy(child->name, self->name, NAME_SIZE);
	memcpy(child->limits, self->limits, sizeof(child->limits));
	child->dumpable = self->dumpable;
	child->oom_adjust = self->oom_adjust;
	child->oom_adjust_least = self->oom_adjust_least;
	child->no_huge_pages = self->no_huge_pages;
	spin_unlock(&process_lock);
	if (self->program)
		file_get(child->program = self->program);
	return signal_process_clone(child, self, flags);
}

/* The first thing that a child does: its tid into its own memory, if that was asked for. */
static void child_starts(void *tid_address)
{
	int tid = current_thread()->tid;

	if (tid_address && copy_to_user(user_pointer((uintptr_t)tid_address), &tid, sizeof(tid))) {
		/* As on Linux: nobody is told. */
	}
}

#define NAMESPACES                                                                                 \
	(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUSER | \
		CLONE_NEWCGROUP | CLONE_NEWTIME)

/* What Linux's copy_process refuses, in its order. There are no namespaces but the first ones. */
static int check(const struct clone_request *request)
{
	uint64_t flags = request->flags;

	if ((flags & CLONE_THREAD && !(flags & CLONE_SIGHAND)) ||
		(flags & CLONE_SIGHAND && !(flags & CLONE_VM)))
		return -EINVAL;
	if (flags & CLONE_PARENT && current_process()->id == 1)
		return -EINVAL;
	if (flags & CLONE_PIDFD && flags & (CLONE_THREAD | CLONE_DETACHED))
		return -EINVAL;
	if (flags & CLONE_PIDFD && flags & CLONE_PARENT_SETTID &&
		request->pidfd.address == request->parent_tid.address)
		return -EINVAL;
	if (flags & NAMESPACES)
		return flags & CLONE_NEWUSER || capable(CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	if (flags & CLONE_SETTLS && request->tls >= USER_END)
		return -EPERM;
	if (request->wanted && !capable(CAP_CHECKPOINT_RESTORE))
		return -EPERM;
	return 0;
}

/* A descriptor for the child, told to the caller already: that may fail. */
static int make_pidfd(const struct clone_request *request, struct child *child)
{
	int error;

	child->fd = files_reserve(current_files(), 0, true);
	if (child->fd < 0)
		return child->fd;
	error = pidfd_create(child->pid, 0, &child->pidfd);
	if (error) {
		child->pidfd = NULL;
		files_unreserve(current_files(), child->fd);
		return error;
	}
	return copy_to_user(request->pidfd, &child->fd, sizeof(child->fd));
}

static int make(const struct clone_request *request, struct child *child)
{
	struct thread *self = current_thread();
	uint64_t flags = request->flags;
	void *tid_address = flags & CLONE_CHILD_SETTID ? (void *)request->child_tid.address : NULL;
	int error = check(request);

	if (error)
		return error;
	error = limits_thread_begin(self->credentials->user);
	if (error)
		return error;
	child->counted = true;
	child->pid = pid_create();
	child->thread = thread_new(self->name, true, self, child_starts, tid_address);
	if (!(flags & CLONE_THREAD))
		child->process = process_new();
	if (!child->pid || !child->thread || (!child->process && !(flags & CLONE_THREAD)))
		return -ENOMEM;
	error = share_own(child->thread, self, flags);
	if (!error && child->process)
		error = share_process(child->process, self->process, flags);
	if (error)
		return error;
	if (flags & CLONE_PIDFD)
		error = make_pidfd(request, child);
	if (error)
		return error;
	arch_user_clone(child->thread, self, request->stack);
	if (flags & CLONE_SETTLS)
		child->thread->arch.fs_base = request->tls;
	if (flags & CLONE_CHILD_CLEARTID)
		child->thread->clear_tid = request->child_tid;
	return 0;
}

/* The child takes its place. */
static int place(const struct clone_request *request, struct child *child) requires(process_lock)
{
	struct thread *self = current_thread();
	struct process *process = self->process, *parent = process;
	int error;

	/* As on Linux: a signal to the whole group is the parent's before there is a child, or both
	 * get it; never the parent alone, who then has a child that missed it. */
	if (current_signal_pending() || signal_kill_pending())
		return -ERESTARTNOINTR;
	error = pid_number(child->pid, request->wanted);
	if (error)
		return error;
	if (child->process) {
		child->process->exit_signal = request->exit_signal;
		child->process->parent_execs = process->execs;
		if (request->flags & CLONE_PARENT) {
			parent = process->parent;
			child->process->exit_signal = process->exit_signal;
			child->process->parent_execs = process->parent_execs;
		}
		process = child->process;
		process->parent = parent;
		process->maker = request->flags & CLONE_PARENT ? current_process()->maker : self;
		process->leader = child->thread;
		list_push_back(&parent->children, &process->sibling);
		link_process(process, child->pid, self->process);
		self->has_children = true;
	}
	link_thread(child->thread, process, child->pid);
	child->event =
		ptrace_clone(child->thread, request->flags, request->exit_signal, &child->tracee);
	return 0;
}

/* ---- vfork ---- */

/* On the stack of the parent, which sleeps until the child has a program of its own, or is gone; or
 * until it is killed itself. By process_lock. */
struct vfork {
	struct thread *child;
	bool done;
	struct wait_queue wait;
};

void process_vfork_done(struct thread *thread)
{
	struct vfork *vfork;

	if (likely(!thread->vfork)) /* only this thread or its parent take it away */
		return;
	spin_lock(&process_lock);
	vfork = thread->vfork;
	thread->vfork = NULL;
	if (vfork) {
		vfork->done = true;
		wake_all(&vfork->wait);
	}
	spin_unlock(&process_lock);
}

static void wait_for_vfork(struct vfork *vfork)
{
	struct waiter waiter;

	while (!__atomic_load_n(&vfork->done, __ATOMIC_ACQUIRE) && !signal_kill_pending()) {
		wait_prepare(&vfork->wait, &waiter);
		if (!__atomic_load_n(&vfork->done, __ATOMIC_ACQUIRE) && !signal_kill_pending())
			wait_sleep_uninterruptible();
		wait_finish(&vfork->wait, &waiter);
	}
	spin_lock(&process_lock); /* process_vfork_done is through with it, or never finds it */
	if (!vfork->done)
		vfork->child->vfork = NULL;
	spin_unlock(&process_lock);
}

static void inherit_time_limits(struct process *child) requires(process_lock)
{
	if (child->limits[RLIMIT_CPU].soft != LIMIT_UNLIMITED)
		cpu_limit_changed(child);
	if (child->limits[RLIMIT_RTTIME].soft != LIMIT_UNLIMITED)
		rt_limit_changed(child);
}

long process_clone(const struct clone_request *request)
{
	struct child child = {0};
	struct vfork vfork;
	int error, tid;

	error = make(request, &child);
	if (!error)
		child.tracee = ptrace_clone_prepare(&error);
	if (!error) {
		if (request->flags & CLONE_VFORK) {
			vfork = (struct vfork){.child = child.thread};
			wait_queue_init(&vfork.wait);
			child.thread->vfork = &vfork;
		}
		spin_lock(&process_lock);
		error = place(request, &child);
		if (!error && child.process)
			inherit_time_limits(child.process);
		spin_unlock(&process_lock);
	}
	ptrace_clone_discard(child.tracee);
	if (error) {
		discard(&child);
		return error;
	}
	tid = child.pid->number;
	if (child.pidfd)
		files_fill(current_files(), child.fd, child.pidfd);
	if (request->flags & CLONE_PARENT_SETTID &&
		copy_to_user(request->parent_tid, &tid, sizeof(tid))) {
		/* As on Linux: the child is there. */
	}
	thread_begin(child.thread);
	if (unlikely(child.event))
		ptrace_event(child.event, (unsigned long)tid);
	if (request->flags & CLONE_VFORK) {
		wait_for_vfork(&vfork);
		ptrace_event(PTRACE_EVENT_VFORK_DONE, (unsigned long)tid);
	}
	return tid;
}

/* ---- Processes that nobody cloned ---- */

/* What both kinds have. */
static int make_first(
	struct child *child, const char *name, bool user, void (*function)(void *), void *argument)
{
	child->process = process_new();
	child->pid = pid_create();
	child->thread = thread_new(name, user, NULL, function, argument);
	if (!child->process || !child->pid || !child->thread)
		return -ENOMEM;
	child->thread->credentials = credentials_of_root();
	credentials_get(child->thread->credentials);
	child->thread->timer_slack = TIMER_SLACK;
	limits_first(child->process->limits);
	memcpy(child->process->name, child->thread->name, NAME_SIZE);
	if (signal_thread_clone(child->thread, NULL, 0) ||
		signal_process_clone(child->process, NULL, 0) ||
		limits_thread_begin(child->thread->credentials->user))
		return -ENOMEM;
	child->counted = true;
	return 0;
}

/* It takes its place. wanted: its number; 0: any. parent: NULL: none. */
static int place_first(struct child *child, int wanted, struct process *parent)
{
	int error;

	spin_lock(&process_lock);
	error = pid_number(child->pid, wanted);
	if (!error) {
		child->process->leader = child->thread;
		child->process->parent = parent;
		if (parent)
			list_push_back(&parent->children, &child->process->sibling);
		link_process(child->process, child->pid, parent);
		link_thread(child->thread, child->process, child->pid);
	}
	spin_unlock(&process_lock);
	return error;
}

struct thread *process_create_first(void (*function)(void *), void *argument)
{
	struct child child = {0};

	if (make_first(&child, "init", true, function, argument))
		return NULL;
	child.thread->files = files_create();
	child.thread->fs = fs_context_create();
	if (!child.thread->files || !child.thread->fs)
		return NULL;
	child.process->dumpable = 1;
	return place_first(&child, 1, NULL) ? NULL : child.thread;
}

/* ---- Kernel threads ---- */

static struct process *kernel_parent; /* process 2; NULL: not yet */

static struct thread *kernel_thread(
	const char *name, struct space *space, void (*function)(void *), void *argument, int wanted)
{
	struct child child = {0};

	if (!make_first(&child, name, space, function, argument)) {
		child.process->kernel = true;
		child.process->space = space;
		child.process->exit_signal = SIGCHLD;
		if (!place_first(&child, wanted, kernel_parent))
			return child.thread;
		child.process->space = NULL; /* still the caller's */
	}
	discard(&child);
	return NULL;
}

struct thread *thread_create(const char *name, void (*function)(void *), void *argument)
{
	assert(kernel_parent);
	return kernel_thread(name, NULL, function, argument, 0);
}

struct thread *thread_create_in(
	struct space *space, const char *name, void (*function)(void *), void *argument)
{
	assert(kernel_parent);
	return kernel_thread(name, space, function, argument, 0);
}

/* The parent of kernel threads does nothing else. */
static void sleep_for_ever(void *unused)
{
	struct wait_queue *nobody = unused;
	struct waiter self;

	for (;;) {
		wait_prepare(nobody, &self);
		wait_sleep_uninterruptible();
		wait_finish(nobody, &self);
	}
}

int kernel_threads_init(void)
{
	static struct wait_queue nobody = WAIT_QUEUE_INIT(nobody);
	static const struct signal_action ignore = {.handler = (uintptr_t)SIG_IGN};
	struct thread *thread = kernel_thread("kthreadd", NULL, sleep_for_ever, &nobody, 2);

	if (!thread)
		return -ENOMEM;
	kernel_parent = thread->process;
	spin_lock(&process_lock); /* so that nobody need wait for one that ends */
	signal_action_set(kernel_parent, SIGCHLD, &ignore);
	spin_unlock(&process_lock);
	thread_wake(thread);
	return 0;
}
