/* SPDX-License-Identifier: MIT */
/*
 * Waiting for children: wait4 and waitid with all their selectors and options, what siginfo says,
 * zombies, SIGCHLD and how it is turned off, children whose parent ends first.
 */
#include <pthread.h>
#include <sys/ptrace.h>
#include <sys/resource.h>

#include "cases.h"

static struct gate gate, back;
static volatile int *common;

static long wait4_raw(long pid, void *status, long options, void *usage)
{
	return kernel_call(SYS_wait4, pid, status, options, usage);
}

static long waitid_raw(int type, long id, siginfo_t *info, int options)
{
	return kernel_call(SYS_waitid, type, id, info, options, NULL);
}

static void exits_5(void)
{
	_exit(5);
}

static void is_killed(void)
{
	raise(SIGKILL);
}

static void waits_at_gate(void)
{
	wait_gate(gate);
	_exit(5);
}

/* Ends and reaps a child that just waits. */
static void end(pid_t pid)
{
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, SIGKILL);
}

/* ---- wait4 ---- */

static void wait4_errors(void)
{
	pid_t pid;

	WANT_IS(wait4_raw(-1, NULL, 0, NULL), -ECHILD);
	WANT_IS(wait4_raw(0, NULL, 0, NULL), -ECHILD);
	WANT_IS(wait4_raw(getppid(), NULL, 0, NULL), -ECHILD);
	WANT_IS(wait4_raw(-getpid(), NULL, WNOHANG, NULL), -ECHILD);
	WANT_IS(wait4_raw(-1, NULL, WNOWAIT, NULL), -EINVAL);
	WANT_IS(wait4_raw(-1, NULL, WEXITED, NULL), -EINVAL);
	WANT_IS(wait4_raw(-1, NULL, 0x10, NULL), -EINVAL);
	WANT_IS(wait4_raw(INT_MIN, NULL, 0, NULL), -ESRCH);
	pid = start(exits_5);
	WANT_IS(wait4_raw(pid, BAD, 0, NULL), -EFAULT);
	pid = start(exits_5);
	WANT_IS(wait4_raw(pid, NULL, 0, BAD), -EFAULT);
}

static void wait4_selects(void)
{
	int status;
	pid_t one, two;

	gate = make_gate();
	one = start(waits_at_gate);
	two = start(exits_5);
	WANT_IS(setpgid(one, one), 0);
	WANT_IS(wait4_raw(-one, &status, WNOHANG, NULL), 0);
	WANT_IS(wait4_raw(0, &status, 0, NULL), two);
	WANT_IS(wait4_raw(0, &status, 0, NULL), -ECHILD);
	open_gate(gate);
	WANT_IS(wait4_raw(-one, &status, 0, NULL), one);
	WANT_IS(status, EXITED(5));
	WANT_IS(wait4_raw(-one, &status, 0, NULL), -ECHILD);
}

static void wait4_usage(void)
{
	struct rusage usage;
	pid_t pid = start(exits_5);

	memset(&usage, 0xee, sizeof usage);
	WANT_IS(wait4_raw(pid, NULL, 0, &usage), pid);
	WANT(usage.ru_utime.tv_sec >= 0 && usage.ru_utime.tv_sec < 100);
	WANT(usage.ru_stime.tv_usec >= 0 && usage.ru_stime.tv_usec < 1000000);
	WANT_IS(usage.ru_nsignals, 0);
}

static void no_handler(int number)
{
}

static void wait4_interrupted(void)
{
	pid_t pid = start(just_wait);

	handle(SIGALRM, no_handler, 0);
	tick(10000);
	WANT_IS(wait4_raw(pid, NULL, 0, NULL), -EINTR);
	WANT_IS(waitid_raw(P_PID, pid, NULL, WEXITED), -EINTR);
	tick(0);
	end(pid);
}

static void zombie(void)
{
	siginfo_t info;
	pid_t pid = start(exits_5);

	WANT_IS(waitid_raw(P_PID, pid, &info, WEXITED | WNOWAIT), 0);
	WANT_IS(kill(pid, 0), 0);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_IS(getpgid(pid), getpgrp());
	WANT_IS(getsid(pid), getsid(0));
	WANT_ENDS(pid, EXITED(5));
	WANT_IS(kernel_call(SYS_kill, pid, 0), -ESRCH);
	WANT_IS(kernel_call(SYS_getpgid, pid), -ESRCH);
}

/* ---- waitid ---- */

