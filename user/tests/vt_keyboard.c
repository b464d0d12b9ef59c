/* SPDX-License-Identifier: MIT */
/*
 * What programs ask of a virtual terminal's keyboard, colours, font and state. Run by ci/boot_keyboard.py on a machine
 * with a screen; the first terminal is shown.
 */
#include <sys/ioctl.h>

#include "cases.h"

/* Of linux/kd.h, linux/vt.h and linux/keyboard.h, which musl has not got. */
#define GIO_CMAP         0x4b70
#define PIO_CMAP         0x4b71
#define KDMKTONE         0x4b30
#define KDGETLED         0x4b31
#define KDSETLED         0x4b32
#define KDGKBTYPE        0x4b33
#define KDSETMODE        0x4b3a
#define KDGKBMODE        0x4b44
#define KDSKBMODE        0x4b45
#define KDGKBENT         0x4b46
#define KDSKBENT         0x4b47
#define KDGKBSENT        0x4b48
#define KDSKBSENT        0x4b49
#define KDGKBDIACR       0x4b4a
#define KDSKBDIACR       0x4b4b
#define KDGETKEYCODE     0x4b4c
#define KDSETKEYCODE     0x4b4d
#define KDSIGACCEPT      0x4b4e
#define KDGKBMETA        0x4b62
#define KDSKBMETA        0x4b63
#define KDGKBLED         0x4b64
#define KDSKBLED         0x4b65
#define GIO_UNIMAP       0x4b66
#define PIO_UNIMAP       0x4b67
#define KDFONTOP         0x4b72
#define KDGKBDIACRUC     0x4bfa
#define KDSKBDIACRUC     0x4bfb
#define VT_OPENQRY       0x5600
#define VT_GETSTATE      0x5603
#define VT_SENDSIG       0x5604
#define VT_RESIZE        0x5609
#define VT_GETHIFONTMASK 0x560d
#define VT_SETACTIVATE   0x560f

enum { RAW, XLATE, MEDIUM, UNICODE, OFF };
#define META_BIT 3
#define META_ESC 4
#define HOLE     0x200
#define NO_TABLE 0x27f

struct entry {
	unsigned char table, index;
	unsigned short value;
};

struct string {
	unsigned char number;
	unsigned char text[512];
};

struct composition {
	unsigned first, second, result;
};

struct compositions {
	unsigned count;
	struct composition all[256];
};

struct narrow_compositions {
	unsigned count;
	unsigned char all[256][3];
};

static int tty; /* /dev/tty1 */

static void begin(void)
{
	tty = open("/dev/tty1", O_RDWR | O_NOCTTY);
	if (tty < 0 && errno == ENOENT)
		skip("there are no virtual terminals");
	WANT(tty >= 0);
}

#define FAILS(expression, error)         \
	do {                             \
		WANT_IS(expression, -1); \
		WANT_IS(errno, error);   \
	} while (0)

static int mode_now(void)
{
	int mode = -1;

	WANT_IS(ioctl(tty, KDGKBMODE, &mode), 0);
	return mode;
}

static void keyboard_modes(void)
{
	int meta;

	begin();
	WANT_IS(mode_now(), UNICODE);
	for (int mode = RAW; mode <= OFF; mode++) {
		WANT_IS(ioctl(tty, KDSKBMODE, mode), 0);
		WANT_IS(mode_now(), mode);
	}
	WANT_IS(ioctl(tty, KDSKBMODE, UNICODE), 0);
	FAILS(ioctl(tty, KDSKBMODE, 5), EINVAL);
	FAILS(ioctl(tty, KDSKBMODE, -1), EINVAL);
	FAILS(ioctl(tty, KDGKBMODE, BAD), EFAULT);
	WANT_IS(ioctl(tty, KDSKBMETA, META_BIT), 0);
	WANT(ioctl(tty, KDGKBMETA, &meta) == 0 && meta == META_BIT);
	WANT_IS(ioctl(tty, KDSKBMETA, META_ESC), 0);
	WANT(ioctl(tty, KDGKBMETA, &meta) == 0 && meta == META_ESC);
	FAILS(ioctl(tty, KDSKBMETA, 5), EINVAL);
}

static unsigned byte_of(int command)
{
	unsigned char byte = 0xaa;

	WANT_IS(ioctl(tty, command, &byte), 0);
	return byte;
}

