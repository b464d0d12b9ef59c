/* SPDX-License-Identifier: MIT */
/*
 * The story of Alice and Eve: Alice runs, Eve tries her roles one after the other, then the end.
 * init shows it at boot; `story` shows it again. Status: 0 when all went as it should, 1 otherwise.
 *
 * `q` or Ctrl-C on the terminal ends it. A child (`story --keys`) sits in read for them, so that
 * nothing here waits for input, and an input that ends or fails just ends that child. It is killed
 * at the end, so the terminal's settings are kept and given back here.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <termios.h>
#include <time.h>

#include "lib/spawn.h"

#define KEYS_QUIT     113 /* status of the child that reads the keys: somebody asked for the end */
#define POLL_MS       10
#define BREATH_MS     120    /* between Eve's roles, so that Alice's turns are seen */
#define LOOP_MS       400    /* for how long `eve loop` may try to keep the CPU */
#define PATIENCE_MS   120000 /* no other role takes this long */
#define ALICE_FOREVER "1000000"

static char self[4096] = "/bin/story"; /* this program's path; Alice and Eve are beside it */
static pid_t alice, keys;
static int alice_status; /* valid once alice is 0 */
static bool quit;

/* Eve's roles in the story, and what must become of her: a signal, or 0 for an exit with 0. */
static const struct role {
	const char *name, *argument;
	int signal;
} story[] = {
	{"loop", NULL, SIGKILL},
	{"peek", "alice", SIGSEGV},
	{"peek", "kernel", SIGSEGV},
	{"poke", "alice", SIGSEGV},
	{"poke", "kernel", SIGSEGV},
	{"cli", NULL, SIGSEGV},
	{"hlt", NULL, SIGSEGV},
	{"cr3", NULL, SIGSEGV},
	{"wrmsr", NULL, SIGSEGV},
	{"out", NULL, SIGSEGV},
	{"forge", NULL, 0},
	{"smash", NULL, SIGSEGV},
};
#define ROLES (sizeof story / sizeof *story)

static void sleep_ms(long ms)
{
	nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* Reads keys until the one that ends the story. Signals and line editing off, output untouched. */
static int watch_keys(void)
{
	struct termios before, raw;
	bool terminal = tcgetattr(0, &before) == 0;
	unsigned char key = 0;

	if (terminal) {
		raw = before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
		raw.c_cc[VMIN] = 1;
		raw.c_cc[VTIME] = 0;
		tcsetattr(0, TCSANOW, &raw);
	}
	while (read(0, &key, 1) == 1 && key != 'q' && key != 3)
		;
	if (terminal)
		tcsetattr(0, TCSANOW, &before);
	return key == 'q' || key == 3 ? KEYS_QUIT : 0;
}

/* Waits up to `ms` for `pid` (0: just lets the time pass), reaping whoever else ends meanwhile.
 * True: it ended, and *status says how. Ends early when the story is to end. */
static bool wait_for(pid_t pid, int *status, long ms)
{
	for (long waited = 0; waited <= ms && !quit;) {
		int how;
		pid_t ended = waitpid(-1, &how, WNOHANG);

		if (ended <= 0) {
			sleep_ms(POLL_MS);
			waited += POLL_MS;
		} else if (ended == keys) {
			keys = 0;
			quit = WIFEXITED(how) && WEXITSTATUS(how) == KEYS_QUIT;
		} else if (ended == alice) {
			alice = 0;
			alice_status = how;
		} else if (ended == pid) {
			*status = how;
			return true;
		}
	}
	return false;
}

static void end(pid_t *pid)
{
	if (*pid <= 0)
		return;
	kill(*pid, SIGKILL);
	waitpid(*pid, NULL, 0);
	*pid = 0;
}

/* Starts one of the demos. Its pid, or a negative errno after a message. */
static pid_t start(const char *name, char *const argv[])
{
	char path[sizeof self + 16];
	pid_t pid;

	snprintf(path, sizeof path, "%.*s/%s", (int)(strrchr(self, '/') - self), self, name);
	pid = spawn(path, argv, environ);
	if (pid < 0)
		printf("story: cannot start %s: %s\n", path, strerror(-pid));
	return pid;
}

/* Eve in one role. True: it became of her what should, and Alice lives. */
static bool try_role(const struct role *role)
{
	char *argv[] = {"eve", (char *)role->name, (char *)role->argument, NULL};
	pid_t eve = start("eve", argv);
	const char *argument = role->argument ? role->argument : "";
	bool as_it_should, loops = role->signal == SIGKILL;
	char text[64];
	int status = 0;

	if (eve < 0)
		return false;
	if (wait_for(eve, &status, loops ? LOOP_MS : PATIENCE_MS)) {
		as_it_should = role->signal
				       ? WIFSIGNALED(status) && WTERMSIG(status) == role->signal
				       : WIFEXITED(status) && WEXITSTATUS(status) == 0;
		how_it_ended(status, text, sizeof text);
	} else {
		end(&eve);
		as_it_should = loops;
		snprintf(text, sizeof text, "preempted, then killed");
	}
	if (quit)
		return true;
	printf("story: eve %s%s%s: %s, %s\n", role->name, *argument ? " " : "", argument, text,
		as_it_should ? "as it should" : "WHICH IS WRONG");
	wait_for(0, NULL, BREATH_MS);
	return as_it_should && alice > 0;
}

static int tell_story(void)
{
	char *alice_argv[] = {"alice", ALICE_FOREVER, NULL};
	char *keys_argv[] = {self, "--keys", NULL};
	size_t held = 0, tried = 0;
	char text[64];

	printf("story: Alice and Eve share this machine, and Eve means harm (q ends the story)\n");
	keys = spawn(self, keys_argv, environ);
	alice = start("alice", alice_argv);
	if (alice < 0) {
		end(&keys);
		return 1;
	}
	wait_for(0, NULL, BREATH_MS);
	for (; tried < ROLES && alice && !quit; tried++)
		held += try_role(&story[tried]);
	if (!alice)
		printf("story: Alice is gone: %s\n", how_it_ended(alice_status, text, sizeof text));
	else if (quit)
		printf("story: the story ends here, as you asked; Alice is still running\n");
	else
		printf("story: %zu of %zu attacks held, and Alice is still running\n", held, ROLES);
	bool good = alice && held == tried;
	end(&alice);
	end(&keys);
	return good ? 0 : 1;
}

int main(int argc, char **argv)
{
	ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
	struct termios settings;
	bool terminal;
	int status;

	if (length > 0)
		self[length] = 0;
	setvbuf(stdout, NULL, _IOLBF, 0); /* a line is one write, whoever else is printing */
	if (argc == 2 && strcmp(argv[1], "--keys") == 0)
		return watch_keys();
	terminal = tcgetattr(0, &settings) == 0;
	status = tell_story();
	if (terminal)
		tcsetattr(0, TCSANOW, &settings);
	return status;
}
