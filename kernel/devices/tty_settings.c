/* SPDX-License-Identifier: MIT */
/*
 * A terminal's settings by ioctl: TCGETS, TCSETS and their older (termio) and newer (termios2) forms.
 *
 * All forms become one: struct termios2. The speeds stand in c_cflag as codes (man 3 termios), or as
 * numbers of their own where the code is BOTHER. TCSETSW and its like wait for output first, TCSETSF drops
 * input too. Only a group in the foreground may set (SIGTTOU). Bits and characters that are locked
 * (TIOCSLCKTRMIOS) stay as they are whoever sets, until the terminal's last file is closed.
 */
#include "devices/tty_settings.h"

#include "lib/errno.h"
#include "lib/string.h"
#include "process/credentials.h"
#include "process/current.h"

#include <asm/signal.h>
#include <linux/capability.h>

enum form { FORM_TERMIO, FORM_TERMIOS, FORM_TERMIOS2 };

/* ---- Speeds ---- */

static const struct {
	tcflag_t code;
	uint32_t baud;
} speeds[] = {{B0, 0}, {B50, 50}, {B75, 75}, {B110, 110}, {B134, 134}, {B150, 150}, {B200, 200},
	{B300, 300}, {B600, 600}, {B1200, 1200}, {B1800, 1800}, {B2400, 2400}, {B4800, 4800},
	{B9600, 9600}, {B19200, 19200}, {B38400, 38400}, {B57600, 57600}, {B115200, 115200},
	{B230400, 230400}, {B460800, 460800}, {B500000, 500000}, {B576000, 576000},
	{B921600, 921600}, {B1000000, 1000000}, {B1152000, 1152000}, {B1500000, 1500000},
	{B2000000, 2000000}, {B2500000, 2500000}, {B3000000, 3000000}, {B3500000, 3500000},
	{B4000000, 4000000}};

static uint32_t baud_of(tcflag_t code, uint32_t other)
{
	if (code == BOTHER)
		return other;
	for (unsigned int i = 0; i < ARRAY_SIZE(speeds); i++)
		if (speeds[i].code == code)
			return speeds[i].baud;
	return 9600; /* no such code */
}

/* The speeds that the codes say; an input code of 0 is the output's. */
static void set_speeds(struct termios2 *settings)
{
	tcflag_t input = settings->c_cflag >> IBSHIFT & CBAUD;

	settings->c_ospeed = baud_of(settings->c_cflag & CBAUD, settings->c_ospeed);
	settings->c_ispeed = input ? baud_of(input, settings->c_ispeed) : settings->c_ospeed;
}

void tty_set_speed(struct tty *tty, uint32_t baud)
{
	tcflag_t *flags = &tty->line.termios.c_cflag, code = BOTHER;

	for (unsigned int i = 0; i < ARRAY_SIZE(speeds); i++) {
		if (speeds[i].baud == baud)
			code = speeds[i].code;
	}
	*flags &= ~(tcflag_t)CBAUD;
	*flags |= code;
	if (*flags >> IBSHIFT & CBAUD)
		*flags = (*flags & ~((tcflag_t)CBAUD << IBSHIFT)) | code << IBSHIFT;
	tty->input_speed = tty->output_speed = baud;
}

/* ---- Forms ---- */

static void read_settings(struct tty *tty, struct termios2 *out)
{
	const struct termios *termios = &tty->line.termios;

	spin_lock(&tty->lock);
	*out = (struct termios2){.c_iflag = termios->c_iflag,
		.c_oflag = termios->c_oflag,
		.c_cflag = termios->c_cflag,
		.c_lflag = termios->c_lflag,
		.c_line = termios->c_line,
		.c_ispeed = tty->input_speed,
		.c_ospeed = tty->output_speed};
	memcpy(out->c_cc, termios->c_cc, sizeof(out->c_cc));
	spin_unlock(&tty->lock);
}

static long get_settings(struct tty *tty, enum form form, user_t out)
{
	struct termios2 settings;
	struct termios termios;
	struct termio termio;

	read_settings(tty, &settings);
	if (form == FORM_TERMIOS2)
		return copy_to_user(out, &settings, sizeof(settings));
	if (form == FORM_TERMIO) {
		termio = (struct termio){.c_iflag = (unsigned short)settings.c_iflag,
			.c_oflag = (unsigned short)settings.c_oflag,
			.c_cflag = (unsigned short)settings.c_cflag,
			.c_lflag = (unsigned short)settings.c_lflag,
			.c_line = settings.c_line};
		memcpy(termio.c_cc, settings.c_cc, sizeof(termio.c_cc));
		return copy_to_user(out, &termio, sizeof(termio));
	}
	memcpy(&termios, &settings, sizeof(termios)); /* which termios2 begins with */
	return copy_to_user(out, &termios, sizeof(termios));
}

/* Over those that are there: termio has but their lower halves. */
static int fetch(struct termios2 *settings, enum form form, user_t from)
{
	struct termio termio;

	if (form == FORM_TERMIOS2)
		return copy_from_user(settings, from, sizeof(*settings));
	if (form == FORM_TERMIOS)
		return copy_from_user(settings, from, sizeof(struct termios));
	if (copy_from_user(&termio, from, sizeof(termio)))
		return -EFAULT;
	settings->c_iflag = (settings->c_iflag & ~0xffffu) | termio.c_iflag;
	settings->c_oflag = (settings->c_oflag & ~0xffffu) | termio.c_oflag;
	settings->c_cflag = (settings->c_cflag & ~0xffffu) | termio.c_cflag;
	settings->c_lflag = (settings->c_lflag & ~0xffffu) | termio.c_lflag;
	settings->c_line = termio.c_line;
	memcpy(settings->c_cc, termio.c_cc, sizeof(termio.c_cc));
	return 0;
}