static void leds(void)
{
	begin();
	WANT_IS(byte_of(KDGKBTYPE), 2); /* KB_101 */
	WANT_IS(ioctl(tty, KDSKBLED, 0x25), 0);
	WANT_IS(byte_of(KDGKBLED), 0x25);
	FAILS(ioctl(tty, KDSKBLED, 0x08), EINVAL);
	FAILS(ioctl(tty, KDSKBLED, 0x80), EINVAL);
	WANT_IS(byte_of(KDGKBLED), 0x25);
	WANT_IS(ioctl(tty, KDSKBLED, 0), 0);
	WANT_IS(ioctl(tty, KDSETLED, 2), 0);
	WANT_IS(byte_of(KDGKBLED), 0);
	WANT_IS(ioctl(tty, KDSETLED, 8), 0); /* the locks' again */
	FAILS(ioctl(tty, KDGKBLED, BAD), EFAULT);
	FAILS(ioctl(tty, KDGETLED, BAD), EFAULT);
	FAILS(ioctl(tty, KDGKBTYPE, BAD), EFAULT);
}

static int symbol(unsigned table, unsigned index)
{
	struct entry entry = {(unsigned char)table, (unsigned char)index, 0xeeee};

	WANT_IS(ioctl(tty, KDGKBENT, &entry), 0);
	return entry.value;
}

static int set_symbol(unsigned table, unsigned index, unsigned value)
{
	struct entry entry = {(unsigned char)table, (unsigned char)index, (unsigned short)value};

	return ioctl(tty, KDSKBENT, &entry);
}

static void symbols(void)
{
	begin();
	WANT_IS(symbol(0, 30), 0xb61); /* a letter */
	WANT_IS(symbol(1, 30), 0xb41);
	WANT_IS(symbol(4, 30), 0x001);
	WANT_IS(symbol(8, 30), 0x861);
	WANT_IS(symbol(0, 59), 0x100);
	WANT_IS(symbol(8, 60), 0x501); /* the second console */
	WANT_IS(symbol(0, 103), 0x603);
	WANT_IS(symbol(0, 42), 0x700);
	WANT_IS(symbol(0, 240), HOLE);
	WANT_IS(symbol(200, 0), NO_TABLE);
	WANT_IS(symbol(200, 30), HOLE);
	WANT_IS(set_symbol(0, 30, 0x20ac ^ 0xf000), 0);
	WANT_IS(symbol(0, 30), 0x20ac ^ 0xf000);
	WANT_IS(ioctl(tty, KDSKBMODE, XLATE), 0);
	WANT_IS(symbol(0, 30), HOLE); /* cannot be shown */
	FAILS(set_symbol(0, 30, 0x20ad ^ 0xf000), EINVAL);
	WANT_IS(ioctl(tty, KDSKBMODE, UNICODE), 0);
	WANT_IS(symbol(0, 30), 0x20ac ^ 0xf000);
	WANT_IS(set_symbol(0, 30, 0xb61), 0);
	WANT_IS(symbol(1, 30), 0xb41);
	FAILS(set_symbol(0, 30, 0x214), EINVAL); /* there is no such action */
	FAILS(set_symbol(0, 30, 0x604), EINVAL);
	FAILS(set_symbol(0, 30, 0x7ff), EINVAL);
	FAILS(set_symbol(0, 30, 0xaff), EINVAL);
	FAILS(set_symbol(0, 30, 0x91a), EINVAL);
	FAILS(set_symbol(0, 30, 0x314), EINVAL);
	FAILS(set_symbol(0, 30, 0x41b), EINVAL);
	FAILS(set_symbol(0, 30, 0xe0b), EINVAL);
	WANT_IS(set_symbol(0, 0, 0xb61), 0); /* key 0 has none */
	WANT(symbol(0, 0) != 0xb61);
	FAILS(ioctl(tty, KDGKBENT, BAD), EFAULT);
	FAILS(ioctl(tty, KDSKBENT, BAD), EFAULT);
	WANT_IS(symbol(0, 30), 0xb61);
}

