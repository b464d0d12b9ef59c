/* SPDX-License-Identifier: MIT */
/*
 * Options of sockets: man 7 socket, SOL_SOCKET. Most mean something to networks alone: they are checked, kept and told as
 * Linux does. What UNIX sockets do by them is in unix_message.c, but for the times of messages
 * (syscall/sockets_message.c). There are no filters (SO_ATTACH_FILTER): none can be had.
 */
#include "files/table.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "memory/user.h"
#include "process/credentials.h"
#include "process/current.h"
#include "sockets/unix.h"

#include <linux/capability.h>
#include <linux/net_tstamp.h>

#define LIMIT_MAX       212992 /* net.core.wmem_max */
#define SEND_MIN        4608
#define RECEIVE_MIN     2304
#define PRIORITY_FREE   6 /* who has no privilege may ask for as much */
#define BUDGET_MOST     UINT16_MAX
#define FILTER_WORDS    64 /* SO_BPF_EXTENSIONS */
#define FILTER_MOST     4096
#define STAMPING_KNOWN  0xffffu
#define FIXED_SEND      1u
#define FIXED_RECEIVE   2u
#define DEVICE_NAME_MAX 15u

#define BIT(n)          (UINT64_C(1) << ((n) % 64))

/* On or off, by their numbers: those below 64, and the others. */
static const uint64_t switches[2] = {
	BIT(SO_DEBUG) | BIT(SO_REUSEADDR) | BIT(SO_DONTROUTE) | BIT(SO_BROADCAST) |
		BIT(SO_KEEPALIVE) | BIT(SO_OOBINLINE) | BIT(SO_NO_CHECK) | BIT(SO_LINGER) |
		BIT(SO_PASSSEC) | BIT(SO_RXQ_OVFL) | BIT(SO_WIFI_STATUS) | BIT(SO_NOFCS) |
		BIT(SO_LOCK_FILTER) | BIT(SO_SELECT_ERR_QUEUE),
	BIT(SO_PREFER_BUSY_POLL) | BIT(SO_RCVMARK),
};

/* Those that keep a number, and what it may be. */
static const struct {
	int option, least;
} numbers[] = {
	{SO_PRIORITY, INT32_MIN},
	{SO_MARK, INT32_MIN},
	{SO_BUSY_POLL, 0},
	{SO_INCOMING_CPU, INT32_MIN},
	{SO_BINDTOIFINDEX, 0},
	{SO_TXREHASH, -1},
};

void unix_options_init(struct unix_options *options)
{
	*options = (struct unix_options){.pacing = UINT64_MAX, .numbers = {[3] = -1}};
}

static bool is_switch(int option)
{
	return option >= 0 && option < 128 && switches[option / 64] & BIT(option);
}

static int *number_of(struct unix_options *options, int option)
{
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].option == option)
			return &options->numbers[i];
	return NULL;
}

/* ---- Setting ---- */

static bool may_mark(void)
{
	return capable(CAP_NET_RAW) || capable(CAP_NET_ADMIN);
}

static int set_switch(struct unix_options *options, int option, bool on)
{
	uint64_t *bits = &options->switches[option / 64];

	if (option == SO_DEBUG && on && !capable(CAP_NET_ADMIN))
		return -EACCES;
	if (option == SO_PREFER_BUSY_POLL && on && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (option == SO_LOCK_FILTER && !on && *bits & BIT(option))
		return -EPERM;
	if (on)
		__atomic_or_fetch(bits, BIT(option), __ATOMIC_RELAXED);
	else
		__atomic_and_fetch(bits, ~BIT(option), __ATOMIC_RELAXED);
	return 0;
}

static int set_number(int *number, int option, int value)
{
	if (option == SO_PRIORITY && (unsigned)value > PRIORITY_FREE && !may_mark())
		return -EPERM;
	if (option == SO_MARK && !may_mark())
		return -EPERM;
	if (option == SO_BUSY_POLL && (unsigned)value > (unsigned)*number &&
		!capable(CAP_NET_ADMIN))
		return -EPERM;
	if (option == SO_BINDTOIFINDEX && *number && !capable(CAP_NET_RAW))
		return -EPERM;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i].option == option && value < numbers[i].least)
			return -EINVAL;
	if (option == SO_TXREHASH && value > 1)
		return -EINVAL;
	__atomic_store_n(number, option == SO_TXREHASH && value < 0 ? 1 : value, __ATOMIC_RELAXED);
	return 0;
}

