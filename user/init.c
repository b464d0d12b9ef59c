/* SPDX-License-Identifier: MIT */
/*
 * Process 1: mounts, the story of Alice and Eve, then a shell on every terminal; or one program.
 *
 *	init			the story (/bin/story), then a login shell on each terminal of /etc/ttys
 *	init nostory		the shells at once
 *	init PROGRAM [ARG...]	runs that instead: a name in /bin, or a path; then the machine ends
 *
 * Of a boot entry with a counter it tells the loader that this entry came up, once a shell runs (or Eve's story, or
 * when PROGRAM has ended with 0): boot_good.c.
 *
 * Words of the kernel's command line that nobody else knows arrive here as arguments, as on Linux.
 *
 * A shell has a session and a controlling terminal of its own; when it ends, another one is started.
 * One that ends within a second, several times, is started less often, so that a terminal which
 * cannot be used does not keep the machine busy. Orphans are reaped.
 *
 * The signals are those of sysvinit and busybox, so their reboot, poweroff and halt work: SIGTERM
 * reboots, SIGUSR2 powers off, SIGUSR1 halts; SIGINT, which the kernel sends for Ctrl-Alt-Del,
 * reboots. All of them are blocked and taken one after the other by sigtimedwait, so that nothing
 * here can be interrupted at the wrong place.
 *
 * When PROGRAM has ended process 1 ends and with it the machine: Baton powers off by itself; on Linux
 * (rdinit=/init) the end is asked for by reboot. Status: PROGRAM's own, 128 + N for signal N.
 */
#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/ttydefaults.h>
#include <sys/utsname.h>
#include <termios.h>
#include <time.h>

#include "lib/boot_good.h"
#include "lib/mounts.h"
#include "lib/spawn.h"

#define TERMINALS_MAX 32
#define QUICK_SECONDS 1 /* a shell that ended sooner was of no use */
#define QUICK_MAX     3 /* so many of them at once, then */
#define PAUSE_SECONDS 5
#define GRACE_NAPS    50 /* of 20 ms, for programs to end after each of SIGTERM, SIGHUP, SIGKILL */

static struct terminal {
	char name[32], term[48];
	pid_t shell;         /* 0: none */
	time_t begun, pause; /* pause: not before this time */
	unsigned int quick;  /* shells in succession that ended at once */
} terminals[TERMINALS_MAX];
static unsigned int terminal_count;

static sigset_t taken; /* the signals that are waited for; blocked always */

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* ---- Starting programs ---- */

/* In the child of a vfork: a session, the terminal `fd` as its controlling one and as fds 0-2. */
static void take_terminal(int fd)
{
	setsid();
	ioctl(fd, TIOCSCTTY, 1); /* fails for what is no terminal: it runs without */
	for (int i = 0; i < 3; i++)
		dup2(fd, i);
	if (fd > 2)
		close(fd);
}

/* Starts `path` on the terminal `fd` (-1: as this process is). Its pid or a negative errno. */
static pid_t start(const char *path, char *const argv[], int fd)
{
	volatile int error = 0;
	sigset_t none;
	pid_t pid;

	sigemptyset(&none);
	pid = vfork();
	if (pid == 0) { /* in the parent's memory until the exec */
		if (fd >= 0)
			take_terminal(fd);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execve(path, argv, environ);
		error = errno;
		_exit(127);
	}
	if (pid < 0)
		return -errno;
	if (error) {
		waitpid(pid, NULL, 0);
		return -error;
	}
	return pid;
}

/* What a getty does: whatever the last program left there, lines can be typed now. A serial line
 * of which nobody has said how large its other end is counts as 80 by 24. */
static void make_sane(int fd)
{
	static const cc_t characters[NCCS] = {[VINTR] = CINTR,
		[VQUIT] = CQUIT,
		[VERASE] = CERASE,
		[VKILL] = CKILL,
		[VEOF] = CEOF,
		[VMIN] = CMIN,
		[VTIME] = CTIME,
		[VSTART] = CSTART,
		[VSTOP] = CSTOP,
		[VSUSP] = CSUSP,
		[VREPRINT] = CREPRINT,
		[VDISCARD] = CDISCARD,
		[VWERASE] = CWERASE,
		[VLNEXT] = CLNEXT};
	struct termios settings;
	struct winsize size;

	if (tcgetattr(fd, &settings) < 0)
		return;
	if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_row == 0 && size.ws_col == 0)
		ioctl(fd, TIOCSWINSZ, &(struct winsize){.ws_row = 24, .ws_col = 80});
	settings.c_iflag = ICRNL | IXON | BRKINT | IMAXBEL | IUTF8;
	settings.c_oflag = OPOST | ONLCR;
	settings.c_cflag = (settings.c_cflag & (CBAUD | CBAUDEX)) | CS8 | CREAD | HUPCL | CLOCAL;
	settings.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN;
	memcpy(settings.c_cc, characters, sizeof settings.c_cc);
	tcsetattr(fd, TCSANOW, &settings);
}

