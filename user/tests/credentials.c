/* SPDX-License-Identifier: MIT */
/*
 * User and group ids: real, effective, saved and for files; supplementary groups; what changes with
 * them (files, signals, attributes, set-user-ID programs). Root is needed: who is not root cannot
 * become anybody, and 77 says so. The calls go to the kernel itself: the C library's change every
 * thread.
 */
#include <pthread.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#include "cases.h"

#define A    1001u
#define B    1002u
#define C    1003u
#define D    1004u
#define SAME ((unsigned int)-1)

static char made[64];
static volatile int *common;
static struct gate back;

static long setresuid_raw(unsigned int r, unsigned int e, unsigned int s)
{
	return kernel_call(SYS_setresuid, r, e, s);
}

static long setresgid_raw(unsigned int r, unsigned int e, unsigned int s)
{
	return kernel_call(SYS_setresgid, r, e, s);
}

static void want_uids(unsigned int r, unsigned int e, unsigned int s)
{
	uid_t real, effective, saved;

	WANT_IS(kernel_call(SYS_getresuid, &real, &effective, &saved), 0);
	WANT_IS(real, r);
	WANT_IS(effective, e);
	WANT_IS(saved, s);
	WANT_IS(kernel_call(SYS_getuid), r);
	WANT_IS(kernel_call(SYS_geteuid), e);
}

static void want_gids(unsigned int r, unsigned int e, unsigned int s)
{
	gid_t real, effective, saved;

	WANT_IS(kernel_call(SYS_getresgid, &real, &effective, &saved), 0);
	WANT_IS(real, r);
	WANT_IS(effective, e);
	WANT_IS(saved, s);
	WANT_IS(kernel_call(SYS_getgid), r);
	WANT_IS(kernel_call(SYS_getegid), e);
}

/* ---- User ids ---- */

static void setuid_root(void)
{
	WANT_IS(kernel_call(SYS_setuid, A), 0);
	want_uids(A, A, A);
	WANT_IS(kernel_call(SYS_setuid, 0), -EPERM);
	WANT_IS(kernel_call(SYS_setuid, A), 0);
	WANT_IS(kernel_call(SYS_setuid, -1), -EINVAL);
}

static void setuid_other(void)
{
	WANT_IS(setresuid_raw(A, B, C), 0);
	WANT_IS(kernel_call(SYS_setuid, C), 0);
	want_uids(A, C, C);
	WANT_IS(kernel_call(SYS_setuid, A), 0);
	want_uids(A, A, C);
	WANT_IS(kernel_call(SYS_setuid, B), -EPERM);
	want_uids(A, A, C);
}

static void setreuid_root(void)
{
	WANT_IS(kernel_call(SYS_setreuid, SAME, SAME), 0);
	want_uids(0, 0, 0);
	WANT_IS(kernel_call(SYS_setreuid, SAME, A), 0);
	want_uids(0, A, A);
	WANT_IS(kernel_call(SYS_setreuid, A, 0), 0);
	want_uids(A, 0, 0);
	WANT_IS(kernel_call(SYS_setreuid, 0, A), 0);
	want_uids(0, A, A);
}

static void setreuid_other(void)
{
	WANT_IS(setresuid_raw(A, B, C), 0);
	WANT_IS(kernel_call(SYS_setreuid, C, SAME), -EPERM);
	WANT_IS(kernel_call(SYS_setreuid, SAME, D), -EPERM);
	WANT_IS(kernel_call(SYS_setreuid, SAME, C), 0);
	want_uids(A, C, C);
	WANT_IS(kernel_call(SYS_setreuid, C, A), 0);
	want_uids(C, A, A);
	WANT_IS(kernel_call(SYS_setreuid, A, C), 0);
	want_uids(A, C, C);
}

static void setresuid_other(void)
{
	WANT_IS(setresuid_raw(A, B, C), 0);
	want_uids(A, B, C);
	WANT_IS(setresuid_raw(SAME, SAME, SAME), 0);
	want_uids(A, B, C);
	WANT_IS(setresuid_raw(B, C, A), 0);
	want_uids(B, C, A);
	WANT_IS(setresuid_raw(D, SAME, SAME), -EPERM);
	WANT_IS(setresuid_raw(SAME, D, SAME), -EPERM);
	WANT_IS(setresuid_raw(A, A, D), -EPERM);
	want_uids(B, C, A);
}

