/* SPDX-License-Identifier: MIT */
/*
 * Signals of files that can be read or written (man 2 fcntl, "Managing signals"; man 7 signal, SIGIO).
 *
 * The problem. Any open file may ask for a signal to a thread, a process or a group at each change; hardly one ever
 * does, and reads and writes must not pay.
 *
 * The design. Pipes, sockets, terminals, inotify and input devices have lists of the open files that ask. To tell
 * who asks is one look at a list's head where nobody does. An open file gets an owner when it is first asked about
 * or for, and keeps it until its end. The owner is a struct pid, so that a number that was given anew is somebody
 * else; the rights to send are those of who named it, then.
 *
 * Who stands on a list has an owner (struct file_owner), so that sending needs no memory but the signal's own. A
 * signal chosen by F_SETSIG that cannot be queued is replaced by SIGIO, which needs none.
 *
 * Lock: async_lock, a spin lock, over all lists and owners: they are rare. process_lock comes after it.
 */
#include "files/async.h"

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "files/vfs.h"
#include "lib/errno.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/current.h"
#include "process/pid.h"
#include "process/process.h"
#include "process/signal.h"

struct async_entry {
	struct async_entry *next;
	struct file *file; /* not counted: its end takes the entry off */
	int fd;            /* by which it was asked for */
};

struct file_owner {
	struct pid *pid; /* a reference; NULL: nobody */
	enum owner_kind kind;
	int signal; /* 0: SIGIO, which says nothing */
	uint32_t uid, euid;
};

static struct spinlock async_lock = SPINLOCK_INIT;

/* ---- Sending ---- */

/* The siginfo of a signal of choice. Signals whose codes mean something else say so. */
static struct signal_info describe(const struct file_owner *owner, int fd, enum async_news news)
{
	static const long bands[] = {
		[ASYNC_IN] = POLLIN | POLLRDNORM,
		[ASYNC_OUT] = POLLOUT | POLLWRNORM | POLLWRBAND,
		[ASYNC_MESSAGE] = POLLIN | POLLRDNORM | POLLMSG,
		[ASYNC_ERROR] = POLLERR,
		[ASYNC_URGENT] = POLLPRI | POLLRDBAND,
		[ASYNC_HANG_UP] = POLLHUP | POLLERR,
	};
	const uint64_t own_codes = SIGNAL_BIT(SIGILL) | SIGNAL_BIT(SIGFPE) | SIGNAL_BIT(SIGSEGV) |
				   SIGNAL_BIT(SIGBUS) | SIGNAL_BIT(SIGTRAP) | SIGNAL_BIT(SIGCHLD) |
				   SIGNAL_BIT(SIGSYS);
	struct signal_info info = {.number = owner->signal, .code = (int)news};

	if (SIGNAL_BIT(owner->signal) & own_codes)
		info.code = SI_SIGIO;
	info.words[0] = (uint64_t)bands[news];
	info.words[1] = (uint32_t)fd;
	return info;
}

/* What the kernel asks of who named the owner, as kill asks of its caller. */
static bool may_tell(const struct file_owner *owner, const struct credentials *target)
{
	return owner->euid == 0 || owner->euid == target->suid || owner->euid == target->uid ||
	       owner->uid == target->suid || owner->uid == target->uid;
}

/* thread: NULL, when it is for the process. */
static void send_to(const struct file_owner *owner, struct process *process, struct thread *thread,
	int fd, enum async_news news) requires(process_lock)
{
	struct signal_info info = {.number = SIGIO, .code = SI_KERNEL};

	if (!may_tell(owner, thread ? thread->credentials : process_credentials(process)))
		return;
	if (owner->signal) {
		const struct signal_info chosen = describe(owner, fd, news);

		if (!signal_send_info(process, thread, &chosen))
			return;
	}
	(void)!signal_send_info(process, thread, &info); /* SIGIO can always be sent */
}

static void send_to_owner(const struct file_owner *owner, int fd, enum async_news news) requires(
	async_lock, process_lock)
{
	struct pid *pid = owner->pid;
	struct process *process;
	struct thread *thread;

	if (!pid)
		return;
	if (owner->kind == OWNER_GROUP) {
		list_for_each(process, &pid->group, group_link)
			send_to(owner, process, NULL, fd, news);
		return;
	}
	thread = pid->thread;
	process = thread ? thread->process : pid->process;
	if (process)
		send_to(owner, process, owner->kind == OWNER_THREAD ? thread : NULL, fd, news);
}

