/* SPDX-License-Identifier: MIT */
/*
 * What parents learn of their children: that they ended, stopped, went on. man 2 wait4, waitid.
 *
 * A child that has something to tell is on its parent's list of events, so that who waits for any
 * child does not look at those that are just running. A zombie stays there until it is taken away.
 * Each telling wakes all who wait in the parent; they look for themselves.
 *
 * Locks: process_lock.
 */
#include <linux/wait.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "process/credentials.h"
#include "process/process.h"
#include "process/ptrace.h"

#define CONTINUED_STATUS 0xffff /* WIFCONTINUED */

/* ---- Telling ---- */

static bool has_news(const struct process *child)
{
	return (child->zombie && !child->held) || child->child_events;
}

/* On the parent's list exactly while there is something to tell. */
static void list_events(struct process *child) requires(process_lock)
{
	if (!has_news(child))
		list_remove(&child->event_link);
	else if (list_empty(&child->event_link))
		list_push_back(&child->parent->events, &child->event_link);
}

static void send_to_parent(struct process *child, int signal, int code, int status) requires(
	process_lock)
{
	siginfo_t info = {0};

	if (!signal)
		return;
	info.si_signo = signal;
	info.si_code = code;
	info.si_pid = child->id;
	info.si_uid = process_credentials(child)->uid;
	info.si_status = status;
	info.si_utime = (long)(process_cpu_time(child) / (NS_PER_SECOND / 100));
	if (signal_send(child->parent, &info)) {
		/* No room to queue it: the parent's waits tell it all the same. */
	}
}

void child_status_changed(struct process *process, int code, int status)
{
	struct process *parent = process->parent;
	struct signal_policy policy;

	process->child_events = code == CLD_CONTINUED ? CHILD_CONTINUED : CHILD_STOPPED;
	if (code != CLD_CONTINUED)
		process->stop_signal = status;
	if (!parent || ptrace_by_parent(process))
		return; /* as its tracer it hears of each thread's stop */
	list_events(process);
	policy = signal_policy(parent, SIGCHLD);
	if (!policy.ignored && !(policy.flags & SA_NOCLDSTOP))
		send_to_parent(process, SIGCHLD, code, status);
	wake_all(&parent->child_wait);
}

/* How it ended, as siginfo has it. */
static int end_code(int status)
{
	if (!(status & 0x7f))
		return CLD_EXITED;
	return status & CORE_DUMPED ? CLD_DUMPED : CLD_KILLED;
}

static int end_value(int status)
{
	return status & 0x7f ? status & 0x7f : status >> 8 & 0xff;
}

void child_ended(struct process *zombie)
{
	struct process *parent = zombie->parent;
	int signal = zombie->exit_signal, status = zombie->exit_status;
	bool unwanted = false, held = ptrace_holds(zombie);

	zombie->child_events = 0;
	list_events(zombie);
	if (unlikely(held))
		return;
	if (zombie->parent_execs != parent->execs)
		signal = SIGCHLD; /* who asked for another is gone, and had other rights, perhaps */
	if (signal >
		SIGNALS) /* clone(2) takes any number that fits, and nobody gets such a signal */
		signal = 0;
	if (signal == SIGCHLD) {
		struct signal_policy policy = signal_policy(parent, SIGCHLD);

		unwanted = policy.ignored || policy.flags & SA_NOCLDWAIT;
		if (policy.ignored)
			signal = 0;
	}
	send_to_parent(zombie, signal, end_code(status), end_value(status));
	wake_all(&parent->child_wait);
	if (unwanted) {
		process_reap(zombie);
		process_put(zombie);
	}
}

/* ---- Waiting ---- */

static bool matches(const struct process *child, const struct wait_request *request)
{
	bool is_clone = child->exit_signal != SIGCHLD;

	if (request->options & __WNOTHREAD && child->maker != current_thread())
		return false;
	if (request->which == WAIT_GROUP && child->group_id != request->id)
		return false;
	return request->options & __WALL || is_clone == !!(request->options & __WCLONE);
}

