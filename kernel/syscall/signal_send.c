/* SPDX-License-Identifier: MIT */
/* Sending signals: man 2 kill, tkill, tgkill, rt_sigqueueinfo. */
#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "memory/user.h"
#include "process/pidfd.h"
#include "process/process.h"
#include "process/signal.h"
#include "syscall/table.h"

long sys_kill(int pid, int signal)
{
	struct signal_info info;

	signal_info_from_self(&info, signal, SI_USER);
	return signal_kill(pid, &info);
}

long sys_tkill(int tid, int signal)
{
	struct signal_info info;

	if (tid <= 0)
		return -EINVAL;
	signal_info_from_self(&info, signal, SI_TKILL);
	return signal_kill_thread(0, tid, &info);
}

long sys_tgkill(int pid, int tid, int signal)
{
	struct signal_info info;

	if (pid <= 0 || tid <= 0)
		return -EINVAL;
	signal_info_from_self(&info, signal, SI_TKILL);
	return signal_kill_thread(pid, tid, &info);
}

/* Whether Linux knows which fields of siginfo count with this code; else the rest must be 0. */
static bool known_code(int signal, int code)
{
	static const struct {
		int signal, codes;
	} kinds[] = {{SIGILL, NSIGILL}, {SIGFPE, NSIGFPE}, {SIGSEGV, NSIGSEGV}, {SIGBUS, NSIGBUS},
		{SIGTRAP, NSIGTRAP}, {SIGCHLD, NSIGCHLD}, {SIGPOLL, NSIGPOLL}, {SIGSYS, NSIGSYS}};

	if (code == SI_KERNEL || code == SI_ASYNCNL || (code <= SI_USER && code >= SI_DETHREAD))
		return true;
	if (code < 0)
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (kinds[i].signal == signal)
			return code <= kinds[i].codes;
	}
	return code <= NSIGPOLL;
}

/* A siginfo of the user's making. */
static int get_info(struct signal_info *info, int signal, user_t from)
{
	char rest[sizeof(siginfo_t) - sizeof(*info)];

	if (copy_from_user(info, from, sizeof(*info)))
		return -EFAULT;
	info->number = signal;
	if (known_code(signal, info->code))
		return 0;
	if (copy_from_user(rest, user_offset(from, sizeof(*info)), sizeof(rest)))
		return -EFAULT;
	for (unsigned i = 0; i < sizeof(rest); i++) {
		if (rest[i])
			return -E2BIG;
	}
	return 0;
}

/* Nobody but oneself may be told that the kernel or kill(2) sent it. */
static bool feigned(const struct signal_info *info, int pid)
{
	return (info->code >= 0 || info->code == SI_TKILL) && pid != current_thread()->tid;
}

long sys_rt_sigqueueinfo(int pid, int signal, user_t from)
{
	struct signal_info info;
	int error = get_info(&info, signal, from);

	if (error)
		return error;
	if (feigned(&info, pid))
		return -EPERM;
	return pid > 0 ? signal_kill(pid, &info) : -ESRCH;
}

long sys_rt_tgsigqueueinfo(int pid, int tid, int signal, user_t from)
{
	struct signal_info info;
	int error = get_info(&info, signal, from);

	if (error)
		return error;
	if (pid <= 0 || tid <= 0)
		return -EINVAL;
	if (feigned(&info, tid))
		return -EPERM;
	return signal_kill_thread(pid, tid, &info);
}

long sys_pidfd_send_signal(int fd, int signal, user_t from, unsigned flags)
{
	struct signal_info info;
	struct pid *pid;
	int error = 0;

	if (flags)
		return -EINVAL;
	pid = pidfd_lookup_or_proc(fd);
	if (!pid)
		return -EBADF;
	if (from.address) {
		int given;

		error = get_info(&info, signal, from);
		if (!error && copy_from_user(&given, from, sizeof(given)))
			error = -EFAULT;
		if (!error && given != signal)
			error = -EINVAL;
		if (!error && feigned(&info, pid->number))
			error = -EPERM;
	} else {
		signal_info_from_self(&info, signal, SI_USER);
	}
	if (!error)
		error = signal_kill_process(pid, &info);
	pid_put(pid);
	return error;
}
