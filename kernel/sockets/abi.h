/* SPDX-License-Identifier: MIT */
/* Linux's words for sockets that its exported headers do not have, or keep from each other. */
#ifndef SOCKETS_ABI_H
#define SOCKETS_ABI_H

#include "lib/types.h"

#include <asm/socket.h>
#include <asm/sockios.h>
#include <linux/un.h>

#define AF_UNSPEC        0
#define AF_UNIX          1
#define AF_MAX           46

#define SOCK_STREAM      1
#define SOCK_DGRAM       2
#define SOCK_RAW         3
#define SOCK_SEQPACKET   5
#define SOCK_MAX         11
#define SOCK_TYPE_MASK   0xf

#define MSG_OOB          0x1u
#define MSG_PEEK         0x2u
#define MSG_CTRUNC       0x8u
#define MSG_TRUNC        0x20u
#define MSG_DONTWAIT     0x40u
#define MSG_EOR          0x80u
#define MSG_WAITALL      0x100u
#define MSG_NOSIGNAL     0x4000u
#define MSG_WAITFORONE   0x10000u
#define MSG_CMSG_CLOEXEC 0x40000000u
#define MSG_CMSG_COMPAT  0x80000000u

#define SHUT_RD          0
#define SHUT_WR          1
#define SHUT_RDWR        2

#define SCM_RIGHTS       1
#define SCM_CREDENTIALS  2
#define SCM_MAX_FD       253u

struct ucred {
	int pid;
	uint32_t uid, gid;
};

struct cmsghdr {
	uint64_t length; /* with this header */
	int level, type;
};

struct user_msghdr {
	uint64_t name;
	int name_length, padding;
	uint64_t vector, count;
	uint64_t control, control_length;
	unsigned flags, padding2;
};

#endif
