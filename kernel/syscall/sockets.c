/* SPDX-License-Identifier: MIT */
/* Sockets but for what goes through them: man 2 socket, socketpair, bind, listen, connect, accept,
 * shutdown, getsockname. There are UNIX sockets; other families give EAFNOSUPPORT. */
#include "syscall/sockets.h"

#include "lib/string.h"

#define FAMILY_SIZE   sizeof(((struct sockaddr_un *)0)->sun_family)
#define SOCK_NONBLOCK O_NONBLOCK
#define SOCK_CLOEXEC  O_CLOEXEC

/* ---- What the calls share ---- */

int get_socket(int fd, struct file **out)
{
	*out = get_real_file(fd);
	if (!*out)
		return -EBADF;
	if (unix_of(*out))
		return 0;
	file_put(*out);
	return -ENOTSOCK;
}

int get_address(user_t from, int length, struct unix_name *name, int *family)
{
	struct sockaddr_un address;

	*family = AF_UNIX;
	if (length < 0 || length > STORAGE_SIZE)
		return -EINVAL;
	if (length > (int)sizeof(address))
		return -EINVAL;
	if (copy_from_user(&address, from, (size_t)length))
		return -EFAULT;
	if (length < (int)FAMILY_SIZE)
		return -EINVAL;
	*family = address.sun_family;
	*name = (struct unix_name){.length = (uint32_t)(length - (int)FAMILY_SIZE)};
	memcpy(name->path, address.sun_path, name->length);
	/* A path ends with its NUL, there or not. */
	if (name->length && name->path[0])
		name->length = (uint32_t)strlen(name->path) + 1;
	return 0;
}

int put_address_sized(const struct unix_name *name, user_t to, int *length)
{
	struct {
		uint16_t family;
		char path[sizeof(name->path)];
	} address = {.family = AF_UNIX};
	int whole = (int)(FAMILY_SIZE + name->length), room = *length;

	if (room < 0)
		return -EINVAL;
	memcpy(address.path, name->path, name->length);
	*length = whole;
	return copy_to_user(to, &address, (size_t)(room < whole ? room : whole));
}

int put_address(const struct unix_name *name, user_t to, user_t length_at)
{
	int length, error;

	if (copy_from_user(&length, length_at, sizeof(length)))
		return -EFAULT;
	error = put_address_sized(name, to, &length);
	return error ? error : copy_to_user(length_at, &length, sizeof(length));
}

/* ---- Making ---- */

static int check_kind(int family, int *type, int protocol)
{
	const int flags = *type & ~SOCK_TYPE_MASK;

	*type &= SOCK_TYPE_MASK;
	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	if (family < 0 || family >= AF_MAX)
		return -EAFNOSUPPORT;
	if (*type >= SOCK_MAX)
		return -EINVAL;
	if (family != AF_UNIX)
		return -EAFNOSUPPORT;
	if (protocol && protocol != AF_UNIX)
		return -EPROTONOSUPPORT;
	if (*type == SOCK_RAW)
		*type = SOCK_DGRAM;
	return *type == SOCK_STREAM || *type == SOCK_DGRAM || *type == SOCK_SEQPACKET
		       ? 0
		       : -ESOCKTNOSUPPORT;
}

static long install(struct file *file, int flags)
{
	int fd = files_install(current_files(), file, 0, flags & SOCK_CLOEXEC);

	if (fd < 0)
		file_put(file);
	return fd;
}

long sys_socket(int family, int type, int protocol)
{
	const int flags = type & ~SOCK_TYPE_MASK;
	struct file *file;
	int error = check_kind(family, &type, protocol);

	if (!error)
		error = unix_create(type, (unsigned)flags, &file);
	return error ? error : install(file, flags);
}