static void back_to_root(void)
{
	WANT_IS(setresuid_raw(SAME, A, SAME), 0);
	want_uids(0, A, 0);
	WANT_IS(kernel_call(SYS_sethostname, "x", 1), -EPERM);
	WANT_IS(kernel_call(SYS_setresuid, SAME, 0, SAME), 0);
	want_uids(0, 0, 0);
	WANT_IS(setresuid_raw(B, C, D), 0);
}

static void addresses(void)
{
	unsigned int id;

	WANT_IS(kernel_call(SYS_getresuid, BAD, &id, &id), -EFAULT);
	WANT_IS(kernel_call(SYS_getresuid, &id, BAD, &id), -EFAULT);
	WANT_IS(kernel_call(SYS_getresuid, &id, &id, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_getresgid, &id, &id, BAD), -EFAULT);
}

static void setfsuid_call(void)
{
	WANT_IS(kernel_call(SYS_setfsuid, A), 0);
	WANT_IS(kernel_call(SYS_setfsuid, SAME), A);
	WANT_IS(setresuid_raw(SAME, B, SAME), 0);
	WANT_IS(kernel_call(SYS_setfsuid, SAME), B);
	WANT_IS(setresuid_raw(SAME, 0, SAME), 0);
	WANT_IS(setresuid_raw(A, B, C), 0);
	WANT_IS(kernel_call(SYS_setfsuid, D), B);
	WANT_IS(kernel_call(SYS_setfsuid, C), B);
	WANT_IS(kernel_call(SYS_setfsuid, SAME), C);
}

/* ---- Group ids ---- */

static void setgid_calls(void)
{
	WANT_IS(kernel_call(SYS_setgid, A), 0);
	want_gids(A, A, A);
	WANT_IS(setresgid_raw(A, B, C), 0);
	WANT_IS(setresuid_raw(A, A, A), 0);
	WANT_IS(kernel_call(SYS_setgid, C), 0);
	want_gids(A, C, C);
	WANT_IS(kernel_call(SYS_setgid, B), -EPERM);
	WANT_IS(kernel_call(SYS_setgid, -1), -EINVAL);
	WANT_IS(kernel_call(SYS_setregid, C, A), 0);
	want_gids(C, A, A);
	WANT_IS(kernel_call(SYS_setregid, D, SAME), -EPERM);
	WANT_IS(setresgid_raw(A, C, C), 0);
	WANT_IS(setresgid_raw(SAME, SAME, D), -EPERM);
	WANT_IS(kernel_call(SYS_setfsgid, SAME), C);
}

static void groups_calls(void)
{
	unsigned int list[3] = {B, C, A}, found[3] = {0};

	WANT_IS(kernel_call(SYS_setgroups, 3, list), 0);
	WANT_IS(kernel_call(SYS_getgroups, 0, NULL), 3);
	WANT_IS(kernel_call(SYS_getgroups, 3, found), 3);
	WANT(found[0] == A && found[1] == B && found[2] == C);
	WANT_IS(kernel_call(SYS_getgroups, 2, found), -EINVAL);
	WANT_IS(kernel_call(SYS_getgroups, -1, found), -EINVAL);
	WANT_IS(kernel_call(SYS_getgroups, 3, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_setgroups, 3, BAD), -EFAULT);
	WANT_IS(kernel_call(SYS_setgroups, 65537, list), -EINVAL);
	WANT_IS(kernel_call(SYS_setgroups, 0, NULL), 0);
	WANT_IS(kernel_call(SYS_getgroups, 3, found), 0);
	WANT_IS(setresuid_raw(A, A, A), 0);
	WANT_IS(kernel_call(SYS_setgroups, 1, list), -EPERM);
}

static void inherits_ids(void)
{
	unsigned int group = 0;

	want_uids(A, B, C);
	want_gids(B, C, D);
	WANT_IS(kernel_call(SYS_getgroups, 1, &group), 1);
	WANT_IS(group, D);
}