static void waitid_errors(void)
{
	pid_t pid = start(just_wait);
	siginfo_t info;

	WANT_IS(waitid_raw(P_PID, pid, &info, 0), -EINVAL);
	WANT_IS(waitid_raw(P_PID, pid, &info, WNOHANG), -EINVAL);
	WANT_IS(waitid_raw(P_PID, pid, &info, WEXITED | 0x10), -EINVAL);
	WANT_IS(waitid_raw(9, pid, &info, WEXITED), -EINVAL);
	WANT_IS(waitid_raw(P_PID, 0, &info, WEXITED), -EINVAL);
	WANT_IS(waitid_raw(P_PID, -1, &info, WEXITED), -EINVAL);
	WANT_IS(waitid_raw(P_PGID, -1, &info, WEXITED), -EINVAL);
	WANT_IS(waitid_raw(P_PIDFD, -1, &info, WEXITED), -EINVAL);
	WANT_IS(waitid_raw(P_PIDFD, 999, &info, WEXITED), -EBADF);
	WANT_IS(waitid_raw(P_PIDFD, open("/dev/null", O_RDONLY), &info, WEXITED), -EBADF);
	WANT_IS(waitid_raw(P_PID, getppid(), &info, WEXITED), -ECHILD);
	WANT_IS(waitid_raw(P_PGID, getpid() + 1000000, &info, WEXITED), -ECHILD);
	end(pid);
	WANT_IS(waitid_raw(P_ALL, 0, &info, WEXITED), -ECHILD);
}

static void waitid_nothing_yet(void)
{
	pid_t pid = start(just_wait);
	siginfo_t info;

	memset(&info, 0xee, sizeof info);
	WANT_IS(waitid_raw(P_PID, pid, &info, WEXITED | WNOHANG), 0);
	WANT_IS(info.si_signo, 0);
	WANT_IS(info.si_pid, 0);
	WANT_IS(info.si_code, 0);
	end(pid);
}

static void want_info(int type, long id, int options, pid_t pid, int code, int status)
{
	siginfo_t info;

	memset(&info, 0xee, sizeof info);
	WANT_IS(waitid_raw(type, id, &info, options), 0);
	WANT_IS(info.si_signo, SIGCHLD);
	WANT_IS(info.si_errno, 0);
	WANT_IS(info.si_pid, pid);
	WANT_IS(info.si_uid, getuid());
	WANT_IS(info.si_code, code);
	WANT_IS(info.si_status, status);
}

static void waitid_exited(void)
{
	pid_t pid = start(exits_5);

	want_info(P_PID, pid, WEXITED | WNOWAIT, pid, CLD_EXITED, 5);
	want_info(P_ALL, 0, WEXITED | WNOWAIT | WNOHANG, pid, CLD_EXITED, 5);
	want_info(P_PGID, getpgrp(), WEXITED | WNOWAIT, pid, CLD_EXITED, 5);
	want_info(P_PGID, 0, WEXITED, pid, CLD_EXITED, 5);
	WANT_IS(waitid_raw(P_PID, pid, NULL, WEXITED), -ECHILD);
}

static void waitid_killed(void)
{
	pid_t pid = start(is_killed);

	want_info(P_PID, pid, WEXITED, pid, CLD_KILLED, SIGKILL);
}

static void waitid_stopped(void)
{
	pid_t pid = start(just_wait);
	siginfo_t info;

	WANT_IS(kill(pid, SIGSTOP), 0);
	want_info(P_PID, pid, WSTOPPED | WNOWAIT, pid, CLD_STOPPED, SIGSTOP);
	want_info(P_PID, pid, WSTOPPED, pid, CLD_STOPPED, SIGSTOP);
	WANT_IS(waitid_raw(P_PID, pid, &info, WSTOPPED | WNOHANG), 0);
	WANT_IS(info.si_pid, 0);
	WANT_IS(kill(pid, SIGCONT), 0);
	want_info(P_PID, pid, WCONTINUED, pid, CLD_CONTINUED, SIGCONT);
	WANT_IS(waitid_raw(P_PID, pid, &info, WCONTINUED | WNOHANG), 0);
	WANT_IS(info.si_pid, 0);
	end(pid);
}

static void ends_soon(void)
{
	usleep(50000);
	_exit(5);
}

static void is_traced_and_ends(void)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	_exit(5);
}

/* A zombie will neither stop nor go on. */
static void want_nothing_to_wait_for(pid_t pid)
{
	static const int options[] = {WSTOPPED, WCONTINUED, WSTOPPED | WCONTINUED | WNOHANG};

	for (unsigned i = 0; i < COUNT(options); i++) {
		WANT_IS(waitid_raw(P_PID, pid, NULL, options[i]), -ECHILD);
		WANT_IS(waitid_raw(P_PGID, 0, NULL, options[i]), -ECHILD);
		WANT_IS(waitid_raw(P_ALL, 0, NULL, options[i]), -ECHILD);
	}
	WANT_ENDS(pid, EXITED(5));
}

