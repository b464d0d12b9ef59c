/* SPDX-License-Identifier: MIT */
/*
 * The ioctls of terminals (man 2 ioctl_tty), by their own files or by a pty's master, which does most of
 * them to the slave; see tty.c for the locks, tty_settings.c for those about termios.
 */
#include "devices/tty.h"
#include "devices/tty_settings.h"

#include "arch/arch.h"
#include "lib/errno.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/current.h"

#include <asm/signal.h>
#include <linux/capability.h>

#define N_TTY      0

#define BREAK_TIME (NS_PER_SECOND / 4)  /* of TCSBRK */
#define BREAK_UNIT (NS_PER_SECOND / 10) /* of TCSBRKP's argument */

/* ---- Groups and sessions ---- */

static long get_group(struct tty *tty, enum tty_end_of end, user_t out)
{
	int group;

	if (end == TTY_SLAVE && !tty_is_own(tty))
		return -ENOTTY;
	spin_lock(&tty->lock);
	group = tty->foreground;
	spin_unlock(&tty->lock);
	return copy_to_user(out, &group, sizeof(group));
}

static long set_group(struct tty *tty, user_t from)
{
	int group, error = tty_check_foreground(tty, SIGTTOU);

	if (error)
		return error == -EIO ? -ENOTTY : error;
	if (copy_from_user(&group, from, sizeof(group)))
		return -EFAULT;
	if (group < 0)
		return -EINVAL;
	if (!tty_is_own(tty))
		return -ENOTTY;
	error = check_group_session(group, current_session());
	if (error)
		return error;
	spin_lock(&tty->lock);
	if (tty->session == current_session())
		__atomic_store_n(&tty->foreground, group, __ATOMIC_RELAXED);
	else
		error = -ENOTTY;
	spin_unlock(&tty->lock);
	return error;
}

static long get_session(struct tty *tty, enum tty_end_of end, user_t out)
{
	int session = __atomic_load_n(&tty->session, __ATOMIC_RELAXED);

	if ((end == TTY_SLAVE && !tty_is_own(tty)) || !session)
		return -ENOTTY;
	return copy_to_user(out, &session, sizeof(session));
}

static long take_control(const struct file *file, struct tty *tty, uintptr_t steal)
{
	bool may = capable(CAP_SYS_ADMIN);

	if (current_session() == current_pid() && tty_is_own(tty))
		return 0;
	if (!file_readable(file) && !may)
		return -EPERM;
	return tty_take_control(tty, steal == 1 && may);
}

/* Gives the controlling terminal up. A member of the session that is not its leader keeps it: there is
 * one for all of a session here. */
static long let_go(struct tty *tty)
{
	if (!tty_is_own(tty))
		return -ENOTTY;
	if (current_session() == current_pid())
		tty_let_go(current_session());
	return 0;
}

/* ---- Input and output ---- */

static void drain(struct tty *tty)
{
	if (tty->driver->drain)
		tty->driver->drain(tty);
}

/* TCSBRK and TCSBRKP: after all that was written, so long a break; 0: none. */
static long send_break(struct tty *tty, ns_t time)
{
	int error = tty_check_foreground(tty, SIGTTOU);

	if (error)
		return error;
	drain(tty);
	if (current_signal_pending())
		return -EINTR;
	if (!time || !tty->driver->set_break)
		return 0;
	tty->driver->set_break(tty, true);
	error = wait_event_until(&tty->output, false, arch_clock() + time);
	tty->driver->set_break(tty, false);
	return error == -ETIMEDOUT ? 0 : -EINTR;
}

static long set_break(struct tty *tty, bool on)
{
	int error = tty_check_foreground(tty, SIGTTOU);

	if (error)
		return error;
	if (on)
		drain(tty);
	if (on && current_signal_pending())
		return -EINTR;
	if (tty->driver->set_break)
		tty->driver->set_break(tty, on);
	return 0;
}

static long flush(struct tty *tty, uintptr_t which)
{
	int error = tty_check_foreground(tty, SIGTTOU);
	bool resume = false;

	if (error)
		return error;
	if (which > TCIOFLUSH)
		return -EINVAL;
	if (which != TCIFLUSH && tty->driver->flush)
		tty->driver->flush(tty);
	if (which == TCOFLUSH)
		return 0;
	spin_lock(&tty->lock);
	line_flush_input(&tty->line);
	resume = tty->starved;
	tty->starved = false;
	tty_unlock(tty);
	if (resume && tty->driver->resume)
		tty->driver->resume(tty);
	return 0;
}

/* STOP or START to the other side, if there is such a character. */
static void send_control(struct tty *tty, unsigned int which) requires(tty->lock)
{
	char byte = (char)tty->line.termios.c_cc[which];

	if (byte)
		tty->driver->echo(tty, &byte, 1);
}

static long flow(struct tty *tty, uintptr_t action)
{
	int error = tty_check_foreground(tty, SIGTTOU);

	if (error)
		return error;
	if (action > TCION)
		return -EINVAL;
	spin_lock(&tty->lock);
	if (action == TCOOFF) {
		tty->line.held = true;
		line_stop(&tty->line);
	} else if (action == TCOON && tty->line.held) {
		tty->line.held = false;
		line_start(&tty->line);
	} else if (action == TCIOFF || action == TCION) {
		send_control(tty, action == TCIOFF ? VSTOP : VSTART);
	}
	tty_unlock(tty);
	wake_all(&tty->output);
	return 0;
}