static bool has_flow(const struct termios *termios)
{
	return termios->c_iflag & IXON && termios->c_cc[VSTOP] == 023 &&
	       termios->c_cc[VSTART] == 021;
}

/* What a master in packet mode hears of new settings. */
static unsigned int events_of(const struct termios *old, const struct termios *new)
{
	unsigned int bits = 0;

	if (has_flow(old) != has_flow(new))
		bits |= has_flow(new) ? TIOCPKT_DOSTOP : TIOCPKT_NOSTOP;
	if ((old->c_lflag | new->c_lflag) & EXTPROC)
		bits |= TIOCPKT_IOCTL;
	return bits;
}

static tcflag_t mixed(tcflag_t new, tcflag_t old, tcflag_t locked)
{
	return (new & ~locked) | (old & locked);
}

/* What is locked stays. */
static void keep_locked(const struct tty *tty, struct termios *new) requires(tty->lock)
{
	const struct termios *old = &tty->line.termios, *locked = &tty->locked;

	new->c_iflag = mixed(new->c_iflag, old->c_iflag, locked->c_iflag);
	new->c_oflag = mixed(new->c_oflag, old->c_oflag, locked->c_oflag);
	new->c_cflag = mixed(new->c_cflag, old->c_cflag, locked->c_cflag);
	new->c_lflag = mixed(new->c_lflag, old->c_lflag, locked->c_lflag);
	if (locked->c_line)
		new->c_line = old->c_line;
	for (unsigned int i = 0; i < ARRAY_SIZE(locked->c_cc); i++) {
		if (locked->c_cc[i])
			new->c_cc[i] = old->c_cc[i];
	}
}

static void apply(struct tty *tty, const struct termios2 *settings) requires(tty->lock)
{
	struct termios termios, old = tty->line.termios;
	unsigned int bits;

	memcpy(&termios, settings, sizeof(termios));
	if (tty->driver->pseudo) /* there is no line that could have another frame */
		termios.c_cflag = (termios.c_cflag & ~(tcflag_t)(CSIZE | PARENB)) | CS8 | CREAD;
	keep_locked(tty, &termios);
	line_set(&tty->line, &termios);
	tty->input_speed = settings->c_ispeed;
	tty->output_speed = settings->c_ospeed;
	bits = events_of(&old, &termios);
	if (bits && tty->driver->event)
		tty->driver->event(tty, bits);
}

enum when { AT_ONCE, AFTER_OUTPUT, AND_FLUSH };

static long set_settings(struct tty *tty, enum form form, enum when when, user_t from)
{
	struct termios2 settings;
	int error = tty_check_foreground(tty, SIGTTOU);

	if (error)
		return error;
	read_settings(tty, &settings);
	if (fetch(&settings, form, from))
		return -EFAULT;
	set_speeds(&settings);
	if (when != AT_ONCE && tty->driver->drain)
		tty->driver->drain(tty);
	if (when != AT_ONCE && current_signal_pending())
		return -ERESTARTSYS;
	spin_lock(&tty->lock);
	if (when == AND_FLUSH)
		line_flush_input(&tty->line);
	apply(tty, &settings);
	tty_unlock(tty);
	tty_flush_echo(tty);
	if (tty->driver->configure)
		tty->driver->configure(tty);
	if (when == AND_FLUSH && tty->driver->resume)
		tty->driver->resume(tty);
	wake_all(&tty->readable);
	wake_all(&tty->output);
	return 0;
}

static long set_local(struct tty *tty, user_t from)
{
	int on;

	if (copy_from_user(&on, from, sizeof(on)))
		return -EFAULT;
	spin_lock(&tty->lock);
	if (on)
		tty->line.termios.c_cflag |= CLOCAL;
	else
		tty->line.termios.c_cflag &= ~(tcflag_t)CLOCAL;
	spin_unlock(&tty->lock);
	return 0;
}

static long get_local(struct tty *tty, user_t out)
{
	int on = (tty->line.termios.c_cflag & CLOCAL) != 0;

	return copy_to_user(out, &on, sizeof(on));
}

static long get_locked(struct tty *tty, user_t out)
{
	struct termios locked;

	spin_lock(&tty->lock);
	locked = tty->locked;
	spin_unlock(&tty->lock);
	return copy_to_user(out, &locked, sizeof(locked));
}

static long set_locked(struct tty *tty, user_t from)
{
	struct termios locked;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (copy_from_user(&locked, from, sizeof(locked)))
		return -EFAULT;
	spin_lock(&tty->lock);
	tty->locked = locked;
	spin_unlock(&tty->lock);
	return 0;
}

long tty_settings_ioctl(struct tty *tty, unsigned int command, user_t user)
{
	switch (command) {
	case TCGETS:
		return get_settings(tty, FORM_TERMIOS, user);
	case TCGETS2:
		return get_settings(tty, FORM_TERMIOS2, user);
	case TCGETA:
		return get_settings(tty, FORM_TERMIO, user);
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		return set_settings(tty, FORM_TERMIOS, (enum when)(command - TCSETS), user);
	case TCSETA:
	case TCSETAW:
	case TCSETAF:
		return set_settings(tty, FORM_TERMIO, (enum when)(command - TCSETA), user);
	case TCSETS2:
	case TCSETSW2:
	case TCSETSF2:
		return set_settings(tty, FORM_TERMIOS2, (enum when)(command - TCSETS2), user);
	case TIOCGLCKTRMIOS:
		return get_locked(tty, user);
	case TIOCSLCKTRMIOS:
		return set_locked(tty, user);
	case TIOCGSOFTCAR:
		return get_local(tty, user);
	case TIOCSSOFTCAR:
		return set_local(tty, user);
	default:
		return -ENOTTY;
	}
}
