/* SPDX-License-Identifier: MIT */
/*
 * Terminals and sessions: who controls which, the foreground group, hang-ups (man 7 credentials, man 4
 * tty_ioctl, POSIX.1-2017 chapter 11.1).
 *
 * A terminal belongs to at most one session, and a session has at most one. The terminals that have
 * a session stand in a list, each with a reference; so do those that had one when they were hung up, until that
 * session's leader ends: the group that was in the foreground is told then (SIGHUP, SIGCONT).
 *
 * Locks: tty->lock before ttys_lock. `session` and `old_session` are written with both, so that they
 * may be read with either. Signals are sent without any.
 */
#include "devices/tty.h"

#include "lib/errno.h"
#include "process/current.h"

#include <asm/signal.h>

static struct spinlock ttys_lock = SPINLOCK_INIT;
static struct list ttys guarded_by(ttys_lock) = LIST_INIT(ttys);

#define BIT_OF(signal) (1u << (signal))

static void signal_bits(int group, uint32_t signals)
{
	for (; group > 0 && signals; signals &= signals - 1) {
		if (signal_group(group, __builtin_ctz(signals)))
			return; /* nobody is left there */
	}
}

void tty_unlock(struct tty *tty)
{
	uint32_t signals = tty->signals;
	int group = tty->foreground;

	tty->signals = 0;
	spin_unlock(&tty->lock);
	signal_bits(group, signals);
	if (tty->driver->settle)
		tty->driver->settle(tty);
}

void tty_signal_foreground(struct tty *tty, uint32_t signals)
{
	spin_lock(&tty->lock);
	tty->signals |= signals;
	tty_unlock(tty);
}

/* Sets whose it is and was; true: a reference of the list's is to be put after the lock. */
static bool set_sessions(struct tty *tty, int session, int old) requires(tty->lock)
{
	bool was, is = session || old;

	spin_lock(&ttys_lock);
	was = tty->session || tty->old_session;
	tty->session = session;
	tty->old_session = old;
	if (is && !was)
		list_push_back(&ttys, &tty->link);
	else if (was && !is)
		list_remove(&tty->link);
	spin_unlock(&ttys_lock);
	if (is && !was)
		tty_get(tty);
	if (!session)
		tty->foreground = 0;
	return was && !is;
}

static struct tty *find(int session) requires(ttys_lock)
{
	struct tty *tty;

	list_for_each(tty, &ttys, link)
	{
		if (tty->session == session)
			return tty;
	}
	return NULL;
}

struct tty *tty_of_session(int session)
{
	struct tty *found = NULL;

	if (session <= 0)
		return NULL;
	spin_lock(&ttys_lock);
	found = find(session);
	if (found)
		tty_get(found);
	spin_unlock(&ttys_lock);
	return found;
}

void tty_numbers_of_session(int session, uint64_t *number, int *foreground)
{
	struct tty *tty;

	*number = 0;
	*foreground = -1;
	if (session <= 0)
		return;
	spin_lock(&ttys_lock);
	tty = find(session);
	if (tty) {
		*number = tty->device.number;
		*foreground = __atomic_load_n(&tty->foreground, __ATOMIC_RELAXED);
	}
	spin_unlock(&ttys_lock);
}

bool tty_is_own(struct tty *tty)
{
	int session = current_session();

	return session && __atomic_load_n(&tty->session, __ATOMIC_RELAXED) == session;
}

int tty_take_control(struct tty *tty, bool steal)
{
	struct tty *other;
	int session = current_session(), error = 0;

	if (session != current_pid())
		return -EPERM;
	if (tty_is_own(tty))
		return 0;
	other = tty_of_session(session);
	if (other) {
		tty_put(other);
		return -EPERM;
	}
	spin_lock(&tty->lock);
	if (tty->session && !steal) {
		error = -EPERM;
	} else {
		/* An `old` one is on the list too, so this drops no reference. */
		(void)set_sessions(tty, session, tty->old_session);
		tty->foreground = current_group();
	}
	spin_unlock(&tty->lock);
	return error;
}

int tty_check_foreground(struct tty *tty, int signal)
{
	int group = current_group();
	bool background;

	spin_lock(&tty->lock);
	background = tty->session && tty->session == current_session() && tty->foreground &&
		     tty->foreground != group;
	spin_unlock(&tty->lock);
	return background ? signal_from_background(signal) : 0;
}

