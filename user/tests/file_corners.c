/* SPDX-License-Identifier: MIT */
/* Files: what is odd, and yet asked for. Results are those of Linux 6.1. */
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>

#include "file_cases.h"

static int make_file(const char *path)
{
	int fd = open(path, O_CREAT | O_RDWR, 0644);

	WANT(fd >= 0);
	return fd;
}

/* ---- open ---- */

static void no_atime(void)
{
	enter();
	close(make_file("mine"));
	WANT_IS(mkdir("directory", 0755), 0);
	WANT_IS(chmod(".", 0755), 0);
	WANT(open("mine", O_RDONLY | O_NOATIME) >= 0);
	if (!become_nobody())
		skip("not root");
	WANT(open("mine", O_RDONLY) >= 0);
	WANT_IS(kernel_call(SYS_open, "mine", O_RDONLY | O_NOATIME), -EPERM);
	WANT_IS(kernel_call(SYS_open, "mine", O_RDWR | O_NOATIME), -EACCES); /* comes first */
	WANT_IS(kernel_call(SYS_open, "directory", O_RDONLY | O_DIRECTORY | O_NOATIME), -EPERM);
	WANT(open("mine", O_PATH | O_NOATIME) >= 0);
}

static void only_new(void)
{
	static const char *const there[] = {
		"file", "directory", "link", "nowhere", ".", "..", "/", "directory/."};
	static const char *const slashed[] = {"none/", "file/", "directory/", "link/"};

	enter();
	close(make_file("file"));
	WANT_IS(mkdir("directory", 0755), 0);
	WANT_IS(symlink("file", "link"), 0);
	WANT_IS(symlink("none", "nowhere"), 0);
	for (int access = 0; access < 4; access++) {
		for (size_t i = 0; i < COUNT(there); i++)
			WANT_IS(kernel_call(SYS_open, there[i], O_CREAT | O_EXCL | O_TRUNC | access,
					0600),
				-EEXIST);
		for (size_t i = 0; i < COUNT(slashed); i++)
			WANT_IS(kernel_call(SYS_open, slashed[i], O_CREAT | O_EXCL | access, 0600),
				-EISDIR);
		WANT_IS(kernel_call(SYS_open, ".", O_CREAT | access, 0600), -EISDIR);
		WANT_IS(kernel_call(SYS_open, "directory", O_CREAT | access, 0600), -EISDIR);
		WANT_IS(kernel_call(SYS_open, "none/x", O_CREAT | O_EXCL | access, 0600), -ENOENT);
		WANT_IS(kernel_call(SYS_open, "file/x", O_CREAT | O_EXCL | access, 0600), -ENOTDIR);
		WANT_IS(kernel_call(SYS_open, "link", O_NOFOLLOW | O_CREAT | access, 0600), -ELOOP);
	}
}

/* ---- Descriptors that are little more than a path ---- */

static void path_only(void)
{
	char text[64];
	int fds[4];

	enter();
	close(make_file("file"));
	WANT_IS(symlink("file", "link"), 0);
	fds[0] = open("file", O_PATH);
	fds[1] = open(".", O_PATH);
	fds[2] = open(".", O_RDONLY);
	fds[3] = eventfd(0, 0);
	for (int i = 0; i < 4; i++) {
		WANT_IS(kernel_call(SYS_readlinkat, fds[i], "", text, sizeof text), -ENOENT);
		WANT_IS(kernel_call(SYS_readlinkat, fds[i], "", text, 0), -EINVAL);
	}
	WANT_IS(kernel_call(
			SYS_readlinkat, open("link", O_PATH | O_NOFOLLOW), "", text, sizeof text),
		4);
	WANT_IS(kernel_call(SYS_readlinkat, AT_FDCWD, "file", text, sizeof text), -EINVAL);
	WANT_IS(kernel_call(SYS_readlinkat, 99, "", text, sizeof text), -EBADF);
	for (int i = 0; i < 2; i++)
		WANT_IS(kernel_call(SYS_mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, fds[i], 0),
			-EBADF);
	WANT_IS(kernel_call(SYS_mmap, NULL, 4096, PROT_READ, MAP_PRIVATE, fds[2], 0), -ENODEV);
}

