/* SPDX-License-Identifier: MIT */
/* statx: what stat gives, and what it gives beyond. */
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "cases.h"

#define BASIC 0x7ffu

/* man 2 statx; the C library has none. */
struct statx_time {
	int64_t tv_sec;
	uint32_t tv_nsec;
	int32_t reserved;
};
struct statx {
	uint32_t stx_mask, stx_blksize;
	uint64_t stx_attributes;
	uint32_t stx_nlink, stx_uid, stx_gid;
	uint16_t stx_mode, spare;
	uint64_t stx_ino, stx_size, stx_blocks, stx_attributes_mask;
	struct statx_time stx_atime, stx_btime, stx_ctime, stx_mtime;
	uint32_t stx_rdev_major, stx_rdev_minor, stx_dev_major, stx_dev_minor;
	uint64_t stx_mnt_id, more[13];
};
_Static_assert(sizeof(struct statx) == 256, "as Linux has it");

static long call_statx(int fd, const char *path, int flags, struct statx *out)
{
	memset(out, 0xa5, sizeof(*out));
	return kernel_call(SYS_statx, fd, path, flags, BASIC | 0x1000, out);
}

static void want_same(const struct statx *found, const struct stat *expected)
{
	WANT_IS(found->stx_mask & BASIC, BASIC);
	WANT_IS(found->stx_blksize, expected->st_blksize);
	WANT_IS(found->stx_nlink, (long)expected->st_nlink);
	WANT_IS(found->stx_uid, expected->st_uid);
	WANT_IS(found->stx_gid, expected->st_gid);
	WANT_IS(found->stx_mode, expected->st_mode);
	WANT_IS(found->stx_ino, (long)expected->st_ino);
	WANT_IS(found->stx_size, expected->st_size);
	WANT_IS(found->stx_blocks, expected->st_blocks);
	WANT_IS(found->stx_mtime.tv_sec, expected->st_mtim.tv_sec);
	WANT_IS(found->stx_mtime.tv_nsec, expected->st_mtim.tv_nsec);
	WANT_IS(found->stx_atime.tv_nsec, expected->st_atim.tv_nsec);
	WANT_IS(found->stx_ctime.tv_nsec, expected->st_ctim.tv_nsec);
	WANT_IS(found->stx_rdev_major, major(expected->st_rdev));
	WANT_IS(found->stx_rdev_minor, minor(expected->st_rdev));
	WANT_IS(found->stx_dev_major, major(expected->st_dev));
	WANT_IS(found->stx_dev_minor, minor(expected->st_dev));
}

static void as_stat(void)
{
	static const char *const names[] = {"/", "/tmp", "/dev/null", "/dev/console", "."};
	struct statx found;
	struct stat expected;

	for (size_t i = 0; i < COUNT(names); i++) {
		if (stat(names[i], &expected) && errno == ENOENT)
			continue;
		WANT_IS(call_statx(AT_FDCWD, names[i], 0, &found), 0);
		want_same(&found, &expected);
	}
	WANT_IS(call_statx(AT_FDCWD, "/", 0, &found), 0);
	WANT(found.stx_attributes_mask & 0x2000);
	WANT(found.stx_attributes & 0x2000); /* the root of a mount */
	WANT(found.stx_mask & 0x1000);       /* which has a number */
}

static void by_descriptor(void)
{
	struct statx found;
	struct stat expected;
	int fd = open("/tmp", O_RDONLY), fds[2];

	WANT(fd >= 0);
	WANT_IS(pipe(fds), 0);
	WANT_IS(fstat(fd, &expected), 0);
	WANT_IS(call_statx(fd, "", AT_EMPTY_PATH, &found), 0);
	want_same(&found, &expected);
	WANT_IS(fstat(fds[0], &expected), 0);
	WANT_IS(call_statx(fds[0], "", AT_EMPTY_PATH, &found), 0);
	want_same(&found, &expected);
	WANT_IS(call_statx(AT_FDCWD, "", AT_EMPTY_PATH, &found), 0);
	WANT_IS(stat(".", &expected), 0);
	want_same(&found, &expected);
}

