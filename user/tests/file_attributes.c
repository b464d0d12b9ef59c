/* SPDX-License-Identifier: MIT */
/*
 * Files: what calls by descriptor and ioctls say and change of them: attributes (chattr's), times of reading,
 * descriptors without a path, files that are no data. Results are those of Linux 6.1.
 */
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/random.h>
#include <linux/stat.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "file_cases.h"

#define CONTROL(fd, command, argument) kernel_call(SYS_ioctl, fd, command, argument)

static int make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_RDWR, 0644);

	WANT(fd >= 0);
	return fd;
}

static struct stat told(int fd)
{
	struct stat stat;

	WANT_IS(fstat(fd, &stat), 0);
	return stat;
}

/* A tmpfs of the case's own, and in it. */
static void enter_mount(unsigned long flags)
{
	enter();
	if (geteuid() != 0)
		skip("not root");
	WANT_IS(unshare(CLONE_NEWNS) == 0 || errno == ENOSYS || errno == EINVAL, true);
	WANT_IS(mkdir("here", 0755), 0);
	WANT_IS(mount("x", "here", "tmpfs", flags, NULL), 0);
	WANT_IS(chdir("here"), 0);
}

static void leave_mount(void)
{
	WANT_IS(chdir(".."), 0);
	WANT_IS(umount2("here", MNT_DETACH), 0);
}

/* ---- Descriptors without a path ---- */

static void change_placeless(int fd)
{
	struct timespec times[2] = {{5, 6}, {7, 8}};
	struct statx statx;

	WANT_IS(kernel_call(SYS_faccessat2, fd, "", R_OK | W_OK, AT_EMPTY_PATH), 0);
	WANT_IS(kernel_call(SYS_faccessat2, fd, "", F_OK, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW), 0);
	WANT_IS(kernel_call(SYS_faccessat2, fd, "", F_OK, 0), -ENOENT);
	WANT_IS(kernel_call(SYS_faccessat2, fd, "x", F_OK, AT_EMPTY_PATH), -ENOTDIR);
	WANT_IS(kernel_call(SYS_utimensat, fd, "", times, AT_EMPTY_PATH), 0);
	WANT(told(fd).st_mtime == 7);
	WANT_IS(kernel_call(SYS_fchownat, fd, "", getuid(), getgid(), AT_EMPTY_PATH), 0);
	WANT_IS(kernel_call(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &statx), 0);
	WANT_IS(kernel_call(SYS_linkat, fd, "", AT_FDCWD, "new", 0), -ENOENT);
	WANT_IS(kernel_call(SYS_execveat, fd, "", NULL, NULL, AT_EMPTY_PATH), -EACCES);
	WANT_IS(kernel_call(SYS_execveat, fd, "", NULL, NULL, 0), -ENOENT);
	if (geteuid() != 0)
		return;
	WANT_IS(kernel_call(SYS_fchownat, fd, "", 7, 8, AT_EMPTY_PATH), 0);
	WANT(told(fd).st_uid == 7 && told(fd).st_gid == 8);
	WANT_IS(kernel_call(SYS_linkat, fd, "", AT_FDCWD, "new", AT_EMPTY_PATH), -EXDEV);
	WANT_IS(kernel_call(SYS_linkat, fd, "", AT_FDCWD, "none/new", AT_EMPTY_PATH), -ENOENT);
	WANT_IS(kernel_call(SYS_linkat, fd, "", AT_FDCWD, "file", AT_EMPTY_PATH), -EEXIST);
}

