/* SPDX-License-Identifier: MIT */
/* Terminals: a line discipline, a driver beneath, a session above. See tty.c. */
#ifndef DEVICES_TTY_H
#define DEVICES_TTY_H

#include "devices/tty_line.h"
#include "files/devfs.h"
#include "lib/lock.h"
#include "lib/types.h"
#include "process/mutex.h"
#include "process/wait.h"

struct tty;

#define TTY_PIECE 1024u

struct tty_driver {
	void (*open)(struct tty *tty); /* each time it is opened; may be NULL */
	/* Sends all of up to TTY_PIECE bytes in order, or none: the count, or a negative errno. Waits
	 * unless told not to. One call at a time, with tty->write_lock. */
	ssize_t (*write)(struct tty *tty, const char *bytes, size_t count, bool nonblocking);
	/* Sends echo: never waits, drops what does not fit. Any context, with tty->lock. */
	void (*echo)(struct tty *tty, const char *bytes, size_t count);
	/* Would a write go through now? The queue tells of a change. NULL: always. */
	bool (*writable)(struct tty *tty, struct wait_queue **queue);
	/* There is room for input again (after tty_receive took less than it was given). */
	void (*resume)(struct tty *tty);
	/* Waits until all is out. NULL: it always is. */
	void (*drain)(struct tty *tty);
};

struct tty {
	const struct tty_driver *driver;
	void *private; /* the driver's */
	const char *name;
	struct device device; /* its node in /dev */
	bool never_controls;  /* opening it gives no controlling terminal (/dev/console) */
	struct list link;     /* of all */
	struct mutex write_lock;
	struct wait_queue readable, output; /* output: started again */
	struct spinlock lock;               /* guards the rest */
	struct line line;
	struct winsize size;
	int session, foreground; /* 0: none */
	bool hung_up;            /* reads give end of file */
	bool starved;            /* the driver holds input back */
	uint32_t signals;        /* to be sent once the lock is released: bit n is signal n */
};

/* Readies a terminal that has driver, private and name, and makes its node /dev/NAME with the given
 * number. 0 or a negative errno. */
int tty_register(struct tty *tty, uint64_t number, uint32_t mode) MUST_CHECK;
/* One more node for the same terminal; `device` is the caller's, for ever. */
int tty_alias(struct tty *tty, struct device *device, const char *name, uint64_t number,
	uint32_t mode) MUST_CHECK;
/* Bytes from the device, in any context. How many were taken; fewer than count: the driver keeps
 * the rest until driver->resume. */
size_t tty_receive(struct tty *tty, const uint8_t *bytes, size_t count);
/* Another size: SIGWINCH for the foreground group if it really is. */
void tty_resize(struct tty *tty, unsigned int rows, unsigned int columns);
void tty_hang_up(struct tty *tty);
/* The leader of a session ended: its terminal is nobody's any more. Without process_lock. */
void tty_session_ended(int session);
/* The controlling terminal of a session, or NULL: /dev/tty, /proc. */
struct tty *tty_of_session(int session);

/* ---- Between tty.c and tty_ioctl.c ---- */

/* Makes it the controlling terminal of the caller's session. `steal`: another session's too. */
int tty_take_control(struct tty *tty, bool steal) MUST_CHECK;
/* For a process that is not in the foreground of its own terminal: sends its group the signal for
 * that and gives -EINTR, or -EIO where there is nobody; else 0. */
int tty_check_foreground(struct tty *tty, int signal) MUST_CHECK;
long tty_ioctl(struct file *file, unsigned int command, uintptr_t argument);

#endif
