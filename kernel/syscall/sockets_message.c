/* SPDX-License-Identifier: MIT */
/* What goes through sockets: man 2 send, recv, sendmsg, recvmsg, sendmmsg, recvmmsg; man 3 cmsg. */
#include <linux/capability.h>

#include "arch/arch.h"
#include "devices/realtime.h"
#include "lib/string.h"
#include "memory/slab.h"
#include "process/credentials.h"
#include "process/process.h"
#include "syscall/sockets.h"
#include "syscall/timespec.h"

#define CONTROL_MAX  20480u /* net.core.optmem_max */
#define HEADER       sizeof(struct cmsghdr)
#define ALIGNED(n)   (((n) + 7) & ~(size_t)7)
#define MESSAGES_MAX 1024u

/* ---- Control messages to send ---- */

static int add_rights(struct unix_call *call, const int *fds, size_t count)
{
	const unsigned before = call->rights ? call->rights->count : 0;
	struct rights *rights = call->rights;

	if (count > SCM_MAX_FD || before + count > SCM_MAX_FD)
		return -EINVAL;
	if (!rights) {
		rights = kzalloc(sizeof(*rights) + SCM_MAX_FD * sizeof(rights->files[0]));
		if (!rights)
			return -ENOMEM;
		list_init(&rights->link);
		rights->sender = current_credentials();
		credentials_get(rights->sender);
		rights->user = rights->sender->user;
		call->rights = rights;
	}
	for (size_t i = 0; i < count; i++) {
		struct file *file = get_real_file(fds[i]);

		if (!file)
			return -EBADF;
		rights->files[rights->count++] = file;
	}
	return 0;
}

static int add_credentials(struct unix_call *call, const struct ucred *ucred)
{
	const struct credentials *who = current_credentials();
	bool uid = ucred->uid == who->uid || ucred->uid == who->euid || ucred->uid == who->suid;
	bool gid = ucred->gid == who->gid || ucred->gid == who->egid || ucred->gid == who->sgid;

	if ((ucred->pid != current_pid() && !capable(CAP_SYS_ADMIN)) ||
		(!uid && !capable(CAP_SETUID)) || (!gid && !capable(CAP_SETGID)))
		return -EPERM;
	call->credentials = *ucred;
	call->has_credentials = true;
	return 0;
}

static int add_control(struct unix_call *call, const char *control, size_t length)
{
	struct cmsghdr head;
	size_t size;
	int error = 0;

	while (!error && length >= HEADER) {
		memcpy(&head, control, HEADER);
		if (head.length < HEADER || head.length > length)
			return -EINVAL;
		size = head.length - HEADER;
		if (head.level != SOL_SOCKET)
			error = 0;
		else if (head.type == SCM_RIGHTS)
			error = add_rights(
				call, (const int *)(const void *)(control + HEADER), size / 4);
		else if (head.type == SCM_CREDENTIALS && size == sizeof(struct ucred))
			error = add_credentials(
				call, (const struct ucred *)(const void *)(control + HEADER));
		else
			error = -EINVAL;
		size = ALIGNED(head.length);
		if (size > length)
			break;
		control += size;
		length -= size;
	}
	return error;
}

static int get_control(struct unix_call *call, const struct user_msghdr *message)
{
	char *copy;
	int error;

	if (!message->control_length)
		return 0;
	if (message->control_length > CONTROL_MAX)
		return -ENOBUFS;
	copy = kmalloc(message->control_length);
	if (!copy)
		return -ENOBUFS;
	error = copy_from_user(copy, user_pointer(message->control), message->control_length);
	if (!error)
		error = add_control(call, copy, message->control_length);
	kfree(copy);
	return error;
}

/* ---- Control messages received ---- */

struct control_room {
	uint64_t at, left;
	unsigned told;
};

static void put_control(struct control_room *room, int type, const void *data, size_t size)
{
	struct cmsghdr head = {HEADER + size, SOL_SOCKET, type};
	size_t space = ALIGNED(head.length);

	if (room->left < HEADER) {
		room->told |= MSG_CTRUNC;
		return;
	}
	if (room->left < head.length) {
		room->told |= MSG_CTRUNC;
		head.length = room->left;
		size = head.length - HEADER;
	}
	if (copy_to_user(user_pointer(room->at), &head, HEADER) ||
		copy_to_user(user_pointer(room->at + HEADER), data, size))
		return;
	space = space < room->left ? space : room->left;
	room->at += space;
	room->left -= space;
}