static void placeless(void)
{
	int pipe_fds[2], sockets[2];

	enter();
	close(make_file("file"));
	WANT_IS(pipe(pipe_fds), 0);
	WANT_IS(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
	WANT_IS(kernel_call(SYS_faccessat2, pipe_fds[0], "", X_OK, AT_EMPTY_PATH), -EACCES);
	change_placeless(pipe_fds[0]);
	change_placeless(sockets[0]);
	if (geteuid() == 0)
		WANT_IS(kernel_call(SYS_linkat, eventfd(0, 0), "", AT_FDCWD, "n", AT_EMPTY_PATH),
			-EXDEV);
	if (!become_nobody())
		skip("not root");
	WANT_IS(kernel_call(SYS_fchownat, pipe_fds[0], "", 1, 1, AT_EMPTY_PATH), -EPERM);
	WANT_IS(kernel_call(SYS_faccessat2, pipe_fds[1], "", R_OK, AT_EMPTY_PATH), -EACCES);
}

/* The file is looked for before the times are looked at. */
static void odd_times(void)
{
	const struct timespec wrong[2] = {{0, -5}, {0, 0}};

	enter();
	close(make_file("file"));
	WANT_IS(kernel_call(SYS_utimensat, AT_FDCWD, "none", wrong, 0), -ENOENT);
	WANT_IS(kernel_call(SYS_utimensat, AT_FDCWD, "file", wrong, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_utimensat, 99, NULL, wrong, 0), -EBADF);
	WANT_IS(kernel_call(SYS_utimensat, open("file", O_PATH), NULL, wrong, 0), -EBADF);
	WANT_IS(kernel_call(SYS_utimensat, AT_FDCWD, "file", wrong, 0x10000), -EINVAL);
	WANT_IS(kernel_call(SYS_timerfd_gettime, open("file", O_PATH), wrong), -EBADF);
}

static void times_before(void)
{
	static const struct timespec before[2] = {{-1, 999999999}, {-2000000000, 5}},
				     early[2] = {{-2, 7}, {-1, 0}};
	struct stat stat;
	int file;

	enter();
	file = make_file("file");
	WANT_IS(futimens(file, before), 0);
	stat = told(file);
	WANT_IS(stat.st_atim.tv_sec, -1);
	WANT_IS(stat.st_atim.tv_nsec, 999999999);
	WANT_IS(stat.st_mtim.tv_sec, -2000000000);
	WANT_IS(stat.st_mtim.tv_nsec, 5);
	WANT_IS(futimens(file, early), 0);
	stat = told(file);
	WANT_IS(stat.st_atim.tv_sec, -2);
	WANT_IS(stat.st_atim.tv_nsec, 7);
	WANT_IS(stat.st_mtim.tv_sec, -1);
}

/* ---- ioctls that every file knows ---- */

static void sizes(void)
{
	int file, pipe_fds[2], number, proc = open("/proc/self/status", O_RDONLY);
	struct stat stat;
	int64_t bytes;

	enter();
	file = make_file("file");
	WANT_IS(pipe(pipe_fds), 0);
	WANT_IS(pwrite(file, "x", 1, 3 * 4096), 1);
	WANT_IS(lseek(file, 100, SEEK_SET), 100);
	WANT_IS(CONTROL(file, FIONREAD, &number), 0);
	WANT_IS(number, 3 * 4096 + 1 - 100);
	WANT_IS(CONTROL(file, FIOQSIZE, &bytes), 0);
	WANT_IS(bytes, told(file).st_blocks * 512);
	WANT_IS(CONTROL(pipe_fds[0], FIOQSIZE, &bytes), -ENOTTY);
	WANT_IS(CONTROL(file, FIOQSIZE, BAD), -EFAULT);
	WANT_IS(CONTROL(file, FIGETBSZ, &number), 0);
	WANT_IS(number, 4096);
	WANT_IS(CONTROL(pipe_fds[0], FIGETBSZ, &number), 0);
	WANT_IS(number, 4096);
	WANT_IS(CONTROL(file, FIGETBSZ, BAD), -EFAULT);
	WANT_IS(CONTROL(proc, FIGETBSZ, &number), 0);
	WANT_IS(number, 1024);
	stat = told(proc);
	WANT_IS(stat.st_blksize, 1024);
}

static void no_blocks(void)
{
	struct file_dedupe_range dedupe = {0};
	struct fiemap map = {.fm_length = ~0ull};
	int file, other, number = 0, pipe_fds[2];

	enter();
	file = make_file("file");
	other = make_file("other");
	WANT_IS(pipe(pipe_fds), 0);
	WANT_IS(CONTROL(file, FS_IOC_FIEMAP, &map), -EOPNOTSUPP);
	WANT_IS(CONTROL(pipe_fds[0], FS_IOC_FIEMAP, &map), -EOPNOTSUPP);
	WANT_IS(CONTROL(file, FICLONE, other), -EOPNOTSUPP);
	WANT_IS(CONTROL(file, FICLONE, 99), -EBADF);
	WANT_IS(CONTROL(file, FICLONE, open("file", O_WRONLY)), -EBADF);
	WANT_IS(CONTROL(file, FICLONE, open(".", O_RDONLY)), -EISDIR);
	WANT_IS(CONTROL(file, FICLONE, pipe_fds[0]), -EXDEV);
	WANT_IS(CONTROL(file, FIDEDUPERANGE, &dedupe), -EOPNOTSUPP);
	WANT_IS(CONTROL(pipe_fds[0], FIDEDUPERANGE, &dedupe), -EINVAL);
	WANT_IS(CONTROL(file, 0x12345678, &number), -ENOTTY);
	WANT_IS(CONTROL(file, BLKGETSIZE, &number), -ENOTTY);
	if (geteuid() != 0)
		skip("not root");
	WANT_IS(CONTROL(file, FIBMAP, &number), -EINVAL);
	WANT_IS(CONTROL(pipe_fds[0], FIBMAP, &number), -ENOTTY);
	WANT_IS(CONTROL(file, FIFREEZE, 0), -EOPNOTSUPP);
	WANT_IS(CONTROL(file, FITHAW, 0), -EINVAL);
	WANT(become_nobody());
	WANT_IS(CONTROL(file, FIBMAP, &number), -EPERM);
	WANT_IS(CONTROL(file, FIFREEZE, 0), -EPERM);
	WANT_IS(CONTROL(file, FITHAW, 0), -EPERM);
}

/* XFS's way of fallocate: the size stays. */
static void reserved(void)
{
	struct {
		short type, whence;
		int64_t start, length;
		int more[6];
	} space = {.length = 8192};
	const unsigned long reserve = _IOC(_IOC_WRITE, 'X', 40, sizeof space);
	const unsigned long punch = _IOC(_IOC_WRITE, 'X', 43, sizeof space);
	int file;

	WANT_IS(sizeof space, 48);
	enter();
	file = make_file("file");
	WANT_IS(write(file, "0123456789", 10), 10);
	WANT_IS(CONTROL(file, reserve, &space), 0);
	WANT(told(file).st_size == 10 && told(file).st_blocks == 16);
	space.whence = 3;
	WANT_IS(CONTROL(file, reserve, &space), -EINVAL);
	space.whence = SEEK_END; /* from byte 0 on */
	space.start = -10;
	WANT_IS(CONTROL(file, punch, &space), 0);
	WANT(told(file).st_size == 10 && told(file).st_blocks == 0);
	WANT_IS(CONTROL(open("file", O_RDONLY), reserve, &space), -EBADF);
	WANT_IS(CONTROL(file, reserve, BAD), -EFAULT);
}

/* ---- Attributes ---- */

static int set(int fd, int attributes)
{
	return (int)CONTROL(fd, FS_IOC_SETFLAGS, &attributes);
}

static int get(int fd)
{
	int attributes = -1;

	WANT_IS(CONTROL(fd, FS_IOC_GETFLAGS, &attributes), 0);
	return attributes;
}

/* Linux before 6.0 has none on tmpfs, nor has one without extended attributes there. */
static void need_attributes(int fd)
{
	if (set(fd, 0) == -ENOTTY)
		skip("a tmpfs without attributes");
}

static void attributes(void)
{
	int file, directory, child, number;
	struct fsxattr extended;
	struct statx statx;

	enter_mount(0);
	file = make_file("file");
	need_attributes(file);
	WANT_IS(get(file), 0);
	WANT_IS(set(file, FS_NODUMP_FL | FS_NOATIME_FL), 0);
	WANT_IS(get(file), FS_NODUMP_FL | FS_NOATIME_FL);
	WANT_IS(kernel_call(SYS_statx, file, "", AT_EMPTY_PATH, STATX_BASIC_STATS, &statx), 0);
	WANT_IS(statx.stx_attributes, STATX_ATTR_NODUMP);
	WANT_IS(CONTROL(file, FS_IOC_FSGETXATTR, &extended), 0);
	WANT_IS(extended.fsx_xflags, FS_XFLAG_NODUMP | FS_XFLAG_NOATIME);
	extended.fsx_xflags = FS_XFLAG_APPEND;
	WANT_IS(CONTROL(file, FS_IOC_FSSETXATTR, &extended), 0);
	WANT_IS(get(file), FS_APPEND_FL);
	extended.fsx_projid = 5;
	WANT_IS(CONTROL(file, FS_IOC_FSSETXATTR, &extended), -EOPNOTSUPP);
	WANT_IS(set(file, FS_COMPR_FL), -EOPNOTSUPP);
	WANT_IS(CONTROL(file, FS_IOC_SETFLAGS, BAD), -EFAULT);
	WANT_IS(CONTROL(make_gate().in, FS_IOC_GETFLAGS, &number), -ENOTTY);
	WANT_IS(CONTROL(make_gate().in, FS_IOC_SETFLAGS, BAD), -EFAULT);
	WANT_IS(mkdir("directory", 0777), 0);
	directory = open("directory", O_RDONLY);
	WANT_IS(set(directory, FS_NODUMP_FL | FS_NOATIME_FL | FS_APPEND_FL), 0);
	child = make_file("directory/child");
	WANT_IS(get(child), FS_NODUMP_FL | FS_NOATIME_FL);
	WANT_IS(unlink("directory/child"), -1);
	WANT_IS(errno, EPERM);
	WANT_IS(set(directory, 0), 0);
	WANT_IS(unlink("directory/child"), 0);
	leave_mount();
}

static void whose(void)
{
	int file, mine;

	enter_mount(0);
	file = make_file("file");
	need_attributes(file);
	mine = make_file("mine");
	WANT_IS(fchown(mine, NOBODY, NOBODY), 0);
	leave_mount();
	WANT(become_nobody());
	WANT_IS(set(file, FS_NODUMP_FL), -EPERM);
	WANT_IS(set(mine, FS_NODUMP_FL), 0);
	WANT_IS(set(mine, FS_NODUMP_FL | FS_IMMUTABLE_FL), -EPERM);
	WANT_IS(set(mine, FS_NODUMP_FL | FS_APPEND_FL), -EPERM);
	WANT_IS(get(mine), FS_NODUMP_FL);
}

/* What neither a fixed file nor one that only grows lets anybody do. */
static void want_fixed(int fd, const char *path)
{
	const struct timespec times[2] = {{5, 6}, {7, 8}};

	WANT_IS(kernel_call(SYS_chmod, path, 0600), -EPERM);
	WANT_IS(kernel_call(SYS_fchown, fd, 1, 1), -EPERM);
	WANT_IS(kernel_call(SYS_utimensat, AT_FDCWD, path, times, 0), -EPERM);
	WANT_IS(kernel_call(SYS_setxattr, path, "trusted.x", "v", 1, 0), -EPERM);
	WANT_IS(kernel_call(SYS_link, path, "another"), -EPERM);
	WANT_IS(kernel_call(SYS_rename, path, "another"), -EPERM);
	WANT_IS(kernel_call(SYS_rename, "other", path), -EPERM);
	WANT_IS(kernel_call(SYS_renameat2, AT_FDCWD, "other", AT_FDCWD, path, RENAME_EXCHANGE),
		-EPERM);
	WANT_IS(kernel_call(SYS_unlink, path), -EPERM);
	WANT_IS(kernel_call(SYS_truncate, path, 0), -EPERM);
	WANT_IS(kernel_call(SYS_open, path, O_WRONLY), -EPERM);
	WANT_IS(kernel_call(SYS_open, path, O_RDWR), -EPERM);
	WANT_IS(kernel_call(SYS_open, path, O_RDONLY | O_TRUNC), -EPERM);
	WANT(open(path, O_RDONLY) >= 0);
}

static void immutable(void)
{
	int file, other, directory;

	enter_mount(0);
	file = make_file("file");
	other = make_file("other");
	need_attributes(file);
	WANT_IS(write(other, "0123", 4), 4);
	WANT_IS(fchmod(file, 04755), 0);
	WANT_IS(set(file, FS_IMMUTABLE_FL), 0);
	want_fixed(file, "file");
	WANT_IS(kernel_call(SYS_open, "file", O_WRONLY | O_APPEND), -EPERM);
	WANT_IS(kernel_call(SYS_utimensat, AT_FDCWD, "file", NULL, 0), -EPERM);
	WANT_IS(access("file", W_OK), -1);
	WANT_IS(kernel_call(SYS_fallocate, file, 0, 0, 10), -EPERM);
	WANT_IS(lseek(other, 0, SEEK_SET), 0);
	WANT_IS(kernel_call(SYS_copy_file_range, other, NULL, file, NULL, 4, 0), -EPERM);
	WANT_IS(write(file, "still", 5), 5); /* by who had it open */
	WANT_IS(told(file).st_mode & S_ISUID, S_ISUID);
	WANT_IS(kernel_call(SYS_chown, "file", -1, -1), 0);
	WANT_IS(kernel_call(SYS_fchown, file, -1, -1), 0);
	WANT_IS(told(file).st_mode & S_ISUID, 0); /* as of any other */
	WANT_IS(set(file, 0), 0);
	WANT_IS(unlink("file"), 0);
	WANT_IS(mkdir("directory", 0777), 0);
	directory = open("directory", O_RDONLY);
	close(make_file("directory/file"));
	WANT_IS(set(directory, FS_IMMUTABLE_FL), 0);
	WANT_IS(kernel_call(SYS_open, "directory/new", O_CREAT | O_RDWR, 0600), -EPERM);
	WANT_IS(kernel_call(SYS_open, "directory", O_TMPFILE | O_RDWR, 0600), -EPERM);
	WANT_IS(kernel_call(SYS_unlink, "directory/file"), -EPERM);
	WANT_IS(kernel_call(SYS_rename, "directory", "elsewhere"), -EPERM);
	WANT(open("directory/file", O_RDWR) >= 0);
	WANT_IS(set(directory, 0), 0);
	leave_mount();
}

static void only_grows(void)
{
	int file, appending, reading;

	enter_mount(0);
	file = make_file("file");
	close(make_file("other"));
	need_attributes(file);
	WANT_IS(set(file, FS_APPEND_FL), 0);
	want_fixed(file, "file");
	appending = open("file", O_WRONLY | O_APPEND);
	WANT(appending >= 0);
	WANT_IS(write(appending, "0123", 4), 4);
	WANT_IS(kernel_call(SYS_open, "file", O_WRONLY | O_APPEND | O_TRUNC), -EPERM);
	WANT_IS(kernel_call(SYS_fcntl, appending, F_SETFL, 0), -EPERM);
	WANT_IS(kernel_call(SYS_fcntl, appending, F_SETFL, O_APPEND | O_NONBLOCK), 0);
	WANT_IS(kernel_call(SYS_ftruncate, file, 0), -EPERM);
	WANT_IS(kernel_call(SYS_fallocate, file, 0, 0, 10), 0);
	WANT_IS(kernel_call(SYS_fallocate, file, 3, 0, 10), -EPERM);
	WANT_IS(kernel_call(SYS_utimensat, AT_FDCWD, "file", NULL, 0), 0);
	WANT_IS(kernel_call(SYS_mmap, NULL, 4096, PROT_WRITE, MAP_SHARED, file, 0), -EACCES);
	WANT_IS(kernel_call(SYS_mmap, NULL, 4096, PROT_READ, MAP_SHARED, file, 0), -EACCES);
	WANT_IS(kernel_call(SYS_mmap, NULL, 4096, PROT_READ, MAP_SHARED, appending, 0), -EACCES);
	reading = open("file", O_RDONLY);
	WANT(kernel_call(SYS_mmap, NULL, 4096, PROT_READ, MAP_SHARED, reading, 0) > 0);
	WANT(kernel_call(SYS_mmap, NULL, 4096, PROT_WRITE, MAP_PRIVATE, file, 0) > 0);
	WANT_IS(kernel_call(SYS_chown, "file", -1, -1), 0);
	WANT_IS(set(file, 0), 0);
	leave_mount();
}

/* ---- Times of reading ---- */

/* Whether reading by this descriptor sets the time. */
static bool read_is_kept(int fd)
{
	const struct timespec old[2] = {{1000, 0}, {2000, 0}};
	char byte;

	WANT_IS(futimens(fd, old), 0);
	WANT_IS(pread(fd, &byte, 1, 0), 1);
	return told(fd).st_atime != 1000;
}

static void times_of_reading(void)
{
	const struct timespec newer[2] = {{8000000000, 0}, {2000, 0}};
	int file, directory;
	char bytes[200];

	enter_mount(0);
	file = make_file("file");
	WANT_IS(write(file, "x", 1), 1);
	WANT(read_is_kept(file));
	WANT(!read_is_kept(open("file", O_RDWR | O_NOATIME)));
	if (set(file, FS_NOATIME_FL) == 0) {
		WANT(!read_is_kept(file));
		WANT_IS(set(file, 0), 0);
	}
	WANT_IS(futimens(file, newer), 0);
	WANT_IS(pread(file, bytes, 1, 0), 1);
	WANT_IS(told(file).st_atime, 8000000000); /* which has yet to come */
	WANT_IS(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_NOATIME, NULL), 0);
	WANT(!read_is_kept(file));
	WANT_IS(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_STRICTATIME, NULL), 0);
	WANT(read_is_kept(file));
	WANT_IS(futimens(file, newer), 0);
	WANT_IS(pread(file, bytes, 1, 0), 1);
	WANT(told(file).st_atime != 8000000000);
	WANT_IS(mount(NULL, ".", NULL, MS_REMOUNT | MS_BIND | MS_NODIRATIME, NULL), 0);
	WANT(read_is_kept(file));
	directory = open(".", O_RDONLY);
	WANT_IS(futimens(directory, (const struct timespec[2]){{1000, 0}, {2000, 0}}), 0);
	WANT(kernel_call(SYS_getdents64, directory, bytes, sizeof bytes) > 0);
	WANT_IS(told(directory).st_atime, 1000);
	leave_mount();
}