/* What of the child's news the caller wants to hear: CLD_*, or 0. */
static int news_for(const struct process *child, unsigned options)
{
	if (child->zombie)
		return options & WEXITED && !child->held ? end_code(child->exit_status) : 0;
	if (child->child_events & CHILD_STOPPED && options & WSTOPPED)
		return CLD_STOPPED;
	if (child->child_events & CHILD_CONTINUED && options & WCONTINUED)
		return CLD_CONTINUED;
	return 0;
}

/* Whether it may have something to tell, now or later: a zombie only that it ended. */
static bool worth_waiting(const struct process *child, const struct wait_request *request)
{
	return matches(child, request) && (!child->zombie || request->options & WEXITED);
}

static void usage_of(struct process *child, struct usage *out) requires(process_lock)
{
	struct thread *thread;

	*out = child->usage;
	list_for_each(thread, &child->threads, siblings) usage_add(out, &thread->usage);
	usage_add(out, &child->child_usage);
}

/* Fills in the result; without WNOWAIT the news is told then, and a zombie goes. */
static void tell(struct process *self, struct process *child, int code, unsigned options,
	struct wait_result *result) requires(process_lock)
{
	*result = (struct wait_result){
		.id = child->id, .uid = process_credentials(child)->uid, .code = code};
	usage_of(child, &result->usage);
	if (code == CLD_STOPPED) {
		result->status = child->stop_signal;
		result->wait_status = child->stop_signal << 8 | 0x7f;
	} else if (code == CLD_CONTINUED) {
		result->status = SIGCONT;
		result->wait_status = CONTINUED_STATUS;
	} else {
		result->status = end_value(child->exit_status);
		result->wait_status = child->exit_status;
	}
	if (options & WNOWAIT)
		return;
	if (child->zombie) {
		usage_add(&self->child_usage, &result->usage);
		process_reap(child);
		process_put(child);
	} else {
		child->child_events = 0;
		list_events(child);
	}
}

static struct process *one_child(struct process *self, const struct wait_request *request) requires(
	process_lock)
{
	struct process *child = request->pid ? request->pid->process : process_find(request->id);

	return child && child->parent == self ? child : NULL;
}

static bool any_child(struct process *self, const struct wait_request *request) requires(
	process_lock)
{
	struct process *child;

	list_for_each(child, &self->children, sibling)
	{
		if (worth_waiting(child, request))
			return true;
	}
	return false;
}

/* Looks once: true when there is an answer: result->id, or *error (0 for WNOHANG). */
static bool look(struct process *self, const struct wait_request *request,
	struct wait_result *result, int *error) requires(process_lock)
{
	struct process *child;
	int code;

	*error = 0;
	if (unlikely(!list_empty(&self->tracees)) && ptrace_look(self, request, result))
		return true;
	if (request->which == WAIT_ONE) {
		child = one_child(self, request);
		if (!child || !worth_waiting(child, request)) {
			if (ptrace_any(self, request))
				return request->options & WNOHANG;
			*error = -ECHILD;
			return true;
		}
		code = news_for(child, request->options);
		if (code)
			tell(self, child, code, request->options, result);
		return code || request->options & WNOHANG;
	}
	list_for_each(child, &self->events, event_link)
	{
		code = matches(child, request) ? news_for(child, request->options) : 0;
		if (code) {
			tell(self, child, code, request->options, result);
			return true;
		}
	}
	if (!any_child(self, request) && !ptrace_any(self, request))
		*error = -ECHILD;
	return *error || request->options & WNOHANG;
}

static bool look_locked(struct process *self, const struct wait_request *request,
	struct wait_result *result, int *error)
{
	bool answered;

	if (result->id || *error)
		return true; /* looked at again after it was so */
	spin_lock(&process_lock);
	answered = look(self, request, result, error);
	spin_unlock(&process_lock);
	return answered;
}

long process_wait(const struct wait_request *request, struct wait_result *result)
{
	struct process *self = current_process();
	int error = 0, interrupted;

	*result = (struct wait_result){0};
	interrupted = wait_event(&self->child_wait, look_locked(self, request, result, &error));
	if (interrupted)
		return interrupted;
	return error ? error : result->id;
}