static void links(void)
{
	char name[64];
	struct statx found;

	snprintf(name, sizeof name, "/tmp/file-statx-%d", (int)getpid());
	WANT_IS(symlink("/", name), 0);
	WANT_IS(call_statx(AT_FDCWD, name, AT_SYMLINK_NOFOLLOW, &found), 0);
	WANT(S_ISLNK(found.stx_mode));
	WANT_IS(call_statx(AT_FDCWD, name, 0, &found), 0);
	WANT(S_ISDIR(found.stx_mode));
	unlink(name);
}

#define BIRTH 0x800u

static long birth_of(const char *name, struct statx *out)
{
	return kernel_call(SYS_statx, AT_FDCWD, name, 0, BASIC | BIRTH, out);
}

/* In a tmpfs, since Linux 6.1. */
static void birth(void)
{
	struct statx first, later;
	char name[64];

	snprintf(name, sizeof name, "/dev/shm/file-statx-%d", (int)getpid());
	close(open(name, O_CREAT | O_RDWR, 0600));
	if (birth_of(name, &first) || !(first.stx_mask & BIRTH)) {
		unlink(name);
		return; /* no tmpfs that knows */
	}
	WANT_IS(first.stx_btime.tv_sec, first.stx_mtime.tv_sec);
	WANT_IS(first.stx_btime.tv_nsec, first.stx_mtime.tv_nsec);
	WANT_IS(first.stx_attributes_mask & 0x203070, 0x203070);
	usleep(20000);
	WANT_IS(chmod(name, 0644), 0);
	WANT_IS(truncate(name, 5), 0);
	WANT_IS(birth_of(name, &later), 0);
	WANT(later.stx_ctime.tv_nsec != first.stx_ctime.tv_nsec ||
		later.stx_ctime.tv_sec != first.stx_ctime.tv_sec);
	WANT_IS(later.stx_btime.tv_sec, first.stx_btime.tv_sec);
	WANT_IS(later.stx_btime.tv_nsec, first.stx_btime.tv_nsec);
	WANT_IS(call_statx(AT_FDCWD, name, 0, &later), 0); /* not asked for */
	WANT(!(later.stx_mask & BIRTH) && !later.stx_btime.tv_sec);
	WANT_IS(unlink(name), 0);
	WANT_IS(birth_of("/proc/self/stat", &later), 0);
	WANT(!(later.stx_mask & BIRTH));
}

static void errors(void)
{
	struct statx found;

	WANT_IS(call_statx(AT_FDCWD, "", 0, &found), -ENOENT);
	WANT_IS(call_statx(AT_FDCWD, "/none", 0, &found), -ENOENT);
	WANT_IS(call_statx(99, "", AT_EMPTY_PATH, &found), -EBADF);
	WANT_IS(call_statx(99, "x", 0, &found), -EBADF);
	WANT_IS(call_statx(AT_FDCWD, "/", 0x6000, &found), -EINVAL);
	WANT_IS(call_statx(AT_FDCWD, "/", 0x2000, &found), 0);
	WANT_IS(call_statx(AT_FDCWD, "/", AT_REMOVEDIR, &found), -EINVAL);
	WANT_IS(kernel_call(SYS_statx, AT_FDCWD, "/", 0, 0x80000000, &found), -EINVAL);
	WANT_IS(kernel_call(SYS_statx, AT_FDCWD, "/", 0, 0, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_statx, AT_FDCWD, "/", 0, 0, &found), 0);
}

static const struct test_case cases[] = {
	CASE(as_stat, "statx: as stat, mount's number and root"),
	CASE(by_descriptor, "statx: of a descriptor, a pipe's too"),
	CASE(links, "statx: AT_SYMLINK_NOFOLLOW"),
	CASE(birth, "statx: when a file was made"),
	CASE(errors, "statx: errors"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
