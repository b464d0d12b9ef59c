/* SPDX-License-Identifier: MIT */
/*
 * /sbin/exec-runner: the small process 1 of `tools/baton exec`. It runs one program as a child,
 * reaps whoever is orphaned meanwhile, and reports how the program ended. include/baton/channel.h
 * is the contract; the same binary serves both kernels:
 *
 *  - on Baton the kernel speaks the frames, and the channel is a few files in CHANNEL_DEV;
 *  - on Linux there are none, and exec_linux.c speaks the frames over /dev/ttyS1.
 *
 * The program: its own session, cwd /, umask 022, fds 0-2 and environment as the specification in
 * CHANNEL_SPEC_PATH says. When it cannot be started, the host is told why, and the status is
 * 127 (no such program) or 126 (anything else), as shells have it.
 *
 * When this process ends, Baton powers off; Linux is asked to. For tests, which are not process 1:
 *	exec-runner [--spec FILE] [--channel DIR | --serial DEVICE]
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <baton/channel.h>

#include "exec_runner.h"
#include "lib/mounts.h"

#define LINUX_SERIAL "/dev/ttyS1"

struct exec_failure become(const struct exec_spec *spec, const int stdio[3], const char *tty_path)
{
	int files[3] = {stdio[0], stdio[1], stdio[2]};

	/* Process 1 or a fresh child leads no group yet; a host's test may. */
	if (setsid() < 0 && errno != EPERM)
		return (struct exec_failure){errno, "make a session for"};
	if (tty_path) {
		int tty = open(tty_path, O_RDWR | O_CLOEXEC);

		if (tty < 0)
			return (struct exec_failure){errno, "open the terminal of"};
		if (ioctl(tty, TIOCSCTTY, 0) < 0 && errno != EPERM)
			return (struct exec_failure){errno, "get the controlling terminal of"};
		files[0] = files[1] = files[2] = tty;
	}
	for (int fd = 0; fd < 3; fd++) {
		if (dup2(files[fd], fd) < 0)
			return (struct exec_failure){errno, "connect the standard files of"};
	}
	if (spec->traced) { /* the next system call is the first that is traced */
		int tracer = spec->tracer ? open(spec->tracer, O_WRONLY | O_CLOEXEC) : -1;

		if (tracer < 0 || write(tracer, "1", 1) < 0)
			return (struct exec_failure){spec->tracer ? errno : ENOSYS, "trace"};
	}
	execve(spec->path, spec->argv, spec->envp);
	return (struct exec_failure){errno, "run"};
}

pid_t start(const struct exec_spec *spec, const int stdio[3], const char *tty_path,
	struct exec_failure *failure)
{
	volatile struct exec_failure why = {0, NULL};
	pid_t pid = vfork();

	if (pid == 0) { /* in the parent's memory until the exec */
		struct exec_failure mine = become(spec, stdio, tty_path);

		why.error = mine.error;
		why.did = mine.did;
		_exit(127);
	}
	if (pid < 0) {
		why.error = errno;
		why.did = "make a process for";
	} else if (why.did) {
		waitpid(pid, NULL, 0);
		pid = -1;
	}
	failure->error = why.error;
	failure->did = why.did;
	return pid;
}

int failure_status(const struct exec_failure *failure)
{
	return (failure->error == ENOENT ? 127 : 126) << 8;
}

size_t failure_message(const struct exec_spec *spec, const struct exec_failure *failure,
	unsigned char *message, size_t size)
{
	int length;

	memcpy(message, &failure->error, 4);
	length = snprintf((char *)message + 4, size - 4, "cannot %s %s: %s", failure->did,
		spec->path, strerror(failure->error));
	return 4 + ((size_t)length < size - 5 ? (size_t)length : size - 5);
}

/* The whole file with a NUL after it; *size without that. NULL after a message. */
static char *read_file(const char *path, size_t *size)
{
	size_t capacity = 4096, used = 0;
	char *data = malloc(capacity);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	for (;;) {
		ssize_t n = fd < 0 || !data ? -1 : read(fd, data + used, capacity - used - 1);

		if (n < 0) {
			dprintf(2, "exec-runner: cannot read %s: %s\n", path, strerror(errno));
			free(data);
			return NULL;
		}
		if (n == 0)
			break;
		used += (size_t)n;
		if (capacity - used == 1) {
			char *more = realloc(data, capacity *= 2);

			if (!more)
				free(data);
			data = more;
		}
	}
	close(fd);
	data[used] = 0;
	*size = used;
	return data;
}

/* One `key=value` of the specification. False: nothing that we know. */
static bool spec_line(struct exec_spec *spec, char *line, size_t *args, size_t *envs)
{
	char *value = strchr(line, '=');

	if (!value)
		return false;
	*value++ = 0;
	if (strcmp(line, "path") == 0)
		spec->path = value;
	else if (strcmp(line, "arg") == 0)
		spec->argv[(*args)++] = value;
	else if (strcmp(line, "env") == 0)
		spec->envp[(*envs)++] = value;
	else if (strcmp(line, "stdio") == 0)
		spec->tty = strcmp(value, "tty") == 0;
	else if (strcmp(line, "init") == 0)
		spec->init = strcmp(value, "1") == 0;
	else if (strcmp(line, "trace") == 0)
		spec->traced = strcmp(value, "1") == 0;
	else
		return false;
	return true;
}

