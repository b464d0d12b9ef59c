/* SPDX-License-Identifier: MIT */
/* What stands on a virtual terminal, read and written as a file (man 4 vcs). Run by ci/boot_keyboard.py. */
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "cases.h"

#define VT_GETHIFONTMASK 0x560d /* of linux/vt.h, which musl has not got */

static int tty; /* the second terminal */
static unsigned rows, columns, shift;

static void begin(void)
{
	struct winsize size;
	unsigned short mask;

	tty = open("/dev/tty2", O_RDWR | O_NOCTTY);
	if (tty < 0 && errno == ENOENT)
		skip("there are no virtual terminals");
	WANT_IS(ioctl(tty, TIOCGWINSZ, &size), 0);
	WANT_IS(ioctl(tty, VT_GETHIFONTMASK, &mask), 0);
	shift = mask ? 9 : 8;
	rows = size.ws_row;
	columns = size.ws_col;
	WANT(rows > 4 && columns > 40);
}

static void show(const char *text)
{
	WANT_IS(write(tty, text, strlen(text)), (long)strlen(text));
}

static int node(const char *name, int flags)
{
	int fd = open(name, flags);

	WANT(fd >= 0);
	return fd;
}

static void glyphs(void)
{
	char bytes[100] = "";
	int fd;

	begin();
	fd = node("/dev/vcs2", O_RDWR);
	show("\033cHello\r\nsecond");
	WANT_IS(pread(fd, bytes, 7, 0), 7);
	WANT(!memcmp(bytes, "Hello  ", 7));
	WANT_IS(pread(fd, bytes, 6, columns), 6);
	WANT(!memcmp(bytes, "second", 6));
	WANT_IS(lseek(fd, 0, SEEK_END), rows * columns);
	WANT_IS(read(fd, bytes, 1), 0);
	WANT_IS(lseek(fd, -1, SEEK_CUR), rows * columns - 1);
	WANT_IS(read(fd, bytes, 10), 1);
	WANT_IS(lseek(fd, 1, SEEK_END), -1);
	WANT_IS(errno, EINVAL);
	WANT_IS(pwrite(fd, "J", 1, 0), 1);
	WANT_IS(pread(fd, bytes, 5, 0), 5);
	WANT(!memcmp(bytes, "Jello", 5));
	WANT_IS(pwrite(fd, "xyz", 3, rows * columns - 1), 1);
	WANT_IS(pread(fd, bytes, 1, rows * columns - 1), 1);
	WANT_IS(bytes[0], 'x');
	WANT_IS(read(fd, BAD, 10), -1);
	WANT_IS(errno, EFAULT);
}

static void attributes(void)
{
	unsigned char head[4];
	unsigned short words[4], blank = 0x07;
	int fd;

	begin();
	fd = node("/dev/vcsa2", O_RDWR);
	show("\033c\033[31;44mA\033[m\033[1mB\033[mC");
	WANT_IS(pread(fd, head, 4, 0), 4);
	WANT(head[0] == rows && head[1] == columns && head[2] == 3 && head[3] == 0);
	WANT_IS(pread(fd, words, 8, 4), 8);
	WANT_IS(words[0], (unsigned short)(0x14 << shift | 'A'));
	WANT_IS(words[1], (unsigned short)(0x0f << shift | 'B'));
	WANT_IS(words[2], (unsigned short)(blank << shift | 'C'));
	WANT_IS(words[3], (unsigned short)(blank << shift | ' '));
	WANT_IS(lseek(fd, 0, SEEK_END), rows * columns * 2 + 4);
	words[0] = (unsigned short)(0x20 << shift | 'Z');
	WANT_IS(pwrite(fd, words, 2, 4), 2);
	words[0] = 0;
	WANT_IS(pread(fd, words, 2, 4), 2);
	WANT_IS(words[0], (unsigned short)(0x20 << shift | 'Z'));
	head[2] = 5;
	head[3] = 2;
	WANT_IS(pwrite(fd, head, 4, 0), 4);
	show("here");
	WANT_IS(pread(fd, words, 2, 4 + 2 * (2 * columns + 5)), 2);
	WANT_IS(words[0], (unsigned short)(blank << shift | 'h'));
}

static void characters(void)
{
	unsigned found[8];
	int fd;

	begin();
	fd = node("/dev/vcsu2", O_RDWR);
	show("\033c");
	WANT_IS(pread(fd, found, 4, 0), 4);
	show("a\xc3\xa4\xe2\x82\xac\xe2\x94\x80z");
	WANT_IS(pread(fd, found, 24, 0), 24);
	WANT_IS(found[0], 'a');
	WANT_IS(found[1], 0xe4);
	WANT_IS(found[2], 0x20ac);
	WANT_IS(found[3], 0x2500);
	WANT_IS(found[4], 'z');
	WANT_IS(found[5], ' ');
	WANT_IS(lseek(fd, 0, SEEK_END), rows * columns * 4);
	WANT_IS(pread(fd, found, 3, 0), -1);
	WANT_IS(errno, EINVAL);
	WANT_IS(pread(fd, found, 4, 2), -1);
	WANT_IS(errno, EINVAL);
	WANT_IS(pwrite(fd, found, 4, 0), -1);
	WANT_IS(errno, EOPNOTSUPP);
}

/* The one that is shown; one that nobody has. */
static void numbers(void)
{
	unsigned char head[4];
	struct stat status;

	begin();
	WANT_IS(pread(node("/dev/vcsa", O_RDONLY), head, 4, 0), 4);
	WANT(head[0] == rows && head[1] == columns);
	WANT_IS(stat("/dev/vcsa2", &status), 0);
	WANT_IS(status.st_rdev, 7 << 8 | 130);
	WANT_IS(stat("/dev/vcsu", &status), 0);
	WANT_IS(status.st_rdev, 7 << 8 | 64);
	mknod("/tmp/vcs6", S_IFCHR | 0600, 7 << 8 | 6);
	WANT_IS(open("/tmp/vcs6", O_RDONLY), -1);
	WANT_IS(errno, ENXIO);
	unlink("/tmp/vcs6");
}

static const struct test_case cases[] = {
	CASE(glyphs, "/dev/vcs: glyphs, a byte each, read and written"),
	CASE(attributes, "/dev/vcsa: the size, the cursor, attributes"),
	CASE(characters, "/dev/vcsu: characters, whole ones, only read"),
	CASE(numbers, "/dev/vcsa without a number; ENXIO for a terminal that is not there"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
