/* SPDX-License-Identifier: MIT */
/*
 * Process 1: the story of Alice and Eve, or the one program that the command line names.
 *
 *	init			Alice runs, Eve tries her roles one after the other; then the end
 *	init PROGRAM [ARG...]	runs that instead: a name in /bin, or a path
 *
 * Words of the kernel's command line that nobody else knows arrive here as arguments, as on Linux.
 * When process 1 ends the machine ends: Baton powers off by itself; on Linux (rdinit=/init) the end
 * is asked for by reboot. Status: 0 when all went as it should, 1 otherwise, PROGRAM's own when
 * there was one (128 + N for signal N).
 *
 * `q` or Ctrl-C on the console ends the story. A child (`init --keys`) sits in read for them, so
 * that nothing here waits for input, and an input that ends or fails just ends that child.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <sys/reboot.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>

#include "lib/proc.h"
#include "lib/spawn.h"

#define KEYS_QUIT     113 /* status of the child that reads the keys: somebody asked for the end */
#define POLL_MS       10
#define BREATH_MS     120   /* between Eve's roles, so that Alice's turns are seen */
#define LOOP_MS       400   /* for how long `eve loop` may try to keep the CPU */
#define PATIENCE_MS   10000 /* no other role takes this long */
#define ALICE_FOREVER "1000000"

static const char *self;         /* this program's path */
static const char *bin = "/bin"; /* where Alice and Eve are; on a host, beside this program */
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
	char path[4096];
	pid_t pid;

	snprintf(path, sizeof path, "%s/%s", bin, name);
	pid = spawn(path, argv, environ);
	if (pid < 0)
		printf("init: cannot start %s: %s\n", path, strerror(-pid));
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
		snprintf(text, sizeof text, "preempted, then killed by init");
	}
	if (quit)
		return true;
	printf("init: eve %s%s%s: %s, %s\n", role->name, *argument ? " " : "", argument, text,
		as_it_should ? "as it should" : "WHICH IS WRONG");
	wait_for(0, NULL, BREATH_MS);
	return as_it_should && alice > 0;
}

static int tell_story(void)
{
	char *alice_argv[] = {"alice", ALICE_FOREVER, NULL};
	char *keys_argv[] = {(char *)self, "--keys", NULL};
	size_t held = 0, tried = 0;
	char text[64];

	printf("init: Alice and Eve share this machine, and Eve means harm (q ends the story)\n");
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
		printf("init: Alice is gone: %s\n", how_it_ended(alice_status, text, sizeof text));
	else if (quit)
		printf("init: the story ends here, as you asked; Alice is still running\n");
	else
		printf("init: %zu of %zu attacks held, and Alice is still running\n", held, ROLES);
	bool good = alice && held == tried;
	end(&alice);
	end(&keys);
	return good ? 0 : 1;
}

/* One program instead of the story; its status. */
static int run_program(char *const argv[])
{
	char path[4096], text[64];
	int status = 0;
	pid_t pid, ended;

	snprintf(path, sizeof path, "%s%s", strchr(argv[0], '/') ? "" : "/bin/", argv[0]);
	pid = spawn(path, argv, environ);
	if (pid < 0) {
		printf("init: cannot start %s: %s\n", path, strerror(-pid));
		return pid == -ENOENT ? 127 : 126;
	}
	do
		ended = waitpid(-1, &status, 0);
	while (ended != pid && (ended > 0 || errno == EINTR));
	printf("init: %s %s\n", path, how_it_ended(status, text, sizeof text));
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Linux panics when process 1 ends; Baton says so and powers off. */
static void power_off_linux(void)
{
	struct utsname name;

	if (getpid() == 1 && uname(&name) == 0 && !strstr(name.version, "Baton"))
		reboot(RB_POWER_OFF);
}

int main(int argc, char **argv)
{
	int status;

	self = argv[0];
	setvbuf(stdout, NULL, _IOLBF, 0); /* a line is one write, whoever else is printing */
	if (argc == 2 && strcmp(argv[1], "--keys") == 0)
		return watch_keys();
	if (getpid() != 1 && strrchr(self, '/')) {
		static char directory[4096];

		snprintf(directory, sizeof directory, "%.*s", (int)(strrchr(self, '/') - self),
			self);
		bin = directory;
	}
	if (getpid() == 1 && mount_proc("/proc") < 0)
		printf("init: cannot mount /proc: %s\n", strerror(errno));
	status = argc > 1 ? run_program(argv + 1) : tell_story();
	power_off_linux();
	return status;
}
