/* SPDX-License-Identifier: MIT */
/* Job control: sessions and their terminal, the foreground, background reads and writes, hang-ups. */
#include "pty.h"

#define STOPPED(signal) ((signal) << 8 | 0x7f)

static volatile int handled;

static void on_signal(int number)
{
	handled = number;
}

/* Runs `act` as the leader of a session on a new pair. */
static struct pair on_terminal;

static void leader(void (*act)(void))
{
	pid_t pid;

	on_terminal = open_pair();
	pid = fork();
	if (pid == 0) {
		signal(SIGTTOU, SIG_DFL);
		signal(SIGTTIN, SIG_DFL);
		lead_session(on_terminal.slave);
		act();
		_exit(0);
	}
	WANT_ENDS(pid, 0);
}

/* A child in a group of its own, which is in the background. */
static pid_t in_background(void (*act)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		act();
		_exit(0);
	}
	setpgid(pid, pid);
	return pid;
}

static void reads(void)
{
	char byte;

	WANT_IS(read(on_terminal.slave, &byte, 1), 1);
}

static void writes(void)
{
	put_text(on_terminal.slave, "x");
}

static void sets(void)
{
	set_local(on_terminal.slave, 0, ECHO);
}

static void want_stop_then_go(pid_t pid, int signal)
{
	int status;

	WANT_IS(waitpid(pid, &status, WUNTRACED), pid);
	WANT_IS(status, STOPPED(signal));
	WANT_IS(tcsetpgrp(on_terminal.slave, pid), 0);
	WANT_IS(kill(pid, SIGCONT), 0);
}

static void background_read(void)
{
	pid_t pid = in_background(reads);

	want_stop_then_go(pid, SIGTTIN);
	put_text(on_terminal.master, "a\r");
	WANT_ENDS(pid, 0);
}

static void background_write(void)
{
	pid_t pid = in_background(writes);

	WANT_ENDS(pid, 0); /* without TOSTOP it may */
	set_local(on_terminal.slave, TOSTOP, 0);
	pid = in_background(writes);
	want_stop_then_go(pid, SIGTTOU);
	WANT_ENDS(pid, 0);
}

static void background_settings(void)
{
	pid_t pid = in_background(sets);

	want_stop_then_go(pid, SIGTTOU);
	WANT_ENDS(pid, 0);
	WANT(!(settings_of(on_terminal.slave).c_lflag & ECHO));
}

static void read_ignoring(void)
{
	char byte;

	signal(SIGTTIN, SIG_IGN);
	WANT_IS(read(on_terminal.slave, &byte, 1), -1);
	WANT_IS(errno, EIO);
	signal(SIGTTOU, SIG_IGN);
	set_local(on_terminal.slave, TOSTOP, 0);
	put_text(on_terminal.slave, "x");
}

static void background_ignoring(void)
{
	WANT_ENDS(in_background(read_ignoring), 0);
}

static void read_orphaned(pid_t parent)
{
	char byte;

	while (getppid() == parent)
		sleep_ms(5);
	if (read(on_terminal.slave, &byte, 1) != -1 || errno != EIO)
		_exit(1);
	put_text(on_terminal.slave, "orphan");
}

static void leave_orphan(void)
{
	pid_t self = getpid();

	if (fork() == 0)
		read_orphaned(self);
}

static void orphaned_read(void)
{
	WANT_ENDS(in_background(leave_orphan), 0);
	want_text(on_terminal.master, "orphan");
}

static void keys_signal(void)
{
	pid_t pid = in_background(just_wait);
	int status;

	WANT(signal(SIGTTOU, SIG_IGN) != SIG_ERR);
	WANT_IS(tcsetpgrp(on_terminal.slave, pid), 0);
	WANT_IS(tcgetpgrp(on_terminal.slave), pid);
	WANT_IS(tcgetpgrp(on_terminal.master), pid);
	put_text(on_terminal.master, "\032");
	want_text(on_terminal.master, "^Z"); /* before ^C, which drops what is on its way */
	WANT_IS(waitpid(pid, &status, WUNTRACED), pid);
	WANT_IS(status, STOPPED(SIGTSTP));
	WANT_IS(kill(-pid, SIGCONT), 0);
	put_text(on_terminal.master, "\003");
	WANT_ENDS(pid, SIGINT);
	want_text(on_terminal.master, "^C");
}