/* Opens /dev/NAME for a shell, made sane; -1: there is none. */
static int open_terminal(const char *name)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/dev/%s", name);
	fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC); /* no wait for a carrier */
	if (fd < 0)
		return -1;
	if (!isatty(fd)) {
		close(fd);
		return -1;
	}
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	make_sane(fd);
	return fd;
}

/* ---- The shells ---- */

static void greet(int fd)
{
	char text[1024];
	int motd = open("/etc/motd", O_RDONLY | O_CLOEXEC);
	ssize_t length = motd < 0 ? 0 : read(motd, text, sizeof text);

	if (length > 0 && write(fd, text, (size_t)length) < 0)
		length = 0; /* nobody there */
	if (motd >= 0)
		close(motd);
}

static void start_shell(struct terminal *terminal, const char *term)
{
	char *argv[] = {"-sh", NULL};
	int fd = open_terminal(terminal->name);
	pid_t pid;

	if (fd < 0)
		return;
	greet(fd);
	setenv("TERM", term ? term : terminal->term, 1);
	terminal->begun = now();
	pid = start("/bin/sh", argv, fd);
	if (pid < 0)
		dprintf(fd, "init: cannot start /bin/sh: %s\n", strerror(-pid));
	terminal->shell = pid > 0 ? pid : 0;
	close(fd);
}

/* TERM of the command line is that of the serial line's other end; the screen is what it is. */
static void start_shells(void)
{
	static char *given, none;

	if (!given) { /* the first time: later it is our own */
		given = getenv("TERM");
		given = given && strcmp(given, "linux") != 0 ? strdup(given) : &none;
	}
	for (unsigned int i = 0; i < terminal_count; i++) {
		struct terminal *terminal = &terminals[i];
		bool serial = strncmp(terminal->name, "ttyS", 4) == 0;

		if (!terminal->shell && now() >= terminal->pause)
			start_shell(terminal, serial && given && *given ? given : NULL);
		if (terminal->shell)
			boot_is_good();
	}
}

static void shell_ended(pid_t pid)
{
	for (unsigned int i = 0; i < terminal_count; i++) {
		struct terminal *terminal = &terminals[i];

		if (terminal->shell != pid)
			continue;
		terminal->shell = 0;
		terminal->quick =
			now() - terminal->begun <= QUICK_SECONDS ? terminal->quick + 1 : 0;
		if (terminal->quick >= QUICK_MAX)
			terminal->pause = now() + PAUSE_SECONDS;
	}
}

/* /etc/ttys: a name and its TERM a line. Only terminals that are there count; the console alone
 * where none of them is. */
static void read_ttys(void)
{
	FILE *file = fopen("/etc/ttys", "re");
	char line[256];

	while (file && terminal_count < TERMINALS_MAX && fgets(line, sizeof line, file)) {
		struct terminal *terminal = &terminals[terminal_count];
		int fd;

		if (sscanf(line, " %31s %47s", terminal->name, terminal->term) != 2 ||
			terminal->name[0] == '#')
			continue;
		fd = open_terminal(terminal->name);
		if (fd < 0)
			continue;
		close(fd);
		terminal_count++;
	}
	if (file)
		fclose(file);
	if (terminal_count == 0)
		terminals[terminal_count++] = (struct terminal){"console", "linux", 0, 0, 0, 0};
}

/* ---- The end of the machine ---- */

static void reap_all(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Gives everybody else a signal, and some time to end by it: in naps, so that a machine that stood
 * still, an emulated one on a busy host, is no reason to hurry. */
static void end_all(int signal)
{
	struct timespec poll = {.tv_nsec = 20000000};
	int naps = 0;

	kill(-1, signal);
	kill(-1, SIGCONT);
	do {
		reap_all();
		if (kill(-1, 0) < 0 && errno == ESRCH)
			return;
		nanosleep(&poll, NULL);
	} while (++naps <= GRACE_NAPS);
}

/* Programs end, files are written, then the machine ends. */
static void end_machine(int command, const char *what)
{
	printf("\ninit: %s\n", what);
	end_all(SIGTERM);
	end_all(SIGHUP); /* shells take no SIGTERM */
	end_all(SIGKILL);
	sync();
	if (reboot(command) < 0)
		printf("init: %s failed: %s\n", what, strerror(errno));
}

/* ---- What comes meanwhile ---- */

/* The status of `pid`, or -1 when it has not ended. */
static int reap(pid_t pid)
{
	int status, result = -1;
	pid_t ended;

	while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
		shell_ended(ended);
		if (ended == pid)
			result = status;
	}
	return result;
}

