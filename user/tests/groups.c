/* SPDX-License-Identifier: MIT */
/*
 * Process groups and sessions: who may move whom where, what is inherited, signals to groups, and
 * what happens to a stopped group that becomes an orphan.
 */
#include "cases.h"

static struct gate gate, back;
static volatile int *common;

static long setpgid_raw(long pid, long group)
{
	return kernel_call(SYS_setpgid, pid, group);
}

static void end(pid_t pid)
{
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, SIGKILL);
}

static int execed(int argc, char **argv)
{
	open_gate((struct gate){-1, atoi(argv[0])});
	just_wait();
	return 0;
}

/* ---- Ids ---- */

static void inherits(void)
{
	WANT_IS(getpgrp(), getppid());
	WANT_IS(getsid(0), *common);
}

static void inheritance(void)
{
	common = shared_memory(4096);
	*common = getsid(0);
	WANT_IS(getpgrp(), getpid());
	WANT_ENDS(start(inherits), 0);
}

static void queries(void)
{
	pid_t pid = start(just_wait);

	WANT_IS(kernel_call(SYS_getpgrp), getpid());
	WANT_IS(kernel_call(SYS_getpgid, 0), getpid());
	WANT_IS(kernel_call(SYS_getpgid, pid), getpid());
	WANT_IS(kernel_call(SYS_getsid, pid), getsid(0));
	WANT_IS(kernel_call(SYS_getpgid, -1), -ESRCH);
	WANT_IS(kernel_call(SYS_getsid, -1), -ESRCH);
	end(pid);
	WANT_IS(kernel_call(SYS_getpgid, pid), -ESRCH);
	WANT_IS(kernel_call(SYS_getsid, pid), -ESRCH);
}

static void own_group(void)
{
	pid_t one = start(just_wait), two = start(just_wait);

	WANT_IS(setpgid_raw(one, 0), 0);
	WANT_IS(getpgid(one), one);
	WANT_IS(setpgid_raw(two, one), 0);
	WANT_IS(getpgid(two), one);
	WANT_IS(setpgid_raw(two, two), 0);
	WANT_IS(getpgid(two), two);
	WANT_IS(setpgid_raw(two, getpid()), 0);
	WANT_IS(getpgid(two), getpid());
	end(one);
	end(two);
}

static void setpgid_errors(void)
{
	pid_t pid = start(just_wait);

	WANT_IS(setpgid_raw(pid, -1), -EINVAL);
	WANT_IS(setpgid_raw(-1, 0), -EINVAL);
	WANT_IS(setpgid_raw(getppid(), 0), -ESRCH);
	WANT_IS(setpgid_raw(1, 0), -ESRCH);
	end(pid);
	WANT_IS(setpgid_raw(pid, 0), -ESRCH);
}

static void no_such_group(void)
{
	pid_t one = start(just_wait), two = start(just_wait);

	end(two); /* a number that is nobody's */
	WANT_IS(setpgid_raw(one, two), -EPERM);
	WANT_IS(setpgid_raw(one, 0x7ffffff0), -EPERM);
	end(one);
}

static void leads_session(void)
{
	WANT_IS(kernel_call(SYS_setsid), getpid());
	WANT_IS(getsid(0), getpid());
	WANT_IS(getpgrp(), getpid());
	WANT_IS(kernel_call(SYS_setsid), -EPERM);
	WANT_IS(setpgid_raw(0, 0), -EPERM);
	WANT_IS(setpgid_raw(0, getppid()), -EPERM);
	open_gate(back);
	just_wait();
}

static void other_session(void)
{
	pid_t pid;

	back = make_gate();
	pid = start(leads_session);
	wait_gate(back);
	WANT_IS(getsid(pid), pid);
	WANT_IS(setpgid_raw(pid, pid), -EPERM);
	WANT_IS(setpgid_raw(pid, getpid()), -EPERM);
	WANT_IS(setpgid_raw(0, pid), -EPERM);
	end(pid);
}

static void setsid_of_leader(void)
{
	WANT_IS(getpgrp(), getpid());
	WANT_IS(kernel_call(SYS_setsid), -EPERM);
}

