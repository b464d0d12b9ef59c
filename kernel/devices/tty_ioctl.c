/* SPDX-License-Identifier: MIT */
/* The ioctls of terminals (man 2 ioctl_tty); see tty.c for the locks. */
#include "devices/tty.h"

#include "lib/errno.h"
#include "memory/user.h"
#include "process/current.h"

#include <asm/signal.h>

static void drain(struct tty *tty)
{
	mutex_lock(&tty->write_lock);
	if (tty->driver->drain)
		tty->driver->drain(tty);
	mutex_unlock(&tty->write_lock);
}

static long get_termios(struct tty *tty, user_t out)
{
	struct termios termios;

	spin_lock(&tty->lock);
	termios = tty->line.termios;
	spin_unlock(&tty->lock);
	return copy_to_user(out, &termios, sizeof(termios));
}

static long set_termios(struct tty *tty, unsigned int command, user_t from)
{
	struct termios termios;
	int error = tty_check_foreground(tty, SIGTTOU);

	if (error)
		return error;
	if (copy_from_user(&termios, from, sizeof(termios)))
		return -EFAULT;
	if (command != TCSETS)
		drain(tty);
	spin_lock(&tty->lock);
	if (command == TCSETSF)
		line_flush_input(&tty->line);
	line_set(&tty->line, &termios);
	spin_unlock(&tty->lock);
	wake_all(&tty->readable);
	wake_all(&tty->output);
	return 0;
}

static long flush(struct tty *tty, uintptr_t which)
{
	bool resume;

	if (which > TCIOFLUSH)
		return -EINVAL;
	if (which == TCOFLUSH)
		return 0; /* output is the driver's at once */
	spin_lock(&tty->lock);
	line_flush_input(&tty->line);
	resume = tty->starved;
	tty->starved = false;
	spin_unlock(&tty->lock);
	if (resume && tty->driver->resume)
		tty->driver->resume(tty);
	return 0;
}

static long flow(struct tty *tty, uintptr_t action)
{
	if (action > TCION)
		return -EINVAL;
	if (action == TCIOFF || action == TCION)
		return 0; /* there is nobody to tell */
	spin_lock(&tty->lock);
	tty->line.stopped = action == TCOOFF;
	spin_unlock(&tty->lock);
	wake_all(&tty->output);
	return 0;
}

static bool is_controlling(struct tty *tty)
{
	int session = current_session();

	return session && __atomic_load_n(&tty->session, __ATOMIC_RELAXED) == session;
}

static long get_group(struct tty *tty, user_t out)
{
	int group;

	if (!is_controlling(tty))
		return -ENOTTY;
	spin_lock(&tty->lock);
	group = tty->foreground;
	spin_unlock(&tty->lock);
	return copy_to_user(out, &group, sizeof(group));
}

static long set_group(struct tty *tty, user_t from)
{
	int group, error;

	if (!is_controlling(tty))
		return -ENOTTY;
	error = tty_check_foreground(tty, SIGTTOU);
	if (error)
		return error;
	if (copy_from_user(&group, from, sizeof(group)))
		return -EFAULT;
	if (group < 0)
		return -EINVAL;
	spin_lock(&tty->lock);
	tty->foreground = group;
	spin_unlock(&tty->lock);
	return 0;
}

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
	tty_resize(tty, size.ws_row, size.ws_col);
	return 0;
}

static long get_number(int number, user_t out)
{
	return copy_to_user(out, &number, sizeof(number));
}

static long count_input(struct tty *tty, user_t out)
{
	int count;

	spin_lock(&tty->lock);
	count = (int)line_available(&tty->line);
	spin_unlock(&tty->lock);
	return get_number(count, out);
}

/* Gives the controlling terminal up. */
static long let_go(struct tty *tty)
{
	if (!is_controlling(tty))
		return -ENOTTY;
	if (current_session() == current_pid())
		tty_session_ended(current_session());
	return 0;
}

long tty_ioctl(struct file *file, unsigned int command, uintptr_t argument)
{
	struct tty *tty = file->private;
	user_t user = user_pointer(argument);

	switch (command) {
	case TCGETS:
		return get_termios(tty, user);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_termios(tty, command, user);
	case TCSBRK:
		drain(tty);
		return 0;
	case TCFLSH:
		return flush(tty, argument);
	case TCXONC:
		return flow(tty, argument);
	case TIOCGWINSZ:
		return get_size(tty, user);
	case TIOCSWINSZ:
		return set_size(tty, user);
	case TIOCGPGRP:
		return get_group(tty, user);
	case TIOCSPGRP:
		return set_group(tty, user);
	case TIOCGSID:
		return is_controlling(tty) ? get_number(tty->session, user) : -ENOTTY;
	case TIOCSCTTY:
		return tty_take_control(tty, argument == 1);
	case TIOCNOTTY:
		return let_go(tty);
	case FIONREAD:
		return count_input(tty, user);
	case TIOCOUTQ:
		return get_number(0, user);
	default:
		return -ENOTTY;
	}
}