static void seeks_nowhere(void)
{
	sigset_t set = set_of(SIGUSR1);
	const int fds[] = {eventfd(0, 0), epoll_create1(0), timerfd_create(CLOCK_MONOTONIC, 0),
		inotify_init1(0), signalfd(-1, &set, 0)};

	for (size_t i = 0; i < COUNT(fds); i++) {
		for (int whence = SEEK_SET; whence <= SEEK_HOLE; whence++) {
			WANT_IS(kernel_call(SYS_lseek, fds[i], 5, whence), 0);
			WANT_IS(kernel_call(SYS_lseek, fds[i], -5, whence), 0);
		}
		WANT_IS(kernel_call(SYS_lseek, fds[i], 0, SEEK_HOLE + 1), -EINVAL);
		WANT_IS(kernel_call(SYS_pread64, fds[i], &set, 8, 0), -ESPIPE);
	}
	WANT_IS(kernel_call(SYS_lseek, make_gate().in, 0, SEEK_SET), -ESPIPE);
}

static void past_the_end(void)
{
	char entries[512];
	int fd;

	enter();
	close(make_file("a"));
	close(make_file("b"));
	fd = open(".", O_RDONLY);
	WANT_IS(kernel_call(SYS_lseek, fd, INT_MAX, SEEK_SET), INT_MAX);
	WANT_IS(kernel_call(SYS_getdents64, fd, entries, sizeof entries), 0);
	if (linux_before(6, 6)) { /* by a count; later ones have numbers of their own */
		for (int i = 0; i < 5; i++) {
			WANT_IS(kernel_call(SYS_lseek, fd, i, SEEK_SET), i);
			WANT_IS(kernel_call(SYS_getdents64, fd, entries, sizeof entries),
				i < 4 ? 24 * (4 - i) : 0);
		}
	}
	WANT_IS(kernel_call(SYS_lseek, fd, 0, SEEK_SET), 0);
	WANT_IS(kernel_call(SYS_getdents64, fd, entries, sizeof entries), 24 * 4);
	WANT_IS(kernel_call(SYS_getdents64, fd, entries, sizeof entries), 0);
}

/* ---- Moving bytes ---- */

static void not_to_be_spliced(void)
{
	struct gate gate = make_gate();
	int file, status = open("/proc/self/status", O_RDONLY);
	const int fds[] = {open("/dev/full", O_RDWR), eventfd(0, EFD_NONBLOCK)};

	enter();
	file = make_file("file");
	WANT_IS(write(file, "12345678", 8), 8);
	WANT_IS(write(gate.out, "12345678", 8), 8);
	for (size_t i = 0; i < COUNT(fds); i++) {
		WANT_IS(kernel_call(SYS_splice, gate.in, NULL, fds[i], NULL, 8, 0), -EINVAL);
		WANT_IS(lseek(file, 0, SEEK_SET), 0);
		WANT_IS(kernel_call(SYS_sendfile, fds[i], file, NULL, 8), -EINVAL);
	}
	WANT_IS(kernel_call(SYS_splice, gate.in, NULL, open("/dev/null", O_WRONLY), NULL, 8, 0), 8);
	WANT_IS(kernel_call(SYS_splice, status, NULL, gate.out, NULL, 8, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_sendfile, gate.out, status, NULL, 8), -EINVAL);
	WANT_IS(kernel_call(
			SYS_splice, open("/proc/meminfo", O_RDONLY), NULL, gate.out, NULL, 8, 0),
		8);
}

static void no_ranges(void)
{
	struct iovec none = {NULL, 0};
	int event = eventfd(0, EFD_NONBLOCK), epoll = epoll_create1(0), in;

	enter();
	in = open(".", O_RDONLY);
	WANT_IS(kernel_call(SYS_readv, event, &none, 1), 0);
	WANT_IS(kernel_call(SYS_readv, event, NULL, 0), 0);
	WANT_IS(kernel_call(SYS_writev, event, NULL, 0), 0);
	WANT_IS(kernel_call(SYS_readv, in, NULL, 0), 0);
	WANT_IS(kernel_call(SYS_writev, in, NULL, 0), -EBADF);
	WANT_IS(kernel_call(SYS_readv, epoll, NULL, 0), -EINVAL);
	WANT_IS(kernel_call(SYS_writev, open("/dev/full", O_WRONLY), NULL, 0), 0);
	WANT_IS(kernel_call(SYS_read, event, &none, 0), -EINVAL);
}

static void zeroes_to_map(void)
{
	int fd = open("/dev/zero", O_RDWR), in = open("/dev/zero", O_RDONLY);
	char *private = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE, in, 0);
	char *shared = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	char *other = mmap(NULL, 8192, PROT_READ, MAP_SHARED, in, 0);
	pid_t pid;

	WANT(private != MAP_FAILED && shared != MAP_FAILED && other != MAP_FAILED);
	for (int i = 0; i < 8192; i++)
		WANT(!private[i] && !shared[i] && !other[i]);
	pid = fork();
	if (!pid) {
		private[5000] = shared[5000] = 7;
		_exit(0);
	}
	WANT_ENDS(pid, 0);
	WANT(private[5000] == 0 && shared[5000] == 7 && other[5000] == 0);
	WANT_IS(kernel_call(SYS_mmap, NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, in, 0),
		-EACCES);
	WANT_IS(kernel_call(SYS_mprotect, other, 8192, PROT_READ | PROT_WRITE), -EACCES);
}

