/* SPDX-License-Identifier: MIT */
/* UNIX sockets: what the system calls see of them, and what their files share. See unix.c. */
#ifndef SOCKETS_UNIX_H
#define SOCKETS_UNIX_H

#include "files/async.h"
#include "files/vfs.h"
#include "sockets/abi.h"

/* A name as bind got it, and as it is told; `length` 0: none. */
struct unix_name {
	uint32_t length; /* of the path, without sun_family */
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
};

/* Descriptors under way: man 7 unix, SCM_RIGHTS. */
struct rights {
	struct list link; /* of those to be dropped: unix_rights.c */
	struct user *user;
	const struct credentials *sender;
	unsigned count;
	struct file *files[];
};

enum unix_state { UNIX_IDLE, UNIX_LISTENING, UNIX_CONNECTED };
enum unix_shut { UNIX_SHUT_READ = 1, UNIX_SHUT_WRITE = 2, UNIX_SHUT_BOTH = 3 };

/* Those that are kept for who asks. */
struct unix_options {
	uint64_t switches[2]; /* by option */
	uint64_t pacing;
	int numbers[6], linger, transmit_clock;
	uint32_t stamping, transmit_flags;
	uint8_t stamps, fixed_buffers;
};

/* SO_TIMESTAMP and its kin, which are one: whether, in ns, by the newer layout. */
enum unix_stamps { UNIX_STAMPED = 1, UNIX_STAMPED_NS = 2, UNIX_STAMPED_NEW = 4 };

struct unix_socket {
	uint32_t references; /* atomic */
	int type;
	struct list all_link; /* all_lock: of every socket, by age */
	uint64_t age;         /* how many were made before it, and 1 */
	uint64_t number;      /* atomic: of the inode; 0: not accepted yet, or closed */
	struct inode *inode;  /* of the open file, which holds this; NULL: not accepted yet */
	struct file *file;    /* not counted; NULL: none yet, or none any more */
	struct mutex setup;   /* bind, listen, connect: one at a time */
	struct mutex reading;
	struct wait_queue changed;
	struct async_list async;
	bool wants_room; /* atomic: a sender found none; ASYNC_OUT tells of it once */
	bool awaited;    /* atomic: a stream's reader sleeps, and is told by that alone */
	/* changed by `setup`, read without */
	enum unix_state state; /* atomic */
	struct unix_name name; /* written once, before `named` */
	bool named;            /* atomic */
	struct inode *bound;   /* of a path */
	struct list name_link; /* names_lock */
	/* by lock */
	struct spinlock lock;
	struct unix_socket *peer; /* counted; a stream's stays once there is one */
	struct list queue;        /* messages; a listener's: connections, by queue_link */
	struct list queue_link;
	unsigned queued, backlog;
	uint64_t queued_bytes;
	bool closed;
	struct list blocked;      /* senders that poll for room in the queue, by blocked_link */
	unsigned shut;            /* enum unix_shut; atomic */
	int error;                /* for the next call, once; atomic */
	uint32_t charged;         /* atomic: bytes of messages that nobody has read */
	struct list blocked_link; /* blocked_lock */
	struct unix_socket *blocked_on;
	uint32_t send_limit, receive_limit;
	ns_t send_timeout, receive_timeout; /* NS_NEVER: none */
	bool pass_credentials;
	int receive_least;           /* SO_RCVLOWAT: a stream's reader waits for that many bytes */
	int peek_offset;             /* SO_PEEK_OFF; -1: none */
	struct unix_options options; /* syscall/sockets_options.c */
	struct ucred peer_credentials;      /* lock; by listen, connect, socketpair; pid 0: none */
	const struct credentials *peer_who; /* lock; counted; NULL: none */
	/* rights_lock */
	struct list flying; /* on the list of those under way */
	unsigned in_flight, unexplained;
	bool candidate;
};

struct unix_message {
	struct list link;
	struct unix_socket *sender; /* counted */
	struct rights *rights;
	struct ucred credentials;
	bool has_credentials;
	uint32_t size, start; /* bytes from start on are unread */
	uint32_t charge;
	char data[];
};