static int set_limit(struct unix_socket *socket, int option, int value)
{
	const bool sends = option == SO_SNDBUF || option == SO_SNDBUFFORCE;
	const bool forced = option == SO_SNDBUFFORCE || option == SO_RCVBUFFORCE;
	const int least = sends ? SEND_MIN : RECEIVE_MIN;

	if (forced && !capable(CAP_NET_ADMIN))
		return -EPERM;
	if (forced)
		value = value < 0 ? 0 : value > INT32_MAX / 2 ? INT32_MAX / 2 : value;
	else
		value = value < 0 || value > LIMIT_MAX ? LIMIT_MAX : value;
	value = value * 2 > least ? value * 2 : least;
	__atomic_store_n(sends ? &socket->send_limit : &socket->receive_limit, (uint32_t)value,
		__ATOMIC_RELAXED);
	__atomic_or_fetch(&socket->options.fixed_buffers, sends ? FIXED_SEND : FIXED_RECEIVE,
		__ATOMIC_RELAXED);
	return 0;
}

/* One of four ways to be told of times, or none. */
static int set_stamps(struct unix_options *options, int option, bool on)
{
	const bool in_ns = option == SO_TIMESTAMPNS_OLD || option == SO_TIMESTAMPNS_NEW;
	const bool new = option == SO_TIMESTAMP_NEW || option == SO_TIMESTAMPNS_NEW;
	unsigned stamps = options->stamps & UNIX_STAMPED_NEW;

	if (on)
		stamps = UNIX_STAMPED | (in_ns ? UNIX_STAMPED_NS : 0u) |
			 (new ? UNIX_STAMPED_NEW : 0u);
	__atomic_store_n(&options->stamps, (uint8_t)stamps, __ATOMIC_RELAXED);
	return 0;
}

static int set_by_value(struct unix_socket *socket, int option, int value)
{
	struct unix_options *options = &socket->options;

	switch (option) {
	case SO_PASSCRED:
		socket->pass_credentials = value;
		return 0;
	case SO_SNDBUF:
	case SO_RCVBUF:
	case SO_SNDBUFFORCE:
	case SO_RCVBUFFORCE:
		return set_limit(socket, option, value);
	case SO_RCVLOWAT:
		value = value < 0 ? INT32_MAX : value ? value : 1;
		__atomic_store_n(&socket->receive_least, value, __ATOMIC_RELAXED);
		return 0;
	case SO_PEEK_OFF:
		__atomic_store_n(&socket->peek_offset, value, __ATOMIC_RELAXED);
		return 0;
	case SO_TIMESTAMP_OLD:
	case SO_TIMESTAMPNS_OLD:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_NEW:
		return set_stamps(options, option, value);
	case SO_BUF_LOCK:
		if (value & ~(int)(FIXED_SEND | FIXED_RECEIVE))
			return -EINVAL;
		options->fixed_buffers = (uint8_t)value;
		return 0;
	case SO_BUSY_POLL_BUDGET:
		if (value < 0 || value > BUDGET_MOST)
			return value > 0 && !capable(CAP_NET_ADMIN) ? -EPERM : -EINVAL;
		return value && !capable(CAP_NET_ADMIN) ? -EPERM : 0;
	case SO_BSDCOMPAT:
	case SO_CNX_ADVICE:
		return 0;
	case SO_REUSEPORT:
		return value ? -EOPNOTSUPP : 0;
	case SO_ZEROCOPY:
		return -EOPNOTSUPP;
	case SO_RESERVE_MEM:
		return value < 0 ? -EINVAL : -EOPNOTSUPP;
	case SO_DETACH_FILTER:
		return options->switches[0] & BIT(SO_LOCK_FILTER) ? -EPERM : -ENOENT;
	case SO_DETACH_REUSEPORT_BPF:
		return -EINVAL;
	default:
		return -ENOPROTOOPT;
	}
}