void async_send(struct async_list *list, enum async_news news)
{
	struct async_entry *entry;

	spin_lock(&async_lock);
	spin_lock(&process_lock);
	for (entry = list->first; entry; entry = entry->next)
		send_to_owner(entry->file->owner, entry->fd, news);
	spin_unlock(&process_lock);
	spin_unlock(&async_lock);
}

/* ---- Owners ---- */

/* The file's, made if need be; NULL: no memory. */
static struct file_owner *owner_of(struct file *file)
{
	struct file_owner *none = NULL, *owner = __atomic_load_n(&file->owner, __ATOMIC_ACQUIRE);

	if (owner)
		return owner;
	owner = kzalloc(sizeof(*owner));
	if (!owner || __atomic_compare_exchange_n(&file->owner, &none, owner, false,
			      __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return owner;
	kfree(owner);
	return none;
}

/* With a reference. 0: NULL. */
static int find_pid(int number, struct pid **out)
{
	struct pid *pid = NULL;

	if (number) {
		spin_lock(&process_lock);
		pid = pid_find(number);
		if (pid)
			pid_get(pid);
		spin_unlock(&process_lock);
	}
	*out = pid;
	return number && !pid ? -ESRCH : 0;
}

/* Takes over the reference to `pid`; the one to be put is handed back. */
static struct pid *change_owner(
	struct file_owner *owner, enum owner_kind kind, struct pid *pid) requires(async_lock)
{
	const struct credentials *who = current_credentials();
	struct pid *old = owner->pid;

	owner->pid = pid;
	owner->kind = kind;
	if (pid) {
		owner->uid = who->uid;
		owner->euid = who->euid;
	}
	return old;
}

int async_set_owner(struct file *file, unsigned kind, int number)
{
	struct file_owner *owner;
	struct pid *pid;
	int error;

	if (kind >= OWNER_KINDS)
		return -EINVAL;
	error = find_pid(number, &pid);
	if (error)
		return error;
	owner = owner_of(file);
	if (owner) {
		spin_lock(&async_lock);
		pid = change_owner(owner, (enum owner_kind)kind, pid);
		spin_unlock(&async_lock);
	}
	if (pid)
		pid_put(pid);
	return owner ? 0 : -ENOMEM;
}

void async_offer_owner(struct file *file, enum owner_kind kind, int number)
{
	struct file_owner *owner = file->owner;
	struct pid *pid;

	if (find_pid(number, &pid))
		return;
	spin_lock(&async_lock);
	if (!owner->pid)
		pid = change_owner(owner, kind, pid);
	spin_unlock(&async_lock);
	if (pid)
		pid_put(pid);
}

/* Whether anybody is what the owner is of that kind. */
static bool is_there(const struct file_owner *owner) requires(async_lock, process_lock)
{
	const struct pid *pid = owner->pid;

	switch (owner->kind) {
	case OWNER_GROUP:
		return !list_empty(&pid->group);
	case OWNER_PROCESS:
		return pid->process;
	default:
		return pid->thread || pid->process;
	}
}

/* Its number, or 0. */
static int find_owner(struct file *file, enum owner_kind *kind)
{
	struct file_owner *owner = __atomic_load_n(&file->owner, __ATOMIC_ACQUIRE);
	int number = 0;

	*kind = OWNER_THREAD;
	if (!owner)
		return 0;
	spin_lock(&async_lock);
	spin_lock(&process_lock);
	*kind = owner->kind;
	if (owner->pid && is_there(owner))
		number = owner->pid->number;
	spin_unlock(&process_lock);
	spin_unlock(&async_lock);
	return number;
}

int async_set_owner_number(struct file *file, int number)
{
	if (number == INT32_MIN)
		return -EINVAL;
	return number < 0 ? async_set_owner(file, OWNER_GROUP, -number)
			  : async_set_owner(file, OWNER_PROCESS, number);
}

int async_owner_number(struct file *file)
{
	enum owner_kind kind;
	int number = find_owner(file, &kind);

	return kind == OWNER_GROUP ? -number : number;
}

/* ---- Lists ---- */

int async_change(struct file *file, int fd, bool on, struct async_list *list)
{
	struct async_entry *made = NULL, *entry, **link = &list->first;

	if (on) {
		made = owner_of(file) ? kmalloc(sizeof(*made)) : NULL;
		if (!made)
			return -ENOMEM;
	}
	spin_lock(&async_lock);
	while ((entry = *link) && entry->file != file)
		link = &entry->next;
	if (on && !entry) {
		*made = (struct async_entry){list->first, file, fd};
		__atomic_store_n(&list->first, made, __ATOMIC_RELEASE);
		__atomic_or_fetch(&file->flags, O_ASYNC, __ATOMIC_RELAXED);
		made = NULL;
	} else if (on) {
		entry->fd = fd;
	} else if (entry) {
		__atomic_store_n(link, entry->next, __ATOMIC_RELEASE);
		__atomic_and_fetch(&file->flags, ~(uint32_t)O_ASYNC, __ATOMIC_RELAXED);
		made = entry;
	}
	spin_unlock(&async_lock);
	kfree(made);
	return on && !entry;
}

void async_drop_all(struct async_list *list)
{
	struct async_entry *entry, *next;

	spin_lock(&async_lock);
	entry = list->first;
	__atomic_store_n(&list->first, NULL, __ATOMIC_RELEASE);
	for (next = entry; next; next = next->next)
		__atomic_and_fetch(&next->file->flags, ~(uint32_t)O_ASYNC, __ATOMIC_RELAXED);
	spin_unlock(&async_lock);
	for (; entry; entry = next) {
		next = entry->next;
		kfree(entry);
	}
}

void async_forget(struct file *file)
{
	if (file->operations->async)
		(void)!file->operations->async(file, -1, false);
	if (file->owner->pid)
		pid_put(file->owner->pid);
	kfree(file->owner);
}

/* ---- fcntl ---- */

static long set_owner_ex(struct file *file, user_t from)
{
	struct f_owner_ex owner;

	if (copy_from_user(&owner, from, sizeof(owner)))
		return -EFAULT;
	return async_set_owner(file, (unsigned)owner.type, owner.pid);
}

static long get_owner_ex(struct file *file, user_t out)
{
	enum owner_kind kind;
	struct f_owner_ex owner = {.pid = find_owner(file, &kind)};

	owner.type = (int)kind;
	return copy_to_user(out, &owner, sizeof(owner));
}

static long get_owner_ids(struct file *file, user_t out)
{
	struct file_owner *owner = __atomic_load_n(&file->owner, __ATOMIC_ACQUIRE);
	uint32_t ids[2] = {0, 0};

	if (owner) {
		spin_lock(&async_lock);
		ids[0] = owner->uid;
		ids[1] = owner->euid;
		spin_unlock(&async_lock);
	}
	return copy_to_user(out, ids, sizeof(ids));
}

static long set_signal(struct file *file, uintptr_t signal)
{
	struct file_owner *owner;

	if (signal > SIGNALS)
		return -EINVAL;
	owner = owner_of(file);
	if (!owner)
		return -ENOMEM;
	__atomic_store_n(&owner->signal, (int)signal, __ATOMIC_RELAXED);
	return 0;
}

long async_control(struct file *file, int command, uintptr_t argument)
{
	const struct file_owner *owner = __atomic_load_n(&file->owner, __ATOMIC_ACQUIRE);
	user_t user = user_pointer(argument);

	switch (command) {
	case F_SETOWN:
		return async_set_owner_number(file, (int)argument);
	case F_GETOWN:
		return async_owner_number(file);
	case F_SETOWN_EX:
		return set_owner_ex(file, user);
	case F_GETOWN_EX:
		return get_owner_ex(file, user);
	case F_GETOWNER_UIDS:
		return get_owner_ids(file, user);
	case F_SETSIG:
		return set_signal(file, argument);
	case F_GETSIG:
		return owner ? __atomic_load_n(&owner->signal, __ATOMIC_RELAXED) : 0;
	default:
		return -EINVAL;
	}
}

int async_set(struct file *file, int fd, bool on, int none)
{
	const bool was = __atomic_load_n(&file->flags, __ATOMIC_RELAXED) & O_ASYNC;
	int result;

	if (on == was)
		return 0;
	result = file->operations->async ? file->operations->async(file, fd, on) : none;
	return result < 0 ? result : 0;
}
