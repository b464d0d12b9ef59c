/* SPDX-License-Identifier: MIT */
/*
 * /proc/net/unix (man 5 proc): a line for each UNIX socket there is, the oldest first, those with no file
 * any more, or none yet, with inode 0. The column of addresses holds zeros.
 *
 * A text is made in several steps; its cursor is the age of the last socket shown, so that a socket which
 * lives all along is shown once. all_lock keeps the sockets on the list from being freed; what is read of
 * them is atomic, or, the name, written once before `named`.
 */
#include "files/procfs.h"
#include "lib/errno.h"
#include "sockets/unix.h"

#define ACCEPTING (1u << 16) /* __SO_ACCEPTCON */
#define AT_ONCE   16u        /* lines of one step, which all_lock is held for */

/* enum socket_state of linux/net.h */
enum { UNCONNECTED = 1, CONNECTING, CONNECTED, DISCONNECTING };

static struct spinlock all_lock = SPINLOCK_INIT;
static struct list all guarded_by(all_lock) = LIST_INIT(all);
static uint64_t made guarded_by(all_lock);

void unix_enlist(struct unix_socket *socket)
{
	spin_lock(&all_lock);
	socket->age = ++made;
	list_push_back(&all, &socket->all_link);
	spin_unlock(&all_lock);
}

void unix_delist(struct unix_socket *socket)
{
	spin_lock(&all_lock);
	list_remove(&socket->all_link);
	spin_unlock(&all_lock);
}

static unsigned shown_state(enum unix_state state, bool open)
{
	if (open)
		return state == UNIX_CONNECTED ? CONNECTED : UNCONNECTED;
	return state == UNIX_CONNECTED ? CONNECTING : DISCONNECTING;
}

/* False: it does not fit, and nothing was added. */
static bool add_socket(struct text *out, const struct unix_socket *socket)
{
	const size_t start = out->used;
	const uint64_t number = __atomic_load_n(&socket->number, __ATOMIC_RELAXED);
	const enum unix_state state = __atomic_load_n(&socket->state, __ATOMIC_ACQUIRE);

	text_add(out, "%016lx: %08X %08X %08X %04X %02X %5lu", 0ul,
		__atomic_load_n(&socket->references, __ATOMIC_RELAXED), 0u,
		state == UNIX_LISTENING ? ACCEPTING : 0u, (unsigned)socket->type,
		shown_state(state, number != 0), number);
	if (__atomic_load_n(&socket->named, __ATOMIC_ACQUIRE)) {
		const struct unix_name *name = &socket->name;
		char shown[sizeof(name->path) + 1];
		uint32_t length = 0;

		for (; length < name->length && (name->path[0] ? name->path[length] : 1); length++)
			shown[length] = name->path[length] ? name->path[length] : '@';
		shown[length] = '\0';
		text_add(out, " %s", shown);
	}
	text_add(out, "\n");
	if (!out->overflow)
		return true;
	out->used = start;
	return false;
}

static int show_unix(struct proc_file *file, struct text *out)
{
	const struct unix_socket *socket;
	uint64_t shown = file->cursor;
	unsigned left = AT_ONCE;

	if (!shown)
		text_add(out, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	spin_lock(&all_lock);
	list_for_each(socket, &all, all_link)
	{
		if (socket->age <= shown)
			continue;
		if (!left-- || !add_socket(out, socket)) {
			/* What was added is whole; the rest comes in the next step. */
			out->overflow = shown == file->cursor;
			file->cursor = shown;
			spin_unlock(&all_lock);
			return 0;
		}
		shown = socket->age;
	}
	spin_unlock(&all_lock);
	file->cursor = PROC_END;
	return 0;
}

const struct proc_entry proc_net_entries[] = {
	{"unix", S_IFREG | 0444, .show = show_unix},
	{.name = NULL},
};