static void waitid_only_zombies(void)
{
	pid_t pid = start(ends_soon);

	WANT_IS(waitid_raw(P_ALL, 0, NULL, WSTOPPED), -ECHILD); /* it ends while this waits */
	want_nothing_to_wait_for(pid);
	pid = start(ends_soon);
	WANT_IS(waitid_raw(P_PID, pid, NULL, WCONTINUED), -ECHILD);
	want_nothing_to_wait_for(pid);
	pid = start(is_traced_and_ends);
	WANT_IS(waitid_raw(P_PID, pid, NULL, WEXITED | WNOWAIT), 0);
	want_nothing_to_wait_for(pid);
}

static void waitid_zombie_and_living(void)
{
	pid_t zombie = start(exits_5), living = start(just_wait);

	WANT_IS(waitid_raw(P_PID, zombie, NULL, WEXITED | WNOWAIT), 0);
	WANT_IS(waitid_raw(P_ALL, 0, NULL, WSTOPPED | WNOHANG), 0);
	WANT_IS(waitid_raw(P_PID, zombie, NULL, WSTOPPED | WNOHANG), -ECHILD);
	WANT_IS(kill(living, SIGSTOP), 0);
	want_info(P_ALL, 0, WSTOPPED, living, CLD_STOPPED, SIGSTOP);
	end(living);
	want_nothing_to_wait_for(zombie);
}

static void *opens_back_and_waits(void *unused)
{
	usleep(50000); /* the leader ends */
	open_gate(back);
	wait_gate(gate);
	_exit(5);
}

static void leader_ends(void)
{
	pthread_t thread;

	WANT_IS(pthread_create(&thread, NULL, opens_back_and_waits, NULL), 0);
	pthread_exit(NULL);
}

static void waitid_leader_ended(void)
{
	pid_t pid;

	gate = make_gate();
	back = make_gate();
	pid = start(leader_ends);
	wait_gate(back);
	WANT_IS(waitid_raw(P_PID, pid, NULL, WSTOPPED | WNOHANG), 0);
	WANT_IS(waitid_raw(P_ALL, 0, NULL, WCONTINUED | WNOHANG), 0);
	WANT_IS(waitid_raw(P_ALL, 0, NULL, WEXITED | WNOHANG), 0);
	open_gate(gate);
	WANT_IS(waitid_raw(P_PID, pid, NULL, WSTOPPED), -ECHILD);
	want_nothing_to_wait_for(pid);
}

static void waitid_bad_info(void)
{
	pid_t pid = start(exits_5);
	struct rusage usage;

	WANT_IS(kernel_call(SYS_waitid, P_PID, pid, NULL, WEXITED | WNOWAIT, &usage), 0);
	WANT(usage.ru_utime.tv_sec < 100);
	WANT_IS(waitid_raw(P_PID, pid, BAD, WEXITED), -EFAULT);
	WANT_IS(waitid_raw(P_PID, pid, NULL, WEXITED), -ECHILD);
}

static void wait4_stopped(void)
{
	pid_t pid = start(just_wait);
	int status;

	WANT_IS(kill(pid, SIGSTOP), 0);
	WANT_IS(wait4_raw(pid, &status, WUNTRACED, NULL), pid);
	WANT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP && status == 0x137f);
	WANT_IS(wait4_raw(pid, &status, WUNTRACED | WNOHANG, NULL), 0);
	WANT_IS(kill(pid, SIGCONT), 0);
	WANT_IS(wait4_raw(pid, &status, WCONTINUED, NULL), pid);
	WANT_IS(status, 0xffff);
	WANT_IS(wait4_raw(pid, &status, WCONTINUED | WNOHANG, NULL), 0);
	end(pid);
}

/* ---- SIGCHLD ---- */

static volatile int chld_count, chld_code, chld_status, chld_pid, chld_uid;

static void note_chld(int number, siginfo_t *info, void *context)
{
	chld_count++;
	chld_code = info->si_code;
	chld_status = info->si_status;
	chld_pid = info->si_pid;
	chld_uid = (int)info->si_uid;
}

/* The next SIGCHLD, which is blocked outside of here. */
static void want_chld(pid_t pid, int code, int status)
{
	sigset_t none = set_of(0);
	int before = chld_count;

	sigsuspend(&none);
	WANT_IS(chld_count, before + 1);
	WANT_IS(chld_pid, pid);
	WANT_IS(chld_code, code);
	WANT_IS(chld_status, status);
	WANT_IS(chld_uid, getuid());
}