/* A FIFO that nobody has open any more forgets its size. */
static void fifo_forgets(void)
{
	int fd;

	enter();
	WANT_IS(mkfifo("fifo", 0600), 0);
	fd = open("fifo", O_RDWR);
	WANT_IS(fcntl(fd, F_SETPIPE_SZ, 4096), 4096);
	WANT_IS(write(fd, "x", 1), 1);
	close(fd);
	fd = open("fifo", O_RDWR | O_NONBLOCK);
	WANT_IS(fcntl(fd, F_GETPIPE_SZ), 65536);
	WANT_IS(kernel_call(SYS_read, fd, &fd, 1), -EAGAIN);
}

/* ---- PIPE_BUF ---- */

#define WRITERS 6
#define RECORDS 150

/* Records of many lengths: two bytes say how long it is, the others whose. */
static void write_records(int fd, unsigned who)
{
	unsigned char record[4096];

	for (unsigned i = 0; i < RECORDS; i++) {
		unsigned size = 3 + (i * 977u + who * 613u) % 4094u;

		memset(record, (int)(who + 1), size);
		record[0] = (unsigned char)size;
		record[1] = (unsigned char)(size >> 8);
		WANT_IS(kernel_call(SYS_write, fd, record, size), size);
	}
}

static void read_whole(int fd, unsigned char *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t got = read(fd, to + done, size - done);

		WANT(got > 0);
		done += (size_t)got;
	}
}

static void records_whole(void)
{
	unsigned char record[4096];
	unsigned seen[WRITERS + 1] = {0};
	struct gate gate = make_gate();
	pid_t pids[WRITERS];

	WANT(fcntl(gate.out, F_SETPIPE_SZ, 8192) >= 8192);
	for (unsigned i = 0; i < WRITERS; i++) {
		pids[i] = fork();
		WANT(pids[i] >= 0);
		if (!pids[i]) {
			write_records(gate.out, i);
			_exit(0);
		}
	}
	close(gate.out);
	for (unsigned i = 0; i < WRITERS * RECORDS; i++) {
		unsigned size, who;

		read_whole(gate.in, record, 3);
		size = record[0] | (unsigned)record[1] << 8;
		who = record[2];
		WANT(size >= 3 && size <= sizeof record && who >= 1 && who <= WRITERS);
		read_whole(gate.in, record, size - 3);
		for (unsigned j = 0; j < size - 3; j++)
			WANT_IS(record[j], who);
		seen[who]++;
	}
	for (unsigned i = 0; i < WRITERS; i++) {
		WANT_ENDS(pids[i], 0);
		WANT_IS(seen[i + 1], RECORDS);
	}
	WANT_IS(read(gate.in, record, 1), 0);
}

/* ---- Names ---- */

enum kind { NOTHING, A_FILE, A_DIRECTORY, A_FULL_DIRECTORY, A_LINK, A_FIFO };

static void make(const char *name, int kind)
{
	char inner[32];

	snprintf(inner, sizeof inner, "%s/x", name);
	if (kind == A_FILE)
		close(make_file(name));
	else if (kind == A_DIRECTORY || kind == A_FULL_DIRECTORY)
		WANT_IS(mkdir(name, 0755), 0);
	else if (kind == A_LINK)
		WANT_IS(symlink("nowhere", name), 0);
	else if (kind == A_FIFO)
		WANT_IS(mkfifo(name, 0600), 0);
	if (kind == A_FULL_DIRECTORY)
		close(make_file(inner));
}

static void clear(const char *name)
{
	char inner[32];

	snprintf(inner, sizeof inner, "%s/x", name);
	unlink(inner);
	unlink(name);
	rmdir(name);
}

/* By flags and what is renamed: to nothing, a file, a directory, a full one, a link, a FIFO; to itself, and to below
 * itself. RENAME_NOREPLACE 1, _EXCHANGE 2, _WHITEOUT 4. */
