/* SPDX-License-Identifier: MIT */
/* Calls that are asked for what is not the caller's to ask. See attack.h. */
#include "attacks/attack.h"

#include <limits.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>

struct refusal {
	long expected, number, arguments[6];
};

#define THE_VICTIM 0x7ee1ed /* stands for the victim's pid */
#define ANY_ERROR  1

static void refused(long which)
{
	const struct refusal *refusal = (const struct refusal *)which;
	long words[6], found;

	for (int i = 0; i < 6; i++)
		words[i] = refusal->arguments[i] == THE_VICTIM ? shared->victim
							       : refusal->arguments[i];
	found = kernel_call6(
		refusal->number, words[0], words[1], words[2], words[3], words[4], words[5]);
	if (refusal->expected == ANY_ERROR ? found >= 0 : found != refusal->expected)
		fail("call %ld: %ld, expected %ld", refusal->number, found, refusal->expected);
}

/* A file of the victim's in /proc. */
static void opens_victims(long name)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)shared->victim, (const char *)name);
	WANT_IS(kernel_call(SYS_open, path, O_RDONLY), -EACCES);
}

static void reads_victims_link(long name)
{
	char path[64], text[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)shared->victim, (const char *)name);
	WANT_IS(kernel_call(SYS_readlink, path, text, sizeof text), -EACCES);
}

static uint64_t word;
static const struct iovec mine = {&word, sizeof word},
			  theirs = {(void *)VICTIM_SECRET, sizeof word};
static const struct sched_param highest = {99};
static const unsigned long one_cpu = 1;
static const struct rlimit no_limit = {RLIM_INFINITY, RLIM_INFINITY};

/* ---- Sizes ---- */

static void sizes_of_read(long unused)
{
	char *buffer = last_bytes(3);
	int fd = file_of(PAGE);

	(void)unused;
	WANT_IS(kernel_call(SYS_read, fd, buffer, 100), 3);
	WANT_IS(kernel_call(SYS_pread64, fd, buffer, ULONG_MAX, 0), -EFAULT);
	WANT_IS(kernel_call(SYS_read, fd, buffer, 0 - (uintptr_t)buffer), -EFAULT);
	WANT_IS(kernel_call(SYS_write, fd, buffer, ULONG_MAX), -EFAULT);
	WANT_IS(kernel_call(SYS_pread64, fd, buffer, 3, -1), -EINVAL);
	WANT_IS(kernel_call(SYS_pwrite64, fd, buffer, 3, LONG_MIN), -EINVAL);
	WANT_IS(kernel_call(SYS_lseek, fd, LONG_MIN, SEEK_SET), -EINVAL);
	WANT_IS(kernel_call(SYS_ftruncate, fd, -1), -EINVAL);
}

static void sizes_of_vectors(long unused)
{
	struct iovec vector[2] = {{&word, SIZE_MAX}, {&word, 8}},
		     inner = {(void *)KERNEL_DIRECT, 8};
	struct msghdr message = {.msg_iov = &inner, .msg_iovlen = 1};
	int fd = file_of(PAGE), pair[2];

	(void)unused;
	WANT_IS(kernel_call(SYS_readv, fd, vector, 2), -EINVAL);
	WANT_IS(kernel_call(SYS_readv, fd, vector + 1, IOV_MAX + 1), -EINVAL);
	WANT_IS(kernel_call(SYS_readv, fd, vector + 1, ULONG_MAX), -EINVAL);
	WANT_IS(kernel_call(SYS_readv, fd, &inner, 1), -EFAULT);
	WANT_IS(kernel_call(SYS_writev, fd, &inner, 1), -EFAULT);
	WANT_IS(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	WANT_IS(kernel_call(SYS_sendmsg, pair[0], &message, 0), -EFAULT);
	message.msg_iovlen = IOV_MAX + 1;
	WANT_IS(kernel_call(SYS_sendmsg, pair[0], &message, 0), -EMSGSIZE);
}

static int epoll_fd(void)
{
	int fd = epoll_create1(0);

	WANT(fd >= 0);
	return fd;
}

static void counts(long unused)
{
	(void)unused;
	WANT_IS(kernel_call(SYS_poll, &word, UINT_MAX, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_select, -1, &word, NULL, NULL, NULL), -EINVAL);
	WANT_IS(kernel_call(SYS_getgroups, -1, &word), -EINVAL);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll_fd(), &word, INT_MAX, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_epoll_wait, epoll_fd(), &word, 0, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_rt_sigprocmask, 0, &word, NULL, 16), -EINVAL);
	WANT_IS(kernel_call(SYS_getcwd, &word, 1), -ERANGE);
}

