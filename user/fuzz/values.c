/* SPDX-License-Identifier: MIT */
/* Numbers as arguments: for each kind what it usually is, now and then what it may not be. */
#include "fuzz.h"

#include <linux/close_range.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <linux/reboot.h>
#include <linux/sched.h>

#include <asm/prctl.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "values.h"

static uint64_t one_of(struct random *random, const struct values *values)
{
	return (uint64_t)values->list[random_below(random, values->count)];
}

/* An or of some of them. */
static uint64_t some_of(struct random *random, const struct values *values)
{
	unsigned how_many = random_below(random, 4);
	uint64_t bits = 0;

	while (how_many-- > 0)
		bits |= one_of(random, values);
	return bits;
}

#define LIST(kind, how, ...)                                                              \
	[KIND_##kind] = {(how), sizeof((const int64_t[]){__VA_ARGS__}) / sizeof(int64_t), \
		(const int64_t[]){__VA_ARGS__}}

static const struct values tables[KINDS] = {
	LIST(ACCESS_MODE, ONE, 0, 1, 2, 4, 7),
	LIST(ADVICE, ONE, MADV_NORMAL, MADV_DONTNEED, MADV_FREE, MADV_REMOVE, MADV_DONTFORK,
		MADV_DOFORK, MADV_WILLNEED, MADV_SEQUENTIAL, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23,
		100, 101),
	LIST(ARCH_CODE, ONE, 0x1001, 0x1002, 0x1003, 0x1004, 0x1011, 0x1012, 0x2001, 0x3001),
	LIST(AT_FLAGS, SOME, 0, 0, AT_SYMLINK_NOFOLLOW, AT_EMPTY_PATH, AT_SYMLINK_FOLLOW,
		AT_REMOVEDIR, 0x800),
	LIST(CLOCK, ONE, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, -2, -6, 16),
	LIST(CLONE_FLAGS, SOME, SIGCHLD_NUMBER, SIGCHLD_NUMBER, CLONE_VM, CLONE_FS, CLONE_FILES,
		CLONE_SIGHAND | CLONE_VM, CLONE_PIDFD, CLONE_PTRACE, CLONE_VFORK, CLONE_PARENT,
		CLONE_THREAD | CLONE_SIGHAND | CLONE_VM, CLONE_NEWNS, CLONE_SYSVSEM, CLONE_SETTLS,
		CLONE_PARENT_SETTID, CLONE_CHILD_CLEARTID, CLONE_UNTRACED, CLONE_CHILD_SETTID,
		CLONE_IO, 0x100000000, 0x80),
	LIST(CLOSE_RANGE_FLAGS, ONE, 0, CLOSE_RANGE_CLOEXEC, CLOSE_RANGE_UNSHARE, 6),
	LIST(EPOLL_FLAGS, ONE, 0, EPOLL_CLOEXEC, 1),
	LIST(EPOLL_OPERATION, ONE, EPOLL_CTL_ADD, EPOLL_CTL_ADD, EPOLL_CTL_DEL, EPOLL_CTL_MOD, 0,
		4),
	LIST(EVENT_FLAGS, SOME, 0, EFD_CLOEXEC, EFD_NONBLOCK, EFD_SEMAPHORE),
	LIST(FALLOCATE_FLAGS, ONE, 0, 1, 2, 3, 8, 0x10, 0x11, 0x20, 0x40),
	LIST(FCNTL, ONE, F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLK,
		F_SETLKW, F_SETOWN, F_GETOWN, F_SETSIG, F_GETSIG, F_SETLEASE, F_GETLEASE, F_NOTIFY,
		F_DUPFD_CLOEXEC, F_SETPIPE_SZ, F_GETPIPE_SZ, F_ADD_SEALS, F_GET_SEALS, F_OFD_GETLK,
		F_OFD_SETLK, F_OFD_SETLKW),
	LIST(FILE_ADVICE, ONE, 0, 1, 2, 3, 4, 5, 6),
	LIST(FUTEX_OPERATION, ONE, 0, 1, 1, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 128, 129, 131,
		132, 133, 137, 138, 256 + 9, 400),
	LIST(ITIMER, ONE, 0, 1, 2, 3, -1),
	LIST(LOCK_OPERATION, ONE, 1, 2, 4, 5, 6, 8, 9, 32),
	LIST(MAP_FLAGS, SOME, MAP_PRIVATE | MAP_ANONYMOUS, MAP_PRIVATE | MAP_ANONYMOUS, MAP_PRIVATE,
		MAP_SHARED, MAP_SHARED | MAP_ANONYMOUS, MAP_FIXED, MAP_FIXED, MAP_GROWSDOWN,
		MAP_LOCKED, MAP_NORESERVE, MAP_POPULATE, MAP_STACK, 0x40, 0x100000, 3, MAP_HUGETLB),
	LIST(MEMBARRIER_COMMAND, ONE, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 3),
	LIST(MLOCK_FLAGS, ONE, 0, 1, 2),
	LIST(MLOCKALL_FLAGS, ONE, 1, 2, 3, 4, 5, 6, 7, 0, 8),
	LIST(MOUNT_FLAGS, SOME, 0, 0, MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT,
		MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE, MS_SHARED, MS_UNBINDABLE, MS_NOATIME,
		MS_SILENT),
	LIST(MREMAP_FLAGS, ONE, 0, 1, 1, 1, 3, 3, 5, 7, 2, 8),
	LIST(MSYNC_FLAGS, ONE, 0, 1, 2, 4, 5, 6, 8),
	LIST(OPEN_FLAGS, SOME, O_RDONLY, O_WRONLY, O_RDWR, O_RDWR, O_CREAT, O_CREAT, O_EXCL,
		O_TRUNC, O_APPEND, O_NONBLOCK, O_DIRECTORY, O_NOFOLLOW, O_PATH, O_TMPFILE,
		O_CLOEXEC, O_DIRECT, O_NOCTTY, O_SYNC, O_NOATIME),
	LIST(PIPE_FLAGS, SOME, 0, O_NONBLOCK, O_CLOEXEC, O_DIRECT),
	LIST(PRIORITY_WHICH, ONE, 0, 1, 2, 3),
	LIST(PROTECTION, SOME, 1, 2, 3, 3, 3, 4, 8, 0x1000000, 0x2000000),
	LIST(RANDOM_FLAGS, SOME, 0, GRND_NONBLOCK, GRND_RANDOM, 4, 8),
	LIST(REBOOT_MAGIC, ONE, 0, 1, -1),
	LIST(REBOOT_COMMAND, ONE, 0, 1),
	LIST(REMOVE_FLAGS, ONE, 0, 0, AT_REMOVEDIR, 1),
	LIST(RENAME_FLAGS, ONE, 0, 0, 1, 2, 3, 4, 8),
	LIST(SCHED_POLICY, ONE, 0, 0, 1, 2, 3, 4, 5, 6, 7, -1, 0x40000000),
	LIST(SIGNAL_HOW, ONE, 0, 1, 2, 3),
	LIST(SIGNALFD_FLAGS, SOME, 0, O_NONBLOCK, O_CLOEXEC),
	LIST(TIMERFD_FLAGS, SOME, 0, TFD_NONBLOCK, TFD_CLOEXEC),
	LIST(TIMER_FLAGS, ONE, 0, 1, 2, 3),
	LIST(TIMERFD_SET_FLAGS, ONE, 0, 1, 2, 3, 4),
	LIST(UNSHARE_FLAGS, SOME, 0, CLONE_FS, CLONE_FILES, CLONE_SYSVSEM, CLONE_VM, CLONE_SIGHAND,
		CLONE_THREAD, CLONE_NEWNS, CLONE_NEWUTS),
	LIST(USAGE_WHO, ONE, 0, -1, 1, -2),
	LIST(WAIT_OPTIONS, SOME, WNOHANG, WNOHANG, WNOHANG, WUNTRACED, WCONTINUED, 0x20000000,
		0x40000000, 0x80000000),
	LIST(WAITID_OPTIONS, SOME, WNOHANG, WNOHANG | WEXITED, WNOHANG | WSTOPPED, WEXITED,
		WCONTINUED, WNOWAIT, 0x40000000),
	LIST(WAITID_TYPE, ONE, 0, 1, 2, 3, 4),
	LIST(WHENCE, ONE, 0, 1, 2, 3, 4, 5),
	LIST(XATTR_FLAGS, ONE, 0, 1, 2, 3),
	LIST(MODE, ONE, 0, 0600, 0644, 0700, 0755, 0777, 04755, 02755, 01777, 07777, 0177777),
	LIST(OPEN_MODE, ONE, 0, 0600, 0644, 0700, 0777, 04777),
	LIST(NODE_MODE, ONE, S_IFREG | 0644, S_IFIFO | 0666, S_IFSOCK | 0600, S_IFDIR | 0700,
		S_IFCHR | 0666, 0644, S_IFBLK | 0600, S_IFLNK | 0777),
	LIST(DEVICE, ONE, 0, 0x103, 0x105, 0x107, 0x109, 0x502),
	/* Never 0: who is root could end the supervisor. */
	LIST(UID, ONE, -1, 1000, 1001, 1002, 1003, 1004, 65534, 0x7fffffff, 0xfffffffe),
	LIST(GID, ONE, -1, 1000, 1001, 1002, 65534, 0x7fffffff, 0xfffffffe),
	LIST(RESOURCE, ONE, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, -1),
	LIST(FLAGS, SOME, 0, 0, 0, 1, 2, 4, 8, 0x100, 0x200, 0x400, 0x800, 0x1000, O_NONBLOCK,
		O_CLOEXEC, 0x80000000, -1),
	LIST(PRCTL, ONE, 1, 2, 3, 4, 5, 7, 8, 13, 14, 15, 16, 19, 21, 22, 23, 24, 25, 26, 27, 28,
		29, 30, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 47, 48, 52, 53, 0x59616d61,
		0x53564d41),
	LIST(IOCTL, ONE, 0x5401, 0x5402, 0x5403, 0x5404, 0x5405, 0x5407, 0x5409, 0x540a, 0x540b,
		0x540c, 0x540d, 0x540e, 0x540f, 0x5410, 0x5411, 0x5412, 0x5413, 0x5414, 0x5415,
		0x541b, 0x5420, 0x5421, 0x5422, 0x5423, 0x5424, 0x5425, 0x5429, 0x5431, 0x5440,
		0x5441, 0x5450, 0x5451, 0x5452, 0x80045430, 0x40045431, 0x80045432, 0x80045438,
		0x80045439, 0x80045440, 0x4b33, 0x4b44, 0x5600, 0x5603, 0x12, 0x1260, 0xc0000000),
};