bool tty_toggle_flow(struct tty *tty)
{
	bool stopped;

	spin_lock(&tty->lock);
	stopped = !tty->line.stopped;
	if (stopped)
		line_stop(&tty->line);
	else
		line_start(&tty->line);
	tty_unlock(tty);
	if (!stopped)
		wake_all(&tty->output);
	return stopped;
}

static long count_input(struct tty *tty, user_t out)
{
	int count;

	spin_lock(&tty->lock);
	count = (int)line_available(&tty->line);
	spin_unlock(&tty->lock);
	return copy_to_user(out, &count, sizeof(count));
}

static long count_output(struct tty *tty, user_t out)
{
	int count = tty->driver->pending ? (int)tty->driver->pending(tty) : 0;

	return copy_to_user(out, &count, sizeof(count));
}

/* As if it had been typed. */
static long simulate_input(struct tty *tty, user_t from)
{
	uint8_t byte;

	if (!tty_is_own(tty) && !capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&byte, from, 1))
		return -EFAULT;
	(void)tty_receive(tty, &byte, 1);
	return 0;
}

/* ---- The rest ---- */

static long get_size(struct tty *tty, user_t out)
{
	struct winsize size;

	spin_lock(&tty->lock);
	size = tty->size;
	spin_unlock(&tty->lock);
	return copy_to_user(out, &size, sizeof(size));
}

static long set_size(struct tty *tty, user_t from)
{
	struct winsize size;

	if (copy_from_user(&size, from, sizeof(size)))
		return -EFAULT;
	tty_resize(tty, &size);
	return 0;
}

static long get_number(int number, user_t out)
{
	return copy_to_user(out, &number, sizeof(number));
}

static long set_exclusive(struct tty *tty, bool on)
{
	spin_lock(&tty->lock);
	tty->exclusive = on;
	spin_unlock(&tty->lock);
	return 0;
}

/* There is one line discipline. */
static long set_discipline(struct tty *tty, user_t from)
{
	int wanted, error = tty_check_foreground(tty, SIGTTOU);

	if (error)
		return error;
	if (copy_from_user(&wanted, from, sizeof(wanted)))
		return -EFAULT;
	return wanted == N_TTY ? 0 : -EINVAL;
}

static long take_console(const struct file *file, const struct tty_file *open)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (open->view == TTY_CONSOLE)
		return tty_redirect_console(NULL);
	if (!file_writable(file))
		return -EBADF;
	return tty_redirect_console(open->tty);
}

static long hang_up(struct tty *tty)
{
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	tty_hang_up(tty);
	return 0;
}

static long about_sessions(struct file *file, struct tty *tty, enum tty_end_of end,
	unsigned int command, uintptr_t argument)
{
	user_t user = user_pointer(argument);

	switch (command) {
	case TIOCGPGRP:
		return get_group(tty, end, user);
	case TIOCSPGRP:
		return set_group(tty, user);
	case TIOCGSID:
		return get_session(tty, end, user);
	case TIOCSCTTY:
		return take_control(file, tty, argument);
	case TIOCNOTTY:
		return let_go(tty);
	case TIOCVHANGUP:
		return hang_up(tty);
	default:
		return -ENOTTY;
	}
}

static long tell_device(struct tty *tty, user_t out)
{
	uint32_t number = (uint32_t)tty->device.number;

	return copy_to_user(out, &number, sizeof(number));
}

static long about_bytes(struct tty *tty, unsigned int command, uintptr_t argument)
{
	user_t user = user_pointer(argument);

	switch (command) {
	case TCSBRK:
		return send_break(tty, argument ? 0 : BREAK_TIME);
	case TCSBRKP:
		return send_break(tty, argument ? (argument & 0xffff) * BREAK_UNIT : BREAK_TIME);
	case TIOCSBRK:
		return set_break(tty, true);
	case TIOCCBRK:
		return set_break(tty, false);
	case TCFLSH:
		return flush(tty, argument);
	case TCXONC:
		return flow(tty, argument);
	case FIONREAD:
		return count_input(tty, user);
	case TIOCOUTQ:
		return count_output(tty, user);
	case TIOCSTI:
		return simulate_input(tty, user);
	case TIOCGDEV:
		return tell_device(tty, user);
	default:
		if (tty->driver->ioctl)
			return tty->driver->ioctl(tty, command, argument);
		return -ENOTTY;
	}
}

long tty_ioctl_by(struct file *file, struct tty *tty, enum tty_end_of end, unsigned int command,
	uintptr_t argument)
{
	user_t user = user_pointer(argument);
	long result = about_sessions(file, tty, end, command, argument);

	if (result == -ENOTTY)
		result = about_bytes(tty, command, argument);
	if (result == -ENOTTY)
		result = tty_settings_ioctl(tty, command, user);
	if (result != -ENOTTY)
		return result;
	switch (command) {
	case TIOCGWINSZ:
		return get_size(tty, user);
	case TIOCSWINSZ:
		return set_size(tty, user);
	case TIOCEXCL:
		return set_exclusive(tty, true);
	case TIOCNXCL:
		return set_exclusive(tty, false);
	case TIOCGEXCL:
		return get_number(tty->exclusive, user);
	case TIOCGETD:
		return get_number(N_TTY, user);
	case TIOCSETD:
		return set_discipline(tty, user);
	default:
		return -ENOTTY;
	}
}

long tty_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	const struct tty_file *open = file->private;

	if (tty_file_dead(open))
		return command == TIOCSPGRP ? -ENOTTY : -EIO;
	if (command == TIOCCONS)
		return take_console(file, open);
	return tty_ioctl_by(file, open->tty, TTY_SLAVE, command, argument);
}
