/* SPDX-License-Identifier: MIT */
/* A tmpfs with limits: what is full says so, limits change, memory comes back. */
#include "mounts.h"

static void full_of_pages(void)
{
	static char block[65536];
	struct statfs found;
	long got, sum = 0;
	int fd;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "size=1m"), 0);
	found = statistics("a");
	WANT_IS(found.f_type, 0x01021994);
	WANT_IS(found.f_blocks, 256);
	WANT_IS(found.f_bfree, 256);
	fd = open("a/file", O_CREAT | O_RDWR, 0644);
	WANT(fd >= 0);
	while ((got = kernel_call(SYS_write, fd, block, 65535)) > 0)
		sum += got;
	WANT_IS(got, -ENOSPC);
	WANT_IS(sum, 1 << 20);
	WANT_IS(kernel_call(SYS_write, fd, block, 1), -ENOSPC);
	WANT_IS(pwrite(fd, block, 4096, 8192), 4096); /* what is there may be written */
	WANT_IS(statistics("a").f_bfree, 0);
	WANT_IS(ftruncate(fd, 4096 * 10), 0);
	WANT_IS(statistics("a").f_bfree, 246);
	WANT_IS(ftruncate(fd, 10 << 20), 0); /* holes cost nothing */
	WANT_IS(statistics("a").f_bfree, 246);
	WANT_IS(unlink("a/file"), 0);
	WANT_IS(statistics("a").f_bfree, 246);
	close(fd);
	WANT_IS(statistics("a").f_bfree, 256);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

/* What cannot be had whole leaves nothing behind. */
static void full_of_promises(void)
{
	static char block[65536];
	int fd, other;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "size=1m"), 0);
	fd = open("a/file", O_CREAT | O_RDWR, 0644);
	other = open("a/other", O_CREAT | O_RDWR, 0644);
	WANT_IS(write(other, block, sizeof block), sizeof block);
	WANT_IS(kernel_call(SYS_fallocate, fd, 0, 0, 2 << 20), -ENOSPC);
	WANT_IS(statistics("a").f_bfree, 240);
	WANT_IS(kernel_call(SYS_fallocate, fd, 0, 0, 1 << 20), -ENOSPC);
	WANT_IS(statistics("a").f_bfree, 240);
	WANT_IS(write(fd, block, 100), 100);
	WANT_IS(kernel_call(SYS_fallocate, fd, 1, 0, 1 << 20), -ENOSPC);
	WANT_IS(statistics("a").f_bfree, 239);
	WANT_IS(kernel_call(SYS_fallocate, fd, 1, 0, 240 * 4096), 0);
	WANT_IS(statistics("a").f_bfree, 0);
	close(fd);
	close(other);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

static void full_when_touched(void)
{
	char *memory;
	int fd;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "nr_blocks=2"), 0);
	fd = open("a/file", O_CREAT | O_RDWR, 0644);
	WANT(fd >= 0);
	WANT_IS(ftruncate(fd, 4 * 4096), 0);
	memory = mmap(NULL, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	WANT(memory != MAP_FAILED);
	memory[0] = 1;
	memory[4096] = 1;
	memory[2 * 4096] = 1; /* SIGBUS */
}

static void full_of_files(void)
{
	char name[20];
	int count = 0;
	long got;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "nr_inodes=10"), 0);
	WANT_IS(statistics("a").f_files, 10);
	WANT_IS(statistics("a").f_ffree, 9);
	do {
		snprintf(name, sizeof name, "a/%d", count);
		got = kernel_call(SYS_open, name, O_CREAT | O_RDWR, 0644);
		if (got >= 0)
			close((int)got);
	} while (got >= 0 && count++ < 100);
	WANT_IS(got, -ENOSPC);
	WANT_IS(count, 9);
	WANT_IS(kernel_call(SYS_mkdir, "a/dir", 0755), -ENOSPC);
	WANT_IS(kernel_call(SYS_link, "a/0", "a/link"), -ENOSPC); /* a name counts too */
	WANT_IS(kernel_call(SYS_open, "a", O_TMPFILE | O_RDWR, 0600), -ENOSPC);
	WANT_IS(unlink("a/1"), 0);
	WANT_IS(statistics("a").f_ffree, 1);
	WANT_IS(link("a/0", "a/link"), 0);
	WANT_IS(statistics("a").f_ffree, 0);
	WANT_IS(unlink("a/0"), 0);
	WANT_IS(statistics("a").f_ffree, 1);
	WANT_IS(rename("a/link", "a/2"), 0);
	WANT_IS(statistics("a").f_ffree, 2);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

static void limits_change(void)
{
	static char block[65536];
	int fd;

	enter();
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "size=64k"), 0);
	fd = open("a/file", O_CREAT | O_RDWR, 0644);
	WANT_IS(write(fd, block, 65536), 65536);
	WANT_IS(kernel_call(SYS_write, fd, block, 1), -ENOSPC);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT, "size=32k"), -EINVAL);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT, "nonsense"), -EINVAL);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT, "size=128k"), 0);
	WANT_IS(write(fd, block, 65536), 65536);
	WANT_IS(kernel_call(SYS_write, fd, block, 1), -ENOSPC);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT, "size=0"), 0);
	WANT_IS(write(fd, block, 65536), 65536);
	WANT_IS(statistics("a").f_blocks, 0);
	WANT_IS(call_mount(NULL, "a", NULL, MS_REMOUNT, "size=1g"), -EINVAL); /* too late */
	close(fd);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

static void standard_limits(void)
{
	struct statfs found;

	enter();
	found = statistics(".");
	WANT(found.f_blocks > 1000 && found.f_files > 1000);
	WANT_IS(call_mount("x", "a", "tmpfs", 0, "size=50%"), 0);
	WANT(statistics("a").f_blocks + 1 >= found.f_blocks);
	WANT(statistics("a").f_blocks <= found.f_blocks + 1);
	WANT_IS(call_umount("a", 0), 0);
	leave();
}

/* All of a tree's memory comes back: more than there is goes through it. */
static void memory_comes_back(void)
{
	static char block[65536];
	char name[40];
	int fd;

	enter();
	for (int round = 0; round < 40; round++) {
		WANT_IS(call_mount("x", "a", "tmpfs", 0, "size=40m"), 0);
		make_directory("a/dir");
		make_directory("a/dir/dir");
		for (int i = 0; i < 30; i++) {
			snprintf(name, sizeof name, "a/dir/%s%d", i % 2 ? "dir/" : "", i);
			fd = open(name, O_CREAT | O_RDWR, 0644);
			WANT(fd >= 0);
			for (int j = 0; j < 16; j++)
				WANT_IS(write(fd, block, sizeof block), sizeof block);
			close(fd);
		}
		WANT_IS(symlink("dir", "a/link"), 0);
		WANT_IS(mkfifo("a/fifo", 0644), 0);
		WANT_IS(call_umount("a", 0), 0);
	}
	leave();
}

static const struct test_case cases[] = {
	CASE(full_of_pages, "tmpfs: ENOSPC for pages"),
	CASE(full_of_promises, "tmpfs: ENOSPC for fallocate"),
	CASE_ENDS(full_when_touched, KILLED(SIGBUS), "tmpfs: SIGBUS for pages"),
	CASE(full_of_files, "tmpfs: ENOSPC for inodes"),
	CASE(limits_change, "tmpfs: limits changed"),
	CASE(standard_limits, "tmpfs: limits by default"),
	CASE(memory_comes_back, "umount: memory comes back"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