/* Reads what to run. 0, or -1 after a message that says where and what. */
static int read_spec(const char *path, struct exec_spec *spec)
{
	size_t size, strings = 1, args = 0, envs = 0;
	char *data = read_file(path, &size);

	if (!data)
		return -1;
	for (size_t i = 0; i < size; i++)
		strings += data[i] == 0;
	*spec = (struct exec_spec){.argv = calloc(strings + 1, sizeof(char *)),
		.envp = calloc(strings + 1, sizeof(char *))};
	if (!spec->argv || !spec->envp) {
		dprintf(2, "exec-runner: no memory for the %zu strings of %s\n", strings, path);
		return -1;
	}
	for (char *line = data; line < data + size;) {
		char *next = line + strlen(line) + 1;

		if (!spec_line(spec, line, &args, &envs)) {
			dprintf(2,
				"exec-runner: %s: byte %td: \"%s\" is no key=value that is known\n",
				path, line - data, line);
			return -1;
		}
		line = next;
	}
	if (!spec->path || args == 0) {
		dprintf(2, "exec-runner: %s: no %s\n", path, spec->path ? "arg=" : "path=");
		return -1;
	}
	return 0;
}

/* Opens a file of the channel above fds 0-2. */
static int channel_open(const char *directory, const char *name, int flags)
{
	char path[256];
	int fd;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	fd = open(path, flags | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		dprintf(2, "exec-runner: cannot open %s: %s\n", path, strerror(errno));
	return fd;
}

static int report(int control, const void *bytes, size_t size)
{
	if (write(control, bytes, size) == (ssize_t)size)
		return 0;
	dprintf(2, "exec-runner: cannot report to the host: %s\n", strerror(errno));
	return 1;
}

/* Baton: the kernel carries the bytes; here is only starting, reaping and reporting. */
static int channel_run(struct exec_spec *spec, const char *directory)
{
	char tty_path[256], trace_path[256];
	const char *tty = spec->tty ? tty_path : NULL;
	int control = channel_open(directory, "control", O_WRONLY), stdio[3] = {-1, -1, -1}, status;
	struct exec_failure failure;
	pid_t pid = -1, ended;

	if (control < 0)
		return 1;
	snprintf(tty_path, sizeof tty_path, "%s/tty", directory);
	snprintf(trace_path, sizeof trace_path, "%s/trace", directory);
	spec->tracer = trace_path;
	for (int fd = 0; fd < 3 && !tty; fd++) {
		char name[2] = {(char)('0' + fd), 0};

		stdio[fd] = channel_open(directory, name, fd ? O_WRONLY : O_RDONLY);
		if (stdio[fd] < 0)
			return 1;
	}
	if (spec->init)
		failure = become(spec, stdio, tty);
	else
		pid = start(spec, stdio, tty, &failure);
	if (pid < 0) {
		unsigned char message[512];
		size_t length = failure_message(spec, &failure, message, sizeof message);
		int failed = report(control, message, length);

		status = failure_status(&failure);
		return report(control, &status, sizeof status) | failed;
	}
	for (int fd = 0; fd < 3; fd++) { /* the program's alone now: its end of file is seen */
		if (stdio[fd] >= 0)
			close(stdio[fd]);
	}
	do
		ended = waitpid(-1, &status, 0);
	while (ended != pid && (ended > 0 || errno == EINTR));
	return report(control, &status, sizeof status);
}

int main(int argc, char **argv)
{
	const char *spec_path = CHANNEL_SPEC_PATH, *channel = CHANNEL_DEV, *serial = NULL;
	bool process_1 = getpid() == 1, on_linux;
	struct exec_spec spec;
	struct stat st;
	int status = 1;

	for (int i = 1; i + 1 < argc && !process_1; i += 2) {
		if (strcmp(argv[i], "--spec") == 0)
			spec_path = argv[i + 1];
		else if (strcmp(argv[i], "--channel") == 0)
			channel = argv[i + 1];
		else if (strcmp(argv[i], "--serial") == 0)
			serial = argv[i + 1];
	}
	on_linux = serial || stat(channel, &st) < 0;
	if (on_linux && process_1 && linux_prepare() != 0)
		reboot(RB_POWER_OFF);
	if (process_1 && !on_linux)
		mount_all(false);
	umask(022);
	if (read_spec(spec_path, &spec) == 0 && (!process_1 || chdir("/") == 0))
		status = on_linux ? linux_run(&spec, serial ? serial : LINUX_SERIAL)
				  : channel_run(&spec, channel);
	if (on_linux && process_1)
		reboot(RB_POWER_OFF);
	return status;
}
