/* SPDX-License-Identifier: MIT */
/* Terminals: a line discipline, a driver beneath, a session above. See tty.c. */
#ifndef DEVICES_TTY_H
#define DEVICES_TTY_H

#include "devices/tty_line.h"
#include "files/async.h"
#include "files/devfs.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "process/mutex.h"
#include "process/wait.h"

struct tty;

#define TTY_PIECE 1024u

struct tty_driver {
	/* Each time it is opened, before it becomes anybody's terminal: 0 or a negative errno. May wait,
	 * but not with O_NONBLOCK among the file's flags. May be NULL. */
	int (*open)(struct tty *tty, const struct file *file);
	void (*close)(struct tty *tty);   /* nobody has it open any more; may be NULL */
	void (*hung_up)(struct tty *tty); /* after a hang-up, in any context; may be NULL */
	/* Sends all of up to TTY_PIECE bytes in order, or none: the count, or a negative errno. Waits
	 * unless told not to. One call at a time, with tty->write_lock. */
	ssize_t (*write)(struct tty *tty, const char *bytes, size_t count, bool nonblocking);
	/* Sends echo: never waits, drops what does not fit. Any context, with tty->lock. */
	void (*echo)(struct tty *tty, const char *bytes, size_t count);
	/* How much echo has room now; what has none waits in the line. As echo. NULL: all has. */
	size_t (*echo_room)(struct tty *tty);
	/* Would a write go through now? The queue tells of a change. NULL: always. */
	bool (*writable)(struct tty *tty, struct wait_queue **queue);
	/* There is room for input again (after tty_receive took less than it was given). */
	void (*resume)(struct tty *tty);
	/* Waits until all is out, or a signal comes. NULL: it always is. */
	void (*drain)(struct tty *tty);
	/* What a master in packet mode hears of: TIOCPKT_* bits. With tty->lock; may be NULL. */
	void (*event)(struct tty *tty, unsigned int bits);
	/* tty->lock was released after echo or event may have been called: wakes who waits for them. */
	void (*settle)(struct tty *tty);
	void (*flush)(struct tty *tty);     /* drops what is not out yet; may be NULL */
	void (*configure)(struct tty *tty); /* the settings changed: speed, frame. May sleep */
	size_t (*pending)(struct tty *tty); /* bytes that are not out yet. NULL: 0 */
	void (*set_break)(struct tty *tty, bool on); /* NULL: there are none on this line */
	void (*release)(struct tty *tty); /* the last reference went. NULL: it stays for ever */
	bool pseudo;                      /* nothing to hang up when its session ends */
	/* ioctls that not every terminal has: -ENOTTY for another. NULL: none. */
	long (*ioctl)(struct tty *tty, unsigned int command, uintptr_t argument);
};

struct tty {
	const struct tty_driver *driver;
	void *private; /* the driver's */
	const char *name;
	struct device device; /* its node in /dev, or its number alone */
	uint32_t references;  /* atomic */
	struct list link;     /* of all that have a session, or had one; ttys_lock */
	struct mutex write_lock;
	struct wait_queue readable, output; /* output: started again, or room */
	struct async_list async;
	bool wants_room;      /* atomic: a write found too little; ASYNC_OUT tells of it once */
	struct spinlock lock; /* guards the rest */
	struct line line;
	struct winsize size;
	struct termios locked; /* TIOCSLCKTRMIOS: bits and characters that nobody changes */
	uint32_t input_speed, output_speed; /* in baud */
	int session, foreground;            /* 0: none; written with ttys_lock too */
	int old_session, old_foreground;    /* whose it was when it was hung up, until that ends */
	uint32_t opens;                     /* open files */
	uint32_t hang_ups;                  /* files opened before the last one are dead */
	bool gone;                          /* its other end is closed for ever */
	bool exclusive;                     /* TIOCEXCL */
	bool starved;                       /* the driver holds input back */
	uint32_t signals; /* to be sent once the lock is released: bit n is signal n */
	ns_t written;     /* when output was last written to it; atomic */
};

/* When the last output was written on the terminal on which the first byte was typed, before that: its prompt;
 * 0: none was typed yet. Atomic. */
extern ns_t tty_prompted;

/* How it was opened: /dev/console's files are not hung up and ask nobody about job control. */
enum tty_view { TTY_OWN, TTY_CONSOLE };

/* An open file's `private`. */
struct tty_file {
	struct tty *tty; /* a reference */
	enum tty_view view;
	uint32_t hang_ups; /* of the terminal when it was opened */
};

