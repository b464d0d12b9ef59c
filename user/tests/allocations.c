/* SPDX-License-Identifier: MIT */
/*
 * What calls say when the kernel has no memory. Each is made again and again in a child of its own, and each time the next of
 * its allocations fails (/proc/thread-self/fail-nth, Linux's fault injection), until none does: then it has
 * done what it does. Where the kernel has no such file it is made once.
 *
 * Those are here that no other test makes and `baton sweep` would miss; it begins with this test, since some
 * allocations are made once for all: a table of kernel stacks, a chunk of process numbers.
 */
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "cases.h"
#include "firmware/efi_services.h"

#define FAR_MOST  "100000" /* numbers: more than are there at the start */
#define MANY      300
#define MOST      100 /* allocations of one call here */
#define NUMBER_OF "/proc/thread-self/fail-nth"

static struct {
	volatile long result;
	volatile int left; /* of the number: not 0: there are fewer allocations */
} * told;

/* The running thread's nth allocation from now fails; false: this kernel has no such thing. */
static bool set_number(int fd, unsigned n)
{
	char text[16];
	int length = snprintf(text, sizeof text, "%u", n);

	return fd >= 0 && kernel_call(SYS_write, fd, text, length) == length;
}

static int number_left(int fd)
{
	char text[16] = "";

	if (kernel_call(SYS_pread64, fd, text, sizeof text - 1, 0) <= 0)
		return 1;
	return atoi(text);
}

/* Whoever lacks memory for a page of his own is ended, or somebody larger: this one. */
static void be_the_first_to_end(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	WANT(fd >= 0);
	WANT_IS(kernel_call(SYS_write, fd, "1000", 4), 4);
	close(fd);
}

/* In a child, which the lack of memory may end too. */
static bool comes_to_end(long (*act)(void), unsigned n)
{
	pid_t pid;
	int status, fd;

	told->left = 0;
	told->result = -ENOMEM;
	pid = fork();
	WANT(pid >= 0);
	if (pid == 0) {
		be_the_first_to_end();
		fd = open(NUMBER_OF, O_RDWR | O_CLOEXEC);
		if (!set_number(fd, n))
			told->left = 1;
		told->result = act();
		if (fd >= 0 && !told->left) {
			told->left = number_left(fd);
			set_number(fd, 0);
		}
		_exit(0);
	}
	status = ended(pid);
	WANT(status == 0 || status == SIGKILL);
	return status == 0 && told->left;
}

static void each_fails(long (*act)(void), long otherwise)
{
	unsigned n = 1;

	told = shared_memory(sizeof *told);
	while (!comes_to_end(act, n)) {
		WANT(told->result >= 0 || told->result == -ENOMEM || told->result == otherwise);
		WANT(n++ < MOST);
	}
	WANT(told->result >= 0);
}

/* ---- Signals as files ---- */

static long make_signalfd(void)
{
	sigset_t set = set_of(SIGUSR1);

	return signalfd(-1, &set, SFD_CLOEXEC);
}

static long poll_signalfd(void)
{
	struct pollfd wanted = {(int)make_signalfd(), POLLIN, 0};

	return wanted.fd < 0 ? -errno : kernel_call(SYS_poll, &wanted, 1, 1);
}

static void signalfd_polled(void)
{
	each_fails(poll_signalfd, 0);
}

static long add_signalfd(void)
{
	struct epoll_event event = {EPOLLIN, {0}};
	int epoll = epoll_create1(EPOLL_CLOEXEC), fd = (int)make_signalfd();

	if (epoll < 0 || fd < 0)
		return -errno;
	return kernel_call(SYS_epoll_ctl, epoll, EPOLL_CTL_ADD, fd, &event);
}

static void signalfd_added(void)
{
	each_fails(add_signalfd, 0);
}

/* ---- Files ---- */

static int lock_fd;

