/* SPDX-License-Identifier: MIT */
/* A pair of pseudo-terminals, between pty.c and pty_ioctl.c. */
#ifndef DEVICES_PTY_PAIR_H
#define DEVICES_PTY_PAIR_H

#include "devices/pty.h"
#include "devices/tty.h"

#define RING_SIZE 16384u /* of what the slave wrote; a power of two */

struct pty {
	struct tty tty; /* the slave */
	struct inode *node;
	bool locked;                /* the slave may not be opened; pairs_lock */
	struct wait_queue readable; /* the master waits for something to read */
	struct wait_queue room;     /* ... for room in the slave's line */
	struct async_list async;    /* the master's */
	struct spinlock lock;       /* guards the rest */
	uint8_t *ring;
	uint32_t head, tail; /* counts that run on */
	bool slave_closed;   /* it was open, and is no more */
	bool master_closed;
	bool packet;
	uint8_t happened;  /* TIOCPKT_* bits that the master has not read */
	bool wakes_reader; /* since the last settle */
	bool fresh;        /* ... and bytes were put in */
	bool dropped;      /* ... or dropped: there is room */
};

extern struct spinlock pairs_lock;
extern const struct file_operations
	pty_peer_operations; /* opens the slave even when it is locked */

static inline uint32_t pty_used(const struct pty *pty) requires(pty->lock)
{
	return pty->head - pty->tail;
}

void pty_put_to_master(struct pty *pty, uint8_t byte);
long pty_master_ioctl(struct file *file, unsigned int command, uintptr_t argument);

#endif
