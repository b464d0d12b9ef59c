/* SPDX-License-Identifier: MIT */
/*
 * /dev/fb0 and /dev/input/event0 as programs use them; run by ci/boot_keyboard.py, which looks at the
 * screen and presses the keys.
 *
 *	screen-input draw	graphics mode; a picture by mmap, a part of it by write; text mode after a line
 *	screen-input keys N	describes the keyboard, prints N events; two readers, then one that grabs
 */
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "cases.h"

/* Of linux/fb.h, linux/kd.h and linux/input.h, which musl has not got. */
#define FBIOGET_VSCREENINFO 0x4600
#define FBIOPUT_VSCREENINFO 0x4601
#define FBIOGET_FSCREENINFO 0x4602
#define KDSETMODE           0x4b3a
#define KDGETMODE           0x4b3b
#define KD_TEXT             0
#define KD_GRAPHICS         1
#define EVIOCGVERSION       _IOR('E', 1, int)
#define EVIOCGID            _IOR('E', 2, unsigned short[4])
#define EVIOCGNAME(n)       _IOC(_IOC_READ, 'E', 6, n)
#define EVIOCGKEY(n)        _IOC(_IOC_READ, 'E', 0x18, n)
#define EVIOCGBIT(e, n)     _IOC(_IOC_READ, 'E', 0x20 + (e), n)
#define EVIOCGRAB           _IOW('E', 0x90, int)
#define EV_KEY              1
#define KEY_A               30
#define KEY_LEFTSHIFT       42

struct bitfield {
	unsigned int offset, length, msb_right;
};

struct screen {
	unsigned int xres, yres, xres_virtual, yres_virtual, xoffset, yoffset, bits, grey;
	struct bitfield red, green, blue, transparent;
	unsigned int rest[21];
};

struct memory {
	char id[16];
	unsigned long start;
	unsigned int length, type, type_aux, visual;
	unsigned short xpan, ypan, ywrap;
	unsigned int line;
	unsigned long mmio;
	unsigned int mmio_length, accel;
	unsigned short capabilities, reserved[2];
};

struct event {
	struct timeval time;
	unsigned short type, code;
	int value;
};

static unsigned int colour(const struct screen *screen, unsigned int rgb)
{
	return (rgb >> 16 & 255) << screen->red.offset | (rgb >> 8 & 255) << screen->green.offset |
	       (rgb & 255) << screen->blue.offset;
}

static void wait_line(void)
{
	char line[10];

	if (!fgets(line, sizeof line, stdin))
		exit(9);
}

/* A square of a colour by stores, one of another by write. */
static void paint(int fb, const struct screen *screen, const struct memory *memory)
{
	unsigned char *map;
	unsigned int line[100];

	map = mmap(NULL, memory->length, PROT_READ | PROT_WRITE, MAP_SHARED, fb, 0);
	claim(map != MAP_FAILED, "mmap");
	for (unsigned int y = 0; y < screen->yres; y++)
		memset(map + y * memory->line, 0, screen->xres * 4ul);
	for (unsigned int y = 100; y < 200; y++)
		for (unsigned int x = 300; x < 400; x++)
			((unsigned int *)(map + y * memory->line))[x] = colour(screen, 0xff8000);
	for (unsigned int x = 0; x < 100; x++)
		line[x] = colour(screen, 0x0040ff);
	for (unsigned int y = 300; y < 400; y++)
		if (pwrite(fb, line, sizeof line, (off_t)y * memory->line + 2000) != sizeof line)
			claim(false, "pwrite");
	claim(pread(fb, line, 4, 150l * memory->line + 1300) == 4 &&
			line[0] == colour(screen, 0xff8000),
		"what was mapped is read");
	claim(((unsigned int *)(map + 350 * memory->line))[510] == colour(screen, 0x0040ff),
		"what was written is mapped");
}