/* As many descriptors as there is room for; the other files are dropped. */
static void put_rights(struct control_room *room, struct rights *rights, bool close_on_exec)
{
	size_t most = room->left > HEADER ? (room->left - HEADER) / sizeof(int) : 0;
	int fds[SCM_MAX_FD];
	unsigned count = 0;

	while (count < rights->count && count < most) {
		int fd = files_install(current_files(), rights->files[count], 0, close_on_exec);

		if (fd < 0)
			break;
		rights->files[count] = NULL;
		fds[count++] = fd;
	}
	if (count < rights->count)
		room->told |= MSG_CTRUNC;
	if (count)
		put_control(room, SCM_RIGHTS, fds, count * sizeof(int));
}

/* When it came, which is now: nobody notes it before he is asked. */
static void tell_time(unsigned stamps, struct control_room *room)
{
	static const int types[] = {
		SO_TIMESTAMP_OLD, SO_TIMESTAMPNS_OLD, SO_TIMESTAMP_NEW, SO_TIMESTAMPNS_NEW};
	const bool in_ns = stamps & UNIX_STAMPED_NS, new = stamps &UNIX_STAMPED_NEW;
	ns_t now = arch_clock() + realtime_offset();
	int64_t time[2] = {(int64_t)(now / NS_PER_SECOND), (int64_t)(now % NS_PER_SECOND)};

	if (!in_ns)
		time[1] /= 1000;
	put_control(room, types[in_ns + 2 * new], time, sizeof(time));
}

static void tell_control(
	struct unix_socket *socket, struct unix_call *call, struct control_room *room)
{
	if (unlikely(socket->options.stamps) && call->has_credentials &&
		socket->type != SOCK_STREAM)
		tell_time(socket->options.stamps, room);
	/* A stream's end is told with nobody's ids. */
	if (socket->pass_credentials && (call->has_credentials || socket->type == SOCK_STREAM))
		put_control(room, SCM_CREDENTIALS, &call->credentials, sizeof(call->credentials));
	if (call->rights) {
		put_rights(room, call->rights, call->flags & MSG_CMSG_CLOEXEC);
		rights_free(call->rights);
		call->rights = NULL;
	}
}

/* ---- Messages ---- */

static int get_message(user_t from, struct user_msghdr *message)
{
	if (copy_from_user(message, from, sizeof(*message)))
		return -EFAULT;
	if (!message->name)
		message->name_length = 0;
	if (message->name_length < 0)
		return -EINVAL;
	if (message->name_length > STORAGE_SIZE)
		message->name_length = STORAGE_SIZE;
	if (message->count > UIO_MAXIOV)
		return -EMSGSIZE;
	return 0;
}

/* Where there is a connection, a name is an error of its own, or not looked at, whatever it is. */
static int get_target_name(struct file *file, struct unix_call *call, user_t name, int length)
{
	const int type = unix_of(file)->type;
	char unused[STORAGE_SIZE];
	int family, error;

	if (!name.address || !length)
		return 0;
	if (type != SOCK_DGRAM) {
		call->has_name = type == SOCK_STREAM;
		if (length < 0 || length > STORAGE_SIZE)
			return -EINVAL;
		return copy_from_user(unused, name, (size_t)length);
	}
	error = get_address(name, length, &call->name, &family);
	if (!error && (family != AF_UNIX || !call->name.length))
		error = -EINVAL;
	call->has_name = !error;
	return error;
}

static ssize_t send_message(struct file *file, user_t from, unsigned flags)
{
	struct iovec fast[IO_FAST_RANGES], *ranges = fast;
	struct unix_call call = {.flags = flags};
	struct user_msghdr message;
	struct io io;
	ssize_t result = get_message(from, &message);

	if (!result)
		result = io_get_ranges(user_pointer(message.vector), message.count, fast, &ranges);
	if (result < 0)
		return result;
	io = io_vector(ranges, (unsigned)message.count, (size_t)result);
	call.io = &io;
	result = get_target_name(file, &call, user_pointer(message.name), message.name_length);
	if (!result)
		result = get_control(&call, &message);
	if (!result)
		result = unix_send(file, &call);
	if (call.rights)
		rights_free(call.rights);
	if (ranges != fast)
		kfree(ranges);
	return result;
}