static void inheritance(void)
{
	unsigned int list[1] = {D};

	WANT_IS(kernel_call(SYS_setgroups, 1, list), 0);
	WANT_IS(setresgid_raw(B, C, D), 0);
	WANT_IS(setresuid_raw(A, B, C), 0);
	WANT_ENDS(start(inherits_ids), 0);
}

/* ---- What changes with them ---- */

static void *other_thread(void *unused)
{
	WANT_IS(setresuid_raw(A, A, A), 0);
	want_uids(A, A, A);
	return NULL;
}

static void per_thread(void)
{
	pthread_t thread;

	WANT_IS(pthread_create(&thread, NULL, other_thread, NULL), 0);
	WANT_IS(pthread_join(thread, NULL), 0);
	want_uids(0, 0, 0);
}

static void make_file(unsigned int owner, unsigned int group, unsigned int mode)
{
	int fd;

	unlink(made);
	fd = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	WANT(fd >= 0);
	WANT_IS(fchown(fd, owner, group), 0);
	WANT_IS(fchmod(fd, mode), 0);
	close(fd);
}

static long try_open(int flags)
{
	long fd = kernel_call(SYS_open, made, flags);

	if (fd >= 0)
		close((int)fd);
	return fd < 0 ? fd : 0;
}

static void file_access(void)
{
	unsigned int list[1] = {D};

	make_file(A, D, 0640);
	WANT_IS(kernel_call(SYS_setgroups, 1, list), 0);
	WANT_IS(setresgid_raw(B, B, B), 0);
	WANT_IS(setresuid_raw(0, B, 0), 0);
	WANT_IS(try_open(O_RDONLY), 0);
	WANT_IS(try_open(O_WRONLY), -EACCES);
	WANT_IS(setresuid_raw(0, 0, 0), 0);
	WANT_IS(kernel_call(SYS_setgroups, 0, NULL), 0);
	WANT_IS(setresuid_raw(0, B, 0), 0);
	WANT_IS(try_open(O_RDONLY), -EACCES);
	WANT_IS(kernel_call(SYS_access, made, R_OK | W_OK), 0); /* by the real uid */
	WANT_IS(setresuid_raw(0, 0, 0), 0);
	WANT_IS(setresuid_raw(B, A, A), 0);
	WANT_IS(try_open(O_RDWR), 0);
	WANT_IS(kernel_call(SYS_access, made, R_OK), -EACCES);
}

static void attributes_reset(void)
{
	int number = -1;

	WANT_IS(prctl(PR_SET_PDEATHSIG, SIGUSR1), 0);
	WANT_IS(prctl(PR_GET_DUMPABLE), 1);
	WANT_IS(setresuid_raw(A, A, A), 0);
	WANT_IS(prctl(PR_GET_DUMPABLE), 0);
	WANT_IS(prctl(PR_GET_PDEATHSIG, &number), 0);
	WANT_IS(number, 0);
}

/* ---- Signals ---- */

static void target(void)
{
	WANT_IS(setresuid_raw(A, B, C), 0);
	open_gate(back);
	just_wait();
}

static pid_t start_target(void)
{
	pid_t pid;

	back = make_gate();
	pid = start(target);
	wait_gate(back);
	return pid;
}

/* Sender with these real and effective uids; the target has A, B, C. */
static long may_signal(unsigned int real, unsigned int effective, pid_t pid)
{
	pid_t sender = fork();

	if (sender == 0) {
		WANT_IS(setresuid_raw(real, effective, D), 0);
		*common = (int)kernel_call(SYS_kill, pid, 0);
		_exit(0);
	}
	WANT_ENDS(sender, 0);
	return *common;
}

static void signal_permission(void)
{
	pid_t pid = start_target();

	common = shared_memory(4096);
	WANT_IS(may_signal(A, D, pid), 0);
	WANT_IS(may_signal(D, A, pid), 0);
	WANT_IS(may_signal(C, D, pid), 0);
	WANT_IS(may_signal(D, C, pid), 0);
	WANT_IS(may_signal(B, B, pid), -EPERM);
	WANT_IS(may_signal(D, D, pid), -EPERM);
	WANT_IS(may_signal(D, 0, pid), 0);
	WANT_IS(kill(pid, SIGKILL), 0);
	WANT_ENDS(pid, SIGKILL);
}