static void sigchld_info(void)
{
	pid_t pid;

	block(SIGCHLD);
	handle_info(SIGCHLD, note_chld, 0);
	pid = start(exits_5);
	want_chld(pid, CLD_EXITED, 5);
	WANT_ENDS(pid, EXITED(5));
	pid = start(just_wait);
	WANT_IS(kill(pid, SIGSTOP), 0);
	want_chld(pid, CLD_STOPPED, SIGSTOP);
	WANT_IS(kill(pid, SIGCONT), 0);
	want_chld(pid, CLD_CONTINUED, SIGCONT);
	WANT_IS(kill(pid, SIGTERM), 0);
	want_chld(pid, CLD_KILLED, SIGTERM);
	WANT_ENDS(pid, SIGTERM);
}

static void sigchld_nocldstop(void)
{
	pid_t pid;
	int status;

	handle_info(SIGCHLD, note_chld, SA_NOCLDSTOP);
	pid = start(just_wait);
	WANT_IS(kill(pid, SIGSTOP), 0);
	WANT_IS(wait4_raw(pid, &status, WUNTRACED, NULL), pid);
	WANT_IS(kill(pid, SIGCONT), 0);
	WANT_IS(wait4_raw(pid, &status, WCONTINUED, NULL), pid);
	WANT_IS(chld_count, 0);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_IS(ended(pid), SIGKILL);
	WANT_IS(chld_count, 1);
	WANT_IS(chld_code, CLD_KILLED);
}

static void sigchld_ignored(void)
{
	pid_t pid;

	handle(SIGCHLD, SIG_IGN, 0);
	gate = make_gate();
	pid = start(waits_at_gate);
	start(waits_at_gate);
	WANT_IS(wait4_raw(pid, NULL, WNOHANG, NULL), 0);
	open_gate(gate);
	open_gate(gate);
	WANT_IS(wait4_raw(-1, NULL, 0, NULL), -ECHILD);
	WANT_IS(kernel_call(SYS_kill, pid, 0), -ESRCH);
}

static void sigchld_ignored_late(void)
{
	pid_t pid = start(exits_5);

	WANT_IS(waitid_raw(P_PID, pid, NULL, WEXITED | WNOWAIT), 0);
	handle(SIGCHLD, SIG_IGN, 0);
	WANT_ENDS(pid, EXITED(5));
}

static void sigchld_nocldwait(void)
{
	pid_t pid;

	block(SIGCHLD);
	handle_info(SIGCHLD, note_chld, SA_NOCLDWAIT);
	pid = start(exits_5);
	want_chld(pid, CLD_EXITED, 5);
	WANT_IS(wait4_raw(pid, NULL, 0, NULL), -ECHILD);
}

static void sigchld_default(void)
{
	pid_t pid = start(exits_5);

	WANT_IS(waitid_raw(P_PID, pid, NULL, WEXITED | WNOWAIT), 0);
	WANT_ENDS(pid, EXITED(5));
}

/* ---- Orphans ---- */

static void leaves_orphan(void)
{
	pid_t parent = getpid();

	if (fork() == 0) {
		wait_gate(gate);
		*common = getppid() == parent ? 1 : getppid();
		open_gate(back);
		_exit(9);
	}
	_exit(0);
}

