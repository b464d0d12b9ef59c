/* SPDX-License-Identifier: MIT */
/*
 * Bombs, as root, for a small machine of their own (never for a host): processes, threads, memory,
 * pipes, until there is no more. Each ends in an errno or in the end of a process of its own; what is
 * small goes on, also while the bomb stands at its height; and when it is over, all pages are back.
 * Every bomb goes off at least twice: the kernel's caches keep something of the first.
 *
 *	bombs [WORD]	in 64 to 128 MiB; only those that have WORD in their name
 *	bombs pids	process numbers run out: for 4.5 GiB
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include "check.h"

#define PAGE         4096ul
#define ECHO_STATUS  55
#define SAY_SECONDS  100
#define ROUNDS       6
#define WAIT_SECONDS 15 /* for what still goes away when a process is gone */

static bool ours; /* this is Baton: its counts are exact */

/* What a bomb says when it can go no further. */
static volatile struct report {
	long count;
	int error;
	bool said;
} * report; /* shared, and there before memory runs out: a pipe would want a page for it */

/* A line of /proc/meminfo in pages; 0: there is none. */
static long meminfo(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtol(line + strlen(name), NULL, 10) / (long)(PAGE / 1024) : 0;
}

/* Spare kernel stacks, of which the kernel keeps now more and now fewer, are free too; so are counted
 * those of all threads, who are the same before and after. */
static long free_pages(void)
{
	static char text[8192];
	int fd = open("/proc/meminfo", O_RDONLY);
	ssize_t length = read(fd, text, sizeof text - 1);

	text[length > 0 ? length : 0] = '\0';
	close(fd);
	return meminfo(text, "MemFree:") + meminfo(text, "KernelStack:");
}

static void say(long count, int error)
{
	report->count = count;
	report->error = error;
	__atomic_store_n(&report->said, true, __ATOMIC_RELEASE);
}

/* ---- The bombs: what runs in the child ---- */

static void forks(void)
{
	long count = 0;
	pid_t pid;

	while ((pid = fork()) > 0)
		count++;
	if (pid < 0)
		say(count, errno);
	for (;;)
		pause();
}

/* Everybody forks, and goes on when it cannot. */
static void tree(void)
{
	for (bool said = false;;) {
		if (fork() >= 0)
			continue;
		if (!said)
			say(100, errno);
		said = true;
		sched_yield();
	}
}

static void *waits(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void threads(void)
{
	pthread_attr_t small;
	pthread_t thread;
	long count = 0;
	int error;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 16384);
	while (!(error = pthread_create(&thread, &small, waits, NULL)))
		count++;
	say(count, error);
	waits(NULL);
}

/* Until it is killed. */
static void memory(void)
{
	for (long count = 1;; count++) {
		volatile char *p = mmap(
			NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (p == MAP_FAILED) {
			say(count, errno);
			waits(NULL);
		}
		for (size_t i = 0; i < 1 << 20; i += PAGE)
			p[i] = 1;
	}
}

/* Processes that each take memory: the kernel chooses among many. The first one only watches, until
 * the first of them has gone: all are there maybe before any has taken what it wants. */
static void forks_with_memory(void)
{
	long killed = 0, refused = 0;
	int status;

	for (int i = 0; i < 400; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			volatile char *p = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			for (size_t at = 0; p != MAP_FAILED && at < 1 << 20; at += PAGE)
				p[at] = 1;
			waits(NULL);
		}
		refused += pid < 0;
		while (waitpid(-1, &status, WNOHANG) > 0)
			killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	}
	while (killed + refused == 0 && waitpid(-1, &status, 0) > 0)
		killed += WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	say(killed + refused, killed ? ENOMEM : errno);
	waits(NULL);
}

static void pipes(void)
{
	static char full[65536];
	struct rlimit many = {4096, 4096};
	long count = 0;
	int fds[2];

	setrlimit(RLIMIT_NOFILE, &many);
	while (pipe2(fds, O_NONBLOCK) == 0 && write(fds[1], full, sizeof full) > 0)
		count++;
	say(count, errno);
	waits(NULL);
}

/* ---- Around them ---- */

/* Ends the whole group, those that it makes meanwhile too, and waits for all. */
static void end_group(pid_t group)
{
	while (kill(-group, SIGKILL) == 0) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		sched_yield();
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
}

/* A few calls of all kinds, by a process that is there already. */
static bool goes_on(void)
{
	volatile char *p =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open("/dev/null", O_RDWR);
	bool well = p != MAP_FAILED && fd >= 0 && write(fd, "x", 1) == 1 && getppid() > 0;

	if (p != MAP_FAILED) {
		*p = 1;
		munmap((void *)p, PAGE);
	}
	close(fd);
	return well;
}

static bool runs_programs(void)
{
	char *argv[] = {(char *)check.self, "--echo", NULL};
	pid_t pid = spawn(check.self, argv, environ);

	return pid > 0 && wait_status(pid) == EXITED(ECHO_STATUS);
}