static void after_exec(void)
{
	char fd[16];
	pid_t pid;

	back = make_gate();
	snprintf(fd, sizeof fd, "%d", back.out);
	pid = start_role("execed", fd, NULL);
	wait_gate(back);
	WANT_IS(setpgid_raw(pid, 0), -EACCES);
	end(pid);
}

static void leads_and_ends(void)
{
	WANT_IS(setpgid(0, 0), 0);
	WANT_IS(kill(0, 0), 0);
	*common = start(just_wait);
}

/* The group's number is taken as long as somebody is in it, though its leader has gone. */
static void group_without_leader(void)
{
	pid_t leader, other;

	common = shared_memory(4096);
	WANT_IS(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	leader = start(leads_and_ends);
	WANT_ENDS(leader, 0);
	WANT_IS(getpgid(*common), leader);
	WANT_IS(kill(-leader, 0), 0);
	other = start(just_wait);
	WANT_IS(setpgid_raw(other, leader), 0);
	WANT_IS(kill(-leader, SIGKILL), 0);
	WANT_ENDS(other, SIGKILL);
	WANT_ENDS(*common, SIGKILL);
	WANT_IS(kernel_call(SYS_kill, -leader, 0), -ESRCH);
}

static void zombie_leads(void)
{
	pid_t pid = start(just_wait);

	WANT_IS(setpgid(pid, pid), 0);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_IS(waitid(P_PID, (id_t)pid, &(siginfo_t){0}, WEXITED | WNOWAIT), 0);
	WANT_IS(kill(-pid, 0), 0);
	WANT_IS(setpgid_raw(pid, pid), 0);
	WANT_ENDS(pid, SIGKILL);
}

/* ---- Signals to groups ---- */

static void group_signal(void)
{
	pid_t mine = start(just_wait), other = start(just_wait);

	WANT_IS(setpgid(other, other), 0);
	handle(SIGTERM, SIG_IGN, 0);
	WANT_IS(kill(0, SIGTERM), 0);
	WANT_ENDS(mine, SIGTERM);
	WANT_IS(waitpid(other, NULL, WNOHANG), 0);
	WANT_IS(kill(-other, SIGUSR1), 0);
	WANT_ENDS(other, SIGUSR1);
	WANT_IS(kernel_call(SYS_kill, -other, SIGUSR1), -ESRCH);
	WANT_IS(kernel_call(SYS_kill, INT_MIN, 0), -ESRCH);
}

/* ---- Orphaned groups ---- */

static volatile int hung_up;

static void note_hangup(int number)
{
	hung_up = 1;
}

static void stopped_member(void)
{
	WANT_IS(setpgid(0, 0), 0);
	handle(SIGHUP, note_hangup, 0);
	raise(SIGSTOP);
	WANT_IS(hung_up, 1);
	_exit(17);
}

static void leaves_stopped(void)
{
	int status;

	*common = start(stopped_member);
	WANT_IS(waitpid(*common, &status, WUNTRACED), *common);
	WANT(WIFSTOPPED(status));
}

/* Both sessions' rules: the group is an orphan when no parent of a member is in another group of
 * the same session. The subreaper here is in another session, so that the end of the parent makes
 * an orphan of the group. */
static void makes_session(void)
{
	WANT_IS(kernel_call(SYS_setsid), getpid());
	leaves_stopped();
}

static void orphaned_group(void)
{
	common = shared_memory(4096);
	WANT_IS(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	WANT_ENDS(start(makes_session), 0);
	WANT_ENDS(*common, EXITED(17));
}

static void stopped_without_handler(void)
{
	WANT_IS(setpgid(0, 0), 0);
	raise(SIGSTOP);
	_exit(17);
}

static void session_with_stopped(void)
{
	int status;

	WANT_IS(kernel_call(SYS_setsid), getpid());
	*common = start(stopped_without_handler);
	WANT_IS(waitpid(*common, &status, WUNTRACED), *common);
}

static void orphaned_group_ends(void)
{
	common = shared_memory(4096);
	WANT_IS(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	WANT_ENDS(start(session_with_stopped), 0);
	WANT_ENDS(*common, SIGHUP);
}

static void running_member(void)
{
	WANT_IS(setpgid(0, 0), 0);
	open_gate(back);
	wait_gate(gate);
	_exit(18);
}

static void session_with_running(void)
{
	WANT_IS(kernel_call(SYS_setsid), getpid());
	*common = start(running_member);
	wait_gate(back);
}

static void orphaned_group_running(void)
{
	gate = make_gate();
	back = make_gate();
	common = shared_memory(4096);
	WANT_IS(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
	WANT_ENDS(start(session_with_running), 0);
	open_gate(gate);
	WANT_ENDS(*common, EXITED(18));
}

static void stops_in_orphaned_group(void)
{
	WANT_IS(kernel_call(SYS_setsid), getpid());
	raise(SIGTSTP);
	raise(SIGTTIN);
	raise(SIGTTOU);
	_exit(19);
}

static void orphans_do_not_stop(void)
{
	pid_t pid = start(stops_in_orphaned_group);
	int status;

	WANT_IS(waitpid(pid, &status, WUNTRACED), pid);
	WANT_IS(status, EXITED(19));
}

static void stops_anyhow(void)
{
	WANT_IS(kernel_call(SYS_setsid), getpid());
	raise(SIGSTOP);
	_exit(20);
}

static void orphans_stop_by_sigstop(void)
{
	pid_t pid = start(stops_anyhow);
	int status;

	WANT_IS(waitpid(pid, &status, WUNTRACED), pid);
	WANT(WIFSTOPPED(status));
	WANT_IS(kill(pid, SIGCONT), 0);
	WANT_ENDS(pid, EXITED(20));
}

/* SIGCONT is allowed to anybody's process in the own session, whatever the uids. */
static void continues_other_user(void)
{
	bool other = become_nobody();

	WANT_IS(kernel_call(SYS_kill, *common, SIGCONT), 0);
	if (other)
		WANT_IS(kernel_call(SYS_kill, *common, SIGTERM), -EPERM);
}

static void sigcont_in_session(void)
{
	common = shared_memory(4096);
	*common = getpid();
	WANT_ENDS(start(continues_other_user), 0);
}

static void continues_other_session(void)
{
	WANT_IS(kernel_call(SYS_setsid), getpid());
	if (become_nobody())
		WANT_IS(kernel_call(SYS_kill, getppid(), SIGCONT), -EPERM);
}

static void sigcont_other_session(void)
{
	WANT_ENDS(start(continues_other_session), 0);
}

static const struct test_case cases[] = {
	CASE(inheritance, "fork: group and session are inherited"),
	CASE(queries, "getpgid, getsid: of oneself and others; ESRCH"),
	CASE(own_group, "setpgid: a child into its own, another, the caller's group"),
	CASE(setpgid_errors, "setpgid: negative group EINVAL; not a child ESRCH"),
	CASE(no_such_group, "setpgid: into a group that is not there: EPERM"),
	CASE(other_session, "setpgid: a session leader, another session: EPERM"),
	CASE(setsid_of_leader, "setsid: of a group's leader: EPERM"),
	CASE(after_exec, "setpgid: a child that has executed a program: EACCES"),
	CASE(group_without_leader, "a group lives as long as a member, and can be joined"),
	CASE(zombie_leads, "a zombie keeps its group and can still be moved"),
	CASE(group_signal, "kill 0 and kill -group reach the group alone; ESRCH"),
	CASE(orphaned_group, "a stopped group that becomes an orphan gets SIGHUP and SIGCONT"),
	CASE(orphaned_group_ends, "a stopped group that becomes an orphan ends by SIGHUP"),
	CASE(orphaned_group_running, "a running group that becomes an orphan gets nothing"),
	CASE(orphans_do_not_stop, "SIGTSTP, SIGTTIN, SIGTTOU do not stop an orphaned group"),
	CASE(orphans_stop_by_sigstop, "SIGSTOP stops an orphaned group"),
	CASE(sigcont_in_session, "SIGCONT may be sent within the session, whatever the uid"),
	CASE(sigcont_other_session, "SIGCONT to another's process in another session: EPERM"),
};

static void all(int argc, char **argv)
{
	run_cases(cases, COUNT(cases), argc, argv);
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"execed", execed}};

	return check_main(argc, argv, roles, COUNT(roles), all);
}
