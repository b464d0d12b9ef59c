/* SPDX-License-Identifier: MIT */
/* What became of children: man 2 wait4, waitid. */
#include <asm/fcntl.h>
#include <linux/wait.h>

#include <asm/siginfo.h>
#include <asm/signal.h>

#include "lib/errno.h"
#include "memory/user.h"
#include "process/current.h"
#include "process/pidfd.h"
#include "process/process.h"
#include "syscall/table.h"
#include "syscall/usage.h"

/* wait4's pid argument. */
static struct wait_request wait_request_of(int pid, unsigned options)
{
	if (pid == -1)
		return (struct wait_request){WAIT_ANY, 0, options, NULL};
	if (pid > 0)
		return (struct wait_request){WAIT_ONE, pid, options, NULL};
	return (struct wait_request){WAIT_GROUP, pid ? -pid : current_group(), options, NULL};
}

long sys_wait4(int pid, user_t status, unsigned options, user_t usage)
{
	struct wait_request request;
	struct wait_result child;
	long result;

	if (options &
		~(unsigned)(WNOHANG | WUNTRACED | WCONTINUED | __WNOTHREAD | __WCLONE | __WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	request = wait_request_of(pid, options | WEXITED);
	result = process_wait(&request, &child);
	if (result <= 0)
		return result;
	if (usage.address && put_usage(usage, &child.usage))
		return -EFAULT;
	if (status.address && copy_to_user(status, &child.wait_status, sizeof(child.wait_status)))
		return -EFAULT;
	return result;
}

static int pidfd_request(int fd, unsigned options, struct wait_request *out)
{
	unsigned flags;
	struct pid *pid = pidfd_lookup(fd, &flags);

	if (!pid)
		return -EBADF;
	*out = (struct wait_request){WAIT_ONE, pid->number, options, pid};
	/* Where the descriptor is not to block, nothing to tell yet is an error. */
	if (flags & O_NONBLOCK)
		out->options |= WNOHANG;
	return 0;
}

/* waitid's first two arguments. What out->pid refers to is to be put. */
static int waitid_request(int type, int id, unsigned options, struct wait_request *out)
{
	const unsigned known = WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | __WNOTHREAD |
			       __WCLONE | __WALL;

	if (options & ~known || !(options & (WEXITED | WSTOPPED | WCONTINUED)))
		return -EINVAL;
	switch (type) {
	case P_ALL:
		*out = (struct wait_request){WAIT_ANY, 0, options, NULL};
		return 0;
	case P_PID:
		*out = (struct wait_request){WAIT_ONE, id, options, NULL};
		return id > 0 ? 0 : -EINVAL;
	case P_PGID:
		*out = (struct wait_request){WAIT_GROUP, id ? id : current_group(), options, NULL};
		return id >= 0 ? 0 : -EINVAL;
	case P_PIDFD:
		return id >= 0 ? pidfd_request(id, options, out) : -EINVAL;
	default:
		return -EINVAL;
	}
}

long sys_waitid(int type, int id, user_t info, int options, user_t usage)
{
	struct wait_result child = {0};
	struct wait_request request;
	siginfo_t record = {0};
	long result;

	result = waitid_request(type, id, (unsigned)options, &request);
	if (!result) {
		result = process_wait(&request, &child);
		if (!result && request.options & WNOHANG && !(options & WNOHANG))
			result = -EAGAIN;
		if (request.pid)
			pid_put((struct pid *)request.pid);
	}
	if (result > 0) {
		record.si_signo = SIGCHLD;
		record.si_code = child.code;
		record.si_pid = child.id;
		record.si_uid = child.uid;
		record.si_status = child.status;
		result = 0;
		if (usage.address && put_usage(usage, &child.usage))
			return -EFAULT;
	}
	/* Only the fields that are about a child: the caller's others stay. With an error too. */
	if (info.address && copy_to_user(info, &record,
				    offsetof(siginfo_t, si_status) + sizeof(record.si_status)))
		return -EFAULT;
	return result;
}