static const struct {
	unsigned flags;
	int old, results[8];
} renames[] = {
	{0, 0, {-ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT}},
	{0, 1, {0, 0, -EISDIR, -EISDIR, 0, 0, 0, -ENOTDIR}},
	{0, 2, {0, -ENOTDIR, 0, -ENOTEMPTY, -ENOTDIR, -ENOTDIR, 0, -EINVAL}},
	{0, 3, {0, -ENOTDIR, 0, -ENOTEMPTY, -ENOTDIR, -ENOTDIR, 0, -EINVAL}},
	{0, 4, {0, 0, -EISDIR, -EISDIR, 0, 0, 0, -ENOENT}},
	{1, 0, {-ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT}},
	{1, 1, {0, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -ENOTDIR}},
	{1, 2, {0, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EINVAL}},
	{1, 3, {0, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EINVAL}},
	{1, 4, {0, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -EEXIST, -ENOENT}},
	{2, 0, {-ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT}},
	{2, 1, {-ENOENT, 0, 0, 0, 0, 0, 0, -ENOTDIR}},
	{2, 2, {-ENOENT, 0, 0, 0, 0, 0, 0, -ENOENT}},
	{2, 3, {-ENOENT, 0, 0, 0, 0, 0, 0, -ENOENT}},
	{2, 4, {-ENOENT, 0, 0, 0, 0, 0, 0, -ENOENT}},
	{4, 0, {-ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT, -ENOENT}},
	{4, 1, {0, 0, -EISDIR, -EISDIR, 0, 0, 0, -ENOTDIR}},
	{4, 2, {0, -ENOTDIR, 0, -ENOTEMPTY, -ENOTDIR, -ENOTDIR, 0, -EINVAL}},
	{4, 3, {0, -ENOTDIR, 0, -ENOTEMPTY, -ENOTDIR, -ENOTDIR, 0, -EINVAL}},
	{4, 4, {0, 0, -EISDIR, -EISDIR, 0, 0, 0, -ENOENT}},
};

static void rename_flags(void)
{
	enter();
	for (size_t i = 0; i < COUNT(renames); i++) {
		for (int new = NOTHING; new < 8; new ++) {
			const char *to = new == 6 ? "old" : new == 7 ? "old/y" : "new";

			clear("old");
			clear("new");
			make("old", renames[i].old);
			if (new <= A_FIFO)
				make("new", new);
			if (kernel_call(SYS_renameat2, AT_FDCWD, "old", AT_FDCWD, to,
				    renames[i].flags) != renames[i].results[new])
				dprintf(1, "# flags %u, %d to %d: not %d\n", renames[i].flags,
					renames[i].old, new, renames[i].results[new]);
			else
				continue;
			_exit(1);
		}
	}
	for (unsigned flags = 3; flags < 64; flags++) {
		if (flags & ~7u || (flags & 2 && flags & 5))
			WANT_IS(kernel_call(
					SYS_renameat2, AT_FDCWD, "old", AT_FDCWD, "other", flags),
				-EINVAL);
	}
}

/* Each call's flags, one by one: those that it knows, and no other. */
static void at_flags(void)
{
	struct timespec times[2] = {{1, 0}, {1, 0}};
	char buffer[512];

	enter();
	close(make_file("file"));
	for (int bit = 0; bit < 32; bit++) {
		const unsigned flag = 1u << bit;
		const bool nofollow = flag == AT_SYMLINK_NOFOLLOW, empty = flag == 0x1000,
			   automount = flag == 0x800;
		const long common = nofollow || empty ? 0 : -EINVAL;

		const bool sync = flag == 0x2000 || flag == 0x4000; /* AT_STATX_*_SYNC */

		WANT_IS(kernel_call(SYS_statx, AT_FDCWD, "file", flag, 0x7ff, buffer),
			automount || sync ? 0 : common);
		WANT_IS(kernel_call(SYS_newfstatat, AT_FDCWD, "file", buffer, flag),
			automount || sync ? 0 : common);
		WANT_IS(kernel_call(439 /* faccessat2 */, AT_FDCWD, "file", R_OK, flag),
			flag == 0x200 ? 0 : common);
		WANT_IS(kernel_call(SYS_fchownat, AT_FDCWD, "file", -1, -1, flag), common);
		WANT_IS(kernel_call(SYS_utimensat, AT_FDCWD, "file", times, flag), common);
		WANT_IS(kernel_call(SYS_linkat, AT_FDCWD, "file", AT_FDCWD, "other", flag),
			flag == 0x400 || empty ? 0 : -EINVAL);
		unlink("other");
		WANT_IS(kernel_call(SYS_unlinkat, AT_FDCWD, "file", flag),
			flag == AT_REMOVEDIR ? -ENOTDIR : -EINVAL);
	}
}

/* ---- Options of tmpfs ---- */