static void kill_all(void)
{
	unsigned lone = lone_user(); /* so that kill(-1) reaches nobody else */
	pid_t pid = start(just_wait), other, sender;

	back = make_gate();
	other = fork();
	if (other == 0) {
		WANT_IS(setresuid_raw(lone, lone, lone), 0);
		open_gate(back);
		just_wait();
	}
	wait_gate(back);
	sender = fork();
	if (sender == 0) {
		WANT_IS(setresuid_raw(lone, lone, lone), 0);
		WANT_IS(kernel_call(SYS_kill, -1, SIGTERM), 0);
		_exit(0); /* itself it does not reach */
	}
	WANT_ENDS(sender, 0);
	WANT_ENDS(other, SIGTERM);
	WANT_IS(waitpid(pid, NULL, WNOHANG), 0);
}

static void group_permission(void)
{
	pid_t one = start_target(), two = start(just_wait), sender;

	WANT_IS(setpgid(one, one), 0);
	WANT_IS(setpgid(two, one), 0);
	sender = fork();
	if (sender == 0) {
		WANT_IS(setpgid(0, 0), 0);
		WANT_IS(setresuid_raw(A, A, A), 0);
		WANT_IS(kernel_call(SYS_kill, -one, SIGTERM), 0); /* one of the two is enough */
		WANT_IS(kernel_call(SYS_kill, -getppid(), SIGTERM), -EPERM);
		_exit(0);
	}
	WANT_ENDS(sender, 0);
	WANT_ENDS(one, SIGTERM);
	WANT_IS(waitpid(two, NULL, WNOHANG), 0);
	WANT_IS(kill(two, SIGKILL), 0);
}

/* ---- Set-user-ID programs ---- */

static int looks(int argc, char **argv)
{
	unsigned int r, e, s;

	kernel_call(SYS_getresuid, &r, &e, &s);
	return (r == A) | (e == B) << 1 | (s == B) << 2 | (getauxval(AT_SECURE) != 0) << 3 |
	       (getauxval(AT_EUID) == B) << 4;
}

static void copy_self(void)
{
	static char buffer[65536];
	int from = open(check.self, O_RDONLY | O_CLOEXEC), to;
	ssize_t got;

	unlink(made);
	to = open(made, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);
	WANT(from >= 0 && to >= 0);
	while ((got = read(from, buffer, sizeof buffer)) > 0)
		WANT_IS(write(to, buffer, (size_t)got), got);
	close(from);
	WANT_IS(fchown(to, B, B), 0);
	WANT_IS(fchmod(to, 04755), 0);
	close(to);
}

