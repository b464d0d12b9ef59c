/* SPDX-License-Identifier: MIT */
/* inotify (man 7 inotify): which call tells what, in which order. In a tmpfs of its own, as root. */
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "inotify.h"

/* ---- Files ---- */

static void file_in_directory(void)
{
	char text[8];
	int fd;

	begin();
	WANT_IS(watch("a", IN_ALL_EVENTS), 1);
	fd = open_file("a/f", O_CREAT | O_RDWR);
	EVENTS("CREATE f | OPEN f");
	WANT_IS(write(fd, "text", 4), 4);
	EVENTS("MODIFY f");
	WANT_IS(pread(fd, text, 8, 0), 4);
	EVENTS("ACCESS f");
	WANT_IS(read(fd, text, 8), 0);
	WANT_IS(lseek(fd, 0, SEEK_SET), 0);
	WANT_IS(write(fd, text, 0), 0);
	EVENTS("");
	WANT_IS(ftruncate(fd, 1), 0);
	EVENTS("MODIFY f");
	WANT_IS(fchmod(fd, 0600), 0);
	EVENTS("ATTRIB f");
	WANT_IS(kernel_call(SYS_fallocate, fd, 0, 0, 100), 0);
	EVENTS("MODIFY f");
	close(fd);
	EVENTS("CLOSE_WRITE f");
	close(open_file("a/f", O_RDONLY));
	EVENTS("OPEN f | CLOSE_NOWRITE f");
	close(open_file("a/f", O_WRONLY | O_TRUNC));
	EVENTS_OR("MODIFY f | OPEN f | CLOSE_WRITE f", "OPEN f | MODIFY f | CLOSE_WRITE f");
	WANT_IS(truncate("a/f", 5), 0);
	EVENTS("MODIFY f");
	WANT_IS(unlink("a/f"), 0);
	EVENTS("DELETE f");
	end();
}

static void file_itself(void)
{
	char text[8];
	int fd;

	begin();
	make("a/f");
	WANT_IS(watch("a/f", IN_ALL_EVENTS), 1);
	fd = open_file("a/f", O_RDWR);
	WANT_IS(write(fd, "text", 4), 4);
	WANT_IS(pread(fd, text, 8, 0), 4);
	EVENTS("OPEN | MODIFY | ACCESS");
	WANT_IS(link("a/f", "a/g"), 0);
	EVENTS("ATTRIB");
	WANT_IS(unlink("a/g"), 0);
	EVENTS("ATTRIB");
	WANT_IS(rename("a/f", "b/f"), 0);
	EVENTS("MOVE_SELF");
	WANT_IS(unlink("b/f"), 0);
	EVENTS("ATTRIB");
	WANT_IS(write(fd, "text", 4), 4);
	close(fd);
	EVENTS("MODIFY | CLOSE_WRITE | DELETE_SELF | IGNORED");
	make("a/h");
	WANT_IS(watch("a/h", IN_ALL_EVENTS), 2);
	WANT_IS(unlink("a/h"), 0);
	EVENTS("2:ATTRIB | 2:DELETE_SELF | 2:IGNORED");
	end();
}

/* The directory hears it first, with the name; the file is told once more. */
static void file_and_directory(void)
{
	begin();
	make("a/f");
	WANT_IS(watch("a", IN_ALL_EVENTS), 1);
	WANT_IS(watch("a/f", IN_ALL_EVENTS), 2);
	close(open_file("a/f", O_RDONLY));
	EVENTS("OPEN f | 2:OPEN | CLOSE_NOWRITE f | 2:CLOSE_NOWRITE");
	WANT_IS(chmod("a/f", 0600), 0);
	EVENTS("ATTRIB f | 2:ATTRIB");
	WANT_IS(unlink("a/f"), 0);
	EVENTS("2:ATTRIB | 2:DELETE_SELF | 2:IGNORED | DELETE f");
	end();
}

static void many_ranges(void)
{
	char text[4];
	struct iovec ranges[2] = {{text, 2}, {text + 2, 2}};
	int fd;

	begin();
	make("f");
	make("g");
	WANT_IS(truncate("f", 4), 0);
	WANT_IS(watch(".", IN_ALL_EVENTS), 1);
	fd = open_file("f", O_RDWR);
	WANT_IS(kernel_call(SYS_readv, fd, ranges, 2), 4);
	WANT_IS(kernel_call(SYS_writev, fd, ranges, 2), 4);
	EVENTS("OPEN f | ACCESS f | MODIFY f");
	WANT_IS(kernel_call(SYS_preadv, fd, ranges, 2, 0), 4);
	WANT_IS(kernel_call(SYS_pwritev, fd, ranges, 2, 0), 4);
	EVENTS("ACCESS f | MODIFY f");
	close(fd);
	events_of(in);
	end();
}