static ssize_t receive_message(struct file *file, user_t to, unsigned flags)
{
	struct iovec fast[IO_FAST_RANGES], *ranges = fast;
	struct unix_call call = {.flags = flags};
	struct control_room room;
	struct user_msghdr message;
	struct io io;
	ssize_t result = get_message(to, &message);
	int error = 0;

	if (!result)
		result = io_get_ranges(user_pointer(message.vector), message.count, fast, &ranges);
	if (result < 0)
		return result;
	io = io_vector(ranges, (unsigned)message.count, (size_t)result);
	call.io = &io;
	result = unix_receive(file, &call);
	if (ranges != fast)
		kfree(ranges);
	if (result < 0)
		return result;
	room = (struct control_room){
		message.control, message.control ? message.control_length : 0, 0};
	tell_control(file->private, &call, &room);
	if (message.name && call.has_name)
		error = put_address_sized(
			&call.name, user_pointer(message.name), &message.name_length);
	else
		message.name_length = 0;
	message.control_length = room.at - message.control;
	message.flags = call.told | room.told | (flags & MSG_CMSG_CLOEXEC);
	if (!error)
		error = copy_to_user(to, &message, sizeof(message));
	return error ? error : result;
}

/* ---- The calls ---- */

long sys_sendmsg(int fd, user_t message, unsigned flags)
{
	struct file *file;
	long result = get_socket(fd, &file);

	if (result)
		return result;
	result = send_message(file, message, flags);
	file_put(file);
	return result;
}

long sys_recvmsg(int fd, user_t message, unsigned flags)
{
	struct file *file;
	long result = get_socket(fd, &file);

	if (result)
		return result;
	result = receive_message(file, message, flags);
	file_put(file);
	return result;
}

long sys_sendto(int fd, user_t buffer, size_t count, unsigned flags, user_t name, int length)
{
	struct io io = io_user(buffer, count < IO_MAX ? count : IO_MAX);
	struct unix_call call = {.flags = flags, .io = &io};
	struct file *file;
	long result = get_socket(fd, &file);

	if (result)
		return result;
	if (!user_range_ok(buffer, count))
		result = -EFAULT;
	if (!result)
		result = get_target_name(file, &call, name, length);
	if (!result)
		result = unix_send(file, &call);
	file_put(file);
	return result;
}

long sys_recvfrom(int fd, user_t buffer, size_t count, unsigned flags, user_t name, user_t length)
{
	struct io io = io_user(buffer, count < IO_MAX ? count : IO_MAX);
	struct unix_call call = {.flags = flags, .io = &io};
	struct file *file;
	int error = 0;
	long result = get_socket(fd, &file);

	if (result)
		return result;
	result = user_range_ok(buffer, count) ? unix_receive(file, &call) : -EFAULT;
	if (call.rights)
		rights_free(call.rights);
	file_put(file);
	if (result < 0 || !name.address)
		return result;
	if (call.has_name)
		error = put_address(&call.name, name, length);
	else
		error = copy_to_user(length, &(int){0}, sizeof(int));
	return error ? error : result;
}

/* struct mmsghdr: a message, and how many bytes of it went through. */
#define MMSG_SIZE (sizeof(struct user_msghdr) + 8)

static int put_length(user_t message, ssize_t result)
{
	unsigned length = (unsigned)result;

	return copy_to_user(
		user_offset(message, sizeof(struct user_msghdr)), &length, sizeof(length));
}

long sys_sendmmsg(int fd, user_t messages, unsigned count, unsigned flags)
{
	struct file *file;
	unsigned done = 0;
	ssize_t result = get_socket(fd, &file);

	if (result)
		return result;
	count = count < MESSAGES_MAX ? count : MESSAGES_MAX;
	while (done < count) {
		user_t message = user_offset(messages, done * MMSG_SIZE);

		result = send_message(file, message, flags);
		if (result >= 0)
			result = put_length(message, result);
		if (result < 0)
			break;
		done++;
		sched_point();
	}
	file_put(file);
	return done ? done : result;
}

long sys_recvmmsg(int fd, user_t messages, unsigned count, unsigned flags, user_t timeout)
{
	ns_t deadline = NS_NEVER, span;
	struct file *file;
	unsigned done = 0;
	ssize_t result = 0;

	if (timeout.address) {
		result = get_timespec(timeout, &span);
		if (result)
			return result;
		deadline = clock_add(arch_clock(), span);
	}
	result = get_socket(fd, &file);
	if (result)
		return result;
	while (done < count && done < MESSAGES_MAX) {
		user_t message = user_offset(messages, done * MMSG_SIZE);

		result = receive_message(file, message, flags & ~MSG_WAITFORONE);
		if (result >= 0)
			result = put_length(message, result);
		if (result < 0)
			break;
		done++;
		if (flags & MSG_WAITFORONE)
			flags |= MSG_DONTWAIT;
		if (arch_clock() >= deadline)
			break;
		sched_point();
	}
	file_put(file);
	if (timeout.address) {
		ns_t now = arch_clock();

		if (put_timespec(timeout, deadline > now ? deadline - now : 0))
			return -EFAULT;
	}
	return done ? done : result;
}