static void descriptors(long unused)
{
	static const int wrong[] = {-1, 4096, 1 << 20, INT_MAX, INT_MIN, -100};

	(void)unused;
	for (size_t i = 0; i < COUNT(wrong); i++) {
		WANT_IS(kernel_call(SYS_read, wrong[i], &word, 8), -EBADF);
		WANT_IS(kernel_call(SYS_fstat, wrong[i], &word), -EBADF);
		WANT_IS(kernel_call(SYS_dup, wrong[i]), -EBADF);
		WANT_IS(kernel_call(SYS_dup2, 0, wrong[i] < 0 ? wrong[i] : INT_MAX), -EBADF);
		WANT_IS(kernel_call(SYS_mmap, 0, PAGE, PROT_READ, MAP_PRIVATE, wrong[i], 0),
			-EBADF);
	}
}

static void numbers(long unused)
{
	static const long none[] = {
		-1, 1023, 1l << 31, 0x7fffffff, 0x3fffffff, 0xdeadbeef, LONG_MIN + 1000};

	(void)unused;
	for (size_t i = 0; i < COUNT(none); i++)
		WANT_IS(kernel_call(none[i], 0, 0, 0), -ENOSYS);
	WANT_IS(kernel_call(0x100000000 + SYS_getppid), getppid()); /* 32 bits of it count */
	WANT_IS(kernel_call(SYS_kill, 0x80000000, 0), -ESRCH); /* the group 2^31, which is none */
}