static void tables(void)
{
	begin();
	WANT_IS(set_symbol(200, 0, NO_TABLE), 0); /* there is none */
	WANT_IS(set_symbol(200, 30, 0xb62), 0);
	WANT_IS(symbol(200, 30), 0xb62);
	WANT_IS(symbol(200, 31), HOLE);
	WANT_IS(symbol(200, 0), 0x27e);
	WANT_IS(symbol(201, 0), NO_TABLE);
	WANT_IS(set_symbol(200, 0, NO_TABLE), 0);
	WANT_IS(symbol(200, 0), NO_TABLE);
	WANT_IS(symbol(200, 30), HOLE);
	for (unsigned i = 0; i < 2000; i++) { /* nothing is lost */
		WANT_IS(set_symbol(200, 30, 0xb62), 0);
		WANT_IS(set_symbol(200, 0, NO_TABLE), 0);
	}
}

static const char *text_of(unsigned number)
{
	static struct string string;

	memset(&string, 'x', sizeof(string));
	string.number = (unsigned char)number;
	WANT_IS(ioctl(tty, KDGKBSENT, &string), 0);
	return (const char *)string.text;
}

static int set_text(unsigned number, const char *text)
{
	struct string string = {.number = (unsigned char)number};

	strcpy((char *)string.text, text);
	return ioctl(tty, KDSKBSENT, &string);
}

static void strings(void)
{
	struct string full = {.number = 200};

	begin();
	WANT(!strcmp(text_of(0), "\033[[A"));
	WANT(!strcmp(text_of(19), "\033[34~"));
	WANT(!strcmp(text_of(20), "\033[1~"));
	WANT(!strcmp(text_of(200), ""));
	WANT_IS(set_text(200, "hello"), 0);
	WANT(!strcmp(text_of(200), "hello"));
	WANT_IS(set_text(200, ""), 0);
	WANT(!strcmp(text_of(200), ""));
	WANT_IS(set_text(0, "one"), 0);
	WANT(!strcmp(text_of(0), "one"));
	WANT_IS(set_text(0, "\033[[A"), 0);
	memset(full.text, 'y', sizeof(full.text));
	FAILS(ioctl(tty, KDSKBSENT, &full), EINVAL);
	full.text[511] = 0;
	WANT_IS(ioctl(tty, KDSKBSENT, &full), 0);
	WANT_IS(strlen(text_of(200)), 511);
	WANT_IS(set_text(200, ""), 0);
	FAILS(ioctl(tty, KDGKBSENT, BAD), EFAULT);
	FAILS(ioctl(tty, KDSKBSENT, BAD), EFAULT);
}

static void compositions(void)
{
	static struct compositions usual, read;
	static struct narrow_compositions narrow;

	begin();
	WANT_IS(ioctl(tty, KDGKBDIACRUC, &usual), 0);
	WANT(usual.count > 50 && usual.count < 256);
	WANT_IS(ioctl(tty, KDGKBDIACR, &narrow), 0);
	WANT_IS(narrow.count, usual.count);
	read = (struct compositions){2, {{'a', 'b', 0x20ac}, {'c', 'd', 0xe4}}};
	WANT_IS(ioctl(tty, KDSKBDIACRUC, &read), 0);
	memset(&read, 0, sizeof(read));
	WANT_IS(ioctl(tty, KDGKBDIACRUC, &read), 0);
	WANT(read.count == 2 && read.all[0].result == 0x20ac && read.all[1].first == 'c');
	WANT_IS(ioctl(tty, KDGKBDIACR, &narrow), 0);
	WANT(narrow.count == 2 && narrow.all[1][2] == 0xe4 && narrow.all[0][2] == 0xff);
	narrow = (struct narrow_compositions){1, {{'x', 'y', 0xfc}}};
	WANT_IS(ioctl(tty, KDSKBDIACR, &narrow), 0);
	WANT_IS(ioctl(tty, KDGKBDIACRUC, &read), 0);
	WANT(read.count == 1 && read.all[0].result == 0xfc);
	read.count = 256;
	FAILS(ioctl(tty, KDSKBDIACRUC, &read), EINVAL);
	FAILS(ioctl(tty, KDSKBDIACR, &read), EINVAL);
	FAILS(ioctl(tty, KDSKBDIACRUC, BAD), EFAULT);
	FAILS(ioctl(tty, KDGKBDIACR, BAD), EFAULT);
	WANT_IS(ioctl(tty, KDSKBDIACRUC, &usual), 0);
}