static int get_time(user_t from, size_t length, ns_t *out)
{
	struct {
		int64_t seconds, micros;
	} time;

	if (length < sizeof(time))
		return -EINVAL;
	if (copy_from_user(&time, from, sizeof(time)))
		return -EFAULT;
	if (time.micros < 0 || time.micros >= 1000000)
		return -EDOM;
	*out = NS_NEVER;
	if (time.seconds < 0)
		*out = 0;
	else if ((time.seconds || time.micros) && time.seconds < INT64_MAX / 2000000000)
		*out = (ns_t)time.seconds * NS_PER_SECOND + (ns_t)time.micros * 1000;
	return 0;
}

/* When a queue of a network device is to send it: two numbers, and 8 bytes alone. */
static int set_transmit_time(struct unix_options *options, const uint32_t words[2], size_t length)
{
	if (length != 8 || words[1] & ~3u)
		return -EINVAL;
	if (words[0] != 1 && !capable(CAP_NET_ADMIN)) /* CLOCK_MONOTONIC */
		return -EPERM;
	options->transmit_clock = (int)words[0];
	options->transmit_flags = words[1];
	return 0;
}

/* struct sock_fprog: how many instructions, and where they are. */
static int attach_filter(user_t from, unsigned count, size_t length)
{
	uint64_t at;

	if (length != 16)
		return -EINVAL;
	if (copy_from_user(&at, user_offset(from, 8), sizeof(at)))
		return -EFAULT;
	return !count || count > FILTER_MOST || !at ? -EINVAL : -ENOPROTOOPT;
}

/* Those of more than a number. `words` are the first eight bytes, as far as they were given. */
static int set_structure(
	struct unix_socket *socket, int option, user_t from, const uint32_t words[2], size_t length)
{
	struct unix_options *options = &socket->options;
	int fd = (int)words[0];

	switch (option) {
	case SO_LINGER:
		if (length < 8)
			return -EINVAL;
		if (words[0])
			options->linger = (int)words[1];
		return set_switch(options, option, words[0]);
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		return get_time(from, length, &socket->receive_timeout);
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		return get_time(from, length, &socket->send_timeout);
	case SO_MAX_PACING_RATE:
		options->pacing = words[0] == UINT32_MAX ? UINT64_MAX : words[0];
		if (length >= 8)
			options->pacing = words[0] | (uint64_t)words[1] << 32;
		return 0;
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
		if (words[0] & ~STAMPING_KNOWN)
			return -EINVAL;
		if (words[0] & SOF_TIMESTAMPING_BIND_PHC)
			return -EOPNOTSUPP; /* there is no such clock */
		options->stamping = words[0];
		return 0;
	case SO_TXTIME:
		return set_transmit_time(options, words, length);
	case SO_ATTACH_BPF: /* of a program's file, which no descriptor is */
	case SO_ATTACH_REUSEPORT_EBPF:
		if (length != 4)
			return -EINVAL;
		return files_get_close_on_exec(current_files(), fd) < 0 ? -EBADF : -EINVAL;
	case SO_ATTACH_FILTER:
		return attach_filter(from, words[0] & 0xffff, length);
	case SO_ATTACH_REUSEPORT_CBPF: /* no socket here is of a group */
		return -EINVAL;
	default:
		return set_by_value(socket, option, fd);
	}
}

/* There are no network devices. */
static int bind_to_device(struct unix_options *options, user_t from, size_t length)
{
	char name[DEVICE_NAME_MAX + 1] = {0};

	if (copy_from_user(name, from, length < DEVICE_NAME_MAX ? length : DEVICE_NAME_MAX))
		return -EFAULT;
	if (name[0])
		return -ENODEV;
	return set_number(number_of(options, SO_BINDTOIFINDEX), SO_BINDTOIFINDEX, 0);
}