/* ---- Files that are no data ---- */

static void random_bytes(void)
{
	int fd = open("/dev/urandom", O_RDONLY), file, number = 0, fds[2];
	char bytes[64];
	struct iovec range = {bytes, sizeof bytes};

	enter();
	file = make_file("file");
	WANT_IS(pipe(fds), 0);
	WANT_IS(kernel_call(SYS_splice, fd, NULL, fds[1], NULL, 64, 0), 64);
	WANT_IS(read(fds[0], bytes, sizeof bytes), 64);
	WANT_IS(kernel_call(SYS_sendfile, fds[1], fd, NULL, 32), 32);
	WANT_IS(read(fds[0], bytes, sizeof bytes), 32);
	WANT_IS(kernel_call(SYS_sendfile, file, fd, NULL, 5000), 5000);
	WANT_IS(told(file).st_size, 5000);
	WANT_IS(kernel_call(SYS_preadv2, fd, &range, 1, -1, -1, RWF_NOWAIT), 64);
	WANT_IS(CONTROL(fd, RNDGETENTCNT, &number), 0);
	WANT_IS(number, 256);
	WANT_IS(CONTROL(fd, TCGETS, bytes), -EINVAL);
	if (!become_nobody())
		skip("not root");
	WANT_IS(CONTROL(fd, RNDZAPENTCNT, 0), -EPERM);
}