static void scan_codes(void)
{
	unsigned codes[2] = {0x1e, 0};

	begin();
	WANT_IS(ioctl(tty, KDGETKEYCODE, codes), 0);
	WANT_IS(codes[1], 30);
	codes[0] = 0xc8; /* 0xe0 0x48 */
	WANT_IS(ioctl(tty, KDGETKEYCODE, codes), 0);
	WANT_IS(codes[1], 103);
	FAILS(ioctl(tty, KDGETKEYCODE, BAD), EFAULT);
}

static void colours(void)
{
	unsigned char usual[48], set[48], read[48];

	begin();
	WANT_IS(ioctl(tty, GIO_CMAP, usual), 0);
	WANT(!usual[0] && usual[3] == 0xaa && !usual[4] && usual[45] == 0xff);
	for (unsigned i = 0; i < 48; i++)
		set[i] = (unsigned char)(i * 5);
	WANT_IS(ioctl(tty, PIO_CMAP, set), 0);
	WANT_IS(ioctl(tty, GIO_CMAP, read), 0);
	WANT(!memcmp(set, read, 48));
	WANT_IS(ioctl(tty, PIO_CMAP, usual), 0);
	FAILS(ioctl(tty, GIO_CMAP, BAD), EFAULT);
	FAILS(ioctl(tty, PIO_CMAP, BAD), EFAULT);
}

struct font_op {
	unsigned op, flags, width, height, count;
	unsigned char *data;
};

struct map {
	unsigned short count;
	unsigned short (*pairs)[2];
};

static void font(void)
{
	static unsigned char glyphs[512 * 32 * 4];
	static unsigned short pairs[4096][2];
	struct font_op op = {1, 0, 32, 32, 512, NULL};
	struct map map = {4096, pairs};
	unsigned short mask = 7;

	begin();
	WANT_IS(ioctl(tty, KDFONTOP, &op), 0);
	WANT(op.width == 8 && op.height == 16 && (op.count == 256 || op.count == 512));
	op = (struct font_op){1, 0, 32, 32, 512, glyphs};
	WANT_IS(ioctl(tty, KDFONTOP, &op), 0);
	op.count = 10;
	FAILS(ioctl(tty, KDFONTOP, &op), ENOSPC);
	op = (struct font_op){9, 0, 8, 16, 256, NULL};
	FAILS(ioctl(tty, KDFONTOP, &op), ENOSYS);
	WANT_IS(ioctl(tty, GIO_UNIMAP, &map), 0);
	WANT(map.count > 100 && map.count < 4096);
	for (unsigned i = 0; i < map.count; i++) {
		if (pairs[i][0] != 'A')
			continue;
		/* the letter has ink, and its last row of 32 none */
		WANT(glyphs[pairs[i][1] * 32 + 8] && !glyphs[pairs[i][1] * 32 + 31]);
	}
	map = (struct map){3, pairs};
	FAILS(ioctl(tty, GIO_UNIMAP, &map), ENOMEM);
	WANT(map.count > 100);
	WANT_IS(ioctl(tty, VT_GETHIFONTMASK, &mask), 0);
	WANT(mask == 0 || mask == 0x100);
}