/* ---- Kinds that are no lists ---- */

static uint64_t any_number(struct random *random)
{
	static const int64_t edges[] = {0, 1, 2, 3, 7, 8, 9, 15, 16, 31, 32, 63, 64, 100, 127, 128,
		255, 256, 1000, 1023, 1024, 4095, 4096, 4097, 8191, 8192, 65535, 65536, 0x7fffffff,
		0x80000000, 0xffffffff, INT64_MAX, -1, -2, -22, -4095, -4096, INT64_MIN};

	if (random_one_in(random, 2))
		return random_below(random, 16);
	if (random_one_in(random, 8))
		return random_next(random) >> random_below(random, 64);
	return (uint64_t)edges[random_below(random, COUNT(edges))];
}

static uint64_t make_size(struct random *random)
{
	static const uint64_t usual[] = {0, 1, 2, 4, 7, 8, 8, 8, 12, 16, 24, 32, 64, 100, 128, 144,
		256, 512, 1000, 4095, 4096, 4096, 4097, 8192};

	if (!random_one_in(random, 12))
		return usual[random_below(random, COUNT(usual))];
	if (random_one_in(random, 3))
		return PAGE * random_below(random, 64);
	return any_number(random);
}

static uint64_t make_fd(struct random *random)
{
	static const int64_t bad[] = {
		-1, -100, 63, 64, 1023, 1024, 65536, INT32_MAX, INT32_MIN, -2};

	if (!random_one_in(random, 16))
		return random_below(random, FDS_USUAL + 8);
	return (uint64_t)bad[random_below(random, COUNT(bad))];
}

