/* SPDX-License-Identifier: MIT */
/*
 * memview: all of physical memory, and the memory of a process, as coloured cells, live. In the spirit of the memory
 * viewer of CS 61's WeensyOS.
 *
 *	memview [--screen | --terminal | --json] [--demo KEY] [--milliseconds N]
 *
 * --screen draws on the framebuffer, --terminal on standard output, which is a terminal; without either it is the
 * framebuffer where standard input is the console and there is one. --json gives one look and ends. --demo
 * starts a demo as its key would. --milliseconds: between two looks, 200 by default.
 *
 * For root on Baton: /proc/baton/frames tells what each frame is. Keys, read from standard input: docs/isolation.md.
 * Status: 0, 1: memory cannot be looked at, 2: usage.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "demos.h"
#include "json.h"
#include "view.h"

#define FRAMEBUFFER  "/dev/fb0"
#define CYCLE_MS     2500
#define STEP_MS      50
#define JSON_LOOKS   3 /* as many as tell a leak from a page that was just moving */
#define CONSOLE      makedev(5, 1)
#define TTY_MAJOR    4u
#define VIRTUAL_LAST 63u

static struct program {
	bool json, on_screen, on_terminal;
	int milliseconds;
	struct termios before;
	bool raw;
	struct screen *screen;
	struct canvas canvas;
	struct layout layout;
	struct view view;
	struct look look;
	uint64_t cycled; /* when, in milliseconds */
} program = {
	.milliseconds = 200, .view = {.cycling = true, .following = true, .demo = "", .tells = ""}};

static volatile sig_atomic_t ended;

static void note_end(int number)
{
	(void)number;
	ended = 1;
}

static uint64_t now_ms(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 + (uint64_t)time.tv_nsec / 1000000;
}

/* ---- The process that is shown ---- */

/* The demos' while there are any, else all but this one. */
static bool is_watched(const struct process *process)
{
	if (!process->page_count || process->pid == program.view.self)
		return false;
	return !*demos_name() || demos_has(process->pid);
}

static void choose_watched(void)
{
	for (size_t i = 0; i < program.look.process_count; i++)
		program.look.processes[i].watched = is_watched(&program.look.processes[i]);
}

/* The next one by pid, in this direction. */
static void select_next(int direction)
{
	const struct look *look = &program.look;
	size_t count = look->process_count, at = direction > 0 ? count - 1 : 0;

	for (size_t i = 0; i < count; i++)
		if (look->processes[i].pid <= program.view.selected)
			at = i;
	for (size_t i = 0; i < count; i++) {
		at = (at + (direction > 0 ? 1 : count - 1)) % count;
		if (look->processes[at].watched) {
			program.view.selected = look->processes[at].pid;
			break;
		}
	}
	program.cycled = now_ms();
}

static void select_again(void)
{
	const struct process *process = look_process(&program.look, program.view.selected);

	if (!process || !process->watched ||
		(program.view.cycling && now_ms() - program.cycled >= CYCLE_MS))
		select_next(1);
}

/* ---- Showing ---- */

static int fit(void)
{
	int columns, rows;

	if (program.screen)
		screen_size(program.screen, &columns, &rows);
	else
		terminal_size(STDOUT_FILENO, &columns, &rows);
	if (program.canvas.columns == columns && program.canvas.rows == rows)
		return 0;
	if (canvas_resize(&program.canvas, columns, rows) < 0)
		return -1;
	view_layout(&program.canvas, &program.look, &program.layout);
	return program.screen ? 0 : terminal_begin(STDOUT_FILENO);
}

static int show(void)
{
	if (fit() < 0)
		return -1;
	program.view.demo = demos_name();
	program.view.tells = demos_tells();
	if (program.view.eyes)
		program.view.reached = look_reach(&program.look, program.view.selected);
	view_draw(&program.canvas, &program.layout, &program.view, &program.look);
	return program.screen ? screen_show(program.screen, &program.canvas)
			      : terminal_show(STDOUT_FILENO, &program.canvas);
}

static int look_and_show(void)
{
	demos_reap();
	if (look_take(&program.look) < 0)
		return -1;
	choose_watched();
	select_again();
	return show();
}

/* ---- Keys ---- */

static int step(void)
{
	struct timespec time = {.tv_nsec = STEP_MS * 1000000L};

	demos_hold(false);
	nanosleep(&time, NULL);
	demos_hold(true);
	return look_and_show();
}

static void freeze(bool frozen)
{
	program.view.frozen = frozen;
	demos_hold(frozen);
}

static void start_demo(char key)
{
	if (!demos_start(key))
		return;
	freeze(false);
	program.view.cycling = true;
	program.view.following = true;
	program.view.selected = 0;
}

/* What an arrow's last byte says, behind ESC [ or ESC O. */
static void arrow(char which)
{
	struct view *view = &program.view;
	int rows = which == 'A' ? -1 : which == 'B', columns = which == 'D' ? -1 : which == 'C';

	if (rows || columns)
		view_move(view, &program.layout, &program.look, rows, columns);
}

static void ask_elsewhere(void)
{
	struct view *view = &program.view;

	view->part = view->cursor && view->part == PART_PAGES ? PART_PROCESS : PART_PAGES;
	view->cursor = true;
	view->cycling = false;
	view->row = view->column = 0;
}