/* Serves signals until `pid` has ended; its status. 0: for ever, with the shells kept up. */
static int serve(pid_t pid)
{
	static const struct timespec patience = {.tv_sec = PAUSE_SECONDS};
	int status;

	for (;;) {
		status = reap(pid);
		if (pid && status >= 0)
			return status;
		if (!pid)
			start_shells();
		switch (sigtimedwait(&taken, NULL, &patience)) {
		case SIGTERM:
		case SIGINT:
			end_machine(RB_AUTOBOOT, "reboot");
			break;
		case SIGUSR2:
		case SIGPWR:
			end_machine(RB_POWER_OFF, "power off");
			break;
		case SIGUSR1:
			end_machine(RB_HALT_SYSTEM, "halt");
			break;
		default:
			break;
		}
	}
}

static void take_signals(void)
{
	static const int signals[] = {SIGCHLD, SIGTERM, SIGINT, SIGUSR1, SIGUSR2, SIGPWR};

	sigemptyset(&taken);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaddset(&taken, signals[i]);
	sigprocmask(SIG_BLOCK, &taken, NULL);
}

/* ---- The start ---- */

static void tell_story(void)
{
	char *argv[] = {"story", NULL};
	pid_t pid = start("/bin/story", argv, -1);

	if (pid > 0) {
		boot_is_good();
		serve(pid);
	} else {
		printf("init: cannot start /bin/story: %s\n", strerror(-pid));
	}
}

/* One program on the console; its status. */
static int run_program(char *const argv[])
{
	char path[4096], text[64];
	int status;
	pid_t pid;

	snprintf(path, sizeof path, "%s%s", strchr(argv[0], '/') ? "" : "/bin/", argv[0]);
	pid = start(path, argv, getpid() == 1 ? 0 : -1);
	if (pid < 0) {
		printf("init: cannot start %s: %s\n", path, strerror(-pid));
		return pid == -ENOENT ? 127 : 126;
	}
	status = serve(pid);
	printf("init: %s %s\n", path, how_it_ended(status, text, sizeof text));
	if (status == 0)
		boot_is_good();
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Linux panics when process 1 ends; Baton says so and powers off. */
static void power_off_linux(void)
{
	struct utsname name;

	if (getpid() == 1 && uname(&name) == 0 && !strstr(name.version, "Baton"))
		reboot(RB_POWER_OFF);
}

static void prepare(void)
{
	char name[64];
	FILE *file;

	mount_all(true);
	reboot(RB_DISABLE_CAD); /* Ctrl-Alt-Del sends us SIGINT */
	file = fopen("/etc/hostname", "re");
	if (file && fscanf(file, "%63s", name) == 1)
		sethostname(name, strlen(name));
	if (file)
		fclose(file);
	umask(022);
}

/* What a login makes of the environment, for the shells. */
static void prepare_shells(void)
{
	static const char *const words[][2] = {{"HOME", "/root"}, {"USER", "root"},
		{"LOGNAME", "root"}, {"SHELL", "/bin/sh"},
		{"PATH", "/bin:/sbin:/usr/bin:/usr/sbin"}};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		setenv(words[i][0], words[i][1], 1);
	if (!access("/usr/lib/locale/C.utf8", F_OK)) /* Debian's, where a rootfs brought it */
		setenv("LANG", "C.UTF-8", 0);
	if (chdir("/root") < 0)
		printf("init: cannot go to /root: %s\n", strerror(errno));
	read_ttys();
}

int main(int argc, char **argv)
{
	bool process_1 = getpid() == 1, story = argc == 1;

	setvbuf(stdout, NULL, _IOLBF, 0); /* a line is one write, whoever else is printing */
	take_signals();
	if (process_1)
		prepare();
	if (argc > 1 && strcmp(argv[1], "nostory") != 0) {
		int status = run_program(argv + 1);

		power_off_linux();
		return status;
	}
	if (!process_1) {
		dprintf(2, "init: this is process 1's work; a PROGRAM to run was expected\n");
		return 2;
	}
	if (story)
		tell_story();
	prepare_shells();
	serve(0);
}