static void groups_checked(void)
{
	pid_t pid = in_background(just_wait), gone = in_background(writes);
	int other = getppid(), none = -1, found;

	WANT_ENDS(gone, 0);
	WANT_IS(tcsetpgrp(on_terminal.slave, gone), -1);
	WANT_IS(errno, ESRCH);
	WANT_IS(ioctl(on_terminal.slave, TIOCSPGRP, &none), -1);
	WANT_IS(errno, EINVAL);
	other = getpgid(other);
	WANT_IS(ioctl(on_terminal.slave, TIOCSPGRP, &other), -1);
	WANT_IS(errno, EPERM);
	WANT_IS(tcsetpgrp(on_terminal.slave, pid), 0);
	WANT_IS(ioctl(on_terminal.slave, TIOCGSID, &found), 0);
	WANT_IS(found, getpid());
	kill(pid, SIGKILL);
	WANT_ENDS(pid, SIGKILL);
}

static void *just_a_thread(void *gate)
{
	open_gate(*(struct gate *)gate);
	just_wait();
	return NULL;
}

/* Numbers that are no group's: of a process or a thread, in the session or in another. */
static void numbers_without_group(void)
{
	struct gate ready = make_gate(), thread = make_gate();
	pid_t member = fork(), other, group_member, *number = shared_memory(sizeof *number);
	pthread_t handle;

	if (member == 0) {
		WANT_IS(pthread_create(&handle, NULL, just_a_thread, &thread), 0);
		just_wait();
	}
	other = fork();
	if (other == 0) {
		WANT_IS(setsid(), getpid());
		group_member = fork();
		if (group_member) {
			*number = group_member;
			open_gate(ready);
		}
		just_wait();
	}
	wait_gate(ready);
	wait_gate(thread);
	WANT_IS(ioctl(on_terminal.slave, TIOCSPGRP, &other), -1);
	WANT_IS(errno, EPERM);
	WANT_IS(ioctl(on_terminal.slave, TIOCSPGRP, number), -1);
	WANT_IS(errno, EPERM);
	WANT_IS(ioctl(on_terminal.slave, TIOCSPGRP, &member), 0);
	WANT_IS(tcgetpgrp(on_terminal.slave), member);
	WANT(signal(SIGTTOU, SIG_IGN) != SIG_ERR);
	WANT_IS(tcsetpgrp(on_terminal.slave, getpid()), 0);
	WANT_IS(ioctl(open_pair().slave, TIOCSPGRP, BAD), -1);
	WANT_IS(errno, EFAULT); /* before ENOTTY */
	kill(*number, SIGKILL);
	kill(other, SIGKILL);
	WANT_ENDS(other, SIGKILL);
	kill(member, SIGKILL);
	WANT_ENDS(member, SIGKILL);
	WANT_IS(ioctl(on_terminal.slave, TIOCSPGRP, &member), -1);
	WANT_IS(errno, ESRCH);
}

static void controlling(void)
{
	struct pair other = open_pair();
	int group, fd = open("/dev/tty", O_RDWR);

	WANT(fd >= 0);
	put_text(fd, "mine");
	want_text(on_terminal.master, "mine");
	WANT_IS(ioctl(other.slave, TIOCSCTTY, 0), -1); /* it has one */
	WANT_IS(errno, EPERM);
	WANT_IS(ioctl(other.slave, TIOCGPGRP, &group), -1);
	WANT_IS(errno, ENOTTY);
	WANT_IS(ioctl(on_terminal.slave, TIOCSCTTY, 0), 0); /* the same again */
	signal(SIGHUP, SIG_IGN);
	WANT_IS(ioctl(on_terminal.slave, TIOCNOTTY), 0);
	WANT_IS(open("/dev/tty", O_RDWR), -1);
	WANT_IS(errno, ENXIO);
	WANT_IS(ioctl(on_terminal.slave, TIOCNOTTY), -1);
	WANT_IS(errno, ENOTTY);
	fd = open(other.name, O_RDWR); /* by opening it */
	WANT(fd >= 0);
	WANT_IS(tcgetpgrp(fd), getpgrp());
}