int unix_set_option(struct unix_socket *socket, int option, user_t from, size_t length)
{
	struct unix_options *options = &socket->options;
	uint32_t words[2] = {0, 0};
	int *number;

	if (option == SO_BINDTODEVICE)
		return bind_to_device(options, from, length);
	if (length < sizeof(words[0]))
		return -EINVAL;
	if (copy_from_user(words, from, length < sizeof(words) ? sizeof(words[0]) : sizeof(words)))
		return -EFAULT;
	number = number_of(options, option);
	if (number)
		return set_number(number, option, (int)words[0]);
	if (is_switch(option) && option != SO_LINGER)
		return set_switch(options, option, words[0]);
	return set_structure(socket, option, from, words, length);
}

/* ---- Telling ---- */

struct answer {
	union {
		int number;
		uint64_t wide;
		uint32_t words[9];
		struct ucred credentials;
		int64_t time[2];
	};
	int size;
};

static void show_time(struct answer *out, ns_t time)
{
	out->size = sizeof(out->time);
	out->time[0] = out->time[1] = 0;
	if (time == NS_NEVER)
		return;
	out->time[0] = (int64_t)(time / NS_PER_SECOND);
	out->time[1] = (int64_t)(time % NS_PER_SECOND / 1000);
}

static int show_stamps(const struct unix_options *options, int option)
{
	const bool in_ns = options->stamps & UNIX_STAMPED_NS,
		   new = options->stamps &UNIX_STAMPED_NEW;
	const bool on = options->stamps & UNIX_STAMPED;

	switch (option) {
	case SO_TIMESTAMP_OLD:
		return on && !new && !in_ns;
	case SO_TIMESTAMPNS_OLD:
		return in_ns && !new;
	case SO_TIMESTAMP_NEW:
		return on && new;
	default:
		return in_ns && new;
	}
}

/* What is in the buffers: SK_MEMINFO_*. */
static void show_memory(struct unix_socket *socket, struct answer *out)
{
	out->size = sizeof(out->words);
	memset(out->words, 0, sizeof(out->words));
	out->words[1] = socket->receive_limit;
	out->words[2] = __atomic_load_n(&socket->charged, __ATOMIC_RELAXED);
	out->words[3] = socket->send_limit;
}