static void nothing_to_sync(void)
{
	int proc = open("/proc/self/status", O_RDONLY), directory = open("/proc/self", O_RDONLY);
	char byte;
	struct iovec range = {&byte, 1};

	WANT_IS(kernel_call(SYS_fsync, proc), -EINVAL);
	WANT_IS(kernel_call(SYS_fdatasync, directory), -EINVAL);
	WANT_IS(kernel_call(SYS_fsync, open("/dev", O_RDONLY)), 0);
	WANT_IS(kernel_call(SYS_readahead, proc, 0, 4096), 0);
	WANT_IS(kernel_call(SYS_preadv2, open("/dev/zero", O_RDONLY), &range, 1, 0, 0, RWF_NOWAIT),
		1);
	WANT_IS(kernel_call(SYS_pwritev2, open("/dev/null", O_WRONLY), &range, 1, 0, 0, RWF_NOWAIT),
		1);
}

static void links_keep_their_mode(void)
{
	char path[40];

	enter();
	WANT_IS(symlink("none", "link"), 0);
	snprintf(path, sizeof path, "/proc/self/fd/%d", open("link", O_PATH | O_NOFOLLOW));
	WANT_IS(kernel_call(SYS_chmod, path, 0600), -EOPNOTSUPP);
}

static void only_devices_have_numbers(void)
{
	struct stat stat;

	enter();
	WANT_IS(kernel_call(SYS_mknod, "fifo", S_IFIFO | 0600, 0x103), 0);
	WANT_IS(kernel_call(SYS_mknod, "file", S_IFREG | 0600, 0x103), 0);
	WANT_IS(lstat("fifo", &stat), 0);
	WANT_IS(stat.st_rdev, 0);
	WANT_IS(lstat("file", &stat), 0);
	WANT_IS(stat.st_rdev, 0);
}

static const struct test_case cases[] = {
	CASE(placeless, "AT_EMPTY_PATH: pipes and sockets"),
	CASE(times_before, "utimensat: times before 1970"),
	CASE(odd_times, "utimensat: wrong times come last"),
	CASE(sizes, "ioctl: sizes"),
	CASE(no_blocks, "ioctl: blocks that there are not"),
	CASE(reserved, "ioctl: FS_IOC_RESVSP"),
	CASE(attributes, "attributes: set, told, inherited"),
	CASE(whose, "attributes: whose they are"),
	CASE(immutable, "attributes: an immutable file, an immutable directory"),
	CASE(only_grows, "attributes: a file that only grows"),
	CASE(times_of_reading, "times of reading: as mount, file and descriptor want it"),
	CASE(random_bytes, "/dev/urandom: splice, sendfile, ioctls"),
	CASE(nothing_to_sync, "fsync, readahead, RWF_NOWAIT of what is no data"),
	CASE(only_devices_have_numbers, "mknod: a number is a device's"),
	CASE(links_keep_their_mode, "chmod: a symbolic link has no mode"),
};

FILE_CASES("file-attributes")