static void copies(void)
{
	int from, to;

	begin();
	make("f");
	make("g");
	WANT_IS(truncate("f", 10000), 0);
	from = open_file("f", O_RDONLY);
	to = open_file("g", O_WRONLY);
	WANT_IS(watch(".", IN_ALL_EVENTS), 1);
	WANT_IS(sendfile(to, from, NULL, 10000), 10000);
	EVENTS_OR("MODIFY g | ACCESS f | MODIFY g", "ACCESS f | MODIFY g");
	WANT_IS(lseek(from, 0, SEEK_SET), 0);
	WANT_IS(kernel_call(SYS_copy_file_range, from, NULL, to, NULL, 9000, 0), 9000);
	EVENTS_OR("MODIFY g | ACCESS f | MODIFY g", "ACCESS f | MODIFY g");
	close(from);
	close(to);
	EVENTS("CLOSE_NOWRITE f | CLOSE_WRITE g");
	end();
}

static void attributes(void)
{
	const struct timespec both[2] = {{1, 0}, {2, 0}};
	const struct timespec accessed[2] = {{1, 0}, {0, UTIME_OMIT}};
	const struct timespec modified[2] = {{0, UTIME_OMIT}, {1, 0}};

	begin();
	make("f");
	WANT_IS(mkdir("d", 0755), 0);
	WANT_IS(watch(".", IN_ALL_EVENTS), 1);
	WANT_IS(chown("f", 1, 1), 0);
	EVENTS("ATTRIB f");
	WANT_IS(chmod("d", 0700), 0);
	EVENTS("ATTRIB,ISDIR d");
	WANT_IS(utimensat(AT_FDCWD, "f", both, 0), 0);
	EVENTS("ATTRIB f");
	WANT_IS(utimensat(AT_FDCWD, "f", accessed, 0), 0);
	WANT_IS(utimensat(AT_FDCWD, "f", modified, 0), 0);
	EVENTS("ACCESS f | MODIFY f");
	WANT_IS(kernel_call(SYS_setxattr, "f", "trusted.x", "v", 1, 0), 0);
	EVENTS("ATTRIB f");
	WANT_IS(kernel_call(SYS_removexattr, "f", "trusted.x"), 0);
	EVENTS("ATTRIB f");
	WANT_IS(kernel_call(SYS_removexattr, "f", "trusted.x"), -ENODATA);
	WANT_IS(chmod(".", 0755), 0);
	EVENTS("ATTRIB,ISDIR");
	end();
}

/* ---- Names ---- */

static void making(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "a/socket"};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	begin();
	WANT_IS(watch("a", IN_ALL_EVENTS & ~IN_OPEN & ~IN_CLOSE), 1);
	WANT_IS(mkdir("a/d", 0755), 0);
	WANT_IS(symlink("d", "a/l"), 0);
	WANT_IS(mknod("a/p", S_IFIFO | 0600, 0), 0);
	make("a/f");
	WANT_IS(link("a/f", "a/g"), 0);
	WANT_IS(bind(fd, (void *)&address, sizeof address), 0);
	EVENTS("CREATE,ISDIR d | CREATE l | CREATE p | CREATE f | CREATE g | CREATE socket");
	WANT_IS(mkdir("a/d", 0755), -1);
	make("a/f");
	WANT_IS(rmdir("a/d"), 0);
	WANT_IS(unlink("a/l"), 0);
	WANT_IS(unlink("a/p"), 0);
	EVENTS("DELETE,ISDIR d | DELETE l | DELETE p");
	close(fd);
	end();
}

static void directory_itself(void)
{
	char entries[512];
	int fd;

	begin();
	WANT_IS(mkdir("a/d", 0755), 0);
	WANT_IS(watch("a/d", IN_ALL_EVENTS), 1);
	WANT_IS(watch("a", IN_ALL_EVENTS), 2);
	fd = open_file("a/d", O_RDONLY | O_DIRECTORY);
	WANT(kernel_call(SYS_getdents64, fd, entries, sizeof entries) > 0);
	EVENTS("2:OPEN,ISDIR d | OPEN,ISDIR | 2:ACCESS,ISDIR d | ACCESS,ISDIR");
	close(fd);
	EVENTS("2:CLOSE_NOWRITE,ISDIR d | CLOSE_NOWRITE,ISDIR");
	WANT_IS(rename("a/d", "a/e"), 0);
	EVENTS("2:MOVED_FROM,ISDIR#1 d | 2:MOVED_TO,ISDIR#1 e | MOVE_SELF");
	WANT_IS(rmdir("a/e"), 0);
	EVENTS("DELETE_SELF | IGNORED | 2:DELETE,ISDIR e");
	end();
}