static void ranges(long unused)
{
	static const uintptr_t places[] = {
		KERNEL_IMAGE & -PAGE, KERNEL_DIRECT, FIRST_BAD, LAST_USER_PAGE, -PAGE};
	long top = kernel_call(SYS_brk, 0), segment = kernel_call(SYS_shmget, 0, PAGE, 0600);

	(void)unused;
	WANT(segment >= 0);
	for (size_t i = 0; i < COUNT(places); i++) {
		uintptr_t at = places[i];
		long wrapped = at + PAGE == 0 ? -EINVAL : -ENOMEM;

		WANT_IS(kernel_call(SYS_mmap, at, PAGE, PROT_READ,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
			-ENOMEM);
		WANT_IS(kernel_call(SYS_munmap, at, PAGE), -EINVAL);
		WANT_IS(kernel_call(SYS_mprotect, at, PAGE, PROT_READ | PROT_WRITE), -ENOMEM);
		WANT_IS(kernel_call(SYS_madvise, at, PAGE, MADV_DONTNEED), wrapped);
		WANT_IS(kernel_call(SYS_mremap, at, PAGE, 2 * PAGE, MREMAP_MAYMOVE), -EFAULT);
		WANT_IS(kernel_call(SYS_mincore, at, PAGE, &word), -ENOMEM);
		WANT_IS(kernel_call(SYS_brk, at), top);
		WANT_IS(kernel_call(SYS_msync, at, PAGE, MS_SYNC), -ENOMEM);
		WANT_IS(kernel_call(SYS_mlock, at, PAGE), wrapped);
		WANT_IS(kernel_call(SYS_mlock2, at, PAGE, 0), wrapped);
		WANT_IS(kernel_call(SYS_munlock, at, PAGE), wrapped);
		WANT_IS(kernel_call(SYS_shmat, segment, at, 0), wrapped);
		WANT_IS(kernel_call(SYS_shmdt, at), -EINVAL);
	}
	WANT_IS(kernel_call(SYS_shmctl, segment, 0 /* IPC_RMID */, 0), 0);
}

static void wraps(long unused)
{
	char *p = pages(1, PROT_READ);
	size_t around = 0 - (uintptr_t)p + PAGE;

	(void)unused;
	WANT_IS(kernel_call(SYS_mmap, 0, -PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		-ENOMEM);
	WANT_IS(kernel_call(SYS_mmap, 0, ULONG_MAX, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		-ENOMEM);
	WANT_IS(kernel_call(SYS_munmap, p, around), -EINVAL);
	WANT_IS(kernel_call(SYS_mprotect, p, around, PROT_READ | PROT_WRITE), -ENOMEM);
	WANT_IS(kernel_call(SYS_madvise, p, around, MADV_DONTNEED), -EINVAL);
	WANT_IS(kernel_call(SYS_mmap, 0, 2 * PAGE, PROT_READ, MAP_PRIVATE, file_of(PAGE), 0 - PAGE),
		-EOVERFLOW);
	WANT_IS(*p, 0);
}

/* ---- What is written when somebody ends ---- */

static void clears_tid(long address)
{
	kernel_call(SYS_set_tid_address, address);
	kernel_call(SYS_exit, 0);
}

static void tids_in_kernel(long unused)
{
	const long flags =
		CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;
	long pid;

	(void)unused;
	WANT_IS(ended(begin(clears_tid, (long)KERNEL_DIRECT)), 0);
	WANT_IS(ended(begin(clears_tid, (long)MIDDLE_BAD)), 0);
	pid = kernel_call(SYS_clone, flags, 0, KERNEL_DIRECT, KERNEL_DIRECT + 8, 0);
	if (pid == 0)
		kernel_call(SYS_exit, 0);
	WANT(pid > 0);
	WANT_IS(ended((pid_t)pid), 0);
}

struct robust {
	const void *list;
	long offset;
	const void *pending;
};

static void leaves_robust(long which)
{
	static struct robust around[2];
	static const struct robust heads[] = {{(void *)KERNEL_DIRECT, 0, NULL},
		{(void *)MIDDLE_BAD, 8, (void *)KERNEL_DIRECT}, {&around[0], 0, NULL},
		{&around[0], LONG_MIN, (void *)8}};

	around[0].list = &around[1]; /* a circle that never comes back to the head */
	around[1].list = &around[0];
	WANT_IS(kernel_call(SYS_set_robust_list, &heads[which], sizeof heads[0]), 0);
	kernel_call(SYS_exit, 0);
}

static void robust_lists(long unused)
{
	(void)unused;
	for (long which = 0; which < 4; which++)
		WANT_IS(ended(begin(leaves_robust, which)), 0);
}

#define REFUSED(name, tries, why, result, number, ...)                           \
	{                                                                        \
		name, tries, why, {CALM}, refused, (long)&(const struct refusal) \
		{                                                                \
			result, number,                                          \
			{                                                        \
				__VA_ARGS__                                      \
			}                                                        \
		}                                                                \
	}
#define OTHERS "another user's: EPERM"
#define SEEN   "another user's, whom it may not trace: EACCES"
#define ROOTS  "for root: EPERM"
#define NONE   "there is no such file or call, or it is root's"

static const struct attack attacks[] = {
	REFUSED("read-victim", "reads the victim's secret by process_vm_readv", OTHERS, -EPERM,
		SYS_process_vm_readv, THE_VICTIM, (long)&mine, 1, (long)&theirs, 1),
	REFUSED("write-victim", "writes over the victim's secret by process_vm_writev", OTHERS,
		-EPERM, SYS_process_vm_writev, THE_VICTIM, (long)&mine, 1, (long)&theirs, 1),
	REFUSED("trace-victim", "attaches to the victim by ptrace", OTHERS, -EPERM, SYS_ptrace,
		PTRACE_ATTACH, THE_VICTIM),
	REFUSED("seize-victim", "seizes the victim by ptrace", OTHERS, -EPERM, SYS_ptrace,
		PTRACE_SEIZE, THE_VICTIM),
	REFUSED("peek-victim", "reads the victim's memory by ptrace without attaching",
		"it is no tracee: ESRCH", -ESRCH, SYS_ptrace, PTRACE_PEEKDATA, THE_VICTIM,
		VICTIM_SECRET, (long)&word),
	REFUSED("kill-victim", "kills the victim", OTHERS, -EPERM, SYS_kill, THE_VICTIM, SIGKILL),
	REFUSED("stop-victim", "stops the victim", OTHERS, -EPERM, SYS_kill, THE_VICTIM, SIGSTOP),
	REFUSED("stop-thread", "stops a thread of the victim", OTHERS, -EPERM, SYS_tgkill,
		THE_VICTIM, THE_VICTIM, SIGSTOP),
	REFUSED("limit-victim", "takes the victim's CPU time by prlimit", OTHERS, -EPERM,
		SYS_prlimit64, THE_VICTIM, RLIMIT_CPU, (long)&no_limit, 0),
	REFUSED("nice-victim", "makes the victim the last by setpriority", OTHERS, -EPERM,
		SYS_setpriority, PRIO_PROCESS, THE_VICTIM, 19),
	REFUSED("policy-victim", "makes the victim idle by sched_setscheduler", OTHERS, -EPERM,
		SYS_sched_setscheduler, THE_VICTIM, SCHED_IDLE,
		(long)&(const struct sched_param){0}),
	REFUSED("place-victim", "binds the victim to one CPU", OTHERS, -EPERM,
		SYS_sched_setaffinity, THE_VICTIM, 8, (long)&one_cpu),
	REFUSED("group-victim", "puts the victim into its own group", "no child of its own: ESRCH",
		-ESRCH, SYS_setpgid, THE_VICTIM, 0),
	REFUSED("list-victim", "asks where the victim's robust list is", OTHERS, -EPERM,
		SYS_get_robust_list, THE_VICTIM, (long)&word, (long)&word),
	REFUSED("wait-victim", "waits for the victim", "no child of its own: ECHILD", -ECHILD,
		SYS_wait4, THE_VICTIM),
	{"open-memory", "opens the victim's /proc/PID/mem", SEEN, {CALM}, opens_victims,
		(long)"mem"},
	{"open-maps", "opens the victim's /proc/PID/maps", SEEN, {CALM}, opens_victims,
		(long)"maps"},
	{"open-environ", "opens the victim's /proc/PID/environ", SEEN, {CALM}, opens_victims,
		(long)"environ"},
	{"open-auxv", "opens the victim's /proc/PID/auxv", SEEN, {CALM}, opens_victims,
		(long)"auxv"},
	{"open-descriptors", "opens the victim's /proc/PID/fd", SEEN, {CALM}, opens_victims,
		(long)"fd"},
	{"read-program", "reads the victim's /proc/PID/exe", SEEN, {CALM}, reads_victims_link,
		(long)"exe"},
	REFUSED("kill-init", "kills process 1", ROOTS, -EPERM, SYS_kill, 1, SIGKILL),
	REFUSED("trace-init", "attaches to process 1", ROOTS, -EPERM, SYS_ptrace, PTRACE_ATTACH, 1),
	REFUSED("become-root", "setuid(0)", ROOTS, -EPERM, SYS_setuid, 0),
	REFUSED("become-root-again", "setresuid(0, 0, 0)", ROOTS, -EPERM, SYS_setresuid, 0, 0, 0),
	REFUSED("become-group", "setresgid(0, 0, 0)", ROOTS, -EPERM, SYS_setresgid, 0, 0, 0),
	REFUSED("raise-limit", "raises a hard limit", ROOTS, -EPERM, SYS_setrlimit, RLIMIT_MEMLOCK,
		(long)&no_limit),
	REFUSED("real-time", "becomes a real-time process of the highest priority", ROOTS, -EPERM,
		SYS_sched_setscheduler, 0, SCHED_FIFO, (long)&highest),
	REFUSED("priority", "takes the highest priority", "its limit is 0: EACCES", -EACCES,
		SYS_setpriority, PRIO_PROCESS, 0, -20),
	REFUSED("reboot", "resets the machine", ROOTS, -EPERM, SYS_reboot, 0xfee1dead, 672274793,
		0x1234567),
	REFUSED("chroot", "chroot", ROOTS, -EPERM, SYS_chroot, (long)"/"),
	REFUSED("mount", "mounts over /proc", ROOTS, -EPERM, SYS_mount, (long)"x", (long)"/proc",
		(long)"tmpfs", 0, 0),
	REFUSED("unmount", "unmounts /proc", ROOTS, -EPERM, SYS_umount2, (long)"/proc", 2),
	REFUSED("device", "makes a device node for all memory", ROOTS, -EPERM, SYS_mknod,
		(long)"/tmp/attacks-mem", 0020666, 1 << 8 | 1),
	REFUSED("memory-device", "opens /dev/mem", NONE, ANY_ERROR, SYS_open, (long)"/dev/mem",
		O_RDWR),
	REFUSED("port-device", "opens /dev/port", NONE, ANY_ERROR, SYS_open, (long)"/dev/port",
		O_RDWR),
	REFUSED("kernel-core", "opens /proc/kcore", NONE, ANY_ERROR, SYS_open, (long)"/proc/kcore",
		O_RDONLY),
	REFUSED("init-memory", "opens /proc/1/mem", SEEN, -EACCES, SYS_open, (long)"/proc/1/mem",
		O_RDWR),
	REFUSED("kernel-setting", "opens a setting of the kernel to write", "root's file: EACCES",
		-EACCES, SYS_open, (long)"/proc/sys/kernel/hostname", O_WRONLY),
	REFUSED("integrity", "opens the kernel's hash", NONE, ANY_ERROR, SYS_open,
		(long)"/proc/baton/integrity", O_RDONLY),
	REFUSED("module", "loads a module", NONE, ANY_ERROR, SYS_init_module, (long)"\177ELF", 64,
		(long)""),
	REFUSED("kexec", "loads another kernel", NONE, ANY_ERROR, SYS_kexec_load, 0, 0, 0, 0),
	REFUSED("swap", "takes memory for swapping", NONE, ANY_ERROR, SYS_swapon,
		(long)"/proc/self/exe", 0),
	REFUSED("clock", "sets the clock", ROOTS, -EPERM, SYS_clock_settime, 0,
		(long)&(const struct timespec){0, 0}),
	REFUSED("low-page", "maps page 0, for a null pointer of the kernel",
		"below mmap_min_addr: EPERM", -EPERM, SYS_mmap, 0, PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
	REFUSED("catch-kill", "catches SIGKILL", "EINVAL", -EINVAL, SYS_rt_sigaction, SIGKILL,
		(long)&(const long[4]){KERNEL_IMAGE}, 0, 8),
	{"sizes", "reads and writes with sizes that wrap and offsets below 0",
		"the range is checked as a whole: EFAULT, EINVAL", {CALM}, sizes_of_read},
	{"vectors", "vectors whose sizes wrap, too many of them, with bad pointers inside",
		"EINVAL, EMSGSIZE, EFAULT", {CALM}, sizes_of_vectors},
	{"counts", "counts below 0 and beyond all bounds", "EINVAL", {CALM}, counts},
	{"descriptors", "descriptors below 0 and beyond the table", "EBADF", {CALM}, descriptors},
	{"numbers", "system calls that there are not", "the number is checked: ENOSYS", {CALM},
		numbers},
	{"ranges", "maps, unmaps, protects, locks, moves and grows into the kernel's half",
		"not a process's addresses: ENOMEM, EINVAL, EFAULT", {CALM}, ranges},
	{"wraps", "the same with sizes that wrap", "ENOMEM, EINVAL, EOVERFLOW", {CALM}, wraps},
	{"tids", "has the kernel write thread ids into the kernel, at birth and at death",
		"they are written as the process would, or not", {CALM}, tids_in_kernel},
	{"robust", "leaves robust lists that lead into the kernel, or nowhere, or around",
		"followed as the process would, 2,048 steps at most", {CALM}, robust_lists},
};
FAMILY(calls, "what is not the caller's to ask", attacks);