/* One sendmsg or recvmsg. */
struct unix_call {
	struct io *io;
	unsigned flags;
	bool has_name;
	struct unix_name name; /* where to, or where from */
	struct rights *rights; /* taken over when sent; the caller's when received */
	struct ucred credentials;
	bool has_credentials;
	uint64_t skip; /* bytes that a peek goes past */
	unsigned told; /* MSG_* of the result */
};

extern const struct file_operations unix_file_operations;

/* ---- For the system calls. Files are sockets' (unix_of). ---- */

struct unix_socket *unix_of(const struct file *file); /* NULL: another kind of file */
int unix_create(int type, unsigned flags, struct file **out) MUST_CHECK;
int unix_pair(int type, unsigned flags, struct file *out[2]) MUST_CHECK;
int unix_bind(struct unix_socket *socket, const struct unix_name *name) MUST_CHECK;
int unix_listen(struct unix_socket *socket, int backlog) MUST_CHECK;
int unix_connect(struct file *file, const struct unix_name *name) MUST_CHECK;
int unix_disconnect(struct unix_socket *socket) MUST_CHECK; /* AF_UNSPEC */
int unix_accept(struct file *file, unsigned flags, struct file **out) MUST_CHECK;
int unix_shutdown(struct unix_socket *socket, int how) MUST_CHECK;
ssize_t unix_send(struct file *file, struct unix_call *call) MUST_CHECK;
ssize_t unix_receive(struct file *file, struct unix_call *call) MUST_CHECK;
/* SOL_SOCKET; of the user's memory. */
int unix_set_option(struct unix_socket *socket, int option, user_t from, size_t length) MUST_CHECK;
int unix_tell_option(struct unix_socket *socket, int option, user_t to, user_t length) MUST_CHECK;
/* Who is at the other end, as SO_PEERCRED tells it; *who is counted, NULL: nobody is known. */
void unix_get_peer(struct unix_socket *socket, struct ucred *out, const struct credentials **who);
void unix_get_name(struct unix_socket *socket, struct unix_name *out);
int unix_get_peer_name(struct unix_socket *socket, struct unix_name *out) MUST_CHECK;

/* ---- Inside ---- */

void unix_options_init(struct unix_options *options);
void unix_get(struct unix_socket *socket);
void unix_put(struct unix_socket *socket);
/* The one that it is connected to, with a reference; NULL: none. */
struct unix_socket *unix_peer(struct unix_socket *socket) MUST_CHECK;
/* Datagrams: connected to `peer`, whose reference is taken over, or (NULL) to nobody. */
void unix_set_peer(struct unix_socket *socket, struct unix_socket *peer);
bool unix_writable(const struct unix_socket *socket);
bool unix_is_full(struct unix_socket *socket);
int unix_take_error(struct unix_socket *socket);
/* Waits are over at this time; what a wait that ended so gives. */
ns_t unix_deadline(ns_t timeout);
int unix_wait_error(int error, ns_t timeout);
void unix_message_free(struct unix_message *message);
/* Signals to who asked for them, unless a reader sleeps: it has been woken. */
static inline void unix_tell_reader(struct unix_socket *socket, enum async_news news)
{
	if (!__atomic_load_n(&socket->awaited, __ATOMIC_RELAXED))
		async_tell(&socket->async, news);
}
/* A queue's end. Takes all messages. */
void unix_drop_messages(struct list *messages);
/* Somebody took a message: senders that wait for room. */
void unix_room(struct unix_socket *socket);
void unix_unblock(struct unix_socket *socket);
void unix_release(struct file *file);
/* By a name: with a reference. -ECONNREFUSED, -EPROTOTYPE, the walk's errors. */
int unix_find(const struct unix_name *name, int type, struct unix_socket **out) MUST_CHECK;
void unix_forget_name(struct unix_socket *socket);
/* /proc/net/unix shows it, or no longer. */
void unix_enlist(struct unix_socket *socket);
void unix_delist(struct unix_socket *socket);
/* Those that are in the message are under way from now on: -ETOOMANYREFS. */
int rights_launch(struct rights *rights) MUST_CHECK;
/* They arrived, or are dropped; files stay held. */
void rights_land(struct rights *rights);
struct rights *rights_copy(const struct rights *rights) MUST_CHECK; /* MSG_PEEK; NULL: no memory */
void rights_free(struct rights *rights);                            /* puts the files */
/* Drops what is under way and cannot be received by anybody. */
void rights_collect(void);

#endif