/* False: the end. */
static bool key(char c)
{
	struct view *view = &program.view;

	switch (c) {
	case 'q':
	case 3: /* Ctrl-C, where the terminal makes no signal of it */
		return false;
	case ' ':
		freeze(!view->frozen);
		return true;
	case '.':
		freeze(true);
		return step() == 0;
	case 'n':
	case 'b':
		view->cycling = false;
		select_next(c == 'n' ? 1 : -1);
		return true;
	case 'c':
		view->cycling = !view->cycling;
		return true;
	case 'v':
		view->eyes = !view->eyes;
		return true;
	case 'g':
		view->following = true;
		view->cursor = false;
		return true;
	case 'x':
		demos_stop();
		freeze(false);
		return true;
	case '\t':
		ask_elsewhere();
		return true;
	default:
		start_demo(c);
		return true;
	}
}

/* An arrow is ESC, [ or O, a letter: on a slow line each may come alone. */
static bool keys(const char *bytes, ssize_t count)
{
	static int begun; /* how much of an arrow has come */

	for (ssize_t i = 0; i < count; i++) {
		if (bytes[i] == '\033') {
			begun = 1;
		} else if (begun == 1 && (bytes[i] == '[' || bytes[i] == 'O')) {
			begun = 2;
		} else if (begun == 2) {
			arrow(bytes[i]);
			begun = 0;
		} else {
			begun = 0;
			if (!key(bytes[i]))
				return false;
		}
	}
	return true;
}

/* ---- Running ---- */

/* Waits for a key or the next look. False: the end. */
static bool wait_for_keys(int milliseconds)
{
	struct pollfd input = {.fd = program.view.keys ? STDIN_FILENO : -1, .events = POLLIN};
	char bytes[64];
	ssize_t got;

	if (poll(&input, 1, milliseconds) <= 0 || !input.revents)
		return true;
	got = read(STDIN_FILENO, bytes, sizeof bytes);
	if (got < 0)
		return errno == EINTR || errno == EAGAIN;
	if (got == 0)
		program.view.keys = false;
	return keys(bytes, got);
}

static int run(void)
{
	int result = 0;

	while (!ended && !result) {
		uint64_t begun = now_ms(), took;

		result = program.view.frozen ? show() : look_and_show();
		took = now_ms() - begun;
		/* At most half of a CPU, however large the machine. */
		if (!result && !wait_for_keys(took > (uint64_t)program.milliseconds
						      ? (int)took
						      : program.milliseconds))
			break;
	}
	return result < 0;
}

static int run_json(void)
{
	struct timespec time = {.tv_nsec = STEP_MS * 1000000L};

	for (int i = 0; i < JSON_LOOKS; i++) {
		if (i)
			nanosleep(&time, NULL);
		if (look_take(&program.look) < 0)
			return 1;
	}
	return json_put(&program.look) < 0;
}

/* ---- The terminal ---- */

/* Whether standard input is the console or one of the terminals on the screen. */
static bool is_console(void)
{
	struct stat status;

	if (fstat(STDIN_FILENO, &status) < 0 || !S_ISCHR(status.st_mode))
		return false;
	return status.st_rdev == CONSOLE ||
	       (major(status.st_rdev) == TTY_MAJOR && minor(status.st_rdev) <= VIRTUAL_LAST);
}

static void make_raw(void)
{
	struct termios raw;

	program.view.keys = true;
	if (tcgetattr(STDIN_FILENO, &program.before) < 0)
		return;
	raw = program.before;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	program.raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static int begin(void)
{
	if (!program.on_terminal && (program.on_screen || is_console()))
		program.screen = screen_begin(FRAMEBUFFER);
	if (!program.screen && program.on_screen) {
		perror("memview: " FRAMEBUFFER);
		return -1;
	}
	if (program.screen && isatty(STDOUT_FILENO))
		dprintf(STDOUT_FILENO, "memview: on the screen; keys are read here too\n");
	program.view.self = getpid();
	make_raw();
	return 0;
}

static void end(void)
{
	demos_stop();
	if (program.screen)
		screen_end(program.screen);
	else
		terminal_end(STDOUT_FILENO);
	if (program.raw)
		tcsetattr(STDIN_FILENO, TCSANOW, &program.before);
	canvas_free(&program.canvas);
	look_free(&program.look);
}

/* A whole number of milliseconds, up to a minute; -1: it is none. */
static int number(const char *text)
{
	char *end;
	long value = strtol(text, &end, 10);

	return end != text && !*end && value >= 0 && value <= 60000 ? (int)value : -1;
}

static bool read_options(int argc, char **argv, char *demo)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			program.json = true;
		else if (strcmp(argv[i], "--screen") == 0)
			program.on_screen = true;
		else if (strcmp(argv[i], "--terminal") == 0)
			program.on_terminal = true;
		else if (strcmp(argv[i], "--demo") == 0 && i + 1 < argc)
			*demo = strlen(argv[++i]) == 1 ? argv[i][0] : '?';
		else if (strcmp(argv[i], "--milliseconds") == 0 && i + 1 < argc)
			program.milliseconds = number(argv[++i]);
		else
			return false;
	}
	return program.milliseconds >= 0 && (!*demo || demos_know(*demo)) &&
	       program.json + program.on_screen + program.on_terminal <= 1;
}

int main(int argc, char **argv)
{
	struct sigaction action = {.sa_handler = note_end};
	char demo = 0;
	int status;

	if (!read_options(argc, argv, &demo)) {
		fprintf(stderr, "usage: memview [--screen | --terminal | --json] [--demo KEY] "
				"[--milliseconds N]\n");
		return 2;
	}
	if (program.json)
		return run_json();
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	if (begin() < 0)
		return 1;
	if (demo)
		start_demo(demo);
	status = run();
	end();
	return status;
}