static int draw(void)
{
	struct screen screen;
	struct memory memory;
	int fb = open("/dev/fb0", O_RDWR), terminal = open("/dev/tty1", O_RDWR), mode = -1;

	claim(fb >= 0 && terminal >= 0, "open");
	claim(ioctl(fb, FBIOGET_VSCREENINFO, &screen) == 0, "FBIOGET_VSCREENINFO");
	claim(ioctl(fb, FBIOGET_FSCREENINFO, &memory) == 0, "FBIOGET_FSCREENINFO");
	claim(screen.bits == 32 && memory.line >= screen.xres * 4 &&
			memory.length >= memory.line * screen.yres - 4,
		"sizes agree");
	claim(ioctl(fb, FBIOPUT_VSCREENINFO, &screen) == 0, "the same mode can be set");
	screen.xres--;
	claim(ioctl(fb, FBIOPUT_VSCREENINFO, &screen) < 0 && errno == EINVAL, "no other");
	screen.xres++;
	claim(lseek(fb, 0, SEEK_END) == memory.length && write(fb, "x", 1) < 0 && errno == ENOSPC,
		"its end");
	claim(ioctl(terminal, KDSETMODE, KD_GRAPHICS) == 0 &&
			ioctl(terminal, KDGETMODE, &mode) == 0 && mode == KD_GRAPHICS,
		"KD_GRAPHICS");
	paint(fb, &screen, &memory);
	printf("DRAWN %u %u\n", screen.xres, screen.yres);
	fflush(stdout);
	wait_line();
	claim(ioctl(terminal, KDSETMODE, KD_TEXT) == 0, "KD_TEXT");
	printf("%s\n", check.failed ? "FAILED" : "TEXT AGAIN");
	fflush(stdout);
	wait_line();
	return 0;
}

/* How many keys are still to come: a descriptor that does not wait may end before. */
static int print_events(int fd, int count, const char *who)
{
	struct event event;

	while (count && read(fd, &event, sizeof event) == sizeof event) {
		if (event.type != EV_KEY)
			continue;
		printf("%s: key %d %d%s\n", who, event.code, event.value,
			event.time.tv_sec > 1600000000 ? "" : " at no date");
		fflush(stdout);
		count--;
	}
	return count;
}

/* The same of a descriptor that does not wait: another reader may have been given them before. */
static void print_all(int fd, int count, const char *who)
{
	struct pollfd polled = {fd, POLLIN, 0};

	while (count) {
		poll(&polled, 1, -1);
		count = print_events(fd, count, who);
	}
}

static int keys(int count)
{
	int first = open("/dev/input/event0", O_RDONLY), number = 0;
	int second = open("/dev/input/event0", O_RDONLY | O_NONBLOCK);
	unsigned long bits[12] = {0};
	unsigned short id[4];
	char name[64] = "";
	struct event event;
	struct pollfd polled = {first, POLLIN, 0};

	claim(first >= 0 && second >= 0, "open");
	claim(ioctl(first, EVIOCGVERSION, &number) == 0 && number == 0x10001, "EVIOCGVERSION");
	claim(ioctl(first, EVIOCGID, id) == 0 && id[0] == 0x11, "EVIOCGID: an i8042's");
	claim(ioctl(first, EVIOCGNAME(sizeof name), name) == (int)strlen(name) + 1, "EVIOCGNAME");
	claim(ioctl(first, EVIOCGBIT(0, 8), bits) == 8 && bits[0] >> EV_KEY & 1, "EVIOCGBIT");
	claim(ioctl(first, EVIOCGBIT(EV_KEY, sizeof bits), bits) == sizeof bits &&
			bits[0] >> KEY_A & 1,
		"EVIOCGBIT of keys");
	claim(read(second, &event, sizeof event) < 0 && errno == EAGAIN, "EAGAIN");
	claim(read(second, &event, 3) < 0 && errno == EINVAL, "EINVAL for half an event");
	claim(poll(&polled, 1, 0) == 0, "poll: nothing yet");
	printf("NAME %s\nREADY\n", name);
	fflush(stdout);
	claim(print_events(first, count, "first") == 0, "a reader has all");
	print_all(second, count, "second");
	claim(ioctl(second, EVIOCGRAB, 1) == 0, "EVIOCGRAB");
	claim(ioctl(first, EVIOCGRAB, 1) < 0 && errno == EBUSY, "EVIOCGRAB: EBUSY");
	printf("GRABBED\n");
	fflush(stdout);
	print_all(second, count, "second");
	claim(ioctl(second, EVIOCGKEY(sizeof bits), bits) > 0 && !(bits[0] >> KEY_A & 1),
		"EVIOCGKEY");
	claim(ioctl(first, EVIOCGRAB, 0) < 0 && errno == EINVAL, "EVIOCGRAB 0: EINVAL");
	claim(ioctl(second, EVIOCGRAB, 0) == 0, "EVIOCGRAB 0");
	printf("%s\n", check.failed ? "FAILED" : "ALL SEEN");
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "draw"))
		return draw();
	return argc == 3 ? keys(atoi(argv[2])) : 2;
}