long sys_socketpair(int family, int type, int protocol, user_t out)
{
	const int flags = type & ~SOCK_TYPE_MASK;
	struct files *files = current_files();
	struct file *ends[2];
	int fds[2] = {-1, -1};
	int error = check_kind(family, &type, protocol);

	if (!error)
		error = unix_pair(type, (unsigned)flags, ends);
	if (error)
		return error;
	for (int i = 0; i < 2 && !error; i++) {
		fds[i] = files_reserve(files, 0, flags & SOCK_CLOEXEC);
		error = fds[i] < 0 ? fds[i] : 0;
	}
	if (!error)
		error = copy_to_user(out, fds, sizeof(fds));
	for (int i = 0; i < 2; i++) {
		if (!error) {
			files_fill(files, fds[i], ends[i]);
		} else {
			if (fds[i] >= 0)
				files_unreserve(files, fds[i]);
			file_put(ends[i]);
		}
	}
	return error;
}

/* ---- Names and connections ---- */

long sys_bind(int fd, user_t from, int length)
{
	struct unix_name name;
	struct file *file;
	int family, error = get_socket(fd, &file);

	if (error)
		return error;
	error = get_address(from, length, &name, &family);
	if (!error)
		error = family == AF_UNIX ? unix_bind(file->private, &name) : -EINVAL;
	file_put(file);
	return error;
}

long sys_listen(int fd, int backlog)
{
	struct file *file;
	int error = get_socket(fd, &file);

	if (error)
		return error;
	error = unix_listen(file->private, backlog);
	file_put(file);
	return error;
}

long sys_connect(int fd, user_t to, int length)
{
	struct unix_name name;
	struct file *file;
	int family, error = get_socket(fd, &file);

	if (error)
		return error;
	error = get_address(to, length, &name, &family);
	if (!error && family == AF_UNSPEC)
		error = unix_disconnect(file->private);
	else if (!error && (family != AF_UNIX || !name.length))
		error = -EINVAL;
	else if (!error)
		error = unix_connect(file, &name);
	file_put(file);
	return error;
}

long sys_accept4(int fd, user_t address, user_t length, int flags)
{
	struct unix_name name;
	struct file *file, *accepted;
	long error;

	if (flags & ~(SOCK_CLOEXEC | SOCK_NONBLOCK))
		return -EINVAL;
	error = get_socket(fd, &file);
	if (error)
		return error;
	error = unix_accept(file, (unsigned)flags, &accepted);
	file_put(file);
	if (error)
		return error;
	if (address.address) {
		if (unix_get_peer_name(accepted->private, &name))
			name.length = 0; /* gone already */
		error = put_address(&name, address, length);
	}
	if (!error)
		return install(accepted, flags);
	file_put(accepted);
	return error;
}

long sys_accept(int fd, user_t address, user_t length)
{
	return sys_accept4(fd, address, length, 0);
}

long sys_shutdown(int fd, int how)
{
	struct file *file;
	int error = get_socket(fd, &file);

	if (error)
		return error;
	error = unix_shutdown(file->private, how);
	file_put(file);
	return error;
}

long sys_getsockname(int fd, user_t address, user_t length)
{
	struct unix_name name;
	struct file *file;
	int error = get_socket(fd, &file);

	if (error)
		return error;
	unix_get_name(file->private, &name);
	file_put(file);
	return put_address(&name, address, length);
}

long sys_getpeername(int fd, user_t address, user_t length)
{
	struct unix_name name;
	struct file *file;
	int error = get_socket(fd, &file);

	if (error)
		return error;
	error = unix_get_peer_name(file->private, &name);
	file_put(file);
	return error ? error : put_address(&name, address, length);
}

/* ---- Options ---- */

long sys_setsockopt(int fd, int level, int option, user_t from, int length)
{
	struct file *file;
	int error = get_socket(fd, &file);

	if (error)
		return error;
	if (length < 0)
		error = -EINVAL;
	else if (level != SOL_SOCKET)
		error = -EOPNOTSUPP;
	else
		error = unix_set_option(file->private, option, from, (size_t)length);
	file_put(file);
	return error;
}

long sys_getsockopt(int fd, int level, int option, user_t to, user_t length)
{
	struct file *file;
	int error = get_socket(fd, &file);

	if (error)
		return error;
	error = level == SOL_SOCKET ? unix_tell_option(file->private, option, to, length)
				    : -EOPNOTSUPP;
	file_put(file);
	return error;
}