static int run_set_uid(bool no_new_privs)
{
	char *argv[] = {made, "--role", "looks", NULL};
	pid_t pid;

	copy_self();
	pid = fork();
	if (pid == 0) {
		if (no_new_privs)
			WANT_IS(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
		WANT_IS(setresuid_raw(A, A, A), 0);
		execve(made, argv, environ);
		_exit(99);
	}
	return ended(pid);
}

static void set_user_id(void)
{
	WANT_IS(run_set_uid(false), EXITED(31));
}

static void set_user_id_refused(void)
{
	WANT_IS(run_set_uid(true), EXITED(1));
}

enum watcher { TRACER, TRACER_OF_ROOT, SHARER, SHARER_OF_ROOT, SHARER_WITH_THREAD };

static void *just_waits(void *unused)
{
	for (;;)
		pause();
	return NULL;
}

/* The same while another one could steer the program: A's, or root's, who may take any id. */
static int run_watched(enum watcher watcher)
{
	char *argv[] = {made, "--role", "looks", NULL};
	bool of_root = watcher == TRACER_OF_ROOT || watcher == SHARER_OF_ROOT;
	bool traced = watcher == TRACER || watcher == TRACER_OF_ROOT;
	int status;
	pid_t pid;

	copy_self();
	pid = (pid_t)kernel_call(SYS_clone, (traced ? 0 : CLONE_FS) | SIGCHLD, 0, NULL, NULL, 0);
	if (pid == 0) {
		pthread_t thread;

		if (watcher == SHARER_WITH_THREAD)
			WANT_IS(pthread_create(&thread, NULL, just_waits, NULL), 0);
		if (!of_root)
			WANT_IS(setresuid_raw(A, A, A), 0);
		if (traced)
			WANT_IS(ptrace(PTRACE_TRACEME, 0, NULL, NULL), 0);
		execve(made, argv, environ);
		_exit(99);
	}
	if (traced) {
		WANT_IS(waitpid(pid, &status, 0), pid);
		WANT(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
		WANT_IS(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	}
	return ended(pid);
}

/* Nothing gained, but AT_SECURE. */
static void set_user_id_watched(void)
{
	WANT_IS(run_watched(TRACER), EXITED(1 | 8));
	WANT_IS(run_watched(SHARER), EXITED(1 | 8));
	WANT_IS(run_watched(SHARER_WITH_THREAD), EXITED(1 | 8));
	WANT_IS(run_watched(TRACER_OF_ROOT), EXITED(2 | 4 | 8 | 16));
	WANT_IS(run_watched(SHARER_OF_ROOT), EXITED(2 | 4 | 8 | 16));
}

static void chown_clears(void)
{
	struct stat stat_now;

	make_file(0, 0, 06755);
	WANT_IS(chown(made, A, A), 0);
	WANT_IS(stat(made, &stat_now), 0);
	WANT_IS(stat_now.st_mode & 07777, 0755);
}

static const struct test_case cases[] = {
	CASE(setuid_root, "setuid by root: all three, for good; -1: EINVAL"),
	CASE(setuid_other, "setuid by others: the effective one, from real and saved; EPERM"),
	CASE(setreuid_root, "setreuid by root: the saved uid follows"),
	CASE(setreuid_other, "setreuid by others: swaps; EPERM"),
	CASE(setresuid_other, "setresuid by others: among the three; EPERM, nothing changed"),
	CASE(back_to_root, "an effective uid given up comes back from the saved one"),
	CASE(addresses, "getresuid, getresgid: bad addresses: EFAULT"),
	CASE(setfsuid_call, "setfsuid: gives the old one, follows the effective uid"),
	CASE(setgid_calls, "setgid, setregid, setresgid: by root and by others"),
	CASE(groups_calls, "setgroups, getgroups: sorted; EINVAL, EFAULT, EPERM"),
	CASE(inheritance, "fork: all ids and groups are inherited"),
	CASE(per_thread, "the kernel's setresuid changes the calling thread alone"),
	CASE(file_access, "files are opened by effective ids and groups, access() goes by real"),
	CASE(attributes_reset, "a new effective uid: not dumpable, no parent-death signal"),
	CASE(signal_permission, "kill: sender's real or effective uid, target's real or saved"),
	CASE(kill_all, "kill -1: all that one may signal, not oneself"),
	CASE(group_permission, "kill of a group: EPERM only when none of it may be signalled"),
	CASE(set_user_id, "a set-user-ID program: effective and saved uid, AT_SECURE"),
	CASE(set_user_id_refused, "a set-user-ID program under no_new_privs: nothing gained"),
	CASE(set_user_id_watched,
		"a set-user-ID program, traced or with a shared fs: AT_SECURE only"),
	CASE(chown_clears, "chown clears the set-user-ID bit"),
};

static void all(int argc, char **argv)
{
	snprintf(made, sizeof made, "/tmp/baton-ids-%d", getpid());
	run_cases(cases, COUNT(cases), argc, argv);
	unlink(made);
}

int main(int argc, char **argv)
{
	static const struct role roles[] = {{"looks", looks}};

	if (argc < 2 && geteuid() != 0) {
		printf("# credentials: skipped: only root can become others\n");
		return 77;
	}
	return check_main(argc, argv, roles, COUNT(roles), all);
}