static bool shown(const char *where, const char *options)
{
	FILE *file = fopen("/proc/self/mounts", "r");
	char line[512];
	bool found = false;

	WANT(file != NULL);
	while (fgets(line, sizeof line, file))
		found |= strstr(line, where) && strstr(line, options);
	fclose(file);
	return found;
}

static void tmpfs_options(void)
{
	static const struct {
		const char *given, *told;
	} known[] =
		{
			{"inode64", "relatime,inode64 0"},
			{"inode32,inode64", "relatime,inode64 0"},
			{"gid=5,size=1m,inode64", "size=1024k,gid=5,inode64 0"},
			{"inode64,size=18446744073709551615", "size=0k,inode64 0"},
			{"inode64,size=18446744073709551616", "size=0k,inode64 0"},
			{"inode64,size=16e", "size=0k,inode64 0"},
			{"inode64,size=15e", "size=16888498602639360k,inode64 0"},
			{"inode64,size=100000000000g", "size=14785607452590080k,inode64 0"},
			{"size=1m,,mode=700,inode64,", "mode=700,inode64 0"},
		},
	  memory[] = {
		  {"inode64,huge=never", "relatime,inode64 0"},
		  {"inode64,huge=always", "inode64,huge=always 0"},
		  {"huge=within_size", "huge=within_size 0"},
		  {"huge=advise", "huge=advise 0"},
		  {"inode64,mpol=default", "relatime,inode64 0"},
		  {"inode64,mpol=local", "inode64,mpol=local 0"},
		  {"mpol=prefer:0", "mpol=prefer:0 0"},
		  {"mpol=interleave", "mpol=interleave:0 0"},
	  };
	static const char *const refused[] = {"inode64=1", "huge", "huge=", "huge=foo", "huge=1",
		"mpol", "mpol=foo", "mpol=default:0", "mpol=bind", "mpol=bind:5", "mpol=local:0",
		"size=", "size=1kk", "size=-1", "nr_blocks=1%", "uid=-1", "mode=9", "SIZE=1m",
		"foo"};
	char where[300];

	enter();
	WANT(getcwd(where, sizeof where) != NULL);
	if (unshare(CLONE_NEWNS) == 0)
		WANT_IS(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	WANT_IS(mkdir("here", 0755), 0);
	strcat(where, "/here ");
	for (size_t i = 0; i < COUNT(refused); i++)
		WANT_IS(kernel_call(SYS_mount, "x", "here", "tmpfs", 0, refused[i]), -EINVAL);
	for (size_t i = 0; i < COUNT(known); i++) {
		WANT_IS(kernel_call(SYS_mount, "x", "here", "tmpfs", 0, known[i].given), 0);
		if (!shown(where, known[i].told))
			dprintf(1, "# not told: %s\n", known[i].told);
		WANT(shown(where, known[i].told));
		WANT_IS(umount("here"), 0);
	}
	if (kernel_call(SYS_mount, "x", "here", "tmpfs", 0, "huge=never,mpol=default") != 0)
		skip("a kernel without huge pages or nodes");
	WANT_IS(kernel_call(SYS_mount, "x", "here", "tmpfs", MS_REMOUNT, "huge=advise,inode64"), 0);
	WANT(shown(where, "inode64,huge=advise 0"));
	WANT_IS(umount("here"), 0);
	for (size_t i = 0; i < COUNT(memory); i++) {
		WANT_IS(kernel_call(SYS_mount, "x", "here", "tmpfs", 0, memory[i].given), 0);
		WANT(shown(where, memory[i].told));
		WANT_IS(umount("here"), 0);
	}
}

static const struct test_case cases[] = {
	CASE(no_atime, "open: O_NOATIME is the owner's"),
	CASE(only_new, "open: O_CREAT, O_EXCL of what is there"),
	CASE(path_only, "O_PATH: readlinkat, mmap"),
	CASE(seeks_nowhere, "lseek: 0 from what has no position"),
	CASE(past_the_end, "getdents64: past the end"),
	CASE(not_to_be_spliced, "splice, sendfile: what cannot be"),
	CASE(no_ranges, "readv, writev: no bytes"),
	CASE(zeroes_to_map, "/dev/zero: mappings"),
	CASE(fifo_forgets, "a FIFO that nobody has open"),
	CASE(records_whole, "pipe: records of up to PIPE_BUF bytes stay whole"),
	CASE(rename_flags, "renameat2: flags by what is there"),
	CASE(at_flags, "flags of calls by descriptor and path"),
	CASE(tmpfs_options, "tmpfs: options, as they are told"),
};

FILE_CASES("file-corners")