static long split_lock(void)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 0, .l_len = 100};
	struct flock part = {.l_type = F_UNLCK, .l_whence = SEEK_SET, .l_start = 40, .l_len = 20};
	long result = kernel_call(SYS_fcntl, lock_fd, F_SETLK, &whole);

	return result ? result : kernel_call(SYS_fcntl, lock_fd, F_SETLK, &part);
}

static void locks_split(void)
{
	lock_fd = memfd_create("locked", MFD_CLOEXEC);
	WANT(lock_fd >= 0);
	each_fails(split_lock, -ENOLCK);
}

static long splice_text(void)
{
	int fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC), pipe_fds[2];

	if (fd < 0 || pipe2(pipe_fds, O_CLOEXEC) != 0)
		return -errno;
	return kernel_call(SYS_splice, fd, NULL, pipe_fds[1], NULL, 100, 0);
}

static void text_spliced(void)
{
	each_fails(splice_text, 0);
}

/* Directories that are made when somebody looks into them, and bytes of the firmware's. */
static long read_system(void)
{
	static const char *const names[] = {"/sys/firmware/dmi/tables",
		"/sys/firmware/dmi/tables/DMI", "/sys/class/dmi/id", "/sys/firmware/acpi/tables",
		"/sys/firmware/acpi/tables/FACP", "/sys/bus/pci/devices",
		"/sys/devices/system/cpu/cpu0/cache", "/sys/devices/system/memory"};
	char buffer[1024];
	long got;

	for (unsigned i = 0; i < COUNT(names); i++) {
		long fd = kernel_call(SYS_open, names[i], O_RDONLY | O_CLOEXEC);

		if (fd == -ENOMEM)
			return fd;
		if (fd < 0)
			continue; /* not every machine has it */
		got = kernel_call(SYS_getdents64, fd, buffer, sizeof buffer);
		if (got == -ENOTDIR)
			got = kernel_call(SYS_read, fd, buffer, sizeof buffer);
		if (got < 0)
			return got;
		kernel_call(SYS_close, fd);
	}
	return 0;
}

static void system_read(void)
{
	each_fails(read_system, 0);
}

/* UEFI's runtime services: their process, what a call is lent. Not every machine has them. */
static long call_firmware(void)
{
	struct efi_time now;
	uint64_t status;
	long fd = kernel_call(SYS_open, "/dev/efi_test", O_RDWR | O_CLOEXEC), result;

	if (fd < 0)
		return fd == -ENOMEM ? fd : 0;
	result = -efi_get_time((int)fd, (struct efi_get_time){&now, NULL, &status});
	if (!result)
		result = kernel_call(SYS_ioctl, fd, BATON_EFI_GO_VIRTUAL, &status);
	kernel_call(SYS_close, fd);
	return result == -EALREADY ? 0 : result;
}

static void firmware_called(void)
{
	each_fails(call_firmware, 0);
}

static long write_log(void)
{
	int fd = open("/dev/kmsg", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOMEM ? -errno : 0; /* not everybody may */
	return kernel_call(SYS_write, fd, "<7>allocations: a line\n", 23);
}

static void log_written(void)
{
	each_fails(write_log, 0);
}

static long open_devices(void)
{
	static const char *const names[] = {"/dev/input/event0", "/dev/fb0", "/dev/ptmx"};

	for (unsigned i = 0; i < COUNT(names); i++)
		if (open(names[i], O_RDWR | O_NOCTTY | O_CLOEXEC) < 0 && errno == ENOMEM)
			return -errno;
	return 0;
}

static void devices_opened(void)
{
	each_fails(open_devices, 0);
}

/* ---- Processes ---- */

static pthread_barrier_t barrier;

static void *stand_by(void *argument)
{
	pthread_barrier_wait(&barrier);
	return argument;
}

/* So many at once that the kernel's stacks need more tables. */
static void many_threads(void)
{
	static pthread_t threads[MANY];
	pthread_attr_t attributes;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 16384);
	pthread_barrier_init(&barrier, NULL, MANY + 1);
	for (int i = 0; i < MANY; i++)
		WANT_IS(pthread_create(&threads[i], &attributes, stand_by, NULL), 0);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < MANY; i++)
		join_thread(threads[i]);
}