static const struct bomb {
	const char *name;
	void (*act)(void);
	int errors[3]; /* one of these ends it; 0: it is killed instead */
	long least;    /* so many it makes */
	bool light;    /* at its height others have memory */
} bombs[] = {
	{"fork bomb", forks, {EAGAIN, ENOMEM, -1}, 50, true},
	{"bomb of forking forks", tree, {EAGAIN, ENOMEM, -1}, 50, false},
	{"thread bomb", threads, {EAGAIN, ENOMEM, -1}, 50, true},
	{"memory bomb", memory, {0, ENOMEM, -1}, 0, false},
	{"fork and memory bomb", forks_with_memory, {EAGAIN, ENOMEM, -1}, 1, false},
	{"pipe bomb", pipes, {0, EMFILE, ENOMEM}, 50, false},
};

/* Waits until the first process of a bomb has said something, or has ended. */
static bool has_ended(pid_t pid)
{
	siginfo_t info = {0};

	for (int i = 0; i < SAY_SECONDS * 50; i++) {
		if (__atomic_load_n(&report->said, __ATOMIC_ACQUIRE))
			return true;
		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
			info.si_pid == pid)
			return info.si_code == CLD_KILLED && info.si_status == SIGKILL;
		sleep_ms(20);
	}
	return false;
}

/* How it ended is one of the bomb's ways. */
static bool is_expected(const struct bomb *bomb)
{
	bool found = false;

	for (size_t i = 0; i < COUNT(bomb->errors); i++)
		found = found || (report->said ? report->error : 0) == bomb->errors[i];
	if (found && (!report->said || report->count >= bomb->least))
		return true;
	printf("# %s: %ld, then %s\n", bomb->name, report->count,
		report->said ? strerror(report->error) : "killed");
	return false;
}

/* Sets one off and clears up; whether it went as it must. */
static bool set_off(const struct bomb *bomb, bool *alive)
{
	bool ended;
	pid_t pid;

	report->count = report->error = 0;
	report->said = false;
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		bomb->act();
		_exit(98);
	}
	setpgid(pid, pid);
	ended = has_ended(pid);
	*alive = !bomb->light || goes_on();
	end_group(pid);
	if (!ended)
		printf("# %s: it neither said anything nor was killed\n", bomb->name);
	return ended && is_expected(bomb);
}

/* Pages come back; what is freed after a process is gone takes a moment. */
static bool all_back(long before)
{
	for (int i = 0; i < WAIT_SECONDS * 50 && free_pages() < before; i++)
		sleep_ms(20);
	return free_pages() >= before;
}

/* What the kernel keeps in hand (empty slabs) comes to rest after some rounds; what is lost is lost in
 * each. So it goes off again until one has cost nothing. */
static bool comes_back(const struct bomb *bomb, long before, long slack, bool *good)
{
	bool alive;

	for (int round = 0; round < ROUNDS; round++) {
		if (all_back(before))
			return true;
		printf("# %s: %ld pages were free, now %ld\n", bomb->name, before, free_pages());
		before = free_pages() - slack;
		*good = set_off(bomb, &alive) && alive && *good;
	}
	return all_back(before);
}

static void small_machine(const char *word)
{
	struct sysinfo info;
	long slack;

	sysinfo(&info);
	slack = ours ? 0 : (long)(info.totalram / PAGE / 20);
	for (size_t i = 0; i < COUNT(bombs); i++) {
		bool good, alive, alive_again, back;
		long before;

		if (!strstr(bombs[i].name, word))
			continue;
		good = set_off(&bombs[i], &alive);
		runs_programs();
		sleep_ms(300);
		before = free_pages() - slack;
		good = set_off(&bombs[i], &alive_again) && good;
		back = comes_back(&bombs[i], before, slack, &good);
		claim(good, "%s: an errno, or the end of one of its own", bombs[i].name);
		claim(alive && alive_again && runs_programs(), "%s: the machine goes on",
			bombs[i].name);
		claim(back, "%s: its pages are back", bombs[i].name);
	}
	claim_result(kernel_call(SYS_mmap, 0, info.totalram * 2, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
		-ENOMEM, "twice the RAM in one call: ENOMEM");
}

/* Zombies keep their numbers, of which there are fewer than 32768. */
static void numbers(void)
{
	long count = 0, waited = 0;
	pid_t pid, highest = 0;
	int error;

	while ((pid = fork()) > 0) {
		highest = pid > highest ? pid : highest;
		count++;
	}
	error = errno;
	if (pid == 0)
		_exit(0);
	claim_equal(error, EAGAIN, "no number is left: EAGAIN");
	claim(highest == 32767 && count > 30000 && count < 32767, "all up to 32767 were given");
	if (check.failed)
		printf("# %ld processes, the highest %d\n", count, highest);
	claim_result(kernel_call(SYS_clone, SIGCHLD, 0, 0, 0, 0), -EAGAIN, "and again");
	claim(goes_on(), "the machine goes on");
	while (waitpid(-1, NULL, 0) > 0)
		waited++;
	claim_equal(waited, count, "each is waited for");
	claim(runs_programs(), "and there are numbers again");
}

int main(int argc, char **argv)
{
	struct utsname name;

	check.self = argv[0];
	if (argc > 1 && strcmp(argv[1], "--echo") == 0)
		return ECHO_STATUS;
	ours = uname(&name) == 0 && strstr(name.version, "Baton");
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	report = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (report == MAP_FAILED)
		return 2;
	say(0, 0);
	if (argc > 1 && strcmp(argv[1], "pids") == 0)
		numbers();
	else
		small_machine(argc > 1 ? argv[1] : "");
	printf("1..%d\n", check.done);
	return check.failed != 0;
}