static void others(void)
{
	struct {
		unsigned short active, signal, state;
	} state = {0, 0x1234, 0};
	unsigned short size[3] = {0, 0, 0};
	struct winsize window;
	char what = 12;
	int number = 0;

	begin();
	WANT_IS(ioctl(tty, VT_GETSTATE, &state), 0);
	WANT(state.active == 1 && state.signal == 0x1234 && (state.state & 3) == 3);
	FAILS(ioctl(tty, VT_GETSTATE, BAD), EFAULT);
	WANT_IS(ioctl(tty, VT_OPENQRY, &number), 0);
	WANT(number > 1);
	WANT_IS(ioctl(tty, TIOCGWINSZ, &window), 0);
	WANT_IS(ioctl(tty, VT_RESIZE, size), 0);
	size[0] = window.ws_row;
	size[1] = window.ws_col;
	WANT_IS(ioctl(tty, VT_RESIZE, size), 0);
	size[1] = 30000; /* what a console cannot do is not told */
	WANT_IS(ioctl(tty, VT_RESIZE, size), 0);
	FAILS(ioctl(tty, VT_RESIZE, BAD), EFAULT);
	FAILS(ioctl(tty, VT_SETACTIVATE, BAD), EFAULT);
	FAILS(ioctl(tty, VT_SENDSIG, 0), ENOTTY);
	FAILS(ioctl(tty, KDSETMODE, 4), EINVAL);
	WANT_IS(ioctl(tty, KDMKTONE, 0), 0);
	WANT_IS(ioctl(tty, TIOCLINUX, &what), 0); /* the first is shown */
	what = 6;
	WANT_IS(ioctl(tty, TIOCLINUX, &what), 0);
	WANT_IS(what, 0); /* no modifier is held */
	what = 99;
	FAILS(ioctl(tty, TIOCLINUX, &what), EINVAL);
	FAILS(ioctl(tty, TIOCLINUX, BAD), EFAULT);
	FAILS(ioctl(tty, KDSIGACCEPT, 0), EINVAL);
	FAILS(ioctl(tty, KDSIGACCEPT, SIGKILL), EINVAL);
	FAILS(ioctl(tty, KDSIGACCEPT, 65), EINVAL);
	WANT_IS(ioctl(tty, KDSIGACCEPT, SIGUSR1), 0);
}

/* Whose terminal it is not, and who may not configure terminals. */
static void permissions(void)
{
	static const int refused[] = {KDSKBMODE, KDSKBMETA, KDSKBLED, KDSETLED, KDSKBENT, KDSKBSENT,
		KDSKBDIACR, KDSKBDIACRUC, KDSETKEYCODE, KDSIGACCEPT, KDMKTONE, KDSETMODE, PIO_CMAP,
		PIO_UNIMAP, VT_RESIZE, VT_SETACTIVATE, TIOCLINUX};
	static char bytes[4096];

	begin();
	if (!become_nobody())
		skip("not root");
	for (unsigned i = 0; i < COUNT(refused); i++) {
		memset(bytes, 0, sizeof(bytes));
		if (ioctl(tty, refused[i], bytes) != -1 || errno != EPERM)
			printf("# ioctl %x: errno %d\n", refused[i], errno);
		FAILS(ioctl(tty, refused[i], bytes), EPERM);
	}
	WANT_IS(mode_now(), UNICODE);
	WANT_IS(symbol(0, 30), 0xb61);
	WANT(!strcmp(text_of(0), "\033[[A"));
	WANT_IS(ioctl(tty, GIO_CMAP, bytes), 0);
}

static void other_files(void)
{
	static const int commands[] = {KDGKBTYPE, KDGKBMODE, KDGKBENT, VT_GETSTATE, VT_OPENQRY,
		TIOCLINUX, GIO_CMAP, KDFONTOP};
	static char bytes[4096];
	int pty, null;

	begin();
	pty = open("/dev/ptmx", O_RDWR | O_NOCTTY);
	null = open("/dev/null", O_RDWR);
	WANT(null >= 0);
	for (unsigned i = 0; i < COUNT(commands); i++) {
		FAILS(ioctl(null, commands[i], bytes), ENOTTY);
		if (pty >= 0)
			FAILS(ioctl(pty, commands[i], bytes), ENOTTY);
	}
}

static const struct test_case cases[] = {
	CASE(keyboard_modes, "KDSKBMODE, KDSKBMETA: set, read back, refused"),
	CASE(leds, "KDGKBTYPE, KDSKBLED, KDSETLED"),
	CASE(symbols, "KDGKBENT, KDSKBENT: symbols are read and changed, what is none refused"),
	CASE(tables, "KDSKBENT makes a table, and removes it"),
	CASE(strings, "KDGKBSENT, KDSKBSENT: strings of function keys"),
	CASE(compositions, "KDGKBDIACR, KDGKBDIACRUC: what two characters make"),
	CASE(scan_codes, "KDGETKEYCODE: which key a scan code is"),
	CASE(colours, "GIO_CMAP, PIO_CMAP: the sixteen colours"),
	CASE(font, "KDFONTOP, GIO_UNIMAP: the font can be read"),
	CASE(others, "VT_GETSTATE, VT_RESIZE, TIOCLINUX, KDSIGACCEPT"),
	CASE(permissions, "EPERM for who does not own the terminal"),
	CASE(other_files, "ENOTTY for files that are no virtual terminals"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