static void subreaper(void)
{
	int is = -1;

	gate = make_gate();
	back = make_gate();
	common = shared_memory(4096);
	WANT_IS(prctl(PR_GET_CHILD_SUBREAPER, &is), 0);
	WANT_IS(is, 0);
	WANT_IS(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	WANT_IS(prctl(PR_GET_CHILD_SUBREAPER, &is), 0);
	WANT_IS(is, 1);
	WANT_ENDS(start(leaves_orphan), 0);
	open_gate(gate);
	WANT_ENDS(-1, EXITED(9));
	WANT_IS(*common, getpid());
	WANT_IS(wait4_raw(-1, NULL, 0, NULL), -ECHILD);
}

static void orphan(void)
{
	gate = make_gate();
	back = make_gate();
	common = shared_memory(4096);
	WANT_ENDS(start(leaves_orphan), 0);
	WANT_IS(wait4_raw(-1, NULL, 0, NULL), -ECHILD);
	open_gate(gate);
	wait_gate(back);
	WANT(*common != 0 && *common != getpid());
}

static void asks_for_signal(void)
{
	int number = -1;

	WANT_IS(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
	WANT_IS(prctl(PR_GET_PDEATHSIG, &number), 0);
	WANT_IS(number, SIGUSR1);
	WANT_IS(kernel_call(SYS_prctl, PR_SET_PDEATHSIG, 65), -EINVAL);
	open_gate(back);
	just_wait();
}

static void parent_of_asking(void)
{
	start(asks_for_signal);
	wait_gate(back);
	_exit(0);
}

static void death_signal(void)
{
	back = make_gate();
	WANT_IS(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	WANT_ENDS(start(parent_of_asking), 0);
	WANT_ENDS(-1, SIGUSR1);
}

static void has_no_death_signal(void)
{
	int number = -1;

	WANT_IS(prctl(PR_GET_PDEATHSIG, &number), 0);
	WANT_IS(number, 0);
}

static void death_signal_not_inherited(void)
{
	WANT_IS(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
	WANT_ENDS(start(has_no_death_signal), 0);
}

/* ---- Threads ---- */

static void *reaps(void *pid)
{
	WANT_IS(wait4_raw((pid_t)(long)pid, NULL, __WNOTHREAD | WNOHANG, NULL), -ECHILD);
	WANT_IS(wait4_raw((pid_t)(long)pid, NULL, 0, NULL), (pid_t)(long)pid);
	return NULL;
}

static void other_thread_waits(void)
{
	pid_t pid = start(exits_5);
	pthread_t thread;

	WANT_IS(pthread_create(&thread, NULL, reaps, (void *)(long)pid), 0);
	WANT_IS(pthread_join(thread, NULL), 0);
}

static void *makes_child(void *pid)
{
	*(pid_t *)pid = start(exits_5);
	return NULL;
}

static void child_of_ended_thread(void)
{
	pthread_t thread;
	pid_t pid = 0;

	WANT_IS(pthread_create(&thread, NULL, makes_child, &pid), 0);
	WANT_IS(pthread_join(thread, NULL), 0);
	WANT_ENDS(pid, EXITED(5));
}

static const struct test_case cases[] = {
	CASE(wait4_errors, "wait4: ECHILD, EINVAL, ESRCH, EFAULT"),
	CASE(wait4_selects, "wait4: own group, another group, WNOHANG"),
	CASE(wait4_usage, "wait4: usage is filled in"),
	CASE(wait4_interrupted, "wait4, waitid: a handled signal interrupts: EINTR"),
	CASE(wait4_stopped, "wait4: WUNTRACED and WCONTINUED report once"),
	CASE(zombie, "a zombie has its ids and takes signals until it is waited for"),
	CASE(waitid_errors, "waitid: EINVAL, EBADF, ECHILD"),
	CASE(waitid_nothing_yet, "waitid WNOHANG, nothing yet: siginfo is cleared"),
	CASE(waitid_exited, "waitid: CLD_EXITED by P_PID, P_ALL, P_PGID; WNOWAIT leaves it"),
	CASE(waitid_killed, "waitid: CLD_KILLED"),
	CASE(waitid_stopped, "waitid: CLD_STOPPED, CLD_CONTINUED, each once"),
	CASE(waitid_only_zombies, "waitid without WEXITED: zombies do not count: ECHILD"),
	CASE(waitid_zombie_and_living, "waitid without WEXITED: a zombie and a living child"),
	CASE(waitid_leader_ended, "waitid: a leader that ended counts while threads live"),
	CASE(waitid_bad_info, "waitid: no siginfo, usage, bad siginfo: EFAULT but reaped"),
	CASE(sigchld_info, "SIGCHLD: siginfo of exit, stop, continue, kill"),
	CASE(sigchld_nocldstop, "SIGCHLD SA_NOCLDSTOP: none for stop and continue"),
	CASE(sigchld_ignored, "SIGCHLD ignored: children vanish, wait4 waits for all, then ECHILD"),
	CASE(sigchld_ignored_late, "SIGCHLD ignored after a child's end: the zombie stays"),
	CASE(sigchld_nocldwait, "SIGCHLD SA_NOCLDWAIT: the signal is sent, no zombie is left"),
	CASE(sigchld_default, "SIGCHLD by default: the zombie stays"),
	CASE(subreaper, "an orphan goes to the subreaper, which can wait for it"),
	CASE(orphan, "an orphan gets another parent"),
	CASE(death_signal, "PR_SET_PDEATHSIG: sent when the parent ends"),
	CASE(death_signal_not_inherited, "PR_SET_PDEATHSIG: not inherited by fork"),
	CASE(other_thread_waits, "a thread waits for another's child; with __WNOTHREAD: ECHILD"),
	CASE(child_of_ended_thread,
		"a child outlives the thread that made it: still the process's"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	return check_main(argc, argv, NULL, 0, all);
}