static int show_number(struct unix_socket *socket, int option, struct answer *out)
{
	const struct unix_options *options = &socket->options;

	switch (option) {
	case SO_TYPE:
		out->number = socket->type;
		return 0;
	case SO_DOMAIN:
		out->number = AF_UNIX;
		return 0;
	case SO_ERROR:
		out->number = -unix_take_error(socket);
		return 0;
	case SO_ACCEPTCONN:
		out->number = socket->state == UNIX_LISTENING;
		return 0;
	case SO_PASSCRED:
		out->number = socket->pass_credentials;
		return 0;
	case SO_SNDBUF:
		out->number = (int)socket->send_limit;
		return 0;
	case SO_RCVBUF:
		out->number = (int)socket->receive_limit;
		return 0;
	case SO_RCVLOWAT:
		out->number = socket->receive_least;
		return 0;
	case SO_SNDLOWAT:
		out->number = 1;
		return 0;
	case SO_PEEK_OFF:
		out->number = socket->peek_offset;
		return 0;
	case SO_TIMESTAMP_OLD:
	case SO_TIMESTAMPNS_OLD:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_NEW:
		out->number = show_stamps(options, option);
		return 0;
	case SO_BPF_EXTENSIONS:
		out->number = FILTER_WORDS;
		return 0;
	case SO_BUF_LOCK:
		out->number = options->fixed_buffers;
		return 0;
	case SO_PROTOCOL:
	case SO_REUSEPORT:
	case SO_BSDCOMPAT:
	case SO_ZEROCOPY:
	case SO_RESERVE_MEM:
	case SO_INCOMING_NAPI_ID:
		out->number = 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

/* `length`: the room there is, which some want to be so much. */
static int show_structure(struct unix_socket *socket, int option, struct answer *out, int length)
{
	const struct unix_options *options = &socket->options;
	const struct credentials *who;

	switch (option) {
	case SO_LINGER:
		out->size = 8;
		out->words[0] = options->switches[0] >> SO_LINGER & 1;
		out->words[1] = (uint32_t)options->linger;
		return 0;
	case SO_PEERCRED:
		out->size = sizeof(out->credentials);
		unix_get_peer(socket, &out->credentials, &who);
		if (who)
			credentials_put(who);
		return 0;
	case SO_RCVTIMEO_OLD:
	case SO_RCVTIMEO_NEW:
		show_time(out, socket->receive_timeout);
		return 0;
	case SO_SNDTIMEO_OLD:
	case SO_SNDTIMEO_NEW:
		show_time(out, socket->send_timeout);
		return 0;
	case SO_MAX_PACING_RATE:
		out->wide = options->pacing;
		out->size = 8;
		if (length < 8) {
			out->size = 4;
			out->words[0] = options->pacing < UINT32_MAX ? (uint32_t)options->pacing
								     : UINT32_MAX;
		}
		return 0;
	case SO_TIMESTAMPING_OLD:
	case SO_TIMESTAMPING_NEW:
		out->wide = options->stamping;
		out->size = 8;
		return 0;
	case SO_TXTIME:
		out->words[0] = (uint32_t)options->transmit_clock;
		out->words[1] = options->transmit_flags;
		out->size = 8;
		return 0;
	case SO_MEMINFO:
		show_memory(socket, out);
		return 0;
	case SO_COOKIE:
		out->wide = socket->age;
		out->size = 8;
		return length < 8 ? -EINVAL : 0;
	case SO_NETNS_COOKIE: /* there is one */
		out->wide = 1;
		out->size = 8;
		return length != 8 ? -EINVAL : 0;
	case SO_BINDTODEVICE:
	case SO_ATTACH_FILTER: /* SO_GET_FILTER */
		out->size = 0;
		return 0;
	default:
		return show_number(socket, option, out);
	}
}

/* The other end's supplementary groups; where there is too little room, how much it takes. */
static int tell_groups(struct unix_socket *socket, user_t to, int room, user_t length_at)
{
	const struct credentials *who;
	struct ucred unused;
	int length, error = 0;

	unix_get_peer(socket, &unused, &who);
	if (!who)
		return -ENODATA;
	length = who->groups ? (int)(who->groups->count * sizeof(who->groups->ids[0])) : 0;
	if (room < length)
		error = -ERANGE;
	else if (length && copy_to_user(to, who->groups->ids, (size_t)length))
		error = -EFAULT;
	credentials_put(who);
	if (error != -EFAULT && copy_to_user(length_at, &length, sizeof(length)))
		error = -EFAULT;
	return error;
}

/* The other end's address, which must fill the room. */
static int tell_peer_name(struct unix_socket *socket, user_t to, int room, user_t length_at)
{
	struct {
		uint16_t family;
		char path[sizeof(((struct unix_name *)0)->path)];
	} address = {.family = AF_UNIX};
	struct unix_name name;

	if (unix_get_peer_name(socket, &name))
		return -ENOTCONN;
	memcpy(address.path, name.path, name.length);
	if (room > (int)(sizeof(address.family) + name.length))
		return -EINVAL;
	if (copy_to_user(to, &address, (size_t)room) ||
		copy_to_user(length_at, &room, sizeof(room)))
		return -EFAULT;
	return 0;
}

int unix_tell_option(struct unix_socket *socket, int option, user_t to, user_t length_at)
{
	struct answer answer = {.size = sizeof(answer.number)};
	int length, error = 0, *number;

	if (copy_from_user(&length, length_at, sizeof(length)))
		return -EFAULT;
	if (length < 0)
		return -EINVAL;
	if (option == SO_PEERGROUPS)
		return tell_groups(socket, to, length, length_at);
	if (option == SO_PEERNAME)
		return tell_peer_name(socket, to, length, length_at);
	number = number_of(&socket->options, option);
	if (number)
		answer.number = *number;
	else if (is_switch(option) && option != SO_LINGER)
		answer.number = (socket->options.switches[option / 64] & BIT(option)) != 0;
	else
		error = show_structure(socket, option, &answer, length);
	if (error)
		return error;
	length = length < answer.size ? length : answer.size;
	if (copy_to_user(to, &answer, (size_t)length) ||
		copy_to_user(length_at, &length, sizeof(length)))
		return -EFAULT;
	return 0;
}