static uint64_t make_offset(struct random *random)
{
	static const int64_t edges[] = {
		-1, -4096, INT64_MIN, INT64_MAX, INT64_MAX - 4095, 1l << 31, 1l << 32, 1l << 40};

	if (random_one_in(random, 8))
		return (uint64_t)edges[random_below(random, COUNT(edges))];
	return random_one_in(random, 2) ? 0 : random_below(random, 3 * PAGE);
}

/* Nobody's but the worker's own and its children's; what is no process's; its group. */
static uint64_t make_pid(struct stream *stream)
{
	switch (random_below(&stream->random, 12)) {
	case 0:
	case 1:
		return (uint64_t)(int64_t)stream->self;
	case 2:
		return (uint64_t)(int64_t)-stream->self;
	case 3:
		return (uint64_t)(int64_t)-1;
	case 4:
		return 1;
	case 5:
		return any_number(&stream->random);
	case 6:
	case 7:
		return 0;
	default:
		return (uint64_t)(int64_t)stream->child;
	}
}

static uint64_t make_signal(struct random *random)
{
	/* SIGKILL and SIGSTOP only make the next worker wait its turn. */
	if (random_one_in(random, 32))
		return any_number(random);
	return random_one_in(random, 4) ? 0 : random_below(random, 66);
}

uint64_t value_make(struct stream *stream, enum kind kind)
{
	struct random *random = &stream->random;
	const struct values *values = &tables[kind];

	if (random_one_in(random, 64))
		return random_next(random);
	if (values->count)
		return values->how == ONE ? one_of(random, values) : some_of(random, values);
	switch (kind) {
	case KIND_SIZE:
		return make_size(random);
	case KIND_OFFSET:
		return make_offset(random);
	case KIND_MMAP_OFFSET:
		return random_one_in(random, 8) ? make_offset(random)
						: PAGE * random_below(random, 4);
	case KIND_FD:
		return make_fd(random);
	case KIND_DIRFD:
		return random_one_in(random, 2) ? (uint64_t)(int64_t)AT_FDCWD : make_fd(random);
	case KIND_PID:
		return make_pid(stream);
	case KIND_SIGNAL:
		return make_signal(random);
	case KIND_ADDRESS:
		return area_make(stream);
	default:
		return any_number(random);
	}
}