static void take_others(void)
{
	WANT_IS(setsid(), getpid());
	WANT_IS(ioctl(on_terminal.slave, TIOCSCTTY, 0), -1);
	WANT_IS(errno, EPERM);
	if (geteuid() == 0) {
		WANT_IS(ioctl(on_terminal.slave, TIOCSCTTY, 1), 0);
		WANT_IS(tcgetpgrp(on_terminal.slave), getpid());
	}
}

static void stealing(void)
{
	pid_t pid = start(take_others);
	int group;

	signal(SIGHUP, SIG_IGN);
	WANT_ENDS(pid, 0);
	if (geteuid() == 0)
		WANT_IS(ioctl(on_terminal.slave, TIOCGPGRP, &group), -1);
}

/* ---- Hang-ups, seen by who is outside the session ---- */

/* A session: its leader waits, its child is in the foreground and says how it ends up by the pipe. */
static void say_signal(int number)
{
	char text = number == SIGHUP ? 'H' : number == SIGCONT ? 'C' : '?';

	WANT_IS(write(9, &text, 1), 1);
}

/* The child's number; it has parted from the case's process, which ends it by this. */
static volatile pid_t *foreground;

static void foreground_child(struct gate ready)
{
	*foreground = getpid();
	handle(SIGHUP, say_signal, 0);
	handle(SIGCONT, say_signal, 0);
	alarm(120); /* nobody else would end it */
	open_gate(ready);
	just_wait();
}

static pid_t session_with_child(struct pair *pair, struct gate said, bool leader_lives)
{
	struct gate child_is_ready = make_gate(), ready = make_gate();
	sigset_t hangup, as_before;
	pid_t pid, child;

	foreground = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	WANT(foreground != MAP_FAILED);
	pid = fork();
	if (pid) {
		wait_gate(ready);
		return pid;
	}
	lead_session(pair->slave);
	WANT_IS(dup2(said.out, 9), 9);
	if (leader_lives)
		handle(SIGHUP, on_signal, 0);
	signal(SIGTTOU, SIG_IGN);
	close(pair->master);
	child = fork();
	if (child == 0) {
		setpgid(0, 0);
		foreground_child(child_is_ready);
	}
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hangup, &as_before);
	setpgid(child, child);
	WANT_IS(tcsetpgrp(pair->slave, child), 0);
	wait_gate(child_is_ready);
	open_gate(ready);
	while (!handled)
		sigsuspend(&as_before);
	_exit(7);
}

static char said(struct gate gate)
{
	char byte = 0;

	WANT_IS(read(gate.in, &byte, 1), 1);
	return byte;
}

static struct gate gate_above_3(void)
{
	struct gate gate = make_gate();

	gate.in = fcntl(gate.in, F_DUPFD, 20);
	gate.out = fcntl(gate.out, F_DUPFD, 20);
	return gate;
}

static void master_closes(void)
{
	struct gate gate = gate_above_3();
	struct pair pair = open_pair();
	pid_t pid = session_with_child(&pair, gate, true);

	close(pair.slave);
	close(pair.master); /* SIGHUP for the leader alone; for the foreground when that ends */
	WANT_ENDS(pid, EXITED(7));
	char first = said(gate), second = said(gate);

	/* In any order: on another processor the child may take the one before the other is sent. */
	WANT((first == 'H' && second == 'C') || (first == 'C' && second == 'H'));
	WANT_IS(kill(*foreground, SIGKILL), 0);
}

static void leader_ends(void)
{
	struct gate gate = gate_above_3();
	struct pair pair = open_pair();
	pid_t pid = session_with_child(&pair, gate, false);
	int group;

	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, SIGKILL);
	WANT_IS(said(gate), 'H');
	WANT_IS(kill(*foreground, SIGKILL), 0);
	group = -1;
	WANT_IS(ioctl(pair.master, TIOCGPGRP, &group), 0);
	WANT_IS(group, 0);
	put_text(pair.slave, "alive"); /* a pty is not hung up by that */
	want_text(pair.master, "alive");
}