static void moving(void)
{
	begin();
	make("a/f");
	make("a/g");
	WANT_IS(watch("a", IN_ALL_EVENTS), 1);
	WANT_IS(watch("b", IN_MOVE), 2);
	WANT_IS(watch("a/f", IN_MOVE_SELF), 3);
	WANT_IS(watch("a/g", IN_ALL_EVENTS), 4);
	WANT_IS(rename("a/f", "b/f"), 0);
	EVENTS("MOVED_FROM#1 f | 2:MOVED_TO#1 f | 3:MOVE_SELF");
	WANT_IS(rename("b/f", "a/g"), 0);
	EVENTS("2:MOVED_FROM#1 f | MOVED_TO#1 g | 4:ATTRIB | 3:MOVE_SELF | 4:DELETE_SELF | "
	       "4:IGNORED");
	WANT_IS(rename("a/g", "a/g"), 0);
	WANT_IS(link("a/g", "a/h"), 0);
	EVENTS("CREATE h");
	WANT_IS(rename("a/g", "a/h"), 0); /* the same file: nothing happens */
	EVENTS("");
	WANT_IS(rename("a/g", "a/x"), 0);
	WANT_IS(rename("a/x", "a/y"), 0);
	EVENTS("MOVED_FROM#1 g | MOVED_TO#1 x | 3:MOVE_SELF | MOVED_FROM#2 x | MOVED_TO#2 y | "
	       "3:MOVE_SELF");
	end();
}

static void exchanging(void)
{
	begin();
	make("a/f");
	WANT_IS(mkdir("b/d", 0755), 0);
	WANT_IS(watch("a", IN_ALL_EVENTS), 1);
	WANT_IS(watch("b", IN_ALL_EVENTS), 2);
	WANT_IS(watch("b/d", IN_MOVE_SELF), 3);
	WANT_IS(kernel_call(SYS_renameat2, AT_FDCWD, "a/f", AT_FDCWD, "b/d", 2), 0);
	EVENTS("MOVED_FROM#1 f | 2:MOVED_TO#1 d | 2:MOVED_FROM,ISDIR#2 d | MOVED_TO,ISDIR#2 f | "
	       "3:MOVE_SELF");
	end();
}

/* A file that is open keeps its directory, and the name it had. */
static void without_name(void)
{
	int fd, other = make_instance(IN_NONBLOCK);

	begin();
	WANT_IS(watch("a", IN_ALL_EVENTS), 1);
	WANT_IS(watch_of(other, "a", IN_ALL_EVENTS | IN_EXCL_UNLINK), 1);
	fd = open_file("a/f", O_CREAT | O_RDWR);
	WANT_IS(unlink("a/f"), 0);
	WANT_IS(write(fd, "text", 4), 4);
	close(fd);
	EVENTS("CREATE f | OPEN f | DELETE f | MODIFY f | CLOSE_WRITE f");
	EVENTS_OF(other, "CREATE f | OPEN f | DELETE f");
	close(other);
	end();
}

static void programs(void)
{
	char self[PATH_MAX] = "";
	const char *found;
	pid_t pid;

	begin();
	WANT(readlink("/proc/self/exe", self, sizeof self - 1) > 0);
	WANT_IS(watch(self, IN_OPEN | IN_CLOSE | IN_MODIFY), 1);
	pid = fork();
	if (!pid) {
		execl(self, self, "--role", "nothing", NULL);
		_exit(9);
	}
	WANT_ENDS(pid, 0);
	found = events_of(in);
	WANT(!strncmp(found, "OPEN", 4));
	WANT(strstr(found, "CLOSE_NOWRITE"));
	WANT(!strstr(found, "MODIFY"));
	end();
}

static const struct test_case cases[] = {
	CASE(file_in_directory, "inotify: a file's events by its directory"),
	CASE(file_itself, "inotify: a file's own events, and its end"),
	CASE(file_and_directory, "inotify: both watched"),
	CASE(many_ranges, "inotify: readv, writev and their kin"),
	CASE(copies, "inotify: sendfile and copy_file_range"),
	CASE(attributes, "inotify: modes, owners, times, attributes"),
	CASE(making, "inotify: names made and removed"),
	CASE(directory_itself, "inotify: a directory's own events"),
	CASE(moving, "inotify: names moved, by cookies"),
	CASE(exchanging, "inotify: names exchanged"),
	CASE(without_name, "inotify: IN_EXCL_UNLINK"),
	CASE(programs, "inotify: a program that runs"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

static int nothing(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	return 0;
}

static const struct role roles[] = {{"nothing", nothing}};

int main(int argc, char **argv)
{
	return check_main(argc, argv, roles, COUNT(roles), all);
}