static int run_again(void *path)
{
	char *arguments[] = {path, "nothing", NULL};

	execv(path, arguments);
	_exit(3);
}

/* exec by who shares memory and handlers with his maker. */
static void handlers_unshared(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid = clone(run_again, stack + sizeof stack, CLONE_VM | CLONE_SIGHAND | SIGCHLD,
		(void *)check.self);

	WANT(pid > 0);
	WANT_ENDS(pid, 0);
}

struct arguments {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
		set_tid_size;
};

static int far_pid;

static long clone_far(void)
{
	int wanted = far_pid;
	struct arguments arguments = {
		.exit_signal = SIGCHLD, .set_tid = (uintptr_t)&wanted, .set_tid_size = 1};
	long pid = kernel_call(435, &arguments, sizeof arguments);

	if (pid == 0)
		_exit(0);
	if (pid > 0)
		ended((pid_t)pid);
	/* the number is taken, the call is not there, or not everybody may */
	return pid == -EEXIST || pid == -ENOSYS || pid == -EPERM ? 0 : pid;
}

/* As a knob of the whole machine: it is turned where allocations can be made to fail, so on no one's own system. */
static void set_pid_max(const char *text)
{
	int fd = open("/proc/sys/kernel/pid_max", O_WRONLY | O_CLOEXEC);

	if (fd >= 0 && access(NUMBER_OF, F_OK) == 0)
		WANT_IS(kernel_call(SYS_write, fd, text, strlen(text)), strlen(text));
	if (fd >= 0)
		close(fd);
}

static void far_number(void)
{
	char text[16] = "";
	int fd = open("/proc/sys/kernel/pid_max", O_RDONLY | O_CLOEXEC);

	WANT(fd >= 0 && read(fd, text, sizeof text - 1) > 0);
	set_pid_max(FAR_MOST);
	far_pid = atoi(access(NUMBER_OF, F_OK) == 0 ? FAR_MOST : text) - 2;
	each_fails(clone_far, 0);
	set_pid_max(text);
}

static long fork_with_many(void)
{
	pid_t pid;

	for (int i = 0; i < MANY; i++)
		if (dup(0) < 0)
			return -errno;
	pid = fork();
	if (pid == 0)
		_exit(0);
	if (pid < 0)
		return -errno;
	return ended(pid) == 0 ? 0 : -EIO;
}

static void descriptors_copied(void)
{
	struct rlimit limit = {2 * MANY, 2 * MANY};

	WANT_IS(setrlimit(RLIMIT_NOFILE, &limit), 0);
	each_fails(fork_with_many, 0);
}

static const struct test_case cases[] = {
	CASE(many_threads, "clone: stacks for 300 threads at once"),
	CASE(far_number, "clone3: a number far from the others, without memory"),
	CASE(handlers_unshared, "execve: handlers shared with another process"),
	CASE(descriptors_copied, "fork: 300 descriptors, without memory"),
	CASE(signalfd_polled, "poll: a signalfd, without memory: ENOMEM"),
	CASE(signalfd_added, "epoll_ctl: a signalfd, without memory: ENOMEM"),
	CASE(locks_split, "fcntl: a lock is split, without memory: ENOLCK"),
	CASE(text_spliced, "splice: a file of /sys, without memory"),
	CASE(system_read, "getdents64, read: directories and tables in /sys, without memory"),
	CASE(firmware_called, "ioctl: UEFI's runtime services, without memory"),
	CASE(log_written, "write: /dev/kmsg, without memory"),
	CASE(devices_opened, "open: devices, without memory"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	if (argc == 2 && strcmp(argv[1], "nothing") == 0)
		return 0;
	return check_main(argc, argv, NULL, 0, all);
}
