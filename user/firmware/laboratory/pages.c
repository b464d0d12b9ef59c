/* SPDX-License-Identifier: MIT */
/*
 * The report on a screen, page by page. Keys turn: any one forward, b back, q ends. A PC whose keyboard is behind USB has none
 * that answers yet, so the pages turn by themselves and come round again.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "lab.h"

#define TURN_SECONDS 15
#define ROWS         24u
#define COLUMNS      80u
#define PAGES_MAX    256u

struct screen {
	unsigned rows, columns;
};

static struct screen find_screen(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 4 && size.ws_col > 20)
		return (struct screen){size.ws_row, size.ws_col};
	return (struct screen){ROWS, COLUMNS};
}

/* Rows that a line takes; escape sequences (ESC [ ... m) take no place. */
static unsigned rows_of(const char *line, const char *end, struct screen screen)
{
	unsigned length = 0;

	for (; line < end; line++) {
		if (*line == '\33')
			while (line < end && *line != 'm')
				line++;
		else
			length++;
	}
	return length ? (length + screen.columns - 1) / screen.columns : 1;
}

/* Where the page that begins at `text` ends; one row is for the prompt. */
static const char *page_end(const char *text, struct screen screen)
{
	unsigned rows = 0;
	const char *line = text;

	while (*line) {
		const char *end = strchr(line, '\n');

		end = end ? end : line + strlen(line);
		rows += rows_of(line, end, screen);
		if (rows > screen.rows - 1 && line > text)
			return line;
		line = *end ? end + 1 : end;
	}
	return line;
}

/* The key, 0 when none came in time, or -1: there will be none. */
static int key_in_time(void)
{
	struct pollfd wait = {.fd = STDIN_FILENO, .events = POLLIN};
	unsigned char key;

	if (poll(&wait, 1, TURN_SECONDS * 1000) <= 0)
		return 0;
	return read(STDIN_FILENO, &key, 1) == 1 ? key : -1;
}

/* The number of the page to be shown next, or -1. */
static int turn(int page, int count)
{
	int key = key_in_time();

	printf("\r\33[K");
	if (key < 0 || key == 'q' || key == 'Q' || key == 3)
		return -1;
	if (key == 'b' || key == 'B')
		return page ? page - 1 : count - 1;
	return page + 1 < count ? page + 1 : 0;
}

static void show(const char *text, struct screen screen)
{
	const char *pages[PAGES_MAX + 1];
	int count = 0, page = 0;

	for (pages[0] = text; *pages[count] && count < (int)PAGES_MAX; count++)
		pages[count + 1] = page_end(pages[count], screen);
	while (page >= 0 && count) {
		fwrite(pages[page], 1, (size_t)(pages[page + 1] - pages[page]), stdout);
		printf("\33[7m page %d of %d: a key turns it, b back, q ends; by itself in %d s "
		       "\33[0m",
			page + 1, count, TURN_SECONDS);
		fflush(stdout);
		page = turn(page, count);
	}
}

void show_pages(const char *text)
{
	struct termios before, raw;
	bool is_terminal = tcgetattr(STDIN_FILENO, &before) == 0;

	if (is_terminal) {
		raw = before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &raw); /* what was typed before does not count */
	}
	show(text, find_screen());
	if (is_terminal)
		tcsetattr(STDIN_FILENO, TCSANOW, &before);
}