/* Readies a terminal that has driver, private, name and device.number: one reference, the caller's. */
void tty_init(struct tty *tty);
void tty_get(struct tty *tty);
void tty_put(struct tty *tty);
/* The `open` of a file on this terminal (takes a reference of its own), and its operations after. */
int tty_open_file(struct file *file, struct tty *tty, enum tty_view view) MUST_CHECK;
extern const struct file_operations tty_operations;

/* Makes /dev/tty. 0 or a negative errno. */
int tty_register_own(void) MUST_CHECK;
/* Readies a terminal that has driver, private and name, and makes its node /dev/NAME with the given
 * number. 0 or a negative errno. */
int tty_register(struct tty *tty, uint64_t number, uint32_t mode) MUST_CHECK;
/* Bytes from the device, in any context. How many were taken; fewer than count: the driver keeps
 * the rest until driver->resume. */
size_t tty_receive(struct tty *tty, const uint8_t *bytes, size_t count);
/* The same of a part of what came at once; TTY_LAST: its end. */
enum tty_part { TTY_MORE, TTY_LAST };
size_t tty_receive_part(struct tty *tty, const uint8_t *bytes, size_t count, enum tty_part part);
/* A byte that came with an error, or a break: as tty_receive, but never held back. */
void tty_receive_bad(struct tty *tty, enum line_bad bad, uint8_t byte);
/* There is room for output. In any context, without its locks. */
void tty_tell_room(struct tty *tty);
/* Has anybody opened it? */
bool tty_is_open(const struct tty *tty);
/* Can input be given to it now? */
bool tty_has_room(struct tty *tty);
/* Another size: SIGWINCH for the foreground group if it really is. */
void tty_resize(struct tty *tty, const struct winsize *size);
/* Stops output, or starts it again: is it stopped now? */
bool tty_toggle_flow(struct tty *tty);
/* The line is dead: its session's leader gets SIGHUP and SIGCONT, and who has it open can only close it. */
void tty_hang_up(struct tty *tty);
/* Its other end is closed: the same, and it cannot be opened again. */
void tty_end(struct tty *tty);
/* The leader of a session ended: its terminal is nobody's any more. Without process_lock. */
void tty_session_ended(int session);
/* The controlling terminal of a session, with a reference, or NULL: /dev/tty. */
struct tty *tty_of_session(int session) MUST_CHECK;
/* Its number and foreground group for /proc; 0 and -1 where there is none. */
void tty_numbers_of_session(int session, uint64_t *number, int *foreground);
/* Signals (bits) to the foreground group. */
void tty_signal_foreground(struct tty *tty, uint32_t signals);

/* ---- Between tty.c, tty_session.c, tty_ioctl.c and pty.c ---- */

/* Makes it the controlling terminal of the caller's session, if that has none. `steal`: another
 * session's too. -EPERM. */
int tty_take_control(struct tty *tty, bool steal) MUST_CHECK;
void tty_let_go(int session); /* TIOCNOTTY by its leader */
/* The operation `async` of its files. */
int tty_async(struct file *file, int fd, bool on) MUST_CHECK;
/* Is it the caller's controlling terminal? */
bool tty_is_own(struct tty *tty) MUST_CHECK;
/* For a process that is not in the foreground of its own terminal: sends its group the signal for
 * that and gives -ERESTARTSYS, or -EIO where there is nobody; else 0. */
int tty_check_foreground(struct tty *tty, int signal) MUST_CHECK;
/* Gives it memory for echo, if it has none: it echoes from then on. 0 or -ENOMEM. */
int tty_ready_echo(struct tty *tty) MUST_CHECK;
/* After tty->lock was released: echo that line->flushing asks for goes out. */
void tty_flush_echo(struct tty *tty);
/* Releases tty->lock, sends the signals collected under it, and wakes. */
void tty_unlock(struct tty *tty) releases(tty->lock);
/* An ioctl of the terminal, by its own file or (master) by the one at its other end. */
enum tty_end_of { TTY_SLAVE, TTY_MASTER };
long tty_ioctl_by(struct file *file, struct tty *tty, enum tty_end_of end, unsigned int command,
	uintptr_t argument);
long tty_ioctl(struct file *file, unsigned int command, uintptr_t argument);
/* TIOCCONS: what is written to /dev/console goes to this file's terminal; NULL: no more. -EBUSY. */
int tty_redirect_console(struct tty *tty) MUST_CHECK;
bool tty_file_dead(const struct tty_file *file) MUST_CHECK;

#endif