/* As a shell with job control: its job is stopped by ^Z, and the terminal is its own again. */
static void stops_its_job(
	const struct pair *pair, struct gate out, struct gate typed, struct gate stopped)
{
	struct gate ready = gate_above_3();
	sigset_t hangup, as_before;
	pid_t job;
	int status;

	lead_session(pair->slave);
	WANT_IS(dup2(out.out, 9), 9);
	handle(SIGHUP, on_signal, 0);
	signal(SIGTTOU, SIG_IGN);
	sigemptyset(&hangup);
	sigaddset(&hangup, SIGHUP);
	job = fork();
	if (job == 0) {
		setpgid(0, 0);
		foreground_child(ready);
	}
	sigprocmask(SIG_BLOCK, &hangup, &as_before);
	setpgid(job, job);
	WANT_IS(tcsetpgrp(pair->slave, job), 0);
	wait_gate(ready);
	open_gate(typed);
	WANT_IS(waitpid(job, &status, WUNTRACED), job);
	WANT_IS(status, STOPPED(SIGTSTP));
	WANT_IS(tcsetpgrp(pair->slave, getpid()), 0);
	open_gate(stopped);
	while (!handled)
		sigsuspend(&as_before);
	_exit(7);
}

/* The shell hears of the hang-up and ends; its job, stopped and an orphan now, gets SIGHUP and SIGCONT. */
static void hung_up_with_stopped_job(void)
{
	struct gate gate = gate_above_3(), typed = gate_above_3(), stopped = gate_above_3();
	struct pair pair = open_pair();
	pid_t shell;

	foreground = shared_memory(4096);
	shell = fork();
	if (shell == 0) {
		close(pair.master);
		stops_its_job(&pair, gate, typed, stopped);
	}
	close(pair.slave);
	wait_gate(typed);
	put_text(pair.master, "\032");
	want_text(pair.master, "^Z");
	wait_gate(stopped);
	close(pair.master);
	WANT_ENDS(shell, EXITED(7));
	WANT_IS(said(gate), 'C'); /* the handler of the later one runs first */
	WANT_IS(said(gate), 'H');
	WANT_IS(kill(*foreground, SIGKILL), 0);
}

#define ON_TERMINAL(act)            \
	static void run_##act(void) \
	{                           \
		leader(act);        \
	}
ON_TERMINAL(background_read)
ON_TERMINAL(background_write)
ON_TERMINAL(background_settings)
ON_TERMINAL(background_ignoring)
ON_TERMINAL(orphaned_read)
ON_TERMINAL(keys_signal)
ON_TERMINAL(groups_checked)
ON_TERMINAL(numbers_without_group)
ON_TERMINAL(controlling)
ON_TERMINAL(stealing)

static const struct test_case cases[] = {
	CASE(run_background_read, "a read in the background: SIGTTIN"),
	CASE(run_background_write, "a write in the background: SIGTTOU with TOSTOP"),
	CASE(run_background_settings, "tcsetattr in the background: SIGTTOU"),
	CASE(run_background_ignoring, "in the background, ignoring: EIO, or let through"),
	CASE(run_orphaned_read, "a read by an orphaned group: EIO"),
	CASE(run_keys_signal, "^Z and ^C for the foreground group"),
	CASE(run_groups_checked, "TIOCSPGRP: ESRCH, EINVAL, EPERM"),
	CASE(run_numbers_without_group,
		"TIOCSPGRP: a number that is no group's; EFAULT before ENOTTY"),
	CASE(run_controlling, "/dev/tty, TIOCSCTTY, TIOCNOTTY, taken by opening"),
	CASE(run_stealing, "TIOCSCTTY of another session's: EPERM, or stolen by root"),
	CASE(master_closes, "the master closes: SIGHUP for the leader, then the foreground"),
	CASE(hung_up_with_stopped_job,
		"^Z, then the master closes: SIGHUP and SIGCONT for the stopped job"),
	CASE(leader_ends, "the leader ends: SIGHUP for the foreground"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