/* Who asks owns it, or the group in the foreground, where it has no owner. */
int tty_async(struct file *file, int fd, bool on)
{
	const struct tty_file *open = file->private;
	struct tty *tty = open->tty;
	int result, foreground;

	if (on && tty_file_dead(open))
		return -ENOTTY;
	result = async_change(file, fd, on, &tty->async);
	if (result <= 0)
		return result;
	if (tty_file_dead(open)) { /* hung up meanwhile */
		(void)!async_change(file, fd, false, &tty->async);
		return -ENOTTY;
	}
	foreground = __atomic_load_n(&tty->foreground, __ATOMIC_RELAXED);
	async_offer_owner(file, foreground ? OWNER_GROUP : OWNER_PROCESS,
		foreground ? foreground : current_pid());
	return result;
}

/* ---- Ends ---- */

/* The terminal is hung up. `everybody`: its foreground group hears of it at once; else when the
 * leader of its session ends. */
static void hang_up(struct tty *tty, bool everybody, bool gone)
{
	int leader, group;
	bool put;

	spin_lock(&tty->lock);
	tty->hang_ups++;
	tty->gone = tty->gone || gone;
	line_reset(&tty->line);
	leader = tty->session;
	group = tty->foreground;
	tty->old_foreground = everybody ? 0 : group;
	put = set_sessions(tty, 0, everybody ? 0 : leader);
	spin_unlock(&tty->lock);
	if (leader)
		signal_leader(leader, BIT_OF(SIGHUP) | BIT_OF(SIGCONT));
	if (everybody)
		signal_bits(group, BIT_OF(SIGHUP));
	async_drop_all(&tty->async);
	wake_all(&tty->readable);
	wake_all(&tty->output);
	if (tty->driver->settle)
		tty->driver->settle(tty);
	if (tty->driver->hung_up)
		tty->driver->hung_up(tty);
	if (put)
		tty_put(tty);
}

void tty_hang_up(struct tty *tty)
{
	hang_up(tty, false, false);
}

void tty_end(struct tty *tty)
{
	hang_up(tty, false, true);
}

/* Takes the terminal from the session and tells who is in the foreground. */
static void detach(struct tty *tty, int session, uint32_t signals)
{
	int group = 0;
	bool put = false;

	spin_lock(&tty->lock);
	if (tty->session == session) {
		group = tty->foreground;
		put = set_sessions(tty, 0, tty->old_session);
	}
	spin_unlock(&tty->lock);
	signal_bits(group, signals);
	if (put)
		tty_put(tty);
}

/* One that was the session's when it was hung up, with a reference. */
static struct tty *find_old(int session)
{
	struct tty *tty, *found = NULL;

	spin_lock(&ttys_lock);
	list_for_each(tty, &ttys, link)
	{
		if (tty->old_session == session) {
			found = tty;
			tty_get(tty);
			break;
		}
	}
	spin_unlock(&ttys_lock);
	return found;
}

static void forget_old(struct tty *tty, int session)
{
	int group = 0;
	bool put = false;

	spin_lock(&tty->lock);
	if (tty->old_session == session) {
		group = tty->old_foreground;
		put = set_sessions(tty, tty->session, 0);
	}
	spin_unlock(&tty->lock);
	signal_bits(group, BIT_OF(SIGHUP) | BIT_OF(SIGCONT));
	if (put)
		tty_put(tty);
}

void tty_session_ended(int session)
{
	struct tty *tty = tty_of_session(session);

	if (tty) {
		if (tty->driver->pseudo)
			detach(tty, session, BIT_OF(SIGHUP));
		else
			hang_up(tty, true, false);
		tty_put(tty);
	}
	while ((tty = find_old(session))) {
		forget_old(tty, session);
		tty_put(tty);
	}
}

void tty_let_go(int session)
{
	struct tty *tty = tty_of_session(session);

	if (!tty)
		return;
	detach(tty, session, BIT_OF(SIGHUP) | BIT_OF(SIGCONT));
	tty_put(tty);
}

/* ---- The own terminal ---- */

/* /dev/tty: whichever is the caller's. */
static int own_tty_open(struct file *file)
{
	struct tty *tty = tty_of_session(current_session());
	int error;

	if (!tty)
		return -ENXIO;
	error = tty_open_file(file, tty, TTY_OWN);
	tty_put(tty);
	return error;
}

static const struct file_operations own_tty_operations = {
	.open = own_tty_open, .traits = FILE_STREAM};

int tty_register_own(void)
{
	static struct device own = {.operations = &own_tty_operations};

	own.number = device_number(TTYAUX_MAJOR, 0);
	return devfs_add("tty", S_IFCHR | 0666, &own);
}
